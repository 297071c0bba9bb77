package tenancy

import (
	"context"
	"slices"
)

type bypassKey struct{}

// System lets work without a viewer pass the guard: sign-in look-ups,
// schedulers, the gateway's snapshot. The reason is for the reader of the code.
func System(ctx context.Context, reason string) context.Context {
	if reason == "" {
		panic("tenancy: System needs a reason")
	}
	return context.WithValue(ctx, bypassKey{}, true)
}

// Platform lets a viewer of the platform's staff pass the guard. For anybody
// else the context stays confined.
func Platform(ctx context.Context) context.Context {
	if v := ViewerFrom(ctx); v == nil || !v.Platform {
		return ctx
	}
	return context.WithValue(ctx, bypassKey{}, true)
}

// Bypassed tells whether the context passes the guard.
func Bypassed(ctx context.Context) bool {
	b, _ := ctx.Value(bypassKey{}).(bool)
	return b
}

type planeKey struct{}

// InPlane narrows the context to one plane: rows of the other one are as
// foreign as another account's.
func InPlane(ctx context.Context, p Plane) context.Context {
	return context.WithValue(ctx, planeKey{}, p)
}

// PlaneFrom returns the plane that the context is narrowed to, or "".
func PlaneFrom(ctx context.Context) Plane {
	p, _ := ctx.Value(planeKey{}).(Plane)
	return p
}

// Planes lists the planes whose rows the context may touch: those of the
// viewer's reach, narrowed by InPlane. Rows of the account itself are always
// among them.
func Planes(ctx context.Context) []Plane {
	v := ViewerFrom(ctx)
	if v == nil {
		return nil
	}
	only := PlaneFrom(ctx)
	out := []Plane{PlaneAccount}
	if v.Platform {
		out = append(out, PlanePlatform)
	}
	for _, p := range []Plane{Console, Copilot} {
		if (only == "" || only == p) && reachesPlane(v, p) {
			out = append(out, p)
		}
	}
	return out
}

func reachesPlane(v *Viewer, p Plane) bool {
	if slices.Contains(v.Off, p) {
		return false
	}
	for _, r := range v.Reach {
		if r.Plane == p || r.Plane == PlaneAccount {
			return true
		}
	}
	return false
}
