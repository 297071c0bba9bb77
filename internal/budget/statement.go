package budget

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
)

// ModelSum is what one model came to in a cycle.
type ModelSum struct {
	ModelID      string     `json:"modelId"`
	Name         string     `json:"name"`
	Calls        int64      `json:"calls"`
	Amount       money.Nano `json:"amount"`
	InputTokens  int64      `json:"inputTokens"`
	OutputTokens int64      `json:"outputTokens"`
}

// account is what the ledger says of a cycle.
type account struct {
	spent, corrections money.Nano
	calls              int64
	models             map[string]*ModelSum
}

func (a *account) add(m ModelSum) {
	a.spent += m.Amount
	a.calls += m.Calls
	have := a.models[m.ModelID]
	if have == nil {
		a.models[m.ModelID] = &m
		return
	}
	have.Calls += m.Calls
	have.Amount += m.Amount
	have.InputTokens += m.InputTokens
	have.OutputTokens += m.OutputTokens
	have.Name = max(have.Name, m.Name)
}

// clone may be added to: a transaction that is tried again begins anew.
func (a *account) clone() *account {
	out := *a
	out.models = make(map[string]*ModelSum, len(a.models))
	for k, m := range a.models {
		of := *m
		out.models[k] = &of
	}
	return &out
}

// sorted are the models, dearest first.
func (a *account) sorted() []ModelSum {
	out := make([]ModelSum, 0, len(a.models))
	for _, m := range a.models {
		out = append(out, *m)
	}
	slices.SortFunc(out, func(x, y ModelSum) int {
		if x.Amount != y.Amount {
			return compare(y.Amount, x.Amount)
		}
		return strings.Compare(x.ModelID, y.ModelID)
	})
	return out
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

// sums are the columns of a ModelSum over lines h of the ledger.
const sums = `h.model_id, max(h.model_name), CAST(sum(CASE WHEN h.kind IN ('SETTLED', 'IN_DOUBT') THEN 1 ELSE 0 END) AS BIGINT),
	CAST(sum(` + amountOf + `) AS BIGINT),
	CAST(sum(h.input_tokens + h.cached_input_tokens + h.cache_write_tokens + h.audio_input_tokens) AS BIGINT),
	CAST(sum(h.output_tokens + h.reasoning_tokens + h.audio_output_tokens) AS BIGINT)`

func (m *ModelSum) fields() []any {
	return []any{&m.ModelID, &m.Name, &m.Calls, &m.Amount, &m.InputTokens, &m.OutputTokens}
}

// accounts reads the ledger for cycles of one tree, from a moment on. A line that
// corrects a charge of another cycle is a correction; all others are what was
// spent.
func (d dialect) accounts(ctx context.Context, c conn, p place, cycles []string, since time.Time) (map[string]*account, error) {
	out := make(map[string]*account, len(cycles))
	for _, k := range cycles {
		out[k] = &account{models: map[string]*ModelSum{}}
	}
	err := d.query(ctx, c, "SELECT CAST(h.cycles AS TEXT), CAST(o.cycles AS TEXT), "+sums+`
		FROM charges h LEFT JOIN charges o ON o.id = h.adjusts AND h.kind = 'ADJUSTED'
		WHERE h.account_id = $1 AND h.plane = $2 AND h.at >= $3 GROUP BY 1, 2, h.model_id`,
		[]any{p.accountID, string(p.plane), stamp(since)}, func(r *sql.Rows) error {
			var named, original []string
			var m ModelSum
			if err := r.Scan(append([]any{fromJSON{&named}, fromJSON{&original}}, m.fields()...)...); err != nil {
				return err
			}
			for _, k := range named {
				switch a := out[k]; {
				case a == nil:
				case original != nil && !slices.Contains(original, k):
					a.corrections += m.Amount
				default:
					a.add(m)
				}
			}
			return nil
		})
	return out, err
}

// addPrior adds what a budget's first cycle counts of calls that don't know the
// budget.
func (d dialect) addPrior(ctx context.Context, c conn, budgetID, cycleID string, a *account) error {
	f, err := d.firstCycle(ctx, c, budgetID)
	if err != nil || f == nil || f.id != cycleID || f.prior == 0 {
		return err
	}
	var p params
	return d.query(ctx, c, "SELECT "+sums+" FROM charges h WHERE "+f.lines(&p)+" GROUP BY h.model_id", p, func(r *sql.Rows) error {
		var m ModelSum
		err := r.Scan(m.fields()...)
		a.add(m)
		return err
	})
}

// overflowOf is what of a cycle's spend lies in its overflow, and excessOf what
// lies beyond both.
func overflowOf(spent, lim, overflow money.Nano) money.Nano {
	return min(max(0, spent-lim), overflow)
}

func excessOf(spent, lim, overflow money.Nano) money.Nano { return max(0, spent-lim-overflow) }

// writeStatement puts down what a closing cycle came to.
func (d dialect) writeStatement(ctx context.Context, c conn, e *ended, row *cycle, more beside, a *account, carriedOut money.Nano, now time.Time) error {
	models, err := json.Marshal(a.sorted())
	if err != nil {
		return err
	}
	var p params
	_, err = d.exec(ctx, c, `INSERT INTO statements (id, account_id, plane, created_at, scope_id, budget_id, cycle_id, scope_name, scope_path, unit,
		starts_at, ends_at, lim, overflow, carried_in, raised, spent, overflow_spent, excess_spent, corrections, carried_out, calls, models) VALUES `+
		p.row(id.At(id.Statement, row.endsAt), row.accountID, string(row.plane), stamp(now), e.scopeID, row.budgetID, row.id, e.scopeName, e.path, string(e.unit),
			row.startsAt, row.endsAt, int64(row.lim), int64(row.overflow), int64(more.carried), int64(more.raised), int64(a.spent),
			int64(overflowOf(a.spent, row.lim, row.overflow)), int64(excessOf(a.spent, row.lim, row.overflow)), int64(a.corrections),
			int64(carriedOut), a.calls, string(models)), p...)
	return err
}
