package alert_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/alert"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// Super admins hear of the pools that only they can raise: once in a cycle and
// threshold, and of nothing below or in Console.
func TestSuperAdminsHearOfCredits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		p := w.A.Copilot
		w.poolAlone(p, 100*usd)
		w.roomy(w.A.Console, 10*usd)
		replicas := []*alert.Watcher{w.watcher(), w.watcher()}
		look := func() {
			for range 2 {
				for _, r := range replicas {
					require.NoError(t, r.Look(t.Context()))
				}
			}
		}
		require.NoError(t, w.spend(w.A.Console, 10))
		require.NoError(t, w.spend(p, 85))
		look()
		require.Equal(t, []string{"BUDGET_THRESHOLD"}, w.told(w.SuperAdmin))
		require.NoError(t, w.spend(p, 15))
		look()
		require.Equal(t, []string{"BUDGET_THRESHOLD", "BUDGET_EXHAUSTED"}, w.told(w.SuperAdmin), "the pool's alone")
		line := st.Notification.Query().Where(notification.UserID(w.SuperAdmin.UserID)).Order(ent.Desc(notification.FieldID)).FirstX(identitytest.System(t))
		require.Equal(t, "Copilot of "+w.A.Row.Name+" has used up its budget", line.Title)
		require.Equal(t, "/sa/accounts/"+w.A.Row.ID, line.Link)
		require.Contains(t, w.told(w.A.Admin), "BUDGET_EXHAUSTED", "and the account's admins as before")

		// They choose how they hear of it.
		require.NoError(t, notify.SetPreference(identitytest.Ctx(t, w.SuperAdmin), st, w.SuperAdmin, notify.Preference{Topic: notify.BudgetThreshold}))
		chosen, err := notify.Preferences(identitytest.Ctx(t, w.SuperAdmin), st, w.SuperAdmin)
		require.NoError(t, err)
		require.Len(t, chosen, len(notify.StaffTopics))
		require.Equal(t, notify.Preference{Topic: notify.BudgetThreshold}, chosen[0])
		q := w.B.Copilot
		w.poolAlone(q, 100*usd)
		require.NoError(t, w.spend(q, 80))
		look()
		shown := st.Notification.Query().Where(notification.UserID(w.SuperAdmin.UserID), notification.Shown(true)).CountX(identitytest.System(t))
		require.Equal(t, 2, shown)
	})
}

// poolAlone leaves a plane no budget but the pool's.
func (w *world) poolAlone(p *identitytest.Plane, limit money.Nano) {
	w.t.Helper()
	w.change(func(ctx context.Context, tx *store.Tx) {
		below := tx.Scope.Query().Where(scope.IDIn(slices.Collect(maps.Keys(p.Budgets))...), scope.IDNEQ(p.Root.ID)).AllX(ctx)
		slices.SortFunc(below, func(a, b *ent.Scope) int { return len(b.Path) - len(a.Path) }) // the deepest first: they are given from above
		for _, s := range below {
			_, err := w.engine.Remove(ctx, tx, s.ID)
			require.NoError(w.t, err)
		}
	})
	w.limit(p.Root, limit, 0)
}
