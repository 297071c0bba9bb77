package budget

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Dimension is what usage is summed by.
type Dimension string

// The dimensions of usage. Whole is one sum over everything. A charge with two
// tags counts in both, and one without a tag in none; every other dimension
// adds up to the whole.
const (
	Whole          Dimension = "WHOLE"
	ByModel        Dimension = "MODEL"
	ByOrganization Dimension = "ORGANIZATION"
	ByTeam         Dimension = "TEAM"
	ByMember       Dimension = "MEMBER"
	ByUser         Dimension = "USER"
	ByKey          Dimension = "KEY"
	ByAgent        Dimension = "AGENT"
	ByClient       Dimension = "CLIENT"
	ByTag          Dimension = "TAG"
	ByDay          Dimension = "DAY"
)

// dimension says how usage is grouped: the column of the id, the name that the
// rows remember, and the table of the present names.
type dimension struct{ id, name, names string }

var dimensions = map[Dimension]dimension{
	Whole:          {"''", "''", ""},
	ByModel:        {"model_id", "max(model_name)", ""},
	ByOrganization: {"organization_id", "''", "scopes"},
	ByTeam:         {"team_id", "''", "scopes"},
	ByMember:       {"member_id", "''", "scopes"},
	ByUser:         {"user_id", "''", "users"},
	ByKey:          {"key_id", "''", "scopes"},
	ByAgent:        {"agent_id", "''", "scopes"},
	ByClient:       {"client_id", "''", "service_clients"},
	ByTag:          {"tag", "tag", ""},
	ByDay:          {"CAST(day AS TEXT)", "''", ""},
}

// Sum is the usage of one model, scope, person, program, tag or day.
type Sum struct {
	// ID is empty for what nothing of the dimension was part of.
	ID string
	// Name is the newest known; empty for days.
	Name string
	// Day is its first instant, set when summed by day.
	Day     time.Time
	Calls   int64
	Usage   Usage
	Cost    money.Nano
	Credits money.Nano
}

// UsageFilter says which charges are summed: those of the days from From's up to
// To's; the day of To counts too unless To is its midnight. Empty ids leave
// nothing out.
type UsageFilter struct {
	From, To time.Time
	// Zone is the account's, as Engine.Zone tells; nil is UTC.
	Zone                                           *time.Location
	ModelID, Tag, UserID, KeyID, AgentID, ClientID string
}

func (f UsageFilter) zone() *time.Location {
	if f.Zone == nil {
		return time.UTC
	}
	return f.Zone
}

// days are the first and the last day.
func (f UsageFilter) days() (first, last int) {
	return DayOf(f.From.In(f.zone())), DayOf(f.To.Add(-time.Nanosecond).In(f.zone()))
}

// Before is the filter for as many days, directly before.
func (f UsageFilter) Before() UsageFilter {
	first, last := f.days()
	f.From, f.To = StartOf(first-(last-first+1), f.zone()), StartOf(first, f.zone())
	return f
}

// sumColumns are the counters of rolled up rows, to be scanned by Sum.to.
var sumColumns = func() string {
	out := make([]string, len(counterColumns))
	for i, c := range counterColumns {
		out[i] = "CAST(sum(" + c + ") AS BIGINT) AS " + c
	}
	return strings.Join(out, ", ")
}()

// to are the places of sumColumns.
func (s *Sum) to() []any {
	u := &s.Usage
	return []any{&s.Calls, &u.Input, &u.CachedInput, &u.CacheWrite, &u.Output, &u.Reasoning, &u.AudioInput, &u.AudioOutput, &s.Cost, &s.Credits}
}

// Usage sums what was charged inside reaches, all of one plane, by a
// dimension: the dearest first, at most rows of them, or days in their order.
func (e *Engine) Usage(ctx context.Context, in []tenancy.Reach, f UsageFilter, by Dimension, rows int) ([]Sum, error) {
	return e.usageOf(ctx, in, f, by, nil, rows)
}

// UsageOf is Usage of some parts of a dimension alone, by their ids; what was
// charged to none of them is left out.
func (e *Engine) UsageOf(ctx context.Context, in []tenancy.Reach, f UsageFilter, by Dimension, ids []string) ([]Sum, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return e.usageOf(ctx, in, f, by, ids, len(ids))
}

func (e *Engine) usageOf(ctx context.Context, in []tenancy.Reach, f UsageFilter, by Dimension, ids []string, rows int) ([]Sum, error) {
	e.flushed()
	dim, ok := dimensions[by]
	if !ok {
		return nil, fmt.Errorf("budget: no dimension %q", by)
	}
	if len(in) == 0 {
		return nil, nil
	}
	amount := amountColumn(in[0].Plane)
	order := amount + " DESC, id"
	if by == ByDay {
		order = "day"
	}
	var p params
	where := f.where(&p, in)
	if ids != nil {
		where += " AND " + dim.id + " IN (" + p.list(ids) + ")"
	}
	q := fmt.Sprintf("SELECT %s AS id, %s AS name, min(day) AS day, %s FROM %s WHERE %s GROUP BY 1 ORDER BY %s LIMIT %d",
		dim.id, dim.name, sumColumns, f.table(by), where, order, rows)
	if dim.names != "" {
		q = "SELECT g.id, coalesce(n.name, ''), g.day, g." + strings.Join(counterColumns, ", g.") + " FROM (" + q + ") g LEFT JOIN " + dim.names +
			" n ON n.id = g.id ORDER BY g." + amount + " DESC, g.id"
	}
	var out []Sum
	err := e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		var s Sum
		var day int64
		err := r.Scan(append([]any{&s.ID, &s.Name, &day}, s.to()...)...)
		if by == ByDay {
			s.Day = StartOf(int(day), f.zone())
		}
		out = append(out, s)
		return err
	})
	return out, err
}

// table is where a dimension is read from.
func (f UsageFilter) table(by Dimension) string {
	if by == ByTag || f.Tag != "" {
		return usageTags.table
	}
	return usageDays.table
}

// amountColumn is what a plane counts in.
func amountColumn(plane tenancy.Plane) string {
	if plane == tenancy.Copilot {
		return "credits"
	}
	return "cost"
}

// where confines rows of usage_days and usage_tags.
func (f UsageFilter) where(p *params, in []tenancy.Reach) string {
	first, last := f.days()
	where := "account_id = " + p.add(in[0].AccountID) + " AND plane = " + p.add(string(in[0].Plane)) +
		" AND day >= " + p.add(first) + " AND day <= " + p.add(last)
	var within []string
	for _, r := range in {
		if r.AccountID == in[0].AccountID && r.Plane == in[0].Plane {
			within = append(within, under(p, r.Path))
		}
	}
	where += " AND (" + strings.Join(within, " OR ") + ")"
	for _, x := range [][2]string{{"model_id", f.ModelID}, {"tag", f.Tag}, {"user_id", f.UserID}, {"key_id", f.KeyID}, {"agent_id", f.AgentID}, {"client_id", f.ClientID}} {
		if x[1] != "" {
			where += " AND " + x[0] + " = " + p.add(x[1])
		}
	}
	return where
}

// under is true for the paths below another. The column of the path's deepest
// scope is named as well where there is one: it has an index.
func under(p *params, path string) string {
	n := p.add(path)
	where := "substr(path, 1, length(CAST(" + n + " AS TEXT))) = " + n
	scopes := strings.Split(strings.Trim(path, "/"), "/")
	for _, s := range slices.Backward(scopes) {
		if column := indexed[prefixOf(s)]; column != "" {
			return "(" + column + " = " + p.add(s) + " AND " + where + ")"
		}
	}
	return where
}

var indexed = map[id.Prefix]string{id.Organization: "organization_id", id.Team: "team_id", id.Member: "member_id"}

// TopSpenders are the members who spent most inside reach since a moment not
// longer ago than minutes, at most n of them; keys, agents and programs that
// call without a member stand for themselves. The second result is what all of
// them spent, in the plane's unit.
func (e *Engine) TopSpenders(ctx context.Context, reach tenancy.Reach, since time.Time, n int) ([]Sum, money.Nano, error) {
	e.flushed()
	amount := "cost"
	if reach.Plane == tenancy.Copilot {
		amount = "credits"
	}
	q := `SELECT g.id, coalesce(s.name, p.name, ''), g.calls, g.cost, g.credits, g.whole FROM (
		SELECT coalesce(nullif(member_id, ''), nullif(key_id, ''), nullif(agent_id, ''), client_id) AS id,
			sum(CASE WHEN kind IN ('SETTLED', 'IN_DOUBT') THEN 1 ELSE 0 END) AS calls,
			CAST(sum(cost) AS BIGINT) AS cost, CAST(sum(credits) AS BIGINT) AS credits,
			CAST(sum(sum(` + amount + `)) OVER () AS BIGINT) AS whole
		FROM charges WHERE account_id = $1 AND plane = $2 AND at >= $3 AND substr(path, 1, length(CAST($4 AS TEXT))) = $4
		GROUP BY 1 ORDER BY ` + amount + ` DESC, id LIMIT $5) g
		LEFT JOIN scopes s ON s.id = g.id LEFT JOIN service_clients p ON p.id = g.id ORDER BY g.` + amount + ` DESC, g.id`
	var out []Sum
	var whole money.Nano
	err := e.query(ctx, e.db, q, []any{reach.AccountID, string(reach.Plane), stamp(since), reach.Path, n}, func(r *sql.Rows) error {
		var s Sum
		err := r.Scan(&s.ID, &s.Name, &s.Calls, &s.Cost, &s.Credits, &whole)
		out = append(out, s)
		return err
	})
	return out, whole, err
}

// Series is what each scope spent per day of the account over the newest days,
// oldest first, today last: nano-USD in Console, nano-credits in Copilot. Scopes
// outside reach read as never having spent.
func (e *Engine) Series(ctx context.Context, reach tenancy.Reach, scopeIDs []string, days int) (map[string][]money.Nano, error) {
	zone, err := e.Zone(ctx, reach.AccountID)
	if err != nil {
		return nil, err
	}
	return e.series(ctx, reach, zone, e.now(), scopeIDs, days)
}

func (e *Engine) series(ctx context.Context, reach tenancy.Reach, zone *time.Location, now time.Time, scopeIDs []string, days int) (map[string][]money.Nano, error) {
	e.flushed()
	first := DayOf(now.In(zone)) - days + 1
	out := make(map[string][]money.Nano, len(scopeIDs))
	kinds := map[string][]string{}
	for _, s := range scopeIDs {
		out[s] = make([]money.Nano, days)
		column, ok := map[id.Prefix]string{
			id.Console: "root", id.Copilot: "root", id.Organization: "organization_id", id.Team: "team_id", id.Member: "member_id", id.Key: "key_id", id.Agent: "agent_id",
		}[prefixOf(s)]
		if ok && !slices.Contains(kinds[column], s) {
			kinds[column] = append(kinds[column], s)
		}
	}
	amount := amountColumn(reach.Plane)
	for column, ids := range kinds {
		p := params{reach.AccountID, string(reach.Plane), first, reach.Path}
		where := "account_id = $1 AND plane = $2 AND day >= $3 AND substr(path, 1, length(CAST($4 AS TEXT))) = $4"
		if column == "root" {
			// The root is the one scope that every path of the plane has.
			column = "substr(path, length(account_id) + 3, length(CAST(" + p.add(ids[0]) + " AS TEXT)))"
		}
		where += " AND " + column + " IN (" + p.list(ids) + ")"
		err := e.query(ctx, e.db, "SELECT "+column+", day, CAST(sum("+amount+") AS BIGINT) FROM usage_days WHERE "+where+" GROUP BY 1, 2", p, func(r *sql.Rows) error {
			var scope string
			var day int
			var sum money.Nano
			if err := r.Scan(&scope, &day, &sum); err != nil {
				return err
			}
			if i := day - first; i >= 0 && i < days {
				out[scope][i] = sum
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func prefixOf(s string) id.Prefix {
	p, _ := id.PrefixOf(s)
	return p
}
