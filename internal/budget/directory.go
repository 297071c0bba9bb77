package budget

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Serialize lets changes of a plane's budgets, and of the tree that they stand
// in, follow each other until the transaction ends. Whoever also locks scopes
// does so before.
func (e *Engine) Serialize(ctx context.Context, tx *store.Tx, accountID string, plane tenancy.Plane) error {
	if e.dialect != postgres {
		return nil
	}
	_, err := e.exec(ctx, tx.SQL(), "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", accountID+string(plane))
	return err
}

// End takes the budgets of deleted scopes away, with their cycles; what was
// charged stays on the books, and calls that run settle on the budgets that are
// left. It returns how many there were.
func (e *Engine) End(ctx context.Context, tx *store.Tx, scopeIDs []string) (int, error) {
	ended := 0
	for some := range slices.Chunk(scopeIDs, 500) {
		var p params
		these := "scope_id IN (" + p.list(some) + ")"
		of := "(SELECT id FROM budgets WHERE " + these + ")"
		if err := e.removeCycles(ctx, tx, of, p); err != nil {
			return ended, err
		}
		var accounts []string
		err := e.query(ctx, tx.SQL(), "SELECT DISTINCT account_id FROM budgets WHERE "+these, p, func(r *sql.Rows) error {
			var account string
			err := r.Scan(&account)
			accounts = append(accounts, account)
			return err
		})
		if err != nil {
			return ended, err
		}
		for _, account := range accounts {
			if err := e.changing(ctx, tx, account, nil); err != nil {
				return ended, err
			}
		}
		n, err := e.exec(ctx, tx.SQL(), "DELETE FROM budgets WHERE "+these, p...)
		if err != nil {
			return ended, err
		}
		ended += int(n)
	}
	return ended, nil
}

// CheckRoom refuses what has moved to right below a path where the budgets
// below the nearest one add up to more than that one has to give. Console lets
// them. Errors: BUDGET_EXCEEDED with what is available.
func (e *Engine) CheckRoom(ctx context.Context, tx *store.Tx, accountID string, plane tenancy.Plane, into string, moved []string) error {
	if plane != tenancy.Copilot {
		return nil
	}
	shares, err := e.sharesOf(ctx, tx.SQL(), accountID, plane)
	if err != nil {
		return err
	}
	slices.SortFunc(shares, func(a, b share) int { return strings.Compare(a.path, b.path) })
	var above *share
	for _, s := range shares {
		if strings.HasPrefix(into, s.path) {
			above = &s // sorted by path: the nearest one stays
		}
	}
	if above == nil {
		return nil
	}
	given := sumBelow(shares, above.path)
	if given <= above.lim {
		return nil
	}
	others := sumBelow(slices.DeleteFunc(shares, func(s share) bool {
		root, _, _ := strings.Cut(strings.TrimPrefix(s.path, into), "/")
		return strings.HasPrefix(s.path, into) && slices.Contains(moved, root)
	}), above.path)
	room := max(0, above.lim-others)
	return fault.New(fault.BudgetExceeded, "The budgets that come along add up to %s, and the budget of %s has %s left to give of its %s. Raise it first, or lower theirs.",
		amountText(Credits, given-others), scopeLabel(above.kind, above.name), amountText(Credits, room), amountText(Credits, above.lim)).With("available", room)
}
