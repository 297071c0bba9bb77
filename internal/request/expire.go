package request

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	expireEvery = time.Minute
	// expireAtOnce bounds one transaction.
	expireAtOnce = 100
)

// Run closes what nobody decided on, until the context ends. It doesn't count
// from its moment on, whether or not this ran.
func (r *Requests) Run(ctx context.Context) {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	for {
		if err := r.Expire(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "requests could not be expired; they are tried again", "cause", err)
		}
		if err := r.Rehome(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "requests of scopes that moved could not be taken along; they are tried again", "cause", err)
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
			rows, err := tx.Request.Query().WithScope().
				Where(entrequest.StatusEQ(entrequest.StatusPENDING), entrequest.CreatedAtLTE(tx.Now().Add(-Lifetime))).
				Order(ent.Asc(entrequest.FieldID)).Limit(expireAtOnce).All(ctx)
			if err != nil {
				return err
			}
			n = len(rows)
			if n == 0 {
				tx.Unaudited()
			}
			for _, row := range rows {
				s := row.Edges.Scope
				changed, err := tx.Request.Update().SetStatus(entrequest.StatusEXPIRED).SetDecidedAt(tx.Now()).AddVersion(1).
					Where(entrequest.ID(row.ID), entrequest.StatusEQ(entrequest.StatusPENDING)).Save(ctx)
				if err != nil {
					return err
				}
				if changed == 0 {
					tx.Unaudited() // somebody decided at the last moment, or another replica was first
					continue
				}
				if err := tx.Audit(ctx, event("request.expire", row, s, asking(row))); err != nil {
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

// Rehome lets open requests follow scopes that moved away from whoever was to
// decide: to the admins of the nearest scope above that has some.
func (r *Requests) Rehome(ctx context.Context) error {
	ctx = tenancy.System(ctx, "requests go along with what they are about")
	rows, err := r.Store.System().QueryContext(ctx, `SELECT r.id FROM requests r JOIN scopes s ON s.id = r.scope_id JOIN scopes w ON w.id = r.waits_at
		WHERE r.status = 'PENDING' AND s.deleted_at IS NULL AND (w.deleted_at IS NOT NULL OR substr(s.path, 1, length(w.path)) <> w.path) ORDER BY r.id LIMIT 100`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var requestID string
		if err := rows.Scan(&requestID); err != nil {
			return err
		}
		ids = append(ids, requestID)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, requestID := range ids {
		if err := r.rehome(ctx, requestID); err != nil {
			return err
		}
	}
	return nil
}

func (r *Requests) rehome(ctx context.Context, requestID string) error {
	return r.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Request.Get(ctx, requestID)
		if err != nil {
			return err
		}
		if err := r.Budgets.Serialize(ctx, tx, row.AccountID, tenancy.Plane(row.Plane)); err != nil {
			return err
		}
		p, err := open(ctx, tx, tx.Now(), requestID, nil)
		switch told := fault.As(err); {
		case told != nil || err == nil && p.waits.ID == p.row.WaitsAt:
			tx.Unaudited() // closed by now, or nobody is there: it waits until it expires
			return nil     //nolint:nilerr // what it was told is how things stand
		case err != nil:
			return err
		}
		if row, err = p.row.Update().SetWaitsAt(p.waits.ID).SetAssignedTo("").Save(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, event("request.rehome", row, p.scope, map[string]audit.Change{"waitsAt": {After: p.waits.Name}}))
	})
}
