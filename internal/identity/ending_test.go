package identity_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ask looks a token up, again where the replica can't tell.
func (r *replica) ask(t testing.TB, token string) error {
	t.Helper()
	_, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), token) })
	return err
}

func TestSessionsFollowTheirAccountsSettings(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a, other := r.account(t, "acme"), r.account(t, "other")
		r.user(t, a.ID, "ada@acme.example")
		r.user(t, other.ID, "bob@other.example")
		set := func(idle, lifetime int) {
			r.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.Account.UpdateOneID(a.ID).SetSessionIdleMinutes(idle).SetSessionLifetimeMinutes(lifetime).Exec(ctx)
			})
			r.learned(t, a.ID)
		}
		set(10, 60)
		idle, used, bob := r.signIn(t, "ada@acme.example"), r.signIn(t, "ada@acme.example"), r.signIn(t, "bob@other.example")
		for range 6 {
			require.NoError(t, r.ask(t, used.Token))
			r.advance(9 * time.Minute)
		}
		require.ErrorIs(t, r.ask(t, idle.Token), identity.ErrNoSession, "idle for longer than ten minutes")
		require.NoError(t, r.ask(t, used.Token))
		r.advance(6 * time.Minute)
		require.ErrorIs(t, r.ask(t, used.Token), identity.ErrNoSession, "an hour is over, whatever was done")
		require.NoError(t, r.ask(t, bob.Token), "another account's settings are its own")

		set(720, 129600)
		long := r.signIn(t, "ada@acme.example")
		r.advance(20 * time.Minute)
		require.NoError(t, r.ask(t, long.Token))
		set(720, 15)
		require.ErrorIs(t, r.ask(t, long.Token), identity.ErrNoSession, "shorter settings hold for open sessions too")
		set(720, 129600)
		require.NoError(t, r.ask(t, long.Token))
	})
}

// A session ended by somebody is refused by a second server on the same
// database within a second of the commit.
func TestRevokedSessionsHoldElsewhereWithinASecond(t *testing.T) {
	t.Parallel()
	each(t, 2, func(t *testing.T, rs []*replica) {
		here, there := rs[0], rs[1]
		a := here.account(t, "acme")
		u := here.user(t, a.ID, "ada@acme.example")
		one, two, three := here.signIn(t, "ada@acme.example"), here.signIn(t, "ada@acme.example"), here.signIn(t, "ada@acme.example")
		for _, s := range []*identity.SignedIn{one, two, three} {
			require.NoError(t, there.ask(t, s.Token))
		}
		refusedWithin := func(token string, revoke func()) {
			t.Helper()
			revoke()
			committed := time.Now()
			for {
				asked := time.Now()
				_, err := there.sessions.Viewer(t.Context(), token)
				if err != nil { // refused: it knows, or it can't know and lets nobody in
					require.True(t, errors.Is(err, identity.ErrNoSession) || errors.Is(err, identity.ErrStale), err)
					break
				}
				require.Less(t, asked.Sub(committed), time.Second, "let in a second after the end")
				time.Sleep(5 * time.Millisecond)
			}
			require.ErrorIs(t, there.ask(t, token), identity.ErrNoSession)
		}
		row := here.Session.GetX(system(t), one.Viewer.SessionID)
		refusedWithin(one.Token, func() { require.NoError(t, here.sessions.Revoke(t.Context(), row)) })
		require.True(t, fault.Is(here.sessions.Revoke(t.Context(), row), fault.NotFound), "it has ended already")
		require.NoError(t, there.ask(t, two.Token), "the others stay")

		refusedWithin(two.Token, func() {
			n, err := here.sessions.RevokeAll(t.Context(), three.Viewer, u)
			require.NoError(t, err)
			require.Equal(t, 1, n)
		})
		require.NoError(t, there.ask(t, three.Token), "the one that asks stays")
		open := here.Session.Query().Where(session.AccountID(a.ID), identity.StillOpen(a, here.Now())).IDsX(system(t))
		require.Equal(t, []string{three.Viewer.SessionID}, open)
	})
}

func TestChoosingANewPassword(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a, b := r.account(t, "aaa"), r.account(t, "bbb")
		r.user(t, a.ID, "ada@x.example")
		r.user(t, b.ID, "ada@x.example")
		in := func(accountID string) *identity.SignedIn {
			s, err := r.sessions.SignIn(t.Context(), "ada@x.example", password, accountID, from)
			require.NoError(t, err)
			return s
		}
		here, other, elsewhere := in(a.ID), in(a.ID), in(b.ID)
		const next = "another horse battery"
		err := r.sessions.SetPassword(t.Context(), here.Viewer, "wrong horse battery", next)
		require.True(t, fault.Is(err, fault.Invalid))
		require.Equal(t, []string{"currentPassword"}, fault.As(err).Path)
		err = r.sessions.SetPassword(t.Context(), here.Viewer, password, "short")
		require.Equal(t, []string{"newPassword"}, fault.As(err).Path)
		require.NoError(t, r.ask(t, other.Token), "a refused change ends nothing")

		require.NoError(t, r.sessions.SetPassword(t.Context(), here.Viewer, password, next))
		r.learned(t, a.ID)
		r.learned(t, b.ID)
		require.NoError(t, r.ask(t, here.Token))
		require.ErrorIs(t, r.ask(t, other.Token), identity.ErrNoSession)
		require.ErrorIs(t, r.ask(t, elsewhere.Token), identity.ErrNoSession, "in the login's other accounts too")
		_, err = r.sessions.SignIn(t.Context(), "ada@x.example", password, a.ID, from)
		require.True(t, fault.Is(err, fault.Invalid))
		_, err = r.sessions.SignIn(t.Context(), "ada@x.example", next, a.ID, from)
		require.NoError(t, err)
		for _, e := range r.AuditEvent.Query().AllX(system(t)) {
			require.NotContains(t, fmt.Sprint(e, string(e.Changes)), "horse")
			require.NotContains(t, string(e.Changes), "argon2id")
		}
		require.Equal(t, 1, r.AuditEvent.Query().Where(auditevent.Action("password.set")).CountX(system(t)))

		limited := 0
		for range 20 {
			if err := r.sessions.SetPassword(t.Context(), here.Viewer, "wrong horse battery", next); fault.Is(err, fault.RateLimited) {
				limited++
			}
		}
		require.Positive(t, limited, "a stolen session can't guess")
	})
}

// mails keeps what would be sent.
type mails struct {
	mu   sync.Mutex
	sent map[string][]string
}

func (m *mails) send(_ context.Context, email, _, token string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent[email] = append(m.sent[email], token)
}

func (m *mails) to(email string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string{}, m.sent[email]...)
}

func TestPasswordResetByMail(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		m := &mails{sent: map[string][]string{}}
		r.sessions.MailReset = m.send
		a := r.account(t, "acme")
		r.user(t, a.ID, "ada@acme.example")
		r.user(t, a.ID, "bob@acme.example")
		s, bob := r.signIn(t, "ada@acme.example"), r.signIn(t, "bob@acme.example")
		ask := func(email string) error { return r.sessions.RequestReset(t.Context(), email, from) }
		require.NoError(t, ask("nobody@acme.example"), "the same answer")
		require.NoError(t, ask(" ADA@acme.example"))
		require.Eventually(t, func() bool { return len(m.to("ada@acme.example")) == 1 }, 20*time.Second, 5*time.Millisecond)
		require.Empty(t, m.to("nobody@acme.example"))
		first := m.to("ada@acme.example")[0]
		for _, l := range r.Login.Query().AllX(system(t)) {
			require.NotContains(t, fmt.Sprint(l.ResetHash), first, "hashed at rest")
		}
		require.NoError(t, r.ask(t, s.Token), "asking ends nothing")

		r.advance(3 * time.Minute)
		require.NoError(t, ask("ada@acme.example"))
		require.Eventually(t, func() bool { return len(m.to("ada@acme.example")) == 2 }, 20*time.Second, 5*time.Millisecond)
		second := m.to("ada@acme.example")[1]

		const next = "another horse battery"
		reset := func(token, password string) error {
			return r.sessions.ResetPassword(t.Context(), token, password, from)
		}
		for _, bad := range []string{"", "x", first, s.Token} {
			err := reset(bad, next)
			require.True(t, fault.Is(err, fault.Invalid), "%q: %v", bad, err)
			require.Equal(t, []string{"token"}, fault.As(err).Path)
		}
		require.Equal(t, []string{"newPassword"}, fault.As(reset(second, "short")).Path)
		require.NoError(t, reset(second, next))
		require.True(t, fault.Is(reset(second, next), fault.Invalid), "it works once")
		r.learned(t, a.ID)
		require.ErrorIs(t, r.ask(t, s.Token), identity.ErrNoSession)
		require.NoError(t, r.ask(t, bob.Token))
		_, err := r.sessions.SignIn(t.Context(), "ada@acme.example", next, "", from)
		require.NoError(t, err)

		require.NoError(t, ask("bob@acme.example"))
		require.Eventually(t, func() bool { return len(m.to("bob@acme.example")) == 1 }, 20*time.Second, 5*time.Millisecond)
		r.advance(identity.ResetLifetime)
		require.True(t, fault.Is(reset(m.to("bob@acme.example")[0], next), fault.Invalid), "an hour is over")
	})
}

// Nobody's mailbox is flooded, and asking is limited.
func TestPasswordResetsAreFew(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	m := &mails{sent: map[string][]string{}}
	r.sessions.MailReset = m.send
	a := r.account(t, "acme")
	r.user(t, a.ID, "ada@acme.example")
	limited := 0
	for range 30 {
		if err := r.sessions.RequestReset(t.Context(), "ada@acme.example", from); fault.Is(err, fault.RateLimited) {
			limited++
		} else {
			// One after the other: what is bounded is in the database by then.
			require.Eventually(t, func() bool { return len(m.to("ada@acme.example")) == 1 }, 20*time.Second, time.Millisecond)
		}
	}
	require.Positive(t, limited)
	require.Len(t, m.to("ada@acme.example"), 1)
	other := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	require.NoError(t, other.sessions.RequestReset(t.Context(), "ada@acme.example", from), "without a mail server the answer is the same")
}

// What one account's identity provider says, or a password, opens no other
// account that asks for more.
func TestSwitchingIsNoWayAround(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a, b := r.account(t, "aaa"), r.account(t, "bbb")
		ua := r.user(t, a.ID, "ada@x.example")
		ub := r.user(t, b.ID, "ada@x.example")
		enforce := func(x *ent.Account, on bool) {
			r.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.Account.UpdateOneID(x.ID).SetSSOEnforced(on).Exec(ctx)
			})
		}
		s, err := r.sessions.SignIn(t.Context(), "ada@x.example", password, a.ID, from)
		require.NoError(t, err)
		enforce(b, true)
		_, err = r.sessions.Switch(t.Context(), s.Viewer, b.ID, from)
		require.True(t, fault.Is(err, fault.Invalid), err)
		require.Contains(t, err.Error(), "identity provider")
		require.NoError(t, r.ask(t, s.Token), "a refused switch ends nothing")
		one := r.signIn(t, "ada@x.example")
		require.Equal(t, a.ID, one.Viewer.AccountID, "the only account that takes the password isn't asked about")
		_, err = r.sessions.SignIn(t.Context(), "ada@x.example", password, b.ID, from)
		require.Contains(t, err.Error(), "E-mail or password is wrong")

		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return identity.BindRole(ctx, tx, ub, tx.Scope.GetX(ctx, b.ID), tenancy.Admin)
		})
		next, err := r.sessions.Switch(t.Context(), s.Viewer, b.ID, from)
		require.NoError(t, err, "admins of the account have their way back")
		require.Equal(t, b.ID, next.Viewer.AccountID)

		enforce(b, false)
		sso, err := r.sessions.Open(t.Context(), ua, nil, identity.Proof{Kind: session.KindSSO, ProviderID: "idp_x"}, from)
		require.NoError(t, err)
		_, err = r.sessions.Switch(t.Context(), sso.Viewer, b.ID, from)
		require.True(t, fault.Is(err, fault.Invalid), err)
		require.ErrorIs(t, r.ask(t, sso.Token), identity.ErrNoSession, "a provider that isn't there lets nobody in")
	})
}
