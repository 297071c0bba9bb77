package graph

import (
	"context"
	"slices"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Actions offered on each kind of object; a client builds its buttons from
// what viewerCan says of them.
var (
	onPlatform = []access.Action{access.CentralProviderCreate, access.CatalogModelCreate, access.AccountCreate, access.InvitationCreate,
		access.RoleBind, access.UserUpdate, access.SessionRevoke, access.ServiceClientManage, access.AuditRead}
	onPlane = []access.Action{access.BudgetSet, access.BudgetDistribute, access.BudgetRemove, access.BudgetFreeze, access.BudgetResume, access.BudgetRenew, access.RequestCreate, access.RequestDecide, access.KeyCreate, access.AgentCreate, access.ListingInstall, access.ProviderCreate, access.ModelCreate, access.ModelInstall, access.MemberList, access.AuditRead,
		access.OrganizationCreate, access.InvitationCreate, access.RoleBind, access.GrantSet, access.GrantRead, access.ConnectionCreate, access.ConnectionCreateMCP, access.ConnectionProgram, access.ConnectionCreateAPI, access.ConnectionIntegration,
		access.GuardrailAssign, access.GuardrailManage, access.DefaultModelSet}
	onOrganization = []access.Action{access.BudgetSet, access.BudgetDistribute, access.BudgetRemove, access.BudgetFreeze, access.BudgetResume, access.RequestCreate, access.RequestDecide, access.KeyCreate, access.AgentCreate, access.ListingInstall, access.MemberList, access.AuditRead,
		access.OrganizationUpdate, access.OrganizationArchive, access.OrganizationDelete, access.TeamCreate,
		access.InvitationCreate, access.RoleBind, access.GrantSet, access.GrantRead, access.GuardrailAssign, access.DefaultModelSet,
		access.ConnectionCreate, access.ConnectionCreateMCP, access.ConnectionProgram, access.ConnectionCreateAPI, access.ConnectionIntegration}
	onTeam = []access.Action{access.BudgetSet, access.BudgetDistribute, access.BudgetRemove, access.BudgetFreeze, access.BudgetResume, access.RequestCreate, access.RequestDecide, access.KeyCreate, access.AgentCreate, access.ListingInstall, access.MemberList, access.AuditRead,
		access.TeamUpdate, access.TeamMove, access.TeamArchive, access.TeamDelete, access.MemberCreate,
		access.InvitationCreate, access.RoleBind, access.GrantSet, access.GrantRead, access.GuardrailAssign, access.DefaultModelSet,
		access.ConnectionCreate, access.ConnectionCreateMCP, access.ConnectionProgram, access.ConnectionCreateAPI, access.ConnectionIntegration}
	onMember = []access.Action{access.BudgetSet, access.BudgetRemove, access.BudgetFreeze, access.BudgetResume, access.RequestCreate, access.KeyCreate, access.AgentCreate, access.MemberDelete, access.MemberDefault,
		access.GrantSet, access.GrantRead, access.GuardrailAssign, access.DefaultModelSet,
		access.ConnectionCreate, access.ConnectionCreateMCP, access.ConnectionProgram, access.ConnectionCreateAPI, access.ConnectionIntegration}
	onKey     = []access.Action{access.BudgetSet, access.BudgetRemove, access.BudgetFreeze, access.BudgetResume, access.BudgetRenew, access.RequestCreate, access.KeyRevoke, access.GrantSet, access.GrantRead, access.GuardrailAssign, access.DefaultModelSet}
	onAccount = []access.Action{access.AuditRead, access.MemberList, access.AccountUpdate, access.AccountPlanes, access.AccountDispatch, access.AccountFactor, access.AccountSuspend,
		access.AccountClose, access.AccountExport, access.DomainConfigure, access.DomainApprove, access.SignInConfigure,
		access.ServiceClientManage, access.SupportStart, access.SupportEnd, access.InvitationCreate, access.RoleBind,
		access.UserUpdate, access.SessionRevoke, access.WebhookManage}
	withinPlane = []access.Action{access.KeyCreate, access.InvitationCreate, access.RoleBind, access.GrantSet, access.TeamCreate, access.MemberCreate, access.AgentCreate, access.ConnectionCreate, access.ConnectionCreateMCP, access.ConnectionCreateAPI, access.ConnectionIntegration, access.ListingInstall, access.ListingCreate}
	onAgent     = []access.Action{access.GuardrailAssign, access.AgentRead, access.AgentUpdate, access.AgentPublish, access.AgentPause, access.AgentTransfer, access.AgentDelete,
		access.BudgetSet, access.BudgetRemove, access.BudgetFreeze, access.BudgetResume, access.BudgetRenew}
	onServiceClient = []access.Action{access.ServiceClientManage}
	onWebhook       = []access.Action{access.WebhookManage}
	onBudget        = []access.Action{access.BudgetSet, access.BudgetDistribute, access.BudgetRemove, access.BudgetFreeze, access.BudgetResume, access.BudgetRenew}
)

func target(at model.Ref) access.Target {
	return access.Target{Kind: at.Kind, Plane: at.Plane, Path: at.Path, Owner: at.OwnerID}
}

// check asks the policy whether the viewer may act at a node.
func (r *Resolver) check(ctx context.Context, action access.Action, at model.Ref) error {
	return r.Access.Check(ctx, action, target(at))
}

// can lists what the viewer may do at a node, by the same policy.
func (r *Resolver) can(ctx context.Context, at model.Ref, actions []access.Action) ([]*model.ViewerPermission, error) {
	return mapTo(actions, func(action access.Action) *model.ViewerPermission {
		return permission(action, r.Access.Decide(ctx, action, target(at)))
	}), nil
}

func permission(action access.Action, d access.Decision) *model.ViewerPermission {
	p := &model.ViewerPermission{Action: string(action), Allowed: d.Allowed}
	if !d.Allowed {
		p.Reason = d.Reason
	}
	return p
}

// canSomewhere asks about actions at each node of a plane that the viewer has a
// role at, and below it: one that allows is enough.
func (r *Resolver) canSomewhere(ctx context.Context, plane tenancy.Plane, actions ...access.Action) []*model.ViewerPermission {
	levels := []tenancy.Kind{tenancy.Kind(plane), tenancy.KindOrganization, tenancy.KindTeam, tenancy.KindMember, tenancy.KindKey}
	v := tenancy.ViewerFrom(ctx)
	out := []*model.ViewerPermission{}
	for _, action := range actions {
		if p := r.canAtOne(ctx, v, plane, levels, action); p != nil {
			out = append(out, p)
		}
	}
	return out
}

// canAtOne is the decision on an action at the first node that allows it; nil
// for what isn't done in the plane at all.
func (r *Resolver) canAtOne(ctx context.Context, v *tenancy.Viewer, plane tenancy.Plane, levels []tenancy.Kind, action access.Action) *model.ViewerPermission {
	var refusal access.Decision
	for _, held := range append([]tenancy.Role{{Kind: tenancy.KindAccount, Path: accountPath(v.AccountID)}}, v.Roles...) {
		if held.Kind != tenancy.KindAccount && held.Plane != plane {
			continue
		}
		for _, kind := range levels[max(0, slices.Index(levels, held.Kind)):] {
			at := access.Target{Kind: kind, Plane: plane, Path: held.Path, Within: held.Path}
			if kind != held.Kind {
				at.Path += "below/"
			}
			d := r.Access.Decide(ctx, action, at)
			if d.Allowed {
				return permission(action, d)
			}
			if d.Rule == access.FeatureRule || refusal.Reason == "" && d.Rule != "wrong-place" {
				refusal = d
			}
		}
	}
	if refusal.Reason == "" {
		return nil
	}
	return permission(action, refusal)
}
