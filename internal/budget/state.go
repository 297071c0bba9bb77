package budget

import (
	"context"
	"math/bits"
	"slices"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Status is a budget's outlook in one word.
type Status string

// The statuses, worst first: nothing left, or frozen; over the limit but inside the
// overflow; at this pace gone before the cycle ends; at this pace above 90%
// of the limit at its end; fine.
const (
	Blocked     Status = "BLOCKED"
	OverAllowed Status = "OVER_ALLOWED"
	RunsOut     Status = "RUNS_OUT"
	PaceHigh    Status = "PACE_HIGH"
	OK          Status = "OK"
)

// State is a budget in its current cycle, with its outlook. Amounts are in
// Unit's billionths.
type State struct {
	BudgetID  string
	ScopeID   string
	ScopeKind tenancy.Kind
	ScopeName string
	Path      string
	Unit      Unit
	Limit     money.Nano
	Overflow  money.Nano
	Spent     money.Nano
	Held      money.Nano
	// Excess stands above limit and overflow: the limit was lowered below what
	// was spent, or a provider used more than was held.
	Excess money.Nano
	// OverflowSpent is what of Spent lies in the overflow, beyond the limit.
	OverflowSpent money.Nano
	// Carried is what the cycle before left over, and Raised what temporary
	// increases add; both are part of Limit.
	Carried, Raised money.Nano
	// Corrections are those of cycles before, booked in this one: zero or less,
	// no part of Spent, and no room to spend.
	Corrections money.Nano
	// FrozenAt is set while nothing new is held.
	FrozenAt *time.Time
	// Zone is the account's, in whose days it is spent.
	Zone     *time.Location
	StartsAt time.Time
	// EndsAt lies in the year 9999 when the budget is renewed by hand.
	EndsAt   time.Time
	Revision int64
	// RatePerDay is the average day of an expected week.
	RatePerDay money.Nano
	// Forecast is what will most likely be spent at EndsAt, in four of five cases
	// between ForecastLow and ForecastHigh; Spent for a budget renewed by hand.
	Forecast, ForecastLow, ForecastHigh money.Nano
	// RunsOutAt is when nothing will be left, if before EndsAt, in four of five
	// cases between RunsOutEarliest and RunsOutLatest; each nil when it lasts.
	RunsOutAt, RunsOutEarliest, RunsOutLatest *time.Time
	Status                                    Status
}

const inReach = "b.account_id = $1 AND b.plane = $2 AND substr(s.path, 1, length(CAST($3 AS TEXT))) = $3"

// States reads the budgets inside reach (all of them when ids is nil), whose
// plane must be CONSOLE or COPILOT, ordered by path.
func (e *Engine) States(ctx context.Context, reach tenancy.Reach, ids []string) ([]State, error) {
	p := params{reach.AccountID, string(reach.Plane), reach.Path}
	where := inReach
	if ids != nil {
		if len(ids) == 0 {
			return nil, nil
		}
		where += " AND b.id IN (" + p.list(ids) + ")"
	}
	e.flushed()
	list, err := e.standings(ctx, e.db, where+" ORDER BY s.path", p)
	if err != nil {
		return nil, err
	}
	now := e.now()
	var pool *standing
	for _, s := range list {
		if !now.Before(s.endsAt) {
			// Its next cycle opens with the next call; tell what it will be.
			if pool, err = e.pool(ctx, e.db, reach.AccountID, reach.Plane); err != nil {
				return nil, err
			}
			break
		}
	}
	var current []string
	scopeIDs := make([]string, len(list))
	for i, s := range list {
		current = append(current, s.id)
		scopeIDs[i] = s.scopeID
	}
	more, err := e.lookUp(ctx, e.db, current)
	if err != nil {
		return nil, err
	}
	days, err := e.histories(ctx, reach.AccountID, reach.Plane, scopeIDs)
	if err != nil {
		return nil, err
	}
	var coming []cycle
	var whose []*standing
	for _, s := range list {
		if next := s.next(s.rule(pool), now); len(next) > 0 {
			coming, whose = append(coming, next[len(next)-1]), append(whose, s)
		}
	}
	raised, err := e.begin(ctx, e.db, coming, "")
	if err != nil {
		return nil, err
	}
	begins := map[*standing]beside{}
	for i, s := range whose {
		s.cycle = coming[i]
		begins[s] = beside{raised: raised[i]}
	}
	out := make([]State, len(list))
	for i, s := range list {
		of, ok := begins[s]
		if !ok {
			of = more[s.id]
		}
		out[i] = s.state(s.outlookOf(days[s.scopeID], now), now)
		out[i].Carried, out[i].Raised, out[i].Corrections = of.carried, of.raised, of.corrections
	}
	return out, nil
}

// pool is the budget of the plane's root, nil when there is none.
func (d dialect) pool(ctx context.Context, c conn, accountID string, plane tenancy.Plane) (*standing, error) {
	list, err := d.standings(ctx, c, "b.account_id = $1 AND b.plane = $2 AND s.kind IN ('CONSOLE', 'COPILOT')", []any{accountID, string(plane)})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// state is the budget at a moment, with where its burn leads to.
func (s *standing) state(burn outlook, now time.Time) State {
	spent := max(0, s.spent)
	left := s.room() - spent
	p := burn.predict(spent, left, now, s.endsAt)
	out := State{
		BudgetID: s.budgetID, ScopeID: s.scopeID, ScopeKind: s.scopeKind, ScopeName: s.scopeName, Path: s.path, Unit: s.unit,
		Limit: s.lim, Overflow: s.overflow, Spent: s.spent, Held: s.held, Excess: max(0, s.spent+s.held-s.room()),
		OverflowSpent: overflowOf(s.spent, s.lim, s.overflow), FrozenAt: s.frozenAt,
		Zone: s.zone(), StartsAt: s.startsAt, EndsAt: s.endsAt, Revision: s.revision, Status: OK,
		RatePerDay: burn.mean(), Forecast: p.likely, ForecastLow: p.low, ForecastHigh: p.high,
		RunsOutAt: p.at, RunsOutEarliest: p.earliest, RunsOutLatest: p.latest,
	}
	switch {
	case left <= 0 || s.frozenAt != nil:
		out.Status = Blocked
	case spent > s.lim:
		out.Status = OverAllowed
	case out.RunsOutAt != nil && out.Forecast > s.room():
		out.Status = RunsOut
	case out.Forecast > s.lim-s.lim/10:
		out.Status = PaceHigh
	}
	return out
}

// Days cuts a scope's days, today last, to those of the cycle. What the others
// don't explain of the cycle's spend is the first day's: on that, calls of the
// cycle before may have ended, or it was renewed by hand.
func (s State) Days(amounts []money.Nano, now time.Time) []money.Nano {
	length := DayOf(now.In(s.Zone)) - DayOf(s.StartsAt.In(s.Zone)) + 1
	if length <= 0 || length > len(amounts) {
		return amounts[:max(0, min(length, len(amounts)))]
	}
	out := slices.Clone(amounts[len(amounts)-length:])
	rest := s.Spent + s.Corrections
	for _, n := range out[1:] {
		rest -= n
	}
	out[0] = max(0, rest)
	return out
}

// scale is amount × by ÷ of in 128 bits, cut at the largest amount; a
// negative by counts as none.
func scale(amount money.Nano, by, of time.Duration) money.Nano {
	hi, lo := bits.Mul64(uint64(amount), uint64(max(0, by)))
	if hi >= uint64(of) {
		return money.Max
	}
	q, _ := bits.Div64(hi, lo, uint64(of))
	return money.Nano(min(q, uint64(money.Max)))
}
