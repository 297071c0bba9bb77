package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Eraser deletes all that accounts hold whose deletion was asked for. How far
// it came is in the rows themselves, so that any replica goes on after a crash.
type Eraser struct {
	Store *store.Store
	Log   *slog.Logger
	// Batch bounds the rows of one transaction; 0 means 500.
	Batch int
}

// eraseEvery is the pause between looks for accounts to delete.
const eraseEvery = 2 * time.Second

func (e *Eraser) size() int {
	if e.Batch == 0 {
		return 500
	}
	return e.Batch
}

// Run deletes until the context ends.
func (e *Eraser) Run(ctx context.Context) {
	tick := time.NewTicker(eraseEvery)
	defer tick.Stop()
	for {
		if err := e.Erase(ctx); err != nil && ctx.Err() == nil {
			e.Log.ErrorContext(ctx, "an account could not be deleted; it is tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Erase deletes what it can of every account that waits for it. One whose last
// calls still run waits on.
func (e *Eraser) Erase(ctx context.Context) error {
	ctx = tenancy.System(ctx, "the system deletes what an account held")
	ids, err := e.Store.Account.Query().Where(account.DeletingAtNotNil(), account.DeletedAtIsNil()).IDs(ctx)
	if err != nil {
		return fmt.Errorf("identity: accounts to delete: %w", err)
	}
	var failed []error
	for _, accountID := range ids {
		for more := true; more && ctx.Err() == nil; {
			if more, err = e.batch(ctx, accountID); err != nil {
				failed = append(failed, fmt.Errorf("identity: delete %s: %w", accountID, err))
				break
			}
		}
	}
	return errors.Join(failed...)
}

// batch deletes up to 500 rows; false when there is nothing left to do, or not
// now, or another replica is at it.
func (e *Eraser) batch(ctx context.Context, accountID string) (more bool, err error) {
	err = e.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		more = false
		tx.Unaudited() // the order was, and the end will be
		mine, err := e.claim(ctx, tx, accountID)
		if err != nil || !mine {
			return err
		}
		for _, table := range erasable() {
			n, err := e.erase(ctx, tx.SQL(), table, accountID)
			if err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
			if n > 0 {
				more = true
				return nil
			}
		}
		// The platform's words of it: that something is offered to it.
		n, err := e.exec(ctx, tx.SQL(), "DELETE FROM listing_accounts WHERE id IN (SELECT id FROM listing_accounts WHERE offered_to = ? LIMIT ?)", accountID, e.size())
		if err != nil {
			return fmt.Errorf("listing_accounts: %w", err)
		}
		if n > 0 {
			more = true
			return nil
		}
		a, err := tx.Account.Get(ctx, accountID)
		if err != nil {
			return err
		}
		return e.bury(ctx, tx, a, &more)
	})
	return more, err
}

// claim takes the account for this transaction, unless another replica has it
// or calls of it still run: those settle on its budgets first.
func (e *Eraser) claim(ctx context.Context, tx *store.Tx, accountID string) (bool, error) {
	lock := ""
	if e.Store.Dialect == store.Postgres {
		lock = " FOR UPDATE SKIP LOCKED"
	}
	var found string
	err := tx.SQL().QueryRowContext(ctx, e.sql("SELECT id FROM accounts WHERE id = ? AND status = 'CLOSED' AND deleting_at IS NOT NULL AND deleted_at IS NULL"+lock), accountID).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var running bool
	err = tx.SQL().QueryRowContext(ctx, e.sql("SELECT EXISTS (SELECT 1 FROM holds WHERE account_id = ?)"), accountID).Scan(&running)
	return !running, err
}

// erase deletes a batch of a table's rows.
func (e *Eraser) erase(ctx context.Context, tx *sql.Tx, table, accountID string) (n int64, err error) {
	switch {
	case table == "users":
		return e.eraseUsers(ctx, tx, accountID)
	case e.Store.Dialect == store.Postgres && (table == "prices" || table == "credit_factors"):
		err = tx.QueryRowContext(ctx, "SELECT tenant_erase_prices($1, $2)", accountID, e.size()).Scan(&n)
		return n, err
	}
	order := ""
	if table == "scopes" {
		order = " ORDER BY length(path) DESC" // a node after all below it
	}
	return e.exec(ctx, tx, "DELETE FROM "+table+" WHERE id IN (SELECT id FROM "+table+" WHERE account_id = ?"+order+" LIMIT ?)", accountID, e.size())
}

// eraseUsers deletes people, and the logins that no account has a user of any
// more.
func (e *Eraser) eraseUsers(ctx context.Context, tx *sql.Tx, accountID string) (int64, error) {
	rows, err := tx.QueryContext(ctx, e.sql("SELECT id, login_id FROM users WHERE account_id = ? LIMIT ?"), accountID, e.size())
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var people, logins []any
	for rows.Next() {
		var user string
		var login sql.NullString
		if err := rows.Scan(&user, &login); err != nil {
			return 0, err
		}
		people = append(people, user)
		if login.Valid {
			logins = append(logins, login.String)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(people) == 0 {
		return 0, err
	}
	n, err := e.exec(ctx, tx, "DELETE FROM users WHERE id IN ("+marks(people)+")", people...)
	if err != nil || len(logins) == 0 {
		return n, err
	}
	_, err = e.exec(ctx, tx, "DELETE FROM logins WHERE id IN ("+marks(logins)+") AND NOT EXISTS (SELECT 1 FROM users WHERE users.login_id = logins.id)", logins...)
	return n, err
}

// bury erases the account's own words from its ledger, then its audit log, and
// leaves its row as a gravestone: an id, a name, and where its log stood.
func (e *Eraser) bury(ctx context.Context, tx *store.Tx, a *ent.Account, more *bool) error {
	n, err := e.eraseWords(ctx, tx.SQL(), a.ID)
	if err != nil {
		return fmt.Errorf("charges: %w", err)
	}
	if n == 0 {
		n, err = audit.Erase(ctx, tx.SQL(), e.Store.Dialect, a.ID, e.size())
		if err != nil {
			return err
		}
	}
	if n > 0 {
		*more = true
		return nil
	}
	// Its name in addresses is free again.
	slug := "deleted-" + strings.ToLower(a.ID[strings.Index(a.ID, "_")+1:])
	buried, err := a.Update().SetDeletedAt(e.Store.Now()).SetSlug(slug).SetConsole(false).SetCopilot(false).
		SetAuditSeq(0).SetAuditHash("").Save(ctx)
	if err != nil {
		return err
	}
	ev := ofPlatform("account.erase", buried)
	ev.Changes = map[string]audit.Change{"slug": {Before: a.Slug, After: slug},
		"audit_seq": {Before: a.AuditSeq, After: 0}, "audit_hash": {Before: a.AuditHash, After: ""}}
	return tx.Audit(ctx, ev)
}

// eraseWords blanks what charges say in the account's own words.
func (e *Eraser) eraseWords(ctx context.Context, tx *sql.Tx, accountID string) (n int64, err error) {
	if e.Store.Dialect == store.Postgres {
		err = tx.QueryRowContext(ctx, "SELECT tenant_erase_words($1, $2)", accountID, e.size()).Scan(&n)
		return n, err
	}
	return e.exec(ctx, tx, `UPDATE charges SET tags = NULL, session_ref = '', model_name = 'deleted' WHERE id IN (
		SELECT id FROM charges WHERE account_id = ? AND (tags IS NOT NULL OR session_ref <> '' OR model_name <> 'deleted') LIMIT ?)`, accountID, e.size())
}

func (e *Eraser) exec(ctx context.Context, tx *sql.Tx, query string, args ...any) (int64, error) {
	res, err := tx.ExecContext(ctx, e.sql(query), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// sql writes placeholders as the database wants them.
func (e *Eraser) sql(query string) string {
	if e.Store.Dialect != store.Postgres {
		return query
	}
	return numbered(query)
}

func marks(args []any) string { return strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ") }

// kept are the tables that a deletion leaves, or that bury sees to.
var kept = []string{"accounts", "charges", "audit_events", "audit_checkpoints", "holds"}

// erasable lists the other tables, each before those that its rows link to.
func erasable() []string {
	before := map[string][]string{} // table → tables that must be empty by then
	for _, t := range migrate.Tables {
		before[t.Name] = append(before[t.Name], nil...)
		for _, fk := range t.ForeignKeys {
			if fk.RefTable != t {
				before[fk.RefTable.Name] = append(before[fk.RefTable.Name], t.Name)
			}
		}
	}
	before["scopes"] = append(before["scopes"], "organizations", "teams", "members", "keys", "agents") // which share their ids
	var order []string
	var visit func(table string)
	visit = func(table string) {
		if slices.Contains(order, table) {
			return
		}
		for _, first := range before[table] {
			visit(first)
		}
		order = append(order, table)
	}
	for _, t := range migrate.Tables {
		visit(t.Name)
	}
	return slices.DeleteFunc(order, func(t string) bool { return slices.Contains(kept, t) })
}
