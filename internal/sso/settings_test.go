package sso_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/personaltoken"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// zone is a name server with TXT records of a test's own.
type zone struct {
	mu      sync.Mutex
	records map[string][]string
	broken  bool
}

func (z *zone) set(name string, texts ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.records[name+"."] = texts
}

func (z *zone) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	z.mu.Lock()
	defer z.mu.Unlock()
	m := new(dns.Msg).SetReply(q)
	texts, known := z.records[strings.ToLower(q.Question[0].Name)]
	switch {
	case z.broken:
		m.Rcode = dns.RcodeServerFailure
	case !known:
		m.Rcode = dns.RcodeNameError
	}
	for _, text := range texts {
		m.Answer = append(m.Answer, &dns.TXT{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 1}, Txt: []string{text}})
	}
	_ = w.WriteMsg(m)
}

// nameServer starts a real name server and lets the world ask it.
func (w *world) nameServer() *zone {
	w.t.Helper()
	z := &zone{records: map[string][]string{}}
	conn, err := (&net.ListenConfig{}).ListenPacket(w.t.Context(), "udp", "127.0.0.1:0")
	require.NoError(w.t, err)
	started := make(chan struct{})
	s := &dns.Server{PacketConn: conn, Handler: z, NotifyStartedFunc: func() { close(started) }}
	go func() { _ = s.ActivateAndServe() }()
	<-started
	w.t.Cleanup(func() { require.NoError(w.t, s.Shutdown()) })
	w.gate.DNSServer = conn.LocalAddr().String()
	return z
}

func TestDomainsAreProvedByDNS(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		z := w.nameServer()
		a, b := w.account("alpha"), w.account("beta")
		claim := func(a *ent.Account) *ent.Domain {
			d, err := w.gate.CreateDomain(t.Context(), a.ID, "Acme.Example")
			require.NoError(t, err)
			require.Nil(t, d.VerifiedName)
			return d
		}
		da, db := claim(a), claim(b)
		require.NotEqual(t, da.Token, db.Token)
		_, err := w.gate.CreateDomain(t.Context(), a.ID, "acme.example.")
		require.True(t, fault.Is(err, fault.Exists))

		wrong := func(d *ent.Domain, word string) {
			t.Helper()
			_, err := w.gate.VerifyDomain(t.Context(), d)
			require.True(t, fault.Is(err, fault.Invalid), "%v", err)
			require.Contains(t, err.Error(), word)
			now := w.Domain.GetX(system(t), d.ID)
			require.Nil(t, now.VerifiedName)
			require.NotNil(t, now.CheckedAt)
			require.Contains(t, now.CheckError, word)
		}
		wrong(da, "no TXT record at _cockpit.acme.example")
		z.set("_cockpit.acme.example", "v=spf1 -all")
		wrong(da, "v=spf1 -all")
		z.set("_cockpit.acme.example", strings.Repeat("x", 250), "cockpit-verification=", "cockpit-verification="+da.Token+"x")
		wrong(da, "and not what it must say")
		z.broken = true
		wrong(da, "don't answer right now")
		z.broken = false

		z.set("_cockpit.acme.example", "something else", " cockpit-verification="+db.Token+" ", "cockpit-verification="+da.Token)
		proved, err := w.gate.VerifyDomain(t.Context(), da)
		require.NoError(t, err)
		require.Equal(t, "acme.example", *proved.VerifiedName)
		require.Equal(t, "DNS", string(proved.VerifiedBy))
		require.Empty(t, proved.CheckError)
		again, err := w.gate.VerifyDomain(t.Context(), proved)
		require.NoError(t, err)
		require.Equal(t, proved.VerifiedAt, again.VerifiedAt)

		_, err = w.gate.VerifyDomain(t.Context(), db)
		require.True(t, fault.Is(err, fault.Exists), "%v", err)
		require.NotContains(t, strings.ToLower(err.Error()), "alpha", "whose it is stays untold")
		require.NoError(t, w.gate.DeleteDomain(t.Context(), proved))
		require.True(t, fault.Is(w.gate.DeleteDomain(t.Context(), proved), fault.NotFound))
		_, err = w.gate.VerifyDomain(t.Context(), db)
		require.NoError(t, err, "given up, it can be another's")
		require.Equal(t, []string{"domain.check", "domain.create", "domain.delete", "domain.verify"},
			w.AuditEvent.Query().Where(auditevent.ActionHasPrefix("domain.")).Unique(true).Order(auditevent.ByAction()).Select(auditevent.FieldAction).StringsX(system(t)))
	})
}

// How to sign in follows from the domain alone.
func TestMethodsTellNothingOfPeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha", "alpha.example")
		w.account("empty", "empty.example")
		l := newLiar(t, "alpha-client")
		ask := func(email string) string {
			m, err := w.gate.Methods(t.Context(), email, from.IP)
			require.NoError(t, err)
			names := []string{}
			for _, p := range m.Providers {
				names = append(names, p.Name)
			}
			return fmt.Sprint(m.Password, names)
		}
		admin := w.admin(a, "admin@alpha.example")
		require.Equal(t, "true []", ask("admin@alpha.example"))
		p := w.provider(a, l)
		for range 2 { // before and after somebody has a user
			require.Equal(t, "true [Provider alpha-client]", ask("admin@alpha.example"))
			require.Equal(t, "true [Provider alpha-client]", ask("Nobody@ALPHA.example"))
			_, r := w.browser().signIn(l, p, map[string]any{"email": "nobody@alpha.example"})
			require.Nil(t, r)
		}
		require.Equal(t, "true []", ask("x@sub.alpha.example"))
		require.Equal(t, "true []", ask("x@empty.example"))
		require.Equal(t, "true []", ask("x@unknown.example"))
		_, err := w.gate.Enforce(tenancy.WithViewer(t.Context(), admin), a.ID, true)
		require.NoError(t, err)
		require.Equal(t, ask("nobody@alpha.example"), ask("admin@alpha.example"), "who is an admin isn't told")
		require.Equal(t, "false [Provider alpha-client]", ask("admin@alpha.example"))
		_, err = w.gate.Methods(t.Context(), "no address", from.IP)
		require.True(t, fault.Is(err, fault.BadInput))

		limited := 0
		for range 100 {
			if _, err := w.gate.Methods(t.Context(), "x@alpha.example", "198.51.100.9"); fault.Is(err, fault.RateLimited) {
				limited++
			}
		}
		require.Positive(t, limited)
		require.Equal(t, "true []", ask("x@unknown.example"), "other addresses aren't touched")
	})
}

func ptr[T any](v T) *T { return &v }

func TestProviderIsCheckedAndItsSecretKept(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha")
		l := newLiar(t, "alpha-client")
		good := func() sso.ProviderInput {
			return sso.ProviderInput{Name: ptr("Okta"), Issuer: &l.URL, ClientID: &l.clientID, ClientSecret: &l.secret}
		}
		for field, change := range map[string]func(*sso.ProviderInput){
			"name":       func(in *sso.ProviderInput) { in.Name = ptr(" ") },
			"clientId":   func(in *sso.ProviderInput) { in.ClientID = ptr("") },
			"scopes":     func(in *sso.ProviderInput) { in.Scopes = []string{"a b"} },
			"emailClaim": func(in *sso.ProviderInput) { in.EmailClaim = ptr(strings.Repeat("x", 201)) },
		} {
			in := good()
			change(&in)
			_, err := w.gate.CreateProvider(t.Context(), a.ID, in)
			require.True(t, fault.Is(err, fault.Invalid), field)
			require.Equal(t, []string{field}, fault.As(err).Path)
		}
		for _, issuer := range []string{"", "x", "ftp://x.example", "http://login.example.com", "http://10.0.0.1", "https://u:p@x.example", "https://x.example?y", "https://x.example#y",
			"http://127.0.0.1.evil.example", "javascript:alert(1)", "https://", l.URL + "/nothing", l.URL + "/"} {
			in := good()
			in.Issuer = &issuer
			_, err := w.gate.CreateProvider(t.Context(), a.ID, in)
			require.True(t, fault.Is(err, fault.Invalid), "%q: %v", issuer, err)
		}
		for name, lie := range map[string]func(map[string]any){
			"another issuer": func(d map[string]any) { d["issuer"] = "https://evil.example" },
			"a script":       func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" },
			"plain http":     func(d map[string]any) { d["token_endpoint"] = "http://token.example/x" },
			"no keys":        func(d map[string]any) { delete(d, "jwks_uri") },
			"shared keys":    func(d map[string]any) { d["id_token_signing_alg_values_supported"] = []string{"HS256", "none"} },
			"endless":        func(d map[string]any) { d["x"] = strings.Repeat("x", 2<<20) },
		} {
			l.document = lie
			_, err := w.gate.CreateProvider(t.Context(), a.ID, good())
			require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
		}
		l.document = nil
		require.Zero(t, w.IdentityProvider.Query().CountX(system(t)))

		p, err := w.gate.CreateProvider(t.Context(), a.ID, good())
		require.NoError(t, err)
		require.Equal(t, identityprovider.StatusDRAFT, p.Status)
		require.Equal(t, []string{"openid", "profile", "email"}, p.Scopes)
		require.NotContains(t, string(p.Secret), l.secret)
		require.Equal(t, l.secret[len(l.secret)-4:], p.SecretHint)
		_, err = w.gate.CreateProvider(t.Context(), a.ID, good())
		require.True(t, fault.Is(err, fault.Exists))
		for _, mask := range []string{p.SecretHint, "••••" + p.SecretHint, "***"} {
			q, err := w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{ClientSecret: &mask})
			require.NoError(t, err)
			require.Equal(t, p.Secret, q.Secret, "the mask, posted back")
		}
		_, err = w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{Name: ptr("Other"), ExpectedVersion: ptr(p.Version)})
		require.True(t, fault.Is(err, fault.Conflict))
		other := newLiar(t, "x")
		_, err = w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{Issuer: &other.URL})
		require.True(t, fault.Is(err, fault.Invalid), "the secret isn't sent to another server")
		require.Equal(t, []string{"clientSecret"}, fault.As(err).Path)
		q, err := w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{Issuer: &other.URL, ClientSecret: ptr("")})
		require.NoError(t, err)
		require.Empty(t, q.Secret)
		require.Empty(t, q.SecretHint)
		for _, e := range w.AuditEvent.Query().AllX(system(t)) {
			require.NotContains(t, fmt.Sprint(e, string(e.Changes)), l.secret)
			require.NotContains(t, string(e.Changes), "secret\"")
		}
	})
}

// What a tenant names is called only where the operator allows it, looked at
// after DNS.
func TestClosedNetworksAreNotCalled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	a := w.account("alpha")
	l := newLiar(t, "alpha-client")
	o := w.gate.Options
	o.Client, o.Networks = outbound.NewClient(nil), []netip.Prefix{loopback} // the scheme passes, the network doesn't
	closed := sso.New(o)
	_, err := closed.CreateProvider(t.Context(), a.ID, sso.ProviderInput{Name: ptr("x"), Issuer: &l.URL, ClientID: ptr("x")})
	require.True(t, fault.Is(err, fault.Invalid))
	require.Contains(t, err.Error(), "--allow-networks")
	require.Empty(t, l.asked)
	_, err = closed.CreateProvider(t.Context(), a.ID, sso.ProviderInput{Name: ptr("x"), Issuer: ptr("https://localhost:1"), ClientID: ptr("x")})
	require.ErrorIs(t, err, outbound.ErrForbidden)
}

// A provider lets people in once an admin went all the way through it as it is.
func TestTestedBeforeUsed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.account("alpha", "alpha.example"), w.account("beta", "beta.example")
		admin, stranger := w.admin(a, "admin@alpha.example"), w.admin(b, "admin@beta.example")
		l := newLiar(t, "alpha-client")
		p, err := w.gate.CreateProvider(t.Context(), a.ID, sso.ProviderInput{Name: ptr("Okta"), Issuer: &l.URL, ClientID: &l.clientID, ClientSecret: &l.secret})
		require.NoError(t, err)
		activate := func() error {
			_, err := w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{Status: ptr("ACTIVE")})
			return err
		}
		require.True(t, fault.Is(activate(), fault.Invalid))

		t.Log("drafts are for admins of the account")
		for _, v := range []*tenancy.Viewer{nil, stranger} {
			br := w.browser()
			br.viewer = v
			_, r := w.gate.Begin(br.ctx(), sso.Begin{ProviderID: p.ID, From: from})
			require.Equal(t, sso.UnknownProvider, r.Code)
			_, r = w.gate.Begin(br.ctx(), sso.Begin{ProviderID: p.ID, Test: true, From: from})
			require.Equal(t, sso.NotAllowed, r.Code)
		}
		narrowed := *admin
		narrowed.Narrowed, narrowed.Permissions = true, []string{"account.manage"}
		_, r := w.gate.Begin(tenancy.WithViewer(t.Context(), &narrowed), sso.Begin{ProviderID: p.ID, Test: true, From: from})
		require.Equal(t, sso.NotAllowed, r.Code, "no program tests")

		users := w.User.Query().CountX(system(t))
		test := func(claims map[string]any) *ent.IdentityProvider {
			t.Helper()
			br := w.browser()
			br.viewer = admin
			done, r := br.finish(a.ID, l.answer(br.begin(sso.Begin{ProviderID: p.ID, Test: true, Invitation: "x"}), claims))
			require.Nil(t, r)
			require.Nil(t, done.SignedIn)
			require.Equal(t, "/a/alpha/settings/sign-in?tested="+p.ID, done.Location)
			return w.IdentityProvider.GetX(system(t), p.ID)
		}
		now := test(map[string]any{"email": "bob@beta.example"})
		require.Nil(t, now.TestedAt)
		require.Contains(t, now.TestError, "domain")
		now = test(map[string]any{"aud": "other"})
		require.Contains(t, now.TestError, "another client")
		require.True(t, fault.Is(activate(), fault.Invalid))

		t.Log("a test ends in the session that began it")
		br := w.browser()
		br.viewer = admin
		q := l.answer(br.begin(sso.Begin{ProviderID: p.ID, Test: true}), nil)
		br.viewer = stranger
		_, r = br.finish(a.ID, q)
		require.Equal(t, sso.NotAllowed, r.Code)

		t.Log("a test of what the provider was before says nothing")
		br.viewer = admin
		q = l.answer(br.begin(sso.Begin{ProviderID: p.ID, Test: true}), nil)
		_, err = w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{GroupsClaim: ptr("roles")})
		require.NoError(t, err)
		_, r = br.finish(a.ID, q)
		require.Nil(t, r)
		require.Nil(t, w.IdentityProvider.GetX(system(t), p.ID).TestedAt)

		now = test(nil)
		require.NotNil(t, now.TestedAt)
		require.Empty(t, now.TestError)
		require.Equal(t, users, w.User.Query().CountX(system(t)), "nobody is made")
		require.Zero(t, w.ExternalIdentity.Query().CountX(system(t)))
		require.Zero(t, w.Session.Query().Where(session.KindEQ(session.KindSSO)).CountX(system(t)))
		require.NoError(t, activate())
		_, r = w.browser().signIn(l, p, nil)
		require.Nil(t, r)

		t.Log("changes of issuer, client and claims ask for a new test; others don't")
		for name, in := range map[string]sso.ProviderInput{"name": {Name: ptr("New")}, "secret": {ClientSecret: &l.secret}, "just in time": {JustInTime: ptr(false)},
			"the same": {ClientID: &l.clientID, Issuer: &l.URL}} {
			q, err := w.gate.UpdateProvider(t.Context(), p, in)
			require.NoError(t, err)
			require.Equal(t, identityprovider.StatusACTIVE, q.Status, name)
			require.NotNil(t, q.TestedAt)
		}
		for name, in := range map[string]sso.ProviderInput{"client": {ClientID: ptr("other")}, "claim": {EmailClaim: ptr("upn")}, "scopes": {Scopes: []string{"groups"}}} {
			w.change(func(ctx context.Context, tx *store.Tx) error {
				return tx.IdentityProvider.UpdateOneID(p.ID).SetStatus(identityprovider.StatusACTIVE).SetTestedAt(w.Now()).Exec(ctx)
			})
			q, err := w.gate.UpdateProvider(t.Context(), p, in)
			require.NoError(t, err)
			require.Equal(t, identityprovider.StatusDRAFT, q.Status, name)
			require.Nil(t, q.TestedAt, name)
			in.Status = ptr("ACTIVE")
			_, err = w.gate.UpdateProvider(t.Context(), p, in)
			require.True(t, fault.Is(err, fault.Invalid), name)
		}
	})
}

// Enforcing single sign-on never locks everybody out, and passwords are the way
// back of admins alone.
func TestEnforcing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha")
		admin := w.admin(a, "admin@alpha.example")
		hash, err := identity.HashPassword(t.Context(), "correct horse battery")
		require.NoError(t, err)
		var bob *ent.User
		w.change(func(ctx context.Context, tx *store.Tx) (err error) {
			bob, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: "bob@alpha.example", Name: "Bob", PasswordHash: hash})
			if err == nil {
				tx.Login.UpdateOneID(*tx.User.GetX(ctx, admin.UserID).LoginID).SetPasswordHash(hash).ExecX(ctx)
			}
			return err
		})
		password := func(email string) (*identity.SignedIn, error) {
			return w.sessions.SignIn(t.Context(), email, "correct horse battery", "", from)
		}
		before, err := password("bob@alpha.example")
		require.NoError(t, err)

		enforce := func(on bool) error { _, err := w.gate.Enforce(t.Context(), a.ID, on); return err }
		require.True(t, fault.Is(enforce(true), fault.Invalid), "nothing is set up")
		l := newLiar(t, "alpha-client")
		p := w.provider(a, l)
		require.True(t, fault.Is(enforce(true), fault.Invalid), "no domain")
		z := w.nameServer()
		d, err := w.gate.CreateDomain(t.Context(), a.ID, "alpha.example")
		require.NoError(t, err)
		z.set("_cockpit.alpha.example", "cockpit-verification="+d.Token)
		d, err = w.gate.VerifyDomain(t.Context(), d)
		require.NoError(t, err)
		token := func(userID, name string) string {
			var row *ent.PersonalToken
			w.change(func(ctx context.Context, tx *store.Tx) (err error) {
				row, err = tx.PersonalToken.Create().SetAccountID(a.ID).SetPlane(personaltoken.PlaneACCOUNT).SetUserID(userID).SetName(name).
					SetTokenHash(name).SetPrefix("cp_x").SetPermissions([]string{"read"}).SetExpiresAt(w.Now().Add(time.Hour)).Save(ctx)
				return err
			})
			return row.ID
		}
		bobs, admins := token(bob.ID, "bob's"), token(admin.UserID, "admin's")
		require.NoError(t, enforce(true))
		require.NotNil(t, w.PersonalToken.GetX(system(t), bobs).RevokedAt, "he made it by a password that isn't taken any more")
		require.Nil(t, w.PersonalToken.GetX(system(t), admins).RevokedAt)
		e := w.AuditEvent.Query().Where(auditevent.Action("signIn.enforce")).OnlyX(system(t))
		require.Contains(t, string(e.Changes), "personalTokens")

		t.Log("passwords of members are refused like wrong ones; sessions that they opened have ended")
		_, err = password("bob@alpha.example")
		_, wrong := w.sessions.SignIn(t.Context(), "bob@alpha.example", "wrong horse battery", "", from)
		require.Equal(t, wrong, err)
		require.NotNil(t, w.Session.GetX(system(t), before.Viewer.SessionID).RevokedAt)
		require.Nil(t, w.Session.GetX(system(t), admin.SessionID).RevokedAt)
		back, err := password("admin@alpha.example")
		require.NoError(t, err)
		require.Equal(t, a.ID, back.Viewer.AccountID)
		done, r := w.browser().signIn(l, p, map[string]any{"email": "bob@alpha.example"})
		require.Nil(t, r)
		require.Equal(t, bob.ID, done.SignedIn.Viewer.UserID)
		bobs = token(bob.ID, "bob's own, by the provider")
		require.NoError(t, enforce(true))
		require.Nil(t, w.PersonalToken.GetX(system(t), bobs).RevokedAt)

		t.Log("the last way in stays")
		for name, err := range map[string]error{
			"delete provider": w.gate.DeleteProvider(t.Context(), p),
			"disable":         second(w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{Status: ptr("DISABLED")})),
			"draft":           second(w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{Status: ptr("DRAFT")})),
			"untest":          second(w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{ClientID: ptr("x")})),
			"delete domain":   w.gate.DeleteDomain(t.Context(), d),
		} {
			require.True(t, fault.Is(err, fault.InUse), "%s: %v", name, err)
		}
		require.Equal(t, identityprovider.StatusACTIVE, w.IdentityProvider.GetX(system(t), p.ID).Status)

		t.Log("two of two disabled at once: one stays")
		l2 := newLiar(t, "second-client")
		p2 := w.provider(a, l2)
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, q := range []*ent.IdentityProvider{p, p2} {
			wg.Go(func() {
				_, errs[i] = w.gate.UpdateProvider(t.Context(), q, sso.ProviderInput{Status: ptr("DISABLED")})
			})
		}
		wg.Wait()
		require.Equal(t, 1, w.IdentityProvider.Query().Where(identityprovider.StatusEQ(identityprovider.StatusACTIVE)).CountX(system(t)), "%v", errs)

		require.NoError(t, enforce(false))
		_, err = password("bob@alpha.example")
		require.NoError(t, err)
	})
}

func second[T any](_ T, err error) error { return err }

// Who goes away with a provider.
func TestProvidersTakeTheirSessions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha", "alpha.example")
		l, l2 := newLiar(t, "one"), newLiar(t, "two")
		p, p2 := w.provider(a, l), w.provider(a, l2)
		in := func(l *liar, p *ent.IdentityProvider) string {
			done, r := w.browser().signIn(l, p, nil)
			require.Nil(t, r)
			return done.SignedIn.Token
		}
		open := func(token string) bool {
			t.Helper()
			want := w.Account.GetX(system(t), a.ID).Epoch
			require.Eventually(t, func() bool { return w.epochs.Fresh() && w.epochs.Of(a.ID) >= want }, 20*time.Second, 5*time.Millisecond)
			_, err := w.sessions.Viewer(t.Context(), token)
			for err != nil && !fault.Is(err, fault.Unauthenticated) {
				time.Sleep(10 * time.Millisecond)
				_, err = w.sessions.Viewer(t.Context(), token)
			}
			return err == nil
		}
		one, two := in(l, p), in(l2, p2)
		require.Equal(t, 1, w.User.Query().CountX(system(t)), "one person by two providers")
		require.True(t, open(one) && open(two))
		_, err := w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{Status: ptr("DISABLED")})
		require.NoError(t, err)
		require.False(t, open(one))
		require.True(t, open(two))
		require.NoError(t, w.gate.DeleteProvider(t.Context(), p2))
		require.False(t, open(two))
		require.Equal(t, 1, w.ExternalIdentity.Query().CountX(system(t)))
		require.Equal(t, 1, w.User.Query().CountX(system(t)), "the person stays")
	})
}

// Groups bring what is missing, and signing in again takes nothing away.
func TestGroupsGiveAndNeverTake(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.account("alpha", "alpha.example"), w.account("beta", "beta.example")
		l := newLiar(t, "alpha-client")
		p := w.provider(a, l)
		at := func(a *ent.Account, kind scope.Kind, plane scope.Plane) *ent.Scope {
			return w.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(kind), scope.PlaneEQ(plane)).OnlyX(system(t))
		}
		everyone, copilot := at(a, scope.KindTEAM, scope.PlaneCONSOLE), at(a, scope.KindTEAM, scope.PlaneCOPILOT)
		org, root := at(a, scope.KindORGANIZATION, scope.PlaneCONSOLE), at(a, scope.KindACCOUNT, scope.PlaneACCOUNT)
		mapping := func(group string, s *ent.Scope, role tenancy.RoleName) (*ent.GroupMapping, error) {
			return w.gate.CreateMapping(t.Context(), p, sso.MappingInput{Group: group, Scope: s, Role: role})
		}
		for name, bad := range map[string]error{
			"another account's team":   second(mapping("g", at(b, scope.KindTEAM, scope.PlaneCONSOLE), tenancy.Seatholder)),
			"a seat in no team":        second(mapping("g", org, tenancy.Seatholder)),
			"everybody an admin":       second(mapping(" ", root, tenancy.Admin)),
			"a role at the platform":   second(mapping("g", w.Scope.Query().Where(scope.KindEQ(scope.KindPLATFORM)).OnlyX(system(t)), tenancy.Admin)),
			"a group without an end":   second(mapping(strings.Repeat("g", 201), everyone, tenancy.Seatholder)),
			"a role that isn't a role": second(mapping("g", everyone, "OWNER")),
		} {
			require.Error(t, bad, name)
		}
		for _, m := range []sso.MappingInput{{Group: "", Scope: everyone, Role: tenancy.Seatholder}, {Group: "copilots", Scope: copilot, Role: tenancy.Seatholder},
			{Group: "leads", Scope: org, Role: tenancy.Admin}, {Group: "auditors", Scope: root, Role: tenancy.Auditor}} {
			_, err := w.gate.CreateMapping(t.Context(), p, m)
			require.NoError(t, err)
			_, err = w.gate.CreateMapping(t.Context(), p, m)
			require.True(t, fault.Is(err, fault.Exists))
		}
		in := func(groups ...string) *tenancy.Viewer {
			t.Helper()
			done, r := w.browser().signIn(l, p, map[string]any{"groups": groups, "name": fmt.Sprint("Name ", len(groups))})
			require.Nil(t, r)
			return done.SignedIn.Viewer
		}
		held := func(v *tenancy.Viewer) (out []string) {
			for _, r := range v.Roles {
				out = append(out, string(r.Role)+" "+string(r.Kind))
			}
			return out
		}
		v := in()
		require.Equal(t, []string{"MEMBER MEMBER"}, held(v))
		require.Equal(t, p.ID, w.Member.Query().OnlyX(system(t)).Source)
		require.True(t, w.Member.Query().OnlyX(system(t)).IsDefault)
		v = in("leads", "Leads", "copilots", "unknown")
		require.ElementsMatch(t, []string{"ADMIN ORGANIZATION", "MEMBER MEMBER", "MEMBER MEMBER"}, held(v))
		require.Equal(t, p.ID, w.RoleBinding.Query().OnlyX(system(t)).Source)
		require.Len(t, held(in()), 3, "leaving the groups takes nothing away")
		require.Equal(t, "Name 0", w.User.GetX(system(t), v.UserID).Name, "names aren't reset")

		t.Log("what people gave stays theirs")
		w.change(func(ctx context.Context, tx *store.Tx) error {
			return identity.BindRole(ctx, tx, tx.User.GetX(ctx, v.UserID), root, tenancy.Auditor)
		})
		in("auditors")
		require.Empty(t, w.RoleBinding.Query().Where(rolebinding.ScopeID(root.ID)).OnlyX(system(t)).Source)
		w.change(func(ctx context.Context, tx *store.Tx) error {
			return tx.Scope.UpdateOneID(copilot.ID).SetArchivedAt(w.Now()).Exec(ctx)
		})
		done, r := w.browser().signIn(l, p, map[string]any{"sub": "2", "email": "bob@alpha.example", "groups": []string{"copilots"}})
		require.Nil(t, r)
		require.Equal(t, []string{"MEMBER MEMBER"}, held(done.SignedIn.Viewer), "a team that is gone has no seats")

		m := w.GroupMapping.Query().Order(ent.Asc("id")).FirstX(system(t))
		require.NoError(t, w.gate.DeleteMapping(t.Context(), m))
		require.True(t, fault.Is(w.gate.DeleteMapping(t.Context(), m), fault.NotFound))
		require.Len(t, held(in()), 3)
	})
}

// Existing people are linked by an address that is proved, once; without
// just-in-time users nobody else gets in.
func TestLinkingExistingPeople(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha", "alpha.example")
		ada := w.admin(a, "ada@alpha.example")
		l := newLiar(t, "alpha-client")
		p := w.provider(a, l)
		p, err := w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{JustInTime: ptr(false)})
		require.NoError(t, err)
		_, r := w.browser().signIn(l, p, map[string]any{"email": "eve@alpha.example", "sub": "e"})
		require.Equal(t, sso.NoUser, r.Code)
		done, r := w.browser().signIn(l, p, map[string]any{"email": "ADA@alpha.example"})
		require.Nil(t, r)
		require.Equal(t, ada.UserID, done.SignedIn.Viewer.UserID)
		require.True(t, done.SignedIn.Viewer.WholeAccount(), "the roles are those that she had")
		require.NotNil(t, w.User.GetX(system(t), ada.UserID).LastSignInAt)
		done, r = w.browser().signIn(l, p, map[string]any{"email": "renamed@elsewhere.example", "email_verified": false})
		require.Nil(t, r, "from then on the subject counts")
		require.Equal(t, ada.UserID, done.SignedIn.Viewer.UserID)
		require.Equal(t, "ada@alpha.example", w.User.GetX(system(t), ada.UserID).Email)
		row := w.Session.GetX(system(t), done.SignedIn.Viewer.SessionID)
		require.Equal(t, session.KindSSO, row.Kind)
		require.Equal(t, p.ID, row.IdentityProviderID)
	})
}

// What the ID token lacks is asked for, of the same person alone.
func TestUserInformation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	a := w.account("alpha", "alpha.example")
	l := newLiar(t, "alpha-client")
	p := w.provider(a, l)
	thin := map[string]any{"email": nil, "email_verified": nil, "groups": nil, "name": nil}
	set := func(info map[string]any) { l.mu.Lock(); defer l.mu.Unlock(); l.userInfo = info }
	set(map[string]any{"sub": "2", "email": "bob@alpha.example", "email_verified": true})
	_, r := w.browser().signIn(l, p, thin)
	require.Equal(t, sso.BadToken, r.Code, "of another person")
	set(map[string]any{"sub": "1", "email": "ada@alpha.example", "email_verified": false})
	_, r = w.browser().signIn(l, p, thin)
	require.Equal(t, sso.UnverifiedEmail, r.Code)
	set(map[string]any{"sub": "1", "email": "eve@alpha.example", "email_verified": true, "name": "Ada"})
	_, r = w.browser().signIn(l, p, map[string]any{"name": nil, "groups": nil, "email_verified": false})
	require.Equal(t, sso.UnverifiedEmail, r.Code, "what the token says stands")
	set(map[string]any{"sub": "1", "email": "ada@alpha.example", "email_verified": true, "name": "Ada"})
	done, r := w.browser().signIn(l, p, thin)
	require.Nil(t, r)
	require.Equal(t, "Ada", done.SignedIn.Viewer.Name)
}

// Whoever follows an invitation gets what it offers, and nobody else gets in by
// its link.
func TestInvitationsThroughAProvider(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha", "alpha.example")
		b := w.account("beta")
		guestElsewhere := w.admin(b, "guest@elsewhere.example")
		login := *w.User.GetX(system(t), guestElsewhere.UserID).LoginID
		l := newLiar(t, "alpha-client")
		p := w.provider(a, l)
		p, err := w.gate.UpdateProvider(t.Context(), p, sso.ProviderInput{JustInTime: ptr(false)})
		require.NoError(t, err)
		team := w.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindTEAM), scope.PlaneEQ(scope.PlaneCONSOLE)).OnlyX(system(t))
		invite := func(email string) string {
			token := secret.Token()
			w.change(func(ctx context.Context, tx *store.Tx) error {
				return tx.Invitation.Create().SetAccountID(a.ID).SetPlane(invitation.PlaneCONSOLE).SetScopeID(team.ID).SetEmail(email).
					SetRole(invitation.RoleMEMBER).SetTokenHash(secret.Hash(token)).SetInvitedByName("Admin").SetExpiresAt(w.Now().Add(time.Hour)).Exec(ctx)
			})
			return token
		}
		in := func(token string, claims map[string]any) (*sso.Finished, *sso.Refusal) {
			br := w.browser()
			return br.finish(a.ID, l.answer(br.begin(sso.Begin{ProviderID: p.ID, Invitation: token}), claims))
		}
		guest := map[string]any{"sub": "g", "email": "guest@elsewhere.example"}
		_, r := in(invite("guest@elsewhere.example"), guest)
		require.Equal(t, sso.ForeignDomain, r.Code, "where invitations aren't taken, they are none")
		_, r = in("x", map[string]any{"email": "new@alpha.example"})
		require.Equal(t, sso.NoUser, r.Code)

		w.gate.Accept = func(ctx context.Context, tx *store.Tx, token string, u *ent.User) error {
			row, err := tx.Invitation.Query().Where(invitation.TokenHash(secret.Hash(token)), invitation.AccountID(u.AccountID), invitation.AcceptedAtIsNil()).Only(ctx)
			if err != nil || row.Email != u.Email {
				return fault.At("token", "This invitation doesn't work.")
			}
			if _, err := identity.AddMember(ctx, tx, tx.Scope.GetX(ctx, row.ScopeID), u); err != nil {
				return err
			}
			return tx.Invitation.UpdateOneID(row.ID).SetAcceptedAt(w.Now()).Exec(ctx)
		}
		users := w.User.Query().CountX(system(t))
		for name, c := range map[string]struct {
			token  string
			claims map[string]any
			code   sso.Code
		}{
			"no such invitation":      {"x", guest, sso.BadInvitation},
			"another's":               {invite("other@elsewhere.example"), guest, sso.BadInvitation},
			"an unverified address":   {invite("guest@elsewhere.example"), map[string]any{"email": "guest@elsewhere.example", "email_verified": false}, sso.UnverifiedEmail},
			"nothing said":            {invite("guest@elsewhere.example"), map[string]any{"email": "guest@elsewhere.example", "email_verified": nil}, sso.ForeignDomain},
			"another's, within alpha": {invite("other@alpha.example"), nil, sso.BadInvitation},
		} {
			_, r := in(c.token, c.claims)
			require.NotNil(t, r, name)
			require.Equal(t, c.code, r.Code, name)
		}
		require.Equal(t, users, w.User.Query().CountX(system(t)), "nobody is left behind")

		done, r := in(invite("guest@elsewhere.example"), guest)
		require.Nil(t, r)
		u := w.User.GetX(system(t), done.SignedIn.Viewer.UserID)
		require.Equal(t, a.ID, u.AccountID)
		require.Nil(t, u.LoginID, "the login that the person has elsewhere isn't reached")
		require.Equal(t, 1, w.User.Query().Where(user.LoginID(login)).CountX(system(t)))
		require.Len(t, done.SignedIn.Viewer.Roles, 1)
		done, r = in(invite("new@alpha.example"), map[string]any{"sub": "n", "email": "new@alpha.example"})
		require.Nil(t, r)
		require.Len(t, done.SignedIn.Viewer.Roles, 1)
		done, r = w.browser().signIn(l, p, guest)
		require.Nil(t, r, "and from then on without")
		require.Equal(t, u.ID, done.SignedIn.Viewer.UserID)
	})
}
