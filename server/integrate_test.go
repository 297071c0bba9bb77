package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/demo"
)

// A guide's blocks: ```graphql as=admin, followed by ```json variables where it
// takes some, ```sh and ```js.
var block = regexp.MustCompile("(?ms)^```(graphql|json|sh|js)([^\n]*)\n(.*?)^```")

var operationName = regexp.MustCompile(`^(?:query|mutation|subscription) (\w+)`)

// follower does what a guide says, in its order, against the demo.
type follower struct {
	t     *testing.T
	c     *cockpit
	state string // the shell's variables, between its blocks
	// bearers are tokens and cookies by who is meant: member, admin.
	admin, member string
	answers       map[string]any
}

// The guides for those who move to Cockpit are true: every operation works and
// brings what it asks for, every command ends well.
func TestIntegrationGuides(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl", "jq", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s isn't installed", tool)
		}
	}
	guides, err := filepath.Glob("../docs/integrate/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, guides)
	slices.Reverse(guides) // alchemi-web's connects the tool that alchemi-ai's calls
	c := serve(t, t.TempDir(), nil, "--log-level", "error", "--allow-networks", "127.0.0.0/8")
	today := time.Now().UTC().Truncate(24 * time.Hour)
	c.env["YESTERDAY"], c.env["TOMORROW"] = today.AddDate(0, 0, -1).Format(time.RFC3339), today.AddDate(0, 0, 1).Format(time.RFC3339)
	for _, guide := range guides {
		text, err := os.ReadFile(guide)
		require.NoError(t, err)
		f := &follower{t: t, c: c, state: filepath.Join(t.TempDir(), "state"), answers: map[string]any{}}
		require.NoError(t, os.WriteFile(f.state, nil, 0o600))
		f.signIn()
		blocks := block.FindAllStringSubmatch(string(text), -1)
		require.Greater(t, len(blocks), 5, guide)
		for i, b := range blocks {
			switch b[1] {
			case "sh":
				f.shell(b[3])
			case "js":
				file := filepath.Join(t.TempDir(), "example.mjs")
				require.NoError(t, os.WriteFile(file, []byte(b[3]), 0o600))
				f.shell("node " + file)
			case "graphql":
				variables := map[string]any{}
				if i+1 < len(blocks) && blocks[i+1][1] == "json" && strings.Contains(blocks[i+1][2], "variables") {
					require.NoError(t, json.Unmarshal([]byte(blocks[i+1][3]), &variables), blocks[i+1][3])
				}
				f.run(b[3], strings.Contains(b[2], "as=admin"), f.filled(variables).(map[string]any))
			}
		}
		f.sameTools()
	}
	c.stop(t)
}

func (f *follower) post(path, contentType, body string, header ...string) *http.Response {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.c.env[demo.URL]+path, strings.NewReader(body))
	require.NoError(f.t, err)
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(r)
	require.NoError(f.t, err)
	f.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func (f *follower) read(res *http.Response) map[string]any {
	f.t.Helper()
	var out map[string]any
	require.NoError(f.t, json.NewDecoder(res.Body).Decode(&out))
	return out
}

func (f *follower) signIn() {
	env := f.c.env
	body, err := json.Marshal(map[string]any{"query": `mutation($e: String!, $p: String!) { sessionCreate(input: {email: $e, password: $p}) { errors { message } } }`,
		"variables": map[string]any{"e": env[demo.AdminEmail], "p": env[demo.Password]}})
	require.NoError(f.t, err)
	res := f.post("/graphql", "application/json", string(body))
	require.Len(f.t, res.Cookies(), 1)
	f.admin = res.Cookies()[0].Name + "=" + res.Cookies()[0].Value
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {env[demo.MemberID]},
		"subject_token_type": {"urn:cockpit:params:oauth:token-type:user_id"}}
	res = f.post("/oauth/token", "application/x-www-form-urlencoded", form.Encode(),
		"Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(env[demo.ClientID]+":"+env[demo.ClientSecret])))
	require.Equal(f.t, http.StatusOK, res.StatusCode)
	f.member = f.read(res)["access_token"].(string)
}

// shell runs a block; what it assigns is there for the next one.
func (f *follower) shell(script string) {
	f.t.Helper()
	cmd := exec.CommandContext(f.t.Context(), "bash", "-c", "set -euo pipefail; set -a; . "+f.state+"\nset -x\n"+script+"\nset +x; export -p > "+f.state)
	cmd.Env = os.Environ()
	for name, value := range f.c.env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	require.NoError(f.t, err, "%s\n%s", script, out)
}

// filled puts in what variables stand for: "$COCKPIT_MODEL" of the demo, or
// "$MakeAgent.agentCreate.agent.id" of an earlier answer.
func (f *follower) filled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = f.filled(v[k])
		}
	case []any:
		for i := range v {
			v[i] = f.filled(v[i])
		}
	case string:
		name, ok := strings.CutPrefix(v, "$")
		if !ok {
			return v
		}
		if value, known := f.c.env[name]; known {
			return value
		}
		at := any(f.answers)
		for part := range strings.SplitSeq(name, ".") {
			if list, ok := at.([]any); ok {
				i, err := strconv.Atoi(part)
				require.NoError(f.t, err, v)
				require.Less(f.t, i, len(list), v)
				at = list[i]
			} else {
				at = at.(map[string]any)[part]
			}
			require.NotNil(f.t, at, "%s: nothing was answered at %s", v, part)
		}
		return at
	}
	return v
}

func (f *follower) run(text string, asAdmin bool, variables map[string]any) {
	f.t.Helper()
	name := operationName.FindStringSubmatch(text)
	require.NotNil(f.t, name, "operations of the guides have names: %s", text)
	if strings.HasPrefix(text, "subscription") {
		f.subscribe(text, variables)
		return
	}
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	require.NoError(f.t, err)
	header := []string{"Authorization", "Bearer " + f.member}
	if asAdmin {
		header = []string{"Cookie", f.admin, "X-Cockpit-CSRF", "1"}
	}
	var out map[string]any
	for range 40 { // what was just changed is everywhere within a second
		out = f.read(f.post("/graphql", "application/json", string(body), header...))
		if f.whole(out) || strings.HasPrefix(text, "mutation") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.True(f.t, f.whole(out), "%s\n%v\n%v", text, variables, out)
	f.answers[name[1]] = out["data"]
}

// whole is an answer without errors, in which nothing that was asked for is
// null, two levels deep, and no list of a page is empty.
func (f *follower) whole(out map[string]any) bool {
	data, _ := out["data"].(map[string]any)
	if out["errors"] != nil || len(data) == 0 {
		return false
	}
	for _, field := range data {
		inner, ok := field.(map[string]any)
		if !ok {
			if list, isList := field.([]any); !isList || len(list) == 0 {
				return false
			}
			continue
		}
		for name, value := range inner {
			list, isList := value.([]any)
			switch {
			case name == "errors" && len(list) > 0, value == nil, name == "edges" && len(list) == 0:
				return false
			case isList || name == "errors":
			default:
				if page, ok := value.(map[string]any); ok && page["edges"] != nil && len(page["edges"].([]any)) == 0 {
					return false
				}
			}
		}
	}
	return true
}

func (f *follower) subscribe(text string, variables map[string]any) {
	f.t.Helper()
	c, _, err := (&websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}).DialContext(f.t.Context(), strings.Replace(f.c.env[demo.URL], "http", "ws", 1)+"/graphql", nil)
	require.NoError(f.t, err)
	defer func() { _ = c.Close() }()
	require.NoError(f.t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	require.NoError(f.t, c.WriteJSON(map[string]any{"type": "connection_init", "payload": map[string]any{"Authorization": "Bearer " + f.member}}))
	require.NoError(f.t, c.WriteJSON(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": text, "variables": variables}}))
	for {
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		require.NoError(f.t, c.ReadJSON(&m), text)
		switch m.Type {
		case "connection_ack", "ping", "pong":
			continue
		}
		require.Equal(f.t, "next", m.Type, "%s", m.Payload)
		require.False(f.t, bytes.Contains(m.Payload, []byte(`"errors"`)), "%s", m.Payload)
		return
	}
}

// sameTools holds viewer.tools against what /mcp lists for the same person.
func (f *follower) sameTools() {
	f.t.Helper()
	body, err := json.Marshal(map[string]any{"query": `{ viewer { tools(first: 100) { edges { node { callName description inputSchema } } } } }`})
	require.NoError(f.t, err)
	var shown []string
	edges := f.read(f.post("/graphql", "application/json", string(body), "Authorization", "Bearer "+f.member))["data"].(map[string]any)["viewer"].(map[string]any)["tools"].(map[string]any)["edges"].([]any)
	for _, e := range edges {
		n := e.(map[string]any)["node"].(map[string]any)
		shown = append(shown, fmt.Sprint(n["callName"], n["description"], f.form(n["inputSchema"].(string))))
	}
	var listed []string
	res := f.post("/mcp", "application/json", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}`,
		"Authorization", "Bearer "+f.member, "Accept", "application/json, text/event-stream")
	require.Equal(f.t, http.StatusOK, res.StatusCode)
	for _, tool := range f.read(res)["result"].(map[string]any)["tools"].([]any) {
		m := tool.(map[string]any)
		schema, err := json.Marshal(m["inputSchema"])
		require.NoError(f.t, err)
		listed = append(listed, fmt.Sprint(m["name"], m["description"], f.form(string(schema))))
	}
	require.NotEmpty(f.t, listed)
	require.True(f.t, slices.Equal(listed, shown), "%v\n%v", listed, shown)
}

// form is JSON in the one form that can be compared.
func (f *follower) form(text string) string {
	var v any
	require.NoError(f.t, json.Unmarshal([]byte(text), &v))
	out, err := json.Marshal(v)
	require.NoError(f.t, err)
	return string(out)
}
