package graph

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

var onUser = []access.Action{access.UserUpdate, access.SessionRevoke}

// homeOf is the node of a person's account, where they are administered.
func homeOf(accountID string) model.Ref {
	if accountID == id.PlatformID {
		return platformRef
	}
	return model.Ref{ID: accountID, AccountID: accountID, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, Path: accountPath(accountID)}
}

func needAtHome(action access.Action, u *ent.User) leave {
	return leave{action, func() model.Ref { return homeOf(u.AccountID) }}
}

// home lets platform staff read rows of the platform's own account, which lies
// in nobody's reach; everybody else stays confined.
func home(ctx context.Context) context.Context { return tenancy.Platform(ctx) }

// userByID finds a person of the viewer's own account that they see.
func (r *Resolver) userByID(ctx context.Context, userID string) (*ent.User, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	u, err := r.Store.User.Query().Where(user.ID(userID), user.AccountID(v.AccountID)).Only(home(ctx))
	if ent.IsNotFound(err) {
		e := fault.Missing("user")
		e.Path = []string{"userId"}
		return nil, e
	}
	return u, err
}

func (r *Resolver) userUpdate(ctx context.Context, in model.UserUpdateInput) (*ent.User, error) {
	u, err := r.userByID(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	// What is theirs people change themselves; programs need the permission.
	var needs []leave
	if v := tenancy.ViewerFrom(ctx); v.UserID != u.ID || v.Narrowed {
		needs = []leave{needAtHome(access.UserUpdate, u)}
	}
	return changing(ctx, r, needs, false, func(ctx context.Context, tx *store.Tx) (*ent.User, error) {
		return r.directory().UpdateUser(ctx, tx, r.Store.Now(), u.ID, in.Name, in.ExpectedVersion)
	})
}

func (r *Resolver) userDeactivate(ctx context.Context, in model.UserDeactivateInput) (*ent.User, error) {
	u, err := r.userByID(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{needAtHome(access.UserUpdate, u)}, false, func(ctx context.Context, tx *store.Tx) (*ent.User, error) {
		return r.directory().Deactivate(ctx, tx, r.Store.Now(), u.ID)
	})
}

func (r *Resolver) userReactivate(ctx context.Context, in model.UserReactivateInput) (*ent.User, error) {
	u, err := r.userByID(ctx, in.UserID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{needAtHome(access.UserUpdate, u)}, false, func(ctx context.Context, tx *store.Tx) (*ent.User, error) {
		return r.directory().Reactivate(ctx, tx, u.ID)
	})
}

// userPage lists the people of an account that the viewer sees: all of them,
// or those with a seat in the viewer's reach.
func (r *Resolver) userPage(ctx context.Context, accountID string, search *string, status *model.UserStatus, w window) (*model.UserConnection, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if v.AccountID != accountID {
		return nil, fault.New(fault.Forbidden, "An account's people are closed to the platform, but for a support access.")
	}
	query := func() *ent.UserQuery {
		q := r.Store.User.Query().Where(user.AccountID(accountID))
		if search != nil && strings.TrimSpace(*search) != "" {
			q.Where(user.Or(user.NameContainsFold(strings.TrimSpace(*search)), user.EmailContainsFold(strings.TrimSpace(*search))))
		}
		if status != nil {
			q.Where(user.StatusEQ(user.Status(*status)))
		}
		return q
	}
	rows, info, err := listByName[*ent.User](home(ctx), query(), w, user.FieldName, func(u *ent.User) named { return named{u.Name, u.ID} })
	if err != nil {
		return nil, err
	}
	return &model.UserConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(home(ctx)) },
		Edges: mapTo(rows, func(u *ent.User) *model.UserEdge {
			return &model.UserEdge{Node: toUser(u), Cursor: encode(named{u.Name, u.ID}.cursor())}
		})}, nil
}

func (r *Resolver) userCan(ctx context.Context, u *model.User) ([]*model.ViewerPermission, error) {
	out, err := r.can(ctx, homeOf(u.Row.AccountID), onUser)
	if v := tenancy.ViewerFrom(ctx); v != nil && v.UserID == u.ID && !v.Narrowed {
		out[0].Allowed, out[0].Reason = true, "" // their own name
	}
	return out, err
}
