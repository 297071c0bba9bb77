package identity

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// BindRole lets a user be ADMIN or VIEWER at a scope. Whoever calls it has
// asked whether the viewer may hand out roles there: nobody hands out more than
// they hold, because that takes an ADMIN of the scope or of one above it.
func BindRole(ctx context.Context, tx *store.Tx, u *ent.User, s *ent.Scope, role tenancy.RoleName) error {
	_, err := bindRole(ctx, tx, u, s, role, "")
	return err
}

// BindMappedRole is BindRole for a role that an identity provider's mapping
// gives.
func BindMappedRole(ctx context.Context, tx *store.Tx, u *ent.User, s *ent.Scope, role tenancy.RoleName, identityProviderID string) error {
	_, err := bindRole(ctx, tx, u, s, role, identityProviderID)
	return err
}

// HandOut is BindRole for a person who does it, with the role's row.
func (d *Directory) HandOut(ctx context.Context, tx *store.Tx, u *ent.User, s *ent.Scope, role tenancy.RoleName) (*ent.RoleBinding, error) {
	if u.Status != user.StatusACTIVE {
		return nil, fault.At("userId", "%s is deactivated. Reactivate them first.", u.Name)
	}
	return bindRole(ctx, tx, u, s, role, "")
}

func bindRole(ctx context.Context, tx *store.Tx, u *ent.User, s *ent.Scope, role tenancy.RoleName, source string) (*ent.RoleBinding, error) {
	if err := checkRoleAt(s, role); err != nil {
		return nil, err
	}
	if u.AccountID != s.AccountID {
		e := fault.Missing("user")
		e.Path = []string{"userId"}
		return nil, e
	}
	if err := lock(ctx, tx, nil, []*ent.Scope{s}); err != nil {
		return nil, err
	}
	if err := usable(ctx, tx, s); err != nil {
		return nil, err
	}
	if err := lockUser(ctx, tx, u.ID); err != nil {
		return nil, err
	}
	held, err := tx.RoleBinding.Query().Where(rolebinding.UserID(u.ID), rolebinding.ScopeID(s.ID), rolebinding.RoleEQ(rolebinding.Role(role))).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if held {
		return nil, fault.New(fault.Exists, "%s is %s of %s already.", u.Name, role, s.Name)
	}
	b, err := tx.RoleBinding.Create().SetAccountID(s.AccountID).SetPlane(rolebinding.Plane(s.Plane)).
		SetUserID(u.ID).SetScopeID(s.ID).SetRole(rolebinding.Role(role)).SetSource(source).Save(ctx)
	if err != nil {
		return nil, err
	}
	e := done("role.bind", s)
	e.TargetID, e.TargetName = u.ID, u.Name
	e.Changes = map[string]audit.Change{"role": {After: string(role)}}
	return b, tx.Audit(ctx, e)
}

func checkRoleAt(s *ent.Scope, role tenancy.RoleName) error {
	switch s.Kind {
	case scope.KindMEMBER, scope.KindKEY:
		return fault.At("scopeId", "Roles are held at a team, or at any scope above one.")
	}
	switch role {
	case tenancy.Admin, tenancy.Auditor:
		return nil
	case tenancy.Seatholder:
		return fault.At("role", "Being a member of a team takes a seat there, not a role.")
	}
	return fault.At("role", "There is no such role.")
}

// UnbindRole withdraws a role. The last admin of an account, or of the
// platform, stays one.
func (d *Directory) UnbindRole(ctx context.Context, tx *store.Tx, now time.Time, b *ent.RoleBinding, s *ent.Scope) error {
	root := isRoot(s)
	var err error
	if root {
		err = lock(ctx, tx, []*ent.Scope{s}, nil)
	} else {
		err = lock(ctx, tx, nil, []*ent.Scope{s})
	}
	if err != nil {
		return err
	}
	u, err := tx.User.Get(ctx, b.UserID)
	if err != nil {
		return err
	}
	if root && b.Role == rolebinding.RoleADMIN {
		if err := notLastAdmin(ctx, tx, s, u); err != nil {
			return err
		}
	}
	// What they hand out by it at this moment is done, and seen below, or refused.
	n, err := tx.RoleBinding.Delete().Where(rolebinding.ID(b.ID)).Exec(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.Missing("role")
	}
	if b.Role == rolebinding.RoleADMIN {
		if err := retract(ctx, tx, now, u.ID, s.AccountID, s.Path); err != nil {
			return err
		}
	}
	e := done("role.unbind", s)
	e.TargetID, e.TargetName = u.ID, u.Name
	e.Changes = map[string]audit.Change{"role": {Before: string(b.Role)}}
	return tx.Audit(ctx, e)
}

func isRoot(s *ent.Scope) bool { return s.Kind == scope.KindACCOUNT || s.Kind == scope.KindPLATFORM }

// notLastAdmin refuses to take away the only active admin of an account or of
// the platform, whose scope is locked.
func notLastAdmin(ctx context.Context, tx *store.Tx, root *ent.Scope, u *ent.User) error {
	is, err := tx.RoleBinding.Query().Where(rolebinding.ScopeID(root.ID), rolebinding.RoleEQ(rolebinding.RoleADMIN), rolebinding.UserID(u.ID)).Exist(ctx)
	if err != nil || !is {
		return err
	}
	others, err := tx.RoleBinding.Query().Where(rolebinding.ScopeID(root.ID), rolebinding.RoleEQ(rolebinding.RoleADMIN), rolebinding.UserIDNEQ(u.ID),
		rolebinding.HasUserWith(user.StatusEQ(user.StatusACTIVE))).Exist(ctx)
	if err == nil && !others {
		err = fault.New(fault.InUse, "%s is the last admin of %s. Make somebody else one first.", u.Name, root.Name)
	}
	return err
}

// retract takes back the open invitations that somebody made at or below a
// path, once they may no longer invite there, and tells of each.
func retract(ctx context.Context, tx *store.Tx, now time.Time, userID, accountID, path string) error {
	query, args := `UPDATE invitations SET revoked_at = ?, version = version + 1, updated_at = ?
		WHERE invited_by = ? AND accepted_at IS NULL AND revoked_at IS NULL`, []any{now, now, userID}
	if path != "/" { // of the platform: they invited the first admins of accounts
		query += " AND scope_id IN (SELECT id FROM scopes WHERE account_id = ? AND substr(path, 1, ?) = ?)"
		args = append(args, accountID, len(path), path)
	}
	gone, err := endings(ctx, tx, query+" RETURNING scope_id, id, email, role", args)
	if err != nil {
		return err
	}
	return tellEndings(ctx, tx, "invitation.revoke", "role", "Whoever invited them may no longer.", gone)
}
