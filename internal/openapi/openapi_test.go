package openapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/fault"
)

// heard is what a server was asked.
type heard struct {
	method, path, query, body string
	header                    http.Header
}

// api answers everything with what it heard last.
func api(t testing.TB, answer func(http.ResponseWriter)) (*httptest.Server, *heard) {
	h := &heard{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*h = heard{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body), r.Header}
		if answer != nil {
			answer(w)
		}
	}))
	t.Cleanup(s.Close)
	return s, h
}

func read(t testing.TB, text string) *Document {
	t.Helper()
	d, err := Read([]byte(text))
	require.NoError(t, err)
	return d
}

func named(t testing.TB, d *Document, name string) Operation {
	t.Helper()
	for _, o := range d.Operations() {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("no operation %s", name)
	return Operation{}
}

func TestTheGatewaysOwnDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/openapi/gateway.yaml")
	require.NoError(t, err)
	d := read(t, string(text))
	require.Equal(t, []string{"http://localhost:8080/v1"}, d.Servers())
	require.Empty(t, d.Skipped)
	require.Len(t, d.Operations(), 2)

	list := named(t, d, "listModels")
	require.True(t, list.ReadOnly)
	require.Equal(t, "List the models that the caller can use now", list.Title)
	require.JSONEq(t, `{"type":"object","properties":{},"additionalProperties":false}`, string(list.InputSchema))

	chat := named(t, d, "createChatCompletion")
	require.False(t, chat.ReadOnly)
	require.False(t, chat.Destructive)
	require.Contains(t, chat.Description, "(POST /chat/completions)")
	var schema struct {
		Required   []string
		Properties map[string]struct {
			Type        any
			Description string
			Required    []string
			Properties  map[string]map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(chat.InputSchema, &schema))
	require.Equal(t, []string{"body"}, schema.Required)
	require.Equal(t, []string{"model", "messages"}, schema.Properties["body"].Required)
	require.Equal(t, []any{"integer", "null"}, schema.Properties["body"].Properties["n"]["type"])
	require.Contains(t, schema.Properties["Idempotency-Key"].Description, "twice")
	require.NotContains(t, string(chat.InputSchema), "$ref")

	s, h := api(t, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusPaymentRequired)
		_, _ = w.Write([]byte(`{"error":{"code":"budget_exceeded"}}`))
	})
	r, err := Call(t.Context(), s.Client(), s.URL+"/v1", d, "createChatCompletion", json.RawMessage(
		`{"X-Cockpit-Tags":["a","b"],"Idempotency-Key":"k 1","body":{"model":"m","messages":[{"role":"user","content":"é"}],"seed":12345678901234567890}}`),
		func(r *http.Request) error { r.Header.Set("Authorization", "Bearer ck_1"); return nil })
	require.NoError(t, err)
	require.Equal(t, Result{Status: 402, ContentType: "application/json", Body: []byte(`{"error":{"code":"budget_exceeded"}}`)}, r)
	require.Equal(t, "POST", h.method)
	require.Equal(t, "/v1/chat/completions", h.path)
	require.Empty(t, h.query)
	require.JSONEq(t, `{"model":"m","messages":[{"role":"user","content":"é"}],"seed":12345678901234567890}`, h.body)
	require.Contains(t, h.body, "12345678901234567890", "numbers keep all digits")
	require.Equal(t, "application/json", h.header.Get("Content-Type"))
	require.Equal(t, "Bearer ck_1", h.header.Get("Authorization"))
	require.Equal(t, "a,b", h.header.Get("X-Cockpit-Tags"))
	require.Equal(t, "k 1", h.header.Get("Idempotency-Key"))

	_, err = Call(t.Context(), s.Client(), s.URL+"/v1/", d, "listModels", nil, nil)
	require.NoError(t, err)
	require.Equal(t, "GET /v1/models ", h.method+" "+h.path+" "+h.body)
}

func TestGitHubsDocument(t *testing.T) {
	t.Parallel()
	packed, err := os.ReadFile("testdata/github.json.gz")
	require.NoError(t, err)
	z, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	d := read(t, string(text))
	operations := d.Operations()
	require.Equal(t, 706, len(operations)+len(d.Skipped))
	require.Greater(t, len(operations), 690, "%v", d.Skipped)
	for _, skipped := range d.Skipped {
		require.NotEmpty(t, skipped.Reason)
	}
	name := regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	seen, total := map[string]bool{}, 0
	for _, o := range operations {
		require.Regexp(t, name, o.Name)
		require.False(t, seen[o.Name], o.Name)
		seen[o.Name] = true
		require.NotEmpty(t, o.Title)
		require.LessOrEqual(t, len([]rune(o.Description)), maxDescription)
		require.LessOrEqual(t, len(o.InputSchema), maxSchemaBytes, o.Name)
		require.NotContains(t, string(o.InputSchema), `"$ref"`)
		total += len(o.InputSchema)
		var schema struct {
			Type       string
			Properties map[string]any
		}
		require.NoError(t, json.Unmarshal(o.InputSchema, &schema))
		require.Equal(t, "object", schema.Type)
		for argument := range schema.Properties {
			require.Regexp(t, name, argument, o.Name)
		}
	}
	require.Less(t, total, 5<<20)
	require.True(t, named(t, d, "issues_list-for-repo").ReadOnly)
	require.True(t, named(t, d, "repos_delete").Destructive)
	require.True(t, named(t, d, "repos_replace-all-topics").Destructive)

	s, h := api(t, nil)
	_, err = Call(t.Context(), s.Client(), s.URL, d, "issues_list-for-repo", json.RawMessage(`{"owner":"a b","repo":"c/d","labels":"bug,ui","per_page":5}`), nil)
	require.NoError(t, err)
	require.Equal(t, "/repos/a%20b/c%2Fd/issues", h.path)
	require.Equal(t, url.Values{"labels": {"bug,ui"}, "per_page": {"5"}}, must(url.ParseQuery(h.query)))
	_, err = Call(t.Context(), s.Client(), s.URL, d, "issues_create", json.RawMessage(`{"owner":"o","repo":"r","body":{"title":"t"}}`), nil)
	require.NoError(t, err)
	require.Equal(t, `POST /repos/o/r/issues {"title":"t"}`, h.method+" "+h.path+" "+h.body)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// places has every way in which a parameter can be written.
const places = `{"openapi":"3.0.3","info":{"title":"t","version":"1"},"servers":[{"url":"https://api.example/{v}","variables":{"v":{"default":"v2"}}}],"paths":{
"/p/{a}/l/{l}/m/{m}":{"get":{"operationId":"paths","parameters":[
 {"name":"a","in":"path","required":true,"schema":{"type":"array","items":{"type":"string"}}},
 {"name":"l","in":"path","required":true,"style":"label","explode":true,"schema":{"type":"object"}},
 {"name":"m","in":"path","required":true,"style":"matrix","explode":true,"schema":{"type":"array","items":{"type":"string"}}}],"responses":{}}},
"/q":{"parameters":[{"name":"X-Shared","in":"header","schema":{"type":"string"}}],"get":{"operationId":"queries","parameters":[
 {"name":"form","in":"query","schema":{"type":"array","items":{"type":"string"}}},
 {"name":"comma","in":"query","explode":false,"schema":{"type":"array","items":{"type":"string"}}},
 {"name":"pipe","in":"query","style":"pipeDelimited","explode":false,"schema":{"type":"array","items":{"type":"string"}}},
 {"name":"space","in":"query","style":"spaceDelimited","schema":{"type":"array","items":{"type":"string"}}},
 {"name":"object","in":"query","schema":{"type":"object"}},
 {"name":"flat","in":"query","explode":false,"schema":{"type":"object"}},
 {"name":"deep","in":"query","style":"deepObject","explode":true,"schema":{"type":"object"}},
 {"name":"json","in":"query","content":{"application/json":{"schema":{"type":"object"}}}},
 {"name":"filter[name]","in":"query","schema":{"type":"string"}},
 {"name":"X-Shared","in":"query","schema":{"type":"string"}},
 {"name":"body","in":"query","schema":{"type":"boolean"}},
 {"name":"X-Object","in":"header","explode":true,"schema":{"type":"object"}},
 {"name":"Authorization","in":"header","required":true,"schema":{"type":"string"}},
 {"name":"Host","in":"header","schema":{"type":"string"}},
 {"name":"theme","in":"cookie","schema":{"type":"string"}}],"responses":{}}},
"/form":{"post":{"operationId":"form","requestBody":{"required":true,"content":{"application/x-www-form-urlencoded":{
 "schema":{"type":"object","properties":{"name":{"type":"string"}}},"encoding":{"meta":{"style":"deepObject","explode":true},"expand":{"style":"deepObject","explode":true}}}}},"responses":{}}},
"/text":{"put":{"requestBody":{"content":{"text/plain":{"schema":{"type":"string"}}}},"responses":{}}},
"/upload":{"post":{"operationId":"upload","requestBody":{"required":true,"content":{"multipart/form-data":{"schema":{"type":"object"}}}},"responses":{}}},
"/cookie":{"get":{"operationId":"cookie","parameters":[{"name":"sid","in":"cookie","required":true,"schema":{"type":"string"}}],"responses":{}}},
"/elsewhere":{"get":{"operationId":"elsewhere","servers":[{"url":"https://evil.example"}],"responses":{}}},
"/q?x=1":{"get":{"operationId":"query","responses":{}}},
"/a/../b":{"get":{"operationId":"climb","responses":{}}}
}}`

func TestParametersAndBodies(t *testing.T) {
	t.Parallel()
	d := read(t, places)
	require.Equal(t, []string{"https://api.example/v2"}, d.Servers())
	var skipped []string
	for _, s := range d.Skipped {
		skipped = append(skipped, s.Operation)
	}
	require.ElementsMatch(t, []string{"POST /upload", "GET /cookie", "GET /elsewhere", "GET /q?x=1", "GET /a/../b"}, skipped)
	s, h := api(t, nil)
	for _, c := range []struct {
		name, args, path, query, body string
		header                        map[string]string
	}{
		{name: "paths", args: `{"a":["x","y z"],"l":{"k":"v","n":1},"m":[true,"/"]}`, path: "/base/p/x,y%20z/l/.k=v.n=1/m/;m=true;m=%2F"},
		{name: "queries", args: `{"form":["a","b&c"],"comma":["a","b,c"],"pipe":[1,2],"space":["a","b"]}`, path: "/base/q", query: "form=a&form=b%26c&comma=a,b%2Cc&pipe=1%7C2&space=a%20b"},
		{name: "queries", args: `{"object":{"k":"v","a":1},"flat":{"x":"y"},"deep":{"a":{"b":[1,{"c":null,"d":"="}]}},"json":{"a":[1]}}`, path: "/base/q",
			query: "a=1&k=v&flat=x,y&deep%5Ba%5D%5Bb%5D%5B0%5D=1&deep%5Ba%5D%5Bb%5D%5B1%5D%5Bd%5D=%3D&json=%7B%22a%22%3A%5B1%5D%7D"},
		{name: "queries", args: `{"filter_name":"#?/..","X-Shared":"shared","X-Shared_query":"q","body_query":false,"X-Object":{"a":1,"b":"c"},"form":null,"comma":[]}`, path: "/base/q",
			query: "filter%5Bname%5D=%23%3F%2F..&X-Shared=q&body=false", header: map[string]string{"X-Shared": "shared", "X-Object": "a=1,b=c"}},
		{name: "form", args: `{"body":{"name":"a b&c","list":["x","y"],"meta":{"k":{"n":1}},"expand":["p"],"obj":{"a":1},"none":null}}`, path: "/base/form",
			body: "expand%5B0%5D=p&list=x&list=y&meta%5Bk%5D%5Bn%5D=1&name=a%20b%26c&obj=%7B%22a%22%3A1%7D", header: map[string]string{"Content-Type": formType}},
		{name: "put_text", args: `{"body":"hello"}`, path: "/base/text", body: "hello", header: map[string]string{"Content-Type": "text/plain"}},
		{name: "put_text", args: `{}`, path: "/base/text", header: map[string]string{"Content-Type": ""}},
	} {
		_, err := Call(t.Context(), s.Client(), s.URL+"/base/", d, c.name, json.RawMessage(c.args), nil)
		require.NoError(t, err, c.args)
		require.Equal(t, c.path, h.path)
		require.Equal(t, c.query, h.query)
		require.Equal(t, c.body, h.body)
		for name, v := range c.header {
			require.Equal(t, v, h.header.Get(name), name)
		}
		require.Empty(t, h.header.Get("Authorization"))
	}

	for _, c := range []struct{ name, args, says string }{
		{"paths", `{}`, "paths needs a, l, m"},
		{"paths", `{"a":"x","l":"y"}`, "paths needs m"},
		{"paths", `{"a":"x","l":"y","m":"z","extra":1}`, "doesn't take extra. It takes a, l, m"},
		{"paths", `{"a":"..","l":"y","m":"z"}`, "can't hold . or .."},
		{"paths", `{"a":"x/../../admin","l":"y","m":"z"}`, "can't hold . or .."},
		{"paths", `{"a":"x\\..\\y","l":"y","m":"z"}`, "can't hold . or .."},
		{"paths", `{"a":"","l":"y","m":"z"}`, "can't be empty"},
		{"paths", `{"a":[],"l":"y","m":"z"}`, "can't be empty"},
		{"paths", `{"a":[["x"]],"l":"y","m":"z"}`, "nothing nested deeper"},
		{"queries", `{"X-Shared":"a\r\nEvil: 1"}`, "control character"},
		{"queries", `{"deep":` + strings.Repeat(`{"a":`, 12) + "1" + strings.Repeat("}", 12) + `}`, "more than 8 deep"},
		{"queries", `{"Authorization":"x"}`, "doesn't take Authorization"},
		{"queries", `[1]`, "must be a JSON object"},
		{"queries", `{"form":`, "aren't JSON"},
		{"queries", `{} {}`, "aren't JSON"},
		{"queries", `{"form":"` + strings.Repeat("x", 20<<10) + `"}`, "more than 16 KB"},
		{"form", `{}`, "form needs body"},
		{"form", `{"body":[1]}`, "must be an object"},
		{"put_text", `{"body":{}}`, "must be text"},
		{"nothing", `{}`, "no operation"},
	} {
		*h = heard{}
		_, err := Call(t.Context(), s.Client(), s.URL, d, c.name, json.RawMessage(c.args), nil)
		require.ErrorContains(t, err, c.says, c.args)
		require.NotNil(t, fault.As(err))
		require.Empty(t, h.method, "nothing was sent")
	}
	for _, base := range []string{"", "ftp://x", "https://u:p@x", "https://x?a=1", "https://x#f", "/relative", "https://x/%"} {
		_, err := Call(t.Context(), s.Client(), base, d, "put_text", nil, nil)
		require.ErrorContains(t, err, "address must look like", base)
	}
}

func TestAnswersAreBoundedAndRedirectsStay(t *testing.T) {
	t.Parallel()
	d := read(t, places)
	other, stolen := api(t, nil)
	s, _ := api(t, func(w http.ResponseWriter) {
		w.Header().Set("Location", other.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
		_, _ = w.Write(bytes.Repeat([]byte("x"), MaxAnswer+10))
	})
	r, err := Call(t.Context(), &http.Client{}, s.URL, d, "queries", nil, func(r *http.Request) error { r.Header.Set("Authorization", "key"); return nil })
	require.NoError(t, err)
	require.Equal(t, http.StatusTemporaryRedirect, r.Status)
	require.Len(t, r.Body, MaxAnswer)
	require.True(t, r.Cut)
	require.Empty(t, stolen.method)

	s.Close()
	_, err = Call(t.Context(), &http.Client{}, s.URL, d, "queries", nil, func(r *http.Request) error { r.URL.RawQuery = "key=sesame"; return nil })
	require.True(t, fault.Is(err, fault.Unavailable))
	require.NotContains(t, err.Error(), "sesame")
	_, err = Call(t.Context(), &http.Client{}, s.URL, d, "queries", nil, func(*http.Request) error { return errors.New("no") })
	require.EqualError(t, err, "no")
}

// document wraps schemas and paths.
func document(paths, schemas string) string {
	return `{"openapi":"3.0.0","info":{"title":"t","version":"1"},"paths":{` + paths + `},"components":{"schemas":{` + schemas + `}}}`
}

func bodyOf(ref string) string {
	return `"/x":{"post":{"operationId":"x","requestBody":{"content":{"application/json":{"schema":{"$ref":"` + ref + `"}}}},"responses":{}}}`
}

// What bombs says either is refused or ends up within bounds.
func TestBombs(t *testing.T) {
	t.Parallel()
	wide, chain, names := &strings.Builder{}, &strings.Builder{}, &strings.Builder{}
	for i := range 40 {
		_, _ = fmt.Fprintf(wide, `"S%d":{"type":"object","properties":{"a":{"$ref":"#/components/schemas/S%d"},"b":{"$ref":"#/components/schemas/S%d"},"c":{"$ref":"#/components/schemas/S%d"}}},`, i, i+1, i+1, i+1)
	}
	wide.WriteString(`"S40":{"type":"string"}`)
	for i := range 50_000 {
		_, _ = fmt.Fprintf(chain, `"S%d":{"$ref":"#/components/schemas/S%d"},`, i, i+1)
	}
	chain.WriteString(`"S50000":{"type":"string"}`)
	into, big := &strings.Builder{}, &strings.Builder{}
	for i := range 100_000 {
		_, _ = fmt.Fprintf(big, `"p%d":{},`, i)
	}
	for i := range 1500 {
		_, _ = fmt.Fprintf(into, `%s,`, strings.NewReplacer(`/x"`, fmt.Sprintf(`/x%d"`, i), `"x"`, fmt.Sprintf(`"x%d"`, i)).Replace(bodyOf("#/x-big/0")))
	}
	for i := range MaxOperations + 1 {
		_, _ = fmt.Fprintf(names, `"/%d":{"get":{"operationId":"same","responses":{}}},`, i)
	}
	for name, c := range map[string]struct{ text, refused string }{
		"cycle":      {text: document(bodyOf("#/components/schemas/A"), `"A":{"type":"object","properties":{"self":{"$ref":"#/components/schemas/A"},"list":{"type":"array","items":{"$ref":"#/components/schemas/A"}}}}`)},
		"self":       {document(bodyOf("#/components/schemas/A"), `"A":{"$ref":"#/components/schemas/A"}`), "go in circles"},
		"pair":       {text: document(bodyOf("#/components/schemas/A"), `"A":{"allOf":[{"$ref":"#/components/schemas/B"}]},"B":{"allOf":[{"$ref":"#/components/schemas/A"}]}`)},
		"wide":       {text: document(bodyOf("#/components/schemas/S0"), wide.String())},
		"chain":      {document(bodyOf("#/components/schemas/S0"), chain.String()), "go in circles, or on for too long"},
		"deep":       {document(bodyOf("#/components/schemas/A"), `"A":`+strings.Repeat(`{"items":`, 200)+`{}`+strings.Repeat(`}`, 200)), "deep"},
		"dangling":   {document(bodyOf("#/components/schemas/B"), `"A":{}`), "which isn't in the document"},
		"remote":     {document(bodyOf("http://169.254.169.254/x#/A"), `"A":{}`), "refers to another document"},
		"file":       {document(bodyOf("/etc/passwd"), `"A":{}`), "refers to another document"},
		"many":       {document(strings.TrimSuffix(names.String(), ","), ""), "more than 2000 operations"},
		"into":       {`{"openapi":"3.0.0","x-big":[{"properties":{` + big.String() + `"q":{}}}],"paths":{` + into.String() + bodyOf("#/x-big/0") + `}}`, ""},
		"middle":     {text: document(bodyOf("#/components/schemas/A/properties/b/items/0"), `"A":{"properties":{"b":{"items":[{"$ref":"#/components/schemas/A"}]}}}`)},
		"large":      {document(bodyOf("#/components/schemas/A"), `"A":{"description":"`+strings.Repeat("x", MaxDocument)+`"}`), "at most"},
		"laughs":     {"openapi: 3.1.0\na: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n", "more than"},
		"own anchor": {"openapi: 3.1.0\npaths: &a\n  x: *a\n", "deep"},
		"nul":        {"\x00", "can't be read"},
		"empty":      {"", "neither JSON nor YAML"},
		"number":     {"1", "neither JSON nor YAML"},
		"swagger":    {`{"swagger":"2.0","paths":{}}`, "Swagger 2.0"},
		"newer":      {`{"openapi":"4.0.0","paths":{}}`, "isn't an OpenAPI 3.0 or 3.1"},
		"no paths":   {`{"openapi":"3.1.0"}`, "no operation"},
		"wrong type": {`{"openapi":"3.1.0","paths":[1]}`, "can't be read"},
		"null path":  {`{"openapi":"3.1.0","paths":{"/x":null}}`, "no operation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := Read([]byte(c.text))
			if c.refused != "" {
				require.ErrorContains(t, err, c.refused)
				require.NotNil(t, fault.As(err))
				return
			}
			if err != nil { // also an answer
				require.NotNil(t, fault.As(err))
				return
			}
			require.LessOrEqual(t, len(named(t, d, "x").InputSchema), maxSchemaBytes)
		})
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	d := read(t, document(bodyOf("#/components/schemas/A"), `"A":{"type":"object","required":["id","n"],"properties":{
		"id":{"type":"string","readOnly":true},"n":{"type":"number","minimum":1,"exclusiveMinimum":true,"nullable":true,"enum":[2,3]},
		"child":{"$ref":"#/components/schemas/A"},"u":{"type":"string","format":"uri","example":"x","xml":{"name":"y"}}},"additionalProperties":false}`))
	require.JSONEq(t, `{"type":"object","additionalProperties":false,"properties":{"body":{"type":"object","required":["n"],"additionalProperties":false,"properties":{
		"n":{"type":["number","null"],"exclusiveMinimum":1,"enum":[2,3,null]},"child":{"type":"object"},"u":{"type":"string","format":"uri"}}}}}`,
		string(named(t, d, "x").InputSchema))

	d = read(t, strings.Replace(document(bodyOf("#/components/schemas/A"), `"A":{"type":"object","properties":{
		"d":{"$ref":"#/components/schemas/B","description":"own"},"m":{"$ref":"#/components/schemas/B","maxLength":3}}},"B":{"type":"string","description":"of B"}`), "3.0.0", "3.1.0", 1))
	require.JSONEq(t, `{"type":"object","additionalProperties":false,"properties":{"body":{"type":"object","properties":{
		"d":{"type":"string","description":"own"},"m":{"allOf":[{"type":"string","description":"of B"},{"maxLength":3}]}}}}}`, string(named(t, d, "x").InputSchema))

	many := &strings.Builder{}
	for i := range 3 {
		_, _ = fmt.Fprintf(many, `"/%d":{"get":{"operationId":"%s","responses":{}},"post":{"responses":{}}},`, i, strings.Repeat("näme/", 20))
	}
	d = read(t, document(strings.TrimSuffix(many.String(), ","), ""))
	seen := map[string]bool{}
	for _, o := range d.Operations() {
		require.Regexp(t, `^[A-Za-z0-9_-]{1,64}$`, o.Name)
		seen[o.Name] = true
	}
	require.Len(t, seen, 6)
	require.Contains(t, seen, "post_0")
}

func TestOtherSpellings(t *testing.T) {
	t.Parallel()
	yaml := read(t, "# comment\nopenapi: 3.1.0\ninfo: {title: T, version: 2020-01-01}\nx: &base\n  get: {operationId: one, responses: {200: {description: ok}}}\npaths:\n  /x:\n    <<: *base\n    post:\n      operationId: two\n      requestBody:\n        content:\n          application/json:\n            schema: true\n      responses: {}\n")
	require.Len(t, yaml.Operations(), 2)
	require.Equal(t, "2020-01-01", yaml.Version)
	bom := read(t, "\ufeff"+document(bodyOf("#/components/schemas/A"), `"A":{}`))
	require.Len(t, bom.Operations(), 1)
}
