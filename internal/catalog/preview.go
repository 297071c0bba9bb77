package catalog

import (
	"context"
	"database/sql"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// PriceEffect is what an account's last 30 days of a model cost, and what they
// would have cost at another price.
type PriceEffect struct {
	AccountID, AccountName      string
	Calls                       int64
	CostBefore, CostAfter       money.Nano
	CreditsBefore, CreditsAfter money.Nano
	input, cached, write        int64
	output, reasoning           int64
	audioInput, audioOutput     int64
}

// PreviewPrice reckons the last 30 days of a catalogue model at another price and
// the accounts' factors of today, dearest account first. Sums are rounded once,
// charges each by itself: the difference is below a nano a call. For super admins.
func (c *Catalog) PreviewPrice(ctx context.Context, tx *store.Tx, catalogModelID string, in PriceInput) ([]PriceEffect, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if _, err := tx.CatalogModel.Get(ctx, catalogModelID); err != nil {
		return nil, hidden(err, "catalogue model")
	}
	var out []PriceEffect
	err := tx.Rows(ctx, `SELECT t.account_id, max(a.name), CAST(sum(t.calls) AS BIGINT), CAST(sum(t.cost) AS BIGINT), CAST(sum(t.credits) AS BIGINT),
		CAST(sum(t.input_tokens) AS BIGINT), CAST(sum(t.cached_input_tokens) AS BIGINT), CAST(sum(t.cache_write_tokens) AS BIGINT),
		CAST(sum(t.output_tokens) AS BIGINT), CAST(sum(t.reasoning_tokens) AS BIGINT), CAST(sum(t.audio_input_tokens) AS BIGINT), CAST(sum(t.audio_output_tokens) AS BIGINT)
		FROM usage_totals t JOIN models m ON m.id = t.model_id JOIN accounts a ON a.id = t.account_id
		WHERE m.catalog_model_id = ? AND t.day > ? GROUP BY t.account_id ORDER BY 4 DESC, 1`, []any{catalogModelID, c.firstDay()},
		func(r *sql.Rows) error {
			var e PriceEffect
			err := r.Scan(&e.AccountID, &e.AccountName, &e.Calls, &e.CostBefore, &e.CreditsBefore, &e.input, &e.cached, &e.write,
				&e.output, &e.reasoning, &e.audioInput, &e.audioOutput)
			out = append(out, e)
			return err
		})
	if err != nil {
		return nil, err
	}
	for i := range out {
		ppm, err := c.FactorPPM(ctx, out[i].AccountID)
		if err != nil {
			return nil, err
		}
		if err := out[i].reckon(in, ppm); err != nil {
			return nil, fault.At("price", "At this price the last 30 days cost more than has a place. Give a lower one.")
		}
	}
	return out, nil
}

func (e *PriceEffect) reckon(in PriceInput, factorPPM int64) (err error) {
	or := func(n *money.Nano, other money.Nano) money.Nano {
		if n == nil {
			return other
		}
		return *n
	}
	e.CostAfter, err = money.Cost(
		money.Line{Units: e.input, Price: in.Input}, money.Line{Units: e.cached, Price: or(in.CachedInput, in.Input)},
		money.Line{Units: e.write, Price: or(in.CacheWrite, in.Input)}, money.Line{Units: e.output, Price: in.Output},
		money.Line{Units: e.reasoning, Price: or(in.Reasoning, in.Output)}, money.Line{Units: e.audioInput, Price: in.Input},
		money.Line{Units: e.audioOutput, Price: in.Output}, money.Line{Units: e.Calls, Price: in.Request})
	if err != nil {
		return err
	}
	e.CreditsAfter, err = money.Credits(e.CostAfter, factorPPM)
	return err
}
