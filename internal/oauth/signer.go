package oauth

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
)

const (
	// audience is what our access tokens are for; no other issuer's are taken.
	audience = "cockpit"
	// tokenType keeps other signed things from being taken for access tokens.
	tokenType = "at+jwt"
	// maxToken bounds what is parsed, in bytes.
	maxToken = 8 << 10
	// skew is how far the clocks of replicas may lie apart.
	skew = time.Minute
)

// claims of an access token (RFC 9068, RFC 8693).
type claims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
	Account  string `json:"account"`
	Scope    string `json:"scope"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"`
	Nonce    string `json:"nonce,omitempty"`
	// Authorization is the consent behind the token, if there is one.
	Authorization string `json:"authorization,omitempty"`
	// Exchanged tells how the program showed the subject, where there is none.
	Exchanged *exchanged `json:"exchanged,omitempty"`
	// Actor names the program that acts for the subject.
	Actor *actor `json:"act,omitempty"`
}

type actor struct {
	Subject string `json:"sub"`
}

// How a subject was shown in a token exchange.
const (
	byName     = "user_id"
	byProvider = "id_token"
)

// exchanged is what an exchanged token rests on. It is asked for again whenever
// the token is looked up.
type exchanged struct {
	By string `json:"by"`
	// Provider signed the ID token, and was then as As says.
	Provider string `json:"provider,omitempty"`
	As       string `json:"as,omitempty"`
}

func exchangedBy(p *ent.IdentityProvider) *exchanged {
	// What decides whom a token of the provider's is about.
	return &exchanged{By: byProvider, Provider: p.ID, As: secret.Hash(strings.Join([]string{p.Issuer, p.ClientID, p.EmailClaim}, "\x00"))}
}

// signer signs tokens and knows them again.
type signer struct {
	issuer  string
	tokens  ed25519.PrivateKey
	refresh ed25519.PrivateKey
	kid     string
	jose    jose.Signer
	// keys is what /.well-known/jwks.json says.
	keys jose.JSONWebKeySet
}

func newSigner(issuer, masterKey string) (*signer, error) {
	s := &signer{issuer: issuer}
	var err error
	if s.tokens, err = secret.SigningKey(masterKey, secret.AccessTokens); err != nil {
		return nil, err
	}
	if s.refresh, err = secret.SigningKey(masterKey, secret.RefreshTokens); err != nil {
		return nil, err
	}
	checkpoints, err := secret.SigningKey(masterKey, secret.AuditCheckpoints)
	if err != nil {
		return nil, err
	}
	s.kid = secret.KeyID(publicOf(s.tokens))
	for _, k := range []ed25519.PrivateKey{s.tokens, checkpoints} {
		s.keys.Keys = append(s.keys.Keys, jose.JSONWebKey{Key: publicOf(k), KeyID: secret.KeyID(publicOf(k)),
			Algorithm: string(jose.EdDSA), Use: "sig"})
	}
	s.jose, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: s.tokens, KeyID: s.kid}},
		(&jose.SignerOptions{}).WithType(tokenType))
	if err != nil {
		return nil, fmt.Errorf("oauth: signer: %w", err)
	}
	return s, nil
}

func publicOf(k ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(k[ed25519.SeedSize:])
}

func (s *signer) sign(c claims) (string, error) {
	c.Issuer, c.Audience = s.issuer, audience
	payload, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("oauth: claims: %w", err)
	}
	signed, err := s.jose.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("oauth: sign: %w", err)
	}
	return signed.CompactSerialize()
}

// verify returns the claims of an access token of ours that is in force, and
// nothing of any other text.
func (s *signer) verify(token string, now time.Time) (claims, bool) {
	if len(token) > maxToken {
		return claims{}, false
	}
	parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return claims{}, false
	}
	head := parsed.Signatures[0].Header
	if head.KeyID != s.kid || head.ExtraHeaders[jose.HeaderType] != tokenType {
		return claims{}, false
	}
	payload, err := parsed.Verify(publicOf(s.tokens))
	if err != nil {
		return claims{}, false
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil || c.Issuer != s.issuer || c.Audience != audience ||
		!now.Before(time.Unix(c.Expires, 0)) || now.Add(skew).Before(time.Unix(c.IssuedAt, 0)) {
		return claims{}, false
	}
	return c, true
}

const refreshPrefix = "cr_"

// refreshToken makes a refresh token of a consent. It is signed, so that one
// that was given out before tells itself from one that somebody made up.
func (s *signer) refreshToken(authorizationID string) string {
	body := refreshPrefix + authorizationID + "." + secret.Token()
	return body + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(s.refresh, []byte(body)))
}

// refreshOf tells which consent a refresh token was given out for, if it was.
func (s *signer) refreshOf(token string) (authorizationID string, ok bool) {
	at := strings.LastIndexByte(token, '.')
	if at < 0 || len(token) > maxToken {
		return "", false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[at+1:])
	if err != nil || !ed25519.Verify(publicOf(s.refresh), []byte(token[:at]), signature) {
		return "", false
	}
	authorizationID, _, _ = strings.Cut(strings.TrimPrefix(token[:at], refreshPrefix), ".")
	return authorizationID, id.Is(authorizationID, id.Authorization)
}
