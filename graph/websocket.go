package graph

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// gorilla accepts connections with a write deadline, which a stalled client
// would otherwise hold a goroutine without.
type gorilla struct{ websocket.Upgrader }

const writeTimeout = 5 * time.Second

// Accept implements transport.WebsocketImplementation.
func (g gorilla) Accept(w http.ResponseWriter, r *http.Request, o transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	u := g.Upgrader
	u.Subprotocols = slices.Clone(o.Subprotocols)
	c, err := u.Upgrade(w, r, o.ResponseHeader)
	if err != nil {
		return nil, err
	}
	return &socket{c}, nil
}

type socket struct{ *websocket.Conn }

// NextReader names a normal end as the transport expects it.
func (s *socket) NextReader() (int, io.Reader, error) {
	t, r, err := s.Conn.NextReader()
	if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseGoingAway, websocket.CloseNoStatusReceived) {
		err = transport.ErrWebsocketClosed
	}
	return t, r, err
}

// WriteJSON ends the connection of a client that doesn't read.
func (s *socket) WriteJSON(v any) error {
	if err := s.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if err := s.Conn.WriteJSON(v); err != nil {
		_ = s.Close() // unblocks the reader
		return err
	}
	return nil
}

// WriteClose says goodbye.
func (s *socket) WriteClose(code int, message string) error {
	return s.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, message), time.Now().Add(time.Second))
}

// sockets ends the connections of those who may be here no longer, also when
// nothing happens on them.
type sockets struct {
	mu   sync.Mutex
	open map[*openSocket]bool
}

type openSocket struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (s *sockets) add(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(access.Held(ctx))
	if v := tenancy.ViewerFrom(ctx); v != nil && !v.Until.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, v.Until)
	}
	o := &openSocket{ctx, cancel}
	s.mu.Lock()
	s.open[o] = true
	s.mu.Unlock()
	context.AfterFunc(ctx, func() {
		s.mu.Lock()
		delete(s.open, o)
		s.mu.Unlock()
	})
	return ctx
}

// checkers is how many connections are asked about at once.
const checkers = 16

// check asks for every connection of an account whether its viewer still
// stands; for all of them when it's the platform's, whose programs and staff
// are in every account.
func (s *sockets) check(accountID string, present func(context.Context) *tenancy.Viewer) {
	s.mu.Lock()
	affected := make(chan *openSocket, len(s.open))
	for o := range s.open {
		v := tenancy.ViewerFrom(o.ctx)
		if v == nil || v.AccountID == accountID || accountID == id.PlatformID {
			affected <- o
		}
	}
	s.mu.Unlock()
	close(affected)
	for range min(checkers, len(affected)) {
		go func() {
			for o := range affected {
				if present(o.ctx) == nil {
					o.cancel()
				}
			}
		}()
	}
}

// closeAll ends every connection, at shutdown.
func (s *sockets) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for o := range s.open {
		o.cancel()
	}
}
