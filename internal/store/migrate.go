package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/lib/pq"

	"github.com/alchemi/cockpit/migrations"
)

// lockMigrations is the advisory lock under which one replica migrates.
const lockMigrations = 0x636f636b706974

// Migrate applies the migrations that the database lacks, each in its own
// transaction. Several replicas may start at once: one applies, others wait.
func (s *Store) Migrate(ctx context.Context) (applied []string, err error) {
	return s.migrate(ctx, migrations.FS)
}

func (s *Store) migrate(ctx context.Context, files fs.FS) (applied []string, err error) {
	folder := "sqlite"
	db := s.system
	if s.Dialect == Postgres {
		folder = "postgres"
		owner, err := sql.Open("postgres", s.ownerURL)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, owner.Close()) }()
		db = owner
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: migrate: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if s.Dialect == Postgres {
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockMigrations); err != nil {
			return nil, err
		}
		defer func() {
			_, uerr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lockMigrations)
			err = errors.Join(err, uerr)
		}()
	}
	names, err := fs.Glob(files, folder+"/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		var did bool
		err := s.retry(ctx, func() (err error) {
			did, err = s.apply(ctx, conn, files, name)
			return err
		})
		if err != nil {
			return applied, fmt.Errorf("store: migration %s: %w", name, explain(err))
		}
		if did {
			applied = append(applied, path.Base(name))
		}
	}
	return applied, nil
}

func (s *Store) apply(ctx context.Context, conn *sql.Conn, files fs.FS, name string) (_ bool, err error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return false, err
	}
	version, _, _ := strings.Cut(path.Base(name), "_")
	if s.Dialect == SQLite {
		// A table is changed by making it anew, which others still point to; the
		// pragma counts for nothing within a transaction.
		if _, err := conn.ExecContext(ctx, "PRAGMA foreign_keys = off"); err != nil {
			return false, err
		}
		defer func() {
			_, on := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA foreign_keys = on")
			err = errors.Join(err, on)
		}()
	}
	tx, err := conn.BeginTx(ctx, nil) // immediate on SQLite: starters queue here
	if err != nil {
		return false, err
	}
	did, err := applyIn(ctx, tx, version, string(text), s.Dialect)
	if err == nil && did && s.Dialect == SQLite {
		err = checkLinks(ctx, tx)
	}
	if err != nil {
		return false, errors.Join(err, rollback(tx))
	}
	return did, tx.Commit()
}

// checkLinks fails when a migration left a row that points nowhere.
func checkLinks(ctx context.Context, tx *sql.Tx) (err error) {
	rows, err := tx.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if rows.Next() {
		var table, parent string
		var row sql.NullInt64
		var key int
		if err := rows.Scan(&table, &row, &parent, &key); err != nil {
			return err
		}
		return fmt.Errorf("a row of %s points to none of %s", table, parent)
	}
	return rows.Err()
}

func applyIn(ctx context.Context, tx *sql.Tx, version, text, dialect string) (bool, error) {
	if _, err := tx.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS schema_migrations (version text PRIMARY KEY)"); err != nil {
		return false, err
	}
	placeholder := "?"
	if dialect == Postgres {
		placeholder = "$1"
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM schema_migrations WHERE version = "+placeholder, version).Scan(&n); err != nil || n > 0 {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return false, err
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO schema_migrations (version) VALUES ("+placeholder+")", version)
	return true, err
}

// explain adds the way out where PostgreSQL refuses to make the two roles.
func explain(err error) error {
	var p *pq.Error
	if errors.As(err, &p) && p.Code == "42501" {
		return fmt.Errorf("%w: the database user must own the schema and may need CREATEROLE once, to make cockpit_tenant and cockpit_system and be granted both", err)
	}
	return err
}
