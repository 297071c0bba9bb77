package sso

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/groupmapping"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// maxMappings bounds the mappings of a provider.
const maxMappings = 200

// MappingInput describes what a group gives.
type MappingInput struct {
	Group string
	// Scope is one that the viewer could read.
	Scope *ent.Scope
	Role  tenancy.RoleName
}

// CreateMapping gives a group of a provider a seat or a role, from the next
// sign-in of its people on.
func (g *Gate) CreateMapping(ctx context.Context, p *ent.IdentityProvider, in MappingInput) (*ent.GroupMapping, error) {
	in.Group = strings.TrimSpace(in.Group)
	if len(in.Group) > 200 {
		return nil, fault.At("group", "The name of a group has at most 200 characters.")
	}
	switch kind := in.Scope.Kind; {
	case in.Scope.AccountID != p.AccountID:
		return nil, fault.Missing("scope")
	case in.Scope.ArchivedAt != nil:
		return nil, fault.At("scopeId", "%s was deleted; choose another place.", in.Scope.Name)
	case in.Role == tenancy.Seatholder && kind != scope.KindTEAM:
		return nil, fault.At("scopeId", "Members have a seat in a team; choose a team.")
	case in.Role != tenancy.Seatholder && !slices.Contains([]scope.Kind{scope.KindACCOUNT, scope.KindCONSOLE, scope.KindCOPILOT, scope.KindORGANIZATION, scope.KindTEAM}, kind):
		return nil, fault.At("scopeId", "Roles are held at the account, a plane, an organization or a team.")
	case in.Role == tenancy.Admin && in.Group == "":
		return nil, fault.At("group", "Everybody who signs in would be an admin. Name a group.")
	}
	var m *ent.GroupMapping
	err := g.change(ctx, p.AccountID, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.GroupMapping.Query().Where(groupmapping.IdentityProviderID(p.ID)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= maxMappings {
			return fault.New(fault.Invalid, "An identity provider has at most %d mappings. Remove one that isn't used any more.", maxMappings)
		}
		m, err = tx.GroupMapping.Create().SetAccountID(p.AccountID).SetPlane(groupmapping.Plane(in.Scope.Plane)).SetIdentityProviderID(p.ID).
			SetGroupName(in.Group).SetScopeID(in.Scope.ID).SetRole(groupmapping.Role(in.Role)).Save(ctx)
		if store.IsConflict(err) {
			return fault.New(fault.Exists, "The group has this already.")
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, mappingEvent("groupMapping.create", in.Scope, m, p))
	})
	return m, err
}

// DeleteMapping removes a mapping; what it gave stays.
func (g *Gate) DeleteMapping(ctx context.Context, m *ent.GroupMapping) error {
	return g.change(ctx, m.AccountID, func(ctx context.Context, tx *store.Tx) error {
		s, err := tx.Scope.Get(ctx, m.ScopeID)
		if err != nil {
			return err
		}
		p, err := tx.IdentityProvider.Get(ctx, m.IdentityProviderID)
		if err != nil {
			return err
		}
		if err := tx.GroupMapping.DeleteOneID(m.ID).Exec(ctx); err != nil {
			return missing(err, "mapping")
		}
		return tx.Audit(ctx, mappingEvent("groupMapping.delete", s, m, p))
	})
}

func mappingEvent(action string, s *ent.Scope, m *ent.GroupMapping, p *ent.IdentityProvider) audit.Event {
	e := event(action, m.AccountID, m.ID, p.Name)
	e.Changes = map[string]audit.Change{"group": {After: m.GroupName}, "scope": {After: s.Name}, "role": {After: string(m.Role)}}
	return e
}

// give adds what the groups of a person bring and they lack. Nothing is ever
// taken away here: a provider that leaves its groups out once would strip
// everybody, admins among them.
func give(ctx context.Context, tx *store.Tx, p *ent.IdentityProvider, u *ent.User, groups []string) error {
	mappings, err := tx.GroupMapping.Query().Where(groupmapping.IdentityProviderID(p.ID)).WithScope().Order(groupmapping.ByID()).Limit(maxMappings).All(ctx)
	if err != nil {
		return err
	}
	for _, m := range mappings {
		s := m.Edges.Scope
		if s.ArchivedAt != nil || (m.GroupName != "" && !slices.Contains(groups, m.GroupName)) {
			continue
		}
		if m.Role == groupmapping.RoleMEMBER {
			err = seat(ctx, tx, p, u, s)
		} else {
			err = bind(ctx, tx, p, u, s, tenancy.RoleName(m.Role))
		}
		if f := fault.As(err); f != nil && f.Code != fault.Exists {
			// Such as a team below what was archived: that is no reason to refuse people.
			slog.WarnContext(ctx, "a group mapping gives nothing", "mapping", m.ID, "cause", err)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func seat(ctx context.Context, tx *store.Tx, p *ent.IdentityProvider, u *ent.User, team *ent.Scope) error {
	has, err := tx.Member.Query().Where(member.UserID(u.ID), member.TeamID(team.ID)).Exist(ctx)
	if err != nil || has {
		return err
	}
	_, err = identity.AddMappedMember(ctx, tx, team, u, p.ID)
	return err
}

func bind(ctx context.Context, tx *store.Tx, p *ent.IdentityProvider, u *ent.User, s *ent.Scope, role tenancy.RoleName) error {
	has, err := tx.RoleBinding.Query().Where(rolebinding.UserID(u.ID), rolebinding.ScopeID(s.ID), rolebinding.RoleEQ(rolebinding.Role(role))).Exist(ctx)
	if err != nil || has {
		return err
	}
	return identity.BindMappedRole(ctx, tx, u, s, role, p.ID)
}
