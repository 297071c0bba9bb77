package demo

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// guard is a preset of the story, and where it is assigned.
type guard struct {
	account string
	plane   tenancy.Plane
	// scope is an organization or a team; empty: the plane.
	scope, template, note string
	allow                 []detect.Allowed
	// loose ones are assigned nowhere: agents choose them.
	loose bool
}

// Secrets stay out of everything that goes to Console; personal data out of
// what Corporate asks Copilot. Agents keep secrets by themselves.
var guards = []guard{
	{account: acme.slug, plane: tenancy.Console, template: "secrets", note: "Keys and passwords don't leave the house."},
	{account: acme.slug, plane: tenancy.Copilot, scope: "Corporate", template: "pii", note: "Agreed with the works council in August.",
		allow: []detect.Allowed{{Text: "press@acme.example"}}},
	{account: acme.slug, plane: tenancy.Copilot, template: "secrets", note: "For agents: keys and passwords stay with whoever has them.", loose: true},
}

// guardAt makes the presets of a scope and assigns them, as soon as it is there.
func (p *inPlane) guardAt(ctx context.Context, s *ent.Scope) error {
	verbs := guardrail.New(guardrail.Options{Box: p.Box})
	for _, g := range guards {
		if g.account != p.tenant.slug || g.plane != p.plane.plane || g.scope != s.Name && (g.scope != "" || s.ID != p.root.ID) {
			continue
		}
		for _, t := range guardrail.Templates {
			if t.ID != g.template {
				continue
			}
			row, err := verbs.Create(ctx, p.tx, p.root, guardrail.Input{Name: &t.Name, Description: &g.note, Rules: &detect.Preset{Rules: t.Rules, Allow: g.allow}})
			if err != nil {
				return err
			}
			p.presets[t.ID] = row.ID
			if g.loose {
				continue
			}
			if _, err := verbs.Assign(ctx, p.tx, s, row.ID); err != nil {
				return err
			}
		}
	}
	return nil
}
