package oauth

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/personaltoken"
	"github.com/alchemi/cockpit/ent/serviceclient"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Bearers tells who an access token or a personal token stands for.
type Bearers struct {
	store  *store.Store
	epochs *store.Epochs
	signer *signer
	uses   *uses

	mu     sync.RWMutex
	cached map[string]*bearer
}

// bearer is what a token stood for at the epochs of its account and, for a
// program of the platform, of the platform.
type bearer struct {
	viewer          *tenancy.Viewer
	epoch, platform int64
	ofPlatform      bool
	expires         time.Time
	used            []*use
	// defaults are the person's default seats; timeZone is their account's.
	defaults []string
	timeZone string
}

// maxCached bounds the tokens kept in memory; the whole cache is dropped when
// it is full, which costs each a look-up.
const maxCached = 100_000

// ErrBearer refuses a token that was never given out, has expired or was
// revoked, alike.
var ErrBearer = fault.New(fault.Unauthenticated, "The token is unknown, expired or revoked. Get a new one from /oauth/token, or make a personal one in Cockpit.")

// Viewer tells who a token stands for now. What it caches falls with the
// account's epoch and ends the instant the token does.
func (b *Bearers) Viewer(ctx context.Context, token string) (*tenancy.Viewer, error) {
	found, err := b.look(ctx, token)
	if err != nil {
		return nil, err
	}
	return found.viewer, nil
}

type boundKey struct{}

type bound struct {
	token   string
	expires time.Time
}

// Bind gives a request or connection the viewer of its token.
func (b *Bearers) Bind(ctx context.Context, token string) (context.Context, error) {
	found, err := b.look(ctx, token)
	if err != nil {
		return ctx, err
	}
	return context.WithValue(tenancy.WithViewer(ctx, found.viewer), boundKey{}, bound{token, found.expires}), nil
}

// Bound tells whether the context's viewer is the bearer of a token, and when
// that one ends.
func Bound(ctx context.Context) (expires time.Time, ok bool) {
	is, ok := ctx.Value(boundKey{}).(bound)
	return is.expires, ok
}

// Present returns the context's viewer as their token stands now, nil when it
// has ended; long-lived connections ask it before they deliver.
func (b *Bearers) Present(ctx context.Context) *tenancy.Viewer {
	is, ok := ctx.Value(boundKey{}).(bound)
	if !ok {
		return nil
	}
	v, err := b.Viewer(ctx, is.token)
	if err != nil {
		return nil
	}
	return v
}

func (b *Bearers) look(ctx context.Context, token string) (*bearer, error) {
	if !b.epochs.Fresh() {
		return nil, identity.ErrStale
	}
	hash, now := secret.Hash(token), b.store.Now()
	b.mu.RLock()
	found := b.cached[hash]
	b.mu.RUnlock()
	if found == nil || !b.current(found) {
		var err error
		if found, err = b.load(tenancy.System(ctx, "a bearer is looked up before there is a viewer"), token, now); err != nil {
			return nil, err
		}
		b.mu.Lock()
		if len(b.cached) >= maxCached {
			clear(b.cached)
		}
		b.cached[hash] = found
		b.mu.Unlock()
	}
	if !now.Before(found.expires) {
		return nil, ErrBearer
	}
	b.uses.note(now, found.used)
	return found, nil
}

// current tells whether nothing that a bearer depends on has changed since.
func (b *Bearers) current(found *bearer) bool {
	return found.epoch == b.epochs.Of(found.viewer.AccountID) &&
		(!found.ofPlatform || found.platform == b.epochs.Of(id.PlatformID))
}

func (b *Bearers) load(ctx context.Context, token string, now time.Time) (*bearer, error) {
	if strings.HasPrefix(token, PersonalPrefix) {
		return b.personal(ctx, secret.Hash(token))
	}
	c, ok := b.signer.verify(token, now)
	if !ok {
		return nil, ErrBearer
	}
	// The epochs come before the rows that they vouch for.
	out := &bearer{epoch: b.epochs.Of(c.Account), platform: b.epochs.Of(id.PlatformID), expires: time.Unix(c.Expires, 0)}
	client, err := b.store.ServiceClient.Get(ctx, c.ClientID)
	if ent.IsNotFound(err) {
		return nil, ErrBearer
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: bearer's program: %w", err)
	}
	out.ofPlatform = client.AccountID == id.PlatformID
	if client.Status != serviceclient.StatusACTIVE || (client.AccountID != c.Account && !out.ofPlatform) {
		return nil, ErrBearer
	}
	a, err := b.openAccount(ctx, c.Account)
	if err != nil {
		return nil, err
	}
	out.timeZone = a.TimeZone
	out.used = []*use{{table: serviceclient.Table, id: client.ID}}
	if c.Subject == client.ID {
		if !client.ClientCredentials || client.AccountID != c.Account {
			return nil, ErrBearer
		}
		out.viewer = &tenancy.Viewer{Kind: tenancy.ClientViewer, AccountID: c.Account, Name: client.Name, Platform: out.ofPlatform}
		if out.viewer.Roles, err = ownRoles(ctx, b.store, client); err != nil {
			return nil, err
		}
		if out.viewer.Off, err = identity.Unused(ctx, b.store.Client, c.Account); err != nil {
			return nil, err
		}
		out.viewer.Roles = slices.DeleteFunc(out.viewer.Roles, func(r tenancy.Role) bool { return slices.Contains(out.viewer.Off, r.Plane) })
		out.viewer.Reach = tenancy.ReachOf(c.Account, out.viewer.Roles)
	} else if err := b.person(ctx, out, a, client, c); err != nil {
		return nil, err
	}
	v := out.viewer
	v.ClientID, v.ClientName, v.Epoch, v.Until = client.ID, client.Name, out.epoch, out.expires
	v.Narrowed, v.Permissions = true, common(strings.Fields(c.Scope), client.Permissions)
	return out, b.seats(ctx, out)
}

// person makes a bearer the person that its program acts for.
func (b *Bearers) person(ctx context.Context, out *bearer, a *ent.Account, client *ent.ServiceClient, c claims) error {
	switch {
	case c.Authorization != "":
		row, err := b.store.Authorization.Get(ctx, c.Authorization)
		if ent.IsNotFound(err) {
			return ErrBearer
		}
		if err != nil {
			return fmt.Errorf("oauth: bearer's consent: %w", err)
		}
		if row.RevokedAt != nil || row.ClientID != client.ID || row.UserID != c.Subject {
			return ErrBearer
		}
		if err := b.vouched(ctx, a, c.Subject); err != nil {
			return err
		}
		out.used = append(out.used, &use{table: "authorizations", id: row.ID})
	default:
		if err := b.exchanged(ctx, client, c); err != nil {
			return err
		}
	}
	u, err := b.store.User.Get(ctx, c.Subject)
	if ent.IsNotFound(err) {
		return ErrBearer
	}
	if err != nil {
		return fmt.Errorf("oauth: bearer's user: %w", err)
	}
	if u.AccountID != c.Account || u.Status != user.StatusACTIVE {
		return ErrBearer
	}
	if out.viewer, err = identity.ViewerOf(ctx, b.store.Client, u); err != nil {
		return err
	}
	out.viewer.AuthorizationID = c.Authorization
	return within(ctx, b.store, out.viewer, client)
}

// exchanged refuses a token whose program may not exchange any more what it was
// given out for, or whose provider isn't what it was then.
func (b *Bearers) exchanged(ctx context.Context, client *ent.ServiceClient, c claims) error {
	switch {
	case c.Exchanged == nil || !client.TokenExchange:
		return ErrBearer
	case c.Exchanged.By == byName && client.TrustedSubjects:
		return nil
	case c.Exchanged.By != byProvider:
		return ErrBearer
	}
	p, err := b.store.IdentityProvider.Query().Where(identityprovider.ID(c.Exchanged.Provider), identityprovider.AccountID(c.Account),
		identityprovider.StatusEQ(identityprovider.StatusACTIVE)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return fmt.Errorf("oauth: bearer's identity provider: %w", err)
	}
	if err != nil || *exchangedBy(p) != *c.Exchanged {
		return ErrBearer
	}
	return nil
}

// personal reads a personal token: the person themselves, in all their roles.
func (b *Bearers) personal(ctx context.Context, hash string) (*bearer, error) {
	found, err := b.store.PersonalToken.Query().Where(personaltoken.TokenHash(hash)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, ErrBearer
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: personal token: %w", err)
	}
	out := &bearer{epoch: b.epochs.Of(found.AccountID), expires: found.ExpiresAt, used: []*use{{table: personaltoken.Table, id: found.ID}}}
	row, err := b.store.PersonalToken.Query().Where(personaltoken.ID(found.ID)).WithUser().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("oauth: personal token: %w", err)
	}
	u := row.Edges.User
	if row.RevokedAt != nil || u.Status != user.StatusACTIVE {
		return nil, ErrBearer
	}
	a, err := b.openAccount(ctx, row.AccountID)
	if err != nil {
		return nil, err
	}
	out.timeZone = a.TimeZone
	if err := b.vouched(ctx, a, u.ID); err != nil {
		return nil, err
	}
	if out.viewer, err = identity.ViewerOf(ctx, b.store.Client, u); err != nil {
		return nil, err
	}
	v := out.viewer
	v.TokenID, v.TokenName, v.Epoch, v.Until = row.ID, row.Name, out.epoch, out.expires
	v.Narrowed, v.Permissions = true, common(row.Permissions, row.Permissions)
	return out, b.seats(ctx, out)
}

// openAccount is the account of a bearer; one that isn't active refuses it.
func (b *Bearers) openAccount(ctx context.Context, accountID string) (*ent.Account, error) {
	a, err := b.store.Account.Get(ctx, accountID)
	if ent.IsNotFound(err) {
		return nil, ErrBearer
	}
	if err != nil {
		return nil, fmt.Errorf("oauth: bearer's account: %w", err)
	}
	if a.Status != account.StatusACTIVE {
		return nil, ErrBearer
	}
	return a, nil
}

// vouched refuses what a person made by a password where that opens nothing any
// more: sessions end so, too.
func (b *Bearers) vouched(ctx context.Context, a *ent.Account, userID string) error {
	ok, err := identity.Vouched(ctx, b.store.Client, a, userID)
	if err == nil && !ok {
		err = ErrBearer
	}
	return err
}
