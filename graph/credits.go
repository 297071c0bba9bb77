package graph

import (
	"context"
	"errors"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/creditfactor"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// perPPM is how many billionths of a credit one part per million is.
const perPPM = int64(money.One) / money.FactorOne

// maxFactors bounds the versions of a factor that are listed.
const maxFactors = 100

func (r *Resolver) creditFactors(ctx context.Context, accountID string) ([]*model.CreditFactor, error) {
	rows, err := r.Store.CreditFactor.Query().Where(creditfactor.AccountID(accountID)).
		Order(ent.Desc(creditfactor.FieldEffectiveFrom)).Limit(maxFactors).All(tenancy.Platform(ctx))
	if err != nil {
		return nil, err
	}
	now, out := r.Store.Now(), []*model.CreditFactor{}
	found := false
	for _, f := range rows {
		in := !found && !f.EffectiveFrom.After(now)
		found = found || in
		out = append(out, toCreditFactor(f, in))
	}
	return out, nil
}

func toCreditFactor(f *ent.CreditFactor, inForce bool) *model.CreditFactor {
	return &model.CreditFactor{ID: f.ID, Factor: money.Nano(f.Ppm * perPPM), EffectiveFrom: f.EffectiveFrom, InForce: inForce}
}

// effectDays is how far back the effect of a factor is told.
const effectDays = 30

func (r *Resolver) creditFactorSet(ctx context.Context, in model.CreditFactorSetInput) (*model.CreditFactorSetPayload, error) {
	if in.Factor <= 0 || int64(in.Factor)%perPPM != 0 {
		return nil, fault.At("factor", "A factor lies above 0 and at most 1,000,000 credits per dollar, with at most 6 decimals.")
	}
	ppm := int64(in.Factor) / perPPM
	var begins time.Time
	if in.From != nil {
		begins = *in.From
	}
	var made *ent.CreditFactor
	try := in.DryRun != nil && *in.DryRun
	_, err := onAnAccount(ctx, r, in.AccountID, access.AccountFactor, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
		a, err := tx.Account.Get(ctx, in.AccountID)
		if err == nil {
			made, err = r.Catalog.SetFactor(ctx, tx, a, ppm, begins)
		}
		if err == nil && try {
			err = errTried
		}
		return a, err
	})
	if err != nil && !errors.Is(err, errTried) {
		return nil, err
	}
	out := &model.CreditFactorSetPayload{}
	if !try {
		out.Factor = toCreditFactor(made, !made.EffectiveFrom.After(r.Store.Now()))
	}
	out.Effect, err = r.factorEffect(ctx, in.AccountID, ppm)
	return out, err
}

// errTried rolls a change back that was only tried.
var errTried = errors.New("graph: tried")

func (r *Resolver) factorEffect(ctx context.Context, accountID string, ppm int64) (*model.CreditFactorEffect, error) {
	now := r.Store.Now()
	sums, err := r.Budgets.PlatformUsage(ctx, budget.PlatformFilter{From: now.AddDate(0, 0, 1-effectDays), To: now.Add(time.Nanosecond),
		AccountID: accountID, Plane: tenancy.Copilot}, budget.InAll, 1)
	out := &model.CreditFactorEffect{}
	if err != nil || len(sums) == 0 {
		return out, err
	}
	out.Cost, out.Charged = sums[0].Cost, sums[0].Credits
	if out.WouldHaveBeen, err = money.Credits(max(0, out.Cost), ppm); err != nil {
		return nil, fault.At("factor", "By this factor the last %d days would have come to more credits than can be counted.", effectDays)
	}
	return out, nil
}
