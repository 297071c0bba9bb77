package upstream

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/alchemi/cockpit/internal/id"
)

func (p *provider) complete(w http.ResponseWriter, r *http.Request) {
	requestID := r.Header.Get("X-Client-Request-Id")
	if requestID == "" {
		requestID = id.New(id.Request)
	}
	w.Header().Set("X-Request-Id", requestID)
	q, err := read(w, r)
	if err != nil {
		fail(w, http.StatusBadRequest, "invalid_request_error", "invalid_request", err.Error())
		return
	}
	if !q.known() {
		fail(w, http.StatusNotFound, "invalid_request_error", "model_not_found", "The model `"+q.Model+"` does not exist.")
		return
	}
	attempt := p.ledger.call(requestID)
	if !wait(r.Context(), pause(q.Demo.LatencyMS)) {
		return
	}
	if q.Demo.FailAttempts == 0 || attempt <= q.Demo.FailAttempts {
		if q.Demo.FailBeforeBytes {
			panic(http.ErrAbortHandler)
		}
		if q.Demo.Status >= 400 && q.Demo.Status <= 599 {
			if q.Demo.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(q.Demo.RetryAfter))
			}
			fail(w, q.Demo.Status, "server_error", "demo_error", "The demo upstream fails because x_demo.status asked for it.")
			return
		}
	}
	if q.Stream {
		p.stream(w, r, q, requestID)
		return
	}
	p.whole(w, q, requestID)
}

func (p *provider) whole(w http.ResponseWriter, q *request, requestID string) {
	var choices []map[string]any
	var completion, reasoning int
	for i := range q.choices() {
		c := q.answer(i)
		completion, reasoning = completion+c.tokens(), reasoning+c.reasoning
		message := map[string]any{"role": "assistant", "content": c.text, "refusal": nil}
		if q.Demo.Call {
			message["content"], message["tool_calls"] = nil, calls(c.text, true)
		}
		choices = append(choices, map[string]any{"index": i, "logprobs": nil, "finish_reason": c.finish, "message": message})
	}
	u := q.bill(completion, reasoning)
	p.ledger.bill(requestID, u)
	if q.Demo.Garbage {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "<html>not what you asked for")
		return
	}
	body := map[string]any{
		"id": "chatcmpl-" + requestID, "object": "chat.completion", "created": created, "model": q.Model,
		"choices": choices, "usage": u,
	}
	if q.Demo.NoUsage {
		delete(body, "usage")
	}
	reply(w, http.StatusOK, body)
}

// chunk is one event of a stream.
type chunk struct {
	ID      string        `json:"id"`
	Object  string        `json:"object"`
	Created int64         `json:"created"`
	Model   string        `json:"model"`
	Choices []chunkChoice `json:"choices"`
	Usage   *usage        `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index  int     `json:"index"`
	Delta  delta   `json:"delta"`
	Finish *string `json:"finish_reason"`
}

type delta struct {
	Role    string     `json:"role,omitempty"`
	Content *string    `json:"content,omitempty"`
	Calls   []toolCall `json:"tool_calls,omitempty"`
}

type toolCall struct {
	Index    int    `json:"index"`
	ID       string `json:"id,omitempty"`
	Type     string `json:"type,omitempty"`
	Function struct {
		Name      string `json:"name,omitempty"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// calls is one tool call, or a piece of its arguments.
func calls(arguments string, first bool) []toolCall {
	var t toolCall
	if t.Function.Arguments = arguments; first {
		t.ID, t.Type, t.Function.Name = "call_1", "function", "demo"
	}
	return []toolCall{t}
}

func (p *provider) stream(w http.ResponseWriter, r *http.Request, q *request, requestID string) {
	p.ledger.open(1)
	defer p.ledger.open(-1)
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	s := &sender{ctx: r.Context(), w: w, flush: http.NewResponseController(w), demo: q.Demo}
	if q.Demo.Garbage {
		p.ledger.bill(requestID, q.bill(0, 0))
		_ = s.raw("data: {not json\n\n")
		return
	}
	head := chunk{ID: "chatcmpl-" + requestID, Object: "chat.completion.chunk", Created: created, Model: q.Model}
	var sent, reasoning, whole int
	ok := true
	for i := range q.choices() {
		c := q.answer(i)
		whole += c.tokens()
		if !ok {
			continue
		}
		sent, reasoning = sent+c.reasoning, reasoning+c.reasoning
		n, done := s.choice(head, i, c)
		sent, ok = sent+n, done
	}
	if !ok && q.Demo.BillOnCancel {
		sent = whole
	}
	u := q.bill(sent, reasoning)
	p.ledger.bill(requestID, u)
	if s.cut {
		panic(http.ErrAbortHandler)
	}
	if !ok {
		return
	}
	if q.StreamOptions != nil && q.StreamOptions.IncludeUsage && !q.Demo.NoUsage {
		head.Choices, head.Usage = []chunkChoice{}, &u
		_ = s.event(head)
	}
	_ = s.raw("data: [DONE]\n\n")
}

// sender writes the events of one stream.
type sender struct {
	ctx    context.Context
	w      io.Writer
	flush  *http.ResponseController
	demo   script
	chunks int
	cut    bool
}

// choice streams one answer token by token; it returns how many tokens went
// out and whether the stream still stands.
func (s *sender) choice(head chunk, index int, c choice) (int, bool) {
	empty := ""
	head.Choices = []chunkChoice{{Index: index, Delta: delta{Role: "assistant", Content: &empty}}}
	if s.event(head) != nil {
		return 0, false
	}
	sent := 0
	for text := c.text; text != ""; {
		piece := text[:min(tokenBytes, len(text))]
		text = text[len(piece):]
		if s.demo.CutAfter > 0 && s.chunks >= s.demo.CutAfter {
			s.cut = true
			return sent, false
		}
		if !wait(s.ctx, pause(s.demo.ChunkDelayMS)) {
			return sent, false
		}
		d := delta{Content: &piece}
		if s.demo.Call {
			d = delta{Calls: calls(piece, sent == 0)}
		}
		head.Choices = []chunkChoice{{Index: index, Delta: d}}
		if s.event(head) != nil {
			return sent, false
		}
		s.chunks++
		sent++
	}
	head.Choices = []chunkChoice{{Index: index, Finish: &c.finish}}
	return sent, s.event(head) == nil
}

func (s *sender) event(c chunk) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return s.raw("data: " + string(b) + "\n\n")
}

func (s *sender) raw(event string) error {
	if _, err := io.WriteString(s.w, event); err != nil {
		return err
	}
	return s.flush.Flush()
}

// wait sleeps, and returns false when the caller went away meanwhile.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
