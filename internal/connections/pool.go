package connections

import (
	"context"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/internal/fault"
)

const (
	// maxSessions is how many sessions a replica keeps open.
	maxSessions = 256
	// maxIdle is how long a session stays open that nobody uses.
	maxIdle = 5 * time.Minute
	// partTime bounds the goodbye to a server.
	partTime = 5 * time.Second
)

// pool keeps the open sessions, one for each connection and credential.
type pool struct {
	mu     sync.Mutex
	open   map[string]*session
	closed bool
}

// session is a conversation with an MCP server that calls share.
type session struct {
	key, connectionID string
	// ready is closed once client or err is set.
	ready  chan struct{}
	client *mcp.ClientSession
	err    error
	// carrier is nil for a program on this machine.
	carrier *carrier
	end     func()

	// Under the pool's lock: how many use it, and when it was used last.
	users int
	used  time.Time

	looking sync.Mutex // one looks, the others wait for it
	mu      sync.Mutex
	listed  time.Time
	listing *listing
}

func newPool() *pool { return &pool{open: map[string]*session{}} }

// take gives the session of a key, dialled if there is none; done gives it back.
func (p *pool) take(ctx context.Context, key, connectionID string, now time.Time, dial func(*session) error) (s *session, done func(), err error) {
	p.mu.Lock()
	s = p.open[key]
	if s == nil {
		if err := p.room(now); err != nil {
			p.mu.Unlock()
			return nil, nil, err
		}
		s = &session{key: key, connectionID: connectionID, ready: make(chan struct{}), end: func() {}}
		p.open[key] = s
		go p.run(s, dial)
	}
	s.users++
	s.used = now
	p.mu.Unlock()
	done = func() {
		p.mu.Lock()
		s.users--
		p.mu.Unlock()
	}
	select {
	case <-s.ready:
	case <-ctx.Done():
		done()
		return nil, nil, ctx.Err()
	}
	if s.err != nil {
		done()
		return nil, nil, s.err
	}
	return s, done, nil
}

// run dials a session and waits for its end. It has the session for itself: take
// gives up its own when dialling fails.
func (p *pool) run(s *session, dial func(*session) error) {
	s.err = dial(s)
	if s.err != nil {
		p.forget(s)
	}
	close(s.ready)
	if s.err == nil {
		_ = s.client.Wait() // until it ends, whoever ends it
		p.forget(s)
		s.end()
	}
}

// room makes room for one more session, at the cost of the one that was unused
// for longest. It runs under the lock.
func (p *pool) room(now time.Time) error {
	if p.closed {
		return fault.New(fault.Unavailable, "The server is stopping. Try again in a few seconds.")
	}
	if len(p.open) < maxSessions {
		return nil
	}
	var oldest *session
	for _, s := range p.open {
		if s.users == 0 && (oldest == nil || s.used.Before(oldest.used)) {
			oldest = s
		}
	}
	if oldest == nil {
		return fault.New(fault.Unavailable, "Too many connections are in use at the moment. Try again in a few seconds.").With("at", now)
	}
	p.retire(oldest)
	return nil
}

// retire takes a session out and ends it. It runs under the lock.
func (p *pool) retire(s *session) {
	delete(p.open, s.key)
	go func() {
		<-s.ready
		if s.err == nil {
			s.end()
		}
	}()
}

func (p *pool) forget(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[s.key] == s {
		delete(p.open, s.key)
	}
}

// drop ends the sessions of a connection, with the calls that run on them.
func (p *pool) drop(connectionID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.open {
		if s.connectionID == connectionID {
			p.retire(s)
		}
	}
}

// sweep ends sessions that nobody has used for a while.
func (p *pool) sweep(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.open {
		if s.users == 0 && now.Sub(s.used) >= maxIdle {
			p.retire(s)
		}
	}
}

// close ends all sessions and waits for them.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	all := make([]*session, 0, len(p.open))
	for _, s := range p.open {
		all = append(all, s)
	}
	clear(p.open)
	p.mu.Unlock()
	var ending sync.WaitGroup
	for _, s := range all {
		ending.Go(func() {
			<-s.ready
			if s.err == nil {
				s.end()
			}
		})
	}
	ending.Wait()
}
