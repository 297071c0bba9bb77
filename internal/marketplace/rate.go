package marketplace

import (
	"context"
	"database/sql"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/rating"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/store"
)

// Rate keeps what a person thinks of a listing that they have used, and moves the
// listing's sums along. One person has one rating of a listing.
func Rate(ctx context.Context, tx *store.Tx, l *ent.Listing, root *ent.Scope, userID string, stars int, text string) (*ent.Rating, error) {
	text = strings.TrimSpace(text)
	switch {
	case stars < 1 || stars > 5:
		return nil, fault.At("stars", "A rating has one to five stars.")
	case len(text) > 1000:
		return nil, fault.At("text", "A rating has at most 1,000 characters.")
	}
	used, err := used(ctx, tx, l, root.AccountID, userID)
	if err != nil {
		return nil, err
	}
	if !used {
		return nil, fault.New(fault.Forbidden, "Only people who have used it rate it. Use it first.")
	}
	r, err := tx.Rating.Query().Where(rating.ListingID(l.ID), rating.UserID(userID)).Only(ctx)
	stars0, more := 0, 1
	switch {
	case err == nil:
		stars0, more = r.Stars, 0
		r, err = r.Update().SetStars(stars).SetText(text).Save(ctx)
	case ent.IsNotFound(err):
		r, err = tx.Rating.Create().SetAccountID(root.AccountID).SetPlane(rating.PlaneCOPILOT).SetListingID(l.ID).SetUserID(userID).
			SetStars(stars).SetText(text).Save(ctx)
	}
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "UPDATE listings SET rating_sum = rating_sum + ?, rating_count = rating_count + ? WHERE id = ?", stars-stars0, more, l.ID); err != nil {
		return nil, err
	}
	return r, tx.Audit(ctx, event("listing.rate", l, root))
}

// used tells whether a person was charged for a call by what the account made of
// the listing, or signed in to its connection.
func used(ctx context.Context, tx *store.Tx, l *ent.Listing, accountID, userID string) (bool, error) {
	query := "SELECT 1 FROM usage_days u WHERE u.account_id = ? AND u.user_id = ? AND u.calls > 0 AND "
	args := []any{accountID, userID}
	switch l.Kind {
	case listing.KindMODEL:
		query += "u.model_id IN (SELECT id FROM models WHERE account_id = ? AND catalog_model_id = ?)"
		args = append(args, accountID, *l.CatalogModelID)
	case listing.KindCONNECTION:
		query = `SELECT 1 FROM connection_credentials u JOIN connections c ON c.id = u.connection_id
			WHERE u.account_id = ? AND u.user_id = ? AND u.used_at IS NOT NULL AND (c.listing_id = ? OR c.id = ?)`
		args = append(args, l.ID, l.SourceID)
	default:
		query += "u.agent_id IN (SELECT id FROM agents WHERE account_id = ? AND (listing_id = ? OR id = ?))"
		args = append(args, accountID, l.ID, l.SourceID)
	}
	found := false
	err := tx.Rows(ctx, query+" LIMIT 1", args, func(*sql.Rows) error { found = true; return nil })
	return found, err
}
