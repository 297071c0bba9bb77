package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// dial opens a WebSocket as a viewer.
func (a *api) dial(v *tenancy.Viewer) *websocket.Conn {
	a.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if v != nil {
			ctx = tenancy.WithViewer(ctx, v)
		}
		a.handler.ServeHTTP(w, r.WithContext(ctx))
	}))
	a.t.Cleanup(server.Close)
	c, _, err := (&websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}).Dial(strings.Replace(server.URL, "http", "ws", 1), nil)
	require.NoError(a.t, err)
	a.t.Cleanup(func() { _ = c.Close() })
	require.NoError(a.t, c.SetReadDeadline(time.Now().Add(30*time.Second)))
	return c
}

// socketTo opens a WebSocket as a viewer and subscribes.
func (a *api) socketTo(v *tenancy.Viewer, query string, variables map[string]any) *websocket.Conn {
	a.t.Helper()
	c := a.dial(v)
	require.NoError(a.t, c.WriteJSON(map[string]any{"type": "connection_init"}))
	require.NoError(a.t, c.WriteJSON(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": query, "variables": variables}}))
	return c
}

type frame struct {
	Type    string
	Payload answer
}

// next reads the next payload, or the error that ends the subscription.
func next(t *testing.T, c *websocket.Conn) frame {
	t.Helper()
	for {
		var raw struct {
			Type    string
			Payload any
		}
		if err := c.ReadJSON(&raw); err != nil {
			return frame{Type: "closed"}
		}
		switch raw.Type {
		case "connection_ack", "ping", "pong":
			continue
		case "next":
			m, _ := raw.Payload.(map[string]any)
			data, _ := m["data"].(map[string]any)
			f := frame{Type: "next", Payload: answer{Data: data}}
			if m["errors"] != nil {
				f.Type = fmt.Sprint("error: ", m["errors"])
			}
			return f
		}
		return frame{Type: raw.Type}
	}
}

func (a *api) spend(p budget.Call) {
	a.t.Helper()
	h, err := a.budgets.Hold(a.t.Context(), p, budget.Usage{Input: 1})
	require.NoError(a.t, err)
	_, err = h.Settle(a.t.Context(), budget.Usage{Input: 1}, budget.Outcome{})
	require.NoError(a.t, err)
}

func TestBudgetBurnIsLive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		const q = `subscription($s: ID!) { budgetBurn(scopeId: $s, descendants: true) { scopeId states { scopeId spent held remaining } topSpenders { id amount } } }`
		spent := func(f frame, scopeID string) any {
			states, _ := f.Payload.at("budgetBurn", "states").([]any)
			for _, s := range states {
				if m := s.(map[string]any); m["scopeId"] == scopeID {
					return m["spent"]
				}
			}
			return nil
		}
		c := a.socketTo(p.TeamAdmin, q, map[string]any{"s": p.Team.ID})
		first := next(t, c)
		require.Equal(t, "next", first.Type)
		before := spent(first, p.Team.ID)
		require.NotNil(t, before)
		require.Nil(t, spent(first, p.Org.ID), "a scope above the watched one is not told")

		a.spend(budget.Call{AccountID: a.A.Row.ID, Plane: tenancy.Console, Path: p.Member.Path, OrganizationID: p.Org.ID, TeamID: p.Team.ID,
			MemberID: p.Member.ID, ModelID: p.Model.ID, ModelName: p.Model.Name, Ceiling: 5, RequestID: "req_live"})
		for {
			f := next(t, c)
			require.Equal(t, "next", f.Type)
			if s := spent(f, p.Team.ID); s != nil && s != before {
				require.Equal(t, p.Member.ID, f.Payload.at("budgetBurn", "topSpenders", 0, "id"))
				break
			}
		}

		for name, v := range map[string]*tenancy.Viewer{
			"sibling": p.SiblingTeamAdmin, "other plane": a.A.Copilot.Admin, "other account": a.B.Admin, "staff": a.SuperAdmin,
		} {
			f := next(t, a.socketTo(v, q, map[string]any{"s": p.Team.ID}))
			require.NotEqual(t, "next", f.Type, name)
		}
		require.NotEqual(t, "next", next(t, a.socketTo(nil, q, map[string]any{"s": p.Team.ID})).Type)
	})
}

func TestAuditEventsAreLiveAndInOrder(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		_, err := a.sealer.Seal(ctx)
		require.NoError(t, err)
		const q = `subscription($s: ID!) { auditEvents(scopeId: $s, filter: {action: "budget"}) { seq action actorName targetId changes { field before after } } }`
		c := a.socketTo(p.OrgAdmin, q, map[string]any{"s": p.Org.ID})
		require.Eventually(t, func() bool { return a.stream.Watchers(a.A.Row.ID) > 0 }, 10*time.Second, 10*time.Millisecond)
		a.ok(p.OrgAdmin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Team.ID, "limit": "7"}})
		a.ok(p.Admin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.SiblingOrg.ID, "limit": "8"}})
		a.ok(p.OrgAdmin, setBudget, map[string]any{"i": map[string]any{"scopeId": p.Team.ID, "limit": "9"}})
		_, err = a.sealer.Seal(ctx)
		require.NoError(t, err)
		var last float64
		for _, limit := range []string{`"7"`, `"9"`} { // the sibling's is not for this admin
			f := next(t, c)
			require.Equal(t, "next", f.Type)
			require.Equal(t, "budget.set", f.Payload.at("auditEvents", "action"))
			require.Equal(t, limit, changed(f, "limit"))
			seq := f.Payload.at("auditEvents", "seq").(float64)
			require.Greater(t, seq, last)
			last = seq
		}
		require.NotEqual(t, "next", next(t, a.socketTo(p.Seat, q, map[string]any{"s": p.Member.ID})).Type, "members don't read the log")
	})
}

func changed(f frame, field string) any {
	changes, _ := f.Payload.at("auditEvents", "changes").([]any)
	for _, c := range changes {
		if m := c.(map[string]any); m["field"] == field {
			return m["after"]
		}
	}
	return nil
}

// A session that ends takes its open sockets along, also idle ones.
func TestSocketEndsWithItsSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		c := a.socketTo(p.OrgAdmin, `subscription($s: ID!) { auditEvents(scopeId: $s) { seq } }`, map[string]any{"s": p.Org.ID})
		require.Eventually(t, func() bool { return a.stream.Watchers(a.A.Row.ID) > 0 }, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, a.Sessions.SignOut(t.Context(), p.OrgAdmin))
		require.NotEqual(t, "next", next(t, c).Type)
	})
}

func TestKeyTellsWhenItWasUsedLast(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		const q = `query($id: ID!) { node(id: $id) { ... on Key { lastUsedAt } } }`
		before := a.ok(a.A.Admin, q, map[string]any{"id": p.KeyScope.ID}).at("node", "lastUsedAt")
		a.spend(budget.Call{AccountID: a.A.Row.ID, Plane: tenancy.Console, Path: p.KeyScope.Path, OrganizationID: p.Org.ID, TeamID: p.Team.ID,
			MemberID: p.Member.ID, KeyID: p.KeyScope.ID, ModelID: p.Model.ID, ModelName: p.Model.Name, Ceiling: 1, RequestID: "req_used"})
		after, _ := a.ok(a.A.Admin, q, map[string]any{"id": p.KeyScope.ID}).at("node", "lastUsedAt").(string)
		require.NotEqual(t, before, after)
		at, err := time.Parse(time.RFC3339, after)
		require.NoError(t, err)
		require.WithinDuration(t, a.Store.Now(), at, time.Minute)
	})
}

// On a socket that stays open, each operation runs for whom roles stand now.
func TestOpenSocketsFollowRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		v := a.A.Console.OrgAdmin
		c := a.socketTo(v, `{ console { id } }`, nil)
		require.Equal(t, a.A.Console.Root.ID, next(t, c).Payload.at("console", "id"))
		require.NoError(t, a.Store.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			_, err := tx.RoleBinding.Delete().Where(rolebinding.UserID(v.UserID)).Exec(ctx)
			return err
		}))
		want := a.Store.Account.GetX(identitytest.System(t), v.AccountID).Epoch
		require.Eventually(t, func() bool { return a.Epochs.Of(v.AccountID) >= want }, 20*time.Second, 5*time.Millisecond)
		for id, query := range map[string]string{"2": `{ console { id } }`, "3": `mutation { organizationUpdate(input: {organizationId: "` + a.A.Console.Org.ID + `", name: "Mine"}) { errors { code } } }`} {
			require.NoError(t, c.WriteJSON(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": query}}))
			for { // past the end of the one before
				var m struct {
					ID, Type string
					Payload  json.RawMessage
				}
				require.NoError(t, c.ReadJSON(&m))
				if m.ID == id && m.Type != "complete" {
					require.NotContains(t, string(m.Payload), a.A.Console.Root.ID)
					require.Contains(t, string(m.Payload), "FORBIDDEN")
					break
				}
			}
		}
	})
}

// A socket ends with its session's time, though nothing happens on it.
func TestSocketsEndWithTheirSession(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	v := *a.A.Admin
	v.Until = time.Now().Add(time.Second)
	c := a.socketTo(&v, `subscription($s: ID!) { auditEvents(scopeId: $s) { action } }`, map[string]any{"s": a.A.Row.ID})
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			require.NotContains(t, err.Error(), "timeout", "the server ended it")
			break
		}
	}
}

// connect opens a WebSocket as a viewer and greets; it returns the type of the
// server's first frame.
func (a *api) connect(v *tenancy.Viewer) (*websocket.Conn, string) {
	a.t.Helper()
	c := a.dial(v)
	require.NoError(a.t, c.WriteJSON(map[string]any{"type": "connection_init"}))
	var m struct{ Type string }
	if err := c.ReadJSON(&m); err != nil {
		require.NotContains(a.t, err.Error(), "timeout")
		return c, "closed"
	}
	return c, m.Type
}

func TestSocketRunsSoManyOperationsAtOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	c, greeting := a.connect(a.A.Admin)
	require.Equal(t, "connection_ack", greeting)
	subscribe := func(n int) {
		require.NoError(t, c.WriteJSON(map[string]any{"id": fmt.Sprint(n), "type": "subscribe", "payload": map[string]any{
			"query": `subscription($s: ID!) { auditEvents(scopeId: $s) { action } }`, "variables": map[string]any{"s": a.A.Row.ID}}}))
	}
	about := func(n int) string {
		for {
			var m struct {
				ID      string
				Payload json.RawMessage
			}
			require.NoError(t, c.ReadJSON(&m))
			if m.ID == fmt.Sprint(n) {
				return string(m.Payload)
			}
		}
	}
	for n := range maxOperations {
		subscribe(n)
	}
	require.Eventually(t, func() bool { return a.stream.Watchers(a.A.Row.ID) == maxOperations }, 20*time.Second, 10*time.Millisecond)
	subscribe(maxOperations)
	require.Contains(t, about(maxOperations), `"RATE_LIMITED"`)
	require.Equal(t, maxOperations, a.stream.Watchers(a.A.Row.ID), "the others go on")

	require.NoError(t, c.WriteJSON(map[string]any{"id": "0", "type": "complete"}))
	require.Eventually(t, func() bool { return a.stream.Watchers(a.A.Row.ID) == maxOperations-1 }, 20*time.Second, 10*time.Millisecond)
	require.Empty(t, about(0), "it completes")
	subscribe(maxOperations + 1)
	require.Eventually(t, func() bool { return a.stream.Watchers(a.A.Row.ID) == maxOperations }, 20*time.Second, 10*time.Millisecond)
}

func TestViewerHasSoManySockets(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	var first *websocket.Conn
	for range maxSockets {
		c, greeting := a.connect(a.A.Admin)
		require.Equal(t, "connection_ack", greeting)
		first = c
	}
	_, greeting := a.connect(a.A.Admin)
	require.NotEqual(t, "connection_ack", greeting)
	_, greeting = a.connect(a.A.Console.OrgAdmin)
	require.Equal(t, "connection_ack", greeting, "others of the account have their own")
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool {
		_, greeting := a.connect(a.A.Admin)
		return greeting == "connection_ack"
	}, 20*time.Second, 10*time.Millisecond)
}

// Whoever is revoked between the greeting and the registration isn't forgotten.
func TestSocketIsAskedAboutOnceItIsRegistered(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	v := a.A.Console.OrgAdmin
	a.resolver.Access.Present = func(ctx context.Context) *tenancy.Viewer {
		stood := a.Sessions.Present(ctx)
		if stood != nil {
			require.NoError(t, a.Sessions.SignOut(t.Context(), v))
			require.Eventually(t, func() bool { return a.Sessions.Present(ctx) == nil }, 20*time.Second, 5*time.Millisecond)
		}
		return stood
	}
	_, greeting := a.connect(v)
	require.NotEqual(t, "connection_ack", greeting)
}
