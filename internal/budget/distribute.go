package budget

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// split divides what is left into n shares that differ by one unit at most, the
// larger ones first: together they are exactly what was left.
func split(left money.Nano, n int) []money.Nano {
	out := make([]money.Nano, n)
	for i := range out {
		out[i] = left / money.Nano(n)
		if money.Nano(i) < left%money.Nano(n) {
			out[i]++
		}
	}
	return out
}

// distribute computes all shares anew, from the root down: a share may be
// shared out again. Shares whose parent doesn't share out any more go.
func (d *draft) distribute() {
	for _, e := range d.entries {
		parent := d.byScope[e.parentID]
		if e.is != nil && e.is.Origin == ByShare && (e.kind.Leaf() || parent == nil || parent.is == nil || parent.is.Distribution != Equal) {
			e.is, e.reason = nil, "Isn't shared out to any more: draws on the budgets above."
		}
		if e.is != nil && e.is.Distribution == Equal {
			d.share(e)
		}
	}
}

// share gives each child of e without a limit of its own the same part of what
// is left; keys and agents have caps, not shares. What is archived gets nothing until it is restored.
func (d *draft) share(e *entry) {
	var heirs []*entry
	for _, child := range d.under(e.path) {
		switch {
		case child.kind.Leaf() || child.parentID != e.scopeID || child.is != nil && child.is.Origin == BySet:
		case !child.archived:
			if child.is == nil {
				child.is = &Terms{Origin: ByShare, Distribution: Pool}
			}
			heirs = append(heirs, child)
		case child.is != nil:
			child.is.Limit, child.reason = 0, "Is archived: its share goes to the others."
		}
	}
	if len(heirs) == 0 {
		return
	}
	// Ids in the order of their making.
	slices.SortFunc(heirs, func(a, b *entry) int { return strings.Compare(a.scopeID, b.scopeID) })
	g := d.given(e.path, after)
	left := max(0, e.is.total()-max(e.is.Reserve, g.raised)-g.set)
	reason := d.formula(e, g, len(heirs))
	for i, share := range split(left, len(heirs)) {
		heirs[i].is.Limit, heirs[i].reason = share, "Equal share of "+e.name+": "+reason+"."
	}
}

// formula puts a share's reckoning into words: ($900.00 − $100.00 reserve) ÷ 6.
func (d *draft) formula(e *entry, g given, heirs int) string {
	unit := unitOf(d.plane)
	text := AmountText(unit, e.is.Limit)
	parts := 0
	for _, p := range []struct {
		sign, what string
		amount     money.Nano
	}{{"+", "raised", e.is.Raised}, {"−", "reserve", max(e.is.Reserve, g.raised)}, {"−", "overrides", g.set}} {
		if p.amount > 0 {
			text += fmt.Sprintf(" %s %s %s", p.sign, AmountText(unit, p.amount), p.what)
			parts++
		}
	}
	if parts > 0 {
		text = "(" + text + ")"
	}
	return fmt.Sprintf("%s ÷ %d", text, heirs)
}

func unitOf(p tenancy.Plane) Unit {
	if p == tenancy.Copilot {
		return Credits
	}
	return USD
}
