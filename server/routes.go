package server

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/oauth"
)

// routes are all addresses of the server.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/graphql", s.guardGraphQL(s.graph))
	s.oauth.Routes(func(pattern string, h http.Handler) { mux.Handle(pattern, fromAnywhere(h)) })
	mux.Handle("/export/usage", s.guardGraphQL(http.HandlerFunc(s.exportUsage)))
	mux.Handle("/export/audit", s.guardGraphQL(http.HandlerFunc(s.exportAudit)))
	mux.Handle("POST /agents/{id}/try", s.guardGraphQL(http.HandlerFunc(s.tryAgent)))
	mux.Handle("/v1/", singleCredential(boundBody(s.cfg.MaxBody, s.gateway)))
	mux.Handle("/mcp", singleCredential(boundBody(s.cfg.MaxBody, s.tools)))
	s.routeSSO(mux)
	s.routeConnections(mux)
	mux.HandleFunc("GET /schema.graphql", serveSDL())
	mux.Handle("GET /export/accounts/{id}", singleCredential(s.exportAccounts(make(chan struct{}, exportsAtOnce))))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	if s.cfg.MetricsListen == "" {
		mux.Handle("GET /metrics", onThisMachine(s.metricsHandler()))
	}
	pages := newPages()
	if s.cfg.Introspection {
		mux.HandleFunc("GET /graphiql", func(w http.ResponseWriter, r *http.Request) { pages.html(w, r, graphiql) })
	}
	mux.Handle("GET "+oauth.AuthorizePath, s.oauth.Limited(pages))
	mux.Handle("/", pages)
	return s.observe(hurry(maxSlowBody, mux))
}

func (s *Server) metricsHandler() http.Handler {
	return promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{})
}

// onThisMachine refuses callers from elsewhere, and whatever came through a
// proxy on this machine.
func onThisMachine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		ip, err := netip.ParseAddr(host)
		if err != nil || !ip.Unmap().IsLoopback() || r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" {
			refuse(w, http.StatusForbidden, fault.New(fault.Forbidden, "Metrics answer programs on this machine alone. Start the server with --metrics-listen to serve them elsewhere."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ready says whether a load balancer may send requests here. Recovery is done
// before the server answers at all.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	problem := ""
	switch {
	case s.draining.Load():
		problem = "the server is stopping"
	case !s.epochs.Fresh():
		problem = "revocations can't be learned of: the database answers too slowly or not at all"
	case s.store.Ping(r.Context()) != nil:
		problem = "the database can't be reached"
	}
	if problem != "" {
		reply(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "reason": problem})
		return
	}
	reply(w, http.StatusOK, map[string]string{"status": "ready"})
}
