package oauth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// mayActIn tells whether a program may act in a plane.
func mayActIn(c *ent.ServiceClient, p tenancy.Plane) bool {
	return p == tenancy.Console && c.Console || p == tenancy.Copilot && c.Copilot
}

// within keeps of a person's roles what lies in the program's planes. A role at
// the account reaches both: a program of one plane has it at that plane's root.
// What the platform's staff are, no program is.
func within(ctx context.Context, st *store.Store, v *tenancy.Viewer, c *ent.ServiceClient) error {
	var roots []*ent.Scope
	out := []tenancy.Role{}
	add := func(r tenancy.Role) {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	for _, r := range v.Roles {
		switch {
		case r.Kind == tenancy.KindPlatform:
		case r.Kind != tenancy.KindAccount:
			if mayActIn(c, r.Plane) {
				add(r)
			}
		case c.Console && c.Copilot:
			add(r)
		default:
			if roots == nil {
				var err error
				if roots, err = planeRoots(ctx, st, v.AccountID); err != nil {
					return err
				}
			}
			for _, root := range roots {
				if mayActIn(c, tenancy.Plane(root.Plane)) {
					add(roleAt(r.Role, root))
				}
			}
		}
	}
	v.Roles, v.Platform = out, false
	v.Reach = tenancy.ReachOf(v.AccountID, out)
	return nil
}

// ownRoles are those of a program that acts for itself: it reads its planes,
// and is an admin there if one of its permissions changes things. A program of
// the platform is that at the platform, and nothing in any account.
func ownRoles(ctx context.Context, st *store.Store, c *ent.ServiceClient) ([]tenancy.Role, error) {
	role := tenancy.Auditor
	if slices.ContainsFunc(c.Permissions, func(p string) bool { return strings.HasSuffix(p, ".manage") }) {
		role = tenancy.Admin
	}
	if c.AccountID == id.PlatformID {
		if !slices.Contains(c.Permissions, "platform.manage") {
			role = tenancy.Auditor
		}
		return []tenancy.Role{{Role: role, Plane: tenancy.PlanePlatform, Kind: tenancy.KindPlatform, ScopeID: id.PlatformID, Path: "/"}}, nil
	}
	roots, err := planeRoots(ctx, st, c.AccountID)
	if err != nil {
		return nil, err
	}
	out := []tenancy.Role{}
	for _, root := range roots {
		if mayActIn(c, tenancy.Plane(root.Plane)) {
			out = append(out, roleAt(role, root))
		}
	}
	return out, nil
}

func planeRoots(ctx context.Context, st *store.Store, accountID string) ([]*ent.Scope, error) {
	roots, err := st.Scope.Query().Where(scope.AccountID(accountID), scope.KindIn(scope.KindCONSOLE, scope.KindCOPILOT)).
		Order(ent.Asc(scope.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("oauth: plane roots: %w", err)
	}
	return roots, nil
}

func roleAt(r tenancy.RoleName, s *ent.Scope) tenancy.Role {
	return tenancy.Role{Role: r, Plane: tenancy.Plane(s.Plane), Kind: tenancy.Kind(s.Kind), ScopeID: s.ID, Path: s.Path}
}
