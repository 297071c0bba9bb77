// Package agents is what people build on Copilot's models: definitions that are
// drafted, checked, published as versions that never change, and handed over.
package agents

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
)

// Bounds of a definition.
const (
	MaxInstructions = 32 << 10 // bytes
	maxFallbacks    = 5
	maxTools        = 64
	maxKnowledge    = 20
	maxStarters     = 8
	maxPresets      = 20
	maxOutput       = 1_000_000
)

// Definition is what an agent is: what a draft holds and a version freezes.
type Definition struct {
	// Instructions go before every conversation, as the system's message.
	Instructions string `json:"instructions,omitempty"`
	ModelID      string `json:"modelId,omitempty"`
	// FallbackIDs are the models that are tried next, in this order, while the
	// one before them brings no answer.
	FallbackIDs        []string   `json:"fallbackIds,omitempty"`
	Parameters         Parameters `json:"parameters,omitzero"`
	ToolIDs            []string   `json:"toolIds,omitempty"`
	Knowledge          []Link     `json:"knowledge,omitempty"`
	Starters           []string   `json:"starters,omitempty"`
	GuardrailPresetIDs []string   `json:"guardrailPresetIds,omitempty"`
}

// Parameters are sent with every call that doesn't set them itself.
type Parameters struct {
	Temperature     *float64 `json:"temperature,omitempty"`
	TopP            *float64 `json:"topP,omitempty"`
	MaxOutputTokens int      `json:"maxOutputTokens,omitempty"`
	ReasoningEffort string   `json:"reasoningEffort,omitempty"`
}

// Link is a page that the agent knows of.
type Link struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Models are the models that an agent may call: its own, then its fallbacks.
func (d *Definition) Models() []string {
	if d.ModelID == "" {
		return d.FallbackIDs
	}
	return append([]string{d.ModelID}, d.FallbackIDs...)
}

// Parse reads a stored definition, strictly: what isn't known is refused.
func Parse(raw []byte) (Definition, error) {
	var d Definition
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return Definition{}, fault.At("definition", "The definition can't be read: %s.", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return Definition{}, fault.At("definition", "The definition is followed by something else. Send one JSON object.")
	}
	return d, d.Check()
}

func (d *Definition) encode() (json.RawMessage, error) { return json.Marshal(d) }

func at(field, format string, args ...any) error {
	e := fault.At("definition", format, args...)
	e.Path = append([]string{"definition"}, strings.Split(field, ".")...)
	return e
}

// Check refuses what no draft may hold; a draft may well be incomplete.
func (d *Definition) Check() error {
	p := d.Parameters
	switch {
	case len(d.Instructions) > MaxInstructions:
		return at("instructions", "Instructions have at most %d kB; these have %d. Move what is long into a knowledge link.", MaxInstructions>>10, (len(d.Instructions)+1023)>>10)
	case !plain(d.Instructions):
		return at("instructions", "Instructions must be text without zero bytes.")
	case p.Temperature != nil && !within(*p.Temperature, 0, 2):
		return at("parameters.temperature", "The temperature lies between 0 and 2.")
	case p.TopP != nil && !within(*p.TopP, 0, 1):
		return at("parameters.topP", "Top-p lies between 0 and 1.")
	case p.MaxOutputTokens < 0 || p.MaxOutputTokens > maxOutput:
		return at("parameters.maxOutputTokens", "The longest answer lies between 1 and %d tokens; 0 leaves it to the model.", maxOutput)
	case !slices.Contains([]string{"", "minimal", "low", "medium", "high"}, p.ReasoningEffort):
		return at("parameters.reasoningEffort", "The reasoning effort is minimal, low, medium or high.")
	case d.ModelID != "" && !is(d.ModelID, id.Model):
		return at("modelId", "This isn't the id of a model.")
	case slices.Contains(d.FallbackIDs, d.ModelID) && d.ModelID != "":
		return at("fallbackIds", "A model can't stand in for itself. Choose another fallback.")
	}
	for _, list := range []struct {
		field string
		ids   []string
		of    id.Prefix
		most  int
	}{
		{"fallbackIds", d.FallbackIDs, id.Model, maxFallbacks},
		{"toolIds", d.ToolIDs, id.Tool, maxTools},
		{"guardrailPresetIds", d.GuardrailPresetIDs, id.GuardrailPreset, maxPresets},
	} {
		if len(list.ids) > list.most {
			return at(list.field, "Choose at most %d.", list.most)
		}
		for i, one := range list.ids {
			if !is(one, list.of) {
				return at(list.field, "%.60q isn't an id of that kind.", one)
			}
			if slices.Contains(list.ids[:i], one) {
				return at(list.field, "One of them is named twice.")
			}
		}
	}
	return d.checkTexts()
}

func (d *Definition) checkTexts() error {
	if len(d.Knowledge) > maxKnowledge {
		return at("knowledge", "An agent has at most %d knowledge links.", maxKnowledge)
	}
	for _, k := range d.Knowledge {
		u, err := url.Parse(k.URL)
		switch {
		case strings.TrimSpace(k.Title) == "" || len(k.Title) > 120 || !plain(k.Title):
			return at("knowledge", "A link's title has 1–120 characters.")
		case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(k.URL) > 2000:
			return at("knowledge", "%.80q isn't the address of a page. Write it in full, with https://.", k.URL)
		}
	}
	if len(d.Starters) > maxStarters {
		return at("starters", "An agent has at most %d conversation starters.", maxStarters)
	}
	for _, s := range d.Starters {
		if strings.TrimSpace(s) == "" || len(s) > 300 || !plain(s) {
			return at("starters", "A conversation starter has 1–300 characters.")
		}
	}
	return nil
}

func plain(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// within is false for what isn't a number.
func within(x, low, high float64) bool { return x >= low && x <= high }

func is(s string, prefix id.Prefix) bool {
	p, ok := id.PrefixOf(s)
	return ok && p == prefix
}
