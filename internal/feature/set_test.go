package feature_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func TestSwitches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		p := w.A.Copilot
		set := func(v *tenancy.Viewer, s *ent.Scope, to feature.Switch, expected *int) (out feature.Setting, err error) {
			err = st.InTx(identitytest.Ctx(t, v), func(ctx context.Context, tx *store.Tx) (err error) {
				out, err = feature.Set(ctx, tx, feature.Input{Scope: s, Feature: feature.GenerateImages, Switch: to, ExpectedVersion: expected})
				return err
			})
			return out, err
		}
		epochs, err := st.WatchEpochs(t.Context())
		require.NoError(t, err)
		flags := feature.New(st, epochs)
		ask := func(s *ent.Scope) feature.Setting {
			flags.Forget(p.Root.AccountID, tenancy.Copilot)
			all, err := flags.Of(t.Context(), p.Root.AccountID, tenancy.Copilot, s.Path)
			require.NoError(t, err)
			return all[feature.GenerateImages]
		}
		code := func(err error) fault.Code {
			require.Error(t, err)
			require.NotNil(t, fault.As(err), "%v", err)
			return fault.As(err).Code
		}

		require.False(t, ask(p.Member).On, "off until somebody switches it on")
		require.Equal(t, feature.FeatureOff, code(flags.Allows(t.Context(), feature.GenerateImages, p.Root.AccountID, tenancy.Copilot, p.Member.Path)))
		_, err = set(p.TeamAdmin, p.Team, feature.On, nil)
		require.NoError(t, err)
		require.True(t, ask(p.Member).On)
		require.Equal(t, p.Team.Path, ask(p.Member).From.Scope)
		require.False(t, ask(p.SiblingTeam).On)
		require.NoError(t, flags.Allows(t.Context(), feature.GenerateImages, p.Root.AccountID, tenancy.Copilot, p.Member.Path))

		_, err = set(p.OrgAdmin, p.Org, feature.Deny, nil)
		require.NoError(t, err)
		require.False(t, ask(p.Member).On, "a deny above isn't lifted by what stands below")
		require.True(t, ask(p.Team).Locked)
		seen := 1
		_, err = set(p.TeamAdmin, p.Team, feature.Off, &seen)
		require.NoError(t, err, "but may be made stricter")
		require.Equal(t, fault.Conflict, code(second(set(p.TeamAdmin, p.Team, feature.Deny, &seen))))
		require.Equal(t, fault.Invalid, code(second(set(p.TeamAdmin, p.Team, feature.On, nil))))
		require.Equal(t, fault.Invalid, code(second(set(p.TeamAdmin, st.Scope.GetX(identitytest.System(t), p.Key.ID), feature.On, nil))), "keys have no features of their own")

		_, err = set(p.OrgAdmin, p.Org, "", nil)
		require.NoError(t, err)
		require.False(t, ask(p.Member).On)
		require.Nil(t, ask(p.SiblingTeam).From)
		require.Equal(t, 4, st.AuditEvent.Query().Where(auditevent.Action("feature.set")).CountX(identitytest.System(t)))
		require.Error(t, second(set(w.B.Copilot.TeamAdmin, p.Team, feature.On, nil)), "of another account")
	})
}

func second[A any](_ A, err error) error { return err }
