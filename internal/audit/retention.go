package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"entgo.io/ent/dialect"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// prune is the event that tells of a deletion by retention.
const prune = "audit.prune"

// Retention deletes sealed events that are older than their account keeps
// them, never without a checkpoint that the rest of the chain hangs on.
type Retention struct {
	DB      *sql.DB
	Dialect string
	// InTx runs a transaction that can write events besides its SQL.
	InTx   func(ctx context.Context, f func(ctx context.Context, tx *sql.Tx, write func(Event) error) error) error
	Signer *Signer
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	// pruneEvery is the pause between looks for what is too old.
	pruneEvery = time.Hour
	// pruneBatch bounds a deleting transaction.
	pruneBatch = 5000
)

// Run deletes what is too old until the context ends.
func (r *Retention) Run(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if _, err := r.Prune(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "audit events that are too old could not be deleted; it is tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Prune deletes the events of all accounts that are too old, and returns how
// many. What another replica deletes at the same time it leaves to that one.
func (r *Retention) Prune(ctx context.Context) (sum int64, err error) {
	accounts, err := r.limited(ctx)
	if err != nil {
		return 0, wrap(err)
	}
	for _, a := range accounts {
		for {
			n, err := r.pruneOnce(ctx, a)
			sum += n
			if err != nil {
				return sum, wrap(err)
			}
			if n < pruneBatch {
				break
			}
		}
	}
	return sum, nil
}

type limited struct {
	id, plane, name string
	days            int64
}

func (r *Retention) limited(ctx context.Context) (out []limited, err error) {
	rows, err := r.DB.QueryContext(ctx, "SELECT id, plane, name, audit_retention_days FROM accounts WHERE audit_retention_days > 0 ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var a limited
		if err := rows.Scan(&a.id, &a.plane, &a.name, &a.days); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// pruneOnce signs a checkpoint at the newest of the oldest events, deletes
// these, and says so, all or nothing.
func (r *Retention) pruneOnce(ctx context.Context, a limited) (n int64, err error) {
	cutoff := r.Now().Add(-time.Duration(a.days) * 24 * time.Hour)
	last, err := r.last(ctx, r.DB, a.id, cutoff)
	if err != nil || last.seq == 0 {
		return 0, err
	}
	err = r.InTx(ctx, func(ctx context.Context, tx *sql.Tx, write func(Event) error) error {
		n = 0
		if mine, err := lease(ctx, tx, r.Dialect); err != nil || !mine {
			return err
		}
		last, err := r.last(ctx, tx, a.id, cutoff) // another replica may have been here
		if err != nil || last.seq == 0 {
			return err
		}
		before, _, err := pruned(ctx, tx, r.Dialect, a.id)
		if err != nil {
			return err
		}
		if _, err := r.Signer.keep(ctx, tx, r.Dialect, a.id, a.plane, last, r.Now()); err != nil {
			return err
		}
		if n, err = r.delete(ctx, tx, a.id, last.seq); err != nil {
			return err
		}
		path := "/" + a.id + "/"
		if a.plane == string(tenancy.PlanePlatform) {
			path = "/"
		}
		return write(Event{Action: prune, AccountID: a.id, Plane: tenancy.Plane(a.plane), ScopeID: a.id, ScopePath: path, TargetID: a.id, TargetName: a.name,
			Actor: &Actor{Kind: auditevent.ActorKindSYSTEM, Name: "System"},
			Changes: map[string]Change{"upTo": {Before: before, After: last.seq}, "events": {Before: n, After: 0},
				"olderThan": {After: stamp(cutoff)}}})
	})
	return n, err
}

// last is the newest of the oldest events that may go at once: no younger one
// lies below it. Zero when there is none.
func (r *Retention) last(ctx context.Context, db querier, account string, cutoff time.Time) (h head, err error) {
	rows, err := db.QueryContext(ctx, places(r.Dialect, fmt.Sprintf("SELECT seq, hash, at FROM audit_events WHERE account_id = ? AND seq IS NOT NULL ORDER BY seq LIMIT %d", pruneBatch)), account)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var next head
		var at time.Time
		if err := rows.Scan(&next.seq, &next.hash, &at); err != nil {
			return h, err
		}
		if !at.Before(cutoff) {
			break
		}
		h = next
	}
	return h, rows.Err()
}

// delete removes an account's events up to a number. On PostgreSQL the system
// has no leave to delete events: a function does it that refuses what
// retention doesn't ask for.
func (r *Retention) delete(ctx context.Context, tx *sql.Tx, account string, seq int64) (n int64, err error) {
	if r.Dialect == dialect.Postgres {
		err = tx.QueryRowContext(ctx, "SELECT tenant_prune_audit($1, $2)", account, seq).Scan(&n)
		return n, err
	}
	done, err := tx.ExecContext(ctx, "DELETE FROM audit_events WHERE account_id = ? AND seq <= ?", account, seq)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// pruned is the newest number that retention deleted, by the newest event that
// tells of it; sealed is false while that event has no number yet.
func pruned(ctx context.Context, db querier, dialectName, account string) (seq int64, sealed bool, err error) {
	var changes []byte
	var number sql.NullInt64
	err = db.QueryRowContext(ctx, places(dialectName, "SELECT changes, seq FROM audit_events WHERE account_id = ? AND action = ? AND outcome = 'DONE' ORDER BY id DESC LIMIT 1"), account, prune).
		Scan(&changes, &number)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, true, nil
	}
	return upTo(changes), number.Valid, err
}

func upTo(changes json.RawMessage) int64 {
	var c struct {
		UpTo struct {
			After int64 `json:"after"`
		} `json:"upTo"`
	}
	_ = json.Unmarshal(changes, &c) // what can't be read deleted nothing
	return c.UpTo.After
}
