package graph

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// The way of an account's own agent through the marketplace, and those who try
// to go around it.
func TestMarketplaceOverTheAPI(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Copilot
		source := a.Store.Scope.Query().Where(scope.ParentID(p.Org.ID), scope.KindEQ(scope.KindAGENT)).OnlyX(identitytest.System(t))
		run := func(v *tenancy.Viewer, name, kind, fields string, in map[string]any) answer {
			t.Helper()
			return a.do(v, `mutation($i: `+kind+`!) { `+name+`(input: $i) { `+fields+` errors { code message path } } }`, map[string]any{"i": in})
		}
		change := func(v *tenancy.Viewer, name, kind string, in map[string]any) answer {
			t.Helper()
			return run(v, name, kind, "listing { id status ofPlatform publishedVersion installations { resourceId } }", in)
		}
		require.Contains(t, said(change(p.TeamAdmin, "listingCreate", "ListingCreateInput", map[string]any{"sourceId": source.ID, "name": "Clerk"})), "NOT_FOUND", "the organization's, not the team's")
		require.Contains(t, said(change(p.OrgAdmin, "listingCreate", "ListingCreateInput", map[string]any{"sourceId": source.ID, "name": "Clerk"})), "FEATURE_OFF")
		switched := a.do(p.Admin, `mutation($i: FeatureSetInput!) { featureSet(input: $i) { errors { code message } } }`, map[string]any{"i": map[string]any{"scopeId": p.Org.ID, "feature": "PUBLISH_LISTINGS", "switch": "ON"}})
		require.Empty(t, switched.Errors)
		made := change(p.OrgAdmin, "listingCreate", "ListingCreateInput", map[string]any{"sourceId": source.ID, "name": "Clerk", "tags": []any{"mail"}})
		l, _ := made.at("listingCreate", "listing", "id").(string)
		require.NotEmpty(t, l, "%+v", made)
		in := map[string]any{"listingId": l}
		const node = `query($id: ID!) { node(id: $id) { ... on Listing { name status versions { number payload } } } }`
		for _, v := range []*tenancy.Viewer{a.B.Admin, p.Seat, p.SiblingOrgAdmin, a.SuperAdmin} {
			require.NotContains(t, said(a.do(v, node, map[string]any{"id": l})), "Clerk", "a draft")
			require.NotContains(t, said(change(v, "listingSubmit", "ListingSubmitInput", in)), "listing:map")
		}
		require.Contains(t, said(change(p.OrgAdmin, "listingSubmit", "ListingSubmitInput", in)), "IN_REVIEW")
		publish := map[string]any{"listingId": l, "publish": true}
		require.NotContains(t, said(change(p.OrgAdmin, "listingReview", "ListingReviewInput", publish)), "PUBLISHED", "an organization's admin reviews nothing")
		require.Contains(t, said(change(p.Admin, "listingReview", "ListingReviewInput", publish)), "PUBLISHED")

		const shown = `query($f: ListingFilter) { marketplace(filter: $f, orderBy: RATING, first: 20) { totalCount edges { node { name kind } } } }`
		for search, found := range map[string]bool{"": true, "CLERK": true, "mail": true, "%": false, "nothing": false} {
			out := a.ok(p.Seat, shown, map[string]any{"f": map[string]any{"search": search, "kinds": []any{"AGENT"}}})
			if found {
				require.Contains(t, said(out), "Clerk", search)
			} else {
				require.NotContains(t, said(out), "Clerk", search)
			}
		}
		require.NotContains(t, said(a.ok(a.B.Admin, shown, nil)), "Clerk")
		require.Contains(t, said(a.do(p.Seat, node, map[string]any{"id": l})), "Clerk", "published for all its people")
		require.NotContains(t, said(a.do(a.B.Admin, node, map[string]any{"id": l})), "Clerk")

		install := func(v *tenancy.Viewer, at string) answer {
			return run(v, "listingInstall", "ListingInstallInput", "installation { resourceId version }", map[string]any{"listingId": l, "scopeId": at})
		}
		require.Contains(t, said(install(a.B.Admin, a.B.Copilot.Root.ID)), "NOT_FOUND")
		require.NotContains(t, said(install(p.Seat, p.Team.ID)), "installation:map")
		require.NotContains(t, said(install(p.TeamAdmin, p.SiblingOrg.ID)), "installation:map")
		out := install(p.TeamAdmin, p.Team.ID)
		resource, _ := out.at("listingInstall", "installation", "resourceId").(string)
		require.NotEmpty(t, resource, "%+v", out)
		require.Contains(t, said(run(p.TeamAdmin, "listingUpgrade", "ListingUpgradeInput", "changes { path }", map[string]any{"resourceId": resource})), "newest version")
		gone := func(v *tenancy.Viewer, rehearse bool) string {
			return said(run(v, "listingUninstall", "ListingUninstallInput", "impact { grants calls credits }", map[string]any{"resourceId": resource, "dryRun": rehearse}))
		}
		require.Contains(t, gone(a.B.Admin, false), "NOT_FOUND")
		require.Contains(t, gone(p.SiblingOrgAdmin, false), "NOT_FOUND")
		require.Contains(t, gone(p.TeamAdmin, true), "impact:map")
		require.Contains(t, gone(p.TeamAdmin, false), "impact:map")
		require.Contains(t, gone(p.TeamAdmin, false), "already")
		require.Contains(t, fmt.Sprint(run(p.Seat, "listingRate", "ListingRateInput", "listing { rating }", map[string]any{"listingId": l, "stars": 5})), "Use it first")

		// The platform's: by id nothing that isn't offered.
		made = change(a.SuperAdmin, "platformListingCreate", "PlatformListingCreateInput", map[string]any{"kind": "TEMPLATE", "name": "Secret recipe", "payload": `{"definition":{"instructions":"x"}}`})
		secret, _ := made.at("platformListingCreate", "listing", "id").(string)
		require.NotEmpty(t, secret, "%+v", made)
		for _, step := range []struct {
			name, kind string
			in         map[string]any
		}{
			{"listingSubmit", "ListingSubmitInput", map[string]any{"listingId": secret}},
			{"listingReview", "ListingReviewInput", map[string]any{"listingId": secret, "publish": true}},
			{"listingOffer", "ListingOfferInput", map[string]any{"listingId": secret, "to": "NAMED", "accountIds": []any{a.B.Row.ID}}},
		} {
			require.NotContains(t, said(change(a.A.Admin, step.name, step.kind, step.in)), "listing:map", step.name)
			require.Contains(t, said(change(a.SuperAdmin, step.name, step.kind, step.in)), "listing:map", step.name)
		}
		require.NotContains(t, said(a.do(a.A.Admin, node, map[string]any{"id": secret})), "recipe")
		require.NotContains(t, said(a.ok(a.A.Admin, shown, nil)), "recipe")
		require.Contains(t, said(a.do(a.B.Admin, node, map[string]any{"id": secret})), "recipe")
		l = secret
		require.Contains(t, said(install(a.A.Admin, p.Root.ID)), "NOT_FOUND")
		require.Contains(t, said(install(a.B.Admin, a.B.Copilot.Root.ID)), "installation:map")
	})
}

// A review is asked for in the inbox, decided there or on the listing's page, by
// somebody else; what was published is there to be asked for.
func TestReviewsInTheInbox(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		p := a.A.Copilot
		source := a.Store.Scope.Query().Where(scope.ParentID(p.Org.ID), scope.KindEQ(scope.KindAGENT)).OnlyX(identitytest.System(t))
		run := func(v *tenancy.Viewer, name, kind, fields string, in map[string]any) answer {
			t.Helper()
			return a.do(v, `mutation($i: `+kind+`!) { `+name+`(input: $i) { `+fields+` errors { code message } } }`, map[string]any{"i": in})
		}
		made := run(p.Admin, "listingCreate", "ListingCreateInput", "listing { id }", map[string]any{"sourceId": source.ID, "name": "Clerk"})
		l, _ := made.at("listingCreate", "listing", "id").(string)
		require.NotEmpty(t, l, "%+v", made)
		submit := func() {
			t.Helper()
			require.Contains(t, said(run(p.Admin, "listingSubmit", "ListingSubmitInput", "listing { status }", map[string]any{"listingId": l, "changelog": "Knows more"})), "status")
		}
		const inbox = `query { copilot { requests(kind: PUBLISH, first: 5) { edges { node { id status mine reason publishImpact { number models tools people scopes } viewerCan { action allowed } } } } } }`
		waiting := func(v *tenancy.Viewer) string {
			t.Helper()
			request, _ := a.ok(v, inbox, nil).at("copilot", "requests", "edges", 0, "node", "id").(string)
			return request
		}
		submit()
		require.Empty(t, waiting(p.Admin), "nobody decides on their own")
		require.Empty(t, waiting(p.OrgAdmin), "an organization's admin reviews nothing")
		request := waiting(a.A.Admin)
		require.NotEmpty(t, request)
		require.Contains(t, said(a.ok(a.A.Admin, inbox, nil)), "number:1")
		require.NotContains(t, said(run(p.Admin, "requestApprove", "RequestApproveInput", "request { status }", map[string]any{"requestId": request})), "APPROVED")
		require.Contains(t, said(run(a.A.Admin, "requestDecline", "RequestDeclineInput", "request { status }", map[string]any{"requestId": request, "note": "Say for whom."})), "DECLINED")
		require.Contains(t, said(a.ok(p.Admin, `query($i: ID!) { node(id: $i) { ... on Listing { status reviewNote scopeName sourceId review { number } } } }`, map[string]any{"i": l})), "Say for whom.")
		submit()
		require.Contains(t, said(run(p.Admin, "requestWithdraw", "RequestWithdrawInput", "request { status }", map[string]any{"requestId": waiting(a.A.Admin)})), "WITHDRAWN")
		require.Contains(t, said(a.ok(p.Admin, `query($i: ID!) { node(id: $i) { ... on Listing { status } } }`, map[string]any{"i": l})), "DRAFT")
		submit()
		require.Contains(t, said(run(a.A.Admin, "requestApprove", "RequestApproveInput", "request { status }", map[string]any{"requestId": waiting(a.A.Admin)})), "APPROVED")
		const shown = `query($i: ID!) { node(id: $i) { ... on Listing { status mayRate installations { original usable reason resourceId viewerCan { action } } } } }`
		require.Contains(t, said(a.ok(p.Seat, shown, map[string]any{"i": l})), "PUBLISHED")
		require.Contains(t, said(a.ok(p.Seat, `query { marketplace(first: 5) { categories edges { node { installations { original usable } } } } }`, nil)), "original:true")

		withdraw := func(rehearse bool) string {
			return said(run(p.Admin, "listingWithdraw", "ListingWithdrawInput", "listing { status } impact { accounts installations calls }", map[string]any{"listingId": l, "dryRun": rehearse}))
		}
		require.Contains(t, withdraw(true), "impact:map")
		require.Contains(t, said(a.ok(p.Seat, shown, map[string]any{"i": l})), "PUBLISHED", "a rehearsal")
		submit()
		require.NotEmpty(t, waiting(a.A.Admin))
		require.Contains(t, withdraw(false), "WITHDRAWN")
		require.Empty(t, waiting(a.A.Admin), "withdrawing cancels the request")
	})
}
