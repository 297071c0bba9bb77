package graph

import (
	"context"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/mcp"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// viewerTools are those that the viewer's default seat may use now, as the tool
// gateway lists them.
func (r *Resolver) viewerTools(ctx context.Context, v *tenancy.Viewer, w window) (*model.UsableToolConnection, error) {
	seat, err := r.defaultSeat(ctx, v, tenancy.Copilot)
	if err != nil || seat == nil {
		return nil, err
	}
	all, err := r.Shelves.Usable(ctx, v.AccountID, seat.Ref.Path)
	if err != nil {
		return nil, err
	}
	place := func(t *mcp.Tool) named { return named{t.Name, t.ID} }
	page, info, err := pageOf(all, w, place)
	if err != nil {
		return nil, err
	}
	shown, err := r.toUsableTools(ctx, v, page)
	if err != nil {
		return nil, err
	}
	out := &model.UsableToolConnection{PageInfo: info, Count: func(context.Context) (int, error) { return len(all), nil }, Edges: []*model.UsableToolEdge{}}
	for i, t := range shown {
		out.Edges = append(out.Edges, &model.UsableToolEdge{Node: t, Cursor: encode(place(page[i]).cursor())})
	}
	return out, nil
}

// toUsableTools shows tools as one person may use them; whether they must sign
// in first is asked once for all.
func (r *Resolver) toUsableTools(ctx context.Context, v *tenancy.Viewer, list []*mcp.Tool) ([]*model.UsableTool, error) {
	if len(list) == 0 {
		return []*model.UsableTool{}, nil
	}
	ready, err := r.readyFor(ctx, v, list)
	if err != nil {
		return nil, err
	}
	ppm, err := from(ctx).factors.Load(ctx, v.AccountID)
	if err != nil {
		return nil, err
	}
	out := make([]*model.UsableTool, len(list))
	for i, t := range list {
		d := t.Definition
		out[i] = &model.UsableTool{ID: t.ID, CallName: t.Name, Title: d.Title, Description: d.Description, InputSchema: string(d.InputSchema),
			Connection: r.toToolSource(t.Connection, ready[t.Connection.ID])}
		if out[i].Title == "" {
			out[i].Title = d.Name
		}
		if out[i].Price, err = money.Credits(t.Price, ppm); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Resolver) toToolSource(c *ent.Connection, ready bool) *model.ToolSource {
	out := &model.ToolSource{ID: c.ID, Name: c.Name, Icon: c.Icon, NeedsSignIn: !ready}
	if !ready && c.Credential == connection.CredentialPERSONAL {
		page := r.Connections.Credentials.SignInPage(c.ID)
		out.SignInURL = &page
	}
	return out
}

// readyFor tells which connections of tools are signed in for somebody.
func (r *Resolver) readyFor(ctx context.Context, v *tenancy.Viewer, list []*mcp.Tool) (map[string]bool, error) {
	var sources []*ent.Connection
	seen := map[string]bool{}
	for _, t := range list {
		if !seen[t.Connection.ID] {
			seen[t.Connection.ID] = true
			sources = append(sources, t.Connection)
		}
	}
	return r.Connections.Credentials.Ready(ctx, v.AccountID, v.UserID, sources)
}

// agentUse tells whether the viewer's default seat may use an agent.
func (r *Resolver) agentUse(ctx context.Context, v *tenancy.Viewer, agentID string) (*model.AgentUse, error) {
	seat, err := r.defaultSeat(ctx, v, tenancy.Copilot)
	if err != nil || seat == nil {
		return nil, err
	}
	table, err := r.Grants.Table(ctx, v.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	if res := table.Resource(agentID); res == nil || res.Kind != grant.Agent {
		return nil, nil
	}
	said := table.Ask(agentID, seat.Ref.Path, r.Store.Now())
	return &model.AgentUse{ID: agentID, Allowed: said.Allowed(), Rule: string(said.Rule), Reason: said.Reason(), Seat: seat}, nil
}

// resolveAgent is what an app needs to run an agent that a seat may use.
func (r *Resolver) resolveAgent(ctx context.Context, use *model.AgentUse) (*model.ResolvedAgent, error) {
	if !use.Allowed {
		return nil, nil
	}
	table, err := r.Grants.Table(ctx, use.Seat.Ref.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	row, err := from(ctx).agents.rows.Load(ctx, use.ID)
	if err != nil {
		return nil, err
	}
	live, err := from(ctx).agents.live.Load(ctx, use.ID)
	if err != nil {
		return nil, err
	}
	d, err := agents.Parse(live.Definition)
	if err != nil {
		return nil, err
	}
	out := &model.ResolvedAgent{ID: use.ID, Seat: use.Seat, Definition: d, Purpose: row.Purpose, Version: live.Number,
		Temperature: d.Parameters.Temperature, TopP: d.Parameters.TopP, ReasoningEffort: unless(d.Parameters.ReasoningEffort),
		Starters: append([]string{}, d.Starters...), SessionCredits: money.Nano(row.SessionCredits), SessionTurns: row.SessionTurns,
		Knowledge: mapTo(d.Knowledge, func(k agents.Link) *model.AgentLink { return &model.AgentLink{Title: k.Title, URL: k.URL} })}
	if res := table.Resource(use.ID); res != nil {
		out.Name = res.Name
	}
	if d.Parameters.MaxOutputTokens > 0 {
		out.MaxOutputTokens = &d.Parameters.MaxOutputTokens
	}
	now := r.Store.Now()
	out.Models = mapTo(d.Models(), func(modelID string) *model.ResolvedModel {
		said := table.Ask(modelID, use.Seat.Ref.Path, now)
		m := &model.ResolvedModel{ID: modelID, Allowed: said.Allowed(), Reason: said.Reason()}
		if said.Resource != nil {
			m.Name = &said.Resource.Name
		}
		return m
	})
	return out, nil
}

// instructions go to programs that run agents for people, and to those who read
// definitions anyway; docs/adr/0020 has the reasons.
func (r *Resolver) instructions(ctx context.Context, a *model.ResolvedAgent) (*string, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if exchanged(v) && slices.Contains(v.Permissions, "agents.resolve") {
		return &a.Definition.Instructions, nil
	}
	row, s, err := agents.Find(ctx, r.Store, a.ID)
	if isAbsent(err) {
		return nil, nil
	}
	if err != nil || !r.Access.Decide(ctx, access.AgentRead, target(agentRef(s, row))).Allowed {
		return nil, err
	}
	return &a.Definition.Instructions, nil
}

// exchanged tells a program whose secret stays with its backend, and that acts
// for a person, from tokens that people hold themselves.
func exchanged(v *tenancy.Viewer) bool {
	return v.Kind == tenancy.UserViewer && v.Narrowed && v.ClientID != "" && v.AuthorizationID == "" && v.TokenID == "" && v.SupportID == ""
}

// resolvedTools are an agent's tools that the seat may use.
func (r *Resolver) resolvedTools(ctx context.Context, a *model.ResolvedAgent) ([]*mcp.Tool, error) {
	usable, err := r.Shelves.Usable(ctx, a.Seat.Ref.AccountID, a.Seat.Ref.Path)
	return slices.DeleteFunc(usable, func(t *mcp.Tool) bool { return !slices.Contains(a.Definition.ToolIDs, t.ID) }), err
}

func (r *Resolver) guardrailNames(ctx context.Context, a *model.ResolvedAgent) ([]string, error) {
	set, err := r.Guards.For(ctx, guardrail.Subject{AccountID: a.Seat.Ref.AccountID, Plane: tenancy.Copilot, Path: a.Seat.Ref.Path, AgentID: a.ID})
	return set.Presets(), err
}
