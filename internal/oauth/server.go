// Package oauth lets programs act, for themselves and in people's names: it
// knows the service clients, gives out tokens by OAuth 2.0, and tells who a
// bearer is.
package oauth

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// How long tokens last.
const (
	// AccessLifetime is short: an access token is looked up in no table.
	AccessLifetime = 15 * time.Minute
	// RefreshLifetime counts from the newest use.
	RefreshLifetime = 30 * 24 * time.Hour
	codeLifetime    = time.Minute
)

// Options of a Server; all are required.
type Options struct {
	Store    *store.Store
	Epochs   *store.Epochs
	Refusals *audit.Refusals
	// Issuer is where the server is reached, without a slash at its end.
	Issuer string
	// MasterKey is what the signing keys are derived from.
	MasterKey string
	// Client fetches the keys of the accounts' identity providers.
	Client *http.Client
	// IP is the address that a request comes from.
	IP  func(*http.Request) string
	Log *slog.Logger
}

// Server is Cockpit's authorization server.
type Server struct {
	Options
	signer   *signer
	bearers  *Bearers
	subjects *subjects
	attempts *identity.Attempts
}

// New makes the one Server of a replica.
func New(o Options) (*Server, error) {
	sign, err := newSigner(o.Issuer, o.MasterKey)
	if err != nil {
		return nil, err
	}
	return &Server{Options: o, signer: sign, subjects: newSubjects(o), attempts: identity.NewAttempts(o.Store.Now),
		bearers: &Bearers{store: o.Store, epochs: o.Epochs, signer: sign, cached: map[string]*bearer{}, uses: newUses(o.Store, o.Log)}}, nil
}

// Bearers tells who the tokens that this server gives out stand for.
func (s *Server) Bearers() *Bearers { return s.bearers }

// place is where the events of an account's programs are filed.
func place(accountID string) (tenancy.Plane, string) {
	if accountID == id.PlatformID {
		return tenancy.PlanePlatform, "/"
	}
	return tenancy.PlaneAccount, "/" + accountID + "/"
}

// about is an event on something that lies in an account itself.
func about(action, accountID, targetID, name string) audit.Event {
	plane, path := place(accountID)
	return audit.Event{Action: action, AccountID: accountID, Plane: plane, ScopeID: accountID, ScopePath: path,
		TargetID: targetID, TargetName: name}
}

// granted is what a program gets of what it asks for: never more than it has.
// An empty scope asks for all of it.
func granted(c *ent.ServiceClient, scope string) ([]string, error) {
	asked := strings.Fields(scope)
	if len(asked) == 0 {
		asked = c.Permissions
	}
	for _, name := range asked {
		if _, known := access.Permissions()[name]; !known {
			return nil, refuse("invalid_scope", "There is no permission %.60q. The permissions are listed under scopes_supported of %s.", name, MetadataPath)
		}
	}
	out := common(asked, c.Permissions)
	if len(out) == 0 {
		return nil, refuse("invalid_scope", "The program may do nothing of what it asks for. An admin of its account sets its permissions.")
	}
	return access.Narrow(out) // with what they imply, which the program has too
}

// common are the names in both lists, sorted, as viewers carry them.
func common(a, b []string) []string {
	out := []string{}
	for _, name := range a {
		if slices.Contains(b, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
