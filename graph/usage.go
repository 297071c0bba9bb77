package graph

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// maxUsageDays is how long a time a report covers at most.
const maxUsageDays = 400

func checkRange(from, to time.Time) error {
	if !to.After(from) || to.Sub(from) > (maxUsageDays*24+1)*time.Hour { // one day may have 25 hours
		return fault.New(fault.BadInput, "A usage report covers more than nothing and at most %d days: from must lie before to.", maxUsageDays)
	}
	return nil
}

// checkRows takes as many rows as a page has.
func checkRows(rows *int) error {
	if rows == nil || *rows < 1 || *rows > maxPage {
		return fault.New(fault.BadInput, "rows lies between 1 and %d.", maxPage)
	}
	return nil
}

// usageReaches are the parts of a plane that a report is about.
func (r *Resolver) usageReaches(ctx context.Context, at model.Ref, scopeID *string) ([]tenancy.Reach, error) {
	if v := tenancy.ViewerFrom(ctx); v != nil && v.Platform {
		return nil, fault.New(fault.Forbidden, "Who used what in an account is open to the account alone; platform.usage has its sums.")
	}
	if scopeID == nil {
		return Reaches(ctx, at.AccountID, at.Plane), nil
	}
	s, err := r.scopeByID(tenancy.InPlane(ctx, at.Plane), *scopeID)
	if err != nil {
		return nil, err
	}
	return []tenancy.Reach{{AccountID: s.AccountID, Plane: at.Plane, Path: s.Path}}, nil
}

func toUsageFilter(f model.UsageFilter) budget.UsageFilter {
	return budget.UsageFilter{From: f.From, To: f.To, ModelID: given(f.ModelID), Tag: given(f.Tag), UserID: given(f.UserID), KeyID: given(f.KeyID),
		AgentID: given(f.AgentID), ClientID: given(f.ClientID)}
}

// given is empty for none.
func given(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func inputOf(u budget.Usage) int64  { return u.Input + u.CachedInput + u.CacheWrite + u.AudioInput }
func outputOf(u budget.Usage) int64 { return u.Output + u.Reasoning + u.AudioOutput }

func totals(plane tenancy.Plane, s budget.Sum) *model.UsageTotals {
	return &model.UsageTotals{Plane: plane, Amount: amountIn(plane, s.Cost, s.Credits), CostUSD: s.Cost, Calls: s.Calls,
		InputTokens: inputOf(s.Usage), OutputTokens: outputOf(s.Usage), CachedInputTokens: s.Usage.CachedInput, ReasoningTokens: s.Usage.Reasoning}
}

// share is part of whole in percent.
func share(part, whole money.Nano) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole) * 100
}

func (r *Resolver) usage(ctx context.Context, at model.Ref, f model.UsageFilter, by model.UsageGroup, rows *int) (*model.UsageReport, error) {
	in, err := r.usageReaches(ctx, at, f.ScopeID)
	if err != nil {
		return nil, err
	}
	return r.usageReport(ctx, at.Plane, in, f, by, rows)
}

func (r *Resolver) usageReport(ctx context.Context, plane tenancy.Plane, in []tenancy.Reach, f model.UsageFilter, by model.UsageGroup, rows *int) (*model.UsageReport, error) {
	if err := checkRange(f.From, f.To); err != nil {
		return nil, err
	}
	if err := checkRows(rows); err != nil {
		return nil, err
	}
	filter := toUsageFilter(f)
	filter.Zone = time.UTC
	if len(in) > 0 {
		zone, err := r.Budgets.Zone(ctx, in[0].AccountID)
		if err != nil {
			return nil, err
		}
		filter.Zone = zone
	}
	whole, err := r.Budgets.Usage(ctx, in, filter, budget.Whole, 1)
	if err != nil {
		return nil, err
	}
	groups, err := r.Budgets.Usage(ctx, in, filter, budget.Dimension(by), *rows)
	if err != nil {
		return nil, err
	}
	out := &model.UsageReport{Unit: unitOf(plane), Total: totals(plane, budget.Sum{}), In: in, Filter: filter, By: budget.Dimension(by)}
	for _, s := range whole {
		out.Total = totals(plane, s)
	}
	out.Rows = mapTo(groups, func(s budget.Sum) *model.UsageRow {
		t := totals(plane, s)
		return &model.UsageRow{ID: s.ID, Name: s.Name, Totals: t, Share: share(t.Amount, out.Total.Amount), Report: out}
	})
	return out, nil
}

// viewerUsage is what a person used over all seats in a plane, wherever they
// lie now.
func (r *Resolver) viewerUsage(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane, f model.UsageFilter, by model.UsageGroup, rows *int) (*model.UsageReport, error) {
	if v.Platform || len(Reaches(ctx, v.AccountID, plane)) == 0 {
		return nil, nil
	}
	f.UserID = &v.UserID
	if f.ScopeID != nil {
		return r.usage(ctx, model.Ref{AccountID: v.AccountID, Plane: plane}, f, by, rows)
	}
	return r.usageReport(ctx, plane, []tenancy.Reach{wholePlane(stateKey{accountID: v.AccountID, plane: plane})}, f, by, rows)
}

func toClasses(sums []budget.ClassSum) []*model.TokenClassSum {
	return mapTo(sums, func(c budget.ClassSum) *model.TokenClassSum {
		return &model.TokenClassSum{Class: model.TokenClass(c.Class), Tokens: c.Tokens, Price: c.Price, Amount: c.Amount}
	})
}
