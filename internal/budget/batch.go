package budget

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// action is what an op does to the ledger.
type action int

const (
	take    action = iota // reserve a hold
	settle                // charge cost, give the rest back
	release               // give everything back
	doubt                 // charge the whole hold
	adjust                // lower a charge to cost
)

// op is one change of the ledger, waiting for its batch.
type op struct {
	do      action
	ctx     context.Context // of take alone: a caller who left needs no hold
	hold    *Hold           // nil for adjust
	charge  string          // of adjust alone
	cost    money.Nano
	usage   Usage
	outcome Outcome

	done    chan struct{}
	receipt Receipt
	room    *Room
	err     error
	// refused tells that err is the answer, not a failure of the database.
	refused bool
}

func (o *op) id() string {
	if o.hold != nil {
		return o.hold.ID
	}
	return o.charge
}

func (o *op) fail(err error) { o.err, o.refused = err, false }

func (o *op) refuse(err error) { o.err, o.refused = err, true }

var errFenced = errors.New("budget: this node was given up for dead")

// batch applies ops in one transaction: it locks the rows that they touch,
// decides in memory, and writes each row once.
type batch struct {
	dialect
	tx     conn
	nodeID string
	now    time.Time

	held   map[string]*Hold     // rows of holds, locked
	lines  map[string][]charge  // of ops whose hold is gone
	scopes map[string]*standing // budgets by scope
	cycles map[string]*cycle    // locked

	newHolds    []*Hold
	goneHolds   []string
	newCharges  []charge
	corrections map[string]money.Nano // of cycles before, by the cycle they are booked in
}

// run keeps one order of locks: node, holds, charges, cycles, each by id.
// Holds are taken last, so that what the batch gives back is there for them.
func (b *batch) run(ctx context.Context, ops []*op) error {
	if err := b.load(ctx, ops); err != nil {
		return err
	}
	for _, o := range ops {
		o.err, o.refused, o.receipt, o.room = nil, false, Receipt{}, nil
		if o.do != take {
			b.end(o)
		}
	}
	for _, o := range ops {
		if o.do == take {
			b.take(o)
		}
	}
	return b.save(ctx)
}

func (b *batch) load(ctx context.Context, ops []*op) (err error) {
	var ending []string
	scopes := map[string]bool{}
	for _, o := range ops {
		if o.do != take {
			ending = append(ending, o.id())
			continue
		}
		for _, s := range o.hold.Call.scopeIDs() {
			scopes[s] = true
		}
	}
	if len(scopes) > 0 {
		if err := b.fence(ctx); err != nil {
			return err
		}
	}
	if b.held, err = b.lockHolds(ctx, b.tx, ending); err != nil {
		return err
	}
	cycles := map[string]bool{}
	for _, h := range b.held {
		for _, c := range h.cycles {
			cycles[c] = true
		}
	}
	gone := slices.DeleteFunc(ending, func(id string) bool { return b.held[id] != nil })
	if err := b.loadLines(ctx, gone); err != nil {
		return err
	}
	for _, ls := range b.lines {
		for _, s := range ls[0].scopeIDs() {
			scopes[s] = true
		}
		for _, c := range ls[0].cycles {
			cycles[c] = true
		}
	}
	if b.scopes, err = b.open(ctx, b.tx, slices.Sorted(maps.Keys(scopes)), b.now); err != nil {
		return err
	}
	for _, s := range b.scopes {
		cycles[s.id] = true
	}
	b.cycles, err = b.lockCycles(ctx, b.tx, slices.Sorted(maps.Keys(cycles)))
	return err
}

// fence refuses to take holds for a node that others gave up: nobody would
// resolve them.
func (b *batch) fence(ctx context.Context) error {
	found := false
	err := b.query(ctx, b.tx, "SELECT id FROM nodes WHERE id = $1 FOR KEY SHARE", []any{b.nodeID}, func(*sql.Rows) error {
		found = true
		return nil
	})
	if err == nil && !found {
		err = errFenced
	}
	return err
}

// loadLines reads the charges of ops whose hold is gone. Corrections of one
// charge must follow each other, also across processes.
func (b *batch) loadLines(ctx context.Context, ids []string) (err error) {
	slices.Sort(ids)
	if b.dialect == postgres {
		for _, id := range ids {
			if _, err := b.exec(ctx, b.tx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", id); err != nil {
				return err
			}
		}
	}
	b.lines, err = b.charges(ctx, b.tx, ids)
	return err
}

// take reserves the hold's amount on every budget of its path, or on none.
func (b *batch) take(o *op) {
	h := o.hold
	if err := o.ctx.Err(); err != nil {
		o.refuse(err)
		return
	}
	h.cycles, h.budgets = []string{}, map[string]*standing{}
	var tightest *Room
	for _, scope := range h.Call.scopeIDs() {
		s := b.scopes[scope]
		if s == nil || s.accountID != h.Call.AccountID || s.plane != h.Call.Plane || !strings.HasPrefix(h.Call.Path, s.path) {
			continue
		}
		c := b.cycles[s.id]
		if c == nil {
			continue // removed a moment ago
		}
		h.cycles = append(h.cycles, c.id)
		h.budgets[c.id] = s
		if s.frozenAt != nil {
			o.refuse(&Frozen{Room: s.roomNow(c), At: *s.frozenAt, Reason: s.freezeReason})
			return
		}
		if r := s.roomNow(c); !c.fits(h.Amount) && (tightest == nil || r.Available < tightest.Available) {
			tightest = &r
		}
	}
	switch {
	case tightest != nil:
		o.refuse(&Exceeded{Room: *tightest, Needed: h.Amount})
		return
	case len(h.cycles) == 0 && h.Call.Plane == tenancy.Copilot:
		o.refuse(fault.New(fault.BudgetExceeded, "No credits were allocated on the way to this member, and Copilot calls need them. Ask an admin to allocate some."))
		return
	}
	b.move(h.cycles, 0, h.Amount)
	h.nodeID, h.HeldAt = b.nodeID, stamp(b.now)
	h.room = b.tightest(h)
	b.newHolds = append(b.newHolds, h)
}

// end resolves a hold, or corrects what became of it.
func (b *batch) end(o *op) {
	h := b.held[o.id()]
	switch {
	case h == nil:
		b.correct(o)
	case o.do == release:
		b.move(h.cycles, 0, -h.Amount)
		b.drop(h)
	default:
		b.charge(o, h)
	}
	if o.hold != nil {
		o.room = b.tightest(o.hold)
	}
}

func (b *batch) drop(h *Hold) {
	delete(b.held, h.ID)
	b.goneHolds = append(b.goneHolds, h.ID)
}

// charge writes the ledger's line for a hold: what was used, or all of it.
func (b *batch) charge(o *op, h *Hold) {
	line := charge{
		Call: h.Call, id: h.ID, kind: Settled, usage: o.usage, cycles: h.cycles, cost: o.cost,
		held: h.Amount, outcome: o.outcome, heldAt: h.HeldAt, at: b.now,
	}
	var amount money.Nano
	var err error
	if line.credits, amount, err = h.Call.amounts(o.cost); err != nil || o.do == doubt || b.overflows(h.cycles, amount) {
		line.kind, line.usage, line.cost, amount = InDoubt, Usage{}, h.Cost, h.Amount
		line.credits, _, _ = h.Call.amounts(h.Cost)
	}
	extra := amount - h.Amount
	late := extra > 0 && !b.fit(h.cycles, extra)
	b.move(h.cycles, amount, -h.Amount)
	b.drop(h)
	lines := []charge{line}
	if late {
		over := line
		over.id, over.adjusts, over.kind, over.usage, over.held, over.outcome = id.At(id.Charge, b.now), line.id, Late, Usage{}, 0, Outcome{}
		over.cost, over.credits = line.cost-h.Cost, max(0, line.credits-h.Amount)
		line.cost, line.credits = h.Cost, line.credits-over.credits
		lines = []charge{line, over}
	}
	b.newCharges = append(b.newCharges, lines...)
	b.lines[line.id] = lines
	o.receipt = receiptOf(lines)
}

// correct answers an op whose hold is gone. What was charged IN_DOUBT, or is
// adjusted on purpose, may only become less.
func (b *batch) correct(o *op) {
	lines := b.lines[o.id()]
	if len(lines) == 0 {
		if o.do == adjust {
			o.refuse(fault.Missing("charge"))
		}
		return
	}
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
	line.id, line.adjusts, line.kind = id.At(id.Charge, b.now), first.id, Adjusted
	line.usage, line.held, line.at, line.outcome = usage.minus(o.receipt.Usage), 0, b.now, o.outcome
	line.cost, line.credits = cost-o.receipt.Cost, credits-o.receipt.Credits
	line.cycles = b.current(first)
	b.giveBack(first, line)
	b.newCharges = append(b.newCharges, line)
	b.lines[first.id] = append(lines, line)
	o.receipt = receiptOf(b.lines[first.id])
}

func (b *batch) move(cycles []string, spent, held money.Nano) {
	for _, k := range cycles {
		if c := b.cycles[k]; c != nil {
			c.move(spent, held)
		}
	}
}

func (b *batch) fit(cycles []string, x money.Nano) bool {
	return !slices.ContainsFunc(cycles, func(k string) bool { return b.cycles[k] != nil && !b.cycles[k].fits(x) })
}

// overflows tells whether charging x leaves a counter no place in 64 bits.
func (b *batch) overflows(cycles []string, x money.Nano) bool {
	return slices.ContainsFunc(cycles, func(k string) bool {
		c := b.cycles[k]
		return c != nil && (x > money.Max-max(0, c.spent)-c.held)
	})
}

func (b *batch) tightest(h *Hold) *Room {
	var out *Room
	for k, s := range h.budgets {
		if c := b.cycles[k]; c != nil {
			if r := s.roomNow(c); out == nil || r.Available < out.Available {
				out = &r
			}
		}
	}
	return out
}

func receiptOf(lines []charge) Receipt {
	r := Receipt{ChargeID: lines[0].id, Kind: lines[0].kind}
	for _, l := range lines {
		r.Cost += l.cost
		r.Credits += l.credits
		r.Usage = r.Usage.plus(l.usage)
		if l.kind == Late {
			r.Late += l.amount()
		}
	}
	return r
}

func (b *batch) save(ctx context.Context) error {
	if err := b.insertHolds(ctx, b.tx, b.newHolds); err != nil {
		return err
	}
	if err := b.deleteHolds(ctx, b.tx, b.goneHolds); err != nil {
		return err
	}
	if err := b.insertCharges(ctx, b.tx, b.newCharges); err != nil {
		return err
	}
	if err := b.saveCorrections(ctx); err != nil {
		return err
	}
	return b.saveCycles(ctx, b.tx, b.cycles)
}
