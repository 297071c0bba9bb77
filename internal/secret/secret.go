// Package secret seals what must be stored but never shown: provider keys and
// the like, under a master key from outside the database.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// Box seals and opens with AES-256-GCM.
type Box struct{ aead cipher.AEAD }

// ErrOpen says that a sealed value was made under another key or for another
// place, or was changed.
var ErrOpen = errors.New("secret: can't be opened with this master key")

// NewBox makes a box from a master key: 32 bytes in base64.
func NewBox(masterKey string) (*Box, error) {
	key, err := decode(masterKey)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	return &Box{aead}, nil
}

func decode(masterKey string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(masterKey)
	if err != nil || len(key) != 32 {
		return nil, errors.New("secret: the master key must be 32 bytes in base64 (openssl rand -base64 32)")
	}
	return key, nil
}

// Seal encrypts plain for one place (a row's id), so that it can't be moved to
// another row.
func (b *Box) Seal(place, plain string) []byte {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(plain)+b.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return b.aead.Seal(nonce, nonce, []byte(plain), []byte(place))
}

// Open decrypts what Seal made for the same place; ErrOpen otherwise.
func (b *Box) Open(place string, sealed []byte) (string, error) {
	n := b.aead.NonceSize()
	if len(sealed) < n {
		return "", ErrOpen
	}
	plain, err := b.aead.Open(nil, sealed[:n], sealed[n:], []byte(place))
	if err != nil {
		return "", ErrOpen
	}
	return string(plain), nil
}

// Hint is what may be shown of a secret: its last four characters, or nothing
// of one that is too short to lose four.
func Hint(plain string) string {
	if len(plain) < 12 {
		return "set"
	}
	return plain[len(plain)-4:]
}

// Token makes an unguessable text of 43 characters.
func Token() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Hash is how tokens are stored and looked up. They carry 256 bits of
// randomness, so a plain hash can't be reversed by guessing.
func Hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
