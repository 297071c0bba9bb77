package budget

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/alchemi/cockpit/internal/store"
)

// changing tells every replica that budgets of an account change with tx: this
// one once it stands, before the caller hears of it, the others by the
// account's epoch, within a second. What is leased of the given cycles, whose
// limits may fall, is called back: this replica admits no call from it any
// more, others until they look next.
func (e *Engine) changing(ctx context.Context, tx *store.Tx, accountID string, cycleIDs []string) error {
	tx.Touch(accountID)
	tx.AfterCommit(func() {
		e.node.forget(accountID)
		e.node.close(cycleIDs)
		e.burn.nudge()
		e.nudge()
	})
	return e.recall(ctx, tx.SQL(), cycleIDs, "")
}

// removeCycles deletes cycles of budgets, with what is leased of them.
func (d dialect) removeCycles(ctx context.Context, c conn, ofBudgets string, args []any) (ids []string, err error) {
	// In the order that every writer keeps.
	err = d.query(ctx, c, "SELECT id FROM budget_cycles WHERE budget_id IN "+ofBudgets+" ORDER BY id FOR UPDATE", args, func(r *sql.Rows) error {
		var k string
		err := r.Scan(&k)
		ids = append(ids, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(ids, maxBatch) {
		var p params
		in := "(" + p.list(part) + ")"
		if _, err := d.exec(ctx, c, "DELETE FROM budget_leases WHERE cycle_id IN "+in, p...); err != nil {
			return nil, err
		}
		if _, err := d.exec(ctx, c, "DELETE FROM budget_cycles WHERE id IN "+in, p...); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// close stops admitting from slices whose limit has fallen: the next round
// gives back what is free, and takes by the new limit.
func (n *node) close(cycleIDs []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range cycleIDs {
		if s := n.slices[k]; s != nil {
			s.closed = true
			n.queued++
			n.touch(s)
		}
	}
}

// lose ends leases whose cycles were removed, or have closed.
func (n *node) lose(cycleIDs []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range cycleIDs {
		n.drop(k)
	}
}

// returnEnded lets the next round give back what is leased of cycles that have ended.
func (n *node) returnEnded(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.slices {
		if s.leased && !now.Before(s.of.endsAt) {
			n.queued++
			n.touch(s)
		}
	}
}
