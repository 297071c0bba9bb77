package request_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/budgetincrease"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// askPlatform is what the account's admin asks for the pool.
func (d *desk) askPlatform(amount money.Nano) *ent.Request {
	d.t.Helper()
	row, err := d.Create(d.as(d.A.Admin), request.Input{ScopeID: d.p.Root.ID, Amount: amount * one, Reason: "the new branch opens"})
	require.NoError(d.t, err)
	require.Equal(d.t, id.PlatformID, row.WaitsAt)
	return row
}

// second super admin, beside the planted one.
func (d *desk) colleague() *tenancy.Viewer {
	d.t.Helper()
	v := *d.SuperAdmin
	d.system(func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		u, err := identity.CreateUser(ctx, tx, identity.UserInput{AccountID: id.PlatformID, Name: "colleague", Email: "colleague@cockpit.example"})
		if err != nil {
			return err
		}
		v.UserID, v.Name = u.ID, u.Name
		return identity.BindRole(ctx, tx, u, tx.Scope.GetX(ctx, id.PlatformID), tenancy.Admin)
	})
	return &v
}

func TestAnAccountAsksThePlatform(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.askPlatform(800)
		require.Len(d.t, d.told, 1)
		told := d.told[0]
		require.Equal(d.t, []string{d.SuperAdmin.UserID}, told.To)
		require.Equal(d.t, []string{id.PlatformID, "INCREASE_REQUESTED", "/sa/requests", "the new branch opens"}, []string{told.AccountID, told.Topic, told.Link, told.Body})
		require.Equal(d.t, d.A.Row.Name+" asks for 800 credits more", told.Title)

		part, until := 300*one, d.Requests.Store.Now().Add(48*time.Hour)
		decided, raises, err := d.Approve(d.as(d.SuperAdmin), request.Decision{RequestID: row.ID, Amount: &part, Until: &until, Note: "until the audit"})
		require.NoError(d.t, err)
		require.Len(d.t, raises, 1)
		require.Equal(d.t, d.p.Root.ID, raises[0].Scope.ID)
		require.Equal(d.t, 1300*one, d.limit(d.p.Root))
		require.Equal(d.t, 500*one, d.limit(d.p.Org), "what the account does with it is its own")
		require.Equal(d.t, []any{entrequest.StatusAPPROVED, int64(part), d.SuperAdmin.UserID}, []any{decided.Status, decided.Granted, decided.DecidedBy})
		require.Equal(d.t, []string{d.A.Admin.UserID}, d.told[1].To, "who asked hears of it")
		require.Equal(d.t, []string{"INCREASE_DECIDED", "/copilot/requests?show=CLOSED"}, []string{d.told[1].Topic, d.told[1].Link})
		event := d.Requests.Store.AuditEvent.Query().Where(auditevent.Action("request.approve")).OnlyX(identitytest.System(d.t))
		require.Equal(d.t, []string{d.A.Row.ID, d.SuperAdmin.UserID}, []string{event.AccountID, event.ActorID}, "the account sees who gave")

		for _, err := range []error{
			second(d.Approve(d.as(d.SuperAdmin), request.Decision{RequestID: row.ID})),
			last(d.Decline(d.as(d.SuperAdmin), row.ID, "no", nil)),
		} {
			require.Equal(d.t, fault.Conflict, code(err), "it is decided")
		}
		require.Equal(d.t, 1300*one, d.limit(d.p.Root))

		again := d.askPlatform(50)
		declined, err := d.Decline(d.as(d.SuperAdmin), again.ID, "next quarter", nil)
		require.NoError(d.t, err)
		require.Equal(d.t, []any{entrequest.StatusDECLINED, "next quarter"}, []any{declined.Status, declined.Note})
		require.Equal(d.t, "next quarter", d.told[len(d.told)-1].Body)
	})
}

// Whoever can't give the credits to the account can't decide, and who is
// somebody of another account doesn't even see it.
func TestWhoDecidesAtThePlatform(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.askPlatform(800)
		inside, auditor, forged := *d.A.Admin, *d.SuperAdmin, *d.p.Admin
		inside.SupportID, inside.UserID = "sup_x", d.SuperAdmin.UserID
		auditor.Roles = slices.Clone(auditor.Roles)
		auditor.Roles[0].Role = tenancy.Auditor
		forged.Roles = append(slices.Clone(forged.Roles), d.SuperAdmin.Roles...)
		for name, c := range map[string]struct {
			v    *tenancy.Viewer
			want fault.Code
		}{
			"who asked":                   {d.A.Admin, fault.Forbidden},
			"another admin of the plane":  {d.p.Admin, fault.Forbidden},
			"with the platform's role":    {&forged, fault.Forbidden},
			"the platform's auditor":      {&auditor, fault.Forbidden},
			"staff in the account":        {&inside, fault.Forbidden},
			"an admin of another account": {d.B.Admin, fault.NotFound},
			"an admin below":              {d.p.OrgAdmin, fault.NotFound},
			"of the other product":        {d.A.Console.Admin, fault.NotFound},
			"nobody in particular":        {d.A.Nobody, fault.NotFound},
		} {
			for _, err := range []error{
				second(d.Approve(d.as(c.v), request.Decision{RequestID: row.ID})),
				last(d.Decline(d.as(c.v), row.ID, "no", nil)),
				last(d.PassUp(d.as(c.v), row.ID, "up", nil)),
				last(d.Delegate(d.as(c.v), row.ID, d.A.Admin.UserID, "", nil)),
			} {
				require.Equal(d.t, c.want, code(err), "%s: %v", name, err)
			}
		}
		require.Equal(d.t, fault.Forbidden, code(last(d.Withdraw(d.as(d.SuperAdmin), row.ID))))
		require.Equal(d.t, entrequest.StatusPENDING, d.status(row))

		// Super admins see what waits at the platform, and no other request.
		within := d.ask(10)
		for _, err := range []error{
			second(d.Approve(d.as(d.SuperAdmin), request.Decision{RequestID: within.ID})),
			last(d.Decline(d.as(d.SuperAdmin), within.ID, "no", nil)),
			last(d.PassUp(d.as(d.SuperAdmin), within.ID, "up", nil)),
			last(d.Withdraw(d.as(d.SuperAdmin), within.ID)),
		} {
			require.Equal(d.t, fault.NotFound, code(err))
		}
		require.Equal(d.t, 1000*one, d.limit(d.p.Root))
		_, err := d.Withdraw(d.as(d.A.Admin), row.ID)
		require.NoError(d.t, err)
		require.Equal(d.t, fault.Conflict, code(second(d.Approve(d.as(d.SuperAdmin), request.Decision{RequestID: row.ID}))))
	})
}

// The same person as an admin of the account and as a super admin.
func TestNobodyGivesThemselvesCredits(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		asked := d.askPlatform(800)
		passed := d.ask(2000)
		for range 3 {
			var err error
			passed, err = d.PassUp(d.as(d.A.Admin), passed.ID, "beyond us", nil)
			require.NoError(d.t, err)
		}
		passed, err := d.PassUp(d.as(d.A.Admin), passed.ID, "beyond us", nil)
		require.NoError(d.t, err)
		require.Equal(d.t, id.PlatformID, passed.WaitsAt)
		d.system(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			l, err := tx.Login.Create().SetAccountID(id.PlatformID).SetPlane("PLATFORM").SetEmail("both@cockpit.example").Save(ctx)
			if err != nil {
				return err
			}
			return tx.User.Update().Where(user.IDIn(d.A.Admin.UserID, d.SuperAdmin.UserID)).SetLoginID(l.ID).Exec(ctx)
		})
		for _, row := range []*ent.Request{asked, passed} {
			require.ErrorIs(d.t, second(d.Approve(d.as(d.SuperAdmin), request.Decision{RequestID: row.ID})), request.ErrOwn)
			require.ErrorIs(d.t, last(d.Decline(d.as(d.SuperAdmin), row.ID, "no", nil)), request.ErrOwn)
		}
		_, _, err = d.Approve(d.as(d.colleague()), request.Decision{RequestID: asked.ID})
		require.NoError(d.t, err, "another super admin does")
	})
}

func TestWhatThePoolCantCoverGoesToThePlatform(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(2000) // the pool has 500 left, the organization 300, the team 150
		for _, c := range []struct {
			by   *tenancy.Viewer
			note string
		}{{d.p.TeamAdmin, "for Mia's appraisal"}, {d.p.OrgAdmin, ""}, {d.p.Admin, ""}} {
			var err error
			row, err = d.PassUp(d.as(c.by), row.ID, c.note, nil)
			require.NoError(d.t, err)
		}
		require.Equal(d.t, d.A.Root.ID, row.WaitsAt)
		_, err := d.PassUp(d.as(d.A.Admin), row.ID, " ", nil)
		require.Equal(d.t, fault.Invalid, code(err), "the platform reads the note alone")
		require.Equal(d.t, []string{"note"}, fault.As(err).Path)
		until := d.Requests.Store.Now().Add(time.Hour)
		row, err = d.PassUp(d.as(d.A.Admin), row.ID, "we have 950 ourselves", nil)
		require.NoError(d.t, err)
		require.Equal(d.t, id.PlatformID, row.WaitsAt)
		told := d.told[len(d.told)-1]
		require.Equal(d.t, "we have 950 ourselves", told.Body, "and nothing that was said inside the account")
		require.Equal(d.t, d.p.Root.ID, told.ScopeID)
		require.Equal(d.t, fault.Forbidden, code(second(d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID}))), "it has left their hands")

		part := 1500 * one
		_, _, err = d.Approve(d.as(d.SuperAdmin), request.Decision{RequestID: row.ID, Amount: &part, Until: &until})
		require.NoError(d.t, err)
		for _, s := range []*ent.Scope{d.p.Member, d.p.Team, d.p.Org, d.p.Root} {
			require.Equal(d.t, 1550*one, d.limit(s), s.Name)
		}
		for _, i := range d.Requests.Store.BudgetIncrease.Query().Where(budgetincrease.EndedAtIsNil()).AllX(identitytest.System(d.t)) {
			require.Equal(d.t, "we have 950 ourselves", i.Reason)
		}
	})
}

func TestWhatTheAccountHasIsntAskedOfThePlatform(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(900)
		for range 3 {
			var err error
			row, err = d.PassUp(d.as(d.A.Admin), row.ID, "", nil)
			require.NoError(d.t, err)
		}
		require.ErrorIs(d.t, last(d.PassUp(d.as(d.A.Admin), row.ID, "more, please", nil)), request.ErrCovered)
		_, _, err := d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID})
		require.NoError(d.t, err)

		// Console's budgets are the account's own to set: there is no platform above.
		console := d.A.Console
		d.set(console.Root.ID, 100*one)
		own, err := d.Create(d.as(console.Seat), request.Input{ScopeID: console.Member.ID, Amount: 5000 * one, Reason: "much"})
		require.NoError(d.t, err)
		for own.WaitsAt != d.A.Root.ID {
			own, err = d.PassUp(d.as(d.A.Admin), own.ID, "", nil)
			require.NoError(d.t, err)
		}
		require.Equal(d.t, fault.Invalid, code(last(d.PassUp(d.as(d.A.Admin), own.ID, "up", nil))))
	})
}

// Where the pool is what limits a seat, its admins pass on what they can't give.
func TestASeatsRequestForThePool(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		d.system(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			for _, s := range []*ent.Scope{d.p.Member, d.p.Team, d.p.Org} {
				if _, err := d.Budgets.Remove(ctx, tx, s.ID); err != nil {
					return err
				}
			}
			return nil
		})
		row := d.ask(100)
		require.Equal(d.t, d.p.Root.ID, row.WaitsAt, "Copilot's own admin is the nearest")
		require.Equal(d.t, fault.BudgetExceeded, code(second(d.Approve(d.as(d.p.Admin), request.Decision{RequestID: row.ID}))))
		row, err := d.PassUp(d.as(d.p.Admin), row.ID, "", nil)
		require.NoError(d.t, err)
		require.Equal(d.t, d.A.Root.ID, row.WaitsAt)
		row, err = d.PassUp(d.as(d.A.Admin), row.ID, "all of it is given out", nil)
		require.NoError(d.t, err)
		_, _, err = d.Approve(d.as(d.SuperAdmin), request.Decision{RequestID: row.ID})
		require.NoError(d.t, err)
		require.Equal(d.t, 1100*one, d.limit(d.p.Root))

		// Copilot's admin asks those of the account, who pass it on.
		row, err = d.Create(d.as(d.p.Admin), request.Input{ScopeID: d.p.Root.ID, Amount: one, Reason: "more"})
		require.NoError(d.t, err)
		require.Equal(d.t, d.A.Root.ID, row.WaitsAt)
	})
}

// Of two super admins who decide at once, one does.
func TestRacesAtThePlatform(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		other := d.colleague()
		approve := func(v *tenancy.Viewer) func(string) error {
			return func(id string) error { return second(d.Approve(d.as(v), request.Decision{RequestID: id})) }
		}
		for name, rivals := range map[string][2]func(string) error{
			"two approve":          {approve(d.SuperAdmin), approve(other)},
			"approve and decline":  {approve(d.SuperAdmin), func(id string) error { return last(d.Decline(d.as(other), id, "no", nil)) }},
			"approve and withdraw": {approve(other), func(id string) error { return last(d.Withdraw(d.as(d.A.Admin), id)) }},
		} {
			d.set(d.p.Root.ID, 1000*one)
			row := d.askPlatform(100)
			require.Equal(d.t, 1, d.both(name, rivals[0], rivals[1], row.ID), "%s: exactly one", name)
			want := 1000 * one
			if d.status(row) == entrequest.StatusAPPROVED {
				want = 1100 * one
			}
			require.Equal(d.t, want, d.limit(d.p.Root), name)
		}
	})
}
