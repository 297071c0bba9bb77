package budget_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func TestBadSpecsAreRefused(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "UTC")
	monthly, wrong := budget.Monthly, budget.Cycle("DAILY")
	two := 2
	for field, c := range map[string]struct {
		scope string
		spec  budget.Spec
	}{
		"limit":    {tr.team, budget.Spec{Limit: -1}},
		"overflow": {tr.team, budget.Spec{Overflow: -1}},
		"cycle":    {tr.team, budget.Spec{Cycle: &monthly}},
		"cycleDay": {tr.root, budget.Spec{CycleDay: 29}},
		"scopeId":  {tr.account, budget.Spec{}},
	} {
		_, err := tr.try(e, c.scope, c.spec)
		require.True(t, fault.Is(err, fault.Invalid), field)
		require.Equal(t, []string{field}, fault.As(err).Path)
	}
	for _, spec := range []budget.Spec{{Limit: budget.Largest + 1}, {Overflow: budget.Largest + 1}, {Cycle: &wrong}, {CycleDay: -1}} {
		_, err := tr.try(e, tr.root, spec)
		require.True(t, fault.Is(err, fault.Invalid), spec)
	}
	// A day belongs to a cycle that goes by the calendar, of its own.
	manual := budget.Manual
	for scopeID, spec := range map[string]budget.Spec{tr.root: {Limit: usd, Cycle: &manual, CycleDay: 3}, tr.key: {Limit: usd, CycleDay: 3}} {
		_, err := tr.try(e, scopeID, spec)
		require.True(t, fault.Is(err, fault.Invalid), scopeID)
		require.Equal(t, []string{"cycleDay"}, fault.As(err).Path)
	}
	_, err := tr.try(e, id.New(id.Team), budget.Spec{})
	require.True(t, fault.Is(err, fault.NotFound))
	require.Zero(t, st.Budget.Query().CountX(system()))

	first := tr.set(t, e, tr.team, usd)
	require.Equal(t, 1, first.Budget.Version)
	second, err := tr.try(e, tr.team, budget.Spec{Limit: 2 * usd, ExpectedVersion: &first.Budget.Version})
	require.NoError(t, err)
	require.Equal(t, 2, second.Budget.Version)
	_, err = tr.try(e, tr.team, budget.Spec{Limit: 3 * usd, ExpectedVersion: &first.Budget.Version})
	require.True(t, fault.Is(err, fault.Conflict))
	require.Equal(t, two, fault.As(err).Data["version"])
	require.Equal(t, 2*usd, tr.states(t, e)[tr.team].Limit)
}

func TestCopilotAllocatesNoMoreThanThereIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		bob, _ := tr.member(t)
		refused := func(scope string, limit money.Nano, message string) {
			t.Helper()
			_, err := tr.try(e, scope, budget.Spec{Limit: limit})
			require.Equal(t, message, fault.As(err).Message)
			require.Equal(t, []string{"limit"}, fault.As(err).Path)
		}
		tr.set(t, e, tr.root, 100*usd)
		tr.set(t, e, tr.mem, 60*usd) // no budget between pool and member
		refused(bob, 41*usd, "The budget of the whole Console plane is 100 credits, of which 40 credits is left to give. Raise it first, or give less.")
		tr.set(t, e, bob, 40*usd)
		refused(tr.team, 99*usd, "The budgets below it add up to 100 credits already. Lower those first.")
		tr.set(t, e, tr.team, 100*usd)
		refused(tr.root, 99*usd, "The budgets below it add up to 100 credits already. Lower those first.")
		refused(tr.team, 101*usd, "The budget of the whole Console plane is 100 credits, of which 100 credits is left to give. Raise it first, or give less.")
		tr.set(t, e, tr.key, 1000*usd) // a cap, not a share
		tr.set(t, e, tr.root, 150*usd)
		tr.set(t, e, tr.team, 150*usd)

		// While one admin hands out the rest, another waits and then gets none.
		first, _ := tr.member(t)
		second, _ := tr.member(t)
		other := make(chan error, 1)
		var late error
		done := false
		err := st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			if _, err := e.Set(ctx, tx, first, budget.Spec{Limit: 50 * usd}); err != nil {
				return err
			}
			go func() {
				_, err := tr.try(e, second, budget.Spec{Limit: 50 * usd})
				other <- err
			}()
			select {
			case late = <-other:
				done = true
			case <-time.After(300 * time.Millisecond):
			}
			return nil
		})
		require.NoError(t, err)
		if !done {
			late = <-other
		}
		require.True(t, fault.Is(late, fault.BudgetExceeded), late)
	})
}

func TestConsoleMayOvercommit(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "UTC")
	bob, _ := tr.member(t)
	require.Zero(t, tr.set(t, e, tr.team, 100*usd).Overcommitted)
	require.Zero(t, tr.set(t, e, tr.mem, 60*usd).Overcommitted)
	require.Equal(t, 20*usd, tr.set(t, e, bob, 60*usd).Overcommitted)
	require.Equal(t, 30*usd, tr.set(t, e, tr.team, 90*usd).Overcommitted)
	require.Zero(t, tr.set(t, e, tr.team, 120*usd).Overcommitted)
}

func TestRemovedBudgetLimitsNoMore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		tr.set(t, e, tr.team, 2*usd)
		h, err := e.Hold(ctx, tr.call(), output(2))
		require.NoError(t, err)
		remove := func() error {
			return st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := e.Remove(ctx, tx, tr.team)
				return err
			})
		}
		require.NoError(t, remove())
		_, err = h.Settle(ctx, output(2), budget.Outcome{})
		require.NoError(t, err)
		h, err = e.Hold(ctx, tr.call(), output(8))
		require.NoError(t, err)
		require.NoError(t, h.Release(ctx))
		require.Equal(t, 2*usd, tr.states(t, e)[tr.root].Spent)
		require.True(t, fault.Is(remove(), fault.NotFound))
		balanced(t, e)
	})
}

func TestCycleIsThePlanesButForKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		yearly, manual := budget.Yearly, budget.Manual
		tr.set(t, e, tr.team, usd)
		_, err := tr.try(e, tr.key, budget.Spec{Limit: usd, Cycle: &manual})
		require.NoError(t, err)
		ends := func(scope string) time.Time { return tr.states(t, e)[scope].EndsAt }
		require.Equal(t, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), ends(tr.team))
		require.Equal(t, 9999, ends(tr.key).Year())
		_, err = tr.try(e, tr.root, budget.Spec{Limit: usd, Cycle: &yearly, CycleDay: 15})
		require.NoError(t, err)
		ides := time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC)
		require.Equal(t, ides, ends(tr.root))
		require.Equal(t, ides, ends(tr.team))
		require.Equal(t, 9999, ends(tr.key).Year())
		_, err = e.Hold(ctx, tr.call(), output(2))
		require.ErrorContains(t, err, "It renews on 15 January 2027")

		now.set(ides)
		h, err := e.Hold(ctx, tr.call(), output(1))
		require.NoError(t, err)
		require.NoError(t, h.Release(ctx))
		require.Equal(t, ides.AddDate(1, 0, 0), ends(tr.team))
		require.Equal(t, november(), tr.states(t, e)[tr.key].StartsAt)
	})
}

func TestDayOfACycleThatNobodyChose(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, e, tr.root, usd)
	require.Equal(t, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), tr.states(t, e)[tr.root].EndsAt)
	told := tr.change(t, e, tr.root, budget.Spec{CycleDay: 20})
	require.Equal(t, 20, told.Renewal.EndsAt.Day())
	require.Equal(t, told.Renewal.EndsAt, tr.states(t, e)[tr.root].EndsAt)
}

// What a preview of another cycle says is what then happens, on any day.
func TestRenewalIsToldAsItComes(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	for _, at := range []string{"2026-12-01T00:00:00Z", "2026-12-31T22:59:59Z", "2026-12-31T23:00:00Z", "2027-02-28T23:59:59Z", "2028-02-29T12:00:00Z", "2027-03-28T01:30:00Z", "2027-01-29T00:00:01Z"} {
		for _, cycle := range []budget.Cycle{budget.Monthly, budget.Quarterly, budget.Yearly, budget.Manual} {
			now, err := time.Parse(time.RFC3339, at)
			require.NoError(t, err)
			clock := newClock(now)
			e := start(t, st, clock.now)
			tr := plant(t, st, tenancy.Console, "Europe/Berlin")
			tr.set(t, e, tr.root, usd)
			spec := budget.Spec{Cycle: &cycle}
			if cycle != budget.Manual {
				spec.CycleDay = 28
			}
			told := tr.change(t, e, tr.root, spec).Renewal
			require.NotNil(t, told)
			require.Equal(t, told.EndsAt, tr.states(t, e)[tr.root].EndsAt)
			require.True(t, told.EndsAt.After(now))
			require.Equal(t, cycle == budget.Manual, budget.ByHand(told.EndsAt))
			if cycle != budget.Manual {
				clock.set(told.EndsAt)
				require.Equal(t, told.NextEndsAt, tr.states(t, e)[tr.root].EndsAt, "%s %s", at, cycle)
			}
		}
	}
}

// An admin of one team sees neither the pool nor other teams; what they hand
// out is counted against both all the same.
func TestAllocationCountsWhatTheAdminCannotSee(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		team := strings.TrimSuffix(tr.path, tr.mem+"/"+tr.key+"/")
		admin := tenancy.WithViewer(context.Background(), &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: tr.account, UserID: id.New(id.User),
			Reach: []tenancy.Reach{{AccountID: tr.account, Plane: tr.plane, Path: team}}})
		set := func(scope string, limit money.Nano) error {
			return st.InTx(admin, func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := e.Set(ctx, tx, scope, budget.Spec{Limit: limit})
				return err
			})
		}
		require.True(t, fault.Is(set(tr.mem, 11*usd), fault.BudgetExceeded))
		require.NoError(t, set(tr.mem, 9*usd))
		require.NoError(t, set(tr.mem, 10*usd))
		require.True(t, fault.Is(set(tr.org, usd), fault.NotFound), "beyond the admin's reach")
		require.Equal(t, 10*usd, tr.states(t, e)[tr.mem].Limit)
		err := st.InTx(admin, func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			_, err := e.Remove(ctx, tx, tr.mem)
			return err
		})
		require.NoError(t, err)
		require.Len(t, tr.states(t, e), 1)
	})
}
