// Package audit records who did what: append-only events, written in the
// transaction of the change they tell of, numbered and chained by the sealer.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/auditevent"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Event is what somebody did, in the words of the domain. Actor, request and
// time are taken from the context and the clock.
type Event struct {
	// Action is noun and verb: "key.create".
	Action string
	// Outcome is DONE unless set.
	Outcome   auditevent.Outcome
	AccountID string
	Plane     tenancy.Plane
	ScopeID   string
	ScopePath string
	// Target is what it happened to, with its name at the time.
	TargetID, TargetName string
	// Changes by field; secrets must not be among them.
	Changes map[string]Change
	// Reason says why it was refused.
	Reason     string
	DecisionID string
	Count      int
	// Actor overrides the context's viewer, for sign-ins.
	Actor *Actor
	// requestID of a refusal that is written after its request.
	requestID string
}

// Change is a field's value before and after.
type Change struct {
	Before any `json:"before"`
	After  any `json:"after"`
}

// Actor is who did it.
type Actor struct {
	Kind     auditevent.ActorKind
	ID, Name string
	// Via is what a person acted through; NONE when unset.
	Via            auditevent.ViaKind
	ViaID, ViaName string
}

// ActorFrom tells who acts in a context; nobody means the system.
func ActorFrom(ctx context.Context) Actor {
	v := tenancy.ViewerFrom(ctx)
	switch {
	case v == nil:
		return Actor{Kind: auditevent.ActorKindSYSTEM, Name: "System"}
	case v.Kind == tenancy.KeyViewer:
		return Actor{Kind: auditevent.ActorKindKEY, ID: v.KeyID, Name: v.Name}
	case v.Kind == tenancy.ClientViewer:
		return Actor{Kind: auditevent.ActorKindCLIENT, ID: v.ClientID, Name: v.Name}
	}
	a := Actor{Kind: auditevent.ActorKindUSER, ID: v.UserID, Name: v.Name}
	switch {
	case v.SupportID != "":
		a.Via, a.ViaID, a.ViaName = auditevent.ViaKindSUPPORT, v.SupportID, "Support access"
	case v.ClientID != "":
		a.Via, a.ViaID, a.ViaName = auditevent.ViaKindCLIENT, v.ClientID, v.ClientName
	case v.TokenID != "":
		a.Via, a.ViaID, a.ViaName = auditevent.ViaKindTOKEN, v.TokenID, v.TokenName
	}
	return a
}

type requestKey struct{}

// WithRequestID binds the id that the caller sees as X-Request-Id.
func WithRequestID(ctx context.Context, requestID string) context.Context {
	return context.WithValue(ctx, requestKey{}, requestID)
}

// RequestID returns the request's id, or "".
func RequestID(ctx context.Context) string {
	s, _ := ctx.Value(requestKey{}).(string)
	return s
}

// Write inserts the event with the given client, which should be bound to the
// transaction of the change.
func Write(ctx context.Context, c *ent.Client, now time.Time, e Event) error {
	create, err := prepare(ctx, c, now, e)
	if err != nil {
		return err
	}
	return create.Exec(tenancy.System(ctx, "audit events are written by the system"))
}

// WriteAll inserts many events, a hundred at a time.
func WriteAll(ctx context.Context, c *ent.Client, now time.Time, events []Event) error {
	for some := range slices.Chunk(events, 100) {
		creates := make([]*ent.AuditEventCreate, len(some))
		for i, e := range some {
			var err error
			if creates[i], err = prepare(ctx, c, now, e); err != nil {
				return err
			}
		}
		if err := c.AuditEvent.CreateBulk(creates...).Exec(tenancy.System(ctx, "audit events are written by the system")); err != nil {
			return err
		}
	}
	return nil
}

func prepare(ctx context.Context, c *ent.Client, now time.Time, e Event) (*ent.AuditEventCreate, error) {
	actor := ActorFrom(ctx)
	if e.Actor != nil {
		actor = *e.Actor
	}
	if e.Outcome == "" {
		e.Outcome = auditevent.OutcomeDONE
	}
	if actor.Via == "" {
		actor.Via = auditevent.ViaKindNONE
	}
	if e.requestID == "" {
		e.requestID = RequestID(ctx)
	}
	create := c.AuditEvent.Create().
		SetID(id.At(id.AuditEvent, now)).
		SetAccountID(e.AccountID).SetPlane(auditevent.Plane(e.Plane)).
		SetAt(now.UTC()).SetActorKind(actor.Kind).SetActorID(actor.ID).SetActorName(actor.Name).
		SetViaKind(actor.Via).SetViaID(actor.ViaID).SetViaName(actor.ViaName).
		SetAction(e.Action).SetOutcome(e.Outcome).
		SetScopeID(e.ScopeID).SetScopePath(e.ScopePath).
		SetTargetID(e.TargetID).SetTargetName(e.TargetName).
		SetReason(e.Reason).SetDecisionID(e.DecisionID).SetRequestID(e.requestID).
		SetCount(max(e.Count, 1))
	e.Changes = maps.Clone(e.Changes)
	maps.DeleteFunc(e.Changes, func(field string, _ Change) bool { return slices.Contains(secrets, field) })
	if len(e.Changes) > 0 {
		changes, err := json.Marshal(e.Changes)
		if err != nil {
			return nil, fmt.Errorf("audit: %w", err)
		}
		create.SetChanges(changes)
	}
	return create, nil
}

// secrets never reach an event, whoever writes it.
var secrets = []string{
	"secret", "password_hash", "token_hash", "reset_hash", "secret_hash", "previous_secret_hash", "previous_secret",
	"code_hash", "rests_on", "refresh_hash", "challenge", "nonce", "token", "password", "sealed_request", "sealed_answer",
	"client_secret", "registered_client", "moderation_secret",
	// Prompts are nobody's business but their builders'; digests and version
	// numbers tell of the rest.
	"draft", "definition", "instructions", "proposed", "payload", "document",
}

// hidden fields of rows don't reach an event: secrets, and what says nothing.
var hidden = append([]string{"id", "account_id", "plane", "path", "parent_plane", "version", "created_at", "updated_at", "epoch", "epoch_at", "audit_seq", "audit_hash"}, secrets...)

// Changes reads a mutation's fields before and after. It must run before the
// mutation does. Only single-row updates know their old values.
func Changes(ctx context.Context, m ent.Mutation) (map[string]Change, error) {
	out := map[string]Change{}
	for _, f := range m.Fields() {
		if slices.Contains(hidden, f) {
			continue
		}
		after, _ := m.Field(f)
		var before any
		if m.Op().Is(ent.OpUpdateOne) {
			old, err := m.OldField(ctx, f)
			if err != nil {
				return nil, err
			}
			if reflect.DeepEqual(old, after) {
				continue
			}
			before = old
		}
		out[f] = Change{Before: before, After: after}
	}
	if m.Op().Is(ent.OpUpdateOne) {
		for _, f := range m.ClearedFields() {
			if slices.Contains(hidden, f) {
				continue
			}
			old, err := m.OldField(ctx, f)
			if err != nil {
				return nil, err
			}
			out[f] = Change{Before: old}
		}
	}
	return out, nil
}

// Merge adds changes of another row of the same thing.
func Merge(into, more map[string]Change) map[string]Change {
	if into == nil {
		into = map[string]Change{}
	}
	maps.Copy(into, more)
	return into
}
