package budget

import (
	"context"
	"database/sql"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
)

// register makes this process a node that is new to everybody; what the node
// before it had leased, given up with the round r, ends in the same moment.
func (e *Engine) register(ctx context.Context, r *round) error {
	node := id.New(id.Node)
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	sent := e.elapsed()
	p := params{node, id.PlatformID, stamp(e.now())}
	err := e.writeOne(ctx, "INSERT INTO nodes (id, account_id, plane, started_at, seen_at) VALUES ($1, $2, 'PLATFORM', $3, "+e.seen(&p, stamp(e.now()))+")", p...)
	if err != nil {
		return err
	}
	if e.journal != nil {
		if err := e.journal.own(node); err != nil {
			e.log.Error("the journal can't be written", "error", err)
		}
	}
	e.node.mu.Lock()
	defer e.node.mu.Unlock()
	e.node.id, e.node.seq, e.node.until = node, 0, e.lasts(sent)
	if r != nil {
		r.outlaw()
	}
	return nil
}

// lasts is until when others leave this replica alone that was heard of at the
// given time or later, less a quarter for clocks that run apart.
func (e *Engine) lasts(sent time.Duration) time.Duration { return sent + e.timeout - e.timeout/4 }

// writeOne runs one statement in a transaction of its own.
func (e *Engine) writeOne(ctx context.Context, query string, args ...any) error {
	return e.store.WriteTx(ctx, func(tx *sql.Tx) error {
		_, err := e.exec(ctx, tx, query, args...)
		return err
	})
}

// sweep gives silent nodes up, charges every hold without a node in full, and
// folds the leases of nodes that are no more. Deleting the node's row fences
// it: none of its rounds stands any more, and what it settles later only
// corrects downwards, or is late.
func (e *Engine) sweep(ctx context.Context) error {
	if e.dialect == postgres {
		err := e.writeOne(ctx, "DELETE FROM nodes WHERE seen_at < clock_timestamp() - make_interval(secs => $1)", e.timeout.Seconds())
		if err != nil {
			return err
		}
	}
	var dead []string
	err := e.query(ctx, e.db, `SELECT h.node_id FROM holds h WHERE NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = h.node_id)
		UNION SELECT l.node_id FROM budget_leases l WHERE NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = l.node_id)`, nil, func(r *sql.Rows) error {
		var node string
		err := r.Scan(&node)
		dead = append(dead, node)
		return err
	})
	if err != nil {
		return err
	}
	for _, node := range dead {
		if err := e.bury(ctx, node); err != nil {
			return err
		}
	}
	return nil
}

// bury charges what a dead node still holds, and folds its leases.
func (e *Engine) bury(ctx context.Context, node string) error {
	for {
		var ops []*op
		err := e.query(ctx, e.db, "SELECT id FROM holds WHERE node_id = $1 ORDER BY id LIMIT 100", []any{node}, func(r *sql.Rows) error {
			h := &Hold{}
			ops = append(ops, &op{do: doubt, hold: h, at: e.now()})
			return r.Scan(&h.ID)
		})
		if err != nil {
			return err
		}
		if len(ops) == 0 {
			return e.store.WriteTx(ctx, func(tx *sql.Tx) error { return e.foldNode(ctx, tx, node) })
		}
		if err := e.amend(ctx, ops); err != nil {
			return err
		}
		e.log.Warn("holds of a dead node were charged in full", "node", node, "count", len(ops))
	}
}

// foldNode ends the leases of a dead node: what was spent stays, the rest is
// free again.
func (e *Engine) foldNode(ctx context.Context, tx *sql.Tx, node string) error {
	var ids []string
	err := e.query(ctx, tx, "SELECT cycle_id FROM budget_leases WHERE node_id = $1", []any{node}, func(r *sql.Rows) error {
		var k string
		err := r.Scan(&k)
		ids = append(ids, k)
		return err
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	cycles, err := e.lockCycles(ctx, tx, ids)
	if err != nil {
		return err
	}
	err = e.query(ctx, tx, "SELECT cycle_id, granted, spent, revision FROM budget_leases WHERE node_id = $1 ORDER BY cycle_id FOR UPDATE", []any{node},
		func(r *sql.Rows) error {
			var k string
			var o own
			if err := r.Scan(&k, &o.granted, &o.spent, &o.revision); err != nil {
				return err
			}
			if c := cycles[k]; c != nil {
				c.steps += o.revision
				c.escrow(o.back(), o.spent)
			}
			return nil
		})
	if err != nil {
		return err
	}
	if err := e.saveCycles(ctx, tx, cycles); err != nil {
		return err
	}
	_, err = e.exec(ctx, tx, "DELETE FROM budget_leases WHERE node_id = $1", node)
	return err
}

// back is what a lease's end gives back, below zero.
func (o own) back() money.Nano { return o.spent - o.granted }
