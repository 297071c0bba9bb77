package budget

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Part is how much of a line of the ledger fell into one budget's overflow;
// below zero where a correction gave some of it back.
type Part struct {
	BudgetID  string
	ScopeID   string
	ScopeName string
	ScopeKind tenancy.Kind
	Amount    money.Nano
}

// spans are the limits that a cycle's spend is split by.
type span struct {
	Part
	place
	startsAt      time.Time
	lim, overflow money.Nano
}

// Overflows splits lines of the ledger: what of each lies between the limit of a
// budget and its overflow, in the order of the ledger. The parts of all lines of
// a cycle add up to the cycle's overflow, exactly. Budgets of which a line took
// no overflow are left out, as are those that were removed.
func (e *Engine) Overflows(ctx context.Context, chargeIDs []string) (map[string][]Part, error) {
	out := make(map[string][]Part, len(chargeIDs))
	if len(chargeIDs) == 0 {
		return out, nil
	}
	asked := map[string]bool{}
	cycles := map[string]bool{}
	var p params
	err := e.query(ctx, e.db, "SELECT id, cycles FROM charges WHERE id IN ("+p.list(chargeIDs)+")", p, func(r *sql.Rows) error {
		var k string
		var named []string
		err := r.Scan(&k, fromJSON{&named})
		asked[k] = true
		for _, c := range named {
			cycles[c] = true
		}
		return err
	})
	if err != nil || len(cycles) == 0 {
		return out, err
	}
	spans := map[string]*span{}
	p = nil
	err = e.query(ctx, e.db, `SELECT c.id, b.id, s.id, s.name, s.kind, c.account_id, c.plane, c.starts_at, c.lim, c.overflow
		FROM budget_cycles c JOIN budgets b ON b.id = c.budget_id JOIN scopes s ON s.id = b.scope_id
		WHERE c.overflow > 0 AND c.folded + `+leased("spent")+` > c.lim AND c.id IN (`+p.list(slices.Sorted(maps.Keys(cycles)))+")", p, func(r *sql.Rows) error {
		var k string
		var s span
		err := r.Scan(&k, &s.BudgetID, &s.ScopeID, &s.ScopeName, &s.ScopeKind, &s.accountID, &s.plane, &s.startsAt, &s.lim, &s.overflow)
		spans[k] = &s
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, k := range slices.Sorted(maps.Keys(spans)) {
		if err := e.split(ctx, k, spans[k], asked, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// split goes through a cycle's lines in their order, from what it began with.
func (e *Engine) split(ctx context.Context, cycleID string, s *span, asked map[string]bool, out map[string][]Part) error {
	var spent money.Nano
	more, err := e.lookUp(ctx, e.db, []string{cycleID})
	if err != nil {
		return err
	}
	spent = more[cycleID].prior // was spent before the budget's own first call
	return e.query(ctx, e.db, "SELECT h.id, "+amountOf+`, CAST(o.cycles AS TEXT) FROM charges h LEFT JOIN charges o ON o.id = h.adjusts AND h.kind = 'ADJUSTED'
		WHERE h.account_id = $1 AND h.plane = $2 AND h.day >= $3 AND CAST(h.cycles AS TEXT) LIKE $4 ORDER BY h.at, h.adjusts <> '', h.id`,
		[]any{s.accountID, string(s.plane), DayOf(s.startsAt.UTC()) - skewDays, "%" + cycleID + "%"}, func(r *sql.Rows) error {
			var k string
			var amount money.Nano
			var original []string
			if err := r.Scan(&k, &amount, fromJSON{&original}); err != nil {
				return err
			}
			if original != nil && !slices.Contains(original, cycleID) {
				return nil // a correction of another cycle
			}
			part := s.Part
			part.Amount = overflowOf(spent+amount, s.lim, s.overflow) - overflowOf(spent, s.lim, s.overflow)
			spent += amount
			if asked[k] && part.Amount != 0 {
				out[k] = append(out[k], part)
			}
			return nil
		})
}
