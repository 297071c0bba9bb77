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

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

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
