package budget_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (tr *tree) spend(t require.TestingT, e *budget.Engine, n int64) string {
	h, err := e.Hold(ctx, tr.call(), output(n))
	require.NoError(t, err)
	_, err = h.Settle(ctx, output(n), budget.Outcome{})
	require.NoError(t, err)
	return h.ID
}

func renew(t require.TestingT, e *budget.Engine) budget.Renewed {
	out, err := e.Renew(ctx)
	require.NoError(t, err)
	return out
}

func TestANewBudgetCountsFromItsPeriodsStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "Europe/Berlin")
		tr.spend(t, e, 7) // nothing limits yet
		now.set(time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC))
		running, err := e.Hold(ctx, tr.call(), output(4))
		require.NoError(t, err)

		tr.set(t, e, tr.team, 5*usd)
		s := tr.states(t, e)[tr.team]
		require.Equal(t, time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC), s.StartsAt, "midnight in Berlin")
		require.Equal(t, []money.Nano{7 * usd, 2 * usd}, []money.Nano{s.Spent, s.Excess})
		require.Equal(t, budget.Blocked, s.Status)
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetExceeded), err)

		_, err = running.Settle(ctx, output(3), budget.Outcome{})
		require.NoError(t, err)
		require.NoError(t, e.CountPrior(ctx))
		require.NoError(t, e.CountPrior(ctx))
		require.Equal(t, 10*usd, tr.states(t, e)[tr.team].Spent, "a call that ran meanwhile is counted, once")
		tr.set(t, e, tr.team, 20*usd)
		tr.spend(t, e, 2)
		require.Equal(t, 12*usd, tr.states(t, e)[tr.team].Spent)
		balanced(t, e)

		// Away and set again, it is the same number.
		require.NoError(t, st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			_, err := e.Remove(ctx, tx, tr.team)
			return err
		}))
		tr.set(t, e, tr.team, 20*usd)
		require.Equal(t, 12*usd, tr.states(t, e)[tr.team].Spent)

		now.set(now.now().AddDate(0, 1, 0))
		tr.spend(t, e, 1)
		renew(t, e)
		got := tr.statements(t, tr.team)
		require.Len(t, got, 1)
		require.EqualValues(t, 12*usd, got[0].Spent)
		require.EqualValues(t, 3, got[0].Calls)
		require.Equal(t, usd, tr.states(t, e)[tr.team].Spent)
		balanced(t, e)
	})
}

func TestManualCyclesAreRenewedByHand(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		manual, monthly := budget.Manual, budget.Monthly
		hand := func(scopeID string) error {
			return st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				return e.RenewNow(ctx, tx, scopeID)
			})
		}
		require.True(t, fault.Is(hand(tr.root), fault.NotFound))
		_, err := tr.try(e, tr.root, budget.Spec{Limit: 10 * usd, Cycle: &manual})
		require.NoError(t, err)
		now.set(now.now().Add(time.Hour))
		tr.set(t, e, tr.team, 5*usd)
		_, err = tr.try(e, tr.key, budget.Spec{Limit: 9 * usd, Cycle: &monthly})
		require.NoError(t, err)
		require.Equal(t, november(), tr.states(t, e)[tr.team].StartsAt, "the pool's")
		require.True(t, fault.Is(hand(tr.team), fault.Invalid), "goes by the pool")
		require.True(t, fault.Is(hand(tr.key), fault.Invalid), "renews by itself")
		tr.spend(t, e, 5)
		running, err := e.Hold(ctx, tr.call(), output(0))
		require.True(t, fault.Is(err, fault.BudgetExceeded) || running != nil)
		now.set(now.now().Add(time.Hour))
		require.NoError(t, hand(tr.root))
		require.True(t, fault.Is(hand(tr.root), fault.Conflict), "empty cycles make no sense")
		s := tr.states(t, e)
		require.Equal(t, []money.Nano{0, 0, 5 * usd}, []money.Nano{s[tr.root].Spent, s[tr.team].Spent, s[tr.key].Spent})
		require.Equal(t, now.now(), s[tr.team].StartsAt)
		require.Equal(t, 9999, s[tr.team].EndsAt.Year())
		if running != nil {
			require.NoError(t, running.Release(ctx))
		}
		tr.spend(t, e, 2)
		require.Equal(t, 2, renew(t, e).Closed)
		got := tr.statements(t, tr.team)
		require.Len(t, got, 1)
		require.EqualValues(t, 5*usd, got[0].Spent)
		balanced(t, e)
	})
}

// What a changed rule, day or time zone does in the middle of a cycle.
func TestChangingTheRuleInTheMiddle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		quarterly := budget.Quarterly
		tr.set(t, e, tr.root, 10*usd)
		tr.set(t, e, tr.team, 5*usd)
		tr.spend(t, e, 1)
		began := tr.states(t, e)[tr.team].StartsAt
		// The rule: the current cycle goes on and ends where the new rule says.
		plan, err := tr.try(e, tr.root, budget.Spec{Limit: 10 * usd, Cycle: &quarterly, CycleDay: 20})
		require.NoError(t, err)
		require.Equal(t, &budget.Renewal{Was: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), EndsAt: time.Date(2027, 1, 20, 0, 0, 0, 0, time.UTC),
			NextEndsAt: time.Date(2027, 4, 20, 0, 0, 0, 0, time.UTC)}, plan.Renewal)
		s := tr.states(t, e)[tr.team]
		require.Equal(t, []time.Time{began, time.Date(2027, 1, 20, 0, 0, 0, 0, time.UTC)}, []time.Time{s.StartsAt, s.EndsAt})
		require.Equal(t, usd, s.Spent)
		// The time zone: the current cycle ends where it was told, the next goes by the new one.
		tr.exec(t, "UPDATE accounts SET time_zone = 'Asia/Kathmandu' WHERE id = ?", tr.account)
		require.Equal(t, s.EndsAt, tr.states(t, e)[tr.team].EndsAt)
		now.set(s.EndsAt)
		renew(t, e)
		s2 := tr.states(t, e)[tr.team]
		require.Equal(t, s.EndsAt, s2.StartsAt)
		require.Equal(t, time.Date(2027, 4, 19, 18, 15, 0, 0, time.UTC), s2.EndsAt)
		// West of it the boundary lies hours after this one: no cycle of a few hours.
		tr.exec(t, "UPDATE accounts SET time_zone = 'America/New_York' WHERE id = ?", tr.account)
		now.set(s2.EndsAt)
		renew(t, e)
		s2 = tr.states(t, e)[tr.team]
		require.Equal(t, time.Date(2027, 7, 20, 4, 0, 0, 0, time.UTC), s2.EndsAt)
		// What is compared with is the cycle as it was, not one as long as this one.
		before, err := e.Before(ctx, []string{s2.BudgetID, "bud_none"})
		require.NoError(t, err)
		require.Equal(t, map[string]time.Time{s2.BudgetID: time.Date(2027, 1, 20, 0, 0, 0, 0, time.UTC)}, before)
		// A budget made now begins where the pool does.
		tr.set(t, e, tr.org, 5*usd)
		require.Equal(t, s2.StartsAt, tr.states(t, e)[tr.org].StartsAt)
	})
}

// A clock that goes back behind the start of a cycle that has begun already, and
// an admin who changes the rule there: the cycle keeps a time of its own.
func TestChangingTheRuleBeforeACycleBegan(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC))
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		now.set(now.now().Add(2 * time.Minute))
		tr.spend(t, e, 1)
		now.set(now.now().Add(-90 * time.Second))
		monthly := budget.Monthly
		_, err := tr.try(e, tr.root, budget.Spec{Limit: 10 * usd, Cycle: &monthly, CycleDay: 1})
		require.NoError(t, err)
		balanced(t, e)
		now.set(now.now().Add(2 * time.Minute))
		tr.spend(t, e, 1)
		s := tr.states(t, e)[tr.root]
		require.Equal(t, 2*usd, s.Spent)
		require.Equal(t, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), s.EndsAt)
		balanced(t, e)
	})
}

// A clock that goes back behind a cycle's start when the one before has closed:
// calls go on, in the newest cycle.
func TestClockGoesBackBehindAClosedCycle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(time.Date(2026, 11, 30, 23, 59, 0, 0, time.UTC))
		e := start(t, st, now.now)
		other := e
		if st.Dialect == store.Postgres {
			other = start(t, st, now.now)
		}
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		warm(t, tr, e, other)
		tr.spend(t, e, 1)
		tr.spend(t, other, 1)
		now.set(now.now().Add(2 * time.Minute))
		for range 2 {
			renew(t, other)
			renew(t, e)
		}
		require.Len(t, tr.statements(t, tr.root), 1)
		now.set(now.now().Add(-90 * time.Second))
		for _, e := range []*budget.Engine{e, other} {
			tr.spend(t, e, 2)
		}
		require.Equal(t, 4*usd, tr.states(t, e)[tr.root].Spent)
		balanced(t, e)
	})
}
