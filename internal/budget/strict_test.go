package budget_test

import (
	"context"
	"database/sql"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/hold"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// strict has the account's calls wait for the database, or not, as super admins do.
func (tr *tree) strict(t testing.TB, on bool) {
	t.Helper()
	require.NoError(t, tr.st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return tx.Account.UpdateOneID(tr.account).SetStrictDispatch(on).Exec(ctx)
	}))
}

func written(t testing.TB, st *store.Store, h *budget.Hold) bool {
	t.Helper()
	found, err := st.Hold.Query().Where(hold.ID(h.ID)).Exist(system())
	require.NoError(t, err)
	return found
}

// stall lets no round of an engine through until it is let go, and then gives the
// engine up for dead if asked to.
func stall(t testing.TB, st *store.Store, e *budget.Engine) (letGo func(fence bool)) {
	t.Helper()
	began, fence, over := make(chan struct{}), make(chan bool), make(chan error, 1)
	node := e.NodeID()
	mark := map[string]string{store.Postgres: "$1", store.SQLite: "?"}[st.Dialect]
	go func() {
		over <- st.WriteTx(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE nodes SET seen_at = seen_at WHERE id = "+mark, node)
			close(began)
			if <-fence && err == nil {
				_, err = tx.ExecContext(ctx, "DELETE FROM nodes WHERE id = "+mark, node)
			}
			return err
		})
	}()
	<-began
	let := sync.OnceFunc(func() { close(fence) })
	t.Cleanup(let)
	return func(f bool) {
		if f {
			fence <- true
		}
		let()
		require.NoError(t, <-over)
	}
}

// warm lets an engine know the path and lease some of it, once it has learned of
// all that was changed: it would forget the path again.
func warm(t testing.TB, tr *tree, engines ...*budget.Engine) {
	t.Helper()
	heard := make([]atomic.Int64, len(engines))
	for i, e := range engines {
		e.Heard(tr.account, heard[i].Store)
	}
	require.NoError(t, tr.st.InTx(system(), func(_ context.Context, tx *store.Tx) error {
		tx.Unaudited()
		tx.Touch(tr.account)
		return nil
	}))
	epoch := tr.st.Account.GetX(system(), tr.account).Epoch
	for i, e := range engines {
		require.Eventually(t, func() bool { return heard[i].Load() >= epoch }, 30*time.Second, 5*time.Millisecond)
		h, err := e.Hold(ctx, tr.call(), output(1))
		require.NoError(t, err)
		require.NoError(t, h.Release(ctx))
		tr.states(t, e)
	}
}

// With strict dispatch the database has a hold when Hold returns; without, the
// journal alone vouches for it. A switch is learned with the account's epoch.
func TestStrictCallsAreInTheDatabaseBeforeTheyGoOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := journaled(t, st, t.TempDir())
		t.Cleanup(func() { require.NoError(t, e.Close(ctx)) })
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 1000*usd)
		warm(t, tr, e)

		letGo := stall(t, st, e)
		h, err := e.Hold(ctx, tr.call(), output(1))
		require.NoError(t, err, "from memory and the journal, while the database is busy")
		require.False(t, written(t, st, h))
		letGo(false)
		_, err = h.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)

		tr.strict(t, true)
		e.Learn(tr.account)
		for range 20 {
			h, err := e.Hold(ctx, tr.call(), output(2))
			require.NoError(t, err)
			require.True(t, written(t, st, h))
			require.NoError(t, h.Durable())
			_, err = h.Settle(ctx, output(1), budget.Outcome{})
			require.NoError(t, err)
		}

		// Given up before its round: it goes out once a living node holds it.
		tr.states(t, e)
		letGo = stall(t, st, e)
		held := make(chan *budget.Hold, 1)
		go func() {
			h, err := e.Hold(ctx, tr.call(), output(2))
			if err != nil {
				t.Error(err)
			}
			held <- h
		}()
		require.Eventually(t, e.Behind, 30*time.Second, time.Millisecond)
		letGo(true)
		h = <-held
		require.NotNil(t, h)
		require.True(t, written(t, st, h))
		require.NoError(t, e.Sweep(ctx))
		_, err = h.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, 22*usd, tr.states(t, e)[tr.root].Spent)
		balanced(t, e)

		tr.strict(t, false)
		e.Learn(tr.account)
		warm(t, tr, e)
		letGo = stall(t, st, e)
		h, err = e.Hold(ctx, tr.call(), output(1))
		require.NoError(t, err)
		require.False(t, written(t, st, h), "as before")
		letGo(false)
		require.NoError(t, h.Release(ctx))
	})
}

// A replica hears of the switch by itself.
func TestStrictDispatchIsLearned(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := journaled(t, st, t.TempDir())
		t.Cleanup(func() { require.NoError(t, e.Close(ctx)) })
		tr := plant(t, st, tenancy.Console, "UTC")
		for _, on := range []bool{true, false} {
			tr.strict(t, on)
			require.Eventually(t, func() bool {
				h, err := e.Hold(ctx, tr.call(), output(1))
				return err == nil && h.Release(ctx) == nil && h.Strict() == on
			}, 30*time.Second, 5*time.Millisecond)
		}
	})
}

// The machine is lost with its journal, at any moment: every call that went out
// in a strict account is charged, once, with what its end said or in full.
func TestStrictCallsOutliveTheMachine(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		dir := t.TempDir()
		e := journaled(t, st, dir)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 200*usd)
		tr.strict(t, true)
		e.Learn(tr.account)

		type sent struct {
			id  string
			may []money.Nano // what it may be charged
		}
		var mu sync.Mutex
		var out []sent
		enough := make(chan struct{})
		alive, die := context.WithCancel(ctx)
		var calls, first sync.WaitGroup
		first.Add(10)
		for i := range 10 {
			calls.Go(func() {
				for n := 0; ; n++ {
					h, err := e.Hold(alive, tr.call(), output(2))
					if err == nil { // it goes out
						s := sent{id: h.ID, may: []money.Nano{2 * usd}}
						switch (i + n) % 3 {
						case 0:
							s.may = append(s.may, usd)
							_, _ = h.Settle(ctx, output(1), budget.Outcome{})
						case 1:
							s.may = append(s.may, 0)
							_ = h.Release(ctx)
						}
						mu.Lock()
						out = append(out, s)
						mu.Unlock()
					}
					if n == 3 {
						first.Done()
					}
					if n < 3 {
						continue
					}
					select {
					case <-enough:
						return
					default:
					}
				}
			})
		}
		first.Wait()
		e.Crash()
		die() // nobody answers who waits for a lease
		close(enough)
		calls.Wait()
		require.NoError(t, os.RemoveAll(dir))
		giveUp(t, tr)

		next := start(t, st, newClock(november()).now)
		require.NoError(t, next.Sweep(ctx))
		require.NotEmpty(t, out)
		for _, s := range out {
			var cost money.Nano
			for _, c := range st.Charge.Query().Where(charge.ID(s.id)).AllX(system()) {
				cost += money.Nano(c.Cost)
			}
			require.Contains(t, s.may, cost, s.id)
		}
		state := tr.states(t, next)[tr.root]
		require.Zero(t, state.Held)
		require.LessOrEqual(t, state.Spent, 200*usd)
		balanced(t, next)
	})
}

// Without strict dispatch a machine that is lost with its journal takes the calls
// with it that no round had written; its journal brings them in, once.
func TestCallsThatAreNotStrictOutliveTheProcess(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]bool{"journal kept": true, "journal lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, st *store.Store) {
				dir := t.TempDir()
				e := journaled(t, st, dir)
				tr := plant(t, st, tenancy.Console, "UTC")
				tr.set(t, e, tr.root, 100*usd)
				warm(t, tr, e)
				letGo := stall(t, st, e)
				_, err := e.Hold(ctx, tr.call(), output(5))
				require.NoError(t, err)
				letGo(true) // its round doesn't stand
				e.Crash()
				want := 5 * usd
				if !kept {
					want = 0
					require.NoError(t, os.RemoveAll(dir))
				}
				for range 2 {
					next := journaled(t, st, dir)
					require.NoError(t, next.Sweep(ctx))
					require.Equal(t, want, tr.states(t, next)[tr.root].Spent)
					require.Zero(t, tr.states(t, next)[tr.root].Held)
					balanced(t, next)
					require.NoError(t, next.Close(ctx))
				}
			})
		})
	}
}
