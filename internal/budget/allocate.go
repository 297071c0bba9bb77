package budget

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// share is a budget as its parent sees it. Keys have caps, not shares.
type share struct {
	scopeID, path, name string
	kind                tenancy.Kind
	lim                 money.Nano
}

// checkAllocation asks whether, once scope's limit is as given (nil: without a
// budget), the budgets directly below scope and below its parent still fit
// into the one above them. It returns by how much they don't.
func (e *Engine) checkAllocation(ctx context.Context, tx *store.Tx, scope *ent.Scope, limit *money.Nano) (money.Nano, error) {
	if scope.Kind == "KEY" {
		return 0, nil
	}
	shares, err := e.shares(ctx, tx.SQL(), scope)
	if err != nil {
		return 0, err
	}
	shares = slices.DeleteFunc(shares, func(s share) bool { return s.scopeID == scope.ID })
	if limit != nil {
		shares = append(shares, share{scopeID: scope.ID, path: scope.Path, lim: *limit})
	}
	slices.SortFunc(shares, func(a, b share) int { return strings.Compare(a.path, b.path) })
	var parent *share
	for _, s := range shares {
		if s.path != scope.Path && strings.HasPrefix(scope.Path, s.path) {
			parent = &s // sorted by path: the nearest one stays
		}
	}
	var over money.Nano
	strict := scope.Plane == "COPILOT"
	if limit != nil {
		below := sumBelow(shares, scope.Path)
		if below > *limit && strict {
			return 0, fault.At("limit", "The budgets below it add up to %s already. Lower those first.", amountText(Credits, below))
		}
		over = max(0, below-*limit)
	}
	if parent != nil {
		given := sumBelow(shares, parent.path)
		if given > parent.lim && strict {
			rest := parent.lim
			if limit != nil {
				rest -= given - *limit
			}
			return 0, fault.At("limit", "The budget of %s is %s, of which %s is left to give. Raise it first, or give less.",
				scopeLabel(parent.kind, parent.name), amountText(Credits, parent.lim), amountText(Credits, max(0, rest))).
				With("available", int64(max(0, rest)))
		}
		over = max(over, given-parent.lim)
	}
	return over, nil
}

// shares are all budgets of the scope's plane but those of keys.
func (e *Engine) shares(ctx context.Context, tx conn, scope *ent.Scope) ([]share, error) {
	return e.sharesOf(ctx, tx, scope.AccountID, tenancy.Plane(scope.Plane))
}

func (e *Engine) sharesOf(ctx context.Context, tx conn, accountID string, plane tenancy.Plane) ([]share, error) {
	var out []share
	err := e.query(ctx, tx, `SELECT s.id, s.path, s.name, s.kind, b.lim FROM budgets b JOIN scopes s ON s.id = b.scope_id
		WHERE b.account_id = $1 AND b.plane = $2 AND s.kind <> 'KEY'`, []any{accountID, string(plane)}, func(r *sql.Rows) error {
		var s share
		err := r.Scan(&s.scopeID, &s.path, &s.name, &s.kind, &s.lim)
		out = append(out, s)
		return err
	})
	return out, err
}

// sumBelow adds the shares directly below a path: not those that lie below
// another one of them. A sum beyond 64 bits is cut at the largest amount.
func sumBelow(shares []share, path string) money.Nano {
	var sum money.Nano
	last := ""
	for _, s := range shares {
		if s.path == path || !strings.HasPrefix(s.path, path) || last != "" && strings.HasPrefix(s.path, last) {
			continue
		}
		last = s.path
		var err error
		if sum, err = money.Add(sum, s.lim); err != nil {
			return money.Max
		}
	}
	return sum
}
