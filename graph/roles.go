package graph

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// anyScope finds a scope of any kind that the viewer sees; platform staff see
// the platform's own besides.
func (r *Resolver) anyScope(ctx context.Context, scopeID string) (*ent.Scope, error) {
	if scopeID == id.PlatformID {
		ctx = home(ctx)
	}
	s, err := r.Store.Scope.Get(ctx, scopeID)
	if ent.IsNotFound(err) {
		e := fault.Missing("scope")
		e.Path = []string{"scopeId"}
		return nil, e
	}
	return s, err
}

// placeOf is the scope that a row names, as GraphQL's type of its kind.
func (r *Resolver) placeOf(ctx context.Context, scopeID string) (model.Scope, error) {
	s, err := from(ctx).places.Load(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	if s.Kind != scope.KindACCOUNT {
		return toScope(s)
	}
	a, err := from(ctx).owners.Load(ctx, s.ID)
	if err != nil {
		return nil, err
	}
	return toAccount(a), nil
}

// wordsFor names the scope of a row: its location with its own name.
func (r *Resolver) wordsFor(ctx context.Context, scopeID string) (string, error) {
	s, err := from(ctx).places.Load(ctx, scopeID)
	if err != nil {
		return "", err
	}
	name, err := label(ctx, s.Path)
	if err == nil && name == "" {
		name = s.Name
	}
	return name, err
}

func (r *Resolver) canAt(ctx context.Context, scopeID string, actions ...access.Action) ([]*model.ViewerPermission, error) {
	s, err := from(ctx).places.Load(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	return r.can(ctx, ref(s), actions)
}

func (r *Resolver) sourceOf(ctx context.Context, providerID string) (*model.IdentityProvider, error) {
	if providerID == "" {
		return nil, nil
	}
	p, err := maybe(from(ctx).sources.Load(ctx, providerID))
	if p == nil || err != nil {
		return nil, err
	}
	return r.toIdentityProvider(p), nil
}

func (r *Resolver) roleBind(ctx context.Context, in model.RoleBindInput) (*ent.RoleBinding, error) {
	s, err := r.anyScope(ctx, in.ScopeID)
	if err != nil {
		return nil, err
	}
	u, err := r.userByID(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.RoleBind, s)}, false, func(ctx context.Context, tx *store.Tx) (*ent.RoleBinding, error) {
		return r.directory().HandOut(ctx, tx, u, s, tenancy.RoleName(in.Role))
	})
}

func (r *Resolver) roleUnbind(ctx context.Context, in model.RoleUnbindInput) error {
	v, err := viewerOf(ctx)
	if err != nil {
		return err
	}
	b, err := r.Store.RoleBinding.Query().Where(rolebinding.ID(in.RoleBindingID), rolebinding.AccountID(v.AccountID)).WithScope().Only(home(ctx))
	if ent.IsNotFound(err) || err == nil && b.Edges.Scope == nil {
		e := fault.Missing("role")
		e.Path = []string{"roleBindingId"}
		return e
	}
	if err != nil {
		return err
	}
	return r.change(ctx, []leave{need(access.RoleBind, b.Edges.Scope)}, false, func(ctx context.Context, tx *store.Tx) error {
		return r.directory().UnbindRole(ctx, tx, r.Store.Now(), b, b.Edges.Scope)
	})
}

// within confines rows to a scope, or also to those below it.
func within(at model.Ref, below bool) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if !below {
			s.Where(sql.EQ(s.C("scope_id"), at.ID))
			return
		}
		t := sql.Dialect(s.Dialect()).Table(scope.Table).As("below_scopes")
		s.Where(sql.Exists(sql.Dialect(s.Dialect()).Select(t.C("id")).From(t).Where(sql.And(
			sql.ColumnsEQ(t.C("id"), s.C("scope_id")),
			sql.EQ(t.C("account_id"), at.AccountID),
			sql.P(func(b *sql.Builder) {
				b.WriteString("substr(").WriteString(t.C("path")).WriteString(", 1, ").Arg(len(at.Path)).WriteString(") = ").Arg(at.Path)
			}),
		))))
	}
}

func (r *Resolver) rolePage(ctx context.Context, at model.Ref, below bool, w window) (*model.RoleBindingConnection, error) {
	query := func() *ent.RoleBindingQuery {
		q := r.Store.RoleBinding.Query().Where(rolebinding.AccountID(at.AccountID))
		q.WhereP(within(at, below))
		return q
	}
	rows, info, err := list[*ent.RoleBinding](home(ctx), query(), w, rolebinding.FieldID, false, func(b *ent.RoleBinding) string { return b.ID })
	if err != nil {
		return nil, err
	}
	return &model.RoleBindingConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(home(ctx)) },
		Edges: mapTo(rows, func(b *ent.RoleBinding) *model.RoleBindingEdge {
			return &model.RoleBindingEdge{Node: toRoleBinding(b), Cursor: encode(b.ID)}
		})}, nil
}
