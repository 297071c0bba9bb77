package budget

import (
	"fmt"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Unit is what a budget counts.
type Unit string

// The units: US dollars in Console, credits in Copilot.
const (
	USD     Unit = "USD"
	Credits Unit = "CREDITS"
)

// Room is what a budget still pays for at the moment it was read.
type Room struct {
	BudgetID  string
	ScopeID   string
	ScopeKind tenancy.Kind
	ScopeName string
	Unit      Unit
	// Limit includes the overflow allowance.
	Limit money.Nano
	Spent money.Nano
	Held  money.Nano
	// Available is Limit − Spent − Held; negative after the limit was lowered.
	Available money.Nano
	// RenewsAt is in the account's time zone; zero when renewed by hand.
	RenewsAt time.Time
}

// Exceeded refuses a hold: the tightest budget of the path that can't pay it.
// It carries a *fault.Error with code BUDGET_EXCEEDED.
type Exceeded struct {
	Room
	// Needed is the amount that was to be held.
	Needed money.Nano
}

func (e *Exceeded) Error() string { return e.message() }

// Unwrap gives the error as users are told it.
func (e *Exceeded) Unwrap() error {
	f := fault.New(fault.BudgetExceeded, "%s", e.message()).
		With("budgetId", e.BudgetID).With("scopeId", e.ScopeID).With("scopeKind", string(e.ScopeKind)).With("scopeName", e.ScopeName).
		With("unit", string(e.Unit)).With("limit", int64(e.Limit)).With("spent", int64(e.Spent)).With("held", int64(e.Held)).
		With("needed", int64(e.Needed)).With("available", int64(e.Available))
	if !e.RenewsAt.IsZero() {
		f = f.With("renewsAt", e.RenewsAt)
	}
	return f
}

func (e *Exceeded) message() string {
	of := fmt.Sprintf("The budget of %s", scopeLabel(e.ScopeKind, e.ScopeName))
	limit := AmountText(e.Unit, e.Limit)
	var what string
	switch {
	case e.Limit == 0:
		what = of + " is zero, so nothing can be spent."
	case e.Spent >= e.Limit:
		what = fmt.Sprintf("%s is used up: %s of %s.", of, AmountText(e.Unit, e.Spent), limit)
	case e.Available <= 0:
		what = fmt.Sprintf("%s is taken: %s spent and %s held by running calls, of %s.", of, AmountText(e.Unit, e.Spent), AmountText(e.Unit, e.Held), limit)
	default:
		what = fmt.Sprintf("%s has %s left of %s, but this call may need up to %s.", of, AmountText(e.Unit, e.Available), limit, AmountText(e.Unit, e.Needed))
	}
	if e.RenewsAt.IsZero() {
		return what + " It is renewed by hand; ask an admin for more."
	}
	return fmt.Sprintf("%s It renews on %s.", what, e.RenewsAt.Format("2 January 2006, 15:04 MST"))
}

func scopeLabel(kind tenancy.Kind, name string) string {
	switch kind {
	case tenancy.KindConsole, tenancy.KindCopilot:
		return "the whole " + name + " plane"
	default:
		return strings.ToLower(string(kind)) + " " + name
	}
}
