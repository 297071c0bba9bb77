package budget

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// rollup is a table of sums over charges: one row a key. Other columns of a
// row follow from its key.
type rollup struct {
	table  string
	prefix id.Prefix
	key    []string
	more   []string
}

var (
	usageDays = rollup{"usage_days", id.UsageDay,
		[]string{"account_id", "plane", "day", "path", "user_id", "agent_id", "client_id", "model_id", "price_id", "factor_ppm"},
		[]string{"organization_id", "team_id", "member_id", "key_id", "model_name"}}
	usageTags = rollup{"usage_tags", id.UsageTag,
		[]string{"account_id", "plane", "day", "tag", "path", "user_id", "agent_id", "client_id", "model_id", "price_id", "factor_ppm"},
		[]string{"organization_id", "team_id", "member_id", "key_id", "model_name"}}
	usageTotals = rollup{"usage_totals", id.UsageTotal,
		[]string{"day", "account_id", "plane", "model_id"},
		[]string{"model_name"}}
	// Every transaction adds to them in this order, so that no two replicas wait
	// for each other.
	rollups = []rollup{usageDays, usageTags, usageTotals}
)

// counterColumns are summed; calls counts the lines that are a call of their
// own, not those that correct one.
var counterColumns = []string{"calls", "input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
	"audio_input_tokens", "audio_output_tokens", "cost", "credits"}

// counters are the sums of one row.
type counters struct {
	calls         int64
	usage         Usage
	cost, credits money.Nano
}

func (c *counters) add(o *counters) {
	c.calls += o.calls
	c.usage = c.usage.plus(o.usage)
	c.cost += o.cost
	c.credits += o.credits
}

func (r *charge) counters() counters {
	c := counters{usage: r.usage, cost: r.cost, credits: r.credits}
	if r.kind == Settled || r.kind == InDoubt {
		c.calls = 1
	}
	return c
}

// alike are charges that fall into the same rows of every rollup: of many
// calls a round, most.
type alike struct {
	of *charge // one of them
	counters
}

// alikeKey is all of a charge that rows of rollups are told apart by, or keep.
type alikeKey struct {
	account, path, organization, team, member, user, key, agent, client, model, name, price, tags string
	plane                                                                                         tenancy.Plane
	ppm                                                                                           int64
	day                                                                                           int
}

func sumAlike(charges []charge) []*alike {
	seen := map[alikeKey]*alike{}
	var out []*alike
	for i := range charges {
		c := &charges[i]
		k := alikeKey{
			c.AccountID, c.Path, c.OrganizationID, c.TeamID, c.MemberID, c.UserID, c.KeyID, c.AgentID, c.ClientID, c.ModelID, c.ModelName, c.PriceID,
			strings.Join(c.Tags, "\x00"), c.Plane, c.FactorPPM, c.day(),
		}
		a := seen[k]
		if a == nil {
			a = &alike{of: c}
			seen[k] = a
			out = append(out, a)
		}
		more := c.counters()
		a.add(&more)
	}
	return out
}

// whole tells columns that hold numbers.
func whole(column string) bool {
	return column == "day" || column == "factor_ppm" || slices.Contains(counterColumns, column)
}

// columnsOf are a charge's values of the columns that aren't counters; the tag
// is one of several.
var columnsOf = map[string]func(*charge) string{
	"account_id":      func(r *charge) string { return r.AccountID },
	"plane":           func(r *charge) string { return string(r.Plane) },
	"day":             func(r *charge) string { return strconv.Itoa(r.day()) },
	"path":            func(r *charge) string { return r.Path },
	"organization_id": func(r *charge) string { return r.OrganizationID },
	"team_id":         func(r *charge) string { return r.TeamID },
	"member_id":       func(r *charge) string { return r.MemberID },
	"user_id":         func(r *charge) string { return r.UserID },
	"key_id":          func(r *charge) string { return r.KeyID },
	"agent_id":        func(r *charge) string { return r.AgentID },
	"client_id":       func(r *charge) string { return r.ClientID },
	"model_id":        func(r *charge) string { return r.ModelID },
	"model_name":      func(r *charge) string { return r.ModelName },
	"price_id":        func(r *charge) string { return r.PriceID },
	"factor_ppm":      func(r *charge) string { return strconv.FormatInt(r.FactorPPM, 10) },
}

// rolled is a row of a rollup to add.
type rolled struct {
	values []string // of key and more
	counters
}

// roll sums charges up into the rows of a rollup, in the order of their keys.
func (t rollup) roll(charges []*alike) []*rolled {
	rows := map[string]*rolled{}
	for _, a := range charges {
		c := a.of
		tags := []string{""}
		if t.prefix == id.UsageTag {
			tags = distinct(c.Tags)
		}
		for _, tag := range tags {
			values := make([]string, 0, len(t.key)+len(t.more))
			for _, name := range slices.Concat(t.key, t.more) {
				if name == "tag" {
					values = append(values, tag)
				} else {
					values = append(values, columnsOf[name](c))
				}
			}
			key := strings.Join(values[:len(t.key)], "\x00")
			if rows[key] == nil {
				rows[key] = &rolled{values: values}
			}
			rows[key].add(&a.counters)
		}
	}
	out := make([]*rolled, 0, len(rows))
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		out = append(out, rows[key])
	}
	return out
}

func distinct(tags []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(tags)))
}

func (t rollup) columns() []string {
	return slices.Concat([]string{"id"}, t.key, t.more, counterColumns)
}

// addUsage adds charges to every rollup, within the transaction that writes
// them into the ledger: one statement a table, its rows as one argument.
func (d dialect) addUsage(ctx context.Context, c conn, charges []charge) error {
	sums := sumAlike(charges)
	for _, t := range rollups {
		rows := t.roll(sums)
		if len(rows) == 0 {
			continue
		}
		values := make([][]any, len(rows))
		for i, r := range rows {
			u := &r.usage
			values[i] = []any{id.New(t.prefix)}
			for _, v := range r.values {
				values[i] = append(values[i], v)
			}
			values[i] = append(values[i], r.calls, u.Input, u.CachedInput, u.CacheWrite, u.Output, u.Reasoning, u.AudioInput, u.AudioOutput,
				int64(r.cost), int64(r.credits))
		}
		text, err := jsonText(values)
		if err != nil {
			return err
		}
		if _, err := d.exec(ctx, c, d.upsert(t), text); err != nil {
			return err
		}
	}
	return nil
}

// upsert adds the rows of a JSON array of arrays to a rollup.
func (d dialect) upsert(t rollup) string {
	columns := t.columns()
	from := "json_each($1) v"
	if d == postgres {
		from = "jsonb_array_elements($1::jsonb) v"
	}
	return "INSERT INTO " + t.table + " (" + strings.Join(columns, ", ") + ") SELECT " + strings.Join(d.elements(columns), ", ") +
		" FROM " + from + " WHERE true " + t.onConflict()
}

// elements are the columns as places of the JSON array v.
func (d dialect) elements(columns []string) []string {
	out := make([]string, len(columns))
	for i, name := range columns {
		out[i] = fmt.Sprintf("json_extract(v.value, '$[%d]')", i)
		if d == postgres {
			out[i] = fmt.Sprintf("v->>%d", i)
		}
		if whole(name) {
			out[i] = "CAST(" + out[i] + " AS BIGINT)"
		}
	}
	return out
}

func (t rollup) onConflict() string {
	sets := []string{"model_name = excluded.model_name"}
	for _, c := range counterColumns {
		sets = append(sets, fmt.Sprintf("%[1]s = %[2]s.%[1]s + excluded.%[1]s", c, t.table))
	}
	return "ON CONFLICT (" + strings.Join(t.key, ", ") + ") DO UPDATE SET " + strings.Join(sets, ", ")
}
