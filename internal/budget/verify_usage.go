package budget

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// maxUsageDifferences bounds what VerifyUsage returns of a table.
const maxUsageDifferences = 1000

// UsageDifference is a sum of usage that doesn't agree with the ledger.
type UsageDifference struct {
	// Table is usage_days, usage_tags or usage_totals; Key names the row's
	// columns and their values.
	Table, Key string
	// Counter is the first that differs, By how much more it says than the ledger.
	Counter string
	By      int64
}

func (d UsageDifference) String() string {
	return fmt.Sprintf("%s %s: %s is off by %+d", d.Table, d.Key, d.Counter, d.By)
}

// VerifyUsage sums the whole ledger up again in one consistent read, and
// returns the rows of usage that say something else, those that are missing
// and those that shouldn't be there; at most 1,000 of each table.
func (e *Engine) VerifyUsage(ctx context.Context) ([]UsageDifference, error) {
	tx, err := e.db.BeginTx(ctx, &sql.TxOptions{Isolation: e.snapshot(), ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	var out []UsageDifference
	for _, t := range rollups {
		err := e.query(ctx, tx, e.differences(t), nil, func(r *sql.Rows) error {
			texts, numbers := make([]string, len(t.key)), make([]int64, len(counterColumns))
			var to []any
			for i := range texts {
				to = append(to, &texts[i])
			}
			for i := range numbers {
				to = append(to, &numbers[i])
			}
			if err := r.Scan(to...); err != nil {
				return err
			}
			d := UsageDifference{Table: t.table}
			for i, name := range t.key {
				if texts[i] != "" {
					d.Key += name + "=" + texts[i] + " "
				}
			}
			d.Key = strings.TrimSpace(d.Key)
			for i, n := range numbers {
				if n != 0 {
					d.Counter, d.By = counterColumns[i], n
					break
				}
			}
			out = append(out, d)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// differences subtracts the ledger from a rollup, key by key.
func (d dialect) differences(t rollup) string {
	key := strings.Join(t.key, ", ")
	var stands, sums, differ []string
	for _, c := range counterColumns {
		stands = append(stands, "-"+c+" AS "+c)
		sums = append(sums, "CAST(sum("+c+") AS BIGINT)")
		differ = append(differ, "sum("+c+") <> 0")
	}
	return fmt.Sprintf("SELECT %[1]s, %[2]s FROM (SELECT %[1]s, %[3]s FROM %[4]s UNION ALL SELECT %[1]s, %[5]s FROM (%[6]s) f) d GROUP BY %[1]s HAVING %[7]s ORDER BY %[1]s LIMIT %[8]d",
		key, strings.Join(sums, ", "), strings.Join(counterColumns, ", "), t.table, strings.Join(stands, ", "), d.ofLedger(t, "1 = 1"),
		strings.Join(differ, " OR "), maxUsageDifferences)
}
