package notify

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Read marks one line of the viewer's inbox as read, or as unread again. That a
// person reads their own inbox is no event of the audit log.
func (n *Notifier) Read(ctx context.Context, v *tenancy.Viewer, notificationID string, read bool) error {
	return n.mark(ctx, func(ctx context.Context, tx *store.Tx) error {
		update := tx.Notification.Update().Where(notification.ID(notificationID), notification.UserID(v.UserID), notification.Shown(true))
		if read {
			update.SetReadAt(tx.Now())
		} else {
			update.ClearReadAt()
		}
		found, err := update.Save(ctx)
		if err == nil && found == 0 {
			return fault.Missing("notification")
		}
		return err
	})
}

// ReadAll marks all lines of the viewer's inbox as read and returns how many
// were not.
func (n *Notifier) ReadAll(ctx context.Context, v *tenancy.Viewer) (count int, err error) {
	err = n.mark(ctx, func(ctx context.Context, tx *store.Tx) error {
		count, err = tx.Notification.Update().Where(notification.UserID(v.UserID), notification.ReadAtIsNil()).SetReadAt(tx.Now()).Save(ctx)
		return err
	})
	return count, err
}

func (n *Notifier) mark(ctx context.Context, change func(context.Context, *store.Tx) error) error {
	ctx = tenancy.System(ctx, "inboxes are written by verbs alone, for the viewer themselves")
	return n.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		if n.Inbox != nil {
			tx.AfterCommit(n.Inbox.Nudge)
		}
		return change(ctx, tx)
	})
}

// What is kept of an inbox: read lines for a while, and never more than a
// bound, the newest.
const (
	KeepRead  = 90 * 24 * time.Hour
	KeepLines = 1000

	pruneEvery = time.Hour
	pruneBatch = 1000
)

// RunRetention deletes what isn't kept until the context ends.
func RunRetention(ctx context.Context, st *store.Store, log *slog.Logger) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if _, err := Prune(ctx, st, st.Now()); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "old notifications could not be deleted; it is tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Prune deletes what isn't kept at a moment, in small transactions, and returns
// how many lines.
func Prune(ctx context.Context, st *store.Store, now time.Time) (sum int, err error) {
	ctx = tenancy.System(ctx, "inboxes are kept for a while")
	for _, old := range []struct {
		query string
		args  []any
	}{
		{"SELECT id FROM notifications WHERE read_at < ? LIMIT ?", []any{now.Add(-KeepRead), pruneBatch}},
		{`SELECT n.id FROM notifications n JOIN (SELECT user_id FROM notifications GROUP BY user_id HAVING count(*) > ?) many ON many.user_id = n.user_id
			WHERE n.id < (SELECT k.id FROM notifications k WHERE k.user_id = n.user_id ORDER BY k.id DESC LIMIT 1 OFFSET ?) LIMIT ?`,
			[]any{KeepLines, KeepLines - 1, pruneBatch}},
	} {
		for {
			n := 0
			err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				var ids []any
				err := tx.Rows(ctx, old.query, old.args, func(r *sql.Rows) error {
					var one string
					err := r.Scan(&one)
					ids = append(ids, one)
					return err
				})
				if err != nil || len(ids) == 0 {
					return err
				}
				n, err = tx.Exec(ctx, "DELETE FROM notifications WHERE id IN ("+store.In(len(ids))+")", ids...)
				return err
			})
			if err != nil {
				return sum, fmt.Errorf("notify: %w", err)
			}
			sum += n
			if n < pruneBatch {
				break
			}
		}
	}
	return sum, nil
}
