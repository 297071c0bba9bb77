package server

import (
	"bytes"
	"context"
	"encoding/csv"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// maxExportDays is how long a time one export covers at most.
	maxExportDays = 400
	// maxExportRows end an export; narrow it to get the rest.
	maxExportRows = 1_000_000
	// maxExportGroups bounds the rows of one part of time.
	maxExportGroups = 10_000
)

// usageExport is a table of usage that is about to be streamed.
type usageExport struct {
	kind    string
	account *ent.Account
	plane   tenancy.Plane
	// at is the scope that it is about; targets are what may be exported of it.
	at       *ent.Scope
	targets  []access.Target
	in       []tenancy.Reach
	from, to time.Time
	// zone is the account's, by whose days usage goes.
	zone  *time.Location
	asked url.Values
	// columns that are asked for, of all that the table has.
	columns []string
	// numbers aren't texts that a spreadsheet could take for a formula.
	numbers []string
	pages   func(ctx context.Context, yield func([]map[string]string) error) error
}

// exportUsage streams usage, receipts, statements or a bill as CSV. That it
// was exported is in the audit log before the first byte leaves.
func (s *Server) exportUsage(w http.ResponseWriter, r *http.Request) {
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
	x, err := s.prepareUsageExport(ctx, v, r.URL.Query())
	if err != nil {
		s.refuseExport(ctx, w, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": x.fileName()}))
	h.Set("Cache-Control", "no-store")
	if err := s.writeUsage(ctx, x, &patient{w, http.NewResponseController(w)}); err != nil {
		if ctx.Err() == nil && fault.As(err) == nil {
			s.log.ErrorContext(ctx, "a usage export was cut off", "cause", err, "requestId", audit.RequestID(ctx))
		}
		panic(http.ErrAbortHandler) // half an export mustn't look whole
	}
}

// writeUsage asks before each page whether the reader may still have it.
func (s *Server) writeUsage(ctx context.Context, x *usageExport, w *patient) error {
	var buffer bytes.Buffer
	table := csv.NewWriter(&buffer)
	if err := table.Write(x.columns); err != nil {
		return err
	}
	flush := func() error {
		if table.Flush(); table.Error() != nil || buffer.Len() == 0 {
			return table.Error()
		}
		_, err := w.Write(buffer.Bytes())
		buffer.Reset()
		return err
	}
	rows := 0
	err := x.pages(ctx, func(page []map[string]string) error {
		now := s.access.Present(ctx)
		if now == nil {
			return identity.ErrNoSession
		}
		if err := s.mayExport(tenancy.WithViewer(ctx, now), x.targets); err != nil {
			return err
		}
		if rows += len(page); rows > maxExportRows {
			return fault.New(fault.BadInput, "The export has more than %d rows; narrow it.", maxExportRows)
		}
		for _, row := range page {
			cells := make([]string, len(x.columns))
			for i, name := range x.columns {
				cells[i] = row[name]
				if !slices.Contains(x.numbers, name) {
					cells[i] = audit.Harmless(cells[i])
				}
			}
			if err := table.Write(cells); err != nil {
				return err
			}
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (s *Server) mayExport(ctx context.Context, targets []access.Target) error {
	for _, t := range targets {
		if err := s.access.Check(ctx, access.UsageExport, t); err != nil {
			return err
		}
	}
	return nil
}

// usageParameters are what an address may say.
var usageParameters = []string{"kind", "plane", "scope", "from", "to", "groupBy", "interval", "modelId", "tag", "userId", "keyId", "agentId", "clientId",
	"requestId", "accountId", "model", "columns"}

// prepareUsageExport decides who may, and what is selected, and writes the
// event.
func (s *Server) prepareUsageExport(ctx context.Context, v *tenancy.Viewer, q url.Values) (*usageExport, error) {
	for name, values := range q {
		if !slices.Contains(usageParameters, name) || len(values) != 1 {
			return nil, fault.New(fault.BadInput, "The parameter %q isn't known, or comes twice. Known are %s.", name, strings.Join(usageParameters, ", "))
		}
		if len(values[0]) > 1000 {
			return nil, fault.New(fault.BadInput, "The parameter %s is too long.", name)
		}
	}
	x := &usageExport{kind: q.Get("kind"), asked: q}
	for name, into := range map[string]*time.Time{"from": &x.from, "to": &x.to} {
		var err error
		if *into, err = time.Parse(time.RFC3339, q.Get(name)); err != nil {
			return nil, fault.New(fault.BadInput, "%s must be a time like 2026-01-31T00:00:00Z.", name)
		}
		*into = into.UTC()
	}
	if !x.to.After(x.from) || x.to.Sub(x.from) > (maxExportDays*24+1)*time.Hour { // one day may have 25 hours
		return nil, fault.New(fault.BadInput, "An export covers more than nothing and at most %d days: from must lie before to.", maxExportDays)
	}
	if err := s.aim(ctx, v, x); err != nil {
		return nil, err
	}
	if err := s.mayExport(ctx, x.targets); err != nil {
		return nil, err
	}
	if err := s.tabulate(x); err != nil {
		return nil, err
	}
	if err := x.pick(q.Get("columns")); err != nil {
		return nil, err
	}
	return x, s.tellUsageExport(ctx, x)
}

// aim finds what the export is about: the platform, a scope, or everything in
// a plane that the viewer can see.
func (s *Server) aim(ctx context.Context, v *tenancy.Viewer, x *usageExport) error {
	system := tenancy.System(ctx, "scopes that the viewer's own reach, or the policy, names")
	if x.kind == "platform" {
		if !v.Platform {
			return fault.New(fault.Forbidden, "What all accounts used is for the platform's staff.")
		}
		x.targets = []access.Target{{Kind: tenancy.KindPlatform, Plane: tenancy.PlanePlatform, Path: "/"}}
		x.plane = tenancy.PlanePlatform
		return s.named(system, x, id.PlatformID, id.PlatformID)
	}
	if v.Platform {
		return fault.New(fault.Forbidden, "What lies inside an account is closed to the platform. Export kind=platform, or enter the account by a support access.")
	}
	x.plane = tenancy.Plane(x.asked.Get("plane"))
	if x.plane != tenancy.Console && x.plane != tenancy.Copilot {
		return fault.New(fault.BadInput, "The plane is CONSOLE or COPILOT.")
	}
	x.in = graph.Reaches(ctx, v.AccountID, x.plane)
	root, err := s.store.Scope.Query().Where(scope.AccountID(v.AccountID), scope.PlaneEQ(scope.Plane(x.plane)), scope.KindIn(scope.KindCONSOLE, scope.KindCOPILOT)).Only(system)
	if ent.IsNotFound(err) || len(x.in) == 0 {
		return fault.Missing("plane")
	}
	if err != nil {
		return err
	}
	if scopeID := x.asked.Get("scope"); scopeID != "" {
		at, err := s.store.Scope.Get(tenancy.InPlane(ctx, x.plane), scopeID) // of what the viewer sees
		if ent.IsNotFound(err) || (err == nil && tenancy.Plane(at.Plane) != x.plane) {
			return fault.Missing("scope")
		}
		if err != nil {
			return err
		}
		x.targets = []access.Target{{Kind: tenancy.Kind(at.Kind), Plane: x.plane, Path: at.Path}}
		x.in = []tenancy.Reach{{AccountID: v.AccountID, Plane: x.plane, Path: at.Path}}
		return s.named(system, x, v.AccountID, at.ID)
	}
	for _, r := range x.in {
		up := strings.Split(strings.Trim(r.Path, "/"), "/")
		at := root
		if len(up) > 2 {
			if at, err = s.store.Scope.Get(system, up[len(up)-1]); err != nil {
				return err
			}
		}
		x.targets = append(x.targets, access.Target{Kind: tenancy.Kind(at.Kind), Plane: x.plane, Path: at.Path})
		if len(x.in) == 1 {
			root = at // what the event is about
		}
	}
	return s.named(system, x, v.AccountID, root.ID)
}

// named reads the account and the scope that the file and its event name.
func (s *Server) named(ctx context.Context, x *usageExport, accountID, scopeID string) (err error) {
	if x.account, err = s.store.Account.Get(ctx, accountID); err != nil {
		return err
	}
	if x.zone, err = s.budget.Zone(ctx, accountID); err != nil {
		return err
	}
	if x.kind == "platform" {
		x.zone = time.UTC // each account's days are its own
	}
	x.at, err = s.store.Scope.Get(ctx, scopeID)
	return err
}

// pick leaves the columns that were asked for, in that order.
func (x *usageExport) pick(asked string) error {
	if asked == "" {
		return nil
	}
	columns := strings.Split(asked, ",")
	for _, name := range columns {
		if !slices.Contains(x.columns, name) {
			return fault.New(fault.BadInput, "There is no column %q. There are %s.", name, strings.Join(x.columns, ", "))
		}
	}
	x.columns = columns
	return nil
}

func (s *Server) tellUsageExport(ctx context.Context, x *usageExport) error {
	changes := map[string]audit.Change{}
	for name := range x.asked {
		if value := x.asked.Get(name); name != "scope" && value != "" {
			changes[name] = audit.Change{After: value}
		}
	}
	return s.store.InTx(tenancy.Platform(ctx), func(ctx context.Context, tx *store.Tx) error {
		return tx.Audit(ctx, audit.Event{Action: "usage.export", AccountID: x.at.AccountID, Plane: tenancy.Plane(x.at.Plane),
			ScopeID: x.at.ID, ScopePath: x.at.Path, TargetID: x.at.ID, TargetName: x.at.Name, Changes: changes})
	})
}

// fileName says what is in the file: the kind, the account, the plane, the
// time, the filters.
func (x *usageExport) fileName() string {
	parts := []string{x.kind, x.account.Slug}
	if x.kind != "platform" {
		parts = append(parts, strings.ToLower(string(x.plane)))
	}
	parts = append(parts, x.from.In(x.zone).Format("20060102"), x.to.In(x.zone).Format("20060102"))
	for _, name := range usageParameters {
		value := x.asked.Get(name)
		if slices.Contains([]string{"kind", "from", "to", "columns"}, name) || (name == "plane" && x.kind != "platform") || value == "" {
			continue
		}
		parts = append(parts, name+"."+value)
	}
	for i, p := range parts {
		parts[i] = strings.Trim(notInNames.ReplaceAllString(p, "-"), "-")
	}
	name := strings.Join(parts, "_")
	return name[:min(len(name), 180)] + ".csv"
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

// tokens are the columns of a sum's counts.
func tokens(row map[string]string, calls int64, u budget.Usage) {
	for name, n := range map[string]int64{"calls": calls, "input_tokens": u.Input, "cached_input_tokens": u.CachedInput, "cache_write_tokens": u.CacheWrite,
		"output_tokens": u.Output, "reasoning_tokens": u.Reasoning, "audio_input_tokens": u.AudioInput, "audio_output_tokens": u.AudioOutput} {
		row[name] = whole(n)
	}
}

var tokenColumns = []string{"input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "audio_input_tokens", "audio_output_tokens"}
