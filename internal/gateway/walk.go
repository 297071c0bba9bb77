package gateway

import (
	"bytes"
	"strings"
)

// walker reads a document once, from its beginning to its end, and tells then
// whether it was JSON: of the many small documents of a stream each is read
// while it is checked. What it has returned counts for nothing if it wasn't.
type walker struct {
	doc   []byte
	at    int
	depth int
	bad   bool
}

// maxWalk is how deep an answer may nest: as deep as encoding/json reads.
const maxWalk = 10_000

// ended tells whether the whole document was JSON, and has been passed.
func (w *walker) ended() bool {
	return w.peek() == 0 && !w.bad && w.at == len(w.doc)
}

// peek is the first byte of what comes next, 0 where nothing does.
func (w *walker) peek() byte {
	if w.at = skipSpace(w.doc, w.at); w.at == len(w.doc) {
		return 0
	}
	return w.doc[w.at]
}

func (w *walker) fail() { w.bad, w.at = true, len(w.doc) }

func (w *walker) pass(c byte) {
	if w.peek() != c {
		w.fail()
		return
	}
	w.at++
}

// value passes any value, and returns its bytes.
func (w *walker) value() []byte {
	first := w.peek()
	from := w.at
	switch first {
	case '{':
		w.members(func([]byte) { w.value() })
	case '[':
		w.elements(func() { w.value() })
	case '"':
		w.quoted()
	case 't':
		w.literal("true")
	case 'f':
		w.literal("false")
	case 'n':
		w.literal("null")
	default:
		w.number()
	}
	return w.doc[min(from, w.at):w.at]
}

// members calls of with the name of each member of an object, and of passes
// its value. Anything else is passed; false unless that is null.
func (w *walker) members(of func(name []byte)) bool {
	if first := w.peek(); first != '{' {
		w.value()
		return first == 'n'
	}
	w.list('}', func() {
		quoted := w.quoted()
		w.pass(':')
		if bytes.IndexByte(quoted, '\\') >= 0 && !w.bad {
			of([]byte(text(quoted)))
		} else {
			of(bytes.Trim(quoted, `"`))
		}
	})
	return true
}

// elements calls of for each element of an array, and of passes it. Anything
// else is passed; false unless that is null.
func (w *walker) elements(of func()) bool {
	if first := w.peek(); first != '[' {
		w.value()
		return first == 'n'
	}
	w.list(']', of)
	return true
}

// list passes brackets and what lies between.
func (w *walker) list(closing byte, item func()) {
	w.at++
	if w.depth++; w.depth > maxWalk {
		w.fail()
	}
	if w.peek() != closing {
		for item(); w.peek() == ','; item() {
			w.at++
		}
	}
	w.pass(closing)
	w.depth--
}

// quoted passes a string, and returns it with its quotes.
func (w *walker) quoted() []byte {
	from := w.at
	w.pass('"')
	for w.at < len(w.doc) {
		c := w.doc[w.at]
		w.at++
		switch {
		case c == '"':
			return w.doc[from:w.at]
		case c == '\\':
			w.escape()
		case c < ' ':
			w.fail()
		}
	}
	w.fail()
	return nil
}

// escape passes what follows a backslash.
func (w *walker) escape() {
	rest := w.doc[w.at:]
	switch {
	case len(rest) > 0 && strings.IndexByte(`"\/bfnrt`, rest[0]) >= 0:
		w.at++
	case len(rest) > 4 && rest[0] == 'u' && hexDigit(rest[1]) && hexDigit(rest[2]) && hexDigit(rest[3]) && hexDigit(rest[4]):
		w.at += 5
	default:
		w.fail()
	}
}

func hexDigit(c byte) bool { return digit(c) || 'a' <= c|' ' && c|' ' <= 'f' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

func (w *walker) literal(word string) {
	if !bytes.HasPrefix(w.doc[w.at:], []byte(word)) {
		w.fail()
		return
	}
	w.at += len(word)
}

func (w *walker) number() {
	w.has("-")
	if !w.has("0") {
		w.digits()
	}
	if w.has(".") {
		w.digits()
	}
	if w.has("eE") {
		w.has("+-")
		w.digits()
	}
}

// has passes one of some bytes, where it is the next.
func (w *walker) has(one string) bool {
	if w.at == len(w.doc) || strings.IndexByte(one, w.doc[w.at]) < 0 {
		return false
	}
	w.at++
	return true
}

// digits passes one at least.
func (w *walker) digits() {
	from := w.at
	for w.at < len(w.doc) && digit(w.doc[w.at]) {
		w.at++
	}
	if w.at == from {
		w.fail()
	}
}
