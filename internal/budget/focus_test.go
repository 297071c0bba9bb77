package budget_test

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// focusRule is what FOCUS 1.2 says of a column.
type focusRule struct {
	null    bool
	format  string // of what isn't null: decimal, time, json, or any text
	allowed []string
	// needed: it may be null, but not for usage that isn't a correction.
	needed bool
}

var focusRules = map[string]focusRule{
	"BilledCost": {format: "decimal"}, "EffectiveCost": {format: "decimal"}, "ListCost": {format: "decimal"}, "ContractedCost": {format: "decimal"},
	"BillingAccountId": {}, "BillingAccountName": {null: true}, "BillingAccountType": {null: true}, "BillingCurrency": {allowed: []string{"USD"}},
	"BillingPeriodStart": {format: "time"}, "BillingPeriodEnd": {format: "time"}, "ChargePeriodStart": {format: "time"}, "ChargePeriodEnd": {format: "time"},
	"ChargeCategory":    {allowed: []string{"Usage", "Purchase", "Tax", "Credit", "Adjustment"}},
	"ChargeClass":       {null: true, allowed: []string{"Correction"}},
	"ChargeDescription": {null: true}, "ChargeFrequency": {allowed: []string{"One-Time", "Recurring", "Usage-Based"}},
	"ConsumedQuantity": {null: true, format: "decimal", needed: true}, "ConsumedUnit": {null: true, needed: true},
	"ContractedUnitPrice": {null: true, format: "decimal", needed: true}, "ListUnitPrice": {null: true, format: "decimal", needed: true},
	"InvoiceId": {null: true}, "InvoiceIssuerName": {}, "ProviderName": {}, "PublisherName": {},
	"PricingCategory": {null: true, needed: true, allowed: []string{"Standard", "Dynamic", "Committed", "Other"}},
	"PricingCurrency": {allowed: []string{"USD", "Credits"}}, "PricingCurrencyEffectiveCost": {format: "decimal"},
	"PricingCurrencyContractedUnitPrice": {null: true, format: "decimal", needed: true}, "PricingCurrencyListUnitPrice": {null: true, format: "decimal", needed: true},
	"PricingQuantity": {null: true, format: "decimal", needed: true}, "PricingUnit": {null: true, needed: true},
	"ResourceId": {null: true}, "ResourceName": {null: true}, "ResourceType": {null: true},
	"ServiceCategory": {allowed: []string{"AI and Machine Learning"}}, "ServiceName": {}, "ServiceSubcategory": {allowed: []string{"Generative AI"}},
	"SkuId": {null: true, needed: true}, "SkuMeter": {null: true}, "SkuPriceDetails": {null: true, format: "json"}, "SkuPriceId": {null: true, needed: true},
	"SubAccountId": {null: true}, "SubAccountName": {null: true}, "SubAccountType": {null: true}, "Tags": {null: true, format: "json"},
}

var decimalFormat = regexp.MustCompile(`^-?(0|[1-9]\d*)(\.\d+)?$`)

func obeys(t *testing.T, row budget.FocusRow) {
	t.Helper()
	usage := row["ChargeCategory"] == "Usage" && row["ChargeClass"] != "Correction"
	for name, rule := range focusRules {
		value := row[name]
		if value == "" {
			require.True(t, rule.null && (!rule.needed || !usage), "%s is null in %v", name, row)
			continue
		}
		switch rule.format {
		case "decimal":
			require.Regexp(t, decimalFormat, value, name)
		case "time":
			at, err := time.Parse("2006-01-02T15:04:05Z", value)
			require.NoError(t, err, name)
			require.Equal(t, time.UTC, at.Location())
		case "json":
			pairs := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(value), &pairs), name)
		}
		if rule.allowed != nil {
			require.Contains(t, rule.allowed, value, name)
		}
	}
	for name := range row {
		require.Contains(t, budget.FocusColumns, name, "a column that isn't written")
	}
	if usage {
		number := func(name string) *big.Rat {
			r, ok := new(big.Rat).SetString(row[name])
			require.True(t, ok, name)
			return r
		}
		require.Equal(t, 1, number("ConsumedQuantity").Sign())
		require.Zero(t, new(big.Rat).Mul(number("PricingQuantity"), number("ListUnitPrice")).Cmp(number("ListCost")), "quantity × price is the list cost: %v", row)
		require.Zero(t, new(big.Rat).Mul(number("PricingQuantity"), number("ContractedUnitPrice")).Cmp(number("ContractedCost")))
		require.Zero(t, new(big.Rat).Mul(number("PricingQuantity"), number("PricingCurrencyListUnitPrice")).Cmp(number("PricingCurrencyEffectiveCost")))
	}
	if row["PricingCurrency"] == "USD" {
		require.Equal(t, row["EffectiveCost"], row["PricingCurrencyEffectiveCost"])
	}
}

// Every row of a bill obeys the columns' rules, and its costs add up to the
// ledger, in both planes; what the platform pays for Copilot isn't in it.
func TestFocusObeysItsColumns(t *testing.T) {
	t.Parallel()
	for _, name := range budget.FocusColumns {
		if _, ok := focusRules[name]; !ok {
			require.Regexp(t, "^x_[A-Z][A-Za-z]+$", name, "columns of one's own have their prefix")
		}
	}
	for name := range focusRules {
		require.Contains(t, budget.FocusColumns, name)
	}
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		for _, plane := range []tenancy.Plane{tenancy.Console, tenancy.Copilot} {
			now := newClock(november())
			e := start(t, st, now.now)
			tr := plant(t, st, plane, "UTC")
			tr.set(t, e, tr.root, 1_000*usd)
			price := "prc_x"
			if plane == tenancy.Console {
				price = tr.price(t)
			}
			c := tr.call()
			c.PriceID, c.Tags, c.UserID, c.FactorPPM = price, []string{"a", `b"c`}, "usr_1", 1_333_333
			h, err := e.Hold(ctx, c, output(5))
			require.NoError(t, err)
			_, err = h.Settle(ctx, output(4), budget.Outcome{})
			require.NoError(t, err)
			ceiling := tr.call()
			ceiling.PriceID, ceiling.Ceiling, ceiling.Tags = "", 3*usd+1, nil
			spend(t, e, ceiling, 1)
			if plane == tenancy.Console {
				_, err = e.Adjust(ctx, h.ID, output(3)) // in the same month
				require.NoError(t, err)
				now.set(now.now().AddDate(0, 1, 0))
				_, err = e.Adjust(ctx, h.ID, output(2)) // of one that is billed
				require.NoError(t, err)
			}
			in := []tenancy.Reach{{AccountID: tr.account, Plane: plane, Path: "/" + tr.account + "/"}}
			of := budget.FocusAccount{ID: tr.account, Name: "Acme", CreditValue: usd / 800}
			var rows []budget.FocusRow
			for day := november(); !day.After(now.now()); day = day.AddDate(0, 0, 1) {
				page, err := e.Focus(ctx, in, of, day)
				require.NoError(t, err)
				rows = append(rows, page...)
			}
			billed, priced := new(big.Rat), new(big.Rat)
			var corrections, usages int
			for _, row := range rows {
				obeys(t, row)
				billed.Add(billed, rat(row["BilledCost"]))
				priced.Add(priced, rat(row["PricingCurrencyEffectiveCost"]))
				if row["ChargeClass"] == "Correction" {
					corrections++
				}
				if row["ChargeCategory"] == "Usage" && row["ChargeClass"] == "" {
					usages++
					require.Equal(t, tr.team, row["SubAccountId"])
				}
			}
			ledger := tr.ledger(t, "/"+tr.account+"/", "")
			if plane == tenancy.Console {
				require.Zero(t, rat(ledger.Cost.String()).Cmp(billed), "%s is not %s", billed.FloatString(12), ledger.Cost)
				require.Equal(t, 1, corrections, "the one of a billed month")
				require.Equal(t, 1, usages)
				i := slices.IndexFunc(rows, func(r budget.FocusRow) bool { return r["Tags"] != "" })
				require.JSONEq(t, `{"a": true, "b\"c": true}`, rows[i]["Tags"])
			} else {
				require.Zero(t, rat(ledger.Credits.String()).Cmp(priced))
				require.Zero(t, new(big.Rat).Mul(priced, rat("0.00125")).Cmp(billed), "credits at what they are sold for")
				for _, row := range rows {
					require.NotContains(t, row, "x_Cost")
				}
			}
			other, err := e.Focus(ctx, []tenancy.Reach{{AccountID: tr.account, Plane: plane, Path: tr.path + "x/"}}, of, november())
			require.NoError(t, err)
			require.Empty(t, other)
		}
	})
}

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}
