package request

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/ent/model"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/requestrule"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// RuleInput is a rule to set.
type RuleInput struct {
	ScopeID string
	Kind    requestrule.Kind
	// Most is what one scope is given in a cycle without a person; for BUDGET.
	Most money.Nano
	// Capabilities are those of the models that are given; for ACCESS.
	Capabilities []string
	// ExpectedVersion is 0 for none; nil takes whatever stands.
	ExpectedVersion *int
}

var capabilities = []string{"FAST", "BALANCED", "SMART", "THINKING"}

func (in *RuleInput) check() error {
	slices.Sort(in.Capabilities)
	in.Capabilities = slices.Compact(in.Capabilities)
	switch {
	case in.Kind == requestrule.KindBUDGET && len(in.Capabilities) > 0:
		return fault.At("capabilities", "A budget has no capabilities.")
	case in.Kind == requestrule.KindACCESS && in.Most != 0:
		return fault.At("most", "Access is given without an amount.")
	case in.Most < 0 || in.Most > budget.Largest:
		return fault.At("most", "Give an amount from zero to one billion.")
	case slices.ContainsFunc(in.Capabilities, func(c string) bool { return !slices.Contains(capabilities, c) }):
		return fault.At("capabilities", "A model is FAST, BALANCED, SMART or THINKING.")
	}
	return nil
}

// SetRule lets requests of a kind at a scope and below be given without a
// person's decision, up to a limit; nothing to give removes the rule. The
// answer is nil where none stands now.
func (r *Requests) SetRule(ctx context.Context, in RuleInput) (*ent.RequestRule, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	seen, err := r.Store.Scope.Get(ctx, in.ScopeID)
	if ent.IsNotFound(err) {
		e := fault.Missing("scope")
		e.Path = []string{"scopeId"}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	if err := r.Access.Check(ctx, access.RequestDecide, at(seen)); err != nil {
		return nil, err
	}
	var row *ent.RequestRule
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), nil, func(ctx context.Context, tx *store.Tx, _ time.Time) (err error) {
		row, err = r.setRule(ctx, tx, in)
		return err
	})
	return row, err
}

func (r *Requests) setRule(ctx context.Context, tx *store.Tx, in RuleInput) (*ent.RequestRule, error) {
	s, err := tx.Scope.Get(ctx, in.ScopeID)
	if err != nil {
		return nil, err
	}
	if err := r.Access.Check(ctx, access.RequestDecide, at(s)); err != nil {
		return nil, err
	}
	if in.Kind == requestrule.KindACCESS {
		if err := r.Access.Check(ctx, access.GrantSet, at(s)); err != nil {
			return nil, err
		}
	}
	v := tenancy.ViewerFrom(ctx)
	authority := grant.AuthorityOf(v, s.Path)
	if authority == "" || s.DeletedAt != nil || s.ArchivedAt != nil {
		return nil, fault.At("scopeId", "A rule stands at a plane, an organization or a team that you administer.")
	}
	old, err := tx.RequestRule.Query().Where(requestrule.ScopeID(s.ID), requestrule.KindEQ(in.Kind)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	version, change := 0, audit.Change{After: in.words()}
	if old != nil {
		version, change.Before = old.Version, ruleWords(old)
		if !strings.HasPrefix(old.Authority, authority) {
			return nil, fault.At("scopeId", "This rule was set from above: only %s changes it.", grant.Admins(old.Authority))
		}
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != version {
		return nil, fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
			With("expectedVersion", *in.ExpectedVersion).With("currentVersion", version)
	}
	var row *ent.RequestRule
	switch nothing := in.Most == 0 && len(in.Capabilities) == 0; {
	case nothing && old == nil:
		tx.Unaudited() // none stands, and none shall
		return nil, nil
	case nothing:
		err = tx.RequestRule.DeleteOne(old).Exec(ctx)
	case old == nil:
		row, err = tx.RequestRule.Create().SetAccountID(s.AccountID).SetPlane(requestrule.Plane(s.Plane)).SetScopeID(s.ID).SetKind(in.Kind).
			SetMost(int64(in.Most)).SetCapabilities(in.Capabilities).SetAuthority(authority).SetSetBy(v.UserID).Save(ctx)
	default:
		row, err = old.Update().SetMost(int64(in.Most)).SetCapabilities(in.Capabilities).SetAuthority(authority).SetSetBy(v.UserID).Save(ctx)
	}
	if err != nil {
		return nil, err
	}
	return row, tx.Audit(ctx, audit.Event{Action: "requestRule.set", AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), ScopeID: s.ID, ScopePath: s.Path,
		TargetID: s.ID, TargetName: s.Name, Changes: map[string]audit.Change{strings.ToLower(string(in.Kind)): change}})
}

func (in RuleInput) words() string {
	if in.Kind == requestrule.KindBUDGET {
		return in.Most.String()
	}
	return strings.Join(in.Capabilities, ", ")
}

func ruleWords(row *ent.RequestRule) string {
	return RuleInput{Kind: row.Kind, Most: money.Nano(row.Most), Capabilities: row.Capabilities}.words()
}

// byRule approves a new request where a rule says so; nil where none does. The
// rule nearest to the scope is asked, and none by those whom it is to oversee.
func (r *Requests) byRule(ctx context.Context, tx *store.Tx, now time.Time, p *pending) (*ent.Request, error) {
	row := p.row
	if row.Kind != entrequest.KindBUDGET && row.Kind != entrequest.KindACCESS {
		return nil, nil
	}
	ids := strings.Split(strings.Trim(p.scope.Path, "/"), "/")
	rules, err := tx.RequestRule.Query().Where(requestrule.ScopeIDIn(ids...), requestrule.KindEQ(requestrule.Kind(row.Kind))).WithScope().All(ctx)
	if err != nil || len(rules) == 0 {
		return nil, err
	}
	rule := slices.MaxFunc(rules, func(a, b *ent.RequestRule) int { return len(a.Edges.Scope.Path) - len(b.Edges.Scope.Path) })
	over := rule.Edges.Scope
	if !strings.HasPrefix(over.Path, rule.Authority) {
		return nil, nil // it moved away from whoever answers for the rule
	}
	admin, err := tx.RoleBinding.Query().Where(rolebinding.UserID(row.RequestedBy), rolebinding.RoleEQ(rolebinding.RoleADMIN),
		rolebinding.ScopeIDIn(strings.Split(strings.Trim(over.Path, "/"), "/")...)).Exist(ctx)
	if err != nil || admin || rule.SetBy == row.RequestedBy {
		return nil, err // nobody approves their own, by a rule of theirs neither
	}
	d := Decision{RequestID: row.ID, rule: rule.ID, authority: rule.Authority, may: func(s *ent.Scope) bool {
		return strings.HasPrefix(s.Path, rule.Authority) && len(s.Path) > len(rule.Authority) && s.Kind != scope.KindCOPILOT
	}}
	gives := r.givesBudget
	if row.Kind == entrequest.KindACCESS {
		gives = r.givesAccess
	}
	// What the rule can't give waits for a person; what it can is given or fails
	// as a whole.
	if ok, err := gives(ctx, tx, now, rule, p, d); err != nil || !ok {
		return nil, err
	}
	decided, _, err := r.approve(tenancy.WithViewer(ctx, nil), tx, now, p, d)
	return decided, err
}

// givesAccess tells whether a rule names the model's capability, and a grant of
// its authority is all that is missing.
func (r *Requests) givesAccess(ctx context.Context, tx *store.Tx, now time.Time, rule *ent.RequestRule, p *pending, d Decision) (bool, error) {
	m, err := tx.Model.Query().Where(model.ID(p.row.ResourceID)).WithCatalogModel().Only(ctx)
	if err != nil || m.Edges.CatalogModel == nil || !slices.Contains(rule.Capabilities, string(m.Edges.CatalogModel.Capability)) {
		return false, ent.MaskNotFound(err)
	}
	t, err := grant.Load(ctx, tx.Client, p.row.AccountID, tenancy.Plane(p.row.Plane), p.row.ResourceID)
	if err != nil {
		return false, err
	}
	if old := t.At(p.row.ResourceID, p.scope.Path); old != nil && t.Changeable(old.ID, d.authority) != nil {
		return false, nil //nolint:nilerr // what was set from above waits for a person
	}
	switch t.Ask(p.row.ResourceID, p.scope.Path, now).Rule {
	case grant.RuleNotGranted, grant.RuleExpired, grant.RuleAuthorityLost:
		return t.Holds(p.row.ResourceID, d.authority, now).Allowed(), nil
	default:
		return false, nil // a denial or a switch isn't for a rule to lift
	}
}

// givesBudget tells whether a rule's limit of the cycle covers a request, and
// the budgets that it may raise have the room.
func (r *Requests) givesBudget(ctx context.Context, tx *store.Tx, now time.Time, rule *ent.RequestRule, p *pending, d Decision) (bool, error) {
	tree, err := Load(ctx, tx.Client, p.row.AccountID, tenancy.Plane(p.row.Plane), now)
	if err != nil {
		return false, err
	}
	chain := tree.chain(p.scope.Path)
	plan := tree.Plan(p.scope.Path, money.Nano(p.row.Amount), p.row.Until != nil, d.may)
	if plan == nil || !plan.Fits() {
		return false, nil
	}
	since := now
	cycle, err := tx.BudgetCycle.Query().Where(budgetcycle.BudgetID(chain[0].ID), budgetcycle.StartsAtLTE(now)).Order(ent.Desc(budgetcycle.FieldStartsAt)).First(ctx)
	if err == nil {
		since = cycle.StartsAt
	} else if !ent.IsNotFound(err) {
		return false, err
	}
	earlier, err := tx.Request.Query().Where(entrequest.ScopeID(p.scope.ID), entrequest.KindEQ(entrequest.KindBUDGET), entrequest.RuleIDNEQ(""),
		entrequest.DecidedAtGTE(since)).All(ctx)
	if err != nil {
		return false, err
	}
	sum := money.Nano(p.row.Amount)
	for _, e := range earlier {
		sum = plus(sum, money.Nano(e.Granted))
	}
	return sum <= money.Nano(rule.Most), nil
}
