package budget

import (
	"context"
	"database/sql"

	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// proof is a charge with all its lines, and what they can be computed from.
type proof struct {
	charge
	day int
	// lines are the sums over the lines that came to it, late those of overruns
	// alone, corrected how many lowered it.
	lines, late counters
	corrected   int64
	price       sql.NullString
	ppm         sql.NullInt64
	erased      bool // the account was deleted, and its prices with it
}

func (u *Usage) to() []any {
	return []any{&u.Input, &u.CachedInput, &u.CacheWrite, &u.Output, &u.Reasoning, &u.AudioInput, &u.AudioOutput}
}

// verifyCharges prices every charge anew, from the price version and the factor
// that it names.
func (e *Engine) verifyCharges(ctx context.Context, c conn, out *findings) error {
	q := `SELECT h.id, h.account_id, h.plane, h.kind, h.price_id, h.factor_id, h.factor_ppm, h.held, h.cost, h.credits, h.at, h.day,
		h.input_tokens, h.cached_input_tokens, h.cache_write_tokens, h.output_tokens, h.reasoning_tokens, h.audio_input_tokens, h.audio_output_tokens,
		coalesce(x.cost, 0), coalesce(x.credits, 0), coalesce(x.late_cost, 0), coalesce(x.late_credits, 0), coalesce(x.corrected, 0),
		coalesce(x.input_tokens, 0), coalesce(x.cached_input_tokens, 0), coalesce(x.cache_write_tokens, 0), coalesce(x.output_tokens, 0), coalesce(x.reasoning_tokens, 0),
		coalesce(x.audio_input_tokens, 0), coalesce(x.audio_output_tokens, 0), f.ppm, CASE WHEN a.deleting_at IS NULL THEN 0 ELSE 1 END, p.id,
		coalesce(p.input, 0), p.cached_input, p.cache_write, coalesce(p.output, 0), p.reasoning, p.audio_input, p.audio_output, coalesce(p.request, 0)
		FROM charges h JOIN accounts a ON a.id = h.account_id LEFT JOIN prices p ON p.id = h.price_id LEFT JOIN credit_factors f ON f.id = h.factor_id
		LEFT JOIN (SELECT adjusts, CAST(sum(cost) AS BIGINT) AS cost, CAST(sum(credits) AS BIGINT) AS credits,
			CAST(sum(CASE WHEN kind = 'LATE' THEN cost ELSE 0 END) AS BIGINT) AS late_cost, CAST(sum(CASE WHEN kind = 'LATE' THEN credits ELSE 0 END) AS BIGINT) AS late_credits,
			sum(CASE WHEN kind = 'ADJUSTED' THEN 1 ELSE 0 END) AS corrected, CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
			CAST(sum(cached_input_tokens) AS BIGINT) AS cached_input_tokens, CAST(sum(cache_write_tokens) AS BIGINT) AS cache_write_tokens,
			CAST(sum(output_tokens) AS BIGINT) AS output_tokens, CAST(sum(reasoning_tokens) AS BIGINT) AS reasoning_tokens,
			CAST(sum(audio_input_tokens) AS BIGINT) AS audio_input_tokens, CAST(sum(audio_output_tokens) AS BIGINT) AS audio_output_tokens
			FROM charges WHERE adjusts <> '' GROUP BY adjusts) x ON x.adjusts = h.id
		WHERE h.adjusts = ''`
	return e.query(ctx, c, q, nil, func(r *sql.Rows) error {
		var p proof
		to := append([]any{&p.id, &p.AccountID, &p.Plane, &p.kind, &p.PriceID, &p.FactorID, &p.FactorPPM, &p.held, &p.cost, &p.credits, &p.at, &p.day}, p.usage.to()...)
		to = append(to, &p.lines.cost, &p.lines.credits, &p.late.cost, &p.late.credits, &p.corrected)
		to = append(append(to, p.lines.usage.to()...), &p.ppm, &p.erased, &p.price)
		err := r.Scan(append(to, p.Prices.to()...)...)
		p.verify(out)
		return err
	})
}

func (p *proof) verify(out *findings) {
	of := "charge " + p.id
	if p.PriceID != "" {
		of += " at price " + p.PriceID
	}
	gone := func(what, id string) {
		if !p.erased {
			out.add(Difference{Of: of, What: what, Says: id + ", which is gone", Should: "one that there is"})
		}
	}
	// The account's day by the time zone it then had: no zone is a day away from UTC.
	if utc := DayOf(p.at.UTC()); p.day < utc-1 || p.day > utc+1 {
		out.count(of, "day", int64(p.day), int64(utc))
	}
	// As it was charged, and as it stands after corrections.
	was, is := counters{cost: p.cost + p.late.cost, credits: p.credits + p.late.credits}, counters{cost: p.cost + p.lines.cost, credits: p.credits + p.lines.credits}
	charged := was.cost
	if p.Plane == tenancy.Copilot {
		charged = was.credits
		switch {
		case p.FactorID == "":
		case !p.ppm.Valid:
			gone("factor", p.FactorID)
		default:
			out.count(of, "factor in ppm", p.FactorPPM, p.ppm.Int64)
		}
		p.worth(out, of, "credits", was)
		if is != was {
			p.worth(out, of, "credits after corrections", is)
		}
	} else {
		out.amount(of, "credits", is.credits, 0)
	}
	priced := p.PriceID != "" && p.price.Valid
	switch {
	case p.PriceID != "" && !priced:
		gone("price", p.PriceID)
	case p.kind == Settled && priced:
		p.costs(out, of, "cost", p.usage, was.cost)
	default:
		// In doubt, or by a ceiling: what was held, whatever was used.
		out.amount(of, "what it was charged", charged, p.held)
	}
	switch used := p.usage.plus(p.lines.usage); {
	case p.corrected == 0:
	case used == Usage{} && is.cost == 0: // given back
	case priced:
		p.costs(out, of, "cost after corrections", used, is.cost)
	case !p.erased:
		out.amount(of, "cost after corrections", is.cost, 0)
	}
}

// worth holds credits against the cost that they come of.
func (p *proof) worth(out *findings, of, what string, x counters) {
	if credits, err := money.Credits(max(0, x.cost), p.FactorPPM); err == nil {
		out.amount(of, what, x.credits, credits)
	}
}

// costs holds a cost against what was used.
func (p *proof) costs(out *findings, of, what string, u Usage, says money.Nano) {
	cost, err := p.Prices.Cost(u)
	if err != nil {
		out.add(Difference{Of: of, What: what, Says: says.String(), Should: "none: " + err.Error()})
		return
	}
	out.amount(of, what, says, cost)
}

// verifyLines finds lines that came to a charge and can't have.
func (e *Engine) verifyLines(ctx context.Context, c conn, out *findings) error {
	return e.query(ctx, c, `SELECT h.id, h.kind, h.adjusts, `+amountOf+`, coalesce(o.kind, ''), coalesce(o.account_id || o.plane, '') = h.account_id || h.plane
		FROM charges h LEFT JOIN charges o ON o.id = h.adjusts
		WHERE (h.adjusts <> '') <> (h.kind IN ('LATE', 'ADJUSTED')) OR h.adjusts <> '' AND (o.id IS NULL OR o.adjusts <> '' OR o.account_id <> h.account_id OR o.plane <> h.plane)
			OR h.kind = 'LATE' AND (h.cost < 0 OR h.credits < 0) OR h.kind = 'ADJUSTED' AND (h.cost > 0 OR h.credits > 0)
			OR h.kind IN ('SETTLED', 'IN_DOUBT') AND (h.cost < 0 OR h.credits < 0)
		ORDER BY h.id`, nil, func(r *sql.Rows) error {
		var k, adjusts, first string
		var kind Kind
		var amount money.Nano
		var same bool
		err := r.Scan(&k, &kind, &adjusts, &amount, &first, &same)
		of := "line " + k + " of the ledger"
		switch {
		case (adjusts != "") != (kind == Late || kind == Adjusted):
			out.add(Difference{Of: of, What: "its kind", Says: string(kind), Should: "LATE or ADJUSTED where it names a charge, else neither"})
		case adjusts != "" && (!same || first != string(Settled) && first != string(InDoubt)):
			out.add(Difference{Of: of, What: "the charge that it came to", Says: adjusts, Should: "a charge of the same account and plane"})
		default:
			out.add(Difference{Of: of, What: "its amount", Says: amount.String(), Should: "of the sign of a line that is " + string(kind)})
		}
		return err
	})
}
