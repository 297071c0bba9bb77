package graph

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/tenancy"
)

// What is offered to another account alone isn't there, by no way in; what it
// takes away is told beforehand.
func TestCatalogueOffers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		const offer = `mutation($i: CatalogModelOfferInput!) { catalogModelOffer(input: $i) { catalogModel { offer { to accounts { id } } } impact { accounts keys calls } errors { code message path } } }`
		in := map[string]any{"catalogModelId": a.Draft.ID, "to": "NAMED", "accountIds": []any{a.B.Row.ID}}
		require.Equal(t, "FORBIDDEN", a.do(a.A.Admin, offer, map[string]any{"i": in}).code(), "tenants offer nothing")
		a.ok(a.SuperAdmin, offer, map[string]any{"i": in})
		a.ok(a.SuperAdmin, `mutation($i: CatalogModelUpdateInput!) { catalogModelUpdate(input: $i) { errors { code } } }`,
			map[string]any{"i": map[string]any{"catalogModelId": a.Draft.ID, "status": "ACTIVE", "inputs": []any{"TEXT", "IMAGE"}}})
		const node = `query($id: ID!) { node(id: $id) { ... on CatalogModel { name inputs } } }`
		const list = `{ copilot { catalogModels(first: 50) { edges { node { name } } } } }`
		id := map[string]any{"id": a.Draft.ID}
		require.NotContains(t, said(a.do(a.A.Admin, node, id)), a.Draft.Name)
		require.NotContains(t, said(a.do(a.A.Admin, list, nil)), a.Draft.Name)
		require.Contains(t, said(a.do(a.B.Admin, node, id)), "[TEXT IMAGE]")
		require.Contains(t, said(a.do(a.B.Admin, list, nil)), a.Draft.Name)
		require.Contains(t, said(a.do(a.A.Admin, `mutation($i: ModelInstallInput!) { modelInstall(input: $i) { errors { code message path } } }`,
			map[string]any{"i": map[string]any{"catalogModelId": a.Draft.ID}})), "NOT_FOUND")

		in = map[string]any{"catalogModelId": a.CatalogModel.ID, "to": "NAMED", "accountIds": []any{a.B.Row.ID}, "dryRun": true}
		rehearsed := said(a.ok(a.SuperAdmin, offer, map[string]any{"i": in}))
		require.Contains(t, rehearsed, "to:ALL")
		require.Contains(t, rehearsed, a.A.Row.Name)
		require.Contains(t, said(a.ok(a.SuperAdmin, `query($id: ID!) { node(id: $id) { ... on CatalogModel { pricePreview(price: {input: "1", output: "2"}) { total { calls costAfter marginAfter } } } } }`,
			map[string]any{"id": a.CatalogModel.ID})), "pricePreview:map")
		require.NotContains(t, said(a.do(a.A.Admin, `query($id: ID!) { node(id: $id) { ... on CatalogModel { pricePreview(price: {input: "1", output: "2"}) { total { calls } } } } }`,
			map[string]any{"id": a.CatalogModel.ID})), "calls", "what it costs the platform is no tenant's to see")
	})
}

// Admins set the default of what they administer; everybody below sees it.
func TestDefaultModelOfScopes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Console
		const set = `mutation($i: ScopeDefaultModelSetInput!) { scopeDefaultModelSet(input: $i) { defaultModel { model { id } from { id } } errors { code message path } } }`
		const get = `query($id: ID!) { defaultModel(scopeId: $id) { model { id } from { id } } }`
		require.Contains(t, said(a.ok(p.Seat, get, map[string]any{"id": p.Member.ID})), p.Root.ID, "inherited")
		require.Contains(t, said(a.ok(p.TeamAdmin, set, map[string]any{"i": map[string]any{"scopeId": p.Team.ID, "modelId": p.Model.ID}})), p.Team.ID)
		require.Contains(t, said(a.ok(p.TeamAdmin, set, map[string]any{"i": map[string]any{"scopeId": p.Team.ID}})), p.Root.ID, "inherited again")
		for scopeID, v := range map[string]*tenancy.Viewer{p.Root.ID: p.TeamAdmin, p.Team.ID: p.Seat, p.SiblingTeam.ID: p.TeamAdmin} {
			require.NotContains(t, said(a.do(v, set, map[string]any{"i": map[string]any{"scopeId": scopeID, "modelId": p.Model.ID}})), "defaultModel:map")
		}
	})
}

// said is what an answer holds, for looking into.
func said(out answer) string { return fmt.Sprint(out.Data) }
