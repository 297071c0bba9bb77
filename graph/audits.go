package graph

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql/handler/transport"

	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toAuditEvent(e *ent.AuditEvent) *model.AuditEvent {
	out := &model.AuditEvent{ID: e.ID, At: e.At, ActorKind: model.ActorKind(e.ActorKind), ActorName: e.ActorName, ActorID: e.ActorID,
		ViaKind: model.ViaKind(e.ViaKind), ViaID: e.ViaID, ViaName: e.ViaName, Action: e.Action,
		DecisionID: e.DecisionID, Hash: e.Hash, ScopePath: e.ScopePath,
		Outcome: model.AuditOutcome(e.Outcome), ScopeID: e.ScopeID, TargetID: e.TargetID, TargetName: e.TargetName,
		Reason: e.Reason, RequestID: e.RequestID, Count: e.Count, Changes: []*model.AuditChange{}}
	if e.Seq != nil {
		out.Seq = *e.Seq
	}
	var changes map[string]struct{ Before, After json.RawMessage }
	if len(e.Changes) > 0 && json.Unmarshal(e.Changes, &changes) == nil {
		for field, c := range changes {
			out.Changes = append(out.Changes, &model.AuditChange{Field: field, Before: text(c.Before), After: text(c.After)})
		}
		slices.SortFunc(out.Changes, func(a, b *model.AuditChange) int { return strings.Compare(a.Field, b.Field) })
	}
	return out
}

func text(raw json.RawMessage) *string {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	s := string(raw)
	return &s
}

func matches(q *ent.AuditEventQuery, f *model.AuditFilter) *ent.AuditEventQuery {
	if f == nil {
		return q
	}
	if f.Action != nil && *f.Action != "" {
		q.Where(auditevent.Or(auditevent.Action(*f.Action), auditevent.ActionHasPrefix(*f.Action+".")))
	}
	if f.ActorID != nil {
		q.Where(auditevent.ActorID(*f.ActorID))
	}
	if f.Outcome != nil {
		q.Where(auditevent.OutcomeEQ(auditevent.Outcome(*f.Outcome)))
	}
	if f.From != nil {
		q.Where(auditevent.AtGTE(*f.From))
	}
	if f.To != nil {
		q.Where(auditevent.AtLT(*f.To))
	}
	return q
}

// below keeps events of a path's subtree.
func below(path string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("substr(").WriteString(s.C(auditevent.FieldScopePath)).WriteString(", 1, ").Arg(len(path)).WriteString(") = ").Arg(path)
		}))
	}
}

func (r *Resolver) auditPage(ctx context.Context, at model.Ref, filter *model.AuditFilter, w window) (*model.AuditEventConnection, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if v.Platform {
		ctx = tenancy.Platform(ctx)
	}
	if at.AccountID != v.AccountID {
		return nil, fault.New(fault.Forbidden, "An account's events are open to the account alone.")
	}
	q := matches(r.Store.AuditEvent.Query().Where(auditevent.AccountID(at.AccountID), auditevent.SeqNotNil()), filter)
	if filter != nil && filter.ScopeID != nil {
		s, err := r.scopeByID(ctx, *filter.ScopeID)
		if err != nil {
			return nil, err
		}
		q.Where(below(s.Path))
	}
	rows, info, err := list[*ent.AuditEvent](ctx, q, w, auditevent.FieldID, true, func(e *ent.AuditEvent) string { return e.ID })
	if err != nil {
		return nil, err
	}
	return &model.AuditEventConnection{PageInfo: info, Edges: mapTo(rows, func(e *ent.AuditEvent) *model.AuditEventEdge {
		return &model.AuditEventEdge{Node: toAuditEvent(e), Cursor: encode(e.ID)}
	})}, nil
}

// auditStream delivers a scope's events in the order of their numbers.
func (r *Resolver) auditStream(ctx context.Context, scopeID string, filter *model.AuditFilter) (<-chan *model.AuditEvent, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	s, err := r.scopeByID(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	if s.AccountID != v.AccountID {
		return nil, fault.Missing("scope") // a tenant's events are closed to the platform
	}
	if err := r.check(ctx, access.AuditRead, ref(s)); err != nil {
		return nil, err
	}
	sub := r.Audit.Watch(s.AccountID)
	a, err := r.Store.Account.Get(ctx, s.AccountID)
	if err != nil {
		sub.Close()
		return nil, err
	}
	out := make(chan *model.AuditEvent)
	go func() {
		defer close(out)
		defer sub.Close()
		seq := a.AuditSeq
		for {
			select {
			case _, ok := <-sub.C():
				if !ok {
					r.endStream(ctx, sub.Err())
					return
				}
			case <-ctx.Done():
				return
			}
			if seq, err = r.deliver(ctx, s, filter, seq, out); err != nil {
				r.endStream(ctx, err)
				return
			}
		}
	}()
	return out, nil
}

// batch is how many events are read at once for a stream.
const batch = 100

// deliver sends what is sealed after seq, and returns how far it came.
func (r *Resolver) deliver(ctx context.Context, s *ent.Scope, filter *model.AuditFilter, seq int64, out chan<- *model.AuditEvent) (int64, error) {
	for {
		q := matches(r.Store.AuditEvent.Query(), filter).
			Where(auditevent.AccountID(s.AccountID), auditevent.SeqGT(seq), below(s.Path)).Order(auditevent.BySeq()).Limit(batch)
		events, err := q.All(ctx)
		if err != nil {
			return seq, err
		}
		for _, e := range events {
			select {
			case out <- toAuditEvent(e):
				seq = *e.Seq
			case <-ctx.Done():
				return seq, nil
			}
		}
		if len(events) < batch {
			return seq, nil
		}
	}
}

// endStream tells the subscriber why nothing more comes.
func (r *Resolver) endStream(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	transport.AddSubscriptionError(ctx, r.present(ctx, err))
}
