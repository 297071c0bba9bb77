package graph

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	setGrant    = `mutation($i: GrantSetInput!) { grantSet(input: $i) { grant { id effect stands note expiresAt version grantedByName location scope { id name } resource { id name } viewerCan { action allowed reason } } errors { code message path ... on ConflictError { currentVersion } } } }`
	removeGrant = `mutation($i: GrantRemoveInput!) { grantRemove(input: $i) { grantId errors { code message } } }`
	accessAt    = `query($s: ID!, $allowed: Boolean, $below: Boolean) { access(scopeId: $s) { scope { id name } grants(below: $below, first: 50) { totalCount edges { node { id effect } } } resources(kind: MODEL, allowed: $allowed, first: 50) { edges { node { allowed rule reason grant { id } resource { name } } } pageInfo { hasNextPage } } } }`
	explainAny  = `query($i: ExplainInput!) { explain(input: $i) { allowed rule reason policy steps { name kind finding decisive } who { name } } }`
	usableBy    = `query($m: ID!, $search: String, $first: Int = 50, $after: String) { node(id: $m) { ... on Model { usableBy(search: $search, first: $first, after: $after) { totalCount edges { cursor node { id user { name } } } pageInfo { hasNextPage endCursor } } grants(first: 50) { totalCount edges { node { id } } } } } }`
)

func (a *api) write(f func(ctx context.Context, tx *store.Tx) error) {
	a.t.Helper()
	require.NoError(a.t, a.Store.InTx(identitytest.System(a.t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return f(ctx, tx)
	}))
	a.resolver.Grants.Changed(a.A.Row.ID, tenancy.Console)
	a.resolver.Grants.Changed(a.A.Row.ID, tenancy.Copilot)
}

func (a *api) grant(v *tenancy.Viewer, s *ent.Scope, m *ent.Model, effect string, more ...any) answer {
	a.t.Helper()
	in := map[string]any{"scopeId": s.ID, "resourceId": m.ID, "effect": effect}
	for i := 0; i+1 < len(more); i += 2 {
		in[more[i].(string)] = more[i+1]
	}
	return a.do(v, setGrant, map[string]any{"i": in})
}

// rule is what access says of the plane's one model at a scope.
func (a *api) rule(v *tenancy.Viewer, s *ent.Scope) string {
	a.t.Helper()
	out := a.ok(v, accessAt, map[string]any{"s": s.ID})
	rule, _ := out.at("access", "resources", "edges", 0, "node", "rule").(string)
	return rule
}

func TestGrantsAreSetAndShown(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		require.Equal(t, "allow", a.rule(a.A.Admin, c.Team))
		require.Equal(t, "deny", a.rule(a.A.Admin, c.OtherTeam))
		require.Equal(t, "allow", a.rule(c.Seat, c.Member))

		out := a.grant(c.OrgAdmin, c.SiblingTeam, c.Model, "DENY", "note", "Not yet.", "expiresAt", time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
		require.Empty(t, out.Errors)
		g := out.at("grantSet", "grant")
		require.NotNil(t, g, "%v", out)
		require.Equal(t, true, out.at("grantSet", "grant", "stands"))
		require.Equal(t, "Fraud", out.at("grantSet", "grant", "scope", "name"))
		require.Equal(t, "Banking", out.at("grantSet", "grant", "location"))
		require.Equal(t, "smart", out.at("grantSet", "grant", "resource", "name"))
		require.Equal(t, c.OrgAdmin.Name, out.at("grantSet", "grant", "grantedByName"))
		require.Equal(t, true, out.at("grantSet", "grant", "viewerCan", 0, "allowed"))
		require.Equal(t, "deny", a.rule(c.SiblingTeamAdmin, c.SiblingTeam))

		// The team's admin sees it, and can't lift it.
		grantID := out.at("grantSet", "grant", "id")
		out = a.ok(c.SiblingTeamAdmin, removeGrant, map[string]any{"i": map[string]any{"grantId": grantID}})
		require.Equal(t, "INVALID", out.at("grantRemove", "errors", 0, "code"))
		require.Contains(t, out.at("grantRemove", "errors", 0, "message"), "set from above")
		out = a.ok(c.SiblingTeamAdmin, `query($id: ID!) { node(id: $id) { ... on Grant { viewerCan { action allowed reason } } } }`, map[string]any{"id": grantID})
		require.Equal(t, false, out.at("node", "viewerCan", 0, "allowed"))
		require.Contains(t, out.at("node", "viewerCan", 0, "reason"), "an admin of the organization")
		// For the sibling's admin it doesn't exist; for a seat, removing is out of the question.
		require.Nil(t, a.ok(c.TeamAdmin, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": grantID}).at("node"))
		out = a.ok(c.TeamAdmin, removeGrant, map[string]any{"i": map[string]any{"grantId": grantID}})
		require.Equal(t, "NOT_FOUND", out.at("grantRemove", "errors", 0, "code"))
		require.Equal(t, "FORBIDDEN", a.do(c.Seat, removeGrant, map[string]any{"i": map[string]any{"grantId": grantID}}).code())
		out = a.ok(c.OrgAdmin, removeGrant, map[string]any{"i": map[string]any{"grantId": grantID}})
		require.Equal(t, grantID, out.at("grantRemove", "grantId"))
		require.Equal(t, "allow", a.rule(c.SiblingTeamAdmin, c.SiblingTeam))
		for _, action := range []string{"grant.set", "grant.remove"} {
			e := a.Store.AuditEvent.Query().Where(auditevent.Action(action), auditevent.ScopeID(c.SiblingTeam.ID)).OnlyX(identitytest.System(t))
			require.Equal(t, c.OrgAdmin.UserID, e.ActorID)
		}
	})
}

// Abuse of grantSet: by whom it isn't, where it isn't theirs, with ids of others.
func TestGrantsAreNotForEverybody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		var auditor tenancy.Viewer
		a.write(func(ctx context.Context, tx *store.Tx) error {
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.A.Row.ID, Name: "reader", Email: "reader@alpha.example"})
			require.NoError(t, err)
			return identity.BindRole(ctx, tx, u, c.Root, tenancy.Auditor)
		})
		u := a.Store.User.Query().AllX(identitytest.System(t))
		for _, row := range u {
			if row.Name == "reader" {
				v, err := identity.ExplainedViewer(t.Context(), a.Store, row.ID)
				require.NoError(t, err)
				auditor = *v
			}
		}
		before := a.Store.Grant.Query().CountX(identitytest.System(t))
		narrowed := *a.A.Admin
		narrowed.Narrowed, narrowed.Permissions = true, []string{"models.manage", "read"}
		for name, tc := range map[string]struct {
			v    *tenancy.Viewer
			s    *ent.Scope
			m    *ent.Model
			code string
		}{
			"a viewer":                     {&auditor, c.Team, c.Model, "FORBIDDEN"},
			"a seat, itself":               {c.Seat, c.Member, c.Model, "FORBIDDEN"},
			"team admin, above":            {c.TeamAdmin, c.Org, c.Model, "NOT_FOUND"},
			"team admin, the plane":        {c.TeamAdmin, c.Root, c.Model, "NOT_FOUND"},
			"team admin, beside":           {c.TeamAdmin, c.SiblingTeam, c.Model, "NOT_FOUND"},
			"plane admin, the other plane": {c.Admin, a.A.Copilot.Team, a.A.Copilot.Model, "NOT_FOUND"},
			"another account's admin":      {a.B.Admin, c.Team, c.Model, "NOT_FOUND"},
			"another account's model":      {a.A.Admin, c.Team, a.B.Console.Model, "NOT_FOUND"},
			"the other plane's model":      {a.A.Admin, c.Team, a.A.Copilot.Model, "NOT_FOUND"},
			"the account":                  {a.A.Admin, a.A.Root, c.Model, "FORBIDDEN"},
			"super admin":                  {a.SuperAdmin, c.Team, c.Model, ""},
			"a token without it":           {&narrowed, c.Team, c.Model, "FORBIDDEN"},
		} {
			for _, effect := range []string{"ALLOW", "DENY"} {
				out := a.grant(tc.v, tc.s, tc.m, effect)
				code, _ := out.at("grantSet", "errors", 0, "code").(string)
				if code == "" {
					code = out.code()
				}
				require.NotEmpty(t, code, "%s: %v", name, out)
				if tc.code != "" {
					require.Equal(t, tc.code, code, "%s: %v", name, out)
				}
				require.Nil(t, out.at("grantSet", "grant"), name)
			}
		}
		require.Equal(t, before, a.Store.Grant.Query().CountX(identitytest.System(t)))
		// What isn't held isn't handed out, whoever asks.
		out := a.grant(c.SiblingOrgAdmin, c.OtherTeam, c.Model, "ALLOW")
		require.Equal(t, "INVALID", out.at("grantSet", "errors", 0, "code"), "%v", out)
		require.Contains(t, out.at("grantSet", "errors", 0, "message"), "hands out only what they have")
		// Staff and strangers see nothing of a tenant's access.
		require.Nil(t, a.ok(a.B.Admin, accessAt, map[string]any{"s": c.Team.ID}).at("access"))
		staff := a.do(a.SuperAdmin, accessAt, map[string]any{"s": c.Team.ID})
		require.Nil(t, staff.at("access"))
	})
}

func TestModelsAreGrantedWhereTheyAreMade(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		const create = `mutation($i: ModelCreateInput!) { modelCreate(input: $i) { model { id name grants(first: 10) { edges { node { effect scope { id } } } } } errors { code path } } }`
		in := func(name string, to ...string) map[string]any {
			return map[string]any{"i": map[string]any{"providerId": c.Provider.ID, "name": name, "contextLength": 1000, "maxOutputTokens": 100, "ceiling": "1", "grantTo": to}}
		}
		out := a.ok(c.Admin, create, in("everybody's", c.Root.ID))
		require.Equal(t, c.Root.ID, out.at("modelCreate", "model", "grants", "edges", 0, "node", "scope", "id"))
		out = a.ok(c.Admin, create, in("two", c.Team.ID, c.SiblingOrg.ID, c.Team.ID))
		require.Len(t, out.at("modelCreate", "model", "grants", "edges"), 2)
		require.Empty(t, a.ok(c.Admin, create, in("nobody's")).at("modelCreate", "model", "grants", "edges"))
		for name, to := range map[string]string{"foreign": a.B.Console.Root.ID, "other plane": a.A.Copilot.Root.ID, "nothing": "org_none", "account": a.A.Root.ID} {
			out := a.ok(a.A.Admin, create, in(name, c.Team.ID, to))
			require.Equal(t, "NOT_FOUND", out.at("modelCreate", "errors", 0, "code"), name)
			require.Equal(t, []any{"grantTo"}, out.at("modelCreate", "errors", 0, "path"), name)
			require.Nil(t, out.at("modelCreate", "model"), "nothing is half made")
		}
		names := []string{}
		for _, m := range a.Store.Model.Query().AllX(identitytest.System(t)) {
			names = append(names, m.Name)
		}
		require.NotContains(t, names, "foreign")

		p := a.A.Copilot
		const uninstall = `mutation($m: ID!) { modelUninstall(input: {modelId: $m}) { errors { code } } }`
		const install = `mutation($i: ModelInstallInput!) { modelInstall(input: $i) { model { id } errors { code message } } }`
		a.ok(p.Admin, uninstall, map[string]any{"m": p.Model.ID})
		require.Equal(t, "disabled", a.rule(p.Seat, p.Member))
		require.Equal(t, 3, a.Store.Grant.Query().Where(entgrant.ModelID(p.Model.ID)).CountX(identitytest.System(t)), "its grants stay, and decide nothing")
		out = a.ok(p.Admin, install, map[string]any{"i": map[string]any{"catalogModelId": a.CatalogModel.ID, "grantTo": []string{p.SiblingOrg.ID}}})
		require.Empty(t, out.at("modelInstall", "errors"), "%v", out)
		require.Equal(t, "allow", a.rule(p.Seat, p.Member), "what was granted before counts again")
		require.Equal(t, "allow", a.rule(p.SiblingOrgAdmin, p.SiblingOrg), "the denial became a grant")
	})
}

func TestUsableByListsSeats(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		names := func(v *tenancy.Viewer, vars map[string]any) []string {
			vars["m"] = c.Model.ID
			out := []string{}
			edges, _ := a.ok(v, usableBy, vars).at("node", "usableBy", "edges").([]any)
			for i := range edges {
				out = append(out, answer{Data: map[string]any{"e": edges}}.at("e", i, "node", "user", "name").(string))
			}
			return out
		}
		// A crowd in each team, and grants of every kind.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			for i := range 6 {
				u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.A.Row.ID, Name: fmt.Sprintf("Crowd %d", i), Email: fmt.Sprintf("c%d@alpha.example", i)})
				require.NoError(t, err)
				s, err := identity.AddMember(ctx, tx, []*ent.Scope{c.Team, c.SiblingTeam, c.OtherTeam}[i%3], u)
				require.NoError(t, err)
				if i == 3 { // in Team
					tx.Grant.Create().SetAccountID(a.A.Row.ID).SetPlane("CONSOLE").SetScopeID(s.ID).SetModelID(c.Model.ID).SetEffect("DENY").SetAuthority(c.Team.Path).ExecX(ctx)
				}
			}
			return nil
		})
		all := []string{"console-member", "console-sibling-team", "Crowd 0", "Crowd 1", "Crowd 4"}
		require.ElementsMatch(t, all, names(a.A.Admin, map[string]any{}), "not who is denied, nor the organization that is")
		require.ElementsMatch(t, []string{"console-member", "Crowd 0"}, names(c.TeamAdmin, map[string]any{}), "in the viewer's reach alone")
		require.Equal(t, []string{"Crowd 4"}, names(a.A.Admin, map[string]any{"search": "C4@alpha"}))
		require.Equal(t, []string{"Crowd 1"}, names(a.A.Admin, map[string]any{"search": "crowd 1"}))
		require.Empty(t, names(a.A.Admin, map[string]any{"search": "Crowd 3"}))
		require.Empty(t, names(a.A.Admin, map[string]any{"search": "%"}))
		// Pages come to the same.
		var paged []string
		var after any
		for range 10 {
			vars := map[string]any{"first": 2, "after": after}
			paged = append(paged, names(a.A.Admin, vars)...)
			out := a.ok(a.A.Admin, usableBy, vars)
			require.EqualValues(t, 5, out.at("node", "usableBy", "totalCount"))
			after = out.at("node", "usableBy", "pageInfo", "endCursor")
			if out.at("node", "usableBy", "pageInfo", "hasNextPage") == false {
				break
			}
		}
		require.ElementsMatch(t, all, paged)
		// An archived team's seats use nothing; without a grant nobody does.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.Scope.UpdateOneID(c.SiblingTeam.ID).SetArchivedAt(a.Store.Now()).Exec(ctx)
		})
		require.ElementsMatch(t, []string{"console-member", "Crowd 0"}, names(a.A.Admin, map[string]any{}))
		a.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Grant.Delete().Where(entgrant.EffectEQ(entgrant.EffectALLOW)).Exec(ctx)
			return err
		})
		require.Empty(t, names(a.A.Admin, map[string]any{}))
		require.Equal(t, "FORBIDDEN", a.do(c.Seat, usableBy, map[string]any{"m": c.Model.ID}).code())
	})
}

func TestAViewersModelsAndBudget(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		const mine = `{ viewer { models(plane: CONSOLE, first: 10) { totalCount edges { node { name } } } budget(plane: CONSOLE) { id } copilot: budget(plane: COPILOT) { id } } }`
		out := a.ok(c.Seat, mine, nil)
		require.EqualValues(t, 1, out.at("viewer", "models", "totalCount"))
		require.Equal(t, "smart", out.at("viewer", "models", "edges", 0, "node", "name"))
		require.Equal(t, c.Budgets[c.Member.ID].ID, out.at("viewer", "budget", "id"))
		require.Nil(t, out.at("viewer", "copilot"), "no seat there")
		a.grant(a.A.Admin, c.Team, c.Model, "DENY")
		require.EqualValues(t, 0, a.ok(c.Seat, mine, nil).at("viewer", "models", "totalCount"))
		require.EqualValues(t, 0, a.ok(a.A.Admin, mine, nil).at("viewer", "models", "totalCount"), "without a seat nothing")
		// Who has a role above sees the tighter budget above.
		lead := *c.Seat
		lead.Roles = append(append([]tenancy.Role{}, lead.Roles...), c.TeamAdmin.Roles...)
		lead.Reach = tenancy.ReachOf(lead.AccountID, lead.Roles)
		a.ok(a.A.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": c.Team.ID, "limit": "0.00000005"}})
		require.Equal(t, c.Budgets[c.Team.ID].ID, a.ok(&lead, mine, nil).at("viewer", "budget", "id"))
		require.Equal(t, c.Budgets[c.Member.ID].ID, a.ok(c.Seat, mine, nil).at("viewer", "budget", "id"))
	})
}

// Keys are made for what their owner may use, and a key says by itself what it
// may call.
func TestKeysAreNoWiderThanTheirOwners(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		const create = `mutation($i: KeyCreateInput!) { keyCreate(input: $i) { key { id } errors { code message path } } }`
		out := a.ok(c.SiblingOrgAdmin, create, map[string]any{"i": map[string]any{"name": "k", "ownerId": c.OtherTeam.ID, "modelIds": []string{c.Model.ID}}})
		require.Equal(t, "INVALID", out.at("keyCreate", "errors", 0, "code"))
		require.Equal(t, []any{"modelIds"}, out.at("keyCreate", "errors", 0, "path"))
		require.Contains(t, out.at("keyCreate", "errors", 0, "message"), "denied at the organization Insurance")
		out = a.ok(c.Seat, create, map[string]any{"i": map[string]any{"name": "k", "ownerId": c.Member.ID, "modelIds": []string{c.Model.ID}}})
		require.Empty(t, out.at("keyCreate", "errors"))
		require.Equal(t, "allow", a.rule(c.Seat, c.KeyScope))
		a.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.KeyModel.Delete().Exec(ctx)
			return err
		})
		require.Equal(t, "key-list", a.rule(c.Seat, c.KeyScope))
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.Key.UpdateOneID(c.Key.ID).SetRevokedAt(a.Store.Now()).Exec(ctx)
		})
		require.Equal(t, "key-ended", a.rule(c.Seat, c.KeyScope))
	})
}

func TestExplain(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		ask := func(v *tenancy.Viewer, in ...any) answer {
			vars := map[string]any{}
			for i := 0; i+1 < len(in); i += 2 {
				vars[in[i].(string)] = in[i+1]
			}
			return a.do(v, explainAny, map[string]any{"i": vars})
		}
		// About an action, of oneself.
		out := ask(c.OrgAdmin, "scopeId", c.Team.ID, "action", "budget.set")
		require.Equal(t, []any{true, "ADMIN:ORGANIZATION", "You are admin of the organization."}, []any{out.at("explain", "allowed"), out.at("explain", "rule"), out.at("explain", "reason")})
		require.Equal(t, []any{"Banking", "ORGANIZATION", "Admin", true}, []any{out.at("explain", "steps", 2, "name"), out.at("explain", "steps", 2, "kind"), out.at("explain", "steps", 2, "finding"), out.at("explain", "steps", 2, "decisive")})
		require.Equal(t, false, out.at("explain", "steps", 3, "decisive"))
		require.Empty(t, out.at("explain", "who"))
		require.Equal(t, a.resolver.Access.Revision(), out.at("explain", "policy"))
		out = ask(c.TeamAdmin, "scopeId", c.Team.ID, "action", "budget.set")
		require.Equal(t, []any{false, "own-budget"}, []any{out.at("explain", "allowed"), out.at("explain", "rule")})
		out = ask(c.TeamAdmin, "scopeId", c.Root.ID, "action", "organization.create")
		require.Equal(t, []any{false, "role"}, []any{out.at("explain", "allowed"), out.at("explain", "rule")}, "about the nodes above oneself, too")
		require.Nil(t, ask(c.TeamAdmin, "scopeId", c.SiblingTeam.ID, "action", "team.update").at("explain"), "but not beside")
		require.Nil(t, ask(c.TeamAdmin, "scopeId", a.B.Root.ID, "action", "team.update").at("explain"))
		require.Nil(t, ask(c.TeamAdmin, "scopeId", "team_none", "action", "team.update").at("explain"))
		require.Equal(t, "unknown-action", ask(c.TeamAdmin, "scopeId", c.Team.ID, "action", "cake.eat").at("explain", "rule"))
		require.Equal(t, "BAD_INPUT", ask(c.TeamAdmin, "scopeId", c.Team.ID).code())
		require.Equal(t, "BAD_INPUT", ask(c.TeamAdmin, "scopeId", c.Team.ID, "action", "x", "resourceId", "y").code())
		require.Equal(t, "UNAUTHENTICATED", ask(nil, "scopeId", c.Team.ID, "action", "team.update").code())

		// Of somebody else, by those who may list them.
		out = ask(a.A.Admin, "userId", c.Seat.UserID, "scopeId", c.Team.ID, "action", "budget.set")
		require.Equal(t, false, out.at("explain", "allowed"))
		require.Equal(t, []any{"console-org"}, []any{out.at("explain", "who", 0, "name")}, "the nearest first, and not the team's own")
		require.Equal(t, "console-admin", out.at("explain", "who", 1, "name"))
		require.Equal(t, "admin", out.at("explain", "who", 2, "name"))
		out = ask(a.A.Admin, "userId", c.TeamAdmin.UserID, "scopeId", c.Member.ID, "action", "budget.set")
		require.Equal(t, "They are admin of the team.", out.at("explain", "reason"))
		// What they hold above the asker's reach is counted, and not told.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.RoleBinding.Create().SetAccountID(a.A.Row.ID).SetPlane("ACCOUNT").SetUserID(c.Seat.UserID).SetScopeID(a.A.Row.ID).SetRole("ADMIN").Exec(ctx)
		})
		about := func(v *tenancy.Viewer) answer {
			return ask(v, "userId", c.Seat.UserID, "scopeId", c.Team.ID, "action", "budget.set")
		}
		out = about(c.TeamAdmin)
		require.Equal(t, []any{true, "role-above", "A role that they hold further up allows this."}, []any{out.at("explain", "allowed"), out.at("explain", "rule"), out.at("explain", "reason")})
		for i := range 4 {
			require.Equal(t, []any{"", false}, []any{out.at("explain", "steps", i, "finding"), out.at("explain", "steps", i, "decisive")}, i)
		}
		out = about(a.A.Admin)
		require.Equal(t, []any{"ADMIN:ACCOUNT", "They are admin of the account.", true}, []any{out.at("explain", "rule"), out.at("explain", "reason"), out.at("explain", "steps", 0, "decisive")})
		// A role within reach that suffices is named in its stead.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.RoleBinding.Create().SetAccountID(a.A.Row.ID).SetPlane("CONSOLE").SetUserID(c.Seat.UserID).SetScopeID(c.Org.ID).SetRole("ADMIN").Exec(ctx)
		})
		require.Equal(t, "ADMIN:ORGANIZATION", about(c.OrgAdmin).at("explain", "rule"))
		require.Equal(t, "role-above", about(c.TeamAdmin).at("explain", "rule"))

		require.Nil(t, ask(c.Seat, "userId", c.TeamAdmin.UserID, "scopeId", c.Member.ID, "action", "budget.set").at("explain"), "a seat lists nobody")
		require.Nil(t, ask(a.B.Admin, "userId", c.Seat.UserID, "scopeId", a.B.Console.Team.ID, "action", "budget.set").at("explain"))
		require.Nil(t, ask(a.A.Admin, "userId", a.B.Admin.UserID, "scopeId", c.Team.ID, "action", "budget.set").at("explain"))
		// Staff: about accounts, and nothing inside.
		require.Equal(t, true, ask(a.SuperAdmin, "scopeId", a.A.Root.ID, "action", "account.suspend").at("explain", "allowed"))
		require.Nil(t, ask(a.SuperAdmin, "scopeId", c.Team.ID, "action", "team.update").at("explain"))
		require.Nil(t, ask(a.SuperAdmin, "scopeId", c.Team.ID, "resourceId", c.Model.ID).at("explain"))
		require.Nil(t, ask(a.SuperAdmin, "userId", c.Seat.UserID, "scopeId", a.A.Root.ID, "action", "account.update").at("explain"))

		// About a model.
		out = ask(c.Seat, "scopeId", c.Member.ID, "resourceId", c.Model.ID)
		require.Equal(t, []any{true, "allow", "Allowed at Console."}, []any{out.at("explain", "allowed"), out.at("explain", "rule"), out.at("explain", "reason")})
		require.Equal(t, []any{"Allowed", true}, []any{out.at("explain", "steps", 1, "finding"), out.at("explain", "steps", 1, "decisive")})
		require.Equal(t, "Own seat", out.at("explain", "steps", 4, "finding"))
		out = ask(a.A.Admin, "scopeId", c.OtherTeam.ID, "resourceId", c.Model.ID)
		require.Equal(t, []any{false, "deny"}, []any{out.at("explain", "allowed"), out.at("explain", "rule")})
		require.Equal(t, []any{"Denied", true}, []any{out.at("explain", "steps", 2, "finding"), out.at("explain", "steps", 2, "decisive")})
		require.Equal(t, "console-admin", out.at("explain", "who", 0, "name"), "%v", out)
		require.Equal(t, "admin", out.at("explain", "who", 1, "name"))
		require.Empty(t, ask(c.SiblingOrgAdmin, "scopeId", c.OtherTeam.ID, "resourceId", c.Model.ID).at("explain", "who"), "nobody beyond one's reach is named")
		require.Nil(t, ask(a.A.Admin, "scopeId", c.Team.ID, "resourceId", a.A.Copilot.Model.ID).at("explain"))
		require.Equal(t, "BAD_INPUT", ask(a.A.Admin, "scopeId", a.A.Root.ID, "resourceId", c.Model.ID).code())

		// A deactivated person may nothing; a narrowed viewer what is left.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.User.UpdateOneID(c.OrgAdmin.UserID).SetStatus("DEACTIVATED").Exec(ctx)
		})
		require.Equal(t, "deactivated", ask(a.A.Admin, "userId", c.OrgAdmin.UserID, "scopeId", c.Team.ID, "action", "budget.set").at("explain", "rule"))
		narrowed := *a.A.Admin
		narrowed.Narrowed, narrowed.Permissions = true, []string{"profile", "read"}
		require.Equal(t, "permission", ask(&narrowed, "scopeId", c.Team.ID, "action", "budget.set").at("explain", "rule"))
	})
}

// Others' roles above the viewer's own reach aren't shown.
func TestExplainShowsNoRolesBeyondReach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		a.write(func(ctx context.Context, tx *store.Tx) error { // the org's admin takes a seat in the team
			_, err := identity.AddMember(ctx, tx, c.Team, tx.User.GetX(ctx, c.OrgAdmin.UserID))
			return err
		})
		steps := func(v *tenancy.Viewer) []string {
			out := a.ok(v, explainAny, map[string]any{"i": map[string]any{"userId": c.OrgAdmin.UserID, "scopeId": c.Team.ID, "action": "team.update"}})
			findings := []string{}
			for i := range out.at("explain", "steps").([]any) {
				findings = append(findings, out.at("explain", "steps", i, "finding").(string))
			}
			return findings
		}
		require.Equal(t, []string{"", "", "Admin", ""}, steps(a.A.Admin))
		require.Equal(t, []string{"", "", "", ""}, steps(c.TeamAdmin))
	})
}
