package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/demo/upstream"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// demoLarge is the price of demo-large, in nano-USD per 1,000,000 tokens.
var demoLarge = struct{ Input, Output int64 }{2_000_000_000, 8_000_000_000}

// ceiling is what a call of the model unpriced costs.
const ceiling = money.One / 10

const masterKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// world is a gateway before the demo upstream, with an account in both planes.
type world struct {
	t      testing.TB
	st     *store.Store
	epochs *store.Epochs
	// blind ends the learning of revocations.
	blind    context.CancelFunc
	engine   *budget.Engine
	gateway  *gateway.Gateway
	guards   *guardrail.Guards
	tokens   *oauth.Server
	catalog  *catalog.Catalog
	agents   *agents.Agents
	upstream string
	url      string

	consoleKey, copilotKey string
	consoleKeyID, teamID   string
	member                 *ent.Scope
	models                 []string
	modelIDs               map[string]string // Console's, by name
	root, team             *ent.Scope        // Console's
	// connections counts those that the provider was opened.
	connections atomic.Int64
}

func system() context.Context { return tenancy.System(context.Background(), "test") }

func newWorld(t testing.TB, st *store.Store, o gateway.Options) *world {
	t.Helper()
	w := &world{t: t, st: st, modelIDs: map[string]string{}}
	provider := httptest.NewUnstartedServer(upstream.Handler("sk-demo-provider"))
	provider.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			w.connections.Add(1)
		}
	}
	provider.Start()
	t.Cleanup(provider.Close)
	// Plain calls of the tests come without the provider's key.
	plain := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer sk-demo-provider")
		provider.Config.Handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(plain.Close)
	w.upstream = plain.URL

	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	log := slog.New(slog.DiscardHandler)
	box, err := secret.NewBox(masterKey)
	require.NoError(t, err)
	require.NoError(t, identity.CreatePlatform(ctx, st))
	polling, blind := context.WithCancel(ctx)
	w.blind = blind
	w.epochs, err = st.WatchEpochs(polling)
	require.NoError(t, err)
	cat := catalog.New(st, w.epochs, box, 100*money.FactorOne, log)
	w.engine = budget.New(st, budget.Options{Log: log})
	require.NoError(t, w.engine.Start(ctx))
	t.Cleanup(func() { require.NoError(t, w.engine.Close(context.Background())) })
	w.plant(cat, provider.URL+"/v1")

	o.Access, err = access.New(gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { any: Int }"}))
	require.NoError(t, err)
	o.Grants, o.Agents = grant.New(st, w.epochs), agents.NewLive(st, w.epochs)
	w.catalog, w.agents = cat, &agents.Agents{Store: st}
	w.tokens, err = oauth.New(oauth.Options{Store: st, Epochs: w.epochs, Refusals: o.Refusals, Issuer: "https://cockpit.test",
		MasterKey: masterKey, Client: http.DefaultClient, Log: log})
	require.NoError(t, err)
	o.Bearers = w.tokens.Bearers()
	o.Keys, o.Catalog, o.Budget, o.Log = identity.NewKeys(st, w.epochs), cat, w.engine, log
	if o.Client == nil {
		o.Client = outbound.NewClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	}
	w.guards = guardrail.New(guardrail.Options{Store: st, Epochs: w.epochs, Box: box, Client: o.Client, Refusals: o.Refusals, Log: log})
	o.Guards = w.guards
	w.gateway = gateway.New(o)
	t.Cleanup(w.gateway.Close)
	server := httptest.NewServer(w.gateway)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func ptr[T any](v T) *T { return &v }

// plant makes the account: a member with a key in each plane, a budget for the
// planes and the Console team, and models.
func (w *world) plant(cat *catalog.Catalog, providerURL string) {
	w.t.Helper()
	in := catalog.ProviderInput{Name: ptr("Demo"), BaseURL: &providerURL, Secret: ptr("sk-demo-provider")}
	price := catalog.PriceInput{Input: money.Nano(demoLarge.Input), Output: money.Nano(demoLarge.Output), CachedInput: ptr(money.Nano(demoLarge.Input / 2)),
		CacheWrite: ptr(money.Nano(demoLarge.Input * 5 / 4))}
	thinking := price
	thinking.Reasoning = ptr(money.Nano(demoLarge.Output))
	w.write(func(ctx context.Context, tx *store.Tx) error {
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "Acme", Slug: "acme", Console: true, Copilot: true})
		require.NoError(w.t, err)
		u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: "ada@example.com", Name: "Ada"})
		require.NoError(w.t, err)
		find := func(kind scope.Kind, plane scope.Plane) *ent.Scope {
			return tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(kind), scope.PlaneEQ(plane)).OnlyX(ctx)
		}

		root, team := find(scope.KindCONSOLE, scope.PlaneCONSOLE), find(scope.KindTEAM, scope.PlaneCONSOLE)
		w.root, w.team, w.teamID = root, team, team.ID
		w.member, err = identity.AddMember(ctx, tx, team, u)
		require.NoError(w.t, err)
		p, err := cat.CreateProvider(ctx, tx, root, in)
		require.NoError(w.t, err)
		for name, m := range map[string]catalog.ModelInput{
			"demo-small": {Price: &price}, "demo-large": {Price: &price}, "demo-thinking": {Price: &thinking},
			"unpriced": {Ceiling: ptr(ceiling), UpstreamName: "demo-small"}, "forbidden": {Price: &price},
		} {
			m.Name, m.ProviderID, m.ContextLength, m.MaxOutputTokens = name, p.ID, 200_000, 100_000
			row, err := cat.CreateModel(ctx, tx, root, m)
			require.NoError(w.t, err)
			w.grant(ctx, tx, root, row.ID, grant.Allow)
			w.modelIDs[name] = row.ID
			if name != "forbidden" {
				w.models = append(w.models, row.ID)
			}
		}
		for _, s := range []*ent.Scope{root, team} {
			_, err = w.engine.Set(ctx, tx, s.ID, budget.Spec{Limit: 100 * money.One})
			require.NoError(w.t, err)
		}
		k, _, token, err := identity.CreateKey(ctx, tx, w.st.Now(), identity.KeyInput{Name: "ci", Owner: w.member, ModelIDs: w.models})
		require.NoError(w.t, err)
		w.consoleKeyID, w.consoleKey = k.ID, token

		root, team = find(scope.KindCOPILOT, scope.PlaneCOPILOT), find(scope.KindTEAM, scope.PlaneCOPILOT)
		cp, err := cat.CreateCentralProvider(ctx, tx, in)
		require.NoError(w.t, err)
		cm, err := cat.CreateCatalogModel(ctx, tx, catalog.ListingInput{CentralProviderID: cp.ID, Name: "central", UpstreamName: "demo-large",
			Capability: catalogmodel.CapabilitySMART, ContextLength: 200_000, MaxOutputTokens: 10_000, Price: price, Status: catalogmodel.StatusACTIVE})
		require.NoError(w.t, err)
		installed, err := cat.InstallModel(ctx, tx, root, cm.ID)
		require.NoError(w.t, err)
		w.grant(ctx, tx, root, installed.ID, grant.Allow)
		_, err = w.engine.Set(ctx, tx, root.ID, budget.Spec{Limit: 10_000 * money.One})
		require.NoError(w.t, err)
		_, _, w.copilotKey, err = identity.CreateKey(ctx, tx, w.st.Now(), identity.KeyInput{Name: "web", Owner: team, ModelIDs: []string{installed.ID}})
		return err
	})
}

// grant sets a grant with the authority of the plane's root.
func (w *world) grant(ctx context.Context, tx *store.Tx, at *ent.Scope, modelID string, effect grant.Effect) *ent.Grant {
	w.t.Helper()
	root := tx.Scope.Query().Where(scope.AccountID(at.AccountID), scope.KindEQ(scope.Kind(at.Plane))).OnlyX(ctx)
	g, err := grant.Set(ctx, tx, w.st.Now(), grant.Input{Scope: at, ResourceID: modelID, Effect: effect, Authority: root.Path})
	require.NoError(w.t, err)
	return g
}

func (w *world) write(f func(ctx context.Context, tx *store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.st.InTx(system(), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return f(ctx, tx)
	}))
}

func (w *world) setBudget(scopeID string, limit money.Nano) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := w.engine.Set(ctx, tx, scopeID, budget.Spec{Limit: limit})
		return err
	})
}

func (w *world) newKey(perMinute int) (token string) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		_, _, token, err = identity.CreateKey(ctx, tx, w.st.Now(),
			identity.KeyInput{Name: "limited", Owner: w.member, ModelIDs: w.models, RequestsPerMinute: perMinute})
		return err
	})
	return token
}

func (w *world) revokeConsoleKey() {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return tx.Key.UpdateOneID(w.consoleKeyID).SetRevokedAt(w.st.Now()).Exec(ctx)
	})
}

func (w *world) request(ctx context.Context, key, body string) *http.Request {
	w.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/v1/chat/completions", strings.NewReader(body))
	require.NoError(w.t, err)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	return req
}

// send makes a request, again while the server can't check credentials: on a
// machine that is too busy to poll for revocations, it rightly refuses.
func (w *world) send(build func() *http.Request) *http.Response {
	w.t.Helper()
	for {
		res, err := http.DefaultClient.Do(build())
		require.NoError(w.t, err)
		if res.StatusCode != http.StatusServiceUnavailable {
			w.t.Cleanup(func() { _ = res.Body.Close() })
			return res
		}
		body, err := io.ReadAll(res.Body)
		require.NoError(w.t, err)
		require.NoError(w.t, res.Body.Close())
		if !strings.Contains(string(body), "check credentials") {
			res.Body = io.NopCloser(bytes.NewReader(body))
			return res
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (w *world) post(key, body string) *http.Response {
	w.t.Helper()
	return w.send(func() *http.Request { return w.request(w.t.Context(), key, body) })
}

// chat makes a call that must succeed, and reads it to its end.
func (w *world) chat(key, body string) string {
	w.t.Helper()
	res := w.post(key, body)
	answer, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusOK, res.StatusCode, string(answer))
	return string(answer)
}

func (w *world) billed() upstream.Stats {
	w.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.upstream+"/demo/stats?requests=true", nil)
	require.NoError(w.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, res.Body.Close()) }()
	var s upstream.Stats
	require.NoError(w.t, json.NewDecoder(res.Body).Decode(&s))
	return s
}

func (w *world) charges() []*ent.Charge {
	w.t.Helper()
	out, err := w.st.Charge.Query().All(system())
	require.NoError(w.t, err)
	return out
}

// idle waits until the calls whose clients left have ended.
func (w *world) idle() {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return w.st.Hold.Query().CountX(system()) == 0 }, 30*time.Second, 10*time.Millisecond)
}

// balanced asserts that no hold is left and that every counter is the sum of
// its ledger.
func (w *world) balanced() {
	w.t.Helper()
	require.Zero(w.t, w.st.Hold.Query().CountX(system()))
	diffs, err := w.engine.Verify(context.Background())
	require.NoError(w.t, err)
	require.Empty(w.t, diffs)
}
