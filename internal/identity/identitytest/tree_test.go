package identitytest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
)

func TestTree(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		require.True(t, w.SuperAdmin.Platform)
		require.True(t, w.A.Admin.WholeAccount())
		require.Empty(t, w.A.Nobody.Roles)
		require.Equal(t, w.B.Copilot.Team.Path, w.B.Copilot.TeamAdmin.Reach[0].Path)
		require.Equal(t, w.B.Console.Member.ID, w.B.Console.Seat.Roles[0].ScopeID)
	})
}
