package main

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/money"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// reallot sets the hot budget's limit up and down while calls run, and renews
// its plane now and then; cycles close as their last call ends.
func (o *ordeal) reallot(ctx context.Context, st *store.Store) {
	all := tenancy.System(context.WithoutCancel(ctx), "the ordeal's own data")
	e := budget.New(st, budget.Options{Log: slog.New(slog.DiscardHandler)})
	root := st.Scope.Query().Where(scope.KindEQ(scope.KindCONSOLE)).OnlyX(all)
	team := st.Scope.Query().Where(scope.KindEQ(scope.KindTEAM), scope.AccountID(root.AccountID), scope.PlaneEQ(root.Plane)).OnlyX(all)
	manual := budget.Manual
	o.alter(all, st, func(ctx context.Context, tx *store.Tx) error {
		_, err := e.Set(ctx, tx, root.ID, budget.Spec{KeepLimit: true, KeepOverflow: true, Cycle: &manual})
		return err
	})
	for n := 1; ctx.Err() == nil; n++ {
		wait(ctx, 100*time.Millisecond+rand.N(400*time.Millisecond))
		limit := money.One/200 + rand.N(money.One/10) // the last of it is fought for
		o.alter(all, st, func(ctx context.Context, tx *store.Tx) error {
			_, err := e.Set(ctx, tx, team.ID, budget.Spec{Limit: limit})
			return err
		})
		if n%10 != 0 {
			continue
		}
		o.alter(all, st, func(ctx context.Context, tx *store.Tx) error { return e.RenewNow(ctx, tx, root.ID) })
		if _, err := e.Renew(all); err != nil {
			o.breach("cycles can't be closed: %v", err)
		}
		o.renewals.Add(1)
	}
}

func (o *ordeal) alter(ctx context.Context, st *store.Store, verb func(context.Context, *store.Tx) error) {
	err := st.InTx(ctx, func(ctx context.Context, tx *store.Tx) error {
		tx.Unaudited()
		return verb(ctx, tx)
	})
	if err != nil && fault.As(err) == nil {
		o.breach("a budget can't be changed: %v", err)
		return
	}
	o.changes.Add(1)
}
