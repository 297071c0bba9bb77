package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/budget"
)

func TestReadUsage(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]budget.Usage{
		`{"prompt_tokens":10,"completion_tokens":4}`: {Input: 10, Output: 4},
		`{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":60,"audio_tokens":5},
			"completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":8}}`: {Input: 35, CachedInput: 60, AudioInput: 5, Output: 12, Reasoning: 30, AudioOutput: 8},
		`{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":null,"completion_tokens_details":null}`: {Input: 100, Output: 50},
		// OpenRouter, LiteLLM and DeepSeek name the cache otherwise.
		`{"prompt_tokens":100,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":20,"cache_write_tokens":70}}`: {Input: 10, CachedInput: 20, CacheWrite: 70, Output: 1},
		`{"prompt_tokens":100,"completion_tokens":1,"cache_creation_input_tokens":70,"cache_read_input_tokens":20,
			"prompt_tokens_details":{"cached_tokens":20}}`: {Input: 10, CachedInput: 20, CacheWrite: 70, Output: 1},
		`{"prompt_tokens":100,"completion_tokens":1,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}`: {Input: 36, CachedInput: 64, Output: 1},
		// xAI counts reasoning beside the completion.
		`{"prompt_tokens":10,"completion_tokens":4,"total_tokens":44,"completion_tokens_details":{"reasoning_tokens":30}}`: {Input: 10, Output: 4, Reasoning: 30},
		// Parts that don't fit are cut, never counted beyond the sum.
		`{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":99},"completion_tokens_details":{"reasoning_tokens":99}}`: {CachedInput: 10, Reasoning: 4},
	} {
		got, ok := readUsage(json.RawMessage(raw))
		require.True(t, ok, raw)
		require.Equal(t, want, got, raw)
	}
	for _, raw := range []string{
		`{}`, `[]`, `7`, `{"prompt_tokens":-1}`, `{"prompt_tokens":1,"completion_tokens":-1}`, `{"prompt_tokens":"1"}`, `{"prompt_tokens":1.5}`,
		`{"prompt_tokens":2000000000000}`, `{"prompt_tokens":99999999999999999999}`,
	} {
		_, ok := readUsage(json.RawMessage(raw))
		require.False(t, ok, raw)
	}
}

func TestEachTokenCountsOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int64 { return rapid.Int64Range(0, 1000).Draw(t, name) }
		prompt, completion := n("prompt"), n("completion")
		raw := fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,
			"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":%d,"cache_write_tokens":%d},"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":%d}}`,
			prompt, completion, prompt+completion, n("cached"), n("audio"), n("write"), n("reasoning"), n("audio out"))
		u, ok := readUsage(json.RawMessage(raw))
		require.True(t, ok)
		require.Equal(t, prompt, u.Input+u.CachedInput+u.CacheWrite+u.AudioInput)
		require.Equal(t, completion, u.Output+u.Reasoning+u.AudioOutput)
		for _, part := range []int64{u.Input, u.CachedInput, u.CacheWrite, u.AudioInput, u.Output, u.Reasoning, u.AudioOutput} {
			require.GreaterOrEqual(t, part, int64(0))
		}
	})
}

func TestMeter(t *testing.T) {
	t.Parallel()
	var m meter
	only := m.read([]byte(`{"choices":[{"delta":{"role":"assistant","content":"héy"}},{"delta":{"reasoning_content":"hm","content":null}}],"usage":null}`))
	require.False(t, only)
	require.EqualValues(t, len("héy")+len("hm"), m.seen)
	require.False(t, m.finished)
	m.read([]byte(`{"choices":[{"delta":{"tool_calls":[{"index":0}]},"finish_reason":"tool_calls"}]}`))
	require.True(t, m.finished)
	require.EqualValues(t, 6+len(`[{"index":0}]`), m.seen)
	require.False(t, m.reported)
	only = m.read([]byte(`{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}`))
	require.True(t, only && m.reported)
	require.Equal(t, budget.Usage{Input: 3, Output: 2}, m.usage)
	require.False(t, m.failed || m.garbled)
	m.read([]byte(`{"error":{"message":"overloaded"}}`))
	require.True(t, m.failed)
	m.read([]byte(`nonsense`))
	require.True(t, m.garbled)
}

func TestJudge(t *testing.T) {
	t.Parallel()
	b := bound{input: 100, output: 50}
	used := budget.Usage{Input: 3, Output: 2}
	for name, c := range map[string]struct {
		m      meter
		end    ending
		hidden bool
		usage  budget.Usage
		want   verdict
	}{
		"reported":             {meter{usage: used, reported: true, finished: true, seen: 9}, complete, true, used, settle},
		"reported, then cut":   {meter{usage: used, reported: true, seen: 9}, cut, true, used, settle},
		"drained to the end":   {meter{usage: used, reported: true, finished: true}, left, false, used, settle},
		"left half-way":        {meter{usage: used, reported: true, seen: 9}, left, false, budget.Usage{}, doubt},
		"left":                 {meter{seen: 9}, left, false, budget.Usage{}, doubt},
		"no usage":             {meter{seen: 9, finished: true}, complete, false, budget.Usage{Input: 100, Output: 9}, settle},
		"no usage, long bytes": {meter{seen: 900, finished: true}, complete, false, budget.Usage{Input: 100, Output: 50}, settle},
		"cut":                  {meter{seen: 9}, cut, false, budget.Usage{Input: 100, Output: 9}, settle},
		"cut before the first": {meter{}, cut, false, budget.Usage{Input: 100}, settle},
		"cut while thinking":   {meter{seen: 9}, cut, true, budget.Usage{}, doubt},
		"garbage":              {meter{garbled: true}, complete, false, budget.Usage{}, doubt},
		"error for an answer":  {meter{failed: true}, complete, true, budget.Usage{}, release},
		"error later":          {meter{failed: true, seen: 9}, cut, false, budget.Usage{Input: 100, Output: 9}, settle},
	} {
		usage, got := c.m.judge(b, c.end, c.hidden)
		require.Equal(t, c.want, got, name)
		require.Equal(t, c.usage, usage, name)
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	wire := "data: {\"a\":1}\n\n: ping\n\nevent: x\r\ndata:one\r\ndata: two\r\n\r\ndata: " + long + "\n\ndata: [DONE]\n\ndata: cut"
	s := newEvents(strings.NewReader(wire))
	var raw strings.Builder
	for _, want := range []string{`{"a":1}`, "", "one\ntwo", long, "[DONE]"} {
		e, err := s.next()
		require.NoError(t, err)
		require.Equal(t, want, string(e.data))
		require.Equal(t, want == "[DONE]", e.done())
		raw.Write(e.raw)
	}
	_, err := s.next()
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, strings.TrimSuffix(wire, "data: cut"), raw.String(), "whole events keep their bytes")

	_, err = newEvents(io.LimitReader(endless{}, maxEvent+100)).next()
	require.ErrorIs(t, err, errEventTooLarge)
}

type endless struct{}

// Read implements io.Reader.
func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// Whatever arrives, an event's bytes come out as they came in.
func FuzzEvents(f *testing.F) {
	f.Add("data: a\n\ndata:b\r\n\r\n\n: c\n\n")
	f.Fuzz(func(t *testing.T, wire string) {
		s := newEvents(strings.NewReader(wire))
		var raw strings.Builder
		for {
			e, err := s.next()
			if err != nil {
				require.ErrorIs(t, err, io.EOF)
				break
			}
			raw.Write(e.raw)
			var m meter
			m.read(e.data)
		}
		require.True(t, strings.HasPrefix(wire, raw.String()))
	})
}
