package graph

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// The first change goes out at once, and what follows within a rest together,
// each budget once.
func TestChangesAreGathered(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	rests, looks := make(chan chan time.Time, 1), make(chan chan time.Time, 1)
	after := func(d time.Duration) <-chan time.Time {
		c := make(chan time.Time)
		map[time.Duration]chan chan time.Time{burnEvery: rests, lookEvery: looks}[d] <- c
		return c
	}
	changes, told := make(chan []budget.Delta), make(chan []string, 1)
	ended := make(chan error)
	go func() {
		ended <- pace(ctx, after, changes, func(changed []string) error {
			told <- changed
			return nil
		})
	}()
	change := func(ids ...string) {
		changes <- mapTo(ids, func(id string) budget.Delta { return budget.Delta{BudgetID: id} })
	}
	over := func(timers chan chan time.Time) { (<-timers) <- time.Time{} }
	quiet := func() {
		changes <- nil // taken, so that all before it was worked off
		require.Empty(t, told)
	}

	change("b")
	quiet() // the snapshot went just now
	over(rests)
	require.Equal(t, []string{"b"}, <-told)
	change("c", "a")
	change("a")
	quiet()
	over(rests)
	require.Equal(t, []string{"a", "c"}, <-told)
	over(rests)
	quiet()
	change("a")
	require.Equal(t, []string{"a"}, <-told, "at once after a rest in which nothing came")

	over(looks)
	quiet() // resting
	over(rests)
	require.Empty(t, <-told, "it is looked for what time changes")
	over(rests)
	over(looks)
	require.Empty(t, <-told)
	cancel()
	require.NoError(t, <-ended)
}

func (a *api) call(p *identitytest.Plane, from int) budget.Call {
	return budget.Call{AccountID: a.A.Row.ID, Plane: tenancy.Console, Path: p.Member.Path, OrganizationID: p.Org.ID, TeamID: p.Team.ID,
		MemberID: p.Member.ID, ModelID: p.Model.ID, ModelName: p.Model.Name, Ceiling: 1, RequestID: fmt.Sprint("req_", from)}
}

// statesOf are the states of a payload by scope.
func statesOf(f frame) map[string]map[string]any {
	out := map[string]map[string]any{}
	states, _ := f.Payload.at("budgetBurn", "states").([]any)
	for _, s := range states {
		m := s.(map[string]any)
		out[m["scopeId"].(string)] = m
	}
	return out
}

const burnOf = `subscription($s: ID!, $of: [ID!], $below: Boolean, $after: String) { budgetBurn(scopeId: $s, scopeIds: $of, descendants: $below, after: $after) {
	cursor unwatched lastMinute states { scopeId spent limit revision } topSpenders { id name calls } } }`

func TestBurnIsInOrderAndEndsWithTheNewestState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		c := a.socketTo(p.OrgAdmin, burnOf, map[string]any{"s": p.Org.ID, "below": true})
		first := statesOf(next(t, c))
		revision := map[string]float64{}
		for scopeID, s := range first {
			revision[scopeID] = s["revision"].(float64)
		}
		var calls sync.WaitGroup
		for i := range 4 {
			calls.Go(func() {
				for j := range 10 {
					a.spend(a.call(p, i*10+j))
				}
			})
		}
		calls.Wait()
		states, err := a.budgets.States(t.Context(), tenancy.Reach{AccountID: a.A.Row.ID, Plane: tenancy.Console, Path: p.Team.Path}, nil)
		require.NoError(t, err)
		want := map[string]string{}
		for _, s := range states {
			want[s.ScopeID] = s.Spent.String()
		}
		require.Contains(t, want, p.Team.ID)
		for want[p.Team.ID] != "" {
			for scopeID, s := range statesOf(next(t, c)) {
				require.Greater(t, s["revision"], revision[scopeID], "each state is sent once, and never one before")
				revision[scopeID] = s["revision"].(float64)
				if want[scopeID] == s["spent"] {
					delete(want, scopeID)
				}
			}
		}
	})
}

func TestNamedBudgetsBurnLive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		set := func(scopeID, limit string) {
			a.ok(a.A.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": scopeID, "limit": limit}})
		}
		set(p.Org.ID, "50")
		set(p.SiblingOrg.ID, "50")
		set(p.Team.ID, "40")
		of := []string{p.Team.ID, p.Member.ID, p.SiblingOrg.ID, a.A.Copilot.Team.ID, a.B.Console.Team.ID}
		c := a.socketTo(p.OrgAdmin, burnOf, map[string]any{"s": p.Org.ID, "of": of})
		first := next(t, c)
		require.Equal(t, "next", first.Type)
		for scopeID := range statesOf(first) {
			require.Contains(t, []string{p.Team.ID, p.Member.ID}, scopeID, "neither those that weren't named nor those of others")
		}
		require.Contains(t, statesOf(first), p.Team.ID)
		until := func(c *websocket.Conn, scopeID, limit string) frame {
			for {
				f := next(t, c)
				require.Equal(t, "next", f.Type)
				require.NotContains(t, statesOf(f), p.SiblingOrg.ID)
				if s := statesOf(f)[scopeID]; s != nil && s["limit"] == limit {
					return f
				}
			}
		}

		// A budget that is made meanwhile follows, and goes on.
		set(p.Member.ID, "7")
		until(c, p.Member.ID, "7")
		set(p.Member.ID, "8")
		last := until(c, p.Member.ID, "8")

		// Whoever comes back gets only what has changed.
		again := next(t, a.socketTo(p.OrgAdmin, burnOf, map[string]any{"s": p.Org.ID, "of": of, "after": last.Payload.at("budgetBurn", "cursor")}))
		require.Equal(t, "next", again.Type)
		require.Empty(t, statesOf(again))
		set(p.Team.ID, "41")
		c = a.socketTo(p.OrgAdmin, burnOf, map[string]any{"s": p.Org.ID, "of": of, "after": last.Payload.at("budgetBurn", "cursor")})
		until(c, p.Team.ID, "41")

		many := strings.Split(strings.Repeat("team_x ", maxWatched+1), " ")
		for name, variables := range map[string]map[string]any{
			"too many": {"s": p.Org.ID, "of": many}, "both": {"s": p.Org.ID, "of": of, "below": true},
		} {
			require.NotEqual(t, "next", next(t, a.socketTo(p.OrgAdmin, burnOf, variables)).Type, name)
		}
	})
}

// What time alone changes is told, and nothing else when nothing changed.
func TestLastMinuteGoesQuiet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		ctx := tenancy.WithViewer(t.Context(), p.OrgAdmin)
		b := &burning{Resolver: a.resolver, scopeID: p.Org.ID, descendants: true, spends: true, now: a.Store.Now,
			watching: a.budgets.Watch(t.Context()), known: map[string]int64{}}
		a.spend(a.call(p, 1))
		first, err := b.payload(ctx, nil)
		require.NoError(t, err)
		require.Positive(t, first.LastMinute)
		require.Contains(t, mapTo(first.TopSpenders, func(s *model.Spender) string { return s.ID }), p.Member.ID)
		require.Zero(t, first.Unwatched)
		same, err := b.payload(ctx, nil)
		require.NoError(t, err)
		require.Nil(t, same)

		b.now = func() time.Time { return a.Store.Now().Add(time.Minute) }
		quiet, err := b.payload(ctx, nil)
		require.NoError(t, err)
		require.Zero(t, quiet.LastMinute)
		require.Empty(t, quiet.TopSpenders)
		require.Empty(t, quiet.States)
		require.Equal(t, first.Cursor, quiet.Cursor)
	})
}
