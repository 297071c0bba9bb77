package budget

import (
	"context"

	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// maxInEvents bounds how many of the budgets an event of shares names.
const maxInEvents = 100

// sharing is what a change did to the shares of one budget.
type sharing struct {
	before, after money.Nano // the largest share; they differ by one unit at most
	had, has      int
	changed       []string // scopes whose share came, went or changed
}

// auditShares writes one event for each budget whose equal shares have changed.
// One for each share would be a row to insert, seal and keep for each of 10,000
// members, and tell nothing more: all shares of a budget are the same, so that
// before, after and their number are the whole of it.
func (d *draft) auditShares(ctx context.Context, tx *store.Tx) error {
	by := map[string]*sharing{}
	shared := func(t *Terms) bool { return t != nil && t.Origin == ByShare }
	for _, e := range d.entries {
		if !shared(e.was) && !shared(e.is) {
			continue
		}
		of := by[e.parentID]
		if of == nil {
			of = &sharing{}
			by[e.parentID] = of
		}
		if shared(e.was) {
			of.had++
			of.before = max(of.before, e.was.Limit)
		}
		if shared(e.is) {
			of.has++
			of.after = max(of.after, e.is.Limit)
		}
		if shared(e.was) != shared(e.is) || e.was.Limit != e.is.Limit {
			of.changed = append(of.changed, e.scopeID)
		}
	}
	var events []audit.Event
	for _, e := range d.entries { // those that share out, from the root down
		of := by[e.scopeID]
		if of == nil || len(of.changed) == 0 {
			continue
		}
		share := audit.Change{}
		if of.had > 0 {
			share.Before = of.before.String()
		}
		if of.has > 0 {
			share.After = of.after.String()
		}
		events = append(events, audit.Event{Action: "budget.share", AccountID: d.accountID, Plane: d.plane, ScopeID: e.scopeID, ScopePath: e.path,
			TargetID: e.scopeID, TargetName: e.name, Changes: map[string]audit.Change{
				"share": share, "shares": {Before: of.had, After: of.has}, "changed": {After: len(of.changed)},
				"budgetsOf": {After: of.changed[:min(len(of.changed), maxInEvents)]},
			}})
	}
	if len(events) == 0 {
		return nil
	}
	return tx.AuditAll(ctx, events)
}
