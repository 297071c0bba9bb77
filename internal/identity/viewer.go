package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ViewerOf reads what a user may be and see now: bindings and seats.
func ViewerOf(ctx context.Context, c *ent.Client, u *ent.User) (*tenancy.Viewer, error) {
	ctx = tenancy.System(ctx, "a viewer's roles are read before there is a viewer")
	bindings, err := c.RoleBinding.Query().Where(rolebinding.UserID(u.ID)).WithScope().All(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: roles: %w", err)
	}
	v := &tenancy.Viewer{
		Kind: tenancy.UserViewer, AccountID: u.AccountID, UserID: u.ID, Name: u.Name,
		Platform: u.AccountID == id.PlatformID,
	}
	for _, b := range bindings {
		v.Roles = append(v.Roles, roleAt(tenancy.RoleName(b.Role), b.Edges.Scope))
	}
	seats, err := c.User.Query().Where(user.ID(u.ID)).QuerySeats().IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: seats: %w", err)
	}
	scopes, err := c.Scope.Query().Where(scope.IDIn(seats...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: seats: %w", err)
	}
	for _, s := range scopes {
		v.Roles = append(v.Roles, roleAt(tenancy.Seatholder, s))
	}
	if v.Roles, err = standing(ctx, c, v.Roles); err != nil {
		return nil, err
	}
	if v.Off, err = Unused(ctx, c, u.AccountID); err != nil {
		return nil, err
	}
	v.Roles = slices.DeleteFunc(v.Roles, func(r tenancy.Role) bool { return slices.Contains(v.Off, r.Plane) })
	v.Reach = tenancy.ReachOf(u.AccountID, v.Roles)
	return v, nil
}

// Unused are the products that an account doesn't use.
func Unused(ctx context.Context, c *ent.Client, accountID string) (off []tenancy.Plane, err error) {
	a, err := c.Account.Get(ctx, accountID)
	if err != nil {
		return nil, fmt.Errorf("identity: planes: %w", err)
	}
	if !a.Console {
		off = append(off, tenancy.Console)
	}
	if !a.Copilot {
		off = append(off, tenancy.Copilot)
	}
	return off, nil
}

// standing drops roles at nodes that were archived, or lie below one that was.
func standing(ctx context.Context, c *ent.Client, roles []tenancy.Role) ([]tenancy.Role, error) {
	var above []string
	for _, r := range roles {
		above = append(above, strings.Split(strings.Trim(r.Path, "/"), "/")...)
	}
	gone, err := c.Scope.Query().Where(scope.IDIn(above...), scope.ArchivedAtNotNil()).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: archived scopes: %w", err)
	}
	return slices.DeleteFunc(roles, func(r tenancy.Role) bool {
		return slices.ContainsFunc(gone, func(g string) bool { return strings.Contains(r.Path, "/"+g+"/") })
	}), nil
}

func roleAt(r tenancy.RoleName, s *ent.Scope) tenancy.Role {
	return tenancy.Role{Role: r, Plane: tenancy.Plane(s.Plane), Kind: tenancy.Kind(s.Kind), ScopeID: s.ID, Path: s.Path}
}
