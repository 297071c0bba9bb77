// Package identity knows who is who: accounts and their trees, users, seats
// and roles, sign-in, sessions and virtual keys.
package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/alchemi/cockpit/internal/fault"
)

// argon2id by OWASP's second choice: 19 MiB, two passes, one lane.
const (
	argonMemory = 19 * 1024
	argonPasses = 2
	argonLanes  = 1
	argonLength = 32
)

// MinPassword is how many characters a password needs at least.
const MinPassword = 12

// hashing bounds the memory that simultaneous sign-ins may take.
var hashing = make(chan struct{}, 4)

// HashPassword makes an argon2id hash in PHC form. Passwords of fewer than 12
// or more than 256 characters are refused.
func HashPassword(ctx context.Context, password string) (string, error) {
	if len(password) < MinPassword || len(password) > 256 {
		return "", fault.At("password", "A password needs 12 to 256 characters.")
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	sum, err := derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, argonMemory, argonPasses, argonLanes, enc.EncodeToString(salt), enc.EncodeToString(sum)), nil
}

// nobody is compared with where there is no such login, so that the answer
// takes as long.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func checkPassword(ctx context.Context, hash, password string) (bool, error) {
	if hash == "" {
		hash = nobody
	}
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", argonMemory, argonPasses, argonLanes) {
		return false, fmt.Errorf("identity: a password hash of an unknown kind")
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("identity: password hash: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return false, fmt.Errorf("identity: password hash: %w", err)
	}
	got, err := derive(ctx, password, salt)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && hash != nobody, nil
}

func derive(ctx context.Context, password string, salt []byte) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, argonPasses, argonMemory, argonLanes, argonLength), nil
}
