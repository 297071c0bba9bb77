package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/audit"
)

// unauditedTables tell of no act of anybody: they are records themselves, or
// the engine's working state.
var unauditedTables = []string{"audit_events", "audit_checkpoints", "charges", "holds", "nodes", "budget_cycles", "budget_leases", "idempotency_keys", "mutation_keys"}

// epochTables hold what sessions, keys and routes are cached from.
var epochTables = []string{
	"accounts", "scopes", "members", "role_bindings", "users", "keys", "key_models",
	"providers", "models", "prices", "central_providers", "catalog_models", "credit_factors",
	"grants", "support_accesses", "identity_providers", "budgets", "agents", "agent_versions", "connections", "tools", "guardrail_presets", "guardrail_assignments",
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
			accounts, err := accountsOf(ctx, tx, m, r.TableName())
			if err != nil {
				return nil, fmt.Errorf("store: whose %s change: %w", r.TableName(), err)
			}
			for _, a := range accounts {
				tx.touched[a] = true
			}
		}
		return next.Mutate(ctx, m)
	})
}

// accountsOf tells whose rows a mutation creates, changes or deletes.
func accountsOf(ctx context.Context, tx *Tx, m ent.Mutation, table string) ([]string, error) {
	if m.Op().Is(ent.OpCreate) {
		account, _ := m.Field("account_id")
		a, _ := account.(string)
		return []string{a}, nil
	}
	many, ok := m.(interface {
		IDs(context.Context) ([]string, error)
	})
	if !ok {
		return nil, fmt.Errorf("%T doesn't tell its ids", m)
	}
	ids, err := many.IDs(ctx)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	t := entsql.Dialect(tx.store.Dialect).Table(table)
	in := make([]any, len(ids))
	for i, rowID := range ids {
		in[i] = rowID
	}
	query, args := entsql.Dialect(tx.store.Dialect).Select(t.C("account_id")).Distinct().From(t).Where(entsql.In(t.C("id"), in...)).Query()
	rows, err := tx.sql.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	if err := entsql.ScanSlice(rows, &out); err != nil {
		return nil, err
	}
	return out, rows.Err()
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
