package identity

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
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

// DeleteAgent turns an agent into a tombstone: its definition goes, whoever was
// allowed it is so no longer, its budget ends, and what it spent stays on the
// books under its name.
func (d *Directory) DeleteAgent(ctx context.Context, tx *store.Tx, now time.Time, s *ent.Scope) (Impact, error) {
	if err := lock(ctx, tx, []*ent.Scope{s}, nil); err != nil {
		return Impact{}, err
	}
	if err := d.Budgets.Serialize(ctx, tx, s.AccountID, tenancy.Plane(s.Plane)); err != nil {
		return Impact{}, err
	}
	out, err := d.bury(ctx, tx, now, s.AccountID, []string{s.ID})
	if err != nil {
		return out, err
	}
	e := done("agent.delete", s)
	e.Changes = out.changes()
	return out, tx.Audit(ctx, e)
}

// RenameAgent gives an agent another name.
func RenameAgent(ctx context.Context, tx *store.Tx, s *ent.Scope, name string) (*ent.Scope, error) {
	name, err := checkName(name)
	if err != nil {
		return nil, err
	}
	return tx.Scope.UpdateOneID(s.ID).SetName(name).Save(ctx)
}
