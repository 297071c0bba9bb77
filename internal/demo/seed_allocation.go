package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
)

// audit tells of an act on a scope's budget, and not of what else happened to
// the scope in this transaction.
func (p *inPlane) audit(ctx context.Context, action string, s *ent.Scope, reason string, changes map[string]audit.Change) error {
	return p.tx.AuditAll(ctx, []audit.Event{{Action: action, AccountID: s.AccountID, Plane: p.plane.plane, ScopeID: s.ID, ScopePath: s.Path,
		TargetID: s.ID, TargetName: s.Name, Reason: reason, Changes: changes}})
}

// shareOut lets teams give equal shares to those of their people who have no
// limit of their own.
func (p *inPlane) shareOut(ctx context.Context) error {
	equal := budget.Equal
	for _, t := range p.teams {
		if !t.equal {
			continue
		}
		p.pass(time.Minute)
		if _, err := p.budgets.Set(ctx, p.tx, t.scope.ID, budget.Spec{KeepLimit: true, KeepOverflow: true, Distribution: &equal}); err != nil {
			return fmt.Errorf("shares of %s: %w", t.name, err)
		}
		if err := p.audit(ctx, "budget.set", t.scope, "", map[string]audit.Change{
			"distribution": {Before: string(budget.Pool), After: string(equal)}, "budgetsBelow": {After: len(t.seats)}}); err != nil {
			return err
		}
	}
	return nil
}

// raise lifts the limits of teams for the rest of a busy week.
func (p *inPlane) raise(ctx context.Context) error {
	for _, t := range p.teams {
		if !t.raised {
			continue
		}
		row, err := p.tx.Budget.Query().Where(entbudget.ScopeID(t.scope.ID)).Only(ctx)
		if err != nil {
			return err
		}
		more := budget.More{Amount: round(0.2 * float64(row.Lim)), EndsAt: p.Now.UTC().Add(6 * 24 * time.Hour).Truncate(time.Hour), Reason: "Renewals are due by the end of the week."}
		if _, _, err := p.budgets.Increase(ctx, p.tx, t.scope.ID, more); err != nil {
			return fmt.Errorf("increase of %s: %w", t.name, err)
		}
		if err := p.audit(ctx, "budget.increase", t.scope, more.Reason, map[string]audit.Change{
			"raised": {After: more.Amount.String()}, "endsAt": {After: more.EndsAt}}); err != nil {
			return err
		}
	}
	return nil
}
