package request

import (
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// refusal says what bounds the amount, and the way on.
func (p *Plan) refusal(plane tenancy.Plane, amount money.Nano) error {
	unit := budget.USD
	if plane == tenancy.Copilot {
		unit = budget.Credits
	}
	if p.Bound == nil {
		return fault.At("amount", "A limit can be one billion at most.")
	}
	say := func(n money.Nano) string { return budget.AmountText(unit, n) }
	way := "Pass the request up to those who can raise it."
	if p.Bound.Kind == scope.KindCOPILOT {
		way = "Pass the request up: the platform gives the account its credits."
	}
	var f *fault.Error
	switch {
	case p.Bound.ID == p.Base.ID:
		f = fault.New(fault.BudgetExceeded, "What has to grow is the budget of %s, which you can't set. %s", label(p.Base), way)
	case p.Available == 0:
		f = fault.New(fault.BudgetExceeded, "The budget of %s has nothing left to give. %s", label(p.Bound), way)
	default:
		f = fault.New(fault.BudgetExceeded, "%s is more than you can give: with what the budget of %s has left it is %s. Give that much. Or: %s",
			say(amount), label(p.Bound), say(p.Available), way)
	}
	f.Path = []string{"amount"}
	return f.With("available", p.Available)
}

func label(s *ent.Scope) string {
	switch s.Kind {
	case scope.KindCONSOLE:
		return "all of Console"
	case scope.KindCOPILOT:
		return "all of Copilot"
	default:
		return strings.ToLower(string(s.Kind)) + " " + s.Name
	}
}
