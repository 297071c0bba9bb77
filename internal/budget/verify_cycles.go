package budget

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/alchemi/cockpit/internal/money"
)

// verifyCycles follows each budget's cycles from its first one on: each begins
// where the one before ends, none is missing, and those that have closed have a
// statement.
func (e *Engine) verifyCycles(ctx context.Context, c conn, out *findings) error {
	var before cycle
	var number int64
	err := e.query(ctx, c, `SELECT b.id, coalesce(c.id, ''), c.starts_at, c.ends_at, coalesce(c.revision, 0), c.closed_at, coalesce(s.id, '')
		FROM budgets b LEFT JOIN budget_cycles c ON c.budget_id = b.id LEFT JOIN statements s ON s.cycle_id = c.id WHERE b.`+staying+` ORDER BY b.id, c.starts_at`, nil, func(r *sql.Rows) error {
		var k cycle
		var starts, ends, closed sql.NullTime
		var statement string
		if err := r.Scan(&k.budgetID, &k.id, &starts, &ends, &k.revision, &closed, &statement); err != nil {
			return err
		}
		k.startsAt, k.endsAt, k.closed = starts.Time.UTC(), ends.Time.UTC(), closed.Valid
		wrong := func(what, says, should string) {
			out.add(Difference{Of: k.label(), What: what, Says: says, Should: should})
		}
		first := before.budgetID != k.budgetID
		if first {
			number = -1
		}
		number++
		switch {
		case k.id == "":
			out.add(Difference{Of: "budget " + k.budgetID, What: "its cycles", Says: "none", Should: "one at least"})
		case !k.endsAt.After(k.startsAt):
			wrong("its end", k.endsAt.Format(time.RFC3339), "after its start, "+k.startsAt.Format(time.RFC3339))
		case !first && !k.startsAt.Equal(before.endsAt):
			wrong("its start", k.startsAt.Format(time.RFC3339), before.endsAt.Format(time.RFC3339)+", the end of cycle "+before.id)
		case k.revision>>32 != number:
			wrong("its place among the cycles that are left", fmt.Sprint(number+1), fmt.Sprintf("%d: one before it is gone, or is too many", k.revision>>32+1))
			number = k.revision >> 32
		}
		switch {
		case k.closed && statement == "":
			wrong("its statement", "missing", "there, for it is closed")
		case !k.closed && statement != "":
			wrong("its statement", statement, "missing, for it isn't closed")
		}
		before = k
		return nil
	})
	return err
}

// verifyLimits holds what newest cycles give against their budgets: the limit,
// what was carried in, and the increases in force. An increase whose end has
// come counts until it is taken back.
func (e *Engine) verifyLimits(ctx context.Context, c conn, out *findings) error {
	now := stamp(e.now())
	return e.query(ctx, c, `SELECT * FROM (SELECT c.id AS id, b.id AS budget_id, c.lim AS lim, b.lim + c.carried + c.raised AS gives, c.overflow AS overflow, b.overflow AS allows, c.raised AS raised,
			(SELECT CAST(coalesce(sum(i.amount), 0) AS BIGINT) FROM budget_increases i WHERE i.budget_id = b.id AND i.ended_at IS NULL AND i.ends_at > $1) AS raises,
			(SELECT count(*) FROM budget_increases i WHERE i.budget_id = b.id AND i.ended_at IS NULL AND i.ends_at <= $1) AS due
			FROM budgets b JOIN budget_cycles c ON c.budget_id = b.id AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = b.id) WHERE b.`+staying+`) x
		WHERE lim <> gives OR overflow <> allows OR (raised <> raises AND due = 0) ORDER BY id`, []any{now}, func(r *sql.Rows) error {
		var k cycle
		var gives, allows, raises money.Nano
		var due int64
		err := r.Scan(&k.id, &k.budgetID, &k.lim, &gives, &k.overflow, &allows, &k.raised, &raises, &due)
		out.amount(k.label(), "limit", k.lim, gives)
		out.amount(k.label(), "overflow", k.overflow, allows)
		if due == 0 {
			out.amount(k.label(), "raised", k.raised, raises)
		}
		return err
	})
}

// verifyShares computes equal shares anew, plane by plane, and, where limits are
// allotted, sees that nobody has given more than they have.
func (e *Engine) verifyShares(ctx context.Context, c conn, out *findings) error {
	var places []place
	err := e.query(ctx, c, "SELECT DISTINCT account_id, plane FROM budgets WHERE "+staying+" ORDER BY 1, 2", nil, func(r *sql.Rows) error {
		var p place
		err := r.Scan(&p.accountID, &p.plane)
		places = append(places, p)
		return err
	})
	if err != nil {
		return err
	}
	for _, p := range places {
		d := &draft{dialect: e.dialect, accountID: p.accountID, plane: p.plane, now: stamp(e.now()), byScope: map[string]*entry{}}
		if err := d.read(ctx, c, ""); err != nil {
			return err
		}
		d.overdrawn(out)
		if err := d.children(ctx, c); err != nil {
			return err
		}
		d.misshared(out)
	}
	return nil
}

func (e *entry) label() string { return "budget " + e.budgetID + " of " + e.scopeID }

// overdrawn finds those that have given more than they have. Increases below may
// outlast one above, so they don't count.
func (d *draft) overdrawn(out *findings) {
	for _, e := range d.entries {
		if !d.strictNow || e.was == nil || e.archived || e.kind.Leaf() {
			continue
		}
		g := d.given(e.path, before)
		if given := add(g.set, e.was.Reserve); given > e.was.Limit {
			out.amount(e.label(), "what it has given for good and keeps back", given, e.was.Limit)
		} else if given := add(g.limits(), e.was.Reserve); given > e.was.total() {
			out.amount(e.label(), "what it has given and keeps back", given, e.was.total())
		}
	}
}

// misshared finds shares that aren't equal parts of what is left. Where an
// increase is due to be taken back, they will be.
func (d *draft) misshared(out *findings) {
	for _, e := range d.entries {
		if e.was != nil && e.was.Raised != e.is.Raised {
			return
		}
	}
	d.distribute()
	for _, e := range d.entries {
		switch {
		case e.was == nil && e.is == nil:
		case e.was == nil:
			out.add(Difference{Of: "scope " + e.scopeID, What: "its budget", Says: "missing", Should: "a share of " + e.is.Limit.String() + " of that of " + e.parentID})
		case e.is == nil:
			out.add(Difference{Of: e.label(), What: "its share", Says: e.was.Limit.String(), Should: "none: " + e.parentID + " doesn't share out"})
		default:
			out.amount(e.label(), "its share of "+e.parentID, e.was.Limit, e.is.Limit)
		}
	}
}

// lostName are charges that name a cycle which is gone, although a budget that
// they must name one of stood when they were held.
type lostName struct {
	cycleID, budgetID, last string
	count                   int64
	heldAt, stoodAt         time.Time
}

// verifyNames finds cycles that charges name and that are gone. A removed budget
// takes its cycles along; one that stands doesn't lose any, and every call that
// was held while it stood names one of them.
func (e *Engine) verifyNames(ctx context.Context, c conn, out *findings) error {
	q := fmt.Sprintf(`WITH gone AS (SELECT k.value AS cycle_id, h.account_id AS account_id, h.plane AS plane, h.path AS path, h.agent_id AS agent_id,
			CAST(h.cycles AS TEXT) AS cycles, max(h.id) AS last, count(*) AS n
			FROM charges h %s WHERE k.value IS NOT NULL AND h.%s AND h.adjusts = '' AND NOT EXISTS (SELECT 1 FROM budget_cycles c WHERE c.id = k.value) GROUP BY 1, 2, 3, 4, 5, 6)
		SELECT g.cycle_id, b.id, g.last, g.n, m.held_at, f.created_at FROM gone g JOIN charges m ON m.id = g.last
		JOIN budgets b ON b.account_id = g.account_id AND b.plane = g.plane AND (b.scope_id = g.agent_id OR g.path LIKE '%%/' || b.scope_id || '/%%')
		JOIN budget_cycles f ON f.budget_id = b.id AND f.starts_at = (SELECT min(x.starts_at) FROM budget_cycles x WHERE x.budget_id = b.id)
		WHERE NOT EXISTS (SELECT 1 FROM budget_cycles x WHERE x.budget_id = b.id AND g.cycles LIKE '%%' || x.id || '%%') ORDER BY 1, 2`, e.eachOf("h.cycles"), staying)
	return e.query(ctx, c, q, nil, func(r *sql.Rows) error {
		var l lostName
		err := r.Scan(&l.cycleID, &l.budgetID, &l.last, &l.count, &l.heldAt, &l.stoodAt)
		if l.heldAt.After(l.stoodAt.Add(priorWindow)) {
			out.add(Difference{Of: fmt.Sprintf("charge %s and %d others like it", l.last, l.count-1), What: "a cycle that they name", Says: l.cycleID + ", which is gone",
				Should: "one of budget " + l.budgetID})
		}
		return err
	})
}
