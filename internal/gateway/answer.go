package gateway

import (
	"encoding/json"
	"strings"

	"github.com/alchemi/cockpit/internal/budget"
)

// meter adds up what an answer used.
type meter struct {
	usage    budget.Usage
	reported bool
	// seen is how many bytes were generated before our eyes: never fewer than
	// the tokens of them.
	seen     int64
	finished bool
	// failed and garbled tell of an error object, and of what isn't JSON.
	failed, garbled bool
}

// read meters one JSON document of the upstream's. It tells whether that
// carries usage and nothing else.
func (m *meter) read(doc []byte) bool {
	from := skipSpace(doc, 0)
	if !json.Valid(doc) || doc[from] != '{' && doc[from] != 'n' {
		m.garbled = true
		return false
	}
	choices := 0
	var usage []byte
	for name, value := range fields(doc, from) {
		switch {
		case named(name, "choices"):
			for _, choice := range m.list(doc, value) {
				choices++
				m.choice(doc, choice)
			}
		case named(name, "usage"):
			usage = value.of(doc)
		case named(name, "error"):
			m.failed = m.failed || present(value.of(doc))
		}
	}
	if !present(usage) {
		return false
	}
	if t, usable := readUsage(usage); usable {
		m.usage, m.reported = t, true // later reports replace earlier ones
	}
	return choices == 0
}

// list are the elements of an array; nothing else may stand for one but null.
func (m *meter) list(doc []byte, at span) []span {
	m.garbled = m.garbled || doc[at.from] != '[' && doc[at.from] != 'n'
	return elements(doc, at)
}

func (m *meter) choice(doc []byte, at span) {
	m.garbled = m.garbled || doc[at.from] != '{' && doc[at.from] != 'n'
	for name, value := range fields(doc, at.from) {
		first := doc[value.from]
		switch {
		case named(name, "message") || named(name, "delta"):
			m.garbled = m.garbled || first != '{' && first != 'n'
			m.seen += generated(doc, value)
		case named(name, "finish_reason"):
			m.garbled = m.garbled || first != '"' && first != 'n'
			m.finished = m.finished || first == '"'
		}
	}
}

// generated is how many bytes of a message were generated: its texts without
// their quotes, and whatever calls and sounds it has.
func generated(doc []byte, at span) (n int64) {
	for name, value := range fields(doc, at.from) {
		raw := value.of(doc)
		if !present(raw) {
			continue
		}
		switch {
		case named(name, "content"), named(name, "refusal"),
			named(name, "reasoning"),         // OpenRouter
			named(name, "reasoning_content"): // DeepSeek, vLLM
			n += int64(max(len(raw)-2, 0))
		case named(name, "tool_calls"), named(name, "function_call"), named(name, "audio"):
			n += int64(len(raw))
		}
	}
	return n
}

// named compares as encoding/json does, without regard to case.
func named(name []byte, want string) bool {
	return string(name) == want || len(name) == len(want) && strings.EqualFold(string(name), want)
}

func present(raw []byte) bool { return len(raw) > 0 && string(raw) != "null" }
