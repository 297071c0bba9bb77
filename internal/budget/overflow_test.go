package budget_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// A receipt is split by the lines that are newer, found by an index: how large
// the ledger is doesn't matter.
func TestOverflowsReadWhatIsNewer(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.ledgerOf(t, 20_000, november().AddDate(0, 0, -90))
		_, err := owner.ExecContext(ctx, "ANALYZE charges")
		require.NoError(t, err)
		_, err = tr.try(e, tr.team, budget.Spec{Limit: 10 * usd, Overflow: 4 * usd})
		require.NoError(t, err)
		prior := tr.states(t, e)[tr.team].Spent
		require.Positive(t, prior)
		within := tr.spend(t, e, 8)
		now.set(now.now().Add(time.Minute))
		beyond := tr.spend(t, e, 5)
		parts, err := e.Overflows(ctx, []string{within, beyond})
		require.NoError(t, err)
		require.Empty(t, parts[within])
		require.Len(t, parts[beyond], 1)
		require.Equal(t, prior+3*usd, parts[beyond][0].Amount)

		explain := "EXPLAIN QUERY PLAN "
		if st.Dialect == store.Postgres {
			explain = "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) "
		}
		plan, err := e.ExplainOverflows(ctx, explain, beyond)
		require.NoError(t, err)
		t.Log(plan)
		require.NotContains(t, plan, "Seq Scan")
		require.NotContains(t, plan, "SCAN h")
		require.Regexp(t, `(?i)\bat"? ?>`, plan, "by scope and time")
		require.NotRegexp(t, `rows=\d{3}|Removed by Filter: \d{3}`, plan, "what is older isn't read")
	})
}
