package gateway

import (
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
	w := walker{doc: doc}
	seen := *m // of what isn't JSON nothing is believed
	choices := 0
	var usage []byte
	fits := w.members(func(name []byte) {
		switch {
		case named(name, "choices"):
			seen.expect(w.elements(func() {
				choices++
				seen.choice(&w)
			}))
		case named(name, "usage"):
			usage = w.value()
		case named(name, "error"):
			seen.failed = present(w.value()) || seen.failed
		default:
			w.value()
		}
	})
	if !fits || !w.ended() {
		m.garbled = true
		return false
	}
	*m = seen
	if !present(usage) {
		return false
	}
	if t, usable := readUsage(usage); usable {
		m.usage, m.reported = t, true // later reports replace earlier ones
	}
	return choices == 0
}

// expect remembers that something else stood where an object or array has to.
func (m *meter) expect(fits bool) { m.garbled = m.garbled || !fits }

func (m *meter) choice(w *walker) {
	m.expect(w.members(func(name []byte) {
		switch {
		case named(name, "message") || named(name, "delta"):
			m.expect(w.members(func(name []byte) { m.seen += generated(name, w.value()) }))
		case named(name, "finish_reason"):
			first := w.peek()
			w.value()
			m.expect(first == '"' || first == 'n')
			m.finished = m.finished || first == '"'
		default:
			w.value()
		}
	}))
}

// generated is how many bytes of a message's member were generated: texts
// without their quotes, and whatever calls and sounds it has.
func generated(name, raw []byte) int64 {
	if !present(raw) {
		return 0
	}
	switch {
	case named(name, "content"), named(name, "refusal"),
		named(name, "reasoning"),         // OpenRouter
		named(name, "reasoning_content"): // DeepSeek, vLLM
		return int64(max(len(raw)-2, 0))
	case named(name, "tool_calls"), named(name, "function_call"), named(name, "audio"):
		return int64(len(raw))
	}
	return 0
}

// named compares as encoding/json does, without regard to case.
func named(name []byte, want string) bool {
	return string(name) == want || len(name) == len(want) && strings.EqualFold(string(name), want)
}

func present(raw []byte) bool { return len(raw) > 0 && string(raw) != "null" }
