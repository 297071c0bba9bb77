package graph

import (
	"context"
	"net/url"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func (r *Resolver) post() *identity.Post {
	return &identity.Post{Store: r.Store, Mailer: r.Mailer, URL: r.URL, Log: r.Log}
}

// send mails new invitations and shows their links, once.
func (r *Resolver) send(ctx context.Context, s *ent.Scope, invited []identity.Invited) []*model.InvitationLink {
	if err := r.post().Send(ctx, s, invited); err != nil {
		r.Log.ErrorContext(ctx, "invitations can't be mailed; their links were shown", "scope", s.ID, "cause", err)
	}
	return mapTo(invited, func(i identity.Invited) *model.InvitationLink {
		return &model.InvitationLink{Invitation: toInvitation(i.Row, r.Store.Now()), Link: r.post().Link(i.Token)}
	})
}

func (r *Resolver) invitationCreate(ctx context.Context, in model.InvitationCreateInput) ([]*model.InvitationLink, error) {
	s, err := r.anyScope(ctx, in.ScopeID)
	if err != nil {
		return nil, err
	}
	days := 0
	if in.ExpiresInDays != nil {
		if days = *in.ExpiresInDays; days == 0 {
			days = -1 // 0 isn't "left out"
		}
	}
	invited, err := changing(ctx, r, []leave{need(access.InvitationCreate, s)}, false, func(ctx context.Context, tx *store.Tx) ([]identity.Invited, error) {
		return r.directory().Invite(ctx, tx, r.Store.Now(), identity.InvitationInput{Scope: s, Role: tenancy.RoleName(in.Role), Emails: in.Emails,
			Name: orEmpty(in.Name), Days: days, Mailed: r.Mailer.Configured()})
	})
	if err != nil {
		return nil, err
	}
	return r.send(ctx, s, invited), nil
}

// invitationByID finds an invitation to a scope that the viewer sees, if the
// policy lets them invite there.
func (r *Resolver) invitationByID(ctx context.Context, invitationID string) (*ent.Invitation, *ent.Scope, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, nil, err
	}
	row, err := r.Store.Invitation.Query().Where(invitation.ID(invitationID), invitation.AccountID(v.AccountID)).WithScope().Only(home(ctx))
	if ent.IsNotFound(err) || err == nil && row.Edges.Scope == nil {
		e := fault.Missing("invitation")
		e.Path = []string{"invitationId"}
		return nil, nil, e
	}
	if err != nil {
		return nil, nil, err
	}
	return row, row.Edges.Scope, r.check(ctx, access.InvitationCreate, ref(row.Edges.Scope))
}

func (r *Resolver) invitationResend(ctx context.Context, in model.InvitationResendInput) (*model.InvitationLink, error) {
	row, s, err := r.invitationByID(ctx, in.InvitationID)
	if err != nil {
		return nil, err
	}
	again, err := changing(ctx, r, []leave{need(access.InvitationCreate, s)}, false, func(ctx context.Context, tx *store.Tx) (identity.Invited, error) {
		return r.directory().Resend(ctx, tx, r.Store.Now(), row, s, r.Mailer.Configured())
	})
	if err != nil {
		return nil, err
	}
	return r.send(ctx, s, []identity.Invited{again})[0], nil
}

func (r *Resolver) invitationRevoke(ctx context.Context, in model.InvitationRevokeInput) (*ent.Invitation, error) {
	row, s, err := r.invitationByID(ctx, in.InvitationID)
	if err != nil {
		return nil, err
	}
	return changing(ctx, r, []leave{need(access.InvitationCreate, s)}, false, func(ctx context.Context, tx *store.Tx) (*ent.Invitation, error) {
		return r.directory().Revoke(ctx, tx, r.Store.Now(), row, s)
	})
}

// callerOf is where a request comes from; nowhere for what can't carry cookies.
func callerOf(ctx context.Context) identity.Client {
	c, _ := ctx.Value(cookiesKey{}).(Cookies)
	return c.From
}

func (r *Resolver) invitationPreview(ctx context.Context, token string) (*model.InvitationPreview, error) {
	o, err := r.Sessions.Offer(ctx, token, callerOf(ctx))
	if o == nil || err != nil {
		return nil, err
	}
	row := o.Invitation
	return &model.InvitationPreview{AccountName: o.Account.Name, Location: o.Location, Kind: model.ScopeKind(o.Scope.Kind), Role: model.Role(row.Role),
		Email: row.Email, Name: row.Name, InvitedByName: row.InvitedByName, ExpiresAt: row.ExpiresAt, HasLogin: o.HasLogin, Password: o.Password,
		Providers: mapTo(o.Providers, func(p *ent.IdentityProvider) *model.SignInProvider {
			return &model.SignInProvider{ID: p.ID, Name: p.Name,
				StartURL: "/sso/start?" + url.Values{"provider": {p.ID}, "invitation": {token}}.Encode()}
		})}, nil
}

func (r *Resolver) invitationAccept(ctx context.Context, in model.InvitationAcceptInput) (*tenancy.Viewer, error) {
	cookies, err := cookiesFrom(ctx)
	if err != nil {
		return nil, err
	}
	signed, err := r.Sessions.Accept(ctx, in.Token, orEmpty(in.Name), in.Password, cookies.From)
	if err != nil {
		return nil, err
	}
	cookies.Set(signed.Token)
	return signed.Viewer, nil
}

func (r *Resolver) invitationPage(ctx context.Context, at model.Ref, below bool, state *model.InvitationState, w window) (*model.InvitationConnection, error) {
	now := r.Store.Now()
	query := func() *ent.InvitationQuery {
		q := r.Store.Invitation.Query().Where(invitation.AccountID(at.AccountID))
		q.WhereP(within(at, below))
		if state != nil {
			switch *state {
			case model.InvitationStateAccepted:
				q.Where(invitation.AcceptedAtNotNil())
			case model.InvitationStateRevoked:
				q.Where(invitation.AcceptedAtIsNil(), invitation.RevokedAtNotNil())
			case model.InvitationStateExpired:
				q.Where(invitation.AcceptedAtIsNil(), invitation.RevokedAtIsNil(), invitation.ExpiresAtLTE(now))
			case model.InvitationStateOpen:
				q.Where(invitation.AcceptedAtIsNil(), invitation.RevokedAtIsNil(), invitation.ExpiresAtGT(now))
			}
		}
		return q
	}
	rows, info, err := list[*ent.Invitation](home(ctx), query(), w, invitation.FieldID, true, func(i *ent.Invitation) string { return i.ID })
	if err != nil {
		return nil, err
	}
	return &model.InvitationConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(home(ctx)) },
		Edges: mapTo(rows, func(i *ent.Invitation) *model.InvitationEdge {
			return &model.InvitationEdge{Node: toInvitation(i, now), Cursor: encode(i.ID)}
		})}, nil
}
