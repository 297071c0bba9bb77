package graph

import (
	"context"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const maxUsageDays = 400

func checkRange(f model.UsageFilter) error {
	if !f.To.After(f.From) || f.To.Sub(f.From) > maxUsageDays*24*time.Hour {
		return fault.New(fault.BadInput, "A usage report covers more than nothing and at most %d days: from must lie before to.", maxUsageDays)
	}
	return nil
}

// usageReaches are the parts of a plane that a report is about.
func (r *Resolver) usageReaches(ctx context.Context, at model.Ref, scopeID *string) ([]tenancy.Reach, error) {
	if scopeID == nil {
		return reaches(ctx, at.AccountID, at.Plane), nil
	}
	s, err := r.scopeByID(tenancy.InPlane(ctx, at.Plane), *scopeID)
	if err != nil {
		return nil, err
	}
	return []tenancy.Reach{{AccountID: s.AccountID, Plane: at.Plane, Path: s.Path}}, nil
}

// sums adds up what the reaches used, by one dimension.
func (r *Resolver) sums(ctx context.Context, in []tenancy.Reach, f model.UsageFilter, by budget.Dimension) ([]budget.Sum, error) {
	byKey := map[string]int{}
	var out []budget.Sum
	for _, reach := range in {
		rows, err := r.Budgets.Usage(ctx, reach, f.From, f.To, by)
		if err != nil {
			return nil, err
		}
		for _, s := range rows {
			key := s.ID + s.Day.String()
			i, seen := byKey[key]
			if !seen {
				byKey[key] = len(out)
				out = append(out, s)
				continue
			}
			o := &out[i]
			o.Calls += s.Calls
			o.Cost += s.Cost
			o.Credits += s.Credits
			o.Usage.Input += s.Usage.Input
			o.Usage.CachedInput += s.Usage.CachedInput
			o.Usage.CacheWrite += s.Usage.CacheWrite
			o.Usage.AudioInput += s.Usage.AudioInput
			o.Usage.Output += s.Usage.Output
			o.Usage.Reasoning += s.Usage.Reasoning
			o.Usage.AudioOutput += s.Usage.AudioOutput
		}
	}
	return out, nil
}

func totals(plane tenancy.Plane, sums ...budget.Sum) *model.UsageTotals {
	t := &model.UsageTotals{Plane: plane}
	for _, s := range sums {
		t.Amount += amountIn(plane, s.Cost, s.Credits)
		t.CostUSD += s.Cost
		t.Calls += s.Calls
		t.InputTokens += s.Usage.Input + s.Usage.CachedInput + s.Usage.CacheWrite + s.Usage.AudioInput
		t.OutputTokens += s.Usage.Output + s.Usage.Reasoning + s.Usage.AudioOutput
	}
	return t
}

// share is part of whole in percent.
func share(part, whole money.Nano) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole) * 100
}

func (r *Resolver) usage(ctx context.Context, at model.Ref, f model.UsageFilter, by model.UsageGroup, rows *int) (*model.UsageReport, error) {
	if err := checkRange(f); err != nil {
		return nil, err
	}
	if rows == nil || *rows < 1 || *rows > maxPage {
		return nil, fault.New(fault.BadInput, "rows lies between 1 and %d.", maxPage)
	}
	in, err := r.usageReaches(ctx, at, f.ScopeID)
	if err != nil {
		return nil, err
	}
	groups, err := r.sums(ctx, in, f, budget.Dimension(by))
	if err != nil {
		return nil, err
	}
	days, err := r.sums(ctx, in, f, budget.ByDay)
	if err != nil {
		return nil, err
	}
	total := totals(at.Plane, days...)
	report := &model.UsageReport{Unit: unitOf(at.Plane), Total: total, Rows: []*model.UsageRow{}, Days: []*model.UsageDay{}}
	for _, g := range groups {
		t := totals(at.Plane, g)
		report.Rows = append(report.Rows, &model.UsageRow{ID: g.ID, Name: g.Name, Totals: t, Share: share(t.Amount, total.Amount)})
	}
	slices.SortStableFunc(report.Rows, func(a, b *model.UsageRow) int { return compare(b.Totals.Amount, a.Totals.Amount) })
	report.Rows = report.Rows[:min(*rows, len(report.Rows))]
	slices.SortFunc(days, func(a, b budget.Sum) int { return a.Day.Compare(b.Day) })
	for _, d := range days {
		report.Days = append(report.Days, &model.UsageDay{Day: d.Day, Amount: amountIn(at.Plane, d.Cost, d.Credits), Calls: d.Calls})
	}
	return report, nil
}

func compare(a, b money.Nano) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (r *Resolver) charges(ctx context.Context, at model.Ref, scopeID, requestID *string, w window) (*model.ChargeConnection, error) {
	ctx = tenancy.InPlane(ctx, at.Plane)
	q := r.Store.Charge.Query().Where(charge.AccountID(at.AccountID), charge.PlaneEQ(charge.Plane(at.Plane)))
	if scopeID != nil {
		s, err := r.scopeByID(ctx, *scopeID)
		if err != nil {
			return nil, err
		}
		q.Where(func(sel *sql.Selector) {
			sel.Where(sql.P(func(b *sql.Builder) {
				b.WriteString("substr(").WriteString(sel.C(charge.FieldPath)).WriteString(", 1, ").Arg(len(s.Path)).WriteString(") = ").Arg(s.Path)
			}))
		})
	}
	if requestID != nil {
		q.Where(charge.RequestID(*requestID))
	}
	rows, info, err := list[*ent.Charge](ctx, q, w, charge.FieldID, true, func(c *ent.Charge) string { return c.ID })
	if err != nil {
		return nil, err
	}
	return &model.ChargeConnection{PageInfo: info, Edges: mapTo(rows, func(c *ent.Charge) *model.ChargeEdge {
		return &model.ChargeEdge{Node: toCharge(c), Cursor: encode(c.ID)}
	})}, nil
}

// maxAccounts bounds the rows of a platform report.
const maxAccounts = 200

func (r *Resolver) platformUsage(ctx context.Context, plane model.Plane, f model.UsageFilter) (*model.PlatformUsage, error) {
	if err := checkRange(f); err != nil {
		return nil, err
	}
	ctx = tenancy.Platform(ctx)
	query := func() *ent.ChargeQuery {
		return r.Store.Charge.Query().Where(charge.PlaneEQ(charge.Plane(plane)),
			charge.DayGTE(day(f.From)), charge.DayLTE(day(f.To)), charge.AtGTE(f.From), charge.AtLT(f.To))
	}
	type sum struct {
		AccountID string `json:"account_id"`
		Day       int    `json:"day"`
		Cost      int64  `json:"cost"`
		Credits   int64  `json:"credits"`
		Calls     int64  `json:"calls"`
	}
	sums := []ent.AggregateFunc{
		ent.As(wholeSum(charge.FieldCost), "cost"), ent.As(wholeSum(charge.FieldCredits), "credits"), ent.As(ent.Count(), "calls"),
	}
	var byAccount, byDay []sum
	if err := query().GroupBy(charge.FieldAccountID).Aggregate(sums...).Scan(ctx, &byAccount); err != nil {
		return nil, err
	}
	if err := query().GroupBy(charge.FieldDay).Aggregate(sums...).Scan(ctx, &byDay); err != nil {
		return nil, err
	}
	out := &model.PlatformUsage{Total: &model.PlatformTotals{}, Rows: []*model.PlatformUsageRow{}, Days: []*model.PlatformUsageDay{}}
	slices.SortFunc(byAccount, func(a, b sum) int { return compare(money.Nano(b.Cost), money.Nano(a.Cost)) })
	for i, s := range byAccount {
		out.Total.Cost += money.Nano(s.Cost)
		out.Total.Credits += money.Nano(s.Credits)
		out.Total.Calls += s.Calls
		if i < maxAccounts {
			out.Rows = append(out.Rows, &model.PlatformUsageRow{AccountID: s.AccountID,
				Totals: &model.PlatformTotals{Cost: money.Nano(s.Cost), Credits: money.Nano(s.Credits), Calls: s.Calls}})
		}
	}
	slices.SortFunc(byDay, func(a, b sum) int { return a.Day - b.Day })
	for _, s := range byDay {
		out.Days = append(out.Days, &model.PlatformUsageDay{Day: time.Unix(int64(s.Day)*86400, 0).UTC(),
			Cost: money.Nano(s.Cost), Credits: money.Nano(s.Credits), Calls: s.Calls})
	}
	return out, nil
}

// wholeSum sums to an integer: PostgreSQL's sum of bigints is a numeric.
func wholeSum(column string) ent.AggregateFunc {
	return func(s *sql.Selector) string { return "CAST(sum(" + s.C(column) + ") AS BIGINT)" }
}

func day(t time.Time) int { return int(t.Unix() / 86400) }
