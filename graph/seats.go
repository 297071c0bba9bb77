package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// seats are the viewer's own in a plane, the default one first.
func (r *Resolver) seats(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane) ([]*model.Member, error) {
	if v.Platform || v.SupportID != "" || v.UserID == "" {
		return []*model.Member{}, nil
	}
	ctx = tenancy.InPlane(ctx, plane)
	rows, err := r.Store.Member.Query().Where(member.UserID(v.UserID), member.PlaneEQ(member.Plane(plane))).
		Order(ent.Desc(member.FieldIsDefault), ent.Asc(member.FieldID)).Limit(maxPage).All(ctx)
	if err != nil {
		return nil, err
	}
	ids := mapTo(rows, func(m *ent.Member) string { return m.ID })
	scopes, err := r.Store.Scope.Query().Where(scope.IDIn(ids...)).All(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(scopes, func(a, b *ent.Scope) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return mapTo(scopes, toMember), nil
}

// seatLimits are the budgets on a seat's path with their states, leaf first;
// nil for whoever may not watch them.
func (r *Resolver) seatLimits(ctx context.Context, seat *model.Member) ([]budget.State, error) {
	if !r.Access.Decide(ctx, access.BudgetWatch, target(seat.Ref)).Allowed {
		return nil, nil
	}
	system := tenancy.System(ctx, "which budgets limit a seat is told to its owner; amounts above stay closed")
	ids, err := r.Store.Budget.Query().Where(entbudget.ScopeIDIn(strings.Split(strings.Trim(seat.Ref.Path, "/"), "/")...)).IDs(system)
	if err != nil {
		return nil, err
	}
	states, err := r.Budgets.States(ctx, wholePlane(stateKey{accountID: seat.Ref.AccountID, plane: seat.Ref.Plane}), append([]string{}, ids...))
	slices.Reverse(states)
	return states, err
}

func leftOf(s budget.State) money.Nano { return s.Limit + s.Overflow - s.Spent - s.Held }

// tightest is the first of the states that has the least left.
func tightest(states []budget.State) int {
	best := 0
	for i, s := range states {
		if leftOf(s) < leftOf(states[best]) {
			best = i
		}
	}
	return best
}

func (r *Resolver) limitsOfSeat(ctx context.Context, seat *model.Member) ([]*model.SeatLimit, error) {
	states, err := r.seatLimits(ctx, seat)
	if err != nil || states == nil {
		return nil, err
	}
	binding := tightest(states)
	out := make([]*model.SeatLimit, len(states))
	for i, s := range states {
		out[i] = &model.SeatLimit{Name: s.ScopeName, Kind: model.ScopeKind(s.ScopeKind), Binding: i == binding, Status: model.BudgetStatus(s.Status), RenewsAt: s.EndsAt}
		if out[i].Budget, err = budgetOf(ctx, s.ScopeID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Resolver) availableTo(ctx context.Context, seat *model.Member) (*money.Nano, error) {
	states, err := r.seatLimits(ctx, seat)
	if err != nil || len(states) == 0 {
		return nil, err
	}
	left := max(0, leftOf(states[tightest(states)]))
	return &left, nil
}
