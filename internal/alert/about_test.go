package alert

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
)

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
