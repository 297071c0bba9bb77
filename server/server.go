package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/alert"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/mcp"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/internal/webhook"
)

// Server is one replica: everything started, listening, not yet answering.
type Server struct {
	cfg      *Config
	log      *slog.Logger
	listener net.Listener
	metrics  *prometheus.Registry
	answered *prometheus.HistogramVec

	store    *store.Store
	epochs   *store.Epochs
	refusals *audit.Refusals
	stream   *audit.Stream
	sealer   *audit.Sealer
	exports  chan struct{} // a place for each that runs
	// creditValue is what a credit is sold for, in nano-USD.
	creditValue money.Nano
	sessions    *identity.Sessions
	sso         *sso.Gate
	keys        *identity.Keys
	oauth       *oauth.Server
	grants      *grant.Grants
	guards      *guardrail.Guards
	features    *feature.Flags
	catalog     *catalog.Catalog
	budget      *budget.Engine
	requests    *request.Requests
	outbound    *http.Client
	mailer      *mail.Mailer
	notify      *notify.Notifier
	watcher     *alert.Watcher
	webhooks    *webhook.Webhooks
	agents      *agents.Agents
	credentials *credential.Store
	connections *connections.Connections
	gateway     *gateway.Gateway
	tools       *mcp.Gateway
	shelves     *mcp.Shelves
	access      *access.Engine
	graph       *graph.Handler
	demo        demo.Env

	// background ends what runs beside the requests, after the last of them.
	background context.Context
	tasks      sync.WaitGroup
	// closers end the parts, the newest first.
	closers []func(context.Context) error
	// draining is set from the signal to stop on.
	draining atomic.Bool
}

// New opens the database, migrates it, recovers what a crash left behind, and
// listens. A listener that can't be had is told before anything is touched.
func New(ctx context.Context, cfg *Config) (_ *Server, err error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, log: cfg.Logger(), metrics: prometheus.NewRegistry(), answered: newAnswered()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close(context.WithoutCancel(ctx)))
		}
	}()
	s.metrics.MustRegister(s.answered, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.listener, err = listen(ctx, cfg.Listen); err != nil {
		return nil, err
	}
	s.onClose(func(context.Context) error { return closed(s.listener.Close()) })
	options, err := cfg.Options(s.log)
	if err != nil {
		return nil, err
	}
	if err := s.open(ctx, options); err != nil {
		return nil, err
	}
	var stop context.CancelFunc
	s.background, stop = context.WithCancel(context.WithoutCancel(ctx))
	s.onClose(func(context.Context) error { stop(); s.tasks.Wait(); return nil })
	box, err := cfg.box()
	if err != nil {
		return nil, err
	}
	ppm, err := cfg.factorPPM()
	if err != nil {
		return nil, err
	}
	if s.creditValue, err = cfg.creditValue(); err != nil {
		return nil, err
	}
	if cfg.Demo {
		if err := s.tellDemo(ctx, options, box, ppm); err != nil {
			return nil, err
		}
	}
	if s.epochs, err = s.store.WatchEpochs(s.background); err != nil {
		return nil, err
	}
	s.refusals = audit.NewRefusals(s.writeRefusal, s.store.Now, s.log)
	s.onClose(func(context.Context) error { s.refusals.Close(); return nil })
	if s.mailer, err = cfg.SMTP.newMailer(s.log); err != nil {
		return nil, err
	}
	s.onClose(s.mailer.Close)
	s.sessions = identity.NewSessions(s.store, s.epochs, s.refusals)
	if err := cfg.BreakGlass.allow(ctx, s.sessions, s.log); err != nil {
		return nil, err
	}
	s.keys = identity.NewKeys(s.store, s.epochs)
	s.outbound = outbound.NewClient(cfg.outbound())
	if err := s.openOAuth(); err != nil {
		return nil, err
	}
	s.grants = grant.New(s.store, s.epochs)
	s.guards = guardrail.New(guardrail.Options{Store: s.store, Epochs: s.epochs, Box: box, Client: s.outbound, Refusals: s.refusals, Log: s.log, Metrics: s.metrics})
	s.features = feature.New(s.store, s.epochs)
	s.catalog = catalog.New(s.store, s.epochs, box, ppm, s.log)
	if err := s.keepAudit(); err != nil {
		return nil, err
	}
	eraser := &identity.Eraser{Store: s.store, Log: s.log}
	s.tasks.Go(func() { eraser.Run(s.background) })
	s.budget = budget.New(s.store, budget.Options{NodeTimeout: cfg.NodeTimeout, Journal: cfg.journal(), Epochs: s.epochs, Log: s.log})
	if err := s.budget.Start(ctx); err != nil {
		return nil, fmt.Errorf("budgets: %w", err)
	}
	s.onClose(s.budget.Close)
	s.tasks.Go(func() { s.budget.KeepRenewing(s.background) })
	s.openNotices(box)
	if s.access, err = s.newAccess(); err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	s.requests = &request.Requests{Store: s.store, Budgets: s.budget, Access: s.access, Grants: s.grants, Tell: s.tellRequest, Log: s.log}
	s.tasks.Go(func() { s.requests.Run(s.background) })
	s.agents = &agents.Agents{Store: s.store, Notify: s.notify}
	s.tasks.Go(func() { s.agents.KeepOwned(s.background, s.log) })
	live := agents.NewLive(s.store, s.epochs)
	s.gateway = gateway.New(gateway.Options{Keys: s.keys, Bearers: s.oauth.Bearers(), Access: s.access, Grants: s.grants, Guards: s.guards, Features: s.features, Agents: live, Catalog: s.catalog, Budget: s.budget,
		Client: s.outbound, Exceeded: s.watcher.Refused, Refusals: s.refusals, MaxBody: cfg.MaxBody, AskAt: s.URL() + "/me", Log: s.log, Metrics: s.metrics})
	s.onClose(func(context.Context) error { s.gateway.Close(); return nil })
	if err := s.openConnections(box, live); err != nil {
		return nil, err
	}
	s.openMarketplace()
	s.sessions.MailReset = s.mailReset()
	s.sso = s.newSSO(box)
	s.graph = s.newGraph(box)
	if cfg.Demo {
		s.checkDemo(ctx)
	}
	return s, nil
}

func (s *Server) onClose(f func(context.Context) error) { s.closers = append(s.closers, f) }

func (s *Server) close(ctx context.Context) error {
	var err error
	for _, f := range slices.Backward(s.closers) {
		err = errors.Join(err, f(ctx))
	}
	s.closers = nil
	return err
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address with --listen", err)
	}
	return l, nil
}

// closed forgets that something was closed already.
func closed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (s *Server) open(ctx context.Context, o store.Options) (err error) {
	if o.URL == "" {
		unlock, err := lock(o.Dir)
		if err != nil {
			return err
		}
		s.onClose(func(context.Context) error { return unlock() })
	}
	if s.store, err = store.Open(o); err != nil {
		return err
	}
	s.onClose(func(context.Context) error { return s.store.Close() })
	applied, err := s.store.Migrate(ctx)
	if err != nil {
		return err
	}
	if len(applied) > 0 {
		s.log.InfoContext(ctx, "database migrated", "applied", applied)
	}
	return identity.CreatePlatform(ctx, s.store)
}

// writeRefusal writes one refused or failed attempt to the audit log.
func (s *Server) writeRefusal(ctx context.Context, e audit.Event) error {
	ctx = tenancy.System(ctx, "refusals are recorded for whoever was refused")
	return s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return tx.Audit(ctx, e) })
}

// URL is where the server is reached: the public address, else the one it
// listens on.
func (s *Server) URL() string {
	if s.cfg.PublicURL != "" {
		return s.cfg.PublicURL
	}
	return "http://" + s.listener.Addr().String()
}

// Demo has the variables of the demo; nil without one.
func (s *Server) Demo() demo.Env { return s.demo }

// Serve answers requests until the context ends. Then it turns unready, takes
// no more connections, lets what runs end within the grace, settles the rest,
// and closes everything.
func (s *Server) Serve(ctx context.Context) error {
	web := s.newHTTP(s.routes())
	web.RegisterOnShutdown(s.graph.Close) // browsers come back to another replica
	served := make(chan error, 2)
	go func() { served <- web.Serve(s.listener) }()
	if s.cfg.MetricsListen != "" {
		l, err := listen(ctx, s.cfg.MetricsListen)
		if err != nil {
			return errors.Join(err, web.Close(), s.close(context.WithoutCancel(ctx)))
		}
		m := s.newHTTP(s.metricsHandler())
		go func() { served <- m.Serve(l) }()
		s.onClose(func(context.Context) error { return m.Close() })
	}
	s.log.InfoContext(ctx, "ready", "address", s.URL(), "database", s.store.Dialect)

	var err error
	select {
	case <-ctx.Done():
		s.log.InfoContext(ctx, "stopping", "grace", s.cfg.ShutdownGrace)
	case err = <-served:
	}
	s.draining.Store(true)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownGrace)
	defer cancel()
	if late := web.Shutdown(grace); late != nil {
		s.log.WarnContext(ctx, "the grace is over; what still ran is cut off and settled")
	}
	s.gateway.Close()
	s.tools.Close()
	err = errors.Join(err, web.Close())
	final, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return errors.Join(err, s.close(final))
}

// newHTTP has no timeout on writing: streams last as long as they last, and
// the gateway bounds each of their writes.
func (s *Server) newHTTP(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Run starts a server, tells started about it, and serves until the context
// ends.
func Run(ctx context.Context, cfg *Config, started func(*Server)) error {
	TuneMemory()
	s, err := New(ctx, cfg)
	if err != nil {
		return err
	}
	started(s)
	return s.Serve(ctx)
}
