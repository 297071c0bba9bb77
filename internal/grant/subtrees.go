package grant

import (
	"slices"
	"strings"
	"time"
)

// Subtrees describes by paths where a resource may be used now: everything
// under one of allowed, save what lies under one of refused. It looks at the
// grants alone, of which there are few, and at no seat, of which there are many.
func (t *Table) Subtrees(resourceID string, now time.Time) (allowed, refused []string) {
	if r := t.resources[resourceID]; r == nil || r.state() != Usable {
		return nil, nil
	}
	return t.Granted(resourceID, now)
}

// Granted is Subtrees whatever the resource itself says about being used: where
// it may be used once it is approved, or switched on.
func (t *Table) Granted(resourceID string, now time.Time) (allowed, refused []string) {
	r := t.resources[resourceID]
	if r == nil {
		return nil, nil
	}
	// A verdict changes only where a grant is set: between them it is that of
	// the node above.
	for path := range r.marks() {
		switch t.granted(r, path, now).Rule {
		case RuleAllow, RuleOwn:
			allowed = append(allowed, path)
		case RuleDeny:
			refused = append(refused, path)
		case RuleNotGranted, RuleExpired, RuleAuthorityLost, RuleDisabled, RuleNotOffered, RuleArchived, RuleHeld, RuleUnpublished:
		}
	}
	for path := range t.archived {
		refused = append(refused, path)
	}
	return tops(allowed), tops(refused)
}

// marks are the paths at which a verdict may change.
func (r *Resource) marks() map[string]bool {
	out := make(map[string]bool, len(r.at)+1)
	for path := range r.at {
		out[path] = true
	}
	if r.of != nil {
		for path := range r.of.at {
			out[path] = true
		}
	}
	if r.ownSeat(r.Owner) {
		out[r.Owner] = true
	}
	return out
}

// tops drops the paths that lie below another one of the list.
func tops(paths []string) []string {
	slices.Sort(paths) // what lies below a path follows it
	out := paths[:0]
	for _, path := range paths {
		if len(out) == 0 || !strings.HasPrefix(path, out[len(out)-1]) {
			out = append(out, path)
		}
	}
	return out
}
