package graph

import (
	"context"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
)

// Actions offered on each kind of object; a client builds its buttons from
// what viewerCan says of them.
var (
	onPlatform = []access.Action{access.CentralProviderCreate, access.CatalogModelCreate, access.AccountCreate, access.InvitationCreate,
		access.RoleBind, access.UserUpdate, access.SessionRevoke, access.ServiceClientManage, access.AuditRead}
	onPlane = []access.Action{access.BudgetSet, access.BudgetRemove, access.KeyCreate, access.ProviderCreate, access.ModelCreate, access.ModelInstall, access.MemberList, access.AuditRead,
		access.OrganizationCreate, access.InvitationCreate, access.RoleBind, access.GrantSet, access.GrantRead}
	onOrganization = []access.Action{access.BudgetSet, access.BudgetRemove, access.KeyCreate, access.MemberList, access.AuditRead,
		access.OrganizationUpdate, access.OrganizationArchive, access.OrganizationDelete, access.TeamCreate,
		access.InvitationCreate, access.RoleBind, access.GrantSet, access.GrantRead}
	onTeam = []access.Action{access.BudgetSet, access.BudgetRemove, access.KeyCreate, access.MemberList, access.AuditRead,
		access.TeamUpdate, access.TeamMove, access.TeamArchive, access.TeamDelete, access.MemberCreate,
		access.InvitationCreate, access.RoleBind, access.GrantSet, access.GrantRead}
	onMember = []access.Action{access.BudgetSet, access.BudgetRemove, access.KeyCreate, access.MemberDelete, access.MemberDefault,
		access.GrantSet, access.GrantRead}
	onKey     = []access.Action{access.BudgetSet, access.BudgetRemove, access.KeyRevoke, access.GrantSet, access.GrantRead}
	onAccount = []access.Action{access.AuditRead, access.MemberList, access.AccountUpdate, access.AccountPlanes, access.AccountSuspend,
		access.AccountClose, access.AccountExport, access.DomainConfigure, access.DomainApprove, access.SignInConfigure,
		access.ServiceClientManage, access.SupportStart, access.SupportEnd, access.InvitationCreate, access.RoleBind,
		access.UserUpdate, access.SessionRevoke, access.WebhookManage}
	onServiceClient = []access.Action{access.ServiceClientManage}
	onWebhook       = []access.Action{access.WebhookManage}
	onBudget        = []access.Action{access.BudgetSet, access.BudgetRemove}
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
