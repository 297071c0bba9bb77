package graph

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/groupmapping"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// outcome is the code of what was refused, at the top or in the payload; empty
// when it worked.
func outcome(out answer) string {
	if c := out.code(); c != "" {
		return c
	}
	for _, payload := range out.Data {
		m, _ := payload.(map[string]any)
		errs, _ := m["errors"].([]any)
		for _, e := range errs {
			first, _ := e.(map[string]any)
			return fmt.Sprint(first["code"])
		}
	}
	return ""
}

// Sign-in is set up by admins of the account in person; for everybody else the
// account's domains, providers and mappings don't change, and for others'
// admins they don't exist.
func TestWhoSetsUpSignIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		sys := identitytest.System(t)
		d := a.Store.Domain.Query().Where(domain.AccountID(a.A.Row.ID), domain.VerifiedNameNotNil()).OnlyX(sys)
		m := a.Store.GroupMapping.Query().Where(groupmapping.AccountID(a.A.Row.ID)).FirstX(sys)
		p := a.A.IdentityProvider
		program := *a.A.Admin
		program.Narrowed, program.Permissions, program.ClientID = true, []string{"account.manage", "read"}, "cli_x"
		operations := map[string]string{
			"domainVerify":           `mutation { domainVerify(input: {domainId: "%s"}) { errors { code } } }`,
			"domainDelete":           `mutation { domainDelete(input: {domainId: "%s"}) { errors { code } } }`,
			"identityProviderUpdate": `mutation { identityProviderUpdate(input: {identityProviderId: "%s", name: "Mine"}) { errors { code } } }`,
			"identityProviderDelete": `mutation { identityProviderDelete(input: {identityProviderId: "%s"}) { errors { code } } }`,
			"groupMappingCreate":     `mutation { groupMappingCreate(input: {identityProviderId: "%s", group: "x", role: ADMIN, scopeId: "` + a.A.Row.ID + `"}) { errors { code } } }`,
			"groupMappingDelete":     `mutation { groupMappingDelete(input: {groupMappingId: "%s"}) { errors { code } } }`,
		}
		ids := map[string]string{"domainVerify": d.ID, "domainDelete": d.ID, "identityProviderUpdate": p.ID, "identityProviderDelete": p.ID, "groupMappingCreate": p.ID, "groupMappingDelete": m.ID}
		before := fmt.Sprint(identitytest.Rows(t, a.Store)["group_mappings"], a.Store.IdentityProvider.Query().AllX(sys), a.Store.Domain.Query().AllX(sys))
		for name, op := range operations {
			for who, v := range map[string]*tenancy.Viewer{"a plane's admin": a.A.Console.Admin, "a team's admin": a.A.Console.TeamAdmin,
				"a member": a.A.Console.Seat, "nobody": a.A.Nobody, "a program of the admin's": &program, "anybody": nil} {
				code := outcome(a.do(v, fmt.Sprintf(op, ids[name]), nil))
				require.Contains(t, []string{"FORBIDDEN", "UNAUTHENTICATED"}, code, "%s by %s", name, who)
			}
			for who, v := range map[string]*tenancy.Viewer{"another account's admin": a.B.Admin, "a super admin": a.SuperAdmin} {
				foreign, none := a.do(v, fmt.Sprintf(op, ids[name]), nil), a.do(v, fmt.Sprintf(op, ids[name][:4]+"01ARZ3NDEKTSV4RRFFQ69G5FAV"), nil)
				require.NotEmpty(t, outcome(foreign), "%s by %s", name, who)
				require.Equal(t, outcome(none), outcome(foreign), "%s by %s", name, who)
			}
		}
		for _, op := range []string{`mutation { domainCreate(input: {name: "x.example"}) { errors { code } } }`, `mutation { signInEnforce(input: {enforced: true}) { errors { code } } }`,
			`mutation { identityProviderCreate(input: {name: "x", issuer: "https://x.example", clientId: "x"}) { errors { code } } }`} {
			for _, v := range []*tenancy.Viewer{a.A.Console.Admin, a.A.Nobody, &program, a.SuperAdmin} {
				require.Equal(t, "FORBIDDEN", outcome(a.do(v, op, nil)), op)
			}
		}
		after := fmt.Sprint(identitytest.Rows(t, a.Store)["group_mappings"], a.Store.IdentityProvider.Query().AllX(sys), a.Store.Domain.Query().AllX(sys))
		require.Equal(t, before, after)

		const read = `{ account { domains(first: 5) { totalCount edges { node { name verified recordName recordValue } } }
			identityProviders(first: 5) { totalCount edges { node { id name secretHint callbackUrl testUrl mappings { group role location scope { id } } viewerCan { action allowed } } } } } }`
		mine := a.ok(a.A.Admin, read, nil)
		require.EqualValues(t, 2, mine.at("account", "domains", "totalCount"))
		require.EqualValues(t, 1, mine.at("account", "identityProviders", "totalCount"))
		require.NotContains(t, fmt.Sprint(mine.Data), "sealed")
		require.NotContains(t, fmt.Sprint(mine.Data), a.B.IdentityProvider.ID)
		for _, v := range []*tenancy.Viewer{a.A.Console.Admin, a.A.Nobody} {
			out := a.do(v, read, nil)
			require.Nil(t, out.at("account", "domains"))
			require.Nil(t, out.at("account", "identityProviders"))
		}
		require.Empty(t, outcome(a.do(a.A.Admin, fmt.Sprintf(operations["groupMappingDelete"], m.ID), nil)))
		require.Empty(t, outcome(a.do(a.A.Admin, fmt.Sprintf(operations["identityProviderDelete"], p.ID), nil)))
		require.Empty(t, outcome(a.do(a.A.Admin, fmt.Sprintf(operations["domainDelete"], d.ID), nil)))
	})
}

// Sessions are their person's to see and end, and the account's admins'.
func TestWhoEndsSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		sys := identitytest.System(t)
		seat := a.A.Console.Seat
		list := func(v *tenancy.Viewer) answer {
			return a.do(v, `{ viewer { sessions(first: 10) { totalCount edges { node { id current user { id } supportAccess { id } } } } } }`, nil)
		}
		out := list(seat)
		require.EqualValues(t, 1, out.at("viewer", "sessions", "totalCount"))
		require.Equal(t, seat.SessionID, out.at("viewer", "sessions", "edges", 0, "node", "id"))
		require.Equal(t, true, out.at("viewer", "sessions", "edges", 0, "node", "current"))
		require.EqualValues(t, 1, list(a.SuperAdmin).at("viewer", "sessions", "totalCount"))

		all := a.ok(a.A.Admin, `query($u: ID) { account { sessions(first: 100, userId: $u) { totalCount edges { node { kind user { id } supportAccess { staffName } } } } } }`, nil)
		require.EqualValues(t, a.Store.Session.Query().Where(session.AccountID(a.A.Row.ID)).CountX(sys), all.at("account", "sessions", "totalCount"))
		one := a.ok(a.A.Admin, `query($u: ID) { account { sessions(first: 100, userId: $u) { totalCount } } }`, map[string]any{"u": seat.UserID})
		require.EqualValues(t, 1, one.at("account", "sessions", "totalCount"))
		require.Nil(t, a.do(seat, `{ account { sessions(first: 10) { totalCount } } }`, nil).at("account", "sessions"))

		revoke := func(v *tenancy.Viewer, id string) string {
			return outcome(a.do(v, `mutation($i: ID!) { sessionRevoke(input: {sessionId: $i}) { errors { code } } }`, map[string]any{"i": id}))
		}
		every := func(v *tenancy.Viewer, id string) string {
			return outcome(a.do(v, `mutation($i: ID!) { userSessionsRevoke(input: {userId: $i}) { count errors { code } } }`, map[string]any{"i": id}))
		}
		for who, v := range map[string]*tenancy.Viewer{"another account's admin": a.B.Admin, "a super admin": a.SuperAdmin, "a plane's admin": a.A.Console.Admin, "a colleague": a.A.Nobody} {
			require.Equal(t, revoke(v, "ses_01ARZ3NDEKTSV4RRFFQ69G5FAV"), revoke(v, seat.SessionID), who)
			require.Contains(t, []string{"NOT_FOUND", "FORBIDDEN"}, every(v, seat.UserID), who)
		}
		require.Nil(t, a.Store.Session.GetX(sys, seat.SessionID).RevokedAt)
		program := *seat
		program.Narrowed, program.Permissions, program.ClientID = true, []string{"directory.manage", "read"}, "cli_x"
		require.Equal(t, "FORBIDDEN", revoke(&program, seat.SessionID), "no program signs a person out")
		require.Empty(t, every(seat, seat.UserID))
		require.Nil(t, a.Store.Session.GetX(sys, seat.SessionID).RevokedAt, "the one that asks stays")
		require.Empty(t, revoke(seat, seat.SessionID))
		require.NotNil(t, a.Store.Session.GetX(sys, seat.SessionID).RevokedAt)
		require.Empty(t, every(a.A.Admin, a.A.Console.TeamAdmin.UserID))
		require.NotNil(t, a.Store.Session.GetX(sys, a.A.Console.TeamAdmin.SessionID).RevokedAt)
	})
}

// How to sign in, and new passwords by mail, are open to everybody and tell
// nobody who exists.
func TestSignInPageTellsNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.resolver.URL = "https://cockpit.example"
		a.cookies = &Cookies{From: identity.Client{IP: "203.0.113.9"}}
		methods := func(email string) answer {
			return a.ok(nil, `query($e: String!) { signInMethods(email: $e) { password providers { id name startUrl } } }`, map[string]any{"e": email})
		}
		host := a.Store.Domain.Query().Where(domain.AccountID(a.A.Row.ID), domain.VerifiedNameNotNil()).OnlyX(identitytest.System(t)).Name
		known, unknown := methods("admin@"+host), methods("stranger@"+host)
		require.Equal(t, known, unknown)
		require.Equal(t, "https://cockpit.example/sso/start?provider="+a.A.IdentityProvider.ID, known.at("signInMethods", "providers", 0, "startUrl"))
		require.Equal(t, []any{}, methods("x@elsewhere.example").at("signInMethods", "providers"))
		require.Equal(t, "BAD_INPUT", a.do(nil, `{ signInMethods(email: "x") { password } }`, nil).code())
		reset := func(email string) answer {
			return a.ok(nil, `mutation($e: String!) { passwordResetRequest(input: {email: $e}) { errors { code } } }`, map[string]any{"e": email})
		}
		require.Equal(t, reset("admin@"+host), reset("stranger@"+host))
		out := a.ok(nil, `mutation { passwordReset(input: {token: "x", newPassword: "correct horse battery"}) { errors { code path } } }`, nil)
		require.Equal(t, "INVALID", outcome(out))
		require.Equal(t, "INVALID", outcome(a.ok(a.A.Admin, `mutation { passwordSet(input: {currentPassword: "x", newPassword: "correct horse battery"}) { viewer { name } errors { code } } }`, nil)))
		require.Equal(t, "UNAUTHENTICATED", outcome(a.do(nil, `mutation { passwordSet(input: {currentPassword: "x", newPassword: "correct horse battery"}) { errors { code } } }`, nil)))
	})
}
