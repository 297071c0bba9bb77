package connections

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/composio"
	"github.com/alchemi/cockpit/internal/fault"
)

// looked is a listing, and when it was made.
type looked struct {
	*listing
	at time.Time
}

// integration is what a toolkit of Composio offers, looked at no longer than
// maxAge ago.
func (c *Connections) integration(ctx context.Context, row *ent.Connection, maxAge time.Duration) (*listing, error) {
	key, now := fmt.Sprintf("%s %d", row.ID, row.Version), c.Store.Now()
	if known, ok := c.integrations.Get(key); ok && now.Sub(known.at) < maxAge {
		return known.listing, nil
	}
	if row.URL != c.Composio {
		return nil, fault.New(Failed, "Whoever runs Cockpit has Composio elsewhere by now. Save %s again, and set its API key.", row.Name)
	}
	api, err := c.Credentials.Integration(ctx, row)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	tools, err := api.Tools(ctx, row.Toolkit, MostTools)
	if err != nil {
		return nil, failed(row, err)
	}
	l := newListing()
	l.versions = map[string]string{}
	for _, t := range tools {
		if t.Deprecated {
			continue
		}
		l.add(definitionOfIntegration(t))
		l.versions[t.Slug] = t.Version
	}
	switch {
	case l.tooMany():
		return nil, fault.New(Failed, "%s has more than %d tools, the most that are taken of one toolkit.", row.Toolkit, MostTools)
	case len(l.tools) == 0 && l.problem == "":
		l.problem = fmt.Sprintf("Composio knows no tools of the toolkit %q.", row.Toolkit)
	}
	c.integrations.Add(key, looked{l, now})
	return l, nil
}

func definitionOfIntegration(t composio.Tool) Definition {
	d := Definition{Name: t.Slug, Title: t.Name, Description: t.Description, InputSchema: t.Input}
	if string(bytes.TrimSpace(d.InputSchema)) == "null" {
		d.InputSchema = nil
	}
	hints := map[string]bool{}
	for _, hint := range []string{"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} {
		if slices.Contains(t.Tags, hint) {
			hints[hint] = true
		}
	}
	if len(hints) > 0 {
		d.Annotations = rawOf(hints)
	}
	return d
}

func (c *Connections) callIntegration(ctx context.Context, row *ent.Connection, t *ent.Tool, call Call) (Result, error) {
	account, err := c.Credentials.AccountOf(ctx, row, call.UserID)
	if err != nil {
		return Result{}, err
	}
	offered, err := c.integration(ctx, row, c.LookAgain)
	if err != nil {
		return Result{}, err
	}
	if err := c.asApproved(ctx, row, t, offered); err != nil {
		return Result{}, err
	}
	api, err := c.Credentials.Integration(ctx, row)
	if err != nil {
		return Result{}, err
	}
	started := time.Now()
	answer, err := api.Execute(ctx, t.Name, composio.Execution{UserID: account.UserID, AccountID: account.ID, Version: offered.versions[t.Name], Arguments: call.Arguments})
	result := Result{Sent: true, Latency: time.Since(started)}
	var refused *composio.Refused
	switch {
	case errors.As(err, &refused) && refused.Status >= http.StatusBadRequest && refused.Status < http.StatusInternalServerError &&
		refused.Status != http.StatusUnauthorized && refused.Status != http.StatusForbidden && refused.Status != http.StatusTooManyRequests:
		// What is wrong with the call is for the model to learn from.
		return said(result, fmt.Sprintf("Composio refuses the call (%d). %s", refused.Status, refused.Words)), nil
	case err != nil:
		return result, failed(row, err)
	case !answer.Successful:
		return said(result, "The call failed. "+answer.Words), nil
	case len(answer.Data) > maxResult:
		return result, fault.New(TooLarge, "%s answered more than %d KiB. Ask for less.", t.Name, maxResult>>10)
	}
	var data any
	if json.Unmarshal(answer.Data, &data) == nil {
		if object, ok := data.(map[string]any); ok {
			result.Structured = object
		}
	}
	result.Content = []mcp.Content{&mcp.TextContent{Text: strings.ToValidUTF8(string(answer.Data), "�")}}
	return result, nil
}

// said is a result that tells of a failure.
func said(result Result, words string) Result {
	result.IsError, result.Content = true, []mcp.Content{&mcp.TextContent{Text: strings.TrimSpace(words)}}
	return result
}
