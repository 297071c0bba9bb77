package gateway

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
)

// request is a chat completion request as the client wrote it. What isn't
// named here is kept byte by byte.
type request struct {
	doc   []byte
	model string
	// limit is the most output tokens of one choice; 0 when the client set none.
	limit int64
	n     int64
	// stream is what the client asked for, usage whether it also wants the
	// stream's usage event.
	stream, usage bool
	// images is true where the answer shall have images in it.
	images bool
	// opaque names a part whose size in tokens the bytes don't bound.
	opaque string
	// predicted is the size in bytes of the predicted output, which is billed
	// beside the limit.
	predicted int64

	// sent is the document as the client sent it, before an agent's part was
	// added and what guardrails redact was taken out.
	sent []byte

	modelAt    span
	messagesAt span
	limitsAt   []member
	optionsAt  *member
	usageAt    *member
}

// maxChoices is the largest n.
const maxChoices = 128

// maxLimit is the largest output limit in tokens that can be asked for.
const maxLimit = 100_000_000

// bodyTimeout is how long a client may take to send its request.
const bodyTimeout = time.Minute

// readRequest reads and understands a body of at most limit bytes.
func readRequest(w http.ResponseWriter, r *http.Request, limit int64) (*request, *fault.Error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, invalid("", "The gateway takes no %s request bodies; send it uncompressed.", enc)
	}
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(bodyTimeout)) // recorders have none
	defer func() { _ = connection.SetReadDeadline(time.Time{}) }()
	doc, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, fault.New(requestTooLarge, "The request body is larger than %d bytes. Send less at once.", limit)
	case err != nil:
		return nil, invalid("", "The request body couldn't be read to its end.").Because(err)
	}
	return parse(doc)
}

// parse understands a document as far as the gateway must; the model may be left
// to an agent, or to the caller's default.
func parse(doc []byte) (*request, *fault.Error) {
	if e := check(doc); e != nil {
		return nil, e
	}
	q := &request{doc: doc, sent: doc, n: 1}
	for _, m := range members(doc, span{skipSpace(doc, 0), len(doc)}) {
		if e := q.read(m); e != nil {
			return nil, e
		}
	}
	return q, nil
}

// understood are the members that decide what a call costs.
var understood = []string{
	"model", "messages", "max_tokens", "max_completion_tokens", "n", "stream", "stream_options", "tools", "prediction",
	"modalities", "service_tier", "web_search_options", "models", "fallbacks", "plugins", "extra_body", "prompt",
	"previous_response_id", "conversation", "cached_content",
}

// said are the members whose names inside are the caller's own words, and ask
// the provider for nothing.
var said = []string{"messages", "tools", "functions", "response_format", "metadata", "prediction", "prompt"}

// asksImages tells whether a member, or one within it that is passed on to the
// provider, has images among the modalities of the answer.
func (q *request) asksImages(name string, at span) bool {
	switch q.doc[at.from] {
	case '"':
		return strings.Contains(strings.ToLower(name), "modalit") && strings.EqualFold(text(at.of(q.doc)), "image")
	case '[':
		return slices.ContainsFunc(elements(q.doc, at), func(e span) bool { return q.asksImages(name, e) })
	case '{':
		return slices.ContainsFunc(members(q.doc, at), func(m member) bool { return q.asksImages(m.name, m.value) })
	}
	return false
}

func (q *request) read(m member) *fault.Error {
	for _, name := range understood {
		// Some upstreams read names without regard to case: such a twin of a
		// name that we go by would be another call than the one we hold for.
		if m.name != name && strings.EqualFold(m.name, name) {
			return invalid(m.name, "Write %q instead of %q.", name, m.name)
		}
	}
	if !isOne(m.name, said) {
		q.images = q.images || q.asksImages(m.name, m.value)
	}
	value := string(m.value.of(q.doc))
	null := value == "null"
	switch m.name {
	case "model":
		if q.modelAt = m.value; null {
			return nil
		}
		if value[0] != '"' {
			return invalid("model", "The model must be given by name.")
		}
		q.model = text(m.value.of(q.doc))
	case "max_tokens", "max_completion_tokens":
		q.limitsAt = append(q.limitsAt, m)
		if null {
			return nil
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 || n > maxLimit {
			return invalid(m.name, "%s must be a whole number from 1 to %d.", m.name, maxLimit)
		}
		if q.limit == 0 || n < q.limit {
			q.limit = n
		}
	case "n":
		if null {
			return nil
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 || n > maxChoices {
			return invalid("n", "n must be a whole number from 1 to %d.", maxChoices)
		}
		q.n = n
	case "stream":
		return boolean(m.name, value, &q.stream)
	case "stream_options":
		return q.readOptions(m)
	case "messages":
		return q.readMessages(m)
	case "modalities":
		if q.doc[m.value.from] != '[' && !null {
			return invalid(m.name, "modalities must be an array.")
		}
	case "tools":
		return q.readTools(m)
	case "prediction":
		q.predicted = int64(len(value))
	case "extra_body", "prompt", "previous_response_id", "conversation", "cached_content":
		if !null {
			q.opaque = m.name
		}
	case "service_tier":
		if value == `"priority"` || value == `"scale"` {
			return unpriced(m.name, "the tier's price isn't known")
		}
	case "web_search_options", "plugins":
		if !null {
			return unpriced(m.name, "what the provider's own searches cost isn't known")
		}
	case "models", "fallbacks":
		if !null {
			return unpriced(m.name, "it lets the provider choose another model than the one that was granted and priced")
		}
	}
	return nil
}

func (q *request) readOptions(m member) *fault.Error {
	value := m.value.of(q.doc)
	if value[0] != '{' && string(value) != "null" {
		return invalid(m.name, "stream_options must be an object.")
	}
	q.optionsAt = &m
	for _, option := range members(q.doc, m.value) {
		if option.name != "include_usage" && strings.EqualFold(option.name, "include_usage") {
			return invalid("stream_options."+option.name, "Write %q instead of %q.", "include_usage", option.name)
		}
		if option.name == "include_usage" {
			q.usageAt = &option
			if e := boolean("stream_options.include_usage", string(option.value.of(q.doc)), &q.usage); e != nil {
				return e
			}
		}
	}
	return nil
}

// readMessages looks for content that isn't text.
func (q *request) readMessages(m member) *fault.Error {
	if q.doc[m.value.from] != '[' {
		return invalid(m.name, "messages must be an array.")
	}
	q.messagesAt = m.value
	for _, message := range elements(q.doc, m.value) {
		for _, part := range members(q.doc, message) {
			switch part.name {
			case "audio": // an earlier answer, by its id
				if string(part.value.of(q.doc)) != "null" {
					q.opaque = "messages.audio"
				}
			case "content":
				q.readContent(part.value)
			}
		}
	}
	return nil
}

func (q *request) readContent(at span) {
	switch q.doc[at.from] {
	case '"', 'n':
		return
	case '{':
		q.opaque = "messages.content"
		return
	}
	for _, part := range elements(q.doc, at) {
		kind := ""
		for _, m := range members(q.doc, part) {
			if v := m.value.of(q.doc); m.name == "type" && v[0] == '"' {
				kind = text(v)
			}
		}
		switch kind {
		case "text", "refusal", "thinking":
		default:
			q.opaque = "messages.content." + kind
		}
	}
}

// readTools refuses tools that the provider runs and bills by itself.
func (q *request) readTools(m member) *fault.Error {
	for _, tool := range elements(q.doc, m.value) {
		for _, t := range members(q.doc, tool) {
			if v := string(t.value.of(q.doc)); t.name == "type" && v != `"function"` && v != `"custom"` {
				return unpriced("tools", "what the provider's own tool "+v+" costs isn't known")
			}
		}
	}
	return nil
}

func unpriced(param, reason string) *fault.Error {
	e := fault.New(unboundedRequest, "The gateway can't bound what this call costs: %s. Leave %q out.", reason, param)
	e.Path = []string{param}
	return e
}

func boolean(name, value string, into *bool) *fault.Error {
	switch value {
	case "true", "false", "null":
		*into = value == "true"
		return nil
	}
	return invalid(name, "%s must be true or false.", name)
}
