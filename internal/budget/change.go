package budget

import (
	"context"
	"database/sql"
	"slices"

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
func (e *Engine) removeCycles(ctx context.Context, tx *store.Tx, ofBudgets string, args []any) error {
	// In the order that every writer keeps.
	var ids []string
	err := e.query(ctx, tx.SQL(), "SELECT id FROM budget_cycles WHERE budget_id IN "+ofBudgets+" ORDER BY id FOR UPDATE", args, func(r *sql.Rows) error {
		var k string
		err := r.Scan(&k)
		ids = append(ids, k)
		return err
	})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, maxBatch) {
		var p params
		in := "(" + p.list(part) + ")"
		if _, err := e.exec(ctx, tx.SQL(), "DELETE FROM budget_leases WHERE cycle_id IN "+in, p...); err != nil {
			return err
		}
		if _, err := e.exec(ctx, tx.SQL(), "DELETE FROM budget_cycles WHERE id IN "+in, p...); err != nil {
			return err
		}
	}
	tx.AfterCommit(func() { e.node.lose(ids) })
	return nil
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

// lose ends leases whose cycles were removed.
func (n *node) lose(cycleIDs []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range cycleIDs {
		if s := n.slices[k]; s != nil {
			s.gone = true
			delete(n.slices, k)
		}
	}
}

// drained are those of some cycles to which nothing is charged any more but
// late lines and corrections: nobody has a lease of them. A replica gives the
// lease of a cycle that is over back with the last of its calls.
func (d dialect) drained(ctx context.Context, c conn, cycleIDs []string) ([]string, error) {
	var out []string
	for part := range slices.Chunk(cycleIDs, maxBatch) {
		var p params
		q := "SELECT c.id FROM budget_cycles c WHERE c.id IN (" + p.list(part) + ") AND NOT EXISTS (SELECT 1 FROM budget_leases l WHERE l.cycle_id = c.id) ORDER BY c.id"
		err := d.query(ctx, c, q, p, func(r *sql.Rows) error {
			var k string
			err := r.Scan(&k)
			out = append(out, k)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
