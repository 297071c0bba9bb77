package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func at(t require.TestingT, zone, text string) time.Time {
	z, err := time.LoadLocation(zone)
	require.NoError(t, err)
	out, err := time.ParseInLocation("2006-01-02 15:04:05", text, z)
	require.NoError(t, err)
	return out
}

func TestCycleEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone string
		cycle      Cycle
		day        int
		now, want  string
	}{
		{"middle of a month", "UTC", Monthly, 1, "2026-11-22 12:00:00", "2026-12-01 00:00:00"},
		{"the boundary belongs to the next", "UTC", Monthly, 1, "2026-12-01 00:00:00", "2027-01-01 00:00:00"},
		{"the last second", "UTC", Monthly, 1, "2026-11-30 23:59:59", "2026-12-01 00:00:00"},
		{"year end", "UTC", Monthly, 1, "2026-12-31 23:59:59", "2027-01-01 00:00:00"},
		{"day 28 in February", "UTC", Monthly, 28, "2026-02-27 12:00:00", "2026-02-28 00:00:00"},
		{"after day 28 in February", "UTC", Monthly, 28, "2026-02-28 00:00:00", "2026-03-28 00:00:00"},
		{"day 28 in a leap year", "UTC", Monthly, 28, "2028-02-29 00:00:00", "2028-03-28 00:00:00"},
		{"quarter", "UTC", Quarterly, 1, "2026-11-22 12:00:00", "2027-01-01 00:00:00"},
		{"quarter on day 15, before it", "UTC", Quarterly, 15, "2026-10-14 12:00:00", "2026-10-15 00:00:00"},
		{"quarter on day 15, before the year's", "UTC", Quarterly, 15, "2026-12-31 12:00:00", "2027-01-15 00:00:00"},
		{"year", "UTC", Yearly, 1, "2026-01-01 00:00:00", "2027-01-01 00:00:00"},
		{"year on day 20, before it", "UTC", Yearly, 20, "2026-01-03 00:00:00", "2026-01-20 00:00:00"},
		{"a manual one never ends", "UTC", Manual, 1, "2026-01-03 00:00:00", "9999-01-01 00:00:00"},
		{"spring forward", "Europe/Berlin", Monthly, 1, "2026-03-10 00:00:00", "2026-04-01 00:00:00"},
		{"midnight is skipped", "America/Sao_Paulo", Monthly, 4, "2018-11-01 00:00:00", "2018-11-04 01:00:00"},
		{"east of UTC it is another day", "Pacific/Auckland", Monthly, 1, "2026-11-30 23:59:59", "2026-12-01 00:00:00"},
	} {
		r := rule{c.cycle, c.day, at(t, c.zone, c.now).Location()}
		require.Equal(t, at(t, c.zone, c.want).UTC(), r.end(at(t, c.zone, c.now)), c.name)
	}
	// 00:00 comes twice in Havana on 1 November 2026; the day begins once.
	havana := at(t, "America/Havana", "2026-10-31 12:00:00")
	r := rule{Monthly, 1, havana.Location()}
	require.Equal(t, time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC), r.end(havana))
	require.Equal(t, at(t, "America/Havana", "2026-12-01 00:00:00").UTC(), r.end(r.end(havana)))
}

// Whatever the zone, cycles follow each other without gap or overlap, and each
// boundary is the first instant of its day.
func TestCyclesHaveNoGap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo"}).Draw(t, "zone"))
		require.NoError(t, err)
		r := rule{rapid.SampledFrom([]Cycle{Monthly, Quarterly, Yearly}).Draw(t, "cycle"), rapid.IntRange(1, 28).Draw(t, "day"), zone}
		start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "t"), 0)
		end := r.end(start)
		require.True(t, end.After(start))
		inside := start.Add(time.Duration(rapid.Int64Range(0, int64(end.Sub(start))-1).Draw(t, "inside")))
		require.Equal(t, end, r.end(inside), "every moment of a cycle sees the same end")
		local := end.In(zone)
		require.Equal(t, r.day, local.Day())
		require.NotEqual(t, r.day, end.Add(-time.Second).In(zone).Day())
		require.LessOrEqual(t, r.end(end).Sub(end), 367*24*time.Hour)
	})
}

func TestNextCyclesReachNow(t *testing.T) {
	t.Parallel()
	r := rule{Monthly, 1, time.UTC}
	c := cycle{budgetID: "b", startsAt: at(t, "UTC", "2026-10-05 00:00:00"), endsAt: at(t, "UTC", "2026-11-01 00:00:00"), lim: 7, base: 5, overflow: 2, spent: 3, held: 1, excess: 1, revision: 7}
	require.Empty(t, c.next(r, c.endsAt.Add(-1)))
	next := c.next(r, at(t, "UTC", "2027-01-01 00:00:00"))
	require.Len(t, next, 3)
	prev := c
	for i, n := range next {
		require.Equal(t, prev.endsAt, n.startsAt)
		require.Equal(t, cycle{budgetID: "b", startsAt: prev.endsAt, endsAt: n.endsAt, lim: 5, base: 5, overflow: 2, revision: int64(i+1) << 32}, n)
		prev = n
	}
	require.Equal(t, at(t, "UTC", "2027-02-01 00:00:00"), prev.endsAt)
}

func TestForecast(t *testing.T) {
	t.Parallel()
	start := at(t, "UTC", "2026-11-01 00:00:00")
	end := at(t, "UTC", "2026-12-01 00:00:00")
	for _, c := range []struct {
		name                 string
		days                 int
		spent, lim, overflow int64
		forecast, rate       int64
		out                  int // days after start, 0 = not
		want                 Status
	}{
		{"nothing spent", 10, 0, 100, 0, 0, 0, 0, OK},
		{"a third by a third of the time", 10, 30, 100, 0, 90, 3, 0, OK},
		{"pace above nine tenths", 10, 32, 100, 0, 92, 3, 0, PaceHigh},
		{"runs out half way", 10, 70, 105, 0, 210, 7, 15, RunsOut},
		{"into the overflow", 20, 105, 100, 100, 155, 5, 0, OverAllowed},
		{"used up", 20, 100, 100, 0, 150, 5, 0, Blocked},
		{"zero limit", 20, 0, 0, 0, 0, 0, 0, Blocked},
		{"the first hour counts as a day", 0, 3, 100, 0, 93, 3, 0, PaceHigh},
		{"an adjustment larger than all", 10, -5, 100, 0, 0, 0, 0, OK},
	} {
		s := standing{cycle: cycle{startsAt: start, endsAt: end, lim: 100, spent: 0}}
		s.lim, s.overflow, s.spent = nano(c.lim), nano(c.overflow), nano(c.spent)
		got := s.state(every(max(0, nano(c.spent))/nano(int64(max(1, c.days)))), start.AddDate(0, 0, c.days))
		require.Equal(t, c.want, got.Status, c.name)
		if c.spent >= 0 {
			require.Equal(t, nano(c.forecast), got.Forecast, c.name)
			require.Equal(t, nano(c.rate), got.RatePerDay, c.name)
		}
		if c.out == 0 {
			require.Nil(t, got.RunsOutAt, c.name)
		} else {
			require.Equal(t, start.AddDate(0, 0, c.out), *got.RunsOutAt, c.name)
		}
	}
}

func TestScaleIsCutNotWrapped(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Min(0).Draw(t, "a")
		by := rapid.Int64().Draw(t, "by")
		of := rapid.Int64Min(1).Draw(t, "of")
		got := scale(nano(a), time.Duration(by), time.Duration(of))
		want := bigScale(a, by, of)
		require.Equal(t, want, got)
	})
}
