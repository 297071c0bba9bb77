package budget_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// books is a plane with something of everything that Verify computes anew: a
// month with its statement and what it carried over, calls by price, by ceiling,
// in doubt, late and corrected, shares, an increase, and a call that runs.
func books(t *testing.T, st *store.Store) (e *budget.Engine, tr *tree) {
	t.Helper()
	now := newClock(november())
	e = start(t, st, now.now)
	tr = plant(t, st, tenancy.Copilot, "UTC")
	bob, path := tr.member(t)
	tr.set(t, e, tr.root, 100*usd)
	_, err := tr.try(e, tr.team, budget.Spec{Limit: 80 * usd, Overflow: 5 * usd, Distribution: ptr(budget.Equal), RolloverCap: ptr(30 * usd)})
	require.NoError(t, err)
	_, err = tr.try(e, bob, budget.Spec{Limit: 3 * usd})
	require.NoError(t, err)
	_, _, err = tr.raise(e, tr.team, 7*usd, now.now().AddDate(0, 6, 0))
	require.NoError(t, err)
	corrected := tr.spend(t, e, 10)
	tr.spend(t, e, 5)
	_, err = e.Adjust(ctx, corrected, output(4))
	require.NoError(t, err)
	h, err := e.Hold(ctx, tr.call(), output(2))
	require.NoError(t, err)
	_, err = h.Doubt(ctx, budget.Outcome{})
	require.NoError(t, err)
	tool := tr.call()
	tool.PriceID, tool.Ceiling = "", 2*usd
	h, err = e.Hold(ctx, tool, budget.Usage{})
	require.NoError(t, err)
	_, err = h.Settle(ctx, budget.Usage{}, budget.Outcome{})
	require.NoError(t, err)
	late := tr.call()
	late.Path, late.MemberID, late.KeyID = path, bob, ""
	h, err = e.Hold(ctx, late, output(3))
	require.NoError(t, err)
	r, err := h.Settle(ctx, output(4), budget.Outcome{})
	require.NoError(t, err)
	require.Equal(t, usd, r.Late)
	now.set(now.now().AddDate(0, 1, 0))
	require.Positive(t, renew(t, e).Closed)
	tr.spend(t, e, 1)
	_, err = e.Adjust(ctx, corrected, output(3)) // of the month before
	require.NoError(t, err)
	_, err = e.Hold(ctx, tr.call(), output(1))
	require.NoError(t, err)
	balanced(t, e)
	return e, tr
}

// Whatever is changed behind the engine's back is found, and told where.
func TestVerifyFindsWhatWasChanged(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		e, tr := books(t, st)
		exec := func(query string) {
			query = strings.NewReplacer("{team}", "budget_id = (SELECT id FROM budgets WHERE scope_id = '"+tr.team+"')", "{mem}", tr.mem, "{usd}", fmt.Sprint(int64(usd))).Replace(query)
			_, err := owner.ExecContext(ctx, query)
			require.NoError(t, err, query)
		}
		if st.Dialect == store.Postgres {
			for _, table := range []string{"charges", "prices", "credit_factors", "budgets", "budget_cycles", "budget_leases", "holds", "statements", "usage_days"} {
				exec("ALTER TABLE " + table + " NO FORCE ROW LEVEL SECURITY")
			}
			exec("DROP TRIGGER tenant_cycle_closed ON budget_cycles")
		} else {
			exec("DROP TRIGGER tenant_cycle_closed")
			exec("DROP TRIGGER tenant_statements_stand")
		}
		// Of a column: more by one.
		more := func(table, column, where, found string) [3]string {
			set := "UPDATE " + table + " SET " + column + " = " + column + " %s 1 WHERE " + where
			return [3]string{fmt.Sprintf(set, "+"), fmt.Sprintf(set, "-"), found}
		}
		running := "{team} AND closed_at IS NULL"
		asText := func(set string) string { // of a JSON column
			if st.Dialect == store.Postgres {
				return "CAST(" + set + " AS JSONB)"
			}
			return set
		}
		for _, tamper := range [][3]string{
			more("charges", "cost", "kind = 'SETTLED' AND price_id <> ''", "at price prc_x: cost is "),
			more("charges", "output_tokens", "kind = 'SETTLED' AND price_id <> ''", "at price prc_x: cost is "),
			more("prices", "output", "id = 'prc_x'", "at price prc_x: cost is "),
			more("charges", "credits", "kind = 'SETTLED'", ": credits is "),
			more("charges", "credits", "kind = 'LATE'", ": credits is "),
			more("charges", "factor_ppm", "kind = 'SETTLED'", "factor in ppm is 1000001, should be 1000000 (off by +1)"),
			more("charges", "held", "kind = 'IN_DOUBT'", "what it was charged is 2, should be 2.000000001 (off by -0.000000001)"),
			more("charges", "held", "kind = 'SETTLED' AND price_id = ''", "what it was charged is 2, should be 2.000000001"),
			more("charges", "output_tokens", "kind = 'ADJUSTED'", "cost after corrections is "),
			more("charges", "day", "kind = 'SETTLED'", "calls is off by +"), // a day of some time zone, but not of the sums
			{"UPDATE charges SET day = day + 2 WHERE kind = 'SETTLED'", "UPDATE charges SET day = day - 2 WHERE kind = 'SETTLED'", ": day is "},
			{"UPDATE charges SET price_id = 'prc_gone' WHERE price_id = 'prc_x'", "UPDATE charges SET price_id = 'prc_x' WHERE price_id = 'prc_gone'", "price is prc_gone, which is gone"},
			{"UPDATE charges SET factor_id = 'fac_gone'", "UPDATE charges SET factor_id = '" + tr.factor + "'", "factor is fac_gone, which is gone"},
			{"UPDATE charges SET adjusts = adjusts || 'x' WHERE kind = 'LATE'", "UPDATE charges SET adjusts = substr(adjusts, 1, length(adjusts) - 1) WHERE kind = 'LATE'", "the charge that it came to is chg_"},
			{"UPDATE charges SET kind = 'SETTLED' WHERE kind = 'LATE'", "UPDATE charges SET kind = 'LATE' WHERE kind = 'SETTLED' AND adjusts <> ''", "its kind is SETTLED"},
			{"UPDATE charges SET cost = -cost WHERE kind = 'ADJUSTED'", "UPDATE charges SET cost = -cost WHERE kind = 'ADJUSTED'", "its amount is "},
			{"UPDATE charges SET cycles = " + asText("replace(CAST(cycles AS TEXT), 'cyc_', 'bgo_')"), "UPDATE charges SET cycles = " + asText("replace(CAST(cycles AS TEXT), 'bgo_', 'cyc_')"),
				"a cycle that they name is bgo_"},
			{"UPDATE budget_cycles SET folded = folded + 1, escrowed = escrowed + 1 WHERE " + running, "UPDATE budget_cycles SET folded = folded - 1, escrowed = escrowed - 1 WHERE " + running, "spent is 1.000000001, should be 1 (off by +0.000000001)"},
			more("budget_cycles", "corrections", running, ": corrections is -0.999999999, should be -1"),
			more("budget_cycles", "escrowed", running, ": escrowed is "),
			more("budget_leases", "held", "cycle_id IN (SELECT id FROM budget_cycles WHERE "+running+")", ": held is 1.000000001, should be 1 "),
			more("budget_cycles", "lim", running, ": limit is "),
			more("budget_cycles", "overflow", running, ": overflow is 5.000000001, should be 5 "),
			more("budget_cycles", "raised", running, ": raised is 7.000000001, should be 7 "),
			{"UPDATE budget_cycles SET starts_at = ends_at WHERE " + running, "UPDATE budget_cycles SET starts_at = (SELECT ends_at FROM budget_cycles WHERE {team} AND closed_at IS NOT NULL) WHERE " + running, "its end is "},
			{"UPDATE budget_cycles SET ends_at = starts_at WHERE {team} AND closed_at IS NOT NULL", "UPDATE budget_cycles SET ends_at = (SELECT starts_at FROM budget_cycles WHERE " + running + ") WHERE {team} AND closed_at IS NOT NULL", "its start is "},
			{"UPDATE budget_cycles SET revision = revision + 4294967296 WHERE " + running, "UPDATE budget_cycles SET revision = revision - 4294967296 WHERE " + running, "its place among the cycles that are left is 2, should be 3"},
			more("budgets", "lim", "scope_id = '{mem}'", "its share of "+tr.team+" is "),
			{"UPDATE budgets SET reserve = reserve + CAST(90 AS BIGINT) * {usd} WHERE scope_id = '" + tr.team + "'", "UPDATE budgets SET reserve = reserve - CAST(90 AS BIGINT) * {usd} WHERE scope_id = '" + tr.team + "'", "what it has given for good and keeps back is 93, should be 80"},
			more("statements", "lim", "{team}", ": limit is "),
			more("statements", "overflow", "{team}", ": overflow is "),
			more("statements", "carried_in", "{team}", ": carried in is "),
			more("statements", "raised", "{team}", ": raised is "),
			more("statements", "spent", "{team}", ": spent is "),
			more("statements", "overflow_spent", "{team}", ": spent in the overflow is "),
			more("statements", "excess_spent", "{team}", ": spent beyond the overflow is "),
			more("statements", "corrections", "{team}", ": corrections is "),
			more("statements", "carried_out", "{team}", ": carried out is "),
			more("statements", "calls", "{team}", ": the calls of its models is "),
			{"UPDATE statements SET ends_at = starts_at WHERE {team}", "UPDATE statements SET ends_at = (SELECT ends_at FROM budget_cycles c WHERE c.id = cycle_id) WHERE {team}", ": its time is "},
			{"UPDATE statements SET models = " + asText("replace(CAST(models AS TEXT), 'mod_x', 'mod_y')"), "UPDATE statements SET models = " + asText("replace(CAST(models AS TEXT), 'mod_y', 'mod_x')"), "model mod_y: calls is off by +"},
			{"UPDATE statements SET cycle_id = cycle_id || 'x' WHERE {team}", "UPDATE statements SET cycle_id = substr(cycle_id, 1, length(cycle_id) - 1) WHERE {team}", ": its cycle is cyc_"},
			{"UPDATE statements SET cycle_id = cycle_id || 'x' WHERE {team}", "UPDATE statements SET cycle_id = substr(cycle_id, 1, length(cycle_id) - 1) WHERE {team}", ": its statement is missing"},
		} {
			exec(tamper[0])
			found, err := e.Verify(ctx)
			require.NoError(t, err)
			var text strings.Builder
			for _, d := range found {
				fmt.Fprintln(&text, d)
			}
			require.Contains(t, text.String(), tamper[2], tamper[0])
			exec(tamper[1])
			balanced(t, e)
		}
	})
}

// A removed budget takes its cycles along, and leaves charges and statements
// that name them; a new one in its place knows nothing of them.
func TestVerifyKnowsRemovedBudgets(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.root, 100*usd)
		tr.set(t, e, tr.team, 50*usd)
		tr.spend(t, e, 3)
		now.set(now.now().AddDate(0, 1, 0))
		tr.spend(t, e, 2)
		require.Equal(t, 2, renew(t, e).Closed)
		now.set(now.now().Add(2 * time.Hour))
		_, err := tr.remove(e, tr.team)
		require.NoError(t, err)
		tr.spend(t, e, 1)
		balanced(t, e)
		tr.set(t, e, tr.team, 50*usd)
		tr.spend(t, e, 1)
		require.Equal(t, 4*usd, tr.states(t, e)[tr.team].Spent)
		balanced(t, e)
	})
}

// The ledger of a deleted account stays; its prices, budgets and sums don't.
func TestVerifyLeavesDeletedAccountsOut(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr, other := plant(t, st, tenancy.Console, "UTC"), plant(t, st, tenancy.Console, "UTC")
		for _, tr := range []*tree{tr, other} {
			tr.set(t, e, tr.root, 100*usd)
			tr.spend(t, e, 3)
		}
		now.set(now.now().AddDate(0, 1, 0))
		renew(t, e)
		require.NoError(t, e.Close(ctx))
		e = start(t, st, now.now)
		tr.exec(t, "UPDATE accounts SET deleting_at = ? WHERE id = ?", past, tr.account)
		for _, table := range []string{"usage_days", "usage_tags", "usage_totals", "statements", "budget_cycles"} {
			tr.exec(t, "DELETE FROM "+table+" WHERE account_id = ?", tr.account)
			balanced(t, e)
		}
		other.exec(t, "DELETE FROM usage_days WHERE account_id = ?", other.account)
		found, err := e.Verify(ctx)
		require.NoError(t, err)
		require.Len(t, found, 1)
	})
}
