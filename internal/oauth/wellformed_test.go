package oauth

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// malformed are texts that no parameter can hold.
var malformed = map[string]string{
	"NUL alone":      "\x00",
	"NUL":            "a\x00b",
	"broken UTF-8":   "a\xff\xfe",
	"half a rune":    "\xe2\x82",
	"a surrogate":    "\xed\xa0\x80",
	"two lines":      "a\nb",
	"a bell":         "a\x07",
	"without an end": strings.Repeat("x", 40_000),
}

// reads are the parameters that the package asks a form for.
func reads(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := map[string]bool{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`(?:r\.get|PostForm\.Get)\("([a-z_]+)"\)`).FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Whatever a parameter holds, programs get an error of OAuth's, and the database
// is never asked for what it can't take.
func TestMalformedParametersAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		c, public := o.backend(t, o.A.Row.ID), o.program(t, o.A.Row.ID)
		i := o.issuer(t)
		o.provider(t, i, o.A.Row.ID)
		exchange := url.Values{"grant_type": {tokenExchange}, "client_id": {c.ID}, "client_secret": {c.secret}, "subject_token": {o.A.Console.Seat.UserID},
			"subject_token_type": {userIDType}, "requested_token_type": {accessTokenType}, "audience": {audience}, "scope": {"read"}, "account": {o.A.Row.ID}}
		require.Equal(t, http.StatusOK, o.send(t, TokenPath, exchange, "", "").Code, "well formed, it works")
		forms := map[string]struct {
			path string
			form url.Values
		}{
			"exchange": {TokenPath, exchange},
			"by token": {TokenPath, with(exchange, "subject_token_type", idTokenType, "subject_token", i.Sign(t, nil))},
			"itself":   {TokenPath, url.Values{"grant_type": {clientCredentials}, "client_id": {c.ID}, "client_secret": {c.secret}, "scope": {"read"}}},
			"code": {TokenPath, url.Values{"grant_type": {authorizationCode}, "client_id": {public.ID}, "code": {"x"}, "code_verifier": {verifier},
				"redirect_uri": {address}}},
			"refresh": {TokenPath, url.Values{"grant_type": {refreshing}, "client_id": {public.ID}, "refresh_token": {"x"}, "scope": {"read"}}},
			"revoke":  {RevokePath, url.Values{"client_id": {c.ID}, "client_secret": {c.secret}, "token": {"x"}, "token_type_hint": {"refresh_token"}}},
		}
		names := append(reads(t), "token_type_hint", "unheard_of")
		require.Contains(t, names, "subject_token")
		require.Greater(t, len(names), 15)
		n := 0
		refused := func(path string, form url.Values, user, password, code, why string) {
			n++
			o.ip.Store(fmt.Sprintf("192.0.2.%d", n)) // nobody waits here
			rec := o.send(t, path, form, user, password)
			var out map[string]string
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &out), "%s: %s", why, rec.Body)
			require.Equal(t, code, out["error"], "%s: %v", why, out)
			status := http.StatusBadRequest
			if code == "invalid_client" {
				status = http.StatusUnauthorized
			}
			require.Equal(t, status, rec.Code, why)
			require.NotContains(t, out["error_description"], "our side", why)
		}
		for kind, f := range forms {
			for _, name := range names {
				code := "invalid_request"
				if p, known := parameters[name]; known {
					code = p.code
				}
				for what, value := range malformed {
					refused(f.path, with(f.form, name, value), "", "", code, kind+" "+name+" "+what)
				}
			}
		}
		nameless := maps.Clone(exchange)
		nameless.Del("client_id")
		nameless.Del("client_secret")
		for what, value := range malformed {
			refused(TokenPath, nameless, value, c.secret, "invalid_client", "header, id, "+what)
			refused(TokenPath, nameless, c.ID, value, "invalid_client", "header, secret, "+what)
		}
		// What an ID token says is looked for too, some of it before it is proved.
		for claim, value := range map[string]any{"iss": "a\x00b", "aud": "a\x00b", "azp": "\x00", "sub": "a\x00b", "email": "a\x00@b.example"} {
			token := i.Sign(t, map[string]any{"aud": c.ID, "email_verified": true, claim: value})
			refused(TokenPath, with(exchange, "subject_token_type", idTokenType, "subject_token", token), "", "", "invalid_request", "ID token, "+claim)
		}
		many := make([]string, maxAudience+1)
		for at := range many {
			many[at] = id.New(id.Request)
		}
		refused(TokenPath, with(exchange, "subject_token_type", idTokenType, "subject_token", i.Sign(t, map[string]any{"aud": many})), "", "", "invalid_request", "many audiences")

		// The page that asks for consent tells the person.
		seat := o.A.Console.Seat
		good := AuthorizationRequest{ClientID: public.ID, RedirectURI: address, ResponseType: "code", Challenge: strings.Repeat("x", 43), ChallengeMethod: "S256"}
		_, err := o.Ask(tenancy.WithViewer(t.Context(), seat), seat, good)
		require.NoError(t, err)
		for what, value := range malformed {
			for field := range 8 {
				in := good
				*[]*string{&in.ClientID, &in.RedirectURI, &in.Scope, &in.ResponseType, &in.Challenge, &in.ChallengeMethod, &in.State, &in.Nonce}[field] = value
				_, err := o.Approve(tenancy.WithViewer(t.Context(), seat), seat, in)
				require.True(t, fault.Is(err, fault.BadInput), "%d, %s: %v", field, what, err)
			}
		}
	})
}

// Nor does anything else that somebody makes up.
func TestMadeUpParametersAreNoErrorOfOurs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, o *office) {
		c, n := o.backend(t, o.A.Row.ID), 0
		names := reads(t)
		rapid.Check(t, func(rt *rapid.T) {
			form := url.Values{"client_id": {c.ID}, "client_secret": {c.secret}}
			form.Set("grant_type", rapid.SampledFrom(slices.Sorted(maps.Keys(grants))).Draw(rt, "grant"))
			form.Set("subject_token_type", rapid.SampledFrom([]string{idTokenType, userIDType}).Draw(rt, "kind"))
			for range rapid.IntRange(1, 4).Draw(rt, "changes") {
				form.Set(rapid.SampledFrom(names).Draw(rt, "name"), string(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "value")))
			}
			n++
			o.ip.Store(fmt.Sprintf("192.0.2.%d", n))
			rec := o.send(t, rapid.SampledFrom([]string{TokenPath, RevokePath}).Draw(rt, "path"), form, "", "")
			if rec.Code >= http.StatusInternalServerError {
				rt.Fatalf("%d: %s", rec.Code, rec.Body)
			}
		})
	})
}

func with(form url.Values, pairs ...string) url.Values {
	out := maps.Clone(form)
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}
