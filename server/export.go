package server

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// maxExports run at once on a replica.
	maxExports = 4
	// exportWrite is how long a reader may take for one page of an export.
	exportWrite = time.Minute
)

// exportAudit streams a scope's audit log as a file. That it was exported is in
// the log before the first byte leaves.
func (s *Server) exportAudit(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	v := tenancy.ViewerFrom(ctx)
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		refuse(w, http.StatusMethodNotAllowed, fault.New(fault.BadInput, "Ask for an export by GET."))
		return
	case !s.sameOrigin(r):
		refuse(w, http.StatusForbidden, fault.New(fault.Forbidden, "The request comes from a page of another origin. Use Cockpit's own pages, or a program without an Origin header."))
		return
	case v == nil:
		refuse(w, http.StatusUnauthorized, identity.ErrNoSession)
		return
	}
	select {
	case s.exports <- struct{}{}:
		defer func() { <-s.exports }()
	default:
		w.Header().Set("Retry-After", "30")
		refuse(w, http.StatusTooManyRequests, fault.New(fault.RateLimited, "%d exports are under way here; try again in half a minute.", maxExports))
		return
	}
	x, err := s.prepareExport(ctx, v, r.URL.Query())
	if err != nil {
		s.refuseExport(ctx, w, err)
		return
	}
	kind := "text/csv; charset=utf-8; header=present"
	if x.Format == audit.NDJSON {
		kind = "application/x-ndjson"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(x)}))
	h.Set("Cache-Control", "no-store")
	if err := x.Write(tenancy.Platform(ctx), &patient{w, http.NewResponseController(w)}); err != nil {
		if ctx.Err() == nil && fault.As(err) == nil {
			s.log.ErrorContext(ctx, "an audit export was cut off", "cause", err, "requestId", audit.RequestID(ctx))
		}
		panic(http.ErrAbortHandler) // half an export mustn't look whole
	}
}

// refuseExport answers as GraphQL would.
func (s *Server) refuseExport(ctx context.Context, w http.ResponseWriter, err error) {
	e := fault.As(err)
	if e == nil {
		s.log.ErrorContext(ctx, "an audit export failed", "cause", err, "requestId", audit.RequestID(ctx))
		refuse(w, http.StatusInternalServerError, fault.New(fault.Internal, "Something went wrong on our side. Try again; if it stays, report the request id."))
		return
	}
	status := map[fault.Code]int{fault.NotFound: http.StatusNotFound, fault.Forbidden: http.StatusForbidden, fault.Unauthenticated: http.StatusUnauthorized,
		fault.Unavailable: http.StatusServiceUnavailable}[e.Code]
	if status == 0 {
		status = http.StatusBadRequest
	}
	refuse(w, status, e)
}

// patient bounds each write to a reader, and none of them together.
type patient struct {
	http.ResponseWriter
	conn *http.ResponseController
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	_ = p.conn.SetWriteDeadline(time.Now().Add(exportWrite)) // where there is a connection
	n, err := p.ResponseWriter.Write(b)
	if err == nil {
		err = p.conn.Flush()
	}
	_ = p.conn.SetWriteDeadline(time.Time{})
	return n, err
}

// prepareExport decides who may, what is selected, and how far it goes, and
// writes the event.
func (s *Server) prepareExport(ctx context.Context, v *tenancy.Viewer, q url.Values) (*audit.Export, error) {
	format, filter, err := exportFilter(q)
	if err != nil {
		return nil, err
	}
	at, err := s.store.Scope.Get(tenancy.Platform(ctx), q.Get("scope"))
	if ent.IsNotFound(err) || (err == nil && at.AccountID != v.AccountID) {
		return nil, fault.Missing("scope")
	}
	if err != nil {
		return nil, err
	}
	target := access.Target{Kind: tenancy.Kind(at.Kind), Plane: tenancy.Plane(at.Plane), Path: at.Path}
	if err := s.access.Check(ctx, access.AuditRead, target); err != nil {
		return nil, err
	}
	sel := audit.Selection{AccountID: at.AccountID, Filter: filter}
	if at.Kind != scope.KindACCOUNT && at.Kind != scope.KindPLATFORM {
		sel.Within = []string{at.Path}
	}
	a, err := s.store.Account.Get(tenancy.Platform(ctx), at.AccountID)
	if err != nil {
		return nil, err
	}
	asked := map[string]string{}
	for name := range q {
		if name != "scope" && name != "format" && q.Get(name) != "" {
			asked[name] = q.Get(name)
		}
	}
	still := func() error { // signed out, or with other roles
		now := s.access.Present(ctx)
		if now == nil {
			return identity.ErrNoSession
		}
		return s.access.Check(tenancy.WithViewer(ctx, now), access.AuditRead, target)
	}
	x := &audit.Export{Client: s.store.Client, Selection: sel, Format: format, Still: still,
		Header: audit.Header{Account: a.ID, Slug: a.Slug, Scope: at.ID, At: s.store.Now(), Whole: sel.Whole(), Filter: asked}}
	if x.Header.Anchor, err = audit.Anchor(ctx, s.store.System(), s.store.Dialect, a.ID); err != nil {
		if errors.Is(err, audit.ErrUnsettled) {
			return nil, fault.New(fault.Unavailable, "Events are just being deleted by retention; try again in a few seconds.")
		}
		return nil, err
	}
	if err := s.tellExport(ctx, at, x); err != nil {
		return nil, err
	}
	return x, s.bound(ctx, x, a.AuditSeq)
}

// bound fixes how far an export goes. A whole one gets a checkpoint right
// there, so that it vouches for its last event too.
func (s *Server) bound(ctx context.Context, x *audit.Export, newest int64) (err error) {
	x.Header.UpTo = newest
	if !x.Header.Whole {
		x.Checkpoint, err = audit.Newest(ctx, s.store.System(), s.store.Dialect, x.Header.Account)
		return err
	}
	x.Checkpoint, err = s.sealer.CheckpointNow(ctx, x.Header.Account)
	if err == nil && x.Checkpoint == nil {
		return fault.New(fault.Unavailable, "No event is sealed yet; try again in a second.")
	}
	if err == nil {
		x.Header.UpTo = x.Checkpoint.Seq
	}
	return err
}

func (s *Server) tellExport(ctx context.Context, at *ent.Scope, x *audit.Export) error {
	changes := map[string]audit.Change{"format": {After: string(x.Format)}}
	for name, value := range x.Header.Filter {
		changes[name] = audit.Change{After: value}
	}
	return s.store.InTx(tenancy.Platform(ctx), func(ctx context.Context, tx *store.Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "audit.export", AccountID: at.AccountID, Plane: tenancy.Plane(at.Plane),
			ScopeID: at.ID, ScopePath: at.Path, TargetID: at.ID, TargetName: at.Name, Changes: changes})
	})
}

// exportParameters are those of AuditFilter, but for the scope.
var exportParameters = []string{"scope", "format", "action", "actorId", "search", "targetId", "outcome", "from", "to"}

// exportFilter reads an address's parameters; one that it doesn't know could
// have meant to leave something out, and is refused.
func exportFilter(q url.Values) (format audit.Format, f audit.Filter, err error) {
	for name, values := range q {
		if !slices.Contains(exportParameters, name) || len(values) != 1 {
			return "", f, fault.New(fault.BadInput, "The parameter %q isn't known, or comes twice. Known are %s.", name, strings.Join(exportParameters, ", "))
		}
		if len(values[0]) > 200 {
			return "", f, fault.New(fault.BadInput, "The parameter %s is too long.", name)
		}
	}
	format = audit.Format(q.Get("format"))
	if format == "" {
		format = audit.NDJSON
	}
	if format != audit.CSV && format != audit.NDJSON {
		return "", f, fault.New(fault.BadInput, "The format is csv or ndjson.")
	}
	f = audit.Filter{Action: q.Get("action"), ActorID: q.Get("actorId"), TargetID: q.Get("targetId"), Search: strings.TrimSpace(q.Get("search")),
		Outcome: auditevent.Outcome(q.Get("outcome"))}
	if f.Outcome != "" && auditevent.OutcomeValidator(f.Outcome) != nil {
		return "", f, fault.New(fault.BadInput, "The outcome is DONE, REFUSED or FAILED.")
	}
	for name, into := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if q.Get(name) == "" {
			continue
		}
		if *into, err = time.Parse(time.RFC3339, q.Get(name)); err != nil {
			return "", f, fault.New(fault.BadInput, "%s must be a time like 2026-01-31T00:00:00Z.", name)
		}
		*into = into.UTC()
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From) {
		return "", f, fault.New(fault.BadInput, "The time range is empty: from must lie before to.")
	}
	return format, f, nil
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9.]+`)

// fileName says what is in the file: the account, the time range, the filters.
func fileName(x *audit.Export) string {
	day := func(t time.Time, none string) string {
		if t.IsZero() {
			return none
		}
		return t.Format("20060102T150405Z")
	}
	f := x.Selection.Filter
	parts := []string{"audit", x.Header.Slug, day(f.From, "start"), day(f.To, x.Header.At.Format("20060102T150405Z"))}
	if len(x.Selection.Within) > 0 {
		parts = append(parts, x.Header.Scope)
	}
	for _, name := range exportParameters[2:7] {
		if value := x.Header.Filter[name]; value != "" {
			parts = append(parts, name+"."+value)
		}
	}
	for i, p := range parts {
		parts[i] = strings.Trim(notInNames.ReplaceAllString(p, "-"), "-")
	}
	name := strings.Join(parts, "_")
	return name[:min(len(name), 180)] + "." + string(x.Format)
}
