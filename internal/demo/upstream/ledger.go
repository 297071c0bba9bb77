package upstream

import (
	"maps"
	"sync"
)

// kept bounds how many requests the ledger remembers one by one.
const kept = 100_000

// Bill is what the provider charged for one request id, over all its attempts.
type Bill struct {
	Attempts   int `json:"attempts"`
	Prompt     int `json:"prompt_tokens"`
	Cached     int `json:"cached_tokens"`
	CacheWrite int `json:"cache_write_tokens"`
	Completion int `json:"completion_tokens"`
	Reasoning  int `json:"reasoning_tokens"`
}

// Stats is the provider's own account of its work since it started, as GET
// /demo/stats has it; Requests only with ?requests=true.
type Stats struct {
	Calls       int             `json:"calls"`
	OpenStreams int             `json:"open_streams"`
	Billed      Bill            `json:"billed"`
	Requests    map[string]Bill `json:"requests,omitempty"`
}

type ledger struct {
	mu       sync.Mutex
	calls    int
	streams  int
	total    Bill
	requests map[string]*Bill
	oldest   []string
}

func newLedger() *ledger { return &ledger{requests: map[string]*Bill{}} }

// call counts an attempt of a request and returns its number, from 1.
func (l *ledger) call(requestID string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	l.total.Attempts++
	b := l.of(requestID)
	b.Attempts++
	return b.Attempts
}

func (l *ledger) bill(requestID string, u usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range []*Bill{&l.total, l.of(requestID)} {
		b.Prompt += u.Prompt
		b.Cached += u.PromptDetails.Cached
		b.CacheWrite += u.PromptDetails.CacheWrite
		b.Completion += u.Completion
		b.Reasoning += u.OutputDetails.Reasoning
	}
}

func (l *ledger) open(by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams += by
}

func (l *ledger) of(requestID string) *Bill {
	if b := l.requests[requestID]; b != nil {
		return b
	}
	if len(l.oldest) == kept {
		delete(l.requests, l.oldest[0])
		l.oldest = l.oldest[1:]
	}
	b := &Bill{}
	l.requests[requestID] = b
	l.oldest = append(l.oldest, requestID)
	return b
}

func (l *ledger) stats(perRequest bool) Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Calls: l.calls, OpenStreams: l.streams, Billed: l.total}
	if perRequest {
		s.Requests = make(map[string]Bill, len(l.requests))
		for requestID, b := range maps.All(l.requests) {
			s.Requests[requestID] = *b
		}
	}
	return s
}
