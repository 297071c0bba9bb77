package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// AuditEvent says who did what, on which scope. Append-only; the sealer gives
// it its number and chains its hash.
type AuditEvent struct{ ent.Schema }

// Mixin of AuditEvent.
func (AuditEvent) Mixin() []ent.Mixin { return mixins(id.AuditEvent) }

// Fields of AuditEvent.
func (AuditEvent) Fields() []ent.Field {
	return []ent.Field{
		// Given by the sealer within a second of the commit: 1, 2, 3 … per account.
		field.Int64("seq").Optional().Nillable(),
		field.String("hash").Default(""),
		field.Time("at").Immutable(),
		field.Enum("actor_kind").Immutable().Values("USER", "KEY", "CLIENT", "SYSTEM", "ANONYMOUS"),
		field.String("actor_id").Immutable().Default(""),
		field.String("actor_name").Immutable().Default(""),
		// What the actor acted through: a service client, a personal token or a
		// support access; NONE for a person at the cockpit.
		field.Enum("via_kind").Immutable().Values("NONE", "CLIENT", "TOKEN", "SUPPORT").Default("NONE"),
		field.String("via_id").Immutable().Default(""),
		field.String("via_name").Immutable().Default(""),
		// Noun and verb: "budget.set", "key.create", "session.refuse".
		field.String("action").Immutable().NotEmpty(),
		field.Enum("outcome").Immutable().Values("DONE", "REFUSED", "FAILED"),
		field.String("scope_id").Immutable().Default(""),
		field.String("scope_path").Immutable().NotEmpty(),
		field.String("target_id").Immutable().Default(""),
		field.String("target_name").Immutable().Default(""),
		// Field name → {before, after}; never a secret or prompt.
		field.JSON("changes", json.RawMessage{}).Immutable().Optional(),
		field.String("reason").Immutable().Default(""),
		field.String("decision_id").Immutable().Default(""),
		field.String("request_id").Immutable().Default(""),
		// How often the same refusal happened within its minute.
		field.Int("count").Immutable().Default(1),
	}
}

// Indexes of AuditEvent.
func (AuditEvent) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "seq").Unique(), index.Fields("account_id", "action", "seq"),
		index.Fields("account_id", "actor_id", "seq"), index.Fields("account_id", "target_id", "seq"),
		index.Fields("account_id", "outcome", "seq"), // Holds all that a histogram counts.
		index.Fields("account_id", "at", "seq", "outcome", "count"),
		// Subtrees are ranges of paths, byte by byte under any collation.
		index.Fields("account_id", "scope_path").Annotations(entsql.OpClassColumn("scope_path", "text_pattern_ops"))}
}

// AuditCheckpoint is a signed word of how far an account's chain stood at a
// moment: whoever kept it finds the newest events missing, and the verifier
// begins at the newest one whose events retention took.
type AuditCheckpoint struct{ ent.Schema }

// Mixin of AuditCheckpoint.
func (AuditCheckpoint) Mixin() []ent.Mixin { return mixins(id.AuditCheckpoint) }

// Fields of AuditCheckpoint.
func (AuditCheckpoint) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("seq").Positive().Immutable(),
		field.String("hash").NotEmpty().Immutable(),
		field.Time("at").Immutable(),
		// Ed25519 over account, number, hash and time, in base64.
		field.String("signature").NotEmpty().Immutable(),
		field.String("signing_key_id").NotEmpty().Immutable(),
	}
}

// Indexes of AuditCheckpoint.
func (AuditCheckpoint) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "seq").Unique()}
}
