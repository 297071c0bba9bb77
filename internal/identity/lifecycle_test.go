package identity_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// super is a signed-in super admin.
func (r *replica) super(t testing.TB) *identity.SignedIn {
	t.Helper()
	u := r.user(t, id.PlatformID, "root@platform.example")
	r.change(t, func(ctx context.Context, tx *store.Tx) error {
		return identity.BindRole(ctx, tx, u, tx.Scope.GetX(ctx, id.PlatformID), tenancy.Admin)
	})
	return r.signIn(t, "root@platform.example")
}

// as runs a verb for a viewer, in the system's transaction.
func as[T any](t testing.TB, r *replica, v *tenancy.Viewer, f func(ctx context.Context, tx *store.Tx) (T, error)) (out T, err error) {
	t.Helper()
	ctx := tenancy.System(tenancy.WithViewer(t.Context(), v), "test")
	err = r.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = f(ctx, tx)
		return err
	})
	return out, err
}

// told are the logs, by account, that an action stands in.
func (r *replica) told(t testing.TB, action string) map[string]*ent.AuditEvent {
	t.Helper()
	out := map[string]*ent.AuditEvent{}
	for _, e := range r.AuditEvent.Query().Where(auditevent.Action(action)).Order(auditevent.ByID()).AllX(system(t)) {
		out[e.AccountID] = e
	}
	return out
}

func TestAccountOpensWithAnInvitationAndRewritesNobody(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super := r.super(t)
		other := r.account(t, "other")
		known := r.user(t, other.ID, "ada@acme.example")
		before := r.Login.Query().Where(login.Email("ada@acme.example")).OnlyX(system(t))
		type opened struct {
			a     *ent.Account
			i     *ent.Invitation
			token string
		}
		open := func(in identity.AccountInput, email, name string) (opened, error) {
			return as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (opened, error) {
				a, _, invited, err := (&identity.Directory{}).OpenAccount(ctx, tx, r.Now(), in, email, name, false)
				return opened{a, invited.Row, invited.Token}, err
			})
		}
		for field, bad := range map[string]struct {
			in          identity.AccountInput
			email, name string
		}{
			"planes":     {identity.AccountInput{Name: "Acme", Slug: "acme"}, "ada@acme.example", ""},
			"adminEmail": {identity.AccountInput{Name: "Acme", Slug: "acme", Console: true}, "ada", ""},
			"adminName":  {identity.AccountInput{Name: "Acme", Slug: "acme", Console: true}, "ada@acme.example", string(make([]byte, 200))},
			"slug":       {identity.AccountInput{Name: "Acme", Slug: "other", Console: true}, "ada@acme.example", ""},
		} {
			_, err := open(bad.in, bad.email, bad.name)
			require.Equal(t, []string{field}, fault.As(err).Path, "%v", err)
		}
		require.Zero(t, r.Account.Query().Where(account.Slug("acme")).CountX(system(t)))
		o, err := open(identity.AccountInput{Name: "Acme", Slug: "acme", Console: true}, "Ada@Acme.example", "Ada")
		require.NoError(t, err)
		require.Equal(t, 1, r.Scope.Query().Where(scope.AccountID(o.a.ID), scope.KindIn(scope.KindCONSOLE, scope.KindCOPILOT)).CountX(system(t)))
		i := r.Invitation.Query().Where(invitation.AccountID(o.a.ID)).OnlyX(system(t))
		require.Equal(t, "ada@acme.example", i.Email)
		require.Equal(t, invitation.RoleADMIN, i.Role)
		require.Equal(t, secret.Hash(o.token), i.TokenHash)
		require.Zero(t, r.User.Query().Where(user.AccountID(o.a.ID)).CountX(system(t)), "nobody is a user before they accept")
		after := r.Login.GetX(system(t), before.ID)
		require.Equal(t, before.PasswordHash, after.PasswordHash, "the login is as it was")
		require.Equal(t, before.Version, after.Version)
		require.Equal(t, known.Version, r.User.GetX(system(t), known.ID).Version)
		told := r.told(t, "account.create")
		require.Contains(t, told, o.a.ID)
		require.Equal(t, super.Viewer.UserID, told[id.PlatformID].ActorID)
	})
}

func TestAccountSettings(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a := r.super(t), r.account(t, "acme")
		set := func(in identity.AccountChange) (*ent.Account, error) {
			return as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.UpdateAccount(ctx, tx, a.ID, in)
			})
		}
		num, word := func(n int) *int { return &n }, func(s string) *string { return &s }
		for field, in := range map[string]identity.AccountChange{
			"name": {Name: word(" ")}, "timeZone": {TimeZone: word("Mars/Olympus")}, "sessionIdleMinutes": {IdleMinutes: num(4)},
			"sessionLifetimeMinutes": {LifetimeMinutes: num(129_601)}, "auditRetentionDays": {RetentionDays: num(29)},
		} {
			_, err := set(in)
			require.Equal(t, []string{field}, fault.As(err).Path, "%v", err)
		}
		_, err := set(identity.AccountChange{Name: word("New"), ExpectedVersion: num(a.Version + 1)})
		require.True(t, fault.Is(err, fault.Conflict))
		require.Equal(t, a.Version, fault.As(err).Data["currentVersion"])
		got, err := set(identity.AccountChange{Name: word("New"), TimeZone: word("Europe/Berlin"), IdleMinutes: num(5), LifetimeMinutes: num(15),
			RetentionDays: num(30), ExpectedVersion: num(a.Version)})
		require.NoError(t, err)
		require.Equal(t, a.Version+1, got.Version)
		require.Equal(t, "New", r.Scope.GetX(system(t), a.ID).Name, "its node is called like it")
		require.Contains(t, string(r.told(t, "account.update")[a.ID].Changes), `"Europe/Berlin"`)
		require.Contains(t, r.told(t, "account.update"), id.PlatformID)
	})
}

// Each step leads where it may, and says why it was made in both logs.
func TestAccountLifecycle(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a := r.super(t), r.account(t, "acme")
		steps := map[string]func(ctx context.Context, tx *store.Tx) (*ent.Account, error){
			"suspend": func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.Suspend(ctx, tx, a.ID, "unpaid")
			},
			"resume": func(ctx context.Context, tx *store.Tx) (*ent.Account, error) { return identity.Resume(ctx, tx, a.ID) },
			"close": func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.Close(ctx, tx, r.Now(), a.ID, "ACME", "left us")
			},
			"delete": func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.Delete(ctx, tx, r.Now(), a.ID, "ACME")
			},
		}
		step := func(name string) (*ent.Account, error) { return as(t, r, super.Viewer, steps[name]) }
		refused := func(names ...string) {
			for _, name := range names {
				_, err := step(name)
				require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
			}
		}
		done := func(name string) *ent.Account {
			got, err := step(name)
			require.NoError(t, err)
			told := r.told(t, "account."+name)
			require.Len(t, told, 2)
			for _, e := range told {
				require.Equal(t, map[string]string{"suspend": "unpaid", "close": "left us"}[name], e.Reason)
			}
			return got
		}
		refused("resume", "delete")
		require.Equal(t, "unpaid", done("suspend").StatusReason)
		refused("suspend", "delete")
		require.Empty(t, done("resume").StatusReason)
		for _, typed := range []string{"", "acme", "ACME Inc"} {
			_, err := as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.Close(ctx, tx, r.Now(), a.ID, typed, "left us")
			})
			require.Equal(t, []string{"confirm"}, fault.As(err).Path)
		}
		require.NotNil(t, done("close").ClosedAt)
		refused("suspend", "resume", "close")
		_, err := as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
			return identity.UpdateAccount(ctx, tx, a.ID, identity.AccountChange{})
		})
		require.True(t, fault.Is(err, fault.Invalid))
		_, err = as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
			return identity.Delete(ctx, tx, r.Now(), a.ID, "acme")
		})
		require.Equal(t, []string{"confirm"}, fault.As(err).Path)
		require.NotNil(t, done("delete").DeletingAt)
		refused("delete", "resume")
		for _, verb := range []func(ctx context.Context, tx *store.Tx) (*ent.Account, error){
			func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.Suspend(ctx, tx, id.PlatformID, "x")
			},
			func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.Close(ctx, tx, r.Now(), id.PlatformID, "Platform", "x")
			},
			func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.SetPlanes(ctx, tx, id.PlatformID, []tenancy.Plane{tenancy.Console})
			},
		} {
			_, err := as(t, r, super.Viewer, verb)
			require.True(t, fault.Is(err, fault.Invalid), "the platform itself stays")
		}
		_, err = as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
			return identity.Suspend(ctx, tx, id.New(id.Account), "x")
		})
		require.True(t, fault.Is(err, fault.NotFound))
	})
}

// A plane that is off is refused on every replica: its keys, its seats and
// roles, its rows; it is all there when it is on again.
func TestPlaneSwitchedOff(t *testing.T) {
	t.Parallel()
	each(t, 2, func(t *testing.T, rs []*replica) {
		here, there := rs[0], rs[1]
		s := seat(t, here)
		_, token := s.key(t, here, identity.KeyInput{})
		here.change(t, func(ctx context.Context, tx *store.Tx) error {
			return identity.BindRole(ctx, tx, s.user, tx.Scope.GetX(ctx, s.account.ID), tenancy.Admin)
		})
		signed := here.signIn(t, "ada@acme.example")
		planes := func(p ...tenancy.Plane) {
			_, err := as(t, here, nil, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.SetPlanes(ctx, tx, s.account.ID, p)
			})
			require.NoError(t, err)
			there.learned(t, s.account.ID)
		}
		look := func() *tenancy.Viewer {
			v, err := retried(t, func() (*tenancy.Viewer, error) { return there.sessions.Viewer(t.Context(), signed.Token) })
			require.NoError(t, err)
			return v
		}
		scopes := func() int {
			return there.Scope.Query().Where(scope.PlaneEQ(scope.PlaneCONSOLE)).CountX(tenancy.WithViewer(t.Context(), look()))
		}
		there.learned(t, s.account.ID)
		_, err := principal(t, there, token)
		require.NoError(t, err)
		all := scopes()
		require.Positive(t, all)
		require.Len(t, look().Roles, 2)

		planes(tenancy.Copilot)
		_, err = principal(t, there, token)
		require.ErrorIs(t, err, identity.ErrKey)
		require.Zero(t, scopes(), "an admin of the account sees nothing of it")
		require.Len(t, look().Roles, 1)
		require.Equal(t, []tenancy.Plane{tenancy.Console}, look().Off)

		planes(tenancy.Console, tenancy.Copilot)
		_, err = principal(t, there, token)
		require.NoError(t, err)
		require.Equal(t, all, scopes())

		_, err = as(t, here, nil, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
			return identity.SetPlanes(ctx, tx, s.account.ID, nil)
		})
		require.Equal(t, []string{"planes"}, fault.As(err).Path)
	})
}

// A plane that never was gets its root with the defaults, once.
func TestPlaneSwitchedOnForTheFirstTime(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		var a *ent.Account
		r.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
			a, err = identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "Acme", Slug: "acme", Console: true})
			return err
		})
		for range 2 {
			_, err := as(t, r, nil, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
				return identity.SetPlanes(ctx, tx, a.ID, []tenancy.Plane{tenancy.Console, tenancy.Copilot})
			})
			require.NoError(t, err)
		}
		require.Equal(t, 3, r.Scope.Query().Where(scope.AccountID(a.ID), scope.PlaneEQ(scope.PlaneCOPILOT)).CountX(system(t)), "root, organization, team")
	})
}

func TestOperatorApprovesADomain(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a, b := r.super(t), r.account(t, "acme"), r.account(t, "beta")
		approve := func(accountID, name, reason string) (*ent.Domain, error) {
			return as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.Domain, error) {
				return identity.ApproveDomain(ctx, tx, r.Now(), accountID, name, reason)
			})
		}
		for _, bad := range []string{"", "example", "bücher.example", "a b.example", "-a.example", "https://a.example"} {
			_, err := approve(a.ID, bad, "contract")
			require.Equal(t, []string{"domain"}, fault.As(err).Path, bad)
		}
		_, err := approve(a.ID, "acme.example", " ")
		require.Equal(t, []string{"reason"}, fault.As(err).Path)
		var claimed *ent.Domain
		r.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
			claimed, err = tx.Domain.Create().SetAccountID(a.ID).SetPlane(domain.PlaneACCOUNT).SetName("acme.example").SetToken("t").Save(ctx)
			return err
		})
		d, err := approve(a.ID, " Acme.Example. ", "contract 17")
		require.NoError(t, err)
		require.Equal(t, claimed.ID, d.ID, "the claim itself is approved")
		require.Equal(t, domain.VerifiedByOPERATOR, d.VerifiedBy)
		require.Equal(t, "acme.example", *d.VerifiedName)
		_, err = approve(b.ID, "acme.example", "contract")
		require.True(t, fault.Is(err, fault.Exists), "%v", err)
		require.Zero(t, r.Domain.Query().Where(domain.AccountID(b.ID)).CountX(system(t)), "and nothing stays of the try")
		_, err = approve(a.ID, "acme.example", "contract")
		require.True(t, fault.Is(err, fault.Invalid))
		told := r.told(t, "domain.approve")
		require.Len(t, told, 2)
		for _, e := range told {
			require.Equal(t, "contract 17", e.Reason)
		}
	})
}
