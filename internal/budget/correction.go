package budget

import (
	"context"
	"maps"
	"slices"

	"github.com/alchemi/cockpit/internal/money"
)

// current are the newest cycles of the budgets that a charge was taken from: a
// closed cycle never moves, and an ended one may close any moment.
func (a *amendment) current(cycles []string) []string {
	out := []string{}
	for _, own := range cycles {
		was := a.cycles[own]
		if was == nil {
			continue // the budget was removed
		}
		for _, s := range a.scopes {
			if s.budgetID == was.budgetID && a.cycles[s.id] != nil {
				own = s.id
			}
		}
		out = append(out, own)
	}
	return out
}

// giveBack books a correction: it lowers what was spent in the charge's own
// cycle while that is the newest one, else it is a correction of the cycle that
// is, counted apart so that no counter goes below zero.
func (a *amendment) giveBack(of, line charge) {
	for _, k := range line.cycles {
		if slices.Contains(of.cycles, k) {
			c := a.cycles[k]
			c.escrow(line.amount(), line.amount())
			c.spent += line.amount()
			continue
		}
		if a.corrections == nil {
			a.corrections = map[string]money.Nano{}
		}
		a.corrections[k] += line.amount()
	}
}

func (a *amendment) saveCorrections(ctx context.Context) error {
	for _, k := range slices.Sorted(maps.Keys(a.corrections)) {
		_, err := a.exec(ctx, a.tx, "UPDATE budget_cycles SET corrections = corrections + $2, revision = revision + 1 WHERE id = $1", k, int64(a.corrections[k]))
		if err != nil {
			return err
		}
	}
	return nil
}
