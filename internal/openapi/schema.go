package openapi

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

const (
	// maxNodes bounds the schemas within one tool's input, maxSchemaDepth how deep
	// they lie, maxDocumentNodes those of all tools together.
	maxNodes, maxSchemaDepth, maxDocumentNodes = 400, 12, 200_000
	// maxSchemaText bounds descriptions within schemas, maxEnum their choices,
	// maxSchemaBytes the whole input schema of one tool.
	maxSchemaText, maxEnum, maxSchemaBytes = 300, 100, 48 << 10
)

// writer writes schemas of a document as JSON schema of their own: references
// are written out, and cut where they go in circles or on for too long. What is
// cut is the schema that takes everything: the API has the last word.
type writer struct {
	refs *resolver
	// left is how many schemas may come, err the first reference that leads
	// nowhere.
	left int
	err  error
	// within are the schemas that are being written.
	within []*openapi3.Schema
}

func (w *writer) schema(ref *openapi3.SchemaRef) any {
	s, err := w.refs.schema(ref)
	if w.err == nil {
		w.err = err
	}
	if s == nil {
		return map[string]any{}
	}
	out := w.written(s)
	if ref.Ref == "" {
		return out
	}
	if more := w.refs.beside(ref); more != nil && w.left > 0 {
		own, ok := w.written(more).(map[string]any)
		if all, object := out.(map[string]any); ok && object && len(own) == 1 && own["description"] != nil {
			all["description"] = own["description"]
			return all
		}
		if len(own) > 0 {
			return map[string]any{"allOf": []any{out, own}}
		}
	}
	return out
}

func (w *writer) written(s *openapi3.Schema) any {
	if s.Always != nil {
		return *s.Always
	}
	if w.left--; w.left < 0 || len(w.within) == maxSchemaDepth || slices.Contains(w.within, s) {
		return cut(s)
	}
	w.within = append(w.within, s)
	defer func() { w.within = w.within[:len(w.within)-1] }()
	out := cut(s)
	w.values(out, s)
	w.objects(out, s)
	w.arrays(out, s)
	w.compositions(out, s)
	if s.Nullable {
		nullable(out)
	}
	return out
}

// cut is a schema without what lies within it.
func cut(s *openapi3.Schema) map[string]any {
	out := map[string]any{}
	if s.Type != nil {
		switch types := s.Type.Slice(); len(types) {
		case 0:
		case 1:
			out["type"] = types[0]
		default:
			out["type"] = types
		}
	}
	put(out, "title", clip(s.Title, 100))
	put(out, "description", clip(s.Description, maxSchemaText))
	return out
}

func (w *writer) values(out map[string]any, s *openapi3.Schema) {
	put(out, "format", clip(s.Format, 50))
	if len(s.Enum) > 0 && len(s.Enum) <= maxEnum {
		out["enum"] = s.Enum
	}
	if s.Const != nil {
		out["const"] = s.Const
	}
	if s.Default != nil && small(s.Default) {
		out["default"] = s.Default
	}
	if s.Deprecated {
		out["deprecated"] = true
	}
	bound(out, "minimum", "exclusiveMinimum", s.Min, s.ExclusiveMin)
	bound(out, "maximum", "exclusiveMaximum", s.Max, s.ExclusiveMax)
	if s.MultipleOf != nil {
		out["multipleOf"] = *s.MultipleOf
	}
	if len(s.Pattern) <= 500 {
		put(out, "pattern", s.Pattern)
	}
	count(out, "minLength", s.MinLength, "maxLength", s.MaxLength)
}

func (w *writer) objects(out map[string]any, s *openapi3.Schema) {
	count(out, "minProperties", s.MinProps, "maxProperties", s.MaxProps)
	// Far too many are none: looking through them takes too long.
	hidden, whole := map[string]bool{}, len(s.Properties) <= 2*maxNodes
	if len(s.Properties) > 0 && whole {
		properties := map[string]any{}
		for _, name := range sortedKeys(s.Properties) {
			p := s.Properties[name]
			if own, err := w.refs.schema(p); err == nil && own != nil && own.ReadOnly { // never part of a request
				hidden[name] = true
				continue
			}
			if whole = w.left > 0; !whole {
				break
			}
			properties[name] = w.schema(p)
		}
		out["properties"] = properties
	}
	required := slices.DeleteFunc(slices.Clone(s.Required), func(name string) bool { return hidden[name] })
	if len(required) > 0 && len(required) <= maxNodes {
		out["required"] = required
	}
	switch more := s.AdditionalProperties; {
	case !whole: // what was left out is no stranger
	case more.Has != nil:
		out["additionalProperties"] = *more.Has
	case more.Schema != nil:
		out["additionalProperties"] = w.schema(more.Schema)
	}
	if n := len(s.PatternProperties); n > 0 && n <= maxNodes {
		out["patternProperties"] = w.named(s.PatternProperties)
	}
	if s.PropertyNames != nil {
		out["propertyNames"] = w.schema(s.PropertyNames)
	}
	if len(s.DependentRequired) > 0 && len(s.DependentRequired) <= maxEnum {
		out["dependentRequired"] = s.DependentRequired
	}
	if n := len(s.DependentSchemas); n > 0 && n <= maxNodes {
		out["dependentSchemas"] = w.named(s.DependentSchemas)
	}
}

func (w *writer) arrays(out map[string]any, s *openapi3.Schema) {
	count(out, "minItems", s.MinItems, "maxItems", s.MaxItems)
	if s.UniqueItems {
		out["uniqueItems"] = true
	}
	if s.Items != nil {
		out["items"] = w.schema(s.Items)
	}
	w.list(out, "prefixItems", s.PrefixItems)
	if s.Contains != nil {
		out["contains"] = w.schema(s.Contains)
	}
}

func (w *writer) compositions(out map[string]any, s *openapi3.Schema) {
	w.list(out, "oneOf", s.OneOf)
	w.list(out, "anyOf", s.AnyOf)
	w.list(out, "allOf", s.AllOf)
	for name, part := range map[string]*openapi3.SchemaRef{"not": s.Not, "if": s.If, "then": s.Then, "else": s.Else} {
		// What is cut takes everything: its opposite would take nothing.
		if part != nil && w.left > 0 && len(w.within) < maxSchemaDepth-1 {
			out[name] = w.schema(part)
		}
	}
}

func (w *writer) list(out map[string]any, name string, parts openapi3.SchemaRefs) {
	// Part of a choice would refuse what the rest allows: all of it, or none.
	if len(parts) == 0 || len(parts) > w.left {
		return
	}
	list := make([]any, len(parts))
	for i, part := range parts {
		list[i] = w.schema(part)
	}
	out[name] = list
}

func (w *writer) named(parts openapi3.Schemas) map[string]any {
	out := map[string]any{}
	for _, name := range sortedKeys(parts) {
		if w.left <= 0 {
			break
		}
		out[name] = w.schema(parts[name])
	}
	return out
}

// nullable says in JSON schema what OpenAPI 3.0 says by `nullable`.
func nullable(out map[string]any) {
	if t, ok := out["type"].(string); ok {
		out["type"] = []string{t, "null"}
	}
	if enum, ok := out["enum"].([]any); ok && !slices.Contains(enum, nil) {
		out["enum"] = append(slices.Clone(enum), nil)
	}
}

// bound writes OpenAPI 3.0's `exclusiveMinimum: true` as the number it means.
func bound(out map[string]any, inclusive, exclusive string, limit *float64, e openapi3.ExclusiveBound) {
	switch {
	case e.Value != nil:
		out[exclusive] = *e.Value
	case e.Bool != nil && *e.Bool && limit != nil:
		out[exclusive] = *limit
		return
	}
	if limit != nil {
		out[inclusive] = *limit
	}
}

func count(out map[string]any, least string, from uint64, most string, to *uint64) {
	if from > 0 {
		out[least] = from
	}
	if to != nil {
		out[most] = *to
	}
}

func put(out map[string]any, name, text string) {
	if text != "" {
		out[name] = text
	}
}

// small tells whether a default is worth its room.
func small(v any) bool {
	switch v := v.(type) {
	case string:
		return len(v) <= maxSchemaText
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return true
}
