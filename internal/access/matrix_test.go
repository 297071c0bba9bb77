package access

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/policies"
)

var update = flag.Bool("update", false, "write docs/permissions.md anew")

// grid is policies/matrix.csv: who may do what, written down by hand as people
// understand it, beside the policies and not from them.
type grid struct {
	subjects []string
	rows     []gridRow
	byCell   map[string]gridRow
}

type gridRow struct {
	action, at, plane, permission, about string
	may                                  map[string]bool // by subject
}

func readGrid(t testing.TB) *grid {
	t.Helper()
	f, err := os.Open("../../policies/matrix.csv")
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	lines, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	head := lines[0]
	g := &grid{subjects: head[3 : len(head)-2], byCell: map[string]gridRow{}}
	for _, line := range lines[1:] {
		row := gridRow{action: line[0], at: line[1], plane: line[2], permission: line[len(line)-2], about: line[len(line)-1], may: map[string]bool{}}
		for i, subject := range g.subjects {
			cell := line[3+i]
			require.Contains(t, []string{"yes", "-"}, cell, "%v", line)
			row.may[subject] = cell == "yes"
		}
		g.rows = append(g.rows, row)
		for _, plane := range []string{"Console", "Copilot"} {
			if row.plane == "any" || row.plane == plane {
				cell := row.action + " " + row.at + " " + plane
				require.NotContains(t, g.byCell, cell, "a cell twice")
				g.byCell[cell] = row
			}
		}
	}
	return g
}

func (g *grid) actions() []string {
	set := map[string]bool{}
	for _, r := range g.rows {
		set[r.action] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// Levels of the grid from the root down, with the nodes of a plane's line and
// what lies beside each.
var gridLevels = []struct {
	name         string
	kind, beside tenancy.Kind
	path, other  string // %s is con_1 or cop_1, or the other one
}{
	{"platform", tenancy.KindPlatform, "", "/", ""},
	{"account", tenancy.KindAccount, tenancy.KindAccount, "/acc_1/", "/acc_12/"},
	{"plane", "", "", "/acc_1/%s/", "/acc_1/%s/"},
	{"organization", tenancy.KindOrganization, tenancy.KindOrganization, "/acc_1/%s/org_1/", "/acc_1/%s/org_12/"},
	{"team", tenancy.KindTeam, tenancy.KindTeam, "/acc_1/%s/org_1/team_1/", "/acc_1/%s/org_1/team_12/"},
	{"seat", tenancy.KindMember, tenancy.KindMember, "/acc_1/%s/org_1/team_1/mem_1/", "/acc_1/%s/org_1/team_1/mem_12/"},
	{"key", tenancy.KindKey, tenancy.KindKey, "/acc_1/%s/org_1/team_1/mem_1/key_1/", "/acc_1/%s/org_1/team_1/mem_1/key_12/"},
	{"agent", tenancy.KindAgent, tenancy.KindAgent, "/acc_1/%s/org_1/team_1/mem_1/agt_1/", "/acc_1/%s/org_1/team_1/mem_1/agt_12/"},
}

func levelIndex(t testing.TB, name string) int {
	t.Helper()
	for i, l := range gridLevels {
		if l.name == name {
			return i
		}
	}
	t.Fatalf("no level %q", name)
	return 0
}

// nodeAt is a node of a plane's line, or with beside its neighbour.
func nodeAt(level int, plane string, beside bool) Target {
	root, other := "con_1", "cop_1"
	rootKind, otherKind := tenancy.KindConsole, tenancy.KindCopilot
	if plane == "Copilot" {
		root, other, rootKind, otherKind = other, root, otherKind, rootKind
	}
	l := gridLevels[level]
	path, kind := l.path, l.kind
	if beside {
		path = l.other
	}
	if l.name == "plane" {
		kind = rootKind
		if beside {
			root, kind = other, otherKind
		}
	}
	if strings.Contains(path, "%s") {
		path = fmt.Sprintf(path, root)
	}
	return at(kind, path)
}

// roleOf reads a subject's name: "organization viewer", "seat owner".
func roleOf(t testing.TB, subject string) (tenancy.RoleName, int) {
	t.Helper()
	switch subject {
	case "super admin":
		return tenancy.Admin, 0
	case "seat owner":
		return tenancy.Seatholder, levelIndex(t, "seat")
	}
	level, name, _ := strings.Cut(subject, " ")
	return map[string]tenancy.RoleName{"admin": tenancy.Admin, "viewer": tenancy.Auditor}[name], levelIndex(t, level)
}

func (g *grid) viewer(t testing.TB, subject, plane string, beside bool) *tenancy.Viewer {
	t.Helper()
	name, level := roleOf(t, subject)
	n := nodeAt(level, plane, beside)
	return &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: "acc_1", UserID: "usr_1", Platform: level == 0, Roles: []tenancy.Role{role(name, n.Kind, n.Path)}}
}

// Every action at every level, for every role at every level that reaches it,
// lies below it or lies beside it, in both planes, answers as the grid says.
func TestMatrix(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	e.Off = func(context.Context, string, Target, string) *fault.Error { return nil } // features are on
	g := readGrid(t)
	cells, allowed := 0, 0
	check := func(v *tenancy.Viewer, action string, target Target, want bool, what string) {
		t.Helper()
		cells++
		d := e.Decide(tenancy.WithViewer(context.Background(), v), Action(action), target)
		require.Equal(t, want, d.Allowed, "%s: %s at %s: %s (%s)", what, action, target.Path, d.Rule, d.Reason)
		if want {
			allowed++
		}
	}
	for _, action := range g.actions() {
		for level, l := range gridLevels {
			for _, plane := range []string{"Console", "Copilot"} {
				target := nodeAt(level, plane, false)
				row, exists := g.byCell[action+" "+l.name+" "+plane]
				for _, subject := range g.subjects {
					_, held := roleOf(t, subject)
					want := exists && row.may[subject]
					require.False(t, want && held > level, "the grid lets %s do %s above themselves", subject, action)
					check(g.viewer(t, subject, plane, false), action, target, want, subject)
					if held > 0 {
						check(g.viewer(t, subject, plane, true), action, target, false, subject+" beside it")
						continue
					}
					tenant := g.viewer(t, subject, plane, false)
					tenant.Platform = false
					check(tenant, action, target, false, "a tenant as "+subject)
				}
				check(&tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: "acc_1", UserID: "usr_1"}, action, target, false, "nobody in particular")
				for _, subject := range g.subjects {
					key := g.viewer(t, subject, plane, false)
					key.Kind = tenancy.KeyViewer
					check(key, action, target, false, "a key with the roles of "+subject)
					program := g.viewer(t, subject, plane, false)
					program.Kind = tenancy.ClientViewer
					check(program, action, target, false, "a program without permissions, with the roles of "+subject)
				}
			}
		}
	}
	require.Greater(t, cells, 20_000)
	t.Logf("%d cells, %d of them allowed", cells, allowed)
}

// A program or token does what its person may and its permissions name, both:
// each action with each permission.
func TestMatrixOfPermissions(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	e.Off = func(context.Context, string, Target, string) *fault.Error { return nil }
	g := readGrid(t)
	every := slices.Sorted(maps.Keys(Permissions()))
	cells := 0
	for _, row := range g.rows {
		plane := "Console"
		if row.plane == "Copilot" {
			plane = row.plane
		}
		target := nodeAt(levelIndex(t, row.at), plane, false)
		var needs []string
		if row.permission != "never" {
			needs = strings.Fields(row.permission)
			require.Subset(t, every, needs)
		}
		for _, subject := range g.subjects {
			ask := func(kind tenancy.ViewerKind, permissions ...string) bool {
				v := g.viewer(t, subject, plane, false)
				v.Kind, v.Narrowed, v.Permissions = kind, true, permissions
				cells++
				return e.Decide(tenancy.WithViewer(context.Background(), v), Action(row.action), target).Allowed
			}
			for _, kind := range []tenancy.ViewerKind{tenancy.UserViewer, tenancy.ClientViewer} {
				for _, p := range every {
					alone := len(needs) == 1 && p == needs[0]
					require.Equal(t, row.may[subject] && alone, ask(kind, p), "%s as %s with %s alone", row.action, subject, p)
				}
				require.Equal(t, row.may[subject] && len(needs) > 0, ask(kind, needs...), "%s as %s with what it needs", row.action, subject)
				for _, need := range needs {
					without := slices.DeleteFunc(slices.Clone(every), func(p string) bool { return p == need })
					require.False(t, ask(kind, without...), "%s as %s without %s", row.action, subject, need)
				}
				require.Equal(t, row.may[subject] && row.permission != "never", ask(kind, every...), "%s as %s with everything", row.action, subject)
				require.False(t, ask(kind), "%s as %s with nothing", row.action, subject)
			}
		}
	}
	t.Logf("%d cells", cells)
}

// The grid knows all actions that there are, and no other.
func TestMatrixIsWhole(t *testing.T) {
	t.Parallel()
	text, err := policies.FS.ReadFile("actions.json")
	require.NoError(t, err)
	var file struct{ Actions map[string]any }
	require.NoError(t, json.Unmarshal(text, &file))
	require.Equal(t, slices.Sorted(maps.Keys(file.Actions)), readGrid(t).actions())
}

// docs/permissions.md shows the grid to people; -update writes it anew.
func TestMatrixIsDocumented(t *testing.T) {
	t.Parallel()
	const name = "../../docs/permissions.md"
	want := readGrid(t).document()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o644)) //nolint:gosec // a document
	}
	is, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, want, string(is), "docs/permissions.md lags behind policies/matrix.csv: go test ./internal/access -run Documented -update")
}

var nouns = []struct{ title, about string }{
	{"account", "Accounts"}, {"audit", "Audit log"}, {"budget", "Budgets"}, {"catalogModel", "Catalogue"}, {"catalogPrice", "Catalogue"},
	{"centralProvider", "Catalogue"}, {"domain", "Domains and sign-in"}, {"signIn", "Domains and sign-in"}, {"grant", "Grants"},
	{"invitation", "Invitations and roles"}, {"role", "Invitations and roles"}, {"key", "Virtual keys"}, {"member", "Seats and people"},
	{"user", "Seats and people"}, {"session", "Seats and people"}, {"model", "Models and providers"}, {"defaultModel", "Models and providers"}, {"listing", "Marketplace"}, {"platformListing", "Marketplace"}, {"modelPrice", "Models and providers"},
	{"provider", "Models and providers"}, {"organization", "Organizations"}, {"team", "Teams"}, {"serviceClient", "Programs"}, {"webhook", "Webhooks"}, {"support", "Support access"},
	{"request", "Requests for more budget"}, {"usage", "Usage"},
}

func (g *grid) document() string {
	var b strings.Builder
	b.WriteString("# Who may do what\n\n" +
		"Generated from `policies/matrix.csv` by a test, which asks the policies about every cell of it: change the grid, then run\n" +
		"`go test ./internal/access -run Documented -update`. How roles, grants and explanations work together is told in [access.md](access.md).\n\n" +
		"A role is held at a node and reaches its subtree: an organization's admin is admin of its teams, and of nothing beside it or above.\n" +
		"*Done at* says on what kind of place the action is done. Nobody listed in a row may do it with a role elsewhere, and whoever isn't listed may not.\n" +
		"A program or token acts for a person with some permissions: it may do what the person may *and* its permissions name;\n" +
		"— means that only a person at the cockpit does it. Virtual keys call models, and do none of this. Whoever makes a key must be allowed to\n" +
		"spend: a key calls models at the cost of its owner.\n")
	var titles []string
	rows := map[string][]gridRow{}
	for _, r := range g.rows {
		noun, _, _ := strings.Cut(r.action, ".")
		title := noun
		for _, n := range nouns {
			if n.title == noun {
				title = n.about
			}
		}
		if !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
		rows[title] = append(rows[title], r)
	}
	slices.Sort(titles)
	for _, title := range titles {
		fmt.Fprintf(&b, "\n## %s\n\n| Action | Done at | Who may | Programs need |\n|---|---|---|---|\n", title)
		last := ""
		for _, r := range rows[title] {
			action := ""
			if r.action != last {
				action = fmt.Sprintf("`%s`<br>%s", r.action, r.about)
				last = r.action
			}
			place := r.at
			if r.plane != "any" {
				place += " (" + r.plane + ")"
			}
			permission := "`" + strings.Join(strings.Fields(r.permission), "` and `") + "`"
			if r.permission == "never" {
				permission = "—"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", action, place, g.who(r), permission)
		}
	}
	return b.String()
}

// who gathers roles by name: "admins of account, plane; the seat's owner".
func (g *grid) who(r gridRow) string {
	var staff, admins, viewers, owner []string
	for _, s := range g.subjects {
		switch {
		case !r.may[s]:
		case s == "super admin":
			staff = append(staff, "super admins")
		case s == "platform viewer":
			staff = append(staff, "platform auditors")
		case s == "seat owner":
			owner = append(owner, "the seat's owner")
		case strings.HasSuffix(s, " admin"):
			admins = append(admins, strings.TrimSuffix(s, " admin"))
		default:
			viewers = append(viewers, strings.TrimSuffix(s, " viewer"))
		}
	}
	parts := staff
	if slices.Equal(admins, viewers) && len(admins) > 0 {
		parts = append(parts, "admins and viewers of "+strings.Join(admins, ", "))
	} else {
		if len(admins) > 0 {
			parts = append(parts, "admins of "+strings.Join(admins, ", "))
		}
		if len(viewers) > 0 {
			parts = append(parts, "viewers of "+strings.Join(viewers, ", "))
		}
	}
	return strings.Join(append(parts, owner...), "; ")
}
