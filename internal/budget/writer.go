package budget

import (
	"context"
	"time"
)

const (
	// gather is how long a round waits for company when nobody waits for it.
	gather = 15 * time.Millisecond
	// look is how often a replica looks for leases that others want.
	look = 50 * time.Millisecond
)

// write runs round after round, as long as there is something to write.
func (e *Engine) write() {
	ctx := context.Background()
	looking := time.NewTicker(look)
	defer looking.Stop()
	if e.dialect != postgres {
		looking.Stop()
	}
	for {
		select {
		case <-e.stop:
			return
		case <-looking.C:
			e.lookAround(ctx)
		case <-e.kick:
			soon := time.NewTimer(gather)
			select {
			case <-e.hurry:
			case <-soon.C:
			case <-e.stop:
				soon.Stop()
				return // Close runs the last one
			}
			soon.Stop()
			e.round(ctx)
		}
	}
}

// round writes what waits, and then tells everybody who waits for it.
func (e *Engine) round(ctx context.Context) {
	n := e.node
	n.mu.Lock()
	upto := n.queued
	n.mu.Unlock()
	for e.attempt(ctx) {
	}
	e.amendQueued(ctx)
	n.mu.Lock()
	n.tried = max(n.tried, upto)
	n.told.Broadcast()
	n.mu.Unlock()
	e.checkpoint()
	e.burn.nudge()
}

func (e *Engine) lookAround(ctx context.Context) {
	n := e.node
	n.mu.Lock()
	leases := len(n.slices)
	n.mu.Unlock()
	if leases == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	if err := e.recalled(ctx); err != nil {
		e.log.Warn("looking for recalled leases failed", "error", err)
	}
}

// lastRound writes what is left and gives every lease back. Holds that wait
// are refused.
func (e *Engine) lastRound(ctx context.Context) error {
	n := e.node
	n.mu.Lock()
	n.closing = true
	for _, w := range n.waiting {
		w.done <- errClosed
	}
	n.waiting = nil
	n.mu.Unlock()
	e.round(ctx)
	e.retryAside(ctx)
	e.round(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.over = true
	n.told.Broadcast()
	if left := len(n.ended) + len(n.amends) + len(n.aside); left > 0 || n.unsure != nil {
		e.log.Error("charges could not be written", "count", left, "journal", e.dir)
	}
	return nil
}

// pruneEvery is how often idempotency keys that have expired are deleted.
const pruneEvery = 10 * time.Minute

// beat shows that this replica lives, looks for dead ones, and tries again
// what the database didn't take.
func (e *Engine) beat() {
	ticker := time.NewTicker(min(e.timeout/4, 5*time.Second))
	defer ticker.Stop()
	var pruned time.Duration
	for {
		select {
		case <-e.stop:
			return
		case <-ticker.C:
		}
		ctx := context.Background()
		if at := e.elapsed(); at-pruned > pruneEvery {
			pruned = at
			if err := e.pruneKeys(ctx); err != nil {
				e.log.Warn("deleting idempotency keys that have expired failed", "error", err)
			}
		}
		e.tidy()
		e.retryAside(ctx)
		if e.dialect == postgres {
			e.rush() // a round is the heartbeat
			if err := e.sweep(ctx); err != nil {
				e.log.Warn("looking for dead nodes failed", "error", err)
			}
		} else {
			e.nudge()
		}
	}
}

// tidy gives back leases of cycles that are over, and those that nobody has
// used for a while.
func (e *Engine) tidy() {
	n := e.node
	now, at := e.now(), e.elapsed()
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, s := range n.slices {
		over := !now.Before(s.of.endsAt)
		switch {
		case s.leased && s.held == 0 && (over || at-s.used > idleAfter):
			s.idle = true
			n.touch(s)
		case !s.leased && s.held == 0 && over:
			s.gone = true
			delete(n.slices, k)
		}
	}
}
