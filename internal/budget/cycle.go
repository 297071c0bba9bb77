package budget

import (
	"time"
)

// Cycle says when a budget begins anew.
type Cycle string

// The cycles. A manual one ends only when somebody renews it.
const (
	Monthly   Cycle = "MONTHLY"
	Quarterly Cycle = "QUARTERLY"
	Yearly    Cycle = "YEARLY"
	Manual    Cycle = "MANUAL"
)

// never is when a manual cycle ends.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// rule is a cycle with the day of the month it begins on (1–28), in the
// account's time zone.
type rule struct {
	cycle Cycle
	day   int
	zone  *time.Location
}

// step is how many months lie between two boundaries; 0 for a manual rule.
func (r rule) step() time.Month {
	return map[Cycle]time.Month{Monthly: 1, Quarterly: 3, Yearly: 12}[r.cycle]
}

// end is the first boundary after t: midnight of the rule's day in every
// month, in January, April, July and October, or in January.
func (r rule) end(t time.Time) time.Time {
	step := r.step()
	if step == 0 {
		return never
	}
	local := t.In(r.zone)
	month := local.Month() - (local.Month()-1)%step
	for {
		b := midnight(local.Year(), month, r.day, r.zone)
		if b.After(t) {
			return b.UTC()
		}
		month += step
	}
}

// midnight is the first instant of a day, also where clocks jump over 00:00.
func midnight(year int, month time.Month, day int, zone *time.Location) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	if t.Day() != day {
		_, t = t.ZoneBounds()
	}
	if before := t.Add(-time.Hour); before.Day() == day {
		return before // 00:00 came twice; the day began with the first
	}
	return t
}

// next are the cycles that must follow c for now to lie in the last of them;
// none while now is before c's end, whatever the clock says of c's start. The
// upper half of a revision counts cycles: charges that still come to an old one
// never overtake the new one.
func (c cycle) next(r rule, now time.Time) []cycle {
	var out []cycle
	for !now.Before(c.endsAt) {
		c = cycle{
			budgetID: c.budgetID, accountID: c.accountID, plane: c.plane,
			startsAt: c.endsAt, endsAt: r.following(c.endsAt),
			lim: c.base, base: c.base, overflow: c.overflow, revision: (c.revision>>32 + 1) << 32,
		}
		out = append(out, c)
	}
	return out
}
