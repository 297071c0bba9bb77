package budget

import (
	"context"
	"errors"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
)

// waiter is a hold that memory couldn't admit: its budgets aren't known yet,
// or what is leased of them isn't enough.
type waiter struct {
	hold *Hold
	// until is when it is refused although what is missing might come back.
	until time.Duration
	left  bool // nobody waits any more
	done  chan error
}

const recallWait = 250 * time.Millisecond

// admit reserves a hold from memory, or waits for the round that can.
func (e *Engine) admit(ctx context.Context, h *Hold) error {
	n := e.node
	now, at := e.now(), e.elapsed()
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return errClosed
	}
	if p := n.paths[keyOf(&h.Call)]; p != nil && e.admits(at) && p.stands(now) && p.take(h.Amount, at) {
		n.hold(h, p, now)
		scarce := p.scarce()
		n.mu.Unlock()
		if scarce {
			e.rush()
		} else {
			e.nudge()
		}
		return nil
	}
	w := &waiter{hold: h, until: at + recallWait, done: make(chan error, 1)}
	n.waiting = append(n.waiting, w)
	n.queued++
	n.mu.Unlock()
	e.rush()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case err := <-w.done: // answered at this very moment
		return err
	default:
		w.left = true
		return ctx.Err()
	}
}

func keyOf(c *Call) pathKey { return pathKey{string(c.Plane), c.Path, c.AgentID} }

// admits tells whether this replica may still admit: before the others may
// take its leases, it stops. On SQLite there are no others.
func (e *Engine) admits(at time.Duration) bool { return e.dialect != postgres || at < e.node.until }

// hold queues an admitted hold for the next round.
func (n *node) hold(h *Hold, p *path, now time.Time) {
	h.nodeID, h.path, h.cycles, h.HeldAt, h.failed = n.id, p, p.cycles, stamp(now), nil
	n.fresh = append(n.fresh, h)
	n.queued++
	h.queued = n.queued
	n.touch(p.slices...)
}

func (n *node) touch(slices ...*slice) {
	for _, s := range slices {
		if !s.dirty {
			s.dirty = true
			n.dirty = append(n.dirty, s)
		}
	}
}

// finish queues the end of a hold. It waits for the round where the journal
// doesn't vouch for it, or where only the round can tell what is charged.
func (e *Engine) finish(o *op) (Receipt, error) {
	n, h := e.node, o.hold
	o.at = e.now()
	safe := false
	if h != nil {
		o.price()
	}
	if h != nil && e.journal != nil {
		err := e.journal.end(o)
		if safe = err == nil; !safe {
			e.log.Error("the journal can't be written, so a charge waits for the database", "charge", h.ID, "error", err)
		}
	}
	n.mu.Lock()
	if h != nil && h.abandoned { // given back by its round
		n.mu.Unlock()
		return Receipt{}, nil
	}
	if h != nil && h.nodeID == n.id {
		n.end(o)
		safe = safe && !o.scant
	} else {
		n.amends = append(n.amends, o)
		safe = false
	}
	n.queued++
	o.queued = n.queued
	full := len(n.ended) > maxUnwritten
	receipt := o.receipt
	n.mu.Unlock()
	if safe && !full {
		e.nudge()
		return receipt, nil
	}
	return e.awaitOp(o)
}

// maxUnwritten bounds what memory keeps of charges that wait for the database;
// beyond, whoever ends a hold waits for a round.
const maxUnwritten = 20_000

// end books a hold's end on the slices of its path, where it counts as held
// until a round has written it.
func (n *node) end(o *op) {
	h := o.hold
	h.ending = true
	if extra := o.extra(); extra > 0 && o.parts == nil {
		o.parts = make([]money.Nano, len(h.path.slices))
		for i, s := range h.path.slices {
			if s.gone {
				continue
			}
			o.parts[i] = min(extra, max(0, s.free()))
			o.scant = o.scant || o.parts[i] < extra
			s.held += o.parts[i]
		}
	}
	for i, s := range h.path.slices {
		s.endedHeld += h.Amount + o.part(i)
		s.endedSpent += o.amount
	}
	n.ended = append(n.ended, o)
	n.touch(h.path.slices...)
}

// nudge lets the next round begin soon, rush at once.
func (e *Engine) nudge() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

func (e *Engine) rush() {
	select {
	case e.hurry <- struct{}{}:
	default:
	}
	e.nudge()
}

// errUnwritten: the round that should have written a hold didn't get to it.
var errUnwritten = errors.New("budget: the call isn't in the database")

// await returns once a round has ended that had all up to queued in it.
func (e *Engine) await(queued uint64) {
	e.rush()
	for n := e.node; n.tried < queued && !n.over; {
		n.told.Wait()
	}
}

func (e *Engine) awaitHold(h *Hold) error {
	n := e.node
	n.mu.Lock()
	defer n.mu.Unlock()
	e.await(h.queued)
	switch {
	case h.failed != nil:
		return h.failed
	case h.written:
		return nil
	case n.over:
		return errClosed
	}
	return errUnwritten
}

func (e *Engine) awaitOp(o *op) (Receipt, error) {
	n := e.node
	n.mu.Lock()
	defer n.mu.Unlock()
	e.await(o.queued)
	if !o.done && o.err == nil {
		o.err = errClosed
	}
	return o.receipt, o.err
}

// flushed waits for what this replica hasn't written yet, so that readers see
// what was held and settled before. Where nothing waits it costs nothing.
func (e *Engine) flushed() {
	if !e.started {
		return
	}
	n := e.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tried < n.queued {
		e.await(n.queued)
	}
}

// refusal is nil while a waiting hold may still be admitted.
func (e *Engine) refusal(w *waiter, p *path, at time.Duration) error {
	h := w.hold
	if p.barred {
		return fault.New(fault.BudgetExceeded, "No credits were allocated on the way to this member, and Copilot calls need them. Ask an admin to allocate some.")
	}
	if s := p.frozen; s != nil {
		return &Frozen{Room: s.room(), At: *s.of.frozenAt, Reason: s.of.freezeReason}
	}
	if r := p.tightest(&h.Amount); r != nil {
		return &Exceeded{Room: *r, Needed: h.Amount}
	}
	if at < w.until {
		return nil
	}
	for _, s := range p.slices {
		// Leased to others, who didn't give it back in time. What nobody has leased
		// comes with the next round.
		if left := s.free() + max(0, s.pool); !s.has(h.Amount) && left < h.Amount {
			r := s.room()
			r.Held, r.Available = r.Held+r.Available-left, left
			return &Exceeded{Room: r, Needed: h.Amount}
		}
	}
	return nil
}
