package budget

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/money"
)

// every day costs the same.
func every(n money.Nano) (o outlook) {
	for w := range o.perDay {
		o.perDay[w] = n
	}
	return o
}

var noon = time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)

// story is a budget with days behind it.
type story struct {
	past                  []money.Nano
	today, spent, left    money.Nano
	startsAt, now, endsAt time.Time
}

func drawStory(t *rapid.T) story {
	amount := rapid.Int64Range(0, 5_000_000_000_000)
	s := story{past: make([]money.Nano, historyDays), now: noon.Add(time.Duration(rapid.Int64Range(-12*3600, 12*3600-1).Draw(t, "second")) * time.Second)}
	known := rapid.IntRange(0, historyDays).Draw(t, "known")
	for i := historyDays - known; i < historyDays; i++ {
		s.past[i] = money.Nano(amount.Draw(t, "day"))
	}
	if known > 0 && s.past[historyDays-known] == 0 {
		s.past[historyDays-known] = 1 // where the history begins
	}
	s.today = money.Nano(amount.Draw(t, "today"))
	s.startsAt = s.now.Add(-time.Duration(rapid.Int64Range(0, 40*86400).Draw(t, "since")) * time.Second)
	s.endsAt = s.now.Add(time.Duration(rapid.Int64Range(1, 60*86400).Draw(t, "rest")) * time.Second)
	s.spent = s.today + money.Nano(amount.Draw(t, "earlier"))
	s.left = money.Nano(rapid.Int64Range(1, 100_000_000_000_000).Draw(t, "left"))
	return s
}

func (s story) predict() (outlook, prediction) {
	o := learn(s.past, s.today, s.spent, s.startsAt, s.now)
	return o, o.predict(s.spent, s.left, s.now, s.endsAt)
}

// later tells whether a comes after b; nil is never.
func later(a, b *time.Time) bool {
	return b != nil && (a == nil || a.After(*b))
}

func TestForecastKeepsItsOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		_, p := s.predict()
		require.LessOrEqual(t, s.spent, p.low)
		require.LessOrEqual(t, p.low, p.likely)
		require.LessOrEqual(t, p.likely, p.high)
		require.False(t, later(p.earliest, p.at), "early %v likely %v", p.earliest, p.at)
		require.False(t, later(p.at, p.latest), "likely %v late %v", p.at, p.latest)
		for _, at := range []*time.Time{p.at, p.earliest, p.latest} {
			if at != nil {
				require.False(t, at.Before(s.now), "before now")
				require.True(t, at.Before(s.endsAt), "after the end")
			}
		}
	})
}

// More spend never makes it last longer: neither a day more in the past, nor
// less that is left.
func TestForecastMoreSpendIsNeverLater(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		_, before := s.predict()
		more := s
		more.past = append([]money.Nano{}, s.past...)
		extra := money.Nano(rapid.Int64Range(0, 5_000_000_000_000).Draw(t, "extra"))
		first := 0
		for first < len(s.past) && s.past[first] == 0 {
			first++
		}
		switch {
		case first < len(s.past) && rapid.Bool().Draw(t, "in the past"):
			i := rapid.IntRange(first, len(s.past)-1).Draw(t, "day raised")
			more.past[i] += extra
			more.spent, more.left = more.spent+extra, max(1, more.left-extra)
		default:
			more.today += extra
			more.spent, more.left = more.spent+extra, max(1, more.left-extra)
		}
		_, after := more.predict()
		require.False(t, later(after.at, before.at), "%v, with more spend %v", before.at, after.at)
		require.GreaterOrEqual(t, after.likely, before.likely)
	})
}

func TestForecastOfAConstantBurnIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		rate := money.Nano(rapid.Int64Range(1, 1_000_000).Draw(t, "rate")) * 86_400
		for i := range s.past {
			s.past[i] = rate
		}
		s.today = scale(rate, s.now.Sub(s.now.Truncate(day)), day)
		o, p := s.predict()
		require.Equal(t, rate, o.mean())
		require.Zero(t, o.spread)
		lasts := time.Duration(ratio(s.left, uint64(day), uint64(rate)))
		if at := s.now.Add(lasts); at.Before(s.endsAt.Add(-time.Microsecond)) && lasts < horizon {
			require.NotNil(t, p.at)
			require.WithinDuration(t, at, *p.at, 1)
			require.Equal(t, p.at, p.earliest)
			require.Equal(t, p.at, p.latest)
		} else if at.After(s.endsAt) {
			require.Nil(t, p.at)
		}
		require.Equal(t, s.spent+scale(rate, s.endsAt.Sub(s.now), day), p.likely)
		require.Equal(t, p.likely, p.low)
		require.Equal(t, p.likely, p.high)
	})
}

func TestForecastWithoutSpendNeverRunsOut(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		s.past, s.today, s.spent = make([]money.Nano, historyDays), 0, 0
		_, p := s.predict()
		require.Nil(t, p.at)
		require.Nil(t, p.earliest)
		require.Nil(t, p.latest)
		require.Zero(t, p.high)
	})
}

// Four weeks in which weekends cost nothing: nor will the coming one.
func TestForecastKnowsWeekends(t *testing.T) {
	t.Parallel()
	friday := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	past := make([]money.Nano, historyDays)
	for i := range past {
		if w := weekday(friday, len(past)-i); w != time.Saturday && w != time.Sunday {
			past[i] = 100
		}
	}
	o := learn(past, 0, 0, friday.Add(-20*day), friday)
	require.Equal(t, money.Nano(100), o.spentBy(friday, friday.Add(3*day)), "Friday alone")
	require.Equal(t, money.Nano(500), o.spentBy(friday, friday.Add(7*day)))
	require.Equal(t, money.Nano(500/7), o.mean())
	require.Zero(t, o.spread, "the pattern explains all of it")
	at := o.reach(101, friday, friday.Add(7*day))
	require.Equal(t, time.Monday, at.Weekday())
}

// The newest week counts four times what the oldest does.
func TestForecastWeighsRecentWeeks(t *testing.T) {
	t.Parallel()
	midnight := noon.Truncate(day)
	past := make([]money.Nano, historyDays)
	for i := range past {
		past[i] = money.Nano(100 * (i/7 + 1)) // 100, 200, 300, 400
	}
	o := learn(past, 0, 0, midnight, midnight)
	require.Equal(t, money.Nano((100*1+200*2+300*3+400*4)/10), o.mean())
	require.Positive(t, o.spread)
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawStory(t)
		o, p := s.predict()
		limit := s.spent + s.left
		f := &Foresight{Limit: &limit, burn: o, spent: s.spent, now: s.now, endsAt: s.endsAt}
		was := money.Nano(rapid.Int64Range(1, 1_000_000_000_000).Draw(t, "was"))
		users := rapid.Int64Range(1, 100_000).Draw(t, "users")
		same := f.Course(WhatIf{Users: users, UsersOf: users, Models: []WhatIfPart{{was, was}}, FactorPPM: 1_500_000, FactorOf: 1_500_000})
		require.Equal(t, f.Course(WhatIf{}), same)
		require.Equal(t, p.likely, same.Forecast, "nothing changed: today's forecast")
		require.Equal(t, p.at, same.RunsOutAt)
		require.Equal(t, o.mean(), same.PerDay)
		require.Equal(t, same.Forecast, same.Series[len(same.Series)-1])
		require.LessOrEqual(t, len(same.Series), maxCourse)
		require.IsIncreasing(t, append([]money.Nano{-1}, dedupe(same.Series)...))

		double := f.Course(WhatIf{Users: 2 * users, UsersOf: users})
		for w, n := range o.perDay {
			require.Equal(t, 2*n, o.times(uint64(2*users), uint64(users)).perDay[w])
		}
		require.InDelta(t, float64(2*(same.Forecast-s.spent)), float64(double.Forecast-s.spent), 1)
		require.False(t, later(double.RunsOutAt, same.RunsOutAt))
		none := f.Course(WhatIf{Users: 0, UsersOf: users})
		require.Equal(t, s.spent, none.Forecast)
		require.Nil(t, none.RunsOutAt)
	})
}

func dedupe(in []money.Nano) (out []money.Nano) {
	for i, n := range in {
		if i == 0 || n != in[i-1] {
			out = append(out, n)
		}
	}
	return out
}

func TestPrevious(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	e := &Engine{now: func() time.Time { return now }}
	days := make([]money.Nano, 60)
	for i := range days {
		days[i] = money.Nano(i)
	}
	start, end := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	got := e.Previous(days, start, end)
	require.Len(t, got, 31)
	require.Equal(t, money.Nano(56), got[30], "31 October, three days before today")
	require.Nil(t, e.Previous(make([]money.Nano, 60), start, end), "nothing was spent")
	require.Nil(t, e.Previous(days[40:], start, end), "too long ago")
}
