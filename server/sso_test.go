package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/scope"
	entsession "github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// office is a running server with accounts whose admins set up sign-in through
// certified providers, as they would by the cockpit.
type office struct {
	*Server
	t   *testing.T
	txt map[string]string // what the name server says
}

// customer is an account with a provider of its own.
type customer struct {
	*ent.Account
	admin    *visitor
	issuer   string
	provider string
	start    string
}

func newOffice(t *testing.T, args ...string) *office {
	t.Helper()
	o := &office{t: t, txt: map[string]string{}}
	var mu sync.Mutex
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	names := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		mu.Lock()
		defer mu.Unlock()
		m := new(dns.Msg).SetReply(q)
		name := q.Question[0].Name
		m.Answer = []dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: []string{o.txt[strings.ToLower(name)]}}}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = names.ActivateAndServe() }()
	t.Cleanup(func() { _ = names.Shutdown() })
	c, err := parse(append([]string{"--listen", "127.0.0.1:0", "--master-key", testKey, "--log-level", "error",
		"--allow-networks", "127.0.0.0/8", "--dns-server", conn.LocalAddr().String()}, args...)...)
	require.NoError(t, err)
	o.Server, err = New(t.Context(), c)
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- o.Serve(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-served) })
	return o
}

// openIDProviders starts one certified provider for each customer.
func openIDProviders(t *testing.T, clients [][]map[string]any) []string {
	t.Helper()
	text, err := json.Marshal(clients)
	require.NoError(t, err)
	node := exec.Command("node", "../internal/sso/testdata/openid.mjs", string(text))
	in, err := node.StdinPipe()
	require.NoError(t, err)
	out, err := node.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, node.Start())
	t.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = node.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, "node, and npm ci in ui, are needed")
	var issuers []string
	require.NoError(t, json.Unmarshal(line, &issuers))
	return issuers
}

// visitor is a browser with cookies.
type visitor struct {
	t    testing.TB
	o    *office
	http *http.Client
}

func (o *office) visitor(t testing.TB) *visitor {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &visitor{t: t, o: o, http: &http.Client{Jar: jar, Timeout: time.Minute}}
}

// ask runs a GraphQL operation; errors in it are the caller's.
func (v *visitor) ask(query string, variables map[string]any) map[string]any {
	v.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	require.NoError(v.t, err)
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.o.URL()+"/graphql", strings.NewReader(string(body)))
	require.NoError(v.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(csrfHeader, "1")
	res, err := v.http.Do(req)
	require.NoError(v.t, err)
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	require.NoError(v.t, json.NewDecoder(res.Body).Decode(&out))
	return out
}

// must runs a mutation that works, and returns a value of its payload.
func (v *visitor) must(query string, variables map[string]any, path ...string) any {
	v.t.Helper()
	out := v.ask(query, variables)
	require.NotContains(v.t, out, "errors", "%v", out)
	at := out["data"]
	for _, p := range path {
		m, _ := at.(map[string]any)
		at = m[p]
	}
	require.NotNil(v.t, at, "%v", out)
	return at
}

var (
	formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)
	formPrompt = regexp.MustCompile(`name="prompt" value="([^"]+)"`)
)

// goThrough follows an address to a provider, fills its forms in, and comes back;
// it returns the last answer's address.
func (v *visitor) goThrough(start, login string) (*url.URL, error) {
	res, err := v.http.Get(start)
	for range 6 {
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(res.Body)
		if err := res.Body.Close(); err != nil {
			return nil, err
		}
		if err != nil {
			return nil, err
		}
		action, prompt := formAction.FindSubmatch(text), formPrompt.FindSubmatch(text)
		if !strings.Contains(res.Request.URL.Path, "/interaction/") || action == nil || prompt == nil {
			return res.Request.URL, nil
		}
		to, err := res.Request.URL.Parse(string(action[1]))
		if err != nil {
			return nil, err
		}
		res, err = v.http.PostForm(to.String(), url.Values{"prompt": {string(prompt[1])}, "login": {login}, "password": {"x"}})
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("still at the provider: %s", res.Request.URL)
}

func (v *visitor) viewer() map[string]any {
	v.t.Helper()
	out := v.ask(`{ viewer { name account { id } user { id email } roles { role kind } } }`, nil)
	data, _ := out["data"].(map[string]any)
	viewer, _ := data["viewer"].(map[string]any)
	return viewer
}

// customers sets up accounts by the API, each with its domain and provider.
func (o *office) customers(slugs ...string) []*customer {
	o.t.Helper()
	sys := tenancy.System(o.t.Context(), "test")
	hash, err := identity.HashPassword(sys, password)
	require.NoError(o.t, err)
	out := make([]*customer, len(slugs))
	clients := make([][]map[string]any, len(slugs))
	for i, slug := range slugs {
		c := &customer{admin: o.visitor(o.t)}
		require.NoError(o.t, o.store.InTx(sys, func(ctx context.Context, tx *store.Tx) error {
			if c.Account, err = identity.CreateAccount(ctx, tx, identity.AccountInput{Name: slug, Slug: slug, Console: true, Copilot: true}); err != nil {
				return err
			}
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: c.ID, Email: "admin@" + slug + ".example", Name: "Admin", PasswordHash: hash})
			if err != nil {
				return err
			}
			return identity.BindRole(ctx, tx, u, tx.Scope.GetX(ctx, c.ID), tenancy.Admin)
		}))
		clients[i] = []map[string]any{{"client_id": slug + "-client", "client_secret": "secret of " + slug, "redirect_uris": []string{o.URL() + "/sso/callback/" + c.ID}}}
		out[i] = c
	}
	for i, issuer := range openIDProviders(o.t, clients) {
		out[i].issuer = issuer
		o.setUp(out[i])
	}
	return out
}

func (o *office) setUp(c *customer) {
	a := c.admin
	email := "admin@" + c.Slug + ".example"
	a.must(`mutation($i: SessionCreateInput!) { sessionCreate(input: $i) { viewer { name } } }`, map[string]any{"i": map[string]any{"email": email, "password": password}}, "sessionCreate", "viewer")
	d, _ := a.must(`mutation($i: DomainCreateInput!) { domainCreate(input: $i) { domain { id recordName recordValue } errors { message } } }`,
		map[string]any{"i": map[string]any{"name": c.Slug + ".example"}}, "domainCreate", "domain").(map[string]any)
	o.txt[fmt.Sprint(d["recordName"], ".")] = fmt.Sprint(d["recordValue"])
	verified := a.must(`mutation($i: DomainVerifyInput!) { domainVerify(input: $i) { domain { verified verifiedBy } errors { message } } }`,
		map[string]any{"i": map[string]any{"domainId": d["id"]}}, "domainVerify", "domain", "verified")
	require.Equal(o.t, true, verified)
	p, _ := a.must(`mutation($i: IdentityProviderCreateInput!) { identityProviderCreate(input: $i) { identityProvider { id testUrl callbackUrl secretHint status } errors { message } } }`,
		map[string]any{"i": map[string]any{"name": c.Slug, "issuer": c.issuer, "clientId": c.Slug + "-client", "clientSecret": "secret of " + c.Slug,
			"scopes": []string{"profile", "email", "groups"}}}, "identityProviderCreate", "identityProvider").(map[string]any)
	c.provider = fmt.Sprint(p["id"])
	require.Equal(o.t, o.URL()+"/sso/callback/"+c.ID, p["callbackUrl"])

	activate := func() map[string]any {
		return a.ask(`mutation($i: IdentityProviderUpdateInput!) { identityProviderUpdate(input: $i) { identityProvider { status testedAt } errors { code message } } }`,
			map[string]any{"i": map[string]any{"identityProviderId": c.provider, "status": "ACTIVE"}})
	}
	require.Contains(o.t, fmt.Sprint(activate()), "Test the sign-in first")
	at, err := a.goThrough(fmt.Sprint(p["testUrl"]), email)
	require.NoError(o.t, err)
	require.Equal(o.t, "/a/"+c.Slug+"/settings/sign-in?tested="+c.provider, at.RequestURI())
	require.Contains(o.t, fmt.Sprint(activate()), "status:ACTIVE")

	m, _ := o.visitor(o.t).must(`query($e: String!) { signInMethods(email: $e) { password providers { id startUrl } } }`,
		map[string]any{"e": "anybody@" + c.Slug + ".example"}, "signInMethods").(map[string]any)
	providers, _ := m["providers"].([]any)
	require.Len(o.t, providers, 1)
	first, _ := providers[0].(map[string]any)
	c.start = fmt.Sprint(first["startUrl"])
}

func eachOffice(t *testing.T, test func(t *testing.T, o *office)) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node isn't there")
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newOffice(t, "--data", t.TempDir()))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newOffice(t, "--database-url", storetest.PostgresURL(t)))
	})
}

// From the cockpit to a certified provider and back, all over HTTP.
func TestSignInThroughACertifiedProvider(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(t *testing.T, o *office) {
		sys := tenancy.System(t.Context(), "test")
		cs := o.customers("alpha", "beta")
		alpha, beta := cs[0], cs[1]
		team := o.store.Scope.Query().Where(scope.AccountID(alpha.ID), scope.KindEQ(scope.KindTEAM), scope.PlaneEQ(scope.PlaneCONSOLE)).OnlyX(sys)
		alpha.admin.must(`mutation($i: GroupMappingCreateInput!) { groupMappingCreate(input: $i) { groupMapping { id location scope { id } } errors { message } } }`,
			map[string]any{"i": map[string]any{"identityProviderId": alpha.provider, "group": "analysts", "scopeId": team.ID, "role": "MEMBER"}}, "groupMappingCreate", "groupMapping")

		t.Log("somebody new, with a group")
		ada := o.visitor(t)
		at, err := ada.goThrough(alpha.start+"&return="+url.QueryEscape("/a/alpha/keys?x=1"), "ada@alpha.example+analysts,others")
		require.NoError(t, err)
		require.Equal(t, "/a/alpha/keys?x=1", at.RequestURI())
		v := ada.viewer()
		require.Equal(t, "ada of "+alpha.issuer, v["name"])
		require.Equal(t, map[string]any{"id": alpha.ID}, v["account"])
		require.Equal(t, []any{map[string]any{"role": "MEMBER", "kind": "MEMBER"}}, v["roles"])
		u, err := url.Parse(o.URL())
		require.NoError(t, err)
		for _, c := range ada.http.Jar.Cookies(u) {
			require.NotContains(t, c.Name, "cockpit_sso_", "the flow's cookie is gone")
		}
		own := ada.ask(`{ viewer { sessions(first: 5) { totalCount edges { node { kind current user { email } } } } } }`, nil)
		require.Contains(t, fmt.Sprint(own), "kind:SSO")
		require.Contains(t, fmt.Sprint(own), "current:true")
		require.Contains(t, fmt.Sprint(own), "totalCount:1")

		t.Log("an admin sees sessions and ends them")
		list := alpha.admin.ask(`query { account { sessions(first: 10) { edges { node { id kind identityProvider { name } user { email } } } } identityProviders(first: 5) { edges { node { mappings { group scope { id } location } viewerCan { allowed } } } } domains(first: 5) { edges { node { name verified } } } } }`, nil)
		require.NotContains(t, list, "errors")
		require.Contains(t, fmt.Sprint(list), "ada@alpha.example")
		row := o.store.Session.Query().Where(entsession.KindEQ(entsession.KindSSO)).OnlyX(sys)
		foreign := beta.admin.ask(`mutation($i: SessionRevokeInput!) { sessionRevoke(input: $i) { sessionId errors { code } } }`, map[string]any{"i": map[string]any{"sessionId": row.ID}})
		require.Contains(t, fmt.Sprint(foreign), "NOT_FOUND", "another account's session isn't there")
		alpha.admin.must(`mutation($i: SessionRevokeInput!) { sessionRevoke(input: $i) { sessionId errors { code } } }`, map[string]any{"i": map[string]any{"sessionId": row.ID}}, "sessionRevoke", "sessionId")
		require.Eventually(t, func() bool { return ada.viewer() == nil }, 20*time.Second, 20*time.Millisecond)

		t.Log("refusals lead to a page with a reason")
		for login, code := range map[string]string{"eve@beta.example": "email_domain", "unverified@alpha.example": "email_unverified"} {
			eve := o.visitor(t)
			at, err := eve.goThrough(alpha.start, login)
			require.NoError(t, err)
			require.Equal(t, "/sign-in", at.Path)
			require.Equal(t, code, at.Query().Get("error"))
			require.True(t, strings.HasPrefix(at.Query().Get("request"), "req_"))
			require.Nil(t, eve.viewer())
		}
		require.Eventually(t, func() bool {
			return o.store.AuditEvent.Query().Where(auditevent.AccountID(alpha.ID), auditevent.Action("session.create"),
				auditevent.OutcomeEQ(auditevent.OutcomeREFUSED)).CountX(sys) == 2
		}, 20*time.Second, 20*time.Millisecond)

		t.Log("nothing in the address outranks what was sealed")
		for _, way := range []string{"/sso/callback/" + alpha.ID + "?code=x", "/sso/callback/" + alpha.ID + "?code=x&state=x", "/sso/callback/nothing?error=access_denied"} {
			res, err := o.visitor(t).http.Get(o.URL() + way)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, "state", res.Request.URL.Query().Get("error"))
		}
		bob := o.visitor(t)
		at, err = bob.goThrough(beta.start+"&account="+alpha.ID+"&return=https://evil.example", "bob@beta.example")
		require.NoError(t, err)
		require.Equal(t, o.URL()+"/a/beta", at.String())
		require.Equal(t, map[string]any{"id": beta.ID}, bob.viewer()["account"])
		res, err := o.visitor(t).http.Get(o.URL() + "/sso/start?test=1&provider=" + alpha.provider)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "forbidden", res.Request.URL.Query().Get("error"))

		t.Log("the provider's cookie is bound, and seen by nobody else")
		silent := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		res, err = silent.Get(alpha.start)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Len(t, res.Cookies(), 1)
		cookie := res.Cookies()[0]
		require.True(t, cookie.HttpOnly)
		require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
		require.Equal(t, "/sso/", cookie.Path)
		require.NotContains(t, res.Header.Get("Location"), cookie.Value, "the verifier stays here")
		require.Contains(t, res.Header.Get("Location"), "code_challenge_method=S256")

		t.Log("enforced: the member's password is as good as a wrong one")
		alpha.admin.must(`mutation { signInEnforce(input: {enforced: true}) { account { ssoEnforced } errors { message } } }`, nil, "signInEnforce", "account")
		out := o.visitor(t).must(`{ signInMethods(email: "admin@alpha.example") { password } }`, nil, "signInMethods", "password")
		require.Equal(t, false, out)
	})
}

// Two accounts' people at the same instant, many times.
func TestCertifiedProvidersDoNotMix(t *testing.T) {
	t.Parallel()
	eachOffice(t, func(t *testing.T, o *office) {
		cs := o.customers("alpha", "beta")
		var wg sync.WaitGroup
		errs := make(chan error, 100)
		for i := range 10 {
			for _, c := range cs {
				v := o.visitor(t)
				wg.Go(func() {
					at, err := v.goThrough(c.start, fmt.Sprintf("p%d@%s.example", i%5, c.Slug))
					if err == nil && at.String() != o.URL()+"/a/"+c.Slug {
						err = fmt.Errorf("%s ended at %s", c.Slug, at)
					}
					if err != nil {
						errs <- err
						return
					}
					if got := v.viewer(); fmt.Sprint(got["account"]) != fmt.Sprint(map[string]any{"id": c.ID}) || !strings.HasSuffix(fmt.Sprint(got["name"]), c.issuer) {
						errs <- fmt.Errorf("%s is %v", c.Slug, got)
					}
				})
			}
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
		sys := tenancy.System(t.Context(), "test")
		for _, c := range cs {
			require.Equal(t, 6, o.store.User.Query().Where(user.AccountID(c.ID)).CountX(sys), "five people and the admin")
			ids := o.store.ExternalIdentity.Query().Where(externalidentity.AccountID(c.ID)).AllX(sys)
			require.Len(t, ids, 5)
			for _, e := range ids {
				require.Equal(t, c.issuer, e.Issuer)
			}
		}
	})
}
