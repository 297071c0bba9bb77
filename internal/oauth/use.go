package oauth

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alchemi/cockpit/internal/store"
)

// use is a row whose last use is kept, to the minute.
type use struct {
	table, id string
	// minute is the newest that was noted, in minutes since 1970.
	minute atomic.Int64
}

// uses gathers when programs, consents and tokens were last used, and writes
// it beside the requests. It raises no version and no epoch.
type uses struct {
	store *store.Store
	log   *slog.Logger

	mu      sync.Mutex
	pending map[[2]string]time.Time // by table and id
}

func newUses(st *store.Store, log *slog.Logger) *uses {
	return &uses{store: st, log: log, pending: map[[2]string]time.Time{}}
}

func (u *uses) note(now time.Time, used []*use) {
	at := now.Truncate(time.Minute)
	minute := at.Unix() / 60
	for _, row := range used {
		if row.minute.Swap(minute) == minute {
			continue
		}
		u.mu.Lock()
		u.pending[[2]string{row.table, row.id}] = at
		u.mu.Unlock()
	}
}

// flushEvery is how old a use may be before it is written.
const flushEvery = 5 * time.Second

// Run writes uses until the context ends, and then what is left.
func (b *Bearers) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			b.uses.flush(last)
			return
		case <-tick.C:
			b.uses.flush(ctx)
		}
	}
}

func (u *uses) flush(ctx context.Context) {
	u.mu.Lock()
	pending := u.pending
	u.pending = map[[2]string]time.Time{}
	u.mu.Unlock()
	if len(pending) == 0 {
		return
	}
	set := "UPDATE %s SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)"
	if u.store.Dialect == store.Postgres {
		set = "UPDATE %s SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $3)"
	}
	err := u.store.WriteTx(ctx, func(tx *sql.Tx) error {
		for _, row := range slices.SortedFunc(maps.Keys(pending), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) }) {
			if _, err := tx.ExecContext(ctx, fmt.Sprintf(set, row[0]), pending[row], row[1], pending[row]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		u.log.WarnContext(ctx, "last uses of programs and tokens can't be written", "cause", err)
	}
}
