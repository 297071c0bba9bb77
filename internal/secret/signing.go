package secret

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Purpose keeps signatures of one kind from being taken for another: each has a
// key of its own.
type Purpose string

// What is signed.
const (
	// AccessTokens are the bearers that /oauth/token gives out.
	AccessTokens Purpose = "access tokens"
	// AuditCheckpoints vouch for the audit log up to a number.
	AuditCheckpoints Purpose = "audit checkpoints"
)

// SigningKey derives the Ed25519 key of a purpose from the master key, so that
// every replica has it and no table does. Another master key makes another one.
func SigningKey(masterKey string, p Purpose) (ed25519.PrivateKey, error) {
	key, err := decode(masterKey)
	if err != nil {
		return nil, err
	}
	seed, err := hkdf.Key(sha256.New, key, nil, "cockpit signing key 1: "+string(p), ed25519.SeedSize)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// KeyID names a public key by its JWK thumbprint (RFC 7638, RFC 8037).
func KeyID(public ed25519.PublicKey) string {
	x := base64.RawURLEncoding.EncodeToString(public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
