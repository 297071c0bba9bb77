package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// GuardrailPreset is a set of rules on what goes into models and tools and what
// comes out of them.
type GuardrailPreset struct{ ent.Schema }

// Mixin of GuardrailPreset.
func (GuardrailPreset) Mixin() []ent.Mixin { return mixins(id.GuardrailPreset, editable{}) }

// Fields of GuardrailPreset.
func (GuardrailPreset) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("description").Default("").MaxLen(500),
		field.Enum("status").Values("ACTIVE", "DISABLED").Default("ACTIVE"),
		// Detectors with what they do: block, redact or flag, on input or output.
		field.JSON("rules", json.RawMessage{}),
		// An outside moderation service; empty for none.
		field.String("moderation_url").Default("").MaxLen(2000),
		field.Bytes("moderation_secret").Sensitive().Optional(),
		field.String("moderation_secret_hint").Default(""),
		field.String("created_by").Immutable().Default(""),
	}
}

// Edges of GuardrailPreset.
func (GuardrailPreset) Edges() []ent.Edge {
	return []ent.Edge{edge.To("assignments", GuardrailAssignment.Type)}
}

// Indexes of GuardrailPreset.
func (GuardrailPreset) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "plane", "name").Unique()}
}

// GuardrailAssignment puts a preset on a scope and all below it; an agent is a
// scope.
type GuardrailAssignment struct{ ent.Schema }

// Mixin of GuardrailAssignment.
func (GuardrailAssignment) Mixin() []ent.Mixin { return mixins(id.GuardrailAssignment, dated{}) }

// Fields of GuardrailAssignment.
func (GuardrailAssignment) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope_id").Immutable().NotEmpty(),
		field.String("preset_id").Immutable().NotEmpty(),
		field.String("assigned_by").Immutable().Default(""),
	}
}

// Edges of GuardrailAssignment.
func (GuardrailAssignment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
		edge.From("preset", GuardrailPreset.Type).Ref("assignments").Unique().Required().Immutable().Field("preset_id"),
	}
}

// Indexes of GuardrailAssignment.
func (GuardrailAssignment) Indexes() []ent.Index {
	return []ent.Index{index.Fields("scope_id", "preset_id").Unique(), index.Fields("preset_id")}
}

// FeatureFlag switches a feature on for a scope and all below it, or denies it
// there. What is set nowhere is off.
type FeatureFlag struct{ ent.Schema }

// Mixin of FeatureFlag.
func (FeatureFlag) Mixin() []ent.Mixin { return mixins(id.FeatureFlag, editable{}) }

// Fields of FeatureFlag.
func (FeatureFlag) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope_id").Immutable().NotEmpty(),
		field.Enum("feature").Immutable().Values("CREATE_AGENTS", "CREATE_MCP_CONNECTIONS", "CREATE_OPENAPI_CONNECTIONS",
			"CREATE_INTEGRATIONS", "PUBLISH_LISTINGS", "GENERATE_IMAGES"),
		// The most specific ON or OFF wins; a DENY can't be lifted below.
		field.Enum("setting").Values("ON", "OFF", "DENY"),
		field.String("set_by").Default(""),
	}
}

// Edges of FeatureFlag.
func (FeatureFlag) Edges() []ent.Edge {
	return []ent.Edge{edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id")}
}

// Indexes of FeatureFlag.
func (FeatureFlag) Indexes() []ent.Index {
	return []ent.Index{index.Fields("scope_id", "feature").Unique()}
}
