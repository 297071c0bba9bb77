package budget

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// cycle is a row of budget_cycles, with what its leases add to it.
type cycle struct {
	id, budgetID, accountID string
	plane                   tenancy.Plane
	startsAt, endsAt        time.Time
	lim, overflow           money.Nano
	base                    money.Nano // the budget's own limit
	raised, prior           money.Nano // of a row that is new; see schema
	// escrowed is all that leases were granted, and folded; see schema.
	escrowed, folded, excess money.Nano
	// spent and held are those of all replicas, and revision their sum.
	spent, held money.Nano
	revision    int64
	// closed tells that its statement was written.
	closed bool
	// steps is by how much the row's own revision shall grow.
	steps int64
}

func (c *cycle) room() money.Nano { return c.lim + c.overflow }

// escrow moves the sums of the locked row. What is above the room stays
// allowed only as long as it is there.
func (c *cycle) escrow(escrowed, folded money.Nano) {
	c.escrowed, c.folded = c.escrowed+escrowed, c.folded+folded
	c.excess = min(c.excess, max(0, c.escrowed-c.room()))
	c.steps++
}

// exceed allows what stands above the room, for a good reason.
func (c *cycle) exceed() { c.excess = max(0, c.escrowed-c.room()) }

// leased sums a column of a cycle's leases.
func leased(column string) string {
	return "CAST((SELECT COALESCE(SUM(l." + column + "), 0) FROM budget_leases l WHERE l.cycle_id = c.id) AS BIGINT)"
}

// cycleColumns are what everybody reads of a cycle: its own row, and the sums
// of its leases.
var cycleColumns = "c.id, c.budget_id, c.account_id, c.plane, c.starts_at, c.ends_at, c.lim, c.overflow, c.escrowed, c.folded, c.excess, CASE WHEN c.closed_at IS NULL THEN 0 ELSE 1 END, " +
	"c.folded + " + leased("spent") + ", " + leased("held") + ", c.revision + " + leased("revision")

// scan reads the columns of a cycle and those that follow them.
func (c *cycle) scan(r *sql.Rows, more ...any) error {
	own := []any{&c.id, &c.budgetID, &c.accountID, &c.plane, &c.startsAt, &c.endsAt, &c.lim, &c.overflow, &c.escrowed, &c.folded, &c.excess, &c.closed,
		&c.spent, &c.held, &c.revision}
	err := r.Scan(append(own, more...)...)
	c.startsAt, c.endsAt = c.startsAt.UTC(), c.endsAt.UTC()
	return err
}

// lockCycles locks rows in the order of their ids, which every writer keeps,
// and reads them and their leases' sums after that. Rows that are gone are left
// out. While a row is locked nobody grants, returns or folds a lease of it.
func (d dialect) lockCycles(ctx context.Context, c conn, ids []string) (map[string]*cycle, error) {
	out := make(map[string]*cycle, len(ids))
	slices.Sort(ids)
	for part := range slices.Chunk(ids, maxBatch) {
		var p params
		in := "c.id IN (" + p.list(part) + ")"
		if d == postgres {
			if err := d.query(ctx, c, "SELECT c.id FROM budget_cycles c WHERE "+in+" ORDER BY c.id FOR UPDATE", p, func(*sql.Rows) error { return nil }); err != nil {
				return nil, err
			}
		}
		err := d.query(ctx, c, "SELECT "+cycleColumns+" FROM budget_cycles c WHERE "+in, p, func(r *sql.Rows) error {
			var row cycle
			err := row.scan(r)
			out[row.id] = &row
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// saveCycles writes the changed sums of locked rows, each once.
func (d dialect) saveCycles(ctx context.Context, c conn, cycles map[string]*cycle) error {
	ids := slices.DeleteFunc(slices.Sorted(maps.Keys(cycles)), func(k string) bool { return cycles[k].steps == 0 })
	for part := range slices.Chunk(ids, d.rowsAtOnce()) {
		var p params
		values := make([]string, 0, len(part))
		for _, k := range part {
			row := cycles[k]
			values = append(values, "("+p.add(row.id)+","+p.int(int64(row.escrowed))+","+p.int(int64(row.folded))+","+p.int(int64(row.excess))+","+p.int(row.steps)+")")
		}
		_, err := d.exec(ctx, c, "WITH d AS (VALUES "+strings.Join(values, ",")+`)
			UPDATE budget_cycles SET escrowed = d.column2, folded = d.column3, excess = d.column4, revision = revision + d.column5
			FROM d WHERE id = d.column1`, p...)
		if err != nil {
			return err
		}
		for _, k := range part {
			cycles[k].steps = 0
		}
	}
	return nil
}

// openCycles inserts cycles that nobody else has opened yet.
func (d dialect) openCycles(ctx context.Context, c conn, cycles []cycle, now time.Time) error {
	if len(cycles) == 0 {
		return nil
	}
	slices.SortFunc(cycles, func(a, b cycle) int {
		return strings.Compare(a.budgetID, b.budgetID)*2 + a.startsAt.Compare(b.startsAt)
	})
	var p params
	var values []string
	for _, row := range cycles {
		values = append(values, p.row(id.At(id.BudgetCycle, row.startsAt), row.budgetID, row.accountID, string(row.plane),
			stamp(row.startsAt), stamp(row.endsAt), int64(row.lim), int64(row.overflow), int64(row.prior), int64(row.folded), int64(row.escrowed), int64(row.excess),
			row.revision, int64(row.raised), stamp(now)))
	}
	_, err := d.exec(ctx, c, `INSERT INTO budget_cycles (id, budget_id, account_id, plane, starts_at, ends_at, lim, overflow, prior, folded, escrowed, excess, revision,
		raised, created_at)
		VALUES `+strings.Join(values, ",")+" ON CONFLICT (budget_id, starts_at) DO NOTHING", p...)
	return err
}

// standing is a budget, its scope, and its newest cycle.
type standing struct {
	cycle
	scopeID   string
	scopeKind tenancy.Kind
	scopeName string
	path      string
	unit      Unit
	own       *Cycle // NULL inherits
	ownDay    int
	zoneName  string
	freeze
}

// standingFrom reads budgets with their newest cycles; conditions follow it.
var standingFrom = "SELECT " + cycleColumns + `,
	b.scope_id, s.kind, s.name, s.path, b.unit, b.cycle, b.cycle_day, a.time_zone, b.frozen_at, b.frozen_by, b.freeze_reason, b.lim
	FROM budgets b JOIN scopes s ON s.id = b.scope_id JOIN accounts a ON a.id = b.account_id
	JOIN budget_cycles c ON c.budget_id = b.id AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = b.id)
	WHERE `

func (d dialect) standings(ctx context.Context, c conn, where string, args []any) ([]*standing, error) {
	var out []*standing
	err := d.query(ctx, c, standingFrom+where, args, func(r *sql.Rows) error {
		var s standing
		err := s.scan(r, &s.scopeID, &s.scopeKind, &s.scopeName, &s.path, &s.unit, &s.own, &s.ownDay, &s.zoneName, &s.frozenAt, &s.frozenBy, &s.freezeReason, &s.base)
		out = append(out, &s)
		return err
	})
	return out, err
}

func (s *standing) zone() *time.Location { return zoneOf(s.zoneName) }

// poolID is the scope of the plane pool that the budget lies under.
func (s *standing) poolID() string { return strings.Split(s.path, "/")[2] }

// rule is the key's or agent's own, or the plane pool's, monthly on the 1st without either.
func (s *standing) rule(pool *standing) rule {
	switch {
	case s.scopeKind.Leaf() && s.own != nil:
		return rule{*s.own, s.ownDay, s.zone()}
	case pool != nil && pool.own != nil:
		return rule{*pool.own, pool.ownDay, s.zone()}
	}
	return rule{Monthly, 1, s.zone()}
}

// lockHolds locks the given holds that are still open, by id.
func (d dialect) lockHolds(ctx context.Context, c conn, ids []string) (map[string]*Hold, error) {
	out := make(map[string]*Hold, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var p params
	q := "SELECT id, node_id, cycles, amount, cost, call, held_at FROM holds WHERE id IN (" + p.list(ids) + ") ORDER BY id FOR UPDATE"
	err := d.query(ctx, c, q, p, func(r *sql.Rows) error {
		var h Hold
		if err := r.Scan(&h.ID, &h.nodeID, fromJSON{&h.cycles}, &h.Amount, &h.Cost, fromJSON{&h.Call}, &h.HeldAt); err != nil {
			return err
		}
		out[h.ID] = &h
		return nil
	})
	return out, err
}

func (d dialect) insertHolds(ctx context.Context, c conn, holds []*Hold) error {
	rows := make([][]any, len(holds))
	for i, h := range holds {
		cycles, err := jsonText(h.cycles)
		if err != nil {
			return err
		}
		rows[i] = []any{h.ID, h.Call.AccountID, string(h.Call.Plane), h.nodeID, h.Call.Path, jsonColumn(cycles), int64(h.Amount), int64(h.Cost), h.Call.session(), jsonColumn(h.encoded), h.HeldAt}
	}
	return d.insert(ctx, c, "INSERT INTO holds (id, account_id, plane, node_id, path, cycles, amount, cost, session, call, held_at)", rows)
}

func (d dialect) deleteHolds(ctx context.Context, c conn, ids []string) error {
	slices.Sort(ids)
	for part := range slices.Chunk(ids, maxBatch) {
		var p params
		n, err := d.exec(ctx, c, "DELETE FROM holds WHERE id IN ("+p.list(part)+")", p...)
		if err == nil && n != int64(len(part)) {
			err = errors.New("budget: a hold is gone that nobody else may end")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
