package access

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// How far an operation is walked at all; Limits are far below. Fragments that
// spread each other make a short document endlessly wide.
const (
	maxVisits = 20_000
	maxDepth  = 100
)

// place is where in an operation a coordinate stands.
type place uint8

const (
	root place = iota
	input
	output
)

// touch is one coordinate that an operation uses.
type touch struct {
	coordinate string
	bit        int
	place      place
}

// plan is what a parsed operation uses, whatever its variables and whoever
// asks. It is made once a document.
type plan struct {
	touches []touch
	classes classes
	// variables are those that can carry input objects or enums.
	variables []*ast.VariableDefinition

	introspects bool
	tooLarge    bool
	depth       int
	aliases     int
	cost        *costs
}

// planner walks one operation.
type planner struct {
	schema   *ast.Schema
	coverage *coverage
	plan     *plan
	seen     map[touch]bool
	visits   int
}

func (r *revision) planOf(schema *ast.Schema, op *ast.OperationDefinition) *plan {
	if p, ok := r.plans.Get(op); ok {
		return p
	}
	w := &planner{schema: schema, coverage: r.coverage, plan: &plan{cost: &costs{}}, seen: map[touch]bool{}}
	w.selections(op.SelectionSet, 1, w.plan.cost, 1, nil)
	for _, v := range op.VariableDefinitions {
		if def := schema.Types[v.Type.Name()]; def != nil && (def.Kind == ast.InputObject || def.Kind == ast.Enum) {
			w.plan.variables = append(w.plan.variables, v)
		}
	}
	r.plans.Add(op, w.plan)
	return w.plan
}

// selections walks what is asked of one object. Costs go into c, times over;
// inside a connection, those of its rows go into page. Directives are ignored:
// what is skipped today may be included tomorrow, by the same cached plan.
func (w *planner) selections(set ast.SelectionSet, depth int, c *costs, times int64, page *costs) {
	w.plan.depth = max(w.plan.depth, depth)
	for _, s := range set {
		w.visits++
		if w.visits > maxVisits || depth > maxDepth {
			w.plan.tooLarge = true
			return
		}
		switch s := s.(type) {
		case *ast.Field:
			w.field(s, depth, c, times, page)
		case *ast.InlineFragment:
			w.selections(s.SelectionSet, depth, c, times, page)
		case *ast.FragmentSpread:
			w.selections(s.Definition.SelectionSet, depth, c, times, page)
		}
	}
}

func (w *planner) field(f *ast.Field, depth int, c *costs, times int64, page *costs) {
	if f.Alias != f.Name {
		w.plan.aliases++
	}
	if f.Name == "__typename" {
		return
	}
	at := output
	if depth == 1 {
		at = root
	}
	if strings.HasPrefix(f.Name, "__") { // __schema and __type; gqlparser bounds what is below
		w.plan.introspects = true
		w.touch(w.schema.Query.Name+"."+f.Name, at)
		return
	}
	for _, typ := range w.concrete(f.ObjectDefinition) {
		field := typ + "." + f.Name
		w.touch(field, at)
		for _, a := range f.Arguments {
			// One with the field's class goes the way of the field.
			if name := argument(field, a.Name); w.coverage.bit(name) != w.coverage.bit(field) {
				w.touch(name, input)
			}
		}
	}
	for _, a := range f.Arguments {
		w.value(a.Value)
	}
	w.below(f, depth, c, times, page)
}

// below walks a field's own selections at their price.
func (w *planner) below(f *ast.Field, depth int, c *costs, times int64, page *costs) {
	if len(f.SelectionSet) == 0 {
		return
	}
	switch {
	case page != nil && isRows(f):
		if f.Name == "nodes" {
			page.add(1)
		}
		w.selections(f.SelectionSet, depth+1, page, 1, nil)
	case isConnection(f.Definition.Type):
		c.add(times)
		rows := c.page(f, times)
		w.selections(f.SelectionSet, depth+1, c, times, rows)
	case f.Definition.Type.Elem != nil:
		times = multiply(times, listSize)
		c.add(times)
		w.selections(f.SelectionSet, depth+1, c, times, nil)
	default:
		c.add(times)
		w.selections(f.SelectionSet, depth+1, c, times, nil)
	}
}

// concrete lists the object types that a field's parent can be.
func (w *planner) concrete(def *ast.Definition) []string {
	if def.Kind == ast.Object {
		return []string{def.Name}
	}
	var out []string
	for _, t := range w.schema.GetPossibleTypes(def) {
		out = append(out, t.Name)
	}
	return out
}

// value walks a literal; variables are walked with every request.
func (w *planner) value(v *ast.Value) {
	if v == nil {
		return
	}
	w.visits++
	if w.visits > maxVisits {
		w.plan.tooLarge = true
		return
	}
	if v.Kind == ast.EnumValue && v.Definition != nil {
		w.touch(v.Definition.Name+"."+v.Raw, input)
	}
	for _, child := range v.Children {
		if v.Kind == ast.ObjectValue && v.Definition != nil && v.Definition.Kind == ast.InputObject {
			w.touch(v.Definition.Name+"."+child.Name, input)
		}
		w.value(child.Value)
	}
}

func (w *planner) touch(coordinate string, at place) {
	t := touch{coordinate: coordinate, bit: w.coverage.bit(coordinate), place: at}
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	w.plan.touches = append(w.plan.touches, t)
	w.plan.classes |= 1 << t.bit
}

// given visits each input coordinate in the value of a variable.
func given(schema *ast.Schema, def *ast.Definition, value any, visit func(coordinate string)) {
	if def == nil {
		return
	}
	switch v := value.(type) {
	case string:
		if def.Kind == ast.Enum {
			visit(def.Name + "." + v)
		}
	case []any:
		for _, item := range v {
			given(schema, def, item, visit)
		}
	case map[string]any:
		if def.Kind != ast.InputObject {
			return
		}
		for name, item := range v {
			visit(def.Name + "." + name)
			if f := def.Fields.ForName(name); f != nil {
				given(schema, schema.Types[f.Type.Name()], item, visit)
			}
		}
	}
}
