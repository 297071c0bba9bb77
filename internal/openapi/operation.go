package openapi

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"golang.org/x/net/http/httpguts"
)

const (
	maxName, maxTitle, maxDescription = 64, 120, 1000
	// maxParameters bounds those of one operation.
	maxParameters = 100
	// bodyArgument is the argument that holds the request's body.
	bodyArgument = "body"
)

// methods can be tools, in the order in which they are listed.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// operation is what a call needs to know of one.
type operation struct {
	Operation

	method string
	// path is split at its parameters: literals at even places, names at odd ones.
	path       []string
	parameters []*parameter
	body       *body
}

// parameter is one place of a request that an argument fills.
type parameter struct {
	// argument is what the tool's caller names it by.
	argument        string
	name, in, style string
	explode         bool
	// json is the parameter's value as JSON text.
	json     bool
	required bool
}

// body is how an operation takes its request's body.
type body struct {
	contentType string
	required    bool
	// encoding of a form's fields, by name.
	encoding map[string]*openapi3.Encoding
}

// builder makes tools of operations.
type builder struct {
	d    *Document
	refs *resolver
	// left is how many schemas all tools may have together.
	left int
}

func (b *builder) add(method, path string, item *openapi3.PathItem, op *openapi3.Operation) {
	o := &operation{method: method, Operation: Operation{
		Title:       clip(strings.Join(strings.Fields(cmp.Or(op.Summary, item.Summary, method+" "+path)), " "), maxTitle),
		Description: describe(method, path, item, op),
		ReadOnly:    method == http.MethodGet, Destructive: method == http.MethodPut || method == http.MethodDelete,
	}}
	which := method + " " + path
	if elsewhere := b.elsewhere(item, op); elsewhere != "" {
		b.skip(which, "is served at another address than the rest: %s.", clip(elsewhere, 200))
		return
	}
	if o.path = splitPath(path); o.path == nil {
		b.skip(which, "has a path that can't be called.")
		return
	}
	arguments, err := o.read(b.refs, item, op)
	if err == nil {
		o.InputSchema, err = b.input(o, arguments)
	}
	if err != nil {
		b.skip(which, "%s", err)
		return
	}
	o.Name = b.name(method, path, op.OperationID)
	b.d.operations = append(b.d.operations, o)
	b.d.byName[o.Name] = o
}

func (b *builder) skip(which, format string, args ...any) {
	b.d.Skipped = append(b.d.Skipped, Skipped{clip(which, 300), fmt.Sprintf(format, args...)})
}

func describe(method, path string, item *openapi3.PathItem, op *openapi3.Operation) string {
	var parts []string
	for _, text := range []string{op.Summary, cmp.Or(op.Description, item.Description)} {
		if text = strings.TrimSpace(text); text != "" && !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if op.Deprecated {
		parts = append([]string{"Deprecated."}, parts...)
	}
	where := "(" + method + " " + clip(path, 200) + ")"
	return strings.TrimSpace(clip(strings.Join(parts, "\n\n"), maxDescription-len([]rune(where))-2) + "\n\n" + where)
}

// elsewhere is the address of an operation that the document doesn't serve
// where all others are: the connection's credential isn't for there.
func (b *builder) elsewhere(item *openapi3.PathItem, op *openapi3.Operation) string {
	servers := item.Servers
	if op.Servers != nil {
		servers = *op.Servers
	}
	own := addresses(servers)
	if len(own) == 0 || slices.ContainsFunc(own, func(a string) bool { return slices.Contains(b.d.servers, a) }) {
		return ""
	}
	return own[0]
}

// splitPath cuts a path template at its parameters; nil for one that can't be
// called, or would lead out of the API.
func splitPath(path string) []string {
	if !strings.HasPrefix(path, "/") || len(path) > 1000 {
		return nil
	}
	var out []string
	for rest := path; ; {
		literal, after, more := strings.Cut(rest, "{")
		if strings.ContainsAny(literal, "}?#\\ ") || strings.ContainsFunc(literal, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil
		}
		if u, err := url.Parse("http://x" + path[:1] + strings.TrimPrefix(literal, "/")); err != nil || u.Host != "x" {
			return nil
		}
		out = append(out, literal)
		if !more {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || name == "" || strings.ContainsAny(name, "{/") {
			return nil
		}
		out = append(out, name)
		rest = tail
	}
	for segment := range strings.SplitSeq(path, "/") {
		if unescaped, err := url.PathUnescape(segment); err != nil || dots(unescaped) {
			return nil
		}
	}
	return out
}

// read takes parameters and body over from the document; it returns the schemas
// of its arguments. What it says in an error goes on after the operation's name.
func (o *operation) read(refs *resolver, item *openapi3.PathItem, op *openapi3.Operation) (map[string]*argument, error) {
	placed := map[string]*openapi3.Parameter{}
	var order []string
	for _, list := range []openapi3.Parameters{item.Parameters, op.Parameters} { // the operation's own win
		for _, ref := range list {
			p, err := refs.parameter(ref)
			if err != nil {
				return nil, err
			}
			if p == nil {
				continue
			}
			place := p.In + " " + p.Name
			if placed[place] == nil {
				order = append(order, place)
			}
			placed[place] = p
		}
	}
	for i := 1; i < len(o.path); i += 2 {
		if place := "path " + o.path[i]; placed[place] == nil {
			order = append(order, place)
			placed[place] = &openapi3.Parameter{Name: o.path[i], In: openapi3.ParameterInPath,
				Schema: &openapi3.SchemaRef{Value: openapi3.NewStringSchema()}}
		}
	}
	if len(order) > maxParameters {
		return nil, fmt.Errorf("has more than %d parameters.", maxParameters) //nolint:staticcheck // a sentence's end
	}
	arguments := map[string]*argument{}
	for _, place := range order {
		p := placed[place]
		taken, err := o.takes(p)
		if err != nil {
			return nil, err
		}
		if !taken {
			continue
		}
		own, err := newParameter(p)
		if err != nil {
			return nil, err
		}
		own.argument = free(p.Name, p.In, arguments)
		o.parameters = append(o.parameters, own)
		schema := p.Schema
		if own.json || schema == nil {
			schema = contentSchema(p.Content)
		}
		arguments[own.argument] = &argument{schema: schema, description: p.Description, required: own.required}
	}
	return arguments, o.readBody(refs, op.RequestBody, arguments)
}

// takes tells whether a parameter is an argument. Some headers are the
// connection's or the protocol's, and cookies nobody's.
func (o *operation) takes(p *openapi3.Parameter) (bool, error) {
	switch p.In {
	case openapi3.ParameterInPath:
		for i := 1; i < len(o.path); i += 2 {
			if o.path[i] == p.Name {
				return true, nil
			}
		}
		return false, nil
	case openapi3.ParameterInQuery:
		return p.Name != "", nil
	case openapi3.ParameterInHeader:
		return httpguts.ValidHeaderFieldName(p.Name) && !ours(p.Name), nil
	default:
		if p.Required {
			return false, fmt.Errorf("needs the cookie %q, which a tool can't send.", clip(p.Name, 60)) //nolint:staticcheck // a sentence's end
		}
		return false, nil
	}
}

// ours tells which headers no argument may set.
func ours(name string) bool {
	name = textproto.CanonicalMIMEHeaderKey(name)
	for _, prefix := range []string{"Proxy-", "Sec-", "X-Forwarded-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{"Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Cookie",
		"Expect", "Forwarded", "Host", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Real-Ip"}, name)
}

func newParameter(p *openapi3.Parameter) (*parameter, error) {
	out := &parameter{name: p.Name, in: p.In, required: p.Required || p.In == openapi3.ParameterInPath, json: p.Schema == nil && len(p.Content) > 0}
	how, err := p.SerializationMethod()
	if err != nil {
		return nil, err
	}
	out.style, out.explode = how.Style, how.Explode
	known := map[string][]string{
		openapi3.ParameterInPath:   {openapi3.SerializationSimple, openapi3.SerializationLabel, openapi3.SerializationMatrix},
		openapi3.ParameterInQuery:  {openapi3.SerializationForm, openapi3.SerializationSpaceDelimited, openapi3.SerializationPipeDelimited, openapi3.SerializationDeepObject},
		openapi3.ParameterInHeader: {openapi3.SerializationSimple},
	}[p.In]
	if !slices.Contains(known, out.style) {
		return nil, fmt.Errorf("has the parameter %q in a style that isn't known: %q.", clip(p.Name, 60), clip(out.style, 40)) //nolint:staticcheck // a sentence's end
	}
	return out, nil
}

// readBody chooses the type of body that the tool sends.
func (o *operation) readBody(refs *resolver, ref *openapi3.RequestBodyRef, arguments map[string]*argument) error {
	taken, err := refs.body(ref)
	if err != nil || taken == nil || len(taken.Content) == 0 {
		return err
	}
	content := taken.Content
	best, rank := "", 0
	for _, name := range sortedKeys(content) {
		if r := ranked(name); r > rank && content[name] != nil {
			best, rank = name, r
		}
	}
	if best == "" {
		if taken.Required {
			return fmt.Errorf("takes its body as %s only; tools send JSON, forms and text.", clip(sortedKeys(content)[0], 60)) //nolint:staticcheck // a sentence's end
		}
		return nil
	}
	o.body = &body{contentType: best, required: taken.Required, encoding: content[best].Encoding}
	if strings.Contains(best, "*") {
		o.body.contentType = jsonType
	}
	arguments[bodyArgument] = &argument{schema: content[best].Schema, description: taken.Description, required: o.body.required}
	return nil
}

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// ranked is how gladly a body of the type is sent; 0 for never.
func ranked(contentType string) int {
	name, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil || !httpguts.ValidHeaderFieldValue(contentType) || len(contentType) > 100:
		return 0
	case name == jsonType:
		return 5
	case strings.HasSuffix(name, "+json"):
		return 4
	case name == "*/*" || name == "application/*":
		return 3
	case name == formType:
		return 2
	case name == "text/plain":
		return 1
	}
	return 0
}

// argument is what the input schema says of one.
type argument struct {
	schema      *openapi3.SchemaRef
	description string
	required    bool
}

func contentSchema(c openapi3.Content) *openapi3.SchemaRef {
	for _, name := range sortedKeys(c) {
		if c[name] != nil {
			return c[name].Schema
		}
	}
	return nil
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// fit makes a name of at most maxName letters, digits, _ and - of any text.
func fit(text string) string {
	name := strings.Trim(unfit.ReplaceAllString(text, "_"), "_")
	if len(name) > maxName {
		sum := sha256.Sum256([]byte(text))
		name = name[:maxName-9] + "_" + hex.EncodeToString(sum[:4])
	}
	return name
}

// free is the argument's name for a parameter: its own, where that can be one
// and no other has it.
func free(name, in string, taken map[string]*argument) string {
	wanted := cmp.Or(fit(name), in)
	if _, has := taken[wanted]; has || wanted == bodyArgument {
		wanted = fit(wanted + "_" + in)
	}
	return numbered(wanted, func(n string) bool { return taken[n] != nil || n == bodyArgument })
}

func (b *builder) name(method, path, operationID string) string {
	name := fit(operationID)
	if name == "" {
		name = cmp.Or(fit(strings.ToLower(method)+path), "operation")
	}
	return numbered(name, func(n string) bool { return b.d.byName[n] != nil })
}

// numbered adds a number to a name that is taken.
func numbered(name string, taken func(string) bool) string {
	out := name
	for i := 2; taken(out); i++ {
		suffix := fmt.Sprintf("_%d", i)
		out = name[:min(len(name), maxName-len(suffix))] + suffix
	}
	return out
}

// input is the schema of a tool's arguments; one that gets too large is written
// again with less of what lies deep.
func (b *builder) input(o *operation, arguments map[string]*argument) (json.RawMessage, error) {
	for nodes := min(maxNodes, b.left); ; nodes /= 4 {
		w := &writer{refs: b.refs, left: nodes}
		properties := map[string]any{}
		required := []string{}
		for _, name := range inOrder(o, arguments) {
			a := arguments[name]
			schema := w.schema(a.schema)
			if described, ok := schema.(map[string]any); ok && strings.TrimSpace(a.description) != "" {
				described["description"] = clip(a.description, maxSchemaText)
			}
			properties[name] = schema
			if a.required {
				required = append(required, name)
			}
		}
		schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
		if len(required) > 0 {
			slices.Sort(required)
			schema["required"] = required
		}
		text, err := json.Marshal(schema)
		if err == nil && (len(text) <= maxSchemaBytes || nodes == 0) {
			b.left -= nodes - max(w.left, 0)
			return text, w.err
		}
	}
}

// inOrder has parameters before the body, which may use up what is left.
func inOrder(o *operation, arguments map[string]*argument) []string {
	var out []string
	for _, p := range o.parameters {
		out = append(out, p.argument)
	}
	if arguments[bodyArgument] != nil {
		out = append(out, bodyArgument)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// dots tells whether a path's segment leads elsewhere in the path.
func dots(segment string) bool { return segment == "." || segment == ".." }
