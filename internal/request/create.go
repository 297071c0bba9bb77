package request

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
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

// Input is what somebody asks for.
type Input struct {
	ScopeID string
	// ResourceID asks for the use of a model, an agent, a connection or a tool;
	// "" asks for more budget, by Amount.
	ResourceID string
	Amount     money.Nano
	// Until is nil to ask for good.
	Until  *time.Time
	Reason string
}

func (in *Input) check(now time.Time) (err error) {
	switch {
	case in.ResourceID != "" && in.Amount != 0:
		return fault.At("amount", "Access is asked for without an amount. Ask for budget by itself.")
	case in.ResourceID != "":
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

// Create asks for more budget, or for the use of a resource, in the viewer's
// name. It waits for the admins of the nearest scope above who are somebody else
// and have it to give, unless a rule gives it at once; at the platform where
// admins of the account ask for more credits. Errors: INVALID, EXISTS,
// NOT_FOUND, FORBIDDEN.
func (r *Requests) Create(ctx context.Context, in Input) (*ent.Request, error) {
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
	if err := in.check(r.Store.Now()); err != nil {
		return nil, err
	}
	var row *ent.Request
	err = r.change(ctx, seen.AccountID, tenancy.Plane(seen.Plane), holding(in.ResourceID != "", seen), func(ctx context.Context, tx *store.Tx, now time.Time) error {
		row, err = r.create(ctx, tx, now, in)
		return err
	})
	return row, err
}

func (r *Requests) create(ctx context.Context, tx *store.Tx, now time.Time, in Input) (*ent.Request, error) {
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
	if err := r.room(ctx, tx, now, s, in); err != nil {
		return nil, err
	}
	if in.ResourceID != "" {
		return r.createAccess(ctx, tx, now, s, in)
	}
	tree, err := Load(ctx, tx.Client, s.AccountID, tenancy.Plane(s.Plane), now)
	if err != nil {
		return nil, err
	}
	plan := tree.Plan(s.Path, in.Amount, in.Until != nil, func(*ent.Scope) bool { return true })
	switch {
	case plan == nil:
		return nil, fault.At("scopeId", "No budget stands on %s or above it, so there is none to raise. Ask an admin to set one.", s.Name)
	case plan.After > budget.Largest:
		return nil, fault.At("amount", "A limit can be one billion at most.")
	}
	var where *ent.Scope
	var who []string
	if plan.Base.Kind == scope.KindCOPILOT {
		where, who, err = ofPool(ctx, tx, plan.Base)
	} else {
		where, who, err = admins(ctx, tx, plan.Base.Path, v.UserID)
	}
	if err != nil {
		return nil, err
	}
	if where == nil {
		return nil, errNobody
	}
	row, err := tx.Request.Create().SetAccountID(s.AccountID).SetPlane(entrequest.Plane(s.Plane)).SetScopeID(s.ID).
		SetRequestedBy(v.UserID).SetAmount(int64(in.Amount)).SetNillableUntil(in.Until).SetReason(in.Reason).SetWaitsAt(where.ID).Save(ctx)
	if err != nil {
		return nil, err
	}
	return r.opened(ctx, tx, now, row, s, where, who)
}

var errNobody = fault.At("scopeId", "Nobody but you could decide on this. Have a second admin of the account named first.")

// room refuses to ask twice for the same, and too much at once.
func (r *Requests) room(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope, in Input) error {
	open := tx.Request.Query().Where(entrequest.RequestedBy(tenancy.ViewerFrom(ctx).UserID), entrequest.PlaneEQ(entrequest.Plane(s.Plane)),
		entrequest.StatusEQ(entrequest.StatusPENDING), entrequest.CreatedAtGT(now.Add(-Lifetime)))
	if same, err := open.Clone().Where(entrequest.ScopeID(s.ID), entrequest.ResourceID(in.ResourceID)).Exist(ctx); err != nil {
		return err
	} else if same {
		return fault.New(fault.Exists, "You have asked for %s already. Withdraw that request to make another one.", s.Name)
	}
	if n, err := open.Count(ctx); err != nil {
		return err
	} else if n >= maxOpen {
		return fault.New(fault.InUse, "You have %d open requests, the most there can be. Withdraw one first.", n)
	}
	return nil
}

// opened records a new request, and lets a rule decide on it or tells those who
// can.
func (r *Requests) opened(ctx context.Context, tx *store.Tx, now time.Time, row *ent.Request, s, where *ent.Scope, who []string) (*ent.Request, error) {
	changes := asking(row)
	changes["waitsAt"] = audit.Change{After: where.Name}
	if row.Until != nil {
		changes["until"] = audit.Change{After: row.Until.UTC()}
	}
	if err := tx.Audit(ctx, event("request.create", row, s, changes)); err != nil {
		return nil, err
	}
	decided, err := r.byRule(ctx, tx, now, &pending{row, s, where})
	if err != nil || decided != nil {
		return decided, err
	}
	name := "Somebody"
	if v := tenancy.ViewerFrom(ctx); v != nil {
		name = v.Name
	}
	return row, r.tellAsked(ctx, tx, now, row, s, where, who, name)
}

// tellAsked tells those who can decide on a request, or who stand in for them.
func (r *Requests) tellAsked(ctx context.Context, tx *store.Tx, now time.Time, row *ent.Request, s, where *ent.Scope, who []string, name string) error {
	if AtPlatform(row) {
		n, err := askedOfPlatform(ctx, tx, row, s, who)
		if err != nil {
			return err
		}
		return r.tell(ctx, tx, n)
	}
	who, err := r.standIns(ctx, tx, now, row, where, who)
	if err != nil {
		return err
	}
	return r.tell(ctx, tx, asked(row, s, name, who))
}

// asking is what a request is for, as the audit log says it.
func asking(row *ent.Request) map[string]audit.Change {
	if row.Kind == entrequest.KindBUDGET {
		return map[string]audit.Change{"amount": {After: money.Nano(row.Amount).String()}}
	}
	return map[string]audit.Change{"resource": {After: row.ResourceName}}
}

// asked tells those who can decide.
func asked(row *ent.Request, s *ent.Scope, name string, to []string) Notice {
	title := name + " asks for more budget for " + s.Name
	switch row.Kind {
	case entrequest.KindACCESS:
		title = name + " asks for " + row.ResourceName + " for " + s.Name
	case entrequest.KindPUBLISH:
		title = name + " asks to publish " + row.ResourceName
	case entrequest.KindTOOL_APPROVAL:
		title = "Tools of " + row.ResourceName + " wait for approval"
	case entrequest.KindBUDGET:
	}
	return Notice{Topic: "INCREASE_REQUESTED", AccountID: row.AccountID, Plane: tenancy.Plane(row.Plane), ScopeID: s.ID,
		Title: title, Body: row.Reason, Link: page(row.Plane) + "/requests",
		Cause: row.ID + " " + row.WaitsAt + row.AssignedTo, To: to}
}

func page(plane entrequest.Plane) string {
	if plane == entrequest.PlaneCOPILOT {
		return "/copilot"
	}
	return "/console"
}
