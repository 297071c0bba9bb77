package budget

import (
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// PlatformDimension is what the usage of all accounts is summed by. Nothing of
// what lies inside an account is among them.
type PlatformDimension string

// The dimensions of the platform's usage.
const (
	InAll      PlatformDimension = "ALL"
	ByAccount  PlatformDimension = "ACCOUNT"
	ByPlane    PlatformDimension = "PLANE"
	ByName     PlatformDimension = "MODEL"
	ByTotalDay PlatformDimension = "DAY"
)

// platformDimensions are the columns of id and name; models go by their name,
// for the same one has another id in every account.
var platformDimensions = map[PlatformDimension]dimension{
	InAll:      {"''", "''", ""},
	ByAccount:  {"t.account_id", "coalesce(max(a.name), '')", ""},
	ByPlane:    {"t.plane", "''", ""},
	ByName:     {"t.model_name", "t.model_name", ""},
	ByTotalDay: {"CAST(t.day AS TEXT)", "''", ""},
}

// PlatformFilter says whose usage the platform looks at: of the days from From's
// to To's in UTC, each as it was in the account's own time zone; what is empty
// leaves nothing out.
type PlatformFilter struct {
	From, To         time.Time
	AccountID, Model string
	Plane            tenancy.Plane
}

// PlatformSum is one account's, plane's, model's or day's usage.
type PlatformSum struct {
	Sum
	// CopilotCost is the part of Cost that the platform itself pays.
	CopilotCost money.Nano
}

// ValueOf is what credits are sold for at so many nano-USD each.
func ValueOf(credits, each money.Nano) money.Nano {
	v := new(big.Int).Mul(big.NewInt(int64(credits)), big.NewInt(int64(each)))
	if v.Quo(v, big.NewInt(int64(money.One))); !v.IsInt64() {
		return money.Max
	}
	return money.Nano(v.Int64())
}

// Add adds another's amounts.
func (s *PlatformSum) Add(o PlatformSum) {
	s.Calls += o.Calls
	s.Usage = s.Usage.plus(o.Usage)
	s.Cost += o.Cost
	s.Credits += o.Credits
	s.CopilotCost += o.CopilotCost
}

// PlatformUsage sums what all accounts were charged, dearest first, at most
// rows of them, or days in their order. For the platform alone.
func (e *Engine) PlatformUsage(ctx context.Context, f PlatformFilter, by PlatformDimension, rows int) ([]PlatformSum, error) {
	dim, ok := platformDimensions[by]
	if !ok {
		return nil, fmt.Errorf("budget: no dimension %q of the platform", by)
	}
	first, last := UsageFilter{From: f.From, To: f.To}.days()
	if now := e.now().UTC(); last >= DayOf(now) {
		last = max(last, DayOf(now.Add(farEast))) // today it is tomorrow there
	}
	p := params{first, last}
	where := "t.day >= $1 AND t.day <= $2"
	for _, x := range [][2]string{{"t.account_id", f.AccountID}, {"t.model_name", f.Model}, {"t.plane", string(f.Plane)}} {
		if x[1] != "" {
			where += " AND " + x[0] + " = " + p.add(x[1])
		}
	}
	order := "cost DESC, id"
	if by == ByTotalDay {
		order = "day"
	}
	q := fmt.Sprintf(`SELECT %s AS id, %s AS name, min(t.day) AS day, CAST(sum(CASE WHEN t.plane = 'COPILOT' THEN t.cost ELSE 0 END) AS BIGINT), %s
		FROM usage_totals t JOIN accounts a ON a.id = t.account_id WHERE %s GROUP BY 1%s ORDER BY %s LIMIT %d`,
		dim.id, dim.name, sumColumns, where, map[bool]string{true: ", t.model_name"}[by == ByName], order, rows)
	var out []PlatformSum
	err := e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		var s PlatformSum
		var day int64
		err := r.Scan(append([]any{&s.ID, &s.Name, &day, &s.CopilotCost}, s.to()...)...)
		if by == ByTotalDay {
			s.Day = time.Unix(day*86400, 0).UTC()
		}
		out = append(out, s)
		return err
	})
	return out, err
}

// farEast is how far ahead of UTC clocks go.
const farEast = 14 * time.Hour

// PoolUse is what an account's Copilot pool allows in its present cycle, and what
// of it is spent, in nano-credits.
type PoolUse struct{ Granted, Used money.Nano }

// Pools are the Copilot pools of accounts that have one, by account.
func (e *Engine) Pools(ctx context.Context, accountIDs []string) (map[string]PoolUse, error) {
	out := map[string]PoolUse{}
	if len(accountIDs) == 0 {
		return out, nil
	}
	p := params{stamp(e.now())}
	e.flushed()
	q := `SELECT b.account_id, coalesce(c.lim, b.lim), coalesce(c.folded, 0) + ` + leased("spent") + ` FROM budgets b JOIN scopes s ON s.id = b.scope_id AND s.kind = 'COPILOT'
		LEFT JOIN budget_cycles c ON c.budget_id = b.id AND c.starts_at <= $1 AND c.ends_at > $1 WHERE b.account_id IN (` + p.list(accountIDs) + ")"
	err := e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		var account string
		var pool PoolUse
		err := r.Scan(&account, &pool.Granted, &pool.Used)
		out[account] = pool
		return err
	})
	return out, err
}
