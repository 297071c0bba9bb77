package connections

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Found is what a look at a connection's tools came to.
type Found struct {
	// New were never seen before, Changed aren't what was approved, Missing are
	// offered no more, Back are again as they were approved.
	New, Changed, Missing, Back int
	// Approved are those that were approved in the same step.
	Approved int
}

func (f Found) nothing() bool { return f == Found{} }

// Discover looks at what a connection offers, with the credential of a person
// where each has their own, and pins it. New tools wait for approval, unless
// approve takes them as they are. What goes wrong with the server is kept with
// the connection and told.
func (c *Connections) Discover(ctx context.Context, connectionID, userID string, approve bool) (Found, error) {
	ctx = tenancy.System(ctx, "what a server offers is written by the verb alone")
	row, err := c.row(ctx, connectionID)
	if err != nil {
		return Found{}, err
	}
	started := time.Now()
	offered, err := c.offered(ctx, row, userID, 0)
	latency := time.Since(started)
	if err != nil {
		f := fault.As(err)
		if f == nil {
			return Found{}, err
		}
		return Found{}, errors.Join(err, c.note(ctx, row.ID, latency, f.Message, f.Message))
	}
	var found Found
	err = c.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, err = c.pinAll(ctx, tx, row, offered, approve)
		return err
	})
	if err != nil {
		return Found{}, err
	}
	return found, c.note(ctx, row.ID, latency, "", offered.problem)
}

// offered is what a connection offers, looked at no longer than maxAge ago.
func (c *Connections) offered(ctx context.Context, row *ent.Connection, userID string, maxAge time.Duration) (*listing, error) {
	switch row.Kind {
	case connection.KindOPENAPI:
		return c.operations(ctx, row)
	case connection.KindCOMPOSIO:
		return c.integration(ctx, row, maxAge)
	}
	s, done, err := c.session(ctx, row, userID)
	if err != nil {
		return nil, err
	}
	defer done()
	l, err := s.offers(ctx, c.Store.Now(), maxAge)
	if err != nil {
		return nil, failed(row, s.explain(err))
	}
	return l, nil
}

// pinAll compares what is offered with what is known. The connection's row is
// locked, so that two looks at once agree.
func (c *Connections) pinAll(ctx context.Context, tx *store.Tx, row *ent.Connection, offered *listing, approve bool) (Found, error) {
	var found Found
	if err := lock(ctx, tx, row.ID); err != nil {
		return found, err
	}
	known, err := tx.Tool.Query().Where(tool.ConnectionID(row.ID)).All(ctx)
	if err != nil {
		return found, err
	}
	by, at := audit.ActorFrom(ctx).ID, tx.Now()
	seen := map[string]bool{}
	var fresh []string // what begins to wait
	for _, t := range known {
		seen[t.Name] = true
		now, there := offered.tools[t.Name]
		u := t.Update()
		switch {
		case !there && t.State == tool.StateMISSING:
			continue
		case !there:
			found.Missing++
			u.SetState(tool.StateMISSING).ClearProposed().SetProposedDigest("")
		case t.ApprovedAt == nil && approve && t.Enabled:
			found.Approved++
			approved(u, now.text, now.digest, by, at)
		case t.ApprovedAt == nil:
			if t.State == tool.StatePENDING && t.Digest == now.digest {
				continue
			}
			found.New++
			fresh = append(fresh, t.ID)
			u.SetState(tool.StatePENDING).SetDefinition(now.text).SetDigest(now.digest)
		case t.Digest == now.digest:
			if t.State == tool.StateAPPROVED {
				continue
			}
			found.Back++
			u.SetState(tool.StateAPPROVED).ClearProposed().SetProposedDigest("")
		case t.State == tool.StateCHANGED && t.ProposedDigest == now.digest:
			continue
		default:
			found.Changed++
			fresh = append(fresh, t.ID)
			u.SetState(tool.StateCHANGED).SetProposed(now.text).SetProposedDigest(now.digest)
		}
		if err := u.Exec(ctx); err != nil {
			return found, err
		}
	}
	for name, now := range offered.tools {
		if seen[name] {
			continue
		}
		create := tx.Tool.Create().SetAccountID(row.AccountID).SetPlane(tool.Plane(row.Plane)).SetConnectionID(row.ID).
			SetName(name).SetDefinition(now.text).SetDigest(now.digest)
		found.New++
		if approve {
			found.Approved++
			create.SetState(tool.StateAPPROVED).SetApprovedBy(by).SetApprovedAt(at)
		}
		made, err := create.Save(ctx)
		if err != nil {
			return found, err
		}
		fresh = append(fresh, made.ID)
	}
	if offered.document != "" {
		if err := tx.Connection.UpdateOneID(row.ID).SetDocument(offered.document).Exec(ctx); err != nil {
			return found, err
		}
	}
	if found.nothing() && offered.document == "" {
		return found, nil
	}
	e := event("connection.discover", row)
	e.Changes = map[string]audit.Change{}
	for what, n := range map[string]int{"new": found.New, "changed": found.Changed, "missing": found.Missing, "back": found.Back, "approved": found.Approved} {
		if n > 0 {
			e.Changes[what] = audit.Change{After: n}
		}
	}
	if err := c.changed(ctx, tx, row, e); err != nil {
		return found, err
	}
	return found, c.tellWaiting(ctx, tx, row, fresh, found.Approved > 0)
}

func approved(u *ent.ToolUpdateOne, definition json.RawMessage, digest, by string, at time.Time) {
	u.SetState(tool.StateAPPROVED).SetDefinition(definition).SetDigest(digest).ClearProposed().SetProposedDigest("").
		SetApprovedBy(by).SetApprovedAt(at)
}

// holdBack keeps a tool from being called that isn't what was approved; nil is
// one that is offered no more.
func (c *Connections) holdBack(ctx context.Context, row *ent.Connection, t *ent.Tool, now *pinned) error {
	ctx = tenancy.System(context.WithoutCancel(ctx), "a tool that changed is held back for everybody")
	return c.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := lock(ctx, tx, row.ID); err != nil {
			return err
		}
		fresh, err := tx.Tool.Get(ctx, t.ID)
		if err != nil {
			return err
		}
		if fresh.State != tool.StateAPPROVED || now != nil && fresh.Digest == now.digest {
			return nil // somebody was first
		}
		u := fresh.Update().SetState(tool.StateMISSING)
		if now != nil {
			u.SetState(tool.StateCHANGED).SetProposed(now.text).SetProposedDigest(now.digest)
		}
		if err := u.Exec(ctx); err != nil {
			return err
		}
		e := event("tool.hold", row)
		e.TargetID, e.TargetName = t.ID, row.Name+"/"+t.Name
		e.Actor = &audit.Actor{Kind: auditevent.ActorKindSYSTEM, Name: "System"}
		if err := c.changed(ctx, tx, row, e); err != nil {
			return err
		}
		return c.tellWaiting(ctx, tx, row, []string{t.ID}, false)
	})
}

// note keeps how a connection does; problem tells of its health, what of its
// tools. It is nobody's act, and changes no version.
func (c *Connections) note(ctx context.Context, connectionID string, latency time.Duration, problem, discovery string) error {
	ctx = tenancy.System(context.WithoutCancel(ctx), "how a connection does is noted by the system")
	return c.Store.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		at := tx.Now()
		_, err := tx.Exec(ctx, "UPDATE connections SET checked_at = ?, health_error = ?, latency_ms = ?, discovered_at = ?, discovery_error = ? WHERE id = ?",
			at, clip(problem), latency.Milliseconds(), at, clip(discovery), connectionID)
		return err
	})
}

// lock keeps other changes of a connection's tools out until the transaction ends.
func lock(ctx context.Context, tx *store.Tx, connectionID string) error {
	return tx.Rows(ctx, "SELECT id FROM connections WHERE id = ? FOR NO KEY UPDATE", []any{connectionID}, func(*sql.Rows) error { return nil })
}

// changed writes the event, and lets grants be read anew.
func (c *Connections) changed(ctx context.Context, tx *store.Tx, row *ent.Connection, e audit.Event) error {
	tx.Touch(row.AccountID)
	tx.AfterCommit(func() { c.Grants.Changed(row.AccountID, tenancy.Plane(row.Plane)) })
	return tx.Audit(ctx, e)
}

// event is about a connection, whose scope has been read along.
func event(action string, row *ent.Connection) audit.Event {
	e := audit.Event{Action: action, AccountID: row.AccountID, Plane: tenancy.Plane(row.Plane), ScopeID: row.ScopeID, TargetID: row.ID, TargetName: row.Name}
	if s := row.Edges.Scope; s != nil {
		e.ScopePath = s.Path
	}
	return e
}

// row reads a connection with its scope, but without its document, which is
// long.
func (c *Connections) row(ctx context.Context, connectionID string) (*ent.Connection, error) {
	columns := slices.DeleteFunc(slices.Clone(connection.Columns), func(name string) bool { return name == connection.FieldDocument })
	q := c.Store.Connection.Query().Where(connection.ID(connectionID)).WithScope(func(q *ent.ScopeQuery) { q.Select(scope.FieldPath) })
	q.Select(columns...)
	row, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing("connection")
	}
	return row, err
}

func clip(s string) string {
	for len(s) > 1000 {
		s = s[:len(s)-1]
	}
	return s
}
