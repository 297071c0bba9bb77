package catalog

import (
	"context"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// PriceInput is a price in nano-USD per 1,000,000 units; nil classes are
// charged as the class they are part of.
type PriceInput struct {
	Input, Output, Request             money.Nano
	CachedInput, CacheWrite, Reasoning *money.Nano
}

// maxPrice is 1,000,000 dollars per million tokens: what is dearer is a typing
// error.
const maxPrice = 1_000_000 * money.One

func (p PriceInput) check() error {
	for field, n := range map[string]*money.Nano{
		"input": &p.Input, "output": &p.Output, "request": &p.Request,
		"cachedInput": p.CachedInput, "cacheWrite": p.CacheWrite, "reasoning": p.Reasoning,
	} {
		if n != nil && (*n < 0 || *n > maxPrice) {
			e := fault.At("price", "A price lies between 0 and 1,000,000 dollars per million.")
			e.Path = []string{"price", field}
			return e
		}
	}
	if p.Input == 0 && p.Output == 0 && p.Request == 0 {
		return fault.At("price", "A price of zero in every class can't be charged: give input, output or request a price.")
	}
	return nil
}

func (p PriceInput) changes() map[string]audit.Change {
	return map[string]audit.Change{"input": {After: p.Input.String()}, "output": {After: p.Output.String()}}
}

func createPrice(c *ent.PriceCreate, p PriceInput, from time.Time) *ent.PriceCreate {
	return c.SetEffectiveFrom(from).
		SetInput(int64(p.Input)).SetOutput(int64(p.Output)).SetRequest(int64(p.Request)).
		SetNillableCachedInput((*int64)(p.CachedInput)).SetNillableCacheWrite((*int64)(p.CacheWrite)).
		SetNillableReasoning((*int64)(p.Reasoning))
}

// ModelInput describes a Console model to make.
type ModelInput struct {
	ProviderID, Name, UpstreamName string
	ContextLength, MaxOutputTokens int64
	Price                          *PriceInput
	Ceiling                        *money.Nano
}

const maxTokens = 100_000_000

func checkLengths(context, output int64) error {
	if context < 1 || context > maxTokens {
		return fault.At("contextLength", "The context length lies between 1 and 100,000,000 tokens.")
	}
	if output < 1 || output > context {
		return fault.At("maxOutputTokens", "The output limit lies between 1 and the context length.")
	}
	return nil
}

// CreateModel adds a model to an account's Console.
func (c *Catalog) CreateModel(ctx context.Context, tx *store.Tx, root *ent.Scope, in ModelInput) (*ent.Model, error) {
	name, err := checkName("name", in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkLengths(in.ContextLength, in.MaxOutputTokens); err != nil {
		return nil, err
	}
	switch {
	case (in.Price == nil) == (in.Ceiling == nil):
		return nil, fault.At("price", "Give the model either a price or a ceiling per call: without one its calls are refused.")
	case in.Price != nil:
		if err := in.Price.check(); err != nil {
			return nil, err
		}
	case *in.Ceiling <= 0 || *in.Ceiling > maxPrice:
		return nil, fault.At("ceiling", "A ceiling lies above 0 and at most 1,000,000 dollars.")
	}
	if _, err := tx.Provider.Get(ctx, in.ProviderID); err != nil {
		return nil, hidden(err, "provider")
	}
	upstream := strings.TrimSpace(in.UpstreamName)
	if upstream == "" {
		upstream = name
	}
	create := tx.Model.Create().SetAccountID(root.AccountID).SetPlane(model.PlaneCONSOLE).SetProviderID(in.ProviderID).
		SetName(name).SetUpstreamName(upstream).SetContextLength(in.ContextLength).SetMaxOutputTokens(in.MaxOutputTokens).
		SetNillableCeiling((*int64)(in.Ceiling))
	m, err := create.Save(ctx)
	if store.IsConflict(err) {
		return nil, taken("name", "model", name)
	}
	if err != nil {
		return nil, err
	}
	if in.Price != nil {
		err := createPrice(tx.Price.Create().SetAccountID(root.AccountID).SetPlane(price.PlaneCONSOLE).SetModelID(m.ID), *in.Price, c.store.Now()).Exec(ctx)
		if err != nil {
			return nil, err
		}
	}
	return m, tx.Audit(ctx, event("model.create", root, m.ID, name))
}

// SetModelStatus enables or disables a model.
func (c *Catalog) SetModelStatus(ctx context.Context, tx *store.Tx, root *ent.Scope, modelID string, status model.Status, expected *int) (*ent.Model, error) {
	m, err := tx.Model.Get(ctx, modelID)
	if err != nil {
		return nil, hidden(err, "model")
	}
	if expected != nil && *expected != m.Version {
		return nil, stale(*expected, m.Version)
	}
	u := m.Update().SetStatus(status)
	if expected != nil {
		u.Where(model.Version(*expected))
	}
	if m, err = u.Save(ctx); err != nil {
		return nil, outrun(err, expected, "model")
	}
	return m, tx.Audit(ctx, event("model.update", root, m.ID, m.Name))
}

// PublishPrice supersedes a Console model's price from now on.
func (c *Catalog) PublishPrice(ctx context.Context, tx *store.Tx, root *ent.Scope, modelID string, in PriceInput) (*ent.Model, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	m, err := tx.Model.Get(ctx, modelID)
	if err != nil {
		return nil, hidden(err, "model")
	}
	if m.Plane != model.PlaneCONSOLE {
		return nil, fault.At("modelId", "Prices of Copilot models are the platform's.")
	}
	err = createPrice(tx.Price.Create().SetAccountID(m.AccountID).SetPlane(price.PlaneCONSOLE).SetModelID(m.ID), in, c.store.Now()).Exec(ctx)
	if err != nil {
		return nil, err
	}
	e := event("model.price", root, m.ID, m.Name)
	e.Changes = in.changes()
	return m, tx.Audit(ctx, e)
}

// InstallModel switches a catalogue model on in an account's Copilot; one that
// was switched off before comes back as the same model.
func (c *Catalog) InstallModel(ctx context.Context, tx *store.Tx, root *ent.Scope, catalogModelID string) (*ent.Model, error) {
	if root.Kind != scope.KindCOPILOT {
		return nil, fault.New(fault.Invalid, "Catalogue models belong to Copilot.")
	}
	cm, err := tx.CatalogModel.Get(ctx, catalogModelID)
	if err != nil {
		return nil, hidden(err, "catalogue model")
	}
	offer, err := grant.WithOffer(tx.CatalogModel.Query().Where(catalogmodel.ID(cm.ID)), root.AccountID).
		Only(tenancy.System(ctx, "whether the platform offers a model to an account"))
	if err != nil {
		return nil, err
	}
	if !grant.Offered(offer) {
		return nil, fault.At("catalogModelId", "%s is not offered any more.", cm.Name)
	}
	m, err := tx.Model.Query().Where(model.AccountID(root.AccountID), model.CatalogModelID(cm.ID)).Only(ctx)
	switch {
	case err == nil:
		m, err = m.Update().SetStatus(model.StatusACTIVE).Save(ctx)
	case ent.IsNotFound(err):
		m, err = tx.Model.Create().SetAccountID(root.AccountID).SetPlane(model.PlaneCOPILOT).
			SetCatalogModelID(cm.ID).SetName(cm.Name).Save(ctx)
	}
	if err != nil {
		return nil, err
	}
	return m, tx.Audit(ctx, event("model.install", root, m.ID, m.Name))
}

// UninstallModel switches a model off; its calls are refused at once.
func (c *Catalog) UninstallModel(ctx context.Context, tx *store.Tx, root *ent.Scope, modelID string) (*ent.Model, error) {
	m, err := tx.Model.Get(ctx, modelID)
	if err != nil {
		return nil, hidden(err, "model")
	}
	if m, err = m.Update().SetStatus(model.StatusDISABLED).Save(ctx); err != nil {
		return nil, hidden(err, "model")
	}
	return m, tx.Audit(ctx, event("model.uninstall", root, m.ID, m.Name))
}

// ListingInput describes a catalogue model to make.
type ListingInput struct {
	CentralProviderID, Name, UpstreamName, Description string
	Capability                                         catalogmodel.Capability
	ContextLength, MaxOutputTokens                     int64
	Price                                              PriceInput
	Status                                             catalogmodel.Status
	Traits                                             Traits
}

// CreateCatalogModel adds a model to the platform's catalogue. For super admins.
func (c *Catalog) CreateCatalogModel(ctx context.Context, tx *store.Tx, in ListingInput) (*ent.CatalogModel, error) {
	name, err := checkName("name", in.Name)
	if err != nil {
		return nil, err
	}
	if err := checkLengths(in.ContextLength, in.MaxOutputTokens); err != nil {
		return nil, err
	}
	if err := in.Price.check(); err != nil {
		return nil, err
	}
	if len(in.Description) > 500 {
		return nil, fault.At("description", "A description has at most 500 characters.")
	}
	if err := in.Traits.check(ctx, tx, ""); err != nil {
		return nil, err
	}
	if _, err := tx.CentralProvider.Get(ctx, in.CentralProviderID); err != nil {
		return nil, hidden(err, "provider")
	}
	upstream := strings.TrimSpace(in.UpstreamName)
	if upstream == "" {
		upstream = name
	}
	create := tx.CatalogModel.Create().SetAccountID(id.PlatformID).SetPlane(catalogmodel.PlanePLATFORM).
		SetCentralProviderID(in.CentralProviderID).SetName(name).SetUpstreamName(upstream).SetDescription(in.Description).
		SetCapability(in.Capability).SetContextLength(in.ContextLength).SetMaxOutputTokens(in.MaxOutputTokens).
		SetStatus(in.Status)
	in.Traits.set(create.Mutation())
	m, err := create.Save(ctx)
	if store.IsConflict(err) {
		return nil, taken("name", "catalogue model", name)
	}
	if err != nil {
		return nil, err
	}
	if err := c.catalogPrice(ctx, tx, m.ID, in.Price, c.store.Now()); err != nil {
		return nil, err
	}
	if err := list(ctx, tx, m); err != nil {
		return nil, err
	}
	return m, tx.Audit(ctx, platformEvent("catalogModel.create", m.ID, name))
}

func (c *Catalog) catalogPrice(ctx context.Context, tx *store.Tx, catalogModelID string, in PriceInput, from time.Time) error {
	return createPrice(tx.Price.Create().SetAccountID(id.PlatformID).SetPlane(price.PlanePLATFORM).
		SetCatalogModelID(catalogModelID), in, from).Exec(ctx)
}

// Edit is a change of a catalogue model; nil leaves a value as it is.
type Edit struct {
	Description *string
	Capability  *catalogmodel.Capability
	Status      *catalogmodel.Status
	Traits      Traits
	// ExpectedVersion refuses the change where the row has moved on.
	ExpectedVersion *int
}

// UpdateCatalogModel changes a catalogue model. Its listing follows its status,
// and accounts that lose it are told. For super admins.
func (c *Catalog) UpdateCatalogModel(ctx context.Context, tx *store.Tx, catalogModelID string, in Edit) (*ent.CatalogModel, error) {
	m, err := tx.CatalogModel.Get(ctx, catalogModelID)
	if err != nil {
		return nil, hidden(err, "catalogue model")
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != m.Version {
		return nil, stale(*in.ExpectedVersion, m.Version)
	}
	if in.Description != nil && len(*in.Description) > 500 {
		return nil, fault.At("description", "A description has at most 500 characters.")
	}
	if err := in.Traits.check(ctx, tx, m.ID); err != nil {
		return nil, err
	}
	u := m.Update().SetNillableDescription(in.Description).SetNillableCapability(in.Capability).SetNillableStatus(in.Status)
	in.Traits.set(u.Mutation())
	if in.ExpectedVersion != nil {
		u.Where(catalogmodel.Version(*in.ExpectedVersion))
	}
	var losing []string
	if in.Status != nil && *in.Status != catalogmodel.StatusACTIVE {
		if losing, err = c.users(ctx, tx, m.ID); err != nil {
			return nil, err
		}
	}
	if m, err = u.Save(ctx); err != nil {
		return nil, outrun(err, in.ExpectedVersion, "catalogue model")
	}
	if err := list(ctx, tx, m); err != nil {
		return nil, err
	}
	if err := tx.Audit(ctx, platformEvent("catalogModel.update", m.ID, m.Name)); err != nil {
		return nil, err
	}
	return m, c.withdraw(ctx, tx, m, losing)
}

// maxPriceAhead is how far ahead a price can be set.
const maxPriceAhead = 400 * 24 * time.Hour

// PublishCatalogPrice supersedes a catalogue model's price from a moment on that
// doesn't lie in the past; the zero time is now. For super admins.
func (c *Catalog) PublishCatalogPrice(ctx context.Context, tx *store.Tx, catalogModelID string, in PriceInput, from time.Time) (*ent.CatalogModel, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	now := tx.Now()
	switch {
	case from.IsZero():
		from = now
	case from.Before(now.Add(-factorLeeway)):
		return nil, fault.At("effectiveFrom", "A price can't begin in the past: what was charged keeps the price that it was charged by.")
	case from.After(now.Add(maxPriceAhead)):
		return nil, fault.At("effectiveFrom", "A price begins at most 400 days ahead.")
	case from.Before(now):
		from = now
	}
	from = from.UTC().Truncate(time.Microsecond)
	m, err := tx.CatalogModel.Get(ctx, catalogModelID)
	if err != nil {
		return nil, hidden(err, "catalogue model")
	}
	err = c.catalogPrice(ctx, tx, m.ID, in, from)
	if store.IsConflict(err) {
		return nil, fault.At("effectiveFrom", "Another price begins at this very moment. Choose another one.")
	}
	if err != nil {
		return nil, err
	}
	e := platformEvent("catalogModel.price", m.ID, m.Name)
	e.Changes = in.changes()
	e.Changes["effectiveFrom"] = audit.Change{After: from.Format(time.RFC3339)}
	return m, tx.Audit(ctx, e)
}
