package server

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/internal/alert"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/webhook"
)

// openNotices starts what watches budgets, keeps inboxes and delivers to
// webhooks, beside the requests.
func (s *Server) openNotices(box *secret.Box) {
	inbox := notify.NewInbox(s.store, s.log)
	s.notify = notify.New(notify.Notifier{Store: s.store, Mailer: s.mailer, URL: strings.TrimRight(s.URL(), "/"), Inbox: inbox, Log: s.log})
	s.webhooks = webhook.New(webhook.Options{Store: s.store, Box: box, Client: s.outbound, Notify: s.notify, Now: s.store.Now, Log: s.log})
	s.notify.Deliver = s.webhooks.Wake
	s.catalog.Tell = s.notify.Tell
	s.watcher = &alert.Watcher{Store: s.store, Budgets: s.budget, Notify: s.notify, Now: s.store.Now, Log: s.log}
	s.tasks.Go(func() { inbox.Run(s.background) })
	s.tasks.Go(func() { s.watcher.Run(s.background) })
	s.tasks.Go(func() { s.webhooks.Run(s.background) })
	s.tasks.Go(func() { s.notify.RunMails(s.background) })
	s.tasks.Go(func() { notify.RunRetention(s.background, s.store, s.log) })
}

// tellRequest lets people know of a request for more budget.
func (s *Server) tellRequest(ctx context.Context, tx *store.Tx, n request.Notice) error {
	return s.notify.Tell(ctx, tx, notify.Notice{Topic: notify.Topic(n.Topic), AccountID: n.AccountID, Plane: n.Plane, ScopeID: n.ScopeID,
		Title: n.Title, Body: n.Body, Link: n.Link, Cause: n.Cause, To: n.To})
}
