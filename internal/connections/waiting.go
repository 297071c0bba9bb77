package connections

import (
	"context"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// tellWaiting keeps the request that asks for approval in step with a
// connection's tools. The connection is locked; fresh are tools that begin to
// wait. One of which nothing was ever approved isn't in use yet: whoever sets it
// up looks at it anyway.
func (c *Connections) tellWaiting(ctx context.Context, tx *store.Tx, row *ent.Connection, fresh []string, decided bool) error {
	if c.Requests == nil {
		return nil
	}
	ctx = tenancy.System(ctx, "what waits for approval is told to those who approve")
	w := request.ToolsWaiting{ConnectionID: row.ID, ConnectionName: row.Name, ScopeID: row.ScopeID, Fresh: fresh, Decided: decided}
	inUse, err := tx.Tool.Query().Where(tool.ConnectionID(row.ID), tool.ApprovedAtNotNil()).Exist(ctx)
	if err != nil {
		return err
	}
	if inUse && row.Status == connection.StatusACTIVE {
		tools, err := tx.Tool.Query().Where(tool.ConnectionID(row.ID), tool.Enabled(true), tool.StateIn(tool.StatePENDING, tool.StateCHANGED)).
			Order(tool.ByName()).Select(tool.FieldID, tool.FieldName, tool.FieldState, tool.FieldDigest, tool.FieldProposedDigest).All(ctx)
		if err != nil {
			return err
		}
		for _, t := range tools {
			waits := request.Waiting{ToolID: t.ID, Name: t.Name, Digest: t.Digest, New: t.State == tool.StatePENDING}
			if !waits.New {
				waits.Digest = t.ProposedDigest
			}
			w.All = append(w.All, waits)
		}
	}
	return c.Requests.SyncTools(ctx, tx, w)
}

// tellGone closes what was asked about a connection that is being deleted.
func (c *Connections) tellGone(ctx context.Context, tx *store.Tx, row *ent.Connection) error {
	if c.Requests == nil {
		return nil
	}
	return c.Requests.SyncTools(ctx, tx, request.ToolsWaiting{ConnectionID: row.ID, ConnectionName: row.Name, ScopeID: row.ScopeID})
}

// Carry does what a decision on a request says: approves exactly the tools that
// it names, or turns down those of them that are still offered so.
func (c *Connections) Carry(ctx context.Context, tx *store.Tx, row *ent.Request, approve bool) error {
	waiting := request.WaitingTools(row)
	if approve {
		seen := make([]Seen, len(waiting))
		for i, w := range waiting {
			seen[i] = Seen{ToolID: w.ToolID, Digest: w.Digest}
		}
		_, err := c.Approve(ctx, tx, seen)
		if told := fault.As(err); told != nil {
			return fault.New(fault.Conflict, "Nothing was approved: %s", told.Message)
		}
		return err
	}
	for _, w := range waiting {
		t, err := tx.Tool.Get(ctx, w.ToolID)
		if ent.IsNotFound(err) || err == nil && (t.State == tool.StatePENDING && t.Digest != w.Digest || t.State == tool.StateCHANGED && t.ProposedDigest != w.Digest ||
			t.State == tool.StateAPPROVED || t.State == tool.StateMISSING) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := c.Reject(ctx, tx, t.ID); err != nil {
			return err
		}
	}
	return nil
}
