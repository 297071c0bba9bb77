package access

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/policies"
)

// Permissions says in words what a program or a token may be allowed, by name:
// policies/permissions.json.
var Permissions = sync.OnceValue(func() map[string]string {
	var file struct{ Permissions map[string]string }
	text, err := policies.FS.ReadFile("permissions.json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		panic(err) // embedded, and a test reads it
	}
	return file.Permissions
})

// Narrow brings names of permissions to the form that viewers carry, sorted and
// without repeats, or refuses an unknown one and an empty list. Whoever may do
// something may know who they are; whoever manages a thing may read it.
func Narrow(names []string) ([]string, error) {
	for _, name := range names {
		if _, known := Permissions()[name]; !known {
			return nil, fault.At("permissions", "There is no permission %q; choose from %s.", name, strings.Join(slices.Sorted(maps.Keys(Permissions())), ", "))
		}
	}
	if len(names) == 0 {
		return nil, fault.At("permissions", "Choose at least one permission: without any it can do nothing.")
	}
	out := append([]string{"profile"}, names...)
	for _, name := range names {
		if name != "profile" && name != "models.call" && name != "tools.call" {
			out = append(out, "read")
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(out))), nil
}
