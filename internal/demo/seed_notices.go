package demo

import (
	"context"
	"encoding/json"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/webhook"
)

// webhook makes one that is switched off, so that the demo calls nobody, with a
// log of better days. Alerts aren't told here: the watcher finds them by itself
// when the server starts.
func (s *seeder) webhook(ctx context.Context, a *ent.Account) error {
	name, url, off := "Finance alerts", "https://hooks.acme.example/cockpit", true
	hooks := webhook.New(webhook.Options{Box: s.Box})
	hook, _, err := hooks.Add(ctx, s.tx, a.ID, webhook.Input{Name: &name, URL: &url, Disabled: &off,
		Topics: []notify.Topic{notify.BudgetThreshold, notify.BudgetExhausted, notify.BudgetForecast, notify.StatementReady}})
	if err != nil {
		return err
	}
	for i, d := range []struct {
		status   webhookdelivery.Status
		attempts int
		answer   int
		error    string
	}{{webhookdelivery.StatusDELIVERED, 1, 200, ""}, {webhookdelivery.StatusDELIVERED, 2, 202, ""}, {webhookdelivery.StatusFAILED, 8, 503, "it answered 503"}} {
		at := s.Now.UTC().Add(-time.Duration(9-3*i) * 24 * time.Hour)
		body, err := json.Marshal(notify.Event{Type: notify.Test.Type(), Timestamp: at.Truncate(time.Second), Data: map[string]any{
			"account": map[string]string{"id": a.ID, "name": a.Name}, "webhook": map[string]string{"id": hook.ID, "name": name},
			"message": "This is a test. Nothing has happened."}})
		if err != nil {
			return err
		}
		err = s.tx.WebhookDelivery.Create().SetID(id.At(id.WebhookDelivery, at)).SetAccountID(a.ID).SetPlane(webhookdelivery.PlaneACCOUNT).SetWebhookID(hook.ID).
			SetMessageID(id.At("msg", at)).SetTopic(webhookdelivery.TopicTEST).SetPayload(body).SetStatus(d.status).SetAttempts(d.attempts).
			SetNextAt(at).SetDoneAt(at.Add(time.Second)).SetResponseStatus(d.answer).SetError(d.error).SetLatencyMs(143).SetCreatedAt(at).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}
