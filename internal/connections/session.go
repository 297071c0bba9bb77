package connections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
)

// protocol is the version of MCP that is spoken: the newest that asks a server
// for its tools each time, whatever it says of how long they keep.
const protocol = "2025-11-25"

// dialled is how a session is reached: everything that makes it another one
// when it changes.
func dialled(c *ent.Connection, person string, secrets map[string]string) string {
	text, _ := json.Marshal([]any{c.Kind, c.URL, c.Command, c.Auth, c.AuthName, c.Credential, person, secrets}) // plain values
	sum := sha256.Sum256(text)
	return c.ID + " " + hex.EncodeToString(sum[:])
}

// session gives an open session of an MCP server for whoever's credential it
// goes by.
func (c *Connections) session(ctx context.Context, row *ent.Connection, userID string) (*session, func(), error) {
	person := ""
	if row.Credential == connection.CredentialPERSONAL {
		person = userID
	}
	var sign signer
	var secrets map[string]string
	var err error
	if row.Kind == connection.KindMCP_STDIO {
		secrets, err = c.Credentials.Environment(ctx, row, userID)
	} else {
		sign, err = c.Credentials.Authorize(ctx, row, userID)
	}
	if err != nil {
		return nil, nil, err
	}
	s, done, err := c.pool.take(ctx, dialled(row, person, secrets), row.ID, c.Store.Now(), func(s *session) error {
		return c.dial(context.WithoutCancel(ctx), s, row, sign, secrets)
	})
	if err != nil {
		return nil, nil, failed(row, err)
	}
	if s.carrier != nil {
		s.carrier.sign.Store(&sign) // tokens are renewed while a session lasts
	}
	return s, done, nil
}

// dial greets a server. The session outlives the call that began it, and is
// kept from hanging in the greeting by a clock.
func (c *Connections) dial(ctx context.Context, s *session, row *ent.Connection, sign signer, secrets map[string]string) error {
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(connectTime, cancel)
	defer late.Stop()
	transport, stop, err := c.transport(ctx, s, row, sign, secrets)
	if err != nil {
		cancel()
		return err
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "cockpit", Version: "1"}, &mcp.ClientOptions{
		Capabilities:   &mcp.ClientCapabilities{},
		MultiRoundTrip: &mcp.MultiRoundTripOptions{Disabled: true},
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) {
			s.outdated()
			c.ask(row.ID)
		},
	})
	s.client, err = client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: protocol})
	if err != nil {
		cancel()
		stop()
		return err
	}
	s.end = sync.OnceFunc(func() {
		// A server that doesn't take its leave is left.
		parting := time.AfterFunc(partTime, func() { cancel(); stop() })
		_ = s.client.Close()
		parting.Stop()
		cancel()
		stop()
	})
	return nil
}

func (c *Connections) transport(ctx context.Context, s *session, row *ent.Connection, sign signer, secrets map[string]string) (mcp.Transport, func(), error) {
	if row.Kind == connection.KindMCP_STDIO {
		p, t, err := c.start(ctx, row.Command, secrets)
		if err != nil {
			return nil, nil, err
		}
		return t, sync.OnceFunc(p.stop), nil
	}
	u, err := url.Parse(row.URL)
	if err != nil {
		return nil, nil, err
	}
	client := *c.Client // with its refusal of redirects
	s.carrier = &carrier{next: client.Transport, origin: originOf(u)}
	if s.carrier.next == nil {
		s.carrier.next = http.DefaultTransport
	}
	s.carrier.sign.Store(&sign)
	client.Transport = s.carrier
	if row.Kind == connection.KindMCP_SSE {
		return &mcp.SSEClientTransport{Endpoint: row.URL, HTTPClient: &client, MaxEventSize: maxReply}, func() {}, nil
	}
	return &mcp.StreamableClientTransport{Endpoint: row.URL, HTTPClient: &client, MaxEventSize: maxReply, MaxRetries: 2}, func() {}, nil
}

func (s *session) outdated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed = time.Time{}
}

// offers is what the server offers, looked at no longer than maxAge ago.
func (s *session) offers(ctx context.Context, now time.Time, maxAge time.Duration) (*listing, error) {
	recent := func() *listing {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.listing != nil && now.Sub(s.listed) < maxAge {
			return s.listing
		}
		return nil
	}
	if l := recent(); l != nil {
		return l, nil
	}
	s.looking.Lock()
	defer s.looking.Unlock()
	if l := recent(); l != nil {
		return l, nil
	}
	l, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listing, s.listed = l, now
	return l, nil
}

func (s *session) list(ctx context.Context) (*listing, error) {
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	l := newListing()
	for cursor, pages := "", 0; ; pages++ {
		page, err := s.client.ListTools(ctx, &mcp.ListToolsParams{Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, t := range page.Tools {
			if t != nil {
				l.add(definitionOf(t))
			}
		}
		if l.tooMany() || pages >= MostTools {
			return nil, fmt.Errorf("it offers more than %d tools", MostTools)
		}
		if cursor = page.NextCursor; cursor == "" {
			return l, nil
		}
	}
}

func definitionOf(t *mcp.Tool) Definition {
	d := Definition{Name: t.Name, Title: t.Title, Description: t.Description, InputSchema: rawOf(t.InputSchema), OutputSchema: rawOf(t.OutputSchema)}
	if t.Annotations != nil {
		d.Annotations = rawOf(t.Annotations)
	}
	return d
}

// rawOf is a value that came as JSON, as JSON; empty for none.
func rawOf(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return raw
}
