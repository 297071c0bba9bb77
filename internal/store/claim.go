package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/mutationkey"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ClaimsLast is how long a client's key is remembered.
const ClaimsLast = 24 * time.Hour

// ErrClaimed says that another call has done the change under the same key.
var ErrClaimed = errors.New("store: the client's key is taken")

// Claim is a client's key for one change. The first transaction that commits
// under it takes the key in the same breath; of two that run at once one waits
// for the other, and gets ErrClaimed if that one committed.
type Claim struct {
	// ID is the row that the claim becomes.
	ID        string
	AccountID string
	Plane     tenancy.Plane
	// Subject is who the key belongs to; UserID the account's person behind it,
	// or empty.
	Subject, UserID string
	Mutation        string
	KeyHash         string
	// Request is what was asked, sealed.
	Request []byte

	state atomic.Int32
}

const (
	claimOpen int32 = iota
	claimTaken
	claimLost
	claimClosed
)

type claimKey struct{}

// WithClaim lets the first transaction of a context take a client's key.
func WithClaim(ctx context.Context, c *Claim) context.Context {
	return context.WithValue(ctx, claimKey{}, c)
}

// openClaim is the claim that a transaction of the context has to take, or nil.
// After a lost one nothing may be changed.
func openClaim(ctx context.Context) (*Claim, error) {
	c, _ := ctx.Value(claimKey{}).(*Claim)
	switch {
	case c == nil:
		return nil, nil
	case c.Lost():
		return nil, ErrClaimed
	case c.state.Load() == claimOpen:
		return c, nil
	}
	return nil, nil
}

// Taken tells whether a change stands under the claim.
func (c *Claim) Taken() bool { return c.state.Load() == claimTaken }

// Lost tells whether another call has taken the key.
func (c *Claim) Lost() bool { return c.state.Load() == claimLost }

// Close keeps what a call leaves running behind it from taking the key.
func (c *Claim) Close() { c.state.CompareAndSwap(claimOpen, claimClosed) }

// take writes the claim's row. The database lets one of several through, and
// the others wait here, before they have locked anything.
func (tx *Tx) take(ctx context.Context, c *Claim) error {
	now := tx.Now()
	create := tx.MutationKey.Create().SetID(c.ID).SetCreatedAt(now).SetAccountID(c.AccountID).SetPlane(mutationkey.Plane(c.Plane)).
		SetSubject(c.Subject).SetMutation(c.Mutation).SetKeyHash(c.KeyHash).SetSealedRequest(c.Request).SetExpiresAt(now.Add(ClaimsLast))
	if c.UserID != "" {
		create.SetUserID(c.UserID)
	}
	err := create.Exec(tenancy.System(ctx, "keys of mutations are written with the change that they stand for"))
	if IsConflict(err) {
		c.state.Store(claimLost)
		return ErrClaimed // bare: it's no conflict of what the user changes
	}
	if err != nil {
		return fmt.Errorf("store: key of a mutation: %w", err)
	}
	return nil
}

func asKeeper(ctx context.Context) context.Context {
	return tenancy.System(ctx, "keys of mutations are the system's; whoever reads one names its account and subject")
}

// Claimed finds what stands under a claim's key, or nil. One that has expired
// is deleted.
func (s *Store) Claimed(ctx context.Context, c *Claim) (*ent.MutationKey, error) {
	ctx = asKeeper(ctx)
	row, err := s.MutationKey.Query().Where(mutationkey.AccountID(c.AccountID), mutationkey.Subject(c.Subject),
		mutationkey.Mutation(c.Mutation), mutationkey.KeyHash(c.KeyHash)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil || s.Now().Before(row.ExpiresAt) {
		return row, err
	}
	return nil, s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.MutationKey.Delete().Where(mutationkey.ID(row.ID)).Exec(ctx)
		return err
	})
}

// Answer keeps what a change was answered, sealed.
func (s *Store) Answer(ctx context.Context, c *Claim, sealed []byte) error {
	return s.InTx(asKeeper(ctx), func(ctx context.Context, tx *Tx) error {
		return tx.MutationKey.Update().Where(mutationkey.ID(c.ID)).SetSealedAnswer(sealed).Exec(ctx)
	})
}

const pruneBatch = 1000

// PruneClaims deletes what has expired, in small transactions, and returns how
// many.
func (s *Store) PruneClaims(ctx context.Context) (sum int, err error) {
	ctx = asKeeper(ctx)
	for {
		n := 0
		err := s.InTx(ctx, func(ctx context.Context, tx *Tx) error {
			ids, err := tx.MutationKey.Query().Where(mutationkey.ExpiresAtLTE(s.Now())).Limit(pruneBatch).IDs(ctx)
			if err != nil || len(ids) == 0 {
				return err
			}
			n, err = tx.MutationKey.Delete().Where(mutationkey.IDIn(ids...)).Exec(ctx)
			return err
		})
		sum += n
		if err != nil || n < pruneBatch {
			return sum, err
		}
	}
}
