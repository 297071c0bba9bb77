package graph

import (
	"context"
	"encoding/json"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toStatement(s *ent.Statement) (*model.Statement, error) {
	var sums []budget.ModelSum
	if len(s.Models) > 0 {
		if err := json.Unmarshal(s.Models, &sums); err != nil {
			return nil, err
		}
	}
	return &model.Statement{
		ID: s.ID, ScopeID: s.ScopeID, ScopeName: s.ScopeName, Unit: model.Unit(s.Unit), StartsAt: s.StartsAt, EndsAt: s.EndsAt, ClosedAt: s.CreatedAt,
		Limit: money.Nano(s.Lim), CarriedIn: money.Nano(s.CarriedIn), Raised: money.Nano(s.Raised), Overflow: money.Nano(s.Overflow),
		Spent: money.Nano(s.Spent), OverflowSpent: money.Nano(s.OverflowSpent), ExcessSpent: money.Nano(s.ExcessSpent),
		Corrections: money.Nano(s.Corrections), Total: money.Nano(s.Spent + s.Corrections), CarriedOut: money.Nano(s.CarriedOut), Calls: s.Calls,
		Models: mapTo(sums, func(m budget.ModelSum) *model.StatementModel {
			return &model.StatementModel{ModelID: m.ModelID, Name: m.Name, Calls: m.Calls, Amount: m.Amount, InputTokens: m.InputTokens, OutputTokens: m.OutputTokens}
		}),
		Ref: model.Ref{ID: s.ID, AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), Path: s.ScopePath},
	}, nil
}

// statementNode reads one through the guard.
func (r *Resolver) statementNode(ctx context.Context, id string) (model.Node, error) {
	s, err := r.Store.Statement.Get(ctx, id)
	if err != nil {
		return absent(err)
	}
	return toStatement(s)
}

// statements lists a plane's, or a scope's, newest first: ids go by the cycles'
// ends.
func (r *Resolver) statements(ctx context.Context, at model.Ref, scopeID *string, w window) (*model.StatementConnection, error) {
	ctx = tenancy.InPlane(ctx, at.Plane)
	where := []predicate.Statement{statement.AccountID(at.AccountID), statement.PlaneEQ(statement.Plane(at.Plane))}
	if scopeID != nil {
		s, err := r.scopeByID(ctx, *scopeID)
		if err != nil {
			return nil, err
		}
		if err := r.check(ctx, access.BudgetWatch, ref(s)); err != nil {
			return nil, err
		}
		where = append(where, statement.ScopeID(s.ID))
	}
	rows, info, err := list[*ent.Statement](ctx, r.Store.Statement.Query().Where(where...), w, statement.FieldID, true, func(s *ent.Statement) string { return s.ID })
	if err != nil {
		return nil, err
	}
	out := &model.StatementConnection{PageInfo: info, Edges: []*model.StatementEdge{}, Count: func(context.Context) (int, error) {
		return r.Store.Statement.Query().Where(where...).Count(ctx)
	}}
	for _, row := range rows {
		node, err := toStatement(row)
		if err != nil {
			return nil, err
		}
		out.Edges = append(out.Edges, &model.StatementEdge{Node: node, Cursor: encode(row.ID)})
	}
	return out, nil
}

// overflow is what of a charge lies in the overflow of the budgets that the
// viewer sees.
func (r *Resolver) overflow(ctx context.Context, chargeID string) ([]*model.ChargeOverflow, error) {
	parts, err := maybe(from(ctx).overflows.Load(ctx, chargeID))
	if err != nil {
		return nil, err
	}
	out := []*model.ChargeOverflow{}
	for _, p := range parts {
		b, err := budgetOf(ctx, p.ScopeID)
		if err != nil {
			return nil, err
		}
		if b != nil {
			out = append(out, &model.ChargeOverflow{BudgetID: p.BudgetID, ScopeName: p.ScopeName, Amount: p.Amount})
		}
	}
	return out, nil
}
