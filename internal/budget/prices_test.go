package budget

import (
	"encoding/json"
	"math/big"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/money"
)

func nano(n int64) money.Nano { return money.Nano(n) }

func bigScale(a, by, of int64) money.Nano {
	q := new(big.Int).Mul(big.NewInt(a), big.NewInt(max(0, by)))
	q.Div(q, big.NewInt(of))
	if !q.IsInt64() {
		return money.Max
	}
	return money.Nano(q.Int64())
}

func TestEachTokenIsChargedOnceByItsClass(t *testing.T) {
	t.Parallel()
	price := func(n int64) *money.Nano { p := money.Nano(n * 1_000_000); return &p }
	all := Prices{Input: *price(1), CachedInput: price(2), CacheWrite: price(4), Output: *price(8), Reasoning: price(16), AudioInput: price(32), AudioOutput: price(64), Request: *price(128)}
	bare := Prices{Input: *price(1), Output: *price(8)}
	for _, c := range []struct {
		usage     Usage
		all, bare int64
	}{
		{Usage{}, 128, 0},
		{Usage{Input: 1}, 129, 1},
		{Usage{CachedInput: 1}, 130, 1},
		{Usage{CacheWrite: 1}, 132, 1},
		{Usage{Output: 1}, 136, 8},
		{Usage{Reasoning: 1}, 144, 8},
		{Usage{AudioInput: 1}, 160, 1},
		{Usage{AudioOutput: 1}, 192, 8},
		{Usage{1, 1, 1, 1, 1, 1, 1}, 255, 28},
	} {
		got, err := all.Cost(c.usage)
		require.NoError(t, err)
		require.Equal(t, nano(c.all), got, c.usage)
		got, err = bare.Cost(c.usage)
		require.NoError(t, err)
		require.Equal(t, nano(c.bare), got, c.usage)
	}
}

// A hold made for prompt and output tokens covers them in whichever class the
// provider counts them.
func TestBoundCoversEveryClass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		price := rapid.Map(rapid.Int64Range(0, 1e12), nano)
		maybe := rapid.Ptr(price, true)
		p := Prices{price.Draw(t, "input"), maybe.Draw(t, "cached"), maybe.Draw(t, "write"), price.Draw(t, "output"), maybe.Draw(t, "reasoning"), maybe.Draw(t, "audio in"), maybe.Draw(t, "audio out"), price.Draw(t, "request")}
		n := rapid.Int64Range(0, 1e5)
		u := Usage{n.Draw(t, "i"), n.Draw(t, "ci"), n.Draw(t, "cw"), n.Draw(t, "o"), n.Draw(t, "r"), n.Draw(t, "ai"), n.Draw(t, "ao")}
		call := Call{Plane: "COPILOT", PriceID: "p", Prices: p, FactorPPM: rapid.Int64Range(1, 1e9).Draw(t, "factor")}
		bound := Usage{Input: u.Input + u.CachedInput + u.CacheWrite + u.AudioInput, Output: u.Output + u.Reasoning + u.AudioOutput}
		cost, amount, err := call.bound(bound)
		require.NoError(t, err)
		used, err := call.costOf(u)
		require.NoError(t, err)
		require.LessOrEqual(t, used, cost)

		fit, ok := call.Fit(bound, amount)
		require.Equal(t, bound.Output > 0, ok)
		if ok {
			require.Equal(t, bound, fit)
			half, ok := call.Fit(bound, amount/2)
			_, needs, err := call.bound(half)
			require.NoError(t, err)
			if ok {
				require.LessOrEqual(t, needs, amount/2)
			}
			half.Output++
			if _, more, err := call.bound(half); err == nil && half.Output <= bound.Output {
				require.Greater(t, more, amount/2, "not one token more would fit")
			}
		}
	})
}

// The pages are held against the same table.
func TestAmountsReadAsOnThePages(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../ui/src/lib/amounts.json")
	require.NoError(t, err)
	var rows [][3]string
	require.NoError(t, json.Unmarshal(text, &rows))
	require.NotEmpty(t, rows)
	for _, r := range rows {
		n, err := money.Parse(r[0])
		require.NoError(t, err)
		require.Equal(t, r[1], AmountText(USD, n), r[0])
		require.Equal(t, r[2], AmountText(Credits, n), r[0])
	}
	require.Equal(t, "$9,223,372,036.85", AmountText(USD, money.Max))
}
