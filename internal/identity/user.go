package identity

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// UpdateUser renames a person, on their seats too.
func (d *Directory) UpdateUser(ctx context.Context, tx *store.Tx, now time.Time, userID, name string, expected *int) (*ent.User, error) {
	name, err := checkName(name)
	if err != nil {
		return nil, err
	}
	if err := lockUser(ctx, tx, userID); err != nil {
		return nil, err
	}
	u, err := tx.User.Get(ctx, userID)
	if err != nil {
		return nil, err
	}
	if err := outdated(expected, u.Version); err != nil {
		return nil, err
	}
	if u, err = u.Update().SetName(name).Save(ctx); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "UPDATE scopes SET name = ?, version = version + 1, updated_at = ? WHERE id IN (SELECT id FROM members WHERE user_id = ?)", name, now, userID); err != nil {
		return nil, err
	}
	return u, tx.Audit(ctx, userEvent("user.update", u))
}

func userEvent(action string, u *ent.User) audit.Event {
	path := "/" + u.AccountID + "/"
	if u.AccountID == id.PlatformID {
		path = "/"
	}
	return audit.Event{Action: action, AccountID: u.AccountID, Plane: tenancy.Plane(u.Plane),
		ScopeID: u.AccountID, ScopePath: path, TargetID: u.ID, TargetName: u.Name}
}

// Deactivate refuses a person: sessions, tokens, keys and streams end, and
// their open invitations. Nothing is deleted. The last admin stays.
func (d *Directory) Deactivate(ctx context.Context, tx *store.Tx, now time.Time, userID string) (*ent.User, error) {
	u, err := tx.User.Get(ctx, userID)
	if err != nil {
		return nil, err
	}
	root, err := tx.Scope.Get(ctx, u.AccountID)
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, tx, []*ent.Scope{root}, nil); err != nil {
		return nil, err
	}
	if err := lockUser(ctx, tx, userID); err != nil {
		return nil, err
	}
	if u, err = tx.User.Get(ctx, userID); err != nil {
		return nil, err
	}
	v := tenancy.ViewerFrom(ctx)
	switch {
	case v != nil && v.UserID == u.ID:
		return nil, fault.At("userId", "You can't deactivate yourself. Ask another admin.")
	case u.Status != user.StatusACTIVE:
		return nil, fault.At("userId", "%s is deactivated already.", u.Name)
	}
	if err := notLastAdmin(ctx, tx, root, u); err != nil {
		return nil, err
	}
	if u, err = u.Update().SetStatus(user.StatusDEACTIVATED).Save(ctx); err != nil {
		return nil, err
	}
	if err := retract(ctx, tx, now, u.ID, u.AccountID, root.Path); err != nil {
		return nil, err
	}
	// For good: they don't come back when the person does.
	if _, err := EndSessions(ctx, tx, u.AccountID, session.UserID(u.ID)); err != nil {
		return nil, err
	}
	return u, tx.Audit(ctx, userEvent("user.deactivate", u))
}

// Reactivate lets a deactivated person in again.
func (d *Directory) Reactivate(ctx context.Context, tx *store.Tx, userID string) (*ent.User, error) {
	if err := lockUser(ctx, tx, userID); err != nil {
		return nil, err
	}
	u, err := tx.User.Get(ctx, userID)
	if err != nil {
		return nil, err
	}
	if u.Status == user.StatusACTIVE {
		return nil, fault.At("userId", "%s isn't deactivated.", u.Name)
	}
	if u, err = u.Update().SetStatus(user.StatusACTIVE).Save(ctx); err != nil {
		return nil, err
	}
	return u, tx.Audit(ctx, userEvent("user.reactivate", u))
}
