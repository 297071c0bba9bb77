package request

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/alchemi/cockpit/ent"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// AtPlatform tells whether super admins decide on a request, or have: it is for
// credits that its account doesn't have.
func AtPlatform(row *ent.Request) bool { return row.WaitsAt == id.PlatformID }

// Words are those of a request that are meant for the platform: of whoever
// passed it there, else of who asked.
func Words(row *ent.Request) string {
	if passes := Passes(row); len(passes) > 0 {
		return passes[len(passes)-1].Note
	}
	return row.Reason
}

// ofPool is where a request waits that what limits is the pool of Copilot: at
// the platform for admins of the account, for others at the admins of the whole
// plane, who pass it up.
func ofPool(ctx context.Context, tx *store.Tx, pool *ent.Scope) (*ent.Scope, []string, error) {
	v := tenancy.ViewerFrom(ctx)
	administers := func(kinds ...tenancy.Kind) bool {
		return slices.ContainsFunc(v.Roles, func(r tenancy.Role) bool {
			return r.Role == tenancy.Admin && slices.Contains(kinds, r.Kind) && strings.HasPrefix(pool.Path, r.Path)
		})
	}
	if !administers(tenancy.KindAccount) {
		where, who, err := admins(ctx, tx, pool.Path+"self/", v.UserID) // the pool's own admins pass on as well
		if err != nil || where != nil || !administers(tenancy.KindCopilot) {
			return where, who, err
		}
	}
	return platform(ctx, tx)
}

// platform is the node at which super admins decide, and who they are.
func platform(ctx context.Context, tx *store.Tx) (*ent.Scope, []string, error) {
	root, err := tx.Scope.Get(ctx, id.PlatformID)
	if err != nil {
		return nil, nil, err
	}
	who, err := identity.SuperAdmins(ctx, tx)
	return root, who, err
}

// beyond is the platform for a request that admins of the whole of Copilot pass
// up; nil where the platform has nothing to do with it. What the account has
// itself isn't asked of the platform.
func beyond(ctx context.Context, tx *store.Tx, now time.Time, p *pending, note string) (*ent.Scope, []string, error) {
	if !MayReachPlatform(p.row, p.waits) {
		return nil, nil, nil
	}
	tree, err := Load(ctx, tx.Client, p.row.AccountID, tenancy.Copilot, now)
	if err != nil {
		return nil, nil, err
	}
	if tree.Covers(p.row, p.scope) {
		return nil, nil, ErrCovered
	}
	if note == "" {
		return nil, nil, fault.At("note", "Say why, in a sentence: the platform reads nothing else of the request.")
	}
	return platform(ctx, tx)
}

// ErrCovered refuses to ask the platform for what the account has itself.
var ErrCovered = fault.At("requestId", "The account has that much left to give. Decide on it here.")

// MayReachPlatform tells whether a request that waits somewhere is one for more
// credits, and waits where only the platform stands above.
func MayReachPlatform(row *ent.Request, waits *ent.Scope) bool {
	return row.Kind == entrequest.KindBUDGET && row.Plane == entrequest.PlaneCOPILOT && (waits.Kind == scope.KindACCOUNT || waits.Kind == scope.KindCOPILOT)
}

// Covers tells whether a plane has what is asked for, without more credits.
func (t *Tree) Covers(row *ent.Request, s *ent.Scope) bool {
	plan := t.Plan(s.Path, money.Nano(row.Amount), row.Until != nil, func(at *ent.Scope) bool { return at.Kind != scope.KindCOPILOT })
	return plan != nil && plan.Fits()
}

// MayGive tells which budgets a decision on a request may raise: those that the
// viewer may set; at the platform the pool, and below it what the admin of the
// account would raise who passed the request up.
func (r *Requests) MayGive(ctx context.Context, row *ent.Request) func(*ent.Scope) bool {
	may := r.MayRaise(ctx)
	if !AtPlatform(row) {
		return may
	}
	return func(s *ent.Scope) bool { return s.Kind != scope.KindCOPILOT || may(s) }
}

// OnPool is what carrying out a plan does to the pool of its plane; after is
// before where the pool has enough.
func (t *Tree) OnPool(p *Plan, temporary bool) Raise {
	for _, r := range p.Raises {
		if r.Scope.Kind == scope.KindCOPILOT {
			return r
		}
	}
	for _, n := range t.nodes {
		if n.scope.Kind == scope.KindCOPILOT {
			return Raise{Scope: n.scope, Before: n.limit(temporary), After: n.limit(temporary), node: n}
		}
	}
	return Raise{}
}

// ownAsStaff refuses a super admin who asked, or passed it up, as a person of
// the account.
func ownAsStaff(ctx context.Context, tx *store.Tx, row *ent.Request) error {
	selves, err := identity.Selves(ctx, tx.Client, tenancy.ViewerFrom(ctx).UserID)
	if err != nil {
		return err
	}
	if OwnOf(row, selves) {
		return ErrOwn
	}
	return nil
}

// OwnOf tells whether one of some users asked for a request, or passed it up.
func OwnOf(row *ent.Request, userIDs []string) bool {
	return slices.Contains(userIDs, row.RequestedBy) ||
		slices.ContainsFunc(Passes(row), func(p Pass) bool { return slices.Contains(userIDs, p.By) })
}

// askedOfPlatform tells super admins; of the account no more than they see of
// the request.
func askedOfPlatform(ctx context.Context, tx *store.Tx, row *ent.Request, s *ent.Scope, to []string) (Notice, error) {
	a, err := tx.Account.Get(ctx, row.AccountID)
	if err != nil {
		return Notice{}, err
	}
	return Notice{Topic: "INCREASE_REQUESTED", AccountID: id.PlatformID, Plane: tenancy.Plane(row.Plane), ScopeID: strings.Split(strings.Trim(s.Path, "/"), "/")[1],
		Title: a.Name + " asks for " + budget.AmountText(budget.Credits, money.Nano(row.Amount)) + " more", Body: Words(row), Link: "/sa/requests",
		Cause: row.ID + " " + row.WaitsAt, To: to}, nil
}

// staffSees reads a request for the platform's staff: what waits at the
// platform, or was decided there, and nothing else.
func (r *Requests) staffSees(ctx context.Context, requestID string) (*ent.Request, error) {
	return r.Store.Request.Query().Where(entrequest.ID(requestID), entrequest.WaitsAt(id.PlatformID)).Only(tenancy.Platform(ctx))
}

// called is what a refusal calls the scope of a request; the platform's staff
// aren't told.
func called(ctx context.Context, s *ent.Scope) string {
	if v := tenancy.ViewerFrom(ctx); v != nil && v.Platform {
		return "what it is for"
	}
	return s.Name
}

// errBelow is what staff are told of what stands against a raise below the pool.
var errBelow = fault.At("requestId", "The pool could grow, but a budget of the account below it can't. Decline the request, and let the account's admins settle that first.")
