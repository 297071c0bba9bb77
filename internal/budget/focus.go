package budget

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// FocusAccount is whose bill a FOCUS export is.
type FocusAccount struct {
	ID, Name string
	// CreditValue is what a credit is sold for, in nano-USD; Copilot only.
	CreditValue money.Nano
}

// maxFocusGroups bounds what is held of one day.
const maxFocusGroups = 100_000

// focusGroup sums one day's charges that differ in no column of the export.
type focusGroup struct {
	Sum
	plane                                                                tenancy.Plane
	day                                                                  time.Time
	model, modelName, team, teamName, org, member, user, key, agent, app string
	provider                                                             string
	tags                                                                 []string
	priceID                                                              string
	prices                                                               Prices
	ppm                                                                  int64
	// adjusts a charge, of an earlier month when correction.
	adjusts, correction bool
}

// Focus makes the rows of one UTC day's charges inside reaches, all of one
// plane, by the columns of FOCUS 1.2.
func (e *Engine) Focus(ctx context.Context, in []tenancy.Reach, a FocusAccount, day time.Time) ([]FocusRow, error) {
	if len(in) == 0 {
		return nil, nil
	}
	day = day.UTC().Truncate(24 * time.Hour)
	month := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	p := params{in[0].AccountID, string(in[0].Plane), stamp(day), stamp(day.Add(24 * time.Hour)), stamp(month), maxFocusGroups + 1}
	var within []string
	for _, r := range in {
		n := p.add(r.Path)
		within = append(within, "substr(c.path, 1, length(CAST("+n+" AS TEXT))) = "+n)
	}
	var sums []string
	for _, c := range counterColumns[1:] {
		sums = append(sums, "CAST(sum(c."+c+") AS BIGINT) AS "+c)
	}
	q := `SELECT g.model_id, g.model_name, g.team_id, coalesce(t.name, ''), g.organization_id, g.member_id, g.user_id, g.key_id, g.agent_id, g.client_id,
			coalesce(v.name, ''), g.tags, g.price_id, coalesce(p.input, 0), p.cached_input, p.cache_write, coalesce(p.output, 0), p.reasoning, p.audio_input, p.audio_output,
			coalesce(p.request, 0), g.factor_ppm, g.adjusts, g.correction, g.` + strings.Join(counterColumns, ", g.") + `
		FROM (SELECT c.model_id, max(c.model_name) AS model_name, c.team_id, c.organization_id, c.member_id, c.user_id, c.key_id, c.agent_id, c.client_id,
			CAST(c.tags AS TEXT) AS tags, c.price_id, c.factor_ppm, CASE WHEN c.kind = 'ADJUSTED' THEN 1 ELSE 0 END AS adjusts,
			CASE WHEN c.kind = 'ADJUSTED' AND o.at < $5 THEN 1 ELSE 0 END AS correction,
			sum(CASE WHEN c.kind IN ('SETTLED', 'IN_DOUBT') THEN 1 ELSE 0 END) AS calls, ` + strings.Join(sums, ", ") + `
			FROM charges c LEFT JOIN charges o ON o.id = c.adjusts
			WHERE c.account_id = $1 AND c.plane = $2 AND c.at >= $3 AND c.at < $4 AND (` + strings.Join(within, " OR ") + `)
			GROUP BY c.model_id, c.team_id, c.organization_id, c.member_id, c.user_id, c.key_id, c.agent_id, c.client_id, CAST(c.tags AS TEXT), c.price_id,
				c.factor_ppm, CASE WHEN c.kind = 'ADJUSTED' THEN 1 ELSE 0 END, CASE WHEN c.kind = 'ADJUSTED' AND o.at < $5 THEN 1 ELSE 0 END
			LIMIT $6) g
		LEFT JOIN scopes t ON t.id = g.team_id LEFT JOIN prices p ON p.id = g.price_id
		LEFT JOIN models m ON m.id = g.model_id LEFT JOIN providers v ON v.id = m.provider_id
		ORDER BY g.organization_id, g.team_id, g.member_id, g.key_id, g.model_id, g.price_id, g.factor_ppm, g.user_id, g.agent_id, g.client_id, g.tags, g.adjusts, g.correction`
	var groups []focusGroup
	err := e.query(ctx, e.db, q, p, func(r *sql.Rows) error {
		g := focusGroup{plane: in[0].Plane, day: day}
		var tags sql.NullString
		var adjusts, correction int
		to := append([]any{&g.model, &g.modelName, &g.team, &g.teamName, &g.org, &g.member, &g.user, &g.key, &g.agent, &g.app, &g.provider, &tags, &g.priceID}, g.prices.to()...)
		if err := r.Scan(append(append(to, &g.ppm, &adjusts, &correction), g.to()...)...); err != nil {
			return err
		}
		g.adjusts, g.correction = adjusts == 1, correction == 1
		if strings.HasPrefix(tags.String, "[") {
			if err := json.Unmarshal([]byte(tags.String), &g.tags); err != nil {
				return err
			}
		}
		groups = append(groups, g)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(groups) > maxFocusGroups {
		return nil, fault.New(fault.BadInput, "%s has more than %d different charges. Export a scope at a time.", day.Format(time.DateOnly), maxFocusGroups)
	}
	var out []FocusRow
	for i := range groups {
		out = append(out, groups[i].rows(a)...)
	}
	return out, nil
}
