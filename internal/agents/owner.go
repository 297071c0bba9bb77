package agents

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/user"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/notify"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// lookEvery is the pause between looks for owners who have left.
const lookEvery = time.Minute

// KeepOwned looks for agents whose owner has left until the context ends. People
// leave in many ways; this sees them all.
func (a *Agents) KeepOwned(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := a.Disown(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, "agents of people who left could not be found; it is tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Disown takes agents off people who were deactivated, or have neither a seat
// nor a role in Copilot any more, and tells the admins of each.
func (a *Agents) Disown(ctx context.Context) error {
	ctx = tenancy.System(ctx, "agents whose owner left are nobody's until they are handed over")
	type owned struct{ agentID, userID string }
	var list []owned
	// The places without an agent are left alone: their owner_user_id is empty.
	rows, err := a.Store.Agent.Query().Where(agent.OwnerUserIDNEQ("")).Select(agent.FieldID, agent.FieldOwnerUserID).All(ctx)
	if err != nil {
		return fmt.Errorf("agents: owners: %w", err)
	}
	stay := map[string]bool{}
	for _, r := range rows {
		if _, asked := stay[r.OwnerUserID]; !asked {
			if stay[r.OwnerUserID], err = a.stays(ctx, r.OwnerUserID); err != nil {
				return fmt.Errorf("agents: owner: %w", err)
			}
		}
		if !stay[r.OwnerUserID] {
			list = append(list, owned{r.ID, r.OwnerUserID})
		}
	}
	for _, o := range list {
		if err := a.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error { return a.disown(ctx, tx, o.agentID, o.userID) }); err != nil {
			return fmt.Errorf("agents: disown %s: %w", o.agentID, err)
		}
	}
	return nil
}

func (a *Agents) stays(ctx context.Context, userID string) (stays bool, err error) {
	err = a.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		active, err := tx.User.Query().Where(user.ID(userID), user.StatusEQ(user.StatusACTIVE)).Exist(ctx)
		if err == nil && active {
			stays, err = answers(ctx, tx, userID)
		}
		return err
	})
	return stays, err
}

func (a *Agents) disown(ctx context.Context, tx *store.Tx, agentID, userID string) error {
	err := tx.Rows(ctx, "SELECT id FROM agents WHERE id = ? FOR NO KEY UPDATE", []any{agentID}, func(*sql.Rows) error { return nil })
	if err != nil {
		return err
	}
	row, err := tx.Agent.Get(ctx, agentID)
	if ent.IsNotFound(err) || err == nil && row.OwnerUserID != userID {
		tx.Unaudited()
		return nil // gone, or handed over meanwhile
	}
	if err != nil {
		return err
	}
	s, err := tx.Scope.Get(ctx, agentID)
	if err != nil {
		return err
	}
	name := "Its owner"
	switch u, err := tx.User.Get(ctx, userID); {
	case err == nil:
		name = u.Name
	case !ent.IsNotFound(err):
		return err
	}
	if row, err = row.Update().SetOwnerUserID("").Save(ctx); err != nil {
		return err
	}
	e := event("agent.disown", s)
	e.Reason = "The owner has no place in Copilot any more."
	e.Changes = map[string]audit.Change{"owner_user_id": {Before: userID, After: ""}}
	if err := tx.Audit(ctx, e); err != nil || a.Notify == nil {
		return err
	}
	admins, own, err := notify.Responsible(ctx, tx, s)
	if err != nil {
		return err
	}
	return a.Notify.Tell(ctx, tx, notify.Notice{Topic: notify.AgentUnowned, AccountID: s.AccountID, Plane: tenancy.Copilot, ScopeID: s.ID,
		Title: fmt.Sprintf("Nobody answers for the agent %s", s.Name), Body: name + " has left. The agent goes on as it is; hand it over to somebody else.",
		Link: "/copilot/agents/" + s.ID, Cause: fmt.Sprintf("%s %d", s.ID, row.Version), To: admins, Own: own})
}
