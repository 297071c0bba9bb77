package graph

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// featuresAt is what holds at a scope of a plane, for each feature that it has.
func (r *Resolver) featuresAt(ctx context.Context, at model.Ref) ([]*model.FeatureSetting, error) {
	all, err := r.Features.Of(ctx, at.AccountID, at.Plane, at.Path)
	if err != nil {
		return nil, err
	}
	out := []*model.FeatureSetting{}
	for _, f := range feature.All {
		if at.Plane == tenancy.Copilot || f == feature.GenerateImages {
			out = append(out, toFeature(all[f]))
		}
	}
	return out, nil
}

func toFeature(s feature.Setting) *model.FeatureSetting {
	out := &model.FeatureSetting{Feature: model.Feature(s.Feature), On: s.On, Own: model.FeatureSwitchInherit, Locked: s.Locked}
	if s.Own != nil {
		out.Own, out.Version = model.FeatureSwitch(s.Own.Switch), s.Own.Version
	}
	if s.From != nil {
		path := strings.TrimSuffix(s.From.Scope, "/")
		last := path[strings.LastIndexByte(path, '/')+1:]
		out.FromName, out.FromScopeID = &s.From.Name, &last
	}
	return out
}

func (r *Resolver) scopeFeatures(ctx context.Context, scopeID string) (*model.ScopeFeatures, error) {
	s, err := r.Store.Scope.Get(ctx, scopeID)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	at := ref(s)
	if at.Plane != tenancy.Console && at.Plane != tenancy.Copilot {
		return nil, nil
	}
	if err := r.check(ctx, access.GrantRead, at); err != nil {
		return nil, err
	}
	out := &model.ScopeFeatures{ScopeID: s.ID}
	if out.Features, err = r.featuresAt(ctx, at); err != nil {
		return nil, err
	}
	out.ViewerCan, err = r.can(ctx, at, []access.Action{access.FeatureSet})
	return out, err
}

// featureSet runs under the scope's lock; what this replica remembers of the
// plane falls with the commit.
func (r *Resolver) featureSet(ctx context.Context, in model.FeatureSetInput) (*model.FeatureSetting, error) {
	s, err := r.anyScope(ctx, in.ScopeID)
	if err != nil {
		return nil, err
	}
	plane := tenancy.Plane(s.Plane)
	if plane != tenancy.Console && plane != tenancy.Copilot {
		return nil, fault.At("scopeId", "Features are switched at a plane, an organization, a team or a member.")
	}
	to := feature.Switch(in.Switch)
	if in.Switch == model.FeatureSwitchInherit {
		to = ""
	}
	var out feature.Setting
	err = r.underLeave(tenancy.InPlane(ctx, plane), []leave{need(access.FeatureSet, s)}, func(ctx context.Context, tx *store.Tx) error {
		tx.AfterCommit(func() { r.Features.Forget(s.AccountID, plane) })
		if _, err := identity.Hold(ctx, tx, s); err != nil {
			return err
		}
		out, err = feature.Set(ctx, tx, feature.Input{Scope: s, Feature: feature.Feature(in.Feature), Switch: to, ExpectedVersion: in.ExpectedVersion})
		return err
	})
	if err != nil {
		return nil, err
	}
	return toFeature(out), nil
}
