package server

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (s *Server) newSSO(box *secret.Box) *sso.Gate {
	return sso.New(sso.Options{Store: s.store, Sessions: s.sessions, Access: s.access, Refusals: s.refusals, Box: box,
		Client: s.outbound, ErrClosed: outbound.ErrForbidden, Networks: s.cfg.outbound(), DNSServer: s.cfg.DNSServer, Accept: identity.AcceptInvitation, URL: strings.TrimRight(s.URL(), "/")})
}

// routeSSO adds the two addresses that browsers pass on their way to an
// identity provider and back.
func (s *Server) routeSSO(mux *http.ServeMux) {
	mux.Handle("GET /sso/start", s.inBrowser(s.startSSO))
	mux.Handle("GET /sso/callback/{account}", s.inBrowser(s.finishSSO))
}

// inBrowser binds the viewer of the session cookie, if there is one.
func (s *Server) inBrowser(next http.HandlerFunc) http.Handler {
	return singleCredential(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.epochs.Fresh() {
			s.signInAgain(w, r, sso.Unreachable)
			return
		}
		ctx := r.Context()
		if session, err := r.Cookie(cookieName); err == nil {
			v, err := s.sessions.Viewer(ctx, session.Value)
			if err == nil {
				ctx = tenancy.WithViewer(ctx, v)
			} else if !fault.Is(err, fault.Unauthenticated) {
				s.log.ErrorContext(ctx, "a session can't be looked up", "cause", err)
				s.signInAgain(w, r, sso.Internal)
				return
			}
		}
		next(w, r.WithContext(ctx))
	}))
}

func (s *Server) startSSO(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	begun, refused := s.sso.Begin(r.Context(), sso.Begin{ProviderID: q.Get("provider"), Return: q.Get("return"),
		Invitation: q.Get("invitation"), Test: q.Get("test") == "1", From: s.client(r)})
	if refused != nil {
		s.log.InfoContext(r.Context(), "sign-in not begun", "code", refused.Code, "reason", refused.Reason, "cause", refused.Cause, "requestId", audit.RequestID(r.Context()))
		s.signInAgain(w, r, refused.Code)
		return
	}
	s.ssoCookie(w, begun.CookieName, begun.CookieValue, sso.FlowTime)
	http.Redirect(w, r, begun.URL, http.StatusSeeOther)
}

func (s *Server) finishSSO(w http.ResponseWriter, r *http.Request) {
	done, refused := s.sso.Finish(r.Context(), sso.Callback{AccountID: r.PathValue("account"), Query: r.URL.Query(), From: s.client(r),
		Cookie: func(name string) string {
			c, err := r.Cookie(name)
			if err != nil {
				return ""
			}
			return c.Value
		}})
	if done.Spent != "" {
		s.ssoCookie(w, done.Spent, "", -time.Second)
	}
	if refused != nil {
		s.signInAgain(w, r, refused.Code)
		return
	}
	if done.SignedIn != nil {
		s.cookies(w, r).Set(done.SignedIn.Token)
	}
	http.Redirect(w, r, done.Location, http.StatusSeeOther)
}

// ssoCookie stays with the browser while it is at the provider. Lax, for the
// way back is a link from another site.
func (s *Server) ssoCookie(w http.ResponseWriter, name, value string, age time.Duration) {
	//nolint:gosec // not Secure only over plain HTTP on this machine
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/sso/", MaxAge: int(age / time.Second),
		HttpOnly: true, Secure: s.cfg.secureCookies(), SameSite: http.SameSiteLaxMode})
}

// signInAgain leads to the sign-in page, which has words for the code.
func (s *Server) signInAgain(w http.ResponseWriter, r *http.Request, code sso.Code) {
	q := url.Values{"error": {string(code)}, "request": {audit.RequestID(r.Context())}}
	http.Redirect(w, r, "/sign-in?"+q.Encode(), http.StatusSeeOther)
}
