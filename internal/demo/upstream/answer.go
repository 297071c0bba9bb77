package upstream

import "strings"

// tokenBytes is the length of a token: the provider's tokenizer cuts text
// every four bytes.
const tokenBytes = 4

// passage is what the provider has to say, over and over.
const passage = "This answer comes from the demo upstream. It speaks the same wire format as a real provider, " +
	"counts its tokens, and bills them, so everything you see in Cockpit was measured. " +
	"Point a provider at any compatible address and nothing else changes. "

// choice is one finished answer.
type choice struct {
	text      string
	reasoning int
	finish    string
}

// tokens counts what the choice costs, reasoning included.
func (c choice) tokens() int { return c.reasoning + count(len(c.text)) }

// answer computes choice number i of a request.
func (q *request) answer(i int) choice {
	length := map[string]int{"demo-small": 24, "demo-large": 60, "demo-thinking": 40}[q.Model]
	if q.Demo.Tokens > 0 {
		length = min(q.Demo.Tokens, 100_000)
	}
	c := choice{finish: "stop"}
	limit := q.limit()
	if q.Model == "demo-thinking" {
		c.reasoning = min(2*length, limit)
	}
	if length > limit-c.reasoning {
		length, c.finish = limit-c.reasoning, "length"
	}
	switch {
	case q.Demo.Echo:
		c.text = string(q.Messages)
	case q.Demo.Say != "":
		c.text = q.Demo.Say
	default:
		c.text = say(i*tokenBytes, length*tokenBytes)
	}
	for _, s := range q.Stop {
		if at := strings.Index(c.text, s); s != "" && at >= 0 {
			c.text, c.finish = c.text[:at], "stop"
		}
	}
	return c
}

// say returns n bytes of the passage from offset on.
func say(offset, n int) string {
	var b strings.Builder
	b.Grow(n)
	for b.Len() < n {
		at := offset % len(passage)
		part := passage[at:min(len(passage), at+n-b.Len())]
		b.WriteString(part)
		offset += len(part)
	}
	return b.String()
}

func count(bytes int) int { return (bytes + tokenBytes - 1) / tokenBytes }

// usage is OpenAI's usage object.
type usage struct {
	Prompt        int           `json:"prompt_tokens"`
	Completion    int           `json:"completion_tokens"`
	Total         int           `json:"total_tokens"`
	PromptDetails promptDetails `json:"prompt_tokens_details"`
	OutputDetails outputDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	Cached     int `json:"cached_tokens"`
	CacheWrite int `json:"cache_write_tokens,omitempty"`
}

type outputDetails struct {
	Reasoning int `json:"reasoning_tokens"`
}

// bill is the usage of a request whose choices came to completion tokens.
func (q *request) bill(completion, reasoning int) usage {
	if q.Demo.Usage != nil {
		return *q.Demo.Usage
	}
	prompt := count(len(q.Messages) + len(q.Tools))
	u := usage{Prompt: prompt, Completion: completion, Total: prompt + completion}
	u.OutputDetails.Reasoning = reasoning
	if prompt >= 1024 { // long prompts are half cached, in blocks of 128
		u.PromptDetails.Cached = prompt / 2 / 128 * 128
	}
	return u
}
