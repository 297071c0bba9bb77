package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/generated"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const pageOf100 = `query Page { console { members(first: 100) { edges { cursor node {
	id name kind parentId location isDefault createdAt user { id name email } } } pageInfo { hasNextPage endCursor } } } }`

// BenchmarkPage reads a page of 100 members, with and without the access
// engine, and compares the medians; the reach guard of the store works in both.
func BenchmarkPage(b *testing.B) {
	st := storetest.Open(b)
	ctx, cancel := context.WithCancel(context.Background())
	b.Cleanup(cancel)
	require.NoError(b, identity.CreatePlatform(ctx, st))
	epochs, err := st.WatchEpochs(ctx)
	require.NoError(b, err)
	var viewer *tenancy.Viewer
	require.NoError(b, st.InTx(tenancy.System(ctx, "benchmark"), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		a, err := identity.CreateAccount(ctx, tx, identity.AccountInput{Name: "Acme", Slug: "acme", Console: true})
		require.NoError(b, err)
		team := tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.KindTEAM)).OnlyX(ctx)
		for i := range 150 {
			u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: a.ID, Email: fmt.Sprintf("u%d@example.com", i), Name: fmt.Sprintf("User %d", i)})
			require.NoError(b, err)
			_, err = identity.AddMember(ctx, tx, team, u)
			require.NoError(b, err)
			viewer = &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: a.ID, UserID: u.ID, Name: u.Name}
		}
		viewer.Roles = []tenancy.Role{{Role: tenancy.Admin, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, ScopeID: a.ID, Path: "/" + a.ID + "/"}}
		viewer.Reach = tenancy.ReachOf(a.ID, viewer.Roles)
		return nil
	}))
	engine, err := access.New(Schema())
	require.NoError(b, err)
	r := &Resolver{Store: st, Epochs: epochs, Access: engine, Grants: grant.New(st, epochs), Budgets: budget.New(st, budget.Options{}), Log: slog.New(slog.DiscardHandler)}

	open := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: r}))
	open.AddTransport(transport.POST{})
	open.SetQueryCache(lru.New[*ast.QueryDocument](parsedDocuments))
	open.AroundResponses(r.withLoaders)

	body, err := json.Marshal(map[string]string{"query": pageOf100})
	require.NoError(b, err)
	ask := func(h http.Handler) string {
		req := httptest.NewRequestWithContext(tenancy.WithViewer(ctx, viewer), http.MethodPost, "/graphql", strings.NewReader(string(body)))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w.Body.String()
	}
	guarded := New(r)
	require.Equal(b, 100, strings.Count(ask(guarded), `"cursor"`), ask(guarded))
	require.Equal(b, 100, strings.Count(ask(open), `"cursor"`))
	// In turns, so that whatever else the machine does falls on both.
	took := map[http.Handler][]time.Duration{}
	for b.Loop() {
		for _, h := range []http.Handler{guarded, open, open, guarded} {
			start := time.Now()
			ask(h)
			took[h] = append(took[h], time.Since(start))
		}
	}
	median := func(h http.Handler) float64 {
		slices.Sort(took[h])
		return float64(took[h][len(took[h])/2]) / float64(time.Millisecond)
	}
	b.ReportMetric(median(guarded), "with-ms")
	b.ReportMetric(median(open), "without-ms")
	b.ReportMetric(median(guarded)/median(open), "ratio")
}
