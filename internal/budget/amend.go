package budget

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
)

// amendment ends holds of nodes that are no more, and corrects charges: what a
// round can't do, for no lease of this replica stands for it. It locks the rows
// that it touches, decides in memory, and writes each row once.
type amendment struct {
	*Engine
	tx conn

	held   map[string]*Hold     // rows of holds, locked
	lines  map[string][]charge  // of ops whose hold is gone
	scopes map[string]*standing // budgets by scope
	cycles map[string]*cycle    // locked
	leases map[leaseKey]*own    // of the holds' nodes, locked

	gone, released []string
	newCharges     []charge
	corrections    map[string]money.Nano // of cycles before, by the cycle they are booked in
}

type leaseKey struct{ cycle, node string }

// amend applies ops in one transaction.
func (e *Engine) amend(ctx context.Context, ops []*op) error {
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	return e.store.WriteTx(ctx, func(tx *sql.Tx) error {
		a := &amendment{Engine: e, tx: tx}
		if err := a.load(ctx, ops); err != nil {
			return err
		}
		e.node.mu.Lock() // somebody may read what became of an op
		for _, o := range ops {
			o.err = nil
			a.apply(o)
		}
		e.node.mu.Unlock()
		return a.save(ctx)
	})
}

// load keeps one order of locks: holds, charges, cycles, leases, each by id.
func (a *amendment) load(ctx context.Context, ops []*op) (err error) {
	var ids []string
	cycles, nodes, scopes := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, o := range ops {
		ids = append(ids, o.id())
	}
	slices.Sort(ids)
	if a.held, err = a.lockHolds(ctx, a.tx, ids); err != nil {
		return err
	}
	touch := func(h *Hold) {
		nodes[h.nodeID] = true
		for _, k := range h.cycles {
			cycles[k] = true
		}
	}
	for _, h := range a.held {
		touch(h)
	}
	if err := a.loadLines(ctx, slices.DeleteFunc(ids, func(id string) bool { return a.held[id] != nil })); err != nil {
		return err
	}
	for _, o := range ops {
		if o.hold != nil && a.held[o.id()] == nil && a.lines[o.id()] == nil {
			touch(o.hold) // only its node has known of it
			for _, s := range o.hold.Call.scopeIDs() {
				scopes[s] = true
			}
		}
	}
	for _, ls := range a.lines {
		for _, s := range ls[0].scopeIDs() {
			scopes[s] = true
		}
		for _, k := range ls[0].cycles {
			cycles[k] = true
		}
	}
	if a.scopes, err = a.open(ctx, a.tx, slices.Sorted(maps.Keys(scopes)), a.now()); err != nil {
		return err
	}
	for _, s := range a.scopes {
		cycles[s.id] = true
	}
	if a.cycles, err = a.lockCycles(ctx, a.tx, slices.Collect(maps.Keys(cycles))); err != nil {
		return err
	}
	return a.lockLeases(ctx, slices.Sorted(maps.Keys(nodes)), slices.Sorted(maps.Keys(cycles)))
}

// loadLines reads the charges of ops whose hold is gone. Corrections of one
// charge must follow each other, also across processes.
func (a *amendment) loadLines(ctx context.Context, ids []string) (err error) {
	if a.dialect == postgres {
		for _, id := range ids {
			if _, err := a.exec(ctx, a.tx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", id); err != nil {
				return err
			}
		}
	}
	a.lines, err = a.charges(ctx, a.tx, ids)
	return err
}

func (a *amendment) anyClosed(cycles []string) bool {
	return slices.ContainsFunc(cycles, func(k string) bool { return a.cycles[k] != nil && a.cycles[k].closed })
}

func (a *amendment) lockLeases(ctx context.Context, nodes, cycles []string) error {
	a.leases = map[leaseKey]*own{}
	if len(nodes) == 0 || len(cycles) == 0 {
		return nil
	}
	var p params
	q := "SELECT cycle_id, node_id, granted, spent, held FROM budget_leases WHERE node_id IN (" + p.list(nodes) + ") AND cycle_id IN (" + p.list(cycles) +
		") ORDER BY cycle_id, node_id FOR UPDATE"
	return a.query(ctx, a.tx, q, p, func(r *sql.Rows) error {
		var k leaseKey
		var o own
		err := r.Scan(&k.cycle, &k.node, &o.granted, &o.spent, &o.held)
		a.leases[k] = &o
		return err
	})
}

func (a *amendment) apply(o *op) {
	switch h, lines := a.held[o.id()], a.lines[o.id()]; {
	case h != nil:
		a.end(o, h, true)
	case len(lines) > 0:
		a.correct(o, lines)
	case o.do == adjust:
		o.err = fault.Missing("charge")
	case o.do != release && o.hold.Call.AccountID != "":
		a.end(o, o.hold, false)
	}
}

// end charges a hold of a dead node to its lease; where that was folded
// already, to the cycle itself. known tells that the lease counts it as held.
func (a *amendment) end(o *op, h *Hold, known bool) {
	if !known && a.anyClosed(h.cycles) {
		h.cycles = a.current(h.cycles) // its own has its statement, and never moves
	}
	x := *o
	x.hold = h
	x.price()
	back := money.Nano(0)
	if known {
		back = h.Amount
		a.gone = append(a.gone, h.ID)
		delete(a.held, h.ID)
	}
	if x.do == release {
		a.released = append(a.released, h.ID)
	}
	fits, leased := true, true
	for _, k := range h.cycles {
		c, l := a.cycles[k], a.leases[leaseKey{k, h.nodeID}]
		if c == nil {
			continue // the budget was removed
		}
		rest := x.amount
		if l != nil {
			l.held -= back
			l.spent += x.amount
			l.changed = true
			rest = max(0, l.spent+l.held-l.granted)
			l.granted += rest
		}
		fits = fits && rest <= max(0, c.room()-c.escrowed)
		leased = leased && l != nil
		if l == nil {
			c.escrow(rest, rest)
		} else {
			c.escrow(rest, 0)
		}
		c.exceed()
		c.spent += x.amount
	}
	switch {
	case !fits && leased:
		x.late(h.Cost, h.Amount)
	case !fits:
		x.late(0, 0)
	}
	a.newCharges = append(a.newCharges, x.lines...)
	if len(x.lines) > 0 {
		a.lines[h.ID] = x.lines
	}
	o.receipt = x.receipt
}

// correct answers an op whose hold was charged already. What was charged
// IN_DOUBT, or is adjusted on purpose, may only become less.
func (a *amendment) correct(o *op, lines []charge) {
	o.receipt = receiptOf(lines)
	first := lines[0]
	if o.do == doubt || o.do != adjust && first.kind != InDoubt {
		return
	}
	cost, usage := o.cost, o.usage
	if o.do == release {
		cost, usage = 0, Usage{}
	}
	credits, _, err := first.amounts(cost)
	if err != nil || cost >= o.receipt.Cost {
		return
	}
	line := first
	line.id, line.adjusts, line.kind = id.At(id.Charge, o.at), first.id, Adjusted
	line.usage, line.held, line.at, line.outcome = usage.minus(o.receipt.Usage), 0, o.at, o.outcome
	line.cost, line.credits = cost-o.receipt.Cost, credits-o.receipt.Credits
	line.cycles = a.current(first.cycles)
	a.giveBack(first, line)
	a.newCharges = append(a.newCharges, line)
	a.lines[first.id] = append(lines, line)
	o.receipt = receiptOf(a.lines[first.id])
}

func (a *amendment) save(ctx context.Context) error {
	if err := a.deleteHolds(ctx, a.tx, a.gone); err != nil {
		return err
	}
	if err := a.saveCycles(ctx, a.tx, a.cycles); err != nil {
		return err
	}
	if err := a.saveCorrections(ctx); err != nil {
		return err
	}
	if err := a.saveLeases(ctx); err != nil {
		return err
	}
	var charged []string
	for _, c := range a.newCharges {
		charged = append(charged, c.id)
	}
	if err := a.endKeys(ctx, a.tx, charged, a.released); err != nil {
		return err
	}
	return a.insertCharges(ctx, a.tx, a.newCharges)
}

func (a *amendment) saveLeases(ctx context.Context) error {
	keys := slices.SortedFunc(maps.Keys(a.leases), func(x, y leaseKey) int {
		return cmp.Or(strings.Compare(x.cycle, y.cycle), strings.Compare(x.node, y.node))
	})
	for _, k := range keys {
		l := a.leases[k]
		if !l.changed {
			continue
		}
		_, err := a.exec(ctx, a.tx, "UPDATE budget_leases SET granted = $3, spent = $4, held = $5, revision = revision + 1 WHERE cycle_id = $1 AND node_id = $2",
			k.cycle, k.node, l.granted, l.spent, l.held)
		if err != nil {
			return err
		}
	}
	return nil
}

// amendQueued applies the corrections that wait; should that fail, one by one,
// so that a bad one fails alone. Three failures in a row mean that the
// database is away.
func (e *Engine) amendQueued(ctx context.Context) {
	n := e.node
	n.mu.Lock()
	all := n.amends
	n.amends = nil
	n.mu.Unlock()
	for ops := range slices.Chunk(all, 100) {
		err := e.amend(ctx, ops)
		failed := 0
		for _, o := range ops {
			one := err
			if err != nil && len(ops) > 1 && failed < 3 {
				one = e.amend(ctx, []*op{o})
			}
			if failed++; one == nil {
				failed = 0
			}
			e.amended(o, one)
		}
	}
}

// amended tells who waits for an op what became of it. What the database
// didn't take is kept, but for adjustments, whose callers can ask again.
func (e *Engine) amended(o *op, err error) {
	n := e.node
	n.mu.Lock()
	defer n.mu.Unlock()
	if err == nil {
		o.done = true
		if e.journal != nil {
			e.journal.drop([]string{o.id()})
		}
		return
	}
	o.err = err
	if o.do != adjust {
		n.amends = append(n.amends, o)
	}
}
