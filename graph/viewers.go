package graph

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toViewer(v *tenancy.Viewer) *model.Viewer {
	out := &model.Viewer{IsPlatformStaff: v.Platform, Name: v.Name, ClientName: unless(v.ClientName), V: v}
	if v.Narrowed {
		out.Permissions = append([]string{}, v.Permissions...)
	}
	return out
}

func toChoices(in []identity.Choice) []*model.AccountChoice {
	return mapTo(in, func(c identity.Choice) *model.AccountChoice {
		return &model.AccountChoice{ID: c.ID, Name: c.Name, Slug: c.Slug}
	})
}

func viewerRoles(ctx context.Context, v *tenancy.Viewer) ([]*model.ViewerRole, error) {
	out := []*model.ViewerRole{}
	for _, role := range v.Roles {
		name, err := label(ctx, role.Path)
		if err != nil {
			return nil, err
		}
		if name == "" {
			if name, err = from(ctx).names.Load(ctx, role.ScopeID); err != nil {
				return nil, err
			}
		}
		r := &model.ViewerRole{Role: model.Role(role.Role), Kind: model.ScopeKind(role.Kind), ScopeID: role.ScopeID, Label: name}
		if p := model.Plane(role.Plane); p.IsValid() {
			r.Plane = &p
		}
		out = append(out, r)
	}
	return out, nil
}

// accountByID reads the viewer's own account; platform staff read any.
func (r *Resolver) accountByID(ctx context.Context, accountID string) (*model.Account, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if v.AccountID != accountID && !v.Platform {
		return nil, fault.Missing("account")
	}
	a, err := r.Store.Account.Get(tenancy.Platform(ctx), accountID)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("account")
	}
	if err != nil {
		return nil, err
	}
	return toAccount(a), nil
}

func (r *Resolver) defaultSeat(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane) (*model.Member, error) {
	m, err := r.Store.Member.Query().
		Where(member.UserID(v.UserID), member.PlaneEQ(member.Plane(plane)), member.IsDefault(true)).First(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := r.Store.Scope.Get(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	return toMember(s), nil
}

// nameOf is a scope's name, nil for none.
func nameOf(ctx context.Context, scopeID string) (*string, error) {
	if scopeID == "" {
		return nil, nil
	}
	name, err := maybe(from(ctx).names.Load(ctx, scopeID))
	if name == "" {
		return nil, err
	}
	return &name, err
}
