package store_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/key"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/team"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func TestInTxAfterErrorsAndPanics(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		ctx := identitytest.Ctx(t, w.A.Admin)
		rename := func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.Team.UpdateOneID(w.A.Console.Team.ID).SetDescription("changed").Exec(ctx)
		}
		var after atomic.Int32
		require.Panics(t, func() {
			_ = st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
				tx.AfterCommit(func() { after.Add(1) })
				require.NoError(t, rename(ctx, tx))
				panic("a bug")
			})
		})
		require.ErrorContains(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			tx.AfterCommit(func() { after.Add(1) })
			require.NoError(t, rename(ctx, tx))
			return errors.New("undo")
		}), "undo")
		require.ErrorContains(t, st.InTx(ctx, func(ctx context.Context, _ *store.Tx) error {
			return st.InTx(ctx, rename)
		}), "InTx within InTx")
		require.Zero(t, after.Load())
		require.Empty(t, st.Team.GetX(ctx, w.A.Console.Team.ID).Description)

		require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			tx.AfterCommit(func() { after.Add(1) })
			return rename(ctx, tx)
		}))
		require.EqualValues(t, 1, after.Load())
		require.Equal(t, 1, st.Team.Query().Where(team.Description("changed")).CountX(ctx))
		require.Equal(t, 2, st.Team.GetX(ctx, w.A.Console.Team.ID).Version)
	})
}

func TestRetryable(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		&pq.Error{Code: "40001"}: true, &pq.Error{Code: "40P01"}: true, &pq.Error{Code: "23505"}: false,
		errors.New("database is locked (5) (SQLITE_BUSY)"): true, errors.New("no such table"): false, context.Canceled: false,
	} {
		require.Equal(t, want, store.Retryable(err), err)
	}
	require.False(t, store.Retryable(nil))
}

// What the database refuses for now is run again and counted once.
func TestInTxRunsAgain(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	n := 0
	require.NoError(t, st.InTx(system(), func(context.Context, *store.Tx) error {
		if n++; n < 3 {
			return &pq.Error{Code: "40001"}
		}
		return nil
	}))
	require.Equal(t, 3, n)
	n = 0
	require.Error(t, st.InTx(system(), func(context.Context, *store.Tx) error { n++; return &pq.Error{Code: "40001"} }))
	require.Equal(t, 8, n)
}

// The epoch of the account whose rows change rises, whoever changes them and
// however many at once; other accounts' stay.
func TestEpochsRiseWhereRowsChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		epochs := func() [3]int64 {
			return [3]int64{st.Account.GetX(system(), w.A.Row.ID).Epoch, st.Account.GetX(system(), w.B.Row.ID).Epoch, st.Account.GetX(system(), id.PlatformID).Epoch}
		}
		c := w.A.Console
		for what, f := range map[string]func(ctx context.Context, tx *store.Tx, at *ent.Scope) error{
			"update one": func(ctx context.Context, tx *store.Tx, _ *ent.Scope) error {
				return tx.Key.UpdateOneID(c.Key.ID).SetRequestsPerMinute(3).Exec(ctx)
			},
			"update by handle": func(ctx context.Context, tx *store.Tx, _ *ent.Scope) error {
				return tx.Key.GetX(ctx, c.Key.ID).Update().SetRequestsPerMinute(4).Exec(ctx)
			},
			"update many": func(ctx context.Context, tx *store.Tx, _ *ent.Scope) error {
				return tx.Key.Update().Where(key.AccountID(w.A.Row.ID)).SetRequestsPerMinute(4).Exec(ctx)
			},
			"delete many": func(ctx context.Context, tx *store.Tx, at *ent.Scope) error {
				n, err := tx.RoleBinding.Delete().Where(rolebinding.ScopeID(at.ID)).Exec(ctx)
				require.Positive(t, n)
				return err
			},
			"delete one": func(ctx context.Context, tx *store.Tx, _ *ent.Scope) error {
				found := tx.RoleBinding.Query().Where(rolebinding.AccountID(w.A.Row.ID), rolebinding.PlaneEQ("COPILOT")).FirstX(ctx)
				return tx.RoleBinding.DeleteOne(found).Exec(ctx)
			},
			"create": func(ctx context.Context, tx *store.Tx, at *ent.Scope) error {
				return tx.RoleBinding.Create().SetAccountID(w.A.Row.ID).SetPlane("CONSOLE").SetScopeID(at.ID).
					SetUserID(w.A.Nobody.UserID).SetRole("VIEWER").Exec(ctx)
			},
			"plain SQL, told": func(_ context.Context, tx *store.Tx, _ *ent.Scope) error { tx.Touch(w.A.Row.ID); return nil },
		} {
			for who, ctx := range map[string]context.Context{"system": system(), "staff": tenancy.Platform(identitytest.Ctx(t, w.SuperAdmin))} {
				at := map[string]*ent.Scope{"system": c.OtherTeam, "staff": c.SiblingTeam}[who]
				if what == "delete many" {
					at = map[string]*ent.Scope{"system": c.Root, "staff": c.Team}[who]
				}
				before := epochs()
				require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
					tx.Unaudited()
					return f(ctx, tx, at)
				}), what)
				after := epochs()
				require.Equal(t, before[0]+1, after[0], "%s by %s", what, who)
				require.Equal(t, before[1:], after[1:], "%s by %s", what, who)
			}
		}
	})
}

// Another replica hears of a change, one that committed late included.
func TestEpochsAreLearned(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(t *testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{Dir: t.TempDir()} },
		"postgres": func(t *testing.T) store.Options { return store.Options{URL: storetest.PostgresURL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			var skew atomic.Int64
			o.Now = func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
			here, err := store.Open(o)
			require.NoError(t, err)
			defer here.Close()
			_, err = here.Migrate(t.Context())
			require.NoError(t, err)
			there, err := store.Open(o)
			require.NoError(t, err)
			defer there.Close()
			w := identitytest.Tree(t, here)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			epochs, err := there.WatchEpochs(ctx)
			require.NoError(t, err)
			var mu sync.Mutex
			heard := map[string]int{}
			epochs.OnChange(func(a string) { mu.Lock(); heard[a]++; mu.Unlock() })
			touch := func(account string) {
				require.NoError(t, here.InTx(system(), func(_ context.Context, tx *store.Tx) error { tx.Touch(account); return nil }))
				want := here.Account.GetX(system(), account).Epoch
				require.Eventually(t, func() bool { return epochs.Of(account) == want }, 20*time.Second, 5*time.Millisecond)
			}
			touch(w.A.Row.ID)
			skew.Store(int64(-30 * time.Second)) // as if it had begun long before the newest one
			touch(w.B.Row.ID)
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, map[string]int{w.A.Row.ID: 1, w.B.Row.ID: 1}, heard)
			require.Zero(t, epochs.Of("acc_nothing"))
		})
	}
}
