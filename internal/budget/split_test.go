package budget

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/money"
)

func TestSharesAreExactlyWhatIsLeft(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		left := money.Nano(rapid.Int64Range(0, int64(Largest)).Draw(t, "left"))
		n := rapid.IntRange(1, 2000).Draw(t, "n")
		shares := split(left, n)
		require.Len(t, shares, n)
		require.Equal(t, shares, split(left, n), "the same every time")
		var sum money.Nano
		for i, s := range shares {
			require.GreaterOrEqual(t, s, money.Nano(0))
			sum += s
			require.LessOrEqual(t, shares[0]-s, money.Nano(1))
			if i > 0 {
				require.LessOrEqual(t, s, shares[i-1], "the first by id get the remainder")
			}
		}
		require.Equal(t, left, sum)
	})
}
