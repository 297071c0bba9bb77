package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"log/slog"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const (
	// MinBreakGlass is how many characters the operator's password needs at least.
	MinBreakGlass = 20
	// breakGlassLifetime is how long a break-glass session lasts.
	breakGlassLifetime = time.Hour
	// breakGlassEmail marks the reserved user; nobody signs in by it.
	breakGlassEmail = "break-glass@cockpit.invalid"
	breakGlassName  = "Break-glass"
)

// breakGlass is the operator's way in when every admin is locked out. It rests
// on the configuration alone: on no login, no role and no user's status.
type breakGlass struct {
	sum [sha256.Size]byte
	// mark tells sessions of these credentials from those of earlier ones.
	mark string
	log  *slog.Logger
}

// AllowBreakGlass lets exactly this e-mail and password open the platform; it
// is called before the server answers.
func (s *Sessions) AllowBreakGlass(ctx context.Context, email, password string, log *slog.Logger) error {
	email, err := Email(email)
	if err != nil {
		return err
	}
	if len(password) < MinBreakGlass {
		return fault.At("password", "The break-glass password needs at least %d characters.", MinBreakGlass)
	}
	mark, err := derive(ctx, email+"\x00"+password, []byte("cockpit break-glass"))
	if err != nil {
		return err
	}
	s.breakGlass = &breakGlass{sum: sumOf(email, password), mark: base64.RawStdEncoding.EncodeToString(mark), log: log}
	return nil
}

func sumOf(email, password string) [sha256.Size]byte {
	return sha256.Sum256([]byte(email + "\x00" + password))
}

// opens compares in constant time. Whoever is wrong goes on to be refused like
// anybody else.
func (b *breakGlass) opens(email, password, accountID string) bool {
	if b == nil {
		return false
	}
	given := sumOf(email, password)
	return subtle.ConstantTimeCompare(given[:], b.sum[:]) == 1 && (accountID == "" || accountID == id.PlatformID)
}

// openBreakGlass opens a session for the reserved user, loudly.
func (s *Sessions) openBreakGlass(ctx context.Context, from Client) (*SignedIn, error) {
	token, now := secret.Token(), s.store.Now()
	open := func(ctx context.Context, tx *store.Tx) error {
		u, err := tx.User.Query().Where(user.AccountID(id.PlatformID), user.Email(breakGlassEmail)).Only(ctx)
		if ent.IsNotFound(err) {
			u, err = tx.User.Create().SetAccountID(id.PlatformID).SetPlane(user.PlanePLATFORM).
				SetEmail(breakGlassEmail).SetName(breakGlassName).Save(ctx)
		}
		if err != nil {
			return err
		}
		if err := tx.Session.Create().SetAccountID(id.PlatformID).SetPlane(session.PlanePLATFORM).SetUserID(u.ID).
			SetKind(session.KindBREAK_GLASS).SetRestsOn(s.breakGlass.mark).SetTokenHash(secret.Hash(token)).
			SetUserAgent(clip(from.UserAgent, 300)).SetIP(from.IP).SetLastSeenAt(now).SetExpiresAt(now.Add(breakGlassLifetime)).Exec(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "session.create", AccountID: id.PlatformID, Plane: tenancy.PlanePlatform,
			ScopeID: id.PlatformID, ScopePath: "/", TargetID: u.ID, TargetName: u.Name,
			Reason: "Signed in by the operator's break-glass credentials, from " + from.IP,
			Actor:  &audit.Actor{Kind: auditevent.ActorKindUSER, ID: u.ID, Name: u.Name}})
	}
	err := s.store.InTx(ctx, open)
	if store.IsConflict(err) { // another replica made the user meanwhile
		err = s.store.InTx(ctx, open)
	}
	if err != nil {
		return nil, fmt.Errorf("identity: break-glass: %w", err)
	}
	s.breakGlass.log.WarnContext(ctx, "somebody signed in by the break-glass credentials: change them once the emergency is over",
		"from", from.IP, "userAgent", clip(from.UserAgent, 300), "requestId", audit.RequestID(ctx))
	return s.signedIn(ctx, token)
}

// breaksGlass is the super admin of a session while its credentials are the
// configured ones.
func (s *Sessions) breaksGlass(row *ent.Session) (*tenancy.Viewer, error) {
	if s.breakGlass == nil || row.UserID == nil || subtle.ConstantTimeCompare([]byte(row.RestsOn), []byte(s.breakGlass.mark)) != 1 {
		return nil, ErrNoSession
	}
	return &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: id.PlatformID, UserID: *row.UserID, Name: breakGlassName, Platform: true,
		Roles: []tenancy.Role{{Role: tenancy.Admin, Plane: tenancy.PlanePlatform, Kind: tenancy.KindPlatform, ScopeID: id.PlatformID, Path: "/"}}}, nil
}
