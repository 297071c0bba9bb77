package gateway

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// rewrite is the body that goes upstream: the client's, byte by byte, but for
// the model's name, the output limit under the name that the upstream obeys,
// and the wish for a stream's usage.
func (q *request) rewrite(model, limitName string, limit int64) []byte {
	var edits []edit
	name, err := json.Marshal(model)
	if err != nil {
		panic(err) // a string always encodes
	}
	inserted := ""
	if q.modelAt.to > 0 {
		edits = append(edits, edit{q.modelAt, string(name)})
	} else {
		inserted = `"model":` + string(name) + ","
	}
	limitText := strconv.Quote(limitName) + ":" + strconv.FormatInt(limit, 10)
	if len(q.limitsAt) == 0 {
		inserted += limitText + ","
	}
	for i, m := range q.limitsAt {
		if i == 0 {
			edits = append(edits, edit{span{m.key.from, m.value.to}, limitText})
		} else {
			edits = append(edits, edit{q.withComma(m), ""})
		}
	}
	if q.stream && !q.usage {
		switch {
		case q.usageAt != nil:
			edits = append(edits, edit{q.usageAt.value, "true"})
		case q.optionsAt == nil:
			inserted += `"stream_options":{"include_usage":true},`
		case q.doc[q.optionsAt.value.from] == 'n' || len(members(q.doc, q.optionsAt.value)) == 0:
			edits = append(edits, edit{q.optionsAt.value, `{"include_usage":true}`})
		default:
			at := q.optionsAt.value.from + 1
			edits = append(edits, edit{span{at, at}, `"include_usage":true,`})
		}
	}
	if inserted != "" {
		at := skipSpace(q.doc, 0) + 1
		if q.doc[skipSpace(q.doc, at)] == '}' {
			inserted = strings.TrimSuffix(inserted, ",")
		}
		edits = append(edits, edit{span{at, at}, inserted})
	}
	return apply(q.doc, edits)
}

// withComma is the place of a member that isn't the first, with the comma
// before it.
func (q *request) withComma(m member) span {
	from := m.key.from
	for q.doc[from] != ',' {
		from--
	}
	return span{from, m.value.to}
}

// edit replaces a part of a document.
type edit struct {
	at   span
	with string
}

func apply(doc []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int { return a.at.from - b.at.from })
	out := make([]byte, 0, len(doc)+128)
	done := 0
	for _, e := range edits {
		out = append(out, doc[done:e.at.from]...)
		out = append(out, e.with...)
		done = e.at.to
	}
	return append(out, doc[done:]...)
}
