// Package connections keeps the sources of tools of Copilot: MCP servers,
// OpenAPI documents and integrations. What they offer is looked for, pinned as it was approved,
// and called within bounds; a tool that changed since is held back.
package connections

import (
	"log/slog"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/alchemi/cockpit/internal/composio"
	"github.com/alchemi/cockpit/internal/credential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/openapi"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/store"
)

// Codes of what goes wrong with other people's servers.
const (
	// Failed is a connection that can't be reached or doesn't speak its protocol.
	Failed fault.Code = "CONNECTION_FAILED"
	// TimedOut is one that took too long.
	TimedOut fault.Code = "CONNECTION_TIMEOUT"
	// Held is a tool that isn't what was approved any more.
	Held fault.Code = "TOOL_HELD_BACK"
	// TooLarge is a reply beyond what is taken.
	TooLarge fault.Code = "TOOL_REPLY_TOO_LARGE"
)

const (
	// Most is how many connections a plane can have.
	Most = 500
	// MostTools is how many tools of one connection are taken.
	MostTools = 500
	// maxDefinition bounds a tool's definition, in bytes.
	maxDefinition = 64 << 10
	// maxReply bounds what a server may answer to one request, in bytes.
	maxReply = 4 << 20
	// maxResult bounds what is handed on of a call, in bytes.
	maxResult = 1 << 20
	// connectTime bounds the greeting of a server, listTime a look at its tools.
	connectTime = 15 * time.Second
	listTime    = 30 * time.Second
)

// Options of New; Store, Client, Grants and Credentials are needed.
type Options struct {
	Store *store.Store
	// Client calls addresses that tenants give: see outbound.NewClient.
	Client *http.Client
	// Grants learns at once of what this replica changed.
	Grants *grant.Grants
	// Credentials are what connections sign in with.
	Credentials *credential.Store
	// Commands are the stdio servers that the operator lets be started; none
	// unless set.
	Commands []Command
	// Composio is where its API is; the public one unless set.
	Composio string
	// Requests has admins asked to look at tools that are new or changed; nil asks
	// nobody.
	Requests *request.Requests
	Log      *slog.Logger
	// CallTime bounds one call; a minute unless set.
	CallTime time.Duration
	// LookAgain is how old a listing may be that a call goes by; a minute unless set.
	LookAgain time.Duration
}

// Connections are all accounts' connections. Its verbs expect that the caller
// has asked whether the viewer may.
type Connections struct {
	Options
	pool *pool
	// documents are OpenAPI documents that were read, by connection and version.
	documents *lru.Cache[string, *openapi.Document]
	// integrations are listings of Composio's toolkits, by connection and version.
	integrations *lru.Cache[string, looked]
	// asked are connections whose servers say that their tools changed.
	asked chan string
}

// New makes the connections of a server; Run looks after them, Close ends their
// sessions.
func New(o Options) *Connections {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.CallTime == 0 {
		o.CallTime = time.Minute
	}
	if o.LookAgain == 0 {
		o.LookAgain = time.Minute
	}
	if o.Composio == "" {
		o.Composio = composio.Base
	}
	integrations, _ := lru.New[string, looked](Most)
	documents, _ := lru.New[string, *openapi.Document](64) // fails for sizes below 1 alone
	return &Connections{Options: o, pool: newPool(), documents: documents, integrations: integrations, asked: make(chan string, 64)}
}

// Close ends all sessions, and the programs behind them.
func (c *Connections) Close() { c.pool.close() }

// End ends the sessions of a connection on this replica: its credential changed.
func (c *Connections) End(connectionID string) { c.pool.drop(connectionID) }
