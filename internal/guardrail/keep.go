package guardrail

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// keeping runs a change that takes a guardrail away, and refuses it where a
// published agent would be left with none. One that has none already is in
// nobody's way: it is asked for when it is published next.
func keeping(ctx context.Context, tx *store.Tx, at *ent.Scope, change func() error) error {
	if tenancy.Plane(at.Plane) != tenancy.Copilot {
		return change()
	}
	// Whoever publishes shares the plane's root; so both see what the other did.
	root := strings.Split(strings.Trim(at.Path, "/"), "/")[1]
	if err := tx.Rows(ctx, "SELECT id FROM scopes WHERE id = ? FOR NO KEY UPDATE", []any{root}, func(*sql.Rows) error { return nil }); err != nil {
		return err
	}
	system := tenancy.System(ctx, "a guardrail may be the last of agents that the viewer doesn't see")
	p := place{at.AccountID, tenancy.Plane(at.Plane)}
	var before, after snapshot
	if err := before.load(system, tx.Client, p, nil); err != nil {
		return fmt.Errorf("guardrail: %w", err)
	}
	if err := change(); err != nil {
		return err
	}
	if err := after.load(system, tx.Client, p, &before); err != nil {
		return fmt.Errorf("guardrail: %w", err)
	}
	var bare []string
	for _, agentID := range slices.Sorted(maps.Keys(before.agents)) {
		who := Subject{AgentID: agentID}
		if before.agents[agentID].published && len(before.effective(who)) > 0 && len(after.effective(who)) == 0 {
			bare = append(bare, agentID)
		}
	}
	if len(bare) == 0 {
		return nil
	}
	return last(system, tx, bare)
}

// last is the refusal that names agents whose only guardrail would go.
func last(ctx context.Context, tx *store.Tx, agentIDs []string) error {
	names, err := tx.Scope.Query().Where(scope.IDIn(agentIDs...)).Order(ent.Asc(scope.FieldName)).Select(scope.FieldName).Strings(ctx)
	if err != nil {
		return err
	}
	const few = 5
	shown := strings.Join(names, ", ")
	if len(names) > few {
		shown = fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
	}
	return fault.New(fault.InUse, "It is the only guardrail of agents that are published: %s. Give them another one first.", shown).With("agents", len(names))
}
