package budget_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/internal/budget"
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
		require.Equal(t, []money.Nano{16 * usd, 4 * usd, 2 * usd, 0}, []money.Nano{nano(first.Spent), nano(first.OverflowSpent), nano(first.ExcessSpent), nano(first.Corrections)})
		require.EqualValues(t, 4, first.Calls)
		require.Equal(t, "Risk", first.ScopeName)

		now.set(now.now().AddDate(0, 1, 0))
		require.Equal(t, budget.Renewed{Opened: 1, Closed: 1}, renew(t, e))
		both := tr.statements(t, tr.team)
		require.Len(t, both, 2)
		require.Equal(t, first.String(), both[0].String(), "it never moves")
		require.Equal(t, []money.Nano{usd, -6 * usd}, []money.Nano{nano(both[1].Spent), nano(both[1].Corrections)})
		var models []budget.ModelSum
		require.NoError(t, json.Unmarshal(both[0].Models, &models))
		require.Equal(t, []budget.ModelSum{{ModelID: "mod_x", Name: "small", Calls: 4, Amount: 16 * usd, OutputTokens: 16}}, models)
		balanced(t, e)

		_, err = e.Adjust(ctx, split, output(3)) // of the first month
		require.NoError(t, err)
		last := tr.spend(t, e, 12)
		parts, err = e.Overflows(ctx, []string{last})
		require.NoError(t, err)
		require.Equal(t, 2*usd, parts[last][0].Amount, "corrections of other cycles are no part of it")
		balanced(t, e)

		for _, q := range []string{"UPDATE statements SET spent = 0", "UPDATE budget_cycles SET folded = folded + 1, excess = excess + 1 WHERE closed_at IS NOT NULL"} {
			_, err := st.System().ExecContext(ctx, q)
			require.Error(t, err, q)
		}

		// A deleted scope takes its budget along, and leaves its statements.
		require.NoError(t, st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			_, err := e.End(ctx, tx, []string{tr.team})
			return err
		}))
		require.Len(t, tr.statements(t, tr.team), 2)
		renew(t, e)
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
		require.Equal(t, []int64{int64(17 * usd), int64(7 * usd), int64(2 * usd)}, []int64{one.Lim, one.Raised, one.CarriedOut})
	})
}

// What a team keeps back isn't there for what its seats carry over.
func TestAReserveIsNotCarriedOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 100*usd)
		_, err := tr.try(e, tr.team, budget.Spec{Limit: 50 * usd, Reserve: ptr(10 * usd)})
		require.NoError(t, err)
		_, err = tr.try(e, tr.mem, budget.Spec{Limit: 37 * usd, RolloverCap: ptr(20 * usd)})
		require.NoError(t, err)
		now.set(now.now().AddDate(0, 1, 0))
		renew(t, e)
		require.Equal(t, 3*usd, tr.states(t, e)[tr.mem].Carried, "of 37, what the team has left to give")
		balanced(t, e)
	})
}
