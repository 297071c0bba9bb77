package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"

	"github.com/alchemi/cockpit/internal/id"
)

// Request asks for something of whoever may give it: more budget, the use of a
// resource, a review, or the approval of a tool.
type Request struct{ ent.Schema }

// Mixin of Request.
func (Request) Mixin() []ent.Mixin { return mixins(id.InboxRequest, editable{}) }

// Fields of Request.
func (Request) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Values("BUDGET", "ACCESS", "PUBLISH", "TOOL_APPROVAL").Default("BUDGET").Immutable(),
		// Whose budget shall grow, who shall use it, or where what is reviewed belongs.
		field.String("scope_id").Immutable().NotEmpty(),
		// A user; "cockpit" where the product asks, for nobody in particular.
		field.String("requested_by").Immutable().NotEmpty(),
		// By how much a budget shall grow; 0 for the other kinds.
		nanoFixed("amount"),
		// What all but a budget are about, and its name then: a request outlives it.
		field.String("resource_id").Default("").Immutable(),
		field.String("resource_name").Default("").Immutable(),
		// Of TOOL_APPROVAL: which tools wait, as they are offered now.
		field.JSON("about", json.RawMessage{}).Optional(),
		// Until when; NULL asks for good.
		field.Time("until").Optional().Nillable().Immutable(),
		field.String("reason").Immutable().NotEmpty().MaxLen(1000),
		field.Enum("status").Values("PENDING", "APPROVED", "DECLINED", "WITHDRAWN", "EXPIRED").Default("PENDING"),
		// Whose admins it waits for: a scope above, raised when passed on.
		field.String("waits_at").NotEmpty(),
		// The one of those admins that it was handed to; empty for all of them.
		field.String("assigned_to").Default(""),
		// Who passed it on, and on the way up why.
		field.JSON("passed", json.RawMessage{}).Optional(),
		field.String("decided_by").Default(""),
		// The rule that decided in place of a person.
		field.String("rule_id").Default(""),
		field.Time("decided_at").Optional().Nillable(),
		// What was given, which may be less than was asked.
		nano("granted"),
		field.String("granted_scope").Default(""),
		field.Time("granted_until").Optional().Nillable(),
		field.String("note").Default("").MaxLen(1000),
	}
}

// Edges of Request.
func (Request) Edges() []ent.Edge {
	return []ent.Edge{edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id")}
}

// Indexes of Request.
func (Request) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("account_id", "status", "waits_at"), index.Fields("scope_id", "created_at"), index.Fields("requested_by", "created_at"),
		index.Fields("resource_id"), index.Fields("waits_at"),
	}
}

// RequestRule gives what is asked at a scope and below without a person's
// decision, up to a limit.
type RequestRule struct{ ent.Schema }

// Mixin of RequestRule.
func (RequestRule) Mixin() []ent.Mixin { return mixins(id.RequestRule, editable{}) }

// Fields of RequestRule.
func (RequestRule) Fields() []ent.Field {
	return []ent.Field{
		field.String("scope_id").Immutable().NotEmpty(),
		field.Enum("kind").Values("BUDGET", "ACCESS").Immutable(),
		// The most that one scope is given by it in 30 days; 0 for ACCESS.
		nano("most"),
		// The capabilities of models that it gives; empty for BUDGET.
		field.JSON("capabilities", []string{}).Optional(),
		// The path of the highest node at which whoever set it is ADMIN: it gives
		// what they may give.
		field.String("authority").NotEmpty(),
		field.String("set_by").Default(""),
	}
}

// Edges of RequestRule.
func (RequestRule) Edges() []ent.Edge {
	return []ent.Edge{edge.To("scope", Scope.Type).Unique().Required().Immutable().Field("scope_id")}
}

// Indexes of RequestRule.
func (RequestRule) Indexes() []ent.Index {
	return []ent.Index{index.Fields("scope_id", "kind").Unique()}
}

// Deputy decides on requests in place of an admin who is away.
type Deputy struct{ ent.Schema }

// Mixin of Deputy.
func (Deputy) Mixin() []ent.Mixin { return mixins(id.Deputy, editable{}) }

// Fields of Deputy.
func (Deputy) Fields() []ent.Field {
	return []ent.Field{
		field.String("user_id").Immutable().NotEmpty(),
		field.String("deputy_id").NotEmpty(),
		field.Time("until"),
	}
}

// Indexes of Deputy.
func (Deputy) Indexes() []ent.Index {
	return []ent.Index{index.Fields("user_id").Unique()}
}
