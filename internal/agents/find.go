package agents

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Find reads an agent that lies in the viewer's reach, or that they answer for
// wherever it lies. What they may do with it is for the policy to say.
func Find(ctx context.Context, st *store.Store, agentID string) (*ent.Agent, *ent.Scope, error) {
	v := tenancy.ViewerFrom(ctx)
	if p, ok := id.PrefixOf(agentID); !ok || p != id.Agent || v == nil {
		return nil, nil, fault.Missing("agent")
	}
	row, err := st.Agent.Get(ctx, agentID)
	if ent.IsNotFound(err) && v.Kind == tenancy.UserViewer && v.UserID != "" && v.SupportID == "" && !v.Platform {
		ctx = tenancy.System(ctx, "whoever answers for an agent finds it outside of their reach, too")
		row, err = st.Agent.Query().Where(agent.ID(agentID), agent.AccountID(v.AccountID), agent.OwnerUserID(v.UserID)).Only(ctx)
	}
	if ent.IsNotFound(err) {
		return nil, nil, fault.Missing("agent")
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := st.Scope.Get(ctx, agentID)
	if ent.IsNotFound(err) || err == nil && s.DeletedAt != nil {
		return nil, nil, fault.Missing("agent")
	}
	return row, s, err
}
