package budget

import (
	"time"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
)

// action is what an op does to the ledger.
type action int

const (
	settle  action = iota // charge cost, give the rest back
	release               // give everything back
	doubt                 // charge the whole hold
	adjust                // lower a charge to cost
)

// op is one change of the ledger.
type op struct {
	do      action
	hold    *Hold  // nil for adjust
	charge  string // of adjust alone
	cost    money.Nano
	usage   Usage
	outcome Outcome
	at      time.Time

	// amount is what budgets are charged, lines what the ledger will say.
	amount money.Nano
	lines  []charge
	// parts are what this replica had left for an overrun, by slice of the path;
	// scant tells that it wasn't enough everywhere.
	parts []money.Nano
	scant bool

	// Guarded by the node's lock:
	queued  uint64
	done    bool
	receipt Receipt
	err     error
}

func (o *op) id() string {
	if o.hold != nil {
		return o.hold.ID
	}
	return o.charge
}

// price puts down what the ledger will say of the hold's end: what was used,
// or all of the hold where that can't be told or is beyond every limit.
func (o *op) price() {
	h := o.hold
	o.amount, o.lines = 0, nil
	if o.do == release {
		return
	}
	line := charge{
		Call: h.Call, id: h.ID, kind: Settled, usage: o.usage, cycles: h.cycles, cost: o.cost,
		held: h.Amount, outcome: o.outcome, heldAt: h.HeldAt, at: o.at,
	}
	var err error
	if line.credits, o.amount, err = h.Call.amounts(o.cost); err != nil || o.do == doubt || len(h.cycles) > 0 && o.amount > Largest {
		line.kind, line.usage, line.cost, o.amount = InDoubt, Usage{}, h.Cost, h.Amount
		line.credits, _, _ = h.Call.amounts(h.Cost)
	}
	o.lines = []charge{line}
	o.receipt = receiptOf(o.lines)
}

func (o *op) extra() money.Nano { return max(0, o.amount-o.hold.Amount) }

// part is what slice i holds for the overrun.
func (o *op) part(i int) money.Nano {
	if o.parts == nil {
		return 0
	}
	return o.parts[i]
}

// late splits the line of a charge that no limit has room for: what there was
// room for, in nano-USD and in the budgets' unit, and what came above it.
func (o *op) late(cost, amount money.Nano) {
	line := o.lines[0]
	if cost, amount = min(cost, line.cost), min(amount, o.amount); amount == o.amount {
		return
	}
	over := line
	over.id, over.adjusts, over.kind, over.usage, over.held, over.outcome = id.At(id.Charge, o.at), line.id, Late, Usage{}, 0, Outcome{}
	over.cost, over.credits = line.cost-cost, max(0, line.credits-amount)
	line.cost, line.credits = cost, line.credits-over.credits
	o.lines = []charge{line, over}
	o.receipt = receiptOf(o.lines)
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
