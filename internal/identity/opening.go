package identity

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
)

// OpenAccount makes an account and invites its first admin: whoever that is
// keeps what they are elsewhere, and nothing of them changes until they accept.
func (d *Directory) OpenAccount(ctx context.Context, tx *store.Tx, now time.Time, in AccountInput, adminEmail, adminName string, mailed bool) (*ent.Account, *ent.Scope, Invited, error) {
	if !in.Console && !in.Copilot {
		return nil, nil, Invited{}, fault.At("planes", "An account uses at least one product.")
	}
	if _, err := Email(adminEmail); err != nil {
		return nil, nil, Invited{}, at(err, "adminEmail")
	}
	if adminName != "" {
		if _, err := checkName(adminName); err != nil {
			return nil, nil, Invited{}, at(err, "adminName")
		}
	}
	a, err := CreateAccount(ctx, tx, in)
	if err != nil {
		return nil, nil, Invited{}, err
	}
	if err := tx.Audit(ctx, ofPlatform("account.create", a)); err != nil {
		return nil, nil, Invited{}, err
	}
	root, err := tx.Scope.Get(ctx, a.ID)
	if err != nil {
		return nil, nil, Invited{}, err
	}
	invited, err := d.InviteAdmin(ctx, tx, now, root, adminEmail, adminName, mailed)
	return a, root, invited, err
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
