// Package budget holds, charges and accounts for what model calls spend. A
// call reserves its worst case on every budget of its path before it goes
// out, and is charged what it used afterwards, exactly once, whatever crashes
// in between.
package budget

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/alchemi/cockpit/internal/store"
)

// Options of an engine; the zero value is fit for production on one machine.
type Options struct {
	// Now is the clock that charges and cycles go by.
	Now func() time.Time
	// NodeTimeout is how long a replica may be silent before the others charge
	// its open holds; a minute unless set. PostgreSQL only.
	NodeTimeout time.Duration
	// Journal is a directory for what this replica holds and charges before the
	// database has it. Without one, Hold and the ends of a hold wait for the
	// database.
	Journal string
	// Epochs tell of budgets that other replicas change; the engine asks by
	// itself without.
	Epochs *store.Epochs
	Log    *slog.Logger
}

// Engine is one replica's door to the ledger. Its methods may be called by
// many goroutines.
type Engine struct {
	dialect
	store   *store.Store
	db      *sql.DB
	now     func() time.Time
	log     *slog.Logger
	timeout time.Duration
	epochs  *store.Epochs
	dir     string

	node    *node
	journal *journal // nil without a directory
	// elapsed is the monotonic clock; it never jumps.
	elapsed func() time.Duration

	started bool
	stop    chan struct{}
	ending  context.CancelFunc
	kick    chan struct{} // something waits to be written
	hurry   chan struct{} // and somebody for it
	tasks   sync.WaitGroup

	burn burn
	days seriesCache
}

const (
	maxBatch  = 500
	txTimeout = 10 * time.Second
)

var errClosed = errors.New("budget: the engine is closed")

// New makes an engine over a store. Start it before the first Hold.
func New(st *store.Store, o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NodeTimeout == 0 {
		o.NodeTimeout = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	began := time.Now()
	return &Engine{
		dialect: dialect(st.Dialect), store: st, db: st.System(), now: o.Now, log: o.Log, timeout: o.NodeTimeout, epochs: o.Epochs, dir: o.Journal,
		node: newNode(), elapsed: func() time.Duration { return time.Since(began) },
		stop: make(chan struct{}), kick: make(chan struct{}, 1), hurry: make(chan struct{}, 1), burn: newBurn(),
	}
}

// Start registers this replica, brings in what its journal and dead replicas
// left behind, and keeps all that up until Close. On SQLite every other
// replica counts as dead.
func (e *Engine) Start(ctx context.Context) error {
	if e.dialect != postgres {
		if err := e.writeOne(ctx, "DELETE FROM nodes"); err != nil {
			return err
		}
	}
	if err := e.register(ctx, nil); err != nil {
		return err
	}
	if e.dir != "" {
		if err := e.openJournal(ctx); err != nil {
			return errors.Join(err, e.signOff(ctx))
		}
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.ending = cancel
	if e.epochs == nil {
		var err error
		if e.epochs, err = e.store.WatchEpochs(background); err != nil {
			cancel()
			return errors.Join(err, e.signOff(ctx))
		}
	}
	e.epochs.OnChange(e.node.forget)
	e.started = true
	e.tasks.Go(e.write)
	if err := e.sweep(ctx); err != nil {
		return errors.Join(err, e.Close(ctx))
	}
	e.tasks.Go(e.beat)
	e.tasks.Go(e.endDue)
	e.tasks.Go(e.poll)
	return nil
}

// Close writes what is queued, gives the leases back and signs this replica
// off. Calls that are still held after it are charged in full by the next
// replica that looks.
func (e *Engine) Close(ctx context.Context) error {
	n := e.node
	n.mu.Lock()
	already := n.closed || !e.started
	n.closed = true
	n.told.Broadcast()
	n.mu.Unlock()
	if already {
		return nil
	}
	close(e.stop)
	e.ending()
	e.tasks.Wait()
	err := e.lastRound(ctx)
	if e.journal != nil {
		err = errors.Join(err, e.journal.close())
	}
	return errors.Join(err, e.signOff(ctx))
}

func (e *Engine) signOff(ctx context.Context) error {
	return e.writeOne(ctx, "DELETE FROM nodes WHERE id = $1", e.nodeID())
}

func (e *Engine) nodeID() string {
	e.node.mu.Lock()
	defer e.node.mu.Unlock()
	return e.node.id
}
