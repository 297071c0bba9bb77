package budget

import (
	"context"
	"encoding/json"
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
	// key is the client's, nil without one.
	key    *IdempotencyKey
	cycles []string
	// encoded is Call as journal and database keep it.
	encoded []byte

	// Guarded by the node's lock:
	nodeID string // that it was held by
	path   *path
	queued uint64
	// written tells that the database has a row of it, failed why it has none,
	// abandoned that it never will, ending that its end is queued.
	written, abandoned, ending bool
	failed                     error

	mu      sync.Mutex
	ended   bool
	receipt Receipt
	err     error
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
	// Late is what came above the hold, in the plane's unit, where not every limit
	// had room for it.
	Late money.Nano
}

// Hold reserves what a call of at most bound may cost on all budgets of its
// path, or on none. Bound counts prompt tokens as Input and generated ones as
// Output; each is held at the dearest price of its kind. The hold outlives this
// process when Hold returns. Errors: *Exceeded; BUDGET_EXCEEDED for a Copilot
// path without any budget; INVALID for a model without a price; UNAVAILABLE
// where the journal can't be written; else the database's.
func (e *Engine) Hold(ctx context.Context, call Call, bound Usage) (*Hold, error) {
	return e.HoldOnce(ctx, call, bound, nil)
}

// HoldOnce is Hold for a call that may be sent twice under a client's key: the
// key is taken in the transaction that writes the hold. Errors are also those
// of keys that are taken: IDEMPOTENCY_KEY_IN_USE, _REUSED and _USED.
func (e *Engine) HoldOnce(ctx context.Context, call Call, bound Usage, key *IdempotencyKey) (*Hold, error) {
	if err := call.check(); err != nil {
		return nil, err
	}
	cost, amount, err := call.bound(bound)
	if err != nil {
		return nil, fault.New(fault.Invalid, "What this call may cost is beyond counting. Lower its output limit.").Because(err)
	}
	h := &Hold{ID: id.New(id.Charge), Call: call, Amount: amount, Cost: cost, engine: e, key: key}
	if h.encoded, err = json.Marshal(&h.Call); err != nil {
		return nil, err
	}
	if err := e.admit(ctx, h); err != nil {
		return nil, err
	}
	if e.journal == nil || key != nil || h.path.strict || call.Cap != (Cap{}) {
		if err := e.hardened(ctx, h); err != nil {
			return nil, err
		}
	}
	if e.journal != nil {
		if err := e.journal.hold(h); err != nil {
			e.log.ErrorContext(ctx, "the journal can't be written, so no call is admitted", "error", err)
			_, _ = h.end(&op{do: release, hold: h}) // tried again by itself
			return nil, fault.New(fault.Unavailable, "The server can't record the call now. Try again later.").Because(err)
		}
	}
	return h, nil
}

// hardened waits until the database has the hold, and gives the hold back
// where that failed. A replica that was given up meanwhile admits it anew.
func (e *Engine) hardened(ctx context.Context, h *Hold) error {
	for {
		err := e.awaitHold(h)
		if err == nil {
			return nil
		}
		if err == errFenced { //nolint:errorlint // set as it is by the round
			if err = e.admit(ctx, h); err == nil {
				continue
			}
			return err
		}
		_, _ = h.end(&op{do: release, hold: h}) // tried again by itself
		return err
	}
}

// Durable waits until the database knows of the call, or of its end, where a
// journal on this machine's disk isn't where the database is: before the first
// byte of an answer goes out. Errors are the database's; the call is safe on
// this machine all the same.
func (h *Hold) Durable() error {
	e := h.engine
	if e.journal == nil || e.dialect != postgres {
		return nil
	}
	return e.awaitHold(h)
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
	if !h.ended {
		h.ended = true
		h.receipt, h.err = h.engine.finish(o)
	}
	return h.receipt, h.err
}

// Remaining is what the tightest budget of the path has left by now; false when
// no budget stands on it.
func (h *Hold) Remaining() (Room, bool) {
	h.engine.node.mu.Lock()
	defer h.engine.node.mu.Unlock()
	if r := h.path.tightest(nil); r != nil {
		return *r, true
	}
	return Room{}, false
}
