package openapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

const (
	// maxHops is how many references may lead to another one in a row.
	maxHops = 20
	// maxCopied bounds what is read again because references lead into the middle
	// of something, in bytes.
	maxCopied = 4 * MaxDocument
)

// resolver follows references, each only when it is needed: the parser's own
// way of resolving all of them takes hours for documents that were made to.
type resolver struct {
	t    *openapi3.T
	text []byte
	// whole is the document without types, once a reference leads somewhere but to
	// a component.
	whole any
	// found has what such references led to; siblings what stands beside a
	// reference.
	found    map[string]any
	siblings map[*openapi3.SchemaRef]*openapi3.Schema
	left     int
}

func newResolver(t *openapi3.T, text []byte) *resolver {
	if t.Components == nil {
		t.Components = &openapi3.Components{}
	}
	return &resolver{t: t, text: text, found: map[string]any{}, siblings: map[*openapi3.SchemaRef]*openapi3.Schema{}, left: maxCopied}
}

func (r *resolver) schema(x *openapi3.SchemaRef) (*openapi3.Schema, error) {
	x, err := resolve(r, x, "schemas", r.t.Components.Schemas)
	if err != nil || x == nil {
		return nil, err
	}
	return x.Value, nil
}

func (r *resolver) parameter(x *openapi3.ParameterRef) (*openapi3.Parameter, error) {
	x, err := resolve(r, x, "parameters", r.t.Components.Parameters)
	if err != nil || x == nil {
		return nil, err
	}
	return x.Value, nil
}

func (r *resolver) body(x *openapi3.RequestBodyRef) (*openapi3.RequestBody, error) {
	x, err := resolve(r, x, "requestBodies", r.t.Components.RequestBodies)
	if err != nil || x == nil {
		return nil, err
	}
	return x.Value, nil
}

func (r *resolver) path(x *openapi3.PathItem) (*openapi3.PathItem, error) {
	return resolve(r, x, "pathItems", nil)
}

// beside is what stands beside a schema's reference and holds too; nil for
// nothing.
func (r *resolver) beside(x *openapi3.SchemaRef) *openapi3.Schema {
	if s, known := r.siblings[x]; known {
		return s
	}
	r.siblings[x] = nil
	written, err := x.MarshalYAML()
	all, ok := written.(map[string]any)
	if err != nil || !ok || len(all) < 2 {
		return nil
	}
	delete(all, "$ref")
	text, err := json.Marshal(all)
	if err != nil {
		return nil
	}
	s := &openapi3.Schema{}
	if json.Unmarshal(text, s) == nil {
		r.siblings[x] = s
	}
	return r.siblings[x]
}

func refOf(x any) string {
	switch x := x.(type) {
	case *openapi3.SchemaRef:
		return x.Ref
	case *openapi3.ParameterRef:
		return x.Ref
	case *openapi3.RequestBodyRef:
		return x.Ref
	case *openapi3.PathItem:
		return x.Ref
	}
	return ""
}

// resolve follows references until there is none. What it says in an error goes
// on after an operation's name.
func resolve[T any](r *resolver, x *T, kind string, components map[string]*T) (*T, error) {
	first := ""
	for range maxHops {
		if x == nil {
			return nil, nil //nolint:nilnil // a component that is null
		}
		ref := refOf(x)
		if ref == "" {
			return x, nil
		}
		if first == "" {
			first = ref
		}
		name, ok := strings.CutPrefix(ref, "#/components/"+kind+"/")
		if next, has := components[unescaped(name)]; ok && has {
			x = next
			continue
		}
		next, err := lookUp[T](r, ref, kind)
		if err != nil {
			return nil, err
		}
		x = next
	}
	return nil, fmt.Errorf("has references that go in circles, or on for too long: %s.", clip(first, 150)) //nolint:staticcheck // a sentence's end
}

// lookUp reads what a reference into the middle of the document leads to.
func lookUp[T any](r *resolver, ref, kind string) (*T, error) {
	key := kind + " " + ref
	if x, known := r.found[key]; known {
		out, _ := x.(*T)
		return out, nil
	}
	if !strings.HasPrefix(ref, "#/") {
		return nil, fmt.Errorf("refers to another document: %s. Put it all into one (bundle it) first.", clip(ref, 150)) //nolint:staticcheck // a sentence's end
	}
	missing := fmt.Errorf("refers to %s, which isn't in the document.", clip(ref, 150)) //nolint:staticcheck // a sentence's end
	if r.whole == nil {
		if err := json.Unmarshal(r.text, &r.whole); err != nil {
			return nil, missing
		}
	}
	at := r.whole
	for part := range strings.SplitSeq(ref[2:], "/") {
		part = unescaped(part)
		switch here := at.(type) {
		case map[string]any:
			at = here[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(here) {
				return nil, missing
			}
			at = here[i]
		default:
			return nil, missing
		}
	}
	text, err := json.Marshal(at)
	if err != nil || at == nil {
		return nil, missing
	}
	if r.left -= len(text); r.left < 0 {
		return nil, fmt.Errorf("needs too many references into the middle of the document, such as %s. Make components of what they lead to.", clip(ref, 150)) //nolint:staticcheck // a sentence's end
	}
	out := new(T)
	if err := json.Unmarshal(text, out); err != nil {
		return nil, missing
	}
	r.found[key] = out
	return out, nil
}

// unescaped is a part of a reference as the document spells it.
func unescaped(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		part = plain
	}
	return strings.ReplaceAll(strings.ReplaceAll(part, "~1", "/"), "~0", "~")
}
