package request

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/deputy"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Deciders are the active admins at or above a scope, other than some users, by
// name; at most 100.
func Deciders(ctx context.Context, c *ent.Client, path string, but ...string) ([]*ent.User, error) {
	ids := strings.Split(strings.Trim(path, "/"), "/")
	return c.User.Query().Where(user.StatusEQ(user.StatusACTIVE), user.IDNotIn(but...),
		user.HasRolesWith(rolebinding.RoleEQ(rolebinding.RoleADMIN), rolebinding.ScopeIDIn(ids...))).
		Order(ent.Asc(user.FieldName), ent.Asc(user.FieldID)).Limit(100).All(ctx)
}

// Delegate hands a request to another admin who may decide on it. Errors as of
// Approve.
func (r *Requests) Delegate(ctx context.Context, requestID, userID, note string, expected *int) (*ent.Request, error) {
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
		v := tenancy.ViewerFrom(ctx)
		who, err := Deciders(ctx, tx.Client, p.waits.Path, p.row.RequestedBy, v.UserID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(who, func(u *ent.User) bool { return u.ID == userID })
		if i < 0 {
			return fault.At("userId", "Hand it to an admin of %s or of a scope above it, who didn't ask for it.", p.waits.Name)
		}
		own, err := tx.Member.Query().Where(member.UserID(userID), member.IDIn(strings.Split(strings.Trim(p.scope.Path, "/"), "/")...)).Exist(ctx)
		if err != nil {
			return err
		}
		if own {
			return fault.At("userId", "It is about the seat of %s. Hand it to somebody else.", who[i].Name)
		}
		if row, err = p.row.Update().SetAssignedTo(userID).Save(ctx); err != nil {
			return err
		}
		if err := tx.Audit(ctx, event("request.delegate", row, p.scope, map[string]audit.Change{"assignedTo": {After: who[i].Name}})); err != nil {
			return err
		}
		n := asked(row, p.scope, v.Name, []string{userID})
		n.Title = v.Name + " hands you a request for " + p.scope.Name
		if note != "" {
			n.Body = note
		}
		return r.tell(ctx, tx, n)
	})
	return row, err
}

// SetDeputy lets somebody be told of requests in the viewer's place until a
// date; "" ends it. A deputy decides by roles of their own, so they must reach
// all that the viewer administers.
func (r *Requests) SetDeputy(ctx context.Context, userID string, until time.Time) (*ent.Deputy, error) {
	v, err := person(ctx)
	if err != nil {
		return nil, err
	}
	ctx = tenancy.System(ctx, "a person's own deputy")
	var row *ent.Deputy
	err = r.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		fresh, err := asOfNow(ctx, tx, v)
		if err != nil {
			return err
		}
		old, err := tx.Deputy.Query().Where(deputy.UserID(v.UserID)).Only(ctx)
		if err != nil && !ent.IsNotFound(err) {
			return err
		}
		name := ""
		switch {
		case userID == "" && old == nil:
			tx.Unaudited() // there is none
			return nil
		case userID == "":
			err = tx.Deputy.DeleteOne(old).Exec(ctx)
		default:
			if name, err = deputyFor(ctx, tx, fresh, userID, until); err != nil {
				return err
			}
			if old == nil {
				row, err = tx.Deputy.Create().SetAccountID(v.AccountID).SetPlane(deputy.PlaneACCOUNT).SetUserID(v.UserID).SetDeputyID(userID).SetUntil(until).Save(ctx)
			} else {
				row, err = old.Update().SetDeputyID(userID).SetUntil(until).Save(ctx)
			}
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "deputy.set", AccountID: v.AccountID, Plane: tenancy.PlaneAccount, ScopeID: v.AccountID, ScopePath: "/" + v.AccountID + "/",
			TargetID: v.UserID, TargetName: v.Name, Changes: map[string]audit.Change{"deputy": {After: name}}})
	})
	return row, err
}

// deputyFor is the name of somebody who may stand in for a viewer.
func deputyFor(ctx context.Context, tx *store.Tx, v *tenancy.Viewer, userID string, until time.Time) (string, error) {
	now := tx.Now()
	if !until.After(now) || until.After(now.Add(maxAhead)) {
		return "", fault.At("until", "Be away until a day within a year.")
	}
	administers, name := false, ""
	for _, role := range v.Roles {
		if role.Role != tenancy.Admin {
			continue
		}
		administers = true
		who, err := Deciders(ctx, tx.Client, role.Path, v.UserID)
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(who, func(u *ent.User) bool { return u.ID == userID })
		if i < 0 {
			return "", fault.At("userId", "A deputy decides by roles of their own: choose somebody who administers all that you do.")
		}
		name = who[i].Name
	}
	if !administers {
		return "", fault.New(fault.Forbidden, "You decide on no requests, so nobody needs to stand in for you.")
	}
	return name, nil
}

// standIns are those who are told of a request: instead of who is away the
// deputy, where they may decide on it.
func (r *Requests) standIns(ctx context.Context, tx *store.Tx, now time.Time, row *ent.Request, where *ent.Scope, who []string) ([]string, error) {
	rows, err := tx.Deputy.Query().Where(deputy.UserIDIn(who...), deputy.UntilGT(now)).All(ctx)
	if err != nil || len(rows) == 0 {
		return who, err
	}
	able, err := Deciders(ctx, tx.Client, where.Path, row.RequestedBy)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(who)
	for _, d := range rows {
		if slices.ContainsFunc(able, func(u *ent.User) bool { return u.ID == d.DeputyID }) {
			out[slices.Index(out, d.UserID)] = d.DeputyID
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// DeputyOf is who stands in for a user at a moment; nil for nobody. ctx passes
// the guard.
func (r *Requests) DeputyOf(ctx context.Context, userID string) (*ent.Deputy, error) {
	row, err := r.Store.Deputy.Query().Where(deputy.UserID(userID), deputy.UntilGT(r.Store.Now())).Only(ctx)
	return row, ent.MaskNotFound(err)
}
