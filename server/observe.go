package server

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
)

// observe gives every request an id and the safe headers, logs it when it is
// over, and turns a panic into an answer.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		requestID := id.New(id.Request) // never the caller's own: it goes into the audit log
		rec := &recorder{ResponseWriter: w}
		s.safeHeaders(w.Header())
		w.Header().Set("X-Request-Id", requestID)
		r = r.WithContext(audit.WithRequestID(r.Context(), requestID))
		defer func() {
			cause := recover()
			if cause != nil && cause != http.ErrAbortHandler { //nolint:errorlint // recover gives the very value
				s.log.ErrorContext(r.Context(), "panic", "cause", cause, "requestId", requestID, "stack", string(debug.Stack()))
				if rec.status == 0 {
					refuse(rec, http.StatusInternalServerError, fault.New(fault.Internal, "Something went wrong on our side. Try again; if it stays, report the request id."))
				} else {
					cause = http.ErrAbortHandler // half an answer mustn't look whole
				}
			}
			s.logRequest(r, rec, requestID, time.Since(started))
			if cause == http.ErrAbortHandler { //nolint:errorlint // as above
				panic(cause)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// newAnswered makes the metric of all requests; WebSockets are left out.
func newAnswered() *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "cockpit_http_request_seconds", Help: "Time from a request to the end of its answer, by door and status.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"door", "status"})
}

// logRequest leaves the query out: it may carry what mustn't be kept.
func (s *Server) logRequest(r *http.Request, rec *recorder, requestID string, took time.Duration) {
	level, door := slog.LevelInfo, ""
	switch {
	case strings.HasPrefix(r.URL.Path, "/v1/"):
		door = "gateway"
	case r.URL.Path == "/graphql":
		door = "graphql"
	default:
		level, door = slog.LevelDebug, "pages"
	}
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	if status != http.StatusSwitchingProtocols {
		s.answered.WithLabelValues(door, strconv.Itoa(status)).Observe(took.Seconds())
	}
	if status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	s.log.Log(r.Context(), level, "request", "method", r.Method, "path", r.URL.Path, "status", status, "bytes", rec.bytes,
		"took", took.Round(10*time.Microsecond), "from", s.clientIP(r), "requestId", requestID)
}

// safeHeaders are those of every answer; pages set a wider policy of their own.
func (s *Server) safeHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	if strings.HasPrefix(s.cfg.PublicURL, "https://") {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
}

// clientIP is the caller's address: the peer, or what the nearest trusted
// proxies say of whom they serve.
func (s *Server) clientIP(r *http.Request) string {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	trusted := func(a string) bool {
		ip, err := netip.ParseAddr(a)
		return err == nil && slices.ContainsFunc(s.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(ip.Unmap()) })
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusted(host); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		host = hop.String()
	}
	return host
}

// client is where a request comes from, as sessions keep it.
func (s *Server) client(r *http.Request) identity.Client {
	return identity.Client{IP: s.clientIP(r), UserAgent: r.UserAgent()}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails only when the caller has gone
}

// refuse answers with an error in a shape that clients of both doors read:
// GraphQL's list, and the object that model SDKs look for.
func refuse(w http.ResponseWriter, status int, e *fault.Error) {
	requestID := w.Header().Get("X-Request-Id")
	reply(w, status, map[string]any{
		"errors": []any{map[string]any{"message": e.Message, "extensions": map[string]any{"code": e.Code, "requestId": requestID}}},
		"error":  map[string]any{"message": e.Message, "type": "invalid_request_error", "code": strings.ToLower(string(e.Code)), "param": nil},
	})
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush implements http.Flusher, which event streams ask for.
func (r *recorder) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }

// Hijack implements http.Hijacker, which WebSockets ask for.
func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if r.status == 0 {
		r.status = http.StatusSwitchingProtocols
	} // else a stream is cut off
	return http.NewResponseController(r.ResponseWriter).Hijack()
}
