package budget_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
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
	for name, nodes := range map[string]int{"sqlite": 1, "postgres": 2} {
		for _, journal := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/journal=%t", name, journal), func(t *testing.T) {
				t.Parallel()
				if name == "sqlite" {
					agrees(t, storetest.Open(t), nodes, journal)
				} else {
					agrees(t, storetest.OpenPostgres(t), nodes, journal)
				}
			})
		}
	}
}

func agrees(t *testing.T, st *store.Store, nodes int, journal bool) {
	now := newClock(november())
	engines := make([]*budget.Engine, nodes)
	begin := func(t testing.TB, i int) {
		o := budget.Options{Now: now.now, Log: slog.New(slog.DiscardHandler)}
		if journal {
			o.Journal = filepath.Join(dirs(t, st), strconv.Itoa(i))
		}
		engines[i] = budget.New(st, o)
		require.NoError(t, engines[i].Start(ctx))
	}
	for i := range engines {
		begin(t, i)
	}
	t.Cleanup(func() {
		for _, e := range engines {
			require.NoError(t, e.Close(ctx))
		}
	})
	rapid.Check(t, func(rt *rapid.T) {
		if st.Dialect == store.Postgres && rapid.IntRange(0, 9).Draw(rt, "one in ten, for it takes its time") > 0 {
			return
		}
		tr := plant(t, st, tenancy.Console, "Europe/Berlin")
		node := func(rt *rapid.T) int { return rapid.IntRange(0, nodes-1).Draw(rt, "node") }
		// flush lets every replica write what it has, and learn of the others.
		flush := func() {
			for _, e := range engines {
				e.Learn(tr.account)
				tr.states(t, e)
			}
		}
		agent := tr.agent(t)
		scopes := []string{tr.root, tr.team, tr.mem, tr.key, agent}
		model := map[string]*account{}
		for _, s := range scopes {
			model[s] = &account{}
		}
		type open struct {
			h      *budget.Hold
			on     []string
			direct bool // not through the agent
			before bool // of an earlier cycle
			node   int
			// dead: others gave its node up and charged it in full.
			dead bool
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
			for s, a := range model {
				if !o.before && (s != agent || !o.direct) {
					a.spent += charge
				}
			}
		}
		// doubted books that a node's holds were charged in full; they are gone,
		// or their calls run on.
		doubted := func(node int, gone bool) {
			var on []open
			for _, o := range holds {
				if o.node == node && !o.dead {
					end(o, o.h.Amount)
					o.dead = true
				}
				if o.node != node || !gone {
					on = append(on, o)
				}
			}
			holds = on
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": func(rt *rapid.T) {
				flush()
				require.NoError(rt, engines[0].CountPrior(ctx))
				flush()
				states := tr.states(t, engines[0])
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
				_, err := tr.try(engines[node(rt)], s, spec)
				require.NoError(rt, err)
				flush()
				a := model[s]
				a.standing, a.lim, a.over = true, spec.Limit, spec.Overflow
			},
			"hold": func(rt *rapid.T) {
				n := rapid.Int64Range(0, 8).Draw(rt, "n")
				x := usd * money.Nano(n)
				direct := rapid.Bool().Draw(rt, "not through the agent")
				call := tr.call()
				if !direct {
					call.AgentID = agent
				}
				var on []string
				fits := true
				for _, s := range scopes {
					if a := model[s]; a.standing && (s != agent || !direct) {
						on = append(on, s)
						fits = fits && a.lim+a.over > 0 && a.spent+a.held+x <= a.lim+a.over
					}
				}
				i := node(rt)
				h, err := engines[i].Hold(ctx, call, output(n))
				require.Equal(rt, fits, err == nil, err)
				if err != nil {
					require.True(rt, fault.Is(err, fault.BudgetExceeded), err)
					return
				}
				require.Equal(rt, x, h.Amount)
				for _, s := range on {
					model[s].held += x
				}
				holds = append(holds, open{h: h, on: on, node: i, direct: direct})
			},
			"settle": func(rt *rapid.T) {
				o := pick(rt)
				n := rapid.Int64Range(0, 10).Draw(rt, "n")
				r, err := o.h.Settle(ctx, output(n), budget.Outcome{})
				require.NoError(rt, err)
				if o.dead { // corrected downwards
					corrected(model, unless(o.direct, agent), o.before, o.h.Amount-min(o.h.Amount, usd*money.Nano(n)))
					return
				}
				require.Equal(rt, usd*money.Nano(n), r.Cost)
				end(o, r.Cost)
			},
			"release": func(rt *rapid.T) {
				o := pick(rt)
				require.NoError(rt, o.h.Release(ctx))
				if o.dead {
					corrected(model, unless(o.direct, agent), o.before, o.h.Amount)
					return
				}
				end(o, 0)
			},
			"restart": func(rt *rapid.T) { // open holds are charged in full
				i := node(rt)
				require.NoError(rt, engines[i].Close(ctx))
				begin(t, i)
				doubted(i, true)
			},
			"crash": func(rt *rapid.T) {
				i := node(rt)
				engines[i].Crash()
				if nodes > 1 && !journal {
					giveUp(t, tr) // nothing else tells that it is dead
					for j, e := range engines {
						if j != i {
							require.NoError(rt, e.Sweep(ctx))
							doubted(j, false)
						}
					}
				}
				begin(t, i)
				require.NoError(rt, engines[i].Sweep(ctx))
				doubted(i, true)
				flush()
			},
			"zombie": func(rt *rapid.T) {
				if nodes == 1 {
					rt.Skip("nobody to give it up")
				}
				flush()
				giveUp(t, tr)
				require.NoError(rt, engines[0].Sweep(ctx))
				flush() // they notice, and register anew
				for i := range engines {
					doubted(i, false)
				}
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
		for i := range engines {
			require.NoError(t, engines[i].Close(ctx))
			begin(t, i)
			doubted(i, true)
		}
		for _, a := range model {
			require.Zero(rt, a.earlier)
			require.Zero(rt, a.held)
		}
		require.Zero(rt, st.Hold.Query().CountX(system()))
		balanced(t, engines[0])
	})
}

// giveUp does what a sweep does to silent nodes, to all of them: none can be heard
// of in between.
func giveUp(t testing.TB, tr *tree) {
	t.Helper()
	tr.exec(t, "DELETE FROM nodes")
}

// corrected books what came back of a charge of the running cycle; what comes
// back of cycles before is counted apart.
func corrected(model map[string]*account, but string, before bool, back money.Nano) {
	for s, a := range model {
		if !before && s != but {
			a.spent -= back
		}
	}
}

// unless is the agent that a call didn't come through.
func unless(direct bool, agent string) string {
	if direct {
		return agent
	}
	return ""
}

// dirs is a folder for the journals of a store's engines.
func dirs(t testing.TB, st *store.Store) string {
	t.Helper()
	dir, _ := journals.LoadOrStore(st, t.TempDir())
	return dir.(string)
}
