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

// Options of an engine; the zero value is fit for production.
type Options struct {
	// Now is the clock that charges and cycles go by.
	Now func() time.Time
	// NodeTimeout is how long a replica may be silent before the others charge
	// its open holds; a minute unless set. PostgreSQL only.
	NodeTimeout time.Duration
	Log         *slog.Logger
}

// Engine is one replica's door to the ledger. Its methods may be called by
// many goroutines.
type Engine struct {
	dialect
	store *store.Store
	db    *sql.DB
	now   func() time.Time
	log   *slog.Logger

	timeout time.Duration
	queue   chan *op
	stop    chan struct{}
	tasks   sync.WaitGroup
	// closing is held shared while an op is being queued.
	closing sync.RWMutex
	closed  bool

	mu     sync.Mutex
	nodeID string
	later  []*op // could not be written; tried again with every beat

	burn burn
	days seriesCache
}

const (
	maxBatch  = 256
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
	return &Engine{
		dialect: dialect(st.Dialect), store: st, db: st.System(), now: o.Now, log: o.Log, timeout: o.NodeTimeout,
		queue: make(chan *op, 4*maxBatch), stop: make(chan struct{}), burn: newBurn(),
	}
}

// Start registers this replica, charges what dead ones left behind, and keeps
// both up until Close. On SQLite every other replica counts as dead.
func (e *Engine) Start(ctx context.Context) error {
	if e.dialect != postgres {
		if err := e.writeOne(ctx, "DELETE FROM nodes"); err != nil {
			return err
		}
	}
	if err := e.register(ctx); err != nil {
		return err
	}
	e.tasks.Go(e.write)
	if err := e.sweep(ctx); err != nil {
		return errors.Join(err, e.Close(ctx))
	}
	e.tasks.Go(e.beat)
	e.tasks.Go(e.endDue)
	e.tasks.Go(e.poll)
	return nil
}

// Close writes what is queued and signs this replica off. Calls that are
// still held after it are charged in full by the next replica that looks.
func (e *Engine) Close(ctx context.Context) error {
	e.closing.Lock()
	already := e.closed
	e.closed = true
	e.closing.Unlock()
	if already {
		return nil
	}
	close(e.stop)
	e.tasks.Wait()
	e.tryAgain(ctx)
	return e.writeOne(ctx, "DELETE FROM nodes WHERE id = $1", e.node())
}

func (e *Engine) node() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.nodeID
}

// submit queues an op and waits until its batch is durable.
func (e *Engine) submit(o *op) error {
	o.done = make(chan struct{})
	e.closing.RLock()
	if e.closed {
		e.closing.RUnlock()
		return errClosed
	}
	e.queue <- o
	e.closing.RUnlock()
	<-o.done
	return o.err
}

// write commits whatever waits as one batch, again and again.
func (e *Engine) write() {
	for {
		select {
		case o := <-e.queue:
			e.answer(o)
		case <-e.stop:
			for len(e.queue) > 0 {
				e.answer(<-e.queue)
			}
			return
		}
	}
}

// answer commits an op together with those that wait behind it.
func (e *Engine) answer(first *op) {
	ops := []*op{first}
	for waiting := true; waiting && len(ops) < maxBatch; {
		select {
		case o := <-e.queue:
			ops = append(ops, o)
		default:
			waiting = false
		}
	}
	e.apply(context.Background(), ops)
	for _, o := range ops {
		close(o.done)
	}
}

// apply commits a batch; should it fail, one by one, so that a bad op fails
// alone. Three failures in a row mean that the database is away.
func (e *Engine) apply(ctx context.Context, ops []*op) {
	err := e.commit(ctx, ops)
	if err == nil {
		return
	}
	alone := len(ops) > 1
	failed := 0
	for _, o := range ops {
		if alone && failed < 3 {
			err = e.commit(ctx, []*op{o})
		}
		if failed++; err == nil {
			failed = 0
		} else {
			o.fail(err)
		}
	}
}

// commit applies ops in one transaction and tells the watchers. Its error is
// the database's; what an op was answered stands in the op.
func (e *Engine) commit(ctx context.Context, ops []*op) error {
	ctx, cancel := context.WithTimeout(ctx, txTimeout)
	defer cancel()
	var b *batch
	run := func() error {
		return e.store.WriteTx(ctx, func(tx *sql.Tx) error {
			b = &batch{dialect: e.dialect, tx: tx, nodeID: e.node(), now: e.now()}
			return b.run(ctx, ops)
		})
	}
	err := run()
	if errors.Is(err, errFenced) {
		e.log.Warn("this node was given up for dead and registers anew", "node", e.node())
		if err = e.register(ctx); err == nil {
			err = run()
		}
	}
	if err == nil {
		e.burn.tell(b.cycles)
	}
	return err
}
