// Package alert watches budgets and tells when one passes a threshold, will run
// out, is frozen, or has a statement; once per cycle each.
package alert

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// lookEvery is the pause between looks.
	lookEvery = time.Second
	// overlap is how far a look reaches back behind the one before: a charge is
	// dated when it is made and seen when it is committed.
	overlap = 3 * time.Second
	// sweepEvery is the pause between looks at all budgets, which find what a
	// crash or a straggler hid from the others.
	sweepEvery = 5 * time.Minute
	// page is how many budgets are looked at together.
	page = 500
	// recent is how far the first look reaches back for what isn't a threshold, and
	// straggling how far those at all budgets do: a line may be dated long before
	// it is committed.
	recent, straggling = 24 * time.Hour, 15 * time.Minute
)

// Watcher looks at the budgets that changed. Every replica runs one: which of
// them tells is decided by the unique row of budget, cycle and threshold.
type Watcher struct {
	Store   *store.Store
	Budgets *budget.Engine
	Notify  *notify.Notifier
	// Now is the clock that the engine goes by.
	Now func() time.Time
	Log *slog.Logger

	mu      sync.Mutex
	refused map[string]bool
	// mark is up to when charges were looked at, swept when all budgets were.
	mark, swept time.Time
}

// Refused notes that a budget has just refused a call: one that is all but used
// up counts as used up then. It never blocks.
func (w *Watcher) Refused(e *budget.Exceeded) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refused == nil {
		w.refused = map[string]bool{}
	}
	w.refused[e.BudgetID] = true
}

// Run looks every second until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "budgets could not be watched; they are looked at again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look tells of what has happened since the look before. The first look, and
// one every five minutes, is at all budgets; the others are at those that were
// charged or changed. What can't be told is looked at again.
func (w *Watcher) Look(ctx context.Context) error {
	ctx = tenancy.System(ctx, "budgets of all accounts are watched")
	l := look{Watcher: w, now: w.Now(), refused: w.take()}
	l.since = w.mark.Add(-overlap)
	sweep := l.now.Sub(w.swept) >= sweepEvery
	switch {
	case w.mark.IsZero():
		l.since = l.now.Add(-recent)
	case sweep:
		l.since = l.now.Add(-straggling)
	}
	budgets := l.changed
	if sweep {
		budgets = l.all
	}
	for _, part := range []func(context.Context) error{budgets, l.statements, l.late} {
		if err := part(ctx); err != nil {
			w.giveBack(l.refused)
			return fmt.Errorf("alert: %w", err)
		}
	}
	w.mark = l.now
	if sweep {
		w.swept = l.now
	}
	return nil
}

func (w *Watcher) take() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.refused
	w.refused = nil
	return out
}

func (w *Watcher) giveBack(refused map[string]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for b := range w.refused {
		refused[b] = true
	}
	w.refused = refused
}

// look is one look at what happened since a moment.
type look struct {
	*Watcher
	now, since time.Time
	refused    map[string]bool
}

// all looks at every budget there is.
func (l *look) all(ctx context.Context) error {
	last := ""
	for {
		rows, err := l.Store.Budget.Query().Where(entbudget.IDGT(last)).Order(ent.Asc(entbudget.FieldID)).Limit(page).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		last = rows[len(rows)-1].ID
		if err := l.at(ctx, rows); err != nil {
			return err
		}
	}
}

// changed looks at the budgets on the paths that were charged, and at those
// that somebody changed or that refused a call.
func (l *look) changed(ctx context.Context) error {
	var charged []struct {
		Path    string `sql:"path"`
		AgentID string `sql:"agent_id"`
	}
	if err := l.Store.Charge.Query().Where(charge.AtGT(l.since)).Unique(true).Select(charge.FieldPath, charge.FieldAgentID).Scan(ctx, &charged); err != nil {
		return err
	}
	scopes := map[string]bool{}
	for _, c := range charged {
		for _, s := range split(c.Path)[1:] {
			scopes[s] = true
		}
		if c.AgentID != "" {
			scopes[c.AgentID] = true
		}
	}
	which := []predicate.Budget{entbudget.UpdatedAtGT(l.since)}
	for some := range slices.Chunk(slices.Collect(maps.Keys(scopes)), page) {
		which = append(which, entbudget.ScopeIDIn(some...))
	}
	for some := range slices.Chunk(slices.Collect(maps.Keys(l.refused)), page) {
		which = append(which, entbudget.IDIn(some...))
	}
	for _, w := range which {
		rows, err := l.Store.Budget.Query().Where(w).All(ctx)
		if err != nil {
			return err
		}
		for some := range slices.Chunk(rows, page) {
			if err := l.at(ctx, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// at looks at some budgets.
func (l *look) at(ctx context.Context, rows []*ent.Budget) error {
	type place struct {
		account string
		plane   tenancy.Plane
	}
	ids := map[place][]string{}
	byID := map[string]*ent.Budget{}
	for _, b := range rows {
		at := place{b.AccountID, tenancy.Plane(b.Plane)}
		ids[at] = append(ids[at], b.ID)
		byID[b.ID] = b
	}
	for at, ids := range ids {
		states, err := l.Budgets.States(ctx, tenancy.Reach{AccountID: at.account, Plane: at.plane, Path: "/" + at.account + "/"}, ids)
		if err != nil {
			return err
		}
		if err := l.judge(ctx, states, byID); err != nil {
			return err
		}
	}
	return nil
}
