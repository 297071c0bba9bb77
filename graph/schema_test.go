package graph

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2/ast"
)

var update = flag.Bool("update", false, "write the snapshot of the SDL anew")

// The snapshot shows every change of the contract in the diff that makes it.
func TestSDLSnapshot(t *testing.T) {
	t.Parallel()
	const file = "testdata/schema.graphql"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(SDL()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), SDL(), "the SDL changed: go test ./graph -run SDL -update, and a line in the CHANGELOG if it breaks clients")
}

// Every type, field, argument-free or not, and every enum value says something.
func TestEveryFieldIsDocumented(t *testing.T) {
	t.Parallel()
	n := 0
	for name, d := range Schema().Types {
		if d.BuiltIn || strings.HasPrefix(name, "__") {
			continue
		}
		require.NotEmpty(t, d.Description, name)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			n++
			require.NotEmpty(t, f.Description, "%s.%s", name, f.Name)
		}
		for _, v := range d.EnumValues {
			require.NotEmpty(t, v.Description, "%s.%s", name, v.Name)
		}
	}
	require.Greater(t, n, 300)
}

// Lists that can grow are connections; what isn't one is bounded by nature and
// listed here with the reason.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	bounded := map[string]string{
		"errors": "of one input", "path": "of one field", "topics": "those there are", "notificationPreferences": "of one person", "alerts": "thresholds of one cycle", "viewerCan": "fixed actions", "viewerCanWithin": "fixed actions", "edges": "of one page", "roles": "of one person",
		"accounts": "of one login, 100", "choices": "of one login, 100", "planes": "two", "series": "days of a cycle", "budgets": "on one path", "seriesLow": "62", "seriesHigh": "62", "targets": "models of a plane, 500", "previousSeries": "days of a cycle", "passed": "levels of the tree", "raises": "budgets on one path", "overflow": "budgets on one path", "states": "changed ones, 500",
		"topSpenders": "five", "limits": "budgets on one path", "models": "of a key or provider, 100", "rows": "asked for, 100", "periods": "of a range, 400", "starts": "of a range, 401", "amounts": "of a range, 401", "others": "of a range, 401", "groups": "asked for, 100", "days": "of a range, 400", "classes": "eight",
		"changes": "fields of one row, or budgets, 500", "warnings": "of one plan, 500", "increases": "in force, 20", "thresholds": "ten", "prices": "50",
		"lines": "of one call, 100", "tags": "of one call, 16", "creditFactors": "100", "categories": "12", "screenshots": "eight", "capabilities": "12", "requirements": "12", "versions": "50", "installations": "100", "ratings": "50", "inputs": "five", "outputs": "five",
		"permissions": "those there are", "grantable": "those there are", "providers": "of one account, 20", "scopes": "of one provider, 20",
		"mappings": "of one provider, 200", "redirectUris": "20", "invitations": "of one input, 100", "notes": "of one act", "steps": "of one path", "starters": "eight",
		"who": "ten", "buckets": "200", "tools": "of one connection, 500", "usableConnections": "of one account, 500", "command": "one of the operator's", "stdioCommands": "the operator's", "seats": "of one person, 100",
		"features": "those there are", "deciders": "100", "deputyChoices": "100", "requestRules": "two",
		"agentGroups": "of one account, 500", "agents": "of one account, 500", "allow": "50", "assignments": "of one preset, 500", "fallbacks": "five", "findings": "rules of one preset", "guardrailPresetIds": "20", "guardrailTemplates": "those there are", "knowledge": "20", "ownAgents": "of one person, 500", "rules": "50", "validation": "of one definition", "diff": "fields of one definition", "scopeGuardrails": "assignments on one path", "guardrails": "presets on one path", "guardrailChoices": "100", "lacks": "of one listing", "parts": "five", "words": "500",
	}
	for name, d := range Schema().Types {
		if d.Kind != ast.Object && d.Kind != ast.Interface || strings.HasPrefix(name, "__") {
			continue
		}
		for _, f := range d.Fields {
			if f.Type.Elem != nil && !strings.HasPrefix(f.Name, "__") {
				require.Contains(t, bounded, f.Name, "%s.%s is a list without a bound", name, f.Name)
			}
			if page := f.Type.NamedType; strings.HasSuffix(page, "Connection") && page != "Connection" { // the source of tools is no page
				require.NotNil(t, f.Arguments.ForName("first"), "%s.%s", name, f.Name)
			}
		}
	}
}
