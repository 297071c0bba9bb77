package budget

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Serialize lets changes of a plane's budgets, and of the tree that they stand
// in, follow each other until the transaction ends. Whoever also locks scopes
// does so before.
func (e *Engine) Serialize(ctx context.Context, tx *store.Tx, accountID string, plane tenancy.Plane) error {
	return e.serialize(ctx, tx.SQL(), accountID, plane)
}

func (d dialect) serialize(ctx context.Context, c conn, accountID string, plane tenancy.Plane) error {
	if d != postgres {
		return nil
	}
	_, err := d.exec(ctx, c, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", accountID+string(plane))
	return err
}

// ofBudgets are the tables whose rows go with their budget.
var ofBudgets = []string{"budget_increases", "budget_alerts"}

// End takes the budgets of deleted scopes away, with their cycles; what was
// charged stays on the books, and calls that run settle on the budgets that are
// left. It returns how many there were. Redistribute shares out what it frees.
func (e *Engine) End(ctx context.Context, tx *store.Tx, scopeIDs []string) (int, error) {
	var accounts []string
	for some := range slices.Chunk(scopeIDs, 500) {
		var p params
		err := e.query(ctx, tx.SQL(), "SELECT DISTINCT account_id FROM budgets WHERE scope_id IN ("+p.list(some)+")", p, func(r *sql.Rows) error {
			var account string
			err := r.Scan(&account)
			accounts = append(accounts, account)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	ended, lost, err := e.end(ctx, tx.SQL(), scopeIDs)
	if err != nil {
		return ended, err
	}
	for _, account := range accounts {
		if err := e.changing(ctx, tx, account, nil); err != nil {
			return ended, err
		}
	}
	tx.AfterCommit(func() { e.node.lose(lost) })
	return ended, nil
}

// end removes budgets with all that is theirs; it returns how many there were,
// and the cycles that are gone.
func (d dialect) end(ctx context.Context, c conn, scopeIDs []string) (ended int, lost []string, err error) {
	for some := range slices.Chunk(scopeIDs, 500) {
		var p params
		these := "scope_id IN (" + p.list(some) + ")"
		of := "(SELECT id FROM budgets WHERE " + these + ")"
		gone, err := d.removeCycles(ctx, c, of, p)
		if err != nil {
			return ended, nil, err
		}
		lost = append(lost, gone...)
		for _, table := range ofBudgets {
			if _, err := d.exec(ctx, c, "DELETE FROM "+table+" WHERE budget_id IN "+of, p...); err != nil {
				return ended, nil, err
			}
		}
		n, err := d.exec(ctx, c, "DELETE FROM budgets WHERE "+these, p...)
		if err != nil {
			return ended, nil, err
		}
		ended += int(n)
	}
	return ended, lost, nil
}

// Redistribute computes the equal shares of a plane anew, after scopes joined,
// left, moved, or were archived or restored. In a strict plane it refuses what
// leaves somebody with less than they have given. Errors: BUDGET_EXCEEDED with
// what is available.
func Redistribute(ctx context.Context, tx *store.Tx, now time.Time, accountID string, plane tenancy.Plane) error {
	d := dialect(tx.Dialect())
	if err := d.serialize(ctx, tx.SQL(), accountID, plane); err != nil {
		return err
	}
	sharing := false
	err := d.query(ctx, tx.SQL(), "SELECT 1 FROM budgets WHERE account_id = $1 AND plane = $2 AND (distribution = 'EQUAL' OR origin = 'SHARE') LIMIT 1",
		[]any{accountID, string(plane)}, func(*sql.Rows) error { sharing = true; return nil })
	if err != nil || !sharing {
		return err
	}
	draft, err := d.sketch(ctx, tx, accountID, plane, "", stamp(now))
	if err != nil {
		return err
	}
	if err := draft.children(ctx, tx.SQL()); err != nil {
		return err
	}
	draft.distribute()
	if e, lack := draft.short(); e != nil {
		return draft.refuse(e, lack)
	}
	return draft.apply(ctx, tx) // this replica learns of it as the others do
}

// refuse tells that a budget would be left with less than it has given.
func (d *draft) refuse(e *entry, lack money.Nano) error {
	unit := unitOf(d.plane)
	has := e.is.total()
	return fault.New(fault.BudgetExceeded, "The budget of %s would be %s, and %s is given or kept back already. Raise it, or lower those first.",
		scopeLabel(e.kind, e.name), AmountText(unit, has), AmountText(unit, add(has, lack))).With("available", has).With("scopeId", e.scopeID)
}

// CheckRoom refuses what has moved to right below a path where the budgets
// below the nearest one add up to more than that one has to give; overcommitted
// Console planes let them. Shares are computed anew before. Errors:
// BUDGET_EXCEEDED with what is available.
func (e *Engine) CheckRoom(ctx context.Context, tx *store.Tx, accountID string, plane tenancy.Plane, into string, moved []string) error {
	now := e.now()
	if err := Redistribute(ctx, tx, now, accountID, plane); err != nil {
		return err
	}
	d, err := e.sketch(ctx, tx, accountID, plane, "", stamp(now))
	if err != nil || !d.strict {
		return err
	}
	above := d.above(into + "x/")
	if above == nil {
		return nil
	}
	lack := d.lack(above, after)
	if lack == 0 {
		return nil
	}
	var theirs money.Nano
	for _, child := range d.under(into) {
		root, _, _ := strings.Cut(strings.TrimPrefix(child.path, into), "/")
		if slices.Contains(moved, root) && d.above(child.path) == above && child.is != nil {
			theirs = add(theirs, child.is.total())
		}
	}
	if theirs == 0 {
		return nil // it was so before
	}
	room := max(0, theirs-lack)
	return fault.New(fault.BudgetExceeded, "The budgets that come along add up to %s, and the budget of %s has %s left to give of its %s. Raise it first, or lower theirs.",
		AmountText(unitOf(plane), theirs), scopeLabel(above.kind, above.name), AmountText(unitOf(plane), room), AmountText(unitOf(plane), above.is.total())).With("available", room)
}
