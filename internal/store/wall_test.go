package store_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/centralprovider"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/team"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/migrations"
)

const denied, violated = "42501", "23503"

func code(err error) string {
	var p *pq.Error
	if errors.As(err, &p) {
		return string(p.Code)
	}
	return ""
}

// grants of cockpit_tenant, by table; what isn't here is closed.
var grants = map[string][]string{
	"scopes": allGrants, "organizations": allGrants, "teams": allGrants, "members": allGrants, "role_bindings": allGrants,
	"keys": allGrants, "key_models": allGrants, "providers": allGrants, "models": allGrants, "prices": {"INSERT", "SELECT"},
	"budgets": allGrants, "budget_cycles": allGrants, "budget_leases": {"DELETE", "SELECT", "UPDATE"}, "invitations": allGrants, "grants": allGrants,
	"accounts": {"SELECT"}, "users": {"SELECT"}, "sessions": {"SELECT"}, "credit_factors": {"SELECT"},
	"catalog_models": {"SELECT"}, "charges": {"SELECT"}, "audit_events": {"INSERT", "SELECT"},
	"domains": {"SELECT"}, "identity_providers": {"SELECT"}, "group_mappings": {"SELECT"}, "external_identities": {"SELECT"},
	"service_clients": {"SELECT"}, "authorizations": {"SELECT"}, "personal_tokens": {"SELECT"}, "support_accesses": {"SELECT"}, "audit_checkpoints": {"SELECT"},
	"budget_increases": allGrants, "budget_alerts": {"DELETE", "SELECT"}, "statements": {"SELECT"}, "usage_days": {"SELECT"}, "usage_tags": {"SELECT"},
	"notifications": {"SELECT"}, "notification_preferences": {"SELECT"}, "webhooks": {"SELECT"}, "webhook_deliveries": {"SELECT"}, "requests": {"SELECT"}, "request_rules": {"SELECT"}, "deputies": {"SELECT"},
	"agents": allGrants, "connections": allGrants, "tools": allGrants, "listings": allGrants, "ratings": allGrants,
	"guardrail_presets": allGrants, "guardrail_assignments": allGrants, "feature_flags": allGrants,
	"agent_versions": {"INSERT", "SELECT", "UPDATE"}, "listing_versions": {"INSERT", "SELECT", "UPDATE"},
	"connection_credentials": {"SELECT"}, "listing_accounts": {"SELECT"},
	"logins": nil, "central_providers": nil, "holds": nil, "idempotency_keys": nil, "mutation_keys": {"INSERT"}, "nodes": nil, "usage_totals": nil,
}

var allGrants = []string{"DELETE", "INSERT", "SELECT", "UPDATE"}

// mayRead says which rows row-level security shows: the account's in the
// viewer's planes, and what the catalogue offers.
func mayRead(v *tenancy.Viewer, table string, r identitytest.Row, w *identitytest.Trees) bool {
	if table == "catalog_models" {
		return r.ID == w.CatalogModel.ID
	}
	if slices.Contains(w.Offered[r.ID], v.AccountID) {
		return true
	}
	planes := tenancy.Planes(tenancy.WithViewer(context.Background(), v))
	return r.AccountID == v.AccountID && slices.Contains(planes, tenancy.Plane(r.Plane))
}

func wallViewers(w *identitytest.Trees) map[string]*tenancy.Viewer {
	return map[string]*tenancy.Viewer{"account admin": w.A.Admin, "the other account's": w.B.Admin, "console team admin": w.A.Console.TeamAdmin,
		"copilot member": w.A.Copilot.Seat, "nobody": w.A.Nobody}
}

// Every table with an account is behind the wall: forced, with policies, and
// granted no more than the list says.
func TestEveryTableIsBehindTheWall(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	ctx := t.Context()
	var names []string
	rows, err := st.System().QueryContext(ctx, `SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'account_id'`)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, name)
	}
	require.NoError(t, rows.Err())
	require.Len(t, names, len(migrate.Tables), "a table of the database that the schema doesn't know, or the other way round")
	var owner string
	require.NoError(t, st.System().QueryRowContext(ctx, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'audit_events'::regclass").Scan(&owner))
	for _, name := range names {
		expected, known := grants[name]
		require.True(t, known, "table %s isn't in this test's list of grants", name)
		var enabled, forced bool
		require.NoError(t, st.System().QueryRowContext(ctx, "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", name).Scan(&enabled, &forced))
		require.True(t, enabled && forced, "row-level security of %s", name)
		var policies []string
		require.NoError(t, st.System().QueryRowContext(ctx, `SELECT array_agg(policyname || ' ' || cmd || ' ' || array_to_string(roles, ',') ORDER BY policyname) FROM pg_policies WHERE schemaname = current_schema() AND tablename = $1`, name).Scan(pq.Array(&policies)))
		want := []string{"tenant_rows ALL cockpit_tenant", "tenant_system ALL cockpit_system"}
		if slices.Contains([]string{"catalog_models", "listings", "listing_versions", "listing_accounts"}, name) {
			want = append([]string{"tenant_offered SELECT cockpit_tenant"}, want...)
		}
		switch name { // opened to the schema's owner by tenant_prune_audit alone, for the account that it is called for
		case "audit_events":
			want = append([]string{"tenant_prune ALL " + owner}, want...)
		case "audit_checkpoints", "accounts":
			want = append([]string{"tenant_prune SELECT " + owner}, want...)
		}
		require.Equal(t, want, policies, name)
		require.Equal(t, expected, granted(t, st, name, "cockpit_tenant"), "%s for tenants", name)
		require.Empty(t, granted(t, st, name, "public"), "%s for everybody", name)
	}
	for _, kept := range []string{"charges", "audit_events", "audit_checkpoints"} {
		require.Equal(t, []string{"INSERT", "SELECT"}, granted(t, st, kept, "cockpit_system"), "%s is only added to", kept)
	}
	require.Equal(t, []string{"DELETE", "INSERT", "SELECT"}, granted(t, st, "statements", "cockpit_system"), "a statement never changes")
	var columns []string
	require.NoError(t, st.System().QueryRowContext(ctx, `SELECT array_agg(attname::text ORDER BY attname) FROM pg_attribute WHERE attrelid = 'audit_events'::regclass AND has_column_privilege('cockpit_system', attrelid, attnum, 'UPDATE')`).Scan(pq.Array(&columns)))
	require.Equal(t, []string{"hash", "seq"}, columns)
	var bypass bool
	require.NoError(t, st.System().QueryRowContext(ctx, `SELECT bool_or(rolbypassrls OR rolsuper OR rolcanlogin) FROM pg_roles WHERE rolname IN ('cockpit_tenant', 'cockpit_system')`).Scan(&bypass))
	require.False(t, bypass)
	var who string
	require.NoError(t, st.Tenant().QueryRowContext(tenancy.WithViewer(ctx, &tenancy.Viewer{AccountID: "acc_x"}), "SELECT current_user").Scan(&who))
	require.Equal(t, "cockpit_tenant", who)
}

func granted(t *testing.T, st *store.Store, table, role string) []string {
	t.Helper()
	var out []string
	query := `SELECT array_agg(p ORDER BY p) FROM unnest(ARRAY['SELECT','INSERT','UPDATE','DELETE','TRUNCATE','REFERENCES','TRIGGER']) p WHERE has_table_privilege($2, $1, p)`
	require.NoError(t, st.System().QueryRowContext(t.Context(), query, table, role).Scan(pq.Array(&out)))
	return out
}

// With the guard taken away PostgreSQL alone keeps every table's foreign rows
// from being read and written.
func TestSecondWallStandsAlone(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	w := identitytest.Tree(t, st)
	rows := identitytest.Rows(t, st)
	for name, v := range wallViewers(w) {
		t.Run(name, func(t *testing.T) {
			ctx := tenancy.WithViewer(t.Context(), v)
			for _, table := range migrate.Tables {
				var mine, own, foreign []string
				for _, r := range rows[table.Name] {
					if mayRead(v, table.Name, r, w) {
						mine = append(mine, r.ID)
						if r.AccountID == v.AccountID {
							own = append(own, r.ID)
						}
					} else {
						foreign = append(foreign, r.ID)
					}
				}
				reads(ctx, t, st, table.Name, mine, foreign)
				changes(ctx, t, st, table.Name, own, foreign)
				inserts(ctx, t, st, table.Name, foreign, v)
			}
		})
	}
	require.Equal(t, rows, identitytest.Rows(t, st), "nothing changed")
}

func reads(ctx context.Context, t *testing.T, st *store.Store, table string, mine, foreign []string) {
	t.Helper()
	var got []string
	err := st.Tenant().QueryRowContext(ctx, "SELECT array_agg(id ORDER BY id) FROM "+table).Scan(pq.Array(&got))
	if !slices.Contains(grants[table], "SELECT") {
		require.Equal(t, denied, code(err), table)
		return
	}
	require.NoError(t, err)
	require.Equal(t, mine, got, table)
	var n int
	require.NoError(t, st.Tenant().QueryRowContext(ctx, "SELECT count(*) FROM "+table+" WHERE id = ANY ($1)", pq.Array(foreign)).Scan(&n))
	require.Zero(t, n, table)
}

// changes tries all foreign rows at once, and to give own rows away.
func changes(ctx context.Context, t *testing.T, st *store.Store, table string, own, foreign []string) {
	t.Helper()
	none := func(grant, query string, args ...any) {
		t.Helper()
		r, err := st.Tenant().ExecContext(ctx, query, args...)
		if !slices.Contains(grants[table], grant) || !slices.Contains(grants[table], "SELECT") {
			require.Equal(t, denied, code(err), "%s: %s", table, query)
			return
		}
		require.NoError(t, err)
		n, err := r.RowsAffected()
		require.NoError(t, err)
		require.Zero(t, n, "%s: %s", table, query)
	}
	none("UPDATE", "UPDATE "+table+" SET id = id WHERE id = ANY ($1)", pq.Array(foreign))
	none("DELETE", "DELETE FROM "+table+" WHERE id = ANY ($1)", pq.Array(foreign))
	if len(own) > 0 && slices.Contains(grants[table], "UPDATE") {
		for _, gift := range []string{"account_id = 'acc_other'", "plane = 'PLATFORM'"} {
			_, err := st.Tenant().ExecContext(ctx, "UPDATE "+table+" SET "+gift+" WHERE id = $1", own[0])
			require.Equal(t, denied, code(err), "%s: %s: %v", table, gift, err)
		}
	}
}

// inserts tries copies of foreign rows, under the id of the foreign row and a
// new one.
func inserts(ctx context.Context, t *testing.T, st *store.Store, table string, foreign []string, v *tenancy.Viewer) {
	t.Helper()
	var columns string // those that the database makes itself aren't given
	require.NoError(t, st.System().QueryRowContext(ctx, `SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER'`, table).Scan(&columns))
	for _, other := range spread(foreign, 4) {
		var text []byte
		require.NoError(t, st.System().QueryRowContext(ctx, "SELECT to_jsonb(x) FROM "+table+" x WHERE id = $1", other).Scan(&text))
		for _, newID := range []string{other, id.New(id.Node)} {
			var values map[string]any
			require.NoError(t, json.Unmarshal(text, &values))
			values["id"] = newID
			forged, err := json.Marshal(values)
			require.NoError(t, err)
			if table == "catalog_models" && values["account_id"] == v.AccountID {
				continue
			}
			_, err = st.Tenant().ExecContext(ctx, "INSERT INTO "+table+" ("+columns+") SELECT "+columns+" FROM jsonb_populate_record(NULL::"+table+", $1)", forged)
			require.Equal(t, denied, code(err), "%s: %v", table, err)
		}
	}
}

func spread(ids []string, n int) []string {
	if len(ids) <= n {
		return ids
	}
	out := make([]string, n)
	for i := range out {
		out[i] = ids[i*len(ids)/n]
	}
	return out
}

// An ent client that somebody made without the guard, and conditions over
// neighbours, which the guard can't confine: both meet the wall.
func TestUnguardedClientMeetsTheWall(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	w := identitytest.Tree(t, st)
	naked := ent.NewClient(ent.Driver(entsql.OpenDB(dialect.Postgres, st.Tenant())))
	ctx := identitytest.Ctx(t, w.A.Console.Admin)
	for _, s := range naked.Scope.Query().AllX(ctx) {
		require.Equal(t, w.A.Row.ID, s.AccountID)
		require.NotEqual(t, scope.PlaneCOPILOT, s.Plane)
	}
	require.True(t, ent.IsNotFound(naked.Team.UpdateOneID(w.B.Console.Team.ID).SetDescription("mine").Exec(ctx)))
	require.True(t, ent.IsNotFound(naked.Team.DeleteOneID(w.A.Copilot.Team.ID).Exec(ctx)))
	_, err := naked.User.Query().Where(user.HasLogin()).Count(ctx)
	require.NoError(t, err, "the column of the own row tells enough")
	_, err = naked.Login.Query().Count(ctx)
	require.Equal(t, denied, code(err))

	// st.Client has the guard; the condition asks of rows beyond it.
	n, err := st.User.Query().Where(user.HasSeatsWith(member.HasTeamWith(team.ID(w.A.Copilot.Team.ID)))).Count(identitytest.Ctx(t, w.A.Console.Admin))
	require.NoError(t, err)
	require.Zero(t, n, "who sits in the other plane's team can't be asked")
	_, err = st.CatalogModel.Query().Where(catalogmodel.HasCentralProviderWith(centralprovider.NameEQ("Central"))).Count(ctx)
	require.Equal(t, denied, code(err), "what the platform keeps can't be asked")
	_, err = naked.Scope.Query().Count(t.Context())
	require.ErrorIs(t, err, tenancy.ErrNoViewer)
}

// What one viewer's connection knew never serves the next, whatever ended the
// work before: success, error, rollback, or a cancelled statement.
func TestViewersDoNotLeakOverPooledConnections(t *testing.T) {
	t.Parallel()
	url := storetest.PostgresURL(t)
	st, err := store.Open(store.Options{URL: url, MaxConns: 3})
	require.NoError(t, err)
	defer st.Close()
	_, err = st.Migrate(t.Context())
	require.NoError(t, err)
	w := identitytest.Tree(t, st)
	viewers := []*tenancy.Viewer{w.A.Admin, w.B.Admin, w.A.Console.Admin, w.B.Copilot.Seat, w.A.Nobody}
	look := func(ctx context.Context, q interface {
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}, v *tenancy.Viewer) {
		var accounts, planes []string
		if err := q.QueryRowContext(ctx, "SELECT array_agg(DISTINCT account_id), array_agg(DISTINCT plane) FROM audit_events").Scan(pq.Array(&accounts), pq.Array(&planes)); err != nil {
			t.Error(err)
			return
		}
		allowed := tenancy.Planes(ctx)
		for _, a := range accounts {
			if a != v.AccountID {
				t.Errorf("%s saw %s", v.AccountID, a)
			}
		}
		for _, p := range planes {
			if !slices.Contains(allowed, tenancy.Plane(p)) {
				t.Errorf("%v saw %s", allowed, p)
			}
		}
		if len(accounts) == 0 {
			t.Error("nothing was seen at all")
		}
	}
	var wg sync.WaitGroup
	for g := range 12 {
		wg.Go(func() {
			for i := range 40 {
				v := viewers[(g*7+i)%len(viewers)]
				ctx := tenancy.WithViewer(t.Context(), v)
				if i%3 == 0 {
					ctx = tenancy.InPlane(ctx, tenancy.Copilot)
				}
				switch (g + i) % 6 {
				case 0:
					if _, err := st.Tenant().ExecContext(ctx, "SELECT 1/0"); err == nil {
						t.Error("divided by zero")
					}
				case 1:
					err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
						look(ctx, tx.SQL(), v)
						return errors.New("undo")
					})
					if err == nil {
						t.Error("not undone")
					}
				case 2:
					err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
						look(ctx, tx.SQL(), v)
						_, err := tx.SQL().ExecContext(ctx, "SELECT nonsense")
						return err
					})
					if err == nil {
						t.Error("nonsense was accepted")
					}
				case 3:
					cancelled, cancel := context.WithCancel(ctx)
					cancel()
					if _, err := st.Tenant().ExecContext(cancelled, "SELECT 1"); err == nil {
						t.Error("a cancelled statement ran")
					}
				case 4:
					if err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { look(ctx, tx.SQL(), v); return nil }); err != nil {
						t.Error(err)
					}
				}
				look(ctx, st.Tenant(), v)
				if _, err := st.Tenant().ExecContext(t.Context(), "SELECT 1"); !errors.Is(err, tenancy.ErrNoViewer) {
					t.Errorf("without a viewer: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// A prepared statement could outlive its viewer.
func TestTenantPoolRefusesPreparedStatements(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	stmt, err := st.Tenant().PrepareContext(tenancy.WithViewer(t.Context(), &tenancy.Viewer{AccountID: "acc_x"}), "SELECT 1")
	require.ErrorContains(t, err, "not bound to a viewer")
	require.Nil(t, stmt)
}

// The ledger and the audit log are only ever added to, and by nobody but the
// system (audit events come with the change that they tell of).
func TestLedgerAndAuditLogAreOnlyAddedTo(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	w := identitytest.Tree(t, st)
	ctx := identitytest.Ctx(t, w.A.Admin)
	for _, q := range []string{
		"UPDATE charges SET cost = 0", "DELETE FROM charges", "TRUNCATE charges", "INSERT INTO charges SELECT * FROM charges",
		"UPDATE audit_events SET reason = ''", "UPDATE audit_events SET seq = 1", "UPDATE audit_events SET hash = ''", "DELETE FROM audit_events", "TRUNCATE audit_events",
		"UPDATE credit_factors SET ppm = 1", "DELETE FROM credit_factors",
		"UPDATE audit_checkpoints SET seq = 2", "DELETE FROM audit_checkpoints", "TRUNCATE audit_checkpoints", "INSERT INTO audit_checkpoints SELECT * FROM audit_checkpoints",
		"ALTER TABLE charges DISABLE ROW LEVEL SECURITY", "CREATE TABLE mine (id text)", "SET ROLE cockpit_system; SELECT 1/0",
	} {
		_, err := st.Tenant().ExecContext(ctx, q)
		if strings.HasPrefix(q, "SET ROLE") {
			require.Error(t, err)
			continue
		}
		require.Equal(t, denied, code(err), "%s: %v", q, err)
	}
	for _, q := range []string{"UPDATE charges SET cost = 0", "DELETE FROM charges", "UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events",
		"UPDATE audit_checkpoints SET signature = ''", "DELETE FROM audit_checkpoints"} {
		_, err := st.System().ExecContext(ctx, q)
		require.Equal(t, denied, code(err), "%s, by the system: %v", q, err)
	}
}

type foreignKey struct {
	name, table, target string
	columns, referred   []string
}

// The links that don't hold account and plane: to what the platform owns.
var open = []string{"models.catalog_model_id", "users.login_id"}

// Links inside the account alone, across its planes.
var acrossPlanes = []string{"members.user_id", "role_bindings.user_id", "group_mappings.identity_provider_id", "ratings.user_id"}

// Tables whose rows all lie in one plane of an account: no link could lead to
// the other one.
var ofOnePlane = []string{"providers", "users", "identity_providers", "support_accesses", "webhooks", "agents", "connections", "tools", "listings"}

// Links from the platform's rows to the platform's: nobody else has such rows.
var amongPlatform = []string{"catalog_models.central_provider_id", "prices.catalog_model_id", "catalog_models.successor_id", "listings.catalog_model_id", "listing_accounts.listing_id"}

// Every foreign key of the database holds its link inside the account and the
// plane: a link to any row elsewhere is refused by the database itself.
func TestForeignKeysRefuseForeignRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		extra(t, st, w)
		rows := identitytest.Rows(t, st)
		for _, table := range ofOnePlane {
			planes := map[string]bool{}
			for _, r := range rows[table] {
				if r.AccountID != id.PlatformID {
					planes[r.Plane] = true
				}
			}
			require.Len(t, planes, 1, table)
		}
		for _, fk := range foreignKeys(t, st) {
			column := fk.columns[len(fk.columns)-1]
			link := fk.table + "." + column
			if slices.Contains(open, link) {
				require.Len(t, fk.columns, 1, link)
				continue
			}
			if slices.Contains(acrossPlanes, link) {
				require.Equal(t, []string{"account_id", column}, fk.columns, link)
			} else {
				require.Len(t, fk.columns, 3, "%s must hold account and plane", link)
				require.Equal(t, "account_id", fk.columns[0], link)
				require.Contains(t, []string{"plane", "parent_plane"}, fk.columns[1], link)
			}
			if slices.Contains(amongPlatform, link) {
				continue
			}
			tried := map[string]bool{}
			from := linkedRow(t, st, fk.table, column, w.A.Row.ID)
			for _, to := range rows[fk.target] {
				way := "inside"
				switch {
				case to.AccountID != from.AccountID:
					way = "account"
				case to.Plane != from.Plane:
					way = "plane"
				}
				if way == "inside" || (way == "plane" && len(fk.columns) == 2) || (fk.columns[1] == "parent_plane" && to.Plane == from.Plane && to.AccountID == from.AccountID) {
					continue
				}
				err := relink(t, st, fk, from.ID, to.ID)
				require.Error(t, err, "%s → %s", link, to.ID)
				if fkError(err) {
					tried[way] = true
				}
			}
			require.True(t, tried["account"], "%s was never refused for another account's row by its own foreign key", link)
			if len(fk.columns) == 3 && !slices.Contains(ofOnePlane, fk.target) {
				require.True(t, tried["plane"], "%s was never refused for the other plane's row by its own foreign key", link)
			}
		}
		require.Equal(t, rows, identitytest.Rows(t, st))
	})
}

// extra scopes without a typed row, which the spine's foreign keys would lead to.
func extra(t *testing.T, st *store.Store, w *identitytest.Trees) {
	t.Helper()
	require.NoError(t, st.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		for _, parent := range []*ent.Scope{w.A.Copilot.Root, w.B.Console.Root} {
			newID := id.New(id.Organization)
			if err := tx.Scope.Create().SetID(newID).SetAccountID(parent.AccountID).SetPlane(parent.Plane).SetKind(scope.KindORGANIZATION).
				SetName("Bare").SetParentID(parent.ID).SetParentPlane(scope.ParentPlane(parent.Plane)).SetPath(parent.Path + newID + "/").Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

func linkedRow(t *testing.T, st *store.Store, table, column, account string) identitytest.Row {
	t.Helper()
	var r identitytest.Row
	query := fmt.Sprintf("SELECT id, account_id, plane FROM %s WHERE %s IS NOT NULL AND account_id IN ('%s', '%s') ORDER BY account_id, plane DESC, id DESC LIMIT 1", table, column, account, id.PlatformID)
	require.NoError(t, st.System().QueryRowContext(t.Context(), query).Scan(&r.ID, &r.AccountID, &r.Plane), "%s.%s: the fixture has no such link", table, column)
	return r
}

// relink points a row elsewhere, in a transaction that is undone.
func relink(t *testing.T, st *store.Store, fk foreignKey, from, to string) error {
	t.Helper()
	column := fk.columns[len(fk.columns)-1]
	return st.WriteTx(t.Context(), func(tx *sql.Tx) error {
		query := fmt.Sprintf("UPDATE %s SET %s = '%s' WHERE id = '%s'", fk.table, column, to, from)
		if fk.table == "budget_cycles" { // one of each start
			query = fmt.Sprintf("UPDATE %s SET %s = '%s', starts_at = '2001-01-01 00:00:00+00:00' WHERE id = '%s'", fk.table, column, to, from)
		}
		if column == "id" { // the spine: a copy of the row for a bare scope
			query = copyAs(t, fk.table, from, to, nil)
		}
		if fk.table == "prices" { // only added to
			query = copyAs(t, fk.table, from, id.New(id.Price), map[string]string{column: "'" + to + "'", "effective_from": "'2001-01-01 00:00:00+00:00'"})
		}
		if _, err := tx.ExecContext(t.Context(), query); err != nil {
			return err
		}
		return nil
	})
}

// copyAs inserts a row again under another id, changed where it must be unique.
func copyAs(t *testing.T, table, from, to string, changed map[string]string) string {
	t.Helper()
	var columns, values []string
	for _, tb := range migrate.Tables {
		if tb.Name != table {
			continue
		}
		for _, c := range tb.Columns {
			v := c.Name
			if other, ok := changed[c.Name]; ok {
				v = other
			}
			switch c.Name {
			case "id":
				v = "'" + to + "'"
			case "token_hash":
				v = "token_hash || 'x'"
			case "user_id":
				v = "(SELECT max(id) FROM users u WHERE u.account_id = x.account_id AND NOT EXISTS (SELECT 1 FROM members m WHERE m.user_id = u.id))"
			}
			columns, values = append(columns, c.Name), append(values, v)
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM %s x WHERE id = '%s'", table, strings.Join(columns, ", "), strings.Join(values, ", "), table, from)
}

func fkError(err error) bool {
	return code(err) == violated || strings.Contains(err.Error(), "FOREIGN KEY constraint failed")
}

// foreignKeys walks what the database itself says.
func foreignKeys(t *testing.T, st *store.Store) []foreignKey {
	t.Helper()
	byName := map[string]*foreignKey{}
	add := func(name, table, target, column, referred string) {
		fk := byName[name]
		if fk == nil {
			fk = &foreignKey{name: name, table: table, target: target}
			byName[name] = fk
		}
		fk.columns, fk.referred = append(fk.columns, column), append(fk.referred, referred)
	}
	query := `SELECT c.conname, c.conrelid::regclass::text, c.confrelid::regclass::text, a.attname, b.attname
		FROM pg_constraint c, unnest(c.conkey, c.confkey) WITH ORDINALITY u(k, f, n), pg_attribute a, pg_attribute b
		WHERE c.contype = 'f' AND a.attrelid = c.conrelid AND a.attnum = u.k AND b.attrelid = c.confrelid AND b.attnum = u.f ORDER BY c.conname, u.n`
	if st.Dialect == store.SQLite {
		query = `SELECT m.name || f.id, m.name, f."table", f."from", f."to" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' ORDER BY m.name, f.id, f.seq`
	}
	rows, err := st.System().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name, table, target, column, referred string
		require.NoError(t, rows.Scan(&name, &table, &target, &column, &referred))
		add(name, table, target, column, referred)
	}
	require.NoError(t, rows.Err())
	var out []foreignKey
	links := map[string]bool{}
	for _, fk := range byName {
		out = append(out, *fk)
		links[fk.table+"."+fk.columns[len(fk.columns)-1]] = true
	}
	for _, table := range migrate.Tables { // none of the schema's own got lost
		for _, fk := range table.ForeignKeys {
			require.True(t, links[table.Name+"."+fk.Columns[0].Name], "%s.%s has no foreign key", table.Name, fk.Columns[0].Name)
		}
	}
	for _, spine := range []string{"organizations", "teams", "members", "keys"} {
		require.True(t, links[spine+".id"], "%s isn't bound to its scope", spine)
	}
	return out
}

var symbol = regexp.MustCompile(`\btenant_[a-z_]+`)

// Every tenant_ symbol that a migration makes stands in the migrated database.
func TestTenantSymbolsAreInBothDatabases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		folder, query := "sqlite", "SELECT coalesce(group_concat(coalesce(sql, name), ' '), '') FROM sqlite_master"
		if st.Dialect == store.Postgres {
			folder, query = "postgres", `SELECT string_agg(name, ' ') FROM (
				SELECT conname::text AS name FROM pg_constraint UNION SELECT relname FROM pg_class UNION SELECT polname FROM pg_policy UNION SELECT proname FROM pg_proc UNION SELECT attname FROM pg_attribute) x`
		}
		var there string
		require.NoError(t, st.System().QueryRowContext(t.Context(), query).Scan(&there))
		has := map[string]bool{}
		for _, s := range symbol.FindAllString(there, -1) {
			has[s] = true
		}
		files, err := fs.Glob(migrations.FS, folder+"/*.sql")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		n := 0
		for _, f := range files {
			text, err := migrations.FS.ReadFile(f)
			require.NoError(t, err)
			for _, s := range symbol.FindAllString(string(text), -1) {
				s = strings.ReplaceAll(s, "tenant_increase_requests", "tenant_requests") // renamed since
				if s == "tenant_may" {
					continue // a parameter
				}
				n++
				require.True(t, has[s], "%s of %s is missing", s, f)
			}
		}
		require.Greater(t, n, 20)
		for _, must := range []string{"tenant_scopes_parent", "tenant_budgets_amounts", "tenant_budget_cycles_limit", "tenant_budget_leases_granted", "tenant_models_route", "tenant_prices_owner",
			"tenant_sessions_whose", "tenant_grants_resource", "tenant_audit_sealed", "tenant_audit_events_noun"} {
			require.True(t, has[must], "%s is missing", must)
		}
	})
}

// A session is a user's or a support access's, never both nor neither; a grant
// is of something. The database holds that by itself.
func TestChecksRefuseHalfRows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		for query, check := range map[string]string{
			"UPDATE sessions SET user_id = NULL WHERE user_id IS NOT NULL":                                                "tenant_sessions_whose",
			"UPDATE sessions SET support_access_id = NULL WHERE support_access_id IS NOT NULL":                            "tenant_sessions_whose",
			"UPDATE sessions SET support_access_id = '" + w.A.Support.ID + "' WHERE id = '" + w.A.Admin.SessionID + "'":   "tenant_sessions_whose",
			"UPDATE sessions SET user_id = '" + w.A.Admin.UserID + "' WHERE support_access_id = '" + w.A.Support.ID + "'": "tenant_sessions_whose",
			"UPDATE grants SET model_id = NULL WHERE account_id = '" + w.A.Row.ID + "'":                                   "tenant_grants_resource",
		} {
			err := st.WriteTx(t.Context(), func(tx *sql.Tx) error {
				_, err := tx.ExecContext(t.Context(), query)
				return err
			})
			require.ErrorContains(t, err, check, query)
		}
	})
}
