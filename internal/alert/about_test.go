package alert

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
)

func TestAmountsReadWell(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]money.Nano{
		"$0.00": 0, "$0.50": money.One / 2, "$12.99": 12_986_000_000, "$1,234,567.00": 1_234_567 * money.One, "$0.000032": 32_400, "$1.00": money.One - 1,
	} {
		require.Equal(t, want, amount(budget.USD, n))
	}
	require.Equal(t, "13,000 credits", amount(budget.Credits, 13_000*money.One))
	require.Equal(t, "0.0001 credits", amount(budget.Credits, 100_000))
}

func TestThresholdsArePassedExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit, spent money.Nano
		refused      bool
		want         []int
	}{
		{0, 0, true, nil},
		{100, 79, false, nil},
		{100, 80, false, []int{80}},
		{1_000_000_000 * money.One, 950_000_000 * money.One, false, []int{80, 95}}, // near the largest: no overflow
		{100, 98, true, []int{80, 95}},
		{100, 99, true, []int{80, 95, 100}},
		{100, 99, false, []int{80, 95}},
		{100, 120, false, []int{80, 95, 100}},
		{100, -5, false, nil},
	} {
		require.Equal(t, c.want, passed(budget.State{Limit: c.limit, Spent: c.spent}, Thresholds, c.refused), c)
	}
}
