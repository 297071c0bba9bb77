package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// ServiceClient is a program of an account or of the platform: alchemi-web,
// alchemi-ai, an integrator. Its id is its client_id.
type ServiceClient struct{ ent.Schema }

// Mixin of ServiceClient.
func (ServiceClient) Mixin() []ent.Mixin { return mixins(id.ServiceClient, editable{}) }

// Fields of ServiceClient.
func (ServiceClient) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("description").Default("").MaxLen(500),
		field.Enum("status").Values("ACTIVE", "DISABLED").Default("ACTIVE"),
		// A public one (an app in a browser) has no secret and uses PKCE alone.
		field.Bool("public").Default(false).Immutable(),
		field.Bool("console").Default(false),
		field.Bool("copilot").Default(false),
		// Names of policies/permissions.json; an empty list allows nothing.
		field.JSON("permissions", []string{}),
		// Exact addresses that /oauth/authorize may send people back to.
		field.JSON("redirect_uris", []string{}),
		// Whether it may act for itself (client credentials), for people whose ID
		// token it shows (token exchange), and for people it merely names.
		field.Bool("client_credentials").Default(false),
		field.Bool("token_exchange").Default(false),
		field.Bool("trusted_subjects").Default(false),
		// The newest secret, and the one before until its overlap ends.
		field.String("secret_hash").Sensitive().Default(""),
		field.String("secret_hint").Default(""),
		field.Time("secret_at").Optional().Nillable(),
		field.String("previous_secret_hash").Sensitive().Default(""),
		field.String("previous_secret_hint").Default(""),
		field.Time("previous_secret_expires_at").Optional().Nillable(),
		field.String("created_by").Immutable().Default(""),
		field.Time("last_used_at").Optional().Nillable(),
	}
}

// Indexes of ServiceClient.
func (ServiceClient) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "name").Unique()}
}

// Authorization is a person's consent to a program, by /oauth/authorize: its
// code first, then the refresh token that renews access. A token used twice
// ends it.
type Authorization struct{ ent.Schema }

// Mixin of Authorization.
func (Authorization) Mixin() []ent.Mixin { return mixins(id.Authorization, dated{}) }

// Fields of Authorization.
func (Authorization) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().NotEmpty(),
		// A service client of the account or of the platform.
		field.String("client_id").Immutable().NotEmpty(),
		field.String("client_name").Immutable().NotEmpty(),
		field.JSON("permissions", []string{}).Immutable(),
		field.String("redirect_uri").Immutable().NotEmpty(),
		// S256 of the verifier.
		field.String("challenge").Immutable().NotEmpty(),
		field.String("nonce").Immutable().Default(""),
		field.String("code_hash").Sensitive().Immutable().NotEmpty().Unique(),
		field.Time("code_expires_at").Immutable(),
		field.Time("code_used_at").Optional().Nillable(),
		field.String("refresh_hash").Sensitive().Optional().Nillable().Unique(),
		field.Time("expires_at"),
		field.Time("last_used_at").Optional().Nillable(),
		field.Time("revoked_at").Optional().Nillable(),
	}
}

// Edges of Authorization.
func (Authorization) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("authorizations").Unique().Required().Immutable().Field("user_id")}
}

// Indexes of Authorization.
func (Authorization) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id"), index.Fields("client_id")}
}

// PersonalToken lets a person's script act for them, within its permissions.
type PersonalToken struct{ ent.Schema }

// Mixin of PersonalToken.
func (PersonalToken) Mixin() []ent.Mixin { return mixins(id.PersonalToken, dated{}) }

// Fields of PersonalToken.
func (PersonalToken) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().NotEmpty(),
		field.String("name").Immutable().NotEmpty().MaxLen(120),
		field.String("token_hash").Sensitive().Immutable().NotEmpty().Unique(),
		// What is shown of it after its creation.
		field.String("prefix").Immutable().NotEmpty(),
		field.JSON("permissions", []string{}).Immutable(),
		field.Time("expires_at").Immutable(),
		field.Time("last_used_at").Optional().Nillable(),
		field.Time("revoked_at").Optional().Nillable(),
	}
}

// Edges of PersonalToken.
func (PersonalToken) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("personal_tokens").Unique().Required().Immutable().Field("user_id")}
}

// Indexes of PersonalToken.
func (PersonalToken) Indexes() []ent.Index { return []ent.Index{index.Fields("user_id")} }
