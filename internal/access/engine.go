// Package access decides who may do what. The rules are the Rego in
// policies/; this package asks them once for a class of subjects and answers
// from memory afterwards.
//
// Three questions are answered: whether a GraphQL operation may run (Engine is
// a gqlgen extension), whether a viewer may do an action at a node (Check) and
// whether a viewer may call the model gateway (Gateway).
package access

import (
	"context"
	"io/fs"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/tenancy"
	"github.com/alchemi/cockpit/policies"
)

// Engine answers by the policies in force. Its exported fields are set before
// it serves; everything else may be called from many goroutines.
type Engine struct {
	// Introspection lets `__schema` and `__type` through, for those whose class
	// allows it.
	Introspection bool
	// Limits bound every operation; New sets DefaultLimits.
	Limits Limits
	// Present returns the viewer of a context as roles stand now; it is asked
	// before every payload of a subscription, so it must answer from memory.
	// Left nil, roles are taken as they stood when the subscription began.
	Present func(context.Context) *tenancy.Viewer
	// Off is why a feature isn't on at a node, and that who can switch it on; nil
	// where it is. It answers from memory. Left nil, none is on.
	Off func(ctx context.Context, feature string, t Target, who string) *fault.Error
	// Refused is told every refusal once, for the audit log; it must not block.
	Refused func(context.Context, Decision)

	schema *ast.Schema
	rev    atomic.Pointer[revision]
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
	graphql.OperationInterceptor
	graphql.ResponseInterceptor
} = (*Engine)(nil)

// New makes an engine for a schema with the policies built into the binary.
func New(schema *ast.Schema) (*Engine, error) {
	e := &Engine{Limits: DefaultLimits, schema: schema}
	if err := e.Load(policies.FS); err != nil {
		return nil, err
	}
	return e, nil
}

// Load puts other policies in force, at once for everybody: the next operation,
// check and subscription payload go by them. When they don't compile, the old
// ones stay and the error says why.
func (e *Engine) Load(files fs.FS) error {
	rev, err := compile(files, e.schema)
	if err != nil {
		return err
	}
	e.rev.Store(rev)
	return nil
}

// Revision is the short hash of the policies in force, the same on every
// replica that runs the same policies.
func (e *Engine) Revision() string { return e.rev.Load().id }
