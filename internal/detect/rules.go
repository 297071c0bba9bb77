package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/alchemi/cockpit/internal/fault"
)

// Action is what becomes of what a rule finds.
type Action string

// The actions: the text is refused, the place replaced, or merely counted.
const (
	Block  Action = "BLOCK"
	Redact Action = "REDACT"
	Flag   Action = "FLAG"
)

// Direction is which way a text goes: into models and tools, or out of them.
type Direction string

// The directions. Both is for rules alone.
const (
	Input  Direction = "INPUT"
	Output Direction = "OUTPUT"
	Both   Direction = "BOTH"
)

// Bounds of a preset.
const (
	maxRules   = 50
	maxName    = 80
	maxPattern = 1000
	maxWords   = 500
	maxWord    = 100
	maxAllowed = 200
	maxText    = 500
)

// Rule is a detector with what to do about what it finds.
type Rule struct {
	Name      string    `json:"name"`
	Detector  Detector  `json:"detector"`
	Action    Action    `json:"action"`
	Direction Direction `json:"direction"`
	// Pattern is REGEX's, in the syntax of RE2.
	Pattern string `json:"pattern,omitempty"`
	// Words are those of WORDS, in any case.
	Words []string `json:"words,omitempty"`

	// PresetID and Preset are where the rule comes from, once it is used.
	PresetID string `json:"-"`
	Preset   string `json:"-"`

	compiled pattern
	check    check
	allowed  *allowed
}

// Allowed is a text or a pattern that a preset's rules leave alone.
type Allowed struct {
	Text    string `json:"text,omitempty"`
	Pattern string `json:"pattern,omitempty"`
}

// Moderation is how a preset asks its outside service.
type Moderation struct {
	Direction Direction `json:"direction"`
	// Model is sent along where set.
	Model string `json:"model,omitempty"`
	// TimeoutMS is how long an answer may take.
	TimeoutMS int `json:"timeoutMs"`
	// FailOpen lets texts pass while the service doesn't answer.
	FailOpen bool `json:"failOpen"`
}

// Timeout is TimeoutMS as a duration.
func (m *Moderation) Timeout() time.Duration { return time.Duration(m.TimeoutMS) * time.Millisecond }

// Preset is a set of rules, compiled.
type Preset struct {
	Rules      []*Rule     `json:"rules"`
	Allow      []Allowed   `json:"allow,omitempty"`
	Moderation *Moderation `json:"moderation,omitempty"`
}

type pattern struct {
	prog *syntax.Prog
	tall bool
}

type allowed struct {
	texts    map[string]bool
	patterns []*regexp.Regexp
}

// exempts tells whether the preset leaves a text alone.
func (r *Rule) exempts(text string) bool {
	if r.allowed == nil {
		return false
	}
	if r.allowed.texts[strings.ToLower(text)] {
		return true
	}
	return slices.ContainsFunc(r.allowed.patterns, func(p *regexp.Regexp) bool { return p.MatchString(text) })
}

// mark stands for what was taken out.
func (r *Rule) mark() string { return "[redacted:" + detectors[r.Detector].mark + "]" }

// applies tells whether the rule looks at texts of a direction.
func (d Direction) applies(to Direction) bool { return d == Both || d == to }

// Decode reads a preset strictly: every fault is told with its place.
func Decode(raw []byte) (*Preset, []*fault.Error) {
	d := decoder{}
	var doc struct{ Rules, Allow, Moderation json.RawMessage }
	if !d.object(raw, &doc, nil, "rules", "allow", "moderation") {
		return nil, d.faults
	}
	p := &Preset{}
	for i, r := range d.list(doc.Rules, maxRules, "rules") {
		p.Rules = append(p.Rules, d.rule(r, "rules", strconv.Itoa(i)))
	}
	a := &allowed{texts: map[string]bool{}}
	for i, r := range d.list(doc.Allow, maxAllowed, "allow") {
		p.Allow = append(p.Allow, d.allow(r, a, "allow", strconv.Itoa(i)))
	}
	if present(doc.Moderation) {
		p.Moderation = d.moderation(doc.Moderation)
	}
	names := map[string]bool{}
	for i, r := range p.Rules {
		r.allowed = a
		if r.Name != "" && names[strings.ToLower(r.Name)] {
			d.fault([]string{"rules", strconv.Itoa(i), "name"}, "Another rule has the name %q. Give each its own: findings are counted by it.", r.Name)
		}
		names[strings.ToLower(r.Name)] = true
	}
	if len(d.faults) > 0 {
		return nil, d.faults
	}
	if len(p.Rules) > 0 {
		if _, err := NewFilter(Input, p.Rules); err != nil {
			d.fault([]string{"rules"}, "The rules are too large together. Split them into several presets, or shorten patterns and lists.")
			return nil, d.faults
		}
	}
	return p, nil
}

type decoder struct{ faults []*fault.Error }

func (d *decoder) fault(path []string, format string, args ...any) {
	e := fault.New(fault.Invalid, format, args...)
	e.Path = append([]string{}, path...)
	d.faults = append(d.faults, e)
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// object decodes an object that has no other fields than those named.
func (d *decoder) object(raw json.RawMessage, into any, path []string, known ...string) bool {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || fields == nil {
		d.fault(path, "This must be a JSON object with the fields %s.", strings.Join(known, ", "))
		return false
	}
	ok := true
	for name := range fields {
		if !slices.Contains(known, name) {
			d.fault(append(slices.Clone(path), name), "There is no such field. Those there are: %s.", strings.Join(known, ", "))
			ok = false
		}
	}
	if !ok {
		return false
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(into); err != nil {
		at := slices.Clone(path)
		if wrong, is := err.(*json.UnmarshalTypeError); is && wrong.Field != "" { //nolint:errorlint // never wrapped
			at = append(at, strings.Split(wrong.Field, ".")...)
		}
		d.fault(at, "The value has the wrong type.")
		return false
	}
	return true
}

func (d *decoder) list(raw json.RawMessage, limit int, name string) []json.RawMessage {
	if !present(raw) {
		return nil
	}
	var out []json.RawMessage
	if json.Unmarshal(raw, &out) != nil {
		d.fault([]string{name}, "This must be a list.")
		return nil
	}
	if len(out) > limit {
		d.fault([]string{name}, "A preset has at most %d %s.", limit, name)
		return nil
	}
	return out
}

func (d *decoder) rule(raw json.RawMessage, path ...string) *Rule {
	r := &Rule{}
	if !d.object(raw, r, path, "name", "detector", "action", "direction", "pattern", "words") {
		return r
	}
	at := func(field string) []string { return append(slices.Clone(path), field) }
	if r.Name = strings.TrimSpace(r.Name); r.Name == "" || len(r.Name) > maxName {
		d.fault(at("name"), "A rule needs a name of at most %d bytes.", maxName)
	}
	if r.Action != Block && r.Action != Redact && r.Action != Flag {
		d.fault(at("action"), "The action must be BLOCK, REDACT or FLAG.")
	}
	if r.Direction != Input && r.Direction != Output && r.Direction != Both {
		d.fault(at("direction"), "The direction must be INPUT, OUTPUT or BOTH.")
	}
	kind, known := detectors[r.Detector]
	if !known {
		d.fault(at("detector"), "There is no such detector. Those there are: %s.", strings.Join(names(), ", "))
		return r
	}
	if r.Detector != Regex && r.Pattern != "" {
		d.fault(at("pattern"), "Only the detector REGEX has a pattern.")
	}
	if r.Detector != Words && len(r.Words) > 0 {
		d.fault(at("words"), "Only the detector WORDS has words.")
	}
	source := kind.pattern
	switch r.Detector {
	case Regex:
		source = r.Pattern
		if reason := unfit(source); reason != "" {
			d.fault(at("pattern"), "%s", reason)
			return r
		}
	case Words:
		var field []string
		if source, field = wordsPattern(r.Words); field != nil {
			d.fault(append(at("words"), field[1:]...), "%s", field[0])
			return r
		}
	}
	prog, err := compile(source)
	if err != nil {
		field := "pattern"
		if r.Detector == Words {
			field = "words"
		}
		d.fault(at(field), "The rule is too large: %s. Shorten it.", err)
		return r
	}
	r.compiled, r.check = pattern{prog, kind.tall}, kind.check
	return r
}

func (d *decoder) allow(raw json.RawMessage, into *allowed, path ...string) Allowed {
	var a Allowed
	if !d.object(raw, &a, path, "text", "pattern") {
		return a
	}
	switch {
	case (a.Text == "") == (a.Pattern == ""):
		d.fault(path, "Give either a text or a pattern.")
	case len(a.Text) > maxText:
		d.fault(append(slices.Clone(path), "text"), "A text has at most %d bytes.", maxText)
	case a.Text != "":
		into.texts[strings.ToLower(a.Text)] = true
	default:
		if reason := malformed(a.Pattern); reason != "" {
			d.fault(append(slices.Clone(path), "pattern"), "%s", reason)
			return a
		}
		whole, err := regexp.Compile(`\A(?:` + a.Pattern + `)\z`)
		if err != nil {
			d.fault(append(slices.Clone(path), "pattern"), "This isn't a regular expression.")
			return a
		}
		into.patterns = append(into.patterns, whole)
	}
	return a
}

func (d *decoder) moderation(raw json.RawMessage) *Moderation {
	m := &Moderation{Direction: Both, TimeoutMS: 3000}
	path := []string{"moderation"}
	if !d.object(raw, m, path, "direction", "model", "timeoutMs", "failOpen") {
		return nil
	}
	if m.Direction != Input && m.Direction != Output && m.Direction != Both {
		d.fault(append(path, "direction"), "The direction must be INPUT, OUTPUT or BOTH.")
	}
	if m.TimeoutMS < 100 || m.TimeoutMS > 30_000 {
		d.fault(append(path, "timeoutMs"), "The time-out must be from 100 to 30000 milliseconds.")
	}
	if len(m.Model) > 100 {
		d.fault(append(path, "model"), "A model's name has at most 100 bytes.")
	}
	return m
}

// malformed says why a pattern can't be read.
func malformed(source string) string {
	switch {
	case source == "":
		return "A pattern is needed."
	case len(source) > maxPattern:
		return fmt.Sprintf("A pattern has at most %d bytes.", maxPattern)
	case !utf8.ValidString(source):
		return "A pattern must be UTF-8."
	}
	if _, err := syntax.Parse(source, syntax.Perl); err != nil {
		return fmt.Sprintf("This isn't a regular expression in the syntax of RE2: %s. It knows no look-around and no back references.", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return ""
}

// unfit says why a pattern can't be looked for.
func unfit(source string) string {
	if reason := malformed(source); reason != "" {
		return reason
	}
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return err.Error()
	}
	if whole, err := regexp.Compile(source); err != nil || whole.MatchString("") {
		return "The pattern matches the empty text, and so it matches everywhere. Ask for one character at least."
	}
	if wideStart(re) {
		return "The pattern begins with a repetition of nearly any character. Leave that out: a pattern is found anywhere in a text."
	}
	return ""
}

// wideStart tells whether an expression may begin with a long run of nearly
// anything, which would be looked for from every character of a text.
func wideStart(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus:
		return wide(re.Sub[0]) || wideStart(re.Sub[0])
	case syntax.OpRepeat:
		return (re.Max < 0 || re.Max > 16) && wide(re.Sub[0]) || wideStart(re.Sub[0])
	case syntax.OpCapture, syntax.OpQuest:
		return wideStart(re.Sub[0])
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, wideStart)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if wideStart(sub) {
				return true
			}
			if !nullable(sub) {
				return false
			}
		}
	}
	return false
}

// wide tells whether an expression may be nearly any character.
func wide(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpCharClass:
		n := 0
		for i := 0; i+1 < len(re.Rune); i += 2 {
			n += int(re.Rune[i+1]-re.Rune[i]) + 1
		}
		return n > 1000
	case syntax.OpCapture, syntax.OpConcat, syntax.OpAlternate, syntax.OpQuest, syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		return slices.ContainsFunc(re.Sub, wide)
	}
	return false
}

// nullable tells whether an expression matches the empty text somewhere.
func nullable(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpQuest, syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	case syntax.OpRepeat:
		return re.Min == 0 || nullable(re.Sub[0])
	case syntax.OpCapture, syntax.OpPlus:
		return nullable(re.Sub[0])
	case syntax.OpAlternate:
		return slices.ContainsFunc(re.Sub, nullable)
	case syntax.OpConcat:
		return !slices.ContainsFunc(re.Sub, func(s *syntax.Regexp) bool { return !nullable(s) })
	}
	return false
}

// compile makes a pattern's program.
func compile(source string) (*syntax.Prog, error) {
	re, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, err
	}
	if limit := maxInstructions; len(prog.Inst) > limit && len(source) <= maxPattern || len(prog.Inst) > 10*limit {
		return nil, fmt.Errorf("its program has %d instructions of at most %d", len(prog.Inst), limit)
	}
	return prog, nil
}

func folds(r rune) []rune {
	var out []rune
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		out = append(out, f)
	}
	return out
}
