package identity

import (
	"context"

	"github.com/alchemi/cockpit/ent/session"
)

// Unexported are the columns that an export leaves out.
func Unexported() []string { return unexported }

// Step is one transaction of a deletion.
func (e *Eraser) Step(ctx context.Context, accountID string) (more bool, err error) {
	return e.batch(ctx, accountID)
}

// PasswordProof is what a sign-in has seen when its session opens.
func PasswordProof(hash string) Proof { return Proof{Kind: session.KindPASSWORD, passwordHash: hash} }
