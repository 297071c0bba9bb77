package budget_test

import (
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
						require.True(rt, fault.Is(err, fault.BudgetExceeded), err)
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
			for range 2 { // each gives back what it has leased of ended cycles
				renew(rt, two)
				renew(rt, one)
			}
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
				for jumps := 0; ; jumps++ {
					select {
					case <-done:
						return
					default:
						if _, err := e.Renew(ctx); err != nil {
							t.Error(err)
						}
						if jumps < 30 {
							now.set(now.now().Add(9 * 24 * time.Hour))
						}
					}
				}
			})
		}
		calls.Wait()
		close(done)
		rest.Wait()
		now.set(now.now().AddDate(0, 2, 0))
		for range 2 { // each gives back what it has leased of ended cycles
			for _, e := range engines {
				renew(t, e)
			}
		}
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
		require.NoError(t, tr.st.System().QueryRowContext(ctx, query, args...).Scan(&out))
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
			// Once closed, nobody has a lease: all that was spent is folded.
			spent := int64(sum(`SELECT CAST(c.folded + COALESCE((SELECT sum(l.spent) FROM budget_leases l WHERE l.cycle_id = c.id), 0) AS BIGINT)
				FROM budget_cycles c WHERE c.id = ?`, c.ID))
			require.True(t, c.EndsAt.After(c.StartsAt))
			if i > 0 {
				require.Equal(t, b.Edges.Cycles[i-1].EndsAt, c.StartsAt, "no gap, no overlap")
			}
			of := slices.DeleteFunc(slices.Clone(list), func(x *ent.Statement) bool { return x.CycleID != c.ID })
			if c.ClosedAt == nil {
				require.Empty(t, of)
				all += nano(spent + c.Corrections)
			} else {
				require.Len(t, of, 1, "closed once")
				x := of[0]
				text, err := json.Marshal(x)
				require.NoError(t, err)
				if was := seen[x.ID]; was != "" {
					require.Equal(t, was, string(text), "a statement never moves")
				}
				seen[x.ID] = string(text)
				require.Equal(t, []int64{spent, c.Corrections, c.Lim, c.Carried, c.Raised}, []int64{x.Spent, x.Corrections, x.Lim, x.CarriedIn, x.Raised})
				require.Equal(t, x.Spent, min(x.Spent, x.Lim)+x.OverflowSpent+x.ExcessSpent, "within, in the overflow, beyond")
				require.Equal(t, x.CarriedOut, b.Edges.Cycles[i+1].Carried)
				all += nano(x.Spent + x.Corrections)
			}
			ledger += sum("SELECT CAST(sum("+amount+") AS BIGINT) FROM charges WHERE account_id = ? AND CAST(cycles AS TEXT) LIKE ?", tr.account, "%"+c.ID+"%") + nano(c.Prior)
		}
		require.Equal(t, ledger, all, "statements and open cycles are the ledger")
	}
}
