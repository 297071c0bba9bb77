package identity

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

type mandateKey struct{}

// Mandate has the verbs of the tree ask the policy again, under their locks.
type Mandate struct {
	ask   func(context.Context) error
	asked bool
}

// UnderMandate is the context of one run of a change: what allowed it was asked
// before its transaction began, and may have gone meanwhile. The first lock that
// a verb takes asks again, with the viewer as they then stand and the scopes
// where they then lie.
func UnderMandate(ctx context.Context, ask func(context.Context) error) (context.Context, *Mandate) {
	m := &Mandate{ask: ask}
	return context.WithValue(ctx, mandateKey{}, m), m
}

// Confirm asks, unless a lock has: for verbs that take none.
func (m *Mandate) Confirm(ctx context.Context, tx *store.Tx) error {
	if m == nil || m.asked {
		return nil // what has changed since is the verb's own doing
	}
	m.asked = true
	v, err := Standing(ctx, tx)
	if err != nil {
		return err
	}
	return m.ask(tenancy.WithViewer(ctx, v))
}

func mandateOf(ctx context.Context) *Mandate {
	m, _ := ctx.Value(mandateKey{}).(*Mandate)
	return m
}

// Hold keeps scopes, and all above them, from being moved, archived or deleted
// until the transaction ends, reads them anew, and returns the viewer as they
// stand.
func Hold(ctx context.Context, tx *store.Tx, scopes ...*ent.Scope) (*tenancy.Viewer, error) {
	if err := lock(ctx, tx, nil, scopes); err != nil {
		return nil, err
	}
	return Standing(ctx, tx)
}

// Standing is the context's viewer with what they still hold of their roles and
// permissions. Nobody takes those away until the transaction ends: whoever does
// waits for the rows that they rest on, and so does this for them. Scopes are
// locked before.
func Standing(ctx context.Context, tx *store.Tx) (*tenancy.Viewer, error) {
	v := tenancy.ViewerFrom(ctx)
	if v == nil {
		return nil, nil
	}
	now, held := *v, v.Roles
	var err error
	system := tenancy.Bypassed(ctx) // a tenant's transaction sees neither programs nor supports
	switch {
	case v.SupportID != "" && system:
		held, err = inOpenSupport(ctx, tx, v)
	case v.SupportID == "" && v.UserID != "":
		held, err = heldBy(ctx, tx, v.UserID)
	}
	if err != nil {
		return nil, err
	}
	now.Roles = []tenancy.Role{}
	for _, r := range v.Roles {
		if is, ok := still(r, held); ok {
			now.Roles = append(now.Roles, is)
		}
	}
	if v.ClientID != "" && system {
		if err := byProgram(ctx, tx, &now); err != nil {
			return nil, err
		}
	}
	now.Reach = tenancy.ReachOf(now.AccountID, now.Roles)
	return &now, nil
}

// still finds what is left of a role: itself, where its node lies now, or the
// one of the account that a program of one plane has at the plane's root.
func still(r tenancy.Role, held []tenancy.Role) (tenancy.Role, bool) {
	for _, h := range held {
		if h.Role == r.Role && h.ScopeID == r.ScopeID {
			return h, true
		}
	}
	return r, slices.ContainsFunc(held, func(h tenancy.Role) bool {
		return h.Role == r.Role && h.Kind == tenancy.KindAccount && strings.HasPrefix(r.Path, h.Path)
	})
}

func heldBy(ctx context.Context, tx *store.Tx, userID string) ([]tenancy.Role, error) {
	for _, table := range []string{"role_bindings", "members"} {
		err := tx.Rows(ctx, "SELECT id FROM "+table+" WHERE user_id = ? ORDER BY id FOR SHARE", []any{userID}, func(*sql.Rows) error { return nil })
		if err != nil {
			return nil, err
		}
	}
	// Whoever deactivates them holds the root, which every scope's lock shares.
	u, err := tx.User.Get(tenancy.System(ctx, "who changes something is read anew within the change"), userID)
	if ent.IsNotFound(err) || err == nil && u.Status != user.StatusACTIVE {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := ViewerOf(ctx, tx.Client, u)
	if err != nil {
		return nil, err
	}
	return v.Roles, nil
}

// inOpenSupport are the roles of staff in an account until the access ends.
func inOpenSupport(ctx context.Context, tx *store.Tx, v *tenancy.Viewer) (held []tenancy.Role, err error) {
	err = tx.Rows(ctx, "SELECT id FROM support_accesses WHERE id = ? AND ended_at IS NULL AND expires_at > ? FOR SHARE", []any{v.SupportID, tx.Now()},
		func(*sql.Rows) error {
			held = v.Roles
			return nil
		})
	return held, err
}

// byProgram leaves what the program of a viewer may do now.
func byProgram(ctx context.Context, tx *store.Tx, v *tenancy.Viewer) error {
	if err := tx.Rows(ctx, "SELECT id FROM service_clients WHERE id = ? FOR SHARE", []any{v.ClientID}, func(*sql.Rows) error { return nil }); err != nil {
		return err
	}
	c, err := tx.ServiceClient.Get(tenancy.System(ctx, "who changes something is read anew within the change"), v.ClientID)
	switch {
	case ent.IsNotFound(err) || err == nil && c.Status != serviceclient.StatusACTIVE:
		v.Roles = nil
		return nil
	case err != nil:
		return err
	}
	v.Permissions = slices.DeleteFunc(slices.Clone(v.Permissions), func(p string) bool { return !slices.Contains(c.Permissions, p) })
	return nil
}
