// Package schema declares the entities as pure data. It imports nothing
// generated, so that a broken ent never blocks its own regeneration.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
	"entgo.io/ent/schema/mixin"

	"github.com/alchemi/cockpit/internal/id"
)

// identified gives an entity its typed, immutable id.
type identified struct {
	mixin.Schema
	prefix id.Prefix
}

func (m identified) Fields() []ent.Field {
	return []ent.Field{
		field.String("id").Immutable().NotEmpty().DefaultFunc(func() string { return id.New(m.prefix) }),
	}
}

// owned stamps every row with its account and plane; both never change.
type owned struct {
	mixin.Schema
}

func (owned) Fields() []ent.Field {
	return []ent.Field{
		field.String("account_id").Immutable().NotEmpty(),
		field.Enum("plane").Immutable().Values("PLATFORM", "ACCOUNT", "CONSOLE", "COPILOT"),
	}
}

// Composite foreign keys of other tables lead here.
func (owned) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "plane", "id").Unique()}
}

// dated records when a row came to be; the store's clock sets it.
type dated struct {
	mixin.Schema
}

func (dated) Fields() []ent.Field {
	return []ent.Field{field.Time("created_at").Immutable()}
}

// editable counts the changes of a row, so that two editors meet a Conflict
// instead of overwriting each other. The store's hook raises the version.
type editable struct {
	mixin.Schema
}

func (editable) Fields() []ent.Field {
	return []ent.Field{
		field.Int("version").Default(1).Positive(),
		field.Time("created_at").Immutable(),
		field.Time("updated_at"),
	}
}

// nano is an amount in billionths of a US dollar or of a credit.
func nano(name string) ent.Field { return field.Int64(name).NonNegative().Default(0) }

// nanoFixed is an amount that never changes.
func nanoFixed(name string) ent.Field {
	return field.Int64(name).NonNegative().Default(0).Immutable()
}

// price is nano-USD per 1,000,000 units; NULL means that the class is charged
// at the price of the class it is part of.
func price(name string) ent.Field { return field.Int64(name).NonNegative().Optional().Nillable() }

func mixins(p id.Prefix, more ...ent.Mixin) []ent.Mixin {
	return append([]ent.Mixin{identified{prefix: p}, owned{}}, more...)
}
