package connections

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/openapi"
)

// operations are the tools of an OpenAPI document, read anew where it came from
// an address.
func (c *Connections) operations(ctx context.Context, row *ent.Connection) (*listing, error) {
	stored, err := c.documentOf(ctx, row)
	if err != nil {
		return nil, err
	}
	text, err := stored, nil
	if row.DocumentURL != "" {
		if text, err = c.fetch(ctx, row.DocumentURL); err != nil {
			return nil, err
		}
	}
	l := newListing()
	if text != stored {
		l.document = text
	}
	d, err := openapi.Read([]byte(text))
	if err != nil {
		return nil, err
	}
	for _, o := range d.Operations() {
		hints, err := json.Marshal(map[string]bool{"readOnlyHint": o.ReadOnly, "destructiveHint": o.Destructive})
		if err != nil {
			return nil, err
		}
		l.add(Definition{Name: o.Name, Title: o.Title, Description: o.Description, InputSchema: o.InputSchema, Annotations: hints, Request: d.Request(o.Name)})
	}
	if l.tooMany() {
		return nil, fault.At("document", "The document has more than %d operations. Give one with those that are needed.", MostTools)
	}
	if len(d.Skipped) > 0 && l.problem == "" {
		l.problem = fmt.Sprintf("%d operations were left out; the first, %s, %s", len(d.Skipped), d.Skipped[0].Operation, d.Skipped[0].Reason)
	}
	return l, nil
}

func (c *Connections) documentOf(ctx context.Context, row *ent.Connection) (string, error) {
	texts, err := c.Store.Connection.Query().Where(connection.ID(row.ID)).Select(connection.FieldDocument).Strings(ctx)
	if err != nil {
		return "", err
	}
	if len(texts) == 0 {
		return "", fault.Missing("connection")
	}
	return texts[0], nil
}

// fetch reads a document from an address that a tenant gave. It is nobody's in
// particular, so no credential goes along.
func (c *Connections) fetch(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", fault.At("documentUrl", "The address of the document can't be called.")
	}
	req.Header.Set("Accept", "application/json, application/yaml;q=0.9, */*;q=0.1")
	res, err := c.Client.Do(req)
	if err != nil {
		return "", fault.At("documentUrl", "The document can't be had: %s.", reason(err)).Because(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return "", fault.At("documentUrl", "The document can't be had: its server answers %d. Redirects aren't followed.", res.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, openapi.MaxDocument+1))
	if err != nil {
		return "", fault.At("documentUrl", "The document can't be had: it broke off.").Because(err)
	}
	if len(text) > openapi.MaxDocument {
		return "", fault.At("documentUrl", "The document has more than %d KB. Give one with fewer operations.", openapi.MaxDocument>>10)
	}
	return strings.ToValidUTF8(strings.ReplaceAll(string(text), "\x00", ""), ""), nil
}

func (c *Connections) callOperation(ctx context.Context, row *ent.Connection, t *ent.Tool, call Call) (Result, error) {
	version := fmt.Sprintf("%s %d", row.ID, row.Version)
	d, known := c.documents.Get(version)
	if !known {
		text, err := c.documentOf(ctx, row)
		if err != nil {
			return Result{}, err
		}
		if d, err = openapi.Read([]byte(text)); err != nil {
			return Result{}, failed(row, err)
		}
		c.documents.Add(version, d)
	}
	sign, err := c.Credentials.Authorize(ctx, row, call.UserID)
	if err != nil {
		return Result{}, err
	}
	started := time.Now()
	answer, err := openapi.Call(ctx, c.Client, row.URL, d, t.Name, call.Arguments, sign)
	result := Result{Sent: err == nil || fault.Is(err, fault.Unavailable), Latency: time.Since(started)}
	if err != nil {
		return result, failed(row, err)
	}
	return fromAPI(result, answer), nil
}

// fromAPI makes a tool's result of an API's answer.
func fromAPI(result Result, answer openapi.Result) Result {
	text := strings.ToValidUTF8(string(answer.Body), "�")
	if answer.Cut {
		text += fmt.Sprintf("\n… cut off after %d KB.", openapi.MaxAnswer>>10)
	}
	result.IsError = answer.Status < 200 || answer.Status > 299
	if result.IsError {
		text = fmt.Sprintf("The API answered %d.\n%s", answer.Status, text)
	}
	result.Content = []mcp.Content{&mcp.TextContent{Text: text}}
	return result
}
