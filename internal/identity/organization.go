package identity

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/organization"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/team"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Edit changes what people call an organization or a team; nil leaves it.
type Edit struct {
	Name, Description *string
	// ExpectedVersion, if set, is the version that the editor saw.
	ExpectedVersion *int
}

func createOrganization(ctx context.Context, tx *store.Tx, plane *ent.Scope, name, description string, isDefault bool) (*ent.Scope, error) {
	description, err := checkDescription(description)
	if err != nil {
		return nil, err
	}
	s, err := child(ctx, tx, plane, scope.KindORGANIZATION, id.Organization, name)
	if err != nil {
		return nil, err
	}
	err = tx.Organization.Create().SetID(s.ID).SetAccountID(s.AccountID).SetPlane(organization.Plane(s.Plane)).
		SetIsDefault(isDefault).SetDescription(description).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return s, shareOut(ctx, tx, s)
}

// CreateOrganization makes an organization without a description in a plane.
func CreateOrganization(ctx context.Context, tx *store.Tx, plane *ent.Scope, name string) (*ent.Scope, error) {
	return (&Directory{}).CreateOrganization(ctx, tx, plane, name, "")
}

// CreateOrganization makes an organization in a plane.
func (d *Directory) CreateOrganization(ctx context.Context, tx *store.Tx, plane *ent.Scope, name, description string) (*ent.Scope, error) {
	s, err := createOrganization(ctx, tx, plane, name, description, false)
	if err != nil {
		return nil, err
	}
	return s, tx.Audit(ctx, done("organization.create", s))
}

// UpdateOrganization renames or describes an organization.
func (d *Directory) UpdateOrganization(ctx context.Context, tx *store.Tx, s *ent.Scope, in Edit) (*ent.Scope, error) {
	s, err := rename(ctx, tx, s, in)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		text, err := checkDescription(*in.Description)
		if err != nil {
			return nil, err
		}
		if err := tx.Organization.UpdateOneID(s.ID).SetDescription(text).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return s, tx.Audit(ctx, done("organization.update", s))
}

// rename gives an organization or a team another name, and a new version in
// any case.
func rename(ctx context.Context, tx *store.Tx, s *ent.Scope, in Edit) (*ent.Scope, error) {
	parent, err := tx.Scope.Get(ctx, *s.ParentID)
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, tx, []*ent.Scope{parent, s}, nil); err != nil {
		return nil, err
	}
	if *s.ParentID != parent.ID {
		return nil, fault.New(fault.Conflict, "Somebody else has just moved this. Look at it again, then change it.")
	}
	if err := outdated(in.ExpectedVersion, s.Version); err != nil {
		return nil, err
	}
	set := tx.Scope.UpdateOneID(s.ID)
	if in.Name != nil {
		name, err := checkName(*in.Name)
		if err != nil {
			return nil, err
		}
		if err := unique(ctx, tx, *s.ParentID, s.Kind, s.ID, name); err != nil {
			return nil, err
		}
		set.SetName(name)
	}
	return set.Save(ctx)
}

// Archive refuses everything at and below an organization or a team, until it
// is restored. The default ones can't be.
func (d *Directory) Archive(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope) (Impact, error) {
	if err := lock(ctx, tx, []*ent.Scope{s}, nil); err != nil {
		return Impact{}, err
	}
	if err := notDefault(ctx, tx, s, "archived"); err != nil {
		return Impact{}, err
	}
	if s.ArchivedAt != nil {
		return Impact{}, fault.New(fault.Invalid, "%s is archived already.", s.Name)
	}
	teams, seats, keys, _, err := below(ctx, tx, now, s)
	if err != nil {
		return Impact{}, err
	}
	out := Impact{Teams: teams, Keys: keys}
	if seats > 0 {
		out.Notes = append(out.Notes, counted(seats, "seat")+" can't be used until it is restored.")
	}
	if err := tx.Scope.UpdateOneID(s.ID).SetArchivedAt(now).Exec(ctx); err != nil {
		return Impact{}, err
	}
	if err := shareOut(ctx, tx, s); err != nil {
		return Impact{}, err
	}
	e := done(nounOf(s)+".archive", s)
	e.Changes = out.changes()
	return out, tx.Audit(ctx, e)
}

// Restore lets an archived organization or team be used again.
func (d *Directory) Restore(ctx context.Context, tx *store.Tx, s *ent.Scope) (*ent.Scope, error) {
	if err := lock(ctx, tx, []*ent.Scope{s}, nil); err != nil {
		return nil, err
	}
	if s.ArchivedAt == nil {
		return nil, fault.New(fault.Invalid, "%s isn't archived.", s.Name)
	}
	restored, err := tx.Scope.UpdateOneID(s.ID).ClearArchivedAt().Save(ctx)
	if err != nil {
		return nil, err
	}
	if err := shareOut(ctx, tx, s); err != nil {
		return nil, err
	}
	return restored, tx.Audit(ctx, done(nounOf(s)+".restore", s))
}

// notDefault keeps the organization and the team that people fall back to.
func notDefault(ctx context.Context, tx *store.Tx, s *ent.Scope, verb string) (err error) {
	is := false
	if s.Kind == scope.KindORGANIZATION {
		is, err = tx.Organization.Query().Where(organization.ID(s.ID), organization.IsDefault(true)).Exist(ctx)
	} else {
		is, err = tx.Team.Query().Where(team.ID(s.ID), team.IsDefault(true)).Exist(ctx)
	}
	if err == nil && is {
		err = fault.New(fault.Invalid, "%s is the plane's default %s, which everybody falls back to: it can be renamed, not %s.", s.Name, nounOf(s), verb)
	}
	return err
}

// typed asks for the name of what is deleted, to be sure.
func typed(confirm *string, s *ent.Scope) error {
	if confirm == nil || *confirm != s.Name {
		return fault.At("confirm", "Type the name %q to delete it.", s.Name)
	}
	return nil
}

// DeleteOrganization deletes the teams of an organization, as DeleteTeam does,
// and then itself. Confirm is its name, typed; a rehearsal, to be rolled back,
// needs none.
func (d *Directory) DeleteOrganization(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope, confirm *string, rehearsal bool) (Impact, error) {
	everyone, err := d.lockWithEveryone(ctx, tx, s)
	if err != nil {
		return Impact{}, err
	}
	if err := notDefault(ctx, tx, s, "deleted"); err != nil {
		return Impact{}, err
	}
	if err := typed(confirm, s); err != nil && !rehearsal {
		return Impact{}, err
	}
	teams, err := tx.Scope.Query().Where(scope.ParentID(s.ID), scope.KindEQ(scope.KindTEAM), scope.DeletedAtIsNil()).Order(scope.ByID()).All(ctx)
	if err != nil {
		return Impact{}, err
	}
	var out Impact
	var moved []string
	for _, t := range teams {
		more, seats, err := d.dissolve(ctx, tx, now, t, everyone)
		if err != nil {
			return out, err
		}
		moved = append(moved, seats...)
		out.add(more)
		e := done("team.delete", t)
		e.Changes = more.changes()
		if err := tx.Audit(ctx, e); err != nil {
			return out, err
		}
	}
	out.Teams = len(teams)
	more, _, err := d.dissolve(ctx, tx, now, s, everyone)
	if err != nil {
		return out, err
	}
	out.add(more)
	if err := d.Budgets.CheckRoom(ctx, tx, s.AccountID, tenancy.Plane(s.Plane), everyone.Path, moved); err != nil {
		return out, err
	}
	e := done("organization.delete", s)
	e.Changes = out.changes()
	e.Changes["name"] = audit.Change{Before: s.Name}
	return out, tx.Audit(ctx, e)
}
