package budget

import (
	"context"
	"database/sql"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budgetincrease"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// More is by how much a limit is raised, and until when.
type More struct {
	Amount money.Nano
	EndsAt time.Time
	Reason string
	// By is the user who raises it.
	By string
}

// LongestReason is how many bytes the reason of an increase has at most.
const LongestReason = 500

const (
	maxIncreases   = 20
	longestRaise   = 366 * 24 * time.Hour
	increasesEvery = 5 * time.Second
)

func (m More) check(now time.Time) error {
	switch {
	case m.Amount <= 0:
		return fault.At("amount", "Raise the limit by more than zero.")
	case m.Amount > Largest:
		return fault.At("amount", "A limit can be one billion at most.")
	case !m.EndsAt.After(now):
		return fault.At("endsAt", "An increase ends in the future.")
	case m.EndsAt.After(now.Add(longestRaise)):
		return fault.At("endsAt", "An increase lasts a year at most. Change the limit instead.")
	case len(m.Reason) > LongestReason:
		return fault.At("reason", "A reason has %d characters at most.", LongestReason)
	}
	return nil
}

// Increase raises the limit of a scope's budget for a while. In a strict plane
// it must fit into the budget above, whose reserve it may draw on. Errors as in
// Set.
func (e *Engine) Increase(ctx context.Context, tx *store.Tx, scopeID string, more More) (*ent.BudgetIncrease, *Plan, error) {
	scope, err := e.lockPlane(ctx, tx, scopeID)
	if err != nil {
		return nil, nil, err
	}
	now := stamp(e.now())
	if err := more.check(now); err != nil {
		return nil, nil, err
	}
	row, err := budgetAt(ctx, tx, scopeID)
	if err != nil {
		return nil, nil, err
	}
	open, err := tx.BudgetIncrease.Query().Where(budgetincrease.BudgetID(row.ID), budgetincrease.EndedAtIsNil()).Count(ctx)
	if err != nil {
		return nil, nil, err
	}
	if open >= maxIncreases {
		return nil, nil, fault.New(fault.Invalid, "%s has %d increases already. End one first, or change the limit.", scope.Name, open)
	}
	made, err := tx.BudgetIncrease.Create().SetAccountID(row.AccountID).SetPlane(budgetincrease.Plane(row.Plane)).SetBudgetID(row.ID).
		SetAmount(int64(more.Amount)).SetEndsAt(stamp(more.EndsAt)).SetReason(more.Reason).SetCreatedBy(more.By).SetCreatedAt(now).Save(ctx)
	if err != nil {
		return nil, nil, err
	}
	d, me, err := e.reraise(ctx, tx, scope, now)
	if err == nil {
		err = me.resting("scopeId")
	}
	if err != nil {
		return nil, nil, err
	}
	d.fresh = made.ID
	if me.is.total() > Largest {
		return nil, nil, fault.At("amount", "A limit with its increases can be one billion at most.")
	}
	me.reason = "Raised until " + more.EndsAt.UTC().Format("2 January 2006, 15:04 MST") + "."
	if err := d.fits(me, more.Amount, "amount"); err != nil {
		return nil, nil, err
	}
	out, err := e.carryOut(ctx, tx, d, row)
	return made, out, err
}

// EndIncrease takes an increase back before its end. Errors: NOT_FOUND, INVALID
// when it has ended.
func (e *Engine) EndIncrease(ctx context.Context, tx *store.Tx, increaseID string) (*ent.BudgetIncrease, *Plan, error) {
	row, err := tx.BudgetIncrease.Query().Where(budgetincrease.ID(increaseID)).WithBudget().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil, fault.Missing("increase")
	} else if err != nil {
		return nil, nil, err
	}
	scope, err := e.lockPlane(ctx, tx, row.Edges.Budget.ScopeID)
	if err != nil {
		return nil, nil, err
	}
	now := stamp(e.now())
	ended, err := tx.BudgetIncrease.Update().Where(budgetincrease.ID(increaseID), budgetincrease.EndedAtIsNil()).SetEndedAt(now).Save(ctx)
	if err != nil {
		return nil, nil, err
	}
	if ended == 0 {
		return nil, nil, fault.New(fault.Invalid, "This increase has ended already.")
	}
	d, me, err := e.reraise(ctx, tx, scope, now)
	if err != nil {
		return nil, nil, err
	}
	me.reason = "An increase ended."
	if row.EndsAt.After(now) {
		if tight, lack := d.short(); tight != nil {
			return nil, nil, d.refuse(tight, lack)
		}
	}
	out, err := e.carryOut(ctx, tx, d, row.Edges.Budget)
	if err != nil {
		return nil, nil, err
	}
	row, err = tx.BudgetIncrease.Get(ctx, increaseID)
	return row, out, err
}

// reraise is the draft of a plane with the increases that are in force.
func (e *Engine) reraise(ctx context.Context, tx *store.Tx, scope *ent.Scope, now time.Time) (*draft, *entry, error) {
	d, err := e.sketch(ctx, tx, scope.AccountID, tenancy.Plane(scope.Plane), scope.ID, now)
	if err == nil {
		err = d.children(ctx, tx.SQL())
	}
	if err != nil {
		return nil, nil, err
	}
	me := d.byScope[scope.ID]
	if me == nil {
		return nil, nil, fault.Missing("budget")
	}
	d.distribute()
	return d, me, nil
}

// EndDue takes back the increases whose end has come, each in a transaction of
// its own and once, whichever replica comes first. It returns how many it took
// back.
func (e *Engine) EndDue(ctx context.Context) (int, error) {
	ctx = tenancy.System(ctx, "increases end by the clock")
	var due []string
	err := e.query(ctx, e.db, "SELECT id FROM budget_increases WHERE ended_at IS NULL AND ends_at <= $1 ORDER BY ends_at, id LIMIT 500",
		[]any{stamp(e.now())}, func(r *sql.Rows) error {
			var increaseID string
			err := r.Scan(&increaseID)
			due = append(due, increaseID)
			return err
		})
	if err != nil {
		return 0, err
	}
	ended := 0
	for _, increaseID := range due {
		err := e.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			row, plan, err := e.EndIncrease(ctx, tx, increaseID)
			if err != nil {
				return err
			}
			scope, err := tx.Scope.Get(ctx, plan.Budget.ScopeID)
			if err != nil {
				return err
			}
			return tx.Audit(ctx, audit.Event{Action: "budget.increaseEnd", AccountID: scope.AccountID, Plane: tenancy.Plane(scope.Plane),
				ScopeID: scope.ID, ScopePath: scope.Path, TargetID: scope.ID, TargetName: scope.Name,
				Changes: map[string]audit.Change{"raised": {Before: money.Nano(row.Amount).String()}, "endsAt": {After: row.EndsAt.UTC()}}})
		})
		switch fault.As(err) {
		case nil:
			if err != nil {
				return ended, err
			}
			ended++
		default: // another replica was first, or the budget is gone
		}
	}
	return ended, nil
}

// endDue calls EndDue until Close.
func (e *Engine) endDue() {
	ticker := time.NewTicker(increasesEvery)
	defer ticker.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		if _, err := e.EndDue(ctx); err != nil {
			e.log.Warn("increases that are over can't be taken back yet", "error", err)
		}
		cancel()
	}
}
