package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/key"
	"github.com/alchemi/cockpit/ent/keymodel"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// KeyInput describes a virtual key to make.
type KeyInput struct {
	Name     string
	Owner    *ent.Scope
	ModelIDs []string
	// RequestsPerMinute is 0 for no limit of the key's own.
	RequestsPerMinute int
	ExpiresAt         *time.Time
}

// CreateKey makes a key under its owner and returns it with its secret, which
// is stored hashed and never to be had again. The caller has checked that the
// viewer may, sets the key's budget if it gets one, and writes the audit event.
func CreateKey(ctx context.Context, tx *store.Tx, now time.Time, in KeyInput) (*ent.Key, *ent.Scope, string, error) {
	switch {
	case len(in.ModelIDs) == 0:
		return nil, nil, "", fault.At("modelIds", "Choose at least one model: a key without models can call nothing.")
	case len(in.ModelIDs) > 100:
		return nil, nil, "", fault.At("modelIds", "A key lists at most 100 models.")
	case in.RequestsPerMinute < 0 || in.RequestsPerMinute > 100_000:
		return nil, nil, "", fault.At("requestsPerMinute", "Requests per minute lie between 0 (no limit of its own) and 100,000.")
	case in.ExpiresAt != nil && !in.ExpiresAt.After(now):
		return nil, nil, "", fault.At("expiresAt", "The expiry must lie in the future.")
	case in.Owner.Kind == scope.KindKEY || in.Owner.Kind == scope.KindACCOUNT || in.Owner.Kind == scope.KindPLATFORM:
		return nil, nil, "", fault.At("ownerId", "A key belongs to a plane, an organization, a team or a member.")
	}
	ids := slices.Compact(slices.Sorted(slices.Values(in.ModelIDs)))
	n, err := tx.Model.Query().Where(model.IDIn(ids...), model.AccountID(in.Owner.AccountID), model.PlaneEQ(model.Plane(in.Owner.Plane))).Count(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	if n != len(ids) {
		e := fault.Missing("model")
		e.Path = []string{"modelIds"}
		return nil, nil, "", e
	}
	table, err := grant.Load(ctx, tx.Client, in.Owner.AccountID, tenancy.Plane(in.Owner.Plane), ids...)
	if err != nil {
		return nil, nil, "", err
	}
	for _, m := range ids {
		if v := table.Ask(m, in.Owner.Path, now); !v.Allowed() {
			return nil, nil, "", fault.At("modelIds", "A key can't call what its owner can't. %s", v.Reason()).With("rule", string(v.Rule))
		}
	}
	s, err := child(ctx, tx, in.Owner, scope.KindKEY, id.Key, in.Name)
	if err != nil {
		return nil, nil, "", err
	}
	head := "ck_" + strings.ToLower(string(in.Owner.Plane)) + "_"
	token := head + secret.Token()
	createdBy := ""
	if v := tenancy.ViewerFrom(ctx); v != nil {
		createdBy = v.UserID
	}
	k, err := tx.Key.Create().SetID(s.ID).SetAccountID(s.AccountID).SetPlane(key.Plane(s.Plane)).
		SetOwnerID(in.Owner.ID).SetTokenHash(secret.Hash(token)).SetPrefix(token[:len(head)+4]).
		SetRequestsPerMinute(in.RequestsPerMinute).SetNillableExpiresAt(in.ExpiresAt).SetCreatedBy(createdBy).Save(ctx)
	if err != nil {
		return nil, nil, "", err
	}
	for _, m := range ids {
		if err := tx.KeyModel.Create().SetAccountID(s.AccountID).SetPlane(keymodel.Plane(s.Plane)).
			SetKeyID(k.ID).SetModelID(m).Exec(ctx); err != nil {
			return nil, nil, "", err
		}
	}
	return k, s, token, nil
}

// Keys tells what a virtual key stands for.
type Keys struct {
	store  *store.Store
	epochs *store.Epochs
	mu     sync.RWMutex
	cached map[string]*Principal
	// followers of running calls, by account.
	followers map[string]map[*follower]bool
}

// follower is a running call that must end with its key.
type follower struct {
	token string
	ask   func(context.Context) error
	fall  func()
}

// Principal is who a gateway call is for, and what it may call.
type Principal struct {
	// Viewer has the key's account and the reach of its owner.
	Viewer *tenancy.Viewer
	KeyID  string
	Name   string
	Plane  tenancy.Plane
	// Path is the charge path: plane root … key.
	Path string
	// Ids of the path's scopes; empty where the key hangs higher.
	OrganizationID, TeamID, MemberID string
	// UserID is the person on the member seat that owns the key, if any.
	UserID            string
	ModelIDs          map[string]bool
	RequestsPerMinute int
	// TimeZone of the account, in which budget cycles begin.
	TimeZone string

	epoch   int64
	expires *time.Time
}

// NewKeys makes the one Keys of a server.
func NewKeys(st *store.Store, epochs *store.Epochs) *Keys {
	k := &Keys{store: st, epochs: epochs, cached: map[string]*Principal{}, followers: map[string]map[*follower]bool{}}
	epochs.OnChange(func(accountID string) { go k.recheck(accountID) })
	return k
}

// Follow calls fall once the key or token of a running call stands no longer,
// also while nothing happens on the call: ask tells, by an error of a user's.
// stop ends that.
func (k *Keys) Follow(p *Principal, token string, ask func(context.Context) error, fall func()) (stop func()) {
	f := &follower{token, ask, fall}
	account := p.Viewer.AccountID
	k.mu.Lock()
	if k.followers[account] == nil {
		k.followers[account] = map[*follower]bool{}
	}
	k.followers[account][f] = true
	k.mu.Unlock()
	expiry := time.AfterFunc(1<<62, fall)
	if until := p.Viewer.Until; !until.IsZero() {
		expiry.Reset(until.Sub(k.store.Now()))
	}
	if p.Viewer.Epoch != k.epochs.Of(account) { // it may have fallen before anybody followed
		go k.recheck(account)
	}
	return func() {
		expiry.Stop()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.followers[account], f)
		if len(k.followers[account]) == 0 {
			delete(k.followers, account)
		}
	}
}

// recheck ends the calls of an account whose keys and tokens have fallen; of all
// accounts when it's the platform's, whose programs act in each. Each credential
// is asked about once: the calls of one share what it says.
func (k *Keys) recheck(accountID string) {
	ctx := tenancy.System(context.Background(), "running calls end with their keys")
	k.mu.RLock()
	byToken := map[string][]*follower{}
	for account, calls := range k.followers {
		if account != accountID && accountID != id.PlatformID {
			continue
		}
		for f := range calls {
			byToken[f.token] = append(byToken[f.token], f)
		}
	}
	k.mu.RUnlock()
	for _, calls := range byToken {
		if err := calls[0].ask(ctx); !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Forbidden) {
			continue // it stands, or nobody can tell now: each call asks before it goes on
		}
		for _, f := range calls {
			go f.fall() // one that doesn't read must not keep the others
		}
	}
}

// ErrKey refuses a key that doesn't exist, has expired or was revoked, alike.
var ErrKey = fault.New(fault.Unauthenticated, "The API key is unknown, expired or revoked. Ask for a new one where you got it.")

// ErrStale refuses everybody while revocations can't be learned of.
var ErrStale = fault.New(fault.Unavailable, "The server can't check credentials at the moment. Try again in a few seconds.")

// Principal looks a key's secret up; what it caches falls with the account's
// epoch.
func (k *Keys) Principal(ctx context.Context, token string) (*Principal, error) {
	if !k.epochs.Fresh() {
		return nil, ErrStale
	}
	hash := secret.Hash(token)
	now := k.store.Now()
	k.mu.RLock()
	p := k.cached[hash]
	k.mu.RUnlock()
	if p == nil || p.epoch != k.epochs.Of(p.Viewer.AccountID) {
		var err error
		if p, err = k.load(ctx, hash); err != nil {
			return nil, err
		}
		k.mu.Lock()
		if len(k.cached) >= maxCached {
			clear(k.cached)
		}
		k.cached[hash] = p
		k.mu.Unlock()
	}
	if p.expires != nil && !now.Before(*p.expires) {
		return nil, ErrKey
	}
	return p, nil
}

func (k *Keys) load(ctx context.Context, hash string) (*Principal, error) {
	ctx = tenancy.System(ctx, "a key is looked up before there is a viewer")
	found, err := k.store.Key.Query().Where(key.TokenHash(hash)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, ErrKey
	}
	if err != nil {
		return nil, fmt.Errorf("identity: key: %w", err)
	}
	// The epoch comes before the rows that it vouches for.
	epoch := k.epochs.Of(found.AccountID)
	row, err := k.store.Key.Query().Where(key.ID(found.ID)).WithModels().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: key: %w", err)
	}
	s, err := k.store.Scope.Get(ctx, row.ID)
	if err != nil {
		return nil, fmt.Errorf("identity: key's scope: %w", err)
	}
	a, err := k.store.Account.Get(ctx, row.AccountID)
	if err != nil {
		return nil, fmt.Errorf("identity: key's account: %w", err)
	}
	p := &Principal{KeyID: row.ID, Name: s.Name, Plane: tenancy.Plane(row.Plane), Path: s.Path,
		ModelIDs: map[string]bool{}, RequestsPerMinute: row.RequestsPerMinute, TimeZone: a.TimeZone,
		epoch: epoch, expires: row.ExpiresAt}
	path := strings.Split(strings.Trim(s.Path, "/"), "/")
	ancestors, err := k.store.Scope.Query().Where(scope.IDIn(path...)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: key's path: %w", err)
	}
	refused := row.RevokedAt != nil || a.Status != account.StatusACTIVE ||
		(p.Plane == tenancy.Console && !a.Console) || (p.Plane == tenancy.Copilot && !a.Copilot)
	for _, n := range ancestors {
		refused = refused || n.ArchivedAt != nil
		switch n.Kind {
		case scope.KindORGANIZATION:
			p.OrganizationID = n.ID
		case scope.KindTEAM:
			p.TeamID = n.ID
		case scope.KindMEMBER:
			p.MemberID = n.ID
		}
	}
	if p.MemberID != "" && !refused { // a deleted seat has a node alone
		m, err := k.store.Member.Get(ctx, p.MemberID)
		if err != nil {
			return nil, fmt.Errorf("identity: key's member: %w", err)
		}
		u, err := k.store.User.Get(ctx, m.UserID)
		if err != nil {
			return nil, fmt.Errorf("identity: key's user: %w", err)
		}
		p.UserID = u.ID
		refused = refused || u.Status != user.StatusACTIVE
	}
	if refused {
		return nil, ErrKey
	}
	for _, m := range row.Edges.Models {
		p.ModelIDs[m.ModelID] = true
	}
	role := tenancy.Role{Role: tenancy.Seatholder, Plane: p.Plane, Kind: tenancy.KindKey, ScopeID: row.ID, Path: s.Path}
	var until time.Time
	if row.ExpiresAt != nil {
		until = *row.ExpiresAt
	}
	p.Viewer = &tenancy.Viewer{Kind: tenancy.KeyViewer, Until: until, AccountID: row.AccountID, UserID: p.UserID, Name: s.Name,
		KeyID: row.ID, Roles: []tenancy.Role{role}, Reach: tenancy.ReachOf(row.AccountID, []tenancy.Role{role}), Epoch: epoch}
	return p, nil
}

// Valid tells whether a principal from a moment ago still stands; long streams
// ask it.
func (k *Keys) Valid(p *Principal) bool {
	return k.epochs.Fresh() && (p.expires == nil || k.store.Now().Before(*p.expires)) &&
		p.epoch == k.epochs.Of(p.Viewer.AccountID)
}
