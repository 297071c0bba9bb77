package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Epochs follows the accounts' epochs, so that a revocation made on any
// replica holds here within a second.
type Epochs struct {
	store *Store
	// every is how often the database is asked.
	every time.Duration
	last  atomic.Int64 // unix nanoseconds of the newest successful poll

	mu       sync.RWMutex
	epochs   map[string]int64
	onChange []func(accountID string)
	since    time.Time
}

// staleAfter is how old the newest poll may be before tenant traffic is
// refused: a replica that can't learn of revocations must not serve.
const staleAfter = time.Second

// WatchEpochs polls until the context ends. It returns after the first poll.
func (s *Store) WatchEpochs(ctx context.Context) (*Epochs, error) {
	e := &Epochs{store: s, every: 250 * time.Millisecond, epochs: map[string]int64{}}
	if err := e.poll(ctx); err != nil {
		return nil, err
	}
	go func() {
		tick := time.NewTicker(e.every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := e.poll(ctx); err != nil && ctx.Err() == nil {
					s.log.ErrorContext(ctx, "epochs can't be read; tenant traffic is refused until they can", "cause", err)
				}
			}
		}
	}()
	return e, nil
}

// OnChange registers f for accounts whose epoch has risen. It must return at
// once: the next poll waits for it.
func (e *Epochs) OnChange(f func(accountID string)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.onChange = append(e.onChange, f)
}

// Fresh tells whether the replica knows of all revocations up to a second ago.
func (e *Epochs) Fresh() bool {
	return time.Since(time.Unix(0, e.last.Load())) < staleAfter
}

// Of returns the account's newest known epoch; 0 for one never seen.
func (e *Epochs) Of(accountID string) int64 {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.epochs[accountID]
}

// window reaches back over transactions that committed late.
const window = time.Minute

func (e *Epochs) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, staleAfter)
	defer cancel()
	started := time.Now()
	query := "SELECT id, epoch, epoch_at FROM accounts WHERE epoch_at > ?"
	if e.store.Dialect == Postgres {
		query = "SELECT id, epoch, epoch_at FROM accounts WHERE epoch_at > $1"
	}
	rows, err := e.store.system.QueryContext(ctx, query, e.since.UTC())
	if err != nil {
		return err
	}
	defer rows.Close()
	var changed []string
	newest := e.since
	e.mu.Lock()
	for rows.Next() {
		var account string
		var epoch int64
		var at time.Time
		if err := rows.Scan(&account, &epoch, &at); err != nil {
			e.mu.Unlock()
			return err
		}
		if e.epochs[account] != epoch {
			e.epochs[account] = epoch
			changed = append(changed, account)
		}
		if at.Add(-window).After(newest) {
			newest = at.Add(-window)
		}
	}
	listeners := e.onChange
	e.since = newest
	e.mu.Unlock()
	if err := rows.Err(); err != nil {
		return err
	}
	for _, account := range changed {
		for _, f := range listeners {
			f(account)
		}
	}
	e.last.Store(started.UnixNano())
	return nil
}
