package tenancy_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// world is everything that is stored, read past all walls, and the tests' own
// idea of who may see which row: written anew from the domain's words.
type world map[string]map[string]row

type row map[string]string

type reader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func read(t testing.TB, db reader) world {
	t.Helper()
	w := world{}
	for _, table := range migrate.Tables {
		w[table.Name] = rowsOf(t, db, table.Name)
	}
	return w
}

func rowsOf(t testing.TB, db reader, table string) map[string]row {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table)
	require.NoError(t, err)
	defer rows.Close()
	columns, err := rows.Columns()
	require.NoError(t, err)
	out := map[string]row{}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		r := row{}
		for i, c := range columns {
			switch v := values[i].(type) {
			case string:
				r[c] = v
			case []byte:
				r[c] = string(v)
			default:
				r[c] = fmt.Sprint(v)
			}
		}
		out[r["id"]] = r
	}
	require.NoError(t, rows.Err())
	return out
}

type sight func(w world, v *tenancy.Viewer, r row) bool

// sights has an entry for every table: a new one needs a decision here.
var sights = map[string]sight{
	"accounts":       anyRow,
	"providers":      anyRow,
	"models":         anyRow,
	"prices":         anyRow,
	"credit_factors": anyRow,
	"scopes":         pathIn("path"),
	"charges":        pathIn("path"),
	"audit_events":   pathIn("scope_path"),
	"organizations":  scopeIn("id"),
	"teams":          scopeIn("id"),
	"members":        scopeIn("id"),
	"keys":           scopeIn("id"),
	"key_models":     scopeIn("key_id"),
	"budgets":        scopeIn("scope_id"),
	"budget_cycles":  budgetIn,
	"role_bindings": func(w world, v *tenancy.Viewer, r row) bool {
		return r["user_id"] == v.UserID || scopeIn("scope_id")(w, v, r)
	},
	"users":       userSeen,
	"invitations": scopeIn("scope_id"),
	"grants":      scopeIn("scope_id"),
	// What an account lets people and programs in by is for those who see all
	// of it; what is somebody's own, for them too.
	"sessions":                 ownOrWhole,
	"external_identities":      ownOrWhole,
	"authorizations":           ownOrWhole,
	"personal_tokens":          ownOrWhole,
	"domains":                  whole,
	"identity_providers":       whole,
	"group_mappings":           whole,
	"service_clients":          whole,
	"support_accesses":         whole,
	"audit_checkpoints":        whole,
	"budget_increases":         budgetIn,
	"budget_alerts":            budgetIn,
	"statements":               scopeIn("scope_id"),
	"usage_days":               pathIn("path"),
	"usage_tags":               pathIn("path"),
	"notifications":            own,
	"notification_preferences": own,
	"webhooks":                 whole,
	"webhook_deliveries":       whole,
	"requests":                 scopeInOrAsked,
	"request_rules":            scopeIn("scope_id"),
	"deputies":                 own,
	"agents":                   scopeIn("id"),
	"agent_versions":           scopeIn("agent_id"),
	"connections":              scopeIn("scope_id"),
	"tools":                    connectionIn,
	"connection_credentials": func(w world, v *tenancy.Viewer, r row) bool {
		return connectionIn(w, v, r) || own(w, v, r)
	},
	"listings": listingIn,
	"listing_versions": func(w world, v *tenancy.Viewer, r row) bool {
		l := w["listings"][r["listing_id"]]
		return scopeIn("scope_id")(w, v, l) || l["status"] == "PUBLISHED" && r["status"] == "PUBLISHED"
	},
	"ratings":               anyRow,
	"guardrail_presets":     anyRow,
	"guardrail_assignments": scopeIn("scope_id"),
	"feature_flags":         scopeIn("scope_id"),
	"listing_accounts":      nobody,
	"usage_totals":          nobody,
	"logins":                nobody,
	"central_providers":     nobody,
	"holds":                 nobody,
	"nodes":                 nobody,
	"budget_leases":         nobody,
	"idempotency_keys":      nobody,
	"mutation_keys":         nobody,
}

func anyRow(world, *tenancy.Viewer, row) bool { return true }
func nobody(world, *tenancy.Viewer, row) bool { return false }

func whole(_ world, v *tenancy.Viewer, _ row) bool { return ranksAccount(v) }

// A person's own; a key acts for nobody there.
func ownOrWhole(_ world, v *tenancy.Viewer, r row) bool {
	return ranksAccount(v) || v.Kind != tenancy.KeyViewer && r["user_id"] == v.UserID
}

func own(_ world, v *tenancy.Viewer, r row) bool {
	return v.Kind != tenancy.KeyViewer && r["user_id"] == v.UserID
}

func scopeInOrAsked(w world, v *tenancy.Viewer, r row) bool {
	return within(v, w["scopes"][r["scope_id"]]["path"]) || r["requested_by"] == v.UserID
}

func connectionIn(w world, v *tenancy.Viewer, r row) bool {
	return scopeIn("scope_id")(w, v, w["connections"][r["connection_id"]])
}

func listingIn(w world, v *tenancy.Viewer, r row) bool {
	return r["status"] == "PUBLISHED" || scopeIn("scope_id")(w, v, r)
}

// offered: what the platform lets the account see of its marketplace.
func (w world) offered(v *tenancy.Viewer, table string, r row) bool {
	if r["account_id"] != "plt_00000000000000000000000000" {
		return false
	}
	switch table {
	case "catalog_models":
		return r["status"] == "ACTIVE" || r["status"] == "RETIRED"
	case "listings":
		named := r["eligibility"] == "ALL"
		for _, a := range w["listing_accounts"] {
			named = named || a["listing_id"] == r["id"] && a["offered_to"] == v.AccountID
		}
		return named && (r["status"] == "PUBLISHED" || r["status"] == "WITHDRAWN")
	case "listing_versions":
		return r["status"] == "PUBLISHED" && w.offered(v, "listings", w["listings"][r["listing_id"]])
	case "listing_accounts":
		return r["offered_to"] == v.AccountID
	}
	return false
}

func budgetIn(w world, v *tenancy.Viewer, r row) bool {
	return within(v, w["scopes"][w["budgets"][r["budget_id"]]["scope_id"]]["path"])
}

func within(v *tenancy.Viewer, path string) bool {
	return slices.ContainsFunc(v.Roles, func(r tenancy.Role) bool { return r.Kind != tenancy.KindPlatform && strings.HasPrefix(path, r.Path) })
}

func ranksAccount(v *tenancy.Viewer) bool {
	return slices.ContainsFunc(v.Roles, func(r tenancy.Role) bool { return r.Kind == tenancy.KindAccount })
}

func pathIn(column string) sight {
	return func(_ world, v *tenancy.Viewer, r row) bool { return within(v, r[column]) }
}

func scopeIn(column string) sight {
	return func(w world, v *tenancy.Viewer, r row) bool { return within(v, w["scopes"][r[column]]["path"]) }
}

func userSeen(w world, v *tenancy.Viewer, r row) bool {
	if r["id"] == v.UserID || ranksAccount(v) {
		return true
	}
	for id, m := range w["members"] {
		if m["user_id"] == r["id"] && within(v, w["scopes"][id]["path"]) {
			return true
		}
	}
	return false
}

// sees is the whole rule: the catalogue is for all; of the rest the own
// account's, in the planes where one holds something, as far as the role goes.
func (w world) sees(v *tenancy.Viewer, table, id string) bool {
	r, ok := w[table][id]
	if !ok {
		return false
	}
	if w.offered(v, table, r) {
		return true
	}
	if table == "catalog_models" {
		return false
	}
	if r["account_id"] != v.AccountID || !slices.Contains(planesOf(v), r["plane"]) {
		return false
	}
	return sights[table](w, v, r)
}

func planesOf(v *tenancy.Viewer) []string {
	out := []string{"ACCOUNT"}
	if v.Platform {
		out = append(out, "PLATFORM")
	}
	for _, p := range []tenancy.Plane{tenancy.Console, tenancy.Copilot} {
		if ranksAccount(v) || slices.ContainsFunc(v.Roles, func(r tenancy.Role) bool { return r.Plane == p }) {
			out = append(out, string(p))
		}
	}
	return out
}

// seen and foreign split a table's ids, sorted.
func (w world) split(v *tenancy.Viewer, table string) (seen, foreign []string) {
	for id := range w[table] {
		if w.sees(v, table, id) {
			seen = append(seen, id)
		} else {
			foreign = append(foreign, id)
		}
	}
	slices.Sort(seen)
	slices.Sort(foreign)
	return seen, foreign
}

// some picks up to n, spread over the whole.
func some(ids []string, n int) []string {
	if len(ids) <= n {
		return ids
	}
	out := make([]string, n)
	for i := range out {
		out[i] = ids[i*len(ids)/n]
	}
	return out
}

// changed lists rows that differ between two readings, apart from what every
// commit touches.
func changed(before, after world) []string {
	var out []string
	for table, rows := range before {
		for id, r := range rows {
			if !maps.Equal(r, after[table][id]) {
				out = append(out, table+" "+id)
			}
		}
		for id := range after[table] {
			if _, ok := rows[id]; !ok {
				out = append(out, table+" "+id+" (new)")
			}
		}
	}
	slices.Sort(out)
	return out
}
