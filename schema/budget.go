package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Budget limits what a scope and everything below it may spend in a cycle.
// The engine in internal/budget writes these tables; the rest only reads.
type Budget struct{ ent.Schema }

// Mixin of Budget.
func (Budget) Mixin() []ent.Mixin { return mixins(id.Budget, editable{}) }

// Fields of Budget.
func (Budget) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope_id").Immutable().NotEmpty().Unique(),
		field.Enum("unit").Immutable().Values("USD", "CREDITS"),
		// What every new cycle starts with.
		nano("lim"),
		// Allowance beyond the limit, booked apart; 0 unless set.
		nano("overflow"),
		// Cycle of the plane pool's whole tree, or of a key; NULL inherits.
		field.Enum("cycle").Values("MONTHLY", "QUARTERLY", "YEARLY", "MANUAL").Optional().Nillable(),
		field.Int("cycle_day").Range(1, 28).Default(1),
	}
}

// Edges of Budget.
func (Budget) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
		edge.To("cycles", BudgetCycle.Type),
	}
}

// BudgetCycle is one period of a budget with its counters, a half-open
// interval in time.
type BudgetCycle struct{ ent.Schema }

// Mixin of BudgetCycle.
func (BudgetCycle) Mixin() []ent.Mixin { return mixins(id.BudgetCycle, dated{}) }

// Fields of BudgetCycle.
func (BudgetCycle) Fields() []ent.Field {
	return []ent.Field{
		field.String("budget_id").Immutable().NotEmpty(),
		field.Time("starts_at").Immutable(),
		field.Time("ends_at"),
		nano("lim"),
		nano("overflow"),
		// What replicas have leased, and what folded leases spent: never more than
		// limit, overflow and excess.
		nano("escrowed"),
		// What was spent outside of the leases there are; below zero where a
		// correction gave back what a lease still counts.
		field.Int64("folded").Default(0),
		// What stands above limit and overflow with good reason: the limit was
		// lowered below it, or a provider used more than was held.
		nano("excess"),
		// Raised by every change of the row; with the revisions of its leases the
		// cursor of live burn.
		field.Int64("revision").Default(0),
	}
}

// Edges of BudgetCycle.
func (BudgetCycle) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("budget", Budget.Type).Ref("cycles").Unique().Required().Immutable().Field("budget_id"),
		edge.To("leases", BudgetLease.Type),
	}
}

// Indexes of BudgetCycle.
func (BudgetCycle) Indexes() []ent.Index {
	return []ent.Index{index.Fields("budget_id", "starts_at").Unique()}
}

// BudgetLease is the slice of a cycle that a replica admits calls from, and the
// counter of what was spent of it.
type BudgetLease struct{ ent.Schema }

// Mixin of BudgetLease.
func (BudgetLease) Mixin() []ent.Mixin { return mixins(id.BudgetLease) }

// Fields of BudgetLease.
func (BudgetLease) Fields() []ent.Field {
	return []ent.Field{
		field.String("cycle_id").Immutable().NotEmpty(),
		field.String("node_id").Immutable().NotEmpty(),
		nano("granted"),
		nano("spent"),
		// By running calls, as the replica last said.
		nano("held"),
		// Set by a replica that was refused: what is free shall go back.
		field.Bool("recalled").Default(false),
		field.Int64("revision").Default(0),
	}
}

// Edges of BudgetLease.
func (BudgetLease) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("cycle", BudgetCycle.Type).Ref("leases").Unique().Required().Immutable().Field("cycle_id"),
	}
}

// Indexes of BudgetLease.
func (BudgetLease) Indexes() []ent.Index {
	return []ent.Index{index.Fields("cycle_id", "node_id").Unique(), index.Fields("node_id", "recalled")}
}

// Hold is an amount reserved for a running call on every budget of its path.
// Its id is the charge's id; the row is gone once the charge stands.
type Hold struct{ ent.Schema }

// Mixin of Hold.
func (Hold) Mixin() []ent.Mixin { return mixins(id.Charge) }

// Fields of Hold.
func (Hold) Fields() []ent.Field {
	return []ent.Field{
		field.String("node_id").Immutable().NotEmpty(),
		// Path of the paying scope, the key included.
		field.String("path").Immutable().NotEmpty(),
		field.JSON("cycles", []string{}).Immutable(),
		nano("amount"),
		nano("cost"),
		// The charge as it will be written should the node die.
		field.JSON("call", json.RawMessage{}).Immutable(),
		field.Time("held_at").Immutable(),
	}
}

// Indexes of Hold.
func (Hold) Indexes() []ent.Index { return []ent.Index{index.Fields("node_id")} }

// Node is a running replica; the holds of a silent one are resolved by others.
type Node struct{ ent.Schema }

// Mixin of Node.
func (Node) Mixin() []ent.Mixin { return mixins(id.Node) }

// Fields of Node.
func (Node) Fields() []ent.Field {
	return []ent.Field{
		field.Time("started_at").Immutable(),
		field.Time("seen_at"),
		// Number of the newest round of writing that stands.
		field.Int64("seq").Default(0),
	}
}

// IdempotencyKey keeps a client's key for a model call from running twice. It
// names what the first call became, not what it was answered.
type IdempotencyKey struct{ ent.Schema }

// Mixin of IdempotencyKey.
func (IdempotencyKey) Mixin() []ent.Mixin { return mixins(id.IdempotencyKey) }

// Fields of IdempotencyKey.
func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		// Whose key it is: the id of a virtual key or a user.
		field.String("principal").Immutable().NotEmpty(),
		field.String("key_hash").Immutable().NotEmpty(),
		field.String("request_hash").Immutable().NotEmpty(),
		field.String("charge_id").Immutable().NotEmpty(),
		// True once the call was charged; a released one's row is gone.
		field.Bool("ended").Default(false),
		field.Time("expires_at").Immutable(),
	}
}

// Indexes of IdempotencyKey.
func (IdempotencyKey) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "principal", "key_hash").Unique(),
		index.Fields("charge_id"),
		index.Fields("expires_at"),
	}
}

// Charge is one line of the ledger: what a call was charged. Append-only.
type Charge struct{ ent.Schema }

// Mixin of Charge.
func (Charge) Mixin() []ent.Mixin { return mixins(id.Charge) }

// Fields of Charge.
func (Charge) Fields() []ent.Field {
	return []ent.Field{
		// SETTLED by usage, IN_DOUBT at the whole hold, LATE above the hold,
		// ADJUSTED downwards later (amounts below zero, naming the charge).
		field.Enum("kind").Immutable().Values("SETTLED", "IN_DOUBT", "LATE", "ADJUSTED"),
		field.String("adjusts").Immutable().Default(""),
		field.String("path").Immutable().NotEmpty(),
		field.String("organization_id").Immutable().Default(""),
		field.String("team_id").Immutable().Default(""),
		field.String("member_id").Immutable().Default(""),
		field.String("user_id").Immutable().Default(""),
		field.String("key_id").Immutable().Default(""),
		field.String("agent_id").Immutable().Default(""),
		field.String("client_id").Immutable().Default(""),
		field.String("session_ref").Immutable().Default(""),
		field.JSON("tags", []string{}).Immutable().Optional(),
		field.JSON("cycles", []string{}).Immutable(),
		field.String("model_id").Immutable().NotEmpty(),
		field.String("model_name").Immutable().NotEmpty(),
		field.String("price_id").Immutable().Default(""),
		field.String("factor_id").Immutable().Default(""),
		field.Int64("factor_ppm").Immutable().Default(0),
		field.String("request_id").Immutable().NotEmpty(),
		field.Int64("input_tokens").Immutable().Default(0),
		field.Int64("cached_input_tokens").Immutable().Default(0),
		field.Int64("cache_write_tokens").Immutable().Default(0),
		field.Int64("output_tokens").Immutable().Default(0),
		field.Int64("reasoning_tokens").Immutable().Default(0),
		field.Int64("audio_input_tokens").Immutable().Default(0),
		field.Int64("audio_output_tokens").Immutable().Default(0),
		// In nano-USD; negative for ADJUSTED alone.
		field.Int64("cost").Immutable(),
		// In nano-credits; 0 in Console.
		field.Int64("credits").Immutable().Default(0),
		// What was held for the call, in the plane's unit.
		field.Int64("held").Immutable().Default(0),
		field.Bool("stream").Immutable().Default(false),
		field.Int64("latency_ms").Immutable().Default(0),
		field.Int64("first_byte_ms").Immutable().Default(0),
		field.Time("held_at").Immutable(),
		field.Time("at").Immutable(),
		// The UTC day of at, as days since 1970.
		field.Int("day").Immutable(),
	}
}

// Indexes of Charge.
func (Charge) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "day"),
		index.Fields("team_id", "at"),
		index.Fields("member_id", "at"),
		index.Fields("organization_id", "at"),
		index.Fields("key_id", "at"),
		index.Fields("request_id"),
	}
}
