package sso_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/store"
)

// nobody checks that a refused sign-in left nothing behind.
func (w *world) nobody(t *testing.T) {
	t.Helper()
	require.Zero(t, w.Session.Query().Where(session.KindEQ(session.KindSSO)).CountX(system(t)))
	require.Zero(t, w.User.Query().CountX(system(t)))
	require.Zero(t, w.ExternalIdentity.Query().CountX(system(t)))
}

// A token with anything wrong in it signs nobody in, and what it claims is on no
// record.
func TestBadTokensAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha", "alpha.example")
		l := newLiar(t, "alpha-client")
		p := w.provider(a, l)
		flip := func(part int) func(map[string]any) string {
			return func(c map[string]any) string {
				parts := strings.Split(l.sign(jose.RS256, l.key, c), ".")
				b, err := base64.RawURLEncoding.DecodeString(parts[part])
				require.NoError(t, err)
				b[len(b)/2] ^= 1
				parts[part] = base64.RawURLEncoding.EncodeToString(b)
				return strings.Join(parts, ".")
			}
		}
		signature := "the ID token isn't signed by the provider's keys"
		for name, c := range map[string]struct {
			claims map[string]any
			mint   func(map[string]any) string
			reason string
		}{
			"no token": {mint: func(map[string]any) string { return "" }, reason: "the provider gives no ID token"},
			"no JWT":   {mint: func(map[string]any) string { return "abc" }, reason: signature},
			"alg none": {mint: unsigned, reason: signature},
			"no signature": {mint: func(c map[string]any) string {
				s := l.sign(jose.RS256, l.key, c)
				return s[:strings.LastIndex(s, ".")+1]
			}, reason: signature},
			"another's signature": {mint: func(c map[string]any) string { return l.sign(jose.RS256, stranger(), c) }, reason: signature},
			"changed claims":      {mint: flip(1), reason: signature},
			"changed signature":   {mint: flip(2), reason: signature},
			"HS256 with the client secret": {mint: func(c map[string]any) string {
				return l.sign(jose.HS256, []byte(strings.Repeat(l.secret, 3)), c)
			}, reason: signature},
			"an algorithm not announced": {mint: func(c map[string]any) string { return l.sign(jose.PS256, l.key, c) }, reason: signature},
			"wrong issuer":               {claims: map[string]any{"iss": "https://evil.example"}, reason: "the ID token is of another issuer"},
			"no issuer":                  {claims: map[string]any{"iss": nil}, reason: "the ID token is of another issuer"},
			"wrong audience":             {claims: map[string]any{"aud": "beta-client"}, reason: "the ID token is for another client"},
			"no audience":                {claims: map[string]any{"aud": nil}, reason: "the ID token is for another client"},
			"several audiences":          {claims: map[string]any{"aud": []string{l.clientID, "other"}}, reason: "the ID token was made for another client"},
			"made for another":           {claims: map[string]any{"azp": "other"}, reason: "the ID token was made for another client"},
			"expired":                    {claims: map[string]any{"exp": time.Now().Add(-time.Second).Unix()}, reason: "the ID token has expired, or isn't valid yet"},
			"no expiry":                  {claims: map[string]any{"exp": nil}, reason: "the ID token has expired, or isn't valid yet"},
			"not yet valid":              {claims: map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}, reason: "the ID token has expired, or isn't valid yet"},
			"from the future":            {claims: map[string]any{"iat": time.Now().Add(time.Hour).Unix()}, reason: "the ID token is from the future; check the clocks"},
			"another nonce":              {claims: map[string]any{"nonce": "replayed"}, reason: "the ID token is of another sign-in: its nonce differs"},
			"no nonce":                   {claims: map[string]any{"nonce": nil}, reason: "the ID token is of another sign-in: its nonce differs"},
			"no subject":                 {claims: map[string]any{"sub": nil}, reason: "the ID token names no subject"},
			"another access token":       {claims: map[string]any{"at_hash": "AAAA"}, reason: "the access token isn't the one that the ID token names"},
		} {
			l.mu.Lock()
			l.mint = c.mint
			l.mu.Unlock()
			claims := map[string]any{"email": "leak@alpha.example"}
			for k, v := range c.claims {
				claims[k] = v
			}
			done, refused := w.browser().signIn(l, p, claims)
			require.NotNil(t, refused, name)
			require.Equal(t, sso.BadToken, refused.Code, name)
			require.Equal(t, c.reason, refused.Reason, name)
			require.Nil(t, done.SignedIn, name)
			require.NotContains(t, fmt.Sprint(refused.Reason, refused.Cause), "leak", name)
		}
		w.nobody(t)
		require.Eventually(t, func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.refusals) > 5 }, 20*time.Second, 10*time.Millisecond)
		for _, e := range w.refusals {
			require.NotContains(t, fmt.Sprint(e), "leak")
			require.Equal(t, a.ID, e.AccountID)
			require.Equal(t, "session.create", e.Action)
		}
		l.mint = nil
		done, refused := w.browser().signIn(l, p, nil)
		require.Nil(t, refused)
		require.Equal(t, a.ID, done.SignedIn.Viewer.AccountID, "and one with nothing wrong does")
	})
}

// The state is this server's, of this browser, in time, and the only word on
// which account it is about.
func TestStatesAreBound(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a, b := w.account("alpha", "alpha.example"), w.account("beta", "beta.example")
		la, lb := newLiar(t, "alpha-client"), newLiar(t, "beta-client")
		pa, pb := w.provider(a, la), w.provider(b, lb)

		refusedAs := func(code sso.Code, done *sso.Finished, r *sso.Refusal) {
			t.Helper()
			require.NotNil(t, r)
			require.Equal(t, code, r.Code, r.Reason)
			require.Nil(t, done.SignedIn)
		}
		try := func(br *browser, accountID string, q url.Values) (*sso.Finished, *sso.Refusal) {
			return br.finish(accountID, q)
		}

		ada := w.browser()
		q := la.answer(ada.begin(sso.Begin{ProviderID: pa.ID}), nil)

		t.Log("another browser, or one that lost its cookie")
		done, r := try(w.browser(), a.ID, q)
		refusedAs(sso.BadState, done, r)
		eve := w.browser()
		eve.begin(sso.Begin{ProviderID: pa.ID})
		done, r = try(eve, a.ID, q)
		refusedAs(sso.BadState, done, r)

		t.Log("the address names another account")
		done, r = try(ada, b.ID, q)
		refusedAs(sso.BadState, done, r)
		q.Set("account", b.ID)
		q.Set("provider", pb.ID)

		t.Log("no state, a changed one, one sealed for something else")
		for _, s := range []string{"", "abc", q.Get("state")[1:], strings.ToUpper(q.Get("state")), strings.Repeat("A", 5000)} {
			bad := url.Values{"state": {s}, "code": q["code"]}
			done, r = try(ada, a.ID, bad)
			refusedAs(sso.BadState, done, r)
		}

		t.Log("another issuer answers (mix-up)")
		q.Set("iss", lb.URL)
		done, r = try(ada, a.ID, q)
		refusedAs(sso.BadState, done, r)
		q.Set("iss", la.URL)

		t.Log("a code of another account's sign-in is injected")
		other := w.browser()
		qb := lb.answer(other.begin(sso.Begin{ProviderID: pb.ID}), map[string]any{"email": "bob@beta.example"})
		done, r = try(ada, a.ID, url.Values{"state": q["state"], "code": qb["code"]})
		refusedAs(sso.ProviderError, done, r)

		t.Log("a code of another sign-in at the same provider is injected")
		victim := w.browser()
		stolen := la.answer(victim.begin(sso.Begin{ProviderID: pa.ID}), map[string]any{"sub": "victim", "email": "victim@alpha.example"})
		done, r = try(ada, a.ID, url.Values{"state": q["state"], "code": stolen["code"]})
		refusedAs(sso.ProviderError, done, r)
		w.nobody(t)

		t.Log("and as it should be, whatever else the address says")
		done, r = try(ada, a.ID, q)
		require.Nil(t, r)
		require.Equal(t, a.ID, done.SignedIn.Viewer.AccountID)
		require.Equal(t, "/a/alpha", done.Location)

		t.Log("again: the code is used up")
		done, r = try(ada, a.ID, q)
		refusedAs(sso.ProviderError, done, r)

		t.Log("too late")
		late := w.browser()
		q = la.answer(late.begin(sso.Begin{ProviderID: pa.ID}), nil)
		w.skew.Add(int64(sso.FlowTime))
		done, r = try(late, a.ID, q)
		refusedAs(sso.BadState, done, r)
	})
}

// Where a provider says that it always names itself, an answer without a name
// isn't its.
func TestIssuerMustBeNamedWherePromised(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	a := w.account("alpha", "alpha.example")
	l := newLiar(t, "alpha-client")
	l.document = func(d map[string]any) { d["authorization_response_iss_parameter_supported"] = true }
	p := w.provider(a, l)
	b := w.browser()
	q := l.answer(b.begin(sso.Begin{ProviderID: p.ID}), nil)
	_, r := b.finish(a.ID, q)
	require.Equal(t, sso.BadState, r.Code)
	q["iss"] = []string{l.URL, "https://evil.example"}
	_, r = b.finish(a.ID, q)
	require.Equal(t, sso.BadState, r.Code)
	q["iss"] = []string{l.URL}
	_, r = b.finish(a.ID, q)
	require.Nil(t, r)
}

func TestProvidersErrorsAreTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	a := w.account("alpha", "alpha.example")
	l := newLiar(t, "alpha-client")
	p := w.provider(a, l)
	for name, code := range map[string]sso.Code{"access_denied": sso.Denied, "server_error": sso.ProviderError, "<script>": sso.ProviderError} {
		b := w.browser()
		asked := b.begin(sso.Begin{ProviderID: p.ID})
		_, r := b.finish(a.ID, url.Values{"state": asked["state"], "error": {name}})
		require.Equal(t, code, r.Code)
		require.NotContains(t, r.Reason, "<")
	}
	l.secret = "changed"
	_, r := w.browser().signIn(l, p, nil)
	require.Equal(t, sso.ProviderError, r.Code)
	require.Contains(t, r.Reason, "invalid_client")
	require.NotContains(t, r.Error(), "a secret of", "what a provider echoes isn't kept")
	l.Close()
	_, r = w.browser().signIn(l, p, nil)
	require.Equal(t, sso.Unreachable, r.Code)
	w.nobody(t)
}

// Only addresses that the provider vouches for, in domains that the account has
// proved, are matched.
func TestWhoseAddressItIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha", "alpha.example")
		w.account("beta", "beta.example")
		l := newLiar(t, "alpha-client")
		p := w.provider(a, l)
		for name, c := range map[string]struct {
			claims map[string]any
			code   sso.Code
		}{
			"unverified":             {map[string]any{"email_verified": false}, sso.UnverifiedEmail},
			"unverified, as text":    {map[string]any{"email_verified": "false"}, sso.UnverifiedEmail},
			"unverified, as nothing": {map[string]any{"email_verified": 0}, sso.UnverifiedEmail},
			"another account's":      {map[string]any{"email": "bob@beta.example"}, sso.ForeignDomain},
			"anybody's":              {map[string]any{"email": "bob@gmail.com"}, sso.ForeignDomain},
			"below ours":             {map[string]any{"email": "bob@sub.alpha.example"}, sso.ForeignDomain},
			"like ours":              {map[string]any{"email": "bob@alpha.example.evil.example"}, sso.ForeignDomain},
			"none":                   {map[string]any{"email": nil}, sso.Unreachable}, // user information is refused
			"empty":                  {map[string]any{"email": ""}, sso.NoEmail},
			"no address":             {map[string]any{"email": "ada"}, sso.NoEmail},
			"two addresses":          {map[string]any{"email": "ada@alpha.example, bob@beta.example"}, sso.NoEmail},
			"an object":              {map[string]any{"email": map[string]any{"x": "ada@alpha.example"}}, sso.NoEmail},
		} {
			_, r := w.browser().signIn(l, p, c.claims)
			require.NotNil(t, r, name)
			require.Equal(t, c.code, r.Code, name)
		}
		w.nobody(t)
		for _, claims := range []map[string]any{
			{"email_verified": nil, "sub": "2", "email": "Silent@Alpha.Example"},
			{"email_verified": "true", "sub": "3", "email": "texted@alpha.example"},
		} {
			_, r := w.browser().signIn(l, p, claims)
			require.Nil(t, r)
		}
		require.Equal(t, 1, w.User.Query().Where(user.Email("silent@alpha.example")).CountX(system(t)))
	})
}

func TestSuspendedAndUnknownAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		a := w.account("alpha", "alpha.example")
		l := newLiar(t, "alpha-client")
		p := w.provider(a, l)
		begin := func(id string) sso.Code {
			_, r := w.gate.Begin(t.Context(), sso.Begin{ProviderID: id, From: from})
			if r == nil {
				return ""
			}
			return r.Code
		}
		require.Equal(t, sso.UnknownProvider, begin("idp_nothing"))
		require.Equal(t, sso.Code(""), begin(p.ID))
		b := w.browser()
		q := l.answer(b.begin(sso.Begin{ProviderID: p.ID}), nil)
		set := func(s account.Status) {
			w.change(func(ctx context.Context, tx *store.Tx) error {
				return tx.Account.UpdateOneID(a.ID).SetStatus(s).Exec(ctx)
			})
		}
		set(account.StatusSUSPENDED)
		require.Equal(t, sso.NotActive, begin(p.ID))
		_, r := b.finish(a.ID, q)
		require.Equal(t, sso.NotActive, r.Code, "suspended while the person was away")
		set(account.StatusACTIVE)
		done, r := w.browser().signIn(l, p, nil)
		require.Nil(t, r)
		w.change(func(ctx context.Context, tx *store.Tx) error {
			return tx.User.UpdateOneID(done.SignedIn.Viewer.UserID).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
		})
		_, r = w.browser().signIn(l, p, nil)
		require.Equal(t, sso.Deactivated, r.Code)
		_, r = w.browser().signIn(l, p, map[string]any{"sub": "another"})
		require.Equal(t, sso.Deactivated, r.Code, "nor under another subject")
		require.Equal(t, 1, w.ExternalIdentity.Query().CountX(system(t)))
	})
}

// Wherever a sign-in leads, it is a page of the cockpit.
func TestNoOpenRedirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.Options{Dir: t.TempDir()})
	a := w.account("alpha", "alpha.example")
	l := newLiar(t, "alpha-client")
	p := w.provider(a, l)
	for to, want := range map[string]string{
		"/a/alpha/keys?x=1#y": "/a/alpha/keys?x=1#y", "/oauth/authorize?client_id=x": "/oauth/authorize?client_id=x",
		"": "/a/alpha", "https://evil.example": "/a/alpha", "//evil.example": "/a/alpha", "/\\evil.example": "/a/alpha",
		"\\\\evil.example": "/a/alpha", "/\t/evil.example": "/a/alpha", "/\n/evil.example": "/a/alpha", "javascript:alert(1)": "/a/alpha",
		" /x": "/a/alpha", "evil.example": "/a/alpha", "///evil.example": "/a/alpha", "/sso/start?provider=x": "/a/alpha",
		"/%2f/evil.example": "/a/alpha", "http:/evil.example": "/a/alpha", "/é": "/a/alpha",
		"/" + strings.Repeat("x", 1001): "/a/alpha",
	} {
		b := w.browser()
		done, r := b.finish(a.ID, l.answer(b.begin(sso.Begin{ProviderID: p.ID, Return: to}), nil))
		require.Nil(t, r)
		require.Equal(t, want, done.Location, "%q", to)
	}
}

// Two accounts' people at the same instant, many times: nobody meets the other
// account's configuration, and each is one person however often they come.
func TestAccountsDoNotMeet(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		type side struct {
			slug string
			l    *liar
		}
		sides := []side{{"alpha", newLiar(t, "alpha-client")}, {"beta", newLiar(t, "beta-client")}}
		var wg sync.WaitGroup
		for _, s := range sides {
			a := w.account(s.slug, s.slug+".example")
			p := w.provider(a, s.l)
			for i := range 12 {
				wg.Go(func() {
					who := fmt.Sprint("p", i%4)
					done, r := w.browser().signIn(s.l, p, map[string]any{"sub": who, "email": who + "@" + s.slug + ".example"})
					if r != nil {
						t.Errorf("%s: %v", s.slug, r)
						return
					}
					if done.SignedIn.Viewer.AccountID != a.ID || done.Location != "/a/"+s.slug {
						t.Errorf("%s met another account", s.slug)
					}
				})
			}
		}
		wg.Wait()
		require.Equal(t, 8, w.User.Query().CountX(system(t)))
		require.Equal(t, 8, w.ExternalIdentity.Query().CountX(system(t)), "those with the same subjects at the other issuer are others")
		require.Equal(t, 24, w.Session.Query().CountX(system(t)))
	})
}
