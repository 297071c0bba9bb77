package audit

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
)

// Checkpoint is a signed word of how far an account's chain stood: whoever
// keeps it finds that newer events were removed, or older ones made anew.
type Checkpoint struct {
	AccountID string    `json:"account"`
	Seq       int64     `json:"seq"`
	Hash      string    `json:"hash"`
	At        time.Time `json:"at"`
	// Signature is Ed25519 in base64, by the key that KeyID names.
	Signature string `json:"signature"`
	KeyID     string `json:"signingKeyId"`
}

const (
	// An account gets a checkpoint after so many events, and after so long when
	// there was any.
	checkpointEvents = 1000
	checkpointEvery  = 10 * time.Minute
	// lookForCheckpoints is how often accounts are looked for that want one.
	lookForCheckpoints = 10 * time.Second
)

// text is what is signed.
func (c Checkpoint) text() []byte {
	return fmt.Appendf(nil, "cockpit audit checkpoint 1\naccount %s\nseq %d\nhash %s\nat %s\n", c.AccountID, c.Seq, c.Hash, stamp(c.At))
}

// Signer signs checkpoints.
type Signer struct {
	key   ed25519.PrivateKey
	keyID string
}

// NewSigner derives the key of checkpoints from the master key.
func NewSigner(masterKey string) (*Signer, error) {
	key, err := secret.SigningKey(masterKey, secret.AuditCheckpoints)
	if err != nil {
		return nil, err
	}
	return &Signer{key, secret.KeyID(public(key))}, nil
}

func public(key ed25519.PrivateKey) ed25519.PublicKey {
	p, _ := key.Public().(ed25519.PublicKey) // what else
	return p
}

// Public is the key that others check signatures with.
func (s *Signer) Public() ed25519.PublicKey { return public(s.key) }

// Keys is the set of this one key.
func (s *Signer) Keys() Keys { return Keys{s.keyID: s.Public()} }

func (s *Signer) sign(c Checkpoint) Checkpoint {
	c.At = c.At.UTC().Truncate(time.Microsecond) // as databases keep it
	c.Signature, c.KeyID = base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, c.text())), s.keyID
	return c
}

// Keys are public keys by their thumbprints.
type Keys map[string]ed25519.PublicKey

// ParseKeys reads a JWK set; keys that aren't Ed25519 are left out.
func ParseKeys(text []byte) (Keys, error) {
	var set struct {
		Keys []struct{ Kty, Crv, X string }
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("this is no JSON Web Key Set: %w", err)
	}
	out := Keys{}
	for _, k := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if k.Kty == "OKP" && k.Crv == "Ed25519" && err == nil && len(x) == ed25519.PublicKeySize {
			out[secret.KeyID(x)] = x
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the JSON Web Key Set holds no Ed25519 key")
	}
	return out, nil
}

// Signed tells whether one of the keys signed the checkpoint as it is.
func (k Keys) Signed(c Checkpoint) bool {
	signature, err := base64.StdEncoding.DecodeString(c.Signature)
	key := k[c.KeyID]
	return err == nil && key != nil && ed25519.Verify(key, c.text(), signature)
}

// due are accounts whose newest checkpoint lies far enough back, and those
// whose newest number lies below it, which never happens by itself.
const due = `SELECT a.id, a.plane, a.audit_seq, a.audit_hash, COALESCE(c.seq, 0) FROM accounts a
	LEFT JOIN audit_checkpoints c ON c.account_id = a.id AND c.seq = (SELECT max(seq) FROM audit_checkpoints WHERE account_id = a.id)
	WHERE a.audit_seq >= COALESCE(c.seq, 0) + ? OR (a.audit_seq > COALESCE(c.seq, 0) AND (c.at IS NULL OR c.at <= ?)) OR a.audit_seq < c.seq
	ORDER BY a.id`

// Checkpoint signs how far the chains stand of accounts that are due.
func (s *Sealer) Checkpoint(ctx context.Context) error {
	if s.Signer == nil {
		return nil
	}
	now := s.Now()
	waiting, err := s.due(ctx, s.DB, now)
	if err != nil || len(waiting) == 0 {
		return wrap(err)
	}
	return wrap(s.WriteTx(ctx, func(tx *sql.Tx) error {
		if mine, err := lease(ctx, tx, s.Dialect); err != nil || !mine {
			return err
		}
		// Asked again: another replica may have signed in between.
		accounts, err := s.due(ctx, tx, now)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			if a.at.seq < a.newest {
				s.Log.ErrorContext(ctx, "an audit chain is shorter than its newest checkpoint says: events were removed", "account", a.id, "seq", a.at.seq, "checkpoint", a.newest)
				continue
			}
			if _, err := s.Signer.keep(ctx, tx, s.Dialect, a.id, a.plane, a.at, now); err != nil {
				return err
			}
		}
		return nil
	}))
}

// tip is how far an account's chain stands, and the number of its newest
// checkpoint.
type tip struct {
	id, plane string
	at        head
	newest    int64
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Sealer) due(ctx context.Context, db querier, now time.Time) (out []tip, err error) {
	rows, err := db.QueryContext(ctx, places(s.Dialect, due), checkpointEvents, now.Add(-checkpointEvery))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t tip
		if err := rows.Scan(&t.id, &t.plane, &t.at.seq, &t.at.hash, &t.newest); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// keep signs and stores a checkpoint, unless there is one at that number.
func (s *Signer) keep(ctx context.Context, tx *sql.Tx, dialectName, account, plane string, at head, now time.Time) (Checkpoint, error) {
	c := s.sign(Checkpoint{AccountID: account, Seq: at.seq, Hash: at.hash, At: now})
	if _, err := tx.ExecContext(ctx, places(dialectName, `INSERT INTO audit_checkpoints (id, account_id, plane, seq, hash, at, signature, signing_key_id)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, seq) DO NOTHING`),
		id.At(id.AuditCheckpoint, now), account, plane, c.Seq, c.Hash, c.At, c.Signature, c.KeyID); err != nil {
		return c, err
	}
	rows, err := checkpoints(ctx, tx, dialectName, account, at.seq, at.seq)
	if err != nil {
		return c, err
	}
	if len(rows) != 1 || rows[0].Hash != at.hash {
		return c, fmt.Errorf("%w at event %d of account %s: another checkpoint stands there", ErrBroken, at.seq, account)
	}
	return rows[0], nil
}

// CheckpointNow signs how far an account's chain stands at this moment; nil before the account's first event is sealed.
func (s *Sealer) CheckpointNow(ctx context.Context, account string) (out *Checkpoint, err error) {
	err = s.WriteTx(ctx, func(tx *sql.Tx) error {
		out = nil
		if err := exclusive(ctx, tx, s.Dialect); err != nil {
			return err
		}
		t := tip{id: account}
		if err := tx.QueryRowContext(ctx, places(s.Dialect, "SELECT plane, audit_seq, audit_hash FROM accounts WHERE id = ?"), account).Scan(&t.plane, &t.at.seq, &t.at.hash); err != nil || t.at.seq == 0 {
			return err
		}
		c, err := s.Signer.keep(ctx, tx, s.Dialect, t.id, t.plane, t.at, s.Now())
		out = &c
		return err
	})
	return out, wrap(err)
}

// checkpoints of an account from one number to another, in their order.
func checkpoints(ctx context.Context, db querier, dialectName, account string, from, to int64) (out []Checkpoint, err error) {
	rows, err := db.QueryContext(ctx, places(dialectName, `SELECT account_id, seq, hash, at, signature, signing_key_id FROM audit_checkpoints
		WHERE account_id = ? AND seq >= ? AND seq <= ? ORDER BY seq`), account, from, to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var c Checkpoint
		if err := rows.Scan(&c.AccountID, &c.Seq, &c.Hash, &c.At, &c.Signature, &c.KeyID); err != nil {
			return nil, err
		}
		c.At = c.At.UTC()
		out = append(out, c)
	}
	return out, rows.Err()
}
