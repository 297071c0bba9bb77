package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// call serves tools/call. What a model can understand and work around comes back
// as a result that is an error; what isn't there at all, as an error of the
// protocol.
func (c *caller) call(q *sdk.CallToolParamsRaw) (sdk.Result, error) {
	i, err := c.find(q.Name)
	if err != nil {
		return nil, c.protocol(err)
	}
	if !c.enter() {
		return nil, c.protocol(fault.New(fault.Unavailable, "The server is stopping. Try again in a few seconds."))
	}
	defer c.calls.Done()
	result, err := c.use(i, q)
	if fault.Is(err, fault.Unauthenticated) || err != nil && fault.As(err) == nil {
		return nil, c.protocol(err)
	}
	if err != nil {
		e := c.told(err)
		return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: e.Message}},
			Meta: sdk.Meta{"cockpit/error": dataOf(e)}}, nil
	}
	return result, nil
}

// find gives a tool by the name that callers use. One that there is but isn't
// theirs is no other to them than one that there isn't; the refusal is recorded.
func (c *caller) find(name string) (*Tool, error) {
	ctx := c.r.Context()
	s, err := c.Shelves.shelf(ctx, c.is.Viewer.AccountID)
	if err != nil {
		return nil, err
	}
	missing := fault.New(fault.NotFound, "There is no tool %.80q for this caller. tools/list tells which there are.", name)
	i := s.byName[name]
	if i == nil {
		return nil, missing
	}
	table, err := c.table(ctx)
	if err != nil {
		return nil, err
	}
	if why, allowed := c.mine(table, i.ID); !allowed {
		if c.Refusals != nil {
			c.Refusals.Record(tenancy.WithViewer(ctx, c.is.Viewer), c.event(i, auditevent.OutcomeREFUSED, why))
		}
		return nil, missing
	}
	return i, nil
}

// use makes the call: rate, guardrails, budget, call, charge, record, and
// guardrails again on what came back.
func (c *caller) use(i *Tool, q *sdk.CallToolParamsRaw) (*sdk.CallToolResult, error) {
	if limit := c.is.RequestsPerMinute; limit > 0 {
		if wait, granted := c.Take(c.is.KeyID, limit); !granted {
			seconds := max(1, int64((wait+time.Second-1)/time.Second))
			return nil, fault.New(fault.RateLimited, "This key may make %d requests per minute. Try again in %d seconds, or ask the key's owner for a higher limit.",
				limit, seconds).With("retryAfterSeconds", seconds)
		}
	}
	set, err := c.guards(c.r.Context())
	if err != nil {
		return nil, err
	}
	arguments, err := guardArguments(c.r.Context(), set, q.Arguments)
	if err != nil {
		return nil, err
	}
	hold, err := c.hold(i)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(c.r.Context())
	defer cancel(nil)
	defer context.AfterFunc(c.running, func() { cancel(fault.New(fault.Unavailable, "The server is stopping.")) })()
	defer c.Keys.Follow(c.is, c.token, func(ctx context.Context) error { _, err := c.principal(ctx); return err },
		func() { cancel(identity.ErrKey) })()

	result, charged, err := c.carryOut(ctx, hold, connections.Call{ToolID: i.ID, UserID: c.is.UserID, Arguments: arguments})
	if err == nil || result.Sent {
		if failed := c.record(i, err); failed != nil {
			return nil, errors.Join(failed, charged)
		}
	}
	if cause := context.Cause(ctx); cause != nil && fault.As(cause) != nil {
		return nil, cause // whatever came back isn't theirs any more
	}
	switch {
	case err != nil:
		return nil, err
	case charged != nil:
		c.Log.ErrorContext(ctx, "settling a tool call waits for the database", "requestId", c.requestID, "error", charged)
	}
	if err := guardResult(ctx, set, &result); err != nil {
		return nil, err
	}
	if err := c.stillMine(i); err != nil {
		return nil, err
	}
	out := &sdk.CallToolResult{Content: result.Content, IsError: result.IsError}
	if out.Content == nil {
		out.Content = []sdk.Content{}
	}
	if result.Structured != nil {
		out.StructuredContent = result.Structured
	}
	return out, nil
}

// carryOut makes the call and charges it; charged tells that the charge waits for
// the database.
func (c *caller) carryOut(ctx context.Context, hold *budget.Hold, call connections.Call) (result connections.Result, charged, err error) {
	ended := false
	defer func() {
		if !ended && hold != nil { // a panic: whether the tool was called can't be told any more
			_, _ = hold.Doubt(ctx, budget.Outcome{}) // tried again by itself
		}
	}()
	result, err = c.Connections.Call(ctx, call)
	ended = true
	return result, c.settle(hold, result), err //nolint:contextcheck // what a call costs doesn't end with its client
}

// stillMine asks once more before an answer goes out: keys and grants may have
// fallen while the tool ran.
func (c *caller) stillMine(i *Tool) error {
	ctx := c.r.Context()
	if _, err := c.principal(ctx); err != nil {
		return err
	}
	table, err := c.table(ctx)
	if err != nil {
		return err
	}
	if why, allowed := c.mine(table, i.ID); !allowed {
		return fault.New(fault.Forbidden, "%s", why)
	}
	return nil
}

// hold reserves the price of a call on every budget of its path; nil for what is
// free of charge.
func (c *caller) hold(i *Tool) (*budget.Hold, error) {
	if i.Price == 0 {
		return nil, nil
	}
	ctx, p := c.r.Context(), c.is
	factorID, ppm, err := c.Factor(ctx, p.Viewer.AccountID)
	if err != nil {
		return nil, err
	}
	h, err := c.Budget.Hold(ctx, budget.Call{
		AccountID: p.Viewer.AccountID, TimeZone: p.TimeZone, Plane: p.Plane, Path: p.Path, OrganizationID: p.OrganizationID, TeamID: p.TeamID, MemberID: p.MemberID,
		UserID: p.UserID, KeyID: p.KeyID, AgentID: c.agentID, ClientID: p.Viewer.ClientID, ModelID: i.ID, ModelName: i.Name,
		Ceiling: i.Price, FactorID: factorID, FactorPPM: ppm, RequestID: c.requestID,
	}, budget.Usage{})
	var exceeded *budget.Exceeded
	if errors.As(err, &exceeded) {
		if c.Exceeded != nil {
			c.Exceeded(exceeded)
		}
		if e := fault.As(err); e != nil && c.AskAt != "" {
			e = e.With("askAt", c.AskAt)
			e.Message += " Ask for more at " + c.AskAt + "."
			return nil, e
		}
	}
	return h, err
}

// settle charges a call that reached its server, and gives back what one that
// didn't would have cost. Nothing of an answer goes out before that is safe.
func (c *caller) settle(h *budget.Hold, result connections.Result) error {
	if h == nil {
		return nil
	}
	ctx := context.WithoutCancel(c.r.Context())
	if !result.Sent {
		return h.Release(ctx)
	}
	_, err := h.Settle(ctx, budget.Usage{}, budget.Outcome{Latency: result.Latency})
	return errors.Join(err, h.Durable())
}

// record writes that a tool was called, by whom, and whether it worked; what was
// said stays out of it. Without it no answer goes out.
func (c *caller) record(i *Tool, err error) error {
	outcome, reason := auditevent.OutcomeDONE, ""
	if err != nil {
		outcome, reason = auditevent.OutcomeFAILED, "The call failed."
		if e := fault.As(err); e != nil {
			reason = string(e.Code)
		}
	}
	ctx := context.WithoutCancel(tenancy.WithViewer(c.r.Context(), c.is.Viewer))
	ctx = tenancy.System(ctx, "calls are recorded for those who may not write to the log")
	return c.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.Audit(ctx, c.event(i, outcome, reason)) })
}

func (c *caller) event(i *Tool, outcome auditevent.Outcome, reason string) audit.Event {
	path := strings.TrimSuffix(c.is.Path, "/")
	return audit.Event{Action: "tool.call", Outcome: outcome, AccountID: c.is.Viewer.AccountID, Plane: c.is.Plane,
		ScopeID: path[strings.LastIndexByte(path, '/')+1:], ScopePath: c.is.Path, TargetID: i.ID, TargetName: i.Name, Reason: reason}
}

// protocol makes an error of the protocol of one that isn't the model's matter.
func (c *caller) protocol(err error) error {
	e := c.told(err)
	code := int64(jsonrpc.CodeInternalError)
	switch e.Code {
	case fault.NotFound, fault.Invalid, fault.BadInput:
		code = jsonrpc.CodeInvalidParams
	case fault.Unauthenticated, fault.Forbidden, fault.Unavailable:
		code = -32000
	}
	return &jsonrpc.Error{Code: code, Message: fmt.Sprint(e.Message)}
}
