package guardrail

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
)

// Blocked is the code of what a guardrail refuses.
const Blocked fault.Code = "GUARDRAIL_BLOCKED"

// Look is one look at the texts of a call in one direction.
type Look struct {
	set       *Set
	direction detect.Direction
	filter    *detect.Filter
	moderated []*preset
	texts     strings.Builder
	found     map[*detect.Rule]bool
	blocked   *detect.Rule
	failure   error
}

// Look begins a look; nil where nothing looks in that direction.
func (s *Set) Look(d detect.Direction) *Look {
	if s == nil {
		return nil
	}
	l := &Look{set: s, direction: d, filter: s.input, found: map[*detect.Rule]bool{}}
	if d == detect.Output {
		l.filter = s.output
	}
	for _, p := range s.presets {
		if m := p.rules.Moderation; p.row.ModerationURL != "" && m != nil && (m.Direction == detect.Both || m.Direction == d) {
			l.moderated = append(l.moderated, p)
		}
	}
	if l.filter == nil && len(l.moderated) == 0 {
		return nil
	}
	return l
}

// Text filters one whole text.
func (l *Look) Text(text string) string {
	clean := l.clean(text)
	if len(l.moderated) > 0 {
		l.texts.WriteString(clean + "\n")
	}
	return clean
}

// note remembers what a stream has found.
func (l *Look) note(s *detect.Stream) {
	s.Counts(func(r *detect.Rule, _ int) { l.found[r] = true })
	if l.blocked == nil {
		l.blocked = s.Blocked()
	}
}

// Refusal is why the texts may not go on; nil while they may.
func (l *Look) Refusal() error {
	if l.blocked != nil {
		return refusal(l.direction, l.blocked.Preset, l.blocked.Name)
	}
	return l.failure
}

// End asks the outside services about the whole texts that were looked at,
// records what was found, and tells whether they may go on.
func (l *Look) End(ctx context.Context) error {
	if l.Refusal() == nil && l.texts.Len() > 0 {
		l.failure = l.moderate(ctx, l.texts.String())
	}
	l.record(ctx)
	return l.Refusal()
}

func refusal(d detect.Direction, preset, rule string) *fault.Error {
	what := "request"
	if d == detect.Output {
		what = "answer"
	}
	return fault.New(Blocked, "The guardrail %q doesn't let this %s pass: its rule %q found something. Leave that out, or ask an admin about the rule.",
		preset, what, rule).With("guardrail", preset).With("rule", rule).With("direction", string(d))
}

// record counts what was found: once a call, rule and direction. Repeats within
// a minute become one event.
func (l *Look) record(ctx context.Context) {
	for r := range l.found {
		l.set.event(ctx, r.Action, l.direction, r.PresetID, r.Preset, r.Name)
	}
	clear(l.found)
}

// The actions of the events that tell of findings.
const (
	EventBlock  = "guardrail.block"
	EventRedact = "guardrail.redact"
	EventFlag   = "guardrail.flag"
)

// event tells what a rule has found, never the text. Its reason is the direction
// and the rule's name.
func (s *Set) event(ctx context.Context, a detect.Action, d detect.Direction, presetID, preset, rule string) {
	g := s.guards
	g.found.WithLabelValues(string(a), string(d)).Inc()
	if g.Refusals == nil {
		return
	}
	e := audit.Event{Action: EventFlag, Outcome: auditevent.OutcomeDONE, AccountID: s.subject.AccountID, Plane: s.subject.Plane,
		ScopeID: leaf(s.subject.Path), ScopePath: s.subject.Path, TargetID: presetID, TargetName: preset, Reason: string(d) + " " + rule}
	switch a {
	case detect.Block:
		e.Action, e.Outcome = EventBlock, auditevent.OutcomeREFUSED
	case detect.Redact:
		e.Action = EventRedact
	}
	g.Refusals.Record(ctx, e)
}

func leaf(path string) string {
	path = strings.TrimSuffix(path, "/")
	return path[strings.LastIndexByte(path, '/')+1:]
}
