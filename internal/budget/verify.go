package budget

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/alchemi/cockpit/internal/money"
)

// Difference is something that doesn't say what follows from the ledger.
type Difference struct {
	// Of is where to look: a cycle with its budget, a charge, a statement, a row
	// of usage.
	Of string
	// What is the column that differs, or the rule that is broken.
	What string
	// Says is what stands there, Should what follows from the ledger; both empty
	// where By alone is known.
	Says, Should string
	// By is how much more it says; empty where that is no number.
	By string
}

func (d Difference) String() string {
	if d.Says == "" {
		return fmt.Sprintf("%s: %s is off by %s", d.Of, d.What, d.By)
	}
	text := fmt.Sprintf("%s: %s is %s, should be %s", d.Of, d.What, d.Says, d.Should)
	if d.By != "" {
		text += " (off by " + d.By + ")"
	}
	return text
}

func (c *cycle) label() string { return "budget " + c.budgetID + " cycle " + c.id }

// maxDifferences bounds what each check of Verify returns.
const maxDifferences = 1000

// findings collects the differences of one check.
type findings []Difference

func (f *findings) add(d Difference) {
	if len(*f) < maxDifferences {
		*f = append(*f, d)
	}
}

// amount notes an amount that isn't what it should be.
func (f *findings) amount(of, what string, says, should money.Nano) {
	if says != should {
		by := (says - should).String()
		if says > should {
			by = "+" + by
		}
		f.add(Difference{Of: of, What: what, Says: says.String(), Should: should.String(), By: by})
	}
}

// count notes a number that isn't what it should be.
func (f *findings) count(of, what string, says, should int64) {
	if says != should {
		f.add(Difference{Of: of, What: what, Says: fmt.Sprint(says), Should: fmt.Sprint(should), By: fmt.Sprintf("%+d", says-should)})
	}
}

// Verify computes anew, in one consistent read, everything that follows from the
// ledger, the open holds, the leases and the dated prices: what each charge
// costs, all counters of cycles, their order, what limits and shares come to,
// statements, and the sums of usage. It returns what differs, at most 1,000 of
// each kind. The database does the summing, lines are read one by one: a large
// ledger takes time, and no memory here.
func (e *Engine) Verify(ctx context.Context) ([]Difference, error) {
	e.flushed()
	tx, err := e.db.BeginTx(ctx, &sql.TxOptions{Isolation: e.snapshot(), ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	var out []Difference
	for _, check := range []func(context.Context, conn, *findings) error{
		e.verifyCounters, e.verifyLeases, e.verifyCycles, e.verifyLimits, e.verifyShares,
		e.verifyCharges, e.verifyLines, e.verifyNames, e.verifyStatements, e.verifyModels, e.verifyUsage,
	} {
		var found findings
		if err := check(ctx, tx, &found); err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// snapshot is the isolation at which several reads see one state.
func (d dialect) snapshot() sql.IsolationLevel {
	if d == postgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault // SQLite's every read transaction is a snapshot
}

// staying leaves out accounts that are being deleted, or were: their prices,
// budgets and sums go, or are gone, while the ledger stays.
const staying = "account_id NOT IN (SELECT id FROM accounts WHERE deleting_at IS NOT NULL)"

// eachOf makes a row k of each element of a JSON column, whose text is k.value.
func (d dialect) eachOf(column string) string {
	if d == postgres {
		return "CROSS JOIN LATERAL jsonb_array_elements_text(CASE WHEN jsonb_typeof(" + column + ") = 'array' THEN " + column + " ELSE '[]' END) AS k(value)"
	}
	return "CROSS JOIN json_each(" + column + ") AS k"
}

// named are the lines h of the ledger, once for each cycle k.value that they
// name, with the line o that they correct.
func (d dialect) named() string {
	return "charges h LEFT JOIN charges o ON o.id = h.adjusts AND h.kind = 'ADJUSTED' " + d.eachOf("h.cycles")
}

// elsewhere tells that such a line corrects a charge of another cycle.
const elsewhere = "(o.id IS NOT NULL AND CAST(o.cycles AS TEXT) NOT LIKE '%' || k.value || '%')"

// verifyCounters holds each cycle's counters against the ledger, the open holds
// and the leases.
func (e *Engine) verifyCounters(ctx context.Context, c conn, out *findings) error {
	q := fmt.Sprintf(`WITH ledger AS (SELECT k.value AS cycle_id, CAST(sum(CASE WHEN %[1]s THEN 0 ELSE %[2]s END) AS BIGINT) AS spent,
			CAST(sum(CASE WHEN %[1]s THEN %[2]s ELSE 0 END) AS BIGINT) AS corrections FROM %[3]s GROUP BY 1),
		running AS (SELECT k.value AS cycle_id, CAST(sum(h.amount) AS BIGINT) AS held FROM holds h %[4]s GROUP BY 1),
		leases AS (SELECT cycle_id, CAST(sum(granted) AS BIGINT) AS granted, CAST(sum(spent) AS BIGINT) AS spent, CAST(sum(held) AS BIGINT) AS held FROM budget_leases GROUP BY 1)
		SELECT * FROM (SELECT c.id, c.budget_id, c.folded + coalesce(l.spent, 0) AS a, c.prior + coalesce(g.spent, 0) AS b,
			c.corrections AS d, coalesce(g.corrections, 0) AS e, coalesce(l.held, 0) AS f, coalesce(r.held, 0) AS g,
			c.escrowed AS i, c.folded + coalesce(l.granted, 0) AS j, c.excess AS m,
			CASE WHEN c.escrowed > c.lim + c.overflow THEN c.escrowed - c.lim - c.overflow ELSE 0 END AS n
			FROM budget_cycles c LEFT JOIN ledger g ON g.cycle_id = c.id LEFT JOIN running r ON r.cycle_id = c.id LEFT JOIN leases l ON l.cycle_id = c.id) x
		WHERE a <> b OR d <> e OR f <> g OR i <> j OR m <> n ORDER BY id LIMIT %[5]d`, elsewhere, amountOf, e.named(), e.eachOf("h.cycles"), maxDifferences)
	return e.query(ctx, c, q, nil, func(r *sql.Rows) error {
		var k cycle
		var pairs [5][2]money.Nano
		to := []any{&k.id, &k.budgetID}
		for i := range pairs {
			to = append(to, &pairs[i][0], &pairs[i][1])
		}
		err := r.Scan(to...)
		for i, what := range []string{"spent", "corrections", "held", "escrowed", "excess"} {
			out.amount(k.label(), what, pairs[i][0], pairs[i][1])
		}
		return err
	})
}

// verifyLeases finds leases of which more is taken than was granted.
func (e *Engine) verifyLeases(ctx context.Context, c conn, out *findings) error {
	return e.query(ctx, c, `SELECT l.cycle_id, c.budget_id, l.node_id, l.spent + l.held, l.granted FROM budget_leases l JOIN budget_cycles c ON c.id = l.cycle_id
		WHERE l.spent + l.held > l.granted ORDER BY l.cycle_id, l.node_id`, nil, func(r *sql.Rows) error {
		var k cycle
		var node string
		var taken, granted money.Nano
		err := r.Scan(&k.id, &k.budgetID, &node, &taken, &granted)
		out.amount(k.label(), "what "+node+" has spent and holds of its lease", taken, granted)
		return err
	})
}
