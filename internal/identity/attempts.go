package identity

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"golang.org/x/time/rate"
)

// Attempts bounds how often something is tried, such as a sign-in. It is in
// memory: each replica counts for itself.
type Attempts struct {
	now func() time.Time

	mu       sync.Mutex
	limiters *expirable.LRU[string, *rate.Limiter]
}

// Allowance is how often a minute, and at once, something may be tried by
// whoever the name stands for.
type Allowance struct {
	Of        string
	PerMinute int
}

// NewAttempts counts by a clock.
func NewAttempts(now func() time.Time) *Attempts {
	return &Attempts{now: now, limiters: expirable.NewLRU[string, *rate.Limiter](10_000, nil, time.Hour)}
}

// Take takes one attempt of each allowance, or of none and tells how long to
// wait. Attempts are taken before anything is looked at, so that many at once
// don't slip through; giving them back when all was right slows guessing alone.
func (a *Attempts) Take(of ...Allowance) (giveBack func(), wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	var taken []*rate.Reservation
	giveBack = func() {
		for _, r := range taken {
			r.CancelAt(now)
		}
	}
	for _, one := range of {
		l, ok := a.limiters.Get(one.Of)
		if !ok {
			l = rate.NewLimiter(rate.Every(time.Minute/time.Duration(one.PerMinute)), one.PerMinute)
			a.limiters.Add(one.Of, l)
		}
		r := l.ReserveN(now, 1)
		taken = append(taken, r)
		if wait = r.DelayFrom(now); wait > 0 {
			giveBack()
			return func() {}, wait
		}
	}
	return giveBack, 0
}
