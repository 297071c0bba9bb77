package connections

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
)

// signer adds a credential to a request.
type signer func(*http.Request) error

// carrier carries a session's requests: signed with the newest credential, to
// the connection's own server alone, with bounded answers.
type carrier struct {
	next   http.RoundTripper
	origin string
	sign   atomic.Pointer[signer]
	// tooLarge is set once an answer was cut off.
	tooLarge atomic.Bool
}

// errElsewhere refuses to follow a server that sends its client to another one:
// the credential would go along.
var errElsewhere = errors.New("the server names another server for its messages, which isn't followed")

// errTooLarge ends the reading of an answer.
var errTooLarge = errors.New("the answer is too large")

// RoundTrip implements http.RoundTripper.
func (c *carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	if originOf(r.URL) != c.origin {
		return nil, errElsewhere
	}
	if sign := c.sign.Load(); sign != nil && *sign != nil {
		r = r.Clone(r.Context())
		if err := (*sign)(r); err != nil {
			return nil, err
		}
	}
	res, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	// A stream that stays open is bounded event by event instead.
	if r.Method != http.MethodGet || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/event-stream") {
		res.Body = &boundedBody{ReadCloser: res.Body, left: maxReply, carrier: c}
	}
	return res, nil
}

// boundedBody ends with an error rather than silently.
type boundedBody struct {
	io.ReadCloser
	left    int
	carrier *carrier
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		b.carrier.tooLarge.Store(true)
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// originOf is scheme and host of an address.
func originOf(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }
