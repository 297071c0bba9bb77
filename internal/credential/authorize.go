package credential

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// usedEvery is how often a credential's last use is written down.
const usedEvery = 10 * time.Minute

// Authorize gives what signs a request to the connection in, for somebody who
// may use it. Without a credential that works it is refused with
// CONNECTION_NEEDS_SIGN_IN and the page to go to.
func (s *Store) Authorize(ctx context.Context, c *ent.Connection, userID string) (func(*http.Request) error, error) {
	if c.Auth == connection.AuthNONE {
		return func(*http.Request) error { return nil }, nil
	}
	in, err := s.usable(ctx, c, userID)
	if err != nil {
		return nil, err
	}
	return func(r *http.Request) error {
		// An answer of the server, or an address within one, can't lead the secret
		// elsewhere.
		if in.Origin == "" || r.URL == nil || origin(r.URL.String()) != in.Origin {
			return fault.New(fault.Forbidden, "The request goes to another server than %s: it isn't signed in there.", c.Name)
		}
		in.sign(r, c)
		return nil
	}, nil
}

func (in sealed) sign(r *http.Request, c *ent.Connection) {
	switch c.Auth {
	case connection.AuthBEARER:
		r.Header.Set("Authorization", "Bearer "+in.Value)
	case connection.AuthBASIC:
		r.SetBasicAuth(in.User, in.Value)
	case connection.AuthOAUTH:
		r.Header.Set("Authorization", "Bearer "+in.Access)
	case connection.AuthHEADER:
		if name, query := strings.CutPrefix(c.AuthName, "?"); query {
			// Appended as it is: the rest of the query keeps its spelling.
			q := without(r.URL.RawQuery, name)
			if q != "" {
				q += "&"
			}
			r.URL.RawQuery = q + url.QueryEscape(name) + "=" + url.QueryEscape(in.Value)
			return
		}
		r.Header.Set(c.AuthName, in.Value)
	}
}

// without drops a parameter from a query.
func without(query, name string) string {
	var out []string
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(key); pair != "" && (err != nil || plain != name) {
			out = append(out, pair)
		}
	}
	return strings.Join(out, "&")
}

// Environment is what a stdio server is started with for somebody; nil where
// the connection has no secrets.
func (s *Store) Environment(ctx context.Context, c *ent.Connection, userID string) (map[string]string, error) {
	owner, err := ownerOf(c, userID)
	if err != nil {
		return nil, err
	}
	row, err := s.look(ctx, c, owner)
	if err != nil || row == nil || row.Status != connectioncredential.StatusACTIVE {
		return nil, err
	}
	in, err := s.open(row)
	return maps.Clone(in.Environment), err
}

// usable is somebody's credential, refreshed where it is about to end.
func (s *Store) usable(ctx context.Context, c *ent.Connection, userID string) (sealed, error) {
	owner, err := ownerOf(c, userID)
	if err != nil {
		return sealed{}, err
	}
	row, err := s.look(ctx, c, owner)
	if err != nil {
		return sealed{}, err
	}
	if row == nil || row.Status == connectioncredential.StatusPENDING {
		return sealed{}, s.needsSignIn(c, "")
	}
	if row.Status == connectioncredential.StatusFAILED {
		return sealed{}, s.needsSignIn(c, row.Error)
	}
	in, err := s.open(row)
	if err != nil {
		return sealed{}, err
	}
	if !in.isFor(c) {
		return sealed{}, s.needsSignIn(c, changed)
	}
	if c.Auth == connection.AuthOAUTH && s.ending(row) {
		if in, err = s.refreshed(ctx, c, row); err != nil {
			return sealed{}, err
		}
	}
	s.used(ctx, row)
	return in, nil
}

// needsSignIn tells who uses the connection where to sign in.
func (s *Store) needsSignIn(c *ent.Connection, why string) error {
	var e *fault.Error
	page := s.SignInPage(c.ID)
	switch {
	case c.Credential == connection.CredentialSHARED:
		e = fault.New(fault.ConnectionNeedsSignIn, "%s isn't signed in. Ask whoever manages the connection to sign it in.", c.Name)
	case c.Auth == connection.AuthOAUTH:
		e = fault.New(fault.ConnectionNeedsSignIn, "Sign in to %s first: %s", c.Name, page)
	default:
		e = fault.New(fault.ConnectionNeedsSignIn, "%s needs a key of your own first: %s", c.Name, page)
	}
	if why != "" {
		e.Message += " (" + why + ")"
	}
	return e.With("connectionId", c.ID).With("page", page)
}

// used writes down that a credential is in use, now and then.
func (s *Store) used(ctx context.Context, row *ent.ConnectionCredential) {
	now := s.Store.Now()
	if row.UsedAt != nil && now.Sub(*row.UsedAt) < usedEvery {
		return
	}
	ctx = tenancy.System(ctx, "the last use of a credential is nobody's change")
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		_, err := tx.ConnectionCredential.Update().Where(connectioncredential.ID(row.ID),
			connectioncredential.Or(connectioncredential.UsedAtIsNil(), connectioncredential.UsedAtLT(now.Add(-usedEvery)))).SetUsedAt(now).Save(ctx)
		return err
	})
	if err != nil {
		s.Log.WarnContext(ctx, "the use of a credential isn't written down", "credential", row.ID, "cause", err)
	}
}

// origin is scheme, host and port of an address; empty for none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	scheme := strings.ToLower(u.Scheme)
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[scheme]
	}
	return scheme + "://" + host + ":" + port
}
