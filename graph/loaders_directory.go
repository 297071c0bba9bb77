package graph

import (
	"context"

	"github.com/vikstrous/dataloadgen"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// directoryLoaders read what lists of people, roles and invitations show.
type directoryLoaders struct {
	// places are the scopes, and people the users, that a row names which the
	// viewer sees; nothing more is read of them past the viewer's reach.
	places    *dataloadgen.Loader[string, *ent.Scope]
	people    *dataloadgen.Loader[string, *ent.User]
	owners    *dataloadgen.Loader[string, *ent.Account]
	sources   *dataloadgen.Loader[string, *ent.IdentityProvider]
	userSeats *dataloadgen.Loader[string, []*ent.Scope]       // by user
	userRoles *dataloadgen.Loader[string, []*ent.RoleBinding] // by user
}

// maxOf bounds what is listed of one person.
const maxOf = 100

func (r *Resolver) newDirectoryLoaders() directoryLoaders {
	st := r.Store
	return directoryLoaders{
		places: loader(func(ctx context.Context, ids []string) (map[string]*ent.Scope, error) {
			ctx = tenancy.System(ctx, "the scope of a role or an invitation that the viewer sees")
			rows, err := st.Scope.Query().Where(scope.IDIn(ids...)).All(ctx)
			return index(rows, err, func(s *ent.Scope) string { return s.ID })
		}),
		people: loader(func(ctx context.Context, ids []string) (map[string]*ent.User, error) {
			ctx = tenancy.System(ctx, "the person of a role that the viewer sees")
			rows, err := st.User.Query().Where(user.IDIn(ids...)).All(ctx)
			return index(rows, err, func(u *ent.User) string { return u.ID })
		}),
		owners: loader(func(ctx context.Context, ids []string) (map[string]*ent.Account, error) {
			rows, err := st.Account.Query().Where(account.IDIn(ids...)).All(ctx)
			return index(rows, err, func(a *ent.Account) string { return a.ID })
		}),
		sources: loader(func(ctx context.Context, ids []string) (map[string]*ent.IdentityProvider, error) {
			rows, err := st.IdentityProvider.Query().Where(identityprovider.IDIn(ids...)).All(ctx)
			return index(rows, err, func(p *ent.IdentityProvider) string { return p.ID })
		}),
		userSeats: loader(func(ctx context.Context, ids []string) (map[string][]*ent.Scope, error) {
			seats, err := st.Member.Query().Where(member.UserIDIn(ids...)).Order(member.ByID()).All(ctx)
			if err != nil {
				return nil, err
			}
			rows, err := st.Scope.Query().Where(scope.IDIn(mapTo(seats, func(m *ent.Member) string { return m.ID })...)).All(ctx)
			nodes, err := index(rows, err, func(s *ent.Scope) string { return s.ID })
			out := none[[]*ent.Scope](ids)
			for _, m := range seats {
				if s := nodes[m.ID]; s != nil && len(out[m.UserID]) < maxOf {
					out[m.UserID] = append(out[m.UserID], s)
				}
			}
			return out, err
		}),
		userRoles: loader(func(ctx context.Context, ids []string) (map[string][]*ent.RoleBinding, error) {
			rows, err := st.RoleBinding.Query().Where(rolebinding.UserIDIn(ids...)).Order(rolebinding.ByID()).All(ctx)
			out := none[[]*ent.RoleBinding](ids)
			for _, b := range rows {
				if len(out[b.UserID]) < maxOf {
					out[b.UserID] = append(out[b.UserID], b)
				}
			}
			return out, err
		}),
	}
}

// none has an empty entry for every id.
func none[V any](ids []string) map[string]V {
	out := make(map[string]V, len(ids))
	for _, id := range ids {
		var empty V
		out[id] = empty
	}
	return out
}
