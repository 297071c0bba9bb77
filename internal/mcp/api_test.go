package mcp_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

// issues is an API with a document, which keeps what it was asked.
type issues struct {
	*httptest.Server
	mu   sync.Mutex
	seen []*http.Request
	body []string
}

const document = `{"openapi":"3.1.0","info":{"title":"Issues","version":"1"},"servers":[{"url":"/api/v1"}],"paths":{
"/repos/{owner}/issues/{number}":{"get":{"operationId":"getIssue","parameters":[
 {"name":"owner","in":"path","required":true,"schema":{"type":"string"}},{"name":"number","in":"path","required":true,"schema":{"type":"integer"}},
 {"name":"fields","in":"query","schema":{"type":"array","items":{"type":"string"}}},{"name":"X-Trace","in":"header","schema":{"type":"string"}},
 {"name":"Authorization","in":"header","schema":{"type":"string"}},{"name":"Host","in":"header","schema":{"type":"string"}}]}},
"/repos/{owner}/issues":{"post":{"operationId":"createIssue","parameters":[{"name":"owner","in":"path","required":true,"schema":{"type":"string"}}],
 "requestBody":{"required":true,"content":{"application/json":{"schema":{"type":"object","properties":{"title":{"type":"string"}}}}}}}}}}`

func newIssues(t testing.TB) *issues {
	a := &issues{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/openapi.json" {
			_, _ = io.WriteString(rw, document)
			return
		}
		body, _ := io.ReadAll(r.Body)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.seen, a.body = append(a.seen, r), append(a.body, string(body))
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, `{"ok":true}`)
	}))
	t.Cleanup(a.Close)
	return a
}

func (a *issues) last(t testing.TB) (*http.Request, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	require.NotEmpty(t, a.seen)
	return a.seen[len(a.seen)-1], a.body[len(a.body)-1]
}

func (a *issues) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.seen)
}

// api connects the API by its document and grants it to the whole plane.
func (w *world) api(a *issues, in connections.Input) *ent.Connection {
	w.t.Helper()
	in.Kind, in.Name, in.DocumentURL = connection.KindOPENAPI, ptr("issues"), ptr(a.URL+"/openapi.json")
	require.NoError(w.t, w.conns.Prepare(w.t.Context(), &in))
	var row *ent.Connection
	w.write(func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = w.conns.Create(ctx, tx, w.A.Copilot.Root, in)
		return err
	})
	_, err := w.conns.Discover(w.t.Context(), row.ID, "", true)
	require.NoError(w.t, err)
	w.grant(w.A.Copilot.Root, row.ID, grant.Allow)
	return row
}

func (w *world) secret(row *ent.Connection, userID, value string) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx *store.Tx) error {
		return w.conns.Credentials.Set(ctx, tx, row, userID, credential.Secret{Value: value})
	})
}

func (w *world) use(s *sdk.ClientSession, name, arguments string) (*sdk.CallToolResult, error) {
	return s.CallTool(w.t.Context(), &sdk.CallToolParams{Name: name, Arguments: json.RawMessage(arguments)})
}

// An API's operations are tools like others: what a model says becomes a
// request of the document, to its server, signed in by the connection.
func TestAPIsAreCalled(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w, a := newWorld(t, st), newIssues(t)
		row := w.api(a, connections.Input{Auth: ptr(connection.AuthHEADER), AuthName: ptr("X-Api-Key")})
		require.Equal(t, a.URL+"/api/v1", row.URL, "the document's own server")
		s := w.open(w.A.Copilot.Token, nil)
		require.Subset(t, w.names(s), []string{"issues__createIssue", "issues__getIssue"})
		result, err := w.use(s, "issues__getIssue", `{"owner":"acme","number":7}`)
		require.NoError(t, err)
		require.True(t, result.IsError)
		require.Equal(t, string(fault.ConnectionNeedsSignIn), result.Meta["cockpit/error"].(map[string]any)["code"])
		require.Zero(t, a.count())
		w.secret(row, "", "the key")

		result, err = w.use(s, "issues__getIssue", `{"owner":"a b/c","number":7,"fields":["x","y&z"],"X-Trace":"t1"}`)
		require.NoError(t, err)
		require.False(t, result.IsError, text(result))
		require.JSONEq(t, `{"ok":true}`, text(result))
		r, _ := a.last(t)
		require.Equal(t, http.MethodGet, r.Method)
		require.Equal(t, "/api/v1/repos/a%20b%2Fc/issues/7", r.URL.EscapedPath(), "a slash in an argument is no path")
		require.Equal(t, []string{"x", "y&z"}, r.URL.Query()["fields"])
		require.Equal(t, "t1", r.Header.Get("X-Trace"))
		require.Equal(t, "the key", r.Header.Get("X-Api-Key"))
		require.NotContains(t, r.Header.Get("Authorization"), w.A.Copilot.Token, "the caller's key stays here")

		result, err = w.use(s, "issues__createIssue", `{"owner":"acme","body":{"title":"{\"role\":\"system\"}"}}`)
		require.NoError(t, err)
		require.False(t, result.IsError, text(result))
		r, body := a.last(t)
		require.Equal(t, "/api/v1/repos/acme/issues", r.URL.Path)
		require.JSONEq(t, `{"title":"{\"role\":\"system\"}"}`, body)

		// What a model was talked into asking for.
		for _, arguments := range []string{
			`{"owner":"acme","number":7,"Authorization":"Bearer stolen","authorization":"x","X-Api-Key":"mine"}`,
			`{"owner":"acme","number":7,"Host":"evil.example","host":"evil.example","url":"https://evil.example"}`,
			`{"owner":"..","number":7}`,
			`{"owner":".","number":7}`,
			`{"owner":"%2e%2e","number":7}`,
			`{"owner":"acme","number":"7/../../../admin"}`,
			`{"owner":"acme","number":7,"X-Trace":"a\r\nX-Api-Key: mine"}`,
			`{"owner":"//evil.example","number":7}`,
			`{"owner":"acme?admin=1#","number":7}`,
		} {
			before := a.count()
			result, err := w.use(s, "issues__getIssue", arguments)
			if err != nil || result.IsError {
				require.Equal(t, before, a.count(), arguments)
				continue
			}
			r, _ := a.last(t)
			require.Equal(t, strings.TrimPrefix(a.URL, "http://"), r.Host, arguments)
			require.Equal(t, "the key", r.Header.Get("X-Api-Key"), arguments)
			require.Len(t, r.Header.Values("X-Api-Key"), 1, arguments)
			require.Empty(t, r.Header.Get("Authorization"), arguments)
			require.Regexp(t, `^/api/v1/repos/[^/]+/issues/[^/]+$`, r.URL.EscapedPath(), arguments)
			require.NotContains(t, strings.Split(r.URL.EscapedPath(), "/"), "..", arguments)
			require.NotContains(t, r.URL.Query(), "admin", arguments)
		}
	})
}

// Where each has their own credential, one's is never another's; a call without
// a person has none.
func TestPersonalCredentialsAreNotShared(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w, a := newWorld(t, st), newIssues(t)
		row := w.api(a, connections.Input{Auth: ptr(connection.AuthBEARER), Credential: ptr(connection.CredentialPERSONAL)})
		var seat *ent.Scope
		var other *ent.User
		w.write(func(ctx context.Context, tx *store.Tx) (err error) {
			tx.Unaudited()
			if other, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: w.A.Row.ID, Email: "other@a.example", Name: "Other"}); err != nil {
				return err
			}
			seat, err = identity.AddMember(ctx, tx, w.A.Copilot.SiblingTeam, other)
			return err
		})
		mine := w.open(w.A.Copilot.Token, nil)
		token, _ := w.key(seat, 0)
		theirs := w.open(token, nil)
		ask := func(s *sdk.ClientSession) string {
			t.Helper()
			result, err := w.use(s, "issues__getIssue", `{"owner":"acme","number":7}`)
			require.NoError(t, err)
			if result.IsError {
				return result.Meta["cockpit/error"].(map[string]any)["code"].(string)
			}
			r, _ := a.last(t)
			return r.Header.Get("Authorization")
		}
		needed := string(fault.ConnectionNeedsSignIn)
		require.Equal(t, needed, ask(mine))
		w.secret(row, w.A.Copilot.Seat.UserID, "of the seat")
		require.Equal(t, "Bearer of the seat", ask(mine))
		require.Equal(t, needed, ask(theirs), "somebody else's is of no use")
		w.secret(row, other.ID, "of the other")
		require.Equal(t, "Bearer of the other", ask(theirs))
		require.Equal(t, "Bearer of the seat", ask(mine))

		w.write(func(ctx context.Context, tx *store.Tx) error {
			return w.conns.Credentials.Remove(ctx, tx, row, other.ID)
		})
		require.Equal(t, needed, ask(theirs))
		require.Equal(t, "Bearer of the seat", ask(mine))
		team, _ := w.key(w.A.Copilot.Team, 0)
		require.NotContains(t, ask(w.open(team, nil)), "Bearer", "a team's key is no person")
	})
}
