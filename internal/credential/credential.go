// Package credential keeps what connections sign in with, one for all or each
// person's own, sealed; and signs people in to connections by OAuth.
package credential

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"golang.org/x/net/http/httpguts"
	"golang.org/x/sync/singleflight"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Options of New; all are needed.
type Options struct {
	Store *store.Store
	Box   *secret.Box
	// Client calls authorization servers: see outbound.NewClient.
	Client *http.Client
	// Networks are those that the operator has opened; plain http is taken in
	// them alone.
	Networks []netip.Prefix
	// URL is where browsers reach the server.
	URL string
	Log *slog.Logger
}

// Store is all connections' credentials. Its verbs expect that the caller has
// asked whether the viewer may.
type Store struct {
	Options
	http *http.Client
	// found has what authorization servers said of themselves.
	found *expirable.LRU[string, *server]
	// refreshing joins the calls of this replica that wait for one token.
	refreshing singleflight.Group
}

// New makes the one Store of a server.
func New(o Options) *Store {
	o.URL = strings.TrimRight(o.URL, "/")
	client := &http.Client{Transport: o.Client.Transport, Timeout: outboundTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Store{Options: o, http: client, found: expirable.NewLRU[string, *server](500, nil, foundFor)}
}

// Secret is what somebody gives a connection to sign in with.
type Secret struct {
	// Value is the token of BEARER, the header's or parameter's value of HEADER, the
	// password of BASIC.
	Value string
	// User is the name of BASIC.
	User string
	// Environment is what a stdio server is started with.
	Environment map[string]string
}

// String keeps secrets out of logs and errors.
func (Secret) String() string { return "[secret]" }

// GoString is String for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue is String for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON is String for JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// sealed is the text within a credential's box.
type sealed struct {
	Value       string            `json:"v,omitempty"`
	User        string            `json:"u,omitempty"`
	Environment map[string]string `json:"e,omitempty"`
	// Access and Refresh are tokens of OAUTH, got at TokenURL by ClientID for
	// Resource.
	Access   string `json:"a,omitempty"`
	Refresh  string `json:"r,omitempty"`
	TokenURL string `json:"t,omitempty"`
	ClientID string `json:"c,omitempty"`
	Resource string `json:"s,omitempty"`
	InHeader bool   `json:"h,omitempty"`
	// Origin and Auth are the connection's when the secret was given: an address
	// that it is changed to later doesn't get it.
	Origin string `json:"o,omitempty"`
	Auth   string `json:"k,omitempty"`
	// Account is what somebody connected at Composio, Next what they have begun to
	// connect instead.
	Account string `json:"b,omitempty"`
	Next    string `json:"n,omitempty"`
}

// Check refuses how a connection signs in where that can't work; the error
// names the field of the row.
func (s *Store) Check(c *ent.Connection) error {
	switch c.Auth {
	case connection.AuthHEADER:
		name, query := strings.CutPrefix(c.AuthName, "?")
		if name == "" || (!query && !httpguts.ValidHeaderFieldName(name)) || strings.ContainsAny(name, "&=# ") {
			return fault.At("authName", "Give the header's name, like X-API-Key, or the query parameter's after a question mark, like ?api_key.")
		}
	case connection.AuthOAUTH:
		_, err := s.settings(c)
		return err
	}
	return nil
}

// SealClientSecret seals the secret of a connection's OAuth client for its row;
// hint is what may be shown of it.
func (s *Store) SealClientSecret(connectionID, plain string) (box []byte, hint string) {
	return s.Box.Seal(connectionID, plain), secret.Hint(plain)
}

// Set keeps what a connection signs in with: a person's own, or where the
// connection has one for all, that. It runs in a transaction of the system's.
func (s *Store) Set(ctx context.Context, tx *store.Tx, c *ent.Connection, userID string, in Secret) error {
	owner, err := ownerOf(c, userID)
	if c.Kind == connection.KindCOMPOSIO {
		owner, err = "", nil // the key is for all; people connect accounts
	}
	if err != nil {
		return err
	}
	if err := fits(c, in); err != nil {
		return err
	}
	shown := in.Value
	for _, v := range in.Environment {
		shown = v
	}
	row := sealed{Value: in.Value, User: in.User, Environment: in.Environment}
	if err := s.put(ctx, tx, c, owner, row, about{hint: secret.Hint(shown)}); err != nil {
		return err
	}
	return record(ctx, tx, c, "connection.credentialSet", owner)
}

const maxSecret = 8 << 10

// fits refuses a secret that the connection can't sign in with.
func fits(c *ent.Connection, in Secret) error {
	size := len(in.Value) + len(in.User)
	for name, v := range in.Environment {
		size += len(name) + len(v)
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(v, "\x00") {
			return fault.At("environment", "A variable's name can't be empty or hold =, and neither it nor its value a NUL.")
		}
	}
	stdio := c.Kind == connection.KindMCP_STDIO
	switch {
	case size > maxSecret:
		return fault.At("secret", "The secret has more than %d KB.", maxSecret>>10)
	case stdio != (len(in.Environment) > 0):
		return fault.At("environment", "Servers that are started by a command get their secrets as environment variables, and no others do.")
	case stdio:
		return nil
	case c.Auth == connection.AuthNONE || c.Auth == connection.AuthOAUTH:
		return fault.At("secret", "The connection takes no secret: it %s.", map[connection.Auth]string{connection.AuthNONE: "is open", connection.AuthOAUTH: "has people sign in"}[c.Auth])
	case in.Value == "" || !utf8.ValidString(in.Value) || !httpguts.ValidHeaderFieldValue(in.Value):
		return fault.At("secret", "Give the secret: text on one line.")
	case (c.Auth == connection.AuthBASIC) != (in.User != "") || strings.Contains(in.User, ":") || !httpguts.ValidHeaderFieldValue(in.User):
		return fault.At("user", "A user name goes with a password, and with nothing else; it can't hold a colon.")
	}
	return nil
}

// ownerOf is whose credential a connection uses when somebody calls it: empty
// for the one that all use.
func ownerOf(c *ent.Connection, userID string) (string, error) {
	if c.Credential == connection.CredentialSHARED {
		return "", nil
	}
	if userID == "" {
		return "", fault.New(fault.Invalid, "%s is used by people in their own names: call it as a person.", c.Name)
	}
	return userID, nil
}

// about is what may be known of a credential.
type about struct {
	hint, scopes string
	expires      *time.Time
}

// put writes a sealed credential, whether there was one or not. Whoever was
// refreshing the one before finds that it is gone.
func (s *Store) put(ctx context.Context, tx *store.Tx, c *ent.Connection, owner string, in sealed, known about) error {
	in.Origin, in.Auth = origin(c.URL), string(c.Auth)+" "+c.AuthName
	row, err := s.row(ctx, tx, c, owner)
	if err != nil {
		return err
	}
	box, err := s.seal(row.ID, in)
	if err != nil {
		return err
	}
	u := tx.ConnectionCredential.UpdateOneID(row.ID).SetSecret(box).SetSecretHint(known.hint).SetScopes(known.scopes).
		SetStatus(connectioncredential.StatusACTIVE).SetError("").SetAwaited("").ClearRefreshedAt().ClearRefreshingUntil()
	if known.expires == nil {
		u.ClearExpiresAt()
	}
	return u.SetNillableExpiresAt(known.expires).Exec(ctx)
}

// row is somebody's credential, made where there is none.
func (s *Store) row(ctx context.Context, tx *store.Tx, c *ent.Connection, owner string) (*ent.ConnectionCredential, error) {
	find := tx.ConnectionCredential.Query().Where(connectioncredential.ConnectionID(c.ID), connectioncredential.UserID(owner))
	row, err := find.Clone().Only(ctx)
	if err == nil || !ent.IsNotFound(err) {
		return row, err
	}
	// Of two that come first at the same moment, one makes the row.
	if err := lock(ctx, tx, c.ID); err != nil {
		return nil, err
	}
	if row, err = find.Only(ctx); err == nil || !ent.IsNotFound(err) {
		return row, err
	}
	if owner != "" {
		ours, err := tx.User.Query().Where(user.ID(owner), user.AccountID(c.AccountID)).Exist(ctx)
		if err != nil {
			return nil, err
		}
		if !ours {
			return nil, fault.Missing("user")
		}
	}
	rowID := id.New(id.ConnectionCredential)
	return tx.ConnectionCredential.Create().SetID(rowID).SetAccountID(c.AccountID).SetPlane(connectioncredential.Plane(c.Plane)).
		SetConnectionID(c.ID).SetUserID(owner).SetSecret([]byte{}).SetStatus(connectioncredential.StatusPENDING).Save(ctx)
}

// lock lets one change beside a connection's row come after the other.
func lock(ctx context.Context, tx *store.Tx, connectionID string) error {
	return tx.Rows(ctx, "SELECT id FROM connections WHERE id = ? FOR NO KEY UPDATE", []any{connectionID}, func(*sql.Rows) error { return nil })
}

// Remove forgets somebody's credential; with nobody named, the one that all
// use. It runs in a transaction of the system's.
func (s *Store) Remove(ctx context.Context, tx *store.Tx, c *ent.Connection, userID string) error {
	owner, err := ownerOf(c, userID)
	if err != nil {
		return err
	}
	n, err := tx.ConnectionCredential.Delete().Where(connectioncredential.ConnectionID(c.ID), connectioncredential.UserID(owner)).Exec(ctx)
	if err != nil || n == 0 {
		return err
	}
	return record(ctx, tx, c, "connection.credentialRemove", owner)
}

// RemoveAll disconnects everyone; it tells how many there were. It runs in a
// transaction of the system's.
func (s *Store) RemoveAll(ctx context.Context, tx *store.Tx, c *ent.Connection) (int, error) {
	// What Cockpit registered itself as goes along: the next sign-in does it anew.
	if _, err := tx.Exec(ctx, "UPDATE connections SET registered_client = NULL WHERE id = ?", c.ID); err != nil {
		return 0, err
	}
	n, err := tx.ConnectionCredential.Delete().Where(connectioncredential.ConnectionID(c.ID)).Exec(ctx)
	if err != nil || n == 0 {
		return 0, err
	}
	e, err := event(ctx, tx, c, "connection.credentialRemoveAll")
	if err != nil {
		return 0, err
	}
	e.Changes = map[string]audit.Change{"credentials": {Before: n, After: 0}}
	return n, tx.Audit(ctx, e)
}

// record tells of a change to a credential: whose, and nothing of it.
func record(ctx context.Context, tx *store.Tx, c *ent.Connection, action, owner string) error {
	e, err := event(ctx, tx, c, action)
	if err != nil {
		return err
	}
	whose := owner
	if whose == "" {
		whose = "everyone"
	}
	e.Changes = map[string]audit.Change{"credentialOf": {After: whose}}
	return tx.Audit(ctx, e)
}

func event(ctx context.Context, tx *store.Tx, c *ent.Connection, action string) (audit.Event, error) {
	at, err := tx.Scope.Get(ctx, c.ScopeID)
	if err != nil {
		return audit.Event{}, err
	}
	return audit.Event{Action: action, AccountID: c.AccountID, Plane: tenancy.Plane(c.Plane), ScopeID: c.ScopeID, ScopePath: at.Path,
		TargetID: c.ID, TargetName: c.Name}, nil
}

func (s *Store) seal(rowID string, in sealed) ([]byte, error) {
	text, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return s.Box.Seal(rowID, string(text)), nil
}

func (s *Store) open(row *ent.ConnectionCredential) (sealed, error) {
	text, err := s.Box.Open(row.ID, row.Secret)
	if err != nil {
		return sealed{}, fmt.Errorf("credential: %s: %w", row.ID, err)
	}
	var out sealed
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return sealed{}, fmt.Errorf("credential: %s can't be read", row.ID) // the cause could quote it
	}
	return out, nil
}

// State is what somebody may know of a credential.
type State struct {
	// Ready: it can be used. Otherwise somebody signs in, or sets it.
	Ready bool
	// Error is why it can't be used any more; empty where there never was one.
	Error string
	// Hint is the secret's last four characters; Scopes are what OAuth granted.
	Hint, Scopes string
	// Since is when it was given.
	Since time.Time
}

// State tells how somebody stands with a connection.
func (s *Store) State(ctx context.Context, c *ent.Connection, userID string) (State, error) {
	if isOpen(c) {
		return State{Ready: true}, nil
	}
	owner, err := ownerOf(c, userID)
	if err != nil {
		return State{}, err
	}
	if c.Kind == connection.KindCOMPOSIO {
		return s.accountState(ctx, c, owner)
	}
	row, err := s.look(ctx, c, owner)
	if err != nil {
		return State{}, err
	}
	return s.stateOf(c, row)
}

// stateOf is State by the row of whose credential it is; nil where there is none.
func (s *Store) stateOf(c *ent.Connection, row *ent.ConnectionCredential) (State, error) {
	if row == nil || row.Status == connectioncredential.StatusPENDING {
		return State{}, nil
	}
	out := State{Ready: row.Status == connectioncredential.StatusACTIVE, Error: row.Error, Hint: row.SecretHint, Scopes: row.Scopes, Since: row.CreatedAt}
	in, err := s.open(row)
	switch {
	case err != nil:
		return State{}, err
	case !in.isFor(c):
		out.Ready, out.Error = false, changed
	case in.Refresh == "" && s.over(row):
		out.Ready, out.Error = false, ended
	}
	return out, nil
}

// Why a credential doesn't work any more, besides what a server said.
const (
	changed = "the connection's address or way to sign in was changed since"
	ended   = "the sign-in has ended, and the server gives no way to renew it"
)

// isFor tells whether the secret was given for the connection as it is now.
func (in sealed) isFor(c *ent.Connection) bool {
	return in.Origin == origin(c.URL) && in.Auth == string(c.Auth)+" "+c.AuthName
}

// look reads somebody's credential; nil for none.
func (s *Store) look(ctx context.Context, c *ent.Connection, owner string) (*ent.ConnectionCredential, error) {
	ctx = tenancy.System(ctx, "whoever uses a connection needs its credential, which nobody sees")
	row, err := s.Store.ConnectionCredential.Query().
		Where(connectioncredential.ConnectionID(c.ID), connectioncredential.AccountID(c.AccountID), connectioncredential.UserID(owner)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	return row, err
}
