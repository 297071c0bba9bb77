package server

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/secret"
)

func pkce() (verifier, challenge string) {
	verifier = secret.Token()
	sum := sha256.Sum256([]byte(verifier))
	return verifier, base64.RawURLEncoding.EncodeToString(sum[:])
}

const (
	back    = "http://localhost:5173/callback"
	asking  = `query($i:AuthorizationRequestInput!){authorizationRequest(input:$i){clientName redirectHost known permissions{name about} planes}}`
	approve = `mutation($i:AuthorizationApproveInput!){authorizationApprove(input:$i){redirectUrl errors{code message}}}`
)

func (w *world) asked(challenge string, more map[string]any) map[string]any {
	in := map[string]any{"clientId": w.env[demo.WebClientID], "redirectUri": back, "responseType": "code", "codeChallenge": challenge,
		"codeChallengeMethod": "S256", "state": "my state&x=1", "nonce": "n1"}
	for k, v := range more {
		in[k] = v
	}
	return in
}

// consent lets alchemi-web act for the browser's person.
func (b *browser) consent(t *testing.T) (got string, verifier string) {
	t.Helper()
	verifier, challenge := pkce()
	p := b.do(t, approve, map[string]any{"request": b.asked(challenge, nil)})
	u, err := url.Parse(p["redirectUrl"].(string))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(p["redirectUrl"].(string), back+"?"))
	require.Equal(t, "my state&x=1", u.Query().Get("state"))
	require.Equal(t, publicURL, u.Query().Get("iss"))
	return u.Query().Get("code"), verifier
}

func (w *world) redeem(t *testing.T, got, verifier string, more ...string) (int, map[string]any) {
	t.Helper()
	return w.form(t, "/oauth/token", w.env[demo.WebClientID], "", append([]string{"grant_type", "authorization_code", "code", got,
		"code_verifier", verifier, "redirect_uri", back}, more...)...)
}

func (w *world) refresh(t *testing.T, token string, more ...string) (int, map[string]any) {
	t.Helper()
	return w.form(t, "/oauth/token", w.env[demo.WebClientID], "", append([]string{"grant_type", "refresh_token", "refresh_token", token}, more...)...)
}

// ended waits for a token to be refused.
func (w *world) ended(t *testing.T, token, why string) {
	t.Helper()
	require.Eventually(t, func() bool {
		status, _ := w.ask(t, token, `{viewer{name}}`, nil)
		return status == http.StatusUnauthorized
	}, 10*time.Second, 20*time.Millisecond, why)
}

// The way of alchemi-web: consent, code with PKCE, refresh.
func TestBrowserProgramActsForWhoConsents(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	b := w.signIn(t, w.env[demo.MemberEmail])
	_, challenge := pkce()
	p := b.do(t, asking, w.asked(challenge, map[string]any{"scope": "read profile"}))
	require.Equal(t, "alchemi-web", p["clientName"])
	require.Equal(t, "localhost:5173", p["redirectHost"])
	require.Equal(t, false, p["known"])
	require.Len(t, p["permissions"], 2)

	got, verifier := b.consent(t)
	status, tokens := w.redeem(t, got, verifier)
	require.Equal(t, http.StatusOK, status, tokens)
	require.Equal(t, "models.call profile read", tokens["scope"])
	access := tokens["access_token"].(string)
	status, answer := w.ask(t, access, `{viewer{name clientName}}`, nil)
	require.Equal(t, http.StatusOK, status, answer)
	require.Equal(t, "alchemi-web", answer["data"].(map[string]any)["viewer"].(map[string]any)["clientName"])
	require.Equal(t, true, b.do(t, asking, w.asked(challenge, nil))["known"], "it is remembered")
	var c struct {
		Nonce string
		Act   struct{ Sub string }
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(access, ".")[1])
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(payload, &c))
	require.Equal(t, "n1", c.Nonce)
	require.Equal(t, w.env[demo.WebClientID], c.Act.Sub)

	// Each refresh token works once and brings the next.
	first := tokens["refresh_token"].(string)
	status, tokens = w.refresh(t, first, "scope", "read")
	require.Equal(t, http.StatusOK, status, tokens)
	require.Equal(t, "profile read", tokens["scope"])
	second := tokens["refresh_token"].(string)
	status, refused := w.refresh(t, second, "scope", "keys.manage")
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "invalid_scope", refused["error"])
	status, tokens = w.refresh(t, second)
	require.Equal(t, http.StatusOK, status, tokens)
	require.Equal(t, "models.call profile read", tokens["scope"])
	newest := tokens["access_token"].(string)

	list := b.do(t, `{viewer{authorizations(first:10){edges{node{id clientName permissions{name}}}}}}`, nil)
	require.Len(t, list["authorizations"].(map[string]any)["edges"], 1)

	// One that is used again, however old, ends them all.
	status, refused = w.refresh(t, first)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "invalid_grant", refused["error"])
	status, _ = w.refresh(t, tokens["refresh_token"].(string))
	require.Equal(t, http.StatusBadRequest, status, "the newest one ended with it")
	w.ended(t, newest, "so did the access token")
	require.Positive(t, w.store.AuditEvent.Query().Where(auditevent.Action("authorization.revoke"), auditevent.ReasonContains("second time")).CountX(system(t)))
	list = b.do(t, `{viewer{authorizations(first:10){edges{node{id}} totalCount}}}`, nil)
	require.Empty(t, list["authorizations"].(map[string]any)["edges"])
}

func TestCodesAreBoundAndWorkOnce(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	b := w.signIn(t, w.env[demo.MemberEmail])
	got, verifier := b.consent(t)
	other, _ := pkce()
	for name, try := range map[string]func() (int, map[string]any){
		"another verifier": func() (int, map[string]any) { return w.redeem(t, got, other) },
		"no verifier":      func() (int, map[string]any) { return w.redeem(t, got, "") },
		"another address":  func() (int, map[string]any) { return w.redeem(t, got, verifier, "redirect_uri", back+"/") },
		"unknown code":     func() (int, map[string]any) { return w.redeem(t, other, verifier) },
		"another program": func() (int, map[string]any) {
			return w.form(t, "/oauth/token", w.env[demo.ClientID], w.env[demo.ClientSecret], "grant_type", "authorization_code", "code", got,
				"code_verifier", verifier, "redirect_uri", back)
		},
	} {
		status, out := try()
		require.Equal(t, http.StatusBadRequest, status, name)
		require.Equal(t, "invalid_grant", out["error"], name)
	}
	status, tokens := w.redeem(t, got, verifier)
	require.Equal(t, http.StatusOK, status, tokens)
	status, out := w.redeem(t, got, verifier)
	require.Equal(t, http.StatusBadRequest, status, out)
	w.ended(t, tokens["access_token"].(string), "a code used twice ends what it brought")
	status, _ = w.refresh(t, tokens["refresh_token"].(string))
	require.Equal(t, http.StatusBadRequest, status)

	// A program gives back what it has; a made-up token is nothing to revoke.
	got, verifier = b.consent(t)
	_, tokens = w.redeem(t, got, verifier)
	status, _ = w.form(t, "/oauth/revoke", w.env[demo.ClientID], w.env[demo.ClientSecret], "token", tokens["refresh_token"].(string))
	require.Equal(t, http.StatusOK, status)
	status, tokens = w.refresh(t, tokens["refresh_token"].(string))
	require.Equal(t, http.StatusOK, status, "another program's revocation does nothing")
	status, _ = w.form(t, "/oauth/revoke", w.env[demo.WebClientID], "", "token", tokens["access_token"].(string))
	require.Equal(t, http.StatusOK, status)
	w.ended(t, tokens["access_token"].(string), "revoked")
	status, _ = w.form(t, "/oauth/revoke", w.env[demo.WebClientID], "", "token", "cr_aut_01JD0000000000000000000000.made.up")
	require.Equal(t, http.StatusOK, status)
	status, out = w.form(t, "/oauth/revoke", w.env[demo.ClientID], w.env[demo.ClientSecret], "token", w.exchange(t))
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "unsupported_token_type", out["error"])

	// The person withdraws it.
	got, verifier = b.consent(t)
	_, tokens = w.redeem(t, got, verifier)
	list := b.do(t, `{viewer{authorizations(first:1){edges{node{id}}}}}`, nil)
	aut := list["authorizations"].(map[string]any)["edges"].([]any)[0].(map[string]any)["node"].(map[string]any)["id"]
	const withdraw = `mutation($i:AuthorizationRevokeInput!){authorizationRevoke(input:$i){authorizationId errors{code}}}`
	require.Contains(t, fmt.Sprint(w.signIn(t, "grace.chen@globex.example").try(t, withdraw, map[string]any{"authorizationId": aut})), "NOT_FOUND")
	b.do(t, withdraw, map[string]any{"authorizationId": aut})
	w.ended(t, tokens["access_token"].(string), "withdrawn")
}

func TestNobodyIsSentToAnAddressThatIsntTheProgramsOwn(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	b := w.signIn(t, w.env[demo.MemberEmail])
	_, challenge := pkce()
	for name, change := range map[string]map[string]any{
		"longer":            {"redirectUri": back + "/x"},
		"query":             {"redirectUri": back + "?x=1"},
		"case":              {"redirectUri": "http://LOCALHOST:5173/callback"},
		"elsewhere":         {"redirectUri": "https://evil.example/callback"},
		"user":              {"redirectUri": "http://localhost:5173@evil.example/callback"},
		"empty":             {"redirectUri": ""},
		"unknown program":   {"clientId": "cli_01JD0000000000000000000000"},
		"no redirect":       {"clientId": w.env[demo.ClientID]},
		"implicit":          {"responseType": "token"},
		"plain":             {"codeChallengeMethod": "plain"},
		"short challenge":   {"codeChallenge": "abc"},
		"unheard of":        {"scope": "everything"},
		"more than it has":  {"scope": "platform.manage"},
		"state without end": {"state": strings.Repeat("x", 3000)},
	} {
		in := w.asked(challenge, change)
		require.Equal(t, "BAD_INPUT", code(b.try(t, asking, in)), name)
		out := b.try(t, approve, map[string]any{"request": in})
		require.Equal(t, "BAD_INPUT", code(out), name)
		require.NotContains(t, fmt.Sprint(out), "code=", name)
	}
	other := w.signIn(t, "grace.chen@globex.example")
	require.Equal(t, "BAD_INPUT", code(other.try(t, asking, w.asked(challenge, nil))), "a program of another account")
	staff := w.signIn(t, w.env[demo.SuperAdminEmail])
	require.Equal(t, "BAD_INPUT", code(staff.try(t, asking, w.asked(challenge, nil))))
	status, out := w.ask(t, w.exchange(t), approve, map[string]any{"request": w.asked(challenge, nil)})
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "FORBIDDEN", code(out), "a program consents for nobody")
}
