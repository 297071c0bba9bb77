package graph

import (
	"context"
	"errors"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (r *Resolver) directory() *identity.Directory { return &identity.Directory{Budgets: r.Budgets} }

// at reads a scope of given kinds that the viewer sees, named by an input
// field.
func (r *Resolver) at(ctx context.Context, scopeID, noun, field string, kinds ...tenancy.Kind) (*ent.Scope, error) {
	s, err := r.Store.Scope.Get(ctx, scopeID)
	if ent.IsNotFound(err) || err == nil && !slices.Contains(kinds, tenancy.Kind(s.Kind)) {
		e := fault.Missing(noun)
		e.Path = []string{field}
		return nil, e
	}
	return s, err
}

func (r *Resolver) organizationAt(ctx context.Context, scopeID string) (*ent.Scope, error) {
	return r.at(ctx, scopeID, "organization", "organizationId", tenancy.KindOrganization)
}

func (r *Resolver) teamAt(ctx context.Context, scopeID string) (*ent.Scope, error) {
	return r.at(ctx, scopeID, "team", "teamId", tenancy.KindTeam)
}

func (r *Resolver) memberAt(ctx context.Context, scopeID string) (*ent.Scope, error) {
	return r.at(ctx, scopeID, "seat", "memberId", tenancy.KindMember)
}

// errRehearsed rolls a change back that was only to be counted.
var errRehearsed = errors.New("graph: rehearsed")

// leave is what a change needs the policy to allow, and where; the place is
// looked at anew each time, for it may move.
type leave struct {
	action access.Action
	at     func() model.Ref
}

func need(action access.Action, s *ent.Scope) leave {
	return leave{action, func() model.Ref { return ref(s) }}
}

func needOfPlatform(action access.Action) leave {
	return leave{action, func() model.Ref { return platformRef }}
}

// allowed asks for all that a change needs.
func (r *Resolver) allowed(ctx context.Context, needs []leave) error {
	for _, l := range needs {
		if err := r.check(ctx, l.action, l.at()); err != nil {
			return err
		}
	}
	return nil
}

// underLeave asks for what a change needs, then runs it in a transaction in
// which its first lock asks again: roles that were lost and scopes that were
// moved meanwhile count.
func (r *Resolver) underLeave(ctx context.Context, needs []leave, verb func(ctx context.Context, tx *store.Tx) error) error {
	if err := r.allowed(ctx, needs); err != nil {
		return err
	}
	return r.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		ctx, mandate := identity.UnderMandate(ctx, func(ctx context.Context) error { return r.allowed(ctx, needs) })
		if err := verb(ctx, tx); err != nil {
			return err
		}
		return mandate.Confirm(ctx, tx)
	})
}

// change runs a verb past the guard, where the policy allows what it needs:
// what moves or falls with a scope may lie beyond the viewer's reach. A
// rehearsal is rolled back.
func (r *Resolver) change(ctx context.Context, needs []leave, rehearse bool, verb func(ctx context.Context, tx *store.Tx) error) error {
	ctx = tenancy.System(ctx, "a change of the tree reaches as far as it must; the policy has allowed it")
	err := r.underLeave(ctx, needs, func(ctx context.Context, tx *store.Tx) error {
		if err := verb(ctx, tx); err != nil {
			return err
		}
		if rehearse {
			return errRehearsed
		}
		return nil
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// changing is change for what leads to a result.
func changing[T any](ctx context.Context, r *Resolver, needs []leave, rehearse bool, verb func(ctx context.Context, tx *store.Tx) (T, error)) (T, error) {
	var out T
	err := r.change(ctx, needs, rehearse, func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = verb(ctx, tx)
		return err
	})
	if err != nil {
		var none T
		return none, err
	}
	return out, nil
}

func is(b *bool) bool { return b != nil && *b }

func toImpact(i identity.Impact) *model.Impact {
	out := &model.Impact{Teams: i.Teams, SeatsMoved: i.SeatsMoved, SeatsEnded: i.SeatsEnded, KeysRevoked: i.Keys, BudgetsEnded: i.Budgets,
		GrantsRemoved: i.Grants, InvitationsRevoked: i.Invitations, RolesEnded: i.Roles, Notes: i.Notes}
	if out.Notes == nil {
		out.Notes = []string{}
	}
	return out
}

func (r *Resolver) organizationCreate(ctx context.Context, in model.OrganizationCreateInput) (*ent.Scope, error) {
	root, err := r.at(ctx, in.PlaneID, "plane", "planeId", tenancy.KindConsole, tenancy.KindCopilot)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.OrganizationCreate, root)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Scope, error) {
		return r.directory().CreateOrganization(ctx, tx, root, in.Name, orEmpty(in.Description))
	})
}

func (r *Resolver) organizationUpdate(ctx context.Context, in model.OrganizationUpdateInput) (*ent.Scope, error) {
	s, err := r.organizationAt(ctx, in.OrganizationID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.OrganizationUpdate, s)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Scope, error) {
		return r.directory().UpdateOrganization(ctx, tx, s, identity.Edit{Name: in.Name, Description: in.Description, ExpectedVersion: in.ExpectedVersion})
	})
}

func (r *Resolver) teamCreate(ctx context.Context, in model.TeamCreateInput) (*ent.Scope, error) {
	org, err := r.organizationAt(ctx, in.OrganizationID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.TeamCreate, org)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Scope, error) {
		return r.directory().CreateTeam(ctx, tx, org, in.Name, orEmpty(in.Description))
	})
}

func (r *Resolver) teamUpdate(ctx context.Context, in model.TeamUpdateInput) (*ent.Scope, error) {
	s, err := r.teamAt(ctx, in.TeamID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.TeamUpdate, s)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Scope, error) {
		return r.directory().UpdateTeam(ctx, tx, s, identity.Edit{Name: in.Name, Description: in.Description, ExpectedVersion: in.ExpectedVersion})
	})
}

// teamMove takes a team out of one organization, which needs an admin there,
// and makes it in another one, which needs an admin there as well.
func (r *Resolver) teamMove(ctx context.Context, in model.TeamMoveInput) (*ent.Scope, identity.Impact, error) {
	var none identity.Impact
	s, err := r.teamAt(ctx, in.TeamID)
	if err != nil {
		return nil, none, err
	}
	org, err := r.organizationAt(ctx, in.OrganizationID)
	if err != nil {
		return nil, none, err
	}
	before := *s
	impact, err := changing(ctx, r, []leave{need(access.TeamMove, s), need(access.TeamCreate, org)}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (identity.Impact, error) {
		return r.directory().MoveTeam(ctx, tx, r.Store.Now(), s, org)
	})
	if is(in.DryRun) {
		s = &before
	}
	return s, impact, err
}

// archive is for organizations and teams alike.
func (r *Resolver) archive(ctx context.Context, s *ent.Scope, action access.Action, dryRun *bool) (*ent.Scope, identity.Impact, error) {
	impact, err := changing(ctx, r, []leave{need(action, s)}, is(dryRun), func(ctx context.Context, tx *store.Tx) (identity.Impact, error) {
		return r.directory().Archive(ctx, tx, r.Store.Now(), s)
	})
	if err != nil {
		return nil, impact, err
	}
	s, err = r.Store.Scope.Get(tenancy.System(ctx, "its own archive may take it out of the viewer's reach"), s.ID)
	return s, impact, err
}

func (r *Resolver) restore(ctx context.Context, s *ent.Scope, action access.Action) (*ent.Scope, error) {
	return changing(ctx, r, []leave{need(action, s)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Scope, error) {
		return r.directory().Restore(ctx, tx, s)
	})
}

func (r *Resolver) organizationDelete(ctx context.Context, in model.OrganizationDeleteInput) (identity.Impact, error) {
	s, err := r.organizationAt(ctx, in.OrganizationID)
	if err != nil {
		return identity.Impact{}, err
	}
	return changing(ctx, r, []leave{need(access.OrganizationDelete, s)}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (identity.Impact, error) {
		return r.directory().DeleteOrganization(ctx, tx, r.Store.Now(), s, in.Confirm, is(in.DryRun))
	})
}

func (r *Resolver) teamDelete(ctx context.Context, in model.TeamDeleteInput) (identity.Impact, error) {
	s, err := r.teamAt(ctx, in.TeamID)
	if err != nil {
		return identity.Impact{}, err
	}
	return changing(ctx, r, []leave{need(access.TeamDelete, s)}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (identity.Impact, error) {
		return r.directory().DeleteTeam(ctx, tx, r.Store.Now(), s, in.Confirm, is(in.DryRun))
	})
}

func (r *Resolver) memberCreate(ctx context.Context, in model.MemberCreateInput) (*ent.Scope, error) {
	t, err := r.teamAt(ctx, in.TeamID)
	if err != nil {
		return nil, err
	}
	u, err := r.userByID(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.MemberCreate, t)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Scope, error) {
		return identity.AddMember(ctx, tx, t, u)
	})
}

func (r *Resolver) memberMove(ctx context.Context, in model.MemberMoveInput) (*ent.Scope, error) {
	s, err := r.memberAt(ctx, in.MemberID)
	if err != nil {
		return nil, err
	}
	t, err := r.teamAt(ctx, in.TeamID)
	if err != nil {
		return nil, err
	}
	return s, r.change(ctx, []leave{need(access.MemberDelete, s), need(access.MemberCreate, t)}, false, func(ctx context.Context, tx *store.Tx) error {
		return r.directory().MoveMember(ctx, tx, r.Store.Now(), s, t)
	})
}

func (r *Resolver) memberDelete(ctx context.Context, in model.MemberDeleteInput) (identity.Impact, error) {
	s, err := r.memberAt(ctx, in.MemberID)
	if err != nil {
		return identity.Impact{}, err
	}
	return changing(ctx, r, []leave{need(access.MemberDelete, s)}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (identity.Impact, error) {
		return r.directory().DeleteMember(ctx, tx, r.Store.Now(), s)
	})
}

func (r *Resolver) memberDefaultSet(ctx context.Context, in model.MemberDefaultSetInput) (*ent.Scope, error) {
	s, err := r.memberAt(ctx, in.MemberID)
	if err != nil {
		return nil, err
	}
	return s, r.change(ctx, []leave{need(access.MemberDefault, s)}, false, func(ctx context.Context, tx *store.Tx) error {
		return r.directory().SetDefaultMember(ctx, tx, s)
	})
}
