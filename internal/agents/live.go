package agents

import (
	"context"
	"fmt"
	"sync"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/agentversion"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Live knows what calls go through: the published definitions of agents, from
// memory. Whether somebody may use one is for the grants to tell.
type Live struct {
	store  *store.Store
	epochs *store.Epochs
	mu     sync.RWMutex
	cached map[string]*live
}

// Published is an agent as it answers now.
type Published struct {
	ID, AccountID, Name string
	Version             int
	Definition          Definition
	// Caps of one session; zero for none.
	SessionCredits money.Nano
	SessionTurns   int64
}

type live struct {
	*Published
	epoch int64
}

// maxCached bounds the agents kept in memory; the whole cache is dropped when it
// is full.
const maxCached = 10_000

// NewLive makes the one Live of a server.
func NewLive(st *store.Store, epochs *store.Epochs) *Live {
	return &Live{store: st, epochs: epochs, cached: map[string]*live{}}
}

// Agent finds an account's agent as it is published; nil for one that isn't, or
// isn't theirs.
func (l *Live) Agent(ctx context.Context, accountID, agentID string) (*Published, error) {
	l.mu.RLock()
	c := l.cached[agentID]
	l.mu.RUnlock()
	epoch := l.epochs.Of(accountID) // before the rows that it vouches for
	if c == nil || c.epoch != epoch || c.AccountID != accountID {
		p, err := l.load(tenancy.System(ctx, "an agent's definition goes to its model, whoever calls it"), accountID, agentID)
		if err != nil || p == nil {
			return nil, err
		}
		c = &live{p, epoch}
		l.mu.Lock()
		if len(l.cached) >= maxCached {
			clear(l.cached)
		}
		l.cached[agentID] = c
		l.mu.Unlock()
	}
	return c.Published, nil
}

func (l *Live) load(ctx context.Context, accountID, agentID string) (*Published, error) {
	s, err := l.store.Scope.Query().Where(scope.ID(agentID), scope.AccountID(accountID), scope.DeletedAtIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("agents: scope: %w", err)
	}
	a, err := l.store.Agent.Query().Where(agent.ID(agentID), agent.AccountID(accountID), agent.PublishedVersionNotNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("agents: published: %w", err)
	}
	v, err := l.store.AgentVersion.Query().Where(agentversion.AgentID(agentID), agentversion.Number(*a.PublishedVersion)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("agents: version: %w", err)
	}
	d, err := Parse(v.Definition)
	if err != nil {
		return nil, fmt.Errorf("agents: version %d of %s: %w", v.Number, agentID, err)
	}
	return &Published{ID: a.ID, AccountID: accountID, Name: s.Name, Version: v.Number, Definition: d,
		SessionCredits: money.Nano(a.SessionCredits), SessionTurns: int64(a.SessionTurns)}, nil
}
