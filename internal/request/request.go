// Package request is how people ask for more budget or for access, and how admins decide:
// in whole or in part, for good or for a time, or by passing it up.
package request

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/member"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Lifetime is how long a request waits before it expires.
const Lifetime = 30 * 24 * time.Hour

const (
	// maxOpen requests of one person in one plane.
	maxOpen = 10
	// maxAhead is how far away the end of a temporary raise may lie.
	maxAhead = 366 * 24 * time.Hour
	maxText  = 1000
)

// Requests decides on requests. Every verb is one transaction,
// in which everything that it rests on is read anew.
type Requests struct {
	Store   *store.Store
	Budgets *budget.Engine
	Access  *access.Engine
	// Grants is told of access that was given.
	Grants *grant.Grants
	// Known tells whether people of the account may know of an agent, a connection
	// or a tool that lies beyond their reach, as by a published listing; nil: none.
	Known func(ctx context.Context, tx *store.Tx, resourceID string) bool
	// Carry does what a decision on a review or on a tool says, in its
	// transaction; by kind, PUBLISH and TOOL_APPROVAL. That of a review is also
	// told of a request that was taken back, which the row says.
	Carry Carriers
	// Tell lets people know of what concerns them, within the transaction; nil
	// tells nobody.
	Tell func(ctx context.Context, tx *store.Tx, n Notice) error
	Log  *slog.Logger
}

// Carriers do what decisions say, by the kind of request.
type Carriers map[entrequest.Kind]func(ctx context.Context, tx *store.Tx, row *ent.Request, approved bool) error

// Notice is what somebody shall hear of a request.
type Notice struct {
	// Topic is INCREASE_REQUESTED, for those who can decide, or
	// INCREASE_DECIDED, for who asked.
	Topic     string
	AccountID string
	Plane     tenancy.Plane
	ScopeID   string
	Title     string
	Body      string
	// Link is the page that it is about, without the account's part.
	Link string
	// Cause tells one notice of a topic from the other.
	Cause string
	// To are ids of users.
	To []string
}

func (r *Requests) tell(ctx context.Context, tx *store.Tx, n Notice) error {
	if r.Tell == nil || len(n.To) == 0 {
		return nil
	}
	return r.Tell(ctx, tx, n)
}

// person is the viewer, who must be somebody of the account: neither a program
// that acts for itself nor the platform's staff.
func person(ctx context.Context) (*tenancy.Viewer, error) {
	v, err := decider(ctx)
	if err == nil && v.Platform {
		return nil, errNoPerson
	}
	return v, err
}

// decider is the viewer, who must be a person at their own place: somebody of
// the account, or of the platform, who sees what waits there alone.
func decider(ctx context.Context) (*tenancy.Viewer, error) {
	v := tenancy.ViewerFrom(ctx)
	switch {
	case v == nil:
		return nil, fault.New(fault.Unauthenticated, "Sign in first, or send a valid credential.")
	case v.Kind != tenancy.UserViewer, v.SupportID != "":
		return nil, errNoPerson
	}
	return v, nil
}

var errNoPerson = fault.New(fault.Forbidden, "People of the account ask and decide: no program for itself, and nobody of the platform, but for what waits there.")

// change runs f in a transaction that no other change of the plane's budgets
// and requests runs beside, under the viewer as they are at that moment. The
// scopes that are held stay where they are.
func (r *Requests) change(ctx context.Context, accountID string, plane tenancy.Plane, held []*ent.Scope, f func(ctx context.Context, tx *store.Tx, now time.Time) error) error {
	v, err := decider(ctx)
	if err != nil {
		return err
	}
	ctx = tenancy.System(tenancy.InPlane(ctx, plane), "the verb asks the policies itself, with the roles of this moment")
	return r.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if len(held) > 0 { // before the plane's lock, as everybody takes them
			if _, err := identity.Hold(ctx, tx, held...); err != nil {
				return err
			}
			tx.AfterCommit(func() {
				if r.Grants != nil {
					r.Grants.Changed(accountID, plane)
				}
			})
		}
		if err := r.Budgets.Serialize(ctx, tx, accountID, plane); err != nil {
			return err
		}
		fresh, err := asOfNow(ctx, tx, v)
		if err != nil {
			return err
		}
		return f(tenancy.WithViewer(ctx, fresh), tx, tx.Now())
	})
}

// asOfNow is the viewer with those of their roles that still stand.
func asOfNow(ctx context.Context, tx *store.Tx, v *tenancy.Viewer) (*tenancy.Viewer, error) {
	out := *v
	out.Roles = nil
	active, err := tx.User.Query().Where(user.ID(v.UserID), user.StatusEQ(user.StatusACTIVE)).Exist(ctx)
	if err != nil || !active {
		return &out, err
	}
	bindings, err := tx.RoleBinding.Query().Where(rolebinding.UserID(v.UserID)).WithScope().All(ctx)
	if err != nil {
		return nil, err
	}
	seats, err := tx.Member.Query().Where(member.UserID(v.UserID)).IDs(ctx)
	if err != nil {
		return nil, err
	}
	scopes, err := tx.Scope.Query().Where(scope.IDIn(seats...), scope.DeletedAtIsNil()).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, held := range v.Roles {
		for _, b := range bindings {
			if s := b.Edges.Scope; s != nil && held.ScopeID == s.ID && string(held.Role) == string(b.Role) && s.DeletedAt == nil {
				held.Path = s.Path
				out.Roles = append(out.Roles, held)
			}
		}
		for _, s := range scopes {
			if held.Role == tenancy.Seatholder && held.ScopeID == s.ID {
				held.Path = s.Path
				out.Roles = append(out.Roles, held)
			}
		}
	}
	return &out, nil
}

// at is where the policies decide about a scope.
func at(s *ent.Scope) access.Target {
	return access.Target{Kind: tenancy.Kind(s.Kind), Plane: tenancy.Plane(s.Plane), Path: s.Path}
}

// Open tells whether a request still waits at a moment.
func Open(row *ent.Request, now time.Time) bool {
	return row.Status == entrequest.StatusPENDING && now.Before(ExpiresAt(row))
}

// ExpiresAt is when nobody can decide on a request any more.
func ExpiresAt(row *ent.Request) time.Time { return row.CreatedAt.Add(Lifetime) }

// admins finds the nearest scope strictly above a path that somebody else is
// an active admin of, and who they are; nil where nobody is.
func admins(ctx context.Context, tx *store.Tx, path, notUser string) (*ent.Scope, []string, error) {
	ids := strings.Split(strings.Trim(path, "/"), "/")
	above := ids[:len(ids)-1]
	bindings, err := tx.RoleBinding.Query().
		Where(rolebinding.ScopeIDIn(above...), rolebinding.RoleEQ(rolebinding.RoleADMIN), rolebinding.UserIDNEQ(notUser), rolebinding.HasUserWith(user.StatusEQ(user.StatusACTIVE))).
		WithScope().Order(ent.Asc(rolebinding.FieldID)).All(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, scopeID := range slices.Backward(above) {
		var found *ent.Scope
		var who []string
		for _, b := range bindings {
			if b.ScopeID == scopeID && b.Edges.Scope != nil {
				found, who = b.Edges.Scope, append(who, b.UserID)
			}
		}
		if found != nil {
			return found, who[:min(len(who), 100)], nil
		}
	}
	return nil, nil, nil
}

// event is an act on a request, told at the scope that it is about. Live
// inboxes go by the request's id in it.
func event(action string, row *ent.Request, s *ent.Scope, changes map[string]audit.Change) audit.Event {
	changes["request"] = audit.Change{After: row.ID}
	return audit.Event{Action: action, AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), ScopeID: s.ID, ScopePath: s.Path,
		TargetID: s.ID, TargetName: s.Name, Changes: changes}
}

// text is a note of at most maxText characters.
func text(field, s string, needed bool) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case needed && s == "":
		return "", fault.At(field, "Say why, in a sentence.")
	case len([]rune(s)) > maxText:
		return "", fault.At(field, "Keep it to %d characters.", maxText)
	}
	return s, nil
}

func checkUntil(until *time.Time, now time.Time) error {
	switch {
	case until == nil:
		return nil
	case !until.After(now):
		return fault.At("until", "The end must lie in the future. Leave it out to ask for good.")
	case until.After(now.Add(maxAhead)):
		return fault.At("until", "A raise for a time ends within a year. Leave the end out to ask for good.")
	}
	return nil
}

// holding are the scopes that a change of access keeps where they are.
func holding(access bool, s *ent.Scope) []*ent.Scope {
	if !access {
		return nil
	}
	return []*ent.Scope{s}
}
