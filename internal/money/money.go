// Package money computes with exact amounts: integers of 1e-9 of a unit
// (nano-USD in Console, nano-credits in Copilot). No float touches them.
package money

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// Nano is an amount in billionths of a US dollar or of a credit. Which of the
// two follows from where it stands; amounts of both are never added.
type Nano int64

// One is one whole unit: one US dollar or one credit.
const One Nano = 1_000_000_000

// Max is the largest amount, about 9.2 billion units.
const Max Nano = math.MaxInt64

var (
	// ErrOverflow says that a result has no place in 64 bits.
	ErrOverflow = errors.New("amount too large")
	// ErrNegative says that a count, price or factor below zero was given.
	ErrNegative = errors.New("negative amount")
	// ErrSyntax says that a text isn't a decimal with at most nine decimals.
	ErrSyntax = errors.New("not a decimal amount with at most 9 decimals")
)

// Parse reads a decimal such as "12", "-0.5" or "0.000000001".
func Parse(s string) (Nano, error) {
	digits, negative := strings.CutPrefix(s, "-")
	whole, frac, dotted := strings.Cut(digits, ".")
	if whole == "" || (dotted && frac == "") || len(frac) > 9 || !allDigits(whole) || !allDigits(frac) {
		return 0, ErrSyntax
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > 10 {
		return 0, ErrOverflow
	}
	n, err := strconv.ParseUint(whole+frac+strings.Repeat("0", 9-len(frac)), 10, 64)
	if err != nil || n > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if negative {
		return -Nano(n), nil
	}
	return Nano(n), nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// String writes the exact decimal without trailing zeros: "12", "0.000001".
func (n Nano) String() string {
	sign, u := "", uint64(n)
	if n < 0 {
		sign, u = "-", -u
	}
	frac := strings.TrimRight(fmt.Sprintf("%09d", u%uint64(One)), "0")
	if frac == "" {
		return sign + strconv.FormatUint(u/uint64(One), 10)
	}
	return sign + strconv.FormatUint(u/uint64(One), 10) + "." + frac
}

// Add returns a+b, or ErrOverflow.
func Add(a, b Nano) (Nano, error) {
	c := a + b
	if (c > a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return c, nil
}

// Line is a number of units (tokens, images, calls) at one price.
type Line struct {
	Units int64
	// Price is in nano-USD per 1,000,000 units.
	Price Nano
}

const perMillion = 1_000_000

// Cost is ceil(Σ units × price / 10⁶), rounded once, computed in 128 bits.
func Cost(lines ...Line) (Nano, error) {
	var hi, lo uint64
	for _, l := range lines {
		if l.Units < 0 || l.Price < 0 {
			return 0, ErrNegative
		}
		h, x := bits.Mul64(uint64(l.Units), uint64(l.Price))
		var carry uint64
		lo, carry = bits.Add64(lo, x, 0)
		hi, carry = bits.Add64(hi, h, carry)
		if carry != 0 {
			return 0, ErrOverflow
		}
	}
	return ceilDiv(hi, lo, perMillion)
}

// FactorOne is the factor that makes one credit of one US dollar, in ppm.
const FactorOne int64 = 1_000_000

// Credits is ceil(cost × factorPPM / 10⁶): what a cost in nano-USD is worth in
// nano-credits at a factor in parts per million.
func Credits(cost Nano, factorPPM int64) (Nano, error) {
	if cost < 0 || factorPPM < 0 {
		return 0, ErrNegative
	}
	hi, lo := bits.Mul64(uint64(cost), uint64(factorPPM))
	return ceilDiv(hi, lo, perMillion)
}

func ceilDiv(hi, lo, by uint64) (Nano, error) {
	if hi >= by {
		return 0, ErrOverflow
	}
	q, r := bits.Div64(hi, lo, by)
	if r > 0 {
		q++
	}
	if q > math.MaxInt64 {
		return 0, ErrOverflow
	}
	return Nano(q), nil
}
