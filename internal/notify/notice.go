// Package notify tells people and webhooks what happened: lines of inboxes,
// mails, and deliveries that wait to be sent.
package notify

import (
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/tenancy"
)

// Topic is what a notice is about; people and webhooks choose by it.
type Topic string

// The topics. WebhookDisabled is for people alone.
const (
	BudgetThreshold   Topic = "BUDGET_THRESHOLD"
	BudgetExhausted   Topic = "BUDGET_EXHAUSTED"
	BudgetForecast    Topic = "BUDGET_FORECAST"
	BudgetFrozen      Topic = "BUDGET_FROZEN"
	StatementReady    Topic = "STATEMENT_READY"
	IncreaseRequested Topic = "INCREASE_REQUESTED"
	IncreaseDecided   Topic = "INCREASE_DECIDED"
	ChargeLate        Topic = "CHARGE_LATE"
	ModelWithdrawn    Topic = "MODEL_WITHDRAWN"
	WebhookDisabled   Topic = "WEBHOOK_DISABLED"
	AgentUnowned      Topic = "AGENT_UNOWNED"
	// Test is what webhookTest sends; nobody subscribes to it.
	Test Topic = "TEST"
)

// Topics lists what people can be told of, in the order that they are shown.
var Topics = []Topic{BudgetThreshold, BudgetExhausted, BudgetForecast, BudgetFrozen, StatementReady,
	IncreaseRequested, IncreaseDecided, ChargeLate, ModelWithdrawn, WebhookDisabled, AgentUnowned}

// StaffTopics lists what the platform's staff can be told of: requests for
// credits, and credits of accounts that run out.
var StaffTopics = []Topic{BudgetThreshold, BudgetExhausted, BudgetForecast, IncreaseRequested}

// ForStaff tells whether the platform's staff hears of the topic.
func ForStaff(t Topic) bool { return slices.Contains(StaffTopics, t) }

// ForWebhooks tells whether webhooks can subscribe to the topic.
func (t Topic) ForWebhooks() bool { return t != WebhookDisabled && t != Test && t.known() }

func (t Topic) known() bool {
	for _, k := range Topics {
		if t == k {
			return true
		}
	}
	return false
}

// Type is the topic as payloads name it: "budget.threshold".
func (t Topic) Type() string {
	if t == Test {
		return "webhook.test"
	}
	return strings.Replace(strings.ToLower(string(t)), "_", ".", 1)
}

// Notice is something that people and webhooks are told, once.
type Notice struct {
	Topic     Topic
	AccountID string
	// Plane is what it is about: CONSOLE, COPILOT, or ACCOUNT.
	Plane   tenancy.Plane
	ScopeID string
	// Title is a sentence without its full stop; Body says more.
	Title, Body string
	// Link is the page without the account's part: "/console/budgets?peek=…"; what
	// begins with "/me" or, for staff, with "/sa" is a page by itself.
	Link string
	// Cause names what made it: no two for the same person or webhook, topic and
	// cause, however often Tell is called.
	Cause string
	// To are users of the account; others, and deactivated ones, are left out.
	To []string
	// Own is a user whose own seat it is about, besides To. They are led to their
	// own page.
	Own string
	// Data is what webhooks carry; left out, it is made of the rest.
	Data any
}

// Event is the body of a delivery, as docs/webhooks.md has it.
type Event struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// Data is what a webhook is told of a notice that has no data of its own.
type Data struct {
	Account AccountData `json:"account"`
	Plane   string      `json:"plane"`
	Scope   ScopeData   `json:"scope"`
	Title   string      `json:"title"`
	Body    string      `json:"body"`
	Link    string      `json:"link"`
}

// AccountData is whose event it is.
type AccountData struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// ScopeData is what an event is about.
type ScopeData struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}
