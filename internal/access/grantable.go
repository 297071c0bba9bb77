package access

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/policies"
)

// permits says which permission each action needs of programs, and at which
// kinds of nodes it is done: policies/actions.json.
var permits = sync.OnceValue(func() map[Action]permit {
	var file struct{ Actions map[Action]permit }
	text, err := policies.FS.ReadFile("actions.json")
	if err == nil {
		err = json.Unmarshal(text, &file)
	}
	if err != nil {
		panic(err) // embedded, and a test reads it
	}
	return file.Actions
})

type permit struct {
	Permission string
	Targets    []string
	// Features are those of which one must be on, below the plane's admins.
	Features []string
	// Spends asks for models.call besides: what is made can spend.
	Spends bool
}

// kindsAt are the kinds of nodes of a level.
func kindsAt(level string) []tenancy.Kind {
	if level == "PLANE" {
		return []tenancy.Kind{tenancy.KindConsole, tenancy.KindCopilot}
	}
	return []tenancy.Kind{tenancy.Kind(level)}
}

// Grantable lists, sorted, the permissions that a token of the viewer's can be
// given: those with which they could do anything at all, at a node of their
// roles or somewhere below it.
func (e *Engine) Grantable(ctx context.Context) []string {
	v := tenancy.ViewerFrom(ctx)
	if v == nil {
		return nil
	}
	out := []string{"profile"}
	if len(v.Roles) > 0 {
		out = append(out, "read")
	}
	if !v.Platform && slices.ContainsFunc(v.Roles, func(r tenancy.Role) bool { return r.Role == tenancy.Seatholder }) {
		out = append(out, "models.call")
		if slices.ContainsFunc(v.Roles, func(r tenancy.Role) bool { return r.Role == tenancy.Seatholder && r.Plane == tenancy.Copilot }) {
			out = append(out, "tools.call")
		}
	}
	roles := distinct(v.Roles)
	for action, p := range permits() {
		more := []string{p.Permission}
		if p.Spends {
			more = append(more, "models.call")
		}
		more = slices.DeleteFunc(more, func(name string) bool { return name == "" || slices.Contains(out, name) })
		if len(more) > 0 && e.anywhere(ctx, roles, action, p.Targets) {
			out = append(out, more...)
		}
	}
	slices.Sort(out)
	return out
}

// distinct keeps one role of each class: at another node of its kind it lets do
// the same things.
func distinct(roles []tenancy.Role) []tenancy.Role {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(roles), func(r tenancy.Role) bool {
		known := seen[roleClass(r)]
		seen[roleClass(r)] = true
		return known
	})
}

func (e *Engine) anywhere(ctx context.Context, roles []tenancy.Role, action Action, levels []string) bool {
	for _, r := range roles {
		for _, level := range levels {
			for _, kind := range kindsAt(level) {
				for _, plane := range []tenancy.Plane{r.Plane, tenancy.Console, tenancy.Copilot} {
					at := e.Decide(ctx, action, Target{Kind: kind, Plane: plane, Path: r.Path})
					below := e.Decide(ctx, action, Target{Kind: kind, Plane: plane, Path: r.Path + "below/"})
					if at.Allowed || below.Allowed {
						return true
					}
				}
			}
		}
	}
	return false
}
