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
	queue  chan Event
	done   chan struct{}
}

type repeated struct {
	event Event
	since time.Time
	more  int
}

const refusalQueue = 1024

// NewRefusals starts the writer; Close ends it after what is queued.
func NewRefusals(write func(ctx context.Context, e Event) error, now func() time.Time, log *slog.Logger) *Refusals {
	r := &Refusals{write: write, now: now, log: log, minute: map[string]*repeated{},
		queue: make(chan Event, refusalQueue), done: make(chan struct{})}
	go r.run()
	return r
}

// Record takes a refusal; it never blocks. Beyond the queue's 1,024 events the
// newest are dropped and logged.
func (r *Refusals) Record(ctx context.Context, e Event) {
	if e.Actor == nil {
		a := ActorFrom(ctx)
		e.Actor = &a
	}
	key := e.Actor.ID + "|" + e.Action + "|" + e.Reason + "|" + e.TargetID + e.TargetName
	r.mu.Lock()
	defer r.mu.Unlock()
	if seen := r.minute[key]; seen != nil {
		seen.more++
		return
	}
	if len(r.minute) < 10*refusalQueue {
		r.minute[key] = &repeated{event: e, since: r.now()}
	}
	r.push(e)
}

// push needs the lock.
func (r *Refusals) push(e Event) {
	select {
	case r.queue <- e:
	default:
		r.log.Warn("a refusal was not recorded: too many at once", "action", e.Action)
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
			r.flush(time.Minute)
		}
	}
}

// flush writes the counted repeats of minutes that have passed.
func (r *Refusals) flush(after time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, seen := range r.minute {
		if r.now().Sub(seen.since) < after {
			continue
		}
		delete(r.minute, key)
		if seen.more > 0 {
			seen.event.Count = seen.more
			r.push(seen.event)
		}
	}
}

// Close writes what is queued and counted, then ends the writer.
func (r *Refusals) Close() {
	r.flush(0)
	r.mu.Lock()
	close(r.queue)
	r.mu.Unlock()
	<-r.done
}
