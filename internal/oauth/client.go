package oauth

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/authorization"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ClientInput describes a program; what is nil stays as it is.
type ClientInput struct {
	Name, Description *string
	Disabled          *bool
	// Planes, Permissions and RedirectURIs are whole lists.
	Planes                    []tenancy.Plane
	Permissions, RedirectURIs []string

	ClientCredentials, TokenExchange, TrustedSubjects *bool
}

// CreateClient makes a program known to an account, or to the platform, and
// returns it with its secret, which a public one lacks. The caller has checked
// that the viewer may.
func (s *Server) CreateClient(ctx context.Context, accountID string, public bool, in ClientInput) (row *ent.ServiceClient, token string, err error) {
	ctx = tenancy.System(ctx, "programs are the account's own, and written by verbs alone")
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, token, err = AddClient(ctx, tx, s.Store.Now(), accountID, public, in)
		return err
	})
	return row, token, err
}

// AddClient is CreateClient within a transaction of the system's.
func AddClient(ctx context.Context, tx *store.Tx, now time.Time, accountID string, public bool, in ClientInput) (*ent.ServiceClient, string, error) {
	row := &ent.ServiceClient{AccountID: accountID, Public: public}
	if in.Name == nil {
		in.Name = new(string) // which is refused
	}
	if err := in.into(row); err != nil {
		return nil, "", err
	}
	plane, _ := place(accountID)
	token := ""
	create := tx.ServiceClient.Create().SetAccountID(accountID).SetPlane(serviceclient.Plane(plane)).SetPublic(public).
		SetName(row.Name).SetDescription(row.Description).SetStatus(row.Status).SetConsole(row.Console).SetCopilot(row.Copilot).
		SetPermissions(row.Permissions).SetRedirectUris(row.RedirectUris).SetClientCredentials(row.ClientCredentials).
		SetTokenExchange(row.TokenExchange).SetTrustedSubjects(row.TrustedSubjects)
	if v := tenancy.ViewerFrom(ctx); v != nil {
		create.SetCreatedBy(v.UserID)
	}
	if !public {
		token = newSecret()
		create.SetSecretHash(secret.Hash(token)).SetSecretHint(secret.Hint(token)).SetSecretAt(now)
	}
	row, err := create.Save(ctx)
	if err != nil {
		return nil, "", taken(err, *in.Name)
	}
	tx.Touch(accountID)
	return row, token, tx.Audit(ctx, about("serviceClient.create", accountID, row.ID, row.Name))
}

// UpdateClient changes a program; its tokens follow within a second.
func (s *Server) UpdateClient(ctx context.Context, clientID string, in ClientInput, expected *int) (*ent.ServiceClient, error) {
	var row *ent.ServiceClient
	err := s.changeClient(ctx, clientID, "serviceClient.update", func(ctx context.Context, tx *store.Tx, old *ent.ServiceClient) error {
		if expected != nil && *expected != old.Version {
			return stale(*expected, old.Version)
		}
		if err := in.into(old); err != nil {
			return err
		}
		var err error
		row, err = tx.ServiceClient.UpdateOneID(old.ID).Where(serviceclient.Version(old.Version)).
			SetName(old.Name).SetDescription(old.Description).SetStatus(old.Status).SetConsole(old.Console).SetCopilot(old.Copilot).
			SetPermissions(old.Permissions).SetRedirectUris(old.RedirectUris).SetClientCredentials(old.ClientCredentials).
			SetTokenExchange(old.TokenExchange).SetTrustedSubjects(old.TrustedSubjects).Save(ctx)
		if ent.IsNotFound(err) { // it was there a moment ago
			return stale(old.Version, old.Version+1)
		}
		return taken(err, old.Name)
	})
	return row, err
}

// stale is the Conflict of a row that has moved on.
func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}

// DeleteClient forgets a program and ends what people consented to.
func (s *Server) DeleteClient(ctx context.Context, clientID string) error {
	return s.changeClient(ctx, clientID, "serviceClient.delete", func(ctx context.Context, tx *store.Tx, old *ent.ServiceClient) error {
		err := tx.Authorization.Update().Where(authorization.ClientID(old.ID), authorization.RevokedAtIsNil()).SetRevokedAt(s.Store.Now()).Exec(ctx)
		if err != nil {
			return err
		}
		return tx.ServiceClient.DeleteOneID(old.ID).Exec(ctx)
	})
}

// RotateSecret makes a new secret; the one before works on for a while, for the
// programs that run with it.
func (s *Server) RotateSecret(ctx context.Context, clientID string, overlap time.Duration) (*ent.ServiceClient, string, error) {
	if overlap < 0 || overlap > 720*time.Hour {
		return nil, "", fault.At("overlapHours", "The secret before works on for 0 to 720 hours.")
	}
	token, now := newSecret(), s.Store.Now()
	var row *ent.ServiceClient
	err := s.changeClient(ctx, clientID, "serviceClient.secretRotate", func(ctx context.Context, tx *store.Tx, old *ent.ServiceClient) error {
		if old.Public {
			return fault.At("serviceClientId", "%s runs where no secret can be kept, so it has none.", old.Name)
		}
		update := tx.ServiceClient.UpdateOneID(old.ID).
			SetSecretHash(secret.Hash(token)).SetSecretHint(secret.Hint(token)).SetSecretAt(now)
		if overlap > 0 {
			update.SetPreviousSecretHash(old.SecretHash).SetPreviousSecretHint(old.SecretHint).SetPreviousSecretExpiresAt(now.Add(overlap))
		} else {
			update.SetPreviousSecretHash("").SetPreviousSecretHint("").ClearPreviousSecretExpiresAt()
		}
		var err error
		row, err = update.Save(ctx)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	return row, token, nil
}

func newSecret() string { return "cs_" + secret.Token() }

// changeClient runs one change of a program with its event, and tells every
// replica.
func (s *Server) changeClient(ctx context.Context, clientID, action string, change func(context.Context, *store.Tx, *ent.ServiceClient) error) error {
	ctx = tenancy.System(ctx, "programs are the account's own, and written by verbs alone")
	return s.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		old, err := tx.ServiceClient.Get(ctx, clientID)
		if ent.IsNotFound(err) {
			return fault.Missing("program")
		}
		if err != nil {
			return err
		}
		name := old.Name
		if err := change(ctx, tx, old); err != nil {
			return err
		}
		tx.Touch(old.AccountID)
		return tx.Audit(ctx, about(action, old.AccountID, old.ID, name))
	})
}

func taken(err error, name string) error {
	if store.IsConflict(err) {
		e := fault.At("name", "There is a program %s already. Choose another name.", name)
		e.Code = fault.Exists
		return e
	}
	return err
}

// into checks the input and writes it onto a program.
func (in ClientInput) into(c *ent.ServiceClient) error {
	if in.Name != nil {
		if c.Name = strings.TrimSpace(*in.Name); c.Name == "" || len(c.Name) > 120 {
			return fault.At("name", "A name has 1–120 characters.")
		}
	}
	if in.Description != nil {
		if c.Description = strings.TrimSpace(*in.Description); len(c.Description) > 500 {
			return fault.At("description", "A description has up to 500 characters.")
		}
	}
	if c.Status == "" {
		c.Status = serviceclient.StatusACTIVE
	}
	if in.Disabled != nil {
		c.Status = serviceclient.StatusACTIVE
		if *in.Disabled {
			c.Status = serviceclient.StatusDISABLED
		}
	}
	if in.Planes != nil {
		c.Console, c.Copilot = slices.Contains(in.Planes, tenancy.Console), slices.Contains(in.Planes, tenancy.Copilot)
	}
	if !c.Console && !c.Copilot {
		return fault.At("planes", "Choose at least one plane for it to act in.")
	}
	for _, flag := range []struct{ from, to *bool }{
		{in.ClientCredentials, &c.ClientCredentials}, {in.TokenExchange, &c.TokenExchange}, {in.TrustedSubjects, &c.TrustedSubjects},
	} {
		if flag.from != nil {
			*flag.to = *flag.from
		}
	}
	if err := in.permissions(c); err != nil {
		return err
	}
	if in.RedirectURIs != nil || c.RedirectUris == nil {
		if err := in.redirects(c); err != nil {
			return err
		}
	}
	switch {
	case c.Public && (c.ClientCredentials || c.TokenExchange || c.TrustedSubjects):
		return fault.At("public", "A public program has no secret, so it can act for people who consent and for nobody else.")
	case c.Public && len(c.RedirectUris) == 0:
		return fault.At("redirectUris", "A public program needs an address to send people back to: it can act for them no other way.")
	case c.TrustedSubjects && !c.TokenExchange:
		return fault.At("trustedSubjects", "To act for people whom it names, it must be allowed token exchange too.")
	}
	return nil
}

func (in ClientInput) permissions(c *ent.ServiceClient) error {
	if in.Permissions == nil && c.Permissions != nil {
		return nil
	}
	names, err := access.Narrow(in.Permissions)
	if err != nil {
		return err
	}
	if slices.Contains(names, "platform.manage") && c.AccountID != id.PlatformID {
		return fault.At("permissions", "platform.manage is for programs of the platform alone.")
	}
	c.Permissions = names
	return nil
}

const maxRedirects = 20

func (in ClientInput) redirects(c *ent.ServiceClient) error {
	c.RedirectUris = []string{}
	for _, raw := range in.RedirectURIs {
		if err := checkRedirect(raw); err != nil {
			return err
		}
		if !slices.Contains(c.RedirectUris, raw) {
			c.RedirectUris = append(c.RedirectUris, raw)
		}
	}
	if len(c.RedirectUris) > maxRedirects {
		return fault.At("redirectUris", "A program has at most %d addresses to send people back to.", maxRedirects)
	}
	return nil
}

// checkRedirect lets addresses through that people can be sent back to: they
// are compared letter by letter later.
func checkRedirect(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > 500 || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || strings.ContainsAny(raw, "\\ \t\r\n"):
		return fault.At("redirectUris", "%.80q isn't a whole address, such as https://app.example.com/callback.", raw)
	case u.User != nil || strings.Contains(raw, "#") || strings.Contains(raw, "*"):
		return fault.At("redirectUris", "%.80q has a user, a fragment or a wildcard. Give the exact address without them.", raw)
	case strings.HasPrefix(raw, "https://"):
		return nil
	case strings.HasPrefix(raw, "http://") && loopback(u.Hostname()):
		return nil
	}
	return fault.At("redirectUris", "%.80q must begin with https://; http:// goes to this machine alone (127.0.0.1, [::1], localhost).", raw)
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// client finds a program of an account, or of the platform, that is in use;
// nil where there is none.
func (s *Server) client(ctx context.Context, clientID string) (*ent.ServiceClient, error) {
	row, err := s.Store.ServiceClient.Get(ctx, clientID)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: program: %w", err)
	}
	return row, nil
}
