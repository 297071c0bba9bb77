package graph

import (
	"context"
	"slices"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/requestrule"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (r *Resolver) requestRules(ctx context.Context, scopeID string) ([]*model.RequestRule, error) {
	s, err := r.Store.Scope.Get(ctx, scopeID)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.RequestDecide, ref(s)); err != nil {
		return nil, err
	}
	rows, err := r.Store.RequestRule.Query().Where(requestrule.ScopeID(s.ID)).Order(ent.Asc(requestrule.FieldKind)).All(ctx)
	if err != nil {
		return nil, err
	}
	out := []*model.RequestRule{}
	for _, row := range rows {
		rule, err := toRequestRule(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, rule)
	}
	return out, nil
}

func toRequestRule(ctx context.Context, row *ent.RequestRule) (*model.RequestRule, error) {
	name, err := maybe(from(ctx).requests.userNames.Load(ctx, row.SetBy))
	out := &model.RequestRule{Kind: model.RequestKind(row.Kind), Most: money.Nano(row.Most), Capabilities: row.Capabilities, SetByName: name, Version: row.Version}
	if out.Capabilities == nil {
		out.Capabilities = []string{}
	}
	return out, err
}

func (r *Resolver) requestRuleSet(ctx context.Context, in model.RequestRuleSetInput) (*model.RequestRule, error) {
	if in.Kind != model.RequestKindBudget && in.Kind != model.RequestKindAccess {
		return nil, fault.At("kind", "A rule gives budget or access; everything else is for people to decide.")
	}
	rule := request.RuleInput{ScopeID: in.ScopeID, Kind: requestrule.Kind(in.Kind), Capabilities: in.Capabilities, ExpectedVersion: in.ExpectedVersion}
	if in.Most != nil {
		rule.Most = *in.Most
	}
	row, err := r.Requests.SetRule(ctx, rule)
	if row == nil || err != nil {
		return nil, err
	}
	return toRequestRule(ctx, row)
}

func (r *Resolver) deputySet(ctx context.Context, in model.DeputySetInput) (*model.Deputy, error) {
	userID, until := "", time.Time{}
	if in.UserID != nil {
		if in.Until == nil {
			return nil, fault.At("until", "Say until when you are away.")
		}
		userID, until = *in.UserID, *in.Until
	}
	row, err := r.Requests.SetDeputy(ctx, userID, until)
	if err != nil {
		return nil, err
	}
	return toDeputy(ctx, row)
}

func toDeputy(ctx context.Context, row *ent.Deputy) (*model.Deputy, error) {
	if row == nil {
		return nil, nil
	}
	name, err := maybe(from(ctx).requests.userNames.Load(ctx, row.DeputyID))
	return &model.Deputy{UserID: row.DeputyID, Name: name, Until: row.Until}, err
}

// deputy is who stands in for the viewer.
func (r *Resolver) deputy(ctx context.Context, v *tenancy.Viewer) (*model.Deputy, error) {
	row, err := r.Requests.DeputyOf(tenancy.System(ctx, "a person's own deputy"), v.UserID)
	if err != nil {
		return nil, err
	}
	return toDeputy(ctx, row)
}

// deputyChoices are the admins of every place that the viewer administers.
func (r *Resolver) deputyChoices(ctx context.Context, v *tenancy.Viewer) ([]*model.RequestDecider, error) {
	ctx = tenancy.System(ctx, "those who may decide are named to each other")
	var out []*ent.User
	first := true
	for _, role := range v.Roles {
		if role.Role != tenancy.Admin {
			continue
		}
		who, err := request.Deciders(ctx, r.Store.Client, role.Path, v.UserID)
		if err != nil {
			return nil, err
		}
		if first {
			out, first = who, false
			continue
		}
		out = slices.DeleteFunc(out, func(u *ent.User) bool {
			return !slices.ContainsFunc(who, func(w *ent.User) bool { return w.ID == u.ID })
		})
	}
	return mapTo(out, toDecider), nil
}
