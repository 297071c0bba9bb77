package graph

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	createGuardrail   = `mutation($i: GuardrailPresetCreateInput!) { guardrailPresetCreate(input: $i) { preset { id version rules { name detector words } allow { text } moderation { url secretHint failOpen } viewerCan { action allowed } } errors { message code path } } }`
	updateGuardrail   = `mutation($i: GuardrailPresetUpdateInput!) { guardrailPresetUpdate(input: $i) { preset { version status rules { name } moderation { url } } errors { message code path } } }`
	deleteGuardrail   = `mutation($i: GuardrailPresetDeleteInput!) { guardrailPresetDelete(input: $i) { presetId errors { message code } } }`
	assignGuardrail   = `mutation($i: GuardrailAssignInput!) { guardrailAssign(input: $i) { preset { assignments { scope { id } location } } errors { message code path } } }`
	unassignGuardrail = `mutation($i: GuardrailUnassignInput!) { guardrailUnassign(input: $i) { preset { id } errors { message code path } } }`
	guardsAt          = `query($s: ID!) { scopeGuardrails(scopeId: $s) { fromName here preset { id name } } }`
	guardsListed      = `query($s: ID!) { guardrailPresets(scopeId: $s, first: 10) { totalCount edges { node { id name findings { rule action direction calls } } } } }`
	tryGuardrail      = `query($i: GuardrailSimulateInput!) { guardrailSimulate(input: $i) { text blockedBy findings { rule from to } errors { code path message } } }`
)

func mailRule(action string) map[string]any {
	return map[string]any{"name": "Mail", "detector": "EMAIL", "action": action}
}

// guardrail makes a preset of a plane by its admin.
func (a *api) guardrail(s *ent.Scope, more map[string]any) answer {
	a.t.Helper()
	in := map[string]any{"scopeId": s.ID, "name": "PII", "rules": []any{mailRule("REDACT")}}
	for k, v := range more {
		in[k] = v
	}
	return a.ok(a.A.Admin, createGuardrail, map[string]any{"i": in})
}

func TestGuardrailsAreMadeAndAssigned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		before := a.ok(a.A.Admin, guardsListed, map[string]any{"s": c.Team.ID}).at("guardrailPresets", "totalCount")
		out := a.guardrail(c.Root, map[string]any{"allow": []any{map[string]any{"text": "ops@example.com"}},
			"moderation": map[string]any{"url": "https://moderation.example/v1/moderations", "secret": "sk-secret-1234"}})
		require.Empty(t, out.at("guardrailPresetCreate", "errors"))
		require.Equal(t, "1234", out.at("guardrailPresetCreate", "preset", "moderation", "secretHint"))
		require.Equal(t, true, out.at("guardrailPresetCreate", "preset", "viewerCan", 0, "allowed"))
		presetID := out.at("guardrailPresetCreate", "preset", "id").(string)
		require.Equal(t, "EXISTS", a.guardrail(c.Root, nil).at("guardrailPresetCreate", "errors", 0, "code"))
		bad := a.guardrail(c.Root, map[string]any{"name": "Bad", "rules": []any{map[string]any{"name": "r", "detector": "REGEX", "action": "BLOCK", "pattern": "("}}})
		require.Equal(t, []any{"rules", "0", "pattern"}, bad.at("guardrailPresetCreate", "errors", 0, "path"))
		require.NotEqual(t, before, a.ok(c.TeamAdmin, guardsListed, map[string]any{"s": c.Team.ID}).at("guardrailPresets", "totalCount"))

		// Assigned to the organization by its admin: it holds at the team, whose admin can't take it off.
		org, team := map[string]any{"scopeId": c.Org.ID, "presetId": presetID}, map[string]any{"scopeId": c.Team.ID, "presetId": presetID}
		require.Empty(t, a.ok(c.OrgAdmin, assignGuardrail, map[string]any{"i": org}).at("guardrailAssign", "errors"))
		held := func(v *tenancy.Viewer, s *ent.Scope) (names []string) {
			rows, _ := a.ok(v, guardsAt, map[string]any{"s": s.ID}).at("scopeGuardrails").([]any)
			for _, row := range rows {
				if p := row.(map[string]any)["preset"].(map[string]any); p["id"] == presetID {
					names = append(names, row.(map[string]any)["fromName"].(string))
				}
			}
			return names
		}
		require.Equal(t, []string{c.Org.Name}, held(c.Seat, c.Member))
		require.Empty(t, held(a.A.Admin, c.Root))
		require.Equal(t, "NOT_FOUND", codeOf(a.do(c.TeamAdmin, unassignGuardrail, map[string]any{"i": org}), "guardrailUnassign"))
		out = a.ok(c.TeamAdmin, unassignGuardrail, map[string]any{"i": team})
		require.Contains(t, out.at("guardrailUnassign", "errors", 0, "message"), "from above")
		require.Equal(t, []string{c.Org.Name}, held(c.Seat, c.Member))
		require.Empty(t, a.ok(c.TeamAdmin, assignGuardrail, map[string]any{"i": team}).at("guardrailAssign", "errors"))
		require.Len(t, held(c.Seat, c.Member), 2)
		require.Equal(t, "IN_USE", a.ok(a.A.Admin, deleteGuardrail, map[string]any{"i": map[string]any{"presetId": presetID}}).at("guardrailPresetDelete", "errors", 0, "code"))

		// The stored key stays with its server.
		out = a.ok(a.A.Admin, updateGuardrail, map[string]any{"i": map[string]any{"presetId": presetID, "moderation": map[string]any{"url": "https://evil.example/"}}})
		require.Equal(t, "moderationSecret", out.at("guardrailPresetUpdate", "errors", 0, "path", 0))
		out = a.ok(a.A.Admin, updateGuardrail, map[string]any{"i": map[string]any{"presetId": presetID, "status": "DISABLED", "expectedVersion": 1}})
		require.Equal(t, "DISABLED", out.at("guardrailPresetUpdate", "preset", "status"))
		require.Equal(t, "CONFLICT", a.ok(a.A.Admin, updateGuardrail, map[string]any{"i": map[string]any{"presetId": presetID, "name": "X", "expectedVersion": 1}}).at("guardrailPresetUpdate", "errors", 0, "code"))
		for _, at := range []map[string]any{org, team} {
			require.Empty(t, a.ok(a.A.Admin, unassignGuardrail, map[string]any{"i": at}).at("guardrailUnassign", "errors"))
		}
		require.Empty(t, a.ok(a.A.Admin, deleteGuardrail, map[string]any{"i": map[string]any{"presetId": presetID}}).at("guardrailPresetDelete", "errors"))
		for _, e := range a.Store.AuditEvent.Query().Where(auditevent.ActionHasPrefix("guardrail.")).AllX(identitytest.System(t)) {
			require.NotContains(t, string(e.Changes), "sk-secret")
		}
	})
}

// Abuse: by whom it isn't, and with ids of others.
func TestGuardrailsAreNotForEverybody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		presetID := a.guardrail(c.Root, nil).at("guardrailPresetCreate", "preset", "id").(string)
		for _, v := range []*tenancy.Viewer{c.Seat, c.TeamAdmin, c.OrgAdmin} {
			require.Equal(t, "FORBIDDEN", codeOf(a.do(v, updateGuardrail, map[string]any{"i": map[string]any{"presetId": presetID, "rules": []any{}}}), "guardrailPresetUpdate"))
			require.Equal(t, "FORBIDDEN", codeOf(a.do(v, createGuardrail, map[string]any{"i": map[string]any{"scopeId": c.Team.ID, "name": "Y", "rules": []any{}}}), "guardrailPresetCreate"))
		}
		require.Equal(t, "FORBIDDEN", codeOf(a.do(c.Seat, `query($s: ID!) { scopeGuardrails(scopeId: $s) { preset { rules { name } } } }`, map[string]any{"s": c.Member.ID}), "scopeGuardrails"))
		// Of another account, and of the other plane.
		require.Equal(t, "NOT_FOUND", codeOf(a.do(a.B.Admin, updateGuardrail, map[string]any{"i": map[string]any{"presetId": presetID, "name": "Z"}}), "guardrailPresetUpdate"))
		require.Equal(t, "NOT_FOUND", codeOf(a.do(a.B.Admin, assignGuardrail, map[string]any{"i": map[string]any{"scopeId": a.B.Console.Root.ID, "presetId": presetID}}), "guardrailAssign"))
		require.Equal(t, "NOT_FOUND", codeOf(a.do(a.A.Admin, assignGuardrail, map[string]any{"i": map[string]any{"scopeId": a.A.Copilot.Root.ID, "presetId": presetID}}), "guardrailAssign"))
		require.Nil(t, a.ok(a.B.Admin, guardsAt, map[string]any{"s": c.Team.ID}).at("scopeGuardrails"))
		require.Equal(t, "NOT_FOUND", a.ok(a.B.Admin, tryGuardrail, map[string]any{"i": map[string]any{"presetId": presetID, "text": "x"}}).at("guardrailSimulate", "errors", 0, "code"))
	})
}

func TestGuardrailsAreTried(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		try := func(more map[string]any) answer {
			in := map[string]any{"text": "é ada@example.com", "rules": []any{mailRule("REDACT")}}
			for k, v := range more {
				in[k] = v
			}
			return a.ok(c.TeamAdmin, tryGuardrail, map[string]any{"i": in})
		}
		for _, size := range []int{1, 3, 100} {
			out := try(map[string]any{"chunkSize": size})
			require.Equal(t, "é [redacted:email]", out.at("guardrailSimulate", "text"))
			require.EqualValues(t, 3, out.at("guardrailSimulate", "findings", 0, "from"))
		}
		require.Equal(t, "Mail", try(map[string]any{"rules": []any{mailRule("BLOCK")}}).at("guardrailSimulate", "blockedBy"))
		require.Equal(t, "text", try(map[string]any{"text": strings.Repeat("a", 20_001)}).at("guardrailSimulate", "errors", 0, "path", 0))
		require.Equal(t, "FORBIDDEN", codeOf(a.do(c.Seat, tryGuardrail, map[string]any{"i": map[string]any{"text": "x", "rules": []any{}}}), "guardrailSimulate"))
	})
}

// Findings are counted from the log, each where its reader sees it.
func TestGuardrailFindingsAreCounted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, a *api) {
		c := a.A.Console
		presetID := a.guardrail(c.Root, nil).at("guardrailPresetCreate", "preset", "id").(string)
		a.write(func(ctx context.Context, tx *store.Tx) error {
			for _, e := range []audit.Event{{ScopeID: c.Member.ID, ScopePath: c.Member.Path, Count: 4}, {ScopeID: c.Member.ID, ScopePath: c.Member.Path},
				{ScopeID: c.OtherTeam.ID, ScopePath: c.OtherTeam.Path}} {
				e.Action, e.Reason, e.Outcome, e.AccountID, e.Plane, e.TargetID = "guardrail.redact", "INPUT Mail", auditevent.OutcomeDONE, a.A.Row.ID, tenancy.Console, presetID
				if err := tx.Audit(ctx, e); err != nil {
					return err
				}
			}
			return nil
		})
		found := func(v *tenancy.Viewer) any {
			for _, edge := range a.ok(v, guardsListed, map[string]any{"s": c.Team.ID}).at("guardrailPresets", "edges").([]any) {
				if n := edge.(map[string]any)["node"].(map[string]any); n["id"] == presetID {
					f := n["findings"].([]any)[0].(map[string]any)
					require.Equal(t, []any{"Mail", "REDACT", "INPUT"}, []any{f["rule"], f["action"], f["direction"]})
					return f["calls"]
				}
			}
			return nil
		}
		require.EqualValues(t, 6, found(a.A.Admin))
		require.EqualValues(t, 5, found(c.TeamAdmin))
	})
}
