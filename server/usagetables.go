package server

import (
	"context"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/sqljson"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// tabulate chooses the table by its kind. Amounts are exact decimals in the
// plane's unit; costs in US dollars stand where the viewer pays them.
func (s *Server) tabulate(x *usageExport) error {
	switch x.kind {
	case "usage":
		return s.usageTable(x)
	case "receipts":
		s.receiptTable(x)
	case "statements":
		s.statementTable(x)
	case "focus":
		s.focusTable(x)
	case "platform":
		return s.platformTable(x)
	default:
		return fault.New(fault.BadInput, "The kind is usage, receipts, statements, focus or platform.")
	}
	return nil
}

// parts are the intervals of an export's time, the whole of it without one.
func (x *usageExport) parts() ([][2]time.Time, error) {
	from, to := budget.DayOf(x.from.In(x.zone)), budget.DayOf(x.to.Add(-time.Nanosecond).In(x.zone))+1
	next := func(int) int { return to }
	date := func(day int) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }
	switch x.asked.Get("interval") {
	case "":
	case "DAY":
		next = func(day int) int { return day + 1 }
	case "WEEK":
		next = func(day int) int { return day + 7 - (int(date(day).Weekday())+6)%7 }
	case "MONTH":
		next = func(day int) int {
			t := date(day)
			return budget.DayOf(time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC))
		}
	default:
		return nil, fault.New(fault.BadInput, "The interval is DAY, WEEK or MONTH, or left out for the whole time.")
	}
	var out [][2]time.Time
	for day := from; day < to; day = next(day) {
		out = append(out, [2]time.Time{budget.StartOf(day, x.zone).In(x.zone), budget.StartOf(min(next(day), to), x.zone).In(x.zone)})
	}
	return out, nil
}

// unit is the plane's.
func (x *usageExport) unit() string {
	if x.plane == tenancy.Copilot {
		return "CREDITS"
	}
	return "USD"
}

func (x *usageExport) amount(cost, credits money.Nano) string {
	if x.plane == tenancy.Copilot {
		return credits.String()
	}
	return cost.String()
}

var usageGroups = []budget.Dimension{budget.ByModel, budget.ByOrganization, budget.ByTeam, budget.ByMember, budget.ByUser, budget.ByKey, budget.ByAgent,
	budget.ByClient, budget.ByTag}

func (s *Server) usageTable(x *usageExport) error {
	by := budget.Dimension(x.asked.Get("groupBy"))
	if !slices.Contains(usageGroups, by) {
		return fault.New(fault.BadInput, "groupBy is MODEL, ORGANIZATION, TEAM, MEMBER, USER, KEY, AGENT, CLIENT or TAG.")
	}
	parts, err := x.parts()
	if err != nil {
		return err
	}
	x.columns = slices.Concat([]string{"from", "to", "id", "name", "amount", "unit", "calls"}, tokenColumns)
	x.numbers = slices.Concat([]string{"amount", "calls"}, tokenColumns)
	x.pages = func(ctx context.Context, yield func([]map[string]string) error) error {
		for _, part := range parts {
			sums, err := s.budget.Usage(ctx, x.in, budget.UsageFilter{From: part[0], To: part[1], Zone: x.zone, ModelID: x.asked.Get("modelId"), Tag: x.asked.Get("tag"),
				UserID: x.asked.Get("userId"), KeyID: x.asked.Get("keyId"), AgentID: x.asked.Get("agentId"), ClientID: x.asked.Get("clientId")}, by, maxExportGroups)
			if err != nil {
				return err
			}
			page := make([]map[string]string, len(sums))
			for i, sum := range sums {
				page[i] = map[string]string{"from": part[0].Format(time.RFC3339), "to": part[1].Format(time.RFC3339), "id": sum.ID, "name": sum.Name,
					"amount": x.amount(sum.Cost, sum.Credits), "unit": x.unit()}
				tokens(page[i], sum.Calls, sum.Usage)
			}
			if err := yield(page); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}

const exportPage = 1000

// receiptTable lists the lines of the ledger that the viewer sees, newest
// first.
func (s *Server) receiptTable(x *usageExport) {
	x.columns = slices.Concat([]string{"at", "id", "kind", "adjusts", "request_id", "model_id", "model", "path", "organization_id", "team_id", "member_id", "user_id",
		"key_id", "agent_id", "client_id", "session", "tags", "amount", "unit", "held", "held_at", "price_id", "factor_id", "factor_ppm"}, tokenColumns,
		[]string{"stream", "latency_ms", "first_byte_ms"})
	x.numbers = slices.Concat([]string{"amount", "held", "factor_ppm", "latency_ms", "first_byte_ms"}, tokenColumns)
	x.pages = func(ctx context.Context, yield func([]map[string]string) error) error {
		for last := ""; ; {
			q := s.store.Charge.Query().Where(charge.AccountID(x.account.ID), charge.PlaneEQ(charge.Plane(x.plane)), charge.AtGTE(x.from), charge.AtLT(x.to), x.within(charge.FieldPath))
			for name, field := range map[string]func(string) func(*sql.Selector){
				"modelId": func(v string) func(*sql.Selector) { return charge.ModelID(v) }, "userId": func(v string) func(*sql.Selector) { return charge.UserID(v) },
				"agentId": func(v string) func(*sql.Selector) { return charge.AgentID(v) }, "clientId": func(v string) func(*sql.Selector) { return charge.ClientID(v) },
				"requestId": func(v string) func(*sql.Selector) { return charge.RequestID(v) }, "keyId": func(v string) func(*sql.Selector) { return charge.KeyID(v) },
				"tag": func(v string) func(*sql.Selector) {
					return func(sel *sql.Selector) { sel.Where(sqljson.ValueContains(charge.FieldTags, v)) }
				},
			} {
				if v := x.asked.Get(name); v != "" {
					q.Where(field(v))
				}
			}
			if last != "" {
				q.Where(charge.IDLT(last))
			}
			rows, err := q.Order(ent.Desc(charge.FieldID)).Limit(exportPage).All(tenancy.InPlane(ctx, x.plane))
			if err != nil {
				return err
			}
			page := make([]map[string]string, len(rows))
			for i, c := range rows {
				page[i] = x.receipt(c)
				last = c.ID
			}
			if err := yield(page); err != nil || len(rows) < exportPage {
				return err
			}
		}
	}
}

// within confines rows by their path to the scope that the export is about; what the
// viewer may see, the store sees to.
func (x *usageExport) within(path string) func(*sql.Selector) {
	return func(sel *sql.Selector) {
		var within []*sql.Predicate
		for _, r := range x.in {
			within = append(within, sql.P(func(b *sql.Builder) {
				b.WriteString("substr(").WriteString(sel.C(path)).WriteString(", 1, ").Arg(len(r.Path)).WriteString(") = ").Arg(r.Path)
			}))
		}
		sel.Where(sql.Or(within...))
	}
}

func (x *usageExport) receipt(c *ent.Charge) map[string]string {
	row := map[string]string{"at": c.At.UTC().Format(time.RFC3339Nano), "id": c.ID, "kind": string(c.Kind), "adjusts": c.Adjusts, "request_id": c.RequestID,
		"model_id": c.ModelID, "model": c.ModelName, "path": c.Path, "organization_id": c.OrganizationID, "team_id": c.TeamID, "member_id": c.MemberID,
		"user_id": c.UserID, "key_id": c.KeyID, "agent_id": c.AgentID, "client_id": c.ClientID, "session": c.SessionRef, "tags": strings.Join(c.Tags, ","),
		"amount": x.amount(money.Nano(c.Cost), money.Nano(c.Credits)), "unit": x.unit(), "held": money.Nano(c.Held).String(),
		"held_at": c.HeldAt.UTC().Format(time.RFC3339Nano), "price_id": c.PriceID, "factor_id": c.FactorID, "factor_ppm": whole(c.FactorPpm),
		"latency_ms": whole(c.LatencyMs), "first_byte_ms": whole(c.FirstByteMs), "stream": "false"}
	if c.Stream {
		row["stream"] = "true"
	}
	tokens(row, 1, budget.Usage{Input: c.InputTokens, CachedInput: c.CachedInputTokens, CacheWrite: c.CacheWriteTokens, Output: c.OutputTokens,
		Reasoning: c.ReasoningTokens, AudioInput: c.AudioInputTokens, AudioOutput: c.AudioOutputTokens})
	return row
}

// statementTable lists the statements of cycles that ended in the time.
func (s *Server) statementTable(x *usageExport) {
	amounts := []string{"limit", "overflow", "carried_in", "raised", "spent", "overflow_spent", "excess_spent", "corrections", "carried_out"}
	x.columns = slices.Concat([]string{"id", "scope_id", "scope", "path", "budget_id", "cycle_id", "starts_at", "ends_at", "unit"}, amounts, []string{"calls"})
	x.numbers = append(amounts, "calls")
	x.pages = func(ctx context.Context, yield func([]map[string]string) error) error {
		for last := ""; ; {
			q := s.store.Statement.Query().Where(statement.AccountID(x.account.ID), statement.PlaneEQ(statement.Plane(x.plane)),
				statement.EndsAtGT(x.from), statement.EndsAtLTE(x.to), statement.IDGT(last), x.within(statement.FieldScopePath))
			rows, err := q.Order(statement.ByID()).Limit(exportPage).All(tenancy.InPlane(ctx, x.plane))
			if err != nil {
				return err
			}
			page := make([]map[string]string, len(rows))
			for i, st := range rows {
				last = st.ID
				page[i] = map[string]string{"id": st.ID, "scope_id": st.ScopeID, "scope": st.ScopeName, "path": st.ScopePath, "budget_id": st.BudgetID, "cycle_id": st.CycleID,
					"starts_at": st.StartsAt.UTC().Format(time.RFC3339), "ends_at": st.EndsAt.UTC().Format(time.RFC3339), "unit": string(st.Unit), "calls": whole(st.Calls)}
				for name, n := range map[string]int64{"limit": st.Lim, "overflow": st.Overflow, "carried_in": st.CarriedIn, "raised": st.Raised, "spent": st.Spent,
					"overflow_spent": st.OverflowSpent, "excess_spent": st.ExcessSpent, "corrections": st.Corrections, "carried_out": st.CarriedOut} {
					page[i][name] = money.Nano(n).String()
				}
			}
			if err := yield(page); err != nil || len(rows) < exportPage {
				return err
			}
		}
	}
}

// focusText are the columns of FOCUS that hold texts of people.
var focusText = []string{"BillingAccountName", "ChargeDescription", "InvoiceIssuerName", "ProviderName", "PublisherName", "ResourceName", "SubAccountName"}

func (s *Server) focusTable(x *usageExport) {
	x.columns = budget.FocusColumns
	for _, name := range x.columns {
		if !slices.Contains(focusText, name) {
			x.numbers = append(x.numbers, name)
		}
	}
	account := budget.FocusAccount{ID: x.account.ID, Name: x.account.Name, CreditValue: s.creditValue}
	x.pages = func(ctx context.Context, yield func([]map[string]string) error) error {
		for day := x.from.Truncate(24 * time.Hour); day.Before(x.to); day = day.Add(24 * time.Hour) {
			rows, err := s.budget.Focus(ctx, x.in, account, day)
			if err != nil {
				return err
			}
			page := make([]map[string]string, len(rows))
			for i, r := range rows {
				page[i] = r
			}
			if err := yield(page); err != nil {
				return err
			}
		}
		return nil
	}
}

var platformGroups = []budget.PlatformDimension{budget.ByAccount, budget.ByPlane, budget.ByName, budget.ByTotalDay}

// platformTable is what all accounts used: amounts by account, plane or model.
func (s *Server) platformTable(x *usageExport) error {
	by := budget.PlatformDimension(x.asked.Get("groupBy"))
	if !slices.Contains(platformGroups, by) {
		return fault.New(fault.BadInput, "groupBy is ACCOUNT, PLANE, MODEL or DAY.")
	}
	parts, err := x.parts()
	if err != nil {
		return err
	}
	amounts := []string{"cost_usd", "copilot_cost_usd", "credits", "value_usd", "margin_usd"}
	x.columns = slices.Concat([]string{"from", "to", "id", "name"}, amounts, []string{"calls"}, tokenColumns)
	x.numbers = slices.Concat(amounts, []string{"calls"}, tokenColumns)
	x.pages = func(ctx context.Context, yield func([]map[string]string) error) error {
		for _, part := range parts {
			sums, err := s.budget.PlatformUsage(ctx, budget.PlatformFilter{From: part[0], To: part[1], AccountID: x.asked.Get("accountId"), Model: x.asked.Get("model"),
				Plane: tenancy.Plane(x.asked.Get("plane"))}, by, maxExportGroups)
			if err != nil {
				return err
			}
			page := make([]map[string]string, len(sums))
			for i, sum := range sums {
				if by == budget.ByTotalDay {
					sum.ID = sum.Day.Format(time.DateOnly)
					sum.Name = sum.ID
				}
				value := budget.ValueOf(sum.Credits, s.creditValue)
				page[i] = map[string]string{"from": part[0].Format(time.RFC3339), "to": part[1].Format(time.RFC3339), "id": sum.ID, "name": sum.Name,
					"cost_usd": sum.Cost.String(), "copilot_cost_usd": sum.CopilotCost.String(), "credits": sum.Credits.String(),
					"value_usd": value.String(), "margin_usd": (value - sum.CopilotCost).String()}
				tokens(page[i], sum.Calls, sum.Usage)
			}
			if err := yield(page); err != nil {
				return err
			}
		}
		return nil
	}
	return nil
}
