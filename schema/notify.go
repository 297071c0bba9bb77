package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// topics are what webhooks can subscribe to, and people besides the last.
var topics = []string{
	"BUDGET_THRESHOLD", "BUDGET_FORECAST", "BUDGET_EXHAUSTED", "BUDGET_FROZEN", "STATEMENT_READY",
	"INCREASE_REQUESTED", "INCREASE_DECIDED", "CHARGE_LATE", "MODEL_WITHDRAWN", "WEBHOOK_DISABLED", "AGENT_UNOWNED",
}

// Notification is a line of a person's inbox.
type Notification struct{ ent.Schema }

// Mixin of Notification.
func (Notification) Mixin() []ent.Mixin { return mixins(id.Notification, dated{}) }

// Fields of Notification.
func (Notification) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().NotEmpty(),
		field.Enum("topic").Immutable().Values(topics...),
		// The plane that it tells of; the row itself is the account's.
		field.Enum("about_plane").Immutable().Values("ACCOUNT", "CONSOLE", "COPILOT"),
		field.String("scope_id").Immutable().Default(""),
		field.String("title").Immutable().NotEmpty(),
		field.String("body").Immutable().Default(""),
		// The page that it is about, without the account's part; "/me…" and "/sa…"
		// are whole.
		field.String("link").Immutable().Default(""),
		// What made it: no two for the same person, topic and cause.
		field.String("cause").Immutable().NotEmpty(),
		// False for what the person doesn't want here; kept so that no mail of it
		// goes out twice.
		field.Bool("shown").Immutable().Default(true),
		field.Time("read_at").Optional().Nillable(),
		// When its mail is to be tried, which an attempt moves on and so lends the
		// row; NULL when the person wants none, and once it is out or given up.
		field.Time("mail_at").Optional().Nillable(),
		field.Int("mail_attempts").Default(0),
	}
}

// Edges of Notification.
func (Notification) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("notifications").Unique().Required().Immutable().Field("user_id")}
}

// Indexes of Notification.
func (Notification) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "topic", "cause").Unique(), index.Fields("user_id", "read_at"), index.Fields("read_at"),
		index.Fields("mail_at").Annotations(entsql.IndexWhere("mail_at IS NOT NULL"))}
}

// NotificationPreference says how a person wants to hear of a topic, where that
// isn't the default.
type NotificationPreference struct{ ent.Schema }

// Mixin of NotificationPreference.
func (NotificationPreference) Mixin() []ent.Mixin {
	return mixins(id.NotificationPreference, dated{})
}

// Fields of NotificationPreference.
func (NotificationPreference) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().NotEmpty(),
		field.Enum("topic").Immutable().Values(topics...),
		field.Bool("inbox").Default(true),
		field.Bool("mail").Default(false),
	}
}

// Edges of NotificationPreference.
func (NotificationPreference) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("notification_preferences").Unique().Required().Immutable().Field("user_id")}
}

// Indexes of NotificationPreference.
func (NotificationPreference) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "topic").Unique()}
}

// Webhook is an account's address that events are posted to, signed after
// Standard Webhooks.
type Webhook struct{ ent.Schema }

// Mixin of Webhook.
func (Webhook) Mixin() []ent.Mixin { return mixins(id.Webhook, editable{}) }

// Fields of Webhook.
func (Webhook) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("url").NotEmpty().MaxLen(2000),
		field.JSON("topics", []string{}),
		field.Bool("console").Default(true),
		field.Bool("copilot").Default(true),
		field.Enum("status").Values("ACTIVE", "DISABLED").Default("ACTIVE"),
		// Why the system disabled it; empty when a person did.
		field.String("status_reason").Default(""),
		// Since when no delivery arrived; NULL after one that did.
		field.Time("failing_since").Optional().Nillable(),
		field.Bytes("secret").Sensitive(),
		field.String("secret_hint").Default(""),
		// Signed with as well until its overlap ends.
		field.Bytes("previous_secret").Sensitive().Optional().Nillable(),
		field.Time("previous_secret_expires_at").Optional().Nillable(),
		field.String("created_by").Immutable().Default(""),
	}
}

// Edges of Webhook.
func (Webhook) Edges() []ent.Edge {
	return []ent.Edge{edge.To("deliveries", WebhookDelivery.Type)}
}

// Indexes of Webhook.
func (Webhook) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "name").Unique()}
}

// WebhookDelivery is an event on its way to a webhook, and what became of it.
type WebhookDelivery struct{ ent.Schema }

// Mixin of WebhookDelivery.
func (WebhookDelivery) Mixin() []ent.Mixin { return mixins(id.WebhookDelivery, dated{}) }

// Fields of WebhookDelivery.
func (WebhookDelivery) Fields() []ent.Field {
	return []ent.Field{
		field.String("webhook_id").Immutable().NotEmpty(),
		// webhook-id of the specification: the same for every attempt.
		field.String("message_id").Immutable().NotEmpty(),
		field.Enum("topic").Immutable().Values(append([]string{"TEST"}, topics...)...),
		field.JSON("payload", json.RawMessage{}).Immutable(),
		field.Enum("status").Values("PENDING", "DELIVERED", "FAILED").Default("PENDING"),
		// Raised when an attempt begins, which lends the row until next_at.
		field.Int("attempts").Default(0),
		field.Time("next_at"),
		field.Time("done_at").Optional().Nillable(),
		// Of the newest attempt.
		field.Int("response_status").Default(0),
		field.String("error").Default(""),
		field.Int64("latency_ms").Default(0),
		// The beginning of what was answered.
		field.String("response").Default(""),
	}
}

// Edges of WebhookDelivery.
func (WebhookDelivery) Edges() []ent.Edge {
	return []ent.Edge{edge.From("webhook", Webhook.Type).Ref("deliveries").Unique().Required().Immutable().Field("webhook_id")}
}

// Indexes of WebhookDelivery.
func (WebhookDelivery) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("status", "next_at"), index.Fields("webhook_id", "status", "next_at"), index.Fields("webhook_id", "created_at"),
		index.Fields("webhook_id", "message_id").Unique(),
	}
}
