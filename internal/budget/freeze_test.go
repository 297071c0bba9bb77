package budget_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func TestFrozenBudgetsHoldNothingNew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		tr.set(t, e, tr.team, 5*usd)
		running, err := e.Hold(ctx, tr.call(), output(2))
		require.NoError(t, err)
		in := func(f func(context.Context, *store.Tx) (*ent.Budget, error)) error {
			return st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := f(ctx, tx)
				return err
			})
		}
		freeze := func(scopeID, reason string) error {
			return in(func(ctx context.Context, tx *store.Tx) (*ent.Budget, error) {
				return e.Freeze(ctx, tx, scopeID, "usr_x", reason)
			})
		}
		resume := func(scopeID string) error {
			return in(func(ctx context.Context, tx *store.Tx) (*ent.Budget, error) {
				return e.Resume(ctx, tx, scopeID, "usr_x")
			})
		}
		for _, bad := range []string{"", " \n", strings.Repeat("é", 501), "a\x00b", "\xff"} {
			require.True(t, fault.Is(freeze(tr.team, bad), fault.Invalid), "%q", bad)
		}
		require.True(t, fault.Is(freeze(tr.mem, "x"), fault.NotFound), "no budget stands there")
		require.NoError(t, freeze(tr.team, "Runaway loop."))
		require.True(t, fault.Is(freeze(tr.team, "again"), fault.Conflict))
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetFrozen), err)
		if st.Dialect == store.Postgres {
			other := start(t, st, now.now)
			_, err := other.Hold(ctx, tr.call(), output(1))
			require.True(t, fault.Is(err, fault.BudgetFrozen), "on every replica at once: %v", err)
		}
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.EqualError(t, err, "The budget of team Risk is frozen: Runaway loop. An admin of a scope above it can resume it, or whoever froze it.")
		s := tr.states(t, e)
		require.Equal(t, budget.Blocked, s[tr.team].Status)
		require.NotNil(t, s[tr.team].FrozenAt)
		require.Equal(t, budget.OK, s[tr.root].Status)
		_, err = running.Settle(ctx, output(2), budget.Outcome{})
		require.NoError(t, err, "what runs finishes")
		require.Equal(t, 2*usd, tr.states(t, e)[tr.team].Spent)
		now.set(now.now().AddDate(0, 1, 0))
		renew(t, e)
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetFrozen), "a renewal doesn't thaw it")
		require.NoError(t, resume(tr.team))
		require.True(t, fault.Is(resume(tr.team), fault.Conflict))
		tr.spend(t, e, 1)
		balanced(t, e)
	})
}
