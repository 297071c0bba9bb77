package graph

import (
	"context"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/graph/model"
	"github.com/alchemi/cockpit/internal/access"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// onAnAccount runs a change of an account in one transaction of the system's,
// once the viewer sees it and the policy allows the action.
func onAnAccount[T any](ctx context.Context, r *Resolver, accountID string, action access.Action, f func(ctx context.Context, tx *store.Tx) (T, error)) (T, error) {
	var out T
	at, err := r.accountByID(ctx, accountID)
	if err != nil {
		return out, err
	}
	needs := []leave{{action, func() model.Ref { return at.Ref }}}
	err = r.underLeave(tenancy.System(ctx, "the system alone writes accounts; the policy is asked"), needs, func(ctx context.Context, tx *store.Tx) (err error) {
		out, err = f(ctx, tx)
		return err
	})
	return out, err
}

func (r *Resolver) accountCreate(ctx context.Context, in model.AccountCreateInput) (*ent.Account, *model.InvitationLink, error) {
	input := identity.AccountInput{Name: in.Name, Slug: in.Slug}
	if in.TimeZone != nil {
		input.TimeZone = *in.TimeZone
	}
	for _, p := range in.Planes {
		input.Console = input.Console || p == model.PlaneConsole
		input.Copilot = input.Copilot || p == model.PlaneCopilot
	}
	name := ""
	if in.AdminName != nil {
		name = *in.AdminName
	}
	var made *ent.Account
	var root *ent.Scope
	var invited identity.Invited
	err := r.underLeave(tenancy.System(ctx, "the system alone writes accounts; the policy is asked"), []leave{needOfPlatform(access.AccountCreate)}, func(ctx context.Context, tx *store.Tx) (err error) {
		made, root, invited, err = r.directory().OpenAccount(ctx, tx, r.Store.Now(), input, in.AdminEmail, name, r.Mailer.Configured())
		if err == nil && in.Credits != nil {
			err = r.firstCredits(ctx, tx, made.ID, *in.Credits)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return made, r.send(ctx, root, []identity.Invited{invited})[0], nil
}

// firstCredits gives an account that is being made its Copilot pool.
func (r *Resolver) firstCredits(ctx context.Context, tx *store.Tx, accountID string, credits money.Nano) error {
	s, err := tx.Scope.Query().Where(scope.AccountID(accountID), scope.KindEQ(scope.KindCOPILOT)).Only(ctx)
	if ent.IsNotFound(err) {
		return fault.At("credits", "Credits are for Copilot. Choose it among the products, or leave the credits out.")
	}
	if err == nil {
		err = r.check(ctx, access.BudgetSet, ref(s))
	}
	if err != nil {
		return err
	}
	plan, err := r.Budgets.Set(ctx, tx, s.ID, budget.Spec{Limit: credits})
	if e := fault.As(err); e != nil && e.Path != nil {
		moved := *e
		moved.Path = []string{"credits"}
		return &moved
	}
	if err != nil {
		return err
	}
	e := event("budget.set", s)
	e.Changes = changesOf(plan, s.ID)
	return tx.Audit(ctx, e)
}

func (r *Resolver) accountUpdate(ctx context.Context, in model.AccountUpdateInput) (*ent.Account, error) {
	v, err := viewerOf(ctx)
	if err != nil {
		return nil, err
	}
	accountID := v.AccountID
	if in.AccountID != nil {
		accountID = *in.AccountID
	}
	return onAnAccount(ctx, r, accountID, access.AccountUpdate, func(ctx context.Context, tx *store.Tx) (*ent.Account, error) {
		return identity.UpdateAccount(ctx, tx, accountID, identity.AccountChange{Name: in.Name, TimeZone: in.TimeZone,
			IdleMinutes: in.SessionIdleMinutes, LifetimeMinutes: in.SessionLifetimeMinutes, RetentionDays: in.AuditRetentionDays,
			ExpectedVersion: in.ExpectedVersion})
	})
}

// accountPage lists all accounts but the platform's own.
func (r *Resolver) accountPage(ctx context.Context, search *string, status *model.AccountStatus, w window) (*model.AccountConnection, error) {
	query := func() *ent.AccountQuery {
		q := r.Store.Account.Query().Where(account.IDNEQ(id.PlatformID))
		if status != nil {
			q.Where(account.StatusEQ(account.Status(*status)))
		}
		if search != nil && strings.TrimSpace(*search) != "" {
			word := strings.TrimSpace(*search)
			q.Where(func(s *sql.Selector) {
				s.Where(sql.Or(sql.ContainsFold(s.C(account.FieldName), word), sql.ContainsFold(s.C(account.FieldSlug), word)))
			})
		}
		return q
	}
	rows, info, err := list[*ent.Account](tenancy.Platform(ctx), query(), w, account.FieldID, true, func(a *ent.Account) string { return a.ID })
	if err != nil {
		return nil, err
	}
	return &model.AccountConnection{PageInfo: info, Count: func(ctx context.Context) (int, error) { return query().Count(tenancy.Platform(ctx)) },
		Edges: mapTo(rows, func(a *ent.Account) *model.AccountEdge {
			return &model.AccountEdge{Node: toAccount(a), Cursor: encode(a.ID)}
		})}, nil
}
