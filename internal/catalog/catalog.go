// Package catalog knows what can be called: providers and their models in
// Console, the platform's catalogue and what accounts switched on in Copilot,
// each with dated prices.
package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/centralprovider"
	"github.com/alchemi/cockpit/ent/creditfactor"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/ent/provider"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Catalog answers where a model is routed to and what it costs, from memory.
type Catalog struct {
	store  *store.Store
	epochs *store.Epochs
	box    *secret.Box
	log    *slog.Logger
	// defaultPPM is the credit factor of accounts without one of their own.
	defaultPPM int64
	// Tell lets an account's people know of what they lose; nil tells nobody.
	Tell func(ctx context.Context, tx *store.Tx, n notify.Notice) error

	mu     sync.RWMutex
	cached map[string]*snapshot
}

// New makes the one Catalog of a server. defaultPPM is the credit factor in
// parts per million of accounts that have none of their own.
func New(st *store.Store, epochs *store.Epochs, box *secret.Box, defaultPPM int64, log *slog.Logger) *Catalog {
	return &Catalog{store: st, epochs: epochs, box: box, log: log, defaultPPM: defaultPPM, cached: map[string]*snapshot{}}
}

// Route is where calls of a model go and what they cost now.
type Route struct {
	ModelID string
	// Name is what callers put into `model`.
	Name string
	// UpstreamName replaces it on the way to the provider.
	UpstreamName string
	BaseURL      string
	// APIKey is the provider's secret, in the clear; never log it.
	APIKey          string
	ContextLength   int64
	MaxOutputTokens int64
	// Images is true for models of the catalogue that answer with images.
	Images bool
	// Price is the version in force; nil where the model has only a ceiling.
	Price *ent.Price
	// Ceiling is what a call costs at most without a price; 0: none.
	Ceiling money.Nano
	// FactorID and FactorPPM are set in Copilot; the id is empty for the
	// default factor.
	FactorID  string
	FactorPPM int64
	CreatedAt time.Time
}

// snapshot is one account's plane at an epoch of the account and the platform.
type snapshot struct {
	routes map[string]*dated
	// defaults are the models that scopes name for calls without one, by scope.
	defaults map[string]string
	epoch    int64
	// platform is the epoch of the platform's own rows.
	platform int64
}

// dated is a route with all price versions that may come into force.
type dated struct {
	Route
	prices  []*ent.Price        // newest first
	factors []*ent.CreditFactor // newest first
}

// Routes lists what the account can call in a plane now, by name.
func (c *Catalog) Routes(ctx context.Context, accountID string, plane tenancy.Plane) ([]Route, error) {
	s, err := c.snapshot(ctx, accountID, plane)
	if err != nil {
		return nil, err
	}
	out := make([]Route, 0, len(s.routes))
	for _, d := range s.routes {
		out = append(out, c.at(d, plane))
	}
	return out, nil
}

// Route finds a model by the name that callers use. It returns false for a
// model that doesn't exist, is disabled, or whose provider is.
func (c *Catalog) Route(ctx context.Context, accountID string, plane tenancy.Plane, name string) (Route, bool, error) {
	s, err := c.snapshot(ctx, accountID, plane)
	if err != nil {
		return Route{}, false, err
	}
	d, ok := s.routes[name]
	if !ok {
		return Route{}, false, nil
	}
	return c.at(d, plane), true, nil
}

// RouteOf finds a model by its id, as Route does by its name.
func (c *Catalog) RouteOf(ctx context.Context, accountID string, plane tenancy.Plane, modelID string) (Route, bool, error) {
	s, err := c.snapshot(ctx, accountID, plane)
	if err != nil {
		return Route{}, false, err
	}
	for _, d := range s.routes {
		if d.ModelID == modelID {
			return c.at(d, plane), true, nil
		}
	}
	return Route{}, false, nil
}

// at picks the versions in force now.
func (c *Catalog) at(d *dated, plane tenancy.Plane) Route {
	now := c.store.Now()
	r := d.Route
	for _, p := range d.prices {
		if !p.EffectiveFrom.After(now) {
			r.Price = p
			break
		}
	}
	if plane == tenancy.Copilot {
		r.FactorPPM = c.defaultPPM
		for _, f := range d.factors {
			if !f.EffectiveFrom.After(now) {
				r.FactorID, r.FactorPPM = f.ID, f.Ppm
				break
			}
		}
	}
	return r
}

func (c *Catalog) snapshot(ctx context.Context, accountID string, plane tenancy.Plane) (*snapshot, error) {
	key := accountID + string(plane)
	epoch, platform := c.epochs.Of(accountID), c.epochs.Of(id.PlatformID)
	c.mu.RLock()
	s := c.cached[key]
	c.mu.RUnlock()
	if s != nil && s.epoch == epoch && s.platform == platform {
		return s, nil
	}
	s, err := c.load(tenancy.System(ctx, "routes are read before the call is decided"), accountID, plane)
	if err != nil {
		return nil, fmt.Errorf("catalog: routes: %w", err)
	}
	s.epoch, s.platform = epoch, platform
	c.mu.Lock()
	c.cached[key] = s
	c.mu.Unlock()
	return s, nil
}

func (c *Catalog) load(ctx context.Context, accountID string, plane tenancy.Plane) (*snapshot, error) {
	models, err := c.store.Model.Query().
		Where(model.AccountID(accountID), model.PlaneEQ(model.Plane(plane)), model.StatusEQ(model.StatusACTIVE)).
		WithProvider().WithPrices(newestFirst).
		WithCatalogModel(func(q *ent.CatalogModelQuery) {
			grant.WithOffer(q, accountID).WithCentralProvider().WithPrices(newestFirst)
		}).
		All(ctx)
	if err != nil {
		return nil, err
	}
	factors, err := c.store.CreditFactor.Query().Where(creditfactor.AccountID(accountID)).
		Order(ent.Desc(creditfactor.FieldEffectiveFrom)).All(ctx)
	if err != nil {
		return nil, err
	}
	s := &snapshot{routes: make(map[string]*dated, len(models))}
	if s.defaults, err = c.defaults(ctx, accountID, plane); err != nil {
		return nil, err
	}
	for _, m := range models {
		d := &dated{Route: Route{ModelID: m.ID, Name: m.Name, CreatedAt: m.CreatedAt}, factors: factors}
		if plane == tenancy.Console {
			p := m.Edges.Provider
			if p.Status != provider.StatusACTIVE {
				continue
			}
			d.UpstreamName, d.ContextLength, d.MaxOutputTokens = m.UpstreamName, m.ContextLength, m.MaxOutputTokens
			d.prices, d.BaseURL = m.Edges.Prices, p.BaseURL
			if m.Ceiling != nil {
				d.Ceiling = money.Nano(*m.Ceiling)
			}
			d.APIKey, err = c.open(p.ID, p.Secret)
		} else {
			cm := m.Edges.CatalogModel
			p := cm.Edges.CentralProvider
			if !grant.Offered(cm) || p.Status != centralprovider.StatusACTIVE {
				continue
			}
			d.UpstreamName, d.ContextLength, d.MaxOutputTokens = cm.UpstreamName, cm.ContextLength, cm.MaxOutputTokens
			d.Images = slices.Contains(cm.Outputs, "IMAGE")
			d.prices, d.BaseURL = cm.Edges.Prices, p.BaseURL
			d.APIKey, err = c.open(p.ID, p.Secret)
		}
		if err != nil {
			c.log.ErrorContext(ctx, "a provider's key can't be opened; its models are left out", "model", m.ID, "cause", err)
			continue
		}
		s.routes[m.Name] = d
	}
	return s, nil
}

func (c *Catalog) open(place string, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	return c.box.Open(place, sealed)
}

// newestFirst keeps enough versions for the one in force and those to come.
func newestFirst(q *ent.PriceQuery) { q.Order(ent.Desc(price.FieldEffectiveFrom)) }

// FactorPPM is the account's credit factor in force, in parts per million.
func (c *Catalog) FactorPPM(ctx context.Context, accountID string) (int64, error) {
	_, ppm, err := c.Factor(ctx, accountID)
	return ppm, err
}

// Factor is FactorPPM with the id of the row that says so, empty for the
// default factor.
func (c *Catalog) Factor(ctx context.Context, accountID string) (factorID string, ppm int64, err error) {
	ctx = tenancy.System(ctx, "the factor of one account, by its id")
	f, err := c.store.CreditFactor.Query().
		Where(creditfactor.AccountID(accountID), creditfactor.EffectiveFromLTE(c.store.Now())).
		Order(ent.Desc(creditfactor.FieldEffectiveFrom)).First(ctx)
	if ent.IsNotFound(err) {
		return "", c.defaultPPM, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("catalog: factor: %w", err)
	}
	return f.ID, f.Ppm, nil
}

// DefaultFactorPPM is the factor of accounts that have none of their own.
func (c *Catalog) DefaultFactorPPM() int64 { return c.defaultPPM }
