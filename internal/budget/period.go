package budget

import "time"

// start is the last boundary up to and including t; t itself for a manual rule,
// which has none.
func (r rule) start(t time.Time) time.Time {
	step := r.step()
	if step == 0 {
		return t
	}
	local := t.In(r.zone)
	month := local.Month() - (local.Month()-1)%step
	for {
		b := midnight(local.Year(), month, r.day, r.zone)
		if !b.After(t) {
			return b.UTC()
		}
		month -= step
	}
}

// shortest is the length below which a cycle is joined with the one after it.
const shortest = 48 * time.Hour

// following is where a cycle that begins at start ends: at the next boundary, or
// at the one after it where a changed time zone has brought that one so near
// that a cycle of a few hours would come of it.
func (r rule) following(start time.Time) time.Time {
	end := r.end(start)
	if end.Sub(start) < shortest {
		end = r.end(end)
	}
	return end
}

// goesByPool tells whether the budget's cycles are the plane pool's.
func (s *standing) goesByPool() bool { return !s.scopeKind.Leaf() || s.own == nil }

// period is the one that a new budget's first cycle covers: the pool's current
// one for whoever goes by the pool, else the one of its own rule.
func (s *standing) period(pool *standing, now time.Time) (from, to time.Time) {
	if pool != nil && pool.id != "" && s.goesByPool() {
		return pool.startsAt, pool.endsAt
	}
	r := s.rule(pool)
	return r.start(now), r.end(now)
}
