package graph

import (
	"context"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// scopeByID finds a scope that the viewer sees; platform staff see all, what
// they may do there is decided by policy.
func (r *Resolver) scopeByID(ctx context.Context, scopeID string) (*ent.Scope, error) {
	s, err := r.Store.Scope.Get(tenancy.Platform(ctx), scopeID)
	if ent.IsNotFound(err) || err == nil && closedToStaff(ctx, s) {
		return nil, fault.Missing("scope")
	}
	return s, err
}

// closedToStaff: the platform knows accounts and their planes, and nothing of
// what is below them.
func closedToStaff(ctx context.Context, s *ent.Scope) bool {
	v := tenancy.ViewerFrom(ctx)
	return v != nil && v.Platform && slices.Contains([]scope.Kind{scope.KindORGANIZATION, scope.KindTEAM, scope.KindMEMBER, scope.KindKEY, scope.KindAGENT}, s.Kind)
}

// root finds a plane's root; nil where the viewer doesn't see the plane.
func (r *Resolver) root(ctx context.Context, accountID string, plane tenancy.Plane) (*ent.Scope, error) {
	if len(Reaches(ctx, accountID, plane)) == 0 {
		return nil, nil
	}
	// Those below the root see that it exists, and what hangs below by reach.
	ctx = tenancy.System(ctx, "the root of a plane that the viewer has a part of")
	s, err := r.Store.Scope.Query().
		Where(scope.AccountID(accountID), scope.PlaneEQ(scope.Plane(plane)), scope.KindEQ(scope.Kind(plane))).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return s, err
}

// ownRoot is the root of a plane of the viewer's own account, for mutations.
func (r *Resolver) ownRoot(ctx context.Context, plane tenancy.Plane) (*ent.Scope, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	s, err := r.root(ctx, v.AccountID, plane)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fault.New(fault.NotFound, "Your account doesn't use %s, or you have no part in it.", strings.ToLower(string(plane)))
	}
	return s, nil
}

func (r *Resolver) plane(ctx context.Context, accountID *string, plane tenancy.Plane) (*ent.Scope, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if accountID != nil && *accountID != v.AccountID {
		return nil, nil // open to platform staff in a support access alone
	}
	if v.Platform {
		return nil, nil
	}
	return r.root(ctx, v.AccountID, plane)
}

// location names the scopes between a plane's root and the scope itself.
func location(ctx context.Context, path string) (string, error) {
	ids := strings.Split(strings.Trim(path, "/"), "/")
	if len(ids) < 4 { // account, plane root, the scope itself
		return "", nil
	}
	names, err := from(ctx).names.LoadAll(ctx, ids[2:len(ids)-1])
	if err != nil {
		return "", err
	}
	return strings.Join(names, " / "), nil
}

// label is a scope's location and its own name.
func label(ctx context.Context, path string) (string, error) {
	return location(ctx, path+"x/")
}

func budgetOf(ctx context.Context, scopeID string) (*model.Budget, error) {
	return maybe(from(ctx).budgets.Load(ctx, scopeID))
}

// scopePage lists a plane's scopes of given kinds below a path.
func (r *Resolver) scopePage(ctx context.Context, at model.Ref, w window, column string, descending bool, where ...func(*sql.Selector)) ([]*ent.Scope, *model.PageInfo, model.Counter, error) {
	ctx = tenancy.InPlane(ctx, at.Plane)
	query := func() *ent.ScopeQuery {
		q := r.Store.Scope.Query().Where(scope.AccountID(at.AccountID), scope.PlaneEQ(scope.Plane(at.Plane)), scope.DeletedAtIsNil())
		q.WhereP(where...)
		return q
	}
	key := func(s *ent.Scope) string { return s.ID }
	if column == scope.FieldPath {
		key = func(s *ent.Scope) string { return s.Path }
	}
	rows, info, err := list[*ent.Scope](ctx, query(), w, column, descending, key)
	return rows, info, func(ctx context.Context) (int, error) {
		return query().Count(tenancy.InPlane(ctx, at.Plane))
	}, err
}

func kindIs(k scope.Kind) func(*sql.Selector) { return scope.KindEQ(k) }

func parentIs(parentID *string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if parentID != nil {
			s.Where(sql.EQ(s.C(scope.FieldParentID), *parentID))
		}
	}
}

func (r *Resolver) scopes(ctx context.Context, at model.Ref, under *string, kinds []model.ScopeKind, search *string, budgeted bool, w window) (*model.ScopeConnection, error) {
	path, text := at.Path, strings.TrimSpace(value(search))
	if len(text) > maxSearch {
		return nil, fault.New(fault.BadInput, "Search for at most %d characters.", maxSearch)
	}
	if under != nil {
		s, err := r.scopeByID(ctx, *under)
		if err != nil {
			return nil, err
		}
		path = s.Path
	}
	rows, info, count, err := r.scopePage(ctx, at, w, scope.FieldPath, false, scope.ArchivedAtIsNil(), func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("substr(").WriteString(s.C(scope.FieldPath)).WriteString(", 1, ").Arg(len(path)).WriteString(") = ").Arg(path)
		}))
		if len(kinds) > 0 {
			s.Where(sql.In(s.C(scope.FieldKind), mapTo(kinds, func(k model.ScopeKind) any { return string(k) })...))
		}
		if text != "" {
			s.Where(sql.ContainsFold(s.C(scope.FieldName), text))
		}
		if budgeted {
			b := sql.Dialect(s.Dialect()).Table(budget.Table)
			s.Where(sql.In(s.C(scope.FieldID), sql.Dialect(s.Dialect()).Select(b.C(budget.FieldScopeID)).From(b)))
		}
	})
	if err != nil {
		return nil, err
	}
	out := &model.ScopeConnection{PageInfo: info, Count: count, Edges: []*model.ScopeEdge{}}
	for _, s := range rows {
		node, err := toScope(s)
		if err != nil {
			return nil, err
		}
		out.Edges = append(out.Edges, &model.ScopeEdge{Node: node, Cursor: encode(s.Path)})
	}
	return out, nil
}

func (r *Resolver) organizationPage(ctx context.Context, at model.Ref, w window) (*model.OrganizationConnection, error) {
	rows, info, count, err := r.scopePage(ctx, at, w, scope.FieldID, false, kindIs(scope.KindORGANIZATION))
	if err != nil {
		return nil, err
	}
	return &model.OrganizationConnection{PageInfo: info, Count: count, Edges: mapTo(rows, func(s *ent.Scope) *model.OrganizationEdge {
		return &model.OrganizationEdge{Node: toOrganization(s), Cursor: encode(s.ID)}
	})}, nil
}

func (r *Resolver) teamPage(ctx context.Context, at model.Ref, organizationID *string, w window) (*model.TeamConnection, error) {
	rows, info, count, err := r.scopePage(ctx, at, w, scope.FieldID, false, kindIs(scope.KindTEAM), parentIs(organizationID))
	if err != nil {
		return nil, err
	}
	return &model.TeamConnection{PageInfo: info, Count: count, Edges: mapTo(rows, func(s *ent.Scope) *model.TeamEdge {
		return &model.TeamEdge{Node: toTeam(s), Cursor: encode(s.ID)}
	})}, nil
}

func (r *Resolver) memberPage(ctx context.Context, at model.Ref, teamID, search *string, w window, where ...func(*sql.Selector)) (*model.MemberConnection, error) {
	where = append(where, kindIs(scope.KindMEMBER), parentIs(teamID), func(s *sql.Selector) {
		if search == nil || strings.TrimSpace(*search) == "" {
			return
		}
		m, u := sql.Dialect(s.Dialect()).Table(member.Table).As("found_members"), sql.Dialect(s.Dialect()).Table(user.Table).As("found_users")
		s.Where(sql.Exists(sql.Dialect(s.Dialect()).Select(m.C(member.FieldID)).From(m).Join(u).On(u.C(user.FieldID), m.C(member.FieldUserID)).Where(sql.And(
			sql.ColumnsEQ(m.C(member.FieldID), s.C(scope.FieldID)),
			sql.Or(sql.ContainsFold(u.C(user.FieldName), strings.TrimSpace(*search)), sql.ContainsFold(u.C(user.FieldEmail), strings.TrimSpace(*search))),
		))))
	})
	rows, info, count, err := r.scopePage(ctx, at, w, scope.FieldID, false, where...)
	if err != nil {
		return nil, err
	}
	return &model.MemberConnection{PageInfo: info, Count: count, Edges: mapTo(rows, func(s *ent.Scope) *model.MemberEdge {
		return &model.MemberEdge{Node: toMember(s), Cursor: encode(s.ID)}
	})}, nil
}

func (r *Resolver) keyPage(ctx context.Context, at model.Ref, ownerID *string, w window) (*model.KeyConnection, error) {
	rows, info, count, err := r.scopePage(ctx, at, w, scope.FieldID, true, kindIs(scope.KindKEY), parentIs(ownerID))
	if err != nil {
		return nil, err
	}
	return &model.KeyConnection{PageInfo: info, Count: count, Edges: mapTo(rows, func(s *ent.Scope) *model.KeyEdge {
		return &model.KeyEdge{Node: toKey(s), Cursor: encode(s.ID)}
	})}, nil
}

// memberRoles are the roles of a seat's person that matter in its plane.
func memberRoles(ctx context.Context, at model.Ref, m *ent.Member) ([]*model.MemberRole, error) {
	out := []*model.MemberRole{}
	for _, b := range m.Edges.User.Edges.Roles {
		s := b.Edges.Scope
		if s == nil || (tenancy.Plane(s.Plane) != at.Plane && s.Kind != scope.KindACCOUNT) {
			continue
		}
		at, err := label(ctx, s.Path)
		if err != nil {
			return nil, err
		}
		if at == "" {
			at = s.Name
		}
		out = append(out, &model.MemberRole{Role: model.Role(b.Role), Kind: model.ScopeKind(s.Kind), Label: at})
	}
	return out, nil
}
