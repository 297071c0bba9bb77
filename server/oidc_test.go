package server

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// issuer is an OpenID provider that signs what it is told.
type issuer struct {
	url string
	key *rsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	i := &issuer{key: key}
	mux := http.NewServeMux()
	web := httptest.NewServer(mux)
	t.Cleanup(web.Close)
	i.url = web.URL
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"issuer": i.url, "jwks_uri": i.url + "/jwks", "authorization_endpoint": i.url + "/auth",
			"token_endpoint": i.url + "/token", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	})
	return i
}

// sign makes an ID token with claims over good ones.
func (i *issuer) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	return sign(t, jose.RS256, jose.JSONWebKey{Key: i.key, KeyID: "1"}, "JWT", i.claims(claims))
}

func (i *issuer) claims(more map[string]any) map[string]any {
	all := map[string]any{"iss": i.url, "aud": "cockpit-at-idp", "sub": "somebody", "iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix()}
	for k, v := range more {
		all[k] = v
	}
	return all
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, kind string, claims map[string]any) string {
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

// provide makes the issuer an identity provider of an account.
func (i *issuer) provide(t *testing.T, s *Server, accountID string) *ent.IdentityProvider {
	t.Helper()
	var p *ent.IdentityProvider
	require.NoError(t, s.store.InTx(tenancy.System(t.Context(), "test"), func(ctx context.Context, tx *store.Tx) (err error) {
		tx.Unaudited()
		p, err = tx.IdentityProvider.Create().SetAccountID(accountID).SetPlane(identityprovider.PlaneACCOUNT).SetName("IdP").
			SetIssuer(i.url).SetClientID("cockpit-at-idp").SetScopes([]string{"openid"}).SetStatus(identityprovider.StatusACTIVE).Save(ctx)
		return err
	}))
	return p
}
