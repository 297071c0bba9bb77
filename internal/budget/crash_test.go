package budget_test

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// silence makes every node that runs now look dead to the next one.
func silence(t *testing.T, tr *tree) {
	t.Helper()
	tr.exec(t, "UPDATE nodes SET seen_at = ?", past)
}

func TestDeadNodesHoldsAreChargedInFull(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		zombie := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, zombie, tr.root, 20*usd)
		hold := func(n int64) *budget.Hold {
			h, err := zombie.Hold(ctx, tr.call(), output(n))
			require.NoError(t, err)
			return h
		}
		less, more, none, settled := hold(4), hold(3), hold(2), hold(1)
		_, err := settled.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)

		silence(t, tr)
		e := start(t, st, newClock(november()).now)
		for st.Hold.Query().ExistX(system()) { // the node was heard of in between
			silence(t, tr)
			e = start(t, st, newClock(november()).now)
		}
		s := tr.states(t, e)[tr.root]
		require.Equal(t, 10*usd, s.Spent, "4+3+2 in doubt and 1 settled")
		require.Zero(t, s.Held)
		require.Zero(t, st.Hold.Query().CountX(system()))
		require.Equal(t, 3, st.Charge.Query().Where(charge.KindEQ(charge.KindIN_DOUBT)).CountX(system()))
		doubt := st.Charge.GetX(system(), less.ID)
		require.Equal(t, tr.mem, doubt.MemberID)
		require.Equal(t, []string{"a"}, doubt.Tags)
		balanced(t, e)

		// The zombie wakes: what it knows may only give back.
		r, err := less.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, budget.Receipt{ChargeID: less.ID, Kind: budget.InDoubt, Cost: usd, Credits: usd, Usage: output(1)}, r)
		r, err = more.Settle(ctx, output(9), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, 3*usd, r.Credits)
		require.NoError(t, none.Release(ctx))
		require.Equal(t, 5*usd, tr.states(t, e)[tr.root].Spent, "1+3+0 and 1 settled")
		balanced(t, e)

		h, err := zombie.Hold(ctx, tr.call(), output(5))
		require.NoError(t, err, "it registers anew")
		require.Contains(t, st.Node.Query().IDsX(system()), st.Hold.GetX(system(), h.ID).NodeID, "a hold without a node would be charged in full")
		_, err = h.Settle(ctx, output(5), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, 10*usd, tr.states(t, e)[tr.root].Spent)
		balanced(t, e)
	})
}

func TestChargesAreOnlyAdjustedDownwards(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		price := tr.price(t)
		tr.set(t, e, tr.root, 20*usd)
		c := tr.call()
		c.PriceID = price
		h, err := e.Hold(ctx, c, output(6))
		require.NoError(t, err)
		_, err = h.Settle(ctx, output(6), budget.Outcome{})
		require.NoError(t, err)

		var wg sync.WaitGroup
		for range 8 { // corrections of one charge follow each other
			wg.Go(func() {
				r, err := e.Adjust(ctx, h.ID, output(4))
				if err != nil || r.Cost != 4*usd || r.Usage != output(4) {
					t.Error(r, err)
				}
			})
		}
		wg.Wait()
		r, err := e.Adjust(ctx, h.ID, output(5))
		require.NoError(t, err)
		require.Equal(t, 4*usd, r.Cost, "never up again")
		require.Equal(t, 4*usd, tr.states(t, e)[tr.root].Spent)

		// In the next cycle the credit is that cycle's, apart from what it spends.
		first := tr.states(t, e)[tr.root].EndsAt
		now.set(first)
		h2, err := e.Hold(ctx, c, output(3))
		require.NoError(t, err)
		_, err = h2.Settle(ctx, output(3), budget.Outcome{})
		require.NoError(t, err)
		_, err = e.Adjust(ctx, h.ID, output(2))
		require.NoError(t, err)
		s := tr.states(t, e)[tr.root]
		require.Equal(t, first, s.StartsAt)
		require.Equal(t, []money.Nano{3 * usd, -2 * usd}, []money.Nano{s.Spent, s.Corrections})
		_, err = e.Adjust(ctx, h.ID, output(0))
		require.NoError(t, err)
		s = tr.states(t, e)[tr.root]
		require.Equal(t, []money.Nano{3 * usd, -4 * usd}, []money.Nano{s.Spent, s.Corrections}, "more than this cycle spent, and nothing is lost")
		balanced(t, e)

		_, err = e.Adjust(ctx, id.New(id.Charge), output(0))
		require.True(t, fault.Is(err, fault.NotFound))
		_, err = e.Adjust(ctx, h.ID, output(-1))
		require.True(t, fault.Is(err, fault.Invalid))
	})
}

func TestHoldIsChargedToItsOwnCycle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "America/New_York")
		tr.set(t, e, tr.root, 10*usd)
		tr.set(t, e, tr.team, 10*usd)
		h, err := e.Hold(ctx, tr.call(), output(10))
		require.NoError(t, err)
		end := time.Date(2026, 12, 1, 5, 0, 0, 0, time.UTC)
		now.set(end.Add(-1))
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetExceeded))

		now.set(end.AddDate(0, 2, 3))
		s := tr.states(t, e)[tr.team]
		require.Zero(t, s.Held, "the state shows the cycle that the next call opens")
		require.Equal(t, end.AddDate(0, 2, 0), s.StartsAt)
		var wg sync.WaitGroup
		for range 20 { // many open it at once
			wg.Go(func() {
				h, err := e.Hold(ctx, tr.call(), output(1))
				if err == nil {
					_, err = h.Settle(ctx, output(1), budget.Outcome{})
				}
				if err != nil && !fault.Is(err, fault.BudgetExceeded) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 10*usd, tr.states(t, e)[tr.team].Spent)
		_, err = h.Settle(ctx, output(7), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, 10*usd, tr.states(t, e)[tr.team].Spent, "the old call is on the old cycle")
		require.Equal(t, 8, st.BudgetCycle.Query().CountX(system()), "November to February, twice, without a gap")
		require.NoError(t, e.Close(ctx), "which folds every lease")
		require.Zero(t, st.BudgetLease.Query().CountX(system()))
		spent := int64(st.BudgetCycle.Query().Aggregate(ent.Sum("folded")).IntX(system()))
		require.Equal(t, int64(2*17*usd), spent)
		balanced(t, e)
	})
}

// replicas are two engines on one PostgreSQL database.
func replicas(t *testing.T) ([2]*budget.Engine, *tree) {
	t.Helper()
	url := storetest.PostgresURL(t)
	var engines [2]*budget.Engine
	var tr *tree
	for i := range engines {
		st, err := store.Open(store.Options{URL: url})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, st.Close()) })
		_, err = st.Migrate(ctx)
		require.NoError(t, err)
		engines[i] = start(t, st, newClock(november()).now)
		if i == 0 {
			tr = plant(t, st, tenancy.Console, "UTC")
		}
	}
	return engines, tr
}

// A node given up for dead settles and releases while others charge its holds:
// each hold ends once.
func TestZombieAndSweepEndEachHoldOnce(t *testing.T) {
	t.Parallel()
	engines, tr := replicas(t)
	tr.set(t, engines[0], tr.root, 1000*usd)
	zombie := engines[0]
	var holds []*budget.Hold
	for range 100 {
		h, err := zombie.Hold(ctx, tr.call(), output(2))
		require.NoError(t, err)
		holds = append(holds, h)
	}
	silence(t, tr)
	var wg sync.WaitGroup
	for i, h := range holds {
		wg.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = h.Settle(ctx, output(1), budget.Outcome{})
			} else {
				err = h.Release(ctx)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	third := start(t, tr.st, newClock(november()).now)
	wg.Wait()
	s := tr.states(t, third)[tr.root]
	require.Equal(t, 50*usd, s.Spent)
	require.Zero(t, s.Held)
	balanced(t, third)
}

// Two replicas correct the same charge at once: it is lowered once.
func TestReplicasAdjustACharge(t *testing.T) {
	t.Parallel()
	engines, tr := replicas(t)
	tr.set(t, engines[0], tr.root, 1000*usd)
	c := tr.call()
	c.PriceID = tr.price(t)
	for range 20 {
		h, err := engines[0].Hold(ctx, c, output(9))
		require.NoError(t, err)
		_, err = h.Settle(ctx, output(9), budget.Outcome{})
		require.NoError(t, err)
		var wg sync.WaitGroup
		for _, e := range engines {
			wg.Go(func() {
				if r, err := e.Adjust(ctx, h.ID, output(1)); err != nil || r.Cost != usd {
					t.Error(r, err)
				}
			})
		}
		wg.Wait()
	}
	require.Equal(t, 20*usd, tr.states(t, engines[0])[tr.root].Spent)
	balanced(t, engines[1])
}

// Two replicas on one database: never more than the budget, and exactly it
// once refused calls are tried again.
func TestTwoNodesShareOneBudget(t *testing.T) {
	t.Parallel()
	engines, tr := replicas(t)
	tr.set(t, engines[0], tr.root, 10*usd)
	var charged money.Nano
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 1000 {
		e := engines[i%2]
		wg.Go(func() {
			for attempt := 0; ; attempt++ {
				h, err := e.Hold(ctx, tr.call(), output(2)) // holds two, uses one
				if fault.Is(err, fault.BudgetExceeded) && attempt < 3 {
					continue
				}
				if fault.Is(err, fault.BudgetExceeded) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				r, err := h.Settle(ctx, output(1), budget.Outcome{})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				charged += r.Cost
				mu.Unlock()
			}
		})
	}
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-over:
				return
			default:
				if s := tr.states(t, engines[1])[tr.root]; s.Spent+s.Held > 10*usd {
					t.Error("more than the budget is spent and held")
					return
				}
			}
		}
	})
	wg.Wait()
	close(over)
	watching.Wait()
	s := tr.states(t, engines[0])[tr.root]
	require.Equal(t, charged, s.Spent)
	require.Equal(t, 9*usd, s.Spent, "the last dollar can't hold two")
	h, err := engines[1].Hold(ctx, tr.call(), output(1))
	require.NoError(t, err)
	_, err = h.Settle(ctx, output(1), budget.Outcome{})
	require.NoError(t, err)
	_, err = engines[0].Hold(ctx, tr.call(), output(1))
	require.True(t, fault.Is(err, fault.BudgetExceeded))
	require.Equal(t, 10*usd, tr.states(t, engines[0])[tr.root].Spent)
	balanced(t, engines[0])
}

func TestOneBadCallFailsAlone(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, e, tr.root, 100*usd)
	tr.exec(t, `CREATE TRIGGER bad BEFORE INSERT ON charges WHEN NEW.session_ref = 'bad' BEGIN SELECT RAISE(ABORT, 'bad call'); END`)
	var wg sync.WaitGroup
	for i := range 50 {
		c := tr.call()
		if i == 7 {
			c.SessionRef = "bad"
		}
		h, err := e.Hold(ctx, c, output(1))
		require.NoError(t, err)
		wg.Go(func() {
			if _, err := h.Settle(ctx, output(1), budget.Outcome{}); (err != nil) != (i == 7) {
				t.Error(i, err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 49*usd, tr.states(t, e)[tr.root].Spent)
	require.Equal(t, usd, tr.states(t, e)[tr.root].Held)
	balanced(t, e)
}

func TestSettleOutlivesAnAbsentDatabase(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := budget.New(st, budget.Options{Now: newClock(november()).now, NodeTimeout: 40 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, e.Start(ctx))
	t.Cleanup(func() { require.NoError(t, e.Close(ctx)) })
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, e, tr.root, 10*usd)
	h, err := e.Hold(ctx, tr.call(), output(4))
	require.NoError(t, err)
	bad := tr.call()
	bad.SessionRef = "bad"
	never, err := e.Hold(ctx, bad, output(1))
	require.NoError(t, err)
	tr.exec(t, `CREATE TRIGGER never BEFORE INSERT ON charges WHEN NEW.session_ref = 'bad' BEGIN SELECT RAISE(ABORT, 'never'); END`)
	tr.exec(t, `CREATE TRIGGER away BEFORE INSERT ON charges BEGIN SELECT RAISE(ABORT, 'away'); END`)
	_, err = never.Settle(ctx, output(1), budget.Outcome{})
	require.Error(t, err)
	_, err = h.Settle(ctx, output(3), budget.Outcome{})
	require.ErrorContains(t, err, "away")
	_, again := h.Settle(ctx, output(3), budget.Outcome{})
	require.Equal(t, err, again, "not durable yet")
	require.Equal(t, 5*usd, tr.states(t, e)[tr.root].Held, "still counted")
	tr.exec(t, `DROP TRIGGER away`)
	require.Eventually(t, func() bool { return tr.states(t, e)[tr.root].Spent == 3*usd }, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, usd, tr.states(t, e)[tr.root].Held, "one that can never be written holds up no other")
	balanced(t, e)
}
