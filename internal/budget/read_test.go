package budget_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func spend(t *testing.T, e *budget.Engine, c budget.Call, n int64) {
	t.Helper()
	h, err := e.Hold(ctx, c, output(n))
	require.NoError(t, err)
	_, err = h.Settle(ctx, output(n), budget.Outcome{})
	require.NoError(t, err)
}

func TestReadsStayInsideReach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr, foreign := plant(t, st, tenancy.Console, "UTC"), plant(t, st, tenancy.Console, "UTC")
		bob, bobs := tr.member(t)
		for _, x := range []*tree{tr, foreign} {
			x.set(t, e, x.root, 1000*usd)
			x.set(t, e, x.team, 100*usd)
		}
		bobCall := tr.call()
		bobCall.Path, bobCall.MemberID, bobCall.KeyID, bobCall.ModelID, bobCall.ModelName = bobs, bob, "", "mod_y", "large"
		spend(t, e, tr.call(), 3)
		spend(t, e, tr.call(), 4)
		spend(t, e, bobCall, 20)
		spend(t, e, foreign.call(), 50)
		now.set(now.now().Add(24 * time.Hour))
		spend(t, e, bobCall, 2)

		all := tenancy.Reach{AccountID: tr.account, Plane: tr.plane, Path: "/" + tr.account + "/"}
		mine := tenancy.Reach{AccountID: tr.account, Plane: tr.plane, Path: tr.path}
		mixed := tenancy.Reach{AccountID: foreign.account, Plane: tr.plane, Path: tr.path}
		wrong := tenancy.Reach{AccountID: tr.account, Plane: tenancy.Copilot, Path: "/" + tr.account + "/"}

		from, to := november().Add(-time.Hour), november().Add(48*time.Hour)
		sums := func(r tenancy.Reach, by budget.Dimension) map[string][2]int64 {
			list, err := e.Usage(ctx, []tenancy.Reach{r}, budget.UsageFilter{From: from, To: to}, by, 500)
			require.NoError(t, err)
			out := map[string][2]int64{}
			for _, s := range list {
				require.Equal(t, int64(s.Cost), s.Usage.Output*int64(usd))
				out[s.ID+s.Name] = [2]int64{s.Calls, s.Usage.Output}
			}
			return out
		}
		require.Equal(t, map[string][2]int64{"mod_xsmall": {2, 7}, "mod_ylarge": {2, 22}}, sums(all, budget.ByModel))
		require.Equal(t, map[string][2]int64{tr.mem + "Ada": {2, 7}, bob + "Bob": {2, 22}}, sums(all, budget.ByMember))
		require.Equal(t, map[string][2]int64{tr.team + "Risk": {4, 29}}, sums(all, budget.ByTeam))
		require.Equal(t, map[string][2]int64{tr.org + "Bank": {4, 29}}, sums(all, budget.ByOrganization))
		require.Equal(t, map[string][2]int64{tr.key + "ci": {2, 7}, "": {2, 22}}, sums(all, budget.ByKey))
		require.Equal(t, map[string][2]int64{tr.mem + "Ada": {2, 7}}, sums(mine, budget.ByMember))
		require.Empty(t, sums(mixed, budget.ByMember))
		require.Empty(t, sums(wrong, budget.ByMember))
		days, err := e.Usage(ctx, []tenancy.Reach{all}, budget.UsageFilter{From: from, To: to}, budget.ByDay, 500)
		require.NoError(t, err)
		require.Len(t, days, 2)
		require.Equal(t, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), days[0].Day)
		require.Equal(t, int64(3), days[0].Calls)
		_, err = e.Usage(ctx, []tenancy.Reach{all}, budget.UsageFilter{From: from, To: to}, "1; DROP TABLE charges", 1)
		require.Error(t, err)

		top, _, err := e.TopSpenders(ctx, all, november().Add(time.Hour), 1)
		require.NoError(t, err)
		require.Len(t, top, 1)
		require.Equal(t, bob, top[0].ID)
		require.Equal(t, 2*usd, top[0].Cost)
		_, whole, err := e.TopSpenders(ctx, all, from, 1)
		require.NoError(t, err)
		require.Equal(t, 29*usd, whole, "of all, not of the first alone")

		series, err := e.Series(ctx, all, []string{tr.root, tr.team, tr.mem, bob, tr.key, foreign.team, foreign.root, "rubbish"}, 3)
		require.NoError(t, err)
		none := []money.Nano{0, 0, 0}
		require.Equal(t, map[string][]money.Nano{
			tr.root: {0, 27 * usd, 2 * usd}, tr.team: {0, 27 * usd, 2 * usd}, tr.mem: {0, 7 * usd, 0}, bob: {0, 20 * usd, 2 * usd}, tr.key: {0, 7 * usd, 0},
			foreign.team: none, foreign.root: none, "rubbish": none,
		}, series)

		states, err := e.States(ctx, all, nil)
		require.NoError(t, err)
		require.Len(t, states, 2)
		require.Equal(t, tr.root, states[0].ScopeID)
		require.Equal(t, 29*usd, states[0].Spent)
		ids := []string{states[0].BudgetID, states[1].BudgetID, foreign.states(t, e)[foreign.team].BudgetID}
		states, err = e.States(ctx, all, ids)
		require.NoError(t, err)
		require.Len(t, states, 2)
		for _, r := range []tenancy.Reach{mine, mixed, wrong} {
			states, err = e.States(ctx, r, ids)
			require.NoError(t, err)
			require.Empty(t, states)
		}
		states, err = e.States(ctx, all, []string{})
		require.NoError(t, err)
		require.Empty(t, states)

		first, both, err := e.Watchable(ctx, all, nil, 1)
		require.NoError(t, err)
		require.Equal(t, ids[:1], first, "the first in the tree's order")
		require.Equal(t, 2, both, "and how many there are")

		// What calls without a member stands for itself.
		since := now.now()
		byKey, byAgent := tr.call(), tr.call()
		byKey.MemberID, byAgent.MemberID, byAgent.KeyID, byAgent.AgentID = "", "", "", tr.agent(t)
		spend(t, e, byKey, 3)
		spend(t, e, byAgent, 2)
		top, whole, err = e.TopSpenders(ctx, all, since, 5)
		require.NoError(t, err)
		require.Equal(t, 7*usd, whole)
		names := map[string]money.Nano{}
		for _, s := range top {
			names[s.ID+s.Name] = s.Cost
		}
		require.Equal(t, map[string]money.Nano{tr.key + "ci": 3 * usd, byAgent.AgentID + "Helper": 2 * usd, bob + "Bob": 2 * usd}, names)
		require.Equal(t, tr.key, top[0].ID)
	})
}

func TestWatchTellsTheNewestState(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr, foreign := plant(t, st, tenancy.Console, "UTC"), plant(t, st, tenancy.Console, "UTC")
		team := tr.set(t, e, tr.team, 100*usd).Budget.ID
		other := foreign.set(t, e, foreign.team, 100*usd).Budget.ID
		reach := tenancy.Reach{AccountID: tr.account, Plane: tr.plane, Path: "/" + tr.account + "/"}
		watch, cancel := context.WithCancel(ctx)
		ids, all, err := e.Watchable(ctx, reach, []string{tr.team, tr.org, foreign.team}, 10)
		require.NoError(t, err)
		require.Equal(t, []string{team}, ids, "what has a budget and lies within")
		require.Equal(t, 1, all)
		watching := e.Watch(watch)
		watching.Follow(map[string]int64{other: 0})
		watching.Follow(map[string]int64{team: 0}) // and the other no more
		deltas := watching.Changes
		var last budget.Delta
		until := func(ok func(budget.Delta) bool) budget.Delta {
			for ds := range deltas {
				for _, d := range ds {
					require.Equal(t, team, d.BudgetID)
					require.Greater(t, d.Revision, last.Revision)
					if last = d; ok(d) {
						return d
					}
				}
			}
			require.FailNow(t, "the feed ended")
			return last
		}
		for range 50 { // nobody reads meanwhile
			spend(t, e, tr.call(), 1)
			spend(t, e, foreign.call(), 1)
		}
		d := until(func(d budget.Delta) bool { return d.Spent == 50*usd && d.Held == 0 })
		require.Equal(t, 100*usd, d.Limit)
		tr.set(t, e, tr.team, 120*usd)
		until(func(d budget.Delta) bool { return d.Limit == 120*usd })

		// Another replica's change is found by asking.
		tr.exec(t, "UPDATE budget_cycles SET escrowed = escrowed + 1, folded = folded + 1, revision = revision + 1 WHERE budget_id = ?", team)
		until(func(d budget.Delta) bool { return d.Spent == 50*usd+1 })
		diff, err := e.Verify(ctx)
		require.NoError(t, err)
		require.Len(t, diff, 1, "and Verify finds what no charge explains")
		require.Contains(t, diff[0].String(), "spent is 50.000000001, should be 50")

		now.set(november().AddDate(0, 1, 0))
		spend(t, e, tr.call(), 1)
		d = until(func(d budget.Delta) bool { return d.Spent == usd && d.Held == 0 })
		require.Equal(t, time.December, d.StartsAt.Month())
		cancel()
		for range deltas { //nolint:revive // drains until it is closed
		}
	})
}

// A day of a cycle never holds what was spent before the cycle began, wherever
// the account's midnight lies.
func TestDaysOfACycleBeginWithIt(t *testing.T) {
	t.Parallel()
	for zone, begin := range map[string]time.Time{
		"UTC":                 time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		"America/Los_Angeles": time.Date(2026, 11, 1, 7, 0, 0, 0, time.UTC), // summer time ends that day
		"Asia/Tokyo":          time.Date(2026, 10, 31, 15, 0, 0, 0, time.UTC),
	} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, st *store.Store) {
				now := newClock(begin.Add(-time.Minute))
				e := start(t, st, now.now)
				tr := plant(t, st, tenancy.Console, zone)
				tr.set(t, e, tr.team, 100*usd)
				spend(t, e, tr.call(), 5)
				now.set(begin.Add(time.Minute))
				spend(t, e, tr.call(), 3)
				now.set(begin.Add(25 * time.Hour))
				spend(t, e, tr.call(), 2)
				state := tr.states(t, e)[tr.team]
				require.Equal(t, begin, state.StartsAt)
				all := tenancy.Reach{AccountID: tr.account, Plane: tr.plane, Path: "/" + tr.account + "/"}
				series, err := e.Series(ctx, all, []string{tr.team}, 366)
				require.NoError(t, err)
				days := state.Days(series[tr.team], now.now())
				require.Equal(t, []money.Nano{3 * usd, 2 * usd}, days)
				require.Empty(t, state.Days(series[tr.team], begin.Add(-48*time.Hour)), "a cycle to come")
			})
		})
	}
}
