package budget_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (tr *tree) cap(t testing.TB, scopeID string, rollover money.Nano) {
	t.Helper()
	tr.exec(t, "UPDATE budgets SET rollover_cap = ? WHERE scope_id = ?", int64(rollover), scopeID)
}

func (tr *tree) statements(t testing.TB, scopeID string) []*ent.Statement {
	t.Helper()
	return tr.st.Statement.Query().Where(statement.ScopeID(scopeID)).Order(statement.ByStartsAt()).AllX(system())
}

func (tr *tree) spend(t require.TestingT, e *budget.Engine, n int64) string {
	h, err := e.Hold(ctx, tr.call(), output(n))
	require.NoError(t, err)
	_, err = h.Settle(ctx, output(n), budget.Outcome{})
	require.NoError(t, err)
	return h.ID
}

func renew(t require.TestingT, e *budget.Engine) budget.Renewed {
	out, err := e.Renew(ctx)
	require.NoError(t, err)
	return out
}

func TestANewBudgetCountsFromItsPeriodsStart(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "Europe/Berlin")
		tr.spend(t, e, 7) // nothing limits yet
		now.set(time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC))
		running, err := e.Hold(ctx, tr.call(), output(4))
		require.NoError(t, err)

		tr.set(t, e, tr.team, 5*usd)
		s := tr.states(t, e)[tr.team]
		require.Equal(t, time.Date(2026, 10, 31, 23, 0, 0, 0, time.UTC), s.StartsAt, "midnight in Berlin")
		require.Equal(t, []money.Nano{7 * usd, 2 * usd}, []money.Nano{s.Spent, s.Excess})
		require.Equal(t, budget.Blocked, s.Status)
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetExceeded), err)

		_, err = running.Settle(ctx, output(3), budget.Outcome{})
		require.NoError(t, err)
		require.NoError(t, e.CountPrior(ctx))
		require.NoError(t, e.CountPrior(ctx))
		require.Equal(t, 10*usd, tr.states(t, e)[tr.team].Spent, "a call that ran meanwhile is counted, once")
		tr.set(t, e, tr.team, 20*usd)
		tr.spend(t, e, 2)
		require.Equal(t, 12*usd, tr.states(t, e)[tr.team].Spent)
		balanced(t, e)

		// Away and set again, it is the same number.
		require.NoError(t, st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return e.Remove(ctx, tx, tr.team)
		}))
		tr.set(t, e, tr.team, 20*usd)
		require.Equal(t, 12*usd, tr.states(t, e)[tr.team].Spent)

		now.set(now.now().AddDate(0, 1, 0))
		tr.spend(t, e, 1)
		renew(t, e)
		got := tr.statements(t, tr.team)
		require.Len(t, got, 1)
		require.EqualValues(t, 12*usd, got[0].Spent)
		require.EqualValues(t, 3, got[0].Calls)
		require.Equal(t, usd, tr.states(t, e)[tr.team].Spent)
		balanced(t, e)
	})
}

func TestStatementSaysWhatTheLedgerSays(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		price := tr.price(t)
		_, err := tr.try(e, tr.team, budget.Spec{Limit: 10 * usd, Overflow: 4 * usd})
		require.NoError(t, err)
		c := tr.call()
		c.PriceID = price
		h, err := e.Hold(ctx, c, output(8))
		require.NoError(t, err)
		_, err = h.Settle(ctx, output(8), budget.Outcome{})
		require.NoError(t, err)
		free := tr.call()
		free.Prices = budget.Prices{}
		running, err := e.Hold(ctx, free, output(1))
		require.NoError(t, err)
		now.set(now.now().Add(time.Minute))
		split := tr.spend(t, e, 5)
		now.set(now.now().Add(time.Minute))
		over, err := e.Hold(ctx, tr.call(), output(1))
		require.NoError(t, err)
		_, err = over.Settle(ctx, output(3), budget.Outcome{}) // two more than was held
		require.NoError(t, err)
		s := tr.states(t, e)[tr.team]
		require.Equal(t, []money.Nano{16 * usd, 4 * usd, 2 * usd}, []money.Nano{s.Spent, s.OverflowSpent, s.Excess})

		parts, err := e.Overflows(ctx, []string{h.ID, split, over.ID})
		require.NoError(t, err)
		require.Empty(t, parts[h.ID])
		require.Len(t, parts[split], 1)
		require.Equal(t, 3*usd, parts[split][0].Amount, "8 and 2 within the limit")
		require.Equal(t, usd, parts[over.ID][0].Amount)
		require.Equal(t, "Risk", parts[split][0].ScopeName)

		now.set(now.now().AddDate(0, 1, 0))
		require.Zero(t, renew(t, e).Closed, "a call still runs")
		require.Empty(t, tr.statements(t, tr.team))
		_, err = running.Settle(ctx, output(0), budget.Outcome{})
		require.NoError(t, err)
		require.Equal(t, 1, renew(t, e).Closed)
		require.Zero(t, renew(t, e).Closed)
		_, err = e.Adjust(ctx, h.ID, output(2))
		require.NoError(t, err)
		tr.spend(t, e, 1)
		first := tr.statements(t, tr.team)[0]
		require.EqualValues(t, []money.Nano{16 * usd, 4 * usd, 2 * usd, 0}, []money.Nano{nano(first.Spent), nano(first.OverflowSpent), nano(first.ExcessSpent), nano(first.Corrections)})
		require.EqualValues(t, 4, first.Calls)
		require.Equal(t, "Risk", first.ScopeName)

		now.set(now.now().AddDate(0, 1, 0))
		require.Equal(t, budget.Renewed{Opened: 1, Closed: 1}, renew(t, e))
		both := tr.statements(t, tr.team)
		require.Len(t, both, 2)
		require.Equal(t, first.String(), both[0].String(), "it never moves")
		require.EqualValues(t, []money.Nano{usd, -6 * usd}, []money.Nano{nano(both[1].Spent), nano(both[1].Corrections)})
		var models []budget.ModelSum
		require.NoError(t, json.Unmarshal(both[0].Models, &models))
		require.Equal(t, []budget.ModelSum{{ModelID: "mod_x", Name: "small", Calls: 4, Amount: 16 * usd, OutputTokens: 16}}, models)
		balanced(t, e)

		for _, q := range []string{"UPDATE statements SET spent = 0", "UPDATE budget_cycles SET spent = spent + 1, excess = excess + 1 WHERE closed_at IS NOT NULL"} {
			_, err := st.System().ExecContext(ctx, q)
			require.Error(t, err, q)
		}
	})
}

func nano(n int64) money.Nano { return money.Nano(n) }

func TestRollover(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 100*usd)
		tr.set(t, e, tr.team, 90*usd)
		tr.set(t, e, tr.mem, 50*usd)
		bob, _ := tr.member(t)
		tr.set(t, e, bob, 40*usd)
		tr.cap(t, tr.root, 5*usd)
		tr.cap(t, tr.team, 30*usd)
		tr.cap(t, tr.mem, 12*usd)
		tr.cap(t, bob, 12*usd)
		tr.spend(t, e, 10)

		now.set(now.now().AddDate(0, 1, 0))
		require.Equal(t, budget.Renewed{Opened: 4, Closed: 4}, renew(t, e))
		limits := func() (out []money.Nano) {
			s := tr.states(t, e)
			for _, k := range []string{tr.root, tr.team, tr.mem, bob} {
				out = append(out, s[k].Limit, s[k].Carried)
			}
			return out
		}
		first, second := tr.mem, bob
		if bob < tr.mem {
			first, second = bob, tr.mem
		}
		s := tr.states(t, e)
		require.Equal(t, []money.Nano{105 * usd, 5 * usd, 105 * usd, 15 * usd}, limits()[:4], "the pool carries its cap, the team what fits into the pool")
		require.Equal(t, []money.Nano{12 * usd, 3 * usd}, []money.Nano{s[first].Carried, s[second].Carried}, "of 15 that the team has left to give")
		before := limits()
		renew(t, e)
		require.Equal(t, before, limits(), "once")
		tr.set(t, e, tr.mem, 45*usd)
		require.Equal(t, 45*usd+s[tr.mem].Carried, tr.states(t, e)[tr.mem].Limit, "a changed limit keeps what was carried")

		// A month without anybody looking: the same as if somebody had.
		now.set(now.now().AddDate(0, 2, 0))
		renew(t, e)
		states := tr.states(t, e)
		require.Equal(t, []money.Nano{105 * usd, 5 * usd}, []money.Nano{states[tr.root].Limit, states[tr.root].Carried})
		list := tr.statements(t, tr.root)
		require.Len(t, list, 3)
		for i := range list[1:] {
			require.Equal(t, list[i].CarriedOut, list[i+1].CarriedIn)
			require.Equal(t, list[i].EndsAt, list[i+1].StartsAt)
		}
		balanced(t, e)
	})
}

func TestIncreasesAndOverflowAreNotCarried(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		set, err := tr.try(e, tr.root, budget.Spec{Limit: 10 * usd, Overflow: 50 * usd})
		require.NoError(t, err)
		tr.cap(t, tr.root, 100*usd)
		until := func(id string, amount money.Nano, at time.Time) {
			tr.exec(t, "INSERT INTO budget_increases (id, account_id, plane, created_at, budget_id, amount, ends_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
				id, tr.account, string(tr.plane), past, set.Budget.ID, int64(amount), at)
			tr.exec(t, "UPDATE budget_cycles SET lim = lim + ?, raised = raised + ? WHERE budget_id = ?", int64(amount), int64(amount), set.Budget.ID)
		}
		until(tr.key+"1", 3*usd, time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
		until(tr.key+"2", 4*usd, time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC))
		tr.spend(t, e, 8)
		now.set(time.Date(2026, 12, 5, 0, 0, 0, 0, time.UTC))
		s := tr.states(t, e)[tr.root]
		require.Equal(t, []money.Nano{14 * usd, 4 * usd}, []money.Nano{s.Limit, s.Raised}, "told before it is opened")
		renew(t, e)
		s = tr.states(t, e)[tr.root]
		require.Equal(t, []money.Nano{16 * usd, 4 * usd, 2 * usd}, []money.Nano{s.Limit, s.Raised, s.Carried}, "10, the increase that lasts, and 2 of 10 that were left")
		one := tr.statements(t, tr.root)[0]
		require.EqualValues(t, []int64{int64(17 * usd), int64(7 * usd), int64(2 * usd)}, []int64{one.Lim, one.Raised, one.CarriedOut})
	})
}

func TestManualCyclesAreRenewedByHand(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		manual, monthly := budget.Manual, budget.Monthly
		hand := func(scopeID string) error {
			return st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				return e.RenewNow(ctx, tx, scopeID)
			})
		}
		require.True(t, fault.Is(hand(tr.root), fault.NotFound))
		_, err := tr.try(e, tr.root, budget.Spec{Limit: 10 * usd, Cycle: &manual})
		require.NoError(t, err)
		now.set(now.now().Add(time.Hour))
		tr.set(t, e, tr.team, 5*usd)
		_, err = tr.try(e, tr.key, budget.Spec{Limit: 9 * usd, Cycle: &monthly})
		require.NoError(t, err)
		require.Equal(t, november(), tr.states(t, e)[tr.team].StartsAt, "the pool's")
		require.True(t, fault.Is(hand(tr.team), fault.Invalid), "goes by the pool")
		require.True(t, fault.Is(hand(tr.key), fault.Invalid), "renews by itself")
		tr.spend(t, e, 5)
		running, err := e.Hold(ctx, tr.call(), output(0))
		require.True(t, fault.Is(err, fault.BudgetExceeded) || running != nil)
		now.set(now.now().Add(time.Hour))
		require.NoError(t, hand(tr.root))
		require.True(t, fault.Is(hand(tr.root), fault.Conflict), "empty cycles make no sense")
		s := tr.states(t, e)
		require.Equal(t, []money.Nano{0, 0, 5 * usd}, []money.Nano{s[tr.root].Spent, s[tr.team].Spent, s[tr.key].Spent})
		require.Equal(t, now.now(), s[tr.team].StartsAt)
		require.Equal(t, 9999, s[tr.team].EndsAt.Year())
		if running != nil {
			require.NoError(t, running.Release(ctx))
		}
		tr.spend(t, e, 2)
		require.Equal(t, 2, renew(t, e).Closed)
		got := tr.statements(t, tr.team)
		require.Len(t, got, 1)
		require.EqualValues(t, 5*usd, got[0].Spent)
		balanced(t, e)
	})
}

// What a changed rule, day or time zone does in the middle of a cycle.
func TestChangingTheRuleInTheMiddle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		quarterly := budget.Quarterly
		tr.set(t, e, tr.root, 10*usd)
		tr.set(t, e, tr.team, 5*usd)
		tr.spend(t, e, 1)
		began := tr.states(t, e)[tr.team].StartsAt
		// The rule: the current cycle goes on and ends where the new rule says.
		_, err := tr.try(e, tr.root, budget.Spec{Limit: 10 * usd, Cycle: &quarterly, CycleDay: 20})
		require.NoError(t, err)
		s := tr.states(t, e)[tr.team]
		require.Equal(t, []time.Time{began, time.Date(2027, 1, 20, 0, 0, 0, 0, time.UTC)}, []time.Time{s.StartsAt, s.EndsAt})
		require.Equal(t, usd, s.Spent)
		// The time zone: the current cycle ends where it was told, the next goes by the new one.
		tr.exec(t, "UPDATE accounts SET time_zone = 'Asia/Kathmandu' WHERE id = ?", tr.account)
		require.Equal(t, s.EndsAt, tr.states(t, e)[tr.team].EndsAt)
		now.set(s.EndsAt)
		renew(t, e)
		s2 := tr.states(t, e)[tr.team]
		require.Equal(t, s.EndsAt, s2.StartsAt)
		require.Equal(t, time.Date(2027, 4, 19, 18, 15, 0, 0, time.UTC), s2.EndsAt)
		// West of it the boundary lies hours after this one: no cycle of a few hours.
		tr.exec(t, "UPDATE accounts SET time_zone = 'America/New_York' WHERE id = ?", tr.account)
		now.set(s2.EndsAt)
		renew(t, e)
		s2 = tr.states(t, e)[tr.team]
		require.Equal(t, time.Date(2027, 7, 20, 4, 0, 0, 0, time.UTC), s2.EndsAt)
		// A budget made now begins where the pool does.
		tr.set(t, e, tr.org, 5*usd)
		require.Equal(t, s2.StartsAt, tr.states(t, e)[tr.org].StartsAt)
	})
}

func TestFrozenBudgetsHoldNothingNew(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 10*usd)
		tr.set(t, e, tr.team, 5*usd)
		running, err := e.Hold(ctx, tr.call(), output(2))
		require.NoError(t, err)
		in := func(f func(context.Context, *store.Tx) (*ent.Budget, error)) error {
			return st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := f(ctx, tx)
				return err
			})
		}
		freeze := func(scopeID, reason string) error {
			return in(func(ctx context.Context, tx *store.Tx) (*ent.Budget, error) {
				return e.Freeze(ctx, tx, scopeID, "usr_x", reason)
			})
		}
		resume := func(scopeID string) error {
			return in(func(ctx context.Context, tx *store.Tx) (*ent.Budget, error) {
				return e.Resume(ctx, tx, scopeID, "usr_x")
			})
		}
		for _, bad := range []string{"", " \n", strings.Repeat("é", 501), "a\x00b", "\xff"} {
			require.True(t, fault.Is(freeze(tr.team, bad), fault.Invalid), "%q", bad)
		}
		require.True(t, fault.Is(freeze(tr.mem, "x"), fault.NotFound), "no budget stands there")
		require.NoError(t, freeze(tr.team, "Runaway loop."))
		require.True(t, fault.Is(freeze(tr.team, "again"), fault.Conflict))
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetFrozen), err)
		if st.Dialect == store.Postgres {
			other := start(t, st, now.now)
			_, err := other.Hold(ctx, tr.call(), output(1))
			require.True(t, fault.Is(err, fault.BudgetFrozen), "on every replica at once: %v", err)
		}
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.EqualError(t, err, "The budget of team Risk is frozen: Runaway loop. An admin of a scope above it can resume it, or whoever froze it.")
		s := tr.states(t, e)
		require.Equal(t, budget.Blocked, s[tr.team].Status)
		require.NotNil(t, s[tr.team].FrozenAt)
		require.Equal(t, budget.OK, s[tr.root].Status)
		_, err = running.Settle(ctx, output(2), budget.Outcome{})
		require.NoError(t, err, "what runs finishes")
		require.Equal(t, 2*usd, tr.states(t, e)[tr.team].Spent)
		now.set(now.now().AddDate(0, 1, 0))
		renew(t, e)
		_, err = e.Hold(ctx, tr.call(), output(1))
		require.True(t, fault.Is(err, fault.BudgetFrozen), "a renewal doesn't thaw it")
		require.NoError(t, resume(tr.team))
		require.True(t, fault.Is(resume(tr.team), fault.Conflict))
		tr.spend(t, e, 1)
		balanced(t, e)
	})
}

// Whatever the clock, the zone, the calls and the corrections do, and whichever
// of two replicas renews: cycles follow each other without gap or overlap, each
// closes once with a statement that is the ledger's and never moves, and all of
// them together are the ledger.
func TestRenewalIsExact(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		one, two := start(t, st, now.now), start(t, st, now.now)
		if st.Dialect != store.Postgres {
			two = one // SQLite has one process
		}
		rapid.Check(t, func(rt *rapid.T) {
			now.set(time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(rt, "month")), rapid.IntRange(1, 28).Draw(rt, "day"), 11, 30, 0, 0, time.UTC))
			zone := rapid.SampledFrom([]string{"Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"}).Draw(rt, "zone")
			plane := rapid.SampledFrom([]tenancy.Plane{tenancy.Console, tenancy.Copilot}).Draw(rt, "plane")
			tr := plant(t, st, plane, zone)
			price := "prc_x" // of the platform's catalogue
			if plane == tenancy.Console {
				price = tr.price(t)
			}
			scopes := []string{tr.root, tr.team, tr.mem, tr.key}
			cycle := rapid.SampledFrom([]budget.Cycle{budget.Monthly, budget.Quarterly, budget.Yearly}).Draw(rt, "cycle")
			_, err := tr.try(one, tr.root, budget.Spec{Limit: 40 * usd, Cycle: &cycle, CycleDay: rapid.IntRange(1, 28).Draw(rt, "cycle day")})
			require.NoError(rt, err)
			tr.cap(t, tr.root, usd*money.Nano(rapid.Int64Range(0, 50).Draw(rt, "pool cap")))
			var holds []*budget.Hold
			var charges []string
			seen := map[string]string{}
			either := func(rt *rapid.T) *budget.Engine {
				if rapid.Bool().Draw(rt, "replica") {
					return two
				}
				return one
			}
			rt.Repeat(map[string]func(*rapid.T){
				"": func(rt *rapid.T) { tr.exact(rt, scopes, seen) },
				"set": func(rt *rapid.T) {
					s := rapid.SampledFrom(scopes[1:]).Draw(rt, "scope")
					_, err := tr.try(either(rt), s, budget.Spec{Limit: usd * money.Nano(rapid.Int64Range(0, 20).Draw(rt, "limit")), Overflow: usd * money.Nano(rapid.Int64Range(0, 3).Draw(rt, "overflow"))})
					if err != nil {
						require.True(rt, fault.Is(err, fault.Invalid), err)
						return
					}
					tr.cap(t, s, usd*money.Nano(rapid.Int64Range(0, 30).Draw(rt, "cap")))
				},
				"hold": func(rt *rapid.T) {
					c := tr.call()
					c.PriceID = price
					if h, err := either(rt).Hold(ctx, c, output(rapid.Int64Range(0, 6).Draw(rt, "n"))); err == nil {
						holds = append(holds, h)
					} else {
						require.True(rt, fault.Is(err, fault.BudgetExceeded), err)
					}
				},
				"end": func(rt *rapid.T) {
					if len(holds) == 0 {
						rt.Skip("no hold")
					}
					h := holds[0]
					holds = holds[1:]
					r, err := h.Settle(ctx, output(rapid.Int64Range(0, 8).Draw(rt, "n")), budget.Outcome{})
					require.NoError(rt, err)
					charges = append(charges, r.ChargeID)
				},
				"correct": func(rt *rapid.T) {
					if len(charges) == 0 || plane != tenancy.Console {
						rt.Skip("nothing to correct")
					}
					_, err := either(rt).Adjust(ctx, rapid.SampledFrom(charges).Draw(rt, "charge"), output(rapid.Int64Range(0, 4).Draw(rt, "n")))
					require.NoError(rt, err)
				},
				"jump": func(rt *rapid.T) {
					now.set(now.now().Add(time.Duration(rapid.Int64Range(-3600, 70*86400).Draw(rt, "seconds")) * time.Second))
				},
				"renew": func(rt *rapid.T) {
					var wg sync.WaitGroup
					errs := make([]error, 2)
					for i, e := range []*budget.Engine{one, two} {
						wg.Go(func() { _, errs[i] = e.Renew(ctx) })
					}
					wg.Wait()
					require.NoError(rt, errs[0])
					require.NoError(rt, errs[1])
				},
			})
			for _, h := range holds {
				require.NoError(rt, h.Release(ctx))
			}
			now.set(now.now().AddDate(2, 0, 0))
			renew(rt, one)
			tr.exact(rt, scopes, seen)
			open := st.BudgetCycle.Query().Where(budgetcycle.AccountID(tr.account), budgetcycle.ClosedAtIsNil()).CountX(system())
			require.Equal(rt, len(tr.states(t, one)), open, "all but the current ones are closed")
			balanced(t, one)
		})
	})
}

// Calls begin and end on two replicas while the clock passes boundaries and both
// renew: nobody is refused for it, nothing is lost, nothing closed moves.
func TestCallsAcrossTheBoundary(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		engines := []*budget.Engine{start(t, st, now.now)}
		if st.Dialect == store.Postgres {
			engines = append(engines, start(t, st, now.now))
		}
		tr := plant(t, st, tenancy.Console, "Europe/Berlin")
		tr.set(t, engines[0], tr.root, 10_000*usd)
		tr.set(t, engines[0], tr.team, 10_000*usd)
		tr.cap(t, tr.root, 100*usd)
		price := tr.price(t)
		done := make(chan struct{})
		var calls, rest sync.WaitGroup
		for w := range 4 {
			calls.Go(func() {
				for range 15 {
					c := tr.call()
					c.PriceID = price
					h, err := engines[w%len(engines)].Hold(ctx, c, output(5))
					if err != nil {
						t.Error(err)
						return
					}
					if _, err := h.Settle(ctx, output(3), budget.Outcome{}); err != nil {
						t.Error(err)
					}
					if _, err := engines[0].Adjust(ctx, h.ID, output(2)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for _, e := range engines {
			rest.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						if _, err := e.Renew(ctx); err != nil {
							t.Error(err)
						}
						now.set(now.now().Add(9 * 24 * time.Hour))
					}
				}
			})
		}
		calls.Wait()
		close(done)
		rest.Wait()
		now.set(now.now().AddDate(0, 2, 0))
		renew(t, engines[0])
		tr.exact(t, []string{tr.root, tr.team}, map[string]string{})
		var total, corrections int64
		for _, s := range tr.statements(t, tr.root) {
			total, corrections = total+s.Spent, corrections+s.Corrections
		}
		require.EqualValues(t, 4*15*2*usd, total+corrections, "what 60 calls of two dollars came to")
		balanced(t, engines[0])
	})
}

// exact holds the cycles and statements of the tree against the ledger.
func (tr *tree) exact(t require.TestingT, scopes []string, seen map[string]string) {
	sum := func(query string, args ...any) (n money.Nano) {
		if tr.st.Dialect == store.Postgres {
			for i := 1; strings.Contains(query, "?"); i++ {
				query = strings.Replace(query, "?", fmt.Sprintf("$%d", i), 1)
			}
		}
		var out sql.NullInt64
		require.NoError(t, tr.st.System().QueryRow(query, args...).Scan(&out))
		return nano(out.Int64)
	}
	amount := map[tenancy.Plane]string{tenancy.Console: "cost", tenancy.Copilot: "credits"}[tr.plane]
	for _, s := range scopes {
		b := tr.st.Budget.Query().Where(entbudget.ScopeID(s)).WithCycles(func(q *ent.BudgetCycleQuery) { q.Order(budgetcycle.ByStartsAt()) }).FirstX(system())
		if b == nil {
			continue
		}
		var all, ledger money.Nano
		list := tr.st.Statement.Query().Where(statement.BudgetID(b.ID)).AllX(system())
		for i, c := range b.Edges.Cycles {
			require.True(t, c.EndsAt.After(c.StartsAt))
			if i > 0 {
				require.Equal(t, b.Edges.Cycles[i-1].EndsAt, c.StartsAt, "no gap, no overlap")
			}
			of := slices.DeleteFunc(slices.Clone(list), func(x *ent.Statement) bool { return x.CycleID != c.ID })
			if c.ClosedAt == nil {
				require.Empty(t, of)
				all += nano(c.Spent + c.Corrections)
			} else {
				require.Len(t, of, 1, "closed once")
				x := of[0]
				text, err := json.Marshal(x)
				require.NoError(t, err)
				if was := seen[x.ID]; was != "" {
					require.Equal(t, was, string(text), "a statement never moves")
				}
				seen[x.ID] = string(text)
				require.Equal(t, []int64{c.Spent, c.Corrections, c.Lim, c.Carried, c.Raised}, []int64{x.Spent, x.Corrections, x.Lim, x.CarriedIn, x.Raised})
				require.Equal(t, x.Spent, min(x.Spent, x.Lim)+x.OverflowSpent+x.ExcessSpent, "within, in the overflow, beyond")
				require.Equal(t, x.CarriedOut, b.Edges.Cycles[i+1].Carried)
				all += nano(x.Spent + x.Corrections)
			}
			ledger += sum("SELECT CAST(sum("+amount+") AS BIGINT) FROM charges WHERE account_id = ? AND CAST(cycles AS TEXT) LIKE ?", tr.account, "%"+c.ID+"%") + nano(c.Prior)
		}
		require.Equal(t, ledger, all, "statements and open cycles are the ledger")
	}
}
