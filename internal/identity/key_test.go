package identity_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

func principal(t testing.TB, r *replica, token string) (*identity.Principal, error) {
	t.Helper()
	return retried(t, func() (*identity.Principal, error) { return r.keys.Principal(t.Context(), token) })
}

// seated is an account with Ada in Console's default team, and a model.
type seated struct {
	account *ent.Account
	user    *ent.User
	team    *ent.Scope
	member  *ent.Scope
	model   *ent.Model
}

func seat(t testing.TB, r *replica) *seated {
	t.Helper()
	s := &seated{account: r.account(t, "acme")}
	s.user = r.user(t, s.account.ID, "ada@acme.example")
	s.team = r.Scope.Query().Where(scope.AccountID(s.account.ID), scope.KindEQ(scope.KindTEAM), scope.PlaneEQ(scope.PlaneCONSOLE)).OnlyX(system(t))
	r.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
		if s.member, err = identity.AddMember(ctx, tx, s.team, s.user); err != nil {
			return err
		}
		p := tx.Provider.Create().SetAccountID(s.account.ID).SetPlane("CONSOLE").SetName("p").SetBaseURL("https://p.example").SaveX(ctx)
		if s.model, err = tx.Model.Create().SetAccountID(s.account.ID).SetPlane(model.PlaneCONSOLE).SetProviderID(p.ID).SetName("m").Save(ctx); err != nil {
			return err
		}
		root := tx.Scope.Query().Where(scope.AccountID(s.account.ID), scope.KindEQ(scope.KindCONSOLE)).OnlyX(ctx)
		_, err = grant.Set(ctx, tx, r.Now(), grant.Input{Scope: root, ResourceID: s.model.ID, Effect: grant.Allow, Authority: root.Path})
		return err
	})
	return s
}

func (s *seated) key(t testing.TB, r *replica, in identity.KeyInput) (*ent.Key, string) {
	t.Helper()
	if in.Owner == nil {
		in.Owner = s.member
	}
	in.Name, in.ModelIDs = "ci", []string{s.model.ID, s.model.ID}
	var k *ent.Key
	var token string
	r.change(t, func(ctx context.Context, tx *store.Tx) (err error) {
		k, _, token, err = identity.CreateKey(ctx, tx, r.Now(), in)
		return err
	})
	return k, token
}

func TestKeySaysWhatItStandsFor(t *testing.T) {
	t.Parallel()
	each(t, 1, func(t *testing.T, rs []*replica) {
		r := rs[0]
		s := seat(t, r)
		k, token := s.key(t, r, identity.KeyInput{RequestsPerMinute: 7})
		require.True(t, strings.HasPrefix(token, "ck_console_"))
		require.Equal(t, token[:len("ck_console_")+4], k.Prefix)
		require.Equal(t, secret.Hash(token), k.TokenHash)
		require.NotContains(t, fmt.Sprint(k), token[len(k.Prefix):], "the secret is nowhere")
		p, err := principal(t, r, token)
		require.NoError(t, err)
		require.Equal(t, map[string]bool{s.model.ID: true}, p.ModelIDs)
		require.Equal(t, []string{s.team.ID, s.member.ID, s.user.ID, k.ID}, []string{p.TeamID, p.MemberID, p.UserID, p.KeyID})
		require.Equal(t, s.member.Path+k.ID+"/", p.Path)
		require.Equal(t, 7, p.RequestsPerMinute)
		require.Len(t, p.Viewer.Reach, 1)
		require.Equal(t, p.Path, p.Viewer.Reach[0].Path)
		require.False(t, p.Viewer.Platform)
		for _, bad := range []string{"", k.Prefix, k.TokenHash, token + "x", strings.ToUpper(token), k.ID} {
			_, err := principal(t, r, bad)
			require.ErrorIs(t, err, identity.ErrKey)
		}
		for _, e := range r.AuditEvent.Query().AllX(system(t)) {
			require.NotContains(t, e.String(), token[len(k.Prefix):])
			require.NotContains(t, e.String(), k.TokenHash)
		}
	})
}

func TestKeyExpires(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	s := seat(t, r)
	soon := r.Now().Add(time.Hour)
	_, token := s.key(t, r, identity.KeyInput{ExpiresAt: &soon})
	p, err := principal(t, r, token)
	require.NoError(t, err)
	r.advance(59 * time.Minute)
	_, err = principal(t, r, token)
	require.NoError(t, err)
	r.advance(2 * time.Minute)
	_, err = principal(t, r, token)
	require.ErrorIs(t, err, identity.ErrKey)
	require.False(t, r.keys.Valid(p), "a running stream ends, too")
}

// Whatever ends a key ends it on the other replica, for running streams too.
func TestKeyRefusedAfter(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, tx *store.Tx, s *seated, k *ent.Key) error{
		"revoked": func(ctx context.Context, tx *store.Tx, s *seated, k *ent.Key) error {
			return tx.Key.UpdateOneID(k.ID).SetRevokedAt(time.Now()).Exec(ctx)
		},
		"account suspended": func(ctx context.Context, tx *store.Tx, s *seated, _ *ent.Key) error {
			return tx.Account.UpdateOneID(s.account.ID).SetStatus(account.StatusSUSPENDED).Exec(ctx)
		},
		"plane switched off": func(ctx context.Context, tx *store.Tx, s *seated, _ *ent.Key) error {
			return tx.Account.UpdateOneID(s.account.ID).SetConsole(false).Exec(ctx)
		},
		"team archived": func(ctx context.Context, tx *store.Tx, s *seated, _ *ent.Key) error {
			return tx.Scope.UpdateOneID(s.team.ID).SetArchivedAt(time.Now()).Exec(ctx)
		},
		"user deactivated": func(ctx context.Context, tx *store.Tx, s *seated, _ *ent.Key) error {
			return tx.User.UpdateOneID(s.user.ID).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
		},
		"users deactivated in bulk": func(ctx context.Context, tx *store.Tx, s *seated, _ *ent.Key) error {
			return tx.User.Update().Where(user.AccountID(s.account.ID)).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, 2, func(t *testing.T, rs []*replica) {
				here, there := rs[0], rs[1]
				s := seat(t, here)
				k, token := s.key(t, here, identity.KeyInput{})
				there.learned(t, s.account.ID)
				p, err := principal(t, there, token)
				require.NoError(t, err)
				here.change(t, func(ctx context.Context, tx *store.Tx) error { return end(ctx, tx, s, k) })
				there.learned(t, s.account.ID)
				_, err = principal(t, there, token)
				require.ErrorIs(t, err, identity.ErrKey)
				require.False(t, there.keys.Valid(p))
			})
		})
	}
}

// A change of the model list holds for the next call.
func TestModelListOfAKeyFollows(t *testing.T) {
	t.Parallel()
	r := on(t, store.Options{Dir: t.TempDir()}, 1)[0]
	s := seat(t, r)
	_, token := s.key(t, r, identity.KeyInput{})
	_, err := principal(t, r, token)
	require.NoError(t, err)
	r.change(t, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.KeyModel.Delete().Exec(ctx)
		return err
	})
	r.learned(t, s.account.ID)
	p, err := principal(t, r, token)
	require.NoError(t, err)
	require.Empty(t, p.ModelIDs, "an empty list means none")
}

func TestKeyInputIsChecked(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		c := w.A.Console
		past := st.Now().Add(-time.Second)
		archived := c.OtherTeam
		require.NoError(t, st.InTx(identitytest.System(t), func(ctx context.Context, tx *store.Tx) error {
			_, err := (&identity.Directory{}).Archive(ctx, tx, past, archived)
			return err
		}))
		for name, tc := range map[string]struct {
			in   identity.KeyInput
			code fault.Code
		}{
			"no model":                  {identity.KeyInput{Name: "k", Owner: c.Team}, fault.Invalid},
			"the other plane's model":   {identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: []string{w.A.Copilot.Model.ID}}, fault.NotFound},
			"another account's model":   {identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: []string{c.Model.ID, w.B.Console.Model.ID}}, fault.NotFound},
			"a model that isn't there":  {identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: []string{"mod_nothing"}}, fault.NotFound},
			"under a key":               {identity.KeyInput{Name: "k", Owner: c.KeyScope, ModelIDs: []string{c.Model.ID}}, fault.Invalid},
			"under the account":         {identity.KeyInput{Name: "k", Owner: w.A.Root, ModelIDs: []string{c.Model.ID}}, fault.Invalid},
			"under an archived team":    {identity.KeyInput{Name: "k", Owner: archived, ModelIDs: []string{c.Model.ID}}, fault.Invalid},
			"no name":                   {identity.KeyInput{Name: " ", Owner: c.Team, ModelIDs: []string{c.Model.ID}}, fault.Invalid},
			"negative rate":             {identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: []string{c.Model.ID}, RequestsPerMinute: -1}, fault.Invalid},
			"absurd rate":               {identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: []string{c.Model.ID}, RequestsPerMinute: 100_001}, fault.Invalid},
			"expired before it is made": {identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: []string{c.Model.ID}, ExpiresAt: &past}, fault.Invalid},
			"too many models":           {identity.KeyInput{Name: "k", Owner: c.Team, ModelIDs: make([]string, 101)}, fault.Invalid},
		} {
			for who, ctx := range map[string]context.Context{"system": identitytest.System(t), "admin": identitytest.Ctx(t, w.A.Admin)} {
				before := st.Scope.Query().CountX(identitytest.System(t))
				err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
					tx.Unaudited()
					_, _, _, err := identity.CreateKey(ctx, tx, st.Now(), tc.in)
					return err
				})
				require.True(t, fault.Is(err, tc.code), "%s by %s: %v", name, who, err)
				require.Equal(t, before, st.Scope.Query().CountX(identitytest.System(t)))
			}
		}
	})
}

// A team admin makes keys in their own team, and nowhere else.
func TestKeysStayInTheMakersReach(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		c := w.A.Console
		create := func(owner *ent.Scope, models ...string) error {
			return st.InTx(identitytest.Ctx(t, c.TeamAdmin), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, _, _, err := identity.CreateKey(ctx, tx, st.Now(), identity.KeyInput{Name: "k", Owner: owner, ModelIDs: models})
				return err
			})
		}
		require.NoError(t, create(c.Team, c.Model.ID))
		require.NoError(t, create(c.Member, c.Model.ID))
		for _, owner := range []*ent.Scope{c.SiblingTeam, c.Org, c.Root, c.OtherTeam, w.B.Console.Team, w.A.Copilot.Team} {
			require.Error(t, create(owner, c.Model.ID), owner.Name)
		}
	})
}
