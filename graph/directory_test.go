package graph

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	bind   = `mutation($i: RoleBindInput!) { roleBind(input: $i) { roleBinding { id role location user { email } scope { id } } errors { code message path } } }`
	unbind = `mutation($i: RoleUnbindInput!) { roleUnbind(input: $i) { roleBindingId errors { code message } } }`
)

// codeOf is a mutation's refusal, wherever it stands.
func codeOf(out answer, field string) string {
	if code, ok := out.at(field, "errors", 0, "code").(string); ok {
		return code
	}
	return out.code()
}

// Nobody raises themselves, or hands out what they don't hold; foreign and
// sibling ids are as absent as those that don't exist.
func TestRolesAreHandedOutFromAbove(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		for name, tc := range map[string]struct {
			v           *tenancy.Viewer
			user, scope string
			role, code  string
		}{
			"a team admin to themselves above":     {c.TeamAdmin, c.TeamAdmin.UserID, c.Org.ID, "ADMIN", "NOT_FOUND"},
			"a team admin at a sibling":            {c.TeamAdmin, c.TeamAdmin.UserID, c.SiblingTeam.ID, "ADMIN", "NOT_FOUND"},
			"an organization's admin at the plane": {c.OrgAdmin, c.OrgAdmin.UserID, c.Root.ID, "ADMIN", "NOT_FOUND"},
			"a plane admin at the account":         {c.Admin, c.Admin.UserID, a.A.Row.ID, "ADMIN", "NOT_FOUND"},
			"a plane admin in the other plane":     {c.Admin, c.Admin.UserID, a.A.Copilot.Root.ID, "ADMIN", "NOT_FOUND"},
			"an account admin at the platform":     {a.A.Admin, a.A.Admin.UserID, id.PlatformID, "ADMIN", "NOT_FOUND"},
			"an account admin elsewhere":           {a.A.Admin, a.A.Admin.UserID, a.B.Row.ID, "ADMIN", "NOT_FOUND"},
			"somebody of another account":          {a.A.Admin, a.B.Admin.UserID, c.Team.ID, "ADMIN", "NOT_FOUND"},
			"nobody":                               {a.A.Admin, "usr_nothing", c.Team.ID, "ADMIN", "NOT_FOUND"},
			"a super admin in an account":          {a.SuperAdmin, a.SuperAdmin.UserID, a.A.Row.ID, "ADMIN", "NOT_FOUND"},
			"member isn't a role":                  {a.A.Admin, a.A.Nobody.UserID, c.Team.ID, "MEMBER", "INVALID"},
			"at a seat":                            {a.A.Admin, a.A.Nobody.UserID, c.Member.ID, "ADMIN", "FORBIDDEN"},
			"a member":                             {c.Seat, c.Seat.UserID, c.Member.ID, "ADMIN", "FORBIDDEN"},
			"an admin makes a viewer":              {c.TeamAdmin, c.Seat.UserID, c.Team.ID, "VIEWER", ""},
			"an account admin anybody anywhere":    {a.A.Admin, a.A.Nobody.UserID, c.Root.ID, "ADMIN", ""},
			"an account admin another one":         {a.A.Admin, a.A.Nobody.UserID, a.A.Row.ID, "ADMIN", ""},
			"one who has it":                       {a.A.Admin, a.A.Admin.UserID, a.A.Row.ID, "ADMIN", "EXISTS"},
		} {
			out := a.do(tc.v, bind, in(map[string]any{"userId": tc.user, "scopeId": tc.scope, "role": tc.role}))
			require.Equal(t, tc.code, codeOf(out, "roleBind"), "%s: %+v %+v", name, out.Data, out.Errors)
		}
	})
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		const off = `mutation($i: UserDeactivateInput!) { userDeactivate(input: $i) { user { status } errors { code message } } }`
		const on = `mutation($i: UserReactivateInput!) { userReactivate(input: $i) { user { status } errors { code } } }`
		for _, who := range []struct {
			v    *tenancy.Viewer
			root string
		}{{a.A.Admin, a.A.Row.ID}, {a.SuperAdmin, id.PlatformID}} {
			roots := a.Store.RoleBinding.Query().Where(rolebinding.ScopeID(who.root), rolebinding.RoleEQ(rolebinding.RoleADMIN)).AllX(a.sys())
			require.Len(t, roots, 1)
			require.Equal(t, "IN_USE", codeOf(a.do(who.v, unbind, in(map[string]any{"roleBindingId": roots[0].ID})), "roleUnbind"))
			require.Equal(t, "INVALID", codeOf(a.do(who.v, off, in(map[string]any{"userId": who.v.UserID})), "userDeactivate"), "oneself")
		}
		// A deactivated admin is none.
		other := a.person("second@alpha.example", "Second", newPassword)
		made := a.ok(a.A.Admin, bind, in(map[string]any{"userId": other.UserID, "scopeId": a.A.Row.ID, "role": "ADMIN"}))
		require.Equal(t, a.A.Row.ID, made.at("roleBind", "roleBinding", "scope", "id"))
		require.Empty(t, codeOf(a.do(a.A.Admin, off, in(map[string]any{"userId": other.UserID})), "userDeactivate"))
		mine := a.Store.RoleBinding.Query().Where(rolebinding.ScopeID(a.A.Row.ID), rolebinding.UserID(a.A.Admin.UserID)).OnlyX(a.sys())
		require.Equal(t, "IN_USE", codeOf(a.do(a.A.Admin, unbind, in(map[string]any{"roleBindingId": mine.ID})), "roleUnbind"))
		require.Empty(t, codeOf(a.do(a.A.Admin, on, in(map[string]any{"userId": other.UserID})), "userReactivate"))
		require.Empty(t, codeOf(a.do(a.A.Admin, unbind, in(map[string]any{"roleBindingId": mine.ID})), "roleUnbind"))
		require.Equal(t, "NOT_FOUND", codeOf(a.do(a.B.Admin, off, in(map[string]any{"userId": other.UserID})), "userDeactivate"))
		require.Equal(t, "NOT_FOUND", codeOf(a.do(a.SuperAdmin, off, in(map[string]any{"userId": other.UserID})), "userDeactivate"))
		require.Equal(t, "FORBIDDEN", codeOf(a.do(a.A.Console.Admin, off, in(map[string]any{"userId": a.A.Console.Seat.UserID})), "userDeactivate"), "a plane's admin")
	})
}

// Every mutation of the tree answers for a foreign id as for one that isn't
// there, and changes nothing.
func TestForeignScopesAreAbsent(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c, o := a.A.Console, a.B.Console
		for _, m := range []struct{ name, field, foreign string }{
			{"organizationUpdate", "organizationId", o.Org.ID}, {"organizationArchive", "organizationId", o.Org.ID},
			{"organizationRestore", "organizationId", o.Org.ID}, {"organizationDelete", "organizationId", o.Org.ID},
			{"teamUpdate", "teamId", o.Team.ID}, {"teamArchive", "teamId", o.Team.ID}, {"teamRestore", "teamId", o.Team.ID}, {"teamDelete", "teamId", o.Team.ID},
			{"memberDelete", "memberId", o.Member.ID}, {"memberDefaultSet", "memberId", o.Member.ID},
			{"roleUnbind", "roleBindingId", a.Store.RoleBinding.Query().Where(rolebinding.ScopeID(o.Team.ID)).FirstX(a.sys()).ID},
		} {
			title := string(m.name[0]-32) + m.name[1:]
			q := fmt.Sprintf(`mutation($i: %sInput!) { %s(input: $i) { errors { code message path } } }`, title, m.name)
			epoch := a.Store.Account.GetX(a.sys(), a.B.Row.ID).Epoch
			foreign, absent := a.do(a.A.Admin, q, in(map[string]any{m.field: m.foreign})), a.do(a.A.Admin, q, in(map[string]any{m.field: "team_nothing"}))
			require.Equal(t, absent, foreign, m.name)
			require.Equal(t, "NOT_FOUND", codeOf(foreign, m.name))
			require.Equal(t, epoch, a.Store.Account.GetX(a.sys(), a.B.Row.ID).Epoch)
		}
		for _, m := range []struct {
			name, a, b, av, bv string
			v                  *tenancy.Viewer
		}{
			{"teamMove", "teamId", "organizationId", c.Team.ID, o.Org.ID, a.A.Admin}, {"teamMove", "teamId", "organizationId", c.Team.ID, a.A.Copilot.Org.ID, a.A.Admin},
			{"teamMove", "teamId", "organizationId", c.Team.ID, c.SiblingOrg.ID, c.OrgAdmin},
			{"memberMove", "memberId", "teamId", c.Member.ID, o.Team.ID, a.A.Admin}, {"memberMove", "memberId", "teamId", c.Member.ID, c.SiblingTeam.ID, c.TeamAdmin},
			{"memberCreate", "teamId", "userId", c.Team.ID, a.B.Admin.UserID, a.A.Admin}, {"memberCreate", "teamId", "userId", c.Team.ID, c.SiblingOrgAdmin.UserID, c.TeamAdmin},
		} {
			title := string(m.name[0]-32) + m.name[1:]
			q := fmt.Sprintf(`mutation($i: %sInput!) { %s(input: $i) { errors { code message path } } }`, title, m.name)
			out := a.do(m.v, q, in(map[string]any{m.a: m.av, m.b: m.bv}))
			require.Equal(t, "NOT_FOUND", codeOf(out, m.name), "%+v", m)
		}
		require.Equal(t, "FORBIDDEN", codeOf(a.do(c.TeamAdmin, `mutation($i: TeamDeleteInput!) { teamDelete(input: $i) { errors { code } } }`, in(map[string]any{"teamId": c.Team.ID, "confirm": "Risk"})), "teamDelete"), "its own admin")
	})
}

func TestDirectoryOverGraphQL(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		made := a.ok(c.Admin, `mutation($i: OrganizationCreateInput!) { organizationCreate(input: $i) { organization { id name description isDefault version teamCount } errors { code } } }`,
			in(map[string]any{"planeId": c.Root.ID, "name": "Treasury", "description": "Money"}))
		org, _ := made.at("organizationCreate", "organization", "id").(string)
		require.NotEmpty(t, org, "%+v", made.Data)
		require.Equal(t, "Money", made.at("organizationCreate", "organization", "description"))
		stale := a.ok(c.Admin, `mutation($i: OrganizationUpdateInput!) { organizationUpdate(input: $i) { errors { code path ... on ConflictError { expectedVersion currentVersion } } } }`,
			in(map[string]any{"organizationId": org, "name": "Late", "expectedVersion": 7}))
		require.Equal(t, map[string]any{"code": "CONFLICT", "path": []any{"expectedVersion"}, "expectedVersion": 7.0, "currentVersion": 1.0}, stale.at("organizationUpdate", "errors", 0))

		const move = `mutation($i: TeamMoveInput!) { teamMove(input: $i) { team { location } impact { seatsMoved notes } errors { code message } } }`
		tried := a.ok(c.Admin, move, in(map[string]any{"teamId": c.Team.ID, "organizationId": org, "dryRun": true}))
		require.EqualValues(t, 1, tried.at("teamMove", "impact", "seatsMoved"))
		require.Equal(t, "Banking", tried.at("teamMove", "team", "location"), "nothing has moved")
		moved := a.ok(c.Admin, move, in(map[string]any{"teamId": c.Team.ID, "organizationId": org}))
		require.Equal(t, "Treasury", moved.at("teamMove", "team", "location"))

		const archive = `mutation($i: TeamArchiveInput!) { teamArchive(input: $i) { team { archivedAt } impact { keysRevoked } errors { code } } }`
		require.Nil(t, a.ok(c.Admin, archive, in(map[string]any{"teamId": c.Team.ID, "dryRun": true})).at("teamArchive", "team", "archivedAt"))
		require.NotNil(t, a.ok(c.Admin, archive, in(map[string]any{"teamId": c.Team.ID})).at("teamArchive", "team", "archivedAt"))
		listed := a.ok(c.Admin, `query($o: ID) { console { teams(organizationId: $o, first: 10) { edges { node { archivedAt } } } } }`, map[string]any{"o": org})
		require.NotNil(t, listed.at("console", "teams", "edges", 0, "node", "archivedAt"), "archived ones are listed, for somebody must restore them")
		require.Nil(t, a.ok(c.Admin, `mutation($i: TeamRestoreInput!) { teamRestore(input: $i) { team { archivedAt } errors { code } } }`, in(map[string]any{"teamId": c.Team.ID})).at("teamRestore", "team", "archivedAt"))

		const remove = `mutation($i: TeamDeleteInput!) { teamDelete(input: $i) { teamId impact { seatsMoved seatsEnded } errors { code path } } }`
		tried = a.ok(c.Admin, remove, in(map[string]any{"teamId": c.Team.ID, "dryRun": true}))
		require.Nil(t, tried.at("teamDelete", "teamId"))
		require.Equal(t, []any{"confirm"}, a.ok(c.Admin, remove, in(map[string]any{"teamId": c.Team.ID})).at("teamDelete", "errors", 0, "path"))
		gone := a.ok(c.Admin, remove, in(map[string]any{"teamId": c.Team.ID, "confirm": "Risk"}))
		require.Equal(t, tried.at("teamDelete", "impact"), gone.at("teamDelete", "impact"))
		require.Nil(t, a.ok(a.A.Admin, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": c.Team.ID}).at("node"))
		seat := a.ok(a.A.Admin, `query($id: ID!) { node(id: $id) { ... on Member { location isDefault } } }`, map[string]any{"id": c.Member.ID})
		require.Equal(t, "Global / Everyone", seat.at("node", "location"))

		// A person renames themselves, and nobody else.
		const rename = `mutation($i: UserUpdateInput!) { userUpdate(input: $i) { user { name version } errors { code } } }`
		out := a.ok(c.Seat, rename, in(map[string]any{"userId": c.Seat.UserID, "name": "New Name"}))
		require.Equal(t, "New Name", out.at("userUpdate", "user", "name"))
		require.Equal(t, "New Name", a.Store.Scope.GetX(a.sys(), c.Member.ID).Name, "on their seats too")
		require.Equal(t, "NOT_FOUND", codeOf(a.do(c.Seat, rename, in(map[string]any{"userId": a.A.Admin.UserID, "name": "X"})), "userUpdate"))
		require.Equal(t, "FORBIDDEN", codeOf(a.do(c.OrgAdmin, rename, in(map[string]any{"userId": c.SiblingTeamAdmin.UserID, "name": "X"})), "userUpdate"))
		program := *c.Seat
		program.Narrowed, program.Permissions = true, []string{"profile", "read"}
		require.Equal(t, "FORBIDDEN", codeOf(a.do(&program, rename, in(map[string]any{"userId": c.Seat.UserID, "name": "X"})), "userUpdate"), "a program without the permission")
	})
}

func TestPeopleAreListedByName(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		for range 3 {
			a.person(fmt.Sprintf("same%s@alpha.example", id.New(id.Request)), "Same Name", newPassword)
		}
		const q = `query($s: String, $st: UserStatus, $n: Int!, $after: String) { account { users(search: $s, status: $st, first: $n, after: $after) { totalCount pageInfo { endCursor hasNextPage } edges { node { id name } } } } }`
		all := a.ok(a.A.Admin, q, map[string]any{"n": 100})
		edges, _ := all.at("account", "users", "edges").([]any)
		require.EqualValues(t, len(edges), all.at("account", "users", "totalCount"))
		var got []any
		var after any
		for {
			page := a.ok(a.A.Admin, q, map[string]any{"n": 2, "after": after})
			e, _ := page.at("account", "users", "edges").([]any)
			got = append(got, e...)
			if after = page.at("account", "users", "pageInfo", "endCursor"); page.at("account", "users", "pageInfo", "hasNextPage") == false {
				break
			}
		}
		require.Equal(t, edges, got, "pages have everybody once, also those of one name")
		require.EqualValues(t, 3, a.ok(a.A.Admin, q, map[string]any{"n": 10, "s": "same name"}).at("account", "users", "totalCount"))
		require.EqualValues(t, 0, a.ok(a.A.Admin, q, map[string]any{"n": 10, "st": "DEACTIVATED"}).at("account", "users", "totalCount"))
		few := a.ok(a.A.Console.TeamAdmin, q, map[string]any{"n": 100})
		require.EqualValues(t, 2, few.at("account", "users", "totalCount"), "themself and who sits in their team")
		require.Equal(t, "FORBIDDEN", a.do(a.SuperAdmin, `query($id: ID!) { account(id: $id) { users(first: 1) { edges { node { id } } } } }`, map[string]any{"id": a.A.Row.ID}).code())
		require.Equal(t, "BAD_INPUT", a.do(a.A.Admin, q, map[string]any{"n": 2, "after": "bm9uZQ"}).code())
	})
}

// Lists of people, roles and invitations cost a fixed number of queries.
func TestDirectoryListsDontQueryPerRow(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	const people = 60
	require.NoError(t, a.Store.InTx(a.sys(), func(ctx context.Context, tx *store.Tx) error {
		for i := range people {
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.A.Row.ID, Email: fmt.Sprintf("p%d@alpha.example", i), Name: fmt.Sprint("P", i)})
			if err != nil {
				return err
			}
			if _, err := identity.AddMember(ctx, tx, a.A.Console.Team, u); err != nil {
				return err
			}
			if err := identity.BindRole(ctx, tx, u, a.A.Console.Team, tenancy.Auditor); err != nil {
				return err
			}
		}
		return nil
	}))
	emails := make([]string, people)
	for i := range emails {
		emails[i] = fmt.Sprintf("i%d@alpha.example", i)
	}
	a.ok(a.A.Admin, invite, in(map[string]any{"scopeId": a.A.Row.ID, "role": "VIEWER", "emails": emails}))
	var n atomic.Int64
	a.Store.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	count := func(first int) int {
		n.Store(0)
		a.ok(a.A.Admin, `query($n: Int!, $id: ID!) {
			account { users(first: $n) { totalCount edges { node { name seats { location isDefault } roles { location role scope { name } } viewerCan { action allowed } } } } }
			access(scopeId: $id) {
				roleBindings(below: true, first: $n) { totalCount edges { node { user { email } scope { name } location identityProvider { name } viewerCan { action } } } }
				invitations(first: $n) { totalCount edges { node { email location scope { name } viewerCan { action allowed } } } }
			}
		}`, map[string]any{"n": first, "id": a.A.Row.ID})
		return int(n.Load())
	}
	few := count(10)
	require.Less(t, count(60), few+people/2, "more rows must not mean more queries")
}
