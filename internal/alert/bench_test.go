package alert_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// A look costs what was charged, not what there is: 20,000 budgets beside.
func BenchmarkLook(b *testing.B) {
	st := storetest.Open(b)
	w := newWorld(b, st)
	p := w.A.Console
	w.roomy(p, money.Nano(1_000_000)*usd/100)
	const many = 20_000
	require.NoError(b, st.WriteTx(context.Background(), func(tx *sql.Tx) error {
		past := time.Now().Add(-24 * time.Hour).UTC()
		for i := range many {
			key := id.New(id.Key)
			bud, cyc := id.New(id.Budget), id.New(id.BudgetCycle)
			for _, s := range []struct {
				q    string
				args []any
			}{
				{`INSERT INTO scopes (id, account_id, plane, created_at, updated_at, kind, name, path, parent_id, parent_plane) VALUES (?, ?, 'CONSOLE', ?, ?, 'KEY', ?, ?, ?, 'CONSOLE')`,
					[]any{key, p.Root.AccountID, past, past, fmt.Sprint("key", i), p.Team.Path + key + "/", p.Team.ID}},
				{`INSERT INTO budgets (id, account_id, plane, created_at, updated_at, scope_id, unit, lim) VALUES (?, ?, 'CONSOLE', ?, ?, ?, 'USD', 1000)`,
					[]any{bud, p.Root.AccountID, past, past, key}},
				{`INSERT INTO budget_cycles (id, account_id, plane, created_at, budget_id, starts_at, ends_at, lim) VALUES (?, ?, 'CONSOLE', ?, ?, ?, ?, 1000)`,
					[]any{cyc, p.Root.AccountID, past, bud, past, past.Add(30 * 24 * time.Hour)}},
			} {
				if _, err := tx.Exec(s.q, s.args...); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	watcher := w.watcher()
	began := time.Now()
	require.NoError(b, watcher.Look(b.Context()))
	sweep := time.Since(began)
	for b.Loop() {
		b.StopTimer()
		require.NoError(b, w.spend(p, 1))
		b.StartTimer()
		require.NoError(b, watcher.Look(b.Context()))
	}
	b.ReportMetric(float64(sweep.Milliseconds()), "ms/sweep")
}
