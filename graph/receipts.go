package graph

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"
	"github.com/vikstrous/dataloadgen"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/creditfactor"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// chargeFilter narrows a list of charges.
type chargeFilter struct {
	scopeID, requestID, modelID, userID, keyID, tag, agentID, clientID *string
	from, to                                                           *time.Time
}

// maxCount bounds how far a list of charges is counted.
const maxCount = 10_000

func (r *Resolver) charges(ctx context.Context, at model.Ref, f chargeFilter, w window) (*model.ChargeConnection, error) {
	ctx = tenancy.InPlane(ctx, at.Plane)
	where, err := r.chargesWhere(ctx, at, f)
	if err != nil {
		return nil, err
	}
	query := func() *ent.ChargeQuery { return r.Store.Charge.Query().Where(where...) }
	rows, info, err := list[*ent.Charge](ctx, query(), w, charge.FieldID, true, func(c *ent.Charge) string { return c.ID })
	if err != nil {
		return nil, err
	}
	return &model.ChargeConnection{PageInfo: info, Count: func(context.Context) (int, error) {
		ids, err := query().Limit(maxCount + 1).IDs(ctx)
		return len(ids), err
	}, Edges: mapTo(rows, func(c *ent.Charge) *model.ChargeEdge {
		return &model.ChargeEdge{Node: toCharge(c), Cursor: encode(c.ID)}
	})}, nil
}

func (r *Resolver) chargesWhere(ctx context.Context, at model.Ref, f chargeFilter) ([]predicate.Charge, error) {
	where := []predicate.Charge{charge.AccountID(at.AccountID), charge.PlaneEQ(charge.Plane(at.Plane))}
	in := Reaches(ctx, at.AccountID, at.Plane)
	if f.scopeID != nil {
		s, err := r.scopeByID(ctx, *f.scopeID)
		if err != nil {
			return nil, err
		}
		in = []tenancy.Reach{{AccountID: at.AccountID, Plane: at.Plane, Path: s.Path}}
		where = append(where, below(s.Path))
	}
	for _, x := range []struct {
		value *string
		is    func(string) predicate.Charge
	}{
		{f.requestID, charge.RequestID}, {f.modelID, charge.ModelID}, {f.userID, charge.UserID}, {f.keyID, charge.KeyID}, {f.tag, withTag},
		{f.agentID, charge.AgentID}, {f.clientID, charge.ClientID},
	} {
		if x.value != nil {
			where = append(where, x.is(*x.value))
		}
	}
	if f.from != nil {
		where = append(where, charge.AtGTE(*f.from))
	}
	if f.to != nil {
		where = append(where, charge.AtLT(*f.to))
	}
	if f.tag == nil && f.agentID == nil && f.clientID == nil {
		return where, nil
	}
	// No index of the ledger leads to these; the sums tell on which days there
	// are any.
	if f.from == nil || f.to == nil {
		return nil, fault.New(fault.BadInput, "Receipts by tag, agent or program need from and to.")
	}
	if err := checkRange(*f.from, *f.to); err != nil {
		return nil, err
	}
	filter := budget.UsageFilter{From: *f.from, To: *f.to, ModelID: given(f.modelID), Tag: given(f.tag), UserID: given(f.userID), KeyID: given(f.keyID),
		AgentID: given(f.agentID), ClientID: given(f.clientID)}
	zone, err := r.Budgets.Zone(ctx, at.AccountID)
	if err != nil {
		return nil, err
	}
	filter.Zone = zone
	times, err := r.Budgets.Times(ctx, in, filter)
	if err != nil {
		return nil, err
	}
	within := []predicate.Charge{charge.ID("")} // there are none
	for _, t := range times {
		within = append(within, charge.And(charge.AtGTE(t[0]), charge.AtLT(t[1])))
	}
	return append(where, charge.Or(within...)), nil
}

// below is true for what a scope, or one below it, paid.
func below(path string) predicate.Charge {
	return func(sel *sql.Selector) {
		sel.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("substr(").WriteString(sel.C(charge.FieldPath)).WriteString(", 1, ").Arg(len(path)).WriteString(") = ").Arg(path)
		}))
	}
}

// withTag is true for calls that have a tag.
func withTag(tag string) predicate.Charge {
	return func(sel *sql.Selector) { sel.Where(sqljson.ValueContains(charge.FieldTags, tag)) }
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

// receiptScope is a scope that a receipt names; nil where it is gone or beyond
// the viewer's reach.
func receiptScope(ctx context.Context, scopeID string) (*ent.Scope, error) {
	if scopeID == "" {
		return nil, nil
	}
	s, err := maybe(from(ctx).scopes.Load(ctx, scopeID))
	if s == nil || err != nil || s.DeletedAt != nil {
		return nil, err
	}
	return s, nil
}

func receiptModel(ctx context.Context, c *model.Charge) (*model.Model, error) {
	m, err := maybe(from(ctx).models.Load(ctx, c.ModelID))
	if m == nil || err != nil {
		return nil, err
	}
	return toModel(m), nil
}

func receiptUser(ctx context.Context, c *model.Charge) (*model.User, error) {
	if c.UserID == "" {
		return nil, nil
	}
	u, err := maybe(from(ctx).receipt.users.Load(ctx, c.UserID))
	if u == nil || err != nil {
		return nil, err
	}
	return toUser(u), nil
}

func receiptUserName(ctx context.Context, c *model.Charge) (*string, error) {
	u, err := receiptUser(ctx, c)
	if u == nil {
		return nil, err
	}
	return unless(u.Name), nil
}

func (r *Resolver) receiptClient(ctx context.Context, c *model.Charge) (*model.ServiceClient, error) {
	if c.ClientID == "" {
		return nil, nil
	}
	p, err := maybe(from(ctx).receipt.clients.Load(ctx, c.ClientID))
	if p == nil || err != nil {
		return nil, err
	}
	return toServiceClient(p, r.Store.Now()), nil
}

func receiptClientName(ctx context.Context, c *model.Charge) (*string, error) {
	if c.ClientID == "" {
		return nil, nil
	}
	p, err := maybe(from(ctx).receipt.clients.Load(ctx, c.ClientID))
	if p == nil {
		return nil, err
	}
	return unless(p.Name), err
}

func receiptFactor(ctx context.Context, c *model.Charge) (*model.ChargeFactor, error) {
	if c.FactorID == "" {
		return nil, nil
	}
	f, err := maybe(from(ctx).receipt.factors.Load(ctx, c.FactorID))
	if f == nil || err != nil {
		return nil, err
	}
	return &model.ChargeFactor{ID: f.ID, Factor: money.Nano(f.Ppm * 1000), EffectiveFrom: f.EffectiveFrom}, nil
}

// receiptBudgets are the budgets that paid a charge, from the pool down. Who
// sees the charge is told their names, as they are told every limit on their
// path; what else a budget says is for those who see it.
func receiptBudgets(ctx context.Context, c *model.Charge) ([]*model.ChargeBudget, error) {
	loading := mapTo(c.Cycles, func(k string) func() (*ent.BudgetCycle, error) { return from(ctx).receipt.cycles.LoadThunk(ctx, k) })
	cycles := make([]*ent.BudgetCycle, 0, len(loading))
	for _, load := range loading {
		x, err := maybe(load())
		if err != nil {
			return nil, err
		}
		if x != nil {
			cycles = append(cycles, x)
		}
	}
	slices.SortFunc(cycles, func(a, b *ent.BudgetCycle) int {
		return cmp.Compare(depth(a, c), depth(b, c))
	})
	return mapTo(cycles, func(x *ent.BudgetCycle) *model.ChargeBudget {
		s := x.Edges.Budget.Edges.Scope
		return &model.ChargeBudget{ScopeID: s.ID, ScopeName: s.Name, ScopeKind: model.ScopeKind(s.Kind), CycleStartsAt: x.StartsAt, Held: c.Held, Amount: c.Amount}
	}), nil
}

// depth orders budgets by the path, an agent's last.
func depth(x *ent.BudgetCycle, c *model.Charge) int {
	path := x.Edges.Budget.Edges.Scope.Path
	if !strings.HasPrefix(c.Ref.Path, path) {
		return math.MaxInt
	}
	return len(path)
}

// receiptLoaders read what receipts name.
type receiptLoaders struct {
	lines   *dataloadgen.Loader[string, []*ent.Charge] // by request
	prices  *dataloadgen.Loader[string, *ent.Price]
	users   *dataloadgen.Loader[string, *ent.User]
	clients *dataloadgen.Loader[string, *ent.ServiceClient]
	factors *dataloadgen.Loader[string, *ent.CreditFactor]
	cycles  *dataloadgen.Loader[string, *ent.BudgetCycle]
	before  *dataloadgen.Loader[usageRowKey, *budget.Sum]
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
		users: loader(func(ctx context.Context, ids []string) (map[string]*ent.User, error) {
			rows, err := st.User.Query().Where(user.IDIn(ids...)).All(ctx)
			return index(rows, err, func(u *ent.User) string { return u.ID })
		}),
		clients: loader(func(ctx context.Context, ids []string) (map[string]*ent.ServiceClient, error) {
			rows, err := st.ServiceClient.Query().Where(serviceclient.IDIn(ids...)).All(ctx)
			return index(rows, err, func(c *ent.ServiceClient) string { return c.ID })
		}),
		factors: loader(func(ctx context.Context, ids []string) (map[string]*ent.CreditFactor, error) {
			ctx = tenancy.System(ctx, "the factors of charges that the viewer sees")
			rows, err := st.CreditFactor.Query().Where(creditfactor.IDIn(ids...)).All(ctx)
			return index(rows, err, func(f *ent.CreditFactor) string { return f.ID })
		}),
		cycles: loader(func(ctx context.Context, ids []string) (map[string]*ent.BudgetCycle, error) {
			ctx = tenancy.System(ctx, "the names of the budgets that paid a charge which the viewer sees")
			rows, err := st.BudgetCycle.Query().Where(budgetcycle.IDIn(ids...)).
				WithBudget(func(q *ent.BudgetQuery) { q.WithScope() }).All(ctx)
			return index(rows, err, func(c *ent.BudgetCycle) string { return c.ID })
		}),
		before: loader(r.loadUsageBefore),
	}
}
