package budget_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const usd = money.One

// clock stands still unless a test moves it.
type clock struct{ at atomic.Int64 }

func newClock(t time.Time) *clock {
	c := &clock{}
	c.set(t)
	return c
}

func (c *clock) set(t time.Time) { c.at.Store(t.UnixNano()) }
func (c *clock) now() time.Time  { return time.Unix(0, c.at.Load()).UTC() }

// tree is one account with a team in a plane: the whole path of a call.
type tree struct {
	st                                 *store.Store
	plane                              tenancy.Plane
	account, root, org, team, mem, key string
	zone                               string
	path                               string // of key
	factor                             string
	tx                                 *sql.Tx
}

func plant(t testing.TB, st *store.Store, plane tenancy.Plane, zone string) *tree {
	t.Helper()
	prefix := id.Console
	if plane == tenancy.Copilot {
		prefix = id.Copilot
	}
	tr := &tree{st: st, plane: plane, account: id.New(id.Account), root: id.New(prefix), org: id.New(id.Organization),
		team: id.New(id.Team), mem: id.New(id.Member), key: id.New(id.Key), zone: zone}
	require.NoError(t, st.WriteTx(ctx, func(tx *sql.Tx) error {
		tr.tx = tx
		tr.exec(t, `INSERT INTO accounts (id, account_id, plane, created_at, updated_at, name, slug, time_zone, epoch_at)
			VALUES (?, ?, 'ACCOUNT', ?, ?, 'Acme', ?, ?, ?)`, tr.account, tr.account, past, past, strings.ToLower(tr.account), zone, past)
		tr.path = "/" + tr.account + "/"
		tr.scope(t, tr.account, "", "ACCOUNT", "Acme", "", tr.path)
		parent := tr.account
		for _, s := range [][3]string{{tr.root, string(plane), "Console"}, {tr.org, "ORGANIZATION", "Bank"}, {tr.team, "TEAM", "Risk"}, {tr.mem, "MEMBER", "Ada"}, {tr.key, "KEY", "ci"}} {
			tr.path += s[0] + "/"
			tr.scope(t, s[0], parent, s[1], s[2], string(plane), tr.path)
			parent = s[0]
		}
		// What calls are charged by.
		tr.exec(t, `INSERT INTO central_providers (id, account_id, plane, created_at, updated_at, name, base_url) VALUES ('cpr_x', ?, 'PLATFORM', ?, ?, 'p', 'http://x')
			ON CONFLICT DO NOTHING`, id.PlatformID, past, past)
		tr.exec(t, `INSERT INTO catalog_models (id, account_id, plane, created_at, updated_at, name, upstream_name, context_length, max_output_tokens, central_provider_id)
			VALUES ('cmo_x', ?, 'PLATFORM', ?, ?, 'small', 'small', 1000, 1000, 'cpr_x') ON CONFLICT DO NOTHING`, id.PlatformID, past, past)
		tr.exec(t, `INSERT INTO prices (id, account_id, plane, created_at, effective_from, catalog_model_id, output) VALUES ('prc_x', ?, 'PLATFORM', ?, ?, 'cmo_x', ?)
			ON CONFLICT DO NOTHING`, id.PlatformID, past, past, int64(1_000_000*usd))
		tr.factor = id.New(id.CreditFactor)
		tr.exec(t, "INSERT INTO credit_factors (id, account_id, plane, created_at, ppm, effective_from) VALUES (?, ?, 'ACCOUNT', ?, ?, ?)",
			tr.factor, tr.account, past, money.FactorOne, past)
		tr.tx = nil
		return nil
	}))
	return tr
}

var past = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func (tr *tree) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if tr.st.Dialect == store.Postgres {
		for i := 1; strings.Contains(query, "?"); i++ {
			query = strings.Replace(query, "?", fmt.Sprintf("$%d", i), 1)
		}
	}
	var err error
	if tr.tx != nil {
		_, err = tr.tx.Exec(query, args...)
	} else {
		_, err = tr.st.System().Exec(query, args...)
	}
	require.NoError(t, err)
}

func (tr *tree) scope(t testing.TB, scopeID, parent, kind, name, plane, path string) {
	t.Helper()
	if parent == "" {
		tr.exec(t, `INSERT INTO scopes (id, account_id, plane, created_at, updated_at, kind, name, path) VALUES (?, ?, 'ACCOUNT', ?, ?, ?, ?, ?)`,
			scopeID, tr.account, past, past, kind, name, path)
		return
	}
	parentPlane := plane
	if parent == tr.account {
		parentPlane = "ACCOUNT"
	}
	tr.exec(t, `INSERT INTO scopes (id, account_id, plane, created_at, updated_at, kind, name, path, parent_id, parent_plane) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		scopeID, tr.account, plane, past, past, kind, name, path, parent, parentPlane)
}

// member adds a seat beside Ada's and returns a path to call with.
func (tr *tree) member(t testing.TB) (scopeID, path string) {
	t.Helper()
	scopeID = id.New(id.Member)
	path = strings.TrimSuffix(tr.path, tr.mem+"/"+tr.key+"/") + scopeID + "/"
	tr.scope(t, scopeID, tr.team, "MEMBER", "Bob", string(tr.plane), path)
	return scopeID, path
}

// agent adds an agent of the organization, which lies on nobody's path.
func (tr *tree) agent(t testing.TB) string {
	t.Helper()
	agentID := id.New(id.Agent)
	tr.scope(t, agentID, tr.org, "AGENT", "Helper", string(tr.plane), "/"+tr.account+"/"+tr.root+"/"+tr.org+"/"+agentID+"/")
	return agentID
}

func system() context.Context { return tenancy.System(context.Background(), "test") }

func (tr *tree) try(e *budget.Engine, scopeID string, spec budget.Spec) (out *budget.Plan, err error) {
	err = tr.st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		out, err = e.Set(ctx, tx, scopeID, spec)
		return err
	})
	return out, err
}

func (tr *tree) set(t testing.TB, e *budget.Engine, scopeID string, limit money.Nano) *budget.Plan {
	t.Helper()
	out, err := tr.try(e, scopeID, budget.Spec{Limit: limit})
	require.NoError(t, err)
	return out
}

// call costs one dollar per token of output at the tree's path.
func (tr *tree) call() budget.Call {
	c := budget.Call{
		AccountID: tr.account, TimeZone: tr.zone, Plane: tr.plane, Path: tr.path, OrganizationID: tr.org, TeamID: tr.team, MemberID: tr.mem, KeyID: tr.key,
		ModelID: "mod_x", ModelName: "small", PriceID: "prc_x", Prices: budget.Prices{Output: 1_000_000 * usd}, RequestID: id.New(id.Request),
		Tags: []string{"a"},
	}
	if tr.plane == tenancy.Copilot {
		c.FactorID, c.FactorPPM = tr.factor, money.FactorOne
	}
	return c
}

func output(n int64) budget.Usage { return budget.Usage{Output: n} }

// journals are the directories of stores whose engines keep one.
var journals sync.Map

// each runs a test on every database, with calls that are safe once the
// database has them, and once the journal has.
func each(t *testing.T, test func(t *testing.T, st *store.Store)) {
	t.Helper()
	for _, name := range []string{"none", "file"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, st *store.Store) {
				if name == "file" {
					journals.Store(st, t.TempDir())
				}
				test(t, st)
			})
		})
	}
}

func start(t testing.TB, st *store.Store, now func() time.Time) *budget.Engine {
	t.Helper()
	dir, _ := journals.Load(st)
	journal, _ := dir.(string)
	e := budget.New(st, budget.Options{Now: now, Journal: journal, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, e.Start(context.Background()))
	t.Cleanup(func() { require.NoError(t, e.Close(context.Background())) })
	return e
}

func (tr *tree) states(t testing.TB, e *budget.Engine) map[string]budget.State {
	t.Helper()
	list, err := e.States(context.Background(), tenancy.Reach{AccountID: tr.account, Plane: tr.plane, Path: "/" + tr.account + "/"}, nil)
	require.NoError(t, err)
	out := map[string]budget.State{}
	for _, s := range list {
		out[s.ScopeID] = s
	}
	return out
}

func balanced(t testing.TB, e *budget.Engine) {
	t.Helper()
	diff, err := e.Verify(context.Background())
	require.NoError(t, err)
	require.Empty(t, diff)
}

// price publishes the price of call's model and returns its id.
func (tr *tree) price(t testing.TB) string {
	t.Helper()
	provider, model, price := id.New(id.Provider), id.New(id.Model), id.New(id.Price)
	tr.exec(t, `INSERT INTO providers (id, account_id, plane, created_at, updated_at, name, base_url) VALUES (?, ?, ?, ?, ?, 'p', 'http://x')`,
		provider, tr.account, string(tr.plane), past, past)
	tr.exec(t, `INSERT INTO models (id, account_id, plane, created_at, updated_at, name, provider_id) VALUES (?, ?, ?, ?, ?, 'small', ?)`,
		model, tr.account, string(tr.plane), past, past, provider)
	tr.exec(t, `INSERT INTO prices (id, account_id, plane, created_at, effective_from, model_id, output) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		price, tr.account, string(tr.plane), past, past, model, int64(1_000_000*usd))
	return price
}
