package graph

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/events"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toNotification(n *ent.Notification) *model.Notification {
	out := &model.Notification{ID: n.ID, Topic: model.NotificationTopic(n.Topic), ScopeID: n.ScopeID, Title: n.Title, Body: n.Body, Link: n.Link,
		CreatedAt: n.CreatedAt, ReadAt: n.ReadAt}
	if n.AboutPlane != notification.AboutPlaneACCOUNT {
		plane := model.Plane(n.AboutPlane)
		out.Plane = &plane
	}
	return out
}

func toPreference(p notify.Preference) *model.NotificationPreference {
	return &model.NotificationPreference{Topic: model.NotificationTopic(p.Topic), Inbox: p.Inbox, Mail: p.Mail}
}

// inboxOf are the lines of a person's inbox.
func (r *Resolver) inboxOf(v *tenancy.Viewer) *ent.NotificationQuery {
	return r.Store.Notification.Query().Where(notification.UserID(v.UserID), notification.Shown(true))
}

func (r *Resolver) notificationPage(ctx context.Context, v *tenancy.Viewer, filter *model.NotificationFilter, w window) (*model.NotificationConnection, error) {
	ctx = tenancy.WithViewer(ctx, v)
	query := func() *ent.NotificationQuery {
		q := r.inboxOf(v)
		if filter != nil && value(filter.Unread) {
			q.Where(notification.ReadAtIsNil())
		}
		if filter != nil && filter.Topic != nil {
			q.Where(notification.TopicEQ(notification.Topic(*filter.Topic)))
		}
		return q
	}
	rows, info, err := list[*ent.Notification](ctx, query(), w, notification.FieldID, true, func(n *ent.Notification) string { return n.ID })
	if err != nil {
		return nil, err
	}
	return &model.NotificationConnection{PageInfo: info,
		Count: func(ctx context.Context) (int, error) { return query().Count(tenancy.WithViewer(ctx, v)) },
		Edges: mapTo(rows, func(n *ent.Notification) *model.NotificationEdge {
			return &model.NotificationEdge{Node: toNotification(n), Cursor: encode(n.ID)}
		})}, nil
}

func (r *Resolver) unread(ctx context.Context, v *tenancy.Viewer) (int, error) {
	n, err := r.inboxOf(v).Where(notification.ReadAtIsNil()).Count(tenancy.WithViewer(ctx, v))
	return min(n, notify.KeepLines), err
}

// inboxState is what a person's inbox is at this moment.
func (r *Resolver) inboxState(ctx context.Context, v *tenancy.Viewer) (*model.Inbox, error) {
	n, err := r.unread(ctx, v)
	if err != nil {
		return nil, err
	}
	out := &model.Inbox{Unread: n}
	newest, err := r.inboxOf(v).Order(ent.Desc(notification.FieldID)).First(tenancy.WithViewer(ctx, v))
	switch {
	case err == nil:
		out.Newest = toNotification(newest)
	case !ent.IsNotFound(err):
		return nil, err
	}
	return out, nil
}

// inboxStream delivers the state of the viewer's inbox, and again whenever it
// changes.
func (r *Resolver) inboxStream(ctx context.Context) (<-chan *model.Inbox, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	sub := r.Notify.Inbox.Watch(v.UserID)
	out := make(chan *model.Inbox)
	go func() {
		defer close(out)
		defer sub.Close()
		r.endStream(ctx, r.followInbox(ctx, v, sub, out))
	}()
	return out, nil
}

func (r *Resolver) followInbox(ctx context.Context, v *tenancy.Viewer, sub *events.Subscription[struct{}], out chan<- *model.Inbox) error {
	for {
		state, err := r.inboxState(ctx, v)
		if err != nil {
			return err
		}
		select {
		case out <- state:
		case <-ctx.Done():
			return nil
		}
		select {
		case _, ok := <-sub.C():
			if !ok {
				return sub.Err()
			}
		case <-ctx.Done():
			return nil
		}
	}
}

func (r *Resolver) notificationRead(ctx context.Context, in model.NotificationReadInput) (*model.Notification, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.Notify.Read(ctx, v, in.NotificationID, in.Read == nil || *in.Read); err != nil {
		return nil, err
	}
	n, err := r.inboxOf(v).Where(notification.ID(in.NotificationID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("notification")
	}
	if err != nil {
		return nil, err
	}
	return toNotification(n), nil
}

func (r *Resolver) notificationsReadAll(ctx context.Context) (int, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return 0, err
	}
	return r.Notify.ReadAll(ctx, v)
}

func (r *Resolver) notificationPreferenceSet(ctx context.Context, in model.NotificationPreferenceSetInput) (*model.NotificationPreference, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	p := notify.Preference{Topic: notify.Topic(in.Topic), Inbox: in.Inbox, Mail: in.Mail}
	if err := notify.SetPreference(ctx, r.Store, v, p); err != nil {
		return nil, err
	}
	return toPreference(p), nil
}
