package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/demo"
)

const createToken = `mutation($i:PersonalTokenCreateInput!){personalTokenCreate(input:$i){personalToken{id prefix} token errors{code message path}}}`

func TestPersonalTokensAreThePersonNarrowed(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	admin, member := w.signIn(t, w.env[demo.AdminEmail]), w.signIn(t, w.env[demo.MemberEmail])
	grantable := func(b *browser) string {
		return fmt.Sprint(b.do(t, `{viewer{grantable{name}}}`, nil)["grantable"])
	}
	require.Equal(t, "[map[name:agents.manage] map[name:budgets.manage] map[name:connections.manage] map[name:directory.manage] map[name:keys.manage] map[name:models.call] map[name:profile] map[name:read] map[name:tools.call]]", grantable(member))
	require.Contains(t, grantable(admin), "account.manage")
	require.NotContains(t, grantable(admin), "platform.manage")
	require.Contains(t, grantable(w.signIn(t, w.env[demo.SuperAdminEmail])), "platform.manage")
	for name, in := range map[string]map[string]any{
		"permissions": {"name": "x", "permissions": []string{"roles.manage"}, "expiresInDays": 1},
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
