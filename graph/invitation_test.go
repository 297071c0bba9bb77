package graph

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/mail/smtptest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	invite = `mutation($i: InvitationCreateInput!) { invitationCreate(input: $i) { invitations { link invitation { id email state mail mailError location role scope { id name } viewerCan { action allowed } } } errors { code message path } } }`
	accept = `mutation($i: InvitationAcceptInput!) { invitationAccept(input: $i) { viewer { user { id name email } account { slug } roles { role scopeId } } errors { code message path } } }`
	look   = `query($t: String!) { invitation(token: $t) { accountName location kind role email hasLogin password providers { name startUrl } } }`
)

const newPassword = "a password of some length"

func in(m map[string]any) map[string]any { return map[string]any{"i": m} }

// tokenOf is the token of an invitation's link.
func tokenOf(t testing.TB, link any) string {
	t.Helper()
	u, err := url.Parse(link.(string))
	require.NoError(t, err)
	require.Equal(t, "/invitation", u.Path)
	require.NotEmpty(t, u.Fragment)
	return u.Fragment
}

// invited invites one address and returns the token.
func (a *api) invited(v *tenancy.Viewer, scopeID, role, email string) string {
	a.t.Helper()
	out := a.ok(v, invite, in(map[string]any{"scopeId": scopeID, "role": role, "emails": []string{email}}))
	require.Empty(a.t, out.at("invitationCreate", "errors"), "%+v", out.Data)
	return tokenOf(a.t, out.at("invitationCreate", "invitations", 0, "link"))
}

// browser lets requests carry cookies; it returns where the token is put.
func (a *api) browser(ip string) *string {
	var token string
	a.cookies = &Cookies{Set: func(s string) { token = s }, Clear: func() { token = "" }, From: identity.Client{IP: ip}}
	return &token
}

func (a *api) sys() context.Context { return identitytest.System(a.t) }

// person makes a user of account A with a login and a password.
func (a *api) person(email, name, password string) *tenancy.Viewer {
	a.t.Helper()
	var v *tenancy.Viewer
	require.NoError(a.t, a.Store.InTx(a.sys(), func(ctx context.Context, tx *store.Tx) error {
		hash, err := identity.HashPassword(ctx, password)
		if err != nil {
			return err
		}
		u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.A.Row.ID, Email: email, Name: name, PasswordHash: hash})
		v = &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: u.AccountID, UserID: u.ID, Name: u.Name}
		return err
	}))
	return v
}

func TestInvitedPersonJoins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.resolver.URL = "https://cockpit.example"
		c := a.A.Console
		cookie := a.browser("192.0.2.1")
		token := a.invited(c.TeamAdmin, c.Team.ID, "MEMBER", " New@People.example ")
		preview := a.ok(nil, look, map[string]any{"t": token})
		require.Equal(t, "Banking / Risk", preview.at("invitation", "location"))
		require.Equal(t, "new@people.example", preview.at("invitation", "email"))
		require.Equal(t, false, preview.at("invitation", "hasLogin"))
		require.Equal(t, true, preview.at("invitation", "password"))

		require.NotEmpty(t, a.ok(nil, accept, in(map[string]any{"token": token, "password": newPassword})).at("invitationAccept", "errors"), "a new person needs a name")
		require.NotEmpty(t, a.ok(nil, accept, in(map[string]any{"token": token, "name": "New", "password": "short"})).at("invitationAccept", "errors"))
		require.Empty(t, *cookie)
		out := a.ok(nil, accept, in(map[string]any{"token": token, "name": "New Person", "password": newPassword}))
		require.Empty(t, out.at("invitationAccept", "errors"), "%+v", out.Data)
		require.Equal(t, "New Person", out.at("invitationAccept", "viewer", "user", "name"))
		require.Equal(t, "MEMBER", out.at("invitationAccept", "viewer", "roles", 0, "role"))
		v, err := a.Sessions.Viewer(t.Context(), *cookie)
		require.NoError(t, err)
		require.Equal(t, a.A.Row.ID, v.AccountID)
		require.Nil(t, a.ok(nil, look, map[string]any{"t": token}).at("invitation"), "once")
		require.Equal(t, "INVALID", a.ok(nil, accept, in(map[string]any{"token": token, "name": "X", "password": newPassword})).at("invitationAccept", "errors", 0, "code"))

		// The same person, invited to more, gives the password they have.
		token = a.invited(a.A.Admin, a.A.Row.ID, "VIEWER", "new@people.example")
		require.Equal(t, true, a.ok(nil, look, map[string]any{"t": token}).at("invitation", "hasLogin"))
		require.NotEmpty(t, a.ok(nil, accept, in(map[string]any{"token": token, "name": "Renamed", "password": "wrong password here"})).at("invitationAccept", "errors"))
		out = a.ok(nil, accept, in(map[string]any{"token": token, "name": "Renamed", "password": newPassword}))
		require.Equal(t, "New Person", out.at("invitationAccept", "viewer", "user", "name"), "nothing of theirs is rewritten")
		require.True(t, a.Store.RoleBinding.Query().Where(rolebinding.UserID(v.UserID), rolebinding.ScopeID(a.A.Row.ID)).ExistX(a.sys()))
	})
}

// Naming somebody an admin by e-mail invites them; it changes nothing of the
// one who exists.
func TestNamingAnAdminOnlyInvites(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.browser("192.0.2.1")
		boss := a.person("boss@alpha.example", "Boss", newPassword)
		before := a.Store.User.GetX(a.sys(), boss.UserID).String()
		hash := a.Store.Login.Query().Where(login.Email("boss@alpha.example")).OnlyX(a.sys()).PasswordHash
		token := a.invited(a.B.Admin, a.B.Row.ID, "ADMIN", "boss@alpha.example")
		// The inviter has the link, and still isn't them.
		out := a.ok(nil, accept, in(map[string]any{"token": token, "name": "Evil", "password": "the inviter's choice"}))
		require.NotEmpty(t, out.at("invitationAccept", "errors"))
		require.Equal(t, before, a.Store.User.GetX(a.sys(), boss.UserID).String())
		require.Equal(t, hash, a.Store.Login.Query().Where(login.Email("boss@alpha.example")).OnlyX(a.sys()).PasswordHash)
		require.Equal(t, 1, a.Store.User.Query().Where(user.Email("boss@alpha.example")).CountX(a.sys()))
		// They themselves get a user there besides, and keep the one they have.
		out = a.ok(nil, accept, in(map[string]any{"token": token, "password": newPassword}))
		require.Equal(t, "beta", out.at("invitationAccept", "viewer", "account", "slug"), "%+v", out.Data)
		require.Equal(t, before, a.Store.User.GetX(a.sys(), boss.UserID).String())
	})
}

// Whoever invites has the link: it doesn't make them a person who is known by
// an identity provider alone, in this account or another one.
func TestALinkDoesntProveToBeSomebody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.browser("192.0.2.1")
		c := a.A.Console
		var boss string
		require.NoError(t, a.Store.InTx(a.sys(), func(ctx context.Context, tx *store.Tx) error {
			u, err := tx.User.Create().SetAccountID(a.A.Row.ID).SetPlane(user.PlaneACCOUNT).SetEmail("sso@alpha.example").SetName("Sso").Save(ctx)
			if err != nil {
				return err
			}
			boss = u.ID
			if _, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.A.Row.ID, Email: "blank@alpha.example", Name: "Without a password"}); err != nil {
				return err
			}
			return identity.BindRole(ctx, tx, u, a.A.Root, tenancy.Admin)
		}))
		for email, by := range map[string]struct {
			v     *tenancy.Viewer
			scope string
		}{"sso@alpha.example": {c.TeamAdmin, c.Team.ID}, "blank@alpha.example": {a.B.Console.TeamAdmin, a.B.Console.Team.ID}} {
			token := a.invited(by.v, by.scope, "MEMBER", email)
			require.Equal(t, false, a.ok(nil, look, map[string]any{"t": token}).at("invitation", "password"))
			out := a.ok(nil, accept, in(map[string]any{"token": token, "name": "Evil", "password": newPassword}))
			require.NotEmpty(t, out.at("invitationAccept", "errors"), email)
		}
		require.False(t, a.Store.Login.Query().Where(login.Email("sso@alpha.example")).ExistX(a.sys()))
		require.Empty(t, a.Store.Login.Query().Where(login.Email("blank@alpha.example")).OnlyX(a.sys()).PasswordHash)

		// Nor does an account's provider bring its people to a login that somebody
		// made by an invitation of their own.
		token := a.invited(a.B.Admin, a.B.Row.ID, "VIEWER", "ceo@alpha.example")
		require.Empty(t, a.ok(nil, accept, in(map[string]any{"token": token, "name": "Evil", "password": newPassword})).at("invitationAccept", "errors"))
		require.NoError(t, a.Store.InTx(a.sys(), func(ctx context.Context, tx *store.Tx) error {
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.A.Row.ID, Email: "ceo@alpha.example", Name: "Chief"})
			require.Nil(t, u.LoginID)
			return err
		}))

		// Signed in by the provider they take it up, and nobody else does.
		token = a.invited(c.SiblingTeamAdmin, c.SiblingTeam.ID, "MEMBER", "sso@alpha.example")
		accepts := func(userID string) error {
			return a.Store.InTx(a.sys(), func(ctx context.Context, tx *store.Tx) error {
				return identity.AcceptInvitation(ctx, tx, token, tx.User.GetX(ctx, userID))
			})
		}
		require.True(t, fault.Is(accepts(a.A.Nobody.UserID), fault.Invalid), "a colleague who found the link")
		require.True(t, fault.Is(accepts(a.B.Nobody.UserID), fault.Invalid), "somebody of another account")
		require.NoError(t, accepts(boss))
		require.True(t, a.Store.Member.Query().Where(member.UserID(boss), member.TeamID(c.SiblingTeam.ID)).ExistX(a.sys()))
		require.True(t, fault.Is(accepts(boss), fault.Invalid), "once")
	})
}

func TestEnforcedSignInClosesPasswords(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.browser("192.0.2.1")
		require.NoError(t, a.Store.InTx(a.sys(), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			tx.IdentityProvider.Create().SetAccountID(a.A.Row.ID).SetPlane(identityprovider.PlaneACCOUNT).SetName("Entra").SetIssuer("https://idp.example").
				SetClientID("c").SetScopes([]string{"openid"}).SetStatus(identityprovider.StatusACTIVE).ExecX(ctx)
			return tx.Account.UpdateOneID(a.A.Row.ID).SetSSOEnforced(true).Exec(ctx)
		}))
		token := a.invited(a.A.Console.TeamAdmin, a.A.Console.Team.ID, "MEMBER", "new@people.example")
		preview := a.ok(nil, look, map[string]any{"t": token})
		require.Equal(t, false, preview.at("invitation", "password"))
		found := false
		providers, _ := preview.at("invitation", "providers").([]any)
		for i := range providers {
			start, err := url.Parse(preview.at("invitation", "providers", i, "startUrl").(string))
			require.NoError(t, err)
			require.Equal(t, "/sso/start", start.Path)
			require.Equal(t, token, start.Query().Get("invitation"))
			found = found || preview.at("invitation", "providers", i, "name") == "Entra"
		}
		require.True(t, found)
		require.NotEmpty(t, a.ok(nil, accept, in(map[string]any{"token": token, "name": "New", "password": newPassword})).at("invitationAccept", "errors"))
		require.False(t, a.Store.Login.Query().Where(login.Email("new@people.example")).ExistX(a.sys()))
	})
}

func TestInvitationsStayInTheInvitersReach(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		for name, tc := range map[string]struct {
			v     *tenancy.Viewer
			scope string
			role  string
			code  string
		}{
			"team admin to the organization":   {c.TeamAdmin, c.Org.ID, "ADMIN", "NOT_FOUND"},
			"team admin to a sibling":          {c.TeamAdmin, c.SiblingTeam.ID, "MEMBER", "NOT_FOUND"},
			"to another account":               {a.A.Admin, a.B.Row.ID, "ADMIN", "NOT_FOUND"},
			"to another account's team":        {a.A.Admin, a.B.Console.Team.ID, "MEMBER", "NOT_FOUND"},
			"to nothing":                       {a.A.Admin, "team_nothing", "MEMBER", "NOT_FOUND"},
			"account admin to the platform":    {a.A.Admin, id.PlatformID, "ADMIN", "NOT_FOUND"},
			"plane admin to the account":       {c.Admin, a.A.Row.ID, "ADMIN", "NOT_FOUND"},
			"plane admin to the other plane":   {c.Admin, a.A.Copilot.Team.ID, "MEMBER", "NOT_FOUND"},
			"super admin to an account":        {a.SuperAdmin, a.A.Row.ID, "ADMIN", "NOT_FOUND"},
			"member of an organization":        {c.OrgAdmin, c.Org.ID, "MEMBER", "INVALID"},
			"admin of a seat":                  {c.OrgAdmin, c.Member.ID, "ADMIN", "FORBIDDEN"},
			"an own team":                      {c.TeamAdmin, c.Team.ID, "ADMIN", ""},
			"the platform, by its super admin": {a.SuperAdmin, id.PlatformID, "ADMIN", ""},
		} {
			out := a.do(tc.v, invite, in(map[string]any{"scopeId": tc.scope, "role": tc.role, "emails": []string{strings.ReplaceAll(strings.ReplaceAll(name, " ", "."), ",", "") + "@x.example"}}))
			got := out.code()
			if code, ok := out.at("invitationCreate", "errors", 0, "code").(string); ok {
				got = code
			}
			require.Equal(t, tc.code, got, "%s: %+v %+v", name, out.Data, out.Errors)
		}
		require.Equal(t, "FORBIDDEN", a.do(c.Seat, invite, in(map[string]any{"scopeId": c.Team.ID, "role": "ADMIN", "emails": []string{"a@b.example"}})).code(), "members invite nobody")
		for name, bad := range map[string]map[string]any{
			"no address": {"emails": []string{}}, "an address that isn't one": {"emails": []string{"a@b.example", "not"}},
			"too many": {"emails": make([]string, 101)}, "a name for two": {"emails": []string{"a@b.example", "c@b.example"}, "name": "N"},
			"days": {"emails": []string{"a@b.example"}, "expiresInDays": 31}, "no days": {"emails": []string{"a@b.example"}, "expiresInDays": 0},
		} {
			bad["scopeId"], bad["role"] = c.Team.ID, "MEMBER"
			n := a.Store.Invitation.Query().CountX(a.sys())
			require.Equal(t, "INVALID", a.ok(c.TeamAdmin, invite, in(bad)).at("invitationCreate", "errors", 0, "code"), name)
			require.Equal(t, n, a.Store.Invitation.Query().CountX(a.sys()), "nothing half done")
		}
		// The platform's own invitation makes staff.
		a.browser("192.0.2.7")
		token := a.invited(a.SuperAdmin, id.PlatformID, "VIEWER", "auditor@staff.example")
		out := a.ok(nil, accept, in(map[string]any{"token": token, "name": "Auditor", "password": newPassword}))
		require.Equal(t, "platform", out.at("invitationAccept", "viewer", "account", "slug"), "%+v", out.Data)
	})
}

func TestInvitationsAreSentAgainAndTakenBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		first := a.invited(c.TeamAdmin, c.Team.ID, "MEMBER", "new@people.example")
		row := a.Store.Invitation.Query().Where(invitation.Email("new@people.example")).OnlyX(a.sys())
		twice := a.ok(c.TeamAdmin, invite, in(map[string]any{"scopeId": c.Team.ID, "role": "MEMBER", "emails": []string{"new@people.example"}}))
		require.Equal(t, "EXISTS", twice.at("invitationCreate", "errors", 0, "code"))
		const again = `mutation($i: InvitationResendInput!) { invitationResend(input: $i) { invitation { link } errors { code } } }`
		const back = `mutation($i: InvitationRevokeInput!) { invitationRevoke(input: $i) { invitation { state } errors { code } } }`
		for _, v := range []*tenancy.Viewer{c.SiblingTeamAdmin, c.SiblingOrgAdmin, a.B.Admin, a.A.Copilot.Admin, a.SuperAdmin} {
			foreign := a.ok(v, again, in(map[string]any{"invitationId": row.ID}))
			require.Equal(t, a.ok(v, again, in(map[string]any{"invitationId": "inv_nothing"})), foreign)
			require.Equal(t, "NOT_FOUND", foreign.at("invitationResend", "errors", 0, "code"))
		}
		second := tokenOf(t, a.ok(c.TeamAdmin, again, in(map[string]any{"invitationId": row.ID})).at("invitationResend", "invitation", "link"))
		require.Nil(t, a.ok(nil, look, map[string]any{"t": first}).at("invitation"), "the old link is refused")
		require.NotNil(t, a.ok(nil, look, map[string]any{"t": second}).at("invitation"))
		require.Equal(t, "REVOKED", a.ok(c.OrgAdmin, back, in(map[string]any{"invitationId": row.ID})).at("invitationRevoke", "invitation", "state"))
		require.Nil(t, a.ok(nil, look, map[string]any{"t": second}).at("invitation"))
		require.Equal(t, "INVALID", a.ok(c.OrgAdmin, again, in(map[string]any{"invitationId": row.ID})).at("invitationResend", "errors", 0, "code"))

		// An inviter who is refused takes their open invitations along.
		token := a.invited(c.TeamAdmin, c.Team.ID, "MEMBER", "later@people.example")
		a.ok(a.A.Admin, `mutation($i: UserDeactivateInput!) { userDeactivate(input: $i) { user { status } errors { code } } }`, in(map[string]any{"userId": c.TeamAdmin.UserID}))
		require.Nil(t, a.ok(nil, look, map[string]any{"t": token}).at("invitation"))

		const list = `query($id: ID!, $s: InvitationState) { access(scopeId: $id) { invitations(state: $s, first: 10) { totalCount edges { node { email state } } } } }`
		open := a.ok(c.OrgAdmin, list, map[string]any{"id": c.Org.ID, "s": "REVOKED"})
		require.EqualValues(t, 3, open.at("access", "invitations", "totalCount"), "the tree's own, by the same inviter, among them")
	})
}

func TestGuessingLinksIsSlowed(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	a.browser("198.51.100.9")
	slowed := 0
	for range 30 {
		if a.do(nil, look, map[string]any{"t": "guess"}).code() == "RATE_LIMITED" {
			slowed++
		}
	}
	require.Positive(t, slowed)
	a.browser("198.51.100.10")
	require.Empty(t, a.do(nil, look, map[string]any{"t": "guess"}).code(), "others aren't")
}

func TestInvitationsGoByMail(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Settings{TLS: mail.StartTLS, User: "cockpit", Password: "s3cret"})
	each(t, func(t *testing.T, a *api) {
		o := srv.Options()
		m, err := mail.New(o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, m.Close(context.Background())) })
		a.resolver.Mailer, a.resolver.URL = m, "https://cockpit.example"
		c := a.A.Console
		evil := "<b>Eve</b>\r\nBcc: all@example.com"
		out := a.ok(c.TeamAdmin, invite, in(map[string]any{"scopeId": c.Team.ID, "role": "MEMBER", "emails": []string{"ada@people.example"}, "name": evil}))
		require.Equal(t, "QUEUED", out.at("invitationCreate", "invitations", 0, "invitation", "mail"))
		l := srv.Next()
		for l.To[0] != "ada@people.example" {
			l = srv.Next() // of the other database's test
		}
		require.Empty(t, l.Header(t, "Bcc"))
		text, html := l.Bodies(t)
		require.NotContains(t, html, "<b>Eve")
		require.Contains(t, text, "to be a member of Banking / Risk at")
		require.Contains(t, text, "https://cockpit.example/invitation#")
		state := func(email string) string {
			return string(a.Store.Invitation.Query().Where(invitation.Email(email)).OnlyX(a.sys()).Mail)
		}
		require.Eventually(t, func() bool { return state("ada@people.example") == "SENT" }, 30*time.Second, 20*time.Millisecond)
		a.ok(c.TeamAdmin, invite, in(map[string]any{"scopeId": c.Team.ID, "role": "MEMBER", "emails": []string{"nobody@people.example"}}))
		require.Eventually(t, func() bool { return state("nobody@people.example") == "FAILED" }, 30*time.Second, 20*time.Millisecond)
		require.Contains(t, a.Store.Invitation.Query().Where(invitation.Email("nobody@people.example")).OnlyX(a.sys()).MailError, "550")
	})
}
