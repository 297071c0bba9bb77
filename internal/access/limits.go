package access

import (
	"encoding/json"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/internal/fault"
)

// Limits bound an operation before anything of it runs.
type Limits struct {
	// Depth is how deep fields may nest; the root's are at depth 1.
	Depth int
	// Cost is how many objects an operation may ask for: every object counts
	// one, a page counts `first` times what a row costs, another list ten times.
	Cost int64
	// Aliases is how many fields may be given another name.
	Aliases int
	// Page is the largest `first` or `last`.
	Page int64
}

// DefaultLimits let a page of 100 rows with a page of 50 in each through, and
// refuse three full pages nested.
var DefaultLimits = Limits{Depth: 12, Cost: 20_000, Aliases: 50, Page: 100}

// Cost is what `extensions.cost` of a response says.
type Cost struct {
	Requested int64 `json:"requested"`
	Limit     int64 `json:"limit"`
}

// listSize is what a list that isn't a page is taken to hold.
const listSize = 10

// endless is the cost that stands for every larger one.
const endless = int64(1) << 40

// costs is an operation's cost as far as it is known without variables.
type costs struct {
	own   int64
	pages []*page
}

// page is a connection, asked for so many times; its size may be a variable.
type page struct {
	field *ast.Field
	times int64
	rows  costs
}

func (c *costs) add(n int64) { c.own = plus(c.own, n) }

// page begins a connection and returns where the cost of one row goes.
func (c *costs) page(f *ast.Field, times int64) *costs {
	p := &page{field: f, times: times}
	c.pages = append(c.pages, p)
	return &p.rows
}

// of is the whole cost with the page sizes that variables give.
func (c *costs) of(variables map[string]any, most int64) (int64, *fault.Error) {
	sum := c.own
	for _, p := range c.pages {
		size, err := p.size(variables, most)
		if err != nil {
			return 0, err
		}
		row, err := p.rows.of(variables, most)
		if err != nil {
			return 0, err
		}
		sum = plus(sum, multiply(p.times, multiply(size, row)))
	}
	return sum, nil
}

// size returns `first` or `last`; exactly one must be there, within bounds.
func (p *page) size(variables map[string]any, most int64) (int64, *fault.Error) {
	first, hasFirst := p.bound("first", variables)
	last, hasLast := p.bound("last", variables)
	bad := func(format string, args ...any) *fault.Error {
		return fault.New(fault.BadInput, format, args...).With("coordinate", p.field.ObjectDefinition.Name+"."+p.field.Name)
	}
	switch {
	case hasFirst && hasLast:
		return 0, bad("`%s` takes either `first` or `last`, not both.", p.field.Name)
	case !hasFirst && !hasLast:
		return 0, bad("`%s` is a list: say how many, with `first` or `last` from 1 to %d.", p.field.Name, most)
	}
	size := first + last
	if size < 1 || size > most {
		return 0, bad("`%s` gives 1 to %d at a time; %d were asked for.", p.field.Name, most, size)
	}
	return size, nil
}

// bound returns the value of a page argument and whether it was given.
func (p *page) bound(name string, variables map[string]any) (int64, bool) {
	def := p.field.Definition.Arguments.ForName(name)
	if def == nil {
		return 0, false
	}
	value := def.DefaultValue
	if a := p.field.Arguments.ForName(name); a != nil {
		value = a.Value
	}
	if value == nil {
		return 0, false
	}
	v, err := value.Value(variables)
	if err != nil {
		return 0, false
	}
	switch n := v.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	case float64:
		return int64(n), true
	case json.Number:
		i, err := n.Int64()
		return i, err == nil
	}
	return 0, false
}

// isConnection tells pages by their name; the type Connection is no page but a
// source of tools.
func isConnection(t *ast.Type) bool {
	return strings.HasSuffix(t.NamedType, "Connection") && t.NamedType != "Connection"
}

// isRows tells whether a field of a connection holds its rows.
func isRows(f *ast.Field) bool { return f.Name == "edges" || f.Name == "nodes" }

func plus(a, b int64) int64 { return min(a+b, endless) }

// multiply is a × b for numbers from 0 to endless.
func multiply(a, b int64) int64 {
	if a > 0 && b > endless/a {
		return endless
	}
	return a * b
}

// bounded refuses an operation whose shape alone passes the limits.
func (l Limits) bounded(p *plan) *fault.Error {
	switch {
	case p.tooLarge || p.depth > l.Depth:
		return fault.New(fault.ComplexityLimit, "The operation nests deeper than %d fields or is too large; ask for less at a time.", l.Depth).With("depthLimit", l.Depth)
	case p.aliases > l.Aliases:
		return fault.New(fault.ComplexityLimit, "The operation renames %d fields, at most %d are allowed; split it.", p.aliases, l.Aliases).With("aliasLimit", l.Aliases)
	}
	return nil
}

// priced refuses an operation that asks for too many objects, and returns its
// cost otherwise.
func (l Limits) priced(p *plan, variables map[string]any) (Cost, *fault.Error) {
	n, err := p.cost.of(variables, l.Page)
	if err != nil {
		return Cost{}, err
	}
	cost := Cost{Requested: n, Limit: l.Cost}
	if n > l.Cost {
		return cost, fault.New(fault.ComplexityLimit, "The operation asks for up to %d objects, at most %d are allowed; ask for smaller pages.", n, l.Cost).With("cost", cost)
	}
	return cost, nil
}
