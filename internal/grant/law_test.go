package grant_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/grant"
)

// tree is a random plane: nodes by their path, ancestors first.
type tree struct {
	nodes    []string
	archived []string
	state    grant.State
	grants   []*grant.Grant
}

func drawTree(t *rapid.T) *tree {
	w := &tree{nodes: []string{root}, state: rapid.SampledFrom([]grant.State{grant.Usable, grant.Usable, grant.Usable, grant.Usable, grant.Disabled, grant.NotOffered}).Draw(t, "state")}
	grow := func(parents []string, kind string) []string {
		var made []string
		for _, p := range parents {
			for i := range rapid.IntRange(0, 2).Draw(t, kind+"s") {
				// Names that begin alike: kind_1 and kind_10.
				made = append(made, fmt.Sprintf("%s%s_1%s/", p, kind, strings.Repeat("0", i)))
			}
		}
		w.nodes = append(w.nodes, made...)
		return made
	}
	seats := grow(grow(grow([]string{root}, "org"), "team"), "mem")
	grow(append(slices.Clone(seats), root), "key")
	for _, n := range w.nodes[1:] {
		if rapid.IntRange(0, 24).Draw(t, "archived") == 0 {
			w.archived = append(w.archived, n)
		}
		if rapid.IntRange(0, 2).Draw(t, "granted") == 0 {
			w.grants = append(w.grants, w.drawGrant(t, n))
		}
	}
	if rapid.Bool().Draw(t, "granted at the root") {
		w.grants = append(w.grants, w.drawGrant(t, root))
	}
	return w
}

// drawGrant mostly takes authorities that lie above the scope, as the verb
// does; what the verb never makes may come from a move.
func (w *tree) drawGrant(t *rapid.T, at string) *grant.Grant {
	g := &grant.Grant{ID: "grt " + at, Resource: "m", Scope: at, ScopeName: at,
		Effect: rapid.SampledFrom([]grant.Effect{grant.Allow, grant.Allow, grant.Allow, grant.Deny}).Draw(t, "effect")}
	above := slices.DeleteFunc(slices.Clone(w.nodes), func(n string) bool { return !strings.HasPrefix(at, n) })
	switch rapid.IntRange(0, 9).Draw(t, "whose") {
	case 0:
		g.Authority = rapid.SampledFrom(w.nodes).Draw(t, "authority anywhere")
	case 1:
		g.Authority = rapid.SampledFrom([]string{"/acc_1/", "", "/acc_2/con_1/"}).Draw(t, "odd authority")
	default:
		g.Authority = rapid.SampledFrom(above).Draw(t, "authority")
	}
	switch rapid.IntRange(0, 5).Draw(t, "expiry") {
	case 0:
		g.ExpiresAt = noon
	case 1:
		g.ExpiresAt = noon.Add(-time.Hour)
	case 2:
		g.ExpiresAt = noon.Add(time.Microsecond)
	}
	return g
}

func (w *tree) table(grants []*grant.Grant) *grant.Table {
	return grant.NewTable(root, w.archived, []*grant.Resource{{ID: "m", Name: "M", State: w.state}}, grants)
}

// The oracle is the rule as it is written down, asked without any cleverness:
// lists of nodes instead of paths, and every definition a function.
type oracle struct {
	*tree
	now time.Time
}

func lineage(path string) []string { // the plane's root … the node
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var out []string
	for i := 2; i <= len(parts); i++ {
		out = append(out, strings.Join(parts[:i], ">"))
	}
	return out
}

func node(path string) string { return strings.ReplaceAll(strings.Trim(path, "/"), "/", ">") }

func (o oracle) expired(g *grant.Grant) bool {
	return g.ExpiresAt != (time.Time{}) && (o.now.Equal(g.ExpiresAt) || o.now.After(g.ExpiresAt))
}

// administers: the node lies on the grant's own line, so its admins had a say.
func administers(g *grant.Grant) bool {
	return g.Authority == "/acc_1/" || slices.Contains(lineage(g.Scope), node(g.Authority))
}

func isRoot(authority string) bool { return authority == root || authority == "/acc_1/" }

func (o oracle) stands(g *grant.Grant) bool {
	switch {
	case o.expired(g):
		return false
	case g.Effect == grant.Deny:
		return true
	case !administers(g):
		return false
	case isRoot(g.Authority):
		return true
	}
	// The authority's node has it by grants of those strictly above it.
	allowed := false
	for _, other := range o.grants {
		if !slices.Contains(lineage(g.Authority), node(other.Scope)) {
			continue
		}
		if administers(other) && !isRoot(other.Authority) && !slices.Contains(lineage(parentOf(g.Authority)), node(other.Authority)) {
			continue
		}
		if !o.stands(other) {
			continue
		}
		if other.Effect == grant.Deny {
			return false
		}
		allowed = true
	}
	return allowed
}

func parentOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return "/" + strings.Join(parts[:len(parts)-1], "/") + "/"
}

func (o oracle) allowed(path string) bool {
	if o.state != grant.Usable {
		return false
	}
	allowed := false
	for _, above := range lineage(path) {
		for _, a := range o.archived {
			if node(a) == above {
				return false
			}
		}
		for _, g := range o.grants {
			if node(g.Scope) == above && o.stands(g) {
				if g.Effect == grant.Deny {
					return false
				}
				allowed = true
			}
		}
	}
	return allowed
}

func TestPropertyTableAgreesWithTheRule(t *testing.T) {
	t.Parallel()
	allowed, refused := 0, map[grant.Rule]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := drawTree(t)
		tab := w.table(w.grants)
		o := oracle{w, noon}
		in, out := tab.Subtrees("m", noon)
		for _, n := range w.nodes {
			v := tab.Ask("m", n, noon)
			require.Equal(t, o.allowed(n), v.Allowed(), "%s: %s", n, v.Reason())
			if v.Allowed() {
				allowed++
				require.Empty(t, v.Needs)
			} else {
				refused[v.Rule]++
				require.True(t, v.Needs == "/" || strings.HasPrefix(n, v.Needs), "who can change it lies above")
			}
			under := func(p string) bool { return strings.HasPrefix(n, p) }
			require.Equal(t, v.Allowed(), slices.ContainsFunc(in, under) && !slices.ContainsFunc(out, under), "subtrees at %s: %v without %v", n, in, out)
			require.Equal(t, v.Allowed(), tab.Allowed(n, noon)["m"])
		}
		for _, g := range w.grants {
			require.Equal(t, o.stands(g), tab.Stands(g.ID, noon), "%+v", g)
		}
	})
	require.Positive(t, allowed)
	for _, r := range []grant.Rule{grant.RuleDeny, grant.RuleNotGranted, grant.RuleExpired, grant.RuleAuthorityLost, grant.RuleDisabled, grant.RuleNotOffered, grant.RuleArchived} {
		require.Positive(t, refused[r], "the trees never led to %s", r)
	}
}

// Whatever is done on one branch, nobody on another gains or loses by it.
func TestPropertyBranchesDontTouch(t *testing.T) {
	t.Parallel()
	changed := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawTree(t)
		before := w.table(w.grants)
		at := rapid.SampledFrom(w.nodes).Draw(t, "changed at")
		after := w.table(append(slices.DeleteFunc(slices.Clone(w.grants), func(g *grant.Grant) bool { return g.Scope == at }), w.drawGrant(t, at)))
		for _, n := range w.nodes {
			if strings.HasPrefix(n, at) {
				if before.Ask("m", n, noon).Allowed() != after.Ask("m", n, noon).Allowed() {
					changed++
				}
				continue
			}
			require.Equal(t, before.Ask("m", n, noon).Rule, after.Ask("m", n, noon).Rule, "%s after a change at %s", n, at)
		}
	})
	require.Positive(t, changed)
}

func TestPropertyTakingAwayNeverWidens(t *testing.T) {
	t.Parallel()
	lost := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawTree(t)
		before := w.table(w.grants)
		narrower := map[string]*grant.Table{}
		for i, g := range w.grants {
			if g.Effect == grant.Allow {
				narrower["without "+g.ID] = w.table(slices.Delete(slices.Clone(w.grants), i, i+1))
			}
		}
		for _, n := range w.nodes {
			if before.At("m", n) == nil {
				deny := w.drawGrant(t, n)
				deny.Effect = grant.Deny
				narrower["denied at "+n] = w.table(append(slices.Clone(w.grants), deny))
			}
		}
		for what, after := range narrower {
			for _, n := range w.nodes {
				was, is := before.Ask("m", n, noon).Allowed(), after.Ask("m", n, noon).Allowed()
				require.False(t, is && !was, "%s gained: %s", n, what)
				if was && !is {
					lost++
				}
			}
		}
	})
	require.Positive(t, lost)
}
