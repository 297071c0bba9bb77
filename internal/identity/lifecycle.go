package identity

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/supportaccess"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// AccountChange is what can be set of an account; nil stays.
type AccountChange struct {
	Name, TimeZone *string
	// IdleMinutes and LifetimeMinutes bound its people's sessions.
	IdleMinutes, LifetimeMinutes *int
	// RetentionDays is how long its audit events are kept; 0: for good.
	RetentionDays   *int
	ExpectedVersion *int
}

func (in *AccountChange) check() (err error) {
	if in.Name != nil {
		name, err := checkName(*in.Name)
		if err != nil {
			return err
		}
		in.Name = &name
	}
	if in.TimeZone != nil {
		if _, err = time.LoadLocation(*in.TimeZone); err != nil || *in.TimeZone == "Local" || *in.TimeZone == "" {
			return fault.At("timeZone", "%q isn't a time zone; give a name such as Europe/Berlin.", *in.TimeZone)
		}
	}
	if n := in.IdleMinutes; n != nil && (*n < 5 || *n > 43_200) {
		return fault.At("sessionIdleMinutes", "A session ends after 5 to 43,200 minutes without a request.")
	}
	if n := in.LifetimeMinutes; n != nil && (*n < 15 || *n > 129_600) {
		return fault.At("sessionLifetimeMinutes", "A session lasts 15 to 129,600 minutes.")
	}
	if n := in.RetentionDays; n != nil && *n != 0 && (*n < 30 || *n > 3650) {
		return fault.At("auditRetentionDays", "Audit events are kept for 30 to 3,650 days, or for good: 0.")
	}
	return nil
}

// UpdateAccount changes an account's settings. The caller has checked that the
// viewer may; the transaction is the system's.
func UpdateAccount(ctx context.Context, tx *store.Tx, accountID string, in AccountChange) (*ent.Account, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	a, err := tx.Account.Get(ctx, accountID)
	if err != nil {
		return nil, absent(err, "account")
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != a.Version {
		return nil, stale(*in.ExpectedVersion, a.Version)
	}
	if a.Status == account.StatusCLOSED {
		return nil, fault.New(fault.Invalid, "%s is closed; nothing of it can be changed.", a.Name)
	}
	set := a.Update()
	if in.Name != nil {
		set.SetName(*in.Name)
		if err := tx.Scope.UpdateOneID(a.ID).SetName(*in.Name).Exec(ctx); err != nil {
			return nil, err
		}
	}
	if in.TimeZone != nil {
		set.SetTimeZone(*in.TimeZone)
	}
	if in.IdleMinutes != nil {
		set.SetSessionIdleMinutes(*in.IdleMinutes)
	}
	if in.LifetimeMinutes != nil {
		set.SetSessionLifetimeMinutes(*in.LifetimeMinutes)
	}
	if in.RetentionDays != nil {
		set.SetAuditRetentionDays(*in.RetentionDays)
	}
	return change(ctx, tx, a, set, "account.update", "")
}

// SetPlanes switches an account's products on or off. What is switched off is
// refused and kept; what is on for the first time starts with its defaults.
func SetPlanes(ctx context.Context, tx *store.Tx, accountID string, planes []tenancy.Plane) (*ent.Account, error) {
	a, err := customer(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	console, copilot := slices.Contains(planes, tenancy.Console), slices.Contains(planes, tenancy.Copilot)
	switch {
	case !console && !copilot:
		return nil, fault.At("planes", "An account uses at least one product; to refuse it as a whole, suspend it.")
	case a.Status == account.StatusCLOSED:
		return nil, fault.New(fault.Invalid, "%s is closed; nothing of it can be changed.", a.Name)
	}
	for _, p := range products {
		if !slices.Contains(planes, p.plane) {
			continue
		}
		rooted, err := tx.Scope.Query().Where(scope.AccountID(a.ID), scope.KindEQ(scope.Kind(p.plane))).Exist(ctx)
		if err != nil {
			return nil, err
		}
		if !rooted {
			if err := createPlane(ctx, tx, a, p.plane, p.prefix, p.name); err != nil {
				return nil, err
			}
		}
	}
	return change(ctx, tx, a, a.Update().SetConsole(console).SetCopilot(copilot), "account.planes", "")
}

// SetDispatch says whether an account's calls go out only once the database has
// what they hold. Replicas learn of it with the account's epoch.
func SetDispatch(ctx context.Context, tx *store.Tx, accountID string, strict bool) (*ent.Account, error) {
	a, err := customer(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	if a.Status == account.StatusCLOSED {
		return nil, fault.New(fault.Invalid, "%s is closed; nothing of it can be changed.", a.Name)
	}
	return change(ctx, tx, a, a.Update().SetStrictDispatch(strict), "account.dispatch", "")
}

// Suspend refuses an account as a whole until it is resumed: sign-ins, tokens,
// keys, sockets and streams, on every replica within a second.
func Suspend(ctx context.Context, tx *store.Tx, accountID, reason string) (*ent.Account, error) {
	reason, err := checkReason(reason, 1)
	if err != nil {
		return nil, err
	}
	a, err := customer(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	if a.Status != account.StatusACTIVE {
		return nil, fault.New(fault.Invalid, "%s is %s already.", a.Name, strings.ToLower(string(a.Status)))
	}
	return change(ctx, tx, a, a.Update().SetStatus(account.StatusSUSPENDED).SetStatusReason(reason), "account.suspend", reason)
}

// Resume lets a suspended account be used again.
func Resume(ctx context.Context, tx *store.Tx, accountID string) (*ent.Account, error) {
	a, err := customer(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	switch a.Status {
	case account.StatusACTIVE:
		return nil, fault.New(fault.Invalid, "%s isn't suspended.", a.Name)
	case account.StatusCLOSED:
		return nil, fault.New(fault.Invalid, "%s was closed for good. Make a new account instead.", a.Name)
	}
	return change(ctx, tx, a, a.Update().SetStatus(account.StatusACTIVE).SetStatusReason(""), "account.resume", "")
}

// Close ends an account for good, once its name was typed. It can be exported
// and deleted from then on.
func Close(ctx context.Context, tx *store.Tx, now time.Time, accountID, confirm, reason string) (*ent.Account, error) {
	reason, err := checkReason(reason, 1)
	if err != nil {
		return nil, err
	}
	a, err := customer(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	if a.Status == account.StatusCLOSED {
		return nil, fault.New(fault.Invalid, "%s is closed already.", a.Name)
	}
	if err := confirmed(a, confirm); err != nil {
		return nil, err
	}
	open, err := tx.SupportAccess.Query().Where(supportaccess.AccountID(a.ID), supportaccess.EndedAtIsNil(), supportaccess.ExpiresAtGT(now)).All(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range open {
		if s, err = s.Update().SetEndedAt(now).SetEndedByName(audit.ActorFrom(ctx).Name).Save(ctx); err != nil {
			return nil, err
		}
		if err := tellSupport(ctx, tx, a, s, "support.end"); err != nil {
			return nil, err
		}
	}
	return change(ctx, tx, a, a.Update().SetStatus(account.StatusCLOSED).SetStatusReason(reason).SetClosedAt(now), "account.close", reason)
}

// Delete marks a closed account for deletion, once its name was typed; an
// Eraser does the rest.
func Delete(ctx context.Context, tx *store.Tx, now time.Time, accountID, confirm string) (*ent.Account, error) {
	a, err := customer(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	switch {
	case a.Status != account.StatusCLOSED:
		return nil, fault.New(fault.Invalid, "Only a closed account is deleted. Close %s first, and let its admins export what they need before.", a.Name)
	case a.DeletingAt != nil:
		return nil, fault.New(fault.Invalid, "%s is deleted, or about to be.", a.Name)
	}
	if err := confirmed(a, confirm); err != nil {
		return nil, err
	}
	return change(ctx, tx, a, a.Update().SetDeletingAt(now), "account.delete", "")
}

// customer finds an account that isn't the platform's own.
func customer(ctx context.Context, tx *store.Tx, accountID string) (*ent.Account, error) {
	if accountID == id.PlatformID {
		return nil, fault.New(fault.Invalid, "That is the platform's own account.")
	}
	a, err := tx.Account.Get(ctx, accountID)
	return a, absent(err, "account")
}

func confirmed(a *ent.Account, typed string) error {
	if strings.TrimSpace(typed) == a.Name {
		return nil
	}
	return fault.At("confirm", "Type the account's name as it is: %s", a.Name)
}

func checkReason(reason string, least int) (string, error) {
	reason = strings.TrimSpace(reason)
	if n := len([]rune(reason)); n < least || n > 500 || len(reason) > 500 {
		return "", fault.At("reason", "Give a reason of %d–500 characters.", least)
	}
	return reason, nil
}

// change saves an account, unless somebody else was faster, and tells of it in
// its own audit log and, when the platform did it, in the platform's.
func change(ctx context.Context, tx *store.Tx, a *ent.Account, set *ent.AccountUpdateOne, action, reason string) (*ent.Account, error) {
	saved, err := set.Where(account.Version(a.Version)).Save(ctx)
	if ent.IsNotFound(err) {
		return nil, stale(a.Version, a.Version+1)
	}
	if err != nil {
		return nil, err
	}
	e := ofAccount(action, saved)
	e.Reason = reason
	if err := tx.Audit(ctx, e); err != nil {
		return nil, err
	}
	if v := tenancy.ViewerFrom(ctx); a.ID == id.PlatformID || (v != nil && !v.Platform) {
		return saved, nil
	}
	e = ofPlatform(action, saved)
	e.Reason = reason
	return saved, tx.Audit(ctx, e)
}

// ofAccount is an event about an account in its own log.
func ofAccount(action string, a *ent.Account) audit.Event {
	path := "/" + a.ID + "/"
	if a.ID == id.PlatformID {
		path = "/"
	}
	return audit.Event{Action: action, AccountID: a.ID, Plane: tenancy.Plane(a.Plane), ScopeID: a.ID, ScopePath: path,
		TargetID: a.ID, TargetName: a.Name}
}

// ofPlatform is an event about an account in the platform's log.
func ofPlatform(action string, a *ent.Account) audit.Event {
	return audit.Event{Action: action, AccountID: id.PlatformID, Plane: tenancy.PlanePlatform, ScopeID: id.PlatformID, ScopePath: "/",
		TargetID: a.ID, TargetName: a.Name}
}

// absent makes a user's error of a row that isn't there.
func absent(err error, noun string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(noun)
	}
	return err
}

// stale is the Conflict of a row that has moved on.
func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}
