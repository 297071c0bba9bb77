package budget

import (
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/internal/money"
)

// AmountText writes an amount for people as the pages do, rounded to the
// nearest: dollars to cents, credits to whole ones, and what is less than one
// to six digits or three: "$1,250.00", "$0.0042", "1,250 credits".
func AmountText(unit Unit, n money.Nano) string {
	least, digits := 0, 0
	if unit == USD {
		least, digits = 2, 2
	}
	if -money.One < n && n < money.One && n != 0 {
		digits = map[Unit]int{USD: 6, Credits: 3}[unit]
	}
	sign, u := "", uint64(n)
	if n < 0 {
		sign, u = "-", -u
	}
	step := uint64(money.One)
	for range digits {
		step /= 10
	}
	u = (u + step/2) / step * step
	whole, frac := strconv.FormatUint(u/uint64(money.One), 10), strconv.FormatUint(u%uint64(money.One)+uint64(money.One), 10)[1:]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	frac = strings.TrimRight(frac[:digits], "0")
	frac += strings.Repeat("0", max(0, least-len(frac)))
	if frac != "" {
		whole += "." + frac
	}
	if unit == Credits {
		return sign + whole + " credits"
	}
	return sign + "$" + whole
}
