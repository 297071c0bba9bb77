package graph

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (r *Resolver) platformTotals(s budget.PlatformSum) *model.PlatformTotals {
	t := &model.PlatformTotals{Cost: s.Cost, CopilotCost: s.CopilotCost, Credits: s.Credits, Value: budget.ValueOf(s.Credits, r.CreditValue), Calls: s.Calls,
		InputTokens: inputOf(s.Usage), OutputTokens: outputOf(s.Usage)}
	t.Margin = t.Value - t.CopilotCost
	if t.Value != 0 {
		percent := share(t.Margin, t.Value)
		t.MarginPercent = &percent
	}
	return t
}

func (r *Resolver) platformUsage(ctx context.Context, f model.PlatformUsageFilter, by model.PlatformUsageGroup, rows *int) (*model.PlatformUsage, error) {
	if err := checkRange(f.From, f.To); err != nil {
		return nil, err
	}
	if err := checkRows(rows); err != nil {
		return nil, err
	}
	filter := budget.PlatformFilter{From: f.From, To: f.To, AccountID: given(f.AccountID), Model: given(f.Model)}
	if f.Plane != nil {
		filter.Plane = tenancy.Plane(*f.Plane)
	}
	total, err := r.platformTotal(ctx, filter)
	if err != nil {
		return nil, err
	}
	sums, err := r.Budgets.PlatformUsage(ctx, filter, budget.PlatformDimension(by), *rows)
	if err != nil {
		return nil, err
	}
	out := &model.PlatformUsage{Total: total, Filter: filter, Rows: []*model.PlatformUsageRow{}}
	for _, s := range sums {
		row := &model.PlatformUsageRow{ID: s.ID, Name: s.Name, Totals: r.platformTotals(s)}
		switch by {
		case model.PlatformUsageGroupAccount:
			row.AccountID = s.ID
		case model.PlatformUsageGroupDay:
			row.ID = s.Day.Format("2006-01-02")
			row.Name = row.ID
		case model.PlatformUsageGroupPlane:
			row.Name = map[string]string{"CONSOLE": "Console", "COPILOT": "Copilot"}[s.ID]
		case model.PlatformUsageGroupModel:
		}
		out.Rows = append(out.Rows, row)
	}
	if by == model.PlatformUsageGroupAccount {
		if err := r.addPools(ctx, out.Rows); err != nil {
			return nil, err
		}
	}
	return out, r.addPrevious(ctx, filter, by, out.Rows)
}

func (r *Resolver) platformTotal(ctx context.Context, f budget.PlatformFilter) (*model.PlatformTotals, error) {
	sums, err := r.Budgets.PlatformUsage(ctx, f, budget.InAll, 1)
	if err != nil || len(sums) == 0 {
		return r.platformTotals(budget.PlatformSum{}), err
	}
	return r.platformTotals(sums[0]), nil
}

// before is as long a time, directly before.
func before(f budget.PlatformFilter) budget.PlatformFilter {
	f.From, f.To = f.From.Add(-f.To.Sub(f.From)), f.From
	return f
}

// addPrevious says what each row was in the time before. One that was beyond
// the dearest then reads as nothing.
func (r *Resolver) addPrevious(ctx context.Context, f budget.PlatformFilter, by model.PlatformUsageGroup, rows []*model.PlatformUsageRow) error {
	if by == model.PlatformUsageGroupDay || len(rows) == 0 {
		return nil
	}
	sums, err := r.Budgets.PlatformUsage(ctx, before(f), budget.PlatformDimension(by), maxPrevious)
	was := map[string]budget.PlatformSum{}
	for _, s := range sums {
		was[s.ID] = s
	}
	for _, row := range rows {
		row.Previous = r.platformTotals(was[row.ID])
	}
	return err
}

// maxPrevious bounds the rows that are compared with.
const maxPrevious = 10_000

func (r *Resolver) addPools(ctx context.Context, rows []*model.PlatformUsageRow) error {
	pools, err := r.Budgets.Pools(ctx, mapTo(rows, func(row *model.PlatformUsageRow) string { return row.ID }))
	for _, row := range rows {
		if p, ok := pools[row.ID]; ok {
			row.Granted, row.Used = &p.Granted, &p.Used
		}
	}
	return err
}

func (r *Resolver) platformPeriods(ctx context.Context, f budget.PlatformFilter, by model.UsageInterval) ([]*model.PlatformUsagePeriod, error) {
	days, err := r.Budgets.PlatformUsage(ctx, f, budget.ByTotalDay, maxUsageDays+1)
	if err != nil {
		return nil, err
	}
	out := []*model.PlatformUsagePeriod{}
	var sum budget.PlatformSum
	for _, d := range days {
		start := budget.StartOf(begin(budget.DayOf(d.Day), by), time.UTC)
		if len(out) == 0 || !out[len(out)-1].Start.Equal(start) {
			out, sum = append(out, &model.PlatformUsagePeriod{Start: start}), budget.PlatformSum{}
		}
		sum.Add(d)
		out[len(out)-1].Totals = r.platformTotals(sum)
	}
	return out, nil
}
