package graph

import (
	"context"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/vikstrous/dataloadgen"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// chargeFilter narrows a list of charges.
type chargeFilter struct {
	scopeID, requestID, modelID, userID *string
	from, to                            *time.Time
}

func (r *Resolver) charges(ctx context.Context, at model.Ref, f chargeFilter, w window) (*model.ChargeConnection, error) {
	ctx = tenancy.InPlane(ctx, at.Plane)
	q := r.Store.Charge.Query().Where(charge.AccountID(at.AccountID), charge.PlaneEQ(charge.Plane(at.Plane)))
	if f.scopeID != nil {
		s, err := r.scopeByID(ctx, *f.scopeID)
		if err != nil {
			return nil, err
		}
		q.Where(func(sel *sql.Selector) {
			sel.Where(sql.P(func(b *sql.Builder) {
				b.WriteString("substr(").WriteString(sel.C(charge.FieldPath)).WriteString(", 1, ").Arg(len(s.Path)).WriteString(") = ").Arg(s.Path)
			}))
		})
	}
	if f.requestID != nil {
		q.Where(charge.RequestID(*f.requestID))
	}
	if f.modelID != nil {
		q.Where(charge.ModelID(*f.modelID))
	}
	if f.userID != nil {
		q.Where(charge.UserID(*f.userID))
	}
	if f.from != nil {
		q.Where(charge.AtGTE(*f.from))
	}
	if f.to != nil {
		q.Where(charge.AtLT(*f.to))
	}
	rows, info, err := list[*ent.Charge](ctx, q, w, charge.FieldID, true, func(c *ent.Charge) string { return c.ID })
	if err != nil {
		return nil, err
	}
	return &model.ChargeConnection{PageInfo: info, Edges: mapTo(rows, func(c *ent.Charge) *model.ChargeEdge {
		return &model.ChargeEdge{Node: toCharge(c), Cursor: encode(c.ID)}
	})}, nil
}

// maxLines bounds the lines of one call: itself, one late, a few corrections.
const maxLines = 100

// receiptLines are all lines of the call that a charge belongs to. They share
// its request and its payer, so who sees one may see all.
func (r *Resolver) receiptLines(ctx context.Context, c *model.Charge) ([]*model.Charge, error) {
	lines, err := from(ctx).receipt.lines.Load(ctx, c.RequestID)
	if err != nil {
		return nil, err
	}
	out := []*model.Charge{}
	for _, l := range lines {
		if x := toCharge(l); owner(x) == owner(c) && len(out) < maxLines {
			out = append(out, x)
		}
	}
	return out, nil
}

// owner is the charge that a line belongs to.
func owner(c *model.Charge) string {
	if c.AdjustsID != nil {
		return *c.AdjustsID
	}
	return c.ID
}

func pricesOf(p *ent.Price) budget.Prices {
	return budget.Prices{Input: money.Nano(p.Input), CachedInput: (*money.Nano)(p.CachedInput), CacheWrite: (*money.Nano)(p.CacheWrite),
		Output: money.Nano(p.Output), Reasoning: (*money.Nano)(p.Reasoning), AudioInput: (*money.Nano)(p.AudioInput),
		AudioOutput: (*money.Nano)(p.AudioOutput), Request: money.Nano(p.Request)}
}

// receiptClasses splits a charge's amount by its own price and factor.
func receiptClasses(ctx context.Context, c *model.Charge) ([]*model.TokenClassSum, error) {
	var prices budget.Prices
	if c.PriceID != "" {
		p, err := maybe(from(ctx).receipt.prices.Load(ctx, c.PriceID))
		if err != nil {
			return nil, err
		}
		if p != nil {
			prices = pricesOf(p)
		}
	}
	return toClasses(prices.Classes(c.Usage, c.Amount, c.FactorPpm)), nil
}

// receiptPrice is the price version of a charge in the plane's unit: what a
// catalogue model costs the platform is no tenant's to see.
func receiptPrice(ctx context.Context, c *model.Charge) (*model.ChargePrice, error) {
	if c.PriceID == "" {
		return nil, nil
	}
	p, err := maybe(from(ctx).receipt.prices.Load(ctx, c.PriceID))
	if p == nil || err != nil {
		return nil, err
	}
	out := &model.ChargePrice{ID: p.ID, EffectiveFrom: p.EffectiveFrom}
	in := func(n money.Nano) money.Nano {
		if c.Ref.Plane == tenancy.Copilot && err == nil {
			n, err = money.Credits(n, c.FactorPpm)
		}
		return n
	}
	or := func(n *int64, other int64) money.Nano {
		if n == nil {
			return in(money.Nano(other))
		}
		return in(money.Nano(*n))
	}
	out.Input, out.Output, out.Request = in(money.Nano(p.Input)), in(money.Nano(p.Output)), in(money.Nano(p.Request))
	out.CachedInput, out.CacheWrite, out.Reasoning = or(p.CachedInput, p.Input), or(p.CacheWrite, p.Input), or(p.Reasoning, p.Output)
	return out, err
}

// receiptLoaders read what receipts name.
type receiptLoaders struct {
	lines       *dataloadgen.Loader[string, []*ent.Charge] // by request
	prices      *dataloadgen.Loader[string, *ent.Price]
	userNames   *dataloadgen.Loader[string, string]
	clientNames *dataloadgen.Loader[string, string]
}

func (r *Resolver) newReceiptLoaders() receiptLoaders {
	st := r.Store
	return receiptLoaders{
		lines: loader(func(ctx context.Context, requests []string) (map[string][]*ent.Charge, error) {
			rows, err := st.Charge.Query().Where(charge.RequestIDIn(requests...)).Order(ent.Asc(charge.FieldAt, charge.FieldID)).
				Limit(maxLines * len(requests)).All(ctx)
			out := map[string][]*ent.Charge{}
			for _, c := range rows {
				out[c.RequestID] = append(out[c.RequestID], c)
			}
			return out, err
		}),
		prices: loader(func(ctx context.Context, ids []string) (map[string]*ent.Price, error) {
			ctx = tenancy.System(ctx, "prices of charges that the viewer sees; Copilot's are told in credits alone")
			rows, err := st.Price.Query().Where(price.IDIn(ids...)).All(ctx)
			return index(rows, err, func(p *ent.Price) string { return p.ID })
		}),
		userNames: loader(func(ctx context.Context, ids []string) (map[string]string, error) {
			rows, err := st.User.Query().Where(user.IDIn(ids...)).All(ctx)
			out := map[string]string{}
			for _, u := range rows {
				out[u.ID] = u.Name
			}
			return out, err
		}),
		clientNames: loader(func(ctx context.Context, ids []string) (map[string]string, error) {
			rows, err := st.ServiceClient.Query().Where(serviceclient.IDIn(ids...)).All(ctx)
			out := map[string]string{}
			for _, c := range rows {
				out[c.ID] = c.Name
			}
			return out, err
		}),
	}
}

// nameBy reads a name, nil for none.
func nameBy(ctx context.Context, l *dataloadgen.Loader[string, string], rowID string) (*string, error) {
	if rowID == "" {
		return nil, nil
	}
	name, err := maybe(l.Load(ctx, rowID))
	return unless(name), err
}
