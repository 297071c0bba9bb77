package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// request is what the provider reads of a chat completion request.
type request struct {
	Model               string          `json:"model"`
	Messages            json.RawMessage `json:"messages"`
	Tools               json.RawMessage `json:"tools"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	N                   *int            `json:"n"`
	Stop                stops           `json:"stop"`
	Stream              bool            `json:"stream"`
	StreamOptions       *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	Demo script `json:"x_demo"`
}

// script is the field x_demo: how this one call shall go.
type script struct {
	// LatencyMS is waited before the first byte, ChunkDelayMS before each chunk.
	LatencyMS    int `json:"latency_ms"`
	ChunkDelayMS int `json:"chunk_delay_ms"`
	// Tokens is the length of each answer, before limit and stop.
	Tokens int `json:"tokens"`
	// Say is the whole of each answer, Echo has it be the request's messages as
	// they came, and Call sends it as the arguments of a tool call.
	Say  string `json:"say"`
	Echo bool   `json:"echo"`
	Call bool   `json:"call"`
	// Status answers with that error; RetryAfter (seconds) goes with it.
	Status     int `json:"status"`
	RetryAfter int `json:"retry_after"`
	// FailBeforeBytes closes the connection without an answer.
	FailBeforeBytes bool `json:"fail_before_bytes"`
	// FailAttempts limits Status and FailBeforeBytes to the first attempts of
	// one X-Client-Request-Id; 0 fails all.
	FailAttempts int `json:"fail_attempts"`
	// CutAfter breaks the connection after that many chunks of a stream.
	CutAfter int `json:"cut_after"`
	// NoUsage leaves usage out, Usage replaces what is reported and billed.
	NoUsage bool   `json:"no_usage"`
	Usage   *usage `json:"usage"`
	// Garbage answers 200 with something that isn't JSON.
	Garbage bool `json:"garbage"`
	// BillOnCancel bills the whole answer when the caller hangs up.
	BillOnCancel bool `json:"bill_on_cancel"`
}

// stops is OpenAI's "stop": null, a string or up to four.
type stops []string

// UnmarshalJSON takes all three forms.
func (s *stops) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		if one != "" {
			*s = stops{one}
		}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(s))
}

func read(w http.ResponseWriter, r *http.Request) (*request, error) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	var q request
	if err := json.Unmarshal(b, &q); err != nil {
		return nil, fmt.Errorf("we could not parse the JSON body of your request: %w", err)
	}
	if len(q.Messages) == 0 {
		return nil, errors.New("missing required parameter: 'messages'")
	}
	for name, v := range map[string]*int{"max_tokens": q.MaxTokens, "max_completion_tokens": q.MaxCompletionTokens, "n": q.N} {
		if v != nil && *v < 1 {
			return nil, fmt.Errorf("invalid '%s': integer below minimum value 1", name)
		}
	}
	if q.choices() > 128 {
		return nil, errors.New("invalid 'n': integer above maximum value 128")
	}
	return &q, nil
}

func (q *request) known() bool { return slices.Contains(models, q.Model) }

func (q *request) choices() int {
	if q.N == nil {
		return 1
	}
	return *q.N
}

// limit is the most tokens one choice may have, reasoning included.
func (q *request) limit() int {
	limit := 100_000
	for _, l := range []*int{q.MaxTokens, q.MaxCompletionTokens} {
		if l != nil {
			limit = min(limit, *l)
		}
	}
	return limit
}

func pause(ms int) time.Duration { return time.Duration(min(ms, 600_000)) * time.Millisecond }
