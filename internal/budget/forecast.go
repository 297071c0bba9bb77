package budget

import (
	"context"
	"math/big"
	"math/bits"
	"sync"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	day = 24 * time.Hour
	// historyDays of complete days are looked at: four of each weekday.
	historyDays = 28
	// patternDays of history show how the days of a week differ.
	patternDays = 14
	// recentDays are averaged where there is less history.
	recentDays = 7
	// horizon bounds how far ahead a forecast looks.
	horizon = 400 * day
	// zMille is the 90th percentile of the normal distribution, in thousandths:
	// four of five outcomes lie within it on both sides.
	zMille = 1282
)

// outlook is a budget's burn: what each weekday is expected to cost, and how
// much days differ from that.
type outlook struct {
	// perDay by time.Weekday.
	perDay [7]money.Nano
	// spread is the standard deviation of a day.
	spread money.Nano
	// zone is whose days they are.
	zone *time.Location
}

// mean is the burn rate: the average day of an expected week.
func (o outlook) mean() money.Nano {
	sum := new(big.Int)
	for _, n := range o.perDay {
		sum.Add(sum, big.NewInt(int64(n)))
	}
	return money.Nano(sum.Quo(sum, big.NewInt(7)).Int64())
}

// times is the outlook if every day cost num ÷ den of what it does.
func (o outlook) times(num, den uint64) outlook {
	for i, n := range o.perDay {
		o.perDay[i] = ratio(n, num, den)
	}
	o.spread = ratio(o.spread, num, den)
	return o
}

// learn reads the outlook of a budget from its days: past are complete days,
// oldest first, up to yesterday; today is what today has cost so far. They are
// days of now's time zone.
//
// With two weeks of history and more, a weekday is expected to cost the average
// of the same weekdays, in which a week counts one more than the week before.
// With less, every day costs the average of the last seven days of the cycle.
func learn(past []money.Nano, today, spent money.Nano, startsAt, now time.Time) outlook {
	for len(past) > 0 && past[0] <= 0 { // before the first call
		past = past[1:]
	}
	var o outlook
	if len(past) >= patternDays {
		o = pattern(past, now)
	} else {
		o = flat(past, today, spent, startsAt, now)
	}
	o.zone = now.Location()
	o.spread = spread(past, o, now)
	return o
}

func pattern(past []money.Nano, now time.Time) (o outlook) {
	var weights [7]int64
	var sums [7]big.Int
	for i, n := range past {
		age := len(past) - i // days before today
		w := weekday(now, age)
		weight := int64(historyDays/7 - (age-1)/7)
		weights[w] += weight
		sums[w].Add(&sums[w], new(big.Int).Mul(big.NewInt(int64(max(0, n))), big.NewInt(weight)))
	}
	for w := range sums { // two weeks have each weekday twice
		o.perDay[w] = money.Nano(sums[w].Quo(&sums[w], big.NewInt(weights[w])).Int64())
	}
	return o
}

func flat(past []money.Nano, today, spent money.Nano, startsAt, now time.Time) (o outlook) {
	sum, over := max(0, spent), max(now.Sub(startsAt), day)
	if since := StartOf(DayOf(now)-(recentDays-1), now.Location()); startsAt.Before(since) {
		sum, over = max(0, today), now.Sub(since)
		for _, n := range past[max(0, len(past)-(recentDays-1)):] {
			sum = min(sum, money.Max-max(0, n)) + max(0, n)
		}
	}
	rate := scale(sum, day, over)
	for w := range o.perDay {
		o.perDay[w] = rate
	}
	return o
}

// spread is the standard deviation of past days from what was expected.
func spread(past []money.Nano, o outlook, now time.Time) money.Nano {
	if len(past) < 3 {
		return 0
	}
	sum := new(big.Int)
	for i, n := range past {
		off := big.NewInt(int64(n - o.perDay[weekday(now, len(past)-i)]))
		sum.Add(sum, off.Mul(off, off))
	}
	sum.Quo(sum, big.NewInt(int64(len(past)-1)))
	return money.Nano(min(sum.Sqrt(sum).Uint64(), uint64(money.Max)))
}

func weekday(now time.Time, daysBefore int) time.Weekday {
	return time.Weekday((int(now.Weekday()) + 6*daysBefore) % 7) // a week less a day for each
}

// prediction is where a burn leads to.
type prediction struct {
	// What will be spent at the end: most likely, and in four of five cases
	// between low and high.
	likely, low, high money.Nano
	// When nothing will be left, if before the end.
	at, earliest, latest *time.Time
}

// predict follows the burn from now to the end of the cycle.
func (o outlook) predict(spent, left money.Nano, now, end time.Time) prediction {
	p := prediction{likely: spent, low: spent, high: spent}
	if end.Before(never) && end.After(now) {
		more := o.spentBy(now, end)
		band := o.band(end.Sub(now))
		p.likely = add(spent, more)
		p.high = add(spent, add(more, band))
		p.low = add(spent, max(0, more-band))
	}
	if left <= 0 {
		return p
	}
	until := now.Add(horizon)
	if end.Before(until) {
		until = end
	}
	p.at = o.reach(left, now, until)
	p.earliest = o.first(now, until, func(t time.Time) bool {
		return add(o.spentBy(now, t), o.band(t.Sub(now))) >= left
	})
	p.latest = o.first(now, until, func(t time.Time) bool {
		return o.spentBy(now, t)-o.band(t.Sub(now)) >= left
	})
	if o.spread == 0 {
		p.earliest, p.latest = p.at, p.at
	}
	// Both ends go by minutes.
	if p.at != nil && (p.earliest == nil || p.earliest.After(*p.at)) {
		p.earliest = p.at
	}
	if p.latest != nil && (p.at == nil || p.latest.Before(*p.at)) {
		p.latest = p.at
	}
	return p
}

// acc adds amounts × nanoseconds in 128 bits: exact, whatever is cut into days.
type acc struct{ hi, lo uint64 }

func (a acc) plus(n money.Nano, d time.Duration) acc {
	hi, lo := bits.Mul64(uint64(max(0, n)), uint64(d))
	lo, carry := bits.Add64(a.lo, lo, 0)
	hi, _ = bits.Add64(a.hi, hi, carry)
	return acc{hi, lo}
}

func (a acc) less(b acc) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a acc) minus(b acc) acc {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return acc{hi, lo}
}

// spentBy is what is expected to be spent between two moments.
func (o outlook) spentBy(from, to time.Time) money.Nano {
	var sum acc
	for from.Before(to) {
		next, rate := o.segment(from, to)
		sum = sum.plus(rate, next.Sub(from))
		from = next
	}
	if sum.hi >= uint64(day) {
		return money.Max
	}
	q, _ := bits.Div64(sum.hi, sum.lo, uint64(day))
	return money.Nano(min(q, uint64(money.Max)))
}

// reach is when an amount will have been spent, if before until.
func (o outlook) reach(amount money.Nano, from, until time.Time) *time.Time {
	need := acc{}.plus(amount, day)
	var sum acc
	for from.Before(until) {
		next, rate := o.segment(from, until)
		more := sum.plus(rate, next.Sub(from))
		if !more.less(need) {
			missing := need.minus(sum) // at most a day's, so that it fits
			q, rest := bits.Div64(missing.hi, missing.lo, uint64(rate))
			if rest > 0 {
				q++
			}
			at := from.Add(time.Duration(q))
			if !at.Before(until) {
				return nil
			}
			return &at
		}
		sum, from = more, next
	}
	return nil
}

// segment is the rest of a day, with its rate.
func (o outlook) segment(from, until time.Time) (time.Time, money.Nano) {
	zone := o.zone
	if zone == nil {
		zone = time.UTC
	}
	from = from.In(zone)
	next := StartOf(DayOf(from)+1, zone)
	if until.Before(next) {
		next = until
	}
	return next, max(0, o.perDay[from.Weekday()])
}

// first is the minute at which done begins to hold, by days and then by halves.
func (o outlook) first(from, until time.Time, done func(time.Time) bool) *time.Time {
	if !done(until) {
		return nil
	}
	lo, hi := time.Duration(0), until.Sub(from)
	for hi-lo > time.Minute {
		if mid := lo + (hi-lo)/2; done(from.Add(mid)) {
			hi = mid
		} else {
			lo = mid
		}
	}
	at := from.Add(hi)
	if !at.Before(until) {
		return nil
	}
	return &at
}

// band is how far a sum of days lies from what is expected, in four of five
// cases: it grows with the root of their number.
func (o outlook) band(d time.Duration) money.Nano {
	if o.spread <= 0 || d <= 0 {
		return 0
	}
	ppm := uint64(d/time.Millisecond) * 1_000_000 / uint64(day/time.Millisecond)
	root := new(big.Int).Sqrt(new(big.Int).SetUint64(ppm)).Uint64() // thousandths
	return ratio(o.spread, root*zMille, 1_000_000)
}

// ratio is amount × num ÷ den in 128 bits, cut at the largest amount.
func ratio(amount money.Nano, num, den uint64) money.Nano {
	if amount <= 0 || den == 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(amount), num)
	if hi >= den {
		return money.Max
	}
	q, _ := bits.Div64(hi, lo, den)
	return money.Nano(min(q, uint64(money.Max)))
}

// seriesCache keeps the days of scopes for a few seconds: a list that is looked
// at live asks for the same ones again and again.
type seriesCache struct {
	mu   sync.Mutex
	rows map[string]cachedSeries
}

type cachedSeries struct {
	days []money.Nano
	day  int
	zone *time.Location
	read time.Time
}

const (
	seriesKept = 5 * time.Second
	maxSeries  = 20_000
)

// histories reads the days of scopes of one plane, by one query for each kind
// of scope: historyDays complete ones and today, oldest first.
func (e *Engine) histories(ctx context.Context, accountID string, plane tenancy.Plane, scopeIDs []string) (map[string][]money.Nano, error) {
	now, read := e.now(), time.Now()
	out := make(map[string][]money.Nano, len(scopeIDs))
	var missing []string
	e.days.mu.Lock()
	for _, s := range scopeIDs {
		if c, ok := e.days.rows[s]; ok && c.day == DayOf(now.In(c.zone)) && read.Sub(c.read) < seriesKept {
			out[s] = c.days
		} else {
			missing = append(missing, s)
		}
	}
	e.days.mu.Unlock()
	if len(missing) == 0 {
		return out, nil
	}
	whole := tenancy.Reach{AccountID: accountID, Plane: plane, Path: "/" + accountID + "/"}
	zone, err := e.Zone(ctx, accountID)
	if err != nil {
		return nil, err
	}
	found, err := e.series(ctx, whole, zone, now, missing, historyDays+1)
	if err != nil {
		return nil, err
	}
	e.days.mu.Lock()
	defer e.days.mu.Unlock()
	if e.days.rows == nil || len(e.days.rows) > maxSeries {
		e.days.rows = map[string]cachedSeries{}
	}
	for s, days := range found {
		out[s] = days
		e.days.rows[s] = cachedSeries{days, DayOf(now.In(zone)), zone, read}
	}
	return out, nil
}

// outlookOf learns a standing's burn from its days.
func (s *standing) outlookOf(days []money.Nano, now time.Time) outlook {
	var today money.Nano
	if n := len(days); n > 0 {
		days, today = days[:n-1], days[n-1]
	}
	return learn(days, today, s.spent, s.startsAt, now.In(s.zone()))
}
