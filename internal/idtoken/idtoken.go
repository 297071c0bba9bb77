// Package idtoken says what an OpenID Connect ID token must satisfy before
// anything of it is believed, wherever somebody shows one.
package idtoken

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// Algorithms are those that a token may be signed with. `none` and those where
// the client secret would be the key are not among them, whatever a provider
// announces.
var Algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// What can be wrong with a token. None of them quotes it.
var (
	ErrUnsigned    = errors.New("the ID token isn't signed by the provider's keys")
	ErrIssuer      = errors.New("the ID token is of another issuer")
	ErrAudience    = errors.New("the ID token is for another client")
	ErrParty       = errors.New("the ID token was made for another client")
	ErrTime        = errors.New("the ID token has expired, or isn't valid yet")
	ErrFuture      = errors.New("the ID token is from the future; check the clocks")
	ErrNonce       = errors.New("the ID token is of another sign-in: its nonce differs")
	ErrSubject     = errors.New("the ID token names no subject")
	ErrAccessToken = errors.New("the access token isn't the one that the ID token names")
	ErrClaims      = errors.New("the ID token's claims can't be read")
)

// leeway is how far ahead of ours an issuer's clock may be; go-oidc grants the
// same to `nbf`.
const leeway = 5 * time.Minute

// Wanted is what a token is held against.
type Wanted struct {
	// Clients are whom it may be made for: one of them must be the audience, and
	// the authorized party wherever that is named.
	Clients []string
	// Algorithms that the provider announces; empty for what its discovery
	// document says.
	Algorithms []string
	// SignIn is what it must be the answer to; nil for one that we didn't ask for.
	SignIn *SignIn
	Now    func() time.Time
}

// SignIn is what we know of a sign-in whose answer a token is.
type SignIn struct {
	Nonce string
	// AccessToken came beside the ID token, which may name it.
	AccessToken string
}

// Token is one that holds.
type Token struct {
	Subject string
	// Audience has the authorized party alone where one is named.
	Audience []string
	Claims   map[string]any
}

// Verify holds a token against its provider's keys, and then against what is
// wanted. It returns one of the errors of this package.
func Verify(ctx context.Context, p *oidc.Provider, raw string, want Wanted) (*Token, error) {
	config := oidc.Config{SkipClientIDCheck: true, SupportedSigningAlgs: want.Algorithms, Now: want.Now}
	signed := config
	signed.SkipIssuerCheck, signed.SkipExpiryCheck = true, true
	t, err := p.Verifier(&signed).Verify(ctx, raw)
	if err != nil {
		return nil, ErrUnsigned
	}
	issued := config
	issued.SkipExpiryCheck = true
	if _, err := p.Verifier(&issued).Verify(ctx, raw); err != nil {
		return nil, ErrIssuer
	}
	out := &Token{Subject: t.Subject, Audience: t.Audience}
	if err := t.Claims(&out.Claims); err != nil {
		return nil, ErrClaims
	}
	ours := func(name string) bool { return slices.Contains(want.Clients, name) }
	if !slices.ContainsFunc(t.Audience, ours) {
		return nil, ErrAudience
	}
	if azp, named := out.Claims["azp"]; named || len(t.Audience) > 1 {
		party, _ := azp.(string)
		if !ours(party) {
			return nil, ErrParty
		}
		out.Audience = []string{party}
	}
	if _, err := p.Verifier(&config).Verify(ctx, raw); err != nil {
		return nil, ErrTime
	}
	switch {
	case want.SignIn != nil && subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(want.SignIn.Nonce)) != 1:
		return nil, ErrNonce
	case t.IssuedAt.After(want.Now().Add(leeway)):
		return nil, ErrFuture
	case t.Subject == "" || len(t.Subject) > 255 || strings.ContainsFunc(t.Subject, unicode.IsControl):
		return nil, ErrSubject
	case want.SignIn != nil && t.AccessTokenHash != "" && t.VerifyAccessToken(want.SignIn.AccessToken) != nil:
		return nil, ErrAccessToken
	}
	return out, nil
}

// Claimed is what a token says of itself before anything of it is proved: it
// chooses whose keys it is held against, and nothing else.
type Claimed struct {
	Issuer string
	// Clients are its audience and its authorized party.
	Clients []string
}

// Peek reads whose token a text claims to be; false for what is no signed
// token.
func Peek(raw string) (Claimed, bool) {
	algorithms := make([]jose.SignatureAlgorithm, len(Algorithms))
	for i, a := range Algorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	parsed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return Claimed{}, false
	}
	var says struct {
		Issuer   string   `json:"iss"`
		Audience audience `json:"aud"`
		Party    string   `json:"azp"`
	}
	if json.Unmarshal(parsed.UnsafePayloadWithoutVerification(), &says) != nil || says.Issuer == "" {
		return Claimed{}, false
	}
	out := Claimed{says.Issuer, append(says.Audience, says.Party)}
	for _, name := range append(out.Clients, out.Issuer) {
		if len(name) > 500 || strings.ContainsFunc(name, unicode.IsControl) { // nobody's name: don't look for it
			return Claimed{}, false
		}
	}
	return out, true
}

// audience is one name or several.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}
