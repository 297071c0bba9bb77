package alert

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Data is what a webhook is told of a budget. Amounts are exact decimal strings
// in Budget.Unit.
type Data struct {
	Account notify.AccountData `json:"account"`
	Plane   string             `json:"plane"`
	Scope   notify.ScopeData   `json:"scope"`
	Budget  Budget             `json:"budget"`
	// Threshold is in percent of the limit; left out where none was passed.
	Threshold *int `json:"threshold,omitempty"`
	// Reason is why a budget was frozen.
	Reason string `json:"reason,omitempty"`
	// Link is the page in the cockpit.
	Link string `json:"link"`
}

// Budget is a budget in a cycle.
type Budget struct {
	ID        string     `json:"id"`
	Unit      string     `json:"unit"`
	Limit     string     `json:"limit"`
	Overflow  string     `json:"overflow"`
	Spent     string     `json:"spent"`
	Forecast  string     `json:"forecast,omitempty"`
	StartsAt  time.Time  `json:"startsAt"`
	EndsAt    time.Time  `json:"endsAt"`
	RunsOutAt *time.Time `json:"runsOutAt,omitempty"`
}

// LateData is what a webhook is told of a late charge.
type LateData struct {
	Account notify.AccountData `json:"account"`
	Plane   string             `json:"plane"`
	Scope   notify.ScopeData   `json:"scope"`
	Charge  Charge             `json:"charge"`
	Link    string             `json:"link"`
}

// Charge is a line of the ledger.
type Charge struct {
	ID     string    `json:"id"`
	Unit   string    `json:"unit"`
	Amount string    `json:"amount"`
	Model  string    `json:"model"`
	At     time.Time `json:"at"`
}

// about is what there is to tell of a budget.
type about struct {
	state     budget.State
	cycleID   string
	threshold *int
	reason    string
	frozenAt  time.Time

	// name begins the title.
	name    string
	scope   *ent.Scope
	account *ent.Account
	zone    *time.Location
}

func (b *about) load(ctx context.Context, tx *store.Tx) (err error) {
	if b.scope, err = tx.Scope.Get(ctx, b.state.ScopeID); err != nil {
		return err
	}
	if b.account, err = tx.Account.Get(ctx, b.scope.AccountID); err != nil {
		return err
	}
	b.zone, b.name = zone(b.account), called(b.scope)
	return nil
}

// zone falls back to UTC, as the engine does.
func zone(a *ent.Account) *time.Location {
	if z, err := time.LoadLocation(a.TimeZone); err == nil {
		return z
	}
	return time.UTC
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }

// link is the page of a scope's budget, without the account's part.
func link(s *ent.Scope) string {
	return "/" + strings.ToLower(string(s.Plane)) + "/budgets?peek=" + s.ID
}

func (b *about) cause(topic notify.Topic) string {
	switch {
	case b.threshold != nil:
		return b.cycleID + ":" + strconv.Itoa(*b.threshold)
	case topic == notify.BudgetFrozen:
		return b.state.BudgetID + ":" + strconv.FormatInt(b.frozenAt.Unix(), 10)
	}
	return b.cycleID
}

func (b *about) data(url string) Data {
	s := b.state
	d := Data{Account: notify.AccountData{ID: b.account.ID, Name: b.account.Name}, Plane: string(b.scope.Plane),
		Scope: notify.ScopeData{ID: b.scope.ID, Name: b.scope.Name, Kind: string(b.scope.Kind)},
		Budget: Budget{ID: s.BudgetID, Unit: string(s.Unit), Limit: s.Limit.String(), Overflow: s.Overflow.String(), Spent: s.Spent.String(),
			Forecast: s.Forecast.String(), StartsAt: s.StartsAt, EndsAt: s.EndsAt, RunsOutAt: s.RunsOutAt},
		Threshold: b.threshold, Reason: b.reason, Link: url + "/a/" + b.account.Slug + link(b.scope)}
	if d.Budget.RunsOutAt != nil {
		at := d.Budget.RunsOutAt.UTC().Truncate(time.Second)
		d.Budget.RunsOutAt = &at
	}
	return d
}

// words are the notice's title and body.
func (b *about) words(topic notify.Topic) (title, body string) {
	s, name := b.state, b.name
	used := fmt.Sprintf("%s of %s spent", budget.AmountText(s.Unit, s.Spent), budget.AmountText(s.Unit, s.Limit))
	until := "It is renewed by hand."
	if s.EndsAt.Year() < 9999 {
		until = "The cycle ends on " + b.day(s.EndsAt) + "."
	}
	switch topic {
	case notify.BudgetThreshold:
		return fmt.Sprintf("%s has passed %d%% of its budget", name, *b.threshold), used + ". " + until
	case notify.BudgetExhausted:
		if left := s.Limit + s.Overflow - s.Spent; s.Overflow > 0 && left > 0 {
			return name + " has used up its budget", fmt.Sprintf("%s. Calls go on in the overflow: %s of it is left. %s", used, budget.AmountText(s.Unit, left), until)
		}
		return name + " has used up its budget", used + ". Calls are refused until somebody raises it. " + until
	case notify.BudgetForecast:
		when := "before the cycle ends"
		if s.RunsOutAt != nil {
			when = "on " + b.day(*s.RunsOutAt)
		}
		return fmt.Sprintf("%s will run out of budget %s", name, when),
			fmt.Sprintf("%s. At this pace it would be %s by the end. %s", used, budget.AmountText(s.Unit, s.Forecast), until)
	default: // frozen
		body = "Calls are refused until somebody unfreezes it."
		if b.reason != "" {
			body = "Reason: " + b.reason + ". " + body
		}
		return "The budget of " + named(b.scope) + " is frozen", body
	}
}

func (b *about) day(t time.Time) string { return t.In(b.zone).Format("2 January") }

// called begins a sentence with a scope: "Team Risk", "The whole Console".
func called(s *ent.Scope) string {
	name := named(s)
	return strings.ToUpper(name[:1]) + name[1:]
}

func named(s *ent.Scope) string {
	switch tenancy.Kind(s.Kind) {
	case tenancy.KindConsole:
		return "the whole Console"
	case tenancy.KindCopilot:
		return "the whole Copilot"
	case tenancy.KindMember:
		return "user " + s.Name
	}
	return strings.ToLower(string(s.Kind)) + " " + s.Name
}
