package credential

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/internal/composio"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/outbound"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Account is by whose account a call of an integration goes.
type Account struct {
	// UserID is how Composio knows them: stable, and nothing that means anything
	// elsewhere.
	UserID string
	// ID is the account that they connected; empty where the toolkit needs none.
	ID string
}

// personAt is how Composio knows somebody of an account, and what all use of a
// connection by.
func personAt(c *ent.Connection, owner string) string {
	if owner == "" {
		owner = c.ID
	}
	sum := sha256.Sum256([]byte("composio\x00" + c.AccountID + "\x00" + owner))
	return "cockpit-" + hex.EncodeToString(sum[:16])
}

// Integration is Composio with the key of a connection.
func (s *Store) Integration(ctx context.Context, c *ent.Connection) (composio.API, error) {
	row, in, err := s.keyOf(ctx, c)
	if err != nil {
		return composio.API{}, err
	}
	s.used(ctx, row)
	return composio.API{Client: s.Client, Base: c.URL, Key: in.Value}, nil
}

// keyOf is the row that has the key, which is for all.
func (s *Store) keyOf(ctx context.Context, c *ent.Connection) (*ent.ConnectionCredential, sealed, error) {
	row, err := s.look(ctx, c, "")
	if err != nil {
		return nil, sealed{}, err
	}
	needed := func(why string) error {
		e := fault.New(fault.ConnectionNeedsSignIn, "%s has no API key of Composio%s. Ask whoever manages the connection to set it.", c.Name, why)
		return e.With("connectionId", c.ID)
	}
	if row == nil || row.Status != connectioncredential.StatusACTIVE {
		return nil, sealed{}, needed("")
	}
	in, err := s.open(row)
	switch {
	case err != nil:
		return nil, sealed{}, err
	case in.Value == "" || !in.isFor(c):
		return nil, sealed{}, needed(" that is for where it leads now")
	}
	return row, in, nil
}

// AccountOf is by whose account somebody calls an integration. One that they
// were about to connect is looked at, in case they have.
func (s *Store) AccountOf(ctx context.Context, c *ent.Connection, userID string) (Account, error) {
	owner, err := ownerOf(c, userID)
	if err != nil {
		return Account{}, err
	}
	out := Account{UserID: personAt(c, owner)}
	if c.AuthConfig == "" {
		return out, nil
	}
	_, in, err := s.connected(ctx, c, owner)
	if err == nil && in.Account == "" && in.Next != "" {
		if err = s.finishAccount(ctx, c, owner); err == nil {
			_, in, err = s.connected(ctx, c, owner)
		} else if fault.As(err) != nil {
			err = nil // not yet
		}
	}
	if err != nil {
		return Account{}, err
	}
	if in.Account == "" {
		return Account{}, s.needsAccount(c)
	}
	out.ID = in.Account
	return out, nil
}

func (s *Store) needsAccount(c *ent.Connection) error {
	page := s.SignInPage(c.ID)
	e := fault.New(fault.ConnectionNeedsSignIn, "Connect your account of %s first: %s", c.Name, page).With("page", page)
	if c.Credential == connection.CredentialSHARED {
		e = fault.New(fault.ConnectionNeedsSignIn, "%s has no account connected. Ask whoever manages the connection to connect one.", c.Name)
	}
	return e.With("connectionId", c.ID)
}

// connected reads what somebody connected; a nil row is nothing at all.
func (s *Store) connected(ctx context.Context, c *ent.Connection, owner string) (*ent.ConnectionCredential, sealed, error) {
	row, err := s.look(ctx, c, owner)
	if err != nil || row == nil || len(row.Secret) == 0 {
		return row, sealed{}, err
	}
	in, err := s.open(row)
	if err != nil || !in.isFor(c) {
		return row, sealed{}, err
	}
	return row, in, nil
}

// accountState is State of an integration.
func (s *Store) accountState(ctx context.Context, c *ent.Connection, owner string) (State, error) {
	row, key, err := s.keyOf(ctx, c)
	if fault.As(err) != nil {
		return State{}, nil //nolint:nilerr // it isn't ready
	}
	if err != nil {
		return State{}, err
	}
	out := State{Ready: true, Since: row.CreatedAt}
	if owner == "" {
		out.Hint = row.SecretHint
		out.Ready = c.AuthConfig == "" || key.Account != ""
		return out, nil
	}
	row, in, err := s.connected(ctx, c, owner)
	if err != nil || row == nil {
		return State{}, err
	}
	return State{Ready: in.Account != "", Since: row.CreatedAt}, nil
}

// beginAccount leads somebody to where they connect an account at Composio. One
// that they have stays in use until then.
func (s *Store) beginAccount(ctx context.Context, c *ent.Connection, st state) (string, error) {
	if c.AuthConfig == "" {
		return "", fault.New(fault.Invalid, "%s needs no account of anybody's.", c.Name)
	}
	api, err := s.Integration(ctx, c)
	if err != nil {
		return "", err
	}
	text, err := s.sealState(st)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, outboundTime)
	defer cancel()
	link, err := api.Connect(ctx, c.AuthConfig, personAt(c, st.Owner), s.CallbackURL()+"?"+url.Values{"state": {text}}.Encode())
	if err != nil {
		return "", composioFailed(c, err)
	}
	if !outbound.Takes(link.URL, s.Networks) {
		return "", fault.New(fault.Unavailable, "Composio sends people of %s to an address that isn't https, which isn't followed.", c.Name)
	}
	return link.URL, s.mend(ctx, c, st.Owner, func(_ context.Context, _ *store.Tx, in *sealed, u *ent.ConnectionCredentialUpdateOne) (bool, error) {
		in.Next = link.AccountID
		u.SetAwaited(secret.Hash(st.Nonce))
		return false, nil // the end of it is on record
	})
}

// finishAccount asks Composio whether the account that somebody was about to
// connect is, and theirs; whatever the browser came back with.
func (s *Store) finishAccount(ctx context.Context, c *ent.Connection, owner string) error {
	_, in, err := s.connected(ctx, c, owner)
	if err != nil {
		return err
	}
	if in.Next == "" {
		return badState
	}
	api, err := s.Integration(ctx, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, outboundTime)
	defer cancel()
	found, err := api.Account(ctx, in.Next)
	if err != nil {
		return composioFailed(c, err)
	}
	if !found.Active() || found.UserID != personAt(c, owner) {
		return fault.New(fault.Forbidden, "Composio says that the account isn't connected (%s). Begin again.", word(found.Status, "no status"))
	}
	next := in.Next
	return s.mend(ctx, c, owner, func(ctx context.Context, tx *store.Tx, in *sealed, u *ent.ConnectionCredentialUpdateOne) (bool, error) {
		if in.Next != next {
			return false, fault.New(fault.Conflict, "The sign-in was begun anew at this moment. End that one.")
		}
		in.Account, in.Next = next, ""
		u.SetStatus(connectioncredential.StatusACTIVE).SetError("")
		return true, record(ctx, tx, c, "connection.signIn", owner)
	})
}

// mend changes what is sealed in somebody's row, made where there is none.
// Changes that are no news leave no event.
func (s *Store) mend(ctx context.Context, c *ent.Connection, owner string, change func(context.Context, *store.Tx, *sealed, *ent.ConnectionCredentialUpdateOne) (news bool, err error)) error {
	ctx = tenancy.System(context.WithoutCancel(ctx), "credentials are the system's to write")
	return s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := s.row(ctx, tx, c, owner)
		if err != nil {
			return err
		}
		var in sealed
		if len(row.Secret) > 0 {
			if in, err = s.open(row); err != nil {
				return err
			}
		}
		if !in.isFor(c) {
			in = sealed{Origin: origin(c.URL), Auth: string(c.Auth) + " " + c.AuthName}
		}
		u := tx.ConnectionCredential.UpdateOneID(row.ID).Where(connectioncredential.Version(row.Version))
		news, err := change(ctx, tx, &in, u)
		if err != nil {
			return err
		}
		if !news {
			tx.Unaudited()
		}
		box, err := s.seal(row.ID, in)
		if err != nil {
			return err
		}
		err = u.SetSecret(box).Exec(ctx)
		if ent.IsNotFound(err) {
			return fault.New(fault.Conflict, "The sign-in was changed at this moment. Try again.")
		}
		return err
	})
}

// composioFailed tells why Composio couldn't be asked.
func composioFailed(c *ent.Connection, err error) error {
	var refused *composio.Refused
	switch {
	case errors.As(err, &refused) && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden):
		return fault.New(fault.ConnectionNeedsSignIn, "Composio doesn't take the API key of %s. Ask whoever manages the connection to set another one.", c.Name).With("connectionId", c.ID).Because(err)
	case errors.As(err, &refused):
		return fault.New(fault.Unavailable, "Composio refuses to connect an account for %s (%d). Whoever manages the connection checks its auth config.", c.Name, refused.Status).Because(err)
	}
	return fault.New(fault.Unavailable, "Composio doesn't answer as it should. Try again later.").Because(err)
}
