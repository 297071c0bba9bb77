package budget

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// verifyUsage sums the whole ledger up again, and finds rows of usage that say
// something else, those that are missing and those that shouldn't be there.
func (e *Engine) verifyUsage(ctx context.Context, c conn, out *findings) error {
	for _, t := range rollups {
		err := e.query(ctx, c, e.differences(t), nil, func(r *sql.Rows) error {
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
			d := Difference{Of: t.table}
			for i, name := range t.key {
				if texts[i] != "" {
					d.Of += " " + name + "=" + texts[i]
				}
			}
			for i, n := range numbers {
				if n != 0 {
					d.What, d.By = counterColumns[i], fmt.Sprintf("%+d", n)
					break
				}
			}
			out.add(d)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
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
	return fmt.Sprintf("SELECT %[1]s, %[2]s FROM (SELECT %[1]s, %[3]s FROM %[4]s WHERE %[9]s UNION ALL SELECT %[1]s, %[5]s FROM (%[6]s) f) d GROUP BY %[1]s HAVING %[7]s ORDER BY %[1]s LIMIT %[8]d",
		key, strings.Join(sums, ", "), strings.Join(counterColumns, ", "), t.table, strings.Join(stands, ", "), d.ofLedger(t, staying),
		strings.Join(differ, " OR "), maxDifferences, staying)
}
