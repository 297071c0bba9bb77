package access

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// extension is where a running operation's state hangs on its context.
const extension = "Access"

// running is what the payloads of an operation are checked against.
type running struct {
	rev    *revision
	viewer *tenancy.Viewer
	hidden hidden
	cost   Cost
	priced bool
	ended  bool
}

// hidden holds the output coordinates that come back null, and for each
// whether the response has said so already.
type hidden map[string]*hiddenField

type hiddenField struct {
	class class
	told  atomic.Bool
}

// ExtensionName is how gqlgen calls the engine.
func (e *Engine) ExtensionName() string { return extension }

// Validate is asked by gqlgen when the engine is added; there is nothing that
// New hasn't checked.
func (e *Engine) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext decides a whole operation before any of it runs:
// over HTTP, WebSocket and SSE alike.
func (e *Engine) MutateOperationContext(ctx context.Context, oc *graphql.OperationContext) *gqlerror.Error {
	rev := e.rev.Load()
	viewer := tenancy.ViewerFrom(ctx)
	if isHeld(ctx) && e.Present != nil {
		if viewer = e.Present(ctx); viewer == nil {
			return present(fault.New(fault.Unauthenticated, "You were signed out. Sign in again."))
		}
		ctx = tenancy.WithViewer(ctx, viewer)
	}
	p := rev.planOf(e.schema, oc.Operation)
	if err := e.Limits.bounded(p); err != nil {
		return present(err)
	}
	hidden, err := e.decide(ctx, rev, viewer, p, oc)
	if err != nil {
		return present(err)
	}
	cost, err := e.Limits.priced(p, oc.Variables)
	if err != nil {
		return present(err)
	}
	oc.DisableIntrospection = !e.Introspection
	if hidden != nil {
		oc.ResolverMiddleware = hidden.around(oc.ResolverMiddleware, viewer != nil)
	}
	oc.Stats.SetExtension(extension, &running{rev: rev, viewer: viewer, hidden: hidden, cost: cost})
	return nil
}

type heldKey struct{}

// Held marks the context of a connection that is held open: each operation on
// it runs for the viewer as roles stand by then, not as they stood when it was
// opened.
func Held(ctx context.Context) context.Context { return context.WithValue(ctx, heldKey{}, true) }

func isHeld(ctx context.Context) bool {
	held, _ := ctx.Value(heldKey{}).(bool)
	return held
}

// InterceptOperation runs operations of held connections for whom they were
// decided for.
func (e *Engine) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if isHeld(ctx) {
		if r, ok := graphql.GetOperationContext(ctx).Stats.GetExtension(extension).(*running); ok && r.viewer != nil {
			ctx = tenancy.WithViewer(ctx, r.viewer)
		}
	}
	return next(ctx)
}

// decide refuses an operation, or says which of its output fields are hidden.
func (e *Engine) decide(ctx context.Context, rev *revision, v *tenancy.Viewer, p *plan, oc *graphql.OperationContext) (hidden, *fault.Error) {
	allowed, err := rev.classesOf(ctx, SubjectOf(v))
	if err != nil {
		slog.ErrorContext(ctx, "policies can't be asked", "err", err, "policy", rev.id)
		return nil, fault.New(fault.Internal, "The policies can't be asked right now; try again.").Because(err)
	}
	var refused []touch
	var hides hidden
	if p.classes&^allowed != 0 {
		for _, t := range p.touches {
			switch {
			case allowed&(1<<t.bit) != 0:
			case t.place != output || oc.Operation.Operation == ast.Mutation:
				refused = append(refused, t)
			default:
				if hides == nil {
					hides = hidden{}
				}
				hides[t.coordinate] = &hiddenField{class: rev.coverage.class(t.bit)}
			}
		}
	}
	for _, def := range p.variables {
		given(e.schema, e.schema.Types[def.Type.Name()], oc.Variables[def.Variable], func(coordinate string) {
			if bit := rev.coverage.bit(coordinate); allowed&(1<<bit) == 0 {
				refused = append(refused, touch{coordinate: coordinate, bit: bit, place: input})
			}
		})
	}
	if len(refused) > 0 {
		return nil, e.refuse(ctx, rev, refused)
	}
	if p.introspects && !e.Introspection {
		return nil, e.tell(ctx, Decision{Rule: "introspection-off", Reason: "Introspection is switched off here; the schema is at /schema.graphql.", Policy: rev.id})
	}
	return hides, nil
}

// refuse makes the one error of an operation that may not run.
func (e *Engine) refuse(ctx context.Context, rev *revision, touches []touch) *fault.Error {
	var names []string
	for _, t := range touches {
		if !slices.Contains(names, t.coordinate) {
			names = append(names, t.coordinate)
		}
	}
	first := rev.coverage.class(touches[0].bit)
	return e.tell(ctx, Decision{Rule: "class:" + first.name, Reason: needs(names[0], first), Policy: rev.id, Coordinates: names})
}

func needs(coordinate string, c class) string {
	return "`" + coordinate + "` needs " + c.needs + "."
}

// around nulls hidden fields. It is installed for operations that have some,
// so all others run without it.
func (h hidden) around(next graphql.FieldMiddleware, signedIn bool) graphql.FieldMiddleware {
	return func(ctx context.Context, resolve graphql.Resolver) (any, error) {
		fc := graphql.GetFieldContext(ctx)
		coordinate := fc.Object + "." + fc.Field.Name
		field, ok := h[coordinate]
		if !ok {
			return next(ctx, resolve)
		}
		if field.told.Swap(true) {
			return nil, nil
		}
		d := Decision{ID: newDecisionID(), Rule: "class:" + field.class.name, Reason: needs(coordinate, field.class), Coordinates: []string{coordinate}}
		return nil, present(d.fault(signedIn))
	}
}

// InterceptResponse tells the cost, and asks again before each payload of a
// subscription. The server ends what waits without payloads.
func (e *Engine) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	if !graphql.HasOperationContext(ctx) {
		return next(ctx)
	}
	oc := graphql.GetOperationContext(ctx)
	r, ok := oc.Stats.GetExtension(extension).(*running)
	if !ok {
		return next(ctx)
	}
	if r.ended {
		return nil
	}
	if !r.priced {
		r.priced = true
		graphql.RegisterExtension(ctx, "cost", r.cost)
	}
	response := next(ctx)
	if response == nil || oc.Operation.Operation != ast.Subscription {
		return response
	}
	if err := e.still(ctx, r, oc); err != nil {
		r.ended = true
		return &graphql.Response{Errors: gqlerror.List{present(err)}}
	}
	for _, field := range r.hidden {
		field.told.Store(false)
	}
	return response
}

// still tells whether a subscription may go on as it began. Its resolver runs
// with the viewer it began with, so other roles end it; the client comes back
// with them.
func (e *Engine) still(ctx context.Context, r *running, oc *graphql.OperationContext) *fault.Error {
	viewer := r.viewer
	if e.Present != nil {
		viewer = e.Present(ctx)
		if viewer == nil {
			return fault.New(fault.Unauthenticated, "You were signed out. Sign in again.")
		}
		if r.viewer == nil || !slices.Equal(viewer.Roles, r.viewer.Roles) || viewer.Platform != r.viewer.Platform || !slices.Equal(viewer.Off, r.viewer.Off) ||
			viewer.Narrowed != r.viewer.Narrowed || !slices.Equal(viewer.Permissions, r.viewer.Permissions) {
			return fault.New(fault.Forbidden, "Your roles changed. Subscribe again to go on with those you have now.").With("decisionId", newDecisionID())
		}
	}
	rev := e.rev.Load()
	if rev == r.rev {
		return nil
	}
	hidden, err := e.decide(ctx, rev, viewer, rev.planOf(e.schema, oc.Operation), oc)
	if err != nil {
		return err
	}
	for coordinate := range hidden {
		if r.hidden[coordinate] == nil {
			return fault.New(fault.Forbidden, "The policies changed. Subscribe again to go on with what you may see now.").With("decisionId", newDecisionID())
		}
	}
	r.rev = rev
	return nil
}

// present makes gqlgen's error of a fault, which stays in its chain.
func present(f *fault.Error) *gqlerror.Error {
	extensions := map[string]any{"code": string(f.Code)}
	for key, value := range f.Data {
		extensions[key] = value
	}
	return &gqlerror.Error{Err: f, Message: f.Message, Extensions: extensions}
}
