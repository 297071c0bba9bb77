package gateway

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
)

// maxKey bounds an Idempotency-Key, in bytes.
const maxKey = 255

// idempotencyKey reads the header by which a client tells a repeated request
// from a new one; nil without it. Its body counts as it was sent, and so does
// all that changes who pays, or for what.
func (c *call) idempotencyKey() (*budget.IdempotencyKey, *fault.Error) {
	values := c.r.Header.Values("Idempotency-Key")
	if len(values) == 0 || c.doubted { // the key has become the attempt that was charged
		return nil, nil
	}
	if len(values) > 1 || values[0] == "" || len(values[0]) > maxKey {
		return nil, invalid("Idempotency-Key", "Send one Idempotency-Key of 1 to %d bytes.", maxKey)
	}
	p := c.caller
	principal := p.KeyID
	if principal == "" {
		principal = p.UserID
	}
	h := sha256.New()
	_, _ = h.Write([]byte(p.Path + "\n")) // a hash takes everything
	if c.agent != nil {
		_, _ = h.Write([]byte(c.agent.ID + "\n"))
	}
	_, _ = h.Write(c.q.sent)
	key := sha256.Sum256([]byte(values[0]))
	return &budget.IdempotencyKey{Principal: principal, Key: hex.EncodeToString(key[:]), Request: hex.EncodeToString(h.Sum(nil))}, nil
}
