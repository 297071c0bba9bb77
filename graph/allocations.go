package graph

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/budgetincrease"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// changeBudgets runs a change of budgets of one plane, by whoever may do the
// action at all of their scopes, under the scopes' locks.
func (r *Resolver) changeBudgets(ctx context.Context, action access.Action, of []*ent.Scope, f func(context.Context, *store.Tx) error) error {
	needs := mapTo(of, func(s *ent.Scope) leave { return need(action, s) })
	ctx = tenancy.InPlane(tenancy.Platform(ctx), tenancy.Plane(of[0].Plane))
	return r.underLeave(ctx, needs, func(ctx context.Context, tx *store.Tx) error {
		if _, err := identity.Hold(ctx, tx, of...); err != nil {
			return err
		}
		return f(ctx, tx)
	})
}

// allocate runs a verb on a plane's budgets; a rehearsal is rolled back. What
// the verb changes is read anew afterwards.
func (r *Resolver) allocate(ctx context.Context, action access.Action, of []*ent.Scope, rehearse bool, verb func(ctx context.Context, tx *store.Tx) (*budget.Plan, error)) (*budget.Plan, error) {
	var plan *budget.Plan
	err := r.changeBudgets(ctx, action, of, func(ctx context.Context, tx *store.Tx) (err error) {
		if plan, err = verb(ctx, tx); err == nil && rehearse {
			err = errRehearsed
		}
		return err
	})
	if err != nil && !errors.Is(err, errRehearsed) {
		return nil, closedBelow(ctx, err, of)
	}
	closeBelow(ctx, plan, of)
	for _, c := range plan.Changes {
		from(ctx).budgets.Clear(c.ScopeID)
	}
	for _, s := range of {
		from(ctx).budgets.Clear(s.ID)
	}
	return plan, nil
}

// closeBelow leaves in a plan, for platform staff, the scopes that they change
// and how many follow: which those are is the account's.
func closeBelow(ctx context.Context, p *budget.Plan, of []*ent.Scope) {
	if v := tenancy.ViewerFrom(ctx); v == nil || !v.Platform {
		return
	}
	foreign := func(scopeID string) bool {
		return !slices.ContainsFunc(of, func(s *ent.Scope) bool { return s.ID == scopeID })
	}
	p.Changes = slices.DeleteFunc(p.Changes, func(c budget.Change) bool { return foreign(c.ScopeID) })
	p.Warnings = slices.DeleteFunc(p.Warnings, func(w budget.Warning) bool { return foreign(w.ScopeID) })
}

// closedBelow is a refusal without the name of a scope that is closed to the
// platform staff who asked.
func closedBelow(ctx context.Context, err error, of []*ent.Scope) error {
	e, v := fault.As(err), tenancy.ViewerFrom(ctx)
	if v == nil || !v.Platform || e == nil || e.Code != fault.BudgetExceeded {
		return err
	}
	if tight, ok := e.Data["scopeId"]; !ok || tight == of[0].ID {
		return err
	}
	return fault.New(fault.BudgetExceeded, "Something below has given, or keeps back, more than would be left to it. Leave more, or let an admin of the account take some back first.")
}

func (r *Resolver) budgetSet(ctx context.Context, in model.BudgetSetInput) (*model.Budget, *budget.Plan, error) {
	s, err := r.scopeByID(ctx, in.ScopeID)
	if err != nil {
		return nil, nil, err
	}
	spec := budget.Spec{KeepLimit: in.Limit == nil, Limit: value(in.Limit), KeepOverflow: in.Overflow == nil, Overflow: value(in.Overflow),
		Cycle: (*budget.Cycle)(in.Cycle), Distribution: (*budget.Distribution)(in.Distribution), Reserve: in.Reserve,
		RolloverCap: in.RolloverCap, Strict: in.Strict, ExpectedVersion: in.ExpectedVersion}
	if in.CycleDay != nil {
		if spec.CycleDay = *in.CycleDay; spec.CycleDay == 0 {
			spec.CycleDay = -1 // none of the days, and not "left out"
		}
	}
	if in.Thresholds != nil {
		spec.Thresholds = &in.Thresholds
	}
	plan, err := r.allocate(ctx, settingOf(in, s), []*ent.Scope{s}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (*budget.Plan, error) {
		plan, err := r.Budgets.Set(ctx, tx, s.ID, spec)
		if err != nil {
			return nil, err
		}
		e := event("budget.set", s)
		e.Changes = changesOf(plan, s.ID)
		return plan, tx.Audit(ctx, e)
	})
	if err != nil {
		return nil, nil, err
	}
	b, err := budgetOf(ctx, s.ID)
	return b, plan, err
}

// settingOf is the action that a change of a budget needs: what a scope gives
// to those below it is for its own admins to say, how much it has is not.
func settingOf(in model.BudgetSetInput, s *ent.Scope) access.Action {
	shares := slices.Contains([]tenancy.Kind{tenancy.KindConsole, tenancy.KindCopilot, tenancy.KindOrganization, tenancy.KindTeam}, tenancy.Kind(s.Kind))
	has := in.Limit != nil || in.Overflow != nil || in.Cycle != nil || in.CycleDay != nil || in.RolloverCap != nil || in.Strict != nil
	if shares && !has {
		return access.BudgetDistribute
	}
	return access.BudgetSet
}

// changesOf are the fields of a scope's budget that a plan changes, and how
// many other budgets follow.
func changesOf(p *budget.Plan, scopeID string) map[string]audit.Change {
	out := map[string]audit.Change{}
	put := func(field string, before, after any) {
		if before != after {
			out[field] = audit.Change{Before: before, After: after}
		}
	}
	others := p.Changed
	if c := p.Of(scopeID); c != nil {
		others--
		before, after := orNone(c.Before), orNone(c.After)
		for _, field := range []string{"limit", "overflow", "reserve", "raised", "origin", "distribution"} {
			put(field, before[field], after[field])
		}
	}
	if p.Budget != nil && p.Was != nil {
		put("cycle", value(p.Was.Cycle), value(p.Budget.Cycle))
		put("cycleDay", p.Was.CycleDay, p.Budget.CycleDay)
		put("rolloverCap", money.Nano(p.Was.RolloverCap).String(), money.Nano(p.Budget.RolloverCap).String())
		put("strict", p.Was.Strict, p.Budget.Strict)
		if !slices.Equal(p.Was.Thresholds, p.Budget.Thresholds) {
			out["thresholds"] = audit.Change{Before: thresholds(p.Was), After: thresholds(p.Budget)}
		}
	}
	if others > 0 {
		out["budgetsBelow"] = audit.Change{After: others}
	}
	return out
}

// orNone are terms by field; those of no budget are all nil.
func orNone(t *budget.Terms) map[string]any {
	if t == nil {
		return nil
	}
	out := map[string]any{"limit": t.Limit.String(), "origin": string(t.Origin), "distribution": string(t.Distribution)}
	for field, n := range map[string]money.Nano{"overflow": t.Overflow, "reserve": t.Reserve, "raised": t.Raised} {
		if n != 0 {
			out[field] = n.String()
		}
	}
	return out
}

var usualThresholds = []int{80, 95, 100}

func thresholds(b *ent.Budget) []int {
	if len(b.Thresholds) == 0 {
		return usualThresholds
	}
	return b.Thresholds
}

func (r *Resolver) budgetRemove(ctx context.Context, in model.BudgetRemoveInput) (model.Scope, *budget.Plan, error) {
	b, err := r.Store.Budget.Get(tenancy.Platform(ctx), in.BudgetID)
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
	if err != nil {
		return nil, nil, err
	}
	plan, err := r.allocate(ctx, access.BudgetRemove, []*ent.Scope{s}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (*budget.Plan, error) {
		plan, err := r.Budgets.Remove(ctx, tx, s.ID)
		if err != nil {
			return nil, err
		}
		e := event("budget.remove", s)
		e.Changes = changesOf(plan, s.ID)
		return plan, tx.Audit(ctx, e)
	})
	if err != nil {
		return nil, nil, err
	}
	out, err := toScope(s)
	return out, plan, err
}

func (r *Resolver) budgetIncrease(ctx context.Context, in model.BudgetIncreaseInput) (*model.BudgetIncreasePayload, error) {
	s, err := r.scopeByID(ctx, in.ScopeID)
	if err != nil {
		return nil, err
	}
	more := budget.More{Amount: in.Amount, EndsAt: in.EndsAt, Reason: strings.TrimSpace(orEmpty(in.Reason))}
	if v := tenancy.ViewerFrom(ctx); v != nil {
		more.By = v.UserID
	}
	out := &model.BudgetIncreasePayload{}
	plan, err := r.allocate(ctx, access.BudgetSet, []*ent.Scope{s}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (*budget.Plan, error) {
		row, plan, err := r.Budgets.Increase(ctx, tx, s.ID, more)
		if err != nil {
			return nil, err
		}
		out.Increase = toIncrease(row)
		e := event("budget.increase", s)
		e.Changes, e.Reason = changesOf(plan, s.ID), more.Reason
		e.Changes["endsAt"] = audit.Change{After: row.EndsAt.UTC()}
		return plan, tx.Audit(ctx, e)
	})
	if err != nil {
		return nil, err
	}
	if is(in.DryRun) {
		out.Increase = nil
	}
	out.Plan = toPlan(plan)
	out.Budget, err = budgetOf(ctx, s.ID)
	return out, err
}

func toIncrease(i *ent.BudgetIncrease) *model.BudgetIncrease {
	return &model.BudgetIncrease{ID: i.ID, Amount: money.Nano(i.Amount), EndsAt: i.EndsAt, Reason: i.Reason, CreatedAt: i.CreatedAt}
}

func (r *Resolver) budgetIncreaseEnd(ctx context.Context, in model.BudgetIncreaseEndInput) (*model.BudgetIncreaseEndPayload, error) {
	i, err := r.Store.BudgetIncrease.Query().Where(budgetincrease.ID(in.IncreaseID)).WithBudget().Only(tenancy.Platform(ctx))
	if ent.IsNotFound(err) {
		return nil, fault.Missing("increase")
	}
	if err != nil {
		return nil, err
	}
	s, err := r.scopeByID(ctx, i.Edges.Budget.ScopeID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing("increase")
	}
	if err != nil {
		return nil, err
	}
	plan, err := r.allocate(ctx, access.BudgetSet, []*ent.Scope{s}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (*budget.Plan, error) {
		_, plan, err := r.Budgets.EndIncrease(ctx, tx, i.ID)
		if err != nil {
			return nil, err
		}
		e := event("budget.increaseEnd", s)
		e.Changes = changesOf(plan, s.ID)
		return plan, tx.Audit(ctx, e)
	})
	if err != nil {
		return nil, err
	}
	b, err := budgetOf(ctx, s.ID)
	return &model.BudgetIncreaseEndPayload{Budget: b, Plan: toPlan(plan)}, err
}

func (r *Resolver) budgetMove(ctx context.Context, in model.BudgetMoveInput) (*model.BudgetMovePayload, error) {
	giver, err := r.scopeByID(ctx, in.FromID)
	if err != nil {
		return nil, err
	}
	taker, err := r.scopeByID(ctx, in.ToID)
	if err != nil {
		return nil, err
	}
	plan, err := r.allocate(ctx, access.BudgetSet, []*ent.Scope{giver, taker}, is(in.DryRun), func(ctx context.Context, tx *store.Tx) (*budget.Plan, error) {
		plan, err := r.Budgets.Move(ctx, tx, giver.ID, taker.ID, in.Amount, is(in.BelowSpent))
		if err != nil {
			return nil, err
		}
		var events []audit.Event
		for _, s := range []*ent.Scope{giver, taker} {
			e := event("budget.move", s)
			e.Changes = changesOf(plan, s.ID)
			delete(e.Changes, "budgetsBelow")
			e.Changes["from"], e.Changes["to"] = audit.Change{Before: giver.Name}, audit.Change{After: taker.Name}
			events = append(events, e)
		}
		return plan, tx.AuditAll(ctx, events)
	})
	if err != nil {
		return nil, err
	}
	out := &model.BudgetMovePayload{Plan: toPlan(plan)}
	if out.From, err = budgetOf(ctx, giver.ID); err == nil {
		out.To, err = budgetOf(ctx, taker.ID)
	}
	return out, err
}

func toPlan(p *budget.Plan) *model.BudgetPlan {
	if p == nil {
		return nil
	}
	return &model.BudgetPlan{Changed: p.Changed, Renewal: toRenewal(p.Renewal),
		Changes: mapTo(p.Changes, func(c budget.Change) *model.BudgetChange {
			return &model.BudgetChange{ScopeID: c.ScopeID, ScopeName: c.ScopeName, ScopeKind: model.ScopeKind(c.ScopeKind), Reason: c.Reason,
				Before: toTerms(c.Before), After: toTerms(c.After), Remaining: c.Remaining}
		}),
		Warnings: mapTo(p.Warnings, func(w budget.Warning) *model.BudgetWarning {
			return &model.BudgetWarning{ScopeID: w.ScopeID, ScopeName: w.ScopeName, Code: model.BudgetWarningCode(w.Code), Message: w.Message}
		})}
}

func toRenewal(r *budget.Renewal) *model.BudgetRenewal {
	if r == nil {
		return nil
	}
	known := func(t time.Time) *time.Time {
		if budget.ByHand(t) {
			return nil
		}
		return &t
	}
	return &model.BudgetRenewal{PreviousEndsAt: known(r.Was), EndsAt: known(r.EndsAt), NextEndsAt: known(r.NextEndsAt)}
}

func toTerms(t *budget.Terms) *model.BudgetTerms {
	if t == nil {
		return nil
	}
	return &model.BudgetTerms{Limit: t.Limit, Raised: t.Raised, Overflow: t.Overflow, Reserve: t.Reserve,
		Origin: model.BudgetOrigin(t.Origin), Distribution: model.Distribution(t.Distribution)}
}

// placeKey names a scope with where it lies.
type placeKey struct {
	stateKey
	path string
}

func placeOf(at model.Ref) placeKey {
	return placeKey{stateKey{at.AccountID, at.Plane, at.ID}, at.Path}
}

func (r *Resolver) loadAllocations(ctx context.Context, keys []placeKey) (map[placeKey]*budget.Allocation, error) {
	byPlane := map[stateKey][]budget.Whereabouts{}
	for _, k := range keys {
		plane := stateKey{accountID: k.accountID, plane: k.plane}
		byPlane[plane] = append(byPlane[plane], budget.Whereabouts{ScopeID: k.id, Path: k.path})
	}
	out := make(map[placeKey]*budget.Allocation, len(keys))
	for plane, scopes := range byPlane {
		// The scopes were found through the guard; what bounds them goes with them.
		found, err := r.Budgets.Effective(ctx, plane.accountID, plane.plane, scopes)
		if err != nil {
			return nil, err
		}
		for _, s := range scopes {
			out[placeKey{stateKey{plane.accountID, plane.plane, s.ScopeID}, s.Path}] = found[s.ScopeID]
		}
	}
	return out, nil
}

func overcommitted(ctx context.Context, b *model.Budget) (bool, error) {
	a, err := from(ctx).allocations.Load(ctx, placeOf(b.Ref))
	return err == nil && a.Overcommitted > 0, err
}

// allocationOf tells what a scope may spend, and why.
func (r *Resolver) allocationOf(ctx context.Context, at model.Ref) (*model.Allocation, error) {
	a, err := from(ctx).allocations.Load(ctx, placeOf(at))
	if err != nil {
		return nil, err
	}
	out := &model.Allocation{ScopeID: at.ID, Unit: model.Unit(a.Unit), Source: model.AllocationSource(a.Source), Formula: unless(a.Formula),
		Carried: a.Carried, Spent: a.Spent, Held: a.Held, Committed: a.Committed, Words: a.Words}
	if a.From != nil {
		label := a.From.Label()
		out.From = &label
	}
	if a.BoundBy != nil {
		label := a.BoundBy.Label()
		out.BoundBy, out.Free = &label, &a.Free
	}
	if a.Own == nil {
		return out, nil
	}
	out.Limit, out.Base, out.Raised, out.Reserve = &a.Limit, &a.Own.Limit, a.Own.Raised, a.Own.Reserve
	b, err := budgetOf(ctx, at.ID)
	if err != nil || b == nil {
		return out, err
	}
	out.SetAt = &b.SetAt
	if a.Source == budget.FromLimit && r.readsLog(ctx, at) {
		name, err := maybe(from(ctx).setters.Load(ctx, at.ID))
		if err != nil {
			return nil, err
		}
		out.SetBy = unless(name)
	}
	return out, nil
}

// readsLog tells whether the viewer may read the account's log at a scope.
func (r *Resolver) readsLog(ctx context.Context, at model.Ref) bool {
	v := tenancy.ViewerFrom(ctx)
	return v != nil && v.AccountID == at.AccountID && r.Access.Decide(ctx, access.AuditRead, target(at)).Allowed
}

// budgetHistory is what was done to a budget, newest first.
func (r *Resolver) budgetHistory(ctx context.Context, b *model.Budget, first *int, after *string) (*model.AuditEventConnection, error) {
	if first == nil {
		usual := 20
		first = &usual
	}
	noun := "budget"
	if v := tenancy.ViewerFrom(ctx); v != nil && v.Platform && b.Ref.Kind == tenancy.KindCopilot {
		return r.poolHistory(ctx, b, window{first: first, after: after})
	}
	if !r.readsLog(ctx, b.Ref) {
		return nil, nil
	}
	return r.auditPage(ctx, b.Ref, &model.AuditFilter{TargetID: &b.Ref.ID, Action: &noun}, window{first: first, after: after})
}

// poolHistory is what was done to a Copilot pool, for the platform that fills
// it. Who of the account did it, and in which words, is the account's.
func (r *Resolver) poolHistory(ctx context.Context, b *model.Budget, w window) (*model.AuditEventConnection, error) {
	ctx = tenancy.Platform(ctx)
	page, err := r.selected(ctx, audit.Selection{AccountID: b.Ref.AccountID,
		Filter: audit.Filter{TargetID: b.Ref.ID, Action: "budget", Outcome: auditevent.OutcomeDONE}}, w)
	if err != nil {
		return nil, err
	}
	actors := mapTo(page.Edges, func(e *model.AuditEventEdge) string { return e.Node.ActorID })
	staff, err := r.Store.User.Query().Where(user.IDIn(actors...), user.AccountID(id.PlatformID)).IDs(ctx)
	if err != nil {
		return nil, err
	}
	for _, edge := range page.Edges {
		if e := edge.Node; e.ActorKind != model.ActorKindSystem && !slices.Contains(staff, e.ActorID) {
			edge.Node = &model.AuditEvent{ID: e.ID, Seq: e.Seq, At: e.At, ActorKind: e.ActorKind, ActorName: "Somebody of the account", ViaKind: e.ViaKind,
				Action: e.Action, Outcome: e.Outcome, ScopeID: e.ScopeID, ScopePath: e.ScopePath, Plane: e.Plane, TargetID: e.TargetID, TargetName: e.TargetName,
				Count: e.Count, Changes: slices.DeleteFunc(e.Changes, func(c *model.AuditChange) bool { return c.Field == "freeze_reason" })}
		}
	}
	return page, nil
}

func (r *Resolver) loadIncreases(ctx context.Context, budgetIDs []string) (map[string][]*model.BudgetIncrease, error) {
	rows, err := r.Store.BudgetIncrease.Query().
		Where(budgetincrease.BudgetIDIn(budgetIDs...), budgetincrease.EndedAtIsNil(), budgetincrease.EndsAtGT(r.Store.Now())).
		Order(budgetincrease.ByEndsAt(), budgetincrease.ByID()).All(ctx)
	out := make(map[string][]*model.BudgetIncrease, len(budgetIDs))
	for _, budgetID := range budgetIDs {
		out[budgetID] = []*model.BudgetIncrease{}
	}
	for _, i := range rows {
		out[i.BudgetID] = append(out[i.BudgetID], toIncrease(i))
	}
	return out, err
}

// loadSetters finds who set the limits of scopes last.
func (r *Resolver) loadSetters(ctx context.Context, scopeIDs []string) (map[string]string, error) {
	type newest struct {
		TargetID string `json:"target_id"`
		ID       string `json:"id"`
	}
	var last []newest
	err := r.Store.AuditEvent.Query().Where(auditevent.TargetIDIn(scopeIDs...), auditevent.ActionIn("budget.set", "budget.move"), auditevent.OutcomeEQ(auditevent.OutcomeDONE)).
		GroupBy(auditevent.FieldTargetID).Aggregate(ent.As(ent.Max(auditevent.FieldID), "id")).Scan(ctx, &last)
	if err != nil {
		return nil, err
	}
	ids := mapTo(last, func(l newest) string { return l.ID })
	rows, err := r.Store.AuditEvent.Query().Where(auditevent.IDIn(ids...)).All(ctx)
	out := make(map[string]string, len(rows))
	for _, e := range rows {
		out[e.TargetID] = e.ActorName
	}
	return out, err
}
