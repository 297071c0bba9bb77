package request

import (
	"context"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// createAccess asks for the use of a resource that the viewer may know of.
func (r *Requests) createAccess(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope, in Input) (*ent.Request, error) {
	v := tenancy.ViewerFrom(ctx)
	t, err := grant.Load(ctx, tx.Client, s.AccountID, tenancy.Plane(s.Plane), in.ResourceID)
	if err != nil {
		return nil, err
	}
	about := t.Resource(in.ResourceID)
	if about == nil || about.Owner != "" && !v.Reaches(about.Owner) && !r.offered(ctx, tx, in.ResourceID) {
		e := fault.Missing("resource")
		e.Path = []string{"resourceId"}
		return nil, e
	}
	if t.Ask(about.ID, s.Path, now).Allowed() {
		return nil, fault.New(fault.Exists, "%s may use %s already.", s.Name, about.Name)
	}
	where, who, err := r.holder(ctx, tx, now, t, about.ID, s.Path, v.UserID)
	if err != nil {
		return nil, err
	}
	if where == nil {
		return nil, errNobody
	}
	row, err := tx.Request.Create().SetAccountID(s.AccountID).SetPlane(entrequest.Plane(s.Plane)).SetKind(entrequest.KindACCESS).SetScopeID(s.ID).
		SetResourceID(about.ID).SetResourceName(about.Name).SetRequestedBy(v.UserID).SetNillableUntil(in.Until).SetReason(in.Reason).SetWaitsAt(where.ID).Save(ctx)
	if err != nil {
		return nil, err
	}
	return r.opened(ctx, tx, now, row, s, where, who)
}

// offered tells whether people of the account may know of a resource by a
// listing.
func (r *Requests) offered(ctx context.Context, tx *store.Tx, resourceID string) bool {
	return r.Known != nil && r.Known(ctx, tx, resourceID)
}

// holder finds the nearest scope above a path that has a resource to give and
// an admin who is somebody else; where none has, the nearest with an admin.
func (r *Requests) holder(ctx context.Context, tx *store.Tx, now time.Time, t *grant.Table, resourceID, path, notUser string) (*ent.Scope, []string, error) {
	first, firstWho, err := admins(ctx, tx, path, notUser)
	for where, who := first, firstWho; where != nil && err == nil; where, who, err = admins(ctx, tx, where.Path, notUser) {
		if t.Holds(resourceID, where.Path, now).Allowed() {
			return where, who, nil
		}
	}
	return first, firstWho, err
}

// Opening is a request that a feature of the product makes in somebody's name.
type Opening struct {
	// Kind is PUBLISH or TOOL_APPROVAL.
	Kind  entrequest.Kind
	Scope *ent.Scope
	// By is a user, or Product.
	By                       string
	ResourceID, ResourceName string
	Reason                   string
	// About are the tools of TOOL_APPROVAL.
	About []Waiting
}

// Open makes a request for a review or for the approval of a tool, within the
// transaction of what it is about. It waits for the admins of the scope, or of
// the nearest above who are somebody else. ctx passes the guard. An open one
// about the same stays the one there is.
func (r *Requests) Open(ctx context.Context, tx *store.Tx, o Opening) (*ent.Request, error) {
	if o.Kind != entrequest.KindPUBLISH && o.Kind != entrequest.KindTOOL_APPROVAL {
		return nil, fault.At("kind", "Only reviews and tools are opened by the product.")
	}
	reason, err := text("reason", o.Reason, true)
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	same, err := tx.Request.Query().Where(entrequest.AccountID(o.Scope.AccountID), entrequest.KindEQ(o.Kind), entrequest.ResourceID(o.ResourceID),
		entrequest.StatusEQ(entrequest.StatusPENDING), entrequest.CreatedAtGT(now.Add(-Lifetime))).First(ctx)
	if err == nil || !ent.IsNotFound(err) {
		return same, err
	}
	where, who, err := admins(ctx, tx, o.Scope.Path+"self/", o.By) // the scope's own admins decide as well
	if err != nil {
		return nil, err
	}
	if where == nil {
		return nil, errNobody
	}
	about, err := aboutOf(o.About)
	if err != nil {
		return nil, err
	}
	row, err := tx.Request.Create().SetAbout(about).SetAccountID(o.Scope.AccountID).SetPlane(entrequest.Plane(o.Scope.Plane)).SetKind(o.Kind).SetScopeID(o.Scope.ID).
		SetResourceID(o.ResourceID).SetResourceName(o.ResourceName).SetRequestedBy(o.By).SetReason(reason).SetWaitsAt(where.ID).Save(ctx)
	if err != nil {
		return nil, err
	}
	return r.opened(ctx, tx, now, row, o.Scope, where, who)
}

// approveOther gives what isn't a budget.
func (r *Requests) approveOther(ctx context.Context, tx *store.Tx, now time.Time, p *pending, d Decision) (*ent.Request, error) {
	if d.Amount != nil {
		return nil, fault.At("amount", "Only a budget is given by an amount.")
	}
	if err := r.mayApproveTools(ctx, p, d.ExpectedVersion != nil); err != nil {
		return nil, err
	}
	if p.row.Kind != entrequest.KindACCESS {
		row, err := d.on(p.row, now, nil).Save(ctx)
		if err != nil {
			return nil, err
		}
		if err := r.carry(ctx, tx, row, true); err != nil {
			return nil, err
		}
		return row, r.approved(ctx, tx, row, p.scope, asking(row))
	}
	until, err := d.end(p.row, now)
	if err != nil {
		return nil, err
	}
	to := p.scope
	if d.ScopeID != "" && d.ScopeID != to.ID {
		to, err = tx.Scope.Get(ctx, d.ScopeID)
		if ent.IsNotFound(err) || err == nil && (to.DeletedAt != nil || !strings.HasPrefix(to.Path, p.scope.Path)) {
			return nil, fault.At("scopeId", "Give it to %s, or to a part of it.", p.scope.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	authority := d.authority
	if d.rule == "" { // a program may decide on budgets, and not on access
		if err := r.Access.Check(ctx, access.GrantSet, at(to)); err != nil {
			return nil, err
		}
		authority = grant.AuthorityOf(tenancy.ViewerFrom(ctx), to.Path)
	}
	if _, err := grant.Set(ctx, tx, now, grant.Input{Scope: to, ResourceID: p.row.ResourceID, Effect: grant.Allow, ExpiresAt: until,
		Note: strings.ToValidUTF8(p.row.Reason[:min(len(p.row.Reason), 500)], ""), Authority: authority}); err != nil {
		return nil, err
	}
	t, err := grant.Load(ctx, tx.Client, to.AccountID, tenancy.Plane(to.Plane), p.row.ResourceID)
	if err != nil {
		return nil, err
	}
	if v := t.Ask(p.row.ResourceID, to.Path, now); !v.Allowed() {
		return nil, fault.At("requestId", "A grant wouldn't be enough. %s", v.Reason())
	}
	row, err := d.on(p.row, now, until).SetGrantedScope(to.ID).Save(ctx)
	if err != nil {
		return nil, err
	}
	changes := asking(row)
	changes["grantedScope"] = audit.Change{After: to.Name}
	if until != nil {
		changes["until"] = audit.Change{After: until.UTC()}
	}
	return row, r.approved(ctx, tx, row, p.scope, changes)
}

// carry does what a decision says.
func (r *Requests) carry(ctx context.Context, tx *store.Tx, row *ent.Request, approved bool) error {
	if row.Kind == entrequest.KindBUDGET || row.Kind == entrequest.KindACCESS {
		return nil
	}
	f := r.Carry[row.Kind]
	if f == nil {
		return fault.New(fault.Unavailable, "Requests of this kind can't be decided here.")
	}
	return f(ctx, tx, row, approved)
}

// Settle closes the open request about a resource that was decided on, or
// withdrawn, elsewhere than in the inbox, in that transaction. ctx passes the
// guard.
func (r *Requests) Settle(ctx context.Context, tx *store.Tx, kind entrequest.Kind, resourceID string, status entrequest.Status, by, note string) error {
	rows, err := tx.Request.Query().Where(entrequest.KindEQ(kind), entrequest.ResourceID(resourceID), entrequest.StatusEQ(entrequest.StatusPENDING)).All(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		s, err := tx.Scope.Get(ctx, row.ScopeID)
		if err != nil {
			return err
		}
		if row, err = row.Update().SetStatus(status).SetDecidedBy(by).SetDecidedAt(tx.Now()).SetNote(note).Save(ctx); err != nil {
			return err
		}
		action, name := map[entrequest.Status]string{entrequest.StatusAPPROVED: "request.approve", entrequest.StatusDECLINED: "request.decline"}[status], "An admin"
		if action == "" {
			action = "request.withdraw"
		}
		if err := tx.Audit(ctx, event(action, row, s, asking(row))); err != nil {
			return err
		}
		if v := tenancy.ViewerFrom(ctx); v != nil {
			name = v.Name
		}
		if status == entrequest.StatusWITHDRAWN || row.RequestedBy == by {
			continue
		}
		if err := r.tell(ctx, tx, decided(row, s, name)); err != nil {
			return err
		}
	}
	return nil
}
