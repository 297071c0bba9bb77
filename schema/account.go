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
