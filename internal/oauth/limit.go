package oauth

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/alchemi/cockpit/internal/identity"
)

// How often a minute, and at once.
const (
	// perAddress is what an address may get wrong, as when signing in, and how
	// often it may open the page that asks for consent.
	perAddress = 60
	// perProgram is for a program that has proved who it is: it may act for all
	// people of its account.
	perProgram = 6000
	// perPublic is for a program at one address; that is all that is known of it.
	perPublic = 600
)

func (s *Server) take(name string, perMinute int) (giveBack func(), err error) {
	giveBack, wait := s.attempts.Take(identity.Allowance{Of: name, PerMinute: perMinute})
	if wait > 0 {
		r := refuse("slow_down", "Too many requests. Wait as long as Retry-After says, then try again.")
		r.status, r.wait = http.StatusTooManyRequests, wait
		return nil, r
	}
	return giveBack, nil
}

func seconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// Limited bounds how often an address may open a page.
func (s *Server) Limited(page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, wait := s.attempts.Take(identity.Allowance{Of: "page " + s.IP(r), PerMinute: perAddress}); wait > 0 {
			w.Header().Set("Retry-After", seconds(wait))
			http.Error(w, "Too many attempts from your address. Wait a moment, then try again.", http.StatusTooManyRequests)
			return
		}
		page.ServeHTTP(w, r)
	})
}
