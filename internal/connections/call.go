package connections

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Call is one use of a tool. Whoever makes it has asked the grants.
type Call struct {
	ToolID string
	// UserID is whose credential it goes by where each person has their own.
	UserID string
	// Arguments is a JSON object.
	Arguments json.RawMessage
}

// Result is what a tool answered.
type Result struct {
	// Content is for models and people to read.
	Content []mcp.Content
	// Structured is the same for programs; nil where the tool has none.
	Structured any
	// IsError tells that the tool itself says it failed.
	IsError bool
	// Sent tells that the call has reached the server, whatever came of it.
	Sent    bool
	Latency time.Duration
}

// Text is what can be read of a result.
func (r Result) Text() string {
	var b strings.Builder
	for _, c := range r.Content {
		if t, ok := c.(*mcp.TextContent); ok {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

// Call uses a tool as it was approved. Its errors are typed: what is held back,
// what can't be reached, what takes too long or answers too much.
func (c *Connections) Call(ctx context.Context, call Call) (Result, error) {
	ctx = tenancy.System(ctx, "those who are granted a tool don't see its connection; the caller has asked the grants")
	ctx, cancel := context.WithTimeout(ctx, c.CallTime)
	defer cancel()
	t, err := c.Store.Tool.Query().Where(tool.ID(call.ToolID)).Only(ctx)
	if err != nil {
		return Result{}, hidden(err, "tool")
	}
	row, err := c.row(ctx, t.ConnectionID)
	if err != nil {
		return Result{}, err
	}
	if len(call.Arguments) == 0 {
		call.Arguments = json.RawMessage("{}")
	}
	var arguments map[string]any
	switch {
	case row.Status != connection.StatusACTIVE || !t.Enabled:
		return Result{}, fault.New(Held, "%s is switched off. Ask an admin to switch it on.", t.Name)
	case t.State != tool.StateAPPROVED:
		return Result{}, heldBack(t)
	case deep(call.Arguments) || json.Unmarshal(call.Arguments, &arguments) != nil || arguments == nil:
		return Result{}, fault.At("arguments", "The arguments of %s must be a JSON object, nested at most %d levels deep.", t.Name, maxDepth)
	}
	switch row.Kind {
	case connection.KindOPENAPI:
		return c.callOperation(ctx, row, t, call)
	case connection.KindCOMPOSIO:
		return c.callIntegration(ctx, row, t, call)
	}
	return c.callMCP(ctx, row, t, call)
}

func heldBack(t *ent.Tool) error {
	return fault.New(Held, "%s is held back: it isn't what was approved any more. Ask an admin to look at it.", t.Name).With("toolId", t.ID)
}

func (c *Connections) callMCP(ctx context.Context, row *ent.Connection, t *ent.Tool, call Call) (Result, error) {
	for again := true; ; again = false {
		s, done, err := c.session(ctx, row, call.UserID)
		if err != nil {
			return Result{}, err
		}
		result, err := c.callOn(ctx, s, row, t, call)
		done()
		// A server that forgot its session has not looked at the call.
		if again && errors.Is(err, mcp.ErrSessionMissing) {
			c.pool.forget(s)
			continue
		}
		return result, err
	}
}

func (c *Connections) callOn(ctx context.Context, s *session, row *ent.Connection, t *ent.Tool, call Call) (Result, error) {
	offered, err := s.offers(ctx, c.Store.Now(), c.LookAgain)
	if err != nil {
		return Result{}, failed(row, s.explain(err))
	}
	if err := c.asApproved(ctx, row, t, offered); err != nil {
		return Result{}, err
	}
	started := time.Now()
	answer, err := s.client.CallTool(ctx, &mcp.CallToolParams{Name: t.Name, Arguments: call.Arguments})
	result := Result{Sent: true, Latency: time.Since(started)}
	var refused *jsonrpc.Error
	switch {
	case errors.As(err, &refused):
		// The server's own words go to the model, which can learn from them.
		result.IsError, result.Content = true, []mcp.Content{&mcp.TextContent{Text: clip(strings.ToValidUTF8(refused.Message, ""))}}
		return result, nil
	case err != nil:
		return result, failed(row, s.explain(err))
	case answer.NeedsInput():
		return result, fault.New(Failed, "%s asks back, which isn't possible here.", t.Name)
	}
	result.Content, result.Structured, result.IsError = answer.Content, answer.StructuredContent, answer.IsError
	if size(answer) > maxResult {
		return Result{Sent: true, Latency: result.Latency}, fault.New(TooLarge, "%s answered more than %d KiB. Ask for less.", t.Name, maxResult>>10)
	}
	return result, nil
}

// asApproved refuses a tool that isn't offered as it was approved, and holds it
// back for everybody.
func (c *Connections) asApproved(ctx context.Context, row *ent.Connection, t *ent.Tool, offered *listing) error {
	now, there := offered.tools[t.Name]
	switch {
	case !there && row.Credential == connection.CredentialPERSONAL && row.Kind != connection.KindCOMPOSIO:
		return fault.New(Held, "%s isn't offered to you by its server. Ask whoever runs it for access.", t.Name)
	case !there:
		return errors.Join(heldBack(t), c.holdBack(ctx, row, t, nil))
	case now.digest != t.Digest:
		return errors.Join(heldBack(t), c.holdBack(ctx, row, t, &now))
	}
	return nil
}

func size(answer *mcp.CallToolResult) int {
	raw, err := json.Marshal(answer)
	if err != nil {
		return maxResult + 1
	}
	return len(raw)
}

// explain prefers the reason why an answer was cut off to what came of it.
func (s *session) explain(err error) error {
	if s.carrier != nil && s.carrier.tooLarge.Swap(false) {
		return fault.New(TooLarge, "The server answers more than is taken. Ask for less, or tell its admin.").Because(err)
	}
	return err
}
