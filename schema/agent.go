package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Agent is a definition that people use through Copilot's apps. Its id is its
// scope's id, a leaf under the scope that owns it; the scope has its name.
type Agent struct{ ent.Schema }

// Mixin of Agent.
func (Agent) Mixin() []ent.Mixin { return mixins(id.Agent, editable{}) }

// Fields of Agent.
func (Agent) Fields() []ent.Field {
	return []ent.Field{
		// What it is for, in a sentence for those who choose.
		field.String("purpose").Default("").MaxLen(500),
		// A name of the icon set, or an emoji.
		field.String("icon").Default("").MaxLen(40),
		// Agents of the same group are listed together; empty for none.
		field.String("group_name").Default("").MaxLen(80),
		field.JSON("categories", []string{}).Optional(),
		field.JSON("tags", []string{}).Optional(),
		// The person who answers for it; empty after they left, until it is handed
		// over.
		field.String("owner_user_id").Default(""),
		// PAUSED refuses calls and stays visible; RETIRED is gone for all but its
		// admins.
		field.Enum("availability").Values("ACTIVE", "PAUSED", "RETIRED").Default("ACTIVE"),
		// The definition being worked on. Never of interest to the platform.
		field.JSON("draft", json.RawMessage{}),
		// The version in use; NULL before the first.
		field.Int("published_version").Positive().Optional().Nillable(),
		// Caps of one session (X-Cockpit-Session), in nano-credits and in calls of
		// a model; 0 for none.
		nano("session_credits"),
		field.Int("session_turns").NonNegative().Default(0),
		// Where it was installed from.
		field.String("listing_id").Default(""),
		field.Int("listing_version").Default(0),
		field.String("created_by").Immutable().Default(""),
	}
}

// Edges of Agent.
func (Agent) Edges() []ent.Edge {
	return []ent.Edge{edge.To("versions", AgentVersion.Type)}
}

// Indexes of Agent.
func (Agent) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "plane", "group_name"), index.Fields("owner_user_id"), index.Fields("listing_id")}
}

// AgentVersion is a published definition. It never changes; a rollback
// publishes an older one anew.
type AgentVersion struct{ ent.Schema }

// Mixin of AgentVersion.
func (AgentVersion) Mixin() []ent.Mixin { return mixins(id.AgentVersion, dated{}) }

// Fields of AgentVersion.
func (AgentVersion) Fields() []ent.Field {
	return []ent.Field{
		field.String("agent_id").Immutable().NotEmpty(),
		field.Int("number").Positive().Immutable(),
		field.JSON("definition", json.RawMessage{}).Immutable(),
		field.String("changelog").Immutable().Default("").MaxLen(2000),
		field.String("published_by").Immutable().Default(""),
		field.String("published_by_name").Immutable().Default(""),
		// The version that a rollback brought back; 0 for none.
		field.Int("restores").Immutable().Default(0),
		field.Time("retired_at").Optional().Nillable(),
	}
}

// Edges of AgentVersion.
func (AgentVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("agent", Agent.Type).Ref("versions").Unique().Required().Immutable().Field("agent_id"),
	}
}

// Indexes of AgentVersion.
func (AgentVersion) Indexes() []ent.Index {
	return []ent.Index{index.Fields("agent_id", "number").Unique()}
}
