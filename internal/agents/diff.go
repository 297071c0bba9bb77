package agents

import (
	"slices"
	"strconv"
	"strings"
)

// Change is a field in which two definitions differ. Lists have a line for each
// of their entries.
type Change struct {
	Field         string
	Before, After string
}

// Fields of a definition, in the order in which they are shown.
const (
	FieldInstructions = "instructions"
	FieldModel        = "modelId"
	FieldFallbacks    = "fallbackIds"
	FieldTemperature  = "parameters.temperature"
	FieldTopP         = "parameters.topP"
	FieldOutput       = "parameters.maxOutputTokens"
	FieldReasoning    = "parameters.reasoningEffort"
	FieldTools        = "toolIds"
	FieldKnowledge    = "knowledge"
	FieldStarters     = "starters"
	FieldGuardrails   = "guardrailPresetIds"
)

func (d *Definition) fields() []Change {
	number := func(x *float64) string {
		if x == nil {
			return ""
		}
		return strconv.FormatFloat(*x, 'g', -1, 64)
	}
	output := ""
	if d.Parameters.MaxOutputTokens > 0 {
		output = strconv.Itoa(d.Parameters.MaxOutputTokens)
	}
	links := make([]string, len(d.Knowledge))
	for i, k := range d.Knowledge {
		links[i] = k.Title + " " + k.URL
	}
	lines := func(list []string) string { return strings.Join(list, "\n") }
	return []Change{
		{Field: FieldInstructions, After: d.Instructions},
		{Field: FieldModel, After: d.ModelID},
		{Field: FieldFallbacks, After: lines(d.FallbackIDs)},
		{Field: FieldTemperature, After: number(d.Parameters.Temperature)},
		{Field: FieldTopP, After: number(d.Parameters.TopP)},
		{Field: FieldOutput, After: output},
		{Field: FieldReasoning, After: d.Parameters.ReasoningEffort},
		{Field: FieldTools, After: lines(d.ToolIDs)},
		{Field: FieldKnowledge, After: lines(links)},
		{Field: FieldStarters, After: lines(d.Starters)},
		{Field: FieldGuardrails, After: lines(d.GuardrailPresetIDs)},
	}
}

// Diff lists what changed from one definition to another.
func Diff(from, to Definition) []Change {
	before, out := from.fields(), to.fields()
	for i := range out {
		out[i].Before = before[i].After
	}
	return slices.DeleteFunc(out, func(c Change) bool { return c.Before == c.After })
}

// names are the changed fields, which is all that the audit log is told.
func names(changes []Change) []string {
	out := make([]string, len(changes))
	for i, c := range changes {
		out[i] = c.Field
	}
	return out
}
