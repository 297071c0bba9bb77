package demo

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// call is one back-dated call, charged.
type call struct {
	at            time.Time
	team          *plantedTeam
	seat          *seat
	path          string
	agentID       string
	model         *priced
	usage         budget.Usage
	cost, credits money.Nano
	latency       time.Duration
}

func (c *call) amount(p tenancy.Plane) money.Nano {
	if p == tenancy.Copilot {
		return c.credits
	}
	return c.cost
}

// spend makes five weeks of calls, budgets that fit them, and the ledger.
func (p *inPlane) spend(ctx context.Context, a *ent.Account) error {
	zone, err := time.LoadLocation(a.TimeZone)
	if err != nil {
		return err
	}
	p.zone = zone
	begin, end := p.now, p.Now.UTC()
	defer func() { p.now = begin }() // the other plane begins then too
	calls, err := p.calls(begin, end, zone)
	if err != nil {
		return err
	}
	limits := p.limits(calls, begin, end, zone)
	monthly, first := budget.Monthly, cycleDay(end.In(zone))
	if _, err := p.budgets.Set(ctx, p.tx, p.root.ID, budget.Spec{Limit: limits[0].usual, Cycle: &monthly, CycleDay: first}); err != nil {
		return fmt.Errorf("cycle: %w", err)
	}
	for _, l := range limits { // parents first
		p.pass(30 * time.Second)
		if err := p.allocate(ctx, l.scope, l.usual); err != nil {
			return fmt.Errorf("budget of %s: %w", l.scope.Name, err)
		}
		if l.scope.Kind == scope.KindTEAM && l.now == l.usual {
			// What they leave of a month goes on into the next, up to a tenth.
			most := p.whole(l.usual / 10)
			if _, err := p.budgets.Set(ctx, p.tx, l.scope.ID, budget.Spec{KeepLimit: true, KeepOverflow: true, RolloverCap: &most}); err != nil {
				return err
			}
		}
	}
	if err := p.shareOut(ctx); err != nil {
		return err
	}
	// The engine opens the later cycles when it next touches a budget.
	p.now = end.Add(-20 * time.Minute)
	for _, l := range limits {
		p.pass(5 * time.Second)
		if l.now == l.usual {
			_, err = p.budgets.Set(ctx, p.tx, l.scope.ID, budget.Spec{Limit: l.usual})
		} else {
			err = p.allocate(ctx, l.scope, l.now)
		}
		if err != nil {
			return fmt.Errorf("budget of %s: %w", l.scope.Name, err)
		}
	}
	if err := p.raise(ctx); err != nil {
		return err
	}
	if err := p.book(ctx, calls); err != nil {
		return err
	}
	return p.capAgents(ctx)
}

func (p *inPlane) allocate(ctx context.Context, s *ent.Scope, limit money.Nano) error {
	set, err := p.budgets.Set(ctx, p.tx, s.ID, budget.Spec{Limit: limit})
	if err != nil {
		return err
	}
	if s.Kind == scope.KindCOPILOT {
		ctx = as(ctx, p.superAdmin)
	}
	changes := map[string]audit.Change{"limit": {After: limit.String()}}
	if set.Was != nil && set.Was.Lim != int64(limit) {
		changes["limit"] = audit.Change{Before: money.Nano(set.Was.Lim).String(), After: limit.String()}
	}
	return p.audit(ctx, "budget.set", s, "", changes)
}

// calls of the whole time, oldest first: busy on working days, with a slow
// rise from week to week.
func (p *inPlane) calls(begin, end time.Time, zone *time.Location) ([]*call, error) {
	var out []*call
	for _, t := range p.teams {
		for day := begin; day.Before(end.Add(24 * time.Hour)); day = day.Add(24 * time.Hour) {
			local := day.In(zone)
			pace := t.calls * (0.8 + 0.4*float64(day.Sub(begin))/float64(end.Sub(begin))) * (0.75 + p.dice.Float64()/2)
			if w := local.Weekday(); (w == time.Saturday || w == time.Sunday) && !t.tireless {
				pace *= 0.12
			}
			for range int(pace + p.dice.Float64()) {
				c, err := p.call(t, p.moment(t, local))
				if err != nil {
					return nil, err
				}
				if c.at.After(begin.Add(12*time.Hour)) && c.at.Before(end) {
					out = append(out, c)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b *call) int { return a.at.Compare(b.at) })
	return out, nil
}

// moment of a day: around late morning and mid-afternoon, or any time.
func (p *inPlane) moment(t *plantedTeam, day time.Time) time.Time {
	hour := p.dice.Float64() * 24
	if !t.tireless || p.dice.Float64() < 0.6 {
		hour = []float64{10.5, 15}[p.dice.IntN(2)] + 1.6*p.dice.NormFloat64()
	}
	midnight := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, day.Location())
	return midnight.Add(time.Duration(hour * float64(time.Hour))).UTC()
}

func (p *inPlane) call(t *plantedTeam, at time.Time) (*call, error) {
	// The first seats of a team call most.
	i := min(int(math.Abs(p.dice.NormFloat64())*float64(len(t.seats))/1.8), len(t.seats)-1)
	c := &call{at: at, team: t, seat: t.seats[i], model: p.models[p.pick(t.models)]}
	c.path = c.seat.scope.Path
	if c.seat.key != nil {
		c.path = c.seat.key.Path
	}
	prompt := int64(14_000 * math.Exp(0.9*p.dice.NormFloat64()))
	output := int64(1_400 * math.Exp(0.8*p.dice.NormFloat64()))
	if p.plane.plane == tenancy.Console { // pipelines read whole files
		prompt, output = 5*prompt, 3*output
	}
	prompt = min(prompt, c.model.context-c.model.maxOutput)
	cached := int64(float64(prompt) * 0.7 * p.dice.Float64())
	c.usage = budget.Usage{Input: prompt - cached, CachedInput: cached, Output: output}
	if n := c.model.Name; n == thinkingModel || n == "gpt-5" {
		c.usage.Reasoning = 2 * output
	}
	for _, a := range p.agents {
		if at := strings.TrimSuffix(a.scope.Path, a.scope.ID+"/"); strings.HasPrefix(c.path, at) && float64(output%100) < 100*a.share {
			c.agentID = a.scope.ID
		}
	}
	c.latency = time.Duration(400+output/2+c.usage.Reasoning/2) * time.Millisecond
	var err error
	if c.cost, err = c.model.prices.Cost(c.usage); err != nil {
		return nil, err
	}
	if p.plane.plane == tenancy.Copilot {
		_, ppm := p.factor(c.at)
		c.credits, err = money.Credits(c.cost, ppm)
	}
	return c, err
}

func (p *inPlane) pick(from []weighted) string {
	var sum float64
	for _, w := range from {
		sum += w.weight
	}
	at := p.dice.Float64() * sum
	for _, w := range from {
		if at -= w.weight; at < 0 {
			return w.model
		}
	}
	return from[0].model
}

// cycleDay is the day on which the story's cycles begin: such that the present
// one is more than a week old, and lasts for a week at least, whatever day it
// is.
func cycleDay(now time.Time) int {
	if d := now.Day(); d <= 8 || d >= 25 {
		return 15
	}
	return 1
}

// cycleOf is the present cycle.
func cycleOf(now time.Time) (begins, ends time.Time) {
	begins = time.Date(now.Year(), now.Month(), cycleDay(now), 0, 0, 0, 0, now.Location())
	if begins.After(now) {
		begins = begins.AddDate(0, -1, 0)
	}
	return begins, begins.AddDate(0, 1, 0)
}

// limit is a budget: usual for the whole time, now from today on.
type limit struct {
	scope      *ent.Scope
	usual, now money.Nano
}

// limits fit the budgets to what is spent, parents before children.
func (p *inPlane) limits(calls []*call, begin, end time.Time, zone *time.Location) []*limit {
	cycle, renews := cycleOf(end.In(zone))
	total, current := map[string]money.Nano{}, map[string]money.Nano{}
	for _, c := range calls {
		for _, s := range strings.Split(strings.Trim(c.path, "/"), "/") {
			total[s] += c.amount(p.plane.plane)
			if !c.at.Before(cycle) {
				current[s] += c.amount(p.plane.plane)
			}
		}
	}
	monthly := func(scopeID string) float64 {
		return float64(total[scopeID]) * float64(30*24*time.Hour) / float64(end.Sub(begin))
	}
	var teams, orgs []*limit
	pool := &limit{scope: p.root}
	for _, t := range p.teams {
		if len(orgs) == 0 || orgs[len(orgs)-1].scope != t.org {
			orgs = append(orgs, &limit{scope: t.org})
		}
		l := &limit{scope: t.scope, usual: round(1.3 * monthly(t.scope.ID))}
		l.now = l.usual
		switch t.outlook {
		case hasty:
			rest := renews.Sub(end).Hours() / (30 * 24)
			l.now = min(l.usual, p.whole(current[t.scope.ID]+money.Nano(0.6*rest*monthly(t.scope.ID))))
		case nearly:
			l.now = min(l.usual, p.whole(max(current[t.scope.ID]+current[t.scope.ID]/25, money.Nano(0.1*monthly(t.scope.ID)))))
		case healthy:
		}
		teams = append(teams, l)
		orgs[len(orgs)-1].usual += l.usual
		for _, m := range t.seats {
			switch {
			case m.blocked:
				teams = append(teams, &limit{scope: m.scope, usual: l.usual / 2, now: current[m.scope.ID] / (money.One / 100) * (money.One / 100)})
			case t.equal && total[m.scope.ID] > total[t.scope.ID]/money.Nano(len(t.seats)):
				own := round(1.3 * monthly(m.scope.ID))
				teams = append(teams, &limit{scope: m.scope, usual: own, now: own})
			case m.name == member && m.key != nil:
				teams = append(teams, &limit{scope: m.scope, usual: l.usual * 3 / 5, now: l.usual * 3 / 5},
					&limit{scope: m.key, usual: l.usual / 2, now: l.usual / 2})
			}
		}
	}
	for _, o := range orgs {
		o.usual = round(1.05 * float64(o.usual))
		o.now = o.usual
		pool.usual += o.usual
	}
	pool.usual = round(1.05 * float64(pool.usual))
	pool.now = pool.usual
	return append(append([]*limit{pool}, orgs...), teams...)
}

// whole rounds up to whole dollars, or to the credits of one.
func (p *inPlane) whole(amount money.Nano) money.Nano {
	unit := money.One
	if p.plane.plane == tenancy.Copilot {
		unit = money.Nano(p.FactorPPM) * (money.One / money.Nano(money.FactorOne))
	}
	return (amount/unit + 1) * unit
}

// round makes two leading digits, upwards.
func round(amount float64) money.Nano {
	step := math.Pow(10, math.Floor(math.Log10(max(amount, float64(10*money.One))))-1)
	return money.Nano(math.Ceil(amount/step) * step)
}

// rowsAtOnce keeps statements short: SQLite's driver takes quadratic time in
// the number of arguments.
const rowsAtOnce = 20

// book writes the ledger, and the counters that sum it up.
func (p *inPlane) book(ctx context.Context, calls []*call) error {
	cycles, err := p.tx.BudgetCycle.Query().Where(budgetcycle.AccountID(p.root.AccountID), budgetcycle.PlaneEQ(budgetcycle.Plane(p.plane.plane))).
		WithBudget(func(q *ent.BudgetQuery) { q.Select(entbudget.FieldScopeID) }).All(ctx)
	if err != nil {
		return err
	}
	byScope := map[string][]*ent.BudgetCycle{}
	for _, c := range cycles {
		byScope[c.Edges.Budget.ScopeID] = append(byScope[c.Edges.Budget.ScopeID], c)
	}
	for chunk := range slices.Chunk(calls, rowsAtOnce) {
		rows := make([]*ent.ChargeCreate, len(chunk))
		for i, c := range chunk {
			rows[i] = p.charge(c, byScope)
		}
		if err := p.tx.Charge.CreateBulk(rows...).Exec(ctx); err != nil {
			return err
		}
	}
	if err := p.budgets.FillUsage(ctx, p.tx.SQL(), p.root.AccountID); err != nil {
		return err
	}
	for _, c := range cycles {
		if c.Folded == 0 {
			continue
		}
		err := p.tx.BudgetCycle.UpdateOneID(c.ID).SetFolded(c.Folded).SetEscrowed(c.Folded).AddRevision(1).
			SetExcess(max(0, c.Folded-c.Lim-c.Overflow)).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// tags that programs give their calls: pipelines by when they run, one call in
// three that it was for a customer.
func (c *call) tags() []string {
	out := []string{}
	if c.team.tireless {
		out = append(out, "pipeline")
		if h := c.at.Hour(); h < 6 || h > 21 {
			out = append(out, "nightly")
		}
	}
	if c.usage.Output%3 == 0 {
		out = append(out, "customer")
	}
	return out
}

// charge is the ledger's line of a call; it adds the amount to the cycles that
// the call lies in.
func (p *inPlane) charge(c *call, byScope map[string][]*ent.BudgetCycle) *ent.ChargeCreate {
	in := []string{}
	for _, s := range strings.Split(strings.Trim(c.path, "/"), "/") {
		for _, cycle := range byScope[s] {
			if !c.at.Before(cycle.StartsAt) && c.at.Before(cycle.EndsAt) {
				cycle.Folded += int64(c.amount(p.plane.plane))
				in = append(in, cycle.ID)
			}
		}
	}
	var keyID string
	if c.seat.key != nil {
		keyID = c.seat.key.ID
	}
	at := c.at.Truncate(time.Microsecond)
	row := p.tx.Charge.Create().SetID(id.At(id.Charge, at)).SetAccountID(p.root.AccountID).SetPlane(charge.Plane(p.plane.plane)).
		SetKind(charge.KindSETTLED).SetPath(c.path).SetOrganizationID(c.team.org.ID).SetTeamID(c.team.scope.ID).
		SetMemberID(c.seat.scope.ID).SetUserID(c.seat.user.ID).SetKeyID(keyID).SetAgentID(c.agentID).SetCycles(in).SetTags(c.tags()).
		SetModelID(c.model.ID).SetModelName(c.model.Name).SetPriceID(c.model.priceID).SetRequestID(id.At(id.Request, at)).
		SetInputTokens(c.usage.Input).SetCachedInputTokens(c.usage.CachedInput).SetOutputTokens(c.usage.Output).SetReasoningTokens(c.usage.Reasoning).
		SetCost(int64(c.cost)).SetCredits(int64(c.credits)).SetHeld(int64(c.amount(p.plane.plane)) * 2).SetStream(p.dice.IntN(3) > 0).
		SetLatencyMs(c.latency.Milliseconds()).SetFirstByteMs(c.latency.Milliseconds() / 5).
		SetHeldAt(at.Add(-c.latency)).SetAt(at).SetDay(budget.DayOf(at.In(p.zone)))
	if p.plane.plane == tenancy.Copilot {
		factorID, ppm := p.factor(c.at)
		row.SetFactorID(factorID).SetFactorPpm(ppm)
		if c.seat.key == nil {
			row.SetClientID(p.client)
		}
	}
	return row
}
