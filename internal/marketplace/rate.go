package marketplace

import (
	"context"
	"strings"

	"github.com/alchemi/cockpit/ent"
	"github.com/alchemi/cockpit/ent/agent"
	"github.com/alchemi/cockpit/ent/connection"
	"github.com/alchemi/cockpit/ent/connectioncredential"
	"github.com/alchemi/cockpit/ent/listing"
	"github.com/alchemi/cockpit/ent/model"
	"github.com/alchemi/cockpit/ent/rating"
	"github.com/alchemi/cockpit/ent/tool"
	"github.com/alchemi/cockpit/ent/usageday"
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
	used, err := Used(ctx, tx.Client, l, root.AccountID, userID)
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

// Used tells whether a person was charged for a call by what the account made of
// a listing, or signed in to its connection. ctx passes the guard.
func Used(ctx context.Context, c *ent.Client, l *ent.Listing, accountID, userID string) (bool, error) {
	calls := c.UsageDay.Query().Where(usageday.AccountID(accountID), usageday.UserID(userID), usageday.CallsGT(0))
	switch l.Kind {
	case listing.KindMODEL:
		ids, err := c.Model.Query().Where(model.AccountID(accountID), model.CatalogModelID(*l.CatalogModelID)).IDs(ctx)
		if err != nil {
			return false, err
		}
		return calls.Where(usageday.ModelIDIn(ids...)).Exist(ctx)
	case listing.KindCONNECTION:
		ids, err := c.Connection.Query().Where(connection.AccountID(accountID), connection.Or(connection.ListingID(l.ID), connection.ID(l.SourceID))).IDs(ctx)
		if err != nil {
			return false, err
		}
		signedIn, err := c.ConnectionCredential.Query().Where(connectioncredential.AccountID(accountID), connectioncredential.UserID(userID),
			connectioncredential.UsedAtNotNil(), connectioncredential.ConnectionIDIn(ids...)).Exist(ctx)
		if err != nil || signedIn {
			return signedIn, err
		}
		tools, err := c.Tool.Query().Where(tool.AccountID(accountID), tool.ConnectionIDIn(ids...)).IDs(ctx)
		if err != nil {
			return false, err
		}
		return calls.Where(usageday.ModelIDIn(tools...)).Exist(ctx)
	}
	ids, err := c.Agent.Query().Where(agent.AccountID(accountID), agent.Or(agent.ListingID(l.ID), agent.ID(l.SourceID))).IDs(ctx)
	if err != nil {
		return false, err
	}
	return calls.Where(usageday.AgentIDIn(ids...)).Exist(ctx)
}
