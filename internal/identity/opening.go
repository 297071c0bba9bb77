package identity

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/invitation"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// firstLinkDays is how long the first admin's link works.
const firstLinkDays = 7

// OpenAccount makes an account and invites its first admin: whoever that is
// keeps what they are elsewhere, and nothing of them changes until they accept.
// It returns the link's secret, which is stored hashed.
func OpenAccount(ctx context.Context, tx *store.Tx, now time.Time, in AccountInput, adminEmail, adminName string) (*ent.Account, *ent.Invitation, string, error) {
	if !in.Console && !in.Copilot {
		return nil, nil, "", fault.At("planes", "An account uses at least one product.")
	}
	email, err := Email(adminEmail)
	if err != nil {
		return nil, nil, "", at(err, "adminEmail")
	}
	if adminName != "" {
		if adminName, err = checkName(adminName); err != nil {
			return nil, nil, "", at(err, "adminName")
		}
	}
	a, err := CreateAccount(ctx, tx, in)
	if err != nil {
		return nil, nil, "", err
	}
	if err := tx.Audit(ctx, ofPlatform("account.create", a)); err != nil {
		return nil, nil, "", err
	}
	v := tenancy.ViewerFrom(ctx)
	if v == nil {
		v = &tenancy.Viewer{Name: "System"}
	}
	token := secret.Token()
	i, err := tx.Invitation.Create().SetAccountID(a.ID).SetPlane(invitation.PlaneACCOUNT).SetScopeID(a.ID).
		SetEmail(email).SetName(adminName).SetRole(invitation.RoleADMIN).SetTokenHash(secret.Hash(token)).
		SetInvitedBy(v.UserID).SetInvitedByName(v.Name).SetExpiresAt(now.AddDate(0, 0, firstLinkDays)).Save(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	e := ofAccount("invitation.create", a)
	e.TargetID, e.TargetName = i.ID, email
	return a, i, token, tx.Audit(ctx, e)
}

// at names the input field that a check of another one refused.
func at(err error, field string) error {
	if e := fault.As(err); e != nil && e.Path != nil {
		moved := *e
		moved.Path = []string{field}
		return &moved
	}
	return err
}
