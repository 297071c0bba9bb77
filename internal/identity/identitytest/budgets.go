package identitytest

import (
	"encoding/json"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budgetalert"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/ent/budgetincrease"
	"github.com/alchemi/cockpit/ent/deputy"
	"github.com/alchemi/cockpit/ent/mutationkey"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/ent/notificationpreference"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/requestrule"
	"github.com/alchemi/cockpit/ent/statement"
	"github.com/alchemi/cockpit/ent/usageday"
	"github.com/alchemi/cockpit/ent/usagetag"
	"github.com/alchemi/cockpit/ent/usagetotal"
	"github.com/alchemi/cockpit/ent/webhook"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/internal/id"
)

// history gives a budget what its life leaves: a raise, an alert, a statement,
// and a request for more.
func (p *planter) history(s *ent.Scope, b *ent.Budget, cycle *ent.BudgetCycle, asks *ent.User) {
	p.t.Helper()
	plane := string(s.Plane)
	p.tx.BudgetIncrease.Create().SetAccountID(s.AccountID).SetPlane(budgetincrease.Plane(plane)).SetBudgetID(b.ID).
		SetAmount(1).SetEndsAt(p.now.Add(time.Hour)).SetEndedAt(p.now).ExecX(p.ctx)
	p.tx.BudgetAlert.Create().SetAccountID(s.AccountID).SetPlane(budgetalert.Plane(plane)).SetBudgetID(b.ID).
		SetCycleID(cycle.ID).SetThreshold(80).SetLim(100).SetSpent(80).ExecX(p.ctx)
	p.tx.Statement.Create().SetAccountID(s.AccountID).SetPlane(statement.Plane(plane)).SetScopeID(s.ID).SetBudgetID(b.ID).
		SetCycleID(id.New(id.BudgetCycle)).SetScopeName(s.Name).SetScopePath(s.Path).SetUnit(statement.Unit(b.Unit)).
		SetStartsAt(p.now.Add(-24 * time.Hour)).SetEndsAt(p.now).SetLim(100).SetSpent(1).ExecX(p.ctx)
	if asks != nil {
		p.tx.Request.Create().SetAccountID(s.AccountID).SetPlane(entrequest.Plane(plane)).SetScopeID(s.ID).
			SetRequestedBy(asks.ID).SetAmount(1).SetReason("more tests").SetWaitsAt(*s.ParentID).ExecX(p.ctx)
		p.tx.RequestRule.Create().SetAccountID(s.AccountID).SetPlane(requestrule.Plane(plane)).SetScopeID(s.ID).
			SetKind(requestrule.KindBUDGET).SetAuthority("/").ExecX(p.ctx)
	}
}

// used rolls a charge of a key up.
func (p *planter) used(l *Plane, s *ent.Scope) {
	p.t.Helper()
	plane, day := string(s.Plane), int(p.now.Unix()/86400)
	p.tx.UsageDay.Create().SetAccountID(s.AccountID).SetPlane(usageday.Plane(plane)).SetDay(day).SetPath(s.Path).
		SetKeyID(s.ID).SetModelID(l.Model.ID).SetModelName(l.Model.Name).SetCalls(1).SetCost(1).ExecX(p.ctx)
	p.tx.UsageTag.Create().SetAccountID(s.AccountID).SetPlane(usagetag.Plane(plane)).SetDay(day).SetPath(s.Path).SetTag("ci").
		SetKeyID(s.ID).SetModelID(l.Model.ID).SetModelName(l.Model.Name).SetCalls(1).SetCost(1).ExecX(p.ctx)
}

// told leaves a person's inbox and preference, and the account a webhook.
func (p *planter) told(a *Account, who ...*ent.User) {
	p.t.Helper()
	for _, u := range who {
		p.tx.Notification.Create().SetAccountID(u.AccountID).SetPlane(notification.PlaneACCOUNT).SetUserID(u.ID).
			SetTopic(notification.TopicBUDGET_THRESHOLD).SetAboutPlane(notification.AboutPlaneCONSOLE).SetTitle("80% used").SetCause("test").ExecX(p.ctx)
		p.tx.Deputy.Create().SetAccountID(u.AccountID).SetPlane(deputy.PlaneACCOUNT).SetUserID(u.ID).SetDeputyID(u.ID).SetUntil(p.now).ExecX(p.ctx)
		p.tx.NotificationPreference.Create().SetAccountID(u.AccountID).SetPlane(notificationpreference.PlaneACCOUNT).SetUserID(u.ID).
			SetTopic(notificationpreference.TopicBUDGET_THRESHOLD).SetMail(true).ExecX(p.ctx)
		p.tx.MutationKey.Create().SetAccountID(u.AccountID).SetPlane(mutationkey.PlaneACCOUNT).SetSubject(u.ID).SetUserID(u.ID).
			SetMutation("keyCreate").SetKeyHash("k").SetSealedRequest([]byte("sealed")).SetSealedAnswer([]byte("sealed")).SetExpiresAt(p.now.Add(24 * time.Hour)).ExecX(p.ctx)
	}
	hook := p.tx.Webhook.Create().SetAccountID(a.Row.ID).SetPlane(webhook.PlaneACCOUNT).SetName("ops").SetURL("https://ops.example/hook").
		SetTopics([]string{"BUDGET_THRESHOLD"}).SetSecret([]byte("sealed")).SaveX(p.ctx)
	p.tx.WebhookDelivery.Create().SetAccountID(a.Row.ID).SetPlane(webhookdelivery.PlaneACCOUNT).SetWebhookID(hook.ID).SetMessageID("msg_" + a.Row.ID[4:]).
		SetTopic(webhookdelivery.TopicBUDGET_THRESHOLD).SetPayload(json.RawMessage("{}")).SetNextAt(p.now).ExecX(p.ctx)
}

// total is what the platform sees of a plane's charges.
func (p *planter) total(l *Plane, s *ent.Scope) {
	p.t.Helper()
	p.tx.UsageTotal.Create().SetAccountID(s.AccountID).SetPlane(usagetotal.Plane(string(s.Plane))).SetDay(int(p.now.Unix() / 86400)).
		SetModelID(l.Model.ID).SetModelName(l.Model.Name).SetCalls(1).SetCost(1).ExecX(p.ctx)
}

func (p *planter) cycle(s *ent.Scope, b *ent.Budget) *ent.BudgetCycle {
	return p.tx.BudgetCycle.Create().SetAccountID(s.AccountID).SetPlane(budgetcycle.Plane(s.Plane)).SetBudgetID(b.ID).
		SetStartsAt(p.now).SetEndsAt(p.now.Add(24 * time.Hour)).SetLim(100).SaveX(p.ctx)
}
