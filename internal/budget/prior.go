package budget

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// priorWindow is how long calls may run that a new budget doesn't know of.
const priorWindow = time.Hour

// amountOf is what budgets were charged, as charge.amount says.
const amountOf = "CASE WHEN h.plane = 'COPILOT' THEN h.credits ELSE h.cost END"

// payer is the ledger's column of a kind of scope; "" for a plane's root, whose
// every line is its own.
func payer(kind tenancy.Kind) string {
	return map[tenancy.Kind]string{
		tenancy.KindOrganization: "h.organization_id", tenancy.KindTeam: "h.team_id", tenancy.KindMember: "h.member_id", tenancy.KindKey: "h.key_id", tenancy.KindAgent: "h.agent_id",
	}[kind]
}

// firstCycle is the oldest cycle of a budget, the one that may cover a time
// before the budget; unclosed.
type firstCycle struct {
	id, accountID    string
	plane            tenancy.Plane
	scopeID          string
	kind             tenancy.Kind
	startsAt, endsAt time.Time
	prior            money.Nano
	all              []string // cycles of the budget
}

func (d dialect) firstCycle(ctx context.Context, c conn, budgetID string) (*firstCycle, error) {
	var out *firstCycle
	var all []string
	err := d.query(ctx, c, `SELECT c.id, c.account_id, c.plane, b.scope_id, s.kind, c.starts_at, c.ends_at, c.prior, c.closed_at
		FROM budget_cycles c JOIN budgets b ON b.id = c.budget_id JOIN scopes s ON s.id = b.scope_id
		WHERE c.budget_id = $1 ORDER BY c.starts_at`, []any{budgetID}, func(r *sql.Rows) error {
		var f firstCycle
		var closed sql.NullTime
		err := r.Scan(&f.id, &f.accountID, &f.plane, &f.scopeID, &f.kind, &f.startsAt, &f.endsAt, &f.prior, &closed)
		if len(all) == 0 && !closed.Valid {
			out = &f
		}
		all = append(all, f.id)
		return err
	})
	if out != nil {
		out.all = all
	}
	return out, err
}

// lines says which lines of the ledger are of the cycle's time and scope, and
// name no cycle of the budget.
func (f *firstCycle) lines(p *params) string {
	where := []string{
		"h.account_id = " + p.add(f.accountID), "h.plane = " + p.add(string(f.plane)),
		"h.at >= " + p.add(stamp(f.startsAt.AddDate(0, 0, -skewDays))), "h.held_at >= " + p.add(stamp(f.startsAt)), "h.held_at < " + p.add(stamp(f.endsAt)),
	}
	if column := payer(f.kind); column != "" {
		where = append(where, column+" = "+p.add(f.scopeID))
	}
	for _, k := range f.all {
		where = append(where, "CAST(h.cycles AS TEXT) NOT LIKE "+p.add("%"+k+"%"))
	}
	return strings.Join(where, " AND ")
}

// countPrior brings what a budget's first cycle counts of calls that don't know
// the budget to what the ledger says: those before it, and those that ran when
// it was made.
func (d dialect) countPrior(ctx context.Context, c conn, budgetID string) (changed *firstCycle, err error) {
	f, err := d.firstCycle(ctx, c, budgetID)
	if err != nil || f == nil {
		return nil, err
	}
	locked, err := d.lockCycles(ctx, c, []string{f.id})
	if err != nil || locked[f.id] == nil {
		return nil, err
	}
	// Under the lock: another replica may have counted meanwhile.
	if f, err = d.firstCycle(ctx, c, budgetID); err != nil || f == nil {
		return nil, err
	}
	sum, err := d.sumPrior(ctx, c, f)
	if err != nil || sum == f.prior {
		return nil, err
	}
	row := locked[f.id]
	row.escrow(sum-f.prior, sum-f.prior)
	row.exceed()
	_, err = d.exec(ctx, c, "UPDATE budget_cycles SET escrowed = escrowed + $2, folded = folded + $2, prior = prior + $2, excess = $3, revision = revision + 1 WHERE id = $1",
		f.id, int64(sum-f.prior), int64(row.excess))
	if err == nil {
		// There is less to give than was leased by.
		err = d.recall(ctx, c, []string{f.id}, "")
	}
	return f, err
}

// sumPrior is what the ledger says that a first cycle has to count.
func (d dialect) sumPrior(ctx context.Context, c conn, f *firstCycle) (sum money.Nano, err error) {
	var p params
	err = d.query(ctx, c, "SELECT CAST(COALESCE(SUM("+amountOf+"), 0) AS BIGINT) FROM charges h WHERE "+f.lines(&p), p, scanInto(&sum))
	return sum, err
}

// newcomer is a budget that was made in the last hour.
type newcomer struct {
	budgetID, scopeID string
	kind              tenancy.Kind
	place
	madeAt time.Time
}

const (
	// learned is how long replicas take at most to learn of a new budget, on clocks
	// that differ, or were set back.
	learned = 5 * time.Minute
	// unwritten is how long a line may wait for an absent database.
	unwritten = 10 * time.Minute
)

// CountPrior counts the calls that ran while their scope got its budget, for
// all budgets of the last hour. Closing a cycle counts them once more.
func (e *Engine) CountPrior(ctx context.Context) error {
	e.flushed()
	byPlace := map[place][]newcomer{}
	err := e.query(ctx, e.db, `SELECT c.budget_id, b.scope_id, s.kind, c.account_id, c.plane, c.created_at
		FROM budget_cycles c JOIN budgets b ON b.id = c.budget_id JOIN scopes s ON s.id = b.scope_id
		WHERE c.closed_at IS NULL AND c.created_at > $1 AND c.starts_at < c.created_at
		AND NOT EXISTS (SELECT 1 FROM budget_cycles f WHERE f.budget_id = c.budget_id AND f.starts_at < c.starts_at) ORDER BY 1`, []any{stamp(e.now().Add(-priorWindow))}, func(r *sql.Rows) error {
		var n newcomer
		err := r.Scan(&n.budgetID, &n.scopeID, &n.kind, &n.accountID, &n.plane, &n.madeAt)
		byPlace[n.place] = append(byPlace[n.place], n)
		return err
	})
	if err != nil {
		return err
	}
	for p, list := range byPlace {
		paid, err := e.paidMeanwhile(ctx, p, list)
		if err != nil {
			return err
		}
		for _, n := range list {
			if len(paid) == 0 || payer(n.kind) != "" && !paid[n.scopeID] {
				continue
			}
			if err := e.countNewcomer(ctx, n.budgetID); err != nil {
				return fmt.Errorf("budget %s: %w", n.budgetID, err)
			}
		}
	}
	return nil
}

// paidMeanwhile are the scopes that calls were charged to which began before the
// tree's new budgets were known everywhere, and ended after the first was made.
func (e *Engine) paidMeanwhile(ctx context.Context, p place, list []newcomer) (map[string]bool, error) {
	from, to := list[0].madeAt, list[0].madeAt
	for _, n := range list {
		if n.madeAt.Before(from) {
			from = n.madeAt
		}
		if n.madeAt.After(to) {
			to = n.madeAt
		}
	}
	paid := map[string]bool{}
	return paid, e.query(ctx, e.db, `SELECT DISTINCT h.organization_id, h.team_id, h.member_id, h.key_id, h.agent_id FROM charges h
		WHERE h.account_id = $1 AND h.plane = $2 AND h.at >= $3 AND h.held_at <= $4`,
		[]any{p.accountID, string(p.plane), stamp(from.Add(-unwritten)), stamp(to.Add(learned))}, func(r *sql.Rows) error {
			ids := make([]string, 5)
			err := r.Scan(&ids[0], &ids[1], &ids[2], &ids[3], &ids[4])
			for _, k := range ids {
				paid[k] = true
			}
			return err
		})
}

// countNewcomer counts what a new budget doesn't know of, if there is anything.
func (e *Engine) countNewcomer(ctx context.Context, budgetID string) error {
	f, err := e.firstCycle(ctx, e.db, budgetID)
	if err != nil || f == nil {
		return err
	}
	if sum, err := e.sumPrior(ctx, e.db, f); err != nil || sum == f.prior {
		return err
	}
	var changed *firstCycle
	err = e.store.WriteTx(ctx, func(tx *sql.Tx) (err error) {
		changed, err = e.countPrior(ctx, tx, budgetID)
		return err
	})
	if err == nil && changed != nil {
		e.node.forget(changed.accountID)
		e.node.close([]string{changed.id})
		e.nudge()
	}
	return err
}
