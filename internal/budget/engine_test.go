package budget_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

var ctx = context.Background()

func november() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func TestCallIsHeldAndChargedOnItsWholePath(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Console, "UTC")
		scopes := []string{tr.root, tr.org, tr.team, tr.mem, tr.key}
		for i, s := range scopes {
			tr.set(t, e, s, 10*usd*money.Nano(len(scopes)-i))
		}
		h, err := e.Hold(ctx, tr.call(), output(4))
		require.NoError(t, err)
		for _, s := range scopes {
			require.Equal(t, 4*usd, tr.states(t, e)[s].Held)
		}
		room, ok := h.Remaining()
		require.True(t, ok)
		require.Equal(t, tr.key, room.ScopeID)
		require.Equal(t, 6*usd, room.Available)

		r, err := h.Settle(ctx, output(3), budget.Outcome{Latency: time.Second})
		require.NoError(t, err)
		require.Equal(t, budget.Receipt{ChargeID: h.ID, Kind: budget.Settled, Cost: 3 * usd, Usage: output(3)}, r)
		again, err := h.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, r, again, "the first end stands")
		require.NoError(t, h.Release(ctx))
		for _, s := range scopes {
			state := tr.states(t, e)[s]
			require.Equal(t, 3*usd, state.Spent)
			require.Zero(t, state.Held)
		}
		room, _ = h.Remaining()
		require.Equal(t, 7*usd, room.Available)
		balanced(t, e)

		c := st.Charge.Query().OnlyX(system())
		require.Equal(t, []string{"a"}, c.Tags)
		require.Equal(t, int64(1000), c.LatencyMs)
		require.Len(t, c.Cycles, 5)
		require.Zero(t, st.Hold.Query().CountX(system()))
	})
}

func TestThousandCallsAgainstTen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 100*usd)
		tr.set(t, e, tr.team, 10*usd)
		stop := make(chan struct{})
		var watching, wg sync.WaitGroup
		watching.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if s := tr.states(t, e)[tr.team]; s.Spent+s.Held > 10*usd {
						t.Error("more than the budget is spent and held")
						return
					}
				}
			}
		})
		var exceeded, charged int
		var mu sync.Mutex
		for range 1000 {
			wg.Go(func() {
				h, err := e.Hold(ctx, tr.call(), output(1))
				mu.Lock()
				defer mu.Unlock()
				if fault.Is(err, fault.BudgetExceeded) {
					exceeded++
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				charged++
				wg.Go(func() {
					if _, err := h.Settle(ctx, output(1), budget.Outcome{}); err != nil {
						t.Error(err)
					}
				})
			})
		}
		wg.Wait()
		close(stop)
		watching.Wait()
		require.Equal(t, 10, charged, "no call gave back, so exactly ten fit")
		require.Equal(t, 990, exceeded)
		require.Equal(t, 10*usd, tr.states(t, e)[tr.team].Spent)
		require.Equal(t, budget.Blocked, tr.states(t, e)[tr.team].Status)
		balanced(t, e)
	})
}

func TestRefusalNamesTheTightestBudget(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "Europe/Berlin")
	tr.set(t, e, tr.root, 100*usd)
	tr.set(t, e, tr.team, 10*usd)
	tr.set(t, e, tr.org, 12*usd)

	h, err := e.Hold(ctx, tr.call(), output(8))
	require.NoError(t, err)
	_, err = e.Hold(ctx, tr.call(), output(5))
	var x *budget.Exceeded
	require.ErrorAs(t, err, &x)
	require.Equal(t, tr.team, x.ScopeID)
	require.Equal(t, 5*usd, x.Needed)
	require.Equal(t, 2*usd, x.Available)
	require.Equal(t, "The budget of team Risk has $2.00 left of $10.00, but this call may need up to $5.00. It renews on 1 December 2026, 00:00 CET.", fault.As(err).Message)
	require.Equal(t, fault.BudgetExceeded, fault.As(err).Code)
	require.Equal(t, int64(2*usd), fault.As(err).Data["available"])
	require.Zero(t, st.Charge.Query().CountX(system()))
	require.Equal(t, 8*usd, tr.states(t, e)[tr.org].Held, "a refused hold takes nothing anywhere")

	call := tr.call()
	bound, ok := call.Fit(output(5), x.Available)
	require.True(t, ok)
	require.Equal(t, output(2), bound)
	_, ok = call.Fit(output(5), usd-1)
	require.False(t, ok)

	more, err := e.Hold(ctx, tr.call(), bound)
	require.NoError(t, err)
	_, err = e.Hold(ctx, tr.call(), output(1))
	require.Equal(t, "The budget of team Risk is taken: $0.00 spent and $10.00 held by running calls, of $10.00. It renews on 1 December 2026, 00:00 CET.", fault.As(err).Message)
	for h, n := range map[*budget.Hold]int64{h: 8, more: 2} {
		_, err = h.Settle(ctx, output(n), budget.Outcome{})
		require.NoError(t, err)
	}
	_, err = e.Hold(ctx, tr.call(), output(1))
	require.Equal(t, "The budget of team Risk is used up: $10.00 of $10.00. It renews on 1 December 2026, 00:00 CET.", fault.As(err).Message)

	tr.set(t, e, tr.team, 11*usd)
	h, err = e.Hold(ctx, tr.call(), output(1))
	require.NoError(t, err, "a raised limit holds at once")
	require.NoError(t, h.Release(ctx))
	balanced(t, e)
}

func TestLimitsAtTheEdges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Console, "UTC")

		h, err := e.Hold(ctx, plant(t, st, tenancy.Console, "UTC").call(), output(1))
		require.NoError(t, err, "Console passes without any budget")
		r, err := h.Settle(ctx, output(5), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, budget.Receipt{ChargeID: h.ID, Kind: budget.Settled, Cost: 5 * usd, Usage: output(5)}, r, "nothing limits, so nothing is late")
		_, limited := h.Remaining()
		require.False(t, limited)

		tr.set(t, e, tr.team, 0)
		_, err = e.Hold(ctx, tr.call(), output(0))
		require.EqualError(t, err, "The budget of team Risk is zero, so nothing can be spent. It renews on 1 December 2026, 00:00 UTC.")

		tr.set(t, e, tr.team, 10*usd)
		h, err = e.Hold(ctx, tr.call(), output(10))
		require.NoError(t, err)
		tr.set(t, e, tr.team, 4*usd)
		s := tr.states(t, e)[tr.team]
		require.Equal(t, 6*usd, s.Excess, "the limit was lowered below what is held")
		_, err = h.Settle(ctx, output(3), budget.Outcome{})
		require.NoError(t, err)
		s = tr.states(t, e)[tr.team]
		require.Zero(t, s.Excess)
		require.Equal(t, 3*usd, s.Spent)
		tr.set(t, e, tr.team, 2*usd)
		require.Equal(t, usd, tr.states(t, e)[tr.team].Excess)
		_, err = e.Hold(ctx, tr.call(), output(0))
		require.Error(t, err, "nothing passes above the limit, not even what is free")

		_, err = tr.try(e, tr.team, budget.Spec{Limit: 2 * usd, Overflow: 2 * usd})
		require.NoError(t, err)
		h, err = e.Hold(ctx, tr.call(), output(1))
		require.NoError(t, err, "the overflow pays")
		_, err = h.Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, budget.Blocked, tr.states(t, e)[tr.team].Status)

		huge := tr.call()
		huge.Prices.Output = money.Max
		_, err = e.Hold(ctx, huge, output(1<<62))
		require.ErrorIs(t, err, money.ErrOverflow)
		_, err = e.Hold(ctx, huge, output(999_999))
		var x *budget.Exceeded
		require.ErrorAs(t, err, &x, "a sum beyond 64 bits is too much, not little")
		_, err = e.Hold(ctx, tr.call(), output(-1))
		require.ErrorIs(t, err, money.ErrNegative)
		balanced(t, e)
	})
}

func TestMalformedCallsAreRefused(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	for name, spoil := range map[string]func(*budget.Call){
		"no account":      func(c *budget.Call) { c.AccountID = "" },
		"no model":        func(c *budget.Call) { c.ModelID = "" },
		"no request":      func(c *budget.Call) { c.RequestID = "" },
		"no plane":        func(c *budget.Call) { c.Plane = "" },
		"foreign path":    func(c *budget.Call) { c.Path = "/acc_other/x/" },
		"open path":       func(c *budget.Call) { c.Path = "/" + c.AccountID + "/x" },
		"gap in the path": func(c *budget.Call) { c.Path = "/" + c.AccountID + "//x/" },
		"no factor":       func(c *budget.Call) { c.FactorPPM = 0 },
		"no price":        func(c *budget.Call) { c.PriceID = "" },
		"no text":         func(c *budget.Call) { c.SessionRef = "a\x00b" },
	} {
		c := tr.call()
		spoil(&c)
		_, err := e.Hold(ctx, c, output(1))
		require.Error(t, err, name)
	}
	_, err := e.Hold(ctx, tr.call(), output(1))
	require.True(t, fault.Is(err, fault.BudgetExceeded), "Copilot needs a budget")
	require.Zero(t, st.Hold.Query().CountX(system()))
}

func TestCreditsAreRoundedUpOnce(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	tr.set(t, e, tr.root, usd)
	c := tr.call()
	c.PriceID, c.Prices, c.FactorID = "prc_odd", budget.Prices{Output: 1_000_001}, ""
	tr.exec(t, `INSERT INTO prices (id, account_id, plane, created_at, effective_from, catalog_model_id, output) VALUES ('prc_odd', ?, 'PLATFORM', ?, ?, 'cmo_x', 1000001)`,
		id.PlatformID, past, past.Add(time.Hour))
	c.FactorPPM = 1_500_000
	h, err := e.Hold(ctx, c, output(3))
	require.NoError(t, err)
	require.Equal(t, money.Nano(6), h.Amount, "ceil(ceil(3.000003) × 1.5)")
	r, err := h.Settle(ctx, output(1), budget.Outcome{})
	require.NoError(t, err)
	require.Equal(t, money.Nano(2), r.Cost)
	require.Equal(t, money.Nano(3), r.Credits)
	require.Equal(t, money.Nano(3), tr.states(t, e)[tr.root].Spent)
	balanced(t, e)
}

func TestCeilingIsChargedWithoutAPrice(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "UTC")
	tr.set(t, e, tr.root, 10*usd)
	c := tr.call()
	c.PriceID, c.Ceiling = "", 2*usd
	h, err := e.Hold(ctx, c, output(1_000_000))
	require.NoError(t, err)
	require.Equal(t, 2*usd, h.Amount)
	r, err := h.Settle(ctx, output(9), budget.Outcome{})
	require.NoError(t, err)
	require.Equal(t, 2*usd, r.Cost)
	require.Equal(t, 2*usd, tr.states(t, e)[tr.root].Spent)
	balanced(t, e)
}

func TestOverrunIsChargedInFull(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		hold := func(n int64) *budget.Hold {
			h, err := e.Hold(ctx, tr.call(), output(n))
			require.NoError(t, err)
			return h
		}
		r, err := hold(2).Settle(ctx, output(5), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, 5*usd, r.Credits)
		require.Zero(t, r.Late, "there was room")

		h := hold(4)
		r, err = h.Settle(ctx, output(8), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, budget.Receipt{ChargeID: h.ID, Kind: budget.Settled, Cost: 8 * usd, Credits: 8 * usd, Usage: output(8), Late: 4 * usd}, r)
		s := tr.states(t, e)[tr.root]
		require.Equal(t, 13*usd, s.Spent)
		require.Equal(t, 3*usd, s.Excess)
		late := st.Charge.Query().Where(charge.KindEQ("LATE")).OnlyX(system())
		require.Equal(t, h.ID, late.Adjusts)
		require.Equal(t, int64(4*usd), late.Credits)
		require.Zero(t, late.OutputTokens, "tokens are counted once")
		balanced(t, e)
	})
}

func TestAbsurdUsageChargesTheWholeHold(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	tr.set(t, e, tr.root, 10*usd)
	for _, u := range []budget.Usage{output(-1), output(1 << 62), output(9_223_372_035)} {
		h, err := e.Hold(ctx, tr.call(), output(2))
		require.NoError(t, err)
		r, err := h.Settle(ctx, u, budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, budget.Receipt{ChargeID: h.ID, Kind: budget.InDoubt, Cost: 2 * usd, Credits: 2 * usd}, r)
	}
	h, err := e.Hold(ctx, tr.call(), output(1))
	require.NoError(t, err)
	r, err := h.Doubt(ctx, budget.Outcome{})
	require.NoError(t, err)
	require.Equal(t, budget.Receipt{ChargeID: h.ID, Kind: budget.InDoubt, Cost: usd, Credits: usd}, r)
	balanced(t, e)
}

// Ids of another account or plane in a path reach none of its budgets.
func TestForeignBudgetsAreNotCharged(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr, foreign := plant(t, st, tenancy.Console, "UTC"), plant(t, st, tenancy.Console, "UTC")
	foreign.set(t, e, foreign.team, 10*usd)
	tr.set(t, e, tr.key, 10*usd)
	for _, path := range []string{"/" + tr.account + "/" + tr.root + "/" + foreign.team + "/", "/" + tr.account + "/" + tr.key + "/"} {
		c := tr.call()
		c.Path = path
		h, err := e.Hold(ctx, c, output(11))
		require.NoError(t, err, "no budget of its own stands on this path")
		require.NoError(t, h.Release(ctx))
	}
	copilot := tr.call()
	copilot.Plane, copilot.FactorPPM = tenancy.Copilot, 1
	_, err := e.Hold(ctx, copilot, output(1))
	require.ErrorContains(t, err, "No credits were allocated")
}
