package graph

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/tenancy"
)

const freezeBudget = `mutation($i: BudgetFreezeInput!) { budgetFreeze(input: $i) { budget { frozenAt frozenBy freezeReason state { status frozenAt } viewerCan { action allowed } } errors { code message path } } }`
const resumeBudget = `mutation($i: BudgetResumeInput!) { budgetResume(input: $i) { budget { frozenAt frozenBy freezeReason state { status } } errors { code message path } } }`

// verdict is the code of an answer, of the payload or of the operation.
func verdict(out answer, field string) string {
	if s, ok := out.at(field, "errors", 0, "code").(string); ok {
		return s
	}
	return out.code()
}

// Stopping is allowed where setting isn't; letting go is for those above, and
// for who stopped.
func TestBudgetIsFrozenAndResumed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		team, pool := p.Budgets[p.Team.ID].ID, p.Budgets[p.Root.ID].ID
		freeze := func(v *tenancy.Viewer, budgetID string) answer {
			return a.do(v, freezeBudget, map[string]any{"i": map[string]any{"budgetId": budgetID, "reason": "A runaway loop."}})
		}
		resume := func(v *tenancy.Viewer, budgetID string) answer {
			return a.do(v, resumeBudget, map[string]any{"i": map[string]any{"budgetId": budgetID}})
		}
		for name, c := range map[string]struct {
			viewer *tenancy.Viewer
			budget string
			code   string
		}{
			"member, own team":            {p.Seat, team, "FORBIDDEN"},
			"sibling's admin":             {p.SiblingOrgAdmin, team, "NOT_FOUND"},
			"org admin, the pool":         {p.OrgAdmin, pool, "NOT_FOUND"},
			"the other plane's admin":     {a.A.Copilot.Admin, team, "NOT_FOUND"},
			"the other account's admin":   {a.B.Admin, team, "NOT_FOUND"},
			"super admin, a Console team": {a.SuperAdmin, team, "NOT_FOUND"},
			"nobody":                      {nil, team, "UNAUTHENTICATED"},
			"an id that doesn't exist":    {a.A.Admin, "bud_01JD0000000000000000000000", "NOT_FOUND"},
		} {
			require.Equal(t, c.code, verdict(freeze(c.viewer, c.budget), "budgetFreeze"), name)
			require.Equal(t, c.code, verdict(resume(c.viewer, c.budget), "budgetResume"), name)
		}
		require.Equal(t, "INVALID", verdict(a.do(p.TeamAdmin, freezeBudget, map[string]any{"i": map[string]any{"budgetId": team, "reason": " "}}), "budgetFreeze"))

		// A team's admin stops their own team, which they can't set, and lets it go again.
		out := freeze(p.TeamAdmin, team)
		require.Empty(t, verdict(out, "budgetFreeze"), "%+v", out)
		require.Equal(t, "A runaway loop.", out.at("budgetFreeze", "budget", "freezeReason"))
		require.Equal(t, "BLOCKED", out.at("budgetFreeze", "budget", "state", "status"))
		require.NotNil(t, out.at("budgetFreeze", "budget", "state", "frozenAt"))
		require.NotNil(t, out.at("budgetFreeze", "budget", "frozenBy"))
		require.Contains(t, out.at("budgetFreeze", "budget", "viewerCan"), map[string]any{"action": "budget.resume", "allowed": true})
		require.Equal(t, "CONFLICT", verdict(freeze(p.OrgAdmin, team), "budgetFreeze"))
		out = resume(p.TeamAdmin, team)
		require.Empty(t, verdict(out, "budgetResume"), "%+v", out)
		require.Nil(t, out.at("budgetResume", "budget", "frozenAt"))
		require.Equal(t, "CONFLICT", verdict(resume(p.OrgAdmin, team), "budgetResume"))

		// What somebody above has stopped, they can't let go.
		require.Empty(t, verdict(freeze(p.OrgAdmin, team), "budgetFreeze"))
		require.Equal(t, "FORBIDDEN", verdict(resume(p.TeamAdmin, team), "budgetResume"))
		require.Empty(t, verdict(resume(p.Admin, team), "budgetResume"), "who may set it may resume it")

		// The Copilot pool is the super admin's to set; the account's admin may stop it.
		credits := a.A.Copilot.Budgets[a.A.Copilot.Root.ID].ID
		require.Empty(t, verdict(freeze(a.SuperAdmin, credits), "budgetFreeze"))
		require.Equal(t, "FORBIDDEN", verdict(resume(a.A.Admin, credits), "budgetResume"))
		require.Empty(t, verdict(resume(a.SuperAdmin, credits), "budgetResume"))
		require.Empty(t, verdict(freeze(a.A.Admin, credits), "budgetFreeze"))
		require.Empty(t, verdict(resume(a.A.Admin, credits), "budgetResume"))

		a.seal()
		events := a.ok(a.A.Admin, `{ console { account { auditEvents(first: 20) { edges { node { action changes { field before after } } } } } } }`, nil)
		require.Contains(t, fmt.Sprint(events.Data), "A runaway loop.")
	})
}

func TestBudgetIsRenewedByHand(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		renew := func(v *tenancy.Viewer, scopeID string) string {
			return verdict(a.do(v, `mutation($i: BudgetRenewInput!) { budgetRenew(input: $i) { budget { cycle state { spent startsAt } } errors { code message } } }`,
				map[string]any{"i": map[string]any{"budgetId": p.Budgets[scopeID].ID}}), "budgetRenew")
		}
		require.Equal(t, "INVALID", renew(a.A.Admin, p.Root.ID), "renews by itself")
		out := a.ok(a.A.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Root.ID, "limit": "1000", "cycle": "MANUAL"}})
		require.Empty(t, out.at("budgetSet", "errors"))
		require.Equal(t, "FORBIDDEN", renew(p.Admin, p.Root.ID), "nobody sets their own pool")
		require.Equal(t, "FORBIDDEN", renew(p.Admin, p.Team.ID), "a team goes by the pool")
		require.Equal(t, "NOT_FOUND", renew(a.B.Admin, p.Root.ID))
		require.Empty(t, renew(a.A.Admin, p.Root.ID))
	})
}

// Statements are seen by whoever may watch the budget, and by nobody else.
func TestStatementsAreSeenWithTheBudget(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		const parts = `edges { node { id scopeId scopeName location unit startsAt endsAt closedAt limit carriedIn raised overflow spent overflowSpent excessSpent corrections total carriedOut calls models { name amount } } cursor } pageInfo { hasNextPage }`
		ids := func(v *tenancy.Viewer, scopeID any) (out []string) {
			got := a.do(v, `query($s: ID) { console { statements(scopeId: $s, first: 100) { `+parts+` } } }`, map[string]any{"s": scopeID})
			edges, _ := got.at("console", "statements", "edges").([]any)
			for i := range edges {
				out = append(out, got.at("console", "statements", "edges", i, "node", "scopeId").(string))
			}
			return out
		}
		require.Subset(t, ids(a.A.Admin, nil), []string{p.Root.ID, p.Org.ID, p.Team.ID, p.Member.ID})
		require.NotContains(t, ids(p.OrgAdmin, nil), p.Root.ID)
		require.Contains(t, ids(p.OrgAdmin, nil), p.Team.ID)
		require.Contains(t, ids(p.Seat, nil), p.Member.ID)
		require.NotContains(t, ids(p.Seat, nil), p.Team.ID)
		require.Equal(t, []string{p.Team.ID}, ids(p.TeamAdmin, p.Team.ID))
		require.Empty(t, ids(p.SiblingOrgAdmin, p.Team.ID))
		require.Empty(t, ids(a.B.Admin, p.Team.ID))

		charges := a.ok(a.A.Admin, `{ console { charges(first: 5) { edges { node { overflow { budgetId scopeName amount } } } } } }`, nil)
		require.Equal(t, []any{}, charges.at("console", "charges", "edges", 0, "node", "overflow"), "nothing overflowed here")

		out := a.ok(p.TeamAdmin, `query($s: ID!) { node(id: $s) { ... on Team { budget { statements(first: 1) { `+parts+` } } } } }`, map[string]any{"s": p.Team.ID})
		id := out.at("node", "budget", "statements", "edges", 0, "node", "id").(string)
		one := func(v *tenancy.Viewer) any {
			return a.do(v, `query($s: ID!) { node(id: $s) { ... on Statement { scopeName total location } } }`, map[string]any{"s": id}).at("node")
		}
		require.Equal(t, p.Team.Name, one(p.TeamAdmin).(map[string]any)["scopeName"])
		for name, v := range map[string]*tenancy.Viewer{"sibling": p.SiblingOrgAdmin, "seat": p.Seat, "other plane": a.A.Copilot.Admin, "other account": a.B.Admin, "platform": a.SuperAdmin} {
			require.Nil(t, one(v), name)
		}
	})
}
