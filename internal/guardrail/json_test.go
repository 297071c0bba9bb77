package guardrail

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/detect"
)

func filterOf(t require.TestingT, rules string) *detect.Filter {
	p, faults := detect.Decode([]byte(rules))
	require.Empty(t, faults)
	f, err := detect.NewFilter(detect.Output, p.Rules)
	require.NoError(t, err)
	return f
}

func looking(f *detect.Filter) *Look {
	return &Look{set: &Set{}, direction: detect.Output, filter: f, found: map[*detect.Rule]bool{}}
}

const mails = `{"rules":[{"name":"Mail","detector":"EMAIL","action":%q,"direction":"BOTH"},
	{"name":"Card","detector":"CREDIT_CARD","action":"REDACT","direction":"BOTH"},
	{"name":"Password","detector":"GENERIC_SECRET","action":"REDACT","direction":"BOTH"}]}`

func TestEscapesHideNothing(t *testing.T) {
	t.Parallel()
	redacting := filterOf(t, fmt.Sprintf(mails, "REDACT"))
	for text, want := range map[string]string{
		`{"to":"ada\u0040example.com","cc":"a\tb"}`:                `{"to":"[redacted:email]","cc":"a\tb"}`,
		`{"\u0061da@example.com": 1e400}`:                          `{"[redacted:email]": 1e400}`,
		`["{\"to\":\"ada\\u0040example.com\"}"]`:                   `["{\"to\":\"[redacted:email]\"}"]`,
		`["{\"to\":[\"{\\\"x\\\":\\\"ada\\\\u0040b.com\\\"}\"]}"]`: `["{\"to\":[\"{\\\"x\\\":\\\"[redacted:email]\\\"}\"]}"]`,
		`{"password":"Zx9Kq2Lm7Wp4R\u00748Yv1"}`:                   `{"password":"[redacted:secret]"}`,
		`{"card": 4111111111111111}`:                               `"{\"card\": [redacted:card]}"`,
		`{"a":"\u00e9\/\ud800","b": [ 1 ]}`:                        `{"a":"\u00e9\/\ud800","b": [ 1 ]}`, // nothing found: as it came
		`{"to":"ada\u0040example.com"`:                             `{"to":"ada\u0040example.com"`,      // isn't JSON
		`{}`:                                                       `{}`,
	} {
		l := looking(redacting)
		require.Equal(t, want, l.Text(text))
		require.NoError(t, l.Refusal())
	}
	l := looking(filterOf(t, fmt.Sprintf(mails, "BLOCK")))
	require.Empty(t, l.Text(`{"x":"y","to":"ada\u0040example.com"}`))
	require.ErrorContains(t, l.Refusal(), "GUARDRAIL_BLOCKED")
}

// escaped writes a string with any of its characters as escapes.
func escaped(t *rapid.T, s string) string {
	var b strings.Builder
	for _, r := range s {
		plain := quote(string(r))
		switch {
		case r < 0x10000 && rapid.Bool().Draw(t, "escape"):
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == '/':
			b.WriteString(`\/`)
		default:
			b.WriteString(plain[1 : len(plain)-1])
		}
	}
	return `"` + b.String() + `"`
}

// document writes a JSON value whose strings are escaped at will, and tells what
// they say.
func document(t *rapid.T, depth int, said *[]string) string {
	switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
	case depth > 2 || kind <= 2:
		s := rapid.SampledFrom([]string{"", "hi", "to ada@example.com", "é\n\"\\</", "bob@mail.example.org!", "𝒳 @ y"}).Draw(t, "text")
		*said = append(*said, s)
		return escaped(t, s)
	case kind == 3:
		return rapid.SampledFrom([]string{"1", "-2.50e7", "true", "null"}).Draw(t, "scalar")
	default:
		parts := make([]string, rapid.IntRange(0, 3).Draw(t, "n"))
		for i := range parts {
			if kind == 4 {
				parts[i] = fmt.Sprintf("%q : ", string(rune('a'+i)))
			}
			parts[i] += document(t, depth+1, said)
		}
		if kind == 4 {
			return "{" + strings.Join(parts, " , ") + "}"
		}
		return "[" + strings.Join(parts, ",") + " ]"
	}
}

// stringsOf are the strings of a value in the order in which they are written,
// without the names of members.
func stringsOf(t require.TestingT, doc string) (out []string) {
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, name := range []string{"a", "b", "c"} {
				if e, has := v[name]; has {
					walk(e)
				}
			}
		}
	}
	var v any
	require.NoError(t, json.Unmarshal([]byte(doc), &v), doc)
	walk(v)
	return out
}

// Of JSON, exactly that is taken out which its strings say, it stays JSON, and
// however a whole text is cut, the same comes out.
func TestPropertyJSONIsFilteredAsItIsRead(t *testing.T) {
	t.Parallel()
	rules := filterOf(t, fmt.Sprintf(mails, "REDACT"))
	rapid.Check(t, func(t *rapid.T) {
		var said []string
		doc := "[" + document(t, 0, &said) + "]"
		got := looking(rules).Text(doc)
		want, touched := []string{}, false
		for _, s := range said {
			after := looking(rules).raw(s)
			want, touched = append(want, after), touched || after != s
		}
		require.Equal(t, want, append([]string{}, stringsOf(t, got)...), doc)
		if !touched {
			require.Equal(t, doc, got, "nothing found: byte by byte")
		}
		require.Equal(t, got, looking(rules).Text(got), "filtering twice changes nothing more")

		l := looking(rules)
		flow, out := l.Whole(), ""
		for rest := doc; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "cut")
			out += flow.Write(t.Context(), rest[:n])
			rest = rest[n:]
		}
		require.Empty(t, out, "held back to the end")
		require.Equal(t, got, flow.Close(t.Context()))
	})
}

func FuzzJSON(f *testing.F) {
	f.Add(`{"to":"ada\u0040example.com"}`)
	f.Add(`["{\"to\":\"ada\\u0040example.com\"}"]`)
	redacting := filterOf(f, fmt.Sprintf(mails, "REDACT"))
	f.Fuzz(func(t *testing.T, text string) {
		got := looking(redacting).Text(text)
		if isJSON(text) {
			require.True(t, json.Valid([]byte(got)), "%q became %q", text, got)
		}
	})
}

func TestWholeTextsAreBounded(t *testing.T) {
	t.Parallel()
	l := looking(filterOf(t, fmt.Sprintf(mails, "REDACT")))
	flow := l.Whole()
	for range 5 {
		flow.Write(t.Context(), strings.Repeat("x", 1<<20))
	}
	require.Error(t, l.Refusal())
	require.Empty(t, flow.Close(t.Context()))
}
