package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Connection is a source of tools: an MCP server, an OpenAPI document or an
// integration.
type Connection struct{ ent.Schema }

// Mixin of Connection.
func (Connection) Mixin() []ent.Mixin { return mixins(id.Connection, editable{}) }

// Fields of Connection.
func (Connection) Fields() []ent.Field {
	return []ent.Field{
		// Who owns it: for an admin-managed one a plane, an organization or a team;
		// for a self-managed one a seat.
		field.String("scope_id").Immutable().NotEmpty(),
		// Prefixes its tools' names, so it is unique in the plane.
		field.String("name").NotEmpty().MaxLen(60),
		field.String("description").Default("").MaxLen(500),
		field.String("icon").Default("").MaxLen(40),
		field.Enum("kind").Immutable().Values("MCP_HTTP", "MCP_SSE", "MCP_STDIO", "OPENAPI", "COMPOSIO"),
		field.Enum("status").Values("ACTIVE", "DISABLED").Default("ACTIVE"),
		// The server's address; for OPENAPI the base that operations are called at;
		// empty for stdio.
		field.String("url").Default("").MaxLen(2000),
		// How a stdio server is started: program and arguments, from the operator's
		// list. Environment secrets are part of the credential.
		field.JSON("command", []string{}).Optional(),
		// The OpenAPI document as it was read, and where it came from.
		field.Text("document").Default(""),
		field.String("document_url").Default("").MaxLen(2000),
		// How it signs in, and with whose credential: one for all, or each person's
		// own.
		field.Enum("auth").Values("NONE", "BEARER", "HEADER", "BASIC", "OAUTH").Default("NONE"),
		field.Enum("credential").Values("SHARED", "PERSONAL").Default("SHARED"),
		// The header or query parameter of HEADER.
		field.String("auth_name").Default("").MaxLen(120),
		// Addresses, client id and scopes of OAUTH.
		field.JSON("oauth", json.RawMessage{}).Optional(),
		// The OAuth client's secret, sealed under the master key.
		field.Bytes("client_secret").Sensitive().Optional(),
		field.String("client_secret_hint").Default(""),
		// The client that Cockpit registered itself, sealed under the master key;
		// empty where an admin gave one.
		field.Bytes("registered_client").Sensitive().Optional(),
		// Of COMPOSIO: the toolkit whose tools these are, and how people connect
		// their accounts of it; empty where it needs none.
		field.String("toolkit").Default("").MaxLen(100),
		field.String("auth_config").Default("").MaxLen(100),
		// When tools were last looked for, and what went wrong; empty when it worked.
		field.Time("discovered_at").Optional().Nillable(),
		field.String("discovery_error").Default("").MaxLen(1000),
		field.Time("checked_at").Optional().Nillable(),
		field.String("health_error").Default("").MaxLen(1000),
		field.Int64("latency_ms").Default(0),
		// Where it was installed from.
		field.String("listing_id").Default(""),
		field.Int("listing_version").Default(0),
		field.String("created_by").Immutable().Default(""),
	}
}

// Edges of Connection.
func (Connection) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id"),
		edge.To("tools", Tool.Type),
		edge.To("credentials", ConnectionCredential.Type),
	}
}

// Indexes of Connection.
func (Connection) Indexes() []ent.Index {
	return []ent.Index{index.Fields("account_id", "plane", "name").Unique(), index.Fields("scope_id"), index.Fields("listing_id"), index.Fields("checked_at")}
}

// Tool is one operation of a connection, pinned as it was approved.
type Tool struct{ ent.Schema }

// Mixin of Tool.
func (Tool) Mixin() []ent.Mixin { return mixins(id.Tool, editable{}) }

// Fields of Tool.
func (Tool) Fields() []ent.Field {
	return []ent.Field{
		field.String("connection_id").Immutable().NotEmpty(),
		// The operation's own name; callers see it behind the connection's.
		field.String("name").Immutable().NotEmpty().MaxLen(200),
		// PENDING was never approved, CHANGED is held back until approved again,
		// MISSING is offered by the connection no more.
		field.Enum("state").Values("PENDING", "APPROVED", "CHANGED", "MISSING").Default("PENDING"),
		field.Bool("enabled").Default(true),
		// As approved; for PENDING as discovered.
		field.JSON("definition", json.RawMessage{}),
		// Of the definition, in hex: what is pinned.
		field.String("digest").NotEmpty(),
		// What the connection offers now, where that isn't what was approved.
		field.JSON("proposed", json.RawMessage{}).Optional(),
		field.String("proposed_digest").Default(""),
		field.String("approved_by").Default(""),
		field.Time("approved_at").Optional().Nillable(),
		// Of one call, in nano-USD; 0 is free of charge.
		nano("price"),
	}
}

// Edges of Tool.
func (Tool) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("connection", Connection.Type).Ref("tools").Unique().Required().Immutable().Field("connection_id"),
	}
}

// Indexes of Tool.
func (Tool) Indexes() []ent.Index {
	return []ent.Index{index.Fields("connection_id", "name").Unique()}
}

// ConnectionCredential is what a connection signs in with: one for all, or a
// person's own. Its secret never leaves the server.
type ConnectionCredential struct{ ent.Schema }

// Mixin of ConnectionCredential.
func (ConnectionCredential) Mixin() []ent.Mixin { return mixins(id.ConnectionCredential, editable{}) }

// Fields of ConnectionCredential.
func (ConnectionCredential) Fields() []ent.Field {
	return []ent.Field{
		field.String("connection_id").Immutable().NotEmpty(),
		// Whose it is; empty for the one that all use.
		field.String("user_id").Immutable().Default(""),
		// Tokens or keys, sealed under the master key.
		field.Bytes("secret").Sensitive(),
		field.String("secret_hint").Default(""),
		// Of an access token; NULL for what doesn't expire.
		field.Time("expires_at").Optional().Nillable(),
		// PENDING was begun and has no secret yet; FAILED could not be refreshed: the
		// person signs in again.
		field.Enum("status").Values("PENDING", "ACTIVE", "FAILED").Default("ACTIVE"),
		field.String("error").Default("").MaxLen(500),
		// What the authorization server granted.
		field.String("scopes").Default("").MaxLen(2000),
		// The hash of the one sign-in that may still end; empty for none.
		field.String("awaited").Default(""),
		field.Time("refreshed_at").Optional().Nillable(),
		// Lends the row to the replica that refreshes it, until then.
		field.Time("refreshing_until").Optional().Nillable(),
		field.Time("used_at").Optional().Nillable(),
	}
}

// Edges of ConnectionCredential.
func (ConnectionCredential) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("connection", Connection.Type).Ref("credentials").Unique().Required().Immutable().Field("connection_id"),
	}
}

// Indexes of ConnectionCredential.
func (ConnectionCredential) Indexes() []ent.Index {
	return []ent.Index{index.Fields("connection_id", "user_id").Unique(), index.Fields("user_id")}
}
