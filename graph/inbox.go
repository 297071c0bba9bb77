package graph

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// inboxAtOnce bounds the events of one look.
const inboxAtOnce = 100

// inbox follows the requests of a scope by the audit events that tell of them.
func (r *Resolver) inbox(ctx context.Context, scopeID string) (<-chan *model.RequestInbox, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	s, err := r.scopeByID(ctx, scopeID)
	if err != nil {
		return nil, err
	}
	if s.AccountID != v.AccountID {
		return nil, fault.Missing("scope")
	}
	if s.ID == id.PlatformID {
		return nil, bad("Follow an account or a part of one. The inbox tells of what comes to wait at the platform.")
	}
	if err := r.check(ctx, access.RequestDecide, ref(s)); err != nil {
		return nil, err
	}
	sub := r.Audit.Watch(s.AccountID)
	seq, err := r.startAfter(ctx, s.AccountID, nil)
	if err != nil {
		sub.Close()
		return nil, err
	}
	out := make(chan *model.RequestInbox)
	go func() {
		defer close(out)
		defer sub.Close()
		changed := []string{""}
		for {
			if err := r.sendInbox(ctx, scopeID, changed, out); err != nil {
				r.endStream(ctx, err)
				return
			}
			select {
			case n, ok := <-sub.C():
				if !ok {
					r.endStream(ctx, sub.Err())
					return
				}
				if changed, err = r.changedRequests(ctx, s.AccountID, s.Path, seq, n.Seq); err != nil {
					r.endStream(ctx, err)
					return
				}
				seq = max(seq, n.Seq)
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// changedRequests are those that events between two numbers tell of.
func (r *Resolver) changedRequests(ctx context.Context, accountID, path string, after, upTo int64) ([]string, error) {
	ctx = tenancy.System(ctx, "ids alone; what is shown of them is read again under the viewer")
	rows, err := r.Store.AuditEvent.Query().Where(auditevent.AccountID(accountID), auditevent.SeqGT(after), auditevent.SeqLTE(upTo),
		auditevent.ActionHasPrefix("request."), auditevent.OutcomeEQ(auditevent.OutcomeDONE)).
		Order(ent.Asc(auditevent.FieldSeq)).Limit(inboxAtOnce).All(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range rows {
		var changes struct {
			Request struct {
				After string `json:"after"`
			} `json:"request"`
		}
		if strings.HasPrefix(e.ScopePath, path) && json.Unmarshal(e.Changes, &changes) == nil {
			out = append(out, changes.Request.After)
		}
	}
	return out, nil
}

// sendInbox reads under what the viewer may see at this moment.
func (r *Resolver) sendInbox(ctx context.Context, scopeID string, changed []string, out chan<- *model.RequestInbox) error {
	if len(changed) == 0 {
		return nil
	}
	s, err := r.scopeByID(ctx, scopeID)
	if err != nil {
		return err
	}
	q := r.Store.Request.Query().Where(entrequest.AccountID(s.AccountID))
	q.WhereP(r.requestsWhere(ctx, s.Path, model.RequestFilterWaitingForMe, nil))
	waiting, err := q.Count(ctx)
	if err != nil {
		return err
	}
	for _, requestID := range changed {
		payload := &model.RequestInbox{ScopeID: scopeID, Waiting: waiting}
		if requestID != "" {
			row, err := r.Store.Request.Get(ctx, requestID)
			if err != nil && !ent.IsNotFound(err) {
				return err
			}
			if err == nil {
				payload.Request = r.toRequest(ctx)(row)
			}
		}
		select {
		case out <- payload:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}
