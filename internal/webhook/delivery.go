package webhook

import (
	"context"
	"encoding/json"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/webhook"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
)

// Test queues an event of its own type for a webhook.
func (w *Webhooks) Test(ctx context.Context, webhookID string) (row *ent.WebhookDelivery, err error) {
	err = w.change(ctx, webhookID, func(ctx context.Context, tx *store.Tx, hook *ent.Webhook) error {
		if hook.Status != webhook.StatusACTIVE {
			return fault.New(fault.Invalid, "%s is disabled. Switch it on, then test it.", hook.Name)
		}
		now := w.Now().UTC()
		account, err := tx.Account.Get(ctx, hook.AccountID)
		if err != nil {
			return err
		}
		body, err := json.Marshal(notify.Event{Type: notify.Test.Type(), Timestamp: now.Truncate(time.Microsecond), Data: map[string]any{
			"account": map[string]string{"id": account.ID, "name": account.Name}, "webhook": map[string]string{"id": hook.ID, "name": hook.Name},
			"message": "This is a test. Nothing has happened."}})
		if err != nil {
			return err
		}
		row, err = tx.WebhookDelivery.Create().SetAccountID(hook.AccountID).SetPlane(webhookdelivery.Plane(hook.Plane)).SetWebhookID(hook.ID).
			SetMessageID("msg_" + secret.Token()[:24]).SetTopic(webhookdelivery.TopicTEST).SetPayload(body).SetNextAt(now).Save(ctx)
		if err != nil {
			return err
		}
		tx.AfterCommit(func() { w.busy.clear(hook.ID); w.Wake() })
		return tx.Audit(ctx, about("webhook.test", hook))
	})
	return row, err
}

// Replay sends a delivery again, with the same message id, as if it had never
// been tried.
func (w *Webhooks) Replay(ctx context.Context, webhookID, deliveryID string) (row *ent.WebhookDelivery, err error) {
	err = w.change(ctx, webhookID, func(ctx context.Context, tx *store.Tx, hook *ent.Webhook) error {
		d, err := tx.WebhookDelivery.Query().Where(webhookdelivery.ID(deliveryID), webhookdelivery.WebhookID(hook.ID)).Only(ctx)
		if ent.IsNotFound(err) {
			return fault.Missing("delivery")
		}
		if err != nil {
			return err
		}
		if _, err := w.again(ctx, tx, hook, []string{d.ID}); err != nil {
			return err
		}
		row, err = tx.WebhookDelivery.Get(ctx, d.ID)
		return err
	})
	return row, err
}

// MostReplayed is how many failed deliveries are sent again at once.
const MostReplayed = 1000

// ReplayFailed sends what failed since a moment again, the oldest first, at most
// a thousand, and returns how many.
func (w *Webhooks) ReplayFailed(ctx context.Context, webhookID string, since time.Time) (n int, err error) {
	err = w.change(ctx, webhookID, func(ctx context.Context, tx *store.Tx, hook *ent.Webhook) error {
		ids, err := tx.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(hook.ID), webhookdelivery.StatusEQ(webhookdelivery.StatusFAILED),
			webhookdelivery.CreatedAtGTE(since)).Order(ent.Asc(webhookdelivery.FieldCreatedAt)).Limit(MostReplayed).IDs(ctx)
		if err != nil || len(ids) == 0 {
			return err
		}
		n, err = w.again(ctx, tx, hook, ids)
		return err
	})
	return n, err
}

func (w *Webhooks) again(ctx context.Context, tx *store.Tx, hook *ent.Webhook, ids []string) (int, error) {
	if hook.Status != webhook.StatusACTIVE {
		return 0, fault.New(fault.Invalid, "%s is disabled. Switch it on, then send again.", hook.Name)
	}
	n, err := tx.WebhookDelivery.Update().Where(webhookdelivery.IDIn(ids...), webhookdelivery.StatusNEQ(webhookdelivery.StatusPENDING)).
		SetStatus(webhookdelivery.StatusPENDING).SetAttempts(0).SetNextAt(w.Now()).ClearDoneAt().SetError("").SetResponse("").SetResponseStatus(0).Save(ctx)
	if err != nil {
		return 0, err
	}
	tx.AfterCommit(func() { w.busy.clear(hook.ID); w.Wake() })
	e := about("webhook.replay", hook)
	e.Count = max(1, n)
	if len(ids) == 1 {
		e.Changes = map[string]audit.Change{"delivery": {After: ids[0]}}
	}
	return n, tx.Audit(ctx, e)
}

// drop gives up what waits for a webhook.
func (w *Webhooks) drop(ctx context.Context, tx *store.Tx, webhookID, why string) error {
	return tx.WebhookDelivery.Update().Where(webhookdelivery.WebhookID(webhookID), webhookdelivery.StatusEQ(webhookdelivery.StatusPENDING)).
		SetStatus(webhookdelivery.StatusFAILED).SetDoneAt(w.Now()).SetError(why).Exec(ctx)
}

// KeepDeliveries is how long the log has what is done.
const KeepDeliveries = 30 * 24 * time.Hour

// Prune deletes what is older, a thousand at a time, and returns how many.
func (w *Webhooks) Prune(ctx context.Context) (sum int, err error) {
	for {
		n := 0
		err := w.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			ids, err := tx.WebhookDelivery.Query().Where(webhookdelivery.StatusNEQ(webhookdelivery.StatusPENDING), webhookdelivery.IDLT(id.At(id.WebhookDelivery, w.Now().Add(-KeepDeliveries)))).
				Limit(1000).IDs(ctx)
			if err != nil || len(ids) == 0 {
				return err
			}
			n, err = tx.WebhookDelivery.Delete().Where(webhookdelivery.IDIn(ids...)).Exec(ctx)
			return err
		})
		sum += n
		if err != nil || n < 1000 {
			return sum, err
		}
	}
}
