package budget

import (
	"context"
	"fmt"
	"strings"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Source says where what a scope may spend comes from.
type Source string

// The sources: a limit that an admin set; an equal share of the budget above;
// that budget itself as a pool; or no budget on the whole path, with which
// Console's calls pass and Copilot's are refused.
const (
	FromLimit   Source = "SET"
	FromShare   Source = "SHARE"
	FromPool    Source = "POOL"
	FromNowhere Source = "NONE"
)

// Place is a scope with a budget.
type Place struct {
	ScopeID, Name string
	Kind          tenancy.Kind
}

// Label is how messages call it: "team Risk".
func (p Place) Label() string { return scopeLabel(p.Kind, p.Name) }

// Allocation is what a scope may spend in the current cycle, and why.
type Allocation struct {
	ScopeID string
	Unit    Unit
	Source  Source
	// From is whose budget it is a share of, or draws on; nil for its own.
	From *Place
	// Formula is a share's reckoning in words; empty for others.
	Formula string
	// Own are the terms of the scope's own budget, nil without one, and then the
	// amounts up to Held are zero.
	Own *Terms
	// Limit is in force: Own's, what was carried, and what is raised.
	Limit, Carried, Spent, Held money.Nano
	// Committed is what the budgets directly below were given.
	Committed money.Nano
	// Overcommitted is by how much Committed and the reserve are more than there is.
	Overcommitted money.Nano
	// Free is the least that any budget of the path has left, BoundBy that
	// budget; without one there is no bound and Free is zero.
	Free    money.Nano
	BoundBy *Place
	// Words say what bounds it: "Limited by organization Banking: $12.00 left."
	Words string
}

// Effective tells what scopes of a plane may spend, by scope. That the
// viewer may see them is for the caller to know.
func (e *Engine) Effective(ctx context.Context, accountID string, plane tenancy.Plane, scopes []Whereabouts) (map[string]*Allocation, error) {
	states, err := e.States(ctx, tenancy.Reach{AccountID: accountID, Plane: plane, Path: "/" + accountID + "/"}, nil)
	if err != nil {
		return nil, err
	}
	d := &draft{dialect: e.dialect, accountID: accountID, plane: plane, now: stamp(e.now()), byScope: map[string]*entry{}}
	if err := d.read(ctx, e.db, "ALL"); err != nil {
		return nil, err
	}
	byScope := make(map[string]*State, len(states))
	for i := range states {
		byScope[states[i].ScopeID] = &states[i]
	}
	heirs := map[string]int{}
	for _, entry := range d.entries {
		if entry.is.Origin == ByShare && !entry.archived {
			heirs[entry.parentID]++
		}
	}
	out := make(map[string]*Allocation, len(scopes))
	for _, s := range scopes {
		out[s.ScopeID] = d.allocation(s, byScope, heirs)
	}
	return out, nil
}

// Whereabouts names a scope with its path.
type Whereabouts struct{ ScopeID, Path string }

func (d *draft) allocation(s Whereabouts, states map[string]*State, heirs map[string]int) *Allocation {
	out := &Allocation{ScopeID: s.ScopeID, Unit: unitOf(d.plane), Source: FromNowhere}
	above := d.above(s.Path)
	own := d.byScope[s.ScopeID]
	switch {
	case own != nil:
		out.Own, out.Source = own.was, FromLimit
		if st := states[s.ScopeID]; st != nil {
			out.Limit, out.Spent, out.Held = st.Limit, st.Spent, st.Held
			out.Carried = max(0, st.Limit-own.was.total())
		}
		g := d.given(own.path, before)
		out.Committed, out.Overcommitted = g.limits(), d.lack(own, before)
		if parent := d.byScope[own.parentID]; own.was.Origin == ByShare && parent != nil {
			out.Source, out.From = FromShare, parent.place()
			out.Formula = d.formula(parent, d.given(parent.path, before), max(1, heirs[parent.scopeID]))
		}
	case above != nil:
		out.Source, out.From = FromPool, above.place()
	}
	d.bind(out, s, states)
	return out
}

func (e *entry) place() *Place { return &Place{ScopeID: e.scopeID, Name: e.name, Kind: e.kind} }

// bind finds the budget of the path that has least left; of several the one
// that is nearest.
func (d *draft) bind(out *Allocation, s Whereabouts, states map[string]*State) {
	ids := strings.Split(strings.Trim(s.Path, "/"), "/")
	for i := len(ids) - 1; i >= 0; i-- {
		st := states[ids[i]]
		if st == nil {
			continue
		}
		left := max(0, st.Limit+st.Overflow-st.Spent-st.Held)
		if out.BoundBy == nil || left < out.Free {
			out.Free, out.BoundBy = left, &Place{ScopeID: st.ScopeID, Name: st.ScopeName, Kind: st.ScopeKind}
		}
	}
	left := AmountText(out.Unit, out.Free)
	switch {
	case out.BoundBy == nil && d.plane == tenancy.Copilot:
		out.Words = "No budget stands on its path: Copilot refuses its calls."
	case out.BoundBy == nil:
		out.Words = "No budget stands on its path: nothing limits it."
	case out.BoundBy.ScopeID == s.ScopeID:
		out.Words = fmt.Sprintf("Limited by its own budget: %s left.", left)
	default:
		out.Words = fmt.Sprintf("Limited by %s: %s left.", scopeLabel(out.BoundBy.Kind, out.BoundBy.Name), left)
	}
}
