package graph

import (
	"context"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/agentversion"
	"github.com/alchemi/cockpit/ent/guardrailpreset"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"

	"github.com/vikstrous/dataloadgen"
)

const whyAgents = "an agent is read for whoever sees its scope, answers for it, or may use it"

// agentLoaders read what agents show, batched: the row, and whoever answers.
type agentLoaders struct {
	rows  *dataloadgen.Loader[string, *ent.Agent]
	live  *dataloadgen.Loader[string, *ent.AgentVersion] // by agent
	names *dataloadgen.Loader[string, string]            // of people
}

func (r *Resolver) newAgentLoaders() agentLoaders {
	return agentLoaders{
		rows: loader(func(ctx context.Context, ids []string) (map[string]*ent.Agent, error) {
			rows, err := r.Store.Agent.Query().Where(agent.IDIn(ids...)).All(tenancy.System(ctx, whyAgents))
			return index(rows, err, func(a *ent.Agent) string { return a.ID })
		}),
		live: loader(func(ctx context.Context, ids []string) (map[string]*ent.AgentVersion, error) {
			rows, err := r.Store.AgentVersion.Query().Where(agentversion.AgentIDIn(ids...),
				agentversion.HasAgentWith(func(s *sql.Selector) {
					s.Where(sql.ColumnsEQ(s.C(agent.FieldPublishedVersion), sql.Dialect(s.Dialect()).Table(agentversion.Table).C(agentversion.FieldNumber)))
				})).All(tenancy.System(ctx, whyAgents))
			return index(rows, err, func(v *ent.AgentVersion) string { return v.AgentID })
		}),
		names: loader(func(ctx context.Context, ids []string) (map[string]string, error) {
			rows, err := r.Store.User.Query().Where(user.IDIn(ids...)).All(tenancy.System(ctx, whyAgents))
			out := make(map[string]string, len(rows))
			for _, u := range rows {
				out[u.ID] = u.Name
			}
			return out, err
		}),
	}
}

func toAgent(s *ent.Scope) *model.Agent {
	return &model.Agent{ID: s.ID, Name: s.Name, Kind: model.ScopeKind(s.Kind), Plane: productOf(tenancy.Plane(s.Plane)), ParentID: s.ParentID, Ref: ref(s), CreatedAt: s.CreatedAt}
}

// agentScope finds an agent that the viewer reaches, or answers for.
func (r *Resolver) agentScope(ctx context.Context, agentID string) (*ent.Scope, error) {
	_, s, err := agents.Find(ctx, r.Store, agentID)
	return s, err
}

// agentRow is an agent's row, of one that the viewer was shown.
func agentRow(ctx context.Context, a *model.Agent) (*ent.Agent, error) {
	return from(ctx).agents.rows.Load(ctx, a.ID)
}

// agentRef is where an agent lies, with who answers for it.
func agentRef(s *ent.Scope, row *ent.Agent) model.Ref {
	at := ref(s)
	at.OwnerID = row.OwnerUserID
	return at
}

// readable tells whether the viewer may read an agent's instructions.
func (r *Resolver) readable(ctx context.Context, a *model.Agent) (*ent.Agent, bool, error) {
	row, err := agentRow(ctx, a)
	if err != nil {
		return nil, false, err
	}
	at := a.Ref
	at.OwnerID = row.OwnerUserID
	return row, r.Access.Decide(ctx, access.AgentRead, target(at)).Allowed, nil
}

// needAgent is leave to act on an agent as it stands when it is asked.
func needAgent(action access.Action, s *ent.Scope, row *ent.Agent) leave {
	return leave{action, func() model.Ref { return agentRef(s, row) }}
}

// onAgent runs a verb on an agent, by whoever the policy lets.
func (r *Resolver) onAnAgent(ctx context.Context, agentID string, action access.Action, verb func(ctx context.Context, tx *store.Tx, s *ent.Scope) error) (*model.Agent, error) {
	row, s, err := agents.Find(ctx, r.Store, agentID)
	if err != nil {
		return nil, err
	}
	err = r.change(ctx, []leave{needAgent(action, s, row)}, false, func(ctx context.Context, tx *store.Tx) error {
		tx.AfterCommit(func() { r.Grants.Changed(s.AccountID, tenancy.Copilot) })
		return verb(ctx, tx, s)
	})
	if err != nil {
		return nil, err
	}
	from(ctx).agents.rows.Clear(agentID)
	from(ctx).agents.live.Clear(agentID)
	from(ctx).scopes.Clear(agentID)
	if s, err = r.agentScope(ctx, agentID); err != nil {
		return nil, err
	}
	return toAgent(s), nil
}

func agentPayload(a *model.Agent, err error) (*model.AgentPayload, error) {
	payload := &model.AgentPayload{}
	if payload.Errors, err = refused(err); err != nil || len(payload.Errors) > 0 {
		return payload, err
	}
	payload.Agent = a
	return payload, nil
}

func definitionOf(in *model.AgentDefinitionInput) agents.Definition {
	if in == nil {
		return agents.Definition{}
	}
	d := agents.Definition{Instructions: orEmpty(in.Instructions), ModelID: orEmpty(in.ModelID), FallbackIDs: in.FallbackIds, ToolIDs: in.ToolIds,
		Starters: in.Starters, GuardrailPresetIDs: in.GuardrailPresetIds,
		Parameters: agents.Parameters{Temperature: in.Temperature, TopP: in.TopP, ReasoningEffort: orEmpty(in.ReasoningEffort)}}
	if in.MaxOutputTokens != nil {
		d.Parameters.MaxOutputTokens = *in.MaxOutputTokens
	}
	for _, k := range in.Knowledge {
		d.Knowledge = append(d.Knowledge, agents.Link{Title: k.Title, URL: k.URL})
	}
	return d
}

func (r *Resolver) agentCreate(ctx context.Context, in model.AgentCreateInput) (*model.Agent, error) {
	owner, err := r.Store.Scope.Get(ctx, in.OwnerID)
	if ent.IsNotFound(err) {
		return nil, missingOwner()
	}
	if err != nil {
		return nil, err
	}
	d := definitionOf(in.Draft)
	return changing(ctx, r, []leave{need(access.AgentCreate, owner)}, false, func(ctx context.Context, tx *store.Tx) (*model.Agent, error) {
		tx.AfterCommit(func() { r.Grants.Changed(owner.AccountID, tenancy.Copilot) })
		_, s, err := r.Agents.Create(ctx, tx, owner, agents.Settings{Name: &in.Name, Purpose: in.Purpose, Icon: in.Icon, Group: in.Group,
			Categories: listOrNil(in.Categories), Tags: listOrNil(in.Tags), SessionCredits: in.SessionCredits, SessionTurns: in.SessionTurns}, d)
		if err != nil {
			return nil, err
		}
		return toAgent(s), nil
	})
}

func missingOwner() error {
	e := fault.Missing("owner")
	e.Path = []string{"ownerId"}
	return e
}

// listOrNil keeps what is left out apart from what is empty.
func listOrNil(list []string) *[]string {
	if list == nil {
		return nil
	}
	return &list
}

func (r *Resolver) agentUpdate(ctx context.Context, in model.AgentUpdateInput) (*model.Agent, error) {
	var d *agents.Definition
	if in.Draft != nil {
		draft := definitionOf(in.Draft)
		d = &draft
	}
	return r.onAnAgent(ctx, in.AgentID, access.AgentUpdate, func(ctx context.Context, tx *store.Tx, s *ent.Scope) error {
		_, err := r.Agents.Update(ctx, tx, s, agents.Settings{Name: in.Name, Purpose: in.Purpose, Icon: in.Icon, Group: in.Group,
			Categories: listOrNil(in.Categories), Tags: listOrNil(in.Tags), SessionCredits: in.SessionCredits, SessionTurns: in.SessionTurns}, d, in.ExpectedVersion)
		return err
	})
}

func (r *Resolver) agentState(ctx context.Context, in model.AgentStateInput, to agent.Availability) (*model.AgentPayload, error) {
	return agentPayload(r.onAnAgent(ctx, in.AgentID, access.AgentPause, func(ctx context.Context, tx *store.Tx, s *ent.Scope) error {
		_, err := r.Agents.SetAvailability(ctx, tx, s, to, in.ExpectedVersion)
		return err
	}))
}

func (r *Resolver) agentDuplicate(ctx context.Context, in model.AgentDuplicateInput) (*model.Agent, error) {
	row, s, err := agents.Find(ctx, r.Store, in.AgentID)
	if err != nil {
		return nil, err
	}
	owner, err := r.Store.Scope.Get(ctx, in.OwnerID)
	if ent.IsNotFound(err) || err == nil && owner.AccountID != s.AccountID {
		return nil, missingOwner()
	}
	if err != nil {
		return nil, err
	}
	needs := []leave{needAgent(access.AgentRead, s, row), need(access.AgentCreate, owner)}
	return changing(ctx, r, needs, false, func(ctx context.Context, tx *store.Tx) (*model.Agent, error) {
		tx.AfterCommit(func() { r.Grants.Changed(owner.AccountID, tenancy.Copilot) })
		_, made, err := r.Agents.Duplicate(ctx, tx, s, owner, in.Name)
		if err != nil {
			return nil, err
		}
		return toAgent(made), nil
	})
}

func (r *Resolver) agentDelete(ctx context.Context, in model.AgentStateInput) (*model.AgentDeletePayload, error) {
	row, s, err := agents.Find(ctx, r.Store, in.AgentID)
	if err == nil && in.ExpectedVersion != nil && *in.ExpectedVersion != row.Version {
		err = fault.New(fault.Conflict, "Somebody else has changed this agent. Look at it again, then delete it.").
			With("expectedVersion", *in.ExpectedVersion).With("currentVersion", row.Version)
	}
	if err == nil {
		err = r.change(ctx, []leave{needAgent(access.AgentDelete, s, row)}, false, func(ctx context.Context, tx *store.Tx) error {
			tx.AfterCommit(func() { r.Grants.Changed(s.AccountID, tenancy.Copilot) })
			_, err := (&identity.Directory{Budgets: r.Budgets}).DeleteAgent(ctx, tx, r.Store.Now(), s)
			return err
		})
	}
	payload := &model.AgentDeletePayload{}
	if payload.Errors, err = refused(err); err != nil || len(payload.Errors) > 0 {
		return payload, err
	}
	payload.AgentID = &s.ID
	return payload, nil
}

// agentPage lists the agents of a plane that the viewer sees, newest first.
func (r *Resolver) agentPage(ctx context.Context, at model.Ref, search, group, ownerID *string, availability *model.AgentAvailability, w window) (*model.AgentConnection, error) {
	text := strings.TrimSpace(value(search))
	if len(text) > maxSearch {
		return nil, fault.New(fault.BadInput, "Search for at most %d characters.", maxSearch)
	}
	rows, info, count, err := r.scopePage(ctx, at, w, scope.FieldID, true, kindIs(scope.KindAGENT), parentIs(ownerID), func(s *sql.Selector) {
		if text != "" {
			s.Where(sql.ContainsFold(s.C(scope.FieldName), text))
		}
		if group == nil && availability == nil {
			return
		}
		d := sql.Dialect(s.Dialect())
		a := d.Table(agent.Table).As("listed_agents")
		where := []*sql.Predicate{sql.ColumnsEQ(a.C(agent.FieldID), s.C(scope.FieldID))}
		if group != nil {
			where = append(where, sql.EQ(a.C(agent.FieldGroupName), *group))
		}
		if availability != nil {
			where = append(where, sql.EQ(a.C(agent.FieldAvailability), string(*availability)))
		}
		s.Where(sql.Exists(d.Select(a.C(agent.FieldID)).From(a).Where(sql.And(where...))))
	})
	if err != nil {
		return nil, err
	}
	return &model.AgentConnection{PageInfo: info, Count: count, Edges: mapTo(rows, func(s *ent.Scope) *model.AgentEdge {
		return &model.AgentEdge{Node: toAgent(s), Cursor: encode(s.ID)}
	})}, nil
}

func (r *Resolver) agentGroups(ctx context.Context, at model.Ref) ([]string, error) {
	out := []string{}
	err := r.Store.Agent.Query().Where(agent.AccountID(at.AccountID), agent.GroupNameNEQ("")).Order(ent.Asc(agent.FieldGroupName)).
		Limit(500).Unique(true).Select(agent.FieldGroupName).Scan(tenancy.InPlane(ctx, tenancy.Copilot), &out)
	return out, err
}

// usableAgents are those that the viewer's default seat may use now.
func (r *Resolver) usableAgents(ctx context.Context, v *tenancy.Viewer) ([]*model.UsableAgent, error) {
	seat, err := r.defaultSeat(ctx, v, tenancy.Copilot)
	if err != nil || seat == nil {
		return nil, err
	}
	table, err := r.Grants.Table(ctx, v.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	now, out := r.Store.Now(), []*model.UsableAgent{}
	ids := table.Usable(grant.Agent, seat.Ref.Path, now)
	rows, err := from(ctx).agents.rows.LoadAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	versions, err := from(ctx).agents.live.LoadAll(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, agentID := range ids {
		row, live := rows[i], versions[i]
		d, err := agents.Parse(live.Definition)
		if err != nil {
			return nil, err
		}
		out = append(out, &model.UsableAgent{ID: agentID, Name: table.Resource(agentID).Name, Purpose: row.Purpose, Icon: row.Icon, Group: row.GroupName,
			Starters: append([]string{}, d.Starters...), PublishedVersion: live.Number})
	}
	slices.SortFunc(out, func(a, b *model.UsableAgent) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out, nil
}

// ownAgents are those that the viewer answers for.
func (r *Resolver) ownAgents(ctx context.Context, v *tenancy.Viewer) ([]*model.Agent, error) {
	if v.UserID == "" || v.Platform || v.SupportID != "" || v.Kind != tenancy.UserViewer {
		return nil, nil
	}
	system := tenancy.System(ctx, whyAgents)
	ids, err := r.Store.Agent.Query().Where(agent.AccountID(v.AccountID), agent.OwnerUserID(v.UserID)).Limit(500).IDs(system)
	if err != nil {
		return nil, err
	}
	rows, err := r.Store.Scope.Query().Where(scope.IDIn(ids...), scope.DeletedAtIsNil()).Order(ent.Asc(scope.FieldName)).All(system)
	return mapTo(rows, toAgent), err
}

// definition shows a definition with the names of what it names.
func (r *Resolver) definition(ctx context.Context, at model.Ref, d agents.Definition) (*model.AgentDefinition, error) {
	table, err := r.Grants.Table(ctx, at.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	name := func(resourceID string) *string {
		if res := table.Resource(resourceID); res != nil {
			return &res.Name
		}
		return nil
	}
	resources := func(ids []string) []*model.AgentResource {
		return mapTo(ids, func(one string) *model.AgentResource { return &model.AgentResource{ID: one, Name: name(one)} })
	}
	out := &model.AgentDefinition{Instructions: d.Instructions, ModelID: unless(d.ModelID), Fallbacks: resources(d.FallbackIDs),
		Temperature: d.Parameters.Temperature, TopP: d.Parameters.TopP, ReasoningEffort: unless(d.Parameters.ReasoningEffort), Tools: resources(d.ToolIDs),
		Knowledge: mapTo(d.Knowledge, func(k agents.Link) *model.AgentLink { return &model.AgentLink{Title: k.Title, URL: k.URL} }),
		Starters:  append([]string{}, d.Starters...), GuardrailPresetIds: append([]string{}, d.GuardrailPresetIDs...)}
	if d.ModelID != "" {
		out.ModelName = name(d.ModelID)
	}
	if d.Parameters.MaxOutputTokens > 0 {
		out.MaxOutputTokens = &d.Parameters.MaxOutputTokens
	}
	return out, nil
}

// shown is what an agent is as it is published, else as it is drafted.
func shown(ctx context.Context, a *model.Agent) (agents.Definition, error) {
	row, err := agentRow(ctx, a)
	if err != nil {
		return agents.Definition{}, err
	}
	if row.PublishedVersion == nil {
		return agents.Parse(row.Draft)
	}
	live, err := from(ctx).agents.live.Load(ctx, a.ID)
	if err != nil {
		return agents.Definition{}, err
	}
	return agents.Parse(live.Definition)
}

func (r *Resolver) agentVersions(ctx context.Context, a *model.Agent, w window) (*model.AgentVersionConnection, error) {
	_, may, err := r.readable(ctx, a)
	if err != nil || !may {
		return nil, err
	}
	system := tenancy.System(ctx, whyAgents)
	query := func() *ent.AgentVersionQuery {
		return r.Store.AgentVersion.Query().Where(agentversion.AgentID(a.ID))
	}
	rows, info, err := list[*ent.AgentVersion](system, query(), w, agentversion.FieldID, true, func(v *ent.AgentVersion) string { return v.ID })
	if err != nil {
		return nil, err
	}
	out := &model.AgentVersionConnection{PageInfo: info, Edges: []*model.AgentVersionEdge{},
		Count: func(context.Context) (int, error) { return query().Count(system) }}
	for _, v := range rows {
		d, err := agents.Parse(v.Definition)
		if err != nil {
			return nil, err
		}
		definition, err := r.definition(ctx, a.Ref, d)
		if err != nil {
			return nil, err
		}
		node := &model.AgentVersion{ID: v.ID, Number: v.Number, Definition: definition, Changelog: v.Changelog, PublishedByName: v.PublishedByName,
			RetiredAt: v.RetiredAt, CreatedAt: v.CreatedAt}
		if v.Restores > 0 {
			node.Restores = &v.Restores
		}
		out.Edges = append(out.Edges, &model.AgentVersionEdge{Node: node, Cursor: encode(v.ID)})
	}
	return out, nil
}

// agentDefinition is that of a version; of the draft without a number, and of
// nothing for zero.
func (r *Resolver) agentDefinition(ctx context.Context, row *ent.Agent, number *int) (agents.Definition, error) {
	switch {
	case number == nil:
		return agents.Parse(row.Draft)
	case *number == 0:
		return agents.Definition{}, nil
	}
	v, err := r.Store.AgentVersion.Query().Where(agentversion.AgentID(row.ID), agentversion.Number(*number)).Only(tenancy.System(ctx, whyAgents))
	if ent.IsNotFound(err) {
		return agents.Definition{}, fault.Missing("version")
	}
	if err != nil {
		return agents.Definition{}, err
	}
	return agents.Parse(v.Definition)
}

func (r *Resolver) agentDiff(ctx context.Context, a *model.Agent, from, to *int) ([]*model.AgentChange, error) {
	row, may, err := r.readable(ctx, a)
	if err != nil || !may {
		return nil, err
	}
	before, err := r.agentDefinition(ctx, row, from)
	if err != nil {
		return nil, err
	}
	after, err := r.agentDefinition(ctx, row, to)
	if err != nil {
		return nil, err
	}
	table, err := r.Grants.Table(ctx, a.Ref.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	presets, err := r.presetNames(ctx, append(slices.Clone(before.GuardrailPresetIDs), after.GuardrailPresetIDs...))
	if err != nil {
		return nil, err
	}
	// What is named by ids is shown by names.
	named := func(field, text string) string {
		if field != agents.FieldModel && field != agents.FieldFallbacks && field != agents.FieldTools && field != agents.FieldGuardrails {
			return text
		}
		lines := strings.Split(text, "\n")
		for i, one := range lines {
			if res := table.Resource(one); res != nil {
				lines[i] = res.Name
			} else if name := presets[one]; name != "" {
				lines[i] = name
			}
		}
		return strings.Join(lines, "\n")
	}
	return mapTo(agents.Diff(before, after), func(c agents.Change) *model.AgentChange {
		return &model.AgentChange{Field: c.Field, Before: named(c.Field, c.Before), After: named(c.Field, c.After)}
	}), nil
}

func (r *Resolver) agentValidation(ctx context.Context, a *model.Agent) ([]*model.AgentProblem, error) {
	row, may, err := r.readable(ctx, a)
	if err != nil || !may {
		return nil, err
	}
	d, err := agents.Parse(row.Draft)
	if err != nil {
		return nil, err
	}
	s := &ent.Scope{ID: a.ID, AccountID: a.Ref.AccountID, Name: a.Name, Path: a.Ref.Path}
	problems, err := agents.Validate(ctx, r.Store.Client, r.Store.Now(), s, d)
	return mapTo(problems, func(p agents.Problem) *model.AgentProblem {
		return &model.AgentProblem{Field: p.Field, Code: p.Code, Message: p.Message, Fix: p.Fix, Blocking: p.Error}
	}), err
}

// presetNames are the names of those guardrails that there still are.
func (r *Resolver) presetNames(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := r.Store.GuardrailPreset.Query().Where(guardrailpreset.IDIn(ids...)).All(tenancy.System(ctx, whyAgents))
	for _, p := range rows {
		out[p.ID] = p.Name
	}
	return out, err
}

// agentGuardrails are those that hold for an agent without being named by it.
func (r *Resolver) agentGuardrails(ctx context.Context, a *model.Agent) ([]*model.AgentGuardrail, error) {
	if _, may, err := r.readable(ctx, a); err != nil || !may {
		return nil, err
	}
	rows, err := r.assignedAbove(ctx, a.Ref.AccountID, a.Ref.Path)
	return mapTo(rows, func(g *ent.GuardrailAssignment) *model.AgentGuardrail {
		p := g.Edges.Preset
		return &model.AgentGuardrail{ID: p.ID, Name: p.Name, Description: p.Description, FromName: &g.Edges.Scope.Name}
	}), err
}

const mostChoices = 100

func (r *Resolver) agentGuardrailChoices(ctx context.Context, a *model.Agent) ([]*model.AgentGuardrail, error) {
	if _, may, err := r.readable(ctx, a); err != nil || !may {
		return nil, err
	}
	rows, err := r.Store.GuardrailPreset.Query().Where(guardrailpreset.AccountID(a.Ref.AccountID), guardrailpreset.PlaneEQ(guardrailpreset.PlaneCOPILOT),
		guardrailpreset.StatusEQ(guardrailpreset.StatusACTIVE)).Order(ent.Asc(guardrailpreset.FieldName)).Limit(mostChoices).All(tenancy.System(ctx, whyAgents))
	return mapTo(rows, func(p *ent.GuardrailPreset) *model.AgentGuardrail {
		return &model.AgentGuardrail{ID: p.ID, Name: p.Name, Description: p.Description}
	}), err
}

// recentDays is how far back recentCredits looks, today included.
const recentDays = 7

func recentCredits(ctx context.Context, a *model.Agent) (money.Nano, error) {
	days, err := from(ctx).series.Load(ctx, stateKey{a.Ref.AccountID, a.Ref.Plane, a.ID})
	if err != nil {
		return 0, err
	}
	var sum money.Nano
	for _, d := range days[max(0, len(days)-recentDays):] {
		sum += d
	}
	return sum, nil
}

// assigned counts the scopes to which an agent is allowed now.
func (r *Resolver) assigned(ctx context.Context, a *model.Agent, now time.Time) (int, error) {
	table, err := r.Grants.Table(ctx, a.Ref.AccountID, tenancy.Copilot)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, g := range table.Of(a.ID) {
		if g.Effect == grant.Allow && table.Stands(g.ID, now) {
			n++
		}
	}
	return n, nil
}
