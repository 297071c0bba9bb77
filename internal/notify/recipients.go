package notify

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Responsible finds who answers for a scope: its admins and those of every
// scope above it, within the account, and the person whose own seat it is or
// whose seat owns the key. Auditors look by themselves. Roles count as they do
// at sign-in: none at or below what is archived, none in a product that the
// account doesn't use.
func Responsible(ctx context.Context, tx *store.Tx, s *ent.Scope) (admins []string, own string, err error) {
	a, err := tx.Account.Get(ctx, s.AccountID)
	if err != nil {
		return nil, "", err
	}
	if tenancy.Plane(s.Plane) == tenancy.Console && !a.Console || tenancy.Plane(s.Plane) == tenancy.Copilot && !a.Copilot {
		return nil, "", nil
	}
	path := strings.Split(strings.Trim(s.Path, "/"), "/")
	gone, err := tx.Scope.Query().Where(scope.IDIn(path...), scope.Or(scope.ArchivedAtNotNil(), scope.DeletedAtNotNil())).IDs(ctx)
	if err != nil {
		return nil, "", err
	}
	ended := map[string]bool{}
	for _, g := range gone {
		ended[g] = true
	}
	for i, at := range path {
		if ended[at] {
			path = path[:i]
			break
		}
	}
	err = tx.RoleBinding.Query().Where(rolebinding.ScopeIDIn(path...), rolebinding.RoleEQ(rolebinding.RoleADMIN),
		rolebinding.HasUserWith(user.StatusEQ(user.StatusACTIVE))).Unique(true).Select(rolebinding.FieldUserID).Scan(ctx, &admins)
	if err != nil {
		return nil, "", err
	}
	for _, at := range path {
		if strings.HasPrefix(at, "mem_") {
			m, err := tx.Member.Get(ctx, at)
			if err != nil {
				return nil, "", err
			}
			own = m.UserID
		}
	}
	return admins, own, nil
}
