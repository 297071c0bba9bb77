package budget

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// UsageSeries is what parts of a dimension were charged day by day.
type UsageSeries struct {
	// First and Last are days since 1970, in the filter's zone.
	First, Last int
	// Amounts of each part that was asked for, one a day, in the plane's unit.
	Amounts map[string][]money.Nano
	// Others is what all other parts were charged. Of every dimension but ByTag
	// all of it adds up to the whole.
	Others []money.Nano
}

// UsageSeries is what the parts with some ids were charged on each day of the
// filter, and what all others were: one read, whatever their number.
func (e *Engine) UsageSeries(ctx context.Context, in []tenancy.Reach, f UsageFilter, by Dimension, ids []string) (*UsageSeries, error) {
	e.flushed()
	dim, ok := dimensions[by]
	if !ok || by == ByDay {
		return nil, fmt.Errorf("budget: no series by %q", by)
	}
	out := &UsageSeries{Amounts: make(map[string][]money.Nano, len(ids))}
	out.First, out.Last = f.days()
	n := out.Last - out.First + 1
	out.Others = make([]money.Nano, n)
	for _, k := range ids {
		out.Amounts[k] = make([]money.Nano, n)
	}
	if len(in) == 0 {
		return out, nil
	}
	var p params
	where := f.where(&p, in)
	part, group := "NULL", "day"
	if len(ids) > 0 {
		part, group = "CASE WHEN "+dim.id+" IN ("+p.list(ids)+") THEN "+dim.id+" END", "1, day"
	}
	q := fmt.Sprintf("SELECT %s, day, CAST(sum(%s) AS BIGINT) FROM %s WHERE %s GROUP BY %s", part, amountColumn(in[0].Plane), f.table(by), where, group)
	err := e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		var id sql.NullString
		var day int
		var sum money.Nano
		if err := r.Scan(&id, &day, &sum); err != nil {
			return err
		}
		to := out.Others
		if id.Valid {
			to = out.Amounts[id.String]
		}
		to[day-out.First] += sum
		return nil
	})
	return out, err
}

// Times are when charges of the filter were settled, oldest first: from an instant
// to before another. They may hold others too; none of the filter's lies outside.
func (e *Engine) Times(ctx context.Context, in []tenancy.Reach, f UsageFilter) ([][2]time.Time, error) {
	days, err := e.Usage(ctx, in, f, ByDay, maxTimes)
	var out [][2]time.Time
	for _, d := range days {
		// Whatever zone it was booked by, its day lies within.
		from, to := d.Day.Add(-day), d.Day.Add(2*day)
		if n := len(out); n > 0 && !from.After(out[n-1][1]) {
			out[n-1][1] = to
		} else {
			out = append(out, [2]time.Time{from, to})
		}
	}
	return out, err
}

// maxTimes bounds the days that are looked at, beyond what a report covers.
const maxTimes = 500

// Flow is what a team of an organization was charged for a model. What was
// charged to a plane or an organization itself has no team, or neither.
type Flow struct {
	OrganizationID, OrganizationName string
	TeamID, TeamName                 string
	ModelID, ModelName               string
	// Amount is in the plane's unit.
	Amount money.Nano
}

// Flows are the dearest ways from an organization through a team to a model, at
// most rows of them, and what went all others.
func (e *Engine) Flows(ctx context.Context, in []tenancy.Reach, f UsageFilter, rows int) (flows []Flow, others money.Nano, err error) {
	e.flushed()
	if len(in) == 0 {
		return nil, 0, nil
	}
	var p params
	amount := amountColumn(in[0].Plane)
	key := "organization_id, team_id, model_id"
	q := fmt.Sprintf(`SELECT g.organization_id, coalesce(o.name, ''), g.team_id, coalesce(t.name, ''), g.model_id, g.model_name, g.amount, g.whole FROM (
			SELECT %[1]s, max(model_name) AS model_name, CAST(sum(%[2]s) AS BIGINT) AS amount, CAST(sum(sum(%[2]s)) OVER () AS BIGINT) AS whole
			FROM %[3]s WHERE %[4]s GROUP BY %[1]s ORDER BY amount DESC, %[1]s LIMIT %[5]d) g
		LEFT JOIN scopes o ON o.id = g.organization_id LEFT JOIN scopes t ON t.id = g.team_id ORDER BY g.amount DESC, g.%[6]s`,
		key, amount, f.table(Whole), f.where(&p, in), rows, strings.ReplaceAll(key, ", ", ", g."))
	err = e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		var x Flow
		err := r.Scan(&x.OrganizationID, &x.OrganizationName, &x.TeamID, &x.TeamName, &x.ModelID, &x.ModelName, &x.Amount, &others)
		flows = append(flows, x)
		return err
	})
	for _, x := range flows {
		others -= x.Amount
	}
	return slices.Clip(flows), others, err
}
