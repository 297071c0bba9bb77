package sso_test

import (
	"context"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/graph"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const cockpitURL = "https://cockpit.example"

var (
	from     = identity.Client{IP: "203.0.113.7", UserAgent: "Test/1.0"}
	loopback = netip.MustParsePrefix("127.0.0.0/8")
)

// world is a server's door for identity providers over a database of its own.
type world struct {
	*store.Store
	t        testing.TB
	gate     *sso.Gate
	sessions *identity.Sessions
	access   *access.Engine
	epochs   *store.Epochs
	skew     *atomic.Int64

	mu       sync.Mutex
	refusals []audit.Event
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
	w := &world{t: t, skew: &atomic.Int64{}}
	o.Now = func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) }
	var err error
	w.Store, err = store.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	_, err = w.Migrate(t.Context())
	require.NoError(t, err)
	require.NoError(t, identity.CreatePlatform(t.Context(), w.Store))
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	w.epochs, err = w.WatchEpochs(ctx)
	require.NoError(t, err)
	refusals := audit.NewRefusals(func(_ context.Context, e audit.Event) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.refusals = append(w.refusals, e)
		return nil
	}, w.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(refusals.Close)
	w.sessions = identity.NewSessions(w.Store, w.epochs, refusals)
	w.access, err = access.New(graph.Schema())
	require.NoError(t, err)
	w.access.Present = w.sessions.Present
	box, err := secret.NewBox("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	require.NoError(t, err)
	w.gate = sso.New(sso.Options{Store: w.Store, Sessions: w.sessions, Access: w.access, Refusals: refusals, Box: box,
		Client: outbound.NewClient([]netip.Prefix{loopback}), ErrClosed: outbound.ErrForbidden,
		Networks: []netip.Prefix{loopback}, URL: cockpitURL})
	return w
}

func system(t testing.TB) context.Context {
	t.Helper()
	return tenancy.System(t.Context(), "test")
}

func (w *world) change(f func(ctx context.Context, tx *store.Tx) error) {
	w.t.Helper()
	require.NoError(w.t, w.InTx(system(w.t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return f(ctx, tx)
	}))
}

func (w *world) account(slug string, domains ...string) *ent.Account {
	w.t.Helper()
	var a *ent.Account
	w.change(func(ctx context.Context, tx *store.Tx) (err error) {
		if a, err = identity.CreateAccount(ctx, tx, identity.AccountInput{Name: strings.ToUpper(slug), Slug: slug, Console: true, Copilot: true}); err != nil {
			return err
		}
		for _, name := range domains {
			tx.Domain.Create().SetAccountID(a.ID).SetPlane(domain.PlaneACCOUNT).SetName(name).SetToken("t").
				SetVerifiedName(name).SetVerifiedAt(w.Now()).SetVerifiedBy(domain.VerifiedByDNS).SaveX(ctx)
		}
		return nil
	})
	return a
}

// admin makes an admin of the account, signed in at the cockpit.
func (w *world) admin(a *ent.Account, email string) *tenancy.Viewer {
	w.t.Helper()
	var u *ent.User
	w.change(func(ctx context.Context, tx *store.Tx) (err error) {
		if u, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: email, Name: "Admin"}); err != nil {
			return err
		}
		return identity.BindRole(ctx, tx, u, tx.Scope.GetX(ctx, a.ID), tenancy.Admin)
	})
	s, err := w.sessions.Open(w.t.Context(), u, nil, identity.ByPassword, from)
	require.NoError(w.t, err)
	return s.Viewer
}

// provider adds an active, tested one.
func (w *world) provider(a *ent.Account, l *liar) *ent.IdentityProvider {
	w.t.Helper()
	name, issuer, client, secret := "Provider "+l.clientID, l.URL, l.clientID, l.secret
	p, err := w.gate.CreateProvider(w.t.Context(), a.ID, sso.ProviderInput{Name: &name, Issuer: &issuer, ClientID: &client, ClientSecret: &secret})
	require.NoError(w.t, err)
	w.change(func(ctx context.Context, tx *store.Tx) (err error) {
		p, err = tx.IdentityProvider.UpdateOneID(p.ID).SetStatus(identityprovider.StatusACTIVE).SetTestedAt(w.Now()).Save(ctx)
		return err
	})
	return p
}

// browser holds the cookies of sign-ins that were begun.
type browser struct {
	w       *world
	cookies map[string]string
	viewer  *tenancy.Viewer
}

func (w *world) browser() *browser { return &browser{w: w, cookies: map[string]string{}} }

func (b *browser) ctx() context.Context {
	if b.viewer == nil {
		return b.w.t.Context()
	}
	return tenancy.WithViewer(b.w.t.Context(), b.viewer)
}

// begin goes to the provider; it returns what the provider is asked.
func (b *browser) begin(in sso.Begin) url.Values {
	b.w.t.Helper()
	in.From = from
	begun, refused := b.w.gate.Begin(b.ctx(), in)
	require.Nil(b.w.t, refused)
	b.cookies[begun.CookieName] = begun.CookieValue
	u, err := url.Parse(begun.URL)
	require.NoError(b.w.t, err)
	return u.Query()
}

func (b *browser) finish(accountID string, q url.Values) (*sso.Finished, *sso.Refusal) {
	return b.w.gate.Finish(b.ctx(), sso.Callback{AccountID: accountID, Query: q, From: from,
		Cookie: func(name string) string { return b.cookies[name] }})
}

// signIn goes all the way.
func (b *browser) signIn(l *liar, p *ent.IdentityProvider, token map[string]any) (*sso.Finished, *sso.Refusal) {
	b.w.t.Helper()
	asked := b.begin(sso.Begin{ProviderID: p.ID})
	return b.finish(p.AccountID, l.answer(asked, token))
}
