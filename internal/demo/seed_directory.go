package demo

import (
	"context"
	"errors"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Who came and went at Acme, besides those who work there.
const (
	archivedTeam   = "Trading desk 2019"
	archivedPerson = "Lena Vogt"
	secondTeam     = "Underwriting"
)

// comings tells, at the story's end, of a team that was archived, somebody who
// left, somebody with two seats, and invitations that wait or have expired.
func (s *seeder) comings(ctx context.Context) error {
	a, err := s.tx.Account.Query().Where(account.Slug(acme.slug)).Only(ctx)
	if err != nil {
		return err
	}
	admin, err := s.tx.User.Query().Where(user.AccountID(a.ID), user.Email(email(accountAdmin, acme.domain))).Only(ctx)
	if err != nil {
		return err
	}
	ctx = as(ctx, admin)
	d := &identity.Directory{Budgets: s.budgets}
	s.now = s.Now.UTC().Add(-20 * 24 * time.Hour)
	insurance, err := s.console(ctx, a, scope.KindORGANIZATION, "Insurance")
	if err != nil {
		return err
	}
	if err := s.invite(ctx, d, insurance, tenancy.Auditor, "Petra Lang"); err != nil {
		return err
	}
	if err := s.departure(ctx, d, a); err != nil {
		return err
	}
	s.now = s.Now.UTC().Add(-26 * time.Hour)
	underwriting, err := s.console(ctx, a, scope.KindTEAM, secondTeam)
	if err != nil {
		return err
	}
	risk, err := s.console(ctx, a, scope.KindTEAM, "Risk")
	if err != nil {
		return err
	}
	jonas, err := s.tx.User.Query().Where(user.AccountID(a.ID), user.Email(email(member, acme.domain))).Only(ctx)
	if err != nil {
		return err
	}
	_, err = identity.AddMember(ctx, s.tx, underwriting, jonas)
	return errors.Join(err,
		s.invite(ctx, d, risk, tenancy.Seatholder, "Amir Haddad"),
		s.invite(ctx, d, underwriting, tenancy.Admin, "Claire Dubois"))
}

// departure makes a team, its one member, and ends both.
func (s *seeder) departure(ctx context.Context, d *identity.Directory, a *ent.Account) error {
	banking, err := s.console(ctx, a, scope.KindORGANIZATION, "Banking")
	if err != nil {
		return err
	}
	team, err := d.CreateTeam(ctx, s.tx, banking, archivedTeam, "Closed when the desk moved to another bank.")
	if err != nil {
		return err
	}
	lena, err := s.user(ctx, a.ID, archivedPerson, acme.domain)
	if err != nil {
		return err
	}
	if _, err := identity.AddMember(ctx, s.tx, team, lena); err != nil {
		return err
	}
	s.pass(9 * 24 * time.Hour)
	if _, err := d.Deactivate(ctx, s.tx, s.now, lena.ID); err != nil {
		return err
	}
	_, err = d.Archive(ctx, s.tx, s.now, team)
	return err
}

func (s *seeder) console(ctx context.Context, a *ent.Account, kind scope.Kind, name string) (*ent.Scope, error) {
	return s.tx.Scope.Query().Where(scope.AccountID(a.ID), scope.PlaneEQ(scope.PlaneCONSOLE), scope.KindEQ(kind), scope.Name(name)).Only(ctx)
}

func (s *seeder) invite(ctx context.Context, d *identity.Directory, at *ent.Scope, role tenancy.RoleName, name string) error {
	s.pass(time.Minute)
	_, err := d.Invite(ctx, s.tx, s.now, identity.InvitationInput{Scope: at, Role: role, Emails: []string{email(name, acme.domain)}, Name: name})
	return err
}
