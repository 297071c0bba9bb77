package budget

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/alchemi/cockpit/internal/id"
)

// seen is the database's clock on PostgreSQL, where nodes compare with each
// other; on SQLite nobody does, and the argument is as good.
func (e *Engine) seen(argument string) string {
	if e.dialect == postgres {
		return "clock_timestamp()"
	}
	return argument
}

func (e *Engine) register(ctx context.Context) error {
	node := id.New(id.Node)
	err := e.writeOne(ctx, "INSERT INTO nodes (id, account_id, plane, started_at, seen_at) VALUES ($1, $2, 'PLATFORM', $3, "+e.seen("$3")+")",
		node, id.PlatformID, stamp(e.now()))
	if err == nil {
		e.mu.Lock()
		e.nodeID = node
		e.mu.Unlock()
	}
	return err
}

// writeOne runs one statement in a transaction of its own.
func (e *Engine) writeOne(ctx context.Context, query string, args ...any) error {
	return e.store.WriteTx(ctx, func(tx *sql.Tx) error {
		_, err := e.exec(ctx, tx, query, args...)
		return err
	})
}

// beat shows that this replica lives, looks for dead ones, and tries again
// what the database didn't take.
func (e *Engine) beat() {
	ticker := time.NewTicker(min(e.timeout/4, 5*time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-ticker.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), txTimeout)
		if e.dialect == postgres {
			if err := e.writeOne(ctx, "UPDATE nodes SET seen_at = clock_timestamp() WHERE id = $1", e.node()); err != nil {
				e.log.Warn("heartbeat failed", "error", err)
			} else if err := e.sweep(ctx); err != nil {
				e.log.Warn("looking for dead nodes failed", "error", err)
			}
		}
		cancel()
		e.tryAgain(context.Background())
	}
}

// sweep gives silent nodes up and charges every hold without a node in full.
// Deleting the node's row fences it: it can take no hold any more, and what
// it settles later only corrects downwards.
func (e *Engine) sweep(ctx context.Context) error {
	if e.dialect == postgres {
		err := e.writeOne(ctx, "DELETE FROM nodes WHERE seen_at < clock_timestamp() - make_interval(secs => $1)", e.timeout.Seconds())
		if err != nil {
			return err
		}
	}
	for {
		var ops []*op
		err := e.query(ctx, e.db, "SELECT h.id FROM holds h WHERE NOT EXISTS (SELECT 1 FROM nodes n WHERE n.id = h.node_id) LIMIT 100", nil, func(r *sql.Rows) error {
			h := &Hold{}
			ops = append(ops, &op{do: doubt, hold: h})
			return r.Scan(&h.ID)
		})
		if err != nil || len(ops) == 0 {
			return err
		}
		e.apply(ctx, ops)
		for _, o := range ops {
			if o.err != nil {
				return o.err
			}
		}
		e.log.Warn("holds of a dead node were charged in full", "count", len(ops))
	}
}

// retryLater keeps an op that the database didn't take; beat tries it again.
func (e *Engine) retryLater(o *op) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.later = append(e.later, o)
}

func (e *Engine) tryAgain(ctx context.Context) {
	e.mu.Lock()
	ops := e.later
	e.later = nil
	e.mu.Unlock()
	for part := range slices.Chunk(ops, maxBatch) {
		e.apply(ctx, part)
		for _, o := range part {
			if o.err != nil && !o.refused {
				e.log.Warn("a charge can't be written yet and is kept", "charge", o.id(), "error", o.err)
				e.retryLater(o)
			}
		}
	}
}
