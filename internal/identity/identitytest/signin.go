package identitytest

import (
	"fmt"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditcheckpoint"
	"github.com/alchemi/cockpit/ent/authorization"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/ent/externalidentity"
	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/groupmapping"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/personaltoken"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/supportaccess"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
)

// platform gives the platform a program of its own, which people of every
// account may let act for them, and its staff what anybody else has.
func (p *planter) platform(root *ent.Scope) *ent.ServiceClient {
	p.t.Helper()
	p.program = p.client(id.PlatformID, serviceclient.PlanePLATFORM, "alchemi-web")
	p.token(p.staff)
	p.invite(root, "auditor", invitation.RoleVIEWER, p.staff)
	p.checkpoint(id.PlatformID, auditcheckpoint.PlanePLATFORM)
	return p.program
}

// signIn plants what an account has of its own to let people and programs in.
func (p *planter) signIn(a *Account, people ...*ent.User) {
	p.t.Helper()
	mail := strings.ToLower(a.Row.ID[4:]) + ".example"
	p.tx.Domain.Create().SetAccountID(a.Row.ID).SetPlane(domain.PlaneACCOUNT).SetName(mail).SetVerifiedName(mail).
		SetToken(secret.Token()).SetVerifiedAt(p.now).SetVerifiedBy(domain.VerifiedByDNS).SetCheckedAt(p.now).ExecX(p.ctx)
	// Both accounts claim it, and neither has it.
	p.tx.Domain.Create().SetAccountID(a.Row.ID).SetPlane(domain.PlaneACCOUNT).SetName("claimed.example").
		SetToken(secret.Token()).SetCheckedAt(p.now).SetCheckError("There is no such record.").ExecX(p.ctx)
	a.IdentityProvider = p.tx.IdentityProvider.Create().SetAccountID(a.Row.ID).SetPlane(identityprovider.PlaneACCOUNT).
		SetName("Work").SetIssuer("https://id.example").SetClientID("cockpit").SetSecret([]byte("sealed")).SetSecretHint("aled").
		SetScopes([]string{"openid", "email"}).SetStatus(identityprovider.StatusACTIVE).SetTestedAt(p.now).SaveX(p.ctx)
	own := p.client(a.Row.ID, serviceclient.PlaneACCOUNT, "integrator")
	for i, u := range people {
		// The same subjects in both accounts: the account is part of the name.
		p.tx.ExternalIdentity.Create().SetAccountID(a.Row.ID).SetPlane(externalidentity.PlaneACCOUNT).SetUserID(u.ID).
			SetIdentityProviderID(a.IdentityProvider.ID).SetIssuer(a.IdentityProvider.Issuer).SetSubject(fmt.Sprint("subject-", i)).
			SetEmail(u.Email).SetLastSignInAt(p.now).ExecX(p.ctx)
		p.token(u)
		p.consent(u, p.program)
		p.consent(u, own)
	}
	p.support(a)
	p.invite(a.Root, "auditor", invitation.RoleVIEWER, people[0])
	p.checkpoint(a.Row.ID, auditcheckpoint.PlaneACCOUNT)
}

// client makes a service client that may read and call models.
func (p *planter) client(accountID string, plane serviceclient.Plane, name string) *ent.ServiceClient {
	p.t.Helper()
	return p.tx.ServiceClient.Create().SetAccountID(accountID).SetPlane(plane).SetName(name).SetConsole(true).SetCopilot(true).
		SetPermissions([]string{"models.call", "profile", "read"}).SetRedirectUris([]string{"https://" + name + ".example/back"}).
		SetClientCredentials(true).SetTokenExchange(true).
		SetSecretHash(secret.Hash(secret.Token())).SetSecretHint("wxyz").SetSecretAt(p.now).SaveX(p.ctx)
}

// consent lets a program act for a person.
func (p *planter) consent(u *ent.User, c *ent.ServiceClient) {
	p.t.Helper()
	p.tx.Authorization.Create().SetAccountID(u.AccountID).SetPlane(authorization.Plane(u.Plane)).SetUserID(u.ID).
		SetClientID(c.ID).SetClientName(c.Name).SetPermissions([]string{"profile", "read"}).SetRedirectURI(c.RedirectUris[0]).
		SetChallenge(secret.Hash("verifier")).SetCodeHash(secret.Hash(secret.Token())).SetCodeExpiresAt(p.now.Add(time.Minute)).
		SetCodeUsedAt(p.now).SetRefreshHash(secret.Hash(secret.Token())).SetExpiresAt(p.now.Add(30 * 24 * time.Hour)).ExecX(p.ctx)
}

// token gives a person one of their own.
func (p *planter) token(u *ent.User) {
	p.t.Helper()
	p.tx.PersonalToken.Create().SetAccountID(u.AccountID).SetPlane(personaltoken.Plane(u.Plane)).SetUserID(u.ID).SetName("script").
		SetTokenHash(secret.Hash(secret.Token())).SetPrefix("cp_abcd").SetPermissions([]string{"profile", "read"}).
		SetExpiresAt(p.now.Add(30 * 24 * time.Hour)).ExecX(p.ctx)
}

// support lets the staff into an account: their session there is nobody's of
// the account.
func (p *planter) support(a *Account) {
	p.t.Helper()
	a.Support = p.tx.SupportAccess.Create().SetAccountID(a.Row.ID).SetPlane(supportaccess.PlaneACCOUNT).
		SetStaffID(p.staff.ID).SetStaffName(p.staff.Name).SetStaffEmail(p.staff.Email).SetReason("Calls fail since Monday.").
		SetExpiresAt(p.now.Add(time.Hour)).SaveX(p.ctx)
	p.tx.Session.Create().SetAccountID(a.Row.ID).SetPlane(session.PlaneACCOUNT).SetKind(session.KindSUPPORT).SetSupportAccessID(a.Support.ID).
		SetTokenHash(secret.Hash(secret.Token())).SetLastSeenAt(p.now).SetExpiresAt(p.now.Add(time.Hour)).ExecX(p.ctx)
}

// checkpoint is of the right form; no key signed it.
func (p *planter) checkpoint(accountID string, plane auditcheckpoint.Plane) {
	p.t.Helper()
	p.tx.AuditCheckpoint.Create().SetAccountID(accountID).SetPlane(plane).SetSeq(1).SetHash(secret.Hash("event")).SetAt(p.now).
		SetSignature(secret.Hash("signature")).SetSigningKeyID("test").ExecX(p.ctx)
}

// invite offers somebody a place at a scope.
func (p *planter) invite(at *ent.Scope, name string, role invitation.Role, by *ent.User) {
	p.t.Helper()
	p.tx.Invitation.Create().SetAccountID(at.AccountID).SetPlane(invitation.Plane(at.Plane)).SetScopeID(at.ID).
		SetEmail(name + "@guest.example").SetName(name).SetRole(role).SetTokenHash(secret.Hash(secret.Token())).
		SetInvitedBy(by.ID).SetInvitedByName(by.Name).SetExpiresAt(p.now.Add(7 * 24 * time.Hour)).ExecX(p.ctx)
}

// mapped gives whom the identity provider says is in a group a place at a scope.
func (p *planter) mapped(a *Account, at *ent.Scope, group string, role groupmapping.Role) {
	p.t.Helper()
	p.tx.GroupMapping.Create().SetAccountID(at.AccountID).SetPlane(groupmapping.Plane(at.Plane)).SetIdentityProviderID(a.IdentityProvider.ID).
		SetGroupName(group).SetScopeID(at.ID).SetRole(role).ExecX(p.ctx)
}

// allow sets a grant of the plane's model with an admin's authority.
func (p *planter) allow(l *Plane, at *ent.Scope, effect grant.Effect, authority *ent.Scope, by *ent.User, expires *time.Time) {
	p.t.Helper()
	p.tx.Grant.Create().SetAccountID(at.AccountID).SetPlane(grant.Plane(at.Plane)).SetScopeID(at.ID).SetModelID(l.Model.ID).
		SetEffect(effect).SetAuthority(authority.Path).SetGrantedBy(by.ID).SetGrantedByName(by.Name).SetNillableExpiresAt(expires).ExecX(p.ctx)
}
