// Package mcp is the gateway of tools: an MCP server that shows each caller the
// tools that are granted to the seat that pays, and calls them in the caller's
// name. The same credentials, grants and budgets count as for models.
package mcp

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/store"
)

// Options of New; all but Exceeded, Refusals and AskAt are needed.
type Options struct {
	Store   *store.Store
	Epochs  *store.Epochs
	Keys    *identity.Keys
	Bearers *oauth.Bearers
	Access  *access.Engine
	Grants  *grant.Grants
	// Agents are whom calls may be made for.
	Agents      *agents.Live
	Connections *connections.Connections
	// Shelves knows which tools there are.
	Shelves *Shelves
	Budget  *budget.Engine
	// Guards looks at arguments and answers; without it nothing does.
	Guards *guardrail.Guards
	// Factor turns the price of a call into credits.
	Factor func(ctx context.Context, accountID string) (factorID string, ppm int64, err error)
	// Take counts a call against a key's requests per minute, and tells how long
	// to wait where it has made them.
	Take func(keyID string, limit int) (wait time.Duration, granted bool)
	// Exceeded hears of budgets that refuse a call; it mustn't block.
	Exceeded func(*budget.Exceeded)
	// Refusals gets the calls that may not be made, for the audit log.
	Refusals *audit.Refusals
	// AskAt is the page on which people ask for more budget; empty: none.
	AskAt string
	// MaxBody bounds a request's body in bytes.
	MaxBody int64
	Log     *slog.Logger
}

// Gateway serves MCP over streamable HTTP, without sessions: every request
// stands for itself, on any replica. Make one with New and end it with Close.
type Gateway struct {
	Options
	handler http.Handler
	running context.Context
	stop    context.CancelFunc

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

// New makes a gateway. It panics without what decides: nothing may pass
// undecided.
func New(o Options) *Gateway {
	if o.Access == nil || o.Grants == nil || o.Agents == nil || o.Budget == nil || o.Shelves == nil {
		panic("mcp: Options.Access, Options.Grants, Options.Agents, Options.Budget or Options.Shelves is missing")
	}
	g := &Gateway{Options: o}
	g.running, g.stop = context.WithCancel(context.Background())
	g.handler = sdk.NewStreamableHTTPHandler(g.serverOf, &sdk.StreamableHTTPOptions{Stateless: true, JSONResponse: true,
		MaxRequestBodyBytes: o.MaxBody,
		// Who may reach the server under which name is told by its public URL, not
		// by where its proxy runs; a page of another origin has no key.
		DisableLocalhostProtection: true})
	return g
}

// Close ends the calls that still run and waits until each is settled.
func (g *Gateway) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.stop()
	g.calls.Wait()
}

// enter counts a call in; false once the gateway is closing.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.calls.Add(1)
	}
	return !g.closed
}

type callerKey struct{}

// ServeHTTP answers POST /mcp.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := w.Header().Get("X-Request-Id")
	if requestID == "" {
		requestID = id.New(id.Request)
		w.Header().Set("X-Request-Id", requestID)
	}
	w.Header().Set("Cache-Control", "no-store")
	c := &caller{Gateway: g, r: r, requestID: requestID}
	if err := c.authenticate(); err != nil { //nolint:contextcheck // the caller carries the request and its context
		c.refuse(w, err) //nolint:contextcheck // as above
		return
	}
	g.handler.ServeHTTP(w, r.WithContext(context.WithValue(audit.WithRequestID(r.Context(), requestID), callerKey{}, c)))
}

// serverOf is the MCP server that one caller sees.
func (g *Gateway) serverOf(r *http.Request) *sdk.Server {
	c, ok := r.Context().Value(callerKey{}).(*caller)
	if !ok {
		return nil
	}
	s := sdk.NewServer(&sdk.Implementation{Name: "cockpit", Title: "Cockpit", Version: "1"},
		&sdk.ServerOptions{Capabilities: &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}}})
	s.AddReceivingMiddleware(func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			switch q := req.(type) {
			case *sdk.ServerRequest[*sdk.ListToolsParams]:
				return c.list(q.Params) //nolint:contextcheck // as above
			case *sdk.CallToolRequest:
				return c.call(q.Params) //nolint:contextcheck // as above
			}
			return next(ctx, method, req)
		}
	})
	return s
}

// statuses of refusals that end a whole request.
var statuses = map[fault.Code]int{
	fault.Unauthenticated: http.StatusUnauthorized, fault.Forbidden: http.StatusForbidden, fault.BadInput: http.StatusBadRequest,
	fault.NotFound: http.StatusNotFound, fault.Unavailable: http.StatusServiceUnavailable,
}

// refuse answers a request that gets nowhere, as JSON-RPC without an id.
func (c *caller) refuse(w http.ResponseWriter, err error) {
	e := c.told(err)
	status := statuses[e.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	body, failed := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": -32000, "message": e.Message, "data": dataOf(e)}})
	if failed != nil { // only a Data value that is no JSON can do that
		body = []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"Internal error."}}`)
	}
	h := w.Header()
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="cockpit"`)
	}
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only when the client has gone
}

// told is what a caller may see of an error; the rest goes to the log.
func (c *caller) told(err error) *fault.Error {
	ctx := c.r.Context()
	e := fault.As(err)
	if e == nil {
		if ctx.Err() == nil {
			c.Log.ErrorContext(ctx, "tool call failed", "requestId", c.requestID, "error", err)
		}
		return fault.New(fault.Internal, "Something went wrong on our side. Quote request id %s when you report it.", c.requestID)
	}
	if e.Cause != nil {
		c.Log.InfoContext(ctx, "tool call refused", "requestId", c.requestID, "code", e.Code, "cause", e.Cause)
	}
	return e
}

// dataOf is what programs need of an error.
func dataOf(e *fault.Error) map[string]any {
	out := map[string]any{"code": e.Code}
	for k, v := range e.Data {
		out[k] = v
	}
	return out
}
