package demo

import (
	"context"
	"maps"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// rule is a grant of the story that differs from the rest.
type rule struct {
	account string
	plane   tenancy.Plane
	// scope is an organization or a team; model by its name.
	scope, model, note string
	effect             grant.Effect
}

// Every model is allowed to its whole plane, save one that is there for one
// organization alone, and two that a team has to do without: one of them is the
// story's member's own team, so that they have something to ask about.
var grantRules = []rule{
	{account: acme.slug, plane: tenancy.Copilot, scope: "Corporate", model: "gpt-5", effect: grant.Allow, note: "Contracts and case law; the others don't need it."},
	{account: acme.slug, plane: tenancy.Copilot, scope: "Advisory", model: "gemini-flash", effect: grant.Deny, note: "Clients' files stay with the two models that Legal has looked at."},
	{account: acme.slug, plane: tenancy.Console, scope: "Payments", model: thinkingModel, effect: grant.Deny, note: "Too slow for payments; agreed in September."},
}

// special are the story's rules for this plane.
func (p *inPlane) special() []rule {
	return slices.DeleteFunc(slices.Clone(grantRules), func(r rule) bool {
		return r.account != p.tenant.slug || r.plane != p.plane.plane
	})
}

// allowAll grants what everybody has, before there is anybody.
func (p *inPlane) allowAll(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(p.models)) {
		m := p.models[name]
		alone := slices.ContainsFunc(p.special(), func(r rule) bool { return r.model == m.Name && r.effect == grant.Allow })
		if alone {
			continue
		}
		if err := p.grant(ctx, p.root, m.ID, grant.Allow, ""); err != nil {
			return err
		}
	}
	return nil
}

// grantAt applies the rules of a scope as soon as it is there.
func (p *inPlane) grantAt(ctx context.Context, s *ent.Scope) error {
	for _, r := range p.special() {
		if r.scope != s.Name {
			continue
		}
		if err := p.grant(ctx, s, p.models[r.model].ID, r.effect, r.note); err != nil {
			return err
		}
	}
	return nil
}

func (p *inPlane) grant(ctx context.Context, s *ent.Scope, modelID string, effect grant.Effect, note string) error {
	_, err := grant.Set(ctx, p.tx, p.now, grant.Input{Scope: s, ResourceID: modelID, Effect: effect, Note: note, Authority: p.root.Path})
	return err
}

// usable lists the models that a scope may use, for its keys.
func (p *inPlane) usable(ctx context.Context, s *ent.Scope) ([]string, error) {
	t, err := grant.Load(ctx, p.tx.Client, s.AccountID, p.plane.plane)
	if err != nil {
		return nil, err
	}
	allowed := t.Allowed(s.Path, p.now)
	return slices.DeleteFunc(slices.Clone(p.ids), func(m string) bool { return !allowed[m] }), nil
}
