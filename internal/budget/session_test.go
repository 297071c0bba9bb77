package budget_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// However many calls of a session come at once, on however many replicas, it
// takes no more than its agent allows.
func TestASessionTakesNoMoreThanItsCap(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		engines := []*budget.Engine{start(t, st, newClock(november()).now)}
		if st.Dialect == store.Postgres {
			engines = append(engines, budget.New(st, budget.Options{Now: newClock(november()).now}))
			require.NoError(t, engines[1].Start(ctx))
			t.Cleanup(func() { require.NoError(t, engines[1].Close(ctx)) })
		}
		tr := plant(t, st, tenancy.Copilot, "UTC")
		agent := tr.agent(t)
		tr.set(t, engines[0], tr.root, 1000*usd)
		call := func(session string, c budget.Cap) budget.Call {
			call := tr.call()
			call.AgentID, call.SessionRef, call.Cap, call.RequestID = agent, session, c, id.New(id.Request)
			return call
		}
		storm := func(session string, c budget.Cap) (held []*budget.Hold) {
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range 12 {
				wg.Go(func() {
					h, err := engines[i%len(engines)].Hold(ctx, call(session, c), output(2))
					mu.Lock()
					defer mu.Unlock()
					if err == nil {
						held = append(held, h)
						return
					}
					var capped *budget.Capped
					if !errors.As(err, &capped) {
						t.Errorf("refused otherwise: %v", err)
					}
				})
			}
			wg.Wait()
			return held
		}
		turns := storm("turns", budget.Cap{Turns: 5})
		require.Len(t, turns, 5)
		credits := storm("credits", budget.Cap{Credits: 9 * usd})
		require.Len(t, credits, 4, "2 each, and 1 is left")

		// What comes back can be used, at once; what was charged stays.
		_, err := credits[0].Settle(ctx, output(1), budget.Outcome{})
		require.NoError(t, err)
		h, err := engines[0].Hold(ctx, call("credits", budget.Cap{Credits: 9 * usd}), output(2))
		require.NoError(t, err)
		_, err = engines[0].Hold(ctx, call("credits", budget.Cap{Credits: 9 * usd}), output(1))
		var capped *budget.Capped
		require.ErrorAs(t, err, &capped)
		require.True(t, fault.Is(err, budget.SessionCredits), err)
		require.Zero(t, capped.Available())
		require.NoError(t, turns[0].Release(ctx))
		again, err := engines[0].Hold(ctx, call("turns", budget.Cap{Turns: 5}), output(1))
		require.NoError(t, err)
		_, err = engines[0].Hold(ctx, call("turns", budget.Cap{Turns: 5}), output(1))
		require.True(t, fault.Is(err, budget.SessionTurns), err)

		// Another session, and another payer's of the same name, are others.
		other := call("turns", budget.Cap{Turns: 5})
		_, other.Path = tr.member(t)
		more, err := engines[0].Hold(ctx, other, output(1))
		require.NoError(t, err)
		for _, h := range append(append(turns[1:], credits[1:]...), h, again, more) {
			_, err := h.Settle(ctx, output(1), budget.Outcome{})
			require.NoError(t, err)
		}
		balanced(t, engines[0])
	})
}

// An agent's budget caps what comes through it, counts what came before it
// stood, and pays for nobody.
func TestAnAgentsBudgetIsACap(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		agent := tr.agent(t)
		through := func(n int64) (*budget.Hold, error) {
			call := tr.call()
			call.AgentID = agent
			return e.Hold(ctx, call, output(n))
		}
		tr.set(t, e, agent, 10*usd)
		_, err := through(1)
		require.True(t, fault.Is(err, fault.BudgetExceeded), "no credits but a cap: %v", err)
		tr.set(t, e, tr.root, 100*usd)
		h, err := through(4)
		require.NoError(t, err)
		_, err = h.Settle(ctx, output(4), budget.Outcome{})
		require.NoError(t, err)
		_, err = through(7)
		var exceeded *budget.Exceeded
		require.ErrorAs(t, err, &exceeded)
		require.Equal(t, agent, exceeded.ScopeID)
		h, err = e.Hold(ctx, tr.call(), output(20)) // not through it
		require.NoError(t, err)
		require.NoError(t, h.Release(ctx))
		states := tr.states(t, e)
		require.Equal(t, []money.Nano{4 * usd, 4 * usd}, []money.Nano{states[agent].Spent, states[tr.root].Spent})

		late := tr.agent(t)
		call := tr.call()
		call.AgentID = late
		h, err = e.Hold(ctx, call, output(3))
		require.NoError(t, err)
		_, err = h.Settle(ctx, output(3), budget.Outcome{})
		require.NoError(t, err)
		tr.set(t, e, late, 10*usd)
		require.NoError(t, e.CountPrior(ctx))
		require.Equal(t, 3*usd, tr.states(t, e)[late].Spent, "what it spent before it had a budget")
		balanced(t, e)
	})
}
