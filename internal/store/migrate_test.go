package store_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/migrate"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/migrations"
)

// firstTree is what a small installation of the first release holds: a row in
// every table there was, in its columns. Ids are short here and long in the
// database; $t is a time, $b some bytes; the hash is the one that release gave.
const firstTree = `
INSERT INTO scopes (id, account_id, plane, created_at, updated_at, kind, name, path, parent_id, parent_plane, archived_at) VALUES
	('plt_0', 'plt_0', 'PLATFORM', $t, $t, 'PLATFORM', 'Platform', '/', NULL, NULL, NULL),
	('acc_1', 'acc_1', 'ACCOUNT', $t, $t, 'ACCOUNT', 'Alpha', '/acc_1/', NULL, NULL, NULL),
	('con_1', 'acc_1', 'CONSOLE', $t, $t, 'CONSOLE', 'Console', '/acc_1/con_1/', 'acc_1', 'ACCOUNT', NULL),
	('org_1', 'acc_1', 'CONSOLE', $t, $t, 'ORGANIZATION', 'Global', '/acc_1/con_1/org_1/', 'con_1', 'CONSOLE', NULL),
	('team_1', 'acc_1', 'CONSOLE', $t, $t, 'TEAM', 'Everyone', '/acc_1/con_1/org_1/team_1/', 'org_1', 'CONSOLE', NULL),
	('mem_1', 'acc_1', 'CONSOLE', $t, $t, 'MEMBER', 'Ada', '/acc_1/con_1/org_1/team_1/mem_1/', 'team_1', 'CONSOLE', NULL),
	('key_1', 'acc_1', 'CONSOLE', $t, $t, 'KEY', 'ci', '/acc_1/con_1/org_1/team_1/mem_1/key_1/', 'mem_1', 'CONSOLE', NULL),
	('org_3', 'acc_1', 'CONSOLE', $t, $t, 'ORGANIZATION', 'Gone', '/acc_1/con_1/org_3/', 'con_1', 'CONSOLE', $t),
	('cop_1', 'acc_1', 'COPILOT', $t, $t, 'COPILOT', 'Copilot', '/acc_1/cop_1/', 'acc_1', 'ACCOUNT', NULL),
	('org_2', 'acc_1', 'COPILOT', $t, $t, 'ORGANIZATION', 'Global', '/acc_1/cop_1/org_2/', 'cop_1', 'COPILOT', NULL),
	('team_2', 'acc_1', 'COPILOT', $t, $t, 'TEAM', 'Everyone', '/acc_1/cop_1/org_2/team_2/', 'org_2', 'COPILOT', NULL),
	('mem_2', 'acc_1', 'COPILOT', $t, $t, 'MEMBER', 'Ada', '/acc_1/cop_1/org_2/team_2/mem_2/', 'team_2', 'COPILOT', NULL),
	('acc_2', 'acc_2', 'ACCOUNT', $t, $t, 'ACCOUNT', 'Beta', '/acc_2/', NULL, NULL, NULL),
	('con_2', 'acc_2', 'CONSOLE', $t, $t, 'CONSOLE', 'Console', '/acc_2/con_2/', 'acc_2', 'ACCOUNT', NULL);
INSERT INTO accounts (id, account_id, plane, version, created_at, updated_at, name, slug, status, time_zone, console, copilot, epoch, epoch_at, audit_seq, audit_hash) VALUES
	('plt_0', 'plt_0', 'PLATFORM', 1, $t, $t, 'Platform', 'platform', 'ACTIVE', 'UTC', false, false, 3, $t, 0, ''),
	('acc_1', 'acc_1', 'ACCOUNT', 4, $t, $t, 'Alpha', 'alpha', 'ACTIVE', 'Europe/Berlin', true, true, 12, $t, 1, '448b8cc1ba10367f45aefc0dfdba68943d7f8fef42913efb56d4d8629cded774'),
	('acc_2', 'acc_2', 'ACCOUNT', 1, $t, $t, 'Beta', 'beta', 'SUSPENDED', 'UTC', true, false, 5, $t, 0, '');
INSERT INTO logins (id, account_id, plane, version, created_at, updated_at, email, password_hash) VALUES
	('lgn_0', 'plt_0', 'PLATFORM', 1, $t, $t, 'root@alchemi.example', 'argon'), ('lgn_1', 'plt_0', 'PLATFORM', 2, $t, $t, 'ada@alpha.example', 'argon');
INSERT INTO users (id, account_id, plane, version, created_at, updated_at, email, name, status, login_id) VALUES
	('usr_0', 'plt_0', 'PLATFORM', 1, $t, $t, 'root@alchemi.example', 'Root', 'ACTIVE', 'lgn_0'),
	('usr_1', 'acc_1', 'ACCOUNT', 2, $t, $t, 'ada@alpha.example', 'Ada', 'ACTIVE', 'lgn_1'),
	('usr_2', 'acc_2', 'ACCOUNT', 1, $t, $t, 'bob@beta.example', 'Bob', 'DEACTIVATED', NULL);
INSERT INTO sessions (id, account_id, plane, created_at, token_hash, user_agent, ip, last_seen_at, expires_at, revoked_at, user_id) VALUES
	('ses_0', 'plt_0', 'PLATFORM', $t, 'h0', '', '', $t, $t, NULL, 'usr_0'),
	('ses_1', 'acc_1', 'ACCOUNT', $t, 'h1', 'Firefox', '192.0.2.1', $t, $t, NULL, 'usr_1'),
	('ses_2', 'acc_1', 'ACCOUNT', $t, 'h2', 'Firefox', '192.0.2.1', $t, $t, $t, 'usr_1');
INSERT INTO organizations (id, account_id, plane, version, created_at, updated_at, description, is_default) VALUES
	('org_1', 'acc_1', 'CONSOLE', 1, $t, $t, '', true), ('org_2', 'acc_1', 'COPILOT', 1, $t, $t, '', true), ('org_3', 'acc_1', 'CONSOLE', 2, $t, $t, 'Was here.', false);
INSERT INTO teams (id, account_id, plane, version, created_at, updated_at, description, is_default, organization_id) VALUES
	('team_1', 'acc_1', 'CONSOLE', 1, $t, $t, 'All.', true, 'org_1'), ('team_2', 'acc_1', 'COPILOT', 1, $t, $t, '', true, 'org_2');
INSERT INTO members (id, account_id, plane, version, created_at, updated_at, is_default, team_id, user_id) VALUES
	('mem_1', 'acc_1', 'CONSOLE', 1, $t, $t, true, 'team_1', 'usr_1'), ('mem_2', 'acc_1', 'COPILOT', 3, $t, $t, false, 'team_2', 'usr_1');
INSERT INTO role_bindings (id, account_id, plane, created_at, role, scope_id, user_id) VALUES
	('rol_0', 'plt_0', 'PLATFORM', $t, 'ADMIN', 'plt_0', 'usr_0'), ('rol_1', 'acc_1', 'ACCOUNT', $t, 'ADMIN', 'acc_1', 'usr_1'), ('rol_2', 'acc_1', 'CONSOLE', $t, 'VIEWER', 'team_1', 'usr_1');
INSERT INTO central_providers (id, account_id, plane, version, created_at, updated_at, name, base_url, secret, secret_hint, status, tested_at, test_error) VALUES
	('cpv_1', 'plt_0', 'PLATFORM', 1, $t, $t, 'Central', 'https://central.example/v1', $b, 'wxyz', 'ACTIVE', $t, '');
INSERT INTO catalog_models (id, account_id, plane, version, created_at, updated_at, name, upstream_name, description, capability, context_length, max_output_tokens, status, central_provider_id) VALUES
	('cat_1', 'plt_0', 'PLATFORM', 1, $t, $t, 'smart', 'smart-1', '', 'BALANCED', 1000, 100, 'ACTIVE', 'cpv_1');
INSERT INTO providers (id, account_id, plane, version, created_at, updated_at, name, base_url, secret, secret_hint, status, tested_at, test_error) VALUES
	('prv_1', 'acc_1', 'CONSOLE', 2, $t, $t, 'Own', 'https://own.example/v1', $b, 'wxyz', 'ACTIVE', $t, ''), ('prv_2', 'acc_2', 'CONSOLE', 1, $t, $t, 'Own', 'https://own.example/v1', NULL, '', 'ACTIVE', NULL, 'refused');
INSERT INTO models (id, account_id, plane, version, created_at, updated_at, name, upstream_name, context_length, max_output_tokens, ceiling, status, catalog_model_id, provider_id) VALUES
	('mod_1', 'acc_1', 'CONSOLE', 1, $t, $t, 'smart', 'smart-1', 1000, 100, NULL, 'ACTIVE', NULL, 'prv_1'),
	('mod_2', 'acc_1', 'CONSOLE', 1, $t, $t, 'old', 'old-1', 1000, 100, 5, 'DISABLED', NULL, 'prv_1'),
	('mod_3', 'acc_1', 'COPILOT', 1, $t, $t, 'smart', '', 0, 0, NULL, 'ACTIVE', 'cat_1', NULL),
	('mod_4', 'acc_2', 'CONSOLE', 1, $t, $t, 'smart', 'smart-1', 1000, 100, NULL, 'ACTIVE', NULL, 'prv_2');
INSERT INTO prices (id, account_id, plane, created_at, effective_from, input, cached_input, output, request, catalog_model_id, model_id) VALUES
	('prc_1', 'acc_1', 'CONSOLE', $t, $t, 3, 1, 5, 0, NULL, 'mod_1'), ('prc_2', 'plt_0', 'PLATFORM', $t, $t, 3, NULL, 5, 1, 'cat_1', NULL);
INSERT INTO keys (id, account_id, plane, version, created_at, updated_at, token_hash, prefix, requests_per_minute, expires_at, revoked_at, created_by, owner_id) VALUES
	('key_1', 'acc_1', 'CONSOLE', 1, $t, $t, 'k1', 'ck_console_abcd', 60, $t, NULL, 'usr_1', 'mem_1');
INSERT INTO key_models (id, account_id, plane, created_at, key_id, model_id) VALUES ('kmd_1', 'acc_1', 'CONSOLE', $t, 'key_1', 'mod_1');
INSERT INTO credit_factors (id, account_id, plane, created_at, ppm, effective_from) VALUES ('fac_1', 'acc_1', 'ACCOUNT', $t, 1000000, $t);
INSERT INTO budgets (id, account_id, plane, version, created_at, updated_at, unit, lim, overflow, cycle, cycle_day, scope_id) VALUES
	('bud_1', 'acc_1', 'CONSOLE', 1, $t, $t, 'USD', 100, 0, 'MONTHLY', 1, 'con_1'), ('bud_2', 'acc_1', 'CONSOLE', 1, $t, $t, 'USD', 10, 2, NULL, 1, 'mem_1');
INSERT INTO budget_cycles (id, account_id, plane, created_at, starts_at, ends_at, lim, overflow, spent, held, excess, revision, budget_id) VALUES
	('cyc_1', 'acc_1', 'CONSOLE', $t, $t, $t, 100, 0, 7, 3, 0, 9, 'bud_1'), ('cyc_2', 'acc_1', 'CONSOLE', $t, $t, $t, 10, 2, 7, 3, 0, 9, 'bud_2');
INSERT INTO charges (id, account_id, plane, kind, path, key_id, tags, cycles, model_id, model_name, request_id, cost, held_at, at, day) VALUES
	('chg_1', 'acc_1', 'CONSOLE', 'SETTLED', '/acc_1/con_1/org_1/team_1/mem_1/key_1/', 'key_1', '{"a": "b"}', '["cyc_1"]', 'mod_1', 'smart', 'req_1', 7, $t, $t, 20000);
INSERT INTO nodes (id, account_id, plane, started_at, seen_at) VALUES ('nod_1', 'plt_0', 'PLATFORM', $t, $t);
INSERT INTO holds (id, account_id, plane, node_id, path, cycles, amount, cost, call, held_at) VALUES
	('hld_1', 'acc_1', 'CONSOLE', 'nod_1', '/acc_1/con_1/org_1/team_1/mem_1/key_1/', '["cyc_1"]', 3, 3, '{}', $t);
INSERT INTO audit_events (id, account_id, plane, seq, hash, at, actor_kind, actor_id, actor_name, action, outcome, scope_id, scope_path, target_id, target_name, changes, reason, decision_id, request_id, count) VALUES
	('evt_1', 'acc_1', 'CONSOLE', 1, '448b8cc1ba10367f45aefc0dfdba68943d7f8fef42913efb56d4d8629cded774', $t, 'USER', 'usr_1', 'Ada', 'key.create', 'DONE', 'mem_1', '/acc_1/con_1/org_1/team_1/mem_1/', 'key_1', 'ci', '{"name": {"after": "ci"}}', '', '', 'req_1', 1),
	('evt_2', 'acc_1', 'ACCOUNT', NULL, '', $t, 'ANONYMOUS', '', 'Somebody', 'session.create', 'REFUSED', 'acc_1', '/acc_1/', '', 'eve@alpha.example', NULL, 'wrong', 'dec_1', '', 17);
`

var shortID = regexp.MustCompile(`\b([a-z]+)_(\d+)\b`)

// long gives the short ids of a text their length.
func long(text string) string {
	return shortID.ReplaceAllStringFunc(text, func(s string) string {
		prefix, n, _ := strings.Cut(s, "_")
		return prefix + "_" + strings.Repeat("0", 26-len(n)) + n
	})
}

// firstRelease makes the database of the first release, with its tree.
func firstRelease(t *testing.T, st *store.Store) (applied []string) {
	t.Helper()
	applied, err := st.MigrateFrom(t.Context(), files(t, nil, func(name string) bool {
		return strings.HasSuffix(name, "_initial.sql") || strings.HasSuffix(name, "_tenant_wall.sql")
	}))
	require.NoError(t, err)
	require.NotEmpty(t, applied)
	bytes := "X'00ff10'"
	if st.Dialect == store.Postgres {
		bytes = `'\x00ff10'`
	}
	text := strings.NewReplacer("$t", "'2026-10-01 08:30:00.123456+00:00'", "$b", bytes).Replace(long(firstTree))
	require.NoError(t, st.WriteTx(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), text)
		return err
	}))
	return applied
}

// files are the migrations that pass a test of their names, and more.
func files(t *testing.T, more map[string]string, keep func(name string) bool) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.Glob(migrations.FS, "*/*.sql")
	require.NoError(t, err)
	for _, name := range names {
		if keep(name) {
			text, err := migrations.FS.ReadFile(name)
			require.NoError(t, err)
			out[name] = &fstest.MapFile{Data: text}
		}
	}
	for name, text := range more {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

// empty opens a database without any table, with one connection to a pool: what
// migrates is what serves later.
func empty(t *testing.T, test func(t *testing.T, st *store.Store)) {
	t.Helper()
	for name, options := range map[string]func(t *testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{Dir: t.TempDir(), MaxConns: 1} },
		"postgres": func(t *testing.T) store.Options { return store.Options{URL: storetest.PostgresURL(t), MaxConns: 1} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, err := store.Open(options(t))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, st.Close()) })
			test(t, st)
		})
	}
}

// columnsOf lists the columns of every table of the database, as it is.
func columnsOf(t *testing.T, st *store.Store) map[string][]string {
	t.Helper()
	query := "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2"
	if st.Dialect == store.SQLite {
		query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1, 2"
	}
	rows, err := st.System().QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer rows.Close()
	out := map[string][]string{}
	for rows.Next() {
		var table, column string
		require.NoError(t, rows.Scan(&table, &column))
		if table != "schema_migrations" {
			out[table] = append(out[table], column)
		}
	}
	require.NoError(t, rows.Err())
	return out
}

// stored reads columns of all rows exactly as they are stored.
func stored(t *testing.T, st *store.Store, columns map[string][]string) map[string][]string {
	t.Helper()
	as := "coalesce(%s::text, 'NULL')"
	if st.Dialect == store.SQLite {
		as = "quote(%s)"
	}
	out := map[string][]string{}
	for table, names := range columns {
		values := make([]string, len(names))
		for i, n := range names {
			values[i] = fmt.Sprintf("'%s=' || "+as, n, n)
		}
		rows, err := st.System().QueryContext(t.Context(), "SELECT "+strings.Join(values, " || ' ' || ")+" FROM "+table+" ORDER BY id")
		require.NoError(t, err, table)
		defer rows.Close()
		for rows.Next() {
			var row string
			require.NoError(t, rows.Scan(&row))
			out[table] = append(out[table], row)
		}
		require.NoError(t, rows.Err())
	}
	return out
}

// linksHold tries to leave links that lead nowhere, on the pool's connection.
func linksHold(t *testing.T, st *store.Store) {
	t.Helper()
	for _, query := range []string{
		"UPDATE members SET user_id = 'usr_9' WHERE id = 'mem_1'", "UPDATE members SET team_id = 'team_9' WHERE id = 'mem_1'",
		"UPDATE role_bindings SET user_id = 'usr_9' WHERE id = 'rol_1'", "UPDATE sessions SET user_id = 'usr_9' WHERE id = 'ses_1'",
		"UPDATE sessions SET user_id = 'usr_0' WHERE id = 'ses_1'", "UPDATE users SET login_id = 'lgn_9' WHERE id = 'usr_1'",
		"UPDATE grants SET model_id = 'mod_3' WHERE model_id = 'mod_1'", "UPDATE grants SET scope_id = 'con_9' WHERE model_id = 'mod_1'",
		"DELETE FROM users WHERE id = 'usr_1'", "DELETE FROM logins WHERE id = 'lgn_1'", "DELETE FROM teams WHERE id = 'team_1'",
		"DELETE FROM scopes WHERE id = 'mem_1'", "DELETE FROM models WHERE id = 'mod_1'",
	} {
		err := st.WriteTx(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), long(query))
			return err
		})
		require.Error(t, err, query)
		require.True(t, fkError(err), "%s: %v", query, err)
	}
	if st.Dialect == store.SQLite {
		var on int
		require.NoError(t, st.System().QueryRowContext(t.Context(), "PRAGMA foreign_keys").Scan(&on))
		require.Equal(t, 1, on)
		var whole string
		require.NoError(t, st.System().QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&whole))
		require.Equal(t, "ok", whole)
	}
	tables := columnsOf(t, st)
	for _, fk := range foreignKeys(t, st) { // none leads to a table that had another name for a while
		require.Contains(t, tables, fk.target, "%s of %s", fk.name, fk.table)
	}
}

// An installation of the first release comes through with all it had, and may
// call what it could call.
func TestMigratingKeepsWhatTheFirstReleaseHeld(t *testing.T) {
	t.Parallel()
	empty(t, func(t *testing.T, st *store.Store) {
		applied := firstRelease(t, st)
		columns := columnsOf(t, st)
		require.NotContains(t, columns, "grants")
		// What became of these is looked at below.
		columns["budget_cycles"] = slices.DeleteFunc(columns["budget_cycles"], func(c string) bool { return c == "spent" || c == "held" })
		before := stored(t, st, columns)
		for table := range columns {
			require.NotEmpty(t, before[table], "table %s of the first release has no row in firstTree", table)
		}

		newer, err := st.Migrate(t.Context())
		require.NoError(t, err)
		require.NotEmpty(t, newer)
		for _, name := range newer {
			require.NotContains(t, applied, name)
		}
		after := stored(t, st, columns)
		for table := range columns {
			require.Equal(t, before[table], after[table], table)
		}
		require.Len(t, columnsOf(t, st), len(migrate.Tables))
		linksHold(t, st)

		ctx := identitytest.System(t)
		roots := map[string]string{"mod_1": "con_1", "mod_2": "con_1", "mod_3": "cop_1", "mod_4": "con_2"}
		require.Equal(t, len(roots), st.Grant.Query().CountX(ctx))
		for model, root := range roots {
			g := st.Grant.Query().Where(grant.ModelID(long(model))).OnlyX(ctx)
			s := st.Scope.GetX(ctx, long(root))
			require.Equal(t, grant.EffectALLOW, g.Effect, model)
			require.Equal(t, s.ID, g.ScopeID, model)
			require.Equal(t, s.Path, g.Authority, model)
			require.Equal(t, s.AccountID, g.AccountID, model)
			require.Equal(t, string(s.Plane), string(g.Plane), model)
			require.Nil(t, g.ExpiresAt, model)
			require.True(t, id.Is(g.ID, id.Grant), g.ID)
			require.False(t, g.CreatedAt.IsZero(), model)
		}
		session := st.Session.GetX(ctx, long("ses_1"))
		require.Equal(t, long("usr_1"), *session.UserID)
		require.Nil(t, session.SupportAccessID)
		cycle, lease := st.BudgetCycle.GetX(ctx, long("cyc_1")), st.BudgetLease.Query().OnlyX(ctx)
		require.Equal(t, []int64{7, 10}, []int64{cycle.Folded, cycle.Escrowed}, "what was spent and held then")
		require.Equal(t, []int64{3, 3}, []int64{lease.Granted, lease.Held}, "the running call's lease")
		require.Equal(t, []string{long("nod_1"), cycle.ID}, []string{lease.NodeID, lease.CycleID})
		require.EqualValues(t, "PASSWORD", session.Kind)
		account := st.Account.GetX(ctx, long("acc_1"))
		require.Equal(t, 720, account.SessionIdleMinutes)
		require.False(t, account.SSOEnforced)
		sealed, err := audit.Verify(ctx, st.System(), st.Dialect, long("acc_1"), audit.Trust{})
		require.NoError(t, err, "what was sealed then holds now")
		require.EqualValues(t, 1, sealed.Count())
		require.EqualValues(t, "NONE", st.AuditEvent.GetX(ctx, long("evt_1")).ViaKind)
	})
}

// A migration that leaves a link to nothing is undone as a whole, and the
// connection that ran it enforces links again.
func TestMigrationsLeaveNoDanglingLinks(t *testing.T) {
	t.Parallel()
	empty(t, func(t *testing.T, st *store.Store) {
		firstRelease(t, st)
		_, err := st.Migrate(t.Context())
		require.NoError(t, err)
		columns := columnsOf(t, st)
		before := stored(t, st, columns)
		broken := map[string]string{
			"a row is taken away":      "DELETE FROM users WHERE id = 'usr_1'",
			"a row points elsewhere":   "UPDATE members SET user_id = 'usr_9' WHERE id = 'mem_1'",
			"a row of another account": "UPDATE role_bindings SET user_id = 'usr_2' WHERE id = 'rol_1'",
		}
		if st.Dialect == store.SQLite {
			broken["a table is made anew without a row"] = `CREATE TABLE new_teams AS SELECT * FROM teams WHERE id <> 'team_1';
				DROP TABLE teams; ALTER TABLE new_teams RENAME TO teams;
				CREATE UNIQUE INDEX team_account_id_plane_id ON teams (account_id, plane, id)`
			broken["a table is made anew without its index"] = `CREATE TABLE new_teams AS SELECT * FROM teams;
				DROP TABLE teams; ALTER TABLE new_teams RENAME TO teams`
		}
		for name, query := range broken {
			if st.Dialect == store.Postgres { // forced on the owner, who would see no row
				query = "ALTER TABLE users NO FORCE ROW LEVEL SECURITY; ALTER TABLE members NO FORCE ROW LEVEL SECURITY; ALTER TABLE role_bindings NO FORCE ROW LEVEL SECURITY; " + query
			}
			folder := map[string]string{store.SQLite: "sqlite", store.Postgres: "postgres"}[st.Dialect]
			all := files(t, map[string]string{folder + "/29990101000000_broken.sql": long(query)}, func(string) bool { return true })
			for range 2 { // it isn't taken for applied
				applied, err := st.MigrateFrom(t.Context(), all)
				require.ErrorContains(t, err, "29990101000000_broken.sql", name)
				require.Empty(t, applied, name)
				if st.Dialect == store.Postgres {
					require.True(t, fkError(err), "%s: %v", name, err)
				}
			}
			require.Equal(t, before, stored(t, st, columns), name)
			require.Equal(t, columns, columnsOf(t, st), name)
			linksHold(t, st)
		}
		applied, err := st.Migrate(t.Context())
		require.NoError(t, err)
		require.Empty(t, applied)
	})
}
