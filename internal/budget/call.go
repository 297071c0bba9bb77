package budget

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Call is everything the ledger says of a model call: who pays, through what,
// for which model and at which price. It is frozen by Hold.
type Call struct {
	AccountID string
	// TimeZone is the account's, by name; empty is UTC. Usage is counted by its
	// days.
	TimeZone string
	Plane    tenancy.Plane
	// Path is the paying scope's path, the key included when there is one:
	// "/acc_a/con_b/org_c/team_d/mem_e/key_f/".
	Path           string
	OrganizationID string
	TeamID         string
	MemberID       string
	UserID         string
	KeyID          string
	AgentID        string
	ClientID       string
	SessionRef     string
	Tags           []string
	ModelID        string
	ModelName      string
	// PriceID names the price version of Prices; empty means that the model
	// has no price and Ceiling is charged.
	PriceID string
	Prices  Prices
	// Ceiling is what a call costs at most when its model has no price.
	Ceiling money.Nano
	// FactorID and FactorPPM turn cost into credits; Copilot only.
	FactorID  string
	FactorPPM int64
	RequestID string
	Stream    bool
	// Cap bounds the session of an agent that the call is part of. It counts for
	// Hold alone.
	Cap Cap `json:"-"`
}

// scopeIDs are the ids whose budgets the call charges: those on the path, from
// the account down to the payer, and the agent that it comes through.
func (c *Call) scopeIDs() []string {
	ids := strings.Split(strings.Trim(c.Path, "/"), "/")
	if c.AgentID != "" {
		ids = append(ids, c.AgentID)
	}
	return ids
}

// charges tells whether a budget is one of those that the call charges.
func (c *Call) charges(b *standing) bool {
	return b.accountID == c.AccountID && b.plane == c.Plane &&
		(strings.HasPrefix(c.Path, b.path) || b.scopeKind == tenancy.KindAgent && b.scopeID == c.AgentID)
}

func (c *Call) check() error {
	switch {
	case c.AccountID == "" || c.RequestID == "" || c.ModelID == "" || c.ModelName == "":
		return errors.New("budget: a call needs account, request and model")
	case c.Plane != tenancy.Console && c.Plane != tenancy.Copilot:
		return errors.New("budget: a call belongs to Console or Copilot")
	case !strings.HasPrefix(c.Path, "/"+c.AccountID+"/") || !strings.HasSuffix(c.Path, "/") || slices.Contains(c.scopeIDs(), ""):
		return errors.New("budget: malformed path " + c.Path)
	case !storable(c.ModelName, c.SessionRef, c.RequestID, strings.Join(c.Tags, "")):
		return fault.New(fault.Invalid, "The session, tags and request id of a call must be valid UTF-8 without zero bytes.")
	case c.Cap != (Cap{}) && c.session() == "":
		return errors.New("budget: a capped call needs an agent and a session")
	case c.Plane == tenancy.Copilot && c.FactorPPM <= 0:
		return errors.New("budget: a Copilot call needs a credit factor")
	case c.PriceID == "" && c.Ceiling <= 0:
		return fault.New(fault.Invalid, "The model %s has no price, so its calls can't be charged. Ask an admin to set a price or a ceiling per call.", c.ModelName)
	}
	return nil
}

// costOf is what usage costs in nano-USD: by price, else the whole ceiling.
func (c *Call) costOf(u Usage) (money.Nano, error) {
	if c.PriceID == "" {
		return c.Ceiling, nil
	}
	return c.Prices.Cost(u)
}

// amounts are a cost's credits (0 in Console) and what budgets are charged.
func (c *Call) amounts(cost money.Nano) (credits, amount money.Nano, err error) {
	if c.Plane != tenancy.Copilot {
		return 0, cost, nil
	}
	credits, err = money.Credits(cost, c.FactorPPM)
	return credits, credits, err
}

// bound is what a call of at most this usage may cost, and take from budgets.
func (c *Call) bound(u Usage) (cost, amount money.Nano, err error) {
	cost = c.Ceiling
	if c.PriceID != "" {
		if cost, err = c.Prices.worst().Cost(u); err != nil {
			return 0, 0, err
		}
	}
	_, amount, err = c.amounts(cost)
	return cost, amount, err
}

// Fit lowers the output of bound to the most that available still pays. It
// returns false when not even one token of output does.
func (c *Call) Fit(bound Usage, available money.Nano) (Usage, bool) {
	fits := func(output int64) bool {
		u := bound
		u.Output = output
		_, amount, err := c.bound(u)
		return err == nil && amount <= available
	}
	low, high := int64(0), bound.Output
	for low < high {
		middle := low + (high-low+1)/2
		if fits(middle) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	bound.Output = low
	return bound, low > 0 && fits(low)
}

// storable tells whether PostgreSQL takes the texts.
func storable(texts ...string) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return !utf8.ValidString(s) || strings.Contains(s, "\x00") })
}
