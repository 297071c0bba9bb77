package identity_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const password = "correct horse battery"

var from = identity.Client{IP: "203.0.113.7", UserAgent: "Test/1.0"}

// replica is one server over a database, with a clock that stands still unless it is moved.
type replica struct {
	*store.Store
	sessions *identity.Sessions
	keys     *identity.Keys
	epochs   *store.Epochs
	stop     context.CancelFunc
	skew     *atomic.Int64

	mu       sync.Mutex
	refusals []audit.Event
}

func (r *replica) advance(d time.Duration) { r.skew.Add(int64(d)) }

// on opens n replicas of a new database.
func on(t *testing.T, o store.Options, n int) []*replica {
	t.Helper()
	skew, start := &atomic.Int64{}, time.Now()
	o.Now = func() time.Time { return start.Add(time.Duration(skew.Load())) }
	out := make([]*replica, n)
	for i := range out {
		st, err := store.Open(o)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, st.Close()) })
		_, err = st.Migrate(t.Context())
		require.NoError(t, err)
		r := &replica{Store: st, skew: skew}
		if i == 0 {
			require.NoError(t, identity.CreatePlatform(t.Context(), st))
		}
		ctx, stop := context.WithCancel(t.Context())
		r.stop = stop
		r.epochs, err = st.WatchEpochs(ctx)
		require.NoError(t, err)
		refusals := audit.NewRefusals(func(_ context.Context, e audit.Event) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.refusals = append(r.refusals, e)
			return nil
		}, st.Now, slog.New(slog.DiscardHandler))
		t.Cleanup(refusals.Close)
		r.sessions, r.keys = identity.NewSessions(st, r.epochs, refusals), identity.NewKeys(st, r.epochs)
		out[i] = r
	}
	return out
}

// each runs a test on n replicas of every database there is.
func each(t *testing.T, n int, test func(t *testing.T, r []*replica)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, on(t, store.Options{Dir: t.TempDir()}, n))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, on(t, store.Options{URL: storetest.PostgresURL(t)}, n))
	})
}

func system(t testing.TB) context.Context {
	t.Helper()
	return tenancy.System(t.Context(), "test")
}

// change runs f in a transaction of the system's that needs no event.
func (r *replica) change(t testing.TB, f func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	require.NoError(t, r.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return f(ctx, tx)
	}))
}

var hashOnce = sync.OnceValues(func() (string, error) { return identity.HashPassword(context.Background(), password) })

func (r *replica) account(t testing.TB, slug string) *ent.Account {
	t.Helper()
	var a *ent.Account
	r.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
		a, err = identity.CreateAccount(ctx, tx, identity.AccountInput{Name: strings.ToUpper(slug), Slug: slug, Console: true, Copilot: true})
		return err
	})
	return a
}

func (r *replica) user(t testing.TB, accountID, email string) *ent.User {
	t.Helper()
	hash, err := hashOnce()
	require.NoError(t, err)
	var u *ent.User
	r.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
		u, err = identity.CreateUser(ctx, tx, identity.UserInput{AccountID: accountID, Email: email, Name: "Ada", PasswordHash: hash})
		return err
	})
	return u
}

func (r *replica) signIn(t testing.TB, email string) *identity.SignedIn {
	t.Helper()
	s, err := r.sessions.SignIn(t.Context(), email, password, "", from)
	require.NoError(t, err)
	return s
}

// learned waits until the replica has polled a change that another made.
func (r *replica) learned(t testing.TB, accountID string) {
	t.Helper()
	want := r.Account.GetX(system(t), accountID).Epoch
	require.Eventually(t, func() bool { return r.epochs.Of(accountID) >= want }, 20*time.Second, 5*time.Millisecond)
}

// eventually asks until the answer is err; a replica that couldn't poll in
// time says so first.
func eventually(t testing.TB, want error, ask func() error) {
	t.Helper()
	var got error
	require.Eventually(t, func() bool { got = ask(); return errors.Is(got, want) }, 20*time.Second, 5*time.Millisecond, "got %v", got)
}

// retried asks again while the replica can't tell.
func retried[T any](t testing.TB, ask func() (T, error)) (T, error) {
	t.Helper()
	for {
		v, err := ask()
		if !errors.Is(err, identity.ErrStale) {
			return v, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	a, err := identity.HashPassword(ctx, password)
	require.NoError(t, err)
	b, err := identity.HashPassword(ctx, password)
	require.NoError(t, err)
	require.NotEqual(t, a, b, "salted")
	require.True(t, strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$"), a)
	for _, bad := range []string{"", "elevenchars", strings.Repeat("x", 257)} {
		_, err := identity.HashPassword(ctx, bad)
		require.True(t, fault.Is(err, fault.Invalid), bad)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	for range 20 { // whoever leaves doesn't keep the hashing busy
		_, err = identity.HashPassword(gone, password)
	}
	_ = err
	_, err = identity.HashPassword(ctx, strings.Repeat("x", 256))
	require.NoError(t, err)
}

func TestEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"  Ada@Example.COM ": "ada@example.com", "a.b+c@d.co": "a.b+c@d.co"} {
		got, err := identity.Email(in)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", "ada", "ada@", "@a.b", "a b@c.de", "a@b", "<a@b.c>", "a@b.c\nBcc: x@y.z", strings.Repeat("a", 250) + "@b.co"} {
		_, err := identity.Email(bad)
		require.True(t, fault.Is(err, fault.Invalid), bad)
	}
}

func FuzzEmail(f *testing.F) {
	f.Add("Ada@Example.com")
	f.Add("a@b.c\r\nX: y")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := identity.Email(s)
		if err != nil {
			return
		}
		again, err := identity.Email(got)
		require.NoError(t, err)
		require.Equal(t, got, again, "the stored form is stable")
		require.NotContains(t, got, "\n")
		require.LessOrEqual(t, len(got), 254)
	})
}

func TestAccountInputIsChecked(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	r.account(t, "acme")
	for _, tc := range []struct {
		in    identity.AccountInput
		field string
		code  fault.Code
	}{
		{identity.AccountInput{Name: "A", Slug: "acme"}, "slug", fault.Exists},
		{identity.AccountInput{Name: "A", Slug: "-a-"}, "slug", fault.Invalid},
		{identity.AccountInput{Name: "A", Slug: "Ab1"}, "slug", fault.Invalid},
		{identity.AccountInput{Name: "A", Slug: "ab"}, "slug", fault.Invalid},
		{identity.AccountInput{Name: " ", Slug: "abc"}, "name", fault.Invalid},
		{identity.AccountInput{Name: strings.Repeat("n", 121), Slug: "abc"}, "name", fault.Invalid},
		{identity.AccountInput{Name: "A", Slug: "abc", TimeZone: "Mars/Olympus"}, "timeZone", fault.Invalid},
		{identity.AccountInput{Name: "A", Slug: "abc", TimeZone: "../../etc/passwd"}, "timeZone", fault.Invalid},
		{identity.AccountInput{Name: "A", Slug: "abc", TimeZone: "Local"}, "timeZone", fault.Invalid},
	} {
		before := r.Scope.Query().CountX(system(t))
		err := r.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
			_, err := identity.CreateAccount(ctx, tx, tc.in)
			return err
		})
		require.True(t, fault.Is(err, tc.code), "%+v: %v", tc.in, err)
		require.Equal(t, []string{tc.field}, fault.As(err).Path)
		require.Equal(t, before, r.Scope.Query().CountX(system(t)), "nothing is left behind")
	}
	for _, name := range []string{"", "  ", strings.Repeat("n", 121)} {
		err := r.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
			_, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: "acc_x", Email: "a@b.co", Name: name})
			return err
		})
		require.True(t, fault.Is(err, fault.Invalid), "%q: %v", name, err)
	}
}

func TestCreateAdminMakesALoginOnceAndRewritesNone(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		ctx := tenancy.System(t.Context(), "test")
		require.NoError(t, identity.CreatePlatform(ctx, st))
		founded := func(slug string) (password string) {
			require.NoError(t, st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
				a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: slug, Slug: slug, Console: true, Copilot: true})
				require.NoError(t, err)
				password, err = identity.CreateAdmin(ctx, tx, tx.Scope.GetX(ctx, a.ID), "Ada@acme.example", "Ada")
				return err
			}))
			return password
		}
		first := founded("one-account")
		require.GreaterOrEqual(t, len(first), identity.MinPassword)
		hash := st.Login.Query().OnlyX(ctx).PasswordHash
		require.Empty(t, founded("another-account"), "the login keeps its own password")
		require.Equal(t, hash, st.Login.Query().OnlyX(ctx).PasswordHash)
		require.Equal(t, 2, st.RoleBinding.Query().CountX(ctx))
	})
}
