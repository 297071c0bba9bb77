package server

import (
	"context"
	"net/http"
	"strings"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// newAccess loads the policies, for GraphQL and gateway alike.
func (s *Server) newAccess() (*access.Engine, error) {
	e, err := access.New(graph.Schema())
	if err != nil {
		return nil, err
	}
	e.Introspection = s.cfg.Introspection
	e.Present = s.present
	e.Refused = s.recordDenial
	e.Off = func(ctx context.Context, name string, t access.Target, who string) *fault.Error {
		return s.features.Off(ctx, feature.Feature(name), t.Plane, t.Path, t.Within, who)
	}
	return e, nil
}

func (s *Server) newGraph(box *secret.Box) *graph.Handler {
	return graph.New(&graph.Resolver{Store: s.store, Epochs: s.epochs, Access: s.access, Grants: s.grants, Guards: s.guards, Features: s.features, Sessions: s.sessions, SSO: s.sso, OAuth: s.oauth,
		Catalog: s.catalog, Budgets: s.budget, Requests: s.requests, Agents: s.agents, Audit: s.stream, Box: box, Notify: s.notify, Webhooks: s.webhooks, Connections: s.connections, Shelves: s.shelves, Mailer: s.mailer, Probe: prober(s.outbound), URL: s.URL(), Log: s.log, CreditValue: s.creditValue})
}

// recordDenial puts what the policies refused into the audit log of those who
// tried.
func (s *Server) recordDenial(ctx context.Context, d access.Decision) {
	e := audit.Event{Action: string(d.Action), Outcome: auditevent.OutcomeREFUSED, Reason: d.Reason, DecisionID: d.ID,
		AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopeID: id.PlatformID, ScopePath: "/",
		TargetName: strings.Join(d.Coordinates, " ")}
	if e.Action == "" {
		e.Action = "operation.run"
	}
	if v := tenancy.ViewerFrom(ctx); v != nil && !v.Platform {
		e.AccountID, e.Plane, e.ScopeID, e.ScopePath = v.AccountID, tenancy.PlaneAccount, v.AccountID, "/"+v.AccountID+"/"
	}
	s.refusals.Record(ctx, e)
}

func serveSDL() http.HandlerFunc {
	sdl := []byte(graph.SDL())
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(sdl) // fails only when the caller has gone
	}
}
