package graph

import (
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
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
	held map[holder]int
	tell graphql.ErrorPresenterFunc
}

type openSocket struct {
	ctx    context.Context
	cancel context.CancelFunc
	holder holder
	// running counts its operations.
	running atomic.Int32
}

// holder is whose sockets are counted together.
type holder struct{ accountID, userID, clientID string }

type socketKey struct{}

const (
	// maxSockets is how many sockets one viewer has open on a replica: a tab
	// each, or the backends of a client.
	maxSockets = 50
	// maxOperations is how many operations run on one socket at once.
	maxOperations = 50
)

var (
	errSockets    = fault.New(fault.RateLimited, "You have %d connections open. Close one of them: a connection carries many subscriptions.", maxSockets)
	errOperations = fault.New(fault.RateLimited, "This connection runs %d operations. Complete one of them first, or open another connection.", maxOperations)
)

// add registers a greeted connection, and asks once more whether its viewer
// stands: whoever was revoked since the greeting is told of to those alone that
// were registered.
func (s *sockets) add(ctx context.Context, present func(context.Context) *tenancy.Viewer) (context.Context, error) {
	v := tenancy.ViewerFrom(ctx)
	o := &openSocket{holder: holder{v.AccountID, v.UserID, v.ClientID}}
	ctx, o.cancel = context.WithCancel(context.WithValue(access.Held(ctx), socketKey{}, o))
	if !v.Until.IsZero() {
		ctx, o.cancel = context.WithDeadline(ctx, v.Until)
	}
	o.ctx = ctx
	if !s.register(o) {
		o.cancel()
		return ctx, errSockets
	}
	context.AfterFunc(ctx, func() { s.drop(o) })
	if present(ctx) == nil {
		o.cancel()
		return ctx, identity.ErrNoSession
	}
	return ctx, nil
}

// register is false when the holder has as many sockets as one may have.
func (s *sockets) register(o *openSocket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[o.holder] == maxSockets {
		return false
	}
	s.open[o] = true
	s.held[o.holder]++
	return true
}

func (s *sockets) drop(o *openSocket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, o)
	if s.held[o.holder]--; s.held[o.holder] == 0 {
		delete(s.held, o.holder)
	}
}

// admit refuses an operation of a socket that runs too many, and that one alone.
func (s *sockets) admit(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	o, ok := ctx.Value(socketKey{}).(*openSocket)
	if !ok {
		return next(ctx) // over HTTP
	}
	if o.running.Add(1) > maxOperations {
		o.running.Add(-1)
		return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{s.tell(ctx, errOperations)}})
	}
	context.AfterFunc(ctx, func() { o.running.Add(-1) })
	return next(ctx)
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
		if o.holder.accountID == accountID || accountID == id.PlatformID {
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
