package budget

import (
	"context"
	"database/sql"
	"math/big"
	"strings"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Class is a class of tokens, each with a price of its own.
type Class string

// The classes of tokens. Other is the part of an amount that no count of
// tokens explains: prices per request, ceilings, calls charged at their hold,
// and the rounding of each call.
const (
	Input       Class = "INPUT"
	CachedInput Class = "CACHED_INPUT"
	CacheWrite  Class = "CACHE_WRITE"
	Output      Class = "OUTPUT"
	Reasoning   Class = "REASONING"
	AudioInput  Class = "AUDIO_INPUT"
	AudioOutput Class = "AUDIO_OUTPUT"
	Other       Class = "OTHER"
)

// ClassSum is what one class of tokens came to.
type ClassSum struct {
	Class  Class
	Tokens int64
	// Price is per 1,000,000 tokens, in the plane's unit: of one price version,
	// nil for sums over several.
	Price *money.Nano
	// Amount is in the plane's unit. The amounts of all classes and Other add
	// up to what was charged.
	Amount money.Nano
}

// classes are the counts and prices by class.
func (p Prices) classes(u Usage) []ClassSum {
	or := func(price *money.Nano, other money.Nano) *money.Nano {
		if price == nil {
			return &other
		}
		return price
	}
	return []ClassSum{
		{Class: Input, Tokens: u.Input, Price: &p.Input},
		{Class: CachedInput, Tokens: u.CachedInput, Price: or(p.CachedInput, p.Input)},
		{Class: CacheWrite, Tokens: u.CacheWrite, Price: or(p.CacheWrite, p.Input)},
		{Class: Output, Tokens: u.Output, Price: &p.Output},
		{Class: Reasoning, Tokens: u.Reasoning, Price: or(p.Reasoning, p.Output)},
		{Class: AudioInput, Tokens: u.AudioInput, Price: or(p.AudioInput, p.Input)},
		{Class: AudioOutput, Tokens: u.AudioOutput, Price: or(p.AudioOutput, p.Output)},
	}
}

var million = big.NewInt(1_000_000)

// inUnit are classes whose prices and amounts are in the plane's unit; ppm is
// the factor in Copilot, and 0 in Console.
func (p Prices) inUnit(u Usage, ppm int64) []ClassSum {
	out := p.classes(u)
	for i := range out {
		c := &out[i]
		amount := new(big.Int).Mul(big.NewInt(c.Tokens), big.NewInt(int64(*c.Price)))
		if ppm > 0 {
			amount.Mul(amount, big.NewInt(ppm))
			amount.Quo(amount, million)
			price, err := money.Credits(*c.Price, ppm)
			if err == nil {
				c.Price = &price
			}
		}
		c.Amount = money.Nano(amount.Quo(amount, million).Int64())
	}
	return out
}

// Classes is what a charge came to by class of tokens, the rest as Other; a
// class without tokens is left out. Amount is the charge's, in its plane's
// unit, and ppm its factor, 0 in Console.
func (p Prices) Classes(u Usage, amount money.Nano, ppm int64) []ClassSum {
	return rest(p.inUnit(u, ppm), amount)
}

// rest leaves empty classes out and adds what they don't explain.
func rest(classes []ClassSum, amount money.Nano) []ClassSum {
	out := []ClassSum{}
	for _, c := range classes {
		amount -= c.Amount
		if c.Tokens != 0 || c.Amount != 0 {
			out = append(out, c)
		}
	}
	if amount != 0 {
		out = append(out, ClassSum{Class: Other, Amount: amount})
	}
	return out
}

// priceColumns are those of Prices, to be scanned by Prices.to.
const priceColumns = "p.input, p.cached_input, p.cache_write, p.output, p.reasoning, p.audio_input, p.audio_output, p.request"

func (p *Prices) to() []any {
	return []any{&p.Input, &p.CachedInput, &p.CacheWrite, &p.Output, &p.Reasoning, &p.AudioInput, &p.AudioOutput, &p.Request}
}

// UsageByClass sums what was charged inside reaches by class of tokens.
func (e *Engine) UsageByClass(ctx context.Context, in []tenancy.Reach, f UsageFilter) ([]ClassSum, error) {
	if len(in) == 0 {
		return []ClassSum{}, nil
	}
	table := usageDays.table
	if f.Tag != "" {
		table = usageTags.table
	}
	var p params
	q := "SELECT g.factor_ppm, coalesce(p.input, 0), p.cached_input, p.cache_write, coalesce(p.output, 0), p.reasoning, p.audio_input, p.audio_output, coalesce(p.request, 0), g." +
		strings.Join(counterColumns, ", g.") + " FROM (SELECT price_id, factor_ppm, " + sumColumns + " FROM " + table + " WHERE " + f.where(&p, in) +
		" GROUP BY price_id, factor_ppm) g LEFT JOIN prices p ON p.id = g.price_id"
	sums := Prices{}.classes(Usage{})
	var amount money.Nano
	err := e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		var s Sum
		var prices Prices
		var ppm int64
		if err := r.Scan(append(append([]any{&ppm}, prices.to()...), s.to()...)...); err != nil {
			return err
		}
		charged := s.Cost
		if in[0].Plane == tenancy.Copilot {
			charged = s.Credits
		} else {
			ppm = 0
		}
		amount += charged
		for i, c := range prices.inUnit(s.Usage, ppm) {
			sums[i].Tokens += c.Tokens
			sums[i].Amount += c.Amount
		}
		return nil
	})
	for i := range sums {
		sums[i].Price = nil
	}
	return rest(sums, amount), err
}
