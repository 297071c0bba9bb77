package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Account is one customer, fully isolated. The platform is the reserved one.
type Account struct{ ent.Schema }

// Mixin of Account.
func (Account) Mixin() []ent.Mixin { return mixins(id.Account, editable{}) }

// Fields of Account.
func (Account) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("slug").NotEmpty().MaxLen(40).Unique(),
		field.Enum("status").Values("ACTIVE", "SUSPENDED", "CLOSED").Default("ACTIVE"),
		field.String("time_zone").Default("UTC"),
		field.Bool("console").Default(true),
		field.Bool("copilot").Default(true),
		// Its calls go out only once the database has their holds, whatever is
		// journaled.
		field.Bool("strict_dispatch").Default(false),
		// Why it was suspended or closed, in the operator's words.
		field.String("status_reason").Default("").MaxLen(500),
		field.Time("closed_at").Optional().Nillable(),
		// Since when its rows are being deleted, a batch at a time; whoever finds it
		// set and deleted_at not goes on.
		field.Time("deleting_at").Optional().Nillable(),
		// Its rows are gone from then on; this one and its books stay.
		field.Time("deleted_at").Optional().Nillable(),
		// People sign in through an identity provider alone, but for account admins.
		field.Bool("sso_enforced").Default(false),
		field.Int("session_idle_minutes").Range(5, 43200).Default(720),
		field.Int("session_lifetime_minutes").Range(15, 129600).Default(10080),
		// How long sealed audit events are kept; 0 keeps them for good.
		field.Int("audit_retention_days").NonNegative().Default(0),
		// Raised in the transaction of every change that live sessions, keys or
		// routes depend on; each replica polls it and drops what it cached.
		field.Int64("epoch").Default(1),
		field.Time("epoch_at"),
		// Number and hash of the newest sealed audit event.
		field.Int64("audit_seq").Default(0),
		field.String("audit_hash").Default(""),
	}
}

// Indexes of Account.
func (Account) Indexes() []ent.Index { return []ent.Index{index.Fields("epoch_at")} }
