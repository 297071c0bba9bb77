package graph

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// However a coordinate is dressed, the policy sees it.
func TestWhatIsDeniedStaysDenied(t *testing.T) {
	t.Parallel()
	a := newAPI(t, storetest.Open(t))
	member, orgAdmin, staff := a.A.Console.Seat, a.A.Console.OrgAdmin, a.SuperAdmin
	for name, c := range map[string]struct {
		viewer    *tenancy.Viewer
		query     string
		variables map[string]any
		code      string
	}{
		"root":               {member, `{ platform { name } }`, nil, "FORBIDDEN"},
		"alias":              {member, `{ x: platform { y: name } }`, nil, "FORBIDDEN"},
		"skip":               {member, `{ platform @skip(if: true) { name } viewer { isPlatformStaff } }`, nil, "FORBIDDEN"},
		"fragment":           {member, `query { ...f } fragment f on Query { platform { accounts(first: 1) { edges { node { name } } } } }`, nil, "FORBIDDEN"},
		"inline fragment":    {member, `{ ... on Query { platform { name } } }`, nil, "FORBIDDEN"},
		"mutation":           {member, `mutation { providerCreate(input: {name: "x", baseUrl: "https://x.example/v1"}) { errors { code } } }`, nil, "FORBIDDEN"},
		"mutation, variable": {member, `mutation($i: ProviderCreateInput!) { providerCreate(input: $i) { errors { code } } }`, map[string]any{"i": map[string]any{"name": "x", "baseUrl": "https://x.example/v1"}}, "FORBIDDEN"},
		"org admin, plane's": {orgAdmin, `mutation { modelInstall(input: {catalogModelId: "x"}) { errors { code } } }`, nil, "FORBIDDEN"},
		"payload's field":    {orgAdmin, `mutation { keyRevoke(input: {keyId: "x"}) { key { owner { ... on Console { providers(first: 1) { edges { node { baseUrl } } } } } } } }`, nil, "FORBIDDEN"},
		"staff, tenant's":    {staff, `mutation { modelCreate(input: {providerId: "x", name: "x", contextLength: 1, maxOutputTokens: 1}) { errors { code } } }`, nil, "FORBIDDEN"},
		"introspection":      {a.A.Admin, `{ __schema { types { name } } }`, nil, "FORBIDDEN"},
		"signed out":         {nil, `{ viewer { isPlatformStaff } }`, nil, "UNAUTHENTICATED"},
		"signed out, node":   {nil, `{ node(id: "x") { id } }`, nil, "UNAUTHENTICATED"},
		"too deep":           {a.A.Admin, `{ console { account { auditEvents(first: 1) { edges { node { id } } } } keys(first: 1) { edges { node { owner { ... on Member { budget { scope { ... on Member { budget { scope { ... on Member { budget { scope { ... on Member { user { name } } } } } } } } } } } } } } } } }`, nil, "COMPLEXITY_LIMIT"},
		"too dear":           {a.A.Admin, `{ console { keys(first: 100) { edges { node { models { provider { models { provider { models { name } } } } } limits { series { day amount } state { spent } viewerCan { action } } } } } } }`, nil, "COMPLEXITY_LIMIT"},
		"no page size":       {a.A.Admin, `{ console { keys { edges { node { id } } } } }`, nil, "BAD_INPUT"},
		"page too large":     {a.A.Admin, `query($n: Int) { console { keys(first: $n) { edges { node { id } } } } }`, map[string]any{"n": 101}, "BAD_INPUT"},
		"unknown field":      {a.A.Admin, `{ consoles { name } }`, nil, "BAD_INPUT"},
		"not GraphQL":        {a.A.Admin, `{{{`, nil, "BAD_INPUT"},
	} {
		out := a.do(c.viewer, c.query, c.variables)
		require.Equal(t, c.code, out.code(), "%s: %+v", name, out)
		for _, e := range out.Errors {
			require.NotContains(t, e.Message, "ent:", name)
			require.NotEmpty(t, e.Extensions["requestId"], name)
		}
		for field, v := range out.Data {
			require.Nil(t, v, "%s: %s", name, field)
		}
	}

	// A hidden output field is null with one error of its own, siblings intact.
	out := a.do(member, `{ console { name providers(first: 5) { edges { node { name } } } models(first: 5) { edges { node { name } } } } }`, nil)
	require.Len(t, out.Errors, 1)
	require.Equal(t, "FORBIDDEN", out.code())
	require.NotEmpty(t, out.Errors[0].Extensions["decisionId"])
	require.Nil(t, out.at("console", "providers"))
	require.NotNil(t, out.at("console", "name"))
	require.NotNil(t, out.at("console", "models", "edges", 0, "node", "name"))
}
