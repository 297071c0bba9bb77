package connections

import (
	"context"
	"errors"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
)

// Seen is a tool as somebody looked at it: they approve that definition, and no
// other that came meanwhile.
type Seen struct{ ToolID, Digest string }

// Approve lets tools be called as they were seen.
func (c *Connections) Approve(ctx context.Context, tx *store.Tx, seen []Seen) ([]*ent.Tool, error) {
	if len(seen) == 0 || len(seen) > MostTools {
		return nil, fault.At("tools", "Approve 1–%d tools at once.", MostTools)
	}
	of, err := lockAll(ctx, tx, seen)
	if err != nil {
		return nil, err
	}
	out := make([]*ent.Tool, 0, len(seen))
	for _, s := range seen {
		t, row, err := withConnection(ctx, tx, s.ToolID)
		if err != nil {
			return nil, err
		}
		of[row.ID] = row
		definition, digest := t.Definition, t.Digest
		switch t.State {
		case tool.StateMISSING:
			return nil, fault.At("tools", "%s isn't offered by its server any more, so there is nothing to approve.", t.Name)
		case tool.StateCHANGED:
			definition, digest = t.Proposed, t.ProposedDigest
		case tool.StatePENDING, tool.StateAPPROVED:
		}
		if digest != s.Digest {
			e := fault.New(fault.Conflict, "%s has changed since you looked at it. Look at the newest definition, then approve that.", t.Name).With("digest", digest)
			e.Path = []string{"tools"}
			return nil, e
		}
		u := t.Update().SetEnabled(true)
		approved(u, definition, digest, audit.ActorFrom(ctx).ID, tx.Now())
		if t, err = u.Save(ctx); err != nil {
			return nil, hidden(err, "tool")
		}
		out = append(out, t)
		if err := c.changed(ctx, tx, row, toolEvent("tool.approve", row, t)); err != nil {
			return nil, err
		}
	}
	for _, row := range of {
		if err := c.tellWaiting(ctx, tx, row, nil, true); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lockAll keeps other changes of these tools' connections out, in one order for
// everybody.
func lockAll(ctx context.Context, tx *store.Tx, seen []Seen) (map[string]*ent.Connection, error) {
	ids := make([]string, len(seen))
	for i, s := range seen {
		ids[i] = s.ToolID
	}
	var of []string
	err := tx.Tool.Query().Where(tool.IDIn(ids...)).Order(tool.ByConnectionID()).Unique(true).Select(tool.FieldConnectionID).Scan(ctx, &of)
	for _, connectionID := range of {
		err = errors.Join(err, lock(ctx, tx, connectionID))
	}
	return make(map[string]*ent.Connection, len(of)), err
}

// Reject turns down what a server offers: the tool stays out of use until it is
// approved or switched on.
func (c *Connections) Reject(ctx context.Context, tx *store.Tx, toolID string) (*ent.Tool, error) {
	if _, err := lockAll(ctx, tx, []Seen{{ToolID: toolID}}); err != nil {
		return nil, err
	}
	t, row, err := withConnection(ctx, tx, toolID)
	if err != nil {
		return nil, err
	}
	if t, err = t.Update().SetEnabled(false).Save(ctx); err != nil {
		return nil, hidden(err, "tool")
	}
	if err := c.changed(ctx, tx, row, toolEvent("tool.reject", row, t)); err != nil {
		return nil, err
	}
	return t, c.tellWaiting(ctx, tx, row, nil, true)
}

// ToolInput changes a tool; nil leaves a value as it is.
type ToolInput struct {
	Enabled *bool
	// Price of one call, in nano-USD; 0 is free of charge.
	Price           *money.Nano
	ExpectedVersion *int
}

// maxPrice is the most that one call may cost.
const maxPrice = 1_000_000 * money.One

// UpdateTool switches a tool on or off, or sets what a call of it costs.
func (c *Connections) UpdateTool(ctx context.Context, tx *store.Tx, toolID string, in ToolInput) (*ent.Tool, error) {
	if in.Price != nil && (*in.Price < 0 || *in.Price > maxPrice) {
		return nil, fault.At("price", "A call costs 0 (nothing) to 1,000,000 US dollars.")
	}
	if _, err := lockAll(ctx, tx, []Seen{{ToolID: toolID}}); err != nil {
		return nil, err
	}
	t, row, err := withConnection(ctx, tx, toolID)
	if err != nil {
		return nil, err
	}
	if in.ExpectedVersion != nil && *in.ExpectedVersion != t.Version {
		return nil, stale(*in.ExpectedVersion, t.Version)
	}
	u := t.Update().SetNillableEnabled(in.Enabled).Where(tool.Version(t.Version))
	if in.Price != nil {
		u.SetPrice(int64(*in.Price))
	}
	if t, err = u.Save(ctx); err != nil {
		return nil, hidden(err, "tool")
	}
	if err := c.changed(ctx, tx, row, toolEvent("tool.update", row, t)); err != nil {
		return nil, err
	}
	return t, c.tellWaiting(ctx, tx, row, nil, true)
}

func withConnection(ctx context.Context, tx *store.Tx, toolID string) (*ent.Tool, *ent.Connection, error) {
	t, err := tx.Tool.Query().Where(tool.ID(toolID)).Only(ctx)
	if err != nil {
		return nil, nil, hidden(err, "tool")
	}
	row, err := tx.Connection.Query().Where(connection.ID(t.ConnectionID)).WithScope(func(q *ent.ScopeQuery) { q.Select(scope.FieldPath) }).Only(ctx)
	if err != nil {
		return nil, nil, hidden(err, "tool")
	}
	return t, row, nil
}

func toolEvent(action string, row *ent.Connection, t *ent.Tool) audit.Event {
	e := event(action, row)
	e.TargetID, e.TargetName = t.ID, row.Name+"/"+t.Name
	return e
}

// hidden makes what the guard refused look like what doesn't exist.
func hidden(err error, noun string) error {
	if ent.IsNotFound(err) {
		return fault.Missing(noun)
	}
	return err
}

// stale is the Conflict of a row that has moved on.
func stale(expected, current int) error {
	e := fault.New(fault.Conflict, "Somebody changed this since you opened it. Look at the newest state, then change it again.").
		With("expectedVersion", expected).With("currentVersion", current)
	e.Path = []string{"expectedVersion"}
	return e
}
