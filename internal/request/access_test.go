package request_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/requestrule"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/grant"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// bare takes every grant of the tests' tree away.
func (d *desk) bare() {
	d.t.Helper()
	d.system(func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		_, err := tx.Grant.Delete().Exec(ctx)
		return err
	})
}

func (d *desk) allow(v *tenancy.Viewer, s *ent.Scope, effect grant.Effect) {
	d.t.Helper()
	require.NoError(d.t, d.Requests.Store.InTx(d.as(v), func(ctx context.Context, tx *store.Tx) error {
		_, err := grant.Set(ctx, tx, tx.Now(), grant.Input{Scope: s, ResourceID: d.p.Model.ID, Effect: effect, Authority: grant.AuthorityOf(v, s.Path)})
		return err
	}))
}

func (d *desk) uses(s *ent.Scope, at time.Time) bool {
	d.t.Helper()
	t, err := grant.Load(d.t.Context(), d.Requests.Store.Client, s.AccountID, tenancy.Plane(s.Plane))
	require.NoError(d.t, err)
	return t.Ask(d.p.Model.ID, s.Path, at).Allowed()
}

func (d *desk) wish(v *tenancy.Viewer, s *ent.Scope) (*ent.Request, error) {
	return d.Create(d.as(v), request.Input{ScopeID: s.ID, ResourceID: d.p.Model.ID, Reason: "for the tests"})
}

func TestAccessIsAskedForAndGivenInPart(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		d.bare()
		now := d.Requests.Store.Now()
		row, err := d.wish(d.p.Seat, d.p.Member)
		require.NoError(d.t, err)
		require.Equal(d.t, d.p.Root.ID, row.WaitsAt, "nobody below has it to give")
		require.Equal(d.t, d.p.Model.Name, row.ResourceName)
		require.Equal(d.t, fault.Exists, code(last(d.wish(d.p.Seat, d.p.Member))), "twice")
		require.Equal(d.t, fault.Forbidden, code(second(d.Approve(d.as(d.p.TeamAdmin), request.Decision{RequestID: row.ID}))))
		require.NoError(d.t, last(d.Withdraw(d.as(d.p.Seat), row.ID)))

		d.allow(d.A.Admin, d.p.Org, grant.Allow)
		d.allow(d.A.Admin, d.p.Team, grant.Deny)
		row, err = d.wish(d.p.Seat, d.p.Member)
		require.NoError(d.t, err)
		require.Equal(d.t, d.p.Org.ID, row.WaitsAt)
		require.Equal(d.t, fault.Invalid, code(second(d.Approve(d.as(d.p.OrgAdmin), request.Decision{RequestID: row.ID}))), "a denial stands")
		require.Equal(d.t, entrequest.StatusPENDING, d.status(row), "and nothing was half done")
		d.bare()
		d.allow(d.A.Admin, d.p.Root, grant.Allow)
		require.True(d.t, d.uses(d.p.Member, now))
		d.bare()

		until := now.Add(48 * time.Hour)
		given, _, err := d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID, Until: &until})
		require.NoError(d.t, err)
		require.Equal(d.t, d.p.Member.ID, given.GrantedScope)
		require.True(d.t, d.uses(d.p.Member, now))
		require.False(d.t, d.uses(d.p.Member, until), "its time has come")
		require.False(d.t, d.uses(d.p.Team, now))
		require.True(d.t, d.Requests.Store.AuditEvent.Query().Where(auditevent.Action("grant.set")).ExistX(identitytest.System(d.t)))
	})
}

func TestAccessGoesToAPlaceBelow(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		d.bare()
		row, err := d.wish(d.p.TeamAdmin, d.p.Team)
		require.NoError(d.t, err)
		require.Equal(d.t, fault.Invalid, code(second(d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID, ScopeID: d.p.SiblingTeam.ID}))))
		narrowed := *d.A.Admin
		narrowed.Narrowed, narrowed.Permissions = true, []string{"budgets.manage"}
		require.Equal(d.t, fault.Forbidden, code(second(d.Approve(d.as(&narrowed), request.Decision{RequestID: row.ID}))), "who may not hand out access")
		_, _, err = d.Approve(d.as(d.A.Admin), request.Decision{RequestID: row.ID, ScopeID: d.p.Member.ID})
		require.NoError(d.t, err)
		require.True(d.t, d.uses(d.p.Member, d.Requests.Store.Now()))
		require.False(d.t, d.uses(d.p.Team, d.Requests.Store.Now()))
	})
}

func TestRulesGiveAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		rule := func(v *tenancy.Viewer, in request.RuleInput) error { return last(d.SetRule(d.as(v), in)) }
		budget := request.RuleInput{ScopeID: d.p.Team.ID, Kind: requestrule.KindBUDGET, Most: 15 * one}
		require.Error(d.t, rule(d.p.Seat, budget), "members set no rules")
		require.NoError(d.t, rule(d.p.TeamAdmin, budget))
		row := d.ask(10)
		require.Equal(d.t, entrequest.StatusAPPROVED, row.Status)
		require.NotEmpty(d.t, row.RuleID)
		require.Empty(d.t, row.DecidedBy)
		require.Equal(d.t, 60*one, d.limit(d.p.Member))
		require.True(d.t, d.Requests.Store.AuditEvent.Query().Where(auditevent.Action("request.approve"), auditevent.ActorKindEQ(auditevent.ActorKindSYSTEM)).ExistX(identitytest.System(d.t)))
		require.Equal(d.t, entrequest.StatusPENDING, d.ask(10).Status, "together more than the rule gives in a cycle")
		require.Equal(d.t, 60*one, d.limit(d.p.Member))

		own, err := d.Create(d.as(d.p.TeamAdmin), request.Input{ScopeID: d.p.Member.ID, Amount: one, Reason: "for myself"})
		require.NoError(d.t, err)
		require.Equal(d.t, entrequest.StatusPENDING, own.Status, "nobody approves their own, by a rule of theirs neither")

		access := request.RuleInput{ScopeID: d.p.Root.ID, Kind: requestrule.KindACCESS, Capabilities: []string{"FAST", "BALANCED", "SMART", "THINKING"}}
		require.NoError(d.t, rule(d.A.Admin, access))
		d.bare()
		wish, err := d.wish(d.p.Seat, d.p.Member)
		require.NoError(d.t, err)
		require.Equal(d.t, entrequest.StatusAPPROVED, wish.Status)
		require.True(d.t, d.uses(d.p.Member, d.Requests.Store.Now()))
		d.bare()
		d.allow(d.A.Admin, d.p.Org, grant.Deny)
		wish, err = d.wish(d.p.Seat, d.p.Member)
		require.NoError(d.t, err)
		require.Equal(d.t, entrequest.StatusPENDING, wish.Status, "a rule lifts no denial")

		budget.Most = 0
		require.NoError(d.t, rule(d.p.OrgAdmin, budget))
		require.False(d.t, d.Requests.Store.RequestRule.Query().Where(requestrule.ScopeID(d.p.Team.ID), requestrule.KindEQ(requestrule.KindBUDGET)).ExistX(identitytest.System(d.t)))
	})
}

func TestHandingOver(t *testing.T) {
	t.Parallel()
	each(t, func(d *desk) {
		row := d.ask(10)
		_, err := d.Delegate(d.as(d.p.TeamAdmin), row.ID, d.p.Seat.UserID, "", nil)
		require.Equal(d.t, fault.Invalid, code(err), "not to who asks")
		row, err = d.Delegate(d.as(d.p.TeamAdmin), row.ID, d.p.OrgAdmin.UserID, "you know them", nil)
		require.NoError(d.t, err)
		require.Equal(d.t, d.p.OrgAdmin.UserID, row.AssignedTo)
		require.Equal(d.t, []string{d.p.OrgAdmin.UserID}, d.told[len(d.told)-1].To)
		require.NoError(d.t, last(d.Withdraw(d.as(d.p.Seat), row.ID)))

		until := d.Requests.Store.Now().Add(time.Hour)
		require.Equal(d.t, fault.Invalid, code(last(d.SetDeputy(d.as(d.p.OrgAdmin), d.p.TeamAdmin.UserID, until))), "who administers less")
		require.NoError(d.t, last(d.SetDeputy(d.as(d.p.TeamAdmin), d.p.OrgAdmin.UserID, until)))
		d.ask(10)
		require.Contains(d.t, d.told[len(d.told)-1].To, d.p.OrgAdmin.UserID)
		require.NotContains(d.t, d.told[len(d.told)-1].To, d.p.TeamAdmin.UserID)
	})
}
