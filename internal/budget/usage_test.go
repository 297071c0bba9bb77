package budget_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// payer is a leaf of the tree that pays for calls.
type payer struct{ org, team, member, key, path string }

// grow gives the tree a second organization and more teams, seats and keys.
func (tr *tree) grow(t testing.TB) (payers []payer, nodes map[string][]string) {
	t.Helper()
	root := "/" + tr.account + "/" + tr.root + "/"
	nodes = map[string][]string{}
	child := func(parent, kind string, prefix id.Prefix) string {
		s := id.New(prefix)
		path := parent + s + "/"
		up := strings.Split(strings.Trim(parent, "/"), "/")
		tr.scope(t, s, up[len(up)-1], kind, strings.ToLower(kind), string(tr.plane), path)
		nodes[parent] = append(nodes[parent], path)
		return path
	}
	last := func(path string) string {
		up := strings.Split(strings.Trim(path, "/"), "/")
		return up[len(up)-1]
	}
	for range 2 {
		org := child(root, "ORGANIZATION", id.Organization)
		for range 2 {
			team := child(org, "TEAM", id.Team)
			teamKey := child(team, "KEY", id.Key)
			payers = append(payers, payer{org: last(org), team: last(team), key: last(teamKey), path: teamKey})
			for range 2 {
				m := child(team, "MEMBER", id.Member)
				k := child(m, "KEY", id.Key)
				payers = append(payers, payer{last(org), last(team), last(m), "", m}, payer{last(org), last(team), last(m), last(k), k})
			}
		}
	}
	return payers, nodes
}

// The totals of every level are those of the ledger, the parts of every node
// and every dimension add up to it, and so do the classes of tokens.
func TestUsageAddsUpOnEveryLevel(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		now := newClock(november())
		e := start(t, st, now.now)
		other := plant(t, st, tenancy.Console, "UTC") // its charges may count nowhere else
		spend(t, e, other.call(), 1_000)
		rapid.Check(t, func(r *rapid.T) {
			now.set(november())
			plane := rapid.SampledFrom([]tenancy.Plane{tenancy.Console, tenancy.Copilot}).Draw(r, "plane")
			tr := plant(t, st, plane, rapid.SampledFrom([]string{"UTC", "Asia/Tokyo", "America/Los_Angeles"}).Draw(r, "zone"))
			place, err := e.Zone(ctx, tr.account)
			require.NoError(r, err)
			tr.set(t, e, tr.root, 1_000*usd)
			payers, nodes := tr.grow(t)
			price := "prc_x"
			if plane == tenancy.Console {
				price = tr.price(t)
			}
			var settled []string
			for range rapid.IntRange(1, 25).Draw(r, "calls") {
				p := rapid.SampledFrom(payers).Draw(r, "payer")
				c := tr.call()
				c.Path, c.OrganizationID, c.TeamID, c.MemberID, c.KeyID = p.path, p.org, p.team, p.member, p.key
				c.UserID = rapid.SampledFrom([]string{"", "usr_1", "usr_2"}).Draw(r, "user")
				c.AgentID = rapid.SampledFrom([]string{"", "agt_1"}).Draw(r, "agent")
				c.ClientID = rapid.SampledFrom([]string{"", "cli_1", "cli_2"}).Draw(r, "client")
				c.ModelID = rapid.SampledFrom([]string{"mod_1", "mod_2"}).Draw(r, "model")
				c.ModelName, c.PriceID = c.ModelID, rapid.SampledFrom([]string{price, ""}).Draw(r, "price")
				c.Ceiling = 3 * usd // of calls without a price
				c.Tags = rapid.SampledFrom([][]string{nil, {"a"}, {"a", "b"}, {"b", "b"}}).Draw(r, "tags")
				if plane == tenancy.Copilot {
					if c.FactorPPM = rapid.SampledFrom([]int64{money.FactorOne, 1_333_333}).Draw(r, "factor"); c.FactorPPM != money.FactorOne {
						c.FactorID = "" // the server's own
					}
				}
				h, err := e.Hold(ctx, c, output(3))
				require.NoError(r, err)
				switch rapid.IntRange(0, 9).Draw(r, "outcome") {
				case 0:
					require.NoError(r, h.Release(ctx))
				case 1: // more than was held
					_, err = h.Settle(ctx, output(5), budget.Outcome{})
				default:
					_, err = h.Settle(ctx, output(rapid.Int64Range(0, 3).Draw(r, "tokens")), budget.Outcome{})
					settled = append(settled, h.ID)
				}
				require.NoError(r, err)
				now.set(now.now().Add(time.Duration(rapid.IntRange(0, 30).Draw(r, "hours")) * time.Hour))
			}
			for _, h := range settled {
				if rapid.IntRange(0, 4).Draw(r, "adjusted") == 0 {
					_, err := e.Adjust(ctx, h, output(0))
					if err != nil {
						require.ErrorContains(r, err, "no such charge with a price")
					}
				}
			}
			f := budget.UsageFilter{From: november(), To: now.now().Add(time.Nanosecond), Zone: place}
			reach := func(path string) []tenancy.Reach {
				return []tenancy.Reach{{AccountID: tr.account, Plane: plane, Path: path}}
			}
			sum := func(in []tenancy.Reach, f budget.UsageFilter, by budget.Dimension) budget.Sum {
				rows, err := e.Usage(ctx, in, f, by, 500)
				require.NoError(r, err)
				var out budget.Sum
				for _, s := range rows {
					out.Calls += s.Calls
					out.Usage.Output += s.Usage.Output
					out.Cost += s.Cost
					out.Credits += s.Credits
				}
				return out
			}
			root := "/" + tr.account + "/" + tr.root + "/"
			require.Equal(r, tr.ledger(t, root, ""), sum(reach(root), f, budget.Whole))
			for _, path := range append([]string{root}, flatten(nodes)...) {
				whole := sum(reach(path), f, budget.Whole)
				require.Equal(r, tr.ledger(t, path, ""), whole, path)
				for _, by := range []budget.Dimension{budget.ByModel, budget.ByOrganization, budget.ByTeam, budget.ByMember, budget.ByUser, budget.ByKey,
					budget.ByAgent, budget.ByClient, budget.ByDay} {
					require.Equal(r, whole, sum(reach(path), f, by), by)
				}
				amountOf := func(s budget.Sum) money.Nano {
					if plane == tenancy.Copilot {
						return s.Credits
					}
					return s.Cost
				}
				// Some parts over time, and all others beside them, are the rows and the
				// whole again, day by day.
				days, err := e.Usage(ctx, reach(path), f, budget.ByDay, 500)
				require.NoError(r, err)
				for _, by := range []budget.Dimension{budget.ByModel, budget.ByTeam, budget.ByMember, budget.ByKey, budget.ByClient, budget.ByTag} {
					rows, err := e.Usage(ctx, reach(path), f, by, 500)
					require.NoError(r, err)
					some := rows[:rapid.IntRange(0, len(rows)).Draw(r, "shown")]
					ids := make([]string, len(some))
					for i, s := range some {
						ids[i] = s.ID
					}
					series, err := e.UsageSeries(ctx, reach(path), f, by, ids)
					require.NoError(r, err)
					perDay := slices.Clone(series.Others)
					for _, s := range some {
						var sum money.Nano
						for i, n := range series.Amounts[s.ID] {
							sum += n
							perDay[i] += n
						}
						require.Equal(r, amountOf(s), sum, by)
					}
					if by == budget.ByTag {
						continue
					}
					for _, d := range days {
						perDay[budget.DayOf(d.Day.In(place))-series.First] -= amountOf(d)
					}
					require.Equal(r, make([]money.Nano, len(perDay)), perDay, by)
					again, err := e.UsageOf(ctx, reach(path), f, by, ids)
					require.NoError(r, err)
					require.Len(r, again, len(some))
				}
				flows, others, err := e.Flows(ctx, reach(path), f, 2)
				require.NoError(r, err)
				for _, x := range flows {
					others += x.Amount
				}
				require.Equal(r, amountOf(whole), others, "flows")
				// Nothing is charged between a parent and its children but calls of
				// the node itself.
				parts := tr.ledger(t, path, path)
				var within []tenancy.Reach
				for _, child := range nodes[path] {
					within = append(within, reach(child)...)
					s := sum(reach(child), f, budget.Whole)
					parts.Calls += s.Calls
					parts.Usage.Output += s.Usage.Output
					parts.Cost += s.Cost
					parts.Credits += s.Credits
				}
				require.Equal(r, whole, parts, path)
				// Reaches that overlap count once.
				require.Equal(r, whole, sum(append(within, reach(path)...), f, budget.ByModel))
				classes, err := e.UsageByClass(ctx, reach(path), f)
				require.NoError(r, err)
				var amount money.Nano
				for _, c := range classes {
					amount += c.Amount
				}
				if plane == tenancy.Copilot {
					require.Equal(r, whole.Credits, amount)
				} else {
					require.Equal(r, whole.Cost, amount)
				}
			}
			tagged := f
			tagged.Tag = "a"
			byModel := sum(reach(root), tagged, budget.ByModel)
			require.Equal(r, sum(reach(root), tagged, budget.Whole), byModel)
			tags, err := e.Usage(ctx, reach(root), f, budget.ByTag, 500)
			require.NoError(r, err)
			for _, s := range tags {
				if s.ID == "a" {
					require.Equal(r, byModel.Cost, s.Cost)
					require.Equal(r, byModel.Calls, s.Calls)
				}
			}
			totals, err := e.PlatformUsage(ctx, budget.PlatformFilter{From: f.From.AddDate(0, 0, -1), To: f.To.AddDate(0, 0, 1), AccountID: tr.account}, budget.ByAccount, 500)
			require.NoError(r, err)
			if whole := sum(reach(root), f, budget.Whole); whole != (budget.Sum{}) {
				require.Len(r, totals, 1)
				require.Equal(r, whole.Cost, totals[0].Cost)
				require.Equal(r, whole.Credits, totals[0].Credits)
				require.Equal(r, whole.Calls, totals[0].Calls)
			}
			balanced(t, e)
		})
	})
}

func flatten(nodes map[string][]string) (out []string) {
	for _, children := range nodes {
		out = append(out, children...)
	}
	return out
}

// ledger sums the charges below a path, or of one path alone.
func (tr *tree) ledger(t testing.TB, below, exactly string) (s budget.Sum) {
	t.Helper()
	q := `SELECT coalesce(sum(CASE WHEN kind IN ('SETTLED', 'IN_DOUBT') THEN 1 ELSE 0 END), 0), CAST(coalesce(sum(output_tokens), 0) AS BIGINT),
		CAST(coalesce(sum(cost), 0) AS BIGINT), CAST(coalesce(sum(credits), 0) AS BIGINT) FROM charges WHERE path LIKE '` + below + `%'`
	if exactly != "" {
		q = strings.Replace(q, "LIKE '"+below+"%'", "= '"+exactly+"'", 1)
	}
	require.NoError(t, tr.st.System().QueryRow(q).Scan(&s.Calls, &s.Usage.Output, &s.Cost, &s.Credits))
	return s
}

// Verify finds a row that says too much, one that is missing and one too many.
func TestVerifyFindsWrongUsage(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		e := start(t, st, newClock(november()).now)
		tr := plant(t, st, tenancy.Console, "UTC")
		spend(t, e, tr.call(), 3)
		balanced(t, e)
		tr.exec(t, "UPDATE usage_days SET cost = cost + 7")
		tr.exec(t, "DELETE FROM usage_tags")
		tr.exec(t, "INSERT INTO usage_totals (id, account_id, plane, day, model_id, calls) VALUES (?, ?, ?, 1, 'mod_x', 2)", id.New(id.UsageTotal), tr.account, string(tr.plane))
		found, err := e.Verify(ctx)
		require.NoError(t, err)
		require.Len(t, found, 3)
		require.Contains(t, found[0].String(), "usage_days account_id="+tr.account)
		require.Contains(t, found[0].String(), "cost is off by +7")
		require.Contains(t, found[1].String(), "tag=a")
		require.Contains(t, found[1].String(), "calls is off by -1")
		require.Contains(t, found[2].String(), "usage_totals day=1")

		require.NoError(t, st.WriteTx(ctx, func(tx *sql.Tx) error { return e.FillUsage(ctx, tx, tr.account) }))
		balanced(t, e)
		spend(t, e, tr.call(), 3)
		balanced(t, e)
	})
}

// Replicas that charge the same payers in other orders never wait for each
// other in a ring, and lose nothing.
func TestReplicasAddToTheSameUsage(t *testing.T) {
	t.Parallel()
	st := storetest.OpenPostgres(t)
	tr := plant(t, st, tenancy.Console, "UTC")
	now := newClock(november())
	engines := []*budget.Engine{start(t, st, now.now), start(t, st, now.now), start(t, st, now.now)}
	errs := make(chan error, 3*4*15)
	for i, e := range engines {
		for w := range 4 {
			go func() {
				for n := range 15 {
					c := tr.call()
					c.Tags = []string{fmt.Sprint((n + i) % 5), fmt.Sprint((n * w) % 5)}
					c.ModelID, c.UserID = fmt.Sprint("mod_", (n*(i+1))%4), fmt.Sprint("usr_", (n+w)%3)
					h, err := e.Hold(context.Background(), c, output(1))
					if err == nil {
						_, err = h.Settle(context.Background(), output(1), budget.Outcome{})
					}
					errs <- err
				}
			}()
		}
	}
	for range cap(errs) {
		require.NoError(t, <-errs)
	}
	require.Equal(t, int64(cap(errs)), tr.ledger(t, "/"+tr.account+"/", "").Calls)
	balanced(t, engines[0])
}
