package budget

import "context"

// Doubt charges the whole hold IN_DOUBT, for a call whose usage nobody can
// tell: the caller gave up on an upstream that may go on, and bill it. Errors
// are those of Settle.
func (h *Hold) Doubt(_ context.Context, out Outcome) (Receipt, error) {
	return h.end(&op{do: doubt, hold: h, outcome: out})
}
