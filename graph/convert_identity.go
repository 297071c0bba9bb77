package graph

import (
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toRoleBinding(b *ent.RoleBinding) *model.RoleBinding {
	return &model.RoleBinding{ID: b.ID, Role: model.Role(b.Role), CreatedAt: b.CreatedAt, Row: b}
}

func toInvitation(i *ent.Invitation, now time.Time) *model.Invitation {
	state := model.InvitationStateOpen
	switch {
	case i.AcceptedAt != nil:
		state = model.InvitationStateAccepted
	case i.RevokedAt != nil:
		state = model.InvitationStateRevoked
	case !now.Before(i.ExpiresAt):
		state = model.InvitationStateExpired
	}
	post, words := model.MailState(i.Mail), i.MailError
	if i.Mail == invitation.MailQUEUED && now.Sub(i.UpdatedAt) > mail.Lost {
		post, words = model.MailStateFailed, "The server stopped before the mail went out. Send it again."
	}
	return &model.Invitation{ID: i.ID, Email: i.Email, Name: i.Name, Role: model.Role(i.Role), InvitedByName: i.InvitedByName,
		State: state, Mail: post, MailError: words, CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt,
		AcceptedAt: i.AcceptedAt, Row: i}
}

func toSession(s *ent.Session, v *tenancy.Viewer) *model.Session {
	return &model.Session{ID: s.ID, Kind: model.SessionKind(s.Kind), UserAgent: s.UserAgent, IP: s.IP, CreatedAt: s.CreatedAt,
		LastSeenAt: s.LastSeenAt, ExpiresAt: s.ExpiresAt, Current: v != nil && v.SessionID == s.ID, Row: s}
}

func toDomain(d *ent.Domain) *model.Domain {
	out := &model.Domain{ID: d.ID, Name: d.Name, Verified: d.VerifiedName != nil, VerifiedAt: d.VerifiedAt,
		RecordName: "_cockpit." + d.Name, RecordValue: "cockpit-verification=" + d.Token, CheckedAt: d.CheckedAt, CheckError: d.CheckError}
	if out.Verified {
		by := model.DomainProof(d.VerifiedBy)
		out.VerifiedBy = &by
	}
	return out
}

func (r *Resolver) toIdentityProvider(p *ent.IdentityProvider) *model.IdentityProvider {
	return &model.IdentityProvider{ID: p.ID, Name: p.Name, Issuer: p.Issuer, ClientID: p.ClientID, SecretHint: unless(p.SecretHint),
		Scopes: p.Scopes, EmailClaim: p.EmailClaim, NameClaim: p.NameClaim, GroupsClaim: p.GroupsClaim,
		Status: model.IdentityProviderStatus(p.Status), JustInTime: p.JustInTime, TestedAt: p.TestedAt, TestError: p.TestError,
		CallbackURL: r.URL + "/sso/callback/" + p.AccountID, TestURL: r.URL + "/sso/start?test=1&provider=" + p.ID,
		Version: p.Version, Row: p}
}

func toGroupMapping(m *ent.GroupMapping) *model.GroupMapping {
	return &model.GroupMapping{ID: m.ID, Group: m.GroupName, Role: model.Role(m.Role), Row: m}
}

func toServiceClient(c *ent.ServiceClient, now time.Time) *model.ServiceClient {
	out := &model.ServiceClient{ID: c.ID, Name: c.Name, Description: c.Description, Status: model.Status(c.Status), Public: c.Public,
		Planes: []model.Plane{}, Permissions: toPermissions(c.Permissions), RedirectUris: c.RedirectUris,
		ClientCredentials: c.ClientCredentials, TokenExchange: c.TokenExchange, TrustedSubjects: c.TrustedSubjects,
		SecretHint: unless(c.SecretHint), SecretAt: c.SecretAt, LastUsedAt: c.LastUsedAt, CreatedAt: c.CreatedAt, Version: c.Version, Row: c}
	if c.Console {
		out.Planes = append(out.Planes, model.PlaneConsole)
	}
	if c.Copilot {
		out.Planes = append(out.Planes, model.PlaneCopilot)
	}
	if c.PreviousSecretExpiresAt != nil && now.Before(*c.PreviousSecretExpiresAt) {
		out.PreviousSecretHint, out.PreviousSecretExpiresAt = unless(c.PreviousSecretHint), c.PreviousSecretExpiresAt
	}
	return out
}

func toPersonalToken(t *ent.PersonalToken) *model.PersonalToken {
	return &model.PersonalToken{ID: t.ID, Name: t.Name, Prefix: t.Prefix + "…", Permissions: toPermissions(t.Permissions),
		CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt}
}

func toAuthorization(a *ent.Authorization) *model.Authorization {
	return &model.Authorization{ID: a.ID, ClientName: a.ClientName, ClientID: a.ClientID, Permissions: toPermissions(a.Permissions),
		CreatedAt: a.CreatedAt, LastUsedAt: a.LastUsedAt, ExpiresAt: a.ExpiresAt}
}

func toGrant(g *ent.Grant) *model.Grant {
	return &model.Grant{ID: g.ID, Effect: model.GrantEffect(g.Effect), ExpiresAt: g.ExpiresAt, Note: g.Note,
		GrantedByName: g.GrantedByName, CreatedAt: g.CreatedAt, Version: g.Version, Row: g}
}

func toSupportAccess(s *ent.SupportAccess, now time.Time) *model.SupportAccess {
	return &model.SupportAccess{ID: s.ID, StaffName: s.StaffName, StaffEmail: s.StaffEmail, Reason: s.Reason, Writes: s.Writes,
		CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt, EndedAt: s.EndedAt, EndedByName: s.EndedByName,
		Active: s.EndedAt == nil && now.Before(s.ExpiresAt), Row: s}
}

func toAuditCheckpoint(c *ent.AuditCheckpoint) *model.AuditCheckpoint {
	return &model.AuditCheckpoint{ID: c.ID, Seq: c.Seq, Hash: c.Hash, At: c.At, Signature: c.Signature, SigningKeyID: c.SigningKeyID}
}

// toPermissions gives names their words.
func toPermissions(names []string) []*model.Permission {
	return mapTo(names, func(name string) *model.Permission {
		return &model.Permission{Name: name, About: access.Permissions()[name]}
	})
}
