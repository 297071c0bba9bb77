package budget

import (
	"sync"
	"time"
)

// node is this replica in the ledger: its leases, and what it hasn't written
// yet. The lock is held for moments only, never while the database works.
type node struct {
	mu   sync.Mutex
	told *sync.Cond // a round has ended

	// id and seq belong to the writer, who alone changes them, under the lock.
	id  string
	seq int64
	// until is when admission ends unless a round gets through, by the
	// monotonic clock.
	until time.Duration

	slices map[string]*slice // by cycle
	paths  map[pathKey]*path
	// changes counts what was changed of an account's budgets.
	changes map[string]int64

	fresh   []*Hold   // to be written
	ended   []*op     // to be charged or released
	amends  []*op     // of holds that aren't this node's any more
	aside   []*op     // that the database refuses by themselves
	waiting []*waiter // holds that memory can't admit
	dirty   []*slice  // whose counters have moved
	unsure  *round    // sent, and nobody knows whether it stands

	// queued counts what was put into the queues above, tried is what it was at
	// the newest round that has ended.
	queued, tried uint64

	// closed takes no more holds, closing gives the leases back, over runs no
	// round any more.
	closed, closing, over bool
}

func newNode() *node {
	n := &node{slices: map[string]*slice{}, paths: map[pathKey]*path{}, changes: map[string]int64{}}
	n.told = sync.NewCond(&n.mu)
	return n
}

// maxPaths bounds the memory that paths take.
const maxPaths = 100_000

func (n *node) keep(k pathKey, p *path) {
	if len(n.paths) >= maxPaths {
		clear(n.paths)
	}
	n.paths[k] = p
}

// forget drops what is cached of an account, or of all: its budgets, limits
// or cycles have changed.
func (n *node) forget(accountID string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changes[accountID]++
	for k := range n.paths {
		if owns(accountID, k.path) {
			delete(n.paths, k)
		}
	}
}

func owns(accountID, path string) bool {
	return len(path) > len(accountID)+1 && path[1:len(accountID)+1] == accountID && path[len(accountID)+1] == '/'
}

// idleAfter is when a lease that nobody used is given back.
const idleAfter = 15 * time.Second
