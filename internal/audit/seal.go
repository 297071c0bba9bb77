package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
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
	for {
		for n := sealBatch; n == sealBatch; {
			var err error
			if n, err = s.Seal(ctx); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "audit events could not be sealed; they are tried again", "cause", err)
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
		if s.Dialect == dialect.Postgres {
			var mine bool
			if err := tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", sealLock).Scan(&mine); err != nil || !mine {
				return err
			}
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

// head is the newest number of an account and its hash.
type head struct {
	seq  int64
	hash string
}

func (s *Sealer) chain(ctx context.Context, tx *sql.Tx, events []sealed, heads map[string]head) error {
	read, number, keep := "SELECT audit_seq, audit_hash FROM accounts WHERE id = ?",
		"UPDATE audit_events SET seq = ?, hash = ? WHERE id = ? AND seq IS NULL",
		"UPDATE accounts SET audit_seq = ?, audit_hash = ? WHERE id = ?"
	if s.Dialect == dialect.Postgres {
		read, number, keep = "SELECT audit_seq, audit_hash FROM accounts WHERE id = $1",
			"UPDATE audit_events SET seq = $1, hash = $2 WHERE id = $3 AND seq IS NULL",
			"UPDATE accounts SET audit_seq = $1, audit_hash = $2 WHERE id = $3"
	}
	for _, e := range events {
		h, ok := heads[e.AccountID]
		if !ok {
			if err := tx.QueryRowContext(ctx, read, e.AccountID).Scan(&h.seq, &h.hash); err != nil {
				return fmt.Errorf("head of %s: %w", e.AccountID, err)
			}
		}
		next, err := e.link(h.hash)
		if err != nil {
			return err
		}
		h = head{h.seq + 1, next}
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

// sealed is what an event's hash covers: all that never changes, in this order.
type sealed struct {
	ID         string          `json:"id"`
	AccountID  string          `json:"account"`
	Plane      string          `json:"plane"`
	At         string          `json:"at"`
	ActorKind  string          `json:"actorKind"`
	ActorID    string          `json:"actorId"`
	ActorName  string          `json:"actorName"`
	Action     string          `json:"action"`
	Outcome    string          `json:"outcome"`
	ScopeID    string          `json:"scopeId"`
	ScopePath  string          `json:"scopePath"`
	TargetID   string          `json:"targetId"`
	TargetName string          `json:"targetName"`
	Changes    json.RawMessage `json:"changes,omitempty"`
	Reason     string          `json:"reason"`
	DecisionID string          `json:"decisionId"`
	RequestID  string          `json:"requestId"`
	Count      int64           `json:"count"`

	seq  sql.NullInt64
	hash string
}

const sealedColumns = `id, account_id, plane, at, actor_kind, actor_id, actor_name, action, outcome,
	scope_id, scope_path, target_id, target_name, changes, reason, decision_id, request_id, count, seq, hash`

// looks asks account by account, so that the index over account and number
// answers: the log itself may be long.
const looks = "SELECT EXISTS (SELECT 1 FROM accounts WHERE EXISTS (SELECT 1 FROM audit_events WHERE account_id = accounts.id AND seq IS NULL))"

// unsealed events of accounts that exist: another one couldn't be numbered, and
// must not hold up the rest.
const unsealed = "seq IS NULL AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = audit_events.account_id)"

func scanSealed(rows *sql.Rows) (out []sealed, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var e sealed
		var at time.Time
		var changes []byte
		if err := rows.Scan(&e.ID, &e.AccountID, &e.Plane, &at, &e.ActorKind, &e.ActorID, &e.ActorName, &e.Action, &e.Outcome,
			&e.ScopeID, &e.ScopePath, &e.TargetID, &e.TargetName, &changes, &e.Reason, &e.DecisionID, &e.RequestID, &e.Count, &e.seq, &e.hash); err != nil {
			return nil, err
		}
		e.At = at.UTC().Format(time.RFC3339Nano)
		if e.Changes, err = canonical(changes); err != nil {
			return nil, fmt.Errorf("changes of %s: %w", e.ID, err)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// canonical sorts the names and drops the blanks, whatever form the database
// keeps JSON in.
func canonical(text []byte) (json.RawMessage, error) {
	if len(text) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// link is the event's hash in the chain that ends in previous.
func (e sealed) link(previous string) (string, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte(previous), text...))
	return hex.EncodeToString(sum[:]), nil
}

// ErrBroken says that stored events differ from what was sealed.
var ErrBroken = errors.New("audit: the chain is broken")

// Verify computes an account's chain anew, up to its newest number at the
// start, and returns how far it holds. The first
// event that was changed, removed, added or moved is named in an ErrBroken;
// events that the newest number says should be there count as removed.
func Verify(ctx context.Context, db *sql.DB, dialectName, accountID string) (int64, error) {
	read, page := "SELECT audit_seq, audit_hash FROM accounts WHERE id = ?", "account_id = ? AND seq > ? AND seq <= ?"
	if dialectName == dialect.Postgres {
		read, page = "SELECT audit_seq, audit_hash FROM accounts WHERE id = $1", "account_id = $1 AND seq > $2 AND seq <= $3"
	}
	var end, at head
	if err := db.QueryRowContext(ctx, read, accountID).Scan(&end.seq, &end.hash); err != nil {
		return 0, wrap(err)
	}
	const many = 1000
	for {
		rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM audit_events WHERE %s ORDER BY seq LIMIT %d", sealedColumns, page, many), accountID, at.seq, end.seq)
		if err != nil {
			return at.seq, wrap(err)
		}
		events, err := scanSealed(rows)
		if err != nil {
			return at.seq, wrap(err)
		}
		for _, e := range events {
			next, err := e.link(at.hash)
			if err != nil {
				return at.seq, wrap(err)
			}
			if e.seq.Int64 != at.seq+1 || e.hash != next {
				return at.seq, fmt.Errorf("%w at event %d of account %s", ErrBroken, at.seq+1, accountID)
			}
			at = head{at.seq + 1, next}
		}
		if len(events) < many {
			break
		}
	}
	if at != end {
		return at.seq, fmt.Errorf("%w at event %d of account %s: the newest sealed number is %d", ErrBroken, at.seq+1, accountID, end.seq)
	}
	return at.seq, nil
}

func wrap(err error) error {
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}
