package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/idtoken/idtokentest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// The way of alchemi-ai: token exchange, the person's view, model calls, and
// books that name the person and the program.
func TestProgramActsForAPerson(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	u := w.member(t)
	idp := idtokentest.New(t)
	p := provide(t, idp, w.Server, u.AccountID)
	require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.ExternalIdentity.Create().SetAccountID(u.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(u.ID).
			SetIdentityProviderID(p.ID).SetIssuer(idp.URL).SetSubject("jonas").Exec(ctx)
	}))
	for name, subject := range map[string][2]string{
		"ID token": {idp.Sign(t, map[string]any{"sub": "jonas"}), "urn:ietf:params:oauth:token-type:id_token"},
		"user id":  {u.ID, "urn:cockpit:params:oauth:token-type:user_id"},
	} {
		status, got := w.form(t, "/oauth/token", w.env[demo.ClientID], w.env[demo.ClientSecret],
			"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", subject[0], "subject_token_type", subject[1])
		require.Equal(t, http.StatusOK, status, "%s: %v", name, got)
		require.Equal(t, "Bearer", got["token_type"])
		require.InDelta(t, 900, got["expires_in"], 0)
		require.Equal(t, "agents.resolve models.call profile read tools.call", got["scope"])
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
	require.Equal(t, []any{"agents.resolve", "models.call", "profile", "read", "tools.call"}, v["permissions"])
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

func TestIDTokensAreHeldAgainstTheAccountsProviders(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	u := w.member(t)
	idp, stranger := idtokentest.New(t), idtokentest.New(t)
	p := provide(t, idp, w.Server, u.AccountID)
	globex := w.store.User.Query().Where(user.Email("grace.chen@globex.example")).OnlyX(system(t))
	require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		if err := tx.ExternalIdentity.Create().SetAccountID(u.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(u.ID).
			SetIdentityProviderID(p.ID).SetIssuer(idp.URL).SetSubject("jonas").Exec(ctx); err != nil {
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
		status, out := exchange(idp.Sign(t, claims))
		require.Equal(t, http.StatusOK, status, "%s: %v", name, out)
	}
	good := map[string]any{"sub": "jonas"}
	for name, token := range map[string]string{
		"another issuer":       stranger.Sign(t, good),
		"another's key":        idtokentest.Sign(t, jose.RS256, jose.JSONWebKey{Key: stranger.Key, KeyID: "1"}, "JWT", idp.Claims(good)),
		"public key as secret": idtokentest.Sign(t, jose.HS256, jose.JSONWebKey{Key: idp.Key.PublicKey.N.Bytes(), KeyID: "1"}, "JWT", idp.Claims(good)),
		"another audience":     idp.Sign(t, map[string]any{"sub": "jonas", "aud": "another-app"}),
		"another party":        idp.Sign(t, map[string]any{"sub": "jonas", "aud": []string{"cockpit-at-idp", "another-app"}, "azp": "another-app"}),
		"many, no party":       idp.Sign(t, map[string]any{"sub": "jonas", "aud": []string{"cockpit-at-idp", "another-app"}}),
		"expired":              idp.Sign(t, map[string]any{"sub": "jonas", "exp": time.Now().Add(-time.Minute).Unix()}),
		"from the future":      idp.Sign(t, map[string]any{"sub": "jonas", "iat": time.Now().Add(time.Hour).Unix()}),
		"unknown subject":      idp.Sign(t, nil),
		"unverified address":   idp.Sign(t, map[string]any{"email": "priya.raman@acme.example"}),
		"denied address":       idp.Sign(t, map[string]any{"email": "priya.raman@acme.example", "email_verified": false}),
		"another's domain":     idp.Sign(t, map[string]any{"email": globex.Email, "email_verified": true}),
		"address of a known":   idp.Sign(t, map[string]any{"sub": "new jonas", "email": u.Email, "email_verified": true}),
		"our own token":        w.exchange(t),
		"garbage":              "x.y.z",
	} {
		status, out := exchange(token)
		require.Equal(t, http.StatusBadRequest, status, "%s: %v", name, out)
		require.Equal(t, "invalid_request", out["error"], name)
		require.NotEmpty(t, out["error_description"], name)
	}
	status, out := exchange(idp.Sign(t, good), "account", globex.AccountID)
	require.Equal(t, http.StatusBadRequest, status)
	require.Equal(t, "invalid_target", out["error"], "an account that is named doesn't outrank the program's")
	require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.IdentityProvider.UpdateOneID(p.ID).SetStatus("DISABLED").Exec(ctx)
	}))
	status, _ = exchange(idp.Sign(t, good))
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
	idp := idtokentest.New(t)
	for _, person := range []*ent.User{u, globex} {
		p := provide(t, idp, w.Server, person.AccountID)
		require.NoError(t, w.store.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.ExternalIdentity.Create().SetAccountID(person.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(person.ID).
				SetIdentityProviderID(p.ID).SetIssuer(idp.URL).SetSubject("one person").Exec(ctx)
		}))
	}
	token := idp.Sign(t, map[string]any{"sub": "one person"})
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

// provide makes an issuer an identity provider of an account.
func provide(t *testing.T, i *idtokentest.Issuer, s *Server, accountID string) *ent.IdentityProvider {
	t.Helper()
	var p *ent.IdentityProvider
	require.NoError(t, s.store.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) (err error) {
		tx.Unaudited()
		p, err = tx.IdentityProvider.Create().SetAccountID(accountID).SetPlane(identityprovider.PlaneACCOUNT).SetName("IdP").
			SetIssuer(i.URL).SetClientID(idtokentest.ClientID).SetScopes([]string{"openid"}).SetStatus(identityprovider.StatusACTIVE).Save(ctx)
		return err
	}))
	return p
}
