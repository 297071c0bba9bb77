package graph

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// maxWatched bounds the budgets of one live subscription.
	maxWatched = 500
	// burnEvery is how often one subscription gets a payload at most.
	burnEvery = time.Second
	// maxSpenders of the last minute are named.
	maxSpenders = 5
)

// burning is one live subscription.
type burning struct {
	*Resolver
	scopeID string
	reach   tenancy.Reach
	// known is the newest revision sent, by budget.
	known map[string]int64
}

// burn streams the states of a scope's budget, and of those below it.
func (r *Resolver) burn(ctx context.Context, scopeID string, descendants bool, after *string) (<-chan *model.BudgetBurn, error) {
	s, err := r.scopeByID(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.BudgetWatch, ref(s)); err != nil {
		return nil, err
	}
	at := ref(s)
	b := &burning{Resolver: r, scopeID: scopeID, reach: tenancy.Reach{AccountID: at.AccountID, Plane: at.Plane, Path: at.Path}, known: map[string]int64{}}
	states, err := r.Budgets.States(ctx, b.reach, nil)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, st := range states {
		if (descendants || st.ScopeID == scopeID) && len(ids) < maxWatched {
			ids = append(ids, st.BudgetID)
			b.known[st.BudgetID] = st.Revision
		}
	}
	deltas, err := r.Budgets.Watch(ctx, b.reach, ids)
	if err != nil {
		return nil, err
	}
	next := ids
	if after != nil && *after == b.cursor() {
		next = []string{} // nothing has changed since
	}
	out := make(chan *model.BudgetBurn)
	go func() {
		defer close(out)
		for {
			payload, err := b.payload(ctx, next)
			if err != nil {
				if ctx.Err() == nil {
					r.Log.ErrorContext(ctx, "live burn ended", "scope", scopeID, "cause", err)
				}
				return
			}
			select {
			case out <- payload:
			case <-ctx.Done():
				return
			}
			// What happens meanwhile is gathered: the newest state of each budget.
			select {
			case <-time.After(burnEvery):
			case <-ctx.Done():
				return
			}
			select {
			case changed, ok := <-deltas:
				if !ok {
					return
				}
				next = mapTo(changed, func(d budget.Delta) string { return d.BudgetID })
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// payload re-reads states under what the viewer may see at this moment.
func (b *burning) payload(ctx context.Context, ids []string) (*model.BudgetBurn, error) {
	s, err := b.scopeByID(ctx, b.scopeID)
	if err != nil {
		return nil, err
	}
	b.reach.Path = s.Path // it may have moved meanwhile
	states, err := b.Budgets.States(ctx, b.reach, ids)
	if err != nil {
		return nil, err
	}
	now := b.Store.Now()
	sums, minute, err := b.Budgets.TopSpenders(ctx, b.reach, now.Add(-time.Minute), maxSpenders)
	if err != nil {
		return nil, err
	}
	for _, st := range states {
		b.known[st.BudgetID] = st.Revision
	}
	return &model.BudgetBurn{
		ScopeID: b.scopeID, At: now, LastMinute: minute, Cursor: b.cursor(),
		States: mapTo(states, func(s budget.State) *model.BudgetState { return toState(s, now) }),
		TopSpenders: mapTo(sums, func(s budget.Sum) *model.Spender {
			name := s.Name
			if name == "" {
				name = "Team keys"
			}
			return &model.Spender{ID: s.ID, Name: name, Amount: amountIn(b.reach.Plane, s.Cost, s.Credits), Calls: s.Calls}
		}),
	}, nil
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
