package server

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/alchemi/cockpit/"

// order is the import order: a package may import those of its own group and
// of the groups before it. A new package needs a place here, in .golangci.yml
// and in docs/architecture.md.
var order = [][]string{
	{"internal/fault", "internal/money", "internal/id", "internal/secret", "internal/outbound"},
	{"internal/detect"},
	{"schema", "ent"},
	{"internal/tenancy"},
	{"internal/events"},
	{"internal/audit"},
	{"migrations"},
	{"internal/store"},
	{"policies"},
	{"internal/access"},
	{"internal/mail"},
	{"internal/grant"},
	{"internal/feature"},
	{"internal/guardrail"},
	{"internal/budget"},
	{"internal/identity"},
	{"internal/idtoken"},
	{"internal/request"},
	{"internal/notify"},
	{"internal/alert"},
	{"internal/webhook"},
	{"internal/oauth"},
	{"internal/sso"},
	{"internal/catalog"},
	{"internal/openapi"},
	{"internal/composio"},
	{"internal/credential"},
	{"internal/connections"},
	{"internal/agents"},
	{"internal/marketplace"},
	{"internal/gateway"},
	{"internal/mcp"},
	{"internal/demo"},
	{"graph"},
	{"ui"},
	{"server"},
	{"bench"},
	{"."},
}

func rank(pkg string) int {
	if pkg == strings.TrimSuffix(module, "/") {
		return len(order) - 1
	}
	pkg = strings.TrimPrefix(pkg, module)
	return slices.IndexFunc(order, func(group []string) bool {
		return slices.ContainsFunc(group, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
	})
}

func TestImportsGoLeft(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err)
	packages := 0
	for line := range strings.Lines(string(out)) {
		imports := strings.Fields(line)
		pkg := imports[0]
		packages++
		require.GreaterOrEqual(t, rank(pkg), 0, "%s has no place in the import order", pkg)
		for _, other := range imports[1:] {
			if strings.HasPrefix(other, module) {
				require.GreaterOrEqual(t, rank(pkg), rank(other), "%s imports %s, which lies to its right", pkg, other)
			}
		}
	}
	require.Greater(t, packages, 20)
}

// Clients made elsewhere would have no guard, transactions made elsewhere no
// audit event.
func TestOnlyTheStoreMakesClients(t *testing.T) {
	t.Parallel()
	forbidden := regexp.MustCompile(`\bent\.(NewClient|Open|Driver)\(|\benttest\.`)
	seen := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || path == "../ent") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasPrefix(path, "../internal/store/") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		seen++
		require.NotRegexp(t, forbidden, string(text), path)
		return err
	}))
	require.Greater(t, seen, 50)
}
