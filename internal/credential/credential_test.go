package credential_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func needsSignIn(t testing.TB, err error) *fault.Error {
	t.Helper()
	require.True(t, fault.Is(err, fault.ConnectionNeedsSignIn), "%v", err)
	return fault.As(err)
}

// People give their first key in two tabs at once: none is refused, and one row
// keeps it.
func TestFirstSecretsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.connect("rush", func(c *ent.ConnectionCreate) {
			c.SetAuth(connection.AuthBEARER).SetCredential(connection.CredentialPERSONAL)
		})
		refused := make(chan error)
		const tabs = 8
		for i := range tabs {
			go func() { refused <- w.set(c, w.mia.UserID, credential.Secret{Value: fmt.Sprintf("sesame-%d", i)}) }()
		}
		for range tabs {
			require.NoError(t, <-refused)
		}
		r, err := w.signed(w.b, c, w.mia.UserID, "https://api.example/mcp")
		require.NoError(t, err)
		require.Contains(t, r.Header.Get("Authorization"), "Bearer sesame-")
	})
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const at = "https://api.example/mcp?a=1"
		open := w.connect("open", func(*ent.ConnectionCreate) {})
		r, err := w.signed(w.a, open, "", at)
		require.NoError(t, err)
		require.Empty(t, r.Header)

		shared := w.connect("shared", func(c *ent.ConnectionCreate) { c.SetAuth(connection.AuthBEARER) })
		_, err = w.a.Authorize(t.Context(), shared, w.mia.UserID)
		require.Contains(t, needsSignIn(t, err).Message, "whoever manages")
		require.NoError(t, w.set(shared, "", credential.Secret{Value: "sesame-shared"}))
		for _, user := range []string{"", w.mia.UserID, w.ben.UserID} {
			r, err = w.signed(w.b, shared, user, at)
			require.NoError(t, err)
			require.Equal(t, "Bearer sesame-shared", r.Header.Get("Authorization"))
		}
		for _, elsewhere := range []string{"https://evil.example/mcp", "http://api.example/mcp", "https://api.example:8443/", "https://api.example.evil.example/"} {
			_, err = w.signed(w.a, shared, "", elsewhere)
			require.True(t, fault.Is(err, fault.Forbidden), elsewhere)
		}
		_, err = w.signed(w.a, shared, "", "https://API.example:443/other")
		require.NoError(t, err, "the same server")

		// An address that the connection is changed to later doesn't get it.
		moved := *shared
		moved.URL = "https://evil.example"
		_, err = w.a.Authorize(t.Context(), &moved, "")
		needsSignIn(t, err)

		personal := w.connect("personal", func(c *ent.ConnectionCreate) {
			c.SetAuth(connection.AuthHEADER).SetAuthName("?api_key").SetCredential(connection.CredentialPERSONAL)
		})
		require.NoError(t, w.set(personal, w.mia.UserID, credential.Secret{Value: "sesame mia&x"}))
		require.NoError(t, w.set(personal, w.ben.UserID, credential.Secret{Value: "sesame-ben"}))
		require.NoError(t, w.set(personal, w.ben.UserID, credential.Secret{Value: "sesame-ben-2"}), "again")
		r, err = w.signed(w.a, personal, w.mia.UserID, at+"&api_key=forged&api%5Fkey=forged&b=%20")
		require.NoError(t, err)
		require.Equal(t, "a=1&b=%20&api_key=sesame+mia%26x", r.URL.RawQuery)
		r, err = w.signed(w.a, personal, w.ben.UserID, at)
		require.NoError(t, err)
		require.Equal(t, url.Values{"a": {"1"}, "api_key": {"sesame-ben-2"}}, r.URL.Query())
		_, err = w.a.Authorize(t.Context(), personal, "")
		require.True(t, fault.Is(err, fault.Invalid))
		stranger := w.person("eve@acme.example")
		_, err = w.a.Authorize(t.Context(), personal, stranger.UserID)
		e := needsSignIn(t, err)
		require.Equal(t, map[string]any{"connectionId": personal.ID, "page": cockpit + "/connections/sign-in?connection=" + personal.ID}, e.Data)
		require.True(t, fault.Is(w.set(personal, "usr_nobody", credential.Secret{Value: "x"}), fault.NotFound))

		state, err := w.a.State(t.Context(), personal, w.ben.UserID)
		require.NoError(t, err)
		require.True(t, state.Ready)
		require.Equal(t, "en-2", state.Hint)
		state, err = w.a.State(t.Context(), personal, stranger.UserID)
		require.NoError(t, err)
		require.Equal(t, credential.State{}, state)

		basic := w.connect("basic", func(c *ent.ConnectionCreate) { c.SetAuth(connection.AuthBASIC) })
		require.NoError(t, w.set(basic, "", credential.Secret{User: "u", Value: "sesame-basic"}))
		r, err = w.signed(w.a, basic, "", at)
		require.NoError(t, err)
		name, password, _ := r.BasicAuth()
		require.Equal(t, "u sesame-basic", name+" "+password)

		header := w.connect("header", func(c *ent.ConnectionCreate) { c.SetAuth(connection.AuthHEADER).SetAuthName("X-Key") })
		require.NoError(t, w.set(header, "", credential.Secret{Value: "sesame-header"}))
		r, err = w.signed(w.a, header, "", at)
		require.NoError(t, err)
		require.Equal(t, "sesame-header", r.Header.Get("X-Key"))

		stdio := w.connect("stdio", func(c *ent.ConnectionCreate) { c.SetKind(connection.KindMCP_STDIO).SetURL("") })
		require.NoError(t, w.set(stdio, "", credential.Secret{Environment: map[string]string{"TOKEN": "sesame-env"}}))
		env, err := w.a.Environment(t.Context(), stdio, "")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"TOKEN": "sesame-env"}, env)

		for name, c := range map[string]struct {
			on *ent.Connection
			in credential.Secret
		}{
			"empty":           {shared, credential.Secret{}},
			"two lines":       {shared, credential.Secret{Value: "a\r\nb"}},
			"user":            {shared, credential.Secret{Value: "a", User: "b"}},
			"no user":         {basic, credential.Secret{Value: "a"}},
			"colon":           {basic, credential.Secret{Value: "a", User: "b:c"}},
			"open":            {open, credential.Secret{Value: "a"}},
			"too long":        {shared, credential.Secret{Value: strings.Repeat("x", 10<<10)}},
			"environment":     {shared, credential.Secret{Value: "a", Environment: map[string]string{"A": "b"}}},
			"no environment":  {stdio, credential.Secret{Value: "a"}},
			"bad environment": {stdio, credential.Secret{Environment: map[string]string{"A=": "b"}}},
		} {
			require.True(t, fault.Is(w.set(c.on, "", c.in), fault.Invalid), name)
		}
		require.ErrorContains(t, w.a.Check(w.connect("nameless", func(c *ent.ConnectionCreate) { c.SetAuth(connection.AuthHEADER) })), "header's name")

		// Signed out, alone and all together.
		require.NoError(t, w.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error { return w.a.Remove(ctx, tx, personal, w.mia.UserID) }))
		_, err = w.b.Authorize(t.Context(), personal, w.mia.UserID)
		needsSignIn(t, err)
		_, err = w.b.Authorize(t.Context(), personal, w.ben.UserID)
		require.NoError(t, err)
		require.NoError(t, w.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
			n, err := w.a.RemoveAll(ctx, tx, personal)
			require.Equal(t, 1, n)
			return err
		}))
		_, err = w.b.Authorize(t.Context(), personal, w.ben.UserID)
		needsSignIn(t, err)

		all := w.everything()
		require.NotContains(t, all, "sesame")
		for _, said := range []string{"connection.credentialSet", "connection.credentialRemove", "connection.credentialRemoveAll"} {
			require.Contains(t, all, said)
		}
	})
}

func TestSecretsArePrintedNowhere(t *testing.T) {
	t.Parallel()
	s := credential.Secret{Value: "sesame", User: "sesame", Environment: map[string]string{"A": "sesame"}}
	text, err := json.Marshal(map[string]any{"a": s, "b": &s})
	require.NoError(t, err)
	out := &strings.Builder{}
	slog.New(slog.NewTextHandler(out, nil)).Info("x", "secret", s, "pointer", &s)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %v", s, s, s, s, &s)+string(text)+out.String(), "sesame")
}
