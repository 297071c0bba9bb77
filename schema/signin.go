package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Domain is a mail domain that an account claims, or has proved to be its own:
// a verified one routes its people to the account's identity providers.
type Domain struct{ ent.Schema }

// Mixin of Domain.
func (Domain) Mixin() []ent.Mixin { return mixins(id.Domain, editable{}) }

// Fields of Domain.
func (Domain) Fields() []ent.Field {
	return []ent.Field{
		// Lower case, in ASCII.
		field.String("name").Immutable().NotEmpty().MaxLen(253),
		// The name once verified: many may claim a domain, one can have it.
		field.String("verified_name").Optional().Nillable().Unique(),
		// What the TXT record must say.
		field.String("token").Immutable().NotEmpty(),
		field.Time("verified_at").Optional().Nillable(),
		field.Enum("verified_by").Values("NOBODY", "DNS", "OPERATOR").Default("NOBODY"),
		field.Time("checked_at").Optional().Nillable(),
		// What the newest look-up found instead; empty when it was right.
		field.String("check_error").Default("").MaxLen(500),
	}
}

// Indexes of Domain.
func (Domain) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "name").Unique()}
}

// IdentityProvider is an account's own OpenID Connect provider.
type IdentityProvider struct{ ent.Schema }

// Mixin of IdentityProvider.
func (IdentityProvider) Mixin() []ent.Mixin { return mixins(id.IdentityProvider, editable{}) }

// Fields of IdentityProvider.
func (IdentityProvider) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("issuer").NotEmpty().MaxLen(500),
		field.String("client_id").NotEmpty().MaxLen(500),
		// Sealed under the master key; the hint is its last four characters.
		field.Bytes("secret").Sensitive().Optional(),
		field.String("secret_hint").Default(""),
		field.JSON("scopes", []string{}),
		// Names of the claims that carry these, as paths ("realm_access.roles").
		field.String("email_claim").Default("email").MaxLen(200),
		field.String("name_claim").Default("name").MaxLen(200),
		field.String("groups_claim").Default("groups").MaxLen(200),
		// DRAFT can be tested by its admins alone.
		field.Enum("status").Values("DRAFT", "ACTIVE", "DISABLED").Default("DRAFT"),
		// Whether people without a user are let in and get one.
		field.Bool("just_in_time").Default(true),
		// When somebody last went all the way through it; older than the newest
		// change of issuer, client or claims counts for nothing.
		field.Time("tested_at").Optional().Nillable(),
		field.String("test_error").Default("").MaxLen(500),
	}
}

// Edges of IdentityProvider.
func (IdentityProvider) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("mappings", GroupMapping.Type),
		edge.To("identities", ExternalIdentity.Type),
	}
}

// Indexes of IdentityProvider.
func (IdentityProvider) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "name").Unique()}
}

// GroupMapping gives whoever an identity provider says is in a group a seat in
// a team or a role at a scope. It lies in the scope's plane.
type GroupMapping struct{ ent.Schema }

// Mixin of GroupMapping.
func (GroupMapping) Mixin() []ent.Mixin { return mixins(id.GroupMapping, dated{}) }

// Fields of GroupMapping.
func (GroupMapping) Fields() []ent.Field {
	return []ent.Field{
		field.String("identity_provider_id").Immutable().NotEmpty(),
		// A value of the groups claim; empty for everybody who signs in.
		field.String("group_name").Immutable().Default("").MaxLen(200),
		field.String("scope_id").Immutable().NotEmpty(),
		field.Enum("role").Immutable().Values("ADMIN", "VIEWER", "MEMBER"),
	}
}

// Edges of GroupMapping.
func (GroupMapping) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("identity_provider", IdentityProvider.Type).Ref("mappings").Unique().Required().Immutable().Field("identity_provider_id"),
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
	}
}

// Indexes of GroupMapping.
func (GroupMapping) Indexes() []ent.Index {
	return []ent.Index{index.Fields("identity_provider_id", "group_name", "scope_id", "role").Unique(), index.Fields("scope_id")}
}

// ExternalIdentity says that a subject of an issuer is a user of the account.
type ExternalIdentity struct{ ent.Schema }

// Mixin of ExternalIdentity.
func (ExternalIdentity) Mixin() []ent.Mixin { return mixins(id.ExternalIdentity, dated{}) }

// Fields of ExternalIdentity.
func (ExternalIdentity) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().NotEmpty(),
		field.String("identity_provider_id").Immutable().NotEmpty(),
		field.String("issuer").Immutable().NotEmpty().MaxLen(500),
		field.String("subject").Immutable().NotEmpty().MaxLen(500),
		// As the provider gave it at the newest sign-in.
		field.String("email").Default("").MaxLen(254),
		field.Time("last_sign_in_at").Optional().Nillable(),
	}
}

// Edges of ExternalIdentity.
func (ExternalIdentity) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("external_identities").Unique().Required().Immutable().Field("user_id"),
		edge.From("identity_provider", IdentityProvider.Type).Ref("identities").Unique().Required().Immutable().Field("identity_provider_id"),
	}
}

// Indexes of ExternalIdentity.
func (ExternalIdentity) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "issuer", "subject").Unique(), index.Fields("user_id"), index.Fields("identity_provider_id")}
}

// SupportAccess lets a person of the platform's staff into an account for a
// while, for a reason that the account can read.
type SupportAccess struct{ ent.Schema }

// Mixin of SupportAccess.
func (SupportAccess) Mixin() []ent.Mixin { return mixins(id.SupportAccess, dated{}) }

// Fields of SupportAccess.
func (SupportAccess) Fields() []ent.Field {
	return []ent.Field{
		// A user of the platform's account; no key can lead there from here.
		field.String("staff_id").Immutable().NotEmpty(),
		field.String("staff_name").Immutable().NotEmpty(),
		field.String("staff_email").Immutable().NotEmpty(),
		field.String("reason").Immutable().NotEmpty().MaxLen(500),
		// Without it everything is read and nothing changed.
		field.Bool("writes").Immutable().Default(false),
		field.Time("expires_at").Immutable(),
		field.Time("ended_at").Optional().Nillable(),
		field.String("ended_by_name").Default(""),
	}
}

// Edges of SupportAccess.
func (SupportAccess) Edges() []ent.Edge { return []ent.Edge{edge.To("sessions", Session.Type)} }

// Indexes of SupportAccess.
func (SupportAccess) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "created_at"), index.Fields("staff_id")}
}
