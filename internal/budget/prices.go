package budget

import "github.com/alchemi/cockpit/internal/money"

// Usage counts the tokens of a call, each in exactly one class: Input without
// the cached, written and audio ones, Output without reasoning and audio.
type Usage struct {
	Input       int64 `json:"input,omitempty"`
	CachedInput int64 `json:"cachedInput,omitempty"`
	CacheWrite  int64 `json:"cacheWrite,omitempty"`
	Output      int64 `json:"output,omitempty"`
	Reasoning   int64 `json:"reasoning,omitempty"`
	AudioInput  int64 `json:"audioInput,omitempty"`
	AudioOutput int64 `json:"audioOutput,omitempty"`
}

func (u Usage) plus(v Usage) Usage {
	return u.minus(Usage{}.minus(v))
}

func (u Usage) minus(v Usage) Usage {
	return Usage{
		Input: u.Input - v.Input, CachedInput: u.CachedInput - v.CachedInput, CacheWrite: u.CacheWrite - v.CacheWrite,
		Output: u.Output - v.Output, Reasoning: u.Reasoning - v.Reasoning,
		AudioInput: u.AudioInput - v.AudioInput, AudioOutput: u.AudioOutput - v.AudioOutput,
	}
}

// Prices are nano-USD per 1,000,000 tokens; a nil class is charged at the
// price of the class it is part of (input or output).
type Prices struct {
	Input       money.Nano  `json:"input,omitempty"`
	CachedInput *money.Nano `json:"cachedInput,omitempty"`
	CacheWrite  *money.Nano `json:"cacheWrite,omitempty"`
	Output      money.Nano  `json:"output,omitempty"`
	Reasoning   *money.Nano `json:"reasoning,omitempty"`
	AudioInput  *money.Nano `json:"audioInput,omitempty"`
	AudioOutput *money.Nano `json:"audioOutput,omitempty"`
	// Request is nano-USD per 1,000,000 calls.
	Request money.Nano `json:"request,omitempty"`
}

// Cost is what one call with this usage costs, rounded up once. It fails on
// negative counts or prices and where the sum has no place in 64 bits.
func (p Prices) Cost(u Usage) (money.Nano, error) {
	or := func(price *money.Nano, other money.Nano) money.Nano {
		if price == nil {
			return other
		}
		return *price
	}
	return money.Cost(
		money.Line{Units: u.Input, Price: p.Input},
		money.Line{Units: u.CachedInput, Price: or(p.CachedInput, p.Input)},
		money.Line{Units: u.CacheWrite, Price: or(p.CacheWrite, p.Input)},
		money.Line{Units: u.Output, Price: p.Output},
		money.Line{Units: u.Reasoning, Price: or(p.Reasoning, p.Output)},
		money.Line{Units: u.AudioInput, Price: or(p.AudioInput, p.Input)},
		money.Line{Units: u.AudioOutput, Price: or(p.AudioOutput, p.Output)},
		money.Line{Units: 1, Price: p.Request},
	)
}

// worst are prices at which a bound of Input and Output tokens covers them in
// whichever class the provider counts them later.
func (p Prices) worst() Prices {
	dearest := func(base money.Nano, classes ...*money.Nano) money.Nano {
		for _, c := range classes {
			if c != nil {
				base = max(base, *c)
			}
		}
		return base
	}
	return Prices{
		Input:   dearest(p.Input, p.CachedInput, p.CacheWrite, p.AudioInput),
		Output:  dearest(p.Output, p.Reasoning, p.AudioOutput),
		Request: p.Request,
	}
}
