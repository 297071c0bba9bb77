package grant_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// world is the tests' tree without any grant.
type world struct {
	*identitytest.Trees
	t testing.TB
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := &world{identitytest.Tree(t, st), t}
		require.NoError(t, st.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			_, err := tx.Grant.Delete().Exec(ctx)
			return err
		}))
		test(t, w)
	})
}

// set is done by a viewer, with the authority that they have there.
func (w *world) set(v *tenancy.Viewer, s *ent.Scope, m *ent.Model, effect grant.Effect, more ...func(*grant.Input)) (row *ent.Grant, err error) {
	w.t.Helper()
	in := grant.Input{Scope: s, ResourceID: m.ID, Effect: effect, Authority: grant.AuthorityOf(v, s.Path)}
	for _, f := range more {
		f(&in)
	}
	err = w.Store.InTx(identitytest.Ctx(w.t, v), func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = grant.Set(ctx, tx, w.Store.Now(), in)
		return err
	})
	return row, err
}

func (w *world) mustSet(v *tenancy.Viewer, s *ent.Scope, m *ent.Model, effect grant.Effect, more ...func(*grant.Input)) *ent.Grant {
	w.t.Helper()
	row, err := w.set(v, s, m, effect, more...)
	require.NoError(w.t, err)
	return row
}

func (w *world) remove(v *tenancy.Viewer, s *ent.Scope, row *ent.Grant) error {
	w.t.Helper()
	return w.Store.InTx(identitytest.Ctx(w.t, v), func(ctx context.Context, tx *store.Tx) error {
		return grant.Remove(ctx, tx, s, row, grant.AuthorityOf(v, s.Path))
	})
}

func (w *world) ask(m *ent.Model, s *ent.Scope) grant.Verdict {
	w.t.Helper()
	t, err := grant.Load(w.t.Context(), w.Store.Client, s.AccountID, tenancy.Plane(s.Plane))
	require.NoError(w.t, err)
	return t.Ask(m.ID, s.Path, w.Store.Now())
}

func TestAuthorityIsTheHighestNodeOfAnAdmin(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		c := w.A.Console
		for name, tc := range map[string]struct {
			v    *tenancy.Viewer
			at   *ent.Scope
			want string
		}{
			"account admin":              {w.A.Admin, c.Member, c.Root.Path},
			"account admin in Copilot":   {w.A.Admin, w.A.Copilot.Team, w.A.Copilot.Root.Path},
			"plane admin":                {c.Admin, c.KeyScope, c.Root.Path},
			"org admin":                  {c.OrgAdmin, c.Team, c.Org.Path},
			"team admin":                 {c.TeamAdmin, c.Member, c.Team.Path},
			"team admin above":           {c.TeamAdmin, c.Org, ""},
			"team admin beside":          {c.TeamAdmin, c.SiblingTeam, ""},
			"plane admin in the other":   {c.Admin, w.A.Copilot.Team, ""},
			"another account's admin":    {w.B.Admin, c.Team, ""},
			"a seat":                     {c.Seat, c.Member, ""},
			"nobody":                     {w.A.Nobody, c.Team, ""},
			"super admin":                {w.SuperAdmin, c.Team, ""},
			"nobody at all":              {nil, c.Team, ""},
			"account admin, the account": {w.A.Admin, w.A.Root, ""},
		} {
			require.Equal(t, tc.want, grant.AuthorityOf(tc.v, tc.at.Path), name)
		}
		both := *c.TeamAdmin
		both.Roles = append(both.Roles, c.OrgAdmin.Roles...)
		require.Equal(t, c.Org.Path, grant.AuthorityOf(&both, c.Team.Path), "the highest")
		reader := *c.Admin
		reader.Roles = []tenancy.Role{{Role: tenancy.Auditor, Kind: tenancy.KindConsole, Plane: tenancy.Console, Path: c.Root.Path}}
		require.Empty(t, grant.AuthorityOf(&reader, c.Team.Path), "a viewer hands out nothing")
	})
}

func TestAnAdminHandsOutOnlyWhatTheyHold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		m := c.Model
		_, err := w.set(c.OrgAdmin, c.Team, m, grant.Allow)
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
		require.Contains(t, err.Error(), "your organization doesn't have smart: Nobody has allowed smart here or above. Ask an admin of Console or of the account")
		require.Zero(t, w.Store.Grant.Query().CountX(identitytest.System(t)))

		given := w.mustSet(w.A.Admin, c.Org, m, grant.Allow)
		require.Equal(t, c.Root.Path, given.Authority)
		require.Equal(t, w.A.Admin.UserID, given.GrantedBy)
		require.Equal(t, w.A.Admin.Name, given.GrantedByName)
		handed := w.mustSet(c.OrgAdmin, c.Team, m, grant.Allow)
		require.Equal(t, c.Org.Path, handed.Authority)
		require.True(t, w.ask(m, c.Member).Allowed())
		w.mustSet(c.TeamAdmin, c.Member, m, grant.Allow)

		// What the organization loses, it hands out no longer.
		require.NoError(t, w.remove(w.A.Admin, c.Org, given))
		require.Equal(t, grant.RuleAuthorityLost, w.ask(m, c.Member).Rule)
		_, err = w.set(c.OrgAdmin, c.Team, m, grant.Allow)
		require.True(t, fault.Is(err, fault.Invalid))
		// And has again when it is given back, until it expires.
		soon := w.Store.Now().Add(time.Hour)
		w.mustSet(w.A.Admin, c.Org, m, grant.Allow, func(in *grant.Input) { in.ExpiresAt = &soon })
		tab, err := grant.Load(t.Context(), w.Store.Client, w.A.Row.ID, tenancy.Console)
		require.NoError(t, err)
		require.True(t, tab.Ask(m.ID, c.Member.Path, soon.Add(-time.Microsecond)).Allowed())
		require.Equal(t, grant.RuleExpired, tab.Ask(m.ID, c.Member.Path, soon).Rule, "to the moment")
		// Nobody below a denial hands out either.
		w.mustSet(w.A.Admin, c.Team, m, grant.Deny)
		_, err = w.set(c.TeamAdmin, c.Member, m, grant.Allow)
		require.ErrorContains(t, err, "denied at the team Risk")
	})
}

func TestWhatWasSetFromAboveIsNotChangedBelow(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		m := c.Model
		w.mustSet(w.A.Admin, c.Root, m, grant.Allow)
		deny := w.mustSet(c.OrgAdmin, c.Team, m, grant.Deny, func(in *grant.Input) { in.Note = "Not for Risk." })
		for _, effect := range []grant.Effect{grant.Allow, grant.Deny} {
			_, err := w.set(c.TeamAdmin, c.Team, m, effect)
			require.True(t, fault.Is(err, fault.Invalid), "%v", err)
			require.ErrorContains(t, err, "an admin of the organization or of a scope above it")
		}
		require.True(t, fault.Is(w.remove(c.TeamAdmin, c.Team, deny), fault.Invalid))
		require.Equal(t, "Not for Risk.", w.Store.Grant.GetX(identitytest.System(t), deny.ID).Note)
		require.Equal(t, grant.RuleDeny, w.ask(m, c.Member).Rule)

		// Their equals and those above do, and it is theirs from then on.
		again := w.mustSet(c.Admin, c.Team, m, grant.Deny)
		require.Equal(t, deny.ID, again.ID, "one grant for each scope and model")
		require.Equal(t, c.Root.Path, again.Authority)
		require.Empty(t, again.Note)
		_, err := w.set(c.OrgAdmin, c.Team, m, grant.Allow)
		require.True(t, fault.Is(err, fault.Invalid))
		require.True(t, fault.Is(w.remove(c.OrgAdmin, c.Team, deny), fault.Invalid))
		require.NoError(t, w.remove(w.A.Admin, c.Team, again))
		require.True(t, w.ask(m, c.Member).Allowed())
		require.True(t, fault.Is(w.remove(w.A.Admin, c.Team, again), fault.NotFound))

		// A denial of one's own can always be set, and taken back.
		own := w.mustSet(c.TeamAdmin, c.Team, m, grant.Deny)
		require.Equal(t, grant.RuleDeny, w.ask(m, c.KeyScope).Rule)
		require.True(t, w.ask(m, c.SiblingTeam).Allowed())
		require.NoError(t, w.remove(c.TeamAdmin, c.Team, own))
	})
}

// Grants across accounts and planes are refused by the verb, by the guard and
// by the database.
func TestGrantsStayInTheirPlane(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		for name, m := range map[string]*ent.Model{"the other plane's": w.A.Copilot.Model, "another account's": w.B.Console.Model} {
			_, err := w.set(w.A.Admin, c.Team, m, grant.Allow)
			require.True(t, fault.Is(err, fault.NotFound), "%s model: %v", name, err)
			require.Equal(t, []string{"resourceId"}, fault.As(err).Path)
			err = w.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				return tx.Grant.Create().SetAccountID(w.A.Row.ID).SetPlane(entgrant.PlaneCONSOLE).SetScopeID(c.Team.ID).SetModelID(m.ID).
					SetEffect(entgrant.EffectALLOW).SetAuthority(c.Root.Path).Exec(ctx)
			})
			require.True(t, ent.IsConstraintError(err), "%s model: %v", name, err)
		}
		for name, s := range map[string]*ent.Scope{"the other plane's": w.A.Copilot.Team, "another account's": w.B.Console.Team} {
			err := w.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				return tx.Grant.Create().SetAccountID(w.A.Row.ID).SetPlane(entgrant.PlaneCONSOLE).SetScopeID(s.ID).SetModelID(c.Model.ID).
					SetEffect(entgrant.EffectALLOW).SetAuthority(c.Root.Path).Exec(ctx)
			})
			require.True(t, ent.IsConstraintError(err), "%s scope: %v", name, err)
		}
		// Whoever the policy let through by mistake stops at verb and guard.
		for name, tc := range map[string]struct {
			v *tenancy.Viewer
			s *ent.Scope
			m *ent.Model
		}{
			"team admin at the organization":  {c.TeamAdmin, c.Org, c.Model},
			"team admin at the sibling":       {c.TeamAdmin, c.SiblingTeam, c.Model},
			"seat at itself":                  {c.Seat, c.Member, c.Model},
			"nobody":                          {w.A.Nobody, c.Team, c.Model},
			"another account":                 {w.B.Admin, c.Team, c.Model},
			"another account with its model":  {w.B.Admin, c.Team, w.B.Console.Model},
			"super admin":                     {w.SuperAdmin, c.Team, c.Model},
			"plane admin, in the other plane": {c.Admin, w.A.Copilot.Team, w.A.Copilot.Model},
			"at the account":                  {w.A.Admin, w.A.Root, c.Model},
		} {
			_, err := w.set(tc.v, tc.s, tc.m, grant.Deny)
			require.Error(t, err, name)
			if !tc.v.Reaches(tc.s.Path) { // not even with an authority made up
				_, err = w.set(tc.v, tc.s, tc.m, grant.Deny, func(in *grant.Input) { in.Authority = tc.s.Path })
				require.Error(t, err, name)
			}
		}
		require.Zero(t, w.Store.Grant.Query().CountX(identitytest.System(t)))
		require.Zero(t, w.Store.AuditEvent.Query().Where(auditevent.Action("grant.set")).CountX(identitytest.System(t)))
	})
}

func TestGrantInputIsChecked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		past, now := w.Store.Now().Add(-time.Second), w.Store.Now()
		for name, tc := range map[string]struct {
			f    func(*grant.Input)
			path string
			code fault.Code
		}{
			"expired already":     {func(in *grant.Input) { in.ExpiresAt = &past }, "expiresAt", fault.Invalid},
			"expires now":         {func(in *grant.Input) { in.ExpiresAt = &now }, "expiresAt", fault.Invalid},
			"long note":           {func(in *grant.Input) { in.Note = strings.Repeat("x", 501) }, "note", fault.Invalid},
			"long note, in bytes": {func(in *grant.Input) { in.Note = strings.Repeat("ü", 300) }, "note", fault.Invalid},
			"no effect":           {func(in *grant.Input) { in.Effect = "" }, "effect", fault.Invalid},
			"unheard-of effect":   {func(in *grant.Input) { in.Effect = "MAYBE" }, "effect", fault.Invalid},
			"no model":            {func(in *grant.Input) { in.ResourceID = "" }, "resourceId", fault.NotFound},
			"no such model":       {func(in *grant.Input) { in.ResourceID = "mod_x' OR 1=1" }, "resourceId", fault.NotFound},
			"version of nothing":  {func(in *grant.Input) { in.ExpectedVersion = new(int) }, "expectedVersion", fault.Conflict},
			"no authority":        {func(in *grant.Input) { in.Authority = "" }, "", fault.Forbidden},
			"authority elsewhere": {func(in *grant.Input) { in.Authority = c.SiblingOrg.Path }, "", fault.Forbidden},
			"archived scope": {func(in *grant.Input) {
				s := *in.Scope
				s.ArchivedAt = &past
				in.Scope = &s
			}, "scopeId", fault.Invalid},
		} {
			_, err := w.set(w.A.Admin, c.Team, c.Model, grant.Allow, tc.f)
			require.True(t, fault.Is(err, tc.code), "%s: %v", name, err)
			if tc.path != "" {
				require.Equal(t, []string{tc.path}, fault.As(err).Path, name)
			}
		}
		require.Zero(t, w.Store.Grant.Query().CountX(identitytest.System(t)))

		row := w.mustSet(w.A.Admin, c.Team, c.Model, grant.Allow)
		one, two := 1, 2
		_, err := w.set(w.A.Admin, c.Team, c.Model, grant.Deny, func(in *grant.Input) { in.ExpectedVersion = &two })
		require.True(t, fault.Is(err, fault.Conflict))
		require.Equal(t, 1, fault.As(err).Data["currentVersion"])
		soon := w.Store.Now().Add(time.Hour)
		changed := w.mustSet(w.A.Admin, c.Team, c.Model, grant.Deny, func(in *grant.Input) { in.ExpectedVersion, in.ExpiresAt = &one, &soon })
		require.Equal(t, 2, changed.Version)
		require.Equal(t, row.ID, changed.ID)
		require.Equal(t, soon, changed.ExpiresAt.UTC())
		require.Nil(t, w.mustSet(w.A.Admin, c.Team, c.Model, grant.Deny).ExpiresAt, "an expiry left out is none")

		events := w.Store.AuditEvent.Query().Where(auditevent.Action("grant.set")).AllX(identitytest.System(t))
		require.Len(t, events, 3)
		require.Equal(t, []string{row.ID, "smart", c.Team.ID, c.Team.Path}, []string{events[0].TargetID, events[0].TargetName, events[0].ScopeID, events[0].ScopePath})
		require.Contains(t, string(events[1].Changes), "effect")
	})
}

// Of many who set the same grant at once, there is one grant in the end.
func TestOneGrantForEachScopeAndModel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		done := make(chan error)
		for range 8 {
			go func() {
				done <- w.Store.InTx(tenancy.WithViewer(context.Background(), w.A.Admin), func(ctx context.Context, tx *store.Tx) error {
					_, err := grant.Set(ctx, tx, w.Store.Now(), grant.Input{Scope: c.Team, ResourceID: c.Model.ID, Effect: grant.Allow, Authority: c.Root.Path})
					return err
				})
			}()
		}
		worked := 0
		for range 8 {
			if err := <-done; err == nil {
				worked++
			} else {
				require.True(t, fault.Is(err, fault.Conflict), "%v", err)
			}
		}
		require.Positive(t, worked)
		require.Equal(t, 1, w.Store.Grant.Query().CountX(identitytest.System(t)))
	})
}

// The table follows teams that move: the grants of those who left stay behind.
func TestAMoveTakesNoAuthorityAlong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		w.mustSet(w.A.Admin, c.Org, c.Model, grant.Allow)
		w.mustSet(c.OrgAdmin, c.Team, c.Model, grant.Allow)
		w.mustSet(c.TeamAdmin, c.Member, c.Model, grant.Allow)
		require.True(t, w.ask(c.Model, c.Member).Allowed())
		second := w.secondModel()
		denied := w.mustSet(c.OrgAdmin, c.Team, second, grant.Deny)
		path := c.SiblingOrg.Path + c.Team.ID + "/"
		require.NoError(t, w.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			tx.Scope.UpdateOneID(c.Team.ID).SetParentID(c.SiblingOrg.ID).SetPath(path).ExecX(ctx)
			tx.Scope.UpdateOneID(c.Member.ID).SetPath(path + c.Member.ID + "/").ExecX(ctx)
			return nil
		}))
		moved := *c.Member
		moved.Path = path + c.Member.ID + "/"
		v := w.ask(c.Model, &moved)
		require.Equal(t, grant.RuleAuthorityLost, v.Rule, "the old organization's admin gives nothing away in the new one")
		// The new organization is given the model: its team, too, by that alone.
		w.mustSet(w.A.Admin, c.SiblingOrg, c.Model, grant.Allow)
		require.True(t, w.ask(c.Model, &moved).Allowed())
		// What was denied stays denied, until somebody of the whole plane lifts it.
		w.mustSet(w.A.Admin, c.SiblingOrg, second, grant.Allow)
		v = w.ask(second, &moved)
		require.Equal(t, grant.RuleDeny, v.Rule)
		require.Equal(t, c.Root.Path, v.Needs)
		team := w.Store.Scope.GetX(identitytest.System(t), c.Team.ID)
		for _, who := range []*tenancy.Viewer{c.SiblingOrgAdmin, c.OrgAdmin} {
			require.Error(t, w.remove(who, team, denied))
		}
		require.NoError(t, w.remove(c.Admin, team, denied))
		require.True(t, w.ask(second, &moved).Allowed())
	})
}

// secondModel adds a model to Console.
func (w *world) secondModel() (m *ent.Model) {
	w.t.Helper()
	require.NoError(w.t, w.Store.InTx(identitytest.System(w.t), func(ctx context.Context, tx *store.Tx) (err error) {
		tx.Unaudited()
		m, err = tx.Model.Create().SetAccountID(w.A.Row.ID).SetPlane("CONSOLE").SetProviderID(w.A.Console.Provider.ID).SetName("second").Save(ctx)
		return err
	}))
	return m
}

func TestStatesOfModels(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c, p := w.A.Console, w.A.Copilot
		w.mustSet(w.A.Admin, c.Root, c.Model, grant.Allow)
		w.mustSet(w.A.Admin, p.Root, p.Model, grant.Allow)
		change := func(f func(ctx context.Context, tx *store.Tx)) {
			require.NoError(t, w.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				f(ctx, tx)
				return nil
			}))
		}
		require.True(t, w.ask(p.Model, p.Member).Allowed())
		change(func(ctx context.Context, tx *store.Tx) {
			tx.Model.UpdateOneID(c.Model.ID).SetStatus("DISABLED").ExecX(ctx)
			tx.CatalogModel.UpdateOneID(w.CatalogModel.ID).SetStatus("RETIRED").ExecX(ctx)
		})
		require.Equal(t, grant.RuleDisabled, w.ask(c.Model, c.Member).Rule)
		require.Equal(t, grant.RuleNotOffered, w.ask(p.Model, p.Member).Rule)
		require.Equal(t, grant.RuleNotOffered, w.ask(w.B.Copilot.Model, w.B.Copilot.Member).Rule)
		change(func(ctx context.Context, tx *store.Tx) {
			tx.CatalogModel.UpdateOneID(w.CatalogModel.ID).SetStatus("ACTIVE").ExecX(ctx)
			tx.Model.UpdateOneID(p.Model.ID).SetStatus("DISABLED").ExecX(ctx)
		})
		require.Equal(t, grant.RuleDisabled, w.ask(p.Model, p.Member).Rule)
		change(func(ctx context.Context, tx *store.Tx) {
			tx.Model.UpdateOneID(p.Model.ID).SetStatus("ACTIVE").ExecX(ctx)
			tx.Scope.UpdateOneID(p.Org.ID).SetArchivedAt(w.Store.Now()).ExecX(ctx)
		})
		require.Equal(t, grant.RuleArchived, w.ask(p.Model, p.Member).Rule)
		require.True(t, w.ask(p.Model, p.SiblingOrg).Allowed())
		// An account without the plane has a table that refuses everything.
		change(func(ctx context.Context, tx *store.Tx) {
			require.Zero(t, tx.Scope.Query().Where(scope.AccountID("acc_none")).CountX(ctx))
		})
		empty, err := grant.Load(t.Context(), w.Store.Client, "acc_none", tenancy.Console)
		require.NoError(t, err)
		require.False(t, empty.Ask(c.Model.ID, c.Member.Path, w.Store.Now()).Allowed())
	})
}

// A change on one replica holds on the others within a second, and on its own
// at once.
func TestGrantsFollowEveryReplica(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		c := w.A.Console
		here, there := grant.New(w.Store, w.Epochs), grant.New(w.Store, w.Epochs)
		allowed := func(g *grant.Grants) bool {
			got, err := g.Allowed(t.Context(), w.A.Row.ID, tenancy.Console, c.KeyScope.Path)
			require.NoError(t, err)
			return got[c.Model.ID]
		}
		require.False(t, allowed(here))
		require.False(t, allowed(there))
		row := w.mustSet(w.A.Admin, c.Root, c.Model, grant.Allow)
		here.Changed(w.A.Row.ID, tenancy.Console)
		require.True(t, allowed(here))
		require.Eventually(t, func() bool { return allowed(there) }, 30*time.Second, 10*time.Millisecond)
		same, err := there.Table(t.Context(), w.A.Row.ID, tenancy.Console)
		require.NoError(t, err)
		again, err := there.Table(t.Context(), w.A.Row.ID, tenancy.Console)
		require.NoError(t, err)
		require.Same(t, same, again, "read once an epoch")
		require.NoError(t, w.remove(w.A.Admin, c.Root, row))
		require.Eventually(t, func() bool { return !allowed(there) }, 30*time.Second, 10*time.Millisecond)
	})
}
