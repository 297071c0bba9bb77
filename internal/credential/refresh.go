package credential

import (
	"context"
	"errors"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// refreshBefore is how much of a token's time is left when it is refreshed.
	refreshBefore = time.Minute
	// leaseFor is how long a replica may take to refresh; a call to the server takes
	// at most outboundTime.
	leaseFor = 3 * outboundTime
	// lookAgain is how often those who wait for another replica look.
	lookAgain = 50 * time.Millisecond
)

// ending tells whether an access token is over, or will be in a moment.
func (s *Store) ending(row *ent.ConnectionCredential) bool {
	return row.ExpiresAt != nil && !row.ExpiresAt.After(s.Store.Now().Add(refreshBefore))
}

// over tells whether an access token can't be used any more.
func (s *Store) over(row *ent.ConnectionCredential) bool {
	return row.ExpiresAt != nil && !row.ExpiresAt.After(s.Store.Now())
}

// refreshed waits for a fresh token; calls that need the same one go together.
func (s *Store) refreshed(ctx context.Context, c *ent.Connection, row *ent.ConnectionCredential) (sealed, error) {
	wait := s.refreshing.DoChan(row.ID, func() (any, error) {
		// Whoever began may leave; the others still need it.
		ctx, cancel := context.WithTimeout(tenancy.System(context.WithoutCancel(ctx), "tokens are refreshed for whoever may use the connection"), leaseFor+outboundTime)
		defer cancel()
		return s.refreshOnce(ctx, c, row.ID)
	})
	select {
	case done := <-wait:
		if done.Err != nil {
			return sealed{}, done.Err
		}
		in, _ := done.Val.(sealed)
		return in, nil
	case <-ctx.Done():
		return sealed{}, ctx.Err()
	}
}

// refreshOnce refreshes the token where this replica gets the row's lease, and
// else waits for whoever has it.
func (s *Store) refreshOnce(ctx context.Context, c *ent.Connection, rowID string) (sealed, error) {
	for {
		row, err := s.Store.ConnectionCredential.Get(ctx, rowID)
		if ent.IsNotFound(err) {
			return sealed{}, s.needsSignIn(c, "")
		}
		if err != nil {
			return sealed{}, err
		}
		if row.Status != connectioncredential.StatusACTIVE {
			return sealed{}, s.needsSignIn(c, row.Error)
		}
		in, err := s.open(row)
		if err != nil || !s.ending(row) {
			return in, err
		}
		if in.Refresh == "" {
			if !s.over(row) {
				return in, nil
			}
			return sealed{}, s.needsSignIn(c, ended)
		}
		lease, got, err := s.lease(ctx, row)
		if err != nil {
			return sealed{}, err
		}
		if got {
			return s.refresh(ctx, c, row, in, lease)
		}
		select {
		case <-ctx.Done():
			return sealed{}, fault.New(fault.Unavailable, "The sign-in to %s is being renewed, which takes too long. Try again in a minute.", c.Name)
		case <-time.After(lookAgain):
		}
	}
}

// lease lends the row to this replica, if nobody has it and nobody changed it.
func (s *Store) lease(ctx context.Context, row *ent.ConnectionCredential) (until time.Time, got bool, err error) {
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		now := tx.Now()
		until = now.Add(leaseFor)
		n, err := tx.ConnectionCredential.Update().
			Where(connectioncredential.ID(row.ID), connectioncredential.Version(row.Version), connectioncredential.StatusEQ(connectioncredential.StatusACTIVE),
				connectioncredential.Or(connectioncredential.RefreshingUntilIsNil(), connectioncredential.RefreshingUntilLTE(now))).
			SetRefreshingUntil(until).Save(ctx)
		got = n == 1
		return err
	})
	return until, got, err
}

// refresh asks for a new token and keeps what comes, unless the credential was
// replaced meanwhile.
func (s *Store) refresh(ctx context.Context, c *ent.Connection, row *ent.ConnectionCredential, in sealed, lease time.Time) (sealed, error) {
	t, err := s.renew(ctx, c, in)
	var refused *refusal
	switch {
	case errors.As(err, &refused):
		why := "the server doesn't renew the sign-in: " + refused.code
		kept := s.settle(ctx, c, row, lease, func(ctx context.Context, tx *store.Tx, u *ent.ConnectionCredentialUpdate) error {
			u.SetStatus(connectioncredential.StatusFAILED).SetError(why)
			return record(ctx, tx, c, "connection.credentialFail", row.UserID)
		})
		if refused.code == unknownClient {
			kept = errors.Join(kept, s.forgetClient(ctx, c, in.ClientID)) // whoever signs in next registers anew
		}
		if kept != nil {
			return sealed{}, kept
		}
		return sealed{}, s.needsSignIn(c, why)
	case err != nil:
		kept := s.settle(ctx, c, row, lease, nil)
		if kept == nil && !s.over(row) {
			s.Log.WarnContext(ctx, "a token isn't refreshed yet", "connection", c.ID, "cause", err)
			return in, nil
		}
		return sealed{}, fault.New(fault.Unavailable, "The sign-in to %s can't be renewed now: its server doesn't answer as it should. Try again later.", c.Name).Because(errors.Join(err, kept))
	}
	next := in
	next.Access = t.Access
	if t.Refresh != "" { // rotated
		next.Refresh = t.Refresh
	}
	box, err := s.seal(row.ID, next)
	if err != nil {
		return sealed{}, err
	}
	err = s.settle(ctx, c, row, lease, func(_ context.Context, tx *store.Tx, u *ent.ConnectionCredentialUpdate) error {
		tx.Unaudited()
		u.SetSecret(box).SetRefreshedAt(tx.Now()).SetError("")
		if t.Scopes != "" {
			u.SetScopes(t.Scopes)
		}
		if expires := t.expires(tx.Now()); expires != nil {
			u.SetExpiresAt(*expires)
		} else {
			u.ClearExpiresAt()
		}
		return nil
	})
	return next, err
}

var errLost = errors.New("credential: replaced while it was refreshed")

// settle gives the row back with what came of it. One that somebody replaced
// meanwhile, or lent anew, stays as it is.
func (s *Store) settle(ctx context.Context, c *ent.Connection, row *ent.ConnectionCredential, lease time.Time, with func(context.Context, *store.Tx, *ent.ConnectionCredentialUpdate) error) error {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		u := tx.ConnectionCredential.Update().Where(connectioncredential.ID(row.ID), connectioncredential.RefreshingUntil(lease)).ClearRefreshingUntil()
		if with == nil {
			tx.Unaudited()
		} else if err := with(ctx, tx, u); err != nil {
			return err
		}
		n, err := u.Save(ctx)
		if err == nil && n == 0 {
			return errLost
		}
		return err
	})
	if errors.Is(err, errLost) {
		return s.needsSignIn(c, "the sign-in was changed at this moment; try again")
	}
	return err
}
