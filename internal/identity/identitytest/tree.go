// Package identitytest plants the tree that tests of the walls walk: two
// accounts alike, each with both planes, people of every rank, and at least one
// row in every table of the schema.
package identitytest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/budgetlease"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/centralprovider"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/creditfactor"
	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/groupmapping"
	"github.com/alchemi/cockpit/ent/hold"
	"github.com/alchemi/cockpit/ent/idempotencykey"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/node"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/ent/provider"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Trees is the platform with its two accounts.
type Trees struct {
	Store    *store.Store
	Epochs   *store.Epochs
	Sessions *identity.Sessions
	// SuperAdmin is staff: a user of the platform account with ADMIN at "/".
	SuperAdmin *tenancy.Viewer
	// CatalogModel is offered to all accounts; Draft isn't offered yet.
	CatalogModel, Draft *ent.CatalogModel
	// Offered names the accounts that rows of the platform's marketplace are
	// offered to, by the rows' ids.
	Offered map[string][]string
	// Program is the platform's own; people of both accounts let it act for them.
	Program *ent.ServiceClient
	A, B    *Account
}

// Account is one customer with everything below.
type Account struct {
	Row              *ent.Account
	Root             *ent.Scope
	Admin            *tenancy.Viewer
	Nobody           *tenancy.Viewer // a user without any role or seat
	IdentityProvider *ent.IdentityProvider
	Support          *ent.SupportAccess // of SuperAdmin, with a session
	Console, Copilot *Plane
}

// Plane is one subtree with two organizations, the first with two teams, and
// somebody of every rank.
type Plane struct {
	Root                         *ent.Scope
	Org, SiblingOrg              *ent.Scope
	Team, SiblingTeam, OtherTeam *ent.Scope // OtherTeam lies in SiblingOrg
	Member                       *ent.Scope // in Team
	Model                        *ent.Model
	Provider                     *ent.Provider // in Console
	Budgets                      map[string]*ent.Budget
	Key                          *ent.Key
	// Token is Key's secret.
	Token string
	// KeyScope is Key's node below Member.
	KeyScope *ent.Scope

	Admin, OrgAdmin, SiblingOrgAdmin, TeamAdmin, SiblingTeamAdmin, Seat *tenancy.Viewer
}

// Ctx binds a viewer to the test's context.
func Ctx(t testing.TB, v *tenancy.Viewer) context.Context {
	t.Helper()
	return tenancy.WithViewer(t.Context(), v)
}

// System is a context that passes the guard.
func System(t testing.TB) context.Context {
	t.Helper()
	return tenancy.System(t.Context(), "a test looks past the guard")
}

// Tree plants both accounts; it fails where a table of the schema has no row.
func Tree(t testing.TB, st *store.Store) *Trees {
	t.Helper()
	ctx := System(t)
	epochs, err := st.WatchEpochs(ctx)
	require.NoError(t, err)
	refusals := audit.NewRefusals(func(ctx context.Context, e audit.Event) error { return nil }, st.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(refusals.Close)
	w := &Trees{Store: st, Epochs: epochs, Sessions: identity.NewSessions(st, epochs, refusals)}
	require.NoError(t, identity.CreatePlatform(ctx, st))

	var tokens []pending
	require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		p := &planter{t: t, ctx: ctx, tx: tx, now: st.Now()}
		root := tx.Scope.GetX(ctx, id.PlatformID)
		p.staff = p.person(id.PlatformID, session.PlanePLATFORM, "super", &w.SuperAdmin, root, tenancy.Admin)
		w.Program = p.platform(root)
		w.CatalogModel, w.Draft = p.catalogue(root)
		w.A, w.B = p.account("alpha", w.CatalogModel), p.account("beta", w.CatalogModel)
		w.Offered = p.marketplace(root, w.A, w.B, w.CatalogModel)
		tokens = p.tokens
		return tx.Audit(ctx, audit.Event{Action: "test.plant", AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopePath: "/"})
	}))
	for _, s := range tokens {
		*s.viewer, err = w.Sessions.Viewer(ctx, s.token)
		for errors.Is(err, identity.ErrStale) { // a busy machine
			time.Sleep(10 * time.Millisecond)
			*s.viewer, err = w.Sessions.Viewer(ctx, s.token)
		}
		require.NoError(t, err)
	}
	for table, rows := range Rows(t, st) {
		require.NotEmpty(t, rows, "table %s has no row in the test tree: plant some in identitytest", table)
	}
	return w
}

// Row is what every row of every table has.
type Row struct{ ID, AccountID, Plane string }

// Rows reads all rows of all tables of the schema, past every wall.
func Rows(t testing.TB, st *store.Store) map[string][]Row {
	t.Helper()
	out := map[string][]Row{}
	for _, table := range migrate.Tables {
		rows, err := st.System().QueryContext(t.Context(), "SELECT id, account_id, plane FROM "+table.Name+" ORDER BY id")
		require.NoError(t, err)
		out[table.Name] = nil
		for rows.Next() {
			var r Row
			require.NoError(t, rows.Scan(&r.ID, &r.AccountID, &r.Plane))
			out[table.Name] = append(out[table.Name], r)
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return out
}

type pending struct {
	viewer **tenancy.Viewer
	token  string
}

type planter struct {
	t      testing.TB
	ctx    context.Context
	tx     *store.Tx
	now    time.Time
	tokens []pending
	// staff is the super admin; program the platform's.
	staff   *ent.User
	program *ent.ServiceClient
}

// person makes a user with a session, and a role where a scope is given.
func (p *planter) person(accountID string, plane session.Plane, name string, into **tenancy.Viewer, at *ent.Scope, role tenancy.RoleName) *ent.User {
	p.t.Helper()
	u, err := identity.CreateUser(p.ctx, p.tx, identity.UserInput{AccountID: accountID, Name: name,
		Email: name + "@" + strings.ToLower(accountID[4:]) + ".example"})
	require.NoError(p.t, err)
	if role == tenancy.Admin || role == tenancy.Auditor {
		require.NoError(p.t, identity.BindRole(p.ctx, p.tx, u, at, role))
	}
	token := secret.Token()
	p.tx.Session.Create().SetAccountID(accountID).SetPlane(plane).SetUserID(u.ID).SetTokenHash(secret.Hash(token)).
		SetLastSeenAt(p.now).SetExpiresAt(p.now.Add(identity.SessionLifetime)).SaveX(p.ctx)
	p.tokens = append(p.tokens, pending{into, token})
	return u
}

func (p *planter) catalogue(root *ent.Scope) (offered, draft *ent.CatalogModel) {
	p.t.Helper()
	central := p.tx.CentralProvider.Create().SetAccountID(id.PlatformID).SetPlane(centralprovider.PlanePLATFORM).
		SetName("Central").SetBaseURL("https://central.example/v1").SaveX(p.ctx)
	create := func(name string, status catalogmodel.Status) *ent.CatalogModel {
		m := p.tx.CatalogModel.Create().SetAccountID(id.PlatformID).SetPlane(catalogmodel.PlanePLATFORM).
			SetCentralProviderID(central.ID).SetName(name).SetUpstreamName(name).SetContextLength(1000).SetMaxOutputTokens(100).
			SetStatus(status).SaveX(p.ctx)
		p.tx.Price.Create().SetAccountID(id.PlatformID).SetPlane(price.PlanePLATFORM).SetCatalogModelID(m.ID).
			SetEffectiveFrom(p.now).SetInput(1).SetOutput(1).ExecX(p.ctx)
		return m
	}
	p.tx.Node.Create().SetAccountID(id.PlatformID).SetPlane(node.PlanePLATFORM).SetStartedAt(p.now).SetSeenAt(p.now).ExecX(p.ctx)
	offered, draft = create("smart", catalogmodel.StatusACTIVE), create("secret-plan", catalogmodel.StatusDRAFT)
	p.shelf(root, listing.KindMODEL, listing.StatusPUBLISHED, "", offered)
	p.shelf(root, listing.KindMODEL, listing.StatusDRAFT, "", draft)
	return offered, draft
}

func (p *planter) account(slug string, cm *ent.CatalogModel) *Account {
	p.t.Helper()
	row, err := identity.CreateAccount(p.ctx, p.tx, identity.AccountInput{Name: slug, Slug: slug, Console: true, Copilot: true})
	require.NoError(p.t, err)
	a := &Account{Row: row, Root: p.tx.Scope.GetX(p.ctx, row.ID)}
	admin := p.person(row.ID, session.PlaneACCOUNT, "admin", &a.Admin, a.Root, tenancy.Admin)
	nobody := p.person(row.ID, session.PlaneACCOUNT, "nobody", &a.Nobody, nil, "")
	p.signIn(a, admin, nobody)
	p.told(a, admin, nobody)
	p.tx.CreditFactor.Create().SetAccountID(row.ID).SetPlane(creditfactor.PlaneACCOUNT).SetPpm(1_000_000).SetEffectiveFrom(p.now).ExecX(p.ctx)
	a.Console, a.Copilot = p.plane(a, scope.PlaneCONSOLE, cm), p.plane(a, scope.PlaneCOPILOT, cm)
	return a
}

func (p *planter) plane(a *Account, plane scope.Plane, cm *ent.CatalogModel) *Plane {
	p.t.Helper()
	l := &Plane{Budgets: map[string]*ent.Budget{}}
	l.Root = p.tx.Scope.Query().Where(scope.AccountID(a.Row.ID), scope.KindEQ(scope.Kind(plane))).OnlyX(p.ctx)
	var err error
	org := func(name string) *ent.Scope {
		s, err := identity.CreateOrganization(p.ctx, p.tx, l.Root, name)
		require.NoError(p.t, err)
		return s
	}
	team := func(o *ent.Scope, name string) *ent.Scope {
		s, err := identity.CreateTeam(p.ctx, p.tx, o, name)
		require.NoError(p.t, err)
		return s
	}
	l.Org, l.SiblingOrg = org("Banking"), org("Insurance")
	l.Team, l.SiblingTeam, l.OtherTeam = team(l.Org, "Risk"), team(l.Org, "Fraud"), team(l.SiblingOrg, "Claims")

	who := func(name string, into **tenancy.Viewer, at *ent.Scope, role tenancy.RoleName) *ent.User {
		return p.person(a.Row.ID, session.PlaneACCOUNT, strings.ToLower(string(plane))+"-"+name, into, at, role)
	}
	admin := who("admin", &l.Admin, l.Root, tenancy.Admin)
	orgAdmin := who("org", &l.OrgAdmin, l.Org, tenancy.Admin)
	who("sibling-org", &l.SiblingOrgAdmin, l.SiblingOrg, tenancy.Admin)
	teamAdmin := who("team", &l.TeamAdmin, l.Team, tenancy.Admin)
	other := who("sibling-team", &l.SiblingTeamAdmin, l.SiblingTeam, tenancy.Admin)
	seat := who("member", &l.Seat, nil, "")
	l.Member, err = identity.AddMember(p.ctx, p.tx, l.Team, seat)
	require.NoError(p.t, err)
	neighbour, err := identity.AddMember(p.ctx, p.tx, l.SiblingTeam, other)
	require.NoError(p.t, err)

	p.token(seat)
	p.invite(l.Team, "newcomer", invitation.RoleMEMBER, teamAdmin)
	p.invite(l.SiblingOrg, "boss", invitation.RoleADMIN, admin)
	p.mapped(a, l.Root, "auditors", groupmapping.RoleVIEWER)
	p.mapped(a, l.Team, "", groupmapping.RoleMEMBER)

	p.model(l, a.Row.ID, plane, cm)
	// Everybody but the people of SiblingOrg may call the model.
	p.allow(l, l.Root, grant.EffectALLOW, l.Root, admin, nil)
	p.allow(l, l.SiblingOrg, grant.EffectDENY, l.Root, admin, nil)
	nextWeek := p.now.Add(7 * 24 * time.Hour)
	p.allow(l, l.Team, grant.EffectALLOW, l.Org, orgAdmin, &nextWeek)
	l.Key, l.KeyScope, l.Token, err = identity.CreateKey(p.ctx, p.tx, p.now, identity.KeyInput{Name: "ci", Owner: l.Member, ModelIDs: []string{l.Model.ID}})
	require.NoError(p.t, err)
	_, k2, _, err := identity.CreateKey(p.ctx, p.tx, p.now, identity.KeyInput{Name: "ci", Owner: l.SiblingTeam, ModelIDs: []string{l.Model.ID}})
	require.NoError(p.t, err)
	for _, s := range []*ent.Scope{l.Root, l.Org, l.SiblingOrg, l.Team, l.SiblingTeam, l.OtherTeam, l.Member, neighbour} {
		p.spend(l, s, seat)
	}
	for _, s := range []*ent.Scope{l.KeyScope, k2} {
		p.charge(l, s)
		p.used(l, s)
	}
	p.total(l, l.Root)
	p.governed(l)
	if plane == scope.PlaneCOPILOT {
		p.agents(l, seat)
	}
	return l
}

func (p *planter) model(l *Plane, accountID string, plane scope.Plane, cm *ent.CatalogModel) {
	p.t.Helper()
	create := p.tx.Model.Create().SetAccountID(accountID).SetPlane(model.Plane(plane)).SetName("smart")
	if plane == scope.PlaneCOPILOT {
		l.Model = create.SetCatalogModelID(cm.ID).SaveX(p.ctx)
		return
	}
	l.Provider = p.tx.Provider.Create().SetAccountID(accountID).SetPlane(provider.PlaneCONSOLE).
		SetName("Own").SetBaseURL("https://own.example/v1").SaveX(p.ctx)
	l.Model = create.SetProviderID(l.Provider.ID).SetUpstreamName("smart").SetContextLength(1000).SetMaxOutputTokens(100).SaveX(p.ctx)
	p.tx.Price.Create().SetAccountID(accountID).SetPlane(price.PlaneCONSOLE).SetModelID(l.Model.ID).
		SetEffectiveFrom(p.now).SetInput(1).SetOutput(1).ExecX(p.ctx)
}

// spend gives a scope a budget with a running cycle; somebody asks for more.
func (p *planter) spend(l *Plane, s *ent.Scope, asks *ent.User) {
	p.t.Helper()
	unit := budget.UnitUSD
	if s.Plane == scope.PlaneCOPILOT {
		unit = budget.UnitCREDITS
	}
	b := p.tx.Budget.Create().SetAccountID(s.AccountID).SetPlane(budget.Plane(s.Plane)).SetScopeID(s.ID).SetUnit(unit).SetLim(100).SaveX(p.ctx)
	c := p.cycle(s, b)
	p.tx.BudgetLease.Create().SetAccountID(s.AccountID).SetPlane(budgetlease.Plane(s.Plane)).SetCycleID(c.ID).SetNodeID(id.New(id.Node)).ExecX(p.ctx)
	p.history(s, b, c, asks)
	l.Budgets[s.ID] = b
}

// charge writes one line of the ledger, one running hold and one announcement
// for a key.
func (p *planter) charge(l *Plane, s *ent.Scope) {
	p.t.Helper()
	p.tx.Charge.Create().SetAccountID(s.AccountID).SetPlane(charge.Plane(s.Plane)).SetKind(charge.KindSETTLED).SetPath(s.Path).
		SetCycles([]string{}).SetModelID(l.Model.ID).SetModelName(l.Model.Name).SetKeyID(s.ID).SetRequestID(id.New(id.Request)).
		SetCost(1).SetHeldAt(p.now).SetAt(p.now).SetDay(int(p.now.Unix() / 86400)).ExecX(p.ctx)
	p.tx.Hold.Create().SetAccountID(s.AccountID).SetPlane(hold.Plane(s.Plane)).SetNodeID("nod_test").SetPath(s.Path).
		SetCycles([]string{}).SetCall(json.RawMessage("{}")).SetHeldAt(p.now).ExecX(p.ctx)
	p.tx.IdempotencyKey.Create().SetAccountID(s.AccountID).SetPlane(idempotencykey.Plane(s.Plane)).SetPrincipal(s.ID).SetKeyHash("k").SetRequestHash("r").
		SetChargeID(id.New(id.Charge)).SetExpiresAt(p.now.Add(24 * time.Hour)).ExecX(p.ctx)
}
