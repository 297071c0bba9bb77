package office

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type unitsInput struct {
	Value float64 `json:"value" jsonschema:"How much of the unit from."`
	From  string  `json:"from" jsonschema:"The unit that it is in."`
	To    string  `json:"to" jsonschema:"The unit that it shall be in."`
}

type currencyInput struct {
	Amount float64 `json:"amount" jsonschema:"How much of the currency from."`
	From   string  `json:"from" jsonschema:"Its code of three letters, such as EUR."`
	To     string  `json:"to" jsonschema:"The other's code, such as USD."`
}

// measure is a unit in terms of its dimension's first.
type measure struct {
	dimension     string
	factor, shift float64
}

var units = map[string]measure{
	"m": {"length", 1, 0}, "km": {"length", 1000, 0}, "mi": {"length", 1609.344, 0}, "ft": {"length", 0.3048, 0},
	"kg": {"weight", 1, 0}, "lb": {"weight", 0.45359237, 0},
	"c": {"temperature", 1, 0}, "f": {"temperature", 5.0 / 9, -32},
}

// perEuro are the year's rates.
var perEuro = map[string]float64{"EUR": 1, "USD": 1.12, "GBP": 0.86, "CHF": 0.94, "JPY": 164}

func convertUnits(_ context.Context, _ *mcp.CallToolRequest, in unitsInput) (*mcp.CallToolResult, any, error) {
	from, known := units[strings.ToLower(in.From)]
	to, also := units[strings.ToLower(in.To)]
	switch {
	case !known || !also:
		return refuse("Units are km, m, mi, ft, kg, lb, C and F."), nil, nil
	case from.dimension != to.dimension:
		return refuse(fmt.Sprintf("%s measures %s, and %s measures %s.", in.From, from.dimension, in.To, to.dimension)), nil, nil
	}
	value := (in.Value+from.shift)*from.factor/to.factor - to.shift
	return say(short(in.Value) + " " + in.From + " = " + short(value) + " " + in.To), nil, nil
}

func convertCurrency(_ context.Context, _ *mcp.CallToolRequest, in currencyInput) (*mcp.CallToolResult, any, error) {
	from, known := perEuro[strings.ToUpper(in.From)]
	to, also := perEuro[strings.ToUpper(in.To)]
	if !known || !also {
		return refuse("Currencies are EUR, USD, GBP, CHF and JPY."), nil, nil
	}
	return say(fmt.Sprintf("%.2f %s = %.2f %s", in.Amount, strings.ToUpper(in.From), in.Amount/from*to, strings.ToUpper(in.To))), nil, nil
}

func short(v float64) string { return strconv.FormatFloat(math.Round(v*1e4)/1e4, 'f', -1, 64) }
