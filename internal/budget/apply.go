package budget

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Change is what a change of the allocation does to one budget.
type Change struct {
	ScopeID, ScopeName string
	ScopeKind          tenancy.Kind
	// Before and After are nil where there is no budget.
	Before, After *Terms
	// Remaining can then still be spent of the current cycle; nil without a budget.
	Remaining *money.Nano
	// Reason says in words why it changes.
	Reason string
}

// Warning is what an admin should know of a change that is possible.
type Warning struct {
	ScopeID, ScopeName string
	// Code is BELOW_SPENT, OVERCOMMITTED or NOTHING_LEFT.
	Code, Message string
}

// The warnings' codes.
const (
	BelowSpent    = "BELOW_SPENT"
	IsOvercommit  = "OVERCOMMITTED"
	NothingLeft   = "NOTHING_LEFT"
	maxInOutcomes = 500
)

// Plan is what a change of the allocation did, or would do if it isn't rolled
// back: everything that changes, from the root down.
type Plan struct {
	// Budget is the one that the change was asked for, as it now is, nil once it
	// is gone; Was is the same before Set, nil for a new one.
	Budget, Was *ent.Budget
	// Changes are 500 at most, Changed is how many there are.
	Changes  []Change
	Changed  int
	Warnings []Warning
	// Overcommitted is by how much the budgets directly below a changed one, or
	// below the one above it, add up to more than that one has. Console only;
	// Copilot and strict pools refuse it.
	Overcommitted money.Nano
	// Renewal is set by a change of the cycle or its day.
	Renewal *Renewal
}

// Of is what a plan does to a scope's budget; nil when it stays.
func (p *Plan) Of(scopeID string) *Change {
	for i := range p.Changes {
		if p.Changes[i].ScopeID == scopeID {
			return &p.Changes[i]
		}
	}
	return nil
}

func (e *entry) changed() bool {
	if (e.was == nil) != (e.is == nil) {
		return true
	}
	return e.was != nil && *e.was != *e.is
}

// apply writes what the draft changes: budgets, then their newest cycles. What
// is leased of those whose limits fall is called back, and every replica learns
// by the account's epoch, within a second. Shares that follow from the change
// have an event of their own.
func (d *draft) apply(ctx context.Context, tx *store.Tx) error {
	var made, gone []*entry
	limits := map[string]limit{}
	var changed []*entry
	for _, e := range d.entries {
		switch {
		case e.is == nil && e.was != nil:
			gone = append(gone, e)
			continue
		case e.is == nil:
			continue
		case e.was == nil:
			made = append(made, e)
		case !e.saved && (e.was.Limit != e.is.Limit || e.was.Origin != e.is.Origin):
			changed = append(changed, e)
		}
		if s, to := e.standing, e.room(); s != nil && (s.lim != to.lim || s.overflow != to.overflow || e.was.Raised != to.raised) {
			limits[s.id] = to
		}
	}
	if err := d.drop(ctx, tx.SQL(), gone); err != nil {
		return err
	}
	for some := range slices.Chunk(changed, d.rowsAtOnce()) {
		var p params
		values := make([]string, len(some))
		for i, e := range some {
			values[i] = "(" + p.add(e.budgetID) + ",CAST(" + p.add(int64(e.is.Limit)) + " AS BIGINT)," + p.add(string(e.is.Origin)) + ")"
		}
		_, err := d.exec(ctx, tx.SQL(), "WITH d AS (VALUES "+strings.Join(values, ",")+`)
			UPDATE budgets SET lim = d.column2, origin = d.column3, version = version + 1, updated_at = `+p.add(d.now)+` FROM d WHERE id = d.column1`, p...)
		if err != nil {
			return err
		}
	}
	if err := d.make(ctx, tx, made); err != nil {
		return err
	}
	if err := d.stillNewest(ctx, tx.SQL()); err != nil {
		return err
	}
	if err := d.relimit(ctx, tx.SQL(), limits); err != nil {
		return err
	}
	if err := d.auditShares(ctx, tx); err != nil {
		return err
	}
	tx.Touch(d.accountID)
	return d.recall(ctx, tx.SQL(), d.lowered, "")
}

// stillNewest refuses a change whose cycle has ended while it was made, and was
// followed by one that doesn't know of it. The budgets' rows are locked, so that
// no other cycle opens before the commit.
func (d *draft) stillNewest(ctx context.Context, c conn) error {
	of := map[string]string{}
	for _, e := range d.entries {
		if e.standing != nil && e.is != nil && (e.saved || e.changed()) {
			of[e.standing.budgetID] = e.standing.id
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(of)), maxBatch) {
		var p params
		in := p.list(some)
		if err := d.query(ctx, c, "SELECT id FROM budgets WHERE id IN ("+in+") ORDER BY id FOR UPDATE", p, func(*sql.Rows) error { return nil }); err != nil {
			return err
		}
		err := d.query(ctx, c, `SELECT c.id, c.budget_id FROM budget_cycles c WHERE c.budget_id IN (`+in+`)
			AND c.starts_at = (SELECT max(l.starts_at) FROM budget_cycles l WHERE l.budget_id = c.budget_id)`, p, func(r *sql.Rows) error {
			var newest, budgetID string
			err := r.Scan(&newest, &budgetID)
			if err == nil && newest != of[budgetID] {
				err = fault.New(fault.Conflict, "The cycle of this budget has just ended. Look at the new one, then change it.")
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *draft) drop(ctx context.Context, c conn, gone []*entry) error {
	for some := range slices.Chunk(gone, 500) {
		ids := make([]string, len(some))
		for i, e := range some {
			ids[i] = e.scopeID
		}
		_, lost, err := d.end(ctx, c, ids)
		if err != nil {
			return err
		}
		d.lost = append(d.lost, lost...)
	}
	return nil
}

// make creates budgets with their first cycle: the whole period that now lies
// in, with what their scopes have spent in it already.
func (d *draft) make(ctx context.Context, tx *store.Tx, made []*entry) error {
	if len(made) == 0 {
		return nil
	}
	unit := entbudget.Unit(unitOf(d.plane))
	var zone string
	if err := d.query(ctx, tx.SQL(), "SELECT time_zone FROM accounts WHERE id = $1", []any{d.accountID}, scanInto(&zone)); err != nil {
		return err
	}
	var creates []*ent.BudgetCreate
	var cycles []cycle
	for _, e := range made {
		s := &standing{path: e.path, scopeKind: e.kind, zoneName: zone}
		if !e.saved {
			e.budgetID = id.New(id.Budget)
			creates = append(creates, tx.Budget.Create().SetID(e.budgetID).SetAccountID(d.accountID).SetPlane(entbudget.Plane(d.plane)).
				SetScopeID(e.scopeID).SetUnit(unit).SetLim(int64(e.is.Limit)).SetOrigin(entbudget.Origin(e.is.Origin)))
		} else if err := d.query(ctx, tx.SQL(), "SELECT cycle, cycle_day FROM budgets WHERE id = $1", []any{e.budgetID}, func(r *sql.Rows) error {
			return r.Scan(&s.own, &s.ownDay)
		}); err != nil {
			return err
		}
		pool := d.rules[s.poolID()]
		if e.scopeID == s.poolID() {
			pool = s
		}
		from, to := s.period(pool, d.now)
		cycles = append(cycles, cycle{budgetID: e.budgetID, accountID: d.accountID, plane: d.plane, startsAt: from, endsAt: to,
			lim: e.is.Limit, overflow: e.is.Overflow})
	}
	system := tenancy.System(ctx, "shares follow from what their parent's admin decided")
	for some := range slices.Chunk(creates, 100) {
		if err := tx.Budget.CreateBulk(some...).Exec(system); err != nil {
			return err
		}
	}
	if err := d.bringPrior(ctx, tx.SQL(), made, cycles); err != nil {
		return err
	}
	for i, e := range made {
		e.prior = cycles[i].prior
	}
	for some := range slices.Chunk(cycles, 500) {
		if err := d.openCycles(ctx, tx.SQL(), some, d.now); err != nil {
			return err
		}
	}
	return nil
}

// bringPrior puts into new cycles what their scopes have spent in them already.
// A line that isn't there yet is counted once it is; see CountPrior.
func (d *draft) bringPrior(ctx context.Context, c conn, made []*entry, cycles []cycle) error {
	type alike struct { // scopes that one query answers for
		column   string
		from, to time.Time
	}
	groups := map[alike]map[string]*cycle{}
	for i, e := range made {
		k := alike{payer(e.kind), cycles[i].startsAt, cycles[i].endsAt}
		if groups[k] == nil {
			groups[k] = map[string]*cycle{}
		}
		groups[k][e.scopeID] = &cycles[i]
	}
	for k, of := range groups {
		for some := range slices.Chunk(slices.Sorted(maps.Keys(of)), 500) {
			p := params{d.accountID, string(d.plane), stamp(k.from), stamp(k.to), stamp(k.from.AddDate(0, 0, -skewDays))}
			column, where := k.column, ""
			if column == "" { // the plane's root, alone
				column = "CAST(" + p.add(some[0]) + " AS TEXT)"
			} else {
				where = " AND " + column + " IN (" + p.list(some) + ")"
			}
			err := d.query(ctx, c, "SELECT "+column+", CAST(SUM("+amountOf+`) AS BIGINT) FROM charges h
				WHERE h.account_id = $1 AND h.plane = $2 AND h.at >= $5 AND h.held_at >= $3 AND h.held_at < $4`+where+" GROUP BY 1", p, func(r *sql.Rows) error {
				var scopeID string
				var spent money.Nano
				if err := r.Scan(&scopeID, &spent); err != nil {
					return err
				}
				row := of[scopeID]
				row.prior, row.folded, row.escrowed = spent, spent, spent
				row.exceed()
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// limit is what a running cycle shall give.
type limit struct{ lim, overflow, raised money.Nano }

func (e *entry) room() limit {
	return limit{lim: add(add(e.is.Limit, e.carried), e.is.Raised), overflow: e.is.Overflow, raised: e.is.Raised}
}

// relimit changes what running cycles give. What is spent or held already
// stays; what of it is more than they then give is excess.
func (d *draft) relimit(ctx context.Context, c conn, limits map[string]limit) error {
	ids := make([]string, 0, len(limits))
	for cycleID := range limits {
		ids = append(ids, cycleID)
	}
	slices.Sort(ids)
	for some := range slices.Chunk(ids, 500) {
		locked, err := d.lockCycles(ctx, c, some)
		if err != nil {
			return err
		}
		for _, cycleID := range some {
			row, to := locked[cycleID], limits[cycleID]
			if row == nil {
				continue
			}
			before := row.room()
			row.lim, row.overflow = to.lim, to.overflow
			row.exceed()
			_, err := d.exec(ctx, c, "UPDATE budget_cycles SET lim = $2, overflow = $3, raised = $4, excess = $5, revision = revision + 1 WHERE id = $1",
				row.id, int64(row.lim), int64(row.overflow), int64(to.raised), int64(row.excess))
			if err != nil {
				return err
			}
			if row.room() < before {
				d.lowered = append(d.lowered, cycleID)
			}
		}
	}
	return nil
}

// carryOut checks the draft, writes it, and tells what it did. row is the budget
// that was asked for.
func (e *Engine) carryOut(ctx context.Context, tx *store.Tx, d *draft, row *ent.Budget) (*Plan, error) {
	if err := d.apply(ctx, tx); err != nil {
		return nil, err
	}
	tx.AfterCommit(func() { e.node.lose(d.lost) })
	return d.plan(row), e.changing(ctx, tx, d.accountID, d.lowered)
}

func (d *draft) plan(row *ent.Budget) *Plan {
	out := &Plan{Budget: row}
	touched := map[string]bool{}
	for _, e := range d.entries {
		if !e.changed() {
			continue
		}
		touched[e.scopeID] = true
		if above := d.above(e.path); above != nil {
			touched[above.scopeID] = true
		}
		if out.Changed++; out.Changed <= maxInOutcomes {
			out.Changes = append(out.Changes, Change{ScopeID: e.scopeID, ScopeName: e.name, ScopeKind: e.kind, Before: e.was, After: e.is, Remaining: e.remaining(), Reason: e.reason})
		}
	}
	for _, e := range d.entries {
		if touched[e.scopeID] && len(out.Warnings) < maxInOutcomes {
			out.Warnings = append(out.Warnings, d.warn(e)...)
			out.Overcommitted = max(out.Overcommitted, d.lack(e, after))
		}
	}
	return out
}

// used is what is spent and held of the current cycle.
func (e *entry) used() money.Nano {
	if e.standing == nil {
		return e.prior
	}
	return e.standing.spent + e.standing.held
}

// remaining can still be spent of the current cycle; nil without a budget.
func (e *entry) remaining() *money.Nano {
	if e.is == nil {
		return nil
	}
	left := max(0, add(e.room().lim, e.is.Overflow)-e.used())
	return &left
}

func (d *draft) warn(e *entry) (out []Warning) {
	if e.is == nil {
		return nil
	}
	unit := unitOf(d.plane)
	say := func(code, message string) {
		out = append(out, Warning{ScopeID: e.scopeID, ScopeName: e.name, Code: code, Message: message})
	}
	room := add(e.room().lim, e.is.Overflow)
	lowered := e.was == nil || e.was.total()+e.was.Overflow > e.is.total()+e.is.Overflow
	if lowered && e.used() > room {
		say(BelowSpent, "Below what is spent and held already, "+AmountText(unit, e.used())+": calls are refused until it renews.")
	} else if room == 0 && e.changed() {
		say(NothingLeft, "Nothing may be spent.")
	}
	if lack := d.lack(e, after); lack > 0 {
		say(IsOvercommit, "What it gives to the budgets below and keeps back is "+AmountText(unit, lack)+" more than it has.")
	}
	return out
}
