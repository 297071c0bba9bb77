package request

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/member"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Pass is a step up.
type Pass struct {
	By   string    `json:"by"`
	From string    `json:"from"`
	Note string    `json:"note,omitempty"`
	At   time.Time `json:"at"`
}

// Passes reads who passed a request up.
func Passes(row *ent.Request) []Pass {
	var out []Pass
	if len(row.Passed) > 0 {
		_ = json.Unmarshal(row.Passed, &out) // written by PassUp alone
	}
	return out
}

// pending is an open request as it stands within a transaction.
type pending struct {
	row   *ent.Request
	scope *ent.Scope
	// waits is where it waits: where the row says, unless the scope has moved
	// away from there.
	waits *ent.Scope
}

// held are the scopes that giving access keeps where they are; none for the
// other kinds.
func (r *Requests) held(ctx context.Context, row *ent.Request, scopeID string) ([]*ent.Scope, error) {
	if row.Kind != entrequest.KindACCESS {
		return nil, nil
	}
	if scopeID == "" {
		scopeID = row.ScopeID
	}
	s, err := r.Store.Scope.Get(tenancy.System(ctx, "the verb asks the policies itself"), scopeID)
	if ent.IsNotFound(err) || err == nil && s.AccountID != row.AccountID {
		e := fault.Missing("scope")
		e.Path = []string{"scopeId"}
		return nil, e
	}
	return []*ent.Scope{s}, err
}

// seen is the request for whoever may see it.
func (r *Requests) seen(ctx context.Context, requestID string) (*ent.Request, error) {
	read := r.Store.Request.Get
	if v := tenancy.ViewerFrom(ctx); v != nil && v.Platform {
		read = r.staffSees
	}
	row, err := read(ctx, requestID)
	if ent.IsNotFound(err) {
		e := fault.Missing("request")
		e.Path = []string{"requestId"}
		return nil, e
	}
	return row, err
}

// open reads a request anew and refuses one that is closed.
func open(ctx context.Context, tx *store.Tx, now time.Time, requestID string, expected *int) (*pending, error) {
	row, err := tx.Request.Get(ctx, requestID)
	if err != nil {
		return nil, err
	}
	stale := func(format string, args ...any) error {
		saw := row.Version - 1
		if expected != nil {
			saw = *expected
		}
		return fault.New(fault.Conflict, format, args...).With("expectedVersion", saw).With("currentVersion", row.Version)
	}
	switch {
	case row.Status != entrequest.StatusPENDING:
		return nil, stale("The request is %s already.", strings.ToLower(string(row.Status)))
	case !Open(row, now):
		return nil, stale("The request has expired: nobody decided within 30 days.")
	case expected != nil && *expected != row.Version:
		return nil, stale("Somebody else has changed the request. Look at it again, then decide.")
	}
	s, err := tx.Scope.Get(ctx, row.ScopeID)
	if err != nil {
		return nil, err
	}
	if s.DeletedAt != nil {
		return nil, fault.At("requestId", "Nothing can be given to %s any more: it was deleted. Decline the request.", called(ctx, s))
	}
	waits, err := tx.Scope.Get(ctx, row.WaitsAt)
	if err != nil && !ent.IsNotFound(err) {
		return nil, err
	}
	if waits == nil || waits.DeletedAt != nil || !strings.HasPrefix(s.Path, waits.Path) {
		if waits, _, err = admins(ctx, tx, s.Path, row.RequestedBy); err != nil {
			return nil, err
		}
		if waits == nil {
			return nil, fault.At("requestId", "%s has moved to where nobody can decide on it.", s.Name)
		}
	}
	return &pending{row, s, waits}, nil
}

// mayDecide asks the policies, and refuses whoever gains by the decision.
func (r *Requests) mayDecide(ctx context.Context, tx *store.Tx, p *pending) error {
	v := tenancy.ViewerFrom(ctx)
	if err := r.Access.Check(ctx, access.RequestDecide, at(p.waits)); err != nil {
		return err
	}
	if p.row.RequestedBy == v.UserID {
		return ErrOwn
	}
	if AtPlatform(p.row) {
		return ownAsStaff(ctx, tx, p.row)
	}
	own, err := tx.Member.Query().Where(member.UserID(v.UserID), member.IDIn(strings.Split(strings.Trim(p.scope.Path, "/"), "/")...)).Exist(ctx)
	if err != nil {
		return err
	}
	if own {
		return ErrOwnSeat
	}
	return nil
}

// Why somebody who holds the role may not decide.
var (
	ErrOwn     = fault.New(fault.Forbidden, "Nobody decides on their own request. Another admin does, or those above.").With("rule", "own-request")
	ErrOwnSeat = fault.New(fault.Forbidden, "It is about your own seat. Another admin decides, or those above.").With("rule", "own-seat")
)

// Decision is what is given.
type Decision struct {
	RequestID string
	// Amount is nil to give all that was asked.
	Amount *money.Nano
	// ScopeID is where access is given, the asked scope or one below; "" for where
	// it was asked.
	ScopeID string
	// Until is nil to give as was asked, or for good.
	Until           *time.Time
	ForGood         bool
	Note            string
	ExpectedVersion *int
	// DryRun does everything and takes it back.
	DryRun bool

	// by is the user who decides, or rule the rule, and may what it lets grow.
	by, rule, authority string
	may                 func(*ent.Scope) bool
}

// errTakenBack rolls a rehearsal back.
var errTakenBack = errors.New("request: a rehearsal is taken back")

// Approve gives what was asked, or a part of it, and raises what above must
// grow for it, the topmost first. Errors: CONFLICT for what is closed by now,
// BUDGET_EXCEEDED with what is available, INVALID, FORBIDDEN, NOT_FOUND.
func (r *Requests) Approve(ctx context.Context, d Decision) (*ent.Request, []Raise, error) {
	note, err := text("note", d.Note, false)
	if err != nil {
		return nil, nil, err
	}
	d.Note = note
	seen, err := r.seen(ctx, d.RequestID)
	if err != nil {
		return nil, nil, err
	}
	held, err := r.held(ctx, seen, d.ScopeID)
	if err != nil {
		return nil, nil, err
	}
	var row *ent.Request
	var raises []Raise
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), held, func(ctx context.Context, tx *store.Tx, now time.Time) error {
		if err := holdTools(ctx, tx, seen); err != nil {
			return err
		}
		p, err := open(ctx, tx, now, d.RequestID, d.ExpectedVersion)
		if err != nil {
			return err
		}
		if err := r.mayDecide(ctx, tx, p); err != nil {
			return err
		}
		d.by, d.may = tenancy.ViewerFrom(ctx).UserID, r.MayGive(ctx, p.row)
		if row, raises, err = r.approve(ctx, tx, now, p, d); err != nil {
			return err
		}
		if d.DryRun {
			return errTakenBack
		}
		return nil
	})
	if errors.Is(err, errTakenBack) {
		err = nil
	}
	return row, raises, err
}

func (r *Requests) approve(ctx context.Context, tx *store.Tx, now time.Time, p *pending, d Decision) (*ent.Request, []Raise, error) {
	if p.row.Kind != entrequest.KindBUDGET {
		row, err := r.approveOther(ctx, tx, now, p, d)
		return row, nil, err
	}
	amount, until, err := d.given(p.row, now)
	if err != nil {
		return nil, nil, err
	}
	if p.scope.ArchivedAt != nil {
		return nil, nil, fault.At("requestId", "Nothing can be given to %s while it is archived. Restore it first, or decline the request.", called(ctx, p.scope))
	}
	tree, err := Load(ctx, tx.Client, p.row.AccountID, tenancy.Plane(p.row.Plane), now)
	if err != nil {
		return nil, nil, err
	}
	plan := tree.Plan(p.scope.Path, amount, until != nil, d.may)
	if plan == nil {
		return nil, nil, fault.At("requestId", "The budget is gone: nothing limits %s any more. Decline the request.", called(ctx, p.scope))
	}
	if !plan.Fits() {
		return nil, nil, plan.refusal(tree.plane, amount)
	}
	for _, raise := range plan.Raises {
		err := r.raise(ctx, tx, raise, until, p.row)
		if AtPlatform(p.row) && raise.Scope.Kind != scope.KindCOPILOT && fault.As(err) != nil {
			err = errBelow
		}
		if err != nil {
			return nil, nil, err
		}
	}
	row, err := d.on(p.row, now, until).SetGranted(int64(amount)).Save(ctx)
	if err != nil {
		return nil, nil, err
	}
	changes := map[string]audit.Change{"amount": {Before: money.Nano(p.row.Amount).String(), After: amount.String()}}
	if until != nil {
		changes["until"] = audit.Change{After: until.UTC()}
	}
	return row, plan.Raises, r.approved(ctx, tx, row, p.scope, changes)
}

// on writes the decision down: that of a rule, or the viewer's.
func (d Decision) on(row *ent.Request, now time.Time, until *time.Time) *ent.RequestUpdateOne {
	return row.Update().SetStatus(entrequest.StatusAPPROVED).SetDecidedBy(d.by).SetRuleID(d.rule).SetDecidedAt(now).
		SetNillableGrantedUntil(until).SetNote(d.Note)
}

// approved records an approval and tells who asked.
func (r *Requests) approved(ctx context.Context, tx *store.Tx, row *ent.Request, s *ent.Scope, changes map[string]audit.Change) error {
	if row.RuleID != "" {
		changes["rule"] = audit.Change{After: row.RuleID}
	}
	if err := tx.Audit(ctx, event("request.approve", row, s, changes)); err != nil {
		return err
	}
	name := "A rule"
	if v := tenancy.ViewerFrom(ctx); v != nil {
		name = v.Name
	}
	return r.tell(ctx, tx, decided(row, s, name))
}

// given is how much, and until when.
func (d Decision) given(row *ent.Request, now time.Time) (money.Nano, *time.Time, error) {
	amount := money.Nano(row.Amount)
	if d.Amount != nil {
		amount = *d.Amount
	}
	switch {
	case d.ScopeID != "":
		return 0, nil, fault.At("scopeId", "A budget is given where it was asked for.")
	case amount <= 0:
		return 0, nil, fault.At("amount", "Give more than nothing, or decline.")
	case amount > money.Nano(row.Amount):
		return 0, nil, fault.At("amount", "No more can be given than was asked. Set the budget itself for that.")
	}
	until, err := d.end(row, now)
	return amount, until, err
}

// end is until when it is given; nil for good.
func (d Decision) end(row *ent.Request, now time.Time) (*time.Time, error) {
	switch {
	case d.ForGood && d.Until != nil:
		return nil, fault.At("until", "Give it either for good or until a moment.")
	case d.ForGood:
		return nil, nil
	case d.Until != nil:
		return d.Until, checkUntil(d.Until, now)
	case row.Until != nil && !row.Until.After(now):
		return nil, fault.At("until", "The time it was asked for has passed. Say until when, or give it for good.")
	}
	return row.Until, nil
}

// raise lets one limit grow, by the verbs that set budgets.
func (r *Requests) raise(ctx context.Context, tx *store.Tx, raise Raise, until *time.Time, row *ent.Request) error {
	e := event("budget.set", row, raise.Scope, map[string]audit.Change{"limit": {Before: raise.Before.String(), After: raise.After.String()}})
	if until != nil {
		e.Changes["until"] = audit.Change{After: until.UTC()}
		why := row.Reason
		if AtPlatform(row) {
			why = Words(row) // the pool's increases are the platform's to see
		}
		more := budget.More{Amount: raise.by, EndsAt: *until, Reason: strings.ToValidUTF8(why[:min(len(why), budget.LongestReason)], "")}
		if v := tenancy.ViewerFrom(ctx); v != nil {
			more.By = v.UserID
		}
		if _, _, err := r.Budgets.Increase(ctx, tx, raise.Scope.ID, more); err != nil {
			return err
		}
		return tx.Audit(ctx, e)
	}
	if _, err := r.Budgets.Grow(ctx, tx, raise.Scope.ID, raise.by); err != nil {
		return err
	}
	return tx.Audit(ctx, e)
}

// MayRaise tells which budgets the viewer of a context may set.
func (r *Requests) MayRaise(ctx context.Context) func(*ent.Scope) bool {
	return func(s *ent.Scope) bool { return r.Access.Decide(ctx, access.BudgetSet, at(s)).Allowed }
}

// Decline refuses, with a reason. Errors as of Approve.
func (r *Requests) Decline(ctx context.Context, requestID, note string, expected *int) (*ent.Request, error) {
	note, err := text("note", note, true)
	if err != nil {
		return nil, err
	}
	seen, err := r.seen(ctx, requestID)
	if err != nil {
		return nil, err
	}
	var row *ent.Request
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), nil, func(ctx context.Context, tx *store.Tx, now time.Time) error {
		if err := holdTools(ctx, tx, seen); err != nil {
			return err
		}
		p, err := open(ctx, tx, now, requestID, expected)
		if err != nil {
			return err
		}
		if err := r.mayDecide(ctx, tx, p); err != nil {
			return err
		}
		if err := r.mayApproveTools(ctx, p, true); err != nil {
			return err
		}
		v := tenancy.ViewerFrom(ctx)
		row, err = p.row.Update().SetStatus(entrequest.StatusDECLINED).SetDecidedBy(v.UserID).SetDecidedAt(now).SetNote(note).Save(ctx)
		if err != nil {
			return err
		}
		if err := r.carry(ctx, tx, row, false); err != nil {
			return err
		}
		e := event("request.decline", row, p.scope, asking(row))
		if err := tx.Audit(ctx, e); err != nil {
			return err
		}
		return r.tell(ctx, tx, decided(row, p.scope, v.Name))
	})
	return row, err
}

// decided tells who asked.
func decided(row *ent.Request, s *ent.Scope, name string) Notice {
	word := "approved"
	if row.Status == entrequest.StatusDECLINED {
		word = "declined"
	}
	about := s.Name
	if row.ResourceName != "" {
		about = row.ResourceName
	}
	if row.RequestedBy == Product {
		return Notice{} // nobody waits to hear of it
	}
	link := "/me"
	if s.Kind == scope.KindCOPILOT { // who asks for the pool may have no seat
		link = "/copilot/requests?show=CLOSED"
	}
	return Notice{Topic: "INCREASE_DECIDED", AccountID: row.AccountID, Plane: tenancy.Plane(row.Plane), ScopeID: s.ID,
		Title: name + " " + word + " your request for " + about, Body: row.Note, Link: link, Cause: row.ID, To: []string{row.RequestedBy}}
}

// Withdraw takes the viewer's own request back. Errors: CONFLICT, NOT_FOUND,
// also for what somebody else asked.
func (r *Requests) Withdraw(ctx context.Context, requestID string) (*ent.Request, error) {
	seen, err := r.seen(ctx, requestID)
	if err != nil {
		return nil, err
	}
	var row *ent.Request
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), nil, func(ctx context.Context, tx *store.Tx, now time.Time) error {
		v := tenancy.ViewerFrom(ctx)
		if seen.RequestedBy != v.UserID {
			return fault.New(fault.Forbidden, "Only who asked takes a request back. Decline it instead.").With("rule", "own-request")
		}
		s, err := tx.Scope.Get(ctx, seen.ScopeID) // also where it was deleted
		if err != nil {
			return err
		}
		if row, err = tx.Request.Get(ctx, requestID); err != nil {
			return err
		}
		if !Open(row, now) {
			return fault.New(fault.Conflict, "The request is closed already.").With("expectedVersion", seen.Version).With("currentVersion", row.Version)
		}
		if row, err = row.Update().SetStatus(entrequest.StatusWITHDRAWN).SetDecidedAt(now).Save(ctx); err != nil {
			return err
		}
		if row.Kind == entrequest.KindPUBLISH {
			if err := r.carry(ctx, tx, row, false); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, event("request.withdraw", row, s, asking(row)))
	})
	return row, err
}

// PassUp hands a request to the admins of the next scope above; above the
// account's admins stands the platform, for credits that the account doesn't
// have. Errors as of Approve, and INVALID where nobody stands above.
func (r *Requests) PassUp(ctx context.Context, requestID, note string, expected *int) (*ent.Request, error) {
	note, err := text("note", note, false)
	if err != nil {
		return nil, err
	}
	seen, err := r.seen(ctx, requestID)
	if err != nil {
		return nil, err
	}
	var row *ent.Request
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), nil, func(ctx context.Context, tx *store.Tx, now time.Time) error {
		p, err := open(ctx, tx, now, requestID, expected)
		if err != nil {
			return err
		}
		if err := r.mayDecide(ctx, tx, p); err != nil {
			return err
		}
		next, who, err := admins(ctx, tx, p.waits.Path, p.row.RequestedBy)
		if err == nil && next == nil {
			next, who, err = beyond(ctx, tx, now, p, note)
		}
		if err != nil {
			return err
		}
		if next == nil {
			return fault.At("requestId", "Nobody stands above who could give more. Give what there is, or decline.")
		}
		v := tenancy.ViewerFrom(ctx)
		passed, err := json.Marshal(append(Passes(p.row), Pass{By: v.UserID, From: p.waits.ID, Note: note, At: now.UTC()}))
		if err != nil {
			return err
		}
		if row, err = p.row.Update().SetWaitsAt(next.ID).SetAssignedTo("").SetPassed(passed).Save(ctx); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event("request.passUp", row, p.scope, map[string]audit.Change{"waitsAt": {Before: p.waits.Name, After: next.Name}})); err != nil {
			return err
		}
		return r.tellAsked(ctx, tx, now, row, p.scope, next, who, v.Name)
	})
	return row, err
}
