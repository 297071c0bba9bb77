package budget_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func turnOf(s budget.State) turn { return turn{s.BudgetID, s.StartsAt.UnixMicro()} }

func (w *model) tally(k turn) *tally {
	if w.tallies[k] == nil {
		w.tallies[k] = &tally{}
	}
	return w.tallies[k]
}

// hold asks for a call, which every budget of its path must have room for.
func (w *model) hold(t *testing.T, rt *rapid.T) {
	p := rapid.SampledFrom(w.payers).Draw(rt, "payer")
	c := w.call()
	c.Path, c.OrganizationID, c.TeamID, c.MemberID, c.KeyID = p.path, p.org, p.team, p.member, p.key
	if rapid.IntRange(0, 2).Draw(rt, "through the agent") == 0 {
		c.AgentID = w.agentID
	}
	if c.FactorPPM != w.ppm {
		c.FactorID, c.FactorPPM = "", w.ppm
	}
	n := rapid.Int64Range(0, 8).Draw(rt, "n")
	if w.clock.now().Before(w.latest) {
		n = max(1, n) // what is free needs no lease, and may still name a cycle that has closed
	}
	x := w.worth(usd * money.Nano(n))
	call := &charged{heldAt: w.clock.now(), scopes: strings.Split(strings.Trim(p.path, "/"), "/")}
	if c.AgentID != "" {
		call.scopes = append(call.scopes, c.AgentID)
	}
	states := w.states(t, w.engines[0])
	fits, pays := true, w.plane == tenancy.Console
	for _, s := range call.scopes {
		state, stands := states[s]
		if !stands {
			continue
		}
		k := turnOf(state)
		sum, room := w.tally(k), state.Limit+state.Overflow
		pays = pays || s != c.AgentID
		fits = fits && state.FrozenAt == nil && room > 0 && w.priors[k]+sum.spent+sum.held+x <= room
		call.turns = append(call.turns, k)
	}
	i := w.node(rt)
	h, err := w.engines[i].Hold(ctx, c, output(n))
	require.Equal(rt, fits && pays, err == nil, "%v", err)
	if err != nil {
		require.True(rt, fault.Is(err, fault.BudgetExceeded) || fault.Is(err, fault.BudgetFrozen), "%v", err)
		return
	}
	require.Equal(rt, x, h.Amount)
	for _, k := range call.turns {
		w.tally(k).held += x
	}
	w.running = append(w.running, &running{charged: call, h: h, node: i})
}

func (w *model) pick(rt *rapid.T) *running {
	if len(w.running) == 0 {
		rt.Skip("no hold")
	}
	i := rapid.IntRange(0, len(w.running)-1).Draw(rt, "hold")
	o := w.running[i]
	w.running = slices.Delete(w.running, i, i+1)
	return o
}

// book ends a hold at a cost; nothing is booked of a released one.
func (w *model) book(o *running, cost, amount money.Nano, released bool) {
	for _, k := range o.turns {
		sum := w.tally(k)
		sum.held, sum.spent = sum.held-o.h.Amount, sum.spent+amount
	}
	if released {
		return
	}
	o.cost, o.amount = cost, amount
	w.charges[o.h.ID] = o.charged
}

// lower books a correction: in the charge's own cycle while that is the newest
// of its budget, else apart in the one that is.
func (w *model) lower(t *testing.T, c *charged, cost money.Nano) {
	if cost >= c.cost {
		return
	}
	back := c.amount - w.worth(cost)
	states := map[string]budget.State{}
	for _, s := range w.states(t, w.engines[0]) {
		states[s.BudgetID] = s
	}
	for _, k := range c.turns {
		switch s, stands := states[k.budgetID]; {
		case !stands:
		case turnOf(s) == k:
			w.tally(k).spent -= back
		default:
			w.tally(turnOf(s)).corrections -= back
		}
	}
	c.cost, c.amount = cost, c.amount-back
}

func (w *model) settle(t *testing.T, rt *rapid.T) {
	o := w.pick(rt)
	n := rapid.Int64Range(0, 10).Draw(rt, "n")
	cost := usd * money.Nano(n)
	if o.dead {
		w.lower(t, o.charged, cost)
	}
	r, err := o.h.Settle(ctx, output(n), budget.Outcome{})
	require.NoError(rt, err)
	if !o.dead {
		require.Equal(rt, cost, r.Cost)
		w.book(o, cost, w.worth(cost), false)
	}
}

func (w *model) release(t *testing.T, rt *rapid.T) {
	o := w.pick(rt)
	if o.dead {
		w.lower(t, o.charged, 0)
	}
	require.NoError(rt, o.h.Release(ctx))
	if !o.dead {
		w.book(o, 0, 0, true)
	}
}

func (w *model) correct(t *testing.T, rt *rapid.T) {
	if len(w.charges) == 0 {
		rt.Skip("nothing to correct")
	}
	k := rapid.SampledFrom(slices.Sorted(maps.Keys(w.charges))).Draw(rt, "charge")
	n := rapid.Int64Range(0, 4).Draw(rt, "n")
	w.lower(t, w.charges[k], usd*money.Nano(n))
	r, err := w.engine(rt).Adjust(ctx, k, output(n))
	require.NoError(rt, err)
	require.Equal(rt, w.charges[k].cost, r.Cost)
}

// doubted books that a node's holds were charged in full; they are gone, or
// their calls run on.
func (w *model) doubted(node int, gone bool) {
	var on []*running
	for _, o := range w.running {
		if o.node == node && !o.dead {
			w.book(o, o.h.Cost, o.h.Amount, false)
			o.dead = true
		}
		if o.node != node || !gone {
			on = append(on, o)
		}
	}
	w.running = on
}

// entry is a cycle as the database has it.
type entry struct {
	turn
	cycleID, scopeID          string
	starts, ends, created     time.Time
	closed                    bool
	lim, overflow, excess     money.Nano
	prior, spent, held, fixed money.Nano
}

func (w *model) cycles(rt *rapid.T) (out []entry) {
	rows, err := w.st.System().Query(`SELECT c.id, c.budget_id, b.scope_id, c.starts_at, c.ends_at, c.created_at, CASE WHEN c.closed_at IS NULL THEN 0 ELSE 1 END, c.lim, c.overflow, c.excess, c.prior,
		CAST(c.folded + coalesce((SELECT sum(l.spent) FROM budget_leases l WHERE l.cycle_id = c.id), 0) AS BIGINT),
		CAST(coalesce((SELECT sum(l.held) FROM budget_leases l WHERE l.cycle_id = c.id), 0) AS BIGINT), c.corrections
		FROM budget_cycles c JOIN budgets b ON b.id = c.budget_id WHERE c.account_id = '` + w.account + `' ORDER BY c.budget_id, c.starts_at`)
	require.NoError(rt, err)
	defer func() { require.NoError(rt, rows.Close()) }()
	for rows.Next() {
		var e entry
		require.NoError(rt, rows.Scan(&e.cycleID, &e.budgetID, &e.scopeID, &e.starts, &e.ends, &e.created, &e.closed, &e.lim, &e.overflow, &e.excess, &e.prior, &e.spent, &e.held, &e.fixed))
		e.turn.starts = e.starts.UnixMicro()
		out = append(out, e)
	}
	require.NoError(rt, rows.Err())
	return out
}

// before is what a budget's first cycle counts of calls that don't know it.
func (w *model) before(e entry) (sum money.Nano) {
	for _, c := range w.charges {
		if !slices.Contains(c.scopes, e.scopeID) || c.heldAt.Before(e.starts) || !c.heldAt.Before(e.ends) ||
			slices.ContainsFunc(c.turns, func(k turn) bool { return k.budgetID == e.budgetID }) {
			continue
		}
		sum += c.amount
	}
	return sum
}

// agrees holds the database against the model.
func (w *model) agrees(t *testing.T, rt *rapid.T) {
	w.flush(t)
	require.NoError(rt, w.engines[0].CountPrior(ctx))
	w.flush(t)
	now := w.clock.now()
	seen := map[turn]bool{}
	stands := map[string]bool{}
	said := w.statementsOf()
	var last entry
	for _, e := range w.cycles(rt) {
		first := last.budgetID != e.budgetID
		require.True(rt, e.ends.After(e.starts))
		if !first {
			require.Equal(rt, last.ends.UTC(), e.starts.UTC(), "no gap, no overlap")
		}
		sum := w.tally(e.turn)
		if first && !e.closed && e.created.After(now.Add(-time.Hour)) && e.starts.Before(e.created) {
			require.Equal(rt, w.before(e), e.prior, "what was spent before the budget")
		} else if !first {
			require.Zero(rt, e.prior)
		}
		w.priors[e.turn] = e.prior
		require.Equal(rt, []money.Nano{sum.spent + e.prior, sum.held, sum.corrections}, []money.Nano{e.spent, e.held, e.fixed}, "spent, held and corrected in %s of %s", e.cycleID, e.scopeID)
		require.LessOrEqual(rt, e.spent+e.held, e.lim+e.overflow+e.excess, "within the limit, or excess")
		text, written := said[e.cycleID]
		require.Equal(rt, e.closed, written, "a closed cycle has a statement")
		if was := w.said[e.cycleID]; was != "" {
			require.Equal(rt, was, text, "a statement never moves")
		}
		w.said[e.cycleID] = text
		seen[e.turn], stands[e.budgetID] = true, true
		last = e
	}
	for k, sum := range w.tallies {
		require.True(rt, *sum == tally{} || seen[k] || !stands[k.budgetID], "a cycle is gone whose budget stands")
	}
	w.ledgerAgrees(rt)
	w.keepsPromises(rt)
}

func (w *model) statementsOf() map[string]string {
	out := map[string]string{}
	for _, s := range w.st.Statement.Query().Where(statement.AccountID(w.account)).AllX(system()) {
		text, _ := json.Marshal(s)
		out[s.CycleID] = string(text)
	}
	return out
}

// ledgerAgrees sees that every call is charged once, at what it should be, and
// that those that run are held.
func (w *model) ledgerAgrees(rt *rapid.T) {
	read := func(query string) map[string][2]money.Nano {
		rows, err := w.st.System().Query(strings.ReplaceAll(query, "?", "'"+w.account+"'"))
		require.NoError(rt, err)
		defer func() { require.NoError(rt, rows.Close()) }()
		out := map[string][2]money.Nano{}
		for rows.Next() {
			var k string
			var v [2]money.Nano
			require.NoError(rt, rows.Scan(&k, &v[0], &v[1]))
			out[k] = v
		}
		require.NoError(rt, rows.Err())
		return out
	}
	charges, holds := map[string][2]money.Nano{}, map[string][2]money.Nano{}
	for k, c := range w.charges {
		credits := money.Nano(0)
		if w.ppm > 0 {
			credits = c.amount
		}
		charges[k] = [2]money.Nano{c.cost, credits}
	}
	for _, o := range w.running {
		if !o.dead {
			holds[o.h.ID] = [2]money.Nano{o.h.Cost, o.h.Amount}
		}
	}
	require.Equal(rt, charges, read("SELECT coalesce(nullif(adjusts, ''), id), CAST(sum(cost) AS BIGINT), CAST(sum(credits) AS BIGINT) FROM charges WHERE account_id = ? GROUP BY 1"), "nothing lost, nothing twice")
	require.Equal(rt, holds, read("SELECT id, cost, amount FROM holds WHERE account_id = ?"))
}

// splits sees that what fell into overflows, line by line, is what cycles have
// spent of them, but for what was spent before a budget.
func (w *model) splits(rt *rapid.T) {
	var ids []string
	rows, err := w.st.System().Query("SELECT id FROM charges WHERE account_id = '" + w.account + "'")
	require.NoError(rt, err)
	defer func() { require.NoError(rt, rows.Close()) }()
	for rows.Next() {
		var k string
		require.NoError(rt, rows.Scan(&k))
		ids = append(ids, k)
	}
	require.NoError(rt, rows.Err())
	parts, err := w.engines[0].Overflows(ctx, ids)
	require.NoError(rt, err)
	got, want := map[string]money.Nano{}, map[string]money.Nano{}
	for _, list := range parts {
		for _, p := range list {
			got[p.BudgetID] += p.Amount
		}
	}
	for _, e := range w.cycles(rt) {
		within := func(spent money.Nano) money.Nano { return min(max(0, spent-e.lim), e.overflow) }
		if n := within(e.spent) - within(e.prior); e.spent > e.lim && e.overflow > 0 && n != 0 {
			want[e.budgetID] += n
		}
	}
	maps.DeleteFunc(got, func(_ string, n money.Nano) bool { return n == 0 })
	require.Equal(rt, want, got, "the parts of all lines are the cycles' overflow")
}
