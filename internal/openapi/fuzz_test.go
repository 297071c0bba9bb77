package openapi

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/alchemi/cockpit/internal/fault"
)

// Whatever is read is refused in words, or gives tools within bounds that can
// be called with anything.
func FuzzRead(f *testing.F) {
	gateway, err := os.ReadFile("../../docs/openapi/gateway.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(gateway)
	f.Add([]byte(places))
	f.Add([]byte(document(bodyOf("#/components/schemas/A"), `"A":{"properties":{"a":{"$ref":"#/paths/~1x/post/requestBody/content/application~1json/schema"}}}`)))
	f.Add([]byte(`{"openapi":"3.1.0","paths":{"/{a}{b}":{"$ref":"#/paths/~1y"},"/y":{"$ref":"#/paths/~1{a}{b}"}}}`))
	f.Add([]byte("openapi: 3.0.0\npaths: {/x: {get: {parameters: [{$ref: '#/components/parameters/a'}]}}}\ncomponents: {parameters: {a: {in: path, name: x}}}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Read(text)
		if err != nil {
			if fault.As(err) == nil {
				t.Fatalf("not in words: %v", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, o := range d.Operations() {
			if seen[o.Name] || fit(o.Name) != o.Name && strings.Trim(o.Name, "_") == o.Name || len(o.Name) > maxName || !json.Valid(o.InputSchema) {
				t.Fatalf("%+v", o)
			}
			seen[o.Name] = true
			_, _ = d.byName[o.Name].request(t.Context(), "https://api.example", json.RawMessage(`{"body":{"a":[1]}}`))
		}
	})
}

// No argument leads out of its place in the address.
func FuzzArguments(f *testing.F) {
	d, err := Read([]byte(places))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"x", "../x", "a?b#c", "%2e%2e", "..", "//evil", "\r\n", "é", "a/../b", "@evil", ";", "\\..\\"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		args, err := json.Marshal(map[string]any{"a": one, "l": []string{other, one}, "m": map[string]string{"k": other}})
		if err != nil {
			return
		}
		r, err := d.byName["paths"].request(t.Context(), "https://api.example/v1", args)
		if err == nil {
			segments := strings.Split(r.URL.EscapedPath(), "/")
			if r.URL.Host != "api.example" || r.URL.RawQuery != "" || r.URL.Fragment != "" || len(segments) != 8 || strings.Join([]string{segments[1], segments[2], segments[4], segments[6]}, "/") != "v1/p/l/m" {
				t.Fatalf("%q %q lead to %s", one, other, r.URL)
			}
			for _, s := range segments {
				if dots(s) {
					t.Fatalf("%q %q lead to %s", one, other, r.URL)
				}
			}
		} else if fault.As(err) == nil {
			t.Fatalf("not in words: %v", err)
		}
		args, err = json.Marshal(map[string]any{"filter_name": one, "deep": map[string]string{other: one}, "X-Shared": other})
		if err != nil {
			return
		}
		if r, err = d.byName["queries"].request(t.Context(), "https://api.example/v1", args); err != nil {
			return
		}
		if q := r.URL.Query(); r.URL.Path != "/v1/q" || len(q) != 2 || q.Get("filter[name]") != utf8(one) || len(r.Header.Values("X-Shared")) != 1 || r.Header.Get("Authorization") != "" {
			t.Fatalf("%q %q make %s", one, other, r.URL)
		}
	})
}

// utf8 is what JSON makes of text.
func utf8(s string) (out string) {
	text, _ := json.Marshal(s)
	_ = json.Unmarshal(text, &out)
	return out
}
