package grant

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Grants answers from memory who may use what. A plane's table is read once an
// epoch of its account, and of the platform, which offers the models of Copilot.
type Grants struct {
	store  *store.Store
	epochs *store.Epochs
	mu     sync.RWMutex
	planes map[place]*cached
}

type place struct {
	accountID string
	plane     tenancy.Plane
}

type cached struct {
	reading sync.Mutex // one reads, the others wait for it
	now     atomic.Pointer[snapshot]
	// changes counts what this replica changed itself.
	changes atomic.Int64
}

type snapshot struct {
	*Table
	epoch, platform, changes int64
}

// New makes the one Grants of a server.
func New(st *store.Store, epochs *store.Epochs) *Grants {
	return &Grants{store: st, epochs: epochs, planes: map[place]*cached{}}
}

// Table is a plane's table as it stands; it is in memory unless something in
// the account has changed. Ask it with the time of the question.
func (g *Grants) Table(ctx context.Context, accountID string, plane tenancy.Plane) (*Table, error) {
	c := g.of(place{accountID, plane})
	if s := c.now.Load(); g.fresh(c, s, accountID) {
		return s.Table, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	if s := c.now.Load(); g.fresh(c, s, accountID) {
		return s.Table, nil
	}
	// The epochs come before the rows that they vouch for.
	s := &snapshot{epoch: g.epochs.Of(accountID), platform: g.epochs.Of(id.PlatformID), changes: c.changes.Load()}
	var err error
	if s.Table, err = Load(ctx, g.store.Client, accountID, plane); err != nil {
		return nil, err
	}
	c.now.Store(s)
	return s.Table, nil
}

// Allowed tells of each model whether a scope may call it now. It is for those
// who hold a path and nothing else, such as people with a token.
func (g *Grants) Allowed(ctx context.Context, accountID string, plane tenancy.Plane, path string) (map[string]bool, error) {
	t, err := g.Table(ctx, accountID, plane)
	if err != nil {
		return nil, err
	}
	return t.Allowed(path, g.store.Now()), nil
}

// Changed lets this replica read a plane again at once, after a change that it
// made itself; the others learn of it by the account's epoch.
func (g *Grants) Changed(accountID string, plane tenancy.Plane) {
	g.of(place{accountID, plane}).changes.Add(1)
}

func (g *Grants) of(p place) *cached {
	g.mu.RLock()
	c := g.planes[p]
	g.mu.RUnlock()
	if c != nil {
		return c
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c = g.planes[p]; c == nil {
		c = &cached{}
		g.planes[p] = c
	}
	return c
}

func (g *Grants) fresh(c *cached, s *snapshot, accountID string) bool {
	return s != nil && s.changes == c.changes.Load() && s.epoch == g.epochs.Of(accountID) && s.platform == g.epochs.Of(id.PlatformID)
}
