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

// cycle is a row of budget_cycles, with what changed since it was read.
type cycle struct {
	id, budgetID, accountID string
	plane                   tenancy.Plane
	startsAt, endsAt        time.Time
	lim, overflow           money.Nano
	base, raised            money.Nano // the budget's own limit, and what is raised in a new row
	spent, held, excess     money.Nano
	revision                int64
	dSpent, dHeld           money.Nano
}

func (c *cycle) room() money.Nano { return c.lim + c.overflow }

// fits tells whether x can still be taken; a zero limit gives nothing at all.
func (c *cycle) fits(x money.Nano) bool {
	used, err := money.Add(c.spent, c.held)
	if err != nil {
		return false
	}
	used, err = money.Add(used, x)
	return err == nil && c.room() > 0 && used <= c.room()
}

// move changes the counters of the locked row.
func (c *cycle) move(spent, held money.Nano) {
	c.spent, c.held = c.spent+spent, c.held+held
	c.dSpent, c.dHeld = c.dSpent+spent, c.dHeld+held
	c.excess = max(0, c.spent+c.held-c.room())
}

const cycleColumns = "id, budget_id, account_id, plane, starts_at, ends_at, lim, overflow, spent, held, excess, revision"

// scan reads the columns of a cycle and those that follow them.
func (c *cycle) scan(r *sql.Rows, more ...any) error {
	own := []any{&c.id, &c.budgetID, &c.accountID, &c.plane, &c.startsAt, &c.endsAt, &c.lim, &c.overflow, &c.spent, &c.held, &c.excess, &c.revision}
	err := r.Scan(append(own, more...)...)
	c.startsAt, c.endsAt = c.startsAt.UTC(), c.endsAt.UTC()
	return err
}

// lockCycles locks rows in the order of their ids, which every writer keeps.
// Rows that are gone are left out.
func (d dialect) lockCycles(ctx context.Context, c conn, ids []string) (map[string]*cycle, error) {
	out := make(map[string]*cycle, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var p params
	q := "SELECT " + cycleColumns + " FROM budget_cycles WHERE id IN (" + p.list(ids) + ") ORDER BY id FOR UPDATE"
	err := d.query(ctx, c, q, p, func(r *sql.Rows) error {
		var row cycle
		err := row.scan(r)
		out[row.id] = &row
		return err
	})
	return out, err
}

// saveCycles writes the changed counters of locked rows, each once.
func (d dialect) saveCycles(ctx context.Context, c conn, cycles map[string]*cycle) error {
	var p params
	var values []string
	for _, k := range slices.Sorted(maps.Keys(cycles)) {
		if row := cycles[k]; row.dSpent != 0 || row.dHeld != 0 {
			row.revision++
			values = append(values, "("+p.add(row.id)+",CAST("+p.add(int64(row.dSpent))+" AS BIGINT),CAST("+
				p.add(int64(row.dHeld))+" AS BIGINT),CAST("+p.add(int64(row.excess))+" AS BIGINT))")
		}
	}
	if len(values) == 0 {
		return nil
	}
	_, err := d.exec(ctx, c, "WITH d AS (VALUES "+strings.Join(values, ",")+`)
		UPDATE budget_cycles SET spent = spent + d.column2, held = held + d.column3, excess = d.column4, revision = revision + 1
		FROM d WHERE id = d.column1`, p...)
	return err
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
			stamp(row.startsAt), stamp(row.endsAt), int64(row.lim), int64(row.overflow), int64(row.spent), int64(row.held),
			int64(row.excess), row.revision, int64(row.raised), stamp(now)))
	}
	_, err := d.exec(ctx, c, "INSERT INTO budget_cycles ("+cycleColumns+", raised, created_at) VALUES "+strings.Join(values, ",")+
		" ON CONFLICT (budget_id, starts_at) DO NOTHING", p...)
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
const standingFrom = `SELECT c.id, b.id, b.account_id, b.plane, c.starts_at, c.ends_at, c.lim, c.overflow, c.spent, c.held, c.excess, c.revision,
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

// zone falls back to UTC, so that a name the server doesn't know stops nobody.
func (s *standing) zone() *time.Location {
	if z, err := time.LoadLocation(s.zoneName); err == nil {
		return z
	}
	return time.UTC
}

// poolID is the scope of the plane pool that the budget lies under.
func (s *standing) poolID() string { return strings.Split(s.path, "/")[2] }

// rule is the key's own or the plane pool's, monthly on the 1st without either.
func (s *standing) rule(pool *standing) rule {
	switch {
	case s.scopeKind == tenancy.KindKey && s.own != nil:
		return rule{*s.own, s.ownDay, s.zone()}
	case pool != nil && pool.own != nil:
		return rule{*pool.own, pool.ownDay, s.zone()}
	}
	return rule{Monthly, 1, s.zone()}
}

func (s *standing) roomNow(c *cycle) Room {
	r := Room{
		BudgetID: s.budgetID, ScopeID: s.scopeID, ScopeKind: s.scopeKind, ScopeName: s.scopeName, Unit: s.unit,
		Limit: c.room(), Spent: c.spent, Held: c.held, Available: c.room() - c.spent - c.held,
	}
	if c.endsAt.Before(never) {
		r.RenewsAt = c.endsAt.In(s.zone())
	}
	return r
}

// lockHolds locks the given holds that are still open, by id.
func (d dialect) lockHolds(ctx context.Context, c conn, ids []string) (map[string]*Hold, error) {
	out := make(map[string]*Hold, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var p params
	q := "SELECT id, cycles, amount, cost, call, held_at FROM holds WHERE id IN (" + p.list(ids) + ") ORDER BY id FOR UPDATE"
	err := d.query(ctx, c, q, p, func(r *sql.Rows) error {
		var h Hold
		if err := r.Scan(&h.ID, fromJSON{&h.cycles}, &h.Amount, &h.Cost, fromJSON{&h.Call}, &h.HeldAt); err != nil {
			return err
		}
		out[h.ID] = &h
		return nil
	})
	return out, err
}

func (d dialect) insertHolds(ctx context.Context, c conn, holds []*Hold) error {
	if len(holds) == 0 {
		return nil
	}
	var p params
	values := make([]string, 0, len(holds))
	for _, h := range holds {
		cycles, err := jsonText(h.cycles)
		if err != nil {
			return err
		}
		call, err := jsonText(h.Call)
		if err != nil {
			return err
		}
		values = append(values, p.row(h.ID, h.Call.AccountID, string(h.Call.Plane), h.nodeID, h.Call.Path, cycles,
			int64(h.Amount), int64(h.Cost), call, h.HeldAt))
	}
	_, err := d.exec(ctx, c, "INSERT INTO holds (id, account_id, plane, node_id, path, cycles, amount, cost, call, held_at) VALUES "+strings.Join(values, ","), p...)
	return err
}

func (d dialect) deleteHolds(ctx context.Context, c conn, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var p params
	n, err := d.exec(ctx, c, "DELETE FROM holds WHERE id IN ("+p.list(ids)+")", p...)
	if err == nil && n != int64(len(ids)) {
		err = errors.New("budget: a locked hold is gone")
	}
	return err
}
