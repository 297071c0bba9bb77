package budget

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// renewEvery is the pause between looks for cycles that have ended.
	renewEvery = 3 * time.Second
	// renewBatch bounds the cycles of one transaction.
	renewBatch = 200
	// countEvery says at which of these looks calls of new budgets are counted.
	countEvery = 10
)

// Renewed is what Renew did: cycles that it opened, and closed with a statement.
type Renewed struct{ Opened, Closed int }

// KeepRenewing opens and closes cycles until the context ends.
func (e *Engine) KeepRenewing(ctx context.Context) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		_, err := e.Renew(ctx)
		if n%countEvery == 0 {
			err = errors.Join(err, e.CountPrior(ctx))
		}
		if err != nil && ctx.Err() == nil {
			e.log.ErrorContext(ctx, "budgets could not be renewed; it is tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// place is where the budgets of one tree stand.
type place struct {
	accountID string
	plane     tenancy.Plane
}

// Renew opens the cycles that are due, and closes those that have ended and
// that no call is charged to any more. Cycles also open with the first call of
// their time; both ways make the same rows. Any replica may be asked at any
// time: one of them works, each batch is one transaction, and what is done is
// done once.
func (e *Engine) Renew(ctx context.Context) (out Renewed, err error) {
	now := stamp(e.now())
	e.node.returnEnded(now)
	e.flushed()
	var due []place
	err = e.query(ctx, e.db, "SELECT DISTINCT account_id, plane FROM budget_cycles WHERE closed_at IS NULL AND ends_at <= $1 ORDER BY 1, 2", []any{now}, func(r *sql.Rows) error {
		var p place
		err := r.Scan(&p.accountID, &p.plane)
		due = append(due, p)
		return err
	})
	if err != nil {
		return out, err
	}
	var failed []error
	for _, p := range due { // a tree that fails holds up no other
		opened, err := e.openDue(ctx, p, now)
		out.Opened += opened
		if err == nil {
			var closed int
			closed, err = e.closeDrained(ctx, p, now)
			out.Closed += closed
		}
		failed = append(failed, err)
	}
	return out, errors.Join(failed...)
}

// renews tells whether this replica is the one that renews, for the rest of the
// transaction.
func (e *Engine) renews(ctx context.Context, tx conn) (mine bool, err error) {
	if e.dialect != postgres {
		return true, nil
	}
	err = e.query(ctx, tx, "SELECT pg_try_advisory_xact_lock(hashtextextended('budget renewal', 0))", nil, scanInto(&mine))
	return mine, err
}

// openDue opens the cycles of a tree, batch by batch, the plane's root with
// each: the rule is its.
func (e *Engine) openDue(ctx context.Context, p place, now time.Time) (opened int, err error) {
	for {
		var n int
		err := e.store.WriteTx(ctx, func(tx *sql.Tx) error {
			n = 0
			if mine, err := e.renews(ctx, tx); err != nil || !mine {
				return err
			}
			args := params{p.accountID, string(p.plane), now}
			where := "b.account_id = $1 AND b.plane = $2 AND (c.ends_at <= $3 OR s.kind IN ('CONSOLE', 'COPILOT')) ORDER BY length(s.path), s.path LIMIT " + args.add(renewBatch)
			before, err := e.standings(ctx, tx, where, args)
			if err != nil {
				return err
			}
			var scopes []string
			for _, s := range before {
				if !now.Before(s.endsAt) {
					n++
				}
				scopes = append(scopes, s.scopeID)
			}
			if n == 0 {
				return nil
			}
			_, err = e.open(ctx, tx, scopes, now)
			return err
		})
		if err != nil || n == 0 {
			return opened, err
		}
		opened += n
		e.log.InfoContext(ctx, "budget cycles opened", "account", p.accountID, "plane", p.plane, "budgets", n)
	}
}

// RenewNow ends the current cycle of a budget that is renewed by hand, within
// tx, and opens the next: of a key or an agent, or of a plane's pool with all that go by it.
// Whether the viewer may is for the caller to ask, who also writes the audit
// event. Errors: NOT_FOUND, INVALID for a budget that renews by itself or
// follows its plane, CONFLICT when it was renewed this moment.
func (e *Engine) RenewNow(ctx context.Context, tx *store.Tx, scopeID string) error {
	scope, err := e.lockPlane(ctx, tx, scopeID)
	if err != nil {
		return err
	}
	now := stamp(e.now())
	call := Call{Path: scope.Path}
	path, err := e.open(ctx, tx.SQL(), call.scopeIDs(), now)
	if err != nil {
		return err
	}
	own := path[scopeID]
	switch {
	case own == nil:
		return fault.Missing("budget")
	case own.own == nil || !own.scopeKind.Leaf() && own.scopeID != own.poolID():
		return fault.At("budgetId", "This budget goes by its plane's cycle. Renew the plane's pool.")
	case own.rule(path[own.poolID()]).cycle != Manual:
		return fault.At("budgetId", "This budget renews by itself. Only those whose cycle is manual are renewed by hand.")
	case !own.startsAt.Before(now):
		return fault.New(fault.Conflict, "This budget was renewed a moment ago.")
	}
	where, args := "b.id = $1", []any{own.budgetID}
	if !own.scopeKind.Leaf() {
		// Keys and agents that go by themselves stay out of it.
		where, args = "b.account_id = $1 AND b.plane = $2 AND (s.kind NOT IN ('KEY', 'AGENT') OR b.cycle IS NULL)", []any{own.accountID, string(own.plane)}
	}
	list, err := e.standings(ctx, tx.SQL(), where, args)
	if err != nil {
		return err
	}
	var current []string
	for _, s := range list {
		if s.startsAt.Before(now) && now.Before(s.endsAt) {
			current = append(current, s.id)
		}
	}
	if _, err := e.lockCycles(ctx, tx.SQL(), current); err != nil {
		return err
	}
	for _, k := range current {
		if _, err := e.exec(ctx, tx.SQL(), "UPDATE budget_cycles SET ends_at = $2, revision = revision + 1 WHERE id = $1", k, now); err != nil {
			return err
		}
	}
	if _, err = e.openWhere(ctx, tx.SQL(), where, args, now); err != nil {
		return err
	}
	return e.changing(ctx, tx, scope.AccountID, current)
}
