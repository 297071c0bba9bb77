package budget

import (
	"context"
	"sync"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
)

// Hold is an amount reserved on every budget of a call's path. Exactly one of
// Settle, Doubt and Release ends it; the first wins, later ones return what it
// did.
type Hold struct {
	// ID is also the id of the charge that follows.
	ID   string
	Call Call
	// Amount is what is held, in the plane's unit; Cost the same in nano-USD.
	Amount money.Nano
	Cost   money.Nano
	HeldAt time.Time

	engine *Engine
	nodeID string
	cycles []string
	// budgets of the path as they stood at the hold, by cycle.
	budgets map[string]*standing

	mu      sync.Mutex
	ended   bool
	receipt Receipt
	err     error
	room    *Room
}

// Receipt is what a call was charged in the end; all zero when released.
type Receipt struct {
	ChargeID string
	Kind     Kind
	// Cost is in nano-USD, Credits in nano-credits (0 in Console); both with
	// late and adjusted lines included.
	Cost    money.Nano
	Credits money.Nano
	Usage   Usage
	// Late is the part, in the plane's unit, that no limit had room for.
	Late money.Nano
}

// Hold reserves what a call of at most bound may cost on all budgets of its
// path, or on none. Bound counts prompt tokens as Input and generated ones as
// Output; each is held at the dearest price of its kind. The hold is durable
// when Hold returns. Errors: *Exceeded; BUDGET_EXCEEDED for a Copilot path
// without any budget; INVALID for a model without a price; else the database's.
func (e *Engine) Hold(ctx context.Context, call Call, bound Usage) (*Hold, error) {
	if err := call.check(); err != nil {
		return nil, err
	}
	cost, amount, err := call.bound(bound)
	if err != nil {
		return nil, fault.New(fault.Invalid, "What this call may cost is beyond counting. Lower its output limit.").Because(err)
	}
	h := &Hold{ID: id.New(id.Charge), Call: call, Amount: amount, Cost: cost, engine: e}
	o := &op{do: take, ctx: ctx, hold: h}
	err = e.submit(o)
	if err != nil && !o.refused {
		// Whether it was committed is unknown: give it back once that is possible.
		e.retryLater(&op{do: release, hold: h})
	}
	if err != nil {
		return nil, err
	}
	return h, nil
}

// Settle charges what the call used and gives the rest of the hold back. It
// ignores ctx's cancellation. More than was held is charged in full, the part
// that no limit has room for as a LATE line. Usage without a computable cost
// (negative, absurd) charges the whole hold IN_DOUBT. An error means that the
// database is away; the engine then keeps trying by itself.
func (h *Hold) Settle(ctx context.Context, u Usage, out Outcome) (Receipt, error) {
	cost, err := h.Call.costOf(u)
	if err != nil {
		h.engine.log.WarnContext(ctx, "usage has no cost, the whole hold is charged", "charge", h.ID, "usage", u, "error", err)
		return h.Doubt(ctx, out)
	}
	return h.end(&op{do: settle, hold: h, cost: cost, usage: u, outcome: out})
}

// Doubt charges the whole hold IN_DOUBT: the call went out and nobody can tell
// what it used. Like Settle it ignores ctx's cancellation.
func (h *Hold) Doubt(_ context.Context, out Outcome) (Receipt, error) {
	return h.end(&op{do: doubt, hold: h, outcome: out})
}

// Release gives the whole hold back: the provider billed nothing.
func (h *Hold) Release(context.Context) error {
	_, err := h.end(&op{do: release, hold: h})
	return err
}

func (h *Hold) end(o *op) (Receipt, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return h.receipt, h.err
	}
	h.ended = true
	h.err = h.engine.submit(o)
	h.receipt = o.receipt
	if o.room != nil {
		h.room = o.room
	}
	if h.err != nil {
		h.engine.retryLater(o)
	}
	return h.receipt, h.err
}

// Remaining is what the tightest budget of the path had left after the newest
// step of this call; false when no budget stands on it.
func (h *Hold) Remaining() (Room, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.room == nil {
		return Room{}, false
	}
	return *h.room, true
}
