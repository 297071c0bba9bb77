package budget

import (
	"time"

	"github.com/alchemi/cockpit/internal/money"
)

// slice is this replica's lease of a cycle, as admission sees it. It and all
// below it is guarded by the node's lock.
type slice struct {
	// of is the cycle as last read, with the counters of everybody else in spent
	// and held, and the budget that it is of.
	of *standing
	// granted and spent are those of the lease's row; held are the calls that
	// run, and those that have ended in no round yet.
	granted, spent, held money.Nano
	// Of held: what ended calls take, and were charged.
	endedHeld, endedSpent money.Nano
	// leased tells that the lease has a row.
	leased bool
	// gone tells that no lease can be had any more: the budget was removed, or
	// this replica given up for dead.
	gone bool
	// What is free goes back with the next round: recalled by other replicas;
	// closed, as long as more is leased than there is, for a limit fell or an
	// overrun passed it; idle.
	recalled, closed, idle bool
	// pool is what no replica had leased, when it was last read.
	pool money.Nano
	// low is the rest below which more is fetched before it is needed, last what
	// the newest grant was.
	low, last money.Nano
	wanted    bool
	used      time.Duration // when it was last taken from
	dirty     bool          // the next round writes it
}

func (s *slice) free() money.Nano { return s.granted - s.spent - s.held }

// total is what all replicas have spent and hold, as far as it is known here.
func (s *slice) total() (spent, held money.Nano) {
	return s.of.spent + s.spent + s.endedSpent, s.of.held + s.held - s.endedHeld
}

// fits tells whether x is within the limit, wherever what is left lies. A zero
// limit gives nothing at all.
func (s *slice) fits(x money.Nano) bool {
	spent, held := s.total()
	used, err := money.Add(spent, held)
	if err != nil {
		return false
	}
	used, err = money.Add(used, x)
	return err == nil && s.of.room() > 0 && used <= s.of.room()
}

// has tells whether x can be taken here and now.
func (s *slice) has(x money.Nano) bool {
	if x == 0 {
		return s.fits(x)
	}
	return s.of.room() > 0 && !s.closed && !s.recalled && s.free() >= x
}

func (s *slice) room() Room {
	b := s.of
	spent, held := s.total()
	r := Room{
		BudgetID: b.budgetID, ScopeID: b.scopeID, ScopeKind: b.scopeKind, ScopeName: b.scopeName, Unit: b.unit,
		Limit: b.room(), Spent: spent, Held: held, Available: b.room() - spent - held,
	}
	if b.endsAt.Before(never) {
		r.RenewsAt = b.endsAt.In(b.zone())
	}
	return r
}

// path are the budgets that a call of one payer is charged to, root first.
type path struct {
	slices []*slice
	cycles []string
	// ends is when the first of the cycles does.
	ends time.Time
	// barred lets no call pass: Copilot needs a budget.
	barred bool
	// strict lets no call go out before the database has its hold.
	strict bool
	// frozen is a budget of the path that lets no call pass; nil if none is.
	frozen *slice
}

// pathKey names a payer, and the agent that it pays through; paths of two
// accounts differ.
type pathKey struct{ plane, path, agentID string }

// stands tells whether the cycles of the path are still those of now.
func (p *path) stands(now time.Time) bool {
	if !now.Before(p.ends) {
		return false
	}
	for _, s := range p.slices {
		if s.gone {
			return false
		}
	}
	return true
}

// take reserves x on every budget of the path, or on none.
func (p *path) take(x money.Nano, at time.Duration) bool {
	if p.barred || p.frozen != nil {
		return false
	}
	for _, s := range p.slices {
		if !s.has(x) {
			return false
		}
	}
	for _, s := range p.slices {
		s.held += x
		s.used = at
	}
	return true
}

// scarce tells whether more should be fetched before it is needed.
func (p *path) scarce() bool {
	found := false
	for _, s := range p.slices {
		if s.free() < s.low && !s.wanted {
			s.wanted, found = true, true
		}
	}
	return found
}

// tightest is the room of the budget with the least left; nil without budgets.
// With x, of those alone that x doesn't fit into.
func (p *path) tightest(x *money.Nano) *Room {
	var out *Room
	for _, s := range p.slices {
		if x != nil && s.fits(*x) {
			continue
		}
		if r := s.room(); out == nil || r.Available < out.Available {
			out = &r
		}
	}
	return out
}
