package graph

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/guardrailassignment"
	"github.com/alchemi/cockpit/ent/guardrailpreset"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toGuardrailPreset(p *ent.GuardrailPreset) *model.GuardrailPreset {
	return &model.GuardrailPreset{ID: p.ID, Name: p.Name, Description: p.Description, Status: model.Status(p.Status),
		CreatedAt: p.CreatedAt, Version: p.Version, Row: p}
}

func toGuardrailRules(rules []*detect.Rule) []*model.GuardrailRule {
	return mapTo(rules, func(r *detect.Rule) *model.GuardrailRule {
		words := r.Words
		if words == nil {
			words = []string{}
		}
		return &model.GuardrailRule{Name: r.Name, Detector: model.GuardrailDetector(r.Detector), Action: model.GuardrailAction(r.Action),
			Direction: model.GuardrailDirection(r.Direction), Pattern: unless(r.Pattern), Words: words}
	})
}

// stored reads a preset's rules as they are kept, without compiling them.
func storedRules(p *ent.GuardrailPreset) (*detect.Preset, error) {
	var out detect.Preset
	return &out, json.Unmarshal(p.Rules, &out)
}

func toModeration(p *ent.GuardrailPreset) (*model.GuardrailModeration, error) {
	rules, err := storedRules(p)
	if err != nil || p.ModerationURL == "" || rules.Moderation == nil {
		return nil, err
	}
	m := rules.Moderation
	return &model.GuardrailModeration{URL: p.ModerationURL, SecretHint: p.ModerationSecretHint, Direction: model.GuardrailDirection(m.Direction),
		Model: m.Model, TimeoutMs: m.TimeoutMS, FailOpen: m.FailOpen}, nil
}

// guardrailsOf lists the presets of a scope's plane.
func (r *Resolver) guardrailsOf(ctx context.Context, scopeID string, w window) (*model.GuardrailPresetConnection, error) {
	s, err := r.planeScope(ctx, scopeID)
	if err != nil || s == nil {
		return nil, err
	}
	query := func() *ent.GuardrailPresetQuery {
		return r.Store.GuardrailPreset.Query().Where(guardrailpreset.AccountID(s.AccountID), guardrailpreset.PlaneEQ(guardrailpreset.Plane(s.Plane)))
	}
	rows, info, err := list[*ent.GuardrailPreset](ctx, query(), w, guardrailpreset.FieldID, false, func(p *ent.GuardrailPreset) string { return p.ID })
	if err != nil {
		return nil, err
	}
	return &model.GuardrailPresetConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(ctx) },
		Edges: mapTo(rows, func(p *ent.GuardrailPreset) *model.GuardrailPresetEdge {
			return &model.GuardrailPresetEdge{Node: toGuardrailPreset(p), Cursor: encode(p.ID)}
		})}, nil
}

// planeScope finds a scope of a product that the viewer sees; nil for any other.
func (r *Resolver) planeScope(ctx context.Context, scopeID string) (*ent.Scope, error) {
	s, err := r.Store.Scope.Get(ctx, scopeID)
	if ent.IsNotFound(err) || err == nil && productOf(tenancy.Plane(s.Plane)) == nil {
		return nil, nil
	}
	return s, err
}

// effectiveGuardrails lists what holds at a scope, what comes from highest
// first.
func (r *Resolver) effectiveGuardrails(ctx context.Context, scopeID string) ([]*model.ScopeGuardrail, error) {
	s, err := r.planeScope(ctx, scopeID)
	if err != nil || s == nil {
		return nil, err
	}
	rows, err := r.assignedAbove(ctx, s.AccountID, s.Path)
	return mapTo(rows, func(a *ent.GuardrailAssignment) *model.ScopeGuardrail {
		return &model.ScopeGuardrail{Preset: toGuardrailPreset(a.Edges.Preset), FromID: a.ScopeID, FromName: a.Edges.Scope.Name, Here: a.ScopeID == s.ID}
	}), err
}

// assignedAbove lists what is assigned on a path, highest first.
func (r *Resolver) assignedAbove(ctx context.Context, accountID, path string) ([]*ent.GuardrailAssignment, error) {
	above := strings.Split(strings.Trim(path, "/"), "/")
	rows, err := r.Store.GuardrailAssignment.Query().Where(guardrailassignment.ScopeIDIn(above...), guardrailassignment.AccountID(accountID),
		guardrailassignment.HasPresetWith(guardrailpreset.StatusEQ(guardrailpreset.StatusACTIVE))).WithPreset().WithScope().
		All(tenancy.System(ctx, "guardrails above a scope that the viewer sees hold for it"))
	slices.SortFunc(rows, func(a, b *ent.GuardrailAssignment) int {
		if by := slices.Index(above, a.ScopeID) - slices.Index(above, b.ScopeID); by != 0 {
			return by
		}
		return strings.Compare(a.Edges.Preset.Name, b.Edges.Preset.Name)
	})
	return rows, err
}

// assignmentsOf lists where a preset is assigned, of what the viewer sees.
func (r *Resolver) assignmentsOf(ctx context.Context, presetID string) ([]*model.GuardrailAssignment, error) {
	rows, err := r.Store.GuardrailAssignment.Query().Where(guardrailassignment.PresetID(presetID)).Order(guardrailassignment.ByID()).All(ctx)
	if err != nil {
		return nil, err
	}
	return mapTo(rows, func(a *ent.GuardrailAssignment) *model.GuardrailAssignment {
		return &model.GuardrailAssignment{ScopeID: a.ScopeID, CreatedAt: a.CreatedAt}
	}), nil
}

// findingsFor is how far back findings are counted.
const findingsFor = 30 * 24 * time.Hour

var actionOf = map[string]model.GuardrailAction{guardrail.EventBlock: model.GuardrailActionBlock,
	guardrail.EventRedact: model.GuardrailActionRedact, guardrail.EventFlag: model.GuardrailActionFlag}

// findingsOf counts what a preset's rules found, where the viewer sees it.
func (r *Resolver) findingsOf(ctx context.Context, p *ent.GuardrailPreset) ([]*model.GuardrailFindings, error) {
	var rows []struct {
		Action string `json:"action"`
		Reason string `json:"reason"`
		Calls  int    `json:"calls"`
	}
	err := r.Store.AuditEvent.Query().Where(auditevent.AccountID(p.AccountID), auditevent.TargetID(p.ID),
		auditevent.ActionIn(guardrail.EventBlock, guardrail.EventRedact, guardrail.EventFlag), auditevent.AtGTE(r.Store.Now().Add(-findingsFor))).
		GroupBy(auditevent.FieldAction, auditevent.FieldReason).Aggregate(ent.As(ent.Sum(auditevent.FieldCount), "calls")).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	out := make([]*model.GuardrailFindings, 0, len(rows))
	for _, row := range rows {
		way, name, _ := strings.Cut(row.Reason, " ")
		out = append(out, &model.GuardrailFindings{Rule: name, Action: actionOf[row.Action], Direction: model.GuardrailDirection(way), Calls: row.Calls})
	}
	slices.SortFunc(out, func(a, b *model.GuardrailFindings) int {
		if by := b.Calls - a.Calls; by != 0 {
			return by
		}
		return strings.Compare(a.Rule+string(a.Direction)+string(a.Action), b.Rule+string(b.Direction)+string(b.Action))
	})
	return out, nil
}

func fromRules(in []*model.GuardrailRuleInput) []*detect.Rule {
	return mapTo(in, func(r *model.GuardrailRuleInput) *detect.Rule {
		return &detect.Rule{Name: r.Name, Detector: detect.Detector(r.Detector), Action: detect.Action(r.Action),
			Direction: detect.Direction(r.Direction), Pattern: orEmpty(r.Pattern), Words: r.Words}
	})
}

func fromAllowed(in []*model.GuardrailAllowedInput) []detect.Allowed {
	return mapTo(in, func(a *model.GuardrailAllowedInput) detect.Allowed {
		return detect.Allowed{Text: orEmpty(a.Text), Pattern: orEmpty(a.Pattern)}
	})
}

// moderated adds how to moderate to what a preset is changed to.
func moderated(to *guardrail.Input, m *model.GuardrailModerationInput) {
	if m == nil {
		return
	}
	to.ModerationURL, to.ModerationSecret = &m.URL, m.Secret
	to.Rules.Moderation = nil
	if m.URL == "" {
		none := ""
		to.ModerationSecret = &none
		return
	}
	to.Rules.Moderation = &detect.Moderation{Direction: detect.Direction(m.Direction), Model: orEmpty(m.Model), TimeoutMS: m.TimeoutMs, FailOpen: m.FailOpen}
}

// guarded runs a change of guardrails at a scope, by whoever may; what this
// replica remembers of the plane falls with the commit.
func (r *Resolver) guarded(ctx context.Context, action access.Action, needed *ent.Scope, f func(ctx context.Context, tx *store.Tx) (*ent.GuardrailPreset, error)) (*ent.GuardrailPreset, error) {
	plane := tenancy.Plane(needed.Plane)
	var row *ent.GuardrailPreset
	err := r.underLeave(tenancy.InPlane(ctx, plane), []leave{need(action, needed)}, func(ctx context.Context, tx *store.Tx) (err error) {
		tx.AfterCommit(func() { r.Guards.Changed(needed.AccountID, plane) })
		row, err = f(ctx, tx)
		return err
	})
	return row, err
}

func (r *Resolver) guardrailPresetCreate(ctx context.Context, in model.GuardrailPresetCreateInput) (*ent.GuardrailPreset, error) {
	s, err := r.planeScope(ctx, in.ScopeID)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, missingScope()
	}
	root, err := r.ownRoot(ctx, tenancy.Plane(s.Plane))
	if err != nil {
		return nil, err
	}
	input := guardrail.Input{Name: &in.Name, Description: in.Description, Rules: &detect.Preset{Rules: fromRules(in.Rules), Allow: fromAllowed(in.Allow)}}
	moderated(&input, in.Moderation)
	return r.guarded(ctx, access.GuardrailManage, root, func(ctx context.Context, tx *store.Tx) (*ent.GuardrailPreset, error) {
		return r.Guards.Create(ctx, tx, root, input)
	})
}

func missingScope() error {
	e := fault.Missing("scope")
	e.Path = []string{"scopeId"}
	return e
}

// presetAndRoot finds a preset that the viewer sees, and its plane's root.
func (r *Resolver) presetAndRoot(ctx context.Context, presetID string) (*ent.GuardrailPreset, *ent.Scope, error) {
	p, err := r.Store.GuardrailPreset.Get(ctx, presetID)
	if ent.IsNotFound(err) {
		return nil, nil, fault.Missing("guardrail")
	}
	if err != nil {
		return nil, nil, err
	}
	root, err := r.ownRoot(ctx, tenancy.Plane(p.Plane))
	return p, root, err
}

func (r *Resolver) guardrailPresetUpdate(ctx context.Context, in model.GuardrailPresetUpdateInput) (*ent.GuardrailPreset, error) {
	_, root, err := r.presetAndRoot(ctx, in.PresetID)
	if err != nil {
		return nil, err
	}
	input := guardrail.Input{Name: in.Name, Description: in.Description, ExpectedVersion: in.ExpectedVersion}
	if in.Status != nil {
		disabled := *in.Status == model.StatusDisabled
		input.Disabled = &disabled
	}
	return r.guarded(ctx, access.GuardrailManage, root, func(ctx context.Context, tx *store.Tx) (*ent.GuardrailPreset, error) {
		if in.Rules != nil || in.Allow != nil || in.Moderation != nil {
			old, err := tx.GuardrailPreset.Get(ctx, in.PresetID)
			if err != nil {
				return nil, err
			}
			if input.Rules, err = storedRules(old); err != nil {
				return nil, err
			}
			if in.Rules != nil {
				input.Rules.Rules = fromRules(in.Rules)
			}
			if in.Allow != nil {
				input.Rules.Allow = fromAllowed(in.Allow)
			}
			moderated(&input, in.Moderation)
		}
		return r.Guards.Update(ctx, tx, root, in.PresetID, input)
	})
}

func (r *Resolver) guardrailPresetDelete(ctx context.Context, presetID string) error {
	_, root, err := r.presetAndRoot(ctx, presetID)
	if err != nil {
		return err
	}
	_, err = r.guarded(ctx, access.GuardrailManage, root, func(ctx context.Context, tx *store.Tx) (*ent.GuardrailPreset, error) {
		return nil, r.Guards.Delete(ctx, tx, root, presetID)
	})
	return err
}

// guardrailSet assigns a preset to a scope, or takes it off.
func (r *Resolver) guardrailSet(ctx context.Context, scopeID, presetID string, verb func(context.Context, *store.Tx, *ent.Scope, string) (*ent.GuardrailPreset, error)) (*ent.GuardrailPreset, error) {
	s, err := r.planeScope(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, missingScope()
	}
	at := s
	if s.Kind == scope.KindAGENT && s.ParentID != nil { // an agent is its owner's
		if at, err = r.Store.Scope.Get(ctx, *s.ParentID); err != nil {
			return nil, err
		}
	}
	return r.guarded(ctx, access.GuardrailAssign, at, func(ctx context.Context, tx *store.Tx) (*ent.GuardrailPreset, error) {
		return verb(ctx, tx, s, presetID)
	})
}

// maxSimulated bounds the text of a trial.
const maxSimulated = 20_000

func (r *Resolver) guardrailSimulate(ctx context.Context, in model.GuardrailSimulateInput) (*model.GuardrailSimulation, error) {
	out := &model.GuardrailSimulation{Text: in.Text, Findings: []*model.GuardrailFinding{}, Errors: []model.UserError{}}
	filter, err := r.simulated(ctx, in)
	if err != nil {
		out.Errors, err = refused(err)
		return out, err
	}
	if filter == nil {
		return out, nil
	}
	size := len(in.Text)
	if in.ChunkSize != nil {
		size = max(1, *in.ChunkSize)
	}
	s := filter.Stream()
	var clean strings.Builder
	for rest := in.Text; rest != ""; {
		piece := rest[:min(size, len(rest))]
		rest = rest[len(piece):]
		clean.WriteString(s.Write(piece))
	}
	clean.WriteString(s.Close())
	out.Text = clean.String()
	if b := s.Blocked(); b != nil {
		out.BlockedBy = &b.Name
	}
	for _, f := range s.Findings() {
		out.Findings = append(out.Findings, &model.GuardrailFinding{Rule: f.Rule.Name, Action: model.GuardrailAction(f.Rule.Action), From: f.From, To: f.To})
	}
	return out, nil
}

// simulated is the filter that a trial asks for; nil where no rule looks that
// way.
func (r *Resolver) simulated(ctx context.Context, in model.GuardrailSimulateInput) (*detect.Filter, error) {
	direction := detect.Direction(in.Direction)
	switch {
	case len(in.Text) > maxSimulated:
		return nil, fault.At("text", "A trial takes at most %d bytes.", maxSimulated)
	case direction == detect.Both:
		return nil, fault.At("direction", "A text goes in or comes out: ask for INPUT or OUTPUT.")
	case (in.PresetID == nil) == (in.Rules == nil):
		return nil, fault.At("presetId", "Give either a guardrail or rules.")
	}
	var raw json.RawMessage
	if in.PresetID != nil {
		p, err := r.Store.GuardrailPreset.Get(ctx, *in.PresetID)
		if ent.IsNotFound(err) {
			return nil, fault.Missing("guardrail")
		}
		if err != nil {
			return nil, err
		}
		raw = p.Rules
	} else {
		var err error
		if raw, err = guardrail.Encode(&detect.Preset{Rules: fromRules(in.Rules), Allow: fromAllowed(in.Allow)}); err != nil {
			return nil, err
		}
	}
	preset, faults := detect.Decode(raw)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return detect.NewFilter(direction, preset.Rules)
}

// canGuardrail tells what the viewer may do with a preset.
func (r *Resolver) canGuardrail(ctx context.Context, p *ent.GuardrailPreset) ([]*model.ViewerPermission, error) {
	return r.canAtPlane(ctx, tenancy.Plane(p.Plane), access.GuardrailManage)
}
