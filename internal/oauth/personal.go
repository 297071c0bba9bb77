package oauth

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/personaltoken"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// PersonalPrefix begins every personal token.
const PersonalPrefix = "cp_"

// maxPersonal bounds the tokens of one person that are in force.
const maxPersonal = 100

// CreatePersonal makes a token for a script of the viewer's own, and returns it
// with its text, which is stored hashed and never to be had again. What it may
// do is among what the viewer may hand out.
func (s *Server) CreatePersonal(ctx context.Context, v *tenancy.Viewer, name string, permissions []string, days int, grantable []string) (*ent.PersonalToken, string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 120 {
		return nil, "", fault.At("name", "A name has 1–120 characters.")
	}
	if days < 1 || days > 365 {
		return nil, "", fault.At("expiresInDays", "A token lasts 1 to 365 days.")
	}
	permissions, err := access.Narrow(permissions)
	if err != nil {
		return nil, "", err
	}
	for _, p := range permissions {
		if !slices.Contains(grantable, p) {
			return nil, "", fault.At("permissions", "You can do nothing that needs %s, so no token of yours can. Leave it out.", p)
		}
	}
	now, token := s.Store.Now(), PersonalPrefix+secret.Token()
	plane, _ := place(v.AccountID)
	var row *ent.PersonalToken
	err = s.Store.InTx(tenancy.System(ctx, "personal tokens are written by verbs alone"), func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.PersonalToken.Query().Where(personaltoken.UserID(v.UserID), personaltoken.RevokedAtIsNil(), personaltoken.ExpiresAtGT(now)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= maxPersonal {
			return fault.At("name", "You have %d tokens in force. Revoke one that isn't needed any more.", n)
		}
		row, err = tx.PersonalToken.Create().SetAccountID(v.AccountID).SetPlane(personaltoken.Plane(plane)).SetUserID(v.UserID).
			SetName(name).SetTokenHash(secret.Hash(token)).SetPrefix(token[:len(PersonalPrefix)+4]).SetPermissions(permissions).
			SetExpiresAt(now.Add(time.Duration(days) * 24 * time.Hour)).Save(ctx)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, about("personalToken.create", v.AccountID, row.ID, row.Name))
	})
	if err != nil {
		return nil, "", err
	}
	return row, token, nil
}

// RevokePersonal refuses a token from now on, on every replica within a second.
// The caller has checked that the viewer may.
func (s *Server) RevokePersonal(ctx context.Context, row *ent.PersonalToken) error {
	ctx = tenancy.System(ctx, "personal tokens are written by verbs alone")
	return s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		n, err := tx.PersonalToken.Update().Where(personaltoken.ID(row.ID), personaltoken.RevokedAtIsNil()).SetRevokedAt(s.Store.Now()).Save(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.At("personalTokenId", "The token was revoked already.")
		}
		tx.Touch(row.AccountID)
		return tx.Audit(ctx, about("personalToken.revoke", row.AccountID, row.ID, row.Name))
	})
}
