package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// unauditedTables tell of no act of anybody: they are records themselves, or
// the engine's working state.
var unauditedTables = []string{"audit_events", "outbox_events", "charges", "holds", "nodes", "budget_cycles"}

// epochTables hold what sessions, keys and routes are cached from.
var epochTables = []string{
	"accounts", "scopes", "members", "role_bindings", "users", "keys", "key_models",
	"providers", "models", "prices", "central_providers", "catalog_models", "credit_factors",
}

type row interface {
	TableName() string
	RowID() string
}

// transactional refuses changes outside InTx, collects them for the audit
// event, and marks the accounts whose epoch must rise.
func (s *Store) transactional(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		tx, ok := ctx.Value(txKey{}).(*Tx)
		if !ok {
			return nil, errors.New("store: change rows within InTx")
		}
		r, ok := m.(row)
		if !ok {
			return nil, fmt.Errorf("store: %T has no table", m)
		}
		if slices.Contains(unauditedTables, r.TableName()) {
			return next.Mutate(ctx, m)
		}
		changes, err := audit.Changes(ctx, m)
		if err != nil {
			return nil, err
		}
		tx.changed++
		if id := r.RowID(); id != "" {
			tx.changes[id] = audit.Merge(tx.changes[id], changes)
		}
		if slices.Contains(epochTables, r.TableName()) {
			account, ok := m.Field("account_id")
			if !ok && m.Op().Is(ent.OpUpdateOne) {
				if account, err = m.OldField(ctx, "account_id"); err != nil {
					return nil, err
				}
			}
			if a, _ := account.(string); a != "" {
				tx.touched[a] = true
			} else if v := tenancy.ViewerFrom(ctx); v != nil {
				tx.touched[v.AccountID] = true
			}
		}
		return next.Mutate(ctx, m)
	})
}

// stamp sets times and raises versions.
func (s *Store) stamp(next ent.Mutator) ent.Mutator {
	return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
		now := s.Now()
		switch {
		case m.Op().Is(ent.OpCreate):
			for _, f := range []string{"created_at", "updated_at", "epoch_at"} {
				if _, set := m.Field(f); !set {
					_ = m.SetField(f, now) // tables without the field refuse it
				}
			}
		case m.Op().Is(ent.OpUpdate | ent.OpUpdateOne):
			_ = m.SetField("updated_at", now)
			_ = m.AddField("version", 1)
		}
		return next.Mutate(ctx, m)
	})
}

// raiseEpochs tells every replica that what it cached of the touched accounts
// is stale.
func (tx *Tx) raiseEpochs(ctx context.Context) error {
	accounts := make([]string, 0, len(tx.touched))
	for a := range tx.touched {
		accounts = append(accounts, a)
	}
	slices.Sort(accounts)
	query := "UPDATE accounts SET epoch = epoch + 1, epoch_at = ? WHERE id = ?"
	if tx.store.Dialect == Postgres {
		query = "UPDATE accounts SET epoch = epoch + 1, epoch_at = $1 WHERE id = $2"
	}
	for _, a := range accounts {
		if _, err := tx.sql.ExecContext(ctx, query, tx.store.Now(), a); err != nil {
			return fmt.Errorf("store: epoch: %w", err)
		}
	}
	return nil
}
