package graph

import (
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/demo/office"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	connectionParts  = ` { connection { id name version health { error } toolCounts { pending approved changed missing } viewerCan { action allowed } tools(first: 50) { edges { node { id name state enabled digest proposed price version } } } } errors { code message path } } }`
	createConnection = `mutation($i: ConnectionCreateInput!) { out: connectionCreate(input: $i)` + connectionParts
	updateConnection = `mutation($i: ConnectionUpdateInput!) { out: connectionUpdate(input: $i)` + connectionParts
	discoverTools    = `mutation($i: ConnectionDiscoverInput!) { out: connectionDiscover(input: $i)` + connectionParts
	disconnectAll    = `mutation($i: ConnectionDisconnectAllInput!) { out: connectionDisconnectAll(input: $i)` + connectionParts
	deleteConnection = `mutation($i: ConnectionDeleteInput!) { out: connectionDelete(input: $i) { connectionId errors { code message } } }`
	approveTools     = `mutation($i: ToolApproveInput!) { out: toolApprove(input: $i) { tools { id state digest } errors { code message path } } }`
	rejectTool       = `mutation($i: ToolRejectInput!) { out: toolReject(input: $i) { tool { id enabled } errors { code message } } }`
	updateTool       = `mutation($i: ToolUpdateInput!) { out: toolUpdate(input: $i) { tool { id price enabled version } errors { code message path } } }`
	setSecret        = `mutation($i: ConnectionSecretSetInput!) { out: connectionSecretSet(input: $i) { signedIn { ready hint } errors { code message path } } }`
	usableOnes       = `{ copilot { usableConnections { id name tools signedIn { ready hint } } } }`
	allow            = `mutation($i: GrantSetInput!) { out: grantSet(input: $i) { grant { id } errors { code message } } }`
)

// connects gives the API its connections, and the address of an office that
// has tools.
func (a *api) connects(t *testing.T) string {
	t.Helper()
	house := httptest.NewServer(office.Handler())
	t.Cleanup(house.Close)
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	client, log := outbound.NewClient(loopback), slog.New(slog.DiscardHandler)
	a.resolver.Connections = connections.New(connections.Options{Store: a.Store, Client: client, Grants: a.resolver.Grants, Log: log,
		Credentials: credential.New(credential.Options{Store: a.Store, Box: a.resolver.Box, Client: client, Networks: loopback, URL: "https://cockpit.test", Log: log})})
	t.Cleanup(a.resolver.Connections.Close)
	return house.URL
}

// toolsOf are a connection's tools by their names.
func toolsOf(a answer) map[string]map[string]any {
	out := map[string]map[string]any{}
	edges, _ := a.at("out", "connection", "tools", "edges").([]any)
	for _, e := range edges {
		node, _ := e.(map[string]any)["node"].(map[string]any)
		out[node["name"].(string)] = node
	}
	return out
}

func TestConnectionsAreMadeApprovedAndDeleted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		house, c := a.connects(t), a.A.Copilot
		out := a.ok(c.TeamAdmin, createConnection, input("scopeId", c.Team.ID, "kind", "MCP_HTTP", "name", "handbook", "url", house+office.HandbookBefore))
		require.Empty(t, refusalOf(out), "%v", out)
		connectionID, _ := out.at("out", "connection", "id").(string)
		require.Nil(t, out.at("out", "connection", "health", "error"))
		require.EqualValues(t, 4, out.at("out", "connection", "toolCounts", "pending"))
		require.Equal(t, "EXISTS", refusalOf(a.do(c.Admin, createConnection, input("scopeId", c.Root.ID, "kind", "MCP_HTTP", "name", "handbook", "url", house+office.Handbook))))

		// What nobody approved, nobody has, whatever is granted.
		require.Empty(t, refusalOf(a.ok(c.TeamAdmin, allow, input("scopeId", c.Team.ID, "resourceId", connectionID, "effect", "ALLOW"))))
		require.NotContains(t, a.ok(c.Seat, usableOnes, nil).Data["copilot"], connectionID)
		search := toolsOf(out)["search_pages"]
		seen := func(digest any) map[string]any {
			return input("tools", []any{map[string]any{"toolId": search["id"], "digest": digest}})
		}
		require.Equal(t, "CONFLICT", refusalOf(a.do(c.TeamAdmin, approveTools, seen("another"))))
		approved := a.ok(c.TeamAdmin, approveTools, seen(search["digest"]))
		require.Equal(t, "APPROVED", approved.at("out", "tools", 0, "state"))
		mine := a.ok(c.Seat, usableOnes, nil).at("copilot", "usableConnections", 0)
		require.Equal(t, []any{"handbook__search_pages"}, mine.(map[string]any)["tools"])

		// A price, and a look that is too old.
		priced := a.ok(c.TeamAdmin, updateTool, input("toolId", search["id"], "price", "0.002"))
		require.Equal(t, "0.002", priced.at("out", "tool", "price"))
		require.Equal(t, "CONFLICT", refusalOf(a.do(c.TeamAdmin, updateTool, input("toolId", search["id"], "enabled", false, "expectedVersion", search["version"]))))
		require.Equal(t, "INVALID", refusalOf(a.do(c.TeamAdmin, updateTool, input("toolId", search["id"], "price", "-1"))))

		// Its server offers something else: it is held back, and approved anew.
		require.Empty(t, refusalOf(a.ok(c.TeamAdmin, updateConnection, input("connectionId", connectionID, "url", house+office.Handbook))))
		out = a.ok(c.TeamAdmin, discoverTools, input("connectionId", connectionID, "approve", true))
		require.Empty(t, refusalOf(out), "%v", out)
		changed := toolsOf(out)["search_pages"]
		require.Equal(t, "CHANGED", changed["state"])
		require.NotNil(t, changed["proposed"])
		require.Equal(t, "APPROVED", toolsOf(out)["who_answers"]["state"], "what is new was taken along")
		mine = a.ok(c.Seat, usableOnes, nil).at("copilot", "usableConnections", 0)
		require.NotContains(t, mine.(map[string]any)["tools"], "handbook__search_pages")
		require.Equal(t, "CONFLICT", refusalOf(a.do(c.TeamAdmin, approveTools, seen(search["digest"]))), "that isn't what is offered now")
		require.Empty(t, refusalOf(a.ok(c.TeamAdmin, approveTools, seen(changed["digest"]))))
		mine = a.ok(c.Seat, usableOnes, nil).at("copilot", "usableConnections", 0)
		require.Contains(t, mine.(map[string]any)["tools"], "handbook__search_pages")
		require.Equal(t, false, a.ok(c.TeamAdmin, rejectTool, input("toolId", search["id"])).at("out", "tool", "enabled"))

		require.Equal(t, connectionID, a.ok(c.TeamAdmin, deleteConnection, input("connectionId", connectionID)).at("out", "connectionId"))
		require.Equal(t, "NOT_FOUND", refusalOf(a.do(c.TeamAdmin, deleteConnection, input("connectionId", connectionID))))
		ctx := identitytest.System(t)
		require.Zero(t, a.Store.Tool.Query().Where(tool.ConnectionID(connectionID)).CountX(ctx))
		actions := map[string]bool{}
		for _, e := range a.Store.AuditEvent.Query().Where(auditevent.TargetIDIn(connectionID, search["id"].(string))).AllX(ctx) {
			actions[e.Action] = true
		}
		for _, action := range []string{"connection.create", "connection.discover", "connection.update", "tool.approve", "tool.update", "tool.reject", "connection.delete"} {
			require.True(t, actions[action], action)
		}
	})
}

// Whoever manages something else neither sees a connection nor touches it. A
// person who may use it gives a key of their own, and no more.
func TestConnectionsAreClosedToOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		house, c := a.connects(t), a.A.Copilot
		others := map[string]*tenancy.Viewer{"a plain member": c.Seat, "Console's admin": a.A.Console.Admin, "another team's admin": c.SiblingTeamAdmin, "another account's admin": a.B.Admin}
		for who, v := range others {
			code := refusalOf(a.do(v, createConnection, input("scopeId", c.Team.ID, "kind", "MCP_HTTP", "name", "x", "url", house+office.Handbook)))
			require.Contains(t, []string{"FORBIDDEN", "NOT_FOUND"}, code, who)
		}
		out := a.ok(c.TeamAdmin, createConnection, input("scopeId", c.Team.ID, "kind", "MCP_HTTP", "name", "travel", "url", house+office.Travel,
			"auth", "HEADER", "authName", office.TravelKeyHeader, "credential", "PERSONAL"))
		require.Empty(t, refusalOf(out), "%v", out)
		connectionID, _ := out.at("out", "connection", "id").(string)
		require.Empty(t, toolsOf(out), "nobody has a key yet")
		require.Equal(t, "CONNECTION_NEEDS_SIGN_IN", refusalOf(a.do(c.TeamAdmin, discoverTools, input("connectionId", connectionID))))
		require.Equal(t, true, a.ok(c.TeamAdmin, setSecret, input("connectionId", connectionID, "value", "trip-admin")).at("out", "signedIn", "ready"))
		out = a.ok(c.TeamAdmin, discoverTools, input("connectionId", connectionID, "approve", true))
		trains := toolsOf(out)["find_trains"]
		require.Equal(t, "APPROVED", trains["state"])

		for who, v := range others {
			for name, q := range map[string]answer{
				"update":     a.do(v, updateConnection, input("connectionId", connectionID, "description", "mine")),
				"look":       a.do(v, discoverTools, input("connectionId", connectionID)),
				"disconnect": a.do(v, disconnectAll, input("connectionId", connectionID)),
				"delete":     a.do(v, deleteConnection, input("connectionId", connectionID)),
				"approve":    a.do(v, approveTools, input("tools", []any{map[string]any{"toolId": trains["id"], "digest": trains["digest"]}})),
				"reject":     a.do(v, rejectTool, input("toolId", trains["id"])),
				"price":      a.do(v, updateTool, input("toolId", trains["id"], "price", "0")),
				"secret":     a.do(v, setSecret, input("connectionId", connectionID, "value", "trip-theirs")),
			} {
				require.Equal(t, "NOT_FOUND", refusalOf(q), "%s: %s", who, name)
			}
		}
		require.Empty(t, refusalOf(a.ok(c.TeamAdmin, allow, input("scopeId", c.Member.ID, "resourceId", trains["id"], "effect", "ALLOW"))))
		require.Equal(t, "NOT_FOUND", refusalOf(a.do(c.Seat, updateTool, input("toolId", trains["id"], "enabled", false))))
		mine := a.ok(c.Seat, setSecret, input("connectionId", connectionID, "value", "trip-seat-of-mine"))
		require.Equal(t, "mine", mine.at("out", "signedIn", "hint"))
		require.Equal(t, true, a.ok(c.Seat, usableOnes, nil).at("copilot", "usableConnections", 0, "signedIn", "ready"))
	})
}
