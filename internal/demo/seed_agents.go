package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// helper is an agent of the story.
type helper struct {
	name, purpose, icon, group string
	// owner is a team, whose people use it; the plane where it is empty.
	owner string
	// person answers for it.
	person string
	// versions are its definitions in their order, draft what comes next.
	versions    []edition
	draft       *edition
	turns       int
	credits     money.Nano
	model       string
	fallbacks   []string
	starters    []string
	knowledge   []agents.Link
	temperature float64
	longest     int
	share       float64 // of its people's calls
	guard       string  // the template of its guardrail
	budget      money.Nano
	categories  []string
}

// edition is a version of an agent: what it says, and what is new about it.
type edition struct{ instructions, changelog string }

var helpers = []helper{
	{name: "Meeting notes", purpose: "Turns a transcript into decisions, owners and dates.", icon: "notebook-pen", group: "Everyday", person: orgAdmin,
		categories: []string{"Writing"}, model: copilotModel, fallbacks: []string{"claude-sonnet"}, temperature: 0.2, longest: 1500, turns: 40, share: 0.35, guard: "secrets", budget: 20_000 * money.One,
		starters: []string{"Summarise this transcript", "Who promised what by when?"},
		versions: []edition{
			{"You turn transcripts of meetings into minutes.\n\nList decisions, then tasks with owner and date. Invent nothing.", "First version."},
			{"You turn transcripts of meetings into minutes.\n\nList decisions first, then tasks with owner and date, then open questions.\nInvent nothing: what wasn't said is left out.\nAnswer in the language of the transcript.", "Open questions, and the transcript's own language."},
		}},
	{name: "Claims triage", purpose: "Reads a claim and says what is missing before it goes to a colleague.", icon: "clipboard-check", group: "Claims", owner: "Claims desk",
		person: "Aylin Demir", categories: []string{"Insurance"}, model: "claude-sonnet", fallbacks: []string{copilotModel}, temperature: 0.1, longest: 2000,
		credits: 5000 * money.One, share: 0.5, guard: "secrets", budget: 8_000 * money.One, starters: []string{"Check this claim", "What do we need from the policyholder?"},
		knowledge: []agents.Link{{Title: "Claims handbook", URL: "https://intranet.acme.example/claims"}},
		versions: []edition{
			{"You check insurance claims for completeness.\n\nName each missing document, and why it is needed. Decide nothing.", "First version, with the claims desk's list."},
		},
		draft: &edition{"You check insurance claims for completeness.\n\nName each missing document, why it is needed, and who can send it.\nFlag claims above 50,000 for a second pair of eyes. Decide nothing.", ""}},
	{name: "Policy letters", purpose: "Writes letters to policyholders in plain words.", icon: "notebook-pen", group: "Claims", owner: "Claims desk",
		person: "Aylin Demir", categories: []string{"Writing"}, model: copilotModel, temperature: 0.4, longest: 1500, guard: "secrets",
		starters: []string{"Explain why we need the report"},
		versions: []edition{{"You write letters to policyholders.\n\nUse plain words and short sentences. Keep what the law wants said, word for word.", "First version."}}},
	{name: "Contract reader", purpose: "Finds terms, notice periods and unusual clauses.", icon: "scale", group: "Legal", owner: "Legal", person: "Clara Hoffmann",
		categories: []string{"Legal"}, model: "gpt-5", temperature: 0, longest: 4000,
		starters: []string{"What is unusual here?"},
		draft:    &edition{"You read contracts for lawyers.\n\nQuote the clause for everything that you say.", ""}},
}

// builders are the organizations in Copilot whose people build agents of their
// own; Insurance leaves that to its admins.
var builders = []string{"Banking", "Corporate"}

// letBuild lets the people of an organization build agents.
func (p *inPlane) letBuild(ctx context.Context, org *ent.Scope) error {
	if p.plane.plane != tenancy.Copilot || p.tenant.slug != acme.slug || !slices.Contains(builders, org.Name) {
		return nil
	}
	_, err := feature.Set(ctx, p.tx, feature.Input{Scope: org, Feature: feature.CreateAgents, Switch: feature.On})
	return err
}

// buildAgents makes the story's agents in Copilot and says who may use them.
func (p *inPlane) buildAgents(ctx context.Context) error {
	if p.plane.plane != tenancy.Copilot || p.tenant.slug != acme.slug {
		return nil
	}
	built := &agents.Agents{}
	begin := p.now
	defer func() { p.now = begin }()
	for _, h := range helpers {
		if err := p.build(ctx, built, h); err != nil {
			return fmt.Errorf("agent %s: %w", h.name, err)
		}
	}
	return p.shop(ctx)
}

func (p *inPlane) build(ctx context.Context, built *agents.Agents, h helper) error {
	owner := p.root
	var person *ent.User
	for _, t := range p.teams {
		if t.name == h.owner {
			owner = t.scope
		}
		for _, s := range t.seats {
			if s.name == h.person {
				person = s.user
			}
		}
	}
	if person != nil {
		ctx = as(ctx, person)
	}
	define := func(e edition) agents.Definition {
		d := agents.Definition{Instructions: e.instructions, ModelID: p.models[h.model].ID, Starters: h.starters, Knowledge: h.knowledge,
			Parameters: agents.Parameters{Temperature: &h.temperature, MaxOutputTokens: h.longest}}
		if h.guard != "" {
			d.GuardrailPresetIDs = []string{p.presets[h.guard]}
		}
		for _, f := range h.fallbacks {
			d.FallbackIDs = append(d.FallbackIDs, p.models[f].ID)
		}
		return d
	}
	editions := h.versions
	if h.draft != nil {
		editions = append(editions, *h.draft)
	}
	_, s, err := built.Create(ctx, p.tx, owner, agents.Settings{Name: &h.name, Purpose: &h.purpose, Icon: &h.icon, Group: &h.group,
		Categories: &h.categories, SessionCredits: &h.credits, SessionTurns: &h.turns}, define(editions[0]))
	if err != nil {
		return err
	}
	if _, err := grant.Set(ctx, p.tx, p.now, grant.Input{Scope: owner, ResourceID: s.ID, Effect: grant.Allow, Authority: p.root.Path}); err != nil {
		return err
	}
	for i, e := range editions {
		p.pass(49 * time.Hour)
		d := define(e)
		if i > 0 {
			if _, err := built.Update(ctx, p.tx, s, agents.Settings{}, &d, nil); err != nil {
				return err
			}
		}
		if i < len(h.versions) {
			if _, err := built.Publish(ctx, p.tx, s, e.changelog, nil); err != nil {
				return err
			}
		}
	}
	if h.share > 0 {
		p.agents = append(p.agents, plantedAgent{s, h.share, h.budget})
	}
	return nil
}

// plantedAgent is an agent that a share of the calls comes through, of those who
// sit where it is allowed.
type plantedAgent struct {
	scope  *ent.Scope
	share  float64
	budget money.Nano
}

// capAgents gives agents budgets of their own, which count what was spent
// through them so far.
func (p *inPlane) capAgents(ctx context.Context) error {
	for _, a := range p.agents {
		p.pass(5 * time.Second)
		if err := p.allocate(ctx, a.scope, a.budget); err != nil {
			return fmt.Errorf("budget of %s: %w", a.scope.Name, err)
		}
	}
	return nil
}
