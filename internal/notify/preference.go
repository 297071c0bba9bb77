package notify

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/notificationpreference"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Preference says how a person hears of a topic.
type Preference struct {
	Topic       Topic
	Inbox, Mail bool
}

// Default is how people hear of a topic who have chosen nothing: in the inbox,
// and by mail of what stops work or waits for them.
func Default(t Topic) Preference {
	p := Preference{Topic: t, Inbox: true}
	switch t {
	case BudgetExhausted, IncreaseRequested, IncreaseDecided, ModelWithdrawn, WebhookDisabled, AgentUnowned:
		p.Mail = true
	}
	return p
}

// Preferences are a person's, one for every topic that they can be told of.
func Preferences(ctx context.Context, st *store.Store, v *tenancy.Viewer) ([]Preference, error) {
	rows, err := st.NotificationPreference.Query().Where(notificationpreference.UserID(v.UserID)).All(ctx)
	if err != nil {
		return nil, err
	}
	chosen := map[Topic]Preference{}
	for _, r := range rows {
		chosen[Topic(r.Topic)] = Preference{Topic(r.Topic), r.Inbox, r.Mail}
	}
	topics := Topics
	if v.Platform {
		topics = StaffTopics
	}
	out := make([]Preference, len(topics))
	for i, t := range topics {
		out[i] = Default(t)
		if c, ok := chosen[t]; ok {
			out[i] = c
		}
	}
	return out, nil
}

// SetPreference stores how the viewer wants to hear of a topic.
func SetPreference(ctx context.Context, st *store.Store, v *tenancy.Viewer, p Preference) error {
	if !p.Topic.known() {
		return fault.At("topic", "There is no such topic.")
	}
	ctx = tenancy.System(ctx, "preferences are written by verbs alone, for the viewer themselves")
	return st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		u, err := tx.User.Get(ctx, v.UserID)
		if err != nil {
			return err
		}
		before := Default(p.Topic)
		old, err := tx.NotificationPreference.Query().
			Where(notificationpreference.UserID(u.ID), notificationpreference.TopicEQ(notificationpreference.Topic(p.Topic))).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			err = tx.NotificationPreference.Create().SetAccountID(u.AccountID).SetPlane(notificationpreference.Plane(u.Plane)).SetUserID(u.ID).
				SetTopic(notificationpreference.Topic(p.Topic)).SetInbox(p.Inbox).SetMail(p.Mail).Exec(ctx)
		case err == nil:
			before = Preference{p.Topic, old.Inbox, old.Mail}
			err = old.Update().SetInbox(p.Inbox).SetMail(p.Mail).Exec(ctx)
		}
		if store.IsConflict(err) {
			return fault.New(fault.Conflict, "You have just changed this elsewhere. Look again.")
		}
		if err != nil {
			return err
		}
		path := "/" + u.AccountID + "/"
		if tenancy.Plane(u.Plane) == tenancy.PlanePlatform {
			path = "/"
		}
		return tx.Audit(ctx, audit.Event{Action: "notificationPreference.set", AccountID: u.AccountID, Plane: tenancy.Plane(u.Plane),
			ScopeID: u.AccountID, ScopePath: path, TargetID: u.ID, TargetName: u.Name,
			Changes: map[string]audit.Change{string(p.Topic): {
				Before: map[string]bool{"inbox": before.Inbox, "mail": before.Mail},
				After:  map[string]bool{"inbox": p.Inbox, "mail": p.Mail}}}})
	})
}
