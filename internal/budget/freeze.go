package budget

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alchemi/cockpit/ent"
	entbudget "github.com/alchemi/cockpit/ent/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
)

// freeze is why nothing new may be held on a budget; all zero when it may.
type freeze struct {
	frozenAt               *time.Time
	frozenBy, freezeReason string
}

// Frozen refuses a hold: a budget of the path is frozen. It carries a
// *fault.Error with code BUDGET_FROZEN.
type Frozen struct {
	Room
	At     time.Time
	Reason string
}

func (f *Frozen) Error() string {
	why := ""
	if f.Reason != "" {
		why = ": " + strings.TrimRight(f.Reason, ".")
	}
	return fmt.Sprintf("The budget of %s is frozen%s. An admin of a scope above it can resume it, or whoever froze it.", scopeLabel(f.ScopeKind, f.ScopeName), why)
}

// Unwrap gives the error as users are told it.
func (f *Frozen) Unwrap() error {
	return fault.New(fault.BudgetFrozen, "%s", f.Error()).With("budgetId", f.BudgetID).With("scopeId", f.ScopeID).
		With("scopeKind", string(f.ScopeKind)).With("scopeName", f.ScopeName).With("reason", f.Reason).With("frozenAt", f.At)
}

// maxReason bounds the reason of a freeze, in characters.
const maxReason = 500

// Freeze lets nothing new be held on a budget until Resume, within tx, by
// somebody's id; calls that run finish and are charged. Every hold that begins
// after the commit is refused here at once, and on other replicas within a second. Whether the viewer may is for
// the caller to ask, who also writes the audit event. Errors: NOT_FOUND,
// INVALID without a reason, CONFLICT when it is frozen already.
func (e *Engine) Freeze(ctx context.Context, tx *store.Tx, scopeID, by, reason string) (*ent.Budget, error) {
	reason = strings.TrimSpace(reason)
	switch {
	case reason == "":
		return nil, fault.At("reason", "Say why. Whoever is refused reads it.")
	case utf8.RuneCountInString(reason) > maxReason:
		return nil, fault.At("reason", "A reason has %d characters at most.", maxReason)
	case !storable(reason):
		return nil, fault.At("reason", "A reason is text without zero bytes.")
	}
	row, err := e.ofScope(ctx, tx, scopeID)
	if err != nil {
		return nil, err
	}
	if row.FrozenAt != nil {
		return nil, fault.New(fault.Conflict, "This budget is frozen already.").With("version", row.Version)
	}
	return e.saveFreeze(ctx, tx, row.Update().SetFrozenAt(tx.Now()).SetFrozenBy(by).SetFreezeReason(reason))
}

// Resume ends a freeze by somebody, within tx; see Freeze. Errors: NOT_FOUND,
// CONFLICT when it isn't frozen, or by somebody else by now.
func (e *Engine) Resume(ctx context.Context, tx *store.Tx, scopeID, by string) (*ent.Budget, error) {
	row, err := e.ofScope(ctx, tx, scopeID)
	if err != nil {
		return nil, err
	}
	if row.FrozenAt == nil || row.FrozenBy != by {
		return nil, fault.New(fault.Conflict, "This budget isn't frozen any more, or by somebody else. Look at it again.").With("version", row.Version)
	}
	return e.saveFreeze(ctx, tx, row.Update().ClearFrozenAt().SetFrozenBy("").SetFreezeReason(""))
}

func (e *Engine) ofScope(ctx context.Context, tx *store.Tx, scopeID string) (*ent.Budget, error) {
	if _, err := e.lockPlane(ctx, tx, scopeID); err != nil {
		return nil, err
	}
	row, err := tx.Budget.Query().Where(entbudget.ScopeID(scopeID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("budget")
	}
	return row, err
}

// saveFreeze writes a freeze or its end, and raises the revision of the cycles so
// that whoever watches learns of it.
func (e *Engine) saveFreeze(ctx context.Context, tx *store.Tx, change *ent.BudgetUpdateOne) (*ent.Budget, error) {
	row, err := change.Save(ctx)
	if err != nil {
		return nil, err
	}
	_, err = e.exec(ctx, tx.SQL(), `UPDATE budget_cycles SET revision = revision + 1 WHERE id = (SELECT c.id FROM budget_cycles c
		WHERE c.budget_id = $1 ORDER BY c.starts_at DESC LIMIT 1)`, row.ID)
	if err == nil {
		err = e.changing(ctx, tx, row.AccountID, nil)
	}
	return row, err
}
