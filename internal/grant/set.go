package grant

import (
	"context"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	entgrant "github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Input describes a grant to set.
type Input struct {
	Scope *ent.Scope
	// ResourceID names a model, an agent, a connection or a tool of the scope's
	// plane.
	ResourceID string
	Effect     Effect
	// ExpiresAt lies in the future; nil: never.
	ExpiresAt *time.Time
	Note      string
	// ExpectedVersion refuses the change where another version stands; nil takes
	// whatever stands.
	ExpectedVersion *int
	// Authority is the path that AuthorityOf gives for whoever sets it.
	Authority string
}

// AuthorityOf is the path of the highest node at or above a scope that the
// viewer is ADMIN of, "" for none. Admins of the account decide as the plane's.
func AuthorityOf(v *tenancy.Viewer, path string) string {
	best := ""
	if v == nil {
		return best
	}
	for _, r := range v.Roles {
		if r.Role != tenancy.Admin || !strings.HasSuffix(r.Path, "/") || !strings.HasPrefix(path, r.Path) || r.Path == "/" {
			continue
		}
		at := r.Path
		if r.Kind == tenancy.KindAccount {
			at = rootOf(path)
		}
		if best == "" || len(at) < len(best) {
			best = at
		}
	}
	return best
}

// rootOf is the path of the plane's root on a path: the second of its nodes.
func rootOf(path string) string {
	if end := next(path, 1); end > 0 {
		if end = next(path, end); end > 0 {
			return path[:end]
		}
	}
	return ""
}

// Set allows a resource to a scope or denies it there; what stands at the scope
// already is changed. The caller has checked that the viewer may set grants
// there; that they have what they hand out is checked here.
func Set(ctx context.Context, tx *store.Tx, now time.Time, in Input) (*ent.Grant, error) {
	if err := in.check(now); err != nil {
		return nil, err
	}
	t, err := Load(ctx, tx.Client, in.Scope.AccountID, tenancy.Plane(in.Scope.Plane), in.ResourceID)
	if err != nil {
		return nil, err
	}
	r := t.Resource(in.ResourceID)
	if r == nil {
		return nil, missing(in.ResourceID)
	}
	if !strings.HasPrefix(in.Scope.Path, in.Authority) || rootOf(in.Scope.Path) == "" {
		return nil, fault.New(fault.Forbidden, "Needs an admin of this scope or of one above it.")
	}
	if in.Effect == Allow {
		if v := t.Holds(r.ID, in.Authority, now); !v.Allowed() {
			return nil, fault.At("resourceId", "An admin hands out only what they have, and your %s doesn't have %s: %s", level(in.Authority), r.Name, v.Reason())
		}
	}
	row, err := in.save(ctx, tx, t, r)
	if err != nil {
		return nil, err
	}
	return row, tx.Audit(ctx, event("grant.set", in.Scope, row, r))
}

func (in Input) check(now time.Time) error {
	switch in.Scope.Kind {
	case scope.KindCONSOLE, scope.KindCOPILOT, scope.KindORGANIZATION, scope.KindTEAM, scope.KindMEMBER, scope.KindKEY:
	default:
		return fault.At("scopeId", "Grants are set at a plane, an organization, a team, a member or a key.")
	}
	switch {
	case in.Effect != Allow && in.Effect != Deny:
		return fault.At("effect", "A grant allows or denies.")
	case in.Scope.ArchivedAt != nil:
		return fault.At("scopeId", "%s was archived; restore it first, or choose another place.", in.Scope.Name)
	case in.ExpiresAt != nil && !in.ExpiresAt.After(now):
		return fault.At("expiresAt", "The expiry must lie in the future.")
	case len(in.Note) > 500:
		return fault.At("note", "A note has at most 500 characters.")
	case in.Authority == "":
		return fault.New(fault.Forbidden, "Needs an admin of this scope or of one above it.")
	}
	return nil
}

// save makes the row, or changes the one that stands.
func (in Input) save(ctx context.Context, tx *store.Tx, t *Table, r *Resource) (*ent.Grant, error) {
	by, name := actor(ctx)
	old := t.At(r.ID, in.Scope.Path)
	if old == nil {
		if in.ExpectedVersion != nil {
			return nil, stale(*in.ExpectedVersion, 0)
		}
		create := tx.Grant.Create()
		switch r.Kind {
		case Model:
			create.SetModelID(r.ID)
		case Agent:
			create.SetAgentID(r.ID)
		case Connection:
			create.SetConnectionID(r.ID)
		case Tool:
			create.SetToolID(r.ID)
		}
		row, err := create.SetAccountID(in.Scope.AccountID).SetPlane(entgrant.Plane(in.Scope.Plane)).
			SetScopeID(in.Scope.ID).SetEffect(entgrant.Effect(in.Effect)).SetNillableExpiresAt(in.ExpiresAt).
			SetNote(in.Note).SetAuthority(in.Authority).SetGrantedBy(by).SetGrantedByName(name).Save(ctx)
		if store.IsConflict(err) {
			return nil, stale(0, 1) // somebody else was first
		}
		return row, err
	}
	if err := changeable(old, in.Authority); err != nil {
		return nil, err
	}
	row, err := tx.Grant.Get(ctx, old.ID)
	if err != nil {
		return nil, hidden(err)
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != row.Version {
		return nil, stale(*in.ExpectedVersion, row.Version)
	}
	u := row.Update().Where(entgrant.Version(row.Version)).SetEffect(entgrant.Effect(in.Effect)).SetNote(in.Note).
		SetAuthority(in.Authority).SetGrantedBy(by).SetGrantedByName(name)
	if in.ExpiresAt == nil {
		u.ClearExpiresAt()
	} else {
		u.SetExpiresAt(*in.ExpiresAt)
	}
	changed, err := u.Save(ctx)
	if ent.IsNotFound(err) {
		return nil, stale(row.Version, row.Version+1)
	}
	return changed, err
}

// Changeable is nil when an authority may change or remove a grant, else it
// says who may.
func (t *Table) Changeable(grantID, authority string) error {
	g := t.grants[grantID]
	if g == nil {
		return fault.Missing("grant")
	}
	return changeable(g, authority)
}

// changeable refuses to touch what was set from above.
func changeable(g *Grant, authority string) error {
	above := g.Authority
	if root := rootOf(g.Scope); g.adrift() || len(above) < len(root) {
		above = root // nobody below answers for it
	}
	if authority != "" && strings.HasPrefix(above, authority) {
		return nil
	}
	return fault.New(fault.Invalid, "This grant was set from above: only %s changes it. Below it you may still deny.", Admins(above))
}

// Remove withdraws a grant. The caller has checked that the viewer may set
// grants at its scope; authority is theirs, as AuthorityOf gives it.
func Remove(ctx context.Context, tx *store.Tx, s *ent.Scope, row *ent.Grant, authority string) error {
	if row.ScopeID != s.ID {
		return fault.Missing("grant")
	}
	t, err := Load(ctx, tx.Client, s.AccountID, tenancy.Plane(s.Plane), ResourceOf(row))
	if err != nil {
		return err
	}
	old := t.grants[row.ID]
	if old == nil {
		return fault.Missing("grant")
	}
	if err := changeable(old, authority); err != nil {
		return err
	}
	if err := tx.Grant.DeleteOneID(row.ID).Exec(ctx); err != nil {
		return hidden(err)
	}
	e := event("grant.remove", s, row, t.Resource(old.Resource))
	e.Changes = map[string]audit.Change{"effect": {Before: string(row.Effect)}}
	return tx.Audit(ctx, e)
}

func event(action string, s *ent.Scope, row *ent.Grant, r *Resource) audit.Event {
	return audit.Event{Action: action, AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane),
		ScopeID: s.ID, ScopePath: s.Path, TargetID: row.ID, TargetName: r.Name}
}

// missing says what doesn't exist, by the kind that the id claims.
func missing(resourceID string) error {
	noun := "resource"
	if k, ok := KindOf(resourceID); ok {
		noun = k.noun()
	}
	e := fault.Missing(noun)
	e.Path = []string{"resourceId"}
	return e
}

func actor(ctx context.Context) (id, name string) {
	a := audit.ActorFrom(ctx)
	return a.ID, a.Name
}

// hidden makes what the guard refused look like what doesn't exist.
func hidden(err error) error {
	if ent.IsNotFound(err) {
		return fault.Missing("grant")
	}
	return err
}

// stale is the Conflict of a row that has moved on.
func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}
