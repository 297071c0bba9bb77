package request_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const one = money.One

// desk is the planted tree, whose Copilot plane has budgets of 1000 for the
// pool, 500 for the organization, 200 for the team and 50 for the seat.
type desk struct {
	*identitytest.Trees
	*request.Requests
	t *testing.T
	p *identitytest.Plane

	mu   sync.Mutex
	told []request.Notice
}

func each(t *testing.T, test func(d *desk)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := identitytest.Tree(t, st)
		policies, err := access.New(gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { any: Int }"}))
		require.NoError(t, err)
		log := slog.New(slog.DiscardHandler)
		engine := budget.New(st, budget.Options{Log: log})
		require.NoError(t, engine.Start(context.Background()))
		t.Cleanup(func() { require.NoError(t, engine.Close(context.Background())) })
		d := &desk{Trees: w, t: t, p: w.A.Copilot}
		d.Requests = &request.Requests{Store: st, Budgets: engine, Access: policies, Log: log}
		d.Tell = func(_ context.Context, _ *store.Tx, n request.Notice) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.told = append(d.told, n)
			return nil
		}
		d.system(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			for _, clear := range []string{"DELETE FROM requests", "DELETE FROM request_rules", "DELETE FROM deputies", "DELETE FROM budget_increases", "UPDATE budgets SET lim = 0",
				"UPDATE budget_cycles SET lim = 0, excess = escrowed, raised = 0"} {
				if _, err := tx.SQL().ExecContext(ctx, clear); err != nil {
					return err
				}
			}
			return nil
		})
		for _, s := range []struct {
			scope *ent.Scope
			limit money.Nano
		}{{d.p.Root, 1000}, {d.p.Org, 500}, {d.p.Team, 200}, {d.p.Member, 50}} {
			d.set(s.scope.ID, s.limit*one)
		}
		test(d)
	})
}

func (d *desk) system(f func(ctx context.Context, tx *store.Tx) error) {
	d.t.Helper()
	require.NoError(d.t, d.Requests.Store.InTx(identitytest.System(d.t), f))
}

func (d *desk) set(scopeID string, limit money.Nano) {
	d.t.Helper()
	d.system(func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		_, err := d.Budgets.Set(ctx, tx, scopeID, budget.Spec{Limit: limit})
		return err
	})
}

func (d *desk) as(v *tenancy.Viewer) context.Context { return identitytest.Ctx(d.t, v) }

// limit is what the scope's current cycle allows.
func (d *desk) limit(s *ent.Scope) money.Nano {
	d.t.Helper()
	states, err := d.Budgets.States(d.t.Context(), tenancy.Reach{AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), Path: "/" + s.AccountID + "/"}, nil)
	require.NoError(d.t, err)
	for _, st := range states {
		if st.ScopeID == s.ID {
			return st.Limit
		}
	}
	return -1
}

func (d *desk) ask(amount money.Nano) *ent.Request {
	d.t.Helper()
	row, err := d.Create(d.as(d.p.Seat), request.Input{ScopeID: d.p.Member.ID, Amount: amount * one, Reason: "more tests"})
	require.NoError(d.t, err)
	return row
}

func (d *desk) status(row *ent.Request) entrequest.Status {
	d.t.Helper()
	return d.Requests.Store.Request.GetX(identitytest.System(d.t), row.ID).Status
}

func code(err error) fault.Code {
	if e := fault.As(err); e != nil {
		return e.Code
	}
	return ""
}

func TestAskAndApproveInPart(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(100)
		require.Equal(d.t, d.p.Team.ID, row.WaitsAt, "the team's admin is the nearest")
		require.Equal(d.t, "INCREASE_REQUESTED", d.told[0].Topic)
		require.Equal(d.t, []string{d.p.TeamAdmin.UserID}, d.told[0].To)

		half := 60 * one
		row, raises, err := d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID, Amount: &half, Note: "that will do", DryRun: true})
		require.NoError(d.t, err)
		require.Len(d.t, raises, 1)
		require.Equal(d.t, entrequest.StatusPENDING, d.status(row), "a rehearsal is taken back")
		require.Equal(d.t, 50*one, d.limit(d.p.Member))

		row, raises, err = d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID, Amount: &half, Note: "that will do"})
		require.NoError(d.t, err)
		require.Equal(d.t, []money.Nano{50 * one, 110 * one}, []money.Nano{raises[0].Before, raises[0].After})
		require.Equal(d.t, 110*one, d.limit(d.p.Member))
		require.Equal(d.t, int64(half), row.Granted)
		require.Equal(d.t, d.p.TeamAdmin.UserID, row.DecidedBy)
		require.Equal(d.t, entrequest.StatusAPPROVED, d.status(row))
		require.Equal(d.t, []string{d.p.Seat.UserID}, d.told[len(d.told)-1].To)

		_, _, err = d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID})
		require.Equal(d.t, fault.Conflict, code(err), "it is closed")
		for _, action := range []string{"request.create", "request.approve", "budget.set"} {
			require.True(d.t, d.Requests.Store.AuditEvent.Query().Where(auditevent.Action(action), auditevent.ScopeID(d.p.Member.ID)).ExistX(identitytest.System(d.t)), action)
		}
	})
}

func TestApproveForATimeEndsByItself(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(20)
		until := d.Requests.Store.Now().Add(time.Hour)
		_, _, err := d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID, Until: &until})
		require.NoError(d.t, err)
		require.Equal(d.t, 70*one, d.limit(d.p.Member))
		require.Equal(d.t, int64(50*one), d.Requests.Store.Budget.Query().Where(entbudget.ScopeID(d.p.Member.ID)).OnlyX(identitytest.System(d.t)).Lim, "for good it stays")
		d.system(func(ctx context.Context, tx *store.Tx) error { // the hour is over
			tx.Unaudited()
			_, err := tx.SQL().ExecContext(ctx, "UPDATE budget_increases SET ends_at = created_at")
			return err
		})
		for range 2 { // once
			_, err := d.Budgets.EndDue(d.t.Context())
			require.NoError(d.t, err)
			require.Equal(d.t, 50*one, d.limit(d.p.Member))
		}
	})
}

func TestMoreThanThereIsIsPassedUp(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(400) // the team has 150 left to give, the organization 300
		_, _, err := d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID})
		require.Equal(d.t, fault.BudgetExceeded, code(err))
		require.Equal(d.t, 150*one, fault.As(err).Data["available"])
		require.Contains(d.t, fault.As(err).Message, "Pass the request up")

		row, err = d.PassUp(d.as(d.p.TeamAdmin), row.ID, "beyond me", nil)
		require.NoError(d.t, err)
		require.Equal(d.t, d.p.Org.ID, row.WaitsAt)
		require.Equal(d.t, "beyond me", request.Passes(row)[0].Note)
		_, _, err = d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID})
		require.Equal(d.t, fault.Forbidden, code(err), "it has left their hands")

		_, raises, err := d.Approve(d.as(d.p.OrgAdmin), request.Decision{RequestID: row.ID})
		require.NoError(d.t, err)
		require.Len(d.t, raises, 2, "the team first, then the seat")
		require.Equal(d.t, []string{d.p.Team.ID, d.p.Member.ID}, []string{raises[0].Scope.ID, raises[1].Scope.ID})
		require.Equal(d.t, 450*one, d.limit(d.p.Member))
		require.Equal(d.t, 450*one, d.limit(d.p.Team), "just enough")
		require.Equal(d.t, 500*one, d.limit(d.p.Org))
	})
}

func TestTheChainEndsAtThePlatformsCredits(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(2000)
		for range 3 {
			var err error
			row, err = d.PassUp(d.as(d.A.Admin), row.ID, "", nil)
			require.NoError(d.t, err)
		}
		require.Equal(d.t, d.A.Root.ID, row.WaitsAt)
		_, _, err := d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID})
		require.Equal(d.t, fault.BudgetExceeded, code(err))
		require.Equal(d.t, 950*one, fault.As(err).Data["available"], "500 of the pool, 300 of the organization, 150 of the team")
		require.Contains(d.t, fault.As(err).Message, "the platform gives the account its credits")
		all := 950 * one
		_, raises, err := d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID, Amount: &all})
		require.NoError(d.t, err)
		require.Len(d.t, raises, 3)
		for _, s := range []*ent.Scope{d.p.Member, d.p.Team, d.p.Org, d.p.Root} {
			require.Equal(d.t, 1000*one, d.limit(s), s.Name)
		}
	})
}

func TestNobodyDecidesOnTheirOwn(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		// The account's admin asks for a seat, and holds every role there is.
		row, err := d.Create(d.as(d.A.Admin), request.Input{ScopeID: d.p.Member.ID, Amount: one, Reason: "for me"})
		require.NoError(d.t, err)
		for _, err := range []error{
			second(d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID})),
			last(d.Decline(d.as(d.A.Admin), row.ID, "no", nil)),
			last(d.PassUp(d.as(d.A.Admin), row.ID, "", nil)),
		} {
			require.ErrorIs(d.t, err, request.ErrOwn)
		}
		// Somebody else asks for the seat of who would decide.
		d.system(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			return tx.RoleBinding.Create().SetAccountID(d.p.Team.AccountID).SetPlane(rolebinding.PlaneCOPILOT).SetUserID(d.p.Seat.UserID).
				SetScopeID(d.p.Team.ID).SetRole(rolebinding.RoleADMIN).Exec(ctx)
		})
		promoted := *d.p.Seat
		promoted.Roles = append([]tenancy.Role{{Role: tenancy.Admin, Plane: tenancy.Copilot, Kind: tenancy.KindTeam, ScopeID: d.p.Team.ID, Path: d.p.Team.Path}}, promoted.Roles...)
		promoted.Reach = tenancy.ReachOf(promoted.AccountID, promoted.Roles)
		require.ErrorIs(d.t, second(d.Approve(d.as(&promoted), request.Decision{RequestID: row.ID})), request.ErrOwnSeat)
		// Roles that are claimed and not held count for nothing.
		forged := *d.p.SiblingTeamAdmin
		forged.Roles, forged.Reach = promoted.Roles, promoted.Reach
		require.Equal(d.t, fault.Forbidden, code(second(d.Approve(d.as(&forged), request.Decision{RequestID: row.ID}))))
		for name, v := range map[string]*tenancy.Viewer{"stranger": d.B.Admin, "sibling": d.p.SiblingTeamAdmin, "other plane": d.A.Console.Admin, "nobody": d.A.Nobody} {
			require.Equal(d.t, fault.NotFound, code(second(d.Approve(d.as(v), request.Decision{RequestID: row.ID}))), name)
		}
		require.Equal(d.t, fault.Forbidden, code(last(d.Withdraw(d.as(d.p.TeamAdmin), row.ID))))
		require.Equal(d.t, entrequest.StatusPENDING, d.status(row))
		require.Equal(d.t, 50*one, d.limit(d.p.Member))
	})
}

func second[A, B any](_ A, _ B, err error) error { return err }
func last[A any](_ A, err error) error           { return err }

func TestWhatCantBeAsked(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		past, far := d.Requests.Store.Now().Add(-time.Hour), d.Requests.Store.Now().Add(500*24*time.Hour)
		ok := request.Input{ScopeID: d.p.Member.ID, Amount: one, Reason: "why not"}
		for name, c := range map[string]struct {
			v      *tenancy.Viewer
			change func(in *request.Input)
			want   fault.Code
		}{
			"nothing":            {d.p.Seat, func(in *request.Input) { in.Amount = 0 }, fault.Invalid},
			"less than nothing":  {d.p.Seat, func(in *request.Input) { in.Amount = -one }, fault.Invalid},
			"the moon":           {d.p.Seat, func(in *request.Input) { in.Amount = money.Max }, fault.Invalid},
			"with what is there": {d.p.Seat, func(in *request.Input) { in.Amount = budget.Largest }, fault.Invalid},
			"no reason":          {d.p.Seat, func(in *request.Input) { in.Reason = " \n" }, fault.Invalid},
			"until yesterday":    {d.p.Seat, func(in *request.Input) { in.Until = &past }, fault.Invalid},
			"until who knows":    {d.p.Seat, func(in *request.Input) { in.Until = &far }, fault.Invalid},
			"the team":           {d.p.Seat, func(in *request.Input) { in.ScopeID = d.p.Team.ID }, fault.NotFound},
			"of another account": {d.B.Admin, func(*request.Input) {}, fault.NotFound},
			"by the platform":    {d.SuperAdmin, func(*request.Input) {}, fault.NotFound},
		} {
			in := ok
			c.change(&in)
			require.Equal(d.t, c.want, code(last(d.Create(d.as(c.v), in))), name)
		}
		_, err := d.Create(d.as(d.p.Seat), ok)
		require.NoError(d.t, err)
		require.Equal(d.t, fault.Exists, code(last(d.Create(d.as(d.p.Seat), ok))), "twice")
		_, err = d.Create(d.as(d.p.TeamAdmin), ok)
		require.NoError(d.t, err, "somebody else may ask for it too")
	})
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(10)
		d.system(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			_, err := tx.SQL().ExecContext(ctx, "UPDATE requests SET created_at = "+placeholder(d), tx.Now().Add(-request.Lifetime).UTC())
			return err
		})
		require.Equal(d.t, fault.Conflict, code(second(d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID}))), "also before it was swept")
		d.ask(10)
		require.NoError(d.t, d.Expire(d.t.Context()))
		require.Equal(d.t, entrequest.StatusEXPIRED, d.status(row))
		require.True(d.t, d.Requests.Store.AuditEvent.Query().Where(auditevent.Action("request.expire")).ExistX(identitytest.System(d.t)))
		require.Equal(d.t, 1, d.Requests.Store.Request.Query().Where(entrequest.StatusEQ(entrequest.StatusPENDING)).CountX(identitytest.System(d.t)))
	})
}

func placeholder(d *desk) string {
	if d.Requests.Store.Dialect == store.Postgres {
		return "$1"
	}
	return "?"
}

func TestWhatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(10)
		d.system(func(ctx context.Context, tx *store.Tx) error { // the admin's role is lost; their session doesn't know yet
			tx.Unaudited()
			_, err := tx.RoleBinding.Delete().Where(rolebinding.UserID(d.p.TeamAdmin.UserID)).Exec(ctx)
			return err
		})
		require.Equal(d.t, fault.Forbidden, code(second(d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID}))))
		stale := row.Version + 1
		require.Equal(d.t, fault.Conflict, code(second(d.Approve(d.as(d.p.OrgAdmin), request.Decision{RequestID: row.ID, ExpectedVersion: &stale}))))
		d.system(func(ctx context.Context, tx *store.Tx) error { // the budget is gone: the team's limits the seat
			tx.Unaudited()
			_, err := d.Budgets.Remove(ctx, tx, d.p.Member.ID)
			return err
		})
		_, raises, err := d.Approve(d.as(d.p.OrgAdmin), request.Decision{RequestID: row.ID})
		require.NoError(d.t, err)
		require.Equal(d.t, d.p.Team.ID, raises[0].Scope.ID)
		require.Equal(d.t, 210*one, d.limit(d.p.Team))
		require.Equal(d.t, fault.Conflict, code(last(d.Withdraw(d.as(d.p.Seat), row.ID))))
	})
}

// A team that moves takes its requests along.
func TestRequestsMoveAlong(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(400)
		row, err := d.PassUp(d.as(d.p.TeamAdmin), row.ID, "", nil)
		require.NoError(d.t, err)
		require.NoError(d.t, d.Rehome(d.t.Context()))
		require.Equal(d.t, d.p.Org.ID, d.Requests.Store.Request.GetX(identitytest.System(d.t), row.ID).WaitsAt, "nothing moved")
		d.system(func(ctx context.Context, tx *store.Tx) error {
			tx.Unaudited()
			for _, s := range []*ent.Scope{d.p.Team, d.p.Member} {
				path := strings.Replace(s.Path, d.p.Org.ID, d.p.SiblingOrg.ID, 1)
				if _, err := tx.SQL().ExecContext(ctx, "UPDATE scopes SET path = '"+path+"' WHERE id = '"+s.ID+"'"); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(d.t, d.Rehome(d.t.Context()))
		require.Equal(d.t, d.p.Team.ID, d.Requests.Store.Request.GetX(identitytest.System(d.t), row.ID).WaitsAt, "the nearest that has an admin")
	})
}

// Whatever two people do at once, one of them succeeds.
func TestRaces(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		for name, rivals := range map[string][2]func(id string) error{
			"two approvers": {
				func(id string) error { return second(d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: id})) },
				func(id string) error { return second(d.Approve(d.as(d.p.OrgAdmin), request.Decision{RequestID: id})) },
			},
			"approve and withdraw": {
				func(id string) error { return second(d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: id})) },
				func(id string) error { return last(d.Withdraw(d.as(d.p.Seat), id)) },
			},
			"approve and decline": {
				func(id string) error { return second(d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: id})) },
				func(id string) error { return last(d.Decline(d.as(d.p.OrgAdmin), id, "no", nil)) },
			},
			"ask twice": {
				func(string) error {
					return last(d.Create(d.as(d.p.TeamAdmin), request.Input{ScopeID: d.p.Team.ID, Amount: one, Reason: "a"}))
				},
				func(string) error {
					return last(d.Create(d.as(d.p.TeamAdmin), request.Input{ScopeID: d.p.Team.ID, Amount: one, Reason: "b"}))
				},
			},
		} {
			d.set(d.p.Member.ID, 50*one)
			row := d.ask(10)
			won := d.both(name, rivals[0], rivals[1], row.ID)
			require.Equal(d.t, 1, won, "%s: exactly one", name)
			want := 50 * one
			if d.status(row) == entrequest.StatusAPPROVED {
				want = 60 * one
			}
			require.Equal(d.t, want, d.limit(d.p.Member), name)
			if d.status(row) == entrequest.StatusPENDING {
				require.NoError(d.t, last(d.Withdraw(d.as(d.p.Seat), row.ID)))
			}
		}
	})
}

// An approval and a budget that is set at the same time add up to no more than
// there is: the team has 150 to give to two seats that want 100 each.
func TestApproveAgainstBudgetSet(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(100)
		won := d.both("approve and set", func(id string) error {
			return second(d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: id}))
		}, func(string) error {
			return d.Requests.Store.InTx(identitytest.System(d.t), func(ctx context.Context, tx *store.Tx) error {
				tx.Unaudited()
				_, err := d.Budgets.Set(ctx, tx, d.p.Team.ID, budget.Spec{Limit: 60 * one})
				return err
			})
		}, row.ID)
		require.Equal(d.t, 1, won)
		require.LessOrEqual(d.t, d.limit(d.p.Member), d.limit(d.p.Team))
	})
}

// both runs two rivals at once and counts who succeeds; whoever doesn't is told
// so, and not by a breakdown.
func (d *desk) both(name string, a, b func(id string) error, id string) int {
	d.t.Helper()
	start := make(chan struct{})
	errs := make(chan error, 2)
	for _, f := range []func(string) error{a, b} {
		go func() {
			<-start
			errs <- f(id)
		}()
	}
	close(start)
	won := 0
	for range 2 {
		err := <-errs
		if err == nil {
			won++
			continue
		}
		var told *fault.Error
		require.ErrorAs(d.t, err, &told, name)
	}
	return won
}
