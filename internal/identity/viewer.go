package identity

import (
	"context"
	"fmt"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// viewerOf reads what a user may be and see now: bindings and seats.
func viewerOf(ctx context.Context, st *store.Store, u *ent.User) (*tenancy.Viewer, error) {
	ctx = tenancy.System(ctx, "a viewer's roles are read before there is a viewer")
	bindings, err := st.RoleBinding.Query().Where(rolebinding.UserID(u.ID)).WithScope().All(ctx)
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
	seats, err := st.User.Query().Where(user.ID(u.ID)).QuerySeats().IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: seats: %w", err)
	}
	scopes, err := st.Scope.Query().Where(scope.IDIn(seats...), scope.ArchivedAtIsNil()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: seats: %w", err)
	}
	for _, s := range scopes {
		v.Roles = append(v.Roles, roleAt(tenancy.Seatholder, s))
	}
	v.Reach = tenancy.ReachOf(u.AccountID, v.Roles)
	return v, nil
}

func roleAt(r tenancy.RoleName, s *ent.Scope) tenancy.Role {
	return tenancy.Role{Role: r, Plane: tenancy.Plane(s.Plane), Kind: tenancy.Kind(s.Kind), ScopeID: s.ID, Path: s.Path}
}
