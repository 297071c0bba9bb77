package request

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/alchemi/cockpit/ent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Product is who asks where nobody in particular does.
const Product = "cockpit"

// Waiting is a tool that waits for approval, as it is offered now.
type Waiting struct {
	ToolID string `json:"toolId"`
	Name   string `json:"name"`
	// Digest is of the definition that would be approved.
	Digest string `json:"digest"`
	// New ones were never approved; the others are held back.
	New bool `json:"new,omitempty"`
}

// WaitingTools reads which tools a request for their approval is about, by name.
func WaitingTools(row *ent.Request) []Waiting {
	var out []Waiting
	if len(row.About) > 0 {
		_ = json.Unmarshal(row.About, &out) // written here alone
	}
	return out
}

func aboutOf(tools []Waiting) (json.RawMessage, error) {
	if len(tools) == 0 {
		return nil, nil
	}
	slices.SortFunc(tools, func(a, b Waiting) int { return strings.Compare(a.Name, b.Name) })
	return json.Marshal(tools)
}

// ToolsWaiting is what stands of a connection's tools after a change.
type ToolsWaiting struct {
	ConnectionID, ConnectionName, ScopeID string
	// All are those that wait. Fresh are ids of those that began to, or changed
	// again, with this change: they, what is held back, and what the open request
	// names already are asked about.
	All   []Waiting
	Fresh []string
	// Decided tells that somebody approved or turned down tools: when nothing is
	// left, the request is approved by them; else it has become void.
	Decided bool
}

const toolsReason = "Its server offers tools that nobody has approved as they are. Those that were approved before are held back until somebody does."

// SyncTools keeps the one open request of a connection in step with its tools,
// within the transaction that changes them, under the connection's lock: it
// opens, changes or closes it. A seat's own connection asks nobody: its owner is
// told.
func (r *Requests) SyncTools(ctx context.Context, tx *store.Tx, w ToolsWaiting) error {
	ctx = tenancy.System(ctx, "who approves tools is asked by the product")
	row, err := tx.Request.Query().Where(entrequest.KindEQ(entrequest.KindTOOL_APPROVAL), entrequest.ResourceID(w.ConnectionID),
		entrequest.StatusEQ(entrequest.StatusPENDING), entrequest.CreatedAtGT(tx.Now().Add(-Lifetime))).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return err
	}
	named := map[string]bool{}
	if row != nil {
		for _, t := range WaitingTools(row) {
			named[t.ToolID] = true
		}
	}
	about := slices.DeleteFunc(slices.Clone(w.All), func(t Waiting) bool { return t.New && !named[t.ToolID] && !slices.Contains(w.Fresh, t.ToolID) })
	if row == nil && (len(w.Fresh) == 0 || len(about) == 0) {
		return nil
	}
	s, err := tx.Scope.Get(ctx, w.ScopeID)
	if err != nil {
		return err
	}
	if row == nil {
		return r.askTools(ctx, tx, s, w, about)
	}
	if len(about) == 0 {
		return closeTools(ctx, tx, row, s, w.Decided)
	}
	text, err := aboutOf(about)
	if err != nil || slices.Equal(about, WaitingTools(row)) {
		return err
	}
	if row, err = row.Update().SetAbout(text).Save(ctx); err != nil {
		return err
	}
	return tx.Audit(ctx, event("request.update", row, s, map[string]audit.Change{"tools": {Before: len(named), After: len(about)}}))
}

// askTools opens a request; where nobody could decide on it, there is none.
func (r *Requests) askTools(ctx context.Context, tx *store.Tx, s *ent.Scope, w ToolsWaiting, about []Waiting) error {
	if s.Kind == scope.KindMEMBER {
		m, err := tx.Member.Get(ctx, s.ID)
		if err != nil {
			return err
		}
		return r.tell(ctx, tx, Notice{Topic: "INCREASE_REQUESTED", AccountID: s.AccountID, Plane: tenancy.Plane(s.Plane), ScopeID: s.ID,
			Title: "Tools of " + w.ConnectionName + " wait for your approval", Body: toolsReason, Link: "/me/connections/" + w.ConnectionID,
			Cause: w.ConnectionID + " " + about[0].Digest, To: []string{m.UserID}})
	}
	_, err := r.Open(ctx, tx, Opening{Kind: entrequest.KindTOOL_APPROVAL, Scope: s, By: Product, ResourceID: w.ConnectionID, ResourceName: w.ConnectionName,
		Reason: toolsReason, About: about})
	if errors.Is(err, errNobody) {
		return nil
	}
	return err
}

func closeTools(ctx context.Context, tx *store.Tx, row *ent.Request, s *ent.Scope, decided bool) error {
	u, action := row.Update().SetDecidedAt(tx.Now()), "request.withdraw"
	v := tenancy.ViewerFrom(ctx)
	if decided && v != nil && v.UserID != "" {
		u.SetStatus(entrequest.StatusAPPROVED).SetDecidedBy(v.UserID).SetNote("Decided on the connection's page.")
		action = "request.approve"
	} else {
		u.SetStatus(entrequest.StatusWITHDRAWN).SetNote("Nothing waits any more: the tools are as they were approved, or gone.")
	}
	row, err := u.Save(ctx)
	if err != nil {
		return err
	}
	return tx.Audit(ctx, event(action, row, s, asking(row)))
}

// holdTools keeps a connection's tools as they are while a request about them is
// decided on.
func holdTools(ctx context.Context, tx *store.Tx, row *ent.Request) error {
	if row.Kind != entrequest.KindTOOL_APPROVAL {
		return nil
	}
	return tx.Rows(ctx, "SELECT id FROM connections WHERE id = ? FOR NO KEY UPDATE", []any{row.ResourceID}, func(*sql.Rows) error { return nil })
}

// mayApproveTools asks what approving on the connection's page would; and to be
// told what was looked at, which the version says.
func (r *Requests) mayApproveTools(ctx context.Context, p *pending, looked bool) error {
	if p.row.Kind != entrequest.KindTOOL_APPROVAL {
		return nil
	}
	if !looked {
		return fault.At("expectedVersion", "Say which version of the request you looked at: it names the tools exactly as they would be approved.")
	}
	return r.Access.Check(ctx, access.ToolApprove, at(p.scope))
}
