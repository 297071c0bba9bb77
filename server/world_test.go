package server

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// world is a demo behind HTTP.
type world struct {
	*Server
	url string
	env demo.Env
}

const publicURL = "https://cockpit.test"

// tell starts a server with the demo's story; every replica has the same
// public address, which tokens name.
func tell(t *testing.T, args ...string) *world {
	t.Helper()
	c, err := parse(append([]string{"--listen", "127.0.0.1:0", "--public-url", publicURL, "--demo", "--log-level", "error"}, args...)...)
	require.NoError(t, err)
	s, err := New(t.Context(), c)
	require.NoError(t, err)
	web := httptest.NewServer(s.routes())
	t.Cleanup(func() {
		s.graph.Close()
		web.Close()
		s.gateway.Close()
		require.NoError(t, s.close(context.Background()))
	})
	return &world{s, web.URL, s.Demo()}
}

func system(t *testing.T) context.Context {
	t.Helper()
	return tenancy.System(t.Context(), "test")
}

func (w *world) member(t *testing.T) *ent.User {
	t.Helper()
	u, err := w.store.User.Get(system(t), w.env[demo.MemberID])
	require.NoError(t, err)
	return u
}

// send tries again where a busy machine can't follow epochs for a moment.
func (w *world) send(t *testing.T, method, address, body string, headers ...string) (res *http.Response, text string) {
	t.Helper()
	for range 400 {
		if res, text = send(t, method, address, body, headers...); res.StatusCode != http.StatusServiceUnavailable {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return res, text
}

// form sends a form as a program, by HTTP Basic unless the secret is empty.
func (w *world) form(t *testing.T, path, clientID, clientSecret string, pairs ...string) (int, map[string]any) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	headers := []string{"Content-Type: application/x-www-form-urlencoded"}
	if clientSecret == "" {
		values.Set("client_id", clientID)
	} else {
		headers = append(headers, "Authorization: Basic "+base64.StdEncoding.EncodeToString([]byte(clientID+":"+clientSecret)))
	}
	res, body := w.send(t, http.MethodPost, w.url+path, values.Encode(), headers...)
	require.Equal(t, "no-store", res.Header.Get("Cache-Control"))
	out := map[string]any{}
	if body != "" {
		require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	}
	return res.StatusCode, out
}

// exchange gets alchemi-ai a token for the member.
func (w *world) exchange(t *testing.T, pairs ...string) string {
	t.Helper()
	status, got := w.form(t, "/oauth/token", w.env[demo.ClientID], w.env[demo.ClientSecret], append([]string{
		"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token", w.env[demo.MemberID],
		"subject_token_type", "urn:cockpit:params:oauth:token-type:user_id"}, pairs...)...)
	require.Equal(t, http.StatusOK, status, got)
	return got["access_token"].(string)
}

// ask runs an operation as a bearer, and returns status and answer.
func (w *world) ask(t *testing.T, token, query string, input map[string]any) (int, map[string]any) {
	t.Helper()
	res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, query, map[string]any{"i": input}), "Authorization: Bearer "+token)
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	return res.StatusCode, out
}

// browser is somebody signed in.
type browser struct {
	*world
	cookie string
}

func (w *world) signIn(t *testing.T, email string) *browser {
	t.Helper()
	res, body := w.send(t, http.MethodPost, w.url+"/graphql", operation(t, signIn, map[string]any{"e": email, "p": w.env[demo.Password]}))
	require.Len(t, res.Cookies(), 1, body)
	return &browser{w, res.Cookies()[0].Name + "=" + res.Cookies()[0].Value}
}

// do runs an operation and returns its one field; refusals are for ask.
func (b *browser) do(t *testing.T, query string, input map[string]any) map[string]any {
	t.Helper()
	out := b.try(t, query, input)
	require.Nil(t, out["errors"], "%v", out)
	for _, payload := range out["data"].(map[string]any) {
		p := payload.(map[string]any)
		require.Empty(t, p["errors"])
		return p
	}
	return nil
}

func (b *browser) try(t *testing.T, query string, input map[string]any) map[string]any {
	t.Helper()
	_, body := b.send(t, http.MethodPost, b.url+"/graphql", operation(t, query, map[string]any{"i": input}), "Cookie: "+b.cookie, "X-Cockpit-CSRF: 1")
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte(body), &out), body)
	return out
}

func code(out map[string]any) string {
	list, _ := out["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	c, _ := list[0].(map[string]any)["extensions"].(map[string]any)["code"].(string)
	return c
}

const createClient = `mutation($i:ServiceClientCreateInput!){serviceClientCreate(input:$i){serviceClient{id} secret errors{code message path}}}`

// program makes a service client as the account's admin.
func (w *world) program(t *testing.T, b *browser, input map[string]any) (clientID, clientSecret string) {
	t.Helper()
	for k, v := range map[string]any{"name": "p " + id.New(id.Request), "planes": []string{"CONSOLE", "COPILOT"}} {
		if input[k] == nil {
			input[k] = v
		}
	}
	p := b.do(t, createClient, input)
	clientSecret, _ = p["secret"].(string)
	return p["serviceClient"].(map[string]any)["id"].(string), clientSecret
}
