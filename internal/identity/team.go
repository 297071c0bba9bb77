package identity

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/team"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func createTeam(ctx context.Context, tx *store.Tx, org *ent.Scope, name, description string, isDefault bool) (*ent.Scope, error) {
	description, err := checkDescription(description)
	if err != nil {
		return nil, err
	}
	s, err := child(ctx, tx, org, scope.KindTEAM, id.Team, name)
	if err != nil {
		return nil, err
	}
	err = tx.Team.Create().SetID(s.ID).SetAccountID(s.AccountID).SetPlane(team.Plane(s.Plane)).
		SetOrganizationID(org.ID).SetIsDefault(isDefault).SetDescription(description).Exec(ctx)
	if err != nil {
		return nil, err
	}
	return s, shareOut(ctx, tx, s)
}

// CreateTeam makes a team without a description in an organization.
func CreateTeam(ctx context.Context, tx *store.Tx, org *ent.Scope, name string) (*ent.Scope, error) {
	return (&Directory{}).CreateTeam(ctx, tx, org, name, "")
}

// CreateTeam makes a team in an organization.
func (d *Directory) CreateTeam(ctx context.Context, tx *store.Tx, org *ent.Scope, name, description string) (*ent.Scope, error) {
	s, err := createTeam(ctx, tx, org, name, description, false)
	if err != nil {
		return nil, err
	}
	return s, tx.Audit(ctx, done("team.create", s))
}

// UpdateTeam renames or describes a team.
func (d *Directory) UpdateTeam(ctx context.Context, tx *store.Tx, s *ent.Scope, in Edit) (*ent.Scope, error) {
	s, err := rename(ctx, tx, s, in)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		text, err := checkDescription(*in.Description)
		if err != nil {
			return nil, err
		}
		if err := tx.Team.UpdateOneID(s.ID).SetDescription(text).Exec(ctx); err != nil {
			return nil, err
		}
	}
	return s, tx.Audit(ctx, done("team.update", s))
}

// MoveTeam hangs a team with all below it under another organization of its
// plane. Its budgets must find room there, as if they were given anew.
func (d *Directory) MoveTeam(ctx context.Context, tx *store.Tx, now time.Time, s, org *ent.Scope) (Impact, error) {
	if err := lock(ctx, tx, []*ent.Scope{s, org}, nil); err != nil {
		return Impact{}, err
	}
	from, err := tx.Scope.Get(ctx, *s.ParentID)
	if err != nil {
		return Impact{}, err
	}
	if err := d.Budgets.Serialize(ctx, tx, s.AccountID, tenancy.Plane(s.Plane)); err != nil {
		return Impact{}, err
	}
	switch {
	case org.Kind != scope.KindORGANIZATION || org.AccountID != s.AccountID || org.Plane != s.Plane:
		e := fault.Missing("organization")
		e.Path = []string{"organizationId"}
		return Impact{}, e
	case *s.ParentID == org.ID:
		return Impact{}, fault.At("organizationId", "%s is part of %s already.", s.Name, org.Name)
	}
	if err := notDefault(ctx, tx, s, "moved"); err != nil {
		return Impact{}, err
	}
	if err := usable(ctx, tx, org); err != nil {
		return Impact{}, err
	}
	if err := unique(ctx, tx, org.ID, scope.KindTEAM, s.ID, s.Name); err != nil {
		return Impact{}, err
	}
	_, seats, keys, budgets, err := below(ctx, tx, now, s)
	if err != nil {
		return Impact{}, err
	}
	out := Impact{SeatsMoved: seats}
	if keys+budgets > 0 {
		out.Notes = append(out.Notes, "Its "+counted(keys, "key")+" and "+counted(budgets, "budget")+" below it go with it.")
	}
	out.Notes = append(out.Notes, "Roles held at "+from.Name+" no longer reach it; those held at "+org.Name+" do. What it spent so far stays on the books of "+from.Name+".")
	if err := tx.Team.UpdateOneID(s.ID).SetOrganizationID(org.ID).Exec(ctx); err != nil {
		return Impact{}, err
	}
	// Whoever holds a link has it from admins of the old place.
	if out.Invitations, err = tx.Exec(ctx, `UPDATE invitations SET revoked_at = ?, version = version + 1, updated_at = ?
		WHERE account_id = ? AND accepted_at IS NULL AND revoked_at IS NULL
		AND scope_id IN (SELECT id FROM scopes WHERE account_id = ? AND substr(path, 1, ?) = ?)`, now, now, s.AccountID, s.AccountID, len(s.Path), s.Path); err != nil {
		return Impact{}, err
	}
	if err := d.rehang(ctx, tx, now, s, org); err != nil {
		return Impact{}, err
	}
	if err := d.Budgets.CheckRoom(ctx, tx, s.AccountID, tenancy.Plane(s.Plane), org.Path, []string{s.ID}); err != nil {
		return Impact{}, err
	}
	e := done("team.move", s)
	e.Changes = map[string]audit.Change{"organization": {Before: from.Name, After: org.Name}}
	return out, tx.Audit(ctx, e)
}

// lockWithEveryone locks what is to be deleted and the team that its people
// fall back to, which it returns.
func (d *Directory) lockWithEveryone(ctx context.Context, tx *store.Tx, s *ent.Scope) (*ent.Scope, error) {
	teamID, err := tx.Team.Query().Where(team.AccountID(s.AccountID), team.PlaneEQ(team.Plane(s.Plane)), team.IsDefault(true)).OnlyID(ctx)
	if err != nil {
		return nil, err
	}
	everyone, err := tx.Scope.Get(ctx, teamID)
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, tx, []*ent.Scope{s, everyone}, nil); err != nil {
		return nil, err
	}
	return everyone, d.Budgets.Serialize(ctx, tx, s.AccountID, tenancy.Plane(s.Plane))
}

// DeleteTeam takes a team away. Its people go to the plane's default team with
// their keys, budgets and grants, unless they sit there already: then the seat
// ends, and the one there becomes the default if this one was. Confirm is its
// name, typed; a rehearsal, to be rolled back, needs none.
func (d *Directory) DeleteTeam(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope, confirm *string, rehearsal bool) (Impact, error) {
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
	out, moved, err := d.dissolve(ctx, tx, now, s, everyone)
	if err != nil {
		return out, err
	}
	if err := d.Budgets.CheckRoom(ctx, tx, s.AccountID, tenancy.Plane(s.Plane), everyone.Path, moved); err != nil {
		return out, err
	}
	e := done("team.delete", s)
	e.Changes = out.changes()
	e.Changes["name"] = audit.Change{Before: s.Name}
	return out, tx.Audit(ctx, e)
}

// seat is a seat with what hangs below it.
type seat struct {
	id, name, userID string
	stays            bool // goes to the default team
}

// dissolve moves the people of a locked team to everyone and buries the rest;
// of an organization whose teams are gone already it buries itself and its
// keys. It returns the seats that moved, whose budgets are yet to find room.
func (d *Directory) dissolve(ctx context.Context, tx *store.Tx, now time.Time, s, everyone *ent.Scope) (Impact, []string, error) {
	seats, err := d.seats(ctx, tx, s, everyone)
	if err != nil {
		return Impact{}, nil, err
	}
	stays := map[string]bool{}
	var moved []string
	for _, one := range seats {
		if stays[one.id] = one.stays; one.stays {
			moved = append(moved, one.id)
		}
	}
	var buried []string
	err = tx.Rows(ctx, "SELECT id, parent_id FROM scopes WHERE account_id = ? AND deleted_at IS NULL AND substr(path, 1, ?) = ?",
		[]any{s.AccountID, len(s.Path), s.Path}, func(r *sql.Rows) error {
			var scopeID, parentID string
			err := r.Scan(&scopeID, &parentID)
			if !stays[scopeID] && !stays[parentID] {
				buried = append(buried, scopeID)
			}
			return err
		})
	if err != nil {
		return Impact{}, nil, err
	}
	if err := settle(ctx, tx, now, s, everyone, moved); err != nil {
		return Impact{}, nil, err
	}
	out, err := d.bury(ctx, tx, now, s.AccountID, buried)
	if err != nil {
		return out, nil, err
	}
	out.SeatsMoved, out.SeatsEnded = len(moved), len(seats)-len(moved)
	if out.SeatsEnded > 0 {
		// Whoever lost their default has a seat in everyone.
		if _, err := tx.Exec(ctx, `UPDATE members SET is_default = true, version = version + 1, updated_at = ? WHERE team_id = ? AND is_default = false
			AND NOT EXISTS (SELECT 1 FROM members o WHERE o.user_id = members.user_id AND o.plane = members.plane AND o.is_default = true)`, now, everyone.ID); err != nil {
			return out, nil, err
		}
	}
	return out, moved, d.auditSeats(ctx, tx, s, everyone, seats)
}

// seats reads the seats of a team, and keeps their people's defaults from
// changing meanwhile.
func (d *Directory) seats(ctx context.Context, tx *store.Tx, s, everyone *ent.Scope) ([]seat, error) {
	err := tx.Rows(ctx, "SELECT id FROM users WHERE id IN (SELECT user_id FROM members WHERE team_id = ?) ORDER BY id FOR NO KEY UPDATE", []any{s.ID},
		func(*sql.Rows) error { return nil })
	if err != nil {
		return nil, err
	}
	var out []seat
	err = tx.Rows(ctx, `SELECT m.id, s.name, m.user_id, NOT EXISTS (SELECT 1 FROM members o WHERE o.team_id = ? AND o.user_id = m.user_id)
		FROM members m JOIN scopes s ON s.id = m.id WHERE m.team_id = ? ORDER BY m.id`, []any{everyone.ID, s.ID}, func(r *sql.Rows) error {
		var one seat
		err := r.Scan(&one.id, &one.name, &one.userID, &one.stays)
		out = append(out, one)
		return err
	})
	return out, err
}

// settle moves seats of a team to another one, all at once.
func settle(ctx context.Context, tx *store.Tx, now time.Time, s, everyone *ent.Scope, moved []string) error {
	for some := range slices.Chunk(moved, 500) {
		these := "(" + store.In(len(some)) + ")"
		for _, step := range []struct {
			query string
			args  []any
		}{
			{"UPDATE members SET team_id = ?, version = version + 1, updated_at = ? WHERE id IN " + these, []any{everyone.ID, now}},
			{"UPDATE scopes SET path = ? || substr(path, ?) WHERE account_id = ? AND parent_id IN " + these, []any{everyone.Path, len(s.Path) + 1, s.AccountID}},
			{"UPDATE scopes SET path = ? || substr(path, ?), parent_id = ?, version = version + 1, updated_at = ? WHERE id IN " + these,
				[]any{everyone.Path, len(s.Path) + 1, everyone.ID, now}},
		} {
			for _, m := range some {
				step.args = append(step.args, m)
			}
			if _, err := tx.Exec(ctx, step.query, step.args...); err != nil {
				return err
			}
		}
	}
	tx.Touch(s.AccountID)
	return reauthorize(ctx, tx, s.AccountID, s.Path, everyone.Path)
}

// auditSeats tells of each person what became of their seat.
func (d *Directory) auditSeats(ctx context.Context, tx *store.Tx, s, everyone *ent.Scope, seats []seat) error {
	events := make([]audit.Event, len(seats))
	for i, one := range seats {
		e := audit.Event{Action: "member.delete", AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), ScopeID: s.ID, ScopePath: s.Path,
			TargetID: one.id, TargetName: one.name, Changes: map[string]audit.Change{"team": {Before: s.Name}}}
		if one.stays {
			e.Action = "member.move"
			e.Changes["team"] = audit.Change{Before: s.Name, After: everyone.Name}
		}
		events[i] = e
	}
	return tx.AuditAll(ctx, events)
}
