package alert_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	entalert "github.com/alchemi/cockpit/ent/budgetalert"
	"github.com/alchemi/cockpit/ent/notification"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/webhookdelivery"
	"github.com/alchemi/cockpit/internal/alert"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity/identitytest"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/store/storetest"
	"github.com/alchemi/cockpit/internal/tenancy"
)

const usd = money.One

// world is the tree of tests with an engine, and nothing told yet.
type world struct {
	*identitytest.Trees
	t      testing.TB
	engine *budget.Engine
	ahead  atomic.Int64
}

func (w *world) now() time.Time { return w.Store.Now().Add(time.Duration(w.ahead.Load())) }

func newWorld(t testing.TB, st *store.Store) *world {
	t.Helper()
	w := &world{Trees: identitytest.Tree(t, st), t: t}
	w.engine = budget.New(st, budget.Options{Now: w.now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, w.engine.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, w.engine.Close(context.Background())) })
	w.change(func(ctx context.Context, tx *store.Tx) {
		tx.BudgetAlert.Delete().ExecX(ctx)
		tx.Notification.Delete().ExecX(ctx)
		tx.WebhookDelivery.Delete().ExecX(ctx)
	})
	for _, table := range []string{"statements", "charges"} {
		_, err := st.System().ExecContext(t.Context(), "DELETE FROM "+table) //nolint:gosec // our own words
		if table == "charges" && err != nil {
			continue // append-only there
		}
		require.NoError(t, err)
	}
	return w
}

func (w *world) change(f func(ctx context.Context, tx *store.Tx)) {
	w.t.Helper()
	require.NoError(w.t, w.Store.InTx(identitytest.System(w.t), func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		f(ctx, tx)
		return nil
	}))
}

func (w *world) watcher() *alert.Watcher {
	return &alert.Watcher{Store: w.Store, Budgets: w.engine, Now: w.now, Log: slog.New(slog.DiscardHandler),
		Notify: &notify.Notifier{Store: w.Store, URL: "https://cockpit.test"}}
}

func (w *world) limit(s *ent.Scope, limit, overflow money.Nano) {
	w.t.Helper()
	w.change(func(ctx context.Context, tx *store.Tx) {
		_, err := w.engine.Set(ctx, tx, s.ID, budget.Spec{Limit: limit, Overflow: overflow})
		require.NoError(w.t, err)
	})
}

// roomy gives a plane's budgets so much that the member's team alone is tight.
func (w *world) roomy(p *identitytest.Plane, team money.Nano) {
	w.t.Helper()
	w.limit(p.Root, 100_000*usd, 0)
	w.limit(p.Org, 50_000*usd, 0)
	w.limit(p.Team, team, 0)
	w.change(func(ctx context.Context, tx *store.Tx) {
		_, err := w.engine.Remove(ctx, tx, p.Member.ID)
		require.NoError(w.t, err)
	})
}

// spend charges whole units through the member's key.
func (w *world) spend(p *identitytest.Plane, units int64) error {
	w.t.Helper()
	return w.spendBy(p, "", units)
}

// spendBy does so through an agent.
func (w *world) spendBy(p *identitytest.Plane, agentID string, units int64) error {
	w.t.Helper()
	c := budget.Call{AccountID: p.Root.AccountID, Plane: tenancy.Plane(p.Root.Plane), Path: p.KeyScope.Path, OrganizationID: p.Org.ID, TeamID: p.Team.ID,
		MemberID: p.Member.ID, KeyID: p.Key.ID, AgentID: agentID, ModelID: p.Model.ID, ModelName: "smart", PriceID: "prc_x",
		Prices: budget.Prices{Output: 1_000_000 * usd}, RequestID: id.New(id.Request)}
	if c.Plane == tenancy.Copilot {
		c.FactorID, c.FactorPPM = "fac_x", money.FactorOne
	}
	h, err := w.engine.Hold(w.t.Context(), c, budget.Usage{Output: units})
	if err != nil {
		return err
	}
	_, err = h.Settle(w.t.Context(), budget.Usage{Output: units}, budget.Outcome{})
	return err
}

func (w *world) fired(s *ent.Scope, p *identitytest.Plane) (out []int) {
	w.t.Helper()
	for _, a := range w.Store.BudgetAlert.Query().Where(entalert.BudgetID(p.Budgets[s.ID].ID)).Order(ent.Asc(entalert.FieldThreshold)).AllX(identitytest.System(w.t)) {
		out = append(out, a.Threshold)
	}
	return out
}

// told are the topics in a person's inbox, the oldest first.
func (w *world) told(v *tenancy.Viewer) (out []string) {
	w.t.Helper()
	for _, n := range w.Store.Notification.Query().Where(notification.UserID(v.UserID)).Order(ent.Asc(notification.FieldID)).AllX(identitytest.System(w.t)) {
		out = append(out, string(n.Topic))
	}
	return out
}

func TestThresholdsFireOncePerCycleAcrossReplicas(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		p := w.A.Console
		w.roomy(p, 100*usd)
		replicas := []*alert.Watcher{w.watcher(), w.watcher()}
		look := func() {
			t.Helper()
			var all sync.WaitGroup
			for _, r := range replicas {
				all.Go(func() {
					for range 4 {
						require.NoError(t, r.Look(context.Background()))
					}
				})
			}
			all.Wait()
		}
		look()
		require.Empty(t, w.fired(p.Team, p))

		require.NoError(t, w.spend(p, 79))
		look()
		require.Empty(t, w.fired(p.Team, p), "79% isn't 80%")
		require.NoError(t, w.spend(p, 1))
		look()
		require.Equal(t, []int{80}, w.fired(p.Team, p))
		require.Equal(t, []string{"BUDGET_THRESHOLD"}, w.told(p.TeamAdmin))

		require.NoError(t, w.spend(p, 20))
		look()
		require.Equal(t, []int{80, 95, 100}, w.fired(p.Team, p))
		require.Equal(t, []string{"BUDGET_THRESHOLD", "BUDGET_EXHAUSTED"}, w.told(p.TeamAdmin), "the highest of those passed at once is told, the others aren't")

		// A replica that starts anew looks at everything, and tells nothing again.
		replicas = append(replicas, w.watcher())
		look()
		require.Equal(t, []string{"BUDGET_THRESHOLD", "BUDGET_EXHAUSTED"}, w.told(p.TeamAdmin))

		// The next cycle has its own.
		w.ahead.Store(int64(w.state(p, p.Team).EndsAt.Sub(st.Now()) + time.Hour))
		require.NoError(t, w.spend(p, 85))
		look()
		require.Equal(t, []int{80, 80, 95, 100}, w.fired(p.Team, p))
		require.Equal(t, []string{"BUDGET_THRESHOLD", "BUDGET_EXHAUSTED", "BUDGET_THRESHOLD"}, w.told(p.TeamAdmin))
	})
}

// The budget of an agent lies on no path of those who call through it; a look at
// what was charged finds it all the same.
func TestAgentsBudgetsAreLookedAt(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		p := w.A.Copilot
		w.roomy(p, 10_000*usd)
		agent := st.Scope.Query().Where(scope.AccountID(p.Root.AccountID), scope.KindEQ(scope.KindAGENT)).FirstX(identitytest.System(t))
		w.limit(agent, 10*usd, 0)
		watcher := w.watcher()
		require.NoError(t, watcher.Look(t.Context()))
		require.NoError(t, w.spendBy(p, agent.ID, 9))
		require.NoError(t, watcher.Look(t.Context()), "not at all budgets: that was just done")
		require.Equal(t, 1, st.BudgetAlert.Query().Where(entalert.HasBudgetWith(entbudget.ScopeID(agent.ID))).CountX(identitytest.System(t)))
	})
}

func TestOnlyThoseWithReachAreTold(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		p := w.A.Console
		w.roomy(p, 100*usd)
		w.limit(p.Member, 90*usd, 0)
		watcher := w.watcher()
		require.NoError(t, watcher.Look(t.Context()))
		require.NoError(t, w.spend(p, 86))
		require.NoError(t, watcher.Look(t.Context()))

		both := []string{"BUDGET_THRESHOLD", "BUDGET_THRESHOLD"} // of the team, and of the member
		for _, v := range []*tenancy.Viewer{w.A.Admin, p.Admin, p.OrgAdmin, p.TeamAdmin} {
			require.Equal(t, both, w.told(v), v.Name)
		}
		require.Equal(t, both[:1], w.told(p.Seat), "people hear of their own budget")
		for _, v := range []*tenancy.Viewer{w.A.Nobody, p.SiblingOrgAdmin, p.SiblingTeamAdmin, w.A.Copilot.Admin, w.A.Copilot.OrgAdmin,
			w.A.Copilot.TeamAdmin, w.A.Copilot.Seat, w.B.Admin, w.B.Console.Admin, w.B.Console.TeamAdmin, w.SuperAdmin} {
			require.Empty(t, w.told(v), v.Name)
		}
		own := w.Store.Notification.Query().Where(notification.UserID(p.Seat.UserID)).OnlyX(identitytest.System(t))
		require.Equal(t, "/me", own.Link, "members have no page of budgets")
		require.Equal(t, notification.AboutPlaneCONSOLE, own.AboutPlane)
		require.Equal(t, p.Member.ID, own.ScopeID)

		// Webhooks of the account alone.
		for _, d := range st.WebhookDelivery.Query().AllX(identitytest.System(t)) {
			require.Equal(t, w.A.Row.ID, d.AccountID)
			require.Equal(t, webhookdelivery.TopicBUDGET_THRESHOLD, d.Topic)
			var e struct {
				Type string
				Data alert.Data
			}
			require.NoError(t, json.Unmarshal(d.Payload, &e))
			require.Equal(t, "budget.threshold", e.Type)
			require.Contains(t, []string{p.Team.ID, p.Member.ID}, e.Data.Scope.ID)
			require.Equal(t, "86", e.Data.Budget.Spent)
		}
		require.Equal(t, 2, st.WebhookDelivery.Query().CountX(identitytest.System(t)))
	})
}

func TestRefusedCallsUseUpTheLastHundredth(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t))
	p := w.A.Copilot
	w.roomy(p, 1000*usd)
	watcher := w.watcher()
	refuse := func(units int64) {
		t.Helper()
		err := w.spend(p, units)
		var e *budget.Exceeded
		require.ErrorAs(t, err, &e)
		watcher.Refused(e)
		require.NoError(t, watcher.Look(t.Context()))
	}
	require.NoError(t, w.spend(p, 500))
	refuse(600)
	require.Empty(t, w.fired(p.Team, p), "a call that asks for a lot says nothing of the budget")
	require.NoError(t, w.spend(p, 495))
	refuse(6)
	require.Equal(t, []int{80, 95, 100}, w.fired(p.Team, p))
	require.Equal(t, []string{"BUDGET_EXHAUSTED"}, w.told(p.TeamAdmin))
}

func TestForecastsAreToldOnceTheyMeanSomething(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t))
	p := w.A.Console
	w.roomy(p, 100*usd)
	watcher := w.watcher()
	require.NoError(t, watcher.Look(t.Context()))
	s := w.state(p, p.Team)
	w.ahead.Store(int64(time.Minute))
	require.NoError(t, w.spend(p, 70))
	require.NoError(t, watcher.Look(t.Context()))
	require.Empty(t, w.fired(p.Team, p), "nothing is known on the first day")
	if s.EndsAt.Sub(w.now()) < 5*24*time.Hour {
		// The month is all but over: the next one is as good.
		w.ahead.Store(int64(s.EndsAt.Sub(w.Store.Now()) + time.Hour))
		require.NoError(t, w.spend(p, 70))
		s = w.state(p, p.Team)
	}
	gone := s.StartsAt.Add(max(25*time.Hour, s.EndsAt.Sub(s.StartsAt)/10+time.Hour))
	w.ahead.Store(int64(gone.Sub(w.Store.Now())))
	require.NoError(t, w.spend(p, 1))
	require.NoError(t, watcher.Look(t.Context()))
	require.NoError(t, watcher.Look(t.Context()))
	require.Equal(t, []int{alert.Forecast}, w.fired(p.Team, p))
	require.Equal(t, []string{"BUDGET_FORECAST"}, w.told(p.TeamAdmin))
}

func (w *world) state(p *identitytest.Plane, s *ent.Scope) budget.State {
	w.t.Helper()
	list, err := w.engine.States(w.t.Context(), tenancy.Reach{AccountID: p.Root.AccountID, Plane: tenancy.Plane(p.Root.Plane), Path: "/" + p.Root.AccountID + "/"},
		[]string{p.Budgets[s.ID].ID})
	require.NoError(w.t, err)
	require.Len(w.t, list, 1)
	return list[0]
}

func TestOtherTopics(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		w := newWorld(t, st)
		p := w.A.Console
		w.roomy(p, 100*usd)
		watcher := w.watcher()
		require.NoError(t, watcher.Look(t.Context()))
		at := w.now()
		w.change(func(ctx context.Context, tx *store.Tx) {
			tx.Budget.UpdateOneID(p.Budgets[p.Team.ID].ID).SetFrozenAt(at).SetFreezeReason("a loop").ExecX(ctx)
			for _, s := range []*ent.Scope{p.Root, p.Team} {
				tx.Statement.Create().SetAccountID(s.AccountID).SetPlane("CONSOLE").SetScopeID(s.ID).SetBudgetID(p.Budgets[s.ID].ID).
					SetCycleID(id.New(id.BudgetCycle)).SetScopeName(s.Name).SetScopePath(s.Path).SetUnit("USD").
					SetStartsAt(at.Add(-24 * time.Hour)).SetEndsAt(at).SetLim(int64(100 * usd)).SetCarriedIn(int64(3 * usd)).SetRaised(int64(7 * usd)).SetSpent(int64(12 * usd)).ExecX(ctx)
			}
			tx.Charge.Create().SetAccountID(p.Root.AccountID).SetPlane("CONSOLE").SetKind("LATE").SetPath(p.KeyScope.Path).SetTeamID(p.Team.ID).
				SetCycles([]string{}).SetModelID(p.Model.ID).SetModelName("smart").SetRequestID(id.New(id.Request)).SetCost(int64(3 * usd)).
				SetHeldAt(at).SetAt(at).SetDay(int(at.Unix() / 86400)).ExecX(ctx)
		})
		for range 3 {
			require.NoError(t, watcher.Look(t.Context()))
		}
		sorted := func(v *tenancy.Viewer) []string { s := w.told(v); slices.Sort(s); return s }
		require.Equal(t, []string{"BUDGET_FROZEN", "CHARGE_LATE", "STATEMENT_READY"}, sorted(p.TeamAdmin))
		require.Equal(t, []string{"BUDGET_FROZEN", "CHARGE_LATE"}, sorted(p.OrgAdmin), "statements go to the admins of their scope")
		require.Equal(t, []string{"BUDGET_FROZEN", "CHARGE_LATE", "STATEMENT_READY"}, sorted(w.A.Admin), "and the plane's to the account's")
		require.Empty(t, w.told(p.SiblingTeamAdmin))
		frozen := st.Notification.Query().Where(notification.UserID(p.TeamAdmin.UserID), notification.TopicEQ("BUDGET_FROZEN")).OnlyX(identitytest.System(t))
		require.Equal(t, "The budget of team Risk is frozen", frozen.Title)
		require.Contains(t, frozen.Body, "a loop")
		ready := st.Notification.Query().Where(notification.UserID(p.TeamAdmin.UserID), notification.TopicEQ("STATEMENT_READY")).OnlyX(identitytest.System(t))
		require.Contains(t, ready.Body, "$12.00 of $100.00 spent", "what was carried in and raised is part of the limit")

		// A line that is committed long after its date is found by the next look at
		// all budgets, and what was told already isn't told again.
		w.change(func(ctx context.Context, tx *store.Tx) {
			s := p.Root
			tx.Statement.Create().SetAccountID(s.AccountID).SetPlane("CONSOLE").SetScopeID(s.ID).SetBudgetID(p.Budgets[s.ID].ID).SetCreatedAt(at.Add(-time.Minute)).
				SetCycleID(id.New(id.BudgetCycle)).SetScopeName(s.Name).SetScopePath(s.Path).SetUnit("USD").
				SetStartsAt(at.Add(-48 * time.Hour)).SetEndsAt(at.Add(-24 * time.Hour)).SetLim(int64(100 * usd)).SetSpent(int64(12 * usd)).ExecX(ctx)
		})
		require.NoError(t, watcher.Look(t.Context()))
		require.Len(t, w.told(w.A.Admin), 3)
		w.ahead.Store(int64(6 * time.Minute))
		require.NoError(t, watcher.Look(t.Context()))
		require.Len(t, w.told(w.A.Admin), 4)
	})
}
