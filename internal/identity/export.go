package identity

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/store"
)

const (
	// exportPage bounds the rows that are read, and kept in memory, at once.
	exportPage = 500
	// exportFormat is raised when the form of an export changes.
	exportFormat = 1
)

// unexported columns hold what signs somebody in, or would be of use for it. A
// test finds those that the schema calls sensitive.
var unexported = []string{
	"providers.secret", "central_providers.secret", "identity_providers.secret",
	"logins.password_hash", "logins.reset_hash",
	"sessions.token_hash", "sessions.rests_on", "keys.token_hash", "idempotency_keys.key_hash", "idempotency_keys.request_hash", "mutation_keys.key_hash", "mutation_keys.sealed_request", "mutation_keys.sealed_answer", "invitations.token_hash", "personal_tokens.token_hash",
	"service_clients.secret_hash", "service_clients.previous_secret_hash",
	"authorizations.code_hash", "authorizations.refresh_hash",
	"authorizations.challenge", "authorizations.nonce",
	"webhooks.secret", "webhooks.previous_secret",
	"connections.client_secret", "connections.registered_client", "connection_credentials.secret", "guardrail_presets.moderation_secret",
}

// exported tells which columns of a table an export has.
func exported(t *schema.Table) []*schema.Column {
	return slices.DeleteFunc(slices.Clone(t.Columns), func(c *schema.Column) bool {
		return slices.Contains(unexported, t.Name+"."+c.Name)
	})
}

// Export writes a ZIP with a file for every table of the schema, one row of the
// account's a line, and a manifest that counts them. It holds a page of rows at
// a time, and asks before each whether it may go on. The caller has checked
// that the viewer may, and has written the audit event.
func Export(ctx context.Context, st *store.Store, accountID string, to io.Writer, goOn func() error) error {
	archive := zip.NewWriter(to)
	manifest := struct {
		Format    int            `json:"format"`
		AccountID string         `json:"accountId"`
		At        time.Time      `json:"at"`
		Rows      map[string]int `json:"rows"`
		LeftOut   []string       `json:"leftOut"`
	}{exportFormat, accountID, st.Now(), map[string]int{}, unexported}
	for _, t := range migrate.Tables {
		f, err := archive.Create("tables/" + t.Name + ".ndjson")
		if err != nil {
			return err
		}
		if manifest.Rows[t.Name], err = exportTable(ctx, st, t, accountID, f, goOn); err != nil {
			return fmt.Errorf("identity: export of %s: %w", t.Name, err)
		}
	}
	f, err := archive.Create("manifest.json")
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	return archive.Close()
}

// exportTable pages by plane and id, which every table has an index for.
func exportTable(ctx context.Context, st *store.Store, t *schema.Table, accountID string, to io.Writer, goOn func() error) (n int, err error) {
	columns := exported(t)
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	query := "SELECT plane, id, " + strings.Join(names, ", ") + " FROM " + t.Name +
		" WHERE account_id = ? AND (plane, id) > (?, ?) ORDER BY plane, id LIMIT ?"
	if st.Dialect == store.Postgres {
		query = numbered(query)
	}
	plane, last := "", ""
	for {
		if err := goOn(); err != nil {
			return n, err
		}
		page, next, err := exportRows(ctx, st.System(), query, []any{accountID, plane, last, exportPage}, columns, to)
		n += page
		if err != nil || page < exportPage {
			return n, err
		}
		plane, last = next[0], next[1]
	}
}

func exportRows(ctx context.Context, db *sql.DB, query string, args []any, columns []*schema.Column, to io.Writer) (n int, last [2]string, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, last, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]any, len(columns))
	for i, c := range columns {
		values[i] = holder(c)
	}
	out := bufio.NewWriter(to)
	var line bytes.Buffer
	for ; rows.Next(); n++ {
		if err := rows.Scan(append([]any{&last[0], &last[1]}, values...)...); err != nil {
			return n, last, err
		}
		line.Reset()
		for i, c := range columns {
			text, err := json.Marshal(plain(values[i], c))
			if err != nil {
				return n, last, fmt.Errorf("%s of %s: %w", c.Name, last[1], err)
			}
			open := ","
			if i == 0 {
				open = "{"
			}
			fmt.Fprintf(&line, "%s%q:%s", open, c.Name, text)
		}
		line.WriteString("}\n")
		if _, err := out.Write(line.Bytes()); err != nil {
			return n, last, err
		}
	}
	return n, last, errors.Join(rows.Err(), out.Flush())
}

// holder is what a column's value is read into.
func holder(c *schema.Column) any {
	switch {
	case c.Type == field.TypeTime:
		return new(sql.NullTime)
	case c.Type == field.TypeBool:
		return new(sql.NullBool)
	case c.Type.Integer():
		return new(sql.NullInt64)
	case c.Type == field.TypeJSON, c.Type == field.TypeBytes:
		return new([]byte)
	}
	return new(sql.NullString)
}

// plain is a read value in JSON's terms.
func plain(v any, c *schema.Column) any {
	switch v := v.(type) {
	case *sql.NullTime:
		if v.Valid {
			return v.Time.UTC()
		}
	case *sql.NullBool:
		if v.Valid {
			return v.Bool
		}
	case *sql.NullInt64:
		if v.Valid {
			return v.Int64
		}
	case *sql.NullString:
		if v.Valid {
			return v.String
		}
	case *[]byte:
		switch {
		case *v == nil:
		case c.Type == field.TypeJSON:
			return json.RawMessage(*v)
		default:
			return base64.StdEncoding.EncodeToString(*v)
		}
	}
	return nil
}

// numbered writes placeholders as PostgreSQL wants them.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r != '?' {
			b.WriteRune(r)
			continue
		}
		n++
		fmt.Fprintf(&b, "$%d", n)
	}
	return b.String()
}
