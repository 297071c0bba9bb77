package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Listing offers a model, an agent, a connection or an agent template in the
// marketplace: to accounts by the platform, or inside one by itself.
type Listing struct{ ent.Schema }

// Mixin of Listing.
func (Listing) Mixin() []ent.Mixin { return mixins(id.Listing, editable{}) }

// Fields of Listing.
func (Listing) Fields() []ent.Field {
	return []ent.Field{
		// Who publishes it: the platform, or a scope of the account's Copilot.
		field.String("scope_id").Immutable().NotEmpty(),
		field.Enum("kind").Immutable().Values("MODEL", "AGENT", "CONNECTION", "TEMPLATE"),
		field.String("name").NotEmpty().MaxLen(120),
		field.String("summary").Default("").MaxLen(300),
		field.Text("description").Default("").MaxLen(20_000),
		field.String("icon").Default("").MaxLen(40),
		field.JSON("categories", []string{}).Optional(),
		field.JSON("tags", []string{}).Optional(),
		// Addresses of pictures, at most eight.
		field.JSON("screenshots", []string{}).Optional(),
		// In words: what it does, and what it needs.
		field.JSON("capabilities", []string{}).Optional(),
		field.JSON("requirements", []string{}).Optional(),
		field.Enum("status").Values("DRAFT", "IN_REVIEW", "PUBLISHED", "REJECTED", "WITHDRAWN").Default("DRAFT"),
		field.String("review_note").Default("").MaxLen(1000),
		// To which accounts the platform offers it.
		field.Enum("eligibility").Values("ALL", "NAMED").Default("ALL"),
		field.Bool("featured").Default(false),
		field.Bool("verified").Default(false),
		// The newest published version; 0 before the first.
		field.Int("published_version").Default(0),
		// What it offers: a catalogue model, or what an account shares inside.
		field.String("catalog_model_id").Optional().Nillable().Immutable(),
		// The account's own agent or connection that versions are taken from.
		field.String("source_id").Immutable().Default(""),
		field.Int64("rating_sum").Default(0),
		field.Int64("rating_count").Default(0),
		field.Int64("install_count").Default(0),
		field.String("created_by").Immutable().Default(""),
		field.String("publisher").Default("").MaxLen(120),
	}
}

// Edges of Listing.
func (Listing) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
		edge.To("versions", ListingVersion.Type),
		edge.To("accounts", ListingAccount.Type),
		edge.From("catalog_model", CatalogModel.Type).Ref("listings").Unique().Immutable().Field("catalog_model_id"),
	}
}

// Indexes of Listing.
func (Listing) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "plane", "status", "kind", "name"), index.Fields("catalog_model_id").Unique(), index.Fields("scope_id"),
	}
}

// ListingVersion is what installing a listing brings. It never changes.
type ListingVersion struct{ ent.Schema }

// Mixin of ListingVersion.
func (ListingVersion) Mixin() []ent.Mixin { return mixins(id.ListingVersion, dated{}) }

// Fields of ListingVersion.
func (ListingVersion) Fields() []ent.Field {
	return []ent.Field{
		field.String("listing_id").Immutable().NotEmpty(),
		field.Int("number").Positive().Immutable(),
		// The agent's definition, or the connection's settings without secrets.
		field.JSON("payload", json.RawMessage{}).Immutable(),
		field.String("changelog").Immutable().Default("").MaxLen(2000),
		field.Enum("status").Values("IN_REVIEW", "PUBLISHED", "REJECTED").Default("IN_REVIEW"),
		field.String("created_by").Immutable().Default(""),
		field.String("reviewed_by").Default(""),
		field.Time("reviewed_at").Optional().Nillable(),
	}
}

// Edges of ListingVersion.
func (ListingVersion) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("listing", Listing.Type).Ref("versions").Unique().Required().Immutable().Field("listing_id"),
	}
}

// Indexes of ListingVersion.
func (ListingVersion) Indexes() []ent.Index {
	return []ent.Index{index.Fields("listing_id", "number").Unique()}
}

// ListingAccount names an account that a listing is offered to.
type ListingAccount struct{ ent.Schema }

// Mixin of ListingAccount.
func (ListingAccount) Mixin() []ent.Mixin { return mixins(id.ListingAccount, dated{}) }

// Fields of ListingAccount.
func (ListingAccount) Fields() []ent.Field {
	return []ent.Field{
		field.String("listing_id").Immutable().NotEmpty(),
		field.String("offered_to").Immutable().NotEmpty(),
	}
}

// Edges of ListingAccount.
func (ListingAccount) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("listing", Listing.Type).Ref("accounts").Unique().Required().Immutable().Field("listing_id"),
	}
}

// Indexes of ListingAccount.
func (ListingAccount) Indexes() []ent.Index {
	return []ent.Index{index.Fields("listing_id", "offered_to").Unique(), index.Fields("offered_to")}
}

// Rating is what somebody who used a listing thinks of it.
type Rating struct{ ent.Schema }

// Mixin of Rating.
func (Rating) Mixin() []ent.Mixin { return mixins(id.Rating, editable{}) }

// Fields of Rating.
func (Rating) Fields() []ent.Field {
	return []ent.Field{
		// The platform's or the account's own; listings are never deleted.
		field.String("listing_id").Immutable().NotEmpty(),
		field.String("user_id").Immutable().NotEmpty(),
		field.Int("stars").Positive(),
		field.String("text").Default("").MaxLen(1000),
	}
}

// Edges of Rating.
func (Rating) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("user", User.Type).Ref("ratings").Unique().Required().Immutable().Field("user_id"),
	}
}

// Indexes of Rating.
func (Rating) Indexes() []ent.Index {
	return []ent.Index{index.Fields("listing_id", "user_id").Unique(), index.Fields("user_id")}
}
