package graph

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// maxWatched bounds the budgets of one live subscription.
	maxWatched = 500
	// burnEvery is how often one subscription gets a payload at most.
	burnEvery = 400 * time.Millisecond
	// lookEvery is how often it is looked for what no budget's change tells: new
	// budgets, and a minute that goes quiet.
	lookEvery = 5 * time.Second
	// maxSpenders of the last minute are named.
	maxSpenders = 5
)

// burning is one live subscription.
type burning struct {
	*Resolver
	scopeID string
	// named are the scopes whose budgets are watched; nil: the scope's own, and
	// those below it if descendants.
	named       []string
	descendants bool
	// spends tells that the last minute was asked for.
	spends   bool
	now      func() time.Time
	watching *budget.Watching
	// known is the newest revision sent, by budget.
	known map[string]int64
	// last is the payload before.
	last *model.BudgetBurn
}

// burn streams the states of the budgets of a scope, of those below it, or of
// those that are named.
func (r *Resolver) burn(ctx context.Context, scopeID string, descendants bool, named []string, after *string) (<-chan *model.BudgetBurn, error) {
	s, err := r.scopeByID(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.BudgetWatch, ref(s)); err != nil {
		return nil, err
	}
	switch {
	case len(named) > maxWatched:
		return nil, fault.New(fault.BadInput, "Name at most %d scopes: those that are on screen.", maxWatched)
	case named != nil && descendants:
		return nil, fault.New(fault.BadInput, "Give either scopeIds or descendants.")
	}
	b := &burning{Resolver: r, scopeID: scopeID, named: named, descendants: descendants, now: r.Store.Now, watching: r.Budgets.Watch(ctx), known: map[string]int64{}}
	for _, f := range graphql.CollectFieldsCtx(ctx, nil) {
		b.spends = b.spends || f.Name == "lastMinute" || f.Name == "topSpenders"
	}
	first, err := b.payload(ctx, nil)
	if err != nil {
		return nil, err
	}
	if after != nil && *after == first.Cursor {
		first.States = []*model.BudgetState{} // nothing has changed since
	}
	out := make(chan *model.BudgetBurn)
	go func() {
		defer close(out)
		send := func(p *model.BudgetBurn) {
			select {
			case out <- p:
			case <-ctx.Done():
			}
		}
		send(first)
		err := pace(ctx, time.After, b.watching.Changes, func(changed []string) error {
			p, err := b.payload(ctx, changed)
			if p != nil {
				send(p)
			}
			return err
		})
		if err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "live burn ended", "scope", scopeID, "cause", err)
		}
	}()
	return out, nil
}

// pace tells which budgets have changed: at once where nothing was told for a
// while, else what came meanwhile together. Every lookEvery it tells of none, so
// that what time alone changes is looked for. It begins with a rest, after the
// snapshot, and ends with ctx, with changes, or with the first error.
func pace(ctx context.Context, after func(time.Duration) <-chan time.Time, changes <-chan []budget.Delta, tell func(changed []string) error) error {
	changed, look := map[string]bool{}, false
	resting, looking := after(burnEvery), after(lookEvery)
	for {
		select {
		case <-ctx.Done():
			return nil
		case deltas, ok := <-changes:
			if !ok {
				return nil
			}
			for _, d := range deltas {
				changed[d.BudgetID] = true
			}
		case <-resting:
			resting = nil
		case <-looking:
			look, looking = true, after(lookEvery)
		}
		if resting != nil || !look && len(changed) == 0 {
			continue
		}
		if err := tell(slices.Sorted(maps.Keys(changed))); err != nil {
			return err
		}
		clear(changed)
		look, resting = false, after(burnEvery)
	}
}

// payload reads what is new, under what the viewer may see at this moment: the
// states of budgets that changed or weren't watched yet, and the last minute.
// It is nil when nothing is.
func (b *burning) payload(ctx context.Context, changed []string) (*model.BudgetBurn, error) {
	s, err := b.scopeByID(ctx, b.scopeID)
	if err != nil {
		return nil, err
	}
	at := ref(s) // it may have moved meanwhile
	reach := tenancy.Reach{AccountID: at.AccountID, Plane: at.Plane, Path: at.Path}
	ids, unwatched, err := b.watched(ctx, reach)
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(b.known, func(budgetID string, _ int64) bool { return !slices.Contains(ids, budgetID) })
	news := slices.DeleteFunc(ids, func(budgetID string) bool {
		_, known := b.known[budgetID]
		return known && !slices.Contains(changed, budgetID)
	})
	// Which budgets may be read was asked above.
	states, err := b.Budgets.States(ctx, wholePlane(stateKey{accountID: at.AccountID, plane: at.Plane}), news)
	if err != nil {
		return nil, err
	}
	for _, st := range states {
		b.known[st.BudgetID] = st.Revision
	}
	b.watching.Follow(b.known)

	now := b.now()
	p := &model.BudgetBurn{ScopeID: b.scopeID, At: now, Unwatched: unwatched, Cursor: b.cursor(), TopSpenders: []*model.Spender{},
		States: mapTo(states, func(s budget.State) *model.BudgetState { return toState(s, now) })}
	if b.spends {
		if p.TopSpenders, p.LastMinute, err = b.minute(ctx, reach, now); err != nil {
			return nil, err
		}
	}
	if b.last != nil && len(p.States) == 0 && p.Unwatched == b.last.Unwatched && sameMinute(p, b.last) {
		return nil, nil
	}
	b.last = p
	return p, nil
}

// watched are the budgets of the subscription that there are by now, and how
// many more lie below the scope.
func (b *burning) watched(ctx context.Context, reach tenancy.Reach) (budgetIDs []string, unwatched int, err error) {
	var of []string
	switch {
	case b.named != nil:
		reach.Path = accountPath(reach.AccountID)
		if of, err = b.mayWatch(ctx, reach); err != nil {
			return nil, 0, err
		}
	case !b.descendants:
		of = []string{b.scopeID}
	}
	budgetIDs, all, err := b.Budgets.Watchable(ctx, reach, of, maxWatched)
	return append([]string{}, budgetIDs...), all - len(budgetIDs), err
}

// mayWatch are those of the named scopes that the viewer may watch; an empty
// list when there are none.
func (b *burning) mayWatch(ctx context.Context, plane tenancy.Reach) ([]string, error) {
	rows, err := b.Store.Scope.Query().Where(scope.IDIn(b.named...), scope.AccountID(plane.AccountID), scope.PlaneEQ(scope.Plane(plane.Plane))).All(tenancy.Platform(ctx))
	if err != nil {
		return nil, err
	}
	out := []string{}
	for _, s := range rows {
		if !closedToStaff(ctx, s) && b.Access.Decide(ctx, access.BudgetWatch, target(ref(s))).Allowed {
			out = append(out, s.ID)
		}
	}
	return out, nil
}

// minute is who spent most within the last minute, and all that was spent.
func (b *burning) minute(ctx context.Context, reach tenancy.Reach, now time.Time) ([]*model.Spender, money.Nano, error) {
	sums, whole, err := b.Budgets.TopSpenders(ctx, reach, now.Add(-time.Minute), maxSpenders)
	return mapTo(sums, func(s budget.Sum) *model.Spender {
		name := s.Name
		if name == "" {
			name = "Without a seat"
		}
		return &model.Spender{ID: s.ID, Name: name, Amount: amountIn(reach.Plane, s.Cost, s.Credits), Calls: s.Calls}
	}), whole, err
}

func sameMinute(a, b *model.BudgetBurn) bool {
	return a.LastMinute == b.LastMinute && slices.EqualFunc(a.TopSpenders, b.TopSpenders, func(x, y *model.Spender) bool { return *x == *y })
}

// cursor stands for the revisions of all watched budgets: states are whole, so
// that whether anything changed is all that there is to know.
func (b *burning) cursor() string {
	h := fnv.New64a()
	for _, id := range slices.Sorted(maps.Keys(b.known)) {
		_, _ = fmt.Fprintf(h, "%s %d\n", id, b.known[id]) // a hash takes everything
	}
	return encode(fmt.Sprintf("%s %x", b.scopeID, h.Sum64()))
}
