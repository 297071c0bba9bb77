package graph

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/centralprovider"
	entmodel "github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/ent/provider"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

var platformRef = model.Ref{ID: id.PlatformID, AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, Kind: tenancy.KindPlatform, Path: "/"}

func (r *Resolver) modelPage(ctx context.Context, at model.Ref, w window, where ...predicate.Model) (*model.ModelConnection, error) {
	query := func() *ent.ModelQuery {
		return r.Store.Model.Query().Where(entmodel.AccountID(at.AccountID), entmodel.PlaneEQ(entmodel.Plane(at.Plane))).Where(where...)
	}
	rows, info, err := list[*ent.Model](ctx, query(), w, entmodel.FieldName, false, func(m *ent.Model) string { return m.Name })
	if err != nil {
		return nil, err
	}
	return &model.ModelConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(m *ent.Model) *model.ModelEdge {
			return &model.ModelEdge{Node: toModel(m), Cursor: encode(m.Name)}
		})}, nil
}

func (r *Resolver) providerPage(ctx context.Context, at model.Ref, w window) (*model.ProviderConnection, error) {
	query := func() *ent.ProviderQuery { return r.Store.Provider.Query().Where(provider.AccountID(at.AccountID)) }
	rows, info, err := list[*ent.Provider](ctx, query(), w, provider.FieldName, false, func(p *ent.Provider) string { return p.Name })
	if err != nil {
		return nil, err
	}
	return &model.ProviderConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(p *ent.Provider) *model.ProviderEdge {
			return &model.ProviderEdge{Node: toProvider(p), Cursor: encode(p.Name)}
		})}, nil
}

func (r *Resolver) modelsOf(ctx context.Context, providerID string) ([]*model.Model, error) {
	rows, err := r.Store.Model.Query().Where(entmodel.ProviderID(providerID)).Order(entmodel.ByName()).Limit(maxPage).All(ctx)
	return mapTo(rows, toModel), err
}

func (r *Resolver) catalogModels(ctx context.Context, query func() *ent.CatalogModelQuery, w window) (*model.CatalogModelConnection, error) {
	rows, info, err := list[*ent.CatalogModel](ctx, query(), w, catalogmodel.FieldName, false, func(m *ent.CatalogModel) string { return m.Name })
	if err != nil {
		return nil, err
	}
	return &model.CatalogModelConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(tenancy.Platform(ctx)) },
		Edges: mapTo(rows, func(m *ent.CatalogModel) *model.CatalogModelEdge {
			return &model.CatalogModelEdge{Node: toCatalogModel(m), Cursor: encode(m.Name)}
		})}, nil
}

// offeredPage lists what an account may switch on.
func (r *Resolver) offeredPage(ctx context.Context, w window) (*model.CatalogModelConnection, error) {
	return r.catalogModels(ctx, func() *ent.CatalogModelQuery {
		return r.Store.CatalogModel.Query().Where(catalogmodel.StatusEQ(catalogmodel.StatusACTIVE))
	}, w)
}

// catalogPage lists the whole catalogue, for platform staff.
func (r *Resolver) catalogPage(ctx context.Context, w window) (*model.CatalogModelConnection, error) {
	return r.catalogModels(tenancy.Platform(ctx), r.Store.CatalogModel.Query, w)
}

func (r *Resolver) centralProviderPage(ctx context.Context, w window) (*model.CentralProviderConnection, error) {
	ctx = tenancy.Platform(ctx)
	rows, info, err := list[*ent.CentralProvider](ctx, r.Store.CentralProvider.Query(), w, centralprovider.FieldName, false,
		func(p *ent.CentralProvider) string { return p.Name })
	if err != nil {
		return nil, err
	}
	return &model.CentralProviderConnection{PageInfo: info,
		Count: func(ctx context.Context) (int, error) {
			return r.Store.CentralProvider.Query().Count(tenancy.Platform(ctx))
		},
		Edges: mapTo(rows, func(p *ent.CentralProvider) *model.CentralProviderEdge {
			return &model.CentralProviderEdge{Node: toCentralProvider(p), Cursor: encode(p.Name)}
		})}, nil
}

func (r *Resolver) priceOf(ctx context.Context, modelID string) (*model.Price, error) {
	prices, err := from(ctx).prices.Load(ctx, modelID)
	if err != nil {
		return nil, err
	}
	if p := inForce(prices, r.Store.Now()); p != nil {
		return toPrice(p), nil
	}
	return nil, nil
}

// creditPriceOf is a catalogue model's price in credits at the viewer's
// account's factor. The price in dollars stays with the platform.
func (r *Resolver) creditPriceOf(ctx context.Context, catalogModelID string) (*model.CreditPrice, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	prices, err := from(ctx).creditPrices.Load(ctx, catalogModelID)
	if err != nil {
		return nil, err
	}
	p := inForce(prices, r.Store.Now())
	if p == nil {
		return nil, nil
	}
	ppm := r.Catalog.DefaultFactorPPM()
	if !v.Platform {
		if ppm, err = from(ctx).factors.Load(ctx, v.AccountID); err != nil {
			return nil, err
		}
	}
	return creditPrice(money.Nano(p.Input), money.Nano(p.Output), ppm)
}

func (r *Resolver) installations(ctx context.Context, catalogModelID string) (*int, error) {
	n, err := r.Store.Model.Query().
		Where(entmodel.CatalogModelID(catalogModelID), entmodel.StatusEQ(entmodel.StatusACTIVE)).Count(tenancy.Platform(ctx))
	return &n, err
}

// canAtPlane asks about actions at the root of a plane of the viewer's account.
func (r *Resolver) canAtPlane(ctx context.Context, plane tenancy.Plane, actions ...access.Action) ([]*model.ViewerPermission, error) {
	s, err := r.ownRoot(ctx, plane)
	if isAbsent(err) {
		return []*model.ViewerPermission{}, nil
	}
	if err != nil {
		return nil, err
	}
	return r.can(ctx, ref(s), actions)
}

func (r *Resolver) canModel(ctx context.Context, m *model.Model) ([]*model.ViewerPermission, error) {
	actions := []access.Action{access.ModelUpdate, access.ModelPricePublish}
	if m.Plane == model.PlaneCopilot {
		actions = []access.Action{access.ModelUninstall}
	}
	out, err := r.canAtPlane(ctx, tenancy.Plane(m.Plane), actions...)
	if err != nil {
		return nil, err
	}
	return append(out, r.canSomewhere(ctx, tenancy.Plane(m.Plane), access.GrantRead, access.GrantSet)...), nil
}

// costFor is what a charge cost in dollars, in Copilot for the platform alone.
func costFor(ctx context.Context, plane tenancy.Plane, cost money.Nano) *money.Nano {
	if v := tenancy.ViewerFrom(ctx); plane == tenancy.Copilot && (v == nil || !v.Platform) {
		return nil
	}
	return &cost
}

func (r *Resolver) accountSpend(ctx context.Context, accountID string, plane tenancy.Plane, f model.UsageFilter) (*model.UsageTotals, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if v.AccountID != accountID && !v.Platform {
		return nil, nil
	}
	if err := checkRange(f.From, f.To); err != nil {
		return nil, err
	}
	sums, err := r.Budgets.PlatformUsage(ctx, budget.PlatformFilter{From: f.From, To: f.To, AccountID: accountID, Plane: plane}, budget.InAll, 1)
	if err != nil || len(sums) == 0 {
		return totals(plane, budget.Sum{}), err
	}
	return totals(plane, sums[0].Sum), nil
}

// rootsOf is root for many accounts at once.
func rootsOf(ctx context.Context, accountID string, plane tenancy.Plane) (*ent.Scope, error) {
	if len(Reaches(ctx, accountID, plane)) == 0 {
		return nil, nil
	}
	return maybe(from(ctx).roots.Load(ctx, stateKey{accountID: accountID, plane: plane}))
}

func rootScope(ctx context.Context, accountID string, plane tenancy.Plane) (model.Scope, error) {
	s, err := rootsOf(ctx, accountID, plane)
	if s == nil || err != nil {
		return nil, err
	}
	return toScope(s)
}

func pool(ctx context.Context, accountID string, plane tenancy.Plane) (*model.Budget, error) {
	s, err := rootsOf(ctx, accountID, plane)
	if s == nil || err != nil {
		return nil, err
	}
	return budgetOf(ctx, s.ID)
}
