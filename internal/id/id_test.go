package id

import (
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Not parallel: ids for another time in between would begin a new sequence.
func TestNewIsUniqueAndSorted(t *testing.T) {
	const n = 10_000
	ids := make([]string, n)
	now := time.Now()
	for i := range ids {
		ids[i] = At(Team, now)
	}
	require.True(t, sort.StringsAreSorted(ids))
	seen := map[string]bool{}
	for _, s := range ids {
		require.False(t, seen[s], s)
		seen[s] = true
		require.True(t, Is(s, Team))
	}
}

func TestPrefixOf(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Prefix{
		PlatformID:                        Platform,
		"team_01JD0000000000000000000000": Team,
		"":                                "",
		"team":                            "",
		"_01JD0000000000000000000000":     "",
		"team_":                           "",
		"team_' OR 1=1 --":                "",
		"team_01JD000000000000000000000U": "",
	} {
		got, ok := PrefixOf(in)
		require.Equal(t, want, got, in)
		require.Equal(t, want != "", ok, in)
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 30, 0, 123e6, time.UTC)
	require.Equal(t, at, Time(At(Charge, at)))
	require.True(t, Time("chg_x").IsZero())
}

func FuzzPrefixOf(f *testing.F) {
	f.Add("team_01JD0000000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := PrefixOf(s); ok {
			require.Len(t, s, len(p)+27)
		}
	})
}
