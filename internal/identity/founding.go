package identity

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// CreateAdmin makes a user with ADMIN at the root of an account, or of the
// platform, and returns their first password: for operators, before there is
// anybody who could invite. It is empty where the login existed; that one keeps
// its own.
func CreateAdmin(ctx context.Context, tx *store.Tx, root *ent.Scope, email, name string) (password string, err error) {
	email, err = Email(email)
	if err != nil {
		return "", err
	}
	// The operator's word is the proof.
	known, err := tx.Login.Query().Where(login.Email(email)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return "", err
	}
	hash := ""
	if known == nil {
		password = secret.Token()[:20]
		if hash, err = HashPassword(ctx, password); err != nil {
			return "", err
		}
	}
	u, err := CreateUser(ctx, tx, UserInput{AccountID: root.AccountID, Email: email, Name: name, PasswordHash: hash, Proved: known})
	if err != nil {
		return "", err
	}
	return password, BindRole(ctx, tx, u, root, tenancy.Admin)
}
