package oauth

import (
	"context"
	"fmt"

	"github.com/alchemi/cockpit/ent/authorization"
	"github.com/alchemi/cockpit/ent/personaltoken"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
)

// EndUnproved ends, within a transaction of the system's, the personal tokens
// and consents of an account that enforces single sign-on from now on, but for
// those of its admins and of people whom a provider of it has signed in. The
// caller writes the event.
func EndUnproved(ctx context.Context, tx *store.Tx, accountID string) (tokens, consents int, err error) {
	tokens, err = tx.PersonalToken.Update().Where(personaltoken.AccountID(accountID), personaltoken.RevokedAtIsNil(),
		personaltoken.Not(personaltoken.HasUserWith(identity.Proved(accountID)))).SetRevokedAt(tx.Now()).Save(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("oauth: end tokens: %w", err)
	}
	consents, err = tx.Authorization.Update().Where(authorization.AccountID(accountID), authorization.RevokedAtIsNil(),
		authorization.Not(authorization.HasUserWith(identity.Proved(accountID)))).SetRevokedAt(tx.Now()).Save(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("oauth: end consents: %w", err)
	}
	tx.Touch(accountID)
	return tokens, consents, nil
}
