package budget

import (
	"context"
	"database/sql"
	"time"

	"github.com/alchemi/cockpit/internal/money"
)

// Kind tells why a line of the ledger was written.
type Kind string

// The kinds of charges. Late is the part of an overrun that no limit had room
// for; an Adjusted line is negative and names the charge it corrects.
const (
	Settled  Kind = "SETTLED"
	InDoubt  Kind = "IN_DOUBT"
	Late     Kind = "LATE"
	Adjusted Kind = "ADJUSTED"
)

// charge is a row of the ledger. Lines that belong to another charge (late,
// adjusted) name it in adjusts.
type charge struct {
	Call
	id, adjusts string
	kind        Kind
	usage       Usage
	cycles      []string
	cost        money.Nano
	credits     money.Nano
	held        money.Nano
	outcome     Outcome
	heldAt, at  time.Time
}

// Outcome is how the upstream call went, for the ledger.
type Outcome struct {
	Latency   time.Duration
	FirstByte time.Duration
}

// amount is what budgets were charged: credits, or the cost in Console.
func (c *charge) amount() money.Nano {
	if c.Plane == "COPILOT" {
		return c.credits
	}
	return c.cost
}

const chargeColumns = `id, account_id, plane, kind, adjusts, path, organization_id, team_id, member_id, user_id, key_id, agent_id,
	client_id, session_ref, tags, cycles, model_id, model_name, price_id, factor_id, factor_ppm, request_id,
	input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, audio_input_tokens, audio_output_tokens,
	cost, credits, held, stream, latency_ms, first_byte_ms, held_at, at, day`

// insertCharges writes lines of the ledger. Nothing else does.
func (d dialect) insertCharges(ctx context.Context, c conn, charges []charge) error {
	rows := make([][]any, len(charges))
	for i, r := range charges {
		tags, err := jsonText(r.Tags)
		if err != nil {
			return err
		}
		cycles, err := jsonText(r.cycles)
		if err != nil {
			return err
		}
		rows[i] = []any{r.id, r.AccountID, string(r.Plane), string(r.kind), r.adjusts, r.Path, r.OrganizationID, r.TeamID,
			r.MemberID, r.UserID, r.KeyID, r.AgentID, r.ClientID, r.SessionRef, jsonColumn(tags), jsonColumn(cycles), r.ModelID, r.ModelName, r.PriceID,
			r.FactorID, r.FactorPPM, r.RequestID, r.usage.Input, r.usage.CachedInput, r.usage.CacheWrite, r.usage.Output,
			r.usage.Reasoning, r.usage.AudioInput, r.usage.AudioOutput, int64(r.cost), int64(r.credits), int64(r.held), r.Stream,
			r.outcome.Latency.Milliseconds(), r.outcome.FirstByte.Milliseconds(), stamp(r.heldAt), stamp(r.at), int64(r.day())}
	}
	if err := d.insert(ctx, c, "INSERT INTO charges ("+chargeColumns+")", rows); err != nil {
		return err
	}
	return d.addUsage(ctx, c, charges)
}

// charges reads the lines of the ledger that are, or belong to, the given
// charges: the charge itself, then what came to it, oldest first.
func (d dialect) charges(ctx context.Context, c conn, ids []string) (map[string][]charge, error) {
	out := map[string][]charge{}
	if len(ids) == 0 {
		return out, nil
	}
	var p params
	in := p.list(ids)
	// The lines of one charge share its request, which is indexed.
	q := "SELECT " + chargeColumns + ", (SELECT a.time_zone FROM accounts a WHERE a.id = charges.account_id) FROM charges WHERE request_id IN (SELECT request_id FROM charges WHERE id IN (" + in +
		")) AND (id IN (" + in + ") OR adjusts IN (" + in + ")) ORDER BY adjusts <> '', at, id"
	err := d.query(ctx, c, q, p, func(r *sql.Rows) error {
		var x charge
		var latency, first int64
		var day int
		u := &x.usage
		err := r.Scan(&x.id, &x.AccountID, &x.Plane, &x.kind, &x.adjusts, &x.Path, &x.OrganizationID, &x.TeamID, &x.MemberID, &x.UserID,
			&x.KeyID, &x.AgentID, &x.ClientID, &x.SessionRef, fromJSON{&x.Tags}, fromJSON{&x.cycles}, &x.ModelID, &x.ModelName,
			&x.PriceID, &x.FactorID, &x.FactorPPM, &x.RequestID, &u.Input, &u.CachedInput, &u.CacheWrite, &u.Output, &u.Reasoning,
			&u.AudioInput, &u.AudioOutput, &x.cost, &x.credits, &x.held, &x.Stream, &latency, &first, &x.heldAt, &x.at, &day, &x.TimeZone)
		if err != nil {
			return err
		}
		x.outcome = Outcome{Latency: time.Duration(latency) * time.Millisecond, FirstByte: time.Duration(first) * time.Millisecond}
		owner := x.adjusts
		if owner == "" {
			owner = x.id
		}
		out[owner] = append(out[owner], x)
		return nil
	})
	return out, err
}
