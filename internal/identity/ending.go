package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Revoke ends a session that the viewer could read, on every replica. Whether
// they may is checked before.
func (s *Sessions) Revoke(ctx context.Context, row *ent.Session) error {
	ctx = tenancy.System(ctx, "sessions are ended by the system for whoever may")
	return s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		n, err := EndSessions(ctx, tx, row.AccountID, session.ID(row.ID))
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.Missing("session") // ended already
		}
		e := accountEvent("session.revoke", row.AccountID)
		e.TargetID = row.ID
		if row.UserID != nil {
			u, err := tx.User.Get(ctx, *row.UserID)
			if err != nil {
				return err
			}
			e.TargetID, e.TargetName = u.ID, u.Name
		}
		return tx.Audit(ctx, e)
	})
}

// RevokeAll ends all sessions of a person but the viewer's own one, and tells
// how many.
func (s *Sessions) RevokeAll(ctx context.Context, v *tenancy.Viewer, u *ent.User) (n int, err error) {
	ctx = tenancy.System(ctx, "sessions are ended by the system for whoever may")
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		n, err = EndSessions(ctx, tx, u.AccountID, session.UserID(u.ID), session.IDNEQ(v.SessionID))
		if err != nil {
			return err
		}
		e := accountEvent("session.revokeAll", u.AccountID)
		e.TargetID, e.TargetName = u.ID, u.Name
		e.Changes = map[string]audit.Change{"sessions": {After: n}}
		return tx.Audit(ctx, e)
	})
	return n, err
}

// EndSessions revokes the open ones among an account's sessions within a
// transaction of the system's, which every replica learns of. The caller writes
// the event.
func EndSessions(ctx context.Context, tx *store.Tx, accountID string, which ...predicate.Session) (int, error) {
	n, err := tx.Session.Update().Where(session.AccountID(accountID), session.RevokedAtIsNil()).Where(which...).
		SetRevokedAt(tx.Now()).Save(ctx)
	if err != nil {
		return 0, fmt.Errorf("identity: end sessions: %w", err)
	}
	if n > 0 {
		tx.Touch(accountID)
	}
	return n, nil
}

// StillOpen picks the sessions of an account that still let somebody in.
func StillOpen(a *ent.Account, now time.Time) predicate.Session {
	return session.And(session.RevokedAtIsNil(), session.ExpiresAtGT(now), session.LastSeenAtGTE(now.Add(-idleOf(a))),
		session.CreatedAtGT(now.Add(-time.Duration(a.SessionLifetimeMinutes)*time.Minute)))
}

// EndPasswordSessions ends the sessions of an account that passwords opened,
// but for those of its admins, who keep their password as a way back.
func EndPasswordSessions(ctx context.Context, tx *store.Tx, accountID string) (int, error) {
	return EndSessions(ctx, tx, accountID, session.KindEQ(session.KindPASSWORD), session.Not(session.HasUserWith(administers(accountID))))
}

func administers(accountID string) predicate.User {
	return user.HasRolesWith(rolebinding.ScopeID(accountID), rolebinding.RoleEQ(rolebinding.RoleADMIN))
}

// Proved picks the people of an account that enforces single sign-on whose
// tokens and consents stand: those whom a provider of it has signed in, and its
// admins, as long as they are that. Everybody else made theirs by a password
// that isn't taken any more.
func Proved(accountID string) predicate.User {
	return user.Or(administers(accountID),
		user.HasExternalIdentitiesWith(externalidentity.HasIdentityProviderWith(identityprovider.StatusNEQ(identityprovider.StatusDISABLED))))
}

// Vouched tells whether somebody's tokens and consents count in their account
// as it is.
func Vouched(ctx context.Context, c *ent.Client, a *ent.Account, userID string) (bool, error) {
	if !a.SSOEnforced {
		return true, nil
	}
	is, err := c.User.Query().Where(user.ID(userID), Proved(a.ID)).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("identity: who may enter: %w", err)
	}
	return is, nil
}

// endOfLogin ends the sessions of all users of a login but the given one, in
// every account; it returns the users.
func endOfLogin(ctx context.Context, tx *store.Tx, loginID, but string) ([]*ent.User, error) {
	users, err := tx.User.Query().Where(user.LoginID(loginID)).Order(user.ByAccountID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: users of a login: %w", err)
	}
	for _, u := range users {
		if _, err := EndSessions(ctx, tx, u.AccountID, session.UserID(u.ID), session.IDNEQ(but)); err != nil {
			return nil, err
		}
	}
	return users, nil
}

// accountEvent is an event about an account as a whole, or about the platform.
func accountEvent(action, accountID string) audit.Event {
	e := audit.Event{Action: action, AccountID: accountID, Plane: tenancy.PlaneAccount, ScopeID: accountID, ScopePath: "/" + accountID + "/"}
	if accountID == id.PlatformID {
		e.Plane, e.ScopePath = tenancy.PlanePlatform, "/"
	}
	return e
}
