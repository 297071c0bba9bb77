// Package grant decides who may use what: a model, an agent, a connection or a
// tool is allowed to a scope and all below it, or denied there. Nothing granted
// means nothing allowed, and a lower level never widens what a higher one
// denies. A connection stands for its tools, and a seat has what it owns.
//
// The evaluation is pure: a Table answers from memory, the same for the
// gateway, for lists and for explanations.
package grant

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Effect is which way a grant decides.
type Effect string

// The effects, as they are stored.
const (
	Allow Effect = "ALLOW"
	Deny  Effect = "DENY"
)

// Grant allows a resource to a scope and all below it, or denies it there.
type Grant struct {
	ID       string
	Resource string
	Effect   Effect
	// Scope is the path of the scope that it is set at, ScopeName its name.
	Scope, ScopeName string
	// Authority is the path of the highest node at which whoever set it was
	// ADMIN: an ALLOW stands while that node has the resource itself.
	Authority string
	// ExpiresAt is zero for never.
	ExpiresAt time.Time
}

// expired is true from the moment of the expiry on.
func (g *Grant) expired(now time.Time) bool {
	return !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt)
}

// adrift grants have an authority that no longer lies above their scope, as
// after a team moved: nobody there vouches for an ALLOW any more.
func (g *Grant) adrift() bool { return g.Authority == "" || !strings.HasPrefix(g.Scope, g.Authority) }

// State is what a resource itself says about being used.
type State int

// The states of a resource. The zero value refuses.
const (
	// NotOffered: the platform doesn't offer it any more.
	NotOffered State = iota
	// Disabled: switched off by the account.
	Disabled
	// Held back: a tool that nobody has approved as it is now.
	Held
	// Unpublished: an agent without a version in use.
	Unpublished
	// Usable by whom it is granted to.
	Usable
)

// Resource is something that can be granted, with its grants.
type Resource struct {
	ID    string
	Kind  Kind
	Name  string
	State State
	// Owner is the path of the scope that it belongs to, whose admins have it to
	// hand out; "" for what is the plane's.
	Owner string

	at map[string]*Grant // by the scope's path, which has one at most
	// of is the connection of a tool: what is granted of it is granted of the tool.
	of *Resource
}

// owned tells whether a node's admins have the resource because it is theirs.
func (r *Resource) owned(authority string) bool {
	return r.Owner != "" && authority != "" && strings.HasPrefix(r.Owner, authority)
}

// ownSeat tells whether a path lies at the seat that owns the resource.
func (r *Resource) ownSeat(path string) bool {
	return r.Owner != "" && strings.HasPrefix(path, r.Owner) && level(r.Owner) == "seat"
}

// state is the resource's own, and where that lets through its connection's.
func (r *Resource) state() State {
	if r.State == Usable && r.of != nil {
		return r.of.State
	}
	return r.State
}

// Table holds all grants of one plane of an account, as they stood when they
// were read. It never changes, so that many goroutines may ask it.
type Table struct {
	// root is the path of the plane's root.
	root      string
	archived  map[string]bool // paths of archived scopes
	resources map[string]*Resource
	grants    map[string]*Grant // by id
}

// NewTable makes a table from what was read of a plane.
func NewTable(root string, archived []string, resources []*Resource, grants []*Grant) *Table {
	t := &Table{root: root, archived: make(map[string]bool, len(archived)),
		resources: make(map[string]*Resource, len(resources)), grants: make(map[string]*Grant, len(grants))}
	for _, path := range archived {
		t.archived[path] = true
	}
	for _, r := range resources {
		r.at = map[string]*Grant{}
		t.resources[r.ID] = r
	}
	for _, g := range grants {
		if r := t.resources[g.Resource]; r != nil {
			r.at[g.Scope] = g
			t.grants[g.ID] = g
		}
	}
	return t
}

// Ask tells whether a scope may use a resource now, and what decides that. It
// allocates nothing.
func (t *Table) Ask(resourceID, path string, now time.Time) Verdict {
	v := Verdict{Rule: RuleNotGranted, Needs: t.root, root: t.root, Resource: t.resources[resourceID]}
	if v.Resource == nil || t.root == "" || !strings.HasPrefix(path, t.root) {
		return v
	}
	switch v.Resource.state() {
	case Usable:
	case Disabled:
		v.Rule = RuleDisabled
		return v
	case Held:
		v.Rule = RuleHeld
		return v
	case Unpublished:
		v.Rule = RuleUnpublished
		return v
	case NotOffered:
		v.Rule, v.Needs = RuleNotOffered, "/"
		return v
	}
	return t.granted(v.Resource, path, now)
}

// granted is what the tree and the grants say, without the resource's state.
func (t *Table) granted(r *Resource, path string, now time.Time) Verdict {
	v := Verdict{Rule: RuleNotGranted, Needs: t.root, root: t.root, Resource: r}
	if gone := t.archivedAt(path); gone != "" {
		v.Rule, v.Needs = RuleArchived, parent(gone)
		return v
	}
	v = t.weigh(v, path, math.MaxInt, now)
	if v.Rule != RuleAllow && v.Rule != RuleDeny && v.Resource.ownSeat(path) {
		v.Rule, v.Grant, v.Needs = RuleOwn, nil, ""
	}
	return v
}

// Holds tells whether a node has a resource by grants of those above it alone:
// only then can its admins hand the resource out. The plane's root needs no
// grant; whoever administers it decides for the plane. Nor does the owner.
func (t *Table) Holds(resourceID, authority string, now time.Time) Verdict {
	v := Verdict{Rule: RuleNotGranted, Needs: t.root, root: t.root, Resource: t.resources[resourceID]}
	switch {
	case v.Resource == nil:
		return v
	case strings.HasPrefix(t.root, authority) && authority != "", v.Resource.owned(authority):
		v.Rule, v.Needs = RuleAllow, ""
		return v
	case !strings.HasPrefix(authority, t.root):
		return v
	}
	return t.weigh(v, authority, len(authority), now)
}

// Stands tells whether a grant counts now.
func (t *Table) Stands(grantID string, now time.Time) bool {
	g := t.grants[grantID]
	if g == nil || g.expired(now) {
		return false
	}
	var room [8]*Grant
	r := t.resources[g.Resource]
	return g.Effect == Deny || r.vouched(r.onPath(room[:0], t.root, g.Scope), g, len(t.root), now)
}

// Allowed lists the resources that a scope may use now.
func (t *Table) Allowed(path string, now time.Time) map[string]bool {
	out := map[string]bool{}
	for id := range t.resources {
		if t.Ask(id, path, now).Allowed() {
			out[id] = true
		}
	}
	return out
}

// Resources lists the ids of the plane's resources of a kind, sorted.
func (t *Table) Resources(kind Kind) []string {
	var out []string
	for id, r := range t.resources {
		if r.Kind == kind {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Usable lists the resources of a kind that a scope may use now, by their ids,
// sorted.
func (t *Table) Usable(kind Kind, path string, now time.Time) []string {
	return slices.DeleteFunc(t.Resources(kind), func(id string) bool { return !t.Ask(id, path, now).Allowed() })
}

// Of lists the grants of a resource, by their scopes from the root down.
func (t *Table) Of(resourceID string) []*Grant {
	r := t.resources[resourceID]
	if r == nil {
		return nil
	}
	return slices.SortedFunc(maps.Values(r.at), func(a, b *Grant) int { return strings.Compare(a.Scope, b.Scope) })
}

// Resource finds what can be granted by its id; nil when the plane has no such
// thing.
func (t *Table) Resource(resourceID string) *Resource { return t.resources[resourceID] }

// Grant finds a grant by its id.
func (t *Table) Grant(grantID string) (Grant, bool) {
	if g := t.grants[grantID]; g != nil {
		return *g, true
	}
	return Grant{}, false
}

// At is the grant of a resource that stands at a scope itself, nil for none.
func (t *Table) At(resourceID, path string) *Grant {
	if r := t.resources[resourceID]; r != nil {
		return r.at[path]
	}
	return nil
}

// NextExpiry is when the next grant of the plane expires; zero for never.
func (t *Table) NextExpiry(now time.Time) time.Time {
	var next time.Time
	for _, g := range t.grants {
		if now.Before(g.ExpiresAt) && (next.IsZero() || g.ExpiresAt.Before(next)) {
			next = g.ExpiresAt
		}
	}
	return next
}

// archivedAt is the highest archived scope of a path, "" for none.
func (t *Table) archivedAt(path string) string {
	if len(t.archived) == 0 {
		return ""
	}
	for end := len(t.root); end > 0; end = next(path, end) {
		if t.archived[path[:end]] {
			return path[:end]
		}
	}
	return ""
}

// onPath collects a resource's grants from the plane's root down to a node, and
// with a tool's those of its connection.
func (r *Resource) onPath(into []*Grant, root, path string) []*Grant {
	for end := len(root); end > 0; end = next(path, end) {
		if r.of != nil {
			if g := r.of.at[path[:end]]; g != nil {
				into = append(into, g)
			}
		}
		if g := r.at[path[:end]]; g != nil {
			into = append(into, g)
		}
	}
	return into
}

// next is where the next part of a path ends, 0 when there is none.
func next(path string, end int) int {
	i := strings.IndexByte(path[end:], '/')
	if i < 0 {
		return 0
	}
	return end + i + 1
}

// parent is the path of the node above.
func parent(path string) string {
	return path[:strings.LastIndexByte(strings.TrimSuffix(path, "/"), '/')+1]
}

// weigh completes a verdict by the grants on a node's path whose authority lies
// in fewer than `below` bytes of it.
func (t *Table) weigh(v Verdict, path string, below int, now time.Time) Verdict {
	var room [8]*Grant // deeper paths are rare, and cost an allocation
	onPath := v.Resource.onPath(room[:0], t.root, path)
	v.Rule, v.Grant = v.Resource.decide(onPath, len(t.root), len(path), below, now)
	switch v.Rule {
	case RuleAllow:
		v.Needs = ""
	case RuleDeny:
		v.Needs = t.root
		if !v.Grant.adrift() && len(v.Grant.Authority) > len(t.root) {
			v.Needs = v.Grant.Authority
		}
	case RuleExpired:
		v.Needs = t.root
		if !v.Grant.adrift() && v.Resource.vouched(onPath, v.Grant, len(t.root), now) {
			v.Needs = v.Grant.Authority
			if len(v.Needs) < len(t.root) {
				v.Needs = t.root
			}
		}
	default:
		v.Needs = t.root
	}
	return v
}

// decide finds what decides at the first `node` bytes of a path, given its
// grants from the root down. Of ALLOWs the highest is named, of reasons why one
// doesn't stand the lowest.
func (r *Resource) decide(onPath []*Grant, root, node, below int, now time.Time) (Rule, *Grant) {
	var allow, expired, lost *Grant
	for _, g := range onPath {
		if len(g.Scope) > node || (len(g.Authority) >= below && !g.adrift()) {
			continue
		}
		switch {
		case g.Effect == Deny:
			if !g.expired(now) {
				return RuleDeny, g
			}
		case g.expired(now):
			expired = g
		case !r.vouched(onPath, g, root, now):
			lost = g
		case allow == nil:
			allow = g
		}
	}
	switch {
	case allow != nil:
		return RuleAllow, allow
	case expired != nil:
		return RuleExpired, expired
	case lost != nil:
		return RuleAuthorityLost, lost
	}
	return RuleNotGranted, nil
}

// vouched tells whether the authority behind an ALLOW has the resource itself,
// by authorities strictly above it: each step leads nearer to the root, whose
// admins need no grant.
func (r *Resource) vouched(onPath []*Grant, g *Grant, root int, now time.Time) bool {
	if g.adrift() {
		return false
	}
	if len(g.Authority) <= root || r.owned(g.Authority) {
		return true
	}
	rule, _ := r.decide(onPath, root, len(g.Authority), len(g.Authority), now)
	return rule == RuleAllow
}
