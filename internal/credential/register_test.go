package credential_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// unregistered is a connection whose admin gave no client id.
func (w *world) unregistered(name, issuer, address string) *ent.Connection {
	w.t.Helper()
	settings, err := json.Marshal(credential.OAuth{Issuer: issuer, Scopes: []string{"openid", "offline_access"}})
	require.NoError(w.t, err)
	c := w.connect(name, func(c *ent.ConnectionCreate) {
		c.SetURL(address).SetAuth(connection.AuthOAUTH).SetCredential(connection.CredentialPERSONAL).SetOauth(settings)
	})
	require.NoError(w.t, w.a.Check(c))
	return c
}

func (w *world) again(c *ent.Connection) *ent.Connection {
	return w.Connection.GetX(tenancy.System(w.t.Context(), "test"), c.ID)
}

func TestRegistersItself(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		p := newProvider(t)
		c := w.unregistered("mail", p.issuer, p.issuer+"/me")
		w.signIn(p, c, w.mia, "mia@idp.example")
		c = w.again(c)
		w.signIn(p, c, w.ben, "ben@idp.example")
		require.Equal(t, 1, p.grants("registration"), "one client for all")
		require.Equal(t, 1, c.Version, "which is nobody's edit")
		require.Equal(t, "mia@idp.example", w.who(w.a, p, c, w.mia))
		require.Equal(t, "ben@idp.example", w.who(w.b, p, c, w.ben))
		w.skew.Store(int64(550 * time.Second))
		require.Equal(t, "mia@idp.example", w.who(w.b, p, c, w.mia), "refreshed by the same client")

		ctx := tenancy.System(t.Context(), "test")
		require.Equal(t, 1, w.AuditEvent.Query().Where(auditevent.Action("connection.register")).CountX(ctx))
		require.NotContains(t, string(c.RegisteredClient), "client_id", "it is sealed")
	})
}

// hostile is an authorization server that does as a test says.
type hostile struct {
	*httptest.Server
	registrations, tokens atomic.Int64
	register, token       http.HandlerFunc
	registerAt            string
}

func newHostile(t testing.TB) *hostile {
	h := &hostile{}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/oauth-authorization-server", func(rw http.ResponseWriter, _ *http.Request) {
		at := h.registerAt
		if at == "" {
			at = h.URL + "/register"
		}
		_ = json.NewEncoder(rw).Encode(map[string]any{"issuer": h.URL, "authorization_endpoint": h.URL + "/authorize", "token_endpoint": h.URL + "/token", "registration_endpoint": at})
	})
	h.register = func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(rw, `{"client_id":"client-%d","token_endpoint_auth_method":"none"}`, h.registrations.Load())
	}
	mux.HandleFunc("/register", func(rw http.ResponseWriter, r *http.Request) {
		h.registrations.Add(1)
		h.register(rw, r)
	})
	mux.HandleFunc("/token", func(rw http.ResponseWriter, r *http.Request) {
		h.tokens.Add(1)
		h.token(rw, r)
	})
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

// back is what the server would send a browser back with.
func back(t testing.TB, address string) (clientID string, q url.Values) {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u.Query().Get("client_id"), url.Values{"state": {u.Query().Get("state")}, "code": {"a code"}}
}

func TestAServerThatForgotCockpitIsAskedAgainOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		h := newHostile(t)
		c := w.unregistered("mail", h.URL, h.URL)
		ctx := tenancy.WithViewer(t.Context(), w.mia)
		h.token = func(rw http.ResponseWriter, _ *http.Request) {
			http.Error(rw, `{"error":"invalid_client"}`, http.StatusUnauthorized)
		}
		for i := range 2 {
			address, err := w.a.Begin(ctx, w.again(c), w.mia.UserID, "/")
			require.NoError(t, err)
			clientID, q := back(t, address)
			require.Equal(t, fmt.Sprintf("client-%d", i+1), clientID)
			_, err = w.a.Finish(ctx, q)
			require.ErrorContains(t, err, "Begin again")
			require.EqualValues(t, i+1, h.registrations.Load(), "each sign-in registers once at most")
			require.EqualValues(t, i+1, h.tokens.Load())
		}
		h.token = func(rw http.ResponseWriter, r *http.Request) {
			if r.FormValue("client_id") != "client-3" {
				http.Error(rw, `{"error":"invalid_client"}`, http.StatusUnauthorized)
				return
			}
			_, _ = rw.Write([]byte(`{"access_token":"t","token_type":"bearer","refresh_token":"r","expires_in":600}`))
		}
		address, err := w.a.Begin(ctx, w.again(c), w.mia.UserID, "/")
		require.NoError(t, err)
		_, q := back(t, address)
		_, err = w.b.Finish(ctx, q)
		require.NoError(t, err)

		// The server forgets it while a token is refreshed: the person signs in anew,
		// by another client.
		h.token = func(rw http.ResponseWriter, _ *http.Request) {
			http.Error(rw, `{"error":"invalid_client"}`, http.StatusBadRequest)
		}
		w.skew.Store(int64(590 * time.Second))
		_, err = w.a.Authorize(t.Context(), w.again(c), w.mia.UserID)
		needsSignIn(t, err)
		require.EqualValues(t, 3, h.registrations.Load(), "nothing registers by itself")
		require.Equal(t, connectioncredential.StatusFAILED, w.credential(c, w.mia.UserID).Status)
		address, err = w.a.Begin(ctx, w.again(c), w.mia.UserID, "/")
		require.NoError(t, err)
		clientID, _ := back(t, address)
		require.Equal(t, "client-4", clientID)
	})
}

func TestTwoWhoRegisterAtOnceGetOneClient(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		h := newHostile(t)
		c := w.unregistered("mail", h.URL, h.URL)
		clients := make([]string, 2) // each person on another replica
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				v, at := []*tenancy.Viewer{w.mia, w.ben}[i%2], []*credential.Store{w.a, w.b}[i%2]
				if address, err := at.Begin(tenancy.WithViewer(t.Context(), v), c, v.UserID, "/"); err == nil {
					clients[i], _ = back(t, address)
				}
			})
		}
		wg.Wait()
		for _, client := range clients {
			require.NotEmpty(t, client)
			require.Equal(t, clients[0], client)
		}
	})
}

func TestRegistrationIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := tenancy.WithViewer(t.Context(), w.mia)
		elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
		t.Cleanup(elsewhere.Close)
		say := func(status int, body string) func(*hostile) {
			return func(h *hostile) {
				h.register = func(rw http.ResponseWriter, _ *http.Request) {
					rw.WriteHeader(status)
					_, _ = rw.Write([]byte(body))
				}
			}
		}
		for name, test := range map[string]struct {
			set  func(*hostile)
			says string
		}{
			"closed":     {func(h *hostile) { h.registerAt = "https://10.1.2.3/register" }, "private network"},
			"plain http": {func(h *hostile) { h.registerAt = "http://register.example/" }, "lets nobody register"},
			"metadata":   {func(h *hostile) { h.registerAt = "https://169.254.169.254/latest" }, "private network"},
			"redirect": {func(h *hostile) {
				h.register = func(rw http.ResponseWriter, r *http.Request) {
					http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
				}
			}, "status 307"},
			"refused":      {say(403, `{"error":"access_denied","error_description":"secret words"}`), "access_denied"},
			"oversized":    {say(201, `{"client_id":"`+strings.Repeat("x", 300<<10)+`"}`), "too long"},
			"page":         {say(200, `<html>`), "can't be used"},
			"nameless":     {say(201, `{"client_secret":"s"}`), "can't be used"},
			"control":      {say(201, `{"client_id":"a\u0000b"}`), "can't be used"},
			"long id":      {say(201, `{"client_id":"`+strings.Repeat("x", 501)+`"}`), "can't be used"},
			"private keys": {say(201, `{"client_id":"a","token_endpoint_auth_method":"private_key_jwt"}`), "private_key_jwt"},
		} {
			h := newHostile(t)
			test.set(h)
			c := w.unregistered(strings.ReplaceAll(name, " ", "-"), h.URL, h.URL)
			_, err := w.a.Begin(ctx, c, w.mia.UserID, "/")
			require.ErrorContains(t, err, test.says, name)
			require.NotNil(t, fault.As(err), name)
			require.NotContains(t, err.Error(), "secret words", name)
			require.Empty(t, w.again(c).RegisteredClient, name)
		}
		require.ErrorContains(t, w.a.Check(w.connect("given", func(c *ent.ConnectionCreate) {
			c.SetAuth(connection.AuthOAUTH).SetOauth(json.RawMessage(`{"authorizeUrl":"https://a.example","tokenUrl":"https://t.example"}`))
		})), "client id", "without its metadata nobody knows where to register")
	})
}
