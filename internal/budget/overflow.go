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

// span is a cycle whose spend is split, and how far back it must be gone through.
type span struct {
	Part
	place
	id                   string
	lim, overflow, spent money.Nano
	// since is the oldest line of it that was asked for; until is when it closed.
	since time.Time
	until sql.NullTime
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
	// One state: what a cycle has come to is the sum of the lines that are gone through.
	tx, err := e.db.BeginTx(ctx, &sql.TxOptions{Isolation: e.snapshot(), ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	spans, asked, err := e.spans(ctx, tx, chargeIDs)
	if err != nil {
		return nil, err
	}
	for _, s := range spans {
		if err := e.split(ctx, tx, s, asked, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// spans are the cycles that lines of the ledger name and whose overflow was
// touched, by id, and the lines that there are.
func (d dialect) spans(ctx context.Context, c conn, chargeIDs []string) (out []*span, asked map[string]bool, err error) {
	asked = map[string]bool{}
	since := map[string]time.Time{}
	var p params
	err = d.query(ctx, c, "SELECT id, at, cycles FROM charges WHERE id IN ("+p.list(chargeIDs)+")", p, func(r *sql.Rows) error {
		var k string
		var at time.Time
		var named []string
		err := r.Scan(&k, &at, fromJSON{&named})
		asked[k] = true
		for _, c := range named {
			if first, seen := since[c]; !seen || at.Before(first) {
				since[c] = at
			}
		}
		return err
	})
	if err != nil || len(since) == 0 {
		return nil, nil, err
	}
	p = nil
	spent := "c.folded + " + leased("spent")
	err = d.query(ctx, c, `SELECT c.id, b.id, s.id, s.name, s.kind, c.account_id, c.plane, c.lim, c.overflow, `+spent+`, c.closed_at
		FROM budget_cycles c JOIN budgets b ON b.id = c.budget_id JOIN scopes s ON s.id = b.scope_id
		WHERE c.overflow > 0 AND `+spent+" > c.lim AND c.id IN ("+p.list(slices.Sorted(maps.Keys(since)))+") ORDER BY c.id", p, func(r *sql.Rows) error {
		var s span
		err := r.Scan(&s.id, &s.BudgetID, &s.ScopeID, &s.ScopeName, &s.ScopeKind, &s.accountID, &s.plane, &s.lim, &s.overflow, &s.spent, &s.until)
		s.since = since[s.id]
		out = append(out, &s)
		return err
	})
	return out, asked, err
}

// newest reads the lines of a span's cycle that may have been asked for, the
// newest first. Those that name the cycle bear its scope, by which, and by time,
// there is an index: of a large ledger only the scope's newest lines are read.
func (s *span) newest() (query string, p params) {
	where := "h.account_id = " + p.add(s.accountID) + " AND h.plane = " + p.add(string(s.plane)) + " AND h.at >= " + p.add(stamp(s.since))
	if column := payer(s.ScopeKind); column != "" {
		where += " AND " + column + " = " + p.add(s.ScopeID)
	}
	if s.until.Valid { // nothing is charged to it any more, whatever some replica's clock says
		where += " AND h.at <= " + p.add(stamp(s.until.Time.AddDate(0, 0, skewDays)))
	}
	return "SELECT h.id, " + amountOf + ", CAST(o.cycles AS TEXT) FROM charges h LEFT JOIN charges o ON o.id = h.adjusts AND h.kind = 'ADJUSTED' WHERE " + where +
		" AND CAST(h.cycles AS TEXT) LIKE " + p.add("%"+s.id+"%") + " ORDER BY h.at DESC, h.adjusts <> '' DESC, h.id DESC", p
}

// split goes back from what a cycle has come to through its newest lines.
func (d dialect) split(ctx context.Context, c conn, s *span, asked map[string]bool, out map[string][]Part) error {
	query, p := s.newest()
	return d.query(ctx, c, query, p, func(r *sql.Rows) error {
		var k string
		var amount money.Nano
		var original []string
		if err := r.Scan(&k, &amount, fromJSON{&original}); err != nil {
			return err
		}
		if original != nil && !slices.Contains(original, s.id) {
			return nil // a correction of another cycle
		}
		part := s.Part
		part.Amount = overflowOf(s.spent, s.lim, s.overflow) - overflowOf(s.spent-amount, s.lim, s.overflow)
		s.spent -= amount
		if asked[k] && part.Amount != 0 {
			out[k] = append(out[k], part)
		}
		return nil
	})
}
