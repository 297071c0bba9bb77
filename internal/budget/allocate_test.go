package budget_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func ptr[T any](v T) *T { return &v }

// in runs a verb as an admin of everything.
func (tr *tree) in(verb func(ctx context.Context, tx *store.Tx) error) error {
	return tr.st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return verb(ctx, tx)
	})
}

func (tr *tree) redistribute(now time.Time) error {
	return tr.in(func(ctx context.Context, tx *store.Tx) error {
		return budget.Redistribute(ctx, tx, now, tr.account, tr.plane)
	})
}

func (tr *tree) change(t testing.TB, e *budget.Engine, scopeID string, spec budget.Spec) *budget.Plan {
	t.Helper()
	spec.KeepLimit, spec.KeepOverflow = true, true
	out, err := tr.try(e, scopeID, spec)
	require.NoError(t, err)
	return out
}

func (tr *tree) remove(e *budget.Engine, scopeID string) (out *budget.Plan, err error) {
	err = tr.in(func(ctx context.Context, tx *store.Tx) error {
		out, err = e.Remove(ctx, tx, scopeID)
		return err
	})
	return out, err
}

func (tr *tree) raise(e *budget.Engine, scopeID string, amount money.Nano, ends time.Time) (increaseID string, out *budget.Plan, err error) {
	err = tr.in(func(ctx context.Context, tx *store.Tx) error {
		row, plan, err := e.Increase(ctx, tx, scopeID, budget.More{Amount: amount, EndsAt: ends})
		if err == nil {
			increaseID, out = row.ID, plan
		}
		return err
	})
	return increaseID, out, err
}

func (tr *tree) move(e *budget.Engine, from, to string, amount money.Nano, belowSpent bool) (out *budget.Plan, err error) {
	err = tr.in(func(ctx context.Context, tx *store.Tx) error {
		out, err = e.Move(ctx, tx, from, to, amount, belowSpent)
		return err
	})
	return out, err
}

// limits are those in force, by scope; what has no budget is left out.
func (tr *tree) limits(t testing.TB, e *budget.Engine) map[string]money.Nano {
	t.Helper()
	out := map[string]money.Nano{}
	for scopeID, s := range tr.states(t, e) {
		out[scopeID] = s.Limit
	}
	return out
}

func available(t testing.TB, err error) money.Nano {
	t.Helper()
	require.True(t, fault.Is(err, fault.BudgetExceeded), "%v", err)
	n, ok := fault.As(err).Data["available"].(money.Nano)
	require.True(t, ok, "what is available: %v", fault.As(err).Data)
	return n
}

func TestEqualDistribution(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		bob, _ := tr.member(t)
		cid, _ := tr.member(t)
		tr.set(t, e, tr.root, 1000*usd)
		tr.set(t, e, tr.team, 100*usd)
		plan := tr.change(t, e, tr.team, budget.Spec{Distribution: ptr(budget.Equal), Reserve: ptr(10 * usd)})
		require.Equal(t, map[string]money.Nano{tr.root: 1000 * usd, tr.team: 100 * usd, tr.mem: 30 * usd, bob: 30 * usd, cid: 30 * usd}, tr.limits(t, e))
		require.Equal(t, 4, plan.Changed)
		told := func() []*ent.AuditEvent {
			return st.AuditEvent.Query().Where(auditevent.Action("budget.share"), auditevent.AccountID(tr.account)).Order(ent.Asc(auditevent.FieldID)).AllX(system())
		}
		require.Len(t, told(), 1, "one event for all shares of a budget")
		require.Equal(t, tr.team, told()[0].TargetID)
		var said map[string]audit.Change
		require.NoError(t, json.Unmarshal(told()[0].Changes, &said))
		require.Equal(t, audit.Change{After: "30"}, said["share"])
		require.Equal(t, audit.Change{Before: 0.0, After: 3.0}, said["shares"])
		require.ElementsMatch(t, []any{tr.mem, bob, cid}, said["budgetsOf"].After)
		require.Equal(t, "Equal share of Risk: (100 credits − 10 credits reserve) ÷ 3.", plan.Changes[1].Reason)
		require.Nil(t, plan.Changes[1].Before)

		// An override takes its own, the others share the rest.
		tr.set(t, e, bob, 50*usd)
		require.Len(t, told(), 2, "the others' shares follow from it")
		require.NoError(t, json.Unmarshal(told()[1].Changes, &said))
		require.Equal(t, audit.Change{Before: "30", After: "20"}, said["share"])
		require.Equal(t, audit.Change{Before: 3.0, After: 2.0}, said["shares"])
		tr.set(t, e, tr.root, 1100*usd)
		require.Len(t, told(), 2, "nothing of them has changed")
		tr.set(t, e, tr.root, 1000*usd)
		require.Equal(t, []money.Nano{20 * usd, 50 * usd, 20 * usd}, pick(tr.limits(t, e), tr.mem, bob, cid))
		_, err := tr.try(e, bob, budget.Spec{Limit: 91 * usd})
		require.Equal(t, 90*usd, available(t, err))
		tr.set(t, e, bob, 90*usd)
		require.Equal(t, []money.Nano{0, 90 * usd, 0}, pick(tr.limits(t, e), tr.mem, bob, cid))
		_, err = tr.remove(e, cid)
		require.ErrorContains(t, err, "This is an equal share of the budget of team Risk.")
		_, err = tr.remove(e, bob)
		require.NoError(t, err)
		require.Equal(t, []money.Nano{30 * usd, 30 * usd, 30 * usd}, pick(tr.limits(t, e), tr.mem, bob, cid))

		// The remainder goes to the first by id, in the smallest unit.
		tr.set(t, e, tr.team, 110*usd)
		want := 100 * usd / 3
		first := slices.Min([]string{tr.mem, bob, cid})
		require.Equal(t, first, tr.mem)
		require.Equal(t, []money.Nano{want + 1, want, want}, pick(tr.limits(t, e), tr.mem, bob, cid))

		// Who joins gets a share, whoever leaves gives it back.
		dan, _ := tr.member(t)
		require.NoError(t, tr.redistribute(november()))
		require.Equal(t, []money.Nano{25 * usd, 25 * usd}, pick(tr.limits(t, e), tr.mem, dan))
		tr.exec(t, "UPDATE scopes SET deleted_at = ? WHERE id = ?", november(), dan)
		require.NoError(t, tr.in(func(ctx context.Context, tx *store.Tx) error {
			if _, err := e.End(ctx, tx, []string{dan}); err != nil {
				return err
			}
			return budget.Redistribute(ctx, tx, november(), tr.account, tr.plane)
		}))
		require.Equal(t, want+1, tr.limits(t, e)[tr.mem])

		// As a pool, everybody draws on the team's; overrides stay.
		tr.set(t, e, cid, 5*usd)
		tr.change(t, e, tr.team, budget.Spec{Distribution: ptr(budget.Pool)})
		require.Equal(t, map[string]money.Nano{tr.root: 1000 * usd, tr.team: 110 * usd, cid: 5 * usd}, tr.limits(t, e))
		h, err := e.Hold(ctx, tr.call(), output(100))
		require.NoError(t, err, "a seat without a budget draws on the team's")
		require.NoError(t, h.Release(ctx))
		balanced(t, e)
	})
}

func pick(m map[string]money.Nano, keys ...string) []money.Nano {
	out := make([]money.Nano, len(keys))
	for i, k := range keys {
		out[i] = m[k]
	}
	return out
}

// What is archived gets nothing, until it is restored.
func TestArchivedGetNoShare(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	other := id.New(id.Team)
	tr.scope(t, other, tr.org, "TEAM", "Fraud", string(tr.plane), "/"+strings.Join([]string{tr.account, tr.root, tr.org, other}, "/")+"/")
	tr.set(t, e, tr.root, 100*usd)
	tr.set(t, e, tr.org, 100*usd)
	tr.change(t, e, tr.org, budget.Spec{Distribution: ptr(budget.Equal)})
	tr.set(t, e, tr.mem, 40*usd)
	tr.exec(t, "UPDATE scopes SET archived_at = ? WHERE id = ?", november(), tr.team)
	require.NoError(t, tr.redistribute(november()))
	require.Equal(t, []money.Nano{0, 100 * usd}, pick(tr.limits(t, e), tr.team, other))
	tr.exec(t, "UPDATE scopes SET archived_at = NULL WHERE id = ?", tr.team)
	require.NoError(t, tr.redistribute(november()))
	require.Equal(t, []money.Nano{50 * usd, 50 * usd}, pick(tr.limits(t, e), tr.team, other))

	// A third team would leave the first one with less than it has given.
	third := id.New(id.Team)
	tr.scope(t, third, tr.org, "TEAM", "Desk", string(tr.plane), "/"+strings.Join([]string{tr.account, tr.root, tr.org, third}, "/")+"/")
	require.Equal(t, 100*usd/3+1, available(t, tr.redistribute(november())))
}

func TestStrictConsole(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Console, "UTC")
		bob, _ := tr.member(t)
		tr.set(t, e, tr.root, 100*usd)
		tr.set(t, e, tr.mem, 60*usd)
		over := tr.set(t, e, bob, 60*usd)
		require.Equal(t, 20*usd, over.Overcommitted)
		require.Equal(t, budget.IsOvercommit, over.Warnings[0].Code)
		_, err := tr.try(e, tr.root, budget.Spec{KeepLimit: true, KeepOverflow: true, Strict: ptr(true)})
		require.ErrorContains(t, err, "gives $20.00 more than it has")
		tr.set(t, e, bob, 40*usd)
		tr.change(t, e, tr.root, budget.Spec{Strict: ptr(true)})
		_, err = tr.try(e, bob, budget.Spec{Limit: 41 * usd})
		require.Equal(t, 40*usd, available(t, err))
		_, err = tr.try(e, tr.root, budget.Spec{Limit: 99 * usd})
		require.Equal(t, 100*usd, available(t, err))
		_, err = tr.try(e, tr.root, budget.Spec{KeepLimit: true, KeepOverflow: true, Reserve: ptr(usd)})
		require.True(t, fault.Is(err, fault.BudgetExceeded), "nothing is left to keep back: %v", err)
		tr.change(t, e, tr.root, budget.Spec{Strict: ptr(false)})
		require.Equal(t, usd, tr.set(t, e, bob, 41*usd).Overcommitted)
	})
}

func TestIncreases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 20*usd)
		tr.set(t, e, tr.team, 10*usd)
		ends := november().Add(48 * time.Hour)
		first, plan, err := tr.raise(e, tr.team, 5*usd, ends)
		require.NoError(t, err)
		require.Equal(t, 5*usd, plan.Changes[0].After.Raised)
		require.Equal(t, 15*usd, tr.limits(t, e)[tr.team])
		_, _, err = tr.raise(e, tr.team, 6*usd, ends)
		require.Equal(t, 5*usd, available(t, err))
		require.Equal(t, []string{"amount"}, fault.As(err).Path)
		_, _, err = tr.raise(e, tr.team, 2*usd, ends.Add(time.Hour))
		require.NoError(t, err)

		h, err := e.Hold(ctx, tr.call(), output(14))
		require.NoError(t, err, "what is raised can be spent")
		_, err = h.Settle(ctx, output(14), budget.Outcome{})
		require.NoError(t, err)

		// Nothing ends before its time, then once, whoever comes first.
		n, err := e.EndDue(ctx)
		require.NoError(t, err)
		require.Zero(t, n)
		now.set(ends)
		other := start(t, st, now.now)
		counts := make(chan int, 2)
		for _, replica := range []*budget.Engine{e, other} {
			go func() {
				n, err := replica.EndDue(ctx)
				if err != nil {
					t.Error(err)
				}
				counts <- n
			}()
		}
		require.Equal(t, 1, <-counts+<-counts)
		state := tr.states(t, e)[tr.team]
		require.Equal(t, 12*usd, state.Limit)
		require.Equal(t, 2*usd, state.Excess, "what was spent stays spent")
		require.Equal(t, budget.Blocked, state.Status)
		events := st.AuditEvent.Query().AllX(system())
		require.Len(t, events, 1)
		require.Equal(t, "budget.increaseEnd", events[0].Action)

		end := func(increaseID string) error {
			return tr.in(func(ctx context.Context, tx *store.Tx) error {
				_, _, err := e.EndIncrease(ctx, tx, increaseID)
				return err
			})
		}
		require.True(t, fault.Is(end(first), fault.Invalid), "it has ended")
		require.True(t, fault.Is(end(id.New(id.BudgetIncrease)), fault.NotFound))
		balanced(t, e)

		for _, more := range []budget.More{{Amount: 0, EndsAt: ends.Add(time.Hour)}, {Amount: -1, EndsAt: ends.Add(time.Hour)}, {Amount: math.MaxInt64, EndsAt: ends.Add(time.Hour)},
			{Amount: usd, EndsAt: ends}, {Amount: usd, EndsAt: ends.AddDate(2, 0, 0)}, {Amount: usd, EndsAt: ends.Add(time.Hour), Reason: strings.Repeat("x", 501)}} {
			err := tr.in(func(ctx context.Context, tx *store.Tx) error {
				_, _, err := e.Increase(ctx, tx, tr.team, more)
				return err
			})
			require.True(t, fault.Is(err, fault.Invalid), "%+v: %v", more, err)
		}
		_, _, err = tr.raise(e, tr.mem, usd, ends.Add(time.Hour))
		require.True(t, fault.Is(err, fault.NotFound), "a seat without a budget")
	})
}

// A new cycle begins with the increases that are in force at its beginning,
// and with those alone.
func TestIncreasesMeetTheEndOfACycle(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, "UTC")
		tr.set(t, e, tr.team, 10*usd)
		next := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		for amount, ends := range map[money.Nano]time.Time{usd: next.Add(-time.Hour), 2 * usd: next, 4 * usd: next.Add(time.Hour)} {
			_, _, err := tr.raise(e, tr.team, amount, ends)
			require.NoError(t, err)
		}
		require.Equal(t, 17*usd, tr.limits(t, e)[tr.team])
		now.set(next) // nobody has taken anything back yet
		require.Equal(t, 14*usd, tr.limits(t, e)[tr.team], "as it will open")
		h, err := e.Hold(ctx, tr.call(), output(14))
		require.NoError(t, err)
		require.NoError(t, h.Release(ctx))
		_, err = e.Hold(ctx, tr.call(), output(15))
		require.Error(t, err)
		n, err := e.EndDue(ctx)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, 14*usd, tr.limits(t, e)[tr.team])
		now.set(next.Add(time.Hour))
		n, err = e.EndDue(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, 10*usd, tr.limits(t, e)[tr.team])
		rows := st.BudgetCycle.Query().Order(budgetcycle.ByStartsAt()).AllX(system())
		require.Len(t, rows, 2)
		require.Equal(t, int64(17*usd), rows[0].Lim, "a cycle that is over stays as it was")
		require.Zero(t, rows[1].Raised)
	})
}

// Increases draw on the reserve; those of a sharing budget are shared.
func TestIncreasesUnderEqualDistribution(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	now := newClock(november())
	e := start(t, st, now.now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	bob, _ := tr.member(t)
	tr.set(t, e, tr.root, 200*usd)
	tr.set(t, e, tr.team, 100*usd)
	tr.change(t, e, tr.team, budget.Spec{Distribution: ptr(budget.Equal), Reserve: ptr(20 * usd)})
	ends := november().Add(time.Hour)
	_, _, err := tr.raise(e, tr.mem, 20*usd, ends)
	require.NoError(t, err)
	require.Equal(t, []money.Nano{60 * usd, 40 * usd}, pick(tr.limits(t, e), tr.mem, bob))
	_, _, err = tr.raise(e, tr.team, 40*usd, ends)
	require.NoError(t, err)
	require.Equal(t, []money.Nano{80 * usd, 60 * usd}, pick(tr.limits(t, e), tr.mem, bob))
	now.set(ends)
	n, err := e.EndDue(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, []money.Nano{40 * usd, 40 * usd}, pick(tr.limits(t, e), tr.mem, bob))
}

func TestMovesBetweenSiblings(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		bob, _ := tr.member(t)
		cid, _ := tr.member(t)
		tr.set(t, e, tr.root, 100*usd)
		tr.set(t, e, tr.mem, 40*usd)
		tr.set(t, e, bob, 10*usd)
		plan, err := tr.move(e, tr.mem, bob, 15*usd, false)
		require.NoError(t, err)
		require.Len(t, plan.Changes, 2)
		require.Equal(t, []money.Nano{25 * usd, 25 * usd}, pick(tr.limits(t, e), tr.mem, bob))

		h, err := e.Hold(ctx, tr.call(), output(20))
		require.NoError(t, err)
		_, err = tr.move(e, tr.mem, bob, 6*usd, false)
		require.Equal(t, 5*usd, available(t, err), "held by a running call")
		plan, err = tr.move(e, tr.mem, bob, 6*usd, true)
		require.NoError(t, err)
		require.Equal(t, budget.BelowSpent, plan.Warnings[0].Code)
		require.NoError(t, h.Release(ctx))

		for _, c := range []struct {
			from, to string
			amount   money.Nano
			code     fault.Code
		}{
			{tr.mem, bob, 0, fault.Invalid}, {tr.mem, bob, -1, fault.Invalid}, {tr.mem, bob, math.MaxInt64, fault.Invalid},
			{tr.mem, tr.mem, 1, fault.Invalid}, {tr.mem, tr.root, 1, fault.Invalid}, {tr.mem, tr.key, 1, fault.Invalid},
			{tr.mem, cid, 1, fault.Invalid}, {cid, bob, 1, fault.Invalid}, {tr.mem, id.New(id.Member), 1, fault.NotFound},
			{tr.mem, bob, 20 * usd, fault.BudgetExceeded},
		} {
			_, err := tr.move(e, c.from, c.to, c.amount, true)
			require.True(t, fault.Is(err, c.code), "%+v: %v", c, err)
		}
		// Of another account, of the other plane: as if they didn't exist.
		stranger := plant(t, st, tenancy.Copilot, "UTC")
		stranger.set(t, e, stranger.mem, 0)
		_, err = tr.move(e, tr.mem, stranger.mem, 1, false)
		require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	})
}

func TestMovesKeepWhatIsGiven(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "UTC")
	other := id.New(id.Team)
	tr.scope(t, other, tr.org, "TEAM", "Fraud", string(tr.plane), "/"+strings.Join([]string{tr.account, tr.root, tr.org, other}, "/")+"/")
	tr.set(t, e, tr.org, 100*usd)
	tr.change(t, e, tr.org, budget.Spec{Distribution: ptr(budget.Equal)})
	tr.set(t, e, tr.mem, 30*usd)
	_, err := tr.move(e, tr.team, other, 21*usd, false)
	require.Equal(t, 20*usd, available(t, err))
	_, err = tr.move(e, tr.team, other, 20*usd, false)
	require.NoError(t, err)
	require.Equal(t, []money.Nano{30 * usd, 70 * usd}, pick(tr.limits(t, e), tr.team, other))
	require.Equal(t, 2, st.Budget.Query().Where(entbudget.ScopeIDIn(tr.team, other), entbudget.OriginEQ(entbudget.OriginSET)).CountX(system()), "shares became limits of their own")
}

func TestAbsurdAllocationsAreRefused(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	tr.set(t, e, tr.root, 100*usd)
	for field, spec := range map[string]budget.Spec{
		"reserve": {Limit: usd, Reserve: ptr(money.Nano(-1))}, "rolloverCap": {Limit: usd, RolloverCap: ptr(money.Nano(math.MaxInt64))},
		"distribution": {Limit: usd, Distribution: ptr(budget.Distribution("LUCK"))}, "strict": {Limit: usd, Strict: ptr(true)},
		"thresholds": {Limit: usd, Thresholds: &[]int{95, 80}}, "limit": {Limit: math.MinInt64},
	} {
		_, err := tr.try(e, tr.team, spec)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", field, err)
		require.Equal(t, []string{field}, fault.As(err).Path)
	}
	for _, c := range []struct {
		scope string
		spec  budget.Spec
	}{
		{tr.team, budget.Spec{Limit: usd, Reserve: ptr(2 * usd)}}, {tr.team, budget.Spec{KeepLimit: true}}, {tr.team, budget.Spec{Limit: usd, Thresholds: &[]int{0}}},
		{tr.mem, budget.Spec{Limit: usd, Distribution: ptr(budget.Equal)}}, {tr.key, budget.Spec{Limit: usd, Reserve: ptr(usd)}},
		{tr.root, budget.Spec{KeepLimit: true, Strict: ptr(false)}}, {tr.root, budget.Spec{Limit: math.MaxInt64}},
	} {
		_, err := tr.try(e, c.scope, c.spec)
		require.True(t, fault.Is(err, fault.Invalid), "%+v: %v", c.spec, err)
	}
	require.Equal(t, map[string]money.Nano{tr.root: 100 * usd}, tr.limits(t, e))

	// Sums beyond 64 bits are more than there is, not less.
	ids := []string{tr.mem}
	for range 12 {
		m, _ := tr.member(t)
		ids = append(ids, m)
	}
	console := plant(t, st, tenancy.Console, "UTC")
	console.set(t, e, console.root, usd)
	for range 12 {
		m, _ := console.member(t)
		console.set(t, e, m, budget.Largest)
	}
	require.Positive(t, console.set(t, e, console.root, 2*usd).Overcommitted)
	for _, m := range ids {
		_, err := tr.try(e, m, budget.Spec{Limit: budget.Largest})
		require.Equal(t, 100*usd, available(t, err))
	}
}

// Two admins on two replicas hand out the same rest: one of them gets it.
func TestTheSameRestIsGivenOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		clock := newClock(november()).now
		replicas := []*budget.Engine{start(t, st, clock), start(t, st, clock)}
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, replicas[0], tr.root, 100*usd)
		const admins = 8
		seats := make([]string, admins)
		for i := range seats {
			seats[i], _ = tr.member(t)
			tr.set(t, replicas[0], seats[i], 5*usd)
		}
		// 60 are left; each wants 20 more, by one way or the other.
		results := make(chan error, admins)
		for i, seat := range seats {
			go func() {
				if i%2 == 0 {
					_, err := tr.try(replicas[i%4/2], seat, budget.Spec{Limit: 25 * usd})
					results <- err
					return
				}
				_, _, err := tr.raise(replicas[i%4/2], seat, 20*usd, november().Add(time.Hour))
				results <- err
			}()
		}
		won := 0
		for range admins {
			if err := <-results; err == nil {
				won++
			} else {
				require.Less(t, available(t, err), 25*usd)
			}
		}
		require.Equal(t, 3, won)
		var sum money.Nano
		for scopeID, limit := range tr.limits(t, replicas[1]) {
			if scopeID != tr.root {
				sum += limit
			}
		}
		require.Equal(t, 100*usd, sum)
	})
}

// A change that is rolled back was only looked at: the plan is the same, and
// nothing else.
func TestARehearsalTellsWhatWillBe(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	tr.member(t)
	tr.set(t, e, tr.root, 100*usd)
	tr.set(t, e, tr.team, 60*usd)
	before := tr.limits(t, e)
	spec := budget.Spec{Limit: 50 * usd, Distribution: ptr(budget.Equal)}
	stop := fmt.Errorf("rehearsed")
	var rehearsed *budget.Plan
	err := tr.in(func(ctx context.Context, tx *store.Tx) (err error) {
		if rehearsed, err = e.Set(ctx, tx, tr.team, spec); err != nil {
			return err
		}
		return stop
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, before, tr.limits(t, e))
	done, err := tr.try(e, tr.team, spec)
	require.NoError(t, err)
	require.Equal(t, rehearsed.Changes, done.Changes)
	require.Len(t, done.Changes, 3)
}

func TestEffectiveAllocation(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Console, "UTC")
	bob, bobs := tr.member(t)
	at := func(scopeID, path string) *budget.Allocation {
		t.Helper()
		out, err := e.Effective(ctx, tr.account, tr.plane, []budget.Whereabouts{{ScopeID: scopeID, Path: path}})
		require.NoError(t, err)
		return out[scopeID]
	}
	teamPath := strings.TrimSuffix(bobs, bob+"/")
	require.Equal(t, budget.FromNowhere, at(bob, bobs).Source)
	require.Equal(t, "No budget stands on its path: nothing limits it.", at(bob, bobs).Words)
	tr.set(t, e, tr.root, 50*usd)
	require.Equal(t, budget.FromPool, at(bob, bobs).Source)
	require.Equal(t, tr.root, at(bob, bobs).From.ScopeID)
	tr.set(t, e, tr.team, 100*usd)
	tr.change(t, e, tr.team, budget.Spec{Distribution: ptr(budget.Equal), Reserve: ptr(10 * usd)})
	_, _, err := tr.raise(e, bob, 5*usd, november().Add(time.Hour))
	require.NoError(t, err)
	h, err := e.Hold(ctx, tr.call(), output(38))
	require.NoError(t, err)
	_, err = h.Settle(ctx, output(38), budget.Outcome{})
	require.NoError(t, err)

	share := at(bob, bobs)
	require.Equal(t, budget.FromShare, share.Source)
	require.Equal(t, "($100.00 − $10.00 reserve) ÷ 2", share.Formula)
	require.Equal(t, 50*usd, share.Limit)
	require.Equal(t, 5*usd, share.Own.Raised)
	require.Equal(t, 12*usd, share.Free)
	require.Equal(t, "Limited by the whole Console plane: $12.00 left.", share.Words)
	team := at(tr.team, teamPath)
	require.Equal(t, budget.FromLimit, team.Source)
	require.Equal(t, 90*usd, team.Committed)
	require.Zero(t, team.Overcommitted)
	require.Equal(t, 50*usd, at(tr.root, "/"+tr.account+"/"+tr.root+"/").Overcommitted)
	require.Equal(t, 7*usd, at(tr.mem, teamPath+tr.mem+"/").Free, "its own: 45 less 38")
}

// An agent's budget is a cap: it takes no part of what is shared out.
func TestAgentsGetNoShare(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		agent := tr.agent(t)
		tr.set(t, e, tr.root, 100*usd)
		tr.set(t, e, tr.org, 90*usd)
		tr.change(t, e, tr.org, budget.Spec{Distribution: ptr(budget.Equal)})
		require.Equal(t, 90*usd, tr.limits(t, e)[tr.team], "all of it, for it is the only one")
		require.NotContains(t, tr.limits(t, e), agent)
		tr.set(t, e, agent, 5*usd)
		require.Equal(t, 90*usd, tr.limits(t, e)[tr.team], "a cap takes nothing from anybody")
		_, err := tr.remove(e, agent)
		require.NoError(t, err)
		require.NotContains(t, tr.limits(t, e), agent)
		balanced(t, e)
	})
}

// What is raised for a while isn't given for good, and neither is the reserve.
func TestAnIncreaseIsNotGivenForGood(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		tr.set(t, e, tr.root, 1000*usd)
		tr.set(t, e, tr.team, 100*usd)
		tr.change(t, e, tr.team, budget.Spec{Reserve: ptr(10 * usd)})
		_, _, err := tr.raise(e, tr.team, 20*usd, now.now().Add(time.Hour))
		require.NoError(t, err)
		_, err = tr.try(e, tr.mem, budget.Spec{Limit: 95 * usd})
		require.Equal(t, 90*usd, available(t, err))
		tr.set(t, e, tr.mem, 90*usd)
		balanced(t, e)

		now.set(now.now().Add(2 * time.Hour))
		balanced(t, e) // over, and not taken back yet
		tr.set(t, e, tr.root, 900*usd)
		require.Equal(t, 100*usd, tr.limits(t, e)[tr.team], "whoever changes the plane first sees that it is over")
		_, err = e.EndDue(ctx)
		require.NoError(t, err)
		require.Equal(t, 100*usd, tr.limits(t, e)[tr.team])
		balanced(t, e)
	})
}

// What a budget below is raised by ends with what it was raised from, or before.
func TestAnIncreaseLastsNoLongerThanTheOneAbove(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Copilot, "UTC")
		soon, later := november().Add(24*time.Hour), november().Add(72*time.Hour)
		tr.set(t, e, tr.root, 1000*usd)
		tr.set(t, e, tr.team, 100*usd)
		tr.set(t, e, tr.mem, 100*usd)
		above, _, err := tr.raise(e, tr.team, 50*usd, soon)
		require.NoError(t, err)
		_, _, err = tr.raise(e, tr.mem, 50*usd, later)
		require.Zero(t, available(t, err))
		require.ErrorContains(t, err, "ends on "+soon.Format("2 January 2006"))
		_, _, err = tr.raise(e, tr.mem, 20*usd, soon)
		require.NoError(t, err)
		_, _, err = tr.raise(e, tr.team, 10*usd, later)
		require.NoError(t, err)
		_, _, err = tr.raise(e, tr.mem, 11*usd, later)
		require.Equal(t, 10*usd, available(t, err))
		_, _, err = tr.raise(e, tr.mem, 10*usd, later)
		require.NoError(t, err)

		// Nor may it be taken back early from under those below.
		end := func() error {
			return tr.in(func(ctx context.Context, tx *store.Tx) error {
				_, _, err := e.EndIncrease(ctx, tx, above)
				return err
			})
		}
		require.True(t, fault.Is(end(), fault.BudgetExceeded))
		now.set(soon)
		n, err := e.EndDue(ctx)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.Equal(t, []money.Nano{110 * usd, 110 * usd}, pick(tr.limits(t, e), tr.team, tr.mem))
		balanced(t, e)
	})
}

// Below something archived nothing is given: once restored it would be more than
// there is.
func TestNothingIsGivenBelowWhatIsArchived(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	e := start(t, st, newClock(november()).now)
	tr := plant(t, st, tenancy.Copilot, "UTC")
	bob, _ := tr.member(t)
	tr.set(t, e, tr.root, 1000*usd)
	tr.set(t, e, tr.team, 100*usd)
	tr.set(t, e, tr.mem, 50*usd)
	tr.set(t, e, bob, 50*usd)
	tr.exec(t, "UPDATE scopes SET archived_at = ? WHERE id = ?", november(), tr.team)
	_, err := tr.try(e, tr.mem, budget.Spec{Limit: 500 * usd})
	require.True(t, fault.Is(err, fault.Invalid))
	require.ErrorContains(t, err, "archived")
	_, _, err = tr.raise(e, tr.mem, usd, november().Add(time.Hour))
	require.ErrorContains(t, err, "archived")
	err = tr.in(func(ctx context.Context, tx *store.Tx) error {
		_, err := e.Move(ctx, tx, bob, tr.mem, usd, false)
		return err
	})
	require.ErrorContains(t, err, "archived")
}
