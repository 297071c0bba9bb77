package budget

import (
	"context"
	"database/sql"
	"time"

	"github.com/alchemi/cockpit/internal/tenancy"
)

// Crash ends the engine as a killed process would: nothing is written or given
// back, only the journal's file stays.
func (e *Engine) Crash() {
	n := e.node
	n.mu.Lock()
	n.closed, n.over = true, true
	n.told.Broadcast()
	n.mu.Unlock()
	close(e.stop)
	e.ending()
	e.tasks.Wait()
	if e.journal != nil {
		_ = e.journal.lock.Close()
	}
}

// Pass moves the engine's monotonic clock on.
func (e *Engine) Pass(d time.Duration) {
	e.node.mu.Lock()
	defer e.node.mu.Unlock()
	was := e.elapsed
	e.elapsed = func() time.Duration { return was() + d }
}

// Admits tells whether memory admits calls so much later.
func (e *Engine) Admits(later time.Duration) bool {
	e.node.mu.Lock()
	defer e.node.mu.Unlock()
	return e.admits(e.elapsed() + later)
}

// Learn has the engine know at once what other replicas changed of budgets.
func (e *Engine) Learn(accountID string) { e.node.forget(accountID) }

// Drained tells whether nothing can be charged to a cycle of the tree any more.
func (e *Engine) Drained(ctx context.Context, accountID string, plane tenancy.Plane, cycleID string) (bool, error) {
	busy, err := e.busy(ctx, e.db, place{accountID, plane})
	return !busy[cycleID], err
}

// ExplainOverflows is how the database reads what splits a line's overflow.
func (e *Engine) ExplainOverflows(ctx context.Context, explain, chargeID string) (plan string, err error) {
	spans, _, err := e.spans(ctx, e.db, []string{chargeID})
	if err != nil {
		return "", err
	}
	for _, s := range spans {
		query, p := s.newest()
		err := e.query(ctx, e.db, explain+query, p, func(r *sql.Rows) error {
			names, err := r.Columns()
			if err != nil {
				return err
			}
			var text string
			to := make([]any, len(names))
			for i := range to {
				to[i] = new(any)
			}
			to[len(to)-1] = &text
			err = r.Scan(to...)
			plan += text + "\n"
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return plan, nil
}

// Tidy gives back leases of cycles that are over.
func (e *Engine) Tidy() { e.tidy(); e.rush() }

// Sweep looks for dead replicas at once.
func (e *Engine) Sweep(ctx context.Context) error { return e.sweep(ctx) }

// Prune deletes idempotency keys that have expired.
func (e *Engine) Prune(ctx context.Context) error { return e.pruneKeys(ctx) }

// NodeID is the engine's node.
func (e *Engine) NodeID() string { return e.nodeID() }

// Heard calls f with the account's newest epoch, once the engine has learned of it.
func (e *Engine) Heard(accountID string, f func(epoch int64)) {
	e.epochs.OnChange(func(a string) {
		if a == accountID {
			f(e.epochs.Of(a))
		}
	})
}

// Behind tells whether something waits for a round, or for its end.
func (e *Engine) Behind() bool {
	e.node.mu.Lock()
	defer e.node.mu.Unlock()
	return e.node.tried < e.node.queued
}

// Strict tells whether the call waited for the database before it could go out.
func (h *Hold) Strict() bool { return h.path.strict }
