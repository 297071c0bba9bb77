package server

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/demo/upstream"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
)

// tellDemo fills an empty database with the demo's story and sees to it that
// its model provider runs, here or elsewhere.
func (s *Server) tellDemo(ctx context.Context, o store.Options, box *secret.Box, ppm int64) error {
	seeded, err := demo.Seeded(ctx, s.store)
	if err != nil {
		return err
	}
	if !seeded {
		if err := s.seedDemo(ctx, o, box, ppm); err != nil {
			return err
		}
	}
	if s.demo == nil { // told before, or by another replica meanwhile
		at, err := demo.Upstream(ctx, s.store)
		if err != nil {
			return err
		}
		if err := s.provideAt(ctx, at); err != nil {
			return err
		}
		if s.demo, err = demo.Load(s.cfg.Data); errors.Is(err, fs.ErrNotExist) {
			s.log.WarnContext(ctx, "this database got its demo data from another data directory; the demo's keys are in that one's demo.env", "data", s.cfg.Data)
			return nil
		} else if err != nil {
			return err
		}
	}
	s.demo[demo.URL] = s.URL()
	return s.demo.Save(s.cfg.Data)
}

func (s *Server) seedDemo(ctx context.Context, o store.Options, box *secret.Box, ppm int64) error {
	at := s.cfg.DemoUpstream
	var own net.Listener
	if at == "" {
		var err error
		if own, err = listen(ctx, "127.0.0.1:0"); err != nil {
			return err
		}
		at = "http://" + own.Addr().String()
	}
	stop := func() {}
	if own != nil {
		stop = s.provide(own)
	}
	started := time.Now()
	env, err := demo.Seed(ctx, demo.Options{Store: o, Box: box, FactorPPM: ppm, Upstream: at, Client: outbound.NewClient(s.cfg.outbound()), Now: s.store.Now()})
	if err != nil || env == nil {
		stop()
		return err
	}
	s.demo = env
	s.log.InfoContext(ctx, "demo data loaded", "took", time.Since(started).Round(time.Millisecond))
	return nil
}

// provideAt serves the demo provider where the demo's models look for it. While
// another process does, it waits for its turn.
func (s *Server) provideAt(ctx context.Context, at string) error {
	if s.cfg.DemoUpstream != "" {
		return nil
	}
	u, err := url.Parse(at)
	if err != nil {
		return err
	}
	if l, err := listen(ctx, u.Host); err == nil {
		s.provide(l)
		return nil
	}
	s.log.InfoContext(ctx, "another process serves the demo's model provider", "address", at)
	s.tasks.Go(func() {
		again := time.NewTicker(time.Second)
		defer again.Stop()
		for {
			select {
			case <-s.background.Done():
				return
			case <-again.C:
				if l, err := listen(s.background, u.Host); err == nil {
					s.provide(l)
					return
				}
			}
		}
	})
	return nil
}

// provide serves the demo provider until it is stopped, or the server ends.
func (s *Server) provide(l net.Listener) (stop func()) {
	web := s.newHTTP(upstream.Handler())
	stop = func() { _ = web.Close() } // its streams are settled by then
	s.tasks.Go(func() {
		if err := web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the demo's model provider ended", "cause", err)
		}
	})
	context.AfterFunc(s.background, stop)
	return stop
}

// checkDemo warns where demo.env tells of another database.
func (s *Server) checkDemo(ctx context.Context) {
	if key := s.demo[demo.ConsoleKey]; key != "" {
		if _, err := s.keys.Principal(ctx, key); err != nil {
			s.log.WarnContext(ctx, "the keys in demo.env are not of this database; choose another --data", "cause", err)
		}
	}
}
