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
	minute map[string]*repeated
	closed bool
	queue  chan Event
	done   chan struct{}
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
)

// NewRefusals starts the writer; Close ends it after what is queued.
func NewRefusals(write func(ctx context.Context, e Event) error, now func() time.Time, log *slog.Logger) *Refusals {
	r := &Refusals{write: write, now: now, log: log, minute: map[string]*repeated{},
		queue: make(chan Event, refusalQueue), done: make(chan struct{})}
	go r.run()
	return r
}

// Record takes a refusal; it never blocks, and does nothing after Close. Beyond the queue's 1,024 events the
// newest are dropped and logged.
func (r *Refusals) Record(ctx context.Context, e Event) {
	if e.Actor == nil {
		a := ActorFrom(ctx)
		e.Actor = &a
	}
	key := e.Actor.ID + "|" + e.Action + "|" + e.Reason + "|" + e.TargetID + e.TargetName
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	if len(r.minute) >= manySubjects {
		// Too many different subjects at once: they are counted together.
		key, e.TargetID, e.TargetName = e.Action+"|"+e.Reason, "", "many"
		e.Actor = &Actor{Kind: e.Actor.Kind, Name: "Many"}
	}
	if seen := r.minute[key]; seen != nil {
		seen.more++
		return
	}
	r.minute[key] = &repeated{event: e, since: r.now()}
	r.push(e)
}

// push needs the lock; it returns false where the queue is full.
func (r *Refusals) push(e Event) bool {
	select {
	case r.queue <- e:
		return true
	default:
		r.log.Warn("a refusal was not recorded: too many at once", "action", e.Action)
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
