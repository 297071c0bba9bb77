package identity

import "context"

// Unexported are the columns that an export leaves out.
func Unexported() []string { return unexported }

// Step is one transaction of a deletion.
func (e *Eraser) Step(ctx context.Context, accountID string) (more bool, err error) {
	return e.batch(ctx, accountID)
}
