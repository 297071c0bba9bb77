package budget

import (
	"context"
	"database/sql"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Spec is what a budget shall be.
type Spec struct {
	// Limit of every cycle, the current one included; zero gives nothing.
	Limit money.Nano
	// Overflow may be spent beyond Limit.
	Overflow money.Nano
	// KeepLimit and KeepOverflow leave what is; a share stays a share.
	KeepLimit, KeepOverflow bool
	// Cycle and CycleDay (1–28) are for plane pools, keys and agents alone; nil and 0
	// keep what is.
	Cycle    *Cycle
	CycleDay int
	// Distribution and Reserve are for planes, organizations and teams; nil
	// keeps what is.
	Distribution *Distribution
	Reserve      *money.Nano
	// RolloverCap is what an unused rest brings to the next cycle at most; nil
	// keeps what is.
	RolloverCap *money.Nano
	// Strict is for Console's pool; nil keeps what is.
	Strict *bool
	// Thresholds of alerts in percent, ascending; nil keeps what is, none at all
	// is 80, 95 and 100.
	Thresholds *[]int
	// ExpectedVersion, if set, is the version that the editor saw.
	ExpectedVersion *int
}

// Largest is the highest limit or overflow that can be set: a billion units.
const Largest = 1_000_000_000 * money.One

func (s Spec) check(scope *ent.Scope) error {
	if err := s.checkAmounts(); err != nil {
		return err
	}
	kind := tenancy.Kind(scope.Kind)
	switch kind {
	case tenancy.KindConsole, tenancy.KindCopilot, tenancy.KindKey, tenancy.KindAgent:
	case tenancy.KindOrganization, tenancy.KindTeam, tenancy.KindMember:
		if s.Cycle != nil || s.CycleDay != 0 {
			return fault.At("cycle", "The cycle of a budget is that of the plane. Only the plane's pool, keys and agents can have their own.")
		}
	default:
		return fault.At("scopeId", "A budget stands on a plane, organization, team, member, key or agent.")
	}
	leaf := kind == tenancy.KindMember || kind.Leaf()
	switch {
	case leaf && s.Distribution != nil && *s.Distribution != Pool:
		return fault.At("distribution", "Only planes, organizations and teams share out to those below them.")
	case leaf && s.Reserve != nil && *s.Reserve != 0:
		return fault.At("reserve", "Nothing is given from the budget of a seat, a key or an agent, so it keeps nothing back.")
	case s.Strict != nil && !isRoot(kind):
		return fault.At("strict", "Strictness is the plane's: it is set at the pool and holds for everything below it.")
	case s.Strict != nil && !*s.Strict && kind == tenancy.KindCopilot:
		return fault.At("strict", "Copilot is always strict: credits can't be given twice.")
	case scope.ArchivedAt != nil:
		return fault.At("scopeId", "%s is archived and can't get a budget.", scope.Name)
	}
	return nil
}

func (s Spec) checkAmounts() error {
	for _, a := range []struct {
		field, noun, zero string
		amount            money.Nano
	}{
		{"limit", "A limit", "nothing may be spent", s.Limit},
		{"overflow", "An overflow", "a hard limit", s.Overflow},
		{"reserve", "A reserve", "nothing is kept back", orZero(s.Reserve)},
		{"rolloverCap", "A rollover cap", "nothing is carried over", orZero(s.RolloverCap)},
	} {
		if a.amount < 0 {
			return fault.At(a.field, "%s can't be negative. Zero means that %s.", a.noun, a.zero)
		}
		if a.amount > Largest {
			return fault.At(a.field, "%s can be one billion at most.", a.noun)
		}
	}
	if s.CycleDay < 0 || s.CycleDay > 28 {
		return fault.At("cycleDay", "A cycle begins on a day from 1 to 28: those that every month has.")
	}
	if s.Cycle != nil && entbudget.CycleValidator(entbudget.Cycle(*s.Cycle)) != nil {
		return fault.At("cycle", "There is no such cycle.")
	}
	if s.Distribution != nil && *s.Distribution != Pool && *s.Distribution != Equal {
		return fault.At("distribution", "There is no such distribution.")
	}
	if s.Thresholds != nil {
		last := 0
		for _, t := range *s.Thresholds {
			if t <= last || t > 100 || len(*s.Thresholds) > 10 {
				return fault.At("thresholds", "Thresholds are up to ten different percentages from 1 to 100, in ascending order.")
			}
			last = t
		}
	}
	return nil
}

// checkDay refuses a day for a budget whose cycle has none.
func (s Spec) checkDay(scope *ent.Scope, old *ent.Budget) error {
	cycle := s.Cycle
	if cycle == nil && old != nil {
		cycle = (*Cycle)(old.Cycle)
	}
	switch {
	case s.CycleDay == 0:
	case cycle != nil && *cycle == Manual:
		return fault.At("cycleDay", "A budget that is renewed by hand begins anew on the day of its renewal. Leave the day out, or choose another cycle.")
	case cycle == nil && tenancy.Kind(scope.Kind).Leaf():
		return fault.At("cycleDay", "%s renews with its plane. Give it a cycle of its own together with the day.", scope.Name)
	}
	return nil
}

func orZero(n *money.Nano) money.Nano {
	if n == nil {
		return 0
	}
	return *n
}

// Set makes or changes the budget of a scope, within tx; the change holds for
// the current cycle as well, and shares that follow from it change with it.
// Whether the viewer may is for the caller to ask, who also writes the audit
// event. Errors: INVALID with the input's path, BUDGET_EXCEEDED with what is
// available, NOT_FOUND, CONFLICT.
func (e *Engine) Set(ctx context.Context, tx *store.Tx, scopeID string, spec Spec) (*Plan, error) {
	scope, err := e.lockPlane(ctx, tx, scopeID)
	if err != nil {
		return nil, err
	}
	if err := spec.check(scope); err != nil {
		return nil, err
	}
	now := stamp(e.now())
	d, err := e.sketch(ctx, tx, scope.AccountID, tenancy.Plane(scope.Plane), scopeID, now)
	if err != nil {
		return nil, err
	}
	me, err := d.intend(scope, spec)
	if err == nil {
		err = me.resting("scopeId")
	}
	if err != nil {
		return nil, err
	}
	if err := d.children(ctx, tx.SQL()); err != nil {
		return nil, err
	}
	d.distribute()
	if err := d.fits(me, me.is.Limit, "limit"); err != nil {
		return nil, err
	}
	row, old, err := save(ctx, tx, scope, spec, me.is)
	if err != nil {
		return nil, err
	}
	me.budgetID, me.saved = row.ID, true
	out, err := e.carryOut(ctx, tx, d, row)
	if err != nil {
		return nil, err
	}
	out.Was = old
	if spec.Cycle != nil || spec.CycleDay != 0 {
		if out.Renewal, err = e.retime(ctx, tx, scope, now); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// intend puts into the draft what a spec asks for.
func (d *draft) intend(scope *ent.Scope, spec Spec) (*entry, error) {
	me := d.byScope[scope.ID]
	if me == nil {
		me = &entry{scopeID: scope.ID, path: scope.Path, name: scope.Name, kind: tenancy.Kind(scope.Kind)}
		if scope.ParentID != nil {
			me.parentID = *scope.ParentID
		}
		d.put(me)
		d.sort()
	}
	if me.is == nil {
		if spec.KeepLimit {
			return nil, fault.At("limit", "%s has no budget yet. Say how much it may spend.", scope.Name)
		}
		me.is = &Terms{Distribution: Pool}
	}
	if !spec.KeepLimit {
		me.is.Limit, me.is.Origin, me.reason = spec.Limit, BySet, "Set by an admin."
	}
	if !spec.KeepOverflow {
		me.is.Overflow = spec.Overflow
	}
	if spec.Distribution != nil {
		me.is.Distribution = *spec.Distribution
	}
	if spec.Reserve != nil {
		if me.is.Reserve = *spec.Reserve; me.is.Reserve > me.is.Limit {
			return nil, fault.At("reserve", "No more than the limit can be kept back.")
		}
	}
	if spec.Strict != nil && isRoot(me.kind) {
		d.strict = *spec.Strict || d.plane == tenancy.Copilot
	}
	return me, nil
}

// Remove takes a scope's budget away: what it limited is then limited by the
// budgets above it alone, or by its share again where its parent shares out
// equally. Its charges stay on the books. Errors as in Set.
func (e *Engine) Remove(ctx context.Context, tx *store.Tx, scopeID string) (*Plan, error) {
	scope, err := e.lockPlane(ctx, tx, scopeID)
	if err != nil {
		return nil, err
	}
	d, err := e.sketch(ctx, tx, scope.AccountID, tenancy.Plane(scope.Plane), scopeID, stamp(e.now()))
	if err != nil {
		return nil, err
	}
	me := d.byScope[scopeID]
	if me == nil {
		return nil, fault.Missing("budget")
	}
	parent := d.byScope[me.parentID]
	switch shared := parent != nil && parent.is.Distribution == Equal && !me.kind.Leaf(); {
	case me.is.Origin == ByShare:
		return nil, fault.New(fault.Invalid, "This is an equal share of the budget of %s. Set a limit to override it, or let %s draw on that budget as a pool.",
			scopeLabel(parent.kind, parent.name), parent.name)
	case shared:
		me.is.Origin, me.is.Limit = ByShare, 0
	default:
		me.is, me.reason = nil, "Removed by an admin: draws on the budgets above."
	}
	if err := d.children(ctx, tx.SQL()); err != nil {
		return nil, err
	}
	d.distribute()
	if tight, lack := d.short(); tight != nil {
		return nil, d.refuse(tight, lack)
	}
	return e.carryOut(ctx, tx, d, nil)
}

// lockPlane lets one change of a plane's budgets follow the other, so that
// two of them can't hand out the same rest.
func (e *Engine) lockPlane(ctx context.Context, tx *store.Tx, scopeID string) (*ent.Scope, error) {
	scope, err := tx.Scope.Get(ctx, scopeID)
	if err == nil {
		err = e.Serialize(ctx, tx, scope.AccountID, tenancy.Plane(scope.Plane))
	}
	if err == nil {
		scope, err = tx.Scope.Get(ctx, scopeID) // it may have moved, or gone, while we waited
	}
	if ent.IsNotFound(err) || err == nil && scope.DeletedAt != nil {
		return nil, fault.Missing("scope")
	}
	return scope, err
}

// save writes the budget's row through ent, so that it is guarded, versioned
// and audited like any other; it returns the row after and before.
func save(ctx context.Context, tx *store.Tx, scope *ent.Scope, spec Spec, is *Terms) (row, old *ent.Budget, err error) {
	old, err = tx.Budget.Query().Where(entbudget.ScopeID(scope.ID)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, nil, err
	}
	if err := spec.checkDay(scope, old); err != nil {
		return nil, nil, err
	}
	if monthly := Monthly; spec.CycleDay != 0 && spec.Cycle == nil && (old == nil || old.Cycle == nil) {
		spec.Cycle = &monthly // as the pool went so far, without saying so
	}
	if old == nil {
		create := tx.Budget.Create().SetAccountID(scope.AccountID).SetPlane(entbudget.Plane(scope.Plane)).SetScopeID(scope.ID).
			SetUnit(entbudget.Unit(unitOf(tenancy.Plane(scope.Plane)))).SetCycleDay(max(1, spec.CycleDay))
		fill(create.Mutation(), spec, is)
		row, err = create.Save(ctx)
		return row, nil, err
	}
	if spec.ExpectedVersion != nil && *spec.ExpectedVersion != old.Version {
		return nil, nil, fault.New(fault.Conflict, "Somebody else has changed this budget. Look at it again, then change it.").
			With("version", old.Version).With("expectedVersion", *spec.ExpectedVersion).With("currentVersion", old.Version)
	}
	change := old.Update()
	if spec.CycleDay != 0 {
		change.SetCycleDay(spec.CycleDay)
	}
	fill(change.Mutation(), spec, is)
	row, err = change.Save(ctx)
	return row, old, err
}

func fill(m *ent.BudgetMutation, spec Spec, is *Terms) {
	m.SetLim(int64(is.Limit))
	m.SetOverflow(int64(is.Overflow))
	m.SetOrigin(entbudget.Origin(is.Origin))
	m.SetDistribution(entbudget.Distribution(is.Distribution))
	m.SetReserve(int64(is.Reserve))
	if spec.Cycle != nil {
		m.SetCycle(entbudget.Cycle(*spec.Cycle))
	}
	if spec.RolloverCap != nil {
		m.SetRolloverCap(int64(*spec.RolloverCap))
	}
	if spec.Strict != nil {
		m.SetStrict(*spec.Strict)
	}
	if spec.Thresholds != nil {
		m.SetThresholds(*spec.Thresholds)
	}
}

// Renewal is what a change of the cycle does to the current one of the budget
// that it was asked for.
type Renewal struct {
	// Was and EndsAt are when it ended before and ends now, NextEndsAt when the
	// one after it will: in the year 9999 while it is renewed by hand.
	Was, EndsAt, NextEndsAt time.Time
}

// ByHand tells whether an end is none: a budget that is renewed by hand.
func ByHand(endsAt time.Time) bool { return !endsAt.Before(never) }

// retime ends the current cycles that go by scope's rule where it now says.
func (e *Engine) retime(ctx context.Context, tx *store.Tx, scope *ent.Scope, now time.Time) (*Renewal, error) {
	where, args := "b.account_id = $1 AND b.plane = $2", []any{scope.AccountID, string(scope.Plane)}
	if tenancy.Kind(scope.Kind).Leaf() {
		where, args = "b.scope_id = $1", []any{scope.ID}
	}
	// No cycle opens by the old rule from here on.
	lock := "SELECT b.id FROM budgets b WHERE " + where + " ORDER BY b.id FOR UPDATE"
	if err := e.query(ctx, tx.SQL(), lock, args, func(*sql.Rows) error { return nil }); err != nil {
		return nil, err
	}
	list, err := e.standings(ctx, tx.SQL(), where, args)
	if err != nil {
		return nil, err
	}
	var pool *standing
	var ids []string
	for _, s := range list {
		ids = append(ids, s.id)
		if s.scopeID == s.poolID() {
			pool = s
		}
	}
	if _, err := e.lockCycles(ctx, tx.SQL(), ids); err != nil {
		return nil, err
	}
	var out *Renewal
	for _, s := range list {
		if !now.Before(s.endsAt) {
			continue // over; the next one goes by the new rule
		}
		r := s.rule(pool)
		from := now
		if from.Before(s.startsAt) {
			from = s.startsAt // the clock went back behind it; no cycle is empty
		}
		end := r.end(from)
		if s.scopeID == scope.ID {
			out = &Renewal{Was: s.endsAt, EndsAt: end, NextEndsAt: r.following(end)}
		}
		_, err := e.exec(ctx, tx.SQL(), "UPDATE budget_cycles SET ends_at = $2, revision = revision + 1 WHERE id = $1", s.id, end)
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
