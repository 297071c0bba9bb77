package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func system() context.Context { return tenancy.System(context.Background(), "test") }

func TestMigrateTwiceAndAtOnce(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(t *testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{Dir: t.TempDir()} },
		"postgres": func(t *testing.T) store.Options { return store.Options{URL: storetest.PostgresURL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := o(t)
			const replicas = 4
			counts := make([]int, replicas)
			var wg sync.WaitGroup
			for i := range replicas {
				wg.Go(func() {
					st, err := store.Open(options)
					if err != nil {
						t.Error(err)
						return
					}
					applied, err := st.Migrate(context.Background())
					if err := errors.Join(err, st.Close()); err != nil {
						t.Error(err)
					}
					counts[i] = len(applied)
				})
			}
			wg.Wait()
			sum := 0
			for _, n := range counts {
				sum += n
			}
			require.Positive(t, sum)
			st, err := store.Open(options)
			require.NoError(t, err)
			defer st.Close()
			applied, err := st.Migrate(context.Background())
			require.NoError(t, err)
			require.Empty(t, applied)
		})
	}
}

func TestChangeNeedsTransactionAndAuditEvent(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		ctx := system()
		err := st.Login.Create().SetAccountID(id.PlatformID).SetPlane(login.PlanePLATFORM).SetEmail("a@b.example").Exec(ctx)
		require.ErrorContains(t, err, "within InTx")
		err = st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			return tx.Login.Create().SetAccountID(id.PlatformID).SetPlane(login.PlanePLATFORM).SetEmail("a@b.example").Exec(ctx)
		})
		require.ErrorContains(t, err, "without an audit event")
		require.Zero(t, st.Login.Query().CountX(ctx))

		err = st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			l, err := tx.Login.Create().SetAccountID(id.PlatformID).SetPlane(login.PlanePLATFORM).
				SetEmail("a@b.example").SetPasswordHash("hash").Save(ctx)
			if err != nil {
				return err
			}
			return tx.Audit(ctx, audit.Event{Action: "login.create", AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopePath: "/", TargetID: l.ID})
		})
		require.NoError(t, err)
		e := st.AuditEvent.Query().OnlyX(ctx)
		require.Contains(t, string(e.Changes), "a@b.example")
		require.NotContains(t, string(e.Changes), "hash")
		l := st.Login.Query().OnlyX(ctx)
		require.Equal(t, 1, l.Version)
		require.False(t, l.CreatedAt.IsZero())
	})
}

// An audit row that can't be written takes the change with it.
func TestFailingAuditWriteRollsTheChangeBack(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		ctx := system()
		err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Login.Create().SetAccountID(id.PlatformID).SetPlane(login.PlanePLATFORM).SetEmail("a@b.example").Exec(ctx); err != nil {
				return err
			}
			return tx.Audit(ctx, audit.Event{AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopePath: "/"}) // no action
		})
		require.Error(t, err)
		require.Zero(t, st.Login.Query().CountX(ctx))
	})
}
