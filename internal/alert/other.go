package alert

import (
	"context"
	"fmt"
	"strconv"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/charge"
	"github.com/alchemi/cockpit/ent/rolebinding"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// statements tells of those that were written. All of a plane's appear at once,
// so each goes to the admins of its very scope, a plane's to the account's too.
func (l *look) statements(ctx context.Context) error {
	last := ""
	for {
		rows, err := l.Store.Statement.Query().Where(statement.CreatedAtGT(l.since), statement.IDGT(last)).
			Order(ent.Asc(statement.FieldID)).Limit(page).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, s := range rows {
			last = s.ID
			if err := l.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return l.statement(ctx, tx, s) }); err != nil {
				return err
			}
		}
	}
}

func (l *look) statement(ctx context.Context, tx *store.Tx, s *ent.Statement) error {
	at, err := tx.Scope.Get(ctx, s.ScopeID)
	if ent.IsNotFound(err) || err == nil && at.DeletedAt != nil {
		return nil
	}
	if err != nil {
		return err
	}
	b := about{cycleID: s.CycleID, state: budget.State{BudgetID: s.BudgetID, ScopeID: s.ScopeID, Unit: budget.Unit(s.Unit),
		Limit: money.Nano(s.Lim), Overflow: money.Nano(s.Overflow), Spent: money.Nano(s.Spent), StartsAt: s.StartsAt, EndsAt: s.EndsAt}}
	if err := b.load(ctx, tx); err != nil {
		return err
	}
	data := b.data(l.Notify.URL)
	data.Budget.Forecast = ""
	notice := notify.Notice{Topic: notify.StatementReady, AccountID: b.account.ID, Plane: tenancy.Plane(at.Plane), ScopeID: at.ID,
		Title: "The statement of " + named(at) + " is ready", Link: link(at), Cause: s.ID, Data: data,
		Body: fmt.Sprintf("%s of %s spent from %s to %s.", budget.AmountText(b.state.Unit, b.state.Spent), budget.AmountText(b.state.Unit, b.state.Limit), b.day(s.StartsAt), b.day(s.EndsAt))}
	admins, own, err := notify.Responsible(ctx, tx, at)
	if err != nil {
		return err
	}
	notice.Own = own
	where := []string{at.ID}
	if at.Kind == "CONSOLE" || at.Kind == "COPILOT" {
		where = append(where, at.AccountID)
	}
	err = tx.RoleBinding.Query().Where(rolebinding.ScopeIDIn(where...), rolebinding.UserIDIn(admins...), rolebinding.RoleEQ(rolebinding.RoleADMIN)).
		Unique(true).Select(rolebinding.FieldUserID).Scan(ctx, &notice.To)
	if err != nil {
		return err
	}
	return l.Notify.Tell(ctx, tx, notice)
}

// late tells of charges that no limit had room for: once a day for each team,
// or for the plane where no team paid.
func (l *look) late(ctx context.Context) error {
	rows, err := l.Store.Charge.Query().Where(charge.AtGT(l.since), charge.KindEQ(charge.KindLATE)).
		Order(ent.Asc(charge.FieldAt)).Limit(page).All(ctx)
	if err != nil {
		return err
	}
	for _, c := range rows {
		if err := l.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return l.lateCharge(ctx, tx, c) }); err != nil {
			return err
		}
	}
	return nil
}

func (l *look) lateCharge(ctx context.Context, tx *store.Tx, c *ent.Charge) error {
	payer := c.TeamID
	if payer == "" {
		payer = c.AccountID
		if ids := split(c.Path); len(ids) > 1 {
			payer = ids[1]
		}
	}
	at, err := tx.Scope.Get(ctx, payer)
	if ent.IsNotFound(err) || err == nil && at.DeletedAt != nil {
		return nil
	}
	if err != nil {
		return err
	}
	admins, _, err := notify.Responsible(ctx, tx, at)
	if err != nil {
		return err
	}
	a, err := tx.Account.Get(ctx, c.AccountID)
	if err != nil {
		return err
	}
	unit, sum := budget.USD, money.Nano(c.Cost)
	if c.Plane == charge.PlaneCOPILOT {
		unit, sum = budget.Credits, money.Nano(c.Credits)
	}
	return l.Notify.Tell(ctx, tx, notify.Notice{Topic: notify.ChargeLate, AccountID: c.AccountID, Plane: tenancy.Plane(at.Plane), ScopeID: at.ID,
		Title: "A call of " + named(at) + " cost more than was held for it",
		Body:  fmt.Sprintf("%s beyond what its budgets had room for, with %s. It is booked; the next calls have that much less.", budget.AmountText(unit, sum), c.ModelName),
		Link:  link(at), Cause: at.ID + ":" + strconv.Itoa(c.Day), To: admins,
		Data: LateData{Account: notify.AccountData{ID: a.ID, Name: a.Name}, Plane: string(at.Plane), Scope: notify.ScopeData{ID: at.ID, Name: at.Name, Kind: string(at.Kind)},
			Charge: Charge{ID: c.ID, Unit: string(unit), Amount: sum.String(), Model: c.ModelName, At: c.At.UTC()},
			Link:   l.Notify.URL + "/a/" + a.Slug + link(at)}})
}
