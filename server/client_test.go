package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/secret"
)

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	admin := w.signIn(t, w.env[demo.AdminEmail])
	reader, readerSecret := w.program(t, admin, map[string]any{"permissions": []string{"read", "profile", "models.call"}, "clientCredentials": true, "planes": []string{"COPILOT"}})
	keeper, keeperSecret := w.program(t, admin, map[string]any{"permissions": []string{"read", "profile", "keys.manage", "models.call"}, "clientCredentials": true})
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
	// A key spends, so what may not spend makes none, though it may manage keys.
	_, out = w.ask(t, get(keeper, keeperSecret, "scope", "read keys.manage")["access_token"].(string), `mutation($i:KeyCreateInput!){keyCreate(input:$i){key{id} errors{message}}}`,
		map[string]any{"name": "to spend by", "ownerId": node("teams"), "modelIds": []any{node("models")}})
	require.Equal(t, "FORBIDDEN", code(out))
	require.Contains(t, fmt.Sprint(out["errors"]), "models.call")
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

// The page that asks for consent opens so often a minute for one address.
func TestAuthorizePageIsLimited(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	opened := 0
	for range 200 {
		res, body := w.send(t, http.MethodGet, w.url+"/oauth/authorize?client_id=x", "")
		if res.StatusCode == http.StatusTooManyRequests {
			require.NotEmpty(t, res.Header.Get("Retry-After"))
			require.Contains(t, body, "Too many attempts")
			break
		}
		require.Equal(t, http.StatusOK, res.StatusCode)
		opened++
	}
	require.GreaterOrEqual(t, opened, 60)
	require.Less(t, opened, 200)
	// Guessing at the tokens is slowed alike.
	statuses := map[int]int{}
	for range 200 {
		status, _ := w.form(t, "/oauth/token", "cli_01JD0000000000000000000000", "cs_guess", "grant_type", "client_credentials")
		statuses[status]++
	}
	require.Positive(t, statuses[http.StatusTooManyRequests])
	require.GreaterOrEqual(t, statuses[http.StatusUnauthorized], 60)
}
