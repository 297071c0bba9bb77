package webhook

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/webhook"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Pauses between attempts, each give or take a fifth; after the last attempt a
// delivery has failed.
var Pauses = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 5 * time.Hour, 10 * time.Hour}

// GiveUp is how long nothing may arrive before a webhook is disabled.
const GiveUp = 5 * 24 * time.Hour

const (
	// lookEvery is the pause between looks for what is due.
	lookEvery = time.Second
	// answerTime bounds an attempt from the connection to the end of the answer.
	answerTime = 10 * time.Second
	// lease is how long an attempt keeps others off its row.
	lease = time.Minute
	// maxResponse is how much of an answer is read and kept.
	maxResponse = 1000
	// workers is how many webhooks are called at once.
	workers    = 32
	pruneEvery = time.Hour
)

// busy are the webhooks that this replica calls or leaves alone for a while.
type busy struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// Wake looks for due deliveries at once.
func (w *Webhooks) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run delivers until the context ends, and waits for what is on its way.
func (w *Webhooks) Run(ctx context.Context) {
	ctx = tenancy.System(ctx, "deliveries of all accounts are made")
	tick, prune := time.NewTicker(lookEvery), time.NewTicker(pruneEvery)
	defer tick.Stop()
	defer prune.Stop()
	slots := make(chan struct{}, workers)
	var running sync.WaitGroup
	defer running.Wait()
	for {
		due, err := w.due(ctx)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "due deliveries could not be looked for; they are looked for again", "cause", err)
		}
		for _, hook := range due {
			if !w.busy.take(hook, w.Now()) {
				continue
			}
			select {
			case slots <- struct{}{}:
			default: // all are busy; it is due still at the next look
				w.busy.clear(hook)
				continue
			}
			running.Go(func() {
				defer func() { <-slots }()
				w.serve(ctx, hook)
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-prune.C:
			if _, err := w.Prune(ctx); err != nil && ctx.Err() == nil {
				w.Log.ErrorContext(ctx, "old deliveries could not be deleted; it is tried again", "cause", err)
			}
		case <-tick.C:
		case <-w.wake:
		}
	}
}

func (b *busy) take(hook string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.until[hook]) {
		return false
	}
	b.until[hook] = now.Add(lease)
	return true
}

func (b *busy) leave(hook string, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until[hook] = until
}

func (b *busy) clear(hook string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.until, hook)
}

// due are active webhooks that something waits for, in random order, so that
// those that never answer don't stand before the others.
func (w *Webhooks) due(ctx context.Context) ([]string, error) {
	hooks, err := w.Store.WebhookDelivery.Query().
		Where(webhookdelivery.StatusEQ(webhookdelivery.StatusPENDING), webhookdelivery.NextAtLTE(w.Now())).
		Unique(true).Limit(1000).Select(webhookdelivery.FieldWebhookID).Strings(ctx)
	rand.Shuffle(len(hooks), func(i, j int) { hooks[i], hooks[j] = hooks[j], hooks[i] })
	return hooks, err
}

// serve makes a webhook's due deliveries one after the other, until none is
// left or one doesn't arrive: then the webhook has a pause, and the others its
// place.
func (w *Webhooks) serve(ctx context.Context, hookID string) {
	for ctx.Err() == nil {
		found, arrived, err := w.DeliverNext(ctx, hookID)
		if err != nil && ctx.Err() == nil {
			w.Log.ErrorContext(ctx, "a delivery could not be noted; it is made again", "webhook", hookID, "cause", err)
		}
		if err != nil || found && !arrived {
			w.busy.leave(hookID, w.Now().Add(2*time.Second))
			return
		}
		if !found {
			break
		}
		w.busy.leave(hookID, w.Now().Add(lease))
	}
	w.busy.clear(hookID)
}

// DeliverNext makes one attempt at the oldest due delivery of a webhook that no
// other replica works on. ctx must be the system's.
func (w *Webhooks) DeliverNext(ctx context.Context, hookID string) (found, arrived bool, err error) {
	hook, d, err := w.claim(ctx, hookID)
	if err != nil || d == nil {
		return false, false, err
	}
	began := w.Now()
	a := w.attempt(ctx, hook, d)
	if err := ctx.Err(); err != nil {
		return true, false, err // the lease runs out, and it is made again
	}
	a.took = max(0, w.Now().Sub(began))
	return true, a.err == nil, w.note(ctx, hook, d, a)
}

// claim lends the oldest due delivery for an attempt.
func (w *Webhooks) claim(ctx context.Context, hookID string) (hook *ent.Webhook, d *ent.WebhookDelivery, err error) {
	err = w.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		hook, d = nil, nil
		now := w.Now().UTC().Truncate(time.Microsecond)
		query := "SELECT id FROM webhook_deliveries WHERE webhook_id = ? AND status = 'PENDING' AND next_at <= ? ORDER BY next_at, id LIMIT 1"
		if w.Store.Dialect == store.Postgres {
			query += " FOR UPDATE SKIP LOCKED"
		}
		var next string
		err := tx.Rows(ctx, query, []any{hookID, now}, func(r *sql.Rows) error { return r.Scan(&next) })
		if err != nil || next == "" {
			return err
		}
		if hook, err = tx.Webhook.Get(ctx, hookID); err != nil {
			return err
		}
		if hook.Status != webhook.StatusACTIVE {
			return w.drop(ctx, tx, hookID, "The webhook was disabled.")
		}
		d, err = tx.WebhookDelivery.UpdateOneID(next).AddAttempts(1).SetNextAt(now.Add(lease)).Save(ctx)
		return err
	})
	return hook, d, err
}

// attempt is what became of a call.
type attempt struct {
	status   int
	response string
	// err says in an admin's words why it didn't arrive.
	err  error
	gone bool
	took time.Duration
}

func (w *Webhooks) attempt(ctx context.Context, hook *ent.Webhook, d *ent.WebhookDelivery) attempt {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	secrets, err := w.secrets(hook)
	if err != nil {
		return attempt{err: errors.New("the webhook's secret can't be opened with this server's master key; rotate it")}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(d.Payload))
	if err != nil {
		return attempt{err: errors.New("the address can't be called")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Cockpit-Webhooks/1")
	if err := sign(req.Header, d.MessageID, w.Now(), d.Payload, secrets...); err != nil {
		return attempt{err: err}
	}
	res, err := w.Client.Do(req)
	if err != nil {
		return attempt{err: reason(err)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxResponse))
	a := attempt{status: res.StatusCode, response: printable(body), gone: res.StatusCode == http.StatusGone}
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		a.err = fmt.Errorf("it answered with a redirect (%d), which isn't followed; enter the final address", res.StatusCode)
	case res.StatusCode < 200 || res.StatusCode >= 300:
		a.err = fmt.Errorf("it answered %d", res.StatusCode)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		a.err = errors.New("the answer broke off")
	}
	return a
}

// secrets are the newest, and the one before while it works.
func (w *Webhooks) secrets(hook *ent.Webhook) ([]string, error) {
	plain, err := w.Box.Open(hook.ID, hook.Secret)
	if err != nil {
		return nil, err
	}
	out := []string{plain}
	if hook.PreviousSecret != nil && hook.PreviousSecretExpiresAt != nil && w.Now().Before(*hook.PreviousSecretExpiresAt) {
		before, err := w.Box.Open(hook.ID, *hook.PreviousSecret)
		if err != nil {
			return nil, err
		}
		out = append(out, before)
	}
	return out, nil
}

// reason tells why a call failed, without what the resolver or the network says
// of their inside.
func reason(err error) error {
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		return errors.New("the address lies in a network that isn't allowed")
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("no answer within %s", answerTime)
	case strings.Contains(err.Error(), "no such host"):
		return errors.New("there is no such host")
	case strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:"):
		return errors.New("its certificate isn't trusted, or it doesn't speak TLS")
	case strings.Contains(err.Error(), "connection refused"):
		return errors.New("the connection was refused")
	}
	return errors.New("it can't be reached")
}

func printable(body []byte) string {
	s := strings.ToValidUTF8(string(body), "")
	s = strings.ReplaceAll(s, "\x00", "")
	for len(s) > maxResponse || !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// note writes down what became of an attempt, unless its lease ran out and
// another has begun.
func (w *Webhooks) note(ctx context.Context, hook *ent.Webhook, d *ent.WebhookDelivery, a attempt) error {
	return w.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		now := w.Now().UTC().Truncate(time.Microsecond)
		update := tx.WebhookDelivery.Update().
			Where(webhookdelivery.ID(d.ID), webhookdelivery.Attempts(d.Attempts), webhookdelivery.StatusEQ(webhookdelivery.StatusPENDING)).
			SetResponseStatus(a.status).SetResponse(a.response).SetLatencyMs(a.took.Milliseconds()).SetError("")
		switch {
		case a.err == nil:
			update.SetStatus(webhookdelivery.StatusDELIVERED).SetDoneAt(now)
		case a.gone || d.Attempts > len(Pauses):
			update.SetStatus(webhookdelivery.StatusFAILED).SetDoneAt(now).SetError(a.err.Error())
		default:
			update.SetNextAt(now.Add(jitter(Pauses[d.Attempts-1]))).SetError(a.err.Error())
		}
		n, err := update.Save(ctx)
		if err != nil || n == 0 {
			return err
		}
		return w.health(ctx, tx, hook.ID, a, now)
	})
}

func jitter(d time.Duration) time.Duration { return d - d/5 + time.Duration(rand.Int64N(int64(2*d/5))) }

// health notes since when nothing arrives, and disables a webhook that says it
// is gone or from which nothing has come for days.
func (w *Webhooks) health(ctx context.Context, tx *store.Tx, hookID string, a attempt, now time.Time) error {
	hook, err := tx.Webhook.Get(ctx, hookID)
	if err != nil || hook.Status != webhook.StatusACTIVE {
		return err
	}
	switch {
	case a.err == nil && hook.FailingSince == nil:
		return nil
	case a.err == nil:
		_, err := tx.Exec(ctx, "UPDATE webhooks SET failing_since = NULL WHERE id = ?", hook.ID)
		return err
	case a.gone:
		return w.disable(ctx, tx, hook, "It answered 410 Gone: it doesn't want deliveries any more.")
	case hook.FailingSince == nil:
		_, err := tx.Exec(ctx, "UPDATE webhooks SET failing_since = ? WHERE id = ?", now, hook.ID)
		return err
	case now.Sub(*hook.FailingSince) >= GiveUp:
		return w.disable(ctx, tx, hook, fmt.Sprintf("Nothing has arrived for %d days; in the end %s.", int(GiveUp.Hours()/24), a.err))
	}
	return nil
}

// disable switches a webhook off and tells the account's admins.
func (w *Webhooks) disable(ctx context.Context, tx *store.Tx, hook *ent.Webhook, why string) error {
	row, err := tx.Webhook.UpdateOneID(hook.ID).SetStatus(webhook.StatusDISABLED).SetStatusReason(why).Save(ctx)
	if err != nil {
		return err
	}
	if err := w.drop(ctx, tx, hook.ID, "The webhook was disabled."); err != nil {
		return err
	}
	if err := tx.Audit(ctx, about("webhook.disable", row)); err != nil {
		return err
	}
	root, err := tx.Scope.Get(ctx, hook.AccountID)
	if err != nil {
		return err
	}
	admins, _, err := notify.Responsible(ctx, tx, root)
	if err != nil {
		return err
	}
	return w.Notify.Tell(ctx, tx, notify.Notice{Topic: notify.WebhookDisabled, AccountID: hook.AccountID, Plane: tenancy.PlaneAccount, ScopeID: hook.AccountID,
		Title: "The webhook " + hook.Name + " is disabled", Body: why + " Set it right, then switch it on again.",
		Link: "/settings/webhooks?peek=" + hook.ID, Cause: fmt.Sprintf("%s:%d", hook.ID, row.Version), To: admins})
}
