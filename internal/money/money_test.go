package money

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Nano{
		"0": 0, "-0": 0, "1": One, "12.5": 12*One + One/2, "0.000000001": 1, "-3.25": -3*One - One/4,
		"0000000000000000001": One, "9223372036.854775807": Max,
	} {
		got, err := Parse(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
	for in, want := range map[string]error{
		"": ErrSyntax, "-": ErrSyntax, ".5": ErrSyntax, "5.": ErrSyntax, "1e9": ErrSyntax, "+1": ErrSyntax, " 1": ErrSyntax,
		"1,5": ErrSyntax, "0.0000000001": ErrSyntax, "--1": ErrSyntax, "NaN": ErrSyntax, "1.-1": ErrSyntax,
		"9223372036.854775808": ErrOverflow, "99999999999": ErrOverflow, "18446744073709551616": ErrOverflow,
	} {
		_, err := Parse(in)
		require.ErrorIs(t, err, want, in)
	}
}

func TestStringIsParsedBack(t *testing.T) {
	t.Parallel()
	require.Equal(t, "-9223372036.854775808", Nano(math.MinInt64).String())
	rapid.Check(t, func(t *rapid.T) {
		n := Nano(rapid.Int64Min(-math.MaxInt64).Draw(t, "n"))
		got, err := Parse(n.String())
		require.NoError(t, err)
		require.Equal(t, n, got)
	})
}

func FuzzParse(f *testing.F) {
	f.Add("12.5")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(n.String())
		require.NoError(t, err)
		require.Equal(t, n, again)
	})
}

func TestAdd(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		want := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		got, err := Add(Nano(a), Nano(b))
		if want.IsInt64() {
			require.NoError(t, err)
			require.Equal(t, want.Int64(), int64(got))
		} else {
			require.ErrorIs(t, err, ErrOverflow)
		}
	})
}

// The 128-bit arithmetic must agree with arbitrary precision everywhere.
func TestCostAndCredits(t *testing.T) {
	t.Parallel()
	million := big.NewInt(perMillion)
	ceil := func(x *big.Int) *big.Int {
		q, r := new(big.Int).QuoRem(x, million, new(big.Int))
		if r.Sign() > 0 {
			q.Add(q, big.NewInt(1))
		}
		return q
	}
	check := func(t *rapid.T, want *big.Int, got Nano, err error) {
		if want.IsInt64() {
			require.NoError(t, err)
			require.Equal(t, want.Int64(), int64(got))
		} else {
			require.ErrorIs(t, err, ErrOverflow)
		}
	}
	amount := rapid.OneOf(rapid.Int64Range(0, 1_000_000_000), rapid.Int64Min(0))
	rapid.Check(t, func(t *rapid.T) {
		var lines []Line
		sum := new(big.Int)
		for range rapid.IntRange(0, 6).Draw(t, "lines") {
			l := Line{amount.Draw(t, "units"), Nano(amount.Draw(t, "price"))}
			lines = append(lines, l)
			sum.Add(sum, new(big.Int).Mul(big.NewInt(l.Units), big.NewInt(int64(l.Price))))
		}
		got, err := Cost(lines...)
		check(t, ceil(sum), got, err)

		cost, ppm := amount.Draw(t, "cost"), amount.Draw(t, "ppm")
		got, err = Credits(Nano(cost), ppm)
		check(t, ceil(new(big.Int).Mul(big.NewInt(cost), big.NewInt(ppm))), got, err)
	})
	for _, l := range []Line{{-1, 1}, {1, -1}} {
		_, err := Cost(l)
		require.ErrorIs(t, err, ErrNegative)
	}
	_, err := Credits(-1, 1)
	require.ErrorIs(t, err, ErrNegative)
}

func TestRoundsUpOnce(t *testing.T) {
	t.Parallel()
	got, err := Cost(Line{1, 1}, Line{1, 1}, Line{1, 1})
	require.NoError(t, err)
	require.Equal(t, Nano(1), got, "three fractions of a nano round up together, not each")
}
