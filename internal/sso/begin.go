package sso

import (
	"context"
	"errors"

	"golang.org/x/oauth2"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Begin is what a sign-in begins with.
type Begin struct {
	ProviderID string
	// Return is the path of the cockpit to go on to.
	Return string
	// Invitation is the token of the invitation that the person follows.
	Invitation string
	// Test goes all the way and changes nobody; for admins of the account.
	Test bool
	From identity.Client
}

// Begun leads to the provider.
type Begun struct {
	// URL is where to send the browser.
	URL string
	// CookieName and CookieValue stay with the browser until it comes back.
	CookieName, CookieValue string
}

// Begin leads somebody to an identity provider. The context's viewer matters
// for tests alone.
func (g *Gate) Begin(ctx context.Context, in Begin) (*Begun, *Refusal) {
	if !g.allow("begin", in.From.IP) {
		return nil, refuse(RateLimited, "too many sign-ins from one address")
	}
	p, a, refused := g.provider(ctx, in.ProviderID, in.Test)
	if refused != nil {
		return nil, refused
	}
	nonce, verifier := newFlow()
	s := state{AccountID: p.AccountID, ProviderID: p.ID, Nonce: nonce, Browser: secret.Hash(verifier),
		Expires: g.Store.Now().Add(FlowTime), Return: localPath(in.Return)}
	if len(in.Invitation) <= 200 {
		s.Invitation = in.Invitation
	}
	if in.Test {
		v := tenancy.ViewerFrom(ctx)
		if !g.mayTest(ctx, a) {
			return nil, refuse(NotAllowed, "only admins of the account test a provider")
		}
		s.Tester, s.Version, s.Invitation = v.SessionID, p.Version, ""
	}
	d, err := g.discovered(ctx, p.Issuer)
	if err != nil {
		return nil, refuse(Unreachable, "the provider's discovery document can't be had").because(err)
	}
	sealed, err := g.seal(s)
	if err != nil {
		return nil, refuse(Internal, "the state can't be sealed").because(err)
	}
	config, err := g.config(p, d)
	if err != nil {
		return nil, refuse(Internal, "the client secret can't be opened").because(err)
	}
	return &Begun{URL: config.AuthCodeURL(sealed, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)),
		CookieName: cookieName(nonce), CookieValue: verifier}, nil
}

// provider finds one that people may use, or that an admin tests, with its
// active account. It says the same of what doesn't exist and what isn't in use.
func (g *Gate) provider(ctx context.Context, providerID string, test bool) (*ent.IdentityProvider, *ent.Account, *Refusal) {
	ctx = tenancy.System(ctx, "a provider is looked for before there is a viewer")
	p, err := g.Store.IdentityProvider.Get(ctx, providerID)
	if ent.IsNotFound(err) || (err == nil && !test && p.Status != identityprovider.StatusACTIVE) {
		return nil, nil, refuse(UnknownProvider, "no such identity provider, or not in use")
	}
	if err != nil {
		return nil, nil, refuse(Internal, "the provider can't be read").because(err)
	}
	a, err := g.Store.Account.Get(ctx, p.AccountID)
	if err != nil {
		return nil, nil, refuse(Internal, "the account can't be read").because(err)
	}
	if a.Status != account.StatusACTIVE {
		return nil, nil, refuse(NotActive, "the account isn't active")
	}
	return p, a, nil
}

// mayTest asks the policy whether the viewer, at the cockpit in person, may set
// up sign-in of the account.
func (g *Gate) mayTest(ctx context.Context, a *ent.Account) bool {
	v := tenancy.ViewerFrom(ctx)
	return v != nil && v.SessionID != "" && v.AccountID == a.ID && !v.Narrowed &&
		g.Access.Check(ctx, access.SignInConfigure, access.Target{Kind: tenancy.KindAccount, Plane: tenancy.PlaneAccount, Path: "/" + a.ID + "/"}) == nil
}

// CallbackURL is the one address of an account that its providers send people
// back to.
func (g *Gate) CallbackURL(accountID string) string { return g.URL + "/sso/callback/" + accountID }

// config is the OAuth client that Cockpit is at a provider.
func (g *Gate) config(p *ent.IdentityProvider, d *discovery) (*oauth2.Config, error) {
	c := &oauth2.Config{ClientID: p.ClientID, Endpoint: d.endpoint, RedirectURL: g.CallbackURL(p.AccountID), Scopes: p.Scopes}
	if len(p.Secret) == 0 {
		c.Endpoint.AuthStyle = oauth2.AuthStyleInParams // PKCE alone
		return c, nil
	}
	var err error
	if c.ClientSecret, err = g.Box.Open(p.ID, p.Secret); err != nil {
		return nil, errors.Join(errors.New("sso: a client secret"), err)
	}
	return c, nil
}
