package server

import (
	"encoding/csv"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// spend charges a call of a Console team, at its ceiling.
func (s *Server) spend(t *testing.T, team *ent.Scope, model string, cost money.Nano, tags ...string) (requestID string) {
	t.Helper()
	up := strings.Split(strings.Trim(team.Path, "/"), "/")
	requestID = id.New(id.Request)
	h, err := s.budget.Hold(t.Context(), budget.Call{AccountID: team.AccountID, Plane: tenancy.Console, Path: team.Path, OrganizationID: up[2], TeamID: team.ID,
		ModelID: "mod_" + model, ModelName: model, Ceiling: cost, RequestID: requestID, Tags: tags, SessionRef: "@session"}, budget.Usage{Output: 1})
	require.NoError(t, err)
	_, err = h.Settle(t.Context(), budget.Usage{Output: 1}, budget.Outcome{})
	require.NoError(t, err)
	return requestID
}

func table(t *testing.T, body string) (header []string, rows []map[string]string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	require.NoError(t, err)
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range line {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return lines[0], rows
}

func TestUsageIsExportedWhereItIsSeen(t *testing.T) {
	t.Parallel()
	s, base := start(t)
	a, b := newTenant(t, s, base, "acme"), newTenant(t, s, base, "beta")
	request := s.spend(t, a.team, "=cmd|calc", 2*money.One, "-tag", "b")
	s.spend(t, a.team, "plain", money.One)
	s.spend(t, b.team, "secret", 7*money.One)
	root := strings.Split(strings.Trim(a.team.Path, "/"), "/")[1]
	today := s.store.Now().UTC()
	days := "&from=" + today.AddDate(0, 0, -1).Format("2006-01-02T00:00:00Z") + "&to=" + today.AddDate(0, 0, 1).Format("2006-01-02T00:00:00Z")
	get := func(query string, headers ...string) (*http.Response, string) {
		return send(t, http.MethodGet, base+"/export/usage?"+query+days, "", headers...)
	}

	res, body := get("kind=usage&plane=CONSOLE&groupBy=MODEL", a.admin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Contains(t, res.Header.Get("Content-Disposition"), "usage_acme_console_")
	require.Contains(t, res.Header.Get("Content-Disposition"), "groupBy.MODEL")
	header, rows := table(t, body)
	require.Equal(t, []string{"from", "to", "id", "name", "amount", "unit", "calls"}, header[:7])
	require.Len(t, rows, 2)
	require.Equal(t, "'=cmd|calc", rows[0]["name"], "no spreadsheet computes it")
	require.Equal(t, "2", rows[0]["amount"])
	require.Equal(t, "USD", rows[0]["unit"])
	require.NotContains(t, body, "secret")
	events := s.events(t, "usage.export")
	require.Len(t, events, 1)
	require.Equal(t, root, events[0].ScopeID)
	require.Contains(t, rawChanges(t, events[0]), "groupBy")

	res, body = get("kind=usage&plane=CONSOLE&groupBy=TAG&interval=DAY&columns=name,amount", a.teamAdmin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	header, rows = table(t, body)
	require.Equal(t, []string{"name", "amount"}, header)
	require.Equal(t, []map[string]string{{"name": "'-tag", "amount": "2"}, {"name": "b", "amount": "2"}}, rows)

	res, body = get("kind=receipts&plane=CONSOLE&requestId="+request, a.teamAdmin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	_, rows = table(t, body)
	require.Len(t, rows, 1)
	require.Equal(t, "'@session", rows[0]["session"])
	require.Equal(t, "'-tag,b", rows[0]["tags"])
	require.Equal(t, request, rows[0]["request_id"])

	res, body = get("kind=receipts&plane=CONSOLE&tag=b&columns=request_id", a.admin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Equal(t, "request_id\n"+request+"\n", body)
	res, body = get("kind=receipts&plane=CONSOLE&keyId="+id.New(id.Key), a.admin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	_, rows = table(t, body)
	require.Empty(t, rows)

	res, body = get("kind=focus&plane=CONSOLE", a.admin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	header, rows = table(t, body)
	require.Equal(t, budget.FocusColumns, header)
	require.Len(t, rows, 2)
	require.NotContains(t, body, "secret")

	res, body = get("kind=statements&plane=CONSOLE", a.admin)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	_, rows = table(t, body)
	require.Empty(t, rows)

	// What the platform sees ends where an account begins.
	super := cookieOf(t, base, somebody, password)
	res, body = get("kind=platform&groupBy=ACCOUNT", super)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	header, rows = table(t, body)
	require.Len(t, rows, 2)
	require.Equal(t, "7", rows[0]["cost_usd"])
	for _, name := range header {
		require.NotRegexp(t, "member|user|key|team|organization|tag|session|path|request", name)
	}
	res, body = get("kind=platform&groupBy=DAY", super)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	_, rows = table(t, body)
	require.Len(t, rows, 1)
	require.Equal(t, today.Format("2006-01-02"), rows[0]["id"])
	require.Equal(t, "10", rows[0]["cost_usd"])
	for _, groupBy := range []string{"MEMBER", "TEAM", "KEY", "TAG", "USER", "CLIENT", "ORGANIZATION"} {
		res, _ = get("kind=platform&groupBy="+groupBy, super)
		require.Equal(t, http.StatusBadRequest, res.StatusCode, groupBy)
	}

	for name, c := range map[string]struct {
		query   string
		headers []string
		status  int
	}{
		"signed out":                 {"kind=usage&plane=CONSOLE&groupBy=MODEL", nil, 401},
		"another account's scope":    {"kind=usage&plane=CONSOLE&groupBy=MODEL&scope=" + a.team.ID, []string{b.admin}, 404},
		"no such scope":              {"kind=usage&plane=CONSOLE&groupBy=MODEL&scope=" + id.New(id.Team), []string{b.admin}, 404},
		"above one's own":            {"kind=usage&plane=CONSOLE&groupBy=MODEL&scope=" + root, []string{a.teamAdmin}, 404},
		"the other plane":            {"kind=usage&plane=COPILOT&groupBy=MODEL", []string{a.admin}, 404},
		"the scope of another plane": {"kind=usage&plane=COPILOT&groupBy=MODEL&scope=" + a.team.ID, []string{a.admin}, 404},
		"a tenant on the platform":   {"kind=platform&groupBy=ACCOUNT", []string{a.admin}, 403},
		"the platform in a tenant":   {"kind=receipts&plane=CONSOLE", []string{super}, 403},
		"the platform by scope":      {"kind=usage&plane=CONSOLE&groupBy=MODEL&scope=" + a.team.ID, []string{super}, 403},
		"no kind":                    {"plane=CONSOLE", []string{a.admin}, 400},
		"no group":                   {"kind=usage&plane=CONSOLE", []string{a.admin}, 400},
		"by no dimension":            {"kind=usage&plane=CONSOLE&groupBy=day;DROP", []string{a.admin}, 400},
		"no column":                  {"kind=usage&plane=CONSOLE&groupBy=MODEL&columns=cost", []string{a.admin}, 400},
		"an unknown parameter":       {"kind=usage&plane=CONSOLE&groupBy=MODEL&limit=1", []string{a.admin}, 400},
		"a foreign page":             {"kind=usage&plane=CONSOLE&groupBy=MODEL", []string{a.admin, "Origin: https://evil.example"}, 403},
	} {
		res, body := get(c.query, c.headers...)
		require.Equal(t, c.status, res.StatusCode, "%s: %s", name, body)
		require.NotContains(t, body, "calc", name)
	}
	res, _ = send(t, http.MethodGet, base+"/export/usage?kind=usage&plane=CONSOLE&groupBy=MODEL&from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "", a.admin)
	require.Equal(t, http.StatusBadRequest, res.StatusCode, "six years")
	res, _ = send(t, http.MethodPost, base+"/export/usage?kind=usage", "", a.admin, "X-Cockpit-CSRF: 1")
	require.Equal(t, http.StatusMethodNotAllowed, res.StatusCode)
}
