package graph

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// breakAudit makes every event fail to be written.
func breakAudit(t *testing.T, st *store.Store, owner *sql.DB) {
	t.Helper()
	statements := []string{"CREATE TRIGGER broken BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'the audit log is broken'); END"}
	if st.Dialect == store.Postgres {
		statements = []string{"CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is broken'; END $$",
			"CREATE TRIGGER broken BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION broken()"}
	}
	for _, s := range statements {
		_, err := owner.ExecContext(t.Context(), s)
		require.NoError(t, err)
	}
}

// A change whose event can't be written doesn't happen, whatever is changed.
func TestChangesThatCantBeAuditedDontHappen(t *testing.T) {
	t.Parallel()
	storetest.EachOwned(t, func(t *testing.T, st *store.Store, owner *sql.DB) {
		a := newAPI(t, st)
		a.probe = func(string, string) ([]string, error) { return []string{"m1"}, nil }
		p := a.A.Console
		providerInput := map[string]any{"name": "House LLM", "baseUrl": "https://llm.example/v1/", "secret": "sk-very-secret-1234"}
		operations := map[string]struct {
			viewer *tenancy.Viewer
			query  string
			input  map[string]any
		}{
			"budgetSet":                 {p.Admin, `budgetSet`, map[string]any{"scopeId": p.Org.ID, "limit": "77"}},
			"budgetFreeze":              {p.Admin, `budgetFreeze`, map[string]any{"budgetId": p.Budgets[p.Team.ID].ID, "reason": "a runaway loop"}},
			"budgetIncrease":            {p.Admin, `budgetIncrease`, map[string]any{"scopeId": p.Org.ID, "amount": "1", "endsAt": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}},
			"budgetMove":                {p.Admin, `budgetMove`, map[string]any{"fromId": p.Team.ID, "toId": p.SiblingTeam.ID, "amount": "0.5"}},
			"budgetRemove":              {p.Admin, `budgetRemove`, map[string]any{"budgetId": p.Budgets[p.Org.ID].ID}},
			"keyCreate":                 {p.Seat, `keyCreate`, map[string]any{"name": "ci", "ownerId": p.Member.ID, "modelIds": []any{p.Model.ID}}},
			"keyRevoke":                 {p.Seat, `keyRevoke`, map[string]any{"keyId": p.Key.ID}},
			"providerCreate":            {p.Admin, `providerCreate`, providerInput},
			"modelCreate":               {p.Admin, `modelCreate`, map[string]any{"providerId": p.Provider.ID, "name": "gpt", "contextLength": 1000, "maxOutputTokens": 100, "price": map[string]any{"input": "2.5", "output": "10"}}},
			"modelPricePublish":         {p.Admin, `modelPricePublish`, map[string]any{"modelId": p.Model.ID, "price": map[string]any{"input": "2.5", "output": "10"}}},
			"catalogPricePublish":       {a.SuperAdmin, `catalogPricePublish`, map[string]any{"catalogModelId": a.CatalogModel.ID, "price": map[string]any{"input": "2.5", "output": "10"}}},
			"centralProviderCreate":     {a.SuperAdmin, `centralProviderCreate`, map[string]any{"name": "Central 2", "baseUrl": "https://llm.example/v1", "secret": "sk-very-secret-1234"}},
			"webhookCreate":             {a.A.Admin, `webhookCreate`, map[string]any{"name": "ops 2", "url": "https://ops.example/hook", "topics": []any{"BUDGET_THRESHOLD"}}},
			"notificationPreferenceSet": {p.Seat, `notificationPreferenceSet`, map[string]any{"topic": "BUDGET_FORECAST", "inbox": true, "mail": true}},
		}
		run := func(name string) answer {
			op := operations[name]
			kind := Schema().Mutation.Fields.ForName(op.query)
			require.NotNil(t, kind, name)
			input := kind.Arguments[0].Type.String()
			return a.do(op.viewer, fmt.Sprintf(`mutation($i: %s) { %s(input: $i) { errors { code message path } } }`, input, op.query), map[string]any{"i": op.input})
		}
		a.ok(p.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Team.ID, "limit": "1"}}) // to move some of it
		breakAudit(t, st, owner)
		before := dump(t, st)
		for name := range operations {
			out := run(name)
			require.Equal(t, "INTERNAL", out.code(), "%s: %+v", name, out)
			require.NotContains(t, strings.ToLower(out.Errors[0].Message), "broken", "%s: the cause is for the log alone", name)
			require.Equal(t, before, dump(t, st), "%s changed something", name)
		}
		// The same work once the log can be written again: nothing else refused them.
		drop := "DROP TRIGGER broken"
		if st.Dialect == store.Postgres {
			drop += " ON audit_events"
		}
		_, err := owner.ExecContext(t.Context(), drop)
		require.NoError(t, err)
		for name := range operations {
			if name == "keyRevoke" || name == "budgetRemove" {
				continue // others may come first here and take what they need
			}
			out := run(name)
			require.Empty(t, out.Errors, "%s: %+v", name, out)
			require.Empty(t, out.at(name, "errors"), "%s: %+v", name, out)
		}
		require.NotEqual(t, before, dump(t, st))
	})
}
