package credential_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// composioServer speaks what Composio says on the wire of connected accounts.
type composioServer struct {
	*httptest.Server
	mu       sync.Mutex
	accounts map[string]map[string]string // by id
	redirect string
}

func newComposio(t testing.TB) *composioServer {
	s := &composioServer{accounts: map[string]map[string]string{}, redirect: "https://connect.example/link/"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Header.Get("X-Api-Key") != "the key of the project" {
			http.Error(rw, `{"error":{"message":"no"}}`, http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost && r.URL.Path == "/api/v3/connected_accounts/link" {
			var in struct {
				AuthConfig string `json:"auth_config_id"`
				UserID     string `json:"user_id"`
				Back       string `json:"callback_url"`
			}
			_ = json.NewDecoder(r.Body).Decode(&in)
			id := "ca_" + string(rune('a'+len(s.accounts)))
			s.accounts[id] = map[string]string{"id": id, "status": "INITIATED", "user_id": in.UserID, "back": in.Back, "config": in.AuthConfig}
			rw.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(rw).Encode(map[string]string{"connected_account_id": id, "redirect_url": s.redirect + id, "link_token": "lk"})
			return
		}
		if id, found := strings.CutPrefix(r.URL.Path, "/api/v3/connected_accounts/"); found && s.accounts[id] != nil {
			_ = json.NewEncoder(rw).Encode(s.accounts[id])
			return
		}
		http.NotFound(rw, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *composioServer) set(id, field, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[id][field] = value
}

func (s *composioServer) back(t testing.TB, id string) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := url.Parse(s.accounts[id]["back"])
	require.NoError(t, err)
	require.Equal(t, cockpit+credential.CallbackPath, "https://"+u.Host+u.Path)
	return u.Query()
}

func TestPeopleConnectAccountsOfTheirOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		s := newComposio(t)
		c := w.connect("github", func(c *ent.ConnectionCreate) {
			c.SetKind(connection.KindCOMPOSIO).SetURL(s.URL).SetAuth(connection.AuthHEADER).SetAuthName("X-Api-Key").SetCredential(connection.CredentialPERSONAL).
				SetToolkit("github").SetAuthConfig("ac_1")
		})
		mia, ben := tenancy.WithViewer(t.Context(), w.mia), tenancy.WithViewer(t.Context(), w.ben)
		_, err := w.a.Begin(mia, c, w.mia.UserID, "/me")
		needsSignIn(t, err)
		require.NoError(t, w.set(c, w.mia.UserID, credential.Secret{Value: "the key of the project"}))
		_, err = w.a.Integration(t.Context(), c)
		require.NoError(t, err, "the key is for all, whoever sets it")
		_, err = w.a.AccountOf(t.Context(), c, w.mia.UserID)
		require.Contains(t, needsSignIn(t, err).Message, credential.SignInPath)
		_, err = w.a.AccountOf(t.Context(), c, "")
		require.True(t, fault.Is(err, fault.Invalid), "a call without a person has no account: %v", err)

		address, err := w.a.Begin(mia, c, w.mia.UserID, "/me")
		require.NoError(t, err)
		require.Equal(t, "https://connect.example/link/ca_a", address)
		require.Equal(t, "ac_1", s.accounts["ca_a"]["config"])
		require.NotContains(t, s.accounts["ca_a"]["user_id"], w.mia.UserID, "Composio learns no id of ours")
		_, err = w.a.Finish(mia, s.back(t, "ca_a"))
		require.ErrorContains(t, err, "INITIATED", "whatever a browser says, Composio is asked")

		// Whoever says so: an account of somebody else's isn't taken.
		_, err = w.a.Begin(mia, c, w.mia.UserID, "/me")
		require.NoError(t, err)
		s.set("ca_b", "status", "ACTIVE")
		hers := s.accounts["ca_b"]["user_id"]
		s.set("ca_b", "user_id", "somebody")
		q := s.back(t, "ca_b")
		_, err = w.a.Finish(ben, q)
		require.ErrorContains(t, err, "isn't one that you began")
		_, err = w.a.Finish(mia, q)
		require.Error(t, err)
		_, err = w.a.AccountOf(t.Context(), c, w.mia.UserID)
		needsSignIn(t, err)
		s.set("ca_b", "user_id", hers)
		account, err := w.b.AccountOf(t.Context(), c, w.mia.UserID)
		require.NoError(t, err, "connected by now, though no browser came back")
		require.Equal(t, credential.Account{UserID: hers, ID: "ca_b"}, account)
		state, err := w.a.State(t.Context(), c, w.mia.UserID)
		require.NoError(t, err)
		require.True(t, state.Ready)
		require.Empty(t, state.Hint, "the key is the admins'")

		// Ben's is his own; Mia's stays while she connects another.
		state, err = w.a.State(t.Context(), c, w.ben.UserID)
		require.NoError(t, err)
		require.False(t, state.Ready)
		_, err = w.a.Begin(ben, c, w.ben.UserID, "/me")
		require.NoError(t, err)
		s.set("ca_c", "status", "ACTIVE")
		back, err := w.b.Finish(ben, s.back(t, "ca_c"))
		require.NoError(t, err)
		require.Equal(t, "/me", back)
		his, err := w.a.AccountOf(t.Context(), c, w.ben.UserID)
		require.NoError(t, err)
		require.Equal(t, "ca_c", his.ID)
		require.NotEqual(t, hers, his.UserID)
		_, err = w.a.Begin(mia, c, w.mia.UserID, "/me")
		require.NoError(t, err)
		account, err = w.a.AccountOf(t.Context(), c, w.mia.UserID)
		require.NoError(t, err)
		require.Equal(t, "ca_b", account.ID)

		s.mu.Lock()
		s.redirect = "javascript:alert(1)//"
		s.mu.Unlock()
		_, err = w.a.Begin(ben, c, w.ben.UserID, "/me")
		require.ErrorContains(t, err, "isn't https")
		require.NotContains(t, w.everything(), "the key of the project")

		require.NoError(t, w.set(c, "", credential.Secret{Value: "another"}))
		_, err = w.a.Begin(ben, c, w.ben.UserID, "/me")
		needsSignIn(t, err)
	})
}
