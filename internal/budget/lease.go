package budget

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
)

// lockLeases locks and reads this replica's leases of the given cycles and of
// those it writes.
func (r *round) lockLeases(ctx context.Context, tx conn, ids map[string]bool) error {
	r.own = map[string]own{}
	all := maps.Clone(ids)
	for k, w := range r.writes {
		if w.slice.leased {
			all[k] = true
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(all)), maxBatch) {
		p := params{r.nodeID}
		q := "SELECT cycle_id, granted, spent, held, revision FROM budget_leases WHERE node_id = $1 AND cycle_id IN (" + p.list(part) +
			") ORDER BY cycle_id FOR UPDATE"
		err := r.query(ctx, tx, q, p, func(rows *sql.Rows) error {
			var k string
			var o own
			err := rows.Scan(&k, &o.granted, &o.spent, &o.held, &o.revision)
			r.own[k] = o
			return err
		})
		if err != nil {
			return err
		}
	}
	for k, w := range r.writes {
		if _, found := r.own[k]; w.slice.leased && !found {
			w.gone = true
		}
	}
	return nil
}

// others are the leases of a cycle that other replicas have.
type others struct{ free, spent, held money.Nano }

// readOthers reads what other replicas have of the cycles that are needed, and
// how many replicas there are.
func (r *round) readOthers(ctx context.Context, tx conn, needs map[string]*needs) (out map[string]others, replicas int64, err error) {
	out, replicas = map[string]others{}, 1
	if len(needs) == 0 || r.dialect != postgres {
		return out, replicas, nil
	}
	if err := r.query(ctx, tx, "SELECT count(*) FROM nodes", nil, scanInto(&replicas)); err != nil {
		return nil, 0, err
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(needs)), maxBatch) {
		p := params{r.nodeID}
		q := "SELECT cycle_id, granted, spent, held FROM budget_leases WHERE node_id <> $1 AND cycle_id IN (" + p.list(part) + ")"
		err := r.query(ctx, tx, q, p, func(rows *sql.Rows) error {
			var k string
			var granted, spent, held money.Nano
			err := rows.Scan(&k, &granted, &spent, &held)
			o := out[k]
			o.free, o.spent, o.held = o.free+granted-spent-held, o.spent+spent, o.held+held
			out[k] = o
			return err
		})
		if err != nil {
			return nil, 0, err
		}
	}
	return out, max(1, replicas), nil
}

// saveLeases writes this replica's leases: what they have spent and hold, what
// came and went.
func (r *round) saveLeases(ctx context.Context, tx conn) error {
	var folded, changed, added []string
	for _, k := range slices.Sorted(maps.Keys(r.writes)) {
		w := r.writes[k]
		_, row := r.own[k]
		switch {
		case w.gone:
		case row && w.fold:
			folded = append(folded, k)
		case row:
			changed = append(changed, k)
		case w.got > 0:
			added = append(added, k)
		}
	}
	for part := range slices.Chunk(folded, maxBatch) {
		p := params{r.nodeID}
		if _, err := r.exec(ctx, tx, "DELETE FROM budget_leases WHERE node_id = $1 AND cycle_id IN ("+p.list(part)+")", p...); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(changed, r.rowsAtOnce()) {
		p := params{r.nodeID}
		values := make([]string, len(part))
		for i, k := range part {
			w, o := r.writes[k], r.own[k]
			spent, held := o.spent, o.held
			if w.moved {
				spent, held = w.spent, w.held-w.dropped
			}
			values[i] = "(" + p.add(k) + "," + p.int(int64(w.got-w.give)) + "," + p.int(int64(spent)) + "," + p.int(int64(held)) + "," + sqlBool(w.answered) + ")"
		}
		_, err := r.exec(ctx, tx, "WITH d AS (VALUES "+strings.Join(values, ",")+`)
			UPDATE budget_leases SET granted = granted + d.column2, spent = d.column3, held = d.column4, revision = revision + 1,
			recalled = recalled AND NOT d.column5 FROM d WHERE node_id = $1 AND cycle_id = d.column1`, p...)
		if err != nil {
			return err
		}
	}
	for part := range slices.Chunk(added, r.rowsAtOnce()) {
		var p params
		values := make([]string, len(part))
		for i, k := range part {
			w := r.writes[k]
			var spent, held money.Nano
			if w.moved {
				spent, held = w.spent, w.held-w.dropped
			}
			values[i] = p.row(id.New(id.BudgetLease), w.budget().accountID, string(w.budget().plane), k, r.nodeID, int64(w.got), int64(spent), int64(held), 1)
		}
		_, err := r.exec(ctx, tx, "INSERT INTO budget_leases (id, account_id, plane, cycle_id, node_id, granted, spent, held, revision) VALUES "+
			strings.Join(values, ","), p...)
		if err != nil {
			return err
		}
	}
	return nil
}

// recall asks replicas, but the one given, to give back what they have free of
// some cycles.
func (d dialect) recall(ctx context.Context, tx conn, cycleIDs []string, but string) error {
	if len(cycleIDs) == 0 {
		return nil
	}
	lock := "FOR UPDATE"
	if but != "" {
		// A round has leases of its own locked by now, and asks again by itself.
		lock += " SKIP LOCKED"
	}
	p := params{but}
	_, err := d.exec(ctx, tx, `UPDATE budget_leases SET recalled = TRUE WHERE id IN (SELECT id FROM budget_leases
		WHERE node_id <> $1 AND NOT recalled AND granted > spent + held AND cycle_id IN (`+p.list(cycleIDs)+") ORDER BY cycle_id, node_id "+lock+")", p...)
	return err
}

// recalled looks for leases of this replica that others want.
func (e *Engine) recalled(ctx context.Context) error {
	var ids []string
	err := e.query(ctx, e.db, "SELECT cycle_id FROM budget_leases WHERE node_id = $1 AND recalled", []any{e.nodeID()}, func(rows *sql.Rows) error {
		var k string
		err := rows.Scan(&k)
		ids = append(ids, k)
		return err
	})
	if len(ids) > 0 {
		e.node.callBack(ids)
		e.nudge()
	}
	return err
}

// callBack lets the next round give back what is free of some cycles.
func (n *node) callBack(cycleIDs []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, k := range cycleIDs {
		if s := n.slices[k]; s != nil {
			s.recalled = true
			n.queued++
			n.touch(s)
		}
	}
}
