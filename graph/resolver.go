// Package graph is the GraphQL API: SDL by hand in the folders, resolvers of a
// few lines that read through the guarded store and call a verb where an
// operation has an invariant.
package graph

import (
	"context"
	"log/slog"

	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/guardrail"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/mail"
	"github.com/alchemi/cockpit/internal/mcp"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/oauth"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/sso"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/internal/webhook"
)

// Resolver is the root of the API, with what it is made of.
type Resolver struct {
	Store    *store.Store
	Epochs   *store.Epochs
	Access   *access.Engine
	Grants   *grant.Grants
	Guards   *guardrail.Guards
	Features *feature.Flags
	Sessions *identity.Sessions
	SSO      *sso.Gate
	OAuth    *oauth.Server
	Catalog  *catalog.Catalog
	Budgets  *budget.Engine
	Requests *request.Requests
	Agents   *agents.Agents
	Audit    *audit.Stream
	// Box seals what mutations with a clientKey were asked and answered.
	Box *secret.Box
	// CreditValue is what a credit is sold for.
	CreditValue money.Nano
	Notify      *notify.Notifier
	Webhooks    *webhook.Webhooks
	Connections *connections.Connections
	// Shelves knows which tools there are.
	Shelves *mcp.Shelves
	// Mailer is nil where no mail server is set.
	Mailer *mail.Mailer
	// Probe lists an endpoint's models with its key.
	Probe func(ctx context.Context, base, apiKey string) ([]string, error)
	// URL is where browsers reach the server, without a slash at its end.
	URL string
	Log *slog.Logger

	bell *bell
}

// Cookies lets sign-in and sign-out set the session cookie of a request.
type Cookies struct {
	Set   func(token string)
	Clear func()
	// From is where the request comes from.
	From identity.Client
}

type cookiesKey struct{}

// WithCookies gives a request's resolvers the way to its cookies.
func WithCookies(ctx context.Context, c Cookies) context.Context {
	return context.WithValue(ctx, cookiesKey{}, c)
}

func cookiesFrom(ctx context.Context) (Cookies, error) {
	c, ok := ctx.Value(cookiesKey{}).(Cookies)
	if !ok {
		return c, fault.New(fault.BadInput, "Sign in with POST /graphql from a browser; this connection can't carry a cookie.")
	}
	return c, nil
}

func viewerOf(ctx context.Context) (*tenancy.Viewer, error) {
	v := tenancy.ViewerFrom(ctx)
	if v == nil {
		return nil, identity.ErrNoSession
	}
	return v, nil
}
