package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/demo"
)

// agentOf is an agent of the demo's story.
func (w *world) agentOf(t *testing.T, name string) string {
	t.Helper()
	return w.store.Scope.Query().Where(scope.Name(name), scope.KindEQ(scope.KindAGENT)).OnlyIDX(system(t))
}

const awsKey = "AKIAIOSFODNN7EXAMPLF"

func says(text string, more string) string {
	return fmt.Sprintf(`{"messages":[{"role":"user","content":%q}]%s}`, text, more)
}

func TestDraftsAreTried(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	ctx := system(t)
	reader, notes := w.agentOf(t, "Contract reader"), w.agentOf(t, "Meeting notes")
	try := func(agentID, body string, headers ...string) (*http.Response, string) {
		return w.send(t, http.MethodPost, w.url+"/agents/"+agentID+"/try", body, append([]string{"Content-Type: application/json"}, headers...)...)
	}
	clara := w.signIn(t, "clara.hoffmann@acme.example") // who answers for the contract reader
	csrf := "X-Cockpit-CSRF: 1"

	for name, c := range map[string]struct {
		status  int
		agent   string
		headers []string
	}{
		"without the header of our pages": {http.StatusForbidden, reader, []string{"Cookie: " + clara.cookie}},
		"from another site's page":        {http.StatusForbidden, reader, []string{"Cookie: " + clara.cookie, csrf, "Origin: https://evil.example"}},
		"signed out":                      {http.StatusUnauthorized, reader, []string{csrf}},
		"with a made-up session":          {http.StatusUnauthorized, reader, []string{csrf, "Cookie: " + cookieName + "=nobody"}},
		"a program in somebody's name":    {http.StatusForbidden, reader, []string{"Authorization: Bearer " + w.exchange(t, "scope", "read agents.manage models.call")}},
		"a member":                        {http.StatusNotFound, reader, []string{csrf, "Cookie: " + w.signIn(t, w.env[demo.MemberEmail]).cookie}},
		"a member who may use it":         {http.StatusNotFound, notes, []string{csrf, "Cookie: " + clara.cookie}},
		"of another account":              {http.StatusNotFound, reader, []string{csrf, "Cookie: " + w.signIn(t, "grace.chen@globex.example").cookie}},
		"the platform":                    {http.StatusNotFound, reader, []string{csrf, "Cookie: " + w.signIn(t, w.env[demo.SuperAdminEmail]).cookie}},
		"no agent":                        {http.StatusNotFound, "agt_01JD0000000000000000000000", []string{csrf, "Cookie: " + clara.cookie}},
		"not an id":                       {http.StatusNotFound, "x", []string{csrf, "Cookie: " + clara.cookie}},
	} {
		res, body := try(c.agent, says("hi", ""), c.headers...)
		require.Equal(t, c.status, res.StatusCode, "%s: %s", name, body)
		require.NotContains(t, body, "choices", name)
	}
	charges := func() int { return w.store.Charge.Query().Where(charge.AgentID(reader)).CountX(ctx) }
	require.Zero(t, charges())

	// Never published: what answers is the draft.
	res, body := try(reader, says("hi", ""), csrf, "Cookie: "+clara.cookie)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	var answer struct {
		Choices []struct{ Message struct{ Content string } }
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	require.NotEmpty(t, answer.Choices)
	res, body = try(reader, says("hi", `,"stream":true`), csrf, "Cookie: "+clara.cookie)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Contains(t, res.Header.Get("Content-Type"), "text/event-stream")
	require.Contains(t, body, "data: {")
	require.True(t, strings.HasSuffix(strings.TrimSpace(body), "data: [DONE]"), body)

	// Their own default seat pays.
	seat := w.store.Member.Query().Where(member.PlaneEQ(member.PlaneCOPILOT), member.HasUserWith(user.Email("clara.hoffmann@acme.example"))).OnlyX(ctx)
	require.Eventually(t, func() bool { return charges() == 2 }, time.Minute, 50*time.Millisecond)
	for _, c := range w.store.Charge.Query().Where(charge.AgentID(reader)).AllX(ctx) {
		require.Equal(t, seat.ID, c.MemberID)
		require.Equal(t, seat.UserID, c.UserID)
		require.Empty(t, c.KeyID)
	}
	// Whoever administers the scope has no seat: nobody pays, nothing answers.
	res, body = try(reader, says("hi", ""), csrf, "Cookie: "+w.signIn(t, w.env[demo.AdminEmail]).cookie)
	require.GreaterOrEqual(t, res.StatusCode, 400, body)
	require.Equal(t, 2, charges())

	// The draft's guardrail holds, and so do those of who pays.
	elena := w.signIn(t, "elena.rossi@acme.example")
	res, body = try(notes, says("my key is "+awsKey, ""), csrf, "Cookie: "+elena.cookie)
	require.Equal(t, http.StatusBadRequest, res.StatusCode, body)
	require.Contains(t, body, `"guardrail":"Secrets"`)
	res, body = try(reader, says("my key is "+awsKey, ""), csrf, "Cookie: "+clara.cookie)
	require.Equal(t, http.StatusOK, res.StatusCode, "its place has rules on personal data alone: %s", body)
}

// A call through an agent is guarded by what stands on the payer's path and by
// what the agent brings.
func TestAgentsBringTheirGuardrails(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	notes := w.agentOf(t, "Meeting notes")
	call := func(text string, headers ...string) (int, string) {
		more := `,"max_tokens":20`
		if len(headers) == 0 {
			more += fmt.Sprintf(`,"model":%q`, w.env[demo.CopilotModel])
		}
		res, body := w.send(t, http.MethodPost, w.url+"/v1/chat/completions", says(text, more),
			append([]string{"Content-Type: application/json", "Authorization: Bearer " + w.env[demo.CopilotKey]}, headers...)...)
		return res.StatusCode, body
	}
	through := "X-Cockpit-Agent: " + notes
	session := "X-Cockpit-Session: s1"
	status, body := call("my key is " + awsKey)
	require.Equal(t, http.StatusOK, status, body)
	status, body = call("my key is "+awsKey, through, session)
	require.Equal(t, http.StatusBadRequest, status, body)
	require.Contains(t, body, `"guardrail":"Secrets"`)
	require.NotContains(t, body, awsKey)
	status, body = call("hello", through, session)
	require.Equal(t, http.StatusOK, status, body)

	// What is assigned on the payer's path holds besides.
	admin := w.signIn(t, w.env[demo.AdminEmail])
	key := w.store.Scope.Query().Where(scope.KindEQ(scope.KindKEY), scope.PlaneEQ(scope.PlaneCOPILOT)).AllX(system(t))
	require.NotEmpty(t, key)
	made := admin.do(t, `mutation($i:GuardrailPresetCreateInput!){guardrailPresetCreate(input:$i){preset{id} errors{message}}}`, map[string]any{
		"scopeId": key[0].ID, "name": "No dragons", "rules": []any{map[string]any{"name": "Dragons", "detector": "WORDS", "action": "BLOCK", "words": []string{"dragon"}}}})
	org := w.store.Scope.Query().Where(scope.Name("Banking"), scope.PlaneEQ(scope.PlaneCOPILOT)).OnlyIDX(system(t))
	admin.do(t, `mutation($i:GuardrailAssignInput!){guardrailAssign(input:$i){preset{id} errors{message}}}`, map[string]any{"scopeId": org, "presetId": made["preset"].(map[string]any)["id"]})
	for text, guardrail := range map[string]string{"a dragon": "No dragons", "my key is " + awsKey: "Secrets"} {
		status, body = call(text, through, session)
		require.Equal(t, http.StatusBadRequest, status, body)
		require.Contains(t, body, fmt.Sprintf(`"guardrail":%q`, guardrail))
	}
}

func TestToolsNeedThePermissionOfATokensPerson(t *testing.T) {
	t.Parallel()
	w := tell(t, "--data", t.TempDir())
	const list = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`
	ask := func(token string) (int, string) {
		res, body := w.send(t, http.MethodPost, w.url+"/mcp", list, "Content-Type: application/json", "Accept: application/json, text/event-stream",
			"Authorization: Bearer "+token, "X-Cockpit-Team: "+w.seatTeam(t))
		return res.StatusCode, body
	}
	member := w.signIn(t, w.env[demo.MemberEmail])
	for _, permissions := range [][]string{{"read"}, {"read", "models.call"}} {
		personal := member.do(t, createToken, map[string]any{"name": strings.Join(permissions, " "), "permissions": permissions, "expiresInDays": 1})["token"].(string)
		for who, token := range map[string]string{"personal": personal, "exchanged": w.exchange(t, "scope", strings.Join(permissions, " "))} {
			status, body := ask(token)
			require.Equal(t, http.StatusForbidden, status, "%s: %s", who, body)
			require.Contains(t, body, "tools.call")
		}
	}
	personal := member.do(t, createToken, map[string]any{"name": "tools", "permissions": []string{"read", "tools.call"}, "expiresInDays": 1})["token"].(string)
	status, body := ask(personal)
	require.Equal(t, http.StatusOK, status, body)
}

// seatTeam is the team of the member's seat in Copilot.
func (w *world) seatTeam(t *testing.T) string {
	t.Helper()
	return w.store.Member.Query().Where(member.UserID(w.env[demo.MemberID]), member.PlaneEQ(member.PlaneCOPILOT)).OnlyX(system(t)).TeamID
}
