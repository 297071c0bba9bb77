package graph

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// addRhythm tells of each budget the cycle in force: a key's own, else that of
// its plane's pool, monthly on the 1st without either.
func addRhythm(ctx context.Context, st *store.Store, rows []*ent.Budget, out map[string]*model.Budget) error {
	rules := map[string]*ent.Budget{} // by the scope that they stand on
	var pools []string
	for _, b := range rows {
		if b.Cycle != nil {
			rules[b.ScopeID] = b
		} else if pool := poolOf(b); pool != b.ScopeID {
			pools = append(pools, pool)
		}
	}
	if len(pools) > 0 {
		ctx := tenancy.System(ctx, "the cycle of a budget that the viewer sees is its plane's")
		found, err := st.Budget.Query().Where(entbudget.ScopeIDIn(pools...), entbudget.CycleNotNil()).All(ctx)
		if err != nil {
			return err
		}
		for _, b := range found {
			rules[b.ScopeID] = b
		}
	}
	for _, b := range rows {
		rule := rules[b.ScopeID]
		if rule == nil {
			rule = rules[poolOf(b)]
		}
		of := out[b.ScopeID]
		of.Cycle, of.CycleDay = model.CycleRuleMonthly, new(1)
		if rule != nil {
			of.Cycle, of.CycleDay = model.CycleRule(*rule.Cycle), &rule.CycleDay
		}
		if of.Cycle == model.CycleRuleManual {
			of.CycleDay = nil
		}
	}
	return nil
}

// poolOf is the root of a budget's plane.
func poolOf(b *ent.Budget) string { return strings.Split(b.Edges.Scope.Path, "/")[2] }
