package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/agentversion"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// toolImpact is what approving tools would mean, for who may decide on it.
func (r *Resolver) toolImpact(ctx context.Context, row *ent.Request) (*model.ToolImpact, error) {
	if ok, err := r.decidableOpen(ctx, row); err != nil || !ok || row.Kind != entrequest.KindTOOL_APPROVAL {
		return nil, err
	}
	ctx = tenancy.System(ctx, "whoever decides on tools is told what they are, and in numbers who uses them")
	c, err := r.Store.Connection.Get(ctx, row.ResourceID)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	waiting := request.WaitingTools(row)
	ids := mapTo(waiting, func(w request.Waiting) string { return w.ToolID })
	rows, err := r.Store.Tool.Query().Where(tool.IDIn(ids...), tool.ConnectionID(c.ID)).Order(tool.ByName()).All(ctx)
	if err != nil {
		return nil, err
	}
	out := &model.ToolImpact{ConnectionID: c.ID, Tools: []*model.ToolWaiting{}}
	if u, err := url.Parse(c.URL); err == nil && u.Hostname() != "" {
		host := u.Hostname()
		out.Host = &host
	}
	for _, t := range rows {
		out.Tools = append(out.Tools, toWaiting(t))
	}
	if out.People, err = r.seatsWith(ctx, row, ids); err != nil {
		return nil, err
	}
	out.Agents, err = r.agentsWith(ctx, row.AccountID, ids)
	return out, err
}

// seatsWith counts the seats that the grants let use one of these tools once
// they are approved.
func (r *Resolver) seatsWith(ctx context.Context, row *ent.Request, toolIDs []string) (int, error) {
	t, err := r.Grants.Table(ctx, row.AccountID, tenancy.Plane(row.Plane))
	if err != nil {
		return 0, err
	}
	type subtrees struct{ allowed, refused []string }
	var distinct []subtrees // tools of one connection mostly share them
	for _, toolID := range toolIDs {
		allowed, refused := t.Granted(toolID, r.Store.Now())
		if len(allowed) > 0 && !slices.ContainsFunc(distinct, func(s subtrees) bool { return slices.Equal(s.allowed, allowed) && slices.Equal(s.refused, refused) }) {
			distinct = append(distinct, subtrees{allowed, refused})
		}
	}
	if len(distinct) == 0 {
		return 0, nil
	}
	seats := r.Store.Scope.Query().Where(scope.AccountID(row.AccountID), scope.PlaneEQ(scope.Plane(row.Plane)), scope.KindEQ(scope.KindMEMBER), scope.DeletedAtIsNil())
	seats.WhereP(func(q *sql.Selector) {
		path := q.C(scope.FieldPath)
		q.Where(sql.Or(mapTo(distinct, func(s subtrees) *sql.Predicate {
			return sql.And(anyPrefix(path, s.allowed), sql.Not(anyPrefix(path, s.refused)))
		})...))
	})
	return seats.Count(ctx)
}

// agentsWith counts the agents whose published version has one of these tools.
func (r *Resolver) agentsWith(ctx context.Context, accountID string, toolIDs []string) (int, error) {
	published, err := r.Store.Agent.Query().Where(agent.AccountID(accountID), agent.PublishedVersionNotNil()).Select(agent.FieldID, agent.FieldPublishedVersion).All(ctx)
	if err != nil {
		return 0, err
	}
	count := 0
	for chunk := range slices.Chunk(published, 200) {
		version := make(map[string]int, len(chunk))
		for _, a := range chunk {
			version[a.ID] = *a.PublishedVersion
		}
		rows, err := r.Store.AgentVersion.Query().Where(agentversion.AgentIDIn(mapTo(chunk, func(a *ent.Agent) string { return a.ID })...)).All(ctx)
		if err != nil {
			return 0, err
		}
		for _, v := range rows {
			var d struct {
				ToolIDs []string `json:"toolIds"`
			}
			if version[v.AgentID] == v.Number && json.Unmarshal(v.Definition, &d) == nil && slices.ContainsFunc(d.ToolIDs, func(toolID string) bool { return slices.Contains(toolIDs, toolID) }) {
				count++
			}
		}
	}
	return count, nil
}

// toWaiting shows a tool as it would be approved, and what of it differs.
func toWaiting(t *ent.Tool) *model.ToolWaiting {
	out := &model.ToolWaiting{ID: t.ID, Name: t.Name, New: t.State == tool.StatePENDING, Changes: []string{}, Digest: t.Digest, Price: money.Nano(t.Price)}
	text := t.Definition
	if t.State == tool.StateCHANGED {
		text, out.Digest = t.Proposed, t.ProposedDigest
	}
	var now, before connections.Definition
	_ = json.Unmarshal(text, &now) // what can't be read is shown as it is
	out.Description, out.Writes = now.Description, writes(text)
	if out.New || json.Unmarshal(t.Definition, &before) != nil {
		return out
	}
	for _, part := range []struct {
		name string
		same bool
	}{
		{"title", before.Title == now.Title}, {"description", before.Description == now.Description},
		{"input", bytes.Equal(before.InputSchema, now.InputSchema)}, {"output", bytes.Equal(before.OutputSchema, now.OutputSchema)},
		{"hints", bytes.Equal(before.Annotations, now.Annotations)}, {"request", before.Request == now.Request},
	} {
		if !part.same {
			out.Changes = append(out.Changes, part.name)
		}
	}
	return out
}

// writes tells whether a tool may change something: what doesn't say that it
// only reads may.
func writes(definition json.RawMessage) bool {
	var said struct {
		Annotations struct {
			ReadOnly *bool `json:"readOnlyHint"`
		} `json:"annotations"`
	}
	return json.Unmarshal(definition, &said) != nil || said.Annotations.ReadOnly == nil || !*said.Annotations.ReadOnly
}
