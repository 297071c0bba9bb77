package graph

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// budgetScope finds a budget and its scope, as far as the viewer sees them.
func (r *Resolver) budgetScope(ctx context.Context, budgetID string) (*ent.Budget, *ent.Scope, error) {
	b, err := r.Store.Budget.Get(tenancy.Platform(ctx), budgetID)
	if ent.IsNotFound(err) {
		return nil, nil, fault.Missing("budget")
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := r.scopeByID(ctx, b.ScopeID)
	if fault.Is(err, fault.NotFound) {
		return nil, nil, fault.Missing("budget")
	}
	return b, s, err
}

// changedBudget runs a verb on a scope's budget with its audit event, and reads
// the budget anew.
func (r *Resolver) changedBudget(ctx context.Context, action access.Action, s *ent.Scope, e audit.Event, verb func(context.Context, *store.Tx) error) (*model.Budget, error) {
	err := r.changeBudgets(ctx, action, []*ent.Scope{s}, func(ctx context.Context, tx *store.Tx) error {
		if err := verb(ctx, tx); err != nil {
			return err
		}
		return tx.Audit(ctx, e)
	})
	if err != nil {
		return nil, err
	}
	from(ctx).budgets.Clear(s.ID)
	return budgetOf(ctx, s.ID)
}

func (r *Resolver) budgetFreeze(ctx context.Context, in model.BudgetFreezeInput) (*model.Budget, error) {
	_, s, err := r.budgetScope(ctx, in.BudgetID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.BudgetFreeze, ref(s)); err != nil {
		return nil, err
	}
	e := event("budget.freeze", s)
	e.Changes = map[string]audit.Change{"freeze_reason": {After: in.Reason}}
	return r.changedBudget(ctx, access.BudgetFreeze, s, e, func(ctx context.Context, tx *store.Tx) error {
		_, err := r.Budgets.Freeze(ctx, tx, s.ID, audit.ActorFrom(ctx).ID, in.Reason)
		return err
	})
}

// budgetResume is for who may set the budget, and for who froze it: what one
// may stop oneself one may let go.
func (r *Resolver) budgetResume(ctx context.Context, in model.BudgetResumeInput) (*model.Budget, error) {
	b, s, err := r.budgetScope(ctx, in.BudgetID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, resumes(ctx, b.FrozenBy), ref(s)); err != nil {
		return nil, err
	}
	e := event("budget.resume", s)
	e.Changes = map[string]audit.Change{"freeze_reason": {Before: b.FreezeReason}}
	return r.changedBudget(ctx, resumes(ctx, b.FrozenBy), s, e, func(ctx context.Context, tx *store.Tx) error {
		_, err := r.Budgets.Resume(ctx, tx, s.ID, b.FrozenBy)
		return err
	})
}

// resumes is the action that ends a freeze by somebody.
func resumes(ctx context.Context, frozenBy string) access.Action {
	if frozenBy != "" && frozenBy == audit.ActorFrom(ctx).ID {
		return access.BudgetFreeze
	}
	return access.BudgetResume
}

func (r *Resolver) budgetRenew(ctx context.Context, in model.BudgetRenewInput) (*model.Budget, error) {
	_, s, err := r.budgetScope(ctx, in.BudgetID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.BudgetRenew, ref(s)); err != nil {
		return nil, err
	}
	return r.changedBudget(ctx, access.BudgetRenew, s, event("budget.renew", s), func(ctx context.Context, tx *store.Tx) error {
		return r.Budgets.RenewNow(ctx, tx, s.ID)
	})
}

// frozenBy names who froze a budget; nil for people that the viewer can't see.
func frozenBy(ctx context.Context, b *model.Budget) (*string, error) {
	if b.FrozenByID == "" {
		return nil, nil
	}
	u, err := maybe(from(ctx).people.Load(ctx, b.FrozenByID))
	if u == nil || err != nil {
		return nil, err
	}
	return &u.Name, nil
}

// onThisBudget are what the viewer may do with a budget, the end of a freeze of
// their own included.
func (r *Resolver) onThisBudget(ctx context.Context, b *model.Budget) ([]*model.ViewerPermission, error) {
	out, err := r.can(ctx, b.Ref, onBudget)
	for _, p := range out {
		if p.Action == string(access.BudgetResume) && !p.Allowed && resumes(ctx, b.FrozenByID) != access.BudgetResume {
			d := r.Access.Decide(ctx, access.BudgetFreeze, target(b.Ref))
			p.Allowed, p.Reason = d.Allowed, d.Reason
			if d.Allowed {
				p.Reason = ""
			}
		}
	}
	return out, err
}
