package notify

import (
	"context"
	"database/sql"
	"log/slog"
	"maps"
	"sync"
	"time"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/internal/events"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Inbox tells live subscriptions that a person's unread lines have changed: at
// once by what this replica wrote, within half a second by the others.
type Inbox struct {
	store  *store.Store
	log    *slog.Logger
	broker *events.Broker[struct{}]
	wake   chan struct{}

	mu sync.Mutex
	// known is what was announced, by user that somebody watches.
	known map[string]unread
}

// unread is what makes a change of an inbox visible.
type unread struct {
	count  int
	newest string
}

const (
	inboxBuffer = 16
	pollEvery   = 500 * time.Millisecond
)

// NewInbox makes the one Inbox of a server; Run it.
func NewInbox(st *store.Store, log *slog.Logger) *Inbox {
	return &Inbox{store: st, log: log, broker: events.NewBroker[struct{}](), wake: make(chan struct{}, 1), known: map[string]unread{}}
}

// Watch announces changes of a person's inbox from now on; the subscriber must
// Close. What changed is for them to read.
func (i *Inbox) Watch(userID string) *events.Subscription[struct{}] {
	return i.broker.Subscribe(userID, inboxBuffer)
}

// Nudge looks now instead of in half a second.
func (i *Inbox) Nudge() {
	select {
	case i.wake <- struct{}{}:
	default:
	}
}

// Run looks until the context ends.
func (i *Inbox) Run(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-i.wake:
		}
		if err := i.Poll(ctx); err != nil && ctx.Err() == nil {
			i.log.WarnContext(ctx, "inboxes could not be looked at; they are looked at again", "cause", err)
		}
	}
}

// Poll looks once at the inboxes that somebody watches.
func (i *Inbox) Poll(ctx context.Context) error {
	watched := i.broker.Topics()
	if len(watched) == 0 {
		return nil
	}
	found, err := i.count(ctx, watched)
	if err != nil {
		return err
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, u := range watched {
		before, seen := i.known[u]
		i.known[u] = found[u]
		if !seen || before != found[u] {
			i.broker.Publish(u, struct{}{})
		}
	}
	maps.DeleteFunc(i.known, func(u string, _ unread) bool { return i.broker.Subscribers(u) == 0 })
	return nil
}

func (i *Inbox) count(ctx context.Context, users []string) (map[string]unread, error) {
	ctx = tenancy.System(ctx, "inboxes are looked at for all who watch theirs")
	var rows []struct {
		UserID sql.NullString `json:"user_id"`
		Count  int            `json:"count"`
		Newest string         `json:"newest"`
	}
	err := i.store.Notification.Query().Where(notification.UserIDIn(users...), notification.ReadAtIsNil()).
		GroupBy(notification.FieldUserID).
		Aggregate(ent.Count(), func(s *entsql.Selector) string { return entsql.As(entsql.Max(s.C(notification.FieldID)), "newest") }).
		Scan(ctx, &rows)
	out := make(map[string]unread, len(rows))
	for _, r := range rows {
		out[r.UserID.String] = unread{r.Count, r.Newest}
	}
	return out, err
}
