package graph

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
)

func toState(s budget.State, now time.Time) *model.BudgetState {
	allowed := s.Limit + s.Overflow
	remaining := max(0, allowed-s.Spent-s.Held)
	used := 100.0
	if s.Limit > 0 {
		used = share(s.Spent+s.Held, s.Limit)
	}
	elapsed := 0.0
	if total := s.EndsAt.Sub(s.StartsAt); total > 0 {
		elapsed = min(100, max(0, float64(now.Sub(s.StartsAt))/float64(total)*100))
	}
	return &model.BudgetState{
		BudgetID: s.BudgetID, ScopeID: s.ScopeID, Unit: model.Unit(s.Unit),
		Spent: s.Spent, Held: s.Held, Limit: s.Limit, Overflow: s.Overflow, Remaining: remaining,
		UsedPercent: used, ElapsedPercent: elapsed, StartsAt: s.StartsAt, EndsAt: s.EndsAt,
		PerDay: s.RatePerDay, Forecast: s.Forecast, ForecastLow: s.ForecastLow, ForecastHigh: s.ForecastHigh,
		RunsOutAt: s.RunsOutAt, RunsOutEarliest: s.RunsOutEarliest, RunsOutLatest: s.RunsOutLatest,
		Status: model.BudgetStatus(s.Status), Revision: s.Revision,
		Carried: s.Carried, Raised: s.Raised, OverflowSpent: s.OverflowSpent, Corrections: s.Corrections, FrozenAt: s.FrozenAt,
	}
}

func (r *Resolver) stateOf(ctx context.Context, b *model.Budget) (*model.BudgetState, error) {
	s, err := from(ctx).states.Load(ctx, stateKey{b.Ref.AccountID, b.Ref.Plane, b.ID})
	if err != nil {
		return nil, err
	}
	return toState(*s, r.Store.Now()), nil
}

// dateOf is the day of t in a time zone, as the UTC midnight of that date.
func dateOf(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
}

// seriesOf is the daily spend of the current cycle, up to today.
func (r *Resolver) seriesOf(ctx context.Context, b *model.Budget) ([]*model.DailySpend, error) {
	state, err := from(ctx).states.Load(ctx, stateKey{b.Ref.AccountID, b.Ref.Plane, b.ID})
	if err != nil {
		return nil, err
	}
	amounts, err := from(ctx).series.Load(ctx, stateKey{b.Ref.AccountID, b.Ref.Plane, b.Ref.ID})
	if err != nil {
		return nil, err
	}
	now := r.Store.Now()
	days := state.Days(amounts, now)
	today := dateOf(now, state.Zone)
	out := make([]*model.DailySpend, len(days))
	for i, n := range days {
		out[i] = &model.DailySpend{Day: today.AddDate(0, 0, i-len(days)+1), Amount: n}
	}
	return out, nil
}

// previousSeriesOf is the daily spend of the cycle before.
func (r *Resolver) previousSeriesOf(ctx context.Context, b *model.Budget) ([]*model.DailySpend, error) {
	state, err := from(ctx).states.Load(ctx, stateKey{b.Ref.AccountID, b.Ref.Plane, b.ID})
	if err != nil {
		return nil, err
	}
	amounts, err := from(ctx).series.Load(ctx, stateKey{b.Ref.AccountID, b.Ref.Plane, b.Ref.ID})
	if err != nil {
		return nil, err
	}
	began, err := maybe(from(ctx).before.Load(ctx, b.ID))
	if err != nil {
		return nil, err
	}
	if began.IsZero() { // this is its first cycle: the same time before is the next best
		began = state.StartsAt.Add(state.StartsAt.Sub(state.EndsAt))
	}
	days := r.Budgets.Previous(amounts, began.In(state.Zone), state.StartsAt.In(state.Zone))
	first := dateOf(state.StartsAt, state.Zone)
	out := make([]*model.DailySpend, len(days))
	for i, n := range days {
		out[i] = &model.DailySpend{Day: first.AddDate(0, 0, i-len(days)), Amount: n}
	}
	return out, nil
}

// creditPrice is a price in credits at a factor, per 1,000,000 tokens.
func creditPrice(input, output money.Nano, ppm int64) (*model.CreditPrice, error) {
	in, err := money.Credits(input, ppm)
	if err != nil {
		return nil, err
	}
	out, err := money.Credits(output, ppm)
	if err != nil {
		return nil, err
	}
	return &model.CreditPrice{Input: in, Output: out}, nil
}
