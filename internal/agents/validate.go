package agents

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/guardrailassignment"
	"github.com/alchemi/cockpit/ent/guardrailpreset"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/price"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Problem is what stands in a definition's way, or should be thought about.
type Problem struct {
	// Field of the definition, as Diff names it.
	Field string
	// Code is for programs: "model-not-granted".
	Code string
	// Message says what is wrong, Fix what to do about it.
	Message, Fix string
	// Error keeps the definition from being published; else it is a warning.
	Error bool
}

// Validate looks at a definition as it would be called now: by everybody to
// whom the agent is allowed, or by its owner while it is to nobody.
func Validate(ctx context.Context, c *ent.Client, now time.Time, s *ent.Scope, d Definition) ([]Problem, error) {
	ctx = tenancy.System(ctx, "who lacks what an agent uses depends on grants above those that the viewer sees")
	table, err := grant.Load(ctx, c, s.AccountID, tenancy.Copilot)
	if err != nil {
		return nil, err
	}
	v := &validation{client: c, table: table, agent: s, now: now, out: []Problem{}}
	v.audience = v.findAudience()
	if strings.TrimSpace(d.Instructions) == "" {
		v.fail(FieldInstructions, "missing-instructions", "The agent has no instructions.", "Say what it is for, and how it should answer.")
	}
	if d.ModelID == "" {
		v.fail(FieldModel, "missing-model", "The agent has no model.", "Choose the model that it calls.")
	}
	for i, m := range d.Models() {
		field := FieldFallbacks
		if i == 0 && d.ModelID != "" {
			field = FieldModel
		}
		if err := v.resource(ctx, field, "model", grant.Model, m); err != nil {
			return nil, err
		}
	}
	for _, t := range d.ToolIDs {
		if err := v.resource(ctx, FieldTools, "tool", grant.Tool, t); err != nil {
			return nil, err
		}
	}
	if err := v.context(ctx, d); err != nil {
		return nil, err
	}
	return v.out, v.guardrails(ctx, d)
}

type validation struct {
	client *ent.Client
	table  *grant.Table
	agent  *ent.Scope
	now    time.Time
	// audience are the paths whose people use the agent.
	audience []string
	out      []Problem
}

func (v *validation) fail(field, code, message, fix string) {
	v.out = append(v.out, Problem{Field: field, Code: code, Message: message, Fix: fix, Error: true})
}

func (v *validation) warn(field, code, message, fix string) {
	v.out = append(v.out, Problem{Field: field, Code: code, Message: message, Fix: fix})
}

// say fails where calls would be refused; what only a fallback lacks is passed
// over by calls, and worth a warning.
func (v *validation) say(field, code, message, fix string) {
	if field == FieldFallbacks {
		v.warn(field, code, message, fix)
	} else {
		v.fail(field, code, message, fix)
	}
}

// findAudience are the scopes to which the agent is allowed, else its owner.
func (v *validation) findAudience() []string {
	var out []string
	for _, g := range v.table.Of(v.agent.ID) {
		if g.Effect == grant.Allow && v.table.Stands(g.ID, v.now) && !slices.ContainsFunc(out, func(p string) bool { return strings.HasPrefix(g.Scope, p) }) {
			out = append(out, g.Scope)
		}
	}
	if len(out) == 0 {
		out = append(out, strings.TrimSuffix(v.agent.Path, v.agent.ID+"/"))
	}
	return out
}

// resource says what is wrong with a model or tool: itself, or for whom.
func (v *validation) resource(ctx context.Context, field, noun string, kind grant.Kind, resourceID string) error {
	r := v.table.Resource(resourceID)
	if r == nil || r.Kind != kind {
		v.fail(field, "unknown-"+noun, fmt.Sprintf("The agent names a %s that Copilot doesn't have any more.", noun), fmt.Sprintf("Choose another %s.", noun))
		return nil
	}
	var lacking []string
	reason := ""
	for _, path := range v.audience {
		verdict := v.table.Ask(resourceID, path, v.now)
		switch verdict.Rule {
		case grant.RuleAllow, grant.RuleOwn:
			for _, below := range v.refused(resourceID, path) {
				lacking = append(lacking, below)
				reason = v.table.Ask(resourceID, below, v.now).Reason()
			}
		case grant.RuleDisabled, grant.RuleNotOffered, grant.RuleHeld:
			v.say(field, noun+"-"+string(verdict.Rule), verdict.Reason(), fmt.Sprintf("Choose another %s, or have this one switched on.", noun))
			return nil
		default:
			lacking = append(lacking, path)
			reason = verdict.Reason()
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	who, people, err := v.who(ctx, lacking)
	if err != nil {
		return err
	}
	need := "and the agent needs it"
	if field == FieldFallbacks {
		need = "so it can't stand in for them"
	}
	v.say(field, noun+"-not-granted", fmt.Sprintf("%s (%d %s) may not use %s, %s.", who, people, plural(people, "person", "people"), r.Name, need), reason)
	return nil
}

// refused are the paths below one that has a resource where it is denied, and
// the agent isn't.
func (v *validation) refused(resourceID, path string) (out []string) {
	_, refused := v.table.Subtrees(resourceID, v.now)
	for _, p := range refused {
		rule := v.table.Ask(v.agent.ID, p, v.now).Rule
		if strings.HasPrefix(p, path) && rule != grant.RuleDeny && rule != grant.RuleArchived {
			out = append(out, p)
		}
	}
	return out
}

// who names scopes, and counts the seats in them.
func (v *validation) who(ctx context.Context, paths []string) (string, int, error) {
	slices.Sort(paths)
	paths = slices.Compact(paths)
	ids := make([]string, len(paths))
	for i, p := range paths {
		p = strings.TrimSuffix(p, "/")
		ids[i] = p[strings.LastIndexByte(p, '/')+1:]
	}
	rows, err := v.client.Scope.Query().Where(scope.IDIn(ids...)).Order(ent.Asc(scope.FieldPath)).All(ctx)
	if err != nil {
		return "", 0, err
	}
	people, err := v.client.Scope.Query().Where(scope.AccountID(v.agent.AccountID), scope.KindEQ(scope.KindMEMBER), scope.DeletedAtIsNil(), func(s *sql.Selector) {
		var inside []*sql.Predicate
		for _, path := range paths {
			inside = append(inside, sql.P(func(b *sql.Builder) {
				b.WriteString("substr(").WriteString(s.C(scope.FieldPath)).WriteString(", 1, ").Arg(len(path)).WriteString(") = ").Arg(path)
			}))
		}
		s.Where(sql.Or(inside...))
	}).Count(ctx)
	if err != nil {
		return "", 0, err
	}
	var named []string
	for _, r := range rows {
		named = append(named, r.Name)
	}
	const few = 3
	text := strings.Join(named, ", ")
	if len(named) > few {
		text = fmt.Sprintf("%s and %d more", strings.Join(named[:few], ", "), len(named)-few)
	}
	return text, people, nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// bytesPerToken is what a token of common text is at the least, on average.
const bytesPerToken = 4

// context compares what is always sent, and the longest answer, with what the
// models take.
func (v *validation) context(ctx context.Context, d Definition) error {
	rows, err := v.client.Model.Query().Where(model.IDIn(d.Models()...), model.AccountID(v.agent.AccountID)).
		WithCatalogModel(func(q *ent.CatalogModelQuery) {
			q.WithPrices(func(q *ent.PriceQuery) { q.Where(price.EffectiveFromLTE(v.now)) })
		}).All(ctx)
	if err != nil {
		return err
	}
	least := int64(len(d.Instructions) / bytesPerToken)
	longest := int64(d.Parameters.MaxOutputTokens)
	for i, m := range d.Models() {
		at := slices.IndexFunc(rows, func(r *ent.Model) bool { return r.ID == m })
		if at < 0 || rows[at].Edges.CatalogModel == nil {
			continue // said already, by its grants
		}
		r := rows[at].Edges.CatalogModel
		name := rows[at].Name
		field := FieldFallbacks
		if i == 0 && d.ModelID != "" {
			field = FieldModel
		}
		switch {
		case len(r.Edges.Prices) == 0:
			v.fail(field, "model-unpriced", name+" has no price, so its calls can't be charged.", "Choose another model, or ask for a price.")
		case r.ContextLength > 0 && least+longest >= r.ContextLength:
			v.fail(field, "context-overflow", fmt.Sprintf("The instructions (about %d tokens) and the longest answer (%d) don't fit into the %d tokens that %s takes.", least, longest, r.ContextLength, name),
				"Shorten the instructions or the answer, or choose a model that takes more.")
		case r.ContextLength > 0 && least > r.ContextLength/2:
			v.warn(field, "context-tight", fmt.Sprintf("The instructions alone take more than half of what %s takes.", name), "Shorten them, so that conversations have room.")
		case r.MaxOutputTokens > 0 && longest > r.MaxOutputTokens:
			v.warn(FieldOutput, "output-capped", fmt.Sprintf("%s answers with at most %d tokens.", name, r.MaxOutputTokens), "Lower the longest answer.")
		}
	}
	return nil
}

// guardrails asks for one at least: named by the definition, or assigned to the
// agent or to a scope above it.
func (v *validation) guardrails(ctx context.Context, d Definition) error {
	active := v.client.GuardrailPreset.Query().Where(guardrailpreset.AccountID(v.agent.AccountID),
		guardrailpreset.PlaneEQ(guardrailpreset.PlaneCOPILOT), guardrailpreset.StatusEQ(guardrailpreset.StatusACTIVE))
	own, err := active.Clone().Where(guardrailpreset.IDIn(d.GuardrailPresetIDs...)).Count(ctx)
	if err != nil {
		return err
	}
	if own < len(d.GuardrailPresetIDs) {
		v.fail(FieldGuardrails, "unknown-guardrail", "One of the agent's guardrails is switched off, or gone.", "Choose another one.")
	}
	if own > 0 {
		return nil
	}
	above := strings.Split(strings.Trim(v.agent.Path, "/"), "/")
	held, err := active.Where(guardrailpreset.HasAssignmentsWith(guardrailassignment.ScopeIDIn(above...))).Exist(ctx)
	if err == nil && !held {
		v.fail(FieldGuardrails, "no-guardrail", "The agent has no guardrail: it names none, and none is assigned to it or above it.",
			"Choose one, or ask an admin to assign one to the place that owns it.")
	}
	return err
}
