package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	somebody = "ada@example.com"
	password = "correct horse battery"
)

// start runs a server over an empty database in which one super admin is.
func start(t *testing.T) (*Server, string) {
	t.Helper()
	c, err := parse("--listen", "127.0.0.1:0", "--master-key", testKey, "--data", t.TempDir(), "--log-level", "error")
	require.NoError(t, err)
	s, err := New(t.Context(), c)
	require.NoError(t, err)
	web := httptest.NewServer(s.routes())
	t.Cleanup(func() {
		s.graph.Close()
		web.Close()
		require.NoError(t, s.close(context.Background()))
	})
	ctx := tenancy.System(t.Context(), "test")
	hash, err := identity.HashPassword(ctx, password)
	require.NoError(t, err)
	require.NoError(t, s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: id.PlatformID, Email: somebody, Name: "Ada", PasswordHash: hash})
		if err != nil {
			return err
		}
		root, err := tx.Scope.Get(ctx, id.PlatformID)
		if err != nil {
			return err
		}
		return identity.BindRole(ctx, tx, u, root, tenancy.Admin)
	}))
	return s, web.URL
}

// send makes a request with headers given as "Name: value".
func send(t *testing.T, method, url, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := (&http.Transport{}).RoundTrip(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(text)
}

func operation(t *testing.T, query string, variables map[string]any) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(t, err)
	return string(b)
}

const (
	signIn = `mutation($e:String!,$p:String!){sessionCreate(input:{email:$e,password:$p}){viewer{user{name}} errors{code message}}}`
	who    = `{viewer{user{name}}}`
)

// session signs in and returns the cookie.
func session(t *testing.T, url string) *http.Cookie {
	t.Helper()
	res, body := send(t, http.MethodPost, url+"/graphql", operation(t, signIn, map[string]any{"e": somebody, "p": password}))
	require.Len(t, res.Cookies(), 1, body)
	return res.Cookies()[0]
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	_, url := start(t)
	c := session(t, url)
	require.Equal(t, cookieName, c.Name)
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.Equal(t, "/", c.Path)
	require.False(t, c.Secure, "plain HTTP on this machine")
	require.Equal(t, int(identity.MaxSessionLifetime/time.Second), c.MaxAge)

	cookie, csrf := "Cookie: "+c.Name+"="+c.Value, "X-Cockpit-CSRF: 1"
	_, body := send(t, http.MethodPost, url+"/graphql", operation(t, who, nil), cookie, csrf)
	require.Contains(t, body, `"name":"Ada"`)
	res, _ := send(t, http.MethodPost, url+"/graphql", operation(t, `mutation{sessionEnd{errors{code}}}`, nil), cookie, csrf)
	require.Negative(t, res.Cookies()[0].MaxAge)
	require.Eventually(t, func() bool {
		_, body := send(t, http.MethodPost, url+"/graphql", operation(t, who, nil), cookie, csrf)
		return strings.Contains(body, "UNAUTHENTICATED")
	}, 5*time.Second, 20*time.Millisecond)

	_, body = send(t, http.MethodPost, url+"/graphql", operation(t, signIn, map[string]any{"e": somebody, "p": "wrong password!"}))
	require.Contains(t, body, "E-mail or password is wrong")
}

func TestForgedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	_, url := start(t)
	c := session(t, url)
	cookie, csrf := "Cookie: "+c.Name+"="+c.Value, "X-Cockpit-CSRF: 1"
	host := strings.TrimPrefix(url, "http://")
	for name, c := range map[string]struct {
		path    string
		headers []string
		status  int
	}{
		"from our page":          {"/graphql", []string{cookie, csrf, "Origin: " + url, "Sec-Fetch-Site: same-origin"}, 200},
		"from a program":         {"/graphql", []string{cookie, csrf}, 200},
		"signed out":             {"/graphql", nil, 200},
		"no CSRF header":         {"/graphql", []string{cookie}, 403},
		"another CSRF header":    {"/graphql", []string{cookie, "X-Cockpit-CSRF: 0"}, 403},
		"foreign origin":         {"/graphql", []string{cookie, csrf, "Origin: https://evil.example"}, 403},
		"foreign, signed out":    {"/graphql", []string{"Origin: https://evil.example"}, 403},
		"null origin":            {"/graphql", []string{cookie, csrf, "Origin: null"}, 403},
		"our host as user":       {"/graphql", []string{cookie, csrf, "Origin: http://" + host + "@evil.example"}, 403},
		"cross site":             {"/graphql", []string{cookie, csrf, "Sec-Fetch-Site: cross-site"}, 403},
		"same site, other host":  {"/graphql", []string{cookie, csrf, "Sec-Fetch-Site: same-site"}, 403},
		"both credentials":       {"/graphql", []string{cookie, csrf, "Authorization: Bearer ck_console_x"}, 400},
		"both, to the gateway":   {"/v1/chat/completions", []string{cookie, "Authorization: Bearer ck_console_x"}, 400},
		"cookie to the gateway":  {"/v1/chat/completions", []string{cookie, csrf}, 401},
		"bearer to GraphQL":      {"/graphql", []string{"Authorization: Bearer ck_console_x"}, 401},
		"unknown key to gateway": {"/v1/chat/completions", []string{"Authorization: Bearer ck_console_x"}, 401},
	} {
		res, body := send(t, http.MethodPost, url+c.path, operation(t, who, nil), c.headers...)
		require.Equal(t, c.status, res.StatusCode, "%s: %s", name, body)
	}
}

func TestWebSocketsComeFromOurPagesAlone(t *testing.T) {
	t.Parallel()
	_, url := start(t)
	c := session(t, url)
	dial := func(headers http.Header) (*websocket.Conn, *http.Response, error) {
		d := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
		return d.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/graphql", headers)
	}
	cookie := []string{c.Name + "=" + c.Value}
	for name, h := range map[string]http.Header{
		"foreign origin": {"Origin": {"https://evil.example"}, "Cookie": cookie},
		"both":           {"Origin": {url}, "Cookie": cookie, "Authorization": {"Bearer x"}},
	} {
		_, res, err := dial(h)
		require.ErrorIs(t, err, websocket.ErrBadHandshake, name)
		require.GreaterOrEqual(t, res.StatusCode, 400, name)
		require.NoError(t, res.Body.Close())
	}
	ack := func(h http.Header) map[string]any {
		conn, res, err := dial(h)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		t.Cleanup(func() { _ = conn.Close() })
		require.NoError(t, conn.WriteJSON(map[string]any{"type": "connection_init"}))
		var m map[string]any
		if err := conn.ReadJSON(&m); err != nil {
			return nil
		}
		return m
	}
	require.Equal(t, "connection_ack", ack(http.Header{"Origin": {url}, "Cookie": cookie})["type"])
	require.NotEqual(t, "connection_ack", ack(http.Header{"Origin": {url}})["type"], "nobody is signed in")
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	_, url := start(t)
	large := operation(t, who, map[string]any{"x": strings.Repeat("x", maxOperation)})
	res, _ := send(t, http.MethodPost, url+"/graphql", large)
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/graphql", io.MultiReader(bytes.NewReader([]byte(large)))) // without a length
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err = http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NotContains(t, string(body), `"data":{`)

	res, _ = send(t, http.MethodPost, url+"/v1/chat/completions", strings.Repeat("x", 5<<20))
	require.Equal(t, http.StatusRequestEntityTooLarge, res.StatusCode)
}

func TestPanicsBecomeAnswersWithARequestID(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	s.log = slog.New(slog.DiscardHandler) // its stack would only frighten
	web := httptest.NewServer(s.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			_, _ = io.WriteString(w, strings.Repeat("half an answer", 1000))
			w.(http.Flusher).Flush()
		}
		panic("a secret cause")
	})))
	defer web.Close()
	res, body := send(t, http.MethodGet, web.URL+"/", "", "X-Request-Id: req_mine")
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
	require.True(t, id.Is(res.Header.Get("X-Request-Id"), id.Request), "never the caller's own")
	require.Contains(t, body, res.Header.Get("X-Request-Id"))
	require.NotContains(t, body, "secret")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/late", nil)
	require.NoError(t, err)
	res, err = http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	require.Error(t, err, "half an answer doesn't look whole")
	require.NoError(t, res.Body.Close())
}

func TestReadinessFollowsTheServersState(t *testing.T) {
	t.Parallel()
	s, url := start(t)
	res, body := send(t, http.MethodGet, url+"/readyz", "")
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	s.draining.Store(true)
	res, body = send(t, http.MethodGet, url+"/readyz", "")
	require.Equal(t, http.StatusServiceUnavailable, res.StatusCode)
	require.Contains(t, body, "stopping")
	s.draining.Store(false)

	require.NoError(t, s.store.System().Close(), "the database goes away")
	require.Eventually(t, func() bool {
		res, _ := send(t, http.MethodGet, url+"/readyz", "")
		gql, _ := send(t, http.MethodPost, url+"/graphql", operation(t, who, nil))
		return res.StatusCode == http.StatusServiceUnavailable && gql.StatusCode == http.StatusServiceUnavailable
	}, 10*time.Second, 50*time.Millisecond, "who can't learn of revocations serves nobody")
	res, _ = send(t, http.MethodGet, url+"/healthz", "")
	require.Equal(t, http.StatusOK, res.StatusCode, "a restart wouldn't help")
	require.NoError(t, s.close(context.Background()), "charges have connections of their own")
}

func TestMetricsAnswerThisMachineAlone(t *testing.T) {
	t.Parallel()
	_, url := start(t)
	res, body := send(t, http.MethodGet, url+"/metrics", "")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Contains(t, body, "cockpit_gateway_holds_open")
	send(t, http.MethodPost, url+"/graphql", operation(t, who, nil))
	_, body = send(t, http.MethodGet, url+"/metrics", "")
	require.Contains(t, body, `cockpit_http_request_seconds_count{door="graphql",status="200"} 1`)
	res, _ = send(t, http.MethodGet, url+"/metrics", "", "X-Forwarded-For: 1.1.1.1")
	require.Equal(t, http.StatusForbidden, res.StatusCode)
}

func TestRefusalsAreAudited(t *testing.T) {
	t.Parallel()
	s, url := start(t)
	c := session(t, url)
	send(t, http.MethodPost, url+"/graphql", operation(t, signIn, map[string]any{"e": somebody, "p": "wrong password!"}))
	_, body := send(t, http.MethodPost, url+"/graphql", operation(t, `{console{providers(first:1){edges{node{name}}}}}`, nil),
		"Cookie: "+c.Name+"="+c.Value, "X-Cockpit-CSRF: 1")
	ctx := tenancy.System(t.Context(), "test")
	require.Eventually(t, func() bool {
		n, err := s.store.AuditEvent.Query().Where(auditevent.OutcomeEQ(auditevent.OutcomeREFUSED)).Count(ctx)
		return err == nil && n >= 1
	}, 5*time.Second, 20*time.Millisecond, body)
}

func TestSlowBodiesAreCutOffAndSlowAnswersAreNot(t *testing.T) {
	t.Parallel()
	const most = 100 * time.Millisecond
	failed := make(chan error, 1)
	web := httptest.NewServer(hurry(most, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			failed <- err
			return
		}
		time.Sleep(2 * most)
		_, _ = fmt.Fprintf(w, "%d %v", len(body), r.Context().Err())
	})))
	defer web.Close()
	_, body := send(t, http.MethodPost, web.URL, "12345")
	require.Equal(t, "5 <nil>", body)

	conn, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nthe rest never comes")
	require.NoError(t, err)
	var timeout net.Error
	require.ErrorAs(t, <-failed, &timeout)
	require.True(t, timeout.Timeout())
}

func TestOneServerPerDataDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unlock, err := lock(dir)
	require.NoError(t, err)
	_, err = lock(dir)
	require.ErrorContains(t, err, "another server works in the data directory")
	require.NoError(t, unlock())
	unlock, err = lock(dir)
	require.NoError(t, err)
	require.NoError(t, unlock())
}

func TestStartTellsWhatItCantDo(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	for name, c := range map[string]struct{ args, says string }{
		"address taken":  {"--listen " + taken.Addr().String(), "--listen"},
		"no database":    {"--listen 127.0.0.1:0 --database-url postgres://nobody@127.0.0.1:1/x?sslmode=disable&connect_timeout=2", "connection refused"},
		"bad master key": {"--listen 127.0.0.1:0 --master-key short", "openssl rand"},
	} {
		config, err := parse(append([]string{"--data", t.TempDir(), "--master-key", testKey, "--log-level", "error"}, strings.Fields(c.args)...)...)
		require.NoError(t, err, name)
		_, err = New(t.Context(), config)
		require.ErrorContains(t, err, c.says, name)
	}
}
