package connections

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Definition is what a tool says of itself, which is what people approve and
// models read.
type Definition struct {
	// Name is the operation's own.
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	// Description tells a model what the tool does.
	Description string `json:"description,omitempty"`
	// InputSchema is a JSON Schema of an object.
	InputSchema  json.RawMessage `json:"inputSchema"`
	OutputSchema json.RawMessage `json:"outputSchema,omitempty"`
	// Annotations are hints of the server about what the tool changes.
	Annotations json.RawMessage `json:"annotations,omitempty"`
	// Request is what a call of an OpenAPI operation does on the wire.
	Request string `json:"request,omitempty"`
}

// pinned is a definition in the one form that is stored and compared.
type pinned struct {
	Definition
	text   []byte
	digest string
}

// maxDepth is how deeply a definition may be nested.
const maxDepth = 32

// pin checks a definition and brings it to its canonical form: names sorted, no
// blanks.
func pin(d Definition) (pinned, error) {
	if d.Name == "" || len(d.Name) > 200 || !utf8.ValidString(d.Name) || strings.ContainsFunc(d.Name, unicode.IsControl) {
		return pinned{}, errors.New("its name isn't 1–200 characters of plain text")
	}
	if len(bytes.TrimSpace(d.InputSchema)) == 0 {
		d.InputSchema = json.RawMessage(`{"type":"object"}`)
	}
	var schema struct {
		Type any `json:"type"`
	}
	if err := json.Unmarshal(d.InputSchema, &schema); err != nil || schema.Type != "object" {
		return pinned{}, errors.New("its input isn't described as an object")
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return pinned{}, errors.New("its definition is no JSON")
	}
	if len(raw) > maxDefinition {
		return pinned{}, fmt.Errorf("its definition is longer than %d KiB", maxDefinition>>10)
	}
	if bytes.Contains(raw, []byte(`\u0000`)) || bytes.IndexByte(raw, 0) >= 0 {
		return pinned{}, errors.New("its definition has zero bytes")
	}
	if deep(raw) {
		return pinned{}, fmt.Errorf("its definition is nested more than %d levels deep", maxDepth)
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return pinned{}, errors.New("its definition is no JSON")
	}
	text, err := json.Marshal(value) // sorts names
	if err != nil {
		return pinned{}, errors.New("its definition is no JSON")
	}
	sum := sha256.Sum256(text)
	return pinned{d, text, hex.EncodeToString(sum[:])}, nil
}

// deep tells whether JSON is nested beyond maxDepth.
func deep(raw []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	depth := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return false
		}
		if err != nil {
			return true
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return true
		}
	}
}

// listing is what a connection offers, by name.
type listing struct {
	tools map[string]pinned
	// problem tells in words what was left out.
	problem string
	// document is an OpenAPI document that was read anew; empty where the stored
	// one stands.
	document string
	// versions are those of an integration's tools, by name, which calls ask for.
	versions map[string]string
}

func newListing() *listing { return &listing{tools: map[string]pinned{}} }

// add takes a tool in, or says why it is left out.
func (l *listing) add(d Definition) {
	p, err := pin(d)
	if err == nil && l.tools[d.Name].digest != "" {
		err = errors.New("another has the same name")
	}
	if err != nil {
		if l.problem == "" {
			l.problem = fmt.Sprintf("The tool %.60q was left out: %s.", strings.ToValidUTF8(strings.ReplaceAll(d.Name, "\x00", ""), "�"), err)
		}
		return
	}
	l.tools[d.Name] = p
}

// tooMany tells whether a connection offers more than is taken.
func (l *listing) tooMany() bool { return len(l.tools) > MostTools }
