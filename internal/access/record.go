package access

import (
	"context"
	"slices"
	"sync"
)

// Question is what Check was asked.
type Question struct {
	Action Action
	Target Target
}

// Record holds what Check has allowed under a context, so that it can be asked
// again when roles may have changed.
type Record struct {
	mu      sync.Mutex
	allowed []Question
}

type recordKey struct{}

// Recording makes a context under which Check writes down what it allows.
func Recording(ctx context.Context) (context.Context, *Record) {
	r := &Record{}
	return context.WithValue(ctx, recordKey{}, r), r
}

// All lists what was allowed, each question once.
func (r *Record) All() []Question {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.allowed)
}

func record(ctx context.Context, q Question) {
	r, ok := ctx.Value(recordKey{}).(*Record)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.allowed, q) {
		r.allowed = append(r.allowed, q)
	}
}
