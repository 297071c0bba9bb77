package increase

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/increaserequest"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	expireEvery = time.Minute
	// expireAtOnce bounds one transaction.
	expireAtOnce = 100
)

// Run closes what nobody decided on, and ends raises whose time is over, until
// the context ends. Neither counts from its moment on, whether or not this ran.
func (r *Requests) Run(ctx context.Context) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		if err := r.Expire(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "requests for more budget could not be expired; they are tried again", "cause", err)
		}
		if err := r.Budgets.EndRaises(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "raises whose time is over could not be ended; they are tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Expire closes open requests that are older than Lifetime.
func (r *Requests) Expire(ctx context.Context) error {
	ctx = tenancy.System(ctx, "what nobody decided on expires by itself")
	for {
		n := 0
		err := r.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			rows, err := tx.IncreaseRequest.Query().WithScope().
				Where(increaserequest.StatusEQ(increaserequest.StatusPENDING), increaserequest.CreatedAtLTE(tx.Now().Add(-Lifetime))).
				Order(ent.Asc(increaserequest.FieldID)).Limit(expireAtOnce).All(ctx)
			if err != nil {
				return err
			}
			n = len(rows)
			if n == 0 {
				tx.Unaudited()
			}
			for _, row := range rows {
				s := row.Edges.Scope
				changed, err := tx.IncreaseRequest.Update().SetStatus(increaserequest.StatusEXPIRED).SetDecidedAt(tx.Now()).AddVersion(1).
					Where(increaserequest.ID(row.ID), increaserequest.StatusEQ(increaserequest.StatusPENDING)).Save(ctx)
				if err != nil {
					return err
				}
				if changed == 0 {
					tx.Unaudited() // somebody decided at the last moment, or another replica was first
					continue
				}
				if err := tx.Audit(ctx, event("request.expire", row, s, map[string]audit.Change{"amount": {Before: money.Nano(row.Amount).String()}})); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < expireAtOnce {
			return err
		}
	}
}
