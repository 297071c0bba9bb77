package graph

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	askFor  = `mutation($i: RequestCreateInput!) { requestCreate(input: $i) { request { id waitsAt mine status } errors { code message path } } }`
	waiting = `query($f: RequestFilter) { console { requests(filter: $f, first: 10) { totalCount edges { node { id scopeName location requesterName amount reason
		impact { scopeName limit limitAfter parentName parentLeft available fits raises { scopeName before after } } viewerCan { action allowed reason } } } } } }`
	approve = `mutation($i: RequestApproveInput!) { requestApprove(input: $i) { request { status granted deciderName } raises { scopeName before after } errors { code message ... on AllocationError { available } } } }`
)

func (a *api) waitingFor(v *tenancy.Viewer, filter string) []any {
	a.t.Helper()
	edges, _ := a.ok(v, waiting, map[string]any{"f": filter}).at("console", "requests", "edges").([]any)
	return edges
}

func TestRequestsOverTheAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		clearRequests(t, a)
		for _, s := range []struct{ id, limit string }{{p.Org.ID, "500"}, {p.Team.ID, "200"}, {p.Member.ID, "50"}} {
			a.ok(a.A.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": s.id, "limit": s.limit}})
		}
		_, err := a.sealer.Seal(t.Context())
		require.NoError(t, err)
		inbox := a.socketTo(p.TeamAdmin, `subscription($s: ID!) { requestInbox(scopeId: $s) { waiting request { id amount requesterName } } }`, map[string]any{"s": p.Team.ID})
		require.InEpsilon(t, 1.0, 1+next(t, inbox).Payload.at("requestInbox", "waiting").(float64), 0.001)
		require.Eventually(t, func() bool { return a.stream.Watchers(a.A.Row.ID) > 0 }, 10*time.Second, 10*time.Millisecond)

		out := a.ok(p.Seat, askFor, map[string]any{"i": map[string]any{"scopeId": p.Member.ID, "amount": "30", "reason": "more tests"}})
		require.Empty(t, out.at("requestCreate", "errors"))
		requestID := out.at("requestCreate", "request", "id").(string)
		require.Equal(t, true, out.at("requestCreate", "request", "mine"))
		_, err = a.sealer.Seal(t.Context())
		require.NoError(t, err)
		told := next(t, inbox)
		require.Equal(t, requestID, told.Payload.at("requestInbox", "request", "id"))
		require.Equal(t, "30", told.Payload.at("requestInbox", "request", "amount"))
		require.InEpsilon(t, 1.0, told.Payload.at("requestInbox", "waiting"), 0.001)

		for name, c := range map[string]struct {
			v                     *tenancy.Viewer
			waits, open           int
			decides, withdrawsOwn bool
		}{
			"team admin": {p.TeamAdmin, 1, 1, true, false}, "org admin": {p.OrgAdmin, 1, 1, true, false}, "account admin": {a.A.Admin, 1, 1, true, false},
			"who asked": {p.Seat, 0, 1, false, true}, "sibling": {p.SiblingTeamAdmin, 0, 0, false, false}, "other account": {a.B.Admin, 0, 0, false, false},
		} {
			require.Len(t, a.waitingFor(c.v, "WAITING_FOR_ME"), c.waits, name)
			open := a.waitingFor(c.v, "OPEN")
			require.Len(t, open, c.open, name)
			if c.open == 0 {
				continue
			}
			node := answer{Data: open[0].(map[string]any)}
			require.Equal(t, c.decides, node.at("node", "viewerCan", 0, "allowed"), name)
			require.Equal(t, c.withdrawsOwn, node.at("node", "viewerCan", 2, "allowed"), name)
			require.Equal(t, c.decides, node.at("node", "impact") != nil, name)
			if c.decides {
				require.Equal(t, []any{"50", "80", "150", true}, []any{node.at("node", "impact", "limit"), node.at("node", "impact", "limitAfter"),
					node.at("node", "impact", "parentLeft"), node.at("node", "impact", "fits")}, name)
			} else {
				require.NotEmpty(t, node.at("node", "viewerCan", 0, "reason"))
			}
		}
		own := a.ok(p.Seat, `{ viewer { requests(plane: CONSOLE, first: 5) { totalCount edges { node { id scope { id } } } } } }`, nil)
		require.Equal(t, requestID, own.at("viewer", "requests", "edges", 0, "node", "id"))
		require.Empty(t, a.ok(p.TeamAdmin, `{ viewer { requests(plane: CONSOLE, first: 5) { edges { node { id } } } } }`, nil).at("viewer", "requests", "edges"))

		refusedOwn := a.do(p.Seat, approve, map[string]any{"i": map[string]any{"requestId": requestID}})
		require.Equal(t, "FORBIDDEN", refusedOwn.code(), "a seat decides on nothing")
		dry := a.ok(p.TeamAdmin, approve, map[string]any{"i": map[string]any{"requestId": requestID, "amount": "20", "dryRun": true}})
		require.Equal(t, "70", dry.at("requestApprove", "raises", 0, "after"))
		require.Len(t, a.waitingFor(p.TeamAdmin, "WAITING_FOR_ME"), 1, "taken back")
		done := a.ok(p.TeamAdmin, approve, map[string]any{"i": map[string]any{"requestId": requestID, "amount": "20"}})
		require.Empty(t, done.at("requestApprove", "errors"))
		require.Equal(t, "APPROVED", done.at("requestApprove", "request", "status"))
		again := a.ok(p.OrgAdmin, approve, map[string]any{"i": map[string]any{"requestId": requestID}})
		require.Equal(t, "CONFLICT", again.at("requestApprove", "errors", 0, "code"))
		require.Empty(t, a.waitingFor(p.TeamAdmin, "WAITING_FOR_ME"))
		require.Len(t, a.waitingFor(p.Seat, "CLOSED"), 1)
	})
}

func clearRequests(t *testing.T, a *api) {
	t.Helper()
	_, err := a.Store.System().ExecContext(t.Context(), "DELETE FROM requests")
	require.NoError(t, err)
	_, err = a.Store.System().ExecContext(t.Context(), "DELETE FROM budget_increases")
	require.NoError(t, err)
}

func TestSeatLimitsTellNothingOfOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		const q = `{ viewer { seats(plane: CONSOLE) { id isDefault available limits { name kind binding status budget { limit } } } } }`
		out := a.ok(p.Seat, q, nil)
		limits := out.at("viewer", "seats", 0, "limits").([]any)
		require.GreaterOrEqual(t, len(limits), 4, "seat, team, organization, plane")
		binding := 0
		for _, l := range limits {
			l := answer{Data: l.(map[string]any)}
			if l.at("binding") == true {
				binding++
			}
			require.Equal(t, l.at("kind") == "MEMBER", l.at("budget") != nil, "amounts of others are closed")
		}
		require.Equal(t, 1, binding)
		require.NotNil(t, out.at("viewer", "seats", 0, "available"))
		require.Empty(t, a.ok(a.A.Nobody, `{ viewer { name } }`, nil).code())
		peek := `query($id: ID!) { node(id: $id) { ... on Member { limits { name } available } } }`
		require.NotNil(t, a.ok(p.TeamAdmin, peek, map[string]any{"id": p.Member.ID}).at("node", "limits"))
		require.Nil(t, a.ok(p.SiblingTeamAdmin, peek, map[string]any{"id": p.Member.ID}).at("node"))
	})
}

func TestWhatIfOverTheAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		a.ok(a.A.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Team.ID, "limit": "1000"}})
		a.spend(budget.Call{AccountID: a.A.Row.ID, Plane: tenancy.Console, Path: p.Member.Path, OrganizationID: p.Org.ID, TeamID: p.Team.ID,
			MemberID: p.Member.ID, UserID: p.Seat.UserID, ModelID: p.Model.ID, ModelName: p.Model.Name, Ceiling: 50, RequestID: "req_whatif"})
		const q = `query($s: ID!, $i: WhatIfInput!) { forecastWhatIf(scopeId: $s, input: $i) { users limit now { perDay forecast forecastLow forecastHigh runsOutAt series seriesLow seriesHigh } changed { perDay forecast runsOutAt } models { name amount } targets { modelId name } } }`
		ask := func(v *tenancy.Viewer, in map[string]any) answer {
			return a.do(v, q, map[string]any{"s": p.Team.ID, "i": in})
		}
		same := ask(p.TeamAdmin, map[string]any{})
		require.Empty(t, same.Errors)
		require.Equal(t, same.at("forecastWhatIf", "now", "forecast"), same.at("forecastWhatIf", "changed", "forecast"))
		state := a.ok(p.TeamAdmin, `query($id: ID!) { node(id: $id) { ... on Team { budget { state { forecast forecastLow forecastHigh perDay } } } } }`, map[string]any{"id": p.Team.ID})
		require.Equal(t, state.at("node", "budget", "state", "perDay"), same.at("forecastWhatIf", "now", "perDay"), "today's")
		now := answer{Data: same.at("forecastWhatIf", "now").(map[string]any)}
		low, likely, high := amountOf(t, now.at("forecastLow")), amountOf(t, now.at("forecast")), amountOf(t, now.at("forecastHigh"))
		require.LessOrEqual(t, low, likely)
		require.LessOrEqual(t, likely, high)
		for _, series := range []string{"seriesLow", "seriesHigh"} {
			require.Len(t, now.at(series), len(now.at("series").([]any)), series)
		}
		require.Equal(t, now.at("forecastHigh"), now.at("seriesHigh", len(now.at("series").([]any))-1))
		double := ask(p.TeamAdmin, map[string]any{"usersPercent": 100})
		require.NotEqual(t, double.at("forecastWhatIf", "now", "perDay"), double.at("forecastWhatIf", "changed", "perDay"))
		for name, in := range map[string]map[string]any{
			"both": {"users": 1, "usersPercent": 1}, "too long": {"days": 367}, "no day": {"days": -1}, "half a person less than none": {"usersPercent": -101},
			"the other model": {"moves": []any{map[string]any{"fromModelId": p.Model.ID, "toModelId": a.B.Console.Model.ID, "percent": 10}}},
			"more than all":   {"moves": []any{map[string]any{"fromModelId": p.Model.ID, "toModelId": p.Model.ID, "percent": 101}}},
			"absurd price":    {"prices": []any{map[string]any{"modelId": p.Model.ID, "percent": 1001}}},
		} {
			require.Equal(t, "BAD_INPUT", ask(p.TeamAdmin, in).code(), name)
		}
		require.Equal(t, "FORBIDDEN", ask(p.TeamAdmin, map[string]any{"factorPpm": 5}).code(), "for admins of the account")
		require.Equal(t, "BAD_INPUT", ask(a.A.Admin, map[string]any{"factorPpm": 5}).code(), "Console has none")
		for name, v := range map[string]*tenancy.Viewer{"sibling": p.SiblingTeamAdmin, "other account": a.B.Admin, "staff": a.SuperAdmin, "other plane": a.A.Copilot.Admin} {
			require.Nil(t, ask(v, map[string]any{}).at("forecastWhatIf"), name)
		}
		pool := a.do(a.SuperAdmin, q, map[string]any{"s": a.A.Copilot.Root.ID, "i": map[string]any{"factorPpm": 2_000_000}})
		require.Empty(t, pool.Errors, "super admins try another factor on a whole Copilot")
		require.Equal(t, a.A.Copilot.Model.ID, pool.at("forecastWhatIf", "targets", 0, "modelId"))
		console := a.do(a.SuperAdmin, q, map[string]any{"s": p.Root.ID, "i": map[string]any{}})
		require.Empty(t, console.Errors)
		require.Empty(t, console.at("forecastWhatIf", "targets"), "an account's own models are its own")
	})
}

func amountOf(t *testing.T, v any) money.Nano {
	t.Helper()
	n, err := money.Parse(v.(string))
	require.NoError(t, err)
	return n
}

// A subscriber that comes back with its cursor is sent states only if
// something changed.
func TestBurnResumes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		const q = `subscription($s: ID!, $a: String) { budgetBurn(scopeId: $s, after: $a) { cursor lastMinute states { budgetId } } }`
		first := next(t, a.socketTo(p.TeamAdmin, q, map[string]any{"s": p.Team.ID}))
		require.Len(t, first.Payload.at("budgetBurn", "states"), 1)
		cursor := first.Payload.at("budgetBurn", "cursor")
		again := next(t, a.socketTo(p.TeamAdmin, q, map[string]any{"s": p.Team.ID, "a": cursor}))
		require.Empty(t, again.Payload.at("budgetBurn", "states"), "nothing changed")
		a.spend(budget.Call{AccountID: a.A.Row.ID, Plane: tenancy.Console, Path: p.Member.Path, OrganizationID: p.Org.ID, TeamID: p.Team.ID,
			MemberID: p.Member.ID, ModelID: p.Model.ID, ModelName: p.Model.Name, Ceiling: 5, RequestID: "req_resume"})
		changed := next(t, a.socketTo(p.TeamAdmin, q, map[string]any{"s": p.Team.ID, "a": cursor}))
		require.Len(t, changed.Payload.at("budgetBurn", "states"), 1)
		require.NotEqual(t, cursor, changed.Payload.at("budgetBurn", "cursor"))
	})
}
