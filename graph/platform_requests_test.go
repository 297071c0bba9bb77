package graph

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/tenancy"
)

const atPlatform = `query($f: RequestFilter) { platform { requests(filter: $f, first: 10) { totalCount edges { node {
	id amount reason unit requesterName scopeName location mine assigneeName grantedScopeName waitsAt atPlatform scope { id } account { id name pool(plane: COPILOT) { limit } }
	resource { id } passed { name note } deciders { id } impact { scopeName limit limitAfter parentName parentLeft available fits raises { scopeName before after } }
	viewerCan { action allowed reason } } } } } }`

func TestRequestsAtThePlatformOverTheAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Copilot
		clearRequests(t, a)
		_, err := a.Store.System().ExecContext(t.Context(), "DELETE FROM request_rules")
		require.NoError(t, err)
		a.ok(a.SuperAdmin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Root.ID, "limit": "100000"}})
		a.ok(a.A.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Org.ID, "limit": "50000"}})
		out := a.ok(a.A.Admin, askFor, map[string]any{"i": map[string]any{"scopeId": p.Root.ID, "amount": "7000", "reason": "a new branch"}})
		require.Empty(t, out.at("requestCreate", "errors"))
		asked := out.at("requestCreate", "request", "id").(string)
		within := a.ok(p.Seat, askFor, map[string]any{"i": map[string]any{"scopeId": p.Member.ID, "amount": "200000", "reason": "Mia is ill"}})
		passed := within.at("requestCreate", "request", "id").(string)
		const passUp = `mutation($i: RequestPassUpInput!) { requestPassUp(input: $i) { request { atPlatform waitsAt account { id } viewerCan { action allowed reason } } errors { code path } } }`
		var last answer
		for range 10 {
			last = a.ok(a.A.Admin, passUp, map[string]any{"i": map[string]any{"requestId": passed, "note": "more than we have"}})
			require.Empty(t, last.at("requestPassUp", "errors"))
			if last.at("requestPassUp", "request", "atPlatform") == true {
				break
			}
		}
		require.Equal(t, true, last.at("requestPassUp", "request", "atPlatform"))
		require.Nil(t, last.at("requestPassUp", "request", "account"), "the account's own people know which it is")
		require.Equal(t, false, last.at("requestPassUp", "request", "viewerCan", 0, "allowed"))

		list := a.ok(a.SuperAdmin, atPlatform, map[string]any{"f": "WAITING_FOR_ME"})
		edges := list.at("platform", "requests", "edges").([]any)
		require.Len(t, edges, 2)
		newest, own := answer{Data: edges[0].(map[string]any)}, answer{Data: edges[1].(map[string]any)}
		require.Equal(t, []any{asked, "7000", "a new branch", a.A.Row.Name, true, "100000", "107000"}, []any{own.at("node", "id"), own.at("node", "amount"),
			own.at("node", "reason"), own.at("node", "requesterName"), own.at("node", "viewerCan", 0, "allowed"), own.at("node", "impact", "limit"), own.at("node", "impact", "limitAfter")})
		require.Equal(t, []any{"more than we have", a.A.Row.Name, "100000"}, []any{newest.at("node", "reason"), newest.at("node", "scopeName"), newest.at("node", "account", "pool", "limit")})
		text, err := json.Marshal(list.Data)
		require.NoError(t, err)
		for _, secret := range []string{"Mia", p.Member.ID, p.Member.Name, p.Team.ID, p.Org.ID, p.Seat.UserID, p.Seat.Name, a.A.Admin.Name, a.A.Admin.UserID} {
			require.NotContains(t, string(text), secret, "nothing of the account's inside")
		}

		for name, v := range map[string]*tenancy.Viewer{"account admin": a.A.Admin, "another account's": a.B.Admin, "seat": p.Seat, "nobody": a.A.Nobody} {
			got := a.do(v, atPlatform, map[string]any{"f": "OPEN"})
			require.Equal(t, "FORBIDDEN", got.code(), name)
		}
		for _, id := range []string{asked, passed} {
			require.Equal(t, a.do(a.B.Admin, approve, map[string]any{"i": map[string]any{"requestId": "ask_00000000000000000000000000"}}).at("requestApprove", "errors", 0, "code"),
				a.do(a.B.Admin, approve, map[string]any{"i": map[string]any{"requestId": id}}).at("requestApprove", "errors", 0, "code"), "as if there were none")
		}

		done := a.ok(a.SuperAdmin, approve, map[string]any{"i": map[string]any{"requestId": passed, "amount": "60000"}})
		require.Empty(t, done.at("requestApprove", "errors"))
		raises := done.at("requestApprove", "raises").([]any)
		require.LessOrEqual(t, len(raises), 1, "of the pool alone")
		again := a.ok(a.SuperAdmin, approve, map[string]any{"i": map[string]any{"requestId": passed}})
		require.Equal(t, "CONFLICT", again.at("requestApprove", "errors", 0, "code"))
		require.Len(t, a.ok(a.SuperAdmin, atPlatform, map[string]any{"f": "CLOSED"}).at("platform", "requests", "edges"), 1)
		require.Len(t, a.ok(a.SuperAdmin, atPlatform, map[string]any{"f": "WAITING_FOR_ME"}).at("platform", "requests", "edges"), 1)

		// What waits inside the account doesn't exist for the platform.
		inside := a.ok(p.Seat, askFor, map[string]any{"i": map[string]any{"scopeId": p.Member.ID, "amount": "1", "reason": "a bit"}}).at("requestCreate", "request", "id")
		require.Equal(t, "NOT_FOUND", a.ok(a.SuperAdmin, approve, map[string]any{"i": map[string]any{"requestId": inside}}).at("requestApprove", "errors", 0, "code"))
	})
}
