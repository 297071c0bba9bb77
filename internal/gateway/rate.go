package gateway

import (
	"sync"
	"time"
)

// rates counts each key's requests by the minute, on this replica.
type rates struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[string]*minute
}

type minute struct {
	ends time.Time
	used int
}

// rate is where a key stands in its minute.
type rate struct {
	limit, left int
	// resets is how long until the minute ends.
	resets time.Duration
}

// manyKeys is when minutes that ended are swept out.
const manyKeys = 10_000

// take counts one request of a key that may make limit a minute (above 0);
// false when it has made them.
func (r *rates) take(keyID string, limit int) (rate, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	m := r.of[keyID]
	if m == nil || !now.Before(m.ends) {
		r.sweep(now)
		m = &minute{ends: now.Add(time.Minute)}
		r.of[keyID] = m
	}
	granted := m.used < limit
	if granted {
		m.used++
	}
	return rate{limit: limit, left: max(limit-m.used, 0), resets: m.ends.Sub(now)}, granted
}

func (r *rates) sweep(now time.Time) {
	if len(r.of) < manyKeys {
		return
	}
	for k, m := range r.of {
		if !now.Before(m.ends) {
			delete(r.of, k)
		}
	}
}

// Take counts a request of a key that isn't a model call, against the same
// requests per minute; where the key has made them it tells how long to wait.
func (g *Gateway) Take(keyID string, limit int) (wait time.Duration, granted bool) {
	at, granted := g.rates.take(keyID, limit)
	return at.resets, granted
}
