package budget_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// account is the reference: one scope of the path, counted by hand. Spent is
// counted whether or not a budget stands.
type account struct {
	standing             bool
	lim, over            money.Nano
	spent, held, earlier money.Nano // earlier: held in cycles before
}

// Whatever happens in whatever order, the engine's counters are those of a
// simple sequential model, and its ledger explains them.
func TestEngineAgreesWithASequentialModel(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	now := newClock(november())
	var e *budget.Engine
	restart := func(t testing.TB) {
		if e != nil {
			require.NoError(t, e.Close(ctx))
		}
		e = budget.New(st, budget.Options{Now: now.now})
		require.NoError(t, e.Start(ctx))
	}
	restart(t)
	t.Cleanup(func() { require.NoError(t, e.Close(ctx)) })
	rapid.Check(t, func(rt *rapid.T) {
		tr := plant(t, st, tenancy.Console, "Europe/Berlin")
		scopes := []string{tr.root, tr.team, tr.mem, tr.key}
		model := map[string]*account{}
		for _, s := range scopes {
			model[s] = &account{}
		}
		type open struct {
			h      *budget.Hold
			on     []string
			before bool // of an earlier cycle
		}
		var holds []open
		pick := func(rt *rapid.T) open {
			if len(holds) == 0 {
				rt.Skip("no hold")
			}
			i := rapid.IntRange(0, len(holds)-1).Draw(rt, "hold")
			o := holds[i]
			holds = slices.Delete(holds, i, i+1)
			return o
		}
		// end books what became of a hold: charge, and what comes back.
		end := func(o open, charge money.Nano) {
			for _, s := range o.on {
				if a := model[s]; o.before {
					a.earlier -= o.h.Amount
				} else {
					a.held -= o.h.Amount
				}
			}
			for _, a := range model {
				if !o.before {
					a.spent += charge
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) {
				require.NoError(rt, e.CountPrior(ctx))
				states := tr.states(t, e)
				for _, s := range scopes {
					a, got := model[s], states[s]
					require.Equal(rt, a.standing, got.BudgetID != "")
					if a.standing {
						require.Equal(rt, []money.Nano{a.lim, a.over, a.spent, a.held, max(0, a.spent+a.held-a.lim-a.over)},
							[]money.Nano{got.Limit, got.Overflow, got.Spent, got.Held, got.Excess})
					}
				}
			},
			"set": func(rt *rapid.T) {
				s := rapid.SampledFrom(scopes).Draw(rt, "scope")
				spec := budget.Spec{Limit: usd * money.Nano(rapid.Int64Range(0, 20).Draw(rt, "limit")), Overflow: usd * money.Nano(rapid.Int64Range(0, 3).Draw(rt, "overflow"))}
				_, err := tr.try(e, s, spec)
				require.NoError(rt, err)
				a := model[s]
				a.standing, a.lim, a.over = true, spec.Limit, spec.Overflow
			},
			"hold": func(rt *rapid.T) {
				n := rapid.Int64Range(0, 8).Draw(rt, "n")
				x := usd * money.Nano(n)
				var on []string
				fits := true
				for _, s := range scopes {
					if a := model[s]; a.standing {
						on = append(on, s)
						fits = fits && a.lim+a.over > 0 && a.spent+a.held+x <= a.lim+a.over
					}
				}
				h, err := e.Hold(ctx, tr.call(), output(n))
				require.Equal(rt, fits, err == nil, err)
				if err != nil {
					require.True(rt, fault.Is(err, fault.BudgetExceeded), err)
					return
				}
				require.Equal(rt, x, h.Amount)
				for _, s := range on {
					model[s].held += x
				}
				holds = append(holds, open{h: h, on: on})
			},
			"settle": func(rt *rapid.T) {
				o := pick(rt)
				n := rapid.Int64Range(0, 10).Draw(rt, "n")
				r, err := o.h.Settle(ctx, output(n), budget.Outcome{})
				require.NoError(rt, err)
				require.Equal(rt, usd*money.Nano(n), r.Cost)
				end(o, r.Cost)
			},
			"release": func(rt *rapid.T) {
				o := pick(rt)
				require.NoError(rt, o.h.Release(ctx))
				end(o, 0)
			},
			"restart": func(rt *rapid.T) { // open holds are charged in full
				restart(t)
				for _, o := range holds {
					end(o, o.h.Amount)
				}
				holds = nil
			},
			"next month": func(rt *rapid.T) {
				now.set(now.now().AddDate(0, 1, 0))
				for _, a := range model {
					a.earlier, a.spent, a.held = a.earlier+a.held, 0, 0
				}
				for i := range holds {
					holds[i].before = true
				}
			},
		})
		restart(t)
		for _, o := range holds {
			end(o, o.h.Amount)
		}
		for _, a := range model {
			require.Zero(rt, a.earlier)
			require.Zero(rt, a.held)
		}
		balanced(t, e)
	})
}
