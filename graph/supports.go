package graph

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/supportaccess"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// entered is a support access with whoever is signed in now.
type entered struct {
	row    *ent.SupportAccess
	viewer *tenancy.Viewer
}

func (r *Resolver) supportStart(ctx context.Context, in model.SupportAccessStartInput) (*entered, error) {
	at, err := r.accountByID(ctx, in.AccountID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.SupportStart, at.Ref); err != nil {
		return nil, err
	}
	return r.swap(ctx, func(v *tenancy.Viewer, from identity.Client) (*ent.SupportAccess, *identity.SignedIn, error) {
		return r.Sessions.StartSupport(ctx, v, identity.SupportInput{AccountID: in.AccountID, Reason: in.Reason, Minutes: in.Minutes,
			Writes: in.Writes != nil && *in.Writes}, from)
	})
}

func (r *Resolver) supportEnter(ctx context.Context, in model.SupportAccessEnterInput) (*entered, error) {
	at, err := r.supportAccount(ctx, in.SupportAccessID)
	if err != nil {
		return nil, err
	}
	if err := r.check(ctx, access.SupportStart, at.Ref); err != nil {
		return nil, err
	}
	return r.swap(ctx, func(v *tenancy.Viewer, from identity.Client) (*ent.SupportAccess, *identity.SignedIn, error) {
		return r.Sessions.EnterSupport(ctx, v, in.SupportAccessID, from)
	})
}

func (r *Resolver) supportEnd(ctx context.Context, in model.SupportAccessEndInput) (*entered, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if v.SupportID != in.SupportAccessID { // one's own needs no leave to end
		at, err := r.supportAccount(ctx, in.SupportAccessID)
		if err != nil {
			return nil, err
		}
		if err := r.check(ctx, access.SupportEnd, at.Ref); err != nil {
			return nil, err
		}
	}
	if v.SupportID == "" {
		row, _, err := r.Sessions.EndSupport(ctx, v, in.SupportAccessID, identity.Client{})
		return &entered{row: row}, err
	}
	return r.swap(ctx, func(v *tenancy.Viewer, from identity.Client) (*ent.SupportAccess, *identity.SignedIn, error) {
		return r.Sessions.EndSupport(ctx, v, in.SupportAccessID, from)
	})
}

// swap puts the session that f opens into the browser's cookie, or takes the
// cookie away where f opens none.
func (r *Resolver) swap(ctx context.Context, f func(*tenancy.Viewer, identity.Client) (*ent.SupportAccess, *identity.SignedIn, error)) (*entered, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	cookies, err := cookiesFrom(ctx)
	if err != nil {
		return nil, err
	}
	row, signed, err := f(v, cookies.From)
	if err != nil {
		return nil, err
	}
	if signed == nil {
		cookies.Clear()
		return &entered{row: row}, nil
	}
	cookies.Set(signed.Token)
	return &entered{row, signed.Viewer}, nil
}

// supportAccount is the account that a support access leads to, if the viewer
// may know of it.
func (r *Resolver) supportAccount(ctx context.Context, supportID string) (*model.Account, error) {
	row, err := r.Store.SupportAccess.Get(tenancy.Platform(ctx), supportID)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("support access")
	}
	if err != nil {
		return nil, err
	}
	return r.accountByID(ctx, row.AccountID)
}

// supportPage lists visits of the platform's staff, the newest first: in one
// account, or in all of them for the platform.
func (r *Resolver) supportPage(ctx context.Context, accountID string, w window) (*model.SupportAccessConnection, error) {
	query := func() *ent.SupportAccessQuery {
		q := r.Store.SupportAccess.Query()
		if accountID != "" {
			q.Where(supportaccess.AccountID(accountID))
		}
		return q
	}
	rows, info, err := list[*ent.SupportAccess](tenancy.Platform(ctx), query(), w, supportaccess.FieldID, true, func(s *ent.SupportAccess) string { return s.ID })
	if err != nil {
		return nil, err
	}
	return &model.SupportAccessConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(tenancy.Platform(ctx)) },
		Edges: mapTo(rows, func(s *ent.SupportAccess) *model.SupportAccessEdge {
			return &model.SupportAccessEdge{Node: toSupportAccess(s, r.Store.Now()), Cursor: encode(s.ID)}
		})}, nil
}

// supportOf reads one support access; nil for none.
func (r *Resolver) supportOf(ctx context.Context, supportID string) (*model.SupportAccess, error) {
	if supportID == "" {
		return nil, nil
	}
	row, err := maybe(r.Store.SupportAccess.Get(ctx, supportID))
	if row == nil || err != nil {
		return nil, err
	}
	return toSupportAccess(row, r.Store.Now()), nil
}
