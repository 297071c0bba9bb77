package gateway

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
)

// maxDepth bounds how deep a request's JSON may nest.
const maxDepth = 64

// span is a half-open range of bytes in a document.
type span struct{ from, to int }

func (s span) of(doc []byte) []byte { return doc[s.from:s.to] }

// member is one name and value of a JSON object, and where they stand.
type member struct {
	name       string
	key, value span
}

// check refuses a document that isn't one JSON object, nests too deep, or
// names a member twice: whoever reads such a document next may understand
// another call than the one that was paid for.
func check(doc []byte) *fault.Error {
	if !json.Valid(doc) {
		return invalid("", "The request body isn't valid JSON.")
	}
	c := checker{doc: doc}
	from := skipSpace(doc, 0)
	if doc[from] != '{' {
		return invalid("", "The request body must be a JSON object.")
	}
	c.value(from, 1)
	return c.fault
}

// checker walks a valid document once.
type checker struct {
	doc   []byte
	names [][]byte // of the open objects, innermost last
	fault *fault.Error
}

// value walks the value that begins at i and returns where it ends.
func (c *checker) value(i, depth int) int {
	switch open := c.doc[i]; open {
	case '{', '[':
		if depth > maxDepth {
			c.fault = invalid("", "The request body nests deeper than %d levels.", maxDepth)
		}
		return c.items(i+1, depth, open == '{')
	default:
		return skipScalar(c.doc, i)
	}
}

// items walks the members or elements after an opening bracket.
func (c *checker) items(i, depth int, object bool) int {
	mark := len(c.names)
	defer func() { c.names = c.names[:mark] }()
	var seen map[string]bool // of objects too large for comparing one by one
	for c.fault == nil {
		i = skipSpace(c.doc, i)
		switch c.doc[i] {
		case '}', ']':
			return i + 1
		case ',':
			i++
			continue
		}
		if object {
			end := skipScalar(c.doc, i)
			seen = c.name(span{i, end}, mark, seen)
			i = skipSpace(c.doc, skipSpace(c.doc, end)+1) // past the colon
		}
		i = c.value(i, depth+1)
	}
	return i
}

func (c *checker) name(at span, mark int, seen map[string]bool) map[string]bool {
	name := at.of(c.doc)
	if bytes.IndexByte(name, '\\') >= 0 {
		name = []byte(`"` + text(name) + `"`)
	}
	const few = 16
	twice := false
	if len(c.names)-mark < few {
		for _, other := range c.names[mark:] {
			twice = twice || bytes.Equal(other, name)
		}
	} else {
		if seen == nil {
			seen = map[string]bool{}
			for _, other := range c.names[mark:] {
				seen[string(other)] = true
			}
		}
		twice = seen[string(name)]
		seen[string(name)] = true
	}
	c.names = append(c.names, name)
	if twice {
		c.fault = invalid(strings.Trim(string(name), `"`), "The request body names %s twice in one object.", name)
	}
	return seen
}

// members lists an object of a checked document; other values have none.
func members(doc []byte, at span) []member {
	if doc[at.from] != '{' {
		return nil
	}
	var out []member
	for i := at.from + 1; ; {
		i = skipSpace(doc, i)
		switch doc[i] {
		case '}':
			return out
		case ',':
			i++
			continue
		}
		m := member{key: span{i, skipScalar(doc, i)}}
		m.name = text(m.key.of(doc))
		m.value.from = skipSpace(doc, skipSpace(doc, m.key.to)+1)
		m.value.to = skip(doc, m.value.from)
		out = append(out, m)
		i = m.value.to
	}
}

// elements lists an array of a checked document; other values have none.
func elements(doc []byte, at span) []span {
	if doc[at.from] != '[' {
		return nil
	}
	var out []span
	for i := at.from + 1; ; {
		i = skipSpace(doc, i)
		switch doc[i] {
		case ']':
			return out
		case ',':
			i++
			continue
		}
		end := skip(doc, i)
		out = append(out, span{i, end})
		i = end
	}
}

// text decodes a JSON string of a checked document.
func text(quoted []byte) string {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1])
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // checked before
	return s
}

// skip returns where the value that begins at i ends.
func skip(doc []byte, i int) int {
	depth := 0
	for {
		switch doc[i] {
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ' ', '\t', '\n', '\r', ',', ':':
			i++
			continue
		default:
			i = skipScalar(doc, i)
		}
		if depth == 0 {
			return i
		}
	}
}

// skipScalar returns where the string, number or literal at i ends.
func skipScalar(doc []byte, i int) int {
	if doc[i] != '"' {
		for i < len(doc) && !strings.ContainsRune(" \t\n\r,]}:", rune(doc[i])) {
			i++
		}
		return i
	}
	for i++; doc[i] != '"'; i++ {
		if doc[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipSpace(doc []byte, i int) int {
	for i < len(doc) && (doc[i] == ' ' || doc[i] == '\t' || doc[i] == '\n' || doc[i] == '\r') {
		i++
	}
	return i
}
