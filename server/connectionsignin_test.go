package server

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// From a refused call's page to a connection's authorization server and back.
func TestSignInToAConnection(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't there")
	}
	o := newOffice(t, "--data", t.TempDir())
	issuer := openIDProviders(t, [][]map[string]any{{{"client_id": "cockpit", "client_secret": "s", "redirect_uris": []string{o.URL() + credential.CallbackPath},
		"grant_types": []string{"authorization_code", "refresh_token"}}}})[0]
	sys := tenancy.System(t.Context(), "test")
	hash, err := identity.HashPassword(sys, password)
	require.NoError(t, err)
	settings, err := json.Marshal(credential.OAuth{Issuer: issuer, ClientID: "cockpit", Scopes: []string{"openid", "offline_access"}})
	require.NoError(t, err)
	people, rows := map[string]*ent.User{}, map[connection.Credential]*ent.Connection{}
	require.NoError(t, o.store.InTx(sys, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "Acme", Slug: "acme", Console: true, Copilot: true})
		if err != nil {
			return err
		}
		for _, name := range []string{"admin", "nobody"} {
			if people[name], err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: name + "@acme.example", Name: name, PasswordHash: hash}); err != nil {
				return err
			}
		}
		if err := identity.BindRole(ctx, tx, people["admin"], tx.Scope.GetX(ctx, a.ID), tenancy.Admin); err != nil {
			return err
		}
		plane := tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindCOPILOT)).OnlyX(ctx)
		if err := identity.BindRole(ctx, tx, people["nobody"], tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindCONSOLE)).OnlyX(ctx), tenancy.Admin); err != nil {
			return err
		}
		for _, whose := range []connection.Credential{connection.CredentialPERSONAL, connection.CredentialSHARED} {
			rowID := id.New(id.Connection)
			box, hint := o.credentials.SealClientSecret(rowID, "s")
			rows[whose] = tx.Connection.Create().SetID(rowID).SetAccountID(a.ID).SetPlane(connection.PlaneCOPILOT).SetScopeID(plane.ID).SetName("mail " + string(whose)).
				SetKind(connection.KindMCP_HTTP).SetURL(issuer + "/me").SetAuth(connection.AuthOAUTH).SetCredential(whose).SetOauth(settings).
				SetClientSecret(box).SetClientSecretHint(hint).SaveX(ctx)
		}
		return nil
	}))
	c := rows[connection.CredentialPERSONAL]
	signIn := func(name string) *visitor {
		v := o.visitor(t)
		v.must(`mutation($i: SessionCreateInput!) { sessionCreate(input: $i) { viewer { name } } }`, map[string]any{"i": map[string]any{"email": name + "@acme.example", "password": password}}, "sessionCreate", "viewer")
		return v
	}
	get := func(v *visitor, path string) (int, string) {
		res, err := v.http.Get(o.URL() + path)
		require.NoError(t, err)
		defer func() { _ = res.Body.Close() }()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(text)
	}

	_, err = o.credentials.Authorize(t.Context(), c, people["admin"].ID)
	require.True(t, fault.Is(err, fault.ConnectionNeedsSignIn))
	page, _ := fault.As(err).Data["page"].(string)
	require.Equal(t, o.URL()+"/connections/sign-in?connection="+c.ID, page)

	at, err := o.visitor(t).goThrough(page, "")
	require.NoError(t, err)
	require.Equal(t, "/sign-in?next="+url.QueryEscape("/connections/sign-in?connection="+c.ID), at.RequestURI(), "first to the cockpit")

	admin, nobody := signIn("admin"), signIn("nobody")
	var callback string
	admin.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == credential.CallbackPath {
			callback = r.URL.RequestURI()
		}
		return nil
	}
	at, err = admin.goThrough(page, "boss@idp.example")
	require.NoError(t, err)
	require.Equal(t, "/me/connections?connection="+c.ID+"&connected=1", at.RequestURI())
	sign, err := o.credentials.Authorize(t.Context(), c, people["admin"].ID)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL, nil)
	require.NoError(t, err)
	require.NoError(t, sign(req))
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.JSONEq(t, `{"sub":"boss@idp.example"}`, string(text))

	at, err = admin.goThrough(o.URL()+callback, "")
	require.NoError(t, err)
	require.Equal(t, "/me/connections", at.Path, "where it was begun")
	require.Equal(t, "FORBIDDEN", at.Query().Get("error"), "a state is of one use")
	require.NotEmpty(t, at.Query().Get("request"))
	for _, v := range []*visitor{nobody, o.visitor(t)} {
		status, says := get(v, callback)
		require.Equal(t, http.StatusForbidden, status)
		require.Contains(t, says, "Begin it again")
	}
	for _, path := range []string{"?connection=" + c.ID, "?connection=cnn_none", ""} {
		status, says := get(nobody, credential.SignInPath+path)
		require.Equal(t, http.StatusNotFound, status)
		require.Contains(t, says, "no such connection")
	}
	status, says := get(admin, credential.SignInPath+"?connection="+rows[connection.CredentialSHARED].ID)
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, says, "one sign-in for all")
}
