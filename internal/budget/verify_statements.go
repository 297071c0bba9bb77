package budget

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
)

// verifyStatements holds statements against their cycles, the cycles that
// follow, and themselves. Those of removed budgets have no cycle any more.
func (e *Engine) verifyStatements(ctx context.Context, c conn, out *findings) error {
	q := `SELECT s.id, s.budget_id, s.cycle_id, s.starts_at, s.ends_at, s.lim, s.overflow, s.carried_in, s.raised, s.spent, s.overflow_spent, s.excess_spent,
		s.corrections, s.carried_out, s.calls, s.models, coalesce(c.id, ''), c.starts_at, c.ends_at, coalesce(c.lim, 0), coalesce(c.overflow, 0), coalesce(c.carried, 0),
		coalesce(c.raised, 0), coalesce(c.folded + ` + leased("spent") + `, 0), coalesce(c.corrections, 0), n.carried, CASE WHEN b.id IS NULL THEN 0 ELSE 1 END
		FROM statements s LEFT JOIN budgets b ON b.id = s.budget_id LEFT JOIN budget_cycles c ON c.id = s.cycle_id
		LEFT JOIN budget_cycles n ON n.budget_id = c.budget_id AND n.starts_at = c.ends_at WHERE s.` + staying + ` ORDER BY s.id`
	return e.query(ctx, c, q, nil, func(r *sql.Rows) error {
		var id, budgetID, cycleID, there string
		var starts, ends time.Time
		var cycleStarts, cycleEnds sql.NullTime
		var lim, overflow, carried, raised, spent, over, excess, corrections, carry money.Nano
		var of cycle
		var ofCarried, ofCorrections money.Nano
		var next sql.NullInt64
		var calls int64
		var models []ModelSum
		var stands bool
		err := r.Scan(&id, &budgetID, &cycleID, &starts, &ends, &lim, &overflow, &carried, &raised, &spent, &over, &excess, &corrections, &carry, &calls, fromJSON{&models},
			&there, &cycleStarts, &cycleEnds, &of.lim, &of.overflow, &ofCarried, &of.raised, &of.spent, &ofCorrections, &next, &stands)
		if err != nil {
			return err
		}
		label := "statement " + id + " of budget " + budgetID
		var sum account
		for _, m := range models {
			sum.spent, sum.calls = sum.spent+m.Amount, sum.calls+m.Calls
		}
		out.amount(label, "spent in the overflow", over, overflowOf(spent, lim, overflow))
		out.amount(label, "spent beyond the overflow", excess, excessOf(spent, lim, overflow))
		out.amount(label, "the sum of its models", sum.spent, spent)
		out.count(label, "the calls of its models", sum.calls, calls)
		if most := max(0, lim-raised-spent); carry > most {
			out.amount(label, "carried out", carry, most)
		}
		if there == "" {
			if stands {
				out.add(Difference{Of: label, What: "its cycle", Says: cycleID + ", which is gone", Should: "there, for its budget is"})
			}
			return nil
		}
		if !starts.Equal(cycleStarts.Time) || !ends.Equal(cycleEnds.Time) {
			out.add(Difference{Of: label, What: "its time", Says: starts.UTC().Format(time.RFC3339) + " to " + ends.UTC().Format(time.RFC3339),
				Should: cycleStarts.Time.UTC().Format(time.RFC3339) + " to " + cycleEnds.Time.UTC().Format(time.RFC3339)})
		}
		out.amount(label, "limit", lim, of.lim)
		out.amount(label, "overflow", overflow, of.overflow)
		out.amount(label, "carried in", carried, ofCarried)
		out.amount(label, "raised", raised, of.raised)
		out.amount(label, "spent", spent, of.spent)
		out.amount(label, "corrections", corrections, ofCorrections)
		if next.Valid {
			out.amount(label, "carried out", carry, money.Nano(next.Int64))
		}
		return nil
	})
}

// modelColumns are what a statement says of a model; see sums.
var modelColumns = []struct{ column, field string }{
	{"calls", "calls"}, {"amount", "amount"}, {"input_tokens", "inputTokens"}, {"output_tokens", "outputTokens"},
}

// verifyModels sums the ledger up by cycle and model, and holds statements
// against it. Cycles that count calls from before their budget are left out: the
// ledger doesn't name them on those.
func (e *Engine) verifyModels(ctx context.Context, c conn, out *findings) error {
	each, field := "CROSS JOIN json_each(s.models) AS m", func(name string) string { return "json_extract(m.value, '$." + name + "')" }
	if e.dialect == postgres {
		each = "CROSS JOIN LATERAL jsonb_array_elements(CASE WHEN jsonb_typeof(s.models) = 'array' THEN s.models ELSE '[]' END) AS m(value)"
		field = func(name string) string { return "m.value->>'" + name + "'" }
	}
	var stands, totals, minus, differ []string
	for _, m := range modelColumns {
		stands = append(stands, "CAST("+field(m.field)+" AS BIGINT) AS "+m.column)
		totals = append(totals, "CAST(sum(x."+m.column+") AS BIGINT)")
		minus = append(minus, "-"+m.column)
		differ = append(differ, "sum(x."+m.column+") <> 0")
	}
	with := "JOIN budget_cycles c ON c.id = s.cycle_id AND c.prior = 0"
	q := fmt.Sprintf(`WITH ledger(cycle_id, model_id, model_name, calls, amount, input_tokens, output_tokens) AS (SELECT k.value, %[1]s FROM %[2]s
			JOIN statements s ON s.cycle_id = k.value %[3]s WHERE NOT %[4]s GROUP BY k.value, h.model_id),
		both_sides AS (SELECT s.cycle_id AS cycle_id, %[5]s AS model_id, %[6]s FROM statements s %[3]s %[7]s
			UNION ALL SELECT cycle_id, model_id, %[8]s FROM ledger)
		SELECT s.id, s.budget_id, x.model_id, %[9]s FROM both_sides x JOIN statements s ON s.cycle_id = x.cycle_id
		GROUP BY s.id, s.budget_id, x.model_id HAVING %[10]s ORDER BY 1, 3 LIMIT %[11]d`,
		sums, e.named(), with, elsewhere, field("modelId"), strings.Join(stands, ", "), each, strings.Join(minus, ", "), strings.Join(totals, ", "),
		strings.Join(differ, " OR "), maxDifferences)
	return e.query(ctx, c, q, nil, func(r *sql.Rows) error {
		var id, budgetID, model string
		by := make([]int64, len(modelColumns))
		to := []any{&id, &budgetID, &model}
		for i := range by {
			to = append(to, &by[i])
		}
		err := r.Scan(to...)
		for i, m := range modelColumns {
			if by[i] != 0 {
				d := Difference{Of: "statement " + id + " of budget " + budgetID + " model " + model, What: m.field, By: fmt.Sprintf("%+d", by[i])}
				if m.field == "amount" {
					d.By = money.Nano(by[i]).String()
				}
				out.add(d)
			}
		}
		return err
	})
}
