package identity_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/featureflag"
	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/guardrailassignment"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/team"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// directory is the tree of the tests with the verbs that change it.
type directory struct {
	*identitytest.Trees
	t       testing.TB
	verbs   *identity.Directory
	budgets *budget.Engine
	keys    *identity.Keys
}

func onDirectory(t *testing.T, test func(t *testing.T, d *directory)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, st *store.Store) { test(t, newDirectory(t, st)) })
}

func newDirectory(t testing.TB, st *store.Store) *directory {
	t.Helper()
	w := identitytest.Tree(t, st)
	e := budget.New(st, budget.Options{Log: slog.New(slog.DiscardHandler)})
	return &directory{Trees: w, t: t, verbs: &identity.Directory{Budgets: e}, budgets: e, keys: identity.NewKeys(st, w.Epochs)}
}

// do runs a verb as the server does: for the viewer, past the guard.
func (d *directory) do(verb func(ctx context.Context, tx *store.Tx) error) error {
	ctx := tenancy.System(tenancy.WithViewer(d.t.Context(), d.A.Admin), "test")
	return d.Store.InTx(ctx, verb)
}

func (d *directory) must(verb func(ctx context.Context, tx *store.Tx) error) {
	d.t.Helper()
	require.NoError(d.t, d.do(verb))
}

func (d *directory) sys() context.Context { return identitytest.System(d.t) }

func (d *directory) everyone(s *ent.Scope) *ent.Scope {
	return d.Store.Scope.GetX(d.sys(), d.Store.Team.Query().Where(team.AccountID(s.AccountID), team.PlaneEQ(team.Plane(s.Plane)), team.IsDefault(true)).OnlyIDX(d.sys()))
}

func (d *directory) now(s *ent.Scope) *ent.Scope { return d.Store.Scope.GetX(d.sys(), s.ID) }

// limit sets a budget as an admin does.
func (d *directory) limit(s *ent.Scope, amount money.Nano) {
	d.t.Helper()
	d.must(func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		_, err := d.budgets.Set(ctx, tx, s.ID, budget.Spec{Limit: amount})
		return err
	})
}

// unlimited takes the budgets that the tests' tree begins with away.
func (d *directory) unlimited() {
	d.must(func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		for _, first := range []interface {
			Exec(context.Context) (int, error)
		}{tx.BudgetIncrease.Delete(), tx.BudgetAlert.Delete(), tx.BudgetLease.Delete(), tx.BudgetCycle.Delete()} {
			if _, err := first.Exec(ctx); err != nil {
				return err
			}
		}
		_, err := tx.Budget.Delete().Exec(ctx)
		return err
	})
}

func (d *directory) addTeam(org *ent.Scope, name string) *ent.Scope {
	var s *ent.Scope
	d.must(func(ctx context.Context, tx *store.Tx) (err error) {
		s, err = d.verbs.CreateTeam(ctx, tx, org, name, "")
		return err
	})
	return s
}

func (d *directory) user(name string) *ent.User {
	var u *ent.User
	d.must(func(ctx context.Context, tx *store.Tx) (err error) {
		u, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: d.A.Row.ID, Email: strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@people.example", Name: name})
		return err
	})
	return u
}

func (d *directory) sit(t *ent.Scope, u *ent.User) *ent.Scope {
	var s *ent.Scope
	d.must(func(ctx context.Context, tx *store.Tx) (err error) {
		s, err = identity.AddMember(ctx, tx, t, u)
		return err
	})
	return s
}

func (d *directory) isDefault(seat *ent.Scope) bool {
	return d.Store.Member.GetX(d.sys(), seat.ID).IsDefault
}

// refused waits until a key is refused on this replica.
func (d *directory) refused(token string) {
	d.t.Helper()
	require.Eventually(d.t, func() bool {
		_, err := d.keys.Principal(d.t.Context(), token)
		return fault.Is(err, fault.Unauthenticated)
	}, 20*time.Second, 10*time.Millisecond)
}

// path waits until a key is known to hang at a path.
func (d *directory) path(token, path string) {
	d.t.Helper()
	require.Eventually(d.t, func() bool {
		p, err := d.keys.Principal(d.t.Context(), token)
		return err == nil && p.Path == path
	}, 20*time.Second, 10*time.Millisecond)
}

func ptr[T any](v T) *T { return &v }

func TestNamesAreUniqueAmongSiblings(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		c := d.A.Console
		create := func(parent *ent.Scope, name, description string) error {
			return d.do(func(ctx context.Context, tx *store.Tx) error {
				var err error
				if parent.Kind == scope.KindORGANIZATION {
					_, err = d.verbs.CreateTeam(ctx, tx, parent, name, description)
				} else {
					_, err = d.verbs.CreateOrganization(ctx, tx, parent, name, description)
				}
				return err
			})
		}
		require.NoError(t, create(c.Root, "Operations", "Runs things"))
		require.True(t, fault.Is(create(c.Root, " oPERATIONS ", ""), fault.Exists))
		require.NoError(t, create(d.A.Copilot.Root, "Operations", ""), "the other plane has names of its own")
		require.True(t, fault.Is(create(c.Org, "RISK", ""), fault.Exists))
		require.NoError(t, create(c.SiblingOrg, "Risk", ""))
		for _, bad := range []string{"", "   ", strings.Repeat("x", 121)} {
			require.True(t, fault.Is(create(c.Org, bad, ""), fault.Invalid), bad)
		}
		require.True(t, fault.Is(create(c.Org, "Long", strings.Repeat("x", 501)), fault.Invalid))

		version := d.now(c.Team).Version
		update := func(in identity.Edit) error {
			return d.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.UpdateTeam(ctx, tx, c.Team, in)
				return err
			})
		}
		require.True(t, fault.Is(update(identity.Edit{Name: ptr("fraud")}), fault.Exists))
		require.NoError(t, update(identity.Edit{Name: ptr("RISK"), Description: ptr("Risks"), ExpectedVersion: &version}), "its own name in other letters")
		err := update(identity.Edit{Name: ptr("Late"), ExpectedVersion: &version})
		require.True(t, fault.Is(err, fault.Conflict))
		require.Equal(t, version, fault.As(err).Data["expectedVersion"])
		require.Equal(t, version+1, fault.As(err).Data["currentVersion"])
		require.Equal(t, "RISK", d.now(c.Team).Name)
		require.Equal(t, "Risks", d.Store.Team.GetX(d.sys(), c.Team.ID).Description)
	})
}

func TestArchivedScopesAreRefusedUntilRestored(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		c := d.A.Console
		token := c.Token
		_, err := d.keys.Principal(t.Context(), token)
		require.NoError(t, err)
		for _, node := range []*ent.Scope{c.Team, c.Org} {
			d.must(func(ctx context.Context, tx *store.Tx) error {
				impact, err := d.verbs.Archive(ctx, tx, d.Store.Now(), node)
				require.Equal(t, 1, impact.Keys-map[scope.Kind]int{scope.KindTEAM: 0, scope.KindORGANIZATION: 1}[node.Kind], "%+v", impact)
				return err
			})
			d.refused(token)
			require.Error(t, d.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := identity.AddMember(ctx, tx, c.Team, d.nobody())
				return err
			}))
			require.True(t, fault.Is(d.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.Archive(ctx, tx, d.Store.Now(), node)
				return err
			}), fault.Invalid), "twice")
			d.must(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.Restore(ctx, tx, node)
				return err
			})
			d.path(token, d.now(c.KeyScope).Path)
		}
	})
}

func (d *directory) nobody() *ent.User { return d.Store.User.GetX(d.sys(), d.A.Nobody.UserID) }

func TestDefaultsCanBeRenamedAndNothingElse(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		everyone := d.everyone(d.A.Console.Root)
		global := d.Store.Scope.GetX(d.sys(), *everyone.ParentID)
		for name, verb := range map[string]func(ctx context.Context, tx *store.Tx) error{
			"archive team": func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.Archive(ctx, tx, tx.Now(), everyone)
				return err
			},
			"archive organization": func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.Archive(ctx, tx, tx.Now(), global)
				return err
			},
			"delete team": func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.DeleteTeam(ctx, tx, tx.Now(), everyone, &everyone.Name, false)
				return err
			},
			"delete organization": func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.DeleteOrganization(ctx, tx, tx.Now(), global, &global.Name, false)
				return err
			},
			"move": func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.MoveTeam(ctx, tx, tx.Now(), everyone, d.A.Console.Org)
				return err
			},
		} {
			require.True(t, fault.Is(d.do(verb), fault.Invalid), name)
		}
		d.must(func(ctx context.Context, tx *store.Tx) error {
			_, err := d.verbs.UpdateTeam(ctx, tx, everyone, identity.Edit{Name: ptr("All of us")})
			return err
		})
	})
}

func TestTeamMovesWithAllBelow(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		c := d.A.Console
		// The organization's admin allowed the model at the seat, the team's own at the key.
		d.must(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			if _, err := tx.Grant.Delete().Where(grant.PlaneEQ(grant.PlaneCONSOLE)).Exec(ctx); err != nil {
				return err
			}
			for at, authority := range map[*ent.Scope]string{c.Member: c.Org.Path, c.KeyScope: c.Team.Path, c.Team: c.Root.Path} {
				if err := tx.Grant.Create().SetAccountID(at.AccountID).SetPlane(grant.PlaneCONSOLE).SetScopeID(at.ID).SetModelID(c.Model.ID).
					SetEffect(grant.EffectALLOW).SetAuthority(authority).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		old := c.Team.Path
		d.path(c.Token, d.now(c.KeyScope).Path)
		charges := d.Store.Charge.Query().CountX(d.sys())
		d.must(func(ctx context.Context, tx *store.Tx) error {
			impact, err := d.verbs.MoveTeam(ctx, tx, tx.Now(), c.Team, c.SiblingOrg)
			require.Equal(t, 1, impact.SeatsMoved)
			return err
		})
		path := c.SiblingOrg.Path + c.Team.ID + "/"
		require.Equal(t, path, d.now(c.Team).Path)
		require.Equal(t, c.SiblingOrg.ID, *d.now(c.Team).ParentID)
		require.Equal(t, c.SiblingOrg.ID, d.Store.Team.GetX(d.sys(), c.Team.ID).OrganizationID)
		require.Equal(t, path+c.Member.ID+"/"+c.Key.ID+"/", d.now(c.KeyScope).Path)
		require.Equal(t, 1, d.Store.Budget.Query().Where(entbudget.ScopeID(c.Team.ID)).CountX(d.sys()), "budgets go along")
		require.Equal(t, charges, d.Store.Charge.Query().CountX(d.sys()))
		require.Positive(t, d.Store.AuditEvent.Query().Where(auditevent.ScopePath(old)).CountX(d.sys()), "the past stays where it was")
		d.path(c.Token, d.now(c.KeyScope).Path)
		for at, want := range map[*ent.Scope]string{c.Member: c.SiblingOrg.Path, c.KeyScope: path, c.Team: c.Root.Path} {
			require.Equal(t, want, d.Store.Grant.Query().Where(grant.ScopeID(at.ID)).OnlyX(d.sys()).Authority, at.Kind)
		}
		for name, to := range map[string]*ent.Scope{"where it is": c.SiblingOrg, "the other plane": d.A.Copilot.Org, "another account": d.B.Console.Org, "a team": c.SiblingTeam} {
			require.Error(t, d.do(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.verbs.MoveTeam(ctx, tx, tx.Now(), c.Team, to)
				return err
			}), name)
		}
		// A live viewer's reach follows too.
		v := d.live(c.TeamAdmin)
		require.Equal(t, path, v.Roles[0].Path)
	})
}

// live reads a viewer anew, as the next request does.
func (d *directory) live(v *tenancy.Viewer) *tenancy.Viewer {
	d.t.Helper()
	var now *tenancy.Viewer
	require.Eventually(d.t, func() bool {
		want := d.Store.Account.GetX(d.sys(), v.AccountID).Epoch
		now = d.Sessions.Present(tenancy.WithViewer(d.t.Context(), v))
		return now != nil && now.Epoch >= want
	}, 20*time.Second, 10*time.Millisecond)
	return now
}

func TestBudgetsThatMoveMustFindRoom(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		d.unlimited()
		for _, p := range []*identitytest.Plane{d.A.Console, d.A.Copilot} {
			for s, amount := range map[*ent.Scope]money.Nano{p.Org: 100, p.SiblingOrg: 50} {
				d.limit(s, amount*money.One)
			}
			d.limit(p.Team, 60*money.One)
			move := func() error {
				return d.do(func(ctx context.Context, tx *store.Tx) error {
					_, err := d.verbs.MoveTeam(ctx, tx, tx.Now(), p.Team, p.SiblingOrg)
					return err
				})
			}
			err := move()
			if p == d.A.Console {
				require.NoError(t, err, "Console may overcommit")
				continue
			}
			require.True(t, fault.Is(err, fault.BudgetExceeded), "%v", err)
			require.Equal(t, 50*money.One, fault.As(err).Data["available"])
			require.Equal(t, p.Org.ID, *d.now(p.Team).ParentID, "nothing moved")
			d.limit(p.Team, 50*money.One)
			require.NoError(t, move())
		}
	})
}

func TestDeletedTeamLeavesItsPeopleAndTheBooks(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		c := d.A.Console
		everyone := d.everyone(c.Root)
		stays, twice := d.user("Stays"), d.user("Sits Twice")
		moved, ends := d.sit(c.Team, stays), d.sit(c.Team, twice)
		there := d.sit(everyone, twice)
		require.True(t, d.isDefault(ends))
		require.False(t, d.isDefault(there))
		d.limit(moved, 7*money.One)
		var own, gone string
		d.must(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			for token, owner := range map[*string]*ent.Scope{&own: moved, &gone: ends} {
				_, _, s, err := identity.CreateKey(ctx, tx, tx.Now(), identity.KeyInput{Name: "k", Owner: owner, ModelIDs: []string{c.Model.ID}})
				if *token = s; err != nil {
					return err
				}
			}
			_, err := d.verbs.Invite(ctx, tx, tx.Now(), identity.InvitationInput{Scope: c.Team, Role: tenancy.Seatholder, Emails: []string{"new@people.example"}})
			return err
		})
		remove := func(confirm *string, rehearsal bool) (impact identity.Impact, err error) {
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				impact, err = d.verbs.DeleteTeam(ctx, tx, tx.Now(), c.Team, confirm, rehearsal)
				if err == nil && rehearsal {
					return context.Canceled // rolled back
				}
				return err
			})
			return impact, err
		}
		_, err := remove(ptr("risk"), false)
		require.True(t, fault.Is(err, fault.Invalid), "its name must be typed")
		rehearsed, err := remove(nil, true)
		require.ErrorIs(t, err, context.Canceled)
		require.Nil(t, d.now(c.Team).DeletedAt)
		impact, err := remove(ptr("Risk"), false)
		require.NoError(t, err)
		require.Equal(t, rehearsed, impact, "a rehearsal tells what then happens")
		require.Equal(t, 2, impact.SeatsMoved, "Stays and the tree's own member")
		require.Equal(t, 1, impact.SeatsEnded)
		require.Equal(t, 1, impact.Keys)
		require.Equal(t, 2, impact.Invitations, "this one and the tree's own")
		require.Equal(t, 1, impact.Budgets)
		require.Positive(t, impact.Roles)

		tomb := d.now(c.Team)
		require.NotNil(t, tomb.DeletedAt)
		require.Equal(t, "Risk", tomb.Name, "receipts name it")
		require.Equal(t, everyone.Path+moved.ID+"/", d.now(moved).Path)
		require.Equal(t, everyone.ID, d.Store.Member.GetX(d.sys(), moved.ID).TeamID)
		require.True(t, d.isDefault(moved))
		require.True(t, d.isDefault(there), "the seat that is left pays")
		require.False(t, d.Store.Member.Query().Where(member.ID(ends.ID)).ExistX(d.sys()))
		require.Equal(t, 1, d.Store.Budget.Query().Where(entbudget.ScopeID(moved.ID)).CountX(d.sys()), "a seat keeps its budget")
		require.Zero(t, d.Store.Budget.Query().Where(entbudget.ScopeIDIn(c.Team.ID, ends.ID)).CountX(d.sys()))
		require.Zero(t, d.Store.RoleBinding.Query().Where(rolebinding.ScopeID(c.Team.ID)).CountX(d.sys()))
		require.Zero(t, d.Store.Invitation.Query().Where(invitation.ScopeID(c.Team.ID)).CountX(d.sys()))
		d.refused(gone)
		key := d.now(d.scopeOfKey(own))
		d.path(own, key.Path)
		require.True(t, strings.HasPrefix(key.Path, everyone.Path+moved.ID+"/"), key.Path)
		require.Equal(t, 2, d.Store.AuditEvent.Query().Where(auditevent.Action("member.move"), auditevent.ScopeID(c.Team.ID)).CountX(d.sys()))

		// Each thing that ended with the team has its event, and the counts agree.
		for action, n := range map[string]int{"key.revoke": impact.Keys, "grant.remove": impact.Grants, "role.unbind": impact.Roles,
			"invitation.revoke": impact.Invitations, "budget.remove": impact.Budgets} {
			told := d.Store.AuditEvent.Query().Where(auditevent.Action(action), auditevent.Reason("Its scope was deleted.")).AllX(d.sys())
			require.Len(t, told, n, action)
			for _, e := range told {
				require.NotEmpty(t, e.TargetName, action)
				require.True(t, strings.HasPrefix(e.ScopePath, c.Team.Path), action)
			}
		}

		// Nobody sees the tombstone, and its name is free.
		for _, v := range []*tenancy.Viewer{d.A.Admin, c.OrgAdmin} {
			require.False(t, d.Store.Scope.Query().Where(scope.ID(c.Team.ID)).ExistX(identitytest.Ctx(t, v)))
		}
		d.addTeam(c.Org, "Risk")
		_, err = remove(ptr("Risk"), false)
		require.True(t, fault.Is(err, fault.NotFound), "a second time: %v", err)
	})
}

func (d *directory) scopeOfKey(token string) *ent.Scope {
	p, err := d.keys.Principal(d.t.Context(), token)
	require.NoError(d.t, err)
	return d.Store.Scope.GetX(d.sys(), p.KeyID)
}

func TestDeletedOrganizationDissolvesItsTeams(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		d.unlimited()
		c := d.A.Copilot
		everyone := d.everyone(c.Root)
		global := d.Store.Scope.GetX(d.sys(), *everyone.ParentID)
		u := d.user("In Both")
		first, second := d.sit(c.Team, u), d.sit(c.SiblingTeam, u)
		d.limit(c.Org, 100*money.One)
		d.limit(first, 30*money.One)
		d.limit(global, 20*money.One)
		remove := func() (impact identity.Impact, err error) {
			err = d.do(func(ctx context.Context, tx *store.Tx) error {
				impact, err = d.verbs.DeleteOrganization(ctx, tx, tx.Now(), c.Org, ptr("Banking"), false)
				return err
			})
			return impact, err
		}
		_, err := remove()
		require.True(t, fault.Is(err, fault.BudgetExceeded), "the seat's budget finds no room: %v", err)
		d.limit(global, 30*money.One)
		impact, err := remove()
		require.NoError(t, err)
		require.Equal(t, 2, impact.Teams)
		require.Equal(t, 1, impact.SeatsEnded, "the second seat of the one who sat in both")
		require.Equal(t, everyone.Path+first.ID+"/", d.now(first).Path)
		require.NotNil(t, d.now(second).DeletedAt)
		require.True(t, d.isDefault(first))
		require.NotNil(t, d.now(c.Org).DeletedAt)
		require.NotNil(t, d.now(c.Team).DeletedAt)
		d.ownsNothing(c.Org, c.Team, c.SiblingTeam)
	})
}

// ownsNothing tells that nothing is left of what deleted scopes had, and that
// what they offered is withdrawn.
func (d *directory) ownsNothing(scopes ...*ent.Scope) {
	d.t.Helper()
	for _, s := range scopes {
		require.Zero(d.t, d.Store.Connection.Query().Where(connection.ScopeID(s.ID)).CountX(d.sys()))
		require.Zero(d.t, d.Store.GuardrailAssignment.Query().Where(guardrailassignment.ScopeID(s.ID)).CountX(d.sys()))
		require.Zero(d.t, d.Store.FeatureFlag.Query().Where(featureflag.ScopeID(s.ID)).CountX(d.sys()))
		require.Zero(d.t, d.Store.Listing.Query().Where(listing.ScopeID(s.ID), listing.StatusNEQ(listing.StatusWITHDRAWN)).CountX(d.sys()))
		for _, a := range d.Store.Scope.Query().Where(scope.ParentID(s.ID), scope.KindEQ(scope.KindAGENT)).AllX(d.sys()) {
			require.NotNil(d.t, a.DeletedAt, "its agents go with it")
			require.False(d.t, d.Store.Agent.Query().Where(agent.ID(a.ID)).ExistX(d.sys()))
		}
	}
}

func TestSeatsMoveEndAndPay(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		c := d.A.Console
		u := d.user("Mover")
		first, second := d.sit(c.Team, u), d.sit(c.SiblingTeam, u)
		require.True(t, d.isDefault(first))
		require.False(t, d.isDefault(second))
		require.True(t, fault.Is(d.do(func(ctx context.Context, tx *store.Tx) error {
			_, err := identity.AddMember(ctx, tx, c.Team, u)
			return err
		}), fault.Exists))
		move := func(to *ent.Scope) error {
			return d.do(func(ctx context.Context, tx *store.Tx) error { return d.verbs.MoveMember(ctx, tx, tx.Now(), first, to) })
		}
		require.True(t, fault.Is(move(c.SiblingTeam), fault.Exists), "the person sits there already")
		require.True(t, fault.Is(move(d.A.Copilot.Team), fault.NotFound), "the other plane")
		require.True(t, fault.Is(move(d.B.Console.Team), fault.NotFound), "another account")
		require.True(t, fault.Is(move(c.Team), fault.Invalid), "where it is")
		require.NoError(t, move(c.OtherTeam))
		require.Equal(t, c.OtherTeam.Path+first.ID+"/", d.now(first).Path)

		d.must(func(ctx context.Context, tx *store.Tx) error { return d.verbs.SetDefaultMember(ctx, tx, second) })
		require.False(t, d.isDefault(first))
		require.True(t, d.isDefault(second))
		d.must(func(ctx context.Context, tx *store.Tx) error {
			impact, err := d.verbs.DeleteMember(ctx, tx, tx.Now(), second)
			require.Len(t, impact.Notes, 1)
			return err
		})
		require.True(t, d.isDefault(first), "another seat pays from then on")
		again := d.sit(c.SiblingTeam, u)
		require.False(t, d.isDefault(again))
	})
}

func TestBigTeamsMoveAtOnce(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		const seats = 2000
		c := d.A.Console
		d.must(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			for n := 0; n < seats; n += 500 {
				var users []*ent.UserCreate
				var scopes []*ent.ScopeCreate
				var members []*ent.MemberCreate
				for i := n; i < n+500; i++ {
					userID, seatID := fmt.Sprintf("usr_%04d", i), fmt.Sprintf("mem_%04d", i)
					users = append(users, tx.User.Create().SetID(userID).SetAccountID(d.A.Row.ID).SetPlane("ACCOUNT").SetEmail(userID+"@people.example").SetName(userID))
					scopes = append(scopes, tx.Scope.Create().SetID(seatID).SetAccountID(d.A.Row.ID).SetPlane(scope.PlaneCONSOLE).SetKind(scope.KindMEMBER).
						SetName(userID).SetParentID(c.Team.ID).SetParentPlane(scope.ParentPlaneCONSOLE).SetPath(c.Team.Path+seatID+"/"))
					members = append(members, tx.Member.Create().SetID(seatID).SetAccountID(d.A.Row.ID).SetPlane(member.PlaneCONSOLE).SetTeamID(c.Team.ID).SetUserID(userID).SetIsDefault(true))
				}
				tx.User.CreateBulk(users...).ExecX(ctx)
				tx.Scope.CreateBulk(scopes...).ExecX(ctx)
				tx.Member.CreateBulk(members...).ExecX(ctx)
			}
			return nil
		})
		everyone := d.everyone(c.Root)
		d.must(func(ctx context.Context, tx *store.Tx) error {
			_, err := d.verbs.MoveTeam(ctx, tx, tx.Now(), c.Team, c.SiblingOrg)
			return err
		})
		d.must(func(ctx context.Context, tx *store.Tx) error {
			impact, err := d.verbs.DeleteTeam(ctx, tx, tx.Now(), c.Team, ptr("Risk"), false)
			require.Equal(t, seats+1, impact.SeatsMoved)
			return err
		})
		require.Equal(t, seats+1, d.Store.Member.Query().Where(member.TeamID(everyone.ID)).CountX(d.sys()))
		require.Equal(t, seats+1, d.Store.Scope.Query().Where(scope.ParentID(everyone.ID), scope.PathHasPrefix(everyone.Path)).CountX(d.sys()))
		require.Equal(t, seats+1, d.Store.AuditEvent.Query().Where(auditevent.Action("member.move")).CountX(d.sys()))
	})
}

// Admins who move, delete and add at the same moment lose no seat and leave no
// orphan.
func TestChangesAtTheSameMoment(t *testing.T) {
	t.Parallel()
	onDirectory(t, func(t *testing.T, d *directory) {
		c := d.A.Console
		var people []*ent.User
		for i := range 6 {
			people = append(people, d.user(fmt.Sprint("Person ", i)))
		}
		var teams []*ent.Scope
		for i := range 4 {
			teams = append(teams, d.addTeam([]*ent.Scope{c.Org, c.SiblingOrg}[i%2], fmt.Sprint("Busy ", i)))
		}
		for i, u := range people {
			d.sit(teams[i%4], u)
			d.sit(teams[(i+1)%4], u)
		}
		orgs := []*ent.Scope{c.Org, c.SiblingOrg}
		var wg sync.WaitGroup
		for i, tm := range teams {
			wg.Go(func() {
				for n := range 4 {
					s, org := *tm, *orgs[(i+n)%2]
					_ = d.do(func(ctx context.Context, tx *store.Tx) error {
						_, err := d.verbs.MoveTeam(ctx, tx, tx.Now(), &s, &org)
						return err
					})
				}
				if i < 2 {
					s := *tm
					require.NoError(t, d.do(func(ctx context.Context, tx *store.Tx) error {
						_, err := d.verbs.DeleteTeam(ctx, tx, tx.Now(), &s, &s.Name, false)
						return err
					}))
				}
			})
		}
		for i, u := range people {
			wg.Go(func() {
				for n := range 3 {
					seats := d.Store.Member.Query().Where(member.UserID(u.ID)).AllX(d.sys())
					if len(seats) == 0 {
						continue
					}
					s, to := d.Store.Scope.GetX(d.sys(), seats[n%len(seats)].ID), *teams[(i+n)%4]
					_ = d.do(func(ctx context.Context, tx *store.Tx) error { return d.verbs.MoveMember(ctx, tx, tx.Now(), s, &to) })
				}
			})
		}
		wg.Wait()
		d.consistent()
		for _, u := range people {
			require.True(t, d.Store.Member.Query().Where(member.UserID(u.ID)).ExistX(d.sys()), "%s lost all seats", u.Name)
		}
	})
}

// consistent checks what holds of every tree.
func (d *directory) consistent() {
	t := d.t
	t.Helper()
	scopes := d.Store.Scope.Query().Where(scope.DeletedAtIsNil()).AllX(d.sys())
	byID := map[string]*ent.Scope{}
	for _, s := range scopes {
		byID[s.ID] = s
	}
	for _, s := range scopes {
		if s.ParentID == nil {
			continue
		}
		parent := byID[*s.ParentID]
		require.NotNil(t, parent, "%s %s hangs under nothing that lives", s.Kind, s.Name)
		require.Equal(t, parent.Path+s.ID+"/", s.Path)
	}
	defaults, seats := map[string]int{}, map[string]bool{}
	for _, m := range d.Store.Member.Query().AllX(d.sys()) {
		s := byID[m.ID]
		require.NotNil(t, s, "a seat without a living node")
		require.Equal(t, m.TeamID, *s.ParentID)
		require.NotNil(t, byID[m.TeamID])
		key := m.UserID + " " + string(m.Plane)
		seats[key] = true
		if m.IsDefault {
			defaults[key]++
		}
	}
	for key := range seats {
		require.Equal(t, 1, defaults[key], "one default seat of %s", key)
	}
	for _, tm := range d.Store.Team.Query().AllX(d.sys()) {
		require.Equal(t, tm.OrganizationID, *byID[tm.ID].ParentID)
	}
	for _, b := range d.Store.Budget.Query().AllX(d.sys()) {
		require.NotNil(t, byID[b.ScopeID], "a budget of a dead scope")
	}
	for _, b := range d.Store.RoleBinding.Query().AllX(d.sys()) {
		require.NotNil(t, byID[b.ScopeID], "a role at a dead scope")
	}
	for _, k := range d.Store.Key.Query().AllX(d.sys()) {
		require.True(t, byID[k.ID] != nil || k.RevokedAt != nil, "a living key at a dead scope")
	}
}
