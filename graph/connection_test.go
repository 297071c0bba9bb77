package graph

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	connect = `mutation($i: ConnectionCreateInput!) { connectionCreate(input: $i) { connection { id name version url signedIn { ready } toolCounts { pending approved } tools(first: 9) { edges { node { id name digest state } } }
		viewerCan { action allowed } } errors { message code path } } }`
	reconnect    = `mutation($i: ConnectionUpdateInput!) { connectionUpdate(input: $i) { connection { name description version status } errors { message code path } } }`
	disconnect   = `mutation($i: ConnectionDeleteInput!) { connectionDelete(input: $i) { connectionId errors { message code path } } }`
	rediscover   = `mutation($i: ConnectionDiscoverInput!) { connectionDiscover(input: $i) { connection { toolCounts { pending approved changed } } errors { message code path } } }`
	approveTools = `mutation($i: ToolApproveInput!) { toolApprove(input: $i) { tools { id state callName } errors { message code path } } }`
	setSecret    = `mutation($i: ConnectionSecretSetInput!) { connectionSecretSet(input: $i) { signedIn { ready hint } errors { message code path } } }`
	setFeature   = `mutation($i: FeatureSetInput!) { featureSet(input: $i) { setting { on } errors { message code path } } }`
	approvals    = `query { copilot { requests(filter: WAITING_FOR_ME, kind: TOOL_APPROVAL, first: 10) { edges { node { id version requesterName
		resource { name kind } toolImpact { host people agents tools { name new changes writes digest price } } } } } } }`
	explained = `query($i: ExplainInput!) { explain(input: $i) { allowed rule reason } }`
)

// source is an MCP server with tools that a test changes.
type source struct {
	*sdk.Server
	url string
}

func (a *api) source() *source {
	a.t.Helper()
	s := &source{Server: sdk.NewServer(&sdk.Implementation{Name: "tickets", Version: "1"}, nil)}
	s.offer("search", "Finds tickets.")
	s.offer("close", "Closes a ticket.")
	web := httptest.NewServer(sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return s.Server }, nil))
	a.t.Cleanup(web.Close)
	s.url = web.URL
	networks := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	box, err := secret.NewBox(masterKey)
	require.NoError(a.t, err)
	log, client := slog.New(slog.DiscardHandler), outbound.NewClient(networks)
	a.resolver.Connections = connections.New(connections.Options{Store: a.Store, Client: client, Grants: a.resolver.Grants, Requests: a.resolver.Requests, Log: log,
		Credentials: credential.New(credential.Options{Store: a.Store, Box: box, Client: client, Networks: networks, URL: "https://cockpit.test", Log: log})})
	a.t.Cleanup(a.resolver.Connections.Close)
	a.resolver.Requests.Carry = request.Carriers{entrequest.KindTOOL_APPROVAL: a.resolver.Connections.Carry}
	return s
}

func (s *source) offer(name, description string) {
	s.AddTool(&sdk.Tool{Name: name, Description: description, InputSchema: json.RawMessage(`{"type":"object"}`)},
		func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return &sdk.CallToolResult{}, nil
		})
}

// whyNot is why a mutation did nothing, wherever that is told; empty when it worked.
func whyNot(out answer, field string) string {
	if code := out.code(); code != "" {
		return code
	}
	code, _ := out.at(field, "errors", 0, "code").(string)
	return code
}

func variablesOf(pairs ...any) map[string]any {
	in := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i].(string)] = pairs[i+1]
	}
	return map[string]any{"i": in}
}

func TestConnectionsOverTheAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p, s := a.A.Copilot, a.source()
		want, got := map[string]string{}, map[string]string{}
		for name, c := range map[string]struct {
			v    *tenancy.Viewer
			at   *ent.Scope
			code string
		}{
			"a plain member":        {p.Seat, p.Team, "NOT_FOUND"},
			"the other plane's":     {a.A.Console.Admin, p.Root, "NOT_FOUND"},
			"another account's":     {a.B.Admin, p.Root, "NOT_FOUND"},
			"nobody":                {nil, p.Root, "UNAUTHENTICATED"},
			"in Console":            {a.A.Admin, a.A.Console.Root, "NOT_FOUND"},
			"an admin below":        {p.TeamAdmin, p.Org, "NOT_FOUND"},
			"a seat, not on":        {p.Seat, p.Member, "FEATURE_OFF"},
			"a team admin, not on":  {p.TeamAdmin, p.Team, "FEATURE_OFF"},
			"an org admin, not on":  {p.OrgAdmin, p.Team, "FEATURE_OFF"},
			"somebody else's seat":  {p.SiblingTeamAdmin, p.Member, "NOT_FOUND"},
			"the platform's people": {a.SuperAdmin, p.Root, "NOT_FOUND"},
		} {
			out := a.do(c.v, connect, variablesOf("scopeId", c.at.ID, "kind", "MCP_HTTP", "name", "tickets", "url", s.url))
			want[name], got[name] = c.code, whyNot(out, "connectionCreate")
		}
		require.Equal(t, want, got)
		out := a.ok(p.Admin, connect, variablesOf("scopeId", p.Root.ID, "kind", "MCP_HTTP", "name", "tickets", "url", s.url))
		require.Empty(t, out.at("connectionCreate", "errors"))
		made := answer{Data: out.at("connectionCreate", "connection").(map[string]any)}
		require.EqualValues(t, 2, made.at("toolCounts", "pending"))
		connectionID := made.at("id").(string)
		first := made.at("tools", "edges", 1, "node").(map[string]any)
		require.Equal(t, "search", first["name"])

		seen := []any{map[string]any{"toolId": first["id"], "digest": first["digest"]}}
		strangers := map[string]*tenancy.Viewer{"member": p.Seat, "org admin": p.OrgAdmin, "other plane": a.A.Console.Admin, "other account": a.B.Admin}
		for name, v := range strangers {
			require.Equal(t, "NOT_FOUND", whyNot(a.do(v, approveTools, variablesOf("tools", seen)), "toolApprove"), name)
			require.Equal(t, "NOT_FOUND", whyNot(a.do(v, reconnect, variablesOf("connectionId", connectionID, "name", "x")), "connectionUpdate"), name)
			require.Equal(t, "NOT_FOUND", whyNot(a.do(v, disconnect, variablesOf("connectionId", connectionID)), "connectionDelete"), name)
			require.Equal(t, "NOT_FOUND", whyNot(a.do(v, rediscover, variablesOf("connectionId", connectionID, "approve", true)), "connectionDiscover"), name)
			require.Equal(t, "NOT_FOUND", whyNot(a.do(v, setSecret, variablesOf("connectionId", connectionID, "value", "x")), "connectionSecretSet"), name)
		}
		moved := []any{map[string]any{"toolId": first["id"], "digest": "another"}}
		require.Equal(t, "CONFLICT", whyNot(a.do(p.Admin, approveTools, variablesOf("tools", moved)), "toolApprove"))
		done := a.ok(p.Admin, approveTools, variablesOf("tools", seen))
		require.Equal(t, "tickets__search", done.at("toolApprove", "tools", 0, "callName"))
		require.Equal(t, "APPROVED", done.at("toolApprove", "tools", 0, "state"))

		version := a.Store.Connection.GetX(identitytest.System(t), connectionID).Version
		out = a.ok(p.Admin, reconnect, variablesOf("connectionId", connectionID, "description", "Of the support.", "status", "DISABLED", "expectedVersion", version))
		require.Equal(t, "DISABLED", out.at("connectionUpdate", "connection", "status"))
		require.Equal(t, "CONFLICT", whyNot(a.do(p.Admin, reconnect, variablesOf("connectionId", connectionID, "name", "late", "expectedVersion", version)), "connectionUpdate"))
		require.Equal(t, "INVALID", whyNot(a.do(p.Admin, rediscover, variablesOf("connectionId", connectionID)), "connectionDiscover"))

		out = a.ok(p.Admin, disconnect, variablesOf("connectionId", connectionID))
		require.Equal(t, connectionID, out.at("connectionDelete", "connectionId"))
		require.Zero(t, a.Store.Tool.Query().Where(tool.ConnectionID(connectionID)).CountX(identitytest.System(t)))
		require.Equal(t, "NOT_FOUND", whyNot(a.do(p.Admin, disconnect, variablesOf("connectionId", connectionID)), "connectionDelete"))
		for _, action := range []string{"connection.create", "tool.approve", "connection.update", "connection.delete"} {
			require.Equal(t, 1, a.Store.AuditEvent.Query().Where(auditevent.Action(action), auditevent.ActorID(p.Admin.UserID)).CountX(identitytest.System(t)), action)
		}
	})
}

// Where its kind is on, a seat connects what is its own: it manages it, and it
// alone uses it.
func TestSeatsConnectTheirOwn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p, s := a.A.Copilot, a.source()
		flip := func(v *tenancy.Viewer, at *ent.Scope, feature, to string) {
			t.Helper()
			require.Empty(t, a.ok(v, setFeature, variablesOf("scopeId", at.ID, "feature", feature, "switch", to)).at("featureSet", "errors"))
		}
		why := func(v *tenancy.Viewer, action string) answer {
			return answer{Data: a.ok(v, explained, variablesOf("scopeId", p.Member.ID, "action", action)).at("explain").(map[string]any)}
		}
		create := func(v *tenancy.Viewer, at *ent.Scope, name, kind string) answer {
			return a.do(v, connect, variablesOf("scopeId", at.ID, "kind", kind, "name", name, "url", s.url, "approve", true))
		}
		off := why(p.Seat, "connection.createMcp")
		require.Equal(t, []any{false, "feature"}, []any{off.at("allowed"), off.at("rule")})
		require.Contains(t, off.at("reason"), "Connecting MCP servers is off here: nobody has switched it on. An admin of this place or of one above can do that")
		flip(p.OrgAdmin, p.Team, "CREATE_MCP_CONNECTIONS", "ON")
		require.Equal(t, true, why(p.Seat, "connection.createMcp").at("allowed"))
		require.Equal(t, true, why(p.Seat, "connection.create").at("allowed"), "of some kind")
		require.Equal(t, false, why(p.Seat, "connection.createApi").at("allowed"))
		require.Equal(t, false, why(p.Seat, "connection.createProgram").at("allowed"))
		require.Equal(t, "FEATURE_OFF", whyNot(create(p.Seat, p.Member, "mine", "OPENAPI"), "connectionCreate"))
		require.Equal(t, "FEATURE_OFF", whyNot(create(p.Seat, p.Member, "mine", "COMPOSIO"), "connectionCreate"))
		require.Equal(t, "FORBIDDEN", whyNot(create(p.Seat, p.Member, "mine", "MCP_STDIO"), "connectionCreate"))
		require.Equal(t, "NOT_FOUND", whyNot(create(p.Seat, p.Team, "mine", "MCP_HTTP"), "connectionCreate"))

		out := create(p.Seat, p.Member, "mine", "MCP_HTTP")
		require.Empty(t, whyNot(out, "connectionCreate"), "%+v", out)
		connectionID := out.at("connectionCreate", "connection", "id").(string)
		require.EqualValues(t, 2, out.at("connectionCreate", "connection", "toolCounts", "approved"))
		a.resolver.Grants.Changed(a.A.Row.ID, tenancy.Copilot)
		may := func(at *ent.Scope) bool {
			table, err := a.resolver.Grants.Table(t.Context(), a.A.Row.ID, tenancy.Copilot)
			require.NoError(t, err)
			toolID := a.Store.Tool.Query().Where(tool.ConnectionID(connectionID)).FirstIDX(identitytest.System(t))
			return table.Ask(toolID, at.Path, a.Store.Now()).Allowed()
		}
		require.True(t, may(p.Member), "without a grant")
		require.False(t, may(p.Team))
		require.False(t, may(p.SiblingTeam))
		const deny = `mutation($i: GrantSetInput!) { grantSet(input: $i) { errors { code message } } }`
		require.Empty(t, whyNot(a.do(p.OrgAdmin, deny, variablesOf("scopeId", p.Team.ID, "resourceId", connectionID, "effect", "DENY")), "grantSet"))
		a.resolver.Grants.Changed(a.A.Row.ID, tenancy.Copilot)
		require.False(t, may(p.Member), "a DENY above wins")

		// It is its owner's and the admins' above, whatever is switched off later.
		require.Equal(t, "NOT_FOUND", whyNot(a.do(p.SiblingTeamAdmin, reconnect, variablesOf("connectionId", connectionID, "name", "x")), "connectionUpdate"))
		flip(p.Admin, p.Org, "CREATE_MCP_CONNECTIONS", "DENY")
		denied := create(p.Seat, p.Member, "again", "MCP_HTTP")
		require.Equal(t, "FEATURE_OFF", whyNot(denied, "connectionCreate"))
		require.Equal(t, "FEATURE_OFF", whyNot(create(p.OrgAdmin, p.Org, "again", "MCP_HTTP"), "connectionCreate"))
		require.Empty(t, whyNot(create(p.Admin, p.Org, "again", "MCP_HTTP"), "connectionCreate"), "admins of Copilot aren't bound")
		require.Empty(t, whyNot(a.do(p.Seat, reconnect, variablesOf("connectionId", connectionID, "name", "renamed")), "connectionUpdate"))
		require.Empty(t, whyNot(a.do(p.TeamAdmin, reconnect, variablesOf("connectionId", connectionID, "status", "DISABLED")), "connectionUpdate"))
		require.Empty(t, whyNot(a.do(p.Seat, disconnect, variablesOf("connectionId", connectionID)), "connectionDelete"))
	})
}

// What changed waits in the inbox of who may approve it, told with what it
// means.
func TestToolApprovalOverTheAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p, s := a.A.Copilot, a.source()
		clearRequests(t, a)
		out := a.ok(p.Admin, connect, variablesOf("scopeId", p.Root.ID, "kind", "MCP_HTTP", "name", "tickets", "url", s.url, "approve", true))
		connectionID := out.at("connectionCreate", "connection", "id").(string)
		const allow = `mutation($i: GrantSetInput!) { grantSet(input: $i) { errors { code message } } }`
		require.Empty(t, whyNot(a.do(p.Admin, allow, variablesOf("scopeId", p.Team.ID, "resourceId", connectionID, "effect", "ALLOW")), "grantSet"))
		s.offer("search", "Finds tickets, and more.")
		s.offer("export", "Exports.")
		changed := a.ok(p.Admin, rediscover, variablesOf("connectionId", connectionID))
		require.EqualValues(t, 1, changed.at("connectionDiscover", "connection", "toolCounts", "changed"))
		a.resolver.Grants.Changed(a.A.Row.ID, tenancy.Copilot)

		waits := func(v *tenancy.Viewer) []any {
			edges, _ := a.ok(v, approvals, nil).at("copilot", "requests", "edges").([]any)
			return edges
		}
		require.Empty(t, waits(p.OrgAdmin))
		require.Empty(t, waits(a.B.Copilot.Admin))
		edges := waits(p.Admin)
		require.Len(t, edges, 1)
		node := answer{Data: edges[0].(map[string]any)["node"].(map[string]any)}
		require.Equal(t, []any{"Cockpit", "tickets", "CONNECTION", "127.0.0.1"}, []any{node.at("requesterName"), node.at("resource", "name"), node.at("resource", "kind"), node.at("toolImpact", "host")})
		require.EqualValues(t, 1, node.at("toolImpact", "people"), "the seats of the team")
		require.Equal(t, []any{"export", true, []any{}, true}, []any{node.at("toolImpact", "tools", 0, "name"), node.at("toolImpact", "tools", 0, "new"), node.at("toolImpact", "tools", 0, "changes"), node.at("toolImpact", "tools", 0, "writes")})
		require.Equal(t, []any{"search", false, []any{"description"}}, []any{node.at("toolImpact", "tools", 1, "name"), node.at("toolImpact", "tools", 1, "new"), node.at("toolImpact", "tools", 1, "changes")})

		require.Equal(t, "INVALID", whyNot(a.do(p.Admin, approve, variablesOf("requestId", node.at("id"))), "requestApprove"))
		require.Empty(t, whyNot(a.do(p.Admin, approve, variablesOf("requestId", node.at("id"), "expectedVersion", node.at("version"))), "requestApprove"))
		require.Empty(t, waits(p.Admin))
		require.Equal(t, 3, a.Store.Tool.Query().Where(tool.ConnectionID(connectionID), tool.StateEQ(tool.StateAPPROVED)).CountX(identitytest.System(t)))
	})
}
