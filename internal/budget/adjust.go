package budget

import (
	"context"
	"database/sql"

	"github.com/alchemi/cockpit/internal/fault"
)

// Adjust lowers what a charge stands at to what the usage costs by the charge's
// own price, as an ADJUSTED line of the current cycle. More than it stands at
// changes nothing: corrections only give back. Errors: NOT_FOUND; INVALID for a
// charge without a price.
func (e *Engine) Adjust(ctx context.Context, chargeID string, u Usage) (Receipt, error) {
	e.flushed()
	var p Prices
	found := false
	err := e.query(ctx, e.db, "SELECT "+priceColumns+" FROM prices p JOIN charges c ON c.price_id = p.id WHERE c.id = $1", []any{chargeID}, func(r *sql.Rows) error {
		found = true
		return r.Scan(p.to()...)
	})
	if err != nil {
		return Receipt{}, err
	}
	if !found {
		return Receipt{}, fault.New(fault.NotFound, "There is no such charge with a price.")
	}
	cost, err := p.Cost(u)
	if err != nil {
		return Receipt{}, fault.At("usage", "This usage has no cost: %s.", err)
	}
	return e.finish(&op{do: adjust, charge: chargeID, cost: cost, usage: u})
}
