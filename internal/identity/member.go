package identity

import (
	"context"
	"database/sql"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// AddMember gives a user a seat in a team; their first seat in the plane is the
// default one.
func AddMember(ctx context.Context, tx *store.Tx, t *ent.Scope, u *ent.User) (*ent.Scope, error) {
	return addMember(ctx, tx, t, u, "")
}

// AddMappedMember is AddMember for a seat that an identity provider's mapping
// gives.
func AddMappedMember(ctx context.Context, tx *store.Tx, t *ent.Scope, u *ent.User, identityProviderID string) (*ent.Scope, error) {
	return addMember(ctx, tx, t, u, identityProviderID)
}

func addMember(ctx context.Context, tx *store.Tx, t *ent.Scope, u *ent.User, source string) (*ent.Scope, error) {
	if t.Kind != scope.KindTEAM || t.AccountID != u.AccountID {
		return nil, fault.Missing("team")
	}
	s, err := child(ctx, tx, t, scope.KindMEMBER, id.Member, u.Name)
	if err != nil {
		return nil, err
	}
	if err := lockUser(ctx, tx, u.ID); err != nil {
		return nil, err
	}
	first, err := tx.Member.Query().Where(member.UserID(u.ID), member.PlaneEQ(member.Plane(t.Plane)), member.IsDefault(true)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	sits, err := tx.Member.Query().Where(member.UserID(u.ID), member.TeamID(t.ID)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if sits {
		return nil, fault.New(fault.Exists, "%s has a seat in %s already.", u.Name, t.Name)
	}
	err = tx.Member.Create().SetID(s.ID).SetAccountID(s.AccountID).SetPlane(member.Plane(s.Plane)).
		SetTeamID(t.ID).SetUserID(u.ID).SetIsDefault(!first).SetSource(source).Exec(ctx)
	if err != nil {
		return nil, err
	}
	if err := shareOut(ctx, tx, s); err != nil {
		return nil, err
	}
	return s, tx.Audit(ctx, done("member.create", s))
}

// lockUser lets changes of one person's seats and status follow each other.
// Scopes are locked before.
func lockUser(ctx context.Context, tx *store.Tx, userID string) error {
	return tx.Rows(ctx, "SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE", []any{userID}, func(*sql.Rows) error { return nil })
}

// lockSeat locks a seat with its person, and reads both anew.
func lockSeat(ctx context.Context, tx *store.Tx, s *ent.Scope, more ...*ent.Scope) (*ent.Member, error) {
	if err := lock(ctx, tx, append([]*ent.Scope{s}, more...), nil); err != nil {
		return nil, err
	}
	m, err := tx.Member.Get(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	return m, lockUser(ctx, tx, m.UserID)
}

// MoveMember moves a seat to another team of its plane, with its keys, its
// budget and its grants.
func (d *Directory) MoveMember(ctx context.Context, tx *store.Tx, now time.Time, s, t *ent.Scope) error {
	m, err := lockSeat(ctx, tx, s, t)
	if err != nil {
		return err
	}
	if err := d.Budgets.Serialize(ctx, tx, s.AccountID, tenancy.Plane(s.Plane)); err != nil {
		return err
	}
	switch {
	case t.Kind != scope.KindTEAM || t.AccountID != s.AccountID || t.Plane != s.Plane:
		e := fault.Missing("team")
		e.Path = []string{"teamId"}
		return e
	case m.TeamID == t.ID:
		return fault.At("teamId", "%s sits in %s already.", s.Name, t.Name)
	}
	if err := usable(ctx, tx, t); err != nil {
		return err
	}
	sits, err := tx.Member.Query().Where(member.UserID(m.UserID), member.TeamID(t.ID)).Exist(ctx)
	if err != nil {
		return err
	}
	if sits {
		e := fault.At("teamId", "%s has another seat in %s already. Delete one of the two instead.", s.Name, t.Name)
		e.Code = fault.Exists
		return e
	}
	from, err := tx.Scope.Get(ctx, m.TeamID)
	if err != nil {
		return err
	}
	if err := tx.Member.UpdateOneID(m.ID).SetTeamID(t.ID).Exec(ctx); err != nil {
		return err
	}
	if err := d.rehang(ctx, tx, now, s, t); err != nil {
		return err
	}
	if err := d.Budgets.CheckRoom(ctx, tx, s.AccountID, tenancy.Plane(s.Plane), t.Path, []string{s.ID}); err != nil {
		return err
	}
	e := done("member.move", s)
	e.Changes = map[string]audit.Change{"team": {Before: from.Name, After: t.Name}}
	return tx.Audit(ctx, e)
}

// DeleteMember takes a seat away: its keys are refused, its budget ends, and
// another seat of the person becomes the default if this one was.
func (d *Directory) DeleteMember(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope) (Impact, error) {
	m, err := lockSeat(ctx, tx, s)
	if err != nil {
		return Impact{}, err
	}
	if err := d.Budgets.Serialize(ctx, tx, s.AccountID, tenancy.Plane(s.Plane)); err != nil {
		return Impact{}, err
	}
	ids, err := tx.Scope.Query().Where(scope.ParentID(s.ID), scope.DeletedAtIsNil()).IDs(ctx)
	if err != nil {
		return Impact{}, err
	}
	out, err := d.bury(ctx, tx, now, s.AccountID, append(ids, s.ID))
	if err != nil {
		return out, err
	}
	if err := shareOut(ctx, tx, s); err != nil {
		return out, err
	}
	out.SeatsEnded = 1
	if m.IsDefault {
		next, err := inherit(ctx, tx, m)
		if err != nil {
			return out, err
		}
		if next != "" {
			out.Notes = append(out.Notes, "The seat in "+next+" pays from then on when a call names none.")
		}
	}
	e := done("member.delete", s)
	e.Changes = out.changes()
	return out, tx.Audit(ctx, e)
}

// inherit makes another seat of a person their default in the plane: one that
// can be used if there is any, the oldest of those. It returns its team's name.
func inherit(ctx context.Context, tx *store.Tx, gone *ent.Member) (string, error) {
	var seatID, name string
	err := tx.Rows(ctx, `SELECT m.id, t.name FROM members m JOIN scopes t ON t.id = m.team_id JOIN scopes o ON o.id = t.parent_id
		WHERE m.user_id = ? AND m.plane = ? AND m.id <> ?
		ORDER BY CASE WHEN t.archived_at IS NULL AND o.archived_at IS NULL THEN 0 ELSE 1 END, m.id LIMIT 1`,
		[]any{gone.UserID, string(gone.Plane), gone.ID}, func(r *sql.Rows) error { return r.Scan(&seatID, &name) })
	if err != nil || seatID == "" {
		return "", err
	}
	return name, tx.Member.UpdateOneID(seatID).SetIsDefault(true).Exec(ctx)
}

// SetDefaultMember makes a seat the one that pays when a call names none.
func (d *Directory) SetDefaultMember(ctx context.Context, tx *store.Tx, s *ent.Scope) error {
	m, err := lockSeat(ctx, tx, s)
	if err != nil {
		return err
	}
	if err := usable(ctx, tx, s); err != nil {
		return err
	}
	others, err := tx.Member.Query().Where(member.UserID(m.UserID), member.PlaneEQ(m.Plane), member.IsDefault(true), member.IDNEQ(m.ID)).All(ctx)
	if err != nil {
		return err
	}
	for _, o := range others {
		if err := o.Update().SetIsDefault(false).Exec(ctx); err != nil {
			return err
		}
	}
	if err := tx.Member.UpdateOneID(m.ID).SetIsDefault(true).Exec(ctx); err != nil {
		return err
	}
	// The version that people see is that of the seat's node.
	if err := tx.Scope.UpdateOneID(s.ID).SetName(s.Name).Exec(ctx); err != nil {
		return err
	}
	return tx.Audit(ctx, done("member.default", s))
}
