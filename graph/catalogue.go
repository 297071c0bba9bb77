package graph

import (
	"context"
	"errors"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (r *Resolver) catalogModelCreate(ctx context.Context, in model.CatalogModelCreateInput) (*ent.CatalogModel, error) {
	return onThePlatform(ctx, r, access.CatalogModelCreate, func(ctx context.Context, tx *store.Tx) (*ent.CatalogModel, error) {
		status := catalogmodel.StatusDRAFT
		if in.Status != nil {
			status = catalogmodel.Status(*in.Status)
		}
		return r.Catalog.CreateCatalogModel(ctx, tx, catalog.ListingInput{CentralProviderID: in.CentralProviderID, Name: in.Name,
			UpstreamName: in.UpstreamName, Description: orEmpty(in.Description), Capability: catalogmodel.Capability(in.Capability),
			ContextLength: in.ContextLength, MaxOutputTokens: in.MaxOutputTokens, Price: *priceInput(in.Price), Status: status,
			Traits: catalog.Traits{Inputs: asStrings(in.Inputs), Outputs: asStrings(in.Outputs), Region: in.Region}})
	})
}

// asStrings are the values of an enum's list; nil where none was given.
func asStrings[T ~string](list []T) []string {
	if list == nil {
		return nil
	}
	return mapTo(list, func(v T) string { return string(v) })
}

// withdrawal is a catalogue model with what taking it away does.
type withdrawal struct {
	model  *ent.CatalogModel
	impact *catalog.Impact
}

func (w withdrawal) payload(err error) (*model.CatalogModelPayload, error) {
	payload := &model.CatalogModelPayload{}
	if payload.Errors, err = refused(err); err != nil || len(payload.Errors) > 0 {
		return payload, err
	}
	payload.CatalogModel, payload.Impact = toCatalogModel(w.model), toCatalogImpact(w.impact)
	return payload, nil
}

func (r *Resolver) catalogModelUpdate(ctx context.Context, in model.CatalogModelUpdateInput) (withdrawal, error) {
	return r.rehearsable(ctx, access.CatalogModelUpdate, isTrue(in.DryRun), func(ctx context.Context, tx *store.Tx) (out withdrawal, err error) {
		if in.Status != nil && *in.Status != model.CatalogStatusActive {
			impact, err := r.Catalog.RetireImpact(ctx, tx, in.CatalogModelID)
			if err != nil {
				return out, err
			}
			out.impact = &impact
		}
		out.model, err = r.Catalog.UpdateCatalogModel(ctx, tx, in.CatalogModelID, catalog.Edit{Description: in.Description,
			Capability: (*catalogmodel.Capability)(in.Capability), Status: (*catalogmodel.Status)(in.Status), ExpectedVersion: in.ExpectedVersion,
			Traits: catalog.Traits{Inputs: asStrings(in.Inputs), Outputs: asStrings(in.Outputs), Region: in.Region, DeprecatedAt: in.DeprecatedAt,
				SuccessorID: in.SuccessorID, Undeprecate: isTrue(in.Undeprecate)}})
		return out, err
	})
}

func (r *Resolver) catalogModelOffer(ctx context.Context, in model.CatalogModelOfferInput) (withdrawal, error) {
	return r.rehearsable(ctx, access.CatalogModelOffer, isTrue(in.DryRun), func(ctx context.Context, tx *store.Tx) (withdrawal, error) {
		m, impact, err := r.Catalog.OfferCatalogModel(ctx, tx, catalog.Offer{CatalogModelID: in.CatalogModelID,
			ToAll: in.To == model.EligibilityAll, AccountIDs: in.AccountIds})
		return withdrawal{m, &impact}, err
	})
}

// rehearsable is onThePlatform for what can be done without staying done. Of a
// rehearsal the model is told as it stands.
func (r *Resolver) rehearsable(ctx context.Context, action access.Action, rehearse bool, f func(ctx context.Context, tx *store.Tx) (withdrawal, error)) (withdrawal, error) {
	var out withdrawal
	_, err := onThePlatform(ctx, r, action, func(ctx context.Context, tx *store.Tx) (_ struct{}, err error) {
		if out, err = f(ctx, tx); err == nil && rehearse {
			err = errRehearsed
		}
		return struct{}{}, err
	})
	if !errors.Is(err, errRehearsed) {
		return out, err
	}
	out.model, err = r.Store.CatalogModel.Get(tenancy.Platform(ctx), out.model.ID)
	return out, err
}

func isTrue(b *bool) bool { return b != nil && *b }

func (r *Resolver) catalogPricePublish(ctx context.Context, in model.CatalogPricePublishInput) (*ent.CatalogModel, error) {
	return onThePlatform(ctx, r, access.CatalogPricePublish, func(ctx context.Context, tx *store.Tx) (*ent.CatalogModel, error) {
		var begins time.Time
		if in.EffectiveFrom != nil {
			begins = *in.EffectiveFrom
		}
		return r.Catalog.PublishCatalogPrice(ctx, tx, in.CatalogModelID, *priceInput(in.Price), begins)
	})
}

func toCatalogImpact(i *catalog.Impact) *model.CatalogImpact {
	if i == nil {
		return nil
	}
	names := i.Accounts
	if names == nil {
		names = []string{}
	}
	return &model.CatalogImpact{Accounts: names, Grants: i.Grants, Keys: i.Keys, Agents: i.Agents, Defaults: i.Defaults, Calls: i.Calls, Credits: i.Credits}
}

// offerOf tells platform staff to whom a catalogue model is offered.
func (r *Resolver) offerOf(ctx context.Context, catalogModelID string) (*model.CatalogOffer, error) {
	ctx = tenancy.Platform(ctx)
	l, err := r.Store.Listing.Query().Where(listing.CatalogModelID(catalogModelID)).WithAccounts().Only(ctx)
	if err != nil {
		return nil, err
	}
	out := &model.CatalogOffer{To: model.Eligibility(l.Eligibility), Accounts: []*model.Account{}}
	if l.Eligibility == listing.EligibilityALL {
		return out, nil
	}
	var ids []string
	for _, a := range l.Edges.Accounts {
		ids = append(ids, a.OfferedTo)
	}
	rows, err := r.Store.Account.Query().Where(account.IDIn(ids...)).Order(account.ByName()).All(ctx)
	out.Accounts = mapTo(rows, toAccount)
	return out, err
}

// pricePreview reckons the last 30 days at another price.
func (r *Resolver) pricePreview(ctx context.Context, catalogModelID string, in model.PriceInput) (*model.PricePreview, error) {
	ctx = tenancy.Platform(ctx)
	var effects []catalog.PriceEffect
	err := r.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		effects, err = r.Catalog.PreviewPrice(ctx, tx, catalogModelID, *priceInput(&in))
		return err
	})
	if err != nil {
		return nil, err
	}
	margin := func(credits, cost money.Nano) money.Nano { return budget.ValueOf(credits, r.CreditValue) - cost }
	out := &model.PricePreview{Total: &model.PricePreviewRow{}, Rows: []*model.PricePreviewRow{}}
	for _, e := range effects {
		a, err := r.accountByID(ctx, e.AccountID)
		if err != nil {
			return nil, err
		}
		row := &model.PricePreviewRow{Account: a, Calls: e.Calls, CostBefore: e.CostBefore, CostAfter: e.CostAfter, CreditsBefore: e.CreditsBefore,
			CreditsAfter: e.CreditsAfter, MarginBefore: margin(e.CreditsBefore, e.CostBefore), MarginAfter: margin(e.CreditsAfter, e.CostAfter)}
		out.Rows = append(out.Rows, row)
		t := out.Total
		t.Calls += row.Calls
		t.CostBefore, t.CostAfter = t.CostBefore+row.CostBefore, t.CostAfter+row.CostAfter
		t.CreditsBefore, t.CreditsAfter = t.CreditsBefore+row.CreditsBefore, t.CreditsAfter+row.CreditsAfter
		t.MarginBefore, t.MarginAfter = t.MarginBefore+row.MarginBefore, t.MarginAfter+row.MarginAfter
	}
	return out, nil
}

// defaultModelOf is what calls from a scope use that name no model.
func (r *Resolver) defaultModelOf(ctx context.Context, scopeID string) (*model.DefaultModel, error) {
	at, err := maybe(r.Store.Scope.Get(ctx, scopeID))
	if at == nil || err != nil {
		return nil, err
	}
	plane := tenancy.Plane(at.Plane)
	if plane != tenancy.Console && plane != tenancy.Copilot {
		return nil, nil
	}
	d, ok, err := r.Catalog.DefaultOf(ctx, at.AccountID, plane, at.Path)
	if err != nil || !ok {
		return nil, err
	}
	return r.toDefault(ctx, d)
}

func (r *Resolver) toDefault(ctx context.Context, d catalog.Default) (*model.DefaultModel, error) {
	m, err := r.Store.Model.Get(ctx, d.ModelID)
	if err != nil {
		return nil, err
	}
	// Whoever asks lies below it, so that its name is no secret to them.
	at, err := r.Store.Scope.Get(tenancy.System(ctx, "the scope above that sets a default"), d.ScopeID)
	if err != nil {
		return nil, err
	}
	s, err := toScope(at)
	return &model.DefaultModel{Model: toModel(m), From: s}, err
}

func (r *Resolver) scopeDefaultModelSet(ctx context.Context, in model.ScopeDefaultModelSetInput) (*model.DefaultModel, error) {
	at, err := r.scopeByID(ctx, in.ScopeID)
	if err != nil {
		return nil, err
	}
	ctx = tenancy.InPlane(ctx, tenancy.Plane(at.Plane))
	var d catalog.Default
	err = r.underLeave(ctx, []leave{need(access.DefaultModelSet, at)}, func(ctx context.Context, tx *store.Tx) (err error) {
		if _, err = r.Catalog.SetDefaultModel(ctx, tx, at, orEmpty(in.ModelID)); err == nil {
			d, err = catalog.DefaultIn(ctx, tx, at)
		}
		return err
	})
	if err != nil || d.ModelID == "" {
		return nil, err
	}
	return r.toDefault(ctx, d)
}
