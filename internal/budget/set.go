package budget

import (
	"context"
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
	// Cycle and CycleDay (1–28) are for plane pools and keys alone; nil and 0
	// keep what is.
	Cycle    *Cycle
	CycleDay int
	// ExpectedVersion, if set, is the version that the editor saw.
	ExpectedVersion *int
}

// Allocation is the outcome of Set.
type Allocation struct {
	Budget *ent.Budget
	// Overcommitted is by how much the budgets directly below this one, or this
	// one and its siblings below their parent, add up to more than the budget
	// above them. Console only; Copilot refuses it.
	Overcommitted money.Nano
}

// Largest is the highest limit or overflow that can be set: a billion units.
const Largest = 1_000_000_000 * money.One

func (s Spec) check(scope *ent.Scope) error {
	switch {
	case s.Limit < 0:
		return fault.At("limit", "A limit can't be negative. Zero means that nothing may be spent.")
	case s.Limit > Largest:
		return fault.At("limit", "A limit can be one billion at most.")
	case s.Overflow < 0:
		return fault.At("overflow", "An overflow can't be negative. Zero means a hard limit.")
	case s.Overflow > Largest:
		return fault.At("overflow", "An overflow can be one billion at most.")
	case s.CycleDay < 0 || s.CycleDay > 28:
		return fault.At("cycleDay", "A cycle begins on a day from 1 to 28.")
	}
	switch tenancy.Kind(scope.Kind) {
	case tenancy.KindConsole, tenancy.KindCopilot, tenancy.KindKey:
	case tenancy.KindOrganization, tenancy.KindTeam, tenancy.KindMember:
		if s.Cycle != nil || s.CycleDay != 0 {
			return fault.At("cycle", "The cycle of a budget is that of the plane. Only the plane's pool and keys can have their own.")
		}
	default:
		return fault.At("scopeId", "A budget stands on a plane, organization, team, member or key.")
	}
	if scope.ArchivedAt != nil {
		return fault.At("scopeId", "%s is archived and can't get a budget.", scope.Name)
	}
	return nil
}

// Set makes or changes the budget of a scope, within tx; the change holds for
// the current cycle as well. Whether the viewer may is for the caller to ask,
// who also writes the audit event. Errors: INVALID with the input's path,
// NOT_FOUND, CONFLICT.
func (e *Engine) Set(ctx context.Context, tx *store.Tx, scopeID string, spec Spec) (*Allocation, error) {
	scope, err := e.lockPlane(ctx, tx, scopeID)
	if err != nil {
		return nil, err
	}
	if err := spec.check(scope); err != nil {
		return nil, err
	}
	now := stamp(e.now())
	call := Call{Path: scope.Path}
	path, err := e.open(ctx, tx.SQL(), call.scopeIDs(), now)
	if err != nil {
		return nil, err
	}
	over, err := e.checkAllocation(ctx, tx, scope, &spec.Limit)
	if err != nil {
		return nil, err
	}
	row, err := save(ctx, tx, scope, spec)
	if err != nil {
		return nil, err
	}
	if s := path[scopeID]; s == nil {
		err = e.first(ctx, tx, scope, row, path, now)
	} else {
		err = e.relimit(ctx, tx, s.id, spec)
	}
	if err == nil {
		err = e.changing(ctx, tx, scope.AccountID, nil)
	}
	if err != nil {
		return nil, err
	}
	if spec.Cycle != nil || spec.CycleDay != 0 {
		if err := e.retime(ctx, tx, scope, now); err != nil {
			return nil, err
		}
	}
	return &Allocation{Budget: row, Overcommitted: over}, nil
}

// Remove takes a scope's budget away: what it limited is then limited by the
// budgets above it alone. Its charges stay on the books. Errors as in Set.
func (e *Engine) Remove(ctx context.Context, tx *store.Tx, scopeID string) error {
	scope, err := e.lockPlane(ctx, tx, scopeID)
	if err != nil {
		return err
	}
	row, err := tx.Budget.Query().Where(entbudget.ScopeID(scopeID)).Only(ctx)
	if ent.IsNotFound(err) {
		return fault.Missing("budget")
	} else if err != nil {
		return err
	}
	if _, err := e.checkAllocation(ctx, tx, scope, nil); err != nil {
		return err
	}
	if err := e.removeCycles(ctx, tx, "($1)", []any{row.ID}); err != nil {
		return err
	}
	if err := e.changing(ctx, tx, scope.AccountID, nil); err != nil {
		return err
	}
	return tx.Budget.DeleteOne(row).Exec(ctx)
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
// and audited like any other.
func save(ctx context.Context, tx *store.Tx, scope *ent.Scope, spec Spec) (*ent.Budget, error) {
	old, err := tx.Budget.Query().Where(entbudget.ScopeID(scope.ID)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	var cycle *entbudget.Cycle
	if spec.Cycle != nil {
		c := entbudget.Cycle(*spec.Cycle)
		if err := entbudget.CycleValidator(c); err != nil {
			return nil, fault.At("cycle", "There is no such cycle.")
		}
		cycle = &c
	}
	if old == nil {
		unit := entbudget.UnitUSD
		if scope.Plane == "COPILOT" {
			unit = entbudget.UnitCREDITS
		}
		return tx.Budget.Create().SetAccountID(scope.AccountID).SetPlane(entbudget.Plane(scope.Plane)).SetScopeID(scope.ID).SetUnit(unit).
			SetLim(int64(spec.Limit)).SetOverflow(int64(spec.Overflow)).SetNillableCycle(cycle).SetCycleDay(max(1, spec.CycleDay)).Save(ctx)
	}
	if spec.ExpectedVersion != nil && *spec.ExpectedVersion != old.Version {
		return nil, fault.New(fault.Conflict, "Somebody else has changed this budget. Look at it again, then change it.").With("version", old.Version)
	}
	change := old.Update().SetLim(int64(spec.Limit)).SetOverflow(int64(spec.Overflow)).SetNillableCycle(cycle)
	if spec.CycleDay != 0 {
		change.SetCycleDay(spec.CycleDay)
	}
	return change.Save(ctx)
}

// first opens a new budget's cycle: from now to the end of the period that
// now lies in.
func (e *Engine) first(ctx context.Context, tx *store.Tx, scope *ent.Scope, row *ent.Budget, path map[string]*standing, now time.Time) error {
	s := standing{path: scope.Path, scopeKind: tenancy.Kind(scope.Kind), own: (*Cycle)(row.Cycle), ownDay: row.CycleDay}
	if err := e.query(ctx, tx.SQL(), "SELECT time_zone FROM accounts WHERE id = $1", []any{scope.AccountID}, scanInto(&s.zoneName)); err != nil {
		return err
	}
	pool := path[s.poolID()]
	if scope.ID == s.poolID() {
		pool = &s
	}
	return e.openCycles(ctx, tx.SQL(), []cycle{{
		budgetID: row.ID, accountID: row.AccountID, plane: tenancy.Plane(row.Plane), startsAt: now, endsAt: s.rule(pool).end(now),
		lim: money.Nano(row.Lim), overflow: money.Nano(row.Overflow),
	}}, now)
}

func (e *Engine) relimit(ctx context.Context, tx *store.Tx, cycleID string, spec Spec) error {
	locked, err := e.lockCycles(ctx, tx.SQL(), []string{cycleID})
	if err != nil {
		return err
	}
	c := locked[cycleID]
	before := c.room()
	c.lim, c.overflow = spec.Limit, spec.Overflow
	c.exceed()
	_, err = e.exec(ctx, tx.SQL(), "UPDATE budget_cycles SET lim = $2, overflow = $3, excess = $4, revision = revision + 1 WHERE id = $1",
		c.id, int64(c.lim), int64(c.overflow), int64(c.excess))
	if err == nil && c.room() < before {
		err = e.changing(ctx, tx, c.accountID, []string{c.id})
	}
	return err
}

// retime ends the current cycles that go by scope's rule where it now says.
func (e *Engine) retime(ctx context.Context, tx *store.Tx, scope *ent.Scope, now time.Time) error {
	where, args := "b.account_id = $1 AND b.plane = $2", []any{scope.AccountID, string(scope.Plane)}
	if scope.Kind == "KEY" {
		where, args = "b.scope_id = $1", []any{scope.ID}
	}
	list, err := e.standings(ctx, tx.SQL(), where, args)
	if err != nil {
		return err
	}
	var pool *standing
	for _, s := range list {
		if s.scopeID == s.poolID() {
			pool = s
		}
	}
	for _, s := range list {
		if !now.Before(s.endsAt) {
			continue // over; the next one goes by the new rule
		}
		_, err := e.exec(ctx, tx.SQL(), "UPDATE budget_cycles SET ends_at = $2, revision = revision + 1 WHERE id = $1", s.id, s.rule(pool).end(now))
		if err != nil {
			return err
		}
	}
	return nil
}
