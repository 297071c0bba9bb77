package gateway

import (
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
)

// defaultLimit is the output limit in tokens of calls that set none, to models
// whose largest output isn't known.
const defaultLimit = 16_384

// bound is the most that a call can use, in tokens.
type bound struct {
	// input is all of the prompt. No token is shorter than a byte of the
	// request, and the request's syntax outweighs what a template adds.
	input int64
	// limit is the output limit of one choice as it is sent upstream.
	limit int64
	// output is the limit over all choices.
	output int64
}

// bind bounds a call to a model of that context length and largest output,
// either 0 when unknown.
func (q *request) bind(contextLength, maxOutput int64) (bound, *fault.Error) {
	b := bound{input: int64(len(q.doc)), limit: q.limit}
	if q.opaque != "" {
		if contextLength <= 0 {
			e := fault.New(unboundedRequest, "The gateway can't bound what %q costs, because the model's context length isn't known. "+
				"Ask an administrator to set it, or send text alone.", q.opaque)
			e.Path = []string{q.opaque}
			return bound{}, e
		}
		b.input = contextLength
	}
	if b.limit == 0 {
		b.limit = defaultLimit
		if maxOutput > 0 {
			b.limit = maxOutput
		}
	}
	if maxOutput > 0 {
		b.limit = min(b.limit, maxOutput)
	}
	return b.with(q, b.limit), nil
}

// with is the bound under another output limit.
func (b bound) with(q *request, limit int64) bound {
	b.limit = limit
	b.output = (limit + q.predicted) * q.n
	return b
}

// usage is the bound as budgets hold it.
func (b bound) usage() budget.Usage { return budget.Usage{Input: b.input, Output: b.output} }
