package increase

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/increaserequest"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Input is what somebody asks for.
type Input struct {
	ScopeID string
	Amount  money.Nano
	// Until is nil to ask for good.
	Until  *time.Time
	Reason string
}

func (in *Input) check(now time.Time) (err error) {
	switch {
	case in.Amount <= 0:
		return fault.At("amount", "Ask for more than nothing.")
	case in.Amount > budget.Largest:
		return fault.At("amount", "A limit can be one billion at most.")
	}
	if in.Reason, err = text("reason", in.Reason, true); err != nil {
		return err
	}
	return checkUntil(in.Until, now)
}

// Create asks for more budget in the viewer's name. It waits for the admins of
// the nearest scope above the budget who are somebody else. Errors: INVALID,
// EXISTS, NOT_FOUND, FORBIDDEN.
func (r *Requests) Create(ctx context.Context, in Input) (*ent.IncreaseRequest, error) {
	if err := in.check(r.Store.Now()); err != nil {
		return nil, err
	}
	seen, err := r.Store.Scope.Get(ctx, in.ScopeID)
	if ent.IsNotFound(err) {
		e := fault.Missing("scope")
		e.Path = []string{"scopeId"}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	if err := r.Access.Check(ctx, access.RequestCreate, at(seen)); err != nil {
		return nil, err
	}
	var row *ent.IncreaseRequest
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), func(ctx context.Context, tx *store.Tx, now time.Time) error {
		row, err = r.create(ctx, tx, now, in)
		return err
	})
	return row, err
}

func (r *Requests) create(ctx context.Context, tx *store.Tx, now time.Time, in Input) (*ent.IncreaseRequest, error) {
	v := tenancy.ViewerFrom(ctx)
	s, err := tx.Scope.Get(ctx, in.ScopeID) // it may have moved, or gone, while we waited
	if ent.IsNotFound(err) || err == nil && s.DeletedAt != nil {
		return nil, fault.Missing("scope")
	}
	if err != nil {
		return nil, err
	}
	if err := r.Access.Check(ctx, access.RequestCreate, at(s)); err != nil {
		return nil, err
	}
	if s.ArchivedAt != nil {
		return nil, fault.At("scopeId", "%s is archived: nothing can be spent there.", s.Name)
	}
	open := tx.IncreaseRequest.Query().Where(increaserequest.RequestedBy(v.UserID), increaserequest.PlaneEQ(increaserequest.Plane(s.Plane)),
		increaserequest.StatusEQ(increaserequest.StatusPENDING), increaserequest.CreatedAtGT(now.Add(-Lifetime)))
	if same, err := open.Clone().Where(increaserequest.ScopeID(s.ID)).Exist(ctx); err != nil {
		return nil, err
	} else if same {
		return nil, fault.New(fault.Exists, "You have asked for %s already. Withdraw that request to make another one.", s.Name)
	}
	if n, err := open.Count(ctx); err != nil {
		return nil, err
	} else if n >= maxOpen {
		return nil, fault.New(fault.InUse, "You have %d open requests, the most there can be. Withdraw one first.", n)
	}
	tree, err := Load(ctx, tx.Client, s.AccountID, tenancy.Plane(s.Plane), now)
	if err != nil {
		return nil, err
	}
	plan := tree.Plan(s.Path, in.Amount, in.Until != nil, func(*ent.Scope) bool { return true })
	switch {
	case plan == nil:
		return nil, fault.At("scopeId", "No budget stands on %s or above it, so there is none to raise. Ask an admin to set one.", s.Name)
	case plan.Base.Kind == scope.KindCOPILOT:
		return nil, fault.At("scopeId", "What limits %s are the credits of the whole account, which the platform gives. Ask the people who run this Cockpit.", s.Name)
	case plan.After > budget.Largest:
		return nil, fault.At("amount", "A limit can be one billion at most.")
	}
	where, who, err := admins(ctx, tx, plan.Base.Path, v.UserID)
	if err != nil {
		return nil, err
	}
	if where == nil {
		return nil, fault.At("scopeId", "Nobody but you could decide on this. Have a second admin of the account named first.")
	}
	row, err := tx.IncreaseRequest.Create().SetAccountID(s.AccountID).SetPlane(increaserequest.Plane(s.Plane)).SetScopeID(s.ID).
		SetRequestedBy(v.UserID).SetAmount(int64(in.Amount)).SetNillableUntil(in.Until).SetReason(in.Reason).SetWaitsAt(where.ID).Save(ctx)
	if err != nil {
		return nil, err
	}
	changes := map[string]audit.Change{"amount": {After: in.Amount.String()}, "waitsAt": {After: where.Name}}
	if in.Until != nil {
		changes["until"] = audit.Change{After: in.Until.UTC()}
	}
	if err := tx.Audit(ctx, event("request.create", row, s, changes)); err != nil {
		return nil, err
	}
	return row, r.tell(ctx, tx, asked(row, s, v.Name, who))
}

// asked tells those who can decide.
func asked(row *ent.IncreaseRequest, s *ent.Scope, name string, to []string) Notice {
	return Notice{Topic: "INCREASE_REQUESTED", AccountID: row.AccountID, Plane: tenancy.Plane(row.Plane), ScopeID: s.ID,
		Title: name + " asks for more budget for " + s.Name, Body: row.Reason, Link: page(row.Plane) + "/requests",
		Cause: row.ID + " " + row.WaitsAt, To: to}
}

func page(plane increaserequest.Plane) string {
	if plane == increaserequest.PlaneCOPILOT {
		return "/copilot"
	}
	return "/console"
}
