package gateway

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// mux has every route behind the same steps: a request id, authentication,
// and errors in OpenAI's shape.
func (g *Gateway) mux() http.Handler {
	mux := http.NewServeMux()
	for _, d := range doors {
		mux.HandleFunc(d.pattern, func(w http.ResponseWriter, r *http.Request) { g.serve(d, w, r) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		newRequestID(w)
		refuse(w, fault.New(fault.NotFound, "There is no %s %s. The gateway has POST /v1/chat/completions and GET /v1/models.", r.Method, r.URL.Path))
	})
	return mux
}

func (g *Gateway) serve(d door, w http.ResponseWriter, r *http.Request) {
	g.take(d, w, r, (*call).authenticate)
}

// take leads a call through a door once admit has let it in.
func (g *Gateway) take(d door, w http.ResponseWriter, r *http.Request, admit func(*call) error) {
	counted := &statusWriter{ResponseWriter: w}
	c := &call{Gateway: g, w: counted, r: r, requestID: newRequestID(w), started: g.Now()}
	defer func() { g.metrics.answered(d.pattern, cmp.Or(counted.status, clientGone)) }()
	err := admit(c)
	if err == nil {
		err = d.serve(g, c)
	}
	if err != nil {
		c.fail(err)
	}
}

// clientGone is counted for requests whose client left before an answer.
const clientGone = 499

// fail answers with an error, if nothing was answered yet.
func (c *call) fail(err error) {
	ctx := c.r.Context()
	e := fault.As(err)
	if e == nil {
		if ctx.Err() != nil {
			return // the client left before anything was held
		}
		c.Log.ErrorContext(ctx, "gateway call failed", "requestId", c.requestID, "error", err)
		e = fault.New(fault.Internal, "Something went wrong on our side. Quote request id %s when you report it.", c.requestID)
	} else if e.Cause != nil {
		c.Log.WarnContext(ctx, "gateway call refused", "requestId", c.requestID, "code", e.Code, "cause", e.Cause)
	}
	if c.answering {
		return
	}
	if s, ok := e.Data["retryAfterSeconds"].(int64); ok {
		c.w.Header().Set("Retry-After", strconv.FormatInt(s, 10))
	}
	refuse(c.w, e)
}

// authenticate reads the virtual key or the person's token. Credentials are
// never mixed.
func (c *call) authenticate() error {
	h := c.r.Header
	if h.Get("Cookie") != "" && h.Get("Authorization") != "" {
		return fault.New(fault.BadInput, "The request carries a cookie and an Authorization header. Send the virtual key or token alone.")
	}
	token, ok := strings.CutPrefix(h.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return fault.New(fault.Unauthenticated, "Send your virtual key, or a person's token, as \"Authorization: Bearer <key>\". Keys are made in Cockpit under Virtual keys.")
	}
	c.token, c.team = token, h.Get("X-Cockpit-Team")
	var err error
	if c.caller, err = c.principal(c.r.Context()); err != nil {
		return err
	}
	c.team = c.caller.TeamID
	c.r = c.r.WithContext(tenancy.WithViewer(c.r.Context(), c.caller.Viewer))
	return c.Access.Gateway(c.r.Context())
}

// principal tells whom the call is for, and which seat or key pays. What a token
// may do changes under it, so it is asked again with every look-up.
func (c *call) principal(ctx context.Context) (*identity.Principal, error) {
	if c.ask != nil {
		return c.ask(ctx)
	}
	if c.Bearers == nil || strings.HasPrefix(c.token, "ck_") {
		return c.Keys.Principal(ctx, c.token)
	}
	p, err := c.Bearers.Principal(ctx, c.token, c.team)
	if err != nil {
		return nil, err
	}
	return p, c.Access.Gateway(tenancy.WithViewer(ctx, p.Viewer))
}

// stands tells whether the key or token is still good; calls ask before each
// thing they pass on.
func (c *call) stands() bool {
	return c.certain(func() (bool, error) {
		if c.caller.KeyID != "" && c.Keys.Valid(c.caller) {
			return true, nil
		}
		fresh, err := c.principal(context.WithoutCancel(c.r.Context()))
		if err == nil {
			c.caller = fresh
		}
		if fallen(err) {
			return false, nil
		}
		return err == nil, err
	})
}

// certain asks until there is an answer. While revocations and grants can't be
// learned of nothing is passed on: the call waits until they can, and then ends.
func (c *call) certain(may func() (bool, error)) bool {
	for waited := time.Duration(0); ; waited += askAgain {
		yes, err := may()
		if err == nil || waited >= c.Timeouts.Doubt {
			return yes
		}
		select {
		case <-c.r.Context().Done():
			return false
		case <-c.running.Done():
			return false
		case <-time.After(askAgain):
		}
	}
}

// fallen tells a credential that is good no longer from one that nobody can
// tell about.
func fallen(err error) bool {
	return fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Forbidden)
}

// askAgain is the pause between questions that had no answer.
const askAgain = 100 * time.Millisecond

// limitRate counts the request against the key's requests per minute.
func (c *call) limitRate() error {
	limit := c.caller.RequestsPerMinute
	if limit == 0 {
		return nil
	}
	at, granted := c.rates.take(c.caller.KeyID, limit)
	resets := max(1, int64((at.resets+time.Second-1)/time.Second))
	h := c.w.Header()
	h.Set("X-Ratelimit-Limit-Requests", strconv.Itoa(at.limit))
	h.Set("X-Ratelimit-Remaining-Requests", strconv.Itoa(at.left))
	h.Set("X-Ratelimit-Reset-Requests", fmt.Sprintf("%ds", resets))
	if granted {
		return nil
	}
	return fault.New(fault.RateLimited, "This key may make %d requests per minute. Try again in %d seconds, or ask the key's owner for a higher limit.",
		limit, resets).With("retryAfterSeconds", resets)
}

// statusWriter remembers the status for the metrics.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
