package budget

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Delta is the newest state of a budget's counters; older ones that nobody
// has read yet are dropped.
type Delta struct {
	BudgetID string
	Limit    money.Nano
	Overflow money.Nano
	Spent    money.Nano
	Held     money.Nano
	StartsAt time.Time
	EndsAt   time.Time
	// Revision only grows, also from cycle to cycle: the cursor.
	Revision int64
}

// burn hands the changes of watched budgets to their watchers.
type burn struct {
	mu       sync.Mutex
	watchers map[*watcher]bool
	changed  chan struct{}
}

type watcher struct {
	known   map[string]int64 // newest revision seen, by budget
	pending map[string]Delta
	wake    chan struct{}
}

func newBurn() burn { return burn{watchers: map[*watcher]bool{}, changed: make(chan struct{}, 1)} }

const (
	pollEvery = 500 * time.Millisecond
	// pollPause keeps watchers of a busy replica from asking after every round.
	pollPause = 50 * time.Millisecond
)

// nudge has the watched budgets read at once: this replica has written.
func (b *burn) nudge() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// Watching hands on the changes of the budgets that it follows.
type Watching struct {
	// Changes ends when the context that it was begun with does. A slow reader
	// gets the newest state of each budget, never a backlog.
	Changes <-chan []Delta
	burn    *burn
	watcher *watcher
}

// Watch begins to watch no budget yet: Follow says which. Changes of this
// replica are told at once, of others within half a second.
func (e *Engine) Watch(ctx context.Context) *Watching {
	w := &watcher{known: map[string]int64{}, pending: map[string]Delta{}, wake: make(chan struct{}, 1)}
	e.burn.mu.Lock()
	e.burn.watchers[w] = true
	e.burn.mu.Unlock()
	out := make(chan []Delta)
	go func() {
		defer close(out)
		defer e.burn.leave(w)
		for {
			select {
			case <-ctx.Done():
				return
			case <-e.stop:
				return
			case <-w.wake:
			}
			deltas := e.burn.take(w)
			if len(deltas) == 0 {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-e.stop:
				return
			case out <- deltas:
			}
		}
	}()
	return &Watching{Changes: out, burn: &e.burn, watcher: w}
}

// Follow watches these budgets, each from a revision on, and no others any
// more. Whether the reader may see them is for the caller to ask.
func (w *Watching) Follow(revisions map[string]int64) {
	w.burn.mu.Lock()
	defer w.burn.mu.Unlock()
	known := make(map[string]int64, len(revisions))
	for budgetID, revision := range revisions {
		known[budgetID] = max(revision, w.watcher.known[budgetID])
	}
	maps.DeleteFunc(w.watcher.pending, func(budgetID string, _ Delta) bool {
		_, followed := known[budgetID]
		return !followed
	})
	w.watcher.known = known
}

// Watchable are the budgets inside reach, of the given scopes alone unless nil,
// in the order of the tree: n of them at most, and how many there are.
func (e *Engine) Watchable(ctx context.Context, reach tenancy.Reach, scopeIDs []string, n int) (budgetIDs []string, all int, err error) {
	p := params{reach.AccountID, string(reach.Plane), reach.Path}
	where := inReach
	if scopeIDs != nil {
		if len(scopeIDs) == 0 {
			return nil, 0, nil
		}
		where += " AND b.scope_id IN (" + p.list(scopeIDs) + ")"
	}
	q := fmt.Sprintf("SELECT b.id, count(*) OVER () FROM budgets b JOIN scopes s ON s.id = b.scope_id WHERE %s ORDER BY s.path LIMIT %d", where, n)
	err = e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		var budgetID string
		err := r.Scan(&budgetID, &all)
		budgetIDs = append(budgetIDs, budgetID)
		return err
	})
	return budgetIDs, all, err
}

func (b *burn) leave(w *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.watchers, w)
}

func (b *burn) take(w *watcher) []Delta {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := slices.Collect(maps.Values(w.pending))
	clear(w.pending)
	return out
}

// tell passes on the cycles that a batch changed or a poll found.
func (b *burn) tell(cycles map[string]*cycle) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for w := range b.watchers {
		for _, c := range cycles {
			known, watched := w.known[c.budgetID]
			if !watched || c.revision <= known {
				continue
			}
			w.known[c.budgetID] = c.revision
			w.pending[c.budgetID] = Delta{
				BudgetID: c.budgetID, Limit: c.lim, Overflow: c.overflow, Spent: c.spent, Held: c.held,
				StartsAt: c.startsAt, EndsAt: c.endsAt, Revision: c.revision,
			}
			select {
			case w.wake <- struct{}{}:
			default:
			}
		}
	}
}

func (b *burn) watched() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := map[string]bool{}
	for w := range b.watchers {
		for k := range w.known {
			ids[k] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// poll reads the watched budgets, for what other replicas and admins changed.
func (e *Engine) poll() {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-ticker.C:
		case <-e.burn.changed:
			time.Sleep(pollPause)
		}
		ids := e.burn.watched()
		if len(ids) == 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), txTimeout)
		found := map[string]*cycle{}
		for part := range slices.Chunk(ids, 1000) {
			var p params
			err := e.query(ctx, e.db, "SELECT "+cycleColumns+" FROM budget_cycles c WHERE c.budget_id IN ("+p.list(part)+
				") AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = c.budget_id)", p, func(r *sql.Rows) error {
				var c cycle
				err := c.scan(r)
				found[c.id] = &c
				return err
			})
			if err != nil {
				e.log.Warn("polling budgets failed", "error", err)
			}
		}
		cancel()
		e.burn.tell(found)
	}
}
