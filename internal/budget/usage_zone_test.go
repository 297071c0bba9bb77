package budget_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// A day begins at the account's midnight, also where it has 23 or 25 hours, and
// corrections are booked by it too.
func TestUsageGoesByTheDaysOfTheAccount(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		x, err := time.Parse(time.RFC3339, text)
		require.NoError(t, err)
		return x.UTC()
	}
	for zone, moments := range map[string][]string{
		// The clock goes back on 26 October, a day of 25 hours.
		"Europe/Berlin": {"2025-10-25T23:59:59+02:00", "2025-10-26T00:00:00+02:00", "2025-10-26T23:59:59+01:00", "2025-10-27T00:00:00+01:00"},
		// It goes forward on 9 March, a day of 23.
		"America/New_York": {"2025-03-08T23:59:59-05:00", "2025-03-09T00:00:00-05:00", "2025-03-09T23:59:59-04:00", "2025-03-10T00:00:00-04:00"},
		"Asia/Kathmandu":   {"2025-06-01T23:59:59+05:45", "2025-06-02T00:00:00+05:45", "2025-06-02T23:59:59+05:45", "2025-06-03T00:00:00+05:45"},
		// There is no 00:00 on 7 September: it begins at 01:00.
		"America/Santiago": {"2025-09-06T23:59:59-04:00", "2025-09-07T01:00:00-03:00", "2025-09-07T23:59:59-03:00", "2025-09-08T00:00:00-03:00"},
	} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, st *store.Store) {
				now := newClock(at(moments[0]))
				e := start(t, st, now.now)
				tr := plant(t, st, tenancy.Console, zone)
				tr.set(t, e, tr.root, 1_000*usd)
				place, err := e.Zone(ctx, tr.account)
				require.NoError(t, err)
				require.Equal(t, zone, place.String())
				for i, m := range moments {
					now.set(at(m))
					spend(t, e, tr.call(), 1<<i)
				}
				in := []tenancy.Reach{{AccountID: tr.account, Plane: tr.plane, Path: "/" + tr.account + "/"}}
				of := func(from, to string) budget.UsageFilter {
					return budget.UsageFilter{From: at(from), To: at(to), Zone: place}
				}
				whole := func(f budget.UsageFilter) money.Nano {
					sums, err := e.Usage(ctx, in, f, budget.Whole, 1)
					require.NoError(t, err)
					if len(sums) == 0 {
						return 0
					}
					return sums[0].Cost
				}
				// The day in the middle: both of its ends, and nothing beside.
				middle := of(moments[1], moments[3])
				require.Equal(t, 6*usd, whole(middle))
				require.Equal(t, 1*usd, whole(middle.Before()))
				require.Equal(t, at(moments[1]), middle.Before().To)
				all := of(moments[0], moments[3])
				all.To = all.To.Add(time.Nanosecond) // its day counts as a whole
				require.Equal(t, 15*usd, whole(all))
				days, err := e.Usage(ctx, in, all, budget.ByDay, 10)
				require.NoError(t, err)
				require.Len(t, days, 3)
				require.Equal(t, []time.Time{at(moments[1]), at(moments[3])}, []time.Time{days[1].Day, days[2].Day})
				require.Equal(t, []money.Nano{1 * usd, 6 * usd, 8 * usd}, []money.Nano{days[0].Cost, days[1].Cost, days[2].Cost})

				// The budget's own days are the same.
				series, err := e.Series(ctx, in[0], []string{tr.team}, 3)
				require.NoError(t, err)
				require.Equal(t, []money.Nano{1 * usd, 6 * usd, 8 * usd}, series[tr.team])

				s, err := e.UsageSeries(ctx, in, all, budget.ByTeam, []string{tr.team})
				require.NoError(t, err)
				require.Equal(t, []money.Nano{1 * usd, 6 * usd, 8 * usd}, s.Amounts[tr.team])
				require.Equal(t, make([]money.Nano, 3), s.Others)

				// A call that is held before midnight is booked on the day it ends.
				now.set(at(moments[1]).Add(-time.Second))
				h, err := e.Hold(ctx, tr.call(), output(16))
				require.NoError(t, err)
				now.set(at(moments[1]).Add(time.Second))
				_, err = h.Settle(ctx, output(16), budget.Outcome{})
				require.NoError(t, err)
				require.Equal(t, 22*usd, whole(middle))
				balanced(t, e)

				// Nothing of a filter lies outside of its times.
				times, err := e.Times(ctx, in, middle)
				require.NoError(t, err)
				require.Len(t, times, 1)
				require.False(t, times[0][0].After(at(moments[1])))
				require.False(t, times[0][1].Before(at(moments[3])))
				middle.Tag = "other"
				times, err = e.Times(ctx, in, middle)
				require.NoError(t, err)
				require.Empty(t, times)
			})
		})
	}
}

// A correction is booked on the account's day of the correction.
func TestCorrectionGoesByTheDaysOfTheAccount(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		zone, err := time.LoadLocation("Pacific/Auckland")
		require.NoError(t, err)
		now := newClock(time.Date(2025, 6, 10, 8, 0, 0, 0, zone))
		e := start(t, st, now.now)
		tr := plant(t, st, tenancy.Console, zone.String())
		tr.set(t, e, tr.root, 1_000*usd)
		c := tr.call()
		c.PriceID = tr.price(t)
		h, err := e.Hold(ctx, c, output(5))
		require.NoError(t, err)
		_, err = h.Settle(ctx, output(5), budget.Outcome{})
		require.NoError(t, err)
		now.set(time.Date(2025, 6, 11, 0, 30, 0, 0, zone)) // still the 10th in UTC
		_, err = e.Adjust(ctx, h.ID, output(0))
		require.NoError(t, err)
		in := []tenancy.Reach{{AccountID: tr.account, Plane: tr.plane, Path: "/" + tr.account + "/"}}
		days, err := e.Usage(ctx, in, budget.UsageFilter{From: now.now().AddDate(0, 0, -3), To: now.now().AddDate(0, 0, 3), Zone: zone}, budget.ByDay, 10)
		require.NoError(t, err)
		require.Len(t, days, 2)
		require.Equal(t, time.Date(2025, 6, 11, 0, 0, 0, 0, zone).UTC(), days[1].Day)
		require.Negative(t, days[1].Cost)
		balanced(t, e)
	})
}
