package identity

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
)

// SuperAdmins are the ids of the platform's active admins, at most 100. ctx
// passes the guard.
func SuperAdmins(ctx context.Context, tx *store.Tx) (userIDs []string, err error) {
	err = tx.RoleBinding.Query().Where(rolebinding.ScopeID(id.PlatformID), rolebinding.RoleEQ(rolebinding.RoleADMIN),
		rolebinding.HasUserWith(user.AccountID(id.PlatformID), user.StatusEQ(user.StatusACTIVE))).
		Order(ent.Asc(rolebinding.FieldUserID)).Limit(100).Select(rolebinding.FieldUserID).Scan(ctx, &userIDs)
	return userIDs, err
}

// Selves are the ids of all users of the person behind one of them: those of
// the same login, in whichever accounts, and the user themselves. ctx passes the
// guard.
func Selves(ctx context.Context, c *ent.Client, userID string) ([]string, error) {
	u, err := c.User.Query().Where(user.ID(userID)).Only(ctx)
	if ent.IsNotFound(err) || err == nil && u.LoginID == nil {
		return []string{userID}, nil
	}
	if err != nil {
		return nil, err
	}
	return c.User.Query().Where(user.LoginID(*u.LoginID)).IDs(ctx)
}
