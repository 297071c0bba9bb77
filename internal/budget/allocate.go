package budget

import (
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
)

// fits refuses what gives more than there is, in a strict plane: the error
// says whose budget bounds the amount asked for at e, an input at path, and
// carries what is available of it.
func (d *draft) fits(e *entry, amount money.Nano, path string) error {
	tight, lack := d.short()
	if tight == nil {
		return nil
	}
	unit := unitOf(d.plane)
	exceeded := func(available money.Nano, format string, args ...any) error {
		err := fault.At(path, format, args...).With("available", available)
		err.Code = fault.BudgetExceeded
		return err
	}
	if !d.strictNow {
		return exceeded(0, "%s gives %s more than it has. Lower the budgets below it first, or raise it.", scopeLabel(tight.kind, tight.name), AmountText(unit, lack))
	}
	if tight == e {
		needs := add(e.is.total(), lack)
		what := "The budgets below it add"
		if e.is.Reserve > 0 {
			what = "The budgets below it and its reserve add"
		}
		return exceeded(needs, "%s up to %s already. Lower those first.", what, AmountText(unit, needs))
	}
	if tight != d.above(e.path) {
		return d.refuse(tight, lack)
	}
	rest := max(0, amount-lack)
	if later, at := d.later(tight, after); later == lack {
		return exceeded(rest, "An increase of %s ends on %s, and this would last longer. Let it end by then, or give less.",
			scopeLabel(tight.kind, tight.name), at.UTC().Format("2 January 2006, 15:04 MST"))
	}
	return exceeded(rest, "The budget of %s is %s, of which %s is left to give. Raise it first, or give less.",
		scopeLabel(tight.kind, tight.name), AmountText(unit, tight.is.total()), AmountText(unit, rest))
}
