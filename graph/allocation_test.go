package graph

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/tenancy"
)

const planned = `plan { changed changes { scopeId reason before { limit raised } after { limit raised origin distribution } } warnings { scopeName code message } }
	errors { message code path ... on AllocationError { available } }`

var allocations = map[string]string{
	"budgetSet":         `mutation($i: BudgetSetInput!) { budgetSet(input: $i) { budget { id limit version distribution reserve origin } ` + planned + ` } }`,
	"budgetRemove":      `mutation($i: BudgetRemoveInput!) { budgetRemove(input: $i) { scope { id } ` + planned + ` } }`,
	"budgetIncrease":    `mutation($i: BudgetIncreaseInput!) { budgetIncrease(input: $i) { increase { id amount reason endsAt } budget { state { limit } } ` + planned + ` } }`,
	"budgetIncreaseEnd": `mutation($i: BudgetIncreaseEndInput!) { budgetIncreaseEnd(input: $i) { budget { state { limit } } ` + planned + ` } }`,
	"budgetMove":        `mutation($i: BudgetMoveInput!) { budgetMove(input: $i) { from { limit } to { limit } ` + planned + ` } }`,
}

// allocate runs one of the mutations and returns its code: of the payload's
// error, or of the operation's.
func (a *api) allocate(v *tenancy.Viewer, name string, input map[string]any) (answer, string) {
	a.t.Helper()
	out := a.do(v, allocations[name], map[string]any{"i": input})
	if code, ok := out.at(name, "errors", 0, "code").(string); ok {
		return out, code
	}
	return out, out.code()
}

func with(input map[string]any, key string, value any) map[string]any {
	out := map[string]any{key: value}
	for k, v := range input {
		out[k] = v
	}
	return out
}

// The day of a cycle: told before it is done, refused where there is none, and in
// force for the whole tree.
func TestDayOfACycle(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		set := `mutation($i: BudgetSetInput!) { budgetSet(input: $i) { budget { cycle cycleDay } plan { renewal { previousEndsAt endsAt nextEndsAt } } errors { message code path } } }`
		input := map[string]any{"scopeId": p.Root.ID, "cycle": "QUARTERLY", "cycleDay": 20}
		tried := a.do(p.Admin, set, map[string]any{"i": with(input, "dryRun", true)})
		require.Equal(t, "FORBIDDEN", tried.code(), "the pool is set from above")
		tried = a.do(a.A.Admin, set, map[string]any{"i": with(input, "dryRun", true)})
		require.Empty(t, tried.code())
		renewal := tried.at("budgetSet", "plan", "renewal")
		require.NotNil(t, renewal)
		done := a.do(a.A.Admin, set, map[string]any{"i": input})
		require.Equal(t, renewal, done.at("budgetSet", "plan", "renewal"))
		require.EqualValues(t, 20, done.at("budgetSet", "budget", "cycleDay"))
		ends, err := time.Parse(time.RFC3339, renewal.(map[string]any)["endsAt"].(string))
		require.NoError(t, err)
		require.Equal(t, 20, ends.Day())
		require.Contains(t, []time.Month{1, 4, 7, 10}, ends.Month())

		// Those below go by it.
		below := a.do(p.OrgAdmin, `query($id: ID!) { node(id: $id) { ... on Budget { cycle cycleDay state { endsAt } } } }`, map[string]any{"id": p.Budgets[p.Team.ID].ID})
		require.Equal(t, "QUARTERLY", below.at("node", "cycle"))
		require.EqualValues(t, 20, below.at("node", "cycleDay"))
		require.Equal(t, renewal.(map[string]any)["endsAt"], below.at("node", "state", "endsAt"))

		for _, bad := range []map[string]any{{"scopeId": p.Root.ID, "cycleDay": 29}, {"scopeId": p.Root.ID, "cycleDay": 0}, {"scopeId": p.Root.ID, "cycle": "MANUAL", "cycleDay": 3}} {
			out := a.do(a.A.Admin, set, map[string]any{"i": bad})
			require.Equal(t, "INVALID", out.at("budgetSet", "errors", 0, "code"), "%v", bad)
			require.Equal(t, []any{"cycleDay"}, out.at("budgetSet", "errors", 0, "path"))
		}
		manual := a.do(a.A.Admin, set, map[string]any{"i": map[string]any{"scopeId": p.Root.ID, "cycle": "MANUAL"}})
		require.Nil(t, manual.at("budgetSet", "budget", "cycleDay"))
		require.Nil(t, manual.at("budgetSet", "plan", "renewal", "endsAt"))
	})
}

// Every way to change the allocation has a rehearsal that tells the same plan
// and changes nothing.
func TestRehearsalsOfAllocation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		for _, c := range []struct {
			name  string
			input map[string]any
		}{
			{"budgetSet", map[string]any{"scopeId": p.Team.ID, "limit": "5", "distribution": "EQUAL", "reserve": "1"}},
			{"budgetSet", map[string]any{"scopeId": p.SiblingTeam.ID, "limit": "3"}},
			{"budgetMove", map[string]any{"fromId": p.Team.ID, "toId": p.SiblingTeam.ID, "amount": "0.5"}},
			{"budgetIncrease", map[string]any{"scopeId": p.Team.ID, "amount": "2", "endsAt": until, "reason": "a busy week"}},
			{"budgetRemove", map[string]any{"budgetId": p.Budgets[p.Member.ID].ID}},
		} {
			before := dump(t, a.Store)
			tried, code := a.allocate(p.OrgAdmin, c.name, with(c.input, "dryRun", true))
			require.Empty(t, code, "%s: %+v", c.name, tried)
			require.Equal(t, before, dump(t, a.Store), "%s changed something", c.name)
			done, code := a.allocate(p.OrgAdmin, c.name, c.input)
			require.Empty(t, code, "%s: %+v", c.name, done)
			require.Equal(t, tried.at(c.name, "plan"), done.at(c.name, "plan"), c.name)
			require.NotEmpty(t, done.at(c.name, "plan", "changes"))
			require.NotEqual(t, before, dump(t, a.Store))
		}
		out, _ := a.allocate(p.OrgAdmin, "budgetSet", map[string]any{"scopeId": p.Team.ID})
		require.Equal(t, []any{"4.5", "EQUAL", "1"}, []any{out.at("budgetSet", "budget", "limit"), out.at("budgetSet", "budget", "distribution"), out.at("budgetSet", "budget", "reserve")})
		read := a.ok(p.OrgAdmin, `query($id: ID!) { node(id: $id) { ... on Member { budget { origin limit } allocation { source from formula limit free words setBy } } } }`, map[string]any{"id": p.Member.ID})
		require.Equal(t, "SHARE", read.at("node", "budget", "origin"))
		require.Equal(t, "5.5", read.at("node", "budget", "limit"))
		require.Equal(t, map[string]any{"source": "SHARE", "from": "team Risk", "formula": "($4.50 + $2.00 raised − $1.00 reserve) ÷ 1", "limit": "5.5",
			"free": "0.0000001", "words": read.at("node", "allocation", "words"), "setBy": nil}, read.at("node", "allocation"))

		// The increase is in force until somebody takes it back.
		read = a.ok(p.OrgAdmin, `query($id: ID!) { node(id: $id) { ... on Team { budget { id increases { id amount reason } state { limit } } allocation { raised setBy committed } } } }`, map[string]any{"id": p.Team.ID})
		require.Equal(t, "6.5", read.at("node", "budget", "state", "limit"))
		require.Equal(t, "2", read.at("node", "allocation", "raised"))
		require.Equal(t, "a busy week", read.at("node", "budget", "increases", 0, "reason"))
		increase := read.at("node", "budget", "increases", 0, "id")
		end := map[string]any{"increaseId": increase}
		_, code := a.allocate(p.OrgAdmin, "budgetIncreaseEnd", with(end, "dryRun", true))
		require.Empty(t, code)
		out, code = a.allocate(p.OrgAdmin, "budgetIncreaseEnd", end)
		require.Empty(t, code)
		require.Equal(t, "4.5", out.at("budgetIncreaseEnd", "budget", "state", "limit"))
		_, code = a.allocate(p.OrgAdmin, "budgetIncreaseEnd", end)
		require.Equal(t, "INVALID", code)

		// What was done stands in the budget's history, newest first.
		a.seal()
		const history = `query($id: ID!, $after: String) { node(id: $id) { ... on Budget { history(first: 2, after: $after) { edges { node { action actorName changes { field before after } } } pageInfo { hasNextPage endCursor } } } } }`
		ask := map[string]any{"id": read.at("node", "budget", "id")}
		past := a.ok(p.OrgAdmin, history, ask)
		require.Equal(t, "budget.increaseEnd", past.at("node", "history", "edges", 0, "node", "action"))
		require.Equal(t, "budget.share", past.at("node", "history", "edges", 1, "node", "action"), "what followed from it")
		ask["after"] = past.at("node", "history", "pageInfo", "endCursor")
		past = a.ok(p.OrgAdmin, history, ask)
		require.Equal(t, "budget.set", past.at("node", "history", "edges", 0, "node", "action"), "which changed nothing")
		require.Equal(t, "budget.share", past.at("node", "history", "edges", 1, "node", "action"), "of a limit that was removed")
		ask["after"] = past.at("node", "history", "pageInfo", "endCursor")
		past = a.ok(p.OrgAdmin, history, ask)
		require.Equal(t, "budget.increase", past.at("node", "history", "edges", 0, "node", "action"))
		require.Equal(t, "budget.move", past.at("node", "history", "edges", 1, "node", "action"))
		seen := a.ok(p.Seat, `query($id: ID!) { node(id: $id) { ... on Member { budget { history(first: 1) { edges { node { id } } } } allocation { words } } } }`, map[string]any{"id": p.Member.ID})
		require.Nil(t, seen.at("node", "budget", "history"), "who can't read the log doesn't read it here")
	})
}

// What a scope gives is for its own admins to say; how much it has is not.
func TestAllocationIsDecidedAtItsPlace(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		team := func(more ...any) map[string]any {
			out := map[string]any{"scopeId": p.Team.ID}
			for i := 0; i < len(more); i += 2 {
				out[more[i].(string)] = more[i+1]
			}
			return out
		}
		for what, c := range map[string]struct {
			viewer *tenancy.Viewer
			name   string
			input  map[string]any
			code   string
		}{
			"team admin shares out":            {p.TeamAdmin, "budgetSet", team("distribution", "EQUAL", "reserve", "0.00000001", "thresholds", []any{50}), ""},
			"team admin raises own limit":      {p.TeamAdmin, "budgetSet", team("limit", "9"), "FORBIDDEN"},
			"team admin hides it among others": {p.TeamAdmin, "budgetSet", team("distribution", "POOL", "overflow", "9"), "FORBIDDEN"},
			"team admin, own increase":         {p.TeamAdmin, "budgetIncrease", team("amount", "9", "endsAt", until), "FORBIDDEN"},
			"team admin, a neighbour's":        {p.TeamAdmin, "budgetMove", map[string]any{"fromId": p.SiblingTeam.ID, "toId": p.Team.ID, "amount": "1"}, "NOT_FOUND"},
			"member shares out":                {p.Seat, "budgetSet", team("distribution", "EQUAL"), "FORBIDDEN"},
			"sibling shares out":               {p.SiblingOrgAdmin, "budgetSet", team("distribution", "EQUAL"), "NOT_FOUND"},
			"plane admin lifts strictness":     {p.Admin, "budgetSet", map[string]any{"scopeId": p.Root.ID, "strict": false}, "FORBIDDEN"},
			"plane admin, own reserve":         {p.Admin, "budgetSet", map[string]any{"scopeId": p.Root.ID, "reserve": "0.00000001"}, ""},
			"Copilot isn't to be loosened":     {a.SuperAdmin, "budgetSet", map[string]any{"scopeId": a.A.Copilot.Root.ID, "strict": false}, "INVALID"},
			"account admin, Copilot's pool":    {a.A.Admin, "budgetIncrease", map[string]any{"scopeId": a.A.Copilot.Root.ID, "amount": "1", "endsAt": until}, "FORBIDDEN"},
			"to the other plane":               {a.A.Admin, "budgetMove", map[string]any{"fromId": p.Team.ID, "toId": a.A.Copilot.Team.ID, "amount": "1"}, "NOT_FOUND"},
			"an absurd amount":                 {p.OrgAdmin, "budgetIncrease", team("amount", "999999999999", "endsAt", until), "BAD_INPUT"},
			"more than a billion":              {p.OrgAdmin, "budgetIncrease", team("amount", "1000000001", "endsAt", until), "INVALID"},
			"less than nothing":                {p.OrgAdmin, "budgetIncrease", team("amount", "-1", "endsAt", until), "INVALID"},
		} {
			out, code := a.allocate(c.viewer, c.name, c.input)
			require.Equal(t, c.code, code, "%s: %+v", what, out)
		}

		// In Copilot nobody gives more than they have; the refusal says how much there is.
		q := a.A.Copilot
		_, code := a.allocate(a.SuperAdmin, "budgetSet", map[string]any{"scopeId": q.Root.ID, "limit": "100"})
		require.Empty(t, code)
		out, code := a.allocate(q.Admin, "budgetSet", map[string]any{"scopeId": q.Org.ID, "limit": "100"})
		require.Equal(t, "BUDGET_EXCEEDED", code, "%+v", out)
		require.Equal(t, "99.9999999", out.at("budgetSet", "errors", 0, "available"))
		require.Equal(t, []any{"limit"}, out.at("budgetSet", "errors", 0, "path"))
	})
}
