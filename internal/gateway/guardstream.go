package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/alchemi/cockpit/internal/guardrail"
)

// streamGuard looks at the texts of a stream's choices as they come. What a rule
// may still match is held back; the rest goes on at once.
type streamGuard struct {
	ctx   context.Context
	look  *guardrail.Look
	flows []*flow
	// last is the latest event, after which those are made that bring what was
	// held back.
	last []byte
}

// flow is one text of one choice.
type flow struct {
	*guardrail.Flow
	choice, field string
	// tool is the place of a tool call, "" for other texts.
	tool string
}

// insert is a text that goes in another one's place.
type insert struct {
	at     span
	before string
	after  string
	flow   *flow
}

// event rewrites one event of the upstream's. What isn't JSON is dropped. It
// returns why the stream may not go on, and what may before it ends.
func (g *streamGuard) event(data []byte) (out []byte, refusal error) {
	if len(data) == 0 {
		return []byte(":\n\n"), nil
	}
	if !json.Valid(data) || data[skipSpace(data, 0)] != '{' {
		return nil, nil
	}
	g.last = append(g.last[:0], data...)
	var edits []edit
	var tails []byte
	for _, m := range members(data, span{skipSpace(data, 0), len(data)}) {
		switch {
		case named([]byte(m.name), "choices"):
			for _, c := range elements(data, m.value) {
				made, tail := g.choice(data, c)
				edits, tails = append(edits, made...), append(tails, tail...)
			}
		case named([]byte(m.name), "error"):
			texts(data, m.value, func(at span) {
				if after := g.look.Text(text(at.of(data))); after != text(at.of(data)) {
					edits = append(edits, edit{at, quote(after)})
				}
			})
		}
	}
	return append(tails, line(apply(data, edits))...), g.look.Refusal()
}

// line is an event that carries a document.
func line(doc []byte) []byte {
	// Between the tokens of JSON a line's end is a space.
	return slices.Concat([]byte("data: "), bytes.ReplaceAll(bytes.ReplaceAll(doc, []byte("\r"), []byte(" ")), []byte("\n"), []byte(" ")), []byte("\n\n"))
}

// choice rewrites one choice. Where it ends, its held texts come first.
func (g *streamGuard) choice(doc []byte, at span) (edits []edit, tails []byte) {
	index, finished := "0", false
	var inserts []insert
	parts := members(doc, at)
	for _, p := range parts {
		switch value := p.value.of(doc); {
		case named([]byte(p.name), "index"):
			index = string(value)
		case named([]byte(p.name), "finish_reason"):
			finished = value[0] == '"'
		}
	}
	for _, p := range parts {
		switch {
		case named([]byte(p.name), "delta"), named([]byte(p.name), "message"):
			more, dropped := g.delta(doc, p.value, index)
			inserts, edits = append(inserts, more...), append(edits, dropped...)
		case named([]byte(p.name), "text"):
			inserts = append(inserts, g.feed(doc, p.value, g.flow(index, "text", ""))...)
		case named([]byte(p.name), "logprobs"):
			edits = append(edits, edit{p.value, "null"})
		}
	}
	if finished {
		tails = g.close(index, inserts)
	}
	for _, i := range inserts {
		if i.before != i.after {
			edits = append(edits, edit{i.at, quote(i.after)})
		}
	}
	return edits, tails
}

// delta feeds the texts of a delta to their flows. What it has besides texts
// that are known can't be followed from event to event, and is left out.
func (g *streamGuard) delta(doc []byte, at span, index string) (inserts []insert, edits []edit) {
	for _, m := range members(doc, at) {
		switch {
		case isOne(m.name, []string{"role"}):
		case isOne(m.name, []string{"content", "refusal", "reasoning", "reasoning_content"}):
			inserts = append(inserts, g.feed(doc, m.value, g.flow(index, m.name, ""))...)
		case isOne(m.name, []string{"function_call"}):
			more, dropped := g.tool(doc, m.value, func() *flow { return g.flow(index, m.name, "") })
			inserts, edits = append(inserts, more...), append(edits, dropped...)
		case isOne(m.name, []string{"tool_calls"}):
			for i, t := range elements(doc, m.value) {
				place := strconv.Itoa(i)
				for _, p := range members(doc, t) {
					if named([]byte(p.name), "index") {
						place = string(p.value.of(doc))
					}
				}
				for _, p := range members(doc, t) {
					if v := doc[p.value.from]; v == '{' {
						more, dropped := g.tool(doc, p.value, func() *flow { return g.flow(index, p.name, place) })
						inserts, edits = append(inserts, more...), append(edits, dropped...)
					}
				}
			}
		default:
			if v := doc[m.value.from]; v == '"' || v == '{' || v == '[' {
				edits = append(edits, edit{m.value, "null"})
			}
		}
	}
	return inserts, edits
}

// tool feeds what a tool is called with; its name stays.
func (g *streamGuard) tool(doc []byte, at span, flow func() *flow) (inserts []insert, edits []edit) {
	for _, m := range members(doc, at) {
		switch {
		case isOne(m.name, []string{"name"}):
		case isOne(m.name, []string{"arguments", "input"}) && doc[m.value.from] == '"':
			inserts = append(inserts, g.feed(doc, m.value, flow())...)
		case doc[m.value.from] != 'n':
			edits = append(edits, edit{m.value, "null"})
		}
	}
	return inserts, edits
}

// feed writes the strings of a value to a flow.
func (g *streamGuard) feed(doc []byte, at span, f *flow) (out []insert) {
	texts(doc, at, func(at span) {
		before := text(at.of(doc))
		out = append(out, insert{at, before, f.Write(g.ctx, before), f})
	})
	return out
}

func (g *streamGuard) flow(choice, field, tool string) *flow {
	for _, f := range g.flows {
		if f.choice == choice && f.field == field && f.tool == tool {
			return f
		}
	}
	f := &flow{choice: choice, field: field, tool: tool}
	if named([]byte(field), "function_call") || tool != "" && named([]byte(field), "function") {
		f.Flow = g.look.Whole() // arguments are JSON, whose escapes hide what it says
	} else {
		f.Flow = g.look.Flow()
	}
	g.flows = append(g.flows, f)
	return f
}

// close ends the flows of a choice. What they held goes into the texts of the
// current event, where it has any, else into events of its own.
func (g *streamGuard) close(choice string, inserts []insert) (tails []byte) {
	rest := g.flows[:0:0]
	for _, f := range g.flows {
		if f.choice != choice {
			rest = append(rest, f)
			continue
		}
		tail := f.Close(g.ctx)
		last := -1
		for i := range inserts {
			if inserts[i].flow == f {
				last = i
			}
		}
		switch {
		case tail == "":
		case last >= 0:
			inserts[last].after += tail
		default:
			tails = append(tails, g.carry(f, tail)...)
		}
	}
	g.flows = rest
	return tails
}

// end is what was held back of choices that never told that they ended.
func (g *streamGuard) end() (out []byte, refusal error) {
	for len(g.flows) > 0 {
		out = append(out, g.close(g.flows[0].choice, nil)...)
	}
	return out, g.look.Refusal()
}

// carry makes an event that brings a text, like the latest one but for that.
func (g *streamGuard) carry(f *flow, tail string) []byte {
	choice := fmt.Sprintf(`"delta":{%s:%s}`, quote(f.field), quote(tail))
	argument := "arguments"
	if f.field == "custom" {
		argument = "input"
	}
	switch {
	case f.tool != "":
		choice = fmt.Sprintf(`"delta":{"tool_calls":[{"index":%s,%s:{%q:%s}}]}`, f.tool, quote(f.field), argument, quote(tail))
	case named([]byte(f.field), "function_call"):
		choice = fmt.Sprintf(`"delta":{"function_call":{"arguments":%s}}`, quote(tail))
	case f.field == "text":
		choice = `"text":` + quote(tail)
	}
	choices := fmt.Sprintf(`[{"index":%s,%s,"finish_reason":null}]`, f.choice, choice)
	var edits []edit
	for _, m := range members(g.last, span{skipSpace(g.last, 0), len(g.last)}) {
		switch {
		case named([]byte(m.name), "choices"):
			edits = append(edits, edit{m.value, choices})
		case named([]byte(m.name), "usage"), named([]byte(m.name), "error"):
			edits = append(edits, edit{m.value, "null"})
		}
	}
	if len(edits) == 0 || !bytes.Contains(g.last, []byte("choices")) {
		return line([]byte(`{"object":"chat.completion.chunk","choices":` + choices + `}`))
	}
	return line(apply(g.last, edits))
}
