package marketplace

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
)

// AgentPayload is what installing an agent or a template brings.
type AgentPayload struct {
	Purpose    string          `json:"purpose,omitempty"`
	Icon       string          `json:"icon,omitempty"`
	Definition json.RawMessage `json:"definition"`
	// Model is the name of a catalogue model that the definition is made for. It
	// takes the place of an id, which another account wouldn't know.
	Model string `json:"model,omitempty"`
}

// ConnectionPayload is a connection without its secrets: each account signs in
// with its own.
type ConnectionPayload struct {
	Kind        connection.Kind       `json:"kind"`
	Description string                `json:"description,omitempty"`
	Icon        string                `json:"icon,omitempty"`
	URL         string                `json:"url,omitempty"`
	Command     []string              `json:"command,omitempty"`
	Document    string                `json:"document,omitempty"`
	DocumentURL string                `json:"documentUrl,omitempty"`
	Auth        connection.Auth       `json:"auth,omitempty"`
	Credential  connection.Credential `json:"credential,omitempty"`
	AuthName    string                `json:"authName,omitempty"`
	OAuth       json.RawMessage       `json:"oauth,omitempty"`
}

const maxPayload = 1 << 20

// read understands a payload strictly: what isn't known is refused.
func read(raw []byte, into any) error {
	if len(raw) > maxPayload {
		return fault.At("payload", "A payload has at most 1 MiB.")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fault.At("payload", "The payload can't be read: %.200s.", err)
	}
	if d.More() {
		return fault.At("payload", "A payload is one JSON object.")
	}
	return nil
}

// Prepare completes a payload of the platform by what it names: the document of
// an OpenAPI connection is read once, so that a version holds all that it
// brings. No transaction is open meanwhile.
func (m *Market) Prepare(ctx context.Context, kind listing.Kind, raw []byte) ([]byte, error) {
	if kind != listing.KindCONNECTION || len(raw) == 0 {
		return raw, nil
	}
	var p ConnectionPayload
	if err := read(raw, &p); err != nil {
		return nil, err
	}
	if p.Kind != connection.KindOPENAPI {
		return raw, nil
	}
	in := p.input()
	if p.Document == "" && p.DocumentURL != "" {
		in.Document = nil
	}
	if err := m.Connections.Prepare(ctx, &in); err != nil {
		return nil, err
	}
	p.Document, p.URL = *in.Document, *in.URL
	return json.Marshal(p)
}

// input is the connection that a payload makes, by the words of those who make
// connections.
func (p *ConnectionPayload) input() connections.Input {
	in := connections.Input{Kind: p.Kind, Description: &p.Description, Icon: &p.Icon, URL: &p.URL, Command: p.Command,
		Document: &p.Document, DocumentURL: &p.DocumentURL, Auth: &p.Auth, Credential: &p.Credential, AuthName: &p.AuthName, OAuth: p.OAuth}
	if in.Command == nil {
		in.Command = []string{}
	}
	return in
}

// checkPayload refuses what couldn't be installed.
func (m *Market) checkPayload(accountID string, kind listing.Kind, raw []byte) (json.RawMessage, error) {
	switch kind {
	case listing.KindAGENT, listing.KindTEMPLATE:
		var p AgentPayload
		if err := read(raw, &p); err != nil {
			return nil, err
		}
		d, err := agents.Parse(p.Definition)
		if err != nil {
			return nil, err
		}
		if accountID == id.PlatformID && (d.ModelID != "" || len(d.FallbackIDs)+len(d.ToolIDs)+len(d.GuardrailPresetIDs) > 0) {
			return nil, fault.At("payload", "The platform's agents name no ids, which belong to one account. Name the model by \"model\"; tools and guardrails are chosen in the draft.")
		}
		if len(p.Purpose) > 500 || len(p.Icon) > 40 {
			return nil, fault.At("payload", "A purpose has at most 500 characters, an icon 40.")
		}
		return json.Marshal(p)
	case listing.KindCONNECTION:
		var p ConnectionPayload
		if err := read(raw, &p); err != nil {
			return nil, err
		}
		if err := p.check(); err != nil {
			return nil, err
		}
		return json.Marshal(p)
	}
	return nil, fault.At("kind", "A model's listing comes with its catalogue model.")
}

func (p *ConnectionPayload) check() error {
	if p.Auth == "" {
		p.Auth = connection.AuthNONE
	}
	if p.Credential == "" {
		p.Credential = connection.CredentialSHARED
	}
	if connection.KindValidator(p.Kind) != nil || connection.AuthValidator(p.Auth) != nil || connection.CredentialValidator(p.Credential) != nil {
		return fault.At("payload", "The payload's kind, auth or credential is none of a connection.")
	}
	for _, address := range []string{p.URL, p.DocumentURL} {
		u, err := url.Parse(address)
		if err != nil || address != "" && (u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http") {
			return fault.At("payload", "An address looks like https://mcp.example.com/mcp, without a user.")
		}
	}
	if p.Kind == connection.KindOPENAPI && p.Document == "" {
		return fault.At("payload", "An OpenAPI connection brings its document, or names the address that it is read from.")
	}
	if p.Kind == connection.KindMCP_STDIO && len(p.Command) == 0 || p.Kind != connection.KindMCP_STDIO && p.URL == "" && p.Document == "" && p.DocumentURL == "" {
		return fault.At("payload", "A connection needs an address, a document or a command.")
	}
	if len(p.OAuth) > 0 {
		var o map[string]any
		if json.Unmarshal(p.OAuth, &o) != nil {
			return fault.At("payload", "oauth is a JSON object.")
		}
		for name := range o {
			if strings.Contains(strings.ToLower(name), "secret") {
				return fault.At("payload", "A listing holds no secrets: each account gives its own.")
			}
		}
	}
	return nil
}

// Change is one difference between two payloads: a path, and JSON before and
// after; empty where there is nothing.
type Change struct{ Path, Before, After string }

// Diff lists what differs between two payloads, by path.
func Diff(before, after []byte) ([]Change, error) {
	a, b := map[string]string{}, map[string]string{}
	for _, side := range []struct {
		raw  []byte
		into map[string]string
	}{{before, a}, {after, b}} {
		if len(side.raw) == 0 {
			continue
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(side.raw))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("marketplace: payload: %w", err)
		}
		flatten("", v, side.into)
	}
	paths := slices.Collect(maps.Keys(b))
	for p := range a {
		if _, both := b[p]; !both {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	out := []Change{}
	for _, p := range paths {
		if a[p] != b[p] {
			out = append(out, Change{p, a[p], b[p]})
		}
	}
	return out, nil
}

// flatten takes objects apart; lists are compared whole.
func flatten(path string, v any, into map[string]string) {
	if object, ok := v.(map[string]any); ok && (len(object) > 0 || path == "") {
		for name, value := range object {
			at := name
			if path != "" {
				at = path + "." + name
			}
			flatten(at, value, into)
		}
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // it was decoded a moment ago
	}
	into[path] = string(text)
}

// snapshot takes a payload from an agent's version in use, or from a connection.
func snapshot(s *source) (json.RawMessage, error) {
	if s.agent != nil {
		return json.Marshal(AgentPayload{Purpose: s.agent.Purpose, Icon: s.agent.Icon, Definition: s.version.Definition})
	}
	c := s.connection
	oauth, err := withoutSecrets(c.Oauth)
	if err != nil {
		return nil, err
	}
	return json.Marshal(ConnectionPayload{Kind: c.Kind, Description: c.Description, Icon: c.Icon, URL: c.URL, Command: c.Command,
		Document: c.Document, DocumentURL: c.DocumentURL, Auth: c.Auth, Credential: c.Credential, AuthName: c.AuthName, OAuth: oauth})
}

func withoutSecrets(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var o map[string]any
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, fmt.Errorf("marketplace: oauth: %w", err)
	}
	for name := range o {
		if strings.Contains(strings.ToLower(name), "secret") {
			delete(o, name)
		}
	}
	return json.Marshal(o)
}

// source is what versions of an account's own listing are taken from.
type source struct {
	agent      *ent.Agent
	version    *ent.AgentVersion
	connection *ent.Connection
	scopeID    string
	kind       listing.Kind
}
