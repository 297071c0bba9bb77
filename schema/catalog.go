package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

func endpoint() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("base_url").NotEmpty().MaxLen(500),
		// Sealed under the master key; the hint is its last four characters.
		field.Bytes("secret").Sensitive().Optional(),
		field.String("secret_hint").Default(""),
		field.Enum("status").Values("ACTIVE", "DISABLED").Default("ACTIVE"),
		field.Time("tested_at").Optional().Nillable(),
		// What the newest test call found wrong; empty when it passed.
		field.String("test_error").Default("").MaxLen(500),
	}
}

// Provider is an account's own LLM endpoint in Console.
type Provider struct{ ent.Schema }

// Mixin of Provider.
func (Provider) Mixin() []ent.Mixin { return mixins(id.Provider, editable{}) }

// Fields of Provider.
func (Provider) Fields() []ent.Field { return endpoint() }

// Edges of Provider.
func (Provider) Edges() []ent.Edge { return []ent.Edge{edge.To("models", Model.Type)} }

// Indexes of Provider.
func (Provider) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "name").Unique()}
}

// CentralProvider is an LLM endpoint that the platform runs for Copilot.
type CentralProvider struct{ ent.Schema }

// Mixin of CentralProvider.
func (CentralProvider) Mixin() []ent.Mixin { return mixins(id.CentralProvider, editable{}) }

// Fields of CentralProvider.
func (CentralProvider) Fields() []ent.Field { return endpoint() }

// Edges of CentralProvider.
func (CentralProvider) Edges() []ent.Edge {
	return []ent.Edge{edge.To("catalog_models", CatalogModel.Type)}
}

// Indexes of CentralProvider.
func (CentralProvider) Indexes() []ent.Index { return []ent.Index{index.Fields("name").Unique()} }

// CatalogModel is a model of a central provider, offered to accounts.
type CatalogModel struct{ ent.Schema }

// Mixin of CatalogModel.
func (CatalogModel) Mixin() []ent.Mixin { return mixins(id.CatalogModel, editable{}) }

// Fields of CatalogModel.
func (CatalogModel) Fields() []ent.Field {
	return []ent.Field{
		field.String("central_provider_id").NotEmpty(),
		field.String("name").NotEmpty().MaxLen(120).Unique(),
		field.String("upstream_name").NotEmpty().MaxLen(200),
		field.String("description").Default("").MaxLen(500),
		field.Enum("capability").Values("FAST", "BALANCED", "SMART", "THINKING").Default("BALANCED"),
		field.Int64("context_length").Positive(),
		field.Int64("max_output_tokens").Positive(),
		field.Enum("status").Values("DRAFT", "ACTIVE", "RETIRED").Default("DRAFT"),
		// Of TEXT, IMAGE, AUDIO, VIDEO, EMBEDDING.
		field.JSON("inputs", []string{}).Optional(),
		field.JSON("outputs", []string{}).Optional(),
		// Where it is computed, as the provider says it: "EU", "US East"; empty for
		// anywhere.
		field.String("region").Default("").MaxLen(60),
		// From when on it is no more than a promise to go away, and what to use
		// instead.
		field.Time("deprecated_at").Optional().Nillable(),
		field.String("successor_id").Optional().Nillable(),
	}
}

// Edges of CatalogModel.
func (CatalogModel) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("central_provider", CentralProvider.Type).Ref("catalog_models").Unique().Required().Field("central_provider_id"),
		edge.To("prices", Price.Type),
		edge.To("installations", Model.Type),
		edge.To("listings", Listing.Type),
		edge.To("predecessors", CatalogModel.Type).From("successor").Unique().Field("successor_id"),
	}
}

// Model is what members call by name: an upstream model of a provider in
// Console, an installed catalogue model in Copilot.
type Model struct{ ent.Schema }

// Mixin of Model.
func (Model) Mixin() []ent.Mixin { return mixins(id.Model, editable{}) }

// Fields of Model.
func (Model) Fields() []ent.Field {
	return []ent.Field{
		field.String("name").NotEmpty().MaxLen(120),
		field.String("provider_id").Optional().Nillable(),
		field.String("catalog_model_id").Optional().Nillable(),
		field.String("upstream_name").Default("").MaxLen(200),
		// 0 in Copilot, where the catalogue model has them.
		field.Int64("context_length").NonNegative().Default(0),
		field.Int64("max_output_tokens").NonNegative().Default(0),
		// What a call costs at most when the model has no price, in nano-USD.
		field.Int64("ceiling").Positive().Optional().Nillable(),
		field.Enum("status").Values("ACTIVE", "DISABLED").Default("ACTIVE"),
	}
}

// Edges of Model.
func (Model) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("provider", Provider.Type).Ref("models").Unique().Field("provider_id"),
		edge.From("catalog_model", CatalogModel.Type).Ref("installations").Unique().Field("catalog_model_id"),
		edge.To("prices", Price.Type),
	}
}

// Indexes of Model.
func (Model) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "name").Unique(),
		index.Fields("provider_id"),
		index.Fields("catalog_model_id"),
	}
}

// Price is a dated price version of a model; never edited, only superseded.
type Price struct{ ent.Schema }

// Mixin of Price.
func (Price) Mixin() []ent.Mixin { return mixins(id.Price, dated{}) }

// Fields of Price.
func (Price) Fields() []ent.Field {
	return []ent.Field{
		field.String("model_id").Optional().Nillable().Immutable(),
		field.String("catalog_model_id").Optional().Nillable().Immutable(),
		field.Time("effective_from").Immutable(),
		nano("input"),
		price("cached_input"),
		price("cache_write"),
		nano("output"),
		price("reasoning"),
		price("audio_input"),
		price("audio_output"),
		// Per 1,000,000 calls.
		nano("request"),
	}
}

// Edges of Price.
func (Price) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("model", Model.Type).Ref("prices").Unique().Immutable().Field("model_id"),
		edge.From("catalog_model", CatalogModel.Type).Ref("prices").Unique().Immutable().Field("catalog_model_id"),
	}
}

// Indexes of Price.
func (Price) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("model_id", "effective_from").Unique(),
		index.Fields("catalog_model_id", "effective_from").Unique(),
	}
}

// CreditFactor is what one US dollar of cost is worth in credits for an
// account, from a moment on; never edited, only superseded.
type CreditFactor struct{ ent.Schema }

// Mixin of CreditFactor.
func (CreditFactor) Mixin() []ent.Mixin { return mixins(id.CreditFactor, dated{}) }

// Fields of CreditFactor.
func (CreditFactor) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("ppm").Positive().Immutable(),
		field.Time("effective_from").Immutable(),
	}
}

// Indexes of CreditFactor.
func (CreditFactor) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "effective_from").Unique()}
}
