package request

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/budgetincrease"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Tree is what the budgets of a plane have to give.
type Tree struct {
	plane  tenancy.Plane
	strict bool
	nodes  []node // by path
}

type node struct {
	*ent.Budget
	scope *ent.Scope
	// raised for a time, at this moment.
	raised money.Nano
}

// Load reads a plane's budgets. ctx passes the guard: what stands above an
// asker bounds what can be given.
func Load(ctx context.Context, c *ent.Client, accountID string, plane tenancy.Plane, now time.Time) (*Tree, error) {
	trees, err := LoadAll(ctx, c, []string{accountID}, plane, now)
	return trees[accountID], err
}

// LoadAll reads the budgets of a plane of several accounts, as Load does.
func LoadAll(ctx context.Context, c *ent.Client, accountIDs []string, plane tenancy.Plane, now time.Time) (map[string]*Tree, error) {
	rows, err := c.Budget.Query().Where(entbudget.AccountIDIn(accountIDs...), entbudget.PlaneEQ(entbudget.Plane(plane))).
		WithScope().
		WithIncreases(func(q *ent.BudgetIncreaseQuery) {
			q.Where(budgetincrease.EndedAtIsNil(), budgetincrease.EndsAtGT(now))
		}).All(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*Tree, len(accountIDs))
	for _, a := range accountIDs {
		out[a] = &Tree{plane: plane, strict: plane == tenancy.Copilot}
	}
	for _, b := range rows {
		t := out[b.AccountID]
		n := node{Budget: b, scope: b.Edges.Scope}
		for _, i := range b.Edges.Increases {
			n.raised += money.Nano(i.Amount)
		}
		if n.scope.Kind == scope.KindCONSOLE {
			t.strict = b.Strict
		}
		t.nodes = append(t.nodes, n)
	}
	for _, t := range out {
		slices.SortFunc(t.nodes, func(a, b node) int { return strings.Compare(a.scope.Path, b.scope.Path) })
	}
	return out, nil
}

// limit is what a budget allows in a cycle: with temporary raises or without.
func (n node) limit(temporary bool) money.Nano {
	if temporary {
		return plus(money.Nano(n.Lim), n.raised)
	}
	return money.Nano(n.Lim)
}

// left is what a budget has not given to those directly below it; keys and
// agents are given nothing.
func (t *Tree) left(parent node, temporary bool) money.Nano {
	left := parent.limit(temporary) - money.Nano(parent.Reserve)
	last := ""
	for _, n := range t.nodes {
		path := n.scope.Path
		if tenancy.Kind(n.scope.Kind).Leaf() || path == parent.scope.Path || !strings.HasPrefix(path, parent.scope.Path) || last != "" && strings.HasPrefix(path, last) {
			continue
		}
		last = path
		left = max(left-n.limit(temporary), -budget.Largest)
	}
	return left
}

// chain are the budgets from the one that limits a path first up to the pool.
func (t *Tree) chain(path string) []node {
	var out []node
	for _, n := range t.nodes {
		if strings.HasPrefix(path, n.scope.Path) {
			out = append(out, n)
		}
	}
	slices.Reverse(out)
	return out
}

// Raise is a limit that grows.
type Raise struct {
	Scope         *ent.Scope
	Before, After money.Nano
	node          node
	by            money.Nano
}

// Plan is what giving an amount would take.
type Plan struct {
	// Base is the budget that is raised: the scope's own, or the nearest above.
	Base          *ent.Scope
	Limit, After  money.Nano
	Parent        *ent.Scope // nil where no budget stands above
	ParentLimit   money.Nano
	ParentLeft    money.Nano
	ParentLeftNow money.Nano
	// Available is the most that can be given, by raising what may be raised.
	Available money.Nano
	// Bound is the budget that Available ends at; nil where nothing bounds it.
	Bound *ent.Scope
	// Raises is empty when the amount doesn't fit; the topmost comes first.
	Raises []Raise
}

// Fits tells whether the whole amount can be given.
func (p *Plan) Fits() bool { return len(p.Raises) > 0 }

// Plan says which budgets must grow for a path to get an amount more, if may
// lets them; nil where no budget limits the path at all.
func (t *Tree) Plan(path string, amount money.Nano, temporary bool, may func(*ent.Scope) bool) *Plan {
	chain := t.chain(path)
	if len(chain) == 0 {
		return nil
	}
	base := chain[0]
	p := &Plan{Base: base.scope, Limit: base.limit(temporary), After: plus(base.limit(temporary), amount),
		Available: max(0, budget.Largest-base.limit(temporary))}
	above := chain[1:]
	if len(above) > 0 {
		p.Parent, p.ParentLimit, p.ParentLeft = above[0].scope, above[0].limit(temporary), t.left(above[0], temporary)
		p.ParentLeftNow = p.ParentLeft - amount
	}
	if !may(base.scope) {
		p.Available, p.Bound = 0, base.scope
		return p
	}
	if tenancy.Kind(base.scope.Kind).Leaf() || !t.strict {
		above = nil // nothing above gives it
	}
	var given money.Nano
	for _, n := range above {
		given = max(plus(given, t.left(n, temporary)), -budget.Largest)
		if !may(n.scope) {
			p.Bound, p.Available = n.scope, min(p.Available, max(0, given))
			break
		}
	}
	if amount > p.Available {
		return p
	}
	p.Raises = []Raise{{Scope: base.scope, Before: p.Limit, After: p.After, node: base, by: amount}}
	need := amount
	for _, n := range above {
		if need -= t.left(n, temporary); need <= 0 {
			break
		}
		p.Raises = append(p.Raises, Raise{Scope: n.scope, Before: n.limit(temporary), After: plus(n.limit(temporary), need), node: n, by: need})
	}
	for _, r := range p.Raises {
		if r.After > budget.Largest {
			p.Raises = nil
			break
		}
	}
	slices.Reverse(p.Raises)
	return p
}

func plus(a, b money.Nano) money.Nano {
	sum, err := money.Add(a, b)
	if err != nil {
		return money.Max
	}
	return sum
}
