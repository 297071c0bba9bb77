package upstream

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func serve(t *testing.T, keys ...string) string {
	t.Helper()
	s := httptest.NewServer(Handler(keys...))
	t.Cleanup(s.Close)
	return s.URL
}

func post(t *testing.T, url, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("X-Client-Request-Id", "req_test")
	req.Header.Set("Authorization", "Bearer right")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func billed(t *testing.T, url string) Stats {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/demo/stats?requests=true", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	var s Stats
	require.NoError(t, json.NewDecoder(res.Body).Decode(&s))
	return s
}

type answered struct {
	Choices []struct {
		Message struct{ Content string }
		Finish  string `json:"finish_reason"`
	}
	Usage *usage
}

func TestAnswersAndBillsWhatItAnswered(t *testing.T) {
	t.Parallel()
	const messages = `"messages":[{"role":"user","content":"hi"}]`
	prompt := count(len(`[{"role":"user","content":"hi"}]`))
	for name, c := range map[string]struct {
		body                          string
		completion, reasoning, choice int
		finish                        string
	}{
		"plain":        {`{"model":"demo-small",` + messages + `}`, 24, 0, 1, "stop"},
		"max_tokens":   {`{"model":"demo-small","max_tokens":5,` + messages + `}`, 5, 0, 1, "length"},
		"newer name":   {`{"model":"demo-small","max_completion_tokens":7,` + messages + `}`, 7, 0, 1, "length"},
		"n":            {`{"model":"demo-small","n":3,"max_tokens":5,` + messages + `}`, 15, 0, 3, "length"},
		"asked length": {`{"model":"demo-large",` + messages + `,"x_demo":{"tokens":1000}}`, 1000, 0, 1, "stop"},
		"reasoning":    {`{"model":"demo-thinking",` + messages + `}`, 120, 80, 1, "stop"},
		"all thought":  {`{"model":"demo-thinking","max_tokens":30,` + messages + `}`, 30, 30, 1, "length"},
		"stop":         {`{"model":"demo-small","stop":"answer",` + messages + `}`, 2, 0, 1, "stop"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t)
			res := post(t, url, c.body)
			require.Equal(t, http.StatusOK, res.StatusCode)
			var got answered
			require.NoError(t, json.NewDecoder(res.Body).Decode(&got))
			require.Len(t, got.Choices, c.choice)
			require.Equal(t, c.finish, got.Choices[0].Finish)
			require.Equal(t, c.completion, got.Usage.Completion)
			require.Equal(t, c.reasoning, got.Usage.OutputDetails.Reasoning)
			require.Equal(t, prompt, got.Usage.Prompt)
			require.Equal(t, Bill{Attempts: 1, Prompt: prompt, Completion: c.completion, Reasoning: c.reasoning},
				billed(t, url).Requests["req_test"])
		})
	}
}

func TestStreamsTheSameAnswer(t *testing.T) {
	t.Parallel()
	url := serve(t)
	var whole answered
	require.NoError(t, json.NewDecoder(post(t, url, `{"model":"demo-large","messages":[]}`).Body).Decode(&whole))

	for _, ask := range []bool{true, false} {
		body := `{"model":"demo-large","messages":[],"stream":true}`
		if ask {
			body = `{"model":"demo-large","messages":[],"stream":true,"stream_options":{"include_usage":true}}`
		}
		var text strings.Builder
		var got *usage
		done := false
		for lines := bufio.NewScanner(post(t, url, body).Body); lines.Scan(); {
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok {
				continue
			}
			if done = data == "[DONE]"; done {
				continue
			}
			var c chunk
			require.NoError(t, json.Unmarshal([]byte(data), &c))
			if c.Usage != nil {
				require.Empty(t, c.Choices)
				got = c.Usage
			} else if s := c.Choices[0].Delta.Content; s != nil {
				text.WriteString(*s)
			}
		}
		require.True(t, done)
		require.Equal(t, whole.Choices[0].Message.Content, text.String())
		require.Equal(t, ask, got != nil, "usage comes only when asked for")
		if ask {
			require.Equal(t, whole.Usage, got)
		}
	}
}

func TestFailsOnDemand(t *testing.T) {
	t.Parallel()
	with := func(demo string) string {
		return `{"model":"demo-small","stream":true,"messages":[],"x_demo":` + demo + `}`
	}
	t.Run("status", func(t *testing.T) {
		t.Parallel()
		url := serve(t)
		res := post(t, url, with(`{"status":503,"retry_after":7,"fail_attempts":1}`))
		require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
		require.Equal(t, "7", res.Header.Get("Retry-After"))
		require.Zero(t, billed(t, url).Billed.Prompt, "errors cost nothing")
		require.Equal(t, http.StatusOK, post(t, url, with(`{"status":503,"fail_attempts":1}`)).StatusCode)
	})
	t.Run("cut", func(t *testing.T) {
		t.Parallel()
		url := serve(t)
		_, err := io.ReadAll(post(t, url, with(`{"cut_after":3}`)).Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, 3, billed(t, url).Billed.Completion)
	})
	t.Run("no bytes", func(t *testing.T) {
		t.Parallel()
		url := serve(t)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/chat/completions",
			strings.NewReader(with(`{"fail_before_bytes":true}`)))
		require.NoError(t, err)
		_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is none
		require.ErrorIs(t, err, io.EOF)
		require.Zero(t, billed(t, url).Billed.Prompt)
	})
	t.Run("bad key", func(t *testing.T) {
		t.Parallel()
		require.Equal(t, http.StatusUnauthorized, post(t, serve(t, "other"), with(`{}`)).StatusCode)
		require.Equal(t, http.StatusOK, post(t, serve(t, "other", "right"), with(`{}`)).StatusCode)
	})
	for body, status := range map[string]int{
		`{`:                      http.StatusBadRequest,
		`{"model":"demo-small"}`: http.StatusBadRequest,
		`{"model":"demo-small","messages":[],"n":0}`:           http.StatusBadRequest,
		`{"model":"demo-small","messages":[],"max_tokens":-1}`: http.StatusBadRequest,
		`{"model":"other","messages":[]}`:                      http.StatusNotFound,
	} {
		require.Equal(t, status, post(t, serve(t), body).StatusCode, body)
	}
}
