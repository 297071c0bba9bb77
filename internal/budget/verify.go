package budget

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/alchemi/cockpit/internal/money"
)

// Difference is a counter that doesn't agree with the rows it sums up.
type Difference struct {
	CycleID  string
	BudgetID string
	// Counter is "spent", "corrections", "held", "escrowed", "excess", or "statement"
	// for what a closed cycle's says.
	Counter string
	// Stands is what the counter says, Sums what the ledger, the open holds, the
	// leases or the limit say.
	Stands, Sums money.Nano
}

func (d Difference) String() string {
	return fmt.Sprintf("budget %s cycle %s: %s is %s, should be %s", d.BudgetID, d.CycleID, d.Counter, d.Stands, d.Sums)
}

// Verify recomputes every counter from the ledger, the open holds and the leases
// in one consistent read, and returns those that differ. It reads the whole
// ledger.
func (e *Engine) Verify(ctx context.Context) ([]Difference, error) {
	e.flushed()
	tx, err := e.db.BeginTx(ctx, &sql.TxOptions{Isolation: e.snapshot(), ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	cycles := map[string]*cycle{}
	var ids []string
	err = e.query(ctx, tx, "SELECT "+cycleColumns+" FROM budget_cycles c", nil, func(r *sql.Rows) error {
		var c cycle
		err := c.scan(r)
		cycles[c.id] = &c
		ids = append(ids, c.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	stated := map[string]money.Nano{}
	besides, err := e.lookUp(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	spent, held, corrections := map[string]money.Nano{}, map[string]money.Nano{}, map[string]money.Nano{}
	err = e.query(ctx, tx, "SELECT h.cycles, "+amountOf+", o.cycles FROM charges h LEFT JOIN charges o ON o.id = h.adjusts AND h.kind = 'ADJUSTED'", nil, func(r *sql.Rows) error {
		var named, original []string
		var amount money.Nano
		err := r.Scan(fromJSON{&named}, &amount, fromJSON{&original})
		for _, k := range named {
			if original != nil && !slices.Contains(original, k) {
				corrections[k] += amount
			} else {
				spent[k] += amount
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = e.query(ctx, tx, "SELECT cycles, amount FROM holds", nil, func(r *sql.Rows) error {
		var named []string
		var amount money.Nano
		err := r.Scan(fromJSON{&named}, &amount)
		for _, k := range named {
			held[k] += amount
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = e.query(ctx, tx, "SELECT cycle_id, spent FROM statements", nil, func(r *sql.Rows) error {
		var k string
		var amount money.Nano
		err := r.Scan(&k, &amount)
		stated[k] = amount
		return err
	})
	if err != nil {
		return nil, err
	}
	granted := map[string]money.Nano{}
	err = e.query(ctx, tx, "SELECT cycle_id, granted FROM budget_leases", nil, func(r *sql.Rows) error {
		var k string
		var x money.Nano
		err := r.Scan(&k, &x)
		granted[k] += x
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []Difference
	for _, k := range slices.Sorted(maps.Keys(cycles)) {
		c := cycles[k]
		check := func(counter string, stands, sums money.Nano) {
			if stands != sums {
				out = append(out, Difference{CycleID: c.id, BudgetID: c.budgetID, Counter: counter, Stands: stands, Sums: sums})
			}
		}
		check("spent", c.spent, spent[k]+besides[k].prior)
		check("corrections", besides[k].corrections, corrections[k])
		check("held", c.held, held[k])
		check("escrowed", c.escrowed, c.folded+granted[k])
		check("excess", c.excess, max(0, c.escrowed-c.room()))
		if amount, closed := stated[k]; closed || besides[k].closed {
			check("statement", amount, c.spent)
		}
	}
	return out, nil
}

// snapshot is the isolation at which several reads see one state.
func (d dialect) snapshot() sql.IsolationLevel {
	if d == postgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault // SQLite's every read transaction is a snapshot
}
