package identitytest_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/internal/id"
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
		support := st.Session.Query().Where(session.KindEQ(session.KindSUPPORT), session.AccountID(w.A.Row.ID)).OnlyX(identitytest.System(t))
		require.Nil(t, support.UserID)
		require.Equal(t, w.A.Support.ID, *support.SupportAccessID)
		require.Equal(t, w.SuperAdmin.UserID, w.A.Support.StaffID)
	})
}

// What the platform alone has; the rest lies in every account.
var platformsOwn = []string{"catalog_models", "central_providers", "listing_accounts", "logins", "nodes"}

// Tables of things that lie in a plane: a row in each of both.
var inPlanes = []string{"organizations", "teams", "members", "role_bindings", "keys", "key_models", "models",
	"budgets", "budget_cycles", "budget_leases", "charges", "holds", "idempotency_keys", "grants", "group_mappings", "invitations",
	"guardrail_presets", "guardrail_assignments", "feature_flags"}

// The accounts are alike, table by table and plane by plane.
func TestAccountsAreAlike(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	w := identitytest.Tree(t, st)
	for table, rows := range identitytest.Rows(t, st) {
		planes := map[string][]string{}
		for _, r := range rows {
			planes[r.AccountID] = append(planes[r.AccountID], r.Plane)
		}
		for account := range planes {
			slices.Sort(planes[account])
		}
		require.Equal(t, planes[w.A.Row.ID], planes[w.B.Row.ID], table)
		if slices.Contains(platformsOwn, table) {
			require.Empty(t, planes[w.A.Row.ID], table)
			continue
		}
		require.NotEmpty(t, planes[w.A.Row.ID], table)
		if slices.Contains(inPlanes, table) {
			require.Subset(t, planes[w.A.Row.ID], []string{"CONSOLE", "COPILOT"}, table)
		}
	}
	require.Len(t, identitytest.Rows(t, st)["service_clients"], 3)
	require.NotEmpty(t, slices.DeleteFunc(identitytest.Rows(t, st)["service_clients"], func(r identitytest.Row) bool { return r.AccountID != id.PlatformID }))
}
