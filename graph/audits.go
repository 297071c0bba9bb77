package graph

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vikstrous/dataloadgen"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditcheckpoint"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/events"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

func toAuditEvent(e *ent.AuditEvent) *model.AuditEvent {
	out := &model.AuditEvent{ID: e.ID, At: e.At, ActorKind: model.ActorKind(e.ActorKind), ActorName: e.ActorName, ActorID: e.ActorID,
		ViaKind: model.ViaKind(e.ViaKind), ViaID: e.ViaID, ViaName: e.ViaName, Action: e.Action,
		DecisionID: e.DecisionID, Hash: e.Hash, ScopePath: e.ScopePath, Plane: productOf(tenancy.Plane(e.Plane)),
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

// auditFilter reads the fields that say what is asked for.
func auditFilter(f *model.AuditFilter) audit.Filter {
	if f == nil {
		return audit.Filter{}
	}
	out := audit.Filter{Action: value(f.Action), ActorID: value(f.ActorID), TargetID: value(f.TargetID), Search: strings.TrimSpace(value(f.Search)),
		From: value(f.From), To: value(f.To)}
	if f.Outcome != nil {
		out.Outcome = auditevent.Outcome(*f.Outcome)
	}
	return out
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// maxSearch bounds the text that is searched for.
const maxSearch = 100

// auditSelection is what a viewer asks for of an account's log, within the
// subtrees whose log they may read. ctx passes the guard for platform staff.
func (r *Resolver) auditSelection(ctx context.Context, accountID string, filter *model.AuditFilter) (audit.Selection, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return audit.Selection{}, err
	}
	if accountID != v.AccountID {
		return audit.Selection{}, fault.New(fault.Forbidden, "An account's events are open to the account alone.")
	}
	sel := audit.Selection{AccountID: accountID, Filter: auditFilter(filter)}
	switch {
	case len(sel.Search) > maxSearch:
		return sel, fault.New(fault.BadInput, "Search for at most %d characters.", maxSearch)
	case !sel.From.IsZero() && !sel.To.IsZero() && !sel.To.After(sel.From):
		return sel, fault.New(fault.BadInput, "The time range is empty: from must lie before to.")
	}
	whole, within := r.auditable(ctx, v)
	if !whole && len(within) == 0 {
		return sel, noLog
	}
	sel.Within = within
	if filter == nil || filter.ScopeID == nil {
		return sel, nil
	}
	s, err := r.scopeByID(ctx, *filter.ScopeID)
	if err != nil {
		return sel, err
	}
	if s.AccountID != accountID {
		return sel, fault.Missing("scope")
	}
	return inScope(sel, s)
}

var noLog = fault.New(fault.Forbidden, "The audit log is open to admins and viewers of a team or of what lies above it; a program needs the permission audit.read too.")

// inScope narrows a selection to one scope's subtree.
func inScope(sel audit.Selection, s *ent.Scope) (audit.Selection, error) {
	if s.Kind == scope.KindACCOUNT || s.Kind == scope.KindPLATFORM {
		return sel, nil // all that the viewer may read
	}
	if sel.Within = audit.Narrow(sel.Within, s.Path); len(sel.Within) == 0 {
		return sel, noLog
	}
	return sel, nil
}

// auditable are the subtrees whose log the viewer may read: those of the roles
// that the policy lets, not of seats.
func (r *Resolver) auditable(ctx context.Context, v *tenancy.Viewer) (whole bool, within []string) {
	for _, role := range v.Roles {
		if !r.Access.Decide(ctx, access.AuditRead, access.Target{Kind: role.Kind, Plane: role.Plane, Path: role.Path}).Allowed {
			continue
		}
		if role.Kind == tenancy.KindAccount || role.Kind == tenancy.KindPlatform {
			return true, nil
		}
		within = append(within, role.Path)
	}
	return false, within
}

// auditEvent reads one event, where the viewer may read the log.
func (r *Resolver) auditEvent(ctx context.Context, eventID string) (model.Node, error) {
	e, err := r.Store.AuditEvent.Get(ctx, eventID)
	if err != nil {
		return absent(err)
	}
	whole, within := r.auditable(ctx, tenancy.ViewerFrom(ctx))
	if e.Seq == nil || !whole && !slices.ContainsFunc(within, func(path string) bool { return strings.HasPrefix(e.ScopePath, path) }) {
		return nil, nil
	}
	return toAuditEvent(e), nil
}

func (r *Resolver) auditPage(ctx context.Context, at model.Ref, filter *model.AuditFilter, w window) (*model.AuditEventConnection, error) {
	ctx = tenancy.Platform(ctx)
	sel, err := r.auditSelection(ctx, at.AccountID, filter)
	if err != nil {
		return nil, err
	}
	return r.selected(ctx, sel, w)
}

// selected is a page of what somebody may read of a log.
func (r *Resolver) selected(ctx context.Context, sel audit.Selection, w window) (*model.AuditEventConnection, error) {
	n, backwards, err := w.size()
	if err != nil {
		return nil, err
	}
	var b audit.Bounds
	if b.Before, err = number("after", w.after); err != nil {
		return nil, err
	}
	if b.After, err = number("before", w.before); err != nil {
		return nil, err
	}
	page, err := sel.Page(ctx, r.Store.Client, b, n, !backwards)
	if err != nil {
		return nil, err
	}
	info := &model.PageInfo{HasNextPage: page.More, HasPreviousPage: b.Before != 0}
	start, end := page.Reached, page.Reached
	if len(page.Rows) > 0 {
		start = *page.Rows[0].Seq
	}
	if backwards {
		slices.Reverse(page.Rows)
		start, end = end, start
		info.HasNextPage, info.HasPreviousPage = b.After != 0, page.More
	}
	if start != 0 {
		from, to := encode(strconv.FormatInt(start, 10)), encode(strconv.FormatInt(end, 10))
		info.StartCursor, info.EndCursor = &from, &to
	}
	return &model.AuditEventConnection{PageInfo: info, Edges: mapTo(page.Rows, func(e *ent.AuditEvent) *model.AuditEventEdge {
		return &model.AuditEventEdge{Node: toAuditEvent(e), Cursor: encode(strconv.FormatInt(*e.Seq, 10))}
	})}, nil
}

// number reads the cursor of a list that goes by numbers; 0 is none.
func number(name string, s *string) (int64, error) {
	text, err := cursor(name, s)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.BadInput, "The cursor in %s isn't one that this API gave.", name)
	}
	return n, nil
}

// defaultHistogram is what a histogram without a time range covers, up to now.
const defaultHistogram = 30 * 24 * time.Hour

func (r *Resolver) auditHistogram(ctx context.Context, at model.Ref, filter model.AuditFilter, buckets *int) (*model.AuditHistogram, error) {
	ctx = tenancy.Platform(ctx)
	n := 60
	if buckets != nil {
		n = *buckets
	}
	if n < 1 || n > audit.MaxBuckets {
		return nil, fault.New(fault.BadInput, "A histogram has 1 to %d buckets.", audit.MaxBuckets)
	}
	if filter.To == nil {
		now := r.Store.Now()
		filter.To = &now
	}
	if filter.From == nil {
		from := filter.To.Add(-defaultHistogram)
		filter.From = &from
	}
	sel, err := r.auditSelection(ctx, at.AccountID, &filter)
	if err != nil {
		return nil, err
	}
	if span := sel.To.Sub(sel.From); span < time.Duration(n)*time.Second || span > maxHistogram {
		return nil, fault.New(fault.BadInput, "A histogram covers at least a second for each bucket, and at most ten years.")
	}
	rows, err := sel.Histogram(ctx, r.Store.Client, n)
	if err != nil {
		return nil, err
	}
	return &model.AuditHistogram{From: sel.From, To: sel.To, Buckets: mapTo(rows, func(b audit.Bucket) *model.AuditBucket {
		return &model.AuditBucket{From: b.From, Done: b.Done, Refused: b.Refused}
	})}, nil
}

const maxHistogram = 10 * 366 * 24 * time.Hour

func (r *Resolver) auditCheckpoints(ctx context.Context, at model.Ref, w window) (*model.AuditCheckpointConnection, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	if at.AccountID != v.AccountID {
		return nil, fault.New(fault.Forbidden, "An account's checkpoints are open to the account alone.")
	}
	ctx = tenancy.Platform(ctx)
	query := func() *ent.AuditCheckpointQuery {
		return r.Store.AuditCheckpoint.Query().Where(auditcheckpoint.AccountID(at.AccountID))
	}
	for name, c := range map[string]*string{"after": w.after, "before": w.before} {
		if _, err := number(name, c); err != nil {
			return nil, err
		}
	}
	key := func(c *ent.AuditCheckpoint) string { return strconv.FormatInt(c.Seq, 10) }
	rows, info, err := list[*ent.AuditCheckpoint](ctx, query(), w, auditcheckpoint.FieldSeq, true, key)
	if err != nil {
		return nil, err
	}
	return &model.AuditCheckpointConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(tenancy.Platform(ctx)) },
		Edges: mapTo(rows, func(c *ent.AuditCheckpoint) *model.AuditCheckpointEdge {
			return &model.AuditCheckpointEdge{Node: toAuditCheckpoint(c), Cursor: encode(key(c))}
		})}, nil
}

// auditPlace is where an event happened, in words.
func auditPlace(ctx context.Context, path string) (string, error) {
	ids := strings.Split(strings.Trim(path, "/"), "/")
	if len(ids) == 2 { // account and plane
		switch prefix, _ := id.PrefixOf(ids[1]); prefix {
		case id.Console:
			return "Console", nil
		case id.Copilot:
			return "Copilot", nil
		}
	}
	place, err := label(ctx, path)
	var each dataloadgen.ErrorSlice
	if errors.As(err, &each) && !slices.ContainsFunc(each, func(err error) bool { return err != nil && !isAbsent(err) }) {
		return "", nil // the scope is gone, its events stay
	}
	return place, err
}

// maxCatchUp is how many numbers a subscription may lie behind.
const maxCatchUp = 10_000

// auditStream delivers a scope's events in the order of their numbers: those
// behind a number that the caller names, then what is sealed from now on.
func (r *Resolver) auditStream(ctx context.Context, scopeID string, filter *model.AuditFilter, after *int64) (<-chan *model.AuditEvent, error) {
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
	ctx = tenancy.Platform(ctx)
	sel, err := r.auditSelection(ctx, s.AccountID, filter)
	if err != nil {
		return nil, err
	}
	if sel, err = inScope(sel, s); err != nil {
		return nil, err
	}
	sub := r.Audit.Watch(s.AccountID)
	seq, err := r.startAfter(ctx, s.AccountID, after)
	if err != nil {
		sub.Close()
		return nil, err
	}
	out := make(chan *model.AuditEvent)
	go func() {
		defer close(out)
		defer sub.Close()
		r.endStream(ctx, r.follow(ctx, sel, sub, seq, after != nil, out))
	}()
	return out, nil
}

// follow delivers what is sealed behind a number until the context or the
// subscription ends, and tells why.
func (r *Resolver) follow(ctx context.Context, sel audit.Selection, sub *events.Subscription[audit.Numbered], seq int64, catchUp bool, out chan<- *model.AuditEvent) (err error) {
	if catchUp {
		if seq, err = r.deliver(ctx, sel, seq, out); err != nil {
			return err
		}
	}
	for {
		select {
		case n, ok := <-sub.C():
			if !ok {
				return resume(sub.Err(), seq)
			}
			if n.Seq <= seq {
				continue // delivered already
			}
		case <-ctx.Done():
			return nil
		}
		if seq, err = r.deliver(ctx, sel, seq, out); err != nil {
			return err
		}
	}
}

// startAfter is the number behind which a stream begins. It is asked for after
// the stream is watched, so that nothing falls between.
func (r *Resolver) startAfter(ctx context.Context, accountID string, after *int64) (int64, error) {
	a, err := r.Store.Account.Get(ctx, accountID)
	switch {
	case err != nil:
		return 0, err
	case after == nil:
		return a.AuditSeq, nil
	case *after < 0 || *after > a.AuditSeq:
		return 0, fault.New(fault.BadInput, "There is no event %d yet; the newest is %d.", *after, a.AuditSeq).With("newest", a.AuditSeq)
	case a.AuditSeq-*after > maxCatchUp:
		return 0, fault.New(events.SlowConsumer, "More than %d events happened since event %d. Read the list, then subscribe anew.", maxCatchUp, *after).With("newest", a.AuditSeq)
	}
	return *after, nil
}

// resume tells a subscriber who was too slow where to go on.
func resume(err error, seq int64) error {
	if e := fault.As(err); e != nil && e.Code == events.SlowConsumer {
		return fault.New(e.Code, "This connection was too slow to take all that happened. Subscribe again with after: %d; nothing is lost.", seq).With("after", seq)
	}
	return err
}

// batch is how many events are read at once for a stream.
const batch = 100

// deliver sends what is sealed after seq, and returns how far it came.
func (r *Resolver) deliver(ctx context.Context, sel audit.Selection, seq int64, out chan<- *model.AuditEvent) (int64, error) {
	for {
		page, err := sel.Page(ctx, r.Store.Client, audit.Bounds{After: seq}, batch, false)
		if err != nil {
			return seq, err
		}
		for _, e := range page.Rows {
			select {
			case out <- toAuditEvent(e):
				seq = *e.Seq
			case <-ctx.Done():
				return seq, nil
			}
		}
		seq = max(seq, page.Reached)
		if !page.More {
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
