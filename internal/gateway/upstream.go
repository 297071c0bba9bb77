package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/outbound"
)

const (
	// maxAnswer bounds an answer that isn't a stream, in bytes.
	maxAnswer = 32 << 20
	// maxErrorBody bounds what is read of an upstream's error.
	maxErrorBody = 64 << 10
)

// target is where a call goes.
type target struct {
	baseURL, secret, model string
	// limitName is the output limit's name that the upstream obeys.
	limitName string
}

// limitNameOf knows the few upstreams that want the newer name; all others
// obey the older one, and some know no other.
func limitNameOf(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return "max_tokens"
	}
	host := strings.ToLower(u.Hostname())
	if host == "api.openai.com" || strings.HasSuffix(host, ".api.openai.com") || strings.HasSuffix(host, ".openai.azure.com") {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

// failure is a call that brought no answer.
type failure struct {
	fault *fault.Error
	// again allows another attempt: nothing was done yet, nor billed.
	again bool
	// doubt says that the upstream may have worked, and may bill it.
	doubt bool
}

// elsewhere tells whether another model may answer: only what is wrong with the
// request itself is wrong everywhere.
func (f *failure) elsewhere() bool { return f.fault.Code != invalidRequest }

// send calls the upstream, a second time where that is safe: nobody has seen a
// byte yet, and the first attempt cost nothing. The answer has status 200.
func (g *Gateway) send(ctx context.Context, to target, body []byte, requestID string, stream bool) (*http.Response, *failure) {
	for attempt := 1; ; attempt++ {
		sent := trace{now: g.Now}
		res, err := g.post(sent.watch(ctx), to, body, requestID, stream)
		var f *failure
		switch {
		case err != nil:
			f = unreachable(err, &sent)
		case res.StatusCode == http.StatusOK:
			return res, nil
		default:
			f = rejected(res)
		}
		if !f.again || attempt == 2 || !sleep(ctx, 50*time.Millisecond+rand.N(100*time.Millisecond)) {
			return nil, f
		}
	}
}

func (g *Gateway) post(ctx context.Context, to target, body []byte, requestID string, stream bool) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(to.baseURL, "/")+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "cockpit")
	h.Set("X-Client-Request-Id", requestID)
	if to.secret != "" {
		h.Set("Authorization", "Bearer "+to.secret)
	}
	if stream {
		h.Set("Accept", "text/event-stream")
	}
	return g.Client.Do(req)
}

// trace sees how far a request came.
type trace struct {
	now    func() time.Time
	reused atomic.Bool
	left   atomic.Pointer[time.Time] // nil while it hasn't
}

// atOnce is how soon a connection breaks that the upstream was closing anyway, or
// behind which nobody works: later, it may have done what was asked.
const atOnce = time.Second

// worked tells whether the upstream may have done what was asked.
func (t *trace) worked() bool {
	left := t.left.Load()
	return left != nil && t.now().Sub(*left) >= atOnce
}

func (t *trace) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) { t.reused.Store(c.Reused) },
		WroteHeaders: func() {
			at := t.now()
			t.left.Store(&at)
		},
	})
}

// unreachable explains a call that brought no answer. It may be made again when
// it never left, or met a pooled connection that the upstream was closing; one
// that we gave up waiting for stays in doubt, and so does one whose connection
// broke while the upstream worked.
func unreachable(err error, sent *trace) *failure {
	again := sent.left.Load() == nil
	var timeout net.Error
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		return &failure{fault: fault.New(upstreamFailed, "The provider's address lies in a network that the operator of Cockpit hasn't opened. "+
			"Ask them to allow it, or an administrator to correct the address.").Because(err)}
	case errors.Is(err, context.Canceled) || errors.As(err, &timeout) && timeout.Timeout():
		if again {
			return &failure{fault: fault.New(upstreamTimeout, "The model's provider can't be reached in time. Try again later.").Because(err), again: true}
		}
		return &failure{fault: fault.New(upstreamTimeout, "The model's provider didn't answer in time. "+
			"It may bill the call all the same, so the whole amount held for it was charged.").Because(err), doubt: true}
	}
	if sent.worked() {
		return &failure{fault: fault.New(upstreamFailed, "The model's provider broke the connection off before it answered. "+
			"It may bill the call all the same, so the whole amount held for it was charged.").Because(err), doubt: true}
	}
	return &failure{
		fault: fault.New(upstreamFailed, "The model's provider can't be reached. Try again later.").Because(err),
		again: again || sent.reused.Load(),
	}
}

// rejected explains an answer other than 200; providers don't bill those. What
// the caller can mend is passed on in the provider's words.
func rejected(res *http.Response) *failure {
	defer func() { _ = res.Body.Close() }()
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody)) // the status says enough without
	status := res.StatusCode
	say := func(code fault.Code, format string, args ...any) *failure {
		cause := fmt.Errorf("upstream answered %s", res.Status)
		return &failure{fault: fault.New(code, format, args...).With("upstreamStatus", status).Because(cause)}
	}
	switch {
	case status == http.StatusTooManyRequests:
		f := say(fault.RateLimited, "The model's provider takes no more requests for now. Try again later.")
		if wait, known := retryAfter(res.Header); known {
			f.fault = f.fault.With("retryAfterSeconds", int64(wait/time.Second))
		} else {
			f.again = true
		}
		return f
	case status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusPaymentRequired:
		return say(upstreamFailed, "The model's provider refuses Cockpit's credential (status %d). Ask an administrator to check the provider.", status)
	case status >= 400 && status < 500:
		var body struct {
			Error struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if json.Unmarshal(said, &body) == nil && body.Error.Message != "" {
			return say(invalidRequest, "The model's provider refuses the request: %s", body.Error.Message)
		}
		return say(invalidRequest, "The model's provider refuses the request (status %d).", status)
	case status >= 500:
		f := say(upstreamFailed, "The model's provider failed (status %d). Try again later.", status)
		f.again = status != http.StatusNotImplemented
		return f
	}
	return say(upstreamFailed, "The model's provider gave an answer that isn't one (status %d). "+
		"Ask an administrator to check the provider's address.", status)
}

func retryAfter(h http.Header) (time.Duration, bool) {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s < 0 || s > 24*3600 {
		return 0, false
	}
	return time.Duration(s) * time.Second, true
}

// sleep waits, and returns false when the call ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
