package mcp

import (
	"bytes"
	"context"
	"encoding/json"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/guardrail"
)

// guards are what stands on the caller's path and on the agent it names; nil
// where nothing does.
func (c *caller) guards(ctx context.Context) (*guardrail.Set, error) {
	if c.Guards == nil {
		return nil, nil
	}
	return c.Guards.For(ctx, guardrail.Subject{AccountID: c.is.Viewer.AccountID, Plane: c.is.Plane, Path: c.is.Path, AgentID: c.agentID})
}

// guardArguments looks at every text among a call's arguments, names of members
// included, before anything is held or sent.
func guardArguments(ctx context.Context, set *guardrail.Set, arguments json.RawMessage) (json.RawMessage, error) {
	look := set.Look(detect.Input)
	if look == nil || len(arguments) == 0 {
		return arguments, nil
	}
	var value any
	d := json.NewDecoder(bytes.NewReader(arguments))
	d.UseNumber() // numbers go on as they came
	if err := d.Decode(&value); err != nil {
		return nil, fault.New(fault.Invalid, "The arguments aren't JSON.").Because(err)
	}
	value = looked(look, value)
	if err := look.End(ctx); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// guardResult looks at every text of an answer. Pictures, sounds and other
// bytes pass: no rule reads them.
func guardResult(ctx context.Context, set *guardrail.Set, r *connections.Result) error {
	look := set.Look(detect.Output)
	if look == nil {
		return nil
	}
	for _, content := range r.Content {
		switch part := content.(type) {
		case *sdk.TextContent:
			part.Text = look.Text(part.Text)
		case *sdk.EmbeddedResource:
			if part.Resource != nil {
				part.Resource.Text = look.Text(part.Resource.Text)
			}
		case *sdk.ResourceLink:
			part.Name, part.Title, part.Description = look.Text(part.Name), look.Text(part.Title), look.Text(part.Description)
		}
	}
	if r.Structured != nil {
		text, err := json.Marshal(r.Structured)
		if err != nil {
			return err
		}
		var value any
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			return err
		}
		r.Structured = looked(look, value)
	}
	return look.End(ctx)
}

// looked is a JSON value with its texts as they may go on.
func looked(look *guardrail.Look, value any) any {
	switch v := value.(type) {
	case string:
		return look.Text(v)
	case []any:
		for i := range v {
			v[i] = looked(look, v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[look.Text(name)] = looked(look, member)
		}
		return out
	}
	return value
}
