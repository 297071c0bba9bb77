package demo_test

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/model"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/demo"
	"github.com/alchemi/cockpit/internal/demo/upstream"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const masterKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

func seed(t *testing.T, o store.Options, now time.Time) (*store.Store, demo.Env) {
	t.Helper()
	ctx := context.Background()
	o.Now = func() time.Time { return now }
	st, err := store.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	_, err = st.Migrate(ctx)
	require.NoError(t, err)
	require.NoError(t, identity.CreatePlatform(ctx, st))
	box, err := secret.NewBox(masterKey)
	require.NoError(t, err)
	provider := httptest.NewServer(upstream.Handler())
	t.Cleanup(provider.Close)
	options := demo.Options{Store: o, Box: box, FactorPPM: 1000 * money.FactorOne, Upstream: provider.URL, Client: outbound.NewClient([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}), Now: now}
	env, err := demo.Seed(ctx, options)
	require.NoError(t, err)
	again, err := demo.Seed(ctx, options)
	require.NoError(t, err)
	require.Nil(t, again, "it is told once")
	return st, env
}

func check(t *testing.T, o store.Options, now time.Time) {
	t.Helper()
	ctx := tenancy.System(context.Background(), "test")
	st, env := seed(t, o, now)
	e := budget.New(st, budget.Options{Now: st.Now})
	differences, err := e.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, differences)
	for _, name := range []string{demo.ConsoleKey, demo.CopilotKey, demo.AdminEmail, demo.MemberEmail, demo.AuditorEmail, demo.SuperAdminEmail, demo.Password,
		demo.ClientID, demo.ClientSecret, demo.WebClientID, demo.MemberID} {
		require.NotEmpty(t, env[name], name)
	}
	require.Greater(t, st.Charge.Query().Where(charge.PlaneEQ(charge.PlaneCONSOLE)).CountX(ctx), 2000)
	require.Greater(t, st.Charge.Query().Where(charge.PlaneEQ(charge.PlaneCOPILOT)).CountX(ctx), 1000)
	require.Zero(t, st.Charge.Query().Where(charge.AtGT(now)).CountX(ctx))
	require.Equal(t, 4, st.Request.Query().Where(entrequest.StatusEQ(entrequest.StatusPENDING)).CountX(ctx))
	require.Equal(t, 2, st.Request.Query().Where(entrequest.StatusEQ(entrequest.StatusAPPROVED)).CountX(ctx))
	for status, n := range map[listing.Status]int{listing.StatusPUBLISHED: 6, listing.StatusIN_REVIEW: 1} {
		require.Equal(t, n, st.Listing.Query().Where(listing.StatusEQ(status), listing.KindNEQ(listing.KindMODEL)).CountX(ctx), status)
	}
	require.NotZero(t, st.Listing.Query().Where(listing.Name("Customer replies")).OnlyX(ctx).RatingCount)
	require.NotZero(t, st.Listing.Query().Where(listing.Name("Claims triage")).OnlyX(ctx).RatingCount)
	provider, err := demo.Upstream(ctx, st)
	require.NoError(t, err)
	require.Regexp(t, `^http://127\.0\.0\.1:\d+$`, provider)
	offers(t, st)

	// Somebody is blocked, some run out, and the story's own key has room.
	root := st.Scope.Query().Where(scope.KindEQ(scope.KindCONSOLE), scope.HasParentWith(scope.Name("Acme Corp"))).OnlyX(ctx)
	states, err := e.States(ctx, tenancy.Reach{AccountID: root.AccountID, Plane: tenancy.Console, Path: root.Path}, nil)
	require.NoError(t, err)
	seen := map[string]budget.Status{}
	for _, s := range states {
		seen[s.ScopeName] = s.Status
		if strings.HasPrefix(s.ScopeName, "jonas-") || s.ScopeName == "Risk" || s.ScopeName == "Banking" || s.ScopeName == "Console" {
			require.Greater(t, s.Limit-s.Spent, 10*money.One, s.ScopeName)
		}
		t.Log(s.ScopeName, s.Status, s.Spent, "of", s.Limit)
	}
	require.Equal(t, budget.Blocked, seen["Nina Petersen"])
	looksAlive(t, st, e, root, states, now)

	// There is an auditor of the whole account, and the member has a denial to
	// ask about.
	require.True(t, st.RoleBinding.Query().Where(rolebinding.HasUserWith(user.Email(env[demo.AuditorEmail])), rolebinding.RoleEQ(rolebinding.RoleVIEWER),
		rolebinding.ScopeID(root.AccountID)).ExistX(ctx))
	seat := st.Member.Query().Where(member.HasUserWith(user.Email(env[demo.MemberEmail])), member.PlaneEQ(member.PlaneCOPILOT)).OnlyX(ctx)
	table, err := grant.Load(ctx, st.Client, seat.AccountID, tenancy.Copilot)
	require.NoError(t, err)
	denied := st.Model.Query().Where(model.AccountID(seat.AccountID), model.Name("gemini-flash")).OnlyX(ctx)
	require.Equal(t, grant.RuleDeny, table.Ask(denied.ID, st.Scope.GetX(ctx, seat.ID).Path, now).Rule)

	// People come and go.
	require.Equal(t, 1, st.Scope.Query().Where(scope.ArchivedAtNotNil()).CountX(ctx))
	require.Equal(t, 1, st.User.Query().Where(user.StatusEQ(user.StatusDEACTIVATED)).CountX(ctx))
	require.Equal(t, 2, st.Invitation.Query().Where(invitation.ExpiresAtGT(now)).CountX(ctx))
	require.Equal(t, 1, st.Invitation.Query().Where(invitation.ExpiresAtLTE(now)).CountX(ctx))
}

// offers is what the story's connections come to: most of it can be used, and
// something waits for an admin.
func offers(t *testing.T, st *store.Store) {
	t.Helper()
	ctx := tenancy.System(context.Background(), "test")
	states := map[string]string{}
	for _, row := range st.Connection.Query().WithTools().AllX(ctx) {
		require.Empty(t, row.HealthError, row.Name)
		require.Empty(t, row.DiscoveryError, row.Name)
		require.NotNil(t, row.CheckedAt, row.Name)
		for _, tool := range row.Edges.Tools {
			states[row.Name+"/"+tool.Name] = string(tool.State)
		}
	}
	require.Equal(t, map[string]string{
		"handbook/search_pages": "CHANGED", "handbook/who_answers": "PENDING", "handbook/read_page": "APPROVED", "handbook/convert_units": "APPROVED", "handbook/convert_currency": "APPROVED",
		"travel/find_trains": "APPROVED", "travel/my_trips": "APPROVED",
		"rooms/list_rooms": "APPROVED", "rooms/list_bookings": "APPROVED", "rooms/book_room": "PENDING",
	}, states)
}

// looksAlive is what the pages, and the browser tests, count on: a cycle that is
// neither new nor about to end, spend in every team, budgets that run out, and
// a cycle before with its statement.
func looksAlive(t *testing.T, st *store.Store, e *budget.Engine, root *ent.Scope, states []budget.State, now time.Time) {
	t.Helper()
	ctx := tenancy.System(context.Background(), "test")
	by := map[string]budget.State{}
	var ids []string
	for _, s := range states {
		by[s.ScopeName] = s
		ids = append(ids, s.ScopeID)
		if s.ScopeKind == tenancy.KindTeam {
			require.Greater(t, s.Spent, 5*money.One, s.ScopeName)
			require.Greater(t, s.RatePerDay, money.Nano(0), s.ScopeName)
		}
		age, left := now.Sub(s.StartsAt), s.EndsAt.Sub(now)
		require.True(t, age > 7*24*time.Hour && left > 6*24*time.Hour, "%s: %s old, %s left", s.ScopeName, age, left)
	}
	require.Equal(t, budget.RunsOut, by["Claims"].Status, "it burns too fast")
	require.GreaterOrEqual(t, by["Fraud"].Spent*100/by["Fraud"].Limit, money.Nano(85), "it is nearly used up")
	require.Positive(t, by["Underwriting"].Raised)
	days, err := e.Series(ctx, tenancy.Reach{AccountID: root.AccountID, Plane: tenancy.Console, Path: root.Path}, ids, 366)
	require.NoError(t, err)
	pool := by["Console"]
	var before money.Nano
	began, err := e.Before(ctx, []string{pool.BudgetID})
	require.NoError(t, err)
	require.Contains(t, began, pool.BudgetID)
	for _, n := range e.Previous(days[root.ID], began[pool.BudgetID].In(pool.Zone), pool.StartsAt.In(pool.Zone)) {
		before += n
	}
	require.Greater(t, before, 10*money.One, "a cycle to compare with")
	_, err = e.Renew(ctx)
	require.NoError(t, err)
	differences, err := e.Verify(ctx)
	require.NoError(t, err)
	require.Empty(t, differences)
	require.True(t, st.Statement.Query().Where(statement.ScopeID(by["Risk"].ScopeID)).ExistX(ctx), "the cycle before has its statement")
}

func TestStoryIsConsistentOnAnyDay(t *testing.T) {
	t.Parallel()
	for _, now := range []string{
		"2026-11-22T14:00:00Z", "2026-12-01T00:00:30Z", "2027-03-01T06:00:00Z", "2026-10-31T22:30:00Z",
		"2026-11-30T23:59:59Z", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z", "2027-01-29T12:00:00Z", "2027-02-28T23:59:30Z", "2028-02-29T08:00:00Z",
		"2027-03-08T23:00:01Z", "2027-03-28T01:30:00Z", "2026-11-25T00:00:00Z", "2026-11-24T22:59:59Z",
	} {
		t.Run(now, func(t *testing.T) {
			t.Parallel()
			at, err := time.Parse(time.RFC3339, now)
			require.NoError(t, err)
			check(t, store.Options{Dir: t.TempDir()}, at)
		})
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		check(t, store.Options{URL: storetest.PostgresURL(t)}, time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC))
	})
}

func TestEnvIsKeptForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	_, err := demo.Load(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
	env := demo.Env{demo.URL: "http://127.0.0.1:8080", demo.ConsoleKey: "ck_console_x", demo.Password: "p"}
	require.NoError(t, env.Save(dir))
	info, err := os.Stat(filepath.Join(dir, "demo.env"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	again, err := demo.Load(dir)
	require.NoError(t, err)
	require.Equal(t, "ck_console_x", again[demo.ConsoleKey])
	require.Contains(t, env.String(), "export COCKPIT_URL='http://127.0.0.1:8080'\n")
	require.Len(t, strings.Split(strings.TrimSpace(again.String()), "\n"), 14)
}
