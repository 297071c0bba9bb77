package budget

import (
	"time"

	"github.com/alchemi/cockpit/internal/tenancy"
)

// book brings memory to where the database is once a round stands, and answers
// those who wait. It returns whether some wait on.
func (r *round) book() (again bool) {
	n := r.node
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seq, n.until = r.seq, r.lasts(r.sent)
	for k, w := range r.writes {
		if s := n.bookLease(k, w); s != nil && s.closed && s.free() > 0 {
			again = true
		}
	}
	for _, k := range r.lost {
		n.drop(k) // its paths are read anew, and lead to the cycle that is open
	}
	for _, h := range r.fresh {
		switch err := r.taken[h]; {
		case err != nil:
			h.failed, h.abandoned = err, true
			if !h.ending { // else its end gives it back
				n.abandon(h)
			}
		default:
			h.written, h.failed = true, nil
		}
	}
	over := make([]string, len(r.ended))
	for i, o := range r.ended {
		o.done, o.err = true, nil
		over[i] = o.hold.ID
	}
	if r.journal != nil {
		r.journal.drop(over)
	}
	r.bookPaths()
	return r.answer() || r.rest || again
}

// abandon gives up a hold whose client's key is another call's, or whose session
// has nothing left.
func (n *node) abandon(h *Hold) {
	for _, s := range h.path.slices {
		s.held -= h.Amount
	}
	n.touch(h.path.slices...)
	n.queued++
}

func (n *node) bookLease(cycleID string, w *leaseWrite) *slice {
	s := w.slice
	if s == nil {
		if w.of == nil || w.gone {
			return nil
		}
		if s = n.slices[cycleID]; s == nil {
			s = &slice{of: w.of}
			n.slices[cycleID] = s
		}
	}
	s.held -= w.endedHeld
	s.spent += w.endedSpent
	s.endedHeld -= w.endedHeld
	s.endedSpent -= w.endedSpent
	if w.gone {
		n.drop(cycleID)
		s.gone = true
		return nil
	}
	s.granted += w.got
	s.closed = s.closed || w.over
	if w.over {
		n.touch(s) // what comes free goes back
	}
	s.leased = s.leased || w.got > 0
	if w.read {
		s.of, s.pool = w.of, w.pool
		if w.got > 0 {
			s.low, s.last = w.got/2, w.got
		}
	}
	s.wanted = false
	if s.pool < 2*s.last {
		s.low = 0 // near the limit nothing is fetched before it is needed
	}
	if w.fold {
		spent := *s.of
		spent.spent += s.spent
		s.of, s.granted, s.spent, s.leased = &spent, 0, 0, false
	}
	return s
}

// drop ends a slice: paths that it lies on are read anew.
func (n *node) drop(cycleID string) {
	if s := n.slices[cycleID]; s != nil {
		s.gone = true
		delete(n.slices, cycleID)
	}
}

// bookPaths keeps the paths that the round has read, unless their account's
// budgets have changed since.
func (r *round) bookPaths() {
	n := r.node
	for k, list := range r.found {
		if n.changes[accountOf(k.path)] != r.changes[accountOf(k.path)] {
			delete(r.found, k)
			continue
		}
		// An agent's budget is a cap and pays for nobody.
		p := &path{cycles: []string{}, ends: never, strict: r.strict[accountOf(k.path)], barred: k.plane == string(tenancy.Copilot)}
		for _, b := range list {
			p.barred = p.barred && b.scopeKind == tenancy.KindAgent
			s := n.slices[b.id]
			if s == nil {
				s = &slice{of: b}
				n.slices[b.id] = s
			} else {
				fresh := *b
				fresh.spent, fresh.held = s.of.spent, s.of.held // of others alone
				s.of = &fresh
			}
			if b.endsAt.Before(p.ends) {
				p.ends = b.endsAt
			}
			if b.frozenAt != nil {
				p.frozen = s
			}
			p.slices = append(p.slices, s)
			p.cycles = append(p.cycles, b.id)
		}
		n.keep(k, p)
	}
}

// answer admits or refuses those who wait, in their order; some wait on for
// what others give back.
func (r *round) answer() (again bool) {
	n := r.node
	at, now := r.elapsed(), r.Engine.now()
	for _, w := range r.waiting {
		if w.left {
			continue
		}
		p := n.paths[keyOf(&w.hold.Call)]
		if p == nil || !p.stands(now) {
			n.waiting, again = append(n.waiting, w), true
			continue
		}
		if r.admits(at) && p.take(w.hold.Amount, at) {
			n.hold(w.hold, p, now)
			w.done <- nil
			continue
		}
		if err := r.refusal(w, p, at); err != nil {
			w.done <- err
			continue
		}
		n.waiting = append(n.waiting, w)
	}
	if len(n.waiting) > 0 {
		time.AfterFunc(askAgain, r.rush)
	}
	return again
}

// askAgain is how soon a round looks for what was recalled.
const askAgain = 20 * time.Millisecond
