package credential_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// oauth is a connection that people sign in to at the provider, whose own
// address is the API.
func (w *world) oauth(name string, p *provider, credentialOf connection.Credential) *ent.Connection {
	w.t.Helper()
	settings, err := json.Marshal(credential.OAuth{Issuer: p.issuer, ClientID: "cockpit", Scopes: []string{"openid", "offline_access"}})
	require.NoError(w.t, err)
	rowID := id.New(id.Connection)
	box, _ := w.a.SealClientSecret(rowID, clientSecret)
	return w.connect(name, func(c *ent.ConnectionCreate) {
		c.SetID(rowID).SetURL(p.issuer + "/me").SetAuth(connection.AuthOAUTH).SetCredential(credentialOf).SetOauth(settings).SetClientSecret(box)
	})
}

// signIn goes all the way through the provider as a login.
func (w *world) signIn(p *provider, c *ent.Connection, v *tenancy.Viewer, login string) {
	w.t.Helper()
	ctx := tenancy.WithViewer(w.t.Context(), v)
	address, err := w.a.Begin(ctx, c, v.UserID, "/a/acme")
	require.NoError(w.t, err)
	back, err := w.b.Finish(ctx, p.visit(address, login)) // another replica
	require.NoError(w.t, err)
	require.Equal(w.t, "/a/acme", back)
}

func (w *world) who(at *credential.Store, p *provider, c *ent.Connection, v *tenancy.Viewer) string {
	w.t.Helper()
	r, err := w.signed(at, c, v.UserID, c.URL)
	require.NoError(w.t, err)
	return p.who(r)
}

func (w *world) credential(c *ent.Connection, userID string) *ent.ConnectionCredential {
	w.t.Helper()
	return w.ConnectionCredential.Query().Where(connectioncredential.ConnectionID(c.ID), connectioncredential.UserID(userID)).OnlyX(tenancy.System(w.t.Context(), "test"))
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := newProvider(t)
		c := w.oauth("mail", p, connection.CredentialPERSONAL)
		require.NoError(t, w.a.Check(c))
		_, err := w.a.Authorize(t.Context(), c, w.mia.UserID)
		require.Contains(t, needsSignIn(t, err).Message, "Sign in to mail first")

		w.signIn(p, c, w.mia, "mia@idp.example")
		_, err = w.a.Authorize(t.Context(), c, w.ben.UserID)
		needsSignIn(t, err)
		w.signIn(p, c, w.ben, "ben@idp.example")
		for range 2 {
			require.Equal(t, "mia@idp.example", w.who(w.a, p, c, w.mia))
			require.Equal(t, "ben@idp.example", w.who(w.b, p, c, w.ben))
		}
		state, err := w.a.State(t.Context(), c, w.mia.UserID)
		require.NoError(t, err)
		require.True(t, state.Ready)
		require.Equal(t, "openid offline_access", state.Scopes)
		require.Empty(t, state.Hint)

		// Fifty calls on two replicas find the token about to end: one refresh.
		w.skew.Store(int64(550 * time.Second))
		tokens := make([]string, 50)
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() {
				at := []*credential.Store{w.a, w.b}[i%2]
				if r, err := w.signed(at, c, w.mia.UserID, c.URL); err == nil {
					tokens[i] = r.Header.Get("Authorization")
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, p.grants("refresh_token"))
		for _, token := range tokens {
			require.NotEmpty(t, token)
			require.Equal(t, tokens[0], token)
		}
		require.Equal(t, "mia@idp.example", w.who(w.a, p, c, w.mia))
		require.Nil(t, w.credential(c, w.mia.UserID).RefreshingUntil)

		// The refresh token was rotated: the next refresh takes the new one, and Ben's
		// is his own.
		w.skew.Store(int64(1130 * time.Second))
		require.Equal(t, "mia@idp.example", w.who(w.b, p, c, w.mia))
		require.Equal(t, "ben@idp.example", w.who(w.b, p, c, w.ben))
		require.Equal(t, 3, p.grants("refresh_token"))

		// A replica that died while it refreshed holds nobody up for long.
		w.change(func(ctx context.Context, tx *store.Tx) error {
			return tx.ConnectionCredential.UpdateOneID(w.credential(c, w.ben.UserID).ID).SetRefreshingUntil(tx.Now().Add(time.Second)).SetExpiresAt(tx.Now().Add(time.Second)).Exec(ctx)
		})
		w.skew.Add(int64(time.Second))
		require.Equal(t, "ben@idp.example", w.who(w.a, p, c, w.ben))

		// The server takes the refresh token no more: the person is told.
		secrets := w.credential(c, w.ben.UserID).Secret
		w.skew.Add(int64(550 * time.Second))
		require.Equal(t, "ben@idp.example", w.who(w.a, p, c, w.ben))
		w.change(func(ctx context.Context, tx *store.Tx) error { // as if the answer had been lost
			return tx.ConnectionCredential.UpdateOneID(w.credential(c, w.ben.UserID).ID).SetSecret(secrets).SetExpiresAt(tx.Now()).Exec(ctx)
		})
		_, err = w.a.Authorize(t.Context(), c, w.ben.UserID)
		require.Contains(t, needsSignIn(t, err).Message, "invalid_grant")
		row := w.credential(c, w.ben.UserID)
		require.Equal(t, connectioncredential.StatusFAILED, row.Status)
		require.Contains(t, row.Error, "invalid_grant")
		require.Nil(t, row.RefreshingUntil)
		_, err = w.b.Authorize(t.Context(), c, w.ben.UserID)
		needsSignIn(t, err)
		w.signIn(p, c, w.ben, "ben@idp.example")
		require.Equal(t, "ben@idp.example", w.who(w.a, p, c, w.ben))

		// One for all: whoever calls.
		shared := w.oauth("shared", p, connection.CredentialSHARED)
		w.signIn(p, shared, w.mia, "bot@idp.example")
		require.Equal(t, "bot@idp.example", w.who(w.b, p, shared, w.ben))

		// While the server is away a token that still holds is used.
		w.skew.Add(int64(550 * time.Second))
		_ = p.node.Process.Kill()
		_ = p.node.Wait()
		_, err = w.a.Authorize(t.Context(), shared, w.ben.UserID)
		require.NoError(t, err)
		w.skew.Add(int64(100 * time.Second))
		_, err = w.a.Authorize(t.Context(), shared, w.ben.UserID)
		require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
		require.Equal(t, connectioncredential.StatusACTIVE, w.credential(shared, "").Status)

		all := w.everything()
		for _, token := range tokens {
			require.NotContains(t, all, strings.TrimPrefix(token, "Bearer "))
		}
		require.NotContains(t, all, clientSecret)
		require.Contains(t, all, "connection.signIn")
		require.Contains(t, all, "connection.credentialFail")
	})
}

func TestStatesAreForOnePersonOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := newProvider(t)
		c := w.oauth("mail", p, connection.CredentialPERSONAL)
		mia, ben := tenancy.WithViewer(t.Context(), w.mia), tenancy.WithViewer(t.Context(), w.ben)
		begin := func() url.Values {
			address, err := w.a.Begin(mia, c, w.mia.UserID, "https://evil.example")
			require.NoError(t, err)
			u, err := url.Parse(address)
			require.NoError(t, err)
			require.Equal(t, "S256", u.Query().Get("code_challenge_method"))
			require.Equal(t, cockpit+"/connections/callback", u.Query().Get("redirect_uri"))
			return p.visit(address, "mia@idp.example")
		}
		refused := func(ctx context.Context, q url.Values) {
			t.Helper()
			_, err := w.a.Finish(ctx, q)
			require.True(t, fault.Is(err, fault.Forbidden), "%v", err)
		}
		other := *w.mia
		other.SessionID = "ses_other"
		q := begin()
		refused(t.Context(), q)
		refused(ben, q)
		refused(tenancy.WithViewer(t.Context(), &other), q)
		for i := range 3 {
			forged := url.Values{"code": q["code"], "iss": q["iss"], "state": {q.Get("state")[:10*i+5] + "A" + q.Get("state")[10*i+6:]}}
			if forged.Get("state") == q.Get("state") {
				continue
			}
			refused(mia, forged)
		}
		refused(mia, url.Values{"code": q["code"]})
		_, err := w.b.Authorize(t.Context(), c, w.mia.UserID)
		needsSignIn(t, err)
		back, err := w.b.Finish(mia, q)
		require.NoError(t, err)
		require.Empty(t, back, "not to another site")
		refused(mia, q) // again
		require.Equal(t, 1, p.grants("authorization_code"))

		first, second := begin(), begin()
		refused(mia, first) // begun anew since
		late := w.skew.Load()
		w.skew.Add(int64(credential.FlowTime))
		refused(mia, second)
		w.skew.Store(late)

		// Mixed up, or changed on the way: the state is spent all the same.
		q = begin()
		q.Set("iss", "https://evil.example")
		refused(mia, q)
		q.Set("iss", p.issuer)
		refused(mia, q)
		q = begin()
		w.change(func(ctx context.Context, tx *store.Tx) error {
			return tx.Connection.UpdateOneID(c.ID).SetURL("https://evil.example").Exec(ctx)
		})
		_, err = w.a.Finish(mia, q)
		require.True(t, fault.Is(err, fault.Conflict))
		w.change(func(ctx context.Context, tx *store.Tx) error {
			return tx.Connection.UpdateOneID(c.ID).SetURL(c.URL).Exec(ctx)
		})
		q = begin()
		_, err = w.a.Finish(mia, url.Values{"state": q["state"], "iss": q["iss"], "error": {"access_denied"}})
		require.ErrorContains(t, err, "said no")
		require.Equal(t, 1, p.grants("authorization_code"))
		require.Equal(t, "mia@idp.example", w.who(w.a, p, c, w.mia), "what there was still works")

		// Nobody begins for others, without a session, or as support.
		for _, v := range []tenancy.Viewer{{}, {UserID: w.ben.UserID, SessionID: "s"}, {UserID: w.mia.UserID}, {UserID: w.mia.UserID, SessionID: "s", SupportID: "x"}} {
			v.AccountID = w.account.ID
			_, err := w.a.Begin(tenancy.WithViewer(t.Context(), &v), c, w.mia.UserID, "")
			require.True(t, fault.Is(err, fault.Forbidden))
		}
	})
}

// An MCP server names its authorization server, which names its addresses.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	for name, c := range map[string]struct {
		protected, server, at string
		says                  string
	}{
		"whole":              {`{"resource":"HERE/mcp","authorization_servers":["HERE/as"]}`, `{"issuer":"HERE/as","authorization_endpoint":"HERE/go","token_endpoint":"HERE/t"}`, "/.well-known/oauth-authorization-server/as", ""},
		"its own":            {``, `{"issuer":"HERE","authorization_endpoint":"HERE/go","token_endpoint":"HERE/t"}`, "/.well-known/oauth-authorization-server", ""},
		"openid":             {``, `{"issuer":"HERE","authorization_endpoint":"HERE/go","token_endpoint":"HERE/t"}`, "/.well-known/openid-configuration", ""},
		"another's resource": {`{"resource":"https://bank.example","authorization_servers":["HERE/as"]}`, ``, "", "isn't the connection's address"},
		"another issuer":     {``, `{"issuer":"https://bank.example","authorization_endpoint":"HERE/go","token_endpoint":"HERE/t"}`, "/.well-known/oauth-authorization-server", "give the issuer exactly so"},
		"inner addresses":    {``, `{"issuer":"HERE","authorization_endpoint":"HERE/go","token_endpoint":"http://10.0.0.1/t"}`, "/.well-known/oauth-authorization-server", "lacks an https address"},
		"no PKCE":            {``, `{"issuer":"HERE","authorization_endpoint":"HERE/go","token_endpoint":"HERE/t","code_challenge_methods_supported":["plain"]}`, "/.well-known/oauth-authorization-server", "doesn't take PKCE"},
		"private server":     {`{"resource":"HERE/mcp","authorization_servers":["https://10.0.0.1"]}`, ``, "", "private network"},
		"silent":             {``, ``, "", "tells nothing of its sign-in"},
	} {
		var s *httptest.Server
		s = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			text := ""
			switch r.URL.Path {
			case "/.well-known/oauth-protected-resource/mcp":
				text = c.protected
			case c.at:
				text = c.server
			}
			if text == "" {
				http.NotFound(rw, r)
				return
			}
			_, _ = rw.Write([]byte(strings.ReplaceAll(text, "HERE", s.URL)))
		}))
		t.Cleanup(s.Close)
		row := w.connect(name, func(cc *ent.ConnectionCreate) {
			cc.SetURL(s.URL + "/mcp").SetAuth(connection.AuthOAUTH).SetCredential(connection.CredentialPERSONAL).SetOauth(json.RawMessage(`{"clientId":"c"}`))
		})
		address, err := w.a.Begin(tenancy.WithViewer(t.Context(), w.mia), row, w.mia.UserID, "")
		if c.says != "" {
			require.ErrorContains(t, err, c.says, name)
			require.NotNil(t, fault.As(err), name)
			continue
		}
		require.NoError(t, err, name)
		require.True(t, strings.HasPrefix(address, s.URL+"/go?"), address)
		u, err := url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, "c", u.Query().Get("client_id"))
		if name != "openid" {
			require.Equal(t, s.URL+"/mcp", u.Query().Get("resource"))
		}
	}
	for says, settings := range map[string]string{
		"client id":      `{"authorizeUrl":"https://x.example/a","tokenUrl":"https://x.example/t"}`,
		"both addresses": `{"clientId":"c","tokenUrl":"https://x.example"}`,
		"must look like": `{"clientId":"c","issuer":"http://10.0.0.1"}`,
		"without spaces": `{"clientId":"c","issuer":"https://x.example","scopes":["a b"]}`,
	} {
		err := w.a.Check(&ent.Connection{Auth: connection.AuthOAUTH, Kind: connection.KindMCP_HTTP, URL: "https://x.example", Oauth: json.RawMessage(settings)})
		require.ErrorContains(t, err, says)
	}
	require.NoError(t, w.a.Check(&ent.Connection{Auth: connection.AuthOAUTH, Kind: connection.KindMCP_HTTP, URL: "https://x.example", Oauth: json.RawMessage(`{}`)}), "it registers itself")
}
