package graph

import (
	"context"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
)

// Actions offered on each kind of object; a client builds its buttons from
// what viewerCan says of them.
var (
	onPlatform = []access.Action{"centralProvider.create", "catalogModel.create"}
	onPlane    = []access.Action{"budget.set", "budget.remove", "key.create", "provider.create", "model.create", "model.install", "member.list", "audit.read"}
	onScope    = []access.Action{"budget.set", "budget.remove", "key.create", "member.list", "audit.read"}
	onMember   = []access.Action{"budget.set", "budget.remove", "key.create"}
	onKey      = []access.Action{"budget.set", "budget.remove", "key.revoke"}
	onAccount  = []access.Action{"audit.read", "member.list"}
	onBudget   = []access.Action{"budget.set", "budget.remove"}
)

func target(at model.Ref) access.Target {
	return access.Target{Kind: at.Kind, Plane: at.Plane, Path: at.Path}
}

// check asks the policy whether the viewer may act at a node.
func (r *Resolver) check(ctx context.Context, action access.Action, at model.Ref) error {
	return r.Access.Check(ctx, action, target(at))
}

// can lists what the viewer may do at a node, by the same policy.
func (r *Resolver) can(ctx context.Context, at model.Ref, actions []access.Action) ([]*model.ViewerPermission, error) {
	return mapTo(actions, func(action access.Action) *model.ViewerPermission {
		d := r.Access.Decide(ctx, action, target(at))
		p := &model.ViewerPermission{Action: string(action), Allowed: d.Allowed}
		if !d.Allowed {
			p.Reason = d.Reason
		}
		return p
	}), nil
}
