package gateway

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxEvent bounds one event of a stream, in bytes.
const maxEvent = 8 << 20

var errEventTooLarge = errors.New("event of the upstream's stream is too large")

// event is one server-sent event, with the bytes it came in.
type event struct {
	raw  []byte
	data []byte
}

func (e event) done() bool { return string(e.data) == "[DONE]" }

// events reads a stream of server-sent events.
type events struct {
	from *bufio.Reader
	raw  []byte
	data []byte
}

func newEvents(from io.Reader) *events { return &events{from: bufio.NewReaderSize(from, 16<<10)} }

// next returns the next event, valid until the following call. An event that
// the connection's end cuts short is dropped, with io.EOF or the cause.
func (s *events) next() (event, error) {
	s.raw, s.data = s.raw[:0], s.data[:0]
	line := 0 // where the current line begins in raw
	for {
		piece, err := s.from.ReadSlice('\n')
		s.raw = append(s.raw, piece...)
		if len(s.raw) > maxEvent {
			return event{}, errEventTooLarge
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return event{}, err
		}
		text := bytes.TrimRight(s.raw[line:], "\r\n")
		if len(text) == 0 {
			return event{raw: s.raw, data: s.data}, nil
		}
		if value, ok := bytes.CutPrefix(text, []byte("data:")); ok {
			if len(s.data) > 0 {
				s.data = append(s.data, '\n')
			}
			s.data = append(s.data, bytes.TrimPrefix(value, []byte(" "))...)
		}
		line = len(s.raw)
	}
}
