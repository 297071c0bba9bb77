package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// replica is one gateway of several over a database.
type replica struct {
	// dir holds its journal, and outlives it.
	dir string
	// key was planted already by another one.
	key string
	// limit of the team's budget.
	limit money.Nano
	// timeout after which the others give it up.
	timeout time.Duration
}

// serveAlone serves Cockpit's gateway over a fresh database: an account whose
// calls pass a chain of five budgets, each large enough never to refuse.
func serveAlone(ctx context.Context, upstreamURL, databaseURL string) (err error) {
	dir, err := os.MkdirTemp("", "cockpit-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return serveGateway(ctx, upstreamURL, databaseURL, replica{dir: dir, limit: budget.Largest})
}

func serveGateway(ctx context.Context, upstreamURL, databaseURL string, r replica) (err error) {
	dir, key := r.dir, r.key
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	st, err := store.Open(store.Options{URL: databaseURL, Dir: dir, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if _, err := st.Migrate(ctx); err != nil {
		return err
	}
	if key == "" {
		if err := identity.CreatePlatform(ctx, st); err != nil {
			return err
		}
	}
	epochs, err := st.WatchEpochs(ctx)
	if err != nil {
		return err
	}
	box, err := secret.NewBox("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	if err != nil {
		return err
	}
	cat := catalog.New(st, epochs, box, money.FactorOne, log)
	engine := budget.New(st, budget.Options{NodeTimeout: r.timeout, Journal: filepath.Join(dir, "journal"), Epochs: epochs, Log: log})
	if err := engine.Start(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, engine.Close(context.WithoutCancel(ctx))) }()
	if key == "" {
		if key, err = plant(ctx, st, cat, engine, upstreamURL+"/v1", r.limit); err != nil {
			return err
		}
	}
	doors, err := access.New(graph.Schema())
	if err != nil {
		return err
	}
	client := outbound.NewClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	g := gateway.New(gateway.Options{
		Access: doors, Grants: grant.New(st, epochs), Agents: agents.NewLive(st, epochs), Features: feature.New(st, epochs), Keys: identity.NewKeys(st, epochs), Catalog: cat, Budget: engine, Log: log,
		Guards: guardrail.New(guardrail.Options{Store: st, Epochs: epochs, Box: box, Client: client, Log: log}),
		Client: client,
	})
	defer g.Close()
	return serve(ctx, g, key)
}

// plant makes the account, its budgets, the model and a key.
func plant(ctx context.Context, st *store.Store, cat *catalog.Catalog, engine *budget.Engine, providerURL string, limit money.Nano) (token string, err error) {
	name, price := "bench", money.One
	err = st.InTx(tenancy.System(ctx, "the measurement's own data"), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: name, Slug: name, Console: true})
		if err != nil {
			return err
		}
		root, err := tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindCONSOLE)).Only(ctx)
		if err != nil {
			return err
		}
		team, err := tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindTEAM)).Only(ctx)
		if err != nil {
			return err
		}
		u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: "bench@example.com", Name: name})
		if err != nil {
			return err
		}
		seat, err := identity.AddMember(ctx, tx, team, u)
		if err != nil {
			return err
		}
		p, err := cat.CreateProvider(ctx, tx, root, catalog.ProviderInput{Name: &name, BaseURL: &providerURL})
		if err != nil {
			return err
		}
		m, err := cat.CreateModel(ctx, tx, root, catalog.ModelInput{ProviderID: p.ID, Name: "demo-small", ContextLength: 100_000, MaxOutputTokens: 10_000,
			Price: &catalog.PriceInput{Input: price, Output: price}})
		if err != nil {
			return err
		}
		if _, err := grant.Set(ctx, tx, st.Now(), grant.Input{Scope: root, ResourceID: m.ID, Effect: grant.Allow, Authority: root.Path}); err != nil {
			return err
		}
		_, leaf, key, err := identity.CreateKey(ctx, tx, st.Now(), identity.KeyInput{Name: name, Owner: seat, ModelIDs: []string{m.ID}})
		if err != nil {
			return err
		}
		for _, scopeID := range []string{root.ID, *team.ParentID, team.ID, seat.ID, leaf.ID} {
			spec := budget.Spec{Limit: budget.Largest}
			if scopeID == team.ID {
				spec.Limit = limit
			}
			if _, err := engine.Set(ctx, tx, scopeID, spec); err != nil {
				return fmt.Errorf("budget: %w", err)
			}
		}
		token = key
		return nil
	})
	return token, err
}
