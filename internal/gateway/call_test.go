package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// ask is a call's body; demo steers the demo upstream.
func ask(model string, stream bool, more, demo string) string {
	if demo == "" {
		demo = "{}"
	}
	return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"hi"}],"stream":%t,"x_demo":%s%s}`, model, stream, demo, more)
}

// What the provider says it billed, the ledger must say too: for each request,
// to the token.
func TestTheLedgerSaysWhatTheProviderBilled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		long := strings.Repeat("All work and no play makes Jack a dull boy. ", 200)
		for _, more := range []string{``, `,"max_tokens":3`, `,"n":3,"max_completion_tokens":9`, `,"metadata":{"long":"` + long + `"}`, `,"tools":[{"type":"function","function":{"name":"` + long + `"}}]`} {
			for _, stream := range []bool{false, true} {
				for _, usage := range []string{`{}`, `{"usage":{"prompt_tokens":90,"completion_tokens":20,"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":30},"completion_tokens_details":{"reasoning_tokens":7}}}`} {
					w.chat(w.consoleKey, ask("demo-large", stream, more, usage))
					w.chat(w.copilotKey, ask("central", stream, more, usage))
					w.chat(w.consoleKey, ask("demo-thinking", stream, more, ""))
				}
			}
		}
		bills, charges := w.billed().Requests, w.charges()
		require.Len(t, charges, len(bills))
		for _, c := range charges {
			b := bills[c.RequestID]
			require.EqualValues(t, b.Prompt, c.InputTokens+c.CachedInputTokens+c.CacheWriteTokens)
			require.EqualValues(t, b.Cached, c.CachedInputTokens)
			require.EqualValues(t, b.CacheWrite, c.CacheWriteTokens)
			require.EqualValues(t, b.Completion, c.OutputTokens+c.ReasoningTokens)
			require.EqualValues(t, b.Reasoning, c.ReasoningTokens)
			require.Equal(t, "SETTLED", string(c.Kind))
			taken := c.Cost
			if c.FactorPpm > 0 {
				taken = c.Credits
			}
			require.LessOrEqual(t, taken, c.Held, "no call costs more than was held for it")
		}
		w.balanced()
	})
}

// However a call ends, it is charged by the rule, and no hold stays behind.
func TestNoEndLeavesAHold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		demo   string
		status int
		// kind of the charge; empty when the hold was released.
		kind string
		// atLeast says that the ledger may say more than the provider billed, never less.
		atLeast bool
		json    bool
	}{
		"upstream refuses":            {demo: `{"status":400}`, status: 400, json: true},
		"upstream fails":              {demo: `{"status":500}`, status: 502, json: true},
		"upstream limits":             {demo: `{"status":429,"retry_after":3}`, status: 429, json: true},
		"upstream recovers":           {demo: `{"status":503,"fail_attempts":1}`, status: 200, kind: "SETTLED"},
		"upstream drops the call":     {demo: `{"fail_before_bytes":true}`, status: 502, json: true},
		"no usage":                    {demo: `{"no_usage":true}`, status: 200, kind: "SETTLED", atLeast: true},
		"no usage, JSON":              {demo: `{"no_usage":true}`, status: 200, kind: "SETTLED", atLeast: true, json: true},
		"cut at once":                 {demo: `{"cut_after":1,"tokens":100}`, status: 200, kind: "SETTLED", atLeast: true},
		"cut in the middle":           {demo: `{"cut_after":50,"tokens":100}`, status: 200, kind: "SETTLED", atLeast: true},
		"garbage":                     {demo: `{"garbage":true}`, status: 200, kind: "IN_DOUBT", atLeast: true},
		"garbage, JSON":               {demo: `{"garbage":true}`, status: 502, kind: "IN_DOUBT", atLeast: true, json: true},
		"negative usage":              {demo: `{"usage":{"prompt_tokens":-1,"completion_tokens":5}}`, status: 200, kind: "SETTLED", json: true},
		"usage beyond what was asked": {demo: `{"usage":{"prompt_tokens":900,"completion_tokens":90000}}`, status: 200, kind: "SETTLED", json: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, storetest.Open(t), gateway.Options{})
			res := w.post(w.consoleKey, ask("demo-large", !c.json, "", c.demo))
			body, _ := io.ReadAll(res.Body)
			require.Equal(t, c.status, res.StatusCode, string(body))
			charges := w.charges()
			if c.kind == "" {
				require.Empty(t, charges)
				require.Contains(t, string(body), `"error"`)
			} else {
				require.Len(t, charges, 1)
				require.Equal(t, c.kind, string(charges[0].Kind))
			}
			if c.atLeast {
				bill := w.billed().Requests[charges[0].RequestID]
				require.GreaterOrEqual(t, charges[0].Cost, int64(bill.Prompt)*demoLarge.Input/1e6+int64(bill.Completion)*demoLarge.Output/1e6)
			}
			w.balanced()
		})
	}
}

func TestUpstreamThatCantBeReachedIsReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{Client: outbound.NewClient(nil)})
	res := w.post(w.consoleKey, ask("demo-small", false, "", ""))
	require.Equal(t, http.StatusBadGateway, res.StatusCode)
	require.Empty(t, w.charges())
	w.balanced()
}

func TestClientThatLeavesIsChargedWhatTheProviderBills(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{true, false} {
		w := newWorld(t, storetest.Open(t), gateway.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		demo := `{"tokens":40,"chunk_delay_ms":5,"latency_ms":1}`
		if !stream {
			demo = `{"tokens":40,"latency_ms":300}`
		}
		req := w.request(ctx, w.consoleKey, ask("demo-large", stream, "", demo))
		if stream {
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err)
			_, err = bufio.NewReader(res.Body).ReadString('\n')
			require.NoError(t, err)
			cancel()
			_ = res.Body.Close()
		} else {
			gone := make(chan error)
			go func() {
				_, err := http.DefaultClient.Do(req) //nolint:bodyclose // there is none
				gone <- err
			}()
			require.Eventually(t, func() bool { return w.billed().Calls == 1 }, 30*time.Second, 5*time.Millisecond)
			cancel()
			require.ErrorIs(t, <-gone, context.Canceled)
		}
		w.idle()
		charges := w.charges()
		require.Len(t, charges, 1)
		bill := w.billed().Requests[charges[0].RequestID]
		require.Equal(t, 40, bill.Completion, "the answer was read to its end")
		require.EqualValues(t, bill.Completion, charges[0].OutputTokens)
		require.EqualValues(t, bill.Prompt, charges[0].InputTokens)
		w.balanced()
	}
}

func TestDrainingEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{Timeouts: gateway.Timeouts{Drain: time.Millisecond}})
	ctx, cancel := context.WithCancel(t.Context())
	res, err := http.DefaultClient.Do(w.request(ctx, w.consoleKey, ask("demo-large", true, "", `{"tokens":100000,"chunk_delay_ms":20,"bill_on_cancel":true}`)))
	require.NoError(t, err)
	cancel()
	_ = res.Body.Close()
	w.idle()
	charges := w.charges()
	require.Len(t, charges, 1)
	require.Equal(t, "IN_DOUBT", string(charges[0].Kind), "the provider may have gone on")
	require.Equal(t, charges[0].Held, charges[0].Cost)
	w.balanced()
}

func TestUpstreamThatNeverAnswersStaysInDoubt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{Timeouts: gateway.Timeouts{Answer: 2 * time.Second}})
	res, f := w.refused(w.consoleKey, ask("demo-large", false, "", `{"latency_ms":600000}`))
	require.Equal(t, http.StatusGatewayTimeout, res.StatusCode)
	require.Equal(t, "upstream_timeout", f.Error.Code)
	require.Equal(t, "IN_DOUBT", string(w.charges()[0].Kind))
	w.balanced()
}

func TestStreamThatFallsSilentIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{Timeouts: gateway.Timeouts{Idle: 200 * time.Millisecond}})
	body := w.chat(w.consoleKey, ask("demo-large", true, "", `{"chunk_delay_ms":600000}`))
	require.Contains(t, body, `"upstream_failed"`)
	require.NotContains(t, body, "[DONE]")
	require.Equal(t, "SETTLED", string(w.charges()[0].Kind))
	w.balanced()
}

func TestCloseSettlesWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	var streams sync.WaitGroup
	for range 5 {
		res := w.post(w.consoleKey, ask("demo-large", true, "", `{"tokens":100000,"chunk_delay_ms":20}`))
		streams.Go(func() { _, _ = io.ReadAll(res.Body) })
	}
	w.gateway.Close()
	streams.Wait()
	require.Len(t, w.charges(), 5)
	w.balanced()
}

func TestStreamOnTheWire(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	for asked, more := range map[bool]string{false: "", true: `,"stream_options":{"include_usage":true}`} {
		res := w.post(w.copilotKey, ask("central", true, more, ""))
		require.Equal(t, "text/event-stream; charset=utf-8", res.Header.Get("Content-Type"))
		require.NotEmpty(t, res.Header.Get("X-Request-Id"))
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, asked, strings.Contains(string(body), `"usage":`), "the usage event is for those who asked")
		require.True(t, strings.HasSuffix(string(body), "data: [DONE]\n\n"))
		for _, comment := range []string{"\n: x-cockpit-cost: 0.0", "\n: x-cockpit-credits: 0.", "\n: x-cockpit-budget-remaining: "} {
			require.Contains(t, string(body), comment)
		}
	}
}

// The first event must reach the client while the upstream still works on the
// second: the upstream here waits for the test.
func TestStreamIsPassedOnAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	res := w.post(w.consoleKey, ask("demo-small", true, "", `{"chunk_delay_ms":600000}`))
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, `"role":"assistant"`)
	require.Equal(t, 1, w.billed().OpenStreams)
	w.gateway.Close()
}

func TestStreamsShareAConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	for range 20 {
		w.chat(w.consoleKey, ask("demo-small", true, "", ""))
	}
	require.Less(t, w.connections.Load(), int64(10), "a connection goes back to the pool after a stream")
}

func TestAnswerKeepsEveryByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	res := w.post(w.consoleKey, ask("demo-small", false, `,"n":2`, ""))
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.upstream+"/v1/chat/completions", strings.NewReader(ask("demo-small", false, `,"n":2`, "")))
	require.NoError(t, err)
	straight, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	want, err := io.ReadAll(straight.Body)
	require.NoError(t, err)
	require.NoError(t, straight.Body.Close())
	cut := func(b []byte) string {
		return string(b[:strings.Index(string(b), `"id":`)]) + string(b[strings.Index(string(b), `"model":`):])
	}
	require.Equal(t, cut(want), cut(got))
	charge := w.charges()[0]
	require.Equal(t, money.Nano(charge.Cost).String(), res.Header.Get("X-Cockpit-Cost"))
	require.Equal(t, charge.RequestID, res.Header.Get("X-Request-Id"))
	require.NotEmpty(t, res.Header.Get("X-Cockpit-Budget-Remaining"))
	require.Empty(t, res.Header.Get("X-Cockpit-Credits"), "Console knows no credits")
}

// Every address that can spend passes the gate: with a budget of zero nothing
// reaches the provider, through whichever door. A new door is covered by being
// on the list, and there is no other way in.
func TestEveryDoorPassesTheGate(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]bool{"POST /v1/chat/completions": true, "GET /v1/models": false}, gateway.Doors(),
		"a new door needs a place here, and in the order of steps of the others")
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	w.setBudget(w.teamID, 0)
	through := func(door, key string) *http.Response {
		return w.send(func() *http.Request {
			req := w.request(t.Context(), key, ask("demo-small", false, "", ""))
			req.Method, req.URL.Path, _ = strings.Cut(door, " ")
			return req
		})
	}
	for door, spends := range gateway.Doors() {
		require.Equal(t, http.StatusUnauthorized, through(door, "ck_console_wrong").StatusCode, door)
		if spends {
			require.Equal(t, http.StatusPaymentRequired, through(door, w.consoleKey).StatusCode, door)
		} else {
			require.Equal(t, http.StatusOK, through(door, w.consoleKey).StatusCode, door)
		}
	}
	for _, door := range []string{"POST /v1/embeddings", "POST /v1/responses", "POST /v1/completions", "POST /v1/models", "GET /v1/chat/completions", "POST /v1"} {
		require.Equal(t, http.StatusNotFound, through(door, w.consoleKey).StatusCode, door)
	}
	require.Zero(t, w.billed().Calls)

	w.setBudget(w.teamID, money.One)
	for door, spends := range gateway.Doors() {
		before := len(w.charges())
		require.Equal(t, http.StatusOK, through(door, w.consoleKey).StatusCode, door)
		require.Equal(t, spends, len(w.charges()) > before, door)
	}
}

func TestRefusedModelIsAudited(t *testing.T) {
	t.Parallel()
	events := make(chan audit.Event, 10)
	refusals := audit.NewRefusals(func(_ context.Context, e audit.Event) error {
		events <- e
		return nil
	}, time.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(refusals.Close)
	w := newWorld(t, storetest.Open(t), gateway.Options{Refusals: refusals})
	w.refused(w.consoleKey, ask("forbidden", false, "", ""))
	e := <-events
	require.Equal(t, []string{"model.call", "forbidden", w.consoleKeyID, w.consoleKeyID}, []string{e.Action, e.TargetName, e.ScopeID, e.Actor.ID})
}

func TestClosedGatewayTakesNoCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	w.gateway.Close()
	res, _ := w.refused(w.consoleKey, ask("demo-small", false, "", ""))
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.Zero(t, w.billed().Calls)
	w.balanced()
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	w := newWorld(t, storetest.Open(t), gateway.Options{Metrics: registry})
	w.chat(w.consoleKey, ask("demo-small", false, "", ""))
	w.chat(w.consoleKey, ask("demo-small", true, "", ""))
	w.refused(w.consoleKey, ask("nope", false, "", ""))
	want := map[string]float64{
		"cockpit_gateway_requests_total POST /v1/chat/completions 200": 2,
		"cockpit_gateway_requests_total POST /v1/chat/completions 404": 1,
		"cockpit_gateway_charges_total SETTLED":                        2,
		"cockpit_gateway_first_byte_seconds false":                     1,
		"cockpit_gateway_first_byte_seconds true":                      1,
		"cockpit_gateway_overhead_seconds":                             2,
		"cockpit_gateway_holds_open":                                   0,
	}
	// An answer arrives a moment before it is counted.
	require.Eventually(t, func() bool { return maps.Equal(want, gathered(t, registry)) }, 30*time.Second, 5*time.Millisecond)
}

func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	families, err := registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return got
}

func TestAttribution(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	send := func(header, value string) int {
		return w.send(func() *http.Request {
			req := w.request(t.Context(), w.consoleKey, ask("demo-small", false, "", ""))
			req.Header.Set("X-Cockpit-Session", "chat 7")
			req.Header.Set(header, value)
			return req
		}).StatusCode
	}
	require.Equal(t, http.StatusOK, send("X-Cockpit-Tags", "nightly, report,nightly,"))
	c := w.charges()[0]
	require.Equal(t, []string{"nightly", "report"}, c.Tags)
	require.Equal(t, "chat 7", c.SessionRef)
	require.Equal(t, []string{w.teamID, w.member.ID, w.consoleKeyID}, []string{c.TeamID, c.MemberID, c.KeyID})
	require.NotEmpty(t, c.UserID)
	require.Equal(t, http.StatusOK, send("X-Cockpit-Team", w.teamID))
	for header, value := range map[string]string{
		"X-Cockpit-Team": "team_other", "X-Cockpit-Session": strings.Repeat("s", 129), "X-Cockpit-Tags": strings.Repeat("t", 65),
	} {
		require.Equal(t, http.StatusBadRequest, send(header, value), header)
	}
	require.Len(t, w.charges(), 2)
}

// failure is the error of a reply, as an SDK reads it.
type failure struct {
	Error struct {
		Type, Code, Message string
		ScopeKind           string `json:"scopeKind"`
	}
}

// refused makes a call that must be refused, with an error in OpenAI's shape.
func (w *world) refused(key, body string) (*http.Response, failure) {
	w.t.Helper()
	res := w.post(key, body)
	var f failure
	require.NoError(w.t, json.NewDecoder(res.Body).Decode(&f))
	require.NotEmpty(w.t, f.Error.Message)
	require.NotEmpty(w.t, f.Error.Type)
	require.NotEmpty(w.t, res.Header.Get("X-Request-Id"))
	return res, f
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{MaxBody: 2000})
	for name, c := range map[string]struct {
		key, body string
		status    int
		code      string
	}{
		"no key":            {"", ask("demo-small", false, "", ""), 401, "invalid_api_key"},
		"unknown key":       {"ck_console_nope", ask("demo-small", false, "", ""), 401, "invalid_api_key"},
		"not JSON":          {w.consoleKey, `{`, 400, "invalid_request"},
		"too large":         {w.consoleKey, ask("demo-small", false, `,"x":"`+strings.Repeat("x", 3000)+`"`, ""), 413, "request_too_large"},
		"unknown model":     {w.consoleKey, ask("nope", false, "", ""), 404, "model_not_found"},
		"other plane's":     {w.consoleKey, ask("central", false, "", ""), 404, "model_not_found"},
		"not on its list":   {w.consoleKey, ask("forbidden", false, "", ""), 403, "model_not_granted"},
		"unbounded":         {w.consoleKey, ask("demo-small", false, `,"plugins":[]`, ""), 400, "unbounded_request"},
		"bad limit":         {w.consoleKey, ask("demo-small", false, `,"max_tokens":-1`, ""), 400, "invalid_request"},
		"beyond the budget": {w.consoleKey, ask("demo-large", false, `,"max_tokens":100000,"n":128`, ""), 402, "budget_exceeded"},
	} {
		res, f := w.refused(c.key, c.body)
		require.Equal(t, c.status, res.StatusCode, name)
		require.Equal(t, c.code, f.Error.Code, name)
	}
	res := w.send(func() *http.Request {
		req := w.request(t.Context(), w.consoleKey, ask("demo-small", false, "", ""))
		req.AddCookie(&http.Cookie{Name: "cockpit_session", Value: "x"})
		return req
	})
	require.Equal(t, http.StatusBadRequest, res.StatusCode, "credentials are never mixed")
	require.Zero(t, w.billed().Calls, "nothing refused goes out")
	require.Empty(t, w.charges())
	w.balanced()
}

func TestUsedUpBudgetNamesItselfAndItsRenewal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	w.setBudget(w.teamID, 0)
	res, f := w.refused(w.consoleKey, ask("demo-small", false, "", ""))
	require.Equal(t, http.StatusPaymentRequired, res.StatusCode)
	require.Equal(t, "insufficient_quota", f.Error.Type)
	require.Equal(t, "TEAM", f.Error.ScopeKind)
	require.Contains(t, f.Error.Message, "Everyone")
	require.Contains(t, f.Error.Message, "renews on")
	require.Contains(t, f.Error.Message, "ask an admin")
	require.Equal(t, "false", res.Header.Get("X-Should-Retry"))

	w.setBudget(w.teamID, 10*money.One)
	w.chat(w.consoleKey, ask("demo-small", false, "", ""))
	w.balanced()
}

func TestFrozenBudgetNamesItselfAndWhoResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	w.setBudget(w.teamID, 10*money.One)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := w.engine.Freeze(ctx, tx, w.teamID, "usr_x", "A runaway loop.")
		return err
	})
	res, f := w.refused(w.consoleKey, ask("demo-small", false, "", ""))
	require.Equal(t, http.StatusPaymentRequired, res.StatusCode)
	require.Equal(t, "insufficient_quota", f.Error.Type)
	require.Equal(t, "budget_frozen", f.Error.Code)
	require.Equal(t, "The budget of team Everyone is frozen: A runaway loop. An admin of a scope above it can resume it, or whoever froze it.", f.Error.Message)
	require.Equal(t, "false", res.Header.Get("X-Should-Retry"))
	require.Zero(t, w.billed().Calls)
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := w.engine.Resume(ctx, tx, w.teamID, "usr_x")
		return err
	})
	w.chat(w.consoleKey, ask("demo-small", false, "", ""))
	w.balanced()
}

func TestCallIsFittedBeforeItIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	body := ask("demo-large", false, "", `{"tokens":1000}`)
	// A prompt is held at its dearest class, the cache write.
	w.setBudget(w.teamID, money.Nano(int64(len(body))*demoLarge.Input*5/4/1e6+200*demoLarge.Output/1e6))
	res, _ := w.refused(w.consoleKey, ask("demo-large", false, `,"max_tokens":1000`, `{"tokens":1000}`))
	require.Equal(t, http.StatusPaymentRequired, res.StatusCode, "an explicit limit isn't lowered")

	w.chat(w.consoleKey, body)
	c := w.charges()[0]
	require.EqualValues(t, 200, c.OutputTokens, "lowered to what the budget pays")

	res, _ = w.refused(w.consoleKey, ask("demo-large", false, "", strings.Repeat(" ", 5000)+`{}`))
	require.Equal(t, http.StatusPaymentRequired, res.StatusCode, "not even the least fits")
	w.balanced()
}

func TestRequestsPerMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	key := w.newKey(2)
	for left := range 2 {
		res := w.post(key, ask("demo-small", false, "", ""))
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Equal(t, "2", res.Header.Get("X-Ratelimit-Limit-Requests"))
		require.Equal(t, fmt.Sprint(1-left), res.Header.Get("X-Ratelimit-Remaining-Requests"))
	}
	res, f := w.refused(key, ask("demo-small", false, "", ""))
	require.Equal(t, http.StatusTooManyRequests, res.StatusCode)
	require.Equal(t, "rate_limited", f.Error.Code)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.Equal(t, 2, w.billed().Calls)
	w.balanced()
}

// Parallel calls against a budget worth ten of them: never more than ten are
// settled and held, and with the refused ones retried exactly ten are charged.
func TestParallelCallsNeverPassTheLimit(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{})
		w.setBudget(w.teamID, 10*ceiling)
		var answered, refused atomic.Int64
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				res := w.post(w.consoleKey, ask("unpriced", false, `,"max_tokens":5`, ""))
				switch res.StatusCode {
				case http.StatusOK:
					answered.Add(1)
				case http.StatusPaymentRequired:
					refused.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 10, answered.Load())
		require.EqualValues(t, 190, refused.Load())
		require.Len(t, w.charges(), 10)
		require.Equal(t, 10, w.billed().Calls)
		w.balanced()
	})
}

func TestRevokedKeyEndsItsStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	res := w.post(w.consoleKey, ask("demo-large", true, "", `{"tokens":400,"chunk_delay_ms":5}`))
	w.revokeConsoleKey()
	body, err := io.ReadAll(res.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF, "the connection is cut")
	require.Contains(t, string(body), `"invalid_api_key"`)
	require.NotContains(t, string(body), "[DONE]")
	w.idle()
	require.EqualValues(t, w.billed().Billed.Completion, w.charges()[0].OutputTokens)
	w.balanced()
}

// A stream in which nothing happens is cut all the same, and an answer that
// comes after the revocation is kept back; both are charged.
func TestRevokedKeyGetsNothingMore(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, gateway.Options{Timeouts: gateway.Timeouts{Drain: time.Second}})
		silent := w.post(w.consoleKey, ask("demo-large", true, "", `{"tokens":3,"chunk_delay_ms":60000}`))
		late := make(chan *http.Response, 1)
		go func() { late <- w.post(w.consoleKey, ask("demo-large", false, "", `{"latency_ms":3000}`)) }()
		require.Eventually(t, func() bool { return st.Hold.Query().CountX(system()) == 2 }, 10*time.Second, 5*time.Millisecond)
		w.revokeConsoleKey()
		body, err := io.ReadAll(silent.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Contains(t, string(body), `"invalid_api_key"`)
		res := <-late
		require.Equal(t, http.StatusUnauthorized, res.StatusCode)
		body, err = io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NotContains(t, string(body), "choices")
		w.idle()
		kinds := map[string]int{}
		for _, c := range w.charges() {
			kinds[string(c.Kind)]++
		}
		require.Equal(t, map[string]int{"SETTLED": 1, "IN_DOUBT": 1}, kinds)
		w.balanced()
	})
}

// While revocations can't be learned of, a stream is held back, and ends where
// it stays so.
func TestStreamWaitsWhileNobodyCanTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{Timeouts: gateway.Timeouts{Drain: time.Second}})
	res := w.post(w.consoleKey, ask("demo-large", true, "", `{"tokens":4000,"chunk_delay_ms":5}`))
	lines := bufio.NewReader(res.Body)
	_, err := lines.ReadString('\n')
	require.NoError(t, err)
	w.blind()
	stopped := time.Now().Add(1200 * time.Millisecond) // a second, and what was on its way
	for {
		_, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		if time.Now().After(stopped) {
			rest, _ := io.ReadAll(lines)
			require.Less(t, len(rest), 600, "nothing but the error comes: %s", rest)
			break
		}
	}
	w.idle()
	w.balanced()
}

func TestModelsListsWhatTheKeyCanUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), gateway.Options{})
	res := w.send(func() *http.Request {
		req := w.request(t.Context(), w.consoleKey, "")
		req.Method, req.URL.Path = http.MethodGet, "/v1/models"
		return req
	})
	var got struct {
		Object string
		Data   []struct{ ID, Object string }
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&got))
	require.Equal(t, "list", got.Object)
	var names []string
	for _, m := range got.Data {
		require.Equal(t, "model", m.Object)
		names = append(names, m.ID)
	}
	require.Equal(t, []string{"demo-large", "demo-small", "demo-thinking", "unpriced"}, names)
}
