package budget_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Whatever happens in whatever order to whatever tree (calls, crashes, renewals,
// changed allocations, clocks that jump), the engine admits what a simple
// sequential model admits, and its counters, its ledger and its statements are
// the model's after every step.
func TestEngineAgreesWithASequentialModel(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string]int{"sqlite": 1, "postgres": 2} {
		for _, journal := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/journal=%t", name, journal), func(t *testing.T) {
				t.Parallel()
				open := storetest.Open
				if name == "postgres" {
					open = storetest.OpenPostgres
				}
				w := &model{st: open(t), engines: make([]*budget.Engine, nodes), journal: journal, clock: newClock(november())}
				for i := range w.engines {
					w.begin(t, i)
				}
				t.Cleanup(func() {
					for _, e := range w.engines {
						require.NoError(t, e.Close(ctx))
					}
				})
				// A case takes its time, most of all where every step is many statements.
				some := map[string]int{"sqlite": 10, "postgres": 25}[name]
				rapid.Check(t, func(rt *rapid.T) {
					if rapid.IntRange(1, some).Draw(rt, "one in some") == 1 {
						w.live(t, rt)
					}
				})
			})
		}
	}
}

// model is the reference: a tree whose calls are counted by hand.
type model struct {
	*tree
	st      *store.Store
	engines []*budget.Engine
	journal bool
	clock   *clock
	latest  time.Time // that the clock has shown
	ppm     int64     // 0 in Console

	scopes  []spot // that can have a budget
	payers  []payer
	agentID string

	running []*running
	charges map[string]*charged
	tallies map[turn]*tally
	priors  map[turn]money.Nano
	raises  []string // increases that were made
	said    map[string]string
}

type spot struct{ id, parent, path, kind string }

// turn is one cycle of one budget, by when it began.
type turn struct {
	budgetID string
	starts   int64
}

// tally is what was counted on a cycle, but for what was spent before its budget.
type tally struct{ spent, held, corrections money.Nano }

// running is a call that is held.
type running struct {
	*charged
	h    *budget.Hold
	node int
	// dead: others gave its node up and charged it in full.
	dead bool
}

// charged is a call on the books: what it stands at, and how it came to that.
type charged struct {
	scopes []string
	turns  []turn
	heldAt time.Time
	cost   money.Nano // in USD
	amount money.Nano
}

func (w *model) begin(t testing.TB, i int) {
	o := budget.Options{Now: w.clock.now, Log: slog.New(slog.DiscardHandler)}
	if w.journal {
		o.Journal = filepath.Join(dirs(t, w.st), strconv.Itoa(i))
	}
	w.engines[i] = budget.New(w.st, o)
	require.NoError(t, w.engines[i].Start(ctx))
}

// grow plants one to two organizations, teams, seats and keys.
func (w *model) grow(t testing.TB, rt *rapid.T) {
	tr := w.tree
	root := spot{tr.root, tr.account, "/" + tr.account + "/" + tr.root + "/", string(tr.plane)}
	w.scopes, w.payers = []spot{root}, nil
	child := func(of spot, kind string, prefix id.Prefix) spot {
		s := spot{id: id.New(prefix), parent: of.id, kind: kind}
		s.path = of.path + s.id + "/"
		tr.scope(t, s.id, of.id, kind, strings.ToLower(kind), string(tr.plane), s.path)
		w.scopes = append(w.scopes, s)
		return s
	}
	few := func(what string) int { return rapid.IntRange(1, 2).Draw(rt, what) }
	for i := range few("organizations") {
		org := child(root, "ORGANIZATION", id.Organization)
		if i == 0 {
			w.agentID = child(org, "AGENT", id.Agent).id
		}
		for range few("teams") {
			team := child(org, "TEAM", id.Team)
			for range few("seats") {
				seat := child(team, "MEMBER", id.Member)
				w.payers = append(w.payers, payer{org.id, team.id, seat.id, "", seat.path})
			}
			if rapid.Bool().Draw(rt, "key") {
				p := w.payers[len(w.payers)-1]
				seat := w.scopes[slices.IndexFunc(w.scopes, func(s spot) bool { return s.id == p.member })]
				key := child(seat, "KEY", id.Key)
				w.payers = append(w.payers, payer{p.org, p.team, p.member, key.id, key.path})
			}
		}
	}
}

func (w *model) live(t *testing.T, rt *rapid.T) {
	w.clock.set(november().Add(time.Duration(rapid.IntRange(0, 400).Draw(rt, "day")) * 24 * time.Hour))
	plane := rapid.SampledFrom([]tenancy.Plane{tenancy.Console, tenancy.Copilot}).Draw(rt, "plane")
	w.tree = plant(t, w.st, plane, rapid.SampledFrom([]string{"Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"}).Draw(rt, "zone"))
	if w.ppm = 0; plane == tenancy.Copilot {
		w.ppm = rapid.SampledFrom([]int64{money.FactorOne, 1_333_333}).Draw(rt, "factor")
	}
	w.running, w.raises, w.latest = nil, nil, w.clock.now()
	w.charges, w.tallies, w.priors, w.said = map[string]*charged{}, map[turn]*tally{}, map[turn]money.Nano{}, map[string]string{}
	w.grow(t, rt)
	if rapid.IntRange(0, 3).Draw(rt, "pool") > 0 {
		cycle := rapid.SampledFrom([]budget.Cycle{budget.Monthly, budget.Monthly, budget.Quarterly, budget.Yearly, budget.Manual}).Draw(rt, "cycle")
		spec := budget.Spec{Limit: 60 * usd, Cycle: &cycle}
		if cycle != budget.Manual {
			spec.CycleDay = rapid.IntRange(1, 28).Draw(rt, "cycle day")
		}
		_, err := w.try(w.engines[0], w.root, spec)
		require.NoError(rt, err)
	}
	actions := map[string]func(*rapid.T){
		"":    func(rt *rapid.T) { w.agrees(t, rt) },
		"set": func(rt *rapid.T) { w.set(rt) }, "set more": func(rt *rapid.T) { w.set(rt) },
		"share out": func(rt *rapid.T) {
			w.change(rt, func(e *budget.Engine) error {
				at := rapid.SampledFrom(slices.DeleteFunc(slices.Clone(w.scopes), func(s spot) bool { return s.kind == "MEMBER" || s.kind == "KEY" || s.kind == "AGENT" })).Draw(rt, "scope")
				_, err := w.try(e, at.id, budget.Spec{KeepLimit: true, KeepOverflow: true, Distribution: ptr(rapid.SampledFrom([]budget.Distribution{budget.Equal, budget.Equal, budget.Pool}).Draw(rt, "distribution"))})
				return err
			})
		},
		"hold": func(rt *rapid.T) { w.hold(t, rt) }, "hold more": func(rt *rapid.T) { w.hold(t, rt) }, "hold most": func(rt *rapid.T) { w.hold(t, rt) },
		"settle": func(rt *rapid.T) { w.settle(t, rt) }, "settle more": func(rt *rapid.T) { w.settle(t, rt) },
		"release": func(rt *rapid.T) { w.release(t, rt) },
		"correct": func(rt *rapid.T) { w.correct(t, rt) },
		"remove": func(rt *rapid.T) {
			w.change(rt, func(e *budget.Engine) error { _, err := w.remove(e, w.spot(rt).id); return err })
		},
		"move": func(rt *rapid.T) {
			w.change(rt, func(e *budget.Engine) error {
				_, err := w.move(e, w.spot(rt).id, w.spot(rt).id, w.amount(rt, 10), rapid.Bool().Draw(rt, "below spent"))
				return err
			})
		},
		"raise": func(rt *rapid.T) {
			w.change(rt, func(e *budget.Engine) error {
				raise, _, err := w.raise(e, w.spot(rt).id, w.amount(rt, 10), w.clock.now().Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "days"))*24*time.Hour))
				w.raises = append(w.raises, raise)
				return err
			})
		},
		"lower": func(rt *rapid.T) {
			if len(w.raises) == 0 {
				rt.Skip("no increase")
			}
			w.change(rt, func(e *budget.Engine) error {
				return w.in(func(ctx context.Context, tx *store.Tx) error {
					_, _, err := e.EndIncrease(ctx, tx, rapid.SampledFrom(w.raises).Draw(rt, "increase"))
					return err
				})
			})
		},
		"freeze": func(rt *rapid.T) {
			w.change(rt, func(e *budget.Engine) error {
				s := w.spot(rt).id
				return w.in(func(ctx context.Context, tx *store.Tx) error {
					_, err := e.Freeze(ctx, tx, s, "usr_x", "a loop")
					if fault.Is(err, fault.Conflict) {
						_, err = e.Resume(ctx, tx, s, "usr_x")
					}
					return err
				})
			})
		},
		"join":  func(rt *rapid.T) { w.join(t, rt) },
		"jump":  func(rt *rapid.T) { w.jump(t, rt) },
		"renew": func(rt *rapid.T) { renew(rt, w.engine(rt)) },
		"renew by hand": func(rt *rapid.T) {
			w.change(rt, func(e *budget.Engine) error {
				return w.in(func(ctx context.Context, tx *store.Tx) error { return e.RenewNow(ctx, tx, w.spot(rt).id) })
			})
		},
		"restart": func(rt *rapid.T) { // open holds are charged in full
			i := w.node(rt)
			require.NoError(rt, w.engines[i].Close(ctx))
			w.begin(t, i)
			w.doubted(i, true)
		},
		"crash": func(rt *rapid.T) {
			i := w.node(rt)
			w.engines[i].Crash()
			if len(w.engines) > 1 && !w.journal {
				giveUp(t, w.tree) // nothing else tells that it is dead
				for j, e := range w.engines {
					if j != i {
						require.NoError(rt, e.Sweep(ctx))
						w.doubted(j, false)
					}
				}
			}
			w.begin(t, i)
			require.NoError(rt, w.engines[i].Sweep(ctx))
			w.doubted(i, true)
		},
		"zombie": func(rt *rapid.T) {
			if len(w.engines) == 1 {
				rt.Skip("nobody to give it up")
			}
			giveUp(t, w.tree)
			require.NoError(rt, w.engines[0].Sweep(ctx))
			w.flush(t) // they notice, and register anew
			for i := range w.engines {
				w.doubted(i, false)
			}
		},
	}
	rt.Repeat(actions)
	w.end(t, rt)
}

// end lets everything come to rest, and asks the engine itself.
func (w *model) end(t *testing.T, rt *rapid.T) {
	for i := range w.engines {
		require.NoError(t, w.engines[i].Close(ctx))
		w.begin(t, i)
		w.doubted(i, true)
	}
	w.agrees(t, rt)
	w.splits(rt)
	require.Zero(rt, w.st.Hold.Query().CountX(system()))
	w.clock.set(w.clock.now().AddDate(1, 1, 0))
	for range 2 { // each gives back what it has leased of ended cycles
		for _, e := range w.engines {
			renew(rt, e)
		}
	}
	_, err := w.engines[0].EndDue(ctx)
	require.NoError(rt, err)
	w.agrees(t, rt)
	var open, budgets int
	require.NoError(rt, w.st.System().QueryRow("SELECT count(*) FROM budget_cycles WHERE closed_at IS NULL AND account_id = '"+w.account+"'").Scan(&open))
	require.NoError(rt, w.st.System().QueryRow("SELECT count(*) FROM budgets WHERE account_id = '"+w.account+"'").Scan(&budgets))
	require.Equal(rt, budgets, open, "all but the current cycles are closed")
	balanced(t, w.engines[0])
}

func (w *model) node(rt *rapid.T) int              { return rapid.IntRange(0, len(w.engines)-1).Draw(rt, "node") }
func (w *model) engine(rt *rapid.T) *budget.Engine { return w.engines[w.node(rt)] }
func (w *model) spot(rt *rapid.T) spot             { return rapid.SampledFrom(w.scopes).Draw(rt, "scope") }
func (w *model) amount(rt *rapid.T, most int64) money.Nano {
	return usd * money.Nano(rapid.Int64Range(0, most).Draw(rt, "amount"))
}

// worth is a cost in the plane's unit.
func (w *model) worth(cost money.Nano) money.Nano {
	if w.ppm == 0 {
		return cost
	}
	return (cost*money.Nano(w.ppm) + 999_999) / 1_000_000
}

// flush lets every replica write what it has, and learn of the others.
func (w *model) flush(t testing.TB) {
	for _, e := range w.engines {
		e.Learn(w.account)
		w.states(t, e)
	}
}

// change does something to budgets that may be refused, with a reason.
func (w *model) change(rt *rapid.T, verb func(e *budget.Engine) error) {
	if err := verb(w.engine(rt)); err != nil {
		require.NotNil(rt, fault.As(err), "%v", err)
	}
}

func (w *model) set(rt *rapid.T) {
	s := w.spot(rt)
	spec := budget.Spec{Limit: w.amount(rt, 30), Overflow: w.amount(rt, 3)}
	if s.parent == w.account {
		spec.Limit += 20 * usd
	}
	if rapid.Bool().Draw(rt, "rollover") {
		spec.RolloverCap = ptr(w.amount(rt, 20))
	}
	switch rapid.IntRange(0, 4).Draw(rt, "also") {
	case 0:
		spec.Distribution = ptr(rapid.SampledFrom([]budget.Distribution{budget.Pool, budget.Equal}).Draw(rt, "distribution"))
	case 1:
		spec.Reserve = ptr(w.amount(rt, 5))
	case 2:
		spec.Strict = ptr(rapid.Bool().Draw(rt, "strict"))
	case 3:
		spec.Cycle = ptr(rapid.SampledFrom([]budget.Cycle{budget.Monthly, budget.Quarterly, budget.Manual}).Draw(rt, "cycle"))
		if *spec.Cycle != budget.Manual {
			spec.CycleDay = rapid.IntRange(1, 28).Draw(rt, "cycle day")
		}
	}
	w.change(rt, func(e *budget.Engine) error { _, err := w.try(e, s.id, spec); return err })
}

func (w *model) join(t *testing.T, rt *rapid.T) {
	teams := slices.DeleteFunc(slices.Clone(w.scopes), func(s spot) bool { return s.kind != "TEAM" })
	team := rapid.SampledFrom(teams).Draw(rt, "team")
	seat := spot{id: id.New(id.Member), parent: team.id, kind: "MEMBER"}
	seat.path = team.path + seat.id + "/"
	w.scope(t, seat.id, team.id, "MEMBER", "Bob", string(w.plane), seat.path)
	if err := w.redistribute(w.clock.now()); err != nil {
		require.NotNil(rt, fault.As(err), "%v", err)
		w.exec(t, "DELETE FROM scopes WHERE id = ?", seat.id)
		return
	}
	w.scopes = append(w.scopes, seat)
	w.payers = append(w.payers, payer{team.parent, team.id, seat.id, "", seat.path})
}

// jump moves the clock: a little, by days, to where a cycle ends, and back.
func (w *model) jump(t *testing.T, rt *rapid.T) {
	to := w.clock.now()
	switch rapid.IntRange(0, 3).Draw(rt, "how") {
	case 0:
		to = to.Add(time.Duration(rapid.IntRange(1, 7200).Draw(rt, "seconds")) * time.Second)
	case 1:
		to = to.Add(time.Duration(rapid.IntRange(1, 70).Draw(rt, "days")) * 24 * time.Hour)
	case 2:
		for _, s := range w.states(t, w.engines[0]) {
			if !budget.ByHand(s.EndsAt) {
				to = s.EndsAt.Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "beside")) * time.Second)
				break
			}
		}
	case 3:
		to = to.Add(-time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds back")) * time.Second)
	}
	w.clock.set(to)
	if to.After(w.latest) {
		w.latest = to
	}
	if rapid.Bool().Draw(rt, "increases end") {
		_, err := w.engine(rt).EndDue(ctx)
		require.NoError(rt, err)
	}
}

// giveUp does what a sweep does to silent nodes, to all of them: none can be heard
// of in between.
func giveUp(t testing.TB, tr *tree) {
	t.Helper()
	tr.exec(t, "DELETE FROM nodes")
}

// dirs is a folder for the journals of a store's engines.
func dirs(t testing.TB, st *store.Store) string {
	t.Helper()
	dir, _ := journals.LoadOrStore(st, t.TempDir())
	return dir.(string)
}
