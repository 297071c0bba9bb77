// Package tenancy says who looks (Viewer), how far they see (Reach), and
// confines every read and write of the store to it (Guard).
package tenancy

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Plane is the part of an account that a row belongs to. It is never empty.
type Plane string

// The planes. PLATFORM and ACCOUNT hold what belongs to neither product.
const (
	PlanePlatform Plane = "PLATFORM"
	PlaneAccount  Plane = "ACCOUNT"
	Console       Plane = "CONSOLE"
	Copilot       Plane = "COPILOT"
)

// Kind is the kind of a node in the one tree of scopes.
type Kind string

// The kinds of scopes, from the root down. Keys and agents are leaves.
const (
	KindPlatform     Kind = "PLATFORM"
	KindAccount      Kind = "ACCOUNT"
	KindConsole      Kind = "CONSOLE"
	KindCopilot      Kind = "COPILOT"
	KindOrganization Kind = "ORGANIZATION"
	KindTeam         Kind = "TEAM"
	KindMember       Kind = "MEMBER"
	KindKey          Kind = "KEY"
	KindAgent        Kind = "AGENT"
)

// Leaf tells keys and agents from what holds people: their budgets are caps,
// which take nothing from those above, and may have a cycle of their own.
func (k Kind) Leaf() bool { return k == KindKey || k == KindAgent }

// RoleName is what somebody may be at a node.
type RoleName string

// The roles. A seat by itself means Member.
const (
	Admin      RoleName = "ADMIN"
	Auditor    RoleName = "VIEWER"
	Seatholder RoleName = "MEMBER"
)

// Role is a role held at a node; it reaches the node's subtree.
type Role struct {
	Role    RoleName
	Plane   Plane
	Kind    Kind
	ScopeID string
	// Path is the node's materialized path: "/" for the platform,
	// "/acc_x/con_y/" for a plane root.
	Path string
}

// ViewerKind tells how the viewer proved who they are.
type ViewerKind string

// The kinds of viewers.
const (
	// UserViewer is a person, whatever they act through.
	UserViewer ViewerKind = "USER"
	// KeyViewer is a virtual key, which calls models and does nothing else.
	KeyViewer ViewerKind = "KEY"
	// ClientViewer is a service client that acts for itself.
	ClientViewer ViewerKind = "CLIENT"
)

// Viewer is the authenticated subject of a request, bound to one account.
type Viewer struct {
	Kind      ViewerKind
	AccountID string
	UserID    string
	// Name is how audit events call the viewer.
	Name string
	// SessionID is set for signed-in people, KeyID for virtual keys.
	SessionID string
	KeyID     string
	// ClientID names the service client that acts, for itself or for the user;
	// TokenID the personal token, AuthorizationID the consent behind it.
	ClientID, ClientName string
	TokenID, TokenName   string
	AuthorizationID      string
	// SupportID is set while platform staff is in an account by support access:
	// UserID and Name are then those of the staff, whose user lies elsewhere.
	SupportID string
	// Narrowed viewers may do what their roles allow and Permissions name, both;
	// for the others Permissions are empty and mean nothing.
	Narrowed    bool
	Permissions []string
	// Platform is true for staff: users of the reserved platform account.
	Platform bool
	Roles    []Role
	// Reach confines which rows the viewer sees; it follows from Roles.
	Reach []Reach
	// Off are the products that the account doesn't use (any more): their rows are
	// kept, and out of everybody's reach.
	Off []Plane
	// Until is when the credential ends whatever happens; zero: it doesn't.
	Until time.Time
	// Epoch is the account's epoch the roles were read at.
	Epoch int64
}

// Reach is one subtree of one account: rows of the plane whose scope's path
// begins with Path.
type Reach struct {
	AccountID string
	// Plane is the plane the subtree lies in; ACCOUNT reaches all of them.
	Plane Plane
	Path  string
}

// ReachOf derives the rows that roles let their holder see.
func ReachOf(accountID string, roles []Role) []Reach {
	var out []Reach
	for _, r := range roles {
		if r.Kind == KindPlatform {
			continue // platform staff enter accounts only through Platform
		}
		reach := Reach{AccountID: accountID, Plane: r.Plane, Path: r.Path}
		if !slices.Contains(out, reach) {
			out = append(out, reach)
		}
	}
	return out
}

// WholeAccount tells whether the viewer reaches every row of their account.
func (v *Viewer) WholeAccount() bool {
	return slices.ContainsFunc(v.Reach, func(r Reach) bool { return r.Plane == PlaneAccount })
}

// Reaches tells whether a node with this path lies in the viewer's reach.
func (v *Viewer) Reaches(path string) bool {
	return slices.ContainsFunc(v.Reach, func(r Reach) bool { return strings.HasPrefix(path, r.Path) })
}

type viewerKey struct{}

// WithViewer binds the viewer to a context.
func WithViewer(ctx context.Context, v *Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerFrom returns the viewer of a context, or nil.
func ViewerFrom(ctx context.Context) *Viewer {
	v, _ := ctx.Value(viewerKey{}).(*Viewer)
	return v
}
