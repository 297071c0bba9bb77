package budget_test

import (
	"database/sql"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// BenchmarkUsage reads 90 days of an account with 250 members by model and by
// member, from the sums and, as it was before them, from the ledger. Its size
// is COCKPIT_BENCH_CHARGES, 100,000 unless set.
func BenchmarkUsage(b *testing.B) {
	n := 100_000
	if text := os.Getenv("COCKPIT_BENCH_CHARGES"); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(b, err)
	}
	for name, open := range map[string]func(testing.TB) *store.Store{"sqlite": storetest.Open, "postgres": storetest.OpenPostgres} {
		b.Run(name, func(b *testing.B) {
			st := open(b)
			e := budget.New(st, budget.Options{})
			tr := plant(b, st, tenancy.Console, "UTC")
			first := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
			tr.ledgerOf(b, n, first)
			require.NoError(b, st.WriteTx(ctx, func(tx *sql.Tx) error { return e.FillUsage(ctx, tx, tr.account) }))
			_, err := st.System().Exec("ANALYZE")
			require.NoError(b, err)
			var rows int
			require.NoError(b, st.System().QueryRow("SELECT count(*) FROM usage_days").Scan(&rows))
			b.Logf("%d charges, %d rows of usage", n, rows)
			f := budget.UsageFilter{From: first, To: first.AddDate(0, 0, 90)}
			all := "/" + tr.account + "/"
			member := all + tr.root + "/" + tr.org + "/" + tr.team + "/mem_00000000000000000000000042/"
			for _, path := range []string{all, member} {
				where := map[string]string{all: "account", member: "member"}[path]
				in := []tenancy.Reach{{AccountID: tr.account, Plane: tr.plane, Path: path}}
				for _, by := range []budget.Dimension{budget.ByModel, budget.ByMember, budget.ByDay} {
					b.Run(fmt.Sprintf("%s/%s/sums", where, by), func(b *testing.B) {
						for b.Loop() {
							out, err := e.Usage(ctx, in, f, by, 500)
							require.NoError(b, err)
							require.NotEmpty(b, out)
						}
					})
					b.Run(fmt.Sprintf("%s/%s/ledger", where, by), func(b *testing.B) {
						column := map[budget.Dimension]string{budget.ByModel: "model_id", budget.ByMember: "member_id", budget.ByDay: "day"}[by]
						q := fmt.Sprintf(`SELECT %s, count(*), sum(input_tokens), sum(cost) FROM charges WHERE account_id = '%s' AND plane = 'CONSOLE'
							AND at >= '2026-09-01 00:00:00+00:00' AND at < '2026-11-30 00:00:00+00:00' AND substr(path, 1, %d) = '%s' GROUP BY 1`, column, tr.account, len(path), path)
						scan := func() {
							r, err := st.System().Query(q)
							require.NoError(b, err)
							defer func() { require.NoError(b, r.Close()) }()
							for r.Next() { //nolint:revive // reads all
							}
							require.NoError(b, r.Err())
						}
						for b.Loop() {
							scan()
						}
					})
				}
			}
		})
	}
}

// ledgerOf writes n charges over 90 days: 250 members, five models.
func (tr *tree) ledgerOf(b testing.TB, n int, first time.Time) {
	b.Helper()
	series := "WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < %d)"
	at := "strftime('%%Y-%%m-%%d %%H:%%M:%%S+00:00', %d + i * 7775 / %d * 1000, 'unixepoch')"
	pad := "printf('%026d', i * 7 % 250)"
	id := "printf('chg_%026d', i)"
	if tr.st.Dialect == store.Postgres {
		series = "WITH s AS (SELECT generate_series(0, %d)::bigint AS i)"
		at = "to_timestamp(%d + i * 7775 / %d * 1000)"
		pad, id = "lpad((i * 7 % 250)::text, 26, '0')", "'chg_' || lpad(i::text, 26, '0')"
	}
	moment := fmt.Sprintf(at, first.Unix(), n)
	q := fmt.Sprintf(series, n-1) + fmt.Sprintf(` INSERT INTO charges (id, account_id, plane, kind, path, organization_id, team_id, member_id, user_id, tags, cycles,
			model_id, model_name, price_id, request_id, input_tokens, output_tokens, cost, held_at, at, day)
		SELECT %[1]s, '%[2]s', 'CONSOLE', 'SETTLED', '/%[2]s/%[3]s/%[4]s/%[5]s/mem_' || %[6]s || '/', '%[4]s', '%[5]s', 'mem_' || %[6]s, 'usr_' || %[6]s,
			'[]', '[]', 'mod_' || (i / 250 %% 5), 'model', 'prc_x', 'req_' || i, 1000, 100, 5000 + i %% 7, %[7]s, %[7]s, %[8]d + i * 7775 / %[9]d * 1000 / 86400
		FROM s`, id, tr.account, tr.root, tr.org, tr.team, pad, moment, first.Unix()/86400, n)
	tr.exec(b, q)
}
