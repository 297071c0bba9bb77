package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
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
		// Cycle of the plane pool's whole tree, or of a key or agent; NULL inherits.
		field.Enum("cycle").Values("MONTHLY", "QUARTERLY", "YEARLY", "MANUAL").Optional().Nillable(),
		field.Int("cycle_day").Range(1, 28).Default(1),
		// SET by an admin (an override of its parent's shares), or the SHARE that
		// the parent's equal distribution gives it.
		field.Enum("origin").Values("SET", "SHARE").Default("SET"),
		// POOL: what lies below draws on this one. EQUAL: each child without an
		// override gets the same share of what is left.
		field.Enum("distribution").Values("POOL", "EQUAL").Default("POOL"),
		// Kept back from distribution and allocation.
		nano("reserve"),
		// What an unused rest brings to the next cycle at most; 0 is none.
		nano("rollover_cap"),
		// Of a plane's pool: children may not add up to more than their parent.
		// Always so in Copilot.
		field.Bool("strict").Default(false),
		// In percent of the limit, ascending; NULL is 80, 95, 100.
		field.JSON("thresholds", []int{}).Optional(),
		// Nothing new is held while it is frozen.
		field.Time("frozen_at").Optional().Nillable(),
		field.String("frozen_by").Default(""),
		field.String("freeze_reason").Default("").MaxLen(500),
	}
}

// Edges of Budget.
func (Budget) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
		edge.To("cycles", BudgetCycle.Type),
		edge.To("increases", BudgetIncrease.Type),
		edge.To("alerts", BudgetAlert.Type),
	}
}

// Indexes of Budget.
func (Budget) Indexes() []ent.Index { return []ent.Index{index.Fields("updated_at")} }

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
		// In force: the budget's own, what was carried, and what was raised.
		nano("lim"),
		nano("overflow"),
		// From the cycle before.
		nano("carried"),
		// By temporary increases that are in force.
		nano("raised"),
		// When its statement was written: nothing of it moves after that.
		field.Time("closed_at").Optional().Nillable(),
		// Of spent, what the scope had spent in this period before the budget
		// counted its calls; in a budget's first cycle alone.
		nano("prior"),
		// Of charges of cycles before, booked in this one: zero or less. They are
		// no part of spent and give no room.
		field.Int64("corrections").Default(0),
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
	return []ent.Index{index.Fields("budget_id", "starts_at").Unique(), index.Fields("closed_at", "ends_at")}
}

// BudgetIncrease raises a budget's limit until a moment.
type BudgetIncrease struct{ ent.Schema }

// Mixin of BudgetIncrease.
func (BudgetIncrease) Mixin() []ent.Mixin { return mixins(id.BudgetIncrease, dated{}) }

// Fields of BudgetIncrease.
func (BudgetIncrease) Fields() []ent.Field {
	return []ent.Field{
		field.String("budget_id").Immutable().NotEmpty(),
		field.Int64("amount").Positive().Immutable(),
		field.Time("ends_at").Immutable(),
		field.String("reason").Immutable().Default("").MaxLen(500),
		field.String("created_by").Immutable().Default(""),
		// When it was taken back: at its end, or before by an admin.
		field.Time("ended_at").Optional().Nillable(),
	}
}

// Edges of BudgetIncrease.
func (BudgetIncrease) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("budget", Budget.Type).Ref("increases").Unique().Required().Immutable().Field("budget_id"),
	}
}

// Indexes of BudgetIncrease.
func (BudgetIncrease) Indexes() []ent.Index {
	return []ent.Index{index.Fields("budget_id"), index.Fields("ended_at", "ends_at")}
}

// BudgetAlert is a threshold that a cycle has passed: once per cycle.
type BudgetAlert struct{ ent.Schema }

// Mixin of BudgetAlert.
func (BudgetAlert) Mixin() []ent.Mixin { return mixins(id.BudgetAlert, dated{}) }

// Fields of BudgetAlert.
func (BudgetAlert) Fields() []ent.Field {
	return []ent.Field{
		field.String("budget_id").Immutable().NotEmpty(),
		field.String("cycle_id").Immutable().NotEmpty(),
		// In percent of the limit; 0 is the forecast's breach of it.
		field.Int("threshold").NonNegative().Immutable(),
		nano("lim"),
		nano("spent"),
		nano("forecast"),
		field.Time("runs_out_at").Optional().Nillable().Immutable(),
	}
}

// Edges of BudgetAlert.
func (BudgetAlert) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("budget", Budget.Type).Ref("alerts").Unique().Required().Immutable().Field("budget_id"),
	}
}

// Indexes of BudgetAlert.
func (BudgetAlert) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("budget_id", "cycle_id", "threshold").Unique(), index.Fields("account_id", "plane", "created_at"),
	}
}

// Statement is what a closed cycle came to. It never moves, and outlives its
// budget.
type Statement struct{ ent.Schema }

// Mixin of Statement.
func (Statement) Mixin() []ent.Mixin { return mixins(id.Statement, dated{}) }

// Fields of Statement.
func (Statement) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope_id").Immutable().NotEmpty(),
		field.String("budget_id").Immutable().NotEmpty(),
		field.String("cycle_id").Immutable().NotEmpty().Unique(),
		// As they were called when the cycle closed.
		field.String("scope_name").Immutable().NotEmpty(),
		field.String("scope_path").Immutable().NotEmpty(),
		field.Enum("unit").Immutable().Values("USD", "CREDITS"),
		field.Time("starts_at").Immutable(),
		field.Time("ends_at").Immutable(),
		nanoFixed("lim"),
		nanoFixed("overflow"),
		nanoFixed("carried_in"),
		nanoFixed("raised"),
		// Everything charged; within the limit, in the overflow, and beyond both.
		field.Int64("spent").Immutable(),
		nanoFixed("overflow_spent"),
		nanoFixed("excess_spent"),
		// Corrections of cycles before, booked in this one; zero or less.
		field.Int64("corrections").Immutable().Default(0),
		nanoFixed("carried_out"),
		field.Int64("calls").Immutable().Default(0),
		// Amounts by model, dearest first.
		field.JSON("models", json.RawMessage{}).Immutable().Optional(),
	}
}

// Indexes of Statement.
func (Statement) Indexes() []ent.Index {
	return []ent.Index{index.Fields("scope_id", "ends_at"), index.Fields("created_at")}
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
		// The session of an agent that it counts against; empty for none.
		field.String("session").Immutable().Default(""),
		// The charge as it will be written should the node die.
		field.JSON("call", json.RawMessage{}).Immutable(),
		field.Time("held_at").Immutable(),
	}
}

// Indexes of Hold.
func (Hold) Indexes() []ent.Index {
	return []ent.Index{index.Fields("node_id"), index.Fields("session").Annotations(entsql.IndexWhere("session <> ''"))}
}

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
		// The day of at in the account's time zone, as days since 1970.
		field.Int("day").Immutable(),
	}
}

// Indexes of Charge.
func (Charge) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "at"),
		index.Fields("team_id", "at"),
		index.Fields("member_id", "at"),
		index.Fields("organization_id", "at"),
		index.Fields("key_id", "at"),
		index.Fields("request_id"),
		index.Fields("at"),
		// What a session of an agent has spent.
		index.Fields("agent_id", "session_ref").Annotations(entsql.IndexWhere("agent_id <> '' AND session_ref <> ''")),
	}
}
