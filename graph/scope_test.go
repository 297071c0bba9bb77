package graph

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func TestScopesTellTheirProduct(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		const read = `query($id: ID!) { node(id: $id) { ... on Scope { plane } } }`
		plane := func(v *tenancy.Viewer, scopeID string) any {
			return a.ok(v, read, map[string]any{"id": scopeID}).at("node", "plane")
		}
		for _, p := range []*identitytest.Plane{a.A.Console, a.A.Copilot} {
			for _, s := range []string{p.Root.ID, p.Org.ID, p.Team.ID, p.Member.ID, p.KeyScope.ID} {
				require.Equal(t, string(p.Root.Plane), plane(a.A.Admin, s), s)
			}
		}
		require.Nil(t, plane(a.A.Admin, a.A.Row.ID))

		// So do events: in an account-wide log amounts have their unit.
		for _, p := range []*identitytest.Plane{a.A.Console, a.A.Copilot} {
			who := a.A.Admin
			if p.Root.Plane == "COPILOT" {
				a.ok(a.SuperAdmin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Root.ID, "limit": "1000"}})
			}
			a.ok(who, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Team.ID, "limit": "1"}})
		}
		_, err := a.sealer.Seal(t.Context())
		require.NoError(t, err)
		out := a.ok(a.A.Admin, `{ account { auditEvents(first: 100) { edges { node { scopeId plane } } } } }`, nil)
		of := map[any]any{}
		for _, e := range out.at("account", "auditEvents", "edges").([]any) {
			n := e.(map[string]any)["node"].(map[string]any)
			of[n["scopeId"]] = n["plane"]
		}
		require.Equal(t, []any{"CONSOLE", "COPILOT", nil}, []any{of[a.A.Console.Team.ID], of[a.A.Copilot.Team.ID], of[a.A.Row.ID]})
		require.Contains(t, of, any(a.A.Row.ID))
	})
}

func TestScopesAreFoundByName(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		found := func(v *tenancy.Viewer, search string) []string {
			out := a.ok(v, `query($s: String) { console { scopes(search: $s, kinds: [ORGANIZATION, TEAM], first: 50) { totalCount edges { node { name } } } } }`, map[string]any{"s": search})
			names := []string{}
			for _, e := range out.at("console", "scopes", "edges").([]any) {
				names = append(names, e.(map[string]any)["node"].(map[string]any)["name"].(string))
			}
			require.EqualValues(t, len(names), out.at("console", "scopes", "totalCount"))
			return names
		}
		require.Equal(t, []string{"Fraud"}, found(a.A.Admin, " frAU "))
		require.Equal(t, []string{p.Team.Name}, found(p.TeamAdmin, p.Team.Name))
		require.Empty(t, found(p.TeamAdmin, "Fraud"), "beyond one's reach nothing is found")
		require.Empty(t, found(a.A.Admin, "%"), "text, not a pattern")
		require.Greater(t, len(found(a.A.Admin, "  ")), 3)
		out := a.do(a.A.Admin, `query($s: String) { console { scopes(search: $s, first: 5) { totalCount } } }`, map[string]any{"s": strings.Repeat("x", 101)})
		require.Equal(t, "BAD_INPUT", out.code())
	})
}

// Buttons that ask for the place afterwards are offered to whoever has one.
func TestPlaneTellsWhatMayBeDoneWithin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p, auditor := a.A.Console, *a.A.Admin
		auditor.Roles = []tenancy.Role{{Role: tenancy.Auditor, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, ScopeID: a.A.Row.ID, Path: a.A.Root.Path}}
		for name, c := range map[string]struct {
			viewer *tenancy.Viewer
			may    []string
		}{
			"account admin": {a.A.Admin, []string{"grant.set", "invitation.create", "key.create", "member.create", "role.bind", "team.create"}},
			"org admin":     {p.OrgAdmin, []string{"grant.set", "invitation.create", "key.create", "member.create", "role.bind", "team.create"}},
			"team admin":    {p.TeamAdmin, []string{"grant.set", "invitation.create", "key.create", "member.create", "role.bind"}},
			"member":        {p.Seat, []string{"key.create"}},
			"auditor":       {&auditor, nil},
		} {
			out := a.ok(c.viewer, `{ console { viewerCanWithin { action allowed reason } } }`, nil)
			var may []string
			for _, e := range out.at("console", "viewerCanWithin").([]any) {
				m := e.(map[string]any)
				if m["allowed"].(bool) {
					may = append(may, m["action"].(string))
				} else {
					require.NotEmpty(t, m["reason"], name)
				}
			}
			slices.Sort(may)
			require.Equal(t, c.may, may, name)
		}
	})
}

// Whether one may grant a model goes by the nodes that one administers, not by
// the plane alone.
func TestModelsTellWhoMayGrantThem(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		for name, c := range map[string]struct {
			viewer    *tenancy.Viewer
			read, set bool
		}{
			"account admin": {a.A.Admin, true, true}, "plane admin": {p.Admin, true, true}, "org admin": {p.OrgAdmin, true, true},
			"team admin": {p.TeamAdmin, true, true}, "member": {p.Seat, true, false},
		} {
			out := a.ok(c.viewer, `query($id: ID!) { node(id: $id) { ... on Model { viewerCan { action allowed reason } } } }`, map[string]any{"id": p.Model.ID})
			can := map[any]bool{}
			for _, e := range out.at("node", "viewerCan").([]any) {
				m := e.(map[string]any)
				can[m["action"]] = m["allowed"].(bool)
				require.Equal(t, m["allowed"], m["reason"] == nil || m["reason"] == "", name)
			}
			require.Equal(t, map[any]bool{"grant.read": c.read, "grant.set": c.set}, map[any]bool{"grant.read": can["grant.read"], "grant.set": can["grant.set"]}, name)
		}
	})
}
