package gateway_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// guard assigns a new preset to a scope of Console.
func (w *world) guard(at *ent.Scope, name, moderation, rules string) {
	w.t.Helper()
	var p detect.Preset
	require.NoError(w.t, json.Unmarshal([]byte(rules), &p))
	w.write(func(ctx context.Context, tx *store.Tx) error {
		key := "sk-moderation-1234"
		row, err := w.guards.Create(ctx, tx, w.root, guardrail.Input{Name: &name, Rules: &p, ModerationURL: &moderation, ModerationSecret: &key})
		require.NoError(w.t, err)
		_, err = w.guards.Assign(ctx, tx, at, row.ID)
		return err
	})
	w.guards.Changed(w.root.AccountID, tenancy.Console)
}

const mail = `{"rules":[{"name":"Mail","detector":"EMAIL","action":%q,"direction":%q}]}`

// scripted is a body that has the upstream answer as scripted.
func scripted(content, demo string) string {
	text, _ := json.Marshal(content) //nolint:errchkjson // a string
	return fmt.Sprintf(`{"model":"demo-small",  "messages":[{"role":"user","content":%s}],"x_demo":%s}`, text, demo)
}

func (w *world) blocked(body string) string {
	w.t.Helper()
	res := w.post(w.consoleKey, body)
	answer, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusBadRequest, res.StatusCode, string(answer))
	var out struct {
		Error struct{ Code, Message, Guardrail, Rule string }
	}
	require.NoError(w.t, json.Unmarshal(answer, &out))
	require.Equal(w.t, "guardrail_blocked", out.Error.Code)
	require.NotContains(w.t, string(answer), "example.com", "what was found isn't told")
	return out.Error.Guardrail + "/" + out.Error.Rule
}

// said is what a stream's deltas say, by choice, and its error's code.
func said(t *testing.T, stream string) (texts map[int]string, code string) {
	t.Helper()
	texts = map[int]string{}
	for event := range strings.SplitSeq(stream, "\n\n") {
		data, ok := strings.CutPrefix(event, "data: ")
		if !ok || data == "[DONE]" || strings.HasPrefix(data, ": ") {
			continue
		}
		var e struct {
			Error   *struct{ Code string }
			Choices []struct {
				Index int
				Delta struct {
					Content   string
					ToolCalls []struct{ Function struct{ Arguments string } } `json:"tool_calls"`
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(data), &e), data)
		if e.Error != nil {
			code = e.Error.Code
		}
		for _, c := range e.Choices {
			texts[c.Index] += c.Delta.Content
			for _, call := range c.Delta.ToolCalls {
				texts[c.Index] += call.Function.Arguments
			}
		}
	}
	return texts, code
}

func TestGuardrailsOnInput(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		var mu sync.Mutex
		var recorded []audit.Event
		refusals := audit.NewRefusals(func(_ context.Context, e audit.Event) error {
			mu.Lock()
			defer mu.Unlock()
			recorded = append(recorded, e)
			return nil
		}, st.Now, slog.New(slog.DiscardHandler))
		t.Cleanup(refusals.Close)
		w := newWorld(t, st, gateway.Options{Refusals: refusals})
		body := scripted("mail ada@example.com <now>", `{"echo":true}`)
		require.Contains(t, w.chat(w.consoleKey, body), "ada@example.com", "nothing guards the call")

		w.guard(w.team, "PII", "", fmt.Sprintf(mail, "REDACT", "INPUT"))
		w.guard(w.root, "Count", "", `{"rules":[{"name":"Now","detector":"WORDS","words":["now"],"action":"FLAG","direction":"INPUT"}]}`)
		answer := w.chat(w.consoleKey, body)
		require.Contains(t, answer, `mail [redacted:email] \u003cnow\u003e`, "the rest came as it was sent")
		require.NotContains(t, answer, "example.com")
		// The same text as a tool's result, escaped, and in parts.
		for _, message := range []string{
			`{"role":"user","content":"data:text/plain;base64,ada@example.com"}`,
			`{"role":"tool","tool_call_id":"c","content":"ada@example.com"}`, `{"role":"user","content":[{"type":"text","text":"ada\u0040example.com"}]}`,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"to\":\"ada@example.com\"}"}}]}`,
			`{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"to\":\"ada\\u0040example.com\"}"}}]}`,
			`{"role":"tool","tool_call_id":"c","content":"[{\"to\":\"\\u0061da\\u0040example.com\"}]"}`,
		} {
			answer := w.chat(w.consoleKey, `{"model":"demo-small","messages":[`+message+`],"x_demo":{"echo":true}}`)
			require.Contains(t, answer, "[redacted:email]")
			require.NotContains(t, answer, "example.com")
		}
		n := len(w.charges())
		w.guard(w.member, "Strict", "", fmt.Sprintf(mail, "BLOCK", "BOTH"))
		require.Equal(t, "Strict/Mail", w.blocked(body), "what holds below is added")
		require.Len(t, w.charges(), n, "nothing was held or charged")
		w.balanced()

		refusals.Close()
		mu.Lock()
		defer mu.Unlock()
		told := map[string]bool{}
		for _, e := range recorded {
			told[e.Action+" "+e.TargetName+" "+e.Reason] = true
			require.Equal(t, w.consoleKeyID, e.ScopeID)
		}
		require.Equal(t, map[string]bool{"guardrail.redact PII INPUT Mail": true, "guardrail.flag Count INPUT Now": true, "guardrail.block Strict INPUT Mail": true}, told)
	})
}

func TestGuardrailsOnOutput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	const demo = `{"say":"write to ada@example.com or bob@example.com, please"%s}`
	const clean = "write to [redacted:email] or [redacted:email], please"
	w.guard(w.root, "PII", "", fmt.Sprintf(mail, "REDACT", "OUTPUT"))
	streamed := func(body string) string { return strings.Replace(body, "{", `{"stream":true,"n":2,`, 1) }
	for _, more := range []string{"", `,"call":true`} {
		body := scripted("hi", fmt.Sprintf(demo, more))
		require.Contains(t, w.chat(w.consoleKey, body), clean)
		texts, code := said(t, w.chat(w.consoleKey, streamed(body)))
		require.Equal(t, map[int]string{0: clean, 1: clean}, texts)
		require.Empty(t, code)
	}
	// A tool's arguments as they are read, without the escapes that the model spells.
	args := scripted("hi", `{"call":true,"say":"{\"to\":\"ada\\u0040example.com\",\"n\":\"\\\"\"}"}`)
	require.Contains(t, w.chat(w.consoleKey, args), `{\"to\":\"[redacted:email]\",\"n\":\"\\\"\"}`)
	texts, _ := said(t, w.chat(w.consoleKey, streamed(args)))
	require.JSONEq(t, `{"to":"[redacted:email]","n":"\""}`, texts[1])
	// A text that ends in the middle of a match comes to its end all the same.
	texts, _ = said(t, w.chat(w.consoleKey, streamed(scripted("hi", `{"say":"I am ada@exam"}`))))
	require.Equal(t, map[int]string{0: "I am ada@exam", 1: "I am ada@exam"}, texts)

	w.guard(w.team, "Strict", "", `{"rules":[{"name":"Bob","detector":"REGEX","pattern":"bob@[a-z.]+","action":"BLOCK","direction":"OUTPUT"}]}`)
	n := len(w.charges())
	require.Equal(t, "Strict/Bob", w.blocked(scripted("hi", fmt.Sprintf(demo, ""))))
	require.Len(t, w.charges(), n+1, "the provider made the answer")
	res := w.post(w.consoleKey, strings.Replace(scripted("hi", fmt.Sprintf(demo, "")), "{", `{"stream":true,`, 1))
	answer, _ := io.ReadAll(res.Body) // the connection is cut after the error
	texts, code := said(t, string(answer))
	require.Equal(t, map[int]string{0: "write to [redacted:email] or "}, texts)
	require.Equal(t, "guardrail_blocked", code)
	require.NotContains(t, string(answer), "[DONE]")
	w.idle()
	require.Len(t, w.charges(), n+2)
	w.balanced()
}

func TestOutsideModeration(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	service := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var in struct{ Input string }
		if down.Load() || json.NewDecoder(r.Body).Decode(&in) != nil || r.Header.Get("Authorization") != "Bearer sk-moderation-1234" {
			rw.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = fmt.Fprintf(rw, `{"results":[{"flagged":%t,"categories":{}}]}`, strings.Contains(in.Input, "harm"))
	}))
	t.Cleanup(service.Close)
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	w.guard(w.root, "Outside", service.URL, `{"rules":[],"moderation":{"direction":"BOTH","timeoutMs":10000,"failOpen":false}}`)
	fine, harmful := scripted("hi", `{"echo":true}`), scripted("do harm", `{"echo":true}`)
	require.Contains(t, w.chat(w.consoleKey, fine), "hi")
	require.Equal(t, "Outside/Moderation", w.blocked(harmful))
	stream := strings.Replace(scripted("hi", `{"tokens":3000}`), "{", `{"stream":true,`, 1)
	texts, code := said(t, w.chat(w.consoleKey, stream))
	require.Empty(t, code)
	require.Len(t, texts[0], 12_000)
	down.Store(true)
	res := w.post(w.consoleKey, fine)
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode, "it fails closed")
	w.balanced()
}

func TestGuardsHoldAtAPlaceAndBelow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	look := func(d detect.Direction, at *ent.Scope) (string, error) {
		set, err := w.guards.For(t.Context(), guardrail.Subject{AccountID: w.root.AccountID, Plane: tenancy.Console, Path: at.Path})
		require.NoError(t, err)
		l := set.Look(d)
		if l == nil {
			return "ada@example.com", nil
		}
		return l.Text("ada@example.com"), l.End(t.Context())
	}
	check := func(d detect.Direction, at *ent.Scope) string {
		text, err := look(d, at)
		require.NoError(t, err)
		return text
	}
	w.guard(w.team, "PII", "", fmt.Sprintf(mail, "REDACT", "OUTPUT"))
	require.Equal(t, "[redacted:email]", check(detect.Output, w.member))
	require.Equal(t, "ada@example.com", check(detect.Input, w.member))
	require.Equal(t, "ada@example.com", check(detect.Output, w.root), "what is assigned below doesn't hold above")
	w.guard(w.root, "Strict", "", fmt.Sprintf(mail, "BLOCK", "BOTH"))
	_, err := look(detect.Input, w.member)
	require.ErrorContains(t, err, "GUARDRAIL_BLOCKED")
}
