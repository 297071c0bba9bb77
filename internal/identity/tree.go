package identity

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Directory changes the tree: organizations, teams and seats. Its verbs check
// invariants, not permissions: whoever calls them has asked the policy, and
// gives them a transaction of the system's, for what they change may reach
// beyond what the viewer sees.
type Directory struct {
	Budgets *budget.Engine
}

// segments are the ids of a path, from the root down.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// chain are the ids of a scope and of all above it, from the root down.
func chain(s *ent.Scope) []string {
	if ids := segments(s.Path); slices.Contains(ids, s.ID) {
		return ids
	}
	return []string{s.ID} // the platform, whose path is empty
}

// lock reads scopes anew and keeps them, and all above them, from being moved,
// archived or deleted by others until the transaction ends. Those in exclusive
// are also kept from getting children of other transactions. Locks are taken in
// the order of paths, by everybody. Then what allows the change is asked again.
func lock(ctx context.Context, tx *store.Tx, exclusive, shared []*ent.Scope) error {
	all := slices.Concat(exclusive, shared)
	for range 10 {
		modes := map[string]string{}
		for _, s := range all {
			for _, above := range chain(s) {
				modes[above] = " FOR SHARE"
			}
		}
		for _, s := range exclusive {
			modes[s.ID] = " FOR NO KEY UPDATE"
		}
		moved, err := lockRows(ctx, tx, all, modes)
		if err != nil {
			return err
		}
		if !moved {
			return mandateOf(ctx).Confirm(ctx, tx)
		}
	}
	return fault.New(fault.Conflict, "Others are moving this around at the moment. Try again.")
}

func lockRows(ctx context.Context, tx *store.Tx, all []*ent.Scope, modes map[string]string) (moved bool, err error) {
	var order []string
	for _, s := range all {
		order = append(order, chain(s)...)
	}
	// An id is as good as its path for the order of siblings.
	depth := map[string]int{}
	for _, s := range all {
		for i, above := range chain(s) {
			depth[above] = i
		}
	}
	slices.SortFunc(order, func(a, b string) int {
		if depth[a] != depth[b] {
			return depth[a] - depth[b]
		}
		return strings.Compare(a, b)
	})
	for _, scopeID := range slices.Compact(order) {
		err := tx.Rows(ctx, "SELECT name, parent_id, path, version, archived_at, deleted_at FROM scopes WHERE id = ?"+modes[scopeID], []any{scopeID}, func(r *sql.Rows) error {
			var now ent.Scope
			var archived, deleted sql.NullTime
			if err := r.Scan(&now.Name, &now.ParentID, &now.Path, &now.Version, &archived, &deleted); err != nil {
				return err
			}
			for _, s := range all {
				if s.ID == scopeID {
					moved = moved || s.Path != now.Path
					s.Name, s.ParentID, s.Path, s.Version, s.ArchivedAt, s.DeletedAt = now.Name, now.ParentID, now.Path, now.Version, orNil(archived), orNil(deleted)
				}
			}
			return nil
		})
		if err != nil {
			return false, err
		}
	}
	for _, s := range all {
		if s.DeletedAt != nil {
			return false, fault.Missing(nounOf(s))
		}
	}
	return moved, nil
}

func orNil(t sql.NullTime) *time.Time {
	if !t.Valid {
		return nil
	}
	return &t.Time
}

// nounOf is how messages call a scope.
func nounOf(s *ent.Scope) string {
	if s.Kind == scope.KindMEMBER {
		return "seat"
	}
	return strings.ToLower(string(s.Kind))
}

// usable refuses scopes that are archived, or lie below one that is.
func usable(ctx context.Context, tx *store.Tx, s *ent.Scope) error {
	above := chain(s)
	args := make([]any, len(above))
	for i, a := range above {
		args[i] = a
	}
	name := ""
	err := tx.Rows(ctx, "SELECT name FROM scopes WHERE archived_at IS NOT NULL AND id IN ("+store.In(len(args))+")", args, func(r *sql.Rows) error { return r.Scan(&name) })
	if err == nil && name != "" {
		err = fault.New(fault.Invalid, "%s is archived. Restore it first, or choose another place.", name)
	}
	return err
}

// unique refuses a name that a sibling has, but for its case.
func unique(ctx context.Context, tx *store.Tx, parentID string, kind scope.Kind, but, name string) error {
	taken := false
	err := tx.Rows(ctx, "SELECT id, name FROM scopes WHERE parent_id = ? AND kind = ? AND deleted_at IS NULL", []any{parentID, string(kind)}, func(r *sql.Rows) error {
		var otherID, other string
		err := r.Scan(&otherID, &other)
		taken = taken || otherID != but && strings.EqualFold(other, name)
		return err
	})
	if err == nil && taken {
		e := fault.At("name", "There is another %s called %s here; choose another name.", strings.ToLower(string(kind)), name)
		e.Code = fault.Exists
		err = e
	}
	return err
}

// checkName returns the trimmed name, or refuses it.
func checkName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > 120 {
		return "", fault.At("name", "A name has 1–120 characters.")
	}
	return name, nil
}

func checkDescription(text string) (string, error) {
	text = strings.TrimSpace(text)
	if len(text) > 500 {
		return "", fault.At("description", "A description has at most 500 characters.")
	}
	return text, nil
}

// outdated refuses an edit of another version than the one that stands.
func outdated(expected *int, current int) error {
	if expected == nil || *expected == current {
		return nil
	}
	e := fault.New(fault.Conflict, "Somebody else has changed this. Look at it again, then change it.").
		With("expectedVersion", *expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}

// child makes a node under another one.
func child(ctx context.Context, tx *store.Tx, parent *ent.Scope, kind scope.Kind, prefix id.Prefix, name string) (*ent.Scope, error) {
	name, err := checkName(name)
	if err != nil {
		return nil, err
	}
	parents := []*ent.Scope{parent}
	if tenancy.Kind(kind).Leaf() {
		err = lock(ctx, tx, nil, parents)
	} else {
		err = lock(ctx, tx, parents, nil)
	}
	if err != nil {
		return nil, err
	}
	if err := usable(ctx, tx, parent); err != nil {
		return nil, err
	}
	if kind == scope.KindORGANIZATION || kind == scope.KindTEAM {
		if err := unique(ctx, tx, parent.ID, kind, "", name); err != nil {
			return nil, err
		}
	}
	newID := id.New(prefix)
	return tx.Scope.Create().SetID(newID).SetAccountID(parent.AccountID).SetPlane(parent.Plane).
		SetKind(kind).SetName(name).SetParentID(parent.ID).SetParentPlane(scope.ParentPlane(parent.Plane)).
		SetPath(parent.Path + newID + "/").Save(ctx)
}

// shareOut computes equal shares of budgets anew, once a scope has come, gone,
// or been archived or restored.
func shareOut(ctx context.Context, tx *store.Tx, s *ent.Scope) error {
	return budget.Redistribute(ctx, tx, tx.Now(), s.AccountID, tenancy.Plane(s.Plane))
}

func done(action string, s *ent.Scope) audit.Event {
	return audit.Event{Action: action, AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane),
		ScopeID: s.ID, ScopePath: s.Path, TargetID: s.ID, TargetName: s.Name}
}

// rehang moves a node and all below it under another parent: paths follow, and
// so does the authority of grants set there.
func (d *Directory) rehang(ctx context.Context, tx *store.Tx, now time.Time, s, parent *ent.Scope) error {
	old, path := s.Path, parent.Path+s.ID+"/"
	if _, err := tx.Exec(ctx, "UPDATE scopes SET parent_id = ?, version = version + 1, updated_at = ? WHERE id = ?", parent.ID, now, s.ID); err != nil {
		return err
	}
	if err := repath(ctx, tx, s.AccountID, old, path); err != nil {
		return err
	}
	s.Path, s.ParentID, s.Version = path, &parent.ID, s.Version+1
	return reauthorize(ctx, tx, s.AccountID, old, path)
}

// repath rewrites the paths that begin with old. The end that stays is counted
// from the place where old ends.
func repath(ctx context.Context, tx *store.Tx, accountID, old, path string) error {
	tx.Touch(accountID)
	_, err := tx.Exec(ctx, "UPDATE scopes SET path = ? || substr(path, ?) WHERE account_id = ? AND substr(path, 1, ?) = ?",
		path, len(old)+1, accountID, len(old), old)
	return err
}

// reauthorize gives grants below a node that moved an authority on its new
// path: the node's own stays its own, one above it becomes the new place's at
// the same height.
func reauthorize(ctx context.Context, tx *store.Tx, accountID, old, path string) error {
	var all []string
	err := tx.Rows(ctx, "SELECT DISTINCT g.authority FROM grants g JOIN scopes s ON s.id = g.scope_id WHERE s.account_id = ? AND substr(s.path, 1, ?) = ?",
		[]any{accountID, len(path), path}, func(r *sql.Rows) error {
			var a string
			err := r.Scan(&a)
			all = append(all, a)
			return err
		})
	if err != nil {
		return err
	}
	for _, a := range all {
		now := a
		switch {
		case strings.HasPrefix(a, old):
			now = path + a[len(old):]
		case !strings.HasPrefix(path, a):
			height := min(len(segments(a)), len(segments(path)))
			now = "/" + strings.Join(segments(path)[:height], "/") + "/"
		}
		if now == a {
			continue
		}
		if _, err := tx.Exec(ctx, "UPDATE grants SET authority = ? WHERE account_id = ? AND authority = ? AND scope_id IN (SELECT id FROM scopes WHERE account_id = ? AND substr(path, 1, ?) = ?)",
			now, accountID, a, accountID, len(path), path); err != nil {
			return err
		}
	}
	return nil
}

// grantedName is what a grant is about.
const grantedName = `COALESCE((SELECT name FROM models WHERE models.id = grants.model_id), (SELECT name FROM scopes WHERE scopes.id = grants.agent_id),
	(SELECT name FROM connections WHERE connections.id = grants.connection_id), (SELECT name FROM tools WHERE tools.id = grants.tool_id), '')`

// bury turns scopes into tombstones: whatever was set there ends, their keys
// are refused, and what was spent stays on the books under their names.
func (d *Directory) bury(ctx context.Context, tx *store.Tx, now time.Time, accountID string, ids []string) (Impact, error) {
	tx.Touch(accountID)
	var out Impact
	var err error
	if err = tellBudgets(ctx, tx, ids); err != nil {
		return out, err
	}
	if out.Budgets, err = d.Budgets.End(ctx, tx, ids); err != nil {
		return out, err
	}
	for some := range slices.Chunk(ids, 500) {
		these := "(" + store.In(len(some)) + ")"
		args := make([]any, len(some))
		for i, s := range some {
			args[i] = s
		}
		for _, step := range []struct {
			count         *int
			action, field string
			query         string
			args          []any
		}{
			{&out.Keys, "key.revoke", "",
				"UPDATE keys SET revoked_at = ?, version = version + 1, updated_at = ? WHERE revoked_at IS NULL AND id IN " + these +
					" RETURNING id, id, (SELECT name FROM scopes WHERE scopes.id = keys.id), ''", []any{now, now}},
			{&out.Grants, "grant.remove", "effect",
				"DELETE FROM grants WHERE scope_id IN " + these + " RETURNING scope_id, id, " + grantedName + ", effect", nil},
			{&out.Grants, "grant.remove", "effect",
				"DELETE FROM grants WHERE agent_id IN " + these + " RETURNING scope_id, id, " + grantedName + ", effect", nil},
			{&out.Grants, "grant.remove", "effect",
				"DELETE FROM grants WHERE connection_id IN (SELECT id FROM connections WHERE scope_id IN " + these + ") RETURNING scope_id, id, " + grantedName + ", effect", nil},
			{&out.Grants, "grant.remove", "effect",
				"DELETE FROM grants WHERE tool_id IN (SELECT t.id FROM tools t JOIN connections c ON c.id = t.connection_id WHERE c.scope_id IN " + these +
					") RETURNING scope_id, id, " + grantedName + ", effect", nil},
			{nil, "guardrail.unassign", "",
				"DELETE FROM guardrail_assignments WHERE scope_id IN " + these + " RETURNING scope_id, id, (SELECT name FROM guardrail_presets p WHERE p.id = guardrail_assignments.preset_id), ''", nil},
			{nil, "feature.set", "setting",
				"DELETE FROM feature_flags WHERE scope_id IN " + these + " RETURNING scope_id, id, feature, setting", nil},
			{nil, "listing.withdraw", "",
				"UPDATE listings SET status = 'WITHDRAWN', version = version + 1, updated_at = ? WHERE status <> 'WITHDRAWN' AND scope_id IN " + these + " RETURNING scope_id, id, name, ''", []any{now}},
			{&out.Roles, "role.unbind", "role",
				"DELETE FROM role_bindings WHERE scope_id IN " + these + " RETURNING scope_id, user_id, (SELECT name FROM users WHERE users.id = role_bindings.user_id), role", nil},
			{&out.Invitations, "invitation.revoke", "role",
				"DELETE FROM invitations WHERE accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ? AND scope_id IN " + these + " RETURNING scope_id, id, email, role", []any{now}},
			{nil, "groupMapping.delete", "group",
				"DELETE FROM group_mappings WHERE scope_id IN " + these + " RETURNING scope_id, id, (SELECT name FROM identity_providers WHERE identity_providers.id = group_mappings.identity_provider_id), group_name", nil},
		} {
			gone, err := endings(ctx, tx, step.query, append(step.args, args...))
			if err != nil {
				return out, err
			}
			if step.count != nil {
				*step.count += len(gone)
			}
			if err := tellEndings(ctx, tx, step.action, step.field, withScope, gone); err != nil {
				return out, err
			}
		}
		for _, step := range []struct {
			query string
			args  []any
		}{
			{"DELETE FROM invitations WHERE scope_id IN " + these, nil},
			{"DELETE FROM members WHERE id IN " + these, nil},
			{"DELETE FROM agent_versions WHERE agent_id IN " + these, nil},
			{"DELETE FROM connection_credentials WHERE connection_id IN (SELECT id FROM connections WHERE scope_id IN " + these + ")", nil},
			{"DELETE FROM tools WHERE connection_id IN (SELECT id FROM connections WHERE scope_id IN " + these + ")", nil},
			{"DELETE FROM agents WHERE id IN " + these, nil},
			{"DELETE FROM teams WHERE id IN " + these, nil},
			{"DELETE FROM organizations WHERE id IN " + these, nil},
			{"UPDATE scopes SET archived_at = COALESCE(archived_at, ?), deleted_at = ?, version = version + 1, updated_at = ? WHERE deleted_at IS NULL AND id IN " + these, []any{now, now, now}},
		} {
			if _, err := tx.Exec(ctx, step.query, append(step.args, args...)...); err != nil {
				return out, err
			}
		}
		gone, err := endings(ctx, tx, "DELETE FROM connections WHERE scope_id IN "+these+" RETURNING scope_id, id, name, ''", args)
		if err != nil {
			return out, err
		}
		if err := tellEndings(ctx, tx, "connection.delete", "", withScope, gone); err != nil {
			return out, err
		}
	}
	return out, nil
}
