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
	return []ent.Index{index.Fields("user_id", "scope_id", "role").Unique()}
}
