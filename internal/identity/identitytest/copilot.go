package identitytest

import (
	"encoding/json"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/agentversion"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/ent/featureflag"
	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/guardrailassignment"
	"github.com/alchemi/cockpit/ent/guardrailpreset"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/listingaccount"
	"github.com/alchemi/cockpit/ent/listingversion"
	"github.com/alchemi/cockpit/ent/rating"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
)

// governed puts a guardrail and a feature on scopes of a plane.
func (p *planter) governed(l *Plane) {
	p.t.Helper()
	s := l.Root
	s.Update().SetDefaultModelID(l.Model.ID).ExecX(p.ctx)
	preset := p.tx.GuardrailPreset.Create().SetAccountID(s.AccountID).SetPlane(guardrailpreset.Plane(s.Plane)).SetName("Secrets").
		SetRules(json.RawMessage(`{"rules":[]}`)).SaveX(p.ctx)
	for _, at := range []*ent.Scope{l.Root, l.Team, l.SiblingTeam} {
		p.tx.GuardrailAssignment.Create().SetAccountID(s.AccountID).SetPlane(guardrailassignment.Plane(s.Plane)).
			SetScopeID(at.ID).SetPresetID(preset.ID).ExecX(p.ctx)
		p.tx.FeatureFlag.Create().SetAccountID(s.AccountID).SetPlane(featureflag.Plane(s.Plane)).
			SetScopeID(at.ID).SetFeature(featureflag.FeatureCREATE_AGENTS).SetSetting(featureflag.SettingON).ExecX(p.ctx)
	}
}

// shelf offers a listing at a scope, with a version.
func (p *planter) shelf(at *ent.Scope, kind listing.Kind, status listing.Status, source string, cm *ent.CatalogModel) *ent.Listing {
	p.t.Helper()
	create := p.tx.Listing.Create().SetAccountID(at.AccountID).SetPlane(listing.Plane(at.Plane)).SetScopeID(at.ID).SetKind(kind).
		SetName("Helper").SetStatus(status).SetSourceID(source).SetPublishedVersion(1)
	if cm != nil {
		create.SetCatalogModelID(cm.ID)
	}
	l := create.SaveX(p.ctx)
	first := 1
	if status == listing.StatusDRAFT {
		first = 3
	}
	for i, s := range []listingversion.Status{listingversion.StatusPUBLISHED, listingversion.StatusIN_REVIEW} {
		p.tx.ListingVersion.Create().SetAccountID(at.AccountID).SetPlane(listingversion.Plane(at.Plane)).SetListingID(l.ID).
			SetNumber(first + i).SetPayload(json.RawMessage("{}")).SetStatus(s).ExecX(p.ctx)
	}
	return l
}

// marketplace is what the platform offers: to all, to the first account alone,
// and nothing yet. It tells which rows are offered to which accounts.
func (p *planter) marketplace(root *ent.Scope, a, b *Account, cm *ent.CatalogModel) map[string][]string {
	p.t.Helper()
	offered := map[string][]string{}
	offer := func(l *ent.Listing, to ...*Account) {
		for _, a := range to {
			shown := l.QueryVersions().Where(listingversion.StatusEQ(listingversion.StatusPUBLISHED)).OnlyIDX(p.ctx)
			offered[l.ID], offered[shown] = append(offered[l.ID], a.Row.ID), append(offered[shown], a.Row.ID)
		}
	}
	offer(cm.QueryListings().OnlyX(p.ctx), a, b)
	named := p.shelf(root, listing.KindTEMPLATE, listing.StatusPUBLISHED, "", nil)
	named.Update().SetEligibility(listing.EligibilityNAMED).ExecX(p.ctx)
	name := p.tx.ListingAccount.Create().SetAccountID(id.PlatformID).SetPlane(listingaccount.PlanePLATFORM).SetListingID(named.ID).
		SetOfferedTo(a.Row.ID).SaveX(p.ctx)
	offer(named, a)
	offered[name.ID] = []string{a.Row.ID}
	return offered
}

// agents gives a Copilot plane agents, connections with tools, and listings of
// its own.
func (p *planter) agents(l *Plane, seat *ent.User) {
	p.t.Helper()
	for _, owner := range []*ent.Scope{l.Org, l.SiblingTeam} {
		s, err := identity.CreateAgentScope(p.ctx, p.tx, owner, "Helper")
		require.NoError(p.t, err)
		a := p.tx.Agent.Create().SetID(s.ID).SetAccountID(s.AccountID).SetPlane(agent.Plane(s.Plane)).SetDraft(json.RawMessage("{}")).
			SetPublishedVersion(1).SaveX(p.ctx)
		status, number := listing.StatusPUBLISHED, 1
		if owner == l.SiblingTeam {
			status, number = listing.StatusDRAFT, 2
		}
		p.tx.AgentVersion.Create().SetAccountID(s.AccountID).SetPlane(agentversion.Plane(s.Plane)).SetAgentID(a.ID).SetNumber(number).
			SetDefinition(json.RawMessage("{}")).ExecX(p.ctx)
		p.tx.Grant.Create().SetAccountID(s.AccountID).SetPlane(grant.Plane(s.Plane)).SetScopeID(owner.ID).SetAgentID(a.ID).
			SetEffect(grant.EffectALLOW).SetAuthority(l.Root.Path).ExecX(p.ctx)
		shown := p.shelf(owner, listing.KindAGENT, status, a.ID, nil)
		p.tx.Rating.Create().SetAccountID(s.AccountID).SetPlane(rating.Plane(s.Plane)).SetListingID(shown.ID).SetUserID(seat.ID).SetStars(4).ExecX(p.ctx)
	}
	for _, owner := range []*ent.Scope{l.Root, l.Member, l.SiblingTeam} {
		c := p.tx.Connection.Create().SetAccountID(owner.AccountID).SetPlane(connection.Plane(owner.Plane)).SetScopeID(owner.ID).
			SetName("tickets-" + owner.ID[len(owner.ID)-4:]).SetKind(connection.KindMCP_HTTP).SetURL("https://mcp.example").SaveX(p.ctx)
		operation := p.tx.Tool.Create().SetAccountID(owner.AccountID).SetPlane(tool.Plane(owner.Plane)).SetConnectionID(c.ID).
			SetName("search-" + owner.ID).SetDefinition(json.RawMessage("{}")).SetDigest("d").SaveX(p.ctx)
		user := seat.ID
		if owner == l.Root {
			user = "" // the one that all use
		}
		p.tx.ConnectionCredential.Create().SetAccountID(owner.AccountID).SetPlane(connectioncredential.Plane(owner.Plane)).
			SetConnectionID(c.ID).SetUserID(user).SetSecret([]byte("sealed")).ExecX(p.ctx)
		for _, about := range []*ent.GrantCreate{p.tx.Grant.Create().SetConnectionID(c.ID), p.tx.Grant.Create().SetToolID(operation.ID)} {
			about.SetAccountID(owner.AccountID).SetPlane(grant.Plane(owner.Plane)).SetScopeID(owner.ID).
				SetEffect(grant.EffectALLOW).SetAuthority(l.Root.Path).ExecX(p.ctx)
		}
	}
}
