package access

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/policies"
)

func role(name tenancy.RoleName, kind tenancy.Kind, path string) tenancy.Role {
	plane := tenancy.PlaneAccount
	switch {
	case kind == tenancy.KindPlatform:
		plane = tenancy.PlanePlatform
	case strings.Contains(path, "/con_"):
		plane = tenancy.Console
	case strings.Contains(path, "/cop_"):
		plane = tenancy.Copilot
	}
	return tenancy.Role{Role: name, Plane: plane, Kind: kind, Path: path}
}

func person(roles ...tenancy.Role) context.Context {
	v := &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: "acc_1", UserID: "usr_1", Roles: roles}
	for _, r := range roles {
		v.Platform = v.Platform || r.Kind == tenancy.KindPlatform
	}
	return tenancy.WithViewer(context.Background(), v)
}

// narrowed is the same viewer, acting through something that has permissions.
func narrowed(ctx context.Context, permissions ...string) context.Context {
	v := *tenancy.ViewerFrom(ctx)
	v.Narrowed, v.Permissions = true, permissions
	return tenancy.WithViewer(ctx, &v)
}

// program is a service client that acts for itself.
func program(permissions []string, roles ...tenancy.Role) context.Context {
	v := *tenancy.ViewerFrom(person(roles...))
	v.Kind, v.UserID, v.ClientID = tenancy.ClientViewer, "", "cli_1"
	return narrowed(tenancy.WithViewer(context.Background(), &v), permissions...)
}

func at(kind tenancy.Kind, path string) Target {
	return Target{Kind: kind, Plane: role(tenancy.Admin, kind, path).Plane, Path: path}
}

// everyPermission lists those of permissions.json, as viewers hold them: sorted.
var everyPermission = func() []string {
	var file struct{ Permissions map[string]string }
	text, err := policies.FS.ReadFile("permissions.json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		panic(err)
	}
	return slices.Sorted(maps.Keys(file.Permissions))
}()

var (
	platform    = at(tenancy.KindPlatform, "/")
	account     = at(tenancy.KindAccount, "/acc_1/")
	consoleRoot = at(tenancy.KindConsole, "/acc_1/con_1/")
	copilotRoot = at(tenancy.KindCopilot, "/acc_1/cop_1/")
	orgNode     = at(tenancy.KindOrganization, "/acc_1/con_1/org_1/")
	teamNode    = at(tenancy.KindTeam, "/acc_1/con_1/org_1/team_1/")
	sibling     = at(tenancy.KindTeam, "/acc_1/con_1/org_1/team_12/")
	otherOrg    = at(tenancy.KindTeam, "/acc_1/con_1/org_2/team_3/")
	copilotTeam = at(tenancy.KindTeam, "/acc_1/cop_1/org_4/team_4/")
	foreignTeam = at(tenancy.KindTeam, "/acc_2/con_2/org_5/team_5/")
	seatNode    = at(tenancy.KindMember, "/acc_1/con_1/org_1/team_1/mem_1/")
	otherSeat   = at(tenancy.KindMember, "/acc_1/con_1/org_1/team_1/mem_12/")
	keyNode     = at(tenancy.KindKey, "/acc_1/con_1/org_1/team_1/mem_1/key_1/")
)

func TestCheck(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)

	superAdmin := person(role(tenancy.Admin, tenancy.KindPlatform, "/"))
	auditor := person(role(tenancy.Auditor, tenancy.KindPlatform, "/"))
	accountAdmin := person(role(tenancy.Admin, tenancy.KindAccount, "/acc_1/"))
	planeAdmin := person(role(tenancy.Admin, tenancy.KindConsole, "/acc_1/con_1/"))
	orgAdmin := person(role(tenancy.Admin, tenancy.KindOrganization, "/acc_1/con_1/org_1/"))
	teamBoss := person(role(tenancy.Admin, tenancy.KindTeam, "/acc_1/con_1/org_1/team_1/"))
	reader := person(role(tenancy.Auditor, tenancy.KindAccount, "/acc_1/"))
	seat := person(role(tenancy.Seatholder, tenancy.KindMember, "/acc_1/con_1/org_1/team_1/mem_1/"))

	const yes = ""
	for _, c := range []struct {
		who    string
		ctx    context.Context
		action Action
		target Target
		rule   string // empty: allowed
	}{
		{"super admin", superAdmin, BudgetSet, copilotRoot, yes},
		{"super admin", superAdmin, BudgetSet, consoleRoot, "role"},
		{"super admin", superAdmin, BudgetSet, copilotTeam, "role"},
		{"super admin", superAdmin, KeyCreate, teamNode, "role"},
		{"super admin", superAdmin, CatalogModelCreate, platform, yes},
		{"super admin", superAdmin, AuditRead, platform, yes},
		{"super admin", superAdmin, AuditRead, account, "role"},
		{"platform auditor", auditor, AuditRead, platform, yes},
		{"platform auditor", auditor, CentralProviderTest, platform, "role"},
		{"platform auditor", auditor, BudgetSet, copilotRoot, "copilot-pool"},

		{"account admin", accountAdmin, BudgetSet, consoleRoot, yes},
		{"account admin", accountAdmin, BudgetSet, copilotRoot, "copilot-pool"},
		{"account admin", accountAdmin, BudgetSet, copilotTeam, yes},
		{"account admin", accountAdmin, BudgetSet, foreignTeam, "role"},
		{"account admin", accountAdmin, ProviderCreate, consoleRoot, yes},
		{"account admin", accountAdmin, ProviderCreate, copilotRoot, "wrong-place"},
		{"account admin", accountAdmin, ModelInstall, copilotRoot, yes},
		{"account admin", accountAdmin, CatalogModelCreate, platform, "role"},

		{"console admin", planeAdmin, BudgetSet, consoleRoot, "own-budget"},
		{"console admin", planeAdmin, BudgetRemove, orgNode, yes},
		{"console admin", planeAdmin, ModelPricePublish, consoleRoot, yes},
		{"console admin", planeAdmin, ModelInstall, copilotRoot, "role"},
		{"console admin", planeAdmin, BudgetSet, copilotTeam, "role"},

		{"org admin", orgAdmin, BudgetSet, teamNode, yes},
		{"org admin", orgAdmin, BudgetSet, seatNode, yes},
		{"org admin", orgAdmin, BudgetSet, keyNode, yes},
		{"org admin", orgAdmin, BudgetSet, orgNode, "own-budget"},
		{"org admin", orgAdmin, BudgetSet, consoleRoot, "role"},
		{"org admin", orgAdmin, BudgetSet, otherOrg, "role"},
		{"org admin", orgAdmin, ModelCreate, consoleRoot, "role"},
		{"org admin", orgAdmin, KeyCreate, orgNode, yes},
		{"org admin", orgAdmin, AuditRead, consoleRoot, "role"},

		{"team admin", teamBoss, BudgetSet, teamNode, "own-budget"},
		{"team admin", teamBoss, BudgetSet, seatNode, yes},
		{"team admin", teamBoss, BudgetSet, sibling, "role"},
		{"team admin", teamBoss, KeyRevoke, keyNode, yes},
		{"team admin", teamBoss, KeyCreate, sibling, "role"},

		{"account auditor", reader, AuditRead, seatNode, yes},
		{"account auditor", reader, MemberList, teamNode, yes},
		{"account auditor", reader, KeyCreate, teamNode, "role"},
		{"account auditor", reader, BudgetSet, teamNode, "role"},

		{"member", seat, KeyCreate, seatNode, yes},
		{"member", seat, KeyRevoke, keyNode, yes},
		{"member", seat, KeyCreate, otherSeat, "role"},
		{"member", seat, KeyCreate, teamNode, "role"},
		{"member", seat, BudgetSet, seatNode, "role"},
		{"member", seat, BudgetSet, keyNode, "role"},
		{"member", seat, AuditRead, seatNode, "role"},

		{"account auditor", reader, GrantRead, seatNode, yes},
		{"member", seat, GrantRead, seatNode, yes},
		{"member", seat, GrantSet, seatNode, "role"},
		{"team admin", teamBoss, GrantSet, seatNode, yes},
		{"team admin", teamBoss, TeamDelete, teamNode, "role"},
		{"org admin", orgAdmin, TeamMove, teamNode, yes},
		{"org admin", orgAdmin, OrganizationDelete, orgNode, "role"},
		{"account admin", accountAdmin, DomainConfigure, account, yes},
		{"account admin", accountAdmin, SupportEnd, account, yes},
		{"account admin", accountAdmin, SupportStart, account, "role"},
		{"account admin", accountAdmin, AccountSuspend, account, "role"},
		{"account auditor", reader, SignInConfigure, account, "role"},
		{"super admin", superAdmin, SupportStart, account, yes},
		{"super admin", superAdmin, AccountUpdate, account, yes},
		{"super admin", superAdmin, DomainConfigure, account, "role"},
		{"platform auditor", auditor, SupportStart, account, "role"},

		{"org admin's token", narrowed(orgAdmin, "keys.manage", "models.call", "read"), KeyCreate, teamNode, yes},
		{"org admin's token", narrowed(orgAdmin, "keys.manage", "read"), KeyCreate, teamNode, "permission"},
		{"org admin's token", narrowed(orgAdmin, "keys.manage", "read"), BudgetSet, teamNode, "permission"},
		{"org admin's token", narrowed(orgAdmin, "keys.manage", "models.call", "read"), KeyCreate, otherOrg, "role"},
		{"org admin's token", narrowed(orgAdmin, "budgets.manage"), BudgetSet, orgNode, "own-budget"},
		{"token of nothing", narrowed(orgAdmin), BudgetWatch, teamNode, "permission"},
		{"account admin's token", narrowed(accountAdmin, everyPermission...), AccountUpdate, account, yes},
		{"account admin's token", narrowed(accountAdmin, everyPermission...), DomainConfigure, account, "people-only"},
		{"account admin's token", narrowed(accountAdmin, everyPermission...), ServiceClientManage, account, "people-only"},
		{"super admin's token", narrowed(superAdmin, everyPermission...), AccountSuspend, account, yes},
		{"super admin's token", narrowed(superAdmin, everyPermission...), AccountClose, account, "people-only"},
		{"member's token", narrowed(seat, everyPermission...), BudgetSet, seatNode, "role"},
		{"program", program([]string{"keys.manage", "models.call"}, role(tenancy.Admin, tenancy.KindConsole, "/acc_1/con_1/")), KeyCreate, teamNode, yes},
		{"program", program([]string{"keys.manage"}, role(tenancy.Admin, tenancy.KindConsole, "/acc_1/con_1/")), KeyCreate, teamNode, "permission"},
		{"program", program([]string{"keys.manage"}, role(tenancy.Admin, tenancy.KindConsole, "/acc_1/con_1/")), ModelCreate, consoleRoot, "permission"},
		{"program without a role", program(everyPermission), KeyCreate, teamNode, "role"},
		{"program", program(everyPermission, role(tenancy.Admin, tenancy.KindAccount, "/acc_1/")), SignInConfigure, account, "people-only"},

		{"nobody's business", accountAdmin, "cake.eat", teamNode, "unknown-action"},
		{"no place", accountAdmin, BudgetSet, Target{Kind: "GALAXY", Path: "/acc_1/x/"}, "wrong-place"},
		{"stranger", context.Background(), KeyCreate, seatNode, "signed-out"},
		{"tenant with a stray root path", person(role(tenancy.Admin, tenancy.KindAccount, "/")), BudgetSet, teamNode, "role"},
		{"role without a path", person(role(tenancy.Admin, tenancy.KindAccount, "")), BudgetSet, teamNode, "role"},
	} {
		name := fmt.Sprintf("%s %s %s", c.who, c.action, c.target.Path)
		for range 2 { // fresh, then from memory
			d := e.Decide(c.ctx, c.action, c.target)
			require.Equal(t, c.rule == yes, d.Allowed, "%s: %s", name, d.Rule)
			require.NotEmpty(t, d.Reason, name)
			require.NotEmpty(t, d.Policy, name)
			if c.rule != yes {
				require.Equal(t, c.rule, d.Rule, name)
			}
		}
		err := e.Check(c.ctx, c.action, c.target)
		switch c.rule {
		case yes:
			require.NoError(t, err, name)
		case "signed-out":
			require.True(t, fault.Is(err, fault.Unauthenticated), name)
		default:
			require.True(t, fault.Is(err, fault.Forbidden), name)
			require.Equal(t, c.rule, fault.As(err).Data["rule"], name)
			require.Contains(t, fault.As(err).Data["decisionId"], "dec_", name)
		}
	}
}

func TestCheckTellsRefusals(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	var told []Decision
	e.Refused = func(_ context.Context, d Decision) { told = append(told, d) }
	ctx := person(role(tenancy.Admin, tenancy.KindTeam, teamNode.Path))
	require.NoError(t, e.Check(ctx, KeyCreate, teamNode))
	e.Decide(ctx, BudgetSet, teamNode)
	require.Empty(t, told)
	err = e.Check(ctx, BudgetSet, teamNode)
	require.Len(t, told, 1)
	require.Equal(t, BudgetSet, told[0].Action)
	require.Equal(t, teamNode, told[0].Target)
	require.Equal(t, told[0].ID, fault.As(err).Data["decisionId"])
}

func TestCheckFollowsPolicies(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	ctx := person(role(tenancy.Admin, tenancy.KindTeam, teamNode.Path))
	require.NoError(t, e.Check(ctx, KeyCreate, teamNode))
	require.NoError(t, e.Load(with(t, map[string]string{"roles.rego": "package cockpit.roles\ndecision := {\"allow\": false, \"rule\": \"closed\", \"reason\": \"Closed.\"}"})))
	require.Equal(t, "closed", e.Decide(ctx, KeyCreate, teamNode).Rule)
	// Rules that give no answer refuse.
	require.NoError(t, e.Load(with(t, map[string]string{"roles.rego": "package cockpit.roles\ndecision := {\"allow\": true} if input.action == \"none\""})))
	require.Equal(t, "policy-error", e.Decide(ctx, KeyCreate, teamNode).Rule)
	require.Error(t, e.Check(ctx, KeyCreate, teamNode))
}

// A role at a node reaches that node's subtree and nothing else, and no role
// sets the budget of its own node.
func TestRolesStayInTheirSubtree(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	kinds := []tenancy.Kind{tenancy.KindAccount, tenancy.KindConsole, tenancy.KindOrganization, tenancy.KindTeam, tenancy.KindMember, tenancy.KindKey}
	prefixes := []string{"acc", "con", "org", "team", "mem", "key"}
	node := rapid.Custom(func(t *rapid.T) Target {
		depth := rapid.IntRange(1, len(kinds)).Draw(t, "depth")
		path := "/"
		for i := range depth {
			path += fmt.Sprintf("%s_%d/", prefixes[i], rapid.SampledFrom([]int{1, 1, 1, 12}).Draw(t, "node"))
		}
		return at(kinds[depth-1], path)
	})
	allowed := 0
	names := []tenancy.RoleName{tenancy.Admin, tenancy.Auditor, tenancy.Seatholder}
	actions := []Action{AuditRead, MemberList, BudgetSet, KeyCreate, KeyRevoke, ProviderCreate}
	rapid.Check(t, func(t *rapid.T) {
		home, target := node.Draw(t, "home"), node.Draw(t, "target")
		name := rapid.SampledFrom(names).Draw(t, "role")
		action := rapid.SampledFrom(actions).Draw(t, "action")
		d := e.Decide(person(role(name, home.Kind, home.Path)), action, target)
		if !d.Allowed {
			return
		}
		allowed++
		require.True(t, strings.HasPrefix(target.Path, home.Path), "%s at %s does %s at %s", name, home.Path, action, target.Path)
		if action == BudgetSet {
			require.NotEqual(t, home.Path, target.Path)
			require.Equal(t, tenancy.Admin, name)
		}
		if name == tenancy.Auditor {
			require.Contains(t, []Action{AuditRead, MemberList}, action)
		}
		if name == tenancy.Seatholder {
			require.Equal(t, tenancy.KindMember, home.Kind)
		}
	})
	require.Positive(t, allowed)
}

func TestGateway(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	key := &tenancy.Viewer{Kind: tenancy.KeyViewer, AccountID: "acc_1", Roles: []tenancy.Role{role(tenancy.Seatholder, tenancy.KindKey, keyNode.Path)}}
	for range 2 {
		require.NoError(t, e.Gateway(tenancy.WithViewer(context.Background(), key)))
		require.True(t, fault.Is(e.Gateway(context.Background()), fault.Unauthenticated))
		require.True(t, fault.Is(e.Gateway(person(role(tenancy.Admin, tenancy.KindAccount, "/acc_1/"))), fault.Forbidden))
	}
	staff := *key
	staff.Platform = true
	require.True(t, fault.Is(e.Gateway(tenancy.WithViewer(context.Background(), &staff)), fault.Forbidden))

	seat := person(role(tenancy.Seatholder, tenancy.KindMember, seatNode.Path))
	for name, c := range map[string]struct {
		ctx  context.Context
		rule string // empty: allowed
	}{
		"session":                      {seat, "key-needed"},
		"token":                        {narrowed(seat, "models.call", "profile"), ""},
		"token without the permission": {narrowed(seat, "profile", "read"), "permission"},
		"token of nothing":             {narrowed(seat), "permission"},
		"program":                      {program(everyPermission, role(tenancy.Admin, tenancy.KindAccount, "/acc_1/")), "person-needed"},
		"token of the staff":           {narrowed(person(role(tenancy.Admin, tenancy.KindPlatform, "/")), "models.call"), "platform"},
	} {
		for range 2 { // fresh, then from memory
			err := e.Gateway(c.ctx)
			if c.rule == "" {
				require.NoError(t, err, name)
				continue
			}
			require.True(t, fault.Is(err, fault.Forbidden), name)
			require.Equal(t, c.rule, fault.As(err).Data["rule"], name)
		}
	}
}

func TestSubjectHoldsNoIdentity(t *testing.T) {
	t.Parallel()
	a := tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: "acc_1", UserID: "usr_1", Roles: []tenancy.Role{
		role(tenancy.Admin, tenancy.KindTeam, teamNode.Path), role(tenancy.Seatholder, tenancy.KindMember, seatNode.Path), role(tenancy.Admin, tenancy.KindTeam, sibling.Path),
	}}
	b := tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: "acc_2", UserID: "usr_2", Roles: []tenancy.Role{
		role(tenancy.Seatholder, tenancy.KindMember, "/acc_2/con_2/org_1/team_1/mem_9/"), role(tenancy.Admin, tenancy.KindTeam, foreignTeam.Path),
	}}
	require.Equal(t, SubjectOf(&a), SubjectOf(&b))
	require.Equal(t, "ADMIN TEAM CONSOLE,MEMBER MEMBER CONSOLE", SubjectOf(&a).Roles)
	require.Len(t, SubjectOf(&a).input()["roles"], 2)
	b.Platform = true
	require.NotEqual(t, SubjectOf(&a), SubjectOf(&b))
	require.Equal(t, Subject{}, SubjectOf(nil))

	// What somebody acts through tells nothing but what it may do.
	c, d := a, a
	c.Narrowed, c.Permissions, c.TokenID = true, []string{"profile", "read"}, "pat_1"
	d.Narrowed, d.Permissions, d.ClientID, d.SupportID = true, []string{"profile", "read"}, "cli_1", "sup_1"
	require.Equal(t, SubjectOf(&c), SubjectOf(&d))
	require.NotEqual(t, SubjectOf(&a), SubjectOf(&c))
	require.Equal(t, []any{"profile", "read"}, SubjectOf(&c).input()["permissions"])
	d.Permissions = []string{"profile"}
	require.NotEqual(t, SubjectOf(&c), SubjectOf(&d))
	d.Permissions = nil
	require.NotEqual(t, SubjectOf(&a), SubjectOf(&d), "narrowed to nothing isn't unnarrowed")
	require.Equal(t, []any{}, SubjectOf(&d).input()["permissions"])
	// Permissions of somebody who isn't narrowed mean nothing.
	e := a
	e.Permissions = []string{"read"}
	require.Equal(t, SubjectOf(&a), SubjectOf(&e))
}

// Answers from memory are those that the policies gave for the same narrowing.
func TestNarrowingIsPartOfWhatIsRemembered(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	admin := person(role(tenancy.Admin, tenancy.KindTeam, teamNode.Path))
	for range 2 {
		require.True(t, e.Decide(admin, KeyCreate, teamNode).Allowed)
		require.Equal(t, "permission", e.Decide(narrowed(admin), KeyCreate, teamNode).Rule)
		require.Equal(t, "permission", e.Decide(narrowed(admin, "read"), KeyCreate, teamNode).Rule)
		require.True(t, e.Decide(narrowed(admin, "keys.manage", "models.call"), KeyCreate, teamNode).Allowed)
	}
}

// Narrowing takes and never gives, whatever the role, the action and the place.
func TestNarrowingOnlyTakes(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	targets := []Target{platform, account, consoleRoot, copilotRoot, orgNode, teamNode, seatNode, keyNode}
	who := []context.Context{
		person(role(tenancy.Admin, tenancy.KindPlatform, "/")), person(role(tenancy.Admin, tenancy.KindAccount, "/acc_1/")),
		person(role(tenancy.Auditor, tenancy.KindAccount, "/acc_1/")), person(role(tenancy.Seatholder, tenancy.KindMember, seatNode.Path)), person(),
	}
	actions := constants(t)
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		ctx := rapid.SampledFrom(who).Draw(t, "who")
		action, target := Action(rapid.SampledFrom(actions).Draw(t, "action")), rapid.SampledFrom(targets).Draw(t, "target")
		some := rapid.SliceOfDistinct(rapid.SampledFrom(everyPermission), rapid.ID[string]).Draw(t, "permissions")
		slices.Sort(some)
		whole, less := e.Decide(ctx, action, target), e.Decide(narrowed(ctx, some...), action, target)
		require.False(t, less.Allowed && !whole.Allowed, "%s with %v", action, some)
		if whole.Allowed && !less.Allowed {
			taken++
			require.Contains(t, []string{"permission", "people-only"}, less.Rule)
		}
	})
	require.Positive(t, taken)
}
