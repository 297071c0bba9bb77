package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/session"
	"github.com/alchemi/cockpit/ent/supportaccess"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// SupportInput asks for a way into an account.
type SupportInput struct {
	AccountID, Reason string
	Minutes           int
	// Writes lets the staff change things, too.
	Writes bool
}

// openSupports is how many support accesses one person may have open at once.
const openSupports = 20

// supportPermissions is what staff is left with in somebody else's account:
// never what people alone may do, nothing of the platform's, and nothing that
// would let them back in once the visit is over.
func supportPermissions(writes bool) []string {
	out := []string{"audit.read", "profile", "read"}
	if writes {
		for name := range access.Permissions() {
			if strings.HasSuffix(name, ".manage") && !slices.Contains([]string{"platform.manage", "roles.manage", "keys.manage"}, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// StartSupport opens a support access and a session in it. The viewer's own
// session stays: the new one rests on it, and goes back to it. The caller has
// checked that the viewer may.
func (s *Sessions) StartSupport(ctx context.Context, v *tenancy.Viewer, in SupportInput, from Client) (*ent.SupportAccess, *SignedIn, error) {
	reason, err := checkReason(in.Reason, 10)
	if err != nil {
		return nil, nil, err
	}
	if in.Minutes < 5 || in.Minutes > 480 {
		return nil, nil, fault.At("minutes", "A support access lasts 5 to 480 minutes.")
	}
	if err := ownSession(v); err != nil {
		return nil, nil, err
	}
	ctx = tenancy.System(tenancy.WithViewer(ctx, v), "a support access lies in the account that it leads to")
	now, token := s.store.Now(), secret.Token()
	var opened *ent.SupportAccess
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		a, err := customer(ctx, tx, in.AccountID)
		if err != nil {
			return err
		}
		if a.Status != account.StatusACTIVE {
			return fault.New(fault.Invalid, "%s is %s: nobody enters it.", a.Name, strings.ToLower(string(a.Status)))
		}
		staff, err := tx.User.Get(ctx, v.UserID)
		if err != nil {
			return err
		}
		n, err := tx.SupportAccess.Query().Where(supportaccess.StaffID(staff.ID), supportaccess.EndedAtIsNil(), supportaccess.ExpiresAtGT(now)).Count(ctx)
		if err != nil {
			return err
		}
		if n >= openSupports {
			return fault.New(fault.Invalid, "You have %d support accesses open. End one first.", n)
		}
		opened, err = tx.SupportAccess.Create().SetAccountID(a.ID).SetPlane(supportaccess.PlaneACCOUNT).
			SetStaffID(staff.ID).SetStaffName(staff.Name).SetStaffEmail(staff.Email).SetReason(reason).SetWrites(in.Writes).
			SetExpiresAt(now.Add(time.Duration(in.Minutes) * time.Minute)).Save(ctx)
		if err != nil {
			return err
		}
		if err := s.supportSession(ctx, tx, opened, v.SessionID, token, from); err != nil {
			return err
		}
		return tellSupport(ctx, tx, a, opened, "support.start")
	})
	if err != nil {
		return nil, nil, err
	}
	signed, err := s.signedIn(ctx, token)
	return opened, signed, err
}

// EnterSupport opens another session in a support access of the viewer's own
// that is still open; NOT_FOUND for any other.
func (s *Sessions) EnterSupport(ctx context.Context, v *tenancy.Viewer, supportID string, from Client) (*ent.SupportAccess, *SignedIn, error) {
	if err := ownSession(v); err != nil {
		return nil, nil, err
	}
	ctx = tenancy.System(tenancy.WithViewer(ctx, v), "a support access lies in the account that it leads to")
	token := secret.Token()
	var row *ent.SupportAccess
	err := s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		row, err = tx.SupportAccess.Query().Where(supportaccess.ID(supportID), supportaccess.StaffID(v.UserID),
			supportaccess.EndedAtIsNil(), supportaccess.ExpiresAtGT(s.store.Now())).Only(ctx)
		if err != nil {
			return absent(err, "open support access")
		}
		a, err := tx.Account.Get(ctx, row.AccountID)
		if err != nil {
			return err
		}
		if a.Status != account.StatusACTIVE {
			return fault.New(fault.Invalid, "%s is %s: nobody enters it.", a.Name, strings.ToLower(string(a.Status)))
		}
		if err := s.supportSession(ctx, tx, row, v.SessionID, token, from); err != nil {
			return err
		}
		return tellSupport(ctx, tx, a, row, "support.enter")
	})
	if err != nil {
		return nil, nil, err
	}
	signed, err := s.signedIn(ctx, token)
	return row, signed, err
}

// EndSupport ends a support access on every replica. Whoever is in it gets the
// platform's session back that they came from, under a new token; others get
// nothing. The caller has checked that the viewer may.
func (s *Sessions) EndSupport(ctx context.Context, v *tenancy.Viewer, supportID string, from Client) (*ent.SupportAccess, *SignedIn, error) {
	ctx = tenancy.System(tenancy.WithViewer(ctx, v), "a support access lies in the account that it leads to")
	now, token := s.store.Now(), ""
	var row *ent.SupportAccess
	err := s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		token = ""
		if row, err = tx.SupportAccess.Get(ctx, supportID); err != nil {
			return absent(err, "support access")
		}
		a, err := tx.Account.Get(ctx, row.AccountID)
		if err != nil {
			return err
		}
		if row.EndedAt != nil || !now.Before(row.ExpiresAt) {
			return fault.At("supportAccessId", "That support access is over already.")
		}
		if row, err = row.Update().SetEndedAt(now).SetEndedByName(v.Name).Save(ctx); err != nil {
			return err
		}
		if err := tx.Session.Update().Where(session.SupportAccessID(row.ID), session.RevokedAtIsNil()).SetRevokedAt(now).Exec(ctx); err != nil {
			return err
		}
		if v.SupportID == row.ID {
			inside, err := tx.Session.Get(ctx, v.SessionID)
			if err != nil {
				return err
			}
			if token, err = s.giveBack(ctx, tx, inside, row, from); err != nil {
				return err
			}
		}
		return tellSupport(ctx, tx, a, row, "support.end")
	})
	if err != nil || token == "" {
		return row, nil, err
	}
	signed, err := s.signedIn(ctx, token)
	return row, signed, err
}

// ownSession refuses those who aren't at the cockpit themselves.
func ownSession(v *tenancy.Viewer) error {
	if !v.Platform || v.SessionID == "" || v.SupportID != "" {
		return fault.New(fault.Forbidden, "Only super admins, signed in at the cockpit, enter an account.")
	}
	return nil
}

// supportSession opens a session in a support access that lasts no longer than
// the one it rests on.
func (s *Sessions) supportSession(ctx context.Context, tx *store.Tx, a *ent.SupportAccess, restsOn, token string, from Client) error {
	base, err := tx.Session.Get(ctx, restsOn)
	if err != nil {
		return absent(err, "session")
	}
	until := a.ExpiresAt
	if base.ExpiresAt.Before(until) {
		until = base.ExpiresAt
	}
	return tx.Session.Create().SetAccountID(a.AccountID).SetPlane(session.PlaneACCOUNT).SetSupportAccessID(a.ID).
		SetKind(session.KindSUPPORT).SetRestsOn(restsOn).SetTokenHash(secret.Hash(token)).
		SetUserAgent(clip(from.UserAgent, 300)).SetIP(from.IP).SetLastSeenAt(s.store.Now()).SetExpiresAt(until).Exec(ctx)
}

// giveBack replaces the session that a support session rests on by one alike
// under a new token, which lasts no longer. The token is empty when that one is
// over.
func (s *Sessions) giveBack(ctx context.Context, tx *store.Tx, row *ent.Session, staff *ent.SupportAccess, from Client) (token string, err error) {
	now := s.store.Now()
	base, err := tx.Session.Query().Where(session.ID(row.RestsOn), session.RevokedAtIsNil(), session.ExpiresAtGT(now)).Only(ctx)
	if ent.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	platform, err := tx.Account.Get(ctx, base.AccountID)
	if err != nil {
		return "", err
	}
	seen := base.LastSeenAt
	if row.LastSeenAt.After(seen) {
		seen = row.LastSeenAt
	}
	if !now.Before(endOf(base, platform)) || now.Sub(seen) > idleOf(platform) {
		return "", nil // it ended meanwhile, by itself
	}
	// Two requests may come with the same token: one of them gets it.
	if err := base.Update().Where(session.RevokedAtIsNil()).SetRevokedAt(now).Exec(ctx); ent.IsNotFound(err) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	tx.Touch(base.AccountID)
	token = secret.Token()
	err = tx.Session.Create().SetAccountID(base.AccountID).SetPlane(base.Plane).SetNillableUserID(base.UserID).
		SetKind(base.Kind).SetIdentityProviderID(base.IdentityProviderID).SetRestsOn(base.RestsOn).SetTokenHash(secret.Hash(token)).
		SetUserAgent(clip(from.UserAgent, 300)).SetIP(from.IP).SetCreatedAt(base.CreatedAt).SetLastSeenAt(now).SetExpiresAt(base.ExpiresAt).Exec(ctx)
	if err != nil {
		return "", err
	}
	return token, tx.Audit(ctx, audit.Event{Action: "session.create", AccountID: id.PlatformID, Plane: tenancy.PlanePlatform,
		ScopeID: id.PlatformID, ScopePath: "/", TargetID: staff.StaffID, TargetName: staff.StaffName, Reason: "Back from a support access that is over.",
		Actor: &audit.Actor{Kind: auditevent.ActorKindUSER, ID: staff.StaffID, Name: staff.StaffName}})
}

// Back gives those whose support access is over their own session back, by the
// token of the one that ended; nil for every other token. The request that
// brought it stays a signed-out one: it was meant for another account.
func (s *Sessions) Back(ctx context.Context, token string, from Client) (*SignedIn, error) {
	ctx = tenancy.System(ctx, "a session is looked up before there is a viewer")
	row, err := s.store.Session.Query().Where(session.TokenHash(secret.Hash(token)), session.KindEQ(session.KindSUPPORT)).WithSupportAccess().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("identity: support session: %w", err)
	}
	if a := row.Edges.SupportAccess; a.EndedAt == nil && s.store.Now().Before(a.ExpiresAt) && row.RevokedAt != nil {
		return nil, nil // signed out, by somebody who may
	}
	var fresh string
	err = s.store.InTx(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		fresh, err = s.giveBack(ctx, tx, row, row.Edges.SupportAccess, from)
		return err
	})
	if err != nil || fresh == "" {
		return nil, err
	}
	signed, err := s.signedIn(ctx, fresh)
	if fault.Is(err, fault.Unauthenticated) {
		return nil, nil
	}
	return signed, err
}

// signedIn tells whose a session is that was opened just now.
func (s *Sessions) signedIn(ctx context.Context, token string) (*SignedIn, error) {
	row, err := s.store.Session.Query().Where(session.TokenHash(secret.Hash(token))).WithUser().Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("identity: session: %w", err)
	}
	v, err := s.whose(ctx, row, s.store.Now())
	if err != nil {
		return nil, err
	}
	v.SessionID, v.Until = row.ID, row.ExpiresAt
	return &SignedIn{Token: token, Viewer: v}, nil
}

// whose tells who stands behind a session that is neither revoked nor over, and
// whether they still may. The row comes with its user.
func (s *Sessions) whose(ctx context.Context, row *ent.Session, now time.Time) (*tenancy.Viewer, error) {
	switch row.Kind {
	case session.KindSUPPORT:
		return s.inSupport(ctx, row, now)
	case session.KindBREAK_GLASS:
		return s.breaksGlass(row)
	}
	if u := row.Edges.User; u != nil && u.Status == user.StatusACTIVE {
		return ViewerOf(ctx, s.store.Client, u)
	}
	return nil, ErrNoSession
}

// inSupport is staff in an account: what its auditor sees, or its admin does,
// and never what people alone may do.
func (s *Sessions) inSupport(ctx context.Context, row *ent.Session, now time.Time) (*tenancy.Viewer, error) {
	a, err := s.store.SupportAccess.Get(ctx, *row.SupportAccessID)
	if err != nil {
		return nil, fmt.Errorf("identity: support access: %w", err)
	}
	base, err := s.store.Session.Query().Where(session.ID(row.RestsOn)).WithUser().Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("identity: session of the staff: %w", err)
	}
	if a.EndedAt != nil || !now.Before(a.ExpiresAt) || base == nil || base.RevokedAt != nil || !now.Before(base.ExpiresAt) {
		return nil, ErrNoSession
	}
	staff, err := s.whose(ctx, base, now)
	if err != nil {
		return nil, err
	}
	if staff.UserID != a.StaffID || !staff.Platform || !slices.ContainsFunc(staff.Roles, func(r tenancy.Role) bool {
		return r.Kind == tenancy.KindPlatform && r.Role == tenancy.Admin
	}) {
		return nil, ErrNoSession
	}
	role := tenancy.Role{Role: tenancy.Auditor, Plane: tenancy.PlaneAccount, Kind: tenancy.KindAccount, ScopeID: a.AccountID, Path: "/" + a.AccountID + "/"}
	if a.Writes {
		role.Role = tenancy.Admin
	}
	v := &tenancy.Viewer{Kind: tenancy.UserViewer, AccountID: a.AccountID, UserID: a.StaffID, Name: a.StaffName, SupportID: a.ID,
		Narrowed: true, Permissions: supportPermissions(a.Writes), Roles: []tenancy.Role{role}}
	v.Reach = tenancy.ReachOf(a.AccountID, v.Roles)
	v.Off, err = Unused(ctx, s.store.Client, a.AccountID)
	return v, err
}

// tellSupport writes an event into both logs, the account's and the platform's.
func tellSupport(ctx context.Context, tx *store.Tx, a *ent.Account, row *ent.SupportAccess, action string) error {
	for _, e := range []audit.Event{ofAccount(action, a), ofPlatform(action, a)} {
		e.TargetID, e.Reason = row.ID, row.Reason
		e.TargetName = fmt.Sprintf("%s in %s", row.StaffName, a.Name)
		if err := tx.Audit(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
