package budget

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/alchemi/cockpit/internal/money"
)

// errFenced: others have given this node up, and deleted its row.
var errFenced = errors.New("budget: this node was given up for dead")

// round is all that this replica writes at once, in one transaction: charges
// and ends of holds, new holds, what its leases have spent and hold, what it
// gives back and what it needs more. It is numbered, so that it stands once.
type round struct {
	*Engine
	nodeID string
	seq    int64
	queued uint64
	sent   time.Duration
	now    time.Time

	fresh   []*Hold
	ended   []*op
	waiting []*waiter
	writes  map[string]*leaseWrite // by cycle

	// Found or decided in the transaction:
	found   map[pathKey][]*standing
	strict  map[string]bool  // accounts of found paths whose calls wait for the database
	changes map[string]int64 // as they stood before the paths were read
	own     map[string]own   // by cycle
	lost    []string         // cycles that calls want, and that have closed
	rest    bool             // more wait than one round takes
	taken   map[*Hold]error  // whose idempotency key is another call's
}

// leaseWrite is what a round does to one lease.
type leaseWrite struct {
	slice *slice // nil until the lease is had
	// of is the cycle as the round read it, without this replica's counters.
	of *standing
	// counters to be written, if the slice has moved.
	moved       bool
	spent, held money.Nano
	// Of the slice's ended sums, what this round writes.
	endedHeld, endedSpent money.Nano
	// give goes back, all of it at fold.
	give money.Nano
	fold bool
	// answered tells that it was called back, yielding that others wait for it.
	answered, yielding bool
	// closed tells that it was given back for there is less than is leased, over
	// that there still is.
	closed, over bool
	// got comes to it.
	got money.Nano
	// dropped are holds of a key that another call has.
	dropped money.Nano
	// pool is what no replica has leased, once read.
	pool money.Nano
	read bool
	gone bool // the cycle was removed
}

func (w *leaseWrite) budget() *standing {
	if w.slice != nil {
		return w.slice.of
	}
	return w.of
}

// own is the row of this replica's lease, locked.
type own struct {
	granted, spent, held money.Nano
	revision             int64
	changed              bool
}

const maxWaiting = 256

// capture takes what waits to be written off the node.
func (e *Engine) capture() *round {
	n := e.node
	n.mu.Lock()
	defer n.mu.Unlock()
	r := &round{Engine: e, nodeID: n.id, seq: n.seq + 1, queued: n.queued, sent: e.elapsed(), now: stamp(e.now()), writes: map[string]*leaseWrite{}}
	r.fresh, n.fresh = n.fresh, nil
	r.ended, n.ended = n.ended, nil
	r.waiting = slices.DeleteFunc(n.waiting, func(w *waiter) bool { return w.left })
	if n.waiting = nil; len(r.waiting) > maxWaiting {
		n.waiting, r.waiting, r.rest = r.waiting[maxWaiting:], r.waiting[:maxWaiting:maxWaiting], true
	}
	if n.closing {
		n.touch(slices.Collect(maps.Values(n.slices))...)
	}
	for _, s := range n.dirty {
		s.dirty = false
		if s.gone {
			continue
		}
		w := &leaseWrite{slice: s, moved: true, endedHeld: s.endedHeld, endedSpent: s.endedSpent}
		w.spent, w.held = s.spent+s.endedSpent, s.held-s.endedHeld
		over := !r.now.Before(s.of.endsAt)
		w.answered, w.yielding, w.closed = s.recalled || s.closed, s.recalled && !s.closed, s.closed
		if s.recalled || s.closed || s.idle || over || n.closing {
			w.give = max(0, s.free())
			s.granted -= w.give
			w.fold = s.leased && w.held == 0
			s.recalled, s.closed, s.idle, s.low, s.last = false, false, false, 0, 0
		}
		r.writes[s.of.id] = w
	}
	n.dirty = nil
	return r
}

// attempt sends a round and books what became of it. It returns whether there
// is more to do at once.
func (e *Engine) attempt(ctx context.Context) (again bool) {
	if err := e.settleUnsure(ctx); err != nil {
		e.node.refuse(err)
		return false
	}
	r := e.capture()
	err := e.send(ctx, r)
	if err != nil && !errors.Is(err, errFenced) {
		applied, unknown := e.applied(ctx, r)
		switch {
		case unknown != nil:
			e.node.doubtRound(r, err)
			return false
		case applied:
			err = nil
		}
	}
	switch {
	case err == nil:
		return r.book()
	case errors.Is(err, errFenced):
		e.log.Warn("this node was given up for dead and registers anew", "node", r.nodeID)
		if err := e.register(ctx, r); err != nil {
			r.fail(err)
			return false
		}
		return true
	}
	if bad := e.bad(ctx, r.ended); len(bad) > 0 {
		r.ended = slices.DeleteFunc(r.ended, func(o *op) bool { return bad[o] != nil })
		r.fail(nil)
		e.node.setAside(bad)
		return true
	}
	r.fail(err)
	return false
}

func (e *Engine) send(ctx context.Context, r *round) error {
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	return e.store.WriteTx(ctx, func(tx *sql.Tx) error { return r.write(ctx, tx) })
}

// applied asks whether a round stands whose answer was lost. A transaction
// that is still on its way holds the node's row, so the question waits for it.
func (e *Engine) applied(ctx context.Context, r *round) (applied bool, unknown error) {
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	seq := r.seq - 1
	err := e.store.WriteTx(ctx, func(tx *sql.Tx) error {
		return e.query(ctx, tx, "SELECT seq FROM nodes WHERE id = $1 FOR NO KEY UPDATE", []any{r.nodeID}, scanInto(&seq))
	})
	return seq == r.seq, err
}

// settleUnsure finds out what became of a round whose answer was lost.
func (e *Engine) settleUnsure(ctx context.Context) error {
	r := e.node.unsure
	if r == nil {
		return nil
	}
	applied, err := e.applied(ctx, r)
	if err != nil {
		return err
	}
	e.node.unsure = nil
	if applied {
		r.book()
	} else {
		r.fail(nil)
	}
	return nil
}

// doubtRound keeps a round until the database tells whether it stands.
func (n *node) doubtRound(r *round, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.unsure = r
	refuse(err, r.fresh, r.ended, r.waiting)
	r.waiting = nil
}

// refuse tells those who wait for a round that can't begin.
func (n *node) refuse(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	refuse(err, n.fresh, n.ended, n.waiting)
	n.waiting = nil
}

// refuse tells those who wait that the database is away. Waiting holds are
// given up; what was admitted or has ended is kept.
func refuse(err error, fresh []*Hold, ended []*op, waiting []*waiter) {
	for _, h := range fresh {
		h.failed = err
	}
	for _, o := range ended {
		o.err = err
	}
	for _, w := range waiting {
		w.done <- err
	}
}

// fail puts back what was not written.
func (r *round) fail(err error) {
	n := r.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		refuse(err, r.fresh, r.ended, r.waiting)
		r.waiting = nil
	}
	n.fresh = append(r.fresh, n.fresh...)
	n.ended = append(r.ended, n.ended...)
	n.waiting = append(r.waiting, n.waiting...)
	for _, w := range r.writes {
		if w.slice == nil {
			continue
		}
		w.slice.granted += w.give
		w.slice.closed = w.slice.closed || w.closed
		w.slice.recalled = w.slice.recalled || w.yielding
		n.touch(w.slice)
	}
}

// outlaw ends the leases of a node that was given up: others charge what it
// held. What has ended meanwhile corrects them. It needs the lock.
func (r *round) outlaw() {
	n := r.node
	for _, s := range n.slices {
		s.gone = true
	}
	clear(n.slices)
	clear(n.paths)
	n.dirty = nil
	for _, h := range append(r.fresh, n.fresh...) {
		h.failed = errFenced
	}
	n.fresh = nil
	n.amends = append(append(n.amends, r.ended...), n.ended...)
	n.amends = append(n.amends, n.aside...)
	n.ended, n.aside = nil, nil
	n.waiting = append(r.waiting, n.waiting...)
}
