package secret

import (
	"crypto/ed25519"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSigningKey(t *testing.T) {
	t.Parallel()
	tokens, err := SigningKey(testKey, AccessTokens)
	require.NoError(t, err)
	again, err := SigningKey(testKey, AccessTokens)
	require.NoError(t, err)
	require.Equal(t, tokens, again, "every replica derives the same key")

	checkpoints, err := SigningKey(testKey, AuditCheckpoints)
	require.NoError(t, err)
	other, err := SigningKey("//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=", AccessTokens)
	require.NoError(t, err)
	for _, k := range []ed25519.PrivateKey{checkpoints, other} {
		signature := ed25519.Sign(k, []byte("text"))
		require.False(t, ed25519.Verify(tokens.Public().(ed25519.PublicKey), []byte("text"), signature))
	}
	_, err = SigningKey("short", AccessTokens)
	require.ErrorContains(t, err, "master key")
}

// The example of RFC 8037, appendix A.
func TestKeyID(t *testing.T) {
	t.Parallel()
	public, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	require.NoError(t, err)
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", KeyID(public))
}
