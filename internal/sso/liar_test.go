package sso_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/secret"
)

// liar is an identity provider that says whatever a test wants.
type liar struct {
	*httptest.Server
	t                testing.TB
	clientID, secret string
	key              *rsa.PrivateKey

	mu sync.Mutex
	// codes are what the token endpoint gives for each.
	codes map[string]*code
	// document changes what it says of itself, mint how a token is made,
	// userInfo what is known besides.
	document func(map[string]any)
	mint     func(claims map[string]any) string
	userInfo map[string]any
	// asked counts requests by path.
	asked map[string]int
}

type code struct {
	claims    map[string]any
	challenge string
}

// keys are made once: each costs a moment.
var key, stranger = sync.OnceValue(newKey), sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

func newLiar(t testing.TB, clientID string) *liar {
	t.Helper()
	l := &liar{t: t, clientID: clientID, secret: "a secret of " + clientID, key: key(), codes: map[string]*code{}, asked: map[string]int{}}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *liar) sign(alg jose.SignatureAlgorithm, with any, claims map[string]any) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: with}, (&jose.SignerOptions{}).WithHeader("kid", "one"))
	require.NoError(l.t, err)
	text, err := json.Marshal(claims)
	require.NoError(l.t, err)
	signed, err := signer.Sign(text)
	require.NoError(l.t, err)
	out, err := signed.CompactSerialize()
	require.NoError(l.t, err)
	return out
}

func unsigned(claims map[string]any) string {
	text, _ := json.Marshal(claims)
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(text) + "."
}

// answer is what the provider sends the browser back with: a code for a token
// with these claims; nil values take claims out.
func (l *liar) answer(asked url.Values, claims map[string]any) url.Values {
	l.t.Helper()
	require.Equal(l.t, "S256", asked.Get("code_challenge_method"))
	require.Equal(l.t, "code", asked.Get("response_type"))
	all := map[string]any{"iss": l.URL, "aud": l.clientID, "sub": "1", "nonce": asked.Get("nonce"),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
		"email": "ada@alpha.example", "email_verified": true, "name": "Ada Lovelace", "groups": []string{}}
	for name, value := range claims {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	name := secret.Token()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.codes[name] = &code{all, asked.Get("code_challenge")}
	return url.Values{"state": {asked.Get("state")}, "code": {name}}
}

func (l *liar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[r.URL.Path]++
	reply := func(status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		doc := map[string]any{"issuer": l.URL, "authorization_endpoint": l.URL + "/authorize", "token_endpoint": l.URL + "/token",
			"jwks_uri": l.URL + "/keys", "userinfo_endpoint": l.URL + "/me", "id_token_signing_alg_values_supported": []string{"RS256", "HS256", "none"}}
		if l.document != nil {
			l.document(doc)
		}
		reply(http.StatusOK, doc)
	case "/keys":
		reply(http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &l.key.PublicKey, KeyID: "one", Algorithm: "RS256", Use: "sig"}}})
	case "/me":
		if l.userInfo == nil {
			reply(http.StatusUnauthorized, map[string]any{})
			return
		}
		reply(http.StatusOK, l.userInfo)
	case "/token":
		l.token(r, reply)
	default:
		http.NotFound(w, r)
	}
}

func (l *liar) token(r *http.Request, reply func(int, any)) {
	id, given, _ := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	given, _ = url.QueryUnescape(given)
	c := l.codes[r.FormValue("code")]
	delete(l.codes, r.FormValue("code"))
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	switch {
	case id != l.clientID || given != l.secret:
		reply(http.StatusUnauthorized, map[string]any{"error": "invalid_client", "error_description": "the secret was " + given})
	case c == nil || base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge || !strings.HasPrefix(r.FormValue("redirect_uri"), cockpitURL+"/sso/callback/"):
		reply(http.StatusBadRequest, map[string]any{"error": "invalid_grant"})
	default:
		mint := l.mint
		if mint == nil {
			mint = func(claims map[string]any) string { return l.sign(jose.RS256, l.key, claims) }
		}
		out := map[string]any{"access_token": "x", "token_type": "Bearer"}
		if t := mint(c.claims); t != "" {
			out["id_token"] = t
		}
		reply(http.StatusOK, out)
	}
}
