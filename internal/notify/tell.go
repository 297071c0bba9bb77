package notify

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/notificationpreference"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/ent/webhook"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Notifier tells notices. One serves a whole server.
type Notifier struct {
	Store *store.Store
	// Mailer is nil where no mail server is set: nobody gets mails then.
	Mailer *mail.Mailer
	// URL is where browsers reach the server, without a slash at its end.
	URL string
	// Inbox hears of new lines; nil where nobody listens.
	Inbox *Inbox
	// Deliver is called after the commit when deliveries wait.
	Deliver func()
	Log     *slog.Logger

	// wake lets RunMails look at once.
	wake chan struct{}
}

// New makes the one Notifier of a server; run its mails.
func New(n Notifier) *Notifier {
	n.wake = make(chan struct{}, 1)
	return &n
}

// maxRecipients bounds whom one notice reaches, and the size of its statement.
const maxRecipients = 500

// Tell writes the inbox lines, waiting mails and pending deliveries of a notice
// within tx, which must be a transaction of the system's (tenancy.System). What
// was told already is told to nobody again.
func (n *Notifier) Tell(ctx context.Context, tx *store.Tx, notice Notice) error {
	if !tenancy.Bypassed(ctx) {
		return errors.New("notify: inboxes are written by the system alone")
	}
	if err := n.people(ctx, tx, notice); err != nil {
		return fmt.Errorf("notify: people: %w", err)
	}
	if !notice.Topic.ForWebhooks() {
		return nil
	}
	if err := n.webhooks(ctx, tx, notice); err != nil {
		return fmt.Errorf("notify: webhooks: %w", err)
	}
	return nil
}

func (n *Notifier) people(ctx context.Context, tx *store.Tx, notice Notice) error {
	ids := slices.Clone(notice.To)
	if notice.Own != "" {
		ids = append(ids, notice.Own)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return nil
	}
	users, err := tx.User.Query().Where(user.IDIn(ids...), user.AccountID(notice.AccountID), user.StatusEQ(user.StatusACTIVE)).
		Order(ent.Asc(user.FieldID)).Limit(maxRecipients).All(ctx)
	if err != nil || len(users) == 0 {
		return err
	}
	chosen, err := tx.NotificationPreference.Query().
		Where(notificationpreference.UserIDIn(ids...), notificationpreference.TopicEQ(notificationpreference.Topic(notice.Topic))).All(ctx)
	if err != nil {
		return err
	}
	wishes := map[string]Preference{}
	for _, c := range chosen {
		wishes[c.UserID] = Preference{notice.Topic, c.Inbox, c.Mail}
	}
	wish := func(userID string) Preference {
		if w, ok := wishes[userID]; ok {
			return w
		}
		return Default(notice.Topic)
	}
	now := tx.Now()
	var rows []string
	var args []any
	for _, u := range users {
		w := wish(u.ID)
		var read, mailAt any // what isn't wanted in the inbox is nothing unread
		if !w.Inbox {
			read = now
		}
		if w.Mail && n.Mailer.Configured() {
			mailAt = now
		}
		args = append(args, id.At(id.Notification, now), u.AccountID, string(u.Plane), now, u.ID, string(notice.Topic), string(notice.Plane),
			notice.ScopeID, clip(notice.Title, 200), clip(notice.Body, 1000), notice.link(u.ID), notice.Cause, w.Inbox, read, mailAt)
		rows = append(rows, "("+store.In(15)+")")
	}
	fresh := 0
	err = tx.Rows(ctx, `INSERT INTO notifications (id, account_id, plane, created_at, user_id, topic, about_plane, scope_id, title, body, link, cause, shown, read_at, mail_at)
		VALUES `+strings.Join(rows, ", ")+` ON CONFLICT (user_id, topic, cause) DO NOTHING RETURNING user_id`, args, func(*sql.Rows) error { fresh++; return nil })
	if err != nil || fresh == 0 {
		return err
	}
	tx.AfterCommit(func() {
		if n.Inbox != nil {
			n.Inbox.Nudge()
		}
		n.wakeMails()
	})
	return nil
}

// link leads admins to the page, and whose own seat it is about to theirs.
func (notice Notice) link(userID string) string {
	if userID == notice.Own && !slices.Contains(notice.To, userID) {
		return "/me"
	}
	return notice.Link
}

// maxWebhooks is how many webhooks of an account hear of a notice.
const maxWebhooks = 50

func (n *Notifier) webhooks(ctx context.Context, tx *store.Tx, notice Notice) error {
	query := tx.Webhook.Query().Where(webhook.AccountID(notice.AccountID), webhook.StatusEQ(webhook.StatusACTIVE))
	switch notice.Plane {
	case tenancy.Console:
		query.Where(webhook.Console(true))
	case tenancy.Copilot:
		query.Where(webhook.Copilot(true))
	}
	hooks, err := query.Order(ent.Asc(webhook.FieldID)).Limit(maxWebhooks).All(ctx)
	if err != nil {
		return err
	}
	hooks = slices.DeleteFunc(hooks, func(h *ent.Webhook) bool { return !slices.Contains(h.Topics, string(notice.Topic)) })
	if len(hooks) == 0 {
		return nil
	}
	now := tx.Now()
	data := notice.Data
	if data == nil {
		if data, err = n.plain(ctx, tx, notice); err != nil {
			return err
		}
	}
	body, err := json.Marshal(Event{notice.Topic.Type(), now, data})
	if err != nil {
		return err
	}
	var rows []string
	var args []any
	for _, h := range hooks {
		rows = append(rows, "("+store.In(9)+")")
		args = append(args, id.At(id.WebhookDelivery, now), h.AccountID, string(h.Plane), now, h.ID, messageID(h.ID, notice), string(notice.Topic), string(body), now)
	}
	told := 0
	err = tx.Rows(ctx, `INSERT INTO webhook_deliveries (id, account_id, plane, created_at, webhook_id, message_id, topic, payload, next_at)
		VALUES `+strings.Join(rows, ", ")+` ON CONFLICT (webhook_id, message_id) DO NOTHING RETURNING id`, args, func(*sql.Rows) error { told++; return nil })
	if err == nil && told > 0 && n.Deliver != nil {
		tx.AfterCommit(n.Deliver)
	}
	return err
}

// plain is what webhooks are told of a notice without data of its own.
func (n *Notifier) plain(ctx context.Context, tx *store.Tx, notice Notice) (Data, error) {
	a, err := tx.Account.Get(ctx, notice.AccountID)
	if err != nil {
		return Data{}, err
	}
	s, err := tx.Scope.Get(ctx, notice.ScopeID)
	if err != nil {
		return Data{}, err
	}
	return Data{Account: AccountData{a.ID, a.Name}, Plane: string(notice.Plane), Scope: ScopeData{s.ID, s.Name, string(s.Kind)},
		Title: notice.Title, Body: notice.Body, Link: n.URL + "/a/" + a.Slug + notice.Link}, nil
}

// messageID is the same for the same notice to the same webhook.
func messageID(webhookID string, notice Notice) string {
	sum := sha256.Sum256([]byte(webhookID + "\n" + string(notice.Topic) + "\n" + notice.Cause))
	return "msg_" + base64.RawURLEncoding.EncodeToString(sum[:18])
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
