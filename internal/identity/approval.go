package identity

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/domain"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/secret"
	"github.com/alchemi/cockpit/internal/store"
)

var domainPattern = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$`)

// ApproveDomain takes an operator's word that a domain is the account's, whether
// the account claimed it before or not. One that another account has is refused.
func ApproveDomain(ctx context.Context, tx *store.Tx, now time.Time, accountID, name, reason string) (*ent.Domain, error) {
	name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".")
	if len(name) > 253 || !domainPattern.MatchString(name) {
		return nil, fault.At("domain", "Give a mail domain such as example.com; one with other letters in its xn-- form.")
	}
	reason, err := checkReason(reason, 1)
	if err != nil {
		return nil, err
	}
	a, err := customer(ctx, tx, accountID)
	if err != nil {
		return nil, err
	}
	if a.Status == account.StatusCLOSED {
		return nil, fault.New(fault.Invalid, "%s is closed; nothing of it can be changed.", a.Name)
	}
	d, err := tx.Domain.Query().Where(domain.AccountID(a.ID), domain.Name(name)).Only(ctx)
	if ent.IsNotFound(err) {
		d, err = tx.Domain.Create().SetAccountID(a.ID).SetPlane(domain.PlaneACCOUNT).SetName(name).SetToken(secret.Token()).Save(ctx)
	}
	if err != nil {
		return nil, err
	}
	if d.VerifiedName != nil {
		return nil, fault.At("domain", "%s is verified already.", name)
	}
	taken, err := tx.Domain.Query().Where(domain.VerifiedName(name)).Exist(ctx)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, domainTaken(name)
	}
	d, err = d.Update().SetVerifiedName(name).SetVerifiedBy(domain.VerifiedByOPERATOR).SetVerifiedAt(now).SetCheckError("").Save(ctx)
	if store.IsConflict(err) {
		return nil, domainTaken(name)
	}
	if err != nil {
		return nil, err
	}
	tx.Touch(a.ID)
	e, p := ofAccount("domain.approve", a), ofPlatform("domain.approve", a)
	e.TargetID, e.TargetName, e.Reason = d.ID, name, reason
	p.TargetID, p.TargetName, p.Reason = d.ID, name+" for "+a.Name, reason
	if err := tx.Audit(ctx, e); err != nil {
		return nil, err
	}
	return d, tx.Audit(ctx, p)
}

func domainTaken(name string) error {
	e := fault.At("domain", "Another account has %s. It must give the domain up first.", name)
	e.Code = fault.Exists
	return e
}
