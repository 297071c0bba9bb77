package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/fault"
)

const hi = `"messages":[{"role":"user","content":"hi"}]`

func TestParseReadsWhatACallCosts(t *testing.T) {
	t.Parallel()
	q, e := parse([]byte(` {"max_tokens": 90, "mod\u0065l":"a\"b", "max_completion_tokens":80, "n":3, "stream":true,
		"stream_options":{"x":1,"include_usage":true}, ` + hi + `, "seed": 9007199254740993}`))
	require.Nil(t, e)
	require.Equal(t, `a"b`, q.model)
	require.EqualValues(t, 80, q.limit, "the smaller of the two limits holds")
	require.EqualValues(t, 3, q.n)
	require.True(t, q.stream)
	require.True(t, q.usage)
	require.Empty(t, q.opaque)

	q, e = parse([]byte(`{"model":"m","max_tokens":null,"n":null,"stream":null,"stream_options":null,` + hi + `}`))
	require.Nil(t, e)
	require.Zero(t, q.limit)
	require.EqualValues(t, 1, q.n)
}

// A call that names no model goes upstream with the one that was found for it.
func TestRewriteNamesTheModel(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{`{}`, ` { } `, `{` + hi + `}`, `{"model":"",` + hi + `}`, `{"model":null}`, `{"stream":true,` + hi + `}`} {
		q, e := parse([]byte(doc))
		require.Nil(t, e, doc)
		require.Empty(t, q.model)
		var out map[string]any
		require.NoError(t, json.Unmarshal(q.rewrite(`a"b`, "max_tokens", 7), &out), doc)
		require.Equal(t, `a"b`, out["model"])
		require.EqualValues(t, 7, out["max_tokens"])
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	many := func(last string) string {
		var b strings.Builder
		for i := range 40 {
			fmt.Fprintf(&b, `"k%d":0,`, i)
		}
		return `{"model":"m",` + b.String() + last + `}`
	}
	for _, c := range []struct {
		doc, param string
		code       fault.Code
	}{
		{``, "", invalidRequest},
		{`{`, "", invalidRequest},
		{`[]`, "", invalidRequest},
		{`null`, "", invalidRequest},
		{`{"model":"m"} {}`, "", invalidRequest},
		{`{"model":"m","x":` + deep + `}`, "", invalidRequest},
		{`{"model":7}`, "model", invalidRequest},
		{`{"model":["m"]}`, "model", invalidRequest},
		{`{"model":"cheap","model":"dear"}`, "model", invalidRequest},
		{`{"model":"cheap","mod\u0065l":"dear"}`, "model", invalidRequest},
		{`{"model":"m","Model":"dear"}`, "Model", invalidRequest},
		{`{"model":"m","Max_Tokens":100000}`, "Max_Tokens", invalidRequest},
		{`{"model":"m","stream_options":{"Include_Usage":false}}`, "stream_options.Include_Usage", invalidRequest},
		{`{"model":"m","tools":[{"type":"function","type":"web_search"}]}`, "type", invalidRequest},
		{many(`"k7":0`), "k7", invalidRequest},
		{`{"model":"m","max_tokens":0}`, "max_tokens", invalidRequest},
		{`{"model":"m","max_tokens":-5}`, "max_tokens", invalidRequest},
		{`{"model":"m","max_tokens":1.5}`, "max_tokens", invalidRequest},
		{`{"model":"m","max_tokens":"9"}`, "max_tokens", invalidRequest},
		{`{"model":"m","max_completion_tokens":99999999999999999999}`, "max_completion_tokens", invalidRequest},
		{`{"model":"m","n":0}`, "n", invalidRequest},
		{`{"model":"m","n":129}`, "n", invalidRequest},
		{`{"model":"m","stream":1}`, "stream", invalidRequest},
		{`{"model":"m","stream_options":7}`, "stream_options", invalidRequest},
		{`{"model":"m","stream_options":{"include_usage":"no"}}`, "stream_options.include_usage", invalidRequest},
		{`{"model":"m","messages":"hi"}`, "messages", invalidRequest},
		{`{"model":"m","models":["dear"]}`, "models", unboundedRequest},
		{`{"model":"m","fallbacks":["dear"]}`, "fallbacks", unboundedRequest},
		{`{"model":"m","plugins":[]}`, "plugins", unboundedRequest},
		{`{"model":"m","service_tier":"priority"}`, "service_tier", unboundedRequest},
		{`{"model":"m","web_search_options":{}}`, "web_search_options", unboundedRequest},
		{`{"model":"m","tools":[{"type":"web_search"}]}`, "tools", unboundedRequest},
	} {
		_, e := parse([]byte(c.doc))
		require.NotNil(t, e, c.doc)
		require.Equal(t, c.code, e.Code, c.doc)
		require.Equal(t, c.param, strings.Join(e.Path, "."), c.doc)
	}
	_, e := parse([]byte(many(`"k99":0`)))
	require.Nil(t, e)
	_, e = parse([]byte(`{"model":"m","a":{"id":1,"ID":2},"b":{"id":1}}`))
	require.Nil(t, e, "names of the client's own may differ in case alone, and recur elsewhere")
}

func TestReadRequestBoundsTheBody(t *testing.T) {
	t.Parallel()
	body := `{"model":"m",` + hi + `}`
	read := func(limit int, encoding string) *fault.Error {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/chat/completions", strings.NewReader(body))
		r.Header.Set("Content-Encoding", encoding)
		_, e := readRequest(httptest.NewRecorder(), r, int64(limit))
		return e
	}
	require.Nil(t, read(len(body), ""))
	require.Equal(t, requestTooLarge, read(len(body)-1, "").Code)
	require.Equal(t, invalidRequest, read(len(body), "gzip").Code)
}

func TestRewriteKeepsEveryOtherByte(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{ "model" : "m",  "x":1.0e+2,` + hi + ` }`:                                                  `{"max_tokens":7, "model" : "up",  "x":1.0e+2,` + hi + ` }`,
		`{"model":"m","max_tokens":5 , "z":"\u00e9"}`:                                                `{"model":"up","max_tokens":7 , "z":"\u00e9"}`,
		`{"max_completion_tokens":5,"model":"m","max_tokens": 9}`:                                    `{"max_tokens":7,"model":"up"}`,
		`{"max_tokens":null,"model":"m"}`:                                                            `{"max_tokens":7,"model":"up"}`,
		`{"model":"m","stream":true}`:                                                                `{"max_tokens":7,"stream_options":{"include_usage":true},"model":"up","stream":true}`,
		`{"model":"m","stream":true,"max_tokens":1,"stream_options":null}`:                           `{"model":"up","stream":true,"max_tokens":7,"stream_options":{"include_usage":true}}`,
		`{"model":"m","stream":true,"max_tokens":1,"stream_options":{ }}`:                            `{"model":"up","stream":true,"max_tokens":7,"stream_options":{"include_usage":true}}`,
		`{"model":"m","stream":true,"max_tokens":1,"stream_options":{ "a":1}}`:                       `{"model":"up","stream":true,"max_tokens":7,"stream_options":{"include_usage":true, "a":1}}`,
		`{"model":"m","stream":true,"max_tokens":1,"stream_options":{"include_usage": false,"a":1}}`: `{"model":"up","stream":true,"max_tokens":7,"stream_options":{"include_usage": true,"a":1}}`,
		`{"model":"m","stream":true,"max_tokens":1,"stream_options":{"include_usage":true}}`:         `{"model":"up","stream":true,"max_tokens":7,"stream_options":{"include_usage":true}}`,
	} {
		q, e := parse([]byte(in))
		require.Nil(t, e, in)
		require.Equal(t, want, string(q.rewrite("up", "max_tokens", 7)), in)
	}
}

// Rewriting must mean what decoding, changing and encoding means, for every
// body that the gateway takes.
func FuzzRewrite(f *testing.F) {
	for _, s := range []string{
		`{"model":"m",` + hi + `}`,
		`{"stream":true,"stream_options":{"include_usage":false},"model":"m","max_tokens":5,"max_completion_tokens":6}`,
		`{"model":"\ud83d\ude00","stream":true,"stream_options":{"a":[{}]},"n":2,"x":[1e5,-0,"\"",{"y":null}]}`,
		"\t{ \"stream\" : true ,\"stream_options\" : { } , \"model\"\n:\"m\" , \"max_tokens\" : null }\r\n",
		`{"model":"m","max_tokens":null,"a":",","max_completion_tokens":3}`,
	} {
		f.Add([]byte(s), "gpt \"x\"", int64(9))
	}
	f.Fuzz(func(t *testing.T, doc []byte, model string, limit int64) {
		original := bytes.Clone(doc)
		q, e := parse(doc)
		if e != nil {
			require.Equal(t, original, doc)
			return
		}
		_, _ = q.bind(1000, 0)
		want := decode(t, doc)
		want["model"] = decode(t, []byte(`{"s":`+encode(t, model)+`}`))["s"]
		delete(want, "max_tokens")
		delete(want, "max_completion_tokens")
		want["max_tokens"] = json.Number(fmt.Sprint(limit))
		if q.stream {
			options, _ := want["stream_options"].(map[string]any)
			if options == nil {
				options = map[string]any{}
			}
			options["include_usage"] = true
			want["stream_options"] = options
		}
		got := q.rewrite(model, "max_tokens", limit)
		require.Equal(t, original, doc, "the client's body stays as it was")
		require.Nil(t, check(got), "%s", got)
		if !reflect.DeepEqual(want, decode(t, got)) {
			t.Fatalf("%s became %s", doc, got)
		}
	})
}

func decode(t *testing.T, doc []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var v map[string]any
	require.NoError(t, d.Decode(&v))
	return v
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestBind(t *testing.T) {
	t.Parallel()
	const image = `"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]`
	for name, c := range map[string]struct {
		doc               string
		context, maxOut   int64
		wantLimit, output int64
		opaque            bool
	}{
		"default":          {`{"model":"m",` + hi + `}`, 0, 0, 16_384, 16_384, false},
		"model's largest":  {`{"model":"m",` + hi + `}`, 0, 4_096, 4_096, 4_096, false},
		"asked":            {`{"model":"m","max_tokens":50,` + hi + `}`, 0, 4_096, 50, 50, false},
		"asked too much":   {`{"model":"m","max_tokens":9000,` + hi + `}`, 0, 4_096, 4_096, 4_096, false},
		"n":                {`{"model":"m","n":4,"max_tokens":50,` + hi + `}`, 0, 0, 50, 200, false},
		"prediction":       {`{"model":"m","n":2,"max_tokens":50,"prediction":"0123456789"}`, 0, 0, 50, 124, false},
		"image":            {`{"model":"m","max_tokens":50,` + image + `}`, 128_000, 0, 50, 50, true},
		"unknown later":    {`{"model":"m","max_tokens":50,"previous_response_id":"r"}`, 128_000, 0, 50, 50, true},
		"earlier audio":    {`{"model":"m","max_tokens":50,"messages":[{"role":"assistant","audio":{"id":"a"}}]}`, 128_000, 0, 50, 50, true},
		"content is weird": {`{"model":"m","max_tokens":50,"messages":[{"content":{"file":"f"}}]}`, 128_000, 0, 50, 50, true},
	} {
		q, e := parse([]byte(c.doc))
		require.Nil(t, e, name)
		b, e := q.bind(c.context, c.maxOut)
		require.Nil(t, e, name)
		require.Equal(t, c.wantLimit, b.limit, name)
		require.Equal(t, c.output, b.output, name)
		if !c.opaque {
			require.EqualValues(t, len(c.doc), b.input, name)
			continue
		}
		require.Equal(t, c.context, b.input, name)
		_, e = q.bind(0, c.maxOut)
		require.Equal(t, unboundedRequest, e.Code, name)
	}
}

func TestErrorBodyHasOpenAIsShape(t *testing.T) {
	t.Parallel()
	cause := errors.New("secret detail")
	for code, want := range map[fault.Code]int{
		fault.Unauthenticated: 401, fault.BudgetExceeded: 402, modelNotGranted: 403, modelNotFound: 404, requestTooLarge: 413,
		fault.RateLimited: 429, fault.Internal: 500, upstreamFailed: 502, fault.Unavailable: 503, upstreamTimeout: 504, "NEW": 500,
	} {
		w := httptest.NewRecorder()
		refuse(w, fault.New(code, "Say it.").With("budget", "bud_1").With("type", "mine").Because(cause))
		require.Equal(t, want, w.Code)
		require.NotContains(t, w.Body.String(), "secret")
		var got struct{ Error map[string]any }
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
		if code == fault.Unauthenticated {
			code = "invalid_api_key"
		}
		require.Equal(t, strings.ToLower(string(code)), got.Error["code"])
		require.Equal(t, "Say it.", got.Error["message"])
		require.Equal(t, "bud_1", got.Error["budget"])
		require.NotEqual(t, "mine", got.Error["type"], "data can't take the place of the type")
		require.Contains(t, got.Error, "param")
	}
}
