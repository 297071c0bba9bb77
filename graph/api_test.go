package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/mcp"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/internal/webhook"
)

// api is the whole API over a planted tree.
type api struct {
	t testing.TB
	*identitytest.Trees
	handler  http.Handler
	resolver *Resolver
	probe    func(base, key string) ([]string, error)
	cookies  *Cookies
	budgets  *budget.Engine
	stream   *audit.Stream
	sealer   *audit.Sealer
}

const masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

func newAPI(t testing.TB, st *store.Store) *api {
	t.Helper()
	w := identitytest.Tree(t, st)
	box, err := secret.NewBox(masterKey)
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	engine, err := access.New(Schema())
	require.NoError(t, err)
	engine.Present = w.Sessions.Present
	budgets := budget.New(st, budget.Options{Log: log})
	require.NoError(t, budgets.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, budgets.Close(context.Background())) })
	stream := audit.NewStream(st.System(), st.Dialect, log)
	a := &api{t: t, Trees: w, budgets: budgets, stream: stream,
		sealer: newSealer(t, st, stream)}
	a.resolver = &Resolver{Store: st, Epochs: w.Epochs, Access: engine, Grants: grant.New(st, w.Epochs), Features: feature.New(st, w.Epochs), Sessions: w.Sessions, Budgets: budgets,
		Catalog: catalog.New(st, w.Epochs, box, 1_000_000_000, log), CreditValue: money.One / 500, Audit: stream, Box: box, Log: log,
		Notify: &notify.Notifier{Store: st, Inbox: notify.NewInbox(st, log), URL: "https://cockpit.test"},
		Probe:  func(_ context.Context, base, key string) ([]string, error) { return a.probe(base, key) }}
	engine.Off = func(ctx context.Context, name string, t access.Target, who string) *fault.Error {
		return a.resolver.Features.Off(ctx, feature.Feature(name), t.Plane, t.Path, t.Within, who)
	}
	a.resolver.Agents = &agents.Agents{Store: st, Notify: a.resolver.Notify}
	a.resolver.Requests = &request.Requests{Store: st, Budgets: budgets, Access: engine, Grants: a.resolver.Grants, Log: log}
	client := outbound.NewClient(nil)
	a.resolver.Connections = connections.New(connections.Options{Store: st, Client: client, Grants: a.resolver.Grants, Log: log,
		Credentials: credential.New(credential.Options{Store: st, Box: box, Client: client, URL: "https://cockpit.test", Log: log})})
	t.Cleanup(a.resolver.Connections.Close)
	a.resolver.Requests.Known = a.resolver.market().Known
	a.resolver.Requests.Carry = request.Carriers{entrequest.KindPUBLISH: a.resolver.market().Carry}
	a.resolver.Webhooks = webhook.New(webhook.Options{Store: st, Box: box, Client: outbound.NewClient(nil), Notify: a.resolver.Notify, Now: st.Now, Log: log})
	a.resolver.Guards = guardrail.New(guardrail.Options{Store: st, Epochs: w.Epochs, Box: box, Client: outbound.NewClient(nil), Log: log})
	a.resolver.Shelves = mcp.NewShelves(st, w.Epochs, a.resolver.Grants)
	refusals := audit.NewRefusals(func(context.Context, audit.Event) error { return nil }, st.Now, log)
	t.Cleanup(refusals.Close)
	a.resolver.OAuth, err = oauth.New(oauth.Options{Store: st, Epochs: w.Epochs, Refusals: refusals, Issuer: "https://cockpit.test",
		MasterKey: masterKey, Client: http.DefaultClient, Log: log})
	require.NoError(t, err)
	a.resolver.SSO = sso.New(sso.Options{Store: st, Sessions: w.Sessions, Access: engine, Box: box, Client: http.DefaultClient,
		Refusals: refusals})
	a.handler = New(a.resolver)
	return a
}

type answer struct {
	Data   map[string]any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
}

func (a answer) code() string {
	if len(a.Errors) == 0 {
		return ""
	}
	code, _ := a.Errors[0].Extensions["code"].(string)
	return code
}

// at digs into the data by keys and indexes.
func (a answer) at(path ...any) any {
	var v any = a.Data
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

func (a *api) do(v *tenancy.Viewer, query string, variables map[string]any) answer {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(a.t, err)
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	ctx := audit.WithRequestID(r.Context(), "req_test")
	if v != nil {
		ctx = tenancy.WithViewer(ctx, v)
	}
	if a.cookies != nil {
		ctx = WithCookies(ctx, *a.cookies)
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r.WithContext(ctx))
	var out answer
	require.NoError(a.t, json.Unmarshal(w.Body.Bytes(), &out), w.Body.String())
	return out
}

// ok runs an operation that must work without an error.
func (a *api) ok(v *tenancy.Viewer, query string, variables map[string]any) answer {
	a.t.Helper()
	out := a.do(v, query, variables)
	require.Empty(a.t, out.Errors, "%+v", out.Errors)
	return out
}

func each(t *testing.T, test func(t *testing.T, a *api)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, st *store.Store) { test(t, newAPI(t, st)) })
}

const setBudget = `mutation($i: BudgetSetInput!) { budgetSet(input: $i) { budget { limit version state { limit remaining status } } errors { code message path ... on AllocationError { available } ... on ConflictError { currentVersion } } } }`

func TestBudgetIsSetFromAboveAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		set := func(v *tenancy.Viewer, scopeID, limit string) answer {
			return a.do(v, setBudget, map[string]any{"i": map[string]any{"scopeId": scopeID, "limit": limit}})
		}
		for name, c := range map[string]struct {
			viewer *tenancy.Viewer
			scope  string
			code   string
		}{
			"account admin, plane pool":       {a.A.Admin, p.Root.ID, ""},
			"plane admin, organization":       {p.Admin, p.Org.ID, ""},
			"plane admin, own pool":           {p.Admin, p.Root.ID, "FORBIDDEN"},
			"org admin, team":                 {p.OrgAdmin, p.Team.ID, ""},
			"org admin, own organization":     {p.OrgAdmin, p.Org.ID, "FORBIDDEN"},
			"org admin, sibling":              {p.SiblingOrgAdmin, p.Team.ID, "NOT_FOUND"},
			"team admin, member":              {p.TeamAdmin, p.Member.ID, ""},
			"team admin, own team":            {p.TeamAdmin, p.Team.ID, "FORBIDDEN"},
			"member, own seat":                {p.Seat, p.Member.ID, "FORBIDDEN"},
			"other plane's admin":             {a.A.Copilot.Admin, p.Team.ID, "NOT_FOUND"},
			"other account's admin":           {a.B.Admin, p.Team.ID, "NOT_FOUND"},
			"super admin, Console team":       {a.SuperAdmin, p.Team.ID, "NOT_FOUND"},
			"super admin, Copilot pool":       {a.SuperAdmin, a.A.Copilot.Root.ID, ""},
			"account admin, Copilot pool":     {a.A.Admin, a.A.Copilot.Root.ID, "FORBIDDEN"},
			"nobody":                          {nil, p.Team.ID, "UNAUTHENTICATED"},
			"an id that doesn't exist":        {a.A.Admin, "team_01JD0000000000000000000000", "NOT_FOUND"},
			"an id of another kind of things": {a.A.Admin, p.Model.ID, "NOT_FOUND"},
		} {
			out := set(c.viewer, c.scope, "1000")
			code := out.code()
			if s, ok := out.at("budgetSet", "errors", 0, "code").(string); ok {
				code = s
			}
			require.Equal(t, c.code, code, "%s: %+v", name, out)
			if c.code == "" {
				require.Equal(t, "1000", out.at("budgetSet", "budget", "limit"), name)
			}
		}
		for _, bad := range []string{"-1", "1e9", "", "0.0000000001", "99999999999999"} {
			out := set(p.Admin, p.Org.ID, bad)
			require.True(t, out.code() != "" || out.at("budgetSet", "errors", 0) != nil, "limit %q: %+v", bad, out)
		}
		out := a.ok(p.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Org.ID, "limit": "5", "expectedVersion": 99}})
		require.Equal(t, "CONFLICT", out.at("budgetSet", "errors", 0, "code"))
		require.NotNil(t, out.at("budgetSet", "errors", 0, "currentVersion"))
	})
}

// What is given to the children is summed to the last nano, without keys, and
// beyond what a number of the database holds.
func TestOvercommittedBudgets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		set := func(scopeID, limit string) {
			a.ok(a.A.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": scopeID, "limit": limit}})
		}
		over := func() any {
			return a.ok(a.A.Admin, `query($id: ID!) { node(id: $id) { ... on Organization { budget { overcommitted } } } }`, map[string]any{"id": p.Org.ID}).
				at("node", "budget", "overcommitted")
		}
		set(p.Org.ID, "10.5")
		set(p.Team.ID, "4.750000001")
		set(p.SiblingTeam.ID, "5.749999999")
		set(p.KeyScope.ID, "3")
		require.Equal(t, false, over())
		set(p.SiblingTeam.ID, "5.75")
		require.Equal(t, true, over())
		for _, team := range []*ent.Scope{p.Team, p.SiblingTeam} {
			set(team.ID, "9000000000")
		}
		require.Equal(t, true, over())
	})
}

func TestKeyIsMadeShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		const create = `mutation($i: KeyCreateInput!) { keyCreate(input: $i) { secret key { id name prefix state location limits { limit } models { name } owner { id } } errors { code message path } } }`
		input := map[string]any{"name": "ci", "ownerId": p.Member.ID, "modelIds": []any{p.Model.ID}}
		out := a.ok(p.Seat, create, map[string]any{"i": input})
		require.Empty(t, out.at("keyCreate", "errors"), "%+v", out)
		secret, _ := out.at("keyCreate", "secret").(string)
		require.Greater(t, len(secret), 40)
		keyID, _ := out.at("keyCreate", "key", "id").(string)
		shown := a.ok(a.A.Admin, `query($id: ID!) { node(id: $id) { ... on Key { prefix state } } }`, map[string]any{"id": keyID})
		require.NotContains(t, fmt.Sprint(shown.Data), secret)
		require.Equal(t, "ACTIVE", shown.at("node", "state"))

		for name, i := range map[string]map[string]any{
			"no model":              {"name": "x", "ownerId": p.Member.ID, "modelIds": []any{}},
			"other plane's model":   {"name": "x", "ownerId": p.Member.ID, "modelIds": []any{a.A.Copilot.Model.ID}},
			"other account's model": {"name": "x", "ownerId": p.Member.ID, "modelIds": []any{a.B.Console.Model.ID}},
			"other account's owner": {"name": "x", "ownerId": a.B.Console.Member.ID, "modelIds": []any{p.Model.ID}},
			"other plane's owner":   {"name": "x", "ownerId": a.A.Copilot.Member.ID, "modelIds": []any{p.Model.ID}},
			"negative rate":         {"name": "x", "ownerId": p.Member.ID, "modelIds": []any{p.Model.ID}, "requestsPerMinute": -1},
			"past expiry":           {"name": "x", "ownerId": p.Member.ID, "modelIds": []any{p.Model.ID}, "expiresAt": "2020-01-01T00:00:00Z"},
			"no name":               {"name": " ", "ownerId": p.Member.ID, "modelIds": []any{p.Model.ID}},
		} {
			out := a.do(a.A.Admin, create, map[string]any{"i": i})
			require.Nil(t, out.at("keyCreate", "key"), name)
			require.NotNil(t, out.at("keyCreate", "errors", 0, "code"), "%s: %+v", name, out)
		}

		const revoke = `mutation($id: ID!) { keyRevoke(input: {keyId: $id}) { key { state } errors { code } } }`
		require.Equal(t, "NOT_FOUND", a.ok(a.B.Admin, revoke, map[string]any{"id": keyID}).at("keyRevoke", "errors", 0, "code"))
		require.Equal(t, "REVOKED", a.ok(p.Seat, revoke, map[string]any{"id": keyID}).at("keyRevoke", "key", "state"))
		require.Equal(t, "INVALID", a.ok(p.Seat, revoke, map[string]any{"id": keyID}).at("keyRevoke", "errors", 0, "code"))
	})
}

func TestProvidersAndModels(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		a.probe = func(base, key string) ([]string, error) {
			require.Equal(t, "https://llm.example/v1", base)
			require.Equal(t, "sk-very-secret-1234", key)
			return []string{"m1"}, nil
		}
		p := a.A.Console
		out := a.ok(p.Admin, `mutation { providerCreate(input: {name: "House LLM", baseUrl: "https://llm.example/v1/", secret: "sk-very-secret-1234"}) { provider { id baseUrl secretHint } errors { code } } }`, nil)
		require.Empty(t, out.at("providerCreate", "errors"))
		require.Equal(t, "https://llm.example/v1", out.at("providerCreate", "provider", "baseUrl"))
		require.Equal(t, "1234", out.at("providerCreate", "provider", "secretHint"))
		providerID := out.at("providerCreate", "provider", "id")
		out = a.ok(p.Admin, `mutation($id: ID!) { providerTest(input: {providerId: $id}) { ok models errors { code } } }`, map[string]any{"id": providerID})
		require.Equal(t, true, out.at("providerTest", "ok"))

		const create = `mutation($i: ModelCreateInput!) { modelCreate(input: $i) { model { name price { input cachedInput } provider { name } } errors { code path } } }`
		model := func(over map[string]any) map[string]any {
			in := map[string]any{"providerId": providerID, "name": "gpt", "contextLength": 1000, "maxOutputTokens": 100, "price": map[string]any{"input": "2.5", "output": "10"}}
			for k, v := range over {
				in[k] = v
			}
			return map[string]any{"i": in}
		}
		out = a.ok(p.Admin, create, model(nil))
		require.Equal(t, "2.5", out.at("modelCreate", "model", "price", "input"))
		require.Nil(t, out.at("modelCreate", "model", "price", "cachedInput"))
		for name, over := range map[string]map[string]any{
			"taken name":       {},
			"negative price":   {"name": "x", "price": map[string]any{"input": "-1", "output": "1"}},
			"absurd price":     {"name": "x", "price": map[string]any{"input": "1000001", "output": "1"}},
			"free":             {"name": "x", "price": map[string]any{"input": "0", "output": "0"}},
			"no price":         {"name": "x", "price": nil},
			"price, ceiling":   {"name": "x", "ceiling": "1"},
			"zero ceiling":     {"name": "x", "price": nil, "ceiling": "0"},
			"output > context": {"name": "x", "maxOutputTokens": 2000},
			"foreign provider": {"name": "x", "providerId": a.B.Console.Provider.ID},
		} {
			out := a.ok(p.Admin, create, model(over))
			require.NotNil(t, out.at("modelCreate", "errors", 0, "code"), name)
			require.Nil(t, out.at("modelCreate", "model"), name)
		}
		require.Equal(t, "FORBIDDEN", a.do(p.OrgAdmin, create, model(map[string]any{"name": "y"})).code())
		require.Equal(t, "FORBIDDEN", a.do(a.SuperAdmin, create, model(map[string]any{"name": "y"})).code())

		// Copilot: the catalogue is the platform's, in credits for tenants.
		out = a.ok(a.A.Copilot.Admin, `{ copilot { catalogModels(first: 10) { edges { node { id name creditPrice { input } installed { id } } } } } }`, nil)
		require.NotNil(t, out.at("copilot", "catalogModels", "edges", 0, "node", "creditPrice", "input"))
		out = a.do(a.A.Copilot.Admin, `{ copilot { catalogModels(first: 10) { edges { node { name price { input } } } } } }`, nil)
		require.Equal(t, "FORBIDDEN", out.code())
		require.Nil(t, out.at("copilot", "catalogModels", "edges", 0, "node", "price"))
		require.NotNil(t, out.at("copilot", "catalogModels", "edges", 0, "node", "name"), "siblings stay intact")
	})
}

// Whatever id a viewer knows, node answers foreign ones like ids that don't
// exist.
func TestNodeHidesWhatIsForeign(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		tried := 0
		p := a.A.Console
		rows := identitytest.Rows(t, a.Store)
		pools := map[string]bool{} // the platform gives accounts their credits
		for _, plane := range []*identitytest.Plane{a.A.Console, a.A.Copilot, a.B.Console, a.B.Copilot} {
			pools[plane.Root.ID], pools[plane.Budgets[plane.Root.ID].ID] = true, true
		}
		for name, v := range map[string]*tenancy.Viewer{
			"account admin": a.A.Admin, "plane admin": p.Admin, "org admin": p.OrgAdmin, "sibling org admin": p.SiblingOrgAdmin,
			"team admin": p.TeamAdmin, "sibling team admin": p.SiblingTeamAdmin, "member": p.Seat, "other plane's admin": a.A.Copilot.Admin,
			"nobody in the account": a.A.Nobody, "super admin": a.SuperAdmin,
		} {
			for table, list := range rows {
				for _, row := range list {
					out := a.do(v, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": row.ID})
					if row.AccountID != v.AccountID && table != "catalog_models" && !slices.Contains(a.Offered[row.ID], v.AccountID) {
						require.Empty(t, out.Errors, "%s %s: an error tells that the id exists", name, table)
					}
					seen := out.at("node") != nil
					tried++
					switch {
					case (table == "accounts" || id.Is(row.ID, id.Account)) && v.Platform:
						continue // settings of all accounts
					case table == "support_accesses" && v.Platform:
						continue // their own visits
					case v.Platform && pools[row.ID]:
						continue // what of them staff see has a test of its own
					case table == "catalog_models" || slices.Contains(a.Offered[row.ID], v.AccountID):
						continue // offered by the platform
					case row.AccountID != v.AccountID && !v.Platform:
						require.False(t, seen, "%s sees %s %s of another account", name, table, row.ID)
					case row.AccountID != v.AccountID && v.Platform:
						require.False(t, seen, "%s sees %s %s of a tenant", name, table, row.ID)
					case row.Plane == "COPILOT" && !a.reaches(v, tenancy.Copilot), row.Plane == "CONSOLE" && !a.reaches(v, tenancy.Console):
						require.False(t, seen, "%s sees %s %s of the other plane", name, table, row.ID)
					}
				}
			}
		}
		t.Logf("%d combinations of viewer and id tried", tried)
		for viewer, hidden := range map[*tenancy.Viewer][]string{
			p.SiblingOrgAdmin:  {p.Team.ID, p.Member.ID, p.KeyScope.ID, p.Org.ID, p.Root.ID},
			p.SiblingTeamAdmin: {p.Team.ID, p.Member.ID, p.KeyScope.ID},
			p.TeamAdmin:        {p.Org.ID, p.Root.ID, p.SiblingTeam.ID},
		} {
			for _, nodeID := range hidden {
				require.Nil(t, a.ok(viewer, `query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": nodeID}).at("node"))
			}
		}
	})
}

func (a *api) reaches(v *tenancy.Viewer, plane tenancy.Plane) bool {
	for _, r := range v.Reach {
		if r.Plane == plane || r.Plane == tenancy.PlaneAccount {
			return true
		}
	}
	return false
}

// Lists of siblings cost a fixed number of queries, however long they are.
func TestListsDontQueryPerRow(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	const teams = 60
	require.NoError(t, a.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
		for i := range teams {
			if _, err := identity.CreateTeam(ctx, tx, a.A.Console.Org, fmt.Sprint("Team ", i)); err != nil {
				return err
			}
		}
		return nil
	}))
	var n atomic.Int64
	a.Store.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
		return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
			n.Add(1)
			return next.Query(ctx, q)
		})
	}))
	count := func(first int) int {
		n.Store(0)
		a.ok(a.A.Admin, `query($n: Int!) { console {
			scopes(first: $n) { edges { node { id name location budget { limit overcommitted series { amount } state { spent status } } viewerCan { action allowed } } } }
			members(first: $n) { edges { node { user { email } roles { label } isDefault } } }
			keys(first: $n) { edges { node { prefix models { name } owner { name } limits { limit } } } }
			organizations(first: $n) { edges { node { teamCount memberCount isDefault } } }
		} }`, map[string]any{"n": first})
		return int(n.Load())
	}
	// A slow machine may split a batch of the loaders, but never row by row.
	few := count(20)
	require.Less(t, count(80), few+teams/2, "more rows must not mean more queries")
}

func TestPagesGoForthAndBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		const q = `query($first: Int, $after: String, $last: Int, $before: String) { console { scopes(first: $first, after: $after, last: $last, before: $before) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { node { id } } } } }`
		all := a.ok(a.A.Admin, q, map[string]any{"first": 100})
		want := ids(all)
		require.Greater(t, len(want), 5)
		require.EqualValues(t, len(want), all.at("console", "scopes", "totalCount"))
		var got []string
		var after any
		for range want {
			page := a.ok(a.A.Admin, q, map[string]any{"first": 2, "after": after})
			got = append(got, ids(page)...)
			after = page.at("console", "scopes", "pageInfo", "endCursor")
			if page.at("console", "scopes", "pageInfo", "hasNextPage") == false {
				break
			}
		}
		require.Equal(t, want, got)
		back := a.ok(a.A.Admin, q, map[string]any{"last": 2, "before": after})
		require.Equal(t, want[len(want)-3:len(want)-1], ids(back))
		for name, vars := range map[string]map[string]any{
			"neither": {}, "zero": {"first": 0}, "too many": {"first": 101}, "both": {"first": 1, "last": 1}, "cursor": {"first": 1, "after": "§"},
		} {
			out := a.do(a.A.Admin, q, vars)
			require.Equal(t, "BAD_INPUT", out.code(), "%s: %+v", name, out)
		}
	})
}

func ids(a answer) []string {
	var out []string
	edges, _ := a.at("console", "scopes", "edges").([]any)
	for _, e := range edges {
		out = append(out, e.(map[string]any)["node"].(map[string]any)["id"].(string))
	}
	return out
}

func TestSignInAnswersAboutTheNewViewer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		const email, password = "fresh@alpha.example", "correct horse battery"
		require.NoError(t, a.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
			hash, err := identity.HashPassword(ctx, password)
			require.NoError(t, err)
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.A.Row.ID, Email: email, Name: "Fresh", PasswordHash: hash})
			require.NoError(t, err)
			_, err = identity.AddMember(ctx, tx, a.A.Console.Team, u)
			return err
		}))
		var token string
		a.cookies = &Cookies{Set: func(s string) { token = s }, Clear: func() { token = "" }, From: identity.Client{IP: "192.0.2.1"}}
		const q = `mutation($e: String!, $p: String!) { sessionCreate(input: {email: $e, password: $p}) { viewer { user { email } account { slug planes } roles { role kind label } accounts { slug } } errors { code message } } }`
		wrong := a.ok(nil, q, map[string]any{"e": email, "p": "wrong"})
		unknown := a.ok(nil, q, map[string]any{"e": "who@alpha.example", "p": "wrong"})
		require.Equal(t, wrong, unknown, "a wrong password and an unknown e-mail answer alike")
		require.Empty(t, token)
		out := a.ok(nil, q, map[string]any{"e": " FRESH@alpha.example ", "p": password})
		require.NotEmpty(t, token)
		require.Equal(t, email, out.at("sessionCreate", "viewer", "user", "email"))
		require.Equal(t, "MEMBER", out.at("sessionCreate", "viewer", "roles", 0, "role"))
		v, err := a.Sessions.Viewer(t.Context(), token)
		require.NoError(t, err)
		old := token
		a.ok(v, `mutation { sessionEnd { errors { code } } }`, nil)
		require.Empty(t, token)
		require.Eventually(t, func() bool { _, err := a.Sessions.Viewer(t.Context(), old); return err != nil }, 5*time.Second, 50*time.Millisecond)
	})
}
