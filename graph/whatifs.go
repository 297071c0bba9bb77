package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	maxWhatIfChanges = 20
	maxWhatIfDays    = 366
	maxWhatIfPercent = 1000
	maxWhatIfTargets = 500
	// maxWhatIfUsers and maxWhatIfFactor keep sums far from 64 bits.
	maxWhatIfUsers  = 1_000_000
	maxWhatIfFactor = 1_000_000_000_000
)

func bad(format string, args ...any) error { return fault.New(fault.BadInput, format, args...) }

// whatIf foresees a scope's burn under changes; nil for a scope that the viewer
// may not see.
func (r *Resolver) whatIf(ctx context.Context, scopeID string, in model.WhatIfInput) (*model.WhatIf, error) {
	s, err := r.scopeByID(ctx, scopeID)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	at := ref(s)
	if !inAPlane(at) {
		return nil, bad("Ask about Console, Copilot or a scope within.")
	}
	account := access.Target{Kind: tenancy.KindAccount, Plane: tenancy.PlaneAccount, Path: accountPath(at.AccountID)}
	// The platform sees what an account's plane spends in all, and nothing below.
	staff := at.Kind == tenancy.Kind(at.Plane) && tenancy.ViewerFrom(ctx).Platform
	if staff {
		err = r.Access.Check(ctx, access.AccountUpdate, account)
	} else {
		err = r.check(ctx, access.BudgetWatch, at)
	}
	if err != nil {
		return nil, err
	}
	if in.FactorPpm != nil {
		if err := r.Access.Check(ctx, access.AccountUpdate, account); err != nil {
			return nil, err
		}
	}
	f, err := r.Budgets.Foresee(ctx, tenancy.Reach{AccountID: at.AccountID, Plane: at.Plane, Path: at.Path})
	if err != nil {
		return nil, err
	}
	change, err := r.toWhatIf(ctx, at, f, in)
	if err != nil {
		return nil, err
	}
	days := value(in.Days)
	out := &model.WhatIf{Targets: []*model.WhatIfTarget{}, Unit: unitOf(at.Plane), Limit: f.Limit, Users: int(f.Users), EndsAt: f.EndsAt(days),
		Now: toOutcome(f.Course(budget.WhatIf{Days: days})), Changed: toOutcome(f.Course(change)),
		Models: mapTo(f.Models, func(m budget.Sum) *model.WhatIfModel {
			return &model.WhatIfModel{ModelID: m.ID, Name: m.Name, Amount: amountIn(at.Plane, m.Cost, m.Credits)}
		})}
	if out.EndsAt.After(f.EndsAt(0)) {
		out.Limit = nil
	}
	if !staff || at.Plane == tenancy.Copilot {
		out.Targets, err = r.whatIfTargets(ctx, at)
	}
	return out, err
}

// whatIfTargets are the models that a move can name.
func (r *Resolver) whatIfTargets(ctx context.Context, at model.Ref) ([]*model.WhatIfTarget, error) {
	routes, err := r.Catalog.Routes(ctx, at.AccountID, at.Plane)
	if err != nil {
		return nil, err
	}
	routes = slices.DeleteFunc(routes, func(route catalog.Route) bool { return route.Price == nil })
	slices.SortFunc(routes, func(a, b catalog.Route) int { return strings.Compare(a.Name, b.Name) })
	return mapTo(routes[:min(len(routes), maxWhatIfTargets)], func(route catalog.Route) *model.WhatIfTarget {
		return &model.WhatIfTarget{ModelID: route.ModelID, Name: route.Name}
	}), nil
}

func toOutcome(c budget.Course) *model.WhatIfOutcome {
	return &model.WhatIfOutcome{PerDay: c.PerDay, Forecast: c.Forecast, ForecastLow: c.Low, ForecastHigh: c.High, RunsOutAt: c.RunsOutAt,
		Series: c.Series, SeriesLow: c.SeriesLow, SeriesHigh: c.SeriesHigh}
}

func (r *Resolver) toWhatIf(ctx context.Context, at model.Ref, f *budget.Foresight, in model.WhatIfInput) (budget.WhatIf, error) {
	out := budget.WhatIf{Days: value(in.Days)}
	switch {
	case in.Days != nil && (*in.Days < 1 || *in.Days > maxWhatIfDays):
		return out, bad("days lies between 1 and %d.", maxWhatIfDays)
	case in.Users != nil && in.UsersPercent != nil:
		return out, bad("Give users or usersPercent, not both.")
	case len(in.Moves) > maxWhatIfChanges || len(in.Prices) > maxWhatIfChanges:
		return out, bad("At most %d moves and %d prices at once.", maxWhatIfChanges, maxWhatIfChanges)
	}
	if n := value(in.Users); n != 0 {
		if n > maxWhatIfUsers || n < -maxWhatIfUsers {
			return out, bad("users lies between −%d and %d.", maxWhatIfUsers, maxWhatIfUsers)
		}
		if f.Users == 0 {
			return out, bad("Nobody called within the last 30 days, so there is nothing to multiply.")
		}
		out.Users, out.UsersOf = max(0, f.Users+int64(n)), f.Users
	}
	if n := value(in.UsersPercent); n != 0 {
		if n < -100 || n > maxWhatIfPercent {
			return out, bad("usersPercent lies between −100 and %d.", maxWhatIfPercent)
		}
		out.Users, out.UsersOf = int64(100+n), 100
	}
	if in.FactorPpm != nil {
		if at.Plane != tenancy.Copilot {
			return out, bad("Console has no credit factor.")
		}
		if *in.FactorPpm < 1 || *in.FactorPpm > maxWhatIfFactor {
			return out, bad("factorPpm lies between 1 and %d.", maxWhatIfFactor)
		}
		now, err := r.Catalog.FactorPPM(ctx, at.AccountID)
		if err != nil {
			return out, err
		}
		out.FactorPPM, out.FactorOf = *in.FactorPpm, now
	}
	if len(in.Moves) == 0 && len(in.Prices) == 0 {
		return out, nil
	}
	return out, r.remix(ctx, at, f, in, &out)
}

// remix reckons what the last 30 days would have cost on other models and at
// other prices.
func (r *Resolver) remix(ctx context.Context, at model.Ref, f *budget.Foresight, in model.WhatIfInput, out *budget.WhatIf) error {
	would := map[string]money.Nano{}
	used := map[string]budget.Sum{}
	for _, m := range f.Models {
		used[m.ID], would[m.ID] = m, max(0, amountIn(at.Plane, m.Cost, m.Credits))
	}
	routes, err := r.Catalog.Routes(ctx, at.AccountID, at.Plane)
	if err != nil {
		return err
	}
	// left is how much of a model's usage nobody has taken over yet, in percent of
	// percent.
	left := map[string]int64{}
	for _, move := range in.Moves {
		if move.Percent < 0 || move.Percent > 100 {
			return bad("percent of a move lies between 0 and 100.")
		}
		from, known := used[move.FromModelID]
		if !known {
			return bad("Nothing of the last 30 days was used on a model that a move names.")
		}
		var price *ent.Price
		ppm := money.FactorOne
		for _, route := range routes {
			if route.ModelID == move.ToModelID {
				price = route.Price
				if at.Plane == tenancy.Copilot {
					ppm = route.FactorPPM
				}
			}
		}
		if price == nil {
			return bad("A model that a move names is switched off or has no price.")
		}
		if move.FromModelID == move.ToModelID {
			continue
		}
		if _, moved := left[move.FromModelID]; !moved {
			left[move.FromModelID] = 10_000
		}
		part := left[move.FromModelID] * int64(move.Percent) / 100
		left[move.FromModelID] -= part
		cost, err := pricesOf(price).Cost(partOf(from, part))
		if err != nil {
			return bad("The amount has no place in 64 bits.")
		}
		if cost, err = money.Credits(cost, ppm); err != nil {
			return bad("The amount has no place in 64 bits.")
		}
		own := max(0, amountIn(at.Plane, from.Cost, from.Credits))
		would[move.FromModelID] -= own / 10_000 * money.Nano(part)
		would[move.ToModelID] += cost
	}
	for _, p := range in.Prices {
		if p.Percent < -100 || p.Percent > maxWhatIfPercent {
			return bad("percent of a price lies between −100 and %d.", maxWhatIfPercent)
		}
		n, known := would[p.ModelID]
		if !known {
			return bad("Nothing of the last 30 days was used on a model whose price is named.")
		}
		would[p.ModelID] = n / 100 * money.Nano(100+p.Percent)
	}
	for id, n := range would {
		out.Models = append(out.Models, budget.WhatIfPart{Was: max(0, amountIn(at.Plane, used[id].Cost, used[id].Credits)), Would: max(0, n)})
	}
	return nil
}

// partOf is a part, in hundredths of a percent, of a model's tokens; calls count
// as one, since a price for each call weighs next to nothing.
func partOf(s budget.Sum, part int64) budget.Usage {
	of := func(n int64) int64 { return max(0, n) * part / 10_000 }
	u := s.Usage
	return budget.Usage{Input: of(u.Input), CachedInput: of(u.CachedInput), CacheWrite: of(u.CacheWrite), Output: of(u.Output),
		Reasoning: of(u.Reasoning), AudioInput: of(u.AudioInput), AudioOutput: of(u.AudioOutput)}
}
