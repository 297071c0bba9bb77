package access

import (
	"context"
	"encoding/json"
	goast "go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/fstest"

	opa "github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/policies"
)

// productSchema is the SDL as it is written, not as it is generated.
func productSchema(t testing.TB) *ast.Schema {
	t.Helper()
	names, err := filepath.Glob("../../graph/*/*.graphqls")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	var sources []*ast.Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	require.NoError(t, err)
	return schema
}

// with returns the product's policies with some files replaced; an empty text
// takes a file away.
func with(t testing.TB, files map[string]string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.Glob(policies.FS, "*")
	require.NoError(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(policies.FS, name)
		require.NoError(t, err)
		out[name] = &fstest.MapFile{Data: text}
	}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
		if text == "" {
			delete(out, name)
		}
	}
	return out
}

func TestRego(t *testing.T) {
	t.Parallel()
	modules := map[string]*opa.Module{}
	names, err := fs.Glob(policies.FS, "*.rego")
	require.NoError(t, err)
	for _, name := range names {
		text, err := fs.ReadFile(policies.FS, name)
		require.NoError(t, err)
		modules[name], err = opa.ParseModule(name, string(text))
		require.NoError(t, err)
	}
	_, data, _, err := read(policies.FS)
	require.NoError(t, err)
	store := inmem.NewFromObject(data)
	runner := tester.NewRunner().SetStore(store).SetModules(modules).RaiseBuiltinErrors(true)
	ctx := context.Background()
	count := 0
	require.NoError(t, storage.Txn(ctx, store, storage.TransactionParams{}, func(txn storage.Transaction) error {
		results, err := runner.RunTests(ctx, txn)
		require.NoError(t, err)
		for r := range results {
			count++
			require.NoError(t, r.Error, r.Name)
			if !r.Pass() {
				t.Errorf("%s in %s", r.Name, r.Location)
			}
		}
		return nil
	}))
	require.Greater(t, count, 30)
}

func TestLoadKeepsThePoliciesThatWork(t *testing.T) {
	t.Parallel()
	e, err := New(productSchema(t))
	require.NoError(t, err)
	before := e.Revision()
	require.NotEmpty(t, before)
	for name, files := range map[string]map[string]string{
		"no Rego":            {"graph.rego": "", "roles.rego": "", "gateway.rego": ""},
		"bad Rego":           {"graph.rego": "package cockpit.graph\ndecisions := "},
		"conflict":           {"graph.rego": "package cockpit.graph\ndecisions := 1\ndecisions(x) := x"},
		"bad JSON":           {"classes.json": "{"},
		"twice the same":     {"more.json": `{"types": {}}`},
		"class nobody names": {"classes.json": `{"classes": {"public": {"permission": "", "needs": "nothing"}}}`},
	} {
		require.Error(t, e.Load(with(t, files)), name)
		require.Equal(t, before, e.Revision(), name)
	}
	require.NoError(t, e.Load(with(t, map[string]string{"note.json": `{"note": 1}`})))
	require.NotEqual(t, before, e.Revision())
}

func TestActionsAreThoseOfThePolicies(t *testing.T) {
	t.Parallel()
	var file struct{ Actions map[string]any }
	text, err := fs.ReadFile(policies.FS, "actions.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &file))
	known := constants(t)
	for _, a := range known {
		require.Contains(t, file.Actions, a)
	}
	require.Len(t, file.Actions, len(known), "actions.go lacks some of actions.json")
	require.Contains(t, known, string(GrantRead))
}

// constants are the values of all constants of actions.go.
func constants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "actions.go", nil, 0)
	require.NoError(t, err)
	var out []string
	goast.Inspect(file, func(n goast.Node) bool {
		if spec, ok := n.(*goast.ValueSpec); ok {
			for _, v := range spec.Values {
				lit, ok := v.(*goast.BasicLit)
				require.True(t, ok)
				text, err := strconv.Unquote(lit.Value)
				require.NoError(t, err)
				out = append(out, text)
			}
		}
		return true
	})
	return out
}
