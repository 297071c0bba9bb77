package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/mcp"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// offer makes an approved tool of a connection of Copilot's root.
func (a *api) offer(name string, with func(*ent.ConnectionCreate)) (connectionID, toolID string) {
	a.t.Helper()
	root := a.A.Copilot.Root
	a.write(func(ctx context.Context, tx *store.Tx) error {
		create := tx.Connection.Create().SetAccountID(root.AccountID).SetPlane(connection.PlaneCOPILOT).SetScopeID(root.ID).
			SetName(name).SetIcon("ticket").SetKind(connection.KindMCP_HTTP).SetURL("https://" + name + ".example/mcp")
		if with != nil {
			with(create)
		}
		c, err := create.Save(ctx)
		if err != nil {
			return err
		}
		t, err := tx.Tool.Create().SetAccountID(root.AccountID).SetPlane(tool.PlaneCOPILOT).SetConnectionID(c.ID).SetName("search").SetState(tool.StateAPPROVED).
			SetDefinition(json.RawMessage(`{"name":"search","description":"Finds.","inputSchema":{"type":"object"}}`)).SetDigest("d").SetPrice(2_000_000).Save(ctx)
		if err == nil {
			connectionID, toolID = c.ID, t.ID
		}
		return err
	})
	return connectionID, toolID
}

// allow grants something to a scope of Copilot, or denies it.
func (a *api) allow(at *ent.Scope, resourceID string, effect grant.Effect) {
	a.t.Helper()
	a.write(func(ctx context.Context, tx *store.Tx) error {
		_, err := grant.Set(ctx, tx, tx.Now(), grant.Input{Scope: at, ResourceID: resourceID, Effect: effect, Authority: a.A.Copilot.Root.Path})
		return err
	})
}

// build publishes an agent of a team.
func (a *api) build(name string, draft map[string]any) string {
	a.t.Helper()
	c := a.A.Copilot
	out := a.ok(c.TeamAdmin, createAgent, input("name", name, "ownerId", c.Team.ID, "draft", draft))
	require.Empty(a.t, refusalOf(out), "%v", out)
	agentID := out.at("out", "agent", "id").(string)
	require.Empty(a.t, refusalOf(a.ok(c.TeamAdmin, publishAgent, input("agentId", agentID))))
	return agentID
}

const (
	toolParts = `id callName title description inputSchema price connection { id name icon needsSignIn signInUrl }`
	myTools   = `query($n: Int!, $after: String) { viewer { tools(first: $n, after: $after) { totalCount pageInfo { hasNextPage endCursor } edges { node { ` + toolParts + ` } } } } }`
	myAgent   = `query($id: ID!) { viewer { agent(id: $id) { allowed rule reason resolved { name version instructions models { id name allowed reason } temperature tools { callName } toolsWithheld guardrails knowledge { url } starters sessionCredits sessionTurns } } } }`
	atOnce    = `{ viewer { agents { id name } tools(first: 100) { edges { node { ` + toolParts + ` } } } models(plane: COPILOT, first: 100) { edges { node { id name } } } budget(plane: COPILOT) { limit state { remaining } } features(plane: COPILOT) { feature on } } }`
)

func TestViewerTools(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		_, open := a.offer("alpha", nil)
		personal, mine := a.offer("beta", func(q *ent.ConnectionCreate) {
			q.SetAuth(connection.AuthBEARER).SetCredential(connection.CredentialPERSONAL)
		})
		_, shared := a.offer("gamma", func(q *ent.ConnectionCreate) { q.SetAuth(connection.AuthBEARER) })
		_, denied := a.offer("delta", nil)
		off, switchedOff := a.offer("omega", nil)
		for _, toolID := range []string{open, mine, shared, denied, switchedOff} {
			a.allow(c.Team, toolID, grant.Allow)
		}
		a.allow(c.Org, denied, grant.Deny)
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.Connection.UpdateOneID(off).SetStatus(connection.StatusDISABLED).Exec(ctx)
		})
		a.forget()

		var got []map[string]any
		var after any
		for { // one by one
			page := a.ok(c.Seat, myTools, map[string]any{"n": 1, "after": after})
			require.EqualValues(t, 3, page.at("viewer", "tools", "totalCount"))
			got = append(got, page.at("viewer", "tools", "edges", 0, "node").(map[string]any))
			if after = page.at("viewer", "tools", "pageInfo", "endCursor"); page.at("viewer", "tools", "pageInfo", "hasNextPage") == false {
				break
			}
		}
		require.Len(t, got, 3)
		require.Equal(t, []any{"alpha__search", "beta__search", "gamma__search"}, []any{got[0]["callName"], got[1]["callName"], got[2]["callName"]})
		require.Equal(t, map[string]any{"id": open, "callName": "alpha__search", "title": "search", "description": "Finds.", "price": "0.002",
			"inputSchema": got[0]["inputSchema"], "connection": got[0]["connection"]}, got[0])
		require.JSONEq(t, `{"type":"object"}`, got[0]["inputSchema"].(string))
		signIn := func(i int) [2]any {
			source := got[i]["connection"].(map[string]any)
			return [2]any{source["needsSignIn"], source["signInUrl"]}
		}
		require.Equal(t, [2]any{false, nil}, signIn(0))
		require.Equal(t, [2]any{true, "https://cockpit.test/connections/sign-in?connection=" + personal}, signIn(1))
		require.Equal(t, [2]any{true, nil}, signIn(2), "whoever manages it signs in")

		require.Nil(t, a.ok(a.A.Console.Seat, myTools, map[string]any{"n": 5}).at("viewer", "tools"), "no seat in Copilot")
		narrow := *c.Seat
		narrow.Narrowed, narrow.Permissions = true, []string{"profile"}
		require.Equal(t, "FORBIDDEN", a.do(&narrow, myTools, map[string]any{"n": 5}).code())
		for name, v := range map[string]*tenancy.Viewer{"another account's": a.B.Copilot.Seat, "the platform": a.SuperAdmin} {
			require.NotContains(t, flat(a.do(v, myTools, map[string]any{"n": 100})), "alpha", name)
		}
	})
}

// How many queries an app's first request takes doesn't depend on how much there
// is to use.
func TestRuntimeInOneRequest(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		var queries atomic.Int64
		a.Store.Intercept(ent.InterceptFunc(func(next ent.Querier) ent.Querier {
			return ent.QuerierFunc(func(ctx context.Context, q ent.Query) (ent.Value, error) {
				queries.Add(1)
				return next.Query(ctx, q)
			})
		}))
		plant := func(n int) {
			_, toolID := a.offer(fmt.Sprintf("source%d", n), func(q *ent.ConnectionCreate) {
				q.SetAuth(connection.AuthBEARER).SetCredential(connection.CredentialPERSONAL)
			})
			a.allow(c.Team, toolID, grant.Allow)
			a.allow(c.Team, a.build(fmt.Sprintf("Helper %d", n), map[string]any{"instructions": "x", "modelId": c.Model.ID}), grant.Allow)
		}
		count := func(want int) int64 {
			a.forget()
			least := int64(1 << 30) // of several: a risen epoch has what is kept in memory read anew
			for range 8 {
				before := queries.Load()
				out := a.ok(c.Seat, atOnce, nil)
				require.Len(t, out.at("viewer", "tools", "edges"), want)
				require.GreaterOrEqual(t, len(out.at("viewer", "agents").([]any)), want)
				least = min(least, queries.Load()-before)
			}
			return least
		}
		plant(0)
		few := count(1)
		for n := range 6 {
			plant(n + 1)
		}
		require.Equal(t, few, count(7))
		require.LessOrEqual(t, few, int64(30))
	})
}

func TestAgentsAreResolved(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		_, held := a.offer("alpha", nil)
		_, withheld := a.offer("beta", nil)
		a.allow(c.Team, held, grant.Allow)
		a.allow(c.Team, withheld, grant.Allow)
		agentID := a.build("Scribe", map[string]any{"instructions": "hush", "modelId": c.Model.ID, "toolIds": []string{held, withheld}, "temperature": 0.5,
			"starters": []string{"Hello"}, "knowledge": []any{map[string]any{"title": "Wiki", "url": "https://wiki.example"}}})
		id := map[string]any{"id": agentID}
		refused := a.ok(c.Seat, myAgent, id)
		require.Equal(t, []any{false, "not-granted", nil}, []any{refused.at("viewer", "agent", "allowed"), refused.at("viewer", "agent", "rule"), refused.at("viewer", "agent", "resolved")})
		require.NotEmpty(t, refused.at("viewer", "agent", "reason"))

		a.allow(c.Team, agentID, grant.Allow)
		a.allow(c.Member, withheld, grant.Deny)
		a.forget()
		mine := a.ok(c.Seat, myAgent, id)
		resolved, _ := mine.at("viewer", "agent", "resolved").(map[string]any)
		require.NotNil(t, resolved, "%v", mine)
		require.Nil(t, resolved["instructions"], "people have the gateway put them in front of their calls")
		require.Equal(t, []any{map[string]any{"callName": "alpha__search"}}, resolved["tools"])
		require.EqualValues(t, 1, resolved["toolsWithheld"])
		require.EqualValues(t, 1, resolved["version"])
		require.Equal(t, true, mine.at("viewer", "agent", "resolved", "models", 0, "allowed"))
		require.Equal(t, c.Model.Name, mine.at("viewer", "agent", "resolved", "models", 0, "name"))
		require.Equal(t, "https://wiki.example", mine.at("viewer", "agent", "resolved", "knowledge", 0, "url"))

		as := func(change func(v *tenancy.Viewer), permissions ...string) answer {
			v := *c.Seat
			v.Narrowed, v.Permissions = true, permissions
			change(&v)
			return a.do(&v, myAgent, id)
		}
		program := func(v *tenancy.Viewer) { v.ClientID, v.ClientName = a.Program.ID, "runner" }
		told := as(program, "agents.resolve", "profile", "read")
		require.Equal(t, "hush", told.at("viewer", "agent", "resolved", "instructions"), "%v", told)
		for name, out := range map[string]answer{
			"a program without the permission": as(program, "profile", "read"),
			"a personal token":                 as(func(v *tenancy.Viewer) { v.TokenID = "pat_x" }, "agents.resolve", "profile", "read"),
			"a program in the browser":         as(func(v *tenancy.Viewer) { program(v); v.AuthorizationID = "azn_x" }, "agents.resolve", "profile", "read"),
			"another account's seat":           a.do(a.B.Copilot.Seat, myAgent, id),
			"the sibling team's admin":         a.do(c.SiblingTeamAdmin, myAgent, id),
			"the platform":                     a.do(a.SuperAdmin, myAgent, id),
			"nobody":                           a.do(nil, myAgent, id),
		} {
			require.NotContains(t, flat(out), "hush", name)
		}
		require.Equal(t, "FORBIDDEN", as(program, "profile", "read").code(), "it learns which permission it lacks")

		// Whoever answers for an agent reads its instructions here, too.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.Agent.UpdateOneID(agentID).SetOwnerUserID(c.Seat.UserID).Exec(ctx)
		})
		require.Equal(t, "hush", a.ok(c.Seat, myAgent, id).at("viewer", "agent", "resolved", "instructions"))
		require.Empty(t, refusalOf(a.do(c.TeamAdmin, pauseAgent, input("agentId", agentID))))
		require.Equal(t, "disabled", a.ok(c.Seat, myAgent, id).at("viewer", "agent", "rule"))
		require.Nil(t, a.ok(c.Seat, myAgent, map[string]any{"id": c.Model.ID}).at("viewer", "agent"), "a model is no agent")
	})
}

// forget lets this replica read tools anew at once; others do when the epoch
// that they poll has risen.
func (a *api) forget() { a.resolver.Shelves = mcp.NewShelves(a.Store, a.Epochs, a.resolver.Grants) }

func TestAnswersHaveETags(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		ask := func(v *tenancy.Viewer, query string, tag string) *httptest.ResponseRecorder {
			body, err := json.Marshal(map[string]any{"query": query})
			require.NoError(t, err)
			r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(string(body)))
			r.Header.Set("Content-Type", "application/json")
			if tag != "" {
				r.Header.Set("If-None-Match", tag)
			}
			w := httptest.NewRecorder()
			a.handler.ServeHTTP(w, r.WithContext(tenancy.WithViewer(r.Context(), v)))
			return w
		}
		first := ask(c.Seat, atOnce, "")
		tag := first.Header().Get("ETag")
		require.NotEmpty(t, tag)
		require.Equal(t, "private, no-cache", first.Header().Get("Cache-Control"))
		require.Equal(t, "Authorization, Cookie", first.Header().Get("Vary"))
		same := ask(c.Seat, atOnce, `"x", W/`+tag)
		require.Equal(t, http.StatusNotModified, same.Code)
		require.Empty(t, same.Body.String())
		require.Equal(t, tag, same.Header().Get("ETag"))
		require.Equal(t, http.StatusOK, ask(c.SiblingTeamAdmin, atOnce, tag).Code, "another's answer differs")
		require.Equal(t, http.StatusOK, ask(c.Seat, `{ viewer { name } }`, tag).Code)
		a.allow(c.Member, c.Model.ID, grant.Deny)
		changed := ask(c.Seat, atOnce, tag)
		require.Equal(t, http.StatusOK, changed.Code)
		require.NotEqual(t, tag, changed.Header().Get("ETag"))

		for name, query := range map[string]string{
			"a mutation":         `mutation { notificationsReadAll(input: {}) { errors { code } } }`,
			"an error":           `{ viewer { name } platform { accounts(first: 1) { edges { node { id } } } } }`,
			"what isn't GraphQL": `{`,
		} {
			w := ask(c.Seat, query, "")
			require.Empty(t, w.Header().Get("ETag"), "%s: %s", name, w.Body.String())
		}
	})
}

// replica is another process on the same database: caches and epochs of its
// own.
func (a *api) replica() *api {
	a.t.Helper()
	epochs, err := a.Store.WatchEpochs(a.t.Context())
	require.NoError(a.t, err)
	r := *a.resolver
	r.Epochs, r.Grants, r.Features = epochs, grant.New(a.Store, epochs), feature.New(a.Store, epochs)
	r.Shelves = mcp.NewShelves(a.Store, epochs, r.Grants)
	other := *a
	other.resolver, other.handler = &r, New(&r)
	return &other
}

const viewerChanged = `subscription($after: String) { viewerChanged(plane: COPILOT, after: $after) { parts cursor } }`

func TestViewerLearnsOfChanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c, other := a.A.Copilot, a.replica()
		_, toolID := a.offer("alpha", nil)
		a.allow(c.Team, toolID, grant.Allow)
		agentID := a.build("Scribe", map[string]any{"instructions": "x", "modelId": c.Model.ID})
		a.allow(c.Team, agentID, grant.Allow)

		socket := other.socketTo(c.Seat, viewerChanged, nil)
		var cursor any
		told := func(parts ...any) {
			t.Helper()
			got := map[string]bool{}
			for f := next(t, socket); ; f = next(t, socket) { // one change may be heard of in two steps
				require.Equal(t, "next", f.Type)
				for _, part := range f.Payload.at("viewerChanged", "parts").([]any) {
					require.Contains(t, parts, part)
					got[part.(string)] = true
				}
				if cursor = f.Payload.at("viewerChanged", "cursor"); len(got) == len(parts) {
					return
				}
			}
		}
		told()
		a.allow(c.SiblingTeam, c.Model.ID, grant.Deny) // not theirs to hear of
		a.allow(c.Member, c.Model.ID, grant.Deny)
		told("MODELS")
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.Tool.UpdateOneID(toolID).SetState(tool.StateCHANGED).Exec(ctx)
		})
		told("TOOLS")
		require.Empty(t, refusalOf(a.do(c.TeamAdmin, pauseAgent, input("agentId", agentID))))
		told("AGENTS")
		out := a.ok(a.SuperAdmin, setBudget, map[string]any{"i": map[string]any{"scopeId": c.Root.ID, "limit": "4711"}})
		require.Empty(t, out.at("budgetSet", "errors"))
		told("BUDGET") // of a budget that they don't see
		a.ok(c.TeamAdmin, `mutation($i: AgentUpdateInput!) { agentUpdate(input: $i) { errors { code } } }`, input("agentId", agentID, "draft", map[string]any{"instructions": "secret plans"}))
		require.Empty(t, a.ok(c.Admin, `mutation($i: FeatureSetInput!) { featureSet(input: $i) { errors { code } } }`,
			input("scopeId", c.Team.ID, "feature", "CREATE_AGENTS", "switch", "DENY")).at("featureSet", "errors"))
		told("FEATURES")

		// What happens while nobody listens is told to whoever comes back.
		require.NoError(t, socket.Close())
		seen := cursor
		a.allow(c.Member, c.Model.ID, grant.Allow)
		require.Empty(t, refusalOf(a.do(c.TeamAdmin, `mutation($i: AgentStateInput!) { out: agentResume(input: $i) { errors { code message } } }`, input("agentId", agentID))))
		socket = a.socketTo(c.Seat, viewerChanged, map[string]any{"after": seen}) // on the other replica
		told("AGENTS", "MODELS")
		a.write(func(ctx context.Context, tx *store.Tx) error { // a grant that ends by itself
			until := tx.Now().Add(3 * time.Second)
			_, err := grant.Set(ctx, tx, tx.Now(), grant.Input{Scope: c.Member, ResourceID: c.Model.ID, Effect: grant.Deny, Authority: c.Root.Path, ExpiresAt: &until})
			return err
		})
		told("MODELS")
		told("MODELS")
		require.NotEqual(t, "next", next(t, a.socketTo(c.Seat, viewerChanged, map[string]any{"after": "bm9uc2Vuc2U"})).Type)

		// Staff and whoever has no seat hear nothing of what others use.
		require.Equal(t, []any{}, next(t, a.socketTo(a.SuperAdmin, viewerChanged, nil)).Payload.at("viewerChanged", "parts"))
		require.NotEqual(t, "next", next(t, a.socketTo(nil, viewerChanged, nil)).Type)
		require.NoError(t, a.Sessions.SignOut(t.Context(), c.Seat))
		require.NotEqual(t, "next", next(t, socket).Type)
	})
}
