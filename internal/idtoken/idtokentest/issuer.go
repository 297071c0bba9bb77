// Package idtokentest is an OpenID provider for tests: it speaks the real wire
// format and signs what it is told.
package idtokentest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// Issuer is an OpenID provider that signs what it is told.
type Issuer struct {
	URL string
	Key *rsa.PrivateKey
	// Now is its clock.
	Now func() time.Time
}

// ClientID is Cockpit's at the issuer, unless a test says otherwise.
const ClientID = "cockpit-at-idp"

// New starts one.
func New(t testing.TB) *Issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	i := &Issuer{Key: key, Now: time.Now}
	mux := http.NewServeMux()
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	i.URL = web.URL
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/jwks", "authorization_endpoint": i.URL + "/auth",
			"token_endpoint": i.URL + "/token", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	return i
}

// Sign makes an ID token with claims over good ones.
func (i *Issuer) Sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	return Sign(t, jose.RS256, jose.JSONWebKey{Key: i.Key, KeyID: "1"}, "JWT", i.Claims(claims))
}

// Claims are good ones, changed; nil takes one out.
func (i *Issuer) Claims(more map[string]any) map[string]any {
	all := map[string]any{"iss": i.URL, "aud": ClientID, "sub": "somebody", "iat": i.Now().Unix(), "exp": i.Now().Add(5 * time.Minute).Unix()}
	for k, v := range more {
		all[k] = v
		if v == nil {
			delete(all, k)
		}
	}
	return all
}

// Sign makes a JWT of a kind with any key.
func Sign(t testing.TB, alg jose.SignatureAlgorithm, key any, kind string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(kind)))
	require.NoError(t, err)
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := s.Sign(payload)
	require.NoError(t, err)
	text, err := signed.CompactSerialize()
	require.NoError(t, err)
	return text
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
