package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/notification"
	entwebhook "github.com/alchemi/cockpit/ent/webhook"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/internal/webhook"
)

const masterKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// world has one account's webhooks, a clock that tests move, and a log.
type world struct {
	*identitytest.Trees
	*webhook.Webhooks
	t     testing.TB
	ahead atomic.Int64
	log   *logged
}

// logged is what the server would have logged.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

func newWorld(t testing.TB, st *store.Store, allowed ...string) *world {
	t.Helper()
	w := &world{Trees: identitytest.Tree(t, st), t: t, log: &logged{}}
	box, err := secret.NewBox(masterKey)
	require.NoError(t, err)
	var networks []netip.Prefix
	for _, a := range allowed {
		networks = append(networks, netip.MustParsePrefix(a))
	}
	w.Webhooks = webhook.New(webhook.Options{Store: st, Box: box, Client: outbound.NewClient(networks), Notify: &notify.Notifier{Store: st, URL: "https://cockpit.test"},
		Now: func() time.Time { return st.Now().Add(time.Duration(w.ahead.Load())) }, Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	require.NoError(t, st.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		tx.WebhookDelivery.Delete().ExecX(ctx)
		tx.Webhook.Delete().ExecX(ctx)
		tx.Notification.Delete().ExecX(ctx)
		return nil
	}))
	return w
}

func (w *world) ctx() context.Context { return identitytest.System(w.t) }

func (w *world) admin() context.Context { return identitytest.Ctx(w.t, w.A.Admin) }

func ptr[T any](v T) *T { return &v }

func (w *world) hook(name, url string, topics ...notify.Topic) (*ent.Webhook, string) {
	w.t.Helper()
	if topics == nil {
		topics = []notify.Topic{notify.BudgetThreshold}
	}
	row, plain, err := w.Create(w.admin(), w.A.Row.ID, webhook.Input{Name: &name, URL: &url, Topics: topics})
	require.NoError(w.t, err)
	return row, plain
}

func (w *world) tell(n notify.Notice) {
	w.t.Helper()
	if n.Topic == "" {
		n.Topic = notify.BudgetThreshold
	}
	if n.Plane == "" {
		n.Plane = tenancy.Console
	}
	n.AccountID, n.Title = w.A.Row.ID, "80% used"
	if n.Data == nil {
		n.Data = map[string]string{"hello": "world"}
	}
	require.NoError(w.t, w.Webhooks.Store.InTx(w.ctx(), func(ctx context.Context, tx *store.Tx) error { return w.Notify.Tell(ctx, tx, n) }))
}

func (w *world) next(hook *ent.Webhook) (found, arrived bool) {
	w.t.Helper()
	found, arrived, err := w.DeliverNext(w.ctx(), hook.ID)
	require.NoError(w.t, err)
	return found, arrived
}

func (w *world) deliveries(hook *ent.Webhook) []*ent.WebhookDelivery {
	w.t.Helper()
	return w.Webhooks.Store.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(hook.ID)).Order(ent.Asc(webhookdelivery.FieldID)).AllX(w.ctx())
}

func (w *world) read(hook *ent.Webhook) *ent.Webhook {
	w.t.Helper()
	return w.Webhooks.Store.Webhook.GetX(w.ctx(), hook.ID)
}

// receiver is a webhook's endpoint.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies [][]byte
	answer func(w http.ResponseWriter, n int)
}

func newReceiver(t testing.TB, answer func(w http.ResponseWriter, n int)) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.got, r.bodies = append(r.got, req), append(r.bodies, body)
		n := len(r.got)
		r.mu.Unlock()
		if r.answer != nil {
			r.answer(w, n)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

const loopback = "127.0.0.0/8"

func TestSignaturesHoldForAnIndependentVerifier(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, loopback)
		r := newReceiver(t, func(w http.ResponseWriter, _ int) { _, _ = io.WriteString(w, "thanks") })
		hook, first := w.hook("ops", r.URL)
		w.tell(notify.Notice{Cause: "1"})
		w.tell(notify.Notice{Cause: "1"}) // told already
		found, arrived := w.next(hook)
		require.True(t, found && arrived)
		found, _ = w.next(hook)
		require.False(t, found)
		require.Equal(t, 1, r.count())
		verify := func(i int, plain string) error {
			v, err := standardwebhooks.NewWebhook(plain)
			require.NoError(t, err)
			return v.Verify(r.bodies[i], r.got[i].Header)
		}
		require.NoError(t, verify(0, first))
		require.Error(t, verify(0, webhook.NewSecret()))
		r.bodies[0][0] ^= 1
		require.Error(t, verify(0, first), "a changed body")

		// During the overlap both secrets verify, after it the newest alone.
		_, second, err := w.Rotate(w.admin(), hook.ID, time.Hour)
		require.NoError(t, err)
		require.NotEqual(t, first, second)
		w.tell(notify.Notice{Cause: "2"})
		w.next(hook)
		require.NoError(t, verify(1, first))
		require.NoError(t, verify(1, second))
		w.ahead.Store(int64(2 * time.Hour))
		w.tell(notify.Notice{Cause: "3"})
		w.next(hook)
		header := r.got[2].Header.Get("webhook-signature")
		require.Len(t, strings.Fields(header), 1)

		d := w.deliveries(hook)[0]
		require.Equal(t, webhookdelivery.StatusDELIVERED, d.Status)
		require.Equal(t, 200, d.ResponseStatus)
		require.Equal(t, "thanks", d.Response)
		require.Equal(t, d.MessageID, r.got[0].Header.Get("webhook-id"))
	})
}

func TestRetriesFollowTheScheduleAndGiveUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, loopback)
		r := newReceiver(t, func(w http.ResponseWriter, n int) { w.WriteHeader(http.StatusServiceUnavailable) })
		hook, _ := w.hook("ops", r.URL)
		w.tell(notify.Notice{Cause: "1"})
		for i, pause := range webhook.Pauses {
			_, arrived := w.next(hook)
			require.False(t, arrived)
			d := w.deliveries(hook)[0]
			require.Equal(t, i+1, d.Attempts)
			require.Equal(t, webhookdelivery.StatusPENDING, d.Status)
			require.Equal(t, "it answered 503", d.Error)
			wait := d.NextAt.Sub(w.Now())
			require.InDelta(t, float64(pause), float64(wait), float64(pause)/5+float64(2*time.Second), "attempt %d", i+1)
			found, _ := w.next(hook)
			require.False(t, found, "not before it is due")
			w.ahead.Add(int64(pause + pause/5 + 3*time.Second))
		}
		w.next(hook)
		d := w.deliveries(hook)[0]
		require.Equal(t, webhookdelivery.StatusFAILED, d.Status)
		require.Equal(t, len(webhook.Pauses)+1, d.Attempts)
		require.NotNil(t, d.DoneAt)
		for _, req := range r.got {
			require.Equal(t, d.MessageID, req.Header.Get("webhook-id"), "the same id on every attempt")
		}
		require.NotNil(t, w.read(hook).FailingSince)

		// Sent again, it arrives: one, then all that failed.
		r.answer = nil
		_, err := w.Replay(w.admin(), hook.ID, d.ID)
		require.NoError(t, err)
		_, arrived := w.next(hook)
		require.True(t, arrived)
		require.Nil(t, w.read(hook).FailingSince)
		n, err := w.ReplayFailed(w.admin(), hook.ID, time.Time{})
		require.NoError(t, err)
		require.Zero(t, n)
		_, err = w.Replay(w.admin(), hook.ID, "whd_01J00000000000000000000000")
		require.True(t, fault.Is(err, fault.NotFound))
	})
}

func TestDeadWebhooksAreDisabledAndAdminsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), loopback)
	gone := newReceiver(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusGone) })
	dead := newReceiver(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusInternalServerError) })
	a, _ := w.hook("gone", gone.URL)
	b, _ := w.hook("dead", dead.URL)
	w.tell(notify.Notice{Cause: "1"})
	w.tell(notify.Notice{Cause: "2"})
	w.next(a)
	require.Equal(t, entwebhook.StatusDISABLED, w.read(a).Status)
	require.Contains(t, w.read(a).StatusReason, "410")
	for _, d := range w.deliveries(a) {
		require.Equal(t, webhookdelivery.StatusFAILED, d.Status)
	}
	w.next(b)
	require.Equal(t, entwebhook.StatusACTIVE, w.read(b).Status)
	w.ahead.Store(int64(webhook.GiveUp + time.Minute))
	w.next(b)
	require.Equal(t, entwebhook.StatusDISABLED, w.read(b).Status)

	told := w.Webhooks.Store.Notification.Query().Where(notification.TopicEQ(notification.TopicWEBHOOK_DISABLED)).AllX(w.ctx())
	require.Len(t, told, 2)
	for _, n := range told {
		require.Equal(t, w.A.Admin.UserID, n.UserID)
	}
	w.tell(notify.Notice{Cause: "3"})
	require.Len(t, w.deliveries(a), 2, "a disabled one gets nothing more")
	_, err := w.Test(w.admin(), a.ID)
	require.True(t, fault.Is(err, fault.Invalid))

	// Switched on again it works.
	gone.answer = nil
	_, err = w.Update(w.admin(), a.ID, webhook.Input{Disabled: ptr(false)}, nil)
	require.NoError(t, err)
	_, err = w.Test(w.admin(), a.ID)
	require.NoError(t, err)
	_, arrived := w.next(a)
	require.True(t, arrived)
	require.JSONEq(t, `"webhook.test"`, string(field(t, gone.bodies[len(gone.bodies)-1], "type")))
}

func field(t testing.TB, body []byte, name string) json.RawMessage {
	t.Helper()
	var m map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(body, &m))
	return m[name]
}

func TestClosedNetworksCantBeReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t)) // nothing is allowed
	inside := newReceiver(t, nil)
	_, port, _ := strings.Cut(strings.TrimPrefix(inside.URL, "http://"), ":")
	for i, host := range []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port, "[::ffff:127.0.0.1]:" + port, "169.254.169.254", "10.0.0.1",
		"192.168.0.1", "0.0.0.0:" + port, "2130706433:" + port, "[64:ff9b::7f00:1]:" + port} {
		hook, _ := w.hook(host, "http://"+host+"/latest/meta-data")
		_, err := w.Test(w.admin(), hook.ID)
		require.NoError(t, err)
		found, arrived := w.next(hook)
		require.True(t, found && !arrived, host)
		d := w.deliveries(hook)[0]
		require.NotEmpty(t, d.Error, host)
		require.Empty(t, d.Response, "%d: %s", i, host)
	}
	require.Zero(t, inside.count())

	// A redirect from an allowed address isn't followed.
	open := newWorld(t, storetest.Open(t), loopback)
	liar := newReceiver(t, nil)
	liar.answer = func(rw http.ResponseWriter, _ int) {
		rw.Header().Set("Location", inside.URL)
		rw.WriteHeader(http.StatusTemporaryRedirect)
	}
	hook, _ := open.hook("liar", liar.URL)
	open.tell(notify.Notice{Cause: "1"})
	_, arrived := open.next(hook)
	require.False(t, arrived)
	require.Zero(t, inside.count())
	require.Contains(t, open.deliveries(hook)[0].Error, "redirect")
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), loopback)
	r := newReceiver(t, func(w http.ResponseWriter, _ int) {
		_, _ = io.WriteString(w, "\x00\xff")
		for range 1000 {
			_, _ = io.WriteString(w, strings.Repeat("é", 1000))
		}
	})
	hook, _ := w.hook("endless", r.URL)
	w.tell(notify.Notice{Cause: "1"})
	_, arrived := w.next(hook)
	require.True(t, arrived)
	d := w.deliveries(hook)[0]
	require.LessOrEqual(t, len(d.Response), 1000)
	require.True(t, strings.HasPrefix(d.Response, "é"))
}

// A receiver that hangs holds nobody else up.
func TestDeadReceiversDelayNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), loopback)
	release := make(chan struct{})
	hanging := newReceiver(t, func(http.ResponseWriter, int) { <-release })
	t.Cleanup(func() { close(release) })
	well := newReceiver(t, nil)
	_, _ = w.hook("hanging", hanging.URL)
	hook, _ := w.hook("well", well.URL)
	for _, cause := range []string{"1", "2", "3", "4", "5"} {
		w.tell(notify.Notice{Cause: cause})
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	require.Eventually(t, func() bool {
		for _, d := range w.deliveries(hook) {
			if d.Status != webhookdelivery.StatusDELIVERED {
				return false
			}
		}
		return true
	}, 8*time.Second, 20*time.Millisecond, "while the other hangs for ten seconds")
	require.LessOrEqual(t, hanging.count(), 1)
	require.Equal(t, 5, well.count())
	stop()
	<-done
}

// Many replicas share the work: each delivery is made once.
func TestReplicasShareTheWork(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, loopback)
		r := newReceiver(t, nil)
		hook, _ := w.hook("ops", r.URL)
		for i := range 20 {
			w.tell(notify.Notice{Cause: string(rune('a' + i))})
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					found, _, err := w.DeliverNext(tenancy.System(context.Background(), "test"), hook.ID)
					if err != nil || !found {
						return
					}
				}
			})
		}
		all.Wait()
		for found := true; found; { // what others had locked when these looked
			found, _ = w.next(hook)
		}
		require.Equal(t, 20, r.count())
		seen := map[string]bool{}
		for _, req := range r.got {
			seen[req.Header.Get("webhook-id")] = true
		}
		require.Len(t, seen, 20)
	})
}

func TestPlanesAndTopicsAreChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t), loopback)
	url := "https://hooks.example/x"
	row, _, err := w.Create(w.admin(), w.A.Row.ID, webhook.Input{Name: ptr("copilot"), URL: &url, Topics: []notify.Topic{notify.BudgetForecast}, Planes: []tenancy.Plane{tenancy.Copilot}})
	require.NoError(t, err)
	w.tell(notify.Notice{Cause: "1"})
	w.tell(notify.Notice{Cause: "2", Topic: notify.BudgetForecast})
	w.tell(notify.Notice{Cause: "3", Topic: notify.BudgetThreshold, Plane: tenancy.Copilot})
	require.Empty(t, w.deliveries(row))
	w.tell(notify.Notice{Cause: "4", Topic: notify.BudgetForecast, Plane: tenancy.Copilot})
	require.Len(t, w.deliveries(row), 1)

	for name, in := range map[string]webhook.Input{
		"name": {Name: ptr(" ")}, "url": {URL: ptr("ftp://example.com")}, "topics": {Topics: []notify.Topic{}}, "planes": {Planes: []tenancy.Plane{}},
	} {
		_, err := w.Update(w.admin(), row.ID, in, nil)
		require.Equal(t, []string{name}, fault.As(err).Path)
	}
	for _, bad := range []string{"https://user:pw@example.com", "javascript:alert(1)", "https://", "https://example.com/#x", "nonsense"} {
		_, err := w.Update(w.admin(), row.ID, webhook.Input{URL: &bad}, nil)
		require.Equal(t, []string{"url"}, fault.As(err).Path, bad)
	}
	_, err = w.Update(w.admin(), row.ID, webhook.Input{Topics: []notify.Topic{notify.WebhookDisabled}}, nil)
	require.True(t, fault.Is(err, fault.Invalid))
	_, err = w.Update(w.admin(), row.ID, webhook.Input{Name: ptr("x")}, ptr(99))
	require.True(t, fault.Is(err, fault.Conflict))
}

func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st, loopback)
		r := newReceiver(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(http.StatusInternalServerError) })
		hook, first := w.hook("ops", r.URL)
		_, second, err := w.Rotate(w.admin(), hook.ID, webhook.Overlap)
		require.NoError(t, err)
		_, err = w.Test(w.admin(), hook.ID)
		require.NoError(t, err)
		w.next(hook)
		_, err = w.ReplayFailed(w.admin(), hook.ID, time.Time{})
		require.NoError(t, err)
		events := st.AuditEvent.Query().Where(auditevent.TargetID(hook.ID)).AllX(w.ctx())
		require.Len(t, events, 3)
		for _, plain := range []string{first, second} {
			inner := strings.TrimPrefix(plain, "whsec_")
			row := w.read(hook)
			require.NotContains(t, string(row.Secret), inner)
			require.NotContains(t, row.String(), inner)
			require.NotContains(t, w.log.text(), inner)
			for _, e := range events {
				require.NotContains(t, string(e.Changes), inner)
				require.NotContains(t, string(e.Changes), "secret\"")
			}
			for _, d := range w.deliveries(hook) {
				require.NotContains(t, d.String(), inner)
			}
		}
		require.NoError(t, w.Delete(w.admin(), hook.ID))
		require.Empty(t, w.deliveries(hook))
	})
}
