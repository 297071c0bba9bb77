package marketplace

import (
	"context"
	"database/sql"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/listing"
	entrequest "github.com/alchemi/cockpit/ent/request"
	"github.com/alchemi/cockpit/ent/scope"
	"github.com/alchemi/cockpit/internal/agents"
	"github.com/alchemi/cockpit/internal/catalog"
	"github.com/alchemi/cockpit/internal/connections"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/id"
	"github.com/alchemi/cockpit/internal/request"
	"github.com/alchemi/cockpit/internal/store"
	"github.com/alchemi/cockpit/internal/tenancy"
)

// Market has the verbs. What it makes, it makes by those that make such things
// elsewhere, so that the same checks hold.
type Market struct {
	Catalog     *catalog.Catalog
	Agents      *agents.Agents
	Connections *connections.Connections
	// Requests has the reviews of accounts' listings in its inbox.
	Requests *request.Requests
}

func rootOf(ctx context.Context, tx *store.Tx, accountID string) (*ent.Scope, error) {
	return tx.Scope.Query().Where(scope.AccountID(accountID), scope.KindEQ(scope.KindCOPILOT)).Only(ctx)
}

// hold lets one change of a listing and of its request come after the other,
// and reads it as it stands then. Requests come first, as in their inbox.
func hold(ctx context.Context, tx *store.Tx, listingID string) (*ent.Listing, error) {
	none := func(*sql.Rows) error { return nil }
	if err := tx.Rows(ctx, "SELECT id FROM requests WHERE resource_id = ? AND status = 'PENDING' FOR NO KEY UPDATE", []any{listingID}, none); err != nil {
		return nil, err
	}
	if err := tx.Rows(ctx, "SELECT id FROM listings WHERE id = ? FOR NO KEY UPDATE", []any{listingID}, none); err != nil {
		return nil, err
	}
	return tx.Listing.Get(ctx, listingID)
}

// ask opens the request by which admins of Copilot learn of a review.
func (m *Market) ask(ctx context.Context, tx *store.Tx, l *ent.Listing, root *ent.Scope, changelog, by string) error {
	if l.AccountID == id.PlatformID || by == "" {
		return nil // super admins, and programs, have no inbox
	}
	reason := []rune(strings.TrimSpace(changelog))
	if len(reason) == 0 {
		reason = []rune(l.Summary)
	}
	if len(reason) == 0 {
		reason = []rune(l.Name + " waits for review.")
	}
	_, err := m.Requests.Open(ctx, tx, request.Opening{Kind: entrequest.KindPUBLISH, Scope: root, By: by, ResourceID: l.ID, ResourceName: l.Name,
		Reason: string(reason[:min(len(reason), 1000)])})
	return err
}

// Carry does to the listing what was decided about its request in the inbox.
func (m *Market) Carry(ctx context.Context, tx *store.Tx, row *ent.Request, approved bool) error {
	l, err := hold(ctx, tx, row.ResourceID)
	if ent.IsNotFound(err) || err == nil && l.AccountID != row.AccountID {
		return fault.Missing("listing")
	}
	if err != nil {
		return err
	}
	if row.Status == entrequest.StatusWITHDRAWN {
		return takeBack(ctx, tx, l)
	}
	_, err = m.Review(ctx, tx, l, approved, row.Note, row.DecidedBy)
	return err
}

// Known tells whether the viewer may know of an agent or a connection, to ask
// for it: of what a published listing shares, and of what was installed where
// they work.
func (m *Market) Known(ctx context.Context, tx *store.Tx, resourceID string) bool {
	v := tenancy.ViewerFrom(ctx)
	if v == nil {
		return false
	}
	shared, err := tx.Listing.Query().Where(listing.AccountID(v.AccountID), listing.SourceID(resourceID), listing.StatusEQ(listing.StatusPUBLISHED)).Exist(ctx)
	if err != nil || shared {
		return err == nil
	}
	f, err := find(ctx, tx, v.AccountID, resourceID)
	return err == nil && Around(v, f.at.Path)
}

// Around tells whether one of a viewer's places lies at a path or below it.
func Around(v *tenancy.Viewer, path string) bool {
	for _, held := range v.Roles {
		if strings.HasPrefix(held.Path, path) {
			return true
		}
	}
	return false
}
