package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const million = 1_000_000

// plant fills an account's log over the year before end: 50 teams of unlike
// size, 200 actors, 40 actions, one refusal in a hundred, one failure in
// 100,000; actor "rare" acts five times, near the beginning.
func plant(b *testing.B, st *store.Store, account string, end time.Time) {
	b.Helper()
	series := "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < %d)"
	at, text := "strftime('%%Y-%%m-%%d %%H:%%M:%%S', %d + i * 31, 'unixepoch') || '+00:00'", "printf('%%026d', i)"
	if st.Dialect == store.Postgres {
		series = "WITH s AS (SELECT generate_series(1, %d) AS i)"
		at, text = "to_timestamp(%d + i * 31)", "lpad(i::text, 26, '0')"
	}
	query := fmt.Sprintf(`INSERT INTO audit_events (id, account_id, plane, seq, hash, at, actor_kind, actor_id, actor_name, via_kind, via_id, via_name, action, outcome,
			scope_id, scope_path, target_id, target_name, changes, reason, decision_id, request_id, count) `+series+`
		SELECT 'evt_' || `+text+`, '%s', 'CONSOLE', i, 'h', `+at+`, 'USER',
			CASE WHEN i IN (11, 12, 13, 14, 15) THEN 'usr_rare' ELSE 'usr_' || (i %% 200) END, CASE WHEN i IN (11, 12, 13, 14, 15) THEN 'Rare' ELSE 'Person ' || (i %% 200) END,
			'NONE', '', '', CASE WHEN i %% 50000 = 7 THEN 'rare.verb' ELSE 'noun' || (i %% 20) || '.verb' || (i %% 2) END,
			CASE WHEN i %% 100000 = 5 THEN 'FAILED' WHEN i %% 100 = 3 THEN 'REFUSED' ELSE 'DONE' END,
			'team_' || (i %% 50), CASE WHEN i %% 1000 = 1 THEN '/%s/con_1/org_1/team_rare/' ELSE '/%s/con_1/org_1/team_' || (i %% 49) || '/' END,
			'key_' || (i %% 10000), 'Target ' || (i %% 10000), NULL, '', '', 'req_' || i, 1 FROM s`,
		million, account, end.Add(-million*31*time.Second).Unix(), account, account)
	require.NoError(b, st.WriteTx(b.Context(), execer(b.Context(), query)))
	require.NoError(b, st.WriteTx(b.Context(), execer(b.Context(), fmt.Sprintf("UPDATE accounts SET audit_seq = %d WHERE id = '%s'", million, account))))
}

// BenchmarkLargeLog reads from a log of a million events.
func BenchmarkLargeLog(b *testing.B) {
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			options := store.Options{Dir: b.TempDir()}
			if name == "postgres" {
				options = store.Options{URL: storetest.PostgresURL(b)}
			}
			st, err := store.Open(options)
			require.NoError(b, err)
			defer func() { require.NoError(b, st.Close()) }()
			_, err = st.Migrate(b.Context())
			require.NoError(b, err)
			a, _ := accounts(b, st)
			end := st.Now()
			plant(b, st, a, end)
			if st.Dialect == store.Postgres {
				owner, err := sql.Open("postgres", options.URL) // who alone may, as the server's own upkeep does
				require.NoError(b, err)
				_, err = owner.ExecContext(b.Context(), "ANALYZE")
				require.NoError(b, err)
				require.NoError(b, owner.Close())
			}
			ctx := tenancy.WithViewer(b.Context(), &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: a, Reach: []tenancy.Reach{{AccountID: a, Plane: tenancy.PlaneAccount, Path: "/" + a + "/"}}})
			day := 24 * time.Hour
			for _, c := range []struct {
				name   string
				filter audit.Filter
				within string
			}{
				{"newest", audit.Filter{}, ""},
				{"noun", audit.Filter{Action: "noun3"}, ""},
				{"rare noun", audit.Filter{Action: "rare"}, ""},
				{"action", audit.Filter{Action: "noun3.verb1"}, ""},
				{"actor", audit.Filter{ActorID: "usr_17"}, ""},
				{"rare actor", audit.Filter{ActorID: "usr_rare"}, ""},
				{"target", audit.Filter{TargetID: "key_77"}, ""},
				{"refused", audit.Filter{Outcome: auditevent.OutcomeREFUSED}, ""},
				{"failed", audit.Filter{Outcome: auditevent.OutcomeFAILED}, ""},
				{"team", audit.Filter{}, "/con_1/org_1/team_7/"},
				{"rare team", audit.Filter{}, "/con_1/org_1/team_rare/"},
				{"organization", audit.Filter{}, "/con_1/org_1/"},
				{"day a year ago", audit.Filter{From: end.Add(-300 * day), To: end.Add(-299 * day)}, ""},
				{"actor in that day", audit.Filter{ActorID: "usr_17", From: end.Add(-300 * day), To: end.Add(-299 * day)}, ""},
				{"text", audit.Filter{Search: "target 777"}, ""},
				{"text that isn't there", audit.Filter{Search: "nowhere"}, ""},
				{"text in a rare team", audit.Filter{Search: "person 1"}, "/con_1/org_1/team_rare/"},
			} {
				sel := audit.Selection{AccountID: a, Filter: c.filter}
				if c.within != "" {
					sel.Within = []string{"/" + a + c.within}
				}
				b.Run(c.name, func(b *testing.B) {
					for b.Loop() {
						_, err := sel.Page(ctx, st.Client, audit.Bounds{}, 50, true)
						require.NoError(b, err)
					}
				})
				b.Run(c.name+", in the middle", func(b *testing.B) {
					for b.Loop() {
						_, err := sel.Page(ctx, st.Client, audit.Bounds{Before: million/2 + rand.Int64N(1000)}, 50, true)
						require.NoError(b, err)
					}
				})
			}
			for name, f := range map[string]audit.Filter{"histogram of a day": {From: end.Add(-day), To: end}, "histogram of a month": {From: end.Add(-30 * day), To: end},
				"histogram of a year": {From: end.Add(-365 * day), To: end}} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						_, err := audit.Selection{AccountID: a, Filter: f}.Histogram(ctx, st.Client, 60)
						require.NoError(b, err)
					}
				})
			}
			b.Run("export of 100,000", func(b *testing.B) {
				for b.Loop() {
					x := audit.Export{Client: st.Client, Selection: audit.Selection{AccountID: a}, Format: audit.NDJSON, Header: audit.Header{Account: a, UpTo: 100_000}}
					require.NoError(b, x.Write(ctx, io.Discard))
				}
			})
		})
	}
}

func execer(ctx context.Context, query string) func(*sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, query)
		return err
	}
}
