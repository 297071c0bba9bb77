package notify

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// mailsEvery is the pause between looks for mails that are due.
	mailsEvery = 2 * time.Second
	// mailLease is how long an attempt keeps others off its row: longer than one
	// can take.
	mailLease = time.Minute
	// firstMailPause doubles with every attempt, up to lastMailPause.
	firstMailPause = 5 * time.Second
	lastMailPause  = 30 * time.Minute
	// MailsGiveUp is how old a notice may be for its mail to be tried once more.
	MailsGiveUp = 24 * time.Hour
)

func (n *Notifier) wakeMails() {
	select {
	case n.wake <- struct{}{}:
	default: // it is awake, or nobody runs
	}
}

// RunMails sends the mails of notices until the context ends. Every replica may:
// a row's lease keeps two off the same mail. A mail whose process dies between
// the mail server's answer and the note of it goes out once more, under the same
// Message-ID.
func (n *Notifier) RunMails(ctx context.Context) {
	if !n.Mailer.Configured() {
		return
	}
	ctx = tenancy.System(ctx, "mails of all accounts are sent")
	tick := time.NewTicker(mailsEvery)
	defer tick.Stop()
	for {
		for ctx.Err() == nil {
			found, unreached, err := n.MailNext(ctx)
			if err != nil && ctx.Err() == nil {
				n.Log.ErrorContext(ctx, "a mail could not be noted; it is looked at again", "cause", err)
			}
			if err != nil || !found || unreached {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-n.wake:
		}
	}
}

// MailNext makes one attempt at the mail that has been due longest and that no
// other replica works on; unreached tells that the others may as well wait. ctx
// must be the system's.
func (n *Notifier) MailNext(ctx context.Context) (found, unreached bool, err error) {
	row, letter, err := n.claimMail(ctx)
	if err != nil || row == nil {
		return false, false, err
	}
	if letter == nil { // nobody to send it to any more
		return true, false, n.noteMail(ctx, row, nil)
	}
	failed := n.Mailer.Send(ctx, *letter)
	if failed != nil && ctx.Err() != nil {
		return true, true, ctx.Err() // the lease runs out, and it is tried again
	}
	return true, failed != nil && failed.Unreached, n.noteMail(context.WithoutCancel(ctx), row, failed)
}

// claimMail lends the row of a mail that is due, and writes the mail: nil for
// somebody who has left meanwhile.
func (n *Notifier) claimMail(ctx context.Context) (row *ent.Notification, letter *mail.Message, err error) {
	err = n.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		row, letter = nil, nil
		now := tx.Now()
		query := "SELECT id FROM notifications WHERE mail_at <= ? ORDER BY mail_at, id LIMIT 1"
		if tx.Dialect() == store.Postgres {
			query += " FOR UPDATE SKIP LOCKED"
		}
		var next string
		err := tx.Rows(ctx, query, []any{now}, func(r *sql.Rows) error { return r.Scan(&next) })
		if err != nil || next == "" {
			return err
		}
		if row, err = tx.Notification.UpdateOneID(next).SetMailAt(now.Add(mailLease)).AddMailAttempts(1).Save(ctx); err != nil {
			return err
		}
		u, err := tx.User.Query().Where(user.ID(row.UserID), user.StatusEQ(user.StatusACTIVE)).Only(ctx)
		if ent.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return err
		}
		a, err := tx.Account.Get(ctx, row.AccountID)
		if err == nil {
			letter = n.letter(row, u, a)
		}
		return err
	})
	return row, letter, err
}

func (n *Notifier) letter(row *ent.Notification, u *ent.User, a *ent.Account) *mail.Message {
	link := row.Link
	if !strings.HasPrefix(link, "/me") && !strings.HasPrefix(link, "/sa") {
		link = "/a/" + a.Slug + link
	}
	lines := []string{row.Title + "."}
	if row.Body != "" {
		lines = append(lines, row.Body)
	}
	return &mail.Message{ID: row.ID, To: u.Email, Subject: row.Title, Lines: lines, Action: "Open it in Cockpit", Link: n.URL + link,
		Fine: []string{"You get this as a person of " + a.Name + ". Choose which mails you get: " + n.URL + "/me/notifications"}}
}

// noteMail puts down what became of an attempt: done, or when it is tried next.
func (n *Notifier) noteMail(ctx context.Context, row *ent.Notification, failed *mail.Failure) error {
	return n.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		change := tx.Notification.Update().Where(notification.ID(row.ID)) // retention may have come by
		switch now := tx.Now(); {
		case failed != nil && failed.Again && now.Sub(row.CreatedAt) < MailsGiveUp:
			change.SetMailAt(now.Add(mailPause(row.MailAttempts)))
		case failed != nil:
			n.Log.WarnContext(ctx, "a notice didn't go out by mail; it stands in the inbox", "cause", failed.Err)
			change.ClearMailAt()
		default:
			change.ClearMailAt()
		}
		return change.Exec(ctx)
	})
}

// mailPause is how long to wait after the given number of attempts.
func mailPause(attempts int) time.Duration {
	return min(lastMailPause, firstMailPause<<min(max(0, attempts-1), 10))
}
