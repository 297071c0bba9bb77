package identity

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/identityprovider"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/predicate"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// How long a session lasts where its account says nothing else, whatever
// happens, and without any request.
const (
	SessionLifetime = 7 * 24 * time.Hour
	SessionIdle     = 12 * time.Hour
)

// MaxSessionLifetime is the longest that an account may choose.
const MaxSessionLifetime = 90 * 24 * time.Hour

// Proof is how the person of a session proved who they are.
type Proof struct {
	Kind session.Kind
	// ProviderID names the identity provider of an SSO session.
	ProviderID string
	// passwordHash is what the password was compared with: it must still be the
	// login's when the session opens. Empty where none was.
	passwordHash string
	// instead is the session that this one takes the place of, which must stand.
	instead *tenancy.Viewer
}

// ByPassword is the proof of who knew the login's password.
var ByPassword = Proof{Kind: session.KindPASSWORD}

// Sessions signs people in and tells who a session token stands for.
type Sessions struct {
	store  *store.Store
	epochs *store.Epochs
	// refusals records failed sign-ins without a viewer.
	refusals *audit.Refusals
	// MailReset sends the link of a password reset; nil where no mail server is
	// set. It must not block.
	MailReset func(ctx context.Context, email, name, token string)
	resets    chan struct{}

	mu     sync.Mutex
	cached map[string]*cachedSession
	// attempts bounds guessing by e-mail and by address.
	attempts *Attempts
	// breakGlass is nil unless the operator set it.
	breakGlass *breakGlass
}

type cachedSession struct {
	viewer   *tenancy.Viewer
	epoch    int64
	platform int64 // the platform's epoch, which support sessions fall with too
	expires  time.Time
	lastSeen time.Time
}

// maxCached bounds the sessions and keys kept in memory; the whole cache is
// dropped when it is full, which costs each a look-up.
const maxCached = 100_000

// NewSessions makes the one Sessions of a server.
func NewSessions(st *store.Store, epochs *store.Epochs, refusals *audit.Refusals) *Sessions {
	return &Sessions{store: st, epochs: epochs, refusals: refusals, cached: map[string]*cachedSession{},
		resets: make(chan struct{}, maxResets), attempts: NewAttempts(st.Now)}
}

// Choice is an account that a login may go on in.
type Choice struct{ ID, Name, Slug string }

// Client is where a sign-in comes from.
type Client struct{ IP, UserAgent string }

// SignedIn is a new session, or the accounts to choose from.
type SignedIn struct {
	// Token is for the cookie alone; only its hash is stored.
	Token   string
	Viewer  *tenancy.Viewer
	Choices []Choice
}

var errSignIn = fault.New(fault.Invalid, "E-mail or password is wrong. Check both, or ask your account's admin.")

// SignIn checks e-mail and password. The answer doesn't tell an unknown e-mail
// from a wrong password. With users in several accounts and no accountID it
// returns the accounts to choose from.
func (s *Sessions) SignIn(ctx context.Context, email, password, accountID string, from Client) (*SignedIn, error) {
	ctx = tenancy.System(ctx, "sign-in looks for the login before there is a viewer")
	email, err := Email(email)
	if err != nil {
		return nil, err
	}
	giveBack, ok := s.attempt(email, from.IP)
	if !ok {
		return nil, errTooMany
	}
	if s.breakGlass.opens(email, password, accountID) {
		giveBack()
		return s.openBreakGlass(ctx, from)
	}
	l, err := s.store.Login.Query().Where(login.Email(email)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("identity: sign-in: %w", err)
	}
	hash := ""
	if l != nil {
		hash = l.PasswordHash
	}
	if ok, err = checkPassword(ctx, hash, password); err != nil {
		return nil, err
	}
	if !ok {
		return nil, s.refuse(ctx, email, "wrong e-mail or password")
	}
	giveBack()
	users, _, err := s.usersOf(ctx, l.ID)
	if err != nil {
		return nil, err
	}
	users, choices, err := s.byPassword(ctx, users)
	if err != nil {
		return nil, err
	}
	var chosen *ent.User
	for _, u := range users {
		if u.AccountID == accountID || (accountID == "" && len(users) == 1) {
			chosen = u
		}
	}
	switch {
	case chosen != nil:
		return s.Open(ctx, chosen, choices, Proof{Kind: session.KindPASSWORD, passwordHash: hash}, from)
	case len(users) == 0 || accountID != "":
		return nil, s.refuse(ctx, email, "no active user in an active account that takes passwords")
	}
	return &SignedIn{Choices: choices}, nil
}

// refuse records why, and tells the caller nothing of it.
func (s *Sessions) refuse(ctx context.Context, email, reason string) error {
	s.refusals.Record(ctx, audit.Event{Action: "session.create", Outcome: auditevent.OutcomeREFUSED,
		AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopeID: id.PlatformID, ScopePath: "/", TargetName: email,
		Reason: reason, Actor: &audit.Actor{Kind: auditevent.ActorKindANONYMOUS, Name: "Somebody"}})
	return errSignIn
}

// attempt takes one of an address's 10 attempts a minute, and one of a place's
// 60.
func (s *Sessions) attempt(email, ip string) (giveBack func(), ok bool) {
	giveBack, wait := s.attempts.Take(Allowance{"e " + email, 10}, Allowance{"a " + ip, 60})
	return giveBack, wait == 0
}

// usersOf lists the active users of a login in active accounts, at most 100.
func (s *Sessions) usersOf(ctx context.Context, loginID string) ([]*ent.User, []Choice, error) {
	users, err := s.store.User.Query().
		Where(user.LoginID(loginID), user.StatusEQ(user.StatusACTIVE)).Limit(100).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("identity: users of a login: %w", err)
	}
	accounts, err := s.accountsOf(ctx, users)
	if err != nil {
		return nil, nil, err
	}
	active := map[string]bool{}
	choices := make([]Choice, len(accounts))
	for i, a := range accounts {
		active[a.ID] = true
		choices[i] = Choice{a.ID, a.Name, a.Slug}
	}
	kept := users[:0]
	for _, u := range users {
		if active[u.AccountID] {
			kept = append(kept, u)
		}
	}
	return kept, choices, nil
}

// accountsOf lists the active accounts of users, in order of names.
func (s *Sessions) accountsOf(ctx context.Context, users []*ent.User) ([]*ent.Account, error) {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.AccountID
	}
	accounts, err := s.store.Account.Query().Where(account.IDIn(ids...), account.StatusEQ(account.StatusACTIVE)).
		Order(account.ByName()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: accounts of a login: %w", err)
	}
	return accounts, nil
}

// byPassword leaves out users whose account lets people in through an identity
// provider alone. Its admins stay: their password is the way back.
func (s *Sessions) byPassword(ctx context.Context, users []*ent.User) ([]*ent.User, []Choice, error) {
	accounts, err := s.accountsOf(ctx, users)
	if err != nil {
		return nil, nil, err
	}
	kept, choices := []*ent.User{}, []Choice{}
	for _, a := range accounts {
		u := users[slices.IndexFunc(users, func(u *ent.User) bool { return u.AccountID == a.ID })]
		admin := true
		if a.SSOEnforced {
			if admin, err = isAccountAdmin(ctx, s.store.Client, u); err != nil {
				return nil, nil, err
			}
		}
		if admin {
			kept, choices = append(kept, u), append(choices, Choice{a.ID, a.Name, a.Slug})
		}
	}
	return kept, choices, nil
}

// isAccountAdmin tells whether somebody is ADMIN of their whole account.
func isAccountAdmin(ctx context.Context, c *ent.Client, u *ent.User) (bool, error) {
	is, err := c.RoleBinding.Query().Where(rolebinding.UserID(u.ID), rolebinding.ScopeID(u.AccountID),
		rolebinding.RoleEQ(rolebinding.RoleADMIN)).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("identity: admins of the account: %w", err)
	}
	return is, nil
}

// Open gives a person a new session. The caller has seen the proof.
func (s *Sessions) Open(ctx context.Context, u *ent.User, choices []Choice, proof Proof, from Client) (*SignedIn, error) {
	ctx = tenancy.System(ctx, "a session is opened before there is a viewer")
	token := secret.Token()
	now := s.store.Now()
	plane, path := session.PlaneACCOUNT, "/"+u.AccountID+"/"
	if u.AccountID == id.PlatformID {
		plane, path = session.PlanePLATFORM, "/"
	}
	var row *ent.Session
	err := s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := proof.holds(ctx, tx, u); err != nil {
			return err
		}
		a, err := tx.Account.Get(ctx, u.AccountID)
		if err != nil {
			return err
		}
		row, err = tx.Session.Create().SetAccountID(u.AccountID).SetPlane(plane).SetUserID(u.ID).
			SetKind(proof.Kind).SetIdentityProviderID(proof.ProviderID).
			SetTokenHash(secret.Hash(token)).SetUserAgent(clip(from.UserAgent, 300)).SetIP(from.IP).
			SetLastSeenAt(now).SetExpiresAt(now.Add(time.Duration(a.SessionLifetimeMinutes) * time.Minute)).Save(ctx)
		if err != nil {
			return err
		}
		if err := signedIn(ctx, tx, s.store.Dialect, u.ID, now); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "session.create", AccountID: u.AccountID, Plane: tenancy.Plane(plane),
			ScopeID: u.AccountID, ScopePath: path, TargetID: u.ID, TargetName: u.Name, Changes: proof.changes(),
			Actor: &audit.Actor{Kind: auditevent.ActorKindUSER, ID: u.ID, Name: u.Name}})
	})
	if err != nil {
		return nil, fmt.Errorf("identity: session: %w", err)
	}
	v, err := ViewerOf(ctx, s.store.Client, u)
	if err != nil {
		return nil, err
	}
	v.SessionID, v.Until = row.ID, row.ExpiresAt
	return &SignedIn{Token: token, Viewer: v, Choices: choices}, nil
}

// changes tell the audit log how somebody signed in.
// holds asks again, within the session's transaction, for what may have changed
// since the proof was seen: a password that was just replaced opens nothing,
// and a session that has ended is no way into another account.
func (p Proof) holds(ctx context.Context, tx *store.Tx, u *ent.User) error {
	if p.passwordHash != "" {
		stands := false
		err := tx.Rows(ctx, "SELECT password_hash FROM logins WHERE id = ? FOR SHARE", []any{*u.LoginID}, func(rows *sql.Rows) error {
			var hash string
			err := rows.Scan(&hash)
			stands = hash == p.passwordHash
			return err
		})
		if err != nil {
			return err
		}
		if !stands {
			return errSignIn
		}
	}
	if p.instead == nil {
		return nil
	}
	n, err := tx.Session.Update().Where(session.ID(p.instead.SessionID), session.RevokedAtIsNil()).SetRevokedAt(tx.Now()).Save(ctx)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNoSession
	}
	return endedOwn(ctx, tx, p.instead)
}

func (p Proof) changes() map[string]audit.Change {
	out := map[string]audit.Change{"kind": {After: string(p.Kind)}}
	if p.ProviderID != "" {
		out["identityProvider"] = audit.Change{After: p.ProviderID}
	}
	return out
}

// signedIn keeps when somebody last signed in. It goes past ent: nothing that
// is cached depends on it, and a sign-in must not raise the account's epoch.
func signedIn(ctx context.Context, tx *store.Tx, dialect, userID string, now time.Time) error {
	query := "UPDATE users SET last_sign_in_at = ? WHERE id = ?"
	if dialect == store.Postgres {
		query = "UPDATE users SET last_sign_in_at = $1 WHERE id = $2"
	}
	_, err := tx.SQL().ExecContext(ctx, query, now, userID)
	return err
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// ErrNoSession says that a token stands for nobody (any more).
var ErrNoSession = fault.New(fault.Unauthenticated, "You are not signed in, or your session has ended. Sign in again.")

// Viewer tells who a session token stands for now. What it caches falls with
// the account's epoch, which every change of roles, users and sessions raises.
func (s *Sessions) Viewer(ctx context.Context, token string) (*tenancy.Viewer, error) {
	hash := secret.Hash(token)
	return s.look(ctx, hash, session.TokenHash(hash))
}

// Present returns the context's viewer as roles stand now, nil when the session
// has ended; long-lived connections ask it before they deliver. It reads the
// database once per epoch of the account.
func (s *Sessions) Present(ctx context.Context) *tenancy.Viewer {
	v := tenancy.ViewerFrom(ctx)
	if v == nil || v.SessionID == "" {
		return v
	}
	now, err := s.look(ctx, v.SessionID, session.ID(v.SessionID))
	if err != nil {
		return nil
	}
	return now
}

func (s *Sessions) look(ctx context.Context, key string, which predicate.Session) (*tenancy.Viewer, error) {
	if !s.epochs.Fresh() {
		return nil, ErrStale
	}
	now := s.store.Now()
	s.mu.Lock()
	c := s.cached[key]
	s.mu.Unlock()
	if c != nil && c.epoch == s.epochs.Of(c.viewer.AccountID) && (c.viewer.SupportID == "" || c.platform == s.epochs.Of(id.PlatformID)) && now.Before(c.expires) && now.Sub(c.lastSeen) < time.Minute {
		return c.viewer, nil
	}
	ctx = tenancy.System(ctx, "a session is looked up before there is a viewer")
	found, err := s.store.Session.Query().Where(which).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, fmt.Errorf("identity: session: %w", err)
	}
	// The epoch comes before the rows that it vouches for.
	epoch, platform := s.epochs.Of(found.AccountID), s.epochs.Of(id.PlatformID)
	row, err := s.store.Session.Query().Where(session.ID(found.ID)).WithUser().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: session: %w", err)
	}
	a, err := s.store.Account.Get(ctx, row.AccountID)
	if err != nil {
		return nil, fmt.Errorf("identity: session's account: %w", err)
	}
	ends := endOf(row, a)
	if row.RevokedAt != nil || !now.Before(ends) || now.Sub(row.LastSeenAt) > idleOf(a) || a.Status != account.StatusACTIVE {
		return nil, ErrNoSession
	}
	if row.Kind == session.KindSSO {
		// A session that was opened while its provider went ended with it.
		stands, err := s.store.IdentityProvider.Query().Where(identityprovider.ID(row.IdentityProviderID),
			identityprovider.AccountID(row.AccountID), identityprovider.StatusNEQ(identityprovider.StatusDISABLED)).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("identity: session's provider: %w", err)
		}
		if !stands {
			return nil, ErrNoSession
		}
	}
	if row.Kind == session.KindPASSWORD && a.SSOEnforced && row.Edges.User != nil {
		// A password is the way back of the account's admins, while they are that.
		admin, err := isAccountAdmin(ctx, s.store.Client, row.Edges.User)
		if err != nil {
			return nil, err
		}
		if !admin {
			return nil, ErrNoSession
		}
	}
	v, err := s.whose(ctx, row, now)
	if err != nil {
		return nil, err
	}
	v.SessionID, v.Epoch, v.Until = row.ID, epoch, ends
	if now.Sub(row.LastSeenAt) > time.Minute {
		err := s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.Session.UpdateOneID(row.ID).SetLastSeenAt(now).Exec(ctx)
		})
		if err != nil {
			return nil, fmt.Errorf("identity: session: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cached) >= maxCached {
		clear(s.cached)
	}
	s.cached[key] = &cachedSession{viewer: v, epoch: epoch, platform: platform, expires: ends, lastSeen: now}
	return v, nil
}

// endOf is when a session ends whatever happens: what was said when it was
// opened, or earlier where the account has since chosen shorter ones.
func endOf(row *ent.Session, a *ent.Account) time.Time {
	end := row.CreatedAt.Add(time.Duration(a.SessionLifetimeMinutes) * time.Minute)
	if row.ExpiresAt.Before(end) {
		return row.ExpiresAt
	}
	return end
}

func idleOf(a *ent.Account) time.Duration { return time.Duration(a.SessionIdleMinutes) * time.Minute }

// SignOut revokes the viewer's session on every replica.
func (s *Sessions) SignOut(ctx context.Context, v *tenancy.Viewer) error {
	ctx = tenancy.System(ctx, "a session is its own user's to end")
	return s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Session.UpdateOneID(v.SessionID).SetRevokedAt(s.store.Now()).Save(ctx)
		if err != nil {
			return err
		}
		tx.Touch(row.AccountID)
		if v.SupportID != "" { // signing out is from the platform, too
			tx.Touch(id.PlatformID)
			if err := tx.Session.Update().Where(session.ID(row.RestsOn)).SetRevokedAt(s.store.Now()).Exec(ctx); err != nil {
				return err
			}
		}
		return endedOwn(ctx, tx, v)
	})
}

// endedOwn tells that somebody ended their own session.
func endedOwn(ctx context.Context, tx *store.Tx, v *tenancy.Viewer) error {
	tx.Touch(v.AccountID)
	plane, path := tenancy.PlaneAccount, "/"+v.AccountID+"/"
	if v.Platform {
		plane, path = tenancy.PlanePlatform, "/"
	}
	return tx.Audit(ctx, audit.Event{Action: "session.end", AccountID: v.AccountID, Plane: plane,
		ScopeID: v.AccountID, ScopePath: path, TargetID: v.UserID, TargetName: v.Name})
}

// Switch ends the viewer's session and opens one in another account of the
// same login; NOT_FOUND where the login has no active user.
func (s *Sessions) Switch(ctx context.Context, v *tenancy.Viewer, accountID string, from Client) (*SignedIn, error) {
	if v.SupportID != "" {
		return nil, fault.New(fault.Forbidden, "End the support access first.")
	}
	sys := tenancy.System(ctx, "the login's other users lie in other accounts")
	u, err := s.store.User.Get(sys, v.UserID)
	if err != nil {
		return nil, fmt.Errorf("identity: switch: %w", err)
	}
	if u.LoginID == nil {
		return nil, fault.Missing("account")
	}
	users, choices, err := s.usersOf(sys, *u.LoginID)
	if err != nil {
		return nil, err
	}
	for _, other := range users {
		if other.AccountID != accountID {
			continue
		}
		if err := s.mayCross(sys, v, other); err != nil {
			return nil, err
		}
		return s.Open(ctx, other, choices, Proof{Kind: session.KindPASSWORD, instead: v}, from)
	}
	return nil, fault.Missing("account")
}

// mayCross refuses to go on in another account what only its own sign-in can
// begin: one account's identity provider proves nothing to another account,
// and an account that enforces single sign-on takes no other proof.
func (s *Sessions) mayCross(ctx context.Context, v *tenancy.Viewer, to *ent.User) error {
	row, err := s.store.Session.Get(ctx, v.SessionID)
	if err != nil {
		return fmt.Errorf("identity: switch: %w", err)
	}
	if row.Kind != session.KindPASSWORD {
		return fault.New(fault.Invalid, "You signed in through this account's identity provider, which other accounts don't know. Sign out, then sign in there.")
	}
	users, _, err := s.byPassword(ctx, []*ent.User{to})
	if err != nil {
		return err
	}
	if len(users) == 0 {
		return fault.New(fault.Invalid, "That account lets people in through its identity provider alone. Sign out, then sign in there with your e-mail address.")
	}
	return nil
}

// Accounts lists where the viewer's login may go on.
func (s *Sessions) Accounts(ctx context.Context, v *tenancy.Viewer) ([]Choice, error) {
	if v.SupportID != "" {
		return nil, nil // out of here leads the end of the access alone
	}
	ctx = tenancy.System(ctx, "the login's other users lie in other accounts")
	u, err := s.store.User.Get(ctx, v.UserID)
	if err != nil {
		return nil, fmt.Errorf("identity: accounts: %w", err)
	}
	if u.LoginID == nil {
		return nil, nil
	}
	_, choices, err := s.usersOf(ctx, *u.LoginID)
	return choices, err
}
