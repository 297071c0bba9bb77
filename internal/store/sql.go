package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/internal/audit"
)

// Exec runs a statement that changes many rows at once, written with a ? for
// each argument. It is a change like any other: it wants an audit event. What
// the ent client does by itself is the caller's to do: epochs (Touch), versions
// and the guard, which plain SQL walks around.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int, error) {
	tx.changed++
	result, err := tx.sql.ExecContext(ctx, tx.adapt(query), args...)
	if err != nil {
		return 0, fmt.Errorf("store: %.60s: %w", query, err)
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// Rows calls scan for every row of a query, written as for Exec. The words
// FOR SHARE and FOR NO KEY UPDATE are left out on SQLite, which has one writer.
func (tx *Tx) Rows(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := tx.sql.QueryContext(ctx, tx.adapt(query), args...)
	if err != nil {
		return fmt.Errorf("store: %.60s: %w", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("store: %.60s: %w", query, err)
		}
	}
	return rows.Err()
}

var withoutLocks = strings.NewReplacer(" FOR SHARE", "", " FOR NO KEY UPDATE", "")

func (tx *Tx) adapt(query string) string {
	if tx.store.Dialect != Postgres {
		return withoutLocks.Replace(query)
	}
	var b strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			b.WriteString("$" + strconv.Itoa(n))
		}
		b.WriteString(part)
		n++
	}
	return b.String()
}

// In is a list of arguments in words: "?, ?, ?".
func In(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// AuditAll writes many events of one change, such as one for each of many
// people that it moved.
func (tx *Tx) AuditAll(ctx context.Context, events []audit.Event) error {
	if len(events) == 0 {
		return nil
	}
	tx.audited++
	return audit.WriteAll(ctx, tx.Client, tx.store.Now(), events)
}
