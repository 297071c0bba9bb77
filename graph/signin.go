package graph

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/groupmapping"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// accountRef is an account as a node; the platform is one.
func accountRef(accountID string) model.Ref {
	if accountID == platformRef.ID {
		return platformRef
	}
	return model.Ref{ID: accountID, AccountID: accountID, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, Path: accountPath(accountID)}
}

// mayAtAccount asks the policy whether the viewer may act at their own account,
// and returns its id.
func (r *Resolver) mayAtAccount(ctx context.Context, action access.Action) (string, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return "", err
	}
	return v.AccountID, r.check(ctx, action, accountRef(v.AccountID))
}

func (r *Resolver) domainPage(ctx context.Context, accountID string, w window) (*model.DomainConnection, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	ctx = tenancy.Platform(ctx)
	query := func() *ent.DomainQuery {
		q := r.Store.Domain.Query().Where(domain.AccountID(accountID))
		if v.Platform { // what a customer only claims is the customer's own matter
			q.Where(domain.VerifiedNameNotNil())
		}
		return q
	}
	rows, info, err := list[*ent.Domain](ctx, query(), w, domain.FieldName, false, func(d *ent.Domain) string { return d.Name })
	if err != nil {
		return nil, err
	}
	return &model.DomainConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(tenancy.Platform(ctx)) }, Edges: mapTo(rows, func(d *ent.Domain) *model.DomainEdge {
		return &model.DomainEdge{Node: toDomain(d), Cursor: encode(d.Name)}
	})}, nil
}

func (r *Resolver) identityProviderPage(ctx context.Context, accountID string, w window) (*model.IdentityProviderConnection, error) {
	query := func() *ent.IdentityProviderQuery {
		return r.Store.IdentityProvider.Query().Where(identityprovider.AccountID(accountID))
	}
	rows, info, err := list[*ent.IdentityProvider](ctx, query(), w, identityprovider.FieldID, false, func(p *ent.IdentityProvider) string { return p.ID })
	if err != nil {
		return nil, err
	}
	return &model.IdentityProviderConnection{PageInfo: info, Count: counted(query()), Edges: mapTo(rows, func(p *ent.IdentityProvider) *model.IdentityProviderEdge {
		return &model.IdentityProviderEdge{Node: r.toIdentityProvider(p), Cursor: encode(p.ID)}
	})}, nil
}

// counted counts a whole list when asked.
func counted(q interface {
	Count(context.Context) (int, error)
}) model.Counter {
	return q.Count
}

func (r *Resolver) domainVerify(ctx context.Context, domainID string) (*ent.Domain, error) {
	d, err := r.ownDomain(ctx, domainID)
	if err != nil {
		return nil, err
	}
	return r.SSO.VerifyDomain(ctx, d)
}

// ownDomain finds a domain of the viewer's account that they may configure.
func (r *Resolver) ownDomain(ctx context.Context, domainID string) (*ent.Domain, error) {
	d, err := r.Store.Domain.Get(ctx, domainID)
	if err != nil {
		return nil, orMissing(err, "domain")
	}
	return d, r.check(ctx, access.DomainConfigure, accountRef(d.AccountID))
}

// ownIdentityProvider finds a provider of the viewer's account that they may
// configure.
func (r *Resolver) ownIdentityProvider(ctx context.Context, providerID string) (*ent.IdentityProvider, error) {
	p, err := r.Store.IdentityProvider.Get(ctx, providerID)
	if err != nil {
		return nil, orMissing(err, "identity provider")
	}
	return p, r.check(ctx, access.SignInConfigure, accountRef(p.AccountID))
}

func orMissing(err error, noun string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(noun)
	}
	return err
}

func (r *Resolver) identityProviderCreate(ctx context.Context, in model.IdentityProviderCreateInput) (*ent.IdentityProvider, error) {
	accountID, err := r.mayAtAccount(ctx, access.SignInConfigure)
	if err != nil {
		return nil, err
	}
	return r.SSO.CreateProvider(ctx, accountID, sso.ProviderInput{Name: &in.Name, Issuer: &in.Issuer, ClientID: &in.ClientID,
		ClientSecret: in.ClientSecret, Scopes: in.Scopes, EmailClaim: in.EmailClaim, NameClaim: in.NameClaim,
		GroupsClaim: in.GroupsClaim, JustInTime: in.JustInTime})
}

func (r *Resolver) identityProviderUpdate(ctx context.Context, in model.IdentityProviderUpdateInput) (*ent.IdentityProvider, error) {
	p, err := r.ownIdentityProvider(ctx, in.IdentityProviderID)
	if err != nil {
		return nil, err
	}
	return r.SSO.UpdateProvider(ctx, p, sso.ProviderInput{Name: in.Name, Issuer: in.Issuer, ClientID: in.ClientID,
		ClientSecret: in.ClientSecret, Scopes: in.Scopes, EmailClaim: in.EmailClaim, NameClaim: in.NameClaim,
		GroupsClaim: in.GroupsClaim, JustInTime: in.JustInTime, Status: (*string)(in.Status), ExpectedVersion: in.ExpectedVersion})
}

func (r *Resolver) groupMappingCreate(ctx context.Context, in model.GroupMappingCreateInput) (*ent.GroupMapping, error) {
	p, err := r.ownIdentityProvider(ctx, in.IdentityProviderID)
	if err != nil {
		return nil, err
	}
	s, err := r.Store.Scope.Get(ctx, in.ScopeID)
	if err != nil {
		return nil, orMissing(err, "scope")
	}
	return r.SSO.CreateMapping(ctx, p, sso.MappingInput{Group: in.Group, Scope: s, Role: tenancy.RoleName(in.Role)})
}

func (r *Resolver) groupMappingDelete(ctx context.Context, mappingID string) error {
	m, err := r.Store.GroupMapping.Query().Where(groupmapping.ID(mappingID)).Only(ctx)
	if err != nil {
		return orMissing(err, "mapping")
	}
	if err := r.check(ctx, access.SignInConfigure, accountRef(m.AccountID)); err != nil {
		return err
	}
	return r.SSO.DeleteMapping(ctx, m)
}

func (r *Resolver) signInMethods(ctx context.Context, email string) (*model.SignInMethods, error) {
	ip := ""
	if c, err := cookiesFrom(ctx); err == nil {
		ip = c.From.IP
	}
	m, err := r.SSO.Methods(ctx, email, ip)
	if err != nil {
		return nil, err
	}
	return &model.SignInMethods{Password: m.Password, Providers: mapTo(m.Providers, func(p *ent.IdentityProvider) *model.SignInProvider {
		return &model.SignInProvider{ID: p.ID, Name: p.Name, StartURL: r.URL + "/sso/start?provider=" + p.ID}
	})}, nil
}

// mappingScope is the scope of a mapping, which may be the account itself.
func (r *Resolver) mappingScope(ctx context.Context, m *ent.GroupMapping) (model.Scope, error) {
	if m.ScopeID == m.AccountID {
		return r.accountByID(ctx, m.AccountID)
	}
	s, err := from(ctx).scopes.Load(ctx, m.ScopeID)
	if err != nil {
		return nil, err
	}
	return toScope(s)
}

func (r *Resolver) mappingLocation(ctx context.Context, m *ent.GroupMapping) (string, error) {
	s, err := from(ctx).scopes.Load(ctx, m.ScopeID)
	if err != nil {
		return "", err
	}
	at, err := label(ctx, s.Path)
	if at == "" {
		at = s.Name
	}
	return at, err
}
