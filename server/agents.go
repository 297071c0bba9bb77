package server

import (
	"context"
	"net/http"

	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// tryAgent answers a chat request through an agent's draft, for who builds it at
// the cockpit. Their own default seat pays, and the gateway's steps are those of
// any call; while the answer streams, session and leave are asked for again.
func (s *Server) tryAgent(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	v := tenancy.ViewerFrom(ctx)
	if v == nil {
		refuse(w, http.StatusUnauthorized, identity.ErrNoSession)
		return
	}
	if v.SessionID == "" {
		refuse(w, http.StatusForbidden, fault.New(fault.Forbidden, "Drafts are tried at the cockpit. Programs call what is published: send X-Cockpit-Agent to /v1/chat/completions."))
		return
	}
	row, scope, err := agents.Find(ctx, s.store, r.PathValue("id"))
	var draft agents.Definition
	if err == nil {
		draft, err = agents.Draft(row)
	}
	if err != nil {
		s.refuseTry(w, r, err)
		return
	}
	may := func(ctx context.Context) error {
		return s.access.Check(ctx, access.AgentUpdate, access.Target{Kind: tenancy.KindAgent, Plane: tenancy.Copilot, Path: scope.Path, Owner: row.OwnerUserID})
	}
	if err := may(ctx); err != nil {
		s.refuseTry(w, r, err)
		return
	}
	var known *identity.Principal
	ask := func(ctx context.Context) (*identity.Principal, error) {
		now := s.sessions.Present(tenancy.WithViewer(ctx, v))
		if now == nil {
			return nil, identity.ErrNoSession
		}
		if known != nil && known.Viewer == now {
			return known, nil // nothing that it rests on has changed
		}
		if err := may(tenancy.WithViewer(ctx, now)); err != nil {
			return nil, err
		}
		p, err := identity.PayerOf(ctx, s.store, now, tenancy.Copilot)
		if err != nil {
			return nil, err
		}
		known = p
		return p, nil
	}
	s.gateway.Try(w, r, &agents.Published{ID: row.ID, AccountID: row.AccountID, Name: scope.Name, Definition: draft}, ask)
}

func (s *Server) refuseTry(w http.ResponseWriter, r *http.Request, err error) {
	e := fault.As(err)
	if e == nil {
		s.log.ErrorContext(r.Context(), "an agent can't be tried", "cause", err)
		refuse(w, http.StatusInternalServerError, fault.New(fault.Internal, "Something went wrong on our side. Try again."))
		return
	}
	status := http.StatusBadRequest
	switch e.Code { //nolint:exhaustive // all others are bad input
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.Forbidden:
		status = http.StatusForbidden
	}
	refuse(w, status, e)
}
