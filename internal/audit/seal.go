package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect"
)

// Sealer numbers committed events, 1, 2, 3 … per account, and chains their
// hashes. Every replica runs one; the database lets one seal at a time.
type Sealer struct {
	// DB is a pool that sees all accounts; WriteTx runs a transaction on it.
	DB      *sql.DB
	WriteTx func(ctx context.Context, f func(*sql.Tx) error) error
	Dialect string
	// Sealed hears the newest number of each account after the commit.
	Sealed func(accountID string, seq int64)
	// Signer signs checkpoints; without one there are none.
	Signer *Signer
	Now    func() time.Time
	Log    *slog.Logger
}

const (
	// sealEvery is the pause between looks for new events.
	sealEvery = 200 * time.Millisecond
	// sealBatch bounds a sealing transaction.
	sealBatch = 256
	// sealLock is the advisory lock of the one who seals.
	sealLock = 0x6175646974
)

// Run seals until the context ends.
func (s *Sealer) Run(ctx context.Context) {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	var looked time.Time // for accounts that want a checkpoint
	var since int
	for {
		for n := sealBatch; n == sealBatch; {
			var err error
			if n, err = s.Seal(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "audit events could not be sealed; they are tried again", "cause", err)
			}
			since += n
			if since < checkpointEvents && time.Since(looked) < lookForCheckpoints {
				continue
			}
			looked, since = time.Now(), 0
			if err := s.Checkpoint(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "audit checkpoints could not be signed; they are tried again", "cause", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Seal numbers up to 256 events, the oldest first, and returns how many. It
// returns 0 while another replica seals.
func (s *Sealer) Seal(ctx context.Context) (int, error) {
	// Asked outside the transaction: SQLite's only writer isn't held for nothing.
	var waiting bool
	if err := s.DB.QueryRowContext(ctx, looks).Scan(&waiting); err != nil || !waiting {
		return 0, wrap(err)
	}
	var n int
	var heads map[string]head
	err := s.WriteTx(ctx, func(tx *sql.Tx) (err error) {
		n, heads = 0, map[string]head{}
		if mine, err := lease(ctx, tx, s.Dialect); err != nil || !mine {
			return err
		}
		rows, err := tx.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM audit_events WHERE %s ORDER BY id LIMIT %d", sealedColumns, unsealed, sealBatch))
		if err != nil {
			return err
		}
		events, err := scanSealed(rows)
		if err != nil {
			return err
		}
		n = len(events)
		return s.chain(ctx, tx, events, heads)
	})
	if err != nil {
		return 0, wrap(err)
	}
	if s.Sealed != nil {
		for account, h := range heads {
			s.Sealed(account, h.seq)
		}
	}
	return n, nil
}

// lease tells whether this transaction is the one that may seal; others try
// again later. SQLite has one writer anyway.
func lease(ctx context.Context, tx *sql.Tx, dialectName string) (mine bool, err error) {
	if dialectName != dialect.Postgres {
		return true, nil
	}
	err = tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", sealLock).Scan(&mine)
	return mine, err
}

// exclusive waits until nobody else seals.
func exclusive(ctx context.Context, tx *sql.Tx, dialectName string) error {
	if dialectName != dialect.Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", sealLock)
	return err
}

// places numbers the question marks of a statement where the database wants
// that.
func places(dialectName, query string) string {
	if dialectName != dialect.Postgres {
		return query
	}
	var b strings.Builder
	n := 0
	for _, c := range query {
		if c == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteRune(c)
	}
	return b.String()
}

// head is the newest number of an account and its hash.
type head struct {
	seq  int64
	hash string
}

func (s *Sealer) chain(ctx context.Context, tx *sql.Tx, events []sealed, heads map[string]head) error {
	read := places(s.Dialect, "SELECT audit_seq, audit_hash FROM accounts WHERE id = ?")
	number := places(s.Dialect, "UPDATE audit_events SET seq = ?, hash = ? WHERE id = ? AND seq IS NULL")
	keep := places(s.Dialect, "UPDATE accounts SET audit_seq = ?, audit_hash = ? WHERE id = ?")
	for _, e := range events {
		h, ok := heads[e.AccountID]
		if !ok {
			if err := tx.QueryRowContext(ctx, read, e.AccountID).Scan(&h.seq, &h.hash); err != nil {
				return fmt.Errorf("head of %s: %w", e.AccountID, err)
			}
		}
		text, err := e.text()
		if err != nil {
			return err
		}
		h = head{h.seq + 1, link(h.hash, text)}
		if _, err := tx.ExecContext(ctx, number, h.seq, h.hash, e.ID); err != nil {
			return err
		}
		heads[e.AccountID] = h
	}
	// In the order in which changes raise epochs: no deadlock between the two.
	for _, account := range slices.Sorted(maps.Keys(heads)) {
		if _, err := tx.ExecContext(ctx, keep, heads[account].seq, heads[account].hash, account); err != nil {
			return err
		}
	}
	return nil
}

// looks asks account by account, so that the index over account and number
// answers: the log itself may be long.
const looks = "SELECT EXISTS (SELECT 1 FROM accounts WHERE EXISTS (SELECT 1 FROM audit_events WHERE account_id = accounts.id AND seq IS NULL))"

// unsealed events of accounts that exist: another one couldn't be numbered, and
// must not hold up the rest.
const unsealed = "seq IS NULL AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = audit_events.account_id)"

func wrap(err error) error {
	if errors.Is(err, ErrBroken) {
		return err
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
