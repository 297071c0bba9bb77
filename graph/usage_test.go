package graph

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// charge settles a call that a scope pays, at a ceiling of so many dollars.
func (a *api) charge(at *ent.Scope, userID string, dollars money.Nano) (chargeID string) {
	a.t.Helper()
	c := budget.Call{AccountID: at.AccountID, Plane: tenancy.Plane(at.Plane), Path: at.Path, UserID: userID, ModelID: "mod_probe", ModelName: "probe",
		Ceiling: dollars * money.One, RequestID: id.New(id.Request), Tags: []string{"nightly"}, SessionRef: "a session"}
	for _, s := range strings.Split(strings.Trim(at.Path, "/"), "/") {
		switch p, _ := id.PrefixOf(s); p {
		case id.Organization:
			c.OrganizationID = s
		case id.Team:
			c.TeamID = s
		case id.Member:
			c.MemberID = s
		case id.Key:
			c.KeyID = s
		}
	}
	if c.Plane == tenancy.Copilot {
		var err error
		c.FactorPPM, err = a.resolver.Catalog.FactorPPM(a.t.Context(), at.AccountID)
		require.NoError(a.t, err)
	}
	h, err := a.budgets.Hold(a.t.Context(), c, budget.Usage{Output: 3})
	require.NoError(a.t, err)
	_, err = h.Settle(a.t.Context(), budget.Usage{Output: 3}, budget.Outcome{})
	require.NoError(a.t, err)
	return h.ID
}

// rich lets every budget pay.
func (a *api) rich() {
	a.t.Helper()
	for _, q := range []string{"UPDATE budgets SET lim = 1000000000000000", "UPDATE budget_cycles SET lim = 1000000000000000"} {
		_, err := a.Store.System().Exec(q)
		require.NoError(a.t, err)
	}
}

func sumOf(t *testing.T, amounts any) (sum money.Nano) {
	t.Helper()
	for _, a := range amounts.([]any) {
		n, err := money.Parse(a.(string))
		require.NoError(t, err)
		sum += n
	}
	return sum
}

const usageOf = `query($f: UsageFilter!, $g: UsageGroup!) { console { usage(filter: $f, groupBy: $g) { total { amount calls } rows { id name totals { amount } }
	previous { amount } periods(by: MONTH) { start amount } classes { class tokens amount }
	series(groups: 1) { starts groups { id amounts } others } flows(rows: 2) { rows { organizationId teamId modelId amount } others } } } }`

// Whoever looks sees the charges of their own subtree, by every dimension and
// with every filter, and the total says no more than the rows.
func TestUsageEndsWithOnesReach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.rich()
		p := a.A.Console
		now := a.Store.Now().UTC()
		days := func(more map[string]any) map[string]any {
			f := map[string]any{"from": now.AddDate(0, 0, -1).Format(time.RFC3339), "to": now.AddDate(0, 0, 1).Format(time.RFC3339), "modelId": "mod_probe"}
			for k, v := range more {
				f[k] = v
			}
			return f
		}
		a.charge(p.Member, p.Seat.UserID, 1)
		a.charge(p.Team, "", 2)
		a.charge(p.SiblingTeam, "", 4)
		a.charge(p.OtherTeam, "", 8)
		a.charge(a.B.Console.Team, "", 16)
		a.charge(p.KeyScope, p.Seat.UserID, 32)
		for name, c := range map[string]struct {
			viewer *tenancy.Viewer
			sees   string
		}{
			"account admin": {a.A.Admin, "47"}, "plane admin": {p.Admin, "47"}, "organization admin": {p.OrgAdmin, "39"},
			"sibling organization's": {p.SiblingOrgAdmin, "8"}, "team admin": {p.TeamAdmin, "35"}, "sibling team's": {p.SiblingTeamAdmin, "4"},
			"member": {p.Seat, "33"}, "the other account's": {a.B.Admin, "16"},
		} {
			for _, g := range Schema().Types["UsageGroup"].EnumValues {
				out := a.ok(c.viewer, usageOf, map[string]any{"f": days(nil), "g": g.Name})
				require.Equal(t, c.sees, out.at("console", "usage", "total", "amount"), "%s by %s", name, g.Name)
				var rows money.Nano
				for _, row := range out.at("console", "usage", "rows").([]any) {
					n, err := money.Parse(row.(map[string]any)["totals"].(map[string]any)["amount"].(string))
					require.NoError(t, err)
					rows += n
				}
				require.Equal(t, c.sees, rows.String(), "%s by %s", name, g.Name)
				require.Equal(t, c.sees, out.at("console", "usage", "periods", 0, "amount"))
				require.Equal(t, "0", out.at("console", "usage", "previous", "amount"))
				// The series and the flows end there too, and add up to the same.
				series := out.at("console", "usage", "series").(map[string]any)
				require.Len(t, series["starts"], 3)
				over := sumOf(t, series["others"])
				for _, s := range series["groups"].([]any) {
					require.Len(t, s.(map[string]any)["amounts"], 3)
					over += sumOf(t, s.(map[string]any)["amounts"])
				}
				require.Equal(t, c.sees, over.String(), "%s by %s over time", name, g.Name)
				flows := out.at("console", "usage", "flows").(map[string]any)
				went := sumOf(t, []any{flows["others"]})
				for _, f := range flows["rows"].([]any) {
					went += sumOf(t, []any{f.(map[string]any)["amount"]})
				}
				require.Equal(t, c.sees, went.String(), "%s's flows", name)
				require.Equal(t, map[string]any{"class": "OTHER", "tokens": float64(0), "amount": c.sees}, out.at("console", "usage", "classes", 1), "a ceiling has no class")
			}
			// No filter leads out of one's reach.
			for _, s := range []*ent.Scope{p.SiblingTeam, p.OtherTeam, a.B.Console.Team, a.A.Copilot.Team} {
				out := a.do(c.viewer, usageOf, map[string]any{"f": days(map[string]any{"scopeId": s.ID}), "g": "TEAM"})
				if len(out.Errors) == 0 {
					require.True(t, c.viewer.Reaches(s.Path), "%s sees %s", name, s.Path)
				} else {
					require.Equal(t, "NOT_FOUND", out.code())
				}
			}
		}
		out := a.ok(p.Admin, usageOf, map[string]any{"f": days(map[string]any{"tag": "nightly", "userId": p.Seat.UserID}), "g": "MODEL"})
		require.Equal(t, "33", out.at("console", "usage", "total", "amount"))
		out = a.ok(p.Admin, usageOf, map[string]any{"f": days(map[string]any{"tag": "daily"}), "g": "MODEL"})
		require.Equal(t, "0", out.at("console", "usage", "total", "amount"))
		f := days(nil)
		f["from"] = now.AddDate(0, 0, -401).Format(time.RFC3339)
		require.Equal(t, "BAD_INPUT", a.do(p.Admin, usageOf, map[string]any{"f": f, "g": "MODEL"}).code())

		own := `query($f: UsageFilter!) { viewer { usage(plane: CONSOLE, filter: $f, groupBy: KEY) { total { amount } } } }`
		require.Equal(t, "33", a.ok(p.Seat, own, map[string]any{"f": days(nil)}).at("viewer", "usage", "total", "amount"))
		require.Equal(t, "33", a.ok(p.Seat, own, map[string]any{"f": days(map[string]any{"userId": p.TeamAdmin.UserID})}).at("viewer", "usage", "total", "amount"), "nobody else's")
		require.Nil(t, a.ok(a.SuperAdmin, own, map[string]any{"f": days(nil)}).at("viewer", "usage"))
	})
}

// What was before is told of the whole and of every row, by as many days.
func TestUsageIsComparedWithTheDaysBefore(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.rich()
		p := a.A.Console
		a.charge(p.Member, p.Seat.UserID, 3)
		a.charge(p.SiblingTeam, "", 5)
		now := a.Store.Now().UTC()
		query := `query($f: UsageFilter!, $g: UsageGroup!, $n: Int! = 8) { console { usage(filter: $f, groupBy: $g) { total { amount } previous { amount calls }
			rows { id totals { amount } previous { amount } } series(groups: $n) { starts } } } }`
		f := map[string]any{"from": now.Format(time.RFC3339), "to": now.AddDate(0, 0, 1).Format("2006-01-02T00:00:00Z"), "modelId": "mod_probe"}
		a.charge(p.SiblingTeam, "", 8)
		out := a.ok(p.Admin, query, map[string]any{"f": f, "g": "TEAM"})
		require.Equal(t, "16", out.at("console", "usage", "total", "amount"))
		f["from"], f["to"] = now.AddDate(0, 0, 1).Format("2006-01-02T00:00:00Z"), now.AddDate(0, 0, 2).Format("2006-01-02T00:00:00Z")
		out = a.ok(p.Admin, query, map[string]any{"f": f, "g": "TEAM"})
		require.Equal(t, "0", out.at("console", "usage", "total", "amount"))
		require.Equal(t, "16", out.at("console", "usage", "previous", "amount"))
		require.EqualValues(t, 3, out.at("console", "usage", "previous", "calls"))
		for _, n := range []int{0, 101} {
			require.Equal(t, "BAD_INPUT", a.do(p.Admin, query, map[string]any{"f": f, "g": "TEAM", "n": n}).code())
		}
	})
}

// Receipts are found by everything that the ledger knows of a call, and by
// nothing that lies beyond one's reach.
func TestReceiptsAreFiltered(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.rich()
		p := a.A.Console
		byKey, byMember, elsewhere := a.charge(p.KeyScope, p.Seat.UserID, 1), a.charge(p.Member, p.Seat.UserID, 2), a.charge(p.OtherTeam, "", 4)
		now := a.Store.Now().UTC()
		days := map[string]any{"from": now.AddDate(0, 0, -1).Format(time.RFC3339), "to": now.AddDate(0, 0, 1).Format(time.RFC3339)}
		const query = `query($tag: String, $key: ID, $agent: ID, $client: ID, $user: ID, $scope: ID, $from: DateTime, $to: DateTime) { console {
			charges(tag: $tag, keyId: $key, agentId: $agent, clientId: $client, userId: $user, scopeId: $scope, from: $from, to: $to, modelId: "mod_probe", first: 10) {
			totalCount edges { node { id } } } } }`
		find := func(v *tenancy.Viewer, vars map[string]any) []any {
			with := map[string]any{}
			for _, m := range []map[string]any{days, vars} {
				for k, x := range m {
					with[k] = x
				}
			}
			out := a.ok(v, query, with)
			var ids []any
			for _, e := range out.at("console", "charges", "edges").([]any) {
				ids = append(ids, e.(map[string]any)["node"].(map[string]any)["id"])
			}
			require.EqualValues(t, len(ids), out.at("console", "charges", "totalCount"))
			return ids
		}
		require.ElementsMatch(t, []any{byKey, byMember, elsewhere}, find(a.A.Admin, map[string]any{"tag": "nightly"}))
		require.ElementsMatch(t, []any{byKey, byMember}, find(p.TeamAdmin, map[string]any{"tag": "nightly"}), "no further than one's reach")
		require.ElementsMatch(t, []any{byKey, byMember}, find(a.A.Admin, map[string]any{"tag": "nightly", "user": p.Seat.UserID}))
		require.ElementsMatch(t, []any{elsewhere}, find(a.A.Admin, map[string]any{"tag": "nightly", "scope": p.OtherTeam.ID}))
		require.Equal(t, []any{byKey}, find(p.Seat, map[string]any{"key": p.KeyScope.ID}))
		require.Empty(t, find(p.SiblingTeamAdmin, map[string]any{"key": p.KeyScope.ID}))
		require.Empty(t, find(a.B.Admin, map[string]any{"tag": "nightly"}))
		require.Empty(t, find(a.A.Admin, map[string]any{"tag": "night"}), "whole tags alone")
		require.Empty(t, find(a.A.Admin, map[string]any{"agent": id.New(id.Agent)}))
		require.Empty(t, find(a.A.Admin, map[string]any{"client": id.New(id.ServiceClient), "tag": "nightly"}))

		// No index leads to these, so a time has to be given.
		for _, by := range []map[string]any{{"tag": "nightly"}, {"agent": id.New(id.Agent)}, {"client": id.New(id.ServiceClient), "from": days["from"]},
			{"tag": "nightly", "from": now.AddDate(-2, 0, 0).Format(time.RFC3339), "to": days["to"]}} {
			require.Equal(t, "BAD_INPUT", a.do(a.A.Admin, query, by).code(), "%v", by)
		}
		require.Len(t, a.ok(a.A.Admin, query, map[string]any{"key": p.KeyScope.ID}).at("console", "charges", "edges"), 1, "a key is found in any time")

		statements := a.ok(a.A.Admin, `{ console { statements(first: 100) { totalCount edges { node { id } } } } }`, nil)
		require.EqualValues(t, len(statements.at("console", "statements", "edges").([]any)), statements.at("console", "statements", "totalCount"))
	})
}

// A receipt names the budgets that paid it and leads to what the viewer may
// see, and to nothing else.
func TestReceiptLeadsNoFurtherThanReach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.rich()
		p := a.A.Console
		charge := a.charge(p.KeyScope, p.Seat.UserID, 5)
		const query = `query($id: ID!) { node(id: $id) { ... on Charge { held amount factor { id } model { id } organization { id } team { id } member { id } user { id }
			key { id } agent { id } client { id } location memberName budgets { scopeName scopeKind held amount cycleStartsAt budget { id scope { id } } } } } }`
		all := a.ok(a.A.Admin, query, map[string]any{"id": charge})
		for field, want := range map[string]string{"organization": p.Org.ID, "team": p.Team.ID, "member": p.Member.ID, "key": p.KeyScope.ID, "user": p.Seat.UserID} {
			require.Equal(t, want, all.at("node", field, "id"), field)
		}
		for _, none := range []string{"factor", "model", "agent", "client"} { // the model of the test has no row
			require.Nil(t, all.at("node", none), none)
		}
		budgets := all.at("node", "budgets").([]any)
		require.NotEmpty(t, budgets)
		require.Equal(t, "CONSOLE", all.at("node", "budgets", 0, "scopeKind"), "the pool first")
		for i := range budgets {
			require.Equal(t, "5", all.at("node", "budgets", i, "amount"), "each pays the whole")
			require.Equal(t, all.at("node", "held"), all.at("node", "budgets", i, "held"))
			require.NotNil(t, all.at("node", "budgets", i, "budget"))
		}
		own := a.ok(p.Seat, query, map[string]any{"id": charge})
		require.Equal(t, p.Member.ID, own.at("node", "member", "id"))
		require.Nil(t, own.at("node", "organization"), "a seat doesn't reach what lies above")
		require.Nil(t, own.at("node", "team"))
		require.Len(t, own.at("node", "budgets"), len(budgets), "the limits on one's path are told by name")
		require.Nil(t, own.at("node", "budgets", 0, "budget"))

		// In Copilot the factor version is named.
		co := a.A.Copilot
		set := a.ok(a.SuperAdmin, setFactor, map[string]any{"i": map[string]any{"accountId": a.A.Row.ID, "factor": "1.5"}})
		version := a.Store.CreditFactor.GetX(identitytest.System(t), set.at("creditFactorSet", "factor", "id").(string))
		h, err := a.budgets.Hold(t.Context(), budget.Call{AccountID: a.A.Row.ID, Plane: tenancy.Copilot, Path: co.Member.Path, MemberID: co.Member.ID, TeamID: co.Team.ID,
			OrganizationID: co.Org.ID, ModelID: co.Model.ID, ModelName: "smart", Ceiling: money.One, FactorID: version.ID, FactorPPM: version.Ppm, RequestID: id.New(id.Request)}, budget.Usage{})
		require.NoError(t, err)
		_, err = h.Settle(t.Context(), budget.Usage{}, budget.Outcome{})
		require.NoError(t, err)
		const inCredits = `query($id: ID!) { node(id: $id) { ... on Charge { model { id } factor { id factor effectiveFrom } } } }`
		out := a.ok(a.A.Admin, inCredits, map[string]any{"id": h.ID})
		require.Equal(t, co.Model.ID, out.at("node", "model", "id"))
		require.Equal(t, version.ID, out.at("node", "factor", "id"))
		require.Equal(t, "1.5", out.at("node", "factor", "factor"))
		require.Nil(t, a.ok(a.B.Admin, inCredits, map[string]any{"id": h.ID}).at("node"))
	})
}

// A receipt shows every line of its call, and adds up.
func TestReceiptHasAllLines(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.rich()
		p := a.A.Console
		charge := a.charge(p.Member, p.Seat.UserID, 5)
		query := `query($id: ID!) { node(id: $id) { ... on Charge { amount userName tags session heldAt adjustsId price { id } classes { class amount } lines { id kind } } } }`
		out := a.ok(p.Seat, query, map[string]any{"id": charge})
		require.Equal(t, "5", out.at("node", "amount"))
		require.Equal(t, "a session", out.at("node", "session"))
		require.Equal(t, []any{"nightly"}, out.at("node", "tags"))
		require.Nil(t, out.at("node", "price"))
		require.Equal(t, []any{map[string]any{"class": "OUTPUT", "amount": "0"}, map[string]any{"class": "OTHER", "amount": "5"}}, out.at("node", "classes"))
		require.Equal(t, []any{map[string]any{"id": charge, "kind": "SETTLED"}}, out.at("node", "lines"))

		// In Copilot the price is told in credits, and not what it costs the platform.
		system, co := identitytest.System(t), a.A.Copilot
		version := a.Store.Price.Query().Where(price.CatalogModelIDNotNil()).FirstX(system)
		prices := pricesOf(version)
		h, err := a.budgets.Hold(t.Context(), budget.Call{AccountID: a.A.Row.ID, Plane: tenancy.Copilot, Path: co.Member.Path, MemberID: co.Member.ID,
			TeamID: co.Team.ID, OrganizationID: co.Org.ID, ModelID: co.Model.ID, ModelName: "smart", PriceID: version.ID, Prices: prices, FactorPPM: 3_000_000,
			RequestID: id.New(id.Request)}, budget.Usage{Output: 1_000_000})
		require.NoError(t, err)
		_, err = h.Settle(t.Context(), budget.Usage{Output: 1_000_000}, budget.Outcome{})
		require.NoError(t, err)
		inCredits := `query($id: ID!) { node(id: $id) { ... on Charge { amount cost price { output } classes { class price amount } } } }`
		three := (3 * prices.Output).String()
		for name, v := range map[string]*tenancy.Viewer{"member": co.Seat, "account admin": a.A.Admin} {
			out = a.ok(v, inCredits, map[string]any{"id": h.ID})
			require.Nil(t, out.at("node", "cost"), name)
			require.Equal(t, three, out.at("node", "price", "output"), name)
			require.Equal(t, map[string]any{"class": "OUTPUT", "price": three, "amount": three}, out.at("node", "classes", 0), name)
		}
		require.Nil(t, a.ok(p.SiblingTeamAdmin, query, map[string]any{"id": charge}).at("node"))
		require.Nil(t, a.ok(a.B.Admin, query, map[string]any{"id": charge}).at("node"))
		require.Nil(t, a.ok(a.SuperAdmin, query, map[string]any{"id": charge}).at("node"))
	})
}

const setFactor = `mutation($i: CreditFactorSetInput!) { creditFactorSet(input: $i) { factor { id factor inForce } effect { cost charged wouldHaveBeen } errors { code path message } } }`

// A factor holds from its moment on; what was charged keeps its own.
func TestFactorNeverRewritesThePast(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.rich()
		account, now := a.B.Row.ID, a.Store.Now().UTC()
		before, err := a.resolver.Catalog.FactorPPM(t.Context(), account)
		require.NoError(t, err)
		pool := a.B.Copilot
		charge := a.charge(pool.Root, "", 3)
		was := a.Store.Charge.GetX(identitytest.System(t), charge)
		require.Equal(t, before, was.FactorPpm)

		try := func(v *tenancy.Viewer, more map[string]any) answer {
			in := map[string]any{"accountId": account, "factor": "2.5"}
			for k, x := range more {
				in[k] = x
			}
			return a.do(v, setFactor, map[string]any{"i": in})
		}
		factors := a.Store.CreditFactor.Query().CountX(identitytest.System(t))
		out := try(a.SuperAdmin, map[string]any{"dryRun": true})
		require.Empty(t, out.Errors)
		require.Nil(t, out.at("creditFactorSet", "factor"))
		cost, err := money.Parse(out.at("creditFactorSet", "effect", "cost").(string))
		require.NoError(t, err)
		require.GreaterOrEqual(t, cost, money.Nano(was.Cost))
		would, err := money.Credits(cost, 2_500_000)
		require.NoError(t, err)
		require.Equal(t, would.String(), out.at("creditFactorSet", "effect", "wouldHaveBeen"))
		require.Equal(t, money.Nano(was.Credits).String(), out.at("creditFactorSet", "effect", "charged"))
		for _, bad := range []map[string]any{{"factor": "0"}, {"factor": "-1"}, {"factor": "0.0000001"}, {"factor": "1000001"},
			{"from": now.Add(-time.Hour).Format(time.RFC3339)}, {"from": now.AddDate(2, 0, 0).Format(time.RFC3339)}} {
			out := try(a.SuperAdmin, bad)
			require.Equal(t, "INVALID", out.at("creditFactorSet", "errors", 0, "code"), "%v: %+v", bad, out)
		}
		for name, v := range map[string]*tenancy.Viewer{"its own admin": a.B.Admin, "another's": a.A.Admin, "the platform's auditor": a.auditor()} {
			require.Equal(t, "FORBIDDEN", try(v, nil).code(), name)
		}
		require.Equal(t, factors, a.Store.CreditFactor.Query().CountX(identitytest.System(t)), "nothing was set yet")

		later := now.Add(48 * time.Hour).Format(time.RFC3339)
		require.Equal(t, false, try(a.SuperAdmin, map[string]any{"factor": "9", "from": later}).at("creditFactorSet", "factor", "inForce"))
		require.Equal(t, "INVALID", try(a.SuperAdmin, map[string]any{"from": later}).at("creditFactorSet", "errors", 0, "code"), "two at one moment")
		require.Equal(t, true, try(a.SuperAdmin, nil).at("creditFactorSet", "factor", "inForce"))
		require.Equal(t, was.Credits, a.Store.Charge.GetX(identitytest.System(t), charge).Credits)
		next := a.Store.Charge.GetX(identitytest.System(t), a.charge(pool.Root, "", 3))
		require.Equal(t, int64(7_500_000_000), next.Credits)
		list := a.ok(a.SuperAdmin, `query($id: ID!) { account(id: $id) { creditFactors { factor inForce } } }`, map[string]any{"id": account}).at("account", "creditFactors").([]any)
		require.Equal(t, map[string]any{"factor": "9", "inForce": false}, list[0])
		require.Equal(t, map[string]any{"factor": "2.5", "inForce": true}, list[1])
	})
}

// What the platform sees of usage ends where an account begins: its types have
// no field for what lies inside.
func TestPlatformSeesSumsAlone(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	var walk func(name string)
	walk = func(name string) {
		d := Schema().Types[name]
		if seen[name] || d.Kind != ast.Object {
			return
		}
		seen[name] = true
		for _, f := range d.Fields {
			for _, inside := range []string{"member", "user", "key", "team", "organization", "tag", "session", "request", "charge", "scope"} {
				require.NotContains(t, strings.ToLower(f.Name), inside, "%s.%s", name, f.Name)
			}
			if f.Type.Name() != "Account" { // which has rules of its own
				walk(f.Type.Name())
			}
		}
	}
	walk("PlatformUsage")
	require.True(t, seen["PlatformTotals"])
	groups := Schema().Types["PlatformUsageGroup"].EnumValues
	require.Equal(t, []string{"ACCOUNT", "PLANE", "MODEL", "DAY"}, mapTo(groups, func(v *ast.EnumValueDefinition) string { return v.Name }))

	each(t, func(t *testing.T, a *api) {
		a.rich()
		a.charge(a.A.Console.Team, "", 2)
		a.charge(a.B.Console.Team, "", 3)
		now := a.Store.Now().UTC()
		query := `query($f: PlatformUsageFilter!, $g: PlatformUsageGroup!) { platform { usage(filter: $f, groupBy: $g) { total { cost copilotCost credits value margin }
			previous { cost } rows { id name account { id } totals { cost } previous { cost } granted used } periods(by: WEEK) { totals { cost } } } } }`
		f := map[string]any{"from": now.AddDate(0, 0, -1).Format(time.RFC3339), "to": now.AddDate(0, 0, 1).Format(time.RFC3339), "model": "probe"}
		for _, g := range model.AllPlatformUsageGroup {
			out := a.ok(a.SuperAdmin, query, map[string]any{"f": f, "g": g})
			require.Equal(t, "5", out.at("platform", "usage", "total", "cost"), g)
			require.Equal(t, "0", out.at("platform", "usage", "total", "copilotCost"), g)
		}
		out := a.ok(a.SuperAdmin, query, map[string]any{"f": f, "g": "ACCOUNT"})
		require.Equal(t, a.B.Row.ID, out.at("platform", "usage", "rows", 0, "account", "id"))
		require.Equal(t, "3", out.at("platform", "usage", "rows", 0, "totals", "cost"))
		f["accountId"] = a.A.Row.ID
		require.Equal(t, "2", a.ok(a.SuperAdmin, query, map[string]any{"f": f, "g": "MODEL"}).at("platform", "usage", "total", "cost"))
		for _, v := range []*tenancy.Viewer{a.A.Admin, a.A.Console.Admin, a.A.Console.Seat} {
			require.Nil(t, a.do(v, query, map[string]any{"f": f, "g": "ACCOUNT"}).at("platform"))
		}
	})
}

// Weeks begin on Monday, months on their first.
func TestPeriodsBegin(t *testing.T) {
	t.Parallel()
	day := func(year int, month time.Month, day int) int {
		return budget.DayOf(time.Date(year, month, day, 12, 0, 0, 0, time.UTC))
	}
	sunday := day(2026, 3, 1)
	require.Equal(t, day(2026, 2, 23), begin(sunday, model.UsageIntervalWeek))
	require.Equal(t, sunday+1, begin(sunday+1, model.UsageIntervalWeek))
	require.Equal(t, sunday, begin(sunday+30, model.UsageIntervalMonth))
	require.Equal(t, sunday, begin(sunday, model.UsageIntervalDay))
}
