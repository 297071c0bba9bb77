package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Scope is a node of the one tree: whatever can hold people, budgets or
// permissions. Typed entities share their scope's id.
type Scope struct{ ent.Schema }

// Mixin of Scope.
func (Scope) Mixin() []ent.Mixin { return mixins(id.Organization, editable{}) }

// Fields of Scope.
func (Scope) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Immutable().Values("PLATFORM", "ACCOUNT", "CONSOLE", "COPILOT", "ORGANIZATION", "TEAM", "MEMBER", "KEY", "AGENT"),
		field.String("name").NotEmpty().MaxLen(200),
		field.String("parent_id").Optional().Nillable(),
		// The parent's plane: the composite foreign key compares it, and a CHECK
		// lets it differ from the own plane for plane roots alone.
		field.Enum("parent_plane").Values("PLATFORM", "ACCOUNT", "CONSOLE", "COPILOT").Optional().Nillable(),
		// Ids of all ancestors and of the node itself: "/acc_x/con_y/org_z/".
		field.String("path").NotEmpty(),
		// What calls from here and below use that name no model; NULL inherits.
		field.String("default_model_id").Optional().Nillable(),
		// Archived nodes and all below are refused until restored.
		field.Time("archived_at").Optional().Nillable(),
		// A deleted node stays as a tombstone, for the books that name it.
		field.Time("deleted_at").Optional().Nillable(),
	}
}

// Edges of Scope.
func (Scope) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", Scope.Type).From("parent").Unique().Field("parent_id"),
		edge.To("default_model", Model.Type).Unique().Field("default_model_id"),
	}
}

// Indexes of Scope.
func (Scope) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("path").Unique(),
		index.Fields("account_id", "plane", "kind", "name"),
		index.Fields("parent_id"),
	}
}
