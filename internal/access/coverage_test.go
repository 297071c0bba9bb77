package access

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/policies"
)

// holes lists coordinates without a class, and lines of coverage.json that
// cover nothing.
func holes(c *coverage, schema *ast.Schema) (uncoveredOnes, stale []string) {
	all := coordinates(schema)
	for _, coordinate := range all {
		if c.index[coordinate] == uncovered {
			uncoveredOnes = append(uncoveredOnes, coordinate)
		}
	}
	for coordinate := range c.fields {
		if !slices.Contains(all, coordinate) {
			stale = append(stale, coordinate)
		}
	}
	for name := range c.types {
		def := schema.Types[name]
		if def == nil || def == schema.Query || def == schema.Mutation || def == schema.Subscription {
			stale = append(stale, name)
		}
	}
	return uncoveredOnes, stale
}

func coverageOf(t *testing.T, schema *ast.Schema) *coverage {
	t.Helper()
	r, err := compile(policies.FS, schema)
	require.NoError(t, err)
	return r.coverage
}

func TestEveryCoordinateHasAClass(t *testing.T) {
	t.Parallel()
	schema := productSchema(t)
	uncoveredOnes, stale := holes(coverageOf(t, schema), schema)
	require.Empty(t, uncoveredOnes, "give them a class in policies/coverage.json")
	require.Empty(t, stale, "policies/coverage.json names what the schema doesn't have")
}

func TestEveryClassIsUsed(t *testing.T) {
	t.Parallel()
	schema := productSchema(t)
	c := coverageOf(t, schema)
	used := map[string]bool{}
	for _, bit := range c.index {
		used[c.class(bit).name] = true
	}
	for _, class := range c.classes {
		require.True(t, used[class.name], class.name)
		require.NotEmpty(t, class.needs, class.name)
	}
}

func TestCoverageFailsForWhatIsNew(t *testing.T) {
	t.Parallel()
	schema := productSchema(t)
	extended, err := gqlparser.LoadSchema(&ast.Source{Input: `
		type Query { viewer: String  secrets: String  page(order: Order, in: In): String }
		type Secret { text: String }
		enum Order { COST }
		input In { a: Int }
	`})
	require.NoError(t, err)
	c := coverageOf(t, extended)
	uncoveredOnes, stale := holes(c, extended)
	require.Equal(t, []string{"In.a", "Order.COST", "Query.page", "Query.page(in:)", "Query.page(order:)", "Query.secrets", "Secret.text"}, uncoveredOnes)
	require.Contains(t, stale, "Query.platform")
	require.Contains(t, stale, "Budget")
	require.Equal(t, uncovered, coverageOf(t, schema).bit("Budget.brandNew"))
}

// kindsOfPeople is one subject for each combination that graph.rego can tell
// apart by a single role, and those without; each of a person's also as a
// program of theirs that may read, and as one that may not even that.
func kindsOfPeople() []Subject {
	out := []Subject{{}, {Kind: tenancy.KeyViewer}, {Kind: tenancy.UserViewer}}
	for _, role := range []string{"ADMIN", "VIEWER", "MEMBER"} {
		for _, level := range []string{"PLATFORM", "ACCOUNT", "PLANE", "ORGANIZATION", "TEAM", "MEMBER"} {
			for _, platform := range []bool{false, true} {
				s := Subject{Kind: tenancy.UserViewer, Platform: platform, Roles: role + " " + level + " CONSOLE"}
				out = append(out, s)
				s.Narrowed = true
				for _, s.Permissions = range []string{"profile", "profile,read"} {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// A hidden field comes back null: where somebody sees the object but not the
// field, the field must be able to.
func TestWhatMayBeHiddenIsNullable(t *testing.T) {
	t.Parallel()
	schema := productSchema(t)
	r, err := compile(policies.FS, schema)
	require.NoError(t, err)
	c := r.coverage
	var wrong []string
	for _, s := range kindsOfPeople() {
		allowed, err := r.classesOf(context.Background(), s)
		require.NoError(t, err)
		sees := func(coordinate string) bool { return allowed&(1<<c.bit(coordinate)) != 0 }
		for _, def := range schema.Types {
			if def.Kind != ast.Object || plumbing(def) || def == schema.Query || def == schema.Mutation || def == schema.Subscription || strings.HasPrefix(def.Name, "__") {
				continue
			}
			for _, f := range def.Fields {
				coordinate := def.Name + "." + f.Name
				if !f.Type.NonNull || strings.HasPrefix(f.Name, "__") || !sees(def.Name+"."+lowest(c, def)) {
					continue
				}
				if !sees(coordinate) || !opens(schema, c, f.Type, allowed) {
					wrong = append(wrong, coordinate)
				}
			}
		}
	}
	slices.Sort(wrong)
	require.Empty(t, slices.Compact(wrong), "make these fields nullable, or give them the class of their type")
}

// lowest is a field that has its type's own class, thus is seen by everybody
// who the type is meant for.
func lowest(c *coverage, def *ast.Definition) string {
	for _, f := range def.Fields {
		if _, own := c.fields[def.Name+"."+f.Name]; !own && !strings.HasPrefix(f.Name, "__") {
			return f.Name
		}
	}
	return def.Fields[0].Name
}

// plumbing holds nothing itself: what matters is what it leads to, and that
// is asked of the fields that lead to the plumbing.
func plumbing(def *ast.Definition) bool {
	return isConnection(&ast.Type{NamedType: def.Name}) || strings.HasSuffix(def.Name, "Edge")
}

// opens tells whether a field leads to an object of which anything is seen;
// rows of a connection are what counts of it.
func opens(schema *ast.Schema, c *coverage, t *ast.Type, allowed classes) bool {
	def := schema.Types[t.Name()]
	if def == nil || def.Kind != ast.Object {
		return true
	}
	if edges := def.Fields.ForName("edges"); edges != nil {
		return opens(schema, c, schema.Types[edges.Type.Name()].Fields.ForName("node").Type, allowed)
	}
	return allowed&(1<<c.bit(def.Name+"."+lowest(c, def))) != 0
}
