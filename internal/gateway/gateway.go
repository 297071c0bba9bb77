package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/oauth"
)

// Timeouts bound how long the gateway waits; zero values get the default.
type Timeouts struct {
	// Answer is for the first byte of a stream, or a whole other answer: 10 minutes.
	Answer time.Duration
	// Idle is for the next event of a stream: 5 minutes.
	Idle time.Duration
	// Drain is how long a call runs on for its usage after its client left: 1 minute.
	Drain time.Duration
	// Write is how long a client may take to read what was sent: 1 minute.
	Write time.Duration
	// Doubt is how long a call waits, passing nothing on, while nobody can tell
	// whether it may go on: 15 seconds.
	Doubt time.Duration
}

// Options of a gateway. Keys, Access, Grants, Agents, Catalog, Budget and Client are
// required.
type Options struct {
	Keys *identity.Keys
	// Bearers knows people's tokens; without it virtual keys alone are taken.
	Bearers *oauth.Bearers
	Access  *access.Engine
	Grants  *grant.Grants
	// Agents are what calls may go through.
	Agents  *agents.Live
	Catalog *catalog.Catalog
	Budget  *budget.Engine
	// Guards looks at what goes in and comes out; without it nothing does.
	Guards *guardrail.Guards
	// Client calls the upstreams: see outbound.NewClient.
	Client   *http.Client
	Timeouts Timeouts
	// Exceeded hears of budgets that refuse a call; nil: nobody does. It mustn't block.
	Exceeded func(*budget.Exceeded)
	// Refusals gets the calls that keys may not make, for the audit log.
	Refusals *audit.Refusals
	// AskAt is the page on which people ask for more budget; empty: none.
	AskAt string
	// MaxBody bounds a request's body in bytes; 4 MiB unless set.
	MaxBody int64
	Now     func() time.Time
	Log     *slog.Logger
	// Metrics gets the gateway's metrics; nil keeps them to itself.
	Metrics prometheus.Registerer
}

// Gateway serves model calls. Make one with New and end it with Close.
type Gateway struct {
	Options
	rates   rates
	metrics *metrics
	handler http.Handler
	running context.Context
	stop    context.CancelFunc

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

// New makes a gateway; the budget engine must have been started. It panics
// without an access engine, grants and agents: nothing may pass undecided.
func New(o Options) *Gateway {
	if o.Access == nil || o.Grants == nil || o.Agents == nil {
		panic("gateway: Options.Access, Options.Grants or Options.Agents is missing")
	}
	or := func(d *time.Duration, other time.Duration) {
		if *d == 0 {
			*d = other
		}
	}
	or(&o.Timeouts.Answer, 10*time.Minute)
	or(&o.Timeouts.Idle, 5*time.Minute)
	or(&o.Timeouts.Drain, time.Minute)
	or(&o.Timeouts.Write, time.Minute)
	or(&o.Timeouts.Doubt, 15*time.Second)
	if o.MaxBody == 0 {
		o.MaxBody = 4 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	g := &Gateway{Options: o, rates: rates{now: o.Now, of: map[string]*minute{}}, metrics: newMetrics(o.Metrics)}
	g.running, g.stop = context.WithCancel(context.Background())
	g.handler = g.mux()
	return g
}

// door is one of the gateway's addresses.
type door struct {
	pattern string
	// spends marks the routes that must pass a budget's hold.
	spends bool
	serve  func(*Gateway, *call) error
}

var doors = []door{
	{"POST /v1/chat/completions", true, (*Gateway).complete},
	{"GET /v1/models", false, (*Gateway).list},
}

// ServeHTTP answers everything under /v1/.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.handler.ServeHTTP(w, r) }

// enter counts a call in; false once the gateway is closing.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.calls.Add(1)
	}
	return !g.closed
}

// Close ends the calls that still run, after the HTTP server has given them
// their time, and waits until each is settled. Call it before the budget
// engine's Close.
func (g *Gateway) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.stop()
	g.calls.Wait()
}
