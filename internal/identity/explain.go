package identity

import (
	"context"
	"fmt"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// ExplainedViewer is a user as they would be at the cockpit now, to explain what they
// may do. It proves nothing about who asks: nobody acts by it.
func ExplainedViewer(ctx context.Context, st *store.Store, userID string) (*tenancy.Viewer, error) {
	u, err := st.User.Get(tenancy.System(ctx, "the caller has checked that the viewer may list the user"), userID)
	if ent.IsNotFound(err) {
		return nil, nil // nobody
	}
	if err != nil {
		return nil, fmt.Errorf("identity: explained user: %w", err)
	}
	return ViewerOf(ctx, st.Client, u)
}
