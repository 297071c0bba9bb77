package budget

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Move takes an amount of the limit of one scope and gives it to a sibling;
// shares become limits of their own. What is given below stays covered on
// either side, and so does what is spent and held, unless belowSpent says
// otherwise. Errors as in Set.
func (e *Engine) Move(ctx context.Context, tx *store.Tx, fromID, toID string, amount money.Nano, belowSpent bool) (*Plan, error) {
	from, err := e.lockPlane(ctx, tx, fromID)
	if err != nil {
		return nil, err
	}
	to, err := tx.Scope.Get(ctx, toID)
	if ent.IsNotFound(err) || err == nil && (to.DeletedAt != nil || to.AccountID != from.AccountID || to.Plane != from.Plane) {
		return nil, fault.Missing("scope")
	} else if err != nil {
		return nil, err
	}
	switch {
	case amount <= 0:
		return nil, fault.At("amount", "Move more than zero.")
	case amount > Largest:
		return nil, fault.At("amount", "A limit can be one billion at most.")
	case from.ID == to.ID:
		return nil, fault.At("toId", "Choose another place to move it to.")
	case from.ParentID == nil || to.ParentID == nil || *from.ParentID != *to.ParentID || tenancy.Kind(from.Kind).Leaf() || tenancy.Kind(to.Kind).Leaf():
		return nil, fault.At("toId", "Budget moves between neighbours: %s and %s don't lie directly below the same place.", from.Name, to.Name)
	case to.ArchivedAt != nil:
		return nil, fault.At("toId", "%s is archived and can't get budget.", to.Name)
	}
	d, err := e.sketch(ctx, tx, from.AccountID, tenancy.Plane(from.Plane), "", stamp(e.now()))
	if err != nil {
		return nil, err
	}
	a, b := d.byScope[fromID], d.byScope[toID]
	switch {
	case a == nil:
		return nil, fault.At("fromId", "%s has no budget of its own to take from.", from.Name)
	case b == nil:
		return nil, fault.At("toId", "%s has no budget of its own: it draws on the one above already.", to.Name)
	}
	if err := b.resting("toId"); err != nil {
		return nil, err
	}
	if err := d.spare(a, amount, belowSpent); err != nil {
		return nil, err
	}
	a.is.Limit, a.is.Origin, a.reason = a.is.Limit-amount, BySet, "Moved to "+to.Name+"."
	b.is.Limit, b.is.Origin, b.reason = b.is.Limit+amount, BySet, "Moved from "+from.Name+"."
	if b.is.total() > Largest {
		return nil, fault.At("amount", "A limit can be one billion at most.")
	}
	if err := d.children(ctx, tx.SQL()); err != nil {
		return nil, err
	}
	d.distribute()
	if err := d.fits(b, amount, "amount"); err != nil {
		return nil, err
	}
	return e.carryOut(ctx, tx, d, nil)
}

// spare refuses to take more from a budget than it can do without.
func (d *draft) spare(e *entry, amount money.Nano, belowSpent bool) error {
	unit := unitOf(d.plane)
	refuse := func(available money.Nano, format string, args ...any) error {
		err := fault.At("amount", format, args...).With("available", max(0, available))
		err.Code = fault.BudgetExceeded
		return err
	}
	if amount > e.is.Limit {
		return refuse(e.is.Limit, "%s has %s, and so no %s to give.", e.name, AmountText(unit, e.is.Limit), AmountText(unit, amount))
	}
	g := d.given(e.path, after)
	kept := add(g.set, e.is.Reserve)
	if e.is.Distribution == Pool {
		kept = max(kept, add(g.limits(), max(e.is.Reserve, g.raised))-e.is.Raised)
	}
	if kept > e.is.Limit-amount && kept > 0 {
		return refuse(e.is.Limit-kept, "%s has given or keeps back %s of its %s. Take that back first, or move less.", e.name, AmountText(unit, kept), AmountText(unit, e.is.Limit))
	}
	if s := e.standing; s != nil && !belowSpent {
		room := e.room()
		free := add(room.lim, room.overflow) - s.spent - s.held
		if free < amount {
			return refuse(free, "%s has spent or holds %s already; %s is free. Move less, or confirm that its calls are refused until it renews.",
				e.name, AmountText(unit, s.spent+s.held), AmountText(unit, max(0, free)))
		}
	}
	return nil
}

func budgetAt(ctx context.Context, tx *store.Tx, scopeID string) (*ent.Budget, error) {
	row, err := tx.Budget.Query().Where(entbudget.ScopeID(scopeID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("budget")
	}
	return row, err
}
