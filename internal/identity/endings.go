package identity

import (
	"context"
	"database/sql"
	"slices"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// ending is one of many things that another change ended.
type ending struct {
	scopeID, targetID, targetName string
	// was is the value of the event's one field, before.
	was string
}

// withScope is why a thing ended that nobody ended by itself.
const withScope = "Its scope was deleted."

// endings runs a change that returns, of each row, its scope's id, the target's
// id and name, and one value.
func endings(ctx context.Context, tx *store.Tx, query string, args []any) (out []ending, err error) {
	err = tx.Rows(ctx, query, args, func(r *sql.Rows) error {
		var e ending
		err := r.Scan(&e.scopeID, &e.targetID, &e.targetName, &e.was)
		out = append(out, e)
		return err
	})
	return out, err
}

// tellEndings writes the events of things that ended: in few statements, for
// there may be many.
func tellEndings(ctx context.Context, tx *store.Tx, action, field, reason string, gone []ending) error {
	at := map[string]*ent.Scope{}
	for some := range slices.Chunk(gone, 500) {
		ids := make([]string, len(some))
		for i, one := range some {
			ids[i] = one.scopeID
		}
		rows, err := tx.Scope.Query().Where(scope.IDIn(ids...)).All(ctx)
		if err != nil {
			return err
		}
		for _, s := range rows {
			at[s.ID] = s
		}
	}
	events := make([]audit.Event, len(gone))
	for i, one := range gone {
		e := done(action, at[one.scopeID])
		e.TargetID, e.TargetName, e.Reason = one.targetID, one.targetName, reason
		if field != "" {
			e.Changes = map[string]audit.Change{field: {Before: one.was}}
		}
		events[i] = e
	}
	return tx.AuditAll(ctx, events)
}

// tellBudgets writes the events of the budgets that are about to end with their
// scopes. The plane is locked: no budget comes meanwhile.
func tellBudgets(ctx context.Context, tx *store.Tx, scopeIDs []string) error {
	for some := range slices.Chunk(scopeIDs, 500) {
		rows, err := tx.Budget.Query().Where(budget.ScopeIDIn(some...)).WithScope().All(ctx)
		if err != nil {
			return err
		}
		events := make([]audit.Event, len(rows))
		for i, b := range rows {
			events[i] = done("budget.remove", b.Edges.Scope)
			events[i].Reason = withScope
			events[i].Changes = map[string]audit.Change{"limit": {Before: money.Nano(b.Lim).String()}}
		}
		if err := tx.AuditAll(ctx, events); err != nil {
			return err
		}
	}
	return nil
}
