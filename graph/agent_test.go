package graph

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	agentParts   = `id name availability publishedVersion ownerUserId ownerUserName version modelName toolCount assignedCount recentCredits draftChanged draft { instructions modelId modelName } validation { code blocking message } versions(first: 10) { totalCount edges { node { number restores changelog publishedByName definition { instructions } } } } viewerCan { action allowed }`
	agentOutcome = ` { agent { ` + agentParts + ` } errors { code message path ... on ConflictError { currentVersion } } } }`
	createAgent  = `mutation($i: AgentCreateInput!) { out: agentCreate(input: $i)` + agentOutcome
	updateAgent  = `mutation($i: AgentUpdateInput!) { out: agentUpdate(input: $i)` + agentOutcome
	publishAgent = `mutation($i: AgentPublishInput!) { out: agentPublish(input: $i)` + agentOutcome
	rollback     = `mutation($i: AgentRollbackInput!) { out: agentRollback(input: $i)` + agentOutcome
	retireOld    = `mutation($i: AgentVersionRetireInput!) { out: agentVersionRetire(input: $i)` + agentOutcome
	pauseAgent   = `mutation($i: AgentStateInput!) { out: agentPause(input: $i)` + agentOutcome
	duplicate    = `mutation($i: AgentDuplicateInput!) { out: agentDuplicate(input: $i)` + agentOutcome
	transfer     = `mutation($i: AgentTransferInput!) { out: agentTransfer(input: $i)` + agentOutcome
	deleteAgent  = `mutation($i: AgentStateInput!) { out: agentDelete(input: $i) { agentId errors { code message } } }`
	agentNode    = `query($id: ID!) { node(id: $id) { ... on Agent { ` + agentParts + ` } } }`
	agentDiffs   = `query($id: ID!, $from: Int, $to: Int) { node(id: $id) { ... on Agent { diff(from: $from, to: $to) { field before after } } } }`
	agentList    = `{ copilot { agents(first: 50) { totalCount edges { node { id name draft { instructions } } } } agentGroups } }`
	usable       = `{ viewer { agents { id name purpose starters publishedVersion } ownAgents { id draft { instructions } } } }`
)

// refusalOf is how an outcome was refused: at the top, or in its payload.
func refusalOf(a answer) string {
	if code := a.code(); code != "" {
		return code
	}
	code, _ := a.at("out", "errors", 0, "code").(string)
	return code
}

func input(kv ...any) map[string]any {
	in := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		in[kv[i].(string)] = kv[i+1]
	}
	return map[string]any{"i": in}
}

func TestAgentsAreBuiltAndPublished(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		a.write(func(ctx context.Context, tx *store.Tx) error {
			tx.CatalogModel.UpdateOneID(*c.Model.CatalogModelID).SetContextLength(8000).ExecX(ctx)
			return nil
		})
		draft := map[string]any{"instructions": "Be brief.", "modelId": c.Model.ID, "starters": []string{"Hello"}}
		out := a.ok(c.TeamAdmin, createAgent, input("name", "Scribe", "ownerId", c.Team.ID, "purpose", "Writes", "draft", draft))
		require.Empty(t, refusalOf(out), "%v", out)
		agentID := out.at("out", "agent", "id").(string)
		require.Equal(t, c.TeamAdmin.UserID, out.at("out", "agent", "ownerUserId"))
		require.Equal(t, "Be brief.", out.at("out", "agent", "draft", "instructions"))
		require.Equal(t, true, out.at("out", "agent", "draftChanged"))

		// Nobody has it yet, and a stale editor changes nothing.
		require.NotContains(t, a.ok(c.Seat, usable, nil).Data["viewer"], agentID)
		require.Equal(t, "CONFLICT", refusalOf(a.do(c.TeamAdmin, updateAgent, input("agentId", agentID, "purpose", "x", "expectedVersion", 7))))
		for field, bad := range map[string]any{"temperature": 3, "topP": -1, "maxOutputTokens": -5, "reasoningEffort": "much", "modelId": c.Team.ID,
			"fallbackIds": []string{c.Model.ID}, "knowledge": []any{map[string]any{"title": "x", "url": "javascript:alert(1)"}}, "starters": []string{" "}} {
			d := map[string]any{"modelId": c.Model.ID, field: bad}
			out := a.do(c.TeamAdmin, updateAgent, input("agentId", agentID, "draft", d))
			require.Equal(t, "INVALID", refusalOf(out), field)
		}
		// What can't answer isn't published.
		out = a.ok(c.TeamAdmin, updateAgent, input("agentId", agentID, "draft", map[string]any{"instructions": " ", "modelId": a.B.Copilot.Model.ID}))
		require.Empty(t, refusalOf(out))
		codes := []any{}
		for _, p := range out.at("out", "agent", "validation").([]any) {
			codes = append(codes, p.(map[string]any)["code"])
		}
		require.ElementsMatch(t, []any{"missing-instructions", "unknown-model"}, codes)
		require.Equal(t, "INVALID", refusalOf(a.do(c.TeamAdmin, publishAgent, input("agentId", agentID))))
		out = a.ok(c.TeamAdmin, updateAgent, input("agentId", agentID, "draft", map[string]any{"instructions": "x", "modelId": c.Model.ID, "maxOutputTokens": 8000}))
		require.Contains(t, out.at("out", "agent", "validation").([]any)[0], "code")
		require.Equal(t, "context-overflow", out.at("out", "agent", "validation", 0, "code"))

		require.Empty(t, refusalOf(a.ok(c.TeamAdmin, updateAgent, input("agentId", agentID, "draft", draft))))
		out = a.ok(c.TeamAdmin, publishAgent, input("agentId", agentID, "changelog", "First."))
		require.Empty(t, refusalOf(out), "%v", out)
		require.EqualValues(t, 1, out.at("out", "agent", "publishedVersion"))
		require.Equal(t, "INVALID", refusalOf(a.do(c.TeamAdmin, publishAgent, input("agentId", agentID))), "nothing has changed")
		draft["instructions"] = "Be brief.\nBe kind."
		a.ok(c.TeamAdmin, updateAgent, input("agentId", agentID, "draft", draft))
		diff := a.ok(c.TeamAdmin, agentDiffs, map[string]any{"id": agentID, "from": 1})
		require.Equal(t, []any{map[string]any{"field": "instructions", "before": "Be brief.", "after": "Be brief.\nBe kind."}}, diff.at("node", "diff"))
		a.ok(c.TeamAdmin, publishAgent, input("agentId", agentID))
		out = a.ok(c.TeamAdmin, rollback, input("agentId", agentID, "number", 1))
		require.EqualValues(t, 3, out.at("out", "agent", "publishedVersion"))
		require.EqualValues(t, 1, out.at("out", "agent", "versions", "edges", 0, "node", "restores"))
		require.Equal(t, "Be brief.", out.at("out", "agent", "versions", "edges", 0, "node", "definition", "instructions"))
		require.Equal(t, "INVALID", refusalOf(a.do(c.TeamAdmin, retireOld, input("agentId", agentID, "number", 3))))
		require.Empty(t, refusalOf(a.do(c.TeamAdmin, retireOld, input("agentId", agentID, "number", 2))))
		require.Equal(t, "INVALID", refusalOf(a.do(c.TeamAdmin, rollback, input("agentId", agentID, "number", 2))))
		require.Equal(t, "NOT_FOUND", refusalOf(a.do(c.TeamAdmin, rollback, input("agentId", agentID, "number", 9))))

		// A model that the agent's people lose keeps the next version back.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := grant.Set(ctx, tx, tx.Now(), grant.Input{Scope: c.Team, ResourceID: agentID, Effect: grant.Allow, Authority: c.Root.Path})
			if err == nil {
				_, err = grant.Set(ctx, tx, tx.Now(), grant.Input{Scope: c.Member, ResourceID: c.Model.ID, Effect: grant.Deny, Authority: c.Root.Path})
			}
			return err
		})
		v := a.ok(c.TeamAdmin, agentNode, map[string]any{"id": agentID}).at("node", "validation", 0)
		require.Equal(t, "model-not-granted", v.(map[string]any)["code"])
		require.Contains(t, v.(map[string]any)["message"], "(1 person)")

		// Members see what they may use, and nothing of how it is made.
		mine := a.ok(c.Seat, usable, nil)
		require.Contains(t, mine.at("viewer", "agents"), map[string]any{"id": agentID, "name": "Scribe", "purpose": "Writes", "starters": []any{"Hello"}, "publishedVersion": 3.0})
		require.Nil(t, a.ok(c.Seat, agentNode, map[string]any{"id": agentID}).at("node"))
		require.Empty(t, refusalOf(a.do(c.TeamAdmin, pauseAgent, input("agentId", agentID))))
		require.NotContains(t, a.ok(c.Seat, usable, nil).at("viewer", "agents"), map[string]any{"id": agentID, "name": "Scribe", "purpose": "Writes", "starters": []any{"Hello"}, "publishedVersion": 3.0})

		out = a.ok(c.TeamAdmin, duplicate, input("agentId", agentID, "ownerId", c.Team.ID, "name", "Copy"))
		require.Equal(t, "Be brief.\nBe kind.", out.at("out", "agent", "draft", "instructions"))
		require.Nil(t, out.at("out", "agent", "publishedVersion"))
		require.Empty(t, refusalOf(a.do(c.TeamAdmin, deleteAgent, input("agentId", agentID))))
		require.Nil(t, a.ok(c.TeamAdmin, agentNode, map[string]any{"id": agentID}).at("node"))
		require.Equal(t, "NOT_FOUND", refusalOf(a.do(c.TeamAdmin, pauseAgent, input("agentId", agentID))))
		require.NotNil(t, a.Store.Scope.GetX(identitytest.System(t), agentID).DeletedAt)

		// The log names what was changed, and tells nobody what an agent is told.
		events := a.Store.AuditEvent.Query().Where(auditevent.TargetID(agentID)).AllX(identitytest.System(t))
		seen := map[string]bool{}
		for _, e := range events {
			seen[e.Action] = true
			require.NotContains(t, string(e.Changes), "brief", e.Action)
		}
		for _, action := range []string{"agent.create", "agent.update", "agent.publish", "agent.rollback", "agent.retireVersion", "agent.pause", "agent.delete"} {
			require.True(t, seen[action], action)
		}
	})
}

const agentGuards = `query($id: ID!) { node(id: $id) { ... on Agent { guardrails { id name fromName } guardrailChoices { id name fromName } diff(from: 0) { field after } } } }`

// What guards an agent is told to those who build it; the last one can't be
// taken away.
func TestAgentsAreGuarded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		a.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.GuardrailAssignment.Delete().Exec(ctx)
			return err
		})
		presetID := a.guardrail(c.Root, nil).at("guardrailPresetCreate", "preset", "id").(string)
		draft := map[string]any{"instructions": "x", "modelId": c.Model.ID}
		agentID := a.ok(c.Seat, createAgent, input("name", "Own", "ownerId", c.Member.ID, "draft", draft)).at("out", "agent", "id").(string)
		out := a.do(c.Seat, publishAgent, input("agentId", agentID))
		require.Equal(t, "INVALID", refusalOf(out))
		require.Equal(t, []any{"definition", "guardrailPresetIds"}, out.at("out", "errors", 0, "path"))
		guards := a.ok(c.Seat, agentGuards, map[string]any{"id": agentID})
		require.Empty(t, guards.at("node", "guardrails"))
		require.Contains(t, guards.at("node", "guardrailChoices"), map[string]any{"id": presetID, "name": "PII", "fromName": nil})

		draft["guardrailPresetIds"] = []string{presetID}
		require.Empty(t, refusalOf(a.ok(c.Seat, updateAgent, input("agentId", agentID, "draft", draft))))
		require.Empty(t, refusalOf(a.ok(c.Seat, publishAgent, input("agentId", agentID))))
		require.Contains(t, a.ok(c.Seat, agentGuards, map[string]any{"id": agentID}).at("node", "diff"), map[string]any{"field": "guardrailPresetIds", "after": "PII"})
		out = a.ok(a.A.Admin, deleteGuardrail, map[string]any{"i": map[string]any{"presetId": presetID}})
		require.Equal(t, "IN_USE", out.at("guardrailPresetDelete", "errors", 0, "code"))
		require.Contains(t, out.at("guardrailPresetDelete", "errors", 0, "message"), "Own")

		require.Empty(t, a.ok(c.OrgAdmin, assignGuardrail, map[string]any{"i": map[string]any{"scopeId": c.Org.ID, "presetId": presetID}}).at("guardrailAssign", "errors"))
		require.Equal(t, []any{map[string]any{"id": presetID, "name": "PII", "fromName": c.Org.Name}}, a.ok(c.Seat, agentGuards, map[string]any{"id": agentID}).at("node", "guardrails"))
		draft["guardrailPresetIds"] = []string{}
		require.Empty(t, refusalOf(a.ok(c.Seat, updateAgent, input("agentId", agentID, "draft", draft))))
		require.Empty(t, refusalOf(a.ok(c.Seat, publishAgent, input("agentId", agentID))))
		off := map[string]any{"i": map[string]any{"scopeId": c.Org.ID, "presetId": presetID}}
		require.Equal(t, "IN_USE", codeOf(a.do(c.OrgAdmin, unassignGuardrail, off), "guardrailUnassign"))
		for _, v := range []*tenancy.Viewer{c.SiblingTeamAdmin, a.B.Admin, a.SuperAdmin, nil} {
			require.NotContains(t, flat(a.do(v, agentGuards, map[string]any{"id": agentID})), "PII")
		}
		require.Equal(t, "FORBIDDEN", codeOf(a.do(c.Seat, unassignGuardrail, off), "guardrailUnassign"))
	})
}

// Who builds agents below Copilot's root goes by the switch where they build.
func TestAgentsNeedTheFeature(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		a.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.FeatureFlag.Delete().Exec(ctx)
			return err
		})
		a.resolver.Features.Forget(c.Root.AccountID, tenancy.Copilot)
		sets := func(v *tenancy.Viewer, at, to string) {
			t.Helper()
			out := a.ok(v, `mutation($i: FeatureSetInput!) { out: featureSet(input: $i) { setting { on } errors { code message } } }`, input("scopeId", at, "feature", "CREATE_AGENTS", "switch", to))
			require.Empty(t, out.at("out", "errors"))
		}
		makes := func(v *tenancy.Viewer, owner string) (code, message string) {
			out := a.do(v, createAgent, input("name", "Scribe", "ownerId", owner))
			message, _ = out.at("out", "errors", 0, "message").(string)
			return refusalOf(out), message
		}
		told := func(v *tenancy.Viewer, owner string) (allowed bool, reason string) {
			for _, p := range a.ok(v, `query($id: ID!) { node(id: $id) { ... on Scope { viewerCan { action allowed reason } } } }`, map[string]any{"id": owner}).at("node", "viewerCan").([]any) {
				if p := p.(map[string]any); p["action"] == "agent.create" {
					allowed, reason = p["allowed"].(bool), p["reason"].(string)
				}
			}
			return allowed, reason
		}
		explained := func(v *tenancy.Viewer, owner string) answer {
			return a.ok(v, `query($i: ExplainInput!) { explain(input: $i) { allowed rule reason who { id } } }`, map[string]any{"i": map[string]any{"scopeId": owner, "action": "agent.create"}})
		}
		within := func(v *tenancy.Viewer) (allowed bool, reason string) {
			for _, p := range a.ok(v, `{ copilot { viewerCanWithin { action allowed reason } } }`, nil).at("copilot", "viewerCanWithin").([]any) {
				if p := p.(map[string]any); p["action"] == "agent.create" {
					allowed, reason = p["allowed"].(bool), p["reason"].(string)
				}
			}
			return allowed, reason
		}
		// Off for whoever builds below the root, and for nobody above.
		for _, b := range []struct {
			v  *tenancy.Viewer
			at string
		}{{c.Seat, c.Member.ID}, {c.TeamAdmin, c.Team.ID}, {c.TeamAdmin, c.Member.ID}, {c.OrgAdmin, c.Org.ID}, {c.OrgAdmin, c.Team.ID}} {
			code, message := makes(b.v, b.at)
			require.Equal(t, "FEATURE_OFF", code)
			allowed, reason := told(b.v, b.at)
			require.False(t, allowed)
			require.Equal(t, message, reason, "the button says what the refusal would")
			e := explained(b.v, b.at)
			require.Equal(t, "feature", e.at("explain", "rule"))
			require.Equal(t, message, e.at("explain", "reason"))
			require.Equal(t, b.v == c.Seat, len(e.at("explain", "who").([]any)) == 0, "members see no admins")
			allowed, _ = within(b.v)
			require.False(t, allowed)
		}
		_, message := makes(c.Seat, c.Member.ID)
		require.Contains(t, message, "An admin of this place or of one above")
		_, message = makes(c.TeamAdmin, c.Team.ID)
		require.Contains(t, message, "You can do that")
		for _, v := range []*tenancy.Viewer{c.Admin, a.A.Admin} {
			code, _ := makes(v, c.Team.ID)
			require.Empty(t, code, "who could switch it isn't bound by it")
			allowed, _ := told(v, c.Org.ID)
			require.True(t, allowed)
		}
		narrow := *a.A.Admin
		narrow.Narrowed, narrow.Permissions = true, []string{"read", "profile", "agents.manage", "models.call"}
		out := a.do(&narrow, `mutation($i: AgentCreateInput!) { out: agentCreate(input: $i) { agent { id } errors { code } } }`, input("name", "Scribe", "ownerId", c.Team.ID))
		require.Empty(t, refusalOf(out), "nor is a program in their name: %v", out.Errors)
		// No other way in: a copy is a new agent, too.
		made := a.ok(a.A.Admin, createAgent, input("name", "Original", "ownerId", c.Team.ID)).at("out", "agent", "id").(string)
		require.Equal(t, "FEATURE_OFF", refusalOf(a.do(c.TeamAdmin, duplicate, input("agentId", made, "ownerId", c.Team.ID, "name", "Copy"))))
		offer := a.Store.Listing.Query().Where(listing.AccountID(c.Root.AccountID), listing.KindEQ(listing.KindAGENT), listing.StatusEQ(listing.StatusPUBLISHED)).FirstX(identitytest.System(t))
		install := func() string {
			return refusalOf(a.do(c.TeamAdmin, `mutation($i: ListingInstallInput!) { out: listingInstall(input: $i) { installation { resourceId } errors { code } } }`, input("listingId", offer.ID, "scopeId", c.Team.ID)))
		}
		require.Equal(t, "FEATURE_OFF", install(), "and so is what is installed")
		require.Equal(t, "NOT_FOUND", refusalOf(a.do(c.Seat, createAgent, input("name", "x", "ownerId", c.Team.ID))), "leave comes first")

		// On for the team: there and below, and nowhere else.
		sets(c.TeamAdmin, c.Team.ID, "ON")
		code, _ := makes(c.Seat, c.Member.ID)
		require.Empty(t, code)
		require.NotEqual(t, "FEATURE_OFF", install())
		allowed, _ := told(c.Seat, c.Member.ID)
		require.True(t, allowed)
		require.Equal(t, true, explained(c.Seat, c.Member.ID).at("explain", "allowed"))
		allowed, _ = within(c.OrgAdmin)
		require.True(t, allowed, "somewhere below")
		code, _ = makes(c.OrgAdmin, c.Org.ID)
		require.Equal(t, "FEATURE_OFF", code)
		require.Empty(t, refusalOf(a.do(c.TeamAdmin, duplicate, input("agentId", made, "ownerId", c.Team.ID, "name", "Copy"))))

		// What is denied above nobody below lifts.
		sets(c.Admin, c.Root.ID, "DENY")
		code, message = makes(c.TeamAdmin, c.Team.ID)
		require.Equal(t, "FEATURE_OFF", code)
		require.Contains(t, message, "denied at "+c.Root.Name)
		require.Empty(t, explained(c.TeamAdmin, c.Team.ID).at("explain", "who"), "nobody in their reach lifts it")
		other := a.ok(a.A.Admin, `query($i: ExplainInput!) { explain(input: $i) { rule who { id } } }`, map[string]any{"i": map[string]any{"userId": c.TeamAdmin.UserID, "scopeId": c.Team.ID, "action": "agent.create"}})
		require.Equal(t, "feature", other.at("explain", "rule"))
		require.Contains(t, other.at("explain", "who"), map[string]any{"id": c.Admin.UserID})
		require.NotContains(t, other.at("explain", "who"), map[string]any{"id": c.TeamAdmin.UserID})
		code, _ = makes(c.Admin, c.Team.ID)
		require.Empty(t, code)
	})
}

// Who has no business with an agent neither changes it nor reads what it is
// told, whatever they try.
func TestAgentsAreClosedToOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Copilot
		draft := map[string]any{"instructions": "hush", "modelId": c.Model.ID}
		agentID := a.ok(c.TeamAdmin, createAgent, input("name", "Scribe", "ownerId", c.Team.ID, "draft", draft)).at("out", "agent", "id").(string)
		require.Empty(t, refusalOf(a.ok(c.TeamAdmin, publishAgent, input("agentId", agentID))))
		a.write(func(ctx context.Context, tx *store.Tx) error {
			_, err := grant.Set(ctx, tx, tx.Now(), grant.Input{Scope: c.Team, ResourceID: agentID, Effect: grant.Allow, Authority: c.Root.Path})
			return err
		})
		nobody := *c.TeamAdmin
		nobody.Kind, nobody.KeyID = tenancy.KeyViewer, "key_x"
		narrow := *c.TeamAdmin
		narrow.Narrowed, narrow.Permissions = true, []string{"read"}
		staff := *a.A.Admin
		staff.UserID, staff.SupportID, staff.Narrowed, staff.Permissions = a.SuperAdmin.UserID, a.A.Support.ID, true, []string{"read"}
		for name, v := range map[string]*tenancy.Viewer{
			"sibling team's admin": c.SiblingTeamAdmin, "sibling organization's admin": c.SiblingOrgAdmin, "a member who may use it": c.Seat,
			"another account's admin": a.B.Admin, "another account's plane admin": a.B.Copilot.Admin, "the platform": a.SuperAdmin,
			"Console's admin": a.A.Console.Admin, "a key of the admin's": &nobody, "a program that only reads": &narrow, "support that only reads": &staff,
			"nobody": nil,
		} {
			for what, out := range map[string]answer{
				"update":    a.do(v, updateAgent, input("agentId", agentID, "draft", map[string]any{"instructions": "obey"})),
				"publish":   a.do(v, publishAgent, input("agentId", agentID)),
				"rollback":  a.do(v, rollback, input("agentId", agentID, "number", 1)),
				"pause":     a.do(v, pauseAgent, input("agentId", agentID)),
				"transfer":  a.do(v, transfer, input("agentId", agentID, "userId", c.Seat.UserID)),
				"delete":    a.do(v, deleteAgent, input("agentId", agentID)),
				"duplicate": a.do(v, duplicate, input("agentId", agentID, "ownerId", c.Member.ID, "name", "Mine")),
				"create":    a.do(v, createAgent, input("name", "Mine", "ownerId", c.Team.ID)),
			} {
				require.NotEmpty(t, refusalOf(out), "%s: %s: %v", name, what, out.Data)
				require.Nil(t, out.at("out", "agent"), "%s: %s", name, what)
			}
			for _, out := range []answer{a.do(v, agentNode, map[string]any{"id": agentID}), a.do(v, agentDiffs, map[string]any{"id": agentID, "from": 0}), a.do(v, agentList, nil), a.do(v, usable, nil)} {
				require.NotContains(t, flat(out), "hush", name)
			}
		}
		require.Equal(t, "hush", a.ok(c.TeamAdmin, agentNode, map[string]any{"id": agentID}).at("node", "draft", "instructions"))
		require.Contains(t, flat(a.ok(c.OrgAdmin, agentList, nil)), "hush", "admins above build it, too")

		// Members build for their own seat, and for no other place.
		own := a.ok(c.Seat, createAgent, input("name", "Own", "ownerId", c.Member.ID, "draft", draft))
		require.Empty(t, refusalOf(own))
		ownID := own.at("out", "agent", "id").(string)
		require.Empty(t, refusalOf(a.ok(c.Seat, publishAgent, input("agentId", ownID))))
		require.Contains(t, flat(a.ok(c.Seat, usable, nil)), ownID, "a seat has what it owns")

		// Whoever answers for an agent builds it, though they administer nothing.
		require.Equal(t, "NOT_FOUND", refusalOf(a.do(c.TeamAdmin, transfer, input("agentId", agentID, "userId", a.B.Copilot.Seat.UserID))))
		require.Equal(t, "INVALID", refusalOf(a.do(c.TeamAdmin, transfer, input("agentId", agentID, "userId", a.A.Nobody.UserID))))
		require.Empty(t, refusalOf(a.ok(c.TeamAdmin, transfer, input("agentId", agentID, "userId", c.Seat.UserID))))
		require.Equal(t, "hush", a.ok(c.Seat, agentNode, map[string]any{"id": agentID}).at("node", "draft", "instructions"))
		require.Empty(t, refusalOf(a.ok(c.Seat, updateAgent, input("agentId", agentID, "draft", map[string]any{"instructions": "hush, please", "modelId": c.Model.ID}))))
		require.Empty(t, refusalOf(a.ok(c.Seat, publishAgent, input("agentId", agentID))))
		require.NotEmpty(t, refusalOf(a.do(c.Seat, deleteAgent, input("agentId", agentID))), "deleting is for admins")

		// They leave, and it is nobody's.
		a.write(func(ctx context.Context, tx *store.Tx) error {
			return tx.User.UpdateOneID(c.Seat.UserID).SetStatus(user.StatusDEACTIVATED).Exec(ctx)
		})
		require.NoError(t, a.resolver.Agents.Disown(t.Context()))
		require.NoError(t, a.resolver.Agents.Disown(t.Context()), "once is enough")
		row := a.Store.Agent.GetX(identitytest.System(t), agentID)
		require.Empty(t, row.OwnerUserID)
		told := a.ok(c.TeamAdmin, `{ viewer { notifications(first: 10) { edges { node { topic title } } } } }`, nil)
		require.Contains(t, flat(told), "Nobody answers for the agent Scribe")
		require.NotEmpty(t, refusalOf(a.do(c.Seat, updateAgent, input("agentId", agentID, "purpose", "x"))))
	})
}

// flat is an answer as it went out.
func flat(a answer) string {
	b, err := json.Marshal(a)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
