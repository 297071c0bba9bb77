package guardrail

import (
	"encoding/json"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
)

// clean filters a text as whoever receives it reads it: of JSON, such as a
// tool's arguments, that is what its strings say without their escapes. What is
// JSON stays JSON, and byte by byte the same where nothing is taken out.
func (l *Look) clean(text string) string {
	if l.filter == nil || !isJSON(text) {
		return l.raw(text)
	}
	plain, found := l.strings(text)
	out := l.raw(plain)
	switch {
	case l.blocked != nil:
		return ""
	case out == plain && !found:
		return text
	case json.Valid([]byte(out)):
		return out
	}
	return quote(out) // a number that became a mark, or a match across strings
}

// raw filters a text as it is written.
func (l *Look) raw(text string) string {
	if l.filter == nil {
		return text
	}
	clean, s := l.filter.Text(text)
	l.note(s)
	return clean
}

func isJSON(text string) bool {
	start := strings.TrimLeft(text, " \t\r\n")
	return start != "" && (start[0] == '{' || start[0] == '[') && json.Valid([]byte(text))
}

// strings writes a JSON text with as few escapes as it needs, and filters each
// string that needs some; found tells whether that took anything out.
func (l *Look) strings(doc string) (out string, found bool) {
	var b strings.Builder
	for {
		from := strings.IndexByte(doc, '"')
		if from < 0 {
			return b.String() + doc, found
		}
		to := from + 1
		for doc[to] != '"' {
			if doc[to] == '\\' {
				to++
			}
			to++
		}
		token := doc[from : to+1]
		if strings.Contains(token, `\`) {
			var said string
			_ = json.Unmarshal([]byte(token), &said) // a string of valid JSON
			after := l.clean(said)
			found = found || after != said
			token = quote(after)
		}
		b.WriteString(doc[:from])
		b.WriteString(token)
		doc = doc[to+1:]
	}
}

// quote writes a JSON string and escapes no more than it must.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// maxWhole bounds what is held back of a text that is looked at as a whole.
const maxWhole = 4 << 20

// Whole begins a text that comes in pieces and makes sense only as a whole, such
// as a tool's arguments: it is held back to its end.
func (l *Look) Whole() *Flow { return &Flow{look: l, whole: true} }

func (f *Flow) keep(piece string) {
	if len(f.held)+len(piece) > maxWhole && f.look.failure == nil {
		f.look.failure = fault.New(Blocked, "The model calls a tool with more than 4 MB, which is more than guardrails look at. Ask it for less at once.")
	}
	if f.look.failure == nil {
		f.held += piece
	}
}

// all is a whole text as it may go on.
func (f *Flow) all() string {
	text := f.held
	f.held = ""
	if f.look.Refusal() != nil {
		return ""
	}
	if text = f.look.clean(text); f.look.blocked != nil {
		return ""
	}
	return text
}
