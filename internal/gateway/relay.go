package gateway

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
)

// relay passes a stream on, each event as it comes. A client that goes away
// doesn't end it: the rest is read for its usage, as long as Drain allows.
type relay struct {
	w      http.ResponseWriter
	client context.Context
	// hangUp ends the call upstream.
	hangUp     context.CancelFunc
	limits     Timeouts
	boundWrite func()
	meter      *meter
	// usage passes the usage event on, because the client asked for it.
	usage bool
	// durable returns once the call is safe; then its first byte may go out.
	durable func()
	// first is called when the first event has been passed on.
	first func()
	// stands asks whether the caller's key is still good.
	stands func() bool
	// why is what a caller is told who may have no more.
	why func() *fault.Error
	// guard looks at what is passed on; nil where nothing does.
	guard *streamGuard
	// hangUpClient ends the connection to the client.
	hangUpClient func()

	mu sync.Mutex
	// gone is set once nothing may be passed on any more.
	gone bool
}

// run relays until the answer ends. The terminal event is left to the caller,
// because the call is settled before its last byte.
func (r *relay) run(body io.Reader) ending {
	var stalled atomic.Bool
	idle := time.AfterFunc(r.limits.Idle, func() {
		stalled.Store(true)
		r.hangUp()
	})
	defer idle.Stop()
	stop := context.AfterFunc(r.client, func() { time.AfterFunc(r.limits.Drain, r.hangUp) })
	defer stop()
	for stream := newEvents(body); ; {
		e, err := stream.next()
		idle.Reset(r.limits.Idle)
		switch {
		case errors.Is(err, io.EOF) && r.meter.finished:
			r.rest()
			return complete
		case errors.Is(err, context.Canceled) && !stalled.Load():
			return left
		case err != nil:
			r.rest()
			return cut
		case e.done():
			r.rest()
			return complete
		}
		if len(e.data) > 0 && r.meter.read(e.data) && !r.usage {
			continue
		}
		if !r.left() && !r.stands() {
			r.revoke()
		}
		if r.guard == nil {
			r.pass(e.raw, !stream.ready())
		} else if !r.left() {
			r.passGuarded(r.guard.event(e.data))
		}
	}
}

// rest passes on what the guard still holds.
func (r *relay) rest() {
	if r.guard != nil && !r.left() {
		r.passGuarded(r.guard.end())
	}
}

// passGuarded writes what the guard lets out, and ends the stream where it
// refuses more.
func (r *relay) passGuarded(out []byte, refusal error) {
	if len(out) > 0 {
		r.pass(out, true)
	}
	if refusal != nil {
		r.refuse(fault.As(charged(refusal)))
	}
}

// left tells whether nothing more is passed on.
func (r *relay) left() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone
}

// revoke tells the client that its key is good no longer, and cuts it off.
func (r *relay) revoke() { r.refuse(nil) }

// refuse tells the client why there is no more, and cuts it off; nil stands for
// what the call itself says of that.
func (r *relay) refuse(e *fault.Error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		return
	}
	if e == nil {
		e = r.why()
	}
	_, body := errorBody(e)
	r.write([]byte("data: "+string(body)+"\n\n"), true)
	r.leave()
	r.hangUpClient()
}

// end stops the passing on; false when it had been stopped before.
func (r *relay) end() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.gone
	r.gone = true
	return !was
}

// leave ends the passing on; what is still to come is only read for its usage.
// It needs the lock.
func (r *relay) leave() {
	if !r.gone {
		r.gone = true
		time.AfterFunc(r.limits.Drain, r.hangUp)
	}
}

// pass writes to the client, if it is still there. Without flush the bytes may
// wait for the event that follows at once.
func (r *relay) pass(raw []byte, flush bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write(raw, flush)
}

// write needs the lock.
func (r *relay) write(raw []byte, flush bool) {
	if r.gone || r.client.Err() != nil {
		return
	}
	if r.first != nil {
		r.durable()
	}
	r.boundWrite()
	_, err := r.w.Write(raw)
	if err == nil && (flush || r.first != nil) {
		err = http.NewResponseController(r.w).Flush()
	}
	if r.first != nil {
		r.first()
		r.first = nil
	}
	if err != nil {
		r.leave()
	}
}

// ready tells whether a whole event waits in the buffer already.
func (s *events) ready() bool {
	waiting, _ := s.from.Peek(s.from.Buffered()) // never reads
	return bytes.Contains(waiting, []byte("\n\n")) || bytes.Contains(waiting, []byte("\r\n\r\n"))
}
