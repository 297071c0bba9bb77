package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// signInsPerMinute is how often one person may begin to sign in to connections.
const signInsPerMinute = 30

// ownConnections is the cockpit's page that tells people what they are signed in
// to. It takes connection, and connected or error, in its query.
const ownConnections = "/me/connections"

// routeConnections adds the two addresses that browsers pass on their way to a
// connection's authorization server and back.
func (s *Server) routeConnections(mux *http.ServeMux) {
	attempts := identity.NewAttempts(s.store.Now)
	mux.Handle("GET "+credential.SignInPath, s.inBrowser(func(w http.ResponseWriter, r *http.Request) { s.startConnection(w, r, attempts) }))
	mux.Handle("GET "+credential.CallbackPath, s.inBrowser(s.finishConnection))
}

// startConnection is the page that tools' callers are sent to when they must
// sign in to a connection first.
func (s *Server) startConnection(w http.ResponseWriter, r *http.Request, attempts *identity.Attempts) {
	ctx := r.Context()
	v := tenancy.ViewerFrom(ctx)
	if v == nil {
		http.Redirect(w, r, "/sign-in?"+url.Values{"next": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
		return
	}
	if _, wait := attempts.Take(identity.Allowance{Of: v.UserID, PerMinute: signInsPerMinute}); wait > 0 {
		s.notConnected(w, r, "", fault.New(fault.RateLimited, "Too many attempts. Wait a minute, then try again."))
		return
	}
	c, err := s.ownConnection(ctx, v, r.URL.Query().Get("connection"))
	if err != nil {
		s.notConnected(w, r, "", err)
		return
	}
	page := ownConnections + "?" + url.Values{"connection": {c.ID}}.Encode()
	if c.Auth != connection.AuthOAUTH && c.Kind != connection.KindCOMPOSIO { // which has its form in the cockpit
		http.Redirect(w, r, page, http.StatusSeeOther) //nolint:gosec // our own page about a connection that was found
		return
	}
	to, err := s.credentials.Begin(ctx, c, v.UserID, page)
	if err != nil {
		s.notConnected(w, r, page, err)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // the authorization server that an admin set
}

// ownConnection is a connection that people sign in to for themselves, and that
// the viewer may use: it lies in their reach, or one of their seats may use a
// tool of it.
func (s *Server) ownConnection(ctx context.Context, v *tenancy.Viewer, connectionID string) (*ent.Connection, error) {
	system := tenancy.System(ctx, "whether somebody may use a connection is looked at next")
	c, err := s.store.Connection.Query().Where(connection.ID(connectionID), connection.AccountID(v.AccountID)).Only(system)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("connection")
	}
	if err != nil {
		return nil, err
	}
	may, err := s.store.Connection.Query().Where(connection.ID(connectionID)).Exist(ctx)
	if err == nil && !may {
		may, err = s.usesToolOf(system, v, connectionID)
	}
	switch {
	case err != nil:
		return nil, err
	case !may || c.Status != connection.StatusACTIVE:
		return nil, fault.Missing("connection")
	case c.Credential != connection.CredentialPERSONAL:
		return nil, fault.New(fault.Invalid, "%s has one sign-in for all. Whoever manages the connection signs it in, in the cockpit.", c.Name)
	}
	return c, nil
}

func (s *Server) usesToolOf(ctx context.Context, v *tenancy.Viewer, connectionID string) (bool, error) {
	table, err := s.grants.Table(ctx, v.AccountID, tenancy.Copilot)
	if err != nil {
		return false, err
	}
	ids, err := s.store.Tool.Query().Where(tool.ConnectionID(connectionID), tool.AccountID(v.AccountID)).IDs(ctx)
	if err != nil {
		return false, err
	}
	for _, held := range v.Roles {
		if held.Kind != tenancy.KindMember || held.Plane != tenancy.Copilot {
			continue
		}
		for _, toolID := range ids {
			if table.Ask(toolID, held.Path, s.store.Now()).Allowed() {
				return true, nil
			}
		}
	}
	return false, nil
}

// finishConnection is where authorization servers send people back to.
func (s *Server) finishConnection(w http.ResponseWriter, r *http.Request) {
	back, err := s.credentials.Finish(r.Context(), r.URL.Query())
	if err != nil {
		s.notConnected(w, r, back, err)
		return
	}
	if back == "" {
		back = ownConnections
	}
	http.Redirect(w, r, with(back, "connected", "1"), http.StatusSeeOther) //nolint:gosec // from the state that we sealed
}

// notConnected says why somebody isn't signed in: on the page that they came
// from, by a code, or where that isn't known, in words.
func (s *Server) notConnected(w http.ResponseWriter, r *http.Request, back string, err error) {
	request := audit.RequestID(r.Context())
	e := fault.As(err)
	if e == nil || e.Cause != nil {
		s.log.WarnContext(r.Context(), "somebody isn't signed in to a connection", "cause", err, "requestId", request)
	}
	if e == nil {
		e = fault.New(fault.Internal, "Something went wrong on our side. Tell your admin the request id %s.", request)
	}
	if back != "" {
		http.Redirect(w, r, with(back, "error", string(e.Code), "request", request), http.StatusSeeOther) //nolint:gosec // from the state that we sealed, or our own page
		return
	}
	status := http.StatusBadRequest
	switch e.Code {
	case fault.Internal, fault.Unavailable:
		status = http.StatusServiceUnavailable
	case fault.Forbidden:
		status = http.StatusForbidden
	case fault.NotFound:
		status = http.StatusNotFound
	case fault.RateLimited:
		status = http.StatusTooManyRequests
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(e.Message + "\n")) //nolint:gosec // plain text; fails only when the browser has gone
}

// with adds names and values to a path's query.
func with(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	path, fragment, has := strings.Cut(path, "#")
	sign := "?"
	if strings.Contains(path, "?") {
		sign = "&"
	}
	path += sign + q.Encode()
	if has {
		path += "#" + fragment
	}
	return path
}
