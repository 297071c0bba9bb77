// Package guardrail knows which presets hold where, and looks at what goes into
// models and tools and what comes out of them.
package guardrail

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/agentversion"
	"github.com/alchemi/cockpit/ent/guardrailassignment"
	"github.com/alchemi/cockpit/ent/guardrailpreset"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Options of Guards; Store, Epochs, Box and Client are required.
type Options struct {
	Store  *store.Store
	Epochs *store.Epochs
	// Box opens the secrets of outside moderation services.
	Box *secret.Box
	// Client calls those services: see outbound.NewClient.
	Client *http.Client
	// Refusals gets the findings, for the audit log; nil: nobody does.
	Refusals *audit.Refusals
	Log      *slog.Logger
	// Metrics gets the count of findings; nil keeps it to itself.
	Metrics prometheus.Registerer
}

// Guards answers from memory which rules hold. A plane's presets are read once
// an epoch of its account, and compiled once a version.
type Guards struct {
	Options
	found  *prometheus.CounterVec
	mu     sync.RWMutex
	planes map[place]*cached
}

type place struct {
	accountID string
	plane     tenancy.Plane
}

type cached struct {
	reading sync.Mutex // one reads, the others wait for it
	now     atomic.Pointer[snapshot]
	// changes counts what this replica changed itself.
	changes atomic.Int64
	mu      sync.Mutex
	filters map[string]*detect.Filter
}

// snapshot is a plane's presets as they stood at an epoch.
type snapshot struct {
	epoch, changes int64
	presets        map[string]*preset
	at             map[string][]string // preset ids by scope
	agents         map[string]agentAt
}

// agentAt is where an agent stands, and what its published version brings.
type agentAt struct {
	path      string
	published bool
	presets   []string
}

// preset is one in use.
type preset struct {
	row    *ent.GuardrailPreset
	rules  *detect.Preset
	broken error
}

// New makes the one Guards of a server.
func New(o Options) *Guards {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	g := &Guards{Options: o, planes: map[place]*cached{}, found: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cockpit_guardrail_findings_total", Help: "Texts in which a rule of a guardrail found something, by action and direction.",
	}, []string{"action", "direction"})}
	if o.Metrics != nil {
		o.Metrics.MustRegister(g.found)
	}
	return g
}

// Changed lets this replica read a plane again at once, after a change that it
// made itself; the others learn of it by the account's epoch.
func (g *Guards) Changed(accountID string, plane tenancy.Plane) {
	g.of(place{accountID, plane}).changes.Add(1)
}

func (g *Guards) of(p place) *cached {
	g.mu.RLock()
	c := g.planes[p]
	g.mu.RUnlock()
	if c != nil {
		return c
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c = g.planes[p]; c == nil {
		c = &cached{filters: map[string]*detect.Filter{}}
		g.planes[p] = c
	}
	return c
}

func (g *Guards) snapshot(ctx context.Context, p place) (*cached, *snapshot, error) {
	c := g.of(p)
	fresh := func(s *snapshot) bool {
		return s != nil && s.changes == c.changes.Load() && s.epoch == g.Epochs.Of(p.accountID)
	}
	if s := c.now.Load(); fresh(s) {
		return c, s, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	old := c.now.Load()
	if fresh(old) {
		return c, old, nil
	}
	// The epoch comes before the rows that it vouches for.
	s := &snapshot{epoch: g.Epochs.Of(p.accountID), changes: c.changes.Load()}
	if err := s.load(tenancy.System(ctx, "guardrails above and of agents hold for those who don't see them"), g.Store.Client, p, old); err != nil {
		return nil, nil, fmt.Errorf("guardrail: %w", err)
	}
	c.now.Store(s)
	return c, s, nil
}

func (s *snapshot) load(ctx context.Context, c *ent.Client, p place, old *snapshot) error {
	rows, err := c.GuardrailPreset.Query().Where(guardrailpreset.AccountID(p.accountID), guardrailpreset.PlaneEQ(guardrailpreset.Plane(p.plane)),
		guardrailpreset.StatusEQ(guardrailpreset.StatusACTIVE)).All(ctx)
	if err != nil || len(rows) == 0 {
		return err
	}
	s.presets, s.at, s.agents = map[string]*preset{}, map[string][]string{}, map[string]agentAt{}
	for _, row := range rows {
		if old != nil && old.presets[row.ID] != nil && old.presets[row.ID].row.Version == row.Version {
			s.presets[row.ID] = old.presets[row.ID]
			continue
		}
		s.presets[row.ID] = ready(row)
	}
	assigned, err := c.GuardrailAssignment.Query().Where(guardrailassignment.AccountID(p.accountID),
		guardrailassignment.PlaneEQ(guardrailassignment.Plane(p.plane))).All(ctx)
	if err != nil {
		return err
	}
	for _, a := range assigned {
		s.at[a.ScopeID] = append(s.at[a.ScopeID], a.PresetID)
	}
	if p.plane != tenancy.Copilot {
		return nil
	}
	return s.loadAgents(ctx, c, p)
}

// loadAgents reads where the agents stand, and the presets that their published
// versions name.
func (s *snapshot) loadAgents(ctx context.Context, c *ent.Client, p place) error {
	scopes, err := c.Scope.Query().Where(scope.AccountID(p.accountID), scope.KindEQ(scope.KindAGENT), scope.DeletedAtIsNil()).
		Select(scope.FieldID, scope.FieldPath).All(ctx)
	if err != nil || len(scopes) == 0 {
		return err
	}
	for _, at := range scopes {
		s.agents[at.ID] = agentAt{path: at.Path}
	}
	published, err := c.Agent.Query().Where(agent.AccountID(p.accountID), agent.PublishedVersionNotNil()).
		Select(agent.FieldID, agent.FieldPublishedVersion).All(ctx)
	if err != nil {
		return err
	}
	for _, a := range published {
		at, known := s.agents[a.ID]
		if !known {
			continue
		}
		v, err := c.AgentVersion.Query().Where(agentversion.AgentID(a.ID), agentversion.Number(*a.PublishedVersion)).Only(ctx)
		if ent.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		var definition struct {
			GuardrailPresetIDs []string `json:"guardrailPresetIds"`
		}
		if err := json.Unmarshal(v.Definition, &definition); err != nil {
			return fmt.Errorf("definition of agent %s: %w", a.ID, err)
		}
		at.published, at.presets = true, definition.GuardrailPresetIDs
		s.agents[a.ID] = at
	}
	return nil
}

// ready compiles a preset; one that can't be is remembered as broken, and
// whatever it holds for is refused.
func ready(row *ent.GuardrailPreset) *preset {
	rules, faults := detect.Decode(row.Rules)
	if len(faults) > 0 {
		return &preset{row: row, broken: faults[0]}
	}
	for _, r := range rules.Rules {
		r.PresetID, r.Preset = row.ID, row.Name
	}
	return &preset{row: row, rules: rules}
}

// Subject is whose text is looked at: the path that pays, and the agent that
// it goes through, if any.
type Subject struct {
	AccountID string
	Plane     tenancy.Plane
	Path      string
	AgentID   string
	// PresetIDs hold besides those that are assigned: a draft's.
	PresetIDs []string
}

// Set is all that holds for a subject.
type Set struct {
	guards  *Guards
	subject Subject
	presets []*preset
	input   *detect.Filter
	output  *detect.Filter
}

// For tells what holds for a subject; nil where nothing does.
func (g *Guards) For(ctx context.Context, who Subject) (*Set, error) {
	c, s, err := g.snapshot(ctx, place{who.AccountID, who.Plane})
	if err != nil || len(s.presets) == 0 {
		return nil, err
	}
	ids := s.effective(who)
	if len(ids) == 0 {
		return nil, nil
	}
	set := &Set{guards: g, subject: who}
	var key strings.Builder
	var rules []*detect.Rule
	for _, presetID := range ids {
		p := s.presets[presetID]
		if p.broken != nil {
			return nil, fmt.Errorf("guardrail: preset %s can't be used: %w", presetID, p.broken)
		}
		set.presets = append(set.presets, p)
		rules = append(rules, p.rules.Rules...)
		key.WriteString(presetID + ":" + strconv.Itoa(p.row.Version) + ";")
	}
	if set.input, err = c.filter(detect.Input, key.String(), rules); err != nil {
		return nil, err
	}
	set.output, err = c.filter(detect.Output, key.String(), rules)
	return set, err
}

// Presets are the names of those that hold, in order; empty where none does.
func (s *Set) Presets() []string {
	out := []string{}
	if s != nil {
		for _, p := range s.presets {
			out = append(out, p.row.Name)
		}
	}
	slices.Sort(out)
	return out
}

// effective lists the active presets on a subject's path, sorted.
func (s *snapshot) effective(who Subject) []string {
	ids := slices.Clone(who.PresetIDs)
	for node := range strings.SplitSeq(strings.Trim(who.Path, "/"), "/") {
		ids = append(ids, s.at[node]...)
	}
	if a, known := s.agents[who.AgentID]; known {
		ids = append(ids, a.presets...)
		for node := range strings.SplitSeq(strings.Trim(a.path, "/"), "/") {
			ids = append(ids, s.at[node]...)
		}
	}
	ids = slices.DeleteFunc(ids, func(presetID string) bool { return s.presets[presetID] == nil })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// maxFilters bounds the combinations of presets that are kept compiled in a
// plane.
const maxFilters = 256

func (c *cached) filter(d detect.Direction, key string, rules []*detect.Rule) (*detect.Filter, error) {
	key = string(d) + " " + key
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, known := c.filters[key]; known {
		return f, nil
	}
	f, err := detect.NewFilter(d, rules)
	if err != nil {
		return nil, fmt.Errorf("guardrail: %w", err)
	}
	if len(c.filters) >= maxFilters {
		clear(c.filters)
	}
	c.filters[key] = f
	return f, nil
}
