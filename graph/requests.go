package graph

import (
	"context"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/tenancy"

	"github.com/vikstrous/dataloadgen"
)

// requestLoaders read what requests show of places and people that may lie
// above the viewer's reach: names, and what budgets have to give.
type requestLoaders struct {
	places    *dataloadgen.Loader[string, *ent.Scope]
	userNames *dataloadgen.Loader[string, string]
	giving    *dataloadgen.Loader[stateKey, *request.Tree] // by plane
	selves    *dataloadgen.Loader[string, []string]        // users of one person, by one of them
}

func (r *Resolver) newRequestLoaders() requestLoaders {
	const why = "who asks and decides, and where, is told to whoever sees the request"
	return requestLoaders{
		selves: loader(func(ctx context.Context, ids []string) (map[string][]string, error) {
			out := make(map[string][]string, len(ids))
			for _, userID := range ids { // the viewer alone
				selves, err := identity.Selves(tenancy.System(ctx, "nobody decides on what they ask as somebody of another account"), r.Store.Client, userID)
				if err != nil {
					return nil, err
				}
				out[userID] = selves
			}
			return out, nil
		}),
		places: loader(func(ctx context.Context, ids []string) (map[string]*ent.Scope, error) {
			rows, err := r.Store.Scope.Query().Where(scope.IDIn(ids...)).All(tenancy.System(ctx, why))
			return index(rows, err, func(s *ent.Scope) string { return s.ID })
		}),
		userNames: loader(func(ctx context.Context, ids []string) (map[string]string, error) {
			rows, err := r.Store.User.Query().Where(user.IDIn(ids...)).All(tenancy.System(ctx, why))
			out := make(map[string]string, len(rows))
			for _, u := range rows {
				out[u.ID] = u.Name
			}
			return out, err
		}),
		giving: loader(func(ctx context.Context, planes []stateKey) (map[stateKey]*request.Tree, error) {
			out := make(map[stateKey]*request.Tree, len(planes))
			for _, plane := range []tenancy.Plane{tenancy.Console, tenancy.Copilot} {
				var accounts []string
				for _, p := range planes {
					if p.plane == plane {
						accounts = append(accounts, p.accountID)
					}
				}
				if len(accounts) == 0 {
					continue
				}
				trees, err := request.LoadAll(tenancy.System(ctx, why), r.Store.Client, accounts, plane, r.Store.Now())
				if err != nil {
					return nil, err
				}
				for accountID, t := range trees {
					out[stateKey{accountID: accountID, plane: plane}] = t
				}
			}
			return out, nil
		}),
	}
}

func (r *Resolver) toRequest(ctx context.Context) func(*ent.Request) *model.Request {
	now, v := r.Store.Now(), tenancy.ViewerFrom(ctx)
	return func(row *ent.Request) *model.Request {
		out := &model.Request{ID: row.ID, Kind: model.RequestKind(row.Kind), ByRule: row.RuleID != "", Plane: model.Plane(row.Plane), Unit: unitOf(tenancy.Plane(row.Plane)),
			Mine: v != nil && row.RequestedBy == v.UserID, Amount: money.Nano(row.Amount), Until: row.Until, Reason: row.Reason,
			Status: model.RequestStatus(row.Status), DecidedAt: row.DecidedAt, Granted: money.Nano(row.Granted), GrantedUntil: row.GrantedUntil,
			Note: row.Note, CreatedAt: row.CreatedAt, ExpiresAt: request.ExpiresAt(row), Version: row.Version, AtPlatform: request.AtPlatform(row), Row: row}
		if v != nil && v.Platform {
			out.ForStaff, out.Reason = true, request.Words(row)
		}
		if row.ResourceID != "" {
			out.Resource = &model.RequestResource{ID: row.ResourceID, Name: row.ResourceName}
			if k, ok := grant.KindOf(row.ResourceID); ok {
				out.Resource.Kind = (*model.ResourceKind)(&k)
			}
		}
		if row.Status == entrequest.StatusPENDING && !request.Open(row, now) {
			out.Status = model.RequestStatusExpired
		}
		return out
	}
}

// requestPage lists requests of a plane that the viewer sees, newest first.
func (r *Resolver) requestPage(ctx context.Context, at model.Ref, w window, where func(*sql.Selector)) (*model.RequestConnection, error) {
	return r.requestList(tenancy.InPlane(ctx, at.Plane), w, func() *ent.RequestQuery {
		q := r.Store.Request.Query().Where(entrequest.AccountID(at.AccountID), entrequest.PlaneEQ(entrequest.Plane(at.Plane)))
		q.WhereP(where)
		return q
	})
}

// requestList is a page of what a query finds, newest first.
func (r *Resolver) requestList(ctx context.Context, w window, query func() *ent.RequestQuery) (*model.RequestConnection, error) {
	rows, info, err := list[*ent.Request](ctx, query(), w, entrequest.FieldID, true, func(q *ent.Request) string { return q.ID })
	if err != nil {
		return nil, err
	}
	to := r.toRequest(ctx)
	return &model.RequestConnection{PageInfo: info,
		Count: func(context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(q *ent.Request) *model.RequestEdge {
			return &model.RequestEdge{Node: to(q), Cursor: encode(q.ID)}
		})}, nil
}

// requestsAt lists the requests of a scope and all below it.
func (r *Resolver) requestsAt(ctx context.Context, at model.Ref, scopeID *string, filter *model.RequestFilter, kind *model.RequestKind, w window) (*model.RequestConnection, error) {
	path := at.Path
	if scopeID != nil {
		s, err := r.scopeByID(tenancy.InPlane(ctx, at.Plane), *scopeID)
		if err != nil {
			return nil, err
		}
		path = s.Path
	}
	f := model.RequestFilterWaitingForMe
	if filter != nil {
		f = *filter
	}
	return r.requestPage(ctx, at, w, r.requestsWhere(ctx, path, f, kind))
}

func (r *Resolver) requestsWhere(ctx context.Context, path string, f model.RequestFilter, kind *model.RequestKind) func(*sql.Selector) {
	now, v := r.Store.Now(), tenancy.ViewerFrom(ctx)
	return func(s *sql.Selector) {
		s.Where(onScope(s, entrequest.FieldScopeID, func(column string) *sql.Predicate { return startsWith(column, path) }))
		if kind != nil {
			s.Where(sql.EQ(s.C(entrequest.FieldKind), string(*kind)))
		}
		s.Where(standing(s, f, now))
		if f == model.RequestFilterWaitingForMe {
			s.Where(sql.And(sql.NEQ(s.C(entrequest.FieldRequestedBy), v.UserID), sql.In(s.C(entrequest.FieldAssignedTo), "", v.UserID)))
			decides, own := r.decides(ctx, v)
			s.Where(onScope(s, entrequest.FieldWaitsAt, func(column string) *sql.Predicate { return anyPrefix(column, decides) }))
			if len(own) > 0 {
				s.Where(onScope(s, entrequest.FieldScopeID, func(column string) *sql.Predicate { return sql.Not(anyPrefix(column, own)) }))
			}
		}
	}
}

// standing is true of requests that are open, or closed.
func standing(s *sql.Selector, f model.RequestFilter, now time.Time) *sql.Predicate {
	open := sql.And(sql.EQ(s.C(entrequest.FieldStatus), string(entrequest.StatusPENDING)),
		sql.GT(s.C(entrequest.FieldCreatedAt), now.Add(-request.Lifetime)))
	if f == model.RequestFilterClosed {
		return sql.Not(open)
	}
	return open
}

// decides are the places that the viewer decides at and below, and their own
// seats, on which others do.
func (r *Resolver) decides(ctx context.Context, v *tenancy.Viewer) (at, own []string) {
	for _, role := range v.Roles {
		switch {
		case role.Role == tenancy.Seatholder:
			own = append(own, role.Path)
		case r.Access.Decide(ctx, access.RequestDecide, access.Target{Kind: role.Kind, Plane: role.Plane, Path: role.Path}).Allowed:
			at = append(at, role.Path)
		}
	}
	return at, own
}

// onScope is true where the scope that a column names has a path that matches.
func onScope(s *sql.Selector, column string, matches func(column string) *sql.Predicate) *sql.Predicate {
	d := sql.Dialect(s.Dialect())
	t := d.Table(scope.Table).As("asked_" + column)
	return sql.Exists(d.Select(t.C(scope.FieldID)).From(t).Where(sql.And(sql.ColumnsEQ(t.C(scope.FieldID), s.C(column)), matches(t.C(scope.FieldPath)))))
}

func anyPrefix(column string, paths []string) *sql.Predicate {
	if len(paths) == 0 {
		return sql.False()
	}
	return sql.Or(mapTo(paths, func(p string) *sql.Predicate { return startsWith(column, p) })...)
}

// mine lists what the viewer asked for in a plane.
func (r *Resolver) mine(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane, w window) (*model.RequestConnection, error) {
	userID := v.UserID
	if v.Platform || v.SupportID != "" || userID == "" {
		userID = "nobody"
	}
	return r.requestPage(ctx, model.Ref{AccountID: v.AccountID, Plane: plane}, w, entrequest.RequestedBy(userID))
}

// decidable says why the viewer may not decide on an open request; nil where
// they may.
func (r *Resolver) decidable(ctx context.Context, row *ent.Request) error {
	if request.AtPlatform(row) {
		return r.decidableAtPlatform(ctx, row)
	}
	v := tenancy.ViewerFrom(ctx)
	s, err := from(ctx).requests.places.Load(ctx, row.ScopeID)
	if err != nil {
		return err
	}
	waits, err := from(ctx).requests.places.Load(ctx, row.WaitsAt)
	if err != nil {
		return err
	}
	if d := r.Access.Decide(ctx, access.RequestDecide, target(ref(waits))); !d.Allowed {
		return fault.New(fault.Forbidden, "%s", d.Reason)
	}
	switch {
	case v.UserID == row.RequestedBy:
		return request.ErrOwn
	case slices.ContainsFunc(v.Roles, func(held tenancy.Role) bool {
		return held.Role == tenancy.Seatholder && strings.HasPrefix(s.Path, held.Path)
	}):
		return request.ErrOwnSeat
	}
	return nil
}

func (r *Resolver) canRequest(ctx context.Context, row *ent.Request) ([]*model.ViewerPermission, error) {
	v := tenancy.ViewerFrom(ctx)
	decide, passUp, withdraw := "", "", ""
	switch err := r.decidable(ctx, row); {
	case !request.Open(row, r.Store.Now()):
		decide = "The request is closed."
		passUp, withdraw = decide, decide
	case err != nil && fault.As(err) == nil:
		return nil, err
	case err != nil:
		decide = fault.As(err).Message
		passUp = decide
	case kindOf(row.WaitsAt) == tenancy.KindAccount:
		if passUp, err = r.beyondAccount(ctx, row); err != nil {
			return nil, err
		}
	case request.AtPlatform(row):
		passUp = "Nobody stands above the platform."
	}
	if withdraw == "" && (v == nil || row.RequestedBy != v.UserID) {
		withdraw = "Only who asked takes a request back."
	}
	if withdraw == "" && v.Narrowed && !slices.Contains(v.Permissions, "budgets.manage") {
		withdraw = "The program or token lacks the permission budgets.manage."
	}
	permission := func(action, reason string) *model.ViewerPermission {
		return &model.ViewerPermission{Action: action, Allowed: reason == "", Reason: reason}
	}
	return []*model.ViewerPermission{permission("request.decide", decide), permission("request.passUp", passUp), permission("request.withdraw", withdraw)}, nil
}

// decidableOpen tells whether the viewer may decide on a request now.
func (r *Resolver) decidableOpen(ctx context.Context, row *ent.Request) (bool, error) {
	if !request.Open(row, r.Store.Now()) {
		return false, nil
	}
	err := r.decidable(ctx, row)
	if err != nil && fault.As(err) == nil {
		return false, err
	}
	return err == nil, nil
}

// deciders are the other admins that a request can be handed to.
func (r *Resolver) deciders(ctx context.Context, row *ent.Request) ([]*model.RequestDecider, error) {
	if ok, err := r.decidableOpen(ctx, row); err != nil || !ok {
		return []*model.RequestDecider{}, err
	}
	waits, err := from(ctx).requests.places.Load(ctx, row.WaitsAt)
	if err != nil {
		return nil, err
	}
	who, err := request.Deciders(tenancy.System(ctx, "those who may decide are named to each other"), r.Store.Client, waits.Path, row.RequestedBy, tenancy.ViewerFrom(ctx).UserID)
	return mapTo(who, toDecider), err
}

func toDecider(u *ent.User) *model.RequestDecider {
	return &model.RequestDecider{ID: u.ID, Name: u.Name}
}

// impact is what approving a request in full would do, for who may.
func (r *Resolver) impact(ctx context.Context, row *ent.Request) (*model.RequestImpact, error) {
	if ok, err := r.decidableOpen(ctx, row); err != nil || !ok || row.Kind != entrequest.KindBUDGET {
		return nil, err
	}
	s, err := from(ctx).requests.places.Load(ctx, row.ScopeID)
	if err != nil {
		return nil, err
	}
	tree, err := from(ctx).requests.giving.Load(ctx, stateKey{accountID: row.AccountID, plane: tenancy.Plane(row.Plane)})
	if err != nil {
		return nil, err
	}
	p := tree.Plan(s.Path, money.Nano(row.Amount), row.Until != nil, r.Requests.MayGive(ctx, row))
	if p == nil {
		return nil, nil
	}
	if request.AtPlatform(row) {
		return r.poolImpact(ctx, row, tree, p)
	}
	out := &model.RequestImpact{ScopeName: p.Base.Name, Limit: p.Limit, LimitAfter: p.After, Available: p.Available, Fits: p.Fits(), Raises: toRaises(p.Raises)}
	if p.Parent != nil {
		out.ParentName, out.ParentLimit, out.ParentLeft, out.ParentLeftAfter = &p.Parent.Name, &p.ParentLimit, &p.ParentLeft, &p.ParentLeftNow
	}
	return out, nil
}

func toRaises(in []request.Raise) []*model.BudgetRaise {
	return mapTo(in, func(r request.Raise) *model.BudgetRaise {
		return &model.BudgetRaise{ScopeID: r.Scope.ID, ScopeName: r.Scope.Name, ScopeKind: model.ScopeKind(r.Scope.Kind), Before: r.Before, After: r.After}
	})
}

// requestPayload tells the outcome of a decision.
func (r *Resolver) requestPayload(ctx context.Context, row *ent.Request, err error) (*model.RequestPayload, error) {
	payload := &model.RequestPayload{}
	if payload.Errors, err = refused(err); err != nil || len(payload.Errors) > 0 {
		return payload, err
	}
	payload.Request = r.toRequest(ctx)(row)
	return payload, nil
}
