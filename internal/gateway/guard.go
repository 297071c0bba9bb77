package gateway

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/internal/detect"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/guardrail"
)

// guardInput looks at all texts of the request, before anything is held for it.
// What a rule takes out is gone from what goes upstream; the rest of the body
// stays byte by byte.
func (c *call) guardInput() error {
	if c.Guards == nil {
		return nil
	}
	who := guardrail.Subject{AccountID: c.caller.Viewer.AccountID, Plane: c.caller.Plane, Path: c.caller.Path}
	if c.agent != nil {
		who.AgentID, who.PresetIDs = c.agent.ID, c.agent.Definition.GuardrailPresetIDs // a draft's, too
	}
	var err error
	if c.guards, err = c.Guards.For(c.r.Context(), who); err != nil {
		return err
	}
	look := c.guards.Look(detect.Input)
	if look == nil {
		return nil
	}
	var edits []edit
	texts(c.q.doc, span{skipSpace(c.q.doc, 0), len(c.q.doc)}, func(at span) {
		if before := text(at.of(c.q.doc)); look.Refusal() == nil {
			if after := look.Text(before); after != before {
				edits = append(edits, edit{at, quote(after)})
			}
		}
	})
	if err := look.End(c.r.Context()); err != nil || len(edits) == 0 {
		return err
	}
	q, refused := parse(apply(c.q.doc, edits))
	if refused != nil {
		return refused
	}
	q.sent, c.q = c.q.sent, q
	return nil
}

// unread are members that hold no text that anybody reads, or none at all.
var unread = []string{"role", "type", "id", "tool_call_id", "model", "data", "file_data", "b64_json"}

// texts calls each with every string of a value, but for those of unread
// members, pictures and sounds.
func texts(doc []byte, at span, each func(span)) {
	switch doc[at.from] {
	case '"':
		each(at)
	case '[':
		for _, e := range elements(doc, at) {
			texts(doc, e, each)
		}
	case '{':
		for _, m := range members(doc, at) {
			file := named([]byte(m.name), "url") && bytes.HasPrefix(m.value.of(doc), []byte(`"data:`))
			if !file && !isOne(m.name, unread) {
				texts(doc, m.value, each)
			}
		}
	}
}

func isOne(name string, of []string) bool {
	return slices.ContainsFunc(of, func(o string) bool { return named([]byte(name), o) })
}

// quote writes a JSON string and escapes no more than it must.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}

// guardAnswer looks at an answer that isn't a stream, as a whole.
func (c *call) guardAnswer(answer []byte) ([]byte, error) {
	look := c.guards.Look(detect.Output)
	if look == nil {
		return answer, nil
	}
	var edits []edit
	filter := func(at span) {
		if before := text(at.of(answer)); look.Refusal() == nil {
			if after := look.Text(before); after != before {
				edits = append(edits, edit{at, quote(after)})
			}
		}
	}
	for _, m := range members(answer, span{skipSpace(answer, 0), len(answer)}) {
		switch {
		case named([]byte(m.name), "choices"):
			for _, choice := range elements(answer, m.value) {
				for _, part := range members(answer, choice) {
					if named([]byte(part.name), "logprobs") { // the same text once more, in pieces
						edits = append(edits, edit{part.value, "null"})
					} else {
						texts(answer, part.value, filter)
					}
				}
			}
		case named([]byte(m.name), "error"):
			texts(answer, m.value, filter)
		}
	}
	// The answer is complete: a client that leaves now changes nothing.
	if err := look.End(c.r.Context()); err != nil {
		return nil, charged(err)
	}
	return apply(answer, edits), nil
}

// charged says that a refused answer was paid for.
func charged(err error) error {
	e := fault.As(err)
	if e == nil {
		return err
	}
	told := *e
	told.Message += " The provider made the answer, so it was charged."
	return &told
}
