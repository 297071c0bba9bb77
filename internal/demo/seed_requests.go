package demo

import (
	"context"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// request is somebody's wish for more budget, days before the story ends.
type request struct {
	of             tenant
	who, what      string
	kind, waitKind scope.Kind
	plane          tenancy.Plane
	waitsAt        string
	amount         money.Nano
	days           int // how long it shall be; 0: for good
	ago            time.Duration
	reason         string
	// granted is what the account's admin gave; 0: it still waits.
	granted money.Nano
	note    string
}

var requests = []request{
	{of: acme, who: "Nina Petersen", what: "Nina Petersen", kind: scope.KindMEMBER, plane: tenancy.Console, waitsAt: "Banking", waitKind: scope.KindORGANIZATION,
		amount: 25 * money.One, ago: 3 * time.Hour, reason: "Month-end reconciliation: I have used up my limit and about 400 statements are left."},
	{of: acme, who: teamAdmin, what: "Fraud", kind: scope.KindTEAM, plane: tenancy.Console, waitsAt: "Banking", waitKind: scope.KindORGANIZATION,
		amount: 60 * money.One, days: 14, ago: 26 * time.Hour, reason: "The new card scheme goes live on Monday; we score twice the traffic for two weeks."},
	{of: globex, who: globexAdmin, what: "Copilot", kind: scope.KindCOPILOT, plane: tenancy.Copilot, waitKind: scope.KindPLATFORM,
		amount: 5_000 * money.One, ago: 5 * time.Hour, reason: "Our Chicago branch joins in December: about 20 people more. At what the others use, our credits would be gone by the 20th."},
	{of: acme, who: member, what: member, kind: scope.KindMEMBER, plane: tenancy.Console, waitsAt: "Banking", waitKind: scope.KindORGANIZATION,
		amount: 40 * money.One, ago: 9 * 24 * time.Hour, reason: "Trying the large model on the stress test reports.",
		granted: 20 * money.One, note: "Half of it for the pilot. Show me the results, then we talk about the rest."},
}

// asks leaves requests for more budget: two that wait for admins and one that
// waits for the platform, one that was decided.
func (s *seeder) asks(ctx context.Context) error {
	for _, r := range requests {
		a, err := s.tx.Account.Query().Where(account.Slug(r.of.slug)).Only(ctx)
		if err != nil {
			return err
		}
		if err := s.ask(ctx, a, r); err != nil {
			return err
		}
	}
	return nil
}

func (s *seeder) ask(ctx context.Context, a *ent.Account, r request) error {
	s.now = s.Now.UTC().Add(-r.ago)
	find := func(kind scope.Kind, name string) (*ent.Scope, error) {
		return s.tx.Scope.Query().Where(scope.AccountID(a.ID), scope.PlaneEQ(scope.Plane(r.plane)), scope.KindEQ(kind), scope.Name(name), scope.DeletedAtIsNil()).
			Order(ent.Asc(scope.FieldID)).First(ctx)
	}
	at, err := find(r.kind, r.what)
	if err != nil {
		return err
	}
	waits, err := s.tx.Scope.Get(ctx, id.PlatformID)
	if r.waitKind != scope.KindPLATFORM {
		waits, err = find(r.waitKind, r.waitsAt)
	}
	if err != nil {
		return err
	}
	people := map[string]*ent.User{}
	names := []string{r.who}
	if r.granted > 0 {
		names = append(names, orgAdmin)
	}
	for _, name := range names {
		if people[name], err = s.tx.User.Query().Where(user.AccountID(a.ID), user.Email(email(name, r.of.domain))).Only(ctx); err != nil {
			return err
		}
	}
	row := s.tx.Request.Create().SetID(id.At(id.InboxRequest, s.now)).SetAccountID(a.ID).SetPlane(entrequest.Plane(r.plane)).
		SetScopeID(at.ID).SetRequestedBy(people[r.who].ID).SetAmount(int64(r.amount)).SetReason(r.reason).SetWaitsAt(waits.ID).SetCreatedAt(s.now)
	if r.days > 0 {
		row.SetUntil(s.Now.UTC().Truncate(24*time.Hour).AddDate(0, 0, r.days))
	}
	tell := func(action string, by *ent.User, amount money.Nano) error {
		return s.tx.Audit(as(ctx, by), audit.Event{Action: action, AccountID: a.ID, Plane: r.plane, ScopeID: at.ID, ScopePath: at.Path, TargetID: at.ID, TargetName: at.Name,
			Changes: map[string]audit.Change{"amount": {After: amount.String()}}})
	}
	if err := tell("request.create", people[r.who], r.amount); err != nil {
		return err
	}
	if r.granted > 0 {
		s.pass(5 * time.Hour)
		row.SetStatus(entrequest.StatusAPPROVED).SetDecidedBy(people[orgAdmin].ID).SetDecidedAt(s.now).SetGranted(int64(r.granted)).SetNote(r.note)
		if err := tell("request.approve", people[orgAdmin], r.granted); err != nil {
			return err
		}
	}
	return row.Exec(ctx)
}
