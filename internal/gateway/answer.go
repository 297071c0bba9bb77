package gateway

import (
	"encoding/json"

	"github.com/alchemi/cockpit/internal/budget"
)

// part is what the gateway reads of an answer, or of one event of a stream.
type part struct {
	Choices []struct {
		Message *content `json:"message"`
		Delta   *content `json:"delta"`
		Finish  *string  `json:"finish_reason"`
	} `json:"choices"`
	Usage json.RawMessage `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// content is everything of a message that was generated.
type content struct {
	Content   json.RawMessage `json:"content"`
	Refusal   json.RawMessage `json:"refusal"`
	Reasoning json.RawMessage `json:"reasoning"`         // OpenRouter
	Thinking  json.RawMessage `json:"reasoning_content"` // DeepSeek, vLLM
	Tools     json.RawMessage `json:"tool_calls"`
	Function  json.RawMessage `json:"function_call"`
	Audio     json.RawMessage `json:"audio"`
}

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
	var p part
	if json.Unmarshal(doc, &p) != nil {
		m.garbled = true
		return false
	}
	for _, c := range p.Choices {
		for _, from := range []*content{c.Message, c.Delta} {
			if from != nil {
				m.seen += from.size()
			}
		}
		m.finished = m.finished || c.Finish != nil
	}
	m.failed = m.failed || present(p.Error)
	if !present(p.Usage) {
		return false
	}
	if t, usable := readUsage(p.Usage); usable {
		m.usage, m.reported = t, true // later reports replace earlier ones
	}
	return len(p.Choices) == 0
}

func (c *content) size() int64 {
	n := 0
	for _, raw := range []json.RawMessage{c.Content, c.Refusal, c.Reasoning, c.Thinking} {
		if present(raw) {
			n += max(len(raw)-2, 0) // without the quotes
		}
	}
	for _, raw := range []json.RawMessage{c.Tools, c.Function, c.Audio} {
		if present(raw) {
			n += len(raw)
		}
	}
	return int64(n)
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }
