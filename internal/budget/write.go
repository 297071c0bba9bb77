package budget

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
)

// write is the round's transaction. Its locks come in the order that every
// writer keeps: node, cycles, leases, each by id; then rows that only this
// replica has.
func (r *round) write(ctx context.Context, tx *sql.Tx) error {
	r.found, r.lost, r.taken = nil, nil, map[*Hold]error{}
	maps.DeleteFunc(r.writes, func(_ string, w *leaseWrite) bool { return w.slice == nil })
	for _, w := range r.writes {
		w.got, w.dropped, w.gone, w.read, w.over = 0, 0, false, false, false
	}
	if err := r.number(ctx, tx); err != nil {
		return err
	}
	fresh := r.unended()
	if err := r.freeClaims(ctx, tx, r.ended); err != nil {
		return err
	}
	if err := r.claim(ctx, tx, fresh); err != nil {
		return err
	}
	if err := r.capSessions(ctx, tx, fresh); err != nil {
		return err
	}
	if err := r.findPaths(ctx, tx); err != nil {
		return err
	}
	if err := r.escrow(ctx, tx); err != nil {
		return err
	}
	if err := r.writeHolds(ctx, tx, fresh); err != nil {
		return err
	}
	var lines []charge
	for _, o := range r.ended {
		lines = append(lines, o.lines...)
	}
	return r.insertCharges(ctx, tx, lines)
}

// number takes the round's number and shows that this node lives. A node that
// others gave up has no row, and writes nothing.
func (r *round) number(ctx context.Context, tx *sql.Tx) error {
	p := params{r.nodeID, r.seq}
	n, err := r.exec(ctx, tx, "UPDATE nodes SET seq = $2, seen_at = "+r.seen(&p, r.now)+" WHERE id = $1 AND seq = $2 - 1", p...)
	if err == nil && n == 0 {
		err = errFenced
	}
	return err
}

// findPaths reads the budgets of those who wait.
func (r *round) findPaths(ctx context.Context, tx *sql.Tx) error {
	calls := map[pathKey]*Call{}
	ids := map[string]bool{}
	r.changes = map[string]int64{}
	r.node.mu.Lock()
	for _, w := range r.waiting {
		c := &w.hold.Call
		if p := r.node.paths[keyOf(c)]; p != nil && p.stands(r.now) {
			continue
		}
		calls[keyOf(c)] = c
		for _, s := range c.scopeIDs() {
			ids[s] = true
		}
		r.changes[c.AccountID] = r.node.changes[c.AccountID]
	}
	r.node.mu.Unlock()
	if len(calls) == 0 {
		return nil
	}
	budgets, err := r.open(ctx, tx, slices.Sorted(maps.Keys(ids)), r.now)
	if err != nil {
		return err
	}
	if r.strict, err = r.strictAccounts(ctx, tx, slices.Sorted(maps.Keys(r.changes))); err != nil {
		return err
	}
	r.found = map[pathKey][]*standing{}
	for k, c := range calls {
		list := []*standing{}
		for _, scope := range c.scopeIDs() {
			b := budgets[scope]
			if b != nil && c.charges(b) {
				list = append(list, b)
			}
		}
		r.found[k] = list
	}
	return nil
}

// strictAccounts are those among some whose calls wait for the database.
func (d dialect) strictAccounts(ctx context.Context, tx conn, accounts []string) (map[string]bool, error) {
	out := map[string]bool{}
	var p params
	q := "SELECT id FROM accounts WHERE strict_dispatch AND id IN (" + p.list(accounts) + ")"
	return out, d.query(ctx, tx, q, p, func(rows *sql.Rows) error {
		var k string
		err := rows.Scan(&k)
		out[k] = true
		return err
	})
}

// needs are what those who wait want of a cycle.
type needs struct {
	of         *standing
	sum, least money.Nano
	free       money.Nano // what this replica has of it
	last       money.Nano
	ahead      bool // before it is needed
}

func (r *round) needs() map[string]*needs {
	n := r.node
	n.mu.Lock()
	defer n.mu.Unlock()
	out := map[string]*needs{}
	add := func(b *standing, x money.Nano, ahead bool) {
		if w := r.writes[b.id]; w != nil && w.yielding {
			return // others wait for what goes back
		}
		d := out[b.id]
		if d == nil {
			d = &needs{of: b, least: money.Max, ahead: true}
			if s := n.slices[b.id]; s != nil {
				d.free, d.last = max(0, s.free()), s.last
			}
			out[b.id] = d
		}
		d.ahead = d.ahead && ahead
		d.least = min(d.least, x)
		if d.sum += x; d.sum < 0 {
			d.sum = money.Max
		}
	}
	for _, w := range r.waiting {
		k := keyOf(&w.hold.Call)
		list, read := r.found[k]
		if p := n.paths[k]; !read && p != nil {
			for _, s := range p.slices {
				list = append(list, s.of)
			}
		}
		for _, b := range list {
			add(b, w.hold.Amount, false)
		}
	}
	for _, w := range r.writes {
		if s := w.slice; s != nil && s.wanted && out[s.of.id] == nil {
			add(s.of, s.free()+1, true)
		}
	}
	return out
}

// escrow decides what of each cycle comes to this replica and what goes back,
// and writes cycles and leases.
func (r *round) escrow(ctx context.Context, tx *sql.Tx) error {
	needs := r.needs()
	ids := map[string]bool{}
	for k := range needs {
		ids[k] = true
	}
	for k, w := range r.writes {
		if w.give > 0 || w.fold || w.closed {
			ids[k] = true
		}
	}
	r.node.mu.Lock()
	for _, o := range r.ended {
		for i, s := range o.hold.path.slices {
			if o.scant && o.part(i) < o.extra() && !s.gone {
				ids[s.of.id] = true
			}
		}
	}
	r.node.mu.Unlock()
	cycles, err := r.lockCycles(ctx, tx, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return err
	}
	if err := r.lockLeases(ctx, tx, ids); err != nil {
		return err
	}
	others, replicas, err := r.readOthers(ctx, tx, needs)
	if err != nil {
		return err
	}
	for k := range needs {
		if w := r.writes[k]; w != nil {
			w.fold = false // the lease goes on, with what it gets
		}
	}
	r.overruns(cycles)
	r.giveBack(cycles)
	var recalled []string
	for _, k := range slices.Sorted(maps.Keys(needs)) {
		switch c := cycles[k]; {
		case c == nil || c.closed: // by this replica's clock it still runs
			r.lost = append(r.lost, k)
		case r.grant(c, needs[k], others[k], replicas):
			recalled = append(recalled, k)
		}
	}
	for k, c := range cycles {
		if w := r.writes[k]; w != nil && c.excess > 0 {
			w.over = true
			recalled = append(recalled, k)
		}
	}
	if err := r.saveCycles(ctx, tx, cycles); err != nil {
		return err
	}
	if err := r.saveLeases(ctx, tx); err != nil {
		return err
	}
	return r.recall(ctx, tx, recalled, r.nodeID)
}

func (r *round) giveBack(cycles map[string]*cycle) {
	for k, w := range r.writes {
		c := cycles[k]
		if w.give == 0 && !w.fold || w.gone {
			continue
		}
		if c == nil {
			w.gone = true
			continue
		}
		if !w.fold {
			c.escrow(-w.give, 0)
			continue
		}
		// What this round's ends give back goes at once.
		c.steps += r.own[k].revision
		c.escrow(w.spent-r.own[k].granted, w.spent)
	}
}

// overruns finds room for what was used beyond a hold and isn't leased. What
// no limit has room for is charged all the same, as late.
func (r *round) overruns(cycles map[string]*cycle) {
	r.node.mu.Lock()
	defer r.node.mu.Unlock()
	for _, o := range r.ended {
		if !o.scant {
			continue
		}
		fits := true
		of := func(each func(c *cycle, rest money.Nano)) {
			for i, s := range o.hold.path.slices {
				if c := cycles[s.of.id]; c != nil && !s.gone && o.part(i) < o.extra() {
					each(c, o.extra()-o.part(i))
				}
			}
		}
		of(func(c *cycle, rest money.Nano) { fits = fits && c.room() > 0 && rest <= c.room()-c.escrowed })
		of(func(c *cycle, rest money.Nano) {
			c.escrow(rest, 0)
			c.exceed()
			if w := r.writes[c.id]; w != nil {
				w.got += rest
				w.fold = false
			}
		})
		o.price()
		if !fits {
			o.late(o.hold.Cost, o.hold.Amount)
		}
	}
}

// grant leases a part of what is free: what is needed, and more while there is
// plenty. It returns whether what others have free must be recalled.
func (r *round) grant(c *cycle, d *needs, o others, replicas int64) (recall bool) {
	w := r.writes[c.id]
	if w == nil {
		w = &leaseWrite{}
		r.writes[c.id] = w
	}
	seen := *d.of
	seen.cycle = *c
	seen.spent, seen.held = c.folded+o.spent, o.held
	w.of, w.read = &seen, true
	free := c.room() - c.escrowed
	defer func() { w.pool = c.room() - c.escrowed }()
	need, least := d.sum-d.free, d.least-d.free
	if need <= 0 {
		return false
	}
	if free <= 0 || free < least {
		return !d.ahead && o.free > 0
	}
	target := 16 * min(need, money.Max/16)
	if d.last > 0 {
		target = max(target, 2*min(d.last, money.Max/2))
	}
	got := min(free, max(need, min(target, free/money.Nano(2*replicas))))
	if d.ahead {
		got = min(free, target, free/money.Nano(2*replicas))
	}
	c.escrow(got, 0)
	w.got += got
	return false
}

// unended are the new holds whose calls run on.
func (r *round) unended() []*Hold {
	over := map[*Hold]bool{}
	for _, o := range r.ended {
		over[o.hold] = true
	}
	return slices.DeleteFunc(slices.Clone(r.fresh), func(h *Hold) bool { return over[h] })
}

// writeHolds writes those who hold on, and takes away what has ended.
func (r *round) writeHolds(ctx context.Context, tx *sql.Tx, fresh []*Hold) error {
	var gone []string
	for _, o := range r.ended {
		if o.hold.written {
			gone = append(gone, o.hold.ID)
		}
	}
	if err := r.deleteHolds(ctx, tx, gone); err != nil {
		return err
	}
	fresh = slices.DeleteFunc(fresh, func(h *Hold) bool { return r.taken[h] != nil })
	if err := r.insertHolds(ctx, tx, fresh); err != nil {
		return err
	}
	return r.endClaims(ctx, tx, r.ended)
}

// seen is the database's clock on PostgreSQL, where nodes compare with each
// other; on SQLite nobody does, and this replica's is as good.
func (e *Engine) seen(p *params, now time.Time) string {
	if e.dialect == postgres {
		return "clock_timestamp()"
	}
	return p.add(now)
}

func accountOf(path string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return id
}
