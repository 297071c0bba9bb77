package identity

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/login"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// AccountInput describes an account to make.
type AccountInput struct {
	Name, Slug, TimeZone string
	Console, Copilot     bool
}

var slugPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$`)

// CreatePlatform makes the reserved platform account if it doesn't exist yet.
// It runs at every start, on every replica.
func CreatePlatform(ctx context.Context, st *store.Store) error {
	ctx = tenancy.System(ctx, "the platform account is made at the first start")
	err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if n, err := tx.Account.Query().Where(account.ID(id.PlatformID)).Count(ctx); err != nil || n > 0 {
			return err
		}
		if err := tx.Scope.Create().SetID(id.PlatformID).SetAccountID(id.PlatformID).SetPlane(scope.PlanePLATFORM).
			SetKind(scope.KindPLATFORM).SetName("Platform").SetPath("/").Exec(ctx); err != nil {
			return err
		}
		if err := tx.Account.Create().SetID(id.PlatformID).SetAccountID(id.PlatformID).SetPlane(account.PlanePLATFORM).
			SetName("Platform").SetSlug("platform").SetConsole(false).SetCopilot(false).Exec(ctx); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.Event{Action: "platform.create", AccountID: id.PlatformID, Plane: tenancy.PlanePlatform,
			ScopeID: id.PlatformID, ScopePath: "/", TargetID: id.PlatformID, TargetName: "Platform"})
	})
	if store.IsConflict(err) {
		return nil // another replica was first
	}
	return err
}

// CreateAccount makes an account with its planes, each with the default
// organization Global and its default team Everyone. For super admins.
func CreateAccount(ctx context.Context, tx *store.Tx, in AccountInput) (*ent.Account, error) {
	if !slugPattern.MatchString(in.Slug) {
		return nil, fault.At("slug", "A name in addresses has 3–40 characters: a–z, 0–9 and hyphens, neither first nor last.")
	}
	name, err := checkName(in.Name)
	if err != nil {
		return nil, err
	}
	in.Name = name
	zone := in.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
		return nil, fault.At("timeZone", "%q isn't a time zone; give a name such as Europe/Berlin.", in.TimeZone)
	}
	accountID := id.New(id.Account)
	path := "/" + accountID + "/"
	if err := tx.Scope.Create().SetID(accountID).SetAccountID(accountID).SetPlane(scope.PlaneACCOUNT).
		SetKind(scope.KindACCOUNT).SetName(in.Name).SetPath(path).Exec(ctx); err != nil {
		return nil, err
	}
	a, err := tx.Account.Create().SetID(accountID).SetAccountID(accountID).SetPlane(account.PlaneACCOUNT).
		SetName(in.Name).SetSlug(in.Slug).SetTimeZone(zone).SetConsole(in.Console).SetCopilot(in.Copilot).Save(ctx)
	if store.IsConflict(err) {
		e := fault.At("slug", "The name %q is taken in addresses; choose another one.", in.Slug)
		e.Code = fault.Exists
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	for _, p := range products {
		if (p.plane == tenancy.Console && in.Console) || (p.plane == tenancy.Copilot && in.Copilot) {
			if err := createPlane(ctx, tx, a, p.plane, p.prefix, p.name); err != nil {
				return nil, err
			}
		}
	}
	return a, tx.Audit(ctx, audit.Event{Action: "account.create", AccountID: accountID, Plane: tenancy.PlaneAccount,
		ScopeID: accountID, ScopePath: path, TargetID: accountID, TargetName: in.Name})
}

// products are the planes that an account can use.
var products = []struct {
	plane  tenancy.Plane
	prefix id.Prefix
	name   string
}{{tenancy.Console, id.Console, "Console"}, {tenancy.Copilot, id.Copilot, "Copilot"}}

func createPlane(ctx context.Context, tx *store.Tx, a *ent.Account, plane tenancy.Plane, prefix id.Prefix, name string) error {
	rootID := id.New(prefix)
	root, err := tx.Scope.Create().SetID(rootID).SetAccountID(a.ID).SetPlane(scope.Plane(plane)).
		SetKind(scope.Kind(plane)).SetName(name).
		SetParentID(a.ID).SetParentPlane(scope.ParentPlaneACCOUNT).
		SetPath("/" + a.ID + "/" + rootID + "/").Save(ctx)
	if err != nil {
		return err
	}
	org, err := createOrganization(ctx, tx, root, "Global", "", true)
	if err != nil {
		return err
	}
	_, err = createTeam(ctx, tx, org, "Everyone", "", true)
	return err
}

// UserInput describes a person to add to an account.
type UserInput struct {
	AccountID, Email, Name string
	// PasswordHash is set on a login that is made here; an existing login keeps
	// its own, whatever is given.
	PasswordHash string
	// Proved is the address's login, where the person has shown that it is theirs.
	Proved *ent.Login
	// NewLogin refuses where the address has a login by now that nobody proved.
	NewLogin bool
}

var emailPattern = regexp.MustCompile(`^[^\s@<>"]+@[^\s@<>"]+\.[^\s@<>"]+$`)

// Email brings an address to the form it is stored in, or refuses it.
func Email(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if len(s) > 254 || !emailPattern.MatchString(s) {
		return "", fault.At("email", "%q isn't an e-mail address.", s)
	}
	return s, nil
}

// CreateUser adds a person to an account and links them to the login of their
// address; it makes one where there is none, and never changes one that exists.
// An existing login is somebody's who chose its password: whoever brings neither
// a password nor proof, such as a person that an identity provider speaks for,
// gets a user without a login.
func CreateUser(ctx context.Context, tx *store.Tx, in UserInput) (*ent.User, error) {
	email, err := Email(in.Email)
	if err != nil {
		return nil, err
	}
	name, err := checkName(in.Name)
	if err != nil {
		return nil, err
	}
	l := in.Proved
	if l == nil {
		l, err = tx.Login.Query().Where(login.Email(email)).Only(ctx)
		if ent.IsNotFound(err) {
			l, err = tx.Login.Create().SetAccountID(id.PlatformID).SetPlane(login.PlanePLATFORM).
				SetEmail(email).SetPasswordHash(in.PasswordHash).Save(ctx)
		} else if err == nil && in.NewLogin {
			err = fault.New(fault.Conflict, "Somebody with this address was added meanwhile. Try again.")
		} else if err == nil && in.PasswordHash == "" {
			l = nil
		}
		if err != nil {
			return nil, err
		}
	}
	var loginID *string
	if l != nil {
		loginID = &l.ID
	}
	plane, path := user.PlaneACCOUNT, "/"+in.AccountID+"/"
	if in.AccountID == id.PlatformID {
		plane, path = user.PlanePLATFORM, "/"
	}
	u, err := tx.User.Create().SetAccountID(in.AccountID).SetPlane(plane).SetNillableLoginID(loginID).
		SetEmail(email).SetName(name).Save(ctx)
	if store.IsConflict(err) {
		e := fault.At("email", "%s is a user of this account already.", email)
		e.Code = fault.Exists
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	return u, tx.Audit(ctx, audit.Event{Action: "user.create", AccountID: in.AccountID, Plane: tenancy.Plane(plane),
		ScopeID: in.AccountID, ScopePath: path, TargetID: u.ID, TargetName: u.Name})
}
