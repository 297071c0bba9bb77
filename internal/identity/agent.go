package identity

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
)

// CreateAgentScope makes the leaf of an agent under the scope that owns it. The
// caller has checked that the viewer may, makes the agent of the same id, and
// writes the audit event.
func CreateAgentScope(ctx context.Context, tx *store.Tx, owner *ent.Scope, name string) (*ent.Scope, error) {
	switch owner.Kind {
	case scope.KindCOPILOT, scope.KindORGANIZATION, scope.KindTEAM, scope.KindMEMBER:
	default:
		return nil, fault.At("ownerId", "An agent belongs to Copilot, or to an organization, a team or a member of it.")
	}
	if owner.Plane != scope.PlaneCOPILOT {
		return nil, fault.At("ownerId", "Agents live in Copilot; Console has none.")
	}
	return child(ctx, tx, owner, scope.KindAGENT, id.Agent, name)
}
