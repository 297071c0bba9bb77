package graph

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	entwebhook "github.com/alchemi/cockpit/ent/webhook"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/webhook"
)

func toWebhook(w *ent.Webhook, now time.Time) *model.Webhook {
	out := &model.Webhook{ID: w.ID, Name: w.Name, URL: w.URL, Topics: mapTo(w.Topics, func(t string) model.NotificationTopic { return model.NotificationTopic(t) }),
		Planes: []model.Plane{}, Status: model.Status(w.Status), StatusReason: unless(w.StatusReason), FailingSince: w.FailingSince,
		SecretHint: w.SecretHint, CreatedAt: w.CreatedAt, Version: w.Version, Row: w}
	if w.Console {
		out.Planes = append(out.Planes, model.PlaneConsole)
	}
	if w.Copilot {
		out.Planes = append(out.Planes, model.PlaneCopilot)
	}
	if w.PreviousSecretExpiresAt != nil && now.Before(*w.PreviousSecretExpiresAt) {
		out.PreviousSecretExpiresAt = w.PreviousSecretExpiresAt
	}
	return out
}

func toDelivery(d *ent.WebhookDelivery) *model.WebhookDelivery {
	out := &model.WebhookDelivery{ID: d.ID, MessageID: d.MessageID, Type: notify.Topic(d.Topic).Type(), Status: model.WebhookDeliveryStatus(d.Status),
		Payload: string(d.Payload), Attempts: d.Attempts, DoneAt: d.DoneAt, Response: d.Response, Error: unless(d.Error),
		LatencyMs: int(d.LatencyMs), CreatedAt: d.CreatedAt}
	if d.Status == webhookdelivery.StatusPENDING {
		out.NextAt = &d.NextAt
	}
	if d.ResponseStatus != 0 {
		out.ResponseStatus = &d.ResponseStatus
	}
	return out
}

func (r *Resolver) webhookPage(ctx context.Context, accountID string, w window) (*model.WebhookConnection, error) {
	query := func() *ent.WebhookQuery { return r.Store.Webhook.Query().Where(entwebhook.AccountID(accountID)) }
	rows, info, err := list[*ent.Webhook](ctx, query(), w, entwebhook.FieldID, false, func(h *ent.Webhook) string { return h.ID })
	if err != nil {
		return nil, err
	}
	now := r.Store.Now()
	return &model.WebhookConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(h *ent.Webhook) *model.WebhookEdge {
			return &model.WebhookEdge{Node: toWebhook(h, now), Cursor: encode(h.ID)}
		})}, nil
}

func (r *Resolver) deliveryPage(ctx context.Context, webhookID string, status *model.WebhookDeliveryStatus, w window) (*model.WebhookDeliveryConnection, error) {
	query := func() *ent.WebhookDeliveryQuery {
		q := r.Store.WebhookDelivery.Query().Where(webhookdelivery.WebhookID(webhookID))
		if status != nil {
			q.Where(webhookdelivery.StatusEQ(webhookdelivery.Status(*status)))
		}
		return q
	}
	rows, info, err := list[*ent.WebhookDelivery](ctx, query(), w, webhookdelivery.FieldID, true, func(d *ent.WebhookDelivery) string { return d.ID })
	if err != nil {
		return nil, err
	}
	return &model.WebhookDeliveryConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(d *ent.WebhookDelivery) *model.WebhookDeliveryEdge {
			return &model.WebhookDeliveryEdge{Node: toDelivery(d), Cursor: encode(d.ID)}
		})}, nil
}

// managed asks whether the viewer may change a webhook that they see.
func (r *Resolver) managed(ctx context.Context, webhookID string) error {
	h, err := r.Store.Webhook.Get(ctx, webhookID)
	if ent.IsNotFound(err) {
		return fault.Missing("webhook")
	}
	if err != nil {
		return err
	}
	return r.check(ctx, access.WebhookManage, rootOf(h.AccountID))
}

func topicsOf(in []model.NotificationTopic) []notify.Topic {
	if in == nil {
		return nil
	}
	return mapTo(in, func(t model.NotificationTopic) notify.Topic { return notify.Topic(t) })
}

func (r *Resolver) webhookCreate(ctx context.Context, in model.WebhookCreateInput) (*ent.Webhook, string, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, "", err
	}
	if err := r.check(ctx, access.WebhookManage, rootOf(v.AccountID)); err != nil {
		return nil, "", err
	}
	return r.Webhooks.Create(ctx, v.AccountID, webhook.Input{Name: &in.Name, URL: &in.URL, Topics: topicsOf(in.Topics), Planes: planesOf(in.Planes)})
}

func (r *Resolver) webhookUpdate(ctx context.Context, in model.WebhookUpdateInput) (*ent.Webhook, error) {
	if err := r.managed(ctx, in.WebhookID); err != nil {
		return nil, err
	}
	input := webhook.Input{Name: in.Name, URL: in.URL, Topics: topicsOf(in.Topics), Planes: planesOf(in.Planes)}
	if in.Status != nil {
		disabled := *in.Status == model.StatusDisabled
		input.Disabled = &disabled
	}
	return r.Webhooks.Update(ctx, in.WebhookID, input, in.ExpectedVersion)
}

func (r *Resolver) webhookSecretRotate(ctx context.Context, in model.WebhookSecretRotateInput) (*ent.Webhook, string, error) {
	if err := r.managed(ctx, in.WebhookID); err != nil {
		return nil, "", err
	}
	overlap := webhook.Overlap
	if in.OverlapHours != nil {
		overlap = time.Duration(min(max(*in.OverlapHours, -1), 1000)) * time.Hour // which is refused
	}
	return r.Webhooks.Rotate(ctx, in.WebhookID, overlap)
}

func (r *Resolver) webhookDelete(ctx context.Context, webhookID string) error {
	if err := r.managed(ctx, webhookID); err != nil {
		return err
	}
	return r.Webhooks.Delete(ctx, webhookID)
}

func (r *Resolver) webhookTest(ctx context.Context, webhookID string) (*ent.WebhookDelivery, error) {
	if err := r.managed(ctx, webhookID); err != nil {
		return nil, err
	}
	return r.Webhooks.Test(ctx, webhookID)
}

func (r *Resolver) webhookReplay(ctx context.Context, in model.WebhookReplayInput) (*ent.Webhook, int, error) {
	if err := r.managed(ctx, in.WebhookID); err != nil {
		return nil, 0, err
	}
	n := 1
	var err error
	switch {
	case (in.DeliveryID == nil) == (in.FailedSince == nil):
		return nil, 0, fault.New(fault.Invalid, "Give either a delivery or a moment.")
	case in.DeliveryID != nil:
		_, err = r.Webhooks.Replay(ctx, in.WebhookID, *in.DeliveryID)
	default:
		n, err = r.Webhooks.ReplayFailed(ctx, in.WebhookID, *in.FailedSince)
	}
	if err != nil {
		return nil, 0, err
	}
	row, err := r.Store.Webhook.Get(ctx, in.WebhookID)
	return row, n, err
}
