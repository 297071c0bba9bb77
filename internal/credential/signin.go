package credential

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// SignInPath leads a person's browser to a connection's sign-in.
	SignInPath = "/connections/sign-in"
	// CallbackPath is where authorization servers send browsers back to.
	CallbackPath = "/connections/callback"
	// FlowTime is how long somebody may take at the authorization server.
	FlowTime = 10 * time.Minute
	// statePlace keeps sealed states from being taken for anything else sealed.
	statePlace = "connection.state"
)

// CallbackURL is the redirect address that Cockpit has at every authorization
// server.
func (s *Store) CallbackURL() string { return s.URL + CallbackPath }

// state goes to the authorization server and back, sealed: it can't be read,
// made or changed by anybody else. It is of one use, for one person, in one
// session.
type state struct {
	ConnectionID string `json:"c"`
	Owner        string `json:"o,omitempty"`
	UserID       string `json:"u"`
	SessionID    string `json:"s"`
	// Nonce is what the credential's row awaits, by its hash.
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	// Server is the digest of how the connection signed in when this began, Client
	// what Cockpit was there.
	Server  string    `json:"d"`
	Issuer  string    `json:"i,omitempty"`
	Client  string    `json:"k,omitempty"`
	Expires time.Time `json:"e"`
	Return  string    `json:"r,omitempty"`
}

// Begin leads somebody in a session of theirs to a connection's authorization
// server: url is where to send their browser. What they began before and didn't
// end is off.
func (s *Store) Begin(ctx context.Context, c *ent.Connection, userID, returnTo string) (address string, err error) {
	v := tenancy.ViewerFrom(ctx)
	if v == nil || v.SessionID == "" || v.UserID != userID || userID == "" || v.SupportID != "" || v.AccountID != c.AccountID {
		return "", fault.New(fault.Forbidden, "Sign in to the cockpit yourself, and connect %s there.", c.Name)
	}
	owner, err := ownerOf(c, userID)
	if err != nil {
		return "", err
	}
	st := state{ConnectionID: c.ID, Owner: owner, UserID: userID, SessionID: v.SessionID, Nonce: secret.Token(),
		Server: digest(c), Expires: s.Store.Now().Add(FlowTime), Return: localPath(returnTo)}
	if c.Kind == connection.KindCOMPOSIO {
		return s.beginAccount(ctx, c, st)
	}
	if c.Auth != connection.AuthOAUTH {
		return "", fault.New(fault.Invalid, "%s has no sign-in of its own.", c.Name)
	}
	o, err := s.settings(c)
	if err != nil {
		return "", err
	}
	at, err := s.server(ctx, c, o)
	if err != nil {
		return "", err
	}
	us, err := s.clientAt(ctx, c, o, at)
	if err != nil {
		return "", err
	}
	st.Verifier, st.Issuer, st.Client = oauth2.GenerateVerifier(), at.issuer, us.ClientID
	text, err := s.sealState(st)
	if err != nil {
		return "", err
	}
	err = s.Store.InTx(tenancy.System(ctx, "credentials are the system's to write"), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited() // nothing has changed yet; the end of it is on record
		row, err := s.row(ctx, tx, c, owner)
		if err != nil {
			return err
		}
		return tx.ConnectionCredential.UpdateOneID(row.ID).SetAwaited(secret.Hash(st.Nonce)).Exec(ctx)
	})
	if err != nil {
		return "", err
	}
	config := oauth2.Config{ClientID: us.ClientID, RedirectURL: s.CallbackURL(), Scopes: o.Scopes, Endpoint: oauth2.Endpoint{AuthURL: at.authorizeURL}}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(st.Verifier), oauth2.SetAuthURLParam("prompt", "consent"), oauth2.AccessTypeOffline}
	if at.resource != "" {
		options = append(options, oauth2.SetAuthURLParam("resource", at.resource))
	}
	return config.AuthCodeURL(text, options...), nil
}

func (s *Store) sealState(st state) (string, error) {
	text, err := json.Marshal(st)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.Box.Seal(statePlace, string(text))), nil
}

var badState = fault.New(fault.Forbidden, "This sign-in isn't one that you began here, or took too long, or has ended already. Begin it again.")

// Finish takes what an authorization server sent a person's browser back with,
// and keeps their token. It returns the path of the cockpit to go on to.
func (s *Store) Finish(ctx context.Context, q url.Values) (returnTo string, err error) {
	st, err := s.openState(ctx, q.Get("state"))
	if err != nil {
		return "", err
	}
	ctx = tenancy.System(ctx, "the state names the connection, and whose sign-in it is")
	c, err := s.Store.Connection.Get(ctx, st.ConnectionID)
	if err != nil && !ent.IsNotFound(err) {
		return st.Return, err
	}
	// Whatever comes of it, this state is of no more use.
	if err != nil || digest(c) != st.Server || c.Status != connection.StatusACTIVE {
		err = fault.New(fault.Conflict, "The connection was changed while you signed in. Begin again.")
	}
	if spent := s.spend(ctx, st); spent != nil || err != nil {
		return st.Return, errors.Join(spent, err)
	}
	if c.Kind == connection.KindCOMPOSIO {
		return st.Return, s.finishAccount(ctx, c, st.Owner)
	}
	o, err := s.settings(c)
	if err != nil {
		return st.Return, err
	}
	at, err := s.server(ctx, c, o)
	if err != nil {
		return st.Return, err
	}
	// Mix-up (RFC 9207): the answer must come from whom the browser was sent to.
	if iss, named := q["iss"]; at.issuer != st.Issuer || (named && (len(iss) != 1 || (at.issuer != "" && iss[0] != at.issuer))) || (!named && at.namesIssuer) {
		return st.Return, badState
	}
	if code := q.Get("error"); code != "" {
		if code == "access_denied" {
			return st.Return, fault.New(fault.Forbidden, "You, or the server for you, said no: %s isn't connected.", c.Name)
		}
		return st.Return, fault.New(fault.Unavailable, "The authorization server of %s gives an error: %s.", c.Name, word(code, "no reason"))
	}
	us, known, err := s.client(c, o, at)
	if err != nil {
		return st.Return, err
	}
	if !known || us.ClientID != st.Client {
		return st.Return, fault.New(fault.Conflict, "The connection was changed while you signed in. Begin again.")
	}
	in := sealed{TokenURL: at.tokenURL, ClientID: us.ClientID, Resource: at.resource, InHeader: us.InHeader}
	t, err := s.ask(ctx, c, in, url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "redirect_uri": {s.CallbackURL()}, "code_verifier": {st.Verifier}})
	var refused *refusal
	switch {
	case errors.As(err, &refused) && refused.code == unknownClient && o.ClientID == "":
		return st.Return, errors.Join(fault.New(fault.Unavailable, "The authorization server of %s doesn't know Cockpit any more. Begin again: it registers anew.", c.Name).Because(err),
			s.forgetClient(ctx, c, us.ClientID))
	case errors.As(err, &refused):
		return st.Return, fault.New(fault.Unavailable, "The authorization server of %s gives no token: %s. Whoever manages the connection checks its client id, secret and scopes.", c.Name, refused.code).Because(err)
	case err != nil:
		return st.Return, fault.New(fault.Unavailable, "The authorization server of %s doesn't answer as it should. Try again later.", c.Name).Because(err)
	}
	in.Access, in.Refresh = t.Access, t.Refresh
	scopes := t.Scopes
	if scopes == "" {
		scopes = strings.Join(o.Scopes, " ")
	}
	return st.Return, s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := s.put(ctx, tx, c, st.Owner, in, about{scopes: scopes, expires: t.expires(tx.Now())}); err != nil {
			return err
		}
		return record(ctx, tx, c, "connection.signIn", st.Owner)
	})
}

// openState reads a state that this server sealed, for the viewer in the
// session in which it was made.
func (s *Store) openState(ctx context.Context, text string) (st state, err error) {
	box, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > 8192 {
		return state{}, badState
	}
	plain, err := s.Box.Open(statePlace, box)
	if err != nil || json.Unmarshal([]byte(plain), &st) != nil {
		return state{}, badState
	}
	v := tenancy.ViewerFrom(ctx)
	if v == nil || v.UserID != st.UserID || v.SessionID == "" || v.SessionID != st.SessionID || !s.Store.Now().Before(st.Expires) {
		return state{}, badState
	}
	return st, nil
}

// spend takes a state's one use, wherever it comes back to.
func (s *Store) spend(ctx context.Context, st state) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		n, err := tx.ConnectionCredential.Update().Where(connectioncredential.ConnectionID(st.ConnectionID), connectioncredential.UserID(st.Owner),
			connectioncredential.Awaited(secret.Hash(st.Nonce))).SetAwaited("").Save(ctx)
		if err == nil && n == 0 {
			return badState
		}
		return err
	})
}

// digest tells whether a connection still signs in as it did.
func digest(c *ent.Connection) string {
	var o OAuth // not as the row spells it: databases keep JSON in their own ways
	_ = json.Unmarshal(c.Oauth, &o)
	settings, _ := json.Marshal(o) // never fails
	h := sha256.New()
	for _, part := range []string{c.URL, string(c.Auth), string(c.Credential), string(settings), string(c.ClientSecret), c.Toolkit, c.AuthConfig} {
		_, _ = h.Write([]byte(part))
		_, _ = h.Write([]byte{0})
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// localPath is a path of the cockpit to go on to; empty for anything that a
// browser could take for another place.
func localPath(s string) string {
	if len(s) > 1000 || !strings.HasPrefix(s, "/") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '\\' || r > '~' }) {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil || strings.HasPrefix(s, "//") || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/connections/") {
		return ""
	}
	return s
}
