package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// exportsAtOnce bounds what exports take of the database.
const exportsAtOnce = 2

var errExportEnds = errors.New("whoever exports may no longer")

// exportAccounts serves GET /export/accounts/{id}: all that an account holds. Its own
// admins take it while it is in use, super admins once it is closed.
func (s *Server) exportAccounts(slots chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, e := s.atCockpit(r)
		if e != nil {
			refuse(w, statusOf(e), e)
			return
		}
		ctx := tenancy.WithViewer(r.Context(), v)
		a, action, err := s.exportable(ctx, v, r.PathValue("id"))
		if err == nil {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			default:
				err = fault.New(fault.RateLimited, "Others export right now. Try again in a minute.")
			}
		}
		if err == nil {
			err = s.tellAccountExport(ctx, v, a)
		}
		if err != nil {
			e := fault.As(err)
			if e == nil {
				s.log.ErrorContext(ctx, "an export failed", "cause", err, "requestId", audit.RequestID(ctx))
				e = fault.New(fault.Internal, "Something went wrong on our side. Try again; if it stays, report the request id.")
			}
			refuse(w, statusOf(e), e)
			return
		}
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="cockpit-%s-%s.zip"`, a.Slug, s.store.Now().Format(time.DateOnly)))
		err = identity.Export(ctx, s.store, a.ID, w, func() error {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportWrite)) // recorders have none
			now := s.sessions.Present(ctx)
			if now == nil || !s.access.Decide(tenancy.WithViewer(ctx, now), action, targetOf(a)).Allowed {
				return errExportEnds
			}
			return ctx.Err()
		})
		if err != nil {
			s.log.WarnContext(ctx, "an export was broken off", "account", a.ID, "cause", err, "requestId", audit.RequestID(ctx))
			panic(http.ErrAbortHandler) // half an archive mustn't look whole
		}
	}
}

// atCockpit is the person whose session a request of our own pages carries.
func (s *Server) atCockpit(r *http.Request) (*tenancy.Viewer, *fault.Error) {
	session, err := r.Cookie(cookieName)
	switch {
	case !s.epochs.Fresh():
		return nil, identity.ErrStale
	case !s.sameOrigin(r):
		return nil, fault.New(fault.Forbidden, "The request comes from a page of another origin. Use Cockpit's own pages.")
	case err != nil:
		return nil, identity.ErrNoSession
	}
	v, err := s.sessions.Viewer(r.Context(), session.Value)
	if err == nil {
		return v, nil
	}
	if e := fault.As(err); e != nil {
		return nil, e
	}
	s.log.ErrorContext(r.Context(), "a session can't be looked up", "cause", err)
	return nil, identity.ErrStale
}

func targetOf(a *ent.Account) access.Target {
	return access.Target{Kind: tenancy.KindAccount, Plane: tenancy.PlaneAccount, Path: "/" + a.ID + "/"}
}

// exportable finds the account if the viewer may export it now, and by which
// right.
func (s *Server) exportable(ctx context.Context, v *tenancy.Viewer, accountID string) (*ent.Account, access.Action, error) {
	if accountID == id.PlatformID || (v.AccountID != accountID && !v.Platform) {
		return nil, "", fault.Missing("account")
	}
	a, err := s.store.Account.Get(tenancy.Platform(ctx), accountID)
	if ent.IsNotFound(err) {
		return nil, "", fault.Missing("account")
	}
	if err != nil {
		return nil, "", err
	}
	action := access.AccountExport
	if v.Platform {
		action = access.AccountClose
	}
	if err := s.access.Check(ctx, action, targetOf(a)); err != nil {
		return nil, "", err
	}
	switch {
	case v.Platform && a.Status != account.StatusCLOSED:
		return nil, "", fault.New(fault.Forbidden, "What an account holds is closed to the platform while the account isn't closed. Its admins can export it.")
	case a.DeletingAt != nil:
		return nil, "", fault.New(fault.NotFound, "%s is deleted, or about to be; there is nothing to export.", a.Name)
	}
	return a, action, nil
}

// tellAccountExport writes the event before the first row leaves.
func (s *Server) tellAccountExport(ctx context.Context, v *tenancy.Viewer, a *ent.Account) error {
	events := []audit.Event{{Action: "account.export", AccountID: a.ID, Plane: tenancy.PlaneAccount, ScopeID: a.ID, ScopePath: "/" + a.ID + "/",
		TargetID: a.ID, TargetName: a.Name}}
	if v.Platform {
		events = append(events, audit.Event{Action: "account.export", AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopeID: id.PlatformID,
			ScopePath: "/", TargetID: a.ID, TargetName: a.Name})
	}
	return s.store.InTx(tenancy.System(ctx, "exports are recorded in the account's log"), func(ctx context.Context, tx *store.Tx) error {
		for _, e := range events {
			if err := tx.Audit(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

func statusOf(e *fault.Error) int {
	switch e.Code {
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.RateLimited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Internal:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
