package secret

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const testKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func TestBox(t *testing.T) {
	t.Parallel()
	b, err := NewBox(testKey)
	require.NoError(t, err)
	sealed := b.Seal("prv_1", "sk-secret")
	require.NotContains(t, string(sealed), "sk-secret")
	require.NotEqual(t, sealed, b.Seal("prv_1", "sk-secret"), "every sealing differs")
	plain, err := b.Open("prv_1", sealed)
	require.NoError(t, err)
	require.Equal(t, "sk-secret", plain)

	_, err = b.Open("prv_2", sealed)
	require.ErrorIs(t, err, ErrOpen, "moved to another row")
	sealed[len(sealed)-1] ^= 1
	_, err = b.Open("prv_1", sealed)
	require.ErrorIs(t, err, ErrOpen, "changed")
	_, err = b.Open("prv_1", nil)
	require.ErrorIs(t, err, ErrOpen)
	for _, bad := range []string{"", "short", strings.Repeat("A", 44), "!!!"} {
		_, err = NewBox(bad)
		require.Error(t, err, bad)
	}
}

func TestHintAndToken(t *testing.T) {
	t.Parallel()
	require.Equal(t, "set", Hint("short"))
	require.Equal(t, "3456", Hint("sk-abcdef-123456"))
	require.Len(t, Token(), 43)
	first, second := Token(), Token()
	require.NotEqual(t, first, second)
	require.NotEqual(t, Hash("a"), Hash("b"))
}
