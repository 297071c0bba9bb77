package marketplace

import (
	"context"
	"database/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/grant"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// Impact is what an uninstallation does.
type Impact struct {
	Grants, Tools int
	// Keys that list a model, agents in use that call it or a connection's tools,
	// and scopes that have a model as their default.
	Keys, Agents, Defaults int
	// Of the last 30 days.
	Calls   int64
	Credits money.Nano
}

// Uninstall retires an installed agent, or switches a connection or a model off;
// who had it granted is refused from now on. What was used stays on the books.
func (m *Market) Uninstall(ctx context.Context, tx *store.Tx, accountID, resourceID string) (Impact, error) {
	f, err := find(ctx, tx, accountID, resourceID)
	if err != nil {
		return Impact{}, err
	}
	l, err := tx.Listing.Get(ctx, f.listingID)
	if err != nil {
		return Impact{}, hidden(err, "listing")
	}
	var out Impact
	switch {
	case f.model != nil:
		out, err = m.uninstallModel(ctx, tx, f)
	case f.agent != nil:
		out, err = uninstallAgent(ctx, tx, f.agent)
	default:
		out, err = m.uninstallConnection(ctx, tx, f.connection)
	}
	if err != nil {
		return out, err
	}
	tx.Touch(accountID)
	if err := counted(ctx, tx, l, -1); err != nil {
		return out, err
	}
	e := event("listing.uninstall", l, f.at)
	e.TargetName = f.name
	return out, tx.Audit(ctx, e)
}

var errGone = fault.At("resourceId", "It was uninstalled already.")

// uninstallModel tells what a withdrawal by the platform would tell.
func (m *Market) uninstallModel(ctx context.Context, tx *store.Tx, f *found) (Impact, error) {
	if f.model.Status != model.StatusACTIVE {
		return Impact{}, errGone
	}
	lost, err := m.Catalog.UninstallImpact(ctx, tx, f.model)
	if err != nil {
		return Impact{}, err
	}
	_, err = m.Catalog.UninstallModel(ctx, tx, f.at, f.model.ID)
	return Impact{Grants: lost.Grants, Keys: lost.Keys, Agents: lost.Agents, Defaults: lost.Defaults, Calls: lost.Calls, Credits: lost.Credits}, err
}

func uninstallAgent(ctx context.Context, tx *store.Tx, a *ent.Agent) (out Impact, err error) {
	if a.Availability == agent.AvailabilityRETIRED {
		return out, errGone
	}
	if out.Grants, err = tx.Grant.Query().Where(grant.AgentID(a.ID), grant.EffectEQ(grant.EffectALLOW)).Count(ctx); err != nil {
		return out, err
	}
	if out.Calls, out.Credits, err = used30(ctx, tx, "agent_id = ?", a.ID); err != nil {
		return out, err
	}
	return out, a.Update().SetAvailability(agent.AvailabilityRETIRED).Exec(ctx)
}

func (m *Market) uninstallConnection(ctx context.Context, tx *store.Tx, c *ent.Connection) (out Impact, err error) {
	if c.Status == connection.StatusDISABLED {
		return out, errGone
	}
	tools, err := tx.Tool.Query().Where(tool.ConnectionID(c.ID)).IDs(ctx)
	if err != nil {
		return out, err
	}
	out.Tools = len(tools)
	if out.Grants, err = tx.Grant.Query().Where(grant.EffectEQ(grant.EffectALLOW), grant.Or(grant.ConnectionID(c.ID), grant.ToolIDIn(tools...))).Count(ctx); err != nil {
		return out, err
	}
	err = tx.Rows(ctx, `SELECT count(DISTINCT a.id) FROM agents a JOIN agent_versions v ON v.agent_id = a.id AND v.number = a.published_version
		JOIN tools t ON t.connection_id = ? AND CAST(v.definition AS TEXT) LIKE '%' || t.id || '%' WHERE a.account_id = ? AND a.availability = 'ACTIVE'`,
		[]any{c.ID, c.AccountID}, func(r *sql.Rows) error { return r.Scan(&out.Agents) })
	if err != nil {
		return out, err
	}
	if out.Calls, out.Credits, err = used30(ctx, tx, "model_id IN (SELECT id FROM tools WHERE connection_id = ?)", c.ID); err != nil {
		return out, err
	}
	off := connection.StatusDISABLED
	_, err = m.Connections.Update(ctx, tx, c.ID, connections.Input{Status: &off})
	return out, err
}

// used30 sums calls and credits of the last 30 days.
func used30(ctx context.Context, tx *store.Tx, where string, args ...any) (calls int64, credits money.Nano, err error) {
	err = tx.Rows(ctx, "SELECT CAST(coalesce(sum(calls), 0) AS BIGINT), CAST(coalesce(sum(credits), 0) AS BIGINT) FROM usage_days WHERE "+where+" AND day > ?",
		append(args, tx.Now().Unix()/86400-30), func(r *sql.Rows) error { return r.Scan(&calls, &credits) })
	return calls, credits, err
}

// Taken is what taking a listing from accounts does.
type Taken struct {
	// Accounts are the names of those that installed it.
	Accounts      []string
	Installations int
	// Of the last 30 days.
	Calls   int64
	Credits money.Nano
}

// TakenFrom counts what accounts made of a listing that is withdrawn, or offered
// no more to any but those that are named.
func TakenFrom(ctx context.Context, tx *store.Tx, l *ent.Listing, but []string) (Taken, error) {
	out := Taken{Accounts: []string{}}
	args := []any{l.ID, l.ID}
	except := ""
	if len(but) > 0 {
		except = " WHERE r.account_id NOT IN (" + store.In(len(but)) + ")"
		for _, a := range but {
			args = append(args, a)
		}
	}
	made := `SELECT r.account_id, r.id FROM (SELECT account_id, id FROM agents WHERE listing_id = ? AND availability <> 'RETIRED'
		UNION ALL SELECT account_id, id FROM connections WHERE listing_id = ? AND status = 'ACTIVE') r` + except
	err := tx.Rows(ctx, "SELECT a.name, count(*) FROM accounts a JOIN ("+made+") m ON m.account_id = a.id GROUP BY a.id, a.name ORDER BY a.name", args, func(r *sql.Rows) error {
		var name string
		var n int
		if err := r.Scan(&name, &n); err != nil {
			return err
		}
		out.Accounts, out.Installations = append(out.Accounts, name), out.Installations+n
		return nil
	})
	if err != nil {
		return out, err
	}
	ids := "SELECT m.id FROM (" + made + ") m"
	out.Calls, out.Credits, err = used30(ctx, tx, "(agent_id IN ("+ids+") OR model_id IN (SELECT id FROM tools WHERE connection_id IN ("+ids+")))", append(append([]any{}, args...), args...)...)
	return out, err
}
