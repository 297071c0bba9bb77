// Package openapi makes tools of OpenAPI documents and calls them. A document
// is a stranger's: whatever it says is bounded, and nothing that it points to
// elsewhere is fetched.
package openapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/alchemi/cockpit/internal/fault"
)

const (
	// MaxDocument is the most bytes that a document may have.
	MaxDocument = 5 << 20
	// MaxOperations is the most operations that a document may have.
	MaxOperations = 2000
	// maxDepth bounds how deep a document's values are nested, maxValues how many
	// there are with YAML's aliases written out.
	maxDepth, maxValues = 50, 1_000_000
)

// Document is an OpenAPI document that was read, with its operations as tools.
type Document struct {
	// Title and Version are the document's own.
	Title, Version string
	// Skipped are the operations that can't be tools.
	Skipped []Skipped

	servers    []string
	operations []*operation
	byName     map[string]*operation
}

// Skipped is an operation that can't be a tool.
type Skipped struct {
	// Operation is its method and path.
	Operation string
	// Reason says in a sentence why not.
	Reason string
}

// Operation is one operation of a document as a tool.
type Operation struct {
	// Name is unique in the document: at most 64 letters, digits, _ and -.
	Name string
	// Title is the operation's summary.
	Title string
	// Description says what it does, for the model that chooses.
	Description string
	// InputSchema is the JSON schema of its arguments: an object with path, query
	// and header parameters, and the body as `body`.
	InputSchema json.RawMessage
	// ReadOnly changes nothing (GET); Destructive replaces or deletes (PUT, DELETE).
	ReadOnly, Destructive bool
}

// Read reads an OpenAPI 3.0 or 3.1 document in JSON or YAML.
func Read(doc []byte) (d *Document, err error) {
	// The parser is not ours, and the text anybody's.
	defer func() {
		if r := recover(); r != nil {
			d, err = nil, unreadable(fmt.Errorf("openapi: the parser panics: %v", r))
		}
	}()
	if len(doc) > MaxDocument {
		return nil, fault.At("document", "The document has %d KB; at most %d KB are read. Give one with fewer operations, or without examples.", len(doc)>>10, MaxDocument>>10)
	}
	text, err := toJSON(doc)
	if err != nil {
		return nil, err
	}
	var head struct {
		OpenAPI string          `json:"openapi"`
		Swagger string          `json:"swagger"`
		Paths   json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, unreadable(err)
	}
	switch {
	case head.Swagger != "":
		return nil, fault.At("document", "This is a Swagger %s document. Convert it to OpenAPI 3.0 or 3.1 first.", clip(head.Swagger, 20))
	case !strings.HasPrefix(head.OpenAPI, "3.0.") && !strings.HasPrefix(head.OpenAPI, "3.1."):
		return nil, fault.At("document", "This isn't an OpenAPI 3.0 or 3.1 document: it must begin with such an openapi version.")
	}
	var t openapi3.T
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, unreadable(err)
	}
	return newDocument(&t, text)
}

// Operations are the document's tools, by path and method.
func (d *Document) Operations() []Operation {
	out := make([]Operation, len(d.operations))
	for i, o := range d.operations {
		out[i] = o.Operation
		out[i].InputSchema = slices.Clone(o.InputSchema)
	}
	return out
}

// Servers are the addresses that the document names, with the defaults of their
// variables; relative ones are relative to where the document came from.
func (d *Document) Servers() []string { return slices.Clone(d.servers) }

func newDocument(t *openapi3.T, text []byte) (*Document, error) {
	d := &Document{byName: map[string]*operation{}, servers: addresses(t.Servers)}
	if t.Info != nil {
		d.Title, d.Version = clip(t.Info.Title, 200), clip(t.Info.Version, 50)
	}
	b := &builder{d: d, refs: newResolver(t, text), left: maxDocumentNodes}
	for _, path := range slices.Sorted(slices.Values(t.Paths.Keys())) {
		item, err := b.refs.path(t.Paths.Value(path))
		if err != nil {
			b.skip(path, "%s", err)
		}
		if item == nil {
			continue
		}
		for _, method := range methods {
			if op := item.GetOperation(method); op != nil {
				if len(d.operations)+len(d.Skipped) == MaxOperations {
					return nil, fault.At("document", "The document has more than %d operations. Give one with those that are needed.", MaxOperations)
				}
				b.add(method, path, item, op)
			}
		}
	}
	if len(d.operations) == 0 {
		e := fault.At("document", "The document has no operation that can be a tool.")
		if len(d.Skipped) > 0 {
			e.Message += fmt.Sprintf(" The first, %s, %s", d.Skipped[0].Operation, d.Skipped[0].Reason)
		}
		return nil, e
	}
	return d, nil
}

func addresses(servers openapi3.Servers) []string {
	var out []string
	for _, s := range servers {
		if s == nil || len(out) == 20 {
			continue
		}
		address := s.URL
		for name, v := range s.Variables {
			if v != nil {
				address = strings.ReplaceAll(address, "{"+name+"}", v.Default)
			}
		}
		if u, err := url.Parse(address); err != nil || len(address) > 2000 || (u.IsAbs() && u.Scheme != "http" && u.Scheme != "https") || address == "" {
			continue
		}
		if !slices.Contains(out, address) {
			out = append(out, address)
		}
	}
	return out
}

func unreadable(err error) error {
	return fault.At("document", "The document can't be read: %s", clip(reason(err), 300)).Because(err)
}

// reason is the last line of what a parser says; those before tell of attempts.
func reason(err error) string {
	text := strings.TrimSpace(err.Error())
	if text == "" {
		return "it isn't an OpenAPI document."
	}
	return strings.TrimSuffix(text, ".") + "."
}

// clip cuts text to at most n characters.
func clip(s string, n int) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, ""))
	if len(s) <= n {
		return s
	}
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return strings.TrimSpace(string(r[:n-1])) + "…"
}
