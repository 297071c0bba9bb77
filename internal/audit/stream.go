package audit

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"

	"github.com/alchemi/cockpit/internal/events"
)

// Numbered announces that an account's events up to Seq are sealed. Receivers
// read them as their own viewer may.
type Numbered struct {
	AccountID string
	Seq       int64
}

// Stream tells live subscriptions of newly sealed events: at once those that
// this replica sealed, by polling those of the others.
type Stream struct {
	db      *sql.DB
	dialect string
	log     *slog.Logger
	broker  *events.Broker[Numbered]

	mu sync.Mutex
	// newest number announced, by account that somebody watches.
	newest map[string]int64
}

const (
	// streamBuffer is how many announcements a subscriber may lag behind.
	streamBuffer = 256
	// watchEvery is how often other replicas' sealing is looked for.
	watchEvery = 500 * time.Millisecond
)

// NewStream makes the one Stream of a server over a pool that sees all
// accounts; Announce belongs into Sealer.Sealed.
func NewStream(db *sql.DB, dialectName string, log *slog.Logger) *Stream {
	return &Stream{db: db, dialect: dialectName, log: log, broker: events.NewBroker[Numbered](), newest: map[string]int64{}}
}

func topic(accountID string) string { return "audit:" + accountID }

// Watch announces the account's sealed numbers from now on; the subscriber
// must Close, and is ended with events.ErrSlow once 256 announcements wait.
// The first look at the list comes after Watch, so that nothing falls between.
func (s *Stream) Watch(accountID string) *events.Subscription[Numbered] {
	return s.broker.Subscribe(topic(accountID), streamBuffer)
}

// Watchers is how many subscriptions follow an account's events.
func (s *Stream) Watchers(accountID string) int { return s.broker.Subscribers(topic(accountID)) }

// Announce tells watchers of an account's newest number; lower ones than
// before are dropped.
func (s *Stream) Announce(accountID string, seq int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broker.Subscribers(topic(accountID)) == 0 {
		delete(s.newest, accountID)
		return
	}
	if seq <= s.newest[accountID] {
		return
	}
	s.newest[accountID] = seq
	s.broker.Publish(topic(accountID), Numbered{accountID, seq})
}

// Run looks for what other replicas sealed until the context ends.
func (s *Stream) Run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Poll(ctx); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "newly sealed audit events could not be looked for; they are announced later", "cause", err)
			}
		}
	}
}

// Poll asks once for the newest numbers of all watched accounts.
func (s *Stream) Poll(ctx context.Context) (err error) {
	watched := s.broker.Topics()
	if len(watched) == 0 {
		return nil
	}
	marks, args := make([]string, len(watched)), make([]any, len(watched))
	for i, name := range watched {
		marks[i], args[i] = "?", strings.TrimPrefix(name, topic(""))
		if s.dialect == dialect.Postgres {
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
	}
	rows, err := s.db.QueryContext(ctx, "SELECT id, audit_seq FROM accounts WHERE id IN ("+strings.Join(marks, ", ")+")", args...)
	if err != nil {
		return wrap(err)
	}
	defer rows.Close()
	var found []Numbered
	for rows.Next() {
		var n Numbered
		if err := rows.Scan(&n.AccountID, &n.Seq); err != nil {
			return wrap(err)
		}
		found = append(found, n)
	}
	if err := rows.Err(); err != nil {
		return wrap(err)
	}
	for _, n := range found {
		s.Announce(n.AccountID, n.Seq)
	}
	return nil
}
