package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/lib/pq"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Tx is one transaction: an ent client and plain SQL on the same connection.
type Tx struct {
	*ent.Client
	sql   *sql.Tx
	store *Store
	// changes by row id, collected by the hooks for the audit event.
	changes map[string]map[string]audit.Change
	// touched accounts get a new epoch at commit.
	touched map[string]bool
	// audited counts events; a change without one doesn't commit.
	changed, audited int
	unaudited        bool
	after            []func()
}

type txKey struct{}

// SQL is the transaction itself, for engines with tables of their own.
func (tx *Tx) SQL() *sql.Tx { return tx.sql }

// Dialect names the database, for engines that speak SQL to tables of their
// own.
func (tx *Tx) Dialect() string { return tx.store.Dialect }

// Now is the store's clock.
func (tx *Tx) Now() time.Time { return tx.store.Now() }

// Audit writes the event of this change; changes that the hooks saw on the
// target's rows are added to those of the event.
func (tx *Tx) Audit(ctx context.Context, e audit.Event) error {
	tx.audited++
	e.Changes = audit.Merge(e.Changes, tx.changes[e.TargetID])
	return audit.Write(ctx, tx.Client, tx.store.Now(), e)
}

// Unaudited lets the transaction commit without an event: for demo data and
// for housekeeping that is nobody's act.
func (tx *Tx) Unaudited() { tx.unaudited = true }

// Touch gives the account a new epoch at commit, for changes made by plain SQL
// that sessions, keys or routes depend on.
func (tx *Tx) Touch(accountID string) { tx.touched[accountID] = true }

// AfterCommit runs f once the transaction stands; it must not fail.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// InTx runs f in one transaction under the context's viewer, again if the
// database asks for it. A change of an audited row that f left without an
// audit event rolls everything back. A Claim of the context is taken with it.
func (s *Store) InTx(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	if ctx.Value(txKey{}) != nil {
		return errors.New("store: InTx within InTx") // the inner one would wait for the outer one forever
	}
	pool := s.tenant
	if tenancy.Bypassed(ctx) {
		pool = s.system
	}
	claim, err := openClaim(ctx)
	if err != nil {
		return err
	}
	return s.retry(ctx, func() error {
		tx := &Tx{store: s, changes: map[string]map[string]audit.Change{}, touched: map[string]bool{}}
		err := s.begin(ctx, pool, func(sqlTx *sql.Tx) error {
			tx.sql = sqlTx
			tx.Client = s.client(&txDriver{Conn: entsql.Conn{ExecQuerier: sqlTx}, dialect: s.Dialect})
			ctx := context.WithValue(ctx, txKey{}, tx)
			if claim != nil {
				if err := tx.take(ctx, claim); err != nil {
					return err
				}
			}
			if err := f(ctx, tx); err != nil {
				return err
			}
			if tx.changed > 0 && tx.audited == 0 && !tx.unaudited {
				return errors.New("store: a change without an audit event")
			}
			return tx.raiseEpochs(ctx)
		})
		if err != nil {
			return err
		}
		if claim != nil {
			claim.state.Store(claimTaken)
		}
		for _, f := range tx.after {
			f()
		}
		return nil
	})
}

// WriteTx runs f in one transaction that passes row-level security, again if the
// database asks for it; for engines that speak SQL to tables of their own. Its
// connections are its own: reports can't keep a charge waiting.
func (s *Store) WriteTx(ctx context.Context, f func(*sql.Tx) error) error {
	return s.retry(ctx, func() error { return s.begin(ctx, s.writer, f) })
}

func (s *Store) begin(ctx context.Context, pool *sql.DB, f func(*sql.Tx) error) (err error) {
	if s.writing != nil {
		select {
		case s.writing <- struct{}{}:
			defer func() { <-s.writing }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store: begin: %w", err)
	}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, rollback(tx))
		}
	}()
	if err := f(tx); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: commit: %w", err)
	}
	return nil
}

func rollback(tx *sql.Tx) error {
	if err := tx.Rollback(); err != nil && !errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return nil
}

const attempts = 8

// retry runs again what the database refused only for now.
func (s *Store) retry(ctx context.Context, f func() error) error {
	var err error
	for i := range attempts {
		if err = f(); err == nil || !Retryable(err) {
			return err
		}
		s.log.DebugContext(ctx, "transaction is run again", "attempt", i+1, "cause", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(1<<i) * time.Millisecond * time.Duration(1+rand.IntN(4))):
		}
	}
	return err
}

// Retryable tells serialization failures, deadlocks and a busy SQLite from
// real errors.
func Retryable(err error) bool {
	var p *pq.Error
	if errors.As(err, &p) {
		return p.Code == "40001" || p.Code == "40P01" || strings.Contains(p.Message, "tuple concurrently updated")
	}
	return err != nil && (strings.Contains(err.Error(), "SQLITE_BUSY") || strings.Contains(err.Error(), "database is locked"))
}

// txDriver runs an ent client on a transaction that InTx began.
type txDriver struct {
	entsql.Conn
	dialect string
}

// Tx joins the running transaction.
func (d *txDriver) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(d), nil }

// Close does nothing: InTx ends the transaction.
func (d *txDriver) Close() error { return nil }

// Dialect names the database.
func (d *txDriver) Dialect() string { return d.dialect }
