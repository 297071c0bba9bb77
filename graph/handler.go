package graph

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/alchemi/cockpit/graph/generated"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Schema is the executable schema's SDL, parsed; access.New needs it.
func Schema() *ast.Schema {
	return generated.NewExecutableSchema(generated.Config{}).Schema()
}

// SDL is the schema as text, as /schema.graphql serves it.
func SDL() string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(Schema())
	return b.String()
}

// Handler serves /graphql: POST, and WebSocket by graphql-transport-ws.
type Handler struct {
	*handler.Server
	sockets *sockets
}

const (
	parsedDocuments = 1000
	parserTokens    = 15_000
)

// New makes the API's handler. The caller authenticates requests, and checks
// the Origin of WebSockets, before they come here.
func New(r *Resolver) *Handler {
	s := &sockets{open: map[*openSocket]bool{}, held: map[holder]int{}, tell: r.present}
	h := handler.New(generated.NewExecutableSchema(generated.Config{Resolvers: r}))
	h.AddTransport(transport.Websocket{
		Implementation:        gorilla{},
		KeepAlivePingInterval: 20 * time.Second,
		InitTimeout:           10 * time.Second,
		InitFunc: func(ctx context.Context, payload transport.InitPayload) (context.Context, *transport.InitPayload, error) {
			ctx, err := r.greet(ctx, payload.Authorization())
			if err != nil {
				return ctx, nil, err
			}
			ctx, err = s.add(ctx, r.Access.Present)
			return ctx, nil, err
		},
	})
	h.AddTransport(transport.POST{})
	h.SetQueryCache(lru.New[*ast.QueryDocument](parsedDocuments))
	h.SetParserTokenLimit(parserTokens)
	h.SetDisableSuggestion(!r.Access.Introspection) // a guess confirmed is introspection too
	if r.Access.Introspection {
		h.Use(extension.Introspection{})
	}
	h.Use(r.Access)
	h.AroundOperations(s.admit)
	h.AroundResponses(noteComplete)
	h.AroundResponses(r.withLoaders)
	h.AroundRootFields(r.once)
	h.SetErrorPresenter(r.present)
	h.SetRecoverFunc(func(ctx context.Context, p any) error {
		return fmt.Errorf("panic in %s: %v", graphql.GetPath(ctx), p)
	})
	r.bell = &bell{waiting: map[chan struct{}]string{}}
	r.Epochs.OnChange(r.bell.ring)
	r.Epochs.OnChange(func(accountID string) { s.check(accountID, r.Access.Present) })
	return &Handler{Server: h, sockets: s}
}

// greet tells who opens a WebSocket: by the cookie or bearer of its request, or
// by the bearer in connection_init.
func (r *Resolver) greet(ctx context.Context, authorization string) (context.Context, error) {
	if authorization != "" {
		token, ok := strings.CutPrefix(authorization, "Bearer ")
		switch {
		case !ok:
			return ctx, fault.New(fault.Unauthenticated, "Send the token as \"Authorization\": \"Bearer …\" in connection_init.")
		case tenancy.ViewerFrom(ctx) != nil:
			return ctx, fault.New(fault.BadInput, "The connection carries two credentials. Send one of them.")
		case r.OAuth == nil:
			return ctx, oauth.ErrBearer
		}
		return r.OAuth.Bearers().Bind(ctx, token)
	}
	if r.Access.Present(ctx) == nil {
		return ctx, identity.ErrNoSession
	}
	return ctx, nil
}

// ServeHTTP answers requests that gqlgen's transports don't know.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost && r.Header.Get("Upgrade") == "" {
		w.Header().Set("Allow", "POST")
		http.Error(w, fault.New(fault.BadInput, "Send GraphQL operations by POST, or open a WebSocket.").Message, http.StatusMethodNotAllowed)
		return
	}
	if r.Header.Get("Upgrade") == "" {
		h.serveTagged(w, r)
		return
	}
	h.Server.ServeHTTP(w, r)
}

// Close ends all WebSockets.
func (h *Handler) Close() { h.sockets.closeAll() }
