package access

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// classes is a set of classes, one bit each by their place in coverage.classes.
type classes uint32

// class is one line of classes.json.
type class struct {
	name string
	// needs ends the sentence "… needs".
	needs string
}

// uncovered stands for the class of a coordinate that has none: nobody's.
const uncovered = 31

// coverage gives every coordinate of the schema its class, from coverage.json.
type coverage struct {
	classes  []class
	suffixes map[string]string
	types    map[string]string
	fields   map[string]string
	// index holds each coordinate's class as a bit number.
	index map[string]int
}

func newCoverage(data map[string]any, schema *ast.Schema) (*coverage, error) {
	var file struct {
		Classes  map[string]struct{ Needs string }
		Suffixes map[string]string
		Types    map[string]string
		Fields   map[string]string
	}
	text, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("policy data: %w", err)
	}
	c := &coverage{suffixes: file.Suffixes, types: file.Types, fields: file.Fields, index: map[string]int{}}
	for name, about := range file.Classes {
		c.classes = append(c.classes, class{name: name, needs: about.Needs})
	}
	slices.SortFunc(c.classes, func(a, b class) int { return strings.Compare(a.name, b.name) })
	if len(c.classes) >= uncovered {
		return nil, fmt.Errorf("policy data: %d classes, at most %d fit", len(c.classes), uncovered-1)
	}
	for _, coordinate := range coordinates(schema) {
		name := c.classOf(coordinate)
		bit := slices.IndexFunc(c.classes, func(cl class) bool { return cl.name == name })
		if bit < 0 && name != "" {
			return nil, fmt.Errorf("policy data: %s has the class %q, which classes.json doesn't name", coordinate, name)
		}
		if bit < 0 {
			bit = uncovered
		}
		c.index[coordinate] = bit
	}
	return c, nil
}

// classOf returns the name of a coordinate's class: its own, else (for an
// argument) its field's, else its type's, else that of the type's suffix.
// Empty: uncovered. Fields of root types have a class of their own or none.
func (c *coverage) classOf(coordinate string) string {
	if name, ok := c.fields[coordinate]; ok {
		return name
	}
	if field, _, ok := strings.Cut(coordinate, "("); ok {
		return c.classOf(field)
	}
	typ, _, _ := strings.Cut(coordinate, ".")
	if name, ok := c.types[typ]; ok {
		return name
	}
	for suffix, name := range c.suffixes {
		if strings.HasSuffix(typ, suffix) {
			return name
		}
	}
	return ""
}

// bit returns the class of a coordinate as a bit number; one that the schema
// doesn't have is uncovered.
func (c *coverage) bit(coordinate string) int {
	if bit, ok := c.index[coordinate]; ok {
		return bit
	}
	return uncovered
}

// class returns what a bit number stands for.
func (c *coverage) class(bit int) class {
	if bit < len(c.classes) {
		return c.classes[bit]
	}
	return class{name: "uncovered", needs: "a rule in the policies, which is missing"}
}

// coordinates lists what a schema lets a client touch, as `Type.field`,
// `Type.field(argument:)`, `Input.field` and `Enum.VALUE`. Interfaces have none
// of their own: a field on one means that field on every implementer.
func coordinates(schema *ast.Schema) []string {
	var out []string
	for name, def := range schema.Types {
		if strings.HasPrefix(name, "__") {
			continue
		}
		switch def.Kind {
		case ast.Object, ast.InputObject:
			for _, f := range def.Fields {
				if strings.HasPrefix(f.Name, "__") {
					continue
				}
				out = append(out, name+"."+f.Name)
				for _, a := range f.Arguments {
					out = append(out, argument(name+"."+f.Name, a.Name))
				}
			}
		case ast.Enum:
			for _, v := range def.EnumValues {
				out = append(out, name+"."+v.Name)
			}
		}
	}
	if q := schema.Query; q != nil {
		out = append(out, q.Name+".__schema", q.Name+".__type")
	}
	slices.Sort(out)
	return out
}

func argument(field, name string) string { return field + "(" + name + ":)" }
