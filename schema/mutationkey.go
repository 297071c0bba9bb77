package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// MutationKey keeps a client's key for a mutation from changing anything
// twice. The transaction of the change writes it; the answer comes after.
type MutationKey struct{ ent.Schema }

// Mixin of MutationKey.
func (MutationKey) Mixin() []ent.Mixin { return mixins(id.MutationKey, dated{}) }

// Fields of MutationKey.
func (MutationKey) Fields() []ent.Field {
	return []ent.Field{
		// Whose key it is: the id of a user, or of the program, token, consent or
		// support access that acts.
		field.String("subject").Immutable().NotEmpty(),
		// The person behind the subject, where one of the account is.
		field.String("user_id").Immutable().Optional().Nillable(),
		field.String("mutation").Immutable().NotEmpty(),
		field.String("key_hash").Immutable().NotEmpty(),
		// What was asked, hashed and sealed: a plain hash of an input could be
		// searched for the password in it.
		field.Bytes("sealed_request").Sensitive().Immutable(),
		// What was answered, or that the answer isn't kept; NULL until it is known.
		field.Bytes("sealed_answer").Sensitive().Optional(),
		field.Time("expires_at").Immutable(),
	}
}

// Edges of MutationKey.
func (MutationKey) Edges() []ent.Edge {
	return []ent.Edge{edge.From("user", User.Type).Ref("mutation_keys").Unique().Immutable().Field("user_id")}
}

// Indexes of MutationKey.
func (MutationKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "subject", "mutation", "key_hash").Unique(),
		index.Fields("user_id"),
		index.Fields("expires_at"),
	}
}
