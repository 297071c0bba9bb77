package connections

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/openapi"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Input describes a connection to make or change; nil leaves a value as it is.
type Input struct {
	// Kind is for new ones alone.
	Kind                    connection.Kind
	Name, Description, Icon *string
	// URL is the server's address, for OPENAPI the base of its operations; where
	// left out, the document's first server.
	URL *string
	// Command of a stdio server, as the operator lists it.
	Command []string
	// Document is an OpenAPI document; DocumentURL is where it comes from.
	Document, DocumentURL *string
	Auth                  *connection.Auth
	Credential            *connection.Credential
	// AuthName is the header of HEADER.
	AuthName *string
	// OAuth has the addresses, client id and scopes of OAUTH.
	OAuth json.RawMessage
	// ClientSecret is sealed; "" removes it, its hint keeps it.
	ClientSecret *string
	// Toolkit of COMPOSIO, and the auth config by which its accounts are connected.
	Toolkit, AuthConfig *string
	Status              *connection.Status
	ExpectedVersion     *int
}

// Names are what callers see before each tool's own: short, and without the two
// underscores that part them.
var wellNamed = regexp.MustCompile(`^[a-z0-9]+([-_][a-z0-9]+)*$`)

// Prepare reads what a new connection needs from elsewhere: the document of
// OPENAPI. No transaction is open meanwhile.
func (c *Connections) Prepare(ctx context.Context, in *Input) error {
	if in.Kind != connection.KindOPENAPI {
		return nil
	}
	if in.Document == nil && in.DocumentURL != nil {
		if _, err := address("documentUrl", *in.DocumentURL); err != nil {
			return err
		}
		text, err := c.fetch(ctx, *in.DocumentURL)
		if err != nil {
			return err
		}
		in.Document = &text
	}
	if in.Document == nil {
		return fault.At("document", "Give the OpenAPI document, or the address that it is read from.")
	}
	d, err := openapi.Read([]byte(*in.Document))
	if err != nil {
		return err
	}
	if in.URL == nil || *in.URL == "" {
		base, err := baseOf(d, in.DocumentURL)
		if err != nil {
			return err
		}
		in.URL = &base
	}
	return nil
}

// baseOf is where a document says that its operations are called.
func baseOf(d *openapi.Document, documentURL *string) (string, error) {
	for _, server := range d.Servers() {
		u, err := url.Parse(server)
		if err == nil && !u.IsAbs() && documentURL != nil {
			var from *url.URL
			if from, err = url.Parse(*documentURL); err == nil {
				u = from.ResolveReference(u)
			}
		}
		if err == nil && u.IsAbs() {
			return u.String(), nil
		}
	}
	return "", fault.At("url", "The document names no server. Give the address that its operations are called at.")
}

// Create adds a connection to a scope: a plane, an organization or a team, or a
// seat, whose own it is then. Prepare comes before it.
func (c *Connections) Create(ctx context.Context, tx *store.Tx, owner *ent.Scope, in Input) (*ent.Connection, error) {
	switch owner.Kind {
	case scope.KindCOPILOT, scope.KindORGANIZATION, scope.KindTEAM, scope.KindMEMBER:
	default:
		return nil, fault.At("scopeId", "A connection belongs to Copilot, or to an organization, a team or a member of it.")
	}
	switch {
	case owner.Plane != scope.PlaneCOPILOT:
		return nil, fault.At("scopeId", "Connections live in Copilot; Console has none.")
	case owner.ArchivedAt != nil:
		return nil, fault.At("scopeId", "%s was archived; restore it first, or choose another place.", owner.Name)
	case in.Name == nil:
		return nil, fault.At("name", "Give the connection a name.")
	}
	n, err := tx.Connection.Query().Where(connection.AccountID(owner.AccountID)).Count(ctx)
	if err != nil {
		return nil, err
	}
	if n >= Most {
		return nil, fault.New(fault.InUse, "An account has at most %d connections. Delete one that isn't needed.", Most)
	}
	row := &ent.Connection{ID: id.New(id.Connection), Kind: in.Kind, Status: connection.StatusACTIVE, Auth: connection.AuthNONE, Credential: connection.CredentialSHARED}
	if err := c.into(row, in); err != nil {
		return nil, err
	}
	row, err = tx.Connection.Create().SetID(row.ID).SetAccountID(owner.AccountID).SetPlane(connection.Plane(owner.Plane)).SetScopeID(owner.ID).
		SetName(row.Name).SetDescription(row.Description).SetIcon(row.Icon).SetKind(row.Kind).SetStatus(row.Status).SetURL(row.URL).SetCommand(row.Command).
		SetDocument(row.Document).SetDocumentURL(row.DocumentURL).SetAuth(row.Auth).SetCredential(row.Credential).SetAuthName(row.AuthName).
		SetOauth(row.Oauth).SetClientSecret(row.ClientSecret).SetClientSecretHint(row.ClientSecretHint).SetToolkit(row.Toolkit).SetAuthConfig(row.AuthConfig).SetCreatedBy(audit.ActorFrom(ctx).ID).Save(ctx)
	if err != nil {
		return nil, taken(err, *in.Name)
	}
	row.Edges.Scope = owner
	return row, c.changed(ctx, tx, row, event("connection.create", row))
}

// Update changes a connection. Where it leads or signs in elsewhere then, what
// people signed in with is forgotten: it isn't the new server's to see.
func (c *Connections) Update(ctx context.Context, tx *store.Tx, connectionID string, in Input) (*ent.Connection, error) {
	row, err := tx.Connection.Query().Where(connection.ID(connectionID)).WithScope().Only(ctx)
	if err != nil {
		return nil, hidden(err, "connection")
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != row.Version {
		return nil, stale(*in.ExpectedVersion, row.Version)
	}
	if err := lock(ctx, tx, row.ID); err != nil {
		return nil, err
	}
	old := *row
	in.Kind = row.Kind
	if err := c.into(row, in); err != nil {
		return nil, err
	}
	u := tx.Connection.UpdateOneID(row.ID).Where(connection.Version(old.Version)).
		SetName(row.Name).SetDescription(row.Description).SetIcon(row.Icon).SetStatus(row.Status).SetURL(row.URL).SetCommand(row.Command).
		SetDocument(row.Document).SetDocumentURL(row.DocumentURL).SetAuth(row.Auth).SetCredential(row.Credential).SetAuthName(row.AuthName).
		SetOauth(row.Oauth).SetClientSecret(row.ClientSecret).SetClientSecretHint(row.ClientSecretHint).SetToolkit(row.Toolkit).SetAuthConfig(row.AuthConfig)
	saved, err := u.Save(ctx)
	if err != nil {
		return nil, taken(hidden(err, "connection"), row.Name)
	}
	saved.Edges.Scope = row.Edges.Scope
	e := event("connection.update", saved)
	if elsewhere(&old, saved) {
		n, err := tx.ConnectionCredential.Delete().Where(connectioncredential.ConnectionID(row.ID)).Exec(ctx)
		if err != nil {
			return nil, err
		}
		e.Changes = map[string]audit.Change{"credentialsForgotten": {After: n}}
	}
	tx.AfterCommit(func() { c.pool.drop(row.ID) })
	if err := c.changed(ctx, tx, saved, e); err != nil {
		return nil, err
	}
	return saved, c.tellWaiting(ctx, tx, saved, nil, false)
}

// elsewhere tells whether credentials would go to another server, or mean
// something else.
func elsewhere(old, now *ent.Connection) bool {
	origin := func(address string) string {
		u, err := url.Parse(address)
		if err != nil {
			return address
		}
		return originOf(u)
	}
	return origin(old.URL) != origin(now.URL) || !slices.Equal(old.Command, now.Command) || old.Auth != now.Auth || old.AuthName != now.AuthName ||
		old.Credential != now.Credential || old.Toolkit != now.Toolkit || old.AuthConfig != now.AuthConfig || !sameJSON(old.Oauth, now.Oauth)
}

func sameJSON(a, b json.RawMessage) bool {
	form := func(raw json.RawMessage) string {
		var v any
		if json.Unmarshal(raw, &v) != nil {
			return string(raw)
		}
		out, _ := json.Marshal(v) // came from JSON
		return string(out)
	}
	return form(a) == form(b)
}

// Delete removes a connection with its tools, its credentials, and what was
// granted of them.
func (c *Connections) Delete(ctx context.Context, tx *store.Tx, connectionID string) error {
	row, err := tx.Connection.Query().Where(connection.ID(connectionID)).WithScope().Only(ctx)
	if err != nil {
		return hidden(err, "connection")
	}
	if err := lock(ctx, tx, row.ID); err != nil {
		return err
	}
	tools, err := tx.Tool.Query().Where(tool.ConnectionID(row.ID)).IDs(ctx)
	if err != nil {
		return err
	}
	if err := c.tellGone(ctx, tx, row); err != nil {
		return err
	}
	grants, err := tx.Grant.Delete().Where(grant.Or(grant.ConnectionID(row.ID), grant.ToolIDIn(tools...))).Exec(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.ConnectionCredential.Delete().Where(connectioncredential.ConnectionID(row.ID)).Exec(ctx); err != nil {
		return err
	}
	if _, err := tx.Tool.Delete().Where(tool.ConnectionID(row.ID)).Exec(ctx); err != nil {
		return err
	}
	if err := tx.Connection.DeleteOneID(row.ID).Exec(ctx); err != nil {
		return hidden(err, "connection")
	}
	tx.AfterCommit(func() { c.pool.drop(row.ID) })
	e := event("connection.delete", row)
	e.Changes = map[string]audit.Change{"tools": {Before: len(tools)}, "grants": {Before: grants}}
	return c.changed(ctx, tx, row, e)
}

// DisconnectAll forgets what everybody signed in with, and ends the sessions.
func (c *Connections) DisconnectAll(ctx context.Context, tx *store.Tx, connectionID string) (*ent.Connection, error) {
	row, err := tx.Connection.Query().Where(connection.ID(connectionID)).WithScope().Only(ctx)
	if err != nil {
		return nil, hidden(err, "connection")
	}
	if _, err := c.Credentials.RemoveAll(ctx, tx, row); err != nil {
		return nil, err
	}
	tx.AfterCommit(func() { c.pool.drop(row.ID) })
	return row, c.changed(ctx, tx, row, event("connection.disconnect", row))
}

// into checks a change and applies it to a row.
func (c *Connections) into(row *ent.Connection, in Input) error {
	set := func(to, from *string) {
		if from != nil {
			*to = strings.TrimSpace(*from)
		}
	}
	set(&row.Name, in.Name)
	set(&row.Description, in.Description)
	set(&row.Icon, in.Icon)
	set(&row.URL, in.URL)
	set(&row.Document, in.Document)
	set(&row.DocumentURL, in.DocumentURL)
	set(&row.AuthName, in.AuthName)
	set(&row.Toolkit, in.Toolkit)
	set(&row.AuthConfig, in.AuthConfig)
	if in.Status != nil {
		row.Status = *in.Status
	}
	if in.Auth != nil {
		row.Auth = *in.Auth
	}
	if in.Credential != nil {
		row.Credential = *in.Credential
	}
	if in.Command != nil {
		row.Command = in.Command
	}
	if in.OAuth != nil {
		row.Oauth = in.OAuth
	}
	switch {
	case len(row.Name) > 40 || !wellNamed.MatchString(row.Name):
		return fault.At("name", "A name has 1–40 small letters and digits, with single - or _ between: it stands before each tool's own, such as in github__search.")
	case len(row.Description) > 500:
		return fault.At("description", "A description has at most 500 characters.")
	case len(row.Icon) > 40:
		return fault.At("icon", "An icon's name has at most 40 characters.")
	}
	if err := c.seal(row, in.ClientSecret); err != nil {
		return err
	}
	if err := c.intoPlace(row); err != nil {
		return err
	}
	if err := intoAuth(row); err != nil {
		return err
	}
	return c.Credentials.Check(row)
}

// What a toolkit and an auth config of Composio are called.
var (
	toolkitNamed    = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,99}$`)
	authConfigNamed = regexp.MustCompile(`^[A-Za-z0-9_-]{0,100}$`)
)

// intoPlace checks where a connection leads.
func (c *Connections) intoPlace(row *ent.Connection) (err error) {
	if row.Kind != connection.KindCOMPOSIO {
		row.Toolkit, row.AuthConfig = "", ""
	}
	switch row.Kind {
	case connection.KindMCP_HTTP, connection.KindMCP_SSE, connection.KindOPENAPI:
		if len(row.Command) > 0 {
			return fault.At("command", "Only a stdio server has a command.")
		}
		if row.URL, err = address("url", row.URL); err != nil {
			return err
		}
		if row.Kind != connection.KindOPENAPI {
			row.Document, row.DocumentURL = "", ""
			return nil
		}
		if row.DocumentURL != "" {
			if row.DocumentURL, err = address("documentUrl", row.DocumentURL); err != nil {
				return err
			}
		}
		_, err = openapi.Read([]byte(row.Document))
		return err
	case connection.KindMCP_STDIO:
		switch _, allowed := c.allowedCommand(row.Command); {
		case len(c.Commands) == 0:
			return fault.At("kind", "This server starts no programs. Use an MCP server with an address, or ask whoever runs Cockpit to allow a command (COCKPIT_STDIO_COMMANDS).")
		case !allowed:
			return fault.At("command", "This command isn't on the operator's list. Choose one that is, or ask whoever runs Cockpit to add it (COCKPIT_STDIO_COMMANDS).")
		case row.Auth == connection.AuthOAUTH:
			return fault.At("auth", "A program on this machine signs in by its variables alone.")
		}
		row.URL, row.Document, row.DocumentURL = "", "", ""
		return nil
	case connection.KindCOMPOSIO:
		switch {
		case !toolkitNamed.MatchString(row.Toolkit):
			return fault.At("toolkit", "Name the toolkit as Composio does, such as github: small letters and digits, - and _.")
		case !authConfigNamed.MatchString(row.AuthConfig):
			return fault.At("authConfig", "Give the id of the auth config that Composio shows, such as ac_1a2b3c.")
		case row.AuthConfig == "" && row.Credential == connection.CredentialPERSONAL:
			return fault.At("authConfig", "People connect accounts of their own by an auth config. Make one at Composio, and give its id, or let all share what needs none.")
		}
		row.URL, row.Command, row.Document, row.DocumentURL = c.Composio, nil, "", ""
		row.Auth, row.AuthName = connection.AuthHEADER, "X-Api-Key"
		return nil
	}
	return fault.At("kind", "There is no such kind of connection.")
}

// forbiddenHeaders say how a request travels, which is no credential's business.
var forbiddenHeaders = []string{"host", "content-length", "content-type", "transfer-encoding", "connection", "accept", "mcp-session-id", "mcp-protocol-version", "cookie"}

// intoAuth checks how a connection signs in.
func intoAuth(row *ent.Connection) error {
	switch row.Auth {
	case connection.AuthHEADER:
		if len(row.AuthName) > 120 || slices.Contains(forbiddenHeaders, strings.ToLower(row.AuthName)) {
			return fault.At("authName", "Name the header that carries the key, such as X-Api-Key.")
		}
	case connection.AuthNONE, connection.AuthBEARER, connection.AuthBASIC, connection.AuthOAUTH:
		row.AuthName = ""
	default:
		return fault.At("auth", "There is no such way to sign in.")
	}
	if row.Credential != connection.CredentialSHARED && row.Credential != connection.CredentialPERSONAL {
		return fault.At("credential", "A credential is shared by all, or each person's own.")
	}
	if row.Auth != connection.AuthOAUTH {
		row.Oauth, row.ClientSecret, row.ClientSecretHint = nil, nil, ""
	}
	if len(row.Oauth) > 16<<10 || row.Oauth != nil && !json.Valid(row.Oauth) {
		return fault.At("oauth", "The OAuth settings are at most 16 KiB of JSON.")
	}
	return nil
}

// seal keeps an OAuth client's secret; its hint or a mask, posted back, changes
// nothing.
func (c *Connections) seal(row *ent.Connection, given *string) error {
	if given == nil {
		return nil
	}
	plain := strings.TrimSpace(*given)
	switch {
	case plain != "" && plain == row.ClientSecretHint, strings.HasPrefix(plain, "•"), strings.HasPrefix(plain, "…"), strings.HasPrefix(plain, "***"):
		return nil
	case plain == "":
		row.ClientSecret, row.ClientSecretHint = nil, ""
		return nil
	case len(plain) > 4096 || strings.ContainsAny(plain, "\r\n\x00"):
		return fault.At("clientSecret", "A secret has at most 4,096 characters on one line.")
	}
	row.ClientSecret, row.ClientSecretHint = c.Credentials.SealClientSecret(row.ID, plain)
	return nil
}

// address returns a server's address as it is stored.
func address(field, s string) (string, error) {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	if err != nil || len(s) > 2000 || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.Fragment != "" {
		return "", fault.At(field, "The address must look like https://mcp.example.com/mcp, without a user: keys belong into the credential.")
	}
	return s, nil
}

func taken(err error, name string) error {
	if !store.IsConflict(err) {
		return err
	}
	e := fault.At("name", "There is a connection named %q in this account already; choose another name.", strings.TrimSpace(name))
	e.Code = fault.Exists
	return e
}

// Find reads a connection within the viewer's reach, with its scope.
func (c *Connections) Find(ctx context.Context, connectionID string) (*ent.Connection, error) {
	return c.row(tenancy.InPlane(ctx, tenancy.Copilot), connectionID)
}
