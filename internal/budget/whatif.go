package budget

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// whatIfDays of usage are what a what-if goes by.
const whatIfDays = 30

// maxWhatIfModels bounds the models that a what-if tells apart.
const maxWhatIfModels = 500

// WhatIf says what shall be different. The zero value changes nothing.
type WhatIf struct {
	// Users and UsersOf are how many there would be, of how many there are; zero
	// UsersOf leaves them.
	Users, UsersOf int64
	// Models have what each model's part would cost, beside what it did.
	Models []WhatIfPart
	// FactorPPM instead of FactorOf; zero leaves it.
	FactorPPM, FactorOf int64
	// Days ahead; zero goes to the end of the cycle.
	Days int
}

// WhatIfPart is a model's part of the spend.
type WhatIfPart struct {
	Was, Would money.Nano
}

// ratio is the spend that would be, of the spend that is.
func (w WhatIf) scale(o outlook) outlook {
	var was, would money.Nano
	for _, p := range w.Models {
		was, would = add(was, max(0, p.Was)), add(would, max(0, p.Would))
	}
	if was > 0 && was != would {
		o = o.times(uint64(would), uint64(was))
	}
	if w.UsersOf > 0 && w.Users != w.UsersOf {
		o = o.times(uint64(max(0, w.Users)), uint64(w.UsersOf))
	}
	if w.FactorOf > 0 && w.FactorPPM != w.FactorOf {
		o = o.times(uint64(max(0, w.FactorPPM)), uint64(w.FactorOf))
	}
	return o
}

// Course is where a burn leads to.
type Course struct {
	PerDay    money.Nano
	Forecast  money.Nano
	RunsOutAt *time.Time
	// Low and High are the ends of four of five courses.
	Low, High money.Nano
	// Series are running totals by day from what is spent on, at most maxCourse,
	// and their low and high ends.
	Series, SeriesLow, SeriesHigh []money.Nano
}

const maxCourse = 62

// Foresight is a scope's burn as it is, to be looked at under a what-if.
type Foresight struct {
	// Limit has the overflow; nil without a budget of its own.
	Limit *money.Nano
	// Models are what the last 30 days were made of, dearest first.
	Models []Sum
	// Users called within these days.
	Users int64

	burn        outlook
	spent       money.Nano
	now, endsAt time.Time
}

// Foresee reads what a what-if goes by: a scope's budget, its days, and its
// usage of the last 30 days. The path must lie inside reach.
func (e *Engine) Foresee(ctx context.Context, reach tenancy.Reach) (*Foresight, error) {
	now := e.now()
	f := &Foresight{now: now, endsAt: now.Add(whatIfDays * day)}
	scopeID := lastOf(reach.Path)
	zone, err := e.Zone(ctx, reach.AccountID)
	if err != nil {
		return nil, err
	}
	days, err := e.histories(ctx, reach.AccountID, reach.Plane, []string{scopeID})
	if err != nil {
		return nil, err
	}
	list, err := e.standings(ctx, e.db, "b.scope_id = $1 AND b.account_id = $2 AND b.plane = $3", []any{scopeID, reach.AccountID, string(reach.Plane)})
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		pool, err := e.pool(ctx, e.db, reach.AccountID, reach.Plane)
		if err != nil {
			return nil, err
		}
		if next := s.next(s.rule(pool), now); len(next) > 0 {
			s.cycle = next[len(next)-1]
		}
		room := s.room()
		f.Limit, f.spent, f.burn = &room, max(0, s.spent), s.outlookOf(days[scopeID], now)
		if s.endsAt.Before(never) {
			f.endsAt = s.endsAt
		}
	}
	if len(list) == 0 {
		past := days[scopeID]
		var today money.Nano
		if n := len(past); n > 0 {
			past, today = past[:n-1], past[n-1]
		}
		f.burn = learn(past, today, 0, now.Add(-historyDays*day), now.In(zone))
	}
	from := now.Add(-whatIfDays * day)
	if f.Models, err = e.Usage(ctx, []tenancy.Reach{reach}, UsageFilter{From: from, To: now.Add(time.Second), Zone: zone}, ByModel, maxWhatIfModels); err != nil {
		return nil, err
	}
	slices.SortStableFunc(f.Models, func(a, b Sum) int { return int(max(-1, min(1, b.Cost-a.Cost))) })
	err = e.query(ctx, e.db, `SELECT count(DISTINCT user_id) FROM usage_days WHERE account_id = $1 AND plane = $2 AND day >= $3 AND user_id <> ''
		AND substr(path, 1, length(CAST($4 AS TEXT))) = $4`, []any{reach.AccountID, string(reach.Plane), DayOf(from.In(zone)), reach.Path},
		func(r *sql.Rows) error { return r.Scan(&f.Users) })
	return f, err
}

// EndsAt is the last moment of a course of so many days; zero goes to the end
// of the cycle.
func (f *Foresight) EndsAt(days int) time.Time {
	if days > 0 {
		return f.now.Add(time.Duration(days) * day)
	}
	return f.endsAt
}

// Course follows the burn under a what-if.
func (f *Foresight) Course(w WhatIf) Course {
	burn, end := w.scale(f.burn), f.EndsAt(w.Days)
	c := Course{PerDay: burn.mean()}
	if f.Limit != nil && *f.Limit > f.spent {
		until := end
		if f.endsAt.Before(until) {
			until = f.endsAt // it renews then
		}
		c.RunsOutAt = burn.reach(*f.Limit-f.spent, f.now, until)
	}
	step := day
	if n := end.Sub(f.now) / (maxCourse - 2); n > step {
		step = n
	}
	for t := f.now; t.Before(end); t = t.Add(step) {
		c.append(f.spent, burn, f.now, t)
	}
	c.append(f.spent, burn, f.now, end)
	last := len(c.Series) - 1
	c.Forecast, c.Low, c.High = c.Series[last], c.SeriesLow[last], c.SeriesHigh[last]
	return c
}

// append goes on to a moment.
func (c *Course) append(spent money.Nano, burn outlook, now, t time.Time) {
	more, band := burn.spentBy(now, t), burn.band(t.Sub(now))
	c.Series = append(c.Series, add(spent, more))
	c.SeriesLow = append(c.SeriesLow, add(spent, max(0, more-band)))
	c.SeriesHigh = append(c.SeriesHigh, add(spent, add(more, band)))
}

func lastOf(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// Before tells when the newest ended cycle of budgets began; those that had none
// are left out.
func (e *Engine) Before(ctx context.Context, budgetIDs []string) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	for some := range slices.Chunk(budgetIDs, 500) {
		p := params{stamp(e.now())}
		err := e.query(ctx, e.db, `SELECT budget_id, starts_at FROM budget_cycles c WHERE budget_id IN (`+p.list(some)+`) AND starts_at =
			(SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = c.budget_id AND l.ends_at <= $1)`, p, func(r *sql.Rows) error {
			var k string
			var at time.Time
			err := r.Scan(&k, &at)
			out[k] = at.UTC()
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Previous is what scopes spent by day in the cycle that went from one moment to
// another, both in the account's time zone, oldest first; none where it is older
// than a year.
func (e *Engine) Previous(days []money.Nano, from, to time.Time) []money.Nano {
	first := DayOf(to)
	length := first - DayOf(from)
	index := len(days) - 1 - (DayOf(e.now().In(to.Location())) - first) // of the cycle's first day
	if index < length || index > len(days) || length <= 0 {
		return nil
	}
	previous := days[index-length : index]
	for _, n := range previous {
		if n != 0 {
			return previous
		}
	}
	return nil
}
