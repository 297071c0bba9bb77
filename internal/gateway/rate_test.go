package gateway

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r := rates{now: func() time.Time { return now }, of: map[string]*minute{}}
	for left := 2; left >= 0; left-- {
		got, ok := r.take("key_a", 3)
		require.True(t, ok)
		require.Equal(t, rate{3, left, time.Minute}, got)
	}
	now = now.Add(59 * time.Second)
	got, ok := r.take("key_a", 3)
	require.False(t, ok)
	require.Equal(t, rate{3, 0, time.Second}, got)
	_, ok = r.take("key_b", 3)
	require.True(t, ok, "keys don't share a minute")
	_, ok = r.take("key_a", 4)
	require.True(t, ok, "a raised limit holds at once")
	now = now.Add(time.Second)
	_, ok = r.take("key_a", 3)
	require.True(t, ok)

	for i := range manyKeys {
		r.take(fmt.Sprint(i), 1)
	}
	now = now.Add(time.Minute)
	r.take("new", 1)
	require.Len(t, r.of, 1, "ended minutes don't pile up")
}
