package idtoken_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/idtoken"
	"github.com/alchemi/cockpit/internal/idtoken/idtokentest"
)

// Each thing that can be wrong with a token is wrong by itself, whoever asks.
func TestWhatATokenMustSatisfy(t *testing.T) {
	t.Parallel()
	i, stranger := idtokentest.New(t), idtokentest.New(t)
	p, err := oidc.NewProvider(t.Context(), i.URL)
	require.NoError(t, err)
	want := idtoken.Wanted{Clients: []string{idtokentest.ClientID, "cli_program"}, Now: time.Now}
	ours := want
	ours.SignIn = &idtoken.SignIn{Nonce: "n1", AccessToken: "access"}
	now := time.Now()
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, claims := range map[string]map[string]any{
		"as it comes":      {},
		"for the program":  {"aud": "cli_program"},
		"for several":      {"aud": []string{"other", idtokentest.ClientID}, "azp": idtokentest.ClientID},
		"party elsewhere":  {"aud": "cli_program", "azp": idtokentest.ClientID},
		"a clock ahead":    {"iat": at(4 * time.Minute), "nbf": at(4 * time.Minute)},
		"a nonce unasked":  {"nonce": "anything"},
		"an unasked token": {"at_hash": "AAAA"},
	} {
		got, err := idtoken.Verify(t.Context(), p, i.Sign(t, claims), want)
		require.NoError(t, err, name)
		require.Equal(t, "somebody", got.Subject)
		require.Equal(t, i.URL, got.Claims["iss"])
	}
	_, err = idtoken.Verify(t.Context(), p, i.Sign(t, map[string]any{"nonce": "n1"}), ours)
	require.NoError(t, err)

	good := i.Sign(t, nil)
	parts := strings.Split(good, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	for name, token := range map[string]string{
		"nothing": "", "no token": "abc", "unsigned": none, "without a signature": parts[0] + "." + parts[1] + ".",
		"another's key":        idtokentest.Sign(t, jose.RS256, jose.JSONWebKey{Key: stranger.Key, KeyID: "1"}, "JWT", i.Claims(nil)),
		"public key as secret": idtokentest.Sign(t, jose.HS256, jose.JSONWebKey{Key: i.Key.PublicKey.N.Bytes(), KeyID: "1"}, "JWT", i.Claims(nil)),
		"not announced":        idtokentest.Sign(t, jose.PS256, jose.JSONWebKey{Key: i.Key, KeyID: "1"}, "JWT", i.Claims(nil)),
		// Nothing of a token is read before its signature holds.
		"another's key, expired": idtokentest.Sign(t, jose.RS256, jose.JSONWebKey{Key: stranger.Key, KeyID: "1"}, "JWT", i.Claims(map[string]any{"exp": at(-time.Hour)})),
	} {
		_, err := idtoken.Verify(t.Context(), p, token, want)
		require.ErrorIs(t, err, idtoken.ErrUnsigned, name)
	}
	for name, c := range map[string]struct {
		claims map[string]any
		want   idtoken.Wanted
		err    error
	}{
		"another issuer":    {map[string]any{"iss": "https://evil.example"}, want, idtoken.ErrIssuer},
		"no issuer":         {map[string]any{"iss": nil}, want, idtoken.ErrIssuer},
		"another audience":  {map[string]any{"aud": "other"}, want, idtoken.ErrAudience},
		"no audience":       {map[string]any{"aud": nil}, want, idtoken.ErrAudience},
		"party alone":       {map[string]any{"aud": "other", "azp": idtokentest.ClientID}, want, idtoken.ErrAudience},
		"several, no party": {map[string]any{"aud": []string{idtokentest.ClientID, "other"}}, want, idtoken.ErrParty},
		"another party":     {map[string]any{"azp": "other"}, want, idtoken.ErrParty},
		"an empty party":    {map[string]any{"azp": ""}, want, idtoken.ErrParty},
		"a party of sorts":  {map[string]any{"azp": 7}, want, idtoken.ErrParty},
		"expired":           {map[string]any{"exp": at(-time.Second)}, want, idtoken.ErrTime},
		"no expiry":         {map[string]any{"exp": nil}, want, idtoken.ErrTime},
		"not yet valid":     {map[string]any{"nbf": at(time.Hour)}, want, idtoken.ErrTime},
		"from the future":   {map[string]any{"iat": at(6 * time.Minute)}, want, idtoken.ErrFuture},
		"no subject":        {map[string]any{"sub": nil}, want, idtoken.ErrSubject},
		"a long subject":    {map[string]any{"sub": strings.Repeat("x", 256)}, want, idtoken.ErrSubject},
		"no text":           {map[string]any{"sub": "a\x00b"}, want, idtoken.ErrSubject},
		"another nonce":     {map[string]any{"nonce": "n2"}, ours, idtoken.ErrNonce},
		"no nonce":          {nil, ours, idtoken.ErrNonce},
		"another access":    {map[string]any{"nonce": "n1", "at_hash": "AAAA"}, ours, idtoken.ErrAccessToken},
	} {
		got, err := idtoken.Verify(t.Context(), p, i.Sign(t, c.claims), c.want)
		require.ErrorIs(t, err, c.err, name)
		require.Nil(t, got, name)
	}
}

func TestPeekReadsWhatIsSignedAlone(t *testing.T) {
	t.Parallel()
	i := idtokentest.New(t)
	says, ok := idtoken.Peek(i.Sign(t, map[string]any{"aud": []string{"a", "b"}, "azp": "c"}))
	require.True(t, ok)
	require.Equal(t, idtoken.Claimed{Issuer: i.URL, Clients: []string{"a", "b", "c"}}, says)
	for name, claims := range map[string]map[string]any{
		"no issuer": {"iss": nil}, "no text": {"iss": "a\x00"}, "a client of sorts": {"aud": []string{"a\n"}}, "a long client": {"aud": strings.Repeat("x", 501)},
		"no list": {"aud": 7}, "a party of sorts": {"azp": 7},
	} {
		_, ok := idtoken.Peek(i.Sign(t, claims))
		require.False(t, ok, name)
	}
	_, ok = idtoken.Peek(idtokentest.Sign(t, jose.HS256, []byte(strings.Repeat("k", 32)), "JWT", i.Claims(nil)))
	require.False(t, ok, "a secret is no public key")
	rapid.Check(t, func(t *rapid.T) { idtoken.Peek(rapid.String().Draw(t, "text")) })
}
