package server

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/idtoken/idtokentest"
	"github.com/alchemi/cockpit/internal/store"
)

// certified runs the certified OpenID provider with two programs.
func certified(t *testing.T, clients ...map[string]any) string {
	t.Helper()
	text, err := json.Marshal([]any{clients})
	require.NoError(t, err)
	node := exec.Command("node", "../internal/sso/testdata/openid.mjs", string(text))
	in, err := node.StdinPipe()
	require.NoError(t, err)
	out, err := node.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, node.Start())
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = node.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, "node, and npm ci in ui, are needed")
	var issuers []string
	require.NoError(t, json.Unmarshal(line, &issuers))
	return issuers[0]
}

var (
	action = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	prompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
)

// idToken signs somebody in at the provider, as a program's backend does.
func idToken(t *testing.T, issuer, clientID, clientSecret, login string) string {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	web := http.Client{Jar: jar}
	landed := ""
	web.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "app.example" {
			landed = r.URL.Query().Get("code")
			return http.ErrUseLastResponse
		}
		return nil
	}
	verifier, challenge := pkce()
	const callback = "https://app.example/callback"
	res, err := web.Get(issuer + "/auth?" + url.Values{"client_id": {clientID}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {callback},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}}.Encode())
	for range 6 {
		require.NoError(t, err)
		page, err2 := io.ReadAll(res.Body)
		require.NoError(t, err2)
		require.NoError(t, res.Body.Close())
		if landed != "" {
			break
		}
		to, which := action.FindSubmatch(page), prompt.FindSubmatch(page)
		require.NotNil(t, to, string(page))
		next, err2 := res.Request.URL.Parse(string(to[1]))
		require.NoError(t, err2)
		res, err = web.PostForm(next.String(), url.Values{"prompt": {string(which[1])}, "login": {login}, "password": {"x"}})
	}
	require.NotEmpty(t, landed)
	res, err = web.PostForm(issuer+"/token", url.Values{"grant_type": {"authorization_code"}, "code": {landed}, "redirect_uri": {callback},
		"code_verifier": {verifier}, "client_id": {clientID}, "client_secret": {clientSecret}})
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	var got struct {
		IDToken string `json:"id_token"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&got))
	require.NotEmpty(t, got.IDToken)
	return got.IDToken
}

// The ID tokens of a certified provider are exchanged where they were made for
// Cockpit's client or for the program, and for no other program there.
func TestTokensOfACertifiedProviderAreExchanged(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	registered := func(clientID string) map[string]any {
		return map[string]any{"client_id": clientID, "client_secret": "s", "token_endpoint_auth_method": "client_secret_post",
			"redirect_uris": []string{"https://app.example/callback"}}
	}
	at := &idtokentest.Issuer{URL: certified(t, registered("cockpit-at-idp"), registered(w.env[demo.ClientID]), registered("another-app"))}
	u := w.member(t)
	p := provide(t, at, w.Server, u.AccountID)
	require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.ExternalIdentity.Create().SetAccountID(u.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(u.ID).
			SetIdentityProviderID(p.ID).SetIssuer(at.URL).SetSubject(u.Email).Exec(ctx)
	}))
	for clientID, works := range map[string]bool{"cockpit-at-idp": true, w.env[demo.ClientID]: true, "another-app": false} {
		token := idToken(t, at.URL, clientID, "s", u.Email)
		status, got := w.form(t, "/oauth/token", w.env[demo.ClientID], w.env[demo.ClientSecret],
			"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", token,
			"subject_token_type", "urn:ietf:params:oauth:token-type:id_token")
		require.Equal(t, works, status == http.StatusOK, "%s: %v", clientID, got)
		if works {
			w.callAs(t, got["access_token"].(string), u)
		}
		status, _ = w.ask(t, token, `{viewer{name}}`, nil)
		require.Equal(t, http.StatusUnauthorized, status, "another party's token is no bearer")
	}
}
