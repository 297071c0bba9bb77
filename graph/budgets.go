package graph

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
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
		PerDay: s.RatePerDay, Forecast: s.Forecast, RunsOutAt: s.RunsOutAt,
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
	today := r.Store.Now().Truncate(24 * time.Hour)
	first := state.StartsAt.Truncate(24 * time.Hour)
	out := []*model.DailySpend{}
	for i, n := range amounts {
		d := today.AddDate(0, 0, i-len(amounts)+1)
		if !d.Before(first) {
			out = append(out, &model.DailySpend{Day: d, Amount: n})
		}
	}
	return out, nil
}

// maxWatched bounds the budgets of one live subscription.
const maxWatched = 500

// burn streams the states of a scope's budget, and of those below it.
func (r *Resolver) burn(ctx context.Context, scopeID string, descendants bool) (<-chan *model.BudgetBurn, error) {
	s, err := r.scopeByID(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.BudgetWatch, ref(s)); err != nil {
		return nil, err
	}
	at := ref(s)
	reach := tenancy.Reach{AccountID: at.AccountID, Plane: at.Plane, Path: at.Path}
	states, err := r.Budgets.States(ctx, reach, nil)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, st := range states {
		if (descendants || st.ScopeID == scopeID) && len(ids) < maxWatched {
			ids = append(ids, st.BudgetID)
		}
	}
	deltas, err := r.Budgets.Watch(ctx, reach, ids)
	if err != nil {
		return nil, err
	}
	out := make(chan *model.BudgetBurn)
	go func() {
		defer close(out)
		next := ids
		for {
			payload, err := r.burnPayload(ctx, reach, scopeID, next)
			if err != nil {
				if ctx.Err() == nil {
					r.Log.ErrorContext(ctx, "live burn ended", "scope", scopeID, "cause", err)
				}
				return
			}
			select {
			case out <- payload:
			case <-ctx.Done():
				return
			}
			select {
			case changed, ok := <-deltas:
				if !ok {
					return
				}
				next = mapTo(changed, func(d budget.Delta) string { return d.BudgetID })
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// burnPayload re-reads states under what the viewer may see at this moment.
func (r *Resolver) burnPayload(ctx context.Context, reach tenancy.Reach, scopeID string, ids []string) (*model.BudgetBurn, error) {
	s, err := r.scopeByID(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	reach.Path = s.Path // it may have moved meanwhile
	if ids == nil {
		ids = []string{}
	}
	states, err := r.Budgets.States(ctx, reach, ids)
	if err != nil {
		return nil, err
	}
	now := r.Store.Now()
	top, err := r.Budgets.TopSpenders(ctx, reach, now.Add(-time.Minute), 5)
	if err != nil {
		return nil, err
	}
	return &model.BudgetBurn{
		ScopeID: scopeID, At: now,
		States: mapTo(states, func(s budget.State) *model.BudgetState { return toState(s, now) }),
		TopSpenders: mapTo(top, func(s budget.Sum) *model.Spender {
			name := s.Name
			if name == "" {
				name = "Team keys"
			}
			return &model.Spender{ID: s.ID, Name: name, Amount: amountIn(reach.Plane, s.Cost, s.Credits), Calls: s.Calls}
		}),
	}, nil
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
