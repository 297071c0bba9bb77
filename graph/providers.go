package graph

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	entmodel "github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// inPlane runs a change of a plane's own things in one transaction, once the
// policy allows the action at the plane's root.
func inPlane[T any](ctx context.Context, r *Resolver, plane tenancy.Plane, action access.Action, f func(ctx context.Context, tx *store.Tx, root *ent.Scope) (T, error)) (T, error) {
	var out T
	root, err := r.ownRoot(ctx, plane)
	if err != nil {
		return out, err
	}
	err = r.underLeave(tenancy.InPlane(ctx, plane), []leave{need(action, root)}, func(ctx context.Context, tx *store.Tx) (err error) {
		tx.AfterCommit(func() { r.Grants.Changed(root.AccountID, plane) }) // models among them
		out, err = f(ctx, tx, root)
		return err
	})
	return out, err
}

// onThePlatform is inPlane for what the platform owns.
func onThePlatform[T any](ctx context.Context, r *Resolver, action access.Action, f func(ctx context.Context, tx *store.Tx) (T, error)) (T, error) {
	var out T
	err := r.underLeave(tenancy.Platform(ctx), []leave{needOfPlatform(action)}, func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = f(ctx, tx)
		return err
	})
	return out, err
}

func (r *Resolver) providerCreate(ctx context.Context, in model.ProviderCreateInput) (*ent.Provider, error) {
	return inPlane(ctx, r, tenancy.Console, access.ProviderCreate, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (*ent.Provider, error) {
		return r.Catalog.CreateProvider(ctx, tx, root, catalog.ProviderInput{Name: &in.Name, BaseURL: &in.BaseURL, Secret: in.Secret})
	})
}

func (r *Resolver) providerUpdate(ctx context.Context, in model.ProviderUpdateInput) (*ent.Provider, error) {
	return inPlane(ctx, r, tenancy.Console, access.ProviderUpdate, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (*ent.Provider, error) {
		return r.Catalog.UpdateProvider(ctx, tx, root, in.ProviderID, catalog.ProviderInput{Name: in.Name, BaseURL: in.BaseURL,
			Secret: in.Secret, Status: (*string)(in.Status), ExpectedVersion: in.ExpectedVersion})
	})
}

func (r *Resolver) centralProviderCreate(ctx context.Context, in model.CentralProviderCreateInput) (*ent.CentralProvider, error) {
	return onThePlatform(ctx, r, access.CentralProviderCreate, func(ctx context.Context, tx *store.Tx) (*ent.CentralProvider, error) {
		return r.Catalog.CreateCentralProvider(ctx, tx, catalog.ProviderInput{Name: &in.Name, BaseURL: &in.BaseURL, Secret: in.Secret})
	})
}

func (r *Resolver) centralProviderUpdate(ctx context.Context, in model.CentralProviderUpdateInput) (*ent.CentralProvider, error) {
	return onThePlatform(ctx, r, access.CentralProviderUpdate, func(ctx context.Context, tx *store.Tx) (*ent.CentralProvider, error) {
		return r.Catalog.UpdateCentralProvider(ctx, tx, in.CentralProviderID, catalog.ProviderInput{Name: in.Name, BaseURL: in.BaseURL,
			Secret: in.Secret, Status: (*string)(in.Status), ExpectedVersion: in.ExpectedVersion})
	})
}

// probe lists an endpoint's models; what is wrong comes back in words.
func (r *Resolver) probe(ctx context.Context, e catalog.Endpoint) *model.ProviderTestPayload {
	started := time.Now()
	names, err := r.Probe(ctx, e.BaseURL, e.APIKey)
	out := &model.ProviderTestPayload{Ok: err == nil, Models: names, Errors: []model.UserError{}, LatencyMs: time.Since(started).Milliseconds()}
	if out.Models == nil {
		out.Models = []string{}
	}
	if err != nil {
		out.Message = "The endpoint can't be reached. Check the address."
		if f := fault.As(err); f != nil {
			out.Message = f.Message
		}
		r.Log.InfoContext(ctx, "provider test failed", "provider", e.ID, "cause", err)
	}
	return out
}

func (r *Resolver) providerTest(ctx context.Context, in model.ProviderTestInput) (*model.ProviderTestPayload, error) {
	root, err := r.ownRoot(ctx, tenancy.Console)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.ProviderTest, ref(root)); err != nil {
		return nil, err
	}
	e, err := r.Catalog.Endpoint(ctx, in.ProviderID)
	if err != nil {
		return nil, err
	}
	out := r.probe(ctx, e) // no transaction is open while waiting for others
	_, err = inPlane(ctx, r, tenancy.Console, access.ProviderTest, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (struct{}, error) {
		return struct{}{}, r.Catalog.RecordTest(ctx, tx, root, e.ID, out.Message)
	})
	return out, err
}

func (r *Resolver) centralProviderTest(ctx context.Context, in model.CentralProviderTestInput) (*model.ProviderTestPayload, error) {
	if err := r.check(ctx, access.CentralProviderTest, platformRef); err != nil {
		return nil, err
	}
	e, err := r.Catalog.CentralEndpoint(tenancy.Platform(ctx), in.CentralProviderID)
	if err != nil {
		return nil, err
	}
	out := r.probe(ctx, e)
	_, err = onThePlatform(ctx, r, access.CentralProviderTest, func(ctx context.Context, tx *store.Tx) (struct{}, error) {
		return struct{}{}, r.Catalog.RecordCentralTest(ctx, tx, e.ID, out.Message)
	})
	return out, err
}

func priceInput(p *model.PriceInput) *catalog.PriceInput {
	if p == nil {
		return nil
	}
	out := &catalog.PriceInput{Input: p.Input, Output: p.Output, CachedInput: p.CachedInput, CacheWrite: p.CacheWrite, Reasoning: p.Reasoning}
	if p.Request != nil {
		out.Request = *p.Request
	}
	return out
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (r *Resolver) modelCreate(ctx context.Context, in model.ModelCreateInput) (*ent.Model, error) {
	return inPlane(ctx, r, tenancy.Console, access.ModelCreate, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (*ent.Model, error) {
		m, err := r.Catalog.CreateModel(ctx, tx, root, catalog.ModelInput{ProviderID: in.ProviderID, Name: in.Name, UpstreamName: orEmpty(in.UpstreamName),
			ContextLength: in.ContextLength, MaxOutputTokens: in.MaxOutputTokens, Price: priceInput(in.Price), Ceiling: in.Ceiling})
		if err != nil {
			return nil, err
		}
		return m, r.grantTo(ctx, tx, root, m, in.GrantTo)
	})
}

func (r *Resolver) modelUpdate(ctx context.Context, in model.ModelUpdateInput) (*ent.Model, error) {
	return inPlane(ctx, r, tenancy.Console, access.ModelUpdate, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (*ent.Model, error) {
		if in.Status == nil {
			return nil, fault.At("status", "Say what to change: the status.")
		}
		return r.Catalog.SetModelStatus(ctx, tx, root, in.ModelID, entmodel.Status(*in.Status), in.ExpectedVersion)
	})
}

func (r *Resolver) modelPricePublish(ctx context.Context, in model.ModelPricePublishInput) (*ent.Model, error) {
	return inPlane(ctx, r, tenancy.Console, access.ModelPricePublish, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (*ent.Model, error) {
		return r.Catalog.PublishPrice(ctx, tx, root, in.ModelID, *priceInput(in.Price))
	})
}

func (r *Resolver) modelInstall(ctx context.Context, in model.ModelInstallInput) (*ent.Model, error) {
	return inPlane(ctx, r, tenancy.Copilot, access.ModelInstall, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (*ent.Model, error) {
		m, err := r.Catalog.InstallModel(ctx, tx, root, in.CatalogModelID)
		if err != nil {
			return nil, err
		}
		return m, r.grantTo(ctx, tx, root, m, in.GrantTo)
	})
}

func (r *Resolver) modelUninstall(ctx context.Context, in model.ModelUninstallInput) (*ent.Model, error) {
	return inPlane(ctx, r, tenancy.Copilot, access.ModelUninstall, func(ctx context.Context, tx *store.Tx, root *ent.Scope) (*ent.Model, error) {
		return r.Catalog.UninstallModel(ctx, tx, root, in.ModelID)
	})
}
