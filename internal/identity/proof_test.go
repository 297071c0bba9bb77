package identity_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// A sign-in that was under way while the password was replaced opens nothing.
func TestAReplacedPasswordOpensNothing(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		u := r.user(t, r.account(t, "acme").ID, "ada@acme.example")
		old := r.Login.GetX(system(t), *u.LoginID).PasswordHash
		_, err := r.sessions.Open(t.Context(), u, nil, identity.PasswordProof(old), from)
		require.NoError(t, err)
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.Login.UpdateOneID(*u.LoginID).SetPasswordHash("another").Exec(ctx)
		})
		_, err = r.sessions.Open(t.Context(), u, nil, identity.PasswordProof(old), from)
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	})
}

// A session that has ended is no way into another account, even where a replica
// hasn't heard of it yet.
func TestAnEndedSessionCrossesNowhere(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a, b := r.account(t, "aaa"), r.account(t, "bbb")
		r.user(t, a.ID, "ada@x.example")
		r.user(t, b.ID, "ada@x.example")
		s, err := r.sessions.SignIn(t.Context(), "ada@x.example", password, a.ID, from)
		require.NoError(t, err)
		require.NoError(t, r.sessions.SignOut(t.Context(), s.Viewer))
		before := r.Session.Query().CountX(system(t))
		_, err = r.sessions.Switch(t.Context(), s.Viewer, b.ID, from)
		require.ErrorIs(t, err, identity.ErrNoSession)
		require.Equal(t, before, r.Session.Query().CountX(system(t)))
	})
}

// Where single sign-on is enforced, a password session lasts while its person is
// an admin of the account.
func TestAPasswordIsTheWayBackOfAdminsAlone(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		a := r.account(t, "acme")
		u := r.user(t, a.ID, "ada@acme.example")
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return identity.BindRole(ctx, tx, u, tx.Scope.GetX(ctx, a.ID), tenancy.Admin)
		})
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return tx.Account.UpdateOneID(a.ID).SetSSOEnforced(true).Exec(ctx)
		})
		s := r.signIn(t, "ada@acme.example")
		require.NoError(t, r.ask(t, s.Token))
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.RoleBinding.Delete().Exec(ctx)
			tx.Touch(a.ID)
			return err
		})
		eventually(t, identity.ErrNoSession, func() error { return r.ask(t, s.Token) })
	})
}

// What ended with a deactivation stays ended when the person comes back.
func TestReactivationRevivesNoSession(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a := r.super(t), r.account(t, "acme")
		u := r.user(t, a.ID, "ada@acme.example")
		s := r.signIn(t, "ada@acme.example")
		d := &identity.Directory{}
		_, err := as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.User, error) {
			return d.Deactivate(ctx, tx, r.Now(), u.ID)
		})
		require.NoError(t, err)
		_, err = as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (*ent.User, error) { return d.Reactivate(ctx, tx, u.ID) })
		require.NoError(t, err)
		r.learned(t, a.ID)
		require.ErrorIs(t, r.ask(t, s.Token), identity.ErrNoSession)
		r.signIn(t, "ada@acme.example")
	})
}

// A link answers for whoever has it now: sent again by somebody, it falls with
// their role; a super admin's falls with theirs, in customers' accounts too.
func TestLinksFallWithWhoeverHoldsThem(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		super, a := r.super(t), r.account(t, "acme")
		d := &identity.Directory{}
		viewer := func(u *ent.User) *tenancy.Viewer {
			return &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: a.ID, UserID: u.ID, Name: u.Name}
		}
		ada, bob := r.user(t, a.ID, "ada@acme.example"), r.user(t, a.ID, "bob@acme.example")
		root := r.Scope.GetX(system(t), a.ID)
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			if err := identity.BindRole(ctx, tx, ada, root, tenancy.Admin); err != nil {
				return err
			}
			return identity.BindRole(ctx, tx, bob, root, tenancy.Admin)
		})
		invited, err := as(t, r, viewer(ada), func(ctx context.Context, tx *store.Tx) ([]identity.Invited, error) {
			return d.Invite(ctx, tx, r.Now(), identity.InvitationInput{Scope: root, Role: tenancy.Admin, Emails: []string{"new@acme.example"}})
		})
		require.NoError(t, err)
		_, err = as(t, r, viewer(bob), func(ctx context.Context, tx *store.Tx) (identity.Invited, error) {
			return d.Resend(ctx, tx, r.Now(), invited[0].Row, root, false)
		})
		require.NoError(t, err)
		_, err = as(t, r, viewer(ada), func(ctx context.Context, tx *store.Tx) (*ent.User, error) {
			return d.Deactivate(ctx, tx, r.Now(), bob.ID)
		})
		require.NoError(t, err)
		require.NotNil(t, r.Invitation.GetX(system(t), invited[0].Row.ID).RevokedAt)
		told := r.told(t, "invitation.revoke")
		require.Len(t, told, 1)
		require.Equal(t, []string{invited[0].Row.ID, "new@acme.example", ada.ID, root.ID, root.Path, "Whoever invited them may no longer."},
			[]string{told[a.ID].TargetID, told[a.ID].TargetName, told[a.ID].ActorID, told[a.ID].ScopeID, told[a.ID].ScopePath, told[a.ID].Reason})

		opened, err := as(t, r, super.Viewer, func(ctx context.Context, tx *store.Tx) (identity.Invited, error) {
			_, _, i, err := d.OpenAccount(ctx, tx, r.Now(), identity.AccountInput{Name: "New", Slug: "new-one", Console: true}, "boss@new.example", "", false)
			return i, err
		})
		require.NoError(t, err)
		other := r.user(t, id.PlatformID, "second@platform.example")
		r.change(t, func(ctx context.Context, tx *store.Tx) error {
			return identity.BindRole(ctx, tx, other, tx.Scope.GetX(ctx, id.PlatformID), tenancy.Admin)
		})
		_, err = as(t, r, &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: id.PlatformID, UserID: other.ID, Name: "Second", Platform: true},
			func(ctx context.Context, tx *store.Tx) (*ent.User, error) {
				return d.Deactivate(ctx, tx, r.Now(), super.Viewer.UserID)
			})
		require.NoError(t, err)
		require.NotNil(t, r.Invitation.GetX(system(t), opened.Row.ID).RevokedAt)
		require.Equal(t, opened.Row.ID, r.told(t, "invitation.revoke")[opened.Row.AccountID].TargetID, "the customer's log tells")
	})
}
