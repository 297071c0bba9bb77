package budget

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ended is a cycle that is over and has no statement yet.
type ended struct {
	id, budgetID       string
	startsAt, endsAt   time.Time
	scopeID, scopeName string
	path               string
	kind               tenancy.Kind
	unit               Unit
	rolloverCap        money.Nano
}

// closeDrained closes the ended cycles of a tree, older ones first and parents
// before children: what a parent carries over is there for what its children
// do. A cycle waits for its parent's, and for the one before it.
func (e *Engine) closeDrained(ctx context.Context, p place, now time.Time) (closed int, err error) {
	var list []*ended
	err = e.query(ctx, e.db, `SELECT c.id, c.budget_id, c.starts_at, c.ends_at, s.id, s.name, s.path, s.kind, b.unit, b.rollover_cap
		FROM budget_cycles c JOIN budgets b ON b.id = c.budget_id JOIN scopes s ON s.id = b.scope_id
		WHERE c.account_id = $1 AND c.plane = $2 AND c.closed_at IS NULL AND c.ends_at <= $3
		ORDER BY c.ends_at, length(s.path), s.path, c.starts_at`, []any{p.accountID, string(p.plane), now}, func(r *sql.Rows) error {
		var x ended
		err := r.Scan(&x.id, &x.budgetID, &x.startsAt, &x.endsAt, &x.scopeID, &x.scopeName, &x.path, &x.kind, &x.unit, &x.rolloverCap)
		x.startsAt, x.endsAt = x.startsAt.UTC(), x.endsAt.UTC()
		list = append(list, &x)
		return err
	})
	if err != nil {
		return 0, err
	}
	accounts, err := e.readDrained(ctx, p, list)
	if err != nil || len(accounts) == 0 {
		return 0, err
	}
	waiting := map[string]*ended{} // the oldest one that couldn't be closed, by scope
	for some := range slices.Chunk(list, renewBatch) {
		var done []string
		err := e.store.WriteTx(ctx, func(tx *sql.Tx) error {
			c := closing{Engine: e, tx: tx, place: p, now: stamp(e.now()), waiting: maps.Clone(waiting), accounts: maps.Clone(accounts)}
			err := c.run(ctx, some)
			done = c.closed
			if err == nil {
				waiting = c.waiting
			}
			return err
		})
		if err != nil {
			return closed, err
		}
		if len(done) > 0 {
			e.node.lose(done) // should the clock go back behind their end, calls are led to those that are open
			e.log.InfoContext(ctx, "budget cycles closed", "account", p.accountID, "plane", p.plane, "cycles", len(done))
		}
		closed += len(done)
	}
	return closed, nil
}

// readDrained reads the ledger for those cycles that nothing can be charged to any
// more, before anything is locked: it takes a while at the end of a month.
func (e *Engine) readDrained(ctx context.Context, p place, list []*ended) (map[string]*account, error) {
	busy, err := e.busy(ctx, e.db, p)
	if err != nil {
		return nil, err
	}
	var ids []string
	var since time.Time
	for _, x := range list {
		if busy[x.id] {
			continue
		}
		if ids = append(ids, x.id); since.IsZero() || x.startsAt.Before(since) {
			since = x.startsAt
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return e.accounts(ctx, e.db, p, ids, since.AddDate(0, 0, -skewDays))
}

// closing is one transaction that closes cycles of a tree.
type closing struct {
	*Engine
	place
	tx      *sql.Tx
	now     time.Time
	waiting map[string]*ended
	closed  []string

	cycles   map[string]*cycle // locked: those to close, and those that follow
	beside   map[string]beside
	next     map[string]string // cycle that follows, by cycle
	busy     map[string]bool   // cycles that may still be charged
	accounts map[string]*account
	rooms    map[time.Time]*rooms
}

func (c *closing) run(ctx context.Context, list []*ended) error {
	mine, err := c.renews(ctx, c.tx)
	if err == nil && mine {
		err = c.serialize(ctx, c.tx, c.accountID, c.plane) // limits are counted: nobody sets one meanwhile
	}
	if err != nil || !mine {
		return err
	}
	if err := c.load(ctx, list); err != nil {
		return err
	}
	for _, x := range list {
		row := c.cycles[x.id]
		if row == nil || c.beside[x.id].closed {
			continue // gone, or closed by another replica
		}
		if c.cycles[c.next[x.id]] == nil || c.busy[x.id] || c.waits(x) {
			c.wait(x)
			continue
		}
		if err := c.close(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// load locks the cycles and those that follow them, in one order: whoever writes
// to the ledger locks them too.
func (c *closing) load(ctx context.Context, list []*ended) (err error) {
	var p params
	var ids []string
	for _, x := range list {
		ids = append(ids, x.id)
	}
	c.next = map[string]string{}
	err = c.query(ctx, c.tx, `SELECT c.id, n.id FROM budget_cycles c JOIN budget_cycles n ON n.budget_id = c.budget_id
		AND n.starts_at = (SELECT min(f.starts_at) FROM budget_cycles f WHERE f.budget_id = c.budget_id AND f.starts_at > c.starts_at)
		WHERE c.id IN (`+p.list(ids)+")", p, func(r *sql.Rows) error {
		var own, next string
		err := r.Scan(&own, &next)
		c.next[own] = next
		return err
	})
	if err != nil {
		return err
	}
	all := slices.Concat(ids, slices.Collect(maps.Values(c.next)))
	slices.Sort(all)
	if c.cycles, err = c.lockCycles(ctx, c.tx, slices.Compact(all)); err != nil {
		return err
	}
	if c.beside, err = c.lookUp(ctx, c.tx, slices.Collect(maps.Keys(c.cycles))); err != nil {
		return err
	}
	c.rooms = map[time.Time]*rooms{}
	c.busy, err = c.Engine.busy(ctx, c.tx, c.place)
	return err
}

// account is what the ledger says of a cycle. Where the counters tell that more
// was charged since it was read, or that a replica whose clock lags wrote a line
// before the cycle's start, it is read again, from ever further back.
func (c *closing) account(ctx context.Context, x *ended) (*account, error) {
	for _, since := range []time.Time{x.startsAt.AddDate(0, 0, -skewDays), {}} {
		if a, of := c.accounts[x.id], c.beside[x.id]; a != nil && a.spent == c.cycles[x.id].spent-of.prior && a.corrections == of.corrections {
			break
		}
		fresh, err := c.Engine.accounts(ctx, c.tx, c.place, []string{x.id}, since)
		if err != nil {
			return nil, err
		}
		c.accounts[x.id] = fresh[x.id]
	}
	return c.accounts[x.id].clone(), nil
}

// skewDays is how far back lines are looked for before their cycle's start, for
// clocks that differ.
const skewDays = 1

// waits tells whether an earlier cycle of the budget, or a cycle of a budget
// above it, has to close before.
func (c *closing) waits(x *ended) bool {
	for _, scope := range strings.Split(strings.Trim(x.path, "/"), "/") {
		if w := c.waiting[scope]; w != nil && !w.endsAt.After(x.endsAt) {
			return true
		}
	}
	return false
}

func (c *closing) wait(x *ended) {
	if c.waiting[x.scopeID] == nil {
		c.waiting[x.scopeID] = x
	}
}

// busy are the cycles of a tree that may still be charged: a running call holds
// them, or somebody has a lease. A replica gives the lease of a cycle that is over
// back with the last of its calls.
func (d dialect) busy(ctx context.Context, c conn, p place) (map[string]bool, error) {
	out := map[string]bool{}
	err := d.query(ctx, c, "SELECT DISTINCT cycle_id FROM budget_leases WHERE account_id = $1 AND plane = $2", []any{p.accountID, string(p.plane)}, func(r *sql.Rows) error {
		var k string
		err := r.Scan(&k)
		out[k] = true
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, d.query(ctx, c, "SELECT DISTINCT CAST(cycles AS TEXT) FROM holds WHERE account_id = $1 AND plane = $2", []any{p.accountID, string(p.plane)}, func(r *sql.Rows) error {
		var held []string
		err := r.Scan(fromJSON{&held})
		for _, k := range held {
			out[k] = true
		}
		return err
	})
}

// close writes a cycle's statement, carries over what is left of its limit, and
// marks it: from here on it never moves.
func (c *closing) close(ctx context.Context, x *ended) error {
	if _, err := c.countPrior(ctx, c.tx, x.budgetID); err != nil {
		return err
	}
	more, err := c.lookUp(ctx, c.tx, []string{x.id})
	if err != nil {
		return err
	}
	row, beside := c.cycles[x.id], more[x.id]
	a, err := c.account(ctx, x)
	if err != nil {
		return err
	}
	if err := c.addPrior(ctx, c.tx, x.budgetID, x.id, a); err != nil {
		return err
	}
	if counted := c.cycles[x.id].spent - c.beside[x.id].prior + beside.prior; counted != a.spent || beside.corrections != a.corrections {
		c.log.ErrorContext(ctx, "a closing cycle's counters aren't its ledger's; the statement says what the ledger does",
			"cycle", x.id, "counted", counted, "ledger", a.spent)
	}
	// Increases were for their time, and the overflow is never carried.
	rest := max(0, row.lim-beside.raised-a.spent)
	carry, err := c.fits(ctx, x, min(x.rolloverCap, rest))
	if err != nil {
		return err
	}
	if err := c.writeStatement(ctx, c.tx, x, row, beside, a, carry, c.now); err != nil {
		return err
	}
	if err := c.carry(ctx, c.next[x.id], carry); err != nil {
		return err
	}
	c.closed = append(c.closed, x.id)
	_, err = c.exec(ctx, c.tx, "UPDATE budget_cycles SET closed_at = $2, revision = revision + 1 WHERE id = $1", x.id, c.now)
	return err
}

// carry raises the limit of the cycle that follows.
func (c *closing) carry(ctx context.Context, cycleID string, amount money.Nano) error {
	if amount == 0 {
		return nil
	}
	next := c.cycles[cycleID]
	next.lim += amount
	next.exceed()
	_, err := c.exec(ctx, c.tx, "UPDATE budget_cycles SET lim = lim + $2, carried = carried + $2, excess = $3, revision = revision + 1 WHERE id = $1",
		cycleID, int64(amount), int64(next.excess))
	return err
}
