package budget

import (
	"context"
	"maps"
	"slices"

	"github.com/alchemi/cockpit/internal/money"
)

// current are the newest cycles of the budgets that a charge was taken from: a
// closed cycle never moves, and an ended one may close any moment.
func (b *batch) current(c charge) []string {
	out := []string{}
	for _, own := range c.cycles {
		was := b.cycles[own]
		if was == nil {
			continue // the budget was removed
		}
		for _, s := range b.scopes {
			if s.budgetID == was.budgetID && b.cycles[s.id] != nil {
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
func (b *batch) giveBack(of, line charge) {
	for _, k := range line.cycles {
		if slices.Contains(of.cycles, k) {
			b.move([]string{k}, line.amount(), 0)
			continue
		}
		if b.corrections == nil {
			b.corrections = map[string]money.Nano{}
		}
		b.corrections[k] += line.amount()
	}
}

func (b *batch) saveCorrections(ctx context.Context) error {
	for _, k := range slices.Sorted(maps.Keys(b.corrections)) {
		_, err := b.exec(ctx, b.tx, "UPDATE budget_cycles SET corrections = corrections + $2, revision = revision + 1 WHERE id = $1", k, int64(b.corrections[k]))
		if err != nil {
			return err
		}
	}
	return nil
}
