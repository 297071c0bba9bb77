package identity_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Whatever is wrong, the answer is the same, and each is on record.
func TestSignInGivesNothingAway(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a, other, gone := r.account(t, "acme"), r.account(t, "other"), r.account(t, "gone")
		r.user(t, a.ID, "ada@acme.example")
		quit := r.user(t, a.ID, "quit@acme.example")
		r.user(t, gone.ID, "gone@gone.example")
		invited := r.user(t, a.ID, "invited@acme.example")
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			tx.User.UpdateOneID(quit.ID).SetStatus(user.StatusDEACTIVATED).ExecX(ctx)
			tx.Login.UpdateOneID(*invited.LoginID).SetPasswordHash("").ExecX(ctx)
			return tx.Account.UpdateOneID(gone.ID).SetStatus(account.StatusSUSPENDED).Exec(ctx)
		})
		want := ""
		for _, tc := range []struct{ email, password, account string }{
			{"nobody@acme.example", password, ""},
			{"ada@acme.example", "wrong horse battery", ""},
			{"ada@acme.example", "", ""},
			{"ada@acme.example", password, other.ID},
			{"quit@acme.example", password, ""},
			{"gone@gone.example", password, ""},
			{"gone@gone.example", password, gone.ID},
			{"invited@acme.example", "", ""},
			{"invited@acme.example", password, ""},
		} {
			s, err := r.sessions.SignIn(t.Context(), tc.email, tc.password, tc.account, from)
			require.Nil(t, s)
			require.True(t, fault.Is(err, fault.Invalid))
			if want == "" {
				want = err.Error()
			}
			require.Equal(t, want, err.Error(), "%+v", tc)
		}
		require.Zero(t, r.Session.Query().CountX(system(t)))
		require.Eventually(t, func() bool {
			r.mu.Lock()
			defer r.mu.Unlock()
			return len(r.refusals) == 6 // by address and reason; repeats are counted
		}, 10*time.Second, 5*time.Millisecond)
		for _, e := range r.refusals {
			require.NotContains(t, fmt.Sprint(e), password)
		}
	})
}

func TestSignInIsRateLimited(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	a := r.account(t, "acme")
	r.user(t, a.ID, "ada@acme.example")
	limited := func(email, ip string) bool {
		_, err := r.sessions.SignIn(t.Context(), email, "wrong horse battery", "", identity.Client{IP: ip})
		require.Error(t, err)
		return fault.Is(err, fault.RateLimited)
	}
	for i := range 10 {
		require.False(t, limited("ada@acme.example", fmt.Sprint("198.51.100.", i)))
	}
	require.True(t, limited("ADA@acme.example ", "198.51.100.99"), "from many addresses, under another spelling")
	_, err := r.sessions.SignIn(t.Context(), "ada@acme.example", password, "", from)
	require.True(t, fault.Is(err, fault.RateLimited), "the right password doesn't help")
	require.False(t, limited("nobody@acme.example", "x"), "others aren't touched")
	r.advance(6 * time.Second)
	require.False(t, limited("ada@acme.example", "198.51.100.99"))

	r.user(t, a.ID, "bob@acme.example")
	for range 30 {
		_, err := r.sessions.SignIn(t.Context(), "bob@acme.example", password, "", identity.Client{IP: "198.51.100.50"})
		require.NoError(t, err, "right passwords aren't guesses")
	}

	n := 0
	for n < 100 && !limited(fmt.Sprint("x", n, "@acme.example"), "203.0.113.200") {
		n++
	}
	require.Equal(t, 60, n, "one address, many names")
}

func TestSeveralAccountsGiveChoices(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a, b, gone := r.account(t, "aaa"), r.account(t, "bbb"), r.account(t, "gone")
		ua, ub := r.user(t, a.ID, "ada@x.example"), r.user(t, b.ID, "Ada@X.example")
		r.user(t, gone.ID, "ada@x.example")
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.Account.UpdateOneID(gone.ID).SetStatus(account.StatusSUSPENDED).Exec(ctx)
		})
		s := r.signIn(t, "ada@x.example")
		require.Empty(t, s.Token)
		require.Nil(t, s.Viewer)
		require.Equal(t, []identity.Choice{{ID: a.ID, Name: "AAA", Slug: "aaa"}, {ID: b.ID, Name: "BBB", Slug: "bbb"}}, s.Choices)
		require.Zero(t, r.Session.Query().CountX(system(t)), "choosing comes first")

		s, err := r.sessions.SignIn(t.Context(), "ada@x.example", password, b.ID, from)
		require.NoError(t, err)
		require.Equal(t, ub.ID, s.Viewer.UserID)
		require.Equal(t, b.ID, s.Viewer.AccountID)

		next, err := r.sessions.Switch(t.Context(), s.Viewer, a.ID, from)
		require.NoError(t, err)
		require.Equal(t, ua.ID, next.Viewer.UserID)
		r.learned(t, b.ID)
		_, err = retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), s.Token) })
		require.ErrorIs(t, err, identity.ErrNoSession, "the session left behind has ended")
		for _, foreign := range []string{gone.ID, id.PlatformID, "acc_nothing", ""} {
			_, err = r.sessions.Switch(t.Context(), next.Viewer, foreign, from)
			require.True(t, fault.Is(err, fault.NotFound), foreign)
		}
		_, err = retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), next.Token) })
		require.NoError(t, err, "a refused switch ends nothing")
	})
}

// Adding somebody by e-mail never touches the login that they have.
func TestCreateUserNeverRewritesALogin(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a, b := r.account(t, "aaa"), r.account(t, "bbb")
		r.user(t, a.ID, "ada@x.example")
		before := r.Login.Query().Where(login.Email("ada@x.example")).OnlyX(system(t))
		evil, err := identity.HashPassword(t.Context(), "evil horse battery")
		require.NoError(t, err)
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: b.ID, Email: " ADA@x.example", Name: "Evil", PasswordHash: evil})
			require.Equal(t, before.ID, *u.LoginID)
			return err
		})
		require.Equal(t, before.String(), r.Login.GetX(system(t), before.ID).String())
		require.Equal(t, before.PasswordHash, r.Login.GetX(system(t), before.ID).PasswordHash)
		require.Equal(t, "Ada", r.User.Query().Where(user.AccountID(a.ID)).OnlyX(system(t)).Name)
		_, err = r.sessions.SignIn(t.Context(), "ada@x.example", "evil horse battery", "", from)
		require.True(t, fault.Is(err, fault.Invalid))

		err = r.InTx(system(t), func(ctx context.Context, tx *store.Tx) error {
			_, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: b.ID, Email: "ada@x.example", Name: "Again"})
			return err
		})
		require.True(t, fault.Is(err, fault.Exists), err)
	})
}

// Roles are what was bound, however often somebody signs in.
func TestSignInNeverChangesRoles(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a := r.account(t, "acme")
		u := r.user(t, a.ID, "ada@acme.example")
		team := r.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindTEAM), scope.PlaneEQ(scope.PlaneCONSOLE)).OnlyX(system(t))
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			if _, err := identity.AddMember(ctx, tx, team, u); err != nil {
				return err
			}
			return identity.BindRole(ctx, tx, u, team, tenancy.Auditor)
		})
		roles := func() []*ent.RoleBinding {
			return r.RoleBinding.Query().Where(rolebinding.UserID(u.ID)).AllX(system(t))
		}
		before := fmt.Sprint(roles(), r.Member.Query().AllX(system(t)))
		for range 2 {
			v := r.signIn(t, "ada@acme.example").Viewer
			require.Len(t, v.Roles, 2)
			require.Equal(t, tenancy.Auditor, v.Roles[0].Role)
			require.Equal(t, tenancy.Seatholder, v.Roles[1].Role)
			require.False(t, v.WholeAccount())
		}
		require.Equal(t, before, fmt.Sprint(roles(), r.Member.Query().AllX(system(t))))
	})
}

func TestSessionsAreHashedAndExpire(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	a := r.account(t, "acme")
	r.user(t, a.ID, "ada@acme.example")
	ask := func(token string) error {
		_, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), token) })
		return err
	}
	idle, used := r.signIn(t, "ada@acme.example").Token, r.signIn(t, "ada@acme.example").Token
	require.NotEqual(t, idle, used)
	for _, row := range r.Session.Query().AllX(system(t)) {
		require.NotContains(t, []string{idle, used}, row.TokenHash)
	}
	require.Equal(t, 1, r.Session.Query().Where(session.TokenHash(secret.Hash(idle))).CountX(system(t)))
	require.ErrorIs(t, ask(secret.Hash(idle)), identity.ErrNoSession, "the hash isn't a token")
	require.ErrorIs(t, ask(""), identity.ErrNoSession)
	require.NoError(t, ask(idle))

	for range 27 { // used every six hours until the seventh day
		r.advance(6 * time.Hour)
		require.NoError(t, ask(used))
	}
	require.ErrorIs(t, ask(idle), identity.ErrNoSession, "idle for longer than twelve hours")
	r.advance(6 * time.Hour)
	require.ErrorIs(t, ask(used), identity.ErrNoSession, "seven days are over, whatever was done")
}

// On every replica that has polled, and none needs longer than a poll.
func TestRevocationReachesOtherReplicas(t *testing.T) {
	t.Parallel()
	for name, revoke := range map[string]func(t *testing.T, r *replica, s *identity.SignedIn){
		"signed out": func(t *testing.T, r *replica, s *identity.SignedIn) {
			require.NoError(t, r.sessions.SignOut(t.Context(), s.Viewer))
		},
		"user deactivated": func(t *testing.T, r *replica, s *identity.SignedIn) {
			r.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.User.UpdateOneID(s.Viewer.UserID).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
			})
		},
		"account suspended": func(t *testing.T, r *replica, s *identity.SignedIn) {
			r.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.Account.UpdateOneID(s.Viewer.AccountID).SetStatus(account.StatusSUSPENDED).Exec(ctx)
			})
		},
		"account closed": func(t *testing.T, r *replica, s *identity.SignedIn) {
			r.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.Account.UpdateOneID(s.Viewer.AccountID).SetStatus(account.StatusCLOSED).Exec(ctx)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, 2, func(t *testing.T, rs []*replica) {
				here, there := rs[0], rs[1]
				a := here.account(t, "acme")
				here.user(t, a.ID, "ada@acme.example")
				s := here.signIn(t, "ada@acme.example")
				there.learned(t, a.ID)
				for _, r := range rs { // cached on both
					_, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), s.Token) })
					require.NoError(t, err)
				}
				revoke(t, here, s)
				for _, r := range rs {
					r.learned(t, a.ID)
					_, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), s.Token) })
					require.ErrorIs(t, err, identity.ErrNoSession)
				}
			})
		})
	}
}

// Roles taken away are gone for the next request of a running session, and so
// are roles at, or below, what was archived.
func TestRolesFollowTheirNodes(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a := r.account(t, "acme")
		u := r.user(t, a.ID, "ada@acme.example")
		org := r.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindORGANIZATION), scope.PlaneEQ(scope.PlaneCONSOLE)).OnlyX(system(t))
		team := r.Scope.Query().Where(scope.ParentID(org.ID)).OnlyX(system(t))
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			require.NoError(t, identity.BindRole(ctx, tx, u, org, tenancy.Admin))
			require.NoError(t, identity.BindRole(ctx, tx, u, team, tenancy.Auditor))
			_, err := identity.AddMember(ctx, tx, team, u)
			return err
		})
		token := r.signIn(t, "ada@acme.example").Token
		look := func() []tenancy.Role {
			r.learned(t, a.ID)
			v, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), token) })
			require.NoError(t, err)
			require.Len(t, v.Reach, len(v.Roles))
			return v.Roles
		}
		require.Len(t, look(), 3)
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.RoleBinding.Delete().Where(rolebinding.ScopeID(team.ID)).Exec(ctx)
			return err
		})
		require.Len(t, look(), 2)
		archive := func(s *ent.Scope, at *time.Time) {
			r.change(t, func(ctx context.Context, tx *store.Tx) error {
				if at == nil {
					return tx.Scope.UpdateOneID(s.ID).ClearArchivedAt().Exec(ctx)
				}
				return tx.Scope.UpdateOneID(s.ID).SetArchivedAt(*at).Exec(ctx)
			})
		}
		now := r.Now()
		archive(team, &now)
		require.Equal(t, org.ID, look()[0].ScopeID)
		require.Len(t, look(), 1, "the seat in the archived team is no role")
		archive(org, &now)
		require.Empty(t, look())
		archive(team, nil)
		require.Empty(t, look(), "the team lies in an archived organization")
	})
}

// A replica that can't learn of revocations refuses everybody.
func TestStaleReplicaRefuses(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	a := r.account(t, "acme")
	r.user(t, a.ID, "ada@acme.example")
	token := r.signIn(t, "ada@acme.example").Token
	_, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), token) })
	require.NoError(t, err)
	r.stop()
	eventually(t, identity.ErrStale, func() error { _, err := r.sessions.Viewer(t.Context(), token); return err })
	eventually(t, identity.ErrStale, func() error { _, err := r.keys.Principal(t.Context(), "ck_console_x"); return err })
}

// The viewer's own session alone is ended by signing out.
func TestSignOutEndsOneSession(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a := r.account(t, "acme")
		r.user(t, a.ID, "ada@acme.example")
		one, two := r.signIn(t, "ada@acme.example"), r.signIn(t, "ada@acme.example")
		require.NoError(t, r.sessions.SignOut(t.Context(), one.Viewer))
		r.learned(t, a.ID)
		_, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), one.Token) })
		require.ErrorIs(t, err, identity.ErrNoSession)
		v, err := retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), two.Token) })
		require.NoError(t, err)
		require.Equal(t, two.Viewer.SessionID, v.SessionID)
	})
}
