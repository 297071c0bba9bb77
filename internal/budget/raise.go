package budget

import (
	"context"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// Grow raises a budget's limit for good, by what Set does; all else of the
// budget stays. Errors as of Set, NOT_FOUND where there is no budget.
func (e *Engine) Grow(ctx context.Context, tx *store.Tx, scopeID string, by money.Nano) (*Plan, error) {
	row, err := budgetAt(ctx, tx, scopeID)
	if err != nil {
		return nil, err
	}
	limit, err := money.Add(money.Nano(row.Lim), by)
	if err != nil {
		return nil, fault.At("limit", "A limit can be one billion at most.")
	}
	return e.Set(ctx, tx, scopeID, Spec{Limit: limit, KeepOverflow: true})
}
