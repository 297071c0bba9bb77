package sso

import (
	"context"
	"errors"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// userOf finds, links or makes the user that a provider's person is in the
// provider's account, and gives what their groups bring. Two windows that do
// the same for the first time meet in the database: the second one looks again.
func (g *Gate) userOf(ctx context.Context, p *ent.IdentityProvider, who person, invitation string) (u *ent.User, refused *Refusal) {
	ctx = tenancy.System(ctx, "a person signs in before there is a viewer")
	if g.Accept == nil {
		invitation = ""
	}
	var err error
	for range 3 {
		err = g.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
			u, err = g.userIn(ctx, tx, p, who, invitation)
			return err
		})
		if !store.IsConflict(err) && !fault.Is(err, fault.Exists) {
			break
		}
	}
	switch {
	case err == nil:
		return u, nil
	case errors.As(err, &refused):
		return nil, refused
	}
	return nil, refuse(Internal, "the user can't be found or made").because(err)
}

func (g *Gate) userIn(ctx context.Context, tx *store.Tx, p *ent.IdentityProvider, who person, invitation string) (*ent.User, error) {
	known, err := tx.ExternalIdentity.Query().
		Where(externalidentity.AccountID(p.AccountID), externalidentity.Issuer(who.issuer), externalidentity.Subject(who.subject)).
		WithUser().Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	var u *ent.User
	if known != nil {
		u = known.Edges.User
		tx.Unaudited() // the session's event tells of it
		err = tx.ExternalIdentity.UpdateOneID(known.ID).SetEmail(clipTo(who.email, 254)).SetLastSignInAt(tx.Now()).Exec(ctx)
	} else {
		u, err = g.newcomer(ctx, tx, p, who, invitation)
	}
	if err != nil {
		return nil, err
	}
	if u.Status != user.StatusACTIVE {
		return nil, refuse(Deactivated, "the user was deactivated")
	}
	if invitation != "" {
		if err := g.Accept(ctx, tx, invitation, u); err != nil {
			if f := fault.As(err); f != nil {
				return nil, refuse(BadInvitation, f.Message)
			}
			return nil, err
		}
	}
	return u, give(ctx, tx, p, u, who.groups)
}

// newcomer links somebody whom the account hasn't seen through this issuer yet:
// to the user of their address, or to a new one.
func (g *Gate) newcomer(ctx context.Context, tx *store.Tx, p *ent.IdentityProvider, who person, invitation string) (*ent.User, error) {
	// A guest's address is elsewhere, but the provider has verified it and the
	// account has invited it.
	guest := false
	if refused := g.vouched(ctx, tx.Client, p, who); refused != nil {
		guest = refused.Code == ForeignDomain && who.said != nil && *who.said && invitation != ""
		if !guest {
			return nil, refused
		}
	}
	u, err := tx.User.Query().Where(user.AccountID(p.AccountID), user.Email(who.email)).Only(ctx)
	switch {
	case ent.IsNotFound(err) && guest:
		u, err = createGuest(ctx, tx, p, who)
	case ent.IsNotFound(err) && !p.JustInTime && invitation == "":
		return nil, refuse(NoUser, "there is no user with this address, and the provider makes none")
	case ent.IsNotFound(err):
		u, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: p.AccountID, Email: who.email, Name: nameOf(who)})
	}
	if err != nil {
		return nil, err
	}
	if u.Status != user.StatusACTIVE {
		return nil, refuse(Deactivated, "the user was deactivated")
	}
	err = tx.ExternalIdentity.Create().SetAccountID(p.AccountID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(u.ID).
		SetIdentityProviderID(p.ID).SetIssuer(who.issuer).SetSubject(who.subject).SetEmail(who.email).SetLastSignInAt(tx.Now()).Exec(ctx)
	if err != nil {
		return nil, err
	}
	e := event("user.link", p.AccountID, u.ID, u.Name)
	e.Changes = map[string]audit.Change{"identityProvider": {After: p.Name}, "email": {After: who.email}}
	e.Actor = &audit.Actor{Kind: auditevent.ActorKindUSER, ID: u.ID, Name: u.Name}
	return u, tx.Audit(ctx, e)
}

// createGuest makes a user without a login: what an account's provider says of
// an address elsewhere doesn't reach the login that its person may have.
func createGuest(ctx context.Context, tx *store.Tx, p *ent.IdentityProvider, who person) (*ent.User, error) {
	u, err := tx.User.Create().SetAccountID(p.AccountID).SetPlane(user.PlaneACCOUNT).SetEmail(who.email).SetName(nameOf(who)).Save(ctx)
	if err != nil {
		return nil, err
	}
	return u, tx.Audit(ctx, event("user.create", p.AccountID, u.ID, u.Name))
}

// vouched refuses addresses that the provider doesn't stand for: unverified
// ones, and those of domains that the account hasn't proved to be its own. A
// provider that says nothing of verification is believed within those domains.
func (g *Gate) vouched(ctx context.Context, c *ent.Client, p *ent.IdentityProvider, who person) *Refusal {
	if who.email == "" {
		return refuse(NoEmail, "the provider gives no address in the claim "+p.EmailClaim)
	}
	if _, err := identity.Email(who.email); err != nil {
		return refuse(NoEmail, "the claim "+p.EmailClaim+" holds no e-mail address")
	}
	if who.said != nil && !*who.said {
		return refuse(UnverifiedEmail, "the provider says that the address isn't verified")
	}
	proved, err := c.Domain.Query().Where(domain.AccountID(p.AccountID), domain.VerifiedName(domainOf(who.email))).Exist(ctx)
	if err != nil {
		return refuse(Internal, "the account's domains can't be read").because(err)
	}
	if !proved {
		return refuse(ForeignDomain, "the address isn't of a domain that the account has proved to be its own")
	}
	// Anybody can have a Google account with an address elsewhere, and keep it
	// when they lose the address: only Workspace vouches for its own domain.
	if p.Issuer == "https://accounts.google.com" && !strings.EqualFold(who.hosted, domainOf(who.email)) {
		return refuse(UnverifiedEmail, "the Google account isn't of the Workspace of its address")
	}
	return nil
}

// nameOf is a name to show; the address has one where the provider gave none.
func nameOf(who person) string {
	if who.name != "" {
		return who.name
	}
	name, _, _ := strings.Cut(who.email, "@")
	return clipTo(name, 120)
}
