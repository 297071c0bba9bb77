package identity_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func look(t testing.TB, r *replica, token string) (*tenancy.Viewer, error) {
	t.Helper()
	return retried(t, func() (*tenancy.Viewer, error) { return r.sessions.Viewer(t.Context(), token) })
}

func (r *replica) enter(t testing.TB, v *tenancy.Viewer, accountID string, writes bool) (*ent.SupportAccess, *identity.SignedIn) {
	t.Helper()
	a, s, err := r.sessions.StartSupport(t.Context(), v, identity.SupportInput{AccountID: accountID, Reason: "Ticket 4711 asks for help", Minutes: 30, Writes: writes}, from)
	require.NoError(t, err)
	return a, s
}

func TestSupportAccessIsASessionInsideTheAccount(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a := r.super(t), r.account(t, "acme")
		row, in := r.enter(t, super.Viewer, a.ID, false)
		for _, v := range []*tenancy.Viewer{in.Viewer, func() *tenancy.Viewer { v, err := look(t, r, in.Token); require.NoError(t, err); return v }()} {
			require.Equal(t, a.ID, v.AccountID)
			require.Equal(t, super.Viewer.UserID, v.UserID)
			require.Equal(t, super.Viewer.Name, v.Name)
			require.Equal(t, row.ID, v.SupportID)
			require.False(t, v.Platform)
			require.True(t, v.Narrowed)
			require.Equal(t, []string{"audit.read", "profile", "read"}, v.Permissions)
			require.Equal(t, []tenancy.Role{{Role: tenancy.Auditor, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, ScopeID: a.ID, Path: "/" + a.ID + "/"}}, v.Roles)
			require.WithinDuration(t, r.Now().Add(30*time.Minute), v.Until, time.Second)
		}
		_, in = r.enter(t, super.Viewer, a.ID, true)
		require.Equal(t, tenancy.Admin, in.Viewer.Roles[0].Role)
		require.Contains(t, in.Viewer.Permissions, "budgets.manage")
		for _, lasting := range []string{"keys.manage", "roles.manage", "platform.manage"} {
			require.NotContains(t, in.Viewer.Permissions, lasting, "nothing that outlasts the visit")
		}
		require.NotContains(t, in.Viewer.Permissions, "platform.manage")
		require.NotContains(t, in.Viewer.Permissions, "models.call")
		told := r.told(t, "support.start")
		require.Len(t, told, 2, "both logs tell")
		for _, e := range told {
			require.Equal(t, super.Viewer.UserID, e.ActorID)
			require.Equal(t, "Ticket 4711 asks for help", e.Reason)
		}
		// What is done inside names the staff, and how they came in.
		e, err := as(t, r, in.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
			name := "Renamed"
			return identity.UpdateAccount(ctx, tx, a.ID, identity.AccountChange{Name: &name})
		})
		require.NoError(t, err)
		require.Equal(t, "Renamed", e.Name)
		inside := r.told(t, "account.update")
		require.NotContains(t, inside, id.PlatformID, "what happens inside is the account's own matter")
		require.Equal(t, auditevent.ViaKindSUPPORT, inside[a.ID].ViaKind)
		require.Equal(t, in.Viewer.SupportID, inside[a.ID].ViaID)
		// Out of there leads the end alone.
		accounts, err := r.sessions.Accounts(t.Context(), in.Viewer)
		require.NoError(t, err)
		require.Empty(t, accounts)
		_, err = r.sessions.Switch(t.Context(), in.Viewer, id.PlatformID, from)
		require.True(t, fault.Is(err, fault.Forbidden))
	})
}

func TestSupportAccessIsRefused(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a, gone := r.super(t), r.account(t, "acme"), r.account(t, "gone")
		r.user(t, a.ID, "ada@acme.example")
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.Account.UpdateOneID(gone.ID).SetStatus(account.StatusSUSPENDED).Exec(ctx)
		})
		good := identity.SupportInput{AccountID: a.ID, Reason: "Ticket 4711", Minutes: 5}
		start := func(v *tenancy.Viewer, change func(in *identity.SupportInput)) error {
			in := good
			change(&in)
			_, _, err := r.sessions.StartSupport(t.Context(), v, in, from)
			return err
		}
		for _, change := range []func(in *identity.SupportInput){
			func(in *identity.SupportInput) { in.Reason = "too short" },
			func(in *identity.SupportInput) { in.Reason = strings.Repeat("x", 501) },
			func(in *identity.SupportInput) { in.Minutes = 4 },
			func(in *identity.SupportInput) { in.Minutes = 481 },
			func(in *identity.SupportInput) { in.AccountID = id.PlatformID },
			func(in *identity.SupportInput) { in.AccountID = gone.ID },
		} {
			require.True(t, fault.Is(start(super.Viewer, change), fault.Invalid))
		}
		require.True(t, fault.Is(start(super.Viewer, func(in *identity.SupportInput) { in.AccountID = id.New(id.Account) }), fault.NotFound))
		tenant := r.signIn(t, "ada@acme.example").Viewer
		require.True(t, fault.Is(start(tenant, func(*identity.SupportInput) {}), fault.Forbidden), "a tenant")
		row, in := r.enter(t, super.Viewer, a.ID, true)
		require.True(t, fault.Is(start(in.Viewer, func(*identity.SupportInput) {}), fault.Forbidden), "from within another one")
		_, _, err := r.sessions.EnterSupport(t.Context(), in.Viewer, row.ID, from)
		require.True(t, fault.Is(err, fault.Forbidden))

		second := r.user(t, id.PlatformID, "other@platform.example")
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return identity.BindRole(ctx, tx, second, tx.Scope.GetX(ctx, id.PlatformID), tenancy.Admin)
		})
		other := r.signIn(t, "other@platform.example").Viewer
		_, _, err = r.sessions.EnterSupport(t.Context(), other, row.ID, from)
		require.True(t, fault.Is(err, fault.NotFound), "somebody else's")
		_, again, err := r.sessions.EnterSupport(t.Context(), super.Viewer, row.ID, from)
		require.NoError(t, err)
		require.Equal(t, row.ID, again.Viewer.SupportID)
		require.Len(t, r.told(t, "support.enter"), 2)
		for range 19 {
			r.enter(t, super.Viewer, a.ID, false)
		}
		require.ErrorContains(t, start(super.Viewer, func(*identity.SupportInput) {}), "20 support accesses")
	})
}

// However it ends, it is refused on every replica; whoever was in it gets their
// own session back, and no longer one than they had.
func TestSupportAccessEnds(t *testing.T) {
	t.Parallel()
	type scene struct {
		here  *replica
		super *identity.SignedIn
		a     *ent.Account
		row   *ent.SupportAccess
		in    *identity.SignedIn
	}
	for name, c := range map[string]struct {
		end func(t *testing.T, s *scene)
		// back says that the one inside gets their own session back.
		back bool
	}{
		"the account ends it": {func(t *testing.T, s *scene) {
			admin := &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: s.a.ID, UserID: "usr_x", Name: "Tenant"}
			row, signed, err := s.here.sessions.EndSupport(t.Context(), admin, s.row.ID, from)
			require.NoError(t, err)
			require.Nil(t, signed, "only the one inside gets a session")
			require.Equal(t, "Tenant", row.EndedByName)
		}, true},
		"time ends it": {func(_ *testing.T, s *scene) { s.here.advance(31 * time.Minute) }, true},
		"the account is suspended": {func(t *testing.T, s *scene) {
			s.here.change(t, func(ctx context.Context, tx *store.Tx) error {
				_, err := identity.Suspend(ctx, tx, s.a.ID, "unpaid")
				return err
			})
		}, true},
		"the account is closed": {func(t *testing.T, s *scene) {
			_, err := as(t, s.here, s.super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.Close(ctx, tx, s.here.Now(), s.a.ID, "ACME", "over")
			})
			require.NoError(t, err)
			told := s.here.told(t, "support.end")
			require.Len(t, told, 2, "both logs tell")
			for _, e := range told {
				require.Equal(t, s.row.ID, e.TargetID)
			}
		}, true},
		"the staff lose their role": {func(t *testing.T, s *scene) {
			s.here.change(t, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.RoleBinding.Delete().Where(rolebinding.UserID(s.super.Viewer.UserID)).Exec(ctx)
				return err
			})
		}, true},
		"the staff are deactivated": {func(t *testing.T, s *scene) {
			s.here.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.User.UpdateOneID(s.super.Viewer.UserID).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
			})
		}, false},
		"the staff's own session ends": {func(t *testing.T, s *scene) {
			require.NoError(t, s.here.sessions.SignOut(t.Context(), s.super.Viewer))
		}, false},
		"the staff sign out": {func(t *testing.T, s *scene) {
			require.NoError(t, s.here.sessions.SignOut(t.Context(), s.in.Viewer))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, 2, func(t *testing.T, rs []*replica) {
				here, there := rs[0], rs[1]
				s := &scene{here: here, super: here.super(t), a: here.account(t, "acme")}
				s.row, s.in = here.enter(t, s.super.Viewer, s.a.ID, true)
				for _, r := range rs { // cached on both
					r.learned(t, s.a.ID)
					r.learned(t, id.PlatformID)
					_, err := look(t, r, s.in.Token)
					require.NoError(t, err)
				}
				c.end(t, s)
				for _, r := range rs {
					r.learned(t, s.a.ID)
					r.learned(t, id.PlatformID)
					_, err := look(t, r, s.in.Token)
					require.ErrorIs(t, err, identity.ErrNoSession)
				}
				signed, err := there.sessions.Back(t.Context(), s.in.Token, from)
				require.NoError(t, err)
				if !c.back {
					require.Nil(t, signed)
					return
				}
				require.NotNil(t, signed)
				require.Equal(t, id.PlatformID, signed.Viewer.AccountID)
				require.Equal(t, s.super.Viewer.UserID, signed.Viewer.UserID)
				require.WithinDuration(t, s.super.Viewer.Until, signed.Viewer.Until, 0, "it lasts no longer")
				_, err = look(t, there, signed.Token)
				require.NoError(t, err)
				signed, err = there.sessions.Back(t.Context(), s.in.Token, from)
				require.NoError(t, err)
				require.Nil(t, signed, "once")
				_, err = there.sessions.Back(t.Context(), s.super.Token, from)
				require.NoError(t, err)
			})
		})
	}
}

func TestTheOneInsideEndsTheirSupportAccess(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a := r.super(t), r.account(t, "acme")
		row, in := r.enter(t, super.Viewer, a.ID, false)
		r.learned(t, a.ID)
		ended, signed, err := r.sessions.EndSupport(t.Context(), in.Viewer, row.ID, from)
		require.NoError(t, err)
		require.NotNil(t, ended.EndedAt)
		require.Equal(t, id.PlatformID, signed.Viewer.AccountID)
		require.WithinDuration(t, super.Viewer.Until, signed.Viewer.Until, 0)
		r.learned(t, a.ID)
		r.learned(t, id.PlatformID)
		for _, dead := range []string{in.Token, super.Token} {
			_, err = look(t, r, dead)
			require.ErrorIs(t, err, identity.ErrNoSession)
		}
		_, err = look(t, r, signed.Token)
		require.NoError(t, err)
		_, _, err = r.sessions.EndSupport(t.Context(), signed.Viewer, row.ID, from)
		require.True(t, fault.Is(err, fault.Invalid), "over already")
		told := r.told(t, "support.end")
		require.Len(t, told, 2)
		for _, e := range told {
			require.Equal(t, super.Viewer.UserID, e.ActorID)
			require.Equal(t, auditevent.ViaKindSUPPORT, e.ViaKind)
		}
		back := r.AuditEvent.Query().Where(auditevent.Action("session.create"), auditevent.ReasonContains("Back from a support access")).OnlyX(system(t))
		require.Equal(t, []string{id.PlatformID, super.Viewer.UserID}, []string{back.AccountID, back.TargetID})
	})
}

const (
	glassEmail    = "ops@operator.example"
	glassPassword = "only-in-an-emergency-7f3a"
)

// It works when nobody else can, from the configuration alone.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	each(t, 2, func(t *testing.T, rs []*replica) {
		here, there := rs[0], rs[1]
		super, a := here.super(t), here.account(t, "acme")
		log := &strings.Builder{}
		logger := slog.New(slog.NewTextHandler(log, nil))
		_, err := here.sessions.SignIn(t.Context(), glassEmail, glassPassword, "", from)
		require.True(t, fault.Is(err, fault.Invalid), "not before it is set up")
		want := err.Error()
		require.Error(t, here.sessions.AllowBreakGlass(t.Context(), glassEmail, "too-short", logger))
		require.NoError(t, here.sessions.AllowBreakGlass(t.Context(), " Ops@Operator.example", glassPassword, logger))
		for _, tc := range [][3]string{{glassEmail, glassPassword + "x", ""}, {"x" + glassEmail, glassPassword, ""}, {glassEmail, glassPassword, a.ID}, {glassEmail, "", ""}} {
			_, err := here.sessions.SignIn(t.Context(), tc[0], tc[1], tc[2], from)
			require.Error(t, err)
			require.Equal(t, want, err.Error(), "as to everybody")
		}
		require.Empty(t, log.String())
		here.change(t, func(ctx context.Context, tx *store.Tx) error { // every admin is locked out
			_, err := tx.RoleBinding.Delete().Where(rolebinding.AccountID(id.PlatformID)).Exec(ctx)
			require.NoError(t, err)
			return tx.User.Update().Where(user.AccountID(id.PlatformID)).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
		})
		for range 2 { // its user is made once, and needs no status
			s, err := here.sessions.SignIn(t.Context(), strings.ToUpper(glassEmail), glassPassword, "", from)
			require.NoError(t, err)
			v, err := look(t, here, s.Token)
			require.NoError(t, err)
			for _, v := range []*tenancy.Viewer{s.Viewer, v} {
				require.True(t, v.Platform)
				require.Equal(t, []tenancy.Role{{Role: tenancy.Admin, Plane: tenancy.PlanePlatform, Kind: tenancy.KindPlatform, ScopeID: id.PlatformID, Path: "/"}}, v.Roles)
				require.Equal(t, "Break-glass", v.Name)
				require.WithinDuration(t, here.Now().Add(time.Hour), v.Until, time.Second)
			}
			here.change(t, func(ctx context.Context, tx *store.Tx) error {
				return tx.User.UpdateOneID(v.UserID).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
			})
		}
		e := here.AuditEvent.Query().Where(auditevent.Action("session.create"), auditevent.ReasonContains("break-glass")).FirstX(system(t))
		require.Equal(t, "Break-glass", e.ActorName)
		require.Contains(t, log.String(), "level=WARN")
		require.NotContains(t, log.String()+string(e.Changes)+e.Reason, glassPassword)
		row := here.Session.Query().Where(session.KindEQ(session.KindBREAK_GLASS)).FirstX(system(t))
		require.NotContains(t, row.RestsOn, glassPassword)

		s, err := here.sessions.SignIn(t.Context(), glassEmail, glassPassword, "", from)
		require.NoError(t, err)
		_, err = look(t, there, s.Token)
		require.ErrorIs(t, err, identity.ErrNoSession, "a replica without it refuses")
		require.NoError(t, there.sessions.AllowBreakGlass(t.Context(), glassEmail, "another-password-altogether", logger))
		_, err = look(t, there, s.Token)
		require.ErrorIs(t, err, identity.ErrNoSession, "and one with other credentials")

		// In an account it stays what it is, and ends when it would.
		_, in := here.enter(t, s.Viewer, a.ID, false)
		require.Equal(t, s.Viewer.UserID, in.Viewer.UserID)
		_, out, err := here.sessions.EndSupport(t.Context(), in.Viewer, in.Viewer.SupportID, from)
		require.NoError(t, err)
		require.WithinDuration(t, s.Viewer.Until, out.Viewer.Until, 0)
		require.Equal(t, session.KindBREAK_GLASS, here.Session.GetX(system(t), out.Viewer.SessionID).Kind)
		here.advance(61 * time.Minute)
		_, err = look(t, here, out.Token)
		require.ErrorIs(t, err, identity.ErrNoSession)
		require.NotEqual(t, super.Viewer.UserID, out.Viewer.UserID)
	})
}

func TestBreakGlassIsRateLimited(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	require.NoError(t, r.sessions.AllowBreakGlass(t.Context(), glassEmail, glassPassword, slog.New(slog.DiscardHandler)))
	limited := false
	for range 11 {
		_, err := r.sessions.SignIn(t.Context(), glassEmail, "wrong horse battery", "", from)
		limited = fault.Is(err, fault.RateLimited)
	}
	require.True(t, limited)
	_, err := r.sessions.SignIn(t.Context(), glassEmail, glassPassword, "", from)
	require.True(t, fault.Is(err, fault.RateLimited), "the right password waits its minute, too")
}
