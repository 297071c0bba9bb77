package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// clientName is what authorization servers show people of Cockpit.
const clientName = "Cockpit"

// unknownClient is how a server says that it doesn't know Cockpit (RFC 6749).
const unknownClient = "invalid_client"

// registered is the client that Cockpit made itself at an authorization server
// (RFC 7591), as the connection's row keeps it sealed.
type registered struct {
	Issuer   string `json:"u"`
	ClientID string `json:"i"`
	// Secret is empty for a public client, which is what is asked for.
	Secret string `json:"s,omitempty"`
	// InHeader is how the server takes the secret.
	InHeader bool `json:"h,omitempty"`
	// Until is when the secret ends; zero for never.
	Until time.Time `json:"e,omitzero"`
}

// client is what Cockpit is at a server: as an admin said, or as it registered
// itself.
func (s *Store) client(c *ent.Connection, o OAuth, at *server) (registered, bool, error) {
	if o.ClientID != "" {
		r := registered{Issuer: at.issuer, ClientID: o.ClientID, InHeader: at.inHeader}
		if len(c.ClientSecret) > 0 {
			var err error
			if r.Secret, err = s.Box.Open(c.ID, c.ClientSecret); err != nil {
				return r, false, fmt.Errorf("credential: the client secret of %s: %w", c.ID, err)
			}
		}
		return r, true, nil
	}
	r, known, err := s.ownClient(c)
	return r, known && r.Issuer == at.issuer && (r.Until.IsZero() || s.Store.Now().Before(r.Until)), err
}

// ownClient reads what Cockpit has registered for a connection.
func (s *Store) ownClient(c *ent.Connection) (r registered, known bool, err error) {
	if len(c.RegisteredClient) == 0 {
		return r, false, nil
	}
	text, err := s.Box.Open(clientPlace(c.ID), c.RegisteredClient)
	if err != nil {
		return r, false, fmt.Errorf("credential: the registered client of %s: %w", c.ID, err)
	}
	if json.Unmarshal([]byte(text), &r) != nil {
		return r, false, fmt.Errorf("credential: the registered client of %s can't be read", c.ID) // the cause could quote it
	}
	return r, true, nil
}

// clientPlace keeps a sealed client from being taken for another secret of its
// row.
func clientPlace(connectionID string) string { return connectionID + " client" }

// clientAt is client, registered where it isn't known. Of two replicas that
// register at once, the first to write wins.
func (s *Store) clientAt(ctx context.Context, c *ent.Connection, o OAuth, at *server) (registered, error) {
	r, known, err := s.client(c, o, at)
	if known || err != nil {
		return r, err
	}
	if at.registerURL == "" {
		return r, fault.At("oauth.clientId", "The authorization server lets nobody register by themselves. Register Cockpit there, and give the client id. Its redirect address is %s.", s.CallbackURL())
	}
	made, err := s.register(ctx, at, o.Scopes)
	if err != nil {
		return r, err
	}
	err = s.keepClient(ctx, c, func(now *ent.Connection) (*registered, error) {
		standing, known, err := s.client(now, o, at)
		if known || err != nil {
			made = standing
			return nil, err
		}
		return &made, nil
	})
	return made, err
}

// forgetClient drops what the server says it doesn't know, unless another one
// stands by now. The next sign-in registers anew, once.
func (s *Store) forgetClient(ctx context.Context, c *ent.Connection, clientID string) error {
	return s.keepClient(ctx, c, func(now *ent.Connection) (*registered, error) {
		standing, known, err := s.ownClient(now)
		if !known || standing.ClientID != clientID {
			return nil, err
		}
		return &registered{}, nil
	})
}

// keepClient writes what decide makes of the row as it stands, under its lock:
// nil leaves it, an empty one forgets it. It changes no version, for it is
// nobody's edit.
func (s *Store) keepClient(ctx context.Context, c *ent.Connection, decide func(now *ent.Connection) (*registered, error)) error {
	ctx = tenancy.System(context.WithoutCancel(ctx), "what Cockpit is at a server is written by itself")
	return s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := lock(ctx, tx, c.ID); err != nil {
			return err
		}
		now, err := tx.Connection.Query().Where(connection.ID(c.ID)).Only(ctx)
		if ent.IsNotFound(err) {
			return fault.Missing("connection")
		}
		if err != nil {
			return err
		}
		to, err := decide(now)
		if err != nil {
			return err
		}
		if to == nil {
			tx.Unaudited()
			return nil
		}
		action, box := "connection.unregister", []byte(nil)
		if to.ClientID != "" {
			text, err := json.Marshal(to) //nolint:gosec // it is sealed next
			if err != nil {
				return err
			}
			action, box = "connection.register", s.Box.Seal(clientPlace(c.ID), string(text))
		}
		if _, err := tx.Exec(ctx, "UPDATE connections SET registered_client = ? WHERE id = ?", box, c.ID); err != nil {
			return err
		}
		e, err := event(ctx, tx, now, action)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, e)
	})
}

// register makes a public client that signs in by codes with PKCE.
func (s *Store) register(ctx context.Context, at *server, scopes []string) (r registered, err error) {
	about := map[string]any{"client_name": clientName, "redirect_uris": []string{s.CallbackURL()}, "grant_types": []string{"authorization_code", "refresh_token"},
		"response_types": []string{"code"}, "token_endpoint_auth_method": "none", "application_type": "web"}
	if len(scopes) > 0 {
		about["scope"] = strings.Join(scopes, " ")
	}
	body, err := json.Marshal(about)
	if err != nil {
		return r, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.registerURL, bytes.NewReader(body))
	if err != nil {
		return r, errors.New("credential: the registration endpoint's address can't be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, err := s.call(req)
	if err != nil {
		return r, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, outboundSize+1))
	if err != nil || len(text) > outboundSize {
		return r, fault.New(fault.Unavailable, "The authorization server's answer to a registration breaks off, or is too long. Register Cockpit there by hand, and give the client id.").Because(err)
	}
	var answer struct {
		ClientID string `json:"client_id"`
		Secret   string `json:"client_secret"`
		Until    int64  `json:"client_secret_expires_at"`
		Method   string `json:"token_endpoint_auth_method"`
		Code     string `json:"error"`
	}
	unread := json.Unmarshal(text, &answer) != nil
	switch {
	case res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusOK:
		return r, fault.New(fault.Unavailable, "The authorization server doesn't let Cockpit register: %s. Register it there by hand, and give the client id. Its redirect address is %s.",
			word(answer.Code, fmt.Sprintf("status %d", res.StatusCode)), s.CallbackURL())
	case unread || answer.ClientID == "" || len(answer.ClientID) > 500 || !plain(answer.ClientID) || len(answer.Secret) > 4096 || !plain(answer.Secret):
		return r, fault.New(fault.Unavailable, "The authorization server answers a registration with what can't be used. Register Cockpit there by hand, and give the client id.")
	}
	r = registered{Issuer: at.issuer, ClientID: answer.ClientID, Secret: answer.Secret, InHeader: answer.Method != "client_secret_post"}
	switch answer.Method {
	case "none":
		r.Secret = ""
	case "", "client_secret_basic", "client_secret_post":
	default:
		return r, fault.New(fault.Unavailable, "The authorization server wants Cockpit to prove itself by %s, which isn't possible here. Register it there by hand, and give the client id.", word(answer.Method, "other means"))
	}
	if answer.Until > 0 && r.Secret != "" {
		r.Until = time.Unix(answer.Until, 0).UTC()
	}
	return r, nil
}

// call is one call to an authorization server, with its failures told.
func (s *Store) call(req *http.Request) (*http.Response, error) {
	res, err := s.http.Do(req)
	switch {
	case errors.Is(err, outbound.ErrForbidden):
		return nil, fault.At("oauth.issuer", "The authorization server lies in a private network. The operator must allow it with --allow-networks.").Because(err)
	case err != nil:
		return nil, fault.New(fault.Unavailable, "The authorization server can't be reached. Check the address, or try again later.").Because(err)
	}
	return res, nil
}
