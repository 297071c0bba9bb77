package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// built is where binary put the program.
var built string

// binary builds the program once, as it is shipped.
var binary = sync.OnceValues(func() (path string, err error) {
	if built, err = os.MkdirTemp("", "cockpit-e2e"); err != nil {
		return "", err
	}
	path = filepath.Join(built, "cockpit")
	out, err := exec.Command("go", "build", "-o", path, "..").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(built) // a folder of ours in the system's temporary one
	os.Exit(code)
}

// process is a running program.
type process struct {
	*exec.Cmd
	out, err *output
	ended    chan error
}

// output keeps what a program writes while others read it.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	p := &process{Cmd: exec.Command(path, args...), out: &output{}, err: &output{}, ended: make(chan error, 1)}
	p.Env = append(os.Environ(), env...)
	p.Stdout, p.Stderr = p.out, p.err
	require.NoError(t, p.Start())
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() {
		_ = p.Process.Kill() // most have ended by now
		if t.Failed() {
			t.Logf("%v:\n%s%s", args, p.out, p.err)
		}
	})
	return p
}

// cockpit is a running demo.
type cockpit struct {
	*process
	data string
	env  demo.Env
}

func serve(t *testing.T, data string, env []string, args ...string) *cockpit {
	t.Helper()
	p := launch(t, env, append([]string{"serve", "--demo", "--data", data, "--listen", "127.0.0.1:0"}, args...)...)
	c := &cockpit{process: p, data: data}
	require.Eventually(t, func() bool {
		select {
		case err := <-p.ended:
			p.ended <- err
			return true
		default:
		}
		// What it prints comes once it listens, and knows its port.
		if _, rest, ok := strings.Cut(p.out.String(), "Cockpit is at "); ok && strings.Contains(rest, "\n") {
			c.env, _ = demo.Load(data)
			url, _, _ := strings.Cut(rest, "\n")
			c.env[demo.URL] = url
			res, err := http.Get(url + "/readyz")
			if err != nil {
				return false
			}
			return res.Body.Close() == nil && res.StatusCode == http.StatusOK
		}
		return false
	}, 30*time.Second, 20*time.Millisecond, "it becomes ready")
	require.NotNil(t, c.env, "%s%s", p.out, p.err)
	return c
}

// answer is what a model call brought.
type answer struct {
	status int
	header http.Header
	body   string
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}

func (c *cockpit) call(t testing.TB, key, body string) (answer, error) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.env[demo.URL]+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}, err
}

func chat(model, more string) string {
	return `{"model":"` + model + `","messages":[{"role":"user","content":"Hello"}]` + more + `}`
}

// person is somebody signed in with a browser.
type person struct {
	url  string
	http http.Client
}

func (c *cockpit) signIn(t *testing.T, email string) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	p := &person{url: c.env[demo.URL], http: http.Client{Jar: jar}}
	p.do(t, `mutation($i:SessionCreateInput!){sessionCreate(input:$i){errors{message}}}`, map[string]any{"email": email, "password": c.env[demo.Password]})
	return p
}

// do runs an operation that mustn't fail, and returns its data's one field.
func (p *person) do(t *testing.T, query string, input map[string]any) map[string]any {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]any{"i": input}})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/graphql", bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Cockpit-CSRF", "1")
	res, err := p.http.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	var got struct {
		Data   map[string]map[string]any
		Errors []map[string]any
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&got))
	require.Empty(t, got.Errors)
	for _, payload := range got.Data {
		require.Empty(t, payload["errors"])
		return payload
	}
	return nil
}

// books opens the server's database beside it.
func (c *cockpit) books(t *testing.T, url string) (context.Context, *store.Store) {
	t.Helper()
	st, err := store.Open(store.Options{URL: url, Dir: c.data})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return tenancy.System(t.Context(), "the test audits the books"), st
}

func (c *cockpit) verify(t *testing.T, env []string) {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	cmd := exec.Command(path, "verify", "ledger", "--data", c.data)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// stop asks the server to end and waits until it has.
func (p *process) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-p.ended)
}

func TestDemoFromKeyToBudget(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	c := serve(t, data, nil)
	require.Contains(t, c.out.String(), "curl "+c.env[demo.URL]+"/v1/chat/completions -H 'Authorization: Bearer "+c.env[demo.ConsoleKey]+"'")

	path, err := binary()
	require.NoError(t, err)
	lines, err := exec.Command(path, "demo", "env", "--data", data).Output()
	require.NoError(t, err)
	require.Equal(t, c.env.String(), string(lines))
	require.NotContains(t, string(lines), "=''")

	ctx, st := c.books(t, "")
	for key, model := range map[string]string{c.env[demo.ConsoleKey]: c.env[demo.ConsoleModel], c.env[demo.CopilotKey]: c.env[demo.CopilotModel]} {
		before := st.Charge.Query().Aggregate(ent.Sum("cost")).IntX(ctx)
		whole, err := c.call(t, key, chat(model, ""))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, whole.status, whole.body)
		require.Contains(t, whole.body, `"finish_reason":"stop"`)
		require.NotEmpty(t, whole.header.Get("X-Cockpit-Cost"))
		stream, err := c.call(t, key, chat(model, `,"stream":true`))
		require.NoError(t, err)
		require.Contains(t, stream.body, ": x-cockpit-cost: ")
		require.True(t, strings.HasSuffix(stream.body, "data: [DONE]\n\n"))
		for _, a := range []answer{whole, stream} {
			require.Eventually(t, func() bool { // the answer doesn't wait for the database
				return st.Charge.Query().Where(charge.RequestID(a.header.Get("X-Request-Id")), charge.KindEQ(charge.KindSETTLED)).CountX(ctx) == 1
			}, 10*time.Second, 5*time.Millisecond)
		}
		require.Eventually(t, func() bool { return st.Charge.Query().Aggregate(ent.Sum("cost")).IntX(ctx) > before }, 5*time.Second, 5*time.Millisecond)
	}
	for _, email := range []string{demo.SuperAdminEmail, demo.AdminEmail, demo.MemberEmail} {
		require.NotEmpty(t, c.signIn(t, c.env[email]).do(t, `{viewer{user{name}}}`, nil)["user"])
	}

	// Asked to stop, it lets a stream end first, and takes no new calls.
	streamed := make(chan answer, 1)
	go func() {
		a, err := c.call(t, c.env[demo.ConsoleKey], chat(c.env[demo.ConsoleModel], `,"stream":true,"x_demo":{"chunk_delay_ms":60}`))
		if err != nil {
			a.body = err.Error()
		}
		streamed <- a
	}()
	require.Eventually(t, func() bool { return st.Hold.Query().CountX(ctx) == 1 }, 5*time.Second, 5*time.Millisecond)
	c.stop(t)
	require.Contains(t, (<-streamed).body, "data: [DONE]")
	require.Zero(t, st.Hold.Query().CountX(ctx))
	c.verify(t, nil)

	// A second start finds everything as it was.
	charges := st.Charge.Query().CountX(ctx)
	again := serve(t, data, nil, "--shutdown-grace", "300ms")
	require.Equal(t, c.env[demo.ConsoleKey], again.env[demo.ConsoleKey])
	a, err := again.call(t, again.env[demo.ConsoleKey], chat(again.env[demo.ConsoleModel], ""))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.status, a.body)
	charges++ // which the answer doesn't wait for
	require.Eventually(t, func() bool { return st.Charge.Query().CountX(ctx) == charges && st.Hold.Query().CountX(ctx) == 0 }, 5*time.Second, 5*time.Millisecond)

	// What outlasts the grace is cut off, and charged.
	cut := make(chan answer, 1)
	go func() {
		a, _ := again.call(t, again.env[demo.ConsoleKey], chat(again.env[demo.ConsoleModel], `,"stream":true,"x_demo":{"chunk_delay_ms":5000}`))
		cut <- a
	}()
	require.Eventually(t, func() bool { return st.Hold.Query().CountX(ctx) == 1 }, 5*time.Second, 5*time.Millisecond)
	again.stop(t)
	require.NotContains(t, (<-cut).body, "[DONE]")
	require.Zero(t, st.Hold.Query().CountX(ctx))
	require.Equal(t, charges+1, st.Charge.Query().CountX(ctx))
	require.NotContains(t, again.err.String(), "database is closed")
	again.verify(t, nil)
}

// provider runs the demo's model provider by itself, so that it outlives the
// server.
func provider(t *testing.T) string {
	t.Helper()
	p := launch(t, nil, "demo", "upstream", "--listen", "127.0.0.1:0")
	require.Eventually(t, func() bool { return strings.HasSuffix(p.out.String(), "\n") }, 10*time.Second, 10*time.Millisecond)
	return strings.TrimSpace(p.out.String())
}

func TestKilledServerChargesEachDispatchedCallOnce(t *testing.T) {
	t.Parallel()
	const streams = 200
	upstream := provider(t)
	data := t.TempDir()
	c := serve(t, data, nil, "--demo-upstream", upstream, "--log-level", "warn")
	var wg sync.WaitGroup
	for range streams {
		wg.Go(func() {
			_, err := c.call(t, c.env[demo.ConsoleKey], chat(c.env[demo.ConsoleModel], `,"stream":true,"x_demo":{"chunk_delay_ms":1000}`))
			if err == nil {
				t.Error("the stream ended before the server was killed")
			}
		})
	}
	type stats struct {
		OpenStreams int `json:"open_streams"`
		Requests    map[string]any
	}
	ask := func() (s stats) {
		res, err := http.Get(upstream + "/demo/stats?requests=true")
		require.NoError(t, err)
		defer func() { require.NoError(t, res.Body.Close()) }()
		require.NoError(t, json.NewDecoder(res.Body).Decode(&s))
		return s
	}
	require.Eventually(t, func() bool { return ask().OpenStreams == streams }, 20*time.Second, 20*time.Millisecond)
	require.NoError(t, c.Process.Kill())
	require.Error(t, <-c.ended)
	wg.Wait()
	dispatched := ask().Requests
	require.Len(t, dispatched, streams)

	c = serve(t, data, nil, "--demo-upstream", upstream, "--log-level", "error")
	ctx, st := c.books(t, "")
	require.Zero(t, st.Hold.Query().CountX(ctx), "nothing is held after the recovery")
	for requestID := range dispatched {
		rows := st.Charge.Query().Where(charge.RequestID(requestID)).AllX(ctx)
		require.Len(t, rows, 1, requestID)
		require.Equal(t, charge.KindIN_DOUBT, rows[0].Kind)
	}
	require.Equal(t, streams, st.Charge.Query().Where(charge.KindEQ(charge.KindIN_DOUBT)).CountX(ctx))
	c.verify(t, nil)
	c.stop(t)
}

// priced makes a model that costs a dollar a call, and a key with ten dollars.
func priced(t *testing.T, c *cockpit) (model, key, keyID string) {
	t.Helper()
	admin := c.signIn(t, c.env[demo.AdminEmail])
	list := admin.do(t, `{console{id providers(first:1){edges{node{id}}} teams(first:20){edges{node{id name}}}}}`, nil)
	node := func(connection any, name string) string {
		for _, e := range connection.(map[string]any)["edges"].([]any) {
			n := e.(map[string]any)["node"].(map[string]any)
			if name == "" || n["name"] == name {
				return n["id"].(string)
			}
		}
		return ""
	}
	m := admin.do(t, `mutation($i:ModelCreateInput!){modelCreate(input:$i){model{id} errors{message}}}`, map[string]any{
		"providerId": node(list["providers"], ""), "name": "a-dollar-a-call", "upstreamName": "demo-small", "contextLength": 1000, "maxOutputTokens": 100,
		"price": map[string]any{"input": "0", "output": "0", "request": "1000000"}, "grantTo": []any{list["id"]}})
	k := admin.do(t, `mutation($i:KeyCreateInput!){keyCreate(input:$i){key{id} secret errors{message}}}`, map[string]any{
		"name": "worth ten", "ownerId": node(list["teams"], "Platform"), "modelIds": []string{m["model"].(map[string]any)["id"].(string)}, "limit": "10"})
	return "a-dollar-a-call", k["secret"].(string), k["key"].(map[string]any)["id"].(string)
}

// storm makes 1,000 parallel calls over the servers, each tried again when it
// was refused, and returns how many were answered.
func storm(t *testing.T, servers []*cockpit, key, model string) int {
	t.Helper()
	var answered, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			for range 3 {
				a, err := servers[i%len(servers)].call(t, key, chat(model, `,"max_tokens":1`))
				switch {
				case err != nil:
					t.Error(err)
					return
				case a.status == http.StatusOK:
					answered.Add(1)
					return
				case a.status != http.StatusPaymentRequired:
					t.Error(a.status, a.body)
					return
				}
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	require.Positive(t, refused.Load())
	return int(answered.Load())
}

func TestThousandParallelCallsSpendExactlyTheBudget(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, servers []*cockpit, url string, env []string) {
		t.Helper()
		model, key, keyID := priced(t, servers[0])
		require.Equal(t, 10, storm(t, servers, key, model))
		ctx, st := servers[0].books(t, url)
		require.Eventually(t, func() bool { // answers don't wait for their charges
			return st.Charge.Query().Where(charge.KeyID(keyID)).CountX(ctx) >= 10
		}, 10*time.Second, 5*time.Millisecond)
		require.Equal(t, 10, st.Charge.Query().Where(charge.KeyID(keyID)).CountX(ctx))
		require.Equal(t, 10_000_000_000, st.Charge.Query().Where(charge.KeyID(keyID)).Aggregate(ent.Sum("cost")).IntX(ctx))
		servers[0].verify(t, env)
		for i, s := range servers {
			s.stop(t)
			if i+1 == len(servers) {
				break
			}
			next := servers[i+1] // takes the demo's model provider over
			require.Eventually(t, func() bool {
				a, err := next.call(t, next.env[demo.ConsoleKey], chat(next.env[demo.ConsoleModel], ""))
				return err == nil && a.status == http.StatusOK
			}, 10*time.Second, 100*time.Millisecond)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		check(t, []*cockpit{serve(t, t.TempDir(), nil, "--log-level", "error")}, "", nil)
	})
	t.Run("two servers on postgres", func(t *testing.T) {
		t.Parallel()
		url := storetest.PostgresURL(t)
		env := []string{"DATABASE_URL=" + url}
		data := t.TempDir()
		first := serve(t, data, env, "--log-level", "error")
		second := serve(t, data, env, "--log-level", "error")
		require.Equal(t, first.env[demo.ConsoleKey], second.env[demo.ConsoleKey], "the story is told once")
		check(t, []*cockpit{first, second}, url, env)
	})
}

func TestCommands(t *testing.T) {
	t.Parallel()
	path, err := binary()
	require.NoError(t, err)
	dir := t.TempDir()
	for _, c := range []struct {
		args, says string
		fails      bool
	}{
		{"--help", "Usage: cockpit <command>", false},
		{"serve --help", "--shutdown-grace", false},
		{"version", "cockpit dev", false},
		{"serve --data " + dir, "openssl rand -base64 32", true},
		{"serve --lisen :1", "unknown flag --lisen", true},
		{"demo env --data " + dir, "no demo was started with the data directory", true},
		{"migrate --data " + dir, "applied ", false},
		{"migrate --data " + dir, "nothing to do", false},
		{"verify ledger --data " + dir, "agree with the ledger", false},
		{"create account --data " + dir + " --name Acme --slug acme --admin-email ada@acme.example --admin-name Ada", "signs in with the password", false},
		{"account suspend acme --data " + dir, "missing flags: --reason", true},
		{"account suspend acme --reason unpaid --data " + dir, "Acme is suspended", false},
		{"account suspend acme --reason unpaid --data " + dir, "suspended already", true},
		{"account resume acme --data " + dir, "Acme can be used again", false},
		{"account resume nobody --data " + dir, "there is no account nobody", true},
		{"health --listen 127.0.0.1:1", "connection refused", true},
	} {
		cmd := exec.Command(path, strings.Fields(c.args)...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		require.Equal(t, c.fails, errors.As(err, &exit), "%s: %s", c.args, out)
		require.Contains(t, string(out), c.says, c.args)
	}
}

func TestServerWithoutDemoIsReadyAndEmpty(t *testing.T) {
	t.Parallel()
	p := launch(t, []string{"COCKPIT_MASTER_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, "serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0")
	var url string
	require.Eventually(t, func() bool {
		line, err := bufio.NewReader(strings.NewReader(p.out.String())).ReadString('\n')
		url = strings.TrimSpace(strings.TrimPrefix(line, "Cockpit is at "))
		return err == nil
	}, 20*time.Second, 20*time.Millisecond)
	path, err := binary()
	require.NoError(t, err)
	out, err := exec.Command(path, "health", "--listen", strings.TrimPrefix(url, "http://")).CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, p.out.String(), "Sign in")
	p.stop(t)
}
