package budget

import (
	"context"
	"database/sql"
	"errors"
)

var errRollback = errors.New("budget: only tried")

// bad are the ends among some whose lines the database refuses by themselves:
// they must not hold up the others.
func (e *Engine) bad(ctx context.Context, ended []*op) map[*op]error {
	if len(ended) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	var bad map[*op]error
	err := e.store.WriteTx(ctx, func(tx *sql.Tx) error {
		bad = map[*op]error{}
		for _, o := range ended {
			if _, err := e.exec(ctx, tx, "SAVEPOINT one"); err != nil {
				return err
			}
			if err := e.insertCharges(ctx, tx, o.lines); err != nil {
				bad[o] = err
			}
			if _, err := e.exec(ctx, tx, "ROLLBACK TO SAVEPOINT one"); err != nil {
				return err
			}
		}
		return errRollback
	})
	if !errors.Is(err, errRollback) {
		return nil // the database is away: none is worse than the others
	}
	return bad
}

// setAside keeps ends that the database refuses: their calls go on holding.
func (n *node) setAside(bad map[*op]error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for o, err := range bad {
		o.err = err
		n.aside = append(n.aside, o)
		for i, s := range o.hold.path.slices {
			s.endedHeld -= o.hold.Amount + o.part(i)
			s.endedSpent -= o.amount
			s.held -= o.part(i)
		}
		o.parts, o.scant = nil, false
		n.touch(o.hold.path.slices...)
	}
}

// retryAside tries again what was set aside.
func (e *Engine) retryAside(ctx context.Context) {
	n := e.node
	n.mu.Lock()
	aside := n.aside
	n.mu.Unlock()
	if len(aside) == 0 {
		return
	}
	bad := e.bad(ctx, aside)
	if bad == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var still []*op
	for _, o := range n.aside {
		if err := bad[o]; err != nil {
			e.log.Warn("a charge can't be written yet and is kept", "charge", o.id(), "error", err)
			still = append(still, o)
			continue
		}
		n.queued++
		o.queued = n.queued
		n.end(o)
	}
	n.aside = still
	e.nudge()
}
