package catalog

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/creditfactor"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// maxFactorAhead is how far ahead a factor can be set.
	maxFactorAhead = 400 * 24 * time.Hour
	// factorLeeway forgives clocks and typing: what begins within it begins now.
	factorLeeway = time.Minute
)

// SetFactor supersedes an account's credit factor from a moment on, which
// doesn't lie in the past; the zero time is now. Charges before keep theirs.
// For super admins.
func (c *Catalog) SetFactor(ctx context.Context, tx *store.Tx, a *ent.Account, ppm int64, from time.Time) (*ent.CreditFactor, error) {
	if ppm < 1 || ppm > 1_000_000_000_000 {
		return nil, fault.At("factor", "A factor lies above 0 and at most 1,000,000 credits per dollar.")
	}
	now := tx.Now()
	switch {
	case from.IsZero():
		from = now
	case from.Before(now.Add(-factorLeeway)):
		return nil, fault.At("from", "A factor can't begin in the past: what was charged keeps the factor that it was charged by.")
	case from.After(now.Add(maxFactorAhead)):
		return nil, fault.At("from", "A factor begins at most 400 days ahead.")
	case from.Before(now):
		from = now
	}
	from = from.UTC().Truncate(time.Microsecond)
	of := tx.CreditFactor.Query().Where(creditfactor.AccountID(a.ID), creditfactor.EffectiveFromLTE(from))
	before, err := of.Order(ent.Desc(creditfactor.FieldEffectiveFrom)).First(ctx)
	was := c.defaultPPM
	switch {
	case ent.IsNotFound(err):
	case err != nil:
		return nil, err
	case before.EffectiveFrom.Equal(from):
		return nil, fault.At("from", "Another factor begins at this very moment. Choose another one.")
	default:
		was = before.Ppm
	}
	f, err := tx.CreditFactor.Create().SetAccountID(a.ID).SetPlane(creditfactor.PlaneACCOUNT).SetPpm(ppm).SetEffectiveFrom(from).Save(ctx)
	if err != nil {
		return nil, err
	}
	return f, tx.Audit(ctx, audit.Event{Action: "account.factor", AccountID: a.ID, Plane: tenancy.PlaneAccount,
		ScopeID: a.ID, ScopePath: "/" + a.ID + "/", TargetID: a.ID, TargetName: a.Name, Changes: map[string]audit.Change{
			"factor":        {Before: perDollar(was), After: perDollar(ppm)},
			"effectiveFrom": {After: from.Format(time.RFC3339)},
		}})
}

// perDollar is a factor in credits per dollar.
func perDollar(ppm int64) string {
	return (money.Nano(ppm) * (money.One / money.Nano(money.FactorOne))).String()
}
