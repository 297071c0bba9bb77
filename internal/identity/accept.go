package identity

import (
	"context"
	"fmt"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Offer is what an invitation's link leads to.
type Offer struct {
	Invitation *ent.Invitation
	Account    *ent.Account
	Scope      *ent.Scope
	Location   string
	// HasLogin asks for the login's own password; otherwise a new one is set.
	HasLogin bool
	// Password says that a password will do. It won't where the account enforces
	// its identity providers, nor for a person known by one of them alone: the
	// link doesn't prove to be them, for whoever invited them has it too.
	Password  bool
	Providers []*ent.IdentityProvider

	login *ent.Login
	user  *ent.User
}

// Offer reads what a link offers; nil for one that doesn't work (any more).
// Guessing is slowed.
func (s *Sessions) Offer(ctx context.Context, token string, from Client) (*Offer, error) {
	giveBack, ok := s.attempt("invitations "+from.IP, from.IP)
	if !ok {
		return nil, fault.New(fault.RateLimited, "Too many attempts. Wait a minute, then try again.")
	}
	ctx = tenancy.System(ctx, "an invitation's link is its own proof")
	row, err := s.store.Invitation.Query().Where(invitation.TokenHash(secret.Hash(token)), invitation.AcceptedAtIsNil(), invitation.RevokedAtIsNil(),
		invitation.ExpiresAtGT(s.store.Now())).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("identity: invitation: %w", err)
	}
	giveBack()
	o := &Offer{Invitation: row}
	if o.Account, err = s.store.Account.Get(ctx, row.AccountID); err != nil {
		return nil, fmt.Errorf("identity: invitation's account: %w", err)
	}
	if o.Scope, err = s.store.Scope.Get(ctx, row.ScopeID); err != nil {
		return nil, fmt.Errorf("identity: invitation's scope: %w", err)
	}
	archived, err := s.store.Scope.Query().Where(scope.IDIn(chain(o.Scope)...), scope.ArchivedAtNotNil()).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: invitation's scope: %w", err)
	}
	if archived || o.Account.Status != account.StatusACTIVE {
		return nil, nil
	}
	if o.Location, err = Place(ctx, s.store.Client, o.Scope); err != nil {
		return nil, err
	}
	o.Providers, err = s.store.IdentityProvider.Query().Where(identityprovider.AccountID(row.AccountID), identityprovider.StatusEQ(identityprovider.StatusACTIVE)).
		Order(identityprovider.ByName()).Limit(100).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: invitation's providers: %w", err)
	}
	return o, o.ways(ctx, s.store.Client)
}

// ways reads whom the address belongs to, and whether a password proves it.
func (o *Offer) ways(ctx context.Context, c *ent.Client) (err error) {
	o.login, err = c.Login.Query().Where(login.Email(o.Invitation.Email)).WithUsers().Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("identity: invitation's login: %w", err)
	}
	o.user, err = c.User.Query().Where(user.AccountID(o.Account.ID), user.Email(o.Invitation.Email)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("identity: invitation's user: %w", err)
	}
	o.HasLogin = o.login != nil && o.login.PasswordHash != ""
	switch {
	case o.Account.SSOEnforced:
		o.Password = false
	case o.user != nil:
		o.Password = o.HasLogin && o.user.LoginID != nil && *o.user.LoginID == o.login.ID
	default:
		// A login without a password, but with users, is somebody's already.
		o.Password = o.HasLogin || o.login == nil || len(o.login.Edges.Users) == 0
	}
	return nil
}

// Accept takes an invitation up and signs in. A person with a login gives its
// password; others choose one, and a name. Nothing of an existing person is
// changed. Once accepted, a link is refused.
func (s *Sessions) Accept(ctx context.Context, token, name, password string, from Client) (*SignedIn, error) {
	o, err := s.Offer(ctx, token, from)
	if err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errInvitation
	}
	if !o.Password {
		return nil, fault.At("password", "A password won't do here: sign in with the identity provider of %s, or ask its admins for another way.", o.Account.Name)
	}
	ctx = tenancy.System(ctx, "an invitation's link is its own proof")
	hash, err := s.prove(ctx, o, name, password, from)
	if err != nil {
		return nil, err
	}
	var u *ent.User
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		u, err = o.accept(ctx, tx, name, hash)
		return err
	})
	if store.IsConflict(err) {
		err = fault.New(fault.Conflict, "Somebody with this address was added meanwhile. Try again.")
	}
	if err != nil {
		return nil, err
	}
	if o.HasLogin {
		hash = o.login.PasswordHash
	}
	return s.Open(ctx, u, nil, Proof{Kind: session.KindPASSWORD, passwordHash: hash}, from)
}

// prove checks the password of an existing login, or returns the hash of a new
// one.
func (s *Sessions) prove(ctx context.Context, o *Offer, name, password string, from Client) (hash string, err error) {
	if !o.HasLogin {
		if o.user == nil {
			if _, err := checkName(name); err != nil {
				return "", err
			}
		}
		return HashPassword(ctx, password)
	}
	giveBack, ok := s.attempt(o.Invitation.Email, from.IP)
	if !ok {
		return "", fault.New(fault.RateLimited, "Too many attempts. Wait a minute, then try again.")
	}
	right, err := checkPassword(ctx, o.login.PasswordHash, password)
	if err != nil {
		return "", err
	}
	if !right {
		_ = s.refuse(ctx, o.Invitation.Email, "wrong password for an invitation") // records it
		return "", fault.At("password", "The password is wrong. It is the one that you sign in with elsewhere in Cockpit.")
	}
	giveBack()
	return "", nil
}

// accept makes the person who they prove to be, if they aren't known yet, and
// gives them what they were invited to.
func (o *Offer) accept(ctx context.Context, tx *store.Tx, name, hash string) (*ent.User, error) {
	proved := *o
	if err := o.ways(ctx, tx.Client); err != nil {
		return nil, err
	}
	if o.HasLogin != proved.HasLogin || o.HasLogin && o.login.PasswordHash != proved.login.PasswordHash || !o.Password {
		return nil, fault.New(fault.Conflict, "Your login has changed meanwhile. Try again.")
	}
	u := o.user
	if u == nil {
		var err error
		if !o.HasLogin {
			name, err = checkName(name)
		} else if name == "" {
			name = o.nameElsewhere()
		}
		if err != nil {
			return nil, err
		}
		if o.login != nil && !o.HasLogin {
			if err := tx.Login.UpdateOneID(o.login.ID).SetPasswordHash(hash).Exec(ctx); err != nil {
				return nil, err
			}
		}
		if u, err = CreateUser(ctx, tx, UserInput{AccountID: o.Account.ID, Email: o.Invitation.Email, Name: name, PasswordHash: hash, Proved: o.login, NewLogin: o.login == nil}); err != nil {
			return nil, err
		}
	}
	return u, take(ctx, tx, o.Invitation, u)
}

// nameElsewhere is what a person with a login is called without being asked:
// as the inviter called them, or as in another account of theirs.
func (o *Offer) nameElsewhere() string {
	if o.Invitation.Name != "" {
		return o.Invitation.Name
	}
	for _, u := range o.login.Edges.Users {
		return u.Name
	}
	return o.Invitation.Email
}
