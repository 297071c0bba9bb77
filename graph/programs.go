package graph

import (
	"context"
	"net/url"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/authorization"
	"github.com/alchemi/cockpit/ent/personaltoken"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// rootOf is the node that stands for an account as a whole.
func rootOf(accountID string) model.Ref {
	if accountID == id.PlatformID {
		return model.Ref{ID: accountID, AccountID: accountID, Plane: tenancy.PlanePlatform, Kind: tenancy.KindPlatform, Path: "/"}
	}
	return model.Ref{ID: accountID, AccountID: accountID, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, Path: "/" + accountID + "/"}
}

// programs are those of one account; staff see the platform's alone.
func (r *Resolver) programs(accountID string) *ent.ServiceClientQuery {
	return r.Store.ServiceClient.Query().Where(serviceclient.AccountID(accountID))
}

func (r *Resolver) programPage(ctx context.Context, accountID string, w window) (*model.ServiceClientConnection, error) {
	if v, err := viewerOf(ctx); err != nil || v.AccountID != accountID {
		return nil, fault.Missing("account")
	}
	rows, info, err := list[*ent.ServiceClient](tenancy.Platform(ctx), r.programs(accountID), w, serviceclient.FieldName, false,
		func(c *ent.ServiceClient) string { return c.Name })
	if err != nil {
		return nil, err
	}
	now := r.Store.Now()
	return &model.ServiceClientConnection{PageInfo: info,
		Count: func(ctx context.Context) (int, error) { return r.programs(accountID).Count(tenancy.Platform(ctx)) },
		Edges: mapTo(rows, func(c *ent.ServiceClient) *model.ServiceClientEdge {
			return &model.ServiceClientEdge{Node: toServiceClient(c, now), Cursor: encode(c.Name)}
		})}, nil
}

// programByID reads a program of the viewer's own account.
func (r *Resolver) programByID(ctx context.Context, clientID string) (*ent.ServiceClient, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	c, err := r.programs(v.AccountID).Where(serviceclient.ID(clientID)).Only(tenancy.Platform(ctx))
	if ent.IsNotFound(err) {
		return nil, fault.Missing("program")
	}
	return c, err
}

// manage reads a program that the viewer may change.
func (r *Resolver) manage(ctx context.Context, clientID string) error {
	c, err := r.programByID(ctx, clientID)
	if err != nil {
		return err
	}
	return r.check(ctx, access.ServiceClientManage, rootOf(c.AccountID))
}

func (r *Resolver) serviceClientCreate(ctx context.Context, in model.ServiceClientCreateInput) (*ent.ServiceClient, string, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, "", err
	}
	if in.AccountID != nil && *in.AccountID != v.AccountID {
		e := fault.Missing("account")
		e.Path = []string{"accountId"}
		return nil, "", e
	}
	if err := r.check(ctx, access.ServiceClientManage, rootOf(v.AccountID)); err != nil {
		return nil, "", err
	}
	return r.OAuth.CreateClient(ctx, v.AccountID, in.Public != nil && *in.Public, oauth.ClientInput{
		Name: &in.Name, Description: in.Description, Planes: planesOf(in.Planes), Permissions: in.Permissions, RedirectURIs: in.RedirectUris,
		ClientCredentials: in.ClientCredentials, TokenExchange: in.TokenExchange, TrustedSubjects: in.TrustedSubjects})
}

func (r *Resolver) serviceClientUpdate(ctx context.Context, in model.ServiceClientUpdateInput) (*ent.ServiceClient, error) {
	if err := r.manage(ctx, in.ServiceClientID); err != nil {
		return nil, err
	}
	input := oauth.ClientInput{Name: in.Name, Description: in.Description, Planes: planesOf(in.Planes), Permissions: in.Permissions,
		RedirectURIs: in.RedirectUris, ClientCredentials: in.ClientCredentials, TokenExchange: in.TokenExchange, TrustedSubjects: in.TrustedSubjects}
	if in.Status != nil {
		disabled := *in.Status == model.StatusDisabled
		input.Disabled = &disabled
	}
	return r.OAuth.UpdateClient(ctx, in.ServiceClientID, input, in.ExpectedVersion)
}

func planesOf(in []model.Plane) []tenancy.Plane {
	if in == nil {
		return nil
	}
	return mapTo(in, func(p model.Plane) tenancy.Plane { return tenancy.Plane(p) })
}

func (r *Resolver) serviceClientDelete(ctx context.Context, clientID string) error {
	if err := r.manage(ctx, clientID); err != nil {
		return err
	}
	return r.OAuth.DeleteClient(ctx, clientID)
}

func (r *Resolver) serviceClientSecretRotate(ctx context.Context, in model.ServiceClientSecretRotateInput) (*ent.ServiceClient, string, error) {
	if err := r.manage(ctx, in.ServiceClientID); err != nil {
		return nil, "", err
	}
	hours := 24
	if in.OverlapHours != nil {
		hours = min(max(*in.OverlapHours, -1), 1000) // which is refused
	}
	return r.OAuth.RotateSecret(ctx, in.ServiceClientID, time.Duration(hours)*time.Hour)
}

func (r *Resolver) personalTokenCreate(ctx context.Context, in model.PersonalTokenCreateInput) (*ent.PersonalToken, string, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, "", err
	}
	return r.OAuth.CreatePersonal(ctx, v, in.Name, in.Permissions, in.ExpiresInDays, r.Access.Grantable(ctx))
}

// ownOrAdministered lets people end what is theirs, and admins what is of the
// people of their account.
func (r *Resolver) ownOrAdministered(ctx context.Context, accountID, userID string) error {
	v, err := viewerOf(ctx)
	if err != nil || v.UserID == userID {
		return err
	}
	return r.check(ctx, access.SessionRevoke, rootOf(accountID))
}

func (r *Resolver) personalTokenRevoke(ctx context.Context, tokenID string) error {
	t, err := r.Store.PersonalToken.Get(ctx, tokenID)
	if ent.IsNotFound(err) {
		return fault.Missing("token")
	}
	if err != nil {
		return err
	}
	if err := r.ownOrAdministered(ctx, t.AccountID, t.UserID); err != nil {
		return err
	}
	return r.OAuth.RevokePersonal(ctx, t)
}

func (r *Resolver) authorizationRevoke(ctx context.Context, authorizationID string) error {
	a, err := r.Store.Authorization.Get(ctx, authorizationID)
	if ent.IsNotFound(err) {
		return fault.Missing("consent")
	}
	if err != nil {
		return err
	}
	if err := r.ownOrAdministered(ctx, a.AccountID, a.UserID); err != nil {
		return err
	}
	return r.OAuth.Withdraw(ctx, a)
}

func toAsk(in model.AuthorizationRequestInput) oauth.AuthorizationRequest {
	or := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	return oauth.AuthorizationRequest{ClientID: in.ClientID, RedirectURI: in.RedirectURI, Scope: or(in.Scope), ResponseType: in.ResponseType,
		Challenge: in.CodeChallenge, ChallengeMethod: in.CodeChallengeMethod, State: or(in.State), Nonce: or(in.Nonce)}
}

func (r *Resolver) authorizationRequest(ctx context.Context, in model.AuthorizationRequestInput) (*model.AuthorizationRequest, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := r.OAuth.Ask(ctx, v, toAsk(in))
	if err != nil {
		return nil, err
	}
	back, err := url.Parse(in.RedirectURI)
	if err != nil {
		return nil, err
	}
	program := toServiceClient(asked.Client, r.Store.Now())
	return &model.AuthorizationRequest{ClientName: program.Name, ClientDescription: program.Description, RedirectHost: back.Host,
		Permissions: toPermissions(asked.Permissions), Known: asked.Known, Planes: program.Planes}, nil
}

func (r *Resolver) authorizationApprove(ctx context.Context, in model.AuthorizationRequestInput) (string, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return "", err
	}
	return r.OAuth.Approve(ctx, v, toAsk(in))
}

// personalTokens are the viewer's own that are in force.
func (r *Resolver) personalTokens(v *tenancy.Viewer) *ent.PersonalTokenQuery {
	return r.Store.PersonalToken.Query().Where(personaltoken.UserID(v.UserID), personaltoken.RevokedAtIsNil(), personaltoken.ExpiresAtGT(r.Store.Now()))
}

func (r *Resolver) personalTokenPage(ctx context.Context, v *tenancy.Viewer, w window) (*model.PersonalTokenConnection, error) {
	ctx = tenancy.WithViewer(ctx, v)
	rows, info, err := list[*ent.PersonalToken](ctx, r.personalTokens(v), w, personaltoken.FieldID, true, func(t *ent.PersonalToken) string { return t.ID })
	if err != nil {
		return nil, err
	}
	return &model.PersonalTokenConnection{PageInfo: info,
		Count: func(ctx context.Context) (int, error) { return r.personalTokens(v).Count(tenancy.WithViewer(ctx, v)) },
		Edges: mapTo(rows, func(t *ent.PersonalToken) *model.PersonalTokenEdge {
			return &model.PersonalTokenEdge{Node: toPersonalToken(t), Cursor: encode(t.ID)}
		})}, nil
}

// authorizations are the viewer's own that programs have taken up and may renew.
func (r *Resolver) authorizations(v *tenancy.Viewer) *ent.AuthorizationQuery {
	return r.Store.Authorization.Query().Where(authorization.UserID(v.UserID), authorization.RevokedAtIsNil(),
		authorization.CodeUsedAtNotNil(), authorization.ExpiresAtGT(r.Store.Now()))
}

func (r *Resolver) authorizationPage(ctx context.Context, v *tenancy.Viewer, w window) (*model.AuthorizationConnection, error) {
	ctx = tenancy.WithViewer(ctx, v)
	rows, info, err := list[*ent.Authorization](ctx, r.authorizations(v), w, authorization.FieldID, true, func(a *ent.Authorization) string { return a.ID })
	if err != nil {
		return nil, err
	}
	return &model.AuthorizationConnection{PageInfo: info,
		Count: func(ctx context.Context) (int, error) { return r.authorizations(v).Count(tenancy.WithViewer(ctx, v)) },
		Edges: mapTo(rows, func(a *ent.Authorization) *model.AuthorizationEdge {
			return &model.AuthorizationEdge{Node: toAuthorization(a), Cursor: encode(a.ID)}
		})}, nil
}
