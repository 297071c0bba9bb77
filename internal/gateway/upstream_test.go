package gateway

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/demo/upstream"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/outbound"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// sender is a gateway as far as sending needs it.
func sender(o Options) *Gateway {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Gateway{Options: o}
}

func newUpstream(t testing.TB, keys ...string) string {
	t.Helper()
	s := httptest.NewServer(upstream.Handler(keys...))
	t.Cleanup(s.Close)
	return s.URL
}

func billed(t testing.TB, url string) upstream.Stats {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/demo/stats?requests=true", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	var s upstream.Stats
	require.NoError(t, json.NewDecoder(res.Body).Decode(&s))
	return s
}

// called tells whether the upstream has begun a call; it may run beside a test.
func called(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/demo/stats", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = res.Body.Close() }()
	var s upstream.Stats
	return json.NewDecoder(res.Body).Decode(&s) == nil && s.Calls > 0
}

func TestSendRetriesOnlyWhatCostNothing(t *testing.T) {
	t.Parallel()
	for demo, want := range map[string]struct {
		attempts   int
		status     int // 0 for an answer
		code       fault.Code
		retryAfter int64
		doubt      bool
	}{
		`{}`:                               {attempts: 1},
		`{"status":503,"fail_attempts":1}`: {attempts: 2},
		`{"status":429,"fail_attempts":1}`: {attempts: 2},
		`{"status":500}`:                   {attempts: 2, status: 502, code: upstreamFailed},
		`{"status":429}`:                   {attempts: 2, status: 429, code: fault.RateLimited},
		`{"status":429,"retry_after":7}`:   {attempts: 1, status: 429, code: fault.RateLimited, retryAfter: 7},
		`{"status":400}`:                   {attempts: 1, status: 400, code: invalidRequest},
		`{"status":404}`:                   {attempts: 1, status: 400, code: invalidRequest},
		`{"status":402}`:                   {attempts: 1, status: 502, code: upstreamFailed},
		`{"status":501}`:                   {attempts: 1, status: 502, code: upstreamFailed},
		`{"fail_before_bytes":true}`:       {attempts: 1, status: 502, code: upstreamFailed},
		`{"latency_ms":600000}`:            {attempts: 1, status: 504, code: upstreamTimeout, doubt: true},
	} {
		t.Run(demo, func(t *testing.T) {
			t.Parallel()
			url := newUpstream(t)
			g := sender(Options{Client: outbound.NewClient(loopback)})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if want.doubt {
				go func() {
					for ctx.Err() == nil && !called(ctx, url) {
						time.Sleep(5 * time.Millisecond)
					}
					cancel()
				}()
			}
			body := `{"model":"demo-small",` + hi + `,"x_demo":` + demo + `}`
			res, f := g.send(ctx, target{baseURL: url + "/v1/"}, []byte(body), "req_1", false)
			stats := billed(t, url)
			require.Equal(t, want.attempts, stats.Requests["req_1"].Attempts)
			if want.status == 0 {
				require.Nil(t, f)
				require.NoError(t, res.Body.Close())
				return
			}
			require.Equal(t, want.code, f.fault.Code)
			require.Equal(t, want.doubt, f.doubt)
			status, _ := errorBody(f.fault)
			require.Equal(t, want.status, status)
			if want.retryAfter > 0 {
				require.Equal(t, want.retryAfter, f.fault.Data["retryAfterSeconds"])
			}
			require.Zero(t, stats.Billed.Prompt, "failures weren't billed")
		})
	}
}

func TestSendKeepsTheProvidersCredential(t *testing.T) {
	t.Parallel()
	url := newUpstream(t, "sk-right")
	g := sender(Options{Client: outbound.NewClient(loopback)})
	body := []byte(`{"model":"demo-small",` + hi + `}`)
	res, f := g.send(t.Context(), target{baseURL: url + "/v1", secret: "sk-right"}, body, "req_1", false)
	require.Nil(t, f)
	require.NoError(t, res.Body.Close())
	_, f = g.send(t.Context(), target{baseURL: url + "/v1", secret: "sk-wrong"}, body, "req_2", false) //nolint:bodyclose // there is none
	require.Equal(t, upstreamFailed, f.fault.Code, "not 401: the caller's own key is right")
	require.NotContains(t, f.fault.Message, "sk-wrong")
}

func TestSendCantReachInnerNetworks(t *testing.T) {
	t.Parallel()
	url := newUpstream(t)
	g := sender(Options{Client: outbound.NewClient(nil)})
	_, f := g.send(t.Context(), target{baseURL: url}, []byte(`{}`), "req_1", false) //nolint:bodyclose // there is none
	require.ErrorIs(t, f.fault, outbound.ErrForbidden)
	require.False(t, f.again || f.doubt)
	require.Zero(t, billed(t, url).Calls)

	g = sender(Options{Client: outbound.NewClient(loopback)})
	_, f = g.send(t.Context(), target{baseURL: "http://127.0.0.1:1"}, []byte(`{}`), "req_1", false) //nolint:bodyclose // there is none
	require.Equal(t, upstreamFailed, f.fault.Code)
	require.True(t, f.again)
	require.False(t, f.doubt, "what never left can't be billed")
}

func TestPooledConnectionThatClosesIsTriedAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if calls++; calls == 2 {
			panic(http.ErrAbortHandler)
		}
	}))
	t.Cleanup(s.Close)
	g := sender(Options{Client: outbound.NewClient(loopback)})
	for range 2 {
		res, f := g.send(t.Context(), target{baseURL: s.URL}, []byte(`{}`), "req_1", false)
		require.Nil(t, f)
		require.NoError(t, res.Body.Close())
	}
	require.Equal(t, 3, calls)
}

// A connection that breaks while the provider works leaves the call in doubt, also
// a pooled one: it isn't made again, for it may be billed.
func TestAConnectionThatBreaksUnderWorkIsInDoubt(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	var calls atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if calls.Add(1) == 1 {
			return // the connection goes into the pool
		}
		now.Add(int64(time.Minute))
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(s.Close)
	g := sender(Options{Client: outbound.NewClient(loopback), Now: func() time.Time { return time.Unix(0, now.Load()) }})
	call := func() (*http.Response, *failure) {
		return g.send(t.Context(), target{baseURL: s.URL}, []byte(`{}`), "req_1", false)
	}
	res, f := call()
	require.Nil(t, f)
	require.NoError(t, res.Body.Close())
	_, f = call()
	require.NotNil(t, f)
	require.True(t, f.doubt)
	require.Equal(t, upstreamFailed, f.fault.Code)
	require.EqualValues(t, 2, calls.Load(), "it isn't made again")
}

func TestLimitName(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"https://api.openai.com/v1": "max_completion_tokens", "https://eu.api.openai.com/v1": "max_completion_tokens",
		"https://x.openai.azure.com/openai/v1": "max_completion_tokens", "https://api.mistral.ai/v1": "max_tokens",
		"http://localhost:11434/v1": "max_tokens", "https://api.openai.com.evil.example": "max_tokens", ":": "max_tokens",
	} {
		require.Equal(t, want, limitNameOf(url), url)
	}
	require.True(t, strings.HasPrefix(string(must(parse([]byte(`{"model":"m"}`))).rewrite("m", "max_completion_tokens", 5)), `{"max_completion_tokens":5,`))
}

func must(q *request, e *fault.Error) *request {
	if e != nil {
		panic(e)
	}
	return q
}
