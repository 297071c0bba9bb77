package budget_test

import (
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

// BenchmarkCall is one hold and one settle on four budgets, by 64 callers, all
// of one member or of 100 members of one team. journal lets calls go out once
// the journal has them, strict once the database has, none keeps no journal and
// waits for their ends too. The program in bench compares it with what one does
// without an engine.
func BenchmarkCall(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.Open, "postgres": storetest.OpenPostgres} {
		for _, way := range []string{"journal", "strict", "none"} {
			for _, members := range []int{1, 100} {
				for _, nodes := range []int{1, 2} {
					if nodes == 2 && name == "sqlite" {
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
			c.RequestID = id.New(id.Request)
			h, err := engines[i%nodes].Hold(ctx, c, output(1))
			if err == nil {
				_, err = h.Settle(ctx, output(1), budget.Outcome{})
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
