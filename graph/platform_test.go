package graph

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/supportaccess"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/policies"
)

// jar is the browser's cookie.
type jar struct {
	token   string
	cleared bool
}

func (a *api) withJar() *jar {
	j := &jar{}
	a.cookies = &Cookies{Set: func(token string) { j.token = token }, Clear: func() { j.token, j.cleared = "", true }, From: identity.Client{IP: "203.0.113.7"}}
	return j
}

// present asks who a token stands for by now.
func (a *api) present(token string) *tenancy.Viewer {
	a.t.Helper()
	var v *tenancy.Viewer
	require.Eventually(a.t, func() (ok bool) {
		var err error
		v, err = a.Sessions.Viewer(context.Background(), token)
		return err == nil
	}, 20*time.Second, 5*time.Millisecond)
	return v
}

// gone waits until a token stands for nobody.
func (a *api) gone(token string) {
	a.t.Helper()
	require.Eventually(a.t, func() bool {
		_, err := a.Sessions.Viewer(context.Background(), token)
		return err == identity.ErrNoSession //nolint:errorlint // the very one
	}, 20*time.Second, 5*time.Millisecond)
}

// auditor is somebody of the platform who only looks.
func (a *api) auditor() *tenancy.Viewer {
	a.t.Helper()
	token := secret.Token()
	ctx := identitytest.System(a.t)
	require.NoError(a.t, a.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: id.PlatformID, Email: "auditor@platform.example", Name: "Auditor"})
		if err != nil {
			return err
		}
		tx.Session.Create().SetAccountID(id.PlatformID).SetPlane(session.PlanePLATFORM).SetUserID(u.ID).SetTokenHash(secret.Hash(token)).
			SetLastSeenAt(a.Store.Now()).SetExpiresAt(a.Store.Now().Add(time.Hour)).SaveX(ctx)
		return identity.BindRole(ctx, tx, u, tx.Scope.GetX(ctx, id.PlatformID), tenancy.Auditor)
	}))
	return a.present(token)
}

func (a *api) enter(account *identitytest.Account, writes bool) (*jar, *tenancy.Viewer) {
	a.t.Helper()
	j := a.withJar()
	out := a.ok(a.SuperAdmin, `mutation($i: SupportAccessStartInput!) { supportAccessStart(input: $i) {
		supportAccess { id active writes staffName account { id } } viewer { name isPlatformStaff permissions account { id } support { reason } user { id } } errors { message } } }`,
		map[string]any{"i": map[string]any{"accountId": account.Row.ID, "reason": "Ticket 4711 asks for help", "minutes": 30, "writes": writes}})
	require.Empty(a.t, out.at("supportAccessStart", "errors"))
	require.Equal(a.t, account.Row.ID, out.at("supportAccessStart", "viewer", "account", "id"))
	require.Equal(a.t, account.Row.ID, out.at("supportAccessStart", "supportAccess", "account", "id"))
	require.Equal(a.t, "Ticket 4711 asks for help", out.at("supportAccessStart", "viewer", "support", "reason"))
	require.Equal(a.t, false, out.at("supportAccessStart", "viewer", "isPlatformStaff"))
	require.Nil(a.t, out.at("supportAccessStart", "viewer", "user"))
	return j, a.present(j.token)
}

// content is all that an account holds, but for what reading leaves behind.
func (a *api) content(accountID string) map[string]string {
	a.t.Helper()
	var archive bytes.Buffer
	require.NoError(a.t, identity.Export(a.t.Context(), a.Store, accountID, &archive, func() error { return nil }))
	z, err := zip.NewReader(bytes.NewReader(archive.Bytes()), int64(archive.Len()))
	require.NoError(a.t, err)
	out := map[string]string{}
	for _, f := range z.File {
		switch f.Name {
		case "tables/audit_events.ndjson", "tables/sessions.ndjson", "tables/accounts.ndjson", "tables/nodes.ndjson", "manifest.json":
			continue
		}
		r, err := f.Open()
		require.NoError(a.t, err)
		text, err := io.ReadAll(r)
		require.NoError(a.t, err)
		out[f.Name] = string(text)
	}
	return out
}

// first is the id of an account's first row of a table.
func (a *api) first(accountID, table string) string {
	for _, r := range identitytest.Rows(a.t, a.Store)[table] {
		if r.AccountID == accountID {
			return r.ID
		}
	}
	return ""
}

// sample makes a value for an input: ids are those of the account's own things.
func (a *api) sample(acc *identitytest.Account, field string, t *ast.Type) any {
	if t.Elem != nil {
		return []any{a.sample(acc, field, t.Elem)}
	}
	p := acc.Console
	copilot := func(table string) string {
		return a.first(acc.Row.ID, table)
	}
	ids := map[string]string{
		"accountId": acc.Row.ID, "scopeId": p.Team.ID, "teamId": p.Team.ID, "organizationId": p.Org.ID, "memberId": p.Member.ID, "keyId": p.Key.ID,
		"ownerId": p.Team.ID, "userId": p.Seat.UserID, "budgetId": p.Budgets[p.Team.ID].ID, "modelId": p.Model.ID, "modelIds": p.Model.ID,
		"providerId": p.Provider.ID, "catalogModelId": a.CatalogModel.ID, "toTeamId": p.SiblingTeam.ID, "planeId": p.Root.ID,
		"agentId": copilot("agents"), "connectionId": copilot("connections"), "toolId": copilot("tools"), "presetId": copilot("guardrail_presets"), "listingId": copilot("listings"), "resourceId": p.Model.ID,
		"supportAccessId": a.Store.SupportAccess.Query().Where(supportaccess.AccountID(acc.Row.ID)).FirstIDX(identitytest.System(a.t)),
	}
	def := Schema().Types[t.Name()]
	switch {
	case t.Name() == "ID":
		if known, ok := ids[field]; ok {
			return known
		}
		return id.New(id.User)
	case t.Name() == "Int" || t.Name() == "Long":
		return 30
	case t.Name() == "Boolean":
		return true
	case t.Name() == "DateTime":
		return a.Store.Now().Add(time.Hour).Format(time.RFC3339)
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		out := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull || strings.HasSuffix(f.Name, "Id") {
				out[f.Name] = a.sample(acc, f.Name, f.Type)
			}
		}
		return out
	case t.Name() == "USD" || t.Name() == "Credits" || t.Name() == "Amount":
		return "1"
	case strings.Contains(strings.ToLower(field), "email"):
		return "somebody@example.com"
	}
	return "sample of ten characters"
}

// mutate calls a mutation with inputs that could work.
func (a *api) mutate(v *tenancy.Viewer, acc *identitytest.Account, f *ast.FieldDefinition) answer {
	a.t.Helper()
	args := f.Arguments.ForName("input")
	if args == nil {
		return a.do(v, "mutation { "+f.Name+" { errors { code } } }", nil)
	}
	return a.do(v, "mutation($i: "+args.Type.String()+") { "+f.Name+"(input: $i) { errors { code message } } }", map[string]any{"i": a.sample(acc, f.Name, args.Type)})
}

func mutations() ast.FieldList {
	return slices.DeleteFunc(slices.Clone(Schema().Mutation.Fields), func(f *ast.FieldDefinition) bool { return strings.HasPrefix(f.Name, "__") })
}

// Staff who may only read change nothing, whatever they call: every mutation of
// the schema is tried, a new one too.
func TestSupportThatReadsChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		_, v := a.enter(a.A, false)
		a.A.Row = a.Store.Account.GetX(identitytest.System(t), a.A.Row.ID)
		before, account := a.content(a.A.Row.ID), *a.A.Row
		sessions := a.Store.Session.Query().CountX(identitytest.System(t))
		tried := 0
		for _, f := range mutations() {
			if a.mutate(nil, a.A, f).code() != "UNAUTHENTICATED" {
				continue // open to everybody, and about nobody who is signed in
			}
			if f.Name == "sessionEnd" || f.Name == "supportAccessEnd" {
				continue // the way out
			}
			out := a.mutate(v, a.A, f)
			require.Equal(t, "FORBIDDEN", out.code(), "%s: %+v %+v", f.Name, out.Errors, out.Data)
			tried++
		}
		require.Greater(t, tried, 50)
		require.Equal(t, before, a.content(a.A.Row.ID))
		require.Equal(t, account.Version, a.Store.Account.GetX(identitytest.System(t), account.ID).Version)
		require.Equal(t, sessions, a.Store.Session.Query().CountX(identitytest.System(t)))
	})
}

// A platform auditor changes nothing of anybody but themselves.
func TestPlatformAuditorChangesNothing(t *testing.T) {
	t.Parallel()
	text, err := policies.FS.ReadFile("coverage.json")
	require.NoError(t, err)
	var coverage struct{ Fields map[string]string }
	require.NoError(t, json.Unmarshal(text, &coverage))
	each(t, func(t *testing.T, a *api) {
		a.probe = func(string, string) ([]string, error) { return nil, nil }
		v := a.auditor()
		a.A.Row = a.Store.Account.GetX(identitytest.System(t), a.A.Row.ID)
		before, platform := a.content(a.A.Row.ID), a.content(id.PlatformID)
		tried := 0
		for _, f := range mutations() {
			switch coverage.Fields["Mutation."+f.Name] {
			case "person", "viewer", "public":
				continue // their own things
			}
			out := a.mutate(v, a.A, f)
			if code := out.at(f.Name, "errors", 0, "code"); code != "NOT_FOUND" { // of what they don't see
				require.Equal(t, "FORBIDDEN", out.code(), "%s: %+v %+v", f.Name, out.Errors, out.Data)
			}
			tried++
		}
		require.Greater(t, tried, 50)
		require.Equal(t, before, a.content(a.A.Row.ID))
		require.Equal(t, platform, a.content(id.PlatformID))
		require.Equal(t, a.A.Row.Version, a.Store.Account.GetX(identitytest.System(t), a.A.Row.ID).Version)
	})
}

// With writes, staff do what admins do, and nothing that people alone may do.
func TestSupportThatWritesIsNoAdmin(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		_, v := a.enter(a.A, true)
		out := a.ok(v, `mutation($i: AccountUpdateInput!) { accountUpdate(input: $i) { account { name } errors { message } } }`, map[string]any{"i": map[string]any{"name": "Renamed"}})
		require.Equal(t, "Renamed", out.at("accountUpdate", "account", "name"))
		e := a.Store.AuditEvent.Query().Where(auditevent.AccountID(a.A.Row.ID), auditevent.Action("account.update")).OnlyX(identitytest.System(t))
		require.Equal(t, auditevent.ViaKindSUPPORT, e.ViaKind)
		require.Equal(t, a.SuperAdmin.UserID, e.ActorID)
		for _, name := range []string{
			"accountCreate", "accountPlanesSet", "accountDispatchSet", "accountSuspend", "accountResume", "accountClose", "accountDelete", "domainApprove", "supportAccessStart", "supportAccessEnter",
			"sessionSwitch", "sessionRevoke", "userSessionsRevoke", "passwordSet", "personalTokenCreate", "personalTokenRevoke", "authorizationApprove", "authorizationRevoke",
			"catalogModelCreate", "centralProviderCreate",
		} {
			f := Schema().Mutation.Fields.ForName(name)
			require.NotNil(t, f, name)
			require.Equal(t, "FORBIDDEN", a.mutate(v, a.A, f).code(), name)
		}
		for _, r := range a.ok(v, `{ account { viewerCan { action allowed } } }`, nil).at("account", "viewerCan").([]any) {
			can := r.(map[string]any)
			switch can["action"] {
			case "account.close", "account.export", "domain.configure", "domain.approve", "signIn.configure", "serviceClient.manage", "webhook.manage", "support.start", "support.end", "account.planes", "account.dispatch", "account.suspend":
				require.Equal(t, false, can["allowed"], can["action"])
			}
		}
	})
}

// In one account, staff see nothing of another one.
func TestSupportSeesOneAccountAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		_, v := a.enter(a.A, true)
		seen := 0
		for table, rows := range identitytest.Rows(t, a.Store) {
			for _, r := range rows {
				out := a.do(v, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": r.ID})
				if r.AccountID != a.A.Row.ID && table != "catalog_models" && !slices.Contains(a.Offered[r.ID], a.A.Row.ID) {
					require.Nil(t, out.at("node"), "%s %s of %s", table, r.ID, r.AccountID)
				} else if out.at("node") != nil {
					seen++
				}
			}
		}
		require.Greater(t, seen, 20)
		out := a.ok(v, `query($b: ID!) { console(accountId: $b) { id } copilot(accountId: $b) { id } account(id: $b) { id } own: console { id } }`, map[string]any{"b": a.B.Row.ID})
		for _, field := range []string{"console", "copilot", "account"} {
			require.Nil(t, out.at(field), field)
		}
		require.Equal(t, a.A.Console.Root.ID, out.at("own", "id"))
		require.Equal(t, "FORBIDDEN", a.do(v, `{ platform { accounts(first: 1) { totalCount } } }`, nil).code())
		before := a.content(a.B.Row.ID)
		for _, f := range mutations() {
			if f.Name == "sessionEnd" || a.mutate(nil, a.B, f).code() != "UNAUTHENTICATED" {
				continue
			}
			a.mutate(v, a.B, f)
		}
		require.Equal(t, before, a.content(a.B.Row.ID), "mutations with the other account's ids change nothing there")
	})
}

// Without a support access, staff see settings and sums of an account: naming
// it anywhere opens nothing else.
func TestStaffEnterThroughSupportAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		open := []string{"id", "name", "kind", "location", "viewerCan", "slug", "status", "timeZone", "planes", "creditFactor", "userCount", "createdAt",
			"statusReason", "closedAt", "deletedAt", "ssoEnforced", "sessionIdleMinutes", "sessionLifetimeMinutes", "auditRetentionDays", "strictDispatch", "version",
			"supportAccesses", "creditFactors", "spend", "pool", "root", "budget", "parentId", "plane", "deletingAt",
			"domains"} // of which staff see the verified ones
		for name, v := range map[string]*tenancy.Viewer{"super admin": a.SuperAdmin, "platform auditor": a.auditor()} {
			for _, f := range Schema().Types["Account"].Fields {
				if strings.HasPrefix(f.Name, "__") || slices.Contains(open, f.Name) {
					continue
				}
				args := ""
				if f.Arguments.ForName("first") != nil {
					args = "(first: 10)"
				}
				if f.Arguments.ForName("filter") != nil && f.Arguments.ForName("filter").Type.NonNull {
					args = "(filter: {})"
				}
				selection := ""
				if strings.HasSuffix(f.Type.Name(), "Connection") {
					selection = "{ edges { cursor } }"
				} else if Schema().Types[f.Type.Name()].Kind == ast.Object {
					selection = "{ __typename }"
				}
				out := a.do(v, "query($id: ID!) { account(id: $id) { "+f.Name+args+selection+" } }", map[string]any{"id": a.A.Row.ID})
				if edges, ok := out.at("account", f.Name, "edges").([]any); ok {
					require.Empty(t, edges, "%s: Account.%s", name, f.Name)
					continue
				}
				require.Nil(t, out.at("account", f.Name), "%s: Account.%s", name, f.Name)
			}
			// Every root field that takes an id, with all that the account has.
			p := a.A.Console
			for _, f := range Schema().Query.Fields {
				for _, arg := range f.Arguments {
					if arg.Type.Name() != "ID" || f.Name == "account" {
						continue
					}
					for _, given := range []string{a.A.Row.ID, p.Root.ID, p.Org.ID, p.Team.ID, p.Member.ID, p.Key.ID, p.Model.ID, p.Provider.ID, p.Seat.UserID} {
						if f.Name == "node" && (given == a.A.Row.ID || given == p.Root.ID) {
							continue // whose money they see; TestStaffSeeThePoolAlone has the rest
						}
						more := ""
						for _, other := range f.Arguments {
							if other.Type.NonNull && other.Name != arg.Name {
								more = "skip"
							}
						}
						if more == "skip" {
							continue
						}
						out := a.do(v, "query($id: ID!) { "+f.Name+"("+arg.Name+": $id) { __typename } }", map[string]any{"id": given})
						require.Nil(t, out.at(f.Name), "%s: %s(%s: %s)", name, f.Name, arg.Name, given)
					}
				}
			}
			for _, sub := range []string{`subscription($s: ID!) { budgetBurn(scopeId: $s, descendants: true) { __typename } }`, `subscription($s: ID!) { auditEvents(scopeId: $s, after: 0) { action } }`} {
				f := next(t, a.socketTo(v, sub, map[string]any{"s": a.A.Row.ID}))
				require.NotEqual(t, "next", f.Type, "%s: %s: %+v", name, sub, f.Payload)
			}
		}
	})
}

// The account sees who of the platform came in, when and why, and ends it.
func TestTheAccountEndsASupportAccess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		j, v := a.enter(a.A, false)
		list := `{ account { supportAccesses(first: 10) { totalCount edges { node { id reason staffName staffEmail active endedByName account { id } } } } } }`
		out := a.ok(a.A.Admin, list, nil)
		mine := out.at("account", "supportAccesses", "edges", 0, "node").(map[string]any)
		require.Equal(t, v.SupportID, mine["id"], "the newest first")
		require.Equal(t, true, mine["active"])
		end := `mutation($i: SupportAccessEndInput!) { supportAccessEnd(input: $i) { supportAccess { active endedByName } viewer { name } errors { code } } }`
		input := map[string]any{"i": map[string]any{"supportAccessId": v.SupportID}}
		for name, other := range map[string]*tenancy.Viewer{"another account's admin": a.B.Admin, "a member": a.A.Console.Seat, "a plane's admin": a.A.Console.Admin} {
			out := a.do(other, end, input)
			require.True(t, out.code() == "FORBIDDEN" || out.at("supportAccessEnd", "errors", 0, "code") == "NOT_FOUND", "%s: %+v", name, out)
		}
		a.withJar()
		out = a.ok(a.A.Admin, end, input)
		require.Equal(t, false, out.at("supportAccessEnd", "supportAccess", "active"))
		require.Equal(t, "admin", out.at("supportAccessEnd", "supportAccess", "endedByName"))
		require.Nil(t, out.at("supportAccessEnd", "viewer"))
		a.gone(j.token)
		require.Equal(t, "INVALID", a.ok(a.A.Admin, end, input).at("supportAccessEnd", "errors", 0, "code"))

		// And the one inside leaves by themselves, with a session of their own.
		j, v = a.enter(a.B, false)
		inside := j.token
		out = a.ok(v, end, map[string]any{"i": map[string]any{"supportAccessId": v.SupportID}})
		require.Equal(t, "super", out.at("supportAccessEnd", "viewer", "name"))
		require.NotEqual(t, inside, j.token)
		require.True(t, a.present(j.token).Platform)
		a.gone(inside)

		// The platform lists them all.
		all := a.ok(a.SuperAdmin, `{ platform { supportAccesses(first: 10) { totalCount edges { node { account { name } } } } } }`, nil)
		require.GreaterOrEqual(t, len(all.at("platform", "supportAccesses", "edges").([]any)), 2)
	})
}

func TestAccountsByTheAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		create := `mutation($i: AccountCreateInput!) { accountCreate(input: $i) { account { id slug planes status } invitation { link invitation { email role state } } errors { code path } } }`
		input := map[string]any{"name": "Gamma", "slug": "gamma", "planes": []string{"COPILOT"}, "adminEmail": "Grace@Gamma.example", "adminName": "Grace"}
		require.Equal(t, "FORBIDDEN", a.do(a.A.Admin, create, map[string]any{"i": input}).code())
		out := a.ok(a.SuperAdmin, create, map[string]any{"i": input})
		accountID := out.at("accountCreate", "account", "id").(string)
		require.Equal(t, []any{"COPILOT"}, out.at("accountCreate", "account", "planes"))
		require.Equal(t, "grace@gamma.example", out.at("accountCreate", "invitation", "invitation", "email"))
		require.Regexp(t, `/invitation#[\w-]+$`, out.at("accountCreate", "invitation", "link"))
		require.Equal(t, "EXISTS", a.ok(a.SuperAdmin, create, map[string]any{"i": input}).at("accountCreate", "errors", 0, "code"))

		list := func(args string) int {
			return len(a.ok(a.SuperAdmin, `{ platform { accounts(first: 10, `+args+`) { totalCount edges { node { id } } } } }`, nil).at("platform", "accounts", "edges").([]any))
		}
		require.Equal(t, 1, list(`search: "GAMM"`))
		require.Equal(t, 0, list(`search: "%"`))
		require.Equal(t, 3, list(`status: ACTIVE`))
		act := func(name, input string) answer {
			return a.ok(a.SuperAdmin, `mutation { `+name+`(input: {accountId: "`+accountID+`"`+input+`}) { account { status statusReason closedAt planes strictDispatch } errors { code message } } }`, nil)
		}
		require.Equal(t, "SUSPENDED", act("accountSuspend", `, reason: "unpaid"`).at("accountSuspend", "account", "status"))
		require.Equal(t, 1, list(`status: SUSPENDED`))
		require.Equal(t, "ACTIVE", act("accountResume", "").at("accountResume", "account", "status"))
		require.Len(t, act("accountPlanesSet", ", planes: [CONSOLE, COPILOT]").at("accountPlanesSet", "account", "planes"), 2)
		require.Equal(t, true, act("accountDispatchSet", ", strict: true").at("accountDispatchSet", "account", "strictDispatch"))
		require.Equal(t, false, act("accountDispatchSet", ", strict: false").at("accountDispatchSet", "account", "strictDispatch"))
		require.Equal(t, 2, a.Store.AuditEvent.Query().Where(auditevent.AccountID(accountID), auditevent.Action("account.dispatch")).CountX(identitytest.System(t)))
		require.Equal(t, "FORBIDDEN", a.do(a.B.Admin, `mutation { accountDispatchSet(input: {accountId: "`+a.B.Row.ID+`", strict: true}) { errors { code } } }`, nil).code())
		require.Equal(t, "INVALID", act("accountClose", `, confirm: "gamma", reason: "over"`).at("accountClose", "errors", 0, "code"))
		require.Equal(t, "CLOSED", act("accountClose", `, confirm: "Gamma", reason: "over"`).at("accountClose", "account", "status"))
		require.Empty(t, act("accountDelete", `, confirm: "Gamma"`).at("accountDelete", "errors"))

		update := `mutation($i: AccountUpdateInput!) { accountUpdate(input: $i) { account { name version sessionIdleMinutes } errors { code ... on ConflictError { currentVersion } } } }`
		out = a.ok(a.B.Admin, update, map[string]any{"i": map[string]any{"name": "Beta Inc", "sessionIdleMinutes": 60, "expectedVersion": a.B.Row.Version}})
		require.Equal(t, "Beta Inc", out.at("accountUpdate", "account", "name"))
		out = a.ok(a.SuperAdmin, update, map[string]any{"i": map[string]any{"accountId": a.B.Row.ID, "name": "X", "expectedVersion": a.B.Row.Version}})
		require.Equal(t, "CONFLICT", out.at("accountUpdate", "errors", 0, "code"))
		out = a.ok(a.A.Admin, update, map[string]any{"i": map[string]any{"accountId": a.B.Row.ID, "name": "Mine"}})
		require.Equal(t, "NOT_FOUND", out.at("accountUpdate", "errors", 0, "code"), "as one that doesn't exist")
		require.Equal(t, "FORBIDDEN", a.do(a.A.Console.Admin, update, map[string]any{"i": map[string]any{"name": "Mine"}}).code())

		approve := `mutation($i: DomainApproveInput!) { domainApprove(input: $i) { domain { name verified verifiedBy } errors { code } } }`
		domain := map[string]any{"i": map[string]any{"accountId": a.A.Row.ID, "domain": "alpha.example", "reason": "contract"}}
		require.Equal(t, "FORBIDDEN", a.do(a.A.Admin, approve, domain).code())
		require.Equal(t, "FORBIDDEN", a.do(a.auditor(), approve, domain).code())
	})
}

// The platform sees how its own log stands, and of a customer's domains those
// that are the customer's; no more.
func TestPlatformSeesVerifiedDomainsAndItsOwnCheckpoints(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.write(func(ctx context.Context, tx *store.Tx) error {
			for name, verified := range map[string]bool{"owned.example": true, "hoped.example": false} {
				c := tx.Domain.Create().SetAccountID(a.A.Row.ID).SetPlane("ACCOUNT").SetName(name).SetToken("t")
				if verified {
					c.SetVerifiedName(name).SetVerifiedAt(tx.Now()).SetVerifiedBy("OPERATOR")
				}
				c.ExecX(ctx)
			}
			tx.AuditCheckpoint.Create().SetAccountID(id.PlatformID).SetPlane("PLATFORM").SetSeq(7).SetHash("ab").SetAt(tx.Now()).SetSignature("s").SetSigningKeyID("k").ExecX(ctx)
			tx.AuditCheckpoint.Create().SetAccountID(a.A.Row.ID).SetPlane("ACCOUNT").SetSeq(9).SetHash("cd").SetAt(tx.Now()).SetSignature("s").SetSigningKeyID("k").ExecX(ctx)
			return nil
		})
		const domains = `query($id: ID!) { account(id: $id) { deletingAt domains(first: 50) { totalCount edges { node { name verified } } } } }`
		names := func(v *tenancy.Viewer) (out []string) {
			edges, _ := a.ok(v, domains, map[string]any{"id": a.A.Row.ID}).at("account", "domains", "edges").([]any)
			for _, e := range edges {
				out = append(out, e.(map[string]any)["node"].(map[string]any)["name"].(string))
			}
			return out
		}
		require.Contains(t, names(a.SuperAdmin), "owned.example")
		require.NotContains(t, names(a.SuperAdmin), "hoped.example")
		require.Contains(t, names(a.A.Admin), "hoped.example")
		require.Nil(t, a.do(a.B.Admin, domains, map[string]any{"id": a.A.Row.ID}).at("account"))
		require.NotEmpty(t, a.do(a.A.Console.OrgAdmin, domains, map[string]any{"id": a.A.Row.ID}).Errors)

		const checkpoints = `{ platform { auditCheckpoints(first: 5) { totalCount edges { node { seq } } } } }`
		out := a.ok(a.SuperAdmin, checkpoints, nil)
		require.Equal(t, []any{2.0, 7.0}, []any{out.at("platform", "auditCheckpoints", "totalCount"), out.at("platform", "auditCheckpoints", "edges", 0, "node", "seq")})
		require.NotEmpty(t, a.do(a.A.Admin, checkpoints, nil).Errors)
		out = a.do(a.SuperAdmin, `query($id: ID!) { account(id: $id) { auditCheckpoints(first: 5) { edges { node { seq } } } } }`, map[string]any{"id": a.A.Row.ID})
		require.NotEmpty(t, out.Errors, "a customer's are the customer's")
		out = a.ok(a.A.Admin, `{ account { auditCheckpoints(first: 5) { edges { node { seq } } } } }`, nil)
		require.EqualValues(t, 9, out.at("account", "auditCheckpoints", "edges", 0, "node", "seq"))
	})
}

func TestDeletionTellsHowFarItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		const read = `query($id: ID!) { account(id: $id) { status closedAt deletingAt deletedAt } }`
		at := func() (out []bool) {
			got := a.ok(a.SuperAdmin, read, map[string]any{"id": a.A.Row.ID})
			for _, f := range []string{"closedAt", "deletingAt", "deletedAt"} {
				out = append(out, got.at("account", f) != nil)
			}
			return out
		}
		require.Equal(t, []bool{false, false, false}, at())
		a.ok(a.SuperAdmin, `mutation($i: AccountCloseInput!) { accountClose(input: $i) { errors { message } } }`, map[string]any{"i": map[string]any{"accountId": a.A.Row.ID, "confirm": a.A.Row.Name, "reason": "over"}})
		require.Equal(t, []bool{true, false, false}, at())
		a.ok(a.SuperAdmin, `mutation($i: AccountDeleteInput!) { accountDelete(input: $i) { errors { message } } }`, map[string]any{"i": map[string]any{"accountId": a.A.Row.ID, "confirm": a.A.Row.Name}})
		require.Equal(t, []bool{true, true, false}, at())
		require.NoError(t, (&identity.Eraser{Store: a.Store, Log: slog.New(slog.DiscardHandler)}).Erase(t.Context()))
		require.Equal(t, []bool{true, true, true}, at())
	})
}
