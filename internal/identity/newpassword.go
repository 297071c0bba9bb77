package identity

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ResetLifetime is how long the link of a mail lets somebody choose a new
// password.
const ResetLifetime = time.Hour

// resetPause lies between two mails to the same address.
const resetPause = 2 * time.Minute

// maxResets bounds what unknown callers can make the database and the mail
// server do at once.
const maxResets = 8

// errTooMany is told to whoever guesses.
var errTooMany = fault.New(fault.RateLimited, "Too many attempts. Wait a minute, then try again.")

// SetPassword gives the viewer's login a new password, for the current one;
// every other session of the login ends, in all its accounts.
func (s *Sessions) SetPassword(ctx context.Context, v *tenancy.Viewer, current, password string) error {
	ctx = tenancy.System(ctx, "a login is its own person's to change")
	u, err := s.store.User.Query().WithLogin().Where(user.ID(v.UserID)).Only(ctx)
	if err != nil {
		return fmt.Errorf("identity: password: %w", err)
	}
	l := u.Edges.Login
	if l == nil || l.PasswordHash == "" {
		return fault.At("currentPassword", "You have no password yet: you sign in through an identity provider. To choose one, ask for a reset by mail on the sign-in page.")
	}
	giveBack, ok := s.attempt("p "+l.Email, "p "+v.UserID)
	if !ok {
		return errTooMany
	}
	right, err := checkPassword(ctx, l.PasswordHash, current)
	if err != nil {
		return err
	}
	if !right {
		e := accountEvent("password.set", u.AccountID)
		e.Outcome, e.TargetID, e.TargetName, e.Reason = auditevent.OutcomeREFUSED, u.ID, u.Name, "wrong current password"
		s.refusals.Record(ctx, e)
		return fault.At("currentPassword", "The current password is wrong.")
	}
	giveBack()
	hash, err := newHash(ctx, password)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		// Only where the password is still the one that was checked.
		n, err := tx.Login.Update().Where(login.ID(l.ID), login.PasswordHash(l.PasswordHash)).
			SetPasswordHash(hash).ClearResetHash().ClearResetExpiresAt().Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.At("currentPassword", "The password was changed meanwhile. Sign in again.")
		}
		if _, err := endOfLogin(ctx, tx, l.ID, v.SessionID); err != nil {
			return err
		}
		e := accountEvent("password.set", u.AccountID)
		e.TargetID, e.TargetName = u.ID, u.Name
		return tx.Audit(ctx, e)
	})
}

// newHash is HashPassword with the error at the field of a new password.
func newHash(ctx context.Context, password string) (string, error) {
	hash, err := HashPassword(ctx, password)
	if e := fault.As(err); e != nil {
		return "", fault.At("newPassword", "%s", e.Message)
	}
	return hash, err
}

// RequestReset sends a link to choose a new password, if the address is that of
// a login with an active user. The answer comes before anything is looked up, so
// that it tells nothing, not even by the time it takes.
func (s *Sessions) RequestReset(ctx context.Context, email string, from Client) error {
	email, err := Email(email)
	if err != nil {
		return err
	}
	if _, ok := s.attempt("r "+email, "r "+from.IP); !ok {
		return errTooMany
	}
	select {
	case s.resets <- struct{}{}:
	default:
		return errTooMany
	}
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer func() { <-s.resets }()
		if err := s.sendReset(ctx, email); err != nil {
			slog.ErrorContext(ctx, "a password reset failed", "cause", err, "requestId", audit.RequestID(ctx))
		}
	}()
	return nil
}

func (s *Sessions) sendReset(ctx context.Context, email string) error {
	if s.MailReset == nil {
		slog.InfoContext(ctx, "a password reset was asked for, but no mail server is set; see --smtp-host", "requestId", audit.RequestID(ctx))
		return nil
	}
	ctx = tenancy.System(ctx, "a reset is asked for before there is a viewer")
	l, err := s.store.Login.Query().Where(login.Email(email)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if l.ResetExpiresAt != nil && l.ResetExpiresAt.Sub(s.store.Now()) > ResetLifetime-resetPause {
		return nil // the last link has just gone out: nobody's mailbox is flooded from here
	}
	users, _, err := s.usersOf(ctx, l.ID)
	if err != nil || len(users) == 0 {
		return err
	}
	token := secret.Token()
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Login.UpdateOneID(l.ID).SetResetHash(secret.Hash(token)).
			SetResetExpiresAt(s.store.Now().Add(ResetLifetime)).Exec(ctx); err != nil {
			return err
		}
		for _, u := range users {
			e := accountEvent("password.requestReset", u.AccountID)
			e.TargetID, e.TargetName = u.ID, u.Name
			e.Actor = &audit.Actor{Kind: auditevent.ActorKindANONYMOUS, Name: "Somebody"}
			if err := tx.Audit(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.MailReset(ctx, email, users[0].Name, token)
	return nil
}

// ResetPassword gives a login a new password by the token of a mail, which works
// once; all sessions of the login end.
func (s *Sessions) ResetPassword(ctx context.Context, token, password string, from Client) error {
	ctx = tenancy.System(ctx, "the link of a mail is the proof")
	gone := fault.At("token", "This link doesn't work any more. Ask for a new one on the sign-in page.")
	if _, ok := s.attempt("t "+from.IP, "t "+from.IP); !ok {
		return errTooMany
	}
	hash, err := newHash(ctx, password)
	if err != nil {
		return err
	}
	return s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		l, err := tx.Login.Query().Where(login.ResetHash(secret.Hash(token)), login.ResetExpiresAtGT(s.store.Now())).Only(ctx)
		if ent.IsNotFound(err) {
			return gone
		}
		if err != nil {
			return err
		}
		n, err := tx.Login.Update().Where(login.ID(l.ID), login.ResetHash(secret.Hash(token))).
			SetPasswordHash(hash).ClearResetHash().ClearResetExpiresAt().Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return gone // used at the same moment
		}
		users, err := endOfLogin(ctx, tx, l.ID, "")
		if err != nil {
			return err
		}
		for _, u := range users {
			e := accountEvent("password.reset", u.AccountID)
			e.TargetID, e.TargetName = u.ID, u.Name
			e.Actor = &audit.Actor{Kind: auditevent.ActorKindUSER, ID: u.ID, Name: u.Name}
			if err := tx.Audit(ctx, e); err != nil {
				return err
			}
		}
		if len(users) == 0 {
			return tx.Audit(ctx, accountEvent("password.reset", id.PlatformID))
		}
		return nil
	})
}
