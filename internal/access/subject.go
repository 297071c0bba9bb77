package access

import (
	"context"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/tenancy"
)

// Subject is a class of viewers that the policies can't tell apart: it names
// neither person nor account. The policies' input is built from it alone, so a
// cached decision can't depend on anything that its key leaves out.
type Subject struct {
	// Kind is empty for somebody who isn't signed in.
	Kind tenancy.ViewerKind
	// Platform is true for staff.
	Platform bool
	// Roles is the sorted set of "ROLE LEVEL PLANE", joined by commas.
	Roles string
	// Narrowed subjects have Permissions, sorted and joined by commas.
	Narrowed    bool
	Permissions string
}

// SubjectOf returns the class of a viewer; nil is somebody not signed in.
func SubjectOf(v *tenancy.Viewer) Subject {
	if v == nil {
		return Subject{}
	}
	s := Subject{Kind: v.Kind, Platform: v.Platform, Narrowed: v.Narrowed, Permissions: permissionsOf(v)}
	switch len(v.Roles) {
	case 0:
	case 1:
		s.Roles = roleClass(v.Roles[0])
	default:
		roles := make([]string, len(v.Roles))
		for i, r := range v.Roles {
			roles[i] = roleClass(r)
		}
		slices.Sort(roles)
		s.Roles = strings.Join(slices.Compact(roles), ",")
	}
	return s
}

// permissionsOf joins what a narrowed viewer is left with; viewers are made with
// their permissions sorted.
func permissionsOf(v *tenancy.Viewer) string {
	if !v.Narrowed {
		return ""
	}
	return strings.Join(v.Permissions, ",")
}

func listOf(permissions string) []any {
	out := []any{}
	for p := range strings.SplitSeq(permissions, ",") {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

func roleClass(r tenancy.Role) string {
	return string(r.Role) + " " + LevelOf(r.Kind) + " " + string(r.Plane)
}

// LevelOf is a kind's place in the tree, as the policies name it: the two plane
// roots are one level.
func LevelOf(k tenancy.Kind) string {
	if k == tenancy.KindConsole || k == tenancy.KindCopilot {
		return "PLANE"
	}
	return string(k)
}

func (s Subject) input() map[string]any {
	roles := []any{}
	for class := range strings.SplitSeq(s.Roles, ",") {
		if part := strings.Split(class, " "); len(part) == 3 {
			roles = append(roles, map[string]any{"role": part[0], "level": part[1], "plane": part[2]})
		}
	}
	return map[string]any{
		"signedIn":    s.Kind != "",
		"kind":        string(s.Kind),
		"platform":    s.Platform,
		"roles":       roles,
		"narrowed":    s.Narrowed,
		"permissions": listOf(s.Permissions),
	}
}

// classesOf returns the classes of coordinates that a subject may use.
func (r *revision) classesOf(ctx context.Context, s Subject) (classes, error) {
	if c, ok := r.allowed.Get(s); ok {
		return c, nil
	}
	var decisions map[string]bool
	if err := evaluate(ctx, r.graph, map[string]any{"subject": s.input()}, &decisions); err != nil {
		return 0, err
	}
	var c classes
	for i, class := range r.coverage.classes {
		if decisions[class.name] {
			c |= 1 << i
		}
	}
	r.allowed.Add(s, c)
	return c, nil
}
