package budget

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// conn is what a statement runs on: a pool, or a transaction of either kind.
type conn interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// dialect is "sqlite" or "postgres"; statements are written for PostgreSQL.
type dialect string

const postgres dialect = "postgres"

// rowsAtOnce bounds the rows of one statement: SQLite's driver takes quadratic
// time in the number of arguments.
func (d dialect) rowsAtOnce() int {
	if d == postgres {
		return 500
	}
	return 20
}

var (
	placeholder = regexp.MustCompile(`\$\d+`)
	rowLocks    = strings.NewReplacer("FOR UPDATE SKIP LOCKED", "", "FOR UPDATE", "", "FOR SHARE", "", "FOR NO KEY UPDATE", "")
)

// adapt puts a statement into SQLite's words. Placeholders lose their numbers,
// for the driver looks numbered ones up by name, each among all; row locks go,
// for there is one writer.
func (d dialect) adapt(query string, args []any) (string, []any) {
	if d == postgres {
		return query, args
	}
	var ordered []any
	query = placeholder.ReplaceAllStringFunc(rowLocks.Replace(query), func(p string) string {
		n, err := strconv.Atoi(p[1:])
		if err != nil || n > len(args) {
			return p
		}
		ordered = append(ordered, args[n-1])
		return "?"
	})
	return query, ordered
}

func (d dialect) exec(ctx context.Context, c conn, query string, args ...any) (int64, error) {
	text, args := d.adapt(query, args)
	res, err := c.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, fmt.Errorf("budget: %.60s: %w", query, err)
	}
	return res.RowsAffected()
}

// insert adds rows: all by one statement on PostgreSQL, a column an argument,
// for there it is planned each time; one by one on SQLite, whose statement is
// prepared once and runs in this process.
func (d dialect) insert(ctx context.Context, c conn, into string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	if d == postgres {
		arrays, types := columnsFrom(rows)
		_, err := d.exec(ctx, c, into+" SELECT * FROM unnest("+strings.Join(types, ",")+")", arrays...)
		return err
	}
	// The driver watches what can be cancelled with a goroutine a row.
	steady := context.WithoutCancel(ctx)
	stmt, err := c.PrepareContext(ctx, into+" VALUES ("+strings.TrimSuffix(strings.Repeat("?,", len(rows[0])), ",")+")")
	if err != nil {
		return fmt.Errorf("budget: %.60s: %w", into, err)
	}
	defer stmt.Close()
	for _, r := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := stmt.ExecContext(steady, r...); err != nil {
			return fmt.Errorf("budget: %.60s: %w", into, err)
		}
	}
	return nil
}

// jsonColumn is the text of a JSON column.
type jsonColumn string

// columnsFrom are the columns of rows as arrays, and the placeholders of their
// types.
func columnsFrom(rows [][]any) (arrays []any, types []string) {
	for i, first := range rows[0] {
		name := ""
		switch first.(type) {
		case string:
			name = "text"
			arrays = append(arrays, pq.StringArray(column(rows, i, func(v string) string { return v })))
		case jsonColumn:
			name = "jsonb"
			arrays = append(arrays, pq.StringArray(column(rows, i, func(v jsonColumn) string { return string(v) })))
		case int64:
			name = "bigint"
			arrays = append(arrays, pq.Int64Array(column(rows, i, func(v int64) int64 { return v })))
		case bool:
			name = "boolean"
			arrays = append(arrays, pq.BoolArray(column(rows, i, func(v bool) bool { return v })))
		case time.Time:
			name = "timestamptz"
			arrays = append(arrays, pq.StringArray(column(rows, i, func(v time.Time) string { return v.Format(time.RFC3339Nano) })))
		default:
			panic(fmt.Sprintf("budget: no array of %T", first)) // a row of the code's own
		}
		types = append(types, fmt.Sprintf("$%d::%s[]", i+1, name))
	}
	return arrays, types
}

func column[T, U any](rows [][]any, i int, as func(T) U) []U {
	out := make([]U, len(rows))
	for n, r := range rows {
		value, _ := r[i].(T) // columns hold one type each
		out[n] = as(value)
	}
	return out
}

// query calls scan for every row.
func (d dialect) query(ctx context.Context, c conn, query string, args []any, scan func(*sql.Rows) error) error {
	text, args := d.adapt(query, args)
	rows, err := c.QueryContext(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("budget: %.60s: %w", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("budget: %.60s: %w", query, err)
		}
	}
	return rows.Err()
}

// params collects the arguments of a statement and gives their placeholders.
type params []any

func (p *params) add(v any) string {
	*p = append(*p, v)
	return fmt.Sprintf("$%d", len(*p))
}

// int is a number whose type PostgreSQL can't tell from where it stands.
func (p *params) int(n int64) string { return "CAST(" + p.add(n) + " AS BIGINT)" }

func sqlBool(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}

func (p *params) list(vs []string) string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = p.add(v)
	}
	return strings.Join(out, ",")
}

func (p *params) row(vs ...any) string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = p.add(v)
	}
	return "(" + strings.Join(out, ",") + ")"
}

// stamp makes a time equal on both databases: UTC, whole microseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// jsonText is v as a JSON column takes it on both databases.
func jsonText(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// fromJSON scans a JSON column.
type fromJSON struct{ to any }

// Scan implements sql.Scanner; NULL leaves the value as it is.
func (j fromJSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(v, j.to)
	case string:
		return json.Unmarshal([]byte(v), j.to)
	}
	return fmt.Errorf("JSON column holds a %T", src)
}

// scanInto scans the one row that there is.
func scanInto(to ...any) func(*sql.Rows) error {
	return func(r *sql.Rows) error { return r.Scan(to...) }
}
