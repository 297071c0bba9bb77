package budget

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// FocusColumns are the columns of an export in their order: those of FOCUS 1.2
// that Cockpit has facts for, then its own.
var FocusColumns = []string{
	"BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
	"ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit",
	"ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost", "ListUnitPrice", "PricingCategory",
	"PricingCurrency", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost", "PricingCurrencyListUnitPrice", "PricingQuantity",
	"PricingUnit", "ProviderName", "PublisherName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
	"ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId", "SubAccountName", "SubAccountType", "Tags",
	"x_AgentId", "x_Calls", "x_ClientId", "x_FactorPpm", "x_KeyId", "x_MemberId", "x_OrganizationId", "x_PriceId", "x_UserId",
}

// FocusRow is one row by column; one that isn't there is null.
type FocusRow map[string]string

// meters are the names of token classes on a bill.
var meters = map[Class]string{Input: "Input Tokens", CachedInput: "Cached Input Tokens", CacheWrite: "Cache Write Tokens", Output: "Output Tokens",
	Reasoning: "Reasoning Tokens", AudioInput: "Audio Input Tokens", AudioOutput: "Audio Output Tokens"}

// decimal is an exact number: n / 10^digits.
type decimal struct {
	n      *big.Int
	digits int
}

func dec(n int64, digits int) decimal { return decimal{big.NewInt(n), digits} }

func (d decimal) times(o decimal) decimal {
	return decimal{new(big.Int).Mul(d.n, o.n), d.digits + o.digits}
}

func (d decimal) minus(o decimal) decimal {
	a, b := d.at(max(d.digits, o.digits)), o.at(max(d.digits, o.digits))
	return decimal{new(big.Int).Sub(a, b), max(d.digits, o.digits)}
}

// at is the integer of so many digits, at least those that it has.
func (d decimal) at(digits int) *big.Int {
	return new(big.Int).Mul(d.n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits-d.digits)), nil))
}

func (d decimal) String() string {
	s := new(big.Int).Abs(d.n).String()
	if len(s) <= d.digits {
		s = strings.Repeat("0", d.digits-len(s)+1) + s
	}
	s = s[:len(s)-d.digits] + "." + s[len(s)-d.digits:]
	s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	if d.n.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// one token or call is priced by the million.
const perMillion = 6

// rows are a row for each class of tokens, one for the calls that have a price
// themselves, and one for what these don't explain: charges at a ceiling or at
// the hold, rounding, corrections.
func (g *focusGroup) rows(a FocusAccount) []FocusRow {
	rate, amount, factor := dec(1, 0), dec(int64(g.Cost), 9), dec(1, 0)
	if g.plane == tenancy.Copilot {
		rate, amount, factor = dec(int64(a.CreditValue), 9), dec(int64(g.Credits), 9), dec(g.ppm, perMillion)
	}
	base := g.base(a)
	if g.adjusts {
		row := cost(base, amount, rate)
		row["ChargeCategory"], row["ChargeDescription"] = "Adjustment", "Correction of charges of "+g.modelName
		if g.correction {
			row["ChargeCategory"], row["ChargeClass"] = "Usage", "Correction"
		}
		return []FocusRow{row}
	}
	var out []FocusRow
	priced := func(meter, unit string, quantity int64, price money.Nano) {
		unitPrice := dec(int64(price), 9).times(factor)
		part := unitPrice.times(dec(quantity, perMillion))
		amount = amount.minus(part)
		row := cost(base, part, rate)
		row["ChargeCategory"], row["ChargeDescription"] = "Usage", g.modelName+": "+meter
		row["SkuId"] = g.model + "/" + strings.ReplaceAll(meter, " ", "")
		row["SkuPriceId"], row["SkuMeter"] = row["SkuId"], meter
		row["ConsumedQuantity"], row["ConsumedUnit"] = strconv.FormatInt(quantity, 10), unit
		row["PricingQuantity"], row["PricingUnit"] = dec(quantity, perMillion).String(), "1000000 "+unit
		row["PricingCategory"] = "Standard"
		row["PricingCurrencyListUnitPrice"] = unitPrice.String()
		row["PricingCurrencyContractedUnitPrice"] = unitPrice.String()
		row["ListUnitPrice"] = unitPrice.times(rate).String()
		row["ContractedUnitPrice"] = row["ListUnitPrice"]
		out = append(out, row)
	}
	if g.priceID != "" {
		for _, c := range g.prices.classes(g.Usage) {
			if c.Tokens > 0 {
				priced(meters[c.Class], "Tokens", c.Tokens, *c.Price)
			}
		}
		if g.Calls > 0 && g.prices.Request > 0 {
			priced("Requests", "Requests", g.Calls, g.prices.Request)
		}
	}
	if amount.n.Sign() != 0 {
		row := cost(base, amount, rate)
		row["ChargeCategory"], row["ChargeDescription"] = "Adjustment", "Calls of "+g.modelName+" charged at their ceiling or hold, and rounding"
		out = append(out, row)
	}
	if len(out) > 0 {
		out[0]["x_Calls"] = strconv.FormatInt(g.Calls, 10)
	}
	return out
}

// cost is a copy of a row with an amount in the pricing currency, and at the
// rate of that in the billing currency.
func cost(base FocusRow, amount, rate decimal) FocusRow {
	row := FocusRow{}
	for k, v := range base {
		row[k] = v
	}
	row["PricingCurrencyEffectiveCost"] = amount.String()
	for _, name := range []string{"BilledCost", "EffectiveCost", "ListCost", "ContractedCost"} {
		row[name] = amount.times(rate).String()
	}
	return row
}

func (g *focusGroup) base(a FocusAccount) FocusRow {
	month := time.Date(g.day.Year(), g.day.Month(), 1, 0, 0, 0, 0, time.UTC)
	row := FocusRow{
		"BillingAccountId": a.ID, "BillingAccountName": a.Name, "BillingAccountType": "Account", "BillingCurrency": "USD",
		"BillingPeriodStart": month.Format(time.RFC3339), "BillingPeriodEnd": month.AddDate(0, 1, 0).Format(time.RFC3339),
		"ChargePeriodStart": g.day.Format(time.RFC3339), "ChargePeriodEnd": g.day.Add(24 * time.Hour).Format(time.RFC3339),
		"ChargeFrequency": "Usage-Based", "PricingCurrency": "USD",
		"ResourceId": g.model, "ResourceName": g.modelName, "ResourceType": "Model",
		"ServiceCategory": "AI and Machine Learning", "ServiceSubcategory": "Generative AI", "ServiceName": "Cockpit Console",
		"ProviderName": g.provider, "x_FactorPpm": "",
	}
	if g.plane == tenancy.Copilot {
		row["ServiceName"], row["PricingCurrency"], row["ProviderName"] = "Cockpit Copilot", "Credits", ""
		row["x_FactorPpm"] = strconv.FormatInt(g.ppm, 10)
	}
	if row["ProviderName"] == "" {
		row["ProviderName"] = "Cockpit"
	}
	row["PublisherName"], row["InvoiceIssuerName"] = row["ProviderName"], row["ProviderName"]
	if g.team != "" {
		row["SubAccountId"], row["SubAccountName"], row["SubAccountType"] = g.team, g.teamName, "Team"
	}
	if len(g.tags) > 0 {
		set := map[string]bool{}
		for _, t := range g.tags {
			set[t] = true // as FOCUS wants tags that have no value
		}
		text, err := json.Marshal(set)
		if err == nil {
			row["Tags"] = string(text)
		}
	}
	for name, value := range map[string]string{"x_OrganizationId": g.org, "x_MemberId": g.member, "x_UserId": g.user, "x_KeyId": g.key, "x_AgentId": g.agent,
		"x_ClientId": g.app, "x_PriceId": g.priceID} {
		row[name] = value
	}
	return row
}
