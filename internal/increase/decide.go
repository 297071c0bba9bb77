package increase

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/increaserequest"
	"github.com/alchemi/cockpit/ent/member"
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
func Passes(row *ent.IncreaseRequest) []Pass {
	var out []Pass
	if len(row.Passed) > 0 {
		_ = json.Unmarshal(row.Passed, &out) // written by PassUp alone
	}
	return out
}

// pending is an open request as it stands within a transaction.
type pending struct {
	row   *ent.IncreaseRequest
	scope *ent.Scope
	// waits is where it waits: where the row says, unless the scope has moved
	// away from there.
	waits *ent.Scope
}

// seen is the request for whoever may see it.
func (r *Requests) seen(ctx context.Context, requestID string) (*ent.IncreaseRequest, error) {
	row, err := r.Store.IncreaseRequest.Get(ctx, requestID)
	if ent.IsNotFound(err) {
		e := fault.Missing("request")
		e.Path = []string{"requestId"}
		return nil, e
	}
	return row, err
}

// open reads a request anew and refuses one that is closed.
func open(ctx context.Context, tx *store.Tx, now time.Time, requestID string, expected *int) (*pending, error) {
	row, err := tx.IncreaseRequest.Get(ctx, requestID)
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
	case row.Status != increaserequest.StatusPENDING:
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
		return nil, fault.At("requestId", "%s was deleted, so nothing can be given to it. Decline the request.", s.Name)
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
	ErrOwnSeat = fault.New(fault.Forbidden, "The budget is your own seat's. Another admin decides, or those above.").With("rule", "own-seat")
)

// Decision is what is given.
type Decision struct {
	RequestID string
	// Amount is nil to give all that was asked.
	Amount *money.Nano
	// Until is nil to give as was asked, or for good.
	Until           *time.Time
	ForGood         bool
	Note            string
	ExpectedVersion *int
	// DryRun does everything and takes it back.
	DryRun bool
}

// errTakenBack rolls a rehearsal back.
var errTakenBack = errors.New("increase: a rehearsal is taken back")

// Approve gives what was asked, or a part of it, and raises what above must
// grow for it, the topmost first. Errors: CONFLICT for what is closed by now,
// BUDGET_EXCEEDED with what is available, INVALID, FORBIDDEN, NOT_FOUND.
func (r *Requests) Approve(ctx context.Context, d Decision) (*ent.IncreaseRequest, []Raise, error) {
	note, err := text("note", d.Note, false)
	if err != nil {
		return nil, nil, err
	}
	d.Note = note
	seen, err := r.seen(ctx, d.RequestID)
	if err != nil {
		return nil, nil, err
	}
	var row *ent.IncreaseRequest
	var raises []Raise
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), func(ctx context.Context, tx *store.Tx, now time.Time) error {
		p, err := open(ctx, tx, now, d.RequestID, d.ExpectedVersion)
		if err != nil {
			return err
		}
		if err := r.mayDecide(ctx, tx, p); err != nil {
			return err
		}
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

func (r *Requests) approve(ctx context.Context, tx *store.Tx, now time.Time, p *pending, d Decision) (*ent.IncreaseRequest, []Raise, error) {
	amount, until, err := d.given(p.row, now)
	if err != nil {
		return nil, nil, err
	}
	if p.scope.ArchivedAt != nil {
		return nil, nil, fault.At("requestId", "%s is archived. Restore it first, or decline the request.", p.scope.Name)
	}
	tree, err := Load(ctx, tx.Client, p.row.AccountID, tenancy.Plane(p.row.Plane), now)
	if err != nil {
		return nil, nil, err
	}
	plan := tree.Plan(p.scope.Path, amount, until != nil, r.MayRaise(ctx))
	if plan == nil {
		return nil, nil, fault.At("requestId", "The budget is gone: nothing limits %s any more. Decline the request.", p.scope.Name)
	}
	if !plan.Fits() {
		return nil, nil, plan.refusal(tree.plane, amount)
	}
	for _, raise := range plan.Raises {
		if err := r.raise(ctx, tx, raise, until, p.row); err != nil {
			return nil, nil, err
		}
	}
	v := tenancy.ViewerFrom(ctx)
	row, err := p.row.Update().SetStatus(increaserequest.StatusAPPROVED).SetDecidedBy(v.UserID).SetDecidedAt(now).
		SetGranted(int64(amount)).SetNillableGrantedUntil(until).SetNote(d.Note).Save(ctx)
	if err != nil {
		return nil, nil, err
	}
	changes := map[string]audit.Change{"amount": {Before: money.Nano(p.row.Amount).String(), After: amount.String()}}
	if until != nil {
		changes["until"] = audit.Change{After: until.UTC()}
	}
	if err := tx.Audit(ctx, event("request.approve", row, p.scope, changes)); err != nil {
		return nil, nil, err
	}
	return row, plan.Raises, r.tell(ctx, tx, decided(row, p.scope, v.Name))
}

// given is how much, and until when.
func (d Decision) given(row *ent.IncreaseRequest, now time.Time) (money.Nano, *time.Time, error) {
	amount, until := money.Nano(row.Amount), row.Until
	if d.Amount != nil {
		amount = *d.Amount
	}
	switch {
	case amount <= 0:
		return 0, nil, fault.At("amount", "Give more than nothing, or decline.")
	case amount > money.Nano(row.Amount):
		return 0, nil, fault.At("amount", "No more can be given than was asked. Set the budget itself for that.")
	case d.ForGood && d.Until != nil:
		return 0, nil, fault.At("until", "Give it either for good or until a moment.")
	case d.ForGood:
		return amount, nil, nil
	case d.Until != nil:
		return amount, d.Until, checkUntil(d.Until, now)
	case until != nil && !until.After(now):
		return 0, nil, fault.At("until", "The time it was asked for has passed. Say until when, or give it for good.")
	}
	return amount, until, nil
}

// raise lets one limit grow, by the verbs that set budgets.
func (r *Requests) raise(ctx context.Context, tx *store.Tx, raise Raise, until *time.Time, row *ent.IncreaseRequest) error {
	e := event("budget.set", row, raise.Scope, map[string]audit.Change{"limit": {Before: raise.Before.String(), After: raise.After.String()}})
	if until != nil {
		e.Changes["until"] = audit.Change{After: until.UTC()}
		more := budget.More{Amount: raise.by, EndsAt: *until, Reason: strings.ToValidUTF8(row.Reason[:min(len(row.Reason), budget.LongestReason)], "")}
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
func (r *Requests) Decline(ctx context.Context, requestID, note string, expected *int) (*ent.IncreaseRequest, error) {
	note, err := text("note", note, true)
	if err != nil {
		return nil, err
	}
	seen, err := r.seen(ctx, requestID)
	if err != nil {
		return nil, err
	}
	var row *ent.IncreaseRequest
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), func(ctx context.Context, tx *store.Tx, now time.Time) error {
		p, err := open(ctx, tx, now, requestID, expected)
		if err != nil {
			return err
		}
		if err := r.mayDecide(ctx, tx, p); err != nil {
			return err
		}
		v := tenancy.ViewerFrom(ctx)
		row, err = p.row.Update().SetStatus(increaserequest.StatusDECLINED).SetDecidedBy(v.UserID).SetDecidedAt(now).SetNote(note).Save(ctx)
		if err != nil {
			return err
		}
		e := event("request.decline", row, p.scope, map[string]audit.Change{"amount": {Before: money.Nano(row.Amount).String()}})
		if err := tx.Audit(ctx, e); err != nil {
			return err
		}
		return r.tell(ctx, tx, decided(row, p.scope, v.Name))
	})
	return row, err
}

// decided tells who asked.
func decided(row *ent.IncreaseRequest, s *ent.Scope, name string) Notice {
	word := "approved"
	if row.Status == increaserequest.StatusDECLINED {
		word = "declined"
	}
	return Notice{Topic: "INCREASE_DECIDED", AccountID: row.AccountID, Plane: tenancy.Plane(row.Plane), ScopeID: s.ID,
		Title: name + " " + word + " your request for " + s.Name, Body: row.Note, Link: "/me", Cause: row.ID, To: []string{row.RequestedBy}}
}

// Withdraw takes the viewer's own request back. Errors: CONFLICT, NOT_FOUND,
// also for what somebody else asked.
func (r *Requests) Withdraw(ctx context.Context, requestID string) (*ent.IncreaseRequest, error) {
	seen, err := r.seen(ctx, requestID)
	if err != nil {
		return nil, err
	}
	var row *ent.IncreaseRequest
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), func(ctx context.Context, tx *store.Tx, now time.Time) error {
		v := tenancy.ViewerFrom(ctx)
		if seen.RequestedBy != v.UserID {
			return fault.New(fault.Forbidden, "Only who asked takes a request back. Decline it instead.").With("rule", "own-request")
		}
		s, err := tx.Scope.Get(ctx, seen.ScopeID) // also where it was deleted
		if err != nil {
			return err
		}
		if row, err = tx.IncreaseRequest.Get(ctx, requestID); err != nil {
			return err
		}
		if !Open(row, now) {
			return fault.New(fault.Conflict, "The request is closed already.").With("expectedVersion", seen.Version).With("currentVersion", row.Version)
		}
		if row, err = row.Update().SetStatus(increaserequest.StatusWITHDRAWN).SetDecidedAt(now).Save(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, event("request.withdraw", row, s, map[string]audit.Change{"amount": {Before: money.Nano(row.Amount).String()}}))
	})
	return row, err
}

// PassUp hands a request to the admins of the next scope above. Errors as of
// Approve, and INVALID where nobody stands above.
func (r *Requests) PassUp(ctx context.Context, requestID, note string, expected *int) (*ent.IncreaseRequest, error) {
	note, err := text("note", note, false)
	if err != nil {
		return nil, err
	}
	seen, err := r.seen(ctx, requestID)
	if err != nil {
		return nil, err
	}
	var row *ent.IncreaseRequest
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), func(ctx context.Context, tx *store.Tx, now time.Time) error {
		p, err := open(ctx, tx, now, requestID, expected)
		if err != nil {
			return err
		}
		if err := r.mayDecide(ctx, tx, p); err != nil {
			return err
		}
		next, who, err := admins(ctx, tx, p.waits.Path, p.row.RequestedBy)
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
		if row, err = p.row.Update().SetWaitsAt(next.ID).SetPassed(passed).Save(ctx); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event("request.passUp", row, p.scope, map[string]audit.Change{"waitsAt": {Before: p.waits.Name, After: next.Name}})); err != nil {
			return err
		}
		return r.tell(ctx, tx, asked(row, p.scope, v.Name, who))
	})
	return row, err
}
