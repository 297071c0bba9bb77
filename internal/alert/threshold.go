package alert

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budgetalert"
	"github.com/alchemi/cockpit/ent/budgetcycle"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Thresholds are those of a budget that has none of its own, in percent.
var Thresholds = []int{80, 95, 100}

// Forecast is the threshold that stands for the forecast's breach of the limit.
const Forecast = 0

// ThresholdsOf are a budget's, ascending.
func ThresholdsOf(b *ent.Budget) []int {
	if len(b.Thresholds) == 0 {
		return Thresholds
	}
	return b.Thresholds
}

// passed are the thresholds that a budget stands at or above. What counts is
// what was spent; a call that was refused counts as the last hundredth of the
// limit, which no call may fit into. A limit of zero passes nothing: it was
// meant.
func passed(s budget.State, thresholds []int, refused bool) (out []int) {
	if s.Limit <= 0 {
		return nil
	}
	for _, t := range thresholds {
		at := s.Limit/100*money.Nano(t) + s.Limit%100*money.Nano(t)/100
		if s.Spent >= at || refused && t == 100 && s.Spent >= s.Limit-s.Limit/100 {
			out = append(out, t)
		}
	}
	return out
}

// breached tells whether the forecast of a cycle means something and lies above
// what may be spent: a tenth of the cycle, and a day at least, has gone by, and
// a tenth of the limit is spent.
func breached(s budget.State, now time.Time) bool {
	gone := now.Sub(s.StartsAt)
	return s.Status == budget.RunsOut && gone >= max(24*time.Hour, s.EndsAt.Sub(s.StartsAt)/10) && s.Spent >= s.Limit/10
}

// judge fires what states have newly passed, and tells of fresh freezes.
func (l *look) judge(ctx context.Context, states []budget.State, rows map[string]*ent.Budget) error {
	found := map[string][]int{}
	ids := []string{}
	first := l.now
	for _, s := range states {
		b := rows[s.BudgetID]
		thresholds := passed(s, ThresholdsOf(b), l.refused[s.BudgetID])
		if breached(s, l.now) {
			thresholds = append(thresholds, Forecast)
		}
		if len(thresholds) > 0 {
			found[s.BudgetID] = thresholds
			ids = append(ids, s.BudgetID)
			if s.StartsAt.Before(first) {
				first = s.StartsAt
			}
		}
		if b.FrozenAt != nil && b.FrozenAt.After(l.since) {
			if err := l.frozen(ctx, s, b); err != nil {
				return err
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	old, err := l.Store.BudgetAlert.Query().Where(budgetalert.BudgetIDIn(ids...), budgetalert.CreatedAtGTE(first)).All(ctx)
	if err != nil {
		return err
	}
	for _, s := range states {
		fired := func(t int) bool {
			return slices.ContainsFunc(old, func(a *ent.BudgetAlert) bool {
				return a.BudgetID == s.BudgetID && a.Threshold == t && !a.CreatedAt.Before(s.StartsAt)
			})
		}
		if slices.ContainsFunc(found[s.BudgetID], func(t int) bool { return !fired(t) }) {
			if err := l.fire(ctx, s, found[s.BudgetID]); err != nil {
				return err
			}
		}
	}
	return nil
}

// fire notes the thresholds that a budget stands at in this cycle, and tells of
// the highest if nobody has: the row that only one can insert decides.
func (l *look) fire(ctx context.Context, s budget.State, thresholds []int) error {
	return l.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		cycle, err := tx.BudgetCycle.Query().Where(budgetcycle.BudgetID(s.BudgetID), budgetcycle.StartsAt(s.StartsAt)).Only(ctx)
		if ent.IsNotFound(err) {
			return nil // it has gone meanwhile
		}
		if err != nil {
			return err
		}
		fresh, err := l.insert(ctx, tx, s, cycle, thresholds)
		if err != nil {
			return err
		}
		// Lower ones than one that was told are history.
		if highest := slices.Max(thresholds); highest != Forecast && slices.Contains(fresh, highest) {
			topic := notify.BudgetThreshold
			if highest >= 100 {
				topic = notify.BudgetExhausted
			}
			if err := l.tell(ctx, tx, topic, about{state: s, cycleID: cycle.ID, threshold: &highest}); err != nil {
				return err
			}
		}
		if slices.Contains(fresh, Forecast) {
			return l.tell(ctx, tx, notify.BudgetForecast, about{state: s, cycleID: cycle.ID})
		}
		return nil
	})
}

func (l *look) insert(ctx context.Context, tx *store.Tx, s budget.State, c *ent.BudgetCycle, thresholds []int) (fresh []int, err error) {
	now := l.now.UTC().Truncate(time.Microsecond)
	var rows []string
	var args []any
	for _, t := range thresholds {
		rows = append(rows, "("+store.In(11)+")")
		args = append(args, id.At(id.BudgetAlert, now), c.AccountID, string(c.Plane), now, s.BudgetID, c.ID, t, int64(s.Limit), int64(max(0, s.Spent)), int64(s.Forecast), s.RunsOutAt)
	}
	err = tx.Rows(ctx, `INSERT INTO budget_alerts (id, account_id, plane, created_at, budget_id, cycle_id, threshold, lim, spent, forecast, runs_out_at)
		VALUES `+strings.Join(rows, ", ")+` ON CONFLICT (budget_id, cycle_id, threshold) DO NOTHING RETURNING threshold`, args, func(r *sql.Rows) error {
		var t int
		err := r.Scan(&t)
		fresh = append(fresh, t)
		return err
	})
	return fresh, err
}

// tell writes the notice of a budget.
func (l *look) tell(ctx context.Context, tx *store.Tx, topic notify.Topic, b about) error {
	if err := b.load(ctx, tx); err != nil {
		return err
	}
	admins, own, err := notify.Responsible(ctx, tx, b.scope)
	if err != nil {
		return err
	}
	title, body := b.words(topic)
	err = l.Notify.Tell(ctx, tx, notify.Notice{Topic: topic, AccountID: b.account.ID, Plane: tenancy.Plane(b.scope.Plane), ScopeID: b.scope.ID,
		Title: title, Body: body, Link: link(b.scope), Cause: b.cause(topic), To: admins, Own: own, Data: b.data(l.Notify.URL)})
	if err != nil {
		return err
	}
	return l.tellPlatform(ctx, tx, topic, b)
}

func (l *look) frozen(ctx context.Context, s budget.State, b *ent.Budget) error {
	return l.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		return l.tell(ctx, tx, notify.BudgetFrozen, about{state: s, reason: b.FreezeReason, frozenAt: *b.FrozenAt})
	})
}
