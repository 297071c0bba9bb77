package feature_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/alchemi/cockpit/internal/feature"
)

// model says it as the documentation does, in the most naive way: it looks at
// all scopes above, in words of prefixes.
func model(flags []feature.Flag, f feature.Feature, path string) (on bool, from string, locked bool) {
	deciding, denied := "", ""
	for _, flag := range flags {
		if flag.Feature != f || !strings.HasPrefix(path, flag.Scope) {
			continue
		}
		if flag.Switch == feature.Deny && (denied == "" || len(flag.Scope) < len(denied)) {
			denied = flag.Scope
		}
		if len(flag.Scope) > len(deciding) {
			deciding, on = flag.Scope, flag.Switch == feature.On
		}
	}
	if denied != "" {
		return false, denied, denied != path
	}
	return on, deciding, false
}

func TestPropertyTheMostSpecificWinsUnderNoDeny(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, root := range []string{"/acc/cop/", "/acc/con/"} {
		paths = append(paths, root)
		for _, org := range []string{"o/", "oo/", "p/"} { // one name begins with another
			paths = append(paths, root+org, root+org+"t/", root+org+"tt/", root+org+"t/m/", root+org+"t/mm/")
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var flags []feature.Flag
		for _, path := range paths {
			for _, f := range feature.All[:2] {
				s := rapid.SampledFrom([]feature.Switch{"", "", feature.On, feature.Off, feature.Deny}).Draw(t, path)
				if s != "" {
					flags = append(flags, feature.Flag{Feature: f, Switch: s, Scope: path})
				}
			}
		}
		table := feature.NewTable(flags)
		for _, path := range paths {
			within := false
			for _, below := range paths {
				on, _, _ := model(flags, feature.CreateAgents, below)
				within = within || on && strings.HasPrefix(below, path)
			}
			require.Equal(t, within, table.Within(feature.CreateAgents, path), path)
		}
		for _, path := range append(paths, "/acc/cop/o/t/m/k/", "/acc/other/") {
			for f, got := range table.Of(path) {
				on, from, locked := model(flags, f, path)
				require.Equal(t, on, got.On, "%s at %s", f, path)
				require.Equal(t, locked, got.Locked, "%s at %s", f, path)
				if from == "" {
					require.Nil(t, got.From)
				} else {
					require.Equal(t, from, got.From.Scope, "%s at %s", f, path)
				}
				own := ""
				for _, flag := range flags {
					if flag.Feature == f && flag.Scope == path {
						own = string(flag.Switch)
					}
				}
				if own == "" {
					require.Nil(t, got.Own)
				} else {
					require.Equal(t, own, string(got.Own.Switch))
				}
			}
		}
	})
}
