package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/ent/member"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// invitationDays is how long an invitation works unless said otherwise.
const invitationDays = 7

// InvitationInput describes invitations to make, one for each address.
type InvitationInput struct {
	Scope  *ent.Scope
	Role   tenancy.RoleName
	Emails []string
	// Name is what the person is called, for a single address.
	Name string
	// Days is 0 for the usual number.
	Days int
	// Mailed says that a mail follows, after the commit.
	Mailed bool
}

// Invited is an invitation with its token, which is stored hashed and never to
// be had again.
type Invited struct {
	Row   *ent.Invitation
	Token string
}

// Invite offers people a seat in a team or a role at a scope. It changes
// nothing of an existing person: what they get, they get when they accept.
func (d *Directory) Invite(ctx context.Context, tx *store.Tx, now time.Time, in InvitationInput) ([]Invited, error) {
	emails, err := in.check()
	if err != nil {
		return nil, err
	}
	if err := lock(ctx, tx, nil, []*ent.Scope{in.Scope}); err != nil {
		return nil, err
	}
	if err := usable(ctx, tx, in.Scope); err != nil {
		return nil, err
	}
	if err := in.fresh(ctx, tx, now, emails); err != nil {
		return nil, err
	}
	by, byName := "", "The platform"
	if v := tenancy.ViewerFrom(ctx); v != nil {
		by, byName = v.UserID, v.Name
	}
	days := in.Days
	if days == 0 {
		days = invitationDays
	}
	out := make([]Invited, len(emails))
	creates := make([]*ent.InvitationCreate, len(emails))
	for i, email := range emails {
		out[i].Token = secret.Token()
		creates[i] = tx.Invitation.Create().SetAccountID(in.Scope.AccountID).SetPlane(invitation.Plane(in.Scope.Plane)).SetScopeID(in.Scope.ID).
			SetEmail(email).SetName(in.Name).SetRole(invitation.Role(in.Role)).SetTokenHash(secret.Hash(out[i].Token)).
			SetInvitedBy(by).SetInvitedByName(byName).SetExpiresAt(now.Add(time.Duration(days) * 24 * time.Hour)).SetMail(mailState(in.Mailed))
	}
	rows, err := tx.Invitation.CreateBulk(creates...).Save(ctx)
	if err != nil {
		return nil, err
	}
	events := make([]audit.Event, len(rows))
	for i, row := range rows {
		out[i].Row = row
		events[i] = invitationEvent("invitation.create", row, in.Scope)
		events[i].Changes = map[string]audit.Change{"role": {After: string(in.Role)}}
	}
	return out, tx.AuditAll(ctx, events)
}

func mailState(mailed bool) invitation.Mail {
	if mailed {
		return invitation.MailQUEUED
	}
	return invitation.MailNONE
}

// check brings the addresses to the form that they are stored in.
func (in *InvitationInput) check() ([]string, error) {
	if in.Role == tenancy.Seatholder {
		if in.Scope.Kind != scope.KindTEAM {
			return nil, fault.At("role", "A member sits in a team: choose one, or invite an admin or viewer.")
		}
	} else if err := checkRoleAt(in.Scope, in.Role); err != nil {
		return nil, err
	}
	switch {
	case len(in.Emails) < 1 || len(in.Emails) > 100:
		return nil, fault.At("emails", "Give 1 to 100 addresses.")
	case in.Name != "" && len(in.Emails) > 1:
		return nil, fault.At("name", "A name goes with a single address.")
	case in.Days < 0 || in.Days > 30:
		return nil, fault.At("expiresInDays", "An invitation works for 1 to 30 days.")
	}
	if in.Name = strings.TrimSpace(in.Name); in.Name != "" {
		if _, err := checkName(in.Name); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	var out []string
	for _, text := range in.Emails {
		email, err := Email(text)
		if err != nil {
			return nil, fault.At("emails", "%q isn't an e-mail address.", strings.TrimSpace(text))
		}
		if !seen[email] {
			out = append(out, email)
		}
		seen[email] = true
	}
	return out, nil
}

// fresh refuses addresses that have an open invitation to the same, or have it
// already.
func (in *InvitationInput) fresh(ctx context.Context, tx *store.Tx, now time.Time, emails []string) error {
	open, err := tx.Invitation.Query().Where(invitation.ScopeID(in.Scope.ID), invitation.RoleEQ(invitation.Role(in.Role)), invitation.EmailIn(emails...),
		invitation.AcceptedAtIsNil(), invitation.RevokedAtIsNil(), invitation.ExpiresAtGT(now)).All(ctx)
	if err != nil {
		return err
	}
	if len(open) > 0 {
		e := fault.At("emails", "%s has an open invitation to this already. Send that one again, or take it back.", open[0].Email)
		e.Code = fault.Exists
		return e
	}
	has := user.HasSeatsWith(member.TeamID(in.Scope.ID))
	if in.Role != tenancy.Seatholder {
		has = user.HasRolesWith(rolebinding.ScopeID(in.Scope.ID), rolebinding.RoleEQ(rolebinding.Role(in.Role)))
	}
	there, err := tx.User.Query().Where(user.AccountID(in.Scope.AccountID), user.EmailIn(emails...), has).First(ctx)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	e := fault.At("emails", "%s is %s of %s already.", there.Email, strings.ToLower(string(in.Role)), in.Scope.Name)
	e.Code = fault.Exists
	return e
}

func invitationEvent(action string, row *ent.Invitation, s *ent.Scope) audit.Event {
	e := done(action, s)
	e.TargetID, e.TargetName = row.ID, row.Email
	return e
}

// InviteAdmin invites the first admin of an account, by somebody of the
// platform.
func (d *Directory) InviteAdmin(ctx context.Context, tx *store.Tx, now time.Time, root *ent.Scope, email, name string, mailed bool) (Invited, error) {
	out, err := d.Invite(ctx, tx, now, InvitationInput{Scope: root, Role: tenancy.Admin, Emails: []string{email}, Name: name, Mailed: mailed})
	if err != nil {
		return Invited{}, err
	}
	return out[0], nil
}

// Resend makes a new link with a new expiry; the old link is refused.
func (d *Directory) Resend(ctx context.Context, tx *store.Tx, now time.Time, row *ent.Invitation, s *ent.Scope, mailed bool) (Invited, error) {
	if err := lock(ctx, tx, nil, []*ent.Scope{s}); err != nil {
		return Invited{}, err
	}
	if err := usable(ctx, tx, s); err != nil {
		return Invited{}, err
	}
	token := secret.Token()
	set := tx.Invitation.Update().Where(invitation.ID(row.ID), invitation.AcceptedAtIsNil(), invitation.RevokedAtIsNil()).
		SetTokenHash(secret.Hash(token)).SetExpiresAt(now.Add(invitationDays * 24 * time.Hour)).SetMail(mailState(mailed)).SetMailError("")
	if v := tenancy.ViewerFrom(ctx); v != nil { // who has the link answers for it
		set.SetInvitedBy(v.UserID).SetInvitedByName(v.Name)
	}
	row, err := one(ctx, tx, set, row.ID)
	if err != nil {
		return Invited{}, err
	}
	return Invited{row, token}, tx.Audit(ctx, invitationEvent("invitation.resend", row, s))
}

// Revoke takes an open invitation back.
func (d *Directory) Revoke(ctx context.Context, tx *store.Tx, now time.Time, row *ent.Invitation, s *ent.Scope) (*ent.Invitation, error) {
	set := tx.Invitation.Update().Where(invitation.ID(row.ID), invitation.AcceptedAtIsNil(), invitation.RevokedAtIsNil()).SetRevokedAt(now)
	row, err := one(ctx, tx, set, row.ID)
	if err != nil {
		return nil, err
	}
	return row, tx.Audit(ctx, invitationEvent("invitation.revoke", row, s))
}

// one changes an invitation that nobody has taken up or back meanwhile.
func one(ctx context.Context, tx *store.Tx, set *ent.InvitationUpdate, invitationID string) (*ent.Invitation, error) {
	n, err := set.Save(ctx)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, fault.At("invitationId", "The invitation was accepted or taken back already.")
	}
	return tx.Invitation.Get(ctx, invitationID)
}

// errInvitation says of links that never were, have been used, have expired or
// were taken back, alike.
var errInvitation = fault.At("token", "This invitation doesn't work, or no longer does. Ask whoever invited you for a new one.")

// AcceptInvitation gives a person who has proved who they are, by an identity
// provider of the account, what they were invited to. The address must be
// theirs: whoever finds another's link gets nothing by it.
func AcceptInvitation(ctx context.Context, tx *store.Tx, token string, u *ent.User) error {
	row, err := tx.Invitation.Query().Where(invitation.TokenHash(secret.Hash(token))).Only(ctx)
	if ent.IsNotFound(err) || err == nil && row.AccountID != u.AccountID {
		return errInvitation
	}
	if err != nil {
		return err
	}
	if !strings.EqualFold(row.Email, u.Email) {
		return fault.At("token", "The invitation is for %s, and you are signed in as %s. Ask for an invitation to that address.", row.Email, u.Email)
	}
	return take(ctx, tx, row, u)
}

// take marks an invitation as accepted, once, and gives what it offers. What
// the person has already stays as it is.
func take(ctx context.Context, tx *store.Tx, row *ent.Invitation, u *ent.User) error {
	if u.Status != user.StatusACTIVE {
		return fault.At("token", "Your user of this account is deactivated. Ask an admin of the account.")
	}
	now := tx.Now()
	n, err := tx.Invitation.Update().Where(invitation.ID(row.ID), invitation.TokenHash(row.TokenHash), invitation.AcceptedAtIsNil(),
		invitation.RevokedAtIsNil(), invitation.ExpiresAtGT(now)).SetAcceptedAt(now).Save(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return errInvitation
	}
	s, err := tx.Scope.Get(ctx, row.ScopeID)
	if err != nil {
		return err
	}
	ctx = tenancy.WithViewer(ctx, &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: u.AccountID, UserID: u.ID, Name: u.Name})
	if tenancy.RoleName(row.Role) == tenancy.Seatholder {
		_, err = AddMember(ctx, tx, s, u)
	} else {
		err = BindRole(ctx, tx, u, s, tenancy.RoleName(row.Role))
	}
	if err != nil && !fault.Is(err, fault.Exists) {
		return err
	}
	e := invitationEvent("invitation.accept", row, s)
	e.Changes = map[string]audit.Change{"role": {After: string(row.Role)}, "user": {After: u.Name}}
	return tx.Audit(ctx, e)
}

// Place names a scope in words: "Banking / Risk", or the name of a plane, an
// account or the platform.
func Place(ctx context.Context, c *ent.Client, s *ent.Scope) (string, error) {
	ids := segments(s.Path)
	if len(ids) < 3 {
		return s.Name, nil
	}
	rows, err := c.Scope.Query().Where(scope.IDIn(ids[2:]...)).Order(scope.ByPath()).Select(scope.FieldName).Strings(ctx)
	if err != nil {
		return "", fmt.Errorf("identity: place: %w", err)
	}
	return strings.Join(rows, " / "), nil
}
