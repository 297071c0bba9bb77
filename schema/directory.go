package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Organization is a part of a plane; its id is its scope's id.
type Organization struct{ ent.Schema }

// Mixin of Organization.
func (Organization) Mixin() []ent.Mixin { return mixins(id.Organization, editable{}) }

// Fields of Organization.
func (Organization) Fields() []ent.Field {
	return []ent.Field{
		field.String("description").Default("").MaxLen(500),
		field.Bool("is_default").Default(false).Immutable(),
	}
}

// Edges of Organization.
func (Organization) Edges() []ent.Edge {
	return []ent.Edge{edge.To("teams", Team.Type)}
}

// Team is a part of an organization; its id is its scope's id.
type Team struct{ ent.Schema }

// Mixin of Team.
func (Team) Mixin() []ent.Mixin { return mixins(id.Team, editable{}) }

// Fields of Team.
func (Team) Fields() []ent.Field {
	return []ent.Field{
		field.String("organization_id").NotEmpty(),
		field.String("description").Default("").MaxLen(500),
		field.Bool("is_default").Default(false).Immutable(),
	}
}

// Edges of Team.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("organization", Organization.Type).Ref("teams").Unique().Required().Field("organization_id"),
		edge.To("members", Member.Type),
	}
}

// Member is a seat of a user in a team; its id is its scope's id.
type Member struct{ ent.Schema }

// Mixin of Member.
func (Member) Mixin() []ent.Mixin { return mixins(id.Member, editable{}) }

// Fields of Member.
func (Member) Fields() []ent.Field {
	return []ent.Field{
		field.String("team_id").NotEmpty(),
		field.String("user_id").Immutable().NotEmpty(),
		// The seat that pays when a call names none.
		field.Bool("is_default").Default(false),
		// The identity provider that gave the seat by its mapping; empty for one
		// that a person gave.
		field.String("source").Immutable().Default(""),
	}
}

// Edges of Member.
func (Member) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("team", Team.Type).Ref("members").Unique().Required().Field("team_id"),
		edge.From("user", User.Type).Ref("seats").Unique().Required().Immutable().Field("user_id"),
	}
}

// Indexes of Member.
func (Member) Indexes() []ent.Index {
	return []ent.Index{index.Fields("team_id", "user_id").Unique(), index.Fields("user_id")}
}

// RoleBinding is an ADMIN or VIEWER role of a user at any scope.
type RoleBinding struct{ ent.Schema }

// Mixin of RoleBinding.
func (RoleBinding) Mixin() []ent.Mixin { return mixins(id.RoleBinding, dated{}) }

// Fields of RoleBinding.
func (RoleBinding) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().NotEmpty(),
		field.String("scope_id").Immutable().NotEmpty(),
		field.Enum("role").Immutable().Values("ADMIN", "VIEWER"),
		// The identity provider that gave the role by its mapping; empty for one
		// that a person gave.
		field.String("source").Immutable().Default(""),
	}
}

// Edges of RoleBinding.
func (RoleBinding) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("roles").Unique().Required().Immutable().Field("user_id"),
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
	}
}

// Indexes of RoleBinding.
func (RoleBinding) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id", "scope_id", "role").Unique(), index.Fields("scope_id")}
}

// Invitation offers somebody a seat in a team or a role at a scope, by a link
// that only its holder knows.
type Invitation struct{ ent.Schema }

// Mixin of Invitation.
func (Invitation) Mixin() []ent.Mixin { return mixins(id.Invitation, editable{}) }

// Fields of Invitation.
func (Invitation) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope_id").Immutable().NotEmpty(),
		// Lower case.
		field.String("email").Immutable().NotEmpty().MaxLen(254),
		field.String("name").Default("").MaxLen(120),
		field.Enum("role").Immutable().Values("ADMIN", "VIEWER", "MEMBER"),
		field.String("token_hash").Sensitive().NotEmpty().Unique(),
		field.String("invited_by").Default(""),
		field.String("invited_by_name").Default(""),
		field.Time("expires_at"),
		field.Time("accepted_at").Optional().Nillable(),
		field.Time("revoked_at").Optional().Nillable(),
		// NONE where no mail server is set: the link is copied instead.
		field.Enum("mail").Values("NONE", "QUEUED", "SENT", "FAILED").Default("NONE"),
		field.String("mail_error").Default("").MaxLen(500),
	}
}

// Edges of Invitation.
func (Invitation) Edges() []ent.Edge {
	return []ent.Edge{edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id")}
}

// Indexes of Invitation.
func (Invitation) Indexes() []ent.Index {
	return []ent.Index{index.Fields("scope_id"), index.Fields("account_id", "email")}
}

// Grant allows a resource to a scope and all below it, or denies it there.
type Grant struct{ ent.Schema }

// Mixin of Grant.
func (Grant) Mixin() []ent.Mixin { return mixins(id.Grant, editable{}) }

// Fields of Grant.
func (Grant) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope_id").Immutable().NotEmpty(),
		// One of the resources; the others are empty.
		field.String("model_id").Optional().Nillable().Immutable(),
		field.String("agent_id").Optional().Nillable().Immutable(),
		// A connection stands for all its tools.
		field.String("connection_id").Optional().Nillable().Immutable(),
		field.String("tool_id").Optional().Nillable().Immutable(),
		field.Enum("effect").Values("ALLOW", "DENY"),
		field.Time("expires_at").Optional().Nillable(),
		field.String("note").Default("").MaxLen(500),
		// The path of the highest node at which whoever set it is ADMIN: an ALLOW
		// stands while that node has the resource, and nobody below it changes it.
		field.String("authority").NotEmpty(),
		field.String("granted_by").Default(""),
		field.String("granted_by_name").Default(""),
	}
}

// Edges of Grant.
func (Grant) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
		edge.To("model", Model.Type).Unique().Immutable().Field("model_id"),
		edge.To("agent", Agent.Type).Unique().Immutable().Field("agent_id"),
		edge.To("connection", Connection.Type).Unique().Immutable().Field("connection_id"),
		edge.To("tool", Tool.Type).Unique().Immutable().Field("tool_id"),
	}
}

// Indexes of Grant.
func (Grant) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("scope_id", "model_id").Unique(), index.Fields("model_id"),
		index.Fields("scope_id", "agent_id").Unique(), index.Fields("agent_id"),
		index.Fields("scope_id", "connection_id").Unique(), index.Fields("connection_id"),
		index.Fields("scope_id", "tool_id").Unique(), index.Fields("tool_id"),
	}
}
