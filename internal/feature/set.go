package feature

import (
	"context"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/featureflag"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Input is a switch to set.
type Input struct {
	Scope   *ent.Scope
	Feature Feature
	// Switch is "" to inherit what holds above.
	Switch Switch
	// ExpectedVersion refuses the change where another version stands: 0 for
	// none; nil takes whatever stands.
	ExpectedVersion *int
}

// Set switches a feature at a scope. The caller has checked that the viewer
// administers the scope, and holds it; an ON under a DENY is refused here.
func Set(ctx context.Context, tx *store.Tx, in Input) (Setting, error) {
	s := in.Scope
	switch s.Kind {
	case scope.KindCONSOLE, scope.KindCOPILOT, scope.KindORGANIZATION, scope.KindTEAM, scope.KindMEMBER:
	default:
		return Setting{}, fault.At("scopeId", "Features are switched at a plane, an organization, a team or a member.")
	}
	switch {
	case !slices.Contains(All, in.Feature):
		return Setting{}, fault.At("feature", "There is no such feature.")
	case in.Switch != "" && in.Switch != On && in.Switch != Off && in.Switch != Deny:
		return Setting{}, fault.At("switch", "A feature is switched on or off, denied or inherited.")
	case s.ArchivedAt != nil:
		return Setting{}, fault.At("scopeId", "%s was archived; restore it first.", s.Name)
	}
	t, err := Load(ctx, tx.Client, s.AccountID, tenancy.Plane(s.Plane))
	if err != nil {
		return Setting{}, err
	}
	old := t.Ask(in.Feature, s.Path)
	if in.Switch == On && old.Locked {
		return Setting{}, fault.At("switch", "%s is denied at %s, which can't be lifted below. Ask an admin there.", in.Feature.Words(), old.From.Name)
	}
	before, version := Switch(""), 0
	if old.Own != nil {
		before, version = old.Own.Switch, old.Own.Version
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != version {
		return Setting{}, stale(*in.ExpectedVersion, version)
	}
	if before == in.Switch {
		tx.Unaudited() // nothing to change
		return old, nil
	}
	by := audit.ActorFrom(ctx).ID
	switch {
	case in.Switch == "":
		_, err = tx.FeatureFlag.Delete().Where(featureflag.ScopeID(s.ID), featureflag.FeatureEQ(featureflag.Feature(in.Feature))).Exec(ctx)
	case old.Own == nil:
		err = tx.FeatureFlag.Create().SetAccountID(s.AccountID).SetPlane(featureflag.Plane(s.Plane)).SetScopeID(s.ID).
			SetFeature(featureflag.Feature(in.Feature)).SetSetting(featureflag.Setting(in.Switch)).SetSetBy(by).Exec(ctx)
		if store.IsConflict(err) {
			err = stale(0, 1) // somebody else was first
		}
	default:
		var row *ent.FeatureFlag
		if row, err = tx.FeatureFlag.Query().Where(featureflag.ScopeID(s.ID), featureflag.FeatureEQ(featureflag.Feature(in.Feature))).Only(ctx); err == nil {
			_, err = row.Update().Where(featureflag.Version(version)).SetSetting(featureflag.Setting(in.Switch)).SetSetBy(by).Save(ctx)
		}
		if ent.IsNotFound(err) {
			err = stale(version, version+1)
		}
	}
	if err != nil {
		return Setting{}, err
	}
	if err := tx.Audit(ctx, audit.Event{Action: "feature.set", AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), ScopeID: s.ID, ScopePath: s.Path,
		TargetID: s.ID, TargetName: s.Name, Changes: map[string]audit.Change{
			"feature": {After: string(in.Feature)}, "switch": {Before: word(before), After: word(in.Switch)}}}); err != nil {
		return Setting{}, err
	}
	if t, err = Load(ctx, tx.Client, s.AccountID, tenancy.Plane(s.Plane)); err != nil {
		return Setting{}, err
	}
	return t.Ask(in.Feature, s.Path), nil
}

func word(s Switch) string {
	if s == "" {
		return "INHERIT"
	}
	return string(s)
}

// stale is the Conflict of a switch that has moved on.
func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody switched this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}
