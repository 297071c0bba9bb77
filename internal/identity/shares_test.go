package identity_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// sharing makes a scope give equal shares of a limit.
func (d *directory) sharing(s *ent.Scope, limit money.Nano) {
	d.t.Helper()
	equal := budget.Equal
	d.must(func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		_, err := d.budgets.Set(ctx, tx, s.ID, budget.Spec{Limit: limit, Distribution: &equal})
		return err
	})
}

// share is the limit of a scope; less than nothing when it has none.
func (d *directory) share(s *ent.Scope) money.Nano {
	row, err := d.Store.Budget.Query().Where(entbudget.ScopeID(s.ID)).Only(d.sys())
	if ent.IsNotFound(err) {
		return -1
	}
	require.NoError(d.t, err)
	return money.Nano(row.Lim)
}

// Whoever joins, leaves, moves, or is archived or deleted changes the shares of
// the others in the same transaction.
func TestEqualSharesFollowTheTree(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		c := d.A.Copilot
		d.unlimited()
		d.limit(c.Root, 1000)
		d.sharing(c.SiblingOrg, 120)
		one, two := d.addTeam(c.SiblingOrg, "One"), d.addTeam(c.SiblingOrg, "Two")
		require.Equal(t, money.Nano(40), d.share(one), "the third team of the organization")
		require.Equal(t, money.Nano(40), d.share(c.OtherTeam))
		d.sharing(one, 60) // an override, shared out again
		require.Equal(t, money.Nano(30), d.share(two))
		ada, bea, cyd := d.sit(one, d.user("Ada")), d.sit(one, d.user("Bea")), d.sit(one, d.user("Cyd"))
		require.Equal(t, []money.Nano{20, 20, 20}, []money.Nano{d.share(ada), d.share(bea), d.share(cyd)})

		d.must(func(ctx context.Context, tx *store.Tx) error {
			_, err := d.verbs.DeleteMember(ctx, tx, tx.Now(), cyd)
			return err
		})
		require.Equal(t, []money.Nano{30, 30, -1}, []money.Nano{d.share(ada), d.share(bea), d.share(cyd)})
		d.must(func(ctx context.Context, tx *store.Tx) error { return d.verbs.MoveMember(ctx, tx, tx.Now(), bea, two) })
		require.Equal(t, []money.Nano{60, -1}, []money.Nano{d.share(ada), d.share(bea)}, "a pool has no shares")
		d.must(func(ctx context.Context, tx *store.Tx) error {
			return d.verbs.MoveMember(ctx, tx, tx.Now(), d.now(bea), one)
		})
		require.Equal(t, []money.Nano{30, 30}, []money.Nano{d.share(ada), d.share(bea)})

		d.must(func(ctx context.Context, tx *store.Tx) error {
			_, err := d.verbs.Archive(ctx, tx, tx.Now(), two)
			return err
		})
		require.Equal(t, []money.Nano{0, 60}, []money.Nano{d.share(two), d.share(c.OtherTeam)})
		d.must(func(ctx context.Context, tx *store.Tx) error {
			_, err := d.verbs.Restore(ctx, tx, d.now(two))
			return err
		})
		require.Equal(t, []money.Nano{30, 30}, []money.Nano{d.share(two), d.share(c.OtherTeam)})

		// In a strict plane nobody joins at the cost of what others have given.
		d.limit(d.sit(two, d.user("Dee")), 25)
		err := d.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := d.verbs.CreateTeam(ctx, tx, c.SiblingOrg, "Three", "")
			return err
		})
		require.True(t, fault.Is(err, fault.BudgetExceeded), "%v", err)
		require.Equal(t, money.Nano(20), fault.As(err).Data["available"])
		require.Equal(t, []money.Nano{30, 30}, []money.Nano{d.share(two), d.share(c.OtherTeam)})

		name := "One"
		d.must(func(ctx context.Context, tx *store.Tx) error {
			_, err := d.verbs.DeleteTeam(ctx, tx, tx.Now(), d.now(one), &name, false)
			return err
		})
		require.Equal(t, []money.Nano{60, 60, -1}, []money.Nano{d.share(two), d.share(c.OtherTeam), d.share(ada)}, "its people draw on the default team's pool")
	})
}
