package gateway

import "github.com/alchemi/cockpit/internal/budget"

// ending tells how an answer came to its end.
type ending int

const (
	complete ending = iota // by itself
	cut                    // broken off by the upstream
	left                   // given up by us: the upstream may go on, and bill it
)

// verdict is what becomes of a hold.
type verdict int

const (
	settle  verdict = iota // at the usage
	release                // nothing was used
	doubt                  // nobody knows: the whole hold is charged
)

// judge decides what a call is charged: what the provider reported, else what
// was seen of its answer counted upward, else the whole hold. hidden says that
// the model also bills tokens that it doesn't show.
func (m *meter) judge(b bound, end ending, hidden bool) (budget.Usage, verdict) {
	switch {
	case m.reported && (end != left || m.finished):
		return m.usage, settle
	case m.failed && m.seen == 0 && end != left:
		return budget.Usage{}, release
	case end == left || m.garbled || hidden:
		return budget.Usage{}, doubt
	}
	// No token is shorter than a byte.
	return budget.Usage{Input: b.input, Output: min(m.seen, b.output)}, settle
}
