package gateway

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The walker takes exactly what encoding/json takes.
func TestWalkerTakesWhatIsJSON(t *testing.T) {
	t.Parallel()
	piece := rapid.SampledFrom([]string{
		"{", "}", "[", "]", ",", ":", `"a"`, `"`, `\`, `\"`, `\u00e9`, `\u00`, `\x`, `"b\n"`, "\n", " ", "\x00", "\xff", "é", "0", "1", "-", "-0", "01", "1.5", "1.", ".5",
		"1e9", "1E+", "e", "true", "tru", "false", "null", "nul", `"choices":`, `[{"delta":{"content":"x"}}]`, `"usage":`,
	})
	whole := rapid.SampledFrom([]string{
		`{"choices":[{"index":0,"delta":{"content":"a \"b\" \u00e9"},"finish_reason":null}],"n":-1.5e-3}`, `[1,[2,{"a":{}}],[]]`, ` null `, `{"a":1,"a":[true,false]}`,
	})
	rapid.Check(t, func(t *rapid.T) {
		doc := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces"), "")
		if rapid.Bool().Draw(t, "broken") { // one byte of good JSON is gone or another
			doc = whole.Draw(t, "whole")
			at := rapid.IntRange(0, len(doc)-1).Draw(t, "at")
			doc = doc[:at] + rapid.SampledFrom([]string{"", "x", `"`, "}", ",", "0", "\\"}).Draw(t, "by") + doc[at+rapid.IntRange(0, 1).Draw(t, "cut"):]
		}
		w := walker{doc: []byte(doc)}
		w.value()
		require.Equal(t, json.Valid([]byte(doc)), w.ended(), "%q", doc)
	})
	for _, deep := range []int{maxWalk, maxWalk + 1} {
		doc := []byte(strings.Repeat("[", deep) + strings.Repeat("]", deep))
		w := walker{doc: doc}
		w.value()
		require.Equal(t, json.Valid(doc), w.ended(), deep)
	}
}

// What isn't JSON changes nothing but that it was there.
func TestMeterBelievesNothingOfGarbage(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		`{"choices":[{"delta":{"content":"abc"},"finish_reason":"stop"}]`, `{"choices":[{"delta":{"content":"abc"}}],"error":{"a":1}}x`, `{"choices":[{"delta":{"content":"abc"}},]}`, ``, `[]`, `7`,
	} {
		var m meter
		require.False(t, m.read([]byte(doc)), doc)
		require.Equal(t, meter{garbled: true}, m, doc)
	}
	for _, doc := range []string{`{"choices":7}`, `{"choices":[7]}`, `{"choices":[{"delta":"x"}]}`, `{"choices":[{"finish_reason":{}}]}`} {
		var m meter
		m.read([]byte(doc))
		require.True(t, m.garbled, doc)
	}
	for _, doc := range []string{`null`, `{}`, `{"choices":null}`, `{"choices":[null]}`, `{"choices":[{"delta":null,"finish_reason":null}]}`} {
		var m meter
		m.read([]byte(doc))
		require.False(t, m.garbled, doc)
	}
	var m meter
	m.read([]byte(`{"Choi\u0063es":[{"DELTA":{"Content":"abc"},"finish_reason":"stop"}]}`))
	require.Equal(t, meter{seen: 3, finished: true}, m, "names as encoding/json reads them")
}

func BenchmarkMeter(b *testing.B) {
	doc := []byte(`{"id":"chatcmpl-req_01JDZ8Q0T5Y7X9W3V1N2M4K6H8","object":"chat.completion.chunk","created":1700000000,"model":"demo-small","choices":[{"index":0,"delta":{"content":"This"},"finish_reason":null}]}`)
	b.ReportAllocs()
	for b.Loop() {
		var m meter
		m.read(doc)
	}
}
