package notify_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/mail/smtptest"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

type world struct {
	*identitytest.Trees
	*notify.Notifier
	t testing.TB
}

func newWorld(t testing.TB, st *store.Store, mailer *mail.Mailer) *world {
	t.Helper()
	w := &world{Trees: identitytest.Tree(t, st), t: t, Notifier: notify.New(notify.Notifier{Store: st, Mailer: mailer, URL: "https://cockpit.test",
		Inbox: notify.NewInbox(st, slog.New(slog.DiscardHandler)), Log: slog.New(slog.DiscardHandler)})}
	w.change(func(ctx context.Context, tx *store.Tx) {
		tx.Notification.Delete().ExecX(ctx)
		tx.NotificationPreference.Delete().ExecX(ctx)
	})
	return w
}

func (w *world) change(f func(ctx context.Context, tx *store.Tx)) {
	w.t.Helper()
	require.NoError(w.t, w.Notifier.Store.InTx(identitytest.System(w.t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		f(ctx, tx)
		return nil
	}))
}

func (w *world) tell(n notify.Notice) {
	w.t.Helper()
	if n.Topic == "" {
		n.Topic = notify.BudgetThreshold
	}
	n.AccountID, n.Plane, n.ScopeID = w.A.Row.ID, tenancy.Console, w.A.Console.Team.ID
	n.Title, n.Body, n.Link = "Team Risk has passed 80% of its budget", "$80 of $100 spent.", "/console/budgets"
	w.change(func(ctx context.Context, tx *store.Tx) { require.NoError(w.t, w.Tell(ctx, tx, n)) })
}

func (w *world) lines(v *tenancy.Viewer) []*ent.Notification {
	w.t.Helper()
	return w.Notifier.Store.Notification.Query().Where(notification.UserID(v.UserID), notification.Shown(true)).
		Order(ent.Asc(notification.FieldID)).AllX(identitytest.System(w.t))
}

func TestNoticesAreToldOnceAndToPeopleOfTheAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, nil)
		p := w.A.Console
		to := []string{p.TeamAdmin.UserID, p.TeamAdmin.UserID, w.B.Admin.UserID, w.SuperAdmin.UserID, "usr_nobody"}
		for range 3 {
			w.tell(notify.Notice{Cause: "1", To: to, Own: p.Seat.UserID})
		}
		w.tell(notify.Notice{Cause: "2", To: to[:1]})
		require.Len(t, w.lines(p.TeamAdmin), 2)
		require.Len(t, w.lines(p.Seat), 1)
		require.Empty(t, w.lines(w.B.Admin), "people of other accounts hear nothing, whoever names them")
		require.Empty(t, w.lines(w.SuperAdmin))

		// Whoever isn't the system can't write inboxes.
		err := st.InTx(identitytest.Ctx(t, w.A.Admin), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return w.Tell(ctx, tx, notify.Notice{Topic: notify.BudgetThreshold, AccountID: w.A.Row.ID, Cause: "3", To: to})
		})
		require.ErrorContains(t, err, "system alone")

		// People see their own lines, and nobody else's.
		n, err := st.Notification.Query().Count(identitytest.Ctx(t, p.TeamAdmin))
		require.NoError(t, err)
		require.Equal(t, 2, n)
		n, err = st.Notification.Query().Count(identitytest.Ctx(t, w.A.Admin))
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestRolesThatDontCountAreNotTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), nil)
	p := w.A.Console
	responsible := func() (admins []string, own string) {
		w.change(func(ctx context.Context, tx *store.Tx) {
			var err error
			admins, own, err = notify.Responsible(ctx, tx, p.KeyScope)
			require.NoError(t, err)
		})
		return admins, own
	}
	admins, own := responsible()
	require.ElementsMatch(t, []string{w.A.Admin.UserID, p.Admin.UserID, p.OrgAdmin.UserID, p.TeamAdmin.UserID}, admins)
	require.Equal(t, p.Seat.UserID, own)
	w.change(func(ctx context.Context, tx *store.Tx) {
		tx.User.UpdateOneID(p.OrgAdmin.UserID).SetStatus("DEACTIVATED").ExecX(ctx)
	})
	admins, _ = responsible()
	require.NotContains(t, admins, p.OrgAdmin.UserID)
	w.change(func(ctx context.Context, tx *store.Tx) {
		tx.Scope.UpdateOneID(p.Team.ID).SetArchivedAt(tx.Now()).ExecX(ctx)
	})
	admins, own = responsible()
	require.ElementsMatch(t, []string{w.A.Admin.UserID, p.Admin.UserID}, admins, "roles end at what is archived")
	require.Empty(t, own)
	w.change(func(ctx context.Context, tx *store.Tx) {
		tx.Account.UpdateOneID(w.A.Row.ID).SetConsole(false).ExecX(ctx)
	})
	admins, _ = responsible()
	require.Empty(t, admins, "a product that isn't used concerns nobody")
}

func TestMailsGoToThoseWhoWantThem(t *testing.T) {
	t.Parallel()
	srv := smtptest.Start(t, smtptest.Settings{})
	w := newWorld(t, storetest.Open(t), srv.Mailer())
	p := w.A.Console
	set := func(v *tenancy.Viewer, pref notify.Preference) {
		t.Helper()
		require.NoError(t, notify.SetPreference(identitytest.Ctx(t, v), w.Notifier.Store, v, pref))
	}
	address := func(v *tenancy.Viewer) []string {
		return []string{w.Notifier.Store.User.GetX(identitytest.System(t), v.UserID).Email}
	}
	// Off unless chosen: the threshold is for whoever asked for it alone.
	set(p.OrgAdmin, notify.Preference{Topic: notify.BudgetThreshold, Inbox: false, Mail: true})
	for range 2 {
		w.tell(notify.Notice{Cause: "1", To: []string{p.TeamAdmin.UserID, p.OrgAdmin.UserID}})
	}
	w.mails(1)
	l := srv.Next()
	require.Equal(t, address(p.OrgAdmin), l.To)
	require.Equal(t, "Team Risk has passed 80% of its budget", l.Header(t, "Subject"))
	require.Equal(t, "https://cockpit.test/a/alpha/console/budgets", l.Link(t))
	text, _ := l.Bodies(t)
	require.Contains(t, text, "$80 of $100 spent.")
	require.Contains(t, text, "https://cockpit.test/me/notifications")
	require.Empty(t, w.lines(p.OrgAdmin), "who wants mails alone has no line")
	require.Len(t, w.lines(p.TeamAdmin), 1)

	// On unless switched off: what stops work.
	set(p.OrgAdmin, notify.Preference{Topic: notify.BudgetExhausted, Inbox: true, Mail: false})
	w.tell(notify.Notice{Topic: notify.BudgetExhausted, Cause: "1", To: []string{p.OrgAdmin.UserID, p.TeamAdmin.UserID}})
	w.mails(1)
	require.Equal(t, address(p.TeamAdmin), srv.Next().To, "neither the first notice again nor one that was switched off")
	err := notify.SetPreference(identitytest.Ctx(t, p.OrgAdmin), w.Notifier.Store, p.OrgAdmin, notify.Preference{Topic: "WEATHER"})
	require.True(t, fault.Is(err, fault.Invalid))
}

// mails makes attempts until none is due, and expects that many.
func (w *world) mails(want int) {
	w.t.Helper()
	n := 0
	for {
		found, _, err := w.MailNext(identitytest.System(w.t))
		require.NoError(w.t, err)
		if !found {
			break
		}
		n++
	}
	require.Equal(w.t, want, n)
}

// What is told is mailed even if the process that told it dies, once to each,
// whichever replica comes by.
func TestMailsOutliveTheirProcess(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		srv := smtptest.Start(t, smtptest.Settings{})
		w := newWorld(t, st, srv.Mailer())
		p := w.A.Console
		to := []string{p.TeamAdmin.UserID, p.OrgAdmin.UserID, p.Admin.UserID, w.A.Admin.UserID}
		w.tell(notify.Notice{Topic: notify.BudgetExhausted, Cause: "1", To: to})
		waiting := func() int {
			return st.Notification.Query().Where(notification.MailAtNotNil()).CountX(identitytest.System(t))
		}
		require.Equal(t, len(to), waiting(), "they wait in the database, with the notice")

		// Nobody runs any more; others start, and all look at once.
		var sent atomic.Int64
		var replicas sync.WaitGroup
		for range 4 {
			other := notify.New(notify.Notifier{Store: st, Mailer: srv.Mailer(), URL: w.URL, Log: w.Log})
			replicas.Go(func() {
				for {
					found, _, err := other.MailNext(tenancy.System(context.Background(), "test"))
					if err != nil || !found {
						assert.NoError(t, err)
						return
					}
					sent.Add(1)
				}
			})
		}
		replicas.Wait()
		w.mails(0)
		require.EqualValues(t, len(to), sent.Load())
		require.Zero(t, waiting())
		got := map[string]bool{}
		for range to {
			l := srv.Next()
			require.Len(t, l.To, 1)
			got[l.To[0]] = true
			require.Contains(t, l.Header(t, "Message-ID"), "ntf_")
		}
		require.Len(t, got, len(to), "each hears of it once")
	})
}

// A process that dies in the middle of an attempt keeps its row for a minute;
// then another makes it, under the same Message-ID.
func TestMailsAreTriedAgain(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		srv := smtptest.Start(t, smtptest.Settings{})
		w := newWorld(t, st, srv.Mailer())
		p := w.A.Console
		row := func() *ent.Notification {
			return st.Notification.Query().Where(notification.UserID(p.TeamAdmin.UserID)).OnlyX(identitytest.System(t))
		}
		// Time passes: what is lent or waits is due.
		pass := func() {
			w.change(func(ctx context.Context, tx *store.Tx) {
				tx.Notification.Update().Where(notification.MailAtNotNil()).SetMailAt(tx.Now()).ExecX(ctx)
			})
		}
		// The first process ends while the mail server is silent.
		w.tell(notify.Notice{Topic: notify.BudgetExhausted, Cause: "1", To: []string{p.TeamAdmin.UserID}})
		silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer silent.Close()
		o := srv.Options()
		o.Port = silent.Addr().(*net.TCPAddr).Port
		mailer, err := mail.New(o)
		require.NoError(t, err)
		dying, kill := context.WithCancel(identitytest.System(t))
		go func() {
			if conn, err := silent.Accept(); err == nil {
				kill()
				_ = conn.Close()
			}
		}()
		_, _, err = notify.New(notify.Notifier{Store: st, Mailer: mailer, URL: w.URL, Log: w.Log}).MailNext(dying)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 1, row().MailAttempts)
		require.True(t, row().MailAt.After(st.Now().Add(30*time.Second)), "it is lent")
		w.mails(0)
		pass()
		w.mails(1)
		require.Equal(t, "<"+row().ID+"@example.com>", srv.Next().Header(t, "Message-ID"))
		require.Nil(t, row().MailAt)

		// Greylisted: again after a pause. Refused: given up. Gone: never tried.
		w.change(func(ctx context.Context, tx *store.Tx) {
			tx.User.UpdateOneID(p.TeamAdmin.UserID).SetEmail("later@alpha.test").ExecX(ctx)
			tx.User.UpdateOneID(p.OrgAdmin.UserID).SetEmail("nobody@alpha.test").ExecX(ctx)
		})
		w.tell(notify.Notice{Topic: notify.BudgetExhausted, Cause: "2", To: []string{p.TeamAdmin.UserID, p.OrgAdmin.UserID, p.Admin.UserID}})
		w.change(func(ctx context.Context, tx *store.Tx) {
			tx.User.UpdateOneID(p.Admin.UserID).SetStatus("DEACTIVATED").ExecX(ctx)
		})
		w.mails(3)
		w.mails(0)
		pass()
		w.mails(1)
		require.Equal(t, []string{"later@alpha.test"}, srv.Next().To)
		require.Zero(t, st.Notification.Query().Where(notification.MailAtNotNil()).CountX(identitytest.System(t)))
	})
}

func TestInboxesTellTheirWatchers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, nil)
		p := w.A.Console
		other := notify.NewInbox(st, slog.New(slog.DiscardHandler)) // of another replica
		mine, yours := other.Watch(p.TeamAdmin.UserID), other.Watch(p.OrgAdmin.UserID)
		defer mine.Close()
		defer yours.Close()
		require.NoError(t, other.Poll(t.Context()))
		<-mine.C()
		<-yours.C()
		heard := func() (a, b bool) {
			require.NoError(t, other.Poll(t.Context()))
			select {
			case <-mine.C():
				a = true
			default:
			}
			select {
			case <-yours.C():
				b = true
			default:
			}
			return a, b
		}
		a, b := heard()
		require.False(t, a || b)
		w.tell(notify.Notice{Cause: "1", To: []string{p.TeamAdmin.UserID}})
		a, b = heard()
		require.True(t, a && !b)
		require.NoError(t, w.Read(identitytest.Ctx(t, p.TeamAdmin), p.TeamAdmin, w.lines(p.TeamAdmin)[0].ID, true))
		a, _ = heard()
		require.True(t, a, "reading is a change too")

		err := w.Read(identitytest.Ctx(t, p.OrgAdmin), p.OrgAdmin, w.lines(p.TeamAdmin)[0].ID, false)
		require.True(t, fault.Is(err, fault.NotFound), "nobody marks another's line")
		require.NotNil(t, w.lines(p.TeamAdmin)[0].ReadAt)
		n, err := w.ReadAll(identitytest.Ctx(t, p.TeamAdmin), p.TeamAdmin)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

func TestInboxesAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, nil)
		p := w.A.Console
		w.change(func(ctx context.Context, tx *store.Tx) {
			for i := range notify.KeepLines + 5 {
				tx.Notification.Create().SetAccountID(w.A.Row.ID).SetPlane("ACCOUNT").SetUserID(p.TeamAdmin.UserID).SetTopic("BUDGET_THRESHOLD").
					SetAboutPlane("CONSOLE").SetTitle("t").SetCause(time.Duration(i).String()).ExecX(ctx)
			}
		})
		w.tell(notify.Notice{Cause: "read", To: []string{p.OrgAdmin.UserID}})
		w.tell(notify.Notice{Cause: "unread", To: []string{p.OrgAdmin.UserID}})
		require.NoError(t, w.Read(identitytest.Ctx(t, p.OrgAdmin), p.OrgAdmin, w.lines(p.OrgAdmin)[0].ID, true))
		n, err := notify.Prune(t.Context(), st, st.Now())
		require.NoError(t, err)
		require.Equal(t, 5, n)
		require.Len(t, w.lines(p.TeamAdmin), notify.KeepLines)
		require.Equal(t, time.Duration(5).String(), w.lines(p.TeamAdmin)[0].Cause, "the oldest go")
		n, err = notify.Prune(t.Context(), st, st.Now().Add(notify.KeepRead+time.Hour))
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Equal(t, "unread", w.lines(p.OrgAdmin)[0].Cause)
	})
}
