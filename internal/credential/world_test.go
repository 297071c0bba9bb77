package credential_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const cockpit = "https://cockpit.example"

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// world is an account with people over a database, and two replicas' stores of
// credentials.
type world struct {
	*store.Store
	t        testing.TB
	a, b     *credential.Store
	skew     atomic.Int64
	account  *ent.Account
	plane    *ent.Scope
	mia, ben *tenancy.Viewer
	// log is all that both replicas wrote.
	log *lines
}

type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, store.Options{Dir: t.TempDir()}))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, store.Options{URL: storetest.PostgresURL(t)}))
	})
}

func newWorld(t testing.TB, o store.Options) *world {
	t.Helper()
	w := &world{t: t, log: &lines{}}
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Now, o.Log = func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) }, log
	open := func() *store.Store {
		st, err := store.Open(o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, st.Close()) })
		return st
	}
	w.Store = open()
	_, err := w.Migrate(t.Context())
	require.NoError(t, err)
	require.NoError(t, identity.CreatePlatform(t.Context(), w.Store))
	box, err := secret.NewBox("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	require.NoError(t, err)
	replica := func(st *store.Store) *credential.Store {
		return credential.New(credential.Options{Store: st, Box: box, Client: outbound.NewClient(loopback), Networks: loopback, URL: cockpit, Log: log})
	}
	w.a, w.b = replica(w.Store), replica(open())
	w.change(func(ctx context.Context, tx *store.Tx) error {
		if w.account, err = identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "Acme", Slug: "acme", Console: true, Copilot: true}); err != nil {
			return err
		}
		w.plane, err = tx.Scope.Query().Where(scope.AccountID(w.account.ID), scope.KindEQ(scope.KindCOPILOT)).Only(ctx)
		return err
	})
	w.mia, w.ben = w.person("mia@acme.example"), w.person("ben@acme.example")
	return w
}

func (w *world) change(f func(ctx context.Context, tx *store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.InTx(tenancy.System(w.t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return f(ctx, tx)
	}))
}

// person is somebody signed in to the cockpit.
func (w *world) person(email string) *tenancy.Viewer {
	w.t.Helper()
	var u *ent.User
	w.change(func(ctx context.Context, tx *store.Tx) (err error) {
		u, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: w.account.ID, Email: email, Name: email})
		return err
	})
	return &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: w.account.ID, UserID: u.ID, Name: u.Name, SessionID: "ses_of_" + u.ID}
}

func (w *world) connect(name string, with func(*ent.ConnectionCreate)) *ent.Connection {
	w.t.Helper()
	var c *ent.Connection
	w.change(func(ctx context.Context, tx *store.Tx) (err error) {
		create := tx.Connection.Create().SetAccountID(w.account.ID).SetPlane(connection.PlaneCOPILOT).SetScopeID(w.plane.ID).SetName(name).
			SetKind(connection.KindMCP_HTTP).SetURL("https://api.example/mcp")
		with(create)
		c, err = create.Save(ctx)
		return err
	})
	return c
}

func (w *world) set(c *ent.Connection, userID string, in credential.Secret) error {
	w.t.Helper()
	return w.InTx(tenancy.System(w.t.Context(), "test"), func(ctx context.Context, tx *store.Tx) error { return w.a.Set(ctx, tx, c, userID, in) })
}

// signed is a request to an address as the connection signs it for somebody.
func (w *world) signed(at *credential.Store, c *ent.Connection, userID, address string) (*http.Request, error) {
	w.t.Helper()
	sign, err := at.Authorize(w.t.Context(), c, userID)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, nil)
	require.NoError(w.t, err)
	return req, sign(req)
}

// everything is all that the database, the log and the audit show of an
// account's credentials.
func (w *world) everything() string {
	w.t.Helper()
	ctx := tenancy.System(w.t.Context(), "test")
	out := w.log.String()
	for _, e := range w.AuditEvent.Query().AllX(ctx) {
		text, err := json.Marshal(e)
		require.NoError(w.t, err)
		out += string(text) + "\n"
	}
	for _, row := range w.ConnectionCredential.Query().AllX(ctx) {
		out += row.String() + string(row.Secret) + "\n"
		text, err := json.Marshal(row)
		require.NoError(w.t, err)
		out += string(text) + "\n"
	}
	return out
}

// provider is the certified authorization server.
type provider struct {
	t      testing.TB
	issuer string
	node   *exec.Cmd
}

const clientSecret = "the client's own secret"

func newProvider(t testing.TB) *provider {
	t.Helper()
	text, err := json.Marshal([]any{[]any{map[string]any{"client_id": "cockpit", "client_secret": clientSecret,
		"redirect_uris": []string{cockpit + credential.CallbackPath}, "grant_types": []string{"authorization_code", "refresh_token"}}}})
	require.NoError(t, err)
	p := &provider{t: t, node: exec.Command("node", "../sso/testdata/openid.mjs", string(text))}
	in, err := p.node.StdinPipe()
	require.NoError(t, err)
	out, err := p.node.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.node.Start())
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = p.node.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, "node, and npm ci in ui, are needed")
	var issuers []string
	require.NoError(t, json.Unmarshal(line, &issuers))
	p.issuer = issuers[0]
	return p
}

// grants is how many tokens the server gave by a kind of grant.
func (p *provider) grants(kind string) int {
	p.t.Helper()
	res, err := http.Get(p.issuer + "/grants")
	require.NoError(p.t, err)
	defer func() { _ = res.Body.Close() }()
	var n map[string]int
	require.NoError(p.t, json.NewDecoder(res.Body).Decode(&n))
	return n[kind]
}

var (
	action = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	prompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
)

// visit signs somebody in where a browser is sent, and returns what it comes
// back to Cockpit with.
func (p *provider) visit(address, login string) url.Values {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(p.t, err)
	var landed url.Values
	web := http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), cockpit) {
			landed = r.URL.Query()
			return http.ErrUseLastResponse
		}
		return nil
	}}
	res, err := web.Get(address)
	for range 6 {
		require.NoError(p.t, err)
		page, err2 := io.ReadAll(res.Body)
		require.NoError(p.t, err2)
		require.NoError(p.t, res.Body.Close())
		if landed != nil {
			return landed
		}
		to, which := action.FindSubmatch(page), prompt.FindSubmatch(page)
		require.NotNil(p.t, to, string(page))
		next, err2 := res.Request.URL.Parse(string(to[1]))
		require.NoError(p.t, err2)
		res, err = web.PostForm(next.String(), url.Values{"prompt": {string(which[1])}, "login": {login}, "password": {"x"}})
	}
	p.t.Fatal("still at the provider")
	return nil
}

// who asks the server whose token a request carries.
func (p *provider) who(r *http.Request) string {
	p.t.Helper()
	res, err := http.DefaultClient.Do(r)
	require.NoError(p.t, err)
	defer func() { _ = res.Body.Close() }()
	var u struct {
		Sub string `json:"sub"`
	}
	require.Equal(p.t, http.StatusOK, res.StatusCode)
	require.NoError(p.t, json.NewDecoder(res.Body).Decode(&u))
	return u.Sub
}
