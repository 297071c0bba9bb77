package graph

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/tenancy"
)

var platformTarget = access.Target{Kind: tenancy.KindPlatform, Plane: tenancy.PlanePlatform, Path: "/"}

// requestsAtPlatform lists what accounts ask of the platform; its own requests
// nobody has waiting.
func (r *Resolver) requestsAtPlatform(ctx context.Context, filter *model.RequestFilter, w window) (*model.RequestConnection, error) {
	f, now, v := model.RequestFilterWaitingForMe, r.Store.Now(), tenancy.ViewerFrom(ctx)
	if filter != nil {
		f = *filter
	}
	selves, err := from(ctx).requests.selves.Load(ctx, v.UserID)
	if err != nil {
		return nil, err
	}
	decides := r.Access.Decide(ctx, access.RequestDecide, platformTarget).Allowed
	return r.requestList(tenancy.Platform(ctx), w, func() *ent.RequestQuery {
		q := r.Store.Request.Query().Where(entrequest.WaitsAt(id.PlatformID))
		if f == model.RequestFilterWaitingForMe {
			q.Where(entrequest.RequestedByNotIn(selves...))
		}
		q.WhereP(func(s *sql.Selector) {
			s.Where(standing(s, f, now))
			if f == model.RequestFilterWaitingForMe && !decides {
				s.Where(sql.False())
			}
		})
		return q
	})
}

// decidableAtPlatform says why the viewer may not decide on what waits at the
// platform; nil where they may.
func (r *Resolver) decidableAtPlatform(ctx context.Context, row *ent.Request) error {
	if d := r.Access.Decide(ctx, access.RequestDecide, platformTarget); !d.Allowed {
		return fault.New(fault.Forbidden, "Super admins decide on it: the platform gives an account its credits.")
	}
	selves, err := from(ctx).requests.selves.Load(ctx, tenancy.ViewerFrom(ctx).UserID)
	if err != nil {
		return err
	}
	if request.OwnOf(row, selves) {
		return request.ErrOwn
	}
	return nil
}

// beyondAccount says why a request isn't passed up from the account's admins.
func (r *Resolver) beyondAccount(ctx context.Context, row *ent.Request) (string, error) {
	waits, err := from(ctx).requests.places.Load(ctx, row.WaitsAt)
	if err != nil {
		return "", err
	}
	if !request.MayReachPlatform(row, waits) {
		return "Nobody stands above the admins of the account.", nil
	}
	s, err := from(ctx).requests.places.Load(ctx, row.ScopeID)
	if err != nil {
		return "", err
	}
	tree, err := from(ctx).requests.giving.Load(ctx, stateKey{accountID: row.AccountID, plane: tenancy.Plane(row.Plane)})
	if err == nil && tree.Covers(row, s) {
		return request.ErrCovered.Message, nil
	}
	return "", err
}

// poolImpact is what approving a request would do to an account's pool: all that
// staff see of it.
func (r *Resolver) poolImpact(ctx context.Context, row *ent.Request, tree *request.Tree, p *request.Plan) (*model.RequestImpact, error) {
	a, err := from(ctx).accounts.Load(ctx, row.AccountID)
	if err != nil {
		return nil, err
	}
	pool := tree.OnPool(p, row.Until != nil)
	out := &model.RequestImpact{ScopeName: a.Name, Limit: pool.Before, LimitAfter: pool.After, Available: p.Available, Fits: p.Fits(), Raises: []*model.BudgetRaise{}}
	if pool.After > pool.Before {
		out.Raises = toRaises([]request.Raise{pool})
	}
	if !p.Fits() {
		out.LimitAfter = pool.Before + min(money.Nano(row.Amount), p.Available)
	}
	return out, nil
}

// onPools leaves of raises what staff see: those of pools.
func onPools(raises []request.Raise) []request.Raise {
	return slices.DeleteFunc(raises, func(raise request.Raise) bool { return raise.Scope.Kind != scope.KindCOPILOT })
}

// accountName is what staff see in the place of people and scopes.
func (r *Resolver) accountName(ctx context.Context, row *ent.Request) (string, error) {
	a, err := from(ctx).accounts.Load(ctx, row.AccountID)
	if err != nil {
		return "", err
	}
	return a.Name, nil
}
