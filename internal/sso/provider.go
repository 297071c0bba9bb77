package sso

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/groupmapping"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
)

// maxProviders bounds the identity providers of an account.
const maxProviders = 20

// ProviderInput describes an identity provider to make or change; nil leaves a
// value as it is.
type ProviderInput struct {
	Name, Issuer, ClientID *string
	// ClientSecret is in the clear; "" removes it. Giving back its hint, with or
	// without a mask before it, keeps the old one, as nil does.
	ClientSecret                       *string
	Scopes                             []string
	EmailClaim, NameClaim, GroupsClaim *string
	JustInTime                         *bool
	Status                             *string
	// ExpectedVersion refuses the change where the row has moved on.
	ExpectedVersion *int
}

// CreateProvider adds an identity provider, as a draft, once its discovery
// document could be read.
func (g *Gate) CreateProvider(ctx context.Context, accountID string, in ProviderInput) (*ent.IdentityProvider, error) {
	if in.Name == nil || in.Issuer == nil || in.ClientID == nil {
		return nil, fault.At("name", "Name, issuer and client id are needed.")
	}
	if err := g.check(&in); err != nil {
		return nil, err
	}
	newID := id.New(id.IdentityProvider)
	sealed, hint, _, err := g.sealed(newID, "", in.ClientSecret)
	if err != nil {
		return nil, err
	}
	if _, err := g.discover(ctx, *in.Issuer); err != nil { // no transaction is open while waiting for others
		return nil, err
	}
	if in.Scopes == nil {
		in.Scopes = []string{"openid", "profile", "email"}
	}
	var p *ent.IdentityProvider
	err = g.change(ctx, accountID, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.IdentityProvider.Query().Where(identityprovider.AccountID(accountID)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= maxProviders {
			return fault.New(fault.Invalid, "An account has at most %d identity providers. Remove one that isn't used any more.", maxProviders)
		}
		p, err = tx.IdentityProvider.Create().SetID(newID).SetAccountID(accountID).SetPlane(identityprovider.PlaneACCOUNT).
			SetName(*in.Name).SetIssuer(*in.Issuer).SetClientID(*in.ClientID).SetSecret(sealed).SetSecretHint(hint).SetScopes(in.Scopes).
			SetNillableEmailClaim(in.EmailClaim).SetNillableNameClaim(in.NameClaim).SetNillableGroupsClaim(in.GroupsClaim).
			SetNillableJustInTime(in.JustInTime).Save(ctx)
		if store.IsConflict(err) {
			return taken(*in.Name)
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, event("identityProvider.create", accountID, p.ID, p.Name))
	})
	return p, err
}

// UpdateProvider changes an identity provider that the viewer could read.
func (g *Gate) UpdateProvider(ctx context.Context, old *ent.IdentityProvider, in ProviderInput) (*ent.IdentityProvider, error) {
	if err := g.check(&in); err != nil {
		return nil, err
	}
	sealed, hint, given, err := g.sealed(old.ID, old.SecretHint, in.ClientSecret)
	if err != nil {
		return nil, err
	}
	if in.Issuer != nil || (in.Status != nil && *in.Status == string(identityprovider.StatusACTIVE)) {
		issuer := old.Issuer
		if in.Issuer != nil {
			issuer = *in.Issuer
		}
		if _, err := g.discover(ctx, issuer); err != nil {
			return nil, err
		}
	}
	var p *ent.IdentityProvider
	err = g.change(ctx, old.AccountID, func(ctx context.Context, tx *store.Tx) error {
		now, err := tx.IdentityProvider.Get(ctx, old.ID)
		if err != nil {
			return missing(err, "identity provider")
		}
		if in.ExpectedVersion != nil && *in.ExpectedVersion != now.Version {
			return stale(*in.ExpectedVersion, now.Version)
		}
		if !given && len(now.Secret) > 0 && differs(in.Issuer, now.Issuer) {
			return fault.At("clientSecret", "A new issuer needs its client secret given again, or removed: the stored one stays with the old issuer.")
		}
		u := now.Update().SetNillableName(in.Name).SetNillableIssuer(in.Issuer).SetNillableClientID(in.ClientID).
			SetNillableEmailClaim(in.EmailClaim).SetNillableNameClaim(in.NameClaim).SetNillableGroupsClaim(in.GroupsClaim).
			SetNillableJustInTime(in.JustInTime)
		if in.Scopes != nil {
			u.SetScopes(in.Scopes)
		}
		if given {
			u.SetSecret(sealed).SetSecretHint(hint)
		}
		untested := differs(in.Issuer, now.Issuer) || differs(in.ClientID, now.ClientID) || (in.Scopes != nil && !slices.Equal(in.Scopes, now.Scopes)) ||
			differs(in.EmailClaim, now.EmailClaim) || differs(in.NameClaim, now.NameClaim) || differs(in.GroupsClaim, now.GroupsClaim)
		status, err := nextStatus(now, in.Status, untested)
		if err != nil {
			return err
		}
		u.SetStatus(status)
		if untested {
			u.ClearTestedAt().SetTestError("")
		}
		p, err = u.Save(ctx)
		if store.IsConflict(err) {
			return taken(*in.Name)
		}
		if err != nil {
			return err
		}
		if in.Status != nil && status != identityprovider.StatusACTIVE && now.Status == identityprovider.StatusACTIVE {
			if _, err := identity.EndSessions(ctx, tx, p.AccountID, session.IdentityProviderID(p.ID)); err != nil {
				return err
			}
		}
		if err := enforceable(ctx, tx, p.AccountID); err != nil {
			return err
		}
		return tx.Audit(ctx, event("identityProvider.update", p.AccountID, p.ID, p.Name))
	})
	return p, err
}

// nextStatus is what a provider is after a change: one that wasn't tested as it
// is lets nobody in.
func nextStatus(now *ent.IdentityProvider, wanted *string, untested bool) (identityprovider.Status, error) {
	tested := now.TestedAt != nil && !untested
	switch {
	case wanted == nil && now.Status == identityprovider.StatusACTIVE && !tested:
		return identityprovider.StatusDRAFT, nil
	case wanted == nil:
		return now.Status, nil
	case *wanted == string(identityprovider.StatusACTIVE) && !tested:
		return "", fault.At("status", "Test the sign-in first: people are let in through a provider only once somebody went all the way through it as it is now.")
	}
	return identityprovider.Status(*wanted), nil
}

// DeleteProvider removes an identity provider with its mappings and what it
// knew of people. Whoever signed in through it is signed out.
func (g *Gate) DeleteProvider(ctx context.Context, p *ent.IdentityProvider) error {
	return g.change(ctx, p.AccountID, func(ctx context.Context, tx *store.Tx) error {
		if _, err := tx.GroupMapping.Delete().Where(groupmapping.IdentityProviderID(p.ID)).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.ExternalIdentity.Delete().Where(externalidentity.IdentityProviderID(p.ID)).Exec(ctx); err != nil {
			return err
		}
		if err := tx.IdentityProvider.DeleteOneID(p.ID).Exec(ctx); err != nil {
			return missing(err, "identity provider")
		}
		if _, err := identity.EndSessions(ctx, tx, p.AccountID, session.IdentityProviderID(p.ID)); err != nil {
			return err
		}
		if err := enforceable(ctx, tx, p.AccountID); err != nil {
			return err
		}
		return tx.Audit(ctx, event("identityProvider.delete", p.AccountID, p.ID, p.Name))
	})
}

// Enforce lets people in through identity providers alone, or by password too
// again. Sessions that passwords opened end, but for those of admins; so do the
// tokens and consents of people whom no provider has signed in.
func (g *Gate) Enforce(ctx context.Context, accountID string, enforced bool) (*ent.Account, error) {
	var a *ent.Account
	err := g.change(ctx, accountID, func(ctx context.Context, tx *store.Tx) (err error) {
		if a, err = tx.Account.UpdateOneID(accountID).SetSSOEnforced(enforced).Save(ctx); err != nil {
			return missing(err, "account")
		}
		if err := enforceable(ctx, tx, accountID); fault.Is(err, fault.InUse) {
			return fault.At("enforced", "Single sign-on can be enforced once there is a verified domain and an active provider that was tested: else nobody could sign in.")
		} else if err != nil {
			return err
		}
		e := event("signIn.enforce", accountID, accountID, a.Name)
		if enforced {
			sessions, err := identity.EndPasswordSessions(ctx, tx, accountID)
			if err != nil {
				return err
			}
			tokens, consents, err := oauth.EndUnproved(ctx, tx, accountID)
			if err != nil {
				return err
			}
			e.Changes = map[string]audit.Change{"sessions": {After: sessions}, "personalTokens": {After: tokens}, "authorizations": {After: consents}}
		}
		return tx.Audit(ctx, e)
	})
	return a, err
}

// enforceable refuses what would leave an account that enforces single sign-on
// without a way in.
func enforceable(ctx context.Context, tx *store.Tx, accountID string) error {
	enforced, err := tx.Account.Query().Where(account.ID(accountID), account.SSOEnforced(true)).Exist(ctx)
	if err != nil || !enforced {
		return err
	}
	provider, err := tx.IdentityProvider.Query().Where(identityprovider.AccountID(accountID),
		identityprovider.StatusEQ(identityprovider.StatusACTIVE), identityprovider.TestedAtNotNil()).Exist(ctx)
	if err != nil {
		return err
	}
	proved, err := tx.Domain.Query().Where(domain.AccountID(accountID), domain.VerifiedNameNotNil()).Exist(ctx)
	if err != nil {
		return err
	}
	if !provider || !proved {
		return fault.New(fault.InUse, "The account enforces single sign-on, and this would leave nobody a way in. Let people sign in by password again first, or set up another provider or domain.")
	}
	return nil
}

// check refuses what can't be taken, and brings the rest to its stored form.
func (g *Gate) check(in *ProviderInput) error {
	for _, f := range []struct {
		field string
		value *string
		most  int
		words string
	}{
		{"name", in.Name, 120, "A name has 1–120 characters."},
		{"clientId", in.ClientID, 500, "A client id has 1–500 characters."},
		{"emailClaim", in.EmailClaim, 200, "The name of a claim has 1–200 characters."},
		{"nameClaim", in.NameClaim, 200, "The name of a claim has 1–200 characters."},
		{"groupsClaim", in.GroupsClaim, 200, "The name of a claim has 1–200 characters."},
	} {
		if f.value == nil {
			continue
		}
		*f.value = strings.TrimSpace(*f.value)
		if *f.value == "" || len(*f.value) > f.most || strings.ContainsFunc(*f.value, unicode.IsControl) {
			return fault.At(f.field, "%s", f.words)
		}
	}
	if in.Issuer != nil {
		issuer, err := g.checkIssuer(*in.Issuer)
		if err != nil {
			return err
		}
		in.Issuer = &issuer
	}
	if in.Scopes != nil {
		scopes := []string{"openid"}
		for _, s := range in.Scopes {
			if s == "" || len(s) > 200 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
				return fault.At("scopes", "%q isn't a scope.", clipTo(s, 100))
			}
			if !slices.Contains(scopes, s) {
				scopes = append(scopes, s)
			}
		}
		if len(scopes) > 20 {
			return fault.At("scopes", "At most 20 scopes are asked for.")
		}
		in.Scopes = scopes
	}
	return nil
}

// sealed encrypts a new secret; ok is false where the old one, with that hint,
// stays.
func (g *Gate) sealed(place, old string, given *string) (sealed []byte, hint string, ok bool, err error) {
	if given == nil {
		return nil, "", false, nil
	}
	plain := strings.TrimSpace(*given)
	switch {
	case plain != "" && plain == old,
		strings.HasPrefix(plain, "•"), strings.HasPrefix(plain, "…"), strings.HasPrefix(plain, "***"):
		return nil, "", false, nil // the hint or the mask, posted back
	case plain == "":
		return nil, "", true, nil
	case len(plain) > 4096 || strings.ContainsFunc(plain, unicode.IsControl):
		return nil, "", false, fault.At("clientSecret", "A client secret has at most 4,096 characters on one line.")
	}
	return g.Box.Seal(place, plain), secret.Hint(plain), true, nil
}

func differs(given *string, now string) bool { return given != nil && *given != now }

func taken(name string) error {
	e := fault.At("name", "There is an identity provider named %q already; choose another name.", name)
	e.Code = fault.Exists
	return e
}

func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}
