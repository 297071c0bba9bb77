package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/alchemi/cockpit/internal/fault"
)

var (
	errDeep  = fault.At("document", "The document's values are nested more than %d deep.", maxDepth)
	errLarge = fault.At("document", "The document has more than %d values.", maxValues)
)

// toJSON gives the document in JSON, with YAML's aliases written out, once it
// is certain that it is neither too deep nor too large.
func toJSON(doc []byte) ([]byte, error) {
	doc = bytes.TrimPrefix(doc, []byte("\ufeff"))
	if bytes.HasPrefix(bytes.TrimSpace(doc), []byte("{")) && json.Valid(doc) {
		return doc, checkJSON(doc)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(doc, &root); err != nil {
		return nil, unreadable(err)
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 || root.Content[0].Kind != yaml.MappingNode {
		return nil, fault.At("document", "The document is neither JSON nor YAML with an OpenAPI document in it.")
	}
	w := &yamlReader{left: maxValues}
	value, err := w.value(root.Content[0], 0)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, unreadable(err)
	}
	if len(text) > 2*MaxDocument { // aliases
		return nil, errLarge
	}
	return text, checkJSON(text)
}

// checkJSON bounds depth and values of valid JSON.
func checkJSON(doc []byte) error {
	depth, values, inString := 0, 0, false
	for i := 0; i < len(doc); i++ {
		switch c := doc[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return errDeep
			}
			values++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
	}
	if values > maxValues {
		return errLarge
	}
	return nil
}

// yamlReader turns YAML into what JSON can say.
type yamlReader struct {
	// left is how many values may come, and the text that they may hold.
	left int
}

func (w *yamlReader) value(n *yaml.Node, depth int) (any, error) {
	if w.left--; w.left < 0 {
		return nil, errLarge
	}
	if depth > maxDepth {
		return nil, errDeep // an alias within its own anchor ends here too
	}
	switch n.Kind {
	case yaml.AliasNode:
		return w.value(n.Alias, depth+1)
	case yaml.MappingNode:
		return w.mapping(n, depth)
	case yaml.SequenceNode:
		out := make([]any, 0, len(n.Content))
		for _, item := range n.Content {
			v, err := w.value(item, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	default:
		return w.scalar(n)
	}
}

func (w *yamlReader) mapping(n *yaml.Node, depth int) (any, error) {
	out := make(map[string]any, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, fault.At("document", "The document can't be read: line %d has a key that isn't text.", key.Line)
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, item)
			continue
		}
		v, err := w.value(item, depth+1)
		if err != nil {
			return nil, err
		}
		out[key.Value] = v
	}
	for _, m := range merged {
		v, err := w.value(m, depth+1)
		if err != nil {
			return nil, err
		}
		from, several := v.([]any)
		if !several {
			from = []any{v}
		}
		for _, f := range from {
			more, _ := f.(map[string]any)
			for k, v := range more {
				if _, has := out[k]; !has {
					out[k] = v
				}
			}
		}
	}
	return out, nil
}

func (w *yamlReader) scalar(n *yaml.Node) (any, error) {
	if w.left -= len(n.Value) / 16; w.left < 0 {
		return nil, errLarge
	}
	switch n.ShortTag() {
	case "!!null":
		return nil, nil //nolint:nilnil // YAML's null
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
		var number float64
		if err := n.Decode(&number); err != nil {
			return nil, unreadable(err)
		}
		if _, err := json.Marshal(number); err != nil {
			return nil, unreadable(errors.New("numbers without end aren't JSON"))
		}
		return number, nil
	default:
		return strings.ToValidUTF8(n.Value, "\ufffd"), nil
	}
}
