package budget_test

import (
	"database/sql"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// BenchmarkCall is one hold and one settle on four budgets, by 64 callers; hot:
// all of one member, spread: of 100 members of one team. journal lets calls go out
// once the journal has them, strict once the database has, none keeps no journal
// and waits for their ends too. naive is what one does
// without an engine: a conditional UPDATE per budget and call, the same again to
// settle, and the charge, in a transaction each.
func BenchmarkCall(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.Open, "postgres": storetest.OpenPostgres} {
		for _, way := range []string{"journal", "strict", "none", "naive"} {
			for _, members := range []int{1, 100} {
				for _, nodes := range []int{1, 2} {
					if nodes == 2 && (name == "sqlite" || way == "naive") {
						continue
					}
					b.Run(fmt.Sprintf("%s/%s/members=%d/nodes=%d", name, way, members, nodes), func(b *testing.B) {
						benchmarkCall(b, open(b), way, members, nodes)
					})
				}
			}
		}
	}
}

func benchmarkCall(b *testing.B, st *store.Store, way string, members, nodes int) {
	engines := make([]*budget.Engine, nodes)
	for i := range engines {
		o := budget.Options{Log: slog.New(slog.DiscardHandler)}
		if way == "journal" || way == "strict" {
			o.Journal = b.TempDir()
		}
		engines[i] = budget.New(st, o)
		require.NoError(b, engines[i].Start(ctx))
		b.Cleanup(func() { require.NoError(b, engines[i].Close(ctx)) })
	}
	tr := plant(b, st, tenancy.Console, "UTC")
	tr.strict(b, way == "strict")
	for _, s := range []string{tr.root, tr.org, tr.team} {
		tr.set(b, engines[0], s, budget.Largest)
	}
	calls := make([]budget.Call, members)
	for i := range calls {
		calls[i] = tr.call()
		calls[i].MemberID, calls[i].Path = tr.member(b)
		tr.set(b, engines[0], calls[i].MemberID, budget.Largest)
	}
	var n atomic.Int64
	var mu sync.Mutex
	var took []time.Duration
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		var own []time.Duration
		for p.Next() {
			i := int(n.Add(1))
			began := time.Now()
			c := calls[i%members]
			c.RequestID = ""
			var err error
			if way == "naive" {
				err = naive{tr}.call([]string{tr.root, tr.org, tr.team, c.MemberID})
			} else {
				c.RequestID = id.New(id.Request)
				var h *budget.Hold
				if h, err = engines[i%nodes].Hold(ctx, c, output(1)); err == nil {
					_, err = h.Settle(ctx, output(1), budget.Outcome{})
				}
			}
			if err != nil {
				b.Error(err)
			}
			own = append(own, time.Since(began))
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, own...)
	})
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "calls/s")
	diff, err := engines[0].Verify(ctx)
	require.NoError(b, err)
	require.Empty(b, diff)
}

// naive counts row by row.
type naive struct{ tr *tree }

func (v naive) call(scopes []string) error {
	slices.Sort(scopes)
	update := "UPDATE budgets SET version = version + ? WHERE scope_id = ? AND version >= 0"
	charge := "INSERT INTO charges (id, account_id, plane, kind, path, cycles, model_id, model_name, request_id, cost, held_at, at, day) VALUES (?, ?, 'CONSOLE', 'SETTLED', '/', '[]', 'm', 'm', ?, 0, ?, ?, 0)"
	if v.tr.st.Dialect == store.Postgres {
		update = "UPDATE budgets SET version = version + $1 WHERE scope_id = $2 AND version >= 0"
		charge = "INSERT INTO charges (id, account_id, plane, kind, path, cycles, model_id, model_name, request_id, cost, held_at, at, day) VALUES ($1, $2, 'CONSOLE', 'SETTLED', '/', '[]', 'm', 'm', $3, 0, $4, $5, 0)"
	}
	for settle := range 2 {
		err := v.tr.st.WriteTx(ctx, func(tx *sql.Tx) error {
			for _, s := range scopes {
				if _, err := tx.ExecContext(ctx, update, 1-2*settle, s); err != nil {
					return err
				}
			}
			if settle == 0 {
				return nil
			}
			_, err := tx.ExecContext(ctx, charge, id.New(id.Charge), v.tr.account, id.New(id.Request), past, past)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
