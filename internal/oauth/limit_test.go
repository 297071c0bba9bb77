package oauth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Guessing is slowed by address, at both endpoints together; whoever is right
// isn't, nor is anybody elsewhere.
func TestGuessingIsSlowed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		c, public := o.backend(t, o.A.Row.ID), o.program(t, o.A.Row.ID)
		right := url.Values{"client_id": {c.ID}, "client_secret": {c.secret}, "grant_type": {tokenExchange}, "subject_token": {o.A.Console.Seat.UserID},
			"subject_token_type": {userIDType}}
		for range perAddress + 10 {
			require.Equal(t, http.StatusOK, o.send(t, TokenPath, right, "", "").Code, "a backend acts for everybody from one address")
		}
		wrong := map[string]func(i int) *httptest.ResponseRecorder{
			"secrets": func(i int) *httptest.ResponseRecorder {
				return o.send(t, []string{TokenPath, RevokePath}[i%2], with(right, "client_secret", "cs_guess"), "", "")
			},
			"programs": func(i int) *httptest.ResponseRecorder {
				return o.send(t, TokenPath, with(right, "client_id", fmt.Sprint("cli_", i)), "", "")
			},
			"codes": func(i int) *httptest.ResponseRecorder {
				return o.send(t, TokenPath, url.Values{"client_id": {public.ID}, "grant_type": {authorizationCode}, "code": {fmt.Sprint(i)},
					"code_verifier": {verifier}, "redirect_uri": {address}}, "", "")
			},
			"nonsense": func(int) *httptest.ResponseRecorder { return o.send(t, TokenPath, url.Values{}, "", "") },
		}
		for name, guess := range wrong {
			o.ip.Store("203.0.113." + name)
			for i := range perAddress {
				require.Contains(t, []int{http.StatusBadRequest, http.StatusUnauthorized}, guess(i).Code, name)
			}
			rec := guess(0)
			require.Equal(t, http.StatusTooManyRequests, rec.Code, name)
			require.Contains(t, rec.Body.String(), `"error":"slow_down"`)
			wait, err := strconv.Atoi(rec.Header().Get("Retry-After"))
			require.NoError(t, err)
			require.Positive(t, wait)
			require.Equal(t, http.StatusTooManyRequests, o.send(t, TokenPath, right, "", "").Code, "the right secret from there waits too")
			o.ip.Store("198.51.100." + name)
			require.Equal(t, http.StatusOK, o.send(t, TokenPath, right, "", "").Code, "elsewhere nobody waits")
			o.ip.Store("203.0.113." + name)
			o.pass(time.Duration(wait) * time.Second)
			require.NotEqual(t, http.StatusTooManyRequests, guess(0).Code, "it is right to come back when it says")
		}
		// The codes of a public program that are right cost an address nothing.
		o.ip.Store("192.0.2.7")
		for range 3 {
			status, got := o.redeem(t, public, o.code(t, o.A.Console.Seat, public))
			require.Equal(t, http.StatusOK, status, got)
		}
		for i := range perAddress {
			require.Equal(t, http.StatusBadRequest, wrong["codes"](i).Code, i)
		}
		require.Equal(t, http.StatusTooManyRequests, wrong["codes"](0).Code)

		page, opened := o.Limited(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })), 0
		for {
			rec := httptest.NewRecorder()
			page.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodGet, AuthorizePath, nil))
			if rec.Code == http.StatusTooManyRequests {
				require.NotEmpty(t, rec.Header().Get("Retry-After"))
				break
			}
			opened++
		}
		require.Equal(t, perAddress, opened)
	})
}

// A program that has proved who it is has an allowance of its own, wherever it
// calls from.
func TestProgramsHaveAnAllowance(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		c, other := o.backend(t, o.A.Row.ID), o.backend(t, o.B.Row.ID)
		for i := range perProgram {
			o.ip.Store(fmt.Sprint("192.0.2.", i%100))
			require.Equal(t, http.StatusOK, o.send(t, RevokePath, url.Values{"token": {"x"}}, c.ID, c.secret).Code)
		}
		rec := o.send(t, RevokePath, url.Values{"token": {"x"}}, c.ID, c.secret)
		require.Equal(t, http.StatusTooManyRequests, rec.Code)
		require.Equal(t, "1", rec.Header().Get("Retry-After"))
		require.Equal(t, http.StatusOK, o.send(t, RevokePath, url.Values{"token": {"x"}}, other.ID, other.secret).Code)
	})
}
