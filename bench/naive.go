package main

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// naive counts in the database itself: one transaction to hold, with an UPDATE
// for each level that goes through only within the limit, and one to settle,
// which writes the charge. It has lean tables of its own.
type naive struct{ stores []*store.Store }

func (b *bank) openNaive(ctx context.Context, nodes int) (ledger, error) {
	v := &naive{}
	for range nodes {
		st, err := b.open(ctx)
		if err != nil {
			return nil, errors.Join(err, v.close(ctx))
		}
		v.stores = append(v.stores, st)
	}
	if err := b.naiveTables(ctx, v.stores[0]); err != nil {
		return nil, errors.Join(err, v.close(ctx))
	}
	err := v.stores[0].WriteTx(ctx, func(tx *sql.Tx) error {
		for _, q := range []string{"DELETE FROM naive_budgets", "DELETE FROM naive_charges"} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		done := map[string]bool{}
		for _, path := range b.members {
			for _, level := range path {
				if done[level] {
					continue
				}
				done[level] = true
				if err := v.exec(ctx, tx, "INSERT INTO naive_budgets (id, lim, held, spent) VALUES ($1, $2, 0, 0)", level, int64(money.Max/2)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, v.close(ctx))
	}
	return v, nil
}

// naiveTables are made by who may: on PostgreSQL that is the database's owner.
func (b *bank) naiveTables(ctx context.Context, st *store.Store) (err error) {
	db := st.System()
	more := ""
	if b.url != "" {
		if db, err = sql.Open("postgres", b.url); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		more = "; GRANT ALL ON naive_budgets, naive_charges TO cockpit_system"
	}
	_, err = db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS naive_budgets (id VARCHAR PRIMARY KEY, lim BIGINT NOT NULL, held BIGINT NOT NULL, spent BIGINT NOT NULL);"+
		"CREATE TABLE IF NOT EXISTS naive_charges (id VARCHAR PRIMARY KEY, path VARCHAR NOT NULL, cost BIGINT NOT NULL, at BIGINT NOT NULL)"+more)
	return err
}

func (v *naive) exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errors.New("a level has nothing left"))
	}
	return nil
}

func (v *naive) call(ctx context.Context, node int, path []string) error {
	const held, cost = 1_100_000, 290_000
	st := v.stores[node]
	err := st.WriteTx(ctx, func(tx *sql.Tx) error {
		for _, level := range path { // root first, as all do: no two wait for each other
			if err := v.exec(ctx, tx, "UPDATE naive_budgets SET held = held + $1 WHERE id = $2 AND spent + held + $1 <= lim", held, level); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return st.WriteTx(ctx, func(tx *sql.Tx) error {
		for _, level := range path {
			if err := v.exec(ctx, tx, "UPDATE naive_budgets SET held = held - $1, spent = spent + $2 WHERE id = $3", held, cost, level); err != nil {
				return err
			}
		}
		return v.exec(ctx, tx, "INSERT INTO naive_charges (id, path, cost, at) VALUES ($1, $2, $3, $4)", id.New(id.Charge), strings.Join(path, "/"), cost, time.Now().UnixNano())
	})
}

func (v *naive) close(context.Context) error {
	var errs []error
	for _, st := range v.stores {
		errs = append(errs, st.Close())
	}
	return errors.Join(errs...)
}
