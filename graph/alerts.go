package graph

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budgetalert"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/alert"
	"github.com/alchemi/cockpit/internal/money"
)

func toAlert(a *ent.BudgetAlert) *model.BudgetAlert {
	out := &model.BudgetAlert{ID: a.ID, Kind: model.BudgetAlertKindThreshold, Threshold: &a.Threshold, Unit: model.UnitUsd,
		Limit: money.Nano(a.Lim), Spent: money.Nano(a.Spent), Forecast: money.Nano(a.Forecast), RunsOutAt: a.RunsOutAt, CreatedAt: a.CreatedAt}
	if a.Plane == budgetalert.PlaneCOPILOT {
		out.Unit = model.UnitCredits
	}
	if a.Threshold == alert.Forecast {
		out.Kind, out.Threshold = model.BudgetAlertKindForecast, nil
	}
	if b := a.Edges.Budget; b != nil {
		out.ScopeID = b.ScopeID
	}
	return out
}

// loadAlerts reads what fired in the cycles that run now, by budget.
func (r *Resolver) loadAlerts(ctx context.Context, budgets []string) (map[string][]*model.BudgetAlert, error) {
	rows, err := r.Store.BudgetAlert.Query().Where(budgetalert.BudgetIDIn(budgets...), func(s *sql.Selector) {
		c := sql.Dialect(s.Dialect()).Table("budget_cycles").As("running")
		s.Where(sql.Exists(sql.Dialect(s.Dialect()).Select(c.C("id")).From(c).
			Where(sql.And(sql.ColumnsEQ(c.C("id"), s.C(budgetalert.FieldCycleID)), sql.GT(c.C("ends_at"), r.Store.Now())))))
	}).WithBudget().Order(ent.Asc(budgetalert.FieldID)).All(ctx)
	out := map[string][]*model.BudgetAlert{}
	for _, a := range rows {
		out[a.BudgetID] = append(out[a.BudgetID], toAlert(a))
	}
	return out, err
}

func alertsOf(ctx context.Context, b *model.Budget) ([]*model.BudgetAlert, error) {
	out, err := maybe(from(ctx).alerts.Load(ctx, b.ID))
	if out == nil {
		out = []*model.BudgetAlert{}
	}
	return out, err
}

func (r *Resolver) alertPage(ctx context.Context, at model.Ref, w window) (*model.BudgetAlertConnection, error) {
	query := func() *ent.BudgetAlertQuery {
		return r.Store.BudgetAlert.Query().Where(budgetalert.AccountID(at.AccountID), budgetalert.PlaneEQ(budgetalert.Plane(at.Plane)))
	}
	rows, info, err := list[*ent.BudgetAlert](ctx, query().WithBudget(), w, budgetalert.FieldID, true, func(a *ent.BudgetAlert) string { return a.ID })
	if err != nil {
		return nil, err
	}
	return &model.BudgetAlertConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(a *ent.BudgetAlert) *model.BudgetAlertEdge {
			return &model.BudgetAlertEdge{Node: toAlert(a), Cursor: encode(a.ID)}
		})}, nil
}

func alertScope(ctx context.Context, a *model.BudgetAlert) (model.Scope, error) {
	s, err := from(ctx).scopes.Load(ctx, a.ScopeID)
	if err != nil {
		return nil, err
	}
	return toScope(s)
}
