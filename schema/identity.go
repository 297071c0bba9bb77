package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Login is how a person authenticates, platform-wide.
type Login struct{ ent.Schema }

// Mixin of Login.
func (Login) Mixin() []ent.Mixin { return mixins(id.Login, editable{}) }

// Fields of Login.
func (Login) Fields() []ent.Field {
	return []ent.Field{
		// Lower case.
		field.String("email").NotEmpty().MaxLen(254).Unique(),
		field.String("password_hash").Sensitive().Default(""),
		// A link to set a new password, sent by mail.
		field.String("reset_hash").Sensitive().Optional().Nillable().Unique(),
		field.Time("reset_expires_at").Optional().Nillable(),
	}
}

// Edges of Login.
func (Login) Edges() []ent.Edge { return []ent.Edge{edge.To("users", User.Type)} }

// User is a person in one account.
type User struct{ ent.Schema }

// Mixin of User.
func (User) Mixin() []ent.Mixin { return mixins(id.User, editable{}) }

// Fields of User.
func (User) Fields() []ent.Field {
	return []ent.Field{
		field.String("login_id").Optional().Nillable(),
		field.String("email").NotEmpty().MaxLen(254),
		field.String("name").NotEmpty().MaxLen(120),
		field.Enum("status").Values("ACTIVE", "DEACTIVATED").Default("ACTIVE"),
		field.Time("last_sign_in_at").Optional().Nillable(),
	}
}

// Edges of User.
func (User) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("login", Login.Type).Ref("users").Unique().Field("login_id"),
		edge.To("seats", Member.Type),
		edge.To("roles", RoleBinding.Type),
		edge.To("sessions", Session.Type),
		edge.To("external_identities", ExternalIdentity.Type),
		edge.To("personal_tokens", PersonalToken.Type),
		edge.To("notifications", Notification.Type),
		edge.To("notification_preferences", NotificationPreference.Type),
		edge.To("authorizations", Authorization.Type),
		edge.To("ratings", Rating.Type),
		edge.To("mutation_keys", MutationKey.Type),
	}
}

// Indexes of User.
func (User) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "email").Unique(), index.Fields("login_id")}
}

// Session is one signed-in browser; only the hash of its token is kept.
type Session struct{ ent.Schema }

// Mixin of Session.
func (Session) Mixin() []ent.Mixin { return mixins(id.Session, dated{}) }

// Fields of Session.
func (Session) Fields() []ent.Field {
	return []ent.Field{
		// Whose it is; NULL for platform staff in a support access.
		field.String("user_id").Optional().Nillable().Immutable(),
		field.String("support_access_id").Optional().Nillable().Immutable(),
		field.Enum("kind").Values("PASSWORD", "SSO", "SUPPORT", "BREAK_GLASS").Default("PASSWORD").Immutable(),
		field.String("identity_provider_id").Default("").Immutable(),
		// What must still stand for the session to: of SUPPORT, the platform's
		// session that was entered from; of BREAK_GLASS, a hash of the operator's
		// credentials.
		field.String("rests_on").Sensitive().Default("").Immutable(),
		field.String("token_hash").Sensitive().Immutable().NotEmpty().Unique(),
		field.String("user_agent").Default("").MaxLen(300),
		field.String("ip").Default(""),
		field.Time("last_seen_at"),
		field.Time("expires_at"),
		field.Time("revoked_at").Optional().Nillable(),
	}
}

// Edges of Session.
func (Session) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("sessions").Unique().Immutable().Field("user_id"),
		edge.From("support_access", SupportAccess.Type).Ref("sessions").Unique().Immutable().Field("support_access_id"),
	}
}

// Indexes of Session.
func (Session) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id"), index.Fields("support_access_id")}
}

// Key is a virtual API key: a leaf scope under the scope that owns it.
type Key struct{ ent.Schema }

// Mixin of Key.
func (Key) Mixin() []ent.Mixin { return mixins(id.Key, editable{}) }

// Fields of Key.
func (Key) Fields() []ent.Field {
	return []ent.Field{
		field.String("owner_id").NotEmpty(),
		field.String("token_hash").Sensitive().NotEmpty().Unique(),
		// What is shown of the key after its creation.
		field.String("prefix").NotEmpty(),
		// 0 means that the key has no limit of its own.
		field.Int("requests_per_minute").NonNegative().Default(0),
		field.Time("expires_at").Optional().Nillable(),
		field.Time("revoked_at").Optional().Nillable(),
		field.String("created_by").Default(""),
	}
}

// Edges of Key.
func (Key) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("owner", Scope.Type).Unique().Required().Field("owner_id"),
		edge.To("models", KeyModel.Type),
	}
}

// Indexes of Key.
func (Key) Indexes() []ent.Index { return []ent.Index{index.Fields("owner_id")} }

// KeyModel is one model on a key's list. An empty list means none.
type KeyModel struct{ ent.Schema }

// Mixin of KeyModel.
func (KeyModel) Mixin() []ent.Mixin { return mixins(id.KeyModel, dated{}) }

// Fields of KeyModel.
func (KeyModel) Fields() []ent.Field {
	return []ent.Field{
		field.String("key_id").Immutable().NotEmpty(),
		field.String("model_id").Immutable().NotEmpty(),
	}
}

// Edges of KeyModel.
func (KeyModel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("key", Key.Type).Ref("models").Unique().Required().Immutable().Field("key_id"),
		edge.To("model", Model.Type).Unique().Required().Immutable().Field("model_id"),
	}
}

// Indexes of KeyModel.
func (KeyModel) Indexes() []ent.Index {
	return []ent.Index{index.Fields("key_id", "model_id").Unique(), index.Fields("model_id")}
}
