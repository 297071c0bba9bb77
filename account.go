package main

import (
	"context"
	"fmt"
	"io"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/account"
	"github.com/alchemi/cockpit/internal/identity"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/server"
)

type suspendAccount struct {
	server.Storage `embed:""`
	Slug           string `arg:"" help:"The account's name in addresses."`
	Reason         string `required:"" help:"Why, shown to the account's people."`
}

// Run suspends an account; running servers refuse it within a second.
func (c *suspendAccount) Run(ctx context.Context, out io.Writer) error {
	return withAccount(ctx, out, &c.Storage, c.Slug, "is suspended", func(ctx context.Context, tx *store.Tx, accountID string) error {
		_, err := identity.Suspend(ctx, tx, accountID, c.Reason)
		return err
	})
}

type resumeAccount struct {
	server.Storage `embed:""`
	Slug           string `arg:"" help:"The account's name in addresses."`
}

// Run lets a suspended account be used again.
func (c *resumeAccount) Run(ctx context.Context, out io.Writer) error {
	return withAccount(ctx, out, &c.Storage, c.Slug, "can be used again", func(ctx context.Context, tx *store.Tx, accountID string) error {
		_, err := identity.Resume(ctx, tx, accountID)
		return err
	})
}

func withAccount(ctx context.Context, out io.Writer, s *server.Storage, slug, done string, f func(ctx context.Context, tx *store.Tx, accountID string) error) error {
	name := ""
	err := create(ctx, s, func(ctx context.Context, tx *store.Tx) error {
		a, err := tx.Account.Query().Where(account.Slug(slug)).Only(ctx)
		if ent.IsNotFound(err) {
			return fmt.Errorf("there is no account %s", slug)
		}
		if err != nil {
			return err
		}
		name = a.Name
		return f(ctx, tx, a.ID)
	})
	if err == nil {
		fmt.Fprintln(out, name, done)
	}
	return err
}
