package audit

import (
	"context"
	"database/sql"

	"entgo.io/ent/dialect"
)

// Erase removes up to most events and checkpoints of an account that is being
// deleted, in the system's transaction, and returns how many. Nothing is sealed
// meanwhile. On PostgreSQL the database itself refuses any other account.
func Erase(ctx context.Context, tx *sql.Tx, dialectName, accountID string, most int) (n int64, err error) {
	if dialectName == dialect.Postgres {
		if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", sealLock); err != nil {
			return 0, wrap(err)
		}
		err := tx.QueryRowContext(ctx, "SELECT tenant_erase_audit($1, $2)", accountID, most).Scan(&n)
		return n, wrap(err)
	}
	for _, table := range []string{"audit_checkpoints", "audit_events"} {
		res, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE id IN (SELECT id FROM "+table+" WHERE account_id = ? LIMIT ?)", accountID, most)
		if err != nil {
			return 0, wrap(err)
		}
		gone, err := res.RowsAffected()
		if err != nil {
			return 0, wrap(err)
		}
		n += gone
	}
	return n, nil
}
