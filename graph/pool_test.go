package graph

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const openAccount = `mutation($i: AccountCreateInput!) { accountCreate(input: $i) {
	account { id pool(plane: COPILOT) { limit } root(plane: COPILOT) { id budget { id limit state { remaining } } viewerCan { action allowed } } console: root(plane: CONSOLE) { id } }
	invitation { link } errors { code message path } } }`

func newAccount(slug string, more ...any) map[string]any {
	in := map[string]any{"name": "Gamma " + slug, "slug": slug, "timeZone": "Europe/Berlin", "planes": []string{"COPILOT"}, "adminEmail": slug + "@gamma.example"}
	for i := 0; i < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return map[string]any{"i": in}
}

// An account is opened with its first credits, or not at all.
func TestAccountIsOpenedWithItsCredits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		out := a.ok(a.SuperAdmin, openAccount, newAccount("rich", "credits", "2500.5"))
		require.Empty(t, out.at("accountCreate", "errors"))
		account := out.at("accountCreate", "account").(map[string]any)
		require.Equal(t, "2500.5", out.at("accountCreate", "account", "pool", "limit"))
		require.Equal(t, "2500.5", out.at("accountCreate", "account", "root", "budget", "state", "remaining"))
		require.Nil(t, account["console"], "it has no Console")
		require.NotEmpty(t, out.at("accountCreate", "invitation", "link"))
		e := a.Store.AuditEvent.Query().Where(auditevent.AccountID(account["id"].(string)), auditevent.Action("budget.set")).OnlyX(identitytest.System(t))
		require.Equal(t, a.SuperAdmin.UserID, e.ActorID)
		require.Contains(t, string(e.Changes), "2500.5")

		before := dump(t, a.Store)
		for what, in := range map[string]map[string]any{
			"without Copilot":     newAccount("poor", "credits", "10", "planes", []string{"CONSOLE"}),
			"less than nothing":   newAccount("poor", "credits", "-1"),
			"more than a billion": newAccount("poor", "credits", "1000000001"),
		} {
			refused := a.ok(a.SuperAdmin, openAccount, in)
			require.Equal(t, "INVALID", refused.at("accountCreate", "errors", 0, "code"), what)
			require.Equal(t, []any{"credits"}, refused.at("accountCreate", "errors", 0, "path"), what)
			require.Nil(t, refused.at("accountCreate", "account"), what)
		}
		require.Equal(t, before, dump(t, a.Store), "a refused opening leaves nothing behind")
		require.Equal(t, "FORBIDDEN", a.do(a.A.Admin, openAccount, newAccount("poor", "credits", "10")).code())
		require.Equal(t, "FORBIDDEN", a.do(a.auditor(), openAccount, newAccount("poor", "credits", "10")).code())
	})
}

// The first credits of an account are granted at the root that the platform
// sees of it; nobody of the account grants any.
func TestFirstCredits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		account := a.ok(a.SuperAdmin, openAccount, newAccount("fresh")).at("accountCreate", "account").(map[string]any)
		require.Nil(t, account["pool"])
		root := account["root"].(map[string]any)
		require.Nil(t, root["budget"])
		require.Contains(t, root["viewerCan"], map[string]any{"action": "budget.set", "allowed": true})
		of := map[string]any{"id": account["id"]}
		const rootOf = `query($id: ID!) { account(id: $id) { root(plane: COPILOT) { id viewerCan { action allowed } } } }`
		auditor := a.auditor()
		require.Contains(t, a.ok(auditor, rootOf, of).at("account", "root", "viewerCan"), map[string]any{"action": "budget.set", "allowed": false})
		require.Nil(t, a.do(a.B.Admin, rootOf, of).at("account"))

		grant := map[string]any{"scopeId": root["id"], "limit": "100", "dryRun": true}
		out, code := a.allocate(a.SuperAdmin, "budgetSet", grant)
		require.Empty(t, code)
		require.Nil(t, out.at("budgetSet", "budget"), "nothing was there, and nothing is")
		tell := `mutation($i: BudgetSetInput!) { budgetSet(input: $i) { plan { changes { scopeId before { limit } after { limit } remaining } renewal { endsAt nextEndsAt } warnings { code } } errors { code message } } }`
		told := a.ok(a.SuperAdmin, tell, map[string]any{"i": grant})
		require.Equal(t, []any{map[string]any{"scopeId": root["id"], "before": nil, "after": map[string]any{"limit": "100"}, "remaining": "100"}}, told.at("budgetSet", "plan", "changes"))
		delete(grant, "dryRun")
		for what, v := range map[string]*tenancy.Viewer{"another account's admin": a.B.Admin, "a member": a.A.Copilot.Seat, "nobody": nil} {
			_, code := a.allocate(v, "budgetSet", grant)
			require.Contains(t, []string{"NOT_FOUND", "FORBIDDEN", "UNAUTHENTICATED"}, code, what)
		}
		_, code = a.allocate(auditor, "budgetSet", grant)
		require.Equal(t, "FORBIDDEN", code)
		_, code = a.allocate(a.SuperAdmin, "budgetSet", grant)
		require.Empty(t, code)

		// From there on it is run from above: rhythm, rollover, for a while, stop and go.
		plan := a.ok(a.SuperAdmin, tell, map[string]any{"i": map[string]any{"scopeId": root["id"], "cycle": "QUARTERLY", "cycleDay": 15, "rolloverCap": "40", "overflow": "5"}})
		require.Empty(t, plan.at("budgetSet", "errors"))
		ends, err := time.Parse(time.RFC3339, plan.at("budgetSet", "plan", "renewal", "endsAt").(string))
		require.NoError(t, err)
		berlin, err := time.LoadLocation("Europe/Berlin")
		require.NoError(t, err)
		require.Equal(t, "15 00:00", ends.In(berlin).Format("2 15:04"), "by the account's midnight")
		_, code = a.allocate(a.SuperAdmin, "budgetIncrease", map[string]any{"scopeId": root["id"], "amount": "7", "endsAt": a.Store.Now().Add(time.Hour).Format(time.RFC3339)})
		require.Empty(t, code)
		pool := a.ok(a.SuperAdmin, `query($id: ID!) { account(id: $id) { pool(plane: COPILOT) { id cycle cycleDay rolloverCap overflow increases { amount } state { remaining } series { amount } previousSeries { amount } scope { allocation { words raised } } } } }`, of).
			at("account", "pool").(map[string]any)
		require.Equal(t, []any{"QUARTERLY", 15.0, "40", "5"}, []any{pool["cycle"], pool["cycleDay"], pool["rolloverCap"], pool["overflow"]})
		require.Equal(t, "112", pool["state"].(map[string]any)["remaining"])
		budget := map[string]any{"b": pool["id"]}
		a.ok(a.SuperAdmin, `mutation($b: ID!) { budgetFreeze(input: {budgetId: $b, reason: "unpaid"}) { errors { message } } }`, budget)
		frozen := a.ok(a.SuperAdmin, `query($b: ID!) { node(id: $b) { ... on Budget { freezeReason frozenBy viewerCan { action allowed } } } }`, budget)
		require.Equal(t, "unpaid", frozen.at("node", "freezeReason"))
		require.Equal(t, a.SuperAdmin.Name, frozen.at("node", "frozenBy"))
		require.Contains(t, frozen.at("node", "viewerCan"), map[string]any{"action": "budget.resume", "allowed": true})
		a.ok(a.SuperAdmin, `mutation($b: ID!) { budgetResume(input: {budgetId: $b}) { errors { message } } }`, budget)
		a.ok(a.SuperAdmin, `mutation($i: BudgetSetInput!) { budgetSet(input: $i) { errors { message } } }`, map[string]any{"i": map[string]any{"scopeId": root["id"], "cycle": "MANUAL"}})
		renewed := a.ok(a.SuperAdmin, `mutation($b: ID!) { budgetRenew(input: {budgetId: $b}) { budget { cycle } errors { message } } }`, budget)
		require.Equal(t, "MANUAL", renewed.at("budgetRenew", "budget", "cycle"))
		_, code = a.allocate(a.SuperAdmin, "budgetRemove", map[string]any{"budgetId": pool["id"]})
		require.Empty(t, code)
		require.Nil(t, a.ok(a.SuperAdmin, `query($id: ID!) { account(id: $id) { root(plane: COPILOT) { budget { id } } } }`, of).at("account", "root", "budget"))
	})
}

// What was done to a Copilot pool is the platform's to know; by whom of the
// account isn't.
func TestHistoryOfAPool(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		q, p := a.A.Copilot, a.A.Console
		_, code := a.allocate(a.SuperAdmin, "budgetSet", map[string]any{"scopeId": q.Root.ID, "limit": "77"})
		require.Empty(t, code)
		_, code = a.allocate(a.A.Admin, "budgetSet", map[string]any{"scopeId": q.Root.ID, "limit": "99"})
		require.Equal(t, "FORBIDDEN", code)
		budget := map[string]any{"b": q.Budgets[q.Root.ID].ID}
		a.ok(q.Admin, `mutation($b: ID!) { budgetFreeze(input: {budgetId: $b, reason: "Ada spent it all"}) { errors { message } } }`, budget)
		a.seal()
		const history = `query($b: ID!) { node(id: $b) { ... on Budget { history(first: 5) { edges { node { actorName actorId action reason requestId changes { field after } } } } } } }`
		edges := a.ok(a.SuperAdmin, history, budget).at("node", "history", "edges").([]any)
		require.Len(t, edges, 2, "refusals are no history")
		froze, granted := edges[0].(map[string]any)["node"].(map[string]any), edges[1].(map[string]any)["node"].(map[string]any)
		require.Equal(t, map[string]any{"action": "budget.freeze", "actorName": "Somebody of the account", "actorId": "", "reason": "", "requestId": "", "changes": []any{}}, froze)
		require.Equal(t, []any{"budget.set", a.SuperAdmin.Name, a.SuperAdmin.UserID}, []any{granted["action"], granted["actorName"], granted["actorId"]})
		require.Contains(t, granted["changes"], map[string]any{"field": "limit", "after": `"77"`})
		own := a.ok(a.A.Admin, history, budget).at("node", "history", "edges").([]any)
		require.Equal(t, q.Admin.Name, own[0].(map[string]any)["node"].(map[string]any)["actorName"], "the account knows its people")

		// Console's pool is the account's own.
		read := a.ok(a.SuperAdmin, history, map[string]any{"b": p.Budgets[p.Root.ID].ID})
		require.NotNil(t, read.at("node"))
		require.Nil(t, read.at("node", "history"))
		require.Nil(t, a.do(a.B.Admin, history, budget).at("node"))
	})
}

// At the root of a plane staff see its money, and nothing of what lies below:
// every field is tried, a new one too.
func TestStaffSeeThePoolAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		open := []string{"id", "name", "kind", "plane", "parentId", "location", "budget", "allocation", "viewerCan", "viewerCanWithin", "account",
			"catalogModels", "stdioCommands"} // the platform's own
		from, to := a.Store.Now().AddDate(0, 0, -1).Format(time.RFC3339), a.Store.Now().AddDate(0, 0, 1).Format(time.RFC3339)
		for name, v := range map[string]*tenancy.Viewer{"super admin": a.SuperAdmin, "platform auditor": a.auditor()} {
			for typ, plane := range map[string]*identitytest.Plane{"Console": a.A.Console, "Copilot": a.A.Copilot} {
				for _, f := range Schema().Types[typ].Fields {
					if strings.HasPrefix(f.Name, "__") || slices.Contains(open, f.Name) {
						continue
					}
					var args []string
					if f.Arguments.ForName("first") != nil {
						args = append(args, "first: 10")
					}
					if filter := f.Arguments.ForName("filter"); filter != nil && filter.Type.NonNull {
						args = append(args, `filter: {from: "`+from+`", to: "`+to+`"}`)
					}
					if f.Arguments.ForName("groupBy") != nil {
						args = append(args, "groupBy: MEMBER")
					}
					call := f.Name
					if len(args) > 0 {
						call += "(" + strings.Join(args, ", ") + ")"
					}
					if strings.HasSuffix(f.Type.Name(), "Connection") && f.Type.Name() != "UsableConnection" {
						call += " { edges { cursor } }"
					} else if kind := Schema().Types[f.Type.Name()].Kind; kind == ast.Object || kind == ast.Interface {
						call += " { __typename }"
					}
					out := a.do(v, `query($id: ID!) { node(id: $id) { id ... on `+typ+` { `+call+` } } }`, map[string]any{"id": plane.Root.ID})
					require.Contains(t, []string{"", "FORBIDDEN"}, out.code(), "%s: %s.%s: %+v", name, typ, f.Name, out.Errors)
					if out.code() == "FORBIDDEN" {
						continue
					}
					require.Equal(t, plane.Root.ID, out.at("node", "id"), "%s: %s.%s", name, typ, f.Name)
					if edges, ok := out.at("node", f.Name, "edges").([]any); ok {
						require.Empty(t, edges, "%s: %s.%s", name, typ, f.Name)
						continue
					}
					require.Empty(t, out.at("node", f.Name), "%s: %s.%s", name, typ, f.Name)
				}
			}
		}
		// Nor does a change of the pool name whoever follows it.
		q := a.A.Copilot
		_, code := a.allocate(a.SuperAdmin, "budgetSet", map[string]any{"scopeId": q.Root.ID, "limit": "100"})
		require.Empty(t, code)
		_, code = a.allocate(q.Admin, "budgetSet", map[string]any{"scopeId": q.Root.ID, "distribution": "EQUAL"})
		require.Empty(t, code)
		_, code = a.allocate(a.A.Admin, "budgetRemove", map[string]any{"budgetId": q.Budgets[q.Org.ID].ID})
		require.Empty(t, code)
		more := map[string]any{"scopeId": q.Root.ID, "limit": "200", "dryRun": true}
		out, code := a.allocate(a.SuperAdmin, "budgetSet", more)
		require.Empty(t, code)
		require.Len(t, out.at("budgetSet", "plan", "changes"), 1)
		require.Equal(t, q.Root.ID, out.at("budgetSet", "plan", "changes", 0, "scopeId"))
		require.Greater(t, out.at("budgetSet", "plan", "changed"), 1.0, "how many follow is no secret")
		for _, w := range out.at("budgetSet", "plan", "warnings").([]any) {
			require.Equal(t, q.Root.ID, w.(map[string]any)["scopeId"])
		}
		// A share that would fall below what it has given is refused without its name.
		_, code = a.allocate(q.Admin, "budgetSet", map[string]any{"scopeId": q.Team.ID, "limit": "40"})
		require.Empty(t, code)
		out, code = a.allocate(a.SuperAdmin, "budgetSet", map[string]any{"scopeId": q.Root.ID, "limit": "50"})
		require.Equal(t, "BUDGET_EXCEEDED", code)
		require.NotContains(t, out.at("budgetSet", "errors", 0, "message"), q.Org.Name)
		require.Contains(t, out.at("budgetSet", "errors", 0, "message"), "Something below")
	})
}
