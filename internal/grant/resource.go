package grant

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/catalogmodel"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Kind is what sort of thing a resource is.
type Kind string

// The kinds of resources. The id of one tells its kind.
const (
	Model      Kind = "MODEL"
	Agent      Kind = "AGENT"
	Connection Kind = "CONNECTION"
	Tool       Kind = "TOOL"
)

var kinds = map[id.Prefix]Kind{id.Model: Model, id.Agent: Agent, id.Connection: Connection, id.Tool: Tool}

// KindOf is the kind of the resource that an id stands for; false for an id of
// something that can't be granted.
func KindOf(resourceID string) (Kind, bool) {
	prefix, _ := id.PrefixOf(resourceID)
	k, ok := kinds[prefix]
	return k, ok
}

// noun is how messages call a resource of the kind.
func (k Kind) noun() string { return strings.ToLower(string(k)) }

// ResourceOf is the id of what a grant is about.
func ResourceOf(g *ent.Grant) string {
	for _, about := range []*string{g.ModelID, g.AgentID, g.ConnectionID, g.ToolID} {
		if about != nil {
			return *about
		}
	}
	return ""
}

// resourcesOf reads what can be granted in a plane. Where ids are named it reads
// those alone, and the connections of tools.
func resourcesOf(ctx context.Context, c *ent.Client, accountID string, plane tenancy.Plane, ids []string) ([]*Resource, error) {
	named := map[Kind][]string{}
	for _, resourceID := range ids {
		if k, ok := KindOf(resourceID); ok {
			named[k] = append(named[k], resourceID)
		}
	}
	wanted := func(k Kind) bool { return len(ids) == 0 || len(named[k]) > 0 }
	var out []*Resource
	if wanted(Model) {
		models, err := modelsOf(ctx, c, accountID, plane, named[Model])
		if err != nil {
			return nil, err
		}
		out = append(out, models...)
	}
	if plane != tenancy.Copilot {
		return out, nil
	}
	if wanted(Agent) {
		agents, err := agentsOf(ctx, c, accountID, named[Agent])
		if err != nil {
			return nil, err
		}
		out = append(out, agents...)
	}
	if !wanted(Connection) && !wanted(Tool) {
		return out, nil
	}
	tools, err := toolsOf(ctx, c, accountID, len(ids) == 0, named)
	if err != nil {
		return nil, err
	}
	return append(out, tools...), nil
}

func modelsOf(ctx context.Context, c *ent.Client, accountID string, plane tenancy.Plane, ids []string) ([]*Resource, error) {
	q := c.Model.Query().Where(model.AccountID(accountID), model.PlaneEQ(model.Plane(plane))).
		WithCatalogModel(func(q *ent.CatalogModelQuery) {
			q.Select(catalogmodel.FieldStatus)
			WithOffer(q, accountID)
		})
	if len(ids) > 0 {
		q.Where(model.IDIn(ids...))
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]*Resource, len(rows))
	for i, m := range rows {
		out[i] = &Resource{ID: m.ID, Kind: Model, Name: m.Name, State: stateOfModel(m)}
	}
	return out, nil
}

func stateOfModel(m *ent.Model) State {
	offer := m.Edges.CatalogModel
	switch {
	case m.CatalogModelID != nil && (offer == nil || !Offered(offer)):
		return NotOffered
	case m.Status != model.StatusACTIVE:
		return Disabled
	}
	return Usable
}

func agentsOf(ctx context.Context, c *ent.Client, accountID string, ids []string) ([]*Resource, error) {
	q := c.Agent.Query().Where(agent.AccountID(accountID)).Select(agent.FieldID, agent.FieldAvailability, agent.FieldPublishedVersion)
	if len(ids) > 0 {
		q.Where(agent.IDIn(ids...))
	}
	rows, err := q.All(ctx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	scopes := c.Scope.Query().Where(scope.AccountID(accountID), scope.KindEQ(scope.KindAGENT), scope.DeletedAtIsNil())
	if len(ids) > 0 {
		scopes.Where(scope.IDIn(ids...))
	}
	nodes, err := scopes.All(ctx)
	if err != nil {
		return nil, err
	}
	at := make(map[string]*ent.Scope, len(nodes))
	for _, s := range nodes {
		at[s.ID] = s
	}
	out := make([]*Resource, 0, len(rows))
	for _, a := range rows {
		if s := at[a.ID]; s != nil {
			out = append(out, &Resource{ID: a.ID, Kind: Agent, Name: s.Name, State: stateOfAgent(a), Owner: parent(s.Path)})
		}
	}
	return out, nil
}

func stateOfAgent(a *ent.Agent) State {
	switch {
	case a.Availability != agent.AvailabilityACTIVE:
		return Disabled
	case a.PublishedVersion == nil:
		return Unpublished
	}
	return Usable
}

// toolsOf reads connections with their tools, all or those that are named.
func toolsOf(ctx context.Context, c *ent.Client, accountID string, all bool, named map[Kind][]string) ([]*Resource, error) {
	tq := c.Tool.Query().Where(tool.AccountID(accountID)).Select(tool.FieldID, tool.FieldName, tool.FieldConnectionID, tool.FieldState, tool.FieldEnabled)
	cq := c.Connection.Query().Where(connection.AccountID(accountID)).Select(connection.FieldID, connection.FieldName, connection.FieldScopeID, connection.FieldStatus)
	var tools []*ent.Tool
	var err error
	if all || len(named[Tool]) > 0 {
		if !all {
			tq.Where(tool.IDIn(named[Tool]...))
		}
		if tools, err = tq.All(ctx); err != nil {
			return nil, err
		}
	}
	if !all {
		ids := named[Connection]
		for _, t := range tools {
			ids = append(ids, t.ConnectionID)
		}
		cq.Where(connection.IDIn(ids...))
	}
	connections, err := cq.WithScope(func(q *ent.ScopeQuery) { q.Select(scope.FieldPath) }).All(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[string]*Resource{}
	out := make([]*Resource, 0, len(connections)+len(tools))
	for _, row := range connections {
		r := &Resource{ID: row.ID, Kind: Connection, Name: row.Name, State: Disabled, Owner: row.Edges.Scope.Path}
		if row.Status == connection.StatusACTIVE {
			r.State = Usable
		}
		byID[r.ID] = r
		out = append(out, r)
	}
	for _, t := range tools {
		of := byID[t.ConnectionID]
		if of == nil {
			continue
		}
		out = append(out, &Resource{ID: t.ID, Kind: Tool, Name: of.Name + "/" + t.Name, State: stateOfTool(t), Owner: of.Owner, of: of})
	}
	return out, nil
}

func stateOfTool(t *ent.Tool) State {
	switch {
	case t.State != tool.StateAPPROVED:
		return Held
	case !t.Enabled:
		return Disabled
	}
	return Usable
}
