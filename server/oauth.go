package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// openOAuth starts what gives out tokens and knows them again.
func (s *Server) openOAuth() error {
	key, err := s.cfg.masterKey()
	if err != nil {
		return err
	}
	s.oauth, err = oauth.New(oauth.Options{Store: s.store, Epochs: s.epochs, Refusals: s.refusals, Issuer: strings.TrimRight(s.URL(), "/"),
		MasterKey: key, Client: s.outbound, IP: s.clientIP, Log: s.log})
	if err != nil {
		return fmt.Errorf("tokens: %w", err)
	}
	s.tasks.Go(func() { s.oauth.Bearers().Run(s.background) })
	return nil
}

// present returns the context's viewer as they stand now, nil when their
// session or token has ended.
func (s *Server) present(ctx context.Context) *tenancy.Viewer {
	if _, ok := oauth.Bound(ctx); ok {
		return s.oauth.Bearers().Present(ctx)
	}
	return s.sessions.Present(ctx)
}

// serveBearer lets programs in: no cookie comes along, so a page elsewhere can
// do no more than its own token lets it.
func (s *Server) serveBearer(w http.ResponseWriter, r *http.Request, authorization string, next http.Handler) {
	allowAnyOrigin(w, r)
	if preflight(r) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	switch {
	case !ok:
		unauthorized(w, fault.New(fault.Unauthenticated, "Send a token as \"Authorization: Bearer …\", or sign in with a browser."))
		return
	case strings.HasPrefix(token, "ck_"):
		unauthorized(w, fault.New(fault.Unauthenticated, "Virtual keys are for model calls under /v1. GraphQL takes an access token, a personal token, or a signed-in session."))
		return
	}
	ctx, err := s.oauth.Bearers().Bind(r.Context(), token)
	switch {
	case err == nil:
		next.ServeHTTP(w, r.WithContext(ctx))
	case fault.Is(err, fault.Unauthenticated):
		unauthorized(w, oauth.ErrBearer)
	default:
		if fault.As(err) == nil {
			s.log.ErrorContext(ctx, "a bearer can't be looked up", "cause", err)
		}
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, identity.ErrStale)
	}
}

func unauthorized(w http.ResponseWriter, e *fault.Error) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="cockpit", error="invalid_token"`)
	refuse(w, http.StatusUnauthorized, e)
}

// preflight tells the question that browsers ask before a page of another
// origin sends a token.
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// fromAnywhere answers pages of every origin: what they send has a credential
// of its own or needs none.
func fromAnywhere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		allowAnyOrigin(w, r)
		if preflight(r) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allowAnyOrigin never allows credentials, so browsers send no cookie along.
func allowAnyOrigin(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, ETag")
	if preflight(r) {
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match")
		h.Set("Access-Control-Max-Age", "600")
	}
}
