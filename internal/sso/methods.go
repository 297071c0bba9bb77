package sso

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Methods are the ways in for somebody with an address. They follow from its
// domain alone, so that they say nothing of who exists or is an admin.
type Methods struct {
	Password  bool
	Providers []*ent.IdentityProvider
}

// Methods tells how somebody with this address signs in.
func (g *Gate) Methods(ctx context.Context, email, ip string) (*Methods, error) {
	if !g.allow("methods", ip) {
		return nil, fault.New(fault.RateLimited, "Too many attempts. Wait a minute, then try again.")
	}
	email, err := identity.Email(email)
	if err != nil {
		return nil, fault.New(fault.BadInput, "%s", fault.As(err).Message)
	}
	ctx = tenancy.System(ctx, "who asks how to sign in isn't signed in yet")
	a, err := g.accountOf(ctx, email)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return &Methods{Password: true}, nil
	}
	providers, err := g.Store.IdentityProvider.Query().
		Where(identityprovider.AccountID(a.ID), identityprovider.StatusEQ(identityprovider.StatusACTIVE)).
		Order(identityprovider.ByID()).Limit(20).All(ctx)
	if err != nil {
		return nil, err
	}
	return &Methods{Password: !a.SSOEnforced || len(providers) == 0, Providers: providers}, nil
}

// accountOf is the active account that has proved the domain of an address to
// be its own; nil for none.
func (g *Gate) accountOf(ctx context.Context, email string) (*ent.Account, error) {
	name := domainOf(email)
	if name == "" {
		return nil, nil
	}
	d, err := g.Store.Domain.Query().Where(domain.VerifiedName(name)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a, err := g.Store.Account.Query().Where(account.ID(d.AccountID), account.StatusEQ(account.StatusACTIVE)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return a, err
}

// domainOf is the domain of an address in the form that domains are stored in;
// empty where it can't be one.
func domainOf(email string) string {
	_, name, _ := strings.Cut(email, "@")
	name, err := ascii(name)
	if err != nil {
		return ""
	}
	return name
}
