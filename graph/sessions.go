package graph

import (
	"context"

	"github.com/vikstrous/dataloadgen"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/groupmapping"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/supportaccess"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// signInLoaders are the loaders of sign-in and sessions.
type signInLoaders struct {
	mappings  *dataloadgen.Loader[string, []*ent.GroupMapping] // by provider
	providers *dataloadgen.Loader[string, *ent.IdentityProvider]
	users     *dataloadgen.Loader[string, *ent.User]
	supports  *dataloadgen.Loader[string, *ent.SupportAccess]
}

// maxMappings is how many mappings a provider has at most.
const maxMappings = 200

func (r *Resolver) newSignInLoaders() signInLoaders {
	st := r.Store
	return signInLoaders{
		mappings: loader(func(ctx context.Context, ids []string) (map[string][]*ent.GroupMapping, error) {
			rows, err := st.GroupMapping.Query().Where(groupmapping.IdentityProviderIDIn(ids...)).Order(groupmapping.ByID()).
				Limit(maxMappings * len(ids)).All(ctx)
			out := make(map[string][]*ent.GroupMapping, len(ids))
			for _, providerID := range ids {
				out[providerID] = nil
			}
			for _, m := range rows {
				out[m.IdentityProviderID] = append(out[m.IdentityProviderID], m)
			}
			return out, err
		}),
		providers: loader(func(ctx context.Context, ids []string) (map[string]*ent.IdentityProvider, error) {
			rows, err := st.IdentityProvider.Query().Where(identityprovider.IDIn(ids...)).All(ctx)
			return index(rows, err, func(p *ent.IdentityProvider) string { return p.ID })
		}),
		users: loader(func(ctx context.Context, ids []string) (map[string]*ent.User, error) {
			rows, err := st.User.Query().Where(user.IDIn(ids...)).All(ctx)
			return index(rows, err, func(u *ent.User) string { return u.ID })
		}),
		supports: loader(func(ctx context.Context, ids []string) (map[string]*ent.SupportAccess, error) {
			rows, err := st.SupportAccess.Query().Where(supportaccess.IDIn(ids...)).All(ctx)
			return index(rows, err, func(s *ent.SupportAccess) string { return s.ID })
		}),
	}
}

// sessionPage lists an account's open sessions, of one person where a user is
// given.
func (r *Resolver) sessionPage(ctx context.Context, accountID string, userID *string, w window) (*model.SessionConnection, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	a, err := r.Store.Account.Get(tenancy.Platform(ctx), accountID)
	if err != nil {
		return nil, orMissing(err, "account")
	}
	query := func() *ent.SessionQuery {
		q := r.Store.Session.Query().Where(session.AccountID(accountID), identity.StillOpen(a, r.Store.Now()))
		if userID != nil {
			q.Where(session.UserID(*userID))
		}
		return q
	}
	rows, info, err := list[*ent.Session](ctx, query(), w, session.FieldID, true, func(s *ent.Session) string { return s.ID })
	if err != nil {
		return nil, err
	}
	return &model.SessionConnection{PageInfo: info, Count: counted(query()), Edges: mapTo(rows, func(s *ent.Session) *model.SessionEdge {
		return &model.SessionEdge{Node: toSession(s, v), Cursor: encode(s.ID)}
	})}, nil
}

func (r *Resolver) sessionRevoke(ctx context.Context, sessionID string) error {
	v, err := viewerOf(ctx)
	if err != nil {
		return err
	}
	s, err := r.Store.Session.Get(tenancy.Platform(ctx), sessionID)
	if err != nil {
		return orMissing(err, "session")
	}
	if v.Platform && s.AccountID != v.AccountID {
		return fault.Missing("session") // an account's sessions are closed to the platform
	}
	if s.UserID == nil || *s.UserID != v.UserID {
		if err := r.check(ctx, access.SessionRevoke, accountRef(s.AccountID)); err != nil {
			return err
		}
	}
	return r.Sessions.Revoke(ctx, s)
}

func (r *Resolver) userSessionsRevoke(ctx context.Context, personID string) (int, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	u, err := r.Store.User.Get(tenancy.Platform(ctx), personID)
	if err != nil {
		return 0, orMissing(err, "person")
	}
	if v.Platform && u.AccountID != v.AccountID {
		return 0, fault.Missing("person")
	}
	if u.ID != v.UserID {
		if err := r.check(ctx, access.SessionRevoke, accountRef(u.AccountID)); err != nil {
			return 0, err
		}
	}
	return r.Sessions.RevokeAll(ctx, v, u)
}
