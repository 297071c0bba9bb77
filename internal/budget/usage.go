package budget

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Dimension is what usage is summed by.
type Dimension string

// The dimensions of usage.
const (
	ByModel        Dimension = "MODEL"
	ByOrganization Dimension = "ORGANIZATION"
	ByTeam         Dimension = "TEAM"
	ByMember       Dimension = "MEMBER"
	ByKey          Dimension = "KEY"
	ByDay          Dimension = "DAY"
)

// columns are the ledger's column of a dimension's id, and one of its name.
var columns = map[Dimension][2]string{
	ByModel:        {"h.model_id", "max(h.model_name)"},
	ByOrganization: {"h.organization_id", "coalesce(max(s.name), '')"},
	ByTeam:         {"h.team_id", "coalesce(max(s.name), '')"},
	ByMember:       {"h.member_id", "coalesce(max(s.name), '')"},
	ByKey:          {"h.key_id", "coalesce(max(s.name), '')"},
	ByDay:          {"CAST(h.day AS TEXT)", "''"},
}

// Sum is the usage of one model, scope or day.
type Sum struct {
	// ID is empty for what no scope of the dimension was part of.
	ID string
	// Name is the newest known; empty for days.
	Name string
	// Day is midnight UTC, set when summed by day.
	Day     time.Time
	Calls   int64
	Usage   Usage
	Cost    money.Nano
	Credits money.Nano
}

// maxSums bounds the rows of one Usage.
const maxSums = 500

// Usage sums the charges inside reach from one moment up to, not including,
// another: the 500 dearest of the dimension, or days in their order.
func (e *Engine) Usage(ctx context.Context, reach tenancy.Reach, from, to time.Time, by Dimension) ([]Sum, error) {
	e.flushed()
	column, ok := columns[by]
	if !ok {
		return nil, fmt.Errorf("budget: no dimension %q", by)
	}
	order := "sum(h.cost) DESC, 1"
	if by == ByDay {
		order = "min(h.day)"
	}
	q := fmt.Sprintf(`SELECT %[1]s, %[2]s, sum(CASE WHEN h.kind IN ('SETTLED', 'IN_DOUBT') THEN 1 ELSE 0 END), min(h.day),
		CAST(sum(h.input_tokens) AS BIGINT), CAST(sum(h.cached_input_tokens) AS BIGINT), CAST(sum(h.cache_write_tokens) AS BIGINT),
		CAST(sum(h.output_tokens) AS BIGINT), CAST(sum(h.reasoning_tokens) AS BIGINT), CAST(sum(h.audio_input_tokens) AS BIGINT),
		CAST(sum(h.audio_output_tokens) AS BIGINT), CAST(sum(h.cost) AS BIGINT), CAST(sum(h.credits) AS BIGINT)
		FROM charges h LEFT JOIN scopes s ON s.id = %[1]s
		WHERE h.account_id = $1 AND h.plane = $2 AND h.day >= $3 AND h.day <= $4 AND h.at >= $5 AND h.at < $6
		AND substr(h.path, 1, length(CAST($7 AS TEXT))) = $7
		GROUP BY 1 ORDER BY %[3]s LIMIT %[4]d`, column[0], column[1], order, maxSums)
	args := []any{reach.AccountID, string(reach.Plane), dayOf(from), dayOf(to), stamp(from), stamp(to), reach.Path}
	var out []Sum
	err := e.query(ctx, e.db, q, args, func(r *sql.Rows) error {
		var s Sum
		var day int64
		u := &s.Usage
		err := r.Scan(&s.ID, &s.Name, &s.Calls, &day, &u.Input, &u.CachedInput, &u.CacheWrite, &u.Output, &u.Reasoning,
			&u.AudioInput, &u.AudioOutput, &s.Cost, &s.Credits)
		if by == ByDay {
			s.Day = time.Unix(day*86400, 0).UTC()
		}
		out = append(out, s)
		return err
	})
	return out, err
}

// TopSpenders are the members who spent most inside reach since a moment, at
// most n of them; calls without a member are one of them, without an id.
func (e *Engine) TopSpenders(ctx context.Context, reach tenancy.Reach, since time.Time, n int) ([]Sum, error) {
	sums, err := e.Usage(ctx, reach, since, e.now().Add(time.Second), ByMember)
	return sums[:min(n, len(sums))], err
}

// Series is what each scope spent per UTC day over the newest days, oldest
// first, today last: nano-USD in Console, nano-credits in Copilot. Scopes
// outside reach read as never having spent.
func (e *Engine) Series(ctx context.Context, reach tenancy.Reach, scopeIDs []string, days int) (map[string][]money.Nano, error) {
	e.flushed()
	first := dayOf(e.now()) - days + 1
	out := make(map[string][]money.Nano, len(scopeIDs))
	kinds := map[string][]string{}
	for _, s := range scopeIDs {
		out[s] = make([]money.Nano, days)
		column, ok := map[id.Prefix]string{
			id.Console: "root", id.Copilot: "root", id.Organization: "organization_id", id.Team: "team_id", id.Member: "member_id", id.Key: "key_id",
		}[prefixOf(s)]
		if ok && !slices.Contains(kinds[column], s) {
			kinds[column] = append(kinds[column], s)
		}
	}
	amount := "cost"
	if reach.Plane == tenancy.Copilot {
		amount = "credits"
	}
	for column, ids := range kinds {
		p := params{reach.AccountID, string(reach.Plane), first, reach.Path}
		where := "account_id = $1 AND plane = $2 AND day >= $3 AND substr(path, 1, length(CAST($4 AS TEXT))) = $4"
		if column == "root" {
			// The root is the one scope that every path of the plane has.
			column = "substr(path, length(account_id) + 3, length(CAST(" + p.add(ids[0]) + " AS TEXT)))"
		}
		where += " AND " + column + " IN (" + p.list(ids) + ")"
		err := e.query(ctx, e.db, "SELECT "+column+", day, CAST(sum("+amount+") AS BIGINT) FROM charges WHERE "+where+" GROUP BY 1, 2", p, func(r *sql.Rows) error {
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
