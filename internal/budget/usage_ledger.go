package budget

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/id"
)

// ofLedger sums charges up as the rollup does: its key and other columns, and
// the counters.
func (d dialect) ofLedger(t rollup, where string) string {
	columns := slices.Clone(t.key)
	for _, name := range t.more {
		columns = append(columns, "max("+name+") AS "+name)
	}
	columns = append(columns, "sum(CASE WHEN kind IN ('SETTLED', 'IN_DOUBT') THEN 1 ELSE 0 END) AS calls")
	for _, name := range counterColumns[1:] {
		columns = append(columns, "CAST(sum("+name+") AS BIGINT) AS "+name)
	}
	from := "charges"
	if t.prefix == id.UsageTag {
		from = d.tagged()
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + from + " ledger WHERE " + where + " GROUP BY " + strings.Join(t.key, ", ")
}

// tagged are the charges with each of their tags once.
func (d dialect) tagged() string {
	if d == postgres {
		return `(SELECT c.*, x.tag FROM charges c, LATERAL (SELECT DISTINCT tag FROM
			jsonb_array_elements_text(CASE WHEN jsonb_typeof(c.tags) = 'array' THEN c.tags ELSE '[]' END) AS e(tag)) x)`
	}
	return `(SELECT DISTINCT c.*, e.value AS tag FROM charges c, json_each(CASE WHEN json_type(c.tags) = 'array' THEN c.tags ELSE '[]' END) e)`
}

// FillUsage sums the whole ledger of an account up again: for books that were
// written without the engine.
func (e *Engine) FillUsage(ctx context.Context, tx conn, accountID string) error {
	for _, t := range rollups {
		if _, err := e.exec(ctx, tx, "DELETE FROM "+t.table+" WHERE account_id = $1", accountID); err != nil {
			return err
		}
		number := "printf('%08d', row_number() OVER (ORDER BY 1))"
		if e.dialect == postgres {
			number = "lpad(CAST(row_number() OVER () AS TEXT), 8, '0')"
		}
		fresh := id.New(t.prefix)
		columns := strings.Join(t.columns()[1:], ", ")
		q := fmt.Sprintf("INSERT INTO %s (id, %s) SELECT '%s' || %s, %s FROM (%s) f", t.table, columns, fresh[:len(fresh)-8], number, columns,
			e.ofLedger(t, "account_id = $1"))
		if _, err := e.exec(ctx, tx, q, accountID); err != nil {
			return err
		}
	}
	return nil
}
