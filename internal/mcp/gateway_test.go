package mcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/agentversion"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/gateway"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/mcp"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const masterKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// world is a tool gateway before a real MCP server, whose tools a team of two
// accounts' tree is granted.
type world struct {
	*identitytest.Trees
	t       testing.TB
	st      *store.Store
	source  *sdk.Server
	calls   atomic.Int64
	waiting chan struct{} // a call of "wait" has begun
	conns   *connections.Connections
	keys    *identity.Keys
	engine  *budget.Engine
	grants  *grant.Grants
	guards  *guardrail.Guards
	row     *ent.Connection
	url     string
	mu      sync.Mutex
	refused []audit.Event
}

func newWorld(t testing.TB, st *store.Store, commands ...connections.Command) *world {
	t.Helper()
	w := &world{Trees: identitytest.Tree(t, st), t: t, st: st, waiting: make(chan struct{}, 1),
		source: sdk.NewServer(&sdk.Implementation{Name: "tickets", Version: "1"}, nil)}
	w.offer("search", "Finds tickets.")
	w.offer("close", "Closes a ticket.")
	w.source.AddTool(&sdk.Tool{Name: "wait", InputSchema: json.RawMessage(`{"type":"object"}`)}, func(ctx context.Context, _ *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		w.waiting <- struct{}{}
		select {
		case <-ctx.Done():
		case <-t.Context().Done(): // the server waits for it to end
		}
		return nil, errors.New("never")
	})
	source := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return w.source }, nil))
	t.Cleanup(source.Close)

	networks := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	log, client := slog.New(slog.DiscardHandler), outbound.NewClient(networks)
	box, err := secret.NewBox(masterKey)
	require.NoError(t, err)
	w.grants = grant.New(st, w.Epochs)
	w.conns = connections.New(connections.Options{Store: st, Client: client, Grants: w.grants, Commands: commands, Log: log,
		Credentials: credential.New(credential.Options{Store: st, Box: box, Client: client, Networks: networks, URL: "https://cockpit.test", Log: log})})
	t.Cleanup(w.conns.Close)
	w.engine = budget.New(st, budget.Options{Log: log})
	require.NoError(t, w.engine.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, w.engine.Close(context.Background())) })
	decide, err := access.New(gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { any: Int }"}))
	require.NoError(t, err)
	tokens, err := oauth.New(oauth.Options{Store: st, Epochs: w.Epochs, Issuer: "https://cockpit.test", MasterKey: masterKey, Client: client, Log: log})
	require.NoError(t, err)
	refusals := audit.NewRefusals(func(_ context.Context, e audit.Event) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.refused = append(w.refused, e)
		return nil
	}, st.Now, log)
	t.Cleanup(refusals.Close)
	w.keys = identity.NewKeys(st, w.Epochs)
	cat := catalog.New(st, w.Epochs, box, 1000*money.FactorOne, log)
	live := agents.NewLive(st, w.Epochs)
	w.guards = guardrail.New(guardrail.Options{Store: st, Epochs: w.Epochs, Box: box, Client: client, Refusals: refusals, Log: log, Metrics: prometheus.NewRegistry()})
	models := gateway.New(gateway.Options{Keys: w.keys, Access: decide, Grants: w.grants, Agents: live, Features: feature.New(st, w.Epochs), Catalog: cat, Budget: w.engine, Client: client, Log: log})
	t.Cleanup(models.Close)
	g := mcp.New(mcp.Options{Store: st, Epochs: w.Epochs, Keys: w.keys, Bearers: tokens.Bearers(), Access: decide, Grants: w.grants, Agents: live, Guards: w.guards, Connections: w.conns, Shelves: mcp.NewShelves(st, w.Epochs, w.grants),
		Budget: w.engine, Factor: cat.Factor, Take: models.Take, Refusals: refusals, MaxBody: 1 << 20, Log: log})
	t.Cleanup(g.Close)
	web := httptest.NewServer(g)
	t.Cleanup(web.Close)
	w.url = web.URL

	w.write(func(ctx context.Context, tx *store.Tx) error {
		w.row, err = w.conns.Create(ctx, tx, w.A.Copilot.Root, connections.Input{Kind: connection.KindMCP_HTTP, Name: ptr("tickets"), URL: &source.URL})
		return err
	})
	_, err = w.conns.Discover(t.Context(), w.row.ID, "", true)
	require.NoError(t, err)
	return w
}

func ptr[T any](v T) *T { return &v }

func (w *world) offer(name, description string) {
	w.source.AddTool(&sdk.Tool{Name: name, Description: description, InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			w.calls.Add(1)
			return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: name + string(r.Params.Arguments)}}}, nil
		})
}

func (w *world) write(f func(ctx context.Context, tx *store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.st.InTx(tenancy.System(identitytest.Ctx(w.t, w.A.Copilot.Admin), "test"), f))
}

func (w *world) tool(name string) *ent.Tool {
	return w.st.Tool.Query().Where(tool.ConnectionID(w.row.ID), tool.Name(name)).OnlyX(identitytest.System(w.t))
}

func (w *world) grant(at *ent.Scope, resourceID string, effect grant.Effect) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := grant.Set(ctx, tx, w.st.Now(), grant.Input{Scope: at, ResourceID: resourceID, Effect: effect, Authority: w.A.Copilot.Root.Path})
		return err
	})
	w.grants.Changed(w.A.Row.ID, tenancy.Copilot)
}

// key makes another key, and waits until it counts.
func (w *world) key(owner *ent.Scope, perMinute int) (token, keyID string) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		k, _, secret, err := identity.CreateKey(ctx, tx, w.st.Now(), identity.KeyInput{Name: "more", Owner: owner, ModelIDs: []string{w.A.Copilot.Model.ID}, RequestsPerMinute: perMinute})
		require.NoError(w.t, err)
		token, keyID = secret, k.ID
		return tx.Audit(ctx, audit.Event{Action: "key.create", AccountID: w.A.Row.ID, Plane: tenancy.Copilot, ScopePath: owner.Path, TargetID: k.ID})
	})
	return token, keyID
}

type signed struct {
	token   string
	headers map[string]string
}

func (s signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.token)
	for name, v := range s.headers {
		r.Header.Set(name, v)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// open connects as a client of the key would, by the protocol of today or the
// one that is coming.
func (w *world) open(token string, headers map[string]string) *sdk.ClientSession {
	w.t.Helper()
	s, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(w.t.Context(),
		&sdk.StreamableClientTransport{Endpoint: w.url, HTTPClient: &http.Client{Transport: signed{token, headers}}}, nil)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (w *world) names(s *sdk.ClientSession) []string {
	w.t.Helper()
	out := []string{}
	for t, err := range s.Tools(w.t.Context(), nil) {
		require.NoError(w.t, err)
		out = append(out, t.Name)
	}
	return out
}

func text(r *sdk.CallToolResult) string {
	var b strings.Builder
	for _, c := range r.Content {
		if t, ok := c.(*sdk.TextContent); ok {
			b.WriteString(t.Text)
		}
	}
	return b.String()
}

func (w *world) call(s *sdk.ClientSession, name string) (*sdk.CallToolResult, error) {
	return s.CallTool(w.t.Context(), &sdk.CallToolParams{Name: name, Arguments: map[string]any{"q": "hush"}})
}

func (w *world) events() []*ent.AuditEvent {
	return w.st.AuditEvent.Query().Where(auditevent.Action("tool.call")).AllX(identitytest.System(w.t))
}

// Each sees and calls what is granted on their path, and no other tool.
func TestGrantsDecideWhatIsSeenAndCalled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		sibling, _ := w.key(w.A.Copilot.SiblingTeam, 0)
		mine := w.open(w.A.Copilot.Token, nil)
		require.Empty(t, w.names(mine), "nothing granted, nothing there")
		w.grant(w.A.Copilot.Team, w.row.ID, grant.Allow)
		w.grant(w.A.Copilot.Member, w.tool("close").ID, grant.Deny)
		require.Equal(t, []string{"tickets__search", "tickets__wait"}, w.names(mine))
		result, err := w.call(mine, "tickets__search")
		require.NoError(t, err)
		require.Equal(t, `search{"q":"hush"}`, text(result))
		require.False(t, result.IsError)

		other := w.open(sibling, nil)
		require.Empty(t, w.names(other))
		calls := w.calls.Load()
		for s, name := range map[*sdk.ClientSession]string{other: "tickets__search", mine: "tickets__close"} {
			_, err = w.call(s, name)
			require.ErrorContains(t, err, "There is no tool")
		}
		_, err = w.call(mine, "tickets__nothing")
		require.ErrorContains(t, err, "There is no tool")
		require.Equal(t, calls, w.calls.Load())

		// Another account, and the other plane.
		require.Empty(t, w.names(w.open(w.B.Copilot.Token, nil)))
		_, err = sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
			&sdk.StreamableClientTransport{Endpoint: w.url, HTTPClient: &http.Client{Transport: signed{w.A.Console.Token, nil}}}, nil)
		require.Error(t, err)

		events := w.events()
		require.Len(t, events, 1, "each call leaves one event")
		require.Equal(t, "tickets__search", events[0].TargetName)
		require.Equal(t, w.A.Copilot.Key.ID, events[0].ActorID)
		raw, err := json.Marshal(events[0])
		require.NoError(t, err)
		require.NotContains(t, string(raw), "hush")
		require.Eventually(t, func() bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			return len(w.refused) == 2
		}, 10*time.Second, 10*time.Millisecond, "refusals of tools that there are go on record")
	})
}

func TestCredentialsAreAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t))
	for name, c := range map[string]struct {
		header, value, cookie string
		status                int
	}{
		"none":    {status: http.StatusUnauthorized},
		"unknown": {header: "Authorization", value: "Bearer ck_copilot_nothing", status: http.StatusUnauthorized},
		"basic":   {header: "Authorization", value: "Basic abc", status: http.StatusUnauthorized},
		"mixed":   {header: "Authorization", value: "Bearer " + w.A.Copilot.Token, cookie: "cockpit_session=x", status: http.StatusBadRequest},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		if c.header != "" {
			r.Header.Set(c.header, c.value)
		}
		if c.cookie != "" {
			r.Header.Set("Cookie", c.cookie)
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, c.status, res.StatusCode, name)
	}
}

// What a tool costs is held before and charged once, on every budget of the
// path; without a budget a priced tool isn't called.
func TestCallsAreCharged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		w.grant(w.A.Copilot.Root, w.row.ID, grant.Allow)
		search := w.tool("search")
		price := 2 * money.One
		w.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := w.conns.UpdateTool(ctx, tx, search.ID, connections.ToolInput{Price: &price})
			return err
		})
		for i, s := range []*ent.Scope{w.A.Copilot.Root, w.A.Copilot.Org, w.A.Copilot.Team, w.A.Copilot.Member} {
			w.write(func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := w.engine.Set(ctx, tx, s.ID, budget.Spec{Limit: []money.Nano{100, 50, 20, 5}[i] * money.One})
				return err
			})
		}
		s := w.open(w.A.Copilot.Token, nil)
		before := w.charges(search.ID)
		var refusals, answers int
		for range 4 { // at a factor of 1 two fit into 5
			r, err := w.call(s, "tickets__search")
			require.NoError(t, err)
			if r.IsError {
				refusals++
				require.Contains(t, text(r), "budget")
				continue
			}
			answers++
		}
		require.Positive(t, answers)
		require.Positive(t, refusals)
		require.LessOrEqual(t, answers, 2)
		require.Eventually(t, func() bool { return len(w.charges(search.ID)) == len(before)+answers }, 20*time.Second, 50*time.Millisecond)
		for _, c := range w.charges(search.ID) {
			require.Equal(t, int64(price), c.Cost)
			require.Equal(t, "tickets__search", c.ModelName)
			require.Equal(t, w.A.Copilot.Key.ID, c.KeyID)
		}
		require.Equal(t, int64(answers), w.calls.Load(), "what can't be paid isn't sent")
	})
}

func (w *world) charges(toolID string) []*ent.Charge {
	return w.st.Charge.Query().Where(charge.ModelID(toolID)).AllX(identitytest.System(w.t))
}

// A key that falls takes its running calls along.
func TestRevocationEndsCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t))
	w.grant(w.A.Copilot.Root, w.row.ID, grant.Allow)
	token, keyID := w.key(w.A.Copilot.Member, 0)
	s := w.open(token, nil)
	ended := make(chan error, 1)
	go func() {
		_, err := w.call(s, "tickets__wait")
		ended <- err
	}()
	<-w.waiting
	w.write(func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Key.UpdateOneID(keyID).SetRevokedAt(st(tx)).Exec(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "key.revoke", AccountID: w.A.Row.ID, Plane: tenancy.Copilot, ScopePath: w.A.Copilot.Root.Path, TargetID: keyID})
	})
	require.ErrorContains(t, <-ended, "revoked")
	_, err := w.call(s, "tickets__search")
	require.Error(t, err)
}

func st(tx *store.Tx) time.Time { return tx.Now() }

func TestRateAndAgentsNarrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t))
	w.grant(w.A.Copilot.Root, w.row.ID, grant.Allow)
	token, _ := w.key(w.A.Copilot.Member, 1)
	s := w.open(token, nil)
	r, err := w.call(s, "tickets__search")
	require.NoError(t, err)
	require.False(t, r.IsError)
	r, err = w.call(s, "tickets__search")
	require.NoError(t, err)
	require.True(t, r.IsError)
	require.Contains(t, text(r), "1 requests per minute")

	var agentID string
	w.write(func(ctx context.Context, tx *store.Tx) error {
		at, err := identity.CreateAgentScope(ctx, tx, w.A.Copilot.Team, "Searcher")
		require.NoError(t, err)
		agentID = at.ID
		tx.Agent.Create().SetID(at.ID).SetAccountID(at.AccountID).SetPlane(agent.Plane(at.Plane)).SetDraft(json.RawMessage("{}")).SetPublishedVersion(1).ExecX(ctx)
		tx.AgentVersion.Create().SetAccountID(at.AccountID).SetPlane(agentversion.Plane(at.Plane)).SetAgentID(at.ID).SetNumber(1).
			SetDefinition(json.RawMessage(`{"toolIds":["` + w.tool("close").ID + `"]}`)).ExecX(ctx)
		return tx.Audit(ctx, audit.Event{Action: "agent.create", AccountID: at.AccountID, Plane: tenancy.Copilot, ScopePath: at.Path, TargetID: at.ID})
	})
	as := map[string]string{"X-Cockpit-Agent": agentID}
	_, err = sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(),
		&sdk.StreamableClientTransport{Endpoint: w.url, HTTPClient: &http.Client{Transport: signed{w.A.Copilot.Token, as}}}, nil)
	require.Error(t, err, "the agent isn't granted")
	w.grant(w.A.Copilot.Team, agentID, grant.Allow)
	s = w.open(w.A.Copilot.Token, as)
	require.Equal(t, []string{"tickets__close"}, w.names(s))
	_, err = w.call(s, "tickets__search")
	require.ErrorContains(t, err, "There is no tool")
}

// guard puts rules on a scope.
func (w *world) guard(at *ent.Scope, name, rules string) {
	w.t.Helper()
	var p detect.Preset
	require.NoError(w.t, json.Unmarshal([]byte(rules), &p))
	w.write(func(ctx context.Context, tx *store.Tx) error {
		row, err := w.guards.Create(ctx, tx, w.A.Copilot.Root, guardrail.Input{Name: &name, Rules: &p})
		require.NoError(w.t, err)
		_, err = w.guards.Assign(ctx, tx, at, row.ID)
		return err
	})
	w.guards.Changed(w.A.Row.ID, tenancy.Copilot)
}

// What a guardrail stops doesn't reach the tool, and what it takes out of an
// answer doesn't reach the caller.
func TestGuardrailsStandBeforeTools(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t))
	w.source.AddTool(&sdk.Tool{Name: "echo", InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(_ context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			w.calls.Add(1)
			return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "got " + string(r.Params.Arguments)}},
				StructuredContent: map[string]any{"n": json.Number("12345678901234567890"), "to": []any{"ada@example.com"}}}, nil
		})
	_, err := w.conns.Discover(t.Context(), w.row.ID, "", true)
	require.NoError(t, err)
	w.grant(w.A.Copilot.Root, w.row.ID, grant.Allow)
	s := w.open(w.A.Copilot.Token, nil)
	say := func(arguments map[string]any) *sdk.CallToolResult {
		r, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: "tickets__echo", Arguments: arguments})
		require.NoError(t, err)
		return r
	}
	require.Contains(t, text(say(map[string]any{"q": "ada@example.com"})), "ada@example.com", "nothing stands there yet")

	w.guard(w.A.Copilot.Team, "Codename", `{"rules":[{"name":"Project","detector":"WORDS","words":["bluebird"],"action":"BLOCK","direction":"INPUT"}]}`)
	before := w.calls.Load()
	r := say(map[string]any{"deep": []any{map[string]any{"q": "about Bluebird"}}})
	require.True(t, r.IsError)
	require.Contains(t, text(r), "Codename")
	require.NotContains(t, text(r), "luebird", "what was found isn't told")
	require.True(t, say(map[string]any{"bluebird": 1}).IsError, "nor as a name")
	require.Equal(t, before, w.calls.Load(), "the tool heard of neither")

	w.guard(w.A.Copilot.Root, "Mail", `{"rules":[{"name":"Mail","detector":"EMAIL","action":"REDACT","direction":"BOTH"}]}`)
	r = say(map[string]any{"q": "ada@example.com", "n": json.Number("12345678901234567890")})
	require.False(t, r.IsError)
	require.NotContains(t, text(r), "ada@")
	require.Contains(t, text(r), "12345678901234567890", "numbers go on as they came")
	structured, err := json.Marshal(r.StructuredContent)
	require.NoError(t, err)
	require.NotContains(t, string(structured), "ada@")
}
