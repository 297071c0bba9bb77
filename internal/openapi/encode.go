package openapi

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/alchemi/cockpit/internal/fault"
)

// escape keeps letters, digits and -._~ as they are, and nothing else.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func (p *parameter) wrong(format string, args ...any) error {
	return fault.At(p.argument, format, args...)
}

// scalar is the text of a value that holds no others.
func (p *parameter) scalar(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", p.wrong("%s takes text, numbers and booleans, also in a list or an object, but nothing nested deeper.", p.argument)
}

// flat is the texts of a value: one, those of a list, or names and values of an
// object in turn.
func (p *parameter) flat(v any) (texts []string, object bool, err error) {
	add := func(v any) error {
		text, err := p.scalar(v)
		texts = append(texts, text)
		return err
	}
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if err := add(item); err != nil {
				return nil, false, err
			}
		}
		return texts, false, nil
	case map[string]any:
		for _, name := range sortedKeys(v) {
			texts = append(texts, name)
			if err := add(v[name]); err != nil {
				return nil, false, err
			}
		}
		return texts, true, nil
	}
	return texts, false, add(v)
}

// asJSON is the value of a parameter that holds JSON.
func asJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err
}

// path fills a parameter's place in the path.
func (p *parameter) path(v any) (string, error) {
	if p.json {
		text, err := asJSON(v)
		return escape(text), err
	}
	texts, object, err := p.flat(v)
	if err != nil {
		return "", err
	}
	for _, text := range texts {
		// Some servers unescape slashes before they look at dots.
		for segment := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '/' || r == '\\' }) {
			if dots(segment) {
				return "", p.wrong("%s can't hold . or .. as a part of a path.", p.argument)
			}
		}
	}
	if len(texts) == 0 || (len(texts) == 1 && texts[0] == "") {
		return "", p.wrong("%s can't be empty: it is part of the address.", p.argument)
	}
	escaped := each(texts, escape)
	switch p.style {
	case openapi3.SerializationLabel:
		if p.explode {
			return "." + strings.Join(paired(escaped, object, "="), "."), nil
		}
		return "." + strings.Join(escaped, ","), nil
	case openapi3.SerializationMatrix:
		name := escape(p.name)
		switch {
		case object && p.explode:
			return ";" + strings.Join(paired(escaped, true, "="), ";"), nil
		case p.explode:
			return ";" + strings.Join(each(escaped, func(s string) string { return name + "=" + s }), ";"), nil
		}
		return ";" + name + "=" + strings.Join(escaped, ","), nil
	default:
		if p.explode {
			return strings.Join(paired(escaped, object, "="), ","), nil
		}
		return strings.Join(escaped, ","), nil
	}
}

// header is the value of a header; it can't end its line.
func (p *parameter) header(v any) (string, error) {
	var text string
	if p.json {
		var err error
		if text, err = asJSON(v); err != nil {
			return "", err
		}
	} else {
		texts, object, err := p.flat(v)
		if err != nil {
			return "", err
		}
		if p.explode {
			texts = paired(texts, object, "=")
		}
		text = strings.Join(texts, ",")
	}
	if !httpguts.ValidHeaderFieldValue(text) {
		return "", p.wrong("%s can't be sent as a header: it holds a control character.", p.argument)
	}
	return text, nil
}

// query is the parameter as pairs of the address's query.
func (p *parameter) query(v any) ([]string, error) {
	if p.json {
		text, err := asJSON(v)
		return []string{escape(p.name) + "=" + escape(text)}, err
	}
	if p.style == openapi3.SerializationDeepObject {
		return p.deep(p.name, v, 0)
	}
	texts, object, err := p.flat(v)
	if err != nil || len(texts) == 0 {
		return nil, err
	}
	escaped, name := each(texts, escape), escape(p.name)
	switch {
	case object && p.explode:
		return paired(escaped, true, "="), nil
	case p.explode:
		return each(escaped, func(s string) string { return name + "=" + s }), nil
	}
	comma := map[string]string{openapi3.SerializationSpaceDelimited: "%20", openapi3.SerializationPipeDelimited: "%7C"}[p.style]
	if comma == "" {
		comma = ","
	}
	return []string{name + "=" + strings.Join(escaped, comma)}, nil
}

const maxDeep = 8

// deep writes name[key][0]=value, as far down as there are values.
func (p *parameter) deep(name string, v any, depth int) ([]string, error) {
	if depth > maxDeep {
		return nil, p.wrong("%s is nested more than %d deep.", p.argument, maxDeep)
	}
	var out []string
	add := func(key string, v any) error {
		pairs, err := p.deep(name+"["+key+"]", v, depth+1)
		out = append(out, pairs...)
		return err
	}
	switch v := v.(type) {
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if err := add(key, v[key]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		for i, item := range v {
			if err := add(strconv.Itoa(i), item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case nil:
		return nil, nil
	}
	text, err := p.scalar(v)
	return []string{escape(name) + "=" + escape(text)}, err
}

// encode writes the body in its type.
func (b *body) encode(v any) ([]byte, error) {
	switch ranked(b.contentType) {
	case ranked(formType):
		fields, ok := v.(map[string]any)
		if !ok {
			return nil, fault.At(bodyArgument, "body must be an object: it is sent as a form.")
		}
		pairs, err := b.form(fields)
		return []byte(strings.Join(pairs, "&")), err
	case ranked("text/plain"):
		text, ok := v.(string)
		if !ok {
			return nil, fault.At(bodyArgument, "body must be text.")
		}
		return []byte(text), nil
	default:
		return json.Marshal(v)
	}
}

func (b *body) form(fields map[string]any) ([]string, error) {
	pairs := []string{}
	for _, name := range sortedKeys(fields) {
		v := fields[name]
		if v == nil {
			continue
		}
		p := &parameter{argument: bodyArgument, name: name, in: "query", style: openapi3.SerializationForm, explode: true}
		e := b.encoding[name]
		styled := e != nil && e.Style != ""
		if styled {
			p.style = e.Style
			p.explode = e.Style == openapi3.SerializationForm
			if e.Explode != nil {
				p.explode = *e.Explode
			}
		}
		if !styled {
			// Without a style what is nested is JSON.
			_, object := v.(map[string]any)
			p.json = object || nested(v)
		}
		more, err := p.query(v)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, more...)
	}
	return pairs, nil
}

// nested tells whether a list holds more than plain values.
func nested(v any) bool {
	list, _ := v.([]any)
	for _, item := range list {
		switch item.(type) {
		case map[string]any, []any, nil:
			return true
		}
	}
	return false
}

// paired joins names and values of an object by a sign; a list stays as it is.
func paired(texts []string, object bool, sign string) []string {
	if !object {
		return texts
	}
	var out []string
	for i := 0; i+1 < len(texts); i += 2 {
		out = append(out, texts[i]+sign+texts[i+1])
	}
	return out
}

func each(texts []string, f func(string) string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = f(text)
	}
	return out
}
