package server

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// world is a demo behind HTTP.
type world struct {
	*Server
	url string
	env demo.Env
}

const publicURL = "https://cockpit.test"

// tell starts a server with the demo's story; every replica has the same
// public address, which tokens name.
func tell(t *testing.T, args ...string) *world {
	t.Helper()
	c, err := parse(append([]string{"--listen", "127.0.0.1:0", "--public-url", publicURL, "--demo", "--log-level", "error"}, args...)...)
	require.NoError(t, err)
	s, err := New(t.Context(), c)
	require.NoError(t, err)
	web := httptest.NewServer(s.routes())
	t.Cleanup(func() {
		s.graph.Close()
		web.Close()
		s.gateway.Close()
		require.NoError(t, s.close(context.Background()))
	})
	return &world{s, web.URL, s.Demo()}
}

func system(t *testing.T) context.Context {
	t.Helper()
	return tenancy.System(t.Context(), "test")
}

func (w *world) member(t *testing.T) *ent.User {
	t.Helper()
	u, err := w.store.User.Get(system(t), w.env[demo.MemberID])
	require.NoError(t, err)
	return u
}

// send tries again where a busy machine can't follow epochs for a moment.
func (w *world) send(t *testing.T, method, address, body string, headers ...string) (res *http.Response, text string) {
	t.Helper()
	for range 400 {
		if res, text = send(t, method, address, body, headers...); res.StatusCode != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return res, text
}

// form sends a form as a program, by HTTP Basic unless the secret is empty.
func (w *world) form(t *testing.T, path, clientID, clientSecret string, pairs ...string) (int, map[string]any) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	headers := []string{"Content-Type: application/x-www-form-urlencoded"}
	if clientSecret == "" {
		values.Set("client_id", clientID)
	} else {
		headers = append(headers, "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(clientID+":"+clientSecret)))
	}
	res, body := w.send(t, http.MethodPost, w.url+path, values.Encode(), headers...)
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	out := map[string]any{}
	if body != "" {
		require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	}
	return res.StatusCode, out
}

// exchange gets alchemi-ai a token for the member.
func (w *world) exchange(t *testing.T, pairs ...string) string {
	t.Helper()
	status, got := w.form(t, "/oauth/token", w.env[demo.ClientID], w.env[demo.ClientSecret], append([]string{
		"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", w.env[demo.MemberID],
		"subject_token_type", "urn:cockpit:params:oauth:token-type:user_id"}, pairs...)...)
	require.Equal(t, http.StatusOK, status, got)
	return got["access_token"].(string)
}

// ask runs an operation as a bearer, and returns status and answer.
func (w *world) ask(t *testing.T, token, query string, input map[string]any) (int, map[string]any) {
	t.Helper()
	res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, query, map[string]any{"i": input}), "Authorization: Bearer "+token)
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	return res.StatusCode, out
}

// browser is somebody signed in.
type browser struct {
	*world
	cookie string
}

func (w *world) signIn(t *testing.T, email string) *browser {
	t.Helper()
	res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, signIn, map[string]any{"e": email, "p": w.env[demo.Password]}))
	require.Len(t, res.Cookies(), 1, body)
	return &browser{w, res.Cookies()[0].Name + "=" + res.Cookies()[0].Value}
}

// do runs an operation and returns its one field; refusals are for ask.
func (b *browser) do(t *testing.T, query string, input map[string]any) map[string]any {
	t.Helper()
	out := b.try(t, query, input)
	require.Nil(t, out["errors"], "%v", out)
	for _, payload := range out["data"].(map[string]any) {
		p := payload.(map[string]any)
		require.Empty(t, p["errors"])
		return p
	}
	return nil
}

func (b *browser) try(t *testing.T, query string, input map[string]any) map[string]any {
	t.Helper()
	_, body := b.send(t, http.MethodPost, b.url+"/graphql", operation(t, query, map[string]any{"i": input}), "Cookie: "+b.cookie, "X-Cockpit-CSRF: 1")
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	return out
}

func code(out map[string]any) string {
	list, _ := out["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	c, _ := list[0].(map[string]any)["extensions"].(map[string]any)["code"].(string)
	return c
}

const createClient = `mutation($i:ServiceClientCreateInput!){serviceClientCreate(input:$i){serviceClient{id} secret errors{code message path}}}`

// program makes a service client as the account's admin.
func (w *world) program(t *testing.T, b *browser, input map[string]any) (clientID, clientSecret string) {
	t.Helper()
	for k, v := range map[string]any{"name": "p " + id.New(id.Request), "planes": []string{"CONSOLE", "COPILOT"}} {
		if input[k] == nil {
			input[k] = v
		}
	}
	p := b.do(t, createClient, input)
	clientSecret, _ = p["secret"].(string)
	return p["serviceClient"].(map[string]any)["id"].(string), clientSecret
}

// The way of alchemi-ai: token exchange, the person's view, model calls, and
// books that name the person and the program.
func TestProgramActsForAPerson(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	u := w.member(t)
	idp := newIssuer(t)
	p := idp.provide(t, w.Server, u.AccountID)
	require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.ExternalIdentity.Create().SetAccountID(u.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(u.ID).
			SetIdentityProviderID(p.ID).SetIssuer(idp.url).SetSubject("jonas").Exec(ctx)
	}))
	for name, subject := range map[string][2]string{
		"ID token": {idp.sign(t, map[string]any{"sub": "jonas"}), "urn:ietf:params:oauth:token-type:id_token"},
		"user id":  {u.ID, "urn:cockpit:params:oauth:token-type:user_id"},
	} {
		status, got := w.form(t, "/oauth/token", w.env[demo.ClientID], w.env[demo.ClientSecret],
			"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", subject[0], "subject_token_type", subject[1])
		require.Equal(t, http.StatusOK, status, "%s: %v", name, got)
		require.Equal(t, "Bearer", got["token_type"])
		require.InDelta(t, 900, got["expires_in"], 0)
		require.Equal(t, "models.call profile read", got["scope"])
		require.Equal(t, "urn:ietf:params:oauth:token-type:access_token", got["issued_token_type"])
		require.Nil(t, got["refresh_token"])
		w.callAs(t, got["access_token"].(string), u)
	}
	events := w.store.AuditEvent.Query().Where(auditevent.Action("token.issue"), auditevent.TargetID(u.ID)).AllX(system(t))
	require.Len(t, events, 2)
	require.Equal(t, auditevent.ActorKindCLIENT, events[0].ActorKind)
	require.Equal(t, w.env[demo.ClientID], events[0].ActorID)
	require.Eventually(t, func() bool {
		c, err := w.store.ServiceClient.Get(system(t), w.env[demo.ClientID])
		return err == nil && c.LastUsedAt != nil && c.Version == 1
	}, 20*time.Second, 100*time.Millisecond, "the last use is kept, and is no change")
}

// charged is the charge of an answered call; the answer didn't wait for it.
func (w *world) charged(t *testing.T, res *http.Response) *ent.Charge {
	t.Helper()
	of := w.store.Charge.Query().Where(charge.RequestID(res.Header.Get("X-Request-Id")))
	require.Eventually(t, func() bool { return of.Clone().CountX(system(t)) == 1 }, 10*time.Second, 5*time.Millisecond)
	return of.OnlyX(system(t))
}

func (w *world) callAs(t *testing.T, token string, u *ent.User) {
	t.Helper()
	status, got := w.ask(t, token, `{viewer{name clientName permissions user{id} accounts{id} seat(plane:COPILOT){id} models(plane:COPILOT,first:50){edges{node{name}}} budget(plane:COPILOT){limit}}}`, nil)
	require.Equal(t, http.StatusOK, status)
	v := got["data"].(map[string]any)["viewer"].(map[string]any)
	require.Equal(t, u.Name, v["name"])
	require.Equal(t, "alchemi-ai", v["clientName"])
	require.Equal(t, []any{"models.call", "profile", "read"}, v["permissions"])
	require.Equal(t, u.ID, v["user"].(map[string]any)["id"])
	require.Empty(t, v["accounts"], "where else they are is no program's business")
	seat := v["seat"].(map[string]any)["id"].(string)

	bearer := "Authorization: Bearer " + token
	_, list := w.send(t, http.MethodGet, w.url+"/v1/models", "", bearer)
	require.Contains(t, list, `"id":"`+w.env[demo.CopilotModel]+`"`, "the seat in Copilot pays")
	require.NotContains(t, list, w.env[demo.ConsoleModel])
	require.NotContains(t, got, "errors")
	shown := v["models"].(map[string]any)["edges"].([]any)
	require.Len(t, shown, strings.Count(list, `"object":"model"`), "GraphQL and the gateway offer the same")
	for _, edge := range shown {
		require.Contains(t, list, fmt.Sprintf(`"id":%q`, edge.(map[string]any)["node"].(map[string]any)["name"]))
	}
	for _, more := range []string{"", `,"stream":true`} {
		body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"Hello"}]%s}`, w.env[demo.CopilotModel], more)
		res, answer := w.send(t, http.MethodPost, w.url+"/v1/chat/completions", body, bearer)
		require.Equal(t, http.StatusOK, res.StatusCode, answer)
		require.Equal(t, more != "", strings.Contains(answer, "data: [DONE]"))
		row := w.charged(t, res)
		require.Equal(t, []string{u.ID, seat, w.env[demo.ClientID], ""}, []string{row.UserID, row.MemberID, row.ClientID, row.KeyID})
		require.True(t, strings.HasSuffix(row.Path, "/"+seat+"/"))
		require.Positive(t, row.Credits)
	}
	// The seat in the named team pays, and only one that the person has.
	var console tenancy.Role
	viewer, err := w.oauth.Bearers().Viewer(t.Context(), token)
	require.NoError(t, err)
	for _, r := range viewer.Roles {
		if r.Kind == tenancy.KindMember && r.Plane == tenancy.Console {
			console = r
		}
	}
	parts := strings.Split(strings.Trim(console.Path, "/"), "/")
	team := parts[len(parts)-2]
	body := fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"Hello"}]}`, w.env[demo.ConsoleModel])
	res, answer := w.send(t, http.MethodPost, w.url+"/v1/chat/completions", body, bearer, "X-Cockpit-Team: "+team)
	require.Equal(t, http.StatusOK, res.StatusCode, answer)
	row := w.charged(t, res)
	require.Equal(t, console.ScopeID, row.MemberID)
	for _, other := range []string{parts[len(parts)-3], "team_01JD0000000000000000000000", parts[0]} {
		res, answer = w.send(t, http.MethodPost, w.url+"/v1/chat/completions", body, bearer, "X-Cockpit-Team: "+other)
		require.Equal(t, http.StatusForbidden, res.StatusCode, answer)
		require.Contains(t, answer, "no seat in the team")
	}
}

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

func TestWhatIsNoTokenOfOursIsRefused(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	key, err := w.cfg.masterKey()
	require.NoError(t, err)
	tokens, err := secret.SigningKey(key, secret.AccessTokens)
	require.NoError(t, err)
	checkpoints, err := secret.SigningKey(key, secret.AuditCheckpoints)
	require.NoError(t, err)
	public := tokens.Public().(ed25519.PublicKey)
	kid := secret.KeyID(public)
	u := w.member(t)
	claims := func(more map[string]any) map[string]any {
		all := map[string]any{"iss": publicURL, "aud": "cockpit", "sub": u.ID, "client_id": w.env[demo.ClientID], "account": u.AccountID,
			"scope": "read profile", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix()}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	ours := func(more map[string]any) string {
		return sign(t, jose.EdDSA, jose.JSONWebKey{Key: tokens, KeyID: kid}, "at+jwt", claims(more))
	}
	status, _ := w.ask(t, ours(nil), `{viewer{name}}`, nil)
	require.Equal(t, http.StatusOK, status, "made right, it works")

	part := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	none := part(map[string]string{"alg": "none", "typ": "at+jwt", "kid": kid}) + "." + part(claims(nil)) + "."
	idp := newIssuer(t)
	idp.provide(t, w.Server, u.AccountID)
	globex := w.store.User.Query().Where(user.Email("grace.chen@globex.example")).OnlyX(system(t))
	staff := w.store.User.Query().Where(user.Email(w.env[demo.SuperAdminEmail])).OnlyX(system(t))
	for name, token := range map[string]string{
		"nothing":                "",
		"garbage":                "a.b.c",
		"unsigned":               none,
		"without signature":      ours(nil)[:strings.LastIndexByte(ours(nil), '.')+1],
		"another's signature":    sign(t, jose.EdDSA, jose.JSONWebKey{Key: ed25519.NewKeyFromSeed(make([]byte, 32)), KeyID: kid}, "at+jwt", claims(nil)),
		"checkpoint key":         sign(t, jose.EdDSA, jose.JSONWebKey{Key: checkpoints, KeyID: kid}, "at+jwt", claims(nil)),
		"checkpoint key, named":  sign(t, jose.EdDSA, jose.JSONWebKey{Key: checkpoints, KeyID: secret.KeyID(checkpoints.Public().(ed25519.PublicKey))}, "at+jwt", claims(nil)),
		"HS256, the public key":  sign(t, jose.HS256, jose.JSONWebKey{Key: []byte(public), KeyID: kid}, "at+jwt", claims(nil)),
		"HS256, client's secret": sign(t, jose.HS256, jose.JSONWebKey{Key: []byte(w.env[demo.ClientSecret]), KeyID: kid}, "at+jwt", claims(nil)),
		"the client's secret":    w.env[demo.ClientSecret],
		"another type":           sign(t, jose.EdDSA, jose.JSONWebKey{Key: tokens, KeyID: kid}, "JWT", claims(nil)),
		"another issuer":         ours(map[string]any{"iss": "https://evil.example"}),
		"another audience":       ours(map[string]any{"aud": "other"}),
		"several audiences":      ours(map[string]any{"aud": []string{"cockpit", "other"}}),
		"expired":                ours(map[string]any{"exp": time.Now().Unix()}),
		"no expiry":              ours(map[string]any{"exp": nil}),
		"from the future":        ours(map[string]any{"iat": time.Now().Add(time.Hour).Unix()}),
		"another account":        ours(map[string]any{"account": globex.AccountID}),
		"another's person":       ours(map[string]any{"account": globex.AccountID, "sub": globex.ID}),
		"staff":                  ours(map[string]any{"account": id.PlatformID, "sub": staff.ID}),
		"nobody":                 ours(map[string]any{"sub": "usr_01JD0000000000000000000000"}),
		"unknown program":        ours(map[string]any{"client_id": "cli_01JD0000000000000000000000"}),
		"no consent":             ours(map[string]any{"client_id": w.env[demo.WebClientID]}),
		"made-up consent":        ours(map[string]any{"client_id": w.env[demo.WebClientID], "authorization": "aut_01JD0000000000000000000000"}),
		"an ID token":            idp.sign(t, nil),
		"an unknown personal":    "cp_" + secret.Token(),
		"a refresh token":        "cr_aut_01JD0000000000000000000000." + secret.Token(),
	} {
		status, out := w.ask(t, token, `{viewer{name}}`, nil)
		require.Equal(t, http.StatusUnauthorized, status, "%s: %v", name, out)
		require.Equal(t, "UNAUTHENTICATED", code(out), name)
		res, body := w.send(t, http.MethodGet, w.url+"/v1/models", "", "Authorization: Bearer "+token)
		require.Equal(t, http.StatusUnauthorized, res.StatusCode, "%s: %s", name, body)
	}
	res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, `{viewer{name}}`, nil), "Authorization: Bearer "+w.env[demo.CopilotKey])
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)
	require.Contains(t, body, "Virtual keys are for model calls under /v1")
	b := w.signIn(t, w.env[demo.MemberEmail])
	res, _ = w.send(t, http.MethodPost, w.url+"/graphql", operation(t, who, nil), "Authorization: Bearer "+w.exchange(t), "Cookie: "+b.cookie, "X-Cockpit-CSRF: 1")
	require.Equal(t, http.StatusBadRequest, res.StatusCode, "two credentials")

	// An account that is named doesn't outrank the token's.
	_, out := w.ask(t, w.exchange(t), fmt.Sprintf(`{account(id:%q){name} console(accountId:%q){id}}`, globex.AccountID, globex.AccountID), nil)
	require.NotContains(t, fmt.Sprint(out["data"]), "Globex")
	require.Equal(t, map[string]any{"account": nil, "console": nil}, out["data"])

	// A page elsewhere may send a token, and gets no more than the token lets it.
	res, _ = w.send(t, http.MethodOptions, w.url+"/graphql", "", "Origin: https://app.example", "Access-Control-Request-Method: POST")
	require.Equal(t, http.StatusNoContent, res.StatusCode)
	require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, res.Header.Get("Access-Control-Allow-Credentials"))
	res, body = w.send(t, http.MethodPost, w.url+"/graphql", operation(t, `{viewer{name}}`, nil), "Authorization: Bearer "+w.exchange(t), "Origin: https://app.example", "Sec-Fetch-Site: cross-site")
	require.Equal(t, http.StatusOK, res.StatusCode, body)
}

func TestIDTokensAreHeldAgainstTheAccountsProviders(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	u := w.member(t)
	idp, stranger := newIssuer(t), newIssuer(t)
	p := idp.provide(t, w.Server, u.AccountID)
	globex := w.store.User.Query().Where(user.Email("grace.chen@globex.example")).OnlyX(system(t))
	require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		if err := tx.ExternalIdentity.Create().SetAccountID(u.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(u.ID).
			SetIdentityProviderID(p.ID).SetIssuer(idp.url).SetSubject("jonas").Exec(ctx); err != nil {
			return err
		}
		return tx.Domain.Create().SetAccountID(u.AccountID).SetPlane(domain.PlaneACCOUNT).SetName("acme.example").SetVerifiedName("acme.example").SetToken("t").Exec(ctx)
	}))
	exchange := func(token string, more ...string) (int, map[string]any) {
		return w.form(t, "/oauth/token", w.env[demo.ClientID], w.env[demo.ClientSecret], append([]string{
			"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", token,
			"subject_token_type", "urn:ietf:params:oauth:token-type:id_token"}, more...)...)
	}
	for name, claims := range map[string]map[string]any{
		"known subject":     {"sub": "jonas"},
		"for the program":   {"sub": "jonas", "aud": w.env[demo.ClientID]},
		"authorized party":  {"sub": "jonas", "aud": []string{"cockpit-at-idp", "other"}, "azp": "cockpit-at-idp"},
		"verified address":  {"sub": "other", "email": "Priya.Raman@acme.example", "email_verified": true},
		"address in quotes": {"sub": "other", "email": "priya.raman@acme.example", "email_verified": "true"},
	} {
		status, out := exchange(idp.sign(t, claims))
		require.Equal(t, http.StatusOK, status, "%s: %v", name, out)
	}
	good := map[string]any{"sub": "jonas"}
	for name, token := range map[string]string{
		"another issuer":       stranger.sign(t, good),
		"another's key":        sign(t, jose.RS256, jose.JSONWebKey{Key: stranger.key, KeyID: "1"}, "JWT", idp.claims(good)),
		"public key as secret": sign(t, jose.HS256, jose.JSONWebKey{Key: idp.key.PublicKey.N.Bytes(), KeyID: "1"}, "JWT", idp.claims(good)),
		"another audience":     idp.sign(t, map[string]any{"sub": "jonas", "aud": "another-app"}),
		"another party":        idp.sign(t, map[string]any{"sub": "jonas", "aud": []string{"cockpit-at-idp", "another-app"}, "azp": "another-app"}),
		"many, no party":       idp.sign(t, map[string]any{"sub": "jonas", "aud": []string{"cockpit-at-idp", "another-app"}}),
		"expired":              idp.sign(t, map[string]any{"sub": "jonas", "exp": time.Now().Add(-time.Minute).Unix()}),
		"from the future":      idp.sign(t, map[string]any{"sub": "jonas", "iat": time.Now().Add(time.Hour).Unix()}),
		"unknown subject":      idp.sign(t, nil),
		"unverified address":   idp.sign(t, map[string]any{"email": "priya.raman@acme.example"}),
		"denied address":       idp.sign(t, map[string]any{"email": "priya.raman@acme.example", "email_verified": false}),
		"another's domain":     idp.sign(t, map[string]any{"email": globex.Email, "email_verified": true}),
		"address of a known":   idp.sign(t, map[string]any{"sub": "new jonas", "email": u.Email, "email_verified": true}),
		"our own token":        w.exchange(t),
		"garbage":              "x.y.z",
	} {
		status, out := exchange(token)
		require.Equal(t, http.StatusBadRequest, status, "%s: %v", name, out)
		require.Equal(t, "invalid_request", out["error"], name)
		require.NotEmpty(t, out["error_description"], name)
	}
	status, out := exchange(idp.sign(t, good), "account", globex.AccountID)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "invalid_target", out["error"], "an account that is named doesn't outrank the program's")
	require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.IdentityProvider.UpdateOneID(p.ID).SetStatus("DISABLED").Exec(ctx)
	}))
	status, _ = exchange(idp.sign(t, good))
	require.Equal(t, http.StatusBadRequest, status, "a provider that isn't active")
}

func TestProgramsOfThePlatformActInEveryAccountAndNeverForStaff(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	staff := w.signIn(t, w.env[demo.SuperAdminEmail])
	clientID, clientSecret := w.program(t, staff, map[string]any{"permissions": []string{"profile", "read", "models.call", "platform.manage"},
		"tokenExchange": true, "trustedSubjects": true, "clientCredentials": true, "planes": []string{"COPILOT"}})
	u := w.member(t)
	globex := w.store.User.Query().Where(user.Email("grace.chen@globex.example")).OnlyX(system(t))
	super := w.store.User.Query().Where(user.Email(w.env[demo.SuperAdminEmail])).OnlyX(system(t))
	exchange := func(subject, kind string, more ...string) (int, map[string]any) {
		return w.form(t, "/oauth/token", clientID, clientSecret, append([]string{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange",
			"subject_token", subject, "subject_token_type", kind}, more...)...)
	}
	const byID, byToken = "urn:cockpit:params:oauth:token-type:user_id", "urn:ietf:params:oauth:token-type:id_token"
	for _, person := range []*ent.User{u, globex} {
		status, got := exchange(person.ID, byID)
		require.Equal(t, http.StatusOK, status, got)
		_, out := w.ask(t, got["access_token"].(string), `{viewer{name isPlatformStaff account{id} roles{plane kind role}}}`, nil)
		viewer := out["data"].(map[string]any)["viewer"].(map[string]any)
		require.Equal(t, person.AccountID, viewer["account"].(map[string]any)["id"])
		require.Equal(t, false, viewer["isPlatformStaff"])
		_, out = w.ask(t, got["access_token"].(string), `{platform{id}}`, nil)
		require.Equal(t, "FORBIDDEN", code(out))
		for _, r := range viewer["roles"].([]any) {
			require.Equal(t, "COPILOT", r.(map[string]any)["plane"], "in its plane alone: %v", r)
			require.NotEqual(t, "ACCOUNT", r.(map[string]any)["kind"])
		}
	}
	status, got := exchange(super.ID, byID)
	require.Equal(t, http.StatusBadRequest, status, got)
	status, _ = exchange(u.ID, byID, "account", globex.AccountID)
	require.Equal(t, http.StatusBadRequest, status, "the person isn't of the account that is named")

	// Two accounts that sign in by one issuer are told apart by the parameter.
	idp := newIssuer(t)
	for _, person := range []*ent.User{u, globex} {
		p := idp.provide(t, w.Server, person.AccountID)
		require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.ExternalIdentity.Create().SetAccountID(person.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(person.ID).
				SetIdentityProviderID(p.ID).SetIssuer(idp.url).SetSubject("one person").Exec(ctx)
		}))
	}
	token := idp.sign(t, map[string]any{"sub": "one person"})
	status, got = exchange(token, byToken)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, got["error_description"], "Name the account")
	status, got = exchange(token, byToken, "account", globex.AccountID)
	require.Equal(t, http.StatusOK, status, got)
	_, out := w.ask(t, got["access_token"].(string), `{viewer{name}}`, nil)
	require.Equal(t, globex.Name, out["data"].(map[string]any)["viewer"].(map[string]any)["name"])

	// For itself it is at the platform, in no account.
	status, got = w.form(t, "/oauth/token", clientID, clientSecret, "grant_type", "client_credentials")
	require.Equal(t, http.StatusOK, status, got)
	_, out = w.ask(t, got["access_token"].(string), `{viewer{name user{id}} platform{accounts(first:5){edges{node{name}}}}}`, nil)
	require.Contains(t, fmt.Sprint(out["data"]), "Globex")
	res, _ := w.send(t, http.MethodGet, w.url+"/v1/models", "", "Authorization: Bearer "+got["access_token"].(string))
	require.Equal(t, http.StatusForbidden, res.StatusCode)

	// The platform's epoch ends its tokens in every account.
	_, got = exchange(globex.ID, byID)
	w.ended2(t, got["access_token"].(string), func() {
		staff.do(t, `mutation($i:ServiceClientUpdateInput!){serviceClientUpdate(input:$i){serviceClient{status} errors{message}}}`,
			map[string]any{"serviceClientId": clientID, "status": "DISABLED"})
	})
	status, got = w.form(t, "/oauth/token", clientID, clientSecret, "grant_type", "client_credentials")
	require.Equal(t, http.StatusUnauthorized, status, got)
}

// ended2 sees a token work, has it ended, and sees it refused.
func (w *world) ended2(t *testing.T, token string, end func()) {
	t.Helper()
	status, _ := w.ask(t, token, `{viewer{name}}`, nil)
	require.Equal(t, http.StatusOK, status)
	end()
	w.ended(t, token, "within a second")
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	admin := w.signIn(t, w.env[demo.AdminEmail])
	reader, readerSecret := w.program(t, admin, map[string]any{"permissions": []string{"read", "profile", "models.call"}, "clientCredentials": true, "planes": []string{"COPILOT"}})
	keeper, keeperSecret := w.program(t, admin, map[string]any{"permissions": []string{"read", "profile", "keys.manage"}, "clientCredentials": true})
	get := func(clientID, clientSecret string, more ...string) map[string]any {
		status, got := w.form(t, "/oauth/token", clientID, clientSecret, append([]string{"grant_type", "client_credentials"}, more...)...)
		require.Equal(t, http.StatusOK, status, got)
		return got
	}
	token := get(reader, readerSecret)["access_token"].(string)
	_, out := w.ask(t, token, `{viewer{name clientName user{id} roles{role kind plane}} copilot{teams(first:1){edges{node{id}}}} console{id}}`, nil)
	data := out["data"].(map[string]any)
	require.Equal(t, []any{map[string]any{"role": "VIEWER", "kind": "COPILOT", "plane": "COPILOT"}}, data["viewer"].(map[string]any)["roles"])
	require.Nil(t, data["viewer"].(map[string]any)["user"])
	require.NotNil(t, data["copilot"])
	require.Nil(t, data["console"], "another plane")
	res, body := w.send(t, http.MethodGet, w.url+"/v1/models", "", "Authorization: Bearer "+token)
	require.Equal(t, http.StatusForbidden, res.StatusCode)
	require.Contains(t, body, "A program pays with a person's seat")

	// What it asks for is cut to what it has; the rest is refused.
	require.Equal(t, "profile read", get(reader, readerSecret, "scope", "read keys.manage")["scope"])
	for scope, says := range map[string]string{"keys.manage": "may do nothing of what it asks for", "cake.eat": "no permission"} {
		status, got := w.form(t, "/oauth/token", reader, readerSecret, "grant_type", "client_credentials", "scope", scope)
		require.Equal(t, http.StatusBadRequest, status)
		require.Equal(t, "invalid_scope", got["error"])
		require.Contains(t, got["error_description"], says)
	}

	// One that manages keys makes one, and nothing else; the audit log says who.
	token = get(keeper, keeperSecret)["access_token"].(string)
	_, out = w.ask(t, token, `{console{teams(first:1){edges{node{id}}} models(first:1){edges{node{id}}}}}`, nil)
	console := out["data"].(map[string]any)["console"].(map[string]any)
	node := func(list string) any {
		return console[list].(map[string]any)["edges"].([]any)[0].(map[string]any)["node"].(map[string]any)["id"]
	}
	_, out = w.ask(t, token, `mutation($i:KeyCreateInput!){keyCreate(input:$i){key{id} errors{message}}}`,
		map[string]any{"name": "by a program", "ownerId": node("teams"), "modelIds": []any{node("models")}})
	require.Nil(t, out["errors"], "%v", out)
	e := w.store.AuditEvent.Query().Where(auditevent.Action("key.create"), auditevent.ActorKindEQ(auditevent.ActorKindCLIENT)).OnlyX(system(t))
	require.Equal(t, keeper, e.ActorID)
	_, out = w.ask(t, token, `mutation($i:BudgetSetInput!){budgetSet(input:$i){errors{message}}}`, map[string]any{"scopeId": node("teams"), "limit": "1"})
	require.Equal(t, "FORBIDDEN", code(out))

	for name, c := range map[string]struct {
		clientID, secret string
		pairs            []string
		status           int
		error            string
	}{
		"wrong secret":    {reader, keeperSecret, []string{"grant_type", "client_credentials"}, 401, "invalid_client"},
		"no secret":       {reader, "", []string{"grant_type", "client_credentials"}, 401, "invalid_client"},
		"unknown program": {"cli_x", "x", []string{"grant_type", "client_credentials"}, 401, "invalid_client"},
		"public":          {w.env[demo.WebClientID], "", []string{"grant_type", "client_credentials"}, 400, "unauthorized_client"},
		"secret twice":    {reader, readerSecret, []string{"grant_type", "client_credentials", "client_secret", readerSecret}, 400, "invalid_request"},
		"two programs":    {reader, readerSecret, []string{"grant_type", "client_credentials", "client_id", keeper}, 400, "invalid_request"},
		"no grant":        {reader, readerSecret, nil, 400, "unsupported_grant_type"},
		"password":        {reader, readerSecret, []string{"grant_type", "password"}, 400, "unsupported_grant_type"},
		"no exchange":     {reader, readerSecret, []string{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", w.env[demo.MemberID]}, 400, "unauthorized_client"},
	} {
		status, got := w.form(t, "/oauth/token", c.clientID, c.secret, c.pairs...)
		require.Equal(t, c.status, status, "%s: %v", name, got)
		require.Equal(t, c.error, got["error"], name)
		require.NotEmpty(t, got["error_description"], name)
	}
	status, got := w.form(t, "/oauth/token", reader, "", "grant_type", "client_credentials", "client_secret", readerSecret)
	require.Equal(t, http.StatusOK, status, "the secret in the form: %v", got)
	res, body = w.send(t, http.MethodPost, w.url+"/oauth/token", `{"grant_type":"client_credentials"}`)
	require.Equal(t, http.StatusBadRequest, res.StatusCode, body)
	res, _ = w.send(t, http.MethodGet, w.url+"/oauth/token", "")
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
	res, body = w.send(t, http.MethodPost, w.url+"/oauth/token", "grant_type=a&grant_type=b", "Content-Type: application/x-www-form-urlencoded")
	require.Equal(t, http.StatusBadRequest, res.StatusCode)
	require.Contains(t, body, "more than once")
}

func TestServiceClientsAreCheckedRotatedAndForgotten(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	admin := w.signIn(t, w.env[demo.AdminEmail])
	good := func(more map[string]any) map[string]any {
		in := map[string]any{"name": "checked", "planes": []string{"CONSOLE"}, "permissions": []string{"read"}}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	for name, c := range map[string]struct {
		more  map[string]any
		field string
	}{
		"no name":              {map[string]any{"name": " "}, "name"},
		"name taken":           {map[string]any{"name": "alchemi-ai"}, "name"},
		"no plane":             {map[string]any{"planes": []string{}}, "planes"},
		"no permission":        {map[string]any{"permissions": []string{}}, "permissions"},
		"unknown permission":   {map[string]any{"permissions": []string{"everything"}}, "permissions"},
		"the platform's":       {map[string]any{"permissions": []string{"platform.manage"}}, "permissions"},
		"plain http":           {map[string]any{"redirectUris": []string{"http://app.example/cb"}}, "redirectUris"},
		"loopback in disguise": {map[string]any{"redirectUris": []string{"http://localhost.evil.example/cb"}}, "redirectUris"},
		"fragment":             {map[string]any{"redirectUris": []string{"https://app.example/cb#x"}}, "redirectUris"},
		"wildcard":             {map[string]any{"redirectUris": []string{"https://*.example/cb"}}, "redirectUris"},
		"user":                 {map[string]any{"redirectUris": []string{"https://a@app.example/cb"}}, "redirectUris"},
		"script":               {map[string]any{"redirectUris": []string{"javascript:alert(1)"}}, "redirectUris"},
		"relative":             {map[string]any{"redirectUris": []string{"/cb"}}, "redirectUris"},
		"backslash":            {map[string]any{"redirectUris": []string{`https://app.example\@evil.example/cb`}}, "redirectUris"},
		"public alone":         {map[string]any{"public": true}, "redirectUris"},
		"public for itself":    {map[string]any{"public": true, "redirectUris": []string{back}, "clientCredentials": true}, "public"},
		"trusted alone":        {map[string]any{"trustedSubjects": true}, "trustedSubjects"},
	} {
		out := admin.try(t, createClient, good(c.more))
		p := out["data"].(map[string]any)["serviceClientCreate"].(map[string]any)
		require.Nil(t, p["serviceClient"], name)
		require.Equal(t, []any{c.field}, p["errors"].([]any)[0].(map[string]any)["path"], name)
	}
	out := admin.try(t, createClient, good(map[string]any{"accountId": id.PlatformID}))
	require.Contains(t, fmt.Sprint(out), "NOT_FOUND")
	require.Equal(t, "FORBIDDEN", code(w.signIn(t, w.env[demo.MemberEmail]).try(t, createClient, good(nil))))

	clientID, first := w.program(t, admin, good(map[string]any{"clientCredentials": true}))
	works := func(clientSecret string) bool {
		status, _ := w.form(t, "/oauth/token", clientID, clientSecret, "grant_type", "client_credentials")
		return status == http.StatusOK
	}
	const rotate = `mutation($i:ServiceClientSecretRotateInput!){serviceClientSecretRotate(input:$i){serviceClient{secretHint previousSecretHint previousSecretExpiresAt} secret errors{path message}}}`
	require.True(t, works(first))
	p := admin.do(t, rotate, map[string]any{"serviceClientId": clientID})
	second := p["secret"].(string)
	require.Equal(t, first[len(first)-4:], p["serviceClient"].(map[string]any)["previousSecretHint"])
	require.True(t, works(first) && works(second), "both work for a day")
	p = admin.do(t, rotate, map[string]any{"serviceClientId": clientID, "overlapHours": 0})
	require.Nil(t, p["serviceClient"].(map[string]any)["previousSecretHint"])
	third := p["secret"].(string)
	require.False(t, works(first) || works(second))
	require.True(t, works(third))
	for _, hours := range []int{-1, 721, 1 << 30} {
		out := admin.try(t, rotate, map[string]any{"serviceClientId": clientID, "overlapHours": hours})
		require.Contains(t, fmt.Sprint(out), "overlapHours", hours)
	}
	out = admin.try(t, rotate, map[string]any{"serviceClientId": w.env[demo.WebClientID]})
	require.Contains(t, fmt.Sprint(out), "no secret can be kept")

	// Elsewhere there is no such program.
	globex := w.signIn(t, "grace.chen@globex.example")
	for mutation, more := range map[string]string{"Update": "", "Delete": "", "SecretRotate": ""} {
		q := fmt.Sprintf(`mutation($i:ServiceClient%[1]sInput!){serviceClient%[1]s(input:$i){errors{code}}}%[2]s`, mutation, more)
		require.Contains(t, fmt.Sprint(globex.try(t, q, map[string]any{"serviceClientId": clientID})), "NOT_FOUND", mutation)
	}
	out = globex.try(t, fmt.Sprintf(`{node(id:%q){id} account{serviceClients(first:10){edges{node{id}}}}}`, clientID), nil)
	require.NotContains(t, fmt.Sprint(out), clientID)
	list := admin.try(t, fmt.Sprintf(`{node(id:%q){id} account{serviceClients(first:10){totalCount edges{node{id secretHint viewerCan{action allowed}}}}}}`, clientID), nil)
	require.Contains(t, fmt.Sprint(list), clientID)
	require.NotContains(t, fmt.Sprint(list), third)

	const update = `mutation($i:ServiceClientUpdateInput!){serviceClientUpdate(input:$i){serviceClient{version permissions{name}} errors{code message}}}`
	out = admin.try(t, update, map[string]any{"serviceClientId": clientID, "name": "x", "expectedVersion": 1})
	require.Contains(t, fmt.Sprint(out), "CONFLICT")
	_, got := w.form(t, "/oauth/token", clientID, third, "grant_type", "client_credentials")
	token := got["access_token"].(string)
	_, out = w.ask(t, token, `{console{id}}`, nil)
	require.Nil(t, out["errors"], "%v", out)
	admin.do(t, update, map[string]any{"serviceClientId": clientID, "permissions": []string{"profile"}})
	require.Eventually(t, func() bool {
		_, out := w.ask(t, token, `{console{id}}`, nil)
		return code(out) == "FORBIDDEN"
	}, 5*time.Second, 20*time.Millisecond, "tokens out there lose what the program lost")
	w.ended2(t, token, func() {
		admin.do(t, `mutation($i:ServiceClientDeleteInput!){serviceClientDelete(input:$i){serviceClientId errors{message}}}`, map[string]any{"serviceClientId": clientID})
	})
	require.False(t, works(third))
	for _, e := range w.store.AuditEvent.Query().Where(auditevent.ActionHasPrefix("serviceClient.")).AllX(system(t)) {
		require.NotContains(t, string(e.Changes), first)
		require.NotContains(t, string(e.Changes), secret.Hash(first))
	}
	require.Eventually(t, func() bool {
		n, err := w.store.AuditEvent.Query().Where(auditevent.Action("token.issue"), auditevent.OutcomeEQ(auditevent.OutcomeREFUSED)).Count(system(t))
		return err == nil && n > 0
	}, 10*time.Second, 50*time.Millisecond, "refusals leave events")
}

const createToken = `mutation($i:PersonalTokenCreateInput!){personalTokenCreate(input:$i){personalToken{id prefix} token errors{code message path}}}`

func TestPersonalTokensAreThePersonNarrowed(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	admin, member := w.signIn(t, w.env[demo.AdminEmail]), w.signIn(t, w.env[demo.MemberEmail])
	grantable := func(b *browser) string {
		return fmt.Sprint(b.do(t, `{viewer{grantable{name}}}`, nil)["grantable"])
	}
	require.Equal(t, "[map[name:directory.manage] map[name:keys.manage] map[name:models.call] map[name:profile] map[name:read]]", grantable(member))
	require.Contains(t, grantable(admin), "account.manage")
	require.NotContains(t, grantable(admin), "platform.manage")
	require.Contains(t, grantable(w.signIn(t, w.env[demo.SuperAdminEmail])), "platform.manage")
	for name, in := range map[string]map[string]any{
		"permissions": {"name": "x", "permissions": []string{"budgets.manage"}, "expiresInDays": 1},
		"name":        {"name": "", "permissions": []string{"read"}, "expiresInDays": 1},
	} {
		require.Contains(t, fmt.Sprint(member.try(t, createToken, in)), name)
	}
	for _, days := range []int{0, -1, 366} {
		require.Contains(t, fmt.Sprint(member.try(t, createToken, map[string]any{"name": "x", "permissions": []string{"read"}, "expiresInDays": days})), "expiresInDays")
	}
	p := member.do(t, createToken, map[string]any{"name": "script", "permissions": []string{"read", "profile", "keys.manage", "models.call"}, "expiresInDays": 30})
	token, tokenID := p["token"].(string), p["personalToken"].(map[string]any)["id"].(string)
	require.True(t, strings.HasPrefix(token, "cp_"))
	require.Equal(t, token[:7]+"…", p["personalToken"].(map[string]any)["prefix"])
	require.Zero(t, bytes.Count([]byte(fmt.Sprint(member.do(t, `{viewer{personalTokens(first:10){edges{node{name prefix}}}}}`, nil))), []byte(token)))

	_, out := w.ask(t, token, `{viewer{name clientName permissions}}`, nil)
	require.Equal(t, w.member(t).Name, out["data"].(map[string]any)["viewer"].(map[string]any)["name"])
	_, out = w.ask(t, token, createToken, map[string]any{"name": "another", "permissions": []string{"read"}, "expiresInDays": 365})
	require.Equal(t, "FORBIDDEN", code(out), "a token makes no tokens")
	_, out = w.ask(t, token, `mutation($i:SessionSwitchInput!){sessionSwitch(input:$i){errors{code}}}`, map[string]any{"accountId": w.member(t).AccountID})
	require.Equal(t, "FORBIDDEN", code(out), "nor sessions")
	res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, signIn, map[string]any{"e": w.env[demo.MemberEmail], "p": w.env[demo.Password]}), "Authorization: Bearer "+token)
	require.Empty(t, res.Cookies(), body)
	_, body = w.send(t, http.MethodGet, w.url+"/v1/models", "", "Authorization: Bearer "+token)
	require.Contains(t, body, w.env[demo.CopilotModel])

	// What is done with it names the person and the token.
	_, out = w.ask(t, token, `{viewer{seat(plane:CONSOLE){id}} console{models(first:1){edges{node{id}}}}}`, nil)
	data := out["data"].(map[string]any)
	model := data["console"].(map[string]any)["models"].(map[string]any)["edges"].([]any)[0].(map[string]any)["node"].(map[string]any)["id"]
	_, out = w.ask(t, token, `mutation($i:KeyCreateInput!){keyCreate(input:$i){key{id} errors{message}}}`, map[string]any{"name": "scripted",
		"ownerId": data["viewer"].(map[string]any)["seat"].(map[string]any)["id"], "modelIds": []any{model}})
	require.Nil(t, out["errors"], "%v", out)
	e := w.store.AuditEvent.Query().Where(auditevent.Action("key.create"), auditevent.ViaKindEQ(auditevent.ViaKindTOKEN)).OnlyX(system(t))
	require.Equal(t, []string{w.env[demo.MemberID], tokenID, "script"}, []string{e.ActorID, e.ViaID, e.ViaName})

	const revoke = `mutation($i:PersonalTokenRevokeInput!){personalTokenRevoke(input:$i){personalTokenId errors{code}}}`
	in := map[string]any{"personalTokenId": tokenID}
	require.Contains(t, fmt.Sprint(w.signIn(t, "grace.chen@globex.example").try(t, revoke, in)), "NOT_FOUND")
	require.Contains(t, fmt.Sprint(w.signIn(t, "priya.raman@acme.example").try(t, revoke, in)), "NOT_FOUND")
	require.Equal(t, "FORBIDDEN", code(w.signIn(t, "ingrid.solberg@acme.example").try(t, revoke, in)), "an auditor sees it and ends nothing")
	w.ended2(t, token, func() { admin.do(t, revoke, in) })
	require.Contains(t, fmt.Sprint(admin.try(t, revoke, in)), "INVALID", "once")
}

// A token that may read changes nothing, whatever the schema has now or will
// have.
func TestTokenThatReadsChangesNothing(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	admin := w.signIn(t, w.env[demo.AdminEmail])
	personal := admin.do(t, createToken, map[string]any{"name": "reads", "permissions": []string{"read", "profile"}, "expiresInDays": 1})["token"].(string)
	clientID, clientSecret := w.program(t, admin, map[string]any{"permissions": []string{"read", "profile"}, "clientCredentials": true, "tokenExchange": true, "trustedSubjects": true})
	_, got := w.form(t, "/oauth/token", clientID, clientSecret, "grant_type", "client_credentials")
	owner := w.store.User.Query().Where(user.Email(w.env[demo.AdminEmail])).OnlyX(system(t))
	_, named := w.form(t, "/oauth/token", clientID, clientSecret, "grant_type", "urn:ietf:params:oauth:grant-type:token-exchange",
		"subject_token", owner.ID, "subject_token_type", "urn:cockpit:params:oauth:token-type:user_id")
	// Those need no viewer, but a secret of their own: a password, a link.
	public := map[string]bool{"sessionCreate": true, "passwordResetRequest": true, "passwordReset": true, "invitationAccept": true}
	schema := graph.Schema()
	before := w.store.AuditEvent.Query().Where(auditevent.OutcomeEQ(auditevent.OutcomeDONE)).CountX(system(t))
	ids := w.examples(t, owner.AccountID)
	tried := 0
	for _, f := range schema.Mutation.Fields {
		if public[f.Name] {
			continue
		}
		variables, parameters, arguments := map[string]any{}, "", ""
		for _, a := range f.Arguments {
			variables[a.Name] = example(schema, a.Type, a.Name, ids)
			parameters, arguments = parameters+" $"+a.Name+":"+a.Type.String(), arguments+" "+a.Name+":$"+a.Name
		}
		query := fmt.Sprintf("mutation(%s){%s(%s){errors{code message}}}", parameters, f.Name, arguments)
		if len(f.Arguments) == 0 {
			query = fmt.Sprintf("mutation{%s{errors{code message}}}", f.Name)
		}
		for who, token := range map[string]string{"personal token": personal, "program": got["access_token"].(string), "for a person": named["access_token"].(string)} {
			res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, query, variables), "Authorization: Bearer "+token)
			require.Equal(t, http.StatusOK, res.StatusCode)
			require.Empty(t, res.Cookies(), f.Name)
			var out map[string]any
			require.NoError(t, json.Unmarshal([]byte(body), &out))
			refused := code(out)
			if f.Name == "sessionEnd" { // it has none
				require.Equal(t, "BAD_INPUT", refused, body)
				continue
			}
			// A row of the example's kind may be missing; then nothing is told but that.
			if refused == "" {
				require.Contains(t, body, `"NOT_FOUND"`, "%s as %s: %s", f.Name, who, body)
				continue
			}
			require.Equal(t, "FORBIDDEN", refused, "%s as %s: %s", f.Name, who, body)
			tried++
		}
	}
	require.Greater(t, tried, 40)
	require.Equal(t, before, w.store.AuditEvent.Query().Where(auditevent.OutcomeEQ(auditevent.OutcomeDONE)).CountX(system(t)), "and nothing was done")
}

// examples are ids of the account's own rows by the kind of input they fit.
func (w *world) examples(t *testing.T, accountID string) map[string]string {
	t.Helper()
	ctx := system(t)
	out := map[string]string{"accountId": accountID}
	for _, s := range w.store.Scope.Query().AllX(ctx) {
		if s.AccountID != accountID {
			continue
		}
		kind := strings.ToLower(string(s.Kind)) + "Id"
		out[kind], out["scopeId"], out["ownerId"] = s.ID, s.ID, s.ID
		if s.Kind == "TEAM" {
			out["teamId"] = s.ID
		}
	}
	out["scopeId"], out["ownerId"] = out["teamId"], out["teamId"]
	for _, m := range w.store.Model.Query().AllX(ctx) {
		if m.AccountID == accountID && m.Plane == "CONSOLE" {
			out["modelId"] = m.ID
		}
	}
	for _, u := range w.store.User.Query().AllX(ctx) {
		if u.AccountID == accountID {
			out["userId"] = u.ID
		}
	}
	for _, p := range w.store.Provider.Query().AllX(ctx) {
		out["providerId"] = p.ID
	}
	for _, b := range w.store.Budget.Query().AllX(ctx) {
		if b.AccountID == accountID {
			out["budgetId"] = b.ID
		}
	}
	out["serviceClientId"] = w.env[demo.ClientID]
	return out
}

// example makes a value of a type: nothing that is optional but ids that exist.
func example(schema *ast.Schema, typ *ast.Type, name string, ids map[string]string) any {
	if typ.Elem != nil {
		return []any{example(schema, typ.Elem, strings.TrimSuffix(name, "s"), ids)}
	}
	def := schema.Types[typ.NamedType]
	switch {
	case def.Kind == ast.InputObject:
		out := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull || ids[f.Name] != "" {
				out[f.Name] = example(schema, f.Type, f.Name, ids)
			}
		}
		return out
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case typ.NamedType == "Boolean":
		return true
	case typ.NamedType == "Int" || typ.NamedType == "Long":
		return 1
	case typ.NamedType == "ID":
		if ids[name] != "" {
			return ids[name]
		}
		return "team_01JD0000000000000000000000"
	case typ.NamedType == "DateTime":
		return time.Now().Add(time.Hour).Format(time.RFC3339)
	case typ.NamedType == "USD" || typ.NamedType == "Credits" || typ.NamedType == "Amount":
		return "1"
	case strings.Contains(strings.ToLower(name), "email"):
		return "new@acme.example"
	case strings.Contains(name, "permission"):
		return "read"
	}
	return "example"
}

// What ends a token ends it on every replica within a second, and the sockets
// that stand open with it.
func TestTokensEndOnEveryReplicaWithinASecond(t *testing.T) {
	t.Parallel()
	args := []string{"--data", t.TempDir(), "--database-url", storetest.PostgresURL(t)}
	first := tell(t, args...)
	second := tell(t, args...)
	second.env = first.env
	admin, member := first.signIn(t, first.env[demo.AdminEmail]), first.signIn(t, first.env[demo.MemberEmail])
	ends := func(t *testing.T, token string, end func()) {
		t.Helper()
		conn := second.socket(t, token)
		status, _ := second.ask(t, token, `{viewer{name}}`, nil)
		require.Equal(t, http.StatusOK, status)
		end()
		second.ended(t, token, "on the other replica")
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				require.NotContains(t, err.Error(), "timeout", "the socket ends too")
				break
			}
		}
	}
	p := member.do(t, createToken, map[string]any{"name": "script", "permissions": []string{"read", "profile"}, "expiresInDays": 30})
	ends(t, p["token"].(string), func() {
		member.do(t, `mutation($i:PersonalTokenRevokeInput!){personalTokenRevoke(input:$i){personalTokenId errors{code}}}`,
			map[string]any{"personalTokenId": p["personalToken"].(map[string]any)["id"]})
	})
	setUser := func(status user.Status) func() {
		return func() {
			require.NoError(t, first.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				return tx.User.UpdateOneID(first.env[demo.MemberID]).SetStatus(status).Exec(ctx)
			}))
		}
	}
	ends(t, first.exchange(t), setUser(user.StatusDEACTIVATED))
	setUser(user.StatusACTIVE)()
	ends(t, first.exchange(t), func() {
		require.NoError(t, first.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.Account.UpdateOneID(first.member(t).AccountID).SetStatus("SUSPENDED").Exec(ctx)
		}))
	})
	require.NoError(t, first.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.Account.UpdateOneID(first.member(t).AccountID).SetStatus("ACTIVE").Exec(ctx)
	}))
	require.Eventually(t, func() bool { return admin.try(t, who, nil)["errors"] == nil }, 10*time.Second, 20*time.Millisecond)
	ends(t, first.exchange(t), func() {
		admin.do(t, `mutation($i:ServiceClientUpdateInput!){serviceClientUpdate(input:$i){serviceClient{status} errors{message}}}`,
			map[string]any{"serviceClientId": first.env[demo.ClientID], "status": "DISABLED"})
	})
}

// socket opens a WebSocket with the token in connection_init.
func (w *world) socket(t *testing.T, token string) *websocket.Conn {
	t.Helper()
	conn, first := w.dial(t, map[string]any{"Authorization": "Bearer " + token})
	require.Equal(t, "connection_ack", first["type"], "%v", first)
	return conn
}

func (w *world) dial(t *testing.T, payload map[string]any) (*websocket.Conn, map[string]any) {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, res, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(w.url, "http")+"/graphql", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.WriteJSON(map[string]any{"type": "connection_init", "payload": payload}))
	var m map[string]any
	if err := conn.ReadJSON(&m); err != nil {
		return conn, nil
	}
	return conn, m
}

func TestSocketsTakeBearersAndEndWithThem(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	for name, authorization := range map[string]string{"unknown": "Bearer x", "a key": "Bearer " + w.env[demo.ConsoleKey], "no bearer": w.exchange(t)} {
		_, m := w.dial(t, map[string]any{"Authorization": authorization})
		require.NotEqual(t, "connection_ack", m["type"], name)
	}
	conn := w.socket(t, w.exchange(t))
	require.NoError(t, conn.WriteJSON(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": `{viewer{name clientName}}`}}))
	var m map[string]any
	require.NoError(t, conn.ReadJSON(&m))
	require.Contains(t, fmt.Sprint(m), "alchemi-ai")

	// One that ends in a moment takes the socket with it.
	key, err := w.cfg.masterKey()
	require.NoError(t, err)
	tokens, err := secret.SigningKey(key, secret.AccessTokens)
	require.NoError(t, err)
	u := w.member(t)
	expires := time.Now().Add(3 * time.Second).Truncate(time.Second)
	token := sign(t, jose.EdDSA, jose.JSONWebKey{Key: tokens, KeyID: secret.KeyID(tokens.Public().(ed25519.PublicKey))}, "at+jwt", map[string]any{
		"iss": publicURL, "aud": "cockpit", "sub": u.ID, "client_id": w.env[demo.ClientID], "account": u.AccountID, "scope": "read profile",
		"iat": time.Now().Unix(), "exp": expires.Unix()})
	conn = w.socket(t, token)
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	require.NotContains(t, err.Error(), "timeout")
	require.False(t, time.Now().Before(expires))
	status, _ := w.ask(t, token, `{viewer{name}}`, nil)
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	res, body := w.send(t, http.MethodGet, w.url+oauth.MetadataPath, "")
	require.Equal(t, http.StatusOK, res.StatusCode)
	var meta map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &meta))
	require.Equal(t, publicURL, meta["issuer"])
	require.Equal(t, publicURL+"/oauth/token", meta["token_endpoint"])
	_, body = w.send(t, http.MethodGet, w.url+oauth.JWKSPath, "")
	var keys jose.JSONWebKeySet
	require.NoError(t, json.Unmarshal([]byte(body), &keys))
	require.Len(t, keys.Keys, 2)
	for _, k := range keys.Keys {
		require.True(t, k.IsPublic())
	}
	parsed, err := jose.ParseSignedCompact(w.exchange(t), []jose.SignatureAlgorithm{jose.EdDSA})
	require.NoError(t, err)
	_, err = parsed.Verify(keys)
	require.NoError(t, err, "anybody can check a token")
	res, _ = w.send(t, http.MethodGet, w.url+"/oauth/authorize?client_id=x", "")
	require.Contains(t, res.Header.Get("Content-Type"), "text/html", "the consent page is the cockpit's")
}
