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

// payers are what usage of tenants is summed by.
func payers() []ent.Field {
	return []ent.Field{
		// Of the account's time zone, as days since 1970.
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
		// What a class of tokens cost is told by price and factor.
		field.String("price_id").Immutable().Default(""),
		field.Int64("factor_ppm").Immutable().Default(0),
		// The newest known.
		field.String("model_name").Default(""),
	}
}

// UsageDay sums the charges of one day, payer, model and price. The engine
// keeps it in the transaction of the ledger.
type UsageDay struct{ ent.Schema }

// Mixin of UsageDay.
func (UsageDay) Mixin() []ent.Mixin { return mixins(id.UsageDay) }

// Fields of UsageDay.
func (UsageDay) Fields() []ent.Field { return append(payers(), counters()...) }

// Indexes of UsageDay.
func (UsageDay) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "day", "path", "user_id", "agent_id", "client_id", "model_id", "price_id", "factor_ppm").Unique(),
		index.Fields("organization_id", "day"),
		index.Fields("team_id", "day"),
		index.Fields("member_id", "day"),
		index.Fields("user_id", "day"),
	}
}

// UsageTag sums as UsageDay does, by tag too; a charge with two tags counts in
// both.
type UsageTag struct{ ent.Schema }

// Mixin of UsageTag.
func (UsageTag) Mixin() []ent.Mixin { return mixins(id.UsageTag) }

// Fields of UsageTag.
func (UsageTag) Fields() []ent.Field {
	return append(append([]ent.Field{field.String("tag").Immutable().NotEmpty()}, payers()...), counters()...)
}

// Indexes of UsageTag.
func (UsageTag) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "day", "tag", "path", "user_id", "agent_id", "client_id", "model_id", "price_id", "factor_ppm").Unique(),
	}
}

// UsageTotal sums the charges of one day, account, plane and model: what the
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
