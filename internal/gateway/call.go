package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
)

// call is one request to the gateway.
type call struct {
	*Gateway
	w         http.ResponseWriter
	r         *http.Request
	requestID string
	started   time.Time
	token     string
	// team names the team whose seat pays for a person's token: the one that the
	// request names, and from then on the one chosen, whatever the default is.
	team   string
	caller *identity.Principal
	// answering is true once a status has been sent.
	answering bool
	// gone is true once nobody is there to read, or may.
	gone bool
	// fell is the refusal of a grant that fell while the call ran.
	fell atomic.Pointer[fault.Error]

	// ask tells again who calls, of calls that carry no credential of the
	// gateway's.
	ask func(context.Context) (*identity.Principal, error)

	// Of model calls alone:
	q *request
	// agent is what the call goes through, nil for none; draft that it is one
	// which nobody has published yet.
	agent  *agents.Published
	draft  bool
	route  catalog.Route
	guards *guardrail.Set // nil where nothing guards the call
	bound  bound
	hold   *budget.Hold
	meter  meter
	sentAt time.Time
	first  time.Duration
	// doubted tells that an attempt before may have been billed, and was charged.
	doubted bool
}

// complete serves POST /v1/chat/completions.
func (g *Gateway) complete(c *call) error {
	var refused *fault.Error
	if c.q, refused = readRequest(c.w, c.r, g.MaxBody); refused != nil {
		return refused
	}
	if !c.stands() { // a body may take its time, and the key fall meanwhile
		return identity.ErrKey
	}
	routes, err := c.routes()
	if err != nil {
		return err
	}
	if err := c.limitRate(); err != nil {
		return err
	}
	if err := c.guardInput(); err != nil {
		return err
	}
	if !g.enter() {
		return fault.New(fault.Unavailable, "The server is stopping. Try again in a few seconds.")
	}
	defer g.calls.Done()
	for i, route := range routes {
		var elsewhere bool
		if elsewhere, err = c.attempt(route); !elsewhere || i == len(routes)-1 || c.r.Context().Err() != nil {
			return err
		}
		c.Log.WarnContext(c.r.Context(), "a model brought no answer, its fallback is called", "requestId", c.requestID, "model", route.Name, "error", err)
	}
	return err
}

// routes are the models to try, in their order.
func (c *call) routes() ([]catalog.Route, error) {
	if err := c.through(); err != nil {
		return nil, err
	}
	if c.agent != nil {
		return c.agentRoutes()
	}
	route, err := c.resolve(c.q.model)
	return []catalog.Route{route}, err
}

// attempt makes the call to one model. It tells whether it may be made to
// another one: this one brought no byte of an answer.
func (c *call) attempt(route catalog.Route) (elsewhere bool, err error) {
	c.route, c.meter, c.first = route, meter{}, 0
	var refused *fault.Error
	if c.bound, refused = c.q.bind(route.ContextLength, route.MaxOutputTokens); refused != nil {
		return false, refused
	}
	if err := c.reserve(); err != nil {
		return false, err
	}
	return c.spend()
}

// leastFit is the lowest output limit, in tokens, that a call is lowered to.
const leastFit = 64

// reserve holds the call's bound on every budget of its path. A call that sets
// no limit of its own is lowered to what the tightest budget still pays.
func (c *call) reserve() error {
	what, err := c.charge()
	if err != nil {
		return err
	}
	key, refused := c.idempotencyKey()
	if refused != nil {
		return refused
	}
	for range 3 { // budgets move meanwhile, and another may be tighter still
		c.hold, err = c.Budget.HoldOnce(c.r.Context(), what, c.bound.usage(), key)
		available, short := remaining(err)
		if !short || c.q.limit > 0 {
			break
		}
		fit, ok := what.Fit(c.bound.usage(), available)
		limit := fit.Output/c.q.n - c.q.predicted
		if !ok || limit < min(leastFit, c.bound.limit) {
			break
		}
		c.bound = c.bound.with(c.q, limit)
	}
	var exceeded *budget.Exceeded
	if c.Exceeded != nil && errors.As(err, &exceeded) {
		c.Exceeded(exceeded)
	}
	return c.wayOut(err)
}

// remaining is what the budget or session still has that refuses a hold; false for
// other errors, and for none.
func remaining(err error) (money.Nano, bool) {
	var exceeded *budget.Exceeded
	var capped *budget.Capped
	switch {
	case errors.As(err, &exceeded):
		return exceeded.Available, true
	case errors.As(err, &capped):
		return capped.Available(), true
	}
	return 0, false
}

// wayOut adds to the refusal of a budget where to ask for more.
func (c *call) wayOut(err error) error {
	var exceeded *budget.Exceeded
	if !errors.As(err, &exceeded) || exceeded.RenewsAt.IsZero() && c.AskAt == "" {
		return err
	}
	e := fault.As(err)
	if c.AskAt != "" {
		e = e.With("askAt", c.AskAt)
		e.Message += " Ask for more at " + c.AskAt + "."
	} else {
		e = e.With("renewsAt", exceeded.RenewsAt)
		e.Message += " For more before then, ask an admin of the account to raise it."
	}
	return e
}

// spend makes the call that is held for, and charges what it used. From here
// on nothing is left to the client: it may go away, the charge stays. It tells
// whether another model may answer, since this one didn't.
func (c *call) spend() (elsewhere bool, err error) {
	c.metrics.running.Inc()
	defer c.metrics.running.Dec()

	ctx, hangUp := context.WithCancel(context.WithoutCancel(c.r.Context()))
	defer hangUp()
	defer context.AfterFunc(c.running, hangUp)()
	late := time.AfterFunc(c.Timeouts.Answer, hangUp)
	defer late.Stop()
	settled := false
	defer func() {
		if !settled { // a panic: what was used can't be told any more
			_, err := c.hold.Doubt(ctx, budget.Outcome{Latency: c.Now().Sub(c.sentAt)})
			c.logSettlement(ctx, err)
		}
	}()

	to := targetOf(c.route)
	body := c.q.rewrite(to.model, to.limitName, c.bound.limit)
	c.sentAt = c.Now()
	res, failed := c.send(ctx, to, body, c.requestID, c.q.stream)
	if failed != nil {
		settled = true
		if failed.doubt {
			c.end(ctx, budget.Usage{}, doubt)
			c.doubted = true
		} else {
			c.end(ctx, budget.Usage{}, release)
		}
		return failed.elsewhere(), failed.fault
	}
	defer func() { _ = res.Body.Close() }()
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") && c.q.stream {
		late.Stop()
		end := c.stream(res.Body, hangUp)
		settled = true
		c.finish(ctx, end)
		if end == complete {
			readOut(res.Body, hangUp)
		}
		return false, nil
	}
	defer context.AfterFunc(c.r.Context(), func() { time.AfterFunc(c.Timeouts.Drain, hangUp) })()
	answer, err := c.readAnswer(res.Body)
	settled = true
	return false, c.answer(ctx, answer, err)
}

// stream passes the upstream's events on, up to the terminal one.
func (c *call) stream(body io.Reader, hangUp context.CancelFunc) ending {
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Accel-Buffering", "no")
	c.answering = true
	r := &relay{
		durable: c.durable,
		w:       c.w, client: c.r.Context(), hangUp: hangUp, limits: c.Timeouts, boundWrite: c.boundWrite,
		meter: &c.meter, usage: c.q.usage, first: c.firstByte, stands: c.goesOn, why: c.why, hangUpClient: c.hangUpClient,
	}
	if look := c.guards.Look(detect.Output); look != nil {
		ctx := context.WithoutCancel(c.r.Context())
		r.guard = &streamGuard{ctx: ctx, look: look}
		defer func() { _ = look.End(ctx) }() // records; what it refuses was told in the stream
	}
	ask := func(ctx context.Context) error {
		_, err := c.principal(ctx)
		return err
	}
	defer c.Keys.Follow(c.caller, c.token+" "+c.team, ask, r.revoke)()
	end := r.run(body)
	c.gone = !r.end() || c.r.Context().Err() != nil
	return end
}

// hangUpClient ends the client's connection, while the rest of the answer is
// read for what it costs.
func (c *call) hangUpClient() {
	if conn, _, err := http.NewResponseController(c.w).Hijack(); err == nil { // recorders have none
		_ = conn.Close()
	}
}

// readOut reads what follows the terminal event, so that the connection can
// serve the next call; an upstream that lets us wait for it loses it.
func readOut(body io.Reader, hangUp context.CancelFunc) {
	defer time.AfterFunc(time.Second, hangUp).Stop()
	_, _ = io.CopyN(io.Discard, body, 64<<10) // an error closes the connection
}

// finish settles a stream and then sends its last bytes.
func (c *call) finish(ctx context.Context, end ending) {
	usage, v := c.meter.judge(c.bound, end, hidden(c.route))
	receipt := c.end(ctx, usage, v)
	if c.gone || !c.stands() { //nolint:contextcheck // the client's context, not the detached one
		return
	}
	tail := ""
	if end != complete {
		_, body := errorBody(fault.New(upstreamFailed, "The model's provider broke the answer off. What it had produced was charged."))
		tail = "data: " + string(body) + "\n\n"
	}
	for _, name := range receiptHeaders {
		if value := c.receiptHeader(name, receipt); value != "" {
			tail += ": " + strings.ToLower(name) + ": " + value + "\n"
		}
	}
	tail += "\n"
	if end == complete {
		tail += "data: [DONE]\n\n"
	}
	c.boundWrite()
	if _, err := io.WriteString(c.w, tail); err == nil {
		_ = http.NewResponseController(c.w).Flush() // fails only when the client has gone
	}
}

// boundWrite gives the client its time to read what is written next: one that
// reads nothing must not keep a call open for ever.
func (c *call) boundWrite() {
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(c.Timeouts.Write)) // recorders have none
}

func (c *call) readAnswer(body io.Reader) ([]byte, error) {
	answer, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("answer is larger than %d bytes", maxAnswer)
	}
	return answer, err
}

// answer settles a call that isn't a stream, and then passes the answer on.
func (c *call) answer(ctx context.Context, answer []byte, err error) error {
	c.firstByte()
	end := complete
	switch {
	case ctx.Err() != nil:
		end = left
	case err != nil:
		c.meter.garbled = true // what came tells nothing of what is missing
	default:
		c.meter.read(answer)
	}
	usage, v := c.meter.judge(c.bound, end, hidden(c.route))
	receipt := c.end(ctx, usage, v)
	if err != nil || c.meter.garbled {
		return fault.New(upstreamFailed, "The model's provider gave an answer that can't be read. It may bill the call, so the call was charged.").Because(err)
	}
	if !c.goesOn() { //nolint:contextcheck // while the provider thought; by the client's context
		return c.why()
	}
	if answer, err = c.guardAnswer(answer); err != nil { //nolint:contextcheck // by the client's context
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(answer)))
	for _, name := range receiptHeaders {
		if value := c.receiptHeader(name, receipt); value != "" {
			h.Set(name, value)
		}
	}
	c.answering = true
	c.durable()
	c.boundWrite()
	_, _ = c.w.Write(answer) // fails only when the client has gone
	return nil
}

// end resolves the hold. The engine keeps trying when the database is away.
func (c *call) end(ctx context.Context, usage budget.Usage, v verdict) budget.Receipt {
	ended := c.Now()
	out := budget.Outcome{Latency: ended.Sub(c.sentAt), FirstByte: c.first}
	var receipt budget.Receipt
	var err error
	switch v {
	case settle:
		receipt, err = c.hold.Settle(ctx, usage, out)
	case release:
		err = c.hold.Release(ctx)
	case doubt:
		receipt, err = c.hold.Doubt(ctx, out)
	}
	c.logSettlement(ctx, err)
	c.metrics.overhead.Observe((c.sentAt.Sub(c.started) + c.Now().Sub(ended)).Seconds())
	kind := string(receipt.Kind)
	if kind == "" {
		kind = "RELEASED"
	}
	c.metrics.charged.WithLabelValues(kind).Inc()
	return receipt
}

func (c *call) logSettlement(ctx context.Context, err error) {
	if err != nil {
		c.Log.ErrorContext(ctx, "settling a call waits for the database", "requestId", c.requestID, "chargeId", c.hold.ID, "error", err)
	}
}

// durable lets no byte of an answer out before the database knows of the call,
// so that it is charged even if this machine is lost. Where the database is
// away the answer goes out all the same: the journal has the call.
func (c *call) durable() {
	if err := c.hold.Durable(); err != nil {
		c.Log.Warn("the database doesn't know of a call that is answered", "requestId", c.requestID, "chargeId", c.hold.ID, "error", err)
	}
}

func (c *call) firstByte() {
	c.first = c.Now().Sub(c.sentAt)
	c.metrics.first(c.q.stream, c.Now().Sub(c.started))
}

// receiptHeaders tell what a call was charged: headers of an answer, a last
// comment of a stream.
var receiptHeaders = []string{"X-Cockpit-Cost", "X-Cockpit-Credits", "X-Cockpit-Budget-Remaining"}

func (c *call) receiptHeader(name string, r budget.Receipt) string {
	switch name {
	case "X-Cockpit-Cost":
		if r.ChargeID != "" { // else the charge still waits for the database
			return r.Cost.String()
		}
	case "X-Cockpit-Credits":
		if r.Credits > 0 {
			return r.Credits.String()
		}
	case "X-Cockpit-Budget-Remaining":
		if room, ok := c.hold.Remaining(); ok {
			return max(room.Available, 0).String()
		}
	}
	return ""
}

// newRequestID keeps the id that a middleware has given already.
func newRequestID(w http.ResponseWriter) string {
	if given := w.Header().Get("X-Request-Id"); given != "" {
		return given
	}
	fresh := id.New(id.Request)
	w.Header().Set("X-Request-Id", fresh)
	return fresh
}
