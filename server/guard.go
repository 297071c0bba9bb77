package server

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	cookieName = "cockpit_session"
	// csrfHeader can't be set by a page of another origin without our leave.
	csrfHeader = "X-Cockpit-Csrf"
	// maxOperation bounds a GraphQL request, in bytes.
	maxOperation = 1 << 20
	// maxSlowBody is how long a request's body may take to come.
	maxSlowBody = 30 * time.Second
)

// guardGraphQL lets through what comes from our own pages or from no page at
// all, and binds the session's viewer.
func (s *Server) guardGraphQL(next http.Handler) http.Handler {
	return singleCredential(boundBody(maxOperation, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Origin")
		session, _ := r.Cookie(cookieName)
		authorization := r.Header.Get("Authorization")
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		socket := strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
		switch {
		case !s.epochs.Fresh():
			w.Header().Set("Retry-After", "1")
			refuse(w, http.StatusServiceUnavailable, identity.ErrStale)
			return
		case authorization != "" || preflight(r):
			s.serveBearer(w, r, authorization, next)
			return
		case (!safe || socket) && !s.sameOrigin(r):
			refuse(w, http.StatusForbidden, fault.New(fault.Forbidden, "The request comes from a page of another origin. Use Cockpit's own pages, or a program without an Origin header."))
			return
		case !safe && session != nil && r.Header.Get(csrfHeader) != "1":
			refuse(w, http.StatusForbidden, fault.New(fault.Forbidden, "Requests with a session cookie need the header X-Cockpit-CSRF: 1."))
			return
		}
		ctx := r.Context()
		if session != nil {
			v, err := s.sessions.Viewer(ctx, session.Value)
			switch {
			case err == nil:
				ctx = tenancy.WithViewer(ctx, v)
			case fault.Is(err, fault.Unauthenticated): // as good as signed out
				if !socket {
					s.comeBack(w, r, session.Value)
				}
			default:
				s.log.ErrorContext(ctx, "a session can't be looked up", "cause", err)
				refuse(w, http.StatusServiceUnavailable, identity.ErrStale)
				return
			}
		}
		if !socket { // whose answer has gone out already
			ctx = graph.WithCookies(ctx, s.cookies(w, r))
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})))
}

// comeBack gives those their own session back whose support access is over. It
// counts from the next request on: this one was meant for the account.
func (s *Server) comeBack(w http.ResponseWriter, r *http.Request, token string) {
	signed, err := s.sessions.Back(r.Context(), token, s.client(r))
	switch {
	case err != nil:
		s.log.ErrorContext(r.Context(), "a session can't be given back", "cause", err)
	case signed != nil:
		s.cookies(w, r).Set(signed.Token)
	}
}

// cookies lets sign-in and sign-out reach the browser.
func (s *Server) cookies(w http.ResponseWriter, r *http.Request) graph.Cookies {
	set := func(token string, age time.Duration) {
		//nolint:gosec // not Secure only over plain HTTP on this machine
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: token, Path: "/", MaxAge: int(age / time.Second),
			HttpOnly: true, Secure: s.cfg.secureCookies(), SameSite: http.SameSiteLaxMode})
	}
	return graph.Cookies{
		Set:   func(token string) { set(token, identity.MaxSessionLifetime) },
		Clear: func() { set("", -time.Second) },
		From:  s.client(r),
	}
}

// sameOrigin tells requests of our own pages, and of programs, from those of
// other pages.
func (s *Server) sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if s.cfg.PublicURL != "" && strings.EqualFold(origin, strings.TrimRight(s.cfg.PublicURL, "/")) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// singleCredential refuses requests that are two people at once.
func singleCredential(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie(cookieName); err == nil && r.Header.Get("Authorization") != "" {
			refuse(w, http.StatusBadRequest, fault.New(fault.BadInput, "The request carries a session cookie and an Authorization header. Send one of them."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// boundBody bounds a request's body in size.
func boundBody(most int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > most {
			refuse(w, http.StatusRequestEntityTooLarge, fault.New(fault.BadInput, "The request is larger than the %d bytes that are taken here.", most))
			return
		}
		if r.ContentLength != 0 {
			r.Body = http.MaxBytesReader(w, r.Body, most)
		}
		next.ServeHTTP(w, r)
	})
}

// hurry bounds the time that a request's body takes to come; the answer may
// take longer.
func hurry(most time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		if r.ContentLength != 0 && conn.SetReadDeadline(time.Now().Add(most)) == nil {
			r.Body = &timedBody{ReadCloser: r.Body, conn: conn}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody lifts the deadline once the body has come: the connection is read
// on to learn of callers who leave.
type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		_ = b.conn.SetReadDeadline(time.Time{}) // it could be set, so it can be lifted
	}
	return n, err
}
