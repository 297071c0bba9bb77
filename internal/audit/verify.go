package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"entgo.io/ent/dialect"
)

// ErrBroken says that stored events differ from what was sealed.
var ErrBroken = errors.New("audit: the chain is broken")

// Trust is what a verifier brings along from elsewhere.
type Trust struct {
	// Keys that sign checkpoints; without any, signatures aren't checked.
	Keys Keys
	// Kept are checkpoints from outside the database, of any account.
	Kept []Checkpoint
}

// Verified says how far an account's chain holds.
type Verified struct {
	// Events between First and Last, both included, are as they were sealed.
	First, Last int64
	// Checkpoints agree with the chain.
	Checkpoints int
}

// Count is how many events were verified.
func (v Verified) Count() int64 { return v.Last - v.First + 1 }

// chain is computed anew, event by event, and compared.
type chain struct {
	account string
	keys    Keys
	at      head
	first   int64
	// meet are the checkpoints ahead, by number.
	meet map[int64][]Checkpoint
	met  int
	// pruned is the newest number that a sealed event says was deleted.
	pruned int64
}

// begin starts the chain behind the anchor, the checkpoint that retention
// left; nil where nothing was deleted.
func begin(account string, keys Keys, anchor *Checkpoint, all []Checkpoint) (*chain, error) {
	c := &chain{account: account, keys: keys, first: 1, meet: map[int64][]Checkpoint{}}
	if anchor != nil {
		c.at, c.first = head{anchor.Seq, anchor.Hash}, anchor.Seq+1
		all = append(all, *anchor)
	}
	for _, p := range all {
		if err := c.genuine(p); err != nil {
			return c, err
		}
		switch {
		case p.Seq > c.at.seq:
			c.meet[p.Seq] = append(c.meet[p.Seq], p)
		case anchor != nil && p.Seq == anchor.Seq && p.Hash != anchor.Hash:
			return c, c.broken(p.Seq, "two checkpoints there differ")
		default:
			c.met++ // its events are gone
		}
	}
	return c, nil
}

func (c *chain) genuine(p Checkpoint) error {
	if p.AccountID != c.account {
		return c.broken(p.Seq, "the checkpoint there is another account's")
	}
	if c.keys != nil && !c.keys.Signed(p) {
		return c.broken(p.Seq, "the checkpoint there isn't signed by a known key")
	}
	return nil
}

func (c *chain) broken(seq int64, why string) error {
	return fmt.Errorf("%w at event %d of account %s: %s", ErrBroken, seq, c.account, why)
}

// next takes the event that follows.
func (c *chain) next(r Record) error {
	if r.Seq != c.at.seq+1 {
		return c.broken(c.at.seq+1, fmt.Sprintf("event %d stands in its place", r.Seq))
	}
	hash := link(c.at.hash, r.Event)
	if r.Hash != hash {
		return c.broken(r.Seq, "it isn't what was sealed")
	}
	c.at = head{r.Seq, hash}
	for _, p := range c.meet[r.Seq] {
		if p.Hash != hash {
			return c.broken(r.Seq, "the checkpoint there says something else: this event, or one before it, was made anew")
		}
		c.met++
	}
	delete(c.meet, r.Seq)
	var e sealed
	if err := json.Unmarshal(r.Event, &e); err != nil {
		return c.broken(r.Seq, "it can't be read")
	}
	if e.AccountID != c.account {
		return c.broken(r.Seq, "it is another account's")
	}
	if e.Action == prune {
		c.pruned = max(c.pruned, upTo(e.Changes))
	}
	return nil
}

// end says that no event follows.
func (c *chain) end() (Verified, error) {
	for seq := range c.meet {
		if seq > c.at.seq {
			return c.verified(), c.broken(c.at.seq+1, fmt.Sprintf("it is missing, and a checkpoint says that there were %d", seq))
		}
	}
	return c.verified(), nil
}

func (c *chain) verified() Verified {
	return Verified{First: c.first, Last: c.at.seq, Checkpoints: c.met}
}

// Verify computes an account's chain anew and returns how far it holds. The
// first event that was changed, removed, added or moved is named in an
// ErrBroken; events that the newest number or a checkpoint says should be
// there count as removed. It begins behind what retention deleted.
func Verify(ctx context.Context, db *sql.DB, dialectName, account string, t Trust) (v Verified, err error) {
	o := &sql.TxOptions{ReadOnly: true}
	if dialectName == dialect.Postgres {
		o.Isolation = sql.LevelRepeatableRead // SQLite's are always one moment's
	}
	tx, err := db.BeginTx(ctx, o)
	if err != nil {
		return v, wrap(err)
	}
	defer func() {
		if late := tx.Rollback(); err == nil && late != nil {
			err = wrap(late)
		}
	}()
	return verify(ctx, tx, dialectName, account, t)
}

func verify(ctx context.Context, tx *sql.Tx, dialectName, account string, t Trust) (Verified, error) {
	var end head
	var beyond sql.NullInt64
	if err := tx.QueryRowContext(ctx, places(dialectName, `SELECT audit_seq, audit_hash,
		(SELECT min(seq) FROM audit_events WHERE account_id = accounts.id AND seq > audit_seq) FROM accounts WHERE id = ?`), account).
		Scan(&end.seq, &end.hash, &beyond); err != nil {
		return Verified{}, wrap(err)
	}
	all, err := checkpoints(ctx, tx, dialectName, account, 0, math.MaxInt64)
	if err != nil {
		return Verified{}, wrap(err)
	}
	gone, _, err := pruned(ctx, tx, dialectName, account)
	if err != nil {
		return Verified{}, wrap(err)
	}
	anchor, err := anchorOf(account, all, gone)
	if err != nil {
		return Verified{}, err
	}
	for _, p := range t.Kept {
		if p.AccountID == account {
			all = append(all, p)
		}
	}
	c, err := begin(account, t.Keys, anchor, all)
	if err != nil {
		return c.verified(), err
	}
	var left sql.NullInt64
	if err := tx.QueryRowContext(ctx, places(dialectName, "SELECT min(seq) FROM audit_events WHERE account_id = ? AND seq <= ?"), account, c.at.seq).Scan(&left); err != nil {
		return c.verified(), wrap(err)
	}
	if left.Valid {
		return c.verified(), c.broken(left.Int64, "it stands below the first one")
	}
	if err := each(ctx, tx, dialectName, account, c.at.seq, end.seq, func(r Record) error { return c.next(r) }); err != nil {
		return c.verified(), wrap(err)
	}
	if c.at != end {
		return c.verified(), c.broken(c.at.seq+1, fmt.Sprintf("the newest sealed number is %d", end.seq))
	}
	v, err := c.end()
	if err != nil {
		return v, err
	}
	if beyond.Valid {
		return v, c.broken(beyond.Int64, "it stands beyond the newest sealed number")
	}
	return v, nil
}

func anchorOf(account string, all []Checkpoint, gone int64) (*Checkpoint, error) {
	if gone == 0 {
		return nil, nil //nolint:nilnil // nothing was deleted
	}
	for _, p := range all {
		if p.Seq == gone {
			return &p, nil
		}
	}
	return nil, fmt.Errorf("%w at event %d of account %s: everything up to it was deleted, and there is no checkpoint to begin with", ErrBroken, gone, account)
}

// each reads an account's sealed events behind one number up to another.
func each(ctx context.Context, db querier, dialectName, account string, after, upTo int64, f func(Record) error) error {
	const many = 1000
	query := places(dialectName, fmt.Sprintf("SELECT %s FROM audit_events WHERE account_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT %d", sealedColumns, many))
	for {
		rows, err := db.QueryContext(ctx, query, account, after, upTo)
		if err != nil {
			return err
		}
		events, err := scanSealed(rows)
		if err != nil {
			return err
		}
		for _, e := range events {
			r, err := e.record()
			if err != nil {
				return err
			}
			if err := f(r); err != nil {
				return err
			}
			after = r.Seq
		}
		if len(events) < many {
			return nil
		}
	}
}
