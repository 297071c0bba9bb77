package budget_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// BenchmarkCall is one hold and one settle on four budgets, alone and by 64
// callers; hot: all of one member, spread: of 100 members of one team.
func BenchmarkCall(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.Open, "postgres": storetest.OpenPostgres} {
		for _, callers := range []int{1, 64} {
			for _, members := range []int{1, 100} {
				b.Run(fmt.Sprintf("%s/callers=%d/members=%d", name, callers, members), func(b *testing.B) {
					st := open(b)
					e := start(b, st, time.Now)
					tr := plant(b, st, tenancy.Console, "UTC")
					for _, s := range []string{tr.root, tr.org, tr.team} {
						tr.set(b, e, s, budget.Largest)
					}
					calls := make([]budget.Call, members)
					for i := range calls {
						calls[i] = tr.call()
						calls[i].MemberID, calls[i].Path = tr.member(b)
						tr.set(b, e, calls[i].MemberID, budget.Largest)
					}
					var n atomic.Int64
					b.SetParallelism(callers)
					b.ResetTimer()
					work := func() {
						h, err := e.Hold(ctx, calls[int(n.Add(1))%members], output(1))
						if err == nil {
							_, err = h.Settle(ctx, output(1), budget.Outcome{})
						}
						if err != nil {
							b.Error(err)
						}
					}
					if callers == 1 {
						for b.Loop() {
							work()
						}
					} else {
						b.SetParallelism(callers / 2)
						b.RunParallel(func(p *testing.PB) {
							for p.Next() {
								work()
							}
						})
					}
					b.StopTimer()
					diff, err := e.Verify(ctx)
					require.NoError(b, err)
					require.Empty(b, diff)
				})
			}
		}
	}
}
