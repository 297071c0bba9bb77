package budget

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
)

// open reads the budgets of scopes, by scope, and sees to it that the newest
// cycle of each is the one that now lies in. The plane's root must be among
// the scopes: the cycles are its.
func (d dialect) open(ctx context.Context, tx conn, scopeIDs []string, now time.Time) (map[string]*standing, error) {
	if len(scopeIDs) == 0 {
		return nil, nil
	}
	var p params
	where := "b.scope_id IN (" + p.list(scopeIDs) + ")"
	return d.openWhere(ctx, tx, where, p, now)
}

func (d dialect) openWhere(ctx context.Context, tx conn, where string, args []any, now time.Time) (map[string]*standing, error) {
	read := func() (map[string]*standing, error) {
		list, err := d.standings(ctx, tx, where, args)
		out := make(map[string]*standing, len(list))
		for _, s := range list {
			out[s.scopeID] = s
		}
		return out, err
	}
	out, err := read()
	if err != nil {
		return nil, err
	}
	var missing []cycle
	for _, s := range out {
		missing = append(missing, s.next(s.rule(out[s.poolID()]), now)...)
	}
	if len(missing) == 0 {
		return out, nil
	}
	if err := d.openNext(ctx, tx, missing, now); err != nil {
		return nil, err
	}
	return read()
}

// openNext inserts cycles that follow others, unless somebody else has.
func (d dialect) openNext(ctx context.Context, c conn, cycles []cycle, now time.Time) error {
	// Nobody who is changing these budgets may miss the new cycles, nor they the change.
	raised, err := d.begin(ctx, c, cycles, " ORDER BY id FOR SHARE")
	if err != nil {
		return err
	}
	order := make([]int, len(cycles))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return strings.Compare(cycles[a].budgetID, cycles[b].budgetID)*2 + cycles[a].startsAt.Compare(cycles[b].startsAt)
	})
	for some := range slices.Chunk(order, 100) {
		var p params
		var values []string
		for _, i := range some {
			row := &cycles[i]
			values = append(values, p.row(id.At(id.BudgetCycle, row.startsAt), row.budgetID, row.accountID, string(row.plane),
				stamp(row.startsAt), stamp(row.endsAt), int64(row.lim), int64(row.overflow), int64(raised[i]), row.revision, stamp(now)))
		}
		_, err := d.exec(ctx, c, `INSERT INTO budget_cycles (id, budget_id, account_id, plane, starts_at, ends_at, lim, overflow, raised, revision, created_at)
			VALUES `+strings.Join(values, ",")+" ON CONFLICT (budget_id, starts_at) DO NOTHING", p...)
		if err != nil {
			return err
		}
	}
	return nil
}

// begin gives new cycles what they start with: the budget's own limit, and the
// increases that last beyond their start, whose sums it returns. What is carried
// over comes when the cycle before closes. lock is put to the budgets' query.
func (d dialect) begin(ctx context.Context, c conn, cycles []cycle, lock string) ([]money.Nano, error) {
	var budgets []string
	for _, row := range cycles {
		budgets = append(budgets, row.budgetID)
	}
	slices.Sort(budgets)
	type own struct{ lim, overflow money.Nano }
	owns := map[string]own{}
	type increase struct {
		amount money.Nano
		endsAt time.Time
	}
	increases := map[string][]increase{}
	for some := range slices.Chunk(slices.Compact(budgets), maxBatch) {
		var p params
		in := p.list(some)
		err := d.query(ctx, c, "SELECT id, lim, overflow FROM budgets WHERE id IN ("+in+")"+lock, p, func(r *sql.Rows) error {
			var k string
			var o own
			err := r.Scan(&k, &o.lim, &o.overflow)
			owns[k] = o
			return err
		})
		if err != nil {
			return nil, err
		}
		err = d.query(ctx, c, "SELECT budget_id, amount, ends_at FROM budget_increases WHERE ended_at IS NULL AND budget_id IN ("+in+")", p, func(r *sql.Rows) error {
			var k string
			var i increase
			err := r.Scan(&k, &i.amount, &i.endsAt)
			increases[k] = append(increases[k], i)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	raised := make([]money.Nano, len(cycles))
	for i := range cycles {
		row := &cycles[i]
		for _, inc := range increases[row.budgetID] {
			if inc.endsAt.After(row.startsAt) {
				raised[i] += inc.amount
			}
		}
		row.lim, row.overflow = owns[row.budgetID].lim+raised[i], owns[row.budgetID].overflow
	}
	return raised, nil
}
