package graph

import (
	"context"
	"errors"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/audit"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/feature"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// refused splits an error of a mutation: what its payload tells the user, and
// what ends the request.
func refused(err error) ([]model.UserError, error) {
	if err == nil {
		return []model.UserError{}, nil
	}
	if errors.Is(err, tenancy.ErrOutOfReach) {
		err = fault.Missing("thing")
	}
	e := fault.As(err)
	if e == nil {
		return nil, err
	}
	path := e.Path
	if path == nil {
		path = []string{}
	}
	switch e.Code {
	case fault.Invalid, fault.Exists, fault.InUse, fault.Unavailable, fault.NotFound, feature.FeatureOff:
		return []model.UserError{&model.InvalidError{Message: e.Message, Code: string(e.Code), Path: path}}, nil
	case fault.Conflict:
		c := &model.ConflictError{Message: e.Message, Code: string(e.Code), Path: path}
		c.ExpectedVersion, _ = e.Data["expectedVersion"].(int)
		c.CurrentVersion, _ = e.Data["currentVersion"].(int)
		return []model.UserError{c}, nil
	case fault.BudgetExceeded:
		a := &model.AllocationError{Message: e.Message, Code: string(e.Code), Path: path}
		a.Available, _ = e.Data["available"].(money.Nano)
		return []model.UserError{a}, nil
	}
	return nil, err
}

// present makes what the caller sees of an error. Whatever isn't meant for
// users becomes INTERNAL, and its cause goes to the log once.
func (r *Resolver) present(ctx context.Context, err error) *gqlerror.Error {
	if errors.Is(err, tenancy.ErrOutOfReach) {
		err = fault.Missing("thing").Because(err)
	}
	out := graphql.DefaultErrorPresenter(ctx, err)
	if out.Extensions == nil {
		out.Extensions = map[string]any{}
	}
	var g *gqlerror.Error
	if e := fault.As(err); e != nil {
		out.Message = e.Message
		out.Extensions["code"] = string(e.Code)
		for k, v := range e.Data {
			out.Extensions[k] = v
		}
		if e.Cause != nil {
			r.Log.WarnContext(ctx, "request refused", "code", e.Code, "cause", e.Cause, "requestId", audit.RequestID(ctx))
		}
	} else if code := out.Extensions["code"]; code == errcode.ParseFailed || code == errcode.ValidationFailed {
		out.Extensions["code"] = string(fault.BadInput)
	} else if !errors.As(err, &g) || out.Extensions["code"] == nil {
		if g != nil && errors.Unwrap(g) == nil {
			out.Extensions["code"] = string(fault.BadInput) // the document itself is wrong
		} else {
			level := slog.LevelError
			if ctx.Err() != nil { // whoever asked has gone, or may no longer
				level = slog.LevelDebug
			}
			r.Log.Log(ctx, level, "request failed", "cause", err, "requestId", audit.RequestID(ctx))
			out.Message = "Something went wrong on our side. Try again; if it stays, report the request id."
			out.Extensions["code"] = string(fault.Internal)
		}
	}
	out.Err = nil
	out.Extensions["requestId"] = audit.RequestID(ctx)
	return out
}
