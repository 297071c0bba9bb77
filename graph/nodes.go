package graph

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budgetalert"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// nodeByID reads one object of any type through the guard.
func (r *Resolver) nodeByID(ctx context.Context, nodeID string) (model.Node, error) {
	prefix, ok := id.PrefixOf(nodeID)
	if !ok {
		return nil, nil
	}
	switch prefix {
	case id.Console, id.Copilot, id.Organization, id.Team, id.Member, id.Key, id.Platform:
		s, err := r.scopeByID(ctx, nodeID)
		if err != nil {
			return absent(err)
		}
		return toScope(s)
	case id.Agent:
		s, err := r.agentScope(ctx, nodeID)
		if err != nil {
			return absent(err)
		}
		return toAgent(s), nil
	case id.Account:
		return found(toAccount)(r.Store.Account.Get(tenancy.Platform(ctx), nodeID))
	case id.User:
		return found(toUser)(r.Store.User.Get(ctx, nodeID))
	case id.Budget:
		_, s, err := r.budgetScope(ctx, nodeID)
		if err != nil {
			return absent(err)
		}
		return maybe(from(ctx).budgets.Load(ctx, s.ID))
	case id.Provider:
		return found(toProvider)(r.Store.Provider.Get(ctx, nodeID))
	case id.CentralProvider:
		if v := tenancy.ViewerFrom(ctx); v == nil || !v.Platform {
			return nil, nil // the database itself is closed to tenants there
		}
		return found(toCentralProvider)(r.Store.CentralProvider.Get(tenancy.Platform(ctx), nodeID))
	case id.CatalogModel:
		return found(toCatalogModel)(r.Store.CatalogModel.Get(tenancy.Platform(ctx), nodeID))
	case id.Listing:
		return found(toListing)(r.listingByID(ctx, nodeID))
	case id.Model:
		return found(toModel)(r.Store.Model.Get(ctx, nodeID))
	case id.Price:
		return found(toPrice)(r.Store.Price.Get(ctx, nodeID))
	case id.Charge:
		return found(toCharge)(r.Store.Charge.Get(ctx, nodeID))
	case id.GuardrailPreset:
		return found(toGuardrailPreset)(r.Store.GuardrailPreset.Get(ctx, nodeID))
	case id.Statement:
		return r.statementNode(ctx, nodeID)
	case id.AuditEvent:
		return r.auditEvent(ctx, nodeID)
	}
	return r.identityNode(ctx, prefix, nodeID)
}

// identityNode reads one object of identity and access through the guard.
func (r *Resolver) identityNode(ctx context.Context, prefix id.Prefix, nodeID string) (model.Node, error) {
	now := r.Store.Now()
	switch prefix {
	case id.RoleBinding:
		return found(toRoleBinding)(r.Store.RoleBinding.Get(ctx, nodeID))
	case id.Invitation:
		return found(func(i *ent.Invitation) *model.Invitation { return toInvitation(i, now) })(r.Store.Invitation.Get(ctx, nodeID))
	case id.Session:
		return found(func(s *ent.Session) *model.Session { return toSession(s, tenancy.ViewerFrom(ctx)) })(r.Store.Session.Get(ctx, nodeID))
	case id.Domain:
		return found(toDomain)(r.Store.Domain.Get(ctx, nodeID))
	case id.IdentityProvider:
		return found(r.toIdentityProvider)(r.Store.IdentityProvider.Get(ctx, nodeID))
	case id.GroupMapping:
		return found(toGroupMapping)(r.Store.GroupMapping.Get(ctx, nodeID))
	case id.ServiceClient:
		return found(func(c *ent.ServiceClient) *model.ServiceClient { return toServiceClient(c, now) })(r.programByID(ctx, nodeID))
	case id.PersonalToken:
		return found(toPersonalToken)(r.Store.PersonalToken.Get(ctx, nodeID))
	case id.Authorization:
		return found(toAuthorization)(r.Store.Authorization.Get(ctx, nodeID))
	case id.InboxRequest:
		return found(r.toRequest(ctx))(r.Store.Request.Get(ctx, nodeID))
	case id.Grant:
		return found(toGrant)(r.Store.Grant.Get(ctx, nodeID))
	case id.SupportAccess:
		return found(func(s *ent.SupportAccess) *model.SupportAccess { return toSupportAccess(s, now) })(r.Store.SupportAccess.Get(tenancy.Platform(ctx), nodeID))
	case id.Notification:
		v := tenancy.ViewerFrom(ctx)
		return found(toNotification)(r.inboxOf(v).Where(notification.ID(nodeID)).Only(ctx))
	case id.BudgetAlert:
		return found(toAlert)(r.Store.BudgetAlert.Query().Where(budgetalert.ID(nodeID)).WithBudget().Only(ctx))
	case id.Webhook:
		return found(func(w *ent.Webhook) *model.Webhook { return toWebhook(w, now) })(r.Store.Webhook.Get(ctx, nodeID))
	case id.Connection:
		return found(toConnection)(r.Store.Connection.Get(ctx, nodeID))
	case id.Tool:
		return found(toTool)(r.Store.Tool.Get(ctx, nodeID))
	case id.WebhookDelivery:
		return found(toDelivery)(r.Store.WebhookDelivery.Get(ctx, nodeID))
	case id.AuditCheckpoint:
		return found(toAuditCheckpoint)(r.Store.AuditCheckpoint.Get(ctx, nodeID))
	}
	return nil, nil
}

// absent hides the difference between what doesn't exist and what the viewer
// may not see.
func absent(err error) (model.Node, error) {
	if isAbsent(err) {
		return nil, nil
	}
	return nil, err
}

func found[A any, B model.Node](convert func(A) B) func(A, error) (model.Node, error) {
	return func(row A, err error) (model.Node, error) {
		if err != nil {
			return absent(err)
		}
		return convert(row), nil
	}
}
