package graph

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
)

// begin is the first day of the interval that a day lies in; days are numbered
// since 1970.
func begin(day int, by model.UsageInterval) int {
	date := time.Unix(int64(day)*86400, 0).UTC()
	switch by {
	case model.UsageIntervalWeek:
		return day - (int(date.Weekday())+6)%7
	case model.UsageIntervalMonth:
		return day - (date.Day() - 1)
	case model.UsageIntervalDay:
	}
	return day
}

func (r *Resolver) usagePeriods(ctx context.Context, report *model.UsageReport, by model.UsageInterval) ([]*model.UsagePeriod, error) {
	days, err := r.Budgets.Usage(ctx, report.In, report.Filter, budget.ByDay, maxUsageDays+1)
	if err != nil {
		return nil, err
	}
	zone := report.Filter.Zone
	out := []*model.UsagePeriod{}
	for _, d := range days {
		start := budget.StartOf(begin(budget.DayOf(d.Day.In(zone)), by), zone)
		if len(out) == 0 || !out[len(out)-1].Start.Equal(start) {
			out = append(out, &model.UsagePeriod{Start: start})
		}
		p := out[len(out)-1]
		p.Amount += amountIn(report.In[0].Plane, d.Cost, d.Credits)
		p.Calls += d.Calls
		p.InputTokens += inputOf(d.Usage)
		p.OutputTokens += outputOf(d.Usage)
	}
	return out, nil
}

// usageSeries is the report's first rows over time, and all others.
func (r *Resolver) usageSeries(ctx context.Context, report *model.UsageReport, by model.UsageInterval, groups int) (*model.UsageSeries, error) {
	if groups < 1 || groups > maxPage {
		return nil, fault.New(fault.BadInput, "groups lies between 1 and %d.", maxPage)
	}
	rows := report.Rows[:min(groups, len(report.Rows))]
	s, err := r.Budgets.UsageSeries(ctx, report.In, report.Filter, report.By, mapTo(rows, func(row *model.UsageRow) string { return row.ID }))
	if err != nil {
		return nil, err
	}
	out := &model.UsageSeries{Starts: []*time.Time{}, Groups: []*model.UsageGroupSeries{}}
	interval := make([]int, s.Last-s.First+1) // that each day lies in
	for i := range interval {
		if first := begin(s.First+i, by); i == 0 || first == s.First+i {
			start := budget.StartOf(first, report.Filter.Zone)
			out.Starts = append(out.Starts, &start)
		}
		interval[i] = len(out.Starts) - 1
	}
	sum := func(days []money.Nano) []money.Nano {
		sums := make([]money.Nano, len(out.Starts))
		for i, n := range days {
			sums[interval[i]] += n
		}
		return sums
	}
	out.Others = sum(s.Others)
	for _, row := range rows {
		out.Groups = append(out.Groups, &model.UsageGroupSeries{ID: row.ID, Name: row.Name, Amounts: sum(s.Amounts[row.ID])})
	}
	return out, nil
}

func (r *Resolver) usageFlows(ctx context.Context, report *model.UsageReport, rows int) (*model.UsageFlows, error) {
	if err := checkRows(&rows); err != nil {
		return nil, err
	}
	flows, others, err := r.Budgets.Flows(ctx, report.In, report.Filter, rows)
	if err != nil {
		return nil, err
	}
	return &model.UsageFlows{Others: others, Rows: mapTo(flows, func(f budget.Flow) *model.UsageFlow {
		return &model.UsageFlow{OrganizationID: f.OrganizationID, OrganizationName: f.OrganizationName, TeamID: f.TeamID, TeamName: f.TeamName,
			ModelID: f.ModelID, ModelName: f.ModelName, Amount: f.Amount}
	})}, nil
}

// usageBefore is the report's total over as many days, directly before.
func (r *Resolver) usageBefore(ctx context.Context, report *model.UsageReport) (*model.UsageTotals, error) {
	sums, err := r.Budgets.Usage(ctx, report.In, report.Filter.Before(), budget.Whole, 1)
	if err != nil || len(sums) == 0 {
		return totals(report.Total.Plane, budget.Sum{}), err
	}
	return totals(report.Total.Plane, sums[0]), nil
}

// usageRowKey is a row of a report.
type usageRowKey struct {
	report *model.UsageReport
	id     string
}

func usageRowBefore(ctx context.Context, row *model.UsageRow) (*model.UsageTotals, error) {
	s, err := from(ctx).receipt.before.Load(ctx, usageRowKey{row.Report, row.ID})
	if err != nil {
		return nil, err
	}
	return totals(row.Report.Total.Plane, *s), nil
}

// loadUsageBefore reads what rows were in the days before, by one query for each
// report.
func (r *Resolver) loadUsageBefore(ctx context.Context, keys []usageRowKey) (map[usageRowKey]*budget.Sum, error) {
	out := make(map[usageRowKey]*budget.Sum, len(keys))
	ids := map[*model.UsageReport][]string{}
	for _, k := range keys {
		out[k] = &budget.Sum{}
		ids[k.report] = append(ids[k.report], k.id)
	}
	for report, rows := range ids {
		sums, err := r.Budgets.UsageOf(ctx, report.In, report.Filter.Before(), report.By, rows)
		if err != nil {
			return nil, err
		}
		for _, s := range sums {
			out[usageRowKey{report, s.ID}] = &s
		}
	}
	return out, nil
}
