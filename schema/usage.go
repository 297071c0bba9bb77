package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// counters are sums over charges.
func counters() []ent.Field {
	return []ent.Field{
		field.Int64("calls").Default(0),
		field.Int64("input_tokens").Default(0),
		field.Int64("cached_input_tokens").Default(0),
		field.Int64("cache_write_tokens").Default(0),
		field.Int64("output_tokens").Default(0),
		field.Int64("reasoning_tokens").Default(0),
		field.Int64("audio_input_tokens").Default(0),
		field.Int64("audio_output_tokens").Default(0),
		// In nano-USD, and in nano-credits (0 in Console).
		field.Int64("cost").Default(0),
		field.Int64("credits").Default(0),
	}
}

// UsageDay sums the charges of one UTC day, payer and model. The engine keeps it
// in the transaction of the ledger.
type UsageDay struct{ ent.Schema }

// Mixin of UsageDay.
func (UsageDay) Mixin() []ent.Mixin { return mixins(id.UsageDay) }

// Fields of UsageDay.
func (UsageDay) Fields() []ent.Field {
	return append([]ent.Field{
		// Days since 1970.
		field.Int("day").Immutable(),
		field.String("path").Immutable().NotEmpty(),
		field.String("organization_id").Immutable().Default(""),
		field.String("team_id").Immutable().Default(""),
		field.String("member_id").Immutable().Default(""),
		field.String("user_id").Immutable().Default(""),
		field.String("key_id").Immutable().Default(""),
		field.String("agent_id").Immutable().Default(""),
		field.String("client_id").Immutable().Default(""),
		field.String("model_id").Immutable().NotEmpty(),
		field.String("model_name").Default(""),
	}, counters()...)
}

// Indexes of UsageDay.
func (UsageDay) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "day", "path", "user_id", "agent_id", "client_id", "model_id").Unique(),
	}
}

// UsageTag sums the charges of one UTC day, payer and tag; a charge with two
// tags counts in both.
type UsageTag struct{ ent.Schema }

// Mixin of UsageTag.
func (UsageTag) Mixin() []ent.Mixin { return mixins(id.UsageTag) }

// Fields of UsageTag.
func (UsageTag) Fields() []ent.Field {
	return append([]ent.Field{
		field.Int("day").Immutable(),
		field.String("path").Immutable().NotEmpty(),
		field.String("tag").Immutable().NotEmpty(),
	}, counters()...)
}

// Indexes of UsageTag.
func (UsageTag) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "plane", "day", "path", "tag").Unique()}
}

// UsageTotal sums the charges of one UTC day, account, plane and model: what the
// platform sees of its accounts.
type UsageTotal struct{ ent.Schema }

// Mixin of UsageTotal.
func (UsageTotal) Mixin() []ent.Mixin { return mixins(id.UsageTotal) }

// Fields of UsageTotal.
func (UsageTotal) Fields() []ent.Field {
	return append([]ent.Field{
		field.Int("day").Immutable(),
		field.String("model_id").Immutable().NotEmpty(),
		field.String("model_name").Default(""),
	}, counters()...)
}

// Indexes of UsageTotal.
func (UsageTotal) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("day", "account_id", "plane", "model_id").Unique(),
	}
}
