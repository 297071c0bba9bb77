package budget

import (
	"context"
	"database/sql"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/budgetincrease"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// AmountText writes an amount for people: "$12.50", "1250 credits".
func AmountText(unit Unit, n money.Nano) string { return amountText(unit, n) }

// Grow raises a budget's limit for good, by what Set does; all else of the
// budget stays. Errors as of Set, NOT_FOUND where there is no budget.
func (e *Engine) Grow(ctx context.Context, tx *store.Tx, scopeID string, by money.Nano) (*Allocation, error) {
	row, err := tx.Budget.Query().Where(entbudget.ScopeID(scopeID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("budget")
	}
	if err != nil {
		return nil, err
	}
	limit, err := money.Add(money.Nano(row.Lim), by)
	if err != nil {
		return nil, fault.At("limit", "A limit can be one billion at most.")
	}
	return e.Set(ctx, tx, scopeID, Spec{Limit: limit, Overflow: money.Nano(row.Overflow)})
}

// Raise lets a budget have more until a moment; the current cycle has it at
// once. Whether the budget above has room, and who may, is for the caller to
// ask, who also writes the audit event.
func (e *Engine) Raise(ctx context.Context, tx *store.Tx, scopeID string, by money.Nano, until time.Time, reason string) error {
	if _, err := e.lockPlane(ctx, tx, scopeID); err != nil {
		return err
	}
	row, err := tx.Budget.Query().Where(entbudget.ScopeID(scopeID)).Only(ctx)
	if ent.IsNotFound(err) {
		return fault.Missing("budget")
	}
	if err != nil {
		return err
	}
	giver := ""
	if v := tenancy.ViewerFrom(ctx); v != nil {
		giver = v.UserID
	}
	if len(reason) > 500 {
		reason = string([]rune(reason)[:min(500, len([]rune(reason)))])
	}
	err = tx.BudgetIncrease.Create().SetAccountID(row.AccountID).SetPlane(budgetincrease.Plane(row.Plane)).SetBudgetID(row.ID).
		SetAmount(int64(by)).SetEndsAt(stamp(until)).SetReason(reason).SetCreatedBy(giver).Exec(ctx)
	if err != nil {
		return err
	}
	now := stamp(e.now())
	scope, err := tx.Scope.Get(ctx, scopeID)
	if err != nil {
		return err
	}
	call := Call{Path: scope.Path}
	path, err := e.open(ctx, tx.SQL(), call.scopeIDs(), now)
	if err != nil {
		return err
	}
	return e.lift(ctx, tx, path[scopeID].id, by, by)
}

// lift moves a cycle's limit, and how much of it is raised for a time.
func (e *Engine) lift(ctx context.Context, tx *store.Tx, cycleID string, limit, raised money.Nano) error {
	locked, err := e.lockCycles(ctx, tx.SQL(), []string{cycleID})
	if err != nil {
		return err
	}
	c := locked[cycleID]
	c.lim = max(0, c.lim+limit)
	c.move(0, 0)
	c.revision++
	_, err = e.exec(ctx, tx.SQL(), "UPDATE budget_cycles SET lim = $2, raised = CASE WHEN raised + $3 < 0 THEN 0 ELSE raised + $3 END, excess = $4, revision = $5 WHERE id = $1",
		c.id, int64(c.lim), int64(raised), int64(c.excess), c.revision)
	tx.AfterCommit(func() { e.burn.tell(locked) })
	return err
}

// EndRaises takes back raises whose time is over.
func (e *Engine) EndRaises(ctx context.Context) error {
	ctx = tenancy.System(ctx, "raises end by themselves")
	now := stamp(e.now())
	due, err := e.store.BudgetIncrease.Query().Where(budgetincrease.EndedAtIsNil(), budgetincrease.EndsAtLTE(now)).
		WithBudget().Order(ent.Asc(budgetincrease.FieldID)).Limit(500).All(ctx)
	if err != nil {
		return err
	}
	for _, i := range due {
		err := e.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited() // its end was told when it was given
			if err := e.Serialize(ctx, tx, i.AccountID, tenancy.Plane(i.Plane)); err != nil {
				return err
			}
			n, err := e.exec(ctx, tx.SQL(), "UPDATE budget_increases SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL", i.ID, now)
			if err != nil || n == 0 {
				return err
			}
			var cycleID string
			var lim, base, raised int64
			err = e.query(ctx, tx.SQL(), `SELECT c.id, c.lim, b.lim + c.carried, c.raised FROM budget_cycles c JOIN budgets b ON b.id = c.budget_id
				WHERE b.id = $1 AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = b.id)`, []any{i.BudgetID},
				func(rows *sql.Rows) error { return rows.Scan(&cycleID, &lim, &base, &raised) })
			if err != nil || cycleID == "" {
				return err
			}
			return e.lift(ctx, tx, cycleID, -money.Nano(min(i.Amount, max(0, lim-base))), -money.Nano(i.Amount))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
