package audit

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Refusals writes refused and failed attempts without slowing the answer: the
// first at once, repeats within a minute as one counted row, so that nobody
// can flood the log.
type Refusals struct {
	write func(ctx context.Context, e Event) error
	now   func() time.Time
	log   *slog.Logger

	mu     sync.Mutex
	minute map[subject]*repeated
	by     map[Actor]int // entries of minute
	closed bool
	queue  chan Event
	done   chan struct{}
}

// subject is what repeats are told apart by: who tried, through what, in which
// account, on what, and which rule refused it.
type subject struct {
	account, action, reason, scope, target, name string
	actor                                        Actor
}

type repeated struct {
	event Event
	since time.Time
	more  int
}

const (
	refusalQueue = 1024
	// manySubjects are told apart within a minute.
	manySubjects = 10 * refusalQueue
	// manyOfOne somebody known is told apart by within a minute.
	manyOfOne = 100
)

// NewRefusals starts the writer; Close ends it after what is queued.
func NewRefusals(write func(ctx context.Context, e Event) error, now func() time.Time, log *slog.Logger) *Refusals {
	r := &Refusals{write: write, now: now, log: log, minute: map[subject]*repeated{}, by: map[Actor]int{},
		queue: make(chan Event, refusalQueue), done: make(chan struct{})}
	go r.run()
	return r
}

// Record takes a refusal; it never blocks, and does nothing after Close. Beyond the queue's 1,024 events
// they are counted, and written once there is room.
func (r *Refusals) Record(ctx context.Context, e Event) {
	if e.Actor == nil {
		a := ActorFrom(ctx)
		e.Actor = &a
	}
	e.requestID = RequestID(ctx)
	key := subject{account: e.AccountID, action: e.Action, reason: e.Reason, scope: e.ScopeID, target: e.TargetID, name: e.TargetName, actor: *e.Actor}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if r.minute[key] == nil && (len(r.minute) >= manySubjects || (key.actor.ID != "" && r.by[key.actor] >= manyOfOne)) {
		// Too many different subjects at once: they are counted together.
		e.TargetID, e.TargetName = "", "many"
		if len(r.minute) >= manySubjects {
			e.Actor = &Actor{Kind: e.Actor.Kind, Name: "Many"}
		}
		key = subject{account: e.AccountID, action: e.Action, name: e.TargetName, actor: *e.Actor}
	}
	if seen := r.minute[key]; seen != nil {
		seen.more++
		return
	}
	seen := &repeated{event: e, since: r.now()}
	r.minute[key] = seen
	r.by[key.actor]++
	if !r.push(e) {
		seen.more++ // counted until there is room
	}
}

// push needs the lock; it returns false where the queue is full.
func (r *Refusals) push(e Event) bool {
	select {
	case r.queue <- e:
		return true
	default:
		r.log.Warn("a refusal is recorded later: too many at once", "action", e.Action)
		return false
	}
}

func (r *Refusals) run() {
	defer close(r.done)
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case e, ok := <-r.queue:
			if !ok {
				return
			}
			if err := r.write(context.Background(), e); err != nil {
				r.log.Error("a refusal was not recorded", "action", e.Action, "cause", err)
			}
		case <-tick.C:
			r.mu.Lock()
			r.flush(time.Minute)
			r.mu.Unlock()
		}
	}
}

// flush writes the counted repeats of minutes that have passed. It needs the
// lock.
func (r *Refusals) flush(after time.Duration) {
	if r.closed {
		return
	}
	for key, seen := range r.minute {
		if r.now().Sub(seen.since) < after {
			continue
		}
		if seen.more > 0 {
			counted := seen.event
			counted.Count = seen.more
			if !r.push(counted) {
				continue // counted on, until there is room
			}
		}
		delete(r.minute, key)
		if r.by[key.actor]--; r.by[key.actor] == 0 {
			delete(r.by, key.actor)
		}
	}
}

// Close writes what is queued and counted, then ends the writer.
func (r *Refusals) Close() {
	r.mu.Lock()
	if !r.closed {
		r.flush(0)
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	<-r.done
}
