package graph

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budget"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// meanwhile runs a request whose viewer has been allowed already, while a change
// that isn't committed yet takes away what allowed it.
func (a *api) meanwhile(change func(ctx context.Context, tx *store.Tx) error, request func() answer) answer {
	a.t.Helper()
	changed, commit, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		first := true
		done <- a.Store.InTx(a.sys(), func(ctx context.Context, tx *store.Tx) error {
			if err := change(ctx, tx); err != nil {
				return err
			}
			if first {
				close(changed)
				first = false
			}
			<-commit
			return nil
		})
	}()
	select {
	case <-changed:
	case err := <-done:
		require.NoError(a.t, err)
	}
	got := make(chan answer, 1)
	go func() { got <- request() }()
	// Long enough to come to the lock, where it waits; without one it is through.
	time.Sleep(300 * time.Millisecond)
	close(commit)
	require.NoError(a.t, <-done)
	return <-got
}

// What allowed a change counts as it is under the change's locks, not as it was
// when the request came.
func TestLeaveIsAskedAgainUnderTheLocks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c, d := a.A.Console, &identity.Directory{Budgets: a.resolver.Budgets}
		scopeOf := func(ctx context.Context, tx *store.Tx, s *ent.Scope) *ent.Scope { return tx.Scope.GetX(ctx, s.ID) }
		// loses takes an admin's role away; it comes back for the next request.
		loses := func(v *tenancy.Viewer, at *ent.Scope) func(ctx context.Context, tx *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				b := tx.RoleBinding.Query().Where(rolebinding.UserID(v.UserID), rolebinding.ScopeID(at.ID)).OnlyX(ctx)
				return d.UnbindRole(ctx, tx, tx.Now(), b, scopeOf(ctx, tx, at))
			}
		}
		gains := func(v *tenancy.Viewer, at *ent.Scope) {
			a.write(func(ctx context.Context, tx *store.Tx) error {
				return identity.BindRole(ctx, tx, tx.User.GetX(ctx, v.UserID), scopeOf(ctx, tx, at), tenancy.Admin)
			})
		}
		refused := func(out answer, why string) {
			t.Helper()
			require.Equal(t, "FORBIDDEN", out.code(), "%s: %+v", why, out)
		}
		requests := map[string]func() answer{
			"an invitation": func() answer {
				return a.do(c.TeamAdmin, invite, in(map[string]any{"scopeId": c.Team.ID, "role": "ADMIN", "emails": []string{"late@people.example"}}))
			},
			"a role": func() answer {
				return a.do(c.TeamAdmin, `mutation($i: RoleBindInput!) { roleBind(input: $i) { errors { code } } }`,
					in(map[string]any{"scopeId": c.Team.ID, "userId": c.Seat.UserID, "role": "ADMIN"}))
			},
			"a seat": func() answer {
				return a.do(c.TeamAdmin, `mutation($i: MemberCreateInput!) { memberCreate(input: $i) { errors { code } } }`,
					in(map[string]any{"teamId": c.Team.ID, "userId": c.TeamAdmin.UserID}))
			},
			"a name": func() answer {
				return a.do(c.TeamAdmin, `mutation($i: TeamUpdateInput!) { teamUpdate(input: $i) { errors { code } } }`,
					in(map[string]any{"teamId": c.Team.ID, "name": "Mine"}))
			},
			"a key": func() answer {
				return a.do(c.TeamAdmin, `mutation($i: KeyCreateInput!) { keyCreate(input: $i) { errors { code } } }`,
					in(map[string]any{"ownerId": c.Team.ID, "name": "late", "modelIds": []string{c.Model.ID}}))
			},
			"a budget": func() answer {
				return a.do(c.TeamAdmin, setBudget, in(map[string]any{"scopeId": c.Member.ID, "limit": "123"}))
			},
			"a grant": func() answer {
				return a.do(c.TeamAdmin, `mutation($i: GrantSetInput!) { grantSet(input: $i) { errors { code } } }`,
					in(map[string]any{"scopeId": c.Member.ID, "resourceId": c.Model.ID, "effect": "DENY"}))
			},
		}
		left := func() []int {
			ctx := a.sys()
			return []int{a.Store.Invitation.Query().Where(invitation.Email("late@people.example")).CountX(ctx),
				a.Store.RoleBinding.Query().Where(rolebinding.ScopeID(c.Team.ID)).CountX(ctx),
				a.Store.Member.Query().CountX(ctx), a.Store.Scope.Query().Where(scope.NameIn("Mine", "late")).CountX(ctx),
				a.Store.Grant.Query().Where(entgrant.ScopeID(c.Member.ID)).CountX(ctx),
				int(a.Store.Budget.Query().Where(budget.ScopeID(c.Member.ID)).OnlyX(ctx).Lim)}
		}
		before := left()
		for name, request := range requests {
			refused(a.meanwhile(loses(c.TeamAdmin, c.Team), request), name+", whose admin loses their role")
			gains(c.TeamAdmin, c.Team)
			refused(a.meanwhile(func(ctx context.Context, tx *store.Tx) error {
				_, err := d.Deactivate(ctx, tx, tx.Now(), c.TeamAdmin.UserID)
				return err
			}, request), name+", whose admin is deactivated")
			a.write(func(ctx context.Context, tx *store.Tx) error {
				return tx.User.UpdateOneID(c.TeamAdmin.UserID).SetStatus(user.StatusACTIVE).Exec(ctx)
			})
			require.Equal(t, before, left(), name)
		}

		// A team that moves away takes itself out of its old organization's reach.
		move := func(team *ent.Scope) func(ctx context.Context, tx *store.Tx) error {
			return func(ctx context.Context, tx *store.Tx) error {
				_, err := d.MoveTeam(ctx, tx, tx.Now(), scopeOf(ctx, tx, team), scopeOf(ctx, tx, c.SiblingOrg))
				return err
			}
		}
		late := func(v *tenancy.Viewer, team *ent.Scope) func() answer {
			return func() answer {
				return a.do(v, invite, in(map[string]any{"scopeId": team.ID, "role": "MEMBER", "emails": []string{"late@people.example"}}))
			}
		}
		refused(a.meanwhile(move(c.SiblingTeam), late(c.OrgAdmin, c.SiblingTeam)), "a team that moves away")
		require.Equal(t, before[0], left()[0])
		// Its own admin is that wherever it is.
		out := a.meanwhile(move(c.Team), late(c.TeamAdmin, c.Team))
		require.Empty(t, out.code(), "%+v", out)
		require.Equal(t, before[0]+1, left()[0])

		// So is a program, whose admin takes its permission away.
		program := a.Store.ServiceClient.Query().Where(serviceclient.AccountID(a.A.Row.ID)).FirstX(a.sys())
		narrow := *c.OrgAdmin
		narrow.SessionID, narrow.ClientID, narrow.Narrowed, narrow.Permissions = "", program.ID, true, []string{"profile", "read", "roles.manage"}
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.ServiceClient.UpdateOneID(program.ID).SetPermissions([]string{"profile", "read", "roles.manage"}).Exec(ctx)
		})
		byProgram := func() answer {
			return a.do(&narrow, invite, in(map[string]any{"scopeId": c.Org.ID, "role": "ADMIN", "emails": []string{"program@people.example"}}))
		}
		refused(a.meanwhile(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.ServiceClient.UpdateOneID(program.ID).SetPermissions([]string{"profile", "read"}).Exec(ctx)
		}, byProgram), "a program that loses its permission")
	})
}

// Whoever takes a role away waits for what its holder is handing out, and sees
// it: an invitation that was just made is taken back.
func TestInvitationsInFlightAreTakenBackWithTheRole(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c, d := a.A.Console, &identity.Directory{Budgets: a.resolver.Budgets}
		binding := a.Store.RoleBinding.Query().Where(rolebinding.UserID(c.TeamAdmin.UserID), rolebinding.ScopeID(c.Team.ID)).OnlyX(a.sys())
		out := a.meanwhile(func(ctx context.Context, tx *store.Tx) error {
			ctx, _ = identity.UnderMandate(tenancy.WithViewer(ctx, c.TeamAdmin), func(context.Context) error { return nil })
			_, err := d.Invite(ctx, tx, tx.Now(), identity.InvitationInput{Scope: tx.Scope.GetX(ctx, c.Team.ID), Role: tenancy.Admin,
				Emails: []string{"early@people.example"}})
			return err
		}, func() answer {
			return a.do(a.A.Admin, `mutation($i: RoleUnbindInput!) { roleUnbind(input: $i) { errors { code } } }`, in(map[string]any{"roleBindingId": binding.ID}))
		})
		require.Empty(t, out.code(), "%+v", out)
		row := a.Store.Invitation.Query().Where(invitation.Email("early@people.example")).OnlyX(a.sys())
		require.NotNil(t, row.RevokedAt)
	})
}

// What a viewer still holds is never more than they came with.
func TestStandingOnlyTakes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		for _, v := range []*tenancy.Viewer{a.SuperAdmin, a.A.Admin, a.A.Nobody, a.A.Console.Admin, a.A.Console.OrgAdmin, a.A.Console.TeamAdmin, a.A.Console.Seat, a.A.Copilot.Seat} {
			a.write(func(ctx context.Context, tx *store.Tx) error {
				now, err := identity.Standing(tenancy.WithViewer(ctx, v), tx)
				require.NoError(t, err)
				require.ElementsMatch(t, v.Roles, now.Roles, v.Name)
				require.ElementsMatch(t, v.Reach, now.Reach, v.Name)
				less := *v
				less.Roles = slices.Clone(v.Roles)[:len(v.Roles)/2]
				now, err = identity.Standing(tenancy.WithViewer(ctx, &less), tx)
				require.NoError(t, err)
				require.ElementsMatch(t, less.Roles, now.Roles, v.Name)
				return nil
			})
		}
	})
}
